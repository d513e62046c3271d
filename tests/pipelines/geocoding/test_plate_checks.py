"""Plates against their roads and against other databases, worked out by hand."""

import pandas as pd

from pipelines.geocoding import joining, step
from pipelines.geocoding.places import PLACE_COLUMNS
from tests.pipelines.geocoding.test_gazetteer import components, place_names, road, topography
from tests.pipelines.town import at, context, frame, rectangle, rules_of


def judged(tmp_path, rows, *features, names=()):
    frames = {
        "topography": topography(*features),
        "place_names": place_names(*names),
        "components": components(),
    }
    empty = pd.DataFrame(columns=list(PLACE_COLUMNS))
    return step.judge(frame(rows), context(tmp_path, addresses=empty, **frames))


def plate(number, east, north, *, road="裕华路", **more):
    own = {"road": road, "plate": f"{number}号"} | more
    return {"code": f"{road}{number}-{east}", "kind": "门牌", "geometry": at(east, north)} | own


def odd_side(*, but=()):
    """Ten odd plates north of a road that runs east at 100 m north, one each 30 m."""
    return [plate(2 * n + 1, 20 + 30 * n, 110) for n in range(10) if n not in but]


ROAD = road("T1", "裕华路", (0, 100), (400, 100))


def test_plates_in_order_are_quiet(tmp_path):
    even = [plate(2 * n + 2, 20 + 30 * n, 90) for n in range(10)]
    assert rules_of(judged(tmp_path, odd_side() + even, ROAD).faults) == []


def test_numbers_may_fall_along_the_line(tmp_path):
    back = road("T1", "裕华路", (400, 100), (0, 100))
    assert rules_of(judged(tmp_path, odd_side(), back).faults) == []


def test_a_number_between_larger_ones_is_out_of_order(tmp_path):
    rows = [*odd_side(but=(8,)), plate(33, 100, 110)]
    (fault,) = judged(tmp_path, rows, ROAD).faults.to_dict("records")
    assert (fault["source_row"], fault["rule"]) == (10, "AD13")
    assert "裕华路5号 and 裕华路7号" in fault["reason_en"]
    assert "裕华路5号 和 裕华路7号" in fault["reason_zh"]


def test_an_even_number_on_the_odd_side(tmp_path):
    rows = [*odd_side(), plate(8, 111, 110)]
    assert rules_of(judged(tmp_path, rows, ROAD).faults) == [(11, "AD14")]


def test_more_numbers_than_metres_is_a_jump(tmp_path):
    rows = [*odd_side(), plate(1021, 320, 110)]
    assert rules_of(judged(tmp_path, rows, ROAD).faults) == [(11, "AD15")]


def test_a_gap_that_the_road_has_room_for_is_no_jump(tmp_path):
    rows = [plate(2 * n + 1, 20 + 10 * n, 110) for n in range(9)] + [plate(151, 350, 110)]
    assert rules_of(judged(tmp_path, rows, ROAD).faults) == []


def test_a_road_without_order_is_left_alone(tmp_path):
    numbers = (9, 3, 15, 1, 19, 7, 13, 5, 17, 11)
    rows = [plate(number, 20 + 30 * n, 110) for n, number in enumerate(numbers)]
    assert rules_of(judged(tmp_path, rows, ROAD).faults) == []


def test_a_plate_far_from_its_road_and_one_far_from_its_neighbours(tmp_path):
    short = road("T1", "裕华路", (0, 10), (100, 10))
    rows = [
        plate(1, 50, 15),
        plate(3, 50, 190),  # 180 m north of the road, as the crow flies
    ]
    assert rules_of(judged(tmp_path, rows, short).faults) == [(2, "AD11")]
    # Without a line the neighbours tell, where there are more than five of them.
    known = [plate(n, 2 * n, 50) for n in range(1, 7)]
    assert rules_of(judged(tmp_path, [*known, plate(9, 390, 150)]).faults) == []


def test_a_plate_a_kilometre_from_all_others_of_its_road(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.geocoding.plate_checks.LONELY_M", 300.0)
    known = [plate(n, 2 * n, 50) for n in range(1, 7)]
    rows = [*known, plate(9, 390, 150), plate(11, 390, 150, road="光明路")]
    assert rules_of(judged(tmp_path, rows).faults) == [(7, "AD12")]


def test_a_plate_of_a_road_with_another_name_on_the_map(tmp_path):
    rows = [*odd_side(but=(8,)), plate(33, 100, 110)]
    renamed = [{**row, "road": "马路"} for row in rows]
    known = [("D1", "裕华路", "23", ["马路"], [], at(50, 100))]
    assert rules_of(judged(tmp_path, renamed, ROAD, names=known).faults) == [(10, "AD13")]


def test_a_number_without_road_or_compound(tmp_path):
    rows = [{"code": "1", "kind": "门牌", "plate": "12号", "geometry": at(50, 50)}]
    assert rules_of(judged(tmp_path, rows).faults) == [(1, "AD16")]


def test_a_place_that_the_map_has_elsewhere_in_the_community(tmp_path, monkeypatch):
    monkeypatch.setitem(joining.REACH_M, "site", 50.0)
    rows = [
        {"code": "1", "kind": "小区", "name": "翠屏园", "geometry": at(20, 20)},
        {"code": "2", "kind": "小区", "name": "近园", "geometry": at(20, 180)},
    ]
    far = ("T1", "310600", "residential", "翠屏园", rectangle(100, 100, 190, 190))
    near = ("T2", "310600", "residential", "近园", rectangle(30, 150, 60, 190))
    outcome = judged(tmp_path, rows, far, near)
    assert rules_of(outcome.faults) == [(1, "AD17")]
    assert "与基础地形库中的同名地点" in outcome.faults["reason_zh"].iloc[0]
    assert outcome.accepted["name"].tolist().count("翠屏园") == 2  # nothing is lost
    assert outcome.accepted["name"].tolist().count("近园") == 1
