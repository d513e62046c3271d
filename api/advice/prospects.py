"""Open cases decided by a plan as it would be: by the whole decision, record, directory, areas and all."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from psycopg import sql

from api.advice.changes import tried_edition
from api.cases.moving import refusers
from api.cases.states import CLOSED, RETURNED
from api.owning.owners import is_nobodys
from api.questions import ask_frame
from api.snapshot import open_snapshot
from api.solution import solve
from census.plan.prospects import (
    BY_PERSON,
    NO_SNAPSHOT,
    REASONS,
    SAME,
    UNDECIDED,
    WAITING,
    CaseChange,
    CaseChanges,
    Prospect,
)
from gis.database import Connection, Database, open_database, read_rows
from gis.errors import SnapshotError
from gis.workspace import Workspace

if TYPE_CHECKING:
    from api.edition import Edition
    from api.snapshot import Snapshot

CHUNK_ROWS = 5_000
_SAYS_NOTHING = frozenset({"responsibility", "cases", "imagery"})
"""Datasets whose loading leaves decisions by another plan as they are."""
_OPEN = sql.SQL(
    "SELECT case_id, kind, class_code, reported_at, address, x, y, crs, accuracy_m, component_code,"
    " returns, state, grid_code, unit_code, data_version, decision->'owner'->>'rule' AS rule"
    " FROM cases.case WHERE case_id > %s AND state <> {} AND closed_at IS NULL"
    " ORDER BY case_id LIMIT %s"
).format(CLOSED)
Answer = tuple[str, str]
"""Unit, empty for none, and the rule that leads to it."""


def compare_open_cases(workspace: Workspace, before: Prospect, after: Prospect) -> CaseChanges:
    """Decide every open case by both plans, and tell those that would go to another unit.

    Everything else, grids, areas, components with their records, units, is as the current snapshot
    has it. Units that sent a case back are left out, as they are when it is decided. What a person
    decided, and what waits for one, no plan changes.

    Parameters
    ----------
    workspace : Workspace
        Where the snapshot and the database are.
    before, after : Prospect
        The plan that holds, and the one that may.
    """
    database = open_database(workspace)
    try:
        snapshot = open_snapshot(workspace.root)
    except SnapshotError:
        count = sum(len(cases) for cases in _chunks(database))
        return CaseChanges(count=count, changes=(), others={NO_SNAPSHOT: count} if count else {})
    editions = [tried_edition(snapshot, plan.rows, areas=plan.areas) for plan in (before, after)]
    zone = ZoneInfo(snapshot.profile.city.timezone)
    others: Counter[str] = Counter()
    changes: list[CaseChange] = []
    count = 0
    for cases in _chunks(database):
        count += len(cases)
        settled = [_settled(row) for row in cases.to_dict("records")]
        others.update(reason for reason in settled if reason)
        asked = cases[[not reason for reason in settled]].reset_index(drop=True)
        if asked.empty:
            continue
        old, new = (_answers(database, snapshot, edition, asked) for edition in editions)
        for row, was, now in zip(asked.to_dict("records"), old, new, strict=True):
            if was[0] == now[0]:
                others[SAME] += 1
            else:
                changes.append(_change(row, was, now, zone=zone))
    return CaseChanges(
        count=count,
        changes=tuple(changes),
        others={reason: others[reason] for reason in REASONS if others[reason]},
        data_version=snapshot.version,
        is_stale=_is_stale(database, snapshot),
    )


def _chunks(database: Database) -> Iterator[pd.DataFrame]:
    after = ""
    while True:
        with database.connect(read_only=True) as connection:
            cases = read_rows(connection, _OPEN, [after, CHUNK_ROWS])
        if cases.empty:
            return
        after = str(cases["case_id"].iloc[-1])
        yield cases


def _settled(row: Mapping[str, Any]) -> str:
    """Return why no plan changes the unit of a case; empty: one may."""
    if not isinstance(row["data_version"], str):
        return UNDECIDED
    if row["state"] == RETURNED:
        return WAITING
    rule = row["rule"]
    return BY_PERSON if isinstance(rule, str) and rule.startswith("person:") else ""


def _answers(
    database: Database, snapshot: "Snapshot", edition: "Edition", cases: pd.DataFrame
) -> list[Answer]:
    found = _decided(snapshot, edition, cases, frozenset())
    sent_back = np.flatnonzero((cases["returns"] > 0).to_numpy())
    if len(sent_back):
        with database.connect(read_only=True) as connection:
            for at in sent_back.tolist():
                found[at] = _without_refusers(connection, snapshot, edition, cases.iloc[[at]])
    return found


def _without_refusers(
    connection: Connection, snapshot: "Snapshot", edition: "Edition", case: pd.DataFrame
) -> Answer:
    excluded = refusers(connection, str(case["case_id"].iloc[0]))
    return _decided(snapshot, edition, case, excluded)[0]


def _decided(
    snapshot: "Snapshot", edition: "Edition", cases: pd.DataFrame, excluded: frozenset[str]
) -> list[Answer]:
    solution = solve(edition, ask_frame(snapshot, cases), excluded=excluded)
    return [
        ("", "")
        if found.unit is None or (excluded and is_nobodys(found.reasons))
        else (found.unit.code, found.rule)
        for found in solution.resolutions
    ]


def _change(row: Mapping[str, Any], was: Answer, now: Answer, *, zone: ZoneInfo) -> CaseChange:
    return CaseChange(
        case_id=str(row["case_id"]),
        kind=str(row["kind"]),
        class_code=str(row["class_code"]),
        reported_at=row["reported_at"].astimezone(zone).isoformat(timespec="minutes"),
        grid_code=_text(row["grid_code"]),
        unit_code=_text(row["unit_code"]),
        before=was[0],
        after=now[0],
        rule_before=was[1],
        rule_after=now[1],
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _is_stale(database: Database, snapshot: "Snapshot") -> bool:
    """Tell whether anything but the plan was loaded or rolled back since the snapshot was compiled."""
    known = {b["build_id"] for b in snapshot.builds if b["dataset"] not in _SAYS_NOTHING}
    with database.connect(read_only=True) as connection:
        rows = connection.execute(
            "SELECT build_id, dataset FROM meta.build WHERE status = 'live'"
        ).fetchall()
    return known != {number for number, dataset in rows if dataset not in _SAYS_NOTHING}
