"""How names are read: one syllable for each character, polyphones 多音字 as place names read them.

Three tables answer, the first that knows: words of place names (``readings.csv``), which say where a
reading holds if that depends on the province; other words, from pypinyin, where one of their
characters is not read as it is alone; the character alone. Longer words go before shorter ones.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache

from gis.codes import read_table

_MARKS = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"}
_ASCII = re.compile(r"[\x00-\x7f]")
_RUNS = re.compile(r"[0-9]+|[a-z]+|[^\x00-\x7f]+")
_LONGEST_WORD = 4
_REMEMBERED = 1 << 17

Reading = tuple[str, ...]
"""Syllables with a figure for the tone, 5 for none: ``("chong2", "qing4")``."""


class Readings:
    """The tables of one province, made to be asked a million times.

    Attributes
    ----------
    characters : dict
        Character -> its syllable with the figure of the tone.
    bare : dict
        Character -> the same without tone, ü written u.
    words : dict
        First two characters -> (word, reading, rank) of the words that begin so.
    """

    def __init__(self, province: str) -> None:
        rows = _rows_of(province)
        self.characters = _plain_characters() | {
            text: reading[0] for text, reading in rows.items() if len(text) == 1 and reading
        }
        self.bare = {sign: _bare(syllable) for sign, syllable in self.characters.items()}
        self.words: dict[str, list[tuple[str, Reading, int]]] = {}
        for text, reading in _other_words().items():
            if text not in rows and self._differs(text, reading):
                self.words.setdefault(text[:2], []).append((text, reading, 1))
        for text, reading in rows.items():
            if len(text) > 1 and reading:
                self.words.setdefault(text[:2], []).append((text, reading, 0))

    def _differs(self, text: str, reading: Reading) -> bool:
        known = self.bare
        return any(known.get(sign) != _bare(part) for sign, part in zip(text, reading, strict=True))

    def read(self, text: str) -> list[str]:
        """Return a syllable with tone for each Han sign; other signs stay as they are."""
        result = [self.characters.get(sign, sign) for sign in text]
        for start, _, reading in self._found(text):
            result[start : start + len(reading)] = reading
        return result

    def read_bare(self, text: str) -> list[str]:
        """Return the same without tones."""
        known = self.bare
        result = [known.get(sign, sign) for sign in text]
        words = self.words
        for pair in map(str.__add__, text, text[1:]):
            if pair in words:
                break
        else:
            return result
        for start, _, reading in self._found(text):
            result[start : start + len(reading)] = map(_bare, reading)
        return result

    def _found(self, text: str) -> list[tuple[int, str, Reading]]:
        """Return the words in a text that do not overlap: ours, then the longer, then the first."""
        found = [
            (rank, -len(word), start, word, reading)
            for start in range(len(text) - 1)
            for word, reading, rank in self.words.get(text[start : start + 2], ())
            if text.startswith(word, start)
        ]
        if len(found) > 1:
            found.sort()
        taken: set[int] = set()
        chosen = []
        for _, _, start, word, reading in found:
            places = range(start, start + len(word))
            if taken.isdisjoint(places):
                taken.update(places)
                chosen.append((start, word, reading))
        return chosen


@cache
def readings(province: str = "") -> Readings:
    """Return the tables for a province: the first two digits of its area codes; empty: any."""
    return Readings(province[:2])


@lru_cache(maxsize=_REMEMBERED)
def toned(name: str, *, province: str = "") -> tuple[str, ...]:
    """Return the syllables of a name with figures for the tones, 5 for none.

    Figures and Latin letters stay, each run one part in small letters; other signs are left out.

    Examples
    --------
    >>> toned("重庆路"), toned("绿地A座")
    (('chong2', 'qing4', 'lu4'), ('lü4', 'di4', 'a', 'zuo4'))
    """
    return _parts(name, readings(province).read)


@lru_cache(maxsize=_REMEMBERED)
def syllables(name: str, *, province: str = "") -> tuple[str, ...]:
    """Return the syllables of a name without tones, ü written u: what a search is typed in.

    Parameters
    ----------
    name : str
        Name in Chinese characters; figures and Latin letters stay, each run one part.
    province : str
        First two digits of the city's area codes, for readings that differ by province.

    Examples
    --------
    >>> syllables("重庆路"), syllables("石家庄市长安区")
    (('chong', 'qing', 'lu'), ('shi', 'jia', 'zhuang', 'shi', 'chang', 'an', 'qu'))
    >>> syllables("女人街3号"), syllables("新圩镇"), syllables("新圩镇", province="45")
    (('nu', 'ren', 'jie', '3', 'hao'), ('xin', 'wei', 'zhen'), ('xin', 'xu', 'zhen'))
    """
    return _parts(name, readings(province).read_bare)


def syllables_of(names: Iterable[str], *, province: str = "") -> list[tuple[str, ...]]:
    """Return `syllables` of each name, without remembering them: for a million names at once.

    Examples
    --------
    >>> syllables_of(["六安路", "长安路"])
    [('lu', 'an', 'lu'), ('chang', 'an', 'lu')]
    """
    read = lru_cache(maxsize=_REMEMBERED)(readings(province).read_bare)  # 裕华路 of 裕华路12号
    return [_parts(name, read) for name in names]


def sound(name: str, *, province: str = "") -> str:
    """Return how a name sounds, tones aside, as one word.

    Examples
    --------
    >>> sound("裕华路") == sound("育华路"), sound("乐亭路")
    (True, 'laotinglu')
    """
    return "".join(syllables(name, province=province))


def initials(name: str, *, province: str = "") -> str:
    """Return the first letter of each syllable; figures and Latin letters stay whole.

    Examples
    --------
    >>> initials("重庆路12号"), initials("CBD广场")
    ('cql12h', 'cbdgc')
    """
    return "".join(
        part if part.isdigit() or not _is_syllable(part) else part[0]
        for part in syllables(name, province=province)
    )


@cache
def _sounds() -> frozenset[str]:
    return frozenset(readings().bare.values())


def _is_syllable(part: str) -> bool:
    return part in _sounds()


def _parts(name: str, read: Callable[[str], Sequence[str]]) -> tuple[str, ...]:
    if not unicodedata.is_normalized("NFKC", name):
        name = unicodedata.normalize("NFKC", name)
    if not _ASCII.search(name):
        result = read(name)
        if result and min(map(len, result)) > 1:
            return tuple(result)  # Han signs alone, none of them read as one letter
    parts: list[str] = []
    for run in _RUNS.findall(name.lower()):
        if run.isascii():
            parts.append(run)
        else:
            parts.extend(part for sign, part in zip(run, read(run), strict=True) if part != sign)
    return tuple(parts)


@cache
def _plain_characters() -> dict[str, str]:
    from pypinyin.constants import PINYIN_DICT

    return {
        chr(code): _figured(spelt.partition(",")[0])
        for code, spelt in PINYIN_DICT.items()
        if spelt and code != ord("〇")
    } | {"〇": "ling2"}


@cache
def _other_words() -> dict[str, Reading]:
    """Return pypinyin's words whose characters are not all read as they are alone."""
    from pypinyin.constants import PHRASES_DICT

    alone = {sign: _bare(syllable) for sign, syllable in _plain_characters().items()}
    ours = {text for text in _rows_of("") if len(text) == 1}
    result = {}
    for word, spelt in PHRASES_DICT.items():
        if not 1 < len(word) <= _LONGEST_WORD or len(spelt) != len(word):
            continue
        reading = tuple(_figured(options[0]) for options in spelt)
        if ours.intersection(word) or any(
            _bare(part) != alone.get(sign) for sign, part in zip(word, reading, strict=True)
        ):
            result[word] = reading
    return result


@cache
def _rows_of(province: str) -> dict[str, Reading]:
    """Return our own words and characters -> reading; an empty one: no word in place names."""
    result: dict[str, Reading] = {}
    for row in read_table("gis.names", "readings.csv"):
        places = row["provinces"].split(";") if row["provinces"] else []
        if not places:
            result.setdefault(row["text"], tuple(row["reading"].split()))
        elif province in places:
            result[row["text"]] = tuple(row["reading"].split())
    return result


@cache
def _figured(spelt: str) -> str:
    """Return a syllable with a figure for its tone mark.

    Examples
    --------
    >>> _figured("chóng"), _figured("lǜ"), _figured("de")
    ('chong2', 'lü4', 'de5')
    """
    tone, letters = "5", ""
    for sign in unicodedata.normalize("NFD", spelt):
        if sign in _MARKS:
            tone = _MARKS[sign]
        else:
            letters += sign
    return unicodedata.normalize("NFC", letters) + tone


@cache
def _bare(syllable: str) -> str:
    return syllable.rstrip("12345").replace("ü", "u").replace("ê", "e")
