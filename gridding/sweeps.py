"""Straight cuts through a patch of nodes that has no coordinates: sweeps from one end to another."""

from typing import Any

import numba
import numpy as np

from gridding.network import JOINT_M, ORDER, PATCH, QUEUE, move, move_change

DIRECTIONS = 4
_BETWEEN = ((0, 1), (2, 3), (0, 2), (2, 1))
"""The ends between which each direction runs."""
_ACROSS = (1, 0, 3, 2)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def lay(
    nodes: Any,
    edges: Any,
    grids: Any,
    weights: Any,
    room: Any,
    ends: Any,
    parts: Any,
    size: int,
    wanted: int,
    direction: int,
) -> float:
    """Cut a patch into parts of equal size by straight sweeps; return how the cost changes.

    From the fifth direction on only the first cut runs that way, the others across.
    """
    change = 0.0
    _sort(room, ends, np.int64(0), size, direction % DIRECTIONS)
    start: Any = np.int64(0)
    for k in range(wanted):
        if k == 1 and direction >= DIRECTIONS:
            _sort(room, ends, start, size, _ACROSS[direction % DIRECTIONS])
        stop = size if k == wanted - 1 else _portion(nodes, room, start, size, wanted - k)
        for i in range(start, stop):
            node = room[ORDER, i]
            if nodes[node]["label"] != parts[k]:
                change += move_change(nodes, edges, grids, weights, node, parts[k])
                move(nodes, edges, grids, weights, node, parts[k])
        start = stop
    return change


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _sort(room: Any, ends: Any, start: Any, size: int, direction: int) -> None:
    """Sort the patch, or what a first cut left of it, by how much nearer one end is than another.

    Distances run along the graph, so that what comes first hangs together, and what comes last.
    """
    if start == 0:
        for i in range(size):
            room[ORDER, i] = room[PATCH, i]
    source, sink = _BETWEEN[direction]
    for i in range(start, size):
        node = room[ORDER, i]
        key = ends[source, node] * (1.0 + 1e-6) - ends[sink, node]
        k = i
        while k > start and ends[4, room[ORDER, k - 1]] > key:
            room[ORDER, k] = room[ORDER, k - 1]
            k -= 1
        room[ORDER, k] = node
        ends[4, node] = key


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _portion(nodes: Any, room: Any, start: Any, size: int, pieces: int) -> int:
    """Return where the first of so many pieces of equal size ends; at least one node for each."""
    total = 0.0
    for i in range(start, size):
        total += nodes[room[ORDER, i]]["share"]
    done = 0.0
    for i in range(start, size):
        part = nodes[room[ORDER, i]]["share"]
        if i > start and (done + 0.5 * part > total / pieces or size - i < pieces):
            return i
        done += part
    return size


@numba.njit(nogil=True, cache=True, error_model="numpy")
def measure(nodes: Any, edges: Any, room: Any, ends: Any, size: int) -> None:
    """Work out distances in a patch from four ends.

    The node farthest from the first, the one farthest from that, the one farthest from both, and the
    one farthest from the third.
    """
    for row, one, other in ((-1, 0, 0), (0, 0, 0), (1, 0, 0), (2, 0, 1), (3, 2, 2)):
        start = room[PATCH, 0] if row < 0 else _farthest(room, ends, size, one, other)
        _walk(nodes, edges, room, ends, size, start, max(row, 0))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _farthest(room: Any, ends: Any, size: int, one: int, other: int) -> Any:
    """Return the node of a patch that is farthest from the nearer of two ends."""
    found, distance = np.int64(-1), -1.0
    for k in range(size):
        node = room[PATCH, k]
        near = min(ends[one, node], ends[other, node])
        if near > distance + 1e-6:
            found, distance = node, near
    return found


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _walk(nodes: Any, edges: Any, room: Any, ends: Any, size: int, start: int, row: int) -> None:
    """Work out how far the nodes of a patch are from one of them, by the roots of their areas."""
    stamp = nodes[start]["patch"]
    for k in range(size):
        ends[row, room[PATCH, k]] = 1e12
    ends[row, start] = 0.0
    room[QUEUE, 0] = start
    head, waiting, length = 0, 1, room.shape[1]
    while waiting > 0:
        node = room[QUEUE, head]
        nodes[node]["is_moved"] = 0
        head, waiting = (head + 1) % length, waiting - 1
        for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
            other = edges[e]["near"]
            if nodes[other]["patch"] != stamp or edges[e]["length"] <= JOINT_M:
                continue
            step = 0.5 * (np.sqrt(nodes[node]["area"]) + np.sqrt(nodes[other]["area"]))
            if ends[row, node] + step < ends[row, other] - 1e-6:
                ends[row, other] = ends[row, node] + step
                if nodes[other]["is_moved"] == 0:
                    nodes[other]["is_moved"] = 1
                    room[QUEUE, (head + waiting) % length] = other
                    waiting += 1
