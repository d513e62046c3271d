"""Compiled look-ups over sorted distinct texts: by hash, by prefix, by the best of a range.

A table of texts is three arrays: their UTF-8 bytes one after the other, where each begins, and slots
of an open-addressed hash table: the upper half of a slot is the upper half of the text's hash, the
lower half its number + 1, 0 an empty slot. All functions keep Python's lock: scratch arrays are
shared.
"""

import heapq
from typing import Any

import numba
import numpy as np

_BASIS = np.uint64(0xCBF29CE484222325)
_PRIME = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)
_ONE = np.uint64(1)
_LINE = 1 << 32
"""Numbers of cells from one row of a point grid to the next."""


@numba.njit(cache=True, inline="always")
def _mixed(state: Any) -> Any:
    # FNV-1a leaves the low bits of alike texts alike.
    state = (state ^ (state >> _HALF)) * _MIX
    return state ^ (state >> np.uint64(29))


@numba.njit(cache=True)
def fill_slots(data: Any, offsets: Any, slots: Any) -> None:
    """Enter all texts into empty slots; there are a power of two of them, more than the texts."""
    mask = np.uint64(len(slots) - 1)
    for number in range(len(offsets) - 1):
        state = _BASIS
        for place in range(offsets[number], offsets[number + 1]):
            state = (state ^ np.uint64(data[place])) * _PRIME
        state = _mixed(state)
        slot = state & mask
        while slots[slot] != 0:
            slot = (slot + _ONE) & mask
        slots[slot] = (state >> _HALF) << _HALF | np.uint64(number + 1)


@numba.njit(cache=True)
def _probe(
    data: Any, offsets: Any, slots: Any, state: Any, query: Any, start: int, end: int
) -> Any:
    mask = np.uint64(len(slots) - 1)
    slot = state & mask
    tag = state >> _HALF
    while slots[slot] != 0:
        if slots[slot] >> _HALF == tag:
            number = np.int64(slots[slot] & _LOW) - 1
            begin = offsets[number]
            length = offsets[number + 1] - begin
            if length == end - start:
                same = True
                for step in range(length):
                    if data[begin + step] != query[start + step]:
                        same = False
                        break
                if same:
                    return number
        slot = (slot + _ONE) & mask
    return -1


@numba.njit(cache=True)
def find(data: Any, offsets: Any, slots: Any, query: Any) -> Any:
    """Return the number of a text, -1 where there is none."""
    state = _BASIS
    for place in range(len(query)):
        state = (state ^ np.uint64(query[place])) * _PRIME
    return _probe(data, offsets, slots, _mixed(state), query, 0, len(query))


@numba.njit(cache=True)
def _compare(data: Any, begin: int, end: int, query: Any) -> int:
    """Return -1, 0, 1: the text lies before the query, begins with it, lies after it."""
    length = min(end - begin, len(query))
    for step in range(length):
        if data[begin + step] != query[step]:
            return -1 if data[begin + step] < query[step] else 1
    return -1 if end - begin < len(query) else 0


@numba.njit(cache=True)
def prefix_range(data: Any, offsets: Any, query: Any) -> tuple[int, int]:
    """Return the first text that begins with a query and the one past the last."""
    ends = [0, 0]
    for side in range(2):
        low, high = 0, len(offsets) - 1
        while low < high:
            middle = (low + high) // 2
            order = _compare(data, offsets[middle], offsets[middle + 1], query)
            if order < 0 or (side == 1 and order == 0):
                low = middle + 1
            else:
                high = middle
        ends[side] = low
    return ends[0], ends[1]


@numba.njit(cache=True)
def _is_borne(postings: Any, number: int, last_how: int) -> bool:
    first, rows, hows, held = postings
    for place in range(first[number], first[number + 1]):  # noqa: SIM110 (compiled)
        if hows[place] <= last_how and held[rows[place]]:
            return True
    return False


@numba.njit(cache=True)
def continued(data: Any, offsets: Any, most: int) -> Any:
    """Return for each sorted text how many others begin with it, counted up to `most`."""
    size = len(offsets) - 1
    counts = np.zeros(size, dtype=np.int64)
    for number in range(size):
        own = data[offsets[number] : offsets[number + 1]]
        other = number + 1
        while other < size and counts[number] < most:
            if _compare(data, offsets[other], offsets[other + 1], own) != 0:
                break
            counts[number] += 1
            other += 1
    return counts


@numba.njit(cache=True)
def name_spans(table: Any, postings: Any, last_how: int, query: Any, longest: int) -> Any:
    """Return all spans of a text, in characters, that are texts of a table which a place bears.

    Parameters
    ----------
    table : tuple
        Bytes, offsets and slots.
    postings : tuple
        Where the postings of each text begin, their rows, ways of matching, and the rows that hold.
    last_how : int
        Ways of matching up to this one count.
    query : array of uint8
        The text.
    longest : int
        Most characters of a name.

    Returns
    -------
    array (n, 2)
        Start and end of at least two characters, by start, then by end.
    """
    data, offsets, slots = table
    size = len(query)
    spans = np.empty((size * min(size, longest), 2), dtype=np.int64)
    count = 0
    character = -1
    for start in range(size):
        if query[start] & 0xC0 == 0x80:
            continue
        character += 1
        state = _BASIS
        length = 0
        for end in range(start, size):
            state = (state ^ np.uint64(query[end])) * _PRIME
            if end + 1 < size and query[end + 1] & 0xC0 == 0x80:
                continue
            length += 1
            if length > longest:
                break
            if length < 2:
                continue
            number = _probe(data, offsets, slots, _mixed(state), query, start, end + 1)
            if number >= 0 and _is_borne(postings, number, last_how):
                spans[count, 0] = character
                spans[count, 1] = character + length
                count += 1
    return spans[:count]


@numba.njit(cache=True)
def fill_maxima(tree: Any) -> None:
    """Fill the inner nodes of a tree of maxima; its upper half are the leaves."""
    for node in range(len(tree) // 2 - 1, 0, -1):
        tree[node] = max(tree[2 * node], tree[2 * node + 1])


@numba.njit(cache=True)
def best_of_range(tree: Any, low: int, high: int, count: int) -> Any:
    """Return at most `count` leaves of ``[low, high)``, the highest first, equals by position.

    Leaves of value 0 are left out.
    """
    leaves = len(tree) // 2
    found = np.empty(min(count, max(high - low, 0)), dtype=np.int64)
    heap = [(np.int64(0), np.int64(0))]
    heap.pop()
    left, right = low + leaves, high + leaves
    while left < right:
        if left & 1:
            heapq.heappush(heap, (-np.int64(tree[left]), np.int64(left)))
            left += 1
        if right & 1:
            right -= 1
            heapq.heappush(heap, (-np.int64(tree[right]), np.int64(right)))
        left //= 2
        right //= 2
    taken = 0
    while len(heap) and taken < len(found):
        value, node = heapq.heappop(heap)
        if value == 0:
            break
        if node >= leaves:
            found[taken] = node - leaves
            taken += 1
        else:
            for child in (2 * node, 2 * node + 1):
                heapq.heappush(heap, (-np.int64(tree[child]), np.int64(child)))
    return found[:taken]


@numba.njit(cache=True)
def near_points(grid: Any, at: Any, mask: Any, cell_m: float, wanted: Any) -> Any:
    """Return the rows of a point grid within reach of a point, unsorted.

    Parameters
    ----------
    grid : tuple of arrays
        Number of each cell that holds a point, rising; where its rows begin; rows cell by cell.
    at : tuple of arrays
        East and north of all rows.
    mask : array of bool
        Rows that count.
    cell_m : float
        Side of a cell, m.
    wanted : tuple
        East, north, reach, m.
    """
    cells, first, rows = grid
    east, north, reach_m = wanted
    x, y = at
    lowest = np.int64(np.floor((north - reach_m) / cell_m))
    highest = np.int64(np.floor((north + reach_m) / cell_m))
    west = np.int64(np.floor((east - reach_m) / cell_m))
    past = np.int64(np.floor((east + reach_m) / cell_m)) + 1
    ends = np.empty((highest - lowest + 1, 2), dtype=np.int64)
    most = 0
    for line in range(len(ends)):
        base = (lowest + line) * _LINE
        low, high = first_not_below(cells, base + west), first_not_below(cells, base + past)
        ends[line, 0], ends[line, 1] = first[low], first[high]
        most += ends[line, 1] - ends[line, 0]
    found = np.empty(most, dtype=np.int64)
    count = 0
    for line in range(len(ends)):
        for place in range(ends[line, 0], ends[line, 1]):
            row = rows[place]
            if mask[row] and (x[row] - east) ** 2 + (y[row] - north) ** 2 <= reach_m * reach_m:
                found[count] = row
                count += 1
    return found[:count]


@numba.njit(cache=True)
def first_not_below(values: Any, value: Any) -> Any:
    """Return the place of the first of sorted values that is not below a value."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@numba.njit(cache=True)
def flatten(numbers: Any, first: Any, values: Any, most: int) -> tuple[Any, Any]:
    """Return the values of the postings of some texts, and for each the place of its text."""
    flat = np.empty(most, dtype=np.int64)
    of = np.empty(most, dtype=np.int64)
    count = 0
    for place in range(len(numbers)):
        for at in range(first[numbers[place]], first[numbers[place] + 1]):
            if count == most:
                return flat, of
            flat[count] = values[at]
            of[count] = place
            count += 1
    return flat[:count], of[:count]


@numba.njit(cache=True)
def standing(postings: Any, numbers: Any, places: Any, limits: Any) -> Any:
    """Return the postings of some texts whose rows hold and lie in some communities, in order.

    Parameters
    ----------
    postings : tuple
        Where the postings of each text begin, their rows, ways of matching, and the rows that hold.
    numbers : array of int
        Texts.
    places : tuple
        Community of each row; array (n, 2) of the ranges of communities that count, empty: all.
    limits : tuple of int
        Last way of matching that counts, most postings of one text, most of all.

    Returns
    -------
    array (n, 2)
        Place of the text in `numbers`, and posting.
    """
    first, rows, hows, held = postings
    last_how, per_text, most = limits
    found = np.empty((most, 2), dtype=np.int64)
    count = 0
    for place in range(len(numbers)):
        of_text = 0
        for at in range(first[numbers[place]], first[numbers[place] + 1]):
            if count == most or of_text == per_text:
                break
            if hows[at] <= last_how and held[rows[at]] and _lies_in(places, rows[at]):
                found[count] = (place, at)
                count += 1
                of_text += 1
    return found[:count]


@numba.njit(cache=True)
def _lies_in(places: Any, row: int) -> bool:
    community, ranges = places
    if len(ranges) == 0:
        return True
    for low, high in ranges:  # noqa: SIM110 (compiled)
        if low <= community[row] < high:
            return True
    return False
