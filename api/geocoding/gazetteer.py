"""Places by name: what holds on a day, looked up in the search file of a snapshot."""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from api.geocoding import grams, probes
from api.geocoding.keys import HOWS, NAMED, Key, mask_of
from api.geocoding.nearby import Nearby
from api.geocoding.numbered import Numbers
from api.geocoding.sounds import fold_sound, hash_of, sounds_of
from api.geocoding.texts import encoded
from gis.addresses.spelling import LONGEST, normalise
from gis.columns import numbers_of
from gis.names.readings import readings

if TYPE_CHECKING:
    from api.edition import Edition

__all__ = ["NAMED", "Gazetteer", "Key"]

_LONGEST_NAME = 40
_LAST_NAMED = len(NAMED) - 1
_MOST_KEYS = 500
_TEXTS_READ = 5_000
_ALIKE_READ = 100
_NEARLY = 0.85
"""Likeness of a name that sounds the same only after folding what is confused."""


class Gazetteer:
    """The places of an edition by name.

    Parameters
    ----------
    edition : Edition
        Rows that hold on a day.
    """

    def __init__(self, edition: "Edition") -> None:
        self._edition = edition
        self._province = edition.snapshot.profile.city.code[:2]
        self.index = edition.snapshot.search
        self.table = edition.snapshot.table("places")
        self.held = edition.holds("places")
        self._is_held = self.held.view(np.uint8).data
        text = self.index.parts["text"]
        self._first, self._rows, self._hows = (text[name].data for name in ("first", "row", "how"))
        place = self.index.parts["place"]
        self._road, self._community = place["road"].data, place["community"].data
        self._accuracy = place["accuracy"].data
        self._dimension, self._extent = place["dimension"].data, place["extent"].data

    def exact(self, text: str) -> list[Key]:
        """Return the keys equal to a normalised text, Latin spellings left out; names first."""
        number = self.index.texts.find(text)
        return [] if number < 0 else self.keys_of(number, text, limit=_MOST_KEYS)

    def keys_of(self, number: int, text: str, *, last: int = len(HOWS), limit: int) -> list[Key]:
        """Return the keys of a text of the index by ways of matching up to the number `last`."""
        found: list[Key] = []
        for place in range(self._first[number], self._first[number + 1]):
            how = self._hows[place]
            if how > last or len(found) >= limit:
                break
            row = self._rows[place]
            if self._is_held[row]:
                found.append(Key(text, row, HOWS[how]))
        return found

    def starting(self, prefix: str, *, limit: int) -> list[Key]:
        """Return at most `limit` keys that start with a normalised text, in the order of the texts.

        No more than `_TEXTS_READ` texts are read: on an early day hardly any row holds.
        """
        found: list[Key] = []
        if not prefix:
            return found
        low, high = self.index.texts.starting(prefix)
        for number in range(low, min(high, low + _TEXTS_READ)):
            found += self.keys_of(number, self.index.texts[number], limit=limit - len(found))
            if len(found) >= limit:
                return found
        return found + self._spelt_starting(prefix, limit=limit - len(found))

    def _spelt_starting(self, prefix: str, *, limit: int) -> list[Key]:
        found: list[Key] = []
        low, high = self.index.spelt.starting(prefix)
        for number in range(low, min(high, low + _TEXTS_READ)):
            found += self.spelt_keys(number, limit=limit - len(found))
            if len(found) >= limit:
                break
        return found

    def spelt_keys(self, number: int, *, limit: int) -> list[Key]:
        """Return the keys of a Latin spelling of the index."""
        spelt, text = self.index.parts["spelt"], self.index.spelt[number]
        part = slice(int(spelt["first"][number]), int(spelt["first"][number + 1]))
        found: list[Key] = []
        for name, how in zip(
            spelt["name"][part].tolist(), spelt["how"][part].tolist(), strict=True
        ):
            for key in self._keys_of_name(name, limit=limit - len(found)):
                found.append(Key(text, key.row, HOWS[how]))
            if len(found) >= limit:
                break
        return found

    def _keys_of_name(self, name: int, *, limit: int) -> list[Key]:
        number = int(self.index.parts["name"]["text"][name])
        return self.keys_of(number, self.index.texts[number], last=_LAST_NAMED, limit=limit)

    def named(self, text: str) -> list[Key]:
        """Return the keys of the places of this name, alias or short name."""
        number = self.index.texts.find(text)
        if number < 0:
            return []
        return self.keys_of(number, text, last=_LAST_NAMED, limit=_MOST_KEYS)

    def sounding(self, text: str, *, limit: int = 50) -> list[tuple[Key, float]]:
        """Return the names that sound like a text: 1 the same, 0.85 but for sounds often confused.

        A text may be written in Latin letters, whole or in part: mingoujie, 民gou街.
        """
        if not text or len(text) > LONGEST:
            return []
        own = sounds_of(text, province=self._province)
        wanted = np.uint64(hash_of(map(fold_sound, own)))
        sound, name = self.index.parts["sound"], self.index.parts["name"]
        low, high = (
            np.searchsorted(sound["hash"], wanted, side=side) for side in ("left", "right")
        )
        found = dict.fromkeys(self._spelt_so(text, limit=limit), 1.0)
        for number in sound["name"][low:high].tolist():
            start, end = name["offsets"][number], name["offsets"][number + 1]
            likeness = 1.0 if tuple(name["sound"][start:end].tolist()) == own else _NEARLY
            for key in self._keys_of_name(number, limit=limit):
                found[key] = max(likeness, found.get(key, 0.0))
        return sorted(found.items(), key=lambda item: (-item[1], item[0]))[:limit]

    def _spelt_so(self, text: str, *, limit: int) -> list[Key]:
        """Return the names whose syllables make the letters of a text that has some."""
        if not any(character.isascii() and character.isalpha() for character in text):
            return []
        spelt = self.index.parts["spelt"]
        number = self.index.spelt.find("".join(readings(self._province).read_bare(text)))
        part = slice(*spelt["first"][number : number + 2].tolist()) if number >= 0 else slice(0)
        names = spelt["name"][part][spelt["how"][part] == HOWS.index("pinyin")]
        return [key for name in names.tolist() for key in self._keys_of_name(name, limit=limit)]

    def similar(
        self, text: str, *, kinds: Collection[str] = (), road: str = "", limit: int = 20
    ) -> list[tuple[Key, float]]:
        """Return the names most alike in writing, the most alike first.

        Parameters
        ----------
        text : str
            Normalised text.
        kinds : collection of str
            Kinds of places that count; none: all.
        road : str
            Only places that stand on this road, by their own names.
        limit : int
            Most keys.

        Returns
        -------
        list of (Key, float)
            Likeness 0-1: one less the edits as a share of the longer text; a character in the place
            of one that sounds alike is half an edit.
        """
        if not text or len(text) > LONGEST:
            return []
        characters = np.frombuffer(text.encode("utf-32-le", "replace"), dtype=np.uint32)
        own = sounds_of(text, province=self._province)
        heard = np.array([fold_sound(sound) for sound in own], dtype=np.uint32)
        name, mask = self.index.parts["name"], mask_of(kinds)
        if road:
            names = np.unique(name["of_row"][self.of_road(road)])
            names = names[names >= 0]
        else:
            names = self._sharing(characters, heard, mask)
        likeness = grams.likeness(
            name["character"], name["heard"], name["offsets"], names, characters, heard
        )
        found: list[tuple[Key, float]] = []
        for place in np.argsort(-likeness, kind="stable").tolist():
            for key in self._keys_of_name(int(names[place]), limit=_MOST_KEYS):
                if mask >> self.index.kind_codes[key.row] & 1 and self._stands(key.row, road):
                    found.append((key, float(likeness[place])))
            if len(found) >= limit:
                break
        return found[:limit]

    def _sharing(
        self, characters: NDArray[np.uint32], heard: NDArray[np.uint32], mask: int
    ) -> NDArray[np.int32]:
        ends = np.array([0, len(characters)], dtype=np.int64)
        query, _ = grams.grams_of(characters, heard, ends)
        gram = self.index.parts["gram"]
        index = (gram["code"], gram["first"], gram["name"], gram["weight"], gram["total"])
        wanted = (self.index.parts["name"]["kinds"], mask)
        limits = (grams.READ_AT_MOST, _ALIKE_READ)
        names: NDArray[np.int32] = np.sort(
            grams.shared(index, query, self.index.scratch, wanted, limits)
        )
        return names[names >= 0]

    def _stands(self, row: int, road: str) -> bool:
        return not road or self.road_of(row) == road

    def roads(self, name: str) -> list[int]:
        """Return the rows of the streets of this name or alias."""
        return [key.row for key in self.named(name) if self.kinds[key.row] == "street"]

    def is_way(self, text: str) -> bool:
        """Tell whether places name a road so, or plates count along it."""
        index = self.index
        return index.roads.find(text) >= 0 or index.group("plates", text).stop > 0

    def names_in(self, text: str) -> list[tuple[int, int]]:
        """Return the spans of all known names in a text, longest first, then leftmost."""
        return sorted(self._spans(text), key=lambda span: (span[0] - span[1], span[0]))

    def _spans(self, text: str) -> list[tuple[int, int]]:
        part = self.index.parts["text"]
        spans = probes.name_spans(
            self.index.texts.arrays,
            (part["first"], part["row"], part["how"], self.held),
            _LAST_NAMED,
            encoded(text[:LONGEST]),
            _LONGEST_NAME,
        )
        return [(start, end) for start, end in spans.tolist()]

    def longest_names(self, text: str) -> list[tuple[int, int]]:
        """Return the spans of the known names in a text, longest first, none inside another."""
        longest = dict(self._spans(text))  # of one start the last, which is the longest
        spans, free = [], 0
        for start, end in longest.items():
            if start >= free:
                spans.append((start, end))
                free = end
        return sorted(spans, key=lambda span: (span[0] - span[1], span[0]))

    @cached_property
    def area_names(self) -> dict[str, frozenset[str]]:
        """Known names of provinces, cities, districts, streets and communities -> their codes.

        Names that no area has, only addresses, have no codes.
        """
        city = self._edition.snapshot.profile.city.name
        names: dict[str, set[str]] = {normalise(city): set()} if city else {}
        for number in range(len(self.index.areas)):
            names.setdefault(self.index.areas[number], set())
        for cells in self._edition.areas.values():
            for code, name in zip(cells.codes, cells.names, strict=True):
                names.setdefault(normalise(name), set()).add(code)
        return {name: frozenset(codes) for name, codes in names.items()}

    @property
    def kinds(self) -> Sequence[str]:
        """Kind of each row of the table."""
        return self.index.kinds

    def plates_on(self, road: str, *, street: int = -1) -> Numbers | None:
        """Return the plates of a road; with `street` only those nearest to that row of the name."""
        return self._numbers("plates", road, street)

    def lanes_on(self, road: str, *, street: int = -1) -> Numbers | None:
        """Return the places in the lanes 弄 of a road, numbered by lane."""
        return self._numbers("lanes", road, street)

    def plates_in_lane(self, road: str, lane: int) -> Numbers | None:
        """Return the plates in a lane of a road; number 0 is the lane itself."""
        return self._numbers("in_lanes", f"{road}{lane}弄", -1)

    def _numbers(self, table: str, group: str, street: int) -> Numbers | None:
        part = self.index.group(table, group)
        if part.start == part.stop:
            return None
        arrays = self.index.parts[table]
        kept = self.held[arrays["row"][part]]
        if street >= 0:
            kept &= arrays["street"][part] == street
        number, sub, row, along = (
            arrays[name][part] if kept.all() else arrays[name][part][kept]
            for name in ("number", "sub", "row", "street")
        )
        if not len(row):
            return None
        return Numbers(number=number, sub=sub, row=row, street=along, x=self.x[row], y=self.y[row])

    def of_road(self, road: str) -> NDArray[np.int32]:
        """Return the rows of everything that names a road: plates, points of interest, compounds."""
        rows = self.index.parts["road"]["order"][
            self.index.group("road", road) if road else slice(0)
        ]
        held: NDArray[np.int32] = rows[self.held[rows]]
        return held

    @cached_property
    def x(self) -> NDArray[np.float64]:
        """East of the representative point of each row, city's CRS, m."""
        return numbers_of(self.table["x"], np.float64)

    @cached_property
    def y(self) -> NDArray[np.float64]:
        """North of the representative point of each row, m."""
        return numbers_of(self.table["y"], np.float64)

    def kind(self, row: int) -> str:
        """Return the kind of a row."""
        kind: str = self.index.kinds[row]
        return kind

    def name(self, row: int) -> str:
        """Return the name of a row as it was delivered."""
        return self.index.columns["name"][row] or ""

    def point(self, row: int) -> tuple[float, float]:
        """Return east and north of the representative point of a row, m."""
        return float(self.x[row]), float(self.y[row])

    def road_of(self, row: int) -> str:
        """Return the normalised road that a row names, or an empty text."""
        return self.index.roads[self._road[row]]

    def community(self, row: int) -> str:
        """Return the code of the community of a row, or an empty text."""
        return self.index.communities[self._community[row]]

    def is_said_in(self, row: int, area: str) -> bool:
        """Tell whether the address of a row itself names an area, given as `normalise` spells it."""
        words = (column[row] for column in self.index.areas_said)
        return any(word is not None and normalise(word).startswith(area) for word in words)

    def dimension(self, row: int) -> int:
        """Return 0 for a point, 1 for a line, 2 for an area."""
        return int(self._dimension[row])

    def extent_m(self, row: int) -> float:
        """Return the length of a line, the square root of the size of an area, 0 of a point, m."""
        return float(self._extent[row])

    def accuracy_m(self, row: int) -> float | None:
        """Return the standard deviation per axis that a row states of itself, m, or None."""
        stated: float = self._accuracy[row]
        return None if stated != stated else stated

    def shape(self, row: int) -> Any:
        """Return the geometry of a row."""
        return self.index.shapes[row]

    def record(self, row: int) -> dict[str, Any]:
        """Return the words and codes of a row."""
        return {name: column[row] for name, column in self.index.columns.items()}

    @cached_property
    def _nearby(self) -> Nearby:
        return Nearby(self)

    def near(
        self, x: float, y: float, *, reach_m: float, kinds: Iterable[str] = (), limit: int = 50
    ) -> list[tuple[float, int]]:
        """Return distance, m, and row of the places within reach of a point, the nearest first."""
        return self._nearby.within((x, y), reach_m=reach_m, mask=mask_of(kinds), limit=limit)

    @cached_property
    def road_lines(self) -> tuple[NDArray[np.intp], shapely.STRtree]:
        """Rows of streets with the tree of their geometries."""
        rows = np.flatnonzero(self._nearby.counting(mask_of(("street",))))
        return rows, shapely.STRtree(self.index.shapes.take(rows))
