"""Suggestions while a name is typed: by characters, pinyin, pinyin initials or a mixture."""

import re
from typing import TYPE_CHECKING

import numpy as np

from api.geocoding.chain import leading_areas
from api.geocoding.completion import Completion, Wish, by_characters, by_sound, everywhere
from api.geocoding.gazetteer import Gazetteer
from api.geocoding.geocode import answers_of
from gis.addresses.spelling import LONGEST, normalise
from gis.names.readings import initials, sound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from api.edition import Edition
    from api.models import PlaceAnswer
    from api.snapshot import Snapshot

_WEIGHT = {"name": 1.0, "alias": 0.9, "short": 0.85, "address": 0.85, "plate": 0.85, "member": 0.7}
_LETTERS = re.compile(r"[a-z0-9]+")
_NUMBERED = re.compile(r"(?P<road>.*\D)(?P<rest>\d+\D{0,2})")
_LEAST_HEARD = 2
_MOST_ROADS = 5


def suggest(
    snapshot: "Snapshot",
    text: str,
    *,
    limit: int = 10,
    as_of: "date | None" = None,
    near: tuple[float, float] | None = None,
) -> "list[PlaceAnswer]":
    """Return places whose name, address, pinyin or initials begin with a text, the best first.

    What is typed in full comes first, then areas, streets, compounds and points of interest, those
    that many places belong to before others, short names before long ones; then door plates in the
    order of their numbers. A leading area narrows the search to it: 长安区裕华.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    text : str
        What was typed so far: 裕华, yuhua, yhl, yuhua路, 裕华路1.
    limit : int
        Most answers.
    as_of : date or None
        Day on which the places hold; None: the live ones.
    near : (float, float) or None
        East and north in the city's CRS, m: places near to it come first.

    Returns
    -------
    list of PlaceAnswer
        The score is the share of the name that was typed; it says how to sort, not how sure.
    """
    edition = snapshot.edition(as_of)
    typed = normalise(text) if len(text) <= LONGEST else ""
    if not typed or limit < 1:
        return []
    completions = complete(edition, typed, limit=limit, near=near)
    keys = [(item.key, _share(typed, item)) for item in completions]
    return answers_of(edition, keys)


def _share(typed: str, item: Completion) -> float:
    share = min(1.0, len(typed) / len(item.key.key))
    return _WEIGHT.get(item.key.how, 0.0) * share


def complete(
    edition: "Edition", typed: str, *, limit: int, near: tuple[float, float] | None = None
) -> list[Completion]:
    """Return at most `limit` places that a normalised text may be the beginning of, the best first."""
    gazetteer = edition.gazetteer
    wish = Wish(limit=limit, ranges=everywhere(), near=near)
    found = _beginning(gazetteer, typed, wish)
    if len(found) < limit:
        found += _numbered(gazetteer, typed, wish)
    if len(found) < limit:
        found += _in_area(edition, typed, wish)
    if not found and len(typed) >= _LEAST_HEARD and not typed.isascii():
        found = by_sound(gazetteer, sound(typed), wish)
    return _best(found, limit)


def _best(found: "Sequence[Completion]", limit: int) -> list[Completion]:
    best: dict[int, Completion] = {}
    for item in sorted(found, key=lambda item: (-item.value, len(item.key.key), item.key)):
        best.setdefault(item.key.row, item)
    return list(best.values())[:limit]


def _beginning(gazetteer: Gazetteer, typed: str, wish: Wish) -> list[Completion]:
    found = by_characters(gazetteer, typed, wish)
    if typed.isascii():
        if _LETTERS.fullmatch(typed):
            found += by_sound(gazetteer, typed, wish)
    elif re.search(r"[a-z]", typed):
        holds = re.sub(r"[\x00-\x7f]", "", typed)
        found += by_sound(gazetteer, sound(typed), wish, holds=holds)
        found += by_sound(gazetteer, initials(typed), wish, holds=holds)
    return found


def _numbered(gazetteer: Gazetteer, typed: str, wish: Wish) -> list[Completion]:
    """Complete a road by another name of it and a number: an alias, its pinyin or initials."""
    parts = _NUMBERED.fullmatch(typed)
    if parts is None:
        return []
    road = parts["road"]
    keys = gazetteer.named(road)
    if not keys and _LETTERS.fullmatch(road):
        number = gazetteer.index.spelt.find(road)
        if number >= 0:
            keys = gazetteer.spelt_keys(number, limit=_MOST_ROADS)
    streets = [key.row for key in keys if gazetteer.kind(key.row) == "street"]
    names = dict.fromkeys(normalise(gazetteer.name(row)) for row in streets)
    return [
        item
        for name in list(names)[:_MOST_ROADS]
        if name != road
        for item in by_characters(gazetteer, name + parts["rest"], wish)
    ]


def _in_area(edition: "Edition", typed: str, wish: Wish) -> list[Completion]:
    """Complete what follows the areas at the beginning, inside the smallest of them."""
    index = edition.gazetteer.index
    for chain in leading_areas(edition, typed):
        if not chain.rest or chain.rest == typed:
            continue
        ranges = index.communities_of(sorted(chain.codes))
        inside = np.array(ranges, dtype=np.int64).reshape(-1, 2)
        there = Wish(limit=wish.limit, ranges=inside, near=wish.near)
        found = _beginning(edition.gazetteer, chain.rest, there)
        if found:
            return found
    return []
