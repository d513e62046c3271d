"""Whether the files of a version are those that were compiled: by checksum, once for each state of a file.

Reading hundreds of megabytes to check them takes longer than everything else that opening does. A file
whose checksum held is therefore remembered with its size, inode and times of change: any write, copy
or replacement of it gives it another time of change, which no program sets, and it is read again.
"""

import hashlib
import os
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson

from gis.errors import SnapshotError

STAMP = "checked.json"
"""What was found whole, beside the files; where the folder is not writable each opening checks anew."""
_SETTLED_NS = 2_000_000_000
"""Clocks of file systems are coarse: a younger file may change again without showing it."""


class Integrity:
    """Checks the files of one version.

    Parameters
    ----------
    folder : Path
        Folder of the version.
    files : mapping
        Name -> ``sha256`` and ``bytes``, as the manifest tells them.
    """

    def __init__(self, folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
        self._folder = folder
        self._files = files
        self._known = _read_stamp(folder / STAMP)

    def check(self, name: str, *, anew: bool = False) -> Path:
        """Return the path of a file whose checksum holds.

        Parameters
        ----------
        name : str
            A file of the version.
        anew : bool
            Read it even if it was found whole before: what a failing disk changes shows in no time.

        Raises
        ------
        SnapshotError
            The file is missing, damaged, or none of this version.
        """
        path, told = self._folder / name, self._files.get(name)
        if told is None:
            raise damaged(path)
        try:
            state = _state(path, told)
            if anew or self._known.get(name) != state:
                with path.open("rb") as file:
                    digest = hashlib.file_digest(file, "sha256").hexdigest()
                if digest != told["sha256"]:
                    raise damaged(path)
                if time.time_ns() - max(state[2:4]) > _SETTLED_NS:
                    self._known[name] = state
        except OSError as error:
            raise damaged(path) from error
        return path

    def _is_known(self, name: str) -> bool:
        try:
            return self._known.get(name) == _state(self._folder / name, self._files[name])
        except OSError as error:
            raise damaged(self._folder / name) from error

    def check_all(self, *, anew: bool = False) -> None:
        """Check every file, and remember what was found whole.

        Raises
        ------
        SnapshotError
            A file is missing or damaged.
        """
        if not anew and all(self._is_known(name) for name in self._files):
            return
        before = dict(self._known)
        with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
            list(pool.map(lambda name: self.check(name, anew=anew), self._files))
        if self._known != before:
            _write_stamp(self._folder / STAMP, self._known)


def note_whole(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Remember files that were just written and summed, so that opening them reads none anew.

    Their times of change are set back a little: a later write shows, however coarse the clock is.
    """
    before = time.time_ns() - 2 * _SETTLED_NS
    known = {}
    for name, told in files.items():
        os.utime(folder / name, ns=(before, before))
        known[name] = _state(folder / name, told)
    _write_stamp(folder / STAMP, known)


def damaged(path: Path) -> SnapshotError:
    """Return the error of a file that is missing or not what was compiled."""
    return SnapshotError(
        f"The snapshot is damaged ({path} is missing or its checksum does not hold): compile it "
        "anew with `wanmi snapshot`.",
        zh=f"快照已损坏（{path} 缺失或校验不符）：请运行 `wanmi snapshot` 重新编译。",
    )


def _state(path: Path, told: Mapping[str, Any]) -> list[Any]:
    found = path.stat()
    if found.st_size != told["bytes"]:
        raise damaged(path)
    return [told["sha256"], found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]


def _read_stamp(path: Path) -> dict[str, Any]:
    try:
        known = orjson.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _write_stamp(path: Path, known: Mapping[str, Any]) -> None:
    fresh = path.with_name(f".{path.name}-{uuid.uuid4().hex[:12]}")
    try:
        fresh.write_bytes(orjson.dumps(known))
        fresh.replace(path)
    except OSError:  # a folder that may only be read
        fresh.unlink(missing_ok=True)
