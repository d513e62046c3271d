"""Recorded cases: an import written to ``cases.case``, which is not versioned like the others."""

from dataclasses import replace

import pandas as pd
from psycopg import sql

from gis import ledger
from gis.builds import BuildRequest, BuildResult, RollbackResult, rollback
from gis.database import Connection, Database, copy_rows, dataset_lock
from gis.errors import BuildError
from gis.faults import Outcome
from gis.remarks import Remark
from pipelines.case_steps import step_rows
from pipelines.cases import DATASET, REPORT_COLUMNS

_WAIT_S = 30.0


def publish_cases(
    database: Database, request: BuildRequest, *, outcome: Outcome, actor: str
) -> tuple[BuildResult, tuple[Remark, ...]]:
    """Record imported cases by ``case_id``, all in one transaction.

    A new case is added undecided. A known one whose report changed takes the new report and loses
    its decision, so that it is decided again; one that is only closed since is closed, and one to
    which more happened since gets the steps as they are told now. What people did here stays: a
    closing, a mark as repeat, returns, and that a case was reopened after the export closed it. A
    case that the workflow system posted is left to that system altogether; how many they are is
    returned beside the result.

    Raises
    ------
    LockedError
        Another import is running, still after half a minute.
    """
    with database.connect() as connection, dataset_lock(connection, DATASET, wait_s=_WAIT_S):
        same = ledger.find(connection, DATASET, request.content_hash, request.as_of)
        if same is not None:
            return same, ()
        result = BuildResult(
            build_id=0,
            dataset=DATASET,
            status="built",
            rows_read=outcome.count + outcome.refused,
            rows_accepted=outcome.count,
            rows_rejected=outcome.refused,
            rows_opened=0,
            rows_closed=0,
            rows_unchanged=0,
        )
        result = replace(result, build_id=ledger.record(connection, request, result))
        changed, left = _store(connection, outcome, result, srid=database.srid, actor=actor)
        result = replace(result, rows_opened=changed, rows_unchanged=outcome.count - changed)
        connection.execute(
            "UPDATE meta.build SET rows_opened = %s, rows_unchanged = %s WHERE build_id = %s",
            [result.rows_opened, result.rows_unchanged, result.build_id],
        )
        ledger.audit(connection, actor=actor, action="build", detail=result)
    return result, left


def _store(
    connection: Connection, outcome: Outcome, result: BuildResult, *, srid: int, actor: str
) -> tuple[int, tuple[Remark, ...]]:
    """Write cases, steps and faults; return how many cases are new or changed, and what was left."""
    connection.execute(
        'CREATE TEMP TABLE staged_case (LIKE cases."case" INCLUDING DEFAULTS) ON COMMIT DROP'
    )
    connection.execute("CREATE TEMP TABLE changed_case (case_id text PRIMARY KEY) ON COMMIT DROP")
    connection.execute(
        "CREATE TEMP TABLE staged_step ON COMMIT DROP AS SELECT case_id, at, action, unit_code, reason,"
        " category, actor, build_id, history_id AS place FROM cases.history LIMIT 0"
    )
    names, place = [*REPORT_COLUMNS, "needs_review", "build_id"], 0
    for part in outcome.parts():
        rows = pd.DataFrame({name: part.accepted[name] for name in REPORT_COLUMNS})
        rows["needs_review"], rows["build_id"] = False, result.build_id
        copy_rows(connection, "staged_case", rows, srid=srid)
        steps = step_rows(part.accepted, build_id=result.build_id, actor=actor)
        if len(steps):
            steps = steps.assign(place=range(place, place + len(steps)))
            copy_rows(connection, "staged_step", steps, srid=0)
            place += len(steps)
        ledger.record_faults(connection, result, part.faults, srid=srid)
    connection.execute("ANALYZE staged_case")
    listed = sql.SQL(", ").join(map(sql.Identifier, names))
    for statement in (_ADD, _REPORT, _STEPS, _CLOSE):
        connection.execute(sql.SQL(statement).format(names=listed, report=_assignments()))
    for statement in (_FORGET, _REMEMBER):
        connection.execute(statement)
    found = connection.execute("SELECT count(*) FROM changed_case").fetchone()
    return (int(found[0]) if found else 0), _left_alone(connection)


def _left_alone(connection: Connection) -> tuple[Remark, ...]:
    """Tell how many of the cases were posted, and which of these the file alone says are closed."""
    row = connection.execute(_POSTED).fetchone()
    if row is None or not row[0]:
        return ()
    count, closed, first = row
    more, more_zh = (" …", "等") if len(first) < (closed or count) else ("", "")
    en = f"Left as the workflow system posted them: {count:,} case(s)"
    zh = f"业务系统登记的案件保持原记录：{count:,} 件"
    if closed:
        en += f", {closed:,} of them closed in the file but open on record"
        zh += f"，其中 {closed:,} 件在文件中已结案而记录中未结案"
    en, zh = f"{en} ({', '.join(first)}{more})", f"{zh}（{'、'.join(first)}{more_zh}）"
    if closed:
        en, zh = (
            f"{en}: close them by POST /v1/cases/…/close",
            f"{zh}：请用 POST /v1/cases/…/close 结案",
        )
    return (Remark(en=f"{en}.", zh=f"{zh}。"),)


def _assignments() -> sql.Composable:
    return sql.SQL(", ").join(
        sql.SQL("{} = ").format(sql.Identifier(name))
        + sql.SQL(_MERGED.get(name, "s.{0}")).format(sql.Identifier(name))
        for name in REPORT_COLUMNS[1:]
    )


# What people did here has no build.
_HERE = "FROM cases.history h WHERE h.case_id = c.case_id AND h.build_id IS NULL"
_CLOSED_HERE = f"c.state = 'closed' AND EXISTS (SELECT 1 {_HERE} AND h.action = 'closed')"
_ENDS = (
    f"s.closed_at IS NOT NULL AND NOT EXISTS (SELECT 1 {_HERE} AND h.action = 'reopened'"
    " AND h.at >= s.closed_at)"
)
_MERGED = {
    "closed_at": f"CASE WHEN {_CLOSED_HERE} THEN c.closed_at WHEN {_ENDS} THEN s.closed_at END",
    "state": f"CASE WHEN {_CLOSED_HERE} OR {_ENDS} THEN 'closed' ELSE 'received' END",
    "returns": f"s.returns + (SELECT count(*) {_HERE} AND h.action = 'returned')",
    "handled_by": f"CASE WHEN {_CLOSED_HERE} THEN c.handled_by ELSE s.handled_by END",
    "duplicate_of": "coalesce(s.duplicate_of, c.duplicate_of)",
}
"""Columns that an import does not simply write over -> what they become."""

# A hash is that of the report, and behind a stop that of the steps.
_NOTE = (
    " RETURNING case_id) INSERT INTO changed_case SELECT case_id FROM done ON CONFLICT DO NOTHING"
)
_IMPORTED = " FROM staged_case s WHERE c.case_id = s.case_id AND c.build_id IS NOT NULL AND "
_ADD = (
    'WITH done AS (INSERT INTO cases."case" ({names}) SELECT {names} FROM staged_case'  # noqa: S608
    " ON CONFLICT (case_id) DO NOTHING" + _NOTE
)
_UPDATE = 'WITH done AS (UPDATE cases."case" c SET '
_NOTED = _NOTE.replace("RETURNING ", "RETURNING c.")
_REPORT = (
    _UPDATE + "{report}, grid_code = NULL, community_code = NULL,"
    " district_code = NULL, unit_code = NULL, probability = NULL, geom = NULL, due_at = NULL,"
    " needs_review = false, decision = '{{}}'::jsonb, data_version = NULL"
    + _IMPORTED
    + "split_part(c.request_hash, '.', 1) <> split_part(s.request_hash, '.', 1)"
    + _NOTED
)
_STEPS = (
    _UPDATE
    + ", ".join(f"{name} = {_MERGED[name]}" for name in ("returns", "handled_by", "duplicate_of"))
    + ", request_hash = s.request_hash"
    + _IMPORTED
    + "(c.request_hash <> s.request_hash OR c.duplicate_of <> s.duplicate_of"
    " OR (c.duplicate_of IS NULL AND s.duplicate_of IS NOT NULL))" + _NOTED
)
_CLOSE = (
    _UPDATE
    + "closed_at = s.closed_at, state = s.state"
    + _IMPORTED
    + f"{_ENDS} AND NOT ({_CLOSED_HERE}) AND c.closed_at IS DISTINCT FROM s.closed_at"
    + _NOTED
)


_POSTED = """
WITH posted AS (
    SELECT c.case_id, s.state = 'closed' AND c.state <> 'closed' AS is_behind
    FROM staged_case s JOIN cases."case" c USING (case_id) WHERE c.build_id IS NULL
)
SELECT count(*), count(*) FILTER (WHERE is_behind), ARRAY(
    SELECT case_id FROM posted
    WHERE is_behind OR NOT EXISTS (SELECT 1 FROM posted WHERE is_behind) ORDER BY case_id LIMIT 5
) FROM posted
"""

# The imported steps of the cases that changed are replaced; what happened here stays.
_FORGET = (
    "DELETE FROM cases.history h USING changed_case d"
    " WHERE h.case_id = d.case_id AND h.build_id IS NOT NULL"
)
_REMEMBER = (
    "INSERT INTO cases.history (case_id, at, action, unit_code, reason, category, actor, build_id)"
    " SELECT s.case_id, s.at, s.action, s.unit_code, s.reason, s.category, s.actor, s.build_id"
    " FROM staged_step s JOIN changed_case d USING (case_id) ORDER BY s.place"
)


def roll_back(database: Database, build_id: int, *, actor: str) -> RollbackResult:
    """Undo a build of any dataset, cases too.

    Raises
    ------
    BuildError
        There is no such build, it was rolled back, or a newer one of its dataset comes first.
    """
    with database.connect(read_only=True) as connection:
        row = connection.execute(
            "SELECT dataset FROM meta.build WHERE build_id = %s", [build_id]
        ).fetchone()
    if row is None or row[0] != DATASET:
        return rollback(database, build_id, actor=actor)
    removed = rollback_cases(database, build_id, actor=actor)
    return RollbackResult(build_id=build_id, dataset=DATASET, rows_removed=removed, rows_reopened=0)


def rollback_cases(database: Database, build_id: int, *, actor: str) -> int:
    """Remove the cases that an import added and that nobody decided or worked with; return how many.

    Raises
    ------
    BuildError
        There is no such build, it was rolled back, or a newer import comes first.
    """
    with database.connect() as connection, dataset_lock(connection, DATASET, wait_s=_WAIT_S):
        ledger.check_newest(connection, DATASET, build_id)
        decided = connection.execute(
            'SELECT count(*) FROM cases."case" AS c WHERE c.build_id = %s AND'  # noqa: S608
            f" (c.decision <> '{{}}'::jsonb OR EXISTS (SELECT 1 {_HERE}))",
            [build_id],
        ).fetchone()
        if decided is not None and decided[0]:
            msg = (
                f"{decided[0]} cases of build {build_id} were decided and are records now: they can not "
                "be taken back; close them in the workflow system instead."
            )
            raise BuildError(
                msg,
                zh=f"构建 {build_id} 中有 {decided[0]} 件案件已作出决定并成为记录，无法回滚；请在业务系统中结案。",
            )
        removed = connection.execute(
            'DELETE FROM cases."case" WHERE build_id = %s', [build_id]
        ).rowcount
        connection.execute(
            "UPDATE meta.build SET status = 'rolled_back' WHERE build_id = %s", [build_id]
        )
        connection.execute(
            "INSERT INTO meta.audit (actor, action, detail) VALUES (%s, 'rollback',"
            " jsonb_build_object('build_id', %s::bigint, 'dataset', 'cases', 'rows_removed', %s::int))",
            [actor, build_id, removed],
        )
    return removed
