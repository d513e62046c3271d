"""Columns of Arrow made of numbers: bytes laid out by compiled code, nothing copied that need not be."""

from typing import Any

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from api.words import store, word

_compile = numba.njit(nogil=True, cache=True)
_inline = numba.njit(nogil=True, cache=True, inline="always")

Pieces = tuple[NDArray[Any], NDArray[np.uint8]]
"""Where each of some texts begins, and past the last, with their bytes."""


def coded(number: NDArray[Any], texts: pa.StringArray) -> pa.DictionaryArray:
    """Return the texts of numbers as a coded column; -1 is missing.

    Examples
    --------
    >>> coded(np.array([2, -1, 0, 2]), pa.array(["a", "b", "c"])).to_pylist()
    ['c', None, 'a', 'c']
    """
    numbers = np.ascontiguousarray(number, dtype=np.int32)
    indices = _array(pa.int32(), numbers >= 0, numbers)
    return pa.DictionaryArray.from_arrays(indices, texts, safe=False)


def floats(values: NDArray[np.float64], *, known: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return numbers as a column; nan, or what is not known, is missing.

    Examples
    --------
    >>> floats(np.array([1.5, np.nan])).to_pylist()
    [1.5, None]
    """
    there = values == values if known is None else known
    return _array(pa.float64(), there, np.ascontiguousarray(values))


def _array(kind: pa.DataType, there: NDArray[np.bool_], *buffers: NDArray[Any]) -> pa.Array:
    missing = len(there) - int(np.count_nonzero(there))
    bits = pa.py_buffer(np.packbits(there, bitorder="little")) if missing else None
    parts = [bits, *(pa.py_buffer(values) for values in buffers)]
    return pa.Array.from_buffers(kind, len(there), parts, missing)


def pieces_of(texts: pa.StringArray | pa.LargeStringArray) -> Pieces:
    """Return where texts lie; missing ones are empty.

    Examples
    --------
    >>> starts, letters = pieces_of(pa.array(["ab", None, "c"]))
    >>> starts.tolist(), bytes(letters)
    ([0, 2, 2, 3], b'abc')
    """
    _, starts, letters = texts.buffers()
    if starts is None or not len(texts):
        return np.zeros(len(texts) + 1, dtype=np.int32), np.empty(0, dtype=np.uint8)
    width = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    found = np.frombuffer(starts, dtype=width)[texts.offset : texts.offset + len(texts) + 1]
    data = (
        np.empty(0, dtype=np.uint8) if letters is None else np.frombuffer(letters, dtype=np.uint8)
    )
    return found, data


def joined_texts(
    bodies: NDArray[Any], ends: tuple[NDArray[Any], NDArray[Any]], *, of: tuple[Pieces, Pieces]
) -> tuple[pa.StringArray, pa.StringArray]:
    """Return bodies as a column, and a column of heads, bodies and tails in one text each.

    Parameters
    ----------
    bodies : ndarray of int
        Numbers of texts; -1: missing.
    ends : tuple of ndarray
        Numbers of heads and tails; -1: none. Without a tail the body is left out, without a head too
        the whole text is missing.
    of : tuple
        The texts of bodies, and those of heads and tails, as `pieces_of` gives them.

    Examples
    --------
    >>> of = pieces_of(pa.array(["a", "b"])), pieces_of(pa.array(["<", ">"]))
    >>> ends = np.array([0, 0, -1]), np.array([1, -1, -1])
    >>> [column.to_pylist() for column in joined_texts(np.array([1, 0, -1]), ends, of=of)]
    [['b', 'a', None], ['<b>', '<', None]]
    """
    begins = np.empty(len(bodies), dtype=np.int64)
    starts = np.empty((2, len(bodies) + 1), dtype=np.int64)
    _measure(bodies, ends, of, begins, starts)
    if starts[:, -1].max() > np.iinfo(np.int32).max:
        msg = (
            f"The texts of {len(bodies):,} rows are too long for one column: decide fewer at once."
        )
        raise ValueError(msg)
    letters = [np.empty(int(size) + 8, dtype=np.uint8) for size in starts[:, -1]]
    _write(ends, of, (begins, starts), letters[0], letters[1])
    first, second = (
        _array(pa.string(), there, part.astype(np.int32), data)
        for there, part, data in zip((bodies >= 0, ends[0] >= 0), starts, letters, strict=True)
    )
    return first, second


@_compile
def _measure(bodies: Any, ends: Any, of: Any, begins: Any, starts: Any) -> None:
    heads, tails = ends
    middles, rims = of[0][0], of[1][0]
    plain, whole = 0, 0
    for row in range(len(bodies)):
        head, body, tail = heads[row], bodies[row], tails[row]
        starts[0, row], starts[1, row] = plain, whole
        length = 0
        if body >= 0:
            begins[row] = middles[body]
            length = middles[body + 1] - middles[body]
        plain += length
        if head >= 0:
            whole += rims[head + 1] - rims[head]
        if tail >= 0:
            whole += length + rims[tail + 1] - rims[tail]
    starts[0, len(bodies)], starts[1, len(bodies)] = plain, whole


@_compile
def _write(ends: Any, of: Any, places: Any, plain: Any, whole: Any) -> None:
    heads, tails = ends
    middle_letters, rims, rim_letters = of[0][1], of[1][0], of[1][1]
    begins, starts = places
    middle, middle_end = (
        middle_letters.ctypes.data,
        middle_letters.ctypes.data + len(middle_letters),
    )
    rim, rim_end = rim_letters.ctypes.data, rim_letters.ctypes.data + len(rim_letters)
    to_plain, to_whole = plain.ctypes.data, whole.ctypes.data
    plain_end = to_plain + len(plain)
    for row in range(len(heads)):
        place, own = to_whole + starts[1, row], to_plain + starts[0, row]
        head, tail = heads[row], tails[row]
        length = starts[0, row + 1] - starts[0, row]
        if length:
            _copy(middle + begins[row], length, middle_end, own)
        if head >= 0:
            size = rims[head + 1] - rims[head]
            _copy(rim + rims[head], size, rim_end, place)
            place += size
        if tail >= 0:
            _copy(own, length, plain_end, place)
            place += length
            _copy(rim + rims[tail], rims[tail + 1] - rims[tail], rim_end, place)


@_inline
def _copy(source: int, length: int, end: int, target: int) -> None:
    """Copy a text; up to seven bytes after it are written too, which the next text then takes."""
    at = 0
    while at < length:
        store(target + at, word(source + at, length - at, end))
        at += 8
