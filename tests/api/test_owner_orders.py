"""The order in which roles are asked, and which row of the plan wins, over the drawn district."""

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api import Case, Decision, Position, Snapshot
from api.assign import decide
from tests.api.district import (
    A1,
    A2,
    FROM,
    PROFILE,
    UNITS,
    X0,
    Y0,
    box,
    component,
    management_grid,
    open_district,
    plan,
    plan_area,
    point,
    profile,
    unit,
)

COMMUNITY, STREET, DISTRICT = A1[:12], A1[:9], A1[:6]
RECORDED = component(
    "1301020104000001", point(50, 50), maintainer_code="W1", owner_code="W2", competent_code="G1"
)


def ask(snapshot: Snapshot, x: float = 50, y: float = 50, **values: Any) -> Decision:
    position = Position(x=X0 + x, y=Y0 + y, crs="city", accuracy_m=0.1)
    return snapshot.decide(Case(position=position, **{"class_code": "0104"} | values))


def event(snapshot: Snapshot, x: float = 50, y: float = 50, **values: Any) -> Decision:
    return ask(snapshot, x, y, **{"kind": "event", "class_code": "0103"} | values)


def owner(decision: Decision) -> tuple[str, str, str]:
    assert decision.owner is not None
    return decision.owner.unit_code, decision.owner.role, decision.owner.rule


def at_hour(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai"))


def city(text: str) -> Any:
    return profile(PROFILE + "[decision]\n" + text)


# The order of roles.


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('component_order = ["maintainer"]', ("W1", "maintainer")),
        ('component_order = ["owner", "maintainer"]', ("W2", "owner")),
        ('component_order = ["competent", "owner"]', ("G1", "competent")),
        # Nobody of the record is asked: the plan is, and there is no row; so the territory.
        ('component_order = ["handler"]', ("C1", "territorial")),
        ('component_order = ["territorial"]', ("C1", "territorial")),
    ],
)
def test_the_record_is_asked_in_the_order_of_the_city(
    tmp_path: Path, text: str, wanted: tuple[str, str]
) -> None:
    told = ask(open_district(tmp_path, city=city(text), components=[RECORDED]))
    assert owner(told)[:2] == wanted
    is_fallback = "handler" in text
    assert ("no_owner" in told.reasons) == is_fallback


def test_a_class_may_have_an_order_of_its_own(tmp_path: Path) -> None:
    text = """
[[decision.class]]
kind = "component"
class_code = "01"
order = ["owner", "territorial"]
[[decision.class]]
kind = "component"
class_code = "0104"
order = ["competent", "territorial"]
[[decision.class]]
kind = "event"
class_code = "0103"
order = ["handler", "territorial"]
"""
    components = [RECORDED, component("1301020101000001", point(50, 50), owner_code="W2")]
    rows = [
        plan("1", "territorial", "S1", kind="event"),
        plan("2", "handler", "W1", kind="event"),
    ]
    snapshot = open_district(tmp_path, city=city(text), components=components, responsibility=rows)
    assert owner(ask(snapshot))[:2] == ("G1", "competent")  # its own goes before its major's
    assert owner(ask(snapshot, class_code="0101"))[:2] == ("W2", "owner")
    told = event(snapshot)
    assert owner(told) == ("W1", "handler", "plan:2")
    assert told.owner is not None
    assert told.owner.principle == "owner_first"
    assert [s.candidate for s in told.trace if s.step == "order"] == ["handler > territorial"]
    other = event(snapshot, class_code="0201")
    assert owner(other) == ("S1", "territorial", "plan:1")
    assert other.owner is not None
    assert other.owner.principle == "territory_first"


def test_territory_first_for_a_component_leaves_its_record_for_later(tmp_path: Path) -> None:
    text = 'component_order = ["territorial", "maintainer"]'
    rows = [plan("1", "territorial", "S1")]
    named = open_district(
        tmp_path / "a", city=city(text), components=[RECORDED], responsibility=rows
    )
    told = ask(named)
    assert owner(told) == ("S1", "territorial", "plan:1")
    assert "no_owner" not in told.reasons
    silent = open_district(tmp_path / "b", city=city(text), components=[RECORDED])
    assert owner(ask(silent))[:2] == ("W1", "maintainer")


def test_the_territory_is_told_even_where_the_order_leaves_it_out(tmp_path: Path) -> None:
    text = 'event_order = ["handler"]'
    told = event(open_district(tmp_path, city=city(text)))
    assert owner(told) == ("C1", "territorial", f"directory:{COMMUNITY}")
    assert "no_owner" in told.reasons


# Which row wins.


def test_the_smaller_area_wins_level_by_level(tmp_path: Path) -> None:
    """Rows are taken away one by one, the winner first: each time the next larger area answers."""
    codes = ["U1", "U2", "U3", "U4", "U5", "U6", "U7", "U8"]
    areas = ["P1", "P2", A1, "M1", COMMUNITY, STREET, DISTRICT, "*"]
    rows = [
        plan(str(number), "handler", code, kind="event", area_code=area)
        for number, (code, area) in enumerate(zip(codes, areas, strict=True))
    ]
    told = []
    for first in range(len(rows)):
        snapshot = open_district(
            tmp_path / str(first),
            units=[*UNITS, *(unit(code, f"单位{code}") for code in codes)],
            responsibility=rows[first:],
            plan_areas=[
                plan_area("P2", box(0, 0, 100, 100)),  # larger, and lower in no order but size
                plan_area("P1", box(40, 40, 60, 60), kind="road_section"),
            ],
            management_grids=[management_grid("M1", A1, A2)],
        )
        told.append(owner(event(snapshot))[0])
    assert told == codes


def test_nesting_polygons_decide_by_size_at_each_place(tmp_path: Path) -> None:
    areas = [
        plan_area("P1", box(0, 0, 80, 80)),
        plan_area("P2", box(20, 20, 60, 60)),
        plan_area("P3", box(30, 30, 40, 40)),
    ]
    rows = [
        plan(code, "handler", unit_code, kind="event", area_code=code)
        for code, unit_code in (("P1", "W1"), ("P2", "W2"), ("P3", "G1"))
    ]
    snapshot = open_district(tmp_path, plan_areas=areas, responsibility=rows)
    assert [owner(event(snapshot, at, at))[0] for at in (10, 25, 35, 50, 70, 90)] == [
        "W1", "W2", "G1", "W2", "W1", "C1"
    ]  # fmt: skip
    # On the border of the smallest it holds; the trace tells all three.
    told = event(snapshot, 40, 35)
    assert owner(told)[0] == "G1"
    assert [(s.candidate, s.outcome) for s in told.trace if s.step == "plan_area"] == [
        ("P3", "accepted"),
        ("P2", "rejected"),
        ("P1", "rejected"),
    ]


def test_plan_areas_outside_the_city_answer_only_there(tmp_path: Path) -> None:
    areas = [plan_area("P1", box(1000, 1000, 1100, 1100))]
    rows = [plan("1", "handler", "W1", kind="event", area_code="P1")]
    snapshot = open_district(tmp_path, plan_areas=areas, responsibility=rows)
    assert owner(event(snapshot))[0] == "C1"
    assert owner(event(snapshot, 1050, 1050))[0] == "W1"


def test_a_minor_class_wins_over_a_major_one_and_over_all(tmp_path: Path) -> None:
    rows = [
        plan("1", "handler", "W1", kind="event", class_code="*"),
        plan("2", "handler", "W2", kind="event", class_code="01"),
        plan("3", "handler", "G1", kind="event", class_code="0103"),
    ]
    snapshot = open_district(tmp_path, responsibility=rows)
    found = [owner(event(snapshot, class_code=code))[0] for code in ("0103", "0102", "0201")]
    assert found == ["G1", "W2", "W1"]


def test_a_season_over_the_turn_of_the_year(tmp_path: Path) -> None:
    rows = [
        plan("1", "handler", "W1", kind="event", season="11-15/03-15"),
        plan("2", "handler", "G1", kind="event"),
    ]
    snapshot = open_district(tmp_path, responsibility=rows)
    wanted = {
        at_hour(3, 15, 12): "W1",
        at_hour(3, 16, 12): "G1",
        at_hour(11, 14, 23, 59): "G1",
        at_hour(11, 15, 0): "W1",
        at_hour(12, 31, 23): "W1",
        at_hour(1, 1, 0): "W1",
    }
    told = {moment: event(snapshot, reported_at=moment) for moment in wanted}
    assert {moment: owner(found)[0] for moment, found in told.items()} == wanted
    assert not any("plan_conflict" in found.reasons for found in told.values())


def test_hours_over_midnight(tmp_path: Path) -> None:
    rows = [
        plan("1", "handler", "W1", kind="event", hours="22:00/06:00"),
        plan("2", "handler", "G1", kind="event"),
    ]
    snapshot = open_district(tmp_path, responsibility=rows)
    wanted = {(21, 59): "G1", (22, 0): "W1", (0, 0): "W1", (5, 59): "W1", (6, 0): "G1"}
    told = {at: owner(event(snapshot, reported_at=at_hour(5, 5, *at)))[0] for at in wanted}
    assert told == wanted


def test_equal_rows_are_a_conflict_with_even_chances(tmp_path: Path) -> None:
    rows = [
        plan("1", "handler", "W2", kind="event", area_code=COMMUNITY),
        plan("2", "handler", "W1", kind="event", area_code=COMMUNITY),
        plan("3", "handler", "G1", kind="event", area_code=COMMUNITY),
        plan("4", "handler", "S1", kind="event", area_code=STREET),
    ]
    told = event(open_district(tmp_path, responsibility=rows))
    assert owner(told) == ("G1", "handler", "plan:3")
    assert "plan_conflict" in told.reasons
    assert told.probability < 0.5
    assert told.owner is not None
    others = told.owner.alternatives
    assert [(o.unit_code, o.cause) for o in others] == [("W1", "conflict"), ("W2", "conflict")]
    assert others[0].probability == pytest.approx(others[1].probability)
    assert told.probability + 2 * others[0].probability == pytest.approx(1.0, abs=0.01)


def test_grids_of_two_trades_that_name_two_units_are_a_conflict(tmp_path: Path) -> None:
    rows = [
        plan("1", "handler", "W1", kind="event", area_code="M1"),
        plan("2", "handler", "W2", kind="event", area_code="M2"),
    ]
    managed = [management_grid("M1", A1), management_grid("M2", A1, A2, trade="green")]
    snapshot = open_district(tmp_path, responsibility=rows, management_grids=managed)
    told = event(snapshot)
    assert owner(told)[0] == "W1"
    assert "plan_conflict" in told.reasons
    assert owner(event(snapshot, 150, 50))[0] == "W2"


# What comes with the unit.


def test_a_responsibility_grid_tells_its_persons(tmp_path: Path) -> None:
    managed = management_grid("M1", A1, district_person="赵", district_phone="1", grid_person="孙")
    rows = [
        plan("1", "handler", "W1", kind="event", area_code="M1", limit_value=2,
             limit_unit="working_hour", filing_condition="单盏不亮", closing_condition="修复"),
    ]  # fmt: skip
    snapshot = open_district(tmp_path, responsibility=rows, management_grids=[managed])
    told = event(snapshot).owner
    assert told is not None
    assert [(p.level, p.name, p.phone) for p in told.persons] == [
        ("district", "赵", "1"),
        ("grid", "孙", None),
    ]
    assert (told.filing_condition, told.closing_condition) == ("单盏不亮", "修复")
    assert told.time_limit is not None
    assert (told.time_limit.value, told.time_limit.unit) == (2.0, "working_hour")
    beyond = event(snapshot, 150, 50).owner
    assert beyond is not None
    assert (beyond.unit_code, beyond.persons) == ("C1", ())


def test_a_record_takes_its_terms_from_the_most_specific_row(tmp_path: Path) -> None:
    rows = [
        plan("1", "competent", "G1", limit_value=5, limit_unit="working_day"),
        plan("2", "maintainer", "W1", class_code="0104", limit_value=1, limit_unit="working_hour"),
        plan("3", "maintainer", "W1", class_code="0104", area_code=STREET,
             filing_condition="堵塞1/3"),
    ]  # fmt: skip
    told = ask(open_district(tmp_path, components=[RECORDED], responsibility=rows)).owner
    assert told is not None
    assert told.time_limit is not None
    assert (told.time_limit.value, told.filing_condition) == (1.0, "堵塞1/3")


# Record against plan, disputes.


def test_record_and_plan_that_name_two_units_are_cross_responsibility(tmp_path: Path) -> None:
    rows = [plan("1", "maintainer", "G1")]
    doubting = city("record_trust = 0.8\n")
    told = ask(open_district(tmp_path, city=doubting, components=[RECORDED], responsibility=rows))
    assert owner(told)[0] == "W1"
    assert "cross_responsibility" in told.reasons
    assert told.needs_review
    assert told.owner is not None
    other = told.owner.alternatives[0]
    assert (other.unit_code, other.cause) == ("G1", "record")
    rest = sum(share.probability for share in told.owner.alternatives)
    assert told.probability + rest == pytest.approx(1.0, abs=0.01)
    assert other.why == (
        "plan:1 names it in the same role; the component's record names the unit taken"
    )
    same = ask(
        open_district(tmp_path / "same", components=[RECORDED],
                      responsibility=[plan("1", "maintainer", "W1"), plan("2", "owner", "G1")])
    )  # fmt: skip
    assert same.reasons == ()  # the owner's row does not speak for the maintainer


def test_a_city_that_trusts_its_records_does_not_ask_a_person_where_the_plan_differs(
    tmp_path: Path,
) -> None:
    rows = [plan("1", "maintainer", "G1")]
    told = ask(open_district(tmp_path, components=[RECORDED], responsibility=rows))
    assert (owner(told)[0], told.reasons, told.needs_review) == ("W1", (), False)
    assert told.owner is not None
    (other,) = told.owner.alternatives
    assert (other.unit_code, other.cause) == ("G1", "record")
    assert other.probability == pytest.approx(0.03, abs=0.005)
    # Another unit exactly as probable as the threshold is one that a person looks at.
    edge = city("record_trust = 0.75\nrival_probability = 0.25\n")
    told = ask(open_district(tmp_path / "e", city=edge, components=[RECORDED], responsibility=rows))
    assert "cross_responsibility" in told.reasons


def test_a_seasonal_row_contradicts_only_in_its_season(tmp_path: Path) -> None:
    rows = [plan("1", "maintainer", "G1", season="11-01/03-31")]
    doubting = city("record_trust = 0.8\n")
    snapshot = open_district(tmp_path, city=doubting, components=[RECORDED], responsibility=rows)
    assert "cross_responsibility" in ask(snapshot, reported_at=at_hour(1, 5, 9)).reasons
    assert ask(snapshot, reported_at=at_hour(7, 5, 9)).reasons == ()


def test_a_successor_in_the_record_is_no_contradiction(tmp_path: Path) -> None:
    units = [*UNITS, unit("W0", "老排水公司", successor_code="W1")]
    record = component("1301020104000001", point(50, 50), maintainer_code="W0")
    rows = [plan("1", "maintainer", "W1")]
    told = ask(open_district(tmp_path, units=units, components=[record], responsibility=rows))
    assert owner(told)[0] == "W1"
    assert told.reasons == ()


def test_a_disputed_component_is_shared_with_the_next_candidate(tmp_path: Path) -> None:
    record = RECORDED | {"ownership_state": "disputed"}
    told = ask(open_district(tmp_path, components=[record]))
    assert owner(told)[0] == "W1"
    assert "ownership_disputed" in told.reasons
    assert told.owner is not None
    assert next((o.unit_code, o.cause) for o in told.owner.alternatives) == ("W2", "dispute")


# Days, returns, and nobody left.


def test_as_of_asks_the_plan_the_areas_and_the_units_of_the_day(tmp_path: Path) -> None:
    changed = date(2026, 1, 1)
    rows = [
        plan("1", "handler", "W1", kind="event", area_code="P1", valid_to=changed),
        plan("1", "handler", "W2", kind="event", area_code="P1", valid_from=changed),
        plan("2", "handler", "G1", kind="event", area_code="M1"),
    ]
    areas = [
        plan_area("P1", box(0, 0, 100, 100), valid_to=changed),
        plan_area("P1", box(0, 0, 60, 60), valid_from=changed),
    ]
    managed = [management_grid("M1", A1, valid_from=date(2026, 2, 1))]
    snapshot = open_district(
        tmp_path, responsibility=rows, plan_areas=areas, management_grids=managed
    )
    days = (FROM, date(2025, 12, 31), changed, date(2026, 2, 1), None)
    assert [owner(event(snapshot, 50, 50, as_of=day))[0] for day in days] == [
        "W1", "W1", "W2", "W2", "W2"
    ]  # fmt: skip
    assert [owner(event(snapshot, 80, 80, as_of=day))[0] for day in days] == [
        "W1", "W1", "C1", "G1", "G1"
    ]  # fmt: skip
    past = event(snapshot, as_of=changed)
    assert [s.why for s in past.trace if s.step == "data"] == [
        f"snapshot {snapshot.version}, as of 2026-01-01"
    ]


def test_a_case_that_everybody_returns_ends_with_nobody(tmp_path: Path) -> None:
    rows = [plan("1", "competent", "G1"), plan("2", "handler", "D1")]
    snapshot = open_district(tmp_path, components=[RECORDED], responsibility=rows)
    case = Case(class_code="0104", position=Position(x=X0 + 50, y=Y0 + 50, crs="city"))
    excluded: frozenset[str] = frozenset()
    taken = []
    while (told := decide(snapshot, case, excluded=excluded).owner) is not None:
        assert told.unit_code not in excluded
        assert not {other.unit_code for other in told.alternatives} & excluded
        taken.append(told.unit_code)
        excluded |= {told.unit_code}
    # Record, then the units of community, street and district; nobody is asked twice.
    assert taken == ["W1", "W2", "G1", "C1", "S1", "D1"]


def test_an_empty_plan_and_an_empty_directory(tmp_path: Path) -> None:
    told = event(open_district(tmp_path, units=[]))
    assert told.owner is None
    assert "no_units" in told.reasons
    assert told.probability == 0.0
    unknown = [plan("1", "handler", "nobody", kind="event")]
    told = event(open_district(tmp_path / "unknown", responsibility=unknown))
    assert owner(told)[0] == "C1"
    lines = [s.why for s in told.trace if s.candidate == "handler: nobody"]
    assert lines == ["plan row 1 names unit nobody; the unit directory has no such unit"]


def test_every_line_of_a_trace_is_told_in_both_languages(tmp_path: Path) -> None:
    told = ask(open_district(tmp_path, components=[RECORDED]))
    assert [s.step for s in told.trace][:3] == ["locate", "grid", "data"]
    assert all(s.why and s.why_zh and "{" not in s.why + s.why_zh for s in told.trace)
    assert any(s.step == "owner_first" and s.outcome == "accepted" for s in told.trace)
    assert sum(s.outcome == "accepted" for s in told.trace if s.step == "owner_first") == 1
