"""Straight cuts through a patch of nodes that has no coordinates: sweeps from one end to another."""

from typing import Any

import numpy as np

from gridding.compiling import compiled_in_place
from gridding.network import JOINT_M
from gridding.patches import ORDER, QUEUE

DIRECTIONS = 4
_BETWEEN = ((0, 1), (2, 3), (0, 2), (2, 1))
"""The ends between which each direction runs."""
_ACROSS = (1, 0, 3, 2)


@compiled_in_place
def lay(patch: Any, size: int, wanted: int, direction: int) -> None:
    """Cut a patch into parts of equal size by straight sweeps from one end to another.

    From the fifth direction on only the first cut runs that way, the others across.
    """
    if wanted == 1:
        for k in range(size):
            patch.spots[k]["part"] = 0
        return
    start: Any = np.int64(0)
    _sort(patch, start, size, direction % DIRECTIONS)
    for k in range(wanted):
        if k == 1 and direction >= DIRECTIONS:
            _sort(patch, start, size, _ACROSS[direction % DIRECTIONS])
        stop = size if k == wanted - 1 else _portion(patch, start, size, wanted - k)
        for i in range(start, stop):
            patch.spots[patch.lists[ORDER, i]]["part"] = k
        start = stop


@compiled_in_place
def _sort(patch: Any, start: Any, size: int, direction: int) -> None:
    """Sort a patch, or what a first cut left of it, by how much nearer one end is than another.

    Distances run along the graph, so that what comes first hangs together, and what comes last.
    """
    order, spots = patch.lists[ORDER], patch.spots
    if start == 0:
        for i in range(size):
            order[i] = i
    source, sink = _BETWEEN[direction]
    for i in range(start, size):
        here = order[i]
        key = patch.ends[source, here] * (1.0 + 1e-6) - patch.ends[sink, here]
        k = i
        while k > start and spots[order[k - 1]]["key"] > key:
            order[k] = order[k - 1]
            k -= 1
        order[k] = here
        spots[here]["key"] = key


@compiled_in_place
def _portion(patch: Any, start: Any, size: int, pieces: int) -> int:
    """Return where the first of so many pieces of equal size ends; at least one spot for each."""
    order, spots = patch.lists[ORDER], patch.spots
    total = 0.0
    for i in range(start, size):
        total += spots[order[i]]["share"]
    done = 0.0
    for i in range(start, size):
        part = spots[order[i]]["share"]
        if i > start and (done + 0.5 * part > total / pieces or size - i < pieces):
            return i
        done += part
    return size


@compiled_in_place
def measure(patch: Any, size: int) -> None:
    """Work out distances in a patch from four ends.

    The spot farthest from the first, the one farthest from that, the one farthest from both, and the
    one farthest from the third.
    """
    for row, one, other in ((-1, 0, 0), (0, 0, 0), (1, 0, 0), (2, 0, 1), (3, 2, 2)):
        start: Any = np.int64(0)
        if row >= 0:
            start = _farthest(patch, size, one, other)
        _walk(patch, size, start, max(row, 0))


@compiled_in_place
def _farthest(patch: Any, size: int, one: int, other: int) -> Any:
    """Return the spot of a patch that is farthest from the nearer of two ends."""
    found: Any = np.int64(-1)
    distance = -1.0
    for k in range(size):
        near = min(patch.ends[one, k], patch.ends[other, k])
        if near > distance + 1e-6:
            found, distance = k, near
    return found


@compiled_in_place
def _walk(patch: Any, size: int, start: int, row: int) -> None:
    """Work out how far the spots of a patch are from one of them, by the roots of their areas."""
    spots, ways, queue, end = patch.spots, patch.ways, patch.lists[QUEUE], patch.ends[row]
    for k in range(size):
        end[k] = 1e12
        spots[k]["mark"] = 0
    end[start] = 0.0
    queue[0] = start
    head, waiting, length = 0, 1, len(queue)
    while waiting > 0:
        here = queue[head]
        spots[here]["mark"] = 0
        head = head + 1 if head + 1 < length else 0
        waiting -= 1
        for e in range(spots[here]["first"], spots[here + 1]["first"]):
            if ways[e]["length"] <= JOINT_M:
                continue
            other = ways[e]["near"]
            far = end[here] + 0.5 * (spots[here]["root"] + spots[other]["root"])
            if far < end[other] - 1e-6:
                end[other] = far
                if spots[other]["mark"] == 0:
                    spots[other]["mark"] = 1
                    queue[(head + waiting) % length] = other
                    waiting += 1
