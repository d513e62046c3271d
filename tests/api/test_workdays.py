"""Deadlines over evenings, weekends, holidays and weekends that are worked."""

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.models import TimeLimit
from api.workdays import deadline, due_at, ending
from gis.calendars import Calendar, read_calendar
from gis.errors import SettingsError
from gis.workspace import parse_profile
from tests.api.district import compile_district, open_snapshot, profile

ZONE = ZoneInfo("Asia/Shanghai")
CITY = '[city]\ncode = "130102"\n'
SEASONS = (
    CITY
    + """
[calendar]
holidays = [2026-03-02]
workdays = [2026-03-07]
[[calendar.hours]]
from = "06-01"
to = "09-30"
spans = ["08:30-12:00", "14:30-18:00"]
[[calendar.hours]]
spans = ["08:30-12:00", "13:30-17:30"]
"""
)


def at(text: str, zone: ZoneInfo = ZONE) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


@pytest.mark.parametrize(
    ("start", "value", "unit", "wanted"),
    [
        ("2026-07-01 09:00", 2, "working_hour", "2026-07-01 11:00"),
        ("2026-07-01 11:00", 2, "working_hour", "2026-07-01 15:00"),  # over noon
        ("2026-07-01 12:30", 4, "working_hour", "2026-07-01 18:00"),  # to the last minute
        ("2026-07-01 20:00", 1, "working_hour", "2026-07-02 09:00"),
        ("2026-07-01 05:00", 1, "working_hour", "2026-07-01 09:00"),  # before they begin
        ("2026-07-03 17:00", 1, "working_day", "2026-07-06 17:00"),  # over a weekend
        ("2026-09-30 17:00", 2, "working_hour", "2026-10-08 09:00"),  # over National Day
        ("2025-09-28 09:00", 1, "working_hour", "2025-09-28 10:00"),  # a Sunday that was worked
        ("2026-10-01 03:00", 2, "emergency_hour", "2026-10-01 05:00"),
        ("2026-09-30 17:00", 3, "calendar_day", "2026-10-03 17:00"),
        ("2026-07-01 09:00", 0.5, "working_day", "2026-07-01 15:00"),
        # Spring Festival 2026: off from Sunday 15 to Monday 23 February; the Saturdays 14 and 28 are worked.
        ("2026-02-13 17:00", 2, "working_hour", "2026-02-14 09:00"),
        ("2026-02-14 16:00", 4, "working_hour", "2026-02-24 10:00"),
        ("2026-02-14 08:00", 1, "working_day", "2026-02-14 18:00"),
        ("2026-02-14 10:00", 1, "working_day", "2026-02-24 10:00"),
        ("2026-02-17 00:30", 1, "working_hour", "2026-02-24 09:00"),  # on New Year's day itself
        ("2026-02-14 23:30", 2, "emergency_hour", "2026-02-15 01:30"),
        ("2026-02-14 10:00", 9, "calendar_day", "2026-02-23 10:00"),
        ("2026-02-27 10:00", 2, "working_day", "2026-03-02 10:00"),  # over the worked Saturday
        # The turn of the year: 1 to 3 January 2026 are off, Sunday 4 is worked.
        ("2025-12-31 17:00", 2, "working_hour", "2026-01-04 09:00"),
        ("2025-12-31 10:00", 2, "working_day", "2026-01-05 10:00"),
        ("2025-12-31 23:00", 4, "emergency_hour", "2026-01-01 03:00"),
        ("2026-07-01 09:00", 0, "working_hour", "2026-07-01 09:00"),
    ],
)
def test_when_a_limit_ends(start: str, value: float, unit: str, wanted: str) -> None:
    assert due_at(at(start), TimeLimit(value=value, unit=unit), zone=ZONE) == at(wanted)


def test_a_year_without_published_holidays_has_no_working_days() -> None:
    begin = datetime(2090, 1, 2, 9, tzinfo=ZONE)
    assert due_at(begin, TimeLimit(value=1, unit="working_day"), zone=ZONE) is None
    assert due_at(begin, TimeLimit(value=1, unit="calendar_day"), zone=ZONE) is not None
    assert due_at(begin, TimeLimit(value=1, unit="fortnight"), zone=ZONE) is None
    # What ends before the year does is known, what goes over its end is not.
    eve = at("2026-12-31 16:00")
    assert due_at(eve, TimeLimit(value=2, unit="working_hour"), zone=ZONE) == at("2026-12-31 18:00")
    assert due_at(eve, TimeLimit(value=3, unit="working_hour"), zone=ZONE) is None


def test_a_deadline_in_a_year_not_published_is_provisional_and_thinks_weekends_off() -> None:
    day, hours = TimeLimit(value=1, unit="working_day"), TimeLimit(value=3, unit="working_hour")
    friday = datetime(2090, 1, 6, 9, tzinfo=ZONE)
    assert deadline(friday, day, zone=ZONE) == (at("2090-01-09 09:00"), 2090)
    eve = datetime(2089, 12, 30, 16, tzinfo=ZONE)  # a Friday, and 2090 begins on a Sunday
    known = Calendar(years=[2089])
    assert deadline(eve, hours, zone=ZONE, calendar=known) == (at("2090-01-02 09:00"), 2090)
    two = TimeLimit(value=2, unit="working_hour")
    assert deadline(eve, two, zone=ZONE, calendar=known) == (at("2089-12-30 18:00"), None)
    # What the city states itself is not guessed.
    stated = Calendar(years=[2089, 2090], holidays=[date(2090, 1, 2)])
    assert deadline(eve, hours, zone=ZONE, calendar=stated) == (at("2090-01-03 09:00"), None)
    assert deadline(friday, TimeLimit(value=1, unit="fortnight"), zone=ZONE) is None


@pytest.mark.parametrize(
    ("start", "value", "unit", "wanted"),
    [
        # 2027 is not published: off are weekends, 1 January (a Friday) and 5 to 8 February (Friday to Monday).
        ("2026-12-31 16:00", 3, "working_hour", "2027-01-04 09:00"),
        ("2026-12-31 10:00", 2, "working_day", "2027-01-05 10:00"),
        ("2027-02-04 17:00", 2, "working_hour", "2027-02-09 09:00"),
        ("2027-04-02 17:00", 2, "working_hour", "2027-04-06 09:00"),  # Qingming, a Monday
        ("2027-09-14 17:00", 2, "working_hour", "2027-09-16 09:00"),  # Mid-Autumn, a Wednesday
        ("2027-09-30 10:00", 1, "working_day", "2027-10-04 10:00"),
        ("2090-09-29 17:00", 2, "working_hour", "2090-10-04 09:00"),  # Friday; 1 October a Sunday
    ],
)
def test_holidays_of_the_law_are_off_before_they_are_published(
    start: str, value: float, unit: str, wanted: str
) -> None:
    calendar = Calendar(years=[2026])
    found = deadline(at(start), TimeLimit(value=value, unit=unit), zone=ZONE, calendar=calendar)
    assert found == (at(wanted), int(wanted[:4]))


def test_a_provisional_end_says_which_notice_is_missing_and_how_it_is_loaded() -> None:
    limit = TimeLimit(value=2, unit="working_day")
    told = ending(deadline(at("2026-12-31 10:00"), limit, zone=ZONE))
    assert told["due_is_provisional"]
    assert "holidays of 2027 is not loaded" in told["due_note"]
    assert "years = [2027] and run wanmi snapshot" in told["due_note"]
    assert "尚未载入国务院 2027 年放假通知" in told["due_note_zh"]
    firm = ending(deadline(at("2026-12-29 10:00"), limit, zone=ZONE))
    assert firm == {
        "due_at": at("2026-12-31 10:00"),
        "due_is_provisional": False,
        "due_note": None,
        "due_note_zh": None,
    }


def test_a_year_stated_in_full_may_work_a_holiday_of_the_law_only_by_name(tmp_path: Path) -> None:
    days = [date(2027, *day) for day in ((2, 5), (2, 8), (4, 5), (6, 9), (9, 15), (10, 1))]
    calendar = Calendar(years=[2027], holidays=days, workdays=[date(2027, 1, 1)])
    assert read_calendar(calendar, tmp_path).is_workday(date(2027, 1, 1))
    # Years before the law of 2025 had other holidays.
    assert read_calendar(Calendar(years=[2003]), tmp_path).years == [2003]


def test_at_the_ends_of_the_calendar_there_is_no_end() -> None:
    west = datetime(9999, 12, 31, 23, tzinfo=ZoneInfo("America/Los_Angeles"))
    east = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    for start in (west, east):
        for unit in ("emergency_hour", "working_hour", "working_day", "calendar_day"):
            assert due_at(start, TimeLimit(value=48, unit=unit), zone=ZONE) is None


def test_a_limit_beyond_all_measure_has_no_end() -> None:
    for value in (1e12, float("inf"), float("nan"), -1.0):
        for unit in ("emergency_hour", "working_hour", "working_day", "calendar_day"):
            assert (
                due_at(at("2026-07-01 09:00"), TimeLimit(value=value, unit=unit), zone=ZONE) is None
            )


@pytest.mark.parametrize(
    ("start", "value", "unit", "wanted"),
    [
        ("2026-07-01 13:00", 1, "working_hour", "2026-07-01 15:30"),  # summer: 14:30
        ("2026-04-01 13:00", 1, "working_hour", "2026-04-01 14:30"),  # winter: 13:30
        ("2026-06-01 17:00", 2, "working_hour", "2026-06-02 09:30"),
        # A working day is a day of whatever length: 7.5 h on 29 May, 7 h on 1 June.
        ("2026-05-29 13:30", 1, "working_day", "2026-06-01 11:46:00"),
        ("2026-02-27 17:00", 1, "working_hour", "2026-02-28 09:00"),
        (
            "2026-02-28 17:00",
            1,
            "working_hour",
            "2026-03-03 09:00",
        ),  # the 2nd is the city's own holiday
        (
            "2026-03-06 17:00",
            1,
            "working_hour",
            "2026-03-07 09:00",
        ),  # the 7th, a Saturday, is worked
    ],
)
def test_a_citys_own_hours_and_days(start: str, value: float, unit: str, wanted: str) -> None:
    calendar = parse_profile(SEASONS).calendar
    end = due_at(at(start), TimeLimit(value=value, unit=unit), zone=ZONE, calendar=calendar)
    assert end == at(wanted)


def test_hours_hold_from_their_day_on_and_round_the_clock() -> None:
    told = """
[[calendar.hours]]
spans = ["00:00-24:00"]
valid_from = 2026-07-02
valid_to = 2026-07-03
[[calendar.hours]]
spans = ["09:00-17:00"]
from = "11-01"
to = "03-31"
"""
    calendar = parse_profile(CITY + told).calendar
    limit = TimeLimit(value=12, unit="working_hour")
    # 1 July: 16-18 is 2 h, 2 July gives the 10 h left from midnight on.
    assert due_at(at("2026-07-01 16:00"), limit, zone=ZONE, calendar=calendar) == at(
        "2026-07-02 10:00"
    )
    assert due_at(at("2026-01-05 16:00"), limit, zone=ZONE, calendar=calendar) == at(
        "2026-01-07 12:00"
    )


def test_an_hour_is_an_hour_when_the_clock_is_put_back() -> None:
    # Shanghai has no summer time; where there is one, the clock time tells the difference.
    berlin = ZoneInfo("Europe/Berlin")
    limit = TimeLimit(value=4, unit="emergency_hour")
    assert due_at(at("2026-10-25 01:00", berlin), limit, zone=berlin) == at(
        "2026-10-25 04:00", berlin
    )
    assert due_at(at("2026-10-25 01:00"), limit, zone=ZONE) == at("2026-10-25 05:00")


def test_a_file_of_days_is_part_of_the_snapshot(tmp_path: Path) -> None:
    (tmp_path / "calendar.csv").write_bytes(
        "日期,类型\n2027/1/1,放假\n2027/1/4,放假\n2027-01-09,班\n"
        "2027-02-05,放假\n2027-02-08,放假\n2027-04-05,放假\n2027-06-09,放假\n2027-09-15,放假\n"
        "2027-10-01,放假\n".encode("gb18030")
    )
    told = parse_profile(CITY + '[calendar]\nfile = "calendar.csv"\nyears = [2027]\n').calendar
    calendar = read_calendar(told, tmp_path)
    limit = TimeLimit(value=1, unit="working_day")
    # Tuesday after the New Year of the list, which holds the Monday too.
    assert due_at(at("2027-01-01 10:00"), limit, zone=ZONE, calendar=calendar) == at(
        "2027-01-05 18:00"
    )
    assert due_at(at("2027-01-08 10:00"), limit, zone=ZONE, calendar=calendar) == at(
        "2027-01-09 10:00"
    )
    city = profile(CITY + "[calendar]\nholidays = [2027-01-04]\nyears = [2027]\n")
    assert (
        open_snapshot(compile_district(tmp_path / "s", city=city)).profile.calendar == city.calendar
    )


@pytest.mark.parametrize(
    ("told", "lines", "match"),
    [
        ('file = "../calendar.csv"', None, "not in the workspace"),
        ('file = "none.csv"', None, "not in the workspace"),
        ('file = "c.csv"', "date,kind\n2027-02-30,holiday\n", "line 2"),
        ('file = "c.csv"', "date,kind\n2027-02-03,maybe\n", "line 2"),
        ('file = "c.csv"', "day,what\n2027-02-03,holiday\n", "line 2"),
        ("years = [2027]", None, "2027-01-01, 2027-02-05, 2027-02-08, .* would be worked"),
        (
            'file = "c.csv"\nyears = [2027]',
            "date,kind\n2026-01-01,holiday\n",
            "2027 is stated in full",
        ),
        ('[[calendar.hours]]\nspans = ["12:00-08:00"]', None, "not in order"),
        ('[[calendar.hours]]\nspans = ["08:00-12:00", "11:00-18:00"]', None, "not in order"),
    ],
)
def test_a_wrong_calendar_is_refused(
    tmp_path: Path, told: str, lines: str | None, match: str
) -> None:
    if lines is not None:
        (tmp_path / "c.csv").write_text(lines, encoding="utf-8")
    calendar = parse_profile(f"{CITY}[calendar]\n{told}\n").calendar
    with pytest.raises(SettingsError, match=match):
        read_calendar(calendar, tmp_path)


@pytest.mark.parametrize("told", ['spans = ["8-12"]', 'spans = []\nfrom = "13-01"', "hours = 1"])
def test_a_calendar_that_can_not_be_read_names_its_key(told: str) -> None:
    with pytest.raises(SettingsError, match="calendar"):
        parse_profile(f"{CITY}[[calendar.hours]]\n{told}\n")
