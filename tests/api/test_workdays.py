"""Deadlines over evenings, weekends, holidays and weekends that are worked."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from api.models import TimeLimit
from api.workdays import due_at

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("start", "value", "unit", "wanted"),
    [
        ("2026-07-01 09:00", 2, "working_hour", "2026-07-01 11:00"),
        ("2026-07-01 11:00", 2, "working_hour", "2026-07-01 15:00"),  # over noon
        ("2026-07-01 12:30", 4, "working_hour", "2026-07-01 18:00"),  # to the last minute
        ("2026-07-01 20:00", 1, "working_hour", "2026-07-02 09:00"),
        ("2026-07-03 17:00", 1, "working_day", "2026-07-06 17:00"),  # over a weekend
        ("2026-09-30 17:00", 2, "working_hour", "2026-10-08 09:00"),  # over National Day
        ("2025-09-28 09:00", 1, "working_hour", "2025-09-28 10:00"),  # a Sunday that was worked
        ("2026-10-01 03:00", 2, "emergency_hour", "2026-10-01 05:00"),
        ("2026-09-30 17:00", 3, "calendar_day", "2026-10-03 17:00"),
        ("2026-07-01 09:00", 0.5, "working_day", "2026-07-01 15:00"),
    ],
)
def test_when_a_limit_ends(start: str, value: float, unit: str, wanted: str) -> None:
    begin = datetime.fromisoformat(start).replace(tzinfo=ZONE)
    end = due_at(begin, TimeLimit(value=value, unit=unit), zone=ZONE)
    assert end == datetime.fromisoformat(wanted).replace(tzinfo=ZONE)


def test_a_year_without_published_holidays_has_no_working_days() -> None:
    begin = datetime(2090, 1, 2, 9, tzinfo=ZONE)
    assert due_at(begin, TimeLimit(value=1, unit="working_day"), zone=ZONE) is None
    assert due_at(begin, TimeLimit(value=1, unit="calendar_day"), zone=ZONE) is not None
    assert due_at(begin, TimeLimit(value=1, unit="fortnight"), zone=ZONE) is None
