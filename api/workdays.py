"""When a time limit 处置时限 ends: working hours of working days, holidays and shifted weekends known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from api.models import Decision, TimeLimit, TraceStep
from api.telling.wording import told
from gis.calendars import Calendar, Spans, is_statutory, is_weekend

_CLOCK_HOURS = {"emergency_hour": 1.0, "calendar_day": 24.0}
_USUAL = Calendar()
_LONGEST_DAYS = 3 * 366
_LONGEST_HOURS = _LONGEST_DAYS * 24.0
_FIRST_YEAR, _LAST_YEAR = 1, 9995


class Deadline(NamedTuple):
    """When a time limit ends."""

    at: datetime
    """In the city's time zone."""
    provisional_year: int | None = None
    """Year whose holidays are not published yet, so that weekends and the holidays of the law alone
    were thought off; None: all days up to the deadline are known."""


def with_deadline(
    decision: Decision, start: datetime, *, zone: ZoneInfo, calendar: Calendar
) -> Decision:
    """Return a decision with the end of its time limit; a provisional end is told in the trace.

    Parameters
    ----------
    decision : Decision
        Without an owning unit or a time limit it stays as it is.
    start : datetime
        Time of the report.
    zone : ZoneInfo
        The city's time zone.
    calendar : Calendar
        The city's working calendar.
    """
    owner = decision.owner
    if owner is None or owner.time_limit is None:
        return decision
    found = deadline(start, owner.time_limit, zone=zone, calendar=calendar)
    if found is None:
        return decision
    owner = replace(owner, **ending(found))
    if owner.due_note is None or owner.due_note_zh is None:
        return replace(decision, owner=owner)
    step = TraceStep(
        step="deadline",
        candidate=found.at.isoformat(timespec="minutes"),
        outcome="accepted",
        why=owner.due_note,
        why_zh=owner.due_note_zh,
    )
    trace = (*decision.trace, step) if decision.trace else ()
    return replace(decision, owner=owner, trace=trace)


def ending(due: Deadline | None) -> dict[str, Any]:
    """Return what an owner's answer tells of the end of its time limit; None: it has none.

    Examples
    --------
    >>> ending(None)["due_is_provisional"]
    False
    >>> found = ending(Deadline(datetime(2027, 1, 4, 9, tzinfo=UTC), 2027))
    >>> found["due_note"][-37:]
    'years = [2027] and run wanmi snapshot'
    """
    year = due.provisional_year if due else None
    note, note_zh = (None, None) if year is None else told("deadline_provisional", year=year)
    return {
        "due_at": due.at if due else None,
        "due_is_provisional": year is not None,
        "due_note": note,
        "due_note_zh": note_zh,
    }


def deadline(
    start: datetime, limit: TimeLimit, *, zone: ZoneInfo, calendar: Calendar = _USUAL
) -> Deadline | None:
    """Return when a time limit ends, provisionally where a year's holidays are not published yet.

    Parameters, and None, as for `due_at`, but for years that nobody published: of those Monday to
    Friday are thought worked, but for the holidays of the law.

    Examples
    --------
    >>> zone, limit = ZoneInfo("Asia/Shanghai"), TimeLimit(value=1, unit="working_day")
    >>> deadline(datetime(2026, 7, 1, 9, tzinfo=zone), limit, zone=zone).provisional_year is None
    True
    >>> late = deadline(datetime(2090, 1, 6, 9, tzinfo=zone), limit, zone=zone)  # a Friday
    >>> late.at.isoformat(), late.provisional_year
    ('2090-01-09T09:00:00+08:00', 2090)
    """
    firm = due_at(start, limit, zone=zone, calendar=calendar)
    if firm is not None:
        return Deadline(firm)
    guessing = _Guessing(calendar)
    ends = _due_at(start, limit, zone, guessing)
    return None if ends is None else Deadline(ends, guessing.year)


class _Guessing:
    """A calendar that thinks weekends and the holidays of the law off in years that it does not know."""

    def __init__(self, calendar: Calendar) -> None:
        self.calendar = calendar
        self.year: int | None = None
        """First year that was guessed."""

    def is_workday(self, day: date) -> bool:
        known = self.calendar.is_workday(day)
        if known is not None:
            return known
        self.year = self.year or day.year
        return not (is_weekend(day) or is_statutory(day))

    def spans(self, day: date) -> Spans:
        return self.calendar.spans(day)


def due_at(
    start: datetime, limit: TimeLimit, *, zone: ZoneInfo, calendar: Calendar = _USUAL
) -> datetime | None:
    """Return when a time limit that starts at a moment ends, in the city's time zone.

    Emergency hours 紧急工作时 and calendar days 自然日 run by the clock, at night and on holidays
    too. Working hours 工作时 run only during working hours of working days; a start outside them
    counts from the next one. A working day 工作日 is the working time of one working day, whatever
    its length: a limit of one that starts in the middle of a day ends in the middle of the next.

    Parameters
    ----------
    start : datetime
        Aware, or local time.
    limit : TimeLimit
        Value and unit.
    zone : ZoneInfo
        The city's time zone.
    calendar : Calendar
        The city's working calendar.

    Returns
    -------
    datetime or None
        None when the holidays of a year it reaches are not published yet, the unit is unknown, it
        takes more than three years, or lies at the ends of the calendar (years 1 and 9999).

    Examples
    --------
    >>> zone = ZoneInfo("Asia/Shanghai")
    >>> friday = datetime(2026, 7, 3, 17, tzinfo=zone)
    >>> due_at(friday, TimeLimit(value=4, unit="working_hour"), zone=zone).isoformat()
    '2026-07-06T11:00:00+08:00'
    >>> due_at(friday, TimeLimit(value=4, unit="emergency_hour"), zone=zone).isoformat()
    '2026-07-03T21:00:00+08:00'
    """
    return _due_at(start, limit, zone, calendar)


def _due_at(
    start: datetime, limit: TimeLimit, zone: ZoneInfo, calendar: "Calendar | _Guessing"
) -> datetime | None:
    if not _FIRST_YEAR < start.year < _LAST_YEAR:
        return None
    local = start.replace(tzinfo=zone) if start.tzinfo is None else start.astimezone(zone)
    if not 0 <= limit.value <= _LONGEST_HOURS:
        return None
    if limit.unit in _CLOCK_HOURS:
        hours = limit.value * _CLOCK_HOURS[limit.unit]
        if hours > _LONGEST_HOURS:
            return None
        # Counted on the world's clock: an hour is an hour whatever the zone does that night.
        return (local.astimezone(UTC) + timedelta(hours=hours)).astimezone(zone)
    if limit.unit == "working_hour":
        return _after_hours(local, timedelta(hours=limit.value), calendar)
    if limit.unit == "working_day":
        return _after_days(local, limit.value, calendar)
    return None


def _after_hours(
    local: datetime, left: timedelta, calendar: "Calendar | _Guessing"
) -> datetime | None:
    for _, spans in _working_days(local, calendar):
        for begin, end in spans:
            if begin >= end:
                continue
            if left <= end - begin:
                return begin + left
            left -= end - begin
    return None


def _after_days(local: datetime, left: float, calendar: "Calendar | _Guessing") -> datetime | None:
    """Consume parts of days: what a span gives is its share of the day's working time."""
    for length, spans in _working_days(local, calendar):
        for begin, end in spans:
            if begin >= end:
                continue
            needed = left * length
            if needed <= end - begin + timedelta(microseconds=500):
                return begin + timedelta(seconds=round(needed.total_seconds(), 3))
            left -= (end - begin) / length
    return None


def _working_days(
    local: datetime, calendar: "Calendar | _Guessing"
) -> Iterator[tuple[timedelta, list[tuple[datetime, datetime]]]]:
    """Yield the length of each working day from a moment on, and what of its hours is still to come.

    Ends at the first day of which nobody knows whether it is worked.
    """
    zone, today = local.tzinfo, local.date()
    for offset in range(_LONGEST_DAYS):
        day = today + timedelta(days=offset)
        is_worked = calendar.is_workday(day)
        if is_worked is None:
            return
        if not is_worked:
            continue
        whole = [
            (datetime.combine(day, opens, tzinfo=zone), _end(day, closes, zone))
            for opens, closes in calendar.spans(day)
        ]
        length = sum((end - begin for begin, end in whole), timedelta())
        if length:
            yield length, [(max(local, begin), end) for begin, end in whole]


def _end(day: date, closes: time, zone: object) -> datetime:
    if closes == time.max:  # 24:00
        return datetime.combine(day + timedelta(days=1), time(0), tzinfo=zone)  # type: ignore[arg-type]
    return datetime.combine(day, closes, tzinfo=zone)  # type: ignore[arg-type]
