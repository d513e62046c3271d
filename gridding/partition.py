"""Atoms into unit grids of balanced size and good shape: the division of a graph."""

import numpy as np

from gridding.graph import Graph, Indices
from gridding.greedy import merge_greedily
from gridding.network import Grids, Network, Scratch, grids_of, network_of, scratch_of
from gridding.objective import weights_of
from gridding.options import DivisionOptions
from gridding.recut import bench_of, recut
from gridding.search import anneal, descend

_ROUNDS = 12
_STEPS = 200
_HEAT = 0.3
_COLD = 0.01


def partition(graph: Graph, *, options: DivisionOptions) -> Indices:
    """Return the grid of every node, numbered from 0 by first appearance."""
    network = network_of(graph, weights=weights_of(options))
    n = len(graph.area_m2)
    grids = grids_of(network, np.arange(n, dtype=np.intp))
    scratch = scratch_of(network)
    merge_greedily(network, grids, scratch)
    _improve(network, grids, scratch)
    return compact(grids.label[:n])


def _improve(network: Network, grids: Grids, scratch: Scratch) -> None:
    n = len(network.area)
    bench = bench_of(n)
    is_dirty = np.ones(n, dtype=np.bool_)
    for _ in range(_ROUNDS):
        descend(network, grids, scratch, is_dirty)
        if recut(network, grids, scratch, bench, is_dirty) == 0:
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
