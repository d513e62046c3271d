"""Distances between points and cells of a tiling, in compiled code: to a border, to the nearest cell.

A distance is that of GEOS (``Distance::pointToSegment``), formed by the same operations.
"""

from typing import Any

import numba
import numpy as np

from gis.packing import WIDE
from gis.tiling import BLOCK, BLOCK_BITS, SIDE_BITS, SIDES

RUN = 32
"""Vertices that share a box."""
LONG = 256
"""Cells of more vertices than this are measured box by box."""
_RINGS = 32
"""Rings of tiles that are searched for the nearest cell before a tree is asked."""
_SEEN = 64

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")
_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")


@_compile
def boxes_of(vertices: Any) -> Any:
    """Return west, south, east, north of each run of vertices and the one that follows it."""
    boxes = np.empty(((len(vertices) + RUN - 1) // RUN, 4))
    for run in range(len(boxes)):
        stop = min(run * RUN + RUN + 1, len(vertices))
        boxes[run, 0] = boxes[run, 1] = np.inf
        boxes[run, 2] = boxes[run, 3] = -np.inf
        for vertex in range(run * RUN, stop):
            x, y = vertices[vertex, 0], vertices[vertex, 1]
            boxes[run, 0], boxes[run, 1] = min(boxes[run, 0], x), min(boxes[run, 1], y)
            boxes[run, 2], boxes[run, 3] = max(boxes[run, 2], x), max(boxes[run, 3], y)
    return boxes


@_inline
def _square_of_distance(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """Return the square of the distance of a point to a segment, m²."""
    ux, uy, vx, vy = bx - ax, by - ay, px - ax, py - ay
    along, length = vx * ux + vy * uy, ux * ux + uy * uy
    beside = vx * uy - vy * ux
    wx, wy = px - bx, py - by
    if along <= 0.0:
        square = vx * vx + vy * vy
    elif along >= length:
        square = wx * wx + wy * wy
    else:
        square = beside * beside / length
    return square


@_compile
def _to_segment(px: float, py: float, ax: float, ay: float, bx: float, by: float) -> float:
    """Return the distance of a point to a segment as GEOS does, operation by operation, m."""
    length = (bx - ax) * (bx - ax) + (by - ay) * (by - ay)
    if length == 0.0:
        return float(np.sqrt((px - ax) * (px - ax) + (py - ay) * (py - ay)))
    along = ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / length
    if along <= 0.0:
        return float(np.sqrt((px - ax) * (px - ax) + (py - ay) * (py - ay)))
    if along >= 1.0:
        return float(np.sqrt((px - bx) * (px - bx) + (py - by) * (py - by)))
    beside = ((ay - py) * (bx - ax) - (ax - px) * (by - ay)) / length
    return float(abs(beside) * np.sqrt(length))


@_inline
def _to_box(x: float, y: float, west: float, south: float, east: float, north: float) -> float:
    """Return the square of the distance of a point to a box, m²."""
    dx, dy = max(west - x, x - east, 0.0), max(south - y, y - north, 0.0)
    return dx * dx + dy * dy


@_compile
def to_border(x: float, y: float, cell: int, outlines: Any, boxes: Any) -> float:
    """Return the distance of a point to the border of a cell, m; nan for a cell without border.

    Parameters
    ----------
    x, y : float
        East and north in the CRS of the cells, m.
    cell : int
        Place of the cell in the order in which the tiling was laid.
    outlines : tuple
        ``vertices``, ``first_ring`` and ``rings`` of the tiling.
    boxes : numpy.ndarray
        What `boxes_of` gave; may be empty when no cell has more than `LONG` vertices.
    """
    vertices, first_ring, rings = outlines
    least, metres = np.inf, np.inf
    for ring in range(first_ring[cell], first_ring[cell + 1]):
        start, stop = int(rings[ring]), int(rings[ring + 1]) - 1
        is_long = stop - start > LONG
        vertex = start
        while vertex < stop:
            end = stop
            if is_long:
                run = vertex // RUN
                end = min(stop, (run + 1) * RUN)
                box = _to_box(x, y, boxes[run, 0], boxes[run, 1], boxes[run, 2], boxes[run, 3])
                # A box is exact, a distance may be rounded down: a hair of room.
                if box > least * (1.0 + 1e-9):
                    vertex = end
                    continue
            for edge in range(vertex, end):
                ax, ay = vertices[edge, 0], vertices[edge, 1]
                bx, by = vertices[edge + 1, 0], vertices[edge + 1, 1]
                square = _square_of_distance(x, y, ax, ay, bx, by)
                # Squares find the edge soon; among those that rounding can not part GEOS's way decides.
                if square <= least * (1.0 + 1e-12):
                    least = min(least, square)
                    metres = min(metres, _to_segment(x, y, ax, ay, bx, by))
            vertex = end
    return metres if metres < np.inf else np.nan


@_compile
def to_borders(x: Any, y: Any, cells: Any, outlines: Any, boxes: Any, result: Any) -> None:
    """Put the distance of each point to the border of its cell into `result`, m; nan for cell -1."""
    for point in range(len(x)):
        result[point] = np.nan
        if cells[point] >= 0 and np.isfinite(x[point]) and np.isfinite(y[point]):
            result[point] = to_border(x[point], y[point], cells[point], outlines, boxes)


@_compile
def _named(value: int, words: Any, number: int) -> int:
    """Return the cell of a part of a square by its value; -1 past the last."""
    if value >= -1:
        return value if number == 0 else -1
    record = 2 * (-2 - value)
    head = int(words[record])
    is_wide = head & WIDE != 0
    count = int(words[record + 1]) if is_wide else (head >> 16) & 255
    if number >= count:
        return -1
    cells = record + 2 + count if is_wide else record + 1 + ((count + 3) >> 2)
    return int(words[cells + number]) >> 1


@_inline
def _told(column: int, row: int, tiling: Any) -> int:
    """Return what is told of a tile; -1 where nothing is."""
    shape = tiling[1]
    if not (0 <= column < shape[0] and 0 <= row < shape[1]):
        return -1
    block = int(tiling[2][(row >> BLOCK_BITS) * shape[2] + (column >> BLOCK_BITS)])
    if block < 0:
        return -1
    inner = ((row & (BLOCK - 1)) << BLOCK_BITS) + (column & (BLOCK - 1))
    return int(tiling[3][(block << (2 * BLOCK_BITS)) + inner])


@_inline
def _to_square(x: float, y: float, frame: Any, where: Any, square: int) -> float:
    """Return the square of the distance of a point to a square of a tile, rather too small, m²."""
    column, row, side = where
    width = frame[2] / side
    # Squares are found with rounding: what may lie a hair beyond its square must not be missed.
    hair = 1e-6 * width
    west = frame[0] + column * frame[2] + (square % side) * width - hair
    south = frame[1] + row * frame[2] + (square // side) * width - hair
    end_x, end_y = west + width + 2.0 * hair, south + width + 2.0 * hair
    return _to_box(x, y, west, south, end_x, end_y) * (1.0 - 1e-9)


@_compile
def _nearest_in_tile(
    x: float, y: float, where: Any, tiling: Any, boxes: Any, seen: Any, known: Any
) -> Any:
    """Return the nearest cell so far, its distance, and how many cells were measured."""
    rank, least, measured = known
    frame, words = tiling[0], tiling[5]
    column, row, told = where
    side, first = told & (SIDES - 1), told >> SIDE_BITS
    for square in range(side * side):
        value = int(tiling[4][first + square])
        if value == -1 or _to_square(x, y, frame, (column, row, side), square) > least * least:
            continue
        number = 0
        cell = _named(value, words, number)
        while cell >= 0:
            is_new = True
            for place in range(min(measured, _SEEN)):
                is_new = is_new and seen[place] != cell
            if is_new:
                seen[measured % _SEEN] = cell
                measured += 1
                metres = to_border(x, y, cell, (tiling[6], tiling[7], tiling[8]), boxes)
                if metres < least or (metres == least and cell < rank):
                    rank, least = cell, metres
            number += 1
            cell = _named(value, words, number)
    return rank, least, measured


@_compile
def nearest(x: float, y: float, tiling: Any, boxes: Any, seen: Any) -> tuple[int, float]:
    """Return the nearest cell to a point that none covers, the first of equals, and its distance, m.

    Parameters
    ----------
    x, y : float
        East and north in the CRS of the cells, m.
    tiling : tuple
        The arrays of a `gis.tiling.Tiling`, in their order.
    boxes : numpy.ndarray
        What `boxes_of` gave; may be empty when no cell has more than `LONG` vertices.
    seen : numpy.ndarray
        Room for 64 numbers.

    Returns
    -------
    tuple
        Place of the cell, or -1 where no cell is near: a tree finds it sooner.
    """
    frame, shape = tiling[0], tiling[1]
    columns, rows = int(shape[0]), int(shape[1])
    middle_x = int(min(max((x - frame[0]) * frame[3], 0.0), columns - 1.0))
    middle_y = int(min(max((y - frame[1]) * frame[3], 0.0), rows - 1.0))
    known = (-1, np.inf, 0)
    for ring in range(_RINGS + 1):
        # Rounding may put a point one tile beside its own.
        if ring >= 2 and (ring - 2) * frame[2] > known[1]:
            return known[0], known[1]
        for row in range(max(0, middle_y - ring), min(rows, middle_y + ring + 1)):
            is_end = abs(row - middle_y) == ring
            step = 1 if is_end else 2 * ring
            for column in range(middle_x - ring, middle_x + ring + 1, step):
                # A call copies the description of each array: most tiles need none.
                if _to_square(x, y, frame, (column, row, 1), 0) > known[1] * known[1]:
                    continue
                told = _told(column, row, tiling)
                if told >= 0:
                    known = _nearest_in_tile(x, y, (column, row, told), tiling, boxes, seen, known)
    is_whole = max(middle_x, columns - middle_x, middle_y, rows - middle_y) <= _RINGS
    return (known[0], known[1]) if is_whole else (-1, np.nan)


@_compile
def cells_within(x: float, y: float, reach: float, tiling: Any, boxes: Any, found: Any) -> int:
    """Put the cells that come within reach of a point into `found`, rising, and return how many.

    A cell that lies wholly under earlier ones there (overlaps) is left out: it holds no point.

    Parameters
    ----------
    x, y, reach : float
        East and north in the CRS of the cells, and how far from it, m.
    tiling, boxes : tuple, numpy.ndarray
        As `nearest` takes them.
    found : numpy.ndarray of int64
        Takes the places of the cells; when more are found than there is room for, what is returned is
        -1 and its content means nothing.
    """
    frame, shape = tiling[0], tiling[1]
    ends = (
        max(0.0, np.floor((x - reach - frame[0]) * frame[3] - 1e-6)),
        min(shape[0] - 1.0, np.floor((x + reach - frame[0]) * frame[3] + 1e-6)),
        max(0.0, np.floor((y - reach - frame[1]) * frame[3] - 1e-6)),
        min(shape[1] - 1.0, np.floor((y + reach - frame[1]) * frame[3] + 1e-6)),
    )
    count = 0
    for row in range(int(ends[2]), int(ends[3]) + 1):
        for column in range(int(ends[0]), int(ends[1]) + 1):
            told = _told(column, row, tiling)
            if told >= 0 and count >= 0:
                count = _gather((x, y, reach), (column, row, told), tiling, found, count)
    if count < 0:
        return -1
    near = found[:count]
    near.sort()
    kept = 0
    outlines = (tiling[6], tiling[7], tiling[8])
    for place in range(count):
        cell = near[place]
        if to_border(x, y, cell, outlines, boxes) <= reach or _holds(x, y, cell, outlines):
            found[kept] = cell
            kept += 1
    return kept


@_compile
def _gather(disc: Any, where: Any, tiling: Any, found: Any, count: int) -> int:
    """Add the cells of the squares of a tile that a disc reaches; -1: there is no room."""
    x, y, reach = disc
    column, row, told = where
    side, first = told & (SIDES - 1), told >> SIDE_BITS
    for square in range(side * side):
        value = int(tiling[4][first + square])
        far = _to_square(x, y, tiling[0], (column, row, side), square) > reach * reach
        if value == -1 or far:
            continue
        number = 0
        cell = _named(value, tiling[5], number)
        while cell >= 0 and count >= 0:
            count = _noted(cell, found, count)
            number += 1
            cell = _named(value, tiling[5], number)
        if count < 0:
            break
    return count


@_inline
def _noted(cell: int, found: Any, count: int) -> int:
    """Add a cell to a list unless it is there; -1: there is no room."""
    place = count - 1
    while place >= 0 and found[place] != cell:
        place -= 1
    if place < 0:
        if count == len(found):
            return -1
        found[count] = cell
        count += 1
    return count


@_compile
def _holds(x: float, y: float, cell: int, outlines: Any) -> bool:
    """Say whether a point off the border lies inside a cell, by a ray to the east."""
    vertices, first_ring, rings = outlines
    is_inside = False
    for ring in range(first_ring[cell], first_ring[cell + 1]):
        for edge in range(rings[ring], rings[ring + 1] - 1):
            ay, by = vertices[edge, 1], vertices[edge + 1, 1]
            if (ay > y) != (by > y):
                ax, bx = vertices[edge, 0], vertices[edge + 1, 0]
                is_inside ^= x < ax + (bx - ax) * ((y - ay) / (by - ay))
    return is_inside
