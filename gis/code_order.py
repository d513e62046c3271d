"""The order of codes, in which ties are decided: that of their characters."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Codes: TypeAlias = Sequence[str] | NDArray[Any] | pa.Array


def array_of(codes: Codes) -> NDArray[Any] | pa.Array:
    """Return codes as an array that other arrays choose from; Arrow's stay as they are."""
    return codes if isinstance(codes, pa.Array) else np.asarray(codes, dtype=object)


def positions_by_code(codes: Codes) -> NDArray[np.intp]:
    """Return the positions of codes in their order; equal ones stay in theirs.

    Examples
    --------
    >>> positions_by_code(["b", "a", "b"]).tolist()
    [1, 0, 2]
    >>> positions_by_code(pa.array(["b", "a", "b"])).tolist()
    [1, 0, 2]
    """
    if not isinstance(codes, pa.Array):
        return np.argsort(np.asarray(codes, dtype=object), kind="stable")
    # UTF-8 is in the order of the characters; tables of a snapshot mostly lie in it already.
    if len(codes) < 2 or pc.all(pc.less_equal(codes[:-1], codes[1:])).as_py():
        return np.arange(len(codes), dtype=np.intp)
    order: NDArray[np.intp] = pc.array_sort_indices(codes).to_numpy().astype(np.intp)
    return order


def in_order(
    values: Sequence[Any] | Callable[[], Sequence[Any]], positions: NDArray[np.intp]
) -> NDArray[Any]:
    """Return values, or what a callable gives, in the order of their positions.

    Examples
    --------
    >>> in_order(lambda: ["x", "y"], np.array([1, 0])).tolist()
    ['y', 'x']
    """
    given = np.empty(len(positions), dtype=object)
    given[:] = values() if callable(values) else values
    return given[positions]
