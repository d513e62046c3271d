"""Seasons, hours and time limits as people write them."""

import re
import unicodedata

_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NEXT = r"(?:次年|翌年|第二年)?\s*"
_DAY = rf"{_NEXT}(\d{{1,2}})\s*[-月./]\s*(\d{{1,2}})\s*日?"
_TO = r"\s*(?:/|~|～|—+|－|–|至|到|-)\s*"
_EVENING = r"(?:次日|翌日|第二天|当日)?\s*(?:早上?|晨|凌晨|上午|下午|晚上?|夜)?\s*"
_TIME = r"(\d{1,2})\s*[:：时点]\s*(\d{2})?\s*分?"
_SEASON = re.compile(rf"{_DAY}{_TO}{_DAY}")
_MONTHS = re.compile(rf"(\d{{1,2}})\s*月?{_TO}{_NEXT}(\d{{1,2}})\s*月")
_HOURS = re.compile(rf"{_EVENING}{_TIME}{_TO}{_EVENING}{_TIME}")
_LIMIT = re.compile(r"([\d.]+|[半一二两三四五六七八九十]+)\s*个?\s*(\D+?)\s*(?:内|以内|之内)?")
_ALWAYS = frozenset(
    {"全年", "常年", "全天", "全日", "全时段", "全天候", "不限", "/", "-", "—", "无"}
)
_FIGURES = {name: float(value) for value, name in enumerate("一二三四五六七八九十", 1)} | {
    "半": 0.5,
    "两": 2.0,
}
_LIMIT_UNITS = {
    "紧急工作时": "emergency_hour",
    "紧急工作小时": "emergency_hour",
    "小时": "emergency_hour",
    "h": "emergency_hour",
    "时": "emergency_hour",
    "工作时": "working_hour",
    "工作小时": "working_hour",
    "工作日": "working_day",
    "工作天": "working_day",
    "自然日": "calendar_day",
    "日历天": "calendar_day",
    "日历日": "calendar_day",
    "天": "calendar_day",
    "日": "calendar_day",
}


def is_always(text: str) -> bool:
    """Tell whether a season or hours say that there is no limit in time.

    Examples
    --------
    >>> [is_always(text) for text in ("全年", " 全天 ", "冬季")]
    [True, True, False]
    """
    return "".join(text.split()) in _ALWAYS


def read_season(text: str) -> str | None:
    """Return a season as ``MM-DD/MM-DD``, both days included; it may wrap the year. None: unreadable.

    Whole months begin on their first day and end on their last; February ends on the 29th.

    Examples
    --------
    >>> read_season("11-15/03-15"), read_season("6月1日至9月30日"), read_season("13-01/01-01")
    ('11-15/03-15', '06-01/09-30', None)
    >>> read_season("11月15日至次年3月15日"), read_season("4-10月")
    ('11-15/03-15', '04-01/10-31')
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _SEASON.fullmatch(plain)
    months = _MONTHS.fullmatch(plain)
    if found:
        values = [int(part) for part in found.groups()]
        days = list(zip(values[::2], values[1::2], strict=True))
    elif months:
        first, last = int(months[1]), int(months[2])
        days = [(first, 1), (last, _DAYS_IN_MONTH[last - 1] if 1 <= last <= 12 else 0)]
    else:
        return None
    if not all(1 <= month <= 12 and 1 <= day <= _DAYS_IN_MONTH[month - 1] for month, day in days):
        return None
    return "/".join(f"{month:02}-{day:02}" for month, day in days)


def read_hours(text: str) -> str | None:
    """Return hours as ``HH:MM/HH:MM``, the end not included; they may wrap midnight.

    Midnight is 00:00 at both ends. None: unreadable, or the two are one; all day is left blank.

    Examples
    --------
    >>> read_hours("22:00/06:00"), read_hours("18:30-24:00"), read_hours("25:00/06:00")
    ('22:00/06:00', '18:30/00:00', None)
    >>> read_hours("晚22时至次日6时")
    '22:00/06:00'
    """
    found = _HOURS.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not found:
        return None
    values = [int(part or 0) for part in found.groups()]
    times = list(zip(values[::2], values[1::2], strict=True))
    times = [(0, 0) if time == (24, 0) else time for time in times]
    if not all(hour < 24 and minute < 60 for hour, minute in times) or times[0] == times[1]:
        return None
    return "/".join(f"{hour:02}:{minute:02}" for hour, minute in times)


def read_limit(text: str) -> tuple[float, str] | None:
    """Return a time limit written as one text: its value and unit; None: unreadable.

    Plain hours 小时 run day and night, as emergency hours do; plain days 天 are days of the calendar.

    Examples
    --------
    >>> read_limit("4紧急工作时"), read_limit("2个工作日"), read_limit("24小时"), read_limit("7天")
    ((4.0, 'emergency_hour'), (2.0, 'working_day'), (24.0, 'emergency_hour'), (7.0, 'calendar_day'))
    >>> read_limit("半个工作日内"), read_limit("尽快")
    ((0.5, 'working_day'), None)
    """
    found = _LIMIT.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    if not found:
        return None
    unit = _LIMIT_UNITS.get(found[2].lower())
    value = _figure(found[1])
    return None if unit is None or not value or value <= 0 else (value, unit)


def _figure(text: str) -> float | None:
    if text in _FIGURES:
        return _FIGURES[text]
    if len(text) == 2 and text[0] == "十" and text[1] in _FIGURES:
        return 10 + _FIGURES[text[1]]
    try:
        return float(text)
    except ValueError:
        return None
