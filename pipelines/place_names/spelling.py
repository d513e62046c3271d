"""Romanisations as delivered, held against the rules."""

import re
import unicodedata
from collections.abc import Collection

import pandas as pd

from gis.faults import Faults
from gis.names.romanisation import SETTLEMENT, romanise
from pipelines.place_names.texts import each, simplified

_VILLAGE = "22200"
_TONE_FIGURES = re.compile(r"(?<=[a-züA-ZÜ])[1-5](?![0-9])")
_LETTERS = re.compile(r"[^a-z0-9]")


def judge_spelling(
    delivered: "pd.Series[str]",
    name: "pd.Series[str]",
    category: "pd.Series[str]",
    *,
    areas: Collection[str],
    province: str,
    faults: Faults,
) -> "pd.Series[str]":
    """Return each place's romanisation: the delivered reading in the rules' spelling, else the rules'.

    A delivered one of other letters is kept, as a local reading that the rules can not know (PN02);
    one of the same letters written otherwise, with tones, figures or capitals, is respelt (PN20).
    """
    keys = list(zip(name, category, strict=True))
    spelling = {
        key: romanise(
            simplified(key[0]),
            areas=areas,
            province=province,
            kind=SETTLEMENT if key[1] == _VILLAGE else "",
        )
        for key in dict.fromkeys(keys)
        if isinstance(key[0], str)
    }
    by_rule = pd.Series([spelling.get(key) for key in keys], index=name.index, dtype=object)
    by_rule = by_rule.where(by_rule.ne(""), name.astype(object))
    given, wanted = letters(delivered), letters(by_rule)
    both = delivered.notna() & by_rule.notna() & ~faults.refused
    differs = both & (given != wanted)
    faults.add("PN02", differs, value=delivered, expected=by_rule)
    restyled = both & ~differs & (delivered != by_rule)
    faults.add("PN20", restyled, value=delivered, expected=by_rule)
    return each(delivered, _toneless).where(differs, by_rule)


def letters(pinyin: "pd.Series[str]") -> "pd.Series[str]":
    """Return the bare letters and figures of a romanisation: no tones, blanks, capitals.

    Examples
    --------
    >>> import pandas as pd
    >>> letters(pd.Series(["Cháng'ān Qū", "LÜ DI", "nv", "zhong4 shan1", "Dongsi 12 Tiao"])).tolist()
    ['changanqu', 'ludi', 'nu', 'zhongshan', 'dongsi12tiao']
    """
    return each(pinyin, _plain_letters)


def _plain_letters(text: str) -> str:
    plain = unicodedata.normalize("NFD", _TONE_FIGURES.sub("", text)).casefold().replace("v", "u")
    return _LETTERS.sub("", plain)


def _toneless(text: str) -> str:
    """Return a delivered reading without tone marks and figures, ü and ê kept.

    Examples
    --------
    >>> _toneless("Lè tíng Lǜ"), _toneless("Le4 ting2")
    ('Le ting Lü', 'Le ting')
    """
    marks = "\u0304\u0301\u030c\u0300"
    bare = "".join(
        sign
        for sign in unicodedata.normalize("NFD", _TONE_FIGURES.sub("", text))
        if sign not in marks
    )
    return unicodedata.normalize("NFC", bare)
