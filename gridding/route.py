"""A short open path through points, found by local search; compiled, deterministic."""

import numba
import numpy as np

from gridding.adjacency import Floats, Indices

_GAIN = 1e-7
"""A move must save at least this many metres, or rounding could make the search turn in circles."""


def improve_route(
    place: Floats,
    joined: tuple[Indices, Indices],
    choices: tuple[Indices, Indices],
    detour_m: float,
) -> Indices:
    """Return the points in the order of a short path that likes to step between joined ones.

    Parameters
    ----------
    place : array of float, shape (n, 2)
        Points, m; n of at least 3.
    joined : tuple of array
        Compressed rows of points that are neighbours: a step between others costs `detour_m` more.
    choices : tuple of array
        Compressed rows of the points a step may be changed to, symmetric, not empty.
    detour_m : float
        Added to a step between points that are not joined, m.

    Examples
    --------
    >>> place = np.array([[0.0, 0.0], [2.0, 0.0], [1.0, 0.0], [3.0, 0.0]])
    >>> rows = np.array([0, 3, 6, 9, 12]), np.array([1, 2, 3, 0, 2, 3, 0, 1, 3, 0, 1, 2])
    >>> improve_route(place, rows, rows, 10.0).tolist()
    [0, 2, 1, 3]
    """
    weight = _steps(place, joined, choices, detour_m)
    route = _search(place, *joined, *choices, weight, detour_m)
    return np.asarray(route, dtype=np.intp)


def _steps(
    place: Floats,
    joined: tuple[Indices, Indices],
    choices: tuple[Indices, Indices],
    detour_m: float,
) -> Floats:
    """Return what each step among the choices costs."""
    count = len(place)
    one = np.repeat(np.arange(count), np.diff(choices[0]))
    other = choices[1]
    neighbours = np.repeat(np.arange(count), np.diff(joined[0])) * count + joined[1]
    apart = ~np.isin(one * count + other, neighbours)
    length = np.hypot(*(place[one] - place[other]).T)
    return np.asarray(length + detour_m * apart, dtype=np.float64)


@numba.njit(cache=True)
def _cost(place, first, near, detour_m, one, other):  # type: ignore[no-untyped-def]
    """Cost of a step; the point behind the last is the open end and costs nothing."""
    count = len(place)
    if one == count or other == count:
        return 0.0
    length = np.hypot(place[one, 0] - place[other, 0], place[one, 1] - place[other, 1])
    for k in range(first[one], first[one + 1]):
        if near[k] == other:
            return length
    return length + detour_m


@numba.njit(cache=True)
def _greedy(place, choice_first, choice, weight):  # type: ignore[no-untyped-def]
    count = len(place)
    taken = np.zeros(count, dtype=np.bool_)
    route = np.empty(count + 1, dtype=np.int64)
    route[0] = 0
    taken[0] = True
    free = 1
    for k in range(1, count):
        here = route[k - 1]
        best, least = -1, np.inf
        for c in range(choice_first[here], choice_first[here + 1]):
            if not taken[choice[c]] and weight[c] < least:
                best, least = choice[c], weight[c]
        if best < 0:
            # Cornered: go on with the first left in reading order; the search mends the leap.
            while taken[free]:
                free += 1
            best = free
        route[k] = best
        taken[best] = True
    route[count] = count
    return route


@numba.njit(cache=True)
def _reverse(route, position, start, end):  # type: ignore[no-untyped-def]
    """Reverse the stretch from start to end, both included, round the cycle; the shorter way."""
    size = len(route)
    inner = (end - start + size) % size + 1
    if 2 * inner > size:
        start, end = (end + 1) % size, (start - 1 + size) % size
        inner = size - inner
    for _ in range(inner // 2):
        route[start], route[end] = route[end], route[start]
        position[route[start]] = start
        position[route[end]] = end
        start = (start + 1) % size
        end = (end - 1 + size) % size


@numba.njit(cache=True)
def _swap_ends(  # type: ignore[no-untyped-def]
    route, position, place, first, near, detour_m, one, choice, low, high
):
    """Try 2-opt moves that make the points at `one` and one of its choices consecutive."""
    size = len(route)
    at = position[one]
    for way in (1, -1):
        after = route[(at + way + size) % size]
        old = _cost(place, first, near, detour_m, one, after)
        for k in range(low, high):
            other = choice[k]
            beyond = route[(position[other] + way + size) % size]
            if other == after or beyond == one:
                continue
            gain = old + _cost(place, first, near, detour_m, other, beyond)
            gain -= _cost(place, first, near, detour_m, one, other)
            gain -= _cost(place, first, near, detour_m, after, beyond)
            if gain > 1e-7:
                if way == 1:
                    _reverse(route, position, position[after], position[other])
                else:
                    _reverse(route, position, position[other], position[after])
                return True
    return False


@numba.njit(cache=True)
def _move_stretch(  # type: ignore[no-untyped-def]
    route, position, place, first, near, detour_m, one, choice, low, high
):
    """Try to move up to three points that end at `one` beside one of its choices."""
    size = len(route)
    for length in range(1, 4):
        if length > size - 3:
            break
        for way in (1, -1):
            tail = position[one]
            head = (tail - way * (length - 1) + size) % size
            before = route[(head - way + size) % size]
            after = route[(tail + way + size) % size]
            start = route[head]
            freed = _cost(place, first, near, detour_m, before, start)
            freed += _cost(place, first, near, detour_m, one, after)
            freed -= _cost(place, first, near, detour_m, before, after)
            if freed <= 1e-7:
                continue
            for k in range(low, high):
                other = choice[k]
                gap = (way * (tail - position[other]) + size) % size
                if gap < length:
                    continue
                for side in (1, -1):
                    next_to = route[(position[other] + side + size) % size]
                    beside = (way * (tail - position[next_to]) + size) % size
                    if beside < length:
                        continue
                    gain = freed - _cost(place, first, near, detour_m, other, one)
                    gain -= _cost(place, first, near, detour_m, start, next_to)
                    gain += _cost(place, first, near, detour_m, other, next_to)
                    if gain > 1e-7:
                        _relocate(route, position, (one, other, next_to), way, length)
                        return True
    return False


@numba.njit(cache=True)
def _relocate(route, position, ends, way, length):  # type: ignore[no-untyped-def]
    """Take a stretch out and put it between two consecutive points: other, one … next."""
    one, other, next_to = ends
    size = len(route)
    at = position[one]
    stretch = np.empty(length, dtype=np.int64)
    is_moved = np.zeros(size, dtype=np.bool_)
    for k in range(length):
        stretch[k] = route[(at - way * k + size) % size]
        is_moved[stretch[k]] = True
    kept = np.empty(size - length, dtype=np.int64)
    total = 0
    for k in range(size):
        if not is_moved[route[k]]:
            kept[total] = route[k]
            total += 1
    fill = 0
    for k in range(total):
        route[fill] = kept[k]
        fill += 1
        follower = kept[(k + 1) % total]
        if (kept[k] == other and follower == next_to) or (kept[k] == next_to and follower == other):
            forward = kept[k] == other
            for m in range(length):
                route[fill] = stretch[m] if forward else stretch[length - 1 - m]
                fill += 1
    for k in range(size):
        position[route[k]] = k


@numba.njit(cache=True)
def _search(place, first, near, choice_first, choice, weight, detour_m):  # type: ignore[no-untyped-def]
    count = len(place)
    route = _greedy(place, choice_first, choice, weight)
    position = np.empty(count + 1, dtype=np.int64)
    for k in range(count + 1):
        position[route[k]] = k
    improved = True
    while improved:
        improved = False
        for one in range(count):
            low, high = choice_first[one], choice_first[one + 1]
            while _swap_ends(
                route, position, place, first, near, detour_m, one, choice, low, high
            ) or _move_stretch(
                route, position, place, first, near, detour_m, one, choice, low, high
            ):
                improved = True
    open_end = position[count]
    result = np.empty(count, dtype=np.int64)
    for k in range(count):
        result[k] = route[(open_end + 1 + k) % (count + 1)]
    return result
