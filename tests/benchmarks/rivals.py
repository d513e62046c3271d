"""Other ways to divide a town: squares, road blocks, straight cuts, and METIS over the same atoms."""

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pymetis
import shapely
from numpy.typing import NDArray

from gridding.atoms import cut_atoms
from gridding.conflation import conflate
from gridding.coverage import snap_coverage
from gridding.link import graph_of
from gridding.options import DivisionOptions
from gridding.scene import read_scene
from tests.real.towns import Town

Geometries = NDArray[np.object_]
_STREETS = ("42", "4305")
_SIDE_M = 100.0


def squares(town: Town) -> gpd.GeoDataFrame:
    """Squares of 100 m, cut at community borders: each piece is a grid."""
    west, south, east, north = town.communities.total_bounds
    x, y = np.meshgrid(np.arange(west, east, _SIDE_M), np.arange(south, north, _SIDE_M))
    cells = shapely.box(x.ravel(), y.ravel(), x.ravel() + _SIDE_M, y.ravel() + _SIDE_M)
    shapes = town.communities.geometry.to_numpy()
    cell, land = shapely.STRtree(shapes).query(cells, predicate="intersects")
    return _layer(town, shapely.intersection(cells[cell], shapes[land]))


def road_blocks(town: Town) -> gpd.GeoDataFrame:
    """The blocks between streets and community borders, whatever their size."""
    return _layer(town, _blocks(town))


def straight_cuts(town: Town) -> gpd.GeoDataFrame:
    """Road blocks halved across their longer side until they are small enough."""
    done, todo = [], list(_blocks(town))
    while todo:
        shape = todo.pop()
        if shape.area < 14_142:
            done.append(shape)
            continue
        todo.extend(_halves(shape))
    return _layer(town, np.array(done, dtype=object))


def metis(town: Town) -> gpd.GeoDataFrame:
    """Our atoms, joined by METIS into as many parts of even area as the target asks for."""
    options = DivisionOptions()
    scene = read_scene(town.features, components=town.components, options=options)
    lands, _ = snap_coverage(town.communities.geometry.to_numpy(), precision_m=options.precision_m)
    grids: list[shapely.Polygon] = []
    for land in shapely.get_parts(lands):
        near = scene.near(land)
        atoms = cut_atoms(land, near, conflate(land, near, options=options), options=options)
        graph, node = graph_of(atoms, near, options=options)
        count = len(graph.area_m2)
        wanted = min(count, round(float((graph.area_m2 / graph.target_m2).sum())))
        if wanted < 2:
            grids.append(land)
            continue
        inner = graph.right < count
        one = np.concatenate([graph.left[inner], graph.right[inner]])
        other = np.concatenate([graph.right[inner], graph.left[inner]])
        cost = np.tile(graph.cost[inner] + 1.2 * graph.length_m[inner] / 100, 2)
        order = np.lexsort((other, one))
        _, part = pymetis.part_graph(
            wanted,
            xadj=np.searchsorted(one[order], np.arange(count + 1)),
            adjncy=other[order],
            vweights=np.maximum(1, graph.area_m2.astype(int)).tolist(),
            eweights=np.maximum(1, 100 * cost[order]).astype(int).tolist(),
        )
        label = np.asarray(part)[node]
        for number in np.unique(label):
            union = shapely.coverage_union_all(atoms.polygons[label == number])
            grids += list(shapely.get_parts(union))
    return _layer(town, np.array(grids, dtype=object))


RIVALS: dict[str, Callable[[Town], gpd.GeoDataFrame]] = {
    "100 m squares": squares,
    "road blocks": road_blocks,
    "straight cuts": straight_cuts,
    "atoms + METIS": metis,
}


def _layer(town: Town, shapes: Geometries) -> gpd.GeoDataFrame:
    parts = shapely.get_parts(shapes)
    parts = parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) > 1)]
    return gpd.GeoDataFrame(geometry=parts, crs=town.communities.crs)


def _blocks(town: Town) -> Geometries:
    is_street = town.features["feature_class"].str.startswith(_STREETS).to_numpy()
    is_line = town.features.geom_type.isin(("LineString", "MultiLineString")).to_numpy()
    lines = town.features.geometry.to_numpy()[is_street & is_line]
    lands = town.communities.geometry.to_numpy()
    edges = shapely.union_all(np.concatenate([lines, shapely.boundary(lands)]), grid_size=0.01)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
    inside = shapely.STRtree(lands).query(shapely.point_on_surface(faces), predicate="within")[0]
    return np.asarray(faces[np.unique(inside)])


def _halves(shape: shapely.Polygon) -> list[shapely.Polygon]:
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape))
    origin, side, across = corners[0], corners[1] - corners[0], corners[2] - corners[1]
    if np.hypot(*across) > np.hypot(*side):
        origin, side, across = corners[1], across, -side
    low, high = 0.0, 1.0
    for _ in range(12):
        share = (low + high) / 2
        ring = [origin, origin + share * side, origin + share * side + across, origin + across]
        first = shapely.intersection(shape, shapely.Polygon(ring))
        low, high = (share, high) if first.area < shape.area / 2 else (low, share)
    parts = shapely.get_parts(np.array([first, shapely.difference(shape, first)], dtype=object))
    return [part for part in parts if part.geom_type == "Polygon" and part.area > 1]
