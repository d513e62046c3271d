"""Rows as PostgreSQL's COPY reads them in binary: no signs to quote, no numbers or dates to parse."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"

_BYTES = pa.large_binary()
_NULL = (-1).to_bytes(4, "big", signed=True)
_EPOCH_DAYS = 10_957  # from 1970, where Arrow counts days from, to 2000, where PostgreSQL does
_TEXTS = (19, 25, 1043)
_DATE, _DOCUMENT = 1082, 3802
_NUMBERS = {
    16: (pa.int8(), ">i1"),
    20: (pa.int64(), ">i8"),
    21: (pa.int16(), ">i2"),
    23: (pa.int32(), ">i4"),
    701: (pa.float64(), ">f8"),
    _DATE: (pa.int32(), ">i4"),
}
_DOCUMENT_VERSION = b"\1"


def can_encode(kinds: Sequence[int], names: Sequence[str]) -> bool:
    """Return whether all columns are of types that `encode` writes; ``geom`` is one whatever its number."""
    known = {*_TEXTS, *_NUMBERS, _DOCUMENT}
    return all(name == "geom" or kind in known for kind, name in zip(kinds, names, strict=True))


def encode(columns: Sequence[Any], kinds: Sequence[int], names: Sequence[str]) -> memoryview:
    """Return rows as they stand between `HEADER` and `TRAILER`.

    Parameters
    ----------
    columns : sequence of pyarrow arrays
        As `gis.rows` makes them for a COPY of text: days also as ISO text, documents as JSON,
        geometry as hexadecimal EWKB.
    kinds : sequence of int
        PostgreSQL's number of each column's type.
    names : sequence of str
        Name of each column in the table; ``geom`` is the geometry.

    Raises
    ------
    pyarrow.ArrowInvalid
        A number is too large for its column, or a day is none.

    Examples
    --------
    >>> encode([pa.array(["a路"]), pa.array([None], pa.int64())], [25, 23], ["name", "n"]).hex(" ", 2)
    '0002 0000 0004 61e8 b7af ffff ffff'
    """
    parts: list[Any] = [_cut(np.full(len(columns[0]), len(columns), dtype=">i2"))]
    for column, kind, name in zip(columns, kinds, names, strict=True):
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        if whole.null_count == len(whole):
            parts.append(_scalar(_NULL))
        elif name == "geom":
            parts += _fields(_unhex(whole))
        elif kind in _NUMBERS:
            parts.append(_numbers(whole, kind))
        else:
            parts += _fields(
                whole.cast(_BYTES), head=_DOCUMENT_VERSION if kind == _DOCUMENT else b""
            )
    joined = pc.binary_join_element_wise(*parts, _scalar(b""))
    _, offsets, content = joined.buffers()
    end = int(np.frombuffer(offsets, dtype=np.int64)[len(joined)])
    return memoryview(content)[:end]


def _scalar(value: bytes) -> Any:
    return pa.scalar(value, _BYTES)


def _fields(cells: Any, *, head: bytes = b"") -> list[Any]:
    """Return what is joined for a column of bytes: lengths, `head`, and the bytes themselves."""
    offsets = np.frombuffer(cells.buffers()[1], dtype=np.int64)
    lengths = np.diff(offsets[cells.offset : cells.offset + len(cells) + 1]) + len(head)
    first = int(lengths[0])
    if cells.null_count == 0 and (lengths == first).all():
        return [_scalar(first.to_bytes(4, "big") + head), cells]
    before = _cut(lengths.astype(">i4"))
    if head:
        before = pc.binary_join_element_wise(before, _scalar(head), _scalar(b""))
    if cells.null_count:
        before = pc.if_else(cells.is_valid(), before, _scalar(_NULL))
        cells = cells.fill_null(b"")
    return [before, cells]


def _numbers(column: Any, kind: int) -> Any:
    """Return lengths and values of numbers, truth values or days."""
    arrow, width = _NUMBERS[kind]
    if kind == _DATE:
        days = column.cast(pa.date32()).cast(pa.int32())
        column = pc.subtract(days, pa.scalar(_EPOCH_DAYS, pa.int32()))
    values = column.cast(arrow).fill_null(0).to_numpy(zero_copy_only=False)
    field = np.empty(len(values), dtype=[("length", ">i4"), ("value", width)])
    field["length"], field["value"] = np.dtype(width).itemsize, values
    cells = _cut(field)
    return pc.if_else(column.is_valid(), cells, _scalar(_NULL)) if column.null_count else cells


def _unhex(column: Any) -> Any:
    """Return hexadecimal digits as the bytes they stand for."""
    digits = column.cast(_BYTES)
    offsets = np.frombuffer(digits.buffers()[1], dtype=np.int64)
    offsets = offsets[digits.offset : digits.offset + len(digits) + 1]
    content = bytes.fromhex(str(memoryview(digits.buffers()[2])[offsets[0] : offsets[-1]], "ascii"))
    ends = np.ascontiguousarray((offsets - offsets[0]) // 2)
    cells = pa.Array.from_buffers(
        _BYTES, len(digits), [None, pa.py_buffer(ends), pa.py_buffer(content)]
    )
    return (
        pc.if_else(digits.is_valid(), cells, pa.scalar(None, _BYTES))
        if digits.null_count
        else cells
    )


def _cut(values: NDArray[Any]) -> Any:
    """Return the bytes of each element of an array."""
    width = values.dtype.itemsize
    ends = np.arange(0, (len(values) + 1) * width, width, dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(_BYTES, len(values), buffers)
