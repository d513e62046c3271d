"""Better divisions from a given one: nodes that change grid, one at a time or in chains."""

from typing import Any

import numba
import numpy as np

from gridding.contiguity import may_move
from gridding.network import CLOCK, COUNTERS, JOINT_M, LOG_GRID, LOG_NODE, PATCH, move, move_change

EPSILON = 1e-7
"""A gain smaller than this is none."""
_FORWARD = 6
"""Moves of a chain after its best point before it is given up."""


@numba.njit(nogil=True, cache=True, error_model="numpy")
def descend(nodes: Any, edges: Any, grids: Any, weights: Any, room: Any) -> None:
    """Move nodes of the border between two grids while that gains; nodes in ascending order."""
    n = len(grids)
    for _ in range(20):
        moved = 0
        for node in range(n):
            target = _best_move(nodes, edges, grids, weights, room, node)
            if target >= 0:
                _change(nodes, edges, grids, weights, room, node, target)
                moved += 1
        if moved == 0:
            break


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _best_move(nodes: Any, edges: Any, grids: Any, weights: Any, room: Any, node: int) -> Any:
    """Return the grid that a node had better be in; -1: it is well where it is."""
    best: Any = np.int64(-1)
    change = -EPSILON
    for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
        grid = nodes[edges[e]["near"]]["label"]
        if grid < 0 or grid in (nodes[node]["label"], best) or edges[e]["length"] <= JOINT_M:
            continue
        found = move_change(nodes, edges, grids, weights, node, grid)
        if found < change and may_move(nodes, edges, grids, room, node, grid):
            best, change = grid, found
    return best


@numba.njit(nogil=True, cache=True, error_model="numpy")
def anneal(
    nodes: Any,
    edges: Any,
    grids: Any,
    weights: Any,
    room: Any,
    steps: int,
    heat: float,
    cold: float,
) -> None:
    """Move nodes at random, losses too as long as it is warm: simulated annealing.

    The numbers come from a fixed seed (xorshift64*, Vigna 2016), so that every run is the same.
    """
    n = len(grids)
    state = np.uint64(88172645463325252)
    ratio = cold / heat
    warmth = heat
    for step in range(steps):
        if step % 1024 == 0:
            warmth = heat * ratio ** (step / steps)
        state = _next(state)
        node = _draw(state, n)
        degree = nodes[node + 1]["first"] - nodes[node]["first"]
        if degree == 0:
            continue
        state = _next(state)
        e = nodes[node]["first"] + _draw(state, degree)
        grid = nodes[edges[e]["near"]]["label"]
        if grid < 0 or grid == nodes[node]["label"] or edges[e]["length"] <= JOINT_M:
            continue
        change = move_change(nodes, edges, grids, weights, node, grid)
        if change > 0:
            state = _next(state)
            if _draw(state, 1 << 30) / (1 << 30) >= np.exp(-change / warmth):
                continue
        if may_move(nodes, edges, grids, room, node, grid):
            _change(nodes, edges, grids, weights, room, node, grid)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _change(
    nodes: Any, edges: Any, grids: Any, weights: Any, room: Any, node: int, grid: int
) -> None:
    """Move a node and note when both grids changed."""
    room[COUNTERS, CLOCK] += 1
    grids[grid]["changed"] = room[COUNTERS, CLOCK]
    grids[nodes[node]["label"]]["changed"] = room[COUNTERS, CLOCK]
    move(nodes, edges, grids, weights, node, grid)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _next(state: Any) -> Any:
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    return state


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _draw(state: Any, below: int) -> Any:
    """Return a whole number below a bound from a state."""
    number: Any = np.int64((state * np.uint64(2685821657736338717)) >> np.uint64(33)) % below
    return number


@numba.njit(nogil=True, cache=True, error_model="numpy")
def settle(nodes: Any, edges: Any, grids: Any, weights: Any, room: Any, size: int) -> float:
    """Move the nodes of a patch between open grids while each move gains; return the change."""
    total = 0.0
    for _ in range(8):
        gain = 0.0
        for k in range(size):
            node = room[PATCH, k]
            change, grid = _best_open(nodes, edges, grids, weights, room, node, -EPSILON)
            if grid >= 0:
                move(nodes, edges, grids, weights, node, grid)
                gain += change
        total += gain
        if gain == 0.0:
            break
    return total


@numba.njit(nogil=True, cache=True, error_model="numpy")
def chain(nodes: Any, edges: Any, grids: Any, weights: Any, room: Any, size: int) -> float:
    """Move the nodes of a patch between open grids, each once, the best first, losses too.

    What follows the best point is undone (Fiduccia and Mattheyses 1982). Returns the change.
    """
    total, best, length, kept = 0.0, 0.0, 0, 0
    while length < size and length < kept + _FORWARD:
        node: Any = np.int64(-1)
        grid: Any = np.int64(-1)
        change = np.inf
        for k in range(size):
            other = room[PATCH, k]
            if nodes[other]["is_moved"] == 0:
                found, target = _best_open(
                    nodes, edges, grids, weights, room, other, change - EPSILON
                )
                if target >= 0:
                    change, node, grid = found, other, target
        if node < 0:
            break
        room[LOG_NODE, length], room[LOG_GRID, length] = node, nodes[node]["label"]
        nodes[node]["is_moved"] = 1
        move(nodes, edges, grids, weights, node, grid)
        length += 1
        total += change
        if total < best - EPSILON:
            best, kept = total, length
    for k in range(length - 1, -1, -1):
        nodes[room[LOG_NODE, k]]["is_moved"] = 0
        if k >= kept:
            move(nodes, edges, grids, weights, room[LOG_NODE, k], room[LOG_GRID, k])
    return best


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _best_open(
    nodes: Any, edges: Any, grids: Any, weights: Any, room: Any, node: int, below: float
) -> tuple[float, Any]:
    """Return the open grid a node had best go to, if that changes the cost by less than `below`."""
    best: Any = np.int64(-1)
    own = nodes[node]["label"]
    if grids[own]["count"] == 1:
        return below, best
    last = own
    for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
        grid = nodes[edges[e]["near"]]["label"]
        if grid < 0 or grid in (own, last, best) or edges[e]["length"] <= JOINT_M:
            continue
        if grids[grid]["is_open"] == 0:
            continue
        last = grid
        change = move_change(nodes, edges, grids, weights, node, grid)
        if change < below and may_move(nodes, edges, grids, room, node, grid):
            best, below = grid, change
    return below, best
