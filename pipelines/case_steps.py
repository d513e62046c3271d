"""What happened to imported cases: returns 退件, reassignments, and the unit that handled each at last.

Workflow systems export it in two ways: columns beside each case (退件次数, 退件原因, 处置单位), or one
row per step (操作, 操作时间, 操作单位, 意见). Both become the same steps.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson
import pandas as pd

from census.units import read_directory
from gis.faults import Faults
from gis.returns import category_of
from pipelines.context import BuildContext
from pipelines.values import names_of, numbers_of, text_of, words_of

HANDLED = "handled"
RETURNED, REASSIGNED = "returned", "reassigned"
_KEPT = ("assigned", RETURNED, REASSIGNED, "closed", "reopened")
_MOST_RETURNS = 50


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a case."""

    action: str
    """assigned, returned, reassigned, closed, reopened; handled: said of the unit alone."""
    at: datetime | None
    unit: str | None
    """Code where the directory knows the unit, else as written."""
    reason: str | None = None
    category: str | None = None
    """Of a return: why, coded."""


def is_step(frame: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which rows are steps of a case rather than cases."""
    return text_of(frame, "action").notna()


def units_of(frame: pd.DataFrame, column: str, context: BuildContext) -> "pd.Series[str]":
    """Return a column of units as codes of the directory; what it does not know stays as written."""
    text = text_of(frame, column)
    directory = read_directory(
        context.references.get("units"), confirmed=context.references.confirmed_names()
    )
    known: dict[str, str | None] = {
        value: directory.find(value, value).code for value in text.dropna().unique()
    }
    values = [known[value] or value if isinstance(value, str) else None for value in text]
    return pd.Series(values, index=frame.index, dtype=object)


def gather_steps(
    frame: pd.DataFrame,
    *,
    case_ids: "pd.Series[str]",
    times: Callable[[str], "pd.Series[Any]"],
    context: BuildContext,
    faults: Faults,
) -> dict[str, list[Step]]:
    """Return case -> its steps in order of time, from both ways of writing them.

    Parameters
    ----------
    frame : pandas.DataFrame
        Delivered rows, of cases and of steps.
    case_ids : pandas.Series
        Case of each row.
    times : callable
        Column name -> its times, in UTC.
    context : BuildContext
        The unit directory.
    faults : Faults
        Takes what is doubtful: it is told and the case is kept.
    """
    found: dict[str, list[Step]] = {}
    steps = is_step(frame)
    if steps.any():
        _add_rows(found, frame[steps], case_ids, times, context, faults)
    beside = [name for name in ("returns", "return_reason", "returned_by") if name in frame]
    if beside:
        _add_columns(found, frame[~steps], case_ids, times, context, faults)
    return found


def _add_rows(
    found: dict[str, list[Step]],
    frame: pd.DataFrame,
    case_ids: "pd.Series[str]",
    times: Callable[[str], "pd.Series[Any]"],
    context: BuildContext,
    faults: Faults,
) -> None:
    action = words_of(frame, "action", subject="case_action")
    said = text_of(frame, "action")
    faults.add("CA07", said.notna() & action.isna(), value=said)
    at = times("step_at").reindex(frame.index)
    faults.add("CA08", at.isna() & action.notna(), value=text_of(frame, "step_at").fillna(""))
    unit = units_of(frame, "step_unit", context)
    reason = text_of(frame, "step_reason")
    table = pd.DataFrame(
        {
            "case": case_ids.reindex(frame.index),
            "action": action,
            "at": at,
            "unit": unit,
            "reason": reason,
        }
    )
    table = table[table["case"].notna() & table["action"].notna()]
    # A step without a time stays where the file has it: with the step before it.
    table["at"] = table.groupby("case", sort=False)["at"].ffill()
    table = table.sort_values("at", kind="stable", na_position="first")
    for case, name, moment, who, why in table.itertuples(index=False, name=None):
        found.setdefault(case, []).append(_step(name, moment, who, why))


def _add_columns(
    found: dict[str, list[Step]],
    frame: pd.DataFrame,
    case_ids: "pd.Series[str]",
    times: Callable[[str], "pd.Series[Any]"],
    context: BuildContext,
    faults: Faults,
) -> None:
    """Read what stands beside a case; several reasons or units are split at ；."""
    count = numbers_of(frame, "returns")
    said = text_of(frame, "returns")
    wrong = said.notna() & ~count.between(0, _MOST_RETURNS)
    faults.add("CA09", wrong, value=said)
    reasons, whos = names_of(frame, "return_reason"), names_of(frame, "returned_by")
    at, closed = times("returned_at").reindex(frame.index), times("closed_at").reindex(frame.index)
    handled = units_of(frame, "handled_by", context)
    known = _units_by_name(whos, context)
    wanted = count.where(~wrong).fillna(0).astype(int)
    tells = (wanted > 0) | (reasons.str.len() > 0) | (whos.str.len() > 0)
    parts = (case_ids.reindex(frame.index), wanted, reasons, whos, at, closed, handled)
    rows = zip(*(part[tells] for part in parts), strict=True)
    for case, number, why, who, moment, end, unit in rows:
        number = max(number, len(why), len(who))
        if not number or not isinstance(case, str) or case in found:
            continue
        when = moment if moment is not pd.NaT else end
        given = [
            _step(RETURNED, when, known.get(_at(who, n) or ""), _at(why, n)) for n in range(number)
        ]
        given.append(_step(REASSIGNED, when, unit, None))
        found[case] = given


def _units_by_name(lists: "pd.Series[Any]", context: BuildContext) -> Mapping[str, str]:
    names = sorted({name for found in lists for name in found})
    codes = units_of(pd.DataFrame({"unit": names}, dtype=object), "unit", context)
    return dict(zip(names, codes, strict=True))


def _at(values: Sequence[str], number: int) -> str | None:
    """Return the value of a return; one reason for several returns holds for each."""
    return values[min(number, len(values) - 1)] if values else None


def _step(action: str, at: Any, unit: Any, reason: Any) -> Step:
    moment = None if at is None or at is pd.NaT else at.to_pydatetime()
    why = reason if isinstance(reason, str) else None
    category = category_of(why) if action == RETURNED and why else None
    return Step(
        action=action,
        at=moment,
        unit=unit if isinstance(unit, str) else None,
        reason=why,
        category=category,
    )


def last_unit(steps: Sequence[Step]) -> str | None:
    """Return the unit that steps leave a case with: the last that handled it or was given it.

    Examples
    --------
    >>> last_unit([Step(action="assigned", at=None, unit="A"), Step(action="returned", at=None, unit="A"),
    ...            Step(action="reassigned", at=None, unit="B")])
    'B'
    >>> last_unit([Step(action="assigned", at=None, unit="A"), Step(action="returned", at=None, unit="A")])
    """
    for step in reversed(steps):
        if step.action == RETURNED:
            return None
        if step.unit is not None and step.action in ("assigned", REASSIGNED, HANDLED, "closed"):
            return step.unit
    return None


def closing_time(steps: Sequence[Step]) -> datetime | None:
    """Return when the last step closed the case; None: it is open, or nobody says when it was closed.

    Examples
    --------
    >>> at = datetime(2026, 7, 1)
    >>> steps = [Step(action="assigned", at=None, unit="A"), Step(action="closed", at=at, unit="A")]
    >>> closing_time(steps) == at, closing_time([*steps, Step(action="reopened", at=at, unit=None)])
    (True, None)
    """
    kept = [step for step in steps if step.action in _KEPT]
    return kept[-1].at if kept and kept[-1].action == "closed" else None


def count_returns(steps: Sequence[Step]) -> int:
    """Return how often units sent a case back."""
    return sum(step.action == RETURNED for step in steps)


def steps_text(steps: Sequence[Step]) -> str:
    """Return the steps that are kept as JSON, as `step_rows` reads them; empty text for none."""
    kept = [
        [step.action, step.at, step.unit, step.reason, step.category]
        for step in steps
        if step.action in _KEPT
    ]
    return orjson.dumps(kept).decode() if kept else ""


def steps_hash(text: str) -> str:
    """Return a short hash of `steps_text`; empty for no steps.

    Examples
    --------
    >>> len(steps_hash("[]")), steps_hash("")
    (16, '')
    """
    return sha256(text.encode()).hexdigest()[:16] if text else ""


def step_rows(cases: pd.DataFrame, *, build_id: int, actor: str) -> pd.DataFrame:
    """Return the entries of ``cases.history`` that steps are.

    Parameters
    ----------
    cases : pandas.DataFrame
        ``case_id``, ``steps`` (as `steps_text` writes them) and ``reported_at``, the time of steps
        that state none.
    build_id : int
        Build that imports them.
    actor : str
        Who imports.
    """
    rows = []
    with_steps = cases[cases["steps"] != ""]
    for case_id, text, reported_at in zip(
        with_steps["case_id"], with_steps["steps"], with_steps["reported_at"], strict=True
    ):
        for action, at, unit, reason, category in orjson.loads(text):
            rows.append((case_id, at or reported_at.isoformat(), action, unit, reason, category))
    names = ["case_id", "at", "action", "unit_code", "reason", "category"]
    table = pd.DataFrame(rows, columns=names, dtype=object).assign(actor=actor, build_id=build_id)
    return table.assign(at=pd.to_datetime(table["at"], utc=True, format="ISO8601"))
