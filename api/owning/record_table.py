"""The records of components as numbers: records that lead to the same units share one."""

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from api.owning.candidates import OwnRecord
from api.owning.owners import own_unit
from api.owning.records import OWN_ROLES, RECORD_COLUMNS
from gis.columns import rows_of

if TYPE_CHECKING:
    from api.edition import Edition

_compile = numba.njit(nogil=True, cache=True)

NO_RECORD = 0
"""Meaning of a case without a component."""


class RecordTable:
    """What the records of the components lead to; safe to use from several threads.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day: its directory says which units the records mean.
    """

    def __init__(self, edition: "Edition") -> None:
        self._edition = edition
        self._lock = threading.RLock()
        self._table = edition.snapshot.table("own_records").select(list(RECORD_COLUMNS))
        self._meaning = np.full(self._table.num_rows, -1, dtype=np.int32)
        self._record = np.asarray(edition.snapshot.component_records).data
        """Record of each component, its numbers read sooner than those of a mapped array."""
        self._known: dict[tuple[str, ...], int] = {}
        self.records: list[OwnRecord | None] = [None]
        """A record of each meaning."""
        self._leads = np.full(16, -1, dtype=np.int32)
        self._units: dict[str, int] = {}

    def meanings(self, rows: NDArray[np.intp]) -> NDArray[np.int32]:
        """Return the meaning of the records of rows of ``components``; -1 gives `NO_RECORD`."""
        if not len(self._meaning):
            return np.zeros(len(rows), dtype=np.int32)
        records = self._edition.snapshot.component_records
        found = np.empty(len(rows), dtype=np.int32)
        if _read(rows, records, self._meaning, found):
            self._learn(np.unique(records[rows[found < 0]]))
            _read(rows, records, self._meaning, found)
        return found

    def meaning(self, row: int) -> int:
        """Return the meaning of the record of one row of ``components``, as `meanings` does of many."""
        number = self._record[row]
        found = int(self._meaning[number])
        if found < 0:
            self._learn(np.array([number]))
            found = int(self._meaning[number])
        return found

    def leads(self, meaning: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the number of the unit that records of a meaning lead to, -1: to none."""
        return self._leads[meaning]

    def record_of(self, row: int) -> OwnRecord:
        """Return what the record of a row of ``components`` says, word by word."""
        number = int(self._edition.snapshot.component_records[row])
        return _own_record(self._table.slice(number, 1).to_pylist()[0])

    def _learn(self, numbers: NDArray[np.int32]) -> None:
        rows = self._table.take(rows_of(numbers)).to_pylist()
        with self._lock:
            for number, row in zip(numbers.tolist(), rows, strict=True):
                record = _own_record(row)
                found = [self._edition.directory.find(code, name) for code, name in record.units]
                key = (record.ownership_state, *(unit.code if unit else "" for unit in found))
                if key not in self._known:
                    self._add(key, record)
                self._meaning[number] = self._known[key]

    def _add(self, key: tuple[str, ...], record: OwnRecord) -> None:
        meaning = len(self.records)
        if meaning >= len(self._leads):
            self._leads = np.concatenate([self._leads, np.full(meaning, -1, dtype=np.int32)])
        unit = own_unit(self._edition, record)
        if unit is not None:
            self._leads[meaning] = self._units.setdefault(unit.code, len(self._units))
        self.records.append(record)
        self._known[key] = meaning


def _own_record(row: Mapping[str, Any]) -> OwnRecord:
    units = tuple((row[f"{role}_code"], row[f"{role}_name"]) for role in OWN_ROLES)
    return OwnRecord(row["ownership_state"], units)


@_compile
def _read(rows: Any, records: Any, meanings: Any, found: Any) -> int:
    """Write the meanings of the records of rows, and return how many are not known yet."""
    missing = 0
    for place in range(len(rows)):
        found[place] = NO_RECORD
        if rows[place] >= 0:
            found[place] = meanings[records[rows[place]]]
        missing += 1 if found[place] < 0 else 0
    return missing


def record_table_of(edition: "Edition") -> RecordTable:
    """Return the table of an edition, the same at every call."""
    return edition.kept("records", lambda: RecordTable(edition))
