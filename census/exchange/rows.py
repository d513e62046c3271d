"""Live components as rows of an export: columns named, words written, attributes laid side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from census.exchange.columns import (
    SHAPEFILE_BYTES,
    ColumnSet,
    ExchangeColumn,
    exchange_columns,
    short_names,
    write_word,
)
from census.exchange.stamp import BASE_BUILD, BASE_HASH
from gis.builds import live
from gis.database import Database

STREET_DIGITS = 9
_WORDS = ("condition", "ownership")
_NOT_NAMES = ("fid", "geom", "geometry", "ogc_fid", "x", "y")
"""Column names that formats and loads keep for themselves."""
_MULTIPART: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "MultiLineString": shapely.MultiLineString,
    "MultiPolygon": shapely.MultiPolygon,
}
_MULTIPART_TYPES = (4, 5, 6)
"""Type ids of shapely."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which components are exported."""

    classes: tuple[str, ...] = ()
    """Minor classes; empty: all."""
    districts: tuple[str, ...] = ()
    """Districts, or the beginnings of their codes; empty: all."""
    as_of: date | None = None
    """Day whose state is exported; None: what is live."""


@dataclass(frozen=True, kw_only=True)
class ExportRows:
    """Rows to write, and what their columns are."""

    table: pd.DataFrame
    """Columns as written, without geometry; sorted by component code."""
    geometry: gpd.GeoSeries
    """Aligned to `table`, city's CRS."""
    classes: "pd.Series[str]"
    """Minor class of each row."""
    columns: Mapping[str, ExchangeColumn]
    """Written name -> column; attributes are in `attributes`."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Attribute -> written name."""
    warnings: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Written name of the component code."""
        return next(name for name, column in self.columns.items() if column.role == "key")


def read_components(database: Database, selection: Selection) -> gpd.GeoDataFrame:
    """Return the versions to export by code: all columns of the table and ``geometry``."""
    frame = gpd.GeoDataFrame(live(database, "components", as_of=selection.as_of))
    kept = pd.Series(True, index=frame.index, dtype=bool)
    if selection.classes:
        kept &= frame["class_code"].isin(selection.classes)
    if selection.districts:
        kept &= frame["code"].str.startswith(selection.districts)
    return frame[kept].reset_index(drop=True)


def area_names(database: Database, as_of: date | None) -> dict[str, str]:
    """Return code -> name of the areas, for the street and community of a component."""
    areas = live(database, "areas", columns=["code", "name"], as_of=as_of)
    return dict(zip(areas["code"], areas["name"], strict=True))


def export_rows(
    frame: gpd.GeoDataFrame,
    *,
    names: ColumnSet,
    areas: Mapping[str, str],
    encoding: str | None = None,
) -> ExportRows:
    """Return rows as they are written.

    Attributes follow the columns, each in a column of its own, in the order of their names; they are
    left out of the 2026 exchange columns, which know none. In sets other than the platform's words
    are Chinese. 2026: dates are YYYYMMDD, values longer than table 2 allows and mandatory ones that
    are missing are told, and nothing is cut.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Rows of `read_components`.
    names : str
        Set of column names.
    areas : mapping
        Code -> name of streets and communities.
    encoding : str or None
        Given: names are cut to the 10 bytes of a shapefile in this encoding.
    """
    values = _values(frame, areas)
    table: dict[str, Any] = {}
    columns: dict[str, ExchangeColumn] = {}
    for column in exchange_columns():
        name = column.name_in(names, is_short=encoding is not None)
        if name is None:
            continue
        if encoding is not None and len(name.encode(encoding, "replace")) > SHAPEFILE_BYTES:
            name = short_names([name], taken=columns, encoding=encoding)[name]
        table[name] = _written(values[column.column], column, names)
        columns[name] = column
    attributes = {} if names == "2026" else _attributes(frame, table, encoding)
    rows = pd.DataFrame(table, index=frame.index)
    return ExportRows(
        table=rows,
        geometry=frame.geometry,
        classes=frame["class_code"],
        columns=columns,
        attributes=attributes,
        warnings=_exchange_doubts(rows, columns, frame) if names == "2026" else (),
    )


def _values(frame: pd.DataFrame, areas: Mapping[str, str]) -> pd.DataFrame:
    """Return the columns of ``columns.csv`` by platform name."""
    values = pd.DataFrame(frame.drop(columns="geometry"))
    street = values["community_code"].str.slice(0, STREET_DIGITS)
    return values.assign(
        street_code=street,
        street_name=street.map(areas),
        community_name=values["community_code"].map(areas),
        **{BASE_BUILD: values["build_id"], BASE_HASH: values["content_hash"]},
    )


def _written(
    values: "pd.Series[Any]", column: ExchangeColumn, names: ColumnSet
) -> "pd.Series[Any]":
    if column.kind == "integer":
        return values.astype("int64")
    plain = values.astype(object).where(values.notna(), None)
    if column.domain in _WORDS and names != "platform":
        return plain.map(lambda value: write_word(column.domain, value))
    if column.kind == "date" and names == "2026":
        return plain.map(lambda day: None if day is None else f"{day:%Y%m%d}")
    return plain


def _attributes(frame: pd.DataFrame, table: dict[str, Any], encoding: str | None) -> dict[str, str]:
    """Add one column per attribute to `table`; return attribute -> written name."""
    found: dict[str, dict[int, Any]] = {}
    for position, document in enumerate(frame["attributes"]):
        for name, value in (document or {}).items():
            found.setdefault(str(name), {})[position] = value
    ordered = sorted(found)
    taken = {*table, *_NOT_NAMES}
    fits = encoding is not None
    written = (
        short_names(ordered, taken=taken, encoding=encoding or "UTF-8")
        if fits
        else _apart(ordered, taken)
    )
    for name in ordered:
        table[written[name]] = _attribute_column(
            found[name], frame.index, has_nulls=encoding is None
        )
    return written


def _attribute_column(
    values: Mapping[int, Any], index: "pd.Index[Any]", *, has_nulls: bool
) -> "pd.Series[Any]":
    """Return numbers as numbers where all are, else text.

    Not `has_nulls`: a DBF has no missing numbers, so a column that misses some is text.
    """
    column = np.full(len(index), None, dtype=object)
    are_numbers = (has_nulls or len(values) == len(index)) and all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in values.values()
    )
    for position, value in values.items():
        column[position] = float(value) if are_numbers else str(value)
    return pd.Series(column, index=index, dtype=float if are_numbers else object)


def _apart(names: Sequence[str], taken: set[str]) -> dict[str, str]:
    used = {name.casefold() for name in taken}
    result = {}
    for name in names:
        written, number = name, 1
        while written.casefold() in used:
            number += 1
            written = f"{name}_{number}"
        used.add(written.casefold())
        result[name] = written
    return result


def _exchange_doubts(
    rows: pd.DataFrame, columns: Mapping[str, ExchangeColumn], frame: pd.DataFrame
) -> tuple[str, ...]:
    """Say what table 2 of GB/T 47678.5-2026 would not take."""
    doubts = []
    code = next(name for name, column in columns.items() if column.role == "key")
    old = int((frame["standard_ref"] != "GB/T 47678.5-2026").sum())
    if old:
        doubts.append(
            f"{old:,} of {len(frame):,} components have codes of an older generation: "
            "`wanmi census migrate` moves them."
        )
    for name, column in columns.items():
        missing = rows[name].isna()
        if column.exchange_demand == "M" and missing.any():
            first = rows.loc[missing, code].iloc[0]
            doubts.append(
                f"{name} is mandatory and missing in {missing.sum():,} rows, first {first}."
            )
        long = rows[name].str.len().gt(column.exchange_width).fillna(False).astype(bool)
        if name != code and long.any():
            first = rows.loc[long, code].iloc[0]
            doubts.append(
                f"{name} is longer than {column.exchange_width} characters in {long.sum():,} rows, "
                f"first {first}; written whole."
            )
    return tuple(doubts)


def arrow_table(rows: ExportRows, mask: "pd.Series[bool]", *, kind: str | None = None) -> pa.Table:
    """Return some rows as an Arrow table with the geometry as WKB in ``geometry``.

    `kind`: geometry type of the layer; a simple shape becomes one of one part where it is a multipart type.
    """
    part, shapes = rows.table[mask], rows.geometry[mask].to_numpy().copy()
    make = _MULTIPART.get(kind or "")
    if make is not None:
        is_simple = ~np.isin(shapely.get_type_id(shapes), _MULTIPART_TYPES)
        shapes[is_simple] = [make([shape]) for shape in shapes[is_simple]]
    arrays, fields = [], []
    for name in part.columns:
        column = rows.columns.get(str(name))
        arrow = _arrow_kind(part[name], column)
        arrays.append(pa.array(part[name], type=arrow, from_pandas=True))
        fields.append(pa.field(str(name), arrow))
    arrays.append(pa.array(shapely.to_wkb(shapes), type=pa.binary()))
    fields.append(
        pa.field("geometry", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})
    )
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def _arrow_kind(values: "pd.Series[Any]", column: ExchangeColumn | None) -> pa.DataType:
    if values.dtype == float:
        return pa.float64()
    if column is None or column.kind == "text" or values.map(lambda v: isinstance(v, str)).any():
        return pa.string()
    return pa.int64() if column.kind == "integer" else pa.date32()
