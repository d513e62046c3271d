"""The year and the day cut where conditions of a plan begin and end: sets of moments as bits.

Two moments that no condition tells apart are one, so that a handful of bits stand for all minutes
of all days, and unions, overlaps and what is left over are exact.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from census.plan.conditions import hours_hold, season_holds

Condition = tuple[str | None, str | None]
"""Season and hours; None: all year, all day."""
_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_DAYS: NDArray[np.int64] = np.array(
    [month * 100 + day for month, days in enumerate(_MONTHS, 1) for day in range(1, days + 1)]
)
_MINUTES: NDArray[np.int64] = np.arange(24 * 60)


class Moments:
    """The moments that some conditions tell apart; a set of them is an integer of `count` bits.

    Examples
    --------
    >>> moments = Moments([("11-15/03-15", None), (None, "22:00/06:00")])
    >>> winter = moments.bits("11-15/03-15", None)
    >>> night = moments.bits(None, "22:00/06:00")
    >>> moments.told(moments.full & ~night)
    [(None, '06:00/22:00')]
    >>> moments.told(winter & night)
    [('11-15/03-15', '22:00/06:00')]
    >>> moments.told(winter | night)
    [('03-16/11-14', '22:00/06:00'), ('11-15/03-15', None)]
    """

    def __init__(self, conditions: Iterable[Condition]) -> None:
        known = list(dict.fromkeys(conditions))
        seasons = sorted({season for season, _ in known if season})
        hours = sorted({hour for _, hour in known if hour})
        self._seasons = {name: season_holds(name, _DAYS) for name in seasons}
        self._hours = {name: hours_hold(name, _MINUTES) for name in hours}
        self._day_of = _told_apart(list(self._seasons.values()), len(_DAYS))
        self._minute_of = _told_apart(list(self._hours.values()), len(_MINUTES))
        self._days = int(self._day_of.max()) + 1
        self._minutes = int(self._minute_of.max()) + 1
        self._known: dict[Condition, int] = {}

    @property
    def count(self) -> int:
        """Number of moments told apart."""
        return self._days * self._minutes

    @property
    def full(self) -> int:
        """All moments."""
        return (1 << self.count) - 1

    def bits(self, season: str | None, hours: str | None) -> int:
        """Return the moments at which a condition holds, one of those given."""
        key = (season, hours)
        if key not in self._known:
            days = self._chosen(self._seasons, season, self._day_of, self._days)
            minutes = self._chosen(self._hours, hours, self._minute_of, self._minutes)
            self._known[key] = sum(
                1 << (day * self._minutes + minute) for day in days for minute in minutes
            )
        return self._known[key]

    def _chosen(
        self, held: dict[str, NDArray[np.bool_]], name: str | None, of: NDArray[np.intp], count: int
    ) -> list[int]:
        if name is None:
            return list(range(count))
        return [int(number) for number in np.unique(of[held[name]])]

    def told(self, bits: int) -> list[Condition]:
        """Return moments as seasons and hours, in the order of the year; none for no moment."""
        row = (1 << self._minutes) - 1
        per_day = [(bits >> (day * self._minutes)) & row for day in range(self._days)]
        result: list[Condition] = []
        for minutes in dict.fromkeys(per_day):
            if not minutes:
                continue
            days = np.array([per_day[day] == minutes for day in self._day_of])
            wanted = np.array([bool(minutes >> minute & 1) for minute in self._minute_of])
            result += [
                (season, hours) for season in _day_runs(days) for hours in _minute_runs(wanted)
            ]
        return sorted(result, key=lambda told: (told[0] or "", told[1] or ""))


def _told_apart(columns: Sequence[NDArray[np.bool_]], count: int) -> NDArray[np.intp]:
    """Return for each position the number of its kind: equal in all columns."""
    if not columns:
        return np.zeros(count, dtype=np.intp)
    _, kinds = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    return np.asarray(kinds).reshape(-1).astype(np.intp)


def _day_runs(wanted: NDArray[np.bool_]) -> Iterator[str | None]:
    for first, last in _runs(wanted):
        if first is None:
            yield None
        else:
            low, high = int(_DAYS[first]), int(_DAYS[last])
            yield f"{low // 100:02}-{low % 100:02}/{high // 100:02}-{high % 100:02}"


def _minute_runs(wanted: NDArray[np.bool_]) -> Iterator[str | None]:
    for first, last in _runs(wanted):
        if first is None:
            yield None
        else:
            end = (last + 1) % len(_MINUTES)
            yield f"{first // 60:02}:{first % 60:02}/{end // 60:02}:{end % 60:02}"


def _runs(wanted: NDArray[np.bool_]) -> Iterator[tuple[int | None, int]]:
    """Yield first and last position of each run around a circle; (None, 0) for all of it."""
    if wanted.all():
        yield None, 0
        return
    starts = np.flatnonzero(wanted & ~np.roll(wanted, 1))
    ends = np.flatnonzero(wanted & ~np.roll(wanted, -1))
    for start in starts:
        later = ends[ends >= start]
        yield int(start), int(later[0] if len(later) else ends[0])
