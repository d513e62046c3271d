"""Builds: one dataset of one delivery made live in one transaction, listed, found, rolled back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pandas as pd
from psycopg import sql
from sqlalchemy import Table

from gis import ledger, staging
from gis.columnwise import read_columns
from gis.conform import conform
from gis.database import Connection, Database, dataset_lock, read_rows
from gis.errors import BuildError
from gis.filling import can_fill, fill
from gis.ledger import BuildRequest, BuildResult
from gis.scope import Scope
from gis.tables import BESIDE_TABLES, FEATURE_TABLES, declare

__all__ = [
    "BuildRequest",
    "BuildResult",
    "RollbackResult",
    "Scope",
    "find_build",
    "list_builds",
    "live",
    "publish",
    "rollback",
]

_WAIT_S = 30.0
_ANALYZE_ROWS = 1000


@dataclass(frozen=True, kw_only=True)
class RollbackResult:
    """What a rollback did."""

    build_id: int
    dataset: str
    rows_removed: int
    rows_reopened: int


def publish(
    database: Database,
    request: BuildRequest,
    *,
    accepted: pd.DataFrame,
    faults: pd.DataFrame,
    rows_read: int,
    scope: Scope,
    actor: str,
    also: Callable[[Connection, int], None] | None = None,
) -> BuildResult:
    """Make the rows live: all of it in one transaction, or nothing.

    Rows equal to the live version stay untouched; changed ones close it on ``as_of`` and open a new
    one; live rows in `scope` that were not delivered are closed; what was delivered but refused
    keeps its live version. The same content of the same day again changes nothing.

    Parameters
    ----------
    database : Database
        Migrated database.
    request : BuildRequest
        What is built.
    accepted : pandas.DataFrame
        Business columns of the dataset's table, ``geometry``, ``source_file``, ``source_row``.
    faults : pandas.DataFrame
        `gis.faults.REJECT_COLUMNS`; severity ``error`` means the row is not among `accepted`.
    rows_read : int
        Rows in the files.
    scope : Scope
        Which live rows the delivery is complete for.
    actor : str
        Who builds, for the audit.
    also : callable or None
        Called with the connection and the build's number once the rows are exchanged: writes what
        belongs to them in the same transaction; raises to undo it all.

    Raises
    ------
    ConformError
        The rows do not fit the table.
    BuildError
        A newer build is live, rows are missing from the count, or nothing would stay live.
    LockedError
        Another load of the dataset is running, still after half a minute.
    """
    table = _table(database, request.dataset)
    frame = conform(accepted, table=table, crs=database.crs)
    _check_count(accepted, faults, rows_read)
    with (
        database.connect() as connection,
        dataset_lock(connection, request.dataset, wait_s=_WAIT_S),
    ):
        same = ledger.find(connection, request.dataset, request.content_hash, request.as_of)
        if same is not None:
            return same
        ledger.check_day(connection, dataset=request.dataset, as_of=request.as_of)
        result = BuildResult(
            build_id=0,
            dataset=request.dataset,
            status="built",
            rows_read=rows_read,
            rows_accepted=len(frame),
            rows_rejected=rows_read - len(frame),
            rows_opened=len(frame),
            rows_closed=0,
            rows_unchanged=0,
        )
        incoming = _Incoming(database=database, table=table, frame=frame, faults=faults)
        filled = _fill(connection, incoming, request, result)
        result = filled or _exchange(connection, incoming, request, result, scope=scope)
        if also is not None:
            also(connection, result.build_id)
        if result.rows_opened + result.rows_closed > _ANALYZE_ROWS:
            connection.execute(sql.SQL("ANALYZE {}").format(staging.identifier(table)))
        ledger.audit(connection, actor=actor, action="build", detail=result)
    return result


@dataclass(frozen=True, kw_only=True)
class _Incoming:
    """What is published, and where to."""

    database: Database
    table: Table
    frame: pd.DataFrame
    """Rows as the table holds them."""
    faults: pd.DataFrame


def _fill(
    connection: Connection, incoming: _Incoming, request: BuildRequest, result: BuildResult
) -> BuildResult | None:
    """Publish to a table that is empty; None, and nothing is written: it is not, or can not be filled."""
    table, frame, srid = incoming.table, incoming.frame, incoming.database.srid
    if not can_fill(connection, table, rows=len(frame)):
        return None
    build_id = ledger.record(connection, request, result)
    if not fill(connection, table, frame, srid=srid, build_id=build_id, as_of=request.as_of):
        ledger.forget(connection, build_id)
        return None
    result = replace(result, build_id=build_id)
    ledger.record_faults(connection, result, incoming.faults, srid=srid)
    return result


def _exchange(
    connection: Connection,
    incoming: _Incoming,
    request: BuildRequest,
    result: BuildResult,
    *,
    scope: Scope,
) -> BuildResult:
    """Publish beside what is live: stage, compare, exchange."""
    table, frame, srid = incoming.table, incoming.frame, incoming.database.srid
    staging.stage(connection, table, frame, srid=srid)
    kept = [*_refused_codes(incoming.faults), *scope.spared]
    counts = staging.compare(connection, table, limits=_limits(scope, table), kept=kept)
    if len(frame) == 0 and counts.closed and not scope.is_named:
        raise _nothing_left(request, counts.closed)
    result = replace(
        result,
        rows_opened=counts.opened,
        rows_closed=counts.closed,
        rows_unchanged=counts.unchanged,
    )
    result = replace(result, build_id=ledger.record(connection, request, result))
    ledger.record_faults(connection, result, incoming.faults, srid=srid)
    staging.exchange(connection, table, build_id=result.build_id, as_of=request.as_of)
    return result


def find_build(
    database: Database, *, dataset: str, content_hash: str, as_of: date | None = None
) -> BuildResult | None:
    """Return the newest live build made of the same content, as ``unchanged``; None: there is none.

    Parameters
    ----------
    database : Database
        Migrated database.
    dataset : str
        Dataset.
    content_hash : str
        SHA-256 of the dataset's files and manifest layers.
    as_of : datetime.date
        Day of the delivery; None: any.
    """
    with database.connect(read_only=True) as connection:
        return ledger.find(connection, dataset, content_hash, as_of)


def list_builds(database: Database) -> pd.DataFrame:
    """Return all builds with their delivery, newest first."""
    with database.connect(read_only=True) as connection:
        return read_rows(
            connection,
            "SELECT b.build_id, b.dataset, b.status, d.name AS delivery, b.as_of, b.rows_read, b.rows_accepted, "
            "b.rows_rejected, b.rows_opened, b.rows_closed, b.rows_unchanged, b.finished_at, b.software_version, "
            "d.path FROM meta.build b JOIN meta.delivery d USING (delivery_id) ORDER BY b.build_id DESC",
        )


def rollback(database: Database, build_id: int, *, actor: str) -> RollbackResult:
    """Undo the newest live build of its dataset: the rows before it are live again, exactly.

    Raises
    ------
    BuildError
        There is no such build, it was rolled back, or a newer one of its dataset comes first.
    LockedError
        A load of the dataset is running, still after half a minute.
    """
    with database.connect() as connection:
        row = connection.execute(
            "SELECT dataset FROM meta.build WHERE build_id = %s", [build_id]
        ).fetchone()
        if row is None:
            msg = f"There is no build {build_id}: `wanmi builds` lists them."
            raise BuildError(msg, zh=f"没有构建 {build_id}：请用 wanmi builds 查看。")
        dataset = str(row[0])
        with dataset_lock(connection, dataset, wait_s=_WAIT_S):
            ledger.check_newest(connection, dataset, build_id)
            counts = staging.undo(connection, _table(database, dataset), build_id=build_id)
            ledger.unsettle(connection, build_id)
            connection.execute(
                "UPDATE meta.build SET status = 'rolled_back' WHERE build_id = %s", [build_id]
            )
            if dataset == "components":
                ledger.reopen_conflicts(connection, build_id)
            for name in BESIDE_TABLES.get(dataset, ()):
                staging.undo(connection, declare(database.srid).tables[name], build_id=build_id)
            result = RollbackResult(
                build_id=build_id,
                dataset=dataset,
                rows_removed=counts.closed,
                rows_reopened=counts.opened,
            )
            ledger.audit(connection, actor=actor, action="rollback", detail=result)
    return result


def live(
    database: Database,
    dataset: str,
    *,
    columns: list[str] | None = None,
    as_of: date | None = None,
    matching: tuple[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Return the rows of a dataset that hold now, or on a day, by code.

    Parameters
    ----------
    database : Database
        Migrated database.
    dataset : str
        Dataset.
    columns : list of str
        Columns wanted, ``geometry`` among them if wanted; None: all of the table.
    as_of : datetime.date
        Day; the first day of a version is in, the day it ends is not. None: what is live.
    matching : tuple
        A column and the values wanted of it; None: all rows.

    Returns
    -------
    pandas.DataFrame
        A GeoDataFrame in the city's CRS when it has geometry.
    """
    table = _table(database, dataset)
    wanted = [column.name for column in table.columns]
    if columns is not None:
        wanted = ["geom" if name == "geometry" else name for name in columns]
    names = sql.SQL(", ").join(map(sql.Identifier, wanted))
    condition: sql.Composable = sql.SQL("valid_to IS NULL")
    values: list[Any] = []
    if as_of is not None:
        condition = sql.SQL("valid_from <= %s AND (valid_to IS NULL OR valid_to > %s)")
        values = [as_of, as_of]
    if matching is not None:
        chosen = sql.SQL("{} = ANY(%s)").format(sql.Identifier(matching[0]))
        condition = sql.SQL("{} AND {}").format(condition, chosen)
        values.append(list(matching[1]))
    query = sql.SQL('SELECT {} FROM {} WHERE {} ORDER BY code COLLATE "C"').format(
        names,
        staging.identifier(table),
        condition,
    )
    with database.connect(read_only=True) as connection:
        if "geom" in wanted:
            return read_columns(connection, query, values, crs=database.crs)
        return read_rows(connection, query, values)


def _table(database: Database, dataset: str) -> Table:
    name = FEATURE_TABLES.get(dataset)
    if name is None:
        known = ", ".join(FEATURE_TABLES)
        msg = f"Unknown dataset {dataset!r}: use one of {known}."
        raise BuildError(msg, zh=f"未知的数据集 {dataset!r}，可用的有 {known}。")
    return declare(database.srid).tables[name]


def _check_count(accepted: pd.DataFrame, faults: pd.DataFrame, rows_read: int) -> None:
    errors = faults[faults["severity"] == "error"]
    refused = len(errors[["source_file", "source_row"]].drop_duplicates())
    if rows_read != len(accepted) + refused:
        msg = (
            f"{rows_read} rows were read, but {len(accepted)} accepted and {refused} refused: "
            "rows were lost on the way, so nothing was loaded; please report this."
        )
        raise BuildError(
            msg,
            zh=f"读入 {rows_read} 行，接受 {len(accepted)} 行，拒绝 {refused} 行，数目不符，未入库。",
        )


def _nothing_left(request: BuildRequest, closed: int) -> BuildError:
    msg = (
        f"No row of {request.dataset} in this delivery passed, and {closed} live rows would end: nothing was changed; "
        "see why the rows were refused with `wanmi build --dry-run`."
    )
    return BuildError(
        msg,
        zh=f"本次交付的 {request.dataset} 没有一行通过检查，而 {closed} 行现势数据将失效，未作改动："
        "请用 wanmi build --dry-run 查看原因。",
    )


def _refused_codes(faults: pd.DataFrame) -> list[str]:
    codes = faults.loc[faults["severity"] == "error", "code"].dropna()
    return sorted(codes.astype(str).unique())


def _limits(scope: Scope, table: Table) -> staging.Limits:
    if scope.column is not None and scope.column not in table.columns:
        msg = f"{table.fullname} has no column {scope.column}: it can not limit a delivery."
        raise BuildError(msg, zh=f"表 {table.fullname} 没有列 {scope.column}。")
    prefix = scope.code_prefix
    return staging.Limits(
        is_empty=scope.is_empty,
        column=scope.column,
        values=scope.values,
        prefixes=(prefix,) if isinstance(prefix, str) else prefix,
    )
