"""Places by words: what is found, how surely, and what must not be found."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import shapely

from api import Snapshot
from api.geocoding.geocode import geocode
from api.geocoding.suggest import suggest
from api.models import PlaceAnswer
from gis.addresses.spelling import normalise
from gis.crs import transform_xy
from tests.api.district import (
    A1,
    A2,
    AREAS,
    B1,
    B2,
    X0,
    Y0,
    area,
    box,
    line,
    open_district,
    place,
    point,
)


def plate(code: str, number: str, shape: Any, **values: Any) -> dict[str, Any]:
    told = {"road": "裕华路", "plate": number, "full_address": f"长安区裕华路{number}"}
    return place(code, "plate", number, shape, **told | values)


PLACES = [
    place("a1", "area", "花园社区", box(0, 0, 200, 100), full_address="长安区花园社区"),
    place("a2", "area", "平安社区", box(0, 100, 200, 200), community_code="130102001002"),
    place("r1", "street", "裕华路", line((0, 50), (200, 50)), road="裕华路", aliases=["裕华东路"]),
    place("r2", "street", "建设大街", line((100, 0), (100, 200)), road="建设大街"),
    plate("n12", "12号", point(20, 58)),
    plate("n20", "20号", point(60, 58)),
    plate("n13", "13号", point(25, 42)),
    place("b1", "block", "建设小区", box(110, 110, 190, 190), block="建设小区"),
    plate(
        "b3",
        "3号楼",
        point(120, 120),
        road=None,
        plate=None,
        block="建设小区",
        building="3号楼",
        full_address="长安区建设小区3号楼",
    ),
    place(
        "s1",
        "poi",
        "老王面馆",
        point(21, 60),
        road="裕华路",
        plate="12号",
        full_address="长安区裕华路12号老王面馆",
    ),
    place("h1", "poi", "人民医院", point(150, 20)),
    place("k0", "poi", "河和超市", point(70, 20)),
    place("r3", "street", "建和巷", line((30, 0), (30, 48)), road="建和巷"),
    place("k1", "poi", "便民超市", point(20, 20)),
    place("k2", "poi", "便民超市", point(150, 150), community_code="130102001002"),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_district(tmp_path_factory.mktemp("places"), places=PLACES)


def first(snapshot: Snapshot, text: str) -> PlaceAnswer:
    answers = geocode(snapshot, text)
    assert answers, text
    return answers[0]


@pytest.mark.parametrize(
    ("text", "code", "match", "x", "y"),
    [
        ("裕华路12号", "n12", "plate", 20, 58),
        ("裕華路十二號", "n12", "plate", 20, 58),
        ("河北省石家庄市长安区裕华路 １２ 号", "n12", "plate", 20, 58),
        ("长安区裕华路12号", "n12", "address", 20, 58),
        ("花园社区裕华路12号附近", "n12", "plate", 20, 58),
        ("裕华东路", "r1", "alias", 100, 50),
        ("人民医院", "h1", "name", 150, 20),
        ("长安区人民医院门口", "h1", "name", 150, 20),
        ("建设小区3号楼", "b3", "plate", 120, 120),
        ("建设小区三号楼楼下", "b3", "plate", 120, 120),
        ("裕华路12号老王面馆", "s1", "address", 21, 60),
        ("裕华路与建设大街路口", "r1", "crossing", 100, 50),
        ("建设大街和裕华路交叉口", "r2", "crossing", 100, 50),
        ("裕华路建设大街路口", "r1", "crossing", 100, 50),
        ("裕华路与建设大街路口东50米路北", "r1", "crossing", 150, 60),
        ("裕华路与建设大街路口往北约八十米", "r1", "crossing", 100, 130),
        ("建和巷和裕华路交口", "r3", "crossing", 30, 48),  # the lane ends 2 m short of the road
        ("河和超市对面", "k0", "name", 70, 80),  # across 裕华路
        ("人民医院东30米", "h1", "name", 180, 20),
        ("人民医院西南100米", "h1", "name", 150 - 70.71, 20 - 70.71),
        ("平安社区", "a2", "name", 100, 150),
        ("长安区平安社区便民超市", "k2", "name", 150, 150),
    ],
)
def test_what_an_address_means(
    snapshot: Snapshot, text: str, code: str, match: str, x: float, y: float
) -> None:
    answer = first(snapshot, text)
    assert (answer.code, answer.match) == (code, match)
    assert (answer.x - X0, answer.y - Y0) == (
        pytest.approx(x, abs=0.01),
        pytest.approx(y, abs=0.01),
    )
    assert answer.score >= 0.6


def test_an_unknown_number_is_placed_between_its_neighbours(snapshot: Snapshot) -> None:
    answer = first(snapshot, "裕华路16号")  # half way between 12 and 20, on their side
    assert (answer.code, answer.match, answer.name) == ("r1", "interpolated", "裕华路16号")
    assert (answer.x - X0, answer.y - Y0) == (pytest.approx(40, abs=3), pytest.approx(58, abs=4))
    assert 10.0 <= answer.uncertainty_m <= 60.0


def test_an_answer_says_where_it_lies(snapshot: Snapshot) -> None:
    answer = first(snapshot, "平安社区便民超市")
    lon, lat = transform_xy([X0 + 150], [Y0 + 150], source="EPSG:4547", target="EPSG:4490")
    assert (answer.lon, answer.lat) == (pytest.approx(lon[0]), pytest.approx(lat[0]))
    assert (answer.grid_code, answer.community_code) == (B2, "130102001002")
    assert (answer.kind, answer.name, answer.full_address) == ("poi", "便民超市", "长安区便民超市")


def test_uncertainty_follows_from_the_kind_of_match(snapshot: Snapshot) -> None:
    sigma_m = {
        text: first(snapshot, text).uncertainty_m
        for text in (
            "裕华路12号",
            "裕华路12号附近",
            "人民医院",
            "裕华路",
            "建设小区",
            "人民医院东100米",
            "人民医院附近",
        )
    }
    assert sigma_m["裕华路12号"] == 8.0
    assert sigma_m["裕华路12号附近"] == 17.0  # 8 m and 15 m
    assert sigma_m["人民医院"] == 15.0
    assert sigma_m["建设小区"] == pytest.approx(80 / 12**0.5, abs=0.1)
    assert sigma_m["裕华路"] == pytest.approx(200 / 24**0.5, abs=0.1)
    assert sigma_m["人民医院东100米"] == 25.0  # 15 m and a fifth of 100 m
    assert sigma_m["人民医院附近"] == pytest.approx(42.7, abs=0.1)  # 15 m and 40 m


def test_a_name_that_two_places_bear_is_not_sure(snapshot: Snapshot) -> None:
    answers = geocode(snapshot, "便民超市")
    assert [answer.code for answer in answers] == ["k1", "k2"]
    assert answers[0].score == answers[1].score < 0.6
    assert answers[0].question_zh == "哪个社区的便民超市？花园社区 / 平安社区"
    inside = geocode(snapshot, "花园社区便民超市")
    assert inside[0].code == "k1"
    assert (inside[1].code, inside[1].why) == ("k2", ("area_contradicts",))
    assert inside[1].score < 0.1
    assert inside[0].score > 0.9


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x" * 10_000,
        "裕华路" * 5_000,
        "😀🔥",
        "'; DROP TABLE geocoding.place; --",
        "%",
        "号",
        "12号",
        "北京市朝阳区建国路88号",
        "北京朝阳区裕华路12号",
        "保定市裕华路12号",
        "河南省郑州市人民医院",
        "\x00\x01",
        "．．．",
    ],
)
def test_nothing_is_better_than_a_confident_wrong_one(snapshot: Snapshot, text: str) -> None:
    assert geocode(snapshot, text) == []


@pytest.mark.parametrize(
    "text", ["人民", "建设小区9号楼", "高新区裕华路12号", "花园社区神秘地点", "裕华路999号"]
)
def test_what_fits_in_part_is_a_candidate_of_little_score(snapshot: Snapshot, text: str) -> None:
    answers = geocode(snapshot, text)
    assert answers
    assert answers[0].score <= 0.6


def test_prefixes_names_pinyin_and_initials_are_suggested(snapshot: Snapshot) -> None:
    for typed in ("裕", "裕华", "yuhua", "YuHua", "yhl"):
        answers = suggest(snapshot, typed)
        assert "裕华路" in [answer.name for answer in answers], typed
    assert suggest(snapshot, "jsxq")[0].name == "建设小区"
    assert suggest(snapshot, "") == []
    assert suggest(snapshot, "z" * 10_000) == []
    assert len(suggest(snapshot, "长安", limit=3)) == 3


def test_places_of_the_past(tmp_path: Path) -> None:
    gone = place("g", "poi", "老电影院", point(10, 10), valid_to=date(2026, 1, 1))
    snapshot = open_district(tmp_path, places=[gone])
    assert geocode(snapshot, "老电影院") == []
    assert geocode(snapshot, "老电影院", as_of=date(2025, 6, 1))[0].code == "g"


def test_two_areas_of_one_name_keep_the_choice_open(tmp_path: Path) -> None:
    twin = area("130103", "桥西区", box(200, 0, 400, 200))
    street = area("130103001", "建北街道", box(200, 0, 400, 200))
    places = [
        place("one", "poi", "文化宫", point(50, 50)),
        place("two", "poi", "文化宫", point(250, 50), community_code="130103001001"),
    ]
    snapshot = open_district(tmp_path, places=places, areas=[*AREAS, twin, street])
    assert first(snapshot, "长安区文化宫").code == "one"
    assert first(snapshot, "桥西区文化宫").code == "two"
    assert first(snapshot, "桥西区建北街道文化宫").code == "two"
    assert first(snapshot, "建北街道文化宫").score < 0.5


@pytest.mark.parametrize("text", ["0", "裕华路", "a-b", "3·15大街", "㎡①"])
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


def test_offsets_follow_a_bending_road(tmp_path: Path) -> None:
    bend = shapely.LineString([(X0, Y0 + 50), (X0 + 100, Y0 + 50), (X0 + 180, Y0 + 110)])
    places = [
        place("r1", "street", "弯路", bend, road="弯路"),
        place("r2", "street", "直街", line((100, 0), (100, 200)), road="直街"),
    ]
    answer = first(open_district(tmp_path, places=places), "弯路与直街路口东50米")
    assert (answer.x - X0, answer.y - Y0) == (pytest.approx(140), pytest.approx(80))
    assert {A1, A2, B1, B2} >= {answer.grid_code}
