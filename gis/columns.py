"""Columns of Arrow as arrays and back, by their buffers: mapped ones stay mapped.

Arrow's own conversions load pandas, which takes longer than opening a snapshot does.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

Column: TypeAlias = Any
"""An Array or a ChunkedArray of pyarrow."""


def numbers_of(column: Column, dtype: DTypeLike, *, missing: int | None = None) -> NDArray[Any]:
    """Return a column of numbers or days of a fixed width as an array.

    Parameters
    ----------
    column : pyarrow.Array or ChunkedArray
        Numbers, or days, which are days since 1970.
    dtype : dtype
        Type of numpy of the same width.
    missing : int or None
        Value in the place of a missing one; None: none is missing.

    Examples
    --------
    >>> numbers_of(pa.array([3, None, 5], pa.int32()).slice(1), np.int32, missing=-1).tolist()
    [-1, 5]
    """
    parts = []
    for chunk in _chunks(column):
        content = np.frombuffer(chunk.buffers()[1] or b"", dtype=dtype)
        part = content[chunk.offset : chunk.offset + len(chunk)]
        if missing is not None and chunk.null_count:
            part = np.where(_bits(chunk, 0), part, np.asarray(missing, dtype=dtype))
        parts.append(part)
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, dtype=dtype), *parts])


def flags_of(column: Column) -> NDArray[np.bool_]:
    """Return a column of truth values, none of them missing, as an array.

    Examples
    --------
    >>> flags_of(pa.chunked_array([[True, False], [True]])).tolist()
    [True, False, True]
    """
    return np.concatenate([np.empty(0, dtype=bool), *(_bits(c, 1) for c in _chunks(column))])


def rows_of(numbers: NDArray[Any]) -> pa.Int64Array:
    """Return row numbers as Arrow takes them.

    Examples
    --------
    >>> pa.table({"a": [1, 2, 3]}).take(rows_of(np.array([2, 0])))["a"].to_pylist()
    [3, 1]
    """
    plain = np.ascontiguousarray(numbers, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(plain), [None, pa.py_buffer(plain)])


def texts_of(texts: Sequence[str]) -> pa.StringArray:
    """Return texts as a column.

    Examples
    --------
    >>> texts_of(["", "a路"]).to_pylist()
    ['', 'a路']
    """
    encoded = [text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def _chunks(column: Column) -> list[pa.Array]:
    return column.chunks if isinstance(column, pa.ChunkedArray) else [column]


def _bits(array: pa.Array, buffer: int) -> NDArray[np.bool_]:
    """Return the bits of a buffer of an array, whether its values are there or what they are."""
    content = np.frombuffer(array.buffers()[buffer] or b"", dtype=np.uint8)
    bits = np.unpackbits(content, bitorder="little")
    return bits[array.offset : array.offset + len(array)].astype(bool)
