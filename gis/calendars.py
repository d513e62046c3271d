"""The working calendar 工作日历 of a city: hours by season, holidays and weekends that are worked."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date, time, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any

import chinese_calendar
import msgspec

from gis.codes import read_table
from gis.errors import SettingsError

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)")
_WEEKEND = (5, 6)
_LAW_SINCE = 2025
"""First year to which the holidays of ``gis/codes/statutory_holidays.csv`` apply."""
_KINDS = {
    "holiday": "holidays",
    "节假日": "holidays",
    "放假": "holidays",
    "休": "holidays",
    "workday": "workdays",
    "工作日": "workdays",
    "上班": "workdays",
    "班": "workdays",
    "调休上班": "workdays",
}

Spans = tuple[tuple[time, time], ...]
MonthDay = Annotated[str, msgspec.Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
SpanText = Annotated[str, msgspec.Meta(pattern=f"^{_SPAN.pattern}$")]

USUAL_SPANS: Spans = ((time(8), time(12)), (time(14), time(18)))
"""Hours that count as working time where the city says nothing, local."""


class Hours(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename={"since": "from"}
):
    """One ``[[calendar.hours]]``: working hours 作息时间 of a season, and from when on they hold."""

    spans: list[SpanText]
    """Spans of a day in order, local: 08:30-12:00."""
    since: MonthDay = "01-01"
    """``from``: first day of the season, month-day; a season may go over the turn of the year."""
    to: MonthDay = "12-31"
    """Last day of the season, included."""
    valid_from: date | None = None
    """First day on which these hours hold at all; None: always."""
    valid_to: date | None = None
    """Day from which they no longer hold; None: they hold."""

    def holds(self, day: date) -> bool:
        """Say whether these hours hold on a day."""
        if (self.valid_from and day < self.valid_from) or (self.valid_to and day >= self.valid_to):
            return False
        text = f"{day:%m-%d}"
        if self.since <= self.to:
            return self.since <= text <= self.to
        return text >= self.since or text <= self.to


@lru_cache(maxsize=10_000)
def _is_published_workday(day: date) -> bool | None:
    """Say whether a day is worked by the published holidays; None: those of its year are not yet."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # the library's word for a year without published holidays
        return None


Year = Annotated[int, msgspec.Meta(ge=1949, le=2999)]


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``[calendar]`` table: when the city's units work."""

    file: str | None = None
    """CSV in the workspace with the columns date and kind (holiday, workday); it adds to the lists."""
    holidays: list[date] = []
    """Days off beside weekends and the published holidays."""
    workdays: list[date] = []
    """Days worked although a weekend or a published holiday; they win over ``holidays``."""
    years: list[Year] = []
    """Years whose holidays these lists state in full: nothing else is asked about them."""
    hours: list[Hours] = []
    """Working hours by season, the first that holds counts; none: 8-12 and 14-18."""

    def is_workday(self, day: date) -> bool | None:
        """Say whether a day is worked; None: the holidays of its year are not published yet.

        Examples
        --------
        >>> calendar = Calendar(holidays=[date(2026, 3, 2)])
        >>> [calendar.is_workday(day) for day in (date(2026, 2, 28), date(2026, 3, 1), date(2026, 3, 2))]
        [True, False, False]
        >>> calendar.is_workday(date(2090, 1, 2)) is None
        True
        """
        if day in self.workdays:
            return True
        if day in self.holidays:
            return False
        if day.year in self.years:
            return not is_weekend(day)
        return _is_published_workday(day)

    def spans(self, day: date) -> Spans:
        """Return the working hours of a day that is worked."""
        for hours in self.hours:
            if hours.holds(day):
                return read_spans(hours.spans)
        return USUAL_SPANS


def is_weekend(day: date) -> bool:
    """Say whether a day is a Saturday or Sunday.

    Examples
    --------
    >>> is_weekend(date(2026, 7, 4)), is_weekend(date(2026, 7, 6))
    (True, False)
    """
    return day.weekday() in _WEEKEND


def is_statutory(day: date) -> bool:
    """Say whether a day is a holiday by law 法定节假日, known before its year's notice is published.

    The days of 《全国年节及纪念日放假办法》 as of 2025. Those of the lunar calendar are listed as
    far as ``gis/codes/statutory_holidays.csv`` goes; which days are shifted the notice alone says.

    Examples
    --------
    >>> [is_statutory(date(2027, 2, day)) for day in (4, 5, 8, 9)]
    [False, True, True, False]
    >>> is_statutory(date(2090, 10, 3)), is_statutory(date(2090, 10, 4))
    (True, False)
    """
    text = f"{day:%m-%d}"
    return not _statutory().isdisjoint({("", text), (str(day.year), text)})


@cache
def _statutory() -> frozenset[tuple[str, str]]:
    rows = read_table("gis.codes", "statutory_holidays.csv")
    return frozenset((row["year"], row["month_day"]) for row in rows)


def read_spans(texts: Sequence[str]) -> Spans:
    """Return spans of a day; 24:00 is the last moment of it.

    Raises
    ------
    SettingsError
        A span ends before it begins, or begins before the one before it ends.

    Examples
    --------
    >>> read_spans(["08:30-12:00", "14:00-17:30"])[0]
    (datetime.time(8, 30), datetime.time(12, 0))
    """
    spans = [_span(text) for text in texts]
    bounds = [moment for span in spans for moment in span]
    if bounds != sorted(set(bounds)):
        told = ", ".join(texts)
        msg = f"[calendar] hours {told} are not in order: write each span once, the earlier first."
        raise SettingsError(
            msg, zh=f"[calendar] 作息时间 {told} 顺序有误：请按先后填写、不得重叠。"
        )
    return tuple(spans)


def _span(text: str) -> tuple[time, time]:
    match = _SPAN.fullmatch(text)
    if match is None:
        msg = f"[calendar] hours {text!r} can not be read: write 08:30-12:00."
        raise SettingsError(msg, zh=f"[calendar] 作息时间“{text}”无法识别：请写成 08:30-12:00。")
    end = time.max if match[3] is None else time(int(match[3]), int(match[4]))
    return time(int(match[1]), int(match[2])), end


def read_calendar(calendar: Calendar, folder: Path) -> Calendar:
    """Return the calendar with the days of its file among its own; the file need not be kept.

    Parameters
    ----------
    calendar : Calendar
        As the city profile says it.
    folder : Path
        The workspace.

    Raises
    ------
    SettingsError
        The file is not there, lies outside the workspace, or a line of it can not be read; hours
        are not in order; a year that is stated in full lacks a holiday of the law.
    """
    for hours in calendar.hours:
        read_spans(hours.spans)
    found = calendar if calendar.file is None else _with_file(calendar, calendar.file, folder)
    for year in found.years:
        _check_year(found, year)
    return found


def _check_year(calendar: Calendar, year: int) -> None:
    """Refuse a year said to be stated in full whose lists leave a holiday of the law worked.

    That is what ``years`` without the days themselves looks like, or days of another year.
    """
    if year < _LAW_SINCE:
        return
    days = [date(year, 1, 1) + timedelta(days=offset) for offset in range(366)]
    missing = [
        day.isoformat()
        for day in days
        if day.year == year
        and is_statutory(day)
        and calendar.is_workday(day)
        and day not in calendar.workdays
    ]
    if missing:
        told = ", ".join(missing)
        msg = (
            f"[calendar] years says that {year} is stated in full, but {told} would be worked, "
            f"which the law gives off: list all holidays and shifted days of the State Council's "
            f"notice for {year}, or take {year} out of years."
        )
        zh = (
            f"[calendar] years 注明 {year} 年已完整列出，但法定节假日 {told} 未列为放假："
            f"请把国务院 {year} 年放假通知的放假和调休日期全部列入，或从 years 中删去 {year}。"
        )
        raise SettingsError(msg, zh=zh)


def _with_file(calendar: Calendar, file: str, folder: Path) -> Calendar:
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        msg = f"[calendar] file {file} is not in the workspace: put it into {folder}."
        zh = f"[calendar] 日历文件 {file} 不在工作区：请放入 {folder}。"
        raise SettingsError(msg, zh=zh)
    found: dict[str, list[date]] = {"holidays": [], "workdays": []}
    for number, row in enumerate(csv.DictReader(io.StringIO(_text(path))), start=2):
        try:
            kind = _KINDS[_cell(row, "kind", "类型")]
            year, month, day = map(int, re.findall(r"\d+", _cell(row, "date", "日期")))
            found[kind].append(date(year, month, day))
        except (KeyError, ValueError) as error:
            msg = (
                f"{path.name}, line {number}: write date,kind as 2026-02-14,workday or "
                f"2026-02-16,holiday ({error})."
            )
            zh = (
                f"{path.name} 第 {number} 行有误：请写成 2026-02-14,workday 或 2026-02-16,holiday。"
            )
            raise SettingsError(msg, zh=zh) from error
    return msgspec.structs.replace(
        calendar,
        file=None,
        holidays=sorted({*calendar.holidays, *found["holidays"]}),
        workdays=sorted({*calendar.workdays, *found["workdays"]}),
    )


def _text(path: Path) -> str:
    raw = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    msg = f"{path.name} is neither UTF-8 nor GB18030: save it as CSV again."
    raise SettingsError(msg, zh=f"{path.name} 既非 UTF-8 也非 GB18030：请重新另存为 CSV。")


def _cell(row: dict[Any, Any], *names: str) -> str:
    return str(next((row[name] for name in names if row.get(name)), "")).strip()
