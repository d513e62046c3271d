"""Numbers along a road: between, beyond, on their side, in spite of wrong ones."""

import numpy as np
import pytest

from api.geocoding.interpolation import estimate


def straight(*numbers: int) -> tuple[np.ndarray, np.ndarray]:
    """A road eastwards, 5 m a number, even numbers 20 m north of the odd ones."""
    known = np.array(numbers)
    return known, np.column_stack([5.0 * known, np.where(known % 2 == 0, 20.0, 0.0)])


def test_a_number_lies_between_its_neighbours_on_its_own_side() -> None:
    found = estimate(*straight(1, 2, 9, 10, 21, 22, 31, 32), 16)
    assert found.x == pytest.approx(80, abs=5)
    assert found.y == pytest.approx(20, abs=7)
    assert not found.is_beyond


def test_a_known_number_stays_where_it_is() -> None:
    found = estimate(*straight(2, 4, 6, 8, 10, 12), 8)
    assert [found.x, found.y] == pytest.approx([40, 20], abs=3)


def test_a_wrong_plate_counts_little() -> None:
    numbers, points = straight(2, 6, 10, 14, 18, 22, 26, 30)
    points[3] = (3_000.0, 4_000.0)
    found = estimate(numbers, points, 16)
    assert [found.x, found.y] == pytest.approx([80, 20], abs=25)


def test_uncertainty_grows_with_the_gap_and_beyond_the_end() -> None:
    known = straight(2, 4, 6, 8, 10, 12, 14, 60)
    sigma_m = [estimate(*known, number).sigma_m for number in (16, 36, 90, 300)]
    assert sigma_m == sorted(sigma_m)
    assert sigma_m[3] > 4 * sigma_m[0]
    assert [estimate(*known, number).is_beyond for number in (1, 2, 60, 62)] == [
        True,
        False,
        False,
        True,
    ]


def test_one_known_number_is_the_best_guess_for_any() -> None:
    found = estimate(np.array([12]), np.array([[7.0, 9.0]]), 40)
    assert [found.x, found.y] == pytest.approx([7, 9])
    assert found.sigma_m > 80


def test_moving_the_road_moves_the_answer() -> None:
    numbers, points = straight(2, 6, 10, 14)
    here, there = (
        estimate(numbers, points, 8),
        estimate(numbers, points + np.array([5e5, 4.2e6]), 8),
    )
    assert [there.x - 5e5, there.y - 4.2e6] == pytest.approx([here.x, here.y], abs=0.01)
