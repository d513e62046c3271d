"""When a time limit 处置时限 ends: working hours of working days, holidays and shifted weekends known."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import chinese_calendar

from api.models import TimeLimit

WORKING_HOURS = ((time(8), time(12)), (time(14), time(18)))
"""Hours that count as working time, local."""
_CLOCK_HOURS = {"emergency_hour": 1.0, "calendar_day": 24.0}
_WORKING_HOURS_OF = {"working_hour": 1.0, "working_day": 8.0}
_LONGEST_DAYS = 3 * 366


def due_at(
    start: datetime,
    limit: TimeLimit,
    *,
    zone: ZoneInfo,
    hours: tuple[tuple[time, time], ...] = WORKING_HOURS,
) -> datetime | None:
    """Return when a time limit that starts at a moment ends, in the city's time zone.

    Emergency hours 紧急工作时 and calendar days 自然日 run by the clock; working hours 工作时 and
    working days 工作日 (eight working hours) run only during working hours of working days.

    Parameters
    ----------
    start : datetime
        Aware, or local time.
    limit : TimeLimit
        Value and unit.
    zone : ZoneInfo
        The city's time zone.
    hours : tuple
        Spans of working time of a day, in order.

    Returns
    -------
    datetime or None
        None when the holidays of a year it reaches are not published yet, or the unit is unknown.

    Examples
    --------
    >>> zone = ZoneInfo("Asia/Shanghai")
    >>> friday = datetime(2026, 7, 3, 17, tzinfo=zone)
    >>> due_at(friday, TimeLimit(value=4, unit="working_hour"), zone=zone).isoformat()
    '2026-07-06T11:00:00+08:00'
    >>> due_at(friday, TimeLimit(value=4, unit="emergency_hour"), zone=zone).isoformat()
    '2026-07-03T21:00:00+08:00'
    """
    local = start.replace(tzinfo=zone) if start.tzinfo is None else start.astimezone(zone)
    if limit.unit in _CLOCK_HOURS:
        return local + timedelta(hours=limit.value * _CLOCK_HOURS[limit.unit])
    if limit.unit not in _WORKING_HOURS_OF:
        return None
    left = timedelta(hours=limit.value * _WORKING_HOURS_OF[limit.unit])
    try:
        return _after_working_time(local, left, hours)
    except NotImplementedError:  # the calendar's word for a year without published holidays
        return None


def _after_working_time(
    local: datetime, left: timedelta, hours: tuple[tuple[time, time], ...]
) -> datetime | None:
    for offset in range(_LONGEST_DAYS):
        day = local.date() + timedelta(days=offset)
        if not chinese_calendar.is_workday(day):
            continue
        for opens, closes in hours:
            begin = max(local, datetime.combine(day, opens, tzinfo=local.tzinfo))
            end = datetime.combine(day, closes, tzinfo=local.tzinfo)
            if begin >= end:
                continue
            if left <= end - begin:
                return begin + left
            left -= end - begin
    return None
