"""Checks of where components lie: of what kind, in which grid and community, where they were."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.standing import standing
from gis.faults import Faults

MOVED_M = 10.0
"""A component that is farther than this from where it was, and than twice its accuracy, moved."""

_KINDS = np.array(
    ["point", "line", None, "polygon", "point", "line", "polygon", None, None], dtype=object
)
"""Kinds by the type id of shapely; rings, collections and what is missing (-1, the last) are none."""
_TYPES_ZH = {"point": "点", "line": "线", "polygon": "面"}
_LONG_GRID, _SHORT_GRID = 15, 14
_COMMUNITY = 12


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
    types = shapely.get_type_id(rows.geometry.to_numpy())
    position, kinds = pd.factorize(expected)
    odd = [[own is not None and kind not in ("any", own) for own in _KINDS] for kind in kinds]
    # Missing, whether kind or geometry, is -1: the last.
    table = np.array([*odd, [False] * len(_KINDS)], dtype=bool)
    mask = pd.Series(table[position, types], index=rows.index)
    if not mask.any():
        return
    delivered = pd.Series(_KINDS[types], index=rows.index, dtype=object)
    faults.add(
        "C020",
        mask & standing(rows, faults),
        delivered=delivered,
        delivered_zh=delivered.map(_TYPES_ZH),
        expected=expected,
        expected_zh=expected.map(_TYPES_ZH),
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
    """Compare the delivered community codes with the position (C033), as grids are, and with the areas.

    C034 is a community that is no area, C035 one that the delivered unit grid does not belong to.

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows with the delivered ``community_code`` and ``accuracy_m``; geometry in metres.
    faults : Faults
        Gets C033-C035; nothing is said while there are no areas.
    actual : pandas.Series
        Community by position; None outside all.
    areas : geopandas.GeoDataFrame
        ``code`` and polygons of the administrative areas in the same CRS.
    """
    if len(areas) == 0 or rows["community_code"].isna().all():
        return
    given, place = rows["community_code"], actual.where(actual.notna(), "-")
    kept = standing(rows, faults)
    faults.add("C034", given.notna() & ~given.isin(areas["code"]) & kept, given=given, actual=place)
    grid = rows["grid_code"]
    differs = grid.notna() & given.notna() & grid.str[:_COMMUNITY].ne(given)
    faults.add("C035", differs & kept, given=grid, community=given)
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


def judge_moves(
    rows: gpd.GeoDataFrame, faults: Faults, *, before: gpd.GeoDataFrame, recode_distance_m: float
) -> None:
    """Report components whose code was at another place before (C013), and refuse passed codes (C018).

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows with ``code`` and ``accuracy_m``; geometry in metres.
    faults : Faults
        Gets C013 and C018.
    before : geopandas.GeoDataFrame
        Live components: ``code``, unique, and geometry in the same CRS.
    recode_distance_m : float
        From this distance on the code is another object's, of the city profile.
    """
    again = rows[rows["code"].isin(before["code"])]
    if again.empty:
        return
    old = before.set_index("code").geometry.reindex(again["code"]).to_numpy()
    apart = pd.Series(shapely.distance(old, again.geometry.to_numpy()), index=again.index)
    passed = apart >= recode_distance_m
    far = (apart > (2 * again["accuracy_m"]).clip(lower=MOVED_M)) & ~passed
    for rule, mask in (("C013", far), ("C018", passed)):
        faults.add(rule, mask & standing(again, faults), code=rows["code"], distance_m=apart)


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
