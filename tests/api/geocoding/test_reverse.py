"""Positions told in words: the best mark, the areas of the point itself, and back again."""

from pathlib import Path
from typing import Any

import pytest

from api import Snapshot
from api.geocoding.geocode import geocode
from api.geocoding.reverse import areas_at, reverse
from gis.crs import transform_xy
from gis.errors import RequestError
from tests.api.district import X0, Y0, box, line, open_district, place, point


def plate(code: str, number: str, shape: Any) -> dict[str, Any]:
    told = {"road": "裕华路", "plate": number, "full_address": f"长安区裕华路{number}"}
    return place(code, "plate", number, shape, **told)


PLACES = [
    place("r1", "street", "裕华路", line((0, 50), (200, 50)), road="裕华路"),
    place("r2", "street", "建设大街", line((100, 0), (100, 200)), road="建设大街"),
    place("crossing:r1:r2", "poi", "裕华路与建设大街路口", point(100, 50), source="topography"),
    plate("n12", "12号", point(20, 58)),
    plate("n20", "20号", point(50, 58)),
    place("b1", "block", "建设小区", box(110, 110, 190, 190), block="建设小区"),
    place("h1", "poi", "人民医院", point(150, 20)),
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_district(tmp_path_factory.mktemp("reverse"), places=PLACES)


def phrases(snapshot: Snapshot, x: float, y: float) -> list[str]:
    return [answer.phrase for answer in reverse(snapshot, X0 + x, Y0 + y)]


@pytest.mark.parametrize(
    ("x", "y", "phrase"),
    [
        (21, 59, "裕华路12号"),  # 1.4 m off the plate
        (25, 66, "裕华路12号门前"),  # 9.4 m
        (50, 88, "裕华路20号北约30米"),
        (150, 20, "人民医院"),
        (180, 180, "建设小区内"),
        (140, 58, "裕华路与建设大街路口东约40米路北"),
        (92, 140, "裕华路与建设大街路口北约90米路西"),
    ],
)
def test_a_position_is_told_by_what_tells_it_best(
    snapshot: Snapshot, x: float, y: float, phrase: str
) -> None:
    assert phrases(snapshot, x, y)[0] == phrase


def test_the_areas_are_those_of_the_point_not_of_the_mark(snapshot: Snapshot) -> None:
    # 建设小区 stands in the northern community, the hospital in the southern one.
    north = reverse(snapshot, X0 + 100, Y0 + 101)[0]
    assert north.location_text == "长安区建北街道平安社区" + north.phrase
    assert areas_at(snapshot.edition(), X0 + 100, Y0 + 99) == {
        "district": "长安区",
        "street": "建北街道",
        "community": "花园社区",
    }
    assert areas_at(snapshot.edition(), X0 - 50, Y0) == {}


def test_each_way_of_telling_says_its_mark_and_distance(snapshot: Snapshot) -> None:
    told = {answer.phrase: answer for answer in reverse(snapshot, X0 + 50, Y0 + 88, limit=9)}
    mark = told["裕华路20号北约30米"]
    assert (mark.code, mark.distance_m) == ("n20", 30.0)
    assert mark.score == pytest.approx(1 / (1 + 30 / 50), abs=1e-4)
    road = told["裕华路路北"]  # within reach of the centreline: the side is told
    assert (road.code, road.distance_m, road.kind) == ("r1", 38.0, "street")
    inside = reverse(snapshot, X0 + 180, Y0 + 180, limit=1)[0]
    assert (inside.code, inside.distance_m) == ("b1", 0.0)


def test_what_is_told_is_found_again(snapshot: Snapshot) -> None:
    for x, y in [(25, 66), (50, 88), (140, 58), (92, 140), (150, 40), (20, 30)]:
        phrase = phrases(snapshot, x, y)[0]
        best = geocode(snapshot, phrase)[0]
        off_m = ((best.x - X0 - x) ** 2 + (best.y - Y0 - y) ** 2) ** 0.5
        # Direction to 22.5 degrees and distance to 2.5 m of at most 90 m; 10 m before a door.
        assert off_m <= 25, (phrase, off_m)


def test_positions_in_other_systems_and_far_away(snapshot: Snapshot) -> None:
    lon, lat = transform_xy([X0 + 150], [Y0 + 20], source="EPSG:4547", target="GCJ-02")
    assert reverse(snapshot, lon[0], lat[0], crs="GCJ-02")[0].phrase == "人民医院"
    assert reverse(snapshot, X0 + 5_000, Y0) == []
    with pytest.raises(RequestError, match="is no place"):
        reverse(snapshot, float("nan"), 1.0)


def test_a_district_without_places_tells_nothing(tmp_path: Path) -> None:
    assert reverse(open_district(tmp_path), X0 + 10, Y0 + 10) == []


@pytest.mark.parametrize("x", [474.5, -245.5], ids=["a turn east", "a turn west"])
def test_a_turn_round_the_earth_is_no_place(snapshot: Snapshot, x: float) -> None:
    assert reverse(snapshot, 114.5, 38.04, crs="EPSG:4326") is not None
    with pytest.raises(RequestError, match="is no place in"):
        reverse(snapshot, x, 38.04, crs="EPSG:4326")
