"""Which component is meant, or none: weights worked out by hand, and what the issue asks of lone lamps."""

import numpy as np
import pytest

from api.matching.likelihood import likelihood, owner_weights, same_owner, weigh


def density(square: float, variance: float) -> float:
    return float(np.exp(-square / (2 * variance)) / (2 * np.pi * variance))


def one(distance_m: float, sigma_m: float, *, per_m2: float = 1e-3) -> tuple[float, float]:
    errors = np.array([[sigma_m**2, 0.0, sigma_m**2, 1.0]])
    near, absent = weigh(
        (np.array([0]), np.array([[distance_m, 0.0]])), errors, np.array([3.0 * np.hypot(sigma_m, 1.0)]),
        np.array([per_m2]),
    )  # fmt: skip
    return float(near[0]), float(absent[0])


def test_two_candidates_by_hand() -> None:
    miss, share, factor = likelihood()
    errors = np.array([[16.0, 0.0, 16.0, 9.0]])  # 4 m of the position, 3 m of the survey: 5 m
    apart = np.array([[3.0, 0.0], [0.0, 8.0]])
    probability, absent = weigh(
        (np.array([0, 0]), apart), errors, np.array([15.0]), np.array([2e-3])
    )
    wide = factor**2 * 16.0 + 9.0
    weight = [(1 - share) * density(d2, 25.0) + share * density(d2, wide) for d2 in (9.0, 64.0)]
    beyond = (1 - share) * np.exp(-225 / 50) + share * np.exp(-225 / (2 * wide))
    none = 2e-3 * (miss / (1 - miss) + beyond)
    total = sum(weight) + none
    np.testing.assert_allclose(probability, np.array(weight) / total, rtol=1e-12)
    assert absent[0] == pytest.approx(none / total)


def test_a_lone_component_is_never_certain_and_a_far_one_is_doubted() -> None:
    near, absent = one(3.0, 5.0)
    assert 0.9 < near < 0.995
    assert near + absent == pytest.approx(1.0)
    far, _ = one(14.0, 5.0)
    assert far < 0.7
    assert far < near
    assert (
        one(3.0, 5.0, per_m2=1e-5)[0] > near
    )  # where the class is rare, the one is more surely meant


def test_an_ellipse_looks_along_its_axis() -> None:
    errors = np.array([[100.0, 0.0, 4.0, 0.25]])
    apart = np.array([[12.0, 0.0], [0.0, 6.0]])
    probability, _ = weigh((np.array([0, 0]), apart), errors, np.array([30.0]), np.array([1e-3]))
    assert probability[0] > 5 * probability[1]


def test_no_candidate_means_none_and_far_ones_leave_nothing() -> None:
    none = (np.empty(0, dtype=np.int64), np.empty((0, 2)))
    _, absent = weigh(none, np.ones((2, 4)), np.ones(2), np.ones(2))
    assert absent.tolist() == [1.0, 1.0]
    probability, absent = weigh(
        (np.array([0]), np.array([[1e6, 0.0]])), np.ones((1, 4)), np.array([1.0]), np.zeros(1)
    )
    assert (probability.tolist(), absent.tolist()) == ([0.0], [1.0])


def test_what_the_census_lacks_speaks_mostly_for_the_nearest() -> None:
    weights, nobody = owner_weights([0.5, 0.3], 0.2)
    assert weights == pytest.approx([0.5 + 0.2 * same_owner(), 0.3])
    assert nobody == pytest.approx(0.2 * (1 - same_owner()))
    assert owner_weights([], 1.0) == ([], 1.0)
