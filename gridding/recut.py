"""Grids and their neighbours taken together and cut anew, where that gains: recombination.

After the ReCom proposal of DeFord, Duchin and Solomon (2021), taken greedily: of all ways to merge a
grid with one or two neighbours and cut the whole into one, two or three, the best is kept.
"""

from typing import Any

import numba
import numpy as np

from gridding.contiguity import is_connected, is_ring
from gridding.greedy import neighbours
from gridding.network import (
    AROUND,
    BEST,
    BEST_NODE,
    CLOCK,
    COUNTERS,
    CURSOR,
    OLD,
    PATCH,
    SIZE,
    STAMP,
    TOUCHED,
    move,
)
from gridding.search import EPSILON, chain, settle
from gridding.sweeps import DIRECTIONS, lay, measure

_PARTS = 4
_LARGEST = 600
"""Nodes that are cut anew at most: larger heaps are left to single moves."""
_FEWEST, _MOST = 0.6, 1.7
"""Mean size of the parts, in targets, between which another number of parts is tried."""
_HOPE = 1.5
"""A cut this much dearer than the best may still become the best by moving single nodes."""
_POOR = 0.15
"""Cost of missing the target from which a grid is tried with two neighbours at once."""


@numba.njit(nogil=True, cache=True, error_model="numpy")
def recut(nodes: Any, edges: Any, grids: Any, weights: Any, room: Any, ends: Any) -> int:
    """Give every grid the best change with its neighbours; return how many changed."""
    changed = 0
    for grid in range(len(grids)):
        if grids[grid]["count"] > 0:
            changed += _recut_grid(nodes, edges, grids, weights, room, ends, grid)
    return changed


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _recut_grid(
    nodes: Any, edges: Any, grids: Any, weights: Any, room: Any, ends: Any, grid: int
) -> int:
    """Apply the best change of a grid alone or with one neighbour, else with two; 0: none gains.

    What was tried since the grids in question last changed is not tried again.
    """
    parts = np.zeros(_PARTS, dtype=np.int64)
    parts[0] = grid
    count = neighbours(nodes, edges, grids, room, grid)
    for k in range(count):
        room[AROUND, k] = room[TOUCHED, k]
    best = -EPSILON
    if grids[grid]["changed"] > grids[grid]["tried"]:
        best = _try_parts(nodes, edges, grids, weights, room, ends, parts, np.int64(1), best)
    for k in range(count):
        parts[1] = room[AROUND, k]
        if max(grids[grid]["tried"], grids[parts[1]]["tried"]) <= _changed(
            grids, parts, np.int64(2)
        ):
            best = _try_parts(nodes, edges, grids, weights, room, ends, parts, np.int64(2), best)
    if best == -EPSILON and grids[grid]["worth"] > _POOR * weights[0] - weights[3]:
        best = _try_triples(nodes, edges, grids, weights, room, ends, parts, count, best)
    room[COUNTERS, CLOCK] += 1
    grids[grid]["tried"] = room[COUNTERS, CLOCK]
    if best == -EPSILON:
        return 0
    room[COUNTERS, CLOCK] += 1
    for k in range(room[COUNTERS, SIZE]):
        node, target = room[BEST_NODE, k], room[BEST, k]
        old = nodes[node]["label"]
        grids[old]["changed"] = room[COUNTERS, CLOCK]
        grids[target]["changed"] = room[COUNTERS, CLOCK]
        if old != target:
            move(nodes, edges, grids, weights, node, target)
    return 1


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _changed(grids: Any, parts: Any, taken: Any) -> int:
    """Return when any of the first `taken` grids last changed."""
    latest = grids[parts[0]]["changed"]
    for k in range(1, taken):
        latest = max(latest, grids[parts[k]]["changed"])
    result: int = latest
    return result


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _try_triples(
    nodes: Any,
    edges: Any,
    grids: Any,
    weights: Any,
    room: Any,
    ends: Any,
    parts: Any,
    count: int,
    best: float,
) -> float:
    """Try a grid with every two of its neighbours; return the best change so far."""
    for j in range(count):
        for k in range(j + 1, count):
            parts[1], parts[2] = room[AROUND, j], room[AROUND, k]
            if grids[parts[0]]["tried"] <= _changed(grids, parts, np.int64(3)):
                best = _try_parts(
                    nodes, edges, grids, weights, room, ends, parts, np.int64(3), best
                )
    return best


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _try_parts(
    nodes: Any,
    edges: Any,
    grids: Any,
    weights: Any,
    room: Any,
    ends: Any,
    parts: Any,
    taken: Any,
    best: float,
) -> float:
    """Try what the first `taken` grids could become together; return the best change so far."""
    # A plain 0 would have numba compile all that follows once more, for that very number.
    size: Any = np.int64(0)
    ratio = 0.0
    room[COUNTERS, STAMP] += 1
    for k in range(taken):
        here = grids[parts[k]]
        ratio += here["share"]
        if size + here["count"] > _LARGEST:
            return best
        node = here["head"]
        while node >= 0:
            room[PATCH, size], room[OLD, size] = node, parts[k]
            nodes[node]["patch"] = room[COUNTERS, STAMP]
            size += 1
            node = nodes[node]["after"]
    if size > 1 and ratio > 1.0:
        measure(nodes, edges, room, ends, size)
    for wanted in range(max(1, taken - 1), min(taken + 1, size) + 1):
        # One more or one fewer only where the mean size stays near the target.
        if not _FEWEST < ratio / wanted < _MOST and wanted != taken:
            continue
        if wanted > taken:
            parts[taken] = _empty(grids, room)
        if wanted <= taken or parts[taken] >= 0:
            best = _try_number(
                nodes, edges, grids, weights, room, ends, parts, size, taken, wanted, best
            )
    return best


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _empty(grids: Any, room: Any) -> int:
    """Return the next grid without nodes, -1: there is none."""
    cursor: int = room[COUNTERS, CURSOR]
    for _ in range(len(grids)):
        cursor = (cursor + 1) % len(grids)
        if grids[cursor]["count"] == 0:
            room[COUNTERS, CURSOR] = cursor
            return cursor
    return -1


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _try_number(
    nodes: Any,
    edges: Any,
    grids: Any,
    weights: Any,
    room: Any,
    ends: Any,
    parts: Any,
    size: int,
    taken: Any,
    wanted: int,
    best: float,
) -> float:
    """Try to cut a patch into a number of parts in several ways; return the best change so far."""
    for k in range(wanted):
        grids[parts[k]]["is_open"] = 1
    total = 0.0
    known = np.zeros(2 * DIRECTIONS + 1)
    known += np.inf
    last = 1 if wanted == 1 else DIRECTIONS if wanted == 2 else 2 * DIRECTIONS
    for direction in range(-1 if wanted == taken > 1 else 0, last):
        if direction >= 0:
            total += lay(nodes, edges, grids, weights, room, ends, parts, size, wanted, direction)
        if wanted > 1 and total < best + _HOPE:
            total += settle(nodes, edges, grids, weights, room, size)
            is_new = _is_new(known, direction, total)
            if is_new and total < best + _HOPE / 3.0:
                total += chain(nodes, edges, grids, weights, room, size)
        if total < best - EPSILON and _is_sound(nodes, edges, grids, room, parts, wanted):
            best = total
            _note(nodes, room, size)
    _restore(nodes, edges, grids, weights, room, size)
    for k in range(wanted):
        grids[parts[k]]["is_open"] = 0
    return best


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _is_new(known: Any, direction: int, total: float) -> bool:
    """Note the change that a direction came to; return whether none before it came to the same."""
    known[direction + 1] = total
    is_new = True
    for k in range(direction + 1):
        is_new &= abs(known[k] - total) > EPSILON
    return is_new


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _restore(nodes: Any, edges: Any, grids: Any, weights: Any, room: Any, size: int) -> None:
    """Put the nodes of a patch back into the grids they came from."""
    for k in range(size):
        if nodes[room[PATCH, k]]["label"] != room[OLD, k]:
            move(nodes, edges, grids, weights, room[PATCH, k], room[OLD, k])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _note(nodes: Any, room: Any, size: int) -> None:
    """Note the grids of a patch as the best found."""
    room[COUNTERS, SIZE] = size
    for k in range(size):
        room[BEST_NODE, k] = room[PATCH, k]
        room[BEST, k] = nodes[room[PATCH, k]]["label"]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _is_sound(nodes: Any, edges: Any, grids: Any, room: Any, parts: Any, wanted: int) -> bool:
    """Return whether every part is in one piece and encloses no other grid."""
    for k in range(wanted):
        if not is_connected(nodes, edges, grids, room, parts[k]) or is_ring(
            nodes, edges, grids, room, parts[k]
        ):
            return False
    return True
