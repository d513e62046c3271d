"""One case found by itself is told as the arrays tell it: compared field by field on random cases."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from api import Case, Position, Snapshot
from api.assign import decide
from api.models import Decision
from api.owning.owner_table import owner_table_of
from api.questions import ask_cases, ask_frame
from api.single import find_one
from api.solution import solve
from api.telling.decision import tell
from api.telling.finding import finding_of
from gis.crs import transform_xy
from gis.errors import RequestError
from tests.api.district import (
    GRIDS,
    PROFILE,
    UNITS,
    X0,
    Y0,
    box,
    component,
    open_district,
    plan,
    plan_area,
    profile,
    unit,
)

NOW = datetime(2026, 7, 1, 4, 0, tzinfo=UTC)
CITY = "EPSG:4547"
CHANGED = date(2026, 3, 1)


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The district with 300 components of three classes, their owners disputed, unknown or gone."""
    rng = np.random.default_rng(7)
    rows = []
    for number in range(300):
        code = f"130102{('0104', '0137', '0201')[number % 3]}{number:06d}"
        x, y = X0 + rng.uniform(-20, 220), Y0 + rng.uniform(-20, 220)
        shape: Any = shapely.Point(x, y)
        if number % 10 == 9:
            shape = shapely.LineString([(x, y), (x + 15, y + 4)])
        told = {
            "maintainer_code": (None, "W1", "W2", "X9")[number % 4],
            "owner_code": (None, "G1")[number % 2],
            "ownership_state": ("confirmed", "disputed", "none")[number % 7 % 3],
            "condition": "removed" if number % 13 == 0 else "intact",
            "valid_to": CHANGED if number % 11 == 0 else None,
        }
        rows.append(component(code, shape, **told))
    night = {"hours": "22:00/06:00", "limit_value": 2.0, "limit_unit": "working_hour"}
    rules = [
        plan("1", "maintainer", "W1", class_code="0104", area_code=GRIDS[0]["code"]),
        plan("2", "maintainer", "W2", class_code="0104", area_code="130102001002"),
        plan("3", "owner", "G1", class_code="02", **night),
        plan("4", "competent", "G1", class_code="0137"),
        plan("5", "competent", "W2", class_code="0137"),
        plan("6", "handler", "G1", kind="event", class_code="01", area_code="130102001001"),
        plan("7", "handler", "W1", kind="event", **night),
    ]
    units = [*UNITS, unit("C2", "平安居委会", "territorial", area_code="130102001002")]
    folder = tmp_path_factory.mktemp("single")
    return open_district(folder, components=rows, responsibility=rules, units=units)


def cases(count: int, seed: int) -> Iterator[Case]:
    """Yield questions: inside, outside, on borders and a hair beside them, in every CRS, also no place."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        x, y = rng.uniform(-60, 260, 2) if number % 3 else rng.choice([0, 100, 200], 2)
        east, north = X0 + float(x), Y0 + float(y)
        hair = rng.choice([-np.inf, 0, np.inf], 2)
        east = east if hair[0] == 0 else float(np.nextafter(east, hair[0]))
        north = north if hair[1] == 0 else float(np.nextafter(north, hair[1]))
        crs = str(rng.choice(["city", CITY, "EPSG:4490", "EPSG:4326", "GCJ-02", "BD-09"]))
        if crs not in ("city", CITY):
            lon, lat = transform_xy([east], [north], source=CITY, target=crs)
            east, north = float(lon[0]), float(lat[0])
        if number % 97 == 0:
            east = float(rng.choice([np.nan, np.inf, 1e300]))
        kind: Any = rng.choice(["component", "event"])
        classes = ["0101", "0103", "0299"] if kind == "event" else ["0104", "0137", "0201", "104"]
        yield Case(
            case_id=f"K{number}",
            kind=kind,
            class_code=None if number % 9 == 0 else str(rng.choice([*classes, "9999"])),
            position=Position(
                x=east,
                y=north,
                crs="EPSG:99999" if number % 101 == 0 else crs,
                accuracy_m=rng.choice([None, 0.0, 0.3, 3.0, 12.0, 60.0]),
            ),
            address="长安区" if number % 53 == 0 else None,
            component_code="1301020104000003" if number % 59 == 0 else None,
            reported_at=rng.choice(
                [
                    None,
                    datetime(2026, 7, 1, 15, 30, tzinfo=UTC),
                    datetime(2026, 2, 3, 9, 15, tzinfo=UTC),
                ]
            ),
            as_of=None if number % 8 else date(2026, 1, 15),
        )


def by_arrays(snapshot: Snapshot, case: Case, **more: Any) -> Decision:
    questions = ask_cases(snapshot, [case], now=NOW)
    return tell(finding_of(solve(snapshot.edition(case.as_of), questions, **more), 0))


def same(one: Any, other: Any, place: str = "") -> None:
    """Fail where two answers differ; numbers may by rounding."""
    assert type(one) is type(other), place
    if isinstance(one, dict):
        assert one.keys() == other.keys(), place
        for name in one:
            same(one[name], other[name], f"{place}.{name}")
    elif isinstance(one, list | tuple):
        assert len(one) == len(other), (place, one, other)
        for number, pair in enumerate(zip(one, other, strict=True)):
            same(*pair, f"{place}[{number}]")
    elif isinstance(one, float):
        assert one == pytest.approx(other, abs=1e-9, rel=1e-12, nan_ok=True), place
    else:
        assert one == other, place


def without_end(decision: Decision) -> Decision:
    owner = decision.owner
    return decision if owner is None else replace(decision, owner=replace(owner, due_at=None))


def test_single_cases_agree_with_the_arrays(snapshot: Snapshot) -> None:
    plain = 0
    for case in cases(1000, seed=1):
        plain += find_one(snapshot, case, now=NOW) is not None
        try:
            told = decide(snapshot, case, now=NOW)
        except RequestError:
            position = case.position
            assert position is not None
            assert position.crs == "EPSG:99999" or not abs(position.x) < 1e9
            continue
        same(asdict(without_end(told)), asdict(by_arrays(snapshot, case)), f"{case}")
    # Had every case gone to the arrays, nothing would have been compared.
    assert plain > 250


def test_ellipses_and_cut_grids_agree_with_the_arrays(tmp_path: Path) -> None:
    rules = [
        plan("1", "handler", "W1", kind="event", area_code="P1"),
        plan("2", "maintainer", "W2", class_code="0104", area_code="P1"),
    ]
    hers = plan_area("P1", box(100, 50, 200, 100))
    things = [component("1301020104000001", shapely.Point(X0 + 120, Y0 + 60))]
    city = open_district(tmp_path, plan_areas=[hers], responsibility=rules, components=things)
    rng = np.random.default_rng(8)
    for number in range(60):
        east, north = rng.uniform(-40, 240, 2) if number % 2 else rng.uniform(80, 130, 2)
        at = Position(
            x=X0 + float(east),
            y=Y0 + float(north),
            crs="city",
            accuracy_m=12.0,
            accuracy_minor_m=None if number % 3 == 0 else 4.0,
            accuracy_bearing_deg=20.0 * number,
        )
        kind: Any = ("event", "component")[number % 2]
        case = Case(kind=kind, class_code=("0103", "0104")[number % 2], position=at)
        assert find_one(city, case, now=NOW) is not None
        told = decide(city, case, now=NOW)
        same(asdict(without_end(told)), asdict(by_arrays(city, case)), f"{case}")


def test_units_that_sent_a_case_back_are_left_out_as_in_the_arrays(snapshot: Snapshot) -> None:
    excluded = frozenset({"W1", "C1"})
    seen = set()
    for case in cases(300, seed=2):
        finding = find_one(snapshot, case, now=NOW, excluded=excluded)
        if finding is None:
            continue
        told = tell(finding)
        same(asdict(told), asdict(by_arrays(snapshot, case, excluded=excluded)), f"{case}")
        assert "refused" in told.reasons
        seen.add(told.owner.unit_code if told.owner else "")
    assert not seen & excluded
    assert len(seen) > 1


def test_without_its_trace_a_decision_is_the_same_otherwise(snapshot: Snapshot) -> None:
    for case in cases(60, seed=3):
        try:
            full = decide(snapshot, case, now=NOW)
        except RequestError:
            continue
        assert full.trace
        assert decide(snapshot, case, now=NOW, traced=False) == replace(full, trace=())


def test_a_plan_area_in_the_next_grid_is_seen_from_beside_it(tmp_path: Path) -> None:
    # A1 is whole; of what the error reaches beyond its border half is the plan area's.
    hers = plan_area("P1", box(100, 50, 200, 100))
    rows = [plan("1", "handler", "W1", kind="event", area_code="P1")]
    order = profile(PROFILE + '\n[decision]\nevent_order = ["handler", "territorial"]\n')
    city = open_district(tmp_path, city=order, plan_areas=[hers], responsibility=rows)
    at = Position(x=X0 + 97, y=Y0 + 50, crs="city", accuracy_m=5.0)
    case = Case(kind="event", class_code="0103", position=at)
    told = decide(city, case, now=NOW)
    same(asdict(told), asdict(by_arrays(city, case)))
    assert told.owner is not None
    assert [(o.unit_code, o.cause) for o in told.owner.alternatives] == [("W1", "place")]
    half = 0.5 * NormalDist().cdf(-3 / 5)
    assert told.owner.alternatives[0].probability == pytest.approx(half, abs=1e-4)


def test_however_many_units_sent_cases_back_the_answers_stay(snapshot: Snapshot) -> None:
    asked = [case for case in cases(120, seed=4) if find_one(snapshot, case, now=NOW)]
    before = [decide(snapshot, case, now=NOW) for case in asked]
    for number in range(80):
        excluded = frozenset({f"X{number}"})
        decide(snapshot, asked[number % len(asked)], now=NOW, excluded=excluded)
    assert [decide(snapshot, case, now=NOW) for case in asked] == before
    by_array = [by_arrays(snapshot, case) for case in asked]
    same([asdict(without_end(told)) for told in before], [asdict(told) for told in by_array])


def test_a_table_of_too_many_classes_is_begun_anew(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.owning.owner_table._MOST_TOPICS", 50)
    edition = snapshot.edition(date(2026, 1, 20))
    table = owner_table_of(edition, frozenset())
    at = {"kind": "event", "x": X0 + 50, "y": Y0 + 50, "crs": "city"}
    rows = pd.DataFrame([at | {"class_code": f"W{number}"} for number in range(200)])
    first = solve(edition, ask_frame(snapshot, rows, now=NOW))
    assert owner_table_of(edition, frozenset()) is not table
    again = solve(edition, ask_frame(snapshot, rows, now=NOW))
    assert first.owners is not again.owners
    assert [f.unit for f in first.resolutions] == [f.unit for f in again.resolutions]


def test_a_district_without_grids_is_left_to_the_arrays(tmp_path: Path) -> None:
    bare = open_district(tmp_path, unit_grids=[])
    case = Case(position=Position(x=X0 + 50, y=Y0 + 50, crs="city"))
    assert find_one(bare, case) is None
    assert "no_grids" in decide(bare, case).reasons
