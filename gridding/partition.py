"""Atoms into unit grids of balanced size and good shape: the division of a graph."""

import numpy as np

from gridding.enclosure import open_rings
from gridding.graph import Graph, Indices
from gridding.greedy import merge_greedily
from gridding.network import Network, network_of
from gridding.objective import weights_of
from gridding.options import DivisionOptions
from gridding.recut import recut
from gridding.search import anneal, descend

_ROUNDS = 12
_STEPS = 100
"""Random moves for every node."""
_HEAT, _COLD = 0.3, 0.01
"""Loss accepted once in e times, at the start and at the end."""


def partition(graph: Graph, *, options: DivisionOptions) -> Indices:
    """Return the grid of every node, numbered from 0 by first appearance."""
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
    ends = np.zeros((5, len(network.grids)))
    anneal(*network, _STEPS * len(network.grids), _HEAT, _COLD)
    for _ in range(_ROUNDS):
        descend(*network)
        if recut(*network, ends) == 0:
            break


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
