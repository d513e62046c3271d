"""Builds that are killed: whatever the moment, the previous build is live, and building again works."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from gis.builds import list_builds, live
from gis.vector import write_vector
from pipelines.build import build_delivery
from tests.pipelines.town import components, roads, write_town

JUNE = date(2026, 6, 30)

_STOPPING = """
import sys, time
from contextlib import contextmanager
from pathlib import Path
from gis.settings import Settings
from gis.workspace import open_workspace
from pipelines.build import build_delivery

@contextmanager
def progress(label, *, total=None):
    if label == sys.argv[4]:
        print("reached", flush=True)
        time.sleep(60)
    yield lambda _: None

root = Path(sys.argv[1])
workspace = open_workspace(root, settings=Settings(workspace=root, database_url=sys.argv[2]))
build_delivery(Path(sys.argv[3]), workspace=workspace, progress=progress)
"""


def changed_town(folder: Path) -> Path:
    """The town a month later: a renamed road, a damaged component, one component gone."""
    write_town(folder, as_of=JUNE, name="june")
    write_vector(roads().assign(NAME="新路"), folder / "roads.shp", encoding="gb18030")
    rows = components().iloc[[0, 1]].assign(ObjState="破损")
    write_vector(rows, folder / "雨水箅子.shp", encoding="gb18030")
    return folder


def everything(database):
    names = ("areas", "topography", "unit_grids", "addresses", "components")
    return {name: pd.DataFrame(live(database, name)) for name in names}


def assert_same(found, expected):
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(found[name], frame)


def start(workspace, folder: Path, label: str) -> subprocess.Popen[str]:
    arguments = [str(workspace.root), workspace.settings.database_url, str(folder), label]
    return subprocess.Popen(
        [sys.executable, "-c", _STOPPING, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """End the process with the block, whatever happens in it."""
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_blocked(database) -> None:
    """Wait until some connection waits for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with database.connect() as connection:
            if connection.execute(query).fetchone()[0]:
                return
        time.sleep(0.1)
    pytest.fail("no writer was stopped")


@pytest.fixture
def built(tmp_path, workspace):
    build_delivery(write_town(tmp_path / "may"), workspace=workspace)
    return workspace


@pytest.mark.parametrize("label", ["judging areas", "judging components", "publishing areas"])
def test_a_kill_before_anything_is_written_leaves_the_build_before(
    built, database, tmp_path, label
):
    folder = changed_town(tmp_path / "june")
    before, builds = everything(database), list_builds(database)
    with ended(start(built, folder, label)) as process:
        assert process.stdout.readline() == "reached\n"
        process.kill()
        assert process.wait() == -signal.SIGKILL
    wait_until_alone(database)
    assert_same(everything(database), before)
    pd.testing.assert_frame_equal(list_builds(database), builds)
    reports = build_delivery(folder, workspace=built)
    assert {r.dataset: r.rows_opened for r in reports}["components"] == 2


@pytest.mark.parametrize("table", ["topography.feature", "meta.reject", "components.component"])
def test_a_kill_inside_a_transaction_leaves_that_dataset_whole(built, database, tmp_path, table):
    folder = changed_town(tmp_path / "june")
    # A row to refuse, so that meta.reject is written too.
    twice = components().iloc[[0, 1, 1]].assign(ObjState="破损")
    write_vector(twice, folder / "雨水箅子.shp", encoding="gb18030")
    before = everything(database)
    with database.connect() as connection:
        connection.execute(f"LOCK TABLE {table} IN SHARE MODE")  # stops the writer midway
        with ended(start(built, folder, "never")) as process:
            wait_until_blocked(database)
            process.kill()
            assert process.wait() == -signal.SIGKILL
    wait_until_alone(database)
    found = everything(database)
    done = set(list_builds(database)["dataset"].iloc[: len(list_builds(database)) - 5])
    for name, frame in before.items():
        if name in done:
            assert frame["build_id"].max() <= found[name]["build_id"].max()
        else:
            pd.testing.assert_frame_equal(found[name], frame)
    assert "components" not in done
    reports = {r.dataset: r for r in build_delivery(folder, workspace=built)}
    assert all(reports[name].status == "unchanged" for name in done)
    conditions = live(database, "components").set_index("code")["condition"].to_dict()
    assert conditions == {"1301020104000001": "damaged", "1301020104000002": "damaged"}
    names = set(live(database, "topography")["name"])
    assert names == {"新路"}


def wait_until_alone(database) -> None:
    """Wait until the server has noticed that the killed client is gone."""
    deadline = time.monotonic() + 180
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    while time.monotonic() < deadline:
        with database.connect() as connection:
            if connection.execute(query).fetchone()[0] == 0:
                return
        time.sleep(0.1)
    pytest.fail("the killed build still holds its connection")


def test_ctrl_c_ends_with_one_sentence_and_nothing_half_done(built, database, tmp_path):
    folder = changed_town(tmp_path / "june")
    before = everything(database)
    with database.connect() as connection:
        connection.execute("LOCK TABLE components.component IN SHARE MODE")
        command = subprocess.Popen(
            [sys.executable, "-m", "wanmi", "-w", str(built.root), "build", str(folder)],
            env=os.environ | {"WANMI_DATABASE_URL": built.settings.database_url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
        )
        with ended(command) as process:
            wait_until_blocked(database)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=180)
    assert process.returncode == 130
    assert "Stopped; nothing was left half done." in errors
    assert "Traceback" not in errors
    wait_until_alone(database)
    pd.testing.assert_frame_equal(everything(database)["components"], before["components"])
