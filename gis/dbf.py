"""The attribute table of a shapefile, read as bytes so that nothing guesses its encoding.

GDAL decodes a DBF before one can look at it; here the bytes are kept until `gis.encoding` decided.
"""

import struct
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.encoding import EncodingDecision
from gis.errors import FileFormatError
from gis.fieldtexts import decide_fields, decode_mixed
from gis.findings import Finding, Kind
from gis.remarks import Remark
from gis.texts import examine_values, name_warnings, repair_names

_EXACT_DIGITS = 15  # whole numbers of more digits do not survive as floating point
_LONG_CODE = 1e9  # no quantity of a survey is as large, codes are
_BRACKETS = {"（": "）", "(": ")", "《": "》", "“": "”", "【": "】"}
_BLANK = b" \x00\t\r\n"
_PLAIN = np.isin(
    np.arange(256), list(b" -./0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
)
"""Signs of codes and dates: the same in every encoding, and never what is left of a damaged text."""
_PLAIN_WIDTH = 80  # longer text may have been cut
_THREADS = 2
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
    warnings: tuple[Remark, ...]
    findings: tuple[Finding, ...] = ()
    """What single values are at fault with; rows count records from 1."""


def decode_dbf(table: DbfTable, *, stated: str | None = None, cpg: str | None = None) -> Attributes:
    """Decode the columns: text by evidence, ``D`` to ISO dates, numbers exactly, ``L`` to booleans.

    Text is in the file's encoding, but for columns whose values are plainly in another, and for values
    that only another one reads: survey teams append each other's tables.

    Raises
    ------
    EncodingError
        The encoding can not be decided, or the stated one does not fit.
    """
    with ThreadPoolExecutor(max_workers=_THREADS) as pool:  # Arrow works without Python's lock
        cells = list(pool.map(partial(_distinct, table), table.fields))
    texts = [
        cell.values if field.kind == "C" and cell.plain is None else []
        for field, cell in zip(table.fields, cells, strict=True)
    ]
    decided = decide_fields(
        [field.name for field in table.fields],
        texts,
        stated=stated,
        cpg=cpg,
        language_id=table.language_id,
    )
    read, repaired = repair_names(decided.names)
    names = _unique_names(read)
    columns: dict[str, pd.Series] = {}
    warnings = [*decided.decision.warnings, *decided.conflicts(names), *name_warnings(repaired)]
    findings: list[Finding] = []
    for name, field, column, codec in zip(names, table.fields, cells, decided.codecs, strict=True):
        decoded = _Decoding(name=name, field=field, cells=column, codec=codec)
        if column.plain is None:
            values = _decode_column(decoded, warnings=warnings, findings=findings)
        else:
            values = column.spread(column.plain)
        columns[name] = pd.Series(values, dtype=values.dtype)  # no inference: None stays None
    frame = pd.DataFrame(columns, index=pd.RangeIndex(len(table.records)))
    return Attributes(
        frame=frame,
        decision=decided.decision,
        warnings=tuple(warnings),
        findings=tuple(findings),
    )


@dataclass(frozen=True, kw_only=True)
class _Cells:
    """A column as its distinct values, padding removed, and which of them each record has."""

    values: list[bytes]
    """Empty where `plain` has them."""
    codes: NDArray[np.intp]
    plain: NDArray[np.object_] | None = None
    """Texts, None for blank, of a column whose signs need no decision; None: they do."""

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
    is_text = field.kind == "C"
    if is_text and (plain := _plain_texts(column.dictionary)) is not None:
        return _Cells(values=[], codes=column.indices.to_numpy().astype(np.intp), plain=plain)
    raw = column.dictionary.to_pylist()
    values = [cell.rstrip(_BLANK) if is_text else cell.strip(_BLANK) for cell in raw]
    return _Cells(values=values, codes=column.indices.to_numpy().astype(np.intp))


def _plain_texts(cells: Any) -> NDArray[np.object_] | None:
    """Return the texts of cells that hold nothing but `_PLAIN` signs; None: some hold others."""
    count = len(cells) * cells.type.byte_width
    if not _PLAIN[np.frombuffer(cells.buffers()[1], dtype=np.uint8, count=count)].all():
        return None
    texts = pc.ascii_rtrim(cells.cast(pa.binary()).cast(pa.large_string()), " ")
    if pc.max(pc.binary_length(texts)).as_py() > _PLAIN_WIDTH:
        return None
    kept = pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)
    result: NDArray[np.object_] = kept.to_numpy(zero_copy_only=False)
    return result


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


@dataclass(frozen=True, kw_only=True)
class _Decoding:
    name: str
    field: DbfField
    cells: _Cells
    codec: str

    def found(self, kind: Kind, reads: dict[int, str]) -> Finding:
        """Return the finding about distinct values, each with what it was read as."""
        at = np.flatnonzero(np.isin(self.cells.codes, list(reads)))
        hit = [int(place) for place in self.cells.codes[at]]
        given = {place: _shown(self.cells.values[place], self.codec) for place in reads}
        return Finding(
            kind=kind,
            column=self.name,
            rows=at + 1,
            given=tuple(given[place] for place in hit),
            read=tuple(reads[place] for place in hit),
        )


def _shown(value: bytes, codec: str) -> str:
    return value.decode(codec, errors="replace")


def _decode_column(
    column: _Decoding, *, warnings: list[Remark], findings: list[Finding]
) -> NDArray[Any]:
    cells, field = column.cells, column.field
    if field.kind in ("N", "F"):
        return _numbers(column, findings=findings)
    if field.kind == "D":
        return cells.spread(_object([_iso_date(value) for value in cells.values]))
    if field.kind == "L":
        return cells.spread(_object([_LOGICAL.get(value.upper()) for value in cells.values]))
    if field.kind == "M":
        if any(cells.values):
            warnings.append(
                Remark(
                    en=f"Column {column.name} is a memo field, whose text is not read.",
                    zh=f"列 {column.name} 是备注字段，其文本未读取。",
                )
            )
        return _object([None] * len(cells.codes))
    decoded = decode_mixed(cells.values, codec=column.codec)
    texts = decoded.values
    told = {*decoded.cut, *decoded.damaged, *decoded.other}
    verdicts = {
        place: verdict for place, verdict in examine_values(texts).items() if place not in told
    }
    for place, verdict in verdicts.items():
        texts[place] = verdict.read
    for kind in dict.fromkeys(verdict.kind for verdict in verdicts.values()):
        reads = {
            place: verdict.guess or verdict.read
            for place, verdict in verdicts.items()
            if verdict.kind == kind
        }
        findings.append(column.found(kind, reads))
    for kind, places in (
        ("cut", decoded.cut),
        ("damaged", decoded.damaged),
        ("other_encoding", decoded.other),
        ("likely_cut", _open_ended(cells.values, texts, width=field.width)),
    ):
        if places:
            reads = {place: texts[place] for place in places}
            findings.append(column.found(kind, reads))
    return cells.spread(_object([text if text.strip() else None for text in texts]))


def _open_ended(values: Sequence[bytes], texts: Sequence[str], *, width: int) -> list[int]:
    """Return the values that fill their column and end within brackets: what follows was cut off."""
    if max(map(len, values), default=0) <= width - 3:
        return []
    return [
        place
        for place, (value, text) in enumerate(zip(values, texts, strict=True))
        if len(value) > width - 3
        and any(text.count(opening) > text.count(closing) for opening, closing in _BRACKETS.items())
    ]


def _numbers(column: _Decoding, *, findings: list[Finding]) -> NDArray[Any]:
    """Return int64 where all are whole and present, exact ints for long ones, else float64."""
    cells, field = column.cells, column.field
    text = [
        value.decode("latin-1") if value.strip(b"*") else None  # stars: too long to be written
        for value in cells.values
    ]
    numbers: NDArray[np.float64] = pd.to_numeric(
        pd.Series(text, dtype=object), errors="coerce"
    ).to_numpy(dtype=float, copy=True)
    numbers[~np.isfinite(numbers)] = np.nan
    missing = np.isnan(numbers)
    numbered: tuple[tuple[Kind, list[int]], ...] = (
        ("no_number", [at for at, gap in enumerate(missing) if gap and text[at] is not None]),
        ("overflow", [at for at, value in enumerate(cells.values) if value and text[at] is None]),
        ("scientific", [at for at, value in enumerate(numbers) if _is_rounded(value, text[at])]),
    )
    for kind, places in numbered:
        if places:
            findings.append(column.found(kind, dict.fromkeys(places, "")))
    is_whole = field.decimals == 0 and bool(np.all(numbers[~missing] % 1 == 0))
    if not is_whole or (missing.any() and field.width <= _EXACT_DIGITS):
        return cells.spread(numbers)
    if field.width <= _EXACT_DIGITS:
        return cells.spread(numbers.astype(np.int64))
    pairs = zip(text, missing, strict=True)
    exact = [None if gap or value is None else _whole(value) for value, gap in pairs]
    fits = all(value is not None and abs(value) < 2**63 for value in exact)
    return cells.spread(np.array(exact, dtype=np.int64) if fits else _object(exact))


def _is_rounded(number: float, text: str | None) -> bool:
    """Tell whether a number is large and written with an exponent, so that its digits are gone."""
    return text is not None and "e" in text.lower() and abs(number) >= _LONG_CODE


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
