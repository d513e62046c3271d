"""Returned cases on a boundary road: the unit of the other area is asked before the next candidate."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api import Case, Decision, Position, Snapshot
from api.advice.advising import advise
from api.assign import decide
from api.cases.moving import Return, assign_case, return_case
from api.cases.posting import post_case
from api.cases.records import get_case
from api.stored import assign_stored
from gis.database import Database
from tests.api.cases.small_case import give_back
from tests.api.district import (
    BOTH_UNITS,
    X0,
    Y0,
    boundary_road,
    box,
    component,
    line,
    open_district,
    plan,
    point,
    unit,
)

SOUTH, NORTH = "130102001001", "130102001002"
CASE = Case(
    case_id="2026-1",
    kind="event",
    class_code="0103",
    position=Position(x=X0 + 50, y=Y0 + 95, crs="city", accuracy_m=1.0),
    reported_at=datetime(2026, 6, 1, 9, tzinfo=ZoneInfo("Asia/Shanghai")),
)
"""On the south's side of the road, on an odd day."""


def open_road(root: Path, sharing: str = "joint", **more: object) -> Snapshot:
    axis = line((200, 100), (0, 100)).wkt
    road = boundary_road("J1", box(0, 90, 200, 110), SOUTH, NORTH, sharing=sharing, axis=axis)
    return open_district(root, plan_areas=[road], **{"units": BOTH_UNITS} | more)


def unit_of(decision: Decision) -> str | None:
    return decision.owner.unit_code if decision.owner else None


@pytest.mark.parametrize("sharing", ["joint", "side", "odd_even"])
def test_both_areas_are_asked_before_the_next_candidate(
    database: Database, tmp_path: Path, sharing: str
) -> None:
    snapshot = open_road(tmp_path / "snapshots", sharing)
    first = post_case(database, partial(decide, snapshot), CASE, actor="desk")
    assert (unit_of(first), "boundary_other" in first.reasons) == ("C1", False)
    second = give_back(database, snapshot, "C1")
    assert unit_of(second) == "C2"
    assert {"boundary_road", "boundary_other", "refused"} <= set(second.reasons)
    assert second.probability > 0.9
    assert second.boundary is not None
    assert (second.boundary.area_code, second.boundary.other_area_code) == (NORTH, SOUTH)
    assert [step.why for step in second.trace if step.step == "boundary_road"] == [
        f"boundary road 区域J1: the unit of {SOUTH} sent the case back; {NORTH}, which shares the"
        " road, gets it"
    ]
    assert any(
        s.outcome == "accepted" and s.candidate.startswith("territorial: C2") for s in second.trace
    )
    # The same return sent again, also when the other unit refused by then, changes nothing.
    assert give_back(database, snapshot, "C1") == second
    third = give_back(database, snapshot, "C2")
    assert (unit_of(third), "boundary_other" in third.reasons) == ("S1", False)
    assert give_back(database, snapshot, "C1") == third
    told = get_case(database, "2026-1")
    assert [(entry.action, entry.unit_code) for entry in told.history] == [
        ("assigned", "C1"), ("returned", "C1"), ("reassigned", "C2"), ("returned", "C2"),
        ("reassigned", "S1"),
    ]  # fmt: skip
    assert told.returns == 2


def test_the_even_day_goes_to_the_odd_one(database: Database, tmp_path: Path) -> None:
    snapshot = open_road(tmp_path / "snapshots", "odd_even")
    even = replace(CASE, reported_at=CASE.reported_at and CASE.reported_at.replace(day=2))
    assert unit_of(post_case(database, partial(decide, snapshot), even, actor="desk")) == "C2"
    assert unit_of(give_back(database, snapshot, "C2")) == "C1"
    assert unit_of(give_back(database, snapshot, "C1")) == "S1"


@pytest.mark.parametrize("sharing", ["joint", "side", "odd_even"])
@pytest.mark.parametrize(
    ("y", "accuracy_m", "on_road"),
    # Of the error the share between the road's edges, y 90 and 110; beside it is land of the south alone.
    [(95, 5.0, 0.8413), (91, 5.0, 0.5792), (95, 1.0, 1.0)],
)
def test_only_what_lies_on_the_road_turns_to_the_other_area(
    tmp_path: Path, sharing: str, y: float, accuracy_m: float, on_road: float
) -> None:
    snapshot = open_road(tmp_path / "snapshots", sharing)
    position = Position(x=X0 + 50, y=Y0 + y, crs="city", accuracy_m=accuracy_m)
    case = replace(CASE, position=position)
    told = decide(snapshot, case, excluded=frozenset({"C1"}))
    assert unit_of(told) == "C2"
    assert told.probability == pytest.approx(on_road, abs=2e-4)
    assert told.owner is not None
    others = {each.unit_code: each.probability for each in told.owner.alternatives}
    # What lies beside the road is the south's, whose unit refused: the next of the south is asked.
    assert others.get("S1", 0.0) == pytest.approx(1.0 - on_road, abs=2e-4)
    assert told.needs_review  # a case without an owner of its own always goes to a person
    assert ("low_probability" in told.reasons) == (on_road < 0.7)


@pytest.mark.parametrize("address", [None, "无此地址"])
def test_of_an_oval_error_too_only_what_lies_on_the_road_turns(
    tmp_path: Path, address: str | None
) -> None:
    snapshot = open_road(tmp_path / "snapshots", "side")
    oval = {"accuracy_m": 5.0, "accuracy_minor_m": 2.0, "accuracy_bearing_deg": 90.0}
    position = Position(x=X0 + 50, y=Y0 + 95, crs="city", **oval)
    # With an address, which no place of the district bears, as the arrays decide it; else by itself.
    case = replace(CASE, position=position, address=address)
    told = decide(snapshot, case, excluded=frozenset({"C1"}))
    assert unit_of(told) == "C2"
    assert told.probability == pytest.approx(0.9938, abs=2e-4)  # above y 90 by 2.5 deviations


def lonely(root: Path) -> Snapshot:
    """A joint road between a community with one unit and one with two; elsewhere, a unit of another district."""
    units = [
        unit("B9", "外区政府", "territorial", area_code="130105"),
        unit("C1", "花园居委会", "territorial", area_code=SOUTH),
        unit("C2", "平安居委会", "territorial", area_code=NORTH),
        unit("W2", "自来水公司"),
    ]
    rows = [plan("1", "handler", "W2", kind="event", area_code=NORTH)]
    return open_road(root, units=units, responsibility=rows)


def test_every_unit_of_both_areas_is_asked_before_a_person(
    database: Database, tmp_path: Path
) -> None:
    snapshot = lonely(tmp_path / "snapshots")
    asked = [unit_of(post_case(database, partial(decide, snapshot), CASE, actor="desk"))]
    while asked[-1] is not None:
        asked.append(unit_of(give_back(database, snapshot, asked[-1])))
    assert asked[0] == "C1"
    assert sorted(asked[:-1]) == ["C1", "C2", "W2"]
    told = get_case(database, "2026-1")
    assert told.decision is not None
    assert "no_territory" in told.decision.reasons
    # Nothing in the trace speaks of a unit that gets it after all, nor of an end of its time.
    assert not [s for s in told.decision.trace if s.outcome == "accepted" and "first" in s.step]
    assert not [s for s in told.decision.trace if "B9" in s.candidate or s.step == "deadline"]


def test_an_imported_case_that_all_its_units_refused_is_given_to_nobody(
    database: Database, tmp_path: Path
) -> None:
    snapshot = lonely(tmp_path / "snapshots")
    asked = unit_of(post_case(database, partial(decide, snapshot), CASE, actor="desk"))
    while asked is not None:
        asked = unit_of(give_back(database, snapshot, asked))
    with database.connect() as connection:  # as an import leaves it
        connection.execute("UPDATE cases.case SET data_version = NULL, unit_code = 'C1'")
    assert assign_stored(database, snapshot, actor="desk") == 1
    told = get_case(database, "2026-1")
    assert told.unit_code is None
    assert told.decision is not None
    assert told.decision.needs_review


def test_a_unit_that_both_areas_lead_to_is_asked_once(database: Database, tmp_path: Path) -> None:
    lamps = [component("1301020104000001", point(50, 95), maintainer_code="W1")]
    snapshot = open_road(tmp_path / "snapshots", components=lamps)
    lamp = replace(CASE, kind="component", class_code="0104")
    units = [unit_of(post_case(database, partial(decide, snapshot), lamp, actor="desk"))]
    for _ in range(3):
        units.append(unit_of(give_back(database, snapshot, str(units[-1]))))
    assert units == ["W1", "C1", "C2", "S1"]


def test_what_a_person_named_and_what_a_person_judges_stay_so(
    database: Database, tmp_path: Path
) -> None:
    snapshot = open_road(tmp_path / "snapshots")
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    assign_case(database, snapshot, "2026-1", unit_code="W1", reason="核实", actor="chief")
    assert unit_of(give_back(database, snapshot, "W1")) == "C1"
    told = Return(unit_code="C1", reason="重复", category="duplicate")
    asked = return_case(database, snapshot, "2026-1", told=told, actor="unit")
    assert (unit_of(asked), get_case(database, "2026-1").waiting) == (None, "reason_needs_person")


def _import(database: Database, case_id: str, *, state: str, handled_by: str | None) -> None:
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO cases.case (case_id, kind, class_code, reported_at, x, y, crs, accuracy_m,"
            " needs_review, state, request_hash, returns, handled_by)"
            " VALUES (%s, 'event', '0103', %s, %s, %s, 'city', 1, false, %s, 'h', 1, %s)",
            [case_id, CASE.reported_at, X0 + 50.0, Y0 + 95, state, handled_by],
        )
        connection.execute(
            "INSERT INTO cases.history (case_id, action, unit_code, actor, category)"
            " VALUES (%s, 'returned', 'C1', 'unit', 'not_our_area')",
            [case_id],
        )


def test_an_imported_case_that_the_first_sent_back_goes_to_the_second(
    database: Database, tmp_path: Path
) -> None:
    snapshot = open_road(tmp_path / "snapshots")
    _import(database, "1", state="received", handled_by=None)
    assert assign_stored(database, snapshot, actor="night") == 1
    stored = get_case(database, "1")
    assert stored.unit_code == "C2"
    assert stored.decision is not None
    assert "boundary_other" in stored.decision.reasons


@pytest.mark.parametrize("handler", ["C2", "S1"])
def test_what_both_units_of_a_road_pass_between_them_is_no_fault_of_the_plan(
    database: Database, tmp_path: Path, handler: str
) -> None:
    snapshot = open_road(tmp_path / "snapshots")
    for number in range(12):
        _import(database, f"{number:02d}", state="closed", handled_by=handler)
    told = advise(database, snapshot).agreement
    assert (told["known"], told["agree"]) == (12, 0)
    assert told["shared"] == (12 if handler == "C2" else 0)
