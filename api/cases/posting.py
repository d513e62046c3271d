"""Post a case: decided and recorded once, however often and by however many it is posted."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import orjson
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from api.cases.records import HistoryEntry, document_of, read_decision, remember, stored_question
from api.cases.states import ASSIGNED
from api.models import Case, Decision
from gis.database import Database
from gis.errors import ConflictError, RequestError

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Earlier reports are mistakes."""
CLOCK_SKEW = timedelta(minutes=10)
"""A report may be this far in the future: clocks of telephones differ."""
LONGEST_DESCRIPTION = 4_000
"""Characters that a description may have."""


def post_case(
    database: Database,
    deciding: Callable[[Case], Decision],
    case: Case,
    *,
    actor: str,
    channel: str | None = None,
    description: str | None = None,
) -> Decision:
    """Decide a case and record it; the same case posted again gets the decision on record.

    Case and history are written in one transaction: both or neither. Of several who post one case
    at once one records it, and all get its decision.

    Parameters
    ----------
    database : Database
        Where cases are recorded.
    deciding : callable
        Decides the case, or raises why it is not to be recorded; asked once, of a new case alone.
    case : Case
        The case; it needs a ``case_id``.
    actor : str
        Key or user, for the history.
    channel, description : str or None
        Where the report comes from, and its words.

    Raises
    ------
    RequestError
        There is no ``case_id``, the position is none, the time is to come, or a text can not be
        stored.
    ConflictError
        The ``case_id`` is taken by another report; the sentence says in what they differ.
    """
    if not case.case_id:
        msg = "A recorded case needs a case_id: give the identifier of the workflow system."
        raise RequestError(msg, zh="案件登记需要 case_id：请提供业务系统的案件编号。")
    check_words({"description": description, "channel": channel, "address": case.address})
    check_time(case.reported_at)
    request = request_of(case, channel=channel, description=description)
    known = _known(database, request)
    if known is not None:
        return known
    case = replace(case, reported_at=case.reported_at or datetime.now(UTC))
    decision = deciding(case)
    columns = _columns(case, decision, request=request, srid=database.srid)
    with database.connect(as_api=True) as connection:
        if connection.execute(_INSERT, columns).rowcount == 1:
            owner = decision.owner.unit_code if decision.owner else None
            entry = HistoryEntry(
                at=datetime.now(UTC), action=ASSIGNED, unit_code=owner, reason=None, actor=actor
            )
            remember(connection, entry, str(case.case_id), document_of(decision))
            return decision
    # Somebody else posted the same case in the meantime.
    known = _known(database, request)
    if known is None:
        msg = f"Case {case.case_id} vanished while it was posted: post it again."
        raise ConflictError(msg, zh=f"案件 {case.case_id} 在登记时被删除：请重新提交。")
    return known


def check_words(texts: Mapping[str, str | None]) -> None:
    """Refuse texts that no database can hold, and descriptions that are too long.

    Raises
    ------
    RequestError
        The sentence names the text.

    Examples
    --------
    >>> check_words({"description": "井盖破损 🕳️"})
    >>> check_words({"description": "a" * 5000})
    Traceback (most recent call last):
    gis.errors.RequestError: description has 5000 characters, 4000 at most: shorten it.
    """
    for name, text in texts.items():
        if text is None:
            continue
        if len(text) > LONGEST_DESCRIPTION:
            msg = f"{name} has {len(text)} characters, {LONGEST_DESCRIPTION} at most: shorten it."
            zh = f"{name} 有 {len(text)} 个字符，最多 {LONGEST_DESCRIPTION} 个：请缩短。"
            raise RequestError(msg, zh=zh)
        if "\0" in text or any(0xD800 <= ord(sign) <= 0xDFFF for sign in text):
            msg = f"{name} has signs that are no text (NUL or half a surrogate): leave them out."
            raise RequestError(msg, zh=f"{name} 含有无效字符（NUL 或残缺代理项）：请删除。")


def check_time(reported_at: datetime | None) -> None:
    """Refuse a time of report that is to come, before 1970, or that says no time zone.

    Raises
    ------
    RequestError
        It is more than ten minutes ahead, before 1970, or has no time zone.
    """
    if reported_at is None:
        return
    if reported_at.tzinfo is None:
        msg = f"reported_at {reported_at.isoformat()} says no time zone: write it as 2026-05-31T14:05:00+08:00."
        zh = f"reported_at {reported_at.isoformat()} 缺少时区：请写成 2026-05-31T14:05:00+08:00。"
        raise RequestError(msg, zh=zh)
    if reported_at < EARLIEST:
        msg = f"reported_at {reported_at.isoformat()} is before 1970: correct the year."
        raise RequestError(
            msg, zh=f"reported_at {reported_at.isoformat()} 早于 1970 年：请更正年份。"
        )
    if reported_at > datetime.now(UTC) + CLOCK_SKEW:
        msg = (
            f"reported_at {reported_at.isoformat()} is to come: check the clock and the time zone."
        )
        zh = f"reported_at {reported_at.isoformat()} 尚未到来：请检查时钟和时区。"
        raise RequestError(msg, zh=zh)


def request_of(
    case: Case, *, channel: str | None = None, description: str | None = None
) -> dict[str, Any]:
    """Return a report as the document that is stored, so that it can be told and decided again.

    Examples
    --------
    >>> request_of(Case(case_id="1", class_code="0104"), channel="热线")
    {'case_id': '1', 'kind': 'component', 'class_code': '0104', 'channel': '热线'}
    """
    told = {**msgspec.to_builtins(case), "channel": channel, "description": description}
    if case.reported_at is not None:  # one moment, however it is written
        told["reported_at"] = case.reported_at.astimezone(UTC).isoformat()
    return {name: value for name, value in told.items() if value is not None}


def request_hash(request: Mapping[str, Any]) -> str:
    """Return the hash by which a case posted again is known to say the same."""
    return hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()


def differences(known: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return the names of what two reports tell differently, nested ones with a dot.

    Examples
    --------
    >>> differences({"a": 1, "p": {"x": 1.0, "y": 2.0}}, {"b": 1, "a": 1, "p": {"x": 1.0, "y": 3.0}})
    ['b', 'p.y']
    """
    found = []
    for name in sorted(known.keys() | given.keys()):
        one, other = known.get(name), given.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            found += [f"{name}.{inner}" for inner in differences(one, other)]
        elif one != other:
            found.append(name)
    return found


def _known(database: Database, request: Mapping[str, Any]) -> Decision | None:
    """Return the decision on record for the same report; None: there is no such case."""
    case_id = request["case_id"]
    with database.connect(read_only=True) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        row = cursor.execute("SELECT * FROM cases.case WHERE case_id = %s", [case_id]).fetchone()
    if row is None:
        return None
    differing: list[str] = []
    if row["request_hash"] != request_hash(request):
        differing = differences(_stored_request(row), request)
    if differing:
        named = ", ".join(differing)
        msg = (
            f"Case {case_id} is on record with another report (it differs in {named}): post it under "
            f"a new case_id, or ask for the one on record."
        )
        zh = f"案件 {case_id} 已登记且内容不同（{named}）：请使用新的案件编号，或查询已登记案件。"
        raise ConflictError(msg, zh=zh)
    decision = read_decision(row["decision"])
    if decision is None:
        msg = f"Case {case_id} was imported and is not decided yet: run `wanmi assign --stored`."
        zh = f"案件 {case_id} 由导入而来、尚未判定：请运行 wanmi assign --stored。"
        raise ConflictError(msg, zh=zh)
    return decision


def _stored_request(row: dict[str, Any]) -> dict[str, Any]:
    if row["request"]:
        told: dict[str, Any] = row["request"]
        return told
    return request_of(stored_question(row), channel=row["channel"], description=row["description"])


_INSERT = """
INSERT INTO cases.case (case_id, kind, class_code, reported_at, channel, description, address, x, y,
    crs, accuracy_m, component_code, geom, grid_code, community_code, district_code, unit_code,
    probability, needs_review, decision, state, data_version, due_at, request, request_hash)
VALUES (%(case_id)s, %(kind)s, %(class_code)s, %(reported_at)s, %(channel)s, %(description)s,
    %(address)s, %(x)s, %(y)s, %(crs)s, %(accuracy_m)s, %(component_code)s,
    ST_SetSRID(ST_MakePoint(%(east)s::float8, %(north)s::float8), %(srid)s::int),
    %(grid_code)s, %(community_code)s, %(district_code)s, %(unit_code)s, %(probability)s,
    %(needs_review)s, %(decision)s, %(state)s, %(data_version)s, %(due_at)s, %(request)s,
    %(request_hash)s)
ON CONFLICT (case_id) DO NOTHING
"""


def _columns(
    case: Case, decision: Decision, *, request: dict[str, Any], srid: int
) -> dict[str, Any]:
    position = case.position
    return {
        "case_id": case.case_id,
        "kind": case.kind,
        "class_code": case.class_code or "",
        "reported_at": case.reported_at,
        "channel": request.get("channel"),
        "description": request.get("description"),
        "address": case.address,
        "x": position.x if position else None,
        "y": position.y if position else None,
        "crs": position.crs if position else None,
        "accuracy_m": position.accuracy_m if position else None,
        "component_code": case.component_code,
        "east": decision.location.x,
        "north": decision.location.y,
        "srid": srid,
        "state": ASSIGNED,
        "request": Jsonb(request),
        "request_hash": request_hash(request),
        **decided_columns(decision),
        "decision": Jsonb(document_of(decision, as_of=case.as_of)),
    }


def decided_columns(decision: Decision) -> dict[str, Any]:
    """Return what a decision writes into the columns of a case, without the document itself."""
    owner, areas = decision.owner, decision.areas
    return {
        "grid_code": decision.grid.code if decision.grid else None,
        "community_code": areas.community.code if areas.community else None,
        "district_code": areas.district.code if areas.district else None,
        "unit_code": owner.unit_code if owner else None,
        "probability": decision.probability,
        "needs_review": decision.needs_review,
        "data_version": decision.data_version,
        "due_at": owner.due_at if owner else None,
    }
