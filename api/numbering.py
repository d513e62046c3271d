"""Values and texts numbered in the order in which they are met, in compiled code."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from api.words import word

_compile = numba.njit(nogil=True, cache=True)
_inline = numba.njit(nogil=True, cache=True, inline="always")

_MIX = 0x9E3779B97F4A7C15
_MOST_TEXTS = 4_096
"""Distinct texts that are numbered; a column of more is no column of codes."""


@_inline
def _slot(value: int, mask: int) -> int:
    """Return where a value is looked for first: the upper bits of a product are well mixed."""
    return int((np.uint64(value) * np.uint64(_MIX)) >> np.uint64(20)) & mask


def number_values(values: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the number of each value among the distinct ones, and these in the order of their first.

    Examples
    --------
    >>> [part.tolist() for part in number_values(np.array([7, 5, 7, -1]))]
    [[0, 1, 0, 2], [7, 5, -1]]
    """
    numbers = np.empty(len(values), dtype=np.int32)
    distinct: NDArray[np.int64] = _number_values(values, numbers)
    return numbers, distinct


@_compile
def _number_values(values: Any, numbers: Any) -> Any:
    room = 1024
    slots, distinct = np.full(room, -1, np.int32), np.empty(room // 2, np.int64)
    count = 0
    for at in range(len(values)):
        value = values[at]
        if at and value == values[at - 1]:
            numbers[at] = numbers[at - 1]
            continue
        slot = _slot(value, room - 1)
        while slots[slot] >= 0 and distinct[slots[slot]] != value:
            slot = (slot + 1) & (room - 1)
        if slots[slot] < 0:
            if count == len(distinct):
                room *= 4
                slots, distinct = _wider(distinct, room)
                slot = _slot(value, room - 1)
                while slots[slot] >= 0:
                    slot = (slot + 1) & (room - 1)
            slots[slot] = count
            distinct[count] = value
            count += 1
        numbers[at] = slots[slot]
    return distinct[:count]


@_compile
def _wider(distinct: Any, room: int) -> Any:
    slots, wider = np.full(room, -1, np.int32), np.empty(room // 2, np.int64)
    for number in range(len(distinct)):
        wider[number] = distinct[number]
        slot = _slot(distinct[number], room - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (room - 1)
        slots[slot] = number
    return slots, wider


def number_texts(
    starts: NDArray[Any], letters: NDArray[np.uint8], there: NDArray[np.bool_]
) -> tuple[NDArray[np.int32], NDArray[np.int64]] | None:
    """Return the number of each text among the distinct ones, -1 where none is, and the row of each first.

    Parameters
    ----------
    starts, letters : ndarray
        Where each text begins, and past the last; their bytes.
    there : ndarray of bool
        Which texts there are; empty: all.

    Returns
    -------
    tuple or None
        None where there are too many distinct texts to number them so.

    Examples
    --------
    >>> letters = np.frombuffer(b"abcab", dtype=np.uint8)
    >>> found = number_texts(np.array([0, 2, 3, 5], dtype=np.int32), letters, np.empty(0, dtype=bool))
    >>> [part.tolist() for part in found]
    [[0, 1, 0], [0, 1]]
    """
    numbers = np.empty(len(starts) - 1, dtype=np.int32)
    firsts = np.empty(_MOST_TEXTS, dtype=np.int64)
    count = _number_texts(starts, letters, there, numbers, firsts)
    return None if count < 0 else (numbers, firsts[:count])


@_compile
def _number_texts(starts: Any, letters: Any, there: Any, numbers: Any, firsts: Any) -> int:
    mask = 4 * len(firsts) - 1
    slots, codes = np.full(mask + 1, -1, np.int32), np.empty(len(firsts), np.uint64)
    base, end = letters.ctypes.data, letters.ctypes.data + len(letters)
    count, last, last_code = 0, -1, np.uint64(0)
    for row in range(len(starts) - 1):
        if len(there) and not there[row]:
            numbers[row] = -1
            continue
        begin, length = base + starts[row], int(starts[row + 1] - starts[row])
        code = _code(begin, length, end)
        number = last
        if last >= 0 and code == last_code:
            first = firsts[last]
            if _is_same(
                begin, length, base + starts[first], starts[first + 1] - starts[first], end
            ):
                numbers[row] = last
                continue
        slot = int((code * np.uint64(_MIX)) >> np.uint64(24)) & mask
        while slots[slot] >= 0:
            number = slots[slot]
            first = firsts[number]
            if codes[number] == code and _is_same(
                begin, length, base + starts[first], starts[first + 1] - starts[first], end
            ):
                break
            slot = (slot + 1) & mask
        if slots[slot] < 0:
            if count == len(firsts):
                return -1
            slots[slot] = number = count
            codes[count], firsts[count] = code, row
            count += 1
        numbers[row] = number
        last, last_code = number, code
    return count


@_inline
def _code(begin: int, length: int, end: int) -> Any:
    """Return a number of a text: of one of up to seven bytes its bytes themselves and their count."""
    code = word(begin, length, end)
    at = 8
    while at < length:
        code = code * np.uint64(_MIX) + word(begin + at, length - at, end)
        at += 8
    return code ^ (np.uint64(length) << np.uint64(56))


@_inline
def _is_same(one: int, length: int, other: int, other_length: int, end: int) -> bool:
    """Tell whether two texts of one number are the same."""
    same: bool = other_length == length
    # What `_code` made of seven bytes or less tells it already.
    at = 0 if length > 7 else length
    while same and at < length:
        same = word(one + at, length - at, end) == word(other + at, length - at, end)
        at += 8
    return same


@_compile
def clocks(moments: NDArray[np.int64], days: NDArray[np.int64], minutes: NDArray[np.int64]) -> None:
    """Write month times 100 plus day of the month, and the minute of the day, of local times.

    Parameters
    ----------
    moments : ndarray of int64
        Microseconds since 1970.
    days, minutes : ndarray
        Take the answers.

    Examples
    --------
    >>> day, minute = np.empty(1, dtype=np.int64), np.empty(1, dtype=np.int64)
    >>> clocks(np.array(["2024-02-29T08:30"], dtype="datetime64[us]").astype(np.int64), day, minute)
    >>> day.tolist(), minute.tolist()
    ([229], [510])
    """
    for row in range(len(moments)):
        minute = moments[row] // 60_000_000
        day = minute // 1440
        minutes[row] = minute - day * 1440
        # Days of years that begin in March, by eras of 400 years (H. Hinnant, "chrono-Compatible
        # Low-Level Date Algorithms").
        era_day = (day + 719_468) % 146_097
        year = (era_day - era_day // 1460 + era_day // 36_524 - era_day // 146_096) // 365
        year_day = era_day - (365 * year + year // 4 - year // 100)
        month = (5 * year_day + 2) // 153
        day_of_month = year_day - (153 * month + 2) // 5 + 1
        days[row] = (month + 3 if month < 10 else month - 9) * 100 + day_of_month


def order_of_places(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return an order of points in which near ones mostly follow each other; those without place are last.

    Compiled code that goes from place to place then finds most of what it reads in the caches.

    Parameters
    ----------
    x, y : ndarray
        Coordinates of any CRS; a few far away do not matter.

    Examples
    --------
    >>> x = np.array([0.0, 9.0, np.nan, 0.1, 9.1])
    >>> order_of_places(x, np.zeros(5)).tolist()
    [0, 3, 1, 4, 2]
    """
    step = max(1, len(x) // _SAMPLE)
    known = np.isfinite(x[::step]) & np.isfinite(y[::step])
    if not known.any():
        return np.arange(len(x), dtype=np.int64)
    frame = np.array([_strips(values[::step][known]) for values in (x, y)])
    order: NDArray[np.int64] = _order_of_places(x, y, frame)
    return order


_SAMPLE = 1_000
_STRIPS = 256


def _strips(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return where strips begin, and how many there are to a unit."""
    low, high = np.quantile(values, [0.02, 0.98])
    return low, _STRIPS / max(high - low, 1e-9)


@_compile
def _order_of_places(x: Any, y: Any, frame: Any) -> Any:
    keys = np.empty(len(x), dtype=np.int32)
    begins = np.zeros(_STRIPS * _STRIPS + 2, dtype=np.int64)
    for row in range(len(x)):
        across, up = (x[row] - frame[0, 0]) * frame[0, 1], (y[row] - frame[1, 0]) * frame[1, 1]
        key = _STRIPS * _STRIPS
        if np.isfinite(across) and np.isfinite(up):
            column = int(min(max(across, 0.0), _STRIPS - 1.0))
            key = int(min(max(up, 0.0), _STRIPS - 1.0)) * _STRIPS + column
        keys[row] = key
        begins[key + 1] += 1
    begins = np.cumsum(begins)
    order = np.empty(len(x), dtype=np.int64)
    for row in range(len(x)):
        order[begins[keys[row]]] = row
        begins[keys[row]] += 1
    return order
