"""What happens to a case on record: returned by a unit, assigned by a person, closed, reopened."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from psycopg.types.json import Jsonb

from api.assign import decide
from api.cases.originals import check_original
from api.cases.posting import check_words, decided_columns
from api.cases.records import (
    HistoryEntry,
    as_of_of,
    document_of,
    lock_case,
    read_decision,
    remember,
    stored_question,
)
from api.cases.retries import is_last, is_returned
from api.cases.states import (
    ASSIGNED,
    CLOSED,
    REASSIGNED,
    REOPENED,
    RETURNED,
    check_action,
)
from api.cases.waiting import set_aside, waiting
from api.models import Decision, OwnerAnswer, TraceStep
from api.owning.owners import is_nobodys
from api.workdays import deadline, ending
from gis.database import Connection, Database
from gis.errors import ConflictError, RequestError
from gis.returns import category_of, return_reasons

if TYPE_CHECKING:
    from api.snapshot import Snapshot


@dataclass(frozen=True, kw_only=True)
class Return:
    """A unit's "not ours" 退件."""

    unit_code: str
    """Unit that refuses: the one that has the case."""
    reason: str
    """Why, in words."""
    category: str | None = None
    """Coded reason; None: read from the words."""
    suggested_unit_code: str | None = None
    """Unit it says the case is for."""


def return_case(
    database: Database,
    snapshot: "Snapshot",
    case_id: str,
    *,
    told: Return,
    actor: str,
) -> Decision:
    """Record that a unit sends a case back 退件, and give it to the next candidate.

    Every unit that ever sent the case back is left out. Nobody being left whom the record, the plan or
    the territory of the place names, or the reason being one that no other unit can help with (a
    repeat, not found …), the decision has no owner and the case
    waits for a person. Two returns at once: the second finds that the unit no longer has the case;
    the same return sent again changes nothing, and gets the decision in force.

    Parameters
    ----------
    database : Database
        Where cases are recorded.
    snapshot : Snapshot
        The data that decide.
    case_id : str
        The case.
    told : Return
        Unit and reason.
    actor : str
        Key or user, for the history.

    Raises
    ------
    NotFoundError
        There is no such case.
    RequestError
        There is no reason, it is no known one, or the suggested unit does not exist.
    ConflictError
        The case is closed or not decided, or another unit has it.
    """
    told = _checked_return(snapshot, told)
    asks_person = return_reasons()[str(told.category)].then == "person"
    entry = HistoryEntry(at=datetime.now(UTC), action=RETURNED, actor=actor, **vars(told))
    with database.connect(as_api=True) as connection:
        row = lock_case(connection, case_id)
        known = read_decision(row["decision"])
        if known is not None and is_returned(connection, row, entry):
            return known
        check_action(case_id, state=row["state"], action=RETURNED)
        _check_holder(row, unit_code=told.unit_code)
        excluded = refusers(connection, case_id) | {told.unit_code}
        decision = decide(snapshot, stored_question(row), excluded=excluded)
        if asks_person or is_nobodys(decision.reasons):
            decision = waiting(decision)
        remember(connection, entry, case_id, {})
        state = ASSIGNED if decision.owner else RETURNED
        _store(
            connection,
            row,
            decision,
            state=state,
            srid=database.srid,
            returns=row["returns"] + 1,
        )
        if decision.owner:
            entry = HistoryEntry(
                at=entry.at,
                action=REASSIGNED,
                unit_code=decision.owner.unit_code,
                reason=None,
                actor=actor,
            )
            remember(connection, entry, case_id, document_of(decision))
    return decision


def assign_case(
    database: Database,
    snapshot: "Snapshot",
    case_id: str,
    *,
    unit_code: str,
    reason: str,
    actor: str,
) -> Decision:
    """Give a case to the unit that a person names, whatever was decided; the trace says so.

    The time limit stays, counted from the report. The same word sent again, if it was the last,
    changes nothing.

    Raises
    ------
    NotFoundError
        There is no such case.
    RequestError
        There is no reason, or no such unit.
    ConflictError
        The case is closed, or the unit has it already.
    """
    reason = _reason(reason, en="An override", zh="人工改派")
    unit = snapshot.edition().directory.units.get(unit_code)
    if unit is None:
        raise _unknown_unit(unit_code)
    entry = HistoryEntry(
        at=datetime.now(UTC), action=REASSIGNED, unit_code=unit_code, reason=reason, actor=actor
    )
    with database.connect(as_api=True) as connection:
        row = lock_case(connection, case_id)
        known = read_decision(row["decision"])
        # Since a person's word an import may have given the case to another unit.
        is_there = row["unit_code"] == unit_code
        if known is not None and is_there and is_last(connection, case_id, entry):
            return known
        check_action(case_id, state=row["state"], action=REASSIGNED)
        if row["unit_code"] == unit_code:
            msg = f"Case {case_id} is with unit {unit_code} already: there is nothing to change."
            raise ConflictError(msg, zh=f"案件 {case_id} 已由 {unit_code} 负责，无需改派。")
        question = stored_question(row)
        base = known or decide(snapshot, question)
        fresh = decide(snapshot, question)
        limit = fresh.owner.time_limit if fresh.owner else None
        zone = ZoneInfo(snapshot.profile.city.timezone)
        calendar = snapshot.profile.calendar
        ends = deadline(row["reported_at"], limit, zone=zone, calendar=calendar) if limit else None
        owner = OwnerAnswer(
            unit_code=unit.code,
            unit_name=unit.name,
            role="person",
            principle=fresh.owner.principle if fresh.owner else "territory_first",
            rule=f"person:{actor}",
            time_limit=limit,
            **ending(ends),
        )
        step = TraceStep(
            step="person",
            candidate=f"{unit.code} {unit.name}",
            outcome="accepted",
            why=f"named by a person: {reason}",
            why_zh=f"人工指定：{reason}",
        )
        decision = replace(
            base,
            owner=owner,
            probability=1.0,
            needs_review=False,
            trace=(*(set_aside(step) for step in base.trace), step),
        )
        _store(connection, row, decision, state=ASSIGNED, srid=database.srid)
        remember(connection, entry, case_id, document_of(decision))
    return decision


def close_case(
    database: Database,
    case_id: str,
    *,
    reason: str,
    actor: str,
    duplicate_of: str | None = None,
) -> None:
    """Close a case; the unit that has it is the one that handled it.

    The same closing sent again changes nothing.

    Parameters
    ----------
    database : Database
        Where cases are recorded.
    case_id : str
        The case.
    reason : str
        How it ended; may be empty.
    actor : str
        Key or user, for the history.
    duplicate_of : str or None
        Case that this one repeats, as a person found; neither is changed but for this mark.

    Raises
    ------
    NotFoundError
        There is no such case, or no such case that it repeats.
    RequestError
        It is said to repeat itself.
    ConflictError
        It is closed already, or the case it is said to repeat is a repeat itself.
    """
    check_words({"reason": reason})
    with database.connect(as_api=True) as connection:
        # In one order, so that two who close two cases as repeats of each other do not wait forever.
        ids = sorted({case_id, duplicate_of or case_id})
        rows = {name: lock_case(connection, name) for name in ids}
        row = rows[case_id]
        said = reason.strip() or (f"repeats {duplicate_of}" if duplicate_of else None)
        entry = HistoryEntry(
            at=datetime.now(UTC),
            action=CLOSED,
            unit_code=row["unit_code"],
            reason=said,
            actor=actor,
        )
        is_same = row["state"] == CLOSED and row["duplicate_of"] == duplicate_of
        if is_same and is_last(connection, case_id, entry):
            return
        check_action(case_id, state=row["state"], action=CLOSED)
        if duplicate_of is not None:
            check_original(connection, case_id, rows[duplicate_of])
        connection.execute(
            "UPDATE cases.case SET state = %s, closed_at = clock_timestamp(), duplicate_of = %s,"
            " handled_by = CASE WHEN %s::text IS NULL THEN unit_code END WHERE case_id = %s",
            [CLOSED, duplicate_of, duplicate_of, case_id],
        )
        remember(connection, entry, case_id, {})


def reopen_case(database: Database, case_id: str, *, reason: str, actor: str) -> None:
    """Reopen a closed case: it goes back to the unit that had it, or waits for a person.

    The same reopening sent again, if it was the last that was done, changes nothing.

    Raises
    ------
    NotFoundError
        There is no such case.
    RequestError
        There is no reason.
    ConflictError
        It is not closed.
    """
    reason = _reason(reason, en="Reopening", zh="恢复案件")
    with database.connect(as_api=True) as connection:
        row = lock_case(connection, case_id)
        entry = HistoryEntry(
            at=datetime.now(UTC),
            action=REOPENED,
            unit_code=row["unit_code"],
            reason=reason,
            actor=actor,
        )
        # Since a person's word an import may have closed the case again.
        if row["state"] != CLOSED and is_last(connection, case_id, entry):
            return
        check_action(case_id, state=row["state"], action=REOPENED)
        connection.execute(
            "UPDATE cases.case SET state = %s, closed_at = NULL, handled_by = NULL,"
            " duplicate_of = NULL, reopened = reopened + 1 WHERE case_id = %s",
            [ASSIGNED if row["unit_code"] else RETURNED, case_id],
        )
        remember(connection, entry, case_id, {})


def refusers(connection: Connection, case_id: str) -> frozenset[str]:
    """Return the units that ever sent a case back."""
    rows = connection.execute(
        "SELECT DISTINCT unit_code FROM cases.history WHERE case_id = %s AND action = %s"
        " AND unit_code IS NOT NULL",
        [case_id, RETURNED],
    ).fetchall()
    return frozenset(row[0] for row in rows)


def _checked_return(snapshot: "Snapshot", told: Return) -> Return:
    reason = _reason(told.reason, en="A return", zh="退件")
    category = told.category or category_of(reason)
    if category not in return_reasons():
        known = ", ".join(return_reasons())
        msg = f"{category} is no reason of a return: use one of {known}."
        raise RequestError(msg, zh=f"退件原因 {category} 无效，可用：{known}。")
    suggested = told.suggested_unit_code
    if suggested is not None and suggested not in snapshot.edition().directory.units:
        raise _unknown_unit(suggested)
    return replace(told, reason=reason, category=category)


def _reason(reason: str, *, en: str, zh: str) -> str:
    check_words({"reason": reason})
    if not reason.strip():
        msg = f"{en} needs a reason: say why."
        raise RequestError(msg, zh=f"{zh}需要理由：请说明原因。")
    return reason.strip()


def _unknown_unit(unit_code: str) -> RequestError:
    msg = f"There is no unit {unit_code} in the directory: give the code of one that exists now."
    return RequestError(msg, zh=f"单位名录中没有 {unit_code}：请填写现有单位代码。")


def _check_holder(row: Mapping[str, Any], *, unit_code: str) -> None:
    case_id, holder = row["case_id"], row["unit_code"]
    if holder != unit_code:
        msg = f"Case {case_id} is with unit {holder}, not {unit_code}: only its unit can return it."
        zh = f"案件 {case_id} 的责任单位是 {holder}，不是 {unit_code}：只能由责任单位退件。"
        raise ConflictError(msg, zh=zh)


def _store(
    connection: Connection,
    row: Mapping[str, Any],
    decision: Decision,
    *,
    state: str,
    srid: int,
    returns: int | None = None,
) -> None:
    """Write a decision to the row of its case, and where the case lies by it."""
    values = decided_columns(decision)
    connection.execute(
        "UPDATE cases.case SET grid_code = %(grid_code)s, community_code = %(community_code)s,"
        " district_code = %(district_code)s,"
        " geom = ST_SetSRID(ST_MakePoint(%(east)s::float8, %(north)s::float8), %(srid)s::int),"
        " unit_code = %(unit_code)s, probability = %(probability)s, needs_review = %(needs_review)s,"
        " decision = %(decision)s, state = %(state)s,"
        " due_at = %(due_at)s, returns = %(returns)s, data_version = %(data_version)s"
        " WHERE case_id = %(case_id)s",
        {
            **values,
            "case_id": row["case_id"],
            "east": decision.location.x,
            "north": decision.location.y,
            "srid": srid,
            "state": state,
            "returns": row["returns"] if returns is None else returns,
            "decision": Jsonb(document_of(decision, as_of=as_of_of(dict(row)))),
        },
    )
