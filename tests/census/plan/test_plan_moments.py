"""The year cut at conditions: exact to the day and the minute, compared with every minute of it."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from census.plan.conditions import hours_hold, season_holds
from census.plan.moments import Moments

DAYS = np.array([m * 100 + d for m, n in enumerate((31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1)
                 for d in range(1, n + 1)])  # fmt: skip
MINUTES = np.arange(1440)
days = st.sampled_from(DAYS.tolist()).map(lambda day: f"{day // 100:02}-{day % 100:02}")
minutes = st.integers(0, 1439).map(lambda at: f"{at // 60:02}:{at % 60:02}")
seasons = st.none() | st.tuples(days, days).map("/".join)
hours = st.none() | st.tuples(minutes, minutes).filter(lambda t: t[0] != t[1]).map("/".join)


def held(season, hour):
    return season_holds(season, DAYS)[:, None] & hours_hold(hour, MINUTES)[None, :]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(seasons, hours), min_size=1, max_size=4), st.data())
def test_sets_of_moments_are_sets_of_minutes(conditions, data):
    moments = Moments(conditions)
    chosen = data.draw(st.lists(st.sampled_from(conditions), max_size=3))
    bits, expected = 0, np.zeros((len(DAYS), 1440), dtype=bool)
    for season, hour in chosen:
        bits |= moments.bits(season, hour)
        expected |= held(season, hour)
    again = np.zeros_like(expected)
    for season, hour in moments.told(bits):
        part = held(season, hour)
        assert not (again & part).any()  # told once
        again |= part
    assert (again == expected).all()
    rest = np.zeros_like(expected)
    for season, hour in moments.told(moments.full & ~bits):
        rest |= held(season, hour)
    assert (rest == ~expected).all()


def test_without_conditions_there_is_one_moment():
    moments = Moments([])
    assert (moments.count, moments.full) == (1, 1)
    assert moments.told(1) == [(None, None)]
    assert moments.told(0) == []


def test_the_turn_of_the_year_and_the_29th_of_february():
    moments = Moments([("12-31/02-28", None)])
    winter = moments.bits("12-31/02-28", None)
    assert moments.told(moments.full & ~winter) == [("02-29/12-30", None)]
