import geopandas as gpd
import pandas as pd
import shapely

from pipelines.geocoding.addresses import transform
from pipelines.geocoding.gazetteer import derive_places, drop_delivered
from tests.pipelines.town import (
    CRS,
    X0,
    Y0,
    at,
    context,
    frame,
    line,
    live_areas,
    rectangle,
    rules_of,
)


def row(code, kind="门牌", shape=None, **more):
    return {"code": code, "kind": kind, "geometry": shape or at(50, 50)} | more


def test_an_address_is_completed_from_its_place(tmp_path):
    given = row("1", road="裕华路", plate="12号", aliases="老12号")
    (found,) = transform(frame([given]), context(tmp_path)).accepted.to_dict("records")
    assert (found["kind"], found["name"], found["aliases"]) == ("plate", "12号", ["老12号"])
    assert (found["district"], found["street"], found["community"]) == (
        "长安区",
        "建北街道",
        "翠屏社区",
    )
    assert found["full_address"] == "长安区建北街道翠屏社区裕华路12号"
    assert (found["community_code"], found["grid_code"]) == ("130102001001", "130102001001001")
    assert found["source"] == "addresses"


def test_the_name_is_said_once_and_in_its_own_level(tmp_path):
    rows = [
        row("1", "兴趣点", name="人民医院", road="裕华路"),
        row("2", "小区", name="翠屏园"),
        row("3", "楼牌", name="翠屏园3号楼", block="翠屏园", building="3号楼"),
        row("4", "街巷", name="裕华路"),
        row("5", "地片", name="老火车站一带"),
    ]
    found = transform(frame(rows), context(tmp_path)).accepted
    ends = [text.removeprefix("长安区建北街道翠屏社区") for text in found["full_address"]]
    assert ends == ["裕华路人民医院", "翠屏园", "翠屏园3号楼", "裕华路", "老火车站一带"]
    assert found["poi"].tolist()[0] == "人民医院"
    assert found["block"].tolist()[1] == "翠屏园"
    assert found["road"].tolist()[3] == "裕华路"


def test_rows_are_judged(tmp_path):
    rows = [
        row("1", "门脸", name="甲"),
        row("2"),
        row("3", name="乙", street="桥东街道"),
        row("3", name="丙"),
        row(None, name="丁"),
        row("6", name="戊") | {"geometry": None},
    ]
    outcome = transform(frame(rows), context(tmp_path))
    assert rules_of(outcome.faults) == [
        (1, "AD01"),
        (2, "P003"),
        (3, "AD02"),
        (4, "P002"),
        (5, "P001"),
        (6, "G001"),
    ]
    assert outcome.accepted["code"].tolist() == ["3"]
    # What the address says stays; the doubt is told.
    assert outcome.accepted["street"].tolist() == ["桥东街道"]


def topography(*rows):
    columns = ["code", "feature_class", "theme", "name", "geometry"]
    table = gpd.GeoDataFrame(list(rows), columns=columns, crs=CRS)
    table["name"] = table["name"].astype(object)
    return table


def road(code, name, *points):
    return (code, "430501", "transport", name, line(*points))


def place_names(*rows):
    columns = ["code", "name", "category_code", "aliases", "former_names", "geometry"]
    return gpd.GeoDataFrame(list(rows), columns=columns, geometry="geometry", crs=CRS)


def derived(tmp_path, *features, names=(), areas=None):
    frames = {"topography": topography(*features), "place_names": place_names(*names)}
    if areas is not None:
        frames["areas"] = areas
    return derive_places(context(tmp_path, **frames)).set_index("code")


def test_every_area_is_a_place(tmp_path):
    found = derived(tmp_path)
    assert found["full_address"].to_dict() == {
        "area:130102": "长安区",
        "area:130102001": "长安区建北街道",
        "area:130102001001": "长安区建北街道翠屏社区",
        "area:130102001002": "长安区建北街道槐底社区",
    }
    assert found.loc["area:130102001001", "community_code"] == "130102001001"
    assert set(found["source"]) == {"areas"}


def test_stretches_of_a_road_are_one_place(tmp_path):
    found = derived(
        tmp_path,
        road("T2", "裕华路", (100, 50), (200, 50)),
        road("T1", "裕华路", (0, 50), (100, 50)),
        road("T3", None, (0, 20), (9, 20)),
    )
    place = found.loc["road:T1"]
    assert (place["kind"], place["road"], place["geometry"].length) == ("street", "裕华路", 200.0)
    assert place["full_address"].endswith("裕华路")
    assert len(found) == 4 + 1


def test_compounds_lakes_and_landmarks_have_their_kinds(tmp_path):
    found = derived(
        tmp_path,
        ("T1", "310600", "residential", "翠屏园", rectangle(10, 10, 60, 60)),
        ("T2", "230000", "hydrography", "翠湖", rectangle(70, 10, 90, 60)),
        ("T3", "340101", "residential", "实验小学", rectangle(110, 10, 130, 60)),
    )
    kinds = found["kind"].to_dict()
    assert (kinds["feature:T1"], kinds["feature:T2"], kinds["feature:T3"]) == (
        "block",
        "zone",
        "poi",
    )
    assert found.loc["feature:T1", "block"] == "翠屏园"
    assert found.loc["feature:T3", "grid_code"] == "130102001001002"


def test_two_roads_that_meet_make_a_crossing(tmp_path):
    found = derived(
        tmp_path,
        road("T1", "裕华路", (0, 100), (400, 100)),
        road("T2", "建设大街", (200, 0), (200, 200)),
        road("T3", "远路", (0, 10), (50, 10)),
    )
    crossing = found.loc["crossing:T2:T1"]
    assert (crossing["kind"], crossing["name"]) == ("poi", "建设大街与裕华路路口")
    assert "裕华路与建设大街交叉口" in crossing["aliases"]
    assert shapely.get_coordinates(crossing["geometry"]).tolist() == [[X0 + 200, Y0 + 100]]
    assert [code for code in found.index if code.startswith("crossing:")] == ["crossing:T2:T1"]


def test_a_divided_road_is_crossed_once_and_a_ring_twice(tmp_path):
    found = derived(
        tmp_path,
        road("T1", "裕华路", (0, 100), (400, 100)),
        road("T2", "裕华路", (0, 120), (400, 120)),  # the other carriageway
        road("T3", "环路", (50, 0), (50, 200), (350, 200), (350, 0)),
    )
    points = {
        code: shapely.get_coordinates(shape).tolist()[0]
        for code, shape in found["geometry"].items()
        if code.startswith("crossing:")
    }
    assert set(points) == {"crossing:T3:T1", "crossing:T3:T1:2"}
    assert [point[0] - X0 for point in points.values()] == [50.0, 350.0]


def test_a_place_name_joins_the_place_of_its_name(tmp_path):
    found = derived(
        tmp_path,
        road("T1", "裕华路", (0, 100), (400, 100)),
        names=[
            ("D1", "裕华路", "23", ["老马路"], ["官道"], at(50, 100)),
            ("D2", "老槐树", None, [], ["大树"], at(50, 50)),
            ("D3", "民心河", "12", [], [], at(60, 50)),
            ("D4", "平安巷", None, [], [], at(70, 50)),
        ],
    )
    assert found.loc["road:T1", "aliases"] == ["老马路", "官道"]
    assert "name:D1" not in found.index
    kinds = found["kind"].to_dict()
    assert (kinds["name:D2"], kinds["name:D3"], kinds["name:D4"]) == ("poi", "zone", "street")
    assert found.loc["name:D2", "aliases"] == ["大树"]


def test_what_the_delivery_has_itself_is_not_derived_but_streets_stay(tmp_path):
    delivered = transform(
        frame([row("1", "小区", name="翠屏园"), row("2", "街巷", name="裕华路")]), context(tmp_path)
    ).accepted
    places = derived(
        tmp_path,
        ("T1", "310600", "residential", "翠屏园", rectangle(10, 10, 60, 60)),
        ("T2", "310600", "residential", "翠屏园", rectangle(10, 10, 60, 60)),
        road("T3", "裕华路", (0, 50), (90, 50)),
        areas=live_areas(),
    ).reset_index()
    kept = drop_delivered(places, delivered)
    assert "翠屏园" not in set(kept["name"])
    assert kept.loc[kept["kind"] == "street", "name"].tolist() == ["裕华路"]


def test_nothing_to_derive_gives_no_rows(tmp_path):
    none = live_areas().iloc[:0]
    found = derived(tmp_path, areas=none)
    assert isinstance(found, pd.DataFrame)
    assert found.empty
