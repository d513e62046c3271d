"""The days on which rows of a plan hold, as the plan itself says them: 生效日期 and 失效日期."""

from collections.abc import Iterable
from datetime import date, timedelta

import pandas as pd

from gis.remarks import Remark

DAYS = ("begins_on", "ends_on")
"""Columns of the first and the last day of a row; missing: it has none."""
_SHOWN = 4


def in_force(rows: pd.DataFrame, day: date) -> pd.DataFrame:
    """Return the rows that hold on a day, both their days included.

    Examples
    --------
    >>> rows = pd.DataFrame({"code": ["1", "2", "3"], "begins_on": [None, date(2027, 1, 1), None],
    ...     "ends_on": [date(2026, 12, 31), None, None]}, dtype=object)
    >>> [in_force(rows, day)["code"].tolist() for day in (date(2026, 12, 31), date(2027, 1, 1))]
    [['1', '3'], ['2', '3']]
    """
    if rows.empty or not set(DAYS) <= set(rows.columns):
        return rows
    first, last = (pd.to_datetime(rows[name]) for name in DAYS)
    at = pd.Timestamp(day)
    return rows[~(first > at) & ~(last < at)]


def days_ahead(rows: pd.DataFrame, day: date) -> list[date]:
    """Return the days after `day` from which another set of rows holds, ascending."""
    told = {name: pd.to_datetime(rows[name]).dropna().dt.date for name in DAYS}
    turns = {*told["begins_on"], *(each + timedelta(days=1) for each in told["ends_on"])}
    return sorted(turn for turn in turns if turn > day)


def remarks_of(rows: pd.DataFrame, *, expired: int, as_of: date) -> Iterable[Remark]:
    """Yield what is to be said of rows that do not hold yet, not for ever, or no more."""
    if expired:
        yield Remark(
            en=f"{expired} rows of the plan ended before {as_of} and were left out.",
            zh=f"{expired} 行在 {as_of} 之前已失效，已略去。",
        )
    days = days_ahead(rows, as_of)
    if days:
        shown = [str(day) for day in days[:_SHOWN]] + (["…"] if len(days) > _SHOWN else [])
        yield Remark(
            en=f"Rows begin or end after {as_of}: other rows hold from {', '.join(shown)} on; `wanmi plan check` "
            "judges those days too.",
            zh=f"部分行在 {as_of} 之后生效或失效，自 {'、'.join(shown)} 起适用的行不同；"
            "wanmi plan check 同时检查届时的方案。",
        )
