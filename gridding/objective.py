"""What a division costs: grids far from the target area or ragged, and borders in the open.

A division's cost is the sum over its grids of `grid_cost` and, over every border between two grids,
of price x length / 100 m. A negative price marks a border that is wanted, as a main road.
"""

from gridding.options import DivisionOptions

RING_COST = 3.0
"""Cost of a grid that runs round another one."""


def grid_cost(
    area_m2: float, perimeter_m: float, *, target_m2: float, options: DivisionOptions
) -> float:
    """Return the cost of one grid by its area, perimeter and target.

    Examples
    --------
    >>> square = grid_cost(10_000, 400, target_m2=10_000, options=DivisionOptions())
    >>> double = grid_cost(20_000, 600, target_m2=10_000, options=DivisionOptions())
    >>> round(square, 3), round(double, 3)
    (-0.7, 8.88)
    """
    miss = abs(area_m2 / target_m2 - 1.0)
    size = miss**2 + 6.0 * max(0.0, miss - 0.4) ** 2
    shape = max(0.0, perimeter_m**2 / (16.0 * area_m2) - 1.0)
    return options.area_weight * size + options.shape_weight * shape - options.grid_reward
