"""The whole answer to "in which cell", in compiled code: for many points, and for one without arrays."""

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from gis.nearby import nearest
from gis.probe import find_one, probe

LEAST_M = 1e-300
"""Distance of a point that lies outside by less than a distance can tell: 0 means inside."""
_SEEN = 64

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compile
def locate(x: Any, y: Any, tiling: Any, boxes: Any, order: Any, answers: Any) -> None:
    """Find the cell that covers each point, or else the nearest one.

    Parameters
    ----------
    x, y : numpy.ndarray of float64
        East and north in the CRS of the cells, m.
    tiling : tuple
        The arrays of a `gis.tiling.Tiling`, in their order.
    boxes : numpy.ndarray
        What `gis.nearby.boxes_of` gave.
    order : numpy.ndarray
        What to tell for each cell of the tiling; empty: its place.
    answers : tuple
        Arrays that take the position (-1: no point, or no cell at all), whether the point lies on the
        border of its cell, and its distance to the cell, m.
    """
    position, on_boundary, distance_m = answers
    probe(x, y, tiling, position, on_boundary)
    seen = np.empty(_SEEN, dtype=np.int64)
    # Points that follow each other often lie near each other.
    guess = -1
    for point in range(len(x)):
        rank = position[point]
        metres = 0.0
        if rank < 0:
            metres = np.nan
            if np.isfinite(x[point]) and np.isfinite(y[point]):
                rank, metres = nearest(x[point], y[point], tiling, boxes, seen, guess)
                metres = max(metres, LEAST_M) if rank >= 0 else np.nan
                guess = rank
        distance_m[point] = metres
        position[point] = order[rank] if len(order) and rank >= 0 else rank


def _take_address(_context: Any, _address: Any) -> Any:
    """Take a number for an address."""

    def generate(_: Any, builder: Any, __: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


def addresses_of(arrays: Sequence[NDArray[Any]]) -> NDArray[np.int64]:
    """Return where arrays lie and how long they are, for `array_at`; they must outlive it.

    One array is handed over sooner than eleven: that took most of the time of a question.
    """
    if not all(array.flags.c_contiguous for array in arrays):
        raise ValueError("arrays must lie in one piece each")
    return np.array([(array.ctypes.data, len(array)) for array in arrays], dtype=np.int64)


_pointer: Any = intrinsic(_take_address)
_array: Any = numba.carray  # type: ignore[attr-defined]


@numba.njit(nogil=True, cache=True, inline="always")
def array_at(address: int, shape: Any, kind: Any) -> Any:
    """Return the array at an address that `addresses_of` gave."""
    return _array(_pointer(address), shape, kind)


@_compile
def tiling_at(a: Any, at: int) -> Any:
    """Return the arrays of a tiling whose addresses begin at a row."""
    return (
        array_at(a[at, 0], a[at, 1], np.float64),
        array_at(a[at + 1, 0], a[at + 1, 1], np.int64),
        array_at(a[at + 2, 0], a[at + 2, 1], np.int32),
        array_at(a[at + 3, 0], a[at + 3, 1], np.int64),
        array_at(a[at + 4, 0], a[at + 4, 1], np.int32),
        array_at(a[at + 5, 0], a[at + 5, 1], np.int32),
        array_at(a[at + 6, 0], (a[at + 6, 1], 2), np.float64),
        array_at(a[at + 7, 0], a[at + 7, 1], np.int64),
        array_at(a[at + 8, 0], a[at + 8, 1], np.int32),
    )


@_compile
def locate_one(x: float, y: float, addresses: Any) -> tuple[int, bool, float]:
    """Find the cell that covers a point or else the nearest one, as `locate` does.

    Parameters
    ----------
    x, y : float
        East and north in the CRS of the cells, m.
    addresses : numpy.ndarray
        What `addresses_of` gave of a tiling, its boxes and its order.

    Returns
    -------
    tuple
        Position (-1: no point, or no cell at all), whether on the border, distance, m.
    """
    a = addresses
    tiling = tiling_at(a, 0)
    order = array_at(a[10, 0], a[10, 1], np.int64)
    rank, is_on = find_one(x, y, tiling)
    metres = 0.0
    if rank < 0:
        metres = np.nan
        if np.isfinite(x) and np.isfinite(y):
            boxes = array_at(a[9, 0], (a[9, 1], 4), np.float64)
            rank, metres = nearest(x, y, tiling, boxes, np.empty(_SEEN, dtype=np.int64), -1)
            metres = max(metres, LEAST_M) if rank >= 0 else np.nan
    return order[rank] if len(order) and rank >= 0 else rank, is_on, metres
