"""Builds that are killed: whatever the moment, the previous build is live, and building again works."""

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from gis.builds import list_builds, live
from gis.vector import write_vector
from pipelines.build import build_delivery
from tests.pipelines.killing import building, wait_until_alone, wait_until_blocked
from tests.pipelines.town import components, roads, write_town

JUNE = date(2026, 6, 30)


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


@pytest.fixture
def model(standing_town):
    return standing_town


@pytest.fixture
def built(workspace):
    return workspace


@pytest.mark.parametrize("label", ["judging areas", "judging components", "publishing areas"])
def test_a_kill_before_anything_is_written_leaves_the_build_before(
    built, database, tmp_path, label
):
    folder = changed_town(tmp_path / "june")
    before, builds = everything(database), list_builds(database)
    with building(folder, built, label) as process:
        assert process.has_stopped()
        assert process.kill() == -signal.SIGKILL
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
        with building(folder, built, "never") as process:
            wait_until_blocked(database)
            assert process.kill() == -signal.SIGKILL
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
        try:
            wait_until_blocked(database)
            command.send_signal(signal.SIGINT)
            _, errors = command.communicate(timeout=180)
        finally:
            command.kill()
            command.communicate()
    assert command.returncode == 130, errors
    assert "Stopped; nothing was left half done." in errors
    assert "Traceback" not in errors
    wait_until_alone(database)
    pd.testing.assert_frame_equal(everything(database)["components"], before["components"])
