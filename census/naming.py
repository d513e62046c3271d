"""Names of units taken apart for comparing: script, signs, legal form, words, sounds, initials."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from opencc import OpenCC
from rapidfuzz.distance import Indel

from gis.codes import read_table

_SAME_SOUND, _NEAR_SOUND, _CUT_WORD = 0.85, 0.7, 0.8
"""How much two tokens are alike, if not equal; only judged against each other."""
_NEAR_WORD = 0.72
_TOKEN = re.compile(r"[a-z]+|[0-9]+|[^\W_]")
_LATIN = re.compile(r"[a-z]")
_FILLERS = frozenset(("of", "and", "the", "for"))
_DOUBT = "待确认|待核实|待查|待定|疑似|存疑|暂定|不确定|已撤销|已合并|已注销|已更名"
_NOTE = re.compile(rf"[(\[【〔](权属|产权|归属)?({_DOUBT})[)\]】〕]|({_DOUBT})$")
_NEAR_STARTS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"), ("f", "h"))
_NEAR_ENDS = (("ang", "an"), ("eng", "en"), ("ing", "in"))


@dataclass(frozen=True)
class Name:
    """A name taken apart."""

    simple: str
    """Simplified characters, without signs, blanks or notes."""
    loose: str
    """The same with one word for each legal form."""
    tokens: tuple[str, ...]
    """Of the loose name: Han characters one by one, Latin words and figures whole."""
    initials: str
    """First letters of the words or of the sounds."""


@lru_cache(maxsize=65536)
def take_apart(name: str) -> Name:
    """Return the parts of a name by which it is compared.

    Examples
    --------
    >>> take_apart("臺南市政府（交通局）").tokens[:3], take_apart("Dept. of Public Works").tokens
    (('台', '南', '市'), ('dept', 'public', 'works'))
    """
    words = _TOKEN.findall(_plain(name))
    simple = "".join(words)
    if _LATIN.search(simple):
        # Latin words are whole only where blanks part them, so they are replaced one by one.
        shorter = dict(_forms())
        words = [shorter.get(word, word) for word in words if word not in _FILLERS]
        loose, tokens = "".join(words), tuple(words)
    else:
        loose = _loosen(simple)
        tokens = tuple(_TOKEN.findall(loose))
    initials = "".join(sound(word)[:1] for word in words)
    return Name(simple=simple, loose=loose, tokens=tokens, initials=initials)


def likeness(first: str, second: str) -> float:
    """Return how much two tokens are alike: 1 equal, 0 not at all.

    Han characters are alike by their sound, Latin words by their spelling or by being cut short;
    figures are equal or not.

    Examples
    --------
    >>> likeness("照", "昭"), likeness("林", "凌"), likeness("水", "火"), likeness("mass", "massachusetts")
    (0.85, 0.7, 0.0, 0.8)
    """
    if first == second:
        return 1.0
    is_latin = _LATIN.match(first) is not None
    if is_latin != (_LATIN.match(second) is not None) or first.isdigit() or second.isdigit():
        return 0.0
    if is_latin:
        return _word_likeness(first, second)
    if sound(first) == sound(second):
        return _SAME_SOUND
    return _NEAR_SOUND if near_sound(first) == near_sound(second) else 0.0


def features(name: Name) -> Iterator[str]:
    """Yield by what a name can be found: its tokens, their near sounds, starts of words, initials.

    Examples
    --------
    >>> sorted(features(take_apart("林科")))
    ['=lk', '~ke', '~nin', '林', '科']
    """
    for token in set(name.tokens):
        yield token
        if _LATIN.match(token):
            yield f"{token[:3]}-"
        elif not token.isdigit():
            yield f"~{near_sound(token)}"
    yield f"={name.initials}"
    if name.loose.isascii():
        yield f"={name.loose}"


@lru_cache(maxsize=16384)
def sound(token: str) -> str:
    """Return the pinyin of a Han character without tone; Latin words and figures as they are."""
    from pypinyin import lazy_pinyin  # its dictionary takes longer to load than most commands run

    return lazy_pinyin(token)[0] if not token.isascii() else token


@lru_cache(maxsize=16384)
def near_sound(token: str) -> str:
    """Return the sound of a Han character as those hear it who do not part zh from z, n from l.

    Examples
    --------
    >>> near_sound("张"), near_sound("赞")
    ('zan', 'zan')
    """
    spoken = sound(token)
    for full, plain in _NEAR_STARTS:
        if spoken.startswith(full):
            spoken = plain + spoken.removeprefix(full)
            break
    for full, plain in _NEAR_ENDS:
        if spoken.endswith(full):
            return spoken.removesuffix(full) + plain
    return spoken


def _word_likeness(first: str, second: str) -> float:
    short, long = sorted((first, second), key=len)
    if len(short) > 2 and long.startswith(short):
        return _CUT_WORD
    like = Indel.normalized_similarity(first, second)
    return like if like >= _NEAR_WORD else 0.0


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold()
    text = text if text.isascii() else _converter().convert(text)
    return _NOTE.sub("", "".join(text.split()) if not _LATIN.search(text) else text)


def _loosen(simple: str) -> str:
    for long, short in _forms():
        simple = simple.replace(long, short)
    return simple


@cache
def _forms() -> tuple[tuple[str, str], ...]:
    """Return words for legal forms and the word that stands for each, longest first."""
    rows = read_table("census.codes", "unit_forms.csv")
    return tuple(sorted(((row["word"], row["short"]) for row in rows), key=lambda x: -len(x[0])))


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")
