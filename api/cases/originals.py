"""Which case a repeat 重复件 may name: the first report, never another repeat."""

from collections.abc import Mapping
from typing import Any

from gis.database import Connection
from gis.errors import ConflictError, RequestError


def check_original(connection: Connection, case_id: str, original: Mapping[str, Any]) -> None:
    """Refuse to close a case as the repeat of itself, or of one that is a repeat.

    Parameters
    ----------
    connection : psycopg.Connection
        Transaction that holds both rows.
    case_id : str
        The case.
    original : mapping
        Row of the case that it is said to repeat.

    Raises
    ------
    RequestError
        Both are one case.
    ConflictError
        The other is a repeat; the sentence names the case that its chain ends at.
    """
    name, repeated = original["case_id"], original["duplicate_of"]
    if name == case_id:
        msg = f"Case {case_id} can not repeat itself: name the other case."
        raise RequestError(msg, zh=f"案件 {case_id} 不能与自身重复：请填写另一案件。")
    if repeated is None:
        return
    first = _first_report(connection, repeated)
    if first == case_id:
        msg = f"Case {name} is itself a repeat of {case_id}: {case_id} is the original, close it without duplicate_of."
        zh = f"案件 {name} 已是 {case_id} 的重复件：{case_id} 为原始案件，结案时请勿填写 duplicate_of。"
        raise ConflictError(msg, zh=zh)
    msg = f"Case {name} is itself a repeat of {first}: name that one."
    raise ConflictError(msg, zh=f"案件 {name} 已是 {first} 的重复件：请填写后者。")


def _first_report(connection: Connection, case_id: str) -> str:
    """Return the case that a chain of repeats ends at: what was repeated may be found a repeat later."""
    row = connection.execute(
        "WITH RECURSIVE chain AS (SELECT case_id, duplicate_of FROM cases.case WHERE case_id = %s"
        " UNION SELECT c.case_id, c.duplicate_of FROM cases.case AS c"
        " JOIN chain ON c.case_id = chain.duplicate_of)"
        " SELECT case_id FROM chain WHERE duplicate_of IS NULL",
        [case_id],
    ).fetchone()
    return str(row[0]) if row else case_id
