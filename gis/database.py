"""The one place that opens database connections."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from gis import cluster, schema
from gis.crs import city_crs
from gis.errors import DatabaseError, LockedError, WanmiError
from gis.roles import become_api, grant_api_role
from gis.rows import copy_rows, read_features, read_rows
from gis.server import DATABASE
from gis.workspace import Workspace

if TYPE_CHECKING:
    import sqlalchemy

__all__ = [
    "Database",
    "copy_rows",
    "dataset_lock",
    "find_database",
    "migrate",
    "open_database",
    "pending_migrations",
    "read_features",
    "read_rows",
]

_CONNECT_S = 10
_SETTINGS = {"lock_timeout": "60s", "TimeZone": "UTC", "DateStyle": "ISO, YMD"}
_LOCK_SPACE = 0x57414E4D  # "WANM": apart from other users of advisory locks in one database

logger = logging.getLogger(__name__)

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, kw_only=True)
class Database:
    """A PostGIS database."""

    url: str = field(repr=False)
    """What psycopg connects by; not shown, as it may hold a password."""
    crs: str
    """The city's CRS: ``EPSG:n`` or WKT."""
    srid: int
    """SRID of the city's CRS, that of every geometry column."""

    @contextmanager
    def connect(self, *, read_only: bool = False, as_api: bool = False) -> Iterator[Connection]:
        """Open a connection for one transaction: committed on success, rolled back on exception.

        Parameters
        ----------
        read_only : bool
            One repeatable-read snapshot that can not write.
        as_api : bool
            With the rights of the API: reads all, writes the schema ``cases`` only, and no
            statement takes longer than 15 seconds.

        Raises
        ------
        DatabaseError
            The database can not be reached, its disk is full, or the role of the API is missing.
        LockedError
            Another transaction held what was needed for a minute.
        """
        with _connect(self.url) as connection, _plain_errors():
            if read_only:
                connection.read_only = True
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            with connection.transaction():
                _set_up(connection)
                if as_api:
                    become_api(connection)
                yield connection

    def engine(self) -> "sqlalchemy.Engine":
        """Return a new SQLAlchemy engine; the caller disposes of it."""
        import sqlalchemy

        return sqlalchemy.create_engine(
            "postgresql+psycopg://", creator=lambda: _connect(self.url, autocommit=False)
        )


def open_database(workspace: Workspace) -> Database:
    """Return the workspace's database, ready for use.

    The one named by ``WANMI_DATABASE_URL``, else the embedded one, started if it is down.

    Raises
    ------
    DatabaseError
        It can not be reached, is too old, holds another CRS, or lacks migrations.
    ClusterError
        The embedded cluster can not be started.
    """
    database = find_database(workspace)
    with _connect(database.url) as connection:
        is_newest = schema.revision_of(connection) == schema.newest_revision()
    # Servers and most commands do without what migrates.
    waiting = [] if is_newest else pending_migrations(database)
    if waiting:
        msg = f"The database lacks {len(waiting)} migrations: run `wanmi db migrate`."
        raise DatabaseError(msg, zh=f"数据库缺少 {len(waiting)} 个迁移：请运行 wanmi db migrate。")
    with _connect(database.url) as connection:
        schema.check_srid(connection, srid=database.srid)
    return database


def find_database(workspace: Workspace) -> Database:
    """Return the workspace's database, which may still lack migrations."""
    city = city_crs(workspace.profile, workspace.root)
    url = workspace.settings.database_url
    if url is None:
        server = cluster.up(workspace.root)
        url = server.url()
        _make_database(server.url("postgres"), name=DATABASE)
    database = Database(url=url, crs=city.text, srid=city.srid)
    with _connect(url) as connection:
        schema.check_server(connection)
    return database


def pending_migrations(database: Database) -> list[str]:
    """Return the revisions the database lacks, oldest first; changes nothing.

    Raises
    ------
    DatabaseError
        It was migrated by a newer Wanmi.
    """
    from gis import migrations

    engine = database.engine()
    try:
        with engine.connect() as connection:
            return migrations.pending(connection)
    finally:
        engine.dispose()


def migrate(database: Database, *, revision: str = "head") -> list[str]:
    """Bring the schema to this program's version, all or nothing; return what was applied.

    Enables PostGIS, registers the city's CRS, applies the revisions and grants the API its rights.
    Safe to run again.

    Raises
    ------
    DatabaseError
        This user may not do it, or the database holds another CRS; the sentence says what to do.
    LockedError
        Another program uses the tables.
    """
    from gis import migrations

    engine = database.engine()
    try:
        with _plain_errors(), engine.begin() as session:
            connection: Connection = session.connection.driver_connection  # type: ignore[assignment]
            connection.execute("SET LOCAL lock_timeout = '15s'")
            connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", [_LOCK_SPACE])
            schema.prepare(connection, crs=database.crs, srid=database.srid)
            connection.execute("CREATE SCHEMA IF NOT EXISTS meta")
            waiting = migrations.pending(session)
            migrations.upgrade(session, srid=database.srid, revision=revision)
            still = migrations.pending(session)
            if not still:
                grant_api_role(connection)
            return [name for name in waiting if name not in still]
    finally:
        engine.dispose()


@contextmanager
def dataset_lock(connection: Connection, dataset: str, *, wait_s: float = 0) -> Iterator[None]:
    """Hold the right to write a dataset, until the transaction of `connection` ends.

    Released by commit or rollback, not by leaving the block: the next writer sees what was
    committed.

    Raises
    ------
    LockedError
        Another load holds it, still after `wait_s` seconds.
    """
    deadline = time.monotonic() + wait_s
    query = "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))"
    while True:
        row = connection.execute(query, [_LOCK_SPACE, dataset]).fetchone()
        if row is not None and row[0]:
            break
        if time.monotonic() >= deadline:
            raise _locked(connection, dataset)
        time.sleep(0.1)
    yield


def _locked(connection: Connection, dataset: str) -> LockedError:
    row = connection.execute(
        "SELECT a.pid, to_char(a.xact_start, 'HH24:MI:SS TZ') FROM pg_locks l "
        "JOIN pg_stat_activity a USING (pid) "
        "WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s::oid "
        "AND l.objid = (hashtext(%s)::bigint & 4294967295)::oid",
        [_LOCK_SPACE, dataset],
    ).fetchone()
    since = f" since {row[1]} (database process {row[0]})" if row else ""
    msg = f"Another load of {dataset} is running{since}: wait until it has ended, then run again."
    return LockedError(msg, zh=f"另一个 {dataset} 入库任务正在运行{since}：请等它结束后重试。")


def _set_up(connection: Connection) -> None:
    """Set what texts of dates look like and how long to wait, for this transaction."""
    calls = ", ".join("set_config(%s, %s, true)" for _ in _SETTINGS)
    values = [word for setting in _SETTINGS.items() for word in setting]
    connection.execute(sql.SQL("SELECT {}").format(sql.SQL(calls)), values)


def _connect(url: str, *, autocommit: bool = True) -> Connection:
    try:
        defaults: dict[str, Any] = {"connect_timeout": _CONNECT_S, "application_name": "wanmi"}
        conninfo = make_conninfo("", **{**defaults, **conninfo_to_dict(url)})
        # Nothing prepared, and settings for a transaction only: a pooler may stand in between.
        return psycopg.connect(conninfo, autocommit=autocommit, prepare_threshold=None)
    except psycopg.ProgrammingError as error:
        msg = "WANMI_DATABASE_URL is no database URL: write postgresql://user:password@host:5432/name."
        raise DatabaseError(
            msg, zh="WANMI_DATABASE_URL 格式有误：请写 postgresql://用户:口令@主机:5432/库名。"
        ) from error
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1].rstrip(".")
        msg = f"The database can not be reached ({reason}): check `wanmi db status` and WANMI_DATABASE_URL."
        raise DatabaseError(
            msg,
            zh=f"无法连接数据库（{reason}）：请检查 wanmi db status 和 WANMI_DATABASE_URL。",
        ) from error


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        # SQLAlchemy wraps what psycopg raised.
        original = getattr(error, "orig", None) or error
        plain: WanmiError | None = None
        if isinstance(original, psycopg.OperationalError):
            plain = _plain(original)
        elif original is not error and isinstance(original, psycopg.errors.InsufficientPrivilege):
            plain = _not_permitted(original)
        if plain is None:
            raise
        raise plain from error


def _plain(error: BaseException) -> WanmiError | None:
    if isinstance(error, psycopg.errors.DiskFull):
        msg = "The disk of the database is full: free some space and run the command again; nothing was changed."
        return DatabaseError(msg, zh="数据库磁盘已满：请清理空间后重试，数据未改动。")
    if isinstance(error, psycopg.errors.LockNotAvailable):
        msg = "Another program holds the tables: wait until it has ended, then run again."
        return LockedError(msg, zh="其他程序正占用数据表：请等它结束后重试。")
    if isinstance(error, psycopg.errors.QueryCanceled):
        msg = "The database took too long to answer: ask for a smaller part, or try again later."
        return DatabaseError(msg, zh="数据库响应超时：请缩小范围或稍后重试。")
    if getattr(error, "sqlstate", None) is None or isinstance(
        error, psycopg.errors.AdminShutdown | psycopg.errors.CrashShutdown
    ):
        msg = "The connection to the database was lost and nothing was changed: run the command again."
        return DatabaseError(msg, zh="与数据库的连接中断，数据未改动：请重新运行。")
    return None


def _not_permitted(error: psycopg.Error) -> DatabaseError:
    reason = error.diag.message_primary
    msg = f"This database user may not change the schema ({reason}): run `wanmi db migrate` as the owner."
    return DatabaseError(msg, zh=f"当前数据库用户无权修改结构（{reason}）：请以所有者身份运行。")


def _make_database(url: str, *, name: str) -> None:
    with _connect(url) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if found.fetchone() is None:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return  # another command was quicker
