"""Hot spots of cases over unit grids: Getis-Ord Gi* with the false discovery rate held.

Every cell counts, those without a case too; islands stay and are compared with themselves.
"""

import esda
import geopandas as gpd
import numpy as np
import pandas as pd
from esda.getisord import G_Local
from libpysal.graph import Graph
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.stats import norm

from gis.errors import RequestError


def count_per_cell(cells: gpd.GeoDataFrame, codes: pd.Series) -> pd.Series:
    """Count how often each cell's code occurs, zero included.

    Parameters
    ----------
    cells : GeoDataFrame
        Cells with a unique ``code``.
    codes : Series
        One cell code per case; missing and unknown codes are left out.

    Returns
    -------
    Series
        Counts, indexed by cell code in the order of `cells`.

    Examples
    --------
    >>> import geopandas as gpd
    >>> import pandas as pd
    >>> cells = gpd.GeoDataFrame({"code": ["a", "b"]})
    >>> count_per_cell(cells, pd.Series(["b", "b", None])).to_dict()
    {'a': 0, 'b': 2}
    """
    counts = codes.value_counts()
    return counts.reindex(cells["code"], fill_value=0).astype("int64").rename("count")


def find_hotspots(
    cells: gpd.GeoDataFrame,
    values: pd.Series,
    *,
    alpha: float = 0.05,
    permutations: int = 0,
    seed: int = 1,
) -> gpd.GeoDataFrame:
    """Return each cell's Gi* with the verdict hot, cold or none.

    Neighbours are the cells that share an edge or a corner, and the cell itself, all with weight 1
    (Getis and Ord 1992; the standardised form of Ord and Getis 1995). Significance is two-sided, by
    the normal distribution of z or by conditional permutations, and judged at the threshold that
    keeps the expected share of false finds at `alpha` (Benjamini and Hochberg 1995).

    Parameters
    ----------
    cells : GeoDataFrame
        Cells with unique ``code`` in a projected CRS; a coverage, as unit grids are.
    values : Series
        A count or rate per cell, indexed by code; every cell needs one.
    alpha : float
        False discovery rate.
    permutations : int
        0: the normal distribution, what desktop GIS shows. More: random relabellings, stricter where
        a few cells hold most cases; the smallest possible p is ``2 / (permutations + 1)``.
    seed : int
        Seed of the permutations.

    Returns
    -------
    GeoDataFrame
        ``code, value, z, p, verdict, geometry`` in the order of `cells`. All verdicts are ``none``
        when all values are equal, because nothing then stands out.

    Raises
    ------
    RequestError
        A cell has no value, or there are fewer than three cells.
    """
    y = values.reindex(cells["code"])
    if y.isna().any() or len(cells) < 3:
        msg = "Hot spots need at least three cells and a value for each: give 0 where nothing happened."
        raise RequestError(
            msg, zh="热点分析至少需要三个网格且每个网格都要有值：没有案件的网格请填 0。"
        )
    result = cells[["code", "geometry"]].copy()
    result.insert(1, "value", y.to_numpy())
    if y.nunique() == 1:
        result.insert(2, "z", 0.0)
        result.insert(3, "p", 1.0)
        result.insert(4, "verdict", "none")
        return result
    by_code = cells.set_index("code")
    graph = Graph.build_contiguity(by_code, rook=False).assign_self_weight()
    z = G_Local(y.to_numpy(dtype="float64"), graph, transform="B", permutations=0, star=None).Zs
    if permutations:
        neighbours = graph.sparse.tocsr()
        p = _permuted_p(y.to_numpy(dtype="float64"), neighbours, permutations, seed=seed)
    else:
        p = 2.0 * norm.sf(np.abs(z))
    found = p <= esda.fdr(p, alpha)
    result.insert(2, "z", z)
    result.insert(3, "p", p)
    verdict = np.where(found & (z > 0), "hot", np.where(found & (z < 0), "cold", "none"))
    result.insert(4, "verdict", verdict)
    return result


def _permuted_p(
    y: NDArray[np.float64], neighbours: csr_array, permutations: int, *, seed: int
) -> NDArray[np.float64]:
    """Return each cell's two-sided p under conditional permutations (Anselin 1995).

    The cell keeps its own value; those of its neighbours are drawn from all other cells, without
    replacement. The draws are the same for every cell. `neighbours` has each cell among its own.
    """
    # esda compiles the same anew in every process, which takes longer than to draw for a whole city.
    rng = np.random.default_rng(seed)
    counts = np.diff(neighbours.indptr) - 1
    others = len(y) - 1
    draws = np.stack(
        [rng.choice(others, size=counts.max(), replace=False) for _ in range(permutations)]
    )
    observed = neighbours @ y
    rarer = np.empty(len(y), dtype=np.int64)
    for cell, count in enumerate(counts):
        drawn = draws[:, :count]
        sums = y[cell] + y[drawn + (drawn >= cell)].sum(axis=1)
        # What is equal counts on both sides, as counts of cases often are.
        tails = (sums >= observed[cell], sums <= observed[cell])
        rarer[cell] = min(map(np.count_nonzero, tails))
    return np.minimum(1.0, 2.0 * (rarer + 1) / (permutations + 1))
