"""The versions of a snapshot that are kept: which there are, which is current, and back to an earlier one."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from api.layout import FORMAT, LOCK, MANIFEST, POINTER
from gis.errors import NotFoundError, SnapshotError


@dataclass(frozen=True, kw_only=True)
class Version:
    """One compiled version."""

    version: str
    compiled_at: str
    """ISO time, UTC."""
    is_current: bool
    is_readable: bool
    """Its layout is the one this program reads."""
    size_bytes: int
    counts: dict[str, int]
    """Rows per table, old versions of rows included."""
    builds: list[dict[str, Any]]
    """Builds its rows came from: build_id, dataset, as_of, delivery …"""


def list_versions(folder: Path) -> list[Version]:
    """Return the versions in a folder of snapshots, the newest first; damaged ones are left out."""
    current = read_pointer(folder)
    found = [_describe(path.parent, current) for path in folder.glob(f"[!.]*/{MANIFEST}")]
    whole = [version for version in found if version is not None]
    return sorted(whole, key=lambda version: (version.compiled_at, version.version), reverse=True)


def roll_back(folder: Path, version: str) -> Version:
    """Make an earlier version the current one; running servers take it in within a second or two.

    While one is compiled it waits: that would become current afterwards, and may remove this one.

    Parameters
    ----------
    folder : Path
        The folder of snapshots.
    version : str
        Its name, or the first characters of it.

    Raises
    ------
    NotFoundError
        No version is called so, or several are.
    SnapshotError
        It is damaged, or of another layout: the current one stays.
    """
    with one_at_a_time(folder):
        return _roll_back(folder, version)


def _roll_back(folder: Path, version: str) -> Version:
    from api.snapshot import Snapshot

    kept = list_versions(folder)
    found = [known for known in kept if version and known.version.startswith(version)]
    if len(found) != 1:
        names = ", ".join(known.version for known in kept) or "none"
        is_many = "Several versions begin with" if found else "There is no version"
        raise NotFoundError(
            f"{is_many} {version!r}; there are: {names}.",
            zh=f"{'有多个版本以此开头' if found else '没有版本'} {version!r}，现有版本：{names}。",
        )
    snapshot = Snapshot(folder / found[0].version)
    if snapshot.version != snapshot.folder.name:
        msg = f"The folder {snapshot.folder} holds version {snapshot.version}: rename it back."
        zh = f"文件夹 {snapshot.folder} 中是版本 {snapshot.version}，请改回原名。"
        raise SnapshotError(msg, zh=zh)
    snapshot.verify()
    point_at(folder, snapshot.version)
    return found[0]


def read_pointer(folder: Path) -> str | None:
    """Return what the pointer file in `folder` says; None when there is none."""
    try:
        return (folder / POINTER).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Wait until nobody else changes a folder of snapshots, and remove what one that was killed left.

    Who reads later also writes later: an older state never replaces a newer one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for left in (*folder.glob(".compiling-*"), *folder.glob(f".{POINTER}-*")):
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()
        yield


def point_at(folder: Path, version: str) -> None:
    """Replace the pointer file in one step: whoever reads it finds the old name or the new one."""
    temporary = folder / f".{POINTER}-{uuid.uuid4().hex[:12]}"
    with temporary.open("wb") as file:
        file.write(f"{version}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(folder / POINTER)


def _describe(folder: Path, current: str | None) -> Version | None:
    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
        return Version(
            version=folder.name,
            compiled_at=str(manifest["compiled_at"]),
            is_current=folder.name == current,
            is_readable=manifest["format"] == FORMAT,
            size_bytes=sum(int(told["bytes"]) for told in manifest["files"].values()),
            counts=dict(manifest["counts"]),
            builds=list(manifest["builds"]),
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
