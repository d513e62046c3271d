"""Romanisation 汉语拼音 of place names by the spelling rules for Chinese place names.

The rules are those of 中国地名汉语拼音字母拼写规则（汉语地名部分）: the specific part 专名 and the generic
part 通名 are two words, each with a capital; a one-syllable direction joins the generic part
(建设北大街 Jianshe Beidajie); village names are one word; ordinals of streets are figures; an
apostrophe parts syllables that would run together. No tone marks.
"""

import re
import unicodedata
from collections.abc import Collection
from functools import cache

from pypinyin import lazy_pinyin

from gis.codes import read_table

_PACKAGE = "gis.names"
_DIRECTIONS = "东南西北中"
_FIGURES = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {"零": 0}
_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f"
_RUNS = re.compile(rf"[{_HAN}]+|[0-9]+|[A-Za-z][A-Za-z'’.&-]*")
_CROSSING = re.compile(r"(.{2,})[与和](.{2,}?)(?:交叉)?路?口")
_ORDINAL = re.compile(r"(第?)([一二三四五六七八九十]+)$")
_QUARTER = re.compile(r"(?<=^[东西南北][一二三四五六七八九])()(十[一二三四五六七八九]?)$")
"""东四十二条: 东四 is the quarter, the rest counts its lanes."""
_SURNAMES = {"曾": "zeng", "单": "shan", "仇": "qiu", "解": "xie", "查": "zha", "翟": "zhai"}


@cache
def _generic_terms() -> dict[str, tuple[str, str]]:
    rows = read_table(_PACKAGE, "generic_terms.csv")
    return {row["term"]: (row["kind"], row["pinyin"]) for row in rows}


@cache
def _known_names() -> dict[str, str]:
    return {row["name"]: row["pinyin"] for row in read_table(_PACKAGE, "known_names.csv")}


def romanise(name: str, *, areas: Collection[str] = ()) -> str:
    """Return the romanised place name.

    Parameters
    ----------
    name : str
        Standard name in Chinese characters; figures and Latin letters stay as they are.
    areas : collection of str
        Names of the city's areas, to part a name that begins with one: 长安区裕华路.

    Examples
    --------
    >>> romanise("裕华路"), romanise("建设北大街"), romanise("石家庄长安区")
    ('Yuhua Lu', 'Jianshe Beidajie', "Shijiazhuang Chang'an Qu")
    >>> romanise("重庆"), romanise("六安"), romanise("蚌埠"), romanise("厦门")
    ('Chongqing', "Lu'an", 'Bengbu', 'Xiamen')
    >>> romanise("王家村"), romanise("大川淀二巷"), romanise("绿地3号楼")
    ('Wangjiacun', 'Dachuandian 2 Xiang', 'Lüdi 3 Haolou')
    """
    text = unicodedata.normalize("NFKC", name)
    words: list[str] = []
    for run in _RUNS.findall(text):
        if run[0].isascii():
            words.append(run)
        else:
            words.extend(_romanise_han(run, areas, after_figure=_ends_in_figure(words)))
    return " ".join(words)


def _ends_in_figure(words: list[str]) -> bool:
    return bool(words) and words[-1].isdigit()


def _romanise_han(text: str, areas: Collection[str], *, after_figure: bool) -> list[str]:
    if after_figure and text in _generic_terms():
        return [_generic_terms()[text][1]]
    if text in _known_names():
        return [_known_names()[text]]
    crossing = _CROSSING.fullmatch(text)
    if crossing:
        roads = [_romanise_han(road, areas, after_figure=False) for road in crossing.groups()]
        return [*roads[0], "yu", *roads[1], "Lukou"]
    prefix = _leading_area(text, areas)
    if prefix:
        return [
            *_romanise_han(prefix, (), after_figure=False),
            *_romanise_han(text[len(prefix) :], areas, after_figure=False),
        ]
    return _romanise_single(text, after_figure=after_figure)


def _leading_area(text: str, areas: Collection[str]) -> str:
    """Return the city or area that `text` begins with, if what follows is a name by itself."""
    stems = _known_names()
    for length in range(len(text) - 2, 1, -1):
        head, tail = text[:length], text[length:]
        if head in areas:
            return head
        stem = head if head in stems else head[:-1]
        if stem not in stems or (stem != head and head[-1] not in "省市县"):
            continue
        generic = _trailing_generic(tail)
        if stem != head or (generic and _generic_terms()[generic][0] == "area"):
            return head
    return ""


def _trailing_generic(text: str) -> str:
    """Return the longest generic term that `text` ends with, leaving a specific part before it."""
    terms = _generic_terms()
    for length in range(min(len(text) - 1, 8), 0, -1):
        if text[-length:] in terms:
            return text[-length:]
    return ""


def generic_kind(name: str) -> str:
    """Return what kind of place the generic part of a name tells of; empty: it has none.

    Examples
    --------
    >>> generic_kind("裕华路"), generic_kind("长安公园"), generic_kind("老槐树")
    ('street', 'site', '')
    """
    generic = _trailing_generic(name)
    return _generic_terms()[generic][0] if generic else ""


def _romanise_single(text: str, *, after_figure: bool) -> list[str]:
    generic = _trailing_generic(text)
    if not generic:
        return [_join(text)]
    kind, spelling = _generic_terms()[generic]
    specific = text[: -len(generic)]
    if kind == "joined":
        return [_join(text)]
    if kind == "street":
        return _romanise_street(specific, spelling)
    if kind == "number" and after_figure:
        return [*_romanise_han(specific, (), after_figure=False), spelling]
    return [_join(specific), spelling]


def _romanise_street(specific: str, generic: str) -> list[str]:
    """Join directions to the generic part and write ordinals as figures."""
    ordinal = _QUARTER.search(specific) or _ORDINAL.search(specific)
    if ordinal and ordinal.start() > 0:
        return [*_directed(specific[: ordinal.start()]), _figure(ordinal), generic]
    if ordinal and (ordinal[1] or generic.startswith("Huan")):
        return [_figure(ordinal), generic]
    if len(specific) > 2 and specific[-1] in _DIRECTIONS:
        return [_join(specific[:-1]), _join(specific[-1]) + generic[0].lower() + generic[1:]]
    return [_join(specific), generic]


def _directed(specific: str) -> list[str]:
    if len(specific) > 2 and specific[-1] in _DIRECTIONS:
        return [_join(specific[:-1]), _join(specific[-1])]
    return [_join(specific)]


def _figure(ordinal: re.Match[str]) -> str:
    return ("Di-" if ordinal[1] else "") + str(figure_value(ordinal[2]))


def figure_value(signs: str) -> int:
    """Return the number that Chinese figures below a hundred write.

    Examples
    --------
    >>> figure_value("十二"), figure_value("四十"), figure_value("七")
    (12, 40, 7)
    """
    tens, ten, units = signs.rpartition("十")
    if not ten:
        return int("".join(str(_FIGURES[sign]) for sign in signs))
    return (_FIGURES[tens] if tens else 1) * 10 + (_FIGURES[units] if units else 0)


def _join(text: str) -> str:
    """Write a name as one word with a capital."""
    known = _known_names().get(text)
    if known:
        return known
    word = ""
    for syllable in _syllables(text):
        word += ("'" if word and syllable[0] in "aoe" else "") + syllable
    return word[:1].upper() + word[1:]


def _syllables(text: str) -> list[str]:
    stems = _known_names()
    for length in range(min(len(text), 5), 1, -1):
        spelling = stems.get(text[:length], "")
        if spelling and " " not in spelling:
            return [spelling.lower(), *lazy_pinyin(text[length:], v_to_u=True)]
    syllables: list[str] = lazy_pinyin(text, v_to_u=True)
    if len(text) > 1 and text[1] in "家庄" and text[0] in _SURNAMES:
        syllables[0] = _SURNAMES[text[0]]
    return syllables
