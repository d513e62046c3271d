"""Unit grids when communities are renamed, split, merged, and grow."""

from pathlib import Path

import pandas as pd
import pyogrio
import pytest
import shapely
from shapely import Polygon

from gis.database import Database
from gis.workspace import Workspace
from pipelines.build import build_delivery
from tests.pipelines.changes.ground import (
    EAST_SIDE,
    JUNE,
    THIRD,
    WEST_SIDE,
    assert_tiles,
    deliver,
    grids_of,
    land,
    line,
    renew_streets,
    run,
    table,
)


def rename(town: Workspace, folder: Path, communities: dict[str, Polygon]) -> None:
    build_delivery(deliver(folder, day=JUNE, communities=communities), workspace=town)


def test_a_renamed_community_takes_its_grids_and_their_numbers_along(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    before = grids_of(database)
    rename(town, tmp_path / "june", {"130102002001": land(0, 200), EAST_SIDE: land(200, 400)})
    assert sorted(grids_of(database).index) == sorted(before.index)  # the build leaves it to update
    told = run(town, "update", "--areas", "--apply", "--reason", "street office moved")
    after = grids_of(database)
    assert_tiles(after)
    assert sorted(code for code in after.index if code not in before.index) == [
        f"130102002001{number:03d}" for number in (1, 2, 3, 4)
    ]
    assert told["touched"] == 4
    lineage = table(database, "lineage")
    assert lineage["old_code"].str[-3:].tolist() == lineage["new_code"].str[-3:].tolist()
    assert lineage[["overlap_old", "overlap_new"]].eq(1.0).all(axis=None)
    untouched = [code for code in before.index if code.startswith(EAST_SIDE)]
    pd.testing.assert_frame_equal(after.loc[untouched], before.loc[untouched], check_dtype=False)


def test_a_split_community_recodes_its_part_and_cuts_what_crosses(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    before = grids_of(database)
    # The new line at x = 150 cuts the two eastern grids of the west side in halves of 5,000 m².
    parts = {WEST_SIDE: land(0, 150), EAST_SIDE: land(200, 400), THIRD: land(150, 200)}
    rename(town, tmp_path / "june", parts)
    run(town, "update", "--areas", "--apply", "--reason", "community split")
    after = grids_of(database)
    assert_tiles(after)
    west = after[after["community_code"] == WEST_SIDE]
    third = after[after["community_code"] == THIRD]
    assert sorted(west["area_m2"].round()) == [5_000, 5_000, 10_000, 10_000]
    assert sorted(third["area_m2"].round()) == [5_000, 5_000]
    assert third.index.tolist() == [f"{THIRD}001", f"{THIRD}002"]
    # Both halves of a grid that was cut get new numbers; the whole ones stay.
    assert west.index.str[-3:].tolist() == ["001", "003", "005", "006"]
    assert set(table(database, "lineage")["kind"]) == {"split"}
    untouched = [code for code in before.index if code.startswith(EAST_SIDE)]
    pd.testing.assert_frame_equal(after.loc[untouched], before.loc[untouched], check_dtype=False)


def test_a_lock_holds_its_land_under_the_code_of_another_community(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "编辑.gpkg"
    run(town, "export", str(file), "-c", WEST_SIDE)
    frame = pyogrio.read_dataframe(file, layer="unit_grid")
    two = frame.loc[frame["code"].str[-3:].isin(["001", "003"])]  # the western half, merged
    whole = two.iloc[:1].set_geometry([land(0, 100)], crs=frame.crs)
    edited = pd.concat([frame.drop(two.index), whole])
    pyogrio.write_dataframe(edited, file, layer="unit_grid", driver="GPKG", append=False)
    told = run(town, "import", str(file), "--reason", "one courtyard")
    assert told["grids_locked"] == 1
    rename(town, tmp_path / "june", {"130102002001": land(0, 200), EAST_SIDE: land(200, 400)})
    run(town, "update", "--areas", "--apply", "--reason", "street office moved")
    assert run(town, "locks")["locks"][0]["code"] == "130102002001005"
    renew_streets(town, tmp_path / "july", ("R9", "430501", line((-10, 120), (95, 120))))
    run(town, "update", "--policy", "hard", "--apply", "--reason", "road")
    assert grids_of(database).geometry["130102002001005"].equals(land(0, 100))
    # An edit elsewhere does not lift it, an edit of its border does.
    run(town, "export", str(file))
    frame = pyogrio.read_dataframe(file, layer="unit_grid")
    rows = frame["code"].str.startswith(EAST_SIDE)
    frame.loc[rows & frame["code"].str.endswith("001"), "name"] = "甲"
    pyogrio.write_dataframe(frame, file, layer="unit_grid", driver="GPKG", append=False)
    assert run(town, "import", str(file), "--reason", "a name")["locks_released"] == 0
    run(town, "export", str(file))
    frame = pyogrio.read_dataframe(file, layer="unit_grid").set_index("code", drop=False)
    frame.loc["130102002001005", "geometry"] = land(0, 90)
    frame.loc["130102002001002", "geometry"] = land(90, 200, 100, 200)
    frame.loc["130102002001004", "geometry"] = land(90, 200, 0, 100)
    pyogrio.write_dataframe(frame, file, layer="unit_grid", driver="GPKG", append=False)
    assert run(town, "import", str(file), "--reason", "narrower")["locks_released"] >= 1


def test_merged_communities_append_their_grids(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    rename(town, tmp_path / "june", {WEST_SIDE: land(0, 400)})
    run(town, "update", "--areas", "--apply", "--reason", "communities merged")
    after = grids_of(database)
    assert_tiles(after)
    assert after.index.tolist() == [f"{WEST_SIDE}{number:03d}" for number in range(1, 9)]
    assert set(after["community_code"]) == {WEST_SIDE}


def test_new_land_of_a_community_gets_grids(
    town: Workspace, database: Database, tmp_path: Path
) -> None:
    before = grids_of(database)
    rename(town, tmp_path / "june", {WEST_SIDE: land(0, 200), EAST_SIDE: land(200, 520)})
    run(town, "update", "--areas", "--apply", "--reason", "city grew")
    after = grids_of(database)
    assert_tiles(after, 104_000)
    kept = [code for code in before.index if code in after.index]
    assert len(kept) == 8
    differ = shapely.symmetric_difference(after.geometry[kept], before.geometry[kept])
    assert shapely.area(differ).max() == 0
    assert after["area_m2"].drop(kept).sum() == pytest.approx(24_000)
    assert after.index.drop(kept)[0] == f"{EAST_SIDE}005"
