"""Boundary roads over the drawn district: who answers on which side, on which day, and what is told."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import shapely

from api import Case, Decision, Position, Snapshot
from api.placing.boundaries import FIRST, NOBODY, SECOND, BoundaryRoads, offset
from tests.api.district import (
    A1,
    BOTH_UNITS,
    X0,
    Y0,
    boundary_road,
    box,
    component,
    line,
    open_district,
    plan,
    plan_area,
    point,
)

SOUTH, NORTH = "130102001001", "130102001002"
"""The two communities; the road lies along their border, y 90 to 110."""
ROAD = box(0, 90, 200, 110)
WESTWARD = line((200, 100), (0, 100)).wkt
"""Left of it is south."""


def road(**values: Any) -> dict[str, Any]:
    return boundary_road("J1", ROAD, SOUTH, NORTH, **{"axis": WESTWARD} | values)


def ask(snapshot: Snapshot, x: float, y: float, *, day: int = 1, **values: Any) -> Decision:
    moment = datetime(2026, 6, day, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    position = Position(x=X0 + x, y=Y0 + y, crs="city", accuracy_m=0.1)
    told = {"kind": "event", "class_code": "0103", "reported_at": moment} | values
    return snapshot.decide(Case(position=position, **told))


def unit_of(decision: Decision) -> str:
    assert decision.owner is not None
    return decision.owner.unit_code


def steps(decision: Decision, name: str) -> list[tuple[str, str, str]]:
    return [(s.candidate, s.outcome, s.why) for s in decision.trace if s.step == name]


def test_the_area_on_whose_side_the_place_lies_answers(tmp_path: Path) -> None:
    # The communities are drawn the wrong way round: the rule of the road speaks, not their polygons.
    turned = road(axis=line((0, 100), (200, 100)).wkt)
    snapshot = open_district(tmp_path, plan_areas=[turned], units=BOTH_UNITS)
    assert unit_of(ask(snapshot, 50, 105)) == "C1"
    assert unit_of(ask(snapshot, 50, 95)) == "C2"
    assert unit_of(ask(snapshot, 50, 100)) == "C1"  # exactly on the axis: the first area
    assert unit_of(ask(snapshot, 50, 110)) == "C1"  # the border belongs to the road
    assert unit_of(ask(snapshot, 50, 111)) == "C2"  # beyond it the communities answer
    there = ask(snapshot, 50, 105)
    assert there.reasons == ("boundary_road", "no_owner")
    assert there.boundary is not None
    assert (there.boundary.area_code, there.boundary.other_area_code) == (SOUTH, NORTH)
    assert there.boundary.joint is None
    assert steps(there, "boundary_road") == [
        (
            "J1",
            "accepted",
            f"boundary road 区域J1: the place lies on the side of {SOUTH}, {NORTH} answers for "
            "the other side",
        )
    ]
    # The grid is told as it is; only who answers changes.
    assert there.grid is not None
    assert there.areas.community is not None
    assert there.areas.community.code == NORTH
    assert ask(snapshot, 50, 111).boundary is None


def test_odd_and_even_days(tmp_path: Path) -> None:
    snapshot = open_district(tmp_path, plan_areas=[road(sharing="odd_even")], units=BOTH_UNITS)
    for y in (95, 105):
        assert unit_of(ask(snapshot, 50, y, day=1)) == "C1"
        assert unit_of(ask(snapshot, 50, y, day=2)) == "C2"
        assert unit_of(ask(snapshot, 50, y, day=30)) == "C2"
    told = ask(snapshot, 50, 95, day=2)
    assert told.boundary is not None
    assert told.boundary.area_code == NORTH
    assert "boundary_road" in told.reasons
    assert [why for _, _, why in steps(told, "boundary_road")] == [
        f"boundary road 区域J1: reported on an even day of the month, for which {NORTH} answers; "
        f"on odd days {SOUTH} does"
    ]
    odd = [s.why_zh for s in ask(snapshot, 50, 95, day=1).trace if s.step == "boundary_road"]
    assert odd == [f"界路“区域J1”按单双日分担：上报日为单日，由 {SOUTH} 负责；双日由 {NORTH} 负责"]
    # The day is that of the city: at five in the afternoon of UTC it is the second there.
    late = datetime(2026, 6, 1, 17, 0, tzinfo=UTC)
    assert unit_of(ask(snapshot, 50, 95, reported_at=late)) == "C2"


def test_the_first_area_leads_a_joint_road(tmp_path: Path) -> None:
    snapshot = open_district(tmp_path, plan_areas=[road(sharing="joint")], units=BOTH_UNITS)
    for y in (95, 105):
        told = ask(snapshot, 50, y)
        assert unit_of(told) == "C1"
        assert told.boundary is not None
        assert told.boundary.joint is not None
        assert told.boundary.joint.unit_code == "C2"
        assert [why for _, _, why in steps(told, "boundary_road")] == [
            f"boundary road 区域J1: {SOUTH} leads, {NORTH} shares the case (C2 平安居委会)"
        ]
    # Without a unit of its own the north is answered for by the street, and that shares the case.
    alone = open_district(tmp_path / "alone", plan_areas=[road(sharing="joint")])
    joint = ask(alone, 50, 95).boundary
    assert joint is not None
    assert joint.joint is not None
    assert joint.joint.unit_code == "S1"


def test_rows_of_the_answering_area_hold_and_those_of_the_grid_beyond_do_not(
    tmp_path: Path,
) -> None:
    rows = [
        plan("1", "handler", "W1", kind="event", area_code=A1),
        plan("2", "handler", "W2", kind="event", area_code=NORTH),
        plan("3", "handler", "G1", kind="event", area_code="130102001"),
    ]
    turned = road(axis=line((0, 100), (200, 100)).wkt)
    snapshot = open_district(tmp_path, plan_areas=[turned], responsibility=rows)
    # In A1, but on the side for which the north answers.
    assert unit_of(ask(snapshot, 50, 95)) == "W2"
    # In B1, for which the south answers: no row of the south, none of A1, so that of the street.
    assert unit_of(ask(snapshot, 50, 105)) == "G1"


def test_a_plan_area_at_the_place_goes_before_the_sides(tmp_path: Path) -> None:
    rows = [plan("1", "handler", "W1", kind="event", area_code="P1")]
    areas = [road(), plan_area("P1", box(40, 80, 60, 120))]
    snapshot = open_district(tmp_path, plan_areas=areas, responsibility=rows)
    told = ask(snapshot, 50, 95)
    assert unit_of(told) == "W1"
    assert "boundary_road" in told.reasons


def test_sides_may_be_plan_areas(tmp_path: Path) -> None:
    areas = [
        boundary_road("J1", ROAD, "P1", "P2", axis=WESTWARD),
        plan_area("P1", box(0, 0, 200, 100)),
        plan_area("P2", box(0, 100, 200, 200)),
    ]
    rows = [
        plan("1", "handler", "W1", kind="event", area_code="P1"),
        plan("2", "handler", "W2", kind="event", area_code="P2"),
    ]
    snapshot = open_district(tmp_path, plan_areas=areas, responsibility=rows)
    assert [unit_of(ask(snapshot, 50, y)) for y in (95, 100, 105)] == ["W1", "W1", "W2"]


def test_a_component_keeps_its_own_unit_and_the_case_is_marked(tmp_path: Path) -> None:
    components = [component("1301020104000001", point(50, 95), maintainer_code="W1")]
    snapshot = open_district(tmp_path, plan_areas=[road()], components=components)
    told = ask(snapshot, 50, 95, kind="component", class_code="0104")
    assert unit_of(told) == "W1"
    assert told.reasons == ("boundary_road",)
    assert not told.needs_review


def test_a_rule_that_is_not_whole_leaves_the_place_to_its_own_areas(tmp_path: Path) -> None:
    broken: list[dict[str, Any]] = [
        {"sides": [SOUTH]},
        {"sides": [SOUTH, SOUTH]},
        {"sides": []},
        {"sides": ["999999999999", SOUTH]},
        {"axis": None},
        {"axis": "LINESTRING (0 0, 0 0)"},
        {"axis": "no line"},
        {"sharing": "turns"},
        {"sharing": None},
    ]
    turned = line((0, 100), (200, 100)).wkt  # the north would have the south's side, and vice versa
    roads = [
        boundary_road(
            f"J{at}", box(20 * at, 90, 20 * at + 20, 110), SOUTH, NORTH, **{"axis": turned} | values
        )
        for at, values in enumerate([*broken, {}])
    ]
    snapshot = open_district(tmp_path, plan_areas=roads, units=BOTH_UNITS)
    for at, values in enumerate(broken):
        told = ask(snapshot, 20 * at + 10, 105)
        assert unit_of(told) == "C2", values
        assert {"boundary_road", "boundary_unclear"} <= set(told.reasons), values
        assert told.needs_review
        assert told.boundary is not None
        assert (told.boundary.code, told.boundary.area_code) == (f"J{at}", None)
        assert steps(told, "boundary_road")[0][1] == "rejected"
    whole = ask(snapshot, 20 * len(broken) + 10, 105)
    assert (unit_of(whole), "boundary_unclear" in whole.reasons) == ("C1", False)


def test_of_overlapping_roads_the_smallest_speaks(tmp_path: Path) -> None:
    areas = [
        road(sharing="joint"),
        boundary_road("J2", box(0, 95, 20, 105), NORTH, SOUTH, sharing="joint"),
    ]
    snapshot = open_district(tmp_path, plan_areas=areas, units=BOTH_UNITS)
    assert [unit_of(ask(snapshot, x, 100)) for x in (10, 50)] == ["C2", "C1"]


def test_a_road_outside_every_grid(tmp_path: Path) -> None:
    outside = boundary_road("J1", box(200, 0, 240, 200), SOUTH, NORTH, sharing="odd_even")
    snapshot = open_district(tmp_path, plan_areas=[outside], units=BOTH_UNITS)
    told = ask(snapshot, 230, 160, day=1)
    assert unit_of(told) == "C1"
    assert {"outside_grids", "boundary_road"} <= set(told.reasons)


def test_the_offset_from_a_crooked_axis_agrees_with_its_buffer() -> None:
    axis = shapely.LineString([(0, 0), (40, 10), (60, 50), (40, 90), (80, 95)])
    left = shapely.buffer(axis, 5.0, single_sided=True)
    rng = np.random.default_rng(7)
    x, y = rng.uniform(-10, 90, 4000), rng.uniform(-10, 100, 4000)
    points = shapely.points(x, y)
    near = shapely.dwithin(points, axis, 4.9)
    # A single-sided buffer ends square at the ends of the line and is cut off at the inside of bends.
    inner = shapely.covers(left, points) & near
    metres = offset(axis, x, y)
    assert (metres[inner] > 0).all()
    assert np.abs(metres) == pytest.approx(shapely.distance(points, axis))
    right = shapely.covers(shapely.buffer(axis, -5.0, single_sided=True), points) & near & ~inner
    assert (metres[right] < 0).all()
    assert inner.sum() > 50
    assert right.sum() > 50


def test_without_roads_nobody_answers() -> None:
    roads = BoundaryRoads([])
    at = roads.at(np.array([1.0, np.nan]), np.array([1.0, np.nan]))
    assert at.tolist() == [-1, -1]
    answers = roads.answering(at, np.zeros(2), np.zeros(2), day=np.array([601, 602]))
    assert answers.tolist() == [NOBODY, NOBODY]
    assert len({NOBODY, FIRST, SECOND}) == 3
