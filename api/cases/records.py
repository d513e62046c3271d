"""Cases as they stand on record: read from the store, with all that happened to them."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import msgspec
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from api.cases.states import CLOSED, RETURNED
from api.models import Case, Decision, Position
from gis.database import Connection, Database
from gis.errors import NotFoundError

Due = Literal["in_time", "soon", "overdue"]
_SOON_SHARE = 0.25
_SOON_LEAST = timedelta(minutes=30)

WAITING: dict[str, tuple[str, str]] = {
    "all_returned": (
        "Every unit that could be asked sent the case back: a person names the unit.",
        "所有候选单位均已退件：请人工指定责任单位。",
    ),
    "reason_needs_person": (
        "The reason of the return is for a person to judge, not for another unit.",
        "退件原因需人工核实，不再自动改派其他单位。",
    ),
    "no_unit": (
        "No unit was found for the case: a person names the unit.",
        "未找到责任单位：请人工指定。",
    ),
}
"""Why a case waits for a person -> the sentence in English and Chinese."""


@dataclass(frozen=True, kw_only=True)
class HistoryEntry:
    """One thing that happened to a case."""

    at: datetime
    action: str
    """assigned, returned, reassigned, closed, reopened."""
    unit_code: str | None
    """For returned the unit that refused, else the owning unit after the action."""
    reason: str | None
    actor: str
    category: str | None = None
    """Of a return: a code of ``gis/codes/return_reasons.csv``."""
    suggested_unit_code: str | None = None
    """Of a return: the unit it says the case is for; of an override: nothing."""


@dataclass(frozen=True, kw_only=True)
class DuplicateHint:
    """An open case that may be about the same thing; nothing is ever merged by itself."""

    case_id: str
    probability: float
    """How probable it is that both are one, 0-1, as ``api.cases.likeness`` works it out."""
    distance_m: float
    """Between the places, m; 0 where both name one component."""
    hours: float
    """Between the reports, h."""
    why: str
    why_zh: str


@dataclass(frozen=True, kw_only=True)
class StoredCase:
    """A case on record."""

    case_id: str
    state: str
    """received (imported, not decided), assigned, returned (waits for a person), closed."""
    unit_code: str | None
    decision: Decision | None
    """The decision in force; None: not decided yet."""
    history: tuple[HistoryEntry, ...]
    """The oldest entry first."""
    kind: str = "component"
    class_code: str = ""
    reported_at: datetime | None = None
    closed_at: datetime | None = None
    channel: str | None = None
    description: str | None = None
    due_at: datetime | None = None
    due: Due | None = None
    """How it stands to its time limit; None: it has none."""
    returns: int = 0
    """How often units sent it back."""
    reopened: int = 0
    handled_by: str | None = None
    """Unit that handled it at last 处置单位, of imported and closed cases."""
    duplicate_of: str | None = None
    """Case of which a person says that this one repeats it."""
    waiting: str | None = None
    """Why it waits for a person: a key of `WAITING`."""
    waiting_text: str | None = None
    """The same as a sentence, in the language of the request."""
    duplicates: tuple[DuplicateHint, ...] = field(default=())
    """Open cases that may be about the same thing, the most probable first."""


_COLUMNS = (
    "state, unit_code, decision, kind, class_code, reported_at, closed_at, channel, description,"
    " due_at, returns, reopened, handled_by, duplicate_of"
)


def get_case(database: Database, case_id: str, *, now: datetime | None = None) -> StoredCase:
    """Return a case on record with its history, the oldest entry first.

    Raises
    ------
    NotFoundError
        There is no such case.
    """
    with database.connect(read_only=True) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        row = cursor.execute(
            f"SELECT {_COLUMNS} FROM cases.case WHERE case_id = %s",  # noqa: S608 (own words)
            [case_id],
        ).fetchone()
        if row is None:
            raise unknown_case(case_id)
        entries = cursor.execute(
            "SELECT at, action, unit_code, reason, actor, category, suggested_unit_code"
            " FROM cases.history WHERE case_id = %s ORDER BY at, history_id",
            [case_id],
        ).fetchall()
    history = tuple(HistoryEntry(**entry) for entry in entries)
    return StoredCase(
        **{**row, "decision": read_decision(row["decision"])},
        case_id=case_id,
        history=history,
        due=due_state(row, now=now or datetime.now(UTC)),
        waiting=waiting_for(row["state"], row["unit_code"], history),
    )


def due_state(row: dict[str, Any], *, now: datetime) -> Due | None:
    """Return how a case stands to its time limit.

    Soon is the last quarter of the time, half an hour at least. A closed case is judged by when it
    was closed.

    Examples
    --------
    >>> start = datetime(2026, 7, 1, 9, tzinfo=UTC)
    >>> row = {"state": "assigned", "reported_at": start, "due_at": start + timedelta(hours=4)}
    >>> [due_state(row, now=start + timedelta(hours=h)) for h in (1, 3, 4, 5)]
    ['in_time', 'soon', 'soon', 'overdue']
    """
    due_at = row["due_at"]
    if due_at is None:
        return None
    is_closed = row["state"] == CLOSED
    moment = row["closed_at"] if is_closed and row["closed_at"] else now
    if moment > due_at:
        return "overdue"
    if is_closed:
        return "in_time"
    notice = max(_SOON_SHARE * (due_at - row["reported_at"]), _SOON_LEAST)
    return "soon" if moment >= due_at - notice else "in_time"


def waiting_for(state: str, unit_code: str | None, history: tuple[HistoryEntry, ...]) -> str | None:
    """Return why a case waits for a person, a key of `WAITING`, or None."""
    from gis.returns import return_reasons

    if state == RETURNED:
        last = next((e for e in reversed(history) if e.action == RETURNED), None)
        reason = return_reasons().get(last.category or "") if last else None
        if last is None:  # opened again without a unit; nobody was asked
            return "no_unit"
        asks_person = reason is not None and reason.then == "person"
        return "reason_needs_person" if asks_person else "all_returned"
    return "no_unit" if state == "assigned" and unit_code is None else None


def document_of(decision: Decision, *, as_of: date | None = None) -> dict[str, Any]:
    """Return a decision as the document that is stored, with the day it was asked for."""
    return {**msgspec.to_builtins(decision), "as_of": as_of.isoformat() if as_of else None}


def read_decision(stored: dict[str, Any]) -> Decision | None:
    """Return a stored decision; None for a case that was not decided yet."""
    return msgspec.convert(stored, Decision) if stored else None


def stored_question(row: dict[str, Any]) -> Case:
    """Return what a case on record asks, from its row."""
    position = None
    if row["x"] is not None and row["y"] is not None:
        given = (row.get("request") or {}).get("position") or {}
        position = msgspec.convert(
            {
                **given,
                "x": row["x"],
                "y": row["y"],
                "crs": row["crs"] or "EPSG:4326",
                "accuracy_m": row["accuracy_m"],
            },
            Position,
        )
    return Case(
        case_id=row["case_id"],
        kind=row["kind"],
        class_code=row["class_code"] or None,
        position=position,
        address=row["address"],
        component_code=row["component_code"],
        reported_at=row["reported_at"],
        as_of=as_of_of(row),
    )


def as_of_of(row: dict[str, Any]) -> date | None:
    """Return the day whose data a case on record asked for."""
    told = (row["decision"] or {}).get("as_of")
    return date.fromisoformat(told) if told else None


def remember(connection: Connection, entry: HistoryEntry, case_id: str, decision: Any) -> None:
    """Append to a case's history, in the caller's transaction.

    Parameters
    ----------
    connection : psycopg.Connection
        Transaction that changes the case.
    entry : HistoryEntry
        What happened; its time is that of the database when it is written, so that who waited for
        another's change is told behind it.
    case_id : str
        The case.
    decision : dict
        Document of the decision after the action; empty for a return.
    """
    connection.execute(
        "INSERT INTO cases.history (at, case_id, action, unit_code, reason, actor, category,"
        " suggested_unit_code, decision)"
        " VALUES (clock_timestamp(), %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            case_id,
            entry.action,
            entry.unit_code,
            entry.reason,
            entry.actor,
            entry.category,
            entry.suggested_unit_code,
            Jsonb(decision),
        ],
    )


def lock_case(connection: Connection, case_id: str) -> dict[str, Any]:
    """Return the row of a case, held until the transaction ends.

    Raises
    ------
    NotFoundError
        There is no such case.
    """
    cursor = connection.cursor(row_factory=dict_row)
    row = cursor.execute(
        "SELECT * FROM cases.case WHERE case_id = %s FOR UPDATE", [case_id]
    ).fetchone()
    if row is None:
        raise unknown_case(case_id)
    return row


def unknown_case(case_id: str) -> NotFoundError:
    """Return the error for a case that is not on record."""
    return NotFoundError(
        f"There is no case {case_id}: look up its case_id.",
        zh=f"没有案件 {case_id}：请核对案件编号。",
    )
