"""The attribute table of a shapefile, read as bytes so that nothing guesses its encoding.

GDAL decodes a DBF before one can look at it; here the bytes are kept until `gis.encoding` decided.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from gis.encoding import EncodingDecision, decide_encoding, decode_values
from gis.errors import FileFormatError

_EXACT_DIGITS = 15  # whole numbers of more digits do not survive as floating point
_BLANK = b" \x00\t\r\n"
_LOGICAL = {b"T": True, b"Y": True, b"F": False, b"N": False}


@dataclass(frozen=True, kw_only=True)
class DbfField:
    """A column as the header declares it."""

    name: bytes
    kind: str
    """C text, N and F numbers, D date, L logical; others are kept as text."""
    offset: int
    width: int
    decimals: int


@dataclass(frozen=True, kw_only=True)
class DbfTable:
    """Header and raw records."""

    fields: tuple[DbfField, ...]
    language_id: int
    records: NDArray[np.uint8]
    """One row of bytes per record; the first byte is ``*`` for a deleted one."""

    @property
    def is_deleted(self) -> NDArray[np.bool_]:
        """True for records marked as deleted."""
        return np.asarray(self.records[:, 0] == ord("*"))


def read_dbf(path: Path) -> DbfTable:
    """Read header and records, checking the record count against the file's length.

    Raises
    ------
    FileFormatError
        Not a DBF, or truncated.
    """
    data = path.read_bytes()
    if len(data) < 33:
        raise _truncated(path, "it has no complete header")
    count, header_size, record_size = struct.unpack_from("<IHH", data, 4)
    if header_size < 33 or record_size < 1 or header_size > len(data):
        raise _truncated(path, "its header is damaged")
    if header_size + count * record_size > len(data):
        whole = (len(data) - header_size) // record_size
        raise _truncated(path, f"its header counts {count} records, the file holds {whole}")
    records = np.frombuffer(data, dtype=np.uint8, count=count * record_size, offset=header_size)
    return DbfTable(
        fields=_read_fields(data, header_size, record_size, path=path),
        language_id=data[29],
        records=records.reshape(count, record_size),
    )


def _truncated(path: Path, why: str) -> FileFormatError:
    msg = f"{path.name} is damaged or truncated: {why}; copy or export the shapefile again."
    return FileFormatError(
        msg, zh=f"{path.name} 已损坏或被截断（文件头与长度不符）：请重新拷贝或导出该 Shapefile。"
    )


def _read_fields(
    data: bytes, header_size: int, record_size: int, *, path: Path
) -> tuple[DbfField, ...]:
    fields = []
    offset = 1
    for start in range(32, header_size - 31, 32):
        if data[start] == 0x0D:
            break
        name, kind, width, decimals = struct.unpack_from("<11sc4xBB", data, start)
        if kind in (b"C", b"c") and decimals:
            width += decimals * 256  # how long text fields are written by some programs
            decimals = 0
        fields.append(
            DbfField(
                name=name.split(b"\x00", 1)[0].rstrip(b" "),
                kind=kind.decode("latin-1").upper(),
                offset=offset,
                width=width,
                decimals=decimals,
            )
        )
        offset += width
    if offset > record_size:
        raise _truncated(path, "its columns are wider than its records")
    return tuple(fields)


@dataclass(frozen=True, kw_only=True)
class Attributes:
    """Decoded columns of a DBF."""

    frame: pd.DataFrame
    """One row per record, deleted ones included; text and dates as text, None for blank."""
    decision: EncodingDecision
    warnings: tuple[str, ...]


def decode_dbf(table: DbfTable, *, stated: str | None = None, cpg: str | None = None) -> Attributes:
    """Decode the columns: text by evidence, ``D`` to ISO dates, numbers exactly, ``L`` to booleans.

    Raises
    ------
    EncodingError
        The encoding can not be decided, or the stated one does not fit.
    """
    cells = [_distinct(table, field) for field in table.fields]
    samples = [field.name for field in table.fields]
    for field, column in zip(table.fields, cells, strict=True):
        if field.kind == "C":
            samples.extend(column.values)
    decision = decide_encoding(samples, stated=stated, cpg=cpg, language_id=table.language_id)
    names = _unique_names(
        decode_values([field.name for field in table.fields], codec=decision.codec).values
    )
    columns: dict[str, pd.Series] = {}
    warnings = list(decision.warnings)
    for name, field, column in zip(names, table.fields, cells, strict=True):
        values = _decode_column(column, field, name=name, codec=decision.codec, warnings=warnings)
        columns[name] = pd.Series(values, dtype=values.dtype)  # no inference: None stays None
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(table.records)))
    return Attributes(frame=frame, decision=decision, warnings=tuple(warnings))


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """A column as its distinct values, padding removed, and which of them each record has."""

    values: list[bytes]
    codes: NDArray[np.intp]

    def rows(self, positions: Sequence[int]) -> NDArray[np.int64]:
        """Return the 1-based rows that have one of these values."""
        return np.flatnonzero(np.isin(self.codes, positions)) + 1

    def spread(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return what stands for each record's value."""
        result: NDArray[Any] = values[self.codes] if len(values) else values
        return result


def _distinct(table: DbfTable, field: DbfField) -> _Cells:
    count = len(table.records)
    if field.width == 0 or count == 0:
        return _Cells(values=[b""][:count], codes=np.zeros(count, dtype=np.intp))
    block = np.ascontiguousarray(table.records[:, field.offset : field.offset + field.width])
    buffers = [None, pa.py_buffer(block)]
    column = pa.Array.from_buffers(pa.binary(field.width), count, buffers).dictionary_encode()
    raw = column.dictionary.to_pylist()
    is_text = field.kind == "C"
    values = [cell.rstrip(_BLANK) if is_text else cell.strip(_BLANK) for cell in raw]
    return _Cells(values=values, codes=column.indices.to_numpy().astype(np.intp))


def _unique_names(names: list[str]) -> list[str]:
    """Give names that occur twice, ignoring case, a number, as GDAL does."""
    seen: dict[str, int] = {}
    result = []
    for position, name in enumerate(names):
        plain = name.strip() or f"field_{position + 1}"
        count = seen.get(plain.lower(), 0)
        seen[plain.lower()] = count + 1
        result.append(plain if count == 0 else f"{plain}_{count}")
    return result


def _decode_column(
    cells: _Cells, field: DbfField, *, name: str, codec: str, warnings: list[str]
) -> NDArray[Any]:
    if field.kind in ("N", "F"):
        return _numbers(cells, field, name=name, warnings=warnings)
    if field.kind == "D":
        return cells.spread(_object([_iso_date(value) for value in cells.values]))
    if field.kind == "L":
        return cells.spread(_object([_LOGICAL.get(value.upper()) for value in cells.values]))
    if field.kind == "M":
        warnings.append(f"Column {name} is a memo field, whose text is not read.")
        return _object([None] * len(cells.codes))
    decoded = decode_values(cells.values, codec=codec)
    for positions, what in (
        (
            decoded.cut,
            "ends in the middle of a character (cut to the column's width); it was dropped",
        ),
        (decoded.damaged, "holds bytes that are no text; they were replaced"),
    ):
        if positions:
            warnings.append(f"Column {name} {what}: {name_rows(cells.rows(positions))}.")
    return cells.spread(_object([text if text.strip() else None for text in decoded.values]))


def _numbers(cells: _Cells, field: DbfField, *, name: str, warnings: list[str]) -> NDArray[Any]:
    """Return int64 where all are whole and present, exact ints for long ones, else float64."""
    text = [
        value.decode("latin-1") if value.strip(b"*") else None  # stars: too long to be written
        for value in cells.values
    ]
    numbers: NDArray[np.float64] = pd.to_numeric(
        pd.Series(text, dtype=object), errors="coerce"
    ).to_numpy(dtype=float, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    missing = np.isnan(numbers)
    wrong = [place for place, gap in enumerate(missing) if gap and text[place] is not None]
    if wrong:
        rows = name_rows(cells.rows(wrong))
        warnings.append(f"Column {name} holds what is no number; left blank: {rows}.")
    is_whole = field.decimals == 0 and bool(np.all(numbers[~missing] % 1 == 0))
    if not is_whole or (missing.any() and field.width <= _EXACT_DIGITS):
        return cells.spread(numbers)
    if field.width <= _EXACT_DIGITS:
        return cells.spread(numbers.astype(np.int64))
    pairs = zip(text, missing, strict=True)
    exact = [None if gap or value is None else _whole(value) for value, gap in pairs]
    fits = all(value is not None and abs(value) < 2**63 for value in exact)
    return cells.spread(np.array(exact, dtype=np.int64) if fits else _object(exact))


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return int(float(text))


def _iso_date(value: bytes) -> str | None:
    """Return ``YYYYMMDD`` as ISO; what is no date stays as it is, zeros and blanks are None."""
    text = value.decode("latin-1")
    if not text.strip("0 "):
        return None
    return f"{text[:4]}-{text[4:6]}-{text[6:]}" if len(text) == 8 and text.isdigit() else text


def _object(values: Sequence[object]) -> NDArray[np.object_]:
    result = np.empty(len(values), dtype=object)
    result[:] = list(values)
    return result


def name_rows(rows: NDArray[np.int64], *, limit: int = 10) -> str:
    """Return row numbers for a message, the first few of many.

    Examples
    --------
    >>> name_rows(np.array([3])), name_rows(np.arange(1, 13), limit=2)
    ('row 3', 'rows 1, 2 and 10 more')
    """
    shown = ", ".join(str(row) for row in rows[:limit])
    more = f" and {len(rows) - limit} more" if len(rows) > limit else ""
    return f"{'row' if len(rows) == 1 else 'rows'} {shown}{more}"
