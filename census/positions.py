"""Checks of where components lie: beside each other, beside their grid, beside where they were."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from census.standing import standing
from gis.faults import Faults

MOVED_M = 10.0
"""A component that is farther than this from where it was, and than twice its accuracy, moved."""

_TYPES = {"Point": "point", "LineString": "line", "Polygon": "polygon"}
_TYPES_ZH = {"point": "点", "line": "线", "polygon": "面"}
_LONG_GRID, _SHORT_GRID = 15, 14


def judge_geometry(rows: gpd.GeoDataFrame, faults: Faults, *, expected: "pd.Series[str]") -> None:
    """Report geometry that is not of the kind usual for the class (C020).

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows with ``class_code``.
    faults : Faults
        Gets C020; the kind per class is a default of the platform, so it is a warning.
    expected : pandas.Series
        point, line, polygon or any.
    """
    delivered = rows.geometry.geom_type.str.removeprefix("Multi").map(_TYPES)
    odd = expected.ne("any") & expected.notna() & delivered.notna() & delivered.ne(expected)
    faults.add(
        "C020",
        odd & standing(rows, faults),
        delivered=delivered,
        delivered_zh=delivered.map(_TYPES_ZH),
        expected=expected,
        expected_zh=expected.map(_TYPES_ZH),
        class_code=rows["class_code"],
    )


def near_pairs(points: np.ndarray, classes: "pd.Series[str]", *, distance_m: float) -> pd.DataFrame:
    """Return which rows lie closer than `distance_m` to an earlier row of their class.

    Parameters
    ----------
    points : numpy.ndarray
        East and north per row, m.
    classes : pandas.Series
        Minor class per row.
    distance_m : float
        Pairs at this distance or more are not near.

    Returns
    -------
    pandas.DataFrame
        ``row`` and ``other``, positions in the input with other < row, and ``distance_m``: the
        nearest such other of each row, the first of equals; by row.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [0.3, 0.0], [0.0, 0.1], [0.0, 0.1]])
    >>> near_pairs(xy, pd.Series(["a", "a", "a", "b"]), distance_m=0.5)[["row", "other"]].to_numpy().tolist()
    [[1, 0], [2, 0]]
    """
    columns = ["row", "other", "distance_m"]
    if len(points) == 0:
        return pd.DataFrame(columns=columns)
    pairs = cKDTree(points).query_pairs(distance_m, output_type="ndarray")
    pairs.sort(axis=1)
    codes = pd.factorize(classes)[0]
    pairs = pairs[codes[pairs[:, 0]] == codes[pairs[:, 1]]]
    apart = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    table = pd.DataFrame({"row": pairs[:, 1], "other": pairs[:, 0], "distance_m": apart})
    table = table[table["distance_m"] < distance_m].sort_values(["row", "distance_m", "other"])
    return table.drop_duplicates("row")[columns].reset_index(drop=True)


def judge_neighbours(
    rows: pd.DataFrame, faults: Faults, *, points: np.ndarray, distance_m: float
) -> None:
    """Report components that are perhaps the same object twice (C021), the later of each pair.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows with ``code`` and ``class_code``; their index is part of that of the faults.
    faults : Faults
        Gets C021.
    points : numpy.ndarray
        East and north of each row, m.
    distance_m : float
        Threshold of the city profile.
    """
    near = near_pairs(points, rows["class_code"], distance_m=distance_m)
    index = rows.index[near["row"].to_numpy(dtype=int)]
    other = rows["code"].to_numpy(dtype=object)[near["other"].to_numpy(dtype=int)]
    faults.add(
        "C021",
        pd.Series(True, index=index),
        distance_m=pd.Series(near["distance_m"].to_numpy(dtype=float), index=index),
        other=pd.Series(other, index=index, dtype=object),
        class_code=rows["class_code"],
    )


def judge_grids(
    rows: gpd.GeoDataFrame, faults: Faults, *, actual: "pd.Series[str]", grids: gpd.GeoDataFrame
) -> None:
    """Compare the delivered grid codes with where the components lie (C030-C032).

    A component that lies outside the grid named, but no farther than its class's accuracy, is not
    reported. Old codes of 14 digits are compared as their 15-digit successors.

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows with the delivered ``grid_code`` and ``accuracy_m``; geometry in metres.
    faults : Faults
        Gets C030-C032; nothing is said while there are no grids.
    actual : pandas.Series
        Grid by position; None outside all grids.
    grids : geopandas.GeoDataFrame
        ``code`` and polygons in the same CRS.
    """
    if len(grids) == 0:
        return
    kept = standing(rows, faults)
    given = rows["grid_code"]
    if len(str(grids["code"].iloc[0])) == _LONG_GRID:
        given = long_grid_codes(given)
    place = actual.where(actual.notna(), "-")
    known = given.isin(grids["code"])
    faults.add("C031", given.notna() & ~known & kept, given=given, actual=place)
    faults.add("C032", actual.isna() & kept)
    _report_elsewhere(rows, faults, rule="C030", given=given, actual=place, cells=grids)


def judge_communities(
    rows: gpd.GeoDataFrame, faults: Faults, *, actual: "pd.Series[str]", areas: gpd.GeoDataFrame
) -> None:
    """Compare the delivered community codes with where the components lie (C033), as grids are.

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows with the delivered ``community_code`` and ``accuracy_m``; geometry in metres.
    faults : Faults
        Gets C033.
    actual : pandas.Series
        Community by position; None outside all.
    areas : geopandas.GeoDataFrame
        ``code`` and polygons of the administrative areas in the same CRS.
    """
    given, place = rows["community_code"], actual.where(actual.notna(), "-")
    _report_elsewhere(rows, faults, rule="C033", given=given, actual=place, cells=areas)


def _report_elsewhere(
    rows: gpd.GeoDataFrame,
    faults: Faults,
    *,
    rule: str,
    given: "pd.Series[Any]",
    actual: "pd.Series[str]",
    cells: gpd.GeoDataFrame,
) -> None:
    """Report rows that name a cell they do not lie in, farther from it than their accuracy."""
    named = given.isin(cells["code"]) & given.ne(actual) & standing(rows, faults)
    differs = rows[named]
    if differs.empty:
        return
    shapes = cells.set_index("code").geometry.reindex(given[differs.index]).to_numpy()
    apart = pd.Series(shapely.distance(shapes, differs.geometry.to_numpy()), index=differs.index)
    far = apart > differs["accuracy_m"]
    faults.add(rule, far, given=given, actual=actual, distance_m=apart)


def judge_moves(rows: gpd.GeoDataFrame, faults: Faults, *, before: gpd.GeoDataFrame) -> None:
    """Report components whose code was at another place before (C013).

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows with ``code`` and ``accuracy_m``; geometry in metres.
    faults : Faults
        Gets C013.
    before : geopandas.GeoDataFrame
        Live components: ``code``, unique, and geometry in the same CRS.
    """
    again = rows[rows["code"].isin(before["code"])]
    if again.empty:
        return
    old = before.set_index("code").geometry.reindex(again["code"]).to_numpy()
    apart = pd.Series(shapely.distance(old, again.geometry.to_numpy()), index=again.index)
    far = apart > (2 * again["accuracy_m"]).clip(lower=MOVED_M)
    faults.add("C013", far & standing(rows, faults), code=rows["code"], distance_m=apart)


def long_grid_codes(codes: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return grid codes with 14 digits as the 15 of the later generations: a zero in the sequence.

    Examples
    --------
    >>> long_grid_codes(pd.Series(["22020600100706", "220206001007006", None])).tolist()
    ['220206001007006', '220206001007006', None]
    """
    is_short = codes.astype("str").str.len().eq(_SHORT_GRID)
    longer = codes.astype("str").str[:12] + "0" + codes.astype("str").str[12:]
    result = codes.astype(object).mask(is_short, longer.astype(object))
    return result.where(result.notna(), None)
