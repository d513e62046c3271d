"""Which component a case is about: the nearest of its class within reach, and how likely."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from api.columns import Floats
from api.edition import Edition
from api.matching.likelihood import same_owner, weigh
from api.owning.calibration import SOURCES, calibrate
from api.placing.locate import Placed, class_accuracy_m
from api.placing.vagueness import is_vague
from api.questions import COMPONENT, Questions
from gis.nearness import find_near

REACH_SIGMA = 3.0
"""How far is looked, in standard deviations (1 % of a round normal error lies beyond)."""
LEAST_REACH_M = 5.0
"""Reach of the best of positions: who reports stands beside the thing, not on it, m."""
MOST_CANDIDATES = 20
"""Nearest components that are weighed."""


@dataclass(frozen=True, kw_only=True)
class Matches:
    """Components that may be meant, by question: the likeliest first, of equals the nearest, then by code."""

    question: NDArray[np.intp]
    row: NDArray[np.intp]
    """Row in the table ``components``."""
    distance_m: Floats
    probability: Floats
    """With `absent` those of one question add up to 1."""
    chosen: NDArray[np.intp]
    """For each question its component's row, -1: none."""
    reach_m: Floats
    """How far was looked; nan: nothing was looked for."""
    absent: Floats
    """For each question the probability that it is about none of the candidates: the census does not
    have it, it is of another class, or farther away. 1 without candidates, 0 where a component is
    named or nothing was looked for."""

    @cached_property
    def firsts(self) -> NDArray[np.intp]:
        """Position of the first candidate of each question that has any."""
        return first_of_each(self.question)

    @cached_property
    def owner_weight(self) -> Floats:
        """By what weight each candidate speaks for the owning unit, as ``owner_weights`` gives it."""
        weight = self.probability.copy()
        first = self.firsts
        weight[first] += same_owner() * self.absent[self.question[first]]
        return weight

    @cached_property
    def owner_absent(self) -> Floats:
        """By what weight no candidate speaks for the owning unit of each question."""
        rest = self.absent.copy()
        asked = self.question[self.firsts]
        rest[asked] *= 1.0 - same_owner()
        return rest


def match(edition: Edition, questions: Questions, placed: Placed) -> Matches:
    """Find the components that the cases of kind component may be about.

    A component named in the case is the one. Else the candidates are those of the class within reach:
    `REACH_SIGMA` times the joint standard deviation of position and class, at least `LEAST_REACH_M`,
    at most the city's ``match_radius_m``. Each is as probable as its place is likely under the joint
    normal error, against the hypothesis that none of them is meant (`api.matching.likelihood`). The
    likeliest is chosen, which is the nearest where the error is a circle; of equals the lowest code. A
    vague position (`api.placing.vagueness`) finds none. Distances are to the nearest point of lines and
    polygons, 0 inside.
    """
    is_open = (
        (questions.kinds == COMPONENT)
        & questions.has_class
        & (placed.component < 0)
        & np.isfinite(placed.x)
        & ~is_vague(placed.sigma_m)
    )
    asked = np.flatnonzero(is_open)
    chosen, reach_m = placed.component.copy(), np.full(len(questions), np.nan)
    absent = np.zeros(len(questions))
    group, accuracy_m = _classes(edition, questions)
    number = questions.class_number[asked]
    accuracy_m, sigma_m = accuracy_m[number], placed.sigma_m[asked]
    most = edition.snapshot.profile.thresholds.match_radius_m
    joint_m = np.hypot(sigma_m, accuracy_m)
    reach_m[asked] = np.clip(REACH_SIGMA * joint_m, min(LEAST_REACH_M, most), most)
    places = (placed.x[asked], placed.y[asked])
    found = find_near(
        edition.component_things, places, group[number], reach_m[asked], most=MOST_CANDIDATES
    )
    errors = np.column_stack([placed.covariance[asked], accuracy_m**2])
    probability, none = weigh((found.point, found.apart), errors, reach_m[asked], found.density)
    order = _likeliest_first(found.point, probability, errors)
    row, distance_m, probability = found.row[order], found.distance_m[order], probability[order]
    probability, none = _calibrated(found.point, probability, none, placed.source_number[asked])
    absent[asked] = none
    question = asked[found.point]
    # Rows of one class lie in the order of their codes, so the row decides between equals.
    chosen[question[::-1]] = row[::-1]
    return Matches(
        question=question,
        row=row,
        distance_m=distance_m,
        probability=probability,
        chosen=chosen,
        reach_m=reach_m,
        absent=absent,
    )


def first_of_each(numbers: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the positions at which a number stands that is not the one before it.

    Examples
    --------
    >>> first_of_each(np.array([2, 2, 5])).tolist(), first_of_each(np.array([], dtype=int)).tolist()
    ([0, 2], [])
    """
    is_first = np.ones(len(numbers), dtype=bool)
    np.not_equal(numbers[1:], numbers[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)


def _likeliest_first(
    point: NDArray[np.int64], probability: Floats, errors: Floats
) -> NDArray[np.intp] | slice:
    """Return the order in which the likeliest of each case comes first; by a round error it does."""
    if not ((errors[:, 0] != errors[:, 2]) | (errors[:, 1] != 0.0)).any():
        return slice(None)
    return np.lexsort((-probability.round(12), point))


def _calibrated(
    point: NDArray[np.int64], probability: Floats, absent: Floats, source: NDArray[np.int8]
) -> tuple[Floats, Floats]:
    """Say of each nearest component the share of such that were right; the others keep their ratio."""
    first = first_of_each(point)
    asked = point[first]
    model = probability[first]
    told = calibrate("component", model, source[asked], names=SOURCES)
    rest = np.ones(len(absent))
    rest[asked] = np.divide(1.0 - told, 1.0 - model, out=np.ones(len(model)), where=model < 1.0)
    probability = probability * rest[point]
    probability[first] = told
    return probability, absent * rest


def _classes(edition: Edition, questions: Questions) -> tuple[NDArray[np.int64], Floats]:
    """Return group and accuracy, m, of each class that is asked for."""
    places = {code: number for number, code in enumerate(edition.component_classes.codes)}
    group = np.array([places.get(code, -1) for code in questions.classes], dtype=np.int64)
    accuracy_m = np.array([class_accuracy_m(edition, code) for code in questions.classes])
    return group, accuracy_m
