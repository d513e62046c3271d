"""Decide: which unit grid, which owning unit, why, how sure; for one case or a frame of many."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from api.columns import cases_table, read_days
from api.decision import tell
from api.edition import LEVELS
from api.locate import check_position
from api.models import Case, Decision
from api.questions import ask_cases, ask_frame
from api.solution import Solution, solve
from api.workdays import due_at

if TYPE_CHECKING:
    from api.snapshot import Snapshot

DECISION_COLUMNS = (
    "grid_code",
    "grid_probability",
    "district_code",
    "street_code",
    "community_code",
    "component_code",
    "component_distance_m",
    "unit_code",
    "unit_name",
    "role",
    "rule",
    "limit_value",
    "limit_unit",
    "probability",
    "needs_review",
    "reasons",
    "location_source",
    "location_x",
    "location_y",
    "data_version",
)
"""Columns that `assign_frame` answers with."""


def decide(
    snapshot: "Snapshot",
    case: Case,
    *,
    now: datetime | None = None,
    excluded: frozenset[str] = frozenset(),
    traced: bool = True,
) -> Decision:
    """Decide one case, with alternatives and the trace of every candidate.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    case : Case
        The question; a missing class asks for the place and its territorial unit only.
    now : datetime or None
        Aware; the time of a case that states none. None: the present.
    excluded : frozenset of str
        Units that sent the case back.
    traced : bool
        Tell every candidate that was looked at; else the trace is empty.

    Raises
    ------
    RequestError
        The position is no place or its CRS is unknown.
    """
    edition = snapshot.edition(case.as_of)
    solution = solve(edition, ask_cases(snapshot, [case], now=now), excluded=excluded)
    if case.position is not None and not solution.placed.sightings["position"].known[0]:
        check_position(case.position, city=snapshot.crs)
    decision = tell(solution, 0, traced=traced)
    owner = decision.owner
    if owner is None or owner.time_limit is None or case.reported_at is None:
        return decision
    zone = ZoneInfo(snapshot.profile.city.timezone)
    end = due_at(
        case.reported_at, owner.time_limit, zone=zone, calendar=snapshot.profile.calendar
    )
    return replace(decision, owner=replace(owner, due_at=end))


def assign_frame(
    snapshot: "Snapshot", frame: pd.DataFrame, *, now: datetime | None = None
) -> pd.DataFrame:
    """Decide the cases of a frame, one answer per row, with the same answers as `decide`.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    frame : pandas.DataFrame
        Any of the columns case_id; kind (component, event, 部件, 事件); class_code; x, y and crs
        (missing: EPSG:4326; ``city``: the city's own); accuracy_m; address; component_code;
        reported_at (local time unless it has an offset); as_of (day). Absent columns are empty. A
        value that can not be read is a reason of its row, never an error.
    now : datetime or None
        Aware; the time of cases that state none. None: the present.

    Returns
    -------
    pandas.DataFrame
        `DECISION_COLUMNS` with the frame's index: codes are text or missing, ``reasons`` are joined
        by ``;``, the position is in the city's CRS.
    """
    days, number, _ = read_days(cases_table(frame, ["as_of"]), "as_of")
    if not len(frame):
        return pd.DataFrame({name: [] for name in DECISION_COLUMNS}, index=frame.index)
    parts = []
    for which in np.unique(number).tolist():
        day, rows = days[which], np.flatnonzero(number == which)
        part = frame.iloc[rows]
        solution = solve(snapshot.edition(day), ask_frame(snapshot, part, now=now))
        parts.append(tabulate(solution).set_index(rows))
    result = parts[0] if len(parts) == 1 else pd.concat(parts).sort_index()
    return result.set_axis(frame.index, axis=0)


def tabulate(solution: Solution) -> pd.DataFrame:
    """Return a solution as a frame of `DECISION_COLUMNS`, one row per case."""
    edition, questions = solution.edition, solution.questions
    found = solution.resolutions
    columns: dict[str, Any] = {
        "grid_code": _at(edition.grids.codes, solution.grid.position),
        "grid_probability": solution.grid_probability,
    }
    for level in LEVELS:
        located = solution.areas[level]
        inside = np.where(located.distance_m == 0.0, located.position, -1)
        columns[f"{level}_code"] = _at(edition.areas[level].codes, inside)
    columns |= _component_columns(solution)
    limits = [resolution.limit for resolution in found]
    columns |= {
        "unit_code": [r.unit.code if r.unit else None for r in found],
        "unit_name": [r.unit.name if r.unit else None for r in found],
        "role": [r.role or None for r in found],
        "rule": _rules(solution, columns["component_code"]),
        "limit_value": [limit.value if limit else np.nan for limit in limits],
        "limit_unit": [limit.unit if limit else None for limit in limits],
        "probability": solution.probability,
        "needs_review": solution.needs_review,
        "reasons": _joined_reasons(solution),
        "location_source": solution.placed.source,
        "location_x": solution.placed.x,
        "location_y": solution.placed.y,
        "data_version": [edition.snapshot.version] * len(questions),
    }
    return pd.DataFrame({name: columns[name] for name in DECISION_COLUMNS})


def _component_columns(solution: Solution) -> dict[str, Any]:
    matches, edition = solution.matches, solution.edition
    count = len(solution.questions)
    known = np.flatnonzero(matches.chosen >= 0)
    codes = np.full(count, None, dtype=object)
    table = edition.snapshot.table("components")
    codes[known] = table["code"].take(matches.chosen[known]).to_pylist()
    distance_m = np.full(count, np.nan)
    distance_m[matches.question[::-1]] = matches.distance_m[::-1]
    return {"component_code": codes, "component_distance_m": distance_m}


def _rules(solution: Solution, component_codes: Any) -> list[str | None]:
    return [
        f"component:{code}:{r.role}" if r.level == "component" else (r.rule or None)
        for r, code in zip(solution.resolutions, component_codes, strict=True)
    ]


def _joined_reasons(solution: Solution) -> list[str]:
    joined = [""] * len(solution.questions)
    for name, mask in solution.reasons.items():
        for case in np.flatnonzero(mask).tolist():
            joined[case] += f";{name}" if joined[case] else name
    return joined


def _at(codes: Any, position: Any) -> Any:
    result = np.full(len(position), None, dtype=object)
    known = position >= 0
    result[known] = codes[position[known]]
    return result
