"""The embedded cluster: which PostgreSQL server belongs to a workspace, one command at a time.

What was decided once (where the data lives, as which user the server runs) is recorded in
``database/cluster.json`` of the workspace, so that moving the workspace keeps its database.
"""

import contextlib
import errno
import fcntl
import hashlib
import json
import logging
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from gis import process, server
from gis.errors import ClusterError, WorkspaceError
from gis.process import Account
from gis.server import Server, ServerState

FOLDER = "database"
"""Folder of the workspace that holds the cluster or the record of where it is."""

_RECORD = "cluster.json"
_SYSTEM_HOMES = Path("/var/lib/wanmi")
_SERVER_USER = "postgres"
_SOCKET_NAME = ".s.PGSQL.5432"
_SOCKET_BYTES = 103 if sys.platform == "darwin" else 107
_LOCK_S = 180.0

logger = logging.getLogger(__name__)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What ``cluster.json`` says."""

    home: str
    """Folder of data and log; relative to the workspace when it is inside."""
    sockets: str
    """Folder of the Unix socket; relative to the workspace when it is inside."""
    server_user: str
    client_user: str


def up(root: Path, *, is_durable: bool = True) -> Server:
    """Return the running server of the workspace `root`; make and start it where needed.

    Parameters
    ----------
    root : pathlib.Path
        Workspace folder.
    is_durable : bool
        False switches ``fsync`` off, for throw-away clusters of tests only.

    Raises
    ------
    ClusterError
        It can not be made or started; the sentence names the reason and the fix.
    """
    with _locked(root), _plain_errors(root):
        found = _read(root) or _decide(root)
        found = Server(
            home=found.home,
            sockets=_usable_sockets(found),
            account=found.account,
            clients=found.clients,
            is_durable=is_durable,
        )
        _write(root, found)
        server.start(found)
        return found


def down(root: Path) -> bool:
    """Stop the server of the workspace `root`; return whether it was running."""
    if not (root / FOLDER / _RECORD).exists():
        return False
    with _locked(root):
        found = _read(root)
        if found is None:
            return False
        was_running = server.stop(found)
        if not found.sockets.is_relative_to(found.home):
            with contextlib.suppress(OSError):
                found.sockets.rmdir()  # made outside because of a long path; made anew next time
        return was_running


def find(root: Path) -> Server | None:
    """Return the server of the workspace `root`, running or not; None: never made."""
    return _read(root)


def state(root: Path) -> ServerState:
    """Return whether the cluster of the workspace was made and whether it runs."""
    found = _read(root)
    return ServerState(state="absent") if found is None else server.state(found)


@contextmanager
def _locked(root: Path) -> Iterator[None]:
    """Let one command at a time make, start or stop the cluster."""
    folder = root / FOLDER
    try:
        folder.mkdir(exist_ok=True)
        file = (folder / "lock").open("a")
    except OSError as error:
        msg = f"{folder} can not be written: {error.strerror}; check the owner of the workspace."
        raise WorkspaceError(
            msg, zh=f"无法写入 {folder}：{error.strerror}；请检查工作区的所有者。"
        ) from error
    with file:
        deadline = time.monotonic() + _LOCK_S
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                msg = f"Another wanmi command has been starting the database of {root} for minutes; end it first."
                raise ClusterError(msg, zh=f"另一条命令正在启动 {root} 的数据库，请先结束它。")
            time.sleep(0.05)
        yield


@contextmanager
def _plain_errors(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise server.disk_full(root) from error
        msg = f"{error.filename or root} can not be written: {error.strerror}; check its owner and its disk."
        raise ClusterError(
            msg, zh=f"无法写入 {error.filename or root}：{error.strerror}；请检查所有者和磁盘。"
        ) from error


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(root: Path) -> Server | None:
    path = root / FOLDER / _RECORD
    try:
        # Paths may hold bytes that are no UTF-8, escaped, which msgspec alone refuses.
        record = msgspec.convert(json.loads(path.read_bytes()), Record)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:  # also of json and msgspec
        msg = f"{path} is damaged ({error}): restore it, or remove it to begin with an empty database."
        raise ClusterError(
            msg, zh=f"{path} 已损坏：请恢复该文件，或删除它以新建空数据库。"
        ) from error
    _check_client(root, record)
    account = process.find_account(record.server_user)
    if account is None:
        msg = (
            f"The user {record.server_user} that runs the database of {root} is gone; add it again."
        )
        raise ClusterError(
            msg, zh=f"运行数据库的系统用户 {record.server_user} 不存在，请重新添加。"
        )
    found = Server(
        home=root / record.home,
        sockets=root / record.sockets,
        account=account,
        clients=(record.client_user,),
    )
    _check_not_copied(root, found)
    return found


def _check_client(root: Path, record: Record) -> None:
    user = process.own_account().name
    if user != record.client_user:
        msg = (
            f"The database of {root} belongs to the user {record.client_user}, not {user}; "
            f"run the command as {record.client_user}."
        )
        raise ClusterError(
            msg, zh=f"{root} 的数据库属于用户 {record.client_user}，请以该用户运行。"
        )


def _check_not_copied(root: Path, found: Server) -> None:
    """Refuse a copied workspace whose database is still the original's."""
    if found.home.is_relative_to(root):
        return
    try:
        owner = Path(os.fsdecode((found.home / "workspace").read_bytes()))
    except OSError:
        return
    original = owner / FOLDER / _RECORD
    if owner != root and original.is_file() and not original.samefile(root / FOLDER / _RECORD):
        msg = (
            f"{root} is a copy of {owner}, whose database it would change: remove {root / FOLDER} for an empty "
            "database, or use `wanmi db backup` there and `wanmi db restore` here."
        )
        raise ClusterError(
            msg, zh=f"{root} 是 {owner} 的副本：请删除 {root / FOLDER}，或用备份恢复。"
        )


def _write(root: Path, found: Server) -> None:
    def written(folder: Path) -> str:
        return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)

    record = Record(
        home=written(found.home),
        sockets=written(found.sockets),
        server_user=found.account.name,
        client_user=found.clients[0],
    )
    text = json.dumps(msgspec.to_builtins(record), indent=1) + "\n"
    process.write_text(root / FOLDER / _RECORD, text, account=process.own_account())
    server.private_folder(found.home, found.account)
    if not found.home.is_relative_to(root):
        process.write_text(found.home / "workspace", str(root), account=found.account)


def _decide(root: Path) -> Server:
    client = process.own_account()
    account = client if client.uid != 0 else _server_account()
    home = root / FOLDER / "server"
    if account != client and not process.can_reach(root / FOLDER, account=account):
        home = _system_home(root)
    return Server(home=home, sockets=home / "run", account=account, clients=(client.name,))


def _server_account() -> Account:
    account = process.find_account(_SERVER_USER)
    if account is None:
        msg = (
            "PostgreSQL refuses to run as root and there is no system user postgres: "
            "run `useradd --system postgres`, or run Wanmi as an ordinary user."
        )
        raise ClusterError(
            msg,
            zh="PostgreSQL 不能以 root 运行，且没有系统用户 postgres：请运行 useradd --system postgres。",
        )
    return account


def _system_home(root: Path) -> Path:
    """Return a new folder outside the workspace, which the server's user can not reach."""
    digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
    for earlier in sorted(_SYSTEM_HOMES.glob(f"{digest}-*")):
        logger.warning(
            "The database of a removed workspace at %s is still in %s; delete that folder if it is not needed.",
            root,
            earlier,
        )
    try:
        _SYSTEM_HOMES.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{_SYSTEM_HOMES} can not be made: {error.strerror}; put the workspace where the user postgres can go."
        raise ClusterError(msg, zh=f"无法创建 {_SYSTEM_HOMES}：{error.strerror}。") from error
    return _SYSTEM_HOMES / f"{digest}-{secrets.token_hex(4)}"


def _usable_sockets(found: Server) -> Path:
    """Return a folder whose socket path PostgreSQL and libpq can use, closed to others."""
    inside = found.home / "run"
    if _fits(inside):
        return inside
    recorded = found.sockets
    if recorded != inside and _fits(recorded) and _is_private(recorded, found.account):
        return recorded
    if server.state(found).state == "running":  # its folder is gone: only a restart gives it one
        server.stop(found)
    made = Path(tempfile.mkdtemp(prefix="wanmi-", dir=_runtime_folder()))
    if found.account.uid != os.geteuid():
        os.chown(made, found.account.uid, found.account.gid)
    return made


def _fits(folder: Path) -> bool:
    # A comma separates several folders for libpq, quotes and backslashes are read by the server;
    # bytes that are no UTF-8, here halves of surrogate pairs, stand in no URL.
    path = str(folder / _SOCKET_NAME)
    is_odd = re.search("[,\"'\\\\\n%\ud800-\udfff]", path) is not None
    return len(os.fsencode(path)) <= _SOCKET_BYTES and not is_odd


def _is_private(folder: Path, account: Account) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and not folder.is_symlink() and found.st_uid == account.uid


def _runtime_folder() -> Path:
    for folder in (Path(f"/run/user/{os.geteuid()}"), Path("/run")):
        if folder.is_dir() and os.access(folder, os.W_OK) and os.geteuid() != 0:
            return folder
    return (
        Path("/run") if os.geteuid() == 0 and Path("/run").is_dir() else Path(tempfile.gettempdir())
    )


def describe(root: Path) -> dict[str, Any]:
    """Return what ``wanmi db status`` shows of the embedded cluster."""
    found = _read(root)
    if found is None:
        return {"state": "absent"}
    return server.describe(found)
