"""Plane geometry for compiled loops: how near segments are, what a triangle holds, segments by cell."""

from typing import Any, NamedTuple

import numba
import numpy as np

from gridding.compiling import compiled_in_place
from gridding.graph import Floats, Indices

_SHRINK_M = 0.015
"""A triangle holds what reaches this deep into it: what lies along its sides does not."""
_TINY = 1e-12


class Cells(NamedTuple):
    """Segments by the square cells that the boxes round them reach."""

    segments: Floats
    """x and y of both ends, (n, 4)."""
    first: Indices
    """Where the segments of every cell begin in `held`; they end where the next one's begin."""
    held: Indices
    frame: Floats
    """x and y of the corner, side of a cell, number of columns and of rows."""


def cells_of(segments: Floats, *, frame: Floats, pad_m: float) -> Cells:
    """Return segments by cell, each also in the cells within `pad_m` of its box."""
    first, held = _filled(segments, frame, pad_m)
    return Cells(segments=segments, first=first, held=held, frame=frame)


def frame_of(xy: Floats, *, side_m: float) -> Floats:
    """Return a frame of cells over all places; the cells are wider where it would have over a million."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    side = max(side_m, float((high - low).max()) / 1000.0)
    columns, rows = np.floor((high - low) / side).astype(np.int64) + 1
    return np.array([low[0], low[1], side, columns, rows], dtype=np.float64)


@compiled_in_place
def span(frame: Any, low: float, high: float, axis: int) -> tuple[int, int]:
    """Return the first and the last column (axis 0) or row (axis 1) between two coordinates."""
    most = int(frame[3 + axis]) - 1
    one = int(np.floor((low - frame[axis]) / frame[2]))
    two = int(np.floor((high - frame[axis]) / frame[2]))
    return min(max(one, 0), most), min(max(two, 0), most)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _filled(segments: Any, frame: Any, pad_m: float) -> Any:
    columns = int(frame[3])
    first = np.zeros(columns * int(frame[4]) + 1, dtype=np.int64)
    held = np.empty(0, dtype=np.int64)
    for turn in range(2):
        if turn == 1:
            for k in range(1, len(first)):
                first[k] += first[k - 1]
            held = np.empty(first[-1], dtype=np.int64)
        for k in range(len(segments) - 1, -1, -1):
            a, b, c, d = segments[k]
            west, east = span(frame, min(a, c) - pad_m, max(a, c) + pad_m, 0)
            south, north = span(frame, min(b, d) - pad_m, max(b, d) + pad_m, 1)
            for row in range(south, north + 1):
                for column in range(west, east + 1):
                    cell = row * columns + column
                    if turn == 0:
                        first[cell] += 1
                    else:
                        first[cell] -= 1
                        held[first[cell]] = k
    return first, held


@compiled_in_place
def cross(a: float, b: float, c: float, d: float) -> float:
    """Return the cross product of two vectors."""
    return a * d - b * c


@compiled_in_place
def point_distance(x: float, y: float, a: float, b: float, c: float, d: float) -> float:
    """Return the distance of a point from a segment."""
    dx, dy = c - a, d - b
    square = dx * dx + dy * dy
    t = 0.0
    if square > _TINY:
        t = min(1.0, max(0.0, ((x - a) * dx + (y - b) * dy) / square))
    result: float = np.hypot(a + t * dx - x, b + t * dy - y)
    return result


@compiled_in_place
def do_cross(one: Any, two: Any) -> bool:
    """Return whether two segments cross or touch."""
    a, b, c, d = one
    e, f, g, h = two
    if max(a, c) < min(e, g) or max(e, g) < min(a, c):
        return False
    if max(b, d) < min(f, h) or max(f, h) < min(b, d):
        return False
    s = cross(c - a, d - b, e - a, f - b)
    t = cross(c - a, d - b, g - a, h - b)
    u = cross(g - e, h - f, a - e, b - f)
    v = cross(g - e, h - f, c - e, d - f)
    return s * t <= 0 and u * v <= 0


@compiled_in_place
def distance(one: Any, two: Any) -> float:
    """Return the distance between two segments."""
    if do_cross(one, two):
        return 0.0
    a, b, c, d = one
    e, f, g, h = two
    result: float = min(
        min(point_distance(a, b, e, f, g, h), point_distance(c, d, e, f, g, h)),
        min(point_distance(e, f, a, b, c, d), point_distance(g, h, a, b, c, d)),
    )
    return result


@compiled_in_place
def is_held(corners: Any, segment: Any) -> bool:
    """Return whether a triangle, six coordinates, holds some of a segment: 1.5 cm or more inside."""
    a, b, c, d = segment
    u, v, w, x, y, z = corners
    turn = cross(w - u, x - v, y - u, z - v)
    sign = 1.0 if turn > 0 else -1.0
    low, high = 0.0, 1.0
    for k in range(3):
        x, y = corners[2 * k], corners[2 * k + 1]
        dx = corners[(2 * k + 2) % 6] - x
        dy = corners[(2 * k + 3) % 6] - y
        length = np.hypot(dx, dy)
        if length < _SHRINK_M:
            return False
        start = sign * cross(dx, dy, a - x, b - y) / length - _SHRINK_M
        stop = sign * cross(dx, dy, c - x, d - y) / length - _SHRINK_M
        if start < 0 and stop < 0:
            return False
        if start < 0:
            low = max(low, start / (start - stop))
        elif stop < 0:
            high = min(high, start / (start - stop))
    return low <= high
