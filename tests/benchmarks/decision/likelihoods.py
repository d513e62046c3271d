"""The numbers of ``api/matching/likelihood.csv``, fitted: those under which what was meant was likeliest."""

import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from api.matching import components, likelihood
from api.matching.components import match
from api.solution import solve
from tests.benchmarks.decision.world import Judged

MISS_RATES = (0.02, 0.03, 0.05, 0.07, 0.1, 0.14)
TAIL_SHARES = (0.05, 0.1, 0.15, 0.2, 0.3)
TAIL_FACTORS = (2.0, 2.5, 3.0, 4.0)
ALIKE = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Ends where a sample would be trusted to be as varied as a city."""


def fit_likelihood(judged: Sequence[Judged], path: Path) -> None:
    """Search the lattice of numbers by the likelihood of what was meant; write the best to `path`."""
    grid = itertools.product(MISS_RATES, TAIL_SHARES, TAIL_FACTORS)
    known = likelihood.likelihood
    try:
        best = max(grid, key=lambda numbers: _log_likelihood(judged, numbers))
    finally:
        likelihood.likelihood = known
    told = dict(zip(("miss_rate", "tail_share", "tail_factor"), best, strict=True))
    told["same_owner"] = min(ALIKE, key=lambda share: _brier(judged, best, share))
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "value": f"{told[row['name']]:g}"} for row in rows)
    likelihood.forget()


def _log_likelihood(judged: Sequence[Judged], numbers: tuple[float, float, float]) -> float:
    likelihood.likelihood = lambda: numbers  # type: ignore[assignment]
    total = 0.0
    for one in judged:
        solution = one.solution
        matches = match(solution.edition, solution.questions, solution.placed)
        meant = matches.row == one.true_row[matches.question]
        probability = matches.absent.copy()
        probability[matches.question[meant]] = matches.probability[meant]
        asked = np.isfinite(matches.reach_m) & (one.evidence == "position")
        total += float(np.log(np.maximum(probability[asked], 1e-12)).sum())
    return total


def _brier(judged: Sequence[Judged], numbers: tuple[float, float, float], alike: float) -> float:
    """Return how far owning units of components that were found are said from right."""
    known = likelihood.likelihood, components.same_owner
    likelihood.likelihood = lambda: numbers  # type: ignore[assignment]
    components.same_owner = lambda: alike  # type: ignore[assignment]
    total = 0.0
    try:
        for one in judged:
            solution = solve(one.solution.edition, one.solution.questions)
            own = one.is_component & one.is_plain & (solution.matches.chosen >= 0)
            own &= one.evidence == "position"
            total += float(((solution.probability[own] - one.owner_right[own]) ** 2).sum())
    finally:
        likelihood.likelihood, components.same_owner = known
    return total
