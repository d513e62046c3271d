"""Standard names as they are delivered: read as meant, judged sign by sign."""

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

import pandas as pd
from opencc import OpenCC

from gis.faults import Faults
from gis.mojibake import repair_text
from gis.names.generics import generics, trailing_generic
from pipelines.values import name_of

LONGEST = 100
"""Standard names have at most 100 characters."""
_MARKUP = re.compile(r"<[a-zA-Z/!][^<>]*>|&[a-zA-Z]{2,8};|&#\d+;|\\[A-Za-z][^;]{0,40};")
_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f"
_BLANKS = re.compile(rf"(?<=[{_HAN}])[\s\u3000]+(?=[{_HAN}])|[\r\n]+|\\P|\\n")
_ASIDE = re.compile(r"[(（][^()（）]*[)）]")
_PLAIN = re.compile(rf"[{_HAN}·]+")


def read_names(frame: pd.DataFrame, faults: Faults) -> "pd.Series[str]":
    """Return the names as meant, and refuse what is none: nothing, mojibake, markup, descriptions.

    Breaks of lines and blanks between characters are taken out.
    """
    raw = name_of(frame, "name")
    clean = each(raw, joined)
    clean = clean.where(clean.ne(""), None)
    faults.add("P003", clean.isna())
    repaired = each(clean, _repaired)
    is_bad = repaired.notna() | each(clean, _is_lost).eq(True)
    faults.add("PN04", is_bad, value=clean, expected=repaired.fillna("?"))
    marked = each(raw, _is_marked).eq(True) & ~is_bad
    faults.add("PN05", marked, value=clean)
    length = each(clean, len)
    too_long = length.gt(LONGEST).fillna(False) & ~marked & ~is_bad
    faults.add("PN06", too_long, value=clean.str.slice(0, 20), length=length)
    return clean


def doubt_names(frame: pd.DataFrame, clean: "pd.Series[str]", faults: Faults) -> None:
    """Report what is odd about names (PN07 to PN16) that were not refused.

    That is: breaks, figures and letters and brackets, other characters than the standard ones, and a
    missing specific or generic part.
    """
    raw = name_of(frame, "name")
    sound = clean.notna() & ~faults.refused
    broken = sound & raw.ne(clean) & each(raw, _is_broken).eq(True)
    faults.add("PN07", broken, value=each(raw, repr), name=clean)
    odd = sound & ~each(clean, _is_plain).eq(True)
    faults.add("PN08", odd, value=clean)
    standard = each(clean, simplified)
    faults.add("PN09", sound & standard.ne(clean), value=clean, expected=standard)
    alone = sound & clean.isin(list(generics()))
    faults.add("PN16", alone, value=clean)
    without = sound & ~alone & ~each(clean, _has_generic).eq(True)
    faults.add("PN15", without, value=clean)


def each(values: "pd.Series[Any]", make: Callable[[str], Any]) -> "pd.Series[Any]":
    """Return what `make` gives for each text of a column; None for what is no text.

    Examples
    --------
    >>> each(pd.Series(["a", None, float("nan")]), str.upper).tolist()
    ['A', None, None]
    """
    made = [make(value) if isinstance(value, str) else None for value in values]
    return pd.Series(made, index=values.index, dtype=object)


def joined(text: str) -> str:
    r"""Return a name without breaks of lines, and without blanks between Chinese characters.

    Examples
    --------
    >>> joined("长 安\n公　园"), joined("Bund 18"), joined("东 风 路")
    ('长安公园', 'Bund 18', '东风路')
    """
    text = unicodedata.normalize("NFC", text)
    before = None
    while before != text:
        before, text = text, _BLANKS.sub("", text)
    return text.strip()


@cache
def simplified(name: str) -> str:
    """Return a name in the standard characters of the mainland.

    Examples
    --------
    >>> simplified("國強路"), simplified("裕华路")
    ('国强路', '裕华路')
    """
    text: str = _converter().convert(name)
    return text


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _repaired(text: str) -> str | None:
    repair = repair_text(text)
    return repair.text if repair else None


def _is_lost(text: str) -> bool:
    """Tell whether signs were lost for good: the mark of them, or question marks alone."""
    return "\ufffd" in text or "锟斤拷" in text or not text.strip("?？")


def _is_marked(text: str) -> bool:
    if _MARKUP.search(text.replace("\\P", "")):
        return True
    controls = (sign for sign in text if unicodedata.category(sign) in ("Cc", "Co", "Cn"))
    return any(sign not in "\r\n\t" for sign in controls)


def _is_broken(text: str) -> bool:
    return _BLANKS.search(text) is not None


def _is_plain(text: str) -> bool:
    return _PLAIN.fullmatch(text) is not None


def _has_generic(text: str) -> bool:
    bare = _ASIDE.sub("", text).rstrip("0123456789")
    return trailing_generic(bare) is not None
