"""Attributes of map features: those their class must have, and values within their range."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import shapely

from gis.classification import label
from gis.codes import read_table
from gis.faults import Faults
from gis.remarks import Remark

_RELIEF = ("71", "72")
_ALTITUDE = ("11", "71", "72")
ELEVATION = "elevation_m"
_SAME_M = 0.01


@dataclass(frozen=True, kw_only=True)
class Need:
    """An attribute that features of a class should have."""

    prefix: str
    column: str
    label: Remark
    is_required: bool


@cache
def needs() -> tuple[Need, ...]:
    """Return the attributes wanted, by the prefix of the class."""
    rows = read_table("pipelines.topography.codes", "attributes.csv")
    return tuple(
        Need(
            prefix=row["prefix"],
            column=row["column"],
            label=Remark(en=row["label_en"], zh=row["label_zh"]),
            is_required=row["need"] == "required",
        )
        for row in rows
    )


def check_attributes(rows: pd.DataFrame, faults: Faults) -> None:
    """Record attributes that are missing or out of range.

    Parameters
    ----------
    rows : pandas.DataFrame
        ``feature_class``, ``name``, ``attributes``, ``source_file``, aligned to the frame of `faults`.
    faults : Faults
        With the rules of topography.
    """
    sound = ~faults.refused
    feature_class = rows["feature_class"].where(sound, None).astype(object)
    for need in needs():
        _check_need(rows, need, feature_class, faults)
    for domain in _domains():
        _check_domain(rows, domain, faults)


def _check_need(
    rows: pd.DataFrame, need: Need, feature_class: "pd.Series[str]", faults: Faults
) -> None:
    of_class = feature_class.str.startswith(need.prefix).eq(True)
    # Attributes of roads are those of their lines.
    if need.column == "width_m":
        of_class &= shapely.get_dimensions(rows.geometry.to_numpy()) == 1
    if not of_class.any():
        return
    is_blank = of_class & _values(rows, need.column).isna()
    told = {
        "value": feature_class,
        "label": need.label.en,
        "label_zh": need.label.zh,
        "column": need.column,
    }
    if not need.is_required:
        faults.add("TP11", is_blank, **told)
        return
    group = rows["source_file"].where(of_class, None)
    total = is_blank.groupby(group).transform("size")
    blank = is_blank.groupby(group).transform("sum")
    whole = is_blank & (total == blank) & (total > 1)
    first = whole & ~group.where(whole, None).duplicated()
    faults.add("TP17", first, count=total.fillna(0).astype(int), **told)
    faults.add("TP10", is_blank & ~whole, **told)


def _values(rows: pd.DataFrame, column: str) -> "pd.Series[Any]":
    if column == "name":
        return rows["name"]
    return pd.Series(
        [_of(each, column) for each in rows["attributes"]], index=rows.index, dtype=object
    )


def _of(attributes: object, column: str) -> Any:
    return attributes.get(column) if isinstance(attributes, Mapping) else None


@cache
def _domains() -> tuple[Mapping[str, str], ...]:
    return tuple(read_table("pipelines.topography.codes", "domains.csv"))


def _check_domain(rows: pd.DataFrame, domain: Mapping[str, str], faults: Faults) -> None:
    values = _values(rows, domain["column"])
    low, high = float(domain["low"]), float(domain["high"])
    number = pd.to_numeric(values, errors="coerce").astype(float)
    wrong = values.notna() & ~number.between(low, high)
    faults.add(
        "TP12",
        wrong & ~faults.refused,
        label=domain["label_en"],
        label_zh=domain["label_zh"],
        column=domain["column"],
        given=values,
        expected=f"a number from {low:g} to {high:g}",
        expected_zh=f"{low:g} 至 {high:g} 的数值",
    )


def with_elevation(
    attributes: "pd.Series[Any]", feature_class: "pd.Series[str]", heights: "pd.Series[float]"
) -> "pd.Series[Any]":
    """Return the attributes with the elevation of relief and control points from Z, where they have none."""
    wanted = feature_class.str.startswith(_ALTITUDE).eq(True) & heights.notna()
    result = attributes.copy()
    for row in attributes.index[wanted]:
        if ELEVATION not in attributes[row]:
            result[row] = {**attributes[row], ELEVATION: round(float(heights[row]), 3)}
    return result


def heights_of(
    shapes: np.ndarray[Any, np.dtype[np.object_]],
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the one Z of each shape; NaN without Z, with a Z of zero, or with several.

    Examples
    --------
    >>> heights_of(np.array([shapely.Point(1, 2, 71.5), shapely.Point(1, 2), None])).tolist()
    [71.5, nan, nan]
    """
    result = np.full(len(shapes), np.nan)
    high = np.flatnonzero(shapely.has_z(shapes))
    points, owner = shapely.get_coordinates(shapes[high], include_z=True, return_index=True)
    if len(points) == 0:
        return result
    table = pd.Series(points[:, 2]).groupby(owner).agg(["min", "max"])
    level = (table["max"] - table["min"] < _SAME_M) & (table["min"] != 0)
    result[high[table.index[level]]] = table["min"][level]
    return result


def check_elevation(rows: pd.DataFrame, heights: "pd.Series[float]", faults: Faults) -> None:
    """Record contours and spot heights without elevation, and elevations that contradict their Z."""
    feature_class = rows["feature_class"]
    given = pd.to_numeric(_values(rows, ELEVATION), errors="coerce").astype(float)
    relief = feature_class.str.startswith(_RELIEF).eq(True) & ~faults.refused
    named = feature_class.map(lambda code: label(str(code)), na_action="ignore")
    faults.add("TP13", relief & given.isna(), name=named)
    differs = relief & ((given - heights).abs() > _SAME_M)
    faults.add("TP14", differs, given=given, found=heights)
