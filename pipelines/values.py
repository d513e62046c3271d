"""Values as surveyors write them, read into values as the tables hold them.

Every function takes a column whole. What is blank becomes None; what can not be read becomes None
too, so that the caller can tell the rows apart by comparing with the delivered column.
"""

import re
import unicodedata
from functools import cache
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.codes import read_table

_SEPARATORS = re.compile(r"[;；,，、|/]")


def text_of(frame: pd.DataFrame, column: str) -> "pd.Series[str]":
    """Return a text column, blanks trimmed at both ends; None for blank or a missing column.

    Examples
    --------
    >>> import pandas as pd
    >>> text_of(pd.DataFrame({"name": [" 裕华路　", "", None]}), "name").tolist()
    ['裕华路', None, None]
    """
    if column not in frame:
        return pd.Series(None, index=frame.index, dtype=object)
    values = frame[column].to_numpy(dtype=object)
    plain = _texts(values) if pd.api.types.infer_dtype(values) in ("string", "empty") else None
    kept = [_text(value) for value in values] if plain is None else plain
    return pd.Series(kept, index=frame.index, dtype=object)


def _texts(values: "NDArray[Any]") -> "NDArray[Any] | None":
    """Return texts and blanks as `_text` does, without a call for each; None: a sign is no text."""
    try:
        column = pa.array(values, type=pa.string(), from_pandas=True)
    except (pa.ArrowException, UnicodeError):  # half a surrogate
        return None
    trimmed = pc.utf8_trim_whitespace(column)
    blank = pc.equal(pc.binary_length(trimmed), 0)
    kept = pc.if_else(blank, pa.scalar(None, pa.string()), trimmed)
    result: NDArray[Any] = kept.to_numpy(zero_copy_only=False)
    return result


def is_missing(value: object) -> bool:
    """Tell whether a delivered value is none: None, pandas' marks of missing, not a number.

    Examples
    --------
    >>> [is_missing(value) for value in (None, float("nan"), "", 0, [1])]
    [True, True, False, False, False]
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    return isinstance(value, float) and value != value


def _text(value: object) -> str | None:
    if (
        value is None or value is pd.NA or value != value
    ):  # called for every value: no call for this
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a code that a spreadsheet kept as a number
    return str(value).strip() or None


_HALF_WIDTH = {
    code: code - 0xFEE0
    for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
"""Full-width figures and letters; brackets and stops stay, they are right in Chinese."""


def name_of(frame: pd.DataFrame, column: str) -> "pd.Series[str]":
    """Return a column of names: as `text_of`, full-width figures and letters made half-width.

    Examples
    --------
    >>> import pandas as pd
    >>> name_of(pd.DataFrame({"plate": ["１２号（Ａ座）"]}), "plate").tolist()
    ['12号（A座）']
    """
    text = text_of(frame, column)
    kept = [value.translate(_HALF_WIDTH) if isinstance(value, str) else None for value in text]
    return pd.Series(kept, index=frame.index, dtype=object)


def code_of(frame: pd.DataFrame, column: str) -> "pd.Series[str]":
    """Return a code column: as `text_of`, full-width signs made half-width, inner blanks removed.

    Examples
    --------
    >>> import pandas as pd
    >>> code_of(pd.DataFrame({"code": ["１３０１０２ ", "130 102"]}), "code").tolist()
    ['130102', '130102']
    """
    return text_of(frame, column).map(_code, na_action="ignore").astype(object)


def _code(value: str) -> str:
    plain = value if value.isascii() else unicodedata.normalize("NFKC", value)
    return "".join(plain.split())


def names_of(frame: pd.DataFrame, column: str) -> "pd.Series[list[str]]":
    """Return a column of names split at ``；;、，,|/``, without repeats; an empty list for blank.

    Examples
    --------
    >>> import pandas as pd
    >>> names_of(pd.DataFrame({"aliases": ["老街；古街、老街", None]}), "aliases").tolist()
    [['老街', '古街'], []]
    """
    values = [
        list(dict.fromkeys(part.strip() for part in _SEPARATORS.split(text) if part.strip()))
        if isinstance(text, str)
        else []
        for text in text_of(frame, column)
    ]
    return pd.Series(values, index=frame.index, dtype=object)


def numbers_of(frame: pd.DataFrame, column: str) -> "pd.Series[float]":
    """Return a column of numbers; NaN for blank and for what is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> numbers_of(pd.DataFrame({"limit": ["4", "１.５", "soon"]}), "limit").tolist()
    [4.0, 1.5, nan]
    """
    text = text_of(frame, column)
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    unread = text.notna() & numbers.isna()
    if unread.any():  # full-width figures, blanks inside
        others = code_of(frame[unread], column)
        numbers[unread] = pd.to_numeric(others, errors="coerce").astype(float)
    return numbers


@cache
def _vocabulary(subject: str) -> dict[str, str]:
    rows = read_table("pipelines", "vocabulary.csv")
    return {row["word"].casefold(): row["value"] for row in rows if row["subject"] == subject}


def words_of(frame: pd.DataFrame, column: str, *, subject: str) -> "pd.Series[str]":
    """Return a column of Chinese or English words as the table's own words; None if not known.

    Parameters
    ----------
    frame : pandas.DataFrame
        Delivered rows.
    column : str
        Column with the words.
    subject : str
        Vocabulary in ``vocabulary.csv``: case_kind, role, limit_unit, unit_kind, place_kind.

    Examples
    --------
    >>> import pandas as pd
    >>> words_of(pd.DataFrame({"role": ["处置", "Owner", "?"]}), "role", subject="role").tolist()
    ['handler', 'owner', None]
    """
    known = _vocabulary(subject)
    values = [
        known.get(text.casefold()) if isinstance(text, str) else None
        for text in text_of(frame, column)
    ]
    return pd.Series(values, index=frame.index, dtype=object)


def known_words(subject: str) -> str:
    """Return the words of a vocabulary, for a sentence that names them.

    Examples
    --------
    >>> known_words("case_kind")
    '部件, component, 事件, 事项, event'
    """
    return ", ".join(_vocabulary(subject))
