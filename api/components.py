"""Which component a case is about: the nearest of its class within reach, and how likely."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from api.columns import Floats
from api.edition import Edition
from api.locate import Placed, class_accuracy_m
from api.questions import COMPONENT, Questions

REACH_SIGMA = 3.0
"""A component farther than this many standard deviations is not meant (1 % of a round normal error)."""
LEAST_REACH_M = 5.0
"""Reach of the best of positions: who reports stands beside the thing, not on it, m."""
MOST_CANDIDATES = 20
"""Nearest components that are weighed."""


@dataclass(frozen=True, kw_only=True)
class Matches:
    """Components that may be meant, sorted by question, distance and code."""

    question: NDArray[np.intp]
    row: NDArray[np.intp]
    """Row in the table ``components``."""
    distance_m: Floats
    probability: Floats
    """Among the candidates of one question they add up to 1."""
    chosen: NDArray[np.intp]
    """For each question its component's row, -1: none."""
    reach_m: Floats
    """How far was looked."""


def match(edition: Edition, questions: Questions, placed: Placed) -> Matches:
    """Find the components that the cases of kind component may be about.

    A component named in the case is the one. Else the candidates are those of the class within reach:
    `REACH_SIGMA` times the joint standard deviation of position and class, at least `LEAST_REACH_M`,
    at most the city's ``match_radius_m``. Each is as probable as its distance under the joint normal
    error; the nearest is chosen, of equally near ones the lowest code. Distances are to the nearest
    point of lines and polygons, 0 inside.
    """
    count = len(questions)
    chosen = placed.component.copy()
    reach_m = np.full(count, np.nan)
    parts: list[tuple[NDArray[np.intp], NDArray[np.intp], Floats, Floats]] = []
    for class_code, asked in _by_class(questions, placed).items():
        accuracy_m = class_accuracy_m(edition, class_code)
        sigma_m = np.hypot(placed.sigma_m[asked], accuracy_m)
        most = edition.snapshot.profile.thresholds.match_radius_m
        reach_m[asked] = np.clip(REACH_SIGMA * sigma_m, min(LEAST_REACH_M, most), most)
        components = edition.components(class_code)
        points = shapely.points(placed.x[asked], placed.y[asked])
        near, found = components.tree.query(points, predicate="dwithin", distance=reach_m[asked])
        distance_m = shapely.distance(points[near], components.shapes[found])
        log_weight = -0.5 * (distance_m / sigma_m[near]) ** 2
        parts.append((asked[near], components.rows[found], distance_m, log_weight))
    if not parts:
        none = np.empty(0, dtype=np.intp)
        return Matches(
            question=none,
            row=none,
            distance_m=np.empty(0),
            probability=np.empty(0),
            chosen=chosen,
            reach_m=reach_m,
        )
    question, row, distance_m, log_weight = (np.concatenate(c) for c in zip(*parts, strict=True))
    # Rows of one class lie in the order of their codes, so the row decides between equals.
    order = np.lexsort((row, distance_m, question))
    question, row, distance_m = question[order], row[order], distance_m[order]
    first = np.searchsorted(question, question)
    keep = np.arange(len(question)) - first < MOST_CANDIDATES
    question, row, distance_m = question[keep], row[keep], distance_m[keep]
    log_weight = log_weight[order][keep]
    first = np.searchsorted(question, question)
    # The nearest has the largest weight; measured from it, nothing underflows.
    weight = np.exp(log_weight - log_weight[first])
    total = np.bincount(question, weights=weight, minlength=count)
    chosen[question[::-1]] = row[::-1]
    return Matches(
        question=question,
        row=row,
        distance_m=distance_m,
        probability=weight / total[question],
        chosen=chosen,
        reach_m=reach_m,
    )


def _by_class(questions: Questions, placed: Placed) -> dict[str, NDArray[np.intp]]:
    open_ = (
        (questions.kinds == COMPONENT)
        & questions.has_class
        & (placed.component < 0)
        & np.isfinite(placed.x)
    )
    rows = np.flatnonzero(open_)
    number = questions.class_number[rows]
    order = np.argsort(number, kind="stable")
    numbers, starts = np.unique(number[order], return_index=True)
    parts = zip(numbers.tolist(), np.split(rows[order], starts[1:]), strict=False)
    return {questions.classes[which]: part for which, part in parts}
