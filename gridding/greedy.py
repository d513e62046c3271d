"""The start of the search: neighbours merge, the greatest gain first, while any gains."""

import heapq
from typing import Any

import numba
import numpy as np

from gridding.contiguity import is_ring
from gridding.network import COUNTERS, JOINT_M, STAMP, TOUCHED, border, move, worth_of

_LIMIT = 2.2
"""A merged grid may be this many times its target; the search cuts it again."""
_SCALE = 1e6


@numba.njit(nogil=True, cache=True, error_model="numpy")
def merge_greedily(network: Any) -> None:
    """Merge grids with their neighbours, the greatest gain first; ties go to the lower numbers."""
    grids = network.grids
    version = np.zeros(len(grids), dtype=np.int64)
    heap: Any = [(np.int64(0), np.int64(-1), np.int64(-1), np.int64(0), np.int64(0))]
    heap.pop()
    for grid in range(len(grids)):
        if grids[grid]["count"] > 0:
            _offer(network, version, heap, grid, grid)
    while len(heap) > 0:
        _, one, other, first, second = heapq.heappop(heap)
        if version[one] != first or version[other] != second:
            continue
        kept: int = one
        lost: int = other
        if grids[lost]["count"] > grids[kept]["count"]:
            kept, lost = lost, kept
        if _unite(network, kept, lost):
            version[kept] += 1
            version[lost] += 1
            _offer(network, version, heap, kept, np.int64(-1))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _unite(network: Any, kept: int, lost: int) -> bool:
    """Merge one grid into another unless that makes a ring; return whether it was done."""
    nodes, edges, grids, weights, room = network
    taken = 0
    while grids[lost]["head"] >= 0:
        node = grids[lost]["head"]
        move(nodes, edges, grids, weights, node, kept)
        room[TOUCHED, taken] = node
        taken += 1
    if not is_ring(network, kept):
        return True
    for k in range(taken - 1, -1, -1):
        move(nodes, edges, grids, weights, room[TOUCHED, k], lost)
    return False


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _offer(network: Any, version: Any, heap: Any, grid: int, above: Any) -> None:
    """Put a grid's gainful merges on the heap; only those with higher numbers than `above`."""
    nodes, edges, grids, weights, room = network
    count = neighbours(network, grid)
    for k in range(count):
        other = room[TOUCHED, k]
        if other <= above:
            continue
        change = merge_change(nodes, edges, grids, weights, grid, other)
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


@numba.njit(nogil=True, cache=True, error_model="numpy")
def neighbours(network: Any, grid: int) -> int:
    """Put the neighbours of a grid, ascending, into row TOUCHED; return their number."""
    nodes, edges, grids, _, room = network
    room[COUNTERS, STAMP] += 1
    stamp = room[COUNTERS, STAMP]
    count = 0
    node = grids[grid]["head"]
    while node >= 0:
        for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
            other = nodes[edges[e]["near"]]["label"]
            if other < 0 or other == grid or edges[e]["length"] <= JOINT_M:
                continue
            if grids[other]["mark"] != stamp:
                grids[other]["mark"] = stamp
                room[TOUCHED, count] = other
                count += 1
        node = nodes[node]["after"]
    for k in range(1, count):
        other = room[TOUCHED, k]
        while k > 0 and room[TOUCHED, k - 1] > other:
            room[TOUCHED, k] = room[TOUCHED, k - 1]
            k -= 1
        room[TOUCHED, k] = other
    return count


@numba.njit(nogil=True, cache=True, error_model="numpy")
def merge_change(nodes: Any, edges: Any, grids: Any, weights: Any, one: int, other: int) -> float:
    """Return how much the cost changes when two grids become one; infinite past the limit."""
    area = grids[one]["area"] + grids[other]["area"]
    share = grids[one]["share"] + grids[other]["share"]
    if share > _LIMIT:
        return np.inf
    if grids[one]["count"] > grids[other]["count"]:
        one, other = other, one
    shared, cost = 0.0, 0.0
    node = grids[one]["head"]
    while node >= 0:
        length, price = border(nodes, edges, node, other)
        shared += length
        cost += price
        node = nodes[node]["after"]
    merged = worth_of(
        weights,
        area,
        share,
        grids[one]["load"] + grids[other]["load"],
        grids[one]["rim"] + grids[other]["rim"] - 2.0 * shared,
    )
    result: float = merged - cost - grids[one]["worth"] - grids[other]["worth"]
    return result
