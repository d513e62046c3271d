"""What is in force: which rows of a table hold on a day, and when something changes next.

The rows without an end are the newest, not always those in force: a plan may be loaded that holds from
the first of next month. Which rows hold is told by the day alone, today's in the city's time zone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gis.columns import flags_of, numbers_of

if TYPE_CHECKING:
    from api.snapshot import Snapshot

_DAY_0 = date(1970, 1, 1)
_NO_END = np.iinfo(np.int32).max
_GROUND = ("areas", "unit_grids")
"""Datasets without which nothing can be answered."""
_DATES = ("valid_from", "valid_to")
Days = NDArray[np.int32]
"""Days since 1970."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What begins or ceases to hold on a day to come."""

    day: date
    dataset: str
    begins: int
    """Rows that hold from the day on."""
    ends: int
    """Rows that no longer hold."""
    builds: tuple[int, ...]
    """Builds of the rows that begin."""


def days_of_change(table: pa.Table) -> list[int]:
    """Return the days on which rows of a table begin or cease to hold, ascending, as days since 1970.

    Examples
    --------
    >>> days = pa.array([1, 9], pa.int32()).cast(pa.date32()), pa.array([9, None], pa.int32())
    >>> days_of_change(pa.table({"valid_from": days[0], "valid_to": days[1].cast(pa.date32())}))
    [1, 9]
    """
    found = [pc.unique(table[name].cast(pa.int32())).drop_null().to_numpy() for name in _DATES]
    days: list[int] = np.unique(np.concatenate(found)).tolist()
    return days


def rows_without_end(table: pa.Table) -> NDArray[np.intp]:
    """Return the rows of a table that have no end yet, in row order."""
    return np.flatnonzero(flags_of(table["valid_to"].is_null()))


def rows_of_day(table: pa.Table, day: date) -> NDArray[np.intp]:
    """Return the rows of a table that hold on a day, ``[valid_from, valid_to)``, in row order."""
    number = number_of(day)
    since = numbers_of(table["valid_from"], np.int32)
    until = numbers_of(table["valid_to"], np.int32, missing=_NO_END)
    return np.flatnonzero((since <= number) & (number < until))


def number_of(day: date) -> int:
    """Return a day as days since 1970."""
    return (day - _DAY_0).days


def day_of(number: int) -> date:
    """Return the day of a number of days since 1970.

    Examples
    --------
    >>> day_of(number_of(date(2026, 5, 1)))
    datetime.date(2026, 5, 1)
    """
    return _DAY_0 + timedelta(days=number)


def now(zone: ZoneInfo) -> datetime:
    """Return the present moment in a time zone."""
    return datetime.now(zone)


class Calendar:
    """The days on which the rows of a snapshot change.

    Parameters
    ----------
    changes : mapping
        Dataset -> days on which rows begin or cease to hold, ascending, as days since 1970.
    timezone : str
        The city's, by which a day begins.
    """

    def __init__(self, changes: Mapping[str, Sequence[int]], *, timezone: str) -> None:
        self._changes: dict[str, Days] = {
            name: np.array(days, dtype=np.int32) for name, days in changes.items()
        }
        self._zone = ZoneInfo(timezone)
        ground = [int(days[0]) for name in _GROUND if len(days := self._changes[name])]
        self._first = day_of(min(ground)) if ground else date.min

    def moment(self) -> datetime:
        """Return the present moment, where the city is."""
        return now(self._zone)

    def today(self, *, ahead: timedelta = timedelta()) -> date:
        """Return the day in force: the present one, or the first of the data while that is to come.

        Parameters
        ----------
        ahead : timedelta
            Time from now.
        """
        return max((now(self._zone) + ahead).date(), self._first)

    def is_settled(self, dataset: str, day: date) -> bool:
        """Tell whether no row changes after a day: the rows without end are those that hold on it."""
        days = self._changes[dataset]
        return not len(days) or int(days[-1]) <= number_of(day)

    def next_change(self, day: date) -> date | None:
        """Return the first day after a day on which any row changes; None: there is none."""
        later = [days[days > number_of(day)] for days in self._changes.values()]
        firsts = [int(days[0]) for days in later if len(days)]
        return day_of(min(firsts)) if firsts else None

    def coming(self, snapshot: "Snapshot") -> list[Change]:
        """Return what will change after today, by day and dataset."""
        today = number_of(self.today())
        told = [
            _change(snapshot.table(dataset), dataset, int(number))
            for dataset, days in self._changes.items()
            for number in days[days > today]
        ]
        return sorted(told, key=lambda change: (change.day, change.dataset))


def _change(table: pa.Table, dataset: str, number: int) -> Change:
    day = pa.scalar(day_of(number), pa.date32())
    begins = table.filter(pc.equal(table["valid_from"], day))
    ends: Any = pc.sum(pc.equal(table["valid_to"], day)).as_py()
    builds = pc.unique(begins["build_id"]).to_pylist()
    return Change(
        day=day_of(number),
        dataset=dataset,
        begins=begins.num_rows,
        ends=int(ends or 0),
        builds=tuple(sorted(builds)),
    )
