"""Scores and their sharing, held to a plain reckoning of the rule."""

import math

import numpy as np

from api.geocoding.candidates import Candidate, Spot
from api.geocoding.ranking import is_settled, is_strong, odds, rank


def _candidate(row: int, x: float, match: str = "name", sigma_m: float = 15.0) -> Candidate:
    return Candidate(row=row, spot=Spot(x=x, y=0.0, sigma_m=sigma_m), match=match)


def test_two_that_lie_apart_share_the_score_and_need_no_other_names() -> None:
    found = rank([_candidate(1, 0.0), _candidate(2, 900.0)])
    alone = 1.0 / (1.0 + math.exp(-odds(found[0])))
    assert [item.score for item in found] == [alone / 2.0] * 2
    assert all(item.evidence == ("rivals",) for item in found)
    assert is_settled(found)
    assert not is_strong(found)


def test_two_at_one_place_share_nothing() -> None:
    found = rank([_candidate(1, 0.0), _candidate(2, 40.0)])
    alone = 1.0 / (1.0 + math.exp(-odds(found[0])))
    assert [item.score for item in found] == [alone] * 2
    assert is_strong(found)
    assert found[0].evidence == ()


def test_a_weak_likeness_settles_nothing() -> None:
    assert not is_settled(rank([_candidate(1, 0.0, match="similar")]))
    assert not is_settled([])


def test_many_candidates_are_ranked_as_one_by_one() -> None:
    rng = np.random.default_rng(9)
    matches = np.array(["name", "alias", "similar", "inside", "plate"])
    given = [
        _candidate(
            row, float(rng.uniform(0, 2000)), str(rng.choice(matches)), float(rng.uniform(8, 90))
        )
        for row in range(40)
    ]
    for item in rank(given):
        value, against = odds(given[item.row]), 0.0
        for other in given:
            same_m = max(50.0, 2 * item.spot.sigma_m, 2 * other.spot.sigma_m)
            if other.row != item.row and abs(other.spot.x - item.spot.x) > same_m:
                against += math.exp(min(1.5 * (odds(other) - value), 5.0))
        alone = 1.0 / (1.0 + math.exp(-value))
        assert math.isclose(item.score, alone / (1.0 + against), rel_tol=1e-9)
