import numpy as np
import pandas as pd
import pytest

from census.accuracy.statistics import (
    Limits,
    confidence_interval,
    gross_limit,
    judge_group,
    rmse,
    share_of,
)


def points(*deviations: tuple[float, float], limit_m=0.5, check="high", outline=False):
    """Points with these dx, dy."""
    dx, dy = np.array(deviations, dtype=float).T
    deviation = np.hypot(dx, dy)
    return pd.DataFrame(
        {
            "dx_m": dx,
            "dy_m": dy,
            "deviation_m": deviation,
            "is_outline": outline,
            "is_gross": deviation > gross_limit(limit_m, check=check),
        }
    )


def judge(rows, *, limit_m=0.5, **limits):
    return judge_group("0104", rows, limit_m=limit_m, limits=Limits(**limits))


def test_formulas_by_hand():
    # d = 0.3, 0.4, 0.5: squares 0.09 + 0.16 + 0.25 = 0.5; / 3 = 0.1667; / 6 = 0.0833
    d = np.array([0.3, 0.4, 0.5])
    assert rmse(d, check="high") == pytest.approx(0.408248)
    assert rmse(d, check="equal") == pytest.approx(0.288675)
    assert rmse(np.array([]), check="high") is None


def test_twice_the_limit_is_not_gross_and_more_is():
    assert gross_limit(0.5, check="high") == 1.0
    assert gross_limit(0.5, check="equal") == pytest.approx(1.414214)
    rows = points((1.0, 0.0), (0.0, 1.000001))
    assert rows["is_gross"].tolist() == [False, True]


def test_a_class_at_its_limit_passes_and_beyond_it_fails():
    at_limit = points(*[(0.3, 0.4)] * 20)
    assert judge(at_limit).rmse_m == pytest.approx(0.5)
    assert judge(at_limit).verdict == "pass"
    assert judge(points(*[(0.31, 0.4)] * 20)).verdict == "fail"
    assert judge(points(*[(0.31, 0.4)] * 20), check="equal").verdict == "pass"


def test_gross_errors_are_counted_and_do_not_enter_the_rmse():
    rows = points(*[(0.1, 0.0)] * 19, (3.0, 4.0))
    found = judge(rows)
    assert (found.points, found.gross, found.verdict) == (20, 1, "pass")  # 5 % are allowed
    assert found.rmse_m == pytest.approx(0.1)
    assert found.rmse_all_m == pytest.approx(((19 * 0.01 + 25) / 20) ** 0.5)
    assert found.largest_m == pytest.approx(5.0)
    two = points(*[(0.1, 0.0)] * 18, (3.0, 4.0), (0.0, 9.0))
    assert judge(two).verdict == "fail"


def test_a_class_of_nothing_but_gross_errors_fails():
    found = judge(points(*[(30.0, 0.0)] * 25))
    assert (found.rmse_m, found.interval_m, found.verdict) == (None, None, "fail")


def test_too_few_points_are_shown_and_not_judged():
    found = judge(points(*[(9.0, 9.0)] * 19))
    assert found.verdict == "too_few"
    assert found.rmse_all_m == pytest.approx(162**0.5)
    assert judge(points(*[(0.1, 0.1)] * 5), least_points=5).verdict == "pass"


def test_a_shift_shows_in_the_means():
    found = judge(points((0.3, -0.1), (0.1, -0.3)))
    assert (found.mean_dx_m, found.mean_dy_m) == pytest.approx((0.2, -0.2))


def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = np.random.default_rng(1)
    n, sigma = 30, 0.4
    held = 0
    for _ in range(2000):
        d = np.hypot(random.normal(0, sigma, n), random.normal(0, sigma, n))
        low, high = confidence_interval(float(rmse(d, check="high") or 0), freedom=2 * n)
        held += low <= sigma * 2**0.5 <= high
    assert 0.935 <= held / 2000 <= 0.965


def test_the_interval_of_equal_checks_holds_the_surveys_own_error():
    random = np.random.default_rng(2)
    n, sigma = 30, 0.4
    held = 0
    for _ in range(2000):
        d = np.hypot(*(random.normal(0, sigma, (2, n)) - random.normal(0, sigma, (2, n))))
        low, high = confidence_interval(float(rmse(d, check="equal") or 0), freedom=2 * n)
        held += low <= sigma * 2**0.5 <= high
    assert 0.935 <= held / 2000 <= 0.965


def test_a_verdict_is_clear_when_the_interval_is_on_one_side():
    assert judge(points(*[(0.1, 0.1)] * 30)).is_clear
    assert not judge(points(*[(0.34, 0.34)] * 30)).is_clear


def test_shares_of_nothing_are_not_known():
    nothing = share_of(0, 0)
    assert (nothing.value, nothing.low, nothing.high) == (0.0, 0.0, 1.0)
    # Wilson by hand for 0 of 20: high = z² / (n + z²) = 3.8415 / 23.8415
    assert share_of(0, 20).high == pytest.approx(0.161125, abs=1e-5)
