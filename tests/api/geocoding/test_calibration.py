"""Evidence and scores: what every piece says, and that a score never falls as evidence grows."""

import numpy as np
import pytest

from api.geocoding.calibration import GROUPS, calibrated, weights
from api.geocoding.candidates import Candidate, Spot
from api.geocoding.explanation import explain
from api.geocoding.ranking import rank
from gis.codes import read_table

HERE = Spot(x=0.0, y=0.0, sigma_m=8.0)
FAR = Spot(x=5_000.0, y=0.0, sigma_m=8.0)


def at(spot: Spot, row: int, *evidence: str, match: str = "name") -> Candidate:
    return Candidate(row=row, spot=spot, match=match, evidence=evidence)


@pytest.mark.parametrize("match", ["name", "similar", "interpolated", "nearest"])
def test_calibration_never_falls_and_stays_a_probability(match: str) -> None:
    shares = [calibrated(float(score), match) for score in np.linspace(0.0, 1.0, 501)]
    assert shares == sorted(shares)
    assert min(shares) >= 0.0
    assert max(shares) <= 1.0


def test_every_group_is_of_known_matches_and_has_its_lines() -> None:
    known = {row["code"] for row in read_table("api.geocoding", "evidence.csv")}
    assert set(GROUPS) <= known
    lines = [row["group"] for row in read_table("api.geocoding", "calibration.csv")]
    assert set(lines) == {"name", *GROUPS.values()} - {"distance", "part"}


def test_every_piece_of_evidence_is_told_in_both_languages() -> None:
    rows = read_table("api.geocoding", "evidence.csv")
    codes = [row["code"] for row in rows]
    assert len(codes) == len(set(codes))
    assert all(row["en"] and row["zh"] for row in rows)
    assert set(codes) == set(weights())


@pytest.mark.parametrize(
    "code",
    ["area_contradicts", "area_unknown", "number_unmatched", "building_unmatched", "branch_unmatched",
     "rest_unmatched", "words_many_dropped", "parts_contradict", "crossing_unmatched", "name_alike"],
)  # fmt: skip
def test_what_is_not_matched_lowers_the_score(code: str) -> None:
    plain, less = (rank([at(HERE, 1, *codes)])[0].score for codes in ((), (code,)))
    assert less < plain


def test_rivals_share_by_their_odds_and_places_at_one_point_do_not() -> None:
    alone = rank([at(HERE, 1)])[0].score
    two = rank([at(HERE, 1), at(FAR, 2)])
    assert two[0].score == two[1].score < 0.6
    assert all("rivals" in item.evidence for item in two)
    assert rank([at(HERE, 1), at(HERE, 2)])[0].score == alone
    weak = rank([at(HERE, 1), at(FAR, 2, "area_contradicts")])
    assert [item.row for item in weak] == [1, 2]
    assert weak[0].score > 0.9 * alone
    assert weak[1].score < 0.2


def test_order_of_candidates_does_not_matter() -> None:
    items = [at(HERE, 1), at(FAR, 2, "name_alike"), at(FAR, 3, match="road")]
    assert rank(items) == rank(items[::-1])


def test_words_of_an_answer() -> None:
    english, chinese = explain("interpolated", ("area_agrees", "poi_unmatched"))
    assert english.startswith("placed between known numbers of the road; it lies in")
    assert chinese.count("；") == 2
