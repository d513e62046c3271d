"""Grids and their neighbours taken together and cut anew, where that gains: recombination.

After the ReCom proposal of DeFord, Duchin and Solomon (2021), taken greedily: of all ways to merge a
grid with one or two neighbours and cut the whole into one, two or three, the best is kept.
"""

from typing import Any

import numpy as np

from gridding.compiling import compiled_in_place
from gridding.contiguity import is_connected, is_ring
from gridding.greedy import neighbours
from gridding.network import (
    AROUND,
    BEST,
    BEST_NODE,
    CLOCK,
    COUNTERS,
    CURSOR,
    FOUND,
    TOUCHED,
    move,
)
from gridding.patches import (
    EPSILON,
    LARGEST,
    SIZE,
    TAKEN,
    add_up,
    chain,
    connect,
    put_back,
    settle,
    take,
)
from gridding.sweeps import DIRECTIONS, lay, measure

_FEWEST, _MOST = 0.6, 1.7
"""Mean size of the parts, in targets, between which another number of parts is tried."""
_HOPE = 1.5
"""A cut this much dearer than the best may still become the best by moving single nodes."""
_POOR = 0.15
"""Cost of missing the target from which a grid is tried with two neighbours at once."""


@compiled_in_place
def recut(network: Any, patch: Any) -> int:
    """Give every grid the best change with its neighbours; return how many changed."""
    changed = 0
    for grid in range(len(network.grids)):
        if network.grids[grid]["count"] > 0:
            changed += _recut_grid(network, patch, grid)
    return changed


@compiled_in_place
def _recut_grid(network: Any, patch: Any, grid: int) -> int:
    """Apply the best change of a grid alone or with one neighbour, else with two; 0: none gains.

    What was tried since the grids in question last changed is not tried again.
    """
    grids, weights, room = network.grids, network.weights, network.room
    patch.grids[0] = grid
    count = neighbours(network, grid)
    for k in range(count):
        room[AROUND, k] = room[TOUCHED, k]
    best = -EPSILON
    if grids[grid]["changed"] > grids[grid]["tried"]:
        best = _try_parts(network, patch, np.int64(1), best)
    for k in range(count):
        other = room[AROUND, k]
        patch.grids[1] = other
        if max(grids[grid]["tried"], grids[other]["tried"]) <= _changed(network, patch, 2):
            best = _try_parts(network, patch, np.int64(2), best)
    if best == -EPSILON and grids[grid]["worth"] > _POOR * weights[0] - weights[3]:
        best = _try_triples(network, patch, count, best)
    room[COUNTERS, CLOCK] += 1
    grids[grid]["tried"] = room[COUNTERS, CLOCK]
    if best == -EPSILON:
        return 0
    _apply(network)
    return 1


@compiled_in_place
def _apply(network: Any) -> None:
    """Make the grids that were noted as the best those of the network."""
    nodes, edges, grids, weights, room = network
    room[COUNTERS, CLOCK] += 1
    for k in range(room[COUNTERS, FOUND]):
        node, target = room[BEST_NODE, k], room[BEST, k]
        old = nodes[node]["label"]
        grids[old]["changed"] = room[COUNTERS, CLOCK]
        grids[target]["changed"] = room[COUNTERS, CLOCK]
        if old != target:
            move(nodes, edges, grids, weights, node, target)


@compiled_in_place
def _changed(network: Any, patch: Any, taken: int) -> int:
    """Return when any of the first `taken` grids of a patch last changed."""
    latest = network.grids[patch.grids[0]]["changed"]
    for k in range(1, taken):
        latest = max(latest, network.grids[patch.grids[k]]["changed"])
    result: int = latest
    return result


@compiled_in_place
def _try_triples(network: Any, patch: Any, count: int, best: float) -> float:
    """Try a grid with every two of its neighbours; return the best change so far."""
    room, tried = network.room, network.grids[patch.grids[0]]["tried"]
    for j in range(count):
        for k in range(j + 1, count):
            patch.grids[1], patch.grids[2] = room[AROUND, j], room[AROUND, k]
            if tried <= _changed(network, patch, 3):
                best = _try_parts(network, patch, np.int64(3), best)
    return best


@compiled_in_place
def _try_parts(network: Any, patch: Any, taken: Any, best: float) -> float:
    """Try what the first `taken` grids of a patch could become; return the best change so far."""
    nodes, edges, grids, _, room = network
    # A plain 0 would have numba compile all that follows once more, for that very number.
    size: Any = np.int64(0)
    ratio = 0.0
    for k in range(taken):
        size += grids[patch.grids[k]]["count"]
        ratio += grids[patch.grids[k]]["share"]
    if size > LARGEST:
        return best
    size = np.int64(0)
    for k in range(taken):
        size = take(nodes, grids, patch, patch.grids[k], k, size)
    patch.counts[SIZE], patch.counts[TAKEN] = size, taken
    connect(nodes, edges, patch, size)
    if size > 1 and ratio > 1.0:
        measure(patch, size)
    for wanted in range(max(1, taken - 1), min(taken + 1, size) + 1):
        # One more or one fewer only where the mean size stays near the target.
        if not _FEWEST < ratio / wanted < _MOST and wanted != taken:
            continue
        if wanted > taken:
            patch.grids[taken] = _empty(grids, room)
        if wanted <= taken or patch.grids[taken] >= 0:
            cuts = 1 if wanted == 1 else 0 if ratio <= 1.0 else min(wanted - 1, 2) * DIRECTIONS
            best = _try_number(network, patch, wanted, cuts, best)
    return best


@compiled_in_place
def _empty(grids: Any, room: Any) -> int:
    """Return the next grid without nodes, -1: there is none."""
    cursor: int = room[COUNTERS, CURSOR]
    for _ in range(len(grids)):
        cursor = (cursor + 1) % len(grids)
        if grids[cursor]["count"] == 0:
            room[COUNTERS, CURSOR] = cursor
            return cursor
    return -1


@compiled_in_place
def _try_number(network: Any, patch: Any, wanted: int, cuts: int, best: float) -> float:
    """Try to cut a patch into a number of parts in several ways; return the best change so far."""
    weights, size = network.weights, patch.counts[SIZE]
    put_back(patch, size)
    start = add_up(patch, weights, size)
    for k in range(len(patch.known)):
        patch.known[k] = np.inf
    for direction in range(-1 if wanted == patch.counts[TAKEN] > 1 else 0, cuts):
        total = 0.0
        if direction >= 0:
            lay(patch, size, wanted, direction)
            total = add_up(patch, weights, size) - start
        if wanted > 1 and total < best + _HOPE:
            total += settle(patch, weights, size, wanted)
            is_new = _is_new(patch.known, direction, total)
            if is_new and total < best + _HOPE / 3.0:
                total += chain(patch, weights, size, wanted)
        if total < best - EPSILON and _is_sound(network, patch, wanted):
            best = total
            _note(network.room, patch)
    return best


@compiled_in_place
def _is_new(known: Any, direction: int, total: float) -> bool:
    """Note the change that a direction came to; return whether none before it came to the same."""
    known[direction + 1] = total
    is_new = True
    for k in range(direction + 1):
        is_new &= abs(known[k] - total) > EPSILON
    return is_new


@compiled_in_place
def _note(room: Any, patch: Any) -> None:
    """Note the grids of a patch as the best found."""
    room[COUNTERS, FOUND] = patch.counts[SIZE]
    for k in range(patch.counts[SIZE]):
        room[BEST_NODE, k] = patch.spots[k]["node"]
        room[BEST, k] = patch.grids[patch.spots[k]["part"]]


@compiled_in_place
def _is_sound(network: Any, patch: Any, wanted: int) -> bool:
    """Return whether every part is in one piece and encloses no other grid."""
    size = patch.counts[SIZE]
    for k in range(size):
        _put(network, patch.spots[k]["node"], patch.grids[patch.spots[k]["part"]])
    is_sound = True
    for k in range(wanted):
        grid = patch.grids[k]
        is_sound = is_sound and is_connected(network, grid) and not is_ring(network, grid)
    for k in range(size):
        _put(network, patch.spots[k]["node"], patch.grids[patch.spots[k]["was"]])
    return is_sound


@compiled_in_place
def _put(network: Any, node: int, grid: int) -> None:
    nodes, edges, grids, weights, _ = network
    if nodes[node]["label"] != grid:
        move(nodes, edges, grids, weights, node, grid)
