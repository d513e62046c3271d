"""The graph of atoms in the form the search works on: compressed rows, and grids that change.

All functions that end in plain loops are compiled by numba; their arrays are those of `Network`,
`Grids` and `Scratch`, so that a move costs a fraction of a microsecond.
"""

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridding.graph import Floats, Graph, Indices
from gridding.objective import Weights

JOINT_M = 0.5
"""Length of a shared border from which two nodes count as neighbours, m."""
BARRED_PRICE = -5.0
"""Cost per m from which a border is locked: no grid may hold both its sides."""
BARRED_COST = -1000.0
"""Cost given to a locked border, so that no gain of size or shape outweighs it."""
_SMALLEST_M2 = 1e-3


class Network(NamedTuple):
    """Nodes ``0 … n-1`` and behind them what lies outside, with their neighbours row by row."""

    first: Indices
    """Where the neighbours of a node begin; one more value than there are nodes."""
    near: Indices
    """The neighbours."""
    length: Floats
    """Length of the border with each, m."""
    cost: Floats
    """What that border costs as a border between grids."""
    area: Floats
    """Area of a node, m²."""
    ideal: Floats
    """Area x target of a node: sums give the target of a grid."""
    load: Floats
    """Load of a node."""
    rim: Floats
    """Perimeter of a node, m."""
    is_outer: NDArray[np.bool_]
    """Outside nodes from which a grid is not enclosed: the land's exterior."""
    weights: Floats
    """Weight of area, shape and balance, the reward of a grid, the mean load."""


class Grids(NamedTuple):
    """Which grid every node belongs to, and the sums of every grid; changed in place."""

    label: Indices
    area: Floats
    ideal: Floats
    load: Floats
    rim: Floats
    count: Indices
    worth: Floats
    """Cost of each grid."""
    head: Indices
    """First node of a grid, -1: none."""
    after: Indices
    before: Indices


class Scratch(NamedTuple):
    """Room to work in, used again and again; ``stamp[0]`` tells old marks from new ones."""

    stamp: Indices
    mark: Indices
    queue: Indices
    goal: Indices
    distance: Floats
    touched: Indices
    seen: Indices


def network_of(graph: Graph, *, weights: Weights) -> Network:
    """Return the network of a graph; outside nodes stand once for every piece that meets them."""
    n = len(graph.area_m2)
    left, right = graph.left.astype(np.intp), graph.right.astype(np.intp)
    length, cost = graph.length_m.astype(np.float64), graph.cost.astype(np.float64).copy()
    barred = (right < n) & (cost <= BARRED_PRICE * length) & (length > 0)
    cost[barred] = BARRED_COST
    right, is_outer = _own_outside(n, left, right, length)
    total = n + len(is_outer)
    source, target = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.lexsort((target, source))
    first = np.zeros(total + 1, dtype=np.intp)
    np.cumsum(np.bincount(source, minlength=total), out=first[1:])
    area = np.maximum(graph.area_m2.astype(np.float64), _SMALLEST_M2)
    ideals = np.maximum(graph.target_m2.astype(np.float64), 1.0)
    mean = float(graph.load.sum() / max((area / ideals).sum(), 1e-9)) if n else 0.0
    return Network(
        first=first,
        near=target[order],
        length=np.concatenate([length, length])[order],
        cost=np.concatenate([cost, cost])[order],
        area=area,
        ideal=area * ideals,
        load=graph.load.astype(np.float64),
        rim=np.bincount(source, np.concatenate([length, length]), minlength=total)[:n],
        is_outer=np.concatenate([np.zeros(n, dtype=np.bool_), is_outer]),
        weights=np.array(
            [
                weights.area,
                weights.shape,
                weights.balance if mean > 0 else 0.0,
                weights.reward,
                max(mean, 1e-9),
            ]
        ),
    )


def _own_outside(
    n: int, left: Indices, right: Indices, length: Floats
) -> tuple[Indices, NDArray[np.bool_]]:
    """Return the pairs' second nodes with outside nodes numbered per piece, and which are outer.

    A piece that does not meet the land's exterior takes for it the ring it shares most length with.
    """
    joint = (right < n) & (length > JOINT_M)
    links = coo_array((np.ones(joint.sum()), (left[joint], right[joint])), shape=(n, n))
    _, piece = connected_components(links, directed=False)
    outside = np.flatnonzero(right >= n)
    keys = np.stack([piece[left[outside]], right[outside] - n], axis=1)
    distinct, number = np.unique(keys.reshape(-1, 2), axis=0, return_inverse=True)
    number = number.ravel()
    numbered = right.copy()
    numbered[outside] = n + number
    along = np.bincount(number, length[outside], minlength=len(distinct))
    order = np.lexsort((-along, distinct[:, 1] > 0, distinct[:, 0]))
    _, best = np.unique(distinct[order, 0], return_index=True)
    is_outer = np.zeros(len(distinct), dtype=np.bool_)
    is_outer[order[best]] = True
    return numbered, is_outer


def grids_of(network: Network, labels: Indices) -> Grids:
    """Return the grids that `labels` names: a number below n for every node."""
    n = len(network.area)
    total = len(network.first) - 1
    grids = Grids(
        label=np.full(total, -1, dtype=np.intp),
        area=np.zeros(n),
        ideal=np.zeros(n),
        load=np.zeros(n),
        rim=np.zeros(n),
        count=np.zeros(n, dtype=np.intp),
        worth=np.zeros(n),
        head=np.full(n, -1, dtype=np.intp),
        after=np.full(n, -1, dtype=np.intp),
        before=np.full(n, -1, dtype=np.intp),
    )
    fill_grids(network, grids, labels.astype(np.intp))
    return grids


def scratch_of(network: Network) -> Scratch:
    """Return room to work in."""
    total = len(network.first) - 1
    return Scratch(
        stamp=np.zeros(1, dtype=np.intp),
        mark=np.zeros(total, dtype=np.intp),
        queue=np.zeros(total + 1, dtype=np.intp),
        goal=np.zeros(total + 1, dtype=np.intp),
        distance=np.zeros(total),
        touched=np.zeros(total + 1, dtype=np.intp),
        seen=np.zeros(total, dtype=np.intp),
    )


@numba.njit(nogil=True, cache=True)
def fill_grids(network: Any, grids: Any, labels: Any) -> None:
    """Put every node into its grid and work out the sums."""
    for node in range(len(labels) - 1, -1, -1):
        _enter(grids, node, labels[node])
        _add(network, grids, node, labels[node], 1.0)
    for node in range(len(labels)):
        grid = labels[node]
        grids.rim[grid] += network.rim[node] - border(network, grids, node, grid)[0]
    for grid in range(len(labels)):
        if grids.count[grid] > 0:
            grids.worth[grid] = worth_now(network, grids, grid)


@numba.njit(nogil=True, cache=True)
def _enter(grids: Any, node: int, grid: int) -> None:
    grids.label[node] = grid
    follower = grids.head[grid]
    grids.before[node] = -1
    grids.after[node] = follower
    if follower >= 0:
        grids.before[follower] = node
    grids.head[grid] = node
    grids.count[grid] += 1


@numba.njit(nogil=True, cache=True)
def _leave(grids: Any, node: int, grid: int) -> None:
    leader, follower = grids.before[node], grids.after[node]
    if leader >= 0:
        grids.after[leader] = follower
    else:
        grids.head[grid] = follower
    if follower >= 0:
        grids.before[follower] = leader
    grids.count[grid] -= 1


@numba.njit(nogil=True, cache=True)
def _add(network: Any, grids: Any, node: int, grid: int, sign: float) -> None:
    grids.area[grid] += sign * network.area[node]
    grids.ideal[grid] += sign * network.ideal[node]
    grids.load[grid] += sign * network.load[node]


@numba.njit(nogil=True, cache=True)
def worth_of(weights: Any, area: float, ideal: float, load: float, rim: float) -> float:
    """Return the cost of a grid by its sums."""
    miss = abs(area * area / ideal - 1.0)
    far = max(0.0, miss - 0.4)
    cost = weights[0] * (miss * miss + 6.0 * far * far) - weights[3]
    cost += weights[1] * max(0.0, rim * rim / (16.0 * area) - 1.0)
    if weights[2] > 0:
        cost += weights[2] * (load / weights[4] - 1.0) ** 2
    result: float = cost
    return result


@numba.njit(nogil=True, cache=True)
def worth_now(network: Any, grids: Any, grid: int) -> float:
    """Return the cost of a grid as it is."""
    return worth_of(
        network.weights, grids.area[grid], grids.ideal[grid], grids.load[grid], grids.rim[grid]
    )


@numba.njit(nogil=True, cache=True)
def border(network: Any, grids: Any, node: int, grid: int) -> tuple[float, float, bool]:
    """Return length and cost of the borders of a node with a grid, and whether they are neighbours."""
    length, cost, is_joint = 0.0, 0.0, False
    for e in range(network.first[node], network.first[node + 1]):
        if grids.label[network.near[e]] == grid:
            length += network.length[e]
            cost += network.cost[e]
            is_joint |= network.length[e] > JOINT_M
    return length, cost, is_joint


@numba.njit(nogil=True, cache=True)
def move_change(network: Any, grids: Any, node: int, grid: int) -> float:
    """Return how much the division's cost changes when a node goes to another grid."""
    old = grids.label[node]
    shared_old, cost_old, _ = border(network, grids, node, old)
    shared_new, cost_new, _ = border(network, grids, node, grid)
    area, ideal, load, rim = (
        network.area[node],
        network.ideal[node],
        network.load[node],
        network.rim[node],
    )
    change = worth_of(
        network.weights,
        grids.area[grid] + area,
        grids.ideal[grid] + ideal,
        grids.load[grid] + load,
        grids.rim[grid] + rim - 2.0 * shared_new,
    )
    if grids.count[old] > 1:
        change += worth_of(
            network.weights,
            grids.area[old] - area,
            grids.ideal[old] - ideal,
            grids.load[old] - load,
            grids.rim[old] - rim + 2.0 * shared_old,
        )
    change += cost_old - cost_new - grids.worth[old] - grids.worth[grid]
    result: float = change
    return result


@numba.njit(nogil=True, cache=True)
def move(network: Any, grids: Any, node: int, grid: int) -> None:
    """Make a node part of another grid."""
    old = grids.label[node]
    shared_old = border(network, grids, node, old)[0]
    shared_new = border(network, grids, node, grid)[0]
    _leave(grids, node, old)
    _enter(grids, node, grid)
    _add(network, grids, node, grid, 1.0)
    grids.rim[grid] += network.rim[node] - 2.0 * shared_new
    grids.worth[grid] = worth_now(network, grids, grid)
    if grids.count[old] == 0:
        grids.area[old] = grids.ideal[old] = grids.load[old] = grids.rim[old] = 0.0
        grids.worth[old] = 0.0
        return
    _add(network, grids, node, old, -1.0)
    grids.rim[old] += 2.0 * shared_old - network.rim[node]
    grids.worth[old] = worth_now(network, grids, old)
