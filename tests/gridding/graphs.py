"""Graphs of square cells for tests of the partition: built from a plan of numbers."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from gridding.graph import Graph

SIDE_M = 50.0


def graph_of(
    plan: ArrayLike,
    *,
    load: ArrayLike | None = None,
    target_m2: ArrayLike | float = 10_000.0,
    price: float = 0.0,
    prices: dict[tuple[int, int], float] | None = None,
) -> Graph:
    """Return the graph of a plan: cells of 50 m with the number of their node, -1 for no land.

    `price` is the cost of 100 m of every border, `prices` that of the border between two nodes.
    Ground without land at the plan's edge is the exterior, each other one a hole of the land.
    """
    plan = np.pad(np.asarray(plan), 1, constant_values=-1)
    n = plan.max() + 1
    outside = ndimage.label(plan < 0)[0]
    outside = np.where(
        outside == outside[0, 0], 0, np.where(outside > outside[0, 0], outside - 1, outside)
    )
    node = np.where(plan < 0, n + outside, plan)
    one = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    other = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    pairs = np.sort(np.stack([one, other], axis=1), axis=1)
    pairs = pairs[(pairs[:, 0] != pairs[:, 1]) & (pairs[:, 0] < n)]
    pairs, cells = np.unique(pairs, axis=0, return_counts=True)
    priced = [(prices or {}).get((int(a), int(b)), price) for a, b in pairs]
    length = cells * SIDE_M
    return Graph(
        area_m2=np.bincount(plan[plan >= 0], minlength=n) * SIDE_M**2,
        target_m2=np.broadcast_to(np.asarray(target_m2, dtype=np.float64), (n,)).copy(),
        load=np.zeros(n) if load is None else np.asarray(load, dtype=np.float64),
        left=pairs[:, 0],
        right=pairs[:, 1],
        length_m=length,
        cost=length * np.array(priced, dtype=np.float64) / 100.0,
    )


def lattice(rows: int, columns: int) -> np.ndarray:
    """Return the plan of a lattice with a node for every cell."""
    return np.arange(rows * columns).reshape(rows, columns)


def painted(plan: ArrayLike, labels: ArrayLike) -> np.ndarray:
    """Return a plan with the grid of every cell, -1 for no land."""
    plan = np.asarray(plan)
    return np.where(plan < 0, -1, np.append(np.asarray(labels), -1)[plan])


def is_connected(cells: np.ndarray) -> bool:
    """Return whether marked cells hang together by their sides."""
    return bool(ndimage.label(cells)[1] == 1)


def enclosed(grids: np.ndarray, label: int) -> int:
    """Return how many cells of other grids a grid encloses."""
    ground = np.pad(grids, 1, constant_values=-1)
    pieces, _ = ndimage.label(ground != label)
    return int(((pieces != pieces[0, 0]) & (ground != label) & (ground >= 0)).sum())
