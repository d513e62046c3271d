"""Cases on record, page by page: the newest report first, by key and not by number of rows."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from psycopg.rows import dict_row

from api.cases.records import Due, due_state
from api.cases.states import STATES
from gis.crs import GEOGRAPHIC, transform_xy
from gis.database import Database
from gis.errors import RequestError

MOST = 1_000
"""Cases that a page may have."""
_EDGE_POINTS = 9


@dataclass(frozen=True, kw_only=True)
class CaseFilter:
    """Which cases are asked for; None: all."""

    state: str | None = None
    unit_code: str | None = None
    class_code: str | None = None
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north, degrees."""
    since: datetime | None = None
    """Reported then or later."""
    due: Due | None = None
    """Open cases whose time limit stands so."""
    districts: tuple[str, ...] = ()
    """Only cases of these districts; empty: the whole city."""


@dataclass(frozen=True, kw_only=True)
class CaseSummary:
    """A case in a list: without the words of the report, which may name people."""

    case_id: str
    kind: str
    class_code: str
    state: str
    unit_code: str | None
    handled_by: str | None
    reported_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    due: Due | None
    returns: int
    channel: str | None
    probability: float | None
    needs_review: bool
    grid_code: str | None
    community_code: str | None
    district_code: str | None
    duplicate_of: str | None
    lon: float | None
    lat: float | None


@dataclass(frozen=True, kw_only=True)
class CasePage:
    """A page of a list."""

    cases: tuple[CaseSummary, ...]
    next: str | None
    """What to ask the next page by; None: this is the last."""


def list_cases(
    database: Database,
    wanted: CaseFilter,
    *,
    limit: int = 100,
    after: str | None = None,
    now: datetime | None = None,
) -> CasePage:
    """Return a page of cases, the newest report first, cases of one moment by their identifier.

    A page begins where the one before it ended, so that cases reported meanwhile neither repeat nor
    hide others, and the hundredth page costs what the first does.

    Parameters
    ----------
    database : Database
        Where the cases are.
    wanted : CaseFilter
        Which cases.
    limit : int
        Cases of a page, 1 to 1,000.
    after : str or None
        ``next`` of the page before.
    now : datetime or None
        By which time limits are judged; None: the present.

    Raises
    ------
    RequestError
        A filter, the limit or ``next`` can not be meant.
    """
    now = now or datetime.now(UTC)
    if not 1 <= limit <= MOST:
        msg = f"limit is {limit}: ask for 1 to {MOST} cases."
        raise RequestError(msg, zh=f"limit 为 {limit}：每页 1 至 {MOST} 件。")
    clauses, values = _clauses(wanted, database=database, now=now)
    if after is not None:
        clauses.append("(c.reported_at, c.case_id) < (%s, %s)")
        values += read_token(after)
    query = f"SELECT {_COLUMNS} FROM cases.case AS c WHERE {' AND '.join(clauses)} {_ORDER}"  # noqa: S608
    with database.connect(as_api=True) as connection:
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(query, [*values, limit + 1]).fetchall()
    page = rows[:limit]
    last = page[-1] if len(rows) > limit else None
    return CasePage(
        cases=tuple(_summaries(page, crs=database.crs, now=now)),
        next=None if last is None else write_token(last["reported_at"], last["case_id"]),
    )


_COLUMNS = (
    "c.case_id, c.kind, c.class_code, c.state, c.unit_code, c.handled_by, c.reported_at,"
    " c.closed_at, c.due_at, c.returns, c.channel, c.probability, c.needs_review, c.grid_code,"
    " c.community_code, c.district_code, c.duplicate_of, ST_X(c.geom) AS lon, ST_Y(c.geom) AS lat"
)
_ORDER = "ORDER BY c.reported_at DESC, c.case_id DESC LIMIT %s"
# The end of a time limit from which on it ends soon; as `api.cases.records.due_state` says it.
_SOON_FROM = "c.due_at - greatest((c.due_at - c.reported_at) / 4, interval '30 minutes')"


def _clauses(
    wanted: CaseFilter, *, database: Database, now: datetime
) -> tuple[list[str], list[Any]]:
    if wanted.state is not None and wanted.state not in STATES:
        known = ", ".join(STATES)
        msg = f"state {wanted.state} is none of {known}."
        raise RequestError(msg, zh=f"state {wanted.state} 无效，可用：{known}。")
    clauses, values = ["true"], list[Any]()
    for column, value in (
        ("state", wanted.state),
        ("unit_code", wanted.unit_code),
        ("class_code", wanted.class_code),
    ):
        if value is not None:
            clauses.append(f"c.{column} = %s")
            values.append(value)
    if wanted.since is not None:
        clauses.append("c.reported_at >= %s")
        values.append(wanted.since)
    if wanted.bbox is not None:
        clauses.append("ST_Intersects(c.geom, ST_MakeEnvelope(%s, %s, %s, %s, %s::int))")
        values += [*envelope(wanted.bbox, crs=database.crs), database.srid]
    if wanted.districts:
        clauses.append("coalesce(c.district_code, left(c.grid_code, 6)) = ANY (%s)")
        values.append(list(wanted.districts))
    if wanted.due is not None:
        ends = {
            "overdue": "c.due_at < %s",
            "soon": f"c.due_at >= %s AND {_SOON_FROM} <= %s",
            "in_time": f"{_SOON_FROM} > %s",
        }[wanted.due]
        clauses.append(f"c.state <> 'closed' AND {ends}")
        values += [now] * ends.count("%s")
    return clauses, values


def envelope(
    bbox: tuple[float, float, float, float], *, crs: str
) -> tuple[float, float, float, float]:
    """Return a box of degrees as a box of the city's CRS that holds it.

    Raises
    ------
    RequestError
        It is no box, or lies beyond what the city's CRS can hold.
    """
    west, south, east, north = bbox
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        msg = "bbox is west,south,east,north in degrees, as 114.4,38.0,114.6,38.1."
        raise RequestError(msg, zh="bbox 依次为西、南、东、北（度），如 114.4,38.0,114.6,38.1。")
    along = np.linspace(0, 1, _EDGE_POINTS)
    lon, lat = np.meshgrid(west + (east - west) * along, south + (north - south) * along)
    x, y = transform_xy(lon.ravel(), lat.ravel(), source=GEOGRAPHIC, target=crs)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        msg = "bbox reaches beyond the part of the world that the city's CRS measures: make it smaller."
        raise RequestError(msg, zh="bbox 超出城市坐标系的适用范围：请缩小。")
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def write_token(reported_at: datetime, case_id: str) -> str:
    """Return the end of a page as a text without special signs.

    Examples
    --------
    >>> token = write_token(datetime(2026, 7, 1, tzinfo=UTC), "案件-1")
    >>> read_token(token)
    [datetime.datetime(2026, 7, 1, 0, 0, tzinfo=datetime.timezone.utc), '案件-1']
    """
    told = f"{reported_at.astimezone(UTC).isoformat()} {case_id}"
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def read_token(token: str) -> list[Any]:
    """Return time and identifier of a page's end.

    Raises
    ------
    RequestError
        It is not what `write_token` wrote.
    """
    try:
        told = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        moment, case_id = told.split(" ", 1)
        reported_at = datetime.fromisoformat(moment)
        if reported_at.tzinfo is None or "\0" in case_id:
            raise ValueError(token)
    except (ValueError, binascii.Error, UnicodeError) as error:
        msg = "next is not what a page gave: ask without it, and go on by what comes back."
        zh = "next 不是上一页返回的内容：请先不带 next 查询。"
        raise RequestError(msg, zh=zh) from error
    return [reported_at, case_id]


def _summaries(rows: Sequence[dict[str, Any]], *, crs: str, now: datetime) -> list[CaseSummary]:
    x = np.array([np.nan if row["lon"] is None else row["lon"] for row in rows])
    y = np.array([np.nan if row["lat"] is None else row["lat"] for row in rows])
    known = np.isfinite(x)
    lon, lat = x.copy(), y.copy()
    if known.any():
        lon[known], lat[known] = transform_xy(x[known], y[known], source=crs, target=GEOGRAPHIC)
    return [
        CaseSummary(
            **{
                **row,
                "lon": float(lon[number]) if known[number] else None,
                "lat": float(lat[number]) if known[number] else None,
            },
            due=due_state(row, now=now),
        )
        for number, row in enumerate(rows)
    ]
