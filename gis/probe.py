"""Points looked up in a tiling, in compiled code: one look for most, the edges of one square for others."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from gis.fetching import fetch
from gis.orientation import turn
from gis.packing import BARE, HALF, IMPLIED, UNITS, WIDE, pole_of
from gis.tiling import BLOCK, BLOCK_BITS, SIDE_BITS, SIDES, Tiling

_AT_ONCE = 64
"""Points of a batch: what is fetched for four batches stays in the second cache, and has the time it needs."""
_UNDER_WAY = 4
"""Batches under way: while one is settled, the memory is on its way that the next three need."""
_COMMON = 8
"""Words of a common record before its edges, which only `_exact` reads."""

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")
# A call would copy every array's description: what runs once per point is inlined.
_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")


@_compile
def probe(  # noqa: C901 (one loop: a call for each step would copy every array's description)
    x: Any, y: Any, tiling: Any, rank: Any, on_boundary: Any
) -> None:
    """Find the first cell that covers each point; -1: none does, or the point is none.

    Parameters
    ----------
    x, y : numpy.ndarray of float64
        East and north in the CRS of the cells, m.
    tiling : tuple
        The arrays of a `gis.tiling.Tiling`, in their order.
    rank, on_boundary : numpy.ndarray
        Take the place of the cell in the order in which the tiling was laid, and whether the point
        lies exactly on the border of that cell.
    """
    frame, shape, blocks, tiles = tiling[0], tiling[1], tiling[2], tiling[3]
    squares, words = tiling[4], tiling[5]
    halves = words.view(np.int16)
    west, south, per_width = frame[0], frame[1], frame[3]
    columns, rows, wide = shape[0], shape[1], shape[2]
    places = np.empty((_UNDER_WAY, _AT_ONCE), dtype=np.int64)
    spots = np.empty((_UNDER_WAY, _AT_ONCE, 2), dtype=np.int32)
    crossed = np.empty((_UNDER_WAY, _AT_ONCE), dtype=np.int32)
    counts = np.zeros(_UNDER_WAY, dtype=np.int64)
    unsure = np.empty(_AT_ONCE, dtype=np.int64)
    batches = (len(x) + _AT_ONCE - 1) // _AT_ONCE
    for batch in range(batches + _UNDER_WAY - 1):
        # The tiles of this batch are fetched,
        at, start = batch % _UNDER_WAY, batch * _AT_ONCE
        for number in range(min(_AT_ONCE, len(x) - start)):
            across = (x[start + number] - west) * per_width
            up = (y[start + number] - south) * per_width
            slot = -1
            if 0.0 <= across < columns and 0.0 <= up < rows:
                slot = _slot(int(across), int(up), wide, blocks)
            places[at, number] = slot
            fetch(tiles, max(slot, 0))
        # the squares of the one before,
        if 0 < batch <= batches:
            at, start = (batch - 1) % _UNDER_WAY, (batch - 1) * _AT_ONCE
            for number in range(min(_AT_ONCE, len(x) - start)):
                slot = places[at, number]
                if slot >= 0:
                    told = tiles[slot]
                    side = told & (SIDES - 1)
                    across = (x[start + number] - west) * per_width
                    up = (y[start + number] - south) * per_width
                    inner_x, inner_y = (
                        (across - np.floor(across)) * side,
                        (up - np.floor(up)) * side,
                    )
                    column, row = min(int(inner_x), side - 1), min(int(inner_y), side - 1)
                    spots[at, number, 0] = int((inner_x - column) * UNITS) - HALF
                    spots[at, number, 1] = int((inner_y - row) * UNITS) - HALF
                    places[at, number] = (told >> SIDE_BITS) + row * side + column
            # (asked for in a loop of its own: the closer waits follow each other, the more are under way)
            for number in range(min(_AT_ONCE, len(x) - start)):
                fetch(squares, places[at, number])
        # the records of the one before that, where edges cross,
        if 1 < batch <= batches + 1:
            at, start = (batch - 2) % _UNDER_WAY, (batch - 2) * _AT_ONCE
            count = 0
            for number in range(min(_AT_ONCE, len(x) - start)):
                value = -1 if places[at, number] < 0 else int(squares[places[at, number]])
                rank[start + number] = value
                on_boundary[start + number] = False
                crossed[at, count] = number
                count += value < -1
            counts[at] = count
            for place in range(count):
                record = 2 * (-2 - rank[start + crossed[at, place]])
                fetch(words, record)
                fetch(words, record + _COMMON - 1)
        # and the one before that is settled.
        if batch > 2:
            at, start = (batch - 3) % _UNDER_WAY, (batch - 3) * _AT_ONCE
            count = 0
            for place in range(counts[at]):
                number = crossed[at, place]
                record = 2 * (-2 - rank[start + number])
                head, found = words[record], -2
                if head & (BARE | WIDE) == 0:
                    spot_x, spot_y = int(spots[at, number, 0]), int(spots[at, number, 1])
                    found = _sketched(spot_x, spot_y, words, halves, record, head)
                if found >= -1:
                    rank[start + number] = found
                else:
                    unsure[count] = start + number
                    count += 1
            if count:
                _decide(x, y, tiling, unsure[:count], rank, on_boundary)


@_compile
def _decide(x: Any, y: Any, tiling: Any, points: Any, rank: Any, on_boundary: Any) -> None:
    """Find the cell of the points that lie too near a border for a sketch."""
    words = tiling[5]
    for point in points:
        record = 2 * (-2 - rank[point])
        pole = _pole(x[point], y[point], tiling, words[record])
        rank[point], on_boundary[point] = _exact(x[point], y[point], pole, words, tiling[6], record)


@_compile
def find_one(x: float, y: float, tiling: Any) -> tuple[int, bool]:
    """Find the first cell that covers one point, or -1, and say whether it lies on its border."""
    frame, shape, words = tiling[0], tiling[1], tiling[5]
    across, up = (x - frame[0]) * frame[3], (y - frame[1]) * frame[3]
    if not (0.0 <= across < shape[0] and 0.0 <= up < shape[1]):
        return -1, False
    slot = _slot(int(across), int(up), shape[2], tiling[2])
    if slot < 0:
        return -1, False
    told = tiling[3][slot]
    side = told & (SIDES - 1)
    inner_x, inner_y = (across - np.floor(across)) * side, (up - np.floor(up)) * side
    column, row = min(int(inner_x), side - 1), min(int(inner_y), side - 1)
    value = int(tiling[4][(told >> SIDE_BITS) + row * side + column])
    if value >= -1:
        return value, False
    record = 2 * (-2 - value)
    head = words[record]
    if head & (BARE | WIDE) == 0:
        spot_x = int((inner_x - column) * UNITS) - HALF
        spot_y = int((inner_y - row) * UNITS) - HALF
        value = _sketched(spot_x, spot_y, words, words.view(np.int16), record, head)
        if value >= -1:
            return value, False
    where = (int(across), int(up), side)
    pole = pole_of(frame, where, row * side + column, head & 0xFFFF)
    return _exact(x, y, pole, words, tiling[6], record)


@_inline
def _slot(column: int, row: int, wide: int, blocks: Any) -> int:
    """Return the place of a tile; -1 where nothing is."""
    block = int(blocks[(row >> BLOCK_BITS) * wide + (column >> BLOCK_BITS)])
    inner = ((row & (BLOCK - 1)) << BLOCK_BITS) + (column & (BLOCK - 1))
    return (block << (2 * BLOCK_BITS)) + inner if block >= 0 else -1


@_compile
def _pole(x: float, y: float, tiling: Any, head: int) -> tuple[float, float]:
    """Return the pole of the square of a point."""
    frame = tiling[0]
    across, up = (x - frame[0]) * frame[3], (y - frame[1]) * frame[3]
    told = tiling[3][_slot(int(across), int(up), tiling[1][2], tiling[2])]
    side = told & (SIDES - 1)
    column = min(int((across - np.floor(across)) * side), side - 1)
    row = min(int((up - np.floor(up)) * side), side - 1)
    where = (int(across), int(up), side)
    east, north = pole_of(frame, where, row * side + column, head & 0xFFFF)
    return east, north


@_inline
def _sketched(qx: int, qy: int, words: Any, halves: Any, record: int, head: int) -> int:
    """Return the cell of a point by the sketch; -1: none; -2: too near a border to tell."""
    count = (int(head) >> 16) & 255
    pole_x = (int(head) & 255) * 240 + (120 - HALF)
    pole_y = ((int(head) >> 8) & 255) * 240 + (120 - HALF)
    dx, dy = qx - pole_x, qy - pole_y
    about = abs(dx) + abs(dy) + 4
    cells = record + 1 + ((count + 3) >> 2)
    last = count - 1
    edge = 2 * (cells + count)
    begin = 0
    found = -1
    if head & IMPLIED:
        found = words[cells + last] >> 1
        count = last
    for part in range(count):
        end = _end(words, record + 1, part)
        cell = words[cells + part]
        is_inside = cell & 1
        for _ in range(begin, end):
            ax, ay = halves[edge] - pole_x, halves[edge + 1] - pole_y
            bx, by = halves[edge + 2] - pole_x, halves[edge + 3] - pole_y
            edge += 4
            side_a, side_b = dx * ay - dy * ax, dx * by - dy * bx
            # Each number is off by at most one step: twice the first-order bound of the determinants.
            if abs(side_a) <= 2 * (about + abs(ax) + abs(ay)) or (
                abs(side_b) <= 2 * (about + abs(bx) + abs(by))
            ):
                return -2
            if (side_a > 0) != (side_b > 0):
                ux, uy, vx, vy = bx - ax, by - ay, dx - ax, dy - ay
                here = ux * vy - uy * vx
                if abs(here) <= 4 * (abs(ux) + abs(uy) + abs(vx) + abs(vy) + 4):
                    return -2
                # The pole lies on the left: a point on the right is beyond the edge.
                is_inside ^= here < 0
        begin = end
        if is_inside:
            found = cell >> 1
            break
    return found


@_inline
def _end(words: Any, first: int, part: int) -> int:
    """Return the end of the edges of a part of a record that is not wide."""
    return (int(words[first + (part >> 2)]) >> (8 * (part & 3))) & 255


@_compile
def _exact(
    east: float, north: float, pole: Any, words: Any, vertices: Any, record: int
) -> tuple[int, bool]:
    """Return the first cell of a record that covers a point, by the vertices themselves."""
    pole_x, pole_y = pole
    head = words[record]
    is_wide = head & WIDE != 0
    count = words[record + 1] if is_wide else (head >> 16) & 255
    ends = record + 2 if is_wide else record + 1
    cells = ends + (count if is_wide else (count + 3) // 4)
    used = words[ends + count - 1] if is_wide else _end(words, ends, count - 1)
    edges = cells + count + (0 if head & BARE else 2 * used)
    is_implied = head & IMPLIED != 0
    begin = 0
    for part in range(count):
        cell = words[cells + part]
        if is_implied and part == count - 1:
            return cell >> 1, False
        end = words[ends + part] if is_wide else _end(words, ends, part)
        is_inside = cell & 1 == 1
        for number in range(begin, end):
            edge = words[edges + number]
            at = edge >> 1
            ax, ay = vertices[at, 0], vertices[at, 1]
            bx, by = vertices[at + 1, 0], vertices[at + 1, 1]
            here = turn(ax, ay, bx, by, east, north)
            if here == 0 and _spans(ax, bx, east) and _spans(ay, by, north):
                return cell >> 1, True
            # Nothing lies between when point and pole are on one side of the edge's line.
            if (here > 0) != (edge & 1 == 1):
                side_a = turn(east, north, pole_x, pole_y, ax, ay) >= 0
                side_b = turn(east, north, pole_x, pole_y, bx, by) >= 0
                is_inside ^= side_a != side_b
        begin = end
        if is_inside:
            return cell >> 1, False
    return -1, False


@_inline
def _spans(first: float, second: float, value: float) -> bool:
    return min(first, second) <= value <= max(first, second)


def find(
    x: NDArray[np.float64], y: NDArray[np.float64], tiling: Tiling
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return for each point the first cell that covers it, or -1, and whether it lies on its border.

    Examples
    --------
    >>> from gis.laying import lay_tiles
    >>> import shapely
    >>> made = lay_tiles(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> rank, border = find(np.array([5.0, 10.0, 12.0, 30.0]), np.array([5.0, 5.0, 5.0, 5.0]), made)
    >>> rank.tolist(), border.tolist()
    ([0, 0, 1, -1], [False, True, False, False])
    """
    rank = np.empty(len(x), dtype=np.intp)
    on_boundary = np.empty(len(x), dtype=np.bool_)
    probe(x, y, tuple(vars(tiling).values()), rank, on_boundary)
    return rank, on_boundary
