"""Ridges: borders half-way between buildings, and between the cells of open land."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from gridding.chains import chain_lines, join_segments, number_points, number_rows
from gridding.lines import Lines
from gridding.options import DivisionOptions
from gridding.scenery import Scene
from gridding.sites import Sites, read_obstacles, sites_in

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

GAP, OPEN = -1, -2
"""Kinds of a border that follows no line: between buildings, and in the open."""

_GAP_PRICES = ((1.0, 2.0), (3.0, 0.8), (np.inf, 0.45))
"""Price of 100 m of border between buildings, by the clear width it runs in, m."""
_MOST_MOVED_M = 1.5
_MOVED_SHARE = 0.3
_FAR = 10.0
_PART_M2 = 8_000_000.0


def cut_ridges(
    faces: Geometries, target_m2: Floats, scene: Scene, *, options: DivisionOptions
) -> Lines:
    """Return the ridges that share faces out between the obstacles in them and sites in the open.

    A ridge is part of the Voronoi diagram of sites: the border between two that belong to different
    owners, simplified by less than a third of the room it has. Ridges end at each other or at the face.
    """
    # Part by part, so that memory does not grow with the land: no ridge runs from face to face.
    part = (np.cumsum(shapely.area(faces)) // _PART_M2).astype(np.intp)
    found = [
        _part_ridges(faces[part == number], target_m2[part == number], scene, options)
        for number in range(int(part.max(initial=0)) + 1)
    ]
    return Lines(
        lines=np.concatenate([lines.lines for lines in found]),
        kind=np.concatenate([lines.kind for lines in found]),
        rank=np.concatenate([lines.rank for lines in found]),
        price=np.concatenate([lines.price for lines in found]),
    )


def _part_ridges(
    faces: Geometries, target_m2: Floats, scene: Scene, options: DivisionOptions
) -> Lines:
    obstacles = read_obstacles(scene, faces)
    sites = sites_in(faces, target_m2, obstacles, options)
    edges = _diagram(faces, sites)
    return _as_lines(faces, sites, edges, len(obstacles.owner), options)


@dataclass(frozen=True, kw_only=True)
class _Edges:
    """Edges of Voronoi diagrams between sites of different owners."""

    start: Floats
    stop: Floats
    first: Indices
    """Site on one side, and on the other."""
    second: Indices

    def taken(self, rows: Indices) -> "_Edges":
        """Return the edges of the given positions."""
        return _Edges(
            start=self.start[rows],
            stop=self.stop[rows],
            first=self.first[rows],
            second=self.second[rows],
        )


def _diagram(faces: Geometries, sites: Sites) -> _Edges:
    """Return the Voronoi edges inside each face, from its Delaunay triangles."""
    bounds = shapely.bounds(faces)
    starts = np.searchsorted(sites.face, np.arange(len(faces) + 1))
    found = []
    for face in range(len(faces)):
        rows = slice(starts[face], starts[face + 1])
        owner = sites.owner[rows]
        if len(owner) > 1 and owner.min() < owner.max():
            found.append(_face_edges(sites.points[rows], owner, bounds[face], int(starts[face])))
    if not found:
        none = np.empty(0, dtype=np.intp)
        return _Edges(start=np.empty((0, 2)), stop=np.empty((0, 2)), first=none, second=none)
    start, stop, first, second = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return _Edges(start=start, stop=stop, first=first, second=second)


def _face_edges(
    points: Floats, owner: Indices, bounds: Floats, offset: int
) -> tuple[Floats, Floats, Indices, Indices]:
    # A local origin: at a million metres from the city's a triangulation loses digits.
    origin = np.round((bounds[:2] + bounds[2:]) / 2.0)
    reach = _FAR * float(np.hypot(*(bounds[2:] - bounds[:2])))
    far = reach * np.array([[1.0, 0.1], [-0.1, 1.0], [-1.0, -0.1], [0.1, -1.0]])
    local = np.concatenate([points - origin, far])
    triangles = Delaunay(local)
    centre = _circumcentres(local[triangles.simplices]) + origin
    triangle, corner = np.divmod(np.arange(3 * len(centre)), 3)
    other = triangles.neighbors[triangle, corner]
    first = triangles.simplices[triangle, (corner + 1) % 3]
    second = triangles.simplices[triangle, (corner + 2) % 3]
    kept = (triangle < other) & (np.maximum(first, second) < len(points))
    triangle, other, first, second = triangle[kept], other[kept], first[kept], second[kept]
    kept = owner[first] != owner[second]
    triangle, other, first, second = triangle[kept], other[kept], first[kept], second[kept]
    return centre[triangle], centre[other], first + offset, second + offset


def _circumcentres(corners: Floats) -> Floats:
    """Return the centres of the circles through the corners of triangles.

    Examples
    --------
    >>> _circumcentres(np.array([[[0.0, 0.0], [4.0, 0.0], [0.0, 2.0]]])).tolist()
    [[2.0, 1.0]]
    """
    one = corners[:, 1] - corners[:, 0]
    two = corners[:, 2] - corners[:, 0]
    twice = 2.0 * (one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0])
    square_one, square_two = (one**2).sum(axis=1), (two**2).sum(axis=1)
    shift = np.column_stack(
        [
            two[:, 1] * square_one - one[:, 1] * square_two,
            one[:, 0] * square_two - two[:, 0] * square_one,
        ]
    )
    flat = np.abs(twice) < 1e-12
    centre: Floats = corners[:, 0] + shift / np.where(flat, 1.0, twice)[:, None]
    centre[flat] = corners[flat].mean(axis=1)
    return centre


def _as_lines(
    faces: Geometries, sites: Sites, edges: _Edges, obstacle_count: int, options: DivisionOptions
) -> Lines:
    """Return edges as lines from junction to junction, clipped to their faces, with prices."""
    cell_m = options.precision_m
    points, vertex = number_points(np.concatenate([edges.start, edges.stop]), cell_m=cell_m)
    start, stop = np.sort(vertex.reshape(2, -1), axis=0)
    owners = np.sort([sites.owner[edges.first], sites.owner[edges.second]], axis=0)
    face = sites.face[edges.first]
    group = number_rows(face, owners[0], owners[1])
    order = np.lexsort((stop, start, group))
    order = order[start[order] != stop[order]]
    start, stop, face, is_gap = start[order], stop[order], face[order], owners[1] < obstacle_count
    vertices, offsets, chain = join_segments(start, stop, group[order])
    room, price = _rated(faces[face], points[np.stack([start, stop])], edges.taken(order), sites)
    least = np.full(len(offsets) - 1, np.inf)
    np.minimum.at(least, chain, room / 2.0)
    one = np.unique(chain, return_index=True)[1]
    lines = shapely.simplify(
        chain_lines(points, vertices, offsets),
        np.minimum(_MOST_MOVED_M, _MOVED_SHARE * least),
        preserve_topology=False,
    )
    lines, kept = _clipped(lines, faces[face[one]])
    return Lines(
        lines=lines,
        kind=np.where(is_gap, GAP, OPEN)[order][one][kept].astype(np.intp),
        rank=np.zeros(len(lines), dtype=np.intp),
        price=np.where(is_gap[order][one], _mean(price, chain), options.open_price)[kept],
    )


def _rated(
    faces: Geometries, ends: Floats, edges: _Edges, sites: Sites
) -> tuple[Floats, tuple[Floats, Floats]]:
    """Return the room that edges run in, and their prices as gaps with their lengths in the face."""
    width = np.hypot(*(sites.points[edges.first] - sites.points[edges.second]).T)
    clear = np.maximum(0.0, width - sites.inset_m[edges.first] - sites.inset_m[edges.second])
    price = np.select(
        [clear < limit for limit, _ in _GAP_PRICES], [cost for _, cost in _GAP_PRICES]
    )
    middle = ends.mean(axis=0)
    shapely.prepare(faces)
    inside = shapely.contains_xy(faces, middle[:, 0], middle[:, 1])
    # Outside the face an edge says nothing of the gap, but without any price a mean needs one.
    length = np.hypot(*(ends[0] - ends[1]).T) * np.where(inside, 1.0, 1e-9)
    return width, (price, length)


def _mean(weighted: tuple[Floats, Floats], chain: Indices) -> Floats:
    """Return the mean of values by weight for every chain."""
    value, weight = weighted
    mean: Floats = np.bincount(chain, value * weight) / np.bincount(chain, weight)
    return mean


def _clipped(lines: Geometries, faces: Geometries) -> tuple[Geometries, Indices]:
    """Return the parts of lines inside their faces, and which line each is of."""
    shapely.prepare(faces)
    inside = shapely.contains_properly(faces, lines)
    lines = lines.copy()
    lines[~inside] = shapely.intersection(lines[~inside], faces[~inside])
    parts, index = shapely.get_parts(lines, return_index=True)
    kept = (shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING) & (
        shapely.length(parts) > 0
    )
    return parts[kept], index[kept]
