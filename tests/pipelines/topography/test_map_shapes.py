"""Shapes of map features: by themselves, beside each other, and one layer over another."""

import dataclasses

import numpy as np
import pytest
import shapely

from gis.faults import Faults
from gis.workspace import Topography, parse_profile
from pipelines.topography.catalogue import topography_rules
from pipelines.topography.features import RULES
from pipelines.topography.judging import judge_map
from pipelines.topography.maprows import map_rows
from pipelines.topography.relief import contour_interval
from tests.pipelines.town import at, context, frame, line, live_areas, nothing, rectangle, rules_of


def judged(tmp_path, *rows, areas=None):
    """The faults of rows (code, class, shape, attributes), by row and rule."""
    table = [
        {"code": code, "feature_class": kind, "geometry": shape} | dict(*more)
        for code, kind, shape, *more in rows
    ]
    around = context(tmp_path, areas=live_areas() if areas is None else areas)
    return rules_of(judge_map(frame(table), around).faults)


def house(code, *box):
    return (code, "310300", rectangle(*box), {"FLOORS": 2, "MATERIAL": "砖"})


def wall(code, *points):
    return (code, "380201", line(*points))


def road(code, *points, name=None, **more):
    return (code, "430503", line(*points), {"name": name, "WIDTH": 5, **more})


def test_buildings_overlap_by_more_than_a_square_metre(tmp_path):
    first = house("a", 0, 0, 10, 10)
    assert judged(tmp_path, first, house("b", 9.9, 0, 20, 10)) == []  # 1.0 m² exactly
    assert judged(tmp_path, first, house("b", 9.8, 0, 20, 10)) == [(2, "TP22")]
    assert judged(tmp_path, first, house("b", 10, 0, 20, 10)) == []  # a shared wall


def test_a_shape_drawn_twice_is_no_overlap(tmp_path):
    first = house("a", 0, 0, 10, 10)
    # 9.6 of 10.4 m shared: 92 %; 9 of 11 m: 82 %
    assert judged(tmp_path, first, house("b", 0.4, 0, 10.4, 10)) == [(2, "TP21")]
    assert judged(tmp_path, first, house("b", 1, 0, 11, 10)) == [(2, "TP22")]


def test_ends_before_and_beyond(tmp_path):
    host = wall("a", (0, 0), (100, 0))
    assert judged(tmp_path, host, wall("b", (10, 0), (10, 9))) == []
    assert judged(tmp_path, host, wall("b", (10, 0.5), (10, 9))) == [(2, "TP27")]
    assert judged(tmp_path, host, wall("b", (10, 0.6), (10, 9))) == []
    assert judged(tmp_path, host, wall("b", (10, -0.9), (10, 9))) == [(2, "TP28")]
    assert judged(tmp_path, host, wall("b", (10, -1.1), (10, 9))) == []
    assert judged(tmp_path, host, wall("b", (10, 0.001), (10, 9))) == []  # rounding


def test_a_road_end_is_called_one(tmp_path):
    rows = road("a", (0, 0), (100, 0), name="甲路"), road("b", (10, 0.3), (10, 90))
    assert judged(tmp_path, *rows) == [(2, "TP52")]


def test_lines_along_each_other(tmp_path):
    host = wall("a", (0, 0), (100, 0))
    assert judged(tmp_path, host, wall("b", (99, 0), (120, 0))) == []  # 1 m exactly
    assert judged(tmp_path, host, wall("b", (98, 0), (120, 0))) == [(2, "TP30")]
    two = road("a", (0, 0), (100, 0), name="甲路"), road("b", (50, 0), (150, 0), name="乙路")
    assert judged(tmp_path, *two) == [(2, "TP51")]
    same = road("a", (0, 0), (100, 0), name="甲路"), road("b", (0, 0), (100, 0), name="乙路")
    assert judged(tmp_path, *same) == [(2, "TP51")]


def test_single_shapes(tmp_path):
    rows = [
        wall("a", (0, 0), (10, 10), (10, 0), (0, 10)),
        wall("b", (0, 20), (0.04, 20)),
        ("c", "820000", rectangle(0, 40, 0.3, 40.3)),
        ("d", "820000", rectangle(0, 60, 30, 60.08)),
        wall("e", (0, 80), (10, 80), (5, 80.1)),
        ("f", "820000", rectangle(0, 100, 10, 110)),
    ]
    assert judged(tmp_path, *rows) == [
        (1, "TP23"),
        (2, "TP24"),
        (3, "TP25"),
        (4, "TP31"),
        (5, "TP26"),
    ]


def contour(code, east, value):
    return (code, "710000", line((east, 0), (east, 200)), {"ELEV": value})


def spot(code, east, value):
    return (code, "720000", at(east, 100), {"ELEV": value})


CONTOURS = [contour(f"c{n}", 20 + 40 * n, 70 + n) for n in range(8)]


def test_contours_are_read_as_a_slope(tmp_path):
    assert judged(tmp_path, *CONTOURS) == []
    swapped = [*CONTOURS]
    swapped[3] = contour("c3", 140, 93)
    assert judged(tmp_path, *swapped) == [(4, "TP35")]
    between = [*CONTOURS, contour("x", 40, 70.4)]
    assert judged(tmp_path, *between) == [(9, "TP34")]
    crossing = [*CONTOURS, ("x", "710000", line((15, 5), (25, 15)), {"ELEV": 70})]
    assert judged(tmp_path, *crossing) == [(9, "TP33")]


def test_a_ridge_of_equal_contours_is_no_fault(tmp_path):
    ridge = [
        contour(f"c{n}", 20 + 40 * n, value) for n, value in enumerate([70, 71, 72, 72, 71, 70])
    ]
    assert judged(tmp_path, *ridge) == []


@pytest.mark.parametrize(
    ("value", "is_wrong"), [(72.4, False), (73.0, False), (71.0, False), (73.2, True), (70.8, True)]
)
def test_a_spot_height_lies_within_one_interval_of_the_nearest_contour(tmp_path, value, is_wrong):
    rows = [*CONTOURS, spot("s", 102, value)]  # 2 m beside the contour of 72
    assert judged(tmp_path, *rows) == ([(9, "TP36")] if is_wrong else [])


def test_the_interval_is_what_most_steps_tell():
    assert contour_interval(np.array([10.0, 10.5, 11.0, 11.5, 14.0])) == 0.5
    assert contour_interval(np.array([])) is None


def test_a_needle_stands_out_and_its_neighbours_do_not(tmp_path):
    rows = [
        (
            f"s{x}{y}",
            "720000",
            at(20 + 40 * x, 20 + 40 * y),
            {"ELEV": 70 + x / 2 + (30 if (x, y) == (4, 2) else 0)},
        )
        for x in range(9)
        for y in range(5)
    ]
    assert judged(tmp_path, *rows) == [(4 * 5 + 2 + 1, "TP37")]


def test_layers_over_each_other(tmp_path):
    pond = ("w", "230000", rectangle(0, 0, 50, 50))
    home = house("h", 100, 0, 120, 20)
    assert judged(tmp_path, pond, house("a", 40, 40, 60, 60)) == [(2, "TP40")]
    kerb = ("k", "430500", rectangle(0, 90, 400, 100), {"name": "路"})
    assert judged(tmp_path, kerb, house("a", 40, 98, 60, 120)) == [(2, "TP41")]
    assert judged(tmp_path, home, road("a", (110, -20), (110, 60))) == [(2, "TP42")]
    assert judged(tmp_path, home, road("a", (110, -20), (110, 60), tunnel="yes")) == []
    assert judged(tmp_path, home, ("a", "710000", line((0, 10), (200, 10)), {"ELEV": 70})) == [
        (2, "TP44")
    ]
    assert judged(tmp_path, home, ("v", "820000", rectangle(90, 10, 105, 30))) == [(2, "TP45")]
    assert judged(tmp_path, pond, ("v", "820000", rectangle(40, 10, 60, 30))) == [(2, "TP47")]
    assert judged(tmp_path, pond, ("v", "820000", rectangle(50, 10, 60, 30))) == []  # only touches


def test_what_crosses_water_has_a_bridge(tmp_path):
    river = ("w", "210101", rectangle(0, 50, 400, 80))
    over = road("a", (100, 0), (100, 150))
    assert judged(tmp_path, river, over) == [(2, "TP43")]
    bridge = ("b", "450301", rectangle(95, 48, 105, 82))
    assert judged(tmp_path, river, over, bridge) == []
    elevated = ("a", "430300", line((100, 0), (100, 150)), {"name": "高架"})
    assert judged(tmp_path, river, elevated) == []
    assert judged(tmp_path, river, ("r", "410000", line((0, 0), (10, 200)))) == [(2, "TP43")]


def test_a_boundary_lies_on_a_border_of_the_areas(tmp_path):
    assert judged(tmp_path, ("b", "650000", line((0, 0), (400, 0)))) == []
    assert judged(tmp_path, ("b", "650000", line((0, 1.9), (400, 1.9)))) == []
    assert judged(tmp_path, ("b", "650000", line((0, 30), (400, 30)))) == [(1, "TP46")]
    none = nothing("code", "name", "level")
    assert judged(tmp_path, ("b", "650000", line((0, 30), (400, 30))), areas=none) == []


def test_shuffled_rows_have_the_same_faults(tmp_path):
    rows = [
        house("a", 0, 0, 10, 10),
        house("b", 8, 0, 18, 10),
        wall("c", (30, 0), (60, 0)),
        wall("d", (40, 0.2), (40, 9)),
    ]
    table = [{"code": c, "feature_class": k, "geometry": s} | dict(*m) for c, k, s, *m in rows]
    forward = judge_map(frame(table), context(tmp_path)).faults
    backward = judge_map(frame(table[::-1]), context(tmp_path)).faults
    assert sorted(forward["rule"]) == sorted(backward["rule"]) == ["TP22", "TP27"]


def test_pseudo_nodes_are_told_on_demand(tmp_path):
    profile = parse_profile('[city]\ncode = "130102"\n[topography.severity]\nTP29 = "warning"\n')
    around = dataclasses.replace(context(tmp_path), profile=profile)
    rows = [
        {"code": code, "feature_class": "380201", "geometry": line(*points)}
        for code, points in (
            ("a", [(0, 0), (50, 0)]),
            ("b", [(50, 0), (100, 0)]),
            ("c", [(100, 0), (150, 0)]),
            ("d", [(100, 0), (100, 50)]),
        )
    ]
    assert rules_of(judge_map(frame(rows), around).faults) == [(2, "TP29")]  # three meet at 100


def test_many_features_at_one_point_take_no_longer_than_their_rows(tmp_path):
    rows = [house(f"h{n}", 5, 5, 20, 20) for n in range(1500)]
    table = [
        {"code": c, "feature_class": k, "geometry": s, "name": f"楼{n}"} | dict(*m)
        for n, (c, k, s, *m) in enumerate(rows)
    ]
    found = judge_map(frame(table), context(tmp_path)).faults
    assert found["rule"].unique().tolist() == ["TP21"]
    assert len(found) == 1499


def test_areas_of_several_parts_and_lines_of_several_parts(tmp_path):
    parts = shapely.MultiPolygon([rectangle(0, 0, 10, 10), rectangle(30, 0, 40, 10)])
    rows = [("a", "310300", parts, {"FLOORS": 1, "MATERIAL": "砖"}), house("b", 35, 0, 50, 10)]
    assert judged(tmp_path, *rows) == [(2, "TP22")]


def test_a_feature_is_told_of_every_hole_beside_it():
    table = frame(
        [dict(zip(("code", "feature_class", "geometry"), house("a", 0, 0, 10, 10), strict=False))]
    )
    faults = Faults(table, rules={**RULES, **topography_rules({})})
    rows = map_rows(table.assign(name=None, attributes=None), faults, Topography())
    middle = np.array([50.0, 250.0])
    rows.note_each("TP60", np.array([0, 0]), x=middle, y=middle, size=50.0)
    told = faults.outcome().faults["reason_zh"].tolist()
    assert told == [
        f"在 {spot}, {spot} 周围 50 米内没有任何要素，而四周均有。" for spot in (50, 250)
    ]
