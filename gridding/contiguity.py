"""What a grid may not become: two pieces, or a ring with other grids inside."""

from typing import Any

import numba

from gridding.network import JOINT_M

_REACH = 400
"""Nodes looked at to prove that nothing is enclosed; past that it counts as enclosed."""


@numba.njit(nogil=True, cache=True)
def may_move(network: Any, grids: Any, scratch: Any, node: int, grid: int) -> bool:
    """Return whether a node may join a grid: both stay in one piece and no ring appears."""
    if grids.count[grids.label[node]] > 1 and _breaks(network, grids, scratch, node):
        return False
    return not _closes(network, grids, scratch, node, grid)


@numba.njit(nogil=True, cache=True)
def _breaks(network: Any, grids: Any, scratch: Any, node: int) -> bool:
    """Return whether a node's grid falls apart without it."""
    grid = grids.label[node]
    scratch.stamp[0] += 2
    stamp = scratch.stamp[0]
    left = 0
    start = -1
    for e in range(network.first[node], network.first[node + 1]):
        other = network.near[e]
        if grids.label[other] == grid and network.length[e] > JOINT_M:
            scratch.mark[other] = stamp - 1
            start = other
            left += 1
    if left < 2:
        return left == 0
    scratch.mark[node] = stamp
    return _spread(network, grids, scratch, start, left) > 0


@numba.njit(nogil=True, cache=True)
def _spread(network: Any, grids: Any, scratch: Any, start: int, left: int) -> int:
    """Return how many of `left` marked nodes are not reached from `start` inside its grid."""
    grid = grids.label[start]
    stamp = scratch.stamp[0]
    scratch.mark[start] = stamp
    scratch.queue[0] = start
    left -= 1
    head, tail = 0, 1
    while head < tail and left > 0:
        node = scratch.queue[head]
        head += 1
        for e in range(network.first[node], network.first[node + 1]):
            other = network.near[e]
            if grids.label[other] != grid or network.length[e] <= JOINT_M:
                continue
            if scratch.mark[other] == stamp:
                continue
            if scratch.mark[other] == stamp - 1:
                left -= 1
            scratch.mark[other] = stamp
            scratch.queue[tail] = other
            tail += 1
    return left


@numba.njit(nogil=True, cache=True)
def is_connected(network: Any, grids: Any, scratch: Any, grid: int) -> bool:
    """Return whether a grid is one piece."""
    scratch.stamp[0] += 2
    left = 0
    node = grids.head[grid]
    while node >= 0:
        scratch.mark[node] = scratch.stamp[0] - 1
        left += 1
        node = grids.after[node]
    return left == 0 or _spread(network, grids, scratch, grids.head[grid], left) == 0


@numba.njit(nogil=True, cache=True)
def _closes(network: Any, grids: Any, scratch: Any, node: int, grid: int) -> bool:
    """Return whether a grid that takes a node in encloses others from then on."""
    scratch.stamp[0] += 1
    count, needs_outer = _note(network, grids, scratch, node, grid, 0)
    return _encloses(network, grids, scratch, node, grid, count, needs_outer)


@numba.njit(nogil=True, cache=True)
def is_ring(network: Any, grids: Any, scratch: Any, grid: int) -> bool:
    """Return whether a grid encloses others."""
    scratch.stamp[0] += 1
    count, needs_outer = 0, False
    node = grids.head[grid]
    while node >= 0:
        count, is_outer = _note(network, grids, scratch, node, grid, count)
        needs_outer |= is_outer
        node = grids.after[node]
    return _encloses(network, grids, scratch, -1, grid, count, needs_outer)


@numba.njit(nogil=True, cache=True)
def _note(
    network: Any, grids: Any, scratch: Any, node: int, grid: int, count: int
) -> tuple[int, bool]:
    """Add a node's neighbours outside a grid to the goals; return their number, and if it is outer."""
    is_outer = False
    stamp = scratch.stamp[0]
    for e in range(network.first[node], network.first[node + 1]):
        other = network.near[e]
        if network.length[e] <= JOINT_M or grids.label[other] == grid:
            continue
        is_outer |= network.is_outer[other]
        if grids.label[other] >= 0 and scratch.mark[other] != stamp:
            scratch.mark[other] = stamp
            scratch.goal[count] = other
            count += 1
    return count, is_outer


@numba.njit(nogil=True, cache=True)
def _encloses(
    network: Any, grids: Any, scratch: Any, node: int, grid: int, count: int, needs_outer: bool
) -> bool:
    """Return whether grid and node cut the goals off from each other or from the exterior.

    Goals that are all found from the first need no way out unless the grid lies on the exterior.
    """
    goals = scratch.stamp[0]
    for k in range(count):
        start = scratch.goal[k]
        if scratch.mark[start] > goals:
            continue
        wanted = count if k == 0 and not needs_outer else count + 1
        found, is_out = _flood(network, grids, scratch, node, grid, goals, start, wanted)
        if found == count and wanted == count:
            return False
        if not is_out:
            return True
    return False


@numba.njit(nogil=True, cache=True)
def _flood(
    network: Any,
    grids: Any,
    scratch: Any,
    node: int,
    grid: int,
    goals: int,
    start: int,
    wanted: int,
) -> tuple[int, bool]:
    """Return how many goals are reached round grid and node, and whether a way out is.

    A way out is the exterior, or ground that was found to have one. Ends when either is known.
    """
    scratch.stamp[0] += 1
    stamp = scratch.stamp[0]
    scratch.mark[start] = stamp
    scratch.queue[0] = start
    head, tail, found = 0, 1, 1
    while head < tail and found < wanted and tail < _REACH:
        here = scratch.queue[head]
        head += 1
        for e in range(network.first[here], network.first[here + 1]):
            other = network.near[e]
            if other == node or grids.label[other] == grid or network.length[e] <= JOINT_M:
                continue
            mark = scratch.mark[other]
            if network.is_outer[other] or goals < mark < stamp:
                return found, True
            if mark == stamp:
                continue
            if mark == goals:
                found += 1
            scratch.mark[other] = stamp
            scratch.queue[tail] = other
            tail += 1
    return found, False
