"""Whether a place answers to the area that was said: near a border its own words count too."""

from typing import Any

import pytest
import shapely

from api import Snapshot
from api.geocoding.geocode import geocode
from api.geocoding.reverse import reverse
from tests.api.district import X0, Y0, area, open_district, place, point

EAST = shapely.box(X0 + 5_000, Y0, X0 + 10_000, Y0 + 5_000)
WEST = shapely.box(X0, Y0, X0 + 5_000, Y0 + 5_000)
NORTH = ("130102", "130102001", "130102001001")
SOUTH = ("130104", "130104001", "130104001001")


def areas() -> list[dict[str, Any]]:
    """Two districts of 5 km side by side, each with one street and one community."""
    told = []
    for codes, names, shape in (
        (NORTH, ("长安区", "建北街道", "花园社区"), WEST),
        (SOUTH, ("桥西区", "东里街道", "平安社区"), EAST),
    ):
        told += [area(code, name, shape) for code, name in zip(codes, names, strict=True)]
    return told


def plate(
    code: str, number: int, x: float, district: str, *, road: str = "裕华路"
) -> dict[str, Any]:
    community = NORTH[2] if x < 5_000 else SOUTH[2]
    return place(
        code, "plate", f"{road}{number}号", point(x, 100), community_code=community,
        road=road, plate=f"{number}号", district=district,
        full_address=f"石家庄市{district}{road}{number}号",
    )  # fmt: skip


PLACES = [
    # 裕华路 crosses the border at 5,000 m; 12号 counts itself to 长安区 though it lies 100 m beyond.
    plate("p2", 2, 4_900, "长安区"),
    plate("p12", 12, 5_100, "长安区"),
    plate("p40", 40, 5_300, "桥西区"),
    # Both districts have an 8号 of 和平路; the one beyond the border belongs to 长安区 by its words.
    plate("q1", 8, 4_000, "长安区", road="和平路"),
    plate("q2", 8, 8_000, "桥西区", road="和平路"),
    place("h1", "poi", "仁爱医院", point(9_000, 4_000), community_code=SOUTH[2], district="桥西区"),
    place(
        "l1", "poi", "长泰广场麦当劳", point(2_000, 2_000), road="友谊路99弄", building="3号楼",
        district="长安区", full_address="长安区友谊路99弄3号楼长泰广场麦当劳",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_district(tmp_path_factory.mktemp("border"), areas=areas(), places=PLACES)


def test_a_place_just_beyond_the_border_answers_to_the_area_of_its_own_address(
    snapshot: Snapshot,
) -> None:
    found = geocode(snapshot, "长安区裕华路12号")[0]
    assert (found.code, found.why) == ("p12", ("area_said", "area_agrees"))
    other = geocode(snapshot, "桥西区裕华路12号")[0]
    assert (other.code, other.why) == ("p12", ("area_agrees",))  # it lies there


def test_a_place_beside_the_area_counts_more_than_one_far_off(snapshot: Snapshot) -> None:
    # 2号 lies 100 m outside 桥西区, less than a tenth of its 5 km, and does not say it.
    beside = geocode(snapshot, "桥西区裕华路2号")[0]
    assert (beside.code, beside.why) == ("p2", ("area_beside",))


def test_of_two_equal_plates_the_one_of_the_area_wins(snapshot: Snapshot) -> None:
    assert geocode(snapshot, "长安区和平路8号")[0].code == "q1"
    assert geocode(snapshot, "桥西区和平路8号")[0].code == "q2"


def test_an_estimate_lies_in_the_area_that_was_said(snapshot: Snapshot) -> None:
    # Between 2号 (4,900 m) and 12号 (5,100 m) the numbers lead to about 5,020 m.
    found = geocode(snapshot, "长安区裕华路10号")[0]
    assert found.match == "interpolated"
    said = geocode(snapshot, "桥西区裕华路4号")[0]
    assert said.match in ("interpolated", "beyond")
    assert said.x - X0 >= 5_000


def test_a_reading_without_the_area_is_held_to_it_all_the_same(snapshot: Snapshot) -> None:
    # 仁爱医院 is known in the other district alone; the road is known in the one that was said.
    found = geocode(snapshot, "长安区裕华路6号仁爱医院旁")
    assert found[0].match == "interpolated"
    hospital = next(answer for answer in found if answer.code == "h1")
    assert {"area_contradicts", "parts_contradict"} & set(hospital.why)


def test_what_stands_in_a_lane_at_no_plate_tells_where_the_lane_is(snapshot: Snapshot) -> None:
    found = geocode(snapshot, "长安区友谊路99弄8号")[0]
    assert (found.match, "lane_plate_unmatched" in found.why) == ("lane", True)
    assert [found.x - X0, found.y - Y0] == [2_000, 2_000]
    assert found.score < 0.8  # near what was said, not at it


def test_a_position_in_no_area_is_told_with_the_nearest_one(snapshot: Snapshot) -> None:
    found = reverse(snapshot, X0 + 5_100, Y0 - 50)[0]
    assert found.location_text.endswith("（在各区域之外，距平安社区约50米）")
    inside = reverse(snapshot, X0 + 5_100, Y0 + 50)[0]
    assert inside.location_text.startswith("桥西区")
    assert "之外" not in inside.location_text
