"""Finished parts of a run, kept beside its output until that is whole: what a stopped run goes on from.

The folder ``.NAME.parts/`` belongs to one run at a time (a lock held by the process, gone with it) and
to one piece of work: the same file, unchanged, the same questions, the same data. A part counts when its
note ``000012.json`` is there, which is written last; notes and parts appear by renaming.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from api.bulk.spans import Trouble
from gis.errors import LockedError, RequestError

TOLD = 20
"""Troubles of a part that are told one by one; the others are counted."""
_LOCK, _STAMP = "lock", "work.json"
DOUBTS = ("unlocated", "needs_review")
"""What a run tells of its answers in all: rows without a place, rows that a person is to look at."""
_LAYOUT = 4
"""Changes when parts of older programs can not be used."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """A part that is written."""

    number: int
    rows: int
    troubles: dict[str, int]
    """Reason -> rows that could not be read as they should be."""
    told: tuple[tuple[int, str], ...]
    """Line and reason of the first of them."""
    doubts: dict[str, int]
    """`DOUBTS` -> rows whose answers are such."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The folder of parts of a run."""

    folder: Path
    begun: datetime
    """When the run first began: the present of cases that state no time, also after a stop."""

    def done(self, number: int) -> Done | None:
        """Return what is noted of a part; None: it is not written."""
        try:
            note = orjson.loads((self.folder / f"{number:06d}.json").read_bytes())
        except (OSError, ValueError):
            return None
        told = tuple((int(line), str(reason)) for line, reason in note["told"])
        return Done(
            number=number,
            rows=note["rows"],
            troubles=note["troubles"],
            told=told,
            doubts=note["doubts"],
        )


@contextmanager
def opened_parts(source: Path, target: Path, *, work: str) -> Iterator[Parts]:
    """Hold the folder of the parts of a run; emptied if they are of other work.

    When all is done, or nothing was, it is gone.

    Parameters
    ----------
    source, target : Path
        File read and file written.
    work : str
        What the answers depend on besides the file.

    Raises
    ------
    LockedError
        Another run writes the same target.
    RequestError
        The folder of the target can not be written to.
    """
    folder = target.parent / f".{target.name}.parts"
    digest = hashlib.sha256(f"{_LAYOUT}:{state_of(source)}:{work}".encode()).hexdigest()
    lock = _locked(folder, target)
    try:
        begun = _begun(folder, digest)
        if begun is None:
            _empty(folder)
            begun = datetime.now(UTC)
            stamp = {"work": digest, "begun": begun.isoformat()}
            write_whole(folder / _STAMP, orjson.dumps(stamp))
        try:
            yield Parts(folder=folder, begun=begun)
        except BaseException:
            with contextlib.suppress(OSError):
                if {path.name for path in folder.iterdir()} <= {_LOCK, _STAMP}:
                    shutil.rmtree(folder)
            raise
        shutil.rmtree(folder)
    finally:
        os.close(lock)


def state_of(path: Path) -> str:
    """Return what tells whether a file is still the same: where it is, its size, its time.

    Raises
    ------
    RequestError
        It can not be read.
    """
    try:
        state = path.stat()
        with path.open("rb"):
            pass
    except OSError as error:
        msg = f"{path} can not be read ({error.strerror}): check the path."
        raise RequestError(msg, zh=f"无法读取 {path}：请检查路径。") from error
    return f"{path.resolve()}:{state.st_size}:{state.st_mtime_ns}"


def write_note(folder: Path, done: Done) -> None:
    """Note that a part is written."""
    note = {
        "rows": done.rows,
        "troubles": done.troubles,
        "told": [list(t) for t in done.told],
        "doubts": done.doubts,
    }
    write_whole(folder / f"{done.number:06d}.json", orjson.dumps(note))


def note_of(number: int, rows: int, troubles: Sequence[Trouble], *, doubts: dict[str, int]) -> Done:
    """Return the note of a part."""
    counts: dict[str, int] = {}
    for trouble in troubles:
        counts[trouble.reason] = counts.get(trouble.reason, 0) + 1
    told = tuple((trouble.line, trouble.reason) for trouble in troubles[:TOLD])
    return Done(number=number, rows=rows, troubles=counts, told=told, doubts=doubts)


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Yield a name to write to; the file appears at `path`, safe on the disk, when all went well."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a small file that is there whole or not at all."""
    with appearing(path) as temporary:
        temporary.write_bytes(content)


def _locked(folder: Path, target: Path) -> int:
    """Return the descriptor of the lock, which ends with the process whatever ends it."""
    while True:
        try:
            folder.mkdir(exist_ok=True)
            descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:
            if target.parent.is_dir():  # the run that held it took the folder away
                continue
            raise _not_writable(target, "there is no such folder") from None
        except OSError as error:
            raise _not_writable(target, str(error.strerror)) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            msg = f"Another run is writing {target.name}: wait for its end, or name another output."
            raise LockedError(
                msg, zh=f"另一个任务正在写 {target.name}：请等待其结束，或指定其他输出文件。"
            ) from error
        if _is_same(descriptor, folder / _LOCK):
            return descriptor
        os.close(descriptor)


def _is_same(descriptor: int, path: Path) -> bool:
    try:
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except OSError:
        return False


def _begun(folder: Path, digest: str) -> datetime | None:
    """Return when the work whose parts these are began; None: they are of other work."""
    try:
        stamp: dict[str, Any] = orjson.loads((folder / _STAMP).read_bytes())
        return datetime.fromisoformat(stamp["begun"]) if stamp["work"] == digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name != _LOCK:
            path.unlink()


def _not_writable(target: Path, reason: str) -> RequestError:
    msg = f"{target.name} can not be written to {target.absolute().parent} ({reason}): name another folder."
    return RequestError(
        msg,
        zh=f"无法在 {target.absolute().parent} 中写出 {target.name}（{reason}）：请指定其他文件夹。",
    )
