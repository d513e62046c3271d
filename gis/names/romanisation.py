"""Romanisation 汉语拼音 of place names by the spelling rules for Chinese place names.

The rules are those of 中国地名汉语拼音字母拼写规则（汉语地名部分）, 1984: specific part 专名 and generic part
通名 are two words, each with a capital; what qualifies one of them in one syllable joins it (建设北大街
Jianshe Beidajie, 景山后街 Jingshan Houjie), in more syllables stands apart; a generic part that became
part of a specific one joins it (解放路南小街 Jiefanglu Nanxiaojie); names of villages are one word;
ordinals of streets are figures; an apostrophe parts syllables that would run together. No tone marks.
Names of minority languages are written as their own transcription has them (呼和浩特 Hohhot).
"""

import re
import unicodedata
from collections.abc import Collection
from functools import cache

from gis.codes import read_table
from gis.names.generics import Generic, generic_kind, generics, trailing_generic
from gis.names.readings import initials, readings, sound, syllables, syllables_of, toned

__all__ = [
    "figure_value",
    "generic_kind",
    "initials",
    "romanise",
    "sound",
    "syllables",
    "syllables_of",
    "toned",
]

_DIRECTIONS = "东南西北中"
_QUALIFIERS = _DIRECTIONS + "前后左右上下新老横直正边斜"
_FIGURES = {sign: value for value, sign in enumerate("〇一二三四五六七八九")} | {"零": 0}
_HAN = r"\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002fa1f"
_RUNS = re.compile(rf"[{_HAN}]+|[0-9]+|[A-Za-z][A-Za-z'’.&-]*")
_CROSSING = re.compile(r"(.{2,})[与和](.{2,}?)(?:交叉)?路?口")
_ORDINAL = re.compile(r"(第?)([一二三四五六七八九十]+)$")
_NUMBERED = re.compile(r"第([〇零一二三四五六七八九十百]+)(.*)")
_QUARTER = re.compile(r"(?<=^[东西南北][一二三四五六七八九])()(十[一二三四五六七八九]?)$")
"""东四十二条: 东四 is the quarter, the rest counts its lanes."""
_WHOLE = frozenset("厂局社所")
"""Generic parts of institutions that are one word with what they make: 拖拉机厂 Tuolajichang."""
_LONG = 5
"""A specific part of so many characters may hold words of its own: 高新技术产业."""
LONGEST = 256
"""A run of characters longer than this is no name: it is written as one word."""
SETTLEMENT = "settlement"


@cache
def _known_names() -> dict[str, str]:
    """Return the names spelt as a whole wherever they stand."""
    rows = read_table("gis.names", "known_names.csv")
    return {row["name"]: row["pinyin"] for row in rows if row["scope"] == "any"}


@cache
def _known_areas() -> dict[str, str]:
    """Return the names spelt as a whole before the generic part of an area."""
    return {row["name"]: row["pinyin"] for row in read_table("gis.names", "known_names.csv")}


@cache
def _word_parts(kind: str) -> frozenset[str]:
    rows = read_table("gis.names", "word_parts.csv")
    return frozenset(row["text"] for row in rows if row["kind"] == kind)


@cache
def _peoples() -> dict[str, str]:
    rows = read_table("gis.names", "peoples.csv")
    return {row["people"] + "族": row["pinyin"] + "zu" for row in rows}


@cache
def _parted() -> re.Pattern[str]:
    """Match the words that stand by themselves within a long specific part."""
    ours = {term for term, generic in generics().items() if len(term) > 1 and _is_word(generic)}
    words = sorted({*_peoples(), *_word_parts("word"), *ours}, key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, words)))


def _is_word(generic: Generic) -> bool:
    return generic.kind in ("site", "area") and " " not in generic.pinyin


def romanise(name: str, *, areas: Collection[str] = (), province: str = "", kind: str = "") -> str:
    """Return the romanised place name.

    Parameters
    ----------
    name : str
        Standard name in Chinese characters; figures and Latin letters stay as they are.
    areas : collection of str
        Names of the city's areas, to part a name that begins with one: 长安区裕华路.
    province : str
        First two digits of the city's area codes, for readings that differ by province.
    kind : str
        ``settlement``: a village or market town, whose name is one word whatever it ends with.

    Examples
    --------
    >>> romanise("裕华路"), romanise("建设北大街"), romanise("石家庄长安区")
    ('Yuhua Lu', 'Jianshe Beidajie', "Shijiazhuang Chang'an Qu")
    >>> romanise("重庆"), romanise("六安"), romanise("蚌埠"), romanise("厦门")
    ('Chongqing', "Lu'an", 'Bengbu', 'Xiamen')
    >>> romanise("王家村"), romanise("大川淀二巷"), romanise("绿地3号楼")
    ('Wangjiacun', 'Dachuandian 2 Xiang', 'Lüdi 3 Haolou')
    >>> romanise("太平沟"), romanise("太平沟", kind="settlement"), romanise("王村口镇")
    ('Taiping Gou', 'Taipinggou', 'Wangcunkou Zhen')
    """
    text = unicodedata.normalize("NFKC", name)
    speller = _Speller(areas=areas, province=province)
    words: list[str] = []
    for run in _RUNS.findall(text):
        if run[0].isascii():
            words.append(run)
        elif len(run) > LONGEST or (kind == SETTLEMENT and not words and run == text):
            words.append(speller.begin(run).join(run))
        else:
            words.extend(
                speller.begin(run).spell(run, after_figure=bool(words) and words[-1].isdigit())
            )
    return " ".join(words)


class _Speller:
    """Spells runs of Chinese characters for one city, from left to right.

    A part is read as it is read in the whole run: 单 of 单县 is Shan.
    """

    def __init__(self, *, areas: Collection[str], province: str) -> None:
        self.areas = areas
        self.readings = readings(province)
        self.run = ""
        self.read: list[str] = []
        self.spelt = 0

    def begin(self, run: str) -> "_Speller":
        """Turn to a new run."""
        self.run, self.read, self.spelt = run, self.readings.read(run), 0
        return self

    def spell(self, text: str, *, after_figure: bool = False) -> list[str]:
        """Spell a name."""
        if text in generics() and (after_figure or generics()[text].kind != "joined"):
            return [generics()[text].pinyin]
        if text in _known_names():
            return [self.join(text)]
        crossing = _CROSSING.fullmatch(text)
        if crossing:
            roads = [self.spell(road) for road in crossing.groups()]
            return [*roads[0], "yu", *roads[1], "Lukou"]
        prefix = self._leading_area(text)
        if prefix:
            return [*self.spell(prefix), *self.spell(text[len(prefix) :])]
        return self._single(text, after_figure=after_figure)

    def _leading_area(self, text: str) -> str:
        """Return the city or area that `text` begins with, if what follows is a name by itself."""
        stems = _known_names()
        for length in range(len(text) - 2, 1, -1):
            head, tail = text[:length], text[length:]
            if head in self.areas:
                return head
            if head[-1] == "县" and length > len("通县") and len(tail) > len("街道"):
                return head
            stem = head if head in stems else head[:-1]
            if stem not in stems or (stem != head and head[-1] not in "省市县"):
                continue
            if stem != head or _stands_alone(tail):
                return head
        return ""

    def _single(self, text: str, *, after_figure: bool) -> list[str]:
        generic = trailing_generic(text)
        if generic is None:
            return self._specific(text)
        specific = text[: -len(generic.term)]
        if generic.kind == "joined" or (generic.term in _WHOLE and len(specific) < _LONG):
            return [self.join(text)]
        if generic.kind == "street":
            return self._street(specific, generic)
        if generic.kind == "number" and after_figure:
            return [*self.spell(specific), generic.pinyin]
        if generic.kind == "area":
            return [*self._area(specific, generic), generic.pinyin]
        if generic.kind == "nature":
            return [*self._nature(specific), generic.pinyin]
        return [*self._specific(specific), generic.pinyin]

    def _area(self, specific: str, generic: Generic) -> list[str]:
        if specific in _known_areas():
            return [_known_areas()[specific]]
        people = generic.term.startswith("自治") and _people_of(specific)
        if people:
            rest = specific[: -len(people)]
            before = self._area(rest, generic) if rest else []
            return [*before, _peoples()[people + "族"].removesuffix("zu")]
        return self._specific(specific)

    def _nature(self, specific: str) -> list[str]:
        numbered = _NUMBERED.fullmatch(specific)
        if numbered and numbered[2]:
            return [self.join("第" + numbered[1]), self.join(numbered[2])]
        return [self.join(specific)]

    def _specific(self, text: str) -> list[str]:
        """Spell a specific part: one word, but for generic parts and words inside a long one."""
        numbered = _NUMBERED.fullmatch(text)
        if numbered and not numbered[2]:
            return [f"Di-{figure_value(numbered[1])}"]
        inner = trailing_generic(text)
        if (
            inner
            and inner.kind in ("site", "street", "area")
            and len(text) - 1 > len(inner.term) > 1
        ):
            return self.spell(text)
        if len(text) < _LONG and not text.endswith("族"):
            return [self.join(text)]
        words: list[str] = []
        start = 0
        for match in _parted().finditer(text):
            if match.start() > start:
                words.extend(self._known_or_joined(text[start : match.start()]))
            words.append(_peoples().get(match[0]) or self.join(match[0]))
            start = match.end()
        if start < len(text):
            words.extend(self._known_or_joined(text[start:]))
        return words

    def _known_or_joined(self, text: str) -> list[str]:
        numbered = _NUMBERED.fullmatch(text)
        if numbered and not numbered[2]:
            return [f"Di-{figure_value(numbered[1])}"]
        return [_known_areas().get(text) or self.join(text)]

    def _street(self, specific: str, generic: Generic) -> list[str]:
        """Join qualifiers to the generic part and write ordinals as figures."""
        ordinal = _QUARTER.search(specific) or _ORDINAL.search(specific)
        if ordinal and ordinal.start() > 0:
            return [*self._directed(specific[: ordinal.start()]), _figure(ordinal), generic.pinyin]
        if ordinal and (ordinal[1] or generic.pinyin.startswith(("Huan", "Malu"))):
            return [_figure(ordinal), generic.pinyin]
        if generic.term == "胡同" and len(specific) > 1 and specific.endswith("儿"):
            return [self.join(specific[:-1]) + "r", generic.pinyin]
        length = _qualifier_length(specific, generic)
        if not length:
            return [*self._street_specific(specific), generic.pinyin]
        words = self._street_specific(specific[:-length])
        return [*words, self.join(specific[-length:]) + generic.pinyin.lower()]

    def _street_specific(self, text: str) -> list[str]:
        """Spell what stands before a street's generic part: generic parts in it are lost in it."""
        inner = trailing_generic(text)
        if inner and len(inner.term) > 1 and inner.kind != "joined" and len(text) >= _LONG - 1:
            return [*self._specific(text[: -len(inner.term)]), inner.pinyin]
        return [self.join(text)]

    def _directed(self, specific: str) -> list[str]:
        if len(specific) > 2 and specific[-1] in _DIRECTIONS:
            return [self.join(specific[:-1]), self.join(specific[-1])]
        return [self.join(specific)]

    def join(self, text: str) -> str:
        """Write a part of the run as one word with a capital."""
        start = self.run.find(text, self.spelt)
        syllables = self.read[start : start + len(text)] if start >= 0 else self.readings.read(text)
        self.spelt = max(start, 0) + len(text)
        known = _known_names().get(text)
        if known:
            return known
        word = ""
        for syllable in syllables:
            bare = syllable.rstrip("12345")
            word += ("'" if word and bare[0] in "aoe" else "") + bare
        return word[:1].upper() + word[1:]


def _stands_alone(tail: str) -> bool:
    """Tell whether what follows a city's name is a name: 长安区, 交通大学, 长江大桥, but not 东路."""
    generic = trailing_generic(tail)
    if generic is None:
        return False
    if generic.kind == "area":
        return True
    return generic.kind in ("site", "nature") and len(tail) - len(generic.term) > 1


def _people_of(specific: str) -> str:
    """Return the people, without 族, that the name of an autonomous area ends with; else empty."""
    people = [word[:-1] for word in _peoples() if len(word) > 2 and specific.endswith(word[:-1])]
    return max(people, key=len, default="")


def _qualifier_length(specific: str, generic: Generic) -> int:
    """Return how many characters at the end of a specific part qualify the generic one.

    A word such as 创新 is not taken apart, see `_is_parted`.

    Examples
    --------
    >>> from gis.names.generics import trailing_generic
    >>> names = ("裕华西路", "浦东南路", "大西北路", "长江西路", "科技创新路")
    >>> [_qualifier_length(name[:-1], trailing_generic(name)) for name in names]
    [1, 1, 0, 1, 0]
    """
    if len(specific) == 2 and specific[0] in "大小" and specific[1] in _DIRECTIONS:
        return 1  # 小南街
    signs = _DIRECTIONS if len(generic.term) > 1 else _QUALIFIERS
    length = 0
    while len(specific) - length > 2 and specific[len(specific) - length - 1] in signs:
        rest = specific[: len(specific) - length - 1]
        pair = specific[len(specific) - length - 2 : len(specific) - length]
        if pair in _word_parts("bound") and not _is_parted(rest, pair):
            break
        length += 1
    return length


def _is_parted(rest: str, pair: str) -> bool:
    """Tell whether a word of two characters is parted by the name that it stands in.

    A name of two characters and a direction is what streets are called by: 裕华 and 西, not 裕 and 华西; but of
    two directions, as in 大西北路, the second one qualifies only what is a name by itself, as 浦东. So do other
    words what ends with a generic part: the 江西 of 长江西路.
    """
    if pair[1] in _DIRECTIONS and pair[0] not in _DIRECTIONS:
        return True
    return rest in _word_parts("bound") or trailing_generic(rest) is not None or rest.endswith("城")


def _figure(ordinal: re.Match[str]) -> str:
    return ("Di-" if ordinal[1] else "") + str(figure_value(ordinal[2]))


def figure_value(signs: str) -> int:
    """Return the number that Chinese figures below a thousand write.

    Examples
    --------
    >>> figure_value("十二"), figure_value("四十"), figure_value("七"), figure_value("一百零一")
    (12, 40, 7, 101)
    """
    hundreds, hundred, rest = signs.rpartition("百")
    if hundred:
        return _FIGURES.get(hundreds, 1) * 100 + (figure_value(rest.lstrip("零〇")) if rest else 0)
    tens, ten, units = signs.rpartition("十")
    if not ten:
        return int("".join(str(_FIGURES[sign]) for sign in signs) or "0")
    return (_FIGURES[tens] if tens else 1) * 10 + (_FIGURES[units] if units else 0)
