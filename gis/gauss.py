"""The mass of a round normal error over a polygon, in compiled code, exact to 1e-7.

The integral over a polygon is the sum over its directed edges of the integral over the triangle of
edge and centre. In polar coordinates that is an angle less the same angle weighted by the density at
the edge, exp(-r²/2). The first angles add up to full turns: the centre lies inside, or not. What
remains fades with the distance of the edge: only edges within `NEAR` standard deviations are looked
at. The weighted angle of an edge is a difference of Owen's T functions of its ends, T(h, t/h) with h
the distance of its line from the centre and t how far the end lies from the foot (D. B. Owen 1956,
"Tables for Computing Bivariate Normal Probabilities"). T jumps where h and t are 0; the wedge
W = atan(t/h)/2π - T, the mass over the triangle (0, 0), (h, 0), (h, t), does not. Polynomials over
squares of half a standard deviation stand for W where h < `_CLOSE` and for -T beyond.

Every sign is taken once, from the same product of the same two vertices, so that what rounding does
to an angle it does to the turn as well: points on edges and vertices need no special case.
"""

from functools import cache
from math import copysign, pi, sqrt
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from gis.compiled import forget_stale

forget_stale(Path(__file__).parent, modules=("gauss", "shares"))

NEAR = 5.75
"""Edges farther than this many standard deviations are left out: a whole turn of them weighs 7e-8."""
_SQUARES = 23
_PER_UNIT = 4.0
_DEGREE = 5
_TERMS = 21
_FITTED = 9
_NODES = 48
_CLOSE = 1.5
_NUDGE = 1e-12
_TURN = 0.5 / pi

_EIGHTH = 0.4142135623730951
_ATAN = (
    0.9999999998526203, -0.33333330063298494, 0.1999978963182717, -0.1427971553157176,
    0.11022366909409596, -0.08371975079317122, 0.04556733910551351,
)  # fmt: skip
"""The polynomial that comes nearest to atan(r) / r over r² for r <= `_EIGHTH`, the tangent of an eighth of
a half turn: atan off by 4e-12 at most."""


_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")
_compile = numba.njit(nogil=True, cache=True, error_model="numpy", fastmath={"contract"})


@cache
def wedge_table() -> NDArray[np.float64]:
    """Return W(h, t), from h = `_CLOSE` on -T(h, t/h), for 0 <= h, t <= `NEAR` as polynomials.

    The polynomials of total degree 5 that come nearest, by least squares, in the Chebyshev nodes of
    each square; the error is below 5e-9. Flat: square of h, square of t, powers of t, then of h,
    falling.

    Examples
    --------
    >>> len(wedge_table())
    11109
    """
    nodes = np.cos(np.pi * (np.arange(_FITTED) + 0.5) / _FITTED)
    side = ((np.arange(_SQUARES)[:, None] + 0.5 + 0.5 * nodes) / _PER_UNIT).ravel()
    h, t = side[:, None], side[None, :]
    values = _wedges(h, t) - np.where(h < _CLOSE, 0.0, np.arctan2(t, h) * _TURN)
    values = values.reshape(_SQUARES, _FITTED, _SQUARES, _FITTED).transpose(0, 2, 1, 3)
    powers = [(i, j) for j in range(_DEGREE, -1, -1) for i in range(_DEGREE - j, -1, -1)]
    terms = [np.outer(nodes**i, nodes**j).ravel() for i, j in powers]
    table = values.reshape(-1, _FITTED**2) @ np.linalg.pinv(np.array(terms))
    return np.ascontiguousarray(table).ravel()


def _wedges(h: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return h/2π ∫ (1 - exp(-u/2)) / u ds for s from 0 to t, u = h² + s², by Gauss-Legendre."""
    at, weights = np.polynomial.legendre.leggauss(_NODES)
    s = 0.5 * t[..., None] * (at + 1.0)
    u = (h**2)[..., None] + s**2
    mean = np.where(u > 0.0, -np.expm1(-0.5 * u) / np.maximum(u, 1e-300), 0.5)
    result: NDArray[np.float64] = (mean @ weights) * (0.5 * t) * h * _TURN
    return result


@_inline
def _wedge(column: int, u: float, t: float, table: Any) -> float:
    """Return what `wedge_table` keeps for a square of h, the place in it, and abs(t) <= NEAR: odd in t."""
    up = abs(t) * _PER_UNIT
    row = min(int(up), _SQUARES - 1)
    v = 2.0 * (up - row) - 1.0
    at = (column * _SQUARES + row) * _TERMS
    # Written out: half the time of a loop, which would wait for one term after the other.
    one = table[at + 1] * u + table[at + 2]
    two = (table[at + 3] * u + table[at + 4]) * u + table[at + 5]
    three = ((table[at + 6] * u + table[at + 7]) * u + table[at + 8]) * u + table[at + 9]
    four = ((table[at + 10] * u + table[at + 11]) * u + table[at + 12]) * u + table[at + 13]
    four = four * u + table[at + 14]
    five = ((table[at + 15] * u + table[at + 16]) * u + table[at + 17]) * u + table[at + 18]
    five = (five * u + table[at + 19]) * u + table[at + 20]
    value = ((((table[at] * v + one) * v + two) * v + three) * v + four) * v + five
    signed: float = value * copysign(1.0, t)
    return signed


@_inline
def _angle(across: float, along: float) -> float:
    """Return the angle whose tangent is across / along in turns, across >= 0: off by less than 1e-12.

    A polynomial over an eighth of a turn about the nearest quarter; a library's takes twice the time.
    """
    size = abs(along)
    low, high = min(across, size), max(across, size)
    is_middle = low > _EIGHTH * high
    ratio = (low - high if is_middle else low) / max(low + high if is_middle else high, 1e-300)
    z = ratio * ratio
    value = ((_ATAN[6] * z + _ATAN[5]) * z + _ATAN[4]) * z + _ATAN[3]
    value = ((value * z + _ATAN[2]) * z + _ATAN[1]) * z + _ATAN[0]
    turn = value * ratio * _TURN + (0.125 if is_middle else 0.0)
    turn = 0.25 - turn if across > size else turn
    return 0.5 - turn if along < 0.0 else turn


@_compile
def mass(path: Any, run: Any, centre: Any, scale: Any, room: Any) -> float:
    """Return the mass of a normal error around a point inside a closed path.

    Parameters
    ----------
    path : numpy.ndarray
        (n, 2): vertices of many paths.
    run : tuple of int
        First vertex of the path and past its last, which is equal to the first; inside on the left.
    centre : tuple of float
        East and north of the centre.
    scale : tuple of float
        Three numbers a, b, c that make the error round and of size 1: (dx, dy) becomes
        (a dx, b dx + c dy). A round error of s metres has 1/s, 0, 1/s.
    room : tuple
        `wedge_table`, and what `working_room` gives for the longest path.
    """
    table, ax, ay, heights, begins, ends, signs = room
    a, b, c = scale
    east, north = centre
    first, count = run[0], run[1] - run[0]
    for vertex in range(count):
        dx = path[first + vertex, 0] - east
        x, y = a * dx, b * dx + c * (path[first + vertex, 1] - north)
        # A vertex that is the centre is moved a hair: every angle is one then.
        ax[vertex] = _NUDGE if x == 0.0 and y == 0.0 else x
        ay[vertex] = y
    turns = 0
    # No branch depends on what is found: steps that are guessed wrong would take most of the time.
    for edge in range(count - 1):
        x, y, other_x, other_y = ax[edge], ay[edge], ax[edge + 1], ay[edge + 1]
        dx, dy = other_x - x, other_y - y
        side = x * other_y - y * other_x
        per_length = 1.0 / sqrt(dx * dx + dy * dy)
        heights[edge] = abs(side) * per_length
        begins[edge] = (x * dx + y * dy) * per_length
        ends[edge] = (other_x * dx + other_y * dy) * per_length
        # An edge through the centre passes on the side where it would if the centre lay a hair lower,
        # as the turn takes it, which counts a vertex at the height of the centre as above.
        is_left = (side > 0.0) | ((side == 0.0) & (x > other_x))
        signs[edge] = 1.0 if is_left else -1.0
        turns += ((y < 0.0) & (other_y >= 0.0) & is_left) - (
            (y >= 0.0) & (other_y < 0.0) & (not is_left)
        )
    near = 0
    for edge in range(count - 1):
        h, begin, end = heights[edge], begins[edge], ends[edge]
        heights[near], signs[near] = h, signs[edge]
        begins[near], ends[near] = max(begin, -NEAR), min(end, NEAR)
        near += (h < NEAR) & (begin < NEAR) & (end > -NEAR)
    weighted = 0.0
    for edge in range(near):
        h, begin, end = heights[edge], begins[edge], ends[edge]
        across = h * _PER_UNIT
        column = min(int(across), _SQUARES - 1)
        u = 2.0 * (across - column) - 1.0
        angle = _wedge(column, u, begin, table) - _wedge(column, u, end, table)
        if h < _CLOSE:
            angle += _angle(h * (end - begin), h * h + begin * end)
        weighted += signs[edge] * angle
    return turns - weighted


def working_room(vertices: int) -> tuple[NDArray[np.float64], ...]:
    """Return the table and arrays that `mass` writes to, for paths of so many vertices."""
    return (wedge_table(), *(np.empty(max(vertices, 1)) for _ in range(6)))
