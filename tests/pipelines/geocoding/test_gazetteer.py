import geopandas as gpd
import pandas as pd
import shapely

from pipelines.geocoding.addresses import transform
from pipelines.geocoding.gazetteer import build_places
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
)


def row(code, kind="门牌", shape=None, **more):
    return {"code": code, "kind": kind, "geometry": shape or at(50, 50)} | more


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


def components(*rows):
    columns = ["code", "class_code", "standard_ref", "name", "attributes", "geometry"]
    return gpd.GeoDataFrame(list(rows), columns=columns, geometry="geometry", crs=CRS)


def derived(tmp_path, *features, names=(), areas=None, **given):
    frames = {
        "topography": topography(*features),
        "place_names": place_names(*names),
        "components": components(),
    }
    if areas is not None:
        frames["areas"] = areas
    return build_places(context(tmp_path, **frames), **given).set_index("code")


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
    (place,) = by_source(found, "topography:T1")
    assert (place["kind"], place["road"], place["geometry"].length) == ("street", "裕华路", 200.0)
    assert place["full_address"].endswith("裕华路")
    assert len(found) == 4 + 1


def by_source(places, ref):
    """The places that an object of a source became, or joined."""
    return [row for row in places.to_dict("records") if ref in row["other_sources"]]


def test_compounds_lakes_and_landmarks_have_their_kinds(tmp_path):
    found = derived(
        tmp_path,
        ("T1", "310600", "residential", "翠屏园", rectangle(10, 10, 60, 60)),
        ("T2", "230000", "hydrography", "翠湖", rectangle(70, 10, 90, 60)),
        ("T3", "340101", "residential", "实验小学", rectangle(110, 10, 130, 60)),
        ("T4", "110102", "control", "CA001", at(5, 5)),  # nobody names a place by it
        ("T5", "410000", "transport", "京广线", line((0, 190), (400, 190))),
    )
    (block,), (lake,), (school,) = (by_source(found, f"topography:T{n}") for n in (1, 2, 3))
    assert (block["kind"], lake["kind"], school["kind"]) == ("block", "zone", "poi")
    assert block["block"] == "翠屏园"
    assert school["grid_code"] == "130102001001002"
    assert by_source(found, "topography:T4") == []
    (railway,) = by_source(found, "topography:T5")
    assert railway["kind"] == "zone"


def crossings(places):
    return places[places.index.str.startswith("crossing:")]


def test_two_roads_that_meet_make_a_crossing(tmp_path):
    found = derived(
        tmp_path,
        road("T1", "裕华路", (0, 100), (400, 100)),
        road("T2", "建设大街", (200, 0), (200, 200)),
        road("T3", "远路", (0, 10), (50, 10)),
    )
    (crossing,) = crossings(found).to_dict("records")
    assert (crossing["kind"], crossing["name"]) == ("poi", "建设大街与裕华路路口")
    assert "裕华路与建设大街交叉口" in crossing["aliases"]
    assert shapely.get_coordinates(crossing["geometry"]).tolist() == [[X0 + 200, Y0 + 100]]


def test_a_divided_road_is_crossed_once_and_a_ring_twice(tmp_path):
    found = derived(
        tmp_path,
        road("T1", "裕华路", (0, 100), (400, 100)),
        road("T2", "裕华路", (0, 120), (400, 120)),  # the other carriageway
        road("T3", "环路", (50, 0), (50, 200), (350, 200), (350, 0)),
    )
    met = crossings(found)
    assert [shape.x - X0 for shape in met.geometry] == [50.0, 350.0]
    first, second = met.index
    assert second == f"{first}:2"


def test_a_street_that_ends_just_short_of_another_meets_it(tmp_path):
    found = derived(
        tmp_path,
        road("T1", "裕华路", (0, 100), (400, 100)),
        road("T2", "短巷", (200, 20), (200, 98)),  # drawn to the kerb
        road("T3", "远巷", (300, 20), (300, 90)),
    )
    assert crossings(found)["name"].tolist() == ["短巷与裕华路路口"]


def test_roads_that_come_as_areas_alone_cross_along_their_middles(tmp_path):
    wide = ("T1", "430501", "transport", "裕华路", rectangle(0, 90, 400, 110))
    tall = ("T2", "430501", "transport", "建设大街", rectangle(195, 0, 205, 200))
    (shape,) = crossings(derived(tmp_path, wide, tall)).geometry
    assert shape.distance(at(200, 100)) < 5.0


def test_a_road_that_a_bridge_carries_over_another_does_not_meet_it(tmp_path):
    roads = [
        road("T1", "裕华路", (0, 100), (400, 100)),
        road("T2", "建设大街", (200, 0), (200, 200)),
    ]
    bridge = ("T3", "450301", "transport", "建设桥", rectangle(190, 60, 210, 140))
    found = derived(tmp_path, *roads, bridge)
    assert crossings(found).empty
    assert len(by_source(found, "topography:T3")) == 1


def test_a_road_that_weaves_along_another_has_two_crossings_at_most(tmp_path):
    weaving = [(x, 100 + (5 if x % 2 else -5)) for x in range(400)]
    found = derived(
        tmp_path,
        road("T1", "裕华路", (0, 100), (400, 100)),
        road("T2", "曲路", *weaving),
    )
    assert len(crossings(found)) <= 2


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
    (street,) = by_source(found, "place_names:D1")
    assert (street["kind"], street["source"]) == ("street", "topography")
    assert (street["aliases"], street["former_names"]) == (["老马路", "官道"], ["官道"])
    kinds = [by_source(found, f"place_names:D{n}")[0]["kind"] for n in (2, 3, 4)]
    assert kinds == ["poi", "zone", "street"]
    assert by_source(found, "place_names:D2")[0]["aliases"] == ["大树"]


def test_one_name_far_apart_is_two_streets(tmp_path):
    far = [(x + 20_000, y) for x, y in ((0, 50), (90, 50))]
    found = derived(tmp_path, road("T1", "人民路", (0, 50), (90, 50)), road("T2", "人民路", *far))
    codes = found.index[found["name"] == "人民路"]
    assert len(codes) == 2
    assert all(code.startswith("road:") for code in codes)


def test_a_road_drawn_by_its_kerbs_is_a_street_where_no_centreline_is(tmp_path):
    def kerbs(code, name, *corners):
        return (code, "430501", "transport", name, rectangle(*corners))

    found = derived(
        tmp_path,
        kerbs("T1", "裕华路", 0, 90, 400, 110),
        road("T2", "裕华路", (0, 100), (400, 100)),
        kerbs("T3", "宽街", 10, 0, 30, 60),
    )
    lines = found[found["kind"] == "street"].set_index("name").geometry
    assert lines.geom_type.to_dict() == {"裕华路": "LineString", "宽街": "Polygon"}


def test_a_road_without_length_is_no_street(tmp_path):
    found = derived(tmp_path, road("T1", "点路", (10, 10), (10, 10)))
    assert "点路" not in set(found["name"])


def test_a_numbered_building_in_a_compound_is_a_plate(tmp_path):
    def house(code, name, west):
        return (code, "310300", "residential", name, rectangle(west, 20, west + 10, 30))

    found = derived(
        tmp_path,
        ("T1", "310600", "residential", "翠屏园", rectangle(10, 10, 160, 60)),
        house("T2", "3号楼", 20),
        house("T3", "四", 40),
        house("T4", "电视大楼", 60),
        house("T5", "3号楼", 250),  # in no compound: its number names nothing
    )
    plates = found[found["kind"] == "plate"].sort_values("name")
    assert plates["name"].tolist() == ["翠屏园3号楼", "翠屏园4号楼"]
    assert plates[["block", "building"]].values.tolist() == [
        ["翠屏园", "3号楼"],
        ["翠屏园", "4号楼"],
    ]
    assert by_source(found, "topography:T4")[0]["kind"] == "poi"
    assert found.loc[found["name"] == "3号楼", "kind"].tolist() == ["poi"]


def stop(code, told, shape, *, name="公交站亭（牌）", class_code="0204"):
    return (code, class_code, "GB/T 30428.2-2013", name, {"站名": told} if told else {}, shape)


def test_components_that_people_name_are_places(tmp_path):
    given = components(
        stop("C1", "人民医院", at(50, 95)),
        stop("C2", "人民医院", at(90, 105)),  # the other side of the road
        stop("C3", None, at(150, 95)),  # has only the name of its class
        stop("C4", None, at(250, 50), name="长安公厕", class_code="0301"),
        stop("C5", "井盖", at(300, 50), name="井盖", class_code="0104"),
    )
    frames = {"topography": topography(), "place_names": place_names(), "components": given}
    found = build_places(context(tmp_path, **frames))
    found = found[found["source"] == "components"].sort_values("name")
    assert found["name"].tolist() == ["人民医院站", "长安公厕"]
    first = found.iloc[0]
    assert first["other_sources"] == ["components:C1", "components:C2"]
    assert (first["kind"], first["category"]) == ("poi", "公交站亭（牌）")
    assert "人民医院公交站" in first["short_names"]
    assert first.geometry.x - X0 in (50.0, 90.0)


def test_a_delivered_place_leads_and_takes_line_and_names_from_other_sources(tmp_path):
    rows = [row("1", "小区", name="翠屏园"), row("2", "街巷", name="裕华路", aliases="马路")]
    delivered = transform(frame(rows), context(tmp_path)).accepted
    places = derived(
        tmp_path,
        ("T1", "310600", "residential", "翠屏园", rectangle(10, 10, 60, 60)),
        road("T3", "裕华路", (0, 50), (90, 50)),
        names=[("D1", "裕华路", "23", ["老马路"], [], at(50, 50))],
        delivered=delivered,
    )
    assert places["name"].tolist().count("翠屏园") == places["name"].tolist().count("裕华路") == 1
    street, block = places.loc["2"], places.loc["1"]
    assert (street.geometry.length, block.geometry.area) == (90.0, 2500.0)
    assert street["aliases"] == ["马路", "老马路"]
    assert street["other_sources"] == ["topography:T3", "place_names:D1"]
    # What was delivered is kept, and comes back where the other sources go.
    alone = derived(tmp_path, delivered=places.loc[["1", "2"]].reset_index())
    assert alone.loc["2", "aliases"] == ["马路"]
    assert alone.loc["2", "geometry"].equals(at(50, 50))
    assert alone.loc["2", "other_sources"] == []
    assert alone.loc["1", "geometry"].equals(at(50, 50))


def test_a_plate_that_only_its_shops_tell_of_is_made_known(tmp_path):
    rows = [
        row("1", "兴趣点", at(10, 40), name="国际饭店", road="裕华路", plate="170号"),
        row("2", "兴趣点", at(12, 40), name="糕饼店", road="裕华路", plate="１７０号"),
        row("3", "兴趣点", at(190, 40), name="迷路的店", road="裕华路", plate="170号"),
        row("4", "兴趣点", at(60, 40), name="书店", road="裕华路", plate="172号"),
        row("5", "门牌", at(61, 41), road="裕华路", plate="172号"),
    ]
    delivered = transform(frame(rows), context(tmp_path)).accepted
    places = derived(tmp_path, delivered=delivered)
    made = places[places["source"] == "members"]
    assert made[["kind", "name", "road", "plate"]].values.tolist() == [
        ["plate", "裕华路170号", "裕华路", "170号"]
    ]
    # The member nearest to their median, not the mean that one strayed member moves.
    assert made.geometry.iloc[0].equals(at(12, 40))
    assert made["accuracy_m"].iloc[0] > 15.0
    assert made.index[0].startswith("plate:")


def test_a_compound_that_only_its_addresses_tell_of_is_made_known(tmp_path):
    rows = [
        row("1", "兴趣点", at(10, 40), name="书店", block="控江四村"),
        row("2", "兴趣点", at(30, 40), name="面馆", block="控江四村"),
        row("3", "兴趣点", at(200, 40), name="药房", block="控江四村"),
        row("4", "兴趣点", at(60, 40), name="花店", block="翠屏园"),
        row("5", "小区", at(61, 41), name="翠屏园"),
        row("6", "兴趣点", at(70, 40), name="茶馆", block="一区"),
    ]
    delivered = transform(frame(rows), context(tmp_path)).accepted
    places = derived(tmp_path, delivered=delivered)
    made = places[places["source"] == "members"]
    assert made[["kind", "name", "district"]].values.tolist() == [["block", "控江四村", "长安区"]]
    assert made.geometry.iloc[0].equals(at(30, 40))  # the median
    # Off by 20, 0 and 170 m: 69.9 m per axis, and 90 m over the root of three.
    assert made["accuracy_m"].iloc[0] == 87.1
    assert made["as_delivered"].iloc[0] == {"places": 3, "named_by": ["1", "2", "3"]}


def test_codes_stay_when_a_source_is_added(tmp_path):
    roads = [
        road("T1", "裕华路", (0, 100), (400, 100)),
        road("T2", "建设大街", (200, 0), (200, 200)),
    ]
    names = [
        ("D1", "裕华路", "23", ["老马路"], [], at(50, 100)),
        ("D2", "老槐树", None, [], [], at(90, 50)),
    ]
    first = derived(tmp_path, *roads)
    second = derived(tmp_path, *roads, names=names)
    assert set(first.index) <= set(second.index)
    # A landmark on the map joins the place name: what is live keeps its code.
    tree = ("T3", "350000", "residential", "老槐树", at(150, 50))
    live = second.reset_index()[["code", "other_sources"]]
    third = derived(tmp_path, *roads, tree, names=names, live=live)
    assert set(third.index) == set(second.index)
    (known,) = by_source(third.reset_index(), "topography:T3")
    assert known["code"] == by_source(second.reset_index(), "place_names:D2")[0]["code"]


def test_a_street_is_known_again_by_any_of_its_stretches(tmp_path):
    west, east = ((0, 100), (200, 100)), ((200, 100), (400, 100))
    first = derived(tmp_path, road("T1", "裕华路", *west), road("T2", "裕华路", *east))
    live = first.reset_index()[["code", "other_sources"]]
    second = derived(tmp_path, road("T2", "新华路", *east), road("T3", "新华路", *west), live=live)
    (before,) = first.index[first["name"] == "裕华路"]
    (after,) = second.index[second["name"] == "新华路"]
    assert after == before
    assert second.loc[after, "other_sources"] == ["topography:T2", "topography:T3"]


def test_former_names_of_areas_are_aliases(tmp_path, monkeypatch):
    frames = {"topography": topography(), "place_names": place_names(), "components": components()}
    town = context(tmp_path, **frames)
    had = {"130102001": ["建北街道", "桥北街道"]}
    monkeypatch.setattr(town.references, "names_had", lambda: had)
    found = build_places(town).set_index("code")
    assert found.loc["area:130102001", "former_names"] == ["桥北街道"]
    assert found.loc["area:130102001", "aliases"] == ["桥北街道"]
    assert "建北街道办" in found.loc["area:130102001", "short_names"]


def test_nothing_to_derive_gives_no_rows(tmp_path):
    none = live_areas().iloc[:0]
    found = derived(tmp_path, areas=none)
    assert isinstance(found, pd.DataFrame)
    assert found.empty
