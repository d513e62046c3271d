"""Cells that name several seasons or hours, and words for them: 08:00-12:00、14:00-18:00, 汛期（6月1日至9月30日）."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from gis.remarks import NOTHING, Remark
from pipelines.responsibility.times import read_hours, read_season

_LIST = re.compile(r"[;,、\n|&+]|和|及|与")
_BETWEEN = re.compile(r"(?<=[\d时点分半])\s+(?=\D{0,3}\d)|(?<=\d)/(?=\D{0,3}\d{1,2}[:时点])")
_DEFINED = (
    re.compile(r"(?P<word>\D{2,4})\((?P<times>.+)\)"),
    re.compile(r"(?P<word>[^\d():]{2,4}?):?\s*(?P<times>(?:每年)?\d[^()]*)"),
    re.compile(r"(?P<times>[^()]*\d[^()]*)\((?P<word>\D{2,4})\)"),
)
_SEASONS = re.compile(
    r"主?汛期|[采供]暖[期季]|[春夏秋冬]季|[春夏秋冬]天|雨季|旱季|枯水期|丰水期|防火期"
)
_DAYTIME = ("昼间", "日间", "白天", "白昼")
_NAMED_HOURS = {**dict.fromkeys(_DAYTIME, ""), "早高峰": "早", "晚高峰": "晚", "夜市": "晚"} | {
    name: name
    for name in ("上午", "中午", "下午", "傍晚", "晚上", "夜间", "夜里", "凌晨", "清晨", "早上")
}
"""Words for hours -> the part of the day that the hours behind them are of."""
_WORDED = re.compile("[早晨午晚夜昼白]|日间")
_WEEK = re.compile("工作日|节假日|假日|双休|周|星期|礼拜")
_NOON = 12
_DAWN = "05:00"


def read_seasons(text: str) -> tuple[str, ...] | None:
    """Return all seasons that a cell names, as `read_season` has them; None: unreadable.

    A word for a season says nothing by itself: its days stand behind it.

    Examples
    --------
    >>> read_seasons("3-5月、9-11月"), read_seasons("汛期（6月1日至9月15日）")
    (('03-01/05-31', '09-01/11-30'), ('06-01/09-15',))
    >>> read_seasons("6月1日至9月15日（汛期）"), read_seasons("冬季：11-2月")
    (('06-01/09-15',), ('11-01/02-29',))
    >>> read_seasons("汛期"), read_seasons("非汛期(6-9月)")
    (None, None)
    """
    found = [_season(piece) for piece in _pieces(_plain(text))]
    return tuple(dict.fromkeys(each for each in found if each)) if all(found) else None


def _season(text: str) -> str | None:
    word, times = _defined(text)
    return read_season(times if _SEASONS.fullmatch(word) else text)


def _defined(text: str) -> tuple[str, str]:
    """Return a word for times and the times that it is said to have; empty: nothing of the kind.

    Examples
    --------
    >>> _defined("汛期(6-9月)"), _defined("昼间6:00-22:00"), _defined("6-9月(汛期)"), _defined("6-9月")
    (('汛期', '6-9月'), ('昼间', '6:00-22:00'), ('汛期', '6-9月'), ('', ''))
    """
    found = next(filter(None, (form.fullmatch(text) for form in _DEFINED)), None)
    return ("", "") if found is None else (found["word"], found["times"])


def read_hour_spans(text: str) -> tuple[str, ...] | None:
    """Return all hours that a cell names, as `read_hours` has them; None: unreadable or doubtful.

    Doubtful is a later span that may be of a clock of twelve hours: 8:00-12:00、2:00-6:00.

    Examples
    --------
    >>> read_hour_spans("08:00-12:00、14:00-18:00"), read_hour_spans("上午8:30-12:00 下午2:00-5:30")
    (('08:00/12:00', '14:00/18:00'), ('08:30/12:00', '14:00/17:30'))
    >>> read_hour_spans("夜间（22:00-次日6:00）"), read_hour_spans("昼间(6时至22时)")
    (('22:00/06:00',), ('06:00/22:00',))
    >>> read_hour_spans("昼间6:00-22:00；夜间22:00-6:00"), read_hour_spans("5:00-7:00（晚高峰）")
    (('06:00/22:00', '22:00/06:00'), ('17:00/19:00',))
    >>> read_hour_spans("8:00-12:00、2:00-6:00"), read_hour_spans("下午2:00-3:00、4:00-5:00")
    (None, None)
    >>> read_hour_spans("夜间"), read_hour_spans("工作日（8:00-18:00）"), read_hour_spans("白天（1:00-5:00）")
    (None, None, None)
    """
    plain = _plain(text)
    one = _hours(plain)
    if one is not None:
        return (one,)
    pieces = list(_pieces(plain))
    if any(_hours(piece) is None for piece in pieces):
        pieces = [part.strip() for piece in pieces for part in _BETWEEN.split(piece)]
    found = [_hours(piece) for piece in pieces]
    if not all(found) or any(_is_doubtful(before, piece) for before, piece in pairwise(pieces)):
        return None
    return tuple(dict.fromkeys(each for each in found if each))


def _hours(text: str) -> str | None:
    word, times = _defined(text)
    part = _NAMED_HOURS.get(word)
    if part is None:
        return read_hours(text)
    found = read_hours(times if _WORDED.match(times) else f"{part}{times}")
    if found is not None and word in _DAYTIME:
        begin, _, end = found.partition("/")
        return found if _DAWN <= begin < end else None
    return found


def _is_doubtful(before: str, piece: str) -> bool:
    """Tell whether hours behind others may be meant for the afternoon without saying so."""
    first, then = (int(re.findall(r"\d+", text)[0]) for text in (before, piece))
    if _WORDED.search(piece) or then >= _NOON:
        return False
    return bool(_WORDED.search(before)) or then < first <= _NOON


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _pieces(text: str) -> Iterator[str]:
    for piece in _LIST.split(text):
        if piece.strip():
            yield piece.strip()


def why_no_season(text: str) -> tuple[Remark, str]:
    """Return why a season can not be read, if that is known, and how it is written.

    Examples
    --------
    >>> why_no_season("汛期")[1], why_no_season("13-01/01-01")[1]
    ('汛期（6月1日至9月30日）', '11-15/03-15')
    """
    named = _SEASONS.fullmatch(_plain(text))
    if named is None:
        return NOTHING, "11-15/03-15"
    en, zh = ", as no standard says which days it has", "，其起止日期没有统一规定"
    days = "11月15日至次年3月15日" if "暖" in named[0] else "6月1日至9月30日"
    return Remark(en=en, zh=zh), f"{named[0]}（{days}）"


def why_no_hours(text: str) -> tuple[Remark, str]:
    """Return why hours can not be read, if that is known, and how they are written.

    Examples
    --------
    >>> why_no_hours("夜间")[1], why_no_hours("工作日8:00-18:00")[0].zh, why_no_hours("8-18")[1]
    ('夜间（22:00-次日6:00）', '，方案不区分星期和节假日', '22:00/06:00')
    """
    plain = _plain(text)
    if plain in _NAMED_HOURS:
        hours = "6:00-22:00" if plain in _DAYTIME else "22:00-次日6:00"
        hours = hours if plain in (*_DAYTIME, "夜间", "夜里", "晚上") else "17:00-19:00"
        en, zh = ", as each city says itself which hours it has", "，其起止时间由各市自行规定"
        return Remark(en=en, zh=zh), f"{plain}（{hours}）"
    if _WEEK.search(plain):
        en, zh = (
            ", as a plan does not tell days of the week or holidays apart",
            "，方案不区分星期和节假日",
        )
        return Remark(en=en, zh=zh), "08:00/18:00"
    if _LIST.search(plain) or _BETWEEN.search(plain):
        en, zh = ", as one of its spans is not clear", "，其中有时段不明确"
        return Remark(en=en, zh=zh), "08:00-12:00、14:00-18:00"
    return NOTHING, "22:00/06:00"
