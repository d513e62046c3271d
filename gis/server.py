"""A private PostgreSQL server: made with initdb, started, stopped, recovered after a kill.

It listens on a Unix socket in a folder closed to others, never on TCP, and lets in by peer
authentication only: the kernel says who connects, so there is no password to lose. PostgreSQL
refuses to run as root; for root the server runs as the system user ``postgres``.
"""

import contextlib
import logging
import os
import re
import stat
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from gis import process
from gis.errors import ClusterError
from gis.postgres import Binaries, find_binaries
from gis.process import Account

DATABASE = "wanmi"
"""Name of the database, and of the role that owns it."""

_LOG_NAME = "server.log"
_LOG_LIMIT_BYTES = 10_000_000
_START_S = 120.0
_STOP_S = 60.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a server and its data live; they may not have been made yet."""

    home: Path
    """Folder closed to others that holds ``data``, the log, and the socket where its path fits."""
    sockets: Path
    """Folder of the Unix socket, closed to others; its path fits the limit of 107 bytes."""
    account: Account
    """Operating system user the server runs as."""
    clients: tuple[str, ...]
    """Operating system users that may connect."""
    is_durable: bool = True
    """Written data survives a power cut; False only for throw-away clusters of tests."""

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / _LOG_NAME

    def url(self, database: str = DATABASE) -> str:
        """Return the URL to connect by."""
        return f"postgresql://{DATABASE}@/{database}?host={quote(str(self.sockets), safe='')}&port=5432"


@dataclass(frozen=True, kw_only=True)
class ServerState:
    """What is known of a cluster without connecting to it."""

    state: Literal["absent", "stopped", "running"]
    pid: int | None = None
    """Process of the running server."""
    version: int | None = None
    """PostgreSQL major version that made the data."""


def state(server: Server) -> ServerState:
    """Return whether the cluster was made and whether its server runs."""
    version = _data_version(server)
    if version is None:
        return ServerState(state="absent")
    pid = server_pid(server)
    if pid is None:
        return ServerState(state="stopped", version=version)
    return ServerState(state="running", pid=pid, version=version)


def start(server: Server) -> ServerState:
    """Make the cluster if it is absent and start its server if it is down.

    The caller holds the workspace's lock: two commands at once would both start a server.

    Raises
    ------
    ClusterError
        Programs are missing, or the server does not start; the sentence tells its reason.
    """
    binaries = find_binaries(version=_data_version(server))
    _check_executable(binaries, server.account)
    if _data_version(server) is None:
        _make_data(server, binaries)
    if _was_moved(server) or _lost_socket(server):
        stop(server)
    if server_pid(server) is None:
        _launch(server, binaries)
    return state(server)


def stop(server: Server) -> bool:
    """Stop the server, rolling back what is under way; return whether it was running.

    Raises
    ------
    ClusterError
        It does not stop within a minute.
    """
    pid = server_pid(server)
    if pid is None:
        return False
    process.interrupt(pid)
    deadline = time.monotonic() + _STOP_S
    while server_pid(server) is not None:
        if time.monotonic() > deadline:
            msg = f"The database server (process {pid}) does not stop; see {server.log}."
            raise ClusterError(msg, zh=f"数据库进程 {pid} 未能停止，请查看 {server.log}。")
        time.sleep(0.02)
    return True


def server_pid(server: Server) -> int | None:
    """Return the process that serves this data directory, None when there is none.

    A ``postmaster.pid`` left by a killed server does not count, even when another process has
    its number by now.
    """
    pid = _recorded_pid(server)
    if pid is None or not process.serves(pid, server.data, account=server.account):
        return None
    return pid


def _recorded_pid(server: Server) -> int | None:
    try:
        first = (server.data / "postmaster.pid").read_text("utf-8", "replace").split("\n", 1)[0]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise _not_ours(server) from error
    return int(first) if first.strip().isdigit() else None


def _was_moved(server: Server) -> bool:
    """Return whether the server runs from a folder that was renamed: it could not write everything."""
    if server_pid(server) is None:
        return False
    lines = (server.data / "postmaster.pid").read_text("utf-8", "replace").split("\n")
    try:
        return not Path(lines[1]).samefile(server.data)
    except OSError:
        return True


def _lost_socket(server: Server) -> bool:
    """Return whether the server runs, but its socket is gone.

    The server of a workspace that was removed and made anew at the same place takes the new one's
    socket with it when it notices, within a minute, that its own data is gone.
    """
    return server_pid(server) is not None and not (server.sockets / ".s.PGSQL.5432").exists()


def _not_ours(server: Server) -> ClusterError:
    msg = (
        f"The database in {server.home} belongs to another user; run the command as that user, "
        "or use a workspace of your own."
    )
    return ClusterError(
        msg, zh=f"{server.home} 中的数据库属于其他用户：请以该用户运行，或使用自己的工作区。"
    )


def _data_version(server: Server) -> int | None:
    try:
        text = (server.data / "PG_VERSION").read_text("ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise _not_ours(server) from error
    return int(text) if text.isdigit() else None


def _check_executable(binaries: Binaries, server: Account) -> None:
    try:
        process.run([binaries.program("postgres"), "--version"], account=server)
    except (OSError, subprocess.SubprocessError) as error:
        msg = (
            f"The user {server.name} can not run {binaries.program('postgres')}, and PostgreSQL refuses root; "
            "run Wanmi as an ordinary user, or install PostgreSQL from the system's packages."
        )
        raise ClusterError(
            msg,
            zh=f"用户 {server.name} 无法运行 {binaries.program('postgres')}：请以普通用户运行，或安装系统软件包。",
        ) from error


def _make_data(server: Server, binaries: Binaries) -> None:
    """Run initdb beside the final place and move it there whole, so that a crash leaves no half."""
    private_folder(server.home, server.account)
    draft = server.home / f"data.{os.getpid()}.new"
    command = [
        binaries.program("initdb"),
        f"--pgdata={draft}",
        f"--username={DATABASE}",
        "--encoding=UTF8",
        "--locale=C",
        "--data-checksums",
        "--auth-local=peer",
        "--auth-host=reject",
        *(() if server.is_durable else ("--no-sync",)),
    ]
    logger.info("Making the database in %s", server.home)
    done = process.run(command, account=server.account, check=False)
    if done.returncode != 0:
        process.run(["rm", "-rf", str(draft)], account=server.account, check=False)
        raise _start_error(server, done.stderr)
    for name, text in _access_files(server).items():
        process.write_text(draft / name, text, account=server.account)
    with (draft / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write("\ninclude = 'wanmi.conf'  # written by Wanmi at every start\n")
    draft.rename(server.data)


def _access_files(server: Server) -> dict[str, str]:
    quoted = [f'"{name}"' for name in server.clients]
    users = "".join(f"wanmi {name} {DATABASE}\n" for name in quoted)
    return {
        "pg_hba.conf": f"# Only these users, told by the kernel.\nlocal all {DATABASE} peer map=wanmi\n",
        "pg_ident.conf": f"# map user role\n{users}",
    }


def _settings(server: Server) -> str:
    lines = {
        "listen_addresses": "''",
        "port": "5432",
        "unix_socket_directories": "'{}'".format(str(server.sockets).replace("'", "''")),
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": "'256MB'" if server.is_durable else "'64MB'",
        "work_mem": "'32MB'",
        "maintenance_work_mem": "'256MB'",
        "max_wal_size": "'2GB'",
        "checkpoint_timeout": "'15min'",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "'UTC'",
        "lc_messages": "'C'",
        "log_line_prefix": "'%m [%p] '",
        "log_timezone": "'UTC'",
        # A killed client must not hold its locks until a long statement of its ends.
        **({"client_connection_check_interval": "'2s'"} if sys.platform == "linux" else {}),
        **({} if process.has_shared_memory() else {"max_parallel_workers_per_gather": "0"}),
    }
    if not server.is_durable:
        # Commits are still written before they are answered: a killed server loses none.
        lines |= {"fsync": "off", "full_page_writes": "off"}
    return "".join(f"{name} = {value}\n" for name, value in lines.items())


def _launch(server: Server, binaries: Binaries) -> None:
    private_folder(server.sockets, server.account)
    process.write_text(server.data / "wanmi.conf", _settings(server), account=server.account)
    _disarm_stale_pid(server)
    _rotate_log(server)
    offset = server.log.stat().st_size if server.log.exists() else 0
    command = [binaries.program("postgres"), "-D", str(server.data)]
    logger.info("Starting the database server")
    pid = process.launch(command, log=server.log, account=server.account)
    deadline = time.monotonic() + _START_S
    while not _is_ready(server, pid):
        if not process.is_alive(pid):
            raise _start_error(server, _log_since(server, offset))
        if time.monotonic() > deadline:
            msg = f"The database server is not ready after {_START_S:.0f} s; see {server.log}."
            raise ClusterError(msg, zh=f"数据库启动超时，请查看 {server.log}。")
        time.sleep(0.02)


def _is_ready(server: Server, pid: int) -> bool:
    try:
        lines = (server.data / "postmaster.pid").read_text("utf-8", "replace").split("\n")
    except FileNotFoundError:
        return False
    return lines[0].strip() == str(pid) and len(lines) > 7 and lines[7].strip() == "ready"


def _disarm_stale_pid(server: Server) -> None:
    """Make PostgreSQL see that the process in a left-over ``postmaster.pid`` is gone.

    When the number was given to another process of the same user the server would refuse to start.
    The file is kept with a number no process can have, because PostgreSQL also reads from it which
    shared memory to look at for backends that outlived a killed server.
    """
    for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
        (server.sockets / name).unlink(missing_ok=True)
    path = server.data / "postmaster.pid"
    if not path.exists():
        return
    process.end_orphans(server.data, account=server.account)
    lines = path.read_text("utf-8", "replace").split("\n")
    if len(lines) < 8:  # cut off while it was written: nothing in it to keep
        path.unlink()
        return
    process.write_text(path, "\n".join([str(2**30), *lines[1:]]), account=server.account)


def _rotate_log(server: Server) -> None:
    if server.log.exists() and server.log.stat().st_size > _LOG_LIMIT_BYTES:
        server.log.replace(server.log.with_suffix(".log.old"))


def _log_since(server: Server, offset: int) -> str:
    if not server.log.exists():
        return ""
    with server.log.open("rb") as log:
        log.seek(offset)
        return log.read().decode("utf-8", "replace")


def _start_error(server: Server, text: str) -> ClusterError:
    reason = failure_reason(text)
    if "No space left on device" in text or "Check free disk space" in text:
        return disk_full(server.home)
    if "has wrong ownership" in text:
        reason += ", as after a copy without `cp -a`"
    msg = f"The database server does not start: {reason}; see {server.log}."
    return ClusterError(msg, zh=f"数据库无法启动：{reason}；请查看 {server.log}。")


def disk_full(folder: Path) -> ClusterError:
    """Return the error of a full disk, told by the folder it holds."""
    msg = f"The disk that holds {folder} is full: free some space and run the command again."
    return ClusterError(msg, zh=f"{folder} 所在磁盘已满：请清理空间后重试。")


def failure_reason(text: str) -> str:
    r"""Return what a server's log or initdb's output says went wrong, without time and process.

    Examples
    --------
    >>> failure_reason('2026-01-01 [7] LOG:  starting\n2026-01-01 [7] FATAL:  out of memory\n')
    'out of memory'
    """
    found = re.findall(r"(?:FATAL|PANIC|error|fatal): +(.*)", text)
    if found:
        return str(found[-1]).rstrip(".")
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip().rstrip(".") if lines else "it ended without a word"


def private_folder(folder: Path, owner: Account) -> None:
    """Make `folder` if it is missing, for `owner` alone.

    Raises
    ------
    ClusterError
        It exists and belongs to another user, or is a link: somebody else could read in it.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() != owner.uid:
            os.chown(folder, owner.uid, owner.gid)
            found = folder.lstat()
    except OSError as error:
        msg = f"{folder} can not be made: {error.strerror}; choose another workspace folder."
        raise ClusterError(
            msg, zh=f"无法创建 {folder}：{error.strerror}；请更换工作区。"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.uid:
        msg = f"{folder} belongs to another user: remove it, or choose another workspace folder."
        raise ClusterError(msg, zh=f"{folder} 属于其他用户：请删除它，或更换工作区。")
    with contextlib.suppress(PermissionError):
        folder.chmod(0o700)


def describe(server: Server) -> dict[str, Any]:
    """Return what ``wanmi db status`` shows of the server."""
    found = state(server)
    return {
        "state": found.state,
        "pid": found.pid,
        "postgresql": found.version,
        "data": str(server.data),
        "socket": str(server.sockets),
        "log": str(server.log),
    }
