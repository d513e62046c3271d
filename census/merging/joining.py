"""The fields of components joined: which side each value is taken from, and where they contradict."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
from numpy.typing import NDArray

from census.merging.alignment import Mask, Objects, Sides
from census.merging.fields import (
    ATTRIBUTE,
    FIELDS,
    GEOMETRY,
    LATEST,
    SAME_POSITION_M,
    Field,
    Texts,
    apart,
    differ,
    plain,
    texts_of,
)
from census.merging.matching import Positions

_ACCURACY_M = 0.5


@dataclass(frozen=True, kw_only=True)
class Joined:
    """What joining the fields of all components gave, per component."""

    is_edited_live: Mask
    """In the base and in live, and something differs."""
    is_edited_delivered: Mask
    """In the base and delivered, and something differs."""
    is_unlike: Mask
    """Live and delivered, and something of what is given differs."""
    taken: dict[str, Mask]
    """Field -> components whose delivered value holds."""
    contested: dict[str, Mask]
    """Field -> components whose values contradict; live stays."""
    attributes: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Component -> its joined attributes, where they are not those that are live."""


def join_fields(sides: Sides, objects: Objects) -> Joined:
    """Join every field of every component.

    Delivered as in the base: live stays. Live as in the base: delivered is taken. Both changed
    alike: live stays. Both changed and unlike: live stays, and it is told. Without a base a blank
    is filled by the other side, and two values that differ contradict.
    """
    count = len(objects.base)
    joined = Joined(
        is_edited_live=np.zeros(count, dtype=bool),
        is_edited_delivered=np.zeros(count, dtype=bool),
        is_unlike=np.zeros(count, dtype=bool),
        taken={},
        contested={},
    )
    for name in FIELDS:
        _join_texts(name, sides, objects, joined)
    _join_positions(sides, objects, joined)
    _join_attributes(sides, objects, joined)
    return joined


def _values(frame: gpd.GeoDataFrame | None, values: Any, position: Positions) -> Texts:
    """Return values at positions, None where a component has no row."""
    result = np.full(len(position), None, dtype=object)
    if frame is not None:
        there = position >= 0
        result[there] = values[position[there]]
    return result


def _files(sides: Sides, objects: Objects) -> Texts:
    files = sides.delivered["source_file"].to_numpy(dtype=object)
    return _values(sides.delivered, files, objects.delivered)


def _join_texts(name: str, sides: Sides, objects: Objects, joined: Joined) -> None:
    base, live, delivered = (
        _values(frame, None if frame is None else texts_of(frame, name), position)
        for frame, position in _frames(sides, objects)
    )
    says = sides.given.of(name, list(_files(sides, objects)))
    changes = _Changes(
        live=differ(live, base),
        delivered=differ(delivered, base) & says,
        unlike=differ(live, delivered) & says,
    )
    _note(joined, objects, changes)
    taken, contested = _decide(sides, objects, changes, live == None, delivered == None)  # noqa: E711
    if name == LATEST:
        later = np.zeros(len(live), dtype=bool)
        pairs = np.flatnonzero(changes.unlike & (live != None) & (delivered != None))  # noqa: E711
        later[pairs] = delivered[pairs] > live[pairs]
        new = _new_pairs(sides, objects) & changes.unlike
        taken |= (contested | new) & (later | (live == None))  # noqa: E711
        contested = np.zeros_like(contested)
    joined.taken[name], joined.contested[name] = taken, contested
    if name != LATEST:
        joined.is_unlike[:] |= changes.unlike & objects.in_live & objects.in_delivered


@dataclass(frozen=True, kw_only=True)
class _Changes:
    """Where one field differs."""

    live: Mask
    """Live from the base."""
    delivered: Mask
    """Delivered from the base, as far as the file says anything of it."""
    unlike: Mask
    """Delivered from live."""


def _frames(sides: Sides, objects: Objects) -> Iterator[tuple[gpd.GeoDataFrame | None, Positions]]:
    yield sides.base, objects.base
    yield sides.live, objects.live
    yield sides.delivered, objects.delivered


def _note(joined: Joined, objects: Objects, changes: _Changes) -> None:
    joined.is_edited_live[:] |= objects.in_base & objects.in_live & changes.live
    joined.is_edited_delivered[:] |= objects.in_base & objects.in_delivered & changes.delivered


def _new_pairs(sides: Sides, objects: Objects) -> Mask:
    """Return components that both sides have and the known base has not."""
    return ~objects.in_base & objects.in_live & objects.in_delivered & (sides.base is not None)


def _decide(
    sides: Sides, objects: Objects, changes: _Changes, no_live: Mask, no_delivered: Mask
) -> tuple[Mask, Mask]:
    """Return where the delivered value holds, and where the values contradict."""
    both = objects.in_live & objects.in_delivered
    three = both & objects.in_base
    taken = three & changes.delivered & ~changes.live
    contested = three & changes.delivered & changes.live & changes.unlike
    if sides.base is None:
        two = both & changes.unlike & ~no_delivered
        taken, contested = taken | (two & no_live), contested | (two & ~no_live)
    return taken, contested


def _join_positions(sides: Sides, objects: Objects, joined: Joined) -> None:
    base, live, delivered = (
        _values(frame, None if frame is None else frame.geometry.to_numpy(), position)
        for frame, position in _frames(sides, objects)
    )
    both, three = objects.in_live & objects.in_delivered, objects.in_base
    live_moved = _apart_where(three & objects.in_live, live, base, SAME_POSITION_M)
    delivered_moved = _apart_where(three & objects.in_delivered, delivered, base, SAME_POSITION_M)
    unlike = _apart_where(both, live, delivered, _accuracies(sides, objects))
    changes = _Changes(live=live_moved, delivered=delivered_moved, unlike=unlike)
    _note(joined, objects, changes)
    nowhere = np.zeros(len(base), dtype=bool)
    taken, contested = _decide(sides, objects, changes, nowhere, nowhere)
    joined.taken["geometry"], joined.contested["geometry"] = taken, contested
    joined.is_unlike[:] |= unlike


def _apart_where(
    where: Mask, a: Texts, b: Texts, distance_m: "float | NDArray[np.float64]"
) -> Mask:
    result = np.zeros(len(a), dtype=bool)
    limit = distance_m if isinstance(distance_m, float) else distance_m[where]
    result[where] = apart(a[where], b[where], limit)
    return result


def _accuracies(sides: Sides, objects: Objects) -> NDArray[np.float64]:
    classes = _values(sides.live, sides.live["class_code"].to_numpy(object), objects.live)
    return np.array([sides.accuracy_m.get(name, _ACCURACY_M) for name in classes], dtype=float)


def _join_attributes(sides: Sides, objects: Objects, joined: Joined) -> None:
    """Join attributes key by key, where the objects are not the same throughout."""
    base, live, delivered = (
        _values(frame, None if frame is None else frame["attributes"].to_numpy(object), position)
        for frame, position in _frames(sides, objects)
    )
    known: dict[str, int] = {}
    numbers = [_numbered(side, known) for side in (base, live, delivered)]
    same = (numbers[0] == numbers[1]) & (numbers[1] == numbers[2])
    same |= ~objects.in_base & ~(objects.in_live & objects.in_delivered)
    files = _files(sides, objects)
    for number in np.flatnonzero(~same):
        documents = tuple(side[number] or {} for side in (base, live, delivered))
        said = sides.given.keys.get(files[number]) if objects.in_delivered[number] else None
        _join_document(int(number), documents, said, sides=sides, objects=objects, joined=joined)


def _numbered(documents: Texts, known: dict[str, int]) -> NDArray[np.int64]:
    """Return a number for each document, the same for equal ones; a missing one counts as empty."""
    # The bytes that orjson returns keep their whole buffer: as texts a million of them stay small.
    keys = (
        orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str).decode() if value else ""
        for value in documents
    )
    numbers = (known.setdefault(key, len(known)) for key in keys)
    return np.fromiter(numbers, dtype=np.int64, count=len(documents))


def _join_document(
    number: int,
    documents: tuple[dict[str, Any], ...],
    said: frozenset[str] | None,
    *,
    sides: Sides,
    objects: Objects,
    joined: Joined,
) -> None:
    """Join the attributes of one component; `said` are the keys that the file has, None: all."""
    has_base, has_live, has_delivered = (
        bool(side[number] >= 0) for side in (objects.base, objects.live, objects.delivered)
    )
    both = has_live and has_delivered
    result = dict(documents[1])
    for key in sorted(set().union(*documents)):
        old, here, there = (plain(document.get(key)) for document in documents)
        says = said is None or key in said
        is_edited, is_unlike = says and there != old, says and here != there
        joined.is_edited_live[number] |= has_base and has_live and here != old
        joined.is_edited_delivered[number] |= has_base and has_delivered and is_edited
        joined.is_unlike[number] |= both and is_unlike
        if not (both and is_unlike):
            continue
        if has_base:
            is_wanted, is_free = is_edited, here == old
        else:
            is_wanted, is_free = sides.base is None and there is not None, here is None
        if is_wanted and is_free:
            _set(result, key, documents[2].get(key))
        elif is_wanted:
            empty = np.zeros(len(objects.base), dtype=bool)
            joined.contested.setdefault(ATTRIBUTE + key, empty)[number] = True
    if result != documents[1]:
        joined.attributes[number] = result


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    if plain(value) is None:
        values.pop(key, None)
    else:
        values[key] = value


def columns_of(name: str) -> Field:
    """Return the columns of a field, of the position too."""
    return GEOMETRY if name == "geometry" else FIELDS[name]
