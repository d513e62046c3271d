"""The search file of a snapshot: all that is looked up about places, compiled to mapped arrays.

It is an Arrow file of one row whose columns are lists, so that any reader of Arrow can open it; each
list is one array, used where it lies in the file.
"""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from api.geocoding.grams import gram_arrays
from api.geocoding.keys import HOWS, KINDS, NAMED, Postings, Words, posted, postings_of, words_of
from api.geocoding.numbered import grouped, number_arrays
from api.geocoding.ranks import rank_texts, tree_of
from api.geocoding.sounds import folded, hashes, initial, is_sound, sounds_of_many, unpack
from api.geocoding.texts import Arrays, text_arrays
from gis.columns import numbers_of

CELL_M = 100.0
"""Side of a cell of the point grid, m."""
_ROW_OF_CELLS = 1 << 32
_INITIALS_LESS = 2_000
_AREA_MEMBERS = 500


def search_table(places: pa.Table, *, province: str = "") -> pa.Table:
    """Return the search file of the places of a snapshot.

    Parameters
    ----------
    places : pyarrow.Table
        All versions of all places; postings name rows by their position.
    province : str
        First two digits of the city's area codes, for readings that differ by province.
    """
    words = words_of(places)
    parts = _place_parts(words, places)
    postings = postings_of(words)
    is_live = pc.is_null(places["valid_to"]).to_numpy().astype(bool)
    value = rank_texts(postings, words, is_live=is_live, members=_members(words, parts))
    parts["text"] = text_arrays(postings.texts) | {
        "first": postings.first,
        "row": postings.row,
        "how": postings.how,
        "tree": tree_of(value),
    }
    parts |= _name_parts(postings, words, value, province=province)
    parts |= number_arrays(words, places)
    return to_row(parts)


def _place_parts(words: Words, places: pa.Table) -> dict[str, Arrays]:
    shapes = np.asarray(shapely.from_wkb(places["geometry"].to_numpy()), dtype=object)
    dimension = shapely.get_dimensions(shapes).astype(np.int8)
    extent = np.where(dimension == 1, shapely.length(shapes), np.sqrt(shapely.area(shapes)))
    community, community_of = _distinct(pc.fill_null(places["community_code"], "").to_pylist())
    road, road_of = _distinct(words.levels["road"])
    block, block_of = _distinct(words.levels["block"])
    x, y = (places[axis].to_numpy() for axis in ("x", "y"))
    return {
        "place": {
            "kind": words.kind,
            "dimension": dimension,
            "extent": extent.astype(np.float32),
            "accuracy": _accuracy(places),
            "community": community_of,
            "road": road_of,
            "block": block_of,
        },
        "community": community,
        "road": road,
        "block": block,
        "area": text_arrays(words.areas),
        "grid": _point_grid(np.flatnonzero((dimension == 0) & np.isfinite(x)), x, y),
    }


def _accuracy(places: pa.Table) -> NDArray[np.float32]:
    stated = pc.fill_null(places["accuracy_m"].cast(pa.float64()), float("nan"))
    accuracy: NDArray[np.float32] = stated.to_numpy().astype(np.float32)
    return accuracy


def _distinct(names: list[str]) -> tuple[Arrays, NDArray[np.int32]]:
    """Return distinct texts with the rows of each, and for each row the number of its own."""
    texts, arrays = grouped(names)
    numbers = np.empty(len(names), dtype=np.int32)
    counts = np.diff(arrays["first"])
    numbers[arrays["order"]] = np.repeat(np.arange(len(texts), dtype=np.int32), counts)
    return arrays | {"order": arrays["order"].astype(np.int32)}, numbers


def _point_grid(rows: NDArray[np.intp], x: NDArray[np.float64], y: NDArray[np.float64]) -> Arrays:
    column = np.floor(x[rows] / CELL_M).astype(np.int64)
    cell = np.floor(y[rows] / CELL_M).astype(np.int64) * _ROW_OF_CELLS + column
    order = np.argsort(cell, kind="stable")
    cells, first = np.unique(cell[order], return_index=True)
    return {
        "cells": cells,
        "first": np.append(first, len(rows)).astype(np.int64),
        "row": rows[order].astype(np.int32),
    }


def _members(words: Words, parts: dict[str, Arrays]) -> NDArray[np.int64]:
    """Return how many places stand along each street and in each compound; areas count as large."""
    members = np.zeros(len(words.kind), dtype=np.int64)
    for kind, level in (("street", "road"), ("block", "block")):
        own = words.kind == KINDS.index(kind)
        counts = np.diff(parts[level]["first"])
        members[own] = counts[parts["place"][level][own]] if own.any() else 0
    members[words.kind == KINDS.index("area")] = _AREA_MEMBERS
    return members


def _name_parts(
    postings: Postings, words: Words, value: NDArray[np.uint16], *, province: str
) -> dict[str, Arrays]:
    """Return names with their characters, sounds, grams, and Latin spellings."""
    is_name = np.isin(postings.how, [HOWS.index(how) for how in NAMED])
    owner = np.repeat(np.arange(len(postings.texts)), np.diff(postings.first))
    number, which = np.unique(owner[is_name], return_inverse=True)
    kinds = np.zeros(len(number), dtype=np.uint8)
    np.bitwise_or.at(kinds, which, np.uint8(1) << words.kind[postings.row[is_name]])
    own = postings.how == HOWS.index("name")
    of_row = np.full(len(words.kind), -1, dtype=np.int32)
    of_row[postings.row[own]] = np.searchsorted(number, owner[own])
    names: list[str] = postings.texts.take(pa.array(number)).to_pylist()
    offsets = np.zeros(len(names) + 1, dtype=np.int64)
    offsets[1:] = np.cumsum([len(name) for name in names])
    characters = np.frombuffer("".join(names).encode("utf-32-le"), dtype=np.uint32)
    sounds = sounds_of_many(names, province=province)
    heard = folded(sounds)
    hashed = hashes(heard, offsets)
    by_sound = np.argsort(hashed, kind="stable")
    return {
        "name": {
            "text": number.astype(np.int32),
            "kinds": kinds,
            "offsets": offsets,
            "character": characters,
            "sound": sounds,
            "heard": heard,
            "of_row": of_row,
        },
        "sound": {"hash": hashed[by_sound], "name": by_sound.astype(np.int32)},
        "gram": gram_arrays(characters, heard, offsets),
        "spelt": _spelt(names, sounds, offsets, value[number]),
    }


def _spelt(
    names: list[str],
    sounds: NDArray[np.uint32],
    offsets: NDArray[np.int64],
    value: NDArray[np.uint16],
) -> Arrays:
    """Return the Latin spellings of names: all their syllables, and the initials of these."""
    texts: list[str] = []
    named: list[int] = []
    hows: list[int] = []
    flat = sounds.tolist()
    ends = offsets.tolist()
    ways = ((HOWS.index("pinyin"), unpack), (HOWS.index("initials"), initial))
    for name, (start, end) in enumerate(pairwise(ends)):
        part = flat[start:end]
        if not names[name].isascii() and any(map(is_sound, part)):
            for how, spell in ways:
                texts.append("".join(map(spell, part)))
                named.append(name)
                hows.append(how)
    postings = posted(texts, np.array(named, dtype=np.int32), np.array(hows, dtype=np.uint8))
    best = np.zeros(len(postings.texts), dtype=np.uint16)
    if len(postings.row):
        less = np.where(postings.how == HOWS.index("initials"), _INITIALS_LESS, 0)
        own = value[postings.row].astype(np.int64)
        worth = np.where(own > 0, np.maximum(own - less, 1), 0)
        best = np.maximum.reduceat(worth, postings.first[:-1]).astype(np.uint16)
    return text_arrays(postings.texts) | {
        "first": postings.first,
        "name": postings.row,
        "how": postings.how,
        "tree": tree_of(best),
    }


def key_count(search: pa.Table) -> int:
    """Return the number of texts by which the places of a search file can be asked for."""
    return len(search["text.first"].chunk(0).values) - 1


def to_row(parts: dict[str, Arrays]) -> pa.Table:
    """Return a table of one row: the array ``a`` of the part ``p`` is the list in column ``p.a``."""
    columns = {}
    for part, arrays in parts.items():
        for name, array in arrays.items():
            values = pa.array(np.ascontiguousarray(array))
            ends = pa.array([0, len(values)], pa.int64())
            columns[f"{part}.{name}"] = pa.LargeListArray.from_arrays(ends, values)
    return pa.table(columns)


_FLOATS = {"halffloat": "float16", "float": "float32", "double": "float64"}
"""Types of Arrow -> those of numpy, where the names are others."""


def from_row(table: pa.Table) -> dict[str, Arrays]:
    """Return the arrays of a table of one row, none copied.

    Examples
    --------
    >>> from_row(to_row({"place": {"kind": np.array([2, 3], dtype=np.uint8)}}))
    {'place': {'kind': array([2, 3], dtype=uint8)}}
    """
    parts: dict[str, Arrays] = {}
    for column in table.column_names:
        part, name = column.split(".")
        values = table[column].chunk(0).values
        dtype = np.dtype(_FLOATS.get(str(values.type), str(values.type)))
        parts.setdefault(part, {})[name] = numbers_of(values, dtype)
    return parts
