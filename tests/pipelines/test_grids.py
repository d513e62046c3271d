"""Unit grids in a build: delivered layers judged, missing ones divided once and for all."""

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon, box

from gis.builds import live
from gis.crs import city_crs
from gis.database import Database
from gis.errors import DeliveryError
from gis.server import Server
from gis.settings import Settings
from gis.vector import write_vector
from gis.workspace import Workspace, parse_profile
from gridding.checks import check_coverage
from pipelines.build import BuildOptions, build_delivery
from pipelines.context import BuildContext, References
from pipelines.delivery import Delivery
from pipelines.grids import transform
from tests.databases import created, opened

CRS = "EPSG:4547"
EAST, NORTH = 544_000, 4_212_000
WEST_SIDE, EAST_SIDE, THIRD = "130102001001", "130102001002", "130102001003"
ROOT = Path(__file__).resolve().parents[2]
AS_OF = date(2026, 5, 31)
FAR_ROAD = LineString([(EAST + 300, NORTH - 10), (EAST + 300, NORTH + 210)])


def land(west: float, east: float, south: float = 0.0, north: float = 200.0) -> Polygon:
    return box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def context() -> BuildContext:
    profile = parse_profile(f'[city]\ncode = "130102"\ncrs = "{CRS}"\n')
    areas = gpd.GeoDataFrame(
        {
            "code": ["130102", "130102001", WEST_SIDE, EAST_SIDE],
            "level": ["district", "street", "community", "community"],
        },
        geometry=[land(0, 400), land(0, 400), land(0, 200), land(200, 400)],
        crs=CRS,
    )
    return BuildContext(
        workspace=Workspace(root=Path(), profile=profile, settings=Settings()),
        database=Database(url="", crs=CRS, srid=4547),
        crs=city_crs(profile, Path()),
        profile=profile,
        as_of=AS_OF,
        delivery=Delivery(name="t", as_of=AS_OF, root=Path(), layers=()),
        references=References(None, judged={"areas": areas}),
    )


def delivered(**changes: list[object]) -> gpd.GeoDataFrame:
    columns: dict[str, object] = {
        "code": [f"{WEST_SIDE}001", f"{WEST_SIDE}002", f"{EAST_SIDE}001"],
        "area_m2": ["20000", "20000.4", "40000"],
        "initial_date": ["20240501", "2024-05-01", "20240501"],
        "change_date": [None, None, None],
        "geometry": [land(0, 100), land(100, 200), land(200, 400)],
    }
    columns |= changes
    frame = gpd.GeoDataFrame(columns, geometry="geometry", crs=CRS)
    return frame.assign(source_file="网格.shp", source_row=np.arange(1, len(frame) + 1))


def rules(frame: gpd.GeoDataFrame) -> list[tuple[str, int]]:
    faults = transform(frame, context()).faults
    return list(zip(faults["rule"], faults["source_row"], strict=True))


def test_a_clean_layer_is_taken_whole() -> None:
    outcome = transform(delivered(), context())
    assert outcome.faults.empty
    rows = outcome.accepted
    assert rows["community_code"].tolist() == [WEST_SIDE, WEST_SIDE, EAST_SIDE]
    assert rows["area_m2"].tolist() == [20_000.0, 20_000.0, 40_000.0]
    assert rows["initial_date"].tolist() == [date(2024, 5, 1)] * 3
    assert set(rows["origin"]) == {"delivered"}


def test_bad_rows_are_refused_and_the_rest_is_loaded() -> None:
    two_parts = MultiPolygon([land(0, 50), land(60, 100)])
    frame = delivered(
        code=[f"{WEST_SIDE}001", f"{WEST_SIDE}1", f"{EAST_SIDE}001"],
        geometry=[two_parts, land(100, 200), land(200, 400)],
    )
    outcome = transform(frame, context())
    assert outcome.accepted["source_row"].tolist() == [3]
    found = set(zip(outcome.faults["rule"], outcome.faults["source_row"], strict=True))
    assert ("UG02", 2) in found
    assert {row for rule, row in found if rule.startswith("G0")} == {1}
    assert outcome.refused == 2


def test_doubts_are_told_and_the_row_is_kept() -> None:
    assert rules(delivered(area_m2=["19000", None, "40000"])) == [("UG12", 1)]
    assert rules(delivered(initial_date=["bald", None, "20240501"])) == [
        ("UG13", 1), ("UG14", 1), ("UG14", 2)
    ]  # fmt: skip
    assert rules(delivered(change_date=["20230101", None, None])) == [("UG15", 1)]
    filled = transform(delivered(initial_date=[None] * 3), context()).accepted
    assert filled["initial_date"].tolist() == [AS_OF] * 3
    assert rules(delivered(geometry=[land(0, 100), land(110, 200), land(200, 400)]))[0][0] == "UG09"


def write_delivery(
    folder: Path, *, day: str, communities: dict[str, Polygon], roads: list[LineString]
) -> Path:
    folder.mkdir()
    codes = ["130102", "130102001", *communities]
    whole = shapely.union_all(list(communities.values())).envelope
    shapes = [whole, whole, *communities.values()]
    areas = gpd.GeoDataFrame(
        {"XZQDM": codes, "XZQMC": [f"区{code}" for code in codes]}, geometry=shapes, crs=CRS
    )
    write_vector(areas, folder / "areas.gpkg")
    lines = gpd.GeoDataFrame(
        {
            "OBJID": [f"R{k}" for k in range(len(roads))],
            "FCODE": "430503",
        },
        geometry=roads,
        crs=CRS,
    )
    write_vector(lines, folder / "roads.gpkg")
    (folder / "delivery.toml").write_text(
        f'[delivery]\nname = "{folder.name}"\nas_of = {day}\n'
        '[[layer]]\ndataset = "areas"\npath = "areas.gpkg"\n'
        '[[layer]]\ndataset = "topography"\npath = "roads.gpkg"\n'
    )
    return folder


def test_missing_grids_are_divided_once_and_codes_stay(
    workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    street = LineString([(EAST - 10, NORTH + 100), (EAST + 610, NORTH + 100)])
    first = write_delivery(
        tmp_path / "one", day="2026-05-01", communities={WEST_SIDE: land(0, 200)}, roads=[street]
    )
    build_delivery(first, workspace=workspace)
    before = live(database, "unit_grids").set_index("code")
    assert len(before) == 4
    assert set(before["origin"]) == {"divided"}
    assert before["area_m2"].sum() == pytest.approx(40_000)
    assert before.index.str[-3:].tolist() == ["001", "002", "003", "004"]

    lane = LineString([(EAST + 37, NORTH - 10), (EAST + 37, NORTH + 210)])
    second = write_delivery(
        tmp_path / "two",
        day="2026-06-01",
        communities={WEST_SIDE: land(0, 200), EAST_SIDE: land(200, 400)},
        roads=[street, lane],
    )
    build_delivery(second, workspace=workspace)
    after = live(database, "unit_grids").set_index("code")
    assert after.index.str.startswith(EAST_SIDE).sum() == 4
    kept = after.loc[before.index]
    pd.testing.assert_series_equal(kept.geometry.to_wkb(), before.geometry.to_wkb())
    assert kept["initial_date"].tolist() == [date(2026, 5, 1)] * 4


def add_components(folder: Path, points: list[Point], *, class_code: str) -> Path:
    """Add a layer of components to a delivery written by `write_delivery`."""
    rows = gpd.GeoDataFrame({"ObjName": ["井盖"] * len(points)}, geometry=points, crs=CRS)
    write_vector(rows, folder / "covers.gpkg")
    with (folder / "delivery.toml").open("a") as manifest:
        manifest.write(
            f'[[layer]]\ndataset = "components"\npath = "covers.gpkg"\nclass_code = "{class_code}"\n'
        )
    return folder


def drawn(database: Database) -> list[str]:
    return sorted(live(database, "unit_grids").geometry.normalize().to_wkt())


def test_borders_keep_clear_of_components_that_come_with_the_ground(
    server: Server, template: str, tmp_path: Path
) -> None:
    """A field without a feature is cut through its middle, unless something stands there."""
    field = {WEST_SIDE: land(0, 200)}
    covers = [Point(EAST + 100, NORTH + k) for k in range(10, 200, 20)]
    covers += [Point(EAST + k, NORTH + 100) for k in range(10, 200, 20)]
    divided, fewest = {}, {}
    for name, points, class_code in (
        ("bare", [], "0104"),
        ("covers", covers, "0104"),
        ("refused", covers, "9999"),
    ):
        folder = write_delivery(
            tmp_path / name, day="2026-05-01", communities=field, roads=[FAR_ROAD]
        )
        if points:
            add_components(folder, points, class_code=class_code)
        with created(server, f"field_{name}", of=template) as url:
            at = opened(tmp_path / f"workspace-{name}", url)
            found = Database(url=url, crs=CRS, srid=4547)
            build_delivery(folder, workspace=at)
            borders = live(found, "unit_grids").boundary.union_all()
            divided[name] = drawn(found)
            fewest[name] = min(borders.distance(point) for point in covers)
            standing = live(found, "components")
            assert len(standing) == (len(covers) if name == "covers" else 0)
            assert standing["grid_code"].notna().all()
            # Built once more nothing is divided, and nothing moves.
            again = build_delivery(folder, workspace=at)
            assert {report.status for report in again} <= {"unchanged", "nothing"}
            assert drawn(found) == divided[name]
    assert fewest["bare"] < 0.5
    assert fewest["covers"] >= 0.5
    assert divided["refused"] == divided["bare"]


def test_gaps_and_overlaps_of_communities_are_closed_before_they_are_divided(
    workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    """Half a metre between two communities becomes the first one's, a metre that both claim too."""
    sides = {WEST_SIDE: land(0, 200), EAST_SIDE: land(200.5, 400), THIRD: land(399, 600)}
    folder = write_delivery(tmp_path / "d", day="2026-05-01", communities=sides, roads=[FAR_ROAD])
    reports = {report.dataset: report for report in build_delivery(folder, workspace=workspace)}
    grids = live(database, "unit_grids")
    held = grids.dissolve("community_code").area.round(2).to_dict()
    assert held == {WEST_SIDE: 40_100.0, EAST_SIDE: 39_900.0, THIRD: 40_000.0}
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    (told,) = reports["unit_grids"].warnings
    assert told.startswith("2 gaps and overlaps of communities, 300.0 m² in all, were closed")
    (told_zh,) = reports["unit_grids"].warnings_zh
    assert told_zh.startswith("划分前已处理社区之间的空隙与重叠 2 处，共 300.0 平方米。")
    # What was closed is held against nobody: the grids pass the check of a delivered layer.
    areas = live(database, "areas")
    communities = gpd.GeoDataFrame(areas[areas["level"] == "community"])
    assert check_coverage(grids, communities)["rule"].tolist() == []


def test_a_build_that_is_killed_while_it_divides_goes_on_where_it_was(
    workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    sides = {f"{WEST_SIDE[:9]}{n:03d}": land(400 * n, 400 * n + 400, 0, 400) for n in range(1, 9)}
    folder = write_delivery(tmp_path / "d", day="2026-05-01", communities=sides, roads=[FAR_ROAD])
    memo = workspace.root / "division-build"
    command = [sys.executable, "-m", "wanmi", "-w", str(workspace.root), "build", str(folder)]
    environ = os.environ | {"WANMI_DATABASE_URL": str(workspace.settings.database_url)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE) as process:
        until = time.monotonic() + 180
        while process.poll() is None and not list(memo.glob("*.wkb")):
            assert time.monotonic() < until
            time.sleep(0.002)
        process.kill()
        _, told = process.communicate()
    assert process.returncode == -9, told
    assert live(database, "areas").empty
    kept = {path.name: path.stat().st_mtime_ns for path in memo.glob("*.wkb")}
    assert kept
    # What was done is taken over as it is: a dry run keeps its own, the build ends it.
    build_delivery(folder, workspace=workspace, options=BuildOptions(dry_run=True))
    assert kept == {path.name: path.stat().st_mtime_ns for path in memo.glob("*.wkb")}
    # A community that was kept as one grid comes out as one.
    for path in memo.glob("*.wkb"):
        whole = shapely.union_all(shapely.get_parts(shapely.from_wkb(path.read_bytes())))
        path.write_bytes(shapely.to_wkb(shapely.geometrycollections([whole])))
    build_delivery(folder, workspace=workspace)
    assert not memo.exists()
    grids = live(database, "unit_grids")
    assert (grids["area_m2"].round() == 160_000).sum() == len(kept)
    assert len(grids) > 8
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    assert grids["area_m2"].sum() == pytest.approx(8 * 160_000)


@pytest.mark.parametrize("has_roads", [True, False])
def test_degrees_that_are_said_to_be_metres_are_refused_in_one_sentence(
    has_roads: bool, workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    sides = {
        WEST_SIDE: box(114.45, 38.04, 114.455, 38.044),
        EAST_SIDE: box(114.455, 38.04, 114.46, 38.044),
    }
    roads = [LineString([(114.45, 38.042), (114.46, 38.042)])]
    folder = write_delivery(
        tmp_path / "d",
        day="2026-05-01",
        communities=sides,
        roads=roads if has_roads else [FAR_ROAD],
    )
    with pytest.raises(DeliveryError, match="look to be in degrees"):
        build_delivery(folder, workspace=workspace)
    assert live(database, "areas").empty
