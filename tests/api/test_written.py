"""An answer written at once is the one that a serializer makes of the decision, byte by byte."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import shapely

from api import Case, Position, Snapshot
from api.single import find_one
from api.telling.decision import tell
from api.telling.writing import writer_of
from tests.api.district import (
    A1,
    BOTH_UNITS,
    X0,
    Y0,
    boundary_road,
    box,
    component,
    management_grid,
    open_district,
    plan,
)


def compare(snapshot: Snapshot, *, count: int, seed: int) -> list[dict[str, Any]]:
    """Fail where an answer is written otherwise than it is told; return the answers."""
    rng, written = np.random.default_rng(seed), []
    for _ in range(count):
        east, north = rng.uniform(-30, 230, 2).tolist()
        kind: Any = rng.choice(["component", "event"])
        codes = ["0104", "0137"] if kind == "component" else ["0103", "0105"]
        case = Case(
            kind=kind,
            class_code=None if rng.uniform() < 0.1 else str(rng.choice(codes)),
            position=Position(
                x=X0 + east, y=Y0 + north, crs="city", accuracy_m=float(rng.choice([0.3, 5, 20]))
            ),
        )
        finding = find_one(snapshot, case)
        assert finding is not None
        told, writer = tell(finding, traced=False), writer_of(finding.edition)
        assert writer.write(finding, persons=True) == orjson.dumps(told)
        owner = None if told.owner is None else replace(told.owner, persons=())
        without = writer.write(finding, persons=False)
        assert without == orjson.dumps(replace(told, owner=owner))
        assert writer.write(finding, persons=False) == without  # what is kept by then is the same
        written.append(orjson.loads(writer.write(finding, persons=True)))
    return written


def test_components_disputes_and_other_units_are_written_as_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    things = [
        component(
            f"130102{('0104', '0137')[number % 2]}{number:06d}",
            shapely.Point(X0 + rng.uniform(-20, 220), Y0 + rng.uniform(-20, 220)),
            maintainer_code=(None, "W1", "W2", "X9")[number % 4],
            ownership_state=("confirmed", "disputed", "none")[number % 7 % 3],
        )
        for number in range(120)
    ]
    rows = [
        plan("1", "competent", "G1", class_code="0137", limit_value=2, limit_unit="working_hour"),
        plan("2", "competent", "W2", class_code="0137"),
        plan("3", "handler", "G1", kind="event", filing_condition="单盏“不亮”", area_code=A1),
    ]
    answers = compare(
        open_district(tmp_path, components=things, responsibility=rows), count=300, seed=2
    )
    owners = [answer["owner"] for answer in answers if answer["owner"]]
    assert any(owner["alternatives"] for owner in owners)
    assert any(owner["rule"].startswith("component:") for owner in owners)
    assert any(answer["component"] and answer["component"]["alternatives"] for answer in answers)
    assert any(answer["grid"]["alternatives"] for answer in answers)
    assert any("outside_grids" in answer["reasons"] for answer in answers)


def test_persons_and_boundary_roads_are_written_as_told(tmp_path: Path) -> None:
    road = boundary_road(
        "J1",
        box(0, 90, 200, 110),
        "130102001001",
        "130102001002",
        axis="LINESTRING (500100 4200100, 500000 4200100)",
    )
    managed = management_grid("M1", A1, district_person="赵", district_phone="1", grid_person="孙")
    rows = [plan("1", "handler", "W1", kind="event", area_code="M1", limit_value=2, limit_unit="working_hour")]  # fmt: skip
    city = open_district(
        tmp_path,
        plan_areas=[road],
        units=BOTH_UNITS,
        responsibility=rows,
        management_grids=[managed],
    )
    answers = compare(city, count=200, seed=3)
    assert any(answer["boundary"] for answer in answers)
    assert any(answer["owner"] and answer["owner"]["persons"] for answer in answers)


def test_without_any_unit_there_is_no_owner(tmp_path: Path) -> None:
    answers = compare(open_district(tmp_path, units=[]), count=20, seed=4)
    assert {answer["owner"] for answer in answers} == {None}
