"""A probability means what it says: cases of the sample district whose truth is known, reported with every fault."""

import numpy as np
import pytest

from api import Snapshot
from api.owning.calibration import (
    OWNER_EVIDENCE,
    calibrate,
    calibrate_owner,
    calibrate_owners,
    owner_evidence,
)
from gis.codes import read_table
from tests.benchmarks.decision.__main__ import component_answers
from tests.benchmarks.decision.reliability import fit, reliability
from tests.benchmarks.decision.world import Judged, judge_cases


@pytest.fixture(scope="module")
def judged(sample_snapshot: Snapshot) -> Judged:
    return judge_cases(sample_snapshot, count=3000, seed=9)


@pytest.mark.slow
def test_components_said_to_be_sure_are_right_as_often(judged: Judged) -> None:
    said, right, evidence = component_answers(judged)
    table = reliability("component", said[evidence == "position"], right[evidence == "position"])
    assert table.count.sum() > 700
    assert table.error < 0.05
    assert table.brier < 0.09
    assert 0.5 < table.sure < 0.9  # sharp, and yet not sure of everything
    assert abs(table.said[9] - table.right[9]) < 0.03


@pytest.mark.slow
def test_owning_units_said_to_be_sure_are_right_as_often(judged: Judged) -> None:
    for is_component in (False, True):
        own = judged.is_plain & (judged.is_component == is_component)
        table = reliability("owner", judged.solution.probability[own], judged.owner_right[own])
        assert table.count.sum() > 1000
        assert table.error < 0.04
        assert table.brier < 0.05
        assert abs(table.said[9] - table.right[9]) < 0.02


@pytest.mark.slow
def test_shares_of_grids_are_right_as_often_where_accuracies_are_honest(judged: Judged) -> None:
    # One position in five states an accuracy that is not its own: shares say what that one means.
    solution = judged.solution
    own = (judged.evidence == "position") & (solution.grid.distance_m == 0.0)
    table = reliability("grid", solution.grid_probability[own], judged.grid_right[own])
    assert table.error < 0.06


def test_a_map_never_falls_and_stays_within_its_bounds() -> None:
    rows = read_table("api.owning", "calibration.csv")
    for answer, evidence in {(row["answer"], row["evidence"]) for row in rows}:
        model = np.linspace(0, 1, 501)
        told = calibrate(answer, model, np.zeros(501, dtype=int), names=(evidence,))
        assert (np.diff(told) >= 0).all()
        assert told[0] == 0.0
        assert told[-1] < 1.0
    assert all(row["fitted_on"] and int(row["cases"]) > 0 for row in rows)


def test_a_dispute_stays_a_factor() -> None:
    wanted, found = np.array([True] * 3), np.array([False] * 3)
    evidence = owner_evidence(np.array([1, 1, -1]), wanted, found, wanted)
    assert [OWNER_EVIDENCE[number] for number in evidence[:2]] == ["absent/position"] * 2
    sure, half, nowhere = calibrate_owners(
        np.array([1.0, 0.5, 0.3]), np.array([1.0, 0.5, 1.0]), evidence
    )
    assert half == pytest.approx(0.5 * sure)
    assert 0.5 < sure < 1.0
    assert nowhere == pytest.approx(0.3)  # no place: nothing was fitted
    assert calibrate_owner(0.5, 0.5, "absent/position") == pytest.approx(half)


def test_a_fit_pools_what_would_fall() -> None:
    rng = np.random.default_rng(1)
    model = rng.uniform(size=20_000)
    right = rng.uniform(size=20_000) < model**2
    x, y, count = fit(model, right)
    assert (np.diff(x) > 0).all()
    assert (np.diff(y) > 0).all()
    assert count.sum() == 20_000
    np.testing.assert_allclose(np.interp([0.3, 0.6, 0.9], x, y), [0.09, 0.36, 0.81], atol=0.03)
