"""Large query results read by COPY, column by column: no Python object for every value on the way."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from psycopg import sql
from pyarrow import csv as arrow_csv

from gis.rows import Connection, Params, Query, read_features

_BLOCK_ROWS = 65_536
_BOOLEAN, _DATE, _DOCUMENT = 16, 1082, 3802
_KINDS: dict[int, pa.DataType] = {
    _BOOLEAN: pa.bool_(),
    **dict.fromkeys((20, 21, 23), pa.int64()),
    **dict.fromkeys((700, 701, 1700), pa.float64()),
    **dict.fromkeys((19, 25, 1043), pa.large_string()),
    _DATE: pa.date32(),
    _DOCUMENT: pa.large_string(),
}
"""Type of PostgreSQL -> type of Arrow, of what COPY writes as Arrow reads it."""


def read_columns(
    connection: Connection, query: Query, params: Params = None, *, crs: str
) -> gpd.GeoDataFrame:
    """Return the same as `gis.rows.read_features`, in a part of its time and memory for many rows.

    Results with columns of a type that COPY writes otherwise than Arrow reads it (lists, moments)
    are read row by row.

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
    body = sql.SQL(query) if isinstance(query, str) else query
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("SELECT * FROM ({}) AS rows LIMIT 0").format(body), params)
        kinds = {column.name: column.type_code for column in cursor.description or []}
    if any(name != "geom" and kind not in _KINDS for name, kind in kinds.items()):
        return read_features(connection, query, params, crs=crs)
    # The text of a geometry is read as text, whatever number its type has in this database.
    types = {name: pa.string() if name == "geom" else _KINDS[kind] for name, kind in kinds.items()}
    columns: dict[str, list[Any]] = {name: [] for name in types}
    for table in _tables(_blocks(connection, body, params), types):
        for name, kind in kinds.items():
            column = table.column(name)
            columns[name].append(_shapes(column) if name == "geom" else _part(column, kind))
    geometry = np.concatenate([np.empty(0, dtype=object), *columns.pop("geom")])
    series = {
        name: _series(parts, kinds[name], index=pd.RangeIndex(len(geometry)))
        for name, parts in columns.items()
    }
    if len(geometry) > _BLOCK_ROWS:  # what reading took is not kept for the next time
        pa.default_memory_pool().release_unused()
    return gpd.GeoDataFrame(series, geometry=geometry, crs=crs)


def _blocks(connection: Connection, body: sql.Composable, params: Params) -> Iterator[bytes]:
    """Yield the result as CSV, some ten thousand whole rows at a time."""
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')").format(body)
    with connection.cursor() as cursor, cursor.copy(statement, params) as copy:
        block = io.BytesIO()
        for number, row in enumerate(copy, start=1):  # the server sends row by row
            block.write(row)
            if number % _BLOCK_ROWS == 0:
                yield block.getvalue()
                block = io.BytesIO()
        if block.tell():
            yield block.getvalue()


def _tables(blocks: Iterator[bytes], types: dict[str, pa.DataType]) -> Iterator[pa.Table]:
    reading = arrow_csv.ReadOptions(column_names=list(types), use_threads=False, block_size=2**30)
    parsing = arrow_csv.ParseOptions(newlines_in_values=True)
    converting = arrow_csv.ConvertOptions(
        column_types=types,
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    for block in blocks:
        yield arrow_csv.read_csv(
            pa.py_buffer(block),
            read_options=reading,
            parse_options=parsing,
            convert_options=converting,
        )


def _shapes(column: pa.ChunkedArray) -> Any:
    return shapely.from_wkb(column.to_numpy(zero_copy_only=False))


def _part(column: pa.ChunkedArray, kind: int) -> Any:
    """Return a part of a column as it is kept: of dates and documents objects, of all else Arrow's."""
    if kind not in (_DATE, _DOCUMENT):
        return column.combine_chunks()
    coded = column.combine_chunks().dictionary_encode()
    values = coded.dictionary.to_pylist()
    numbers = coded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    if kind == _DATE:
        table = np.full(len(values) + 1, None, dtype=object)
        table[:-1] = values
        return table[numbers]
    documents = [None if text is None else json.loads(text) for text in [*values, None]]
    found = np.empty(len(numbers), dtype=object)
    # Each row has a document of its own, for some change it.
    found[:] = [_own(documents[number]) for number in numbers.tolist()]
    return found


def _own(document: Any) -> Any:
    return dict(document) if isinstance(document, dict) else document


def _series(parts: list[Any], kind: int, *, index: pd.Index) -> "pd.Series[Any]":
    if len(index) == 0 or kind in (_DATE, _DOCUMENT):
        values = np.concatenate([np.empty(0, dtype=object), *parts])
        return pd.Series(values, index=index, dtype=_EMPTY.get(kind, "object"))
    column = pa.chunked_array(parts, type=_KINDS[kind])
    return pd.Series(_READERS[_KINDS[kind]](column), index=index)


_EMPTY = {
    _BOOLEAN: "bool",
    **dict.fromkeys((20, 21, 23), "int64"),
    **dict.fromkeys((700, 701, 1700), "float64"),
}


def _texts(column: pa.ChunkedArray) -> Any:
    if column.null_count == len(column):
        return np.full(len(column), None, dtype=object)
    return pd.arrays.ArrowStringArray(column, dtype=pd.StringDtype(na_value=np.nan))


def _numbers(column: pa.ChunkedArray) -> Any:
    if column.null_count:
        return pd.array(column.to_pandas(integer_object_nulls=True), dtype="Int64")
    return column.to_numpy()


def _truths(column: pa.ChunkedArray) -> Any:
    values = column.to_pandas()
    return values.astype("boolean" if column.null_count else "bool").array


_READERS: dict[pa.DataType, Callable[[pa.ChunkedArray], Any]] = {
    pa.bool_(): _truths,
    pa.int64(): _numbers,
    pa.float64(): lambda column: column.to_pandas().to_numpy(),
    pa.large_string(): _texts,
}
