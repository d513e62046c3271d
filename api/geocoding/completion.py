"""What a text may be the beginning of: the best texts of the index, by characters or by sound."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from api.geocoding import probes
from api.geocoding.gazetteer import Gazetteer
from api.geocoding.keys import HOWS, NAMED, Key

_EXACT_MORE = 20_000
_FAR_LESS = 4_000
"""What each doubling of the distance beyond `_NEAR_M` takes from the value of a place."""
_NEAR_M = 500.0
_MEMBER = HOWS.index("member")
_MEMBER_LESS = 12_000
_READ = (64, 2_000)
"""Texts read: first few, then many where few of the first hold or lie in the area asked for."""
_MOST_ROWS = 8_000
_MOST_HELD = 1_000
"""Names compared character by character with what was typed in characters among letters."""
_LAST_NAMED = len(NAMED) - 1

Ranges = NDArray[np.int64]


class Completion(NamedTuple):
    """A place whose key begins with what was typed."""

    value: float
    """Higher is better; comparable among the completions of one text."""
    key: Key


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What is wanted besides the beginning."""

    limit: int
    """Most completions."""
    ranges: Ranges
    """Ranges of the communities that count; none: all."""
    near: tuple[float, float] | None = None
    """East and north of a point whose neighbours come first, m."""


def everywhere() -> Ranges:
    """Return the ranges that leave out nothing."""
    return np.empty((0, 2), dtype=np.int64)


def by_characters(gazetteer: Gazetteer, typed: str, wish: Wish) -> list[Completion]:
    """Return the best places of which a name or an address begins with a text."""
    index = gazetteer.index
    low, high = index.texts.starting(typed)
    found: list[Completion] = []
    for count in _counts(high - low, wish):
        numbers = probes.best_of_range(index.parts["text"]["tree"], low, high, count)
        values = index.parts["text"]["tree"][numbers + len(index.texts)].astype(np.float64)
        found = _standing(gazetteer, numbers, values, wish, last_how=len(HOWS))
        if len(found) >= wish.limit or len(numbers) == high - low:
            break
    return [_raised(item, typed) for item in found]


def _counts(size: int, wish: Wish) -> Sequence[int]:
    if size == 0:
        return ()
    return _READ[1:] if wish.near is not None else _READ


def _raised(item: Completion, typed: str) -> Completion:
    return item._replace(value=item.value + _EXACT_MORE) if item.key.key == typed else item


def by_sound(gazetteer: Gazetteer, spelt: str, wish: Wish, *, holds: str = "") -> list[Completion]:
    """Return the best places whose name, spelt by syllables or by initials, begins with letters.

    Parameters
    ----------
    gazetteer : Gazetteer
        The places.
    spelt : str
        Small letters and figures.
    wish : Wish
        What else is wanted.
    holds : str
        Characters that the name must hold, in this order.
    """
    index = gazetteer.index
    low, high = index.spelt.starting(spelt)
    part, name = index.parts["spelt"], index.parts["name"]
    found: list[Completion] = []
    for count in _counts(high - low, wish):
        numbers = probes.best_of_range(part["tree"], low, high, count)
        most = _MOST_HELD if holds else _MOST_ROWS
        names, of = probes.flatten(numbers, part["first"], part["name"], most)
        values = part["tree"][numbers + len(index.spelt)][of].astype(np.float64)
        texts = name["text"][names].astype(np.int64)
        if holds:
            kept = [n for n, text in enumerate(texts.tolist()) if _holds(index.texts[text], holds)]
            texts, values = texts[kept], values[kept]
        found = _standing(gazetteer, texts, values, wish, last_how=_LAST_NAMED)
        if len(found) >= wish.limit or len(numbers) == high - low:
            break
    return found


def _holds(name: str, characters: str) -> bool:
    rest: Iterator[str] = iter(name)
    return all(character in rest for character in characters)


def _standing(
    gazetteer: Gazetteer,
    numbers: NDArray[np.int64],
    values: NDArray[np.float64],
    wish: Wish,
    *,
    last_how: int,
) -> list[Completion]:
    """Return the best places of some texts, each once."""
    index = gazetteer.index
    text = index.parts["text"]
    found = probes.standing(
        (text["first"], text["row"], text["how"], gazetteer.held),
        numbers,
        (index.parts["place"]["community"], wish.ranges),
        (last_how, wish.limit if wish.near is None else _MOST_ROWS, _MOST_ROWS),
    )
    place, posting = found[:, 0], found[:, 1]
    rows, worth = text["row"][posting], values[place]
    # What stands at a plate comes after the plates, though it shares their text.
    worth = worth - np.where(text["how"][posting] == _MEMBER, _MEMBER_LESS, 0.0)
    if wish.near is not None:
        x, y = wish.near
        distance_m = np.hypot(gazetteer.x[rows] - x, gazetteer.y[rows] - y)
        worth = worth - _FAR_LESS * np.log2(1.0 + distance_m / _NEAR_M)
    completions: dict[int, Completion] = {}
    for at in np.lexsort((rows, place, -worth)).tolist():
        row = int(rows[at])
        if row not in completions:
            key = Key(index.texts[int(numbers[place[at]])], row, HOWS[text["how"][posting[at]]])
            completions[row] = Completion(float(worth[at]), key)
            if len(completions) == wish.limit:
                break
    return list(completions.values())
