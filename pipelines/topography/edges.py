"""What of a sheet's features meets its edge 图廓: ends of lines, and the cuts through areas."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
Geometries = NDArray[np.object_]

_LINES = (1, 5)
_AREAS = (3, 6)
_ALONG = 0.05
"""Sine below which a line's last stretch runs along the edge."""
_PARALLEL = 0.25
"""Sine below which a side of an area that lies near the edge as a whole runs along it."""


@dataclass(frozen=True, kw_only=True)
class Borders:
    """The extents of sheets, and how far from their edge a feature still meets it."""

    extents: Geometries
    reach_m: Floats
    """Per sheet: twice the tolerance."""

    def across(self, points: Geometries, own: Positions, reach_m: Floats) -> Positions:
        """Return the nearest other sheet within reach of each point, -1: none; ties: the first."""
        result = np.full(len(points), -1, dtype=np.intp)
        if len(points) == 0 or len(self.extents) < 2:
            return result
        tree = shapely.STRtree(self.extents)
        point, sheet = tree.query(points, predicate="dwithin", distance=reach_m)
        other = sheet != own[point]
        point, sheet = point[other], sheet[other]
        distance = np.round(shapely.distance(points[point], self.extents[sheet]), 6)
        order = np.lexsort((sheet, distance, point))
        first = np.unique(point[order], return_index=True)[1]
        result[point[order][first]] = sheet[order][first]
        return result


@dataclass(frozen=True, kw_only=True)
class Vertices:
    """The coordinates of all pieces in one array, and where each is."""

    xy: Floats
    row: Positions
    """Piece of each coordinate."""
    twin: Positions
    """The coordinate that closes the same ring, else itself."""


@dataclass(frozen=True, kw_only=True)
class Ends:
    """Ends of lines at an edge."""

    vertex: Positions
    row: Positions
    sheet: Positions
    other: Positions
    """Sheet across the edge, -1: none was delivered there."""
    outward: Floats
    """Unit vectors from the line over the edge."""
    is_along: NDArray[np.bool_]
    """The line runs along the edge here: nothing need go on."""
    gap_m: Floats
    """Distance from the edge."""


@dataclass(frozen=True, kw_only=True)
class Cuts:
    """Stretches of outlines of areas that run along an edge, area to the left."""

    first: Positions
    last: Positions
    """Coordinates at both ends."""
    inner: tuple[Positions, ...]
    """Coordinates between."""
    row: Positions
    sheet: Positions
    other: Positions
    run: Positions
    """Stretch that it is all or a part of: of one stretch at most one cut meets another."""
    gap_m: Floats
    """Greater distance of its ends from the edge."""


def with_corners(shapes: Geometries, sheet: Positions, borders: Borders) -> Geometries:
    """Return the areas with a vertex wherever an outline passes a corner of a sheet.

    Only there can what lies across change from one sheet to the next.
    """
    result = shapes.copy()
    areas = np.flatnonzero(np.isin(shapely.get_type_id(shapes), _AREAS))
    corners = shapely.points(
        np.unique(np.round(shapely.get_coordinates(borders.extents), 6), axis=0)
    )
    reach = borders.reach_m[sheet[areas]]
    at, corner = shapely.STRtree(corners).query(
        shapely.boundary(shapes[areas]), predicate="dwithin", distance=reach
    )
    for place in np.unique(at):
        row = areas[place]
        near = corners[np.sort(corner[at == place])]
        result[row] = _insert(shapes[row], near, reach[place])
    return result


def _insert(shape: shapely.Geometry, points: Geometries, reach_m: float) -> shapely.Geometry:
    """Return the area with each point's foot on its outline as a vertex, unless one is near."""
    vertices = shapely.multipoints(shapely.get_coordinates(shape))
    new = points[shapely.distance(points, vertices) > reach_m]
    if len(new) == 0:
        return shape

    def ring(coordinates: Floats) -> Floats:
        line = shapely.LineString(coordinates)
        on = new[shapely.distance(new, line) <= reach_m]
        if len(on) == 0:
            return coordinates
        along = np.concatenate([shapely.line_locate_point(line, on), _measures(coordinates)])
        feet = shapely.get_coordinates(shapely.line_interpolate_point(line, along[: len(on)]))
        order = np.argsort(along, kind="stable")
        merged: Floats = np.concatenate([feet, coordinates])[order]
        return merged

    parts = [
        shapely.Polygon(
            ring(shapely.get_coordinates(part.exterior)),
            [ring(shapely.get_coordinates(hole)) for hole in part.interiors],
        )
        for part in shapely.get_parts(shape)
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def _measures(coordinates: Floats) -> Floats:
    steps = np.hypot(*np.diff(coordinates, axis=0).T)
    return np.concatenate([[0.0], np.cumsum(steps)])


def vertices_of(shapes: Geometries) -> Vertices:
    """Return the coordinates of all geometries; rings must not be empty."""
    xy, row = shapely.get_coordinates(shapes, return_index=True)
    twin = np.arange(len(xy))
    for start, stop in _rings(shapes):
        twin[stop - 1] = start
        twin[start] = stop - 1
    return Vertices(xy=xy, row=row, twin=twin)


def _rings(shapes: Geometries) -> list[tuple[int, int]]:
    """Return where the rings of all areas lie in the array of coordinates."""
    starts = _starts(shapes)
    rows = np.flatnonzero(np.isin(shapely.get_type_id(shapes), _AREAS))
    parts, part_row = shapely.get_parts(shapes[rows], return_index=True)
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    count = shapely.get_num_coordinates(rings)
    row = rows[part_row[ring_part]]
    before = np.concatenate([[0], np.cumsum(count)[:-1]]) if len(count) else count
    first = np.searchsorted(row, row)  # first ring of the same piece
    offset = starts[row] + before - before[first] if len(count) else before
    return list(zip(offset.tolist(), (offset + count).tolist(), strict=True))


def _starts(shapes: Geometries) -> Positions:
    count = shapely.get_num_coordinates(shapes)
    return np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.intp)


def find_ends(shapes: Geometries, sheet: Positions, borders: Borders, vertices: Vertices) -> Ends:
    """Return the ends of lines that lie within reach of their own sheet's edge."""
    rows = np.flatnonzero(np.isin(shapely.get_type_id(shapes), _LINES))
    parts, index = shapely.get_parts(shapes[rows], return_index=True)
    count = shapely.get_num_coordinates(parts)
    row = rows[index]
    before = np.concatenate([[0], np.cumsum(count)[:-1]]) if len(count) else count
    offset = (_starts(shapes)[row] + before - before[np.searchsorted(row, row)]).astype(np.intp)
    is_open = ~shapely.is_closed(parts) if len(parts) else np.zeros(0, dtype=bool)
    row, offset, count = row[is_open], offset[is_open], count[is_open]
    vertex = np.concatenate([offset, offset + count - 1]).astype(np.intp)
    inward = np.concatenate([offset + 1, offset + count - 2]).astype(np.intp)
    row = np.concatenate([row, row])
    own = sheet[row]
    points = shapely.points(vertices.xy[vertex])
    edges = shapely.boundary(borders.extents)
    gap = shapely.distance(points, edges[own])
    near = gap <= borders.reach_m[own]
    vertex, inward, row, own = vertex[near], inward[near], row[near], own[near]
    gap, points = gap[near], points[near]
    outward = vertices.xy[vertex] - vertices.xy[inward]
    length = np.hypot(outward[:, 0], outward[:, 1])
    before_last = shapely.distance(shapely.points(vertices.xy[inward]), edges[own])
    return Ends(
        vertex=vertex,
        row=row,
        sheet=own,
        other=borders.across(points, own, borders.reach_m[own]),
        outward=outward / np.maximum(length, 1e-12)[:, None],
        is_along=(before_last <= borders.reach_m[own]) & (before_last - gap <= _ALONG * length),
        gap_m=gap,
    )


def find_cuts(shapes: Geometries, sheet: Positions, borders: Borders, vertices: Vertices) -> Cuts:
    """Return the stretches of outlines within reach of an edge, one per sheet across it.

    A wall that leaves the edge at a small angle stays within reach for a while, so that each stretch
    is also returned without its first, its last, and both of these sides.
    """
    edges = shapely.boundary(borders.extents)
    found: list[tuple[Positions, int, int, int]] = []
    run = 0
    rings = _near_rings(shapes, sheet, borders, edges, vertices)
    for (start, _, row), across in zip(
        rings, _across(rings, sheet, borders, edges, vertices), strict=True
    ):
        least = borders.reach_m[sheet[row]] / 2
        for chain, other in _stretches(across, start):
            for part in (chain, chain[1:], chain[:-1], chain[1:-1]):
                if len(part) < 2:
                    continue
                ends = vertices.xy[part[[0, -1]]]
                if np.hypot(*(ends[1] - ends[0])) > least:
                    found.append((part, row, other, run))
            run += 1
    row_of = np.array([entry[1] for entry in found], dtype=np.intp)
    chains = [entry[0] for entry in found]
    first = np.array([chain[0] for chain in chains], dtype=np.intp)
    last = np.array([chain[-1] for chain in chains], dtype=np.intp)
    gap = np.zeros(len(found))
    for ends_at in (first, last):
        points = shapely.points(vertices.xy[ends_at])
        gap = np.maximum(gap, shapely.distance(points, edges[sheet[row_of]]))
    return Cuts(
        first=first,
        last=last,
        inner=tuple(chain[1:-1] for chain in chains),
        row=row_of,
        sheet=sheet[row_of],
        other=np.array([entry[2] for entry in found], dtype=np.intp),
        run=np.array([entry[3] for entry in found], dtype=np.intp),
        gap_m=gap,
    )


def _across(
    rings: list[tuple[int, int, int]],
    sheet: Positions,
    borders: Borders,
    edges: Geometries,
    vertices: Vertices,
) -> list[Positions]:
    """Return for each side of each ring the sheet across the edge that it runs along, -1: none."""
    if not rings:
        return []
    sides = np.array([stop - start - 1 for start, stop, _ in rings], dtype=np.intp)
    ring = np.repeat(np.arange(len(rings)), sides)
    begin = np.concatenate([np.arange(start, stop - 1) for start, stop, _ in rings])
    own = sheet[np.array([row for *_, row in rings], dtype=np.intp)][ring]
    reach = borders.reach_m[own]
    ends = [vertices.xy[begin], vertices.xy[begin + 1]]
    distance = [shapely.distance(shapely.points(xy), edges[own]) for xy in ends]
    middle = shapely.points((ends[0] + ends[1]) / 2)
    on = (distance[0] <= reach) & (distance[1] <= reach)
    on[on] = shapely.dwithin(middle[on], edges[own[on]], reach[on])
    length = np.hypot(*(ends[1] - ends[0]).T)
    is_parallel = np.abs(distance[1] - distance[0]) <= _PARALLEL * length
    # Small, or as large as the sheet: only what is parallel to the edge.
    is_all = np.bincount(ring[on], minlength=len(rings)) == sides
    on &= is_parallel | ~is_all[ring]
    across = np.full(len(on), -1, dtype=np.intp)
    across[on] = borders.across(middle[on], own[on], reach[on])
    return np.split(across, np.cumsum(sides)[:-1])


def _near_rings(
    shapes: Geometries,
    sheet: Positions,
    borders: Borders,
    edges: Geometries,
    vertices: Vertices,
) -> list[tuple[int, int, int]]:
    """Return start, stop and piece of the rings that come near their sheet's edge."""
    spans = _rings(shapes)
    if not spans:
        return []
    starts = np.array([start for start, _ in spans], dtype=np.intp)
    row = vertices.row[starts]
    rows = np.unique(row)
    near = shapely.dwithin(
        shapely.boundary(shapes[rows]), edges[sheet[rows]], borders.reach_m[sheet[rows]]
    )
    wanted = np.isin(row, rows[near])
    return [
        (start, stop, int(piece))
        for (start, stop), piece, is_wanted in zip(spans, row, wanted, strict=True)
        if is_wanted
    ]


def _stretches(across: Positions, start: int) -> list[tuple[Positions, int]]:
    """Return the longest stretches of a ring with one sheet across: coordinates in order, sheet."""
    count = len(across)
    is_start = (across >= 0) & (across != np.roll(across, 1))
    result = []
    for begin in np.flatnonzero(is_start).tolist():
        length = 1
        while length < count and across[(begin + length) % count] == across[begin]:
            length += 1
        chain = (begin + np.arange(length + 1)) % count + start
        result.append((chain.astype(np.intp), int(across[begin])))
    return result


def turned(outward: Floats, other: Floats) -> Floats:
    """Return how far two ends are from going straight on, 0 to 2.

    Examples
    --------
    >>> turned(np.array([[1.0, 0.0]]), np.array([[-1.0, 0.0]])).tolist()
    [0.0]
    """
    straight: Floats = 1 + (outward * other).sum(axis=1)
    return straight


def tolerances(scales: Sequence[int], edge_mm: float) -> Floats:
    """Return the tolerance of edge matching per sheet, m: millimetres on the map times the scale.

    Examples
    --------
    >>> tolerances([500, 2000], 0.3).tolist()
    [0.15, 0.6]
    """
    return np.round(np.asarray(scales, dtype=np.float64) * edge_mm / 1000, 6)
