"""Decide the cases that deliveries recorded, and record the decisions."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import shapely
from psycopg import sql

from api.cases.moving import refusers
from api.cases.records import document_of
from api.cases.states import ASSIGNED, CLOSED
from api.cases.waiting import waiting
from api.owning.owners import is_nobodys
from api.questions import ask_frame
from api.sharing import turned
from api.solution import solve
from api.telling.decision import tell
from api.telling.finding import finding_of
from api.telling.responsibility import LEAST_ALTERNATIVE
from api.workdays import with_deadline
from gis.database import Connection, Database, copy_rows, read_rows

if TYPE_CHECKING:
    from api.snapshot import Snapshot

CHUNK_ROWS = 5_000
_STAGING = "decided"
_COLUMNS = (
    "case_id",
    "geom",
    "grid_code",
    "community_code",
    "district_code",
    "unit_code",
    "due_at",
    "probability",
    "needs_review",
    "decision",
    "data_version",
)


def assign_stored(
    database: Database,
    snapshot: "Snapshot",
    *,
    actor: str,
    advance: Callable[[int], None] = lambda _: None,
) -> int:
    """Decide the recorded cases that have no decision yet, by what holds now; chunk by chunk.

    Posted and returned cases keep the decision they have. Units that sent an imported open case back
    are left out. Of a closed case the decision is only kept beside it, without a trace: nothing
    happened to it, so its history stays. A chunk is recorded whole, so a run that was stopped goes on
    with the rest, and several that run at once share the work.

    Parameters
    ----------
    database : Database
        Where the cases are.
    snapshot : Snapshot
        The data that decide.
    actor : str
        User, for the history.
    advance : callable
        Told the number of cases done.

    Returns
    -------
    int
        Number of cases decided.
    """
    done = 0
    while True:
        with database.connect() as connection:
            cases = read_rows(connection, _OPEN, [CHUNK_ROWS])
            if cases.empty:
                return done
            refused = _refusals(connection, cases)
            decided = _decide(snapshot, cases, refused)
            _record(connection, decided, srid=database.srid, actor=actor)
        done += len(cases)
        advance(len(cases))


def count_open(database: Database) -> int:
    """Return the number of recorded cases that have no decision yet."""
    with database.connect(read_only=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM cases.case WHERE data_version IS NULL"
        ).fetchone()
    return int(row[0]) if row else 0


_OPEN = """
SELECT case_id, kind, class_code, reported_at, address, x, y, crs, accuracy_m, component_code,
    state, returns
FROM cases.case WHERE data_version IS NULL ORDER BY case_id LIMIT %s FOR UPDATE SKIP LOCKED
"""


def _refusals(connection: Connection, cases: pd.DataFrame) -> dict[str, frozenset[str]]:
    """Return case -> units that sent it back, of the cases that are not closed."""
    waiting = cases.loc[(cases["returns"] > 0) & (cases["state"] != CLOSED), "case_id"].tolist()
    return {case_id: refusers(connection, case_id) for case_id in waiting}


def _decide(
    snapshot: "Snapshot", cases: pd.DataFrame, refused: Mapping[str, frozenset[str]]
) -> pd.DataFrame:
    edition = snapshot.edition()
    solution = solve(edition, ask_frame(snapshot, cases))
    decisions = []
    zone = ZoneInfo(snapshot.profile.city.timezone)
    # Told from 0.005 on: where all cases together show that nobody else comes near, none is asked alone.
    is_sole = solution.other_probability < LEAST_ALTERNATIVE / 2.0
    asked = (cases[name].tolist() for name in ("case_id", "reported_at", "state"))
    for number, (case_id, reported_at, state) in enumerate(zip(*asked, strict=True)):
        excluded = refused.get(case_id)
        if excluded:
            row = cases.iloc[[number]]
            found = solve(edition, ask_frame(snapshot, row), excluded=excluded)
            decision = tell(turned(finding_of(found, 0), excluded))
            if is_nobodys(decision.reasons):
                decision = waiting(decision)
        else:
            finding = finding_of(solution, number)
            if is_sole[number]:
                finding.ways = None
            # A million closed cases with every candidate that was looked at are gigabytes.
            decision = tell(finding, traced=state != CLOSED)
        decisions.append(
            with_deadline(
                decision, reported_at.to_pydatetime(), zone=zone, calendar=snapshot.profile.calendar
            )
        )
    points = np.full(len(cases), None, dtype=object)
    known = np.isfinite(solution.placed.x)
    points[known] = shapely.points(solution.placed.x[known], solution.placed.y[known])
    rows: dict[str, list[Any]] = {
        "case_id": [decision.case_id for decision in decisions],
        "geom": points.tolist(),
        "grid_code": [d.grid.code if d.grid else None for d in decisions],
        "community_code": [
            d.areas.community.code if d.areas.community else None for d in decisions
        ],
        "district_code": [d.areas.district.code if d.areas.district else None for d in decisions],
        "unit_code": [d.owner.unit_code if d.owner else None for d in decisions],
        "due_at": [d.owner.due_at if d.owner else None for d in decisions],
        "probability": [decision.probability for decision in decisions],
        "needs_review": [decision.needs_review for decision in decisions],
        "decision": [document_of(decision) for decision in decisions],
        "data_version": [decision.data_version for decision in decisions],
    }
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _record(connection: Any, decided: pd.DataFrame, *, srid: int, actor: str) -> None:
    staging, names = sql.Identifier(_STAGING), [sql.Identifier(name) for name in _COLUMNS]
    connection.execute(
        sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM cases.case LIMIT 0").format(
            staging, sql.SQL(", ").join(names)
        )
    )
    copy_rows(connection, _STAGING, decided.rename(columns={"geom": "geometry"}), srid=srid)
    assignments = sql.SQL(", ").join(
        sql.SQL("{0} = s.{0}").format(name) for name in names if name != names[0]
    )
    connection.execute(
        sql.SQL(
            "UPDATE cases.case AS c SET {}, state = CASE WHEN c.state = %s THEN c.state ELSE %s END"
            " FROM {} AS s WHERE c.case_id = s.case_id"
        ).format(assignments, staging),
        [CLOSED, ASSIGNED],
    )
    connection.execute(
        sql.SQL(
            "INSERT INTO cases.history (case_id, action, unit_code, actor, decision)"
            " SELECT s.case_id, %s, s.unit_code, %s, s.decision FROM {} AS s"
            " JOIN cases.case AS c USING (case_id) WHERE c.state <> %s ORDER BY s.case_id"
        ).format(staging),
        [ASSIGNED, actor, CLOSED],
    )
