"""Centrelines of roads and rivers that are delivered as areas."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.spatial import QhullError, Voronoi

from gridding.chains import chain_lines, join_segments
from gridding.lines import Floats, Geometries, Indices

_STEP_M = 4.0
"""Distance of the samples along the banks."""
_TILE_M = 3000.0
_MARGIN_M = 150.0
"""Banks farther apart than twice this have no centreline where tiles meet."""
_ROUND = 2.5
"""A centre is between two banks when the way round is this many times as long as that across."""
_TOLERANCE_M = 1.0
"""How far a centreline may be simplified."""
_LEAD_M = 60.0
"""The centreline of a wider area is not led on at its dead end."""
_SERVED_M = 12.0
"""No centre is wanted this near a line that is there already."""
_SPUR_M = 15.0
"""A side branch shorter than this that leads nowhere is dropped."""


@dataclass(frozen=True, kw_only=True)
class _Banks:
    """Samples along the outlines of areas."""

    points: Floats
    ring: Indices
    along_m: Floats
    """Distance along the ring."""
    round_m: Floats
    """Length of the ring."""


@dataclass(frozen=True, kw_only=True)
class _Centres:
    """Short segments half-way between two banks."""

    start: Floats
    stop: Floats
    half_width_m: Floats


def trace_centrelines(
    areas: Geometries, *, known: Geometries, precision_m: float
) -> tuple[Geometries, Indices]:
    """Return the lines half-way between the banks of areas, and the area that most of each lies in.

    Areas that touch are taken together, so that centrelines meet where areas do. They follow the Voronoi
    diagram of points every 4 m along the outlines (its edges between banks are the medial axis; Lee, D. T.,
    1982), and go straight on to the bank at a dead end. Where one of the `known` lines is as near as the bank,
    or within 12 m, that is the centreline and none is returned.

    Parameters
    ----------
    areas : array of Polygon
        Metric; ordered so that where several hold a place the first gives its name.
    known : array of LineString
        Lines that are there already.
    precision_m : float
        Side of the cells of the precision grid, m.

    Examples
    --------
    A road 100 m long and 10 m wide.

    >>> lines, area = trace_centrelines(
    ...     np.array([shapely.box(0, 0, 100, 10)]), known=np.array([]), precision_m=0.01
    ... )
    >>> [shapely.bounds(line).round().tolist() for line in lines], area.tolist()
    ([[0.0, 5.0, 100.0, 5.0]], [0])
    """
    none: tuple[Geometries, Indices] = np.empty(0, dtype=object), np.zeros(0, dtype=np.intp)
    if len(areas) == 0:
        return none
    whole = shapely.get_parts(shapely.union_all(areas, grid_size=precision_m))
    banks = _banks(whole)
    centres = _without_known(_centres(banks, whole), np.asarray(known, dtype=object))
    middle = (centres.start + centres.stop) / 2.0
    area, point = shapely.STRtree(shapely.points(middle)).query(areas, predicate="intersects")
    home = np.full(len(middle), len(areas), dtype=np.intp)
    np.minimum.at(home, point, area)
    cells = np.round(np.concatenate([centres.start, centres.stop]) / precision_m).astype(np.int64)
    cells_at, vertex = np.unique(cells, axis=0, return_inverse=True)
    points = np.asarray(cells_at * precision_m, dtype=np.float64)
    start, stop = vertex.reshape(2, -1)
    kept = (start != stop) & (home < len(areas))
    if not kept.any():
        return none
    start, stop, home = start[kept], stop[kept], home[kept]
    order = np.lexsort((np.maximum(start, stop), np.minimum(start, stop)))
    start, stop, home = start[order], stop[order], home[order]
    for _ in range(3):  # what a spur leaves may be a spur
        start, stop, home = _without_spurs(points, start, stop, home)
    vertices, offsets, chain = join_segments(start, stop, np.zeros(len(start), dtype=np.intp))
    lines = chain_lines(points, vertices, offsets)
    # A side street is one up to the middle of the main road, whose area it ends in.
    pairs, pair = np.unique(np.column_stack([chain, home]), axis=0, return_inverse=True)
    length = np.bincount(pair.ravel(), np.hypot(*(points[start] - points[stop]).T))
    order = np.lexsort((pairs[:, 1], -np.round(length, 3), pairs[:, 0]))
    most = order[np.flatnonzero(np.diff(pairs[order, 0], prepend=-1))]
    lines = shapely.simplify(lines, _TOLERANCE_M)
    return _led_to_banks(lines, whole, np.asarray(known, dtype=object), precision_m), pairs[most, 1]


def _banks(areas: Geometries) -> _Banks:
    """Return points along the rings of areas, in local order."""
    rings = shapely.get_parts(shapely.boundary(areas))
    dense = shapely.segmentize(rings, _STEP_M)
    points, ring = shapely.get_coordinates(dense, return_index=True)
    step = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    step[np.diff(ring, prepend=-1) != 0] = 0.0
    total = np.cumsum(step)
    first = np.searchsorted(ring, np.arange(len(rings)))
    # The last point of a ring is its first again.
    kept = np.ones(len(points), dtype=bool)
    kept[np.append(first[1:], len(points)) - 1] = False
    along = total - total[first][ring]
    return _Banks(
        points=points[kept],
        ring=ring[kept],
        along_m=along[kept],
        round_m=shapely.length(rings)[ring[kept]],
    )


def _centres(banks: _Banks, whole: Geometries) -> _Centres:
    """Return the Voronoi edges between banks that lie inside the areas, tile by tile."""
    found = []
    for rows, west, south in _tiles(banks.points):
        start, stop, one = _between_banks(banks, rows)
        middle = (start + stop) / 2.0
        here = ((middle >= [west, south]) & (middle < [west + _TILE_M, south + _TILE_M])).all(
            axis=1
        )
        start, stop, one, middle = start[here], stop[here], one[here], middle[here]
        # Asked of the areas, not of the points: GEOS prepares the one that asks.
        places = shapely.points(np.concatenate([start, middle, stop]))
        held = np.zeros(len(places), dtype=bool)
        held[shapely.STRtree(places).query(whole, predicate="contains")[1]] = True
        inside = np.flatnonzero(held.reshape(3, -1).all(axis=0))
        half = np.hypot(*(middle - banks.points[one]).T)
        found.append(_Centres(start=start[inside], stop=stop[inside], half_width_m=half[inside]))
    return _Centres(
        start=np.concatenate([one.start for one in found]),
        stop=np.concatenate([one.stop for one in found]),
        half_width_m=np.concatenate([one.half_width_m for one in found]),
    )


def _tiles(points: Floats) -> Iterator[tuple[Indices, float, float]]:
    """Yield the points in and about each tile, and its south-west corner."""
    west, south = points.min(axis=0)
    east, north = points.max(axis=0)
    columns = np.arange(west, east + _TILE_M, _TILE_M)
    rows = np.arange(south, north + _TILE_M, _TILE_M)
    for x, y in itertools.product(columns.tolist(), rows.tolist()):
        low, high = (
            [x - _MARGIN_M, y - _MARGIN_M],
            [x + _TILE_M + _MARGIN_M, y + _TILE_M + _MARGIN_M],
        )
        inside = ((points >= low) & (points <= high)).all(axis=1)
        if inside.any():
            yield np.flatnonzero(inside), x, y


def _between_banks(banks: _Banks, rows: Indices) -> tuple[Floats, Floats, Indices]:
    """Return the Voronoi edges between points of opposite banks, and one of the two points."""
    # A local origin: at a million metres from the city's a diagram loses digits.
    origin = np.round(banks.points[rows].mean(axis=0))
    local = banks.points[rows] - origin
    reach = 10.0 * _TILE_M
    far = np.array([[reach, 1.0], [-reach, 2.0], [3.0, reach], [4.0, -reach]])
    try:
        diagram = Voronoi(np.concatenate([local, far]))
    except QhullError:
        return np.zeros((0, 2)), np.zeros((0, 2)), np.zeros(0, dtype=np.intp)
    pair = np.asarray(diagram.ridge_points)
    edge = np.asarray(diagram.ridge_vertices)
    kept = (pair < len(rows)).all(axis=1) & (edge >= 0).all(axis=1)
    one, two = rows[pair[kept, 0]], rows[pair[kept, 1]]
    edge = edge[kept]
    across = np.hypot(*(banks.points[one] - banks.points[two]).T)
    way = np.abs(banks.along_m[one] - banks.along_m[two])
    way = np.minimum(way, banks.round_m[one] - way)
    opposite = (banks.ring[one] != banks.ring[two]) | (way > _ROUND * across)
    edge, one = edge[opposite], one[opposite]
    corners = np.asarray(diagram.vertices) + origin
    return corners[edge[:, 0]], corners[edge[:, 1]], one


def _without_known(centres: _Centres, known: Geometries) -> _Centres:
    """Return the centres without those that a known line passes between the same banks."""
    if len(known) == 0:
        return centres
    middle = shapely.points((centres.start + centres.stop) / 2.0)
    served = shapely.STRtree(known).query(
        middle, predicate="dwithin", distance=np.maximum(centres.half_width_m, _SERVED_M)
    )[0]
    kept = np.setdiff1d(np.arange(len(middle)), served)
    return _Centres(
        start=centres.start[kept],
        stop=centres.stop[kept],
        half_width_m=centres.half_width_m[kept],
    )


def _without_spurs(
    points: Floats, start: Indices, stop: Indices, home: Indices
) -> tuple[Indices, Indices, Indices]:
    """Return segments without the short chains that lead from a junction to nowhere."""
    if len(start) == 0:
        return start, stop, home
    vertices, offsets, chain = join_segments(start, stop, np.zeros(len(start), dtype=np.intp))
    degree = np.bincount(np.concatenate([start, stop]), minlength=len(points))
    first, last = degree[vertices[offsets[:-1]]], degree[vertices[offsets[1:] - 1]]
    length = np.bincount(chain, np.hypot(*(points[start] - points[stop]).T))
    spur = (np.minimum(first, last) == 1) & (np.maximum(first, last) > 2) & (length < _SPUR_M)
    kept = ~spur[chain]
    return start[kept], stop[kept], home[kept]


def _led_to_banks(
    lines: Geometries, whole: Geometries, known: Geometries, precision_m: float
) -> Geometries:
    """Return lines whose free ends go straight on to the bank, unless they end at a known line."""
    tips = shapely.get_point(np.repeat(lines, 2), np.tile([0, -1], len(lines)))
    inner = shapely.get_point(np.repeat(lines, 2), np.tile([1, -2], len(lines)))
    place, _ = shapely.STRtree(lines).query(tips, predicate="dwithin", distance=precision_m)
    free = (np.bincount(place, minlength=len(tips)) == 1) & ~np.repeat(shapely.is_closed(lines), 2)
    if len(known):
        served = shapely.STRtree(known).query(tips, predicate="dwithin", distance=_LEAD_M / 2.0)[0]
        free[served] = False
    ends = np.flatnonzero(free)
    at, before = shapely.get_coordinates(tips[ends]), shapely.get_coordinates(inner[ends])
    ahead = (at - before) / np.hypot(*(at - before).T)[:, None]
    rays = shapely.linestrings(np.stack([at, at + ahead * _LEAD_M], axis=1))
    banks = shapely.get_parts(shapely.boundary(whole))
    ray, bank = shapely.STRtree(banks).query(rays, predicate="intersects")
    met = shapely.shortest_line(tips[ends[ray]], shapely.intersection(rays[ray], banks[bank]))
    order = np.lexsort((shapely.length(met), ray))
    ray, met = ray[order], met[order]
    first = np.flatnonzero(np.diff(ray, prepend=-1))
    result = lines.copy()
    for row, way in zip(ends[ray[first]].tolist(), met[first], strict=True):
        goal = np.round(shapely.get_coordinates(way)[1:] / precision_m) * precision_m
        points = shapely.get_coordinates(result[row // 2])
        points = np.concatenate([goal, points] if row % 2 == 0 else [points, goal])
        result[row // 2] = shapely.linestrings(points)
    return result
