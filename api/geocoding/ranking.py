"""How surely each candidate is meant: its evidence added up, and shared with its rivals."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from api.geocoding.calibration import weights
from api.geocoding.candidates import Candidate

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
    return _odds(candidate.match, candidate.evidence)


@lru_cache(maxsize=4096)
def _odds(match: str, evidence: tuple[str, ...]) -> float:
    known = weights()
    return known[match] + sum(known[code] for code in evidence)


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
    if len(best) == 1:
        ((value, item),) = best.values()
        return [_told(item, _probability(value), is_shared=False)]
    ordered = sorted(best.values(), key=lambda pair: (-pair[0], pair[1].spot.sigma_m, pair[1].row))
    against, alike = _rivals(ordered)
    told = [
        _told(item, _probability(value) / (1.0 + less), is_shared=shared)
        for (value, item), less, shared in zip(ordered, against, alike, strict=True)
    ]
    return sorted(told, key=lambda item: -item.score)


def _rivals(ordered: Sequence[tuple[float, Candidate]]) -> tuple[list[float], list[bool]]:
    """Return for each the odds of the first ones that lie apart from it, and whether any is as likely."""
    spots = [item.spot for _, item in ordered]
    table = np.array([(v, s.x, s.y, s.sigma_m) for (v, _), s in zip(ordered, spots, strict=True)])
    value, x, y, sigma_m = table.T
    few = slice(_RIVALS)
    apart_m = np.hypot(x[:, None] - x[few], y[:, None] - y[few])
    same_m = np.maximum(_SAME_PLACE_M, 2.0 * np.maximum(sigma_m[:, None], sigma_m[few]))
    is_apart = apart_m > same_m
    more = value[few] - value[:, None]
    weight = np.exp(np.minimum(_SHARPNESS * more, _MOST_AGAINST)) * is_apart
    alike = ((np.abs(more) <= _ALIKE) & is_apart).any(axis=1)
    return weight.sum(axis=1).tolist(), alike.tolist()


def _told(item: Candidate, score: float, *, is_shared: bool) -> Candidate:
    evidence = item.evidence
    if is_shared and "rivals" not in evidence:
        evidence = (*evidence, "rivals")
    return Candidate(
        row=item.row,
        spot=item.spot,
        match=item.match,
        evidence=evidence,
        roads=item.roads,
        label=item.label,
        score=score,
    )


@lru_cache(maxsize=4096)
def _probability(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))


def is_strong(candidates: Sequence[Candidate]) -> bool:
    """Tell whether the surest of ranked candidates needs no further search."""
    return bool(candidates) and candidates[0].score >= STRONG


def is_settled(candidates: Sequence[Candidate]) -> bool:
    """Tell whether the surest of ranked candidates would need no further search but for its rivals.

    Other names do not tell apart places that bear the very name that was said.
    """
    return bool(candidates) and _probability(odds(candidates[0])) >= STRONG
