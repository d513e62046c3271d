"""One case after another over the drawn district: grid, component, owner, and why."""

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api import Case, Decision, Position, Snapshot
from api.assign import decide
from gis.crs import transform_xy
from gis.errors import RequestError
from tests.api.district import (
    A1,
    A2,
    AREAS,
    B1,
    B2,
    FROM,
    GRIDS,
    PROFILE,
    UNITS,
    X0,
    Y0,
    box,
    component,
    grid,
    line,
    open_district,
    place,
    plan,
    point,
    profile,
    unit,
)

ZONE = ZoneInfo("Asia/Shanghai")


def at(x: float, y: float, accuracy_m: float | None = 1.0) -> Position:
    return Position(x=X0 + x, y=Y0 + y, crs="city", accuracy_m=accuracy_m)


def ask(snapshot: Snapshot, position: Position | None = None, **values: Any) -> Decision:
    return snapshot.decide(Case(position=position, **{"class_code": "0104"} | values))


def owner(decision: Decision) -> tuple[str, str, str]:
    assert decision.owner is not None
    return decision.owner.unit_code, decision.owner.role, decision.owner.rule


def test_a_place_in_the_middle_of_a_grid(tmp_path: Path) -> None:
    decision = ask(open_district(tmp_path), at(50, 40), class_code=None)
    assert decision.grid is not None
    assert (decision.grid.code, decision.grid.edge_distance_m, decision.grid.distance_m) == (
        A1,
        40.0,
        0.0,
    )
    assert decision.grid.probability == pytest.approx(1.0)
    areas = decision.areas
    assert areas.community is not None
    assert areas.street is not None
    assert areas.district is not None
    assert (areas.community.code, areas.street.name, areas.district.name) == (
        "130102001001",
        "建北街道",
        "长安区",
    )
    # No class: only the territory answers, and nothing is doubtful about that.
    assert owner(decision) == ("C1", "territorial", "directory:130102001001")
    assert (decision.reasons, decision.needs_review) == (("class_missing",), False)


def test_the_corner_of_four_grids_belongs_to_the_lowest_code(tmp_path: Path) -> None:
    decision = ask(open_district(tmp_path), at(100, 100, 3.0), class_code=None)
    assert decision.grid is not None
    assert (decision.grid.code, decision.grid.on_boundary, decision.grid.edge_distance_m) == (
        A1,
        True,
        0.0,
    )
    assert decision.grid.probability == pytest.approx(0.25, abs=1e-6)
    assert [other.code for other in decision.grid.alternatives] == [A2, B1, B2]
    assert sum(other.probability for other in decision.grid.alternatives) == pytest.approx(
        0.75, abs=1e-6
    )
    assert decision.areas.community is not None
    assert decision.areas.community.code == "130102001001"
    # Half of the error disc lies in the community whose unit was taken.
    assert decision.probability == pytest.approx(0.5, abs=1e-6)
    assert decision.needs_review
    assert "low_probability" in decision.reasons


def test_outside_every_grid_the_nearest_answers_with_its_distance(tmp_path: Path) -> None:
    decision = ask(open_district(tmp_path), at(230, 160), class_code=None)
    assert decision.grid is not None
    assert (decision.grid.code, decision.grid.distance_m) == (B2, 30.0)
    assert decision.areas.district is None
    assert owner(decision)[0] == "S1"  # community 002 has no unit; its street has
    assert "outside_grids" in decision.reasons
    assert decision.needs_review


def test_no_grids_at_all_the_areas_answer(tmp_path: Path) -> None:
    decision = ask(open_district(tmp_path, unit_grids=[]), at(50, 40), class_code=None)
    assert decision.grid is None
    assert decision.areas.community is not None
    assert decision.areas.community.code == "130102001001"
    assert owner(decision)[0] == "C1"
    assert "no_grids" in decision.reasons


def test_levels_without_polygons_are_told_by_codes(tmp_path: Path) -> None:
    communities = [record for record in AREAS if record["level"] == "community"]
    snapshot = open_district(tmp_path, unit_grids=[], areas=communities)
    decision = ask(snapshot, at(50, 150), class_code=None)
    assert decision.areas.street is None
    assert owner(decision) == ("S1", "territorial", "directory:130102001")


def test_a_deadline_counts_from_the_report(tmp_path: Path) -> None:
    rows = [plan("1", "competent", "G1", limit_value=4, limit_unit="emergency_hour")]
    snapshot = open_district(tmp_path, responsibility=rows)
    decision = ask(snapshot, at(50, 50), reported_at=NOON)
    assert decision.owner is not None
    assert decision.owner.due_at == NOON.replace(hour=16)
    timeless = ask(snapshot, at(50, 50))
    assert timeless.owner is not None
    assert timeless.owner.due_at is None


def test_the_nearest_component_of_the_class_and_its_runners_up(tmp_path: Path) -> None:
    components = [
        component("1301020104000001", point(50, 50), maintainer_code="W1"),
        component("1301020104000002", point(53, 50), maintainer_code="W2"),
        component("1301020104000003", point(50.5, 50), condition="removed", maintainer_code="G1"),
        component("1301020103000001", point(51, 50), maintainer_code="G1"),
    ]
    decision = ask(open_district(tmp_path, components=components), at(51, 50, 2.0))
    found = decision.component
    assert found is not None
    assert (found.code, found.distance_m) == ("1301020104000001", 1.0)
    assert [(c.code, c.distance_m) for c in found.alternatives] == [("1301020104000002", 2.0)]
    # Weights exp(-d2 / 2 (2^2 + 0.5^2)) of 1 m and 2 m: odds of about exp(3 / 8.5), and some are neither.
    told = [found.probability, found.alternatives[0].probability]
    assert told[0] / told[1] == pytest.approx(2.718281828 ** (3 / 8.5), rel=0.05)
    assert 0.9 < sum(told) < 1.0
    assert owner(decision) == ("W1", "maintainer", "component:1301020104000001:maintainer")
    assert decision.needs_review


def test_candidates_of_one_unit_make_the_owner_sure(tmp_path: Path) -> None:
    components = [
        component(f"130102010400000{n}", point(50 + n, 50), maintainer_code="W1") for n in (1, 2, 3)
    ]
    decision = ask(open_district(tmp_path, components=components), at(52.2, 50, 2.0))
    assert decision.component is not None
    assert decision.component.code.endswith("2")
    assert decision.component.probability < 0.5
    # What is wanting is that none of them may be meant.
    assert decision.probability > 0.9
    assert not decision.needs_review


@pytest.mark.parametrize(("x", "is_found"), [(90.0, True), (91.0, False)])
def test_a_component_is_looked_for_within_the_citys_radius(
    tmp_path: Path, x: float, is_found: bool
) -> None:
    # Default accuracy 10 m: three standard deviations exceed the 30 m of the profile.
    components = [component("1301020104000001", point(60, 50), maintainer_code="W1")]
    decision = ask(open_district(tmp_path, components=components), at(x, 50, None))
    assert (decision.component is not None) == is_found
    assert ("component_not_found" in decision.reasons) != is_found


def test_lines_and_polygons_count_by_their_nearest_point(tmp_path: Path) -> None:
    components = [
        component("1301020104000001", line((0, 52), (100, 52)), owner_code="W1"),
        component("1301020104000002", box(40, 30, 60, 49), owner_code="W2"),
    ]
    decision = ask(open_district(tmp_path, components=components), at(50, 50, 1.0))
    assert decision.component is not None
    assert (decision.component.code[-1], decision.component.distance_m) == ("2", 1.0)
    assert owner(decision)[:2] == ("W2", "owner")


RECORDS: dict[str, tuple[dict[str, Any], tuple[str, str], set[str]]] = {
    "maintainer first": (
        {"maintainer_code": "W1", "owner_code": "W2", "competent_code": "G1"},
        ("W1", "maintainer"),
        set(),
    ),
    "owner when no maintainer": (
        {"owner_name": "排水公司", "competent_code": "G1"},
        ("W1", "owner"),
        set(),
    ),
    "name by alias": ({"owner_name": " 水司　"}, ("W2", "owner"), set()),
    "unknown name goes on": (
        {"owner_name": "某公司", "competent_name": "城管局"},
        ("G1", "competent"),
        set(),
    ),
    "unknown code, known name": (
        {"owner_code": "??", "owner_name": "排水公司"},
        ("W1", "owner"),
        set(),
    ),
    "successor": ({"owner_name": "旧水务所"}, ("W2", "owner"), set()),
    "no owner: plan": (
        {"maintainer_code": "W1", "ownership_state": "none"},
        ("G1", "competent"),
        set(),
    ),
    "disputed": (
        {"owner_code": "W1", "ownership_state": "disputed"},
        ("W1", "owner"),
        {"ownership_disputed", "low_probability"},
    ),
    "nothing recorded: plan": ({}, ("G1", "competent"), set()),
}


@pytest.mark.parametrize("name", RECORDS)
def test_what_the_components_record_says(tmp_path: Path, name: str) -> None:
    record, wanted, reasons = RECORDS[name]
    snapshot = open_district(
        tmp_path,
        components=[component("1301020104000001", point(50, 50), **record)],
        units=[*UNITS, unit("W0", "旧水务所", successor_code="W2")],
        responsibility=[plan("7", "competent", "G1", limit_value=4, limit_unit="working_hour")],
    )
    decision = ask(snapshot, at(50, 50))
    assert owner(decision)[:2] == wanted
    assert set(decision.reasons) == reasons
    assert decision.needs_review == bool(reasons)
    assert decision.owner is not None
    assert decision.owner.principle == "owner_first"
    # A record has no time limit: the plan's row of the class gives it.
    assert decision.owner.time_limit is not None
    assert (decision.owner.time_limit.value, decision.owner.time_limit.unit) == (
        4.0,
        "working_hour",
    )


def test_nobody_recorded_and_nobody_planned_goes_to_the_territory(tmp_path: Path) -> None:
    snapshot = open_district(tmp_path, components=[component("1301020104000001", point(50, 150))])
    decision = ask(snapshot, at(50, 150))
    assert owner(decision) == ("S1", "territorial", "directory:130102001")
    assert decision.reasons == ("no_owner",)
    assert [s.why for s in decision.trace if s.step == "owner_first"][:3] == [
        "the component's record names no maintainer",
        "the component's record names no owner",
        "the component's record names no competent",
    ]


PLAN = [
    plan("1", "handler", "W1", kind="event"),
    plan("2", "handler", "W2", kind="event", class_code="01"),
    plan("3", "handler", "G1", kind="event", class_code="0103", area_code="130102"),
    plan("4", "handler", "W1", kind="event", area_code="130102001001"),
    plan("5", "handler", "W2", kind="event", area_code="130102001001", hours="22:00/06:00"),
    plan("6", "handler", "G1", kind="event", area_code=A2, season="11-15/03-15"),
]
NOON, NIGHT = datetime(2026, 7, 1, 12, tzinfo=ZONE), datetime(2026, 7, 1, 23, tzinfo=ZONE)
WINTER = datetime(2026, 1, 1, 5, 59, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("x", "y", "class_code", "moment", "wanted"),
    [
        (50, 150, "0103", NOON, "plan:3"),  # district before city, though class 0103 either way
        (50, 150, "0104", NOON, "plan:2"),  # major class before all classes
        (50, 150, "0201", NOON, "plan:1"),
        (
            50,
            50,
            "0103",
            NOON,
            "plan:4",
        ),  # community before district, all classes before minor class
        (50, 50, "0103", NIGHT, "plan:5"),  # conditioned before unconditioned
        (150, 50, "0103", NOON, "plan:4"),  # the grid's row holds in winter only
        (150, 50, "0103", WINTER, "plan:6"),  # area before condition
        (50, 50, "0103", WINTER, "plan:5"),  # 05:59 is still night
    ],
)
def test_the_most_specific_row_of_the_plan_wins(
    tmp_path: Path, x: float, y: float, class_code: str, moment: datetime, wanted: str
) -> None:
    snapshot = open_district(tmp_path, responsibility=PLAN)
    decision = ask(snapshot, at(x, y), kind="event", class_code=class_code, reported_at=moment)
    assert owner(decision)[2] == wanted
    assert decision.owner is not None
    assert decision.owner.principle == "territory_first"
    assert decision.reasons == ()


def test_two_equal_rows_are_a_conflict_for_the_lowest_unit(tmp_path: Path) -> None:
    rows = [plan(code, "handler", u, kind="event") for code, u in (("1", "W2"), ("2", "G1"))]
    decision = ask(
        open_district(tmp_path, responsibility=rows), at(50, 50), kind="event", class_code="0103"
    )
    assert owner(decision) == ("G1", "handler", "plan:2")
    assert set(decision.reasons) == {"plan_conflict", "low_probability"}
    assert decision.probability == pytest.approx(0.5)
    same = [plan("1", "handler", "G1", kind="event"), plan("2", "handler", "G1", kind="event")]
    decision = ask(
        open_district(tmp_path / "same", responsibility=same),
        at(50, 50),
        kind="event",
        class_code="0103",
    )
    assert decision.reasons == ()


def test_events_go_to_the_territory_first_then_to_the_handler(tmp_path: Path) -> None:
    rows = [
        plan("1", "competent", "G1", kind="event"),
        plan("2", "handler", "W1", kind="event", area_code="130102001001"),
        plan("3", "territorial", "S1", kind="event", area_code=A1),
    ]
    snapshot = open_district(tmp_path, responsibility=rows)
    asked = {"kind": "event", "class_code": "0103"}
    assert owner(ask(snapshot, at(50, 50), **asked)) == ("S1", "territorial", "plan:3")
    assert owner(ask(snapshot, at(150, 50), **asked)) == ("W1", "handler", "plan:2")
    assert owner(ask(snapshot, at(50, 150), **asked)) == ("G1", "competent", "plan:1")
    nothing = ask(open_district(tmp_path / "none"), at(50, 50), **asked)
    assert owner(nothing) == ("C1", "territorial", "directory:130102001001")
    assert nothing.reasons == ("no_owner",)


def test_the_city_may_order_the_roles_otherwise(tmp_path: Path) -> None:
    text = (
        PROFILE
        + '[decision]\ncomponent_order = ["owner", "maintainer", "competent", "territorial"]\n'
    )
    components = [
        component("1301020104000001", point(50, 50), maintainer_code="W1", owner_code="W2")
    ]
    snapshot = open_district(tmp_path, city=profile(text), components=components)
    assert owner(ask(snapshot, at(50, 50)))[:2] == ("W2", "owner")


def test_a_named_component_is_the_place(tmp_path: Path) -> None:
    components = [component("1301020104000001", point(150, 150), maintainer_code="W1")]
    snapshot = open_district(tmp_path, components=components)
    decision = ask(snapshot, None, component_code="1301020104000001", class_code=None)
    assert decision.location.source == "component_code"
    assert decision.location.accuracy_m == 0.5
    assert decision.grid is not None
    assert decision.grid.code == B2
    assert owner(decision)[0] == "W1"
    assert decision.reasons == ()
    far = ask(snapshot, at(50, 50), component_code="1301020104000001", class_code="0103")
    assert far.location.source == "component_code"
    assert set(far.reasons) == {"component_position_disagree", "class_conflict"}
    unknown = ask(snapshot, at(150, 150), component_code="9")
    assert unknown.location.source == "position"
    assert unknown.component is not None
    assert "component_code_unknown" in unknown.reasons


def test_position_and_address_that_disagree_are_both_shown(tmp_path: Path) -> None:
    places = [place("p", "poi", "人民医院", point(150, 150))]
    snapshot = open_district(tmp_path, places=places)
    decision = ask(snapshot, at(50, 50, 10.0), address="人民医院", class_code=None)
    assert decision.location.source == "position"
    assert "position_address_disagree" in decision.reasons
    located = [(s.candidate, s.outcome, s.why) for s in decision.trace if s.step == "locate"]
    # 141.4 m apart; the point of interest is known to 15 m.
    assert located[1] == (
        "address: 人民医院",
        "rejected",
        "141 m from the place used; they disagree",
    )
    near = ask(snapshot, at(140, 140, 10.0), address="人民医院", class_code=None)
    assert near.reasons == ("class_missing",)
    assert near.grid is not None


def test_an_address_alone_places_the_case(tmp_path: Path) -> None:
    snapshot = open_district(tmp_path, places=[place("p", "poi", "人民医院", point(150, 150))])
    decision = ask(snapshot, None, address="人民医院", class_code=None)
    assert (decision.location.source, decision.location.accuracy_m) == ("address", 15.0)
    assert decision.location.address == "长安区人民医院"
    lost = ask(snapshot, None, address="外星人基地", class_code=None)
    assert lost.location.source == "none"
    assert {"not_located", "address_unknown"} <= set(lost.reasons)
    assert lost.probability == 0.0
    assert owner(lost)[0] == "D1"  # always one owning unit: the largest territory


def test_vendor_coordinates_are_converted(tmp_path: Path) -> None:
    snapshot = open_district(tmp_path)
    for crs in ("GCJ-02", "BD-09", "EPSG:4326", "EPSG:4526"):
        x, y = transform_xy([X0 + 50], [Y0 + 40], source="EPSG:4547", target=crs)
        decision = ask(snapshot, Position(x=x[0], y=y[0], crs=crs, accuracy_m=1), class_code=None)
        assert decision.grid is not None
        assert decision.grid.edge_distance_m == pytest.approx(40, abs=0.01), crs


@pytest.mark.parametrize(
    "position",
    [
        Position(x=float("nan"), y=38.0),
        Position(x=38.0, y=114.0),
        Position(x=114.0, y=38.0, crs="EPSG:1"),
        Position(x=float("inf"), y=0.0, crs="city"),
    ],
)
def test_a_position_that_is_no_place_is_refused(tmp_path: Path, position: Position) -> None:
    with pytest.raises(RequestError):
        ask(open_district(tmp_path), position)


def test_unknown_classes_and_lost_zeros(tmp_path: Path) -> None:
    components = [component("1301020104000001", point(50, 50), maintainer_code="W1")]
    snapshot = open_district(tmp_path, components=components)
    assert owner(ask(snapshot, at(50, 50), class_code="104"))[0] == "W1"
    assert "class_unknown" in ask(snapshot, at(50, 50), class_code="9999").reasons


def test_as_of_asks_the_past(tmp_path: Path) -> None:
    changed = date(2026, 1, 1)
    old = [record | {"valid_to": changed} for record in GRIDS]
    new = [grid("130102001001009", box(0, 0, 200, 200), valid_from=changed)]
    components = [
        component("1301020104000001", point(50, 50), maintainer_code="W1", valid_to=changed),
        component("1301020104000001", point(50, 50), maintainer_code="W2", valid_from=changed),
    ]
    snapshot = open_district(tmp_path, unit_grids=old + new, components=components)
    past, last, now = (
        ask(snapshot, at(50, 50), as_of=day) for day in (FROM, date(2025, 12, 31), changed)
    )
    live = ask(snapshot, at(50, 50))
    grids = [d.grid.code if d.grid else None for d in (past, last, now, live)]
    assert grids == [A1, A1, "130102001001009", "130102001001009"]
    assert [owner(d)[0] for d in (past, last, now, live)] == ["W1", "W1", "W2", "W2"]
    before = ask(snapshot, at(50, 50), as_of=date(2024, 12, 31))
    assert before.grid is None
    assert before.owner is None
    assert {"no_grids", "no_units"} <= set(before.reasons)


def test_a_grid_whose_community_is_not_the_one_at_the_place(tmp_path: Path) -> None:
    swapped = [
        AREAS[0],
        AREAS[1],
        AREAS[2] | {"geometry": box(0, 0, 200, 60)},
        AREAS[3] | {"geometry": box(0, 60, 200, 200)},
    ]
    decision = ask(open_district(tmp_path, areas=swapped), at(50, 80), class_code=None)
    assert "area_mismatch" in decision.reasons
    assert owner(decision)[0] == "C1"  # the grid's community decides


def test_units_that_sent_the_case_back_are_left_out(tmp_path: Path) -> None:
    components = [
        component("1301020104000001", point(50, 50), maintainer_code="W1", owner_code="W2")
    ]
    snapshot = open_district(tmp_path, components=components)
    case = Case(class_code="0104", position=at(50, 50))
    decision = decide(snapshot, case, excluded=frozenset({"W1"}))
    assert owner(decision)[:2] == ("W2", "owner")
    assert "refused" in decision.reasons
    everybody = frozenset(record["code"] for record in UNITS)
    assert decide(snapshot, case, excluded=everybody).owner is None
