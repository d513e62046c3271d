"""Columns of a component survey as delivered, read into values the checks can compare.

Every function takes a column whole and works on its distinct values, because a million components
share a few hundred dates, words and unit names.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gis.codes import read_table
from gis.conform import distinct_few

CODE_COLUMNS = (
    "code",
    "class_code",
    "competent_code",
    "owner_code",
    "maintainer_code",
    "grid_code",
    "community_code",
)
TEXT_COLUMNS = (
    "name",
    "competent_name",
    "owner_name",
    "maintainer_name",
    "condition",
    "ownership_state",
    "data_source",
    "location_note",
    "remark",
)
DATE_COLUMNS = ("initial_date", "change_date")

_EXCEL_EPOCH = date(1899, 12, 30)
_EXCEL_FIRST, _EXCEL_LAST = 20_000, 80_000
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]\d{1,2}:\d{2}(?::\d{2}.*)?)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:\d{4}|\d{6})?")
_EPOCH_MS = re.compile(r"-?\d{11,13}")
_EPOCH_YEARS = (1850, 2100)


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the columns the checks read, each present, text trimmed, missing where blank.

    Codes lose inner blanks and full-width signs as well. Other columns are left out; the index is
    the frame's.

    Examples
    --------
    >>> tidy(pd.DataFrame({"code": [" １３01 "], "name": ["　"]}))[["code", "name"]].to_dict("list")
    {'code': ['1301'], 'name': [None]}
    """
    columns: dict[str, Any] = {}
    for name in (*CODE_COLUMNS, *TEXT_COLUMNS, *DATE_COLUMNS):
        if name not in frame:
            columns[name] = pd.Series(None, index=frame.index, dtype=object)
        elif name in DATE_COLUMNS:
            columns[name] = frame[name]
        else:
            columns[name] = _text(frame[name], is_code=name in CODE_COLUMNS)
    return pd.DataFrame(columns, index=frame.index, copy=False)


def map_distinct(column: "pd.Series[Any]", function: Callable[[Any], Any]) -> "pd.Series[Any]":
    """Apply `function` to each distinct value of a column; None for missing values.

    Examples
    --------
    >>> map_distinct(pd.Series(["a", None, "a"]), str.upper).tolist()
    ['A', None, 'A']
    """
    codes, values = pd.factorize(column)
    table = np.empty(len(values) + 1, dtype=object)
    for position, value in enumerate(values):
        table[position] = function(value)
    table[-1] = None  # factorize marks missing values with -1
    return pd.Series(table[codes], index=column.index, dtype=object)


def flag_distinct(column: "pd.Series[Any]", test: Callable[[Any], bool]) -> "pd.Series[bool]":
    """Tell of which rows the value passes a test, made once for each distinct value; missing does not.

    Examples
    --------
    >>> flag_distinct(pd.Series(["a", None, "b", "a"]), lambda text: text == "a").tolist()
    [True, False, False, True]
    """
    codes, values = pd.factorize(column)
    table = np.array([*(test(value) for value in values), False], dtype=bool)
    flags = table[codes] if table.any() else np.zeros(len(codes), dtype=bool)
    return pd.Series(flags, index=column.index)


def read_dates(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return dates of a column of dates, numbers or text; None for blank and for what is no date.

    Read are YYYYMMDD, year-month-day with ``-``, ``/``, ``.`` or 年月日, either with a time of day
    that is dropped, the day numbers of spreadsheets, and milliseconds since 1970, as ArcGIS writes
    dates to JSON: in UTC, where Beijing's midnight is 16:00 of the day before and is read as midnight.

    Examples
    --------
    >>> read_dates(pd.Series(["20240501", "2024年5月1日", "45413", "soon"])).tolist()
    [datetime.date(2024, 5, 1), datetime.date(2024, 5, 1), datetime.date(2024, 5, 1), None]
    """
    return map_distinct(column, _date)


def read_words(column: "pd.Series[str]", *, subject: str) -> "pd.Series[str]":
    """Return the platform's word for each delivered one; None where it is blank or not known.

    Parameters
    ----------
    column : pandas.Series
        Delivered words, trimmed.
    subject : str
        ``condition`` or ``ownership``.

    Examples
    --------
    >>> read_words(pd.Series(["完好", "破损", "好极了"]), subject="condition").tolist()
    ['intact', 'damaged', None]
    """
    known = known_words(subject)
    return map_distinct(column, lambda word: known.get(str(word).casefold()))


@cache
def known_words(subject: str) -> dict[str, str]:
    """Return the delivered words of a subject and what each means.

    Examples
    --------
    >>> known_words("ownership")["无主"]
    'none'
    """
    return {
        row["word"]: row["value"]
        for row in read_table("census.codes", "words.csv")
        if row["subject"] == subject
    }


def _text(column: "pd.Series[Any]", *, is_code: bool) -> "pd.Series[Any]":
    if _is_tidy(column, is_code=is_code):
        return column
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) == "string":
        return map_distinct(column, partial(_tidy_word, is_code=is_code))
    if pd.api.types.is_numeric_dtype(column):
        column = column.map(_digits, na_action="ignore").astype(object)
    elif column.dtype == object:
        column = column.map(str, na_action="ignore")
    text = column.astype("str").str.strip()
    if is_code:
        odd = text.notna() & (~text.str.isascii() | text.str.contains(" ", regex=False)).eq(True)
        if odd.any():
            text[odd] = text[odd].map(_narrow)
    return text.astype(object).where(text.notna() & text.ne(""), None)


def _tidy_word(text: str, *, is_code: bool) -> str | None:
    """Return a text trimmed, the same object where nothing is to be trimmed; None for blank."""
    plain = text.strip()
    if is_code and (not plain.isascii() or " " in plain):
        plain = _narrow(plain)
    return plain or None


def _is_tidy(column: "pd.Series[Any]", *, is_code: bool) -> bool:
    """Return whether a look at the whole column tells that nothing is to be done."""
    if column.dtype != object:
        return False
    values = distinct_few(column.to_numpy())
    if pd.api.types.infer_dtype(values, skipna=False) != "string":
        return False
    try:
        text = pa.array(values, type=pa.large_string())
    except (ValueError, pa.ArrowException):  # half of a surrogate pair
        return False
    trimmed = pc.utf8_trim_whitespace(text)
    faults = [pc.not_equal(text, trimmed), pc.equal(text, "")]
    if is_code:
        faults += [pc.invert(pc.string_is_ascii(text)), pc.match_substring(text, " ")]
    return not any(pc.any(fault).as_py() for fault in faults)


def _digits(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _narrow(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    text = unicodedata.normalize("NFKC", str(value)).strip().removesuffix(".0")
    match = _DATE.fullmatch(text) or _COMPACT.fullmatch(text)
    if match:
        try:
            return date(*(int(part) for part in match.groups()))
        except ValueError:
            return None
    if _EPOCH_MS.fullmatch(text):
        return _epoch_day(int(text))
    if text.isdecimal() and _EXCEL_FIRST <= int(text) <= _EXCEL_LAST:
        return _EXCEL_EPOCH + timedelta(days=int(text))
    return None


def _epoch_day(milliseconds: int) -> date | None:
    """Return the day of a count of milliseconds since 1970; None: it is no day of a survey.

    Examples
    --------
    >>> _epoch_day(1146614400000), _epoch_day(1714492800000), _epoch_day(-3029443200000)
    (datetime.date(2006, 5, 3), datetime.date(2024, 5, 1), datetime.date(1874, 1, 1))
    """
    moment = datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)  # noqa: DTZ001 - UTC
    if moment.time() == time(16):  # midnight in Beijing
        moment += timedelta(hours=8)
    first, last = _EPOCH_YEARS
    return moment.date() if first <= moment.year < last else None
