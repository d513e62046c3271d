"""Faces between border lines, and what two neighbours share."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.features import Geometries, Scene
from gridding.options import DivisionOptions

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Faces:
    """The faces of one piece of land and their shared borders."""

    polygons: Geometries
    left: Indices
    """First face of each shared border; less than the second."""
    right: Indices
    length_m: Floats
    """Length of each shared border."""
    cost: Floats
    """What it costs to keep that border: price x length / 100 m."""


def cut_faces(land: shapely.Polygon, scene: Scene, *, options: DivisionOptions) -> Faces:
    """Cut a polygon by the border lines of a scene; line ends that meet nothing are dropped.

    Faces come ordered by their bounds, so the result does not depend on the order of the lines.
    """
    noded = shapely.union_all(
        np.append(scene.borders, shapely.boundary(land)), grid_size=options.precision_m
    )
    edges = shapely.get_parts(noded)
    polygons = shapely.get_parts(shapely.polygonize(edges))
    inside = shapely.contains_properly(land, shapely.point_on_surface(polygons))
    polygons = shapely.normalize(polygons[inside & (shapely.area(polygons) > 0)])
    polygons = polygons[order_by_bounds(polygons)]
    left, right, edge = _sides(polygons, edges)
    length = shapely.length(edges[edge])
    price = price_at(
        shapely.line_interpolate_point(edges[edge], 0.5, normalized=True), scene, options
    )
    return _collected(polygons, left, right, length, price * length / 100.0)


def shared_buildings(faces: Faces, scene: Scene) -> list[tuple[int, int]]:
    """Return the pairs of neighbours that a building lies in both of, across a border of no value.

    Minor roads are drawn through passages and under buildings; a main road or a railway (of negative
    price) stays a border, and the building counts as cut.
    """
    face, building = shapely.STRtree(scene.buildings).query(faces.polygons, predicate="intersects")
    inside = shapely.area(shapely.intersection(faces.polygons[face], scene.buildings[building]))
    kept = inside > 1.0
    holders: dict[int, list[int]] = {}
    for one, held in zip(face[kept].tolist(), building[kept].tolist(), strict=True):
        holders.setdefault(held, []).append(one)
    weak = {
        (a, b)
        for a, b, cost in zip(
            faces.left.tolist(), faces.right.tolist(), faces.cost.tolist(), strict=True
        )
        if cost >= 0
    }
    pairs = {(a, b) for found in holders.values() for a in found for b in found if a < b}
    return sorted(pairs & weak)


def order_by_bounds(geometry: Geometries) -> Indices:
    """Return the order by west, south, east, north bound, then area."""
    bounds = np.round(shapely.bounds(geometry), 3)
    area = np.round(shapely.area(geometry), 3)
    return np.lexsort((area, bounds[:, 3], bounds[:, 2], bounds[:, 1], bounds[:, 0]))


def price_at(points: Geometries, scene: Scene, options: DivisionOptions) -> Floats:
    """Return the price of the best border within two precision cells of each point; open elsewhere."""
    price = np.full(len(points), options.open_price)
    if len(scene.borders) and len(points):
        tree = shapely.STRtree(scene.borders)
        point, line = tree.query(points, predicate="dwithin", distance=2 * options.precision_m)
        np.minimum.at(price, point, scene.prices[line])
    return price


def _sides(polygons: Geometries, edges: Geometries) -> tuple[Indices, Indices, Indices]:
    """Return the two faces of every edge that lies between two."""
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    edge, face = shapely.STRtree(shapely.boundary(polygons)).query(
        middle, predicate="dwithin", distance=1e-4
    )
    order = np.lexsort((face, edge))
    edge, face = edge[order], face[order]
    first = np.flatnonzero(edge[1:] == edge[:-1])
    return face[first], face[first + 1], edge[first]


def _collected(
    polygons: Geometries, left: Indices, right: Indices, length: Floats, cost: Floats
) -> Faces:
    """Sum the edges of every pair of faces."""
    pairs, index = np.unique(np.column_stack([left, right]), axis=0, return_inverse=True)
    index = index.ravel()
    empty = np.zeros(0)
    if len(pairs) == 0:
        return Faces(polygons=polygons, left=left, right=right, length_m=empty, cost=empty)
    return Faces(
        polygons=polygons,
        left=pairs[:, 0],
        right=pairs[:, 1],
        length_m=np.bincount(index, weights=length).astype(np.float64),
        cost=np.bincount(index, weights=cost).astype(np.float64),
    )
