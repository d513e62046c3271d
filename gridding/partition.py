"""Atoms into unit grids of balanced size and good shape: the division of a graph."""

import numpy as np

from gridding.enclosure import open_rings
from gridding.graph import Graph, Indices
from gridding.greedy import merge_greedily
from gridding.network import Network, fill_grids, network_of
from gridding.objective import weights_of
from gridding.options import DivisionOptions
from gridding.patches import Patch, patch_of
from gridding.recut import recut
from gridding.search import anneal, descend

_ROUNDS = 12
_STEPS = (700, 4_000)
"""Random moves for each node in one shaking: of much land and of little."""
_MOVES = 200_000
"""Random moves of one shaking that little land gets at least, as far as the bounds allow."""
_SHAKEN, _SHAKES = 1200, (1, 6)
"""Nodes to be shaken in all, and how often at least and at most."""
_HEAT, _COLD = 0.5, 0.05
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
    merge_greedily(network)
    if len(network.grids) > 1:
        _improve(network)
    return compact(network.nodes["label"][node])


def _improve(network: Network) -> None:
    """Shake, search for a better division, and do so again from the best one found.

    Little land is shaken more often: there it costs nothing and a poor grid shows more.
    """
    n = len(network.grids)
    patch = patch_of(n, len(network.edges))
    descend(network)
    labels, cost = network.nodes["label"][:n].copy(), _cost(network)
    steps = min(max(_MOVES // n, _STEPS[0]), _STEPS[1])
    for attempt in range(min(max(_SHAKEN // n, _SHAKES[0]), _SHAKES[1])):
        # Another warmth takes another way from the same start.
        anneal(network, steps * n, _HEAT * (1.0 - 0.1 * attempt), _COLD)
        _search(network, patch)
        found = _cost(network)
        if found < cost:
            labels, cost = network.nodes["label"][:n].copy(), found
        else:
            fill_grids(*network, labels)


def _search(network: Network, patch: Patch) -> None:
    for _ in range(_ROUNDS):
        descend(network)
        if recut(network, patch) == 0:
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
