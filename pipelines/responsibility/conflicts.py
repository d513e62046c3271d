"""Rows of a plan that decide the same for different units, on the day of loading or later."""

from datetime import date
from typing import Any

import pandas as pd

from gis.faults import Faults
from pipelines.responsibility.validity import days_ahead, in_force

SAME = ["kind", "class_code", "area_code", "role", "season", "hours"]
"""Columns in which equal rows decide the same."""


def warn_conflicts(faults: Faults, accepted: pd.DataFrame, *, as_of: date) -> None:
    """Warn of rows equal in all that decides, but for the unit; told once, on each row but the first.

    Rows that begin later conflict from the first day on which both hold.
    """
    units = accepted.groupby(SAME, dropna=False)["unit_code"].transform("nunique")
    rivals = accepted[units.gt(1).astype(bool)]
    told: dict[Any, tuple[str, date]] = {}
    for day in (as_of, *days_ahead(rivals, as_of)):
        for at, other in _conflicts(in_force(rivals, day)).items():
            told.setdefault(at, (other, day))
    rows = faults.frame.index
    others = {at: other for at, (other, _) in told.items()}
    later = {at: day for at, (_, day) in told.items() if day > as_of}
    faults.add(
        "RP10",
        pd.Series(rows.isin(list(told)), index=rows),
        other=pd.Series(others, dtype=object).reindex(rows),
        since=_told(later, " from {} on", rows),
        since_zh=_told(later, "（自 {} 起）", rows),
    )


def _conflicts(rows: pd.DataFrame) -> dict[Any, str]:
    """Return delivered row -> the first of those that it conflicts with."""
    groups = rows.groupby(SAME, dropna=False)
    first = groups["code"].transform("first")
    differs = groups["unit_code"].transform("nunique").gt(1) & rows["code"].ne(first)
    return dict(first[differs].groupby(rows["at"]).first().items())


def _told(days: dict[Any, date], words: str, rows: "pd.Index[Any]") -> "pd.Series[str]":
    return pd.Series([words.format(days[at]) if at in days else "" for at in rows], index=rows)
