"""Unit grids when the topography changes: borders, codes, lineage, comparison, a kill midway."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import psycopg
import pyogrio
import pytest
import shapely

from gis.builds import rollback
from gis.database import Database
from gis.workspace import Workspace
from tests.pipelines.changes.ground import (
    EAST_SIDE,
    MAIN_ROAD,
    WEST_SIDE,
    assert_tiles,
    grids_of,
    land,
    renew_streets,
    run,
    table,
)


def test_nothing_is_touched_by_the_topography_the_grids_were_made_with(
    town: Workspace, database: Database
) -> None:
    before = grids_of(database)
    told = run(town, "update", "--apply", "--reason", "nothing new")
    assert told["touched"] == 0
    assert told["kept"] == 8
    assert told["edit"]["build_id"] is None
    pd.testing.assert_frame_equal(grids_of(database), before)
    assert table(database, "edit")["reason"].tolist() == ["nothing new"]
    assert table(database, "lineage").empty


def test_a_road_that_must_be_a_border_splits_what_it_crosses(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    before = grids_of(database)
    renew_streets(town, tmp_path / "june", MAIN_ROAD)
    options = ("update", "--policy", "hard", "--hard-class", "430501")
    proposed = run(town, *options, "-o", str(tmp_path / "proposal.gpkg"))
    assert proposed["touched"] == 2
    pd.testing.assert_frame_equal(grids_of(database), before)  # a proposal changes nothing
    told = run(town, *options, "--apply", "--reason", "new main road")
    after = grids_of(database)
    assert_tiles(after)
    # 60 m of each of the two grids lie south of the road, 40 m north of it: the two northern strips
    # of 4,000 m² are too small and become one.
    assert sorted(after.loc[after.index.str.startswith(WEST_SIDE), "area_m2"].round()) == [
        6_000, 6_000, 8_000, 10_000, 10_000
    ]  # fmt: skip
    assert sorted(set(before.index) - set(after.index)) == [f"{WEST_SIDE}001", f"{WEST_SIDE}002"]
    assert sorted(set(after.index) - set(before.index)) == [
        f"{WEST_SIDE}{number:03d}" for number in (5, 6, 7)
    ]
    made = told["edit"]
    assert (made["opened"], made["retired"], made["reshaped"]) == (3, 2, 0)
    untouched = [code for code in before.index if code.startswith(EAST_SIDE)]
    assert shapely.equals(after.geometry[untouched], before.geometry[untouched]).all()
    assert not after.loc[untouched, "change_date"].notna().any()
    assert run(town, *options)["touched"] == 0  # the road has been taken account of


def test_lineage_history_and_rollback_agree(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    before = grids_of(database)
    renew_streets(town, tmp_path / "june", MAIN_ROAD)
    hard = ("update", "--policy", "hard", "--hard-class", "430501", "--apply", "--reason", "road")
    told = run(town, *hard)
    lineage = table(database, "lineage")
    assert set(lineage["old_code"]) == {f"{WEST_SIDE}001", f"{WEST_SIDE}002"}
    assert set(lineage["new_code"]) == {f"{WEST_SIDE}{n:03d}" for n in (5, 6, 7)}
    assert lineage.groupby("old_code")["overlap_old"].sum().round(6).tolist() == [1.0, 1.0]
    assert lineage.groupby("new_code")["overlap_new"].sum().round(6).tolist() == [1.0, 1.0, 1.0]
    edit = table(database, "edit").iloc[0]
    assert (edit["before"]["grids"], edit["after"]["grids"]) == (2, 3)
    assert edit["policy"] == "hard"
    day = grids_of(database, as_of=date(2027, 5, 31))
    assert set(day.index) == set(before.index)
    rollback(database, told["edit"]["build_id"], actor="tester")
    pd.testing.assert_frame_equal(grids_of(database), before)
    # The numbers 005-007 were given to somebody: they are not given again.
    again = run(town, *hard)
    assert again["edit"]["opened"] == 3
    assert {code[-3:] for code in grids_of(database).index if code.startswith(WEST_SIDE)} == {
        "003", "004", "008", "009", "010"
    }  # fmt: skip


def test_a_new_building_moves_the_border_round_it_and_keeps_the_codes(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    before = grids_of(database)
    house = ("B1", "310300", land(95, 120, 120, 140))
    renew_streets(town, tmp_path / "june", house)
    told = run(town, "update", "--policy", "keep", "--apply", "--reason", "new house")
    after = grids_of(database)
    assert_tiles(after)
    assert sorted(after.index) == sorted(before.index)
    made = told["edit"]
    assert (made["reshaped"], made["opened"], made["retired"]) == (2, 0, 0)
    house_shape = house[2]
    held = shapely.area(shapely.intersection(after.geometry.to_numpy(), house_shape))
    assert np.sort(held)[-1] == pytest.approx(house_shape.area)
    # 5.5 m x 21 m change hands: half a metre is kept clear of the walls.
    assert after["area_m2"][f"{WEST_SIDE}001"] == pytest.approx(10_000 - 115.5)
    assert after["change_date"].notna().sum() == 2
    moved = table(database, "lineage")
    assert set(moved["kind"]) == {"reshape"}
    assert moved["old_code"].tolist() == moved["new_code"].tolist()


def test_compare_reads_files_live_grids_and_days(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    renew_streets(town, tmp_path / "june", MAIN_ROAD)
    hard = ("--policy", "hard", "--hard-class", "430501")
    run(town, "update", *hard, "--apply", "--reason", "road")
    told = run(town, "compare", "2027-05-31", "live", "-o", str(tmp_path / "changes.gpkg"))
    # The western strips were joined, so old and new grids hang together: replaced.
    assert {word: told[word] for word in ("kept", "split", "merged", "replaced", "retired")} == {
        "kept": 6, "split": 0, "merged": 0, "replaced": 2, "retired": 0
    }  # fmt: skip
    assert len(pyogrio.read_dataframe(tmp_path / "changes.gpkg")) == len(told["changes"])
    same = run(town, "compare", "live", "live")
    assert same["kept"] == 9
    assert same["changes"] == []


@contextmanager
def running(town: Workspace, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a command of ours as a process of its own, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wanmi", "-w", str(town.root), "grid", *arguments],
        env=os.environ | {"WANMI_DATABASE_URL": str(town.settings.database_url)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until(database: Database, query: str, *, is_zero: bool) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        with database.connect() as connection:
            if (connection.execute(query).fetchone()[0] == 0) == is_zero:
                return
        time.sleep(0.1)
    pytest.fail(f"still waiting for: {query}")


_BLOCKED = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    " AND datname = current_database()"
)
_OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)


def test_days_and_classes_that_can_not_be_meant_are_refused(town: Workspace) -> None:
    for arguments, said in (
        (["compare", "2027-13-01", "live"], "is no day"),
        (["compare", "2020-01-01", "live"], "No unit_grids held on 2020-01-01"),
        (["update", "--from-date", "2020-01-01"], "No topography held on 2020-01-01"),
        (["update", "--policy", "hard", "--hard-class", "999"], "no class of roads"),
    ):
        assert said in str(run(town, *arguments, fails=True)["error"])


def test_a_kill_midway_leaves_nothing_and_a_second_update_waits_outside(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    renew_streets(town, tmp_path / "june", MAIN_ROAD)
    before = grids_of(database)
    hard = ("update", "--policy", "hard", "--hard-class", "430501", "--apply", "--reason", "road")
    with psycopg.connect(database.url) as other:
        # The rows are exchanged, the edit is written, and the lineage has to wait.
        other.execute("LOCK TABLE grids.lineage IN SHARE MODE")
        with running(town, *hard) as process:
            wait_until(database, _BLOCKED, is_zero=False)
            refused = run(town, *hard, fails=True)
            assert "Another load of deliveries is running" in str(refused["error"])
            process.kill()
            assert process.wait() == -signal.SIGKILL
    wait_until(database, _OTHERS, is_zero=True)
    pd.testing.assert_frame_equal(grids_of(database), before)
    assert table(database, "edit").empty
    assert table(database, "lineage").empty
    assert run(town, *hard)["edit"]["opened"] == 3
