"""Owning units as numbers: every distinct question is resolved once and kept for all calls."""

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from api.doubts import bits_of
from api.owning.directory import Unit
from api.owning.mixing import CROSS, OTHER
from api.owning.mixture import Blend, blend
from api.owning.number_table import NumberTable
from api.owning.owners import OwnerQuestion, Resolution, resolve
from api.owning.record_table import record_table_of
from api.owning.relevance import Relevance, is_settled, relevance_of
from api.questions import KIND_NAMES
from census.plan.chains import CHAIN_LEVELS

if TYPE_CHECKING:
    from api.edition import Edition

LEVEL_NAMES = (*CHAIN_LEVELS, "component")
"""Levels of deciding rows by their number."""
COMPONENT_LEVEL = len(LEVEL_NAMES) - 1
_EFFECT_BITS, _RECORD_BITS = 24, 20
_MOST_KEPT = 1_000_000
_MOST_TOPICS = 1 << 18
"""Half of what a key has room for beside effect and record: a block of cases with as many classes as
rows, a wrong column of a file, stays within it."""
_TABLES_KEPT = 64
_BLENDS_KEPT = 20_000

Keys = NDArray[np.int64]


@dataclass
class Words:
    """Texts numbered in the order in which they are met."""

    texts: list[str | None] = field(default_factory=list)
    numbers: dict[str | None, int] = field(default_factory=dict)

    def number(self, text: str | None) -> int:
        """Return the number of a text, a new one if it is new; None is -1."""
        if text is None:
            return -1
        found = self.numbers.get(text)
        if found is None:
            found = self.numbers[text] = len(self.texts)
            self.texts.append(text)
        return found


@dataclass(frozen=True, kw_only=True)
class ResolutionArrays:
    """What resolutions say, position i is resolution i; texts are numbers in the table's `Words`."""

    unit: NDArray[np.int32]
    role: NDArray[np.int32]
    rule: NDArray[np.int32]
    """-1: none, or one that names the component."""
    level: NDArray[np.int8]
    """Number in `LEVEL_NAMES`."""
    limit_value: NDArray[np.float64]
    """nan: there is no time limit."""
    limit_unit: NDArray[np.int32]
    certainty: NDArray[np.float64]
    reasons: NDArray[np.int64]
    """Bits in the order of ``api/telling/reasons.csv``."""
    last_rival: NDArray[np.int32]
    """Place past its last rival; the first comes after the last of the resolution before it."""

    @classmethod
    def empty(cls, size: int) -> "ResolutionArrays":
        """Return arrays for so many resolutions."""
        kinds = {
            "level": np.int8,
            "limit_value": np.float64,
            "certainty": np.float64,
            "reasons": np.int64,
        }
        return cls(**{name: np.zeros(size, dtype=kinds.get(name, np.int32)) for name in _ARRAYS})


_ARRAYS = tuple(ResolutionArrays.__dataclass_fields__)


class OwnerTable:
    """The resolutions of one edition for one set of units that sent a case back.

    Safe to use from several threads: what has a number never changes.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    excluded : frozenset of str
        Units that are not chosen.
    """

    def __init__(self, edition: "Edition", excluded: frozenset[str]) -> None:
        self._edition = edition
        self._excluded = excluded
        self._lock = threading.RLock()
        self._topics: dict[tuple[int, str | None, bytes], int] = {}
        self._topic_list: list[tuple[int, str | None, bytes]] = []
        self._numbers: dict[int, int] = {}
        self._table = NumberTable((_EFFECT_BITS, _RECORD_BITS))
        """The same for many questions at once."""
        self._places: dict[OwnerQuestion, int] = {}
        self._relevance: dict[tuple[int, str | None], Relevance] = {}
        self.units = Words()
        self.unit_names: list[str] = []
        """Name of each unit of `units`."""
        self.roles, self.rules, self.limit_units = Words(), Words(), Words()
        self.resolutions: list[Resolution] = []
        self.questions: list[OwnerQuestion] = []
        """The question of each resolution, its chain reduced to what decides."""
        self.arrays = ResolutionArrays.empty(1024)
        self._told: tuple[NDArray[Any], ...] | None = None
        self._blends: dict[tuple[int, tuple[int, ...], tuple[int, ...]], Blend] = {}
        self.rivals: list[tuple[int, float, int]] = []
        """Unit, probability and group of cause of the rivals of all resolutions."""

    def topic(self, kind: int, class_code: str | None, holding: bytes) -> int:
        """Return the number of what a question is about besides place and component."""
        found = self._topics.get((kind, class_code, holding))
        if found is None:
            with self._lock:
                key = (kind, class_code, self._relevant(kind, class_code).holding(holding))
                found = self._topics.setdefault(key, len(self._topic_list))
                if found == len(self._topic_list):
                    self._topic_list.append(key)
                self._topics[kind, class_code, holding] = found
        return found

    def _relevant(self, kind: int, class_code: str | None) -> Relevance:
        found = self._relevance.get((kind, class_code))
        if found is None:
            found = relevance_of(self._edition.plan, KIND_NAMES[kind], class_code)
            self._relevance[kind, class_code] = found
        return found

    def numbers(
        self, topic: NDArray[np.int64], effect: NDArray[np.int32], record: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Return the number of the resolution of each question.

        Parameters
        ----------
        topic : ndarray
            Numbers by `topic`.
        effect : ndarray
            Effects of the chains of the places, ``Chains.effects``.
        record : ndarray
            Meanings of the components' records, ``RecordTable.meanings``.
        """
        found, missing = self._table.find((topic, effect, record))
        while len(missing):
            for key in missing.tolist():
                self._resolve(key)
            found, missing = self._table.find((topic, effect, record))
        return found

    def number(self, topic: int, effect: int, record: int) -> int:
        """Return the number of the resolution of one question, as `numbers` does of many."""
        key = self._table.key(topic, effect, record)
        found = self._numbers.get(key)
        return self._resolve(key) if found is None else found

    def blend(self, topic: int, effects: tuple[int, ...], records: tuple[int, ...]) -> Blend:
        """Return what the combinations of places and components of a case lead to.

        Parameters
        ----------
        topic : int
            Number by `topic`.
        effects, records : tuple of int
            Of the places and of the components, those taken first; see `numbers`.
        """
        found = self._blends.get((topic, effects, records))
        if found is None:
            known, number = self.resolutions, self.number
            ways = [
                (
                    known[number(topic, effect, records[0])],
                    [known[number(topic, effect, record)] for record in records],
                )
                for effect in effects
            ]
            found = blend(ways[0][0], ways)
            if len(self._blends) >= _BLENDS_KEPT:
                self._blends.clear()
            self._blends[topic, effects, records] = found
        return found

    def _resolve(self, key: int) -> int:
        record = key & ((1 << _RECORD_BITS) - 1)
        effect = (key >> _RECORD_BITS) & ((1 << _EFFECT_BITS) - 1)
        kind, class_code, holding = self._topic_list[key >> (_EFFECT_BITS + _RECORD_BITS)]
        areas = self._relevant(kind, class_code).areas
        chain = self._edition.chains.reduced(effect)
        question = OwnerQuestion(
            KIND_NAMES[kind],
            class_code,
            chain.naming(areas),
            record_table_of(self._edition).records[record],
            holding,
            self._excluded,
        )
        # Most places differ only by territories that are never asked.
        found = self._place_of(question)
        if not is_settled(self.resolutions[found]):
            named = areas | self._edition.directory.areas
            found = self._place_of(question._replace(chain=chain.naming(named)))
        with self._lock:
            self._numbers[key] = found
            self._table.add(key, found)
        return found

    def _place_of(self, question: OwnerQuestion) -> int:
        found = self._places.get(question)
        if found is None:
            resolution = resolve(self._edition, question)
            with self._lock:
                found = self._places.get(question)
                if found is None:
                    found = len(self.resolutions)
                    self.resolutions.append(resolution)
                    self.questions.append(question)
                    self._write(found, resolution)
                    self._places[question] = found
        return found

    @property
    def is_full(self) -> bool:
        """So many resolutions are kept that a new table should be begun."""
        return len(self._numbers) > _MOST_KEPT or len(self._topic_list) > _MOST_TOPICS

    def _write(self, number: int, resolution: Resolution) -> None:
        if number >= len(self.arrays.unit):
            self._grow()
        values: dict[str, Any] = {
            "unit": self._unit(resolution.unit),
            "role": self.roles.number(resolution.role or None),
            "rule": -1
            if resolution.level == "component"
            else self.rules.number(resolution.rule or None),
            "level": LEVEL_NAMES.index(resolution.level),
            "limit_value": resolution.limit.value if resolution.limit else np.nan,
            "limit_unit": self.limit_units.number(
                resolution.limit.unit if resolution.limit else None
            ),
            "certainty": resolution.certainty,
            "reasons": bits_of(resolution.reasons),
        }
        for rival in resolution.rivals:
            group = CROSS if rival.cause == "record" else OTHER
            self.rivals.append((self._unit(rival.unit), rival.probability, group))
        values["last_rival"] = len(self.rivals)
        for name, value in values.items():
            getattr(self.arrays, name)[number] = value

    def _grow(self) -> None:
        # Readers keep the old arrays, in which all they ask for stands.
        larger = ResolutionArrays.empty(2 * len(self.arrays.unit))
        for name in _ARRAYS:
            old = getattr(self.arrays, name)
            getattr(larger, name)[: len(old)] = old
        self.arrays = larger

    def _unit(self, unit: Unit | None) -> int:
        if unit is None:
            return -1
        number = self.units.number(unit.code)
        if number == len(self.unit_names):
            self.unit_names.append(unit.name)
        return number

    def told(self) -> tuple[NDArray[Any], ...]:
        """Return what `api.owning.mixing.sum_up` wants to know of resolutions, rivals and units."""
        count = len(self.resolutions)
        if self._told is None or len(self._told[0]) != count:
            with self._lock:
                count = len(self.resolutions)
                unit, share, group = np.array(self.rivals, dtype=np.float64).reshape(-1, 3).T
                rank = np.empty(len(self.units.texts) + 1, dtype=np.int32)
                rank[np.argsort(np.array(self.units.texts, dtype=str))] = np.arange(len(rank) - 1)
                self._told = (
                    self.arrays.unit[:count],
                    self.arrays.certainty[:count],
                    np.concatenate([[0], self.arrays.last_rival[:count]]).astype(np.int32),
                    unit.astype(np.int32),
                    np.ascontiguousarray(share),
                    group.astype(np.int32),
                    rank,
                )
        return self._told


class OwnerTables:
    """The tables of one edition by the units excluded; safe to use from several threads.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    """

    def __init__(self, edition: "Edition") -> None:
        self._edition = edition
        self._lock = threading.Lock()
        self._tables: dict[frozenset[str], OwnerTable] = {}

    def of(self, excluded: frozenset[str]) -> OwnerTable:
        """Return the table for the units excluded, a new one if it has grown too large.

        That of cases which nobody sent back stays; of the others the oldest goes first.
        """
        table = self._tables.get(excluded)
        if table is None or table.is_full:
            with self._lock:
                table = self._tables.get(excluded)
                if table is None or table.is_full:
                    table = self._tables[excluded] = OwnerTable(self._edition, excluded)
                    others = [units for units in self._tables if units and units != excluded]
                    for units in others[: max(0, len(others) + 1 - _TABLES_KEPT)]:
                        del self._tables[units]
        return table


def owner_tables_of(edition: "Edition") -> OwnerTables:
    """Return the tables of an edition, the same at every call."""
    return edition.kept("owners", lambda: OwnerTables(edition))


def owner_table_of(edition: "Edition", excluded: frozenset[str]) -> OwnerTable:
    """Return the table of an edition for the units excluded."""
    return owner_tables_of(edition).of(excluded)
