"""Places by name: the sorted search keys of a snapshot, and the look-ups over them."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pypinyin import Style, lazy_pinyin

from gis.addresses.parts import take_apart
from gis.addresses.spelling import normalise

if TYPE_CHECKING:
    from api.edition import Edition

KEY_SCHEMA = pa.schema([("key", pa.string()), ("row", pa.int32()), ("how", pa.string())])
NAMED = ("name", "alias")
"""Ways of matching by which a place is found inside a longer text."""
SPELT = ("pinyin", "initials")
"""Ways of matching by Latin letters: for suggestions only."""
_AREA_LEVELS = ("province", "city", "district", "street", "community")
_LEVELS = ("road", "plate", "block", "building", "poi")
_LONGEST_NAME = 40
_LEAST_ALIAS = 2


class Key(NamedTuple):
    """One way to name one place."""

    key: str
    row: int
    """Row in the table ``places``."""
    how: str
    """name, alias, address, plate, member; pinyin, initials."""


def search_keys(places: pa.Table) -> pa.Table:
    """Return the search keys of places, sorted: every text by which each can be asked for.

    ``member`` is an address that a place stands at without being it: a shop at a door plate.
    """
    columns = ["kind", "name", "aliases", "full_address", *_LEVELS]
    found = sorted(
        {
            key
            for row, record in enumerate(places.select(columns).to_pylist())
            for key in _keys_of(row, record)
            if key.key
        }
    )
    keys, rows, hows = zip(*found, strict=True) if found else ((), (), ())
    return pa.Table.from_arrays(
        [pa.array(keys, pa.string()), pa.array(rows, pa.int32()), pa.array(hows, pa.string())],
        schema=KEY_SCHEMA,
    )


def _keys_of(row: int, record: Mapping[str, Any]) -> Iterator[Key]:
    is_plate = record["kind"] == "plate"
    name = normalise(record["name"])
    yield Key(normalise(record["full_address"] or ""), row, "address")
    if not is_plate:  # the name of a plate, as 12号, names a place only together with its road
        yield Key(name, row, "name")
        for alias in record["aliases"] or ():
            if len(normalise(alias)) >= _LEAST_ALIAS:
                yield Key(normalise(alias), row, "alias")
        syllables = lazy_pinyin(record["name"], errors="default")
        yield Key(normalise("".join(syllables)), row, "pinyin")
        initials = lazy_pinyin(record["name"], style=Style.FIRST_LETTER, errors="default")
        yield Key(normalise("".join(initials)), row, "initials")
    levels = [normalise(record[level] or "") for level in _LEVELS]
    road, plate, block, building, poi = levels
    if road and (plate or block or poi):
        whole = _join(levels)
        if not is_plate and name not in whole:
            whole += name
        yield Key(whole, row, "plate" if is_plate else "address")
    if road and plate and not (is_plate and not (building or poi)):
        yield Key(road + plate, row, "member")
    elif road and plate:
        yield Key(road + plate, row, "plate")
    if block and (building or poi):
        yield Key(_join([block, building, poi]), row, "plate" if is_plate else "address")


def _join(levels: Sequence[str]) -> str:
    return "".join(after for before, after in pairwise(("", *levels)) if after != before)


class Gazetteer:
    """The places of an edition by name.

    Parameters
    ----------
    edition : Edition
        Rows that hold on a day.
    """

    def __init__(self, edition: "Edition") -> None:
        self._edition = edition
        keys = edition.snapshot.table("keys")
        self._keys: pa.Array = _chunk(keys["key"])
        self._rows: NDArray[np.int32] = keys["row"].to_numpy()
        self._how: pa.Array = _chunk(keys["how"])
        self.table = edition.snapshot.table("places")
        self.held = edition.holds("places")

    def exact(self, text: str) -> list[Key]:
        """Return the keys equal to a normalised text, Latin spellings left out."""
        return [
            key
            for key in self.starting(text, limit=500)
            if key.key == text and key.how not in SPELT
        ]

    def starting(self, prefix: str, *, limit: int) -> list[Key]:
        """Return at most `limit` keys that start with a normalised text, shortest forms first."""
        if not prefix:
            return []
        found = []
        for position in range(self._bisect(prefix), len(self._keys)):
            key = self._keys[position].as_py()
            if not key.startswith(prefix):
                break
            row = int(self._rows[position])
            if self.held[row]:
                found.append(Key(key, row, self._how[position].as_py()))
                if len(found) >= limit:
                    break
        return found

    def _bisect(self, text: str) -> int:
        # Arrow sorts by bytes; so do Python texts, code point by code point.
        low, high = 0, len(self._keys)
        while low < high:
            middle = (low + high) // 2
            if self._keys[middle].as_py() < text:
                low = middle + 1
            else:
                high = middle
        return low

    @cached_property
    def _named(self) -> dict[str, list[Key]]:
        named: dict[str, list[Key]] = {}
        wanted = np.flatnonzero(np.isin(self._how.to_numpy(zero_copy_only=False), NAMED))
        for position in wanted.tolist():
            row = int(self._rows[position])
            if self.held[row]:
                key = Key(self._keys[position].as_py(), row, self._how[position].as_py())
                named.setdefault(key.key, []).append(key)
        return named

    def named(self, text: str) -> list[Key]:
        """Return the keys of the places of this name or alias."""
        return self._named.get(text, [])

    def roads(self, name: str) -> list[int]:
        """Return the rows of the streets of this name or alias."""
        return [key.row for key in self.named(name) if self.kinds[key.row] == "street"]

    def with_lines(self, rows: list[int]) -> list[int]:
        """Return the rows whose geometry is a line or an area, or all if there is none."""
        lines = [row for row in rows if shapely.get_dimensions(self.shape(row)) > 0]
        return lines or rows

    def longest_names(self, text: str) -> list[tuple[int, int]]:
        """Return the spans of the known names in a text, longest first, none inside another."""
        spans: list[tuple[int, int]] = []
        start = 0
        while start < len(text):
            for end in range(min(len(text), start + _LONGEST_NAME), start + 1, -1):
                if text[start:end] in self._named:
                    spans.append((start, end))
                    start = end - 1
                    break
            start += 1
        return sorted(spans, key=lambda span: (span[0] - span[1], span[0]))

    @cached_property
    def area_names(self) -> dict[str, frozenset[str]]:
        """Known names of provinces, cities, districts, streets and communities -> their codes.

        Names that no area has, only addresses, have no codes.
        """
        city = self._edition.snapshot.profile.city.name
        names: dict[str, set[str]] = {normalise(city): set()} if city else {}
        for level in _AREA_LEVELS:
            for name in set(self.table[level].to_pylist()) - {None, ""}:
                names.setdefault(normalise(name), set())
        for cells in self._edition.areas.values():
            for code, name in zip(cells.codes, cells.names, strict=True):
                names.setdefault(normalise(name), set()).add(code)
        return {name: frozenset(codes) for name, codes in names.items()}

    @cached_property
    def kinds(self) -> list[str]:
        """Kind of each row of the table."""
        kinds: list[str] = self.table["kind"].to_pylist()
        return kinds

    @cached_property
    def plates(self) -> dict[str, list[tuple[int, int]]]:
        """Number and row of the door plates of each road, sorted."""
        plates: dict[str, list[tuple[int, int]]] = {}
        part = self.table.select(["kind", "road", "plate", "building"]).to_pydict()
        for row, (kind, road, plate, building) in enumerate(zip(*part.values(), strict=True)):
            if kind != "plate" or not self.held[row] or not road or not plate or building:
                continue
            parts = take_apart(normalise(road) + normalise(plate))
            if parts.number is not None:
                plates.setdefault(normalise(road), []).append((parts.number, row))
        return {road: sorted(numbers) for road, numbers in plates.items()}

    @cached_property
    def x(self) -> NDArray[np.float64]:
        """East of the representative point of each row, city's CRS, m."""
        return np.asarray(self.table["x"].to_numpy(), dtype=np.float64)

    @cached_property
    def y(self) -> NDArray[np.float64]:
        """North of the representative point of each row, m."""
        return np.asarray(self.table["y"].to_numpy(), dtype=np.float64)

    def shape(self, row: int) -> Any:
        """Return the geometry of a row."""
        return shapely.from_wkb(self.table["geometry"][row].as_py())

    def record(self, row: int) -> dict[str, Any]:
        """Return the words and codes of a row."""
        columns = ["code", "kind", "name", "full_address", "community_code", "grid_code"]
        record: dict[str, Any] = self.table.select(columns).slice(row, 1).to_pylist()[0]
        return record

    @cached_property
    def marks(self) -> tuple[NDArray[np.intp], shapely.STRtree]:
        """Rows of plates, points of interest and blocks with the tree of their geometries."""
        return self._tree({"plate", "poi", "block"})

    @cached_property
    def road_lines(self) -> tuple[NDArray[np.intp], shapely.STRtree]:
        """Rows of streets with the tree of their geometries."""
        return self._tree({"street"})

    def _tree(self, kinds: set[str]) -> tuple[NDArray[np.intp], shapely.STRtree]:
        rows = np.array(
            [row for row, kind in enumerate(self.kinds) if kind in kinds and self.held[row]],
            dtype=np.intp,
        )
        wkb = self.table["geometry"].take(rows).to_numpy()
        return rows, shapely.STRtree(shapely.from_wkb(wkb))


def _chunk(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
