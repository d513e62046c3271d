import shutil
import threading
from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import GeometryCollection, MultiPoint, Point, Polygon

from gis.builds import list_builds, live
from gis.database import dataset_lock, read_rows
from gis.errors import (
    BuildError,
    CrsError,
    DeliveryError,
    FileFormatError,
    LockedError,
)
from gis.remarks import Remark
from gis.vector import write_vector
from pipelines.layers import evidence_of, warnings_of
from pipelines.rejects import read_rejects
from tests.pipelines.town import (
    AREAS_LAYER,
    CRS,
    GRIDS_LAYER,
    ROADS_LAYER,
    X0,
    Y0,
    at,
    build,
    components,
    rewrite,
    roads,
    write_manifest,
    write_town,
)

JUNE = date(2026, 6, 30)


@pytest.fixture
def town(tmp_path: Path) -> Path:
    return write_town(tmp_path / "delivery")


def test_all_datasets_of_a_delivery_are_built_in_order(town, workspace, database):
    reports = build(town, workspace)
    assert {name: (r.status, r.rows_accepted, r.rows_rejected) for name, r in reports.items()} == {
        "areas": ("built", 4, 0),
        "topography": ("built", 2, 0),
        "unit_grids": ("built", 4, 0),
        # four areas, two roads and their crossing
        "addresses": ("built", 7, 0),
        "components": ("built", 3, 0),
    }
    found = live(database, "components").set_index("code")
    assert found["grid_code"].to_dict() == {
        "1301020104000001": "130102001001001",
        "1301020104000002": "130102001002001",
        "1301020104000003": "130102001001001",  # on the edge of A1 and A2: the lower code
    }
    assert set(found["class_code"]) == {"0104"}
    assert found["community_code"].tolist() == ["130102001001", "130102001002", "130102001001"]
    road = live(database, "topography").set_index("code").loc["T1"]
    assert (road["name"], road["theme"], road["attributes"]) == (
        "裕华路",
        "transport",
        {"width_m": 30.0},
    )
    crossing = live(database, "addresses").set_index("name").loc["建设大街与裕华路路口"]
    assert shapely.get_coordinates(crossing["geometry"]).tolist() == [[X0 + 200, Y0 + 100]]
    assert crossing["grid_code"] == "130102001001002"


def test_building_the_same_delivery_again_changes_nothing(town, workspace, database):
    first = build(town, workspace)
    before = list_builds(database)
    moved = town.with_name("elsewhere")
    shutil.copytree(town, moved)
    second = build(moved, workspace)
    assert {report.status for report in second.values()} == {"unchanged"}
    assert [r.rows_accepted for r in second.values()] == [r.rows_accepted for r in first.values()]
    assert [r.build_id for r in second.values()] == [r.build_id for r in first.values()]
    pd.testing.assert_frame_equal(list_builds(database), before)


def test_a_dry_run_tells_the_same_and_writes_nothing(town, workspace, database):
    bad = pd.concat([components(), components().iloc[[0]]], ignore_index=True)
    rewrite(town, "雨水箅子", gpd.GeoDataFrame(bad, crs=CRS))
    dry = build(town, workspace, dry_run=True)
    assert list_builds(database).empty
    wet = build(town, workspace)
    for name, report in wet.items():
        expected = (report.rows_read, report.rows_accepted, report.rows_rejected, report.faults)
        other = dry[name]
        assert expected == (other.rows_read, other.rows_accepted, other.rows_rejected, other.faults)
    assert dry["components"].status == "judged"
    assert wet["components"].rows_rejected == 1


def test_what_a_delivery_brings_about_must_not_be_older_either(town, workspace, database):
    write_manifest(town, [AREAS_LAYER, ROADS_LAYER], as_of=JUNE)
    build(town, workspace)
    names = pd.DataFrame({"code": ["D1"], "name": ["老街"], "X": [X0 + 1], "Y": [Y0 + 1]})
    names.to_csv(town / "names.csv", index=False)
    layer = {
        "dataset": "place_names",
        "path": "names.csv",
        "x_field": "X",
        "y_field": "Y",
        "crs": CRS,
    }
    write_manifest(town, [layer])
    before = list_builds(database)
    with pytest.raises(BuildError, match="addresses is live as of 2026-06-30"):
        build(town, workspace)
    pd.testing.assert_frame_equal(list_builds(database), before)
    assert build(town, workspace, only=("place_names",))["place_names"].rows_accepted == 1


def test_a_second_build_at_the_same_time_is_refused(town, workspace, database):
    with (
        database.connect() as connection,
        dataset_lock(connection, "deliveries"),
        pytest.raises(LockedError, match="is running"),
    ):
        build(town, workspace)
    assert build(town, workspace)["areas"].status == "built"


def test_two_builds_at_once_end_as_one(town, workspace, database):
    outcomes: list[object] = []

    def run() -> None:
        try:
            outcomes.append(build(town, workspace))
        except LockedError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert any(isinstance(outcome, dict) for outcome in outcomes)
    assert len(list_builds(database)) == 5
    assert len(live(database, "components")) == 3


def cut_in_a_character(folder: Path) -> None:
    path = folder / "雨水箅子.dbf"
    data = path.read_bytes()
    whole = "雨水箅子".encode("gb18030").ljust(10)
    assert whole in data
    path.write_bytes(data.replace(whole, whole[:7].ljust(10)))


BAD_FILES = {
    "no dbf": (
        lambda folder: (folder / "雨水箅子.dbf").unlink(),
        FileFormatError,
        "雨水箅子.*dbf",
    ),
    "no shp": (
        lambda folder: (folder / "雨水箅子.shp").unlink(),
        FileFormatError,
        "雨水箅子.*shp",
    ),
    "no prj": (
        lambda folder: (folder / "雨水箅子.prj").unlink(),
        CrsError,
        "雨水箅子.*crs",
    ),
    "0 bytes": (
        lambda folder: (folder / "雨水箅子.shp").write_bytes(b""),
        FileFormatError,
        "is empty",
    ),
    "truncated shp": (
        lambda folder: (folder / "雨水箅子.shp").write_bytes(
            (folder / "雨水箅子.shp").read_bytes()[:130]
        ),
        FileFormatError,
        "truncated|cut|incomplete|damaged",
    ),
    "truncated dbf": (
        lambda folder: (folder / "雨水箅子.dbf").write_bytes(
            (folder / "雨水箅子.dbf").read_bytes()[:-40]
        ),
        FileFormatError,
        "truncated|cut|incomplete|damaged|rows",
    ),
    "truncated gpkg": (
        lambda folder: (folder / "grids.gpkg").write_bytes(
            (folder / "grids.gpkg").read_bytes()[:5000]
        ),
        FileFormatError,
        "grids.gpkg",
    ),
    "no table at all": (
        lambda folder: (folder / "areas.gpkg").write_text("not a database"),
        FileFormatError,
        "areas.gpkg",
    ),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_leaves_everything_as_it_was(town, workspace, database, name):
    spoil, error, sentence = BAD_FILES[name]
    spoil(town)
    with pytest.raises(error, match=sentence) as caught:
        build(town, workspace)
    assert caught.value.zh != caught.value.message
    assert list_builds(database).empty
    assert live(database, "areas").empty


def test_a_shapefile_without_shx_is_read_and_reported(town, workspace):
    (town / "雨水箅子.shx").unlink()
    report = build(town, workspace)["components"]
    assert report.rows_accepted == 3
    assert report.warnings == (
        "雨水箅子.shp: 雨水箅子.shx is missing and was remade from the shapes.",
    )


def test_what_is_said_of_a_file_is_kept_in_both_languages(town, workspace, database):
    (town / "雨水箅子.shx").unlink()
    number = build(town, workspace)["components"].build_id
    with database.connect(read_only=True) as connection:
        kept = read_rows(connection, "SELECT files FROM meta.build WHERE build_id = %s", [number])
    entry = kept["files"][0]["雨水箅子.shp"]
    told = Remark(
        en="雨水箅子.shx is missing and was remade from the shapes.",
        zh="缺少 雨水箅子.shx，已由图形重建。",
    )
    assert warnings_of(entry) == (told,)
    assert "文本" in evidence_of(entry).zh
    older = {name: value for name, value in entry.items() if not name.endswith("_zh")}
    assert warnings_of(older) == (Remark(en=told.en, zh=told.en),)
    assert evidence_of(older).zh == evidence_of(entry).en


def test_gbk_cut_in_the_middle_of_a_character_is_told(town, workspace, database):
    cut_in_a_character(town)
    report = build(town, workspace)["components"]
    assert report.warnings == (
        "雨水箅子.shp: Column ObjName ends in the middle of a character (cut to the column's width); "
        "it was dropped: rows 1, 2, 3.",
    )
    assert live(database, "components")["name"].tolist() == ["雨水箅"] * 3


def test_columns_that_contradict_are_an_error(town, workspace, database):
    rewrite(town, "雨水箅子", components().assign(GLBJBSM="1"))
    with pytest.raises(DeliveryError, match=r"ObjID.*GLBJBSM|GLBJBSM.*ObjID"):
        build(town, workspace)
    assert list_builds(database).empty


GEOMETRIES = {
    "null": (None, "G001", "error"),
    "empty": (Point(), "G00", "error"),
    "nan": (Point(float("nan"), 1.0), "G00", "error"),
    "outside": (at(2000, 50), "G009", "error"),
    "swapped": (Point(Y0 + 50, X0 + 50), "G010", "error"),
    "3D": (Point(X0 + 60, Y0 + 60, 70.5), "G006", "warning"),
    "collection": (
        GeometryCollection([at(60, 60), Polygon([(0, 0), (1, 0), (1, 1)])]),
        "G00",
        "error",
    ),
    "many points": (MultiPoint([at(60, 60), at(70, 60)]), None, None),
}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_each_kind_of_bad_geometry_has_its_rule(tmp_path, workspace, database, name):
    shape, rule, severity = GEOMETRIES[name]
    town = write_town(tmp_path / "delivery")
    for part in town.glob("雨水箅子.*"):
        part.unlink()
    more = components().iloc[[0]].assign(ObjID="1301020104000009")
    more = more.set_geometry([shape], crs=CRS)
    rows = gpd.GeoDataFrame(pd.concat([components(), more], ignore_index=True), crs=CRS)
    write_vector(rows, town / "components.gpkg", layer="c")
    write_manifest(
        town,
        [
            AREAS_LAYER,
            GRIDS_LAYER,
            {"dataset": "components", "path": "components.gpkg", "class_code": "0104"},
        ],
    )
    report = build(town, workspace)["components"]
    faults = read_rejects(database, dataset="components")
    mine = faults[faults["source_row"] == 4]
    assert report.rows_rejected == (1 if severity == "error" else 0)
    if rule is not None:
        found = mine[mine["rule"].str.startswith(rule)]
        assert found["severity"].tolist() == [severity]
        assert found["fix_en"].str.len().min() > 0


def test_a_polygon_that_crosses_itself_is_repaired_and_told(tmp_path, workspace, database):
    town = write_town(tmp_path / "delivery")
    bow = Polygon([(0, 0), (20, 20), (20, 0), (0, 20)])
    shape = shapely.transform(bow, lambda xy: np.add(xy, (X0 + 20, Y0 + 20)))
    lake = roads().iloc[[0]].assign(OBJID="T9", FCODE="230000", NAME="翠湖")
    write_vector(lake.set_geometry([shape], crs=CRS), town / "water.gpkg", layer="w")
    write_manifest(town, [AREAS_LAYER, {"dataset": "topography", "path": "water.gpkg"}])
    report = build(town, workspace)["topography"]
    assert [(fault["rule"], fault["severity"]) for fault in report.faults] == [("G005", "warning")]
    # Two triangles of half of 20 x 10 each.
    assert live(database, "topography")["geometry"].area.tolist() == [200.0]


def many(count: int) -> gpd.GeoDataFrame:
    rows = components().iloc[[0] * count].reset_index(drop=True)
    rows["ObjID"] = [f"1301020104{number:06}" for number in range(1, count + 1)]
    return rows.set_geometry([at(10 + 3 * number, 20) for number in range(count)], crs=CRS)


def test_a_file_with_swapped_axes_is_refused_whole(town, workspace, database):
    rows = many(40)
    swapped = shapely.transform(rows.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    rewrite(town, "雨水箅子", rows.set_geometry(swapped, crs=CRS))
    with pytest.raises(CrsError, match=r"雨水箅子\.shp: x and y look swapped"):
        build(town, workspace)
    assert list_builds(database).empty


def test_a_file_in_another_zone_is_refused_whole(town, workspace, database):
    rows = many(40).to_crs("EPSG:4548").set_crs(CRS, allow_override=True)
    rewrite(town, "雨水箅子", rows)
    with pytest.raises(CrsError, match=r"雨水箅子\.shp: The coordinates look like EPSG:4548"):
        build(town, workspace)
    assert list_builds(database).empty


def test_unknown_class_and_repeated_code_are_refused_rows(town, workspace, database):
    rows = pd.concat([components(), components().iloc[[1]]], ignore_index=True)
    rows["LB"] = ["0104", "9999", "0104", "0104"]
    rewrite(town, "雨水箅子", gpd.GeoDataFrame(rows, crs=CRS))
    write_manifest(
        town,
        [
            AREAS_LAYER,
            GRIDS_LAYER,
            {"dataset": "components", "path": "雨水箅子.shp", "class_field": "LB"},
        ],
    )
    report = build(town, workspace)["components"]
    assert report.rows_rejected >= 1
    faults = read_rejects(database, dataset="components")
    errors = faults[faults["severity"] == "error"]
    assert (2, "C002") in set(zip(errors["source_row"], errors["rule"], strict=True))
    assert errors["record"].iloc[0]["LB"] == "9999"


def test_roads_of_a_later_delivery_do_not_divide_again(town, workspace, database):
    write_manifest(town, [AREAS_LAYER, ROADS_LAYER])
    first = build(town, workspace)
    assert first["unit_grids"].rows_accepted > 1
    before = live(database, "unit_grids")
    rewrite(town, "roads", roads().iloc[[0]])
    write_manifest(town, [ROADS_LAYER], as_of=JUNE)
    second = build(town, workspace)
    assert second["topography"].rows_closed == 0  # 430502 was not delivered, so it stays
    assert second["unit_grids"].status == "unchanged"
    pd.testing.assert_frame_equal(pd.DataFrame(live(database, "unit_grids")), pd.DataFrame(before))
