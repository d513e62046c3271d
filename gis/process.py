"""Processes of the operating system: run as another user, launch a server, see who is alive."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gis.postgres import child_environment

_SHARED_MEMORY_BYTES = 200_000_000
_ORPHAN_S = 10.0
_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Account:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int


def own_account() -> Account:
    """Return the user this program runs as."""
    entry = pwd.getpwuid(os.geteuid())
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def find_account(name: str) -> Account | None:
    """Return the user called `name`, None when there is none."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def run(
    command: list[str], *, account: Account, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a program as `account` from the root folder, which every user can enter."""
    return subprocess.run(
        command,
        **_as(account),
        cwd="/",
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=check,
    )


def launch(command: list[str], *, log: Path, account: Account) -> int:
    """Start a server that outlives this program, its output appended to `log`; return its process.

    A shell starts it in the background and ends, so that the init process collects it when it
    ends; the words of the command are passed as they are, whatever characters they hold.
    """
    script = 'log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'
    done = subprocess.run(
        ["/bin/sh", "-c", script, "sh", str(log), *command],
        **_as(account),
        cwd="/",
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        start_new_session=True,
        umask=0o077,
        text=True,
        check=True,
    )
    return int(done.stdout)


def write_text(path: Path, text: str, *, account: Account) -> None:
    """Write a file of `account`, readable by it alone, replacing the old one whole."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(os.fsencode(text))  # paths in it stay the bytes that the system knows
    if account.uid != os.geteuid():
        os.chown(draft, account.uid, account.gid)
    draft.replace(path)


def can_reach(folder: Path, *, account: Account) -> bool:
    """Return whether `account` can enter `folder`."""
    done = run(["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)], account=account, check=False)
    return done.returncode == 0


def is_alive(pid: int) -> bool:
    """Return whether the process runs; one that ended but was not collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not _state(pid).startswith("Z")


def serves(pid: int, data: Path, *, account: Account) -> bool:
    """Return whether the process is PostgreSQL's, run by `account` for the data directory `data`."""
    if _PROC.is_dir():
        return _working_in(data, [pid], account=account) == [pid]
    command = _ps(pid, "command=")
    return "postgres" in command and str(data) in command


def end_orphans(data: Path, *, account: Account) -> None:
    """End the backends of a killed server that still work in `data`: they block a new one.

    Harmless for the data: the new server recovers from its write-ahead log in any case.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + _ORPHAN_S
        left = _working_in(data, _processes(account), account=account)
        for pid in left:
            _signal(pid, number)
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left = _working_in(data, left, account=account)


def interrupt(pid: int) -> None:
    """Ask a server to end its connections and stop."""
    _signal(pid, signal.SIGINT)


def has_shared_memory() -> bool:
    """Return whether there is room for parallel queries; containers often have only 64 MB."""
    memory = Path("/dev/shm")  # noqa: S108 (only its size is asked for)
    return not memory.is_dir() or shutil.disk_usage(memory).total >= _SHARED_MEMORY_BYTES


def _working_in(data: Path, pids: list[int], *, account: Account) -> list[int]:
    """Return which of the processes are PostgreSQL's and work in the folder `data`, as all of it do.

    The folder itself counts, not its path: a workspace may have been moved meanwhile.
    """
    alive = [pid for pid in pids if _is_postgres(pid) and is_alive(pid)]
    try:
        return [pid for pid in alive if _is_folder(_PROC / str(pid) / "cwd", data)]
    except PermissionError:  # root in a container without the right to trace: ask as the owner
        script = 'd=$1; shift; for p in "$@"; do [ "/proc/$p/cwd" -ef "$d" ] && echo "$p"; done'
        command = ["/bin/sh", "-c", script, "sh", str(data), *map(str, alive)]
        return [int(line) for line in run(command, account=account, check=False).stdout.split()]


def _is_folder(link: Path, folder: Path) -> bool:
    try:
        return link.samefile(folder)
    except PermissionError:
        raise
    except OSError:
        return False


def _is_postgres(pid: int) -> bool:
    try:
        name = (_PROC / str(pid) / "comm").read_text("utf-8", "replace").strip()
    except OSError:
        return False
    return name in ("postgres", "postmaster")


def _processes(account: Account) -> list[int]:
    if not _PROC.is_dir():
        return []
    return [int(entry.name) for entry in _PROC.glob("[0-9]*") if _owner(entry) == account.uid]


def _owner(entry: Path) -> int | None:
    try:
        return entry.stat().st_uid
    except OSError:
        return None


def _state(pid: int) -> str:
    if not _PROC.is_dir():
        return _ps(pid, "stat=")
    try:
        text = (_PROC / str(pid) / "stat").read_text("utf-8", "replace")
    except OSError:
        return "Z"
    return text.rpartition(")")[2].strip()  # the name in brackets may hold anything


def _ps(pid: int, field: str) -> str:
    done = subprocess.run(
        ["ps", "-o", field, "-p", str(pid)],
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip()


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _as(account: Account) -> dict[str, Any]:
    if account.uid == os.geteuid():
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}
