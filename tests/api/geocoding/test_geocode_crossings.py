"""Crossings, stretches, corners, sides, gates and misspelt roads of a small map."""

from pathlib import Path

import pytest

from api import Snapshot
from api.geocoding.geocode import geocode, geocode_many, geocode_parts
from api.geocoding.reverse import reverse
from tests.api.district import X0, Y0, box, line, open_district, place, point

PLACES = [
    place("r1", "street", "裕华路", line((0, 50), (200, 50)), road="裕华路"),
    place(
        "r2", "street", "建设大街", line((50, 0), (50, 200)), road="建设大街", aliases=["东方红街"]
    ),
    place("r3", "street", "民沟街", line((150, 0), (150, 200)), road="民沟街"),
    place("b1", "block", "安庄花园", box(60, 100, 140, 180), block="安庄花园"),
    place("h1", "poi", "河和超市", point(90, 20)),
    place("s1", "poi", "青建超市", point(20, 120)),
    place(
        "n2",
        "plate",
        "2号",
        point(10, 58),
        road="裕华路",
        plate="2号",
        full_address="长安区裕华路2号",
    ),
    place(
        "n8",
        "plate",
        "8号",
        point(40, 58),
        road="裕华路",
        plate="8号",
        full_address="长安区裕华路8号",
    ),
    place(
        "m3",
        "plate",
        "3号",
        point(42, 90),
        road="建设大街",
        plate="3号",
        full_address="长安区建设大街3号",
    ),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_district(tmp_path_factory.mktemp("crossings"), places=PLACES)


@pytest.mark.parametrize(
    ("text", "match", "x", "y"),
    [
        ("裕华路与民沟街交叉口", "crossing", 150, 50),
        ("裕华路与民勾街交叉口", "crossing", 150, 50),  # sounds so
        ("裕华路与沟民街交叉口", "crossing", 150, 50),  # changed over, and it meets 裕华路
        ("yuhualu与民沟街路口", "crossing", 150, 50),
        ("裕华路与东方红街路口", "crossing", 50, 50),  # a former name
        ("裕华路(建设大街与民沟街之间)", "between", 100, 50),
        ("裕华路与民沟街路口东北角", "crossing", 160, 60),
        ("裕华路与建设大街路口北80米", "crossing", 50, 130),
        ("安庄花园西侧", "name", 60, 140),
        ("安庄花园南20米", "name", 100, 80),
        ("河和超市", "name", 90, 20),
        ("8号裕华路", "plate", 40, 58),
        ("东方红街3号", "plate", 42, 90),
        ("请到青建超市", "name", 20, 120),
    ],
)
def test_where_it_is(snapshot: Snapshot, text: str, match: str, x: float, y: float) -> None:
    answers = geocode(snapshot, text)
    assert answers, text
    first = answers[0]
    assert first.match == match
    assert [first.x - X0, first.y - Y0] == pytest.approx([x, y], abs=0.5)


def test_roads_that_do_not_meet_have_no_sure_crossing(snapshot: Snapshot) -> None:
    answers = geocode(snapshot, "建设大街与民沟街交叉口")
    assert answers
    assert answers[0].score <= 0.6
    assert answers[0].match != "crossing"


def test_the_middle_of_a_stretch_is_as_uncertain_as_it_is_long(snapshot: Snapshot) -> None:
    first = geocode(snapshot, "裕华路(建设大街与民沟街之间)")[0]
    assert first.uncertainty_m == pytest.approx(100 / 12**0.5, abs=0.1)


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE place; --",
        "🙂" * 40,
        "裕" * 10_000,
        "",
        "号",
        "保定市裕华路8号",
        "广东省深圳市安庄花园",
    ],
)
def test_nothing_for_what_is_no_place_of_the_city(snapshot: Snapshot, text: str) -> None:
    assert geocode(snapshot, text) == []


@pytest.mark.parametrize(
    "text", ["裕华路88888号", "民沟街8号", "安庄花园99号楼", "绿庄公园", "青建超市(桥西店)"]
)
def test_never_sure_of_a_part_that_is_not_known(snapshot: Snapshot, text: str) -> None:
    assert all(answer.score < 0.8 for answer in geocode(snapshot, text))


def test_levels_and_batches_answer_as_single_texts_do(snapshot: Snapshot) -> None:
    one = geocode(snapshot, "长安区裕华路8号", limit=1)
    assert geocode_parts(snapshot, district="长安区", road="裕华路", plate="8", limit=1) == one
    texts = ["长安区裕华路8号", "", "青建超市", "裕华路与民沟街交叉口"]
    assert geocode_many(snapshot, texts) == [geocode(snapshot, text, limit=1) for text in texts]


def test_roads_delivered_as_points_and_areas(tmp_path: Path) -> None:
    # 面街 is an area of 10 × 200 m of which 花园社区 holds the southern half; 点街 is a point.
    roads = [
        place("r1", "street", "裕华路", line((0, 50), (200, 50)), road="裕华路"),
        place("r2", "street", "面街", box(100, 0, 110, 200), road="面街"),
        place("r3", "street", "点街", point(30, 50), road="点街"),
        place("crossing:1", "poi", "裕华路与点街路口", point(30, 50)),
    ]
    snapshot = open_district(tmp_path, places=roads)
    found = geocode(snapshot, "花园社区面街")[0]
    assert (found.code, found.x - X0, found.y - Y0) == ("r2", 105, 50)
    assert "area_agrees" in found.why
    assert found.uncertainty_m == 9.1  # (10 × 100 / 12) ** 0.5
    assert geocode(snapshot, "点街(裕华路至面街)")[0].match != "between"
    assert reverse(snapshot, X0 + 31, Y0 + 51)[0].phrase == "裕华路与点街路口"


def test_no_place_lies_a_thousand_kilometres_from_its_mark(snapshot: Snapshot) -> None:
    near, far = (geocode(snapshot, f"裕华路2号往东{told}")[0] for told in ("20米", "9999公里"))
    assert (near.x - X0, far.x - X0) == (30, 10)
    assert far.score < near.score
