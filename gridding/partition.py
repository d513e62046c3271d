"""Atoms into unit grids of balanced size and good shape: the division of a graph."""

import numpy as np

from gridding.enclosure import open_rings
from gridding.graph import Floats, Graph, Indices
from gridding.greedy import merge_greedily
from gridding.network import Network, fill_grids, network_of
from gridding.objective import weights_of
from gridding.options import DivisionOptions
from gridding.recut import recut
from gridding.search import anneal, descend

_ROUNDS = 12
_MOVES, _STEPS = 200_000, (300, 4_000)
"""Random moves of one shaking, and the bounds of how many that is for a node."""
_SHAKEN, _MOST_SHAKES = 1200, 6
"""Nodes to be shaken in all, and how often at most."""
_HEAT, _COLD = 0.5, 0.01
"""Loss that is accepted once in e times, at the start and at the end."""


def partition(graph: Graph, *, options: DivisionOptions) -> Indices:
    """Return the grid of every node, numbered from 0 by first appearance.

    Grids are near their target in area, compact, and bounded by what is wanted as a border: of all that
    was tried, the division of least cost (`gridding.objective`). Every grid hangs together by borders
    longer than half a metre and runs round no other one, unless a single node does. A locked border
    always parts grids. Ties go to the lower node; the same graph gives the same division.
    """
    weights = weights_of(options)
    network = network_of(graph, weights=weights)
    opened, node = open_rings(graph, network)
    if len(opened.area_m2) < len(graph.area_m2) or len(opened.left) > len(graph.left):
        network = network_of(opened, weights=weights)
    merge_greedily(*network)
    if len(network.grids) > 1:
        _improve(network)
    return compact(network.nodes["label"][node])


def _improve(network: Network) -> None:
    """Search for a better division, first straight, then after shaking; the best one stays.

    Little land is shaken more often: there it costs nothing and a poor grid shows more.
    """
    n = len(network.grids)
    ends = np.zeros((5, n))
    _search(network, ends)
    labels, cost = network.nodes["label"][:n].copy(), _cost(network)
    steps = min(max(_MOVES // n, _STEPS[0]), _STEPS[1])
    for attempt in range(min(max(_SHAKEN // n, 1), _MOST_SHAKES)):
        # Another warmth takes another way from the same start.
        anneal(*network, steps * n, _HEAT * (1.0 - 0.1 * attempt), _COLD)
        _search(network, ends)
        found = _cost(network)
        if found < cost:
            labels, cost = network.nodes["label"][:n].copy(), found
        else:
            fill_grids(*network, labels)


def _search(network: Network, ends: Floats) -> None:
    for _ in range(_ROUNDS):
        descend(*network)
        if recut(*network, ends) == 0:
            break


def _cost(network: Network) -> float:
    """Return the cost of all grids and borders between them."""
    label, near = network.nodes["label"], network.edges["near"]
    source = np.repeat(label[:-1], np.diff(network.nodes["first"]))
    between = (source >= 0) & (label[near] >= 0) & (source != label[near])
    return round(
        float(network.grids["worth"].sum() + 0.5 * network.edges["cost"][between].sum()), 6
    )


def compact(labels: Indices) -> Indices:
    """Return labels numbered from 0 in the order in which they first appear.

    Examples
    --------
    >>> compact(np.array([7, 7, 2, 7, 5])).tolist()
    [0, 0, 1, 0, 2]
    """
    _, first, grid = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.intp)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[grid]
