"""Roads in several parts, lanes in lanes, and names that agree only roughly with where an address points."""

from typing import Any

import numpy as np
import pytest
import shapely

from api import Snapshot
from api.geocoding.candidates import Candidate, Spot
from api.geocoding.geocode import geocode
from api.geocoding.marks import agreement
from api.geocoding.plates import parts_of_road
from tests.api.district import X0, Y0, area, open_district, place, point

NORTH, SOUTH = "130102001001", "130104001001"
MIDDLE_M = 5_000.0


def areas() -> list[dict[str, Any]]:
    """Two districts of 5 km side by side, each with one street and one community."""
    told = []
    for code, names, west in (
        (NORTH, ("长安区", "建北街道", "花园社区"), 0.0),
        (SOUTH, ("桥西区", "东里街道", "平安社区"), MIDDLE_M),
    ):
        shape = shapely.box(X0 + west, Y0, X0 + west + MIDDLE_M, Y0 + 5_000)
        codes = (code[:6], code[:9], code)
        told += [area(*each, shape) for each in zip(codes, names, strict=True)]
    return told


def plate(road: str, number: int, x: float, y: float = 100.0) -> dict[str, Any]:
    community, district = (NORTH, "长安区") if x < MIDDLE_M else (SOUTH, "桥西区")
    return place(
        f"{road}{number}@{x:.0f}", "plate", f"{road}{number}号", point(x, y),
        road=road, plate=f"{number}号", community_code=community, district=district,
        full_address=f"石家庄市{district}{road}{number}号",
    )  # fmt: skip


PLACES = [
    # 中华路 is interrupted for 3.5 km inside one district: two stretches of one road.
    *(
        plate("中华路", number, x)
        for number, x in ((2, 100), (10, 500), (200, 4_000), (208, 4_400))
    ),
    # 友谊路 is a road in each of the two districts.
    *(
        plate("友谊路", number, x)
        for number, x in ((2, 1_000), (10, 1_400), (2, 8_000), (10, 8_400))
    ),
    # 湾里路 has a lane 211巷 with a lane 88弄 in it.
    plate("湾里路211巷88弄", 3, 2_000, 2_000),
    plate("湾里路211巷", 20, 2_300, 2_000),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_district(tmp_path_factory.mktemp("parts"), areas=areas(), places=PLACES)


def test_plates_no_farther_than_two_and_a_half_kilometres_from_the_next_are_one_road() -> None:
    east = np.array([0.0, 2_500.0, 5_000.0, 7_501.0, 9_000.0])
    parts = parts_of_road(np.column_stack([east, np.zeros(5)]))
    assert [part.tolist() for part in parts] == [[0, 1, 2], [3, 4]]
    near = np.column_stack([east[:2], np.zeros(2)])
    assert [part.tolist() for part in parts_of_road(near)] == [[0, 1]]


def test_of_two_stretches_in_one_district_the_one_with_the_number_answers(
    snapshot: Snapshot,
) -> None:
    for number, x in ((204, 4_200), (6, 300)):  # half way between two known numbers
        found = geocode(snapshot, f"长安区中华路{number}号")
        assert [answer.match for answer in found] == ["interpolated"]
        assert found[0].x - X0 == pytest.approx(x, abs=5)


def test_of_two_roads_of_one_name_each_district_has_its_own(snapshot: Snapshot) -> None:
    found = geocode(snapshot, "友谊路6号")
    assert sorted(round(answer.x - X0, -1) for answer in found) == [1_200, 8_200]
    assert found[0].question_zh == "哪个区的友谊路6号？长安区 / 桥西区"
    assert max(answer.score for answer in found) <= 0.5
    said = geocode(snapshot, "桥西区友谊路6号")[0]
    assert (round(said.x - X0, -1), said.question) == (8_200, "")


@pytest.mark.parametrize(
    ("text", "x", "is_own"),
    [
        ("湾里路211巷88弄5号", 2_000, False),  # the inner lane is known, its 5号 is not
        ("湾里路211巷90弄5号", 2_300, False),  # only the outer lane is known
        ("湾里路211巷90弄", 2_300, False),
        ("湾里路211巷", 2_300, True),
        ("湾里路211巷88弄", 2_000, True),
    ],
)
def test_a_lane_in_a_lane_is_where_the_innermost_known_one_is(
    snapshot: Snapshot, text: str, x: float, is_own: bool
) -> None:
    found = geocode(snapshot, text)[0]
    assert found.x - X0 == x
    assert ("lane_plate_unmatched" not in found.why) == is_own
    assert is_own or found.score < 0.8  # near what was said, not at it


def at(x: float, sigma_m: float = 8.0) -> Spot:
    return Spot(x=x, y=0.0, sigma_m=sigma_m)


@pytest.mark.parametrize(
    ("spots", "evidence"),
    [
        ([], ""),
        ([at(216.0)], "parts_agree"),  # 200 m and twice the 8 m that the spot is uncertain
        ([at(217.0)], "parts_contradict"),
        ([at(500.0, 200.0)], "parts_agree"),
        ([at(501.0, 200.0)], ""),  # too rough to tell: within 600 m, but beyond 500 m
        ([at(600.0, 200.0)], ""),
        ([at(601.0, 200.0)], "parts_contradict"),
        ([at(9_000.0), at(100.0)], "parts_agree"),  # one of several is enough
        ([at(9_000.0), at(550.0, 200.0)], ""),
    ],
)
def test_a_name_agrees_with_where_the_address_points_as_far_as_that_is_known(
    spots: list[Spot], evidence: str
) -> None:
    item = Candidate(row=0, spot=at(0.0), match="inside")
    assert agreement(item, spots) == evidence
