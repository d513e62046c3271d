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
_RINGS = 16
"""Rings of tiles that are searched for the nearest cell before all blocks are looked at."""
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


@_inline
def _border(x: float, y: float, cell: int, outlines: Any, boxes: Any) -> float:
    """As `to_border`, within its caller: a call would count every array anew."""
    vertices, first_ring, rings = outlines[0], outlines[1], outlines[2]
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
    metres: float = _border(x, y, cell, outlines, boxes)
    return metres


@_compile
def to_borders(x: Any, y: Any, cells: Any, outlines: Any, boxes: Any, result: Any) -> None:
    """Put the distance of each point to the border of its cell into `result`, m; nan for cell -1."""
    for point in range(len(x)):
        result[point] = np.nan
        if cells[point] >= 0 and np.isfinite(x[point]) and np.isfinite(y[point]):
            result[point] = to_border(x[point], y[point], cells[point], outlines, boxes)


@_compile
def named(value: int, words: Any, number: int) -> int:
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
def told_of(column: int, row: int, tiling: Any) -> int:
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
def to_square(x: float, y: float, frame: Any, where: Any, square: int) -> float:
    """Return the square of the distance of a point to a square of a tile, rather too small, m²."""
    column, row, side = where
    width = frame[2] / side
    # Squares are found with rounding: what may lie a hair beyond its square must not be missed.
    hair = 1e-6 * width
    west = frame[0] + column * frame[2] + (square % side) * width - hair
    south = frame[1] + row * frame[2] + (square // side) * width - hair
    end_x, end_y = west + width + 2.0 * hair, south + width + 2.0 * hair
    return _to_box(x, y, west, south, end_x, end_y) * (1.0 - 1e-9)


@_inline
def _is_new(cell: int, seen: Any, measured: int) -> bool:
    """Tell whether a cell is none of those measured last."""
    is_new = True
    for place in range(min(measured, _SEEN)):
        is_new = is_new and seen[place] != cell
    return is_new


@_inline
def _nearest_in_tile(
    x: float, y: float, where: Any, tiling: Any, boxes: Any, seen: Any, known: Any
) -> Any:
    """Return the nearest cell so far, its distance, and how many cells were measured."""
    rank, least, measured = known
    frame, squares, words = tiling[0], tiling[4], tiling[5]
    outlines = (tiling[6], tiling[7], tiling[8])
    column, row, told = where
    side, first = told & (SIDES - 1), told >> SIDE_BITS
    width = frame[2] / side
    rows = strips(y - frame[1] - row * frame[2], least, width, side)
    columns = strips(x - frame[0] - column * frame[2], least, width, side)
    hair = 1e-6 * width
    for line in range(rows[0], rows[1]):
        south = frame[1] + row * frame[2] + line * width - hair
        up = max(south - y, y - (south + width + 2.0 * hair), 0.0)
        for place in range(columns[0], columns[1]):
            west = frame[0] + column * frame[2] + place * width - hair
            across = max(west - x, x - (west + width + 2.0 * hair), 0.0)
            # As `to_square` says it, without its divisions: far points come by many squares.
            if (across * across + up * up) * (1.0 - 1e-9) > least * least:
                continue
            value = int(squares[first + line * side + place])
            number = 0
            cell = named(value, words, number) if value != -1 else -1
            while cell >= 0:
                if _is_new(cell, seen, measured):
                    seen[measured % _SEEN] = cell
                    measured += 1
                    metres = _border(x, y, cell, outlines, boxes)
                    if metres < least or (metres == least and cell < rank):
                        rank, least = cell, metres
                number += 1
                cell = named(value, words, number)
    return rank, least, measured


@_compile
def nearest(
    x: float, y: float, tiling: Any, boxes: Any, seen: Any, guess: int
) -> tuple[int, float]:
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
    guess : int
        A cell that may be near, such as that of a point near by, which is looked at first; -1: none.

    Returns
    -------
    tuple
        Place of the cell, or -1 and nan where there is none.
    """
    frame, shape = tiling[0], tiling[1]
    columns, rows, width = int(shape[0]), int(shape[1]), frame[2]
    whole = _to_box(x, y, frame[0], frame[1], frame[0] + columns * width, frame[1] + rows * width)
    if whole > (_RINGS * width) ** 2:
        return _nearest_far(x, y, tiling, boxes, seen, guess)
    middle_x = int(min(max((x - frame[0]) * frame[3], 0.0), columns - 1.0))
    middle_y = int(min(max((y - frame[1]) * frame[3], 0.0), rows - 1.0))
    known = (-1, np.inf, 0)
    for ring in range(_RINGS + 1):
        # Rounding may put a point one tile beside its own.
        if ring >= 2 and (ring - 2) * width > known[1]:
            return known[0], known[1]
        for row in range(max(0, middle_y - ring), min(rows, middle_y + ring + 1)):
            is_end = abs(row - middle_y) == ring
            step = 1 if is_end else 2 * ring
            for column in range(middle_x - ring, middle_x + ring + 1, step):
                # A call copies the description of each array: most tiles need none.
                if to_square(x, y, frame, (column, row, 1), 0) > known[1] * known[1]:
                    continue
                told = told_of(column, row, tiling)
                if told >= 0:
                    known = _nearest_in_tile(x, y, (column, row, told), tiling, boxes, seen, known)
    return _nearest_far(x, y, tiling, boxes, seen, guess)


@_compile
def _nearest_far(
    x: float, y: float, tiling: Any, boxes: Any, seen: Any, guess: int
) -> tuple[int, float]:
    """Return the nearest cell however far: one near cell bounds all others, block by block, tile by tile."""
    frame, shape, blocks = tiling[0], tiling[1], tiling[2]
    width, wide = frame[2], max(int(shape[2]), 1)
    west, south, size = frame[0], frame[1], BLOCK * width
    block, far = _nearest_block(x - west, y - south, blocks, wide, size)
    if block < 0:  # no cell at all, or squares of such distances are no numbers
        return -1, np.nan
    known = (-1, np.inf, 0)
    metres = np.inf
    if guess >= 0:
        metres = to_border(x, y, guess, (tiling[6], tiling[7], tiling[8]), boxes)
    if metres * metres <= far:
        seen[0] = guess
        known = (guess, metres, 1)
    else:
        best = _near_tile(x, y, block, tiling)
        if best[2] == 0:
            return -1, np.nan
        known = _nearest_in_tile(x, y, best, tiling, boxes, seen, known)
    for line in range(len(blocks) // wide):
        from_south = y - south - line * size
        for place in range(wide):
            block = line * wide + place
            square = _to_box(x - west - place * size, from_south, 0.0, 0.0, size, size)
            if square * (1.0 - 1e-6) <= known[1] * known[1] and blocks[block] >= 0:
                known = _nearest_in_block(x, y, block, tiling, boxes, seen, known)
    return (known[0], known[1]) if known[0] >= 0 else (-1, np.nan)


@_compile
def _near_tile(x: float, y: float, block: int, tiling: Any) -> tuple[int, int, int]:
    """Return the tile of a block with cells whose farthest corner is nearest; its last number is 0: none."""
    # Taken out of the tuple once: in a loop each would be counted anew for every tile.
    frame, shape, blocks, tiles, squares = tiling[0], tiling[1], tiling[2], tiling[3], tiling[4]
    width, wide = frame[2], max(int(shape[2]), 1)
    column, row = block % wide * BLOCK, block // wide * BLOCK
    from_west, from_south = x - frame[0] - column * width, y - frame[1] - row * width
    first = int(blocks[block]) << (2 * BLOCK_BITS)
    across, up = min(BLOCK, int(shape[0]) - column), min(BLOCK, int(shape[1]) - row)
    least, best = np.inf, (0, 0, 0)
    for line in range(up):
        for place in range(across):
            far = _to_far_end(from_west - place * width, from_south - line * width, width)
            if far < least:
                told = int(tiles[first + (line << BLOCK_BITS) + place])
                if not _is_bare(told, squares):
                    least, best = far, (column + place, row + line, told)
    return best


@_compile
def _nearest_in_block(
    x: float, y: float, block: int, tiling: Any, boxes: Any, seen: Any, known: Any
) -> Any:
    """Return the nearest cell so far, its distance, and how many cells were measured."""
    frame, shape, blocks, tiles, squares = tiling[0], tiling[1], tiling[2], tiling[3], tiling[4]
    width, wide = frame[2], max(int(shape[2]), 1)
    column, row = block % wide * BLOCK, block // wide * BLOCK
    from_west, from_south = x - frame[0] - column * width, y - frame[1] - row * width
    first = int(blocks[block]) << (2 * BLOCK_BITS)
    rows = strips(from_south, known[1], width, min(BLOCK, int(shape[1]) - row))
    columns = strips(from_west, known[1], width, min(BLOCK, int(shape[0]) - column))
    hair = 1e-6 * width
    for line in range(rows[0], rows[1]):
        south = from_south - line * width
        up = max(-hair - south, south - width - hair, 0.0)
        for place in range(columns[0], columns[1]):
            west = from_west - place * width
            across = max(-hair - west, west - width - hair, 0.0)
            if (across * across + up * up) * (1.0 - 1e-9) > known[1] * known[1]:
                continue
            told = int(tiles[first + (line << BLOCK_BITS) + place])
            if not _is_bare(told, squares):
                tile = (column + place, row + line, told)
                known = _nearest_in_tile(x, y, tile, tiling, boxes, seen, known)
    return known


@_inline
def _is_bare(told: int, squares: Any) -> bool:
    """Tell whether a tile has no cell by what is told of it."""
    return told < 0 or (told & (SIDES - 1) == 1 and squares[told >> SIDE_BITS] == -1)


@_inline
def strips(offset: float, least: float, size: float, count: int) -> tuple[int, int]:
    """Return the first strip that comes within a distance, and past the last."""
    first = int(max(0.0, np.floor((offset - least) / size - 1e-3)))
    last = int(min(count - 1.0, np.floor((offset + least) / size + 1e-3)))
    return first, last + 1


@_inline
def _to_far_end(dx: float, dy: float, size: float) -> float:
    """Return the square of the distance to the farthest corner of a square, rather too large, m²."""
    far_x, far_y = max(abs(dx), abs(dx - size)), max(abs(dy), abs(dy - size))
    return (far_x * far_x + far_y * far_y) * (1.0 + 1e-6)


@_compile
def _nearest_block(dx: float, dy: float, blocks: Any, wide: int, size: float) -> tuple[int, float]:
    """Return the block whose farthest corner is nearest, -1: there is none; and that square, m²."""
    least, best = np.inf, -1
    for line in range(len(blocks) // wide):
        for place in range(wide):
            far = _to_far_end(dx - place * size, dy - line * size, size)
            if far < least and blocks[line * wide + place] >= 0:
                least, best = far, line * wide + place
    return best, least
