"""Search keys: every text by which each place can be asked for, as `normalise` spells them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.addresses.spelling import normalise

HOWS = ("name", "alias", "short", "address", "plate", "member", "pinyin", "initials")
"""Ways of matching. ``short``: a name made by rule from the standard name; ``member``: an address that
a place stands at without being it, as a shop at a door plate; the last two are for suggestions only."""
NAMED = ("name", "alias", "short")
"""Ways of matching by which a place is found inside a longer text."""
KINDS = ("area", "zone", "block", "street", "plate", "poi")
"""Kinds of places; their order is that of their numbers in the search file."""
LEVELS = ("road", "plate", "block", "building", "poi")
AREA_LEVELS = ("province", "city", "district", "street", "community")
_LEAST_ALIAS = 2
_PLATE = KINDS.index("plate")


class Key(NamedTuple):
    """One way to name one place."""

    key: str
    row: int
    """Row in the table ``places``."""
    how: str
    """One of `HOWS`."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """The normalised words of all places, column by column."""

    kind: NDArray[np.uint8]
    """Number in `KINDS`; the number of kinds for one that is unknown."""
    name: list[str]
    full_address: list[str]
    levels: Mapping[str, list[str]]
    """Level -> its text in each row, empty where it has none."""
    areas: list[str]
    """Distinct names of areas that any row gives."""
    aliases: list[list[str]]
    short_names: list[list[str]]


def words_of(places: pa.Table) -> Words:
    """Return the normalised words of places; each distinct text is normalised once."""
    size = places.num_rows
    levels = {level: _normalised(places[level]) for level in (*AREA_LEVELS, *LEVELS)}
    kinds = pc.fill_null(pc.index_in(places["kind"], pa.array(KINDS)), len(KINDS))
    return Words(
        kind=kinds.to_numpy().astype(np.uint8) if size else np.empty(0, dtype=np.uint8),
        name=_normalised(places["name"]),
        full_address=_normalised(places["full_address"]),
        levels=levels,
        areas=sorted({text for level in AREA_LEVELS for text in set(levels[level])} - {""}),
        aliases=_lists(places["aliases"]),
        short_names=_lists(places["short_names"])
        if "short_names" in places.column_names
        else [[] for _ in range(size)],
    )


def _normalised(column: pa.ChunkedArray) -> list[str]:
    encoded = pc.fill_null(column, "").combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    texts = [normalise(text) for text in encoded.dictionary.to_pylist()]
    return [texts[place] for place in encoded.indices.to_pylist()]


def _lists(column: pa.ChunkedArray) -> list[list[str]]:
    return [
        [text for text in map(normalise, names) if len(text) >= _LEAST_ALIAS] if names else []
        for names in column.to_pylist()
    ]


def _join(levels: Sequence[str]) -> str:
    return "".join(after for before, after in pairwise(("", *levels)) if after != before)


@dataclass(frozen=True, kw_only=True)
class Postings:
    """Distinct texts with the places that each names."""

    texts: pa.Array
    """Sorted by code point, distinct."""
    first: NDArray[np.int64]
    """Where the postings of each text begin, and their number."""
    row: NDArray[np.int32]
    """Sorted within a text by way of matching, then by row."""
    how: NDArray[np.uint8]
    """Number in `HOWS`."""


def postings_of(words: Words) -> Postings:
    """Return the search keys of places, Latin spellings left out."""
    texts: list[str] = []
    rows: list[int] = []
    hows: list[int] = []
    # Levels that are spelt well one by one may be spelt in another way when joined: 12号 and 甲.
    spelt = cache(normalise)
    for row, (kind, keys) in enumerate(zip(words.kind.tolist(), _levels(words), strict=True)):
        named, joined = _keys_of(words, row, keys, is_plate=kind == _PLATE)
        for text, how in [*named, *((spelt(text), how) for text, how in joined)]:
            if text:
                texts.append(text)
                rows.append(row)
                hows.append(how)
    return posted(texts, np.array(rows, dtype=np.int32), np.array(hows, dtype=np.uint8))


def _levels(words: Words) -> Iterable[tuple[str, ...]]:
    return zip(*(words.levels[level] for level in LEVELS), strict=True)


_NAME, _ALIAS, _SHORT, _ADDRESS, _AT_PLATE, _MEMBER = range(6)


def _keys_of(
    words: Words, row: int, levels: tuple[str, ...], *, is_plate: bool
) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return the keys that columns say, and those joined of several."""
    name = words.name[row]
    found = [(words.full_address[row], _ADDRESS)]
    if not is_plate:  # the name of a plate, as 12号, names a place only together with its road
        found.append((name, _NAME))
        found += [(alias, _ALIAS) for alias in words.aliases[row]]
        found += [(short, _SHORT) for short in words.short_names[row]]
    joined = []
    road, plate, block, building, poi = levels
    own = _AT_PLATE if is_plate else _ADDRESS
    if road and (plate or block or poi):
        whole = _join(levels)
        if not is_plate and name not in whole:
            whole += name
        joined.append((whole, own))
    if road and plate:
        is_itself = is_plate and not (building or poi)
        joined.append((road + plate, _AT_PLATE if is_itself else _MEMBER))
    if block and plate and not road:
        joined.append((_join((block, plate, building, poi)), own))
    elif block and (building or poi):
        joined.append((_join((block, building, poi)), own))
    return found, joined


def posted(texts: list[str], rows: NDArray[np.int32], hows: NDArray[np.uint8]) -> Postings:
    """Return postings of parallel columns, each (text, row, way) once.

    Examples
    --------
    >>> found = posted(["b", "a", "b"], np.array([1, 2, 1]), np.array([0, 0, 0]))
    >>> found.texts.to_pylist(), found.first.tolist(), found.row.tolist()
    (['a', 'b'], [0, 1, 2], [2, 1])
    """
    encoded = pa.array(texts, pa.large_string()).dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order.to_numpy()] = np.arange(len(order))
    number = rank[encoded.indices.to_numpy()]
    sorting = np.lexsort((rows, hows, number))
    number, rows, hows = number[sorting], rows[sorting], hows[sorting]
    same = np.zeros(len(number), dtype=bool)
    same[1:] = (np.diff(number) == 0) & (np.diff(rows) == 0) & (np.diff(hows) == 0)
    number, rows, hows = number[~same], rows[~same], hows[~same]
    return Postings(
        texts=encoded.dictionary.take(order),
        first=np.searchsorted(number, np.arange(len(order) + 1)),
        row=rows.astype(np.int32),
        how=hows.astype(np.uint8),
    )


def mask_of(kinds: Iterable[str]) -> int:
    """Return a bit mask of kinds of places; of no kinds: all.

    Examples
    --------
    >>> mask_of(["area", "street"]), mask_of([]) == mask_of(KINDS) | 1 << len(KINDS)
    (9, True)
    """
    mask = 0
    for kind in kinds:
        mask |= 1 << KINDS.index(kind)
    return mask or (1 << len(KINDS) + 1) - 1
