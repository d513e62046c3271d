"""Rows that hold now and begin only later once a plan is loaded: days between on which they are missed."""

from collections.abc import Iterator
from datetime import date

import pandas as pd

from gis.faults import Outcome
from gis.remarks import Remark
from pipelines.context import BuildContext
from pipelines.responsibility.conflicts import SAME
from pipelines.responsibility.store import is_update, standing_rows
from pipelines.responsibility.validity import in_force

_SHOWN = 6


def tell_gaps(outcome: Outcome, context: BuildContext) -> Iterator[Remark]:
    """Yield a remark where live rows would cease on the day of loading, to begin again later.

    That is what becomes of a row whose first day 生效日期 is written over. Rows are the same if they
    decide the same, whatever their number.
    """
    if not context.database.url:
        return
    live = context.rows("responsibility")
    now = in_force(live, context.as_of)
    if now.empty or outcome.accepted.empty:
        return
    if is_update(context) or context.corrects is not None:
        after = [outcome.accepted, live[~live["code"].isin(outcome.accepted["code"])]]
    else:
        after = [standing_rows(outcome, live)]
    held = {key for rows in after for key in _keys(in_force(rows, context.as_of))}
    missed = set(_keys(now)) - held
    begins: dict[tuple[str | None, ...], tuple[date, str]] = {}
    for row, key in zip(outcome.accepted.itertuples(), _keys(outcome.accepted), strict=True):
        day = row.begins_on
        if key in missed and isinstance(day, date) and day > context.as_of:
            begins[key] = min(begins.get(key, (day, row.code)), (day, row.code))
    if begins:
        yield _remark(sorted(begins.values()), context.as_of)


def _keys(rows: pd.DataFrame) -> list[tuple[str | None, ...]]:
    plain = rows[SAME].astype(object).where(rows[SAME].notna(), None)
    return list(plain.itertuples(index=False, name=None))


def _remark(begins: list[tuple[date, str]], as_of: date) -> Remark:
    more = len(begins) - _SHOWN
    names = [f"{code} ({day})" for day, code in begins[:_SHOWN]]
    names_zh = [f"{code}（{day}）" for day, code in begins[:_SHOWN]]
    return Remark(
        en=f"Rows that hold on {as_of} begin only later in this plan: {', '.join(names)}"
        + (f" and {more} more" if more > 0 else "")
        + "; until then less specific rows answer, or nobody. To leave no gap write two rows: one as it is live, "
        "with 失效日期 on the day before, and one with 生效日期.",
        zh=f"以下各行在 {as_of} 有效，而在本方案中之后才生效：{'、'.join(names_zh)}"
        + (f"等 {len(begins)} 行" if more > 0 else "")
        + "；其间由范围较宽的行负责，或无人负责。如不应中断，请写成两行："
        "一行照现行内容填至前一日失效，另一行填生效日期。",
    )
