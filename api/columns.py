"""Columns of a table of cases as numbers: texts coded, times and numbers read, whole columns at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from api.arrow import pieces_of
from api.numbering import number_texts

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Numbers = NDArray[np.int32]
Mask = NDArray[np.bool_]

_MOMENT = r"^\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?$"
_AWARE_MOMENT = r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)$"
_OFFSET = r"\d[T ]\d.*(?:Z|[+-]\d{2}:?\d{2})$"


@dataclass(frozen=True, kw_only=True)
class Coded:
    """A column of texts: for each row the number of its text, -1 where there is none."""

    number: Numbers
    texts: pa.Array
    """The distinct texts."""


def cases_table(frame: "pd.DataFrame | pa.Table", names: Sequence[str]) -> pa.Table:
    """Return those of the named columns that a frame has, as Arrow, each in one piece.

    Examples
    --------
    >>> import pandas as pd
    >>> cases_table(pd.DataFrame({"x": [1, "2", None], "other": 0}), ["x", "y"])["x"].to_pylist()
    ['1', '2', None]
    """
    if isinstance(frame, pa.Table):
        there = [name for name in names if name in frame.column_names]
        return frame.select(there).combine_chunks()
    columns = {name: _from_pandas(frame[name]) for name in names if name in frame.columns}
    if not columns:
        # A table without columns has no rows; the count of rows must not be lost.
        return pa.table({names[0]: pa.nulls(len(frame))})
    return pa.table(columns)


def _from_pandas(column: "pd.Series") -> pa.Array:
    try:
        found = pa.array(column, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        missing = column.isna().tolist()
        found = pa.array(
            [None if m else str(v) for v, m in zip(column.tolist(), missing, strict=True)],
            type=pa.string(),
        )
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def column_of(table: pa.Table, name: str) -> pa.Array | None:
    """Return a column in one piece, None if the table has none of the name."""
    if name not in table.column_names:
        return None
    column = table[name]
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def as_texts(column: pa.Array) -> pa.Array:
    """Return values as text without blanks at the ends; empty is missing, whole numbers lose ``.0``.

    Examples
    --------
    >>> as_texts(pa.array([104.0, None])).to_pylist(), as_texts(pa.array([" a ", ""])).to_pylist()
    (['104', None], ['a', None])
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return as_texts(column.dictionary).take(column.indices)
    if pa.types.is_floating(kind):
        distinct = column.cast(pa.float64()).dictionary_encode()
        texts = [
            None if v is None or v != v else str(int(v) if v.is_integer() else v)
            for v in distinct.dictionary.to_pylist()
        ]
        return pa.array(texts, type=pa.string()).take(distinct.indices)
    if not pa.types.is_string(kind):
        try:
            column = column.cast(pa.string())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            values = column.to_pylist()
            column = pa.array([None if v is None else str(v) for v in values], type=pa.string())
    trimmed = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def read_texts(table: pa.Table, name: str) -> Coded:
    """Code a column of texts; an absent column has no text at all."""
    column = column_of(table, name)
    if column is None or pa.types.is_null(column.type):
        nothing = np.full(table.num_rows, -1, dtype=np.int32)
        return Coded(number=nothing, texts=pa.array([], type=pa.string()))
    if not pa.types.is_dictionary(column.type):
        found = _numbered(column)
        if found is not None:
            return found
        column = column.dictionary_encode()
    inner = _encoded(as_texts(column.dictionary))
    outer = pc.fill_null(column.indices.cast(pa.int32()), -1).to_numpy(zero_copy_only=False)
    # The last number stands for what is missing, which -1 picks.
    number = np.append(inner.number, np.int32(-1))[outer]
    return Coded(number=number, texts=inner.texts)


def _numbered(column: pa.Array) -> Coded | None:
    """Code a column of not too many texts sooner than Arrow does; None: it is none."""
    kind = column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)) or not len(column):
        return None
    starts, letters = pieces_of(column)
    there = np.empty(0, dtype=bool)
    if column.null_count:
        there = column.is_valid().to_numpy(zero_copy_only=False)
    found = number_texts(starts, letters, there)
    if found is None:
        return None
    number, firsts = found
    inner = _encoded(as_texts(column.take(pa.array(firsts))))
    return Coded(number=np.append(inner.number, np.int32(-1))[number], texts=inner.texts)


def _encoded(texts: pa.Array) -> Coded:
    found = texts.dictionary_encode()
    number = pc.fill_null(found.indices, -1).to_numpy(zero_copy_only=False)
    return Coded(number=number, texts=found.dictionary)


def code_list(values: Sequence[str | None]) -> Coded:
    """Code a few texts; empty ones are missing.

    Examples
    --------
    >>> found = code_list(["b", None, "a", "b", ""])
    >>> found.number.tolist(), found.texts.to_pylist()
    ([0, -1, 1, 0, -1], ['b', 'a'])
    """
    places: dict[str, int] = {}
    number = [places.setdefault(value, len(places)) if value else -1 for value in values]
    return Coded(
        number=np.array(number, dtype=np.int32), texts=pa.array(list(places), type=pa.string())
    )


_FULL_WIDTH = {
    ord(wide): narrow
    for wide, narrow in zip("０１２３４５６７８９．－＋", "0123456789.-+", strict=True)
}


def read_numbers(table: pa.Table, name: str) -> tuple[Floats, Mask]:
    """Return a column as numbers, nan where there is none, and which values could not be read.

    Examples
    --------
    >>> table = pa.table({"x": [" 1.5 ", "", None, "abc"]})
    >>> [values.tolist() for values in read_numbers(table, "x")]
    [[1.5, nan, nan, nan], [False, False, False, True]]
    >>> read_numbers(pa.table({"x": ["１１４．５"]}), "x")[0].tolist()
    [114.5]
    """
    column = column_of(table, name)
    if column is None or pa.types.is_null(column.type):
        return np.full(table.num_rows, np.nan), np.zeros(table.num_rows, dtype=bool)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not _is_number(column.type):
        column = as_texts(column)
    given = column.is_valid().to_numpy(zero_copy_only=False)
    try:
        numbers = column.cast(pa.float64(), safe=False)
    except pa.ArrowInvalid:
        import pandas as pd

        read = pd.to_numeric(pd.Series(column.to_pylist(), dtype=object), errors="coerce")
        values = np.array(read, dtype=np.float64)
        for row in np.flatnonzero(given & np.isnan(values)).tolist():
            number = read_number(column[row].as_py())
            values[row] = np.nan if number is None else number
    else:
        values = pc.fill_null(numbers, np.nan).to_numpy(zero_copy_only=False)
    return values, np.asarray(given & ~np.isfinite(values))


def read_number(text: str) -> float | None:
    """Return a number as people and spreadsheets write it, also with full-width digits; None: it is none.

    Separators of thousands are none: 114,051 is a longitude elsewhere.

    Examples
    --------
    >>> read_number("－１１４．５"), read_number("4,200,050"), read_number("1_0"), read_number("10⁵")
    (-114.5, None, None, None)
    """
    plain = text.translate(_FULL_WIDTH)
    try:
        return None if "_" in plain else float(plain)
    except ValueError:
        return None


def _is_number(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_floating(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
    )


def read_moments(
    table: pa.Table, name: str, *, zone: ZoneInfo, present: datetime
) -> tuple[NDArray[np.datetime64], Mask]:
    """Return local times without zone, µs, and which could not be read.

    Parameters
    ----------
    table : pyarrow.Table
        Cases.
    name : str
        A column of times or texts; with an offset they are converted, without one they are local
        already; missing and unreadable ones become `present`.
    zone : ZoneInfo
        The city's time zone.
    present : datetime
        Aware.

    Examples
    --------
    >>> zone = ZoneInfo("Asia/Shanghai")
    >>> present = datetime(2026, 1, 1, tzinfo=zone)
    >>> texts = ["2026-05-01 08:30", "2026-05-01T00:30:00Z", "soon", None]
    >>> times, bad = read_moments(pa.table({"t": texts}), "t", zone=zone, present=present)
    >>> times.astype("datetime64[h]").astype(str).tolist(), bad.tolist()
    (['2026-05-01T08', '2026-05-01T08', '2026-01-01T00', '2026-01-01T00'], [False, False, True, False])
    """
    now = np.datetime64(present.astimezone(zone).replace(tzinfo=None), "us")
    column = column_of(table, name)
    if column is None or pa.types.is_null(column.type):
        return np.full(table.num_rows, now), np.zeros(table.num_rows, dtype=bool)
    moments = _local(column, zone)
    unreadable = np.isnat(moments) & column.is_valid().to_numpy(zero_copy_only=False)
    moments[np.isnat(moments)] = now
    return moments, unreadable


def _local(column: pa.Array, zone: ZoneInfo) -> NDArray[np.datetime64]:
    kind = column.type
    if pa.types.is_date(kind):
        column, kind = column.cast(pa.timestamp("us")), pa.timestamp("us")
    if pa.types.is_timestamp(kind):
        moments = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
        values = moments.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
        return _shifted(values, zone) if kind.tz else values.copy()
    coded = _encoded(as_texts_of_times(column))
    distinct = _parsed(coded.texts, zone)
    return np.append(distinct, np.datetime64("NaT", "us"))[coded.number]


def as_texts_of_times(column: pa.Array) -> pa.Array:
    """Return texts as they stand: a blank is no time, but it is not missing either."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def _shifted(moments: NDArray[np.datetime64], zone: ZoneInfo) -> NDArray[np.datetime64]:
    import pandas as pd

    local = pd.DatetimeIndex(moments, tz="UTC").tz_convert(str(zone)).tz_localize(None)
    return np.array(local.to_numpy(), dtype="datetime64[us]")


def _parsed(texts: pa.Array, zone: ZoneInfo) -> NDArray[np.datetime64]:
    """Parse distinct texts: those of the usual form in one go, the others by pandas."""
    result = np.full(len(texts), np.datetime64("NaT", "us"))
    waiting = np.ones(len(texts), dtype=bool)
    for pattern, tz in ((_MOMENT, None), (_AWARE_MOMENT, "UTC")):
        usual = pc.match_substring_regex(texts, pattern).to_numpy(zero_copy_only=False)
        try:
            read = texts.filter(pa.array(usual)).cast(pa.timestamp("us", tz=tz))
        except pa.ArrowInvalid:
            continue  # one of them is no day of the calendar
        values = read.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
        result[usual] = _shifted(values, zone) if tz else values
        waiting &= ~usual
    if waiting.any():
        import pandas as pd

        others = pd.Series(texts.filter(pa.array(waiting)).to_pylist(), dtype=object)
        result[waiting] = _parsed_by_pandas(others, zone)
    return result


def _parsed_by_pandas(texts: "pd.Series", zone: ZoneInfo) -> NDArray[np.datetime64]:
    import pandas as pd

    aware = texts.str.contains(_OFFSET, na=False).astype(bool)
    plain = pd.to_datetime(texts.where(~aware), format="ISO8601", errors="coerce")
    moved = pd.to_datetime(texts.where(aware), format="ISO8601", errors="coerce", utc=True)
    local = moved.dt.tz_convert(str(zone)).dt.tz_localize(None)
    found = plain.astype("datetime64[us]").where(~aware, local.astype("datetime64[us]"))
    return np.array(found.to_numpy(), dtype="datetime64[us]")


def read_days(table: pa.Table, name: str) -> tuple[list[date | None], Numbers, Mask]:
    """Return the distinct days of a column, the number of each row's, and which could not be read.

    No day, and one that can not be read, is the first of the list: None.

    Examples
    --------
    >>> days, number, unreadable = read_days(pa.table({"d": ["2026-05-01", "", None, "never"]}), "d")
    >>> [str(day) for day in days], number.tolist(), unreadable.tolist()
    (['None', '2026-05-01'], [1, 0, 0, 0], [False, False, False, True])
    """
    column = column_of(table, name)
    if column is None or pa.types.is_null(column.type):
        rows = table.num_rows
        return [None], np.zeros(rows, dtype=np.int32), np.zeros(rows, dtype=bool)
    if pa.types.is_timestamp(column.type):
        column = pc.local_timestamp(column) if column.type.tz else column
        column = column.cast(pa.date32(), safe=False)
    if pa.types.is_date(column.type):
        found = column.cast(pa.date32()).dictionary_encode()
        read: list[date | None] = found.dictionary.to_pylist()
        given = pc.fill_null(found.indices, -1).to_numpy(zero_copy_only=False)
    else:
        coded = _encoded(as_texts(column))
        given = coded.number
        import pandas as pd

        texts = pd.Series(coded.texts.to_pylist(), dtype=object)
        moments = pd.to_datetime(texts, errors="coerce", format="ISO8601")
        read = [None if pd.isna(moment) else moment.date() for moment in moments]
    days: list[date | None] = [None, *sorted({day for day in read if day is not None})]
    place = {day: number for number, day in enumerate(days)}
    number = np.array([*(place[day] for day in read), 0], dtype=np.int32)[given]
    return days, number, np.asarray((given >= 0) & (number == 0))
