"""A frame against its declared table: all that does not fit is told at once, before the database."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    DOUBLE_PRECISION,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from gis.crs import same_crs
from gis.errors import ConformError
from gis.tables.columns import BOOKKEEPING

SOURCE = ("source_file", "source_row")
"""Columns that say where a row came from; every frame may have them."""

_KINDS = {
    "POINT": {0},
    "LINESTRING": {1},
    "POLYGON": {3},
    "MULTIPOLYGON": {3, 6},
    "GEOMETRY": {0, 1, 3, 4, 5, 6},
}
_INT32 = 2**31
_SHOWN = 3
_SAMPLE = 1000


@dataclass(frozen=True, kw_only=True)
class Misfit:
    """One way in which a frame does not fit."""

    column: str
    en: str
    zh: str


def business_columns(table: Table) -> list[str]:
    """Return the columns a transform fills, in the table's order, ``geom`` as ``geometry``.

    Examples
    --------
    >>> from gis.tables import declare
    >>> business_columns(declare(4547).tables["responsibility.unit"])[:3]
    ['code', 'name', 'aliases']
    """
    names = [column.name for column in table.columns if column.name not in BOOKKEEPING]
    return ["geometry" if name == "geom" else name for name in names]


def conform(frame: pd.DataFrame, *, table: Table, crs: str) -> pd.DataFrame:
    """Return the frame with exactly the table's business columns and `SOURCE`, in order.

    Optional columns that are missing become null, lists and documents that are missing become
    empty, single polygons become multi-polygons where the table wants those. Nothing is rounded,
    cut, or reprojected.

    Parameters
    ----------
    frame : pandas.DataFrame
        Rows to load; geometry, if any, in the column ``geometry``.
    table : sqlalchemy.Table
        Declaration of a feature table.
    crs : str
        The city's CRS, which the geometry must be in.

    Raises
    ------
    ConformError
        The message lists every misfit: unknown or missing column, wrong type, CRS or kind of
        geometry, null where a value is required, code used twice.
    """
    faults = list(_column_faults(frame, table))
    result = pd.DataFrame(index=frame.index)
    for column in table.columns:
        name = "geometry" if column.name == "geom" else column.name
        if column.name in BOOKKEEPING:
            continue
        values = frame[name] if name in frame.columns else _missing(column, frame.index)
        if name == "geometry":
            faults += _geometry_faults(frame, column, crs)
            result[name] = _shapes(values, column)
        else:
            filled = _fill(values, column)
            faults += _value_faults(frame, filled, column)
            result[name] = filled
    for name in SOURCE:
        result[name] = frame[name] if name in frame.columns else None
    faults += _duplicate_faults(frame)
    if faults:
        raise _error(table, faults)
    return result


def _error(table: Table, faults: list[Misfit]) -> ConformError:
    shown = "; ".join(f"{fault.column}: {fault.en}" for fault in faults)
    zh = "；".join(f"{fault.column}：{fault.zh}" for fault in faults)
    return ConformError(
        f"The rows do not fit {table.fullname}: {shown}.",
        zh=f"数据不符合表 {table.fullname}：{zh}。",
    )


def _column_faults(frame: pd.DataFrame, table: Table) -> Iterator[Misfit]:
    known = {*business_columns(table), *SOURCE}
    for name in frame.columns[frame.columns.duplicated()].unique():
        yield Misfit(column=str(name), en="the column occurs twice", zh="列重复")
    for name in frame.columns:
        if name not in known:
            en = "filled by the build alone" if name in BOOKKEEPING else "no such column"
            yield Misfit(column=str(name), en=en, zh="表中没有此列或由系统填写")
    for column in table.columns:
        name = "geometry" if column.name == "geom" else column.name
        if column.name in BOOKKEEPING or name in frame.columns or column.nullable:
            continue
        if column.server_default is None:
            yield Misfit(column=name, en="the column is missing", zh="缺少此列")


def _missing(column: "Column[Any]", index: "pd.Index[Any]") -> "pd.Series[Any]":
    return pd.Series([None] * len(index), index=index, name=column.name, dtype="object")


def _fill(values: "pd.Series[Any]", column: "Column[Any]") -> "pd.Series[Any]":
    """Return lists and documents with empty ones for null: to them null has no meaning."""
    empty: Callable[[], Any]
    if isinstance(column.type, ARRAY):
        empty = list
    elif isinstance(column.type, JSONB):
        empty = dict
    else:
        return values
    gaps = pd.isna(values).to_numpy()
    if not gaps.any():
        return values
    cells = [empty() if gap else cell for cell, gap in zip(values, gaps, strict=True)]
    return pd.Series(cells, index=values.index, name=values.name, dtype="object")


def _value_faults(
    frame: pd.DataFrame, values: "pd.Series[Any]", column: "Column[Any]"
) -> Iterator[Misfit]:
    if column.name not in frame.columns and column.server_default is None:
        return  # told as missing, or null as allowed
    if _is_sound(values, column):
        return
    present = values.dropna()
    if not column.nullable and len(present) < len(values):
        where = _places(frame, values.index.difference(present.index))
        yield Misfit(column=column.name, en=f"null in {where}", zh=f"不可为空：{where}")
    wrong = present[~_fits(present, column)]
    if len(wrong):
        wanted, wanted_zh = _wanted(column)
        where = _places(frame, wrong.index)
        first = wrong.iloc[0]
        shown = repr(first.item() if isinstance(first, np.generic) else first)[:60]
        yield Misfit(
            column=column.name,
            en=f"{shown} is not {wanted} in {where}",
            zh=f"{shown} 不是{wanted_zh}：{where}",
        )


def _is_sound(values: "pd.Series[Any]", column: "Column[Any]") -> bool:
    """Return True where a look at the distinct values of a column of texts tells that all fit."""
    if values.dtype != object or not isinstance(column.type, Text):
        return False
    some = distinct_few(values.to_numpy())
    if pd.api.types.infer_dtype(some, skipna=True) != "string":
        return False
    try:
        texts = pa.array(some, type=pa.large_string(), from_pandas=True)
    except (ValueError, pa.ArrowException):  # half of a surrogate pair: told cell by cell
        return False
    has_all = column.nullable or texts.null_count == 0
    return has_all and not pc.any(pc.match_substring(texts, "\0")).as_py()


def distinct_few(values: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Return the distinct values where they seem to be few, else the values as they are.

    Examples
    --------
    >>> distinct_few(np.array(["a", "b"] * 1000, dtype=object)).tolist()
    ['a', 'b']
    """
    if len(values) < _SAMPLE or len(pd.unique(values[:_SAMPLE])) > _SAMPLE // 2:
        return values
    return np.asarray(pd.unique(values), dtype=object)


def _fits(values: "pd.Series[Any]", column: "Column[Any]") -> "pd.Series[bool]":
    if isinstance(column.type, Text) and isinstance(values.dtype, pd.StringDtype):
        return ~values.str.contains("\0", regex=False)
    if values.dtype == object and _all_fit(values, column):
        return pd.Series(True, index=values.index)
    for kind, check in _CHECKS.items():
        if isinstance(column.type, kind):
            return check(values).astype(bool)
    msg = f"{column}: no check for {column.type!r}"
    raise TypeError(msg)


def _all_fit(values: "pd.Series[Any]", column: "Column[Any]") -> bool:
    """Return True where one look at the whole column tells that every cell fits."""
    kind = pd.api.types.infer_dtype(values, skipna=False)
    if isinstance(column.type, Text) and kind == "string":
        try:
            text = pa.array(values.to_numpy(), type=pa.large_string())
        except (ValueError, pa.ArrowException):  # half of a surrogate pair: told cell by cell
            return False
        return not pc.any(pc.match_substring(text, "\0")).as_py()
    if isinstance(column.type, JSONB):
        return set(map(type, values)) <= {dict}
    return isinstance(column.type, Date) and kind == "date"


def _each(check: Callable[[Any], bool]) -> "Callable[[pd.Series[Any]], pd.Series[bool]]":
    def over(values: "pd.Series[Any]") -> "pd.Series[bool]":
        return pd.Series([check(cell) for cell in values], index=values.index, dtype="bool")

    return over


def _is_text(cell: Any) -> bool:
    return isinstance(cell, str) and "\0" not in cell  # PostgreSQL stores every character but NUL


def _is_number(cell: Any) -> bool:
    return isinstance(cell, int | float | np.number) and not isinstance(cell, bool | np.bool_)


def _is_integer(cell: Any) -> bool:
    return _is_number(cell) and float(cell).is_integer() and -_INT32 <= cell < _INT32


def _is_day(cell: Any) -> bool:
    if isinstance(cell, datetime):
        return (cell.hour, cell.minute, cell.second, cell.microsecond) == (0, 0, 0, 0)
    return isinstance(cell, date)


def _is_moment(cell: Any) -> bool:
    return isinstance(cell, datetime) and cell.tzinfo is not None


def _is_list(cell: Any) -> bool:
    return isinstance(cell, list | tuple) and all(_is_text(item) for item in cell)


_CHECKS: "dict[Any, Callable[[pd.Series[Any]], pd.Series[bool]]]" = {
    ARRAY: _each(_is_list),
    JSONB: _each(lambda cell: isinstance(cell, dict)),
    Text: _each(_is_text),
    Boolean: _each(lambda cell: isinstance(cell, bool | np.bool_)),
    Integer: _each(_is_integer),
    DOUBLE_PRECISION: _each(_is_number),
    DateTime: _each(_is_moment),
    Date: _each(_is_day),
}
_WANTED: dict[Any, tuple[str, str]] = {
    ARRAY: ("a list of texts", "文本列表"),
    JSONB: ("a document", "键值文档"),
    Text: ("a text", "文本"),
    Boolean: ("true or false", "真假值"),
    Integer: ("a whole number", "整数"),
    DOUBLE_PRECISION: ("a number", "数值"),
    DateTime: ("a time with its zone", "带时区的时间"),
    Date: ("a day", "日期"),
}


def _wanted(column: "Column[Any]") -> tuple[str, str]:
    return next(words for kind, words in _WANTED.items() if isinstance(column.type, kind))


def _geometry_faults(frame: pd.DataFrame, column: "Column[Any]", crs: str) -> Iterator[Misfit]:
    if "geometry" not in frame.columns:
        return
    found = frame["geometry"]
    stated = found.crs if isinstance(found, gpd.GeoSeries) else None
    if stated is None and len(frame):
        yield Misfit(column="geometry", en="its CRS is not stated", zh="未注明坐标系")
    elif stated is not None and not same_crs(crs, stated.to_wkt()):
        en = f"in {stated.name}, not in the city's CRS"
        yield Misfit(column="geometry", en=en, zh=f"坐标系为 {stated.name}，不是城市坐标系")
    shapes = found.to_numpy(dtype=object, na_value=None)
    ids = shapely.get_type_id(shapes)
    assert isinstance(column.type, Geometry)
    kinds = _KINDS[str(column.type.geometry_type)]
    is_null = shapely.is_missing(shapes)
    checks = (
        (is_null & (not column.nullable), "null", "不可为空"),
        (shapely.is_empty(shapes), "empty", "空几何"),
        (~is_null & ~np.isin(ids, list(kinds)), f"not {column.type.geometry_type}", "几何类型不符"),
        (shapely.has_z(shapes), "has heights", "含高程，应为二维"),
        (_has_no_number(shapes), "has a coordinate that is no number", "坐标值无效"),
    )
    for mask, en, zh in checks:
        if mask.any():
            where = _places(frame, frame.index[mask])
            yield Misfit(column="geometry", en=f"{en} in {where}", zh=f"{zh}：{where}")


def _has_no_number(shapes: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    coordinates, index = shapely.get_coordinates(shapes, return_index=True)
    result = np.zeros(len(shapes), dtype=bool)
    result[index[~np.isfinite(coordinates).all(axis=1)]] = True
    return result


def _shapes(values: "pd.Series[Any]", column: "Column[Any]") -> "np.ndarray[Any, Any]":
    shapes: np.ndarray[Any, Any] = values.to_numpy(dtype=object, na_value=None)
    if str(getattr(column.type, "geometry_type", "")) == "MULTIPOLYGON":
        single = shapely.get_type_id(shapes) == 3
        shapes = shapes.copy()
        shapes[single] = [shapely.MultiPolygon([shape]) for shape in shapes[single]]
    return shapes


def _duplicate_faults(frame: pd.DataFrame) -> Iterator[Misfit]:
    if "code" not in frame.columns:
        return
    codes = frame["code"].dropna()
    twice = sorted(codes[codes.duplicated()].astype(str).unique())
    if twice:
        shown = ", ".join(twice[:_SHOWN]) + (" …" if len(twice) > _SHOWN else "")
        yield Misfit(column="code", en=f"{len(twice)} used twice: {shown}", zh=f"编码重复：{shown}")


def _places(frame: pd.DataFrame, rows: "pd.Index[Any]") -> str:
    """Return how many rows, and where the first few came from."""
    part = frame.loc[rows[:_SHOWN]]
    if not set(SOURCE) <= set(frame.columns):
        return f"{len(rows)} rows"
    sources = zip(part["source_file"], part["source_row"], strict=True)
    shown = ", ".join(f"{file}:{row}" for file, row in sources)
    return f"{len(rows)} rows ({shown}{' …' if len(rows) > _SHOWN else ''})"
