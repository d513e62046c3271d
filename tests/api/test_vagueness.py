"""Vague positions over the drawn district: what they leave open, worked out by hand."""

from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest

from api import Case, Decision, Position, Snapshot
from api.assign import assign_frame
from tests.api.district import (
    BOTH_UNITS,
    X0,
    Y0,
    box,
    component,
    open_district,
    plan,
    plan_area,
    point,
)

PHI = NormalDist().cdf


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    lamp = component("1301020104000001", point(50, 50), maintainer_code="W1")
    return open_district(tmp_path_factory.mktemp("vague"), units=BOTH_UNITS, components=[lamp])


def ask(snapshot: Snapshot, sigma_m: float, *, y: float = 50.0, **values: object) -> Decision:
    position = Position(x=X0 + 50, y=Y0 + y, crs="city", accuracy_m=sigma_m)
    told = {"kind": "event", "class_code": "0103"} | values
    return snapshot.decide(Case(position=position, **told))  # type: ignore[arg-type]


def south(sigma_m: float, y: float = 50.0) -> float:
    """Share of the southern community in what of the error lies in the district."""
    low, middle, high = (PHI((border - y) / sigma_m) for border in (0, 100, 200))
    return (middle - low) / (high - low)


@pytest.mark.parametrize("sigma_m", [100.0, 199.0, 201.0, 400.0, 2_000.0])
def test_the_shares_go_on_evenly_where_grids_become_points(
    snapshot: Snapshot, sigma_m: float
) -> None:
    told = ask(snapshot, sigma_m)
    assert told.owner is not None
    assert told.owner.unit_code == "C1"
    assert told.probability == pytest.approx(south(sigma_m), abs=0.004)
    assert told.probability + told.owner.alternatives[0].probability == pytest.approx(1.0)
    assert told.owner.alternatives[0].unit_code == "C2"
    assert {"edge_responsibility", "low_probability"} <= set(told.reasons)


@pytest.mark.parametrize("sigma_m", [1e4, 1e5, 1e9, 1e160])
def test_no_position_is_too_bad_to_be_doubted(snapshot: Snapshot, sigma_m: float) -> None:
    told = ask(snapshot, sigma_m)
    assert told.probability == pytest.approx(0.5, abs=0.004)
    assert told.needs_review
    position = {"x": X0 + 50, "y": Y0 + 50, "crs": "city", "accuracy_m": sigma_m}
    case = {"kind": "event", "class_code": "0103", **position}
    row = assign_frame(snapshot, pd.DataFrame([case])).iloc[0]
    assert row["probability"] == pytest.approx(told.probability)
    assert row["reasons"] == ";".join(told.reasons)


def test_an_ellipse_along_a_street_stays_in_it(snapshot: Snapshot) -> None:
    # 5 km along the street from west to east, 20 m across: 50 m from the border, 2.5 deviations.
    position = Position(
        x=X0 + 50,
        y=Y0 + 50,
        crs="city",
        accuracy_m=5_000.0,
        accuracy_minor_m=20.0,
        accuracy_bearing_deg=90.0,
    )
    told = snapshot.decide(Case(kind="event", class_code="0103", position=position))
    assert told.owner is not None
    assert told.owner.unit_code == "C1"
    assert told.probability > 0.9


def test_a_vague_position_finds_no_component(snapshot: Snapshot) -> None:
    near = ask(snapshot, 5.0, kind="component", class_code="0104")
    assert near.component is not None
    far = ask(snapshot, 1_000.0, kind="component", class_code="0104")
    assert far.component is None
    assert "component_not_found" in far.reasons


def test_plan_areas_have_their_share_of_a_vague_position(tmp_path: Path) -> None:
    # A quarter of the district, on which the plan names W1.
    rows = [plan("1", "territorial", "W1", kind="event", area_code="P1")]
    hers = plan_area("P1", box(50, 50, 150, 150))
    city = open_district(tmp_path, plan_areas=[hers], responsibility=rows, units=BOTH_UNITS)
    told = ask(city, 5_000.0, y=20.0)
    assert told.owner is not None
    shares = {told.owner.unit_code: told.probability} | {
        other.unit_code: other.probability for other in told.owner.alternatives
    }
    assert shares == pytest.approx({"C1": 0.375, "C2": 0.375, "W1": 0.25}, abs=0.004)
    assert np.isclose(sum(shares.values()), 1.0)
