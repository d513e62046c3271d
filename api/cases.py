"""Cases on record: decided once, returned by a unit with its reason, decided again; history kept."""

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import orjson
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from api.assign import decide
from api.models import Case, Decision, Position
from gis.database import Database
from gis.errors import ConflictError, NotFoundError, RequestError

if TYPE_CHECKING:
    from api.snapshot import Snapshot

ASSIGNED, RETURNED, CLOSED = "assigned", "returned", "closed"
"""States of a case; ``returned`` means that every unit has sent it back."""


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One thing that happened to a case."""

    at: datetime
    action: str
    """assigned, returned, reassigned, closed."""
    unit_code: str | None
    """For returned the unit that refused, else the owning unit after the action."""
    reason: str | None
    actor: str


@dataclass(frozen=True, kw_only=True)
class StoredCase:
    """A case on record."""

    case_id: str
    state: str
    """received (imported, not decided), assigned, returned, closed."""
    unit_code: str | None
    decision: Decision | None
    """The decision in force; None: not decided yet."""
    history: tuple[HistoryEntry, ...]


def post_case(database: Database, snapshot: "Snapshot", case: Case, *, actor: str) -> Decision:
    """Decide a case and record it; the same case posted again gets the decision on record.

    Parameters
    ----------
    database : Database
        Where cases are recorded.
    snapshot : Snapshot
        The data that decide.
    case : Case
        The case; it needs a ``case_id``.
    actor : str
        Key or user, for the history.

    Raises
    ------
    RequestError
        There is no ``case_id``, or the position is none.
    ConflictError
        The ``case_id`` is taken by another report.
    """
    if not case.case_id:
        msg = "A recorded case needs a case_id: give the identifier of the workflow system."
        raise RequestError(msg, zh="案件登记需要 case_id：请提供业务系统的案件编号。")
    digest = request_hash(case)
    known = _known(database, case.case_id, digest)
    if known is not None:
        return known
    case = replace(case, reported_at=case.reported_at or datetime.now(UTC))
    decision = decide(snapshot, case)
    with database.connect(as_api=True) as connection:
        inserted = connection.execute(
            _INSERT, _columns(case, decision, digest=digest, srid=database.srid)
        )
        if inserted.rowcount == 1:
            _remember(connection, decision, action=ASSIGNED, actor=actor)
            return decision
    # Somebody else posted the same case in the meantime.
    known = _known(database, str(case.case_id), digest)
    if known is None:
        msg = f"Case {case.case_id} vanished while it was posted: post it again."
        raise ConflictError(msg, zh=f"案件 {case.case_id} 在登记时被删除：请重新提交。")
    return known


def get_case(database: Database, case_id: str) -> StoredCase:
    """Return a case on record with its history, the oldest entry first.

    Raises
    ------
    NotFoundError
        There is no such case.
    """
    with database.connect(read_only=True) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        row = cursor.execute(
            "SELECT state, unit_code, decision FROM cases.case WHERE case_id = %s", [case_id]
        ).fetchone()
        if row is None:
            raise _unknown(case_id)
        entries = cursor.execute(
            "SELECT at, action, unit_code, reason, actor FROM cases.history WHERE case_id = %s"
            " ORDER BY history_id",
            [case_id],
        ).fetchall()
    return StoredCase(
        case_id=case_id,
        state=row["state"],
        unit_code=row["unit_code"],
        decision=read_decision(row["decision"]),
        history=tuple(HistoryEntry(**entry) for entry in entries),
    )


def return_case(
    database: Database,
    snapshot: "Snapshot",
    case_id: str,
    *,
    unit_code: str,
    reason: str,
    actor: str,
) -> Decision:
    """Record that a unit sends a case back 退件, and give it to the next candidate.

    Every unit that ever sent the case back is left out. Nobody being left, the decision has no
    owner and the case waits for a person.

    Parameters
    ----------
    database : Database
        Where cases are recorded.
    snapshot : Snapshot
        The data that decide.
    case_id : str
        The case.
    unit_code : str
        The unit that refuses: the one that has the case.
    reason : str
        Its reason.
    actor : str
        Key or user, for the history.

    Raises
    ------
    NotFoundError
        There is no such case.
    RequestError
        There is no reason.
    ConflictError
        The case is closed or not decided, or another unit has it.
    """
    if not reason.strip():
        msg = "A return needs a reason: say why the case is not the unit's."
        raise RequestError(msg, zh="退件需要理由：请说明为何不属本单位。")
    with database.connect(as_api=True) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        row = cursor.execute(
            "SELECT * FROM cases.case WHERE case_id = %s FOR UPDATE", [case_id]
        ).fetchone()
        if row is None:
            raise _unknown(case_id)
        _check_returnable(row, unit_code=unit_code)
        refused = cursor.execute(
            "SELECT DISTINCT unit_code FROM cases.history WHERE case_id = %s AND action = %s",
            [case_id, RETURNED],
        ).fetchall()
        excluded = frozenset({unit_code, *(entry["unit_code"] for entry in refused)})
        decision = decide(snapshot, _stored_question(row), excluded=excluded)
        _remember(
            connection,
            replace(decision, case_id=case_id),
            action=RETURNED,
            actor=actor,
            unit_code=unit_code,
            reason=reason.strip(),
        )
        cursor.execute(
            "UPDATE cases.case SET unit_code = %(unit_code)s, probability = %(probability)s,"
            " needs_review = %(needs_review)s, decision = %(decision)s, state = %(state)s,"
            " data_version = %(data_version)s WHERE case_id = %(case_id)s",
            {
                "unit_code": decision.owner.unit_code if decision.owner else None,
                "probability": decision.probability,
                "needs_review": decision.needs_review,
                "decision": Jsonb(document_of(decision, as_of=_as_of(row))),
                "state": ASSIGNED if decision.owner else RETURNED,
                "data_version": decision.data_version,
                "case_id": case_id,
            },
        )
        if decision.owner:
            _remember(connection, decision, action="reassigned", actor=actor)
    return decision


def request_hash(case: Case) -> str:
    """Return the hash by which a case posted again is known to say the same.

    Examples
    --------
    >>> request_hash(Case(case_id="1")) == request_hash(Case(case_id="1", kind="component"))
    True
    """
    told = orjson.dumps(case, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(told).hexdigest()


def document_of(decision: Decision, *, as_of: date | None = None) -> dict[str, Any]:
    """Return a decision as the document that is stored, with the day it was asked for."""
    return {**msgspec.to_builtins(decision), "as_of": as_of.isoformat() if as_of else None}


def read_decision(stored: dict[str, Any]) -> Decision | None:
    """Return a stored decision; None for a case that was not decided yet."""
    return msgspec.convert(stored, Decision) if stored else None


def _known(database: Database, case_id: str, digest: str) -> Decision | None:
    with database.connect(read_only=True) as connection:
        row = connection.execute(
            "SELECT request_hash, decision FROM cases.case WHERE case_id = %s", [case_id]
        ).fetchone()
    if row is None:
        return None
    decision = read_decision(row[1])
    if row[0] != digest or decision is None:
        msg = (
            f"Case {case_id} is on record with another report: post it under a new case_id, or ask for "
            f"the one on record."
        )
        raise ConflictError(
            msg, zh=f"案件 {case_id} 已登记且内容不同：请使用新的案件编号，或查询已登记案件。"
        )
    return decision


_INSERT = """
INSERT INTO cases.case (case_id, kind, class_code, reported_at, address, x, y, crs, accuracy_m,
    component_code, geom, grid_code, community_code, unit_code, probability, needs_review, decision,
    state, data_version, request_hash)
VALUES (%(case_id)s, %(kind)s, %(class_code)s, %(reported_at)s, %(address)s, %(x)s, %(y)s, %(crs)s,
    %(accuracy_m)s, %(component_code)s,
    ST_SetSRID(ST_MakePoint(%(east)s::float8, %(north)s::float8), %(srid)s::int),
    %(grid_code)s, %(community_code)s, %(unit_code)s, %(probability)s, %(needs_review)s, %(decision)s,
    %(state)s, %(data_version)s, %(request_hash)s)
ON CONFLICT (case_id) DO NOTHING
"""


def _columns(case: Case, decision: Decision, *, digest: str, srid: int) -> dict[str, Any]:
    position, community = case.position, decision.areas.community
    return {
        "case_id": case.case_id,
        "kind": case.kind,
        "class_code": case.class_code or "",
        "reported_at": case.reported_at,
        "address": case.address,
        "x": position.x if position else None,
        "y": position.y if position else None,
        "crs": position.crs if position else None,
        "accuracy_m": position.accuracy_m if position else None,
        "component_code": case.component_code,
        "east": decision.location.x,
        "north": decision.location.y,
        "srid": srid,
        "grid_code": decision.grid.code if decision.grid else None,
        "community_code": community.code if community else None,
        "unit_code": decision.owner.unit_code if decision.owner else None,
        "probability": decision.probability,
        "needs_review": decision.needs_review,
        "decision": Jsonb(document_of(decision, as_of=case.as_of)),
        "state": ASSIGNED,
        "data_version": decision.data_version,
        "request_hash": digest,
    }


def _remember(
    connection: Any,
    decision: Decision,
    *,
    action: str,
    actor: str,
    unit_code: str | None = None,
    reason: str | None = None,
) -> None:
    owner = decision.owner.unit_code if decision.owner else None
    connection.execute(
        "INSERT INTO cases.history (case_id, action, unit_code, reason, actor, decision)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        [
            decision.case_id,
            action,
            unit_code or owner,
            reason,
            actor,
            Jsonb({} if action == RETURNED else document_of(decision)),
        ],
    )


def _check_returnable(row: dict[str, Any], *, unit_code: str) -> None:
    case_id = row["case_id"]
    if row["state"] != ASSIGNED:
        msg = f"Case {case_id} is {row['state']}: only an assigned case can be returned."
        raise ConflictError(
            msg, zh=f"案件 {case_id} 状态为 {row['state']}：只有已派遣的案件可以退件。"
        )
    if row["unit_code"] != unit_code:
        msg = f"Case {case_id} is with unit {row['unit_code']}, not {unit_code}: only its unit can return it."
        raise ConflictError(
            msg,
            zh=f"案件 {case_id} 的责任单位是 {row['unit_code']}，不是 {unit_code}：只能由责任单位退件。",
        )


def _as_of(row: dict[str, Any]) -> date | None:
    told = (row["decision"] or {}).get("as_of")
    return date.fromisoformat(told) if told else None


def _stored_question(row: dict[str, Any]) -> Case:
    position = None
    if row["x"] is not None and row["y"] is not None:
        crs = row["crs"] or "EPSG:4326"
        position = Position(x=row["x"], y=row["y"], crs=crs, accuracy_m=row["accuracy_m"])
    return Case(
        case_id=row["case_id"],
        kind=row["kind"],
        class_code=row["class_code"] or None,
        position=position,
        address=row["address"],
        component_code=row["component_code"],
        reported_at=row["reported_at"],
        as_of=_as_of(row),
    )


def _unknown(case_id: str) -> NotFoundError:
    return NotFoundError(
        f"There is no case {case_id}: look up its case_id.",
        zh=f"没有案件 {case_id}：请核对案件编号。",
    )
