"""The graph of atoms in the form the search works on: compressed rows, and grids that change.

All functions that end in plain loops are compiled by numba; their arrays are those of `Network`,
so that a move costs a fraction of a microsecond.
"""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.compiled import forget_stale
from gridding.compiling import compiled_in_place
from gridding.graph import Floats, Graph, Indices
from gridding.objective import Weights

forget_stale(
    Path(__file__).parent,
    modules=(
        "compiling",
        "contiguity",
        "enclosure",
        "greedy",
        "network",
        "nudges",
        "patches",
        "planes",
        "recut",
        "room",
        "search",
        "sweeps",
    ),
)

JOINT_M = 0.5
"""Length of a shared border from which two nodes count as neighbours, m."""
_BARRED_COST = -1000.0
"""Cost given to a locked border, so that no gain of size or shape outweighs it."""
_SMALLEST_M2 = 1e-3


NODE = np.dtype(
    [
        ("first", "i8"),  # where its neighbours begin; they end where the next node's begin
        ("label", "i8"),  # its grid; -1: outside
        ("after", "i8"),  # next node of its grid
        ("before", "i8"),
        ("mark", "i8"),
        ("is_outer", "i8"),  # outside, and a grid that is cut off from it is enclosed
        ("slot", "i8"),  # its place in the patch that was last taken with it
        ("area", "f8"),
        ("share", "f8"),  # area over target: how much of a grid it is
        ("load", "f8"),
        ("rim", "f8"),  # perimeter, m
    ]
)
EDGE = np.dtype([("near", "i8"), ("length", "f8"), ("cost", "f8")])
GRID = np.dtype(
    [
        ("head", "i8"),  # first of its nodes
        ("count", "i8"),
        ("mark", "i8"),
        ("changed", "i8"),  # when it last changed
        ("tried", "i8"),  # when it was last tried with all its neighbours
        ("area", "f8"),
        ("share", "f8"),
        ("load", "f8"),
        ("rim", "f8"),
        ("worth", "f8"),  # its cost
    ]
)

# Rows of the room to work in.
COUNTERS, QUEUE, GOAL, TOUCHED, AROUND, BEST_NODE, BEST = range(7)
STAMP, CLOCK, CURSOR, FOUND = range(4)


class Network(NamedTuple):
    """A graph with its grids, as every compiled function takes it: changed in place.

    Arrays of records keep what belongs together in one cache line, and five arguments where there
    would be thirty.
    """

    nodes: Any
    """Nodes ``0 … n-1``, behind them what lies outside, and one more that closes the last."""
    edges: Any
    """Neighbours of every node, row by row."""
    grids: Any
    """As many as nodes; those without nodes are not in use."""
    weights: Floats
    """Weight of area, shape and balance, the reward of a grid, the mean load."""
    room: Indices
    """Room to work in, a row for each purpose."""


def is_barred(graph: Graph) -> NDArray[np.bool_]:
    """Return which pairs of nodes a locked border parts, or parts for more than half a metre.

    A locked border costs -10 per m, the most wanted of the others more than -0.15.
    """
    inner = (graph.right < len(graph.area_m2)) & (graph.length_m > 0)
    some = graph.cost <= -0.15 * graph.length_m - 5.0
    barred: NDArray[np.bool_] = inner & (some | (graph.cost <= -5.0 * graph.length_m))
    return barred


def network_of(graph: Graph, *, weights: Weights) -> Network:
    """Return the network of a graph; outside nodes stand once for every piece that meets them."""
    n = len(graph.area_m2)
    left, right = graph.left.astype(np.intp), graph.right.astype(np.intp)
    length, cost = graph.length_m.astype(np.float64), graph.cost.astype(np.float64).copy()
    cost[is_barred(graph)] = _BARRED_COST
    right, is_outer = _own_outside(n, left, right, length)
    total = n + len(is_outer)
    source, target = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.lexsort((target, source))
    nodes = np.zeros(total + 1, dtype=NODE)
    nodes["first"][1:] = np.cumsum(np.bincount(source, minlength=total))
    nodes["label"] = -1
    nodes["is_outer"][n:total] = is_outer
    area = np.maximum(graph.area_m2.astype(np.float64), _SMALLEST_M2)
    target_m2 = np.maximum(graph.target_m2.astype(np.float64), 1.0)
    mean = float(graph.load.sum() / (area / target_m2).sum()) if n else 0.0
    nodes["area"][:n] = area
    nodes["share"][:n] = area / target_m2
    nodes["load"][:n] = graph.load
    both = np.concatenate([length, length])
    nodes["rim"][:total] = np.bincount(source, both, minlength=total)
    edges = np.zeros(len(order), dtype=EDGE)
    edges["near"], edges["length"] = target[order], both[order]
    edges["cost"] = np.concatenate([cost, cost])[order]
    balance = weights.balance if mean > 0 else 0.0
    values = [weights.area, weights.shape, balance, weights.reward, max(mean, 1e-9)]
    network = Network(
        nodes=nodes,
        edges=edges,
        grids=np.zeros(n, dtype=GRID),
        weights=np.array(values),
        room=np.zeros((7, max(total + 1, 16)), dtype=np.int64),
    )
    fill_grids(*network, np.arange(n, dtype=np.int64))
    return network


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


@compiled_in_place
def fill_grids(nodes: Any, edges: Any, grids: Any, weights: Any, room: Any, labels: Any) -> None:
    """Put every node into the grid that `labels` names and work out the sums."""
    room[COUNTERS, STAMP] = 0
    room[COUNTERS, CLOCK] = 2
    for grid in range(len(grids)):
        _clear(grids, grid)
        grids[grid]["head"] = -1
        grids[grid]["count"] = 0
        grids[grid]["changed"] = 1
    for node in range(len(labels) - 1, -1, -1):
        _enter(nodes, grids, node, labels[node])
        _add(nodes, grids, node, labels[node], 1.0)
    for node in range(len(labels)):
        inside = border(nodes, edges, node, labels[node])[0]
        grids[labels[node]]["rim"] += nodes[node]["rim"] - inside
    for grid in range(len(grids)):
        if grids[grid]["count"] > 0:
            grids[grid]["worth"] = _worth_now(grids, weights, grid)


@compiled_in_place
def _clear(grids: Any, grid: int) -> None:
    grids[grid]["area"] = 0.0
    grids[grid]["share"] = 0.0
    grids[grid]["load"] = 0.0
    grids[grid]["rim"] = 0.0
    grids[grid]["worth"] = 0.0


@compiled_in_place
def _enter(nodes: Any, grids: Any, node: int, grid: int) -> None:
    follower = grids[grid]["head"]
    nodes[node]["label"] = grid
    nodes[node]["before"] = -1
    nodes[node]["after"] = follower
    if follower >= 0:
        nodes[follower]["before"] = node
    grids[grid]["head"] = node
    grids[grid]["count"] += 1


@compiled_in_place
def _leave(nodes: Any, grids: Any, node: int, grid: int) -> None:
    leader, follower = nodes[node]["before"], nodes[node]["after"]
    if leader >= 0:
        nodes[leader]["after"] = follower
    else:
        grids[grid]["head"] = follower
    if follower >= 0:
        nodes[follower]["before"] = leader
    grids[grid]["count"] -= 1


@compiled_in_place
def _add(nodes: Any, grids: Any, node: int, grid: int, sign: float) -> None:
    grids[grid]["area"] += sign * nodes[node]["area"]
    grids[grid]["share"] += sign * nodes[node]["share"]
    grids[grid]["load"] += sign * nodes[node]["load"]


@compiled_in_place
def worth_of(weights: Any, area: float, share: float, load: float, rim: float) -> float:
    """Return the cost of a grid by its sums."""
    miss = abs(share - 1.0)
    far, out = max(0.0, miss - 0.2), max(0.0, miss - 0.4)
    cost = weights[0] * (0.3 * miss * miss + 9.0 * far * far + 30.0 * out * out) - weights[3]
    ragged = max(0.0, rim * rim / (16.0 * area) - 1.0)
    cost += weights[1] * (ragged + 1.5 * min(ragged, 0.2) + 1.2 * max(0.0, ragged - 0.5))
    if weights[2] > 0:
        cost += weights[2] * (load / weights[4] - 1.0) ** 2
    result: float = cost
    return result


@compiled_in_place
def _worth_now(grids: Any, weights: Any, grid: int) -> float:
    here = grids[grid]
    worth: float = worth_of(weights, here["area"], here["share"], here["load"], here["rim"])
    return worth


@compiled_in_place
def border(nodes: Any, edges: Any, node: int, grid: int) -> tuple[float, float]:
    """Return length and cost of the borders of a node with a grid."""
    length, cost = 0.0, 0.0
    for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
        if nodes[edges[e]["near"]]["label"] == grid:
            length += edges[e]["length"]
            cost += edges[e]["cost"]
    return length, cost


@compiled_in_place
def move_change(nodes: Any, edges: Any, grids: Any, weights: Any, node: int, grid: int) -> float:
    """Return how much the division's cost changes when a node goes to another grid."""
    here, new = nodes[node], grids[grid]
    own = here["label"]
    old = grids[own]
    inside, shared, cost = 0.0, 0.0, 0.0
    for e in range(here["first"], nodes[node + 1]["first"]):
        label = nodes[edges[e]["near"]]["label"]
        if label == own:
            inside += edges[e]["length"]
            cost += edges[e]["cost"]
        elif label == grid:
            shared += edges[e]["length"]
            cost -= edges[e]["cost"]
    change = worth_of(
        weights,
        new["area"] + here["area"],
        new["share"] + here["share"],
        new["load"] + here["load"],
        new["rim"] + here["rim"] - 2.0 * shared,
    )
    if old["count"] > 1:
        change += worth_of(
            weights,
            old["area"] - here["area"],
            old["share"] - here["share"],
            old["load"] - here["load"],
            old["rim"] - here["rim"] + 2.0 * inside,
        )
    result: float = change + cost - old["worth"] - new["worth"]
    return result


@compiled_in_place
def move(nodes: Any, edges: Any, grids: Any, weights: Any, node: int, grid: int) -> None:
    """Make a node part of another grid."""
    old = nodes[node]["label"]
    inside = border(nodes, edges, node, old)[0]
    shared = border(nodes, edges, node, grid)[0]
    _leave(nodes, grids, node, old)
    _enter(nodes, grids, node, grid)
    _add(nodes, grids, node, grid, 1.0)
    grids[grid]["rim"] += nodes[node]["rim"] - 2.0 * shared
    grids[grid]["worth"] = _worth_now(grids, weights, grid)
    if grids[old]["count"] == 0:
        _clear(grids, old)
        return
    _add(nodes, grids, node, old, -1.0)
    grids[old]["rim"] += 2.0 * inside - nodes[node]["rim"]
    grids[old]["worth"] = _worth_now(grids, weights, old)
