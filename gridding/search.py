"""Better divisions from a given one: nodes that change grid, one at a time or in chains."""

from typing import Any

import numba
import numpy as np

from gridding.contiguity import may_move
from gridding.network import JOINT_M, move, move_change

EPSILON = 1e-7
"""A gain smaller than this is none."""
_FORWARD = 6
"""Moves of a chain after its best point before it is given up."""


@numba.njit(nogil=True, cache=True)
def descend(network: Any, grids: Any, scratch: Any, is_dirty: Any) -> None:
    """Move nodes of the border between two grids while that gains; nodes in ascending order."""
    n = len(network.area)
    for _ in range(20):
        moved = 0
        for node in range(n):
            target = _best_move(network, grids, scratch, node)
            if target >= 0:
                is_dirty[target] = is_dirty[grids.label[node]] = True
                move(network, grids, node, target)
                moved += 1
        if moved == 0:
            break


@numba.njit(nogil=True, cache=True)
def _best_move(network: Any, grids: Any, scratch: Any, node: int) -> int:
    """Return the grid that a node had better be in; -1: it is well where it is."""
    best, change = -1, -EPSILON
    for e in range(network.first[node], network.first[node + 1]):
        grid = grids.label[network.near[e]]
        if grid < 0 or grid in (grids.label[node], best) or network.length[e] <= JOINT_M:
            continue
        found = move_change(network, grids, node, grid)
        if found < change and may_move(network, grids, scratch, node, grid):
            best, change = grid, found
    return best


@numba.njit(nogil=True, cache=True)
def anneal(network: Any, grids: Any, scratch: Any, steps: int, heat: float, cold: float) -> None:
    """Move nodes at random, losses too as long as it is warm: simulated annealing.

    The numbers come from a fixed seed (xorshift64*, Vigna 2016), so that every run is the same.
    """
    n = len(network.area)
    state = np.uint64(88172645463325252)
    ratio = cold / heat
    warmth = heat
    for step in range(steps):
        if step % 1024 == 0:
            warmth = heat * ratio ** (step / steps)
        state = _next(state)
        node = _draw(state, n)
        edges = network.first[node + 1] - network.first[node]
        if edges == 0:
            continue
        state = _next(state)
        e = network.first[node] + _draw(state, edges)
        grid = grids.label[network.near[e]]
        if grid < 0 or grid == grids.label[node] or network.length[e] <= JOINT_M:
            continue
        change = move_change(network, grids, node, grid)
        if change > 0:
            state = _next(state)
            if _draw(state, 1 << 30) / (1 << 30) >= np.exp(-change / warmth):
                continue
        if may_move(network, grids, scratch, node, grid):
            move(network, grids, node, grid)


@numba.njit(nogil=True, cache=True)
def _next(state: Any) -> Any:
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    return state


@numba.njit(nogil=True, cache=True)
def _draw(state: Any, below: int) -> int:
    """Return a whole number below a bound from a state."""
    return np.int64((state * np.uint64(2685821657736338717)) >> np.uint64(33)) % below


@numba.njit(nogil=True, cache=True)
def chain(
    network: Any, grids: Any, scratch: Any, nodes: Any, is_open: Any, is_moved: Any, log: Any
) -> float:
    """Move the given nodes between open grids, each once, the best move first, losses too.

    What follows the best point is undone (Fiduccia and Mattheyses 1982). Returns the change.
    """
    total, best, length, best_length = 0.0, 0.0, 0, 0
    while length < len(nodes) and length < best_length + _FORWARD:
        change, node, grid = _best_open(network, grids, scratch, nodes, is_open, is_moved)
        if node < 0:
            break
        log[length, 0] = node
        log[length, 1] = grids.label[node]
        is_moved[node] = True
        move(network, grids, node, grid)
        length += 1
        total += change
        if total < best - EPSILON:
            best, best_length = total, length
    for k in range(length - 1, -1, -1):
        is_moved[log[k, 0]] = False
        if k >= best_length:
            move(network, grids, log[k, 0], log[k, 1])
    return best


@numba.njit(nogil=True, cache=True)
def _best_open(
    network: Any, grids: Any, scratch: Any, nodes: Any, is_open: Any, is_moved: Any
) -> tuple[float, int, int]:
    best_change, best_node, best_grid = np.inf, -1, -1
    for node in nodes:
        if is_moved[node] or grids.count[grids.label[node]] == 1:
            continue
        last = grids.label[node]
        for e in range(network.first[node], network.first[node + 1]):
            grid = grids.label[network.near[e]]
            if grid < 0 or grid == last or network.length[e] <= JOINT_M or not is_open[grid]:
                continue
            if grid == grids.label[node]:
                continue
            last = grid
            change = move_change(network, grids, node, grid)
            if change < best_change - EPSILON and may_move(network, grids, scratch, node, grid):
                best_change, best_node, best_grid = change, node, grid
    return best_change, best_node, best_grid
