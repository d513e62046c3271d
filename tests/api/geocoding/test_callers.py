"""What callers say beside a plain address: two at once, ends of roads, things at a mark, another city."""

from pathlib import Path
from typing import Any

import pytest
import shapely

from api import Snapshot
from api.geocoding.geocode import geocode
from tests.api.district import X0, Y0, area, box, line, open_district, place, point

COMMUNITY = "130102001001"
AREAS = [
    area(code, name, box(0, 0, 2_000, 2_000))
    for code, name in (("130102", "长安区"), ("130102001", "建北街道"), (COMMUNITY, "花园社区"))
]


def plate(road: str, number: int, x: float, y: float, **values: Any) -> dict[str, Any]:
    told = {"road": road, "plate": f"{number}号", "city": "石家庄市"}
    told |= {"full_address": f"石家庄市长安区{road}{number}号"}
    name = f"{road}{number}号"
    return place(name, "plate", name, point(x, y), **told | values)


PLACES = [
    # Two roads from west to east, two from south to north, all of them 1,200 m.
    place("ew1", "street", "裕华路", line((0, 200), (1_200, 200)), road="裕华路"),
    place("ew2", "street", "和平路", line((0, 800), (1_200, 800)), road="和平路"),
    place("ns1", "street", "建设大街", line((300, 0), (300, 1_200)), road="建设大街"),
    place("ns2", "street", "中华大街", line((900, 0), (900, 1_200)), road="中华大街"),
    plate("裕华路", 12, 100, 208),
    plate("裕华路", 14, 130, 208),
    plate("和平路", 30, 1_000, 808),
    # One row says another city, as delivered tables do.
    plate("和平路", 32, 1_030, 808, city="保定市", full_address="保定市长安区和平路32号"),
    place("h1", "poi", "人民医院", point(600, 220), road="裕华路"),
    place("s1", "poi", "学洼实验小学", point(200, 1_000)),
    place("s2", "poi", "长屯实验小学", point(1_100, 100)),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_district(tmp_path_factory.mktemp("callers"), areas=AREAS, places=PLACES)


def where(snapshot: Snapshot, text: str) -> tuple[float, float]:
    found = geocode(snapshot, text)[0]
    return round(found.x - X0, 1), round(found.y - Y0, 1)


@pytest.mark.parametrize(
    "text", ["裕华路12号和平路30号", "裕华路12号和和平路30号", "裕华路12号/和平路30号"]
)
def test_of_two_addresses_that_lie_apart_neither_is_sure(snapshot: Snapshot, text: str) -> None:
    found = geocode(snapshot, text)
    assert {answer.name for answer in found[:2]} == {"裕华路12号", "和平路30号"}
    assert found[0].score <= 0.5
    assert "parts_contradict" in found[0].why
    assert set(found[0].question_zh.removeprefix("是哪一处？").split(" / ")) == {
        "裕华路12号",
        "和平路30号",
    }


def test_two_addresses_side_by_side_are_one_place(snapshot: Snapshot) -> None:
    found = geocode(snapshot, "裕华路12号和裕华路14号")[0]
    assert (found.name, "parts_agree" in found.why, found.score > 0.9) == ("裕华路12号", True, True)


def test_a_second_address_that_is_not_known_leaves_the_first(snapshot: Snapshot) -> None:
    found = geocode(snapshot, "裕华路12号和神秘路30号")[0]
    assert (found.name, found.why) == ("裕华路12号", ("poi_unmatched",))


@pytest.mark.parametrize(
    ("text", "x", "y"),
    [
        ("建设大街北头", 300, 1_200),
        ("建设大街南头", 300, 0),
        ("建设大街北口", 300, 1_200),
        ("建设大街北段", 300, 1_000),  # the middle of its northern third
        ("裕华路西头", 0, 200),
        ("裕华路北侧", 600, 210),  # beside the road, not at an end of it
        ("裕华路中段路北", 600, 210),
        ("建设大街与中华大街之间的裕华路", 600, 200),
        ("裕华路和和平路之间中华大街", 900, 500),
        ("人民医院对面的小超市", 600, 180),
        ("人民医院门口那个井盖", 600, 220),
    ],
)
def test_where_it_is(snapshot: Snapshot, text: str, x: float, y: float) -> None:
    assert where(snapshot, text) == (x, y)


def test_the_end_of_a_road_is_surer_than_a_third_of_it(snapshot: Snapshot) -> None:
    end, third = (geocode(snapshot, f"建设大街北{part}")[0] for part in ("口", "段"))
    assert end.uncertainty_m == 25.0
    assert third.uncertainty_m == pytest.approx((400 / 24**0.5) ** 2 / third.uncertainty_m, rel=0.3)


def test_several_names_are_asked_for_by_name(snapshot: Snapshot) -> None:
    found = geocode(snapshot, "实验小学")
    assert found[0].question_zh == "是哪一处？学洼实验小学 / 长屯实验小学"
    assert found[0].score < 0.5


def test_a_city_that_one_wrong_address_names_is_another_city_all_the_same(
    snapshot: Snapshot,
) -> None:
    assert geocode(snapshot, "保定市裕华路12号") == []
    assert geocode(snapshot, "石家庄市裕华路12号")[0].name == "裕华路12号"


def test_a_road_drawn_in_two_lines_ends_where_the_longer_one_does(tmp_path: Path) -> None:
    shape = shapely.union_all([line((0, 200), (1_200, 200)), line((1_300, 200), (1_400, 200))])
    places = [place("r", "street", "裕华路", shape, road="裕华路")]
    found = geocode(open_district(tmp_path, areas=AREAS, places=places), "裕华路东头")[0]
    assert (found.x - X0, found.y - Y0) == (1_200, 200)
