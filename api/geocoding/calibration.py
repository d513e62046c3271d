"""What the evidence weighs, and what share of answers of a score is right: tables fitted to answers.

``evidence.csv`` holds each piece of evidence with its words and its weight, the logarithm of the
odds it adds. ``calibration.csv`` maps the score so found to the share of top answers that were
right, for each group of matches; ``python -m tests.benchmarks.geocoding.calibrate`` fits it on answers
that are known, and says on which. The search itself goes by the scores before the table.
"""

from bisect import bisect_right
from collections.abc import Collection
from functools import cache

from gis.codes import read_table


@cache
def weights() -> dict[str, float]:
    """Return the weight of each piece of evidence.

    Examples
    --------
    >>> weights()["area_contradicts"] < 0 < weights()["name"]
    True
    """
    return {
        row["code"]: float(row["weight"]) for row in read_table("api.geocoding", "evidence.csv")
    }


GROUPS = {
    "address": "plate",
    "plate": "plate",
    "member": "plate",
    "lane": "plate",
    "building": "plate",
    "crossing": "plate",
    "between": "plate",
    "inside": "likeness",
    "similar": "likeness",
    "sounding": "likeness",
    "prefix": "likeness",
    "short": "likeness",
    "block": "likeness",
    "pinyin": "likeness",
    "initials": "likeness",
    "interpolated": "placing",
    "beyond": "placing",
    "road": "part",
    "area": "part",
    "nearest": "distance",
}
"""Kind of match -> group of the table; others are of the group ``name``: what was said is known here.

``part`` and ``distance`` have no lines: that a road was found says nothing of the house that was not.
"""
_NEAR_BY = frozenset({"lane_plate_unmatched", "crossing_estimated"})
"""Evidence that an answer lies near what was said, not at it."""
_OF_PART = frozenset({"name_partly", "road_estimated", "compound_estimated"})
"""Evidence that only a part of what was said is known, or that where it lies is known roughly."""
_WIDE = ("road", "area")
_MORE_SAID = frozenset(
    {"relation_applied", "rest_unmatched", "number_unmatched", "crossing_unmatched"}
)
"""Evidence that the text holds more than the road or area that is answered."""
MOST_OF_PART = 0.79
"""Highest score of an answer to a part of what was said."""
OPEN = frozenset({"rivals", "area_unknown", "area_contradicts"})
"""Evidence that another place may be meant just as well: the table does not make such an answer surer."""


def group_of(match: str, evidence: Collection[str] = ()) -> str:
    """Return the group of the table that an answer belongs to.

    Examples
    --------
    >>> group_of("lane"), group_of("lane", ("lane_plate_unmatched",)), group_of("name")
    ('plate', 'placing', 'name')
    """
    return GROUPS.get(match, "name") if _NEAR_BY.isdisjoint(evidence) else "placing"


def is_of_part(match: str, evidence: Collection[str]) -> bool:
    """Tell whether an answer is to a part of what was said.

    Examples
    --------
    >>> is_of_part("road", ()), is_of_part("road", ("relation_applied",))
    (False, True)
    >>> is_of_part("crossing", ("relation_applied",)), is_of_part("inside", ("name_partly",))
    (False, True)
    """
    if not _OF_PART.isdisjoint(evidence):
        return True
    return match in _WIDE and not _MORE_SAID.isdisjoint(evidence)


@cache
def steps_of_groups() -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Return scores and shares of each group, as the table has them."""
    steps: dict[str, tuple[list[float], list[float]]] = {}
    for row in read_table("api.geocoding", "calibration.csv"):
        scores, shares = steps.setdefault(row["group"], ([], []))
        scores.append(float(row["score"]))
        shares.append(float(row["share"]))
    return {group: (tuple(scores), tuple(shares)) for group, (scores, shares) in steps.items()}


def calibrated(score: float, match: str, evidence: Collection[str] = ()) -> float:
    """Return the share of answers of a score that are right; it never falls as the score rises.

    Right is the place that is meant; of what was placed along a road or in an area, a place within
    twice the stated uncertainty and 500 m, and no such answer is given 0.8 or more: it is a place near the one that
    is meant. Nor is a road or an area to a text that says more, a road or a compound that only addresses tell of, or
    a name of which a part is known. A group without lines in the table stays as it is.

    Parameters
    ----------
    score : float
        As `api.geocoding.ranking.rank` gives it.
    match : str
        How the place was found.
    evidence : collection of str
        Codes of ``evidence.csv``; with those of `OPEN` the score does not rise.

    Examples
    --------
    >>> 0.0 <= calibrated(0.2, "name") <= calibrated(0.9, "name") <= 1.0
    True
    """
    most = MOST_OF_PART if is_of_part(match, evidence) else 1.0
    known = steps_of_groups().get(group_of(match, evidence))
    if known is None:
        return min(score, most)
    share = min(_between(*known, score), most)
    return min(share, score) if not OPEN.isdisjoint(evidence) else share


def _between(scores: tuple[float, ...], shares: tuple[float, ...], score: float) -> float:
    after = bisect_right(scores, score)
    if after == 0:
        return shares[0]
    if after == len(scores):
        return shares[-1]
    part = (score - scores[after - 1]) / (scores[after] - scores[after - 1])
    return shares[after - 1] + part * (shares[after] - shares[after - 1])
