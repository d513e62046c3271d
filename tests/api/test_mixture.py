"""Who else a case may belong to: sums over places and components, worked out by hand."""

from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
import shapely

from api import Case, Snapshot
from api.models import Decision, Position
from api.owning.candidates import OwnerQuestion, OwnRecord
from api.owning.mixture import Mixture, mix
from api.questions import ask_cases
from api.solution import Solution, solve
from api.telling.finding import ways_of
from census.plan.chains import Chain
from tests.api.district import (
    A1,
    A2,
    B1,
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

SOUTH, NORTH = A1[:12], B1[:12]
SOUTHERN, NORTHERN = Chain(A1, SOUTH), Chain(B1, NORTH)
PHI = NormalDist().cdf


def record(maintainer: str | None, state: str = "confirmed") -> OwnRecord:
    return OwnRecord(state, ((maintainer, None), (None, None), (None, None)))


def question(own: OwnRecord | None = None, **values: Any) -> OwnerQuestion:
    kind = "component" if own is not None else "event"
    told = {"kind": kind, "class_code": "0104", "chain": SOUTHERN, "record": own, "holding": b""}
    return OwnerQuestion(**(told | values))


def told(mixture: Mixture) -> list[tuple[str, float, str]]:
    return [(r.unit.code, round(r.probability, 6), r.cause) for r in mixture.rivals]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    return open_district(tmp_path_factory.mktemp("district"), units=BOTH_UNITS)


def test_two_places_of_two_units(snapshot: Snapshot) -> None:
    places = [(SOUTHERN, 0.7), (NORTHERN, 0.3)]
    found = mix(snapshot.edition(), question(), places=places, components=[(None, 1.0)])
    assert found.chosen.unit is not None
    assert (found.chosen.unit.code, found.probability) == ("C1", 0.7)
    assert told(found) == [("C2", 0.3, "place")]
    assert found.reasons(least=0.3) == ("edge_responsibility",)
    assert found.reasons(least=0.31) == ()


def test_a_record_is_the_same_at_every_place(snapshot: Snapshot) -> None:
    places = [(SOUTHERN, 0.6), (NORTHERN, 0.4)]
    own = record("W1")
    found = mix(snapshot.edition(), question(own), places=places, components=[(own, 1.0)])
    assert (found.probability, found.rivals, found.unknown) == (1.0, (), 0.0)


def test_components_of_several_units_and_none_of_them(snapshot: Snapshot) -> None:
    own = record("W1")
    components = [(own, 0.5), (record("W2"), 0.2), (own, 0.1), (record(None), 0.1), (None, 0.1)]
    places = [(SOUTHERN, 0.75), (NORTHERN, 0.25)]
    found = mix(snapshot.edition(), question(own), places=places, components=components)
    assert found.probability == pytest.approx(0.6)
    # Without a unit of its own, or none of those known, the territory of either place has it.
    assert told(found) == [
        ("W2", 0.2, "component"),
        ("C1", 0.15, "component"),
        ("C2", 0.05, "component"),
    ]
    assert found.rivals[0].component == 1
    assert found.reasons(least=0.2) == ("cross_responsibility",)


def test_a_dispute_and_a_doubtful_component_together(snapshot: Snapshot) -> None:
    own = OwnRecord("disputed", (("W1", None), ("W2", None), (None, None)))
    components = [(own, 0.8), (record("W2"), 0.2)]
    found = mix(snapshot.edition(), question(own), places=[(SOUTHERN, 1.0)], components=components)
    assert found.probability == pytest.approx(0.4)
    assert told(found) == [("W2", 0.6, "dispute")]
    assert found.rivals[0].by_cause == pytest.approx((0.0, 0.2, 0.0, 0.4, 0.0))


def test_what_is_nobodys_is_unknown(snapshot: Snapshot) -> None:
    everybody = frozenset(row["code"] for row in BOTH_UNITS)
    asked = question(excluded=everybody)
    found = mix(snapshot.edition(), asked, places=[(SOUTHERN, 1.0)], components=[(None, 1.0)])
    assert found.chosen.unit is None
    assert (found.probability, found.rivals, found.unknown) == (0.0, (), 1.0)


# The places of a case, from its error disc.


def solved(
    snapshot: Snapshot, x: float, y: float, sigma_m: float | None, **values: Any
) -> Solution:
    position = Position(x=X0 + x, y=Y0 + y, crs="city", accuracy_m=sigma_m)
    case = Case(position=position, **({"kind": "event", "class_code": "0103"} | values))
    return solve(snapshot.edition(), ask_cases(snapshot, [case]))


def mixture_of(solution: Solution) -> Mixture:
    ways = ways_of(solution, 0)
    return mix(solution.edition, solution.asked[0], places=ways.places, components=ways.components)


def places(solution: Solution) -> list[tuple[Chain, float]]:
    return ways_of(solution, 0).places


def test_the_border_of_two_communities(snapshot: Snapshot) -> None:
    """5 m from the border with a deviation of 10 m: half a deviation."""
    solution = solved(snapshot, 50, 95, 10)
    found = mixture_of(solution)
    # Of the normal error in x the grids hold everything but what is five deviations off.
    assert found.probability == pytest.approx(PHI(0.5), abs=1e-4)
    assert told(found) == [("C2", pytest.approx(PHI(-0.5), abs=1e-4), "place")]


def test_at_the_city_border_the_case_still_lies_in_the_city(snapshot: Snapshot) -> None:
    solution = solved(snapshot, 50, 0, 5)
    assert sum(share for _, share in places(solution)) == pytest.approx(1.0)
    assert mixture_of(solution).probability == pytest.approx(1.0)


def test_without_a_place_the_city_answers(snapshot: Snapshot) -> None:
    case = Case(kind="event", class_code="0103")
    solution = solve(snapshot.edition(), ask_cases(snapshot, [case]))
    assert places(solution) == [(Chain(), 1.0)]


def test_tracts_cut_the_disc_along_plan_areas(tmp_path: Path) -> None:
    areas = [plan_area("P1", box(0, 0, 50, 100)), plan_area("P2", box(40, 0, 60, 100))]
    rows = [
        plan("1", "handler", "W1", kind="event", area_code="P1"),
        plan("2", "handler", "W2", kind="event", area_code="P2"),
    ]
    snapshot = open_district(tmp_path, plan_areas=areas, responsibility=rows, units=BOTH_UNITS)
    solution = solved(snapshot, 45, 50, 5)
    shares = {chain.plan_areas: share for chain, share in places(solution)}
    # The smaller area comes first where both hold; only named levels tell chains apart.
    assert shares == pytest.approx(
        {
            ("P2", "P1"): PHI(1) - PHI(-1),
            ("P1",): PHI(-1) - PHI(-9),
            ("P2",): PHI(3) - PHI(1),
            (): PHI(-3),
        },
        abs=1e-4,
    )
    found = mixture_of(solution)
    assert found.probability == pytest.approx(PHI(3) - PHI(-1), abs=1e-4)
    assert told(found)[0] == ("W1", pytest.approx(PHI(-1), abs=1e-4), "place")
    # A1 in four parts; B1, which P1 and P2 touch from below, in one; the others are not cut.
    assert snapshot.edition().tracts.grid.tolist() == [0, 0, 0, 0, 2]
    assert snapshot.edition().chains.touched.tolist() == [True, False, True, False]


def test_tracts_follow_the_axis_of_a_boundary_road(tmp_path: Path) -> None:
    """The axis ends within the road and bends; beyond its end it goes on straight."""
    axis = line((30, 100), (100, 100), (170, 110)).wkt
    road = boundary_road("J1", box(0, 80, 200, 120), NORTH, SOUTH, axis=axis)
    snapshot = open_district(tmp_path, plan_areas=[road], units=BOTH_UNITS)
    tracts = snapshot.edition().tracts
    chains = snapshot.edition().chains
    area = {True: 0.0, False: 0.0}
    rng = np.random.default_rng(3)
    x, y = X0 + rng.uniform(0, 200, 500), Y0 + rng.uniform(0, 200, 500)
    for xx, yy in zip(x.tolist(), y.tolist(), strict=True):
        solution = solved(snapshot, xx - X0, yy - Y0, 0.0)
        tract = tracts.index.holder(xx, yy)
        assert tracts.place[0, tract] == solution.chained.place[0], (xx - X0, yy - Y0)
    for place, shape in zip(tracts.place[0].tolist(), _shapes(tracts), strict=True):
        area[chains.full(place).community == NORTH] += shapely.area(shape)
    # North of the road 80 m; of the road what lies above the axis: below y = 110 - falls to 100.
    bend = 0.5 * 100 * (100 / 7)
    assert area[True] == pytest.approx(200 * 80 + 200 * 20 - bend, abs=1e-3)
    assert sum(area.values()) == pytest.approx(40_000)


def _shapes(tracts: Any) -> list[Any]:
    index = tracts.index
    by_code = np.argsort(index.codes, kind="stable")
    shapes = np.empty(len(index.codes), dtype=object)
    shapes[by_code] = index._polygons
    return shapes.tolist()


def test_days_turn_the_places_of_a_road_shared_by_days(tmp_path: Path) -> None:
    road = boundary_road("J1", box(0, 90, 200, 110), SOUTH, NORTH, sharing="odd_even")
    snapshot = open_district(tmp_path, plan_areas=[road], units=BOTH_UNITS)
    tracts, chains = snapshot.edition().tracts, snapshot.edition().chains
    for parity, wanted in ((0, NORTH), (1, SOUTH)):
        found = {
            chains.full(place).community
            for place, shape in zip(tracts.place[parity].tolist(), _shapes(tracts), strict=True)
            if shapely.area(shape) < 1001  # the halves of the road in each grid
        }
        assert found == {wanted}


def test_a_city_without_grids_is_shared_by_its_smallest_areas(tmp_path: Path) -> None:
    snapshot = open_district(tmp_path, unit_grids=[], units=BOTH_UNITS)
    solution = solved(snapshot, 50, 95, 10)
    assert [chain.community for chain, _ in places(solution)] == [SOUTH, NORTH]
    assert places(solution)[0][1] == pytest.approx(PHI(0.5), abs=1e-4)


# What a decision tells of them.


def ask(snapshot: Snapshot, x: float, y: float, sigma_m: float, **values: Any) -> Decision:
    position = Position(x=X0 + x, y=Y0 + y, crs="city", accuracy_m=sigma_m)
    return snapshot.decide(
        Case(position=position, **({"kind": "event", "class_code": "0103"} | values))
    )


def test_the_other_side_of_a_border_is_told_with_its_share(snapshot: Snapshot) -> None:
    decision = ask(snapshot, 50, 95, 10)
    assert decision.owner is not None
    (other,) = decision.owner.alternatives
    assert (other.unit_code, other.unit_name, other.cause) == ("C2", "平安居委会", "place")
    assert other.why == (
        f"the place may lie in community {NORTH}, where directory:{NORTH} names it"
    )
    assert other.why_zh == f"位置可能在社区 {NORTH}，该处由其负责（directory:{NORTH}）"
    assert other.probability + decision.probability == pytest.approx(1.0, abs=0.01)
    assert ask(snapshot, 50, 50, 1).owner.alternatives == ()  # type: ignore[union-attr]


def test_the_unit_of_the_next_component_is_told_with_its_code(tmp_path: Path) -> None:
    components = [
        component("1301020104000001", point(50, 50), maintainer_code="W1"),
        component("1301020104000002", point(53, 50), maintainer_code="W2"),
    ]
    decision = ask(
        open_district(tmp_path, components=components),
        51,
        50,
        2,
        kind="component",
        class_code="0104",
    )
    assert decision.owner is not None
    other = decision.owner.alternatives[0]
    assert (decision.owner.unit_code, other.unit_code, other.cause) == ("W1", "W2", "component")
    assert other.why == (
        "component 1301020104000002, 2.0 m away, may be meant; "
        "component:1301020104000002:maintainer names it"
    )


def test_grids_that_the_same_unit_has_are_no_alternative(snapshot: Snapshot) -> None:
    decision = ask(snapshot, 100, 50, 10)  # the border of A1 and A2, both of the south
    assert decision.grid is not None
    assert [other.code for other in decision.grid.alternatives] == [A2]
    assert decision.owner is not None
    assert decision.owner.alternatives == ()


def test_what_a_fit_takes_from_the_unit_makes_no_neighbour_more_likely(tmp_path: Path) -> None:
    # No component is known: the unit of the plan is right in five cases of six. The border is 10 m off.
    snapshot = open_district(tmp_path, units=BOTH_UNITS)
    at = Position(x=X0 + 50, y=Y0 + 90, crs="city", accuracy_m=10.0)
    for address in (None, "没有的地址"):  # one case by itself, and by the arrays
        told = snapshot.decide(
            Case(kind="component", class_code="0104", position=at, address=address)
        )
        assert "component_not_found" in told.reasons
        assert told.probability < PHI(1.0) - 0.1
        assert told.owner is not None
        (other,) = told.owner.alternatives
        assert (other.unit_code, other.cause) == ("C2", "place")
        assert other.probability == pytest.approx(1 - PHI(1.0), abs=1e-4)
