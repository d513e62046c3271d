"""How surely each candidate is meant: its evidence added up, and shared with its rivals."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from api.geocoding.calibration import calibrated, weights
from api.geocoding.candidates import Candidate, distance_m, with_evidence

STRONG = 0.8
"""A candidate at least this sure ends the search."""
_SAME_PLACE_M = 50.0
_RIVALS = 50
_SHARPNESS = 1.5
_ALIKE = 0.6
_MOST_AGAINST = 5.0


def odds(candidate: Candidate) -> float:
    """Return the logarithm of the odds that a candidate is meant, its rivals left out.

    Evidence is taken as independent, so that its logarithms of odds add up.
    """
    known = weights()
    return known[candidate.match] + sum(known[code] for code in candidate.evidence)


def rank(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates with their scores, the surest first.

    Candidates at one place are one; those that lie apart share the score by their odds.
    """
    best: dict[tuple[int, str, int, int], tuple[float, Candidate]] = {}
    for item in candidates:
        value = odds(item)
        key = (item.row, item.label, round(item.spot.x), round(item.spot.y))
        if key not in best or value > best[key][0]:
            best[key] = (value, item)
    ordered = sorted(best.values(), key=lambda pair: (-pair[0], pair[1].spot.sigma_m, pair[1].row))
    told = [_told(value, item, ordered[:_RIVALS]) for value, item in ordered]
    return sorted(told, key=lambda item: -item.score)


def _told(value: float, item: Candidate, ordered: Sequence[tuple[float, Candidate]]) -> Candidate:
    others = [other for other in ordered if other[1] is not item and _is_apart(item, other[1])]
    against = sum(math.exp(min(_SHARPNESS * (other - value), _MOST_AGAINST)) for other, _ in others)
    alike = any(abs(other - value) <= _ALIKE for other, _ in others)
    score = calibrated(_probability(value) / (1.0 + against))
    return replace(with_evidence(item, "rivals" if alike else ""), score=score)


@cache
def _probability(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))


def _is_apart(item: Candidate, other: Candidate) -> bool:
    same_m = max(_SAME_PLACE_M, 2.0 * item.spot.sigma_m, 2.0 * other.spot.sigma_m)
    return distance_m(item.spot, other.spot) > same_m


def is_strong(candidates: Sequence[Candidate]) -> bool:
    """Tell whether the surest of ranked candidates needs no further search."""
    return bool(candidates) and candidates[0].score >= STRONG
