"""Grids and their neighbours taken together and cut anew, where that gains: recombination.

After the ReCom proposal of DeFord, Duchin and Solomon (2021), taken greedily: of all ways to merge a
grid with one or two neighbours and cut the whole into one, two or three, the best is kept.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from gridding.contiguity import is_connected, is_ring
from gridding.graph import Floats, Indices
from gridding.greedy import neighbours
from gridding.network import JOINT_M, move, move_change
from gridding.search import EPSILON, chain

_PARTS = 4
_DIRECTIONS = 4
_LARGEST = 600
"""Nodes that are cut anew at most: larger heaps are left to single moves."""


class Bench(NamedTuple):
    """Room to try a change in."""

    nodes: Indices
    """Nodes of the grids taken together."""
    old: Indices
    """Their grids before."""
    best: Indices
    """Their grids after the best change found."""
    log: NDArray[np.intp]
    order: Indices
    parts: Indices
    """Grids taken together; behind them empty ones that may be filled."""
    around: Indices
    is_open: NDArray[np.bool_]
    is_moved: NDArray[np.bool_]
    ends: NDArray[np.float64]
    """Distances from the ends of a grid, one row each."""
    best_nodes: Indices
    best_size: Indices
    best_change: Floats
    cursor: Indices


def bench_of(nodes: int) -> Bench:
    """Return room for a network of that many nodes."""
    return Bench(
        nodes=np.zeros(nodes, dtype=np.intp),
        old=np.zeros(nodes, dtype=np.intp),
        best=np.zeros(nodes, dtype=np.intp),
        log=np.zeros((nodes, 2), dtype=np.intp),
        order=np.zeros(nodes, dtype=np.intp),
        parts=np.zeros(_PARTS, dtype=np.intp),
        around=np.zeros(nodes, dtype=np.intp),
        is_open=np.zeros(nodes, dtype=np.bool_),
        is_moved=np.zeros(nodes, dtype=np.bool_),
        ends=np.zeros((4, nodes)),
        best_nodes=np.zeros(nodes, dtype=np.intp),
        best_size=np.zeros(1, dtype=np.intp),
        best_change=np.zeros(1),
        cursor=np.zeros(1, dtype=np.intp),
    )


@numba.njit(nogil=True, cache=True)
def recut(network: Any, grids: Any, scratch: Any, bench: Any, is_dirty: Any) -> int:
    """Give every dirty grid the best change with its neighbours; return how many changed."""
    changed = 0
    for grid in range(len(network.area)):
        if not is_dirty[grid] or grids.count[grid] == 0:
            continue
        is_dirty[grid] = False
        changed += _recut_grid(network, grids, scratch, bench, is_dirty, grid)
    return changed


@numba.njit(nogil=True, cache=True)
def _recut_grid(
    network: Any, grids: Any, scratch: Any, bench: Any, is_dirty: Any, grid: int
) -> int:
    """Apply the best change of a grid alone or with one neighbour, else with two; 0: none gains."""
    count = neighbours(network, grids, scratch, grid)
    bench.around[:count] = scratch.touched[:count]
    bench.parts[0] = grid
    bench.best_change[0] = -EPSILON
    _try_parts(network, grids, scratch, bench, 1)
    for k in range(count):
        other = bench.around[k]
        bench.parts[1] = other
        if not (is_dirty[other] and other < grid):
            _try_parts(network, grids, scratch, bench, 2)
    if bench.best_change[0] == -EPSILON:
        for j in range(count):
            for k in range(j + 1, count):
                bench.parts[1], bench.parts[2] = bench.around[j], bench.around[k]
                _try_parts(network, grids, scratch, bench, 3)
    if bench.best_change[0] == -EPSILON:
        return 0
    for k in range(bench.best_size[0]):
        node, target = bench.best_nodes[k], bench.best[k]
        old = grids.label[node]
        is_dirty[old] = is_dirty[target] = True
        if old != target:
            move(network, grids, node, target)
    return 1


@numba.njit(nogil=True, cache=True)
def _try_parts(network: Any, grids: Any, scratch: Any, bench: Any, taken: int) -> None:
    """Try what the first `taken` grids could become together; the best is noted on the bench."""
    size, ratio = 0, 0.0
    for k in range(taken):
        grid = bench.parts[k]
        ratio += grids.area[grid] * grids.area[grid] / grids.ideal[grid]
        if size + grids.count[grid] > _LARGEST:
            return
        node = grids.head[grid]
        while node >= 0:
            bench.nodes[size] = node
            bench.old[size] = grid
            size += 1
            node = grids.after[node]
    if ratio > taken + 1.6:
        return
    for wanted in range(max(1, taken - 1), min(taken + 1, size) + 1):
        # One more or one fewer only where the mean size comes nearer to the target.
        if not 0.6 < ratio / wanted < 1.7 and wanted != taken:
            continue
        if wanted > taken:
            bench.parts[taken] = _empty(grids, bench)
            if bench.parts[taken] < 0:
                continue
        _try_number(network, grids, scratch, bench, size, taken, wanted)


@numba.njit(nogil=True, cache=True)
def _empty(grids: Any, bench: Any) -> int:
    """Return the next grid without nodes, -1: there is none."""
    count = len(grids.count)
    for _ in range(count):
        bench.cursor[0] = (bench.cursor[0] + 1) % count
        if grids.count[bench.cursor[0]] == 0:
            return bench.cursor[0]
    return -1


@numba.njit(nogil=True, cache=True)
def _try_number(
    network: Any, grids: Any, scratch: Any, bench: Any, size: int, taken: int, wanted: int
) -> None:
    """Try to cut the grids taken together into a number of parts, in several directions."""
    nodes = bench.nodes[:size]
    for k in range(wanted):
        bench.is_open[bench.parts[k]] = True
    tries = 1 if wanted == 1 else _DIRECTIONS
    start = -1 if wanted == taken > 1 else 0
    for direction in range(start, tries):
        change = 0.0
        if direction >= 0:
            change = _gather(network, grids, nodes, bench.parts[0])
            for k in range(1, wanted):
                share = 1.0 / (wanted - k + 1)
                whole, new = bench.parts[0], bench.parts[k]
                change += _split(network, grids, bench, whole, new, share, direction)
        for _ in range(2):
            gain = 0.0
            if wanted > 1:
                gain = chain(
                    network, grids, scratch, nodes, bench.is_open, bench.is_moved, bench.log
                )
            change += gain
            if gain > -EPSILON:
                break
        if change < bench.best_change[0] - EPSILON and _is_sound(
            network, grids, scratch, bench, wanted
        ):
            bench.best_change[0] = change
            bench.best_size[0] = size
            for k in range(size):
                bench.best_nodes[k] = nodes[k]
                bench.best[k] = grids.label[nodes[k]]
        for k in range(size):
            if grids.label[nodes[k]] != bench.old[k]:
                move(network, grids, nodes[k], bench.old[k])
    for k in range(wanted):
        bench.is_open[bench.parts[k]] = False


@numba.njit(nogil=True, cache=True)
def _is_sound(network: Any, grids: Any, scratch: Any, bench: Any, wanted: int) -> bool:
    for k in range(wanted):
        grid = bench.parts[k]
        if not is_connected(network, grids, scratch, grid):
            return False
        if is_ring(network, grids, scratch, grid):
            return False
    return True


@numba.njit(nogil=True, cache=True)
def _gather(network: Any, grids: Any, nodes: Any, grid: int) -> float:
    """Move all nodes into one grid; return how the cost changes."""
    change = 0.0
    for node in nodes:
        if grids.label[node] != grid:
            change += move_change(network, grids, node, grid)
            move(network, grids, node, grid)
    return change


@numba.njit(nogil=True, cache=True)
def _split(
    network: Any, grids: Any, bench: Any, whole: int, new: int, share: float, direction: int
) -> float:
    """Move a share of a grid, from one end on, into an empty one; return how the cost changes.

    Nodes are taken in the order of how much nearer they lie to one end than to the other, along the
    graph: so both parts hang together.
    """
    size, total = 0, 0.0
    node = grids.head[whole]
    while node >= 0:
        bench.order[size] = node
        size += 1
        total += network.area[node] ** 2 / network.ideal[node]
        node = grids.after[node]
    if size < 2:
        return 0.0
    members = np.sort(bench.order[:size])
    source, sink = _ends(network, grids, bench, members, direction)
    key = np.empty(size)
    for k in range(size):
        key[k] = bench.ends[source, members[k]] * (1.0 + 1e-6) - bench.ends[sink, members[k]]
    order = np.argsort(key, kind="mergesort")
    change, done = 0.0, 0.0
    for k in range(size - 1):
        node = members[order[k]]
        part = network.area[node] ** 2 / network.ideal[node]
        if k > 0 and done + 0.5 * part > share * total:
            break
        done += part
        change += move_change(network, grids, node, new)
        move(network, grids, node, new)
    return change


@numba.njit(nogil=True, cache=True)
def _ends(network: Any, grids: Any, bench: Any, members: Any, direction: int) -> tuple[int, int]:
    """Work out distances from the ends of a grid; return which two rows a direction is between.

    The ends: the node farthest from the first, the one farthest from that, and the one farthest from both.
    """
    _walk(network, grids, bench, members, members[0], 0)
    _walk(network, grids, bench, members, members[np.argmax(bench.ends[0][members])], 0)
    far = bench.ends[0][members]
    _walk(network, grids, bench, members, members[np.argmax(far)], 1)
    if direction == 0:
        return 0, 1
    both = np.minimum(bench.ends[0][members], bench.ends[1][members])
    _walk(network, grids, bench, members, members[np.argmax(both)], 2)
    if direction == 1:
        far = bench.ends[2][members]
        _walk(network, grids, bench, members, members[np.argmax(far)], 3)
        return 2, 3
    return (0, 2) if direction == 2 else (2, 1)


@numba.njit(nogil=True, cache=True)
def _walk(network: Any, grids: Any, bench: Any, members: Any, start: int, row: int) -> None:
    """Work out how far the nodes of a grid are from one of them, by the roots of their areas."""
    grid = grids.label[start]
    distance = bench.ends[row]
    for node in members:
        distance[node] = np.inf
    distance[start] = 0.0
    waiting = [start]
    head = 0
    while head < len(waiting):
        node = waiting[head]
        head += 1
        for e in range(network.first[node], network.first[node + 1]):
            other = network.near[e]
            if grids.label[other] != grid or network.length[e] <= JOINT_M:
                continue
            step = 0.5 * (np.sqrt(network.area[node]) + np.sqrt(network.area[other]))
            if distance[node] + step < distance[other] - 1e-6:
                distance[other] = distance[node] + step
                waiting.append(other)
