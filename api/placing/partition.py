"""Cut cells along plan areas and boundary roads, until the plan sees one chain in each piece."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import split

from api.placing.boundaries import FIRST, NOBODY, SECOND, BoundaryRoad, offset

_LEAST_M2 = 1e-6
"""A smaller piece is what rounding leaves of a border."""
_MARGIN_M = 1.0

Shapes = NDArray[Any]
Rows = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Pieces:
    """Parts of cells, those of one cell together."""

    shape: Shapes
    """Polygons."""
    cell: Rows
    """Position among the cells."""
    held: list[tuple[int, ...]]
    """Positions of the plan areas that hold it, ascending."""
    boundary: NDArray[np.int32]
    """Position of its boundary road, -1: none."""
    side: NDArray[np.int8]
    """Side of that road's axis, `NOBODY` where the road is not shared by sides."""


def partition(cells: Shapes, areas: Shapes, roads: list[BoundaryRoad]) -> Pieces:
    """Cut cells along areas and roads; of several roads the first one in the list takes a place.

    Parameters
    ----------
    cells, areas : ndarray
        Polygons, in the city's CRS, m.
    roads : list
        Boundary roads.

    Examples
    --------
    >>> cells = np.array([shapely.box(0, 0, 10, 10)])
    >>> found = partition(cells, np.array([shapely.box(0, 0, 4, 20), shapely.box(2, 5, 10, 10)]), [])
    >>> [(held, float(shapely.area(shape))) for held, shape in zip(found.held, found.shape, strict=True)]
    [((0, 1), 10.0), ((1,), 30.0), ((0,), 30.0), ((), 30.0)]
    """
    pieces = Pieces(
        shape=cells,
        cell=np.arange(len(cells)),
        held=[()] * len(cells),
        boundary=np.full(len(cells), -1, dtype=np.int32),
        side=np.full(len(cells), NOBODY, dtype=np.int8),
    )
    for which in _rounds(cells, areas):
        pieces = _in_areas(pieces, which[pieces.cell], areas)
    extents = _objects([road.shape for road in roads])
    for which in _rounds(cells, extents):
        open_ = np.where(pieces.boundary < 0, which[pieces.cell], -1)
        pieces = _on_roads(pieces, open_, extents)
    pieces = _beside_axes(pieces, roads)
    order = np.argsort(pieces.cell, kind="stable")
    return _taken(pieces, pieces.shape[order], order)


def _objects(values: list[Any]) -> Shapes:
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result


def _rounds(cells: Shapes, others: Shapes) -> Iterator[Rows]:
    """Yield for each cell the position of its first, second … other shape that touches it, else -1."""
    if not len(others):
        return
    cell, other = shapely.STRtree(others).query(cells, predicate="intersects")
    order = np.lexsort((other, cell))
    cell, other = cell[order], other[order]
    nth = np.arange(len(cell)) - np.searchsorted(cell, cell)
    for depth in range(int(nth.max(initial=-1)) + 1):
        which = np.full(len(cells), -1, dtype=np.intp)
        which[cell[nth == depth]] = other[nth == depth]
        yield which


def _taken(pieces: Pieces, shapes: Shapes, source: Rows) -> Pieces:
    """Return new shapes with what is known of the pieces that they come from."""
    return Pieces(
        shape=shapes,
        cell=pieces.cell[source],
        held=[pieces.held[number] for number in source.tolist()],
        boundary=pieces.boundary[source],
        side=pieces.side[source],
    )


def _cut(pieces: Pieces, which: Rows, others: Shapes) -> tuple[Pieces, NDArray[np.bool_]]:
    """Cut each piece by one of the others, -1: by none; tell which of the new pieces lie inside."""
    here, rest = np.flatnonzero(which >= 0), np.flatnonzero(which < 0)
    shapes = pieces.shape[here]
    cutters = _clipped(others[which[here]], shapes)
    inside, of_inside = _polygons(shapely.intersection(shapes, cutters))
    outside, of_outside = _polygons(shapely.difference(shapes, cutters))
    source = np.concatenate([rest, here[of_inside], here[of_outside]])
    is_inside = np.zeros(len(source), dtype=bool)
    is_inside[len(rest) : len(rest) + len(inside)] = True
    new = np.concatenate([pieces.shape[rest], inside, outside])
    return _taken(pieces, new, source), is_inside


def _clipped(shapes: Shapes, frames: Shapes) -> Shapes:
    """Return of each shape what lies about the frame: long roads are cut by what is near alone."""
    bounds = shapely.bounds(frames) + np.array([-1.0, -1.0, 1.0, 1.0]) * _MARGIN_M
    clipped = _objects(
        [shapely.clip_by_rect(shape, *rect) for shape, rect in zip(shapes, bounds, strict=True)]
    )
    return np.where(shapely.is_valid(clipped), clipped, shapes)


def _polygons(shapes: Shapes) -> tuple[Shapes, Rows]:
    """Return the polygons among the parts of shapes, and the shape that each comes from."""
    parts, source = shapely.get_parts(shapes, return_index=True)
    nested, again = shapely.get_parts(parts, return_index=True)
    keep = shapely.area(nested) > _LEAST_M2
    return nested[keep], source[again][keep]


def _in_areas(pieces: Pieces, which: Rows, areas: Shapes) -> Pieces:
    held = [(*held, area) for held, area in zip(pieces.held, which.tolist(), strict=True)]
    tagged = replace(pieces, held=held)
    cut, is_inside = _cut(tagged, which, areas)
    return replace(
        cut,
        held=[
            held if inside else held[:-1] for held, inside in zip(cut.held, is_inside, strict=True)
        ],
    )


def _on_roads(pieces: Pieces, which: Rows, extents: Shapes) -> Pieces:
    boundary = np.where(which >= 0, which, pieces.boundary).astype(np.int32)
    tagged = replace(pieces, boundary=boundary)
    cut, is_inside = _cut(tagged, which, extents)
    # Pieces that were not cut keep their road; of those that were, only the inner ones have it.
    was_cut = np.ones(len(is_inside), dtype=bool)
    was_cut[: int((which < 0).sum())] = False
    boundary = np.where(was_cut & ~is_inside, -1, cut.boundary).astype(np.int32)
    return replace(cut, boundary=boundary)


def _beside_axes(pieces: Pieces, roads: list[BoundaryRoad]) -> Pieces:
    firsts = _objects([_first_side(road) for road in roads])
    by_axis = np.array([first is not None for first in firsts] + [False], dtype=bool)
    which = np.where(by_axis[pieces.boundary], pieces.boundary, -1)
    cut, is_first = _cut(pieces, which, firsts)
    side = np.full(len(is_first), NOBODY, dtype=np.int8)
    first = int((which < 0).sum())
    side[first:] = np.where(is_first[first:], FIRST, SECOND)
    return replace(cut, side=side)


def _first_side(road: BoundaryRoad) -> Any:
    """Return the part of a road on the first side of its axis; None: it is not shared by sides."""
    if not (road.is_whole and road.sharing == "side"):
        return None
    halves, _ = _polygons(_objects([road.shape]))
    reach_m = float(shapely.length(shapely.envelope(road.shape).exterior))
    for line in shapely.get_parts(shapely.line_merge(road.axis)):
        cutter = _prolonged(line, by_m=reach_m)
        halves, _ = _polygons(_objects([split(half, cutter) for half in halves]))
    points = shapely.point_on_surface(halves)
    is_first = offset(road.axis, shapely.get_x(points), shapely.get_y(points)) >= 0.0
    return shapely.union_all(halves[is_first])


def _prolonged(line: Any, *, by_m: float) -> Any:
    """Return a line with both its ends drawn on straight."""
    points = shapely.get_coordinates(line)
    ends = []
    for end, before in ((points[0], points[1]), (points[-1], points[-2])):
        along = end - before
        ends.append(end + along * (by_m / max(float(np.hypot(*along)), 1e-9)))
    return shapely.LineString([ends[0], *points, ends[1]])
