"""Numbers along roads and in lanes: sorted arrays from which to interpolate."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from api.geocoding.keys import KINDS, Words
from api.geocoding.texts import Arrays, Texts, text_arrays

NUMBERED = ("plates", "lanes", "in_lanes")
"""Tables of numbers: plates by road, lanes 弄 by road, plates by road and lane."""
_LETTERED = 1000
_STEMS = "甲乙丙丁戊己庚辛"
_PLATE = re.compile(
    rf"(?:(?P<lane>\d+)弄)?(?:(?P<stem>[{_STEMS}])?(?P<number>\d+)(?P<letter>[a-z])?(?:[-之/](?P<sub>\d+))?"
    rf"(?:号(?:院)?(?P<after>[{_STEMS}a-z])?)?(?:附(?P<annex>\d+)号?)?)?"
)
_LANE_ROAD = re.compile(r"(?P<road>.+?)(?P<lane>\d+)[弄巷].*")
_MOST = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Numbered places of one road or lane, sorted by number, sub-number and row."""

    number: NDArray[np.int32]
    sub: NDArray[np.int32]
    """Sub-number 附号, 0 where there is none; 1001 … for 甲, 乙 … or a, b …."""
    row: NDArray[np.int32]
    x: NDArray[np.float64]
    """East in the city's CRS, m."""
    y: NDArray[np.float64]
    street: NDArray[np.int32]
    """Row of the street it stands on, of several of that name the nearest; -1: none is known."""

    def __len__(self) -> int:
        return len(self.number)


@lru_cache(maxsize=65_536)
def plate_number(plate: str) -> tuple[int, int, int] | None:
    """Return lane, number and sub-number of a plate, 0 for what it does not say; None: no number.

    Examples
    --------
    >>> [plate_number(text) for text in ("12号", "12-3号", "甲12号", "12号附3号", "123弄5号", "123弄")]
    [(0, 12, 0), (0, 12, 3), (0, 12, 1001), (0, 12, 3), (123, 5, 0), (123, 0, 0)]
    >>> plate_number("大门")
    """
    found = _PLATE.match(plate)
    if found is None or not (found["lane"] or found["number"]):
        return None
    lane, number = (_figure(found[name]) for name in ("lane", "number"))
    return (
        lane,
        number,
        _figure(found["sub"] or found["annex"])
        or _lettered(found["stem"] or found["letter"] or found["after"]),
    )


def _figure(digits: str | None) -> int:
    return min(int(digits[:10]), _MOST) if digits else 0


def _lettered(sign: str | None) -> int:
    if not sign:
        return 0
    return _LETTERED + 1 + (_STEMS.index(sign) if sign in _STEMS else ord(sign) - ord("a"))


@dataclass(frozen=True, kw_only=True)
class _Entries:
    group: list[str]
    number: list[int]
    sub: list[int]
    row: list[int]

    def add(self, group: str, number: int, sub: int, row: int) -> None:
        self.group.append(group)
        self.number.append(number)
        self.sub.append(sub)
        self.row.append(row)


def number_arrays(words: Words, places: pa.Table) -> dict[str, Arrays]:
    """Return the tables of `NUMBERED` as arrays."""
    tables = {name: _Entries(group=[], number=[], sub=[], row=[]) for name in NUMBERED}
    is_plate = (words.kind == KINDS.index("plate")).tolist()
    levels = (words.levels[level] for level in ("road", "plate", "block", "building", "poi"))
    for row, (mark, road, plate, block, building, poi) in enumerate(
        zip(is_plate, *levels, strict=True)
    ):
        if plate and mark and not (poi or building) and (road or block):
            _enter_plate(
                tables, road or block, plate, row
            )  # in a village the compound bears plates
        elif road and not plate:
            _enter_lane(tables, road, row)
    streets = _streets(words)
    return {name: _arrays(entries, streets, places) for name, entries in tables.items()}


def _enter_plate(tables: dict[str, _Entries], road: str, plate: str, row: int) -> None:
    told = plate_number(plate)
    if told is None:
        return
    lane, number, sub = told
    own = _LANE_ROAD.fullmatch(road)
    if lane:
        tables["lanes"].add(road, lane, 0, row)
        tables["in_lanes"].add(f"{road}{lane}弄", number, sub, row)
        return
    if own is not None:
        tables["lanes"].add(own["road"], _figure(own["lane"]), 0, row)
        tables["in_lanes"].add(f"{own['road']}{own['lane']}弄", number, sub, row)
    tables["plates"].add(road, number, sub, row)


def _enter_lane(tables: dict[str, _Entries], road: str, row: int) -> None:
    """Count what stands in a lane and at no plate of it: 祖冲之路1239弄10号楼."""
    own = _LANE_ROAD.fullmatch(road)
    if own is not None:
        tables["lanes"].add(own["road"], _figure(own["lane"]), 0, row)


def _streets(words: Words) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row in np.flatnonzero(words.kind == KINDS.index("street")).tolist():
        for name in dict.fromkeys((words.name[row], words.levels["road"][row])):
            if name:
                found.setdefault(name, []).append(row)
    return found


def _arrays(entries: _Entries, streets: dict[str, list[int]], places: pa.Table) -> Arrays:
    columns = [
        np.array(part, dtype=np.int32) for part in (entries.number, entries.sub, entries.row)
    ]
    group, arrays = grouped(entries.group, sort_by=columns[::-1])
    order = arrays.pop("order")
    number, sub, row = (column[order] for column in columns)
    street = np.full(len(row), -1, dtype=np.int32)
    for name in set(entries.group) & streets.keys():
        place = group.find(name)
        part = slice(arrays["first"][place], arrays["first"][place + 1])
        street[part] = _nearest(streets[name], row[part], places)
    return arrays | {"number": number, "sub": sub, "row": row, "street": street}


def _nearest(streets: Sequence[int], rows: NDArray[np.int32], places: pa.Table) -> NDArray[Any]:
    """Return for each row the nearest of several streets, lines before points."""
    if len(streets) == 1:
        return np.full(len(rows), streets[0], dtype=np.int32)
    candidates = np.array(streets, dtype=np.int32)
    shapes = shapely.from_wkb(places["geometry"].take(pa.array(candidates)).to_numpy())
    is_line = shapely.get_dimensions(shapes) > 0
    if is_line.any():
        candidates, shapes = candidates[is_line], shapes[is_line]
    x, y = (places[axis].take(pa.array(rows)).to_numpy() for axis in ("x", "y"))
    points = shapely.points(x, y)
    nearest: NDArray[Any] = np.argmin(shapely.distance(shapes[:, None], points[None, :]), axis=0)
    found: NDArray[Any] = candidates[nearest]
    return found


def grouped(groups: list[str], *, sort_by: Iterable[NDArray[Any]] = ()) -> tuple[Texts, Arrays]:
    """Return distinct groups as texts, with ``first`` and the ``order`` of entries group by group.

    Parameters
    ----------
    groups : list of str
        Group of each entry.
    sort_by : iterable of array
        Columns that order the entries of a group, the most telling last; else their position.

    Examples
    --------
    >>> texts, arrays = grouped(["b", "a", "b"])
    >>> texts[1], arrays["first"].tolist(), arrays["order"].tolist()
    ('b', [0, 1, 3], [1, 0, 2])
    """
    encoded = pa.array(groups, pa.large_string()).dictionary_encode()
    rising = pc.array_sort_indices(encoded.dictionary)
    rank = np.empty(len(rising), dtype=np.int64)
    rank[rising.to_numpy()] = np.arange(len(rising))
    number = rank[encoded.indices.to_numpy()]
    order = np.lexsort((*sort_by, number))
    arrays = text_arrays(encoded.dictionary.take(rising))
    texts = Texts(arrays)
    first = np.searchsorted(number[order], np.arange(len(rising) + 1)).astype(np.int64)
    return texts, arrays | {"first": first, "order": order}
