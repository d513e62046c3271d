"""On which side of a directed line a point lies, exactly: the one predicate of the compiled index.

A first guess in double precision is trusted when its error bound allows; else the determinant is
formed in double-double arithmetic, where differences and products of two doubles are exact (T. J.
Dekker 1971; J. R. Shewchuk 1997, "Adaptive Precision Floating-Point Arithmetic and Fast Robust
Geometric Predicates"). GEOS decides in the same way, so that the answers agree.
"""

from pathlib import Path

import numba

from gis.compiled import forget_stale

forget_stale(
    Path(__file__).parent,
    modules=(
        "orientation",
        "packing",
        "cutting",
        "fetching",
        "probe",
        "tiling",
        "nearby",
        "within",
        "locating",
    ),
)

_compile = numba.njit(nogil=True, cache=True, error_model="numpy", inline="never")
_BOUND = 1e-15
"""Relative error bound of the determinant in doubles; Shewchuk's is 3.33e-16, GEOS takes this one."""
_SPLIT = 134_217_729.0  # 2**27 + 1


@numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")
def turn(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    """Return 1, 0 or -1: the point p lies left of, on or right of the line from a to b.

    Parameters
    ----------
    ax, ay, bx, by : float
        Two points of the line.
    px, py : float
        The point.

    Examples
    --------
    >>> turn(0.0, 0.0, 1.0, 0.0, 0.5, 1e-300), turn(0.0, 0.0, 3.0, 3.0, 1.0, 1.0)
    (1, 0)
    """
    left = (ax - px) * (by - py)
    right = (ay - py) * (bx - px)
    guess = left - right
    if abs(guess) > _BOUND * (abs(left) + abs(right)):
        return 1 if guess > 0.0 else -1
    if left == 0.0 and right == 0.0 and (ax == px or by == py) and (ay == py or bx == px):
        return 0
    return _exact_turn(ax, ay, bx, by, px, py)


@_compile
def _exact_turn(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> int:
    acx_high, acx_low = _difference(ax, px)
    acy_high, acy_low = _difference(ay, py)
    bcx_high, bcx_low = _difference(bx, px)
    bcy_high, bcy_low = _difference(by, py)
    left_high, left_low = _product(acx_high, acx_low, bcy_high, bcy_low)
    right_high, right_low = _product(acy_high, acy_low, bcx_high, bcx_low)
    high, low = _difference(left_high, right_high)
    low += left_low - right_low
    total = high + low
    if total > 0.0:
        return 1
    return -1 if total < 0.0 else 0


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _difference(a: float, b: float) -> tuple[float, float]:
    """Return a - b as the sum of two doubles, exactly."""
    high = a - b
    virtual = a - high
    return high, (a - (high + virtual)) + (virtual - b)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _product(a_high: float, a_low: float, b_high: float, b_low: float) -> tuple[float, float]:
    """Return the product of two double-doubles; exact when both low parts are 0."""
    scaled = _SPLIT * a_high
    a_big = scaled - (scaled - a_high)
    a_small = a_high - a_big
    scaled = _SPLIT * b_high
    b_big = scaled - (scaled - b_high)
    b_small = b_high - b_big
    high = a_high * b_high
    low = a_small * b_small - (((high - a_big * b_big) - a_small * b_big) - a_big * b_small)
    return high, low + (a_high * b_low + a_low * b_high)
