"""Frames into tables by COPY, and query results into frames."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import psycopg
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from psycopg import sql
from pyarrow import csv as arrow_csv

from gis.copybinary import HEADER, TRAILER, can_encode, encode
from gis.errors import ConformError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

Query = str | sql.Composable
Params = Sequence[Any] | Mapping[str, Any] | None
Connection = psycopg.Connection[Any]
Content = bytes | memoryview
Beside = tuple[Sequence[str], Callable[[Mapping[str, Any]], list[Any]]]
"""Further columns of a COPY, and what makes their Arrow arrays of those of the frame's columns."""

_CHUNK_ROWS = 50_000
_INTEGERS = (20, 21, 23)
_FLOATS = (700, 701, 1700)
_BOOLEAN = 16
_MISSING = ("NAType", "NaTType")  # of pandas
_DATE = 1082
_TIMESTAMPS = (1114, 1184)
_TEXT_ARRAY = 1009
_DOCUMENTS = (114, 3802)
_POINT_WKB = np.dtype([("order", "u1"), ("kind", "<u4"), ("srid", "<u4"), ("xy", "<f8", (2,))])
_POINT_WITH_SRID = 0x20000001
_JSON_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS


def read_rows(connection: Connection, query: Query, params: Params = None) -> "pd.DataFrame":
    """Return the result of a query, in its order.

    Integers with nulls become ``Int64``, booleans with nulls ``boolean``; dates, lists and
    documents stay Python objects; a missing text is missing.
    """
    import pandas as pd

    with connection.cursor() as cursor:
        cursor.execute(query, params)  # type: ignore[arg-type]
        columns = cursor.description or []
        rows = cursor.fetchall()
    values = list(zip(*rows, strict=True)) if rows else [()] * len(columns)
    series = [
        _series(column.name, column.type_code, list(cells))
        for column, cells in zip(columns, values, strict=True)
    ]
    return pd.concat(series, axis=1) if series else pd.DataFrame()


def read_features(
    connection: Connection, query: Query, params: Params = None, *, crs: str
) -> "gpd.GeoDataFrame":
    """Return the result of a query whose column ``geom`` becomes the geometry column ``geometry``.

    Parameters
    ----------
    connection : psycopg.Connection
        Open connection.
    query : str or psycopg.sql.Composable
        Query with a column ``geom``.
    params : sequence or mapping
        Its values.
    crs : str
        CRS of ``geom``, the city's.
    """
    import geopandas as gpd

    frame = read_rows(connection, query, params).rename(columns={"geom": "geometry"})
    geometry = shapely.from_wkb(frame["geometry"].to_numpy(dtype=object, na_value=None))
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=geometry, crs=crs)


def copy_rows(
    connection: Connection,
    table: str,
    frame: "pd.DataFrame",
    *,
    srid: int,
    beside: Beside | None = None,
) -> int:
    """Append a frame to a table by COPY; return the number of rows.

    The table's column types decide how values are written: in binary where all are of types that
    `gis.copybinary` writes, else as text. ``geometry`` goes to ``geom``.

    Parameters
    ----------
    connection : psycopg.Connection
        Open connection; the caller's transaction commits.
    table : str
        ``schema.table``, or the name of a temporary table.
    frame : pandas.DataFrame
        Columns are named as the table's.
    srid : int
        SRID written into geometries; coordinates are not changed.
    beside : tuple
        Names of further columns, and what makes their Arrow arrays of those of the frame's columns.

    Raises
    ------
    ConformError
        A value does not fit its column's type.
    """
    import pandas as pd

    renamed = pd.DataFrame(frame).rename(columns={"geometry": "geom"})
    target = sql.Identifier(*table.split("."))
    more, make = beside or ((), lambda _: [])
    names = [*map(str, renamed.columns), *more]
    every = sql.SQL(", ").join(map(sql.Identifier, names))
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT {} FROM {} LIMIT 0").format(every, target))
        kinds = [column.type_code for column in cursor.description or []]
        arrays = _arrow_blocks(renamed, kinds[: len(renamed.columns)], srid)
        blocks = ([*block.values(), *make(block)] for block in arrays)
        is_binary = can_encode(kinds, names)
        form = "binary" if is_binary else "csv"
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT {}, ENCODING 'UTF8')")
        with cursor.copy(statement.format(target, every, sql.SQL(form))) as copy:
            for content in _ahead(_binary(blocks, kinds, names) if is_binary else _csv(blocks)):
                copy.write(content)
    return len(renamed)


def _ahead(blocks: Iterator[Content]) -> Iterator[Content]:
    """Yield the blocks, the next one being made while the server reads the one before."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = pool.submit(next, blocks, None)
        while (block := waiting.result()) is not None:
            waiting = pool.submit(next, blocks, None)
            yield block


def _arrow_blocks(frame: "pd.DataFrame", kinds: list[int], srid: int) -> Iterator[dict[str, Any]]:
    for start in range(0, len(frame), _CHUNK_ROWS):
        part = frame.iloc[start : start + _CHUNK_ROWS]
        yield {
            str(part.columns[position]): _arrow(part.iloc[:, position], kind, srid)
            for position, kind in enumerate(kinds)
        }


def _binary(
    blocks: Iterator[list[Any]], kinds: Sequence[int], names: Sequence[str]
) -> Iterator[Content]:
    yield HEADER
    for columns in blocks:
        try:
            yield encode(columns, kinds, names)
        except pa.ArrowInvalid as error:
            msg = f"{error}; correct the values before they are loaded."
            raise ConformError(msg, zh=f"值与列的类型不符：{error}。") from error
    yield TRAILER


def _csv(blocks: Iterator[list[Any]]) -> Iterator[Content]:
    # Arrow writes null as nothing and an empty text as "", the way COPY reads them.
    options = arrow_csv.WriteOptions(include_header=False)
    for columns in blocks:
        buffer = io.BytesIO()
        names = [f"c{position}" for position in range(len(columns))]
        arrow_csv.write_csv(pa.table(columns, names=names), buffer, options)
        yield buffer.getvalue()


def _arrow(column: "pd.Series[Any]", kind: int, srid: int) -> Any:
    import pandas as pd

    try:
        if column.name == "geom":
            return pa.array(_hex(column, srid), type=pa.string())
        if kind in _INTEGERS:
            return pa.array(pd.to_numeric(column).astype("Int64"), type=pa.int64())
        if kind in _FLOATS:
            return pa.array(pd.to_numeric(column).astype("float64"), from_pandas=True)
        if kind == _BOOLEAN:
            return pa.array(column.astype("boolean"), type=pa.bool_())
        if kind not in _WRITERS:
            values = column.array if isinstance(column.dtype, pd.StringDtype) else column.to_numpy()
            return pa.array(values, type=pa.string(), from_pandas=True)
        if kind == _DATE and pd.api.types.infer_dtype(column, skipna=True) == "date":
            return pa.array(column.to_numpy(), type=pa.date32(), from_pandas=True)
        return pa.array(_written(column, _WRITERS[kind]), type=pa.string())
    except (TypeError, ValueError, pa.ArrowException) as error:
        msg = f"Column {column.name}: {error}; correct the values before they are loaded."
        raise ConformError(msg, zh=f"列 {column.name} 的值与类型不符：{error}。") from error


def _written(column: "pd.Series[Any]", write: Callable[[Any], Any]) -> list[Any]:
    import pandas as pd

    cells = column.tolist()
    # As the attributes of most layers are.
    if write is _document and set(map(type, cells)) == {dict} and not any(cells):
        return ["{}"] * len(cells)
    empty = pd.isna(column).to_numpy()
    if not empty.any():
        return [write(cell) for cell in cells]
    return [None if gap else write(cell) for cell, gap in zip(cells, empty, strict=True)]


def _hex(column: "pd.Series[Any]", srid: int) -> Any:
    import pandas as pd

    shapes = np.asarray(column.array, dtype=object).copy()
    shapes[pd.isna(column).to_numpy()] = None
    if len(shapes) and _are_points(shapes):
        return _hex_points(shapes, srid)
    written = shapely.to_wkb(shapely.set_srid(shapes, srid), hex=True, include_srid=True)
    return pa.array(written, type=pa.string())


def _are_points(shapes: NDArray[np.object_]) -> bool:
    """Return whether all are points with two coordinates each."""
    is_plain = (shapely.get_type_id(shapes) == 0) & ~shapely.is_empty(shapes)
    return bool(is_plain.all()) and not (shapely.has_z(shapes) | shapely.has_m(shapes)).any()


def _hex_points(shapes: NDArray[np.object_], srid: int) -> Any:
    """Return the same as `shapely.to_wkb` of points, written at once."""
    wkb = np.empty(len(shapes), dtype=_POINT_WKB)
    wkb["order"], wkb["kind"], wkb["srid"] = 1, _POINT_WITH_SRID, srid
    wkb["xy"] = shapely.get_coordinates(shapes)
    text = wkb.tobytes().hex().upper().encode()
    width = 2 * _POINT_WKB.itemsize
    offsets = np.arange(0, len(text) + 1, width, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text)]
    return pa.Array.from_buffers(pa.string(), len(shapes), buffers)


def _is_null(cell: Any) -> bool:
    is_nan = isinstance(cell, float) and cell != cell
    return cell is None or is_nan or type(cell).__name__ in _MISSING


def _day(cell: date) -> str:
    return cell.isoformat()[:10]


def _moment(cell: Any) -> str:
    return str(cell.isoformat())


def _list(cell: Sequence[str]) -> str:
    if isinstance(cell, str):
        msg = f"{cell!r} is a text, not a list of texts"
        raise TypeError(msg)
    quoted = (item.replace("\\", "\\\\").replace('"', '\\"') for item in cell)
    return "{" + ",".join(f'"{item}"' for item in quoted) + "}"


def _document(cell: Any) -> str:
    if type(cell) is dict and not cell:
        return "{}"
    try:
        text = orjson.dumps(cell, default=_plain, option=_JSON_OPTIONS).decode()
        if "\\u0000" not in text:
            return text
    except TypeError:  # half of a surrogate pair, as a cut text may leave behind
        pass
    return orjson.dumps(_storable(cell), default=_plain, option=_JSON_OPTIONS).decode()


def _plain(value: Any) -> str | None:
    return None if _is_null(value) else str(value)


def _storable(value: Any) -> Any:
    """Return a document without what PostgreSQL can not store in a text."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_storable(key): _storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(item) for item in value]
    return value


_WRITERS: dict[int, Callable[[Any], Any]] = {
    _DATE: _day,
    _TEXT_ARRAY: _list,
    **dict.fromkeys(_TIMESTAMPS, _moment),
    **dict.fromkeys(_DOCUMENTS, _document),
}


def _series(name: str, kind: int, cells: list[Any]) -> "pd.Series[Any]":
    import pandas as pd

    if kind in _INTEGERS:
        return pd.Series(cells, name=name, dtype="Int64" if None in cells else "int64")
    if kind in _FLOATS:
        return pd.Series(cells, name=name, dtype="float64")
    if kind == _BOOLEAN:
        return pd.Series(cells, name=name, dtype="boolean" if None in cells else "bool")
    if kind in (_DATE, _TEXT_ARRAY, *_DOCUMENTS) or not cells:
        return pd.Series(cells, name=name, dtype="object")
    return pd.Series(cells, name=name)
