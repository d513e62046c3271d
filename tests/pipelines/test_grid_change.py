"""Unit grids of a small town while its streets, communities and editors change."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pyogrio
import pytest
import shapely
from shapely import LineString, Polygon, box
from typer.testing import CliRunner

from gis.builds import live, rollback
from gis.database import Database, read_rows
from gis.server import Server
from gis.settings import Settings
from gis.vector import write_vector
from gis.workspace import Workspace, open_workspace
from pipelines.build import build_delivery
from tests.conftest import CITY_CODE, CRS, SRID
from wanmi import app

EAST, NORTH = 500_000.0, 4_210_000.0
WEST_SIDE, EAST_SIDE, THIRD = "130102001001", "130102001002", "130102001003"
JUNE = date(2027, 6, 1)
PROFILE = f'[city]\ncode = "{CITY_CODE}"\ncrs = "{CRS}"\n'


def land(west: float, east: float, south: float = 0, north: float = 200) -> Polygon:
    return box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def line(*points: tuple[float, float]) -> LineString:
    return LineString([(EAST + x, NORTH + y) for x, y in points])


def squares() -> gpd.GeoDataFrame:
    """Two communities of 2 x 2 hectares each, numbered in reading order."""
    rows = [
        (f"{community}{number:03d}", land(x, x + 100, y, y + 100))
        for community, west in ((WEST_SIDE, 0), (EAST_SIDE, 200))
        for number, (x, y) in enumerate(
            [(west, 100), (west + 100, 100), (west, 0), (west + 100, 0)], start=1
        )
    ]
    codes, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"DYWGBSM": codes}, geometry=list(shapes), crs=CRS)


STREETS = [
    ("R1", "430502", line((-10, 100), (410, 100))),
    ("R2", "430503", line((100, -10), (100, 210))),
    ("R3", "430503", line((300, -10), (300, 210))),
]


def deliver(
    folder: Path,
    *,
    day: date,
    communities: dict[str, Polygon] | None = None,
    features: list[tuple[str, str, shapely.Geometry]] | None = None,
    grids: gpd.GeoDataFrame | None = None,
    components: gpd.GeoDataFrame | None = None,
) -> Path:
    """Write a delivery of whatever is given."""
    folder.mkdir()
    text = f'[delivery]\nname = "{folder.name}"\nas_of = {day}\n'
    layers: dict[str, list[gpd.GeoDataFrame]] = {"areas": [], "topography": [], "unit_grids": []}
    if communities is not None:
        whole = shapely.union_all(list(communities.values()))
        codes = ["130102", *sorted({code[:9] for code in communities}), *communities]
        shapes = [whole] * (len(codes) - len(communities)) + list(communities.values())
        names = [f"区{code}" for code in codes]
        layers["areas"].append(
            gpd.GeoDataFrame({"XZQDM": codes, "XZQMC": names}, geometry=shapes, crs=CRS)
        )
    for dimension in (1, 2):
        rows = [row for row in features or [] if row[2].area * (3 - 2 * dimension) <= 0]
        rows = [row for row in rows if shapely.get_dimensions(row[2]) == dimension]
        if rows:
            codes, classes, shapes = zip(*rows, strict=True)
            layers["topography"].append(
                gpd.GeoDataFrame({"OBJID": codes, "FCODE": classes}, geometry=list(shapes), crs=CRS)
            )
    if grids is not None:
        layers["unit_grids"].append(grids)
    for dataset, frames in layers.items():
        for number, frame in enumerate(frames):
            path = f"{dataset}{number}.gpkg"
            write_vector(frame, folder / path)
            text += f'[[layer]]\ndataset = "{dataset}"\npath = "{path}"\n'
    (folder / "delivery.toml").write_text(text)
    return folder


@pytest.fixture(scope="module")
def built(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with the town of May, to copy: building it takes longer than any test."""
    name, root = "grid_change_template", tmp_path_factory.mktemp("built")
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    (root / "wanmi.toml").write_text(PROFILE, encoding="utf-8")
    settings = Settings(workspace=root, database_url=server.url(name))
    folder = deliver(
        root / "may",
        day=date(2027, 5, 1),
        communities={WEST_SIDE: land(0, 200), EAST_SIDE: land(200, 400)},
        features=STREETS,
        grids=squares(),
    )
    build_delivery(folder, workspace=open_workspace(root, settings=settings))
    return name


@pytest.fixture
def database(server: Server, built: str) -> Iterator[Database]:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE grid_change TEMPLATE {built}")
        yield Database(url=server.url("grid_change"), crs=CRS, srid=SRID)
        connection.execute("DROP DATABASE grid_change WITH (FORCE)")


@pytest.fixture
def town(workspace: Workspace) -> Workspace:
    return workspace


def run(town: Workspace, *arguments: str, fails: bool = False) -> dict:
    result = CliRunner().invoke(
        app,
        ["-w", str(town.root), "grid", *arguments, "--json"],
        env={"WANMI_DATABASE_URL": town.settings.database_url},
    )
    assert (result.exit_code != 0) == fails, (result.output, result.exception)
    return json.loads(result.stdout) if result.stdout else {"error": result.exception}


def grids_of(database: Database, **options) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(live(database, "unit_grids", **options)).set_index("code")


def table(database: Database, name: str) -> pd.DataFrame:
    with database.connect(read_only=True) as connection:
        return read_rows(connection, f"SELECT * FROM grids.{name} ORDER BY 1")


def assert_tiles(grids: gpd.GeoDataFrame, area_m2: float = 80_000) -> None:
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    assert grids.geometry.area.sum() == pytest.approx(area_m2, abs=0.01)


def renew_streets(town: Workspace, folder: Path, *more: tuple[str, str, shapely.Geometry]) -> None:
    build_delivery(deliver(folder, day=JUNE, features=[*STREETS, *more]), workspace=town)


MAIN_ROAD = ("R9", "430501", line((-10, 160), (200, 160)))


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


def test_a_file_of_another_origin_is_refused(town: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "other.gpkg"
    write_vector(squares(), file, layer="unit_grid")
    told = run(town, "import", str(file), "--reason", "other", fails=True)
    assert "wanmi grid export" in str(told["error"])


@contextmanager
def running(town: Workspace, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a command of ours as a process of its own, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "wanmi", "-w", str(town.root), "grid", *arguments],
        env=os.environ | {"WANMI_DATABASE_URL": str(town.settings.database_url)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
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
