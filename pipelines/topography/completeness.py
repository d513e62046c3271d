"""Attributes of map features: those their class must have, and values within their range."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import geopandas as gpd
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
    values = _columns(
        rows, [*(need.column for need in needs()), *(d["column"] for d in _domains())]
    )
    for need in needs():
        if faults.severity("TP10" if need.is_required else "TP11") != "off":
            _check_need(rows, need, (feature_class, values[need.column]), faults)
    for domain in _domains():
        _check_domain(values[domain["column"]], domain, faults)


def _check_need(
    rows: pd.DataFrame,
    need: Need,
    told_by: tuple["pd.Series[str]", "pd.Series[Any]"],
    faults: Faults,
) -> None:
    feature_class, values = told_by
    of_class = begins(feature_class, (need.prefix,))
    # Attributes of roads are those of their lines.
    if need.column == "width_m":
        of_class &= shapely.get_dimensions(rows.geometry.to_numpy()) == 1
    if not of_class.any():
        return
    is_blank = of_class & values.isna()
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


def begins(codes: "pd.Series[str]", prefixes: tuple[str, ...]) -> "pd.Series[bool]":
    """Tell which codes begin so; each distinct one is looked at once.

    Examples
    --------
    >>> begins(pd.Series(["310300", None, "430501"]), ("31",)).tolist()
    [True, False, False]
    """
    place, distinct = pd.factorize(codes)
    hits = np.array([*(str(code).startswith(prefixes) for code in distinct), False], dtype=bool)
    return pd.Series(hits[place], index=codes.index)


def names_of_classes(codes: "pd.Series[str]") -> "pd.Series[str]":
    """Return the name of each class; None for none."""
    known = {code: label(str(code)) for code in codes.dropna().unique()}
    named = codes.map(known).astype(object)
    return named.where(named.notna(), None)


def _columns(rows: pd.DataFrame, names: Iterable[str]) -> dict[str, "pd.Series[Any]"]:
    """Return attributes as columns; None where a row has none."""
    wanted = [name for name in dict.fromkeys(names) if name != "name"]
    plain = [each if isinstance(each, Mapping) else {} for each in rows["attributes"]]
    there = set().union(*(each.keys() for each in plain)) if plain else set()
    empty = pd.Series(None, index=rows.index, dtype=object)
    columns = {
        name: pd.Series([each.get(name) for each in plain], index=rows.index, dtype=object)
        if name in there
        else empty
        for name in wanted
    }
    return columns | {"name": rows["name"]}


@cache
def _domains() -> tuple[Mapping[str, str], ...]:
    return tuple(read_table("pipelines.topography.codes", "domains.csv"))


def _check_domain(values: "pd.Series[Any]", domain: Mapping[str, str], faults: Faults) -> None:
    if values.isna().all():
        return
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
    wanted = begins(feature_class, _ALTITUDE) & heights.notna()
    result = attributes.copy()
    for row in attributes.index[wanted]:
        if ELEVATION not in attributes[row]:
            result[row] = {**attributes[row], ELEVATION: round(float(heights[row]), 3)}
    return result


def without_used_heights(
    frame: gpd.GeoDataFrame, feature_class: "pd.Series[str]", heights: "pd.Series[float]"
) -> gpd.GeoDataFrame:
    """Return the frame with relief and control points flat: their Z is kept as an attribute."""
    used = (begins(feature_class, _ALTITUDE) & heights.notna()).to_numpy()
    if not used.any():
        return frame
    shapes = frame.geometry.to_numpy().copy()
    shapes[used] = shapely.force_2d(shapes[used])
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))


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
    given = pd.to_numeric(_columns(rows, [ELEVATION])[ELEVATION], errors="coerce").astype(float)
    relief = begins(feature_class, _RELIEF) & ~faults.refused
    faults.add("TP13", relief & given.isna(), name=names_of_classes(feature_class))
    differs = relief & ((given - heights).abs() > _SAME_M)
    faults.add("TP14", differs, given=given, found=heights)
