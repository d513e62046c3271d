"""Unit grids edited by hand: exported, drawn anew, taken back, locked, refused."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from gis.database import Database
from gis.vector import write_vector
from gis.workspace import Workspace
from tests.pipelines.changes.ground import (
    EAST,
    MAIN_ROAD,
    NORTH,
    WEST_SIDE,
    assert_tiles,
    grids_of,
    land,
    line,
    renew_streets,
    run,
    squares,
    table,
)


def edit(file: Path, change) -> None:
    """Edit the layer of unit grids as QGIS would, leaving the other tables alone."""
    frame = pyogrio.read_dataframe(file, layer="unit_grid")
    pyogrio.write_dataframe(change(frame), file, layer="unit_grid", driver="GPKG", append=False)


@pytest.fixture
def exported(town: Workspace, tmp_path: Path) -> Path:
    file = tmp_path / "编辑.gpkg"
    told = run(town, "export", str(file), "-c", WEST_SIDE)
    assert told["layers"] == {"unit_grid": 4, "community": 2, "road": 3}
    return file


def test_an_export_that_nobody_edited_changes_nothing(
    town: Workspace, exported: Path, database: Database
) -> None:
    edit(exported, lambda frame: frame.sample(frac=1, random_state=1))
    told = run(town, "import", str(exported), "--reason", "nothing")
    assert (told["edited"], told["faults"], told["borders_locked"]) == (0, [], 0)
    assert table(database, "edit").empty


def move_border(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Move the border between 003 and 004 ten metres east, the shared corner with it."""
    corner = {(EAST + 100, NORTH + 0): (EAST + 110, NORTH + 0)}

    def moved(points: np.ndarray) -> np.ndarray:
        return np.array([corner.get((x, y), (x, y)) for x, y in points])

    return frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), moved), crs=frame.crs)


def test_a_border_moved_by_hand_is_taken_and_locked(
    town: Workspace, exported: Path, database: Database, tmp_path: Path
) -> None:
    before = grids_of(database)
    edit(exported, move_border)
    told = run(town, "import", str(exported), "--actor", "王芳", "--reason", "along the wall")
    assert (told["edited"], told["edit"]["opened"], told["edit"]["reshaped"]) == (2, 0, 2)
    assert (told["borders_locked"], told["grids_locked"]) == (1, 0)
    after = grids_of(database)
    assert_tiles(after)
    assert after["area_m2"][f"{WEST_SIDE}003"] == pytest.approx(10_500)
    assert after["origin"][f"{WEST_SIDE}003"] == "edited"
    assert before["area_m2"][f"{WEST_SIDE}003"] == pytest.approx(10_000)
    lock = run(town, "locks")["locks"][0]
    assert (lock["kind"], lock["actor"], lock["size"]) == ("border", "王芳", 100)
    # A road along the old border would pull it back; the lock holds it.
    road = ("R9", "430501", line((108, -10), (98, 110)))
    renew_streets(town, tmp_path / "june", road)
    run(town, "update", "--apply", "--reason", "topography")
    kept = grids_of(database)
    border = line((110, 0), (100, 100))
    on_borders = shapely.intersection(
        shapely.union_all(shapely.boundary(kept.geometry.to_numpy())), border.buffer(0.02)
    )
    assert on_borders.length == pytest.approx(border.length, rel=0.01)
    run(town, "locks", "--release", str(lock["lock_id"]))
    assert run(town, "locks")["locks"] == []


def test_a_grid_split_by_hand_gets_new_codes_and_stays_as_it_was_drawn(
    town: Workspace, exported: Path, database: Database, tmp_path: Path
) -> None:
    def split(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        one = frame[frame["code"] == f"{WEST_SIDE}001"]
        parts = one.loc[one.index.repeat(2)].set_geometry(
            [land(0, 50, 100, 200), land(50, 100, 100, 200)], crs=frame.crs
        )
        return pd.concat([frame.drop(one.index), parts.assign(name=["甲", "乙"])])

    edit(exported, split)
    told = run(town, "import", str(exported), "--reason", "two courtyards")
    assert (told["edit"]["opened"], told["edit"]["retired"], told["grids_locked"]) == (2, 1, 2)
    after = grids_of(database)
    assert_tiles(after)
    assert after.loc[[f"{WEST_SIDE}005", f"{WEST_SIDE}006"], "name"].tolist() == ["甲", "乙"]
    renew_streets(town, tmp_path / "june", MAIN_ROAD)
    told = run(town, "update", "--policy", "hard", "--apply", "--reason", "road")
    later = grids_of(database)
    drawn = [f"{WEST_SIDE}005", f"{WEST_SIDE}006"]
    assert shapely.equals(later.geometry[drawn], after.geometry[drawn]).all()
    assert later["change_date"][drawn].isna().all()
    # Its neighbour is free and split, though the strip of 4,000 m² north of the road stays alone.
    assert told["touched"] == 1
    assert told["roads_left_m"] == 0
    assert sorted(later["area_m2"].round())[:2] == [4_000, 5_000]
    assert f"{WEST_SIDE}002" not in later.index


def test_an_edit_that_tears_a_gap_is_refused(
    town: Workspace, exported: Path, database: Database
) -> None:
    before = grids_of(database)
    edit(exported, lambda frame: frame[frame["code"] != f"{WEST_SIDE}002"])
    told = run(town, "import", str(exported), "--reason", "a mistake", fails=True)
    assert {fault["rule"] for fault in told["faults"]} >= {"UG09"}
    pd.testing.assert_frame_equal(grids_of(database), before)
    assert run(town, "locks")["locks"] == []


def test_an_edit_of_a_grid_that_changed_meanwhile_is_refused(
    town: Workspace, exported: Path, database: Database, tmp_path: Path
) -> None:
    again = tmp_path / "again.gpkg"
    run(town, "export", str(again))
    edit(again, move_border)
    run(town, "import", str(again), "--reason", "first")
    edit(exported, move_border)
    told = run(town, "import", str(exported), "--reason", "second", fails=True)
    assert "export again" in str(told["error"])


def test_an_outline_that_crosses_itself_is_refused_with_its_place(
    town: Workspace, exported: Path
) -> None:
    def cross(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        loop = shapely.Polygon([(0, 100), (100, 200), (100, 100), (0, 200)])
        shape = shapely.transform(loop, lambda points: points + np.array([EAST, NORTH]))
        frame.loc[frame["code"] == f"{WEST_SIDE}001", "geometry"] = shape
        return frame

    edit(exported, cross)
    told = str(run(town, "import", str(exported), "--reason", "a slip", fails=True)["error"])
    assert f"{WEST_SIDE}001 (Self-intersection[500050 4210150])" in told


def test_a_file_imported_twice_is_told_apart_from_a_conflict(
    town: Workspace, exported: Path
) -> None:
    edit(exported, move_border)
    run(town, "import", str(exported), "--reason", "first")
    told = run(town, "import", str(exported), "--reason", "first", fails=True)
    assert "was imported already" in str(told["error"])


def test_who_writes_another_name_is_no_second_import(
    town: Workspace, exported: Path, tmp_path: Path
) -> None:
    def named(name: str):
        def change(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
            frame.loc[frame["code"] == f"{WEST_SIDE}001", "name"] = name
            return frame

        return change

    again = tmp_path / "again.gpkg"
    run(town, "export", str(again), "-c", WEST_SIDE)
    edit(exported, named("东门"))
    edit(again, named("西门"))
    run(town, "import", str(exported), "--reason", "first")
    told = run(town, "import", str(again), "--reason", "second", fails=True)
    assert "were changed since the export" in str(told["error"])
    told = run(town, "import", str(exported), "--reason", "first", fails=True)
    assert "was imported already" in str(told["error"])


@pytest.mark.parametrize("is_alone", [True, False])
def test_a_grid_drawn_outside_the_city_is_refused(
    town: Workspace, exported: Path, database: Database, is_alone: bool
) -> None:
    def stray(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        row = frame.iloc[[0]].assign(code=None).set_geometry([land(2_000, 2_100)], crs=frame.crs)
        if not is_alone:
            frame = move_border(frame)
        return gpd.GeoDataFrame(pd.concat([frame, row], ignore_index=True))

    before = grids_of(database)
    edit(exported, stray)
    told = run(town, "import", str(exported), "--reason", "a slip", fails=True)
    assert {fault["rule"] for fault in told["faults"]} == {"UG04"}
    pd.testing.assert_frame_equal(grids_of(database), before)


def test_faults_go_to_a_geopackage_of_their_own(
    town: Workspace, exported: Path, tmp_path: Path
) -> None:
    edit(exported, move_border)
    for name, told in (("faults.shp", "name a .gpkg"), (exported.name, "the edited file itself")):
        arguments = ["import", str(exported), "--reason", "a wall", "-o", str(tmp_path / name)]
        assert told in str(run(town, *arguments, fails=True)["error"])
    where = tmp_path / "none.gpkg"
    run(town, "import", str(exported), "--reason", "a wall", "-o", str(where))
    assert pyogrio.read_dataframe(where, layer="faults").empty


def test_an_edit_through_a_building_is_taken_and_the_building_told(
    town: Workspace, tmp_path: Path
) -> None:
    # The border between 003 and 004 comes to lie through it: from (100, 100) to (110, 0).
    house = ("H1", "310300", land(103, 120, 20, 30))
    renew_streets(town, tmp_path / "june", house)
    file, where = tmp_path / "编辑.gpkg", tmp_path / "where.gpkg"
    run(town, "export", str(file), "-c", WEST_SIDE)
    edit(file, move_border)
    told = run(town, "import", str(file), "--reason", "a slip", "-o", str(where))
    assert told["faults"] == []
    assert [row["rule"] for row in told["warnings"]] == ["UG16"]
    assert told["edit"]["reshaped"] == 2
    spot = pyogrio.read_dataframe(where, layer="faults")
    assert spot["severity"].tolist() == ["warning"]
    x, y = told["warnings"][0]["x"] - EAST, told["warnings"][0]["y"] - NORTH
    assert 20 <= y <= 30
    assert x == pytest.approx(110 - y / 10, abs=0.02)


def test_an_edit_that_is_refused_says_where(
    town: Workspace, exported: Path, tmp_path: Path
) -> None:
    where = tmp_path / "where.gpkg"
    edit(exported, lambda frame: frame[frame["code"] != f"{WEST_SIDE}002"])
    arguments = ["import", str(exported), "--reason", "a mistake", "-o", str(where)]
    told = run(town, *arguments, fails=True)
    gap = next(row for row in told["faults"] if row["rule"] == "UG09")
    assert (gap["x"] - EAST, gap["y"] - NORTH) == (150, 150)
    faults = pyogrio.read_dataframe(where, layer="faults")
    assert faults.loc[faults["rule"] == "UG09", "geometry"].area.tolist() == [10_000]


def test_a_file_of_another_origin_is_refused(town: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "other.gpkg"
    write_vector(squares(), file, layer="unit_grid")
    told = run(town, "import", str(file), "--reason", "other", fails=True)
    assert "wanmi grid export" in str(told["error"])
