"""Sequences whose values are worked out when they are asked for."""

from collections.abc import Callable, Sequence
from typing import Any, overload


class Each(Sequence[Any]):
    """Values worked out when they are asked for, and anew each time.

    Parameters
    ----------
    size : int
        How many there are.
    value : callable
        Gives the value at a place.

    Examples
    --------
    >>> squares = Each(5, lambda place: place**2)
    >>> squares[3], squares[-1], list(squares[1:3])
    (9, 16, [1, 4])
    """

    def __init__(self, size: int, value: Callable[[int], Any]) -> None:
        self._size = size
        self._value = value

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self._value(case) for case in range(*index.indices(self._size))]
        return self._value(range(self._size)[index])
