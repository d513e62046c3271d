"""Drawn areas: polygons, stretches of road on the base map, boundary roads and whose side is whose."""

import geopandas as gpd
import pytest
import shapely

from pipelines.responsibility.intake import transform
from pipelines.responsibility.plan_areas import judge_areas
from tests.pipelines.town import CRS, GRIDS, X0, Y0, context, frame, line, rectangle, rules_of


def roads():
    rows = [
        ("430501", "裕华路", line((0, 100), (120, 100))),
        ("430501", "裕华路", line((120, 100), (400, 100))),
        ("430502", "建设大街", line((200, 0), (200, 200))),
        ("430502", "东环路", line((330, 110), (330, 200))),
        ("430502", "远山路", line((900, 0), (900, 200))),
        ("310300", "裕华路", rectangle(0, 0, 10, 10)),
    ]
    return gpd.GeoDataFrame(rows, columns=["feature_class", "name", "geometry"], crs=CRS)


def judge(tmp_path, *areas):
    rows = [
        {"part": "area", "name": "某处", "code": f"P{at}"} | area
        for at, area in enumerate(areas, 1)
    ]
    return judge_areas(frame(rows), context(tmp_path, topography=roads()))


def section(**more):
    return {
        "kind": "路段",
        "road_name": "裕华路",
        "from_road": "建设大街",
        "to_road": "东环路",
        "width_m": "20",
    } | more


def boundary(**more):
    return {"kind": "界路", "road_name": "建设大街", "width_m": "10", "sharing": "按侧"} | more


def test_a_polygon_is_drawn_by_wkt(tmp_path):
    shape = rectangle(10, 10, 60, 60)
    areas, faults = judge(tmp_path, {"kind": "范围面", "wkt": shape.wkt})
    assert areas.geometry.iloc[0].equals(shape)
    assert areas.geometry.iloc[0].geom_type == "MultiPolygon"
    assert (areas["kind"].iloc[0], areas["sides"].iloc[0], faults.empty) == ("polygon", [], True)


def test_a_polygon_of_a_layer_is_found_by_its_code(tmp_path):
    rows = [
        {"part": "area", "code": "P1", "name": "广场", "kind": "面", "geometry": None},
        {"part": "area", "code": "P1", "geometry": rectangle(0, 0, 50, 50)},
        {"part": "area", "code": "P2", "geometry": rectangle(60, 0, 90, 50)},
    ]
    areas, faults = judge_areas(frame(rows), context(tmp_path))
    assert areas[["code", "name", "kind"]].values.tolist() == [
        ["P1", "广场", "polygon"],
        ["P2", "P2", "polygon"],
    ]
    assert areas.geometry.area.tolist() == [2500, 1500]
    assert faults.empty


def test_a_stretch_of_road_lies_between_two_others(tmp_path):
    areas, faults = judge(tmp_path, section())
    assert faults.empty
    axis = shapely.from_wkt(areas["axis"].iloc[0])
    # 东环路 ends 10 m north of 裕华路: the nearest place on it counts.
    assert [(x - X0, y - Y0) for x, y in axis.coords] == [(200, 100), (330, 100)]
    assert areas.geometry.iloc[0].equals(rectangle(200, 80, 330, 120))


def test_a_stretch_is_drawn_in_its_direction(tmp_path):
    areas, _ = judge(tmp_path, section(from_road="东环路", to_road="建设大街"))
    axis = shapely.from_wkt(areas["axis"].iloc[0])
    assert [x - X0 for x, _ in axis.coords] == [330, 200]


def test_one_end_alone_reaches_to_the_nearer_end_of_the_road(tmp_path):
    areas, _ = judge(tmp_path, section(to_road=None))
    axis = shapely.from_wkt(areas["axis"].iloc[0])
    assert [round(x - X0) for x, _ in (axis.coords[0], axis.coords[-1])] in ([200, 400], [200, 0])


def test_a_whole_road_runs_from_west_to_east(tmp_path):
    areas, _ = judge(tmp_path, section(from_road=None, to_road=None))
    axis = shapely.from_wkt(areas["axis"].iloc[0])
    assert [x - X0 for x, _ in (axis.coords[0], axis.coords[-1])] == [0, 400]


def test_sides_are_told_by_the_map_where_they_are_only_listed(tmp_path):
    areas, faults = judge(tmp_path, boundary(sides="槐底社区、翠屏社区"))
    # Northwards along 建设大街 the west, 翠屏社区 (130102001001), is on the left.
    assert areas["sides"].iloc[0] == ["130102001001", "130102001002"]
    assert faults.empty


def test_stated_sides_that_contradict_the_map_are_exchanged_and_told(tmp_path):
    right = boundary(left_side="翠屏社区", right_side="槐底社区")
    wrong = boundary(left_side="槐底社区", right_side="翠屏社区")
    areas, faults = judge(tmp_path, right, wrong)
    assert areas["sides"].tolist() == [["130102001001", "130102001002"]] * 2
    assert rules_of(faults) == [(2, "RA08")]


def test_the_unknown_side_of_a_boundary_road_is_named(tmp_path):
    _, faults = judge(tmp_path, boundary(sides="翠屏社区、火星社区"))
    assert faults["reason_zh"].iloc[0].startswith("界路两侧的区域 火星社区 不是")


@pytest.mark.parametrize("told", ["20", "20米", "20 m", "２０　米", "20.0公尺"])
def test_a_half_width_may_say_its_unit(tmp_path, told):
    areas, faults = judge(tmp_path, section(width_m=told))
    assert faults.empty
    assert areas["width_m"].tolist() == [20.0]


@pytest.mark.parametrize("sharing", ["单双日", "共管"])
def test_who_leads_is_as_listed_where_sides_do_not_count(tmp_path, sharing):
    areas, _ = judge(tmp_path, boundary(sides="槐底社区、翠屏社区", sharing=sharing))
    assert areas["sides"].iloc[0] == ["130102001002", "130102001001"]


@pytest.mark.parametrize(
    ("area", "rules"),
    [
        ({"kind": "片区"}, ["RA01"]),
        ({"kind": "面"}, ["RA02"]),
        ({"kind": "面", "wkt": "POLYGON ((0 0"}, ["RA02"]),
        ({"kind": "面", "wkt": "LINESTRING (0 0, 1 1)"}, ["RA02"]),
        (section(road_name="火星路"), ["RA03"]),
        (section(from_road="火星路"), ["RA03"]),
        (section(road_name=None), ["RA03"]),
        (section(to_road="远山路"), ["RA04"]),
        (section(width_m="很宽"), ["RA05"]),
        (section(width_m="-3"), ["RA05"]),
        (boundary(sides="翠屏社区、槐底社区", sharing="抓阄"), ["RA06"]),
        (boundary(sides="翠屏社区"), ["RA07"]),
        (boundary(sides="翠屏社区、火星社区"), ["RA17"]),
        # Of what is refused for its width nothing is said of its sides.
        (boundary(left_side="翠屏社区", right_side="槐底社区", width_m="-3"), ["RA05"]),
        ({"code": None, "kind": "面", "wkt": rectangle(0, 0, 9, 9).wkt}, ["P001"]),
        ({"code": GRIDS[0], "kind": "面", "wkt": rectangle(0, 0, 9, 9).wkt}, ["RA09"]),
    ],
)
def test_areas_that_can_not_be_drawn_are_refused(tmp_path, area, rules):
    areas, faults = judge(tmp_path, area)
    assert faults["rule"].tolist() == rules
    assert areas.empty


def test_odd_areas_are_told_and_kept(tmp_path):
    bow = shapely.Polygon([(X0, Y0), (X0 + 9, Y0 + 9), (X0 + 9, Y0), (X0, Y0 + 9)])
    areas, faults = judge(
        tmp_path,
        {"kind": "面", "wkt": bow.wkt},
    )
    assert rules_of(faults) == [(1, "RA10")]
    assert len(areas) == 1
    assert areas.geometry.is_valid.all()


@pytest.mark.parametrize(
    ("outline", "rule"),
    [
        (rectangle(5000, 0, 5050, 50), "RA13"),
        (shapely.transform(rectangle(0, 0, 50, 50), lambda at: at[:, ::-1]), "RA14"),
        (shapely.box(114.46, 38.05, 114.47, 38.06), "RA15"),
        (shapely.box(38.05, 114.46, 38.06, 114.47), "RA15"),
        (shapely.affinity.translate(rectangle(0, 0, 50, 50), 38_000_000), "RA16"),
    ],
)
def test_areas_outside_the_city_are_refused_with_what_is_probably_wrong(tmp_path, outline, rule):
    areas, faults = judge(tmp_path, {"kind": "面", "wkt": outline.wkt})
    assert faults["rule"].tolist() == [rule]
    assert areas.empty
    if rule == "RA13":
        assert "km off" in faults["reason_en"].iloc[0]


def test_a_code_used_twice_is_refused(tmp_path):
    area = {"code": "P", "kind": "面", "wkt": rectangle(0, 0, 9, 9).wkt}
    areas, faults = judge(tmp_path, area, area)
    assert (len(areas), rules_of(faults)) == (1, [(2, "P002")])


def test_rows_name_drawn_areas_but_never_a_boundary_road(tmp_path):
    row = {"part": "row", "kind": "部件", "class_code": "0104", "maintainer": "排水公司"}
    rows = [
        {
            "part": "area",
            "code": "P1",
            "name": "广场",
            "kind": "面",
            "wkt": rectangle(0, 0, 9, 9).wkt,
        },
        {"part": "area", "code": "J1", "name": "界"} | boundary(sides="翠屏社区、槐底社区"),
        row | {"code": "1", "area_name": "广场"},
        row | {"code": "2", "area_name": "P1"},
        row | {"code": "3", "area_name": "J1"},
    ]
    outcome = transform(frame(rows), context(tmp_path, topography=roads()))
    assert outcome.accepted["area_code"].tolist() == ["P1", "P1"]
    assert rules_of(outcome.faults) == [(5, "RP19")]
    assert outcome.beside is not None
