"""How often a component's record is right where the plan names another unit: ``record_trust``, from cases."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from api.advice.intervals import wilson
from api.questions import ask_frame
from api.solution import solve

if TYPE_CHECKING:
    from api.snapshot import Snapshot

_QUESTION = (
    "case_id", "kind", "class_code", "reported_at", "x", "y", "crs", "accuracy_m", "address",
    "component_code",
)  # fmt: skip
_CHUNK_ROWS = 50_000


@dataclass(frozen=True, kw_only=True)
class Contradictions:
    """Cases of components whose record and plan name different units, of which is known who handled them."""

    cases: int
    record: int
    """Handled by the unit of the record."""
    plan: int
    """Handled by the unit of the plan."""


def contradictions(snapshot: "Snapshot", cases: pd.DataFrame) -> Contradictions:
    """Count the cases in which record and plan contradict each other, by who handled them.

    Parameters
    ----------
    snapshot : Snapshot
        The data that decide.
    cases : pandas.DataFrame
        Columns as for ``assign_frame``, and ``truth``: code or name of the unit that handled each;
        missing where nobody knows.
    """
    edition = snapshot.edition()
    solution = solve(edition, ask_frame(snapshot, cases[list(_QUESTION)]))
    total = record = plan = 0
    for resolution, truth in zip(solution.resolutions, cases["truth"], strict=True):
        rival = next((each for each in resolution.rivals if each.cause == "record"), None)
        if rival is None or resolution.unit is None or not isinstance(truth, str):
            continue
        handled = edition.directory.find(truth, truth)
        total += 1
        record += handled == resolution.unit
        plan += handled == rival.unit
    return Contradictions(cases=total, record=record, plan=plan)


def evidence_of_trust(snapshot: "Snapshot", evidence: pd.DataFrame) -> dict[str, Any]:
    """Return how often record and plan contradict each other in the history, and what that says.

    Parameters
    ----------
    snapshot : Snapshot
        The live data.
    evidence : pandas.DataFrame
        As ``api.advice.evidence.read_evidence`` gives it.

    Returns
    -------
    dict
        ``cases, record, plan``; ``record_trust``: the lower end of Wilson's 95 % interval of the
        record's share, so that few cases change little; ``in_use``: what the city's profile says.
    """
    known = evidence[(evidence["kind"] == "component") & evidence["truth"].notna()]
    asked = known[[*_QUESTION, "truth"]].astype(object)
    total = record = plan = 0
    for start in range(0, len(asked), _CHUNK_ROWS):
        part = asked.iloc[start : start + _CHUNK_ROWS]
        found = contradictions(snapshot, part.where(part.notna(), None))
        total, record, plan = total + found.cases, record + found.record, plan + found.plan
    return {
        "cases": total,
        "record": record,
        "plan": plan,
        "record_trust": wilson(record, total)[0] if total else None,
        "in_use": snapshot.profile.decision.record_trust,
    }
