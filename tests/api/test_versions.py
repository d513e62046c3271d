"""Versions of a snapshot: listed, gone back to, and checked once for each state of their files."""

import errno
import itertools
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from api import open_snapshot
from api.integrity import STAMP
from api.versions.kept import list_versions, one_at_a_time, read_pointer, roll_back
from gis.errors import NotFoundError, SnapshotError
from tests.api.district import GRIDS, compile_district


@pytest.fixture
def versions(tmp_path: Path) -> list[str]:
    """Three versions, the last one current."""
    return [compile_district(tmp_path, unit_grids=GRIDS[:n]).name for n in (2, 3, 4)]


def test_versions_are_listed_with_the_current_one_marked(
    tmp_path: Path, versions: list[str]
) -> None:
    listed = list_versions(tmp_path)
    assert [version.version for version in listed] == versions[::-1]
    assert [version.is_current for version in listed] == [True, False, False]
    assert [version.counts["unit_grids"] for version in listed] == [4, 3, 2]
    (tmp_path / versions[0] / "manifest.json").write_bytes(b"{")
    assert [version.version for version in list_versions(tmp_path)] == versions[:0:-1]
    assert list_versions(tmp_path / "nowhere") == []


def test_going_back_points_at_a_whole_version_only(tmp_path: Path, versions: list[str]) -> None:
    first, second, third = versions
    assert roll_back(tmp_path, first[:8]).version == first
    assert open_snapshot(tmp_path).counts["unit_grids"] == 2
    path = tmp_path / second / "units.arrow"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(SnapshotError, match=r"units\.arrow"):
        roll_back(tmp_path, second)
    with pytest.raises(NotFoundError, match="There is no version 'zzz'; there are: "):
        roll_back(tmp_path, "zzz")
    with pytest.raises(NotFoundError):
        roll_back(tmp_path, "")
    (tmp_path / third).rename(tmp_path / "elsewhere")
    with pytest.raises(SnapshotError, match="rename it back"):
        roll_back(tmp_path, "elsewhere")
    assert open_snapshot(tmp_path).version == first


def test_a_version_just_written_is_known_to_be_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = compile_district(tmp_path)
    monkeypatch.setattr("api.integrity.hashlib.file_digest", lambda *_: pytest.fail("read anew"))
    snapshot = open_snapshot(folder)
    snapshot.verify(anew=False)
    assert len(snapshot.edition().grids.codes) == 4


def test_a_write_right_after_compiling_is_found(tmp_path: Path) -> None:
    path = compile_district(tmp_path) / "units.arrow"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(SnapshotError, match=r"units\.arrow"):
        open_snapshot(tmp_path).verify(anew=False)


def test_damage_after_a_good_check_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = compile_district(tmp_path)
    # The clock of the check runs ahead, as if the files had lain there for an hour.
    later = time.time_ns() + 3600 * 10**9
    monkeypatch.setattr("api.integrity.time.time_ns", lambda: later)
    open_snapshot(folder).verify(anew=False)
    assert (folder / STAMP).is_file()
    path = folder / "units.arrow"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    before = path.stat()
    path.write_bytes(bytes(content))
    # Size and time of modification are made to look untouched; the time of change can not be.
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(SnapshotError, match=r"units\.arrow"):
        open_snapshot(folder).table("units")
    with pytest.raises(SnapshotError, match=r"units\.arrow"):
        open_snapshot(folder).verify(anew=False)


def killed_at(folder: Path, sync: int) -> bool:
    """Compile other rows in a process that is killed at a call that syncs a file; say whether it was."""
    child = os.fork()
    if child == 0:
        signal.alarm(120)
        calls = itertools.count(1)
        fsync = os.fsync

        def kill(file: int) -> None:
            if next(calls) == sync:
                os.kill(os.getpid(), signal.SIGKILL)
            fsync(file)

        os.fsync = kill  # type: ignore[assignment]
        compile_district(folder, unit_grids=GRIDS[:3])
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def test_a_compilation_killed_at_any_file_leaves_the_current_one(tmp_path: Path) -> None:
    folder = compile_district(tmp_path)
    sync = 1
    while killed_at(tmp_path, sync):
        snapshot = open_snapshot(tmp_path)
        snapshot.verify()
        assert snapshot.folder == folder
        assert [found.version for found in list_versions(tmp_path) if found.is_current] == [
            folder.name
        ]
        sync += 7
    assert sync > 28
    # What the killed ones left is gone, and the one that was not killed is whole.
    assert not list(tmp_path.glob(".compiling-*"))
    assert open_snapshot(tmp_path).counts["unit_grids"] == 3
    open_snapshot(tmp_path).verify()


@pytest.mark.parametrize(
    "place", ["api.compile.np.save", "gis.mapped.np.save", "api.compile.orjson.dumps"]
)
def test_a_full_disk_is_told_and_the_current_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    folder = compile_district(tmp_path)
    full = OSError(errno.ENOSPC, "No space left on device")
    with monkeypatch.context() as patch:
        patch.setattr(place, lambda *_, **__: (_ for _ in ()).throw(full))
        with pytest.raises(SnapshotError, match="no room for the snapshot"):
            compile_district(tmp_path, unit_grids=GRIDS[:2])
    assert open_snapshot(tmp_path).folder == folder
    assert not list(tmp_path.glob(".compiling-*"))
    assert compile_district(tmp_path, unit_grids=GRIDS[:2]) != folder


def test_going_back_waits_for_what_is_compiled(tmp_path: Path, versions: list[str]) -> None:
    back = threading.Thread(target=roll_back, args=(tmp_path, versions[0]))
    with one_at_a_time(tmp_path):
        back.start()
        back.join(0.5)
        assert read_pointer(tmp_path) == versions[2]
        assert back.is_alive()
    back.join(30)
    assert read_pointer(tmp_path) == versions[0]
