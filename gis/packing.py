"""Records of squares that edges cross: what lies near, drawn small enough to be read at one go.

A record is a run of 32-bit words in one array, so that a look-up waits for memory once::

    head      bits 0-15 mark of the pole (256ths of the square, east and north), 16-23 number of parts,
              24 the last part is implied, 25 no sketch, 26 wide
    [parts]   only when wide: the number of parts
    ends      end of the edges of each part: a byte each, four a word; when wide, a word each
    cells     cell of each part times 2, plus 1 when the pole lies inside
    sketch    two words an edge: its part near the square in 61,440ths of the square, 16 bits a number, so
              directed that the pole lies on its left
    edges     a word an edge: first vertex times 2, plus 1 when the pole lies on its left

The sketch decides all but the points that lie within a few 61,440ths of a border; those are decided
by the vertices themselves (`gis.probe`). The last part is implied where the parts leave neither gap
nor overlap: each edge is there twice, and so who lies in no other part lies in the last.
"""

from typing import Any

import numba
import numpy as np

UNITS = 61_440.0
"""Steps of a sketch across a square; 16 bits reach a thirtieth of a square beyond it."""
HALF = 30_720
IMPLIED, BARE, WIDE = 1 << 24, 1 << 25, 1 << 26
_BEYOND = 32_000.0 / UNITS
_MOST_PAIRED = 96
_ROUGHEST = 1.0 / 64.0
"""Rounding of coordinates, in steps of a sketch, up to which a sketch is worth having."""

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")
_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")


@_compile
def pole_of(frame: Any, where: Any, square: int, mark: int) -> tuple[float, float]:
    """Return the pole of a square, always to the same bits.

    Parameters
    ----------
    frame : numpy.ndarray
        West, south, width of a tile, 1 / width.
    where : tuple
        Column and row of the tile, squares per side.
    square, mark : int
        Number of the square in its tile, row by row; mark of its pole.
    """
    column, row, side = where
    width = frame[2] / side
    share_x = (mark % 256 + 0.5) / 256.0
    share_y = (mark // 256 + 0.5) / 256.0
    east = frame[0] + column * frame[2] + (square % side + share_x) * width
    north = frame[1] + row * frame[2] + (square // side + share_y) * width
    return east, north


@_compile
def most_words(found: Any) -> int:
    """Return how many words the records of a tile take at most; `found` as :func:`pack` has it."""
    _, marks, _, parts, _, edges = found
    return 8 * len(marks) + 2 * len(parts) + 3 * len(edges)


@_compile
def pack(ground: Any, where: Any, found: Any, values: Any, records: Any) -> int:
    """Write the records of one tile; its values below -1 become -2 - place of the record, in pairs of words.

    Parameters
    ----------
    ground, where : tuple
        As `gis.cutting` has them.
    found : tuple
        Values of the squares, mark of the pole of each crossed square, end of its parts, parts, end of
        the edges of each part, edges.
    values : numpy.ndarray
        Values of the squares, changed in place.
    records : tuple
        Words to write to, with room for :func:`most_words`; how many words there are before them; the
        first free one. What is then the first free one is returned.
    """
    _, marks, ends_of_parts, parts, ends_of_edges, edges = found
    words, before = records[0], records[1]
    end: int = records[2]
    for square in range(len(values)):
        if values[square] > -2:
            continue
        crossed = -2 - values[square]
        first = ends_of_parts[crossed - 1] if crossed else 0
        begin = ends_of_edges[first - 1] if first else 0
        own_parts = parts[first : ends_of_parts[crossed]]
        own_ends = ends_of_edges[first : ends_of_parts[crossed]] - begin
        own_edges = edges[begin : begin + own_ends[-1]]
        values[square] = -2 - (before + end) // 2
        place = (where[0], where[1], where[2], square)
        end = _write(ground, place, marks[crossed], (own_parts, own_ends, own_edges), words, end)
    return end


@_compile
def _write(ground: Any, place: Any, mark: int, lists: Any, words: Any, end: int) -> int:
    """Write one record and return where the next may start: at an even word."""
    vertices, frame, shape = ground[0], ground[2], ground[3]
    parts, ends, edges = lists
    count = len(parts)
    is_implied = _is_complete(vertices, parts, edges)
    used = ends[count - 2] if is_implied else ends[count - 1]
    is_wide = count > 255 or used > 255
    head = mark | (0 if is_wide else count << 16) | (IMPLIED if is_implied else 0)
    is_bare = _is_bare(frame, shape, place[2])
    words[end] = head | (BARE if is_bare else 0) | (WIDE if is_wide else 0)
    end += 1
    if is_wide:
        words[end] = count
        words[end + 1 : end + 1 + count] = np.minimum(ends, used)
        end += 1 + count
    else:
        for word in range((count + 3) // 4):
            packed = 0
            for part in range(4 * word, min(count, 4 * word + 4)):
                packed |= min(ends[part], used) << (8 * (part % 4))
            words[end + word] = np.int32(np.uint32(packed))
        end += (count + 3) // 4
    words[end : end + count] = parts
    end += count
    for edge in range(used):
        if not is_bare:
            is_left = edges[edge] % 2
            head = edges[edge] // 2 + (1 - is_left)
            tail = edges[edge] // 2 + is_left
            _sketch(vertices[head], vertices[tail], frame, place, words[end : end + 2])
            end += 2
    words[end : end + used] = edges[:used]
    end += used
    if end % 2:
        words[end] = 0
        end += 1
    return end


@_compile
def _is_bare(frame: Any, shape: Any, side: int) -> bool:
    """Say whether a square is so small beside its coordinates that a sketch would be rounding alone."""
    reach = max(abs(frame[0]) + shape[0] * frame[2], abs(frame[1]) + shape[1] * frame[2])
    step = frame[2] / side / UNITS
    rounding: float = 16.0 * 2.220446049250313e-16 * reach
    return not rounding < _ROUGHEST * step


@_compile
def _is_complete(vertices: Any, parts: Any, edges: Any) -> bool:
    """Say whether each point that lies on no edge lies in an odd number of the parts."""
    if len(parts) < 2 or len(edges) > _MOST_PAIRED:
        return False
    holding = 0
    for part in parts:
        holding += part % 2
    if holding % 2 == 0:
        return False
    for edge in range(len(edges)):
        same = 0
        for other in range(len(edges)):
            same += _is_same(vertices, edges[edge] // 2, edges[other] // 2)
        if same % 2:
            return False
    return True


@_inline
def _is_same(vertices: Any, first: int, second: int) -> bool:
    """Say whether two edges have the same ends."""
    ax, ay, bx, by = (
        vertices[first, 0], vertices[first, 1], vertices[first + 1, 0], vertices[first + 1, 1],
    )  # fmt: skip
    cx, cy, dx, dy = (
        vertices[second, 0], vertices[second, 1], vertices[second + 1, 0], vertices[second + 1, 1],
    )  # fmt: skip
    is_along: bool = ax == cx and ay == cy and bx == dx and by == dy
    is_back: bool = ax == dx and ay == dy and bx == cx and by == cy
    return is_along or is_back


@_compile
def _sketch(a: Any, b: Any, frame: Any, place: Any, words: Any) -> None:
    """Write the part of an edge near a square, in steps from its middle; a far edge becomes a far point."""
    column, row, side, square = place
    width = frame[2] / side
    middle_x = frame[0] + column * frame[2] + (square % side + 0.5) * width
    middle_y = frame[1] + row * frame[2] + (square // side + 0.5) * width
    ax, ay = (a[0] - middle_x) / width, (a[1] - middle_y) / width
    bx, by = (b[0] - middle_x) / width, (b[1] - middle_y) / width
    low, high = 0.0, 1.0
    for start, step in ((ax, bx - ax), (ay, by - ay)):
        if step == 0.0:
            if abs(start) > _BEYOND:
                low = 2.0
        else:
            one, other = (-_BEYOND - start) / step, (_BEYOND - start) / step
            low, high = max(low, min(one, other)), min(high, max(one, other))
    if low > high:
        ax = ay = bx = by = _BEYOND
    else:
        step_x, step_y = bx - ax, by - ay
        if high < 1.0:
            bx, by = ax + high * step_x, ay + high * step_y
        if low > 0.0:
            ax, ay = ax + low * step_x, ay + low * step_y
    words[0] = _pair(ax, ay)
    words[1] = _pair(bx, by)


@_compile
def _pair(x: float, y: float) -> np.int32:
    """Return two shares of a square as two 16-bit numbers of steps in one word."""
    low = int(np.floor(x * UNITS + 0.5)) & 0xFFFF
    high = int(np.floor(y * UNITS + 0.5)) & 0xFFFF
    return np.int32(np.uint32(low | (high << 16)))
