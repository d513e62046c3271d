"""Sewing: vertices of pieces that meet are moved to one place, and the pieces made one geometry."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipelines.topography.edges import Floats, Geometries, Positions, Vertices

_SAME_M = 1e-4
"""Vertices of one sheet nearer than this are one place."""


@dataclass(frozen=True, kw_only=True)
class Seams:
    """Which coordinates meet, and which stretches of outlines become one."""

    one: Positions
    other: Positions
    """Coordinate that meets the one of the same position in `one`."""
    cuts: tuple[tuple[int, Positions, int, Positions], ...]
    """Per pair of cuts: first coordinate and those between, of the one and of the other."""


def sew(
    shapes: Geometries,
    vertices: Vertices,
    seams: Seams,
    *,
    sheet: Positions,
    age: Floats,
) -> Geometries:
    """Return the pieces with the vertices that meet in one place.

    That is the mean of the newest sheet's vertices. A geometry that would no longer be valid is
    repaired by its structure.
    """
    xy = _moved(vertices, seams, sheet=sheet, age=age)
    result = shapes.copy()
    if len(seams.one) == 0:
        return result
    touched = np.unique(vertices.row[np.concatenate([seams.one, seams.other])])
    drawn = shapely.set_coordinates(shapes.copy(), xy)
    result[touched] = drawn[touched]
    dropped, put = _chords(xy, seams)
    for row in np.unique(vertices.row[np.fromiter(dropped, dtype=np.intp, count=len(dropped))]):
        result[row] = _redrawn(result[row], _start(vertices, int(row)), dropped, put, xy)
    broken = touched[~shapely.is_valid(result[touched])]
    result[broken] = shapely.make_valid(result[broken], method="structure", keep_collapsed=False)
    return result


def _start(vertices: Vertices, row: int) -> int:
    return int(np.searchsorted(vertices.row, row))


def _moved(vertices: Vertices, seams: Seams, *, sheet: Positions, age: Floats) -> Floats:
    """Return all coordinates, those that meet moved to one place."""
    xy = vertices.xy.copy()
    nodes, place = np.unique(np.concatenate([seams.one, seams.other]), return_inverse=True)
    if len(nodes) == 0:
        return xy
    half = len(place) // 2
    own = sheet[vertices.row[nodes]]
    a, b = place[:half], place[half:]
    same_a, same_b = _coinciding(vertices.xy[nodes], own)
    a, b = np.concatenate([a, same_a]), np.concatenate([b, same_b])
    graph = coo_array((np.ones(len(a)), (a, b)), shape=(len(nodes), len(nodes)))
    count, cluster = connected_components(graph, directed=False)
    ages = age[own]
    newest = np.full(count, -np.inf)
    np.maximum.at(newest, cluster, ages)
    counts = ages >= newest[cluster]
    total = np.bincount(cluster[counts], minlength=count)
    meeting = np.column_stack(
        [
            np.bincount(cluster[counts], weights=vertices.xy[nodes][counts, axis], minlength=count)
            / total
            for axis in (0, 1)
        ]
    )
    xy[nodes] = np.round(meeting, 4)[cluster]
    xy[vertices.twin[nodes]] = xy[nodes]
    return xy


def _coinciding(xy: Floats, sheet: Positions) -> tuple[Positions, Positions]:
    """Return pairs of neighbours among the nodes of a sheet that lie at one place."""
    key = np.column_stack([sheet, np.round(xy / _SAME_M)])
    place = np.unique(key, axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(place, kind="stable")
    same = place[order][1:] == place[order][:-1]
    return order[:-1][same], order[1:][same]


def _chords(xy: Floats, seams: Seams) -> tuple[set[int], dict[int, Floats]]:
    """Return coordinates to drop, and what to put after others, so that both sides of a cut agree."""
    dropped: set[int] = set()
    put: dict[int, Floats] = {}
    for first, inner, other, other_inner in seams.cuts:
        if len(inner) == 0 and len(other_inner) == 0:
            continue
        dropped.update(inner.tolist(), other_inner.tolist())
        chain, back = xy[inner], xy[other_inner]
        kept = chain if len(chain) >= len(back) else back[::-1]
        if _is_straight(kept, xy[first], xy[other]):
            continue
        put[first], put[other] = kept, kept[::-1]
    return dropped, put


def _is_straight(chain: Floats, start: Floats, stop: Floats) -> bool:
    """Tell whether vertices between two others lie on the straight line, to the centimetre."""
    if len(chain) == 0:
        return True
    chord = shapely.LineString([start, stop])
    return bool((shapely.distance(shapely.points(chain), chord) <= 0.01).all())


def _redrawn(
    shape: shapely.Geometry, start: int, dropped: set[int], put: dict[int, Floats], xy: Floats
) -> shapely.Geometry:
    """Return an area with vertices dropped and put in; `start` is its first coordinate."""
    offset = start

    def ring(line: shapely.Geometry) -> list[tuple[float, float]]:
        nonlocal offset
        result: list[tuple[float, float]] = []
        count = shapely.get_num_coordinates(line)
        for index in range(offset, offset + count - 1):
            if index not in dropped:
                result.append((float(xy[index, 0]), float(xy[index, 1])))
            if index in put:
                result += [(float(x), float(y)) for x, y in put[index]]
        offset += count
        return result

    parts = []
    for part in shapely.get_parts(shape):
        rings = [ring(line) for line in shapely.get_rings(part)]
        if len(rings[0]) >= 3:
            parts.append(shapely.Polygon(rings[0], [hole for hole in rings[1:] if len(hole) >= 3]))
    if not parts:
        return shape
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def join_shapes(shapes: Geometries, group: Positions) -> Geometries:
    """Return one geometry per group: lines run into each other, areas united, others collected."""
    order = np.argsort(group, kind="stable")
    first = np.flatnonzero(np.diff(group[order], prepend=-1))
    count = np.diff(np.append(first, len(order)))
    result = shapes[order[first]].copy()
    for place in np.flatnonzero(count > 1).tolist():
        parts = shapes[order[first[place] : first[place] + count[place]]]
        result[place] = join_parts(parts)
    return result


def join_parts(parts: NDArray[np.object_]) -> shapely.Geometry:
    """Return several lines, areas or points as one geometry.

    Examples
    --------
    >>> lines = [shapely.LineString([(0, 0), (1, 0)]), shapely.LineString([(1, 0), (2, 0)])]
    >>> join_parts(np.array(lines)).wkt
    'LINESTRING (0 0, 1 0, 2 0)'
    >>> join_parts(np.array([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])).area
    2.0
    """
    dimension = int(shapely.get_dimensions(parts).max())
    if dimension == 2:
        return shapely.union_all(parts)
    if dimension == 0:
        return shapely.union_all(parts)
    lines = shapely.MultiLineString(list(shapely.get_parts(parts)))
    directed = shapely.line_merge(lines, directed=True)
    merged = shapely.line_merge(lines)
    same = shapely.get_num_geometries(directed) == shapely.get_num_geometries(merged)
    return directed if same else merged
