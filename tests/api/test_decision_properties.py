"""Invariants of decisions over a crowded city, and the plan's rule written down plainly a second time."""

from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
import shapely

from api import Case, Position, Snapshot
from api.assign import assign_frame, decide
from api.edition import LEVELS
from api.owning.mixture import mix
from api.placing.chains import Chained
from api.questions import ask_cases
from api.solution import solve
from api.telling.finding import ways_of
from gis.index import Located
from tests.api.district import (
    A1,
    A2,
    B1,
    B2,
    GRIDS,
    PROFILE,
    UNITS,
    X0,
    Y0,
    boundary_road,
    box,
    component,
    line,
    management_grid,
    open_district,
    plan,
    plan_area,
    point,
    profile,
    unit,
)

ZONE = ZoneInfo("Asia/Shanghai")
SOUTH, NORTH, STREET, DISTRICT = A1[:12], B1[:12], A1[:9], A1[:6]
CLASSES = ("0101", "0103", "0201", None)
ROLES = ("territorial", "handler", "competent")
ORDERS = """
[decision]
rival_probability = 0.05
[[decision.class]]
kind = "event"
class_code = "02"
order = ["handler", "competent", "territorial"]
"""
PLAN_AREAS = {
    "P1": box(10, 10, 90, 90),
    "P2": box(60, 60, 140, 140),
    "P3": shapely.Point(X0 + 100, Y0 + 100).buffer(30),
    "P4": box(180, -40, 260, 60),
}
MEMBERS = {"M1": (A1, A2), "M2": (A1, B1)}


def rows_of(random: Random, count: int) -> list[dict[str, Any]]:
    """Draw rows that never tie: each has an area, class, role and condition of its own."""
    areas = [*PLAN_AREAS, *MEMBERS, A1, B2, SOUTH, NORTH, STREET, DISTRICT, "*"]
    units = [record["code"] for record in UNITS]
    seen, rows = set(), []
    while len(rows) < count:
        area, role = random.choice(areas), random.choice(ROLES)
        class_code = random.choice(["*", "01", "02", "0103"])
        hours = random.choice([None, None, "22:00/06:00"])
        # Areas of both trades are equals: only one of them gets rows of a role.
        key = (area[:1] if area in MEMBERS else area, role, class_code, hours)
        if key in seen:
            continue
        seen.add(key)
        rows.append(
            plan(str(len(rows)), role, random.choice(units), kind="event", class_code=class_code,
                 area_code=area, hours=hours)
        )  # fmt: skip
    return rows


def plain_rule(
    rows: list[dict[str, Any]],
    *,
    order: tuple[str, ...],
    class_code: str | None,
    at: Any,
    hour: int,
) -> str | None:
    """Return the unit that a person would read off the plan, or None."""
    held = [name for name, shape in PLAN_AREAS.items() if shapely.covers(shape, at)]
    held.sort(key=lambda name: shapely.area(PLAN_AREAS[name]))
    grids = sorted(g["code"] for g in GRIDS if shapely.covers(g["geometry"], at))
    ladder: list[list[str]] = [[name] for name in held]
    if grids:
        own = grids[0]
        ladder += [[own], [m for m, members in MEMBERS.items() if own in members]]
        ladder += [[own[:12]], [own[:9]], [own[:6]]]
    ladder.append(["*"])
    classes = [class_code, class_code[:2], "*"] if class_code else ["*"]
    for role in order:
        for codes in ladder:
            for wanted in classes:
                for timed in (True, False):
                    for row in rows:
                        holds = not timed or hour >= 22 or hour < 6
                        if (
                            row["role"] == role
                            and row["area_code"] in codes
                            and row["class_code"] == wanted
                            and (row["hours"] is not None) == timed
                            and holds
                        ):
                            return str(row["unit_code"])
    return None


def cases_of(random: Random, count: int, **values: Any) -> list[Case]:
    """Draw cases inside, outside, and exactly on borders, of all classes and hours."""
    grid = [0.0, 10.0, 60.0, 90.0, 100.0, 140.0, 200.0]
    cases = []
    for number in range(count):
        x, y = (
            random.choice(grid) if random.random() < 0.3 else random.uniform(-20, 220)
            for _ in range(2)
        )
        accuracy_m = random.choice([None, 0.5, 5.0, 15.0])
        moment = datetime(2026, 1, 1, tzinfo=ZONE) + timedelta(minutes=random.randrange(525_600))
        position = Position(x=X0 + x, y=Y0 + y, crs="city", accuracy_m=accuracy_m)
        told = {"kind": "event", "class_code": random.choice(CLASSES), "reported_at": moment}
        cases.append(Case(case_id=str(number), position=position, **(told | values)))
    return cases


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_decisions_follow_the_plan_as_it_is_written(tmp_path: Any, seed: int) -> None:
    random = Random(seed)
    rows = rows_of(random, 40)
    areas = [plan_area(code, shape) for code, shape in PLAN_AREAS.items()]
    managed = [management_grid("M1", *MEMBERS["M1"]), management_grid("M2", *MEMBERS["M2"])]
    snapshot = open_district(
        tmp_path,
        city=profile(PROFILE + ORDERS),
        responsibility=rows,
        plan_areas=areas,
        management_grids=managed,
    )
    decided = 0
    cases = [case for case in cases_of(random, 150) if _is_inside(case)]
    for case in cases:
        assert case.position is not None
        assert case.reported_at is not None
        usual = ("handler", "competent", "territorial")
        order = usual if (case.class_code or "")[:2] == "02" else ROLES
        at = shapely.Point(case.position.x, case.position.y)
        wanted = plain_rule(
            rows,
            order=order if case.class_code else ("territorial",),
            class_code=case.class_code,
            at=at,
            hour=case.reported_at.hour,
        )
        told = snapshot.decide(case).owner
        assert told is not None
        decided += wanted is not None
        if wanted is not None:
            assert told.unit_code == wanted, (case, told.rule)
        else:
            assert told.rule.startswith(("directory:", "plan:")), case
    assert decided > 0.6 * len(cases)


def _is_inside(case: Case) -> bool:
    assert case.position is not None
    return bool(
        shapely.covers(box(0, 0, 200, 200), shapely.Point(case.position.x, case.position.y))
    )


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """A city with everything at once: ties, conflicts, disputes, shared roads, gaps."""
    random = Random(11)
    rows = [*rows_of(random, 30), plan("c", "handler", "W1", kind="event", area_code=A1)]
    rows += [
        plan("d", "maintainer", "G1", class_code="0104"),
        plan("e", "handler", "W2", kind="event", area_code=A1),
        plan("f", "maintainer", "W2", class_code="0104", area_code=NORTH),
    ]
    roads = [
        boundary_road("J1", box(0, 90, 200, 110), SOUTH, NORTH, axis=line((0, 99), (200, 101)).wkt),
        boundary_road("J2", box(90, 0, 110, 90), "P1", NORTH, sharing="odd_even"),
        boundary_road("J3", box(140, 140, 200, 160), SOUTH, "nowhere", sharing="joint"),
    ]
    states = ("confirmed", "confirmed", "disputed", "none")
    components = [
        component(
            f"130102010400{number:04}",
            point(random.uniform(0, 200), random.uniform(0, 200)),
            maintainer_code=random.choice(["W1", "W2", "W0", None]),
            owner_code=random.choice(["G1", None]),
            ownership_state=random.choice(states),
        )
        for number in range(150)
    ]
    return open_district(
        tmp_path_factory.mktemp("crowded"),
        units=[*UNITS, unit("W0", "老公司", successor_code="W2")],
        unit_grids=GRIDS[:3],
        responsibility=rows,
        plan_areas=[*roads, *(plan_area(code, shape) for code, shape in PLAN_AREAS.items())],
        management_grids=[management_grid("M1", *MEMBERS["M1"])],
        components=components,
    )


def crowd(random: Random) -> list[Case]:
    odd = [Case(case_id="n", kind="event", class_code="0103"), Case(case_id="m")]
    components = cases_of(random, 80, kind="component", class_code="0104")
    return [*cases_of(random, 80), *components, *odd]


def test_always_one_owner_and_probabilities_that_add_up(crowded: Snapshot) -> None:
    cases = crowd(Random(5))
    solution = solve(crowded.edition(), ask_cases(crowded, cases))
    rivalled = 0
    for number, case in enumerate(cases):
        found = crowded.decide(case)
        assert found.owner is not None
        assert 0.0 <= found.probability <= 1.0
        others = {other.unit_code: other.probability for other in found.owner.alternatives}
        assert found.owner.unit_code not in others
        assert len(others) == len(found.owner.alternatives)
        assert found.probability + sum(others.values()) <= 1.0 + 1e-6
        ways = ways_of(solution, number)
        assert sum(share for _, share in ways.places) == pytest.approx(1.0, abs=1e-6)
        assert sum(share for _, share in ways.components) == pytest.approx(1.0, abs=1e-6)
        mixture = mix(
            solution.edition,
            solution.asked[number],
            places=ways.places,
            components=ways.components,
        )
        total = mixture.probability + sum(rival.probability for rival in mixture.rivals)
        assert total + mixture.unknown == pytest.approx(1.0, abs=1e-6)
        rivalled += bool(mixture.rivals)
        is_sure = found.probability >= 0.8
        assert is_sure or found.needs_review
    assert rivalled > 60


def test_one_and_many_name_the_same_unit_and_reasons(crowded: Snapshot) -> None:
    cases = crowd(Random(6))
    positions = [case.position for case in cases]
    frame = pd.DataFrame(
        {
            "case_id": [case.case_id for case in cases],
            "kind": [case.kind for case in cases],
            "class_code": [case.class_code for case in cases],
            "x": [p.x if p else None for p in positions],
            "y": [p.y if p else None for p in positions],
            "crs": "city",
            "accuracy_m": [p.accuracy_m if p else None for p in positions],
            "reported_at": [
                case.reported_at or datetime(2026, 5, 5, tzinfo=ZONE) for case in cases
            ],
        }
    )
    now = datetime(2026, 5, 5, tzinfo=ZONE)
    answers = assign_frame(crowded, frame, now=now)
    for case, answer in zip(cases, answers.to_dict("records"), strict=True):
        found = decide(crowded, case, now=now)
        assert found.owner is not None
        assert (answer["unit_code"], answer["role"], answer["rule"]) == (
            found.owner.unit_code,
            found.owner.role,
            found.owner.rule,
        )
        assert tuple(filter(None, str(answer["reasons"]).split(";"))) == found.reasons
        assert answer["probability"] == pytest.approx(found.probability, abs=1e-9)


def test_places_looked_up_in_tracts_are_those_of_the_extents(crowded: Snapshot) -> None:
    rng = np.random.default_rng(9)
    lattice = np.array([0.0, 10.0, 60.0, 70.0, 90.0, 99.0, 100.0, 110.0, 130.0, 140.0, 200.0])
    x = X0 + np.concatenate([rng.uniform(-30, 230, 1500), rng.choice(lattice, 1500)])
    y = Y0 + np.concatenate([rng.uniform(-30, 230, 1500), rng.choice(lattice, 1500)])
    day = rng.integers(101, 129, 3000)
    edition = crowded.edition()
    grid = edition.grids.index.locate(x, y)
    areas = {level: edition.areas[level].index.locate(x, y) for level in LEVELS}

    def some(rows: slice) -> Chained:
        return edition.chains.find(
            x[rows],
            y[rows],
            grid=Located(**{name: value[rows] for name, value in vars(grid).items()}),
            areas={
                level: Located(**{name: value[rows] for name, value in vars(found).items()})
                for level, found in areas.items()
            },
            day=day[rows],
        )

    many = some(slice(None))
    few = [some(slice(first, first + 100)) for first in range(0, 3000, 100)]
    for name, values in vars(many).items():
        assert values.tolist() == np.concatenate([vars(part)[name] for part in few]).tolist()
    assert len(set(many.place.tolist())) > 20
    assert {-1, 0, 1} == set(many.side.tolist())


def test_nobody_who_sent_a_case_back_gets_it_again(crowded: Snapshot) -> None:
    everybody = {record["code"] for record in UNITS} - {"W0"}
    for case in crowd(Random(7))[::8]:
        excluded: frozenset[str] = frozenset()
        while (told := decide(crowded, case, excluded=excluded).owner) is not None:
            assert told.unit_code not in excluded
            assert not excluded & {other.unit_code for other in told.alternatives}
            excluded |= {told.unit_code}
        assert excluded == everybody
