"""The whole database into one file and back: PostgreSQL's own archive, all or nothing."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import IO

from psycopg import sql
from psycopg.pq import Conninfo

from gis import migrations
from gis.database import Connection, Database, migrate
from gis.errors import DatabaseError
from gis.postgres import child_environment, find_client
from gis.tables import SCHEMAS

_FILLED = ("meta.delivery", "meta.build", "meta.api_key", "cases.case")


def back_up(database: Database, file: Path) -> int:
    """Write the six databases, their history and the bookkeeping to `file`; return its bytes.

    One consistent state, while others go on working. Imagery files and ``wanmi.toml`` are not in
    it: copy the workspace folder for those.

    Raises
    ------
    DatabaseError
        The file exists, can not be written, or no ``pg_dump`` fits the server.
    """
    if file.exists():
        msg = f"{file} exists: name another file, or remove it first."
        raise DatabaseError(msg, zh=f"{file} 已存在：请换一个文件名或先删除它。")
    with database.connect(read_only=True) as connection:
        version = _server_version(connection)
    draft = file.with_name(f"{file.name}.partial")
    command = [
        find_client("pg_dump", version=version),
        "--format=custom",
        "--no-owner",
        "--no-privileges",
        *(f"--schema={name}" for name in SCHEMAS),
        f"--file={draft.absolute()}",
    ]
    try:
        done = subprocess.run(
            command,
            env=_environment(database),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            reason = _reason(done.stderr)
            msg = f"The backup failed ({reason}): correct that and run it again; no file was left."
            raise DatabaseError(msg, zh=f"备份失败（{reason}）：请排除后重试，未留下文件。")
        draft.replace(file)
    finally:  # also when somebody presses Ctrl-C
        draft.unlink(missing_ok=True)
    return file.stat().st_size


def restore(database: Database, file: Path, *, force: bool = False) -> list[str]:
    """Replace the database's content by a backup, in one transaction; return migrations applied after.

    A backup of an earlier version of Wanmi is migrated once it is in.

    Parameters
    ----------
    database : Database
        Where to restore to.
    file : pathlib.Path
        What `back_up` wrote.
    force : bool
        Replace content; otherwise a database that holds any is refused.

    Raises
    ------
    DatabaseError
        The database holds something, or the backup is damaged, of a newer PostgreSQL or Wanmi, or
        of a city with another CRS; nothing was changed.
    """
    with database.connect(read_only=True) as connection:
        version = _server_version(connection)
        _check_target(connection, force=force)
    program = find_client("pg_restore", version=version)
    _check_archive(program, file, version=version)
    migrate(database)  # PostGIS and the city's CRS, which the archive leaves to the server
    _replay(database, [program, "--no-owner", "--no-privileges", "--file=-", str(file)], version)
    return migrate(database)


def _replay(database: Database, reader: list[str], version: int) -> None:
    """Pipe the archive's statements into one transaction that begins by dropping what is there."""
    writer = [
        find_client("psql", version=version),
        "--no-psqlrc",
        "--quiet",
        "--single-transaction",
        "--set=ON_ERROR_STOP=1",
        f"--command=SET lock_timeout = '15s'; DROP SCHEMA IF EXISTS {', '.join(SCHEMAS)} CASCADE",
        "--file=-",
        f"--command={_acceptance(database)}",
    ]
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as told,
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as read,
    ):
        with (
            subprocess.Popen(
                writer,
                env=_environment(database),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=told,
            ) as psql,
            subprocess.Popen(
                reader, env=child_environment(), stdout=subprocess.PIPE, stderr=read
            ) as source,
        ):
            _pipe(source, psql)
        told.seek(0)
        read.seek(0)
        if source.returncode != 0 or psql.returncode != 0:
            raise _refused(told.read() or read.read())


def _pipe(source: "subprocess.Popen[bytes]", psql: "subprocess.Popen[bytes]") -> None:
    assert source.stdout is not None
    assert psql.stdin is not None
    try:
        shutil.copyfileobj(source.stdout, psql.stdin)
        if source.wait() != 0:
            psql.kill()  # the end of its input would commit what came so far
        psql.stdin.close()
    except BrokenPipeError:  # psql met an error and has ended
        source.kill()
        _close_quietly(psql.stdin)
    except BaseException:
        psql.kill()
        raise


def _close_quietly(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return


def _acceptance(database: Database) -> str:
    """Return statements that fail when the restored content is not for this program and city."""
    known = ", ".join(f"'{name}'" for name in migrations.revisions())
    return (  # our own revision numbers and an integer: nothing a user wrote
        "DO $$ BEGIN "  # noqa: S608
        f"IF EXISTS (SELECT FROM meta.alembic_version WHERE version_num NOT IN ({known})) "
        "THEN RAISE EXCEPTION 'the backup is of a newer version of Wanmi: install that first'; END IF; "
        "IF (SELECT srid FROM public.geometry_columns WHERE f_table_schema = 'grids' "
        f"AND f_table_name = 'unit_grid') <> {database.srid} "
        f"THEN RAISE EXCEPTION 'the backup is in another CRS than SRID {database.srid} of wanmi.toml'; "
        "END IF; END $$"
    )


def _check_target(connection: Connection, *, force: bool) -> None:
    row = connection.execute("SELECT to_regclass('meta.alembic_version')").fetchone()
    if row is None or row[0] is None:
        _check_foreign(connection)
        return
    one = sql.SQL("(SELECT 1 FROM {} LIMIT 1)")
    tables = sql.SQL(" UNION ALL ").join(
        one.format(sql.Identifier(*name.split("."))) for name in _FILLED
    )
    if not force and connection.execute(tables).fetchone() is not None:
        msg = "The database is not empty: `wanmi db restore FILE --force` replaces all its content."
        raise DatabaseError(
            msg, zh="数据库不是空的：wanmi db restore FILE --force 将替换其全部内容。"
        )


def _check_foreign(connection: Connection) -> None:
    row = connection.execute(
        "SELECT string_agg(nspname, ', ' ORDER BY nspname) FROM pg_namespace WHERE nspname = ANY (%s)",
        [list(SCHEMAS)],
    ).fetchone()
    if row is not None and row[0] is not None:
        msg = f"The database has schemas of another program ({row[0]}): restore into a database of its own."
        raise DatabaseError(msg, zh=f"数据库中有其他程序的模式（{row[0]}）：请恢复到单独的数据库。")


def _check_archive(program: str, file: Path, *, version: int) -> None:
    if not file.is_file():
        msg = f"{file} is no file: name one written by `wanmi db backup`."
        raise DatabaseError(msg, zh=f"{file} 不是文件：请指定 wanmi db backup 生成的文件。")
    done = subprocess.run(
        [program, "--list", str(file)],
        env=child_environment(),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if "unsupported version" in done.stderr:
        msg = (
            f"{file} was written by a newer pg_dump than the {program} here: install that version."
        )
        raise DatabaseError(msg, zh=f"{file} 由更新版本的 pg_dump 生成：请安装对应版本。")
    if done.returncode != 0:
        msg = f"{file} is no backup of Wanmi ({_reason(done.stderr)}): name one written by `wanmi db backup`."
        raise DatabaseError(msg, zh=f"{file} 不是有效的备份：请指定 wanmi db backup 生成的文件。")
    found = re.search(r"Dumped from database version: (\d+)", done.stdout)
    if found and int(found[1]) > version:
        msg = (
            f"{file} is of PostgreSQL {found[1]} and this server is {version}: "
            f"restore into PostgreSQL {found[1]} or newer."
        )
        raise DatabaseError(
            msg, zh=f"{file} 来自 PostgreSQL {found[1]}，本服务器为 {version}：请使用更新的服务器。"
        )


def _refused(text: str) -> DatabaseError:
    reason = _reason(text)
    msg = f"The backup can not be restored ({reason}); the database was not changed."
    return DatabaseError(msg, zh=f"无法恢复备份（{reason}），数据库未改动。")


def _reason(text: str) -> str:
    found = re.findall(r"(?:ERROR|FATAL|error):\s+(.*)", text)
    lines = [line for line in text.splitlines() if line.strip()]
    return str((found or lines or ["the program was stopped"])[0]).strip().rstrip(".")


def _server_version(connection: Connection) -> int:
    return connection.info.server_version // 10_000


def _environment(database: Database) -> dict[str, str]:
    """Return how to connect as environment: a password on the command line is seen by everybody."""
    options = Conninfo.parse(database.url.encode())
    values = {
        option.envvar.decode(): option.val.decode()
        for option in options
        if option.envvar and option.val
    }
    return child_environment(**values)
