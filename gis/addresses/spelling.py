"""One spelling for all ways of writing a name or an address."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from opencc import OpenCC

from gis.codes import read_table

LONGEST = 256
"""An address longer than this is none (事发位置 has 256 characters at most)."""

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = re.compile(r"[零一二两三四五六七八九十百千]+(?=号|栋|幢|单元|弄|米|公里)")
_KEPT = re.compile(r"[^\w\-()·/]+|_")


@cache
def _simplifier() -> Any:
    return OpenCC("t2s")


@cache
def _variants() -> dict[int, str]:
    return {
        ord(row["variant"]): row["plain"] for row in read_table("gis.addresses", "variants.csv")
    }


@lru_cache(maxsize=200_000)
def normalise(text: str) -> str:
    """Return the one spelling of a name or address by which texts are compared.

    Full-width forms become half-width, radicals and traditional characters the simplified ones,
    Chinese numerals before 号, 栋, 米 … figures; blanks, punctuation and emoji are dropped, Latin
    letters are lower case.

    Examples
    --------
    >>> normalise(" 裕華路　１２號 ")
    '裕华路12号'
    >>> normalise("⻄三环⻓安街二十三号楼，北50米🙂")
    '西三环长安街23号楼北50米'
    """
    plain = unicodedata.normalize("NFKC", text.translate(_variants())).translate(_variants())
    plain = _KEPT.sub("", plain.lower())
    if not plain.isascii():
        plain = _simplifier().convert(plain)
    return _NUMERAL.sub(lambda found: figures(found[0]), plain)


def figures(numeral: str) -> str:
    """Return a Chinese numeral in figures.

    Examples
    --------
    >>> [figures(text) for text in ("三", "十二", "二十", "一百零八", "一二八", "两千")]
    ['3', '12', '20', '108', '128', '2000']
    """
    if not any(c in _UNITS for c in numeral):
        return "".join(str(_DIGITS[c]) for c in numeral)
    total, digit = 0, 0
    for character in numeral:
        if character in _UNITS:
            total += (digit or 1) * _UNITS[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return str(total + digit)
