"""Unit grids with far more or far fewer components than the grids around them."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from census.standing import standing
from gis.faults import Faults

COMMUNITY_DIGITS = 12
LEAST_GROUP = 100
"""Fewer components of a major class tell nothing of density."""
LEAST_COUNT = 20.0
"""Grids that have, or should have, fewer are left alone."""
FACTOR = 3.0
"""What is found must be this many times what is expected, or the other way round."""
LEAST_NEIGHBOURS = 3
_NORMAL_MAD = 1.4826
_ANSCOMBE = 0.375
Floats = NDArray[np.float64]


def judge_density(
    rows: pd.DataFrame,
    faults: Faults,
    *,
    grid: "pd.Series[str]",
    grids: gpd.GeoDataFrame,
    score: float,
) -> None:
    """Report grids far denser (C093) or far sparser (C094) than their neighbours, by major class.

    Expected is the median density of the grids that touch, times the area; the difference of the
    square roots (Anscombe 1948) is measured by its median deviation over all grids, at least by that
    of a Poisson number. Sparse grids count only in communities where the major class was surveyed.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows with ``class_code``.
    faults : Faults
        Gets C093 and C094, on the first row of the grid; of an empty grid on that of its community.
    grid : pandas.Series
        Grid by position per row; None outside all.
    grids : geopandas.GeoDataFrame
        ``code`` and polygons, m.
    score : float
        Threshold of the city profile.
    """
    kept = standing(rows, faults) & grid.notna()
    if len(grids) == 0 or not kept.any():
        return
    group = rows["class_code"].astype("str").str[:2][kept]
    groups = group.value_counts()
    pairs = touching(grids.geometry.to_numpy())
    area = shapely.area(grids.geometry.to_numpy())
    for name in sorted(groups.index[groups >= LEAST_GROUP]):
        own = grid[kept][group == name]
        count = grids["code"].map(own.value_counts()).fillna(0).to_numpy(dtype=float)
        expected, far = robust_scores(count, area, pairs=pairs)
        table = pd.DataFrame(
            {"grid": grids["code"].to_numpy(), "count": count, "expected": expected, "far": far}
        )
        dense = table[(far >= score) & (count >= LEAST_COUNT) & (count >= FACTOR * expected)]
        surveyed = own.str[:COMMUNITY_DIGITS].unique()
        sparse = table[(far <= -score) & (expected >= LEAST_COUNT) & (count * FACTOR <= expected)]
        sparse = sparse[sparse["grid"].str[:COMMUNITY_DIGITS].isin(surveyed)]
        _report(faults, "C093", dense, own=own, group=name)
        _report(faults, "C094", sparse, own=own, group=name)


def robust_scores(count: Floats, area: Floats, *, pairs: NDArray[np.intp]) -> tuple[Floats, Floats]:
    """Return what each cell should have by its neighbours, and how far it is from that, in deviations.

    Parameters
    ----------
    count : numpy.ndarray
        Components per cell.
    area : numpy.ndarray
        Area of each cell, m².
    pairs : numpy.ndarray
        What `touching` returned: each pair both ways round.

    Examples
    --------
    >>> cells = np.array([shapely.box(x, y, x + 1, y + 1) for x in range(5) for y in range(5)])
    >>> count = np.full(25, 4.0)
    >>> count[12] = 100
    >>> expected, far = robust_scores(count, np.ones(25), pairs=touching(cells))
    >>> float(expected[12]), round(float(far[12]), 1), float(far[0])
    (4.0, 15.9, 0.0)
    """
    density = pd.Series((count / np.maximum(area, 1e-9))[pairs[:, 1]]).groupby(pairs[:, 0])
    around = density.median().reindex(range(len(count)))
    enough = density.size().reindex(range(len(count))).fillna(0) >= LEAST_NEIGHBOURS
    expected = around.where(enough).to_numpy(dtype=float) * area
    difference = 2 * (np.sqrt(count + _ANSCOMBE) - np.sqrt(expected + _ANSCOMBE))
    told = np.isfinite(difference) & ((count > 0) | (expected > 0))
    spread = _NORMAL_MAD * float(np.median(np.abs(difference[told]))) if told.any() else 1.0
    return np.nan_to_num(expected), np.nan_to_num(difference / max(1.0, spread))


def touching(cells: NDArray[np.object_]) -> NDArray[np.intp]:
    """Return the pairs of cells that touch or overlap, each both ways round, as two columns."""
    pairs = shapely.STRtree(cells).query(cells, predicate="intersects").T
    return np.asarray(pairs[pairs[:, 0] != pairs[:, 1]], dtype=np.intp)


def _report(
    faults: Faults, rule: str, cells: pd.DataFrame, *, own: "pd.Series[str]", group: str
) -> None:
    if cells.empty:
        return
    first = {str(grid): row for row, grid in own[~own.duplicated()].items()}
    community = own.str[:COMMUNITY_DIGITS]
    nearby = {str(area): row for row, area in community[~community.duplicated()].items()}
    at = [first.get(grid, nearby.get(grid[:COMMUNITY_DIGITS])) for grid in cells["grid"]]
    told: Any = cells.assign(row=at).groupby("row", sort=False)
    grid, count, expected = told["grid"].agg(", ".join), told["count"].sum(), told["expected"].sum()
    mask = pd.Series(True, index=grid.index)
    faults.add(rule, mask, grid=grid, count=count.astype(int), expected=expected, group=group)
