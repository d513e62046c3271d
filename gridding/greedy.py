"""The start of the search: neighbours merge, the greatest gain first, while any gains."""

import heapq
from typing import Any

import numba
import numpy as np

from gridding.contiguity import is_ring
from gridding.network import JOINT_M, border, move, worth_of

_LIMIT = 2.2
"""A merged grid may be this many times its target; the search cuts it again."""
_SCALE = 1e6


@numba.njit(nogil=True, cache=True)
def merge_greedily(network: Any, grids: Any, scratch: Any) -> None:
    """Merge grids with their neighbours, the greatest gain first; ties go to the lower numbers."""
    n = len(network.area)
    version = np.zeros(n, dtype=np.int64)
    heap = [(np.int64(0), np.int64(-1), np.int64(-1), np.int64(0), np.int64(0))]
    heap.pop()
    for grid in range(n):
        if grids.count[grid] > 0:
            _offer(network, grids, scratch, version, heap, grid, grid)
    while len(heap) > 0:
        _, one, other, first, second = heapq.heappop(heap)
        if version[one] != first or version[other] != second:
            continue
        kept, lost = one, other
        if grids.count[lost] > grids.count[kept]:
            kept, lost = lost, kept
        if _unite(network, grids, scratch, kept, lost):
            version[kept] += 1
            version[lost] += 1
            _offer(network, grids, scratch, version, heap, kept, -1)


@numba.njit(nogil=True, cache=True)
def _unite(network: Any, grids: Any, scratch: Any, kept: int, lost: int) -> bool:
    """Merge one grid into another unless that makes a ring; return whether it was done."""
    taken = 0
    while grids.head[lost] >= 0:
        node = grids.head[lost]
        move(network, grids, node, kept)
        scratch.touched[taken] = node
        taken += 1
    if not is_ring(network, grids, scratch, kept):
        return True
    for k in range(taken - 1, -1, -1):
        move(network, grids, scratch.touched[k], lost)
    return False


@numba.njit(nogil=True, cache=True)
def _offer(
    network: Any, grids: Any, scratch: Any, version: Any, heap: Any, grid: int, above: int
) -> None:
    """Put a grid's gainful merges on the heap; only those with higher numbers than `above`."""
    count = neighbours(network, grids, scratch, grid)
    for k in range(count):
        other = scratch.touched[k]
        if other <= above:
            continue
        change = merge_change(network, grids, grid, other)
        if change < 0:
            low, high = min(grid, other), max(grid, other)
            entry = (
                np.int64(np.floor(change * _SCALE)),
                np.int64(low),
                np.int64(high),
                version[low],
                version[high],
            )
            heapq.heappush(heap, entry)


@numba.njit(nogil=True, cache=True)
def neighbours(network: Any, grids: Any, scratch: Any, grid: int) -> int:
    """Put the neighbours of a grid, ascending, into ``scratch.touched``; return their number."""
    scratch.stamp[0] += 1
    stamp = scratch.stamp[0]
    count = 0
    node = grids.head[grid]
    while node >= 0:
        for e in range(network.first[node], network.first[node + 1]):
            other = grids.label[network.near[e]]
            if other < 0 or other == grid or network.length[e] <= JOINT_M:
                continue
            if scratch.seen[other] != stamp:
                scratch.seen[other] = stamp
                scratch.touched[count] = other
                count += 1
        node = grids.after[node]
    scratch.touched[:count].sort()
    return count


@numba.njit(nogil=True, cache=True)
def merge_change(network: Any, grids: Any, one: int, other: int) -> float:
    """Return how much the cost changes when two grids become one; infinite past the limit."""
    area = grids.area[one] + grids.area[other]
    ideal = grids.ideal[one] + grids.ideal[other]
    if area * area > _LIMIT * ideal:
        return np.inf
    if grids.count[one] > grids.count[other]:
        one, other = other, one
    shared, cost = 0.0, 0.0
    node = grids.head[one]
    while node >= 0:
        length, price, _ = border(network, grids, node, other)
        shared += length
        cost += price
        node = grids.after[node]
    merged = worth_of(
        network.weights,
        area,
        ideal,
        grids.load[one] + grids.load[other],
        grids.rim[one] + grids.rim[other] - 2.0 * shared,
    )
    result: float = merged - cost - grids.worth[one] - grids.worth[other]
    return result
