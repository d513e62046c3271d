"""The geocoding database as it grows: built twice, with another source, without it again, rolled back."""

from datetime import date

import geopandas as gpd
import pandas as pd
import pytest

from gis.builds import live, rollback
from gis.crs import GEOGRAPHIC, transform_xy
from gis.offset import gcj02_from_wgs84
from gis.vector import write_vector
from pipelines.build import BuildOptions, build_delivery
from tests.pipelines.town import (
    AREAS_LAYER,
    CRS,
    GRIDS_LAYER,
    ROADS_LAYER,
    X0,
    Y0,
    areas,
    at,
    write_manifest,
    write_town,
)

ADDRESSES = {
    "dataset": "addresses",
    "path": "地址.csv",
    "x_field": "X",
    "y_field": "Y",
    "crs": CRS,
}
STOPS = {"dataset": "components", "path": "公交站.shp", "class_code": "0204"}
NAMES = {
    "dataset": "place_names",
    "path": "地名.csv",
    "x_field": "X",
    "y_field": "Y",
    "crs": CRS,
}


def build(folder, workspace):
    reports = build_delivery(folder, workspace=workspace, options=BuildOptions(actor="t"))
    return {report.dataset: report for report in reports}


def places(database):
    return live(database, "addresses").set_index("code")


def write_addresses(folder, *rows):
    columns = ["编号", "类型", "名称", "街巷", "门牌", "别名", "X", "Y"]
    table = pd.DataFrame(
        [(*words, X0 + east, Y0 + north) for *words, east, north in rows], columns=columns
    )
    table.to_csv(folder / "地址.csv", index=False)


def write_stops(folder, *stops):
    rows = [(f"130102020400{n:04d}", told, at(east, 95)) for n, told, east in stops]
    table = gpd.GeoDataFrame(rows, columns=["ObjID", "站名", "geometry"], crs=CRS).assign(
        ObjName="公交站亭（牌）",
        DeptName1="公交公司",
        ObjState="完好",
        ORDate="20260101",
        DataSource="实测",
    )
    for part in folder.glob("公交站.*"):
        part.unlink()
    write_vector(table, folder / "公交站.shp", encoding="gb18030")


def write_names(folder, *names):
    rows = [(code, name, aliases, X0 + 50, Y0 + 100) for code, name, aliases in names]
    table = pd.DataFrame(rows, columns=["地名代码", "标准名称", "别名", "X", "Y"])
    table.to_csv(folder / "地名.csv", index=False)


@pytest.fixture
def city(tmp_path, workspace):
    """Areas, roads, a bus stop, and three addresses: a street, a shop, a plate."""
    folder = write_town(tmp_path / "first")
    write_stops(folder, (1, "人民医院", 50))
    write_addresses(
        folder,
        ("1", "街巷", "裕华路", "裕华路", "", "马路", 50, 101),
        ("2", "兴趣点", "书店", "裕华路", "12号", "", 60, 105),
        ("3", "门牌", "", "裕华路", "14号", "", 80, 105),
    )
    layers = [AREAS_LAYER, GRIDS_LAYER, ROADS_LAYER, STOPS, ADDRESSES]
    write_manifest(folder, layers, name="first")
    return folder, workspace


def test_building_twice_changes_nothing(city, database):
    folder, workspace = city
    first = build(folder, workspace)
    assert first["addresses"].status == "built"
    before = places(database)
    assert {report.status for report in build(folder, workspace).values()} == {"unchanged"}
    assert before.index.tolist() == places(database).index.tolist()
    kinds = before.groupby("source").size().to_dict()
    # A street, shop and plate; district, street, two communities; one road, one crossing; a stop; 12号.
    assert kinds == {"addresses": 3, "areas": 4, "topography": 2, "components": 1, "members": 1}
    assert before.loc["1"].geometry.length == 400.0


def test_components_bring_about_places_and_others_do_not(city, database, tmp_path):
    folder, workspace = city
    build(folder, workspace)
    before = places(database)
    later = tmp_path / "later"
    later.mkdir()
    write_stops(later, (1, "人民医院", 50), (2, "图书馆", 350))
    write_manifest(later, [STOPS], name="later", as_of=date(2026, 6, 30))
    report = build(later, workspace)["addresses"]
    assert (report.rows_opened, report.rows_closed) == (1, 0)
    after = places(database)
    assert set(after["name"]) - set(before["name"]) == {"图书馆站"}
    assert set(before.index) < set(after.index)
    assert {report.status for report in build(later, workspace).values()} == {"unchanged"}
    build_id = report.build_id
    # Another condition of the same stops is no news of places.
    again = tmp_path / "again"
    again.mkdir()
    write_stops(again, (1, "人民医院", 50), (2, "图书馆", 350))
    stops = gpd.read_file(again / "公交站.shp", encoding="gb18030").assign(ObjState="破损")
    for part in again.glob("公交站.*"):
        part.unlink()
    write_vector(stops, again / "公交站.shp", encoding="gb18030")
    write_manifest(again, [STOPS], name="again", as_of=date(2026, 7, 31))
    reports = build(again, workspace)
    assert reports["components"].rows_opened == 2
    assert reports["addresses"].status == "unchanged"
    undone = rollback(database, build_id, actor="t")
    assert (undone.rows_removed, undone.rows_reopened) == (1, 0)
    # A stop that goes takes its place with it, though such a state was live before.
    gone = tmp_path / "gone"
    gone.mkdir()
    write_stops(gone, (1, "人民医院", 50))
    write_manifest(gone, [STOPS], name="gone", as_of=date(2026, 8, 31))
    build(gone, workspace)
    assert places(database).index.tolist() == before.index.tolist()


def test_names_come_to_delivered_places_and_go_again(city, database, tmp_path):
    folder, workspace = city
    build(folder, workspace)
    more = tmp_path / "more"
    more.mkdir()
    write_names(more, ("D1", "裕华路", "老马路"), ("D2", "书店", "旧书铺"), ("D3", "老槐树", ""))
    write_manifest(more, [NAMES], name="names", as_of=date(2026, 6, 30))
    report = build(more, workspace)["addresses"]
    found = places(database)
    assert found.loc["1", "aliases"] == ["马路", "老马路"]
    assert found.loc["2", "aliases"] == ["旧书铺"]
    assert found.loc["2", "other_sources"] == ["place_names:D2"]
    assert (report.rows_opened, report.rows_closed) == (3, 2)  # two new versions and 老槐树
    assert {report.status for report in build(more, workspace).values()} == {"unchanged"}
    fewer = tmp_path / "fewer"
    fewer.mkdir()
    write_names(fewer, ("D3", "老槐树", ""))
    write_manifest(fewer, [NAMES], name="fewer", as_of=date(2026, 7, 31))
    build(fewer, workspace)
    found = places(database)
    assert found.loc["1", "aliases"] == ["马路"]
    assert found.loc["2", "aliases"] == []
    assert found.loc["1"].geometry.length == 400.0


def test_an_update_of_addresses_keeps_the_others(city, database, tmp_path):
    folder, workspace = city
    build(folder, workspace)
    later = tmp_path / "update"
    later.mkdir()
    write_addresses(later, ("4", "门牌", "", "裕华路", "12号", "", 61, 105))
    layer = {**ADDRESSES, "mode": "update"}
    write_manifest(later, [layer], name="update", as_of=date(2026, 6, 30))
    build(later, workspace)
    found = places(database)
    assert {"1", "2", "3", "4"} <= set(found.index)
    # The plate was delivered at last: the one that its shop told of gives way.
    assert found.index[found["source"] == "members"].tolist() == []
    assert {report.status for report in build(later, workspace).values()} == {"unchanged"}


def test_an_area_remembers_what_it_was_called(city, database, tmp_path):
    folder, workspace = city
    build(folder, workspace)
    later = tmp_path / "renamed"
    later.mkdir()
    renamed = areas()
    renamed.loc[renamed["XZQMC"] == "建北街道", "XZQMC"] = "和平街道"
    write_vector(renamed, later / "areas.gpkg", layer="areas")
    write_manifest(later, [AREAS_LAYER], name="renamed", as_of=date(2026, 6, 30))
    build(later, workspace)
    street = places(database).loc["area:130102001"]
    assert (street["name"], street["former_names"]) == ("和平街道", ["建北街道"])
    assert street["aliases"] == ["建北街道"]
    assert {report.status for report in build(later, workspace).values()} == {"unchanged"}


def test_coordinates_of_a_map_service_are_brought_to_the_citys(tmp_path, workspace, database):
    """GCJ-02 stated in the manifest: about 500 m off in longitude and latitude, right when read."""
    folder = write_town(tmp_path / "gcj")
    lon, lat = transform_xy([X0 + 60], [Y0 + 105], source=CRS, target=GEOGRAPHIC)
    shifted = gcj02_from_wgs84(lon, lat)
    table = pd.DataFrame(
        {"name": ["书店"], "address": ["裕华路12号"], "lon": shifted[0], "lat": shifted[1]}
    )
    table.to_csv(folder / "poi.csv", index=False)
    layer = {"dataset": "addresses", "path": "poi.csv", "x_field": "lon", "y_field": "lat"}
    layer["crs"] = "GCJ-02"
    write_manifest(folder, [AREAS_LAYER, GRIDS_LAYER, ROADS_LAYER, layer], name="gcj")
    build(folder, workspace)
    found = places(database)
    shop = found[found["name"] == "书店"].iloc[0]
    assert shop.geometry.distance(at(60, 105)) < 1.0
    assert (shop["road"], shop["plate"]) == ("裕华路", "12号")
