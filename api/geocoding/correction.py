"""Other readings of a text that names nothing as it stands: names misheard, misspelt, in pinyin."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

from api.geocoding.candidates import plain_name, road_lines
from api.geocoding.crossings import roads_meeting
from api.geocoding.gazetteer import Gazetteer
from api.geocoding.marks import PLACES, likeness_of, named, names_alike
from api.geocoding.plates import with_road
from gis.addresses.parts import AddressParts, readings

_WAYS_TRIED = 4
_PAIRS_TRIED = 12
_FIGURE = re.compile(r"\d")
_LATIN = re.compile(r"[a-z]{4,}")
_NUMBER_FIRST = re.compile(r"(?P<plate>\d+[a-z]?(?:-\d+)?(?P<sign>号?))(?P<rest>[^\d].+)")
_FEW_WORDS, _SOME_WORDS = 2, 4
_AREA_ENDS = ("区", "县", "市", "省", "镇", "乡")
_LONGEST_SWAPPED = 24
_AT_WAY = re.compile(r"\d|口|交")
_WAY_ENDS = "路街道巷弄段线桥"
_LONGEST_WAY = 8
_ADDRESSED = re.compile(r"\d+(?:号|弄|米)|路口|交叉口|交口")
_MEETING_ALIKE, _MEETING_CLOSE = 0.4, 0.6


def other_parts(
    gazetteer: Gazetteer, parts: AddressParts
) -> Iterator[tuple[AddressParts, tuple[str, ...]]]:
    """Yield the parts with names that are not known replaced by known ones alike, with the evidence.

    The names of a crossing are replaced together, since only roads that meet make one.
    """
    if parts.crossing or parts.between:
        yield from _roads_that_meet(gazetteer, parts)
        return
    for head, kinds in _heads(gazetteer, parts):
        for name, code in names_alike(gazetteer, head, kinds=kinds)[:_WAYS_TRIED]:
            if head == parts.road:
                yield with_road(parts, name), (code,)
            else:
                other = readings(parts.mark.replace(head, name, 1))[0]
                yield replace(other, relation=parts.relation), (code,)


def _heads(gazetteer: Gazetteer, parts: AddressParts) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the names of the address that are not known, with the kinds of what they may name."""
    if parts.road and not _is_road(gazetteer, parts.road):
        yield parts.road, ("street",)
    elif parts.way and not parts.road:
        yield parts.way, ("street", *PLACES)
    for head in (parts.block, parts.poi if parts.building else ""):
        if head and head != parts.way and not named(gazetteer, head):
            yield head, PLACES


def _roads_that_meet(
    gazetteer: Gazetteer, parts: AddressParts
) -> Iterator[tuple[AddressParts, tuple[str, ...]]]:
    if parts.crossing:
        for first, second in _pairs(gazetteer, *parts.crossing):
            other = replace(parts, crossing=(first[0], second[0]), mark="")
            yield other, _codes(first[1], second[1])
    if parts.between:
        road, ends = parts.between
        slots = [_roads(gazetteer, name) for name in (road, *ends)]
        for one, two, three in islice(product(*slots), _PAIRS_TRIED):
            codes = _codes(one[1], two[1], three[1])
            yield replace(parts, between=(one[0], (two[0], three[0])), mark=""), codes


def _pairs(
    gazetteer: Gazetteer, one: str, two: str
) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Yield pairs of roads; where one is known, those that meet it and are called much like the other."""
    for known, unknown, is_first in ((one, two, True), (two, one, False)):
        rows = road_lines(gazetteer, known)
        if rows and not _is_road(gazetteer, unknown):
            for name, code in _meeting(gazetteer, rows, unknown):
                pair = ((known, ""), (name, code))
                yield pair if is_first else (pair[1], pair[0])
            return
    either = [_roads(gazetteer, name) for name in (one, two)]
    for first, second in islice(product(*either), _PAIRS_TRIED):
        if first[1] or second[1]:
            yield first, second


def _meeting(gazetteer: Gazetteer, rows: tuple[int, ...], said: str) -> list[tuple[str, str]]:
    found = []
    for name in roads_meeting(gazetteer, rows):
        alike, code = likeness_of(said, name)
        if alike >= _MEETING_ALIKE:
            # That it meets the other road speaks for it as well.
            found.append((-alike, name, "name_close" if alike >= _MEETING_CLOSE else code))
    found.sort()
    return [(name, code) for _, name, code in found[:3]]


def _codes(*codes: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for code in codes if code))


def _is_road(gazetteer: Gazetteer, name: str) -> bool:
    return bool(road_lines(gazetteer, name)) or len(gazetteer.of_road(name)) > 0


def _roads(gazetteer: Gazetteer, name: str) -> list[tuple[str, str]]:
    """Return a road's name if it is known, else those alike."""
    if _is_road(gazetteer, name):
        return [(name, "")]
    return names_alike(gazetteer, name, kinds=("street",))[:_WAYS_TRIED]


def other_texts(gazetteer: Gazetteer, text: str) -> Iterator[tuple[str, str]]:
    """Yield other texts that the caller may have meant, each with its evidence.

    A number said first goes after its road; Latin letters are read as pinyin; what stands before
    the first known name is left out.
    """
    first = _NUMBER_FIRST.fullmatch(text)
    if first and first["sign"]:
        yield first["rest"] + first["plate"], "number_first"
    elif first and first["rest"].isascii():
        yield first["rest"] + first["plate"], "number_first"
        yield first["rest"] + first["plate"] + "号", "number_first"
    if _LATIN.search(text):
        yield from ((other, "spelt_in_pinyin") for other in _from_pinyin(gazetteer, text))
    starts = sorted({start for start, _ in gazetteer.longest_names(text) if start})
    for start in starts[:2]:
        yield text[start:], _dropped(text[:start], text[start:])


def _dropped(words: str, kept: str) -> str:
    """Return the evidence of words left out: they may be part of a name where no number follows."""
    if words.endswith(_AREA_ENDS):
        return "area_unknown"
    if not _ADDRESSED.search(kept):
        return "words_many_dropped"
    if len(words) <= _FEW_WORDS:
        return "words_dropped"
    return "words_some_dropped" if len(words) <= _SOME_WORDS else "words_many_dropped"


def swapped_texts(text: str) -> Iterator[str]:
    """Yield the text with each two neighbouring characters before its first figure changed over.

    Examples
    --------
    >>> list(swapped_texts("兴滨路"))
    ['滨兴路', '兴路滨']
    """
    figure = _FIGURE.search(text)
    end = min(figure.start() if figure else len(text), _LONGEST_SWAPPED)
    for first in range(end - 1):
        one, two = text[first], text[first + 1]
        if one != two:
            yield text[:first] + two + one + text[first + 2 :]


def swapped_names(gazetteer: Gazetteer, text: str) -> Iterator[str]:
    """Yield of `swapped_texts` those where one of the two is now in a known name or road."""
    is_addressed = _AT_WAY.search(text) is not None
    for other in swapped_texts(text):
        first = next(place for place, said in enumerate(text) if said != other[place])
        spans = gazetteer.names_in(other)
        is_named = any(start <= first + 1 and first < end for start, end in spans)
        if is_named or (is_addressed and _in_way(gazetteer, other, first)):
            yield other


def _in_way(gazetteer: Gazetteer, text: str, first: int) -> bool:
    """Tell whether a character or the next is in what bears plates, though no place bears its name."""
    for end in range(first + 1, min(first + _LONGEST_WAY, len(text)) + 1):
        if text[end - 1] in _WAY_ENDS or text[end : end + 1].isdigit():
            for start in range(max(0, end - _LONGEST_WAY), min(first + 1, end - 2) + 1):
                if gazetteer.is_way(text[start:end]):
                    return True
    return False


def _from_pinyin(gazetteer: Gazetteer, text: str) -> list[str]:
    texts = [text]
    for run in _LATIN.findall(text)[:2]:
        keys = gazetteer.starting(run, limit=12)
        rows = [key.row for key in keys if key.how == "pinyin" and key.key == run]
        names = list(dict.fromkeys(plain_name(gazetteer, row) for row in rows))
        if names:
            texts = [known.replace(run, name, 1) for known in texts for name in names[:3]]
    return [other for other in texts if other != text]
