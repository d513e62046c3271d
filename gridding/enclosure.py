"""Nodes that run round others: what they enclose joins them, or is divided on its own."""

from typing import Any

import numba
import numpy as np

from gridding.graph import Floats, Graph, Indices
from gridding.network import JOINT_M, Network, is_barred

_WHOLE = 1.5
"""What encloses and what is enclosed become one grid up to this many targets together."""
_SCRAP = 0.3
"""What is enclosed is no grid of its own below this share of the target."""


def open_rings(graph: Graph, network: Network) -> tuple[Graph, Indices]:
    """Return a graph in which no node encloses others, and the node there of every node.

    No grid with such a node could be without a ring. So what is enclosed joins it where both together
    are of use, and else is a piece of land of its own, whose exterior the node is.
    """
    n = len(graph.area_m2)
    ahead, last, holder, order = _walk_round(network.nodes, network.edges, n)
    group = np.arange(n, dtype=np.intp)
    ratio = graph.area_m2 / graph.target_m2
    apart: list[tuple[int, Indices]] = []
    for child in order[np.flatnonzero(holder[order] >= 0)]:
        within = order[ahead[child] : last[child] + 1]
        within = np.sort(within[within < n])
        node = holder[child]
        if len(within) == 0 or (group[within] == group[node]).all():
            continue
        inside = ratio[within].sum()
        useful = inside + ratio[node] <= _WHOLE or inside <= _SCRAP
        if useful and not _is_divided(graph, np.append(within, node)):
            group[within] = group[node]
        else:
            apart.append((node, within))
    return _contracted(_parted(graph, apart), group)


def _is_divided(graph: Graph, nodes: Indices) -> bool:
    """Return whether a locked border runs between some of the nodes."""
    both = np.isin(graph.left, nodes) & np.isin(graph.right, nodes)
    return bool(is_barred(graph)[both].any())


def _parted(graph: Graph, apart: list[tuple[int, Indices]]) -> Graph:
    """Return a graph where nodes and what they enclose meet the outside instead of each other."""
    n = len(graph.area_m2)
    left, right, length, cost = graph.left, graph.right, graph.length_m, graph.cost
    ring = max(n, int(right.max(initial=0))) + 1
    for node, within in apart:
        one, other = (
            (left == node) & np.isin(right, within),
            (right == node) & np.isin(left, within),
        )
        between = one | other
        if not between.any():
            continue
        inner = np.where(one, right, left)[between]
        left = np.concatenate([left[~between], inner, np.full(len(inner), node)])
        right = np.concatenate([right[~between], np.full(len(inner), n), np.full(len(inner), ring)])
        length = np.concatenate([length[~between], length[between], length[between]])
        cost = np.concatenate([cost[~between], np.zeros(2 * len(inner))])
        ring += 1
    return Graph(
        area_m2=graph.area_m2,
        target_m2=graph.target_m2,
        load=graph.load,
        left=left,
        right=right,
        length_m=length,
        cost=cost,
    )


def _contracted(graph: Graph, group: Indices) -> tuple[Graph, Indices]:
    """Return a graph with one node for each group, numbered by first node, and the node of each."""
    names, node = np.unique(group, return_inverse=True)
    n, count = len(group), len(names)
    area = _sum(node, graph.area_m2, count=count)
    share = _sum(node, graph.area_m2 / graph.target_m2, count=count)
    ends = np.concatenate(
        [node, np.arange(count, count + max(0, int(graph.right.max(initial=0)) - n + 1))]
    )
    one, other = ends[graph.left], ends[graph.right]
    low, high = np.minimum(one, other), np.maximum(one, other)
    kept = low != high
    pairs, number = np.unique(
        np.stack([low[kept], high[kept]], axis=1), axis=0, return_inverse=True
    )
    number = number.ravel()
    return Graph(
        area_m2=area,
        target_m2=area / np.maximum(share, 1e-12),
        load=_sum(node, graph.load, count=count),
        left=pairs[:, 0],
        right=pairs[:, 1],
        length_m=_sum(number, graph.length_m[kept], count=len(pairs)),
        cost=_sum(number, graph.cost[kept], count=len(pairs)),
    ), node


def _sum(label: Indices, values: Floats, *, count: int) -> Floats:
    return np.asarray(np.bincount(label, values, minlength=count), dtype=np.float64)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _walk_round(nodes: Any, edges: Any, n: int) -> Any:
    """Walk through the graph from outside, deepest first (Tarjan 1972).

    Returns for every node when it was met, when the last node behind it was, and the node that cuts it
    and all behind it off from outside, -1: none; and the nodes in the order in which they were met.
    """
    total = len(nodes) - 1
    ahead, last = np.full(total, -1), np.full(total, -1)
    low, holder = np.full(total, total), np.full(total, -1)
    order, path = np.empty(total, dtype=np.int64), np.empty(total + 1, dtype=np.int64)
    at = nodes["first"].copy()
    met = 0
    for start in range(n):
        if ahead[start] >= 0 or not _meets_outer(nodes, edges, start):
            continue
        depth = 0
        path[0] = start
        ahead[start], order[met], met = met, start, met + 1
        while depth >= 0:
            node = path[depth]
            if at[node] == nodes[node + 1]["first"]:
                last[node] = met - 1
                depth -= 1
                if depth >= 0:
                    above = path[depth]
                    low[above] = min(low[above], low[node])
                    if low[node] >= ahead[above] and above < n:
                        holder[node] = above
                continue
            other, length = edges[at[node]]["near"], edges[at[node]]["length"]
            at[node] += 1
            if length <= JOINT_M:
                continue
            if nodes[other]["is_outer"] == 1:
                low[node] = -1
            elif ahead[other] >= 0:
                low[node] = min(low[node], ahead[other])
            else:
                depth += 1
                path[depth] = other
                ahead[other], order[met], met = met, other, met + 1
    return ahead, last, holder, order[:met]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _meets_outer(nodes: Any, edges: Any, node: int) -> bool:
    for e in range(nodes[node]["first"], nodes[node + 1]["first"]):
        if nodes[edges[e]["near"]]["is_outer"] == 1 and edges[e]["length"] > JOINT_M:
            return True
    return False
