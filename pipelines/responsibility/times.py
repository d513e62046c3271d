"""Seasons, hours and time limits as people write them."""

import re
import unicodedata

_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NEXT = r"(?:次年|翌年|第二年)?\s*"
_DAY = rf"{_NEXT}(\d{{1,2}})\s*[-月./]\s*(\d{{1,2}})\s*日?"
_TO = r"\s*(?:/|~|～|—+|－|–|至|到|-+)\s*"
_PART = r"(次日|翌日|第二天|当日|每日|每天)?\s*(清晨|凌晨|早上?|晨|上午|中午|下午|傍晚|晚上?|夜间?|夜里)?\s*"
_TIME = r"(\d{1,2})\s*[:：时点]\s*(\d{2}|半)?\s*分?"
_SEASON = re.compile(rf"{_DAY}{_TO}{_DAY}")
_MONTHS = re.compile(rf"(\d{{1,2}})\s*月?{_TO}{_NEXT}(\d{{1,2}})\s*月")
_MONTH = re.compile(r"(\d{1,2})\s*月份?")
_HOURS = re.compile(rf"{_PART}{_TIME}{_TO}{_PART}{_TIME}")
_WHOLE_HOURS = re.compile(rf"({_PART}\d{{1,2}})({_TO}{_PART}\d{{1,2}}\s*[时点])")
_LIMIT = re.compile(r"([\d.]+|[半一二两三四五六七八九十]+)\s*个?\s*(\D+?)\s*(?:内|以内|之内)?")
_ALWAYS = frozenset(
    {
        "全年",
        "常年",
        "全天",
        "全日",
        "全时段",
        "全天候",
        "不限",
        "/",
        "-",
        "—",
        "无",
        "24小时",
        "全天24小时",
    }
)
_WHOLE_DAY = re.compile(rf"0{{1,2}}(?:[:时点](?:00)?分?)?{_TO}24(?:[:时点](?:00)?分?)?")
_NEXT_DAY = ("次日", "翌日", "第二天")
_OWN_FORM = re.compile(r"\d\d:\d\d/\d\d:\d\d")
_EVENING_HOUR = 18
"""Hours that begin from here on and end in the morning are a night."""
_MORNING = ("早", "早上", "凌晨", "清晨", "晨")
_AFTERNOON = {"下午": 1, "傍晚": 4, "晚": 5, "晚上": 5, "夜": 6, "夜间": 6, "夜里": 6}
"""Part of the day -> first hour of a clock of twelve hours that is one of its afternoon or evening."""
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
_WEEKS = ("周", "星期", "礼拜")


def is_always(text: str) -> bool:
    """Tell whether a season or hours say that there is no limit in time.

    Examples
    --------
    >>> [is_always(text) for text in ("全年", " 全天 ", "冬季", "0:00-24:00", "0时至24时", "00:00-04:00")]
    [True, True, False, True, True, False]
    """
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return plain in _ALWAYS or _WHOLE_DAY.fullmatch(plain) is not None


def read_season(text: str) -> str | None:
    """Return a season as ``MM-DD/MM-DD``, both days included; it may wrap the year. None: unreadable.

    Whole months begin on their first day and end on their last; February ends on the 29th.

    Examples
    --------
    >>> read_season("11-15/03-15"), read_season("6月1日至9月30日"), read_season("13-01/01-01")
    ('11-15/03-15', '06-01/09-30', None)
    >>> read_season("11月15日至次年3月15日"), read_season("4-10月")
    ('11-15/03-15', '04-01/10-31')
    >>> read_season("6月"), read_season("每年6月1日--9月30日")
    ('06-01/06-30', '06-01/09-30')
    """
    plain = unicodedata.normalize("NFKC", text).strip().removeprefix("每年").strip()
    single = _MONTH.fullmatch(plain)
    plain = f"{single[1]}-{single[1]}月" if single else plain
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

    Midnight is 00:00 at both ends. Hours of a clock of twelve hours are told by their part of the day.
    None: unreadable, doubtful (the end is before the begin without being a night or the next day), or the
    two are one; all day is left blank. What is written as it is returned is read as it is.

    Examples
    --------
    >>> read_hours("22:00/06:00"), read_hours("18:30-24:00"), read_hours("25:00/06:00")
    ('22:00/06:00', '18:30/00:00', None)
    >>> read_hours("晚22时至次日6时")
    '22:00/06:00'
    >>> read_hours("上午8点半至下午6点"), read_hours("晚10点-次日早6点"), read_hours("早8时至晚12时")
    ('08:30/18:00', '22:00/06:00', '08:00/00:00')
    >>> read_hours("下午2:00-5:30"), read_hours("晚10时至6时")
    ('14:00/17:30', '22:00/06:00')
    >>> read_hours("早8时至12时"), read_hours("中午12点-2点"), read_hours("下午1时至12时"), read_hours("上午8时至5时")
    ('08:00/12:00', '12:00/14:00', '13:00/00:00', None)
    >>> read_hours("6-22时"), read_hours("晚10至次日6点"), read_hours("6-22")
    ('06:00/22:00', '22:00/06:00', None)
    >>> read_hours("晚上0时至5时"), read_hours("上午12时至2时"), read_hours("8时至5时"), read_hours("8时至次日5时")
    ('00:00/05:00', '12:00/14:00', None, '08:00/05:00')
    >>> read_hours("下午3时至14时"), read_hours("20时至8时")
    (None, '20:00/08:00')
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    whole = _WHOLE_HOURS.fullmatch(plain)
    found = _HOURS.fullmatch(f"{whole[1]}时{whole[4]}" if whole else plain)
    if not found:
        return None
    _, part, hour, minute, day, end_part, end_hour, end_minute = found.groups()
    begin = (_hour(part, int(hour)), _minute(minute))
    begin = (0, 0) if begin == (24, 0) else begin
    is_one_part = end_part in (None, part)
    if end_part is None and day not in _NEXT_DAY:
        if part in (*_MORNING, "上午", "下午") and int(end_hour) < int(hour) < 12:
            return None  # 上午8时至5时: this evening or next morning
        if part in _AFTERNOON and begin[0] < 12:  # 晚上0时至5时: after midnight, and so is the end
            if part in ("下午", "傍晚") or int(end_hour) == 12:
                return None
        else:
            end_part = _going_on(part, int(hour), int(end_hour))
    end = (_hour(end_part, int(end_hour)), _minute(end_minute))
    if day not in _NEXT_DAY and end < begin and not _OWN_FORM.fullmatch(plain):
        is_short = part is None and end_part is None and max(int(hour), int(end_hour)) <= 12
        is_night = begin[0] >= _EVENING_HOUR and end[0] < 12
        if (is_short and end != (0, 0)) or (part is not None and is_one_part and not is_night):
            return None  # 8时至5时, 下午3时至14时
    times = [begin, (0, 0) if end == (24, 0) else end]
    if not all(hour < 24 and minute < 60 for hour, minute in times) or times[0] == times[1]:
        return None
    return "/".join(f"{hour:02}:{minute:02}" for hour, minute in times)


def _going_on(part: str | None, hour: int, end_hour: int) -> str | None:
    """Return the part of the day in which hours end that name it only where they begin.

    下午2时至5时 ends in the afternoon, 晚10时至6时 in the morning.

    Examples
    --------
    >>> _going_on("下午", 2, 5), _going_on("晚", 10, 6), _going_on("早", 8, 12), _going_on("下午", 12, 3)
    ('下午', None, '中午', '下午')
    """
    if part == "中午" or (part in ("上午", "下午") and hour == 12):
        return "下午"
    if hour < end_hour == 12:
        return {"下午": "晚"}.get(part or "", "中午" if part in _MORNING else part)
    return part if hour <= end_hour else None


def _hour(part: str | None, hour: int) -> int:
    """Return the hour of the day of an hour as it is said: 6 in the afternoon is 18.

    Examples
    --------
    >>> _hour("下午", 6), _hour("夜", 1), _hour("晚", 12), _hour("中午", 12), _hour("中午", 1)
    (18, 1, 24, 12, 13)
    """
    if part == "中午":
        return hour + 12 if hour in (1, 2) else hour
    if part in _MORNING and hour == 12:
        return 24
    first = _AFTERNOON.get(part or "")
    if first is None:
        return hour
    if hour == 12:
        return 12 if part == "下午" else 24
    return hour + 12 if first <= hour < 12 else hour


def _minute(text: str | None) -> int:
    return 30 if text == "半" else int(text or 0)


def read_limit(text: str) -> tuple[float, str] | None:
    """Return a time limit written as one text: its value and unit; None: unreadable.

    Plain hours 小时 run day and night, as emergency hours do; plain days 天 are days of the calendar, seven
    of them a week 周. Months are not read: they differ in length.

    Examples
    --------
    >>> read_limit("4紧急工作时"), read_limit("2个工作日"), read_limit("24小时"), read_limit("7天")
    ((4.0, 'emergency_hour'), (2.0, 'working_day'), (24.0, 'emergency_hour'), (7.0, 'calendar_day'))
    >>> read_limit("半个工作日内"), read_limit("尽快")
    ((0.5, 'working_day'), None)
    >>> read_limit("30分钟"), read_limit("二十四小时"), read_limit("十五日内")
    ((0.5, 'emergency_hour'), (24.0, 'emergency_hour'), (15.0, 'calendar_day'))
    >>> read_limit("1周"), read_limit("两个星期内"), read_limit("半周"), read_limit("1个月")
    ((7.0, 'calendar_day'), (14.0, 'calendar_day'), None, None)
    """
    found = _LIMIT.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    if not found:
        return None
    unit = _LIMIT_UNITS.get(found[2].lower())
    value = _figure(found[1])
    if value is not None and found[2] in _WEEKS and value == int(value):
        unit, value = "calendar_day", 7 * value
    if value is not None and found[2] in ("分钟", "分"):
        unit, value = "emergency_hour", value / 60
    return None if unit is None or not value or value <= 0 else (value, unit)


def _figure(text: str) -> float | None:
    if text in _FIGURES:
        return _FIGURES[text]
    tens, mark, ones = text.partition("十")
    if mark and (not tens or tens in _FIGURES) and (not ones or ones in _FIGURES):
        return 10 * _FIGURES.get(tens, 1.0) + _FIGURES.get(ones, 0.0)
    try:
        return float(text)
    except ValueError:
        return None
