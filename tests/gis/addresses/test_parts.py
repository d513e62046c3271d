"""Addresses taken apart: roads, lanes, plates, crossings, stretches, relations, other readings."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.addresses.parts import AddressParts, readings, take_apart
from gis.addresses.spelling import normalise


def read(text: str) -> AddressParts:
    return take_apart(normalise(text))


def agrees(parts: AddressParts, wanted: dict[str, Any]) -> bool:
    return {name: getattr(parts, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("裕华路12号", {"kind": "plate", "road": "裕华路", "plate": "12号", "number": 12}),
        ("裕华路12", {"road": "裕华路", "plate": "12号"}),
        ("裕华路甲12号", {"plate": "甲12号", "number": 12, "sub": "甲"}),
        ("广中四村4号甲", {"way": "广中四村", "plate": "4号甲", "sub": "甲"}),
        ("裕华路12号之3", {"plate": "12-3号", "number": 12, "numbers": (12,), "sub": "3"}),
        ("裕华路12号附5号", {"plate": "12号附5号", "number": 12, "sub": "附5"}),
        ("裕华路12-14号", {"plate": "12-14号", "number": 12, "numbers": (12, 14)}),
        ("裕华路12、14号", {"numbers": (12, 14)}),
        ("西華南街32號、35號", {"road": "西华南街", "numbers": (32, 35)}),
        ("香粉弄398-396号", {"road": "香粉弄", "numbers": (396, 398)}),
        ("永大路二段128-1號", {"road": "永大路2段", "number": 128, "numbers": (128,), "sub": "1"}),
        ("东风路5号院3号楼", {"plate": "5号院", "building": "3号楼"}),
        ("中山路8号楼", {"road": "中山路", "plate": "", "building": "8号楼"}),
        ("107国道12号", {"road": "107国道", "plate": "12号"}),
        ("1号路5号", {"road": "1号路", "plate": "5号"}),
        ("台19線67號", {"road": "台19线", "plate": "67号"}),
        ("兴华街的15号", {"road": "兴华街", "plate": "15号"}),
        ("中正路(545號", {"road": "中正路", "plate": "545号"}),
        # lanes: the plate counts along the lane
        (
            "太仓路181弄22号",
            {"road": "太仓路", "lanes": ("181弄",), "way": "太仓路181弄", "plate": "22号"},
        ),
        (
            "郡安路五段164巷5弄25號",
            {"road": "郡安路5段", "lanes": ("164巷", "5弄"), "plate": "25号"},
        ),
        ("三村一街138巷48弄", {"kind": "lane", "road": "三村一街", "way": "三村一街138巷48弄"}),
        (
            "太仓路181弄上海新天地北里22号1层",
            {"way": "太仓路181弄", "block": "上海新天地北里", "floor": "1层"},
        ),
        (
            "新府中路宝龙广场1536弄3号",
            {"way": "新府中路1536弄", "block": "宝龙广场", "plate": "3号"},
        ),
        ("白银路288弄20栋19号1层107室", {"building": "20号楼", "plate": "19号", "room": "107室"}),
        # estates and villages that bear plates
        (
            "四平路鞍山五村7号105室",
            {"road": "四平路", "way": "鞍山五村", "plate": "7号", "room": "105室"},
        ),
        ("玉成里179號", {"road": "", "way": "玉成里", "block": "玉成里", "plate": "179号"}),
        ("西勢里6鄰富強路一段321巷2號", {"area": "西势里6邻", "way": "富强路1段321巷"}),
        # a house's name between road and number
        ("民族路裕民大樓121號", {"way": "民族路", "plate": "121号", "poi": "裕民大楼"}),
        # inside the house
        (
            "建设小区3号楼2单元501室",
            {"block": "建设小区", "building": "3号楼", "unit": "2单元", "room": "501室"},
        ),
        (
            "建设小区3-2-501",
            {"block": "建设小区", "building": "3号楼", "unit": "2单元", "room": "501室"},
        ),
        ("建设小区3楼2单元", {"building": "3号楼", "unit": "2单元"}),
        ("百联商场B1层1009铺", {"poi": "百联商场", "floor": "b1层", "room": "1009铺"}),
        ("浙江中路70号A座", {"plate": "70号", "building": "a座"}),
        # towns and other roads before the road
        ("莘莊鎮莘建路88號", {"area": "莘庄镇", "road": "莘建路", "plate": "88号"}),
        ("景德镇路12号", {"area": "", "road": "景德镇路"}),
        ("北青公路新凤南路河北街150号", {"road": "河北街", "area": "北青公路新凤南路"}),
        ("铁路东街12号", {"road": "铁路东街"}),
        # brackets
        ("浙江中路70号(近广东路)", {"road": "浙江中路", "near": "广东路", "remark": "近广东路"}),
        (
            "古美西路378号(万源路合川路间)",
            {"plate": "378号", "between": ("古美西路", ("万源路", "合川路"))},
        ),
        ("巴黎廣場(信義路169號)", {"poi": "巴黎广场", "way": "信义路", "plate": "169号"}),
        # the number first; Western order
        ("37号，滨兴路", {"kind": "plate", "way": "滨兴路", "plate": "37号"}),
        ("81 鹤庆路358弄", {"way": "鹤庆路358弄", "plate": "81号"}),
        ("3号大街", {"road": "3号大街", "plate": ""}),
        ("14 Aberdeen Ave", {"road": "aberdeenave", "plate": "14", "number": 14}),
        ("Aberdeen Avenue 14", {"road": "aberdeenave", "plate": "14", "number": 14}),
        # names that must not be cut
        ("河和超市", {"kind": "name", "poi": "河和超市", "crossing": None}),
        ("和平医院", {"kind": "name", "poi": "和平医院"}),
        ("与众不同酒店", {"kind": "name", "poi": "与众不同酒店"}),
        ("一号店", {"kind": "name", "poi": "1号店"}),
        ("口福居", {"kind": "name", "poi": "口福居"}),
        ("四平路到家超市", {"between": None}),
        ("南京东路步行街", {"kind": "road", "road": "南京东路步行街"}),
        ("", {"kind": "name", "mark": ""}),
        ("号", {"kind": "name", "plate": ""}),
        ("12号", {"way": "", "plate": ""}),
    ],
)
def test_parts(text: str, wanted: dict[str, Any]) -> None:
    parts = read(text)
    assert agrees(parts, wanted), parts


@pytest.mark.parametrize(
    ("text", "crossing"),
    [
        ("裕华路与建设大街路口", ("裕华路", "建设大街")),
        ("裕华路和建设大街交叉口", ("裕华路", "建设大街")),
        ("裕华路/建设大街路口", ("裕华路", "建设大街")),
        ("裕华路、建设大街交界处", ("裕华路", "建设大街")),
        ("裕华路建设大街路口", ("裕华路", "建设大街")),
        ("裕华路近建设大街", ("裕华路", "建设大街")),
        ("裕华路(建设大街路口)", ("裕华路", "建设大街")),
        ("裕华路与建设大街", ("裕华路", "建设大街")),
        ("建和巷和裕华路交口", ("建和巷", "裕华路")),
        ("和平路和建设大街交汇处", ("和平路", "建设大街")),
        ("裕华路与建设路口", ("裕华路", "建设路")),
        ("育平路育平八街", ("育平路", "育平八街")),
        ("国华街三段忠明街", ("国华街3段", "忠明街")),
        ("怡東路58巷和東興路交叉路口轉彎處紅線", ("怡东路58巷", "东兴路")),
        ("Main St & Vassar St", ("mainst", "vassarst")),
        ("裕华路与建设大街路口往东50米路北", ("裕华路", "建设大街")),
    ],
)
def test_crossings(text: str, crossing: tuple[str, str]) -> None:
    parts = read(text)
    assert (parts.kind, parts.crossing) == ("crossing", crossing)


def test_the_corner_of_a_crossing_is_no_direction_from_it() -> None:
    parts = read("裕华路与建设大街路口东北角")
    assert (parts.corner, parts.relation.direction, parts.orientation) == ("东北", "", "东北角")


@pytest.mark.parametrize(
    ("text", "between"),
    [
        ("裕华路(建设大街至中山路)", ("裕华路", ("建设大街", "中山路"))),
        ("裕华路建设大街到中山路段", ("裕华路", ("建设大街", "中山路"))),
        ("裕华路从建设大街至中山路", ("裕华路", ("建设大街", "中山路"))),
        ("裕华路建设大街与中山路之间", ("裕华路", ("建设大街", "中山路"))),
        ("裕华路与建设大街之间", ("", ("裕华路", "建设大街"))),
        ("人民医院与二中之间", ("", ("人民医院", "二中"))),
        ("西华南街沿线两侧(成功路到民族路)", ("西华南街", ("成功路", "民族路"))),
        ("万昌街(卫民街口-青年路口)", ("万昌街", ("卫民街", "青年路"))),
    ],
)
def test_stretches(text: str, between: tuple[str, tuple[str, str]]) -> None:
    assert read(text).between == between


@pytest.mark.parametrize(
    ("text", "mark", "wanted"),
    [
        (
            "裕华路与建设大街路口往东50米路北",
            "裕华路与建设大街路口",
            {"direction": "东", "distance_m": 50.0, "side": "北"},
        ),
        (
            "裕华路东侧约100米",
            "裕华路",
            {"direction": "东", "distance_m": 100.0, "is_approximate": True},
        ),
        ("裕华路向北200米路西", "裕华路", {"direction": "北", "distance_m": 200.0, "side": "西"}),
        (
            "人民医院西南五十米",
            "人民医院",
            {"direction": "西南", "distance_m": 50.0, "is_approximate": False},
        ),
        ("人民医院东100多米", "人民医院", {"distance_m": 100.0, "is_approximate": True}),
        ("人民医院东一百来米", "人民医院", {"distance_m": 100.0, "is_approximate": True}),
        ("人民医院东十几米", "人民医院", {"distance_m": 15.0, "is_approximate": True}),
        ("人民医院东几百米", "人民医院", {"distance_m": 300.0, "is_approximate": True}),
        ("人民医院东1.5公里", "人民医院", {"distance_m": 1500.0}),
        ("人民医院东1公里半", "人民医院", {"distance_m": 1500.0}),
        ("人民医院东半公里", "人民医院", {"distance_m": 500.0}),
        ("人民医院东50-100米", "人民医院", {"distance_m": 75.0}),
        ("人民医院南侧", "人民医院", {"direction": "南", "distance_m": 0.0, "position": "侧"}),
        ("人民医院对面", "人民医院", {"is_opposite": True, "position": "对面", "is_vague": False}),
        ("人民医院斜对面", "人民医院", {"is_opposite": True, "position": "斜对面"}),
        ("人民医院南门对面", "人民医院", {"is_opposite": True, "gate": "南", "words": "南门对面"}),
        ("人民医院南门", "人民医院", {"gate": "南", "position": "门", "is_vague": False}),
        ("人民医院门口", "人民医院", {"position": "门", "gate": "", "is_vague": False}),
        ("建设小区2号门口", "建设小区", {"position": "门"}),
        ("裕华路12号门前", "裕华路12号", {"position": "门"}),
        ("人民医院旁边", "人民医院", {"position": "附近", "is_vague": True}),
        ("人民医院附近", "人民医院", {"is_vague": True}),
        ("人民医院后面", "人民医院", {"position": "后"}),
        ("人民医院前", "人民医院", {"position": "前"}),
        ("建设小区三号楼楼下", "建设小区3号楼", {"position": "楼下"}),
        ("建设小区三号楼下", "建设小区3号楼", {"position": "楼下"}),
        ("人民医院楼下", "人民医院", {"position": "楼下"}),
        ("建设小区院内", "建设小区", {"position": "内"}),
        ("裕华桥下", "裕华桥", {"position": "桥下"}),
        ("裕华桥上", "裕华桥", {"position": "桥上"}),
        ("裕华路辅路", "裕华路", {"position": "辅路"}),
        ("裕华路北", "裕华路", {"side": "北"}),
        ("裕华路路北", "裕华路", {"side": "北"}),
        ("裕华路58巷口", "裕华路58巷", {"position": "口"}),
        # names that end like a relation
        ("厦门", "厦门", {"words": ""}),
        ("天安门", "天安门", {"words": ""}),
        ("朝阳门", "朝阳门", {"words": ""}),
        ("东直门", "东直门", {"words": ""}),
        ("街道办事处", "街道办事处", {"words": ""}),
        ("80米大道", "80米大道", {"distance_m": 0.0}),
    ],
)
def test_relations(text: str, mark: str, wanted: dict[str, Any]) -> None:
    parts = read(text)
    assert parts.mark == mark
    assert {name: getattr(parts.relation, name) for name in wanted} == wanted


def kinds(text: str) -> list[tuple[str, object]]:
    return [
        (parts.kind, parts.crossing or parts.way or parts.mark)
        for parts in readings(normalise(text))
    ]


def test_what_only_the_gazetteer_can_tell_has_several_readings() -> None:
    found = kinds("河和超市路口")
    assert found[:2] == [("name", "河和超市"), ("name", "河和超市路口")]
    assert ("crossing", ("河", "超市")) in found
    assert ("crossing", ("裕华路", "建设路")) in kinds("裕华与建设路口")
    assert kinds("建设路口")[0] == ("road", "建设路")
    assert ("name", "人民路小学") in kinds("人民路小学")
    assert ("plate", "莘庄镇莘建路") in kinds("莘庄镇莘建路88号")
    assert ("road", "育平路育平八街") in kinds("育平路育平八街")


def test_a_mark_after_the_offset_is_a_reading_of_its_own() -> None:
    first, *others = readings("裕华路与建设大街路口东50米老王面馆门口")
    assert (first.kind, first.beyond) == ("crossing", "老王面馆门口")
    assert ("老王面馆", "门") in [(parts.mark, parts.relation.position) for parts in others]


def test_a_plate_after_a_crossing_tells_more() -> None:
    found = kinds("八字桥路与肖南路交叉口西八字桥路1268号")
    assert found[:2] == [("plate", "八字桥路"), ("crossing", ("八字桥路", "肖南路"))]


@given(
    st.text(alphabet="裕华建设路街巷弄号楼与和至口东南50米12-/()近间段门对面的之甲ab", max_size=30)
)
@settings(max_examples=800)
def test_any_text_can_be_read(text: str) -> None:
    found = readings(text)
    assert found
    assert found[0] == take_apart(text)
    assert len(set(found)) == len(found) <= 8
    assert all(parts.mark in text or "(" in text for parts in found)


@pytest.mark.parametrize(
    "piece", ["路", "与", "口", "路与", "东1米", "(近", "1-", "对面", "1号", "a路口"]
)
def test_long_and_odd_texts_are_read(piece: str) -> None:
    assert readings(piece * 10_000)
