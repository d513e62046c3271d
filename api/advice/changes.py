"""What a change would have done: the cases are decided anew with it, and both outcomes compared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from api.advice.evidence import QUESTION
from api.advice.findings import LEAST_HITS, LEAST_LOWER, Finding
from api.advice.intervals import wilson
from api.assign import assign_frame
from api.edition import Edition
from api.questions import ask_frame
from api.solution import solve
from census.plan.search import Plan

if TYPE_CHECKING:
    from api.snapshot import Snapshot

NEW_ROW = "advised"
_SHARED = ("grids", "areas", "area_by_code", "directory")
_MOST_CLASSES = 12


def replayed(finding: Finding, known: pd.DataFrame, snapshot: "Snapshot") -> Finding:
    """Return a finding with the cases that its change would have put right, and put wrong.

    A change of the plan is tried on every case that the row, or the new row, could speak for. Records
    that name another unit decide for that unit by the rule of owners first, so there the cases
    themselves are counted.
    """
    if finding.kind == "plan_row":
        return _with_plan(finding, known, snapshot)
    if finding.kind == "record":
        rows = known.loc[list(finding.row_numbers)]
        own = int(rows["right"].sum())
        return replace(finding, avoided=finding.to_cases, caused=own)
    return finding


def _with_plan(finding: Finding, known: pd.DataFrame, snapshot: "Snapshot") -> Finding:
    table = snapshot.table("responsibility").take(snapshot.holding("responsibility", None))
    records = changed_plan(table.to_pylist(), finding)
    row = next(record for record in records if record["code"] in (NEW_ROW, finding.rule))
    prefix = "" if row["class_code"] == "*" else row["class_code"]
    rows = known[(known["kind"] == row["kind"]) & known["class_code"].str.startswith(prefix)]
    after = decide_with(snapshot, rows, records)
    truth, before = rows["truth"].to_numpy(), rows["unit_code"].to_numpy()
    return replace(
        finding,
        avoided=int(((before != truth) & (after == truth)).sum()),
        caused=int(((before == truth) & (after != truth)).sum()),
    )


def changed_plan(records: Sequence[Mapping[str, Any]], finding: Finding) -> list[dict[str, Any]]:
    """Return the rows of the plan with the change that a finding advises.

    Examples
    --------
    >>> rows = [{"code": "1", "unit_code": "A", "class_code": "01", "area_code": "*"}]
    >>> told = dict(kind="plan_row", rule="1", case_kind="event", unit_code="A", to_unit_code="B",
    ...             cases=9, misdirected=9, to_cases=9, returned=9, lower=0.7, upper=1.0)
    >>> wide = Finding(**told, change="change_unit", class_code="", area_code="")
    >>> narrow = Finding(**told, change="add_row", class_code="0103", area_code="")
    >>> [(row["code"], row["unit_code"]) for row in changed_plan(rows, wide)]
    [('1', 'B')]
    >>> [(row["code"], row["class_code"], row["unit_code"]) for row in changed_plan(rows, narrow)]
    [('advised', '0103', 'B'), ('1', '01', 'A')]
    """
    result = [dict(record) for record in records]
    at = next(number for number, row in enumerate(result) if row["code"] == finding.rule)
    if finding.change == "change_unit":
        result[at]["unit_code"] = finding.to_unit_code
        return result
    row = {**result[at], "code": NEW_ROW, "unit_code": finding.to_unit_code}
    if finding.class_code:
        row["class_code"] = finding.class_code
    if finding.area_code:
        row["area_code"] = finding.area_code
    return [row, *result]


def decide_with(
    snapshot: "Snapshot",
    rows: pd.DataFrame,
    records: Sequence[Mapping[str, Any]],
    *,
    areas: Sequence[Mapping[str, Any]] | None = None,
) -> "np.ndarray[Any, Any]":
    """Return the unit of each case by another plan; all else as it is live.

    Parameters are those of `tried_edition`, with the cases.
    """
    solution = solve(
        tried_edition(snapshot, records, areas=areas), ask_frame(snapshot, _plain(rows))
    )
    codes = [found.unit.code if found.unit else None for found in solution.resolutions]
    return np.array(codes, dtype=object)


def tried_edition(
    snapshot: "Snapshot",
    records: Sequence[Mapping[str, Any]],
    *,
    areas: Sequence[Mapping[str, Any]] | None = None,
) -> Edition:
    """Return the live rows with another plan in place of theirs.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    records : sequence of mapping
        Rows of the plan.
    areas : sequence of mapping or None
        Areas that the plan draws, ``geometry`` as shapes; None: those that are live.
    """
    live = snapshot.edition()
    tried = Edition(snapshot, None)
    for name in _SHARED:  # what the plan says nothing of is indexed once
        tried.__dict__[name] = getattr(live, name)
    tried.__dict__["plan"] = Plan(records)
    if areas is not None:
        tried.__dict__["plan_areas"] = [dict(area) for area in areas]
    return tried


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    asked = rows[list(QUESTION)].copy()
    for name in ("case_id", "kind", "class_code", "crs", "address", "component_code"):
        asked[name] = asked[name].astype(object).where(asked[name].notna(), None)
    return asked


def find_classes(known: pd.DataFrame, snapshot: "Snapshot") -> list[Finding]:
    """Return the classes that are confused: sent back for a wrong class, and right under another.

    The class that would have led most of them to the unit that handled them is looked for among the
    classes that the plan names for that unit.
    """
    told = known[(known["category"] == "wrong_class") & known["wrong"]]
    found = []
    for (kind, class_code), rows in told.groupby(["kind", "class_code"], sort=True):
        if len(rows) < LEAST_HITS:
            continue
        of_class = known[(known["kind"] == kind) & (known["class_code"] == class_code)]
        counts = rows["truth"].value_counts()
        to_unit = str(min(counts.index[counts == counts.iloc[0]]))
        best, hits = _best_class(rows, to_unit, snapshot)
        lower, upper = wilson(hits, len(of_class))
        if hits < LEAST_HITS or lower < LEAST_LOWER / 5:
            continue
        found.append(
            Finding(
                kind="class", change="correct_class", rule="", case_kind=str(kind),
                class_code=str(class_code), area_code="",
                unit_code=str(rows["unit_code"].mode().iloc[0]), to_unit_code=to_unit,
                cases=len(of_class), misdirected=int((~of_class["right"]).sum()), to_cases=hits,
                returned=int((rows["returns"] > 0).sum()), lower=lower, upper=upper,
                avoided=hits, caused=0, to_class_code=best, row_numbers=tuple(rows.index),
            )
        )  # fmt: skip
    return found


def _best_class(rows: pd.DataFrame, to_unit: str, snapshot: "Snapshot") -> tuple[str, int]:
    kind, own = str(rows["kind"].iloc[0]), str(rows["class_code"].iloc[0])
    named = {
        row.class_code
        for row in snapshot.edition().plan.rows
        if row.kind == kind and row.unit_code == to_unit
    }
    candidates = [
        entry.code
        for entry in snapshot.taxonomy.all(kind)
        if entry.code != own and {entry.code, entry.code[:2], "*"} & named
    ][:_MOST_CLASSES]
    best, most = "", 0
    for code in candidates:
        units = assign_frame(snapshot, _plain(rows).assign(class_code=code))["unit_code"]
        hits = int((units.to_numpy(dtype=object) == rows["truth"].to_numpy(dtype=object)).sum())
        if hits > most:
            best, most = code, hits
    return best, most
