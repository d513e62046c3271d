"""Rows of components by their codes: many codes in one compiled search of the sorted column."""

from typing import TYPE_CHECKING, Any

import numba
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from api.recodes import TABLE as RECODES

if TYPE_CHECKING:
    from api.edition import Edition

_compile = numba.njit(nogil=True, cache=True)


@_compile
def _search(wanted: Any, column: Any, order: Any, held: Any, rows: Any) -> None:
    """Find the first row of each wanted text that is held; ``rows`` is -1 where there is none."""
    sought_ends, sought = wanted
    ends, texts = column
    for number in range(len(rows)):
        start, size = sought_ends[number], sought_ends[number + 1] - sought_ends[number]
        low, high = 0, len(order)
        while low < high:
            middle = (low + high) // 2
            row = order[middle]
            if _compared(texts, ends[row], ends[row + 1] - ends[row], sought, start, size) < 0:
                low = middle + 1
            else:
                high = middle
        rows[number] = -1
        while low < len(order):
            row = order[low]
            if _compared(texts, ends[row], ends[row + 1] - ends[row], sought, start, size) != 0:
                break
            if held[row]:
                rows[number] = row
                break
            low += 1


@_compile
def _compared(
    texts: Any, first: int, length: int, others: Any, other: int, other_length: int
) -> int:
    """Compare two texts by their bytes in UTF-8: negative, 0 or positive, as by code points."""
    for place in range(min(length, other_length)):
        # Bytes are unsigned: their difference would be too.
        difference = np.int64(texts[first + place]) - np.int64(others[other + place])
        if difference != 0:
            return int(difference)
    return length - other_length


def find_components(edition: "Edition", codes: pa.StringArray) -> NDArray[np.intp]:
    """Return the row of each code that holds on the edition's day, or that of a later code; or -1."""
    rows = np.full(len(codes), -1, dtype=np.intp)
    snapshot = edition.snapshot
    column = snapshot.table("components")["code"]
    if not len(codes) or not len(column):
        return rows
    whole = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    _search(
        _bytes_of(codes),
        _bytes_of(whole),
        snapshot.components_by_code,
        edition.holds("components"),
        rows,
    )
    if snapshot.table(RECODES).num_rows:
        for number in np.flatnonzero(rows < 0).tolist():
            rows[number] = edition.find("components", codes[number].as_py())
    return rows


def _bytes_of(texts: pa.StringArray) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return where each text begins and the bytes of all, without copying."""
    _, ends, content = texts.buffers()
    begin = np.frombuffer(ends, dtype=np.int32)[texts.offset : texts.offset + len(texts) + 1]
    there = content if content is not None and content.size else b"\0"
    return begin, np.frombuffer(there, dtype=np.uint8)
