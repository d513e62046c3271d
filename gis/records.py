"""The records of a CSV file found in its bytes, in compiled code: where each begins, how many fields it has.

Quoting is that of RFC 4180 as spreadsheets and pyarrow read it: a quote opens a field only at its
beginning. The bytes may be in any encoding whose quotes, separators and line ends are single ASCII
bytes that are part of no other character: UTF-8, GBK, GB 18030, Big5.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

LONGEST_RECORD = 1 << 20
"""A quoted field that makes a record longer than so many bytes was never closed."""
UNCLOSED = -1
"""Number of fields of a record whose quote was never closed: it is its first line alone."""

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")


@dataclass(frozen=True, kw_only=True)
class Records:
    """Whole records at the beginning of some bytes; blank lines are none."""

    starts: NDArray[np.int64]
    """Where each begins."""
    ends: NDArray[np.int64]
    """Where each ends, without its line end."""
    fields: NDArray[np.int32]
    """How many fields each has, or `UNCLOSED`."""
    lines: NDArray[np.int32]
    """On which line each begins, the first line being 0."""
    consumed: int
    """Bytes up to the end of the last record."""
    lines_consumed: int

    def __len__(self) -> int:
        return len(self.starts)


def find_records(
    data: bytes, *, delimiter: str, fields: int, limit: int, is_last: bool = True
) -> Records:
    r"""Return at most `limit` whole records from the beginning of `data`.

    A record in quotes over several lines that has another number of fields than `fields`, or text after
    a closing quote, though its first line alone has that number, is the first line alone: its quote is
    a stray one.

    Parameters
    ----------
    data : bytes
        Bytes from the beginning of a record on.
    delimiter : str
        One ASCII character.
    fields : int
        Fields that a record should have.
    limit : int
        Records wanted.
    is_last : bool
        Whether the file ends with `data`: a record that reaches its end is whole then.

    Examples
    --------
    >>> found = find_records(b'a,"x\ny"\n\nb,2,3\n', delimiter=",", fields=2, limit=9)
    >>> found.starts.tolist(), found.fields.tolist(), found.lines.tolist(), found.consumed
    ([0, 9], [2, 3], [0, 3], 15)
    """
    size = max(1, min(limit, len(data)))
    starts, ends = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    counts, lines = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    found, consumed, line = _scan(
        np.frombuffer(data, dtype=np.uint8),
        (ord(delimiter), fields, limit, LONGEST_RECORD, is_last),
        (starts, ends, counts, lines),
    )
    return Records(
        starts=starts[:found],
        ends=ends[:found],
        fields=counts[:found],
        lines=lines[:found],
        consumed=int(consumed),
        lines_consumed=int(line),
    )


@_compile
def _scan(data: Any, rules: Any, out: Any) -> Any:
    delimiter, wanted, limit, longest, is_last = rules
    starts, ends, counts, lines = out
    size = len(data)
    at, line, row = 0, 0, 0
    while row < limit and at < size:
        after = _after_line_end(data, at)
        if after > at:  # a blank line
            if after == size and not is_last:
                break
            at, line = after, line + 1
            continue
        stop, count, newlines, is_odd, is_whole = _record(data, at, delimiter, longest, is_last)
        if not is_whole:
            break
        if count == -1 or (newlines > 0 and (is_odd or count != wanted)):
            stop_alone, count_alone = _line(data, at, delimiter)
            if count == -1 or count_alone == wanted:
                stop, count, newlines = stop_alone, -1, 0
        after = _after_line_end(data, stop)
        # The line feed of a carriage return may come with the next bytes.
        if after == size and not is_last and (after == stop or data[after - 1] == 0x0D):
            break
        starts[row], ends[row], counts[row], lines[row] = at, stop, count, line
        row += 1
        line += newlines + (1 if after > stop else 0)
        at = after
    return row, at, line


@_compile
def _after_line_end(data: Any, at: Any) -> Any:
    if at < len(data) and data[at] == 0x0D:
        at += 1
        if at < len(data) and data[at] == 0x0A:
            at += 1
        return at
    if at < len(data) and data[at] == 0x0A:
        at += 1
    return at


@_compile
def _record(  # noqa: C901 (one automaton)
    data: Any, start: Any, delimiter: Any, longest: Any, is_last: Any
) -> Any:
    """Return end, fields (-1: unclosed), inner line ends, text after a closing quote or not, whole or not."""
    size = len(data)
    at, count, newlines = start, 1, 0
    in_quotes, at_start, is_shut, is_odd = False, True, False, False
    while at < size:
        byte = data[at]
        if in_quotes:
            if byte == 0x22:
                if at + 1 < size and data[at + 1] == 0x22:
                    at += 2
                    continue
                in_quotes, is_shut = False, True
            elif byte == 0x0A or (byte == 0x0D and not (at + 1 < size and data[at + 1] == 0x0A)):
                newlines += 1
            at += 1
            if in_quotes and at - start > longest:
                return at, -1, 0, False, True
            continue
        if byte == 0x0A or byte == 0x0D:
            return at, count, newlines, is_odd, True
        if byte == delimiter:
            count += 1
            at_start, is_shut = True, False
        elif byte == 0x22 and at_start:
            in_quotes, at_start = True, False
        else:
            at_start = False
            is_odd = is_odd or is_shut
        at += 1
    if in_quotes:
        return at, -1, 0, False, is_last
    return at, count, newlines, is_odd, is_last


@_compile
def _line(data: Any, start: Any, delimiter: Any) -> Any:
    """Return where the line ends, and its fields if no quote means anything."""
    at, count = start, 1
    while at < len(data) and data[at] != 0x0A and data[at] != 0x0D:
        if data[at] == delimiter:
            count += 1
        at += 1
    return at, count
