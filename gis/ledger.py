"""The record of builds in ``meta``: what was delivered, loaded, refused, and by whom."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from importlib import metadata
from typing import Any, Literal

import numpy as np
import pandas as pd
import psycopg
import shapely
from psycopg import sql
from psycopg.types.json import Jsonb

from gis.errors import BuildError
from gis.faults import REJECT_COLUMNS
from gis.rows import copy_rows

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, kw_only=True)
class BuildRequest:
    """What is to be built."""

    delivery: str
    """Name of the delivery."""
    as_of: date
    """Day from which its rows hold."""
    path: str
    """Folder it was read from."""
    delivery_hash: str
    """SHA-256 over manifest and files."""
    dataset: str
    content_hash: str
    """SHA-256 of the dataset's files and manifest layers."""
    files: dict[str, Any] = field(default_factory=dict)
    """File -> SHA-256, encoding, CRS, row count, warnings."""
    corrects_build_id: int | None = None
    """Build some of whose refused rows these are, corrected; None: a whole delivery."""


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """What a build did; rows read = accepted + rejected, accepted = opened + unchanged."""

    build_id: int
    dataset: str
    status: Literal["built", "unchanged"]
    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_opened: int
    rows_closed: int
    rows_unchanged: int


def find(
    connection: Connection, dataset: str, content_hash: str, as_of: date | None
) -> BuildResult | None:
    """Return the newest live build of the same content, as ``unchanged``; None: there is none."""
    row = connection.execute(
        "SELECT build_id, rows_read, rows_accepted, rows_rejected FROM meta.build "
        "WHERE dataset = %s AND content_hash = %s AND status = 'live' AND as_of = coalesce(%s, as_of) "
        "ORDER BY build_id DESC LIMIT 1",
        [dataset, content_hash, as_of],
    ).fetchone()
    if row is None:
        return None
    return BuildResult(
        build_id=row[0],
        dataset=dataset,
        status="unchanged",
        rows_read=row[1],
        rows_accepted=row[2],
        rows_rejected=row[3],
        rows_opened=0,
        rows_closed=0,
        rows_unchanged=row[2],
    )


def check_day(connection: Connection, *, dataset: str, as_of: date) -> None:
    """Refuse a delivery older than what is live: history would no longer follow the calendar.

    Raises
    ------
    BuildError
        The sentence names the build and the ways out.
    """
    row = connection.execute(
        "SELECT as_of, build_id FROM meta.build WHERE dataset = %s AND status = 'live' "
        "ORDER BY as_of DESC, build_id DESC LIMIT 1",
        [dataset],
    ).fetchone()
    if row is not None and as_of < row[0]:
        msg = (
            f"{dataset} is live as of {row[0]} (build {row[1]}), later than this delivery's {as_of}: "
            f"state as_of = {row[0]} or later in delivery.toml (of a plan: --as-of), "
            f"or roll back with `wanmi rollback {row[1]}`."
        )
        raise BuildError(
            msg,
            zh=f"{dataset} 现势日期为 {row[0]}（构建 {row[1]}），晚于本次交付的 {as_of}："
            f"请在 delivery.toml 中（职责分解方案用 --as-of）改为 {row[0]} 或更晚，或先回滚 wanmi rollback {row[1]}。",
        )


def check_newest(connection: Connection, dataset: str, build_id: int) -> None:
    """Refuse to roll back any build but the newest live one of its dataset.

    Raises
    ------
    BuildError
        The sentence names the build to roll back first.
    """
    rows = connection.execute(
        "SELECT build_id FROM meta.build WHERE dataset = %s AND status = 'live' AND build_id >= %s "
        "ORDER BY build_id DESC",
        [dataset, build_id],
    ).fetchall()
    newer = [int(row[0]) for row in rows]
    if build_id not in newer:
        msg = f"Build {build_id} was rolled back already: `wanmi builds` shows what is live."
        raise BuildError(msg, zh=f"构建 {build_id} 已经回滚：请用 wanmi builds 查看。")
    if newer[0] != build_id:
        msg = f"Build {newer[0]} of {dataset} is newer: first run `wanmi rollback {newer[0]}`."
        raise BuildError(
            msg, zh=f"{dataset} 有更新的构建 {newer[0]}：请先运行 wanmi rollback {newer[0]}。"
        )


def record(connection: Connection, request: BuildRequest, result: BuildResult) -> int:
    """Write the build, and its delivery where that is new; return the build's number."""
    row = connection.execute(
        "INSERT INTO meta.build (delivery_id, dataset, as_of, status, content_hash, rows_read, rows_accepted, "
        "rows_rejected, rows_opened, rows_closed, rows_unchanged, files, finished_at, software_version, "
        "corrects_build_id) "
        "VALUES (%s, %s, %s, 'live', %s, %s, %s, %s, %s, %s, %s, %s, clock_timestamp(), %s, %s) "
        "RETURNING build_id",
        [
            _delivery(connection, request),
            request.dataset,
            request.as_of,
            request.content_hash,
            result.rows_read,
            result.rows_accepted,
            result.rows_rejected,
            result.rows_opened,
            result.rows_closed,
            result.rows_unchanged,
            Jsonb(request.files),
            metadata.version("wanmi"),
            request.corrects_build_id,
        ],
    ).fetchone()
    assert row is not None
    return int(row[0])


def forget(connection: Connection, build_id: int) -> None:
    """Remove a build that came to nothing in the transaction that recorded it."""
    connection.execute("DELETE FROM meta.build WHERE build_id = %s", [build_id])


def settle(
    connection: Connection, *, corrected: int, by: int, rows: Sequence[tuple[str, int]]
) -> None:
    """Mark the faults of rows of a build, which were judged anew, as settled by another build.

    Parameters
    ----------
    connection : psycopg.Connection
        The transaction of the build that settles them.
    corrected : int
        Build that refused the rows.
    by : int
        Build that judged them anew.
    rows : sequence
        File and row of each.
    """
    connection.execute(
        "UPDATE meta.reject r SET resolved_build_id = %(by)s FROM meta.build b, "
        "unnest(%(files)s::text[], %(rows)s::int[]) AS k (source_file, source_row) "
        "WHERE r.build_id = b.build_id AND b.build_id <> %(by)s AND r.resolved_build_id IS NULL "
        "AND %(corrected)s IN (b.build_id, b.corrects_build_id) "
        "AND r.source_file = k.source_file AND r.source_row = k.source_row",
        {
            "by": by,
            "corrected": corrected,
            "files": [file for file, _ in rows],
            "rows": [row for _, row in rows],
        },
    )


def unsettle(connection: Connection, build_id: int) -> None:
    """Let the faults that a build settled stand again."""
    connection.execute(
        "UPDATE meta.reject SET resolved_build_id = NULL WHERE resolved_build_id = %s", [build_id]
    )


def record_faults(
    connection: Connection, result: BuildResult, faults: pd.DataFrame, *, srid: int
) -> None:
    """Write the faults of a build with the rows as they were delivered."""
    if faults.empty:
        return
    rows = pd.DataFrame(faults[list(REJECT_COLUMNS)])
    rows.insert(0, "build_id", result.build_id)
    rows.insert(1, "dataset", result.dataset)
    rows["source_row"] = rows["source_row"].fillna(0)
    rows["code"] = [None if pd.isna(code) else str(code) for code in rows["code"]]
    shapes = np.array([shape if shape else None for shape in rows["geometry"]], dtype=object)
    rows["geometry"] = shapely.force_2d(shapes)
    copy_rows(connection, "meta.reject", rows, srid=srid)


def reopen_conflicts(connection: Connection, build_id: int) -> None:
    """Forget the conflicts that a merge found, and leave open again those that a build settled."""
    connection.execute(
        "UPDATE components.conflict SET status = 'open', decision = NULL, because = NULL, decided_by = NULL, "
        "decided_at = NULL, applied_build_id = NULL WHERE applied_build_id = %s",
        [build_id],
    )
    for table in ("conflict", "recode"):
        connection.execute(
            sql.SQL("DELETE FROM components.{} WHERE build_id = %s").format(sql.Identifier(table)),
            [build_id],
        )


def audit(connection: Connection, *, actor: str, action: str, detail: Any) -> None:
    """Write who did what; `detail` is a dataclass."""
    connection.execute(
        "INSERT INTO meta.audit (actor, action, detail) VALUES (%s, %s, %s)",
        [actor, action, Jsonb(asdict(detail))],
    )


def _delivery(connection: Connection, request: BuildRequest) -> int:
    if request.corrects_build_id is not None:
        found = connection.execute(
            "SELECT delivery_id FROM meta.build WHERE build_id = %s", [request.corrects_build_id]
        ).fetchone()
        assert found is not None
        return int(found[0])
    key = [request.delivery, request.as_of, request.delivery_hash]
    row = connection.execute(
        "SELECT delivery_id FROM meta.delivery WHERE name = %s AND as_of = %s AND content_hash = %s",
        key,
    ).fetchone()
    row = (
        row
        or connection.execute(
            "INSERT INTO meta.delivery (name, as_of, content_hash, path) VALUES (%s, %s, %s, %s) "
            "RETURNING delivery_id",
            [*key, request.path],
        ).fetchone()
    )
    assert row is not None
    return int(row[0])
