"""Generic parts 通名 of place names: 路, 小区, 河 …, what kind of place they tell of, their category."""

from dataclasses import dataclass
from functools import cache

from gis.codes import read_table

LONGEST = 10


@dataclass(frozen=True, kw_only=True)
class Generic:
    """A generic part."""

    term: str
    kind: str
    """area, joined (villages: one word with the specific part), street, site, nature, number."""
    pinyin: str
    category: str
    """Category (GB/T 18521) of what bears it; empty: it tells none."""


@cache
def generics() -> dict[str, Generic]:
    """Return the generic parts by term.

    Examples
    --------
    >>> generics()["大街"].pinyin, generics()["社区"].category
    ('Dajie', '21620')
    """
    return {row["term"]: Generic(**row) for row in read_table("gis.names", "generic_terms.csv")}


def trailing_generic(name: str) -> Generic | None:
    """Return the longest generic part that a name ends with, leaving a specific part before it.

    Examples
    --------
    >>> trailing_generic("中山大道").term, trailing_generic("大道"), trailing_generic("老槐树")
    ('大道', None, None)
    """
    known = generics()
    if name in known:
        return None
    for length in range(min(len(name) - 1, LONGEST), 0, -1):
        found = known.get(name[-length:])
        if found:
            return found
    return None


def split_generic(name: str) -> tuple[str, str]:
    """Return the specific and the generic part of a name; the second is empty if it has none.

    Examples
    --------
    >>> split_generic("建设北大街"), split_generic("老槐树")
    (('建设北', '大街'), ('老槐树', ''))
    """
    generic = trailing_generic(name)
    return (name[: -len(generic.term)], generic.term) if generic else (name, "")


def generic_kind(name: str) -> str:
    """Return what kind of place the generic part of a name tells of; empty: it has none.

    Examples
    --------
    >>> generic_kind("裕华路"), generic_kind("长安公园"), generic_kind("老槐树")
    ('street', 'site', '')
    """
    generic = trailing_generic(name)
    return generic.kind if generic else ""
