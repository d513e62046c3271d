"""Numbers of questions by what they ask, found for many at once in compiled code."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

_compile = numba.njit(nogil=True, cache=True)
_inline = numba.njit(nogil=True, cache=True, inline="always")

_MIX = 0x9E3779B97F4A7C15
_NOTHING = -1

Parts = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]


class NumberTable:
    """A table of keys, each of three numbers, and what they stand for.

    Any number of threads may read while one writes.

    Parameters
    ----------
    bits : tuple of int
        Bits of the second and the third part of a key.

    Examples
    --------
    >>> table = NumberTable((24, 20))
    >>> table.add(table.key(1, 2, 3), 7)
    >>> ask = (np.array([1, 1]), np.array([2, 2], dtype=np.int32), np.array([3, 4], dtype=np.int32))
    >>> [found.tolist() for found in table.find(ask)]
    [[7, -1], [17592188141572]]
    """

    def __init__(self, bits: tuple[int, int]) -> None:
        self._bits = bits
        self._slots = np.full(1024, _NOTHING, np.int64), np.zeros(1024, np.int32)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def key(self, first: int, second: int, third: int) -> int:
        """Return three numbers as one."""
        return first << sum(self._bits) | second << self._bits[1] | third

    def find(self, parts: Parts) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return what each key stands for, -1: nothing yet; and those keys, each once."""
        found = np.empty(len(parts[0]), dtype=np.int32)
        missing = _find(parts, self._bits, self._slots, found)
        if not missing:
            return found, np.empty(0, dtype=np.int64)
        first, second, third = (part[found < 0] for part in parts)
        keys = first.astype(np.int64) << sum(self._bits)
        keys |= second.astype(np.int64) << self._bits[1] | third
        return found, np.unique(keys)

    def add(self, key: int, value: int) -> None:
        """Write down what a key stands for; one thread at a time."""
        if 2 * self._count >= len(self._slots[0]):
            self._grow()
        self._count += _add(self._slots, key, value)

    def _grow(self) -> None:
        # Readers keep the old slots, in which all they ask for stands.
        keys, values = self._slots
        larger = np.full(4 * len(keys), _NOTHING, np.int64), np.zeros(4 * len(keys), np.int32)
        for slot in np.flatnonzero(keys >= 0).tolist():
            _add(larger, int(keys[slot]), int(values[slot]))
        self._slots = larger


def _add(slots: tuple[NDArray[np.int64], NDArray[np.int32]], key: int, value: int) -> bool:
    keys, values = slots
    slot: int = _slot_of(keys, key)
    is_new = bool(keys[slot] == _NOTHING)
    # The key last: who finds it finds its value.
    values[slot] = value
    keys[slot] = key
    return is_new


@_inline
def _first(key: int, mask: int) -> int:
    return int((np.uint64(key) * np.uint64(_MIX)) >> np.uint64(24)) & mask


@_compile
def _slot_of(keys: Any, key: int) -> int:
    mask = len(keys) - 1
    slot = _first(key, mask)
    while keys[slot] >= 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return slot


@_compile
def _find(parts: Any, bits: Any, slots: Any, found: Any) -> int:
    first, second, third = parts
    keys, values = slots
    mask = len(keys) - 1
    high, low = bits[0] + bits[1], bits[1]
    missing = 0
    last, answer = np.int64(-1), np.int32(-1)
    for row in range(len(first)):
        key = np.int64(first[row]) << high | np.int64(second[row]) << low | np.int64(third[row])
        if key != last:
            slot = _first(key, mask)
            while keys[slot] >= 0 and keys[slot] != key:
                slot = (slot + 1) & mask
            answer = np.int32(-1)
            if keys[slot] == key:
                answer = values[slot]
            last = key
        found[row] = answer
        missing += 1 if answer < 0 else 0
    return missing
