"""Sets of unit grids grown from seeds and improved grid by grid; compiled by numba.

Seeds far from each other grow, the lightest set first; then a set's seed moves to its middle and all
grow anew. Moves of single grids between neighbouring sets follow, at first also some that do not pay
(simulated annealing, Kirkpatrick et al. 1983), never one that would break a set apart.
"""

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from gridding.graph import Floats, Indices


class Ground(NamedTuple):
    """A connected piece of unit grids: neighbours in compressed rows, load and place of each."""

    first: Indices
    """Where the neighbours of a grid begin; one more value than there are grids."""
    near: Indices
    length: Floats
    """Border shared with each neighbour, over the side of a usual set."""
    load: Floats
    x: Floats
    y: Floats


BALANCE = 20.0
"""Weight of a set's squared deviation from the mean load against border as long as a set is wide."""
_MOVES = 400
_HEAT = 0.15
_COLD = 0.001


@numba.njit(cache=True)
def farthest_seeds(ground: Ground, count: int) -> NDArray[np.intp]:
    """Return seeds: first the grid farthest from the middle, then always the one farthest from all."""
    x, y = ground.x, ground.y
    seeds = np.zeros(count, dtype=np.intp)
    apart = (x - x.mean()) ** 2 + (y - y.mean()) ** 2
    for number in range(count):
        best = 0
        for grid in range(len(x)):
            if apart[grid] > apart[best]:
                best = grid
        seeds[number] = best
        for grid in range(len(x)):
            away = (x[grid] - x[best]) ** 2 + (y[grid] - y[best]) ** 2
            apart[grid] = min(apart[grid], away) if number else away
        apart[best] = -1.0
    return seeds


@numba.njit(cache=True)
def _next(
    ground: Ground,
    label: NDArray[np.intp],
    head: int,
    after: NDArray[np.intp],
    seed: int,
) -> int:
    """Return the free grid beside a set with much border in common and near its seed; -1: none."""
    first, near, x, y = ground.first, ground.near, ground.x, ground.y
    best, most = -1, -1.0e300
    own = label[head]
    grid = head
    while grid >= 0:
        for place in range(first[grid], first[grid + 1]):
            other = near[place]
            if label[other] >= 0:
                continue
            joined = 0.0
            for back in range(first[other], first[other + 1]):
                if label[near[back]] == own:
                    joined += ground.length[back]
            value = joined - np.sqrt((x[other] - x[seed]) ** 2 + (y[other] - y[seed]) ** 2)
            if value > most or (value == most and other < best):
                best, most = other, value
        grid = after[grid]
    return best


@numba.njit(cache=True)
def grow(ground: Ground, seeds: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the set of each grid: the lightest set takes the grid beside it that suits it best."""
    load = ground.load
    size, count = len(load), len(seeds)
    label = np.full(size, -1, dtype=np.intp)
    weight = np.zeros(count)
    is_open = np.ones(count, dtype=np.bool_)
    after = np.full(size, -1, dtype=np.intp)
    head = np.full(count, -1, dtype=np.intp)
    for number in range(count):
        label[seeds[number]] = number
        weight[number] = load[seeds[number]]
        head[number] = seeds[number]
    left = size - count
    while left > 0:
        lightest = -1
        for number in range(count):
            if is_open[number] and (lightest < 0 or weight[number] < weight[lightest]):
                lightest = number
        if lightest < 0:
            break
        best = _next(ground, label, head[lightest], after, seeds[lightest])
        if best < 0:
            is_open[lightest] = False
            continue
        label[best] = lightest
        after[best] = head[lightest]
        head[lightest] = best
        weight[lightest] += load[best]
        left -= 1
    return label


@numba.njit(cache=True)
def middles(ground: Ground, label: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Return for each set the grid of it that lies nearest to its middle."""
    held, east, north = np.zeros(count), np.zeros(count), np.zeros(count)
    for grid in range(len(label)):
        held[label[grid]] += 1.0
        east[label[grid]] += ground.x[grid]
        north[label[grid]] += ground.y[grid]
    best = np.full(count, -1, dtype=np.intp)
    least = np.full(count, 1.0e300)
    for grid in range(len(label)):
        number = label[grid]
        away = (ground.x[grid] - east[number] / held[number]) ** 2
        away += (ground.y[grid] - north[number] / held[number]) ** 2
        if away < least[number]:
            best[number], least[number] = grid, away
    return best


@numba.njit(cache=True)
def worth_of(ground: Ground, label: NDArray[np.intp], count: int) -> float:
    """Return the cost of a division: squared deviations of load, and the border between sets."""
    weight = np.zeros(count)
    cut = 0.0
    for grid in range(len(label)):
        weight[label[grid]] += ground.load[grid]
        for place in range(ground.first[grid], ground.first[grid + 1]):
            if label[ground.near[place]] != label[grid]:
                cut += ground.length[place] / 2
    mean = weight.sum() / count
    return float(BALANCE * (((weight / mean) - 1.0) ** 2).sum() + cut)


@numba.njit(cache=True)
def _stays_whole(
    ground: Ground, label: NDArray[np.intp], grid: int, mark: NDArray[np.intp], stamp: int
) -> bool:
    """Return whether the set of a grid hangs together without it: its neighbours meet some other way."""
    first, near = ground.first, ground.near
    own = label[grid]
    start, wanted = -1, 0
    for place in range(first[grid], first[grid + 1]):
        if label[near[place]] == own:
            start = near[place]
            wanted += 1
    if wanted == 0:
        return False
    queue = [start]
    mark[grid] = stamp
    mark[start] = stamp
    met = 0
    while len(queue) > 0:
        here = queue.pop()
        for place in range(first[here], first[here + 1]):
            other = near[place]
            if other == grid:
                met += 1
            if label[other] == own and mark[other] != stamp:
                mark[other] = stamp
                queue.append(other)
        if met == wanted:
            return True
    return met == wanted


@numba.njit(cache=True)
def _gain(ground: Ground, label: NDArray[np.intp], weight: Floats, grid: int, to: int) -> float:
    """Return how much the cost falls if a grid goes over to another set."""
    mean = weight.sum() / len(weight)
    own, load = label[grid], ground.load[grid]
    before = (weight[own] / mean - 1.0) ** 2 + (weight[to] / mean - 1.0) ** 2
    after = ((weight[own] - load) / mean - 1.0) ** 2 + ((weight[to] + load) / mean - 1.0) ** 2
    border = 0.0
    for place in range(ground.first[grid], ground.first[grid + 1]):
        other = label[ground.near[place]]
        if other == to:
            border += ground.length[place]
        elif other == own:
            border -= ground.length[place]
    return float(BALANCE * (before - after) + border)


@numba.njit(cache=True)
def improve(ground: Ground, label: NDArray[np.intp], count: int, seed: int) -> NDArray[np.intp]:
    """Return the division after moves of single grids; the best one met, then only better ones."""
    first, near = ground.first, ground.near
    size = len(label)
    np.random.seed(seed)
    weight = np.zeros(count)
    for grid in range(size):
        weight[label[grid]] += ground.load[grid]
    mark = np.zeros(size, dtype=np.intp)
    stamp = 0
    cost = worth_of(ground, label, count)
    best_cost, best = cost, label.copy()
    moves = size * _MOVES
    for step in range(moves):
        grid = np.random.randint(size)
        to = label[near[first[grid] + np.random.randint(first[grid + 1] - first[grid])]]
        if to == label[grid]:
            continue
        heat = _HEAT * (_COLD / _HEAT) ** (step / moves)
        gain = _gain(ground, label, weight, grid, to)
        if gain <= 0 and np.random.random() >= np.exp(gain / heat):
            continue
        stamp += 1
        if not _stays_whole(ground, label, grid, mark, stamp):
            continue
        weight[label[grid]] -= ground.load[grid]
        weight[to] += ground.load[grid]
        label[grid] = to
        cost -= gain
        if cost < best_cost - 1e-9:
            best_cost = cost
            best[:] = label
    return best
