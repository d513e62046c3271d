"""Requests sent again because their answer was lost: what was done already is not done twice."""

from collections.abc import Mapping
from typing import Any

from psycopg.rows import dict_row

from api.cases.records import HistoryEntry
from api.cases.states import ASSIGNED, REASSIGNED
from gis.database import Connection

_COMPARED = ("action", "unit_code", "reason", "actor", "category", "suggested_unit_code")
_TOLD = (
    "SELECT action, unit_code, reason, actor, category, suggested_unit_code FROM cases.history"
    " WHERE case_id = %(case_id)s AND build_id IS NULL"
)
# The step that Wanmi itself takes behind a return has no reason, a person's has.
_LAST = (
    f"{_TOLD} AND NOT (action = '{REASSIGNED}' AND reason IS NULL)"
    " ORDER BY at DESC, history_id DESC LIMIT 1"
)


def is_last(connection: Connection, case_id: str, entry: HistoryEntry) -> bool:
    """Tell whether the last that was done to a case is `entry`: same words, same actor.

    Parameters
    ----------
    connection : psycopg.Connection
        Transaction that holds the row of the case.
    case_id : str
        The case.
    entry : HistoryEntry
        What is asked for; its time does not count.
    """
    cursor = connection.cursor(row_factory=dict_row)
    last = cursor.execute(_LAST, {"case_id": case_id}).fetchone()
    return last is not None and _same(last, entry)


def is_returned(connection: Connection, row: Mapping[str, Any], entry: HistoryEntry) -> bool:
    """Tell whether a unit sent a case back before in these very words, and has it no more.

    Others may have had the case since. A unit that was given it again returns it anew.

    Parameters
    ----------
    connection : psycopg.Connection
        Transaction that holds the row of the case.
    row : mapping
        The row.
    entry : HistoryEntry
        The return asked for; its time does not count.
    """
    if row["state"] == ASSIGNED and row["unit_code"] == entry.unit_code:
        return False
    cursor = connection.cursor(row_factory=dict_row)
    told = cursor.execute(_TOLD, {"case_id": row["case_id"]}).fetchall()
    return any(_same(past, entry) for past in told)


def _same(told: Mapping[str, Any], entry: HistoryEntry) -> bool:
    return all(told[name] == getattr(entry, name) for name in _COMPARED)
