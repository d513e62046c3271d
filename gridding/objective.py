"""What a division costs: grids far from the target area or ragged, and borders in the open.

A division's cost is the sum over its grids of `grid_costs` and, over every border between two grids,
of price x length / 100 m. A negative price marks a border that is wanted, as a main road.
"""

from dataclasses import dataclass

import numpy as np

from gridding.graph import Floats, Graph, Indices
from gridding.options import DivisionOptions

RING_COST = 3.0
"""Cost of a grid that runs round another one."""


_LINE = np.array([[0.5, 0.6], [1.0, 1.0], [1.5, 1.4]])
"""Factors of the weights of shape and reward at neatness 0, 0.5 and 1."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What weighs how much in the cost of a division."""

    area: float
    """Missing the target area."""
    shape: float
    """A shape unlike a square."""
    balance: float
    """Missing the mean load 负载均衡."""
    reward: float
    """Reward of one more grid."""


def weights_of(options: DivisionOptions) -> Weights:
    """Return the weights at the chosen place between even size and neat shape.

    At neatness 0.5 they are those of the options; 0 and 1 are the ends of the line along which a
    gain in shape was measured to cost least in size.

    Examples
    --------
    >>> weights_of(DivisionOptions(neatness=1.0))
    Weights(area=4.0, shape=6.75, balance=0.0, reward=2.24)
    >>> weights_of(DivisionOptions(neatness=0.0))
    Weights(area=4.0, shape=2.25, balance=0.0, reward=0.96)
    """
    factors = [np.interp(options.neatness, [0.0, 0.5, 1.0], column) for column in _LINE.T]
    return Weights(
        area=options.area_weight,
        shape=round(float(options.shape_weight * factors[0]), 9),
        balance=options.balance_weight,
        reward=round(float(options.grid_reward * factors[1]), 9),
    )


def grid_costs(area_m2: Floats, perimeter_m: Floats, share: Floats, *, weights: Weights) -> Floats:
    """Return the cost of grids by area, perimeter, and area over target; load plays no part.

    Missing the target costs next to nothing up to a fifth, and much from two fifths on; shape costs by
    perimeter² over 16 areas, up to 1.2 and above 1.5 more than between: it pays to make ordinary grids
    nearly square, and the worst ones better.

    Examples
    --------
    >>> area, perimeter = np.array([10_000.0, 20_000.0]), np.array([400.0, 600.0])
    >>> weights = weights_of(DivisionOptions(neatness=0.5))
    >>> grid_costs(area, perimeter, area / 10_000, weights=weights).round(3).tolist()
    [-1.6, 67.246]
    """
    miss = np.abs(share - 1.0)
    far, out = np.maximum(0.0, miss - 0.2), np.maximum(0.0, miss - 0.4)
    size = 0.3 * miss**2 + 9.0 * far**2 + 30.0 * out**2
    ragged = np.maximum(0.0, perimeter_m**2 / (16.0 * area_m2) - 1.0)
    shape = ragged + 1.5 * np.minimum(ragged, 0.2) + 1.2 * np.maximum(0.0, ragged - 0.5)
    cost: Floats = weights.area * size + weights.shape * shape - weights.reward
    return cost


def division_cost(graph: Graph, labels: Indices, *, options: DivisionOptions) -> float:
    """Return the cost of a graph's division into the grids that `labels` names for every node.

    The cost of the land's own outline is left out: no division changes it.
    """
    if len(labels) == 0:
        return 0.0
    weights = weights_of(options)
    _, grid = np.unique(labels, return_inverse=True)
    inner = graph.right < len(labels)
    left, right = grid[graph.left], grid[graph.right[inner]]
    cut = left[inner] != right
    rim = np.bincount(left, graph.length_m, minlength=grid.max() + 1)
    rim += np.bincount(right, graph.length_m[inner], minlength=grid.max() + 1)
    shared = np.bincount(right[~cut], graph.length_m[inner][~cut], minlength=grid.max() + 1)
    area: Floats = np.asarray(np.bincount(grid, graph.area_m2), dtype=np.float64)
    outline: Floats = np.asarray(rim - 2 * shared, dtype=np.float64)
    share: Floats = np.asarray(np.bincount(grid, graph.area_m2 / graph.target_m2), dtype=np.float64)
    each = grid_costs(area, outline, share, weights=weights)
    mean_load = graph.load.sum() / (graph.area_m2 / graph.target_m2).sum()
    if mean_load > 0:
        each += weights.balance * (np.bincount(grid, graph.load) / mean_load - 1.0) ** 2
    return float(each.sum() + graph.cost[inner][cut].sum())
