"""Characters of names and addresses: which are one, which only part, which are nothing."""

import re
import unicodedata
from functools import cache

from opencc import OpenCC

from gis.codes import read_table

_HAN = ((0x3400, 0x4DC0), (0x4E00, 0xA000))
# Marks that part two names; between figures they say "and".
_ALSO = "、/&＆+|;；"
_DASHES = "-‐‑‒–—―−－~～〜∼→"
_OPENING, _CLOSING = "([{【〔〖［｛（「『", ")]}】〕〗］｝）」』"
_KEPT = ".#·"
_DOTS = "·•・‧∙⋅●"


class Spelling(dict[int, str]):
    """A table for ``str.translate`` that works out a character when it first comes.

    Examples
    --------
    >>> "太倉路（１８１衖）⻓樂邨🙂".translate(written())
    '太仓路(181衖)长乐邨'
    """

    def __missing__(self, code: int) -> str:
        """Return how a character that no table names is written, and remember it."""
        self[code] = _written(chr(code))
        return self[code]


class Folding(dict[int, str]):
    """A table for ``str.translate`` that keeps the length: one character for one.

    Examples
    --------
    >>> "乾元邨A座".translate(folded())
    '干元村a座'
    """

    def __missing__(self, code: int) -> str:
        """Return the lower case of a character, where that is one character."""
        lower = chr(code).lower()
        self[code] = lower if len(lower) == 1 else chr(code)
        return self[code]


@cache
def written() -> Spelling:
    """Return the table from characters as they come to characters as they are written here.

    Radicals become the characters they look like, traditional characters the simplified ones,
    except those of `folded` that are themselves in names; dashes, brackets and dots become one of
    each; marks that part names become ``/``, other marks a blank, emoji and the like nothing.
    """
    simplified = _simplified()
    table = Spelling(simplified)
    for row in read_table("gis.addresses", "radicals.csv"):
        plain = row["plain"]
        table[ord(row["radical"])] = simplified.get(ord(plain), plain)
    return table


@cache
def folded() -> Folding:
    """Return the table of characters by which names are compared: variants made one, lower case."""
    table = Folding()
    for row in read_table("gis.addresses", "variants.csv"):
        table[ord(row["variant"])] = row["plain"]
    return table


def _simplified() -> dict[int, str]:
    characters = [chr(code) for first, end in _HAN for code in range(first, end)]
    # One by one: a phrase would make a character depend on its neighbours, and a name on the
    # words around it.
    plain = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    kept = {row["variant"] for row in read_table("gis.addresses", "variants.csv")}
    pairs = zip(characters, plain, strict=True)
    table = {ord(old): new for old, new in pairs if old != new and old not in kept}
    return {code: table.get(ord(new), new) for code, new in table.items()} | {
        ord("臺"): "台",
        ord("〇"): "零",
        ord("ㄧ"): "一",  # the phonetic letter typed for the figure
    }


_MARKS = (
    dict.fromkeys(_ALSO, "/")
    | dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_OPENING, "(")
    | dict.fromkeys(_CLOSING, ")")
    | dict.fromkeys(_DOTS, "·")
)
_WORD = re.compile(r"\w")


def _written(character: str) -> str:
    plain = unicodedata.normalize("NFKC", character)
    if plain != character:
        return plain.translate(written())
    if character in _MARKS:
        return _MARKS[character]
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.digit(character))
    if character in _KEPT or (_WORD.match(character) and character != "_"):
        return character
    return " " if category[0] in "PZ" or category in ("Cc", "Sm", "Sc", "Sk") else ""
