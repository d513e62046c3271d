"""Which rows of the plan speak for a class at a place and a time, the most specific first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from census.plan.chains import CHAIN_LEVELS, Chain
from census.plan.conditions import hours_hold, season_holds
from census.plan.rows import ANYWHERE, PlanRow, read_row

Specificity = tuple[int, int, int, int]
"""Level of the area, rank within the level, rank of the class, 1 if it holds always; smaller wins."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """A row that speaks for the class at the place."""

    row: PlanRow
    specificity: Specificity
    """Smaller is more specific; equal rows with different units are a conflict."""
    holds: bool
    """Its season and hours hold at the time."""

    @property
    def level(self) -> str:
        """Level of its area, one of `CHAIN_LEVELS`."""
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
    >>> chain = Chain(street="130102001", district="130102")
    >>> [match.row.unit_code for match in plan.search("event", "handler", "0103", chain, night)]
    ['B', 'A']
    """

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._conditions: dict[tuple[str | None, str | None], int] = {}
        self._rows: dict[tuple[str, str, str, str], list[PlanRow]] = {}
        for record in sorted(records, key=lambda record: str(record["code"])):
            row = read_row(record, condition=self._condition(record))
            key = (row.kind, row.role, row.area_code, row.class_code)
            self._rows.setdefault(key, []).append(row)

    def _condition(self, record: Mapping[str, Any]) -> int:
        condition = (record.get("season") or None, record.get("hours") or None)
        if condition == (None, None):
            return -1
        return self._conditions.setdefault(condition, len(self._conditions))

    @property
    def areas(self) -> frozenset[str]:
        """Codes of the areas that rows name."""
        return frozenset(area for _, _, area, _ in self._rows)

    @property
    def rows(self) -> list[PlanRow]:
        """All rows, by code."""
        return sorted((row for rows in self._rows.values() for row in rows), key=lambda r: r.code)

    @property
    def conditions(self) -> list[tuple[str | None, str | None]]:
        """Season and hours of each numbered condition."""
        return list(self._conditions)

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
            season_holds(season, day) & hours_hold(hours, minute)
            for season, hours in self._conditions
        ]
        packed = np.stack(columns, axis=1).astype(np.uint8)
        return [row.tobytes() for row in packed]

    def search(
        self, kind: str, role: str, class_code: str | None, chain: Chain, holding: bytes
    ) -> list[Match]:
        """Return the rows that speak for a class at a place, the most specific first.

        Area comes before class, class before condition; of plan areas the smaller comes first; equal
        rows come in the order of their units.

        Parameters
        ----------
        kind, role : str
            component or event; the role asked for.
        class_code : str or None
            Minor class; None: only rows for all classes.
        chain : Chain
            Areas of the place.
        holding : bytes
            Conditions that hold, as `holding` gives them.
        """
        classes = (class_code, class_code[:2], ANYWHERE) if class_code else (ANYWHERE,)
        found = [
            Match(
                row=row,
                specificity=(level, nth, rank + 3 - len(classes), int(row.condition < 0)),
                holds=row.condition < 0 or bool(holding[row.condition]),
            )
            for level, nth, area in chain.areas()
            for rank, name in enumerate(classes)
            for row in self._rows.get((kind, role, area, name), ())
        ]
        found.sort(key=lambda match: (match.specificity, match.row.unit_code, match.row.code))
        return found
