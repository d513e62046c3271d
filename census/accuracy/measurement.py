"""Re-measured points held against the sample they belong to: deviations, and what is wrong with rows."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import shapely

from census.accuracy.coordinates import Reading, check_reading, read_points
from census.accuracy.form import Fieldwork
from census.accuracy.statistics import Limits, gross_limit

Kind = Literal[
    "stranger", "repeated", "contradictory", "half", "unreadable", "implausible", "imprecise"
]
PROBLEMS: Mapping[Kind, tuple[str, str]] = {
    "stranger": ("the code is not in the sample", "编码不在样本中"),
    "repeated": ("measured before in this file; the first is used", "重复测量，取第一次"),
    "contradictory": ("measured and not found at once; not used", "既有坐标又填未找到，未采用"),
    "half": ("only one coordinate; not used", "只填了一个坐标，未采用"),
    "unreadable": ("can not be read; not used", "无法识别，未采用"),
    "implausible": ("so far off that it is likely a typing error", "偏差过大，疑为录入错误"),
    "imprecise": (
        "the device is not much better than the limit: a check of equal accuracy",
        "设备精度不足限值的三分之一，应按同精度检测",
    ),
}
"""What can be wrong with a row of the form, in both languages."""

_YES = frozenset(("是", "1", "1.0", "y", "yes", "true", "x", "√", "✓", "未找到"))
"""Not 无 or 没有: in that column they may say that nothing is missing."""
_NO = frozenset(("", "否", "0", "0.0", "n", "no", "false"))
_LARGEST = 1e8
"""No coordinate of any CRS is larger, m."""
_IMPLAUSIBLE_M = 100.0
_MUCH_BETTER = 3.0
"""A check counts as one of higher accuracy when its error is at most a third of the limit."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something wrong with a row that came back."""

    kind: Kind
    code: str | None
    source_row: int
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A sample after the field."""

    points: pd.DataFrame
    """One row per component measured: the sample's columns, ``x``, ``y``, ``dx_m``, ``dy_m``,
    ``deviation_m``, ``is_outline``, ``is_gross``, ``source_row``; by class and code."""
    not_found: pd.DataFrame
    """Components of the sample that are not there."""
    extra: pd.DataFrame
    """``class_code`` and ``count`` of components that the census lacks, ``x``, ``y`` where measured."""
    unvisited: int
    """Components of the sample with no word about them."""
    problems: tuple[Problem, ...]


def pair_up(
    fieldwork: Fieldwork, sample: pd.DataFrame, *, reading: Reading, crs: str, limits: Limits
) -> Measured:
    """Hold what was measured against the sample.

    Parameters
    ----------
    fieldwork : Fieldwork
        Filled-in form.
    sample : pandas.DataFrame
        Components drawn: ``code``, ``class_code``, ``class_name``, ``accuracy``, ``limit_m``, ``x``,
        ``y`` in the city's CRS, m, and ``outline``: the geometry of lines and areas, else None.
    reading : Reading
        How coordinates in columns are to be read.
    crs : str
        The city's CRS.
    limits : Limits
        From when on an error is gross.

    Raises
    ------
    CrsError
        The coordinates fit another reading than the one stated.
    """
    problems: list[Problem] = []
    rows = _tidy(fieldwork.rows, problems)
    known = sample.drop_duplicates("code").set_index("code")
    extra = _extra(rows)
    rows = rows[rows["code"].notna()]
    _note(problems, "stranger", rows[~rows["code"].isin(known.index)])
    rows = rows[rows["code"].isin(known.index)]
    said = rows[rows["not_found"] | rows["x"].notna()]
    both = said["not_found"] & said["x"].notna()
    _note(problems, "contradictory", said[both])
    said = said[~both]
    _note(problems, "repeated", said[said["code"].duplicated()])
    said = said.drop_duplicates("code")
    absent = known.loc[said.loc[said["not_found"], "code"]].reset_index()
    points = _deviations(said[~said["not_found"]], known, reading=reading, crs=crs, limits=limits)
    is_placed = np.isfinite(points["deviation_m"])
    _note(
        problems, "unreadable", points[~is_placed], detail=points["code"].map("{}: no place".format)
    )
    points = points[is_placed]
    far = points["deviation_m"] > np.maximum(_IMPLAUSIBLE_M, 20 * points["limit_m"])
    _note(
        problems, "implausible", points[far], detail=points["deviation_m"].map("{:,.0f} m".format)
    )
    if limits.check == "high":
        weak = points["device_m"] > points["limit_m"] / _MUCH_BETTER
        _note(problems, "imprecise", points[weak], detail=points["device_m"].map("{:g} m".format))
    order = sorted(problems, key=lambda problem: (problem.source_row, problem.kind))
    return Measured(
        points=points.sort_values(["class_code", "code"]).reset_index(drop=True),
        not_found=absent,
        extra=extra,
        unvisited=len(known) - len(said),
        problems=tuple(order),
    )


def _tidy(rows: pd.DataFrame, problems: list[Problem]) -> pd.DataFrame:
    """Return the columns as values; what can not be read is told and missing."""
    text = {name: rows[name].map(_text) for name in rows.columns if name != "in_city_crs"}
    table = pd.DataFrame(
        {
            "code": text["code"].where(text["code"].ne(""), None),
            "class_code": text["class_code"].where(text["class_code"].ne(""), None),
            "source_row": rows["source_row"].astype(int),
            "in_city_crs": rows["in_city_crs"].astype(bool),
        }
    )
    columns = (
        ("measured_x", "x"),
        ("measured_y", "y"),
        ("device_m", "device_m"),
        ("extra", "extra"),
    )
    for given, name in columns:
        said = (
            text[given].replace({"是": "1", "有": "1", "否": "", "无": ""})
            if name == "extra"
            else text[given]
        )
        table[name] = pd.to_numeric(said.where(said.ne(""), None), errors="coerce").astype(float)
        table[name] = table[name].where(table[name].abs() <= _LARGEST)
        if name in ("device_m", "extra"):
            table[name] = table[name].where(table[name] >= 0)
        wrong = said.ne("") & table[name].isna()
        _note(problems, "unreadable", table[wrong], detail=given + " " + said)
    state = text["not_found"].str.casefold()
    table["not_found"] = state.isin(_YES)
    _note(problems, "unreadable", table[~state.isin(_YES | _NO)], detail="not_found " + state)
    half = table["x"].isna() != table["y"].isna()
    written = text["measured_x"].ne("") & text["measured_y"].ne("")
    _note(problems, "half", table[half & ~written])
    whole = table["x"].notna() & table["y"].notna()
    return table.assign(x=table["x"].where(whole), y=table["y"].where(whole))


def _text(value: object) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return unicodedata.normalize("NFKC", str(value)).strip()


def _note(
    problems: list[Problem],
    kind: Kind,
    rows: pd.DataFrame,
    *,
    detail: "pd.Series[str] | None" = None,
) -> None:
    problems += [
        Problem(
            kind=kind,
            code=code if isinstance(code, str) else None,
            source_row=int(number),
            detail="" if detail is None else str(detail[index]),
        )
        for index, code, number in zip(rows.index, rows["code"], rows["source_row"], strict=True)
    ]


def _extra(rows: pd.DataFrame) -> pd.DataFrame:
    """Return components that the census lacks: counted beside a sample's, or a row without code."""
    counted = rows[rows["extra"].fillna(0) > 0]
    added = rows[rows["code"].isna() & (rows["x"].notna() | rows["class_code"].notna())]
    added = added[~added.index.isin(counted.index)].assign(extra=1.0)
    found = pd.concat([counted, added]).sort_index()
    return pd.DataFrame(
        {
            "class_code": found["class_code"],
            "count": found["extra"].astype(int),
            "x": found["x"],
            "y": found["y"],
            "source_row": found["source_row"],
        }
    ).reset_index(drop=True)


def _deviations(
    rows: pd.DataFrame, known: pd.DataFrame, *, reading: Reading, crs: str, limits: Limits
) -> pd.DataFrame:
    given = rows[["code", "x", "y", "device_m", "source_row", "in_city_crs"]]
    surveyed = known.rename(columns={"x": "survey_x", "y": "survey_y"}).reset_index()
    points = given.merge(surveyed, on="code", validate="1:1")
    for in_city, how in ((True, Reading(crs=crs)), (False, reading)):
        part = points[points["in_city_crs"] == in_city]
        measured = part["x"].to_numpy(dtype=float), part["y"].to_numpy(dtype=float)
        place = part["survey_x"].to_numpy(dtype=float), part["survey_y"].to_numpy(dtype=float)
        check_reading(measured, place, reading=how, target=crs)
        points.loc[part.index, ["x", "y"]] = np.column_stack(
            read_points(*measured, how, target=crs)
        )
    outline = points["outline"].to_numpy(dtype=object)
    is_outline = np.array([shape is not None for shape in outline], dtype=bool)
    dx, dy = points["x"] - points["survey_x"], points["y"] - points["survey_y"]
    there = shapely.points(points["x"], points["y"])
    deviation = np.where(is_outline, shapely.distance(_borders(outline), there), np.hypot(dx, dy))
    limit = points["limit_m"].map(lambda limit_m: gross_limit(limit_m, check=limits.check))
    return points.assign(
        dx_m=dx.mask(is_outline), dy_m=dy.mask(is_outline), deviation_m=deviation,
        is_outline=is_outline, is_gross=deviation > limit,
    )  # fmt: skip


def _borders(shapes: "np.ndarray[Any, Any]") -> Any:
    """Return lines as they are and the borders of areas."""
    is_area = shapely.get_dimensions(shapes) == 2
    return np.where(is_area, shapely.boundary(shapes), shapes)
