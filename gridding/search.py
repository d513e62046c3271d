"""Better divisions from a given one: nodes that change grid one at a time."""

from typing import Any

import numpy as np

from gridding.compiling import compiled_in_place
from gridding.contiguity import may_move
from gridding.network import CLOCK, COUNTERS, JOINT_M, move, move_change
from gridding.patches import EPSILON


@compiled_in_place
def descend(network: Any) -> None:
    """Move nodes of the border between two grids while that gains; nodes in ascending order."""
    n = len(network.grids)
    for _ in range(20):
        moved = 0
        for node in range(n):
            target = _best_move(network, node)
            if target >= 0:
                _change(network, node, target)
                moved += 1
        if moved == 0:
            break


@compiled_in_place
def _best_move(network: Any, node: int) -> Any:
    """Return the grid that a node had better be in; -1: it is well where it is."""
    nodes, edges, grids, weights, _ = network
    best: Any = np.int64(-1)
    change = -EPSILON
    for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
        grid = nodes[edges[e]["near"]]["label"]
        if grid < 0 or grid in (nodes[node]["label"], best) or edges[e]["length"] <= JOINT_M:
            continue
        found = move_change(nodes, edges, grids, weights, node, grid)
        if found < change and may_move(network, node, grid):
            best, change = grid, found
    return best


@compiled_in_place
def anneal(network: Any, steps: int, heat: float, cold: float) -> None:
    """Move nodes at random, losses too as long as it is warm: simulated annealing.

    The numbers come from a fixed seed (xorshift64*, Vigna 2016), so that every run is the same.
    """
    nodes, edges, grids, weights, _ = network
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
        if may_move(network, node, grid):
            _change(network, node, grid)


@compiled_in_place
def _change(network: Any, node: int, grid: int) -> None:
    """Move a node and note when both grids changed."""
    nodes, edges, grids, weights, room = network
    room[COUNTERS, CLOCK] += 1
    grids[grid]["changed"] = room[COUNTERS, CLOCK]
    grids[nodes[node]["label"]]["changed"] = room[COUNTERS, CLOCK]
    move(nodes, edges, grids, weights, node, grid)


@compiled_in_place
def _next(state: Any) -> Any:
    state ^= state >> np.uint64(12)
    state ^= state << np.uint64(25)
    state ^= state >> np.uint64(27)
    return state


@compiled_in_place
def _draw(state: Any, below: int) -> Any:
    """Return a whole number below a bound from a state."""
    # Of 32 bits, which are divided in less time; a bound never needs more.
    number = np.uint32((state * np.uint64(2685821657736338717)) >> np.uint64(33))
    drawn: Any = np.int64(number % np.uint32(below))
    return drawn
