"""Sites: points from which the land between buildings, and open land, is shared out."""

from dataclasses import dataclass

import numba
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gridding.options import DivisionOptions
from gridding.scenery import Scene

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
_FAR_M = 1e6


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
    """Return sites on a lattice in each face, clear of obstacles, and the face of each.

    The lattice is as wide as makes grids of the target's side; then come pockets and strips that it missed.
    """
    spacing = options.lattice_m * np.sqrt(target_m2 / options.target_m2)
    spacing = np.maximum(spacing, np.sqrt(shapely.area(faces) / _MOST_SITES))
    is_large = shapely.area(obstacles.polygons) > _LARGE_SHARE * options.target_m2
    trees = (
        shapely.STRtree(obstacles.polygons[~is_large]),
        shapely.STRtree(obstacles.polygons[is_large]),
    )
    spacing[np.unique(trees[1].query(faces, predicate="intersects")[0])] *= _CLOSER
    ground = _Ground(faces=faces, edges=shapely.boundary(faces), spacing_m=spacing, trees=trees)
    shapely.prepare(ground.faces)
    shapely.prepare(ground.edges)
    axes = _axes(shapely.oriented_envelope(faces))
    points, face = ground.clear(*_grids(axes, _cells(axes, spacing, np.sqrt(target_m2))))
    fine, home = _grids(axes, _cells(axes, spacing / 3.0, spacing / 3.0))
    fine, home = ground.clear(*_apart(fine, home, (points, face), 0.95 * spacing))
    # One point after the other.
    kept = _thinned(fine, home, 0.95 * spacing)
    points, face = np.concatenate([points, fine[kept]]), np.concatenate([face, home[kept]])
    order = np.argsort(face, kind="stable")
    return points[order], face[order]


@dataclass(frozen=True, kw_only=True)
class _Ground:
    """Faces, and what keeps sites in them off."""

    faces: Geometries
    edges: Geometries
    spacing_m: Floats
    trees: tuple[shapely.STRtree, shapely.STRtree]
    """Obstacles, the small and the large."""

    def clear(self, points: Floats, face: Indices) -> tuple[Floats, Indices]:
        """Return the points well inside their faces and well clear of obstacles."""
        inside = shapely.contains_xy(self.faces[face], points[:, 0], points[:, 1])
        points, face = points[inside], face[inside]
        sites = shapely.points(points)
        rows = np.flatnonzero(~shapely.dwithin(self.edges[face], sites, self.spacing_m[face] / 6.0))
        for tree, share in zip(self.trees, (_CLEAR_SHARE, _NEAR_SHARE), strict=True):
            near = tree.query(
                sites[rows], predicate="dwithin", distance=share * self.spacing_m[face[rows]]
            )[0]
            rows = np.delete(rows, np.unique(near))
        return points[rows], face[rows]


def _axes(boxes: Geometries) -> tuple[Floats, Floats, Floats]:
    """Return a corner of each rectangle and its two sides, the longer one first."""
    corners, box = shapely.get_coordinates(boxes, return_index=True)
    begin = np.searchsorted(box, np.arange(len(boxes) + 1))
    corner = corners[begin[:-1]]
    first, second = corners[begin[:-1] + 1] - corner, corners[begin[1:] - 2] - corner
    swap = (np.hypot(*first.T) < np.hypot(*second.T))[:, None]
    return corner, np.where(swap, second, first), np.where(swap, first, second)


def _cells(axes: tuple[Floats, Floats, Floats], spacing_m: Floats, side_m: Floats) -> Indices:
    """Return how many cells lie along each side: as many as fit the spacing, in whole grids."""
    counts = []
    for side in axes[1:]:
        length = np.hypot(*side.T)
        grids = np.maximum(1, np.rint(length / side_m))
        counts.append(grids * np.maximum(1, np.rint(length / (grids * spacing_m))))
    return np.stack(counts).astype(np.intp)


def _grids(axes: tuple[Floats, Floats, Floats], cells: Indices) -> tuple[Floats, Indices]:
    """Return the centres of the cells of rectangles, and which rectangle each is in."""
    corner, first, second = axes
    size = cells[0] * cells[1]
    box = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(box)) - np.repeat(np.cumsum(size) - size, size)
    row, column = np.divmod(place, cells[1][box])
    along = (row + 0.5) / cells[0][box]
    across = (column + 0.5) / cells[1][box]
    points: Floats = corner[box] + along[:, None] * first[box] + across[:, None] * second[box]
    return points, box


def _apart(
    points: Floats, face: Indices, others: tuple[Floats, Indices], distance_m: Floats
) -> tuple[Floats, Indices]:
    """Return the points farther than a distance from all others in their face."""
    if len(others[0]) == 0 or len(points) == 0:
        return points, face
    # Faces lie one above the other, so far that only those of the same face are near.
    tree = cKDTree(np.column_stack([others[0], _FAR_M * others[1]]))
    nearest = tree.query(
        np.column_stack([points, _FAR_M * face]),
        distance_upper_bound=1.01 * float(distance_m.max()),
    )[0]
    kept = nearest > distance_m[face]
    return points[kept], face[kept]


@numba.njit(cache=True)
def _thinned(points, face, distance_m):  # type: ignore[no-untyped-def]
    """Return which points to keep so that none is nearer to another of its face: the first come."""
    kept = np.zeros(len(points), dtype=np.bool_)
    rows = np.empty(len(points), dtype=np.intp)
    start, stop = 0, 0
    for one in range(len(points)):
        if one > 0 and face[one] != face[one - 1]:
            start = stop
        limit = distance_m[face[one]]
        free = True
        for k in range(start, stop):
            other = rows[k]
            if (points[one, 0] - points[other, 0]) ** 2 + (
                points[one, 1] - points[other, 1]
            ) ** 2 < limit**2:
                free = False
                break
        if free:
            kept[one] = True
            rows[stop] = one
            stop += 1
    return kept
