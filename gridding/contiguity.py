"""What a grid may not become: two pieces, or a ring with other grids inside."""

from typing import Any

import numpy as np

from gridding.compiling import compiled_in_place
from gridding.network import COUNTERS, GOAL, JOINT_M, QUEUE, STAMP

_REACH = 1500
"""Nodes looked at to prove that nothing is enclosed; past that it counts as enclosed."""


@compiled_in_place
def may_move(network: Any, node: int, grid: int) -> bool:
    """Return whether a node may join a grid: both stay in one piece and no ring appears."""
    own = network.nodes[node]["label"]
    if network.grids[own]["count"] > 1 and _breaks(network, node):
        return False
    return not _closes(network, node, grid)


@compiled_in_place
def _breaks(network: Any, node: int) -> bool:
    """Return whether a node's grid falls apart without it."""
    nodes, edges, room = network.nodes, network.edges, network.room
    grid = nodes[node]["label"]
    room[COUNTERS, STAMP] += 2
    stamp = room[COUNTERS, STAMP]
    left: Any = np.int64(0)
    start: Any = np.int64(-1)
    for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
        other = edges[e]["near"]
        if nodes[other]["label"] == grid and edges[e]["length"] > JOINT_M:
            nodes[other]["mark"] = stamp - 1
            start = other
            left += 1
    if left < 2:
        return bool(left == 0)
    nodes[node]["mark"] = stamp
    return bool(_spread(network, start, left) > 0)


@compiled_in_place
def _spread(network: Any, start: Any, left: Any) -> Any:
    """Return how many of `left` marked nodes are not reached from `start` inside its grid."""
    nodes, edges, room = network.nodes, network.edges, network.room
    grid = nodes[start]["label"]
    stamp = room[COUNTERS, STAMP]
    nodes[start]["mark"] = stamp
    room[QUEUE, 0] = start
    left -= 1
    head, tail = 0, 1
    while head < tail and left > 0:
        node = room[QUEUE, head]
        head += 1
        for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
            other = edges[e]["near"]
            if nodes[other]["label"] != grid or edges[e]["length"] <= JOINT_M:
                continue
            if nodes[other]["mark"] == stamp:
                continue
            if nodes[other]["mark"] == stamp - 1:
                left -= 1
            nodes[other]["mark"] = stamp
            room[QUEUE, tail] = other
            tail += 1
    return left


@compiled_in_place
def is_connected(network: Any, grid: int) -> bool:
    """Return whether a grid is one piece."""
    nodes, room, head = network.nodes, network.room, network.grids[grid]["head"]
    room[COUNTERS, STAMP] += 2
    left: Any = np.int64(0)
    node = head
    while node >= 0:
        nodes[node]["mark"] = room[COUNTERS, STAMP] - 1
        left += 1
        node = nodes[node]["after"]
    return bool(left == 0 or _spread(network, head, left) == 0)


@compiled_in_place
def _closes(network: Any, node: int, grid: int) -> bool:
    """Return whether a grid that takes a node in encloses others from then on."""
    network.room[COUNTERS, STAMP] += 1
    count, needs_outer = _note(network, node, grid, np.int64(0))
    return _encloses(network, node, grid, count, needs_outer)


@compiled_in_place
def is_ring(network: Any, grid: int) -> bool:
    """Return whether a grid encloses others."""
    network.room[COUNTERS, STAMP] += 1
    count: Any = np.int64(0)
    needs_outer = False
    node = network.grids[grid]["head"]
    while node >= 0:
        count, is_outer = _note(network, node, grid, count)
        needs_outer |= is_outer
        node = network.nodes[node]["after"]
    return _encloses(network, np.int64(-1), grid, count, needs_outer)


@compiled_in_place
def _note(network: Any, node: Any, grid: int, count: Any) -> tuple[int, bool]:
    """Add a node's neighbours outside a grid to the goals; return their number, and if it is outer."""
    nodes, edges, room = network.nodes, network.edges, network.room
    is_outer = False
    stamp = room[COUNTERS, STAMP]
    for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
        other = edges[e]["near"]
        if edges[e]["length"] <= JOINT_M or nodes[other]["label"] == grid:
            continue
        is_outer |= nodes[other]["is_outer"]
        if nodes[other]["label"] >= 0 and nodes[other]["mark"] != stamp:
            nodes[other]["mark"] = stamp
            room[GOAL, count] = other
            count += 1
    return count, is_outer


@compiled_in_place
def _encloses(network: Any, node: Any, grid: int, count: Any, needs_outer: bool) -> bool:
    """Return whether grid and node cut the goals off from each other or from the exterior.

    Goals that are all found from the first need no way out unless the grid lies on the exterior.
    """
    nodes, room = network.nodes, network.room
    goals = room[COUNTERS, STAMP]
    for k in range(count):
        start = room[GOAL, k]
        if nodes[start]["mark"] > goals:
            continue
        wanted = count if k == 0 and not needs_outer else count + 1
        found, is_out = _flood(network, node, grid, goals, start, wanted)
        if found == count and wanted == count:
            return False
        if not is_out:
            return True
    return False


@compiled_in_place
def _flood(
    network: Any, node: int, grid: int, goals: int, start: int, wanted: int
) -> tuple[int, bool]:
    """Return how many goals are reached round grid and node, and whether a way out is.

    A way out is the exterior, or ground that was found to have one. Ends when either is known.
    """
    nodes, edges, room = network.nodes, network.edges, network.room
    room[COUNTERS, STAMP] += 1
    stamp = room[COUNTERS, STAMP]
    nodes[start]["mark"] = stamp
    room[QUEUE, 0] = start
    head, tail, found = 0, 1, 1
    while head < tail and found < wanted and tail < _REACH:
        here = room[QUEUE, head]
        head += 1
        for e in range(nodes[here]["first"], nodes[here + 1]["first"]):
            other = edges[e]["near"]
            if other == node or nodes[other]["label"] == grid or edges[e]["length"] <= JOINT_M:
                continue
            mark = nodes[other]["mark"]
            if nodes[other]["is_outer"] or goals < mark < stamp:
                return found, True
            if mark == stamp:
                continue
            if mark == goals:
                found += 1
            nodes[other]["mark"] = stamp
            room[QUEUE, tail] = other
            tail += 1
    return found, False
