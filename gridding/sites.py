"""Sites: points from which the land between buildings, and open land, is shared out."""

from dataclasses import dataclass

import numba
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from gridding.options import DivisionOptions
from gridding.scene import Scene

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_SPACING_M = 3.0
_NEAR_M = 15.0
_FAR_SPACING = 2.0
"""An outline with nothing nearer than 15 m is sampled every 6 m: the ridge is as smooth there."""
_CLOSE_M = 1.6
"""Outlines nearer than this to another's are sampled densely, or the border between would cut them."""
_DENSE = 5
_TOUCH_M = 0.3
_INSET_M = 0.35
_SAME_M2 = 1.0
_SAME_SHARE = 0.05
_CLEAR_SHARE, _NEAR_SHARE = 0.4, 0.2
"""How far sites in the open keep from obstacles, and from large ones, in spacings of the lattice."""
_LARGE_SHARE = 0.5
"""An obstacle above this share of the target is large: what lies round it must be fit to be cut off."""
_CLOSER = 0.7
"""Spacing of the lattice where a large obstacle lies, in usual ones."""
_MOST_SITES = 100_000
"""Sites in the open of one face: what a face larger than that asks for is spaced wider."""


@dataclass(frozen=True, kw_only=True)
class Sites:
    """Points, and what owns each."""

    points: Floats
    """x and y, m."""
    owner: Indices
    """Obstacle the point is of; from the number of obstacles on: a site in the open, one each."""
    face: Indices
    """Face the point lies in."""
    inset_m: Floats
    """Distance of the point from the outline it stands for, m."""


@dataclass(frozen=True, kw_only=True)
class Obstacles:
    """What no border may cut, outline by outline."""

    polygons: Geometries
    owner: Indices
    """Overlapping ones count as one: they have the same owner, less than their number."""


def read_obstacles(scene: Scene, faces: Geometries) -> Obstacles:
    """Return what of a scene's buildings and other things kept whole reaches into faces.

    Buildings inside something kept whole are left out.
    """
    whole, buildings = (_reaching(things, faces) for things in (scene.kept_whole, scene.buildings))
    inside, _ = shapely.STRtree(whole).query(buildings, predicate="covered_by")
    free = np.ones(len(buildings), dtype=np.bool_)
    free[inside] = False
    polygons = np.concatenate([buildings[free], whole])
    if len(polygons) == 0:
        return Obstacles(polygons=polygons, owner=np.empty(0, dtype=np.intp))
    polygons = shapely.get_parts(shapely.orient_polygons(polygons))
    polygons = polygons[np.lexsort((shapely.area(polygons), *shapely.bounds(polygons).T))]
    return Obstacles(polygons=polygons, owner=_overlapping(polygons))


def _reaching(things: Geometries, faces: Geometries) -> Geometries:
    """Return the things that reach into faces."""
    found: Geometries = things[
        np.unique(shapely.STRtree(things).query(faces, predicate="intersects")[1])
    ]
    return found


def _overlapping(polygons: Geometries) -> Indices:
    """Return a number for every polygon, the same for those that overlap."""
    one, other = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    one, other = one[one < other], other[one < other]
    shared = shapely.area(shapely.intersection(polygons[one], polygons[other]))
    area = shapely.area(polygons)
    same = shared > np.maximum(_SAME_M2, _SAME_SHARE * np.minimum(area[one], area[other]))
    edges = coo_array((np.ones(same.sum()), (one[same], other[same])), shape=(len(area), len(area)))
    return np.asarray(connected_components(edges, directed=False)[1], dtype=np.intp)


def sites_in(
    faces: Geometries, target_m2: Floats, obstacles: Obstacles, options: DivisionOptions
) -> Sites:
    """Return the sites in faces: on the outlines of obstacles, and a lattice in the open.

    Only what lies properly inside a face counts. Sites come ordered by face, x and y.
    """
    points, owner, inset = _samples(obstacles)
    within, sample = shapely.STRtree(shapely.points(points)).query(faces, predicate="contains")[:2]
    lattice, home = _lattices(faces, target_m2, obstacles, options)
    sites = np.concatenate([points[sample], lattice])
    owners = np.concatenate([owner[sample], len(obstacles.owner) + np.arange(len(lattice))])
    face = np.concatenate([within, home])
    insets = np.concatenate([inset[sample], np.zeros(len(lattice))])
    # Points nearer to each other than 1 mm are one: the triangulation needs distinct ones.
    cells = np.round(sites * 1000.0)
    order = np.lexsort((owners, cells[:, 1], cells[:, 0], face))
    fresh = np.ones(len(order), dtype=np.bool_)
    fresh[1:] = np.any(np.diff(cells[order], axis=0) != 0, axis=1) | (np.diff(face[order]) != 0)
    order = order[fresh]
    return Sites(points=sites[order], owner=owners[order], face=face[order], inset_m=insets[order])


def _samples(obstacles: Obstacles) -> tuple[Floats, Indices, Floats]:
    """Return points along the outlines of obstacles, their owners and how far inside they are."""
    rings, polygon = shapely.get_rings(obstacles.polygons, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    step = np.diff(corners, axis=0)
    same = (ring[1:] == ring[:-1]) & np.any(step != 0, axis=1)
    start, step = corners[:-1][same], step[same]
    polygon = polygon[ring[1:][same]]
    spacing = _SPACING_M * np.where(_has_near(obstacles), 1.0, _FAR_SPACING)[polygon]
    start, step, kept = _split(start, step, np.ceil(np.hypot(*step.T) / spacing))
    polygon = polygon[kept]
    gap = _gaps(obstacles, polygon, start, step)
    start, step, kept = _split(start, step, np.where(gap < _CLOSE_M, _DENSE, 1))
    inset = np.where(gap[kept] < _TOUCH_M, _INSET_M, 0.0)
    # Outlines run with the inside to their left.
    inward = np.column_stack([-step[:, 1], step[:, 0]]) / np.hypot(*step.T)[:, None]
    points = start + np.where(inset[:, None] > 0, step / 2.0 + inward * inset[:, None], 0.0)
    return points, obstacles.owner[polygon[kept]], inset


def _has_near(obstacles: Obstacles) -> NDArray[np.bool_]:
    """Return which obstacles have one of another owner near."""
    tree = shapely.STRtree(obstacles.polygons)
    one, other = tree.query(obstacles.polygons, predicate="dwithin", distance=_NEAR_M)
    near = np.zeros(len(obstacles.owner), dtype=np.bool_)
    near[one[obstacles.owner[one] != obstacles.owner[other]]] = True
    return near


def _split(start: Floats, step: Floats, parts: Floats | Indices) -> tuple[Floats, Floats, Indices]:
    """Return segments split into equal parts, and which each part is of."""
    parts = np.maximum(parts, 1).astype(np.intp)
    kept = np.repeat(np.arange(len(parts)), parts)
    number = np.arange(len(kept)) - np.repeat(np.cumsum(parts) - parts, parts)
    step = step[kept] / parts[kept, None]
    return start[kept] + step * number[:, None], step, kept


def _gaps(obstacles: Obstacles, polygon: Indices, start: Floats, step: Floats) -> Floats:
    """Return how far segments of outlines are from the nearest obstacle of another owner, if close."""
    gap = np.full(len(start), np.inf)
    polygons, owner = obstacles.polygons, obstacles.owner
    one, other = shapely.STRtree(polygons).query(polygons, predicate="dwithin", distance=_CLOSE_M)
    one, other = one[owner[one] != owner[other]], other[owner[one] != owner[other]]
    if len(one) == 0:
        return gap
    near = np.flatnonzero(np.isin(polygon, one))
    segments = shapely.linestrings(np.stack([start[near], start[near] + step[near]], axis=1))
    tree = shapely.STRtree(polygons[np.unique(other)])
    segment, found = tree.query(segments, predicate="dwithin", distance=_CLOSE_M)
    found = np.unique(other)[found]
    foreign = owner[found] != owner[polygon[near[segment]]]
    segment, found = segment[foreign], found[foreign]
    np.minimum.at(gap, near[segment], shapely.distance(segments[segment], polygons[found]))
    return gap


def _lattices(
    faces: Geometries, target_m2: Floats, obstacles: Obstacles, options: DivisionOptions
) -> tuple[Floats, Indices]:
    """Return sites on a lattice in each face, clear of obstacles, and the face of each."""
    spacing = options.lattice_m * np.sqrt(target_m2 / options.target_m2)
    spacing = np.maximum(spacing, np.sqrt(shapely.area(faces) / _MOST_SITES))
    boxes = shapely.oriented_envelope(faces)
    shapely.prepare(faces)
    is_large = shapely.area(obstacles.polygons) > _LARGE_SHARE * options.target_m2
    trees = (
        shapely.STRtree(obstacles.polygons[~is_large]),
        shapely.STRtree(obstacles.polygons[is_large]),
    )
    spacing[np.unique(trees[1].query(faces, predicate="intersects")[0])] *= _CLOSER
    found = [
        _lattice(face, box, float(gap), (float(np.sqrt(target)), trees))
        for face, box, gap, target in zip(faces, boxes, spacing, target_m2, strict=True)
    ]
    points = np.concatenate([*found, np.empty((0, 2))])
    return points, np.repeat(np.arange(len(found)), [len(part) for part in found])


def _lattice(
    face: shapely.Polygon,
    box: shapely.Polygon,
    spacing_m: float,
    near: tuple[float, tuple[shapely.STRtree, shapely.STRtree]],
) -> Floats:
    """Return lattice points in one face: as wide as makes grids of the target's side, then the rest."""
    side_m, obstacles = near
    corner, first, second = _axes(box)
    grid = _grid(corner, first, second, _cells(first, second, spacing_m, side_m))
    regular = _clear(grid, face, spacing_m, obstacles)
    fine = _grid(corner, first, second, _cells(first, second, spacing_m / 3.0, spacing_m / 3.0))
    if len(regular):
        fine = fine[KDTree(regular).query(fine)[0] > 0.95 * spacing_m]
    # Pockets and strips that the lattice missed, one point after the other.
    fine = _clear(fine, face, spacing_m, obstacles)
    if len(fine) == 0:
        return regular
    return np.concatenate([regular, fine[_thinned(fine, 0.95 * spacing_m)]])


def _axes(box: shapely.Geometry) -> tuple[Floats, Floats, Floats]:
    """Return a corner of a rectangle and its two sides, the longer one first."""
    corners = shapely.get_coordinates(box)
    corner, first, second = corners[0], corners[1] - corners[0], corners[-2] - corners[0]
    if np.hypot(*first) < np.hypot(*second):
        first, second = second, first
    return corner, first, second


def _cells(first: Floats, second: Floats, spacing_m: float, side_m: float) -> tuple[int, int]:
    """Return how many cells lie along each side: as many as fit the spacing, in whole grids."""
    counts = []
    for side in (first, second):
        length = float(np.hypot(*side))
        grids = max(1, round(length / side_m))
        counts.append(grids * max(1, round(length / (grids * spacing_m))))
    return counts[0], counts[1]


def _grid(corner: Floats, first: Floats, second: Floats, cells: tuple[int, int]) -> Floats:
    """Return the centres of the cells of a rectangle."""
    along = (np.arange(cells[0]) + 0.5) / cells[0]
    across = (np.arange(cells[1]) + 0.5) / cells[1]
    points: Floats = (corner + along[:, None, None] * first + across[:, None] * second).reshape(
        -1, 2
    )
    return points


def _clear(
    points: Floats,
    face: shapely.Polygon,
    spacing_m: float,
    obstacles: tuple[shapely.STRtree, shapely.STRtree],
) -> Floats:
    """Return the points well inside a face and well clear of obstacles, the small and the large."""
    points = points[np.asarray(shapely.contains_xy(face, *points.T))]
    sites = shapely.points(points)
    edge = shapely.boundary(face)
    shapely.prepare(edge)
    inside = ~shapely.dwithin(edge, sites, spacing_m / 6.0)
    for tree, share in zip(obstacles, (_CLEAR_SHARE, _NEAR_SHARE), strict=True):
        inside[tree.query(sites, predicate="dwithin", distance=share * spacing_m)[0]] = False
    clear: Floats = points[inside]
    return clear


@numba.njit(cache=True)
def _thinned(points, distance_m):  # type: ignore[no-untyped-def]
    """Return which points to keep so that none is nearer to another: the first come."""
    kept = np.zeros(len(points), dtype=np.bool_)
    for one in range(len(points)):
        free = True
        for other in range(one):
            if (
                kept[other]
                and (points[one, 0] - points[other, 0]) ** 2
                + (points[one, 1] - points[other, 1]) ** 2
                < distance_m**2
            ):
                free = False
                break
        kept[one] = free
    return kept
