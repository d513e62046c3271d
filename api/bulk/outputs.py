"""Files of decided rows: what parts are written as, and how the whole is put together from them."""

import io
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq
import shapely

from api.bulk.packed import PACKED, kind_suffix, opened_text
from api.bulk.spans import distinct_names
from gis.errors import RequestError
from gis.geoparquet import points_metadata
from gis.streams import write_points

FORMATS = {
    ".csv": "csv",
    PACKED: "csv",
    ".parquet": "parquet",
    ".geoparquet": "geoparquet",
    ".gpkg": "gpkg",
}
"""Suffix -> what is written."""
GEOMETRY = "geometry"
_MARK = b"\xef\xbb\xbf"
_PLACED = ("geoparquet", "gpkg")
_COPY_BYTES = 1 << 24
_FORMULA, _NUMBER = r"^[=+\-@\t\r]", r"^[+\-]?[0-9.,]+(?:[eE][+\-]?[0-9]+)?$"
"""Texts that a spreadsheet takes for a formula, unless they are numbers."""


@dataclass(frozen=True, kw_only=True)
class Output:
    """The file to write."""

    path: Path
    kind: str
    crs: str
    """CRS of the points of the located cases."""
    schema: pa.Schema
    """All columns, those of the file first."""
    answers: tuple[tuple[str, str], ...]
    """Answer and the name of its column."""
    own: tuple[tuple[str, str], ...]
    """The file's column and its name in the output."""
    moment: datetime
    """When the file read was last changed: what a GeoPackage calls its own last change."""

    @property
    def part_suffix(self) -> str:
        """What parts are written as: text that is only to be joined, or Arrow."""
        return ".csv" if self.kind == "csv" else ".arrow"


def kind_of(path: Path) -> str:
    """Return what is written to a file of that name.

    Raises
    ------
    RequestError
        Nothing that is written here.
    """
    kind = FORMATS.get(kind_suffix(path))
    if kind is None:
        shown = ", ".join(FORMATS)
        msg = f"{path.name} is of a kind that is not written here: use {shown}."
        raise RequestError(msg, zh=f"{path.name} 的格式不支持：请使用 {shown}。")
    return kind


def plan_output(
    path: Path,
    empty: tuple[pa.Table, pa.Table],
    *,
    crs: str,
    geometry: str | None,
    columns: Sequence[str],
    moment: datetime,
) -> Output:
    """Settle the columns of the output.

    Parameters
    ----------
    empty : tuple of pyarrow.Table
        Columns of the file and columns of the answers, without rows.
    geometry : str or None
        The file's column of positions: kept in plain Parquet only.
    columns : sequence of str
        Answers wanted; none: all.

    Raises
    ------
    RequestError
        There is no such answer.
    """
    kind = kind_of(path)
    rows, answers = empty
    own = [name for name in rows.column_names if kind == "parquet" or name != geometry]
    wanted = _wanted(answers.column_names, columns)
    last = [GEOMETRY] if kind in _PLACED else []
    # A column of the file keeps its name; the answer of that name stands beside it.
    named = [_beside(name, own) for name in wanted]
    names = distinct_names([*last, *own, *named], fold=kind == "gpkg")[len(last) :]
    schema = _plain_schema(
        pa.schema(
            [rows.schema.field(c).with_name(n) for c, n in zip(own, names, strict=False)]
            + [
                answers.schema.field(c).with_name(n)
                for c, n in zip(wanted, names[len(own) :], strict=True)
            ]
        ),
        kind=kind,
    )
    if last:
        schema = schema.append(pa.field(GEOMETRY, pa.binary()))
    return Output(
        path=path,
        kind=kind,
        crs=crs,
        schema=schema,
        answers=tuple(zip(wanted, names[len(own) :], strict=True)),
        own=tuple(zip(own, names, strict=False)),
        moment=moment,
    )


def laid_out(output: Output, rows: pa.Table, answers: pa.Table) -> pa.Table:
    """Return rows and their answers as columns of the output."""
    columns = [rows[name] for name, _ in output.own] + [answers[name] for name, _ in output.answers]
    if output.kind in _PLACED:
        columns.append(_points(answers))
    plain = [
        _plain(column, field.type) for column, field in zip(columns, output.schema, strict=True)
    ]
    if output.kind == "csv":
        plain = [harmless(column) for column in plain]
    return pa.table(plain, schema=output.schema)


def harmless(column: Any) -> Any:
    r"""Return texts that a spreadsheet does not take for formulas: an apostrophe stands before those.

    As ``census.workbooks.harmless`` does it; texts that are numbers stay, for a CSV file has no others.

    Examples
    --------
    >>> harmless(pa.array(["=1+1", "-12.5", "+86 311", "x", None])).to_pylist()
    ["'=1+1", '-12.5', "'+86 311", 'x', None]
    """
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    is_risky = pc.match_substring_regex(column, _FORMULA)
    if not pc.any(is_risky).as_py():
        return column
    is_risky = pc.and_not(is_risky, pc.match_substring_regex(column, _NUMBER))
    return pc.if_else(is_risky, pc.binary_join_element_wise("'", column, ""), column)


@contextmanager
def part_writer(output: Output, path: Path) -> Iterator[Any]:
    """Yield an object whose ``write`` takes tables of the output's columns."""
    if output.kind == "csv":
        # Without its header the writer of pyarrow 26 puts stray bytes for the first rows.
        options = arrow_csv.WriteOptions(include_header=True, quoting_style="needed")
        with (
            path.open("wb") as sink,
            arrow_csv.CSVWriter(sink, output.schema, write_options=options) as writer,
        ):
            yield writer
    else:
        packed = pa.ipc.IpcWriteOptions(compression="lz4")
        with (
            pa.OSFile(str(path), "wb") as sink,
            pa.ipc.new_file(sink, output.schema, options=packed) as writer,
        ):
            yield writer


def assemble(output: Output, parts: Iterator[Path], path: Path) -> None:
    """Write the whole file from its parts as they come, in order; it must reach the disk."""
    if output.kind == "csv":
        _join_csv(output, parts, path)
    elif output.kind == "gpkg":
        reader = pa.RecordBatchReader.from_batches(output.schema, _batches(parts))
        write_points(
            reader, path, layer=output.path.stem, crs=output.crs, moment=output.moment
        )  # fmt: skip
    else:
        _join_parquet(output, parts, path)
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _join_csv(output: Output, parts: Iterator[Path], path: Path) -> None:
    options = arrow_csv.WriteOptions(include_header=True, quoting_style="needed")
    header, named = io.BytesIO(), io.BytesIO()
    empty = output.schema.empty_table()
    arrow_csv.write_csv(empty, header, options)
    names = harmless(pa.array(output.schema.names, pa.string())).to_pylist()
    arrow_csv.write_csv(empty.rename_columns(names), named, options)
    with opened_text(path) as file:
        # With the byte order mark spreadsheets read Chinese text.
        file.write(_MARK + named.getvalue())
        for part in parts:
            with part.open("rb") as rows:
                rows.seek(len(header.getvalue()))
                shutil.copyfileobj(rows, file, _COPY_BYTES)


def _join_parquet(output: Output, parts: Iterator[Path], path: Path) -> None:
    schema = output.schema
    if output.kind == "geoparquet":
        schema = schema.with_metadata(points_metadata(output.crs))
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in parts:
            with pa.memory_map(str(part)) as source:
                table = pa.ipc.open_file(source).read_all()
                writer.write_table(table.replace_schema_metadata(schema.metadata))


def _batches(parts: Iterator[Path]) -> Iterator[pa.RecordBatch]:
    for part in parts:
        with pa.memory_map(str(part)) as source:
            reader = pa.ipc.open_file(source)
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)


def _wanted(there: Sequence[str], columns: Sequence[str]) -> list[str]:
    unknown = [name for name in columns if name not in there]
    if unknown:
        msg = f"There is no answer {', '.join(unknown)}: choose from {', '.join(there)}."
        raise RequestError(
            msg, zh=f"没有名为 {'、'.join(unknown)} 的结果列：可选 {'、'.join(there)}。"
        )
    return [name for name in there if name in columns] if columns else list(there)


def _beside(name: str, own: Sequence[str]) -> str:
    while name in own:
        name = f"decided_{name}"
    return name


def _points(answers: pa.Table) -> pa.Array:
    x, y = (answers[name].to_numpy(zero_copy_only=False) for name in ("location_x", "location_y"))
    shapes = shapely.points(x, y)
    shapes[~(np.isfinite(x) & np.isfinite(y))] = None
    return pa.array(shapely.to_wkb(shapes), pa.binary())


def _plain_schema(schema: pa.Schema, *, kind: str) -> pa.Schema:
    return pa.schema([field.with_type(_plain_type(field.type, kind=kind)) for field in schema])


def _plain_type(own: pa.DataType, *, kind: str) -> pa.DataType:  # one kind of type a line
    if pa.types.is_null(own):
        return pa.string()
    if kind in ("parquet", "geoparquet"):
        return own
    if pa.types.is_dictionary(own):
        return _plain_type(own.value_type, kind=kind)
    is_simple = (
        pa.types.is_boolean(own)
        or pa.types.is_floating(own)
        or pa.types.is_timestamp(own)
        or pa.types.is_date(own)
        or (pa.types.is_integer(own) and own != pa.uint64())
    )
    if pa.types.is_float16(own):
        return pa.float32()
    return own if is_simple else pa.string()


def _plain(column: Any, wanted: pa.DataType) -> Any:
    """Return a column in the type of the output: what a table of text can not hold becomes JSON."""
    own = column.type
    if own == wanted:
        return column
    if pa.types.is_nested(own):
        texts = [None if v is None else _json(v) for v in column.to_pylist()]
        return pa.array(texts, pa.string())
    if pa.types.is_binary(own) or pa.types.is_large_binary(own):
        texts = [None if v is None else v.hex() for v in column.to_pylist()]
        return pa.array(texts, pa.string())
    if pa.types.is_duration(own) or pa.types.is_interval(own):
        texts = [None if v is None else str(v) for v in column.to_pylist()]
        return pa.array(texts, pa.string())
    return pc.cast(column, wanted)


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
