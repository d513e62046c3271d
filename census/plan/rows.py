"""Rows of the responsibility plan: which unit has which role for a class in an area, and how fast."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANYWHERE = "*"
"""Area of rows that hold in the whole city, class of rows that hold for all classes."""


@dataclass(frozen=True, kw_only=True)
class TimeLimit:
    """A time limit 处置时限."""

    value: float
    unit: str
    """emergency_hour, working_hour, working_day, calendar_day."""


@dataclass(frozen=True, kw_only=True)
class PlanRow:
    """One row of the plan."""

    code: str
    kind: str
    """component or event."""
    role: str
    """handler, competent, owner, maintainer, territorial."""
    class_code: str
    """Minor class, major class or `ANYWHERE`."""
    area_code: str
    """Plan area, unit grid, management grid, community, street, district or `ANYWHERE`."""
    unit_code: str
    season: str | None
    """``MM-DD/MM-DD``, both days included; None: all year."""
    hours: str | None
    """``HH:MM/HH:MM``, the end not included; None: all day."""
    condition: int
    """Number of its condition among the plan's; -1: it holds always."""
    limit: TimeLimit | None
    filing_condition: str | None = None
    """Filing condition 立案条件."""
    closing_condition: str | None = None
    """Closing condition 结案条件."""


def read_row(record: Mapping[str, Any], *, condition: int) -> PlanRow:
    """Return a record of ``responsibility.plan_row`` as a row.

    Examples
    --------
    >>> row = read_row(
    ...     {"code": "R1", "kind": "event", "role": "handler", "class_code": "01", "area_code": "*",
    ...      "unit_code": "U1", "limit_value": 4, "limit_unit": "working_hour"}, condition=-1)
    >>> row.limit
    TimeLimit(value=4.0, unit='working_hour')
    """
    value, unit = record.get("limit_value"), record.get("limit_unit")
    return PlanRow(
        code=record["code"],
        kind=record["kind"],
        role=record["role"],
        class_code=record["class_code"],
        area_code=record["area_code"],
        unit_code=record["unit_code"],
        season=record.get("season") or None,
        hours=record.get("hours") or None,
        condition=condition,
        limit=None if value is None or not unit else TimeLimit(value=float(value), unit=unit),
        filing_condition=record.get("filing_condition"),
        closing_condition=record.get("closing_condition"),
    )
