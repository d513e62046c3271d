"""The responsibility plan 职责分解方案: which of its rows speak for a class at a place and a time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.models import TimeLimit

ANYWHERE = "*"
"""Area of rows that hold in the whole city, class of rows that hold for all classes."""
Chain = tuple[str | None, str | None, str | None, str | None]
"""Codes of grid, community, street and district of a place; None where there is none."""
CHAIN_LEVELS = ("grid", "community", "street", "district", "city")
"""Levels of a chain, the most specific first; the city is the last of all."""

_SEASON = re.compile(r"(\d{2})-(\d{2})/(\d{2})-(\d{2})")
_HOURS = re.compile(r"(\d{2}):(\d{2})/(\d{2}):(\d{2})")


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    """One row of the plan."""

    code: str
    class_code: str
    area_code: str
    unit_code: str
    season: str | None
    hours: str | None
    condition: int
    """Number of its condition among the plan's; -1: it holds always."""
    limit: TimeLimit | None


@dataclass(frozen=True, kw_only=True)
class Match:
    """A row that speaks for the class at the place."""

    row: PlanRow
    specificity: tuple[int, int, int]
    """Rank of its area level, of its class, of being conditioned; smaller is more specific."""
    holds: bool
    """Its season and hours hold at the time."""

    @property
    def level(self) -> str:
        """Level of its area: grid, community, street, district or city."""
        return CHAIN_LEVELS[self.specificity[0]]


class Plan:
    """The rows of the plan that hold on a day.

    Parameters
    ----------
    records : sequence of mapping
        Rows of ``responsibility.plan_row``.

    Examples
    --------
    >>> plan = Plan([
    ...     {"code": "1", "kind": "event", "class_code": "01", "area_code": "130102",
    ...      "role": "handler", "unit_code": "A"},
    ...     {"code": "2", "kind": "event", "class_code": "*", "area_code": "130102001",
    ...      "role": "handler", "unit_code": "B", "hours": "22:00/06:00"},
    ... ])
    >>> night = plan.holding(np.array([615]), np.array([23 * 60]))[0]
    >>> chain = (None, None, "130102001", "130102")
    >>> [match.row.unit_code for match in plan.search("event", "handler", "0103", chain, night)]
    ['B', 'A']
    """

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._conditions: dict[tuple[str | None, str | None], int] = {}
        self._rows: dict[tuple[str, str, str, str], list[PlanRow]] = {}
        for record in sorted(records, key=lambda record: str(record["code"])):
            row = self._row(record)
            key = (record["kind"], record["role"], row.area_code, row.class_code)
            self._rows.setdefault(key, []).append(row)

    def _row(self, record: Mapping[str, Any]) -> PlanRow:
        condition = (record.get("season") or None, record.get("hours") or None)
        number = -1
        if condition != (None, None):
            number = self._conditions.setdefault(condition, len(self._conditions))
        value, unit = record.get("limit_value"), record.get("limit_unit")
        return PlanRow(
            code=record["code"],
            class_code=record["class_code"],
            area_code=record["area_code"],
            unit_code=record["unit_code"],
            season=condition[0],
            hours=condition[1],
            condition=number,
            limit=None if value is None or not unit else TimeLimit(value=float(value), unit=unit),
        )

    @property
    def areas(self) -> frozenset[str]:
        """Codes of the areas that rows name."""
        return frozenset(area for _, _, area, _ in self._rows)

    def holding(self, day: NDArray[np.int64], minute: NDArray[np.int64]) -> list[bytes]:
        """Return for each moment which of the plan's conditions hold, one byte per condition.

        Parameters
        ----------
        day : ndarray
            Month times 100 plus day, local.
        minute : ndarray
            Minutes since local midnight.
        """
        if not self._conditions:
            return [b""] * len(day)
        columns = [
            _season_holds(season, day) & _hours_hold(hours, minute)
            for season, hours in self._conditions
        ]
        packed = np.stack(columns, axis=1).astype(np.uint8)
        return [row.tobytes() for row in packed]

    def search(
        self, kind: str, role: str, class_code: str | None, chain: Chain, holding: bytes
    ) -> list[Match]:
        """Return the rows that speak for a class at a place, the most specific first.

        Area comes before class, class before condition; equal rows come in the order of their units.

        Parameters
        ----------
        kind, role : str
            component or event; the role asked for.
        class_code : str or None
            Minor class; None: only rows for all classes.
        chain : tuple
            Areas of the place.
        holding : bytes
            Conditions that hold, as `holding` gives them.
        """
        classes = (class_code, class_code[:2], ANYWHERE) if class_code else (ANYWHERE,)
        found = [
            Match(
                row=row,
                specificity=(level, rank + 3 - len(classes), int(row.condition < 0)),
                holds=row.condition < 0 or bool(holding[row.condition]),
            )
            for level, area in enumerate((*chain, ANYWHERE))
            if area is not None
            for rank, name in enumerate(classes)
            for row in self._rows.get((kind, role, area, name), ())
        ]
        found.sort(key=lambda match: (match.specificity, match.row.unit_code, match.row.code))
        return found


def _season_holds(season: str | None, day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell on which days a season holds, both ends included; it may go over the turn of the year.

    Examples
    --------
    >>> _season_holds("11-15/03-15", np.array([1114, 1115, 101, 315, 316])).tolist()
    [False, True, True, True, False]
    """
    match = _SEASON.fullmatch(season) if season else None
    if match is None:
        return np.full(len(day), season is None)
    first, last = int(match[1]) * 100 + int(match[2]), int(match[3]) * 100 + int(match[4])
    return _between(day, first, last + 1)


def _hours_hold(hours: str | None, minute: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell at which minutes hours hold, the end excluded; they may go over midnight.

    Examples
    --------
    >>> _hours_hold("22:00/06:00", np.array([21 * 60 + 59, 22 * 60, 0, 6 * 60 - 1, 6 * 60])).tolist()
    [False, True, True, True, False]
    >>> _hours_hold("06:00/24:00", np.array([0, 360, 1439])).tolist()
    [False, True, True]
    """
    match = _HOURS.fullmatch(hours) if hours else None
    if match is None:
        return np.full(len(minute), hours is None)
    first, last = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    return _between(minute, first, last)


def _between(value: NDArray[np.int64], first: int, last: int) -> NDArray[np.bool_]:
    """Tell which values lie in ``[first, last)``, or past either end when it wraps."""
    if first < last:
        return (value >= first) & (value < last)
    return (value >= first) | (value < last)
