"""Atoms that run round others are cut open, so that no grid need enclose another one."""

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.options import DivisionOptions
from gridding.scenery import Scene

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]

_WORTH_SHARE = 0.3
"""What is enclosed is worth a cut above this share of the target; less joins what encloses it."""
_RAYS = 24
_APART = 8
"""Rays between the two cuts, at least: a third of the way round."""
_SOLID_WEIGHT = 1_000.0
"""A metre through a building is as dear as so many metres over open land."""


def cut_open(
    polygons: Geometries, land: shapely.Polygon, scene: Scene, *, options: DivisionOptions
) -> Geometries:
    """Return lines that cut every polygon which runs round others in two, from the hole outwards.

    Of rays from the middle of the hole the two are taken that are shortest and meet least of what may not
    be cut, at least a third of the way round apart. Holes of the land itself enclose nothing. In metres.

    Examples
    --------
    >>> from shapely import box
    >>> from gridding.scene import read_scene
    >>> import geopandas as gpd
    >>> nothing = gpd.GeoDataFrame({"feature_class": []}, geometry=[], crs="EPSG:4547")
    >>> options = DivisionOptions()
    >>> scene = read_scene(nothing, options=options)
    >>> land, pond = box(0, 0, 200, 200), box(50, 50, 150, 150)
    >>> cuts = cut_open(np.array([land - pond, pond]), land, scene, options=options)
    >>> shapely.length(cuts).round().tolist()
    [50.0, 50.0]
    """
    with_holes = np.flatnonzero(shapely.get_num_interior_rings(polygons) > 0)
    if len(with_holes) == 0:
        return np.empty(0, dtype=object)
    solids = np.concatenate([scene.buildings, scene.kept_whole])
    tree = shapely.STRtree(solids)
    shapely.prepare(land)
    found = []
    for ring in polygons[with_holes]:
        holes = shapely.polygons(shapely.get_rings(ring)[1:])
        holes = holes[shapely.area(holes) > _WORTH_SHARE * options.target_m2]
        inner = shapely.intersects(land, shapely.point_on_surface(holes))
        for hole in holes[inner]:
            near = solids[np.sort(tree.query(ring, predicate="intersects"))]
            found.append(_two_cuts(ring, hole, near))
    return np.concatenate(found) if found else np.empty(0, dtype=object)


def _two_cuts(ring: shapely.Polygon, hole: shapely.Polygon, solids: Geometries) -> Geometries:
    """Return the two best rays from the middle of the hole, as far as they lie in the ring."""
    middle = shapely.get_coordinates(shapely.point_on_surface(hole))[0]
    cuts, cost = _rays(middle, ring, solids)
    apart = np.abs(np.arange(_RAYS)[:, None] - np.arange(_RAYS))
    apart = np.minimum(apart, _RAYS - apart)
    both = np.where(apart >= _APART, cost[:, None] + cost[None, :], np.inf)
    chosen = np.unravel_index(int(np.argmin(both)), both.shape)
    parts = shapely.get_parts(cuts[np.array(chosen)])
    lines: Geometries = parts[shapely.get_dimensions(parts) == 1]
    return lines


def _rays(middle: Floats, ground: shapely.Polygon, solids: Geometries) -> tuple[Geometries, Floats]:
    """Return rays from a place as far as they lie in a polygon, and what each costs as a cut."""
    west, south, east, north = shapely.bounds(ground)
    reach = (east - west) + (north - south)
    angle = 2.0 * np.pi * np.arange(_RAYS) / _RAYS
    ends = middle + reach * np.column_stack([np.cos(angle), np.sin(angle)])
    rays = shapely.linestrings(np.stack([np.broadcast_to(middle, ends.shape), ends], axis=1))
    cuts = shapely.intersection(rays, ground)
    cost = shapely.length(cuts)
    ray, solid = shapely.STRtree(cuts).query(solids, predicate="intersects")[::-1]
    inside = shapely.length(shapely.intersection(cuts[ray], solids[solid]))
    cost += _SOLID_WEIGHT * np.bincount(ray, inside, minlength=_RAYS)
    return cuts, np.round(cost, 2)


def lead_on(
    faces: Geometries, loose: Geometries, scene: Scene, *, options: DivisionOptions
) -> Geometries:
    """Return lines that lead the ends of loose lines on to the outlines of the faces they lie in.

    What an editor locked stays a border that way even where what it ended at is gone. Of rays from the
    end the one is taken that is shortest and meets least of what may not be cut. In metres.

    Examples
    --------
    >>> from shapely import LineString, box
    >>> from gridding.scene import read_scene
    >>> import geopandas as gpd
    >>> nothing = gpd.GeoDataFrame({"feature_class": []}, geometry=[], crs="EPSG:4547")
    >>> options = DivisionOptions()
    >>> scene = read_scene(nothing, options=options)
    >>> border = np.array([LineString([(0, 50), (70, 50)])])
    >>> on = lead_on(np.array([box(0, 0, 100, 100)]), border, scene, options=options)
    >>> shapely.to_wkt(on, rounding_precision=0).tolist()
    ['LINESTRING (70 50, 100 50)']
    """
    chains = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(loose)))
    ends = np.concatenate([shapely.get_point(chains, 0), shapely.get_point(chains, -1)])
    ends = ends[~np.repeat(shapely.is_closed(chains)[None], 2, axis=0).ravel()]
    ends = _distinct(ends)
    outlines = shapely.boundary(faces)
    held = shapely.STRtree(outlines).query(
        ends, predicate="dwithin", distance=5 * options.precision_m
    )[0]
    ends = np.delete(ends, np.unique(held))
    end, face = shapely.STRtree(faces).query(ends, predicate="within")
    solids = np.concatenate([scene.buildings, scene.kept_whole])
    tree = shapely.STRtree(solids)
    found = []
    for point, home in zip(ends[end], faces[face], strict=True):
        near = solids[np.sort(tree.query(home, predicate="intersects"))]
        rays, cost = _rays(shapely.get_coordinates(point)[0], home, near)
        parts = shapely.get_parts(rays[int(np.argmin(cost))])
        found.append(parts[int(np.argmin(shapely.distance(parts, point)))])
    return np.array(found, dtype=object)


def _distinct(points: Geometries) -> Geometries:
    """Return points without those that come more than once, in order."""
    xy, count = np.unique(shapely.get_coordinates(points), axis=0, return_counts=True)
    return np.asarray(shapely.points(xy[count == 1]), dtype=object)
