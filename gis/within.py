"""Which cells come within a reach of a point, in compiled code."""

from typing import Any

import numba
import numpy as np

from gis.nearby import named, strips, to_border, to_square, told_of
from gis.tiling import SIDE_BITS, SIDES

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")
_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")


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
            told = told_of(column, row, tiling)
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
    frame = tiling[0]
    west, south, width = frame[0] + column * frame[2], frame[1] + row * frame[2], frame[2] / side
    rows, columns = strips(y - south, reach, width, side), strips(x - west, reach, width, side)
    for line in range(rows[0], rows[1]):
        for square in range(line * side + columns[0], line * side + columns[1]):
            value = int(tiling[4][first + square])
            far = to_square(x, y, frame, (column, row, side), square) > reach * reach
            if value == -1 or far:
                continue
            number = 0
            cell = named(value, tiling[5], number)
            while cell >= 0 and count >= 0:
                count = _noted(cell, found, count)
                number += 1
                cell = named(value, tiling[5], number)
            if count < 0:
                return -1
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
