"""What `wanmi grid` writes appears whole: a kill or a full disk leaves the file that was there."""

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gis.vector import list_layers
from gis.workspace import Workspace
from tests.commands import Run, runner

ROOT = Path(__file__).resolve().parents[2]
LAYERS = {"export.gpkg": {"unit_grid", "road"}, "faults.gpkg": {"faults", "places", "grids"}}


@pytest.fixture
def model(standing_town: str) -> str:
    return standing_town


@pytest.fixture
def run(workspace: Workspace) -> Run:
    return runner(workspace, ["gridding"])


def words_of(name: str, folder: Path) -> list[str]:
    file = str(folder / name)
    return {
        "export.gpkg": ["grid", "export", file],
        "faults.gpkg": ["grid", "check", "--live", "-o", file],
        "report.html": ["grid", "check", "--live", "--report", file],
    }[name]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def start(workspace: Workspace, *words: str, room: int | None = None) -> "subprocess.Popen[str]":
    """Start a command in a process that can write files of `room` bytes and no more."""

    def fill_disk() -> None:
        if room is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing fails instead
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    return subprocess.Popen(
        [sys.executable, "-m", "wanmi", "-w", str(workspace.root), *words],
        cwd=ROOT,
        env=os.environ | {"WANMI_DATABASE_URL": str(workspace.settings.database_url)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=fill_disk,
    )


@pytest.mark.parametrize("name", ["export.gpkg", "faults.gpkg"])
def test_a_kill_while_writing_leaves_the_file_that_was_there(
    name: str, run: Run, workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert run(*words_of(name, folder)).exit_code == 0
    before = contents(folder)
    draft = folder / f".{name}.partial" / name
    with start(workspace, *words_of(name, folder)) as process:
        until = time.monotonic() + 180
        while process.poll() is None and not draft.exists() and time.monotonic() < until:
            time.sleep(0.0005)
        process.kill()
        _, told = process.communicate()
    assert process.returncode == -signal.SIGKILL, told
    assert draft.parent.is_dir()  # it was killed midway
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    assert found == before
    # The next run takes no harm from what the killed one left, and tidies it up.
    assert run(*words_of(name, folder)).exit_code == 0
    assert set(contents(folder)) == set(before)
    assert set(list_layers(folder / name)) >= LAYERS[name]


@pytest.mark.parametrize("name", ["export.gpkg", "faults.gpkg", "report.html"])
def test_a_full_disk_leaves_the_file_that_was_there_and_is_told(
    name: str, run: Run, workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert run(*words_of(name, folder)).exit_code == 0
    before = contents(folder)
    assert_refused(workspace, name, folder)
    assert contents(folder) == before
    for path in folder.iterdir():
        path.unlink()
    assert_refused(workspace, name, folder)
    assert contents(folder) == {}


def assert_refused(workspace: Workspace, name: str, folder: Path) -> None:
    """Run a command that finds room for the beginning of its file alone."""
    with start(workspace, *words_of(name, folder), room=3000) as process:
        _, told = process.communicate(timeout=180)
    assert process.returncode == 1
    assert f"{name} can not be written" in told
    assert "unexpected" not in told
