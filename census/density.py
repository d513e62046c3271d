"""Unit grids with far more or far fewer components than the grids around them."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from census.standing import standing
from census.survey import map_distinct
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
_LEAST_CELLS = 20
"""Of fewer cells that have or should have components the spread is not measured."""
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

    A dense grid must stand out from the denser quarter of the grids that touch it, a sparse one from
    the sparser quarter. The difference of the square roots (Anscombe 1948) is measured by its median
    deviation over all grids, at least by that of a Poisson number. Sparse grids count only in
    communities where the major class was surveyed.

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
    group = map_distinct(rows["class_code"], lambda code: str(code)[:2])[kept]
    groups = group.value_counts()
    pairs = touching(grids.geometry.to_numpy())
    area = shapely.area(grids.geometry.to_numpy())
    for name in sorted(groups.index[groups >= LEAST_GROUP]):
        own = grid[kept][group == name]
        count = grids["code"].map(own.value_counts()).fillna(0).to_numpy(dtype=float)
        table = beside_neighbours(count, area, pairs=pairs).assign(grid=grids["code"].to_numpy())
        dense = table[
            (table["score"] >= score)
            & (table["count"] >= LEAST_COUNT)
            & (table["count"] >= FACTOR * table["upper"])
        ]
        sparse = table[
            (table["score"] <= -score)
            & (table["lower"] >= LEAST_COUNT)
            & (table["count"] * FACTOR <= table["lower"])
        ]
        surveyed = {code[:COMMUNITY_DIGITS] for code in own.unique()}
        sparse = sparse[sparse["grid"].str[:COMMUNITY_DIGITS].isin(surveyed)]
        _report(faults, "C093", dense, own=own, group=name)
        _report(faults, "C094", sparse, own=own, group=name)


def beside_neighbours(count: Floats, area: Floats, *, pairs: NDArray[np.intp]) -> pd.DataFrame:
    """Return what each cell should have by its neighbours, and how far it is from that, in deviations.

    Parameters
    ----------
    count : numpy.ndarray
        Components per cell.
    area : numpy.ndarray
        Area of each cell, m².
    pairs : numpy.ndarray
        What `touching` returned: each pair both ways round.

    Returns
    -------
    pandas.DataFrame
        ``count``; ``lower``, ``expected`` and ``upper``, the quartiles of the neighbours' densities
        times the area; ``score``, 0 between the outer ones, and where there are few neighbours.

    Examples
    --------
    >>> cells = np.array([shapely.box(x, y, x + 1, y + 1) for x in range(5) for y in range(5)])
    >>> count = np.full(25, 4.0)
    >>> count[12] = 100
    >>> table = beside_neighbours(count, np.ones(25), pairs=touching(cells))
    >>> table.loc[[12, 0], ["expected", "score"]].round(1).to_numpy().tolist()
    [[4.0, 15.9], [4.0, 0.0]]
    """
    around = pd.Series((count / np.maximum(area, 1e-9))[pairs[:, 1]]).groupby(pairs[:, 0])
    quartiles = around.quantile([0.25, 0.5, 0.75]).unstack()
    quartiles.columns = pd.Index(["lower", "expected", "upper"])
    quartiles = quartiles[around.size() >= LEAST_NEIGHBOURS].reindex(range(len(count)))
    table = quartiles.mul(area, axis=0).assign(count=count)
    root = 2 * np.sqrt(table + _ANSCOMBE)
    above = (root["count"] - root["upper"]).clip(lower=0)
    below = (root["count"] - root["lower"]).clip(upper=0)
    used = (table["count"] > 0) | (table["expected"] > 0)
    spread = 1.0
    if used.sum() >= _LEAST_CELLS:
        off = (root["count"] - root["expected"]).abs()[used]
        spread = max(1.0, _NORMAL_MAD * float(off.median()))
    return table.fillna(0.0).assign(score=((above + below) / spread).fillna(0.0))


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
