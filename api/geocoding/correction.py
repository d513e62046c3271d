"""Other readings of a text that names nothing as it stands: names misheard, misspelt, in pinyin."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

from api.geocoding.candidates import road_lines
from api.geocoding.gazetteer import Gazetteer
from api.geocoding.marks import named, names_alike
from api.geocoding.plates import with_road
from gis.addresses.parts import AddressParts

_WAYS_TRIED = 4
_PAIRS_TRIED = 16
_LATIN = re.compile(r"[a-z]{4,}")
_NUMBER_FIRST = re.compile(r"(?P<plate>\d+[a-z]?(?:-\d+)?(?P<sign>号?))(?P<rest>[^\d].+)")
_BRACKET = re.compile(r"\([^()]*\)?")
_PLACES = ("block", "poi", "zone")


def other_parts(
    gazetteer: Gazetteer, parts: AddressParts
) -> Iterator[tuple[AddressParts, tuple[str, ...]]]:
    """Yield the parts with names that are not known replaced by known ones alike, with the evidence.

    The names of a crossing are replaced together, since only roads that meet make one.
    """
    if parts.crossing or parts.between:
        yield from _roads_that_meet(gazetteer, parts)
        return
    if parts.road:
        for name, code in _roads(gazetteer, parts.road):
            if code:
                yield with_road(parts, name), (code,)
    if parts.block and not named(gazetteer, parts.block):
        found = names_alike(gazetteer, parts.block, kinds=_PLACES)
        for name, code in found[:_WAYS_TRIED]:
            mark = parts.mark.replace(parts.block, name, 1)
            yield replace(parts, mark=mark, block=name), (code,)


def _roads_that_meet(
    gazetteer: Gazetteer, parts: AddressParts
) -> Iterator[tuple[AddressParts, tuple[str, ...]]]:
    if parts.crossing:
        either = [_roads(gazetteer, name) for name in parts.crossing]
        for first, second in islice(product(*either), _PAIRS_TRIED):
            if first[1] or second[1]:
                other = replace(parts, crossing=(first[0], second[0]), mark="")
                yield other, _codes(first[1], second[1])
    if parts.between:
        road, ends = parts.between
        slots = [_roads(gazetteer, name) for name in (road, *ends)]
        for one, two, three in islice(product(*slots), _PAIRS_TRIED):
            codes = _codes(one[1], two[1], three[1])
            yield replace(parts, between=(one[0], (two[0], three[0])), mark=""), codes


def _codes(*codes: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for code in codes if code))


def _roads(gazetteer: Gazetteer, name: str) -> list[tuple[str, str]]:
    """Return a road's name if it is known, else those alike."""
    if road_lines(gazetteer, name) or len(gazetteer.of_road(name)):
        return [(name, "")]
    return names_alike(gazetteer, name, kinds=("street",))[:_WAYS_TRIED]


def other_texts(gazetteer: Gazetteer, text: str) -> Iterator[tuple[str, str]]:
    """Yield other texts that the caller may have meant, each with its evidence.

    Latin letters are read as pinyin; a number said first goes after its road; what stands in
    brackets, or before the first known name, is left out.
    """
    if _LATIN.search(text):
        yield from ((other, "spelt_in_pinyin") for other in _from_pinyin(gazetteer, text))
    first = _NUMBER_FIRST.fullmatch(text)
    if first and first["sign"]:
        yield first["rest"] + first["plate"], "number_first"
    elif first and first["rest"].isascii():
        yield first["rest"] + first["plate"], "number_first"
        yield first["rest"] + first["plate"] + "号", "number_first"
    plain = _BRACKET.sub("", text)
    if plain != text:
        yield plain, "words_dropped"
    starts = sorted(start for start, _ in gazetteer.longest_names(text) if start)
    yield from ((text[start:], "words_dropped") for start in starts[:2])


def _from_pinyin(gazetteer: Gazetteer, text: str) -> list[str]:
    texts = [text]
    for run in _LATIN.findall(text)[:2]:
        names = list(dict.fromkeys(key.key for key, _ in gazetteer.sounding(run, limit=6)))
        if names:
            texts = [known.replace(run, name, 1) for known in texts for name in names[:3]]
    return [other for other in texts if other != text]
