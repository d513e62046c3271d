import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from census.accuracy.sampling import (
    NO_COMMUNITY,
    SamplePlan,
    allot,
    class_sample_size,
    draw_sample,
    lot_sample_size,
)
from gis.errors import RequestError


def city(**lots: int) -> pd.DataFrame:
    """A class per lot, spread over communities a (half), b (a quarter), and none (the rest)."""
    rows = [
        (f"{name}{number:05d}", name, ("a", "b", "a", None)[number % 4])
        for name, count in lots.items()
        for number in range(count)
    ]
    return pd.DataFrame(rows, columns=["code", "class_code", "community_code"])


@pytest.mark.parametrize(
    ("lot", "size"),
    # 201 are two lots of 101 and 100: 11 + 10; 450 are three of 150: 3 x 13.
    [(0, 0), (1, 1), (3, 3), (20, 3), (40, 5), (100, 10), (200, 15), (201, 21), (450, 39)],
)
def test_lots_beyond_200_are_divided(lot, size):
    assert lot_sample_size(lot) == size


@given(st.integers(0, 5000))
def test_no_more_are_drawn_than_there_are(lot):
    assert lot_sample_size(lot) <= lot
    assert class_sample_size(lot, SamplePlan()) == min(lot, max(24, min(100, lot_sample_size(lot))))


@given(
    st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 300), min_size=1),
    st.floats(0, 1),
)
def test_every_community_is_visited_and_none_beyond_what_it_has(counts, share):
    size = round(share * sum(counts.values()))
    given_ = allot(counts, size)
    assert sum(given_.values()) == size
    assert all(0 < given_[code] <= counts[code] for code in given_)
    if size >= len(counts):
        assert set(given_) == set(counts)


def test_the_same_seed_draws_the_same_whatever_the_order_of_rows():
    rows = city(k0101=300, k0204=9)
    plan = SamplePlan(seed=7)
    drawn = draw_sample(rows, plan)
    again = draw_sample(rows.sample(frac=1, random_state=3), plan)
    assert drawn["code"].tolist() == again["code"].tolist()
    assert drawn["class_code"].value_counts().to_dict() == {"k0101": 26, "k0204": 9}
    other = draw_sample(rows, SamplePlan(seed=8))
    assert other["code"].tolist() != drawn["code"].tolist()


def test_communities_get_their_share_and_those_without_one_are_not_left_out():
    drawn = draw_sample(city(k0101=400), SamplePlan(least=40, most=40))
    where = drawn["community_code"].fillna(NO_COMMUNITY).value_counts().to_dict()
    assert where == {"a": 20, "b": 10, NO_COMMUNITY: 10}


def test_new_components_do_not_reshuffle_the_others():
    rows = city(k0101=200)
    plan = SamplePlan(seed=1, least=50, most=50)
    more = draw_sample(pd.concat([rows, city(k0102=50)]), plan)
    assert set(draw_sample(rows, plan)["code"]) <= set(more["code"])


def test_all_components_are_drawn_about_equally_often():
    rows = city(k0101=40)
    times = pd.Series(0, index=rows["code"])
    for seed in range(400):
        times[draw_sample(rows, SamplePlan(seed=seed, least=8, most=8))["code"]] += 1
    # 8 of 40 in each of 400 draws: 80 expected, standard deviation 8.
    assert times.between(80 - 4.5 * 8, 80 + 4.5 * 8).all()


def test_bad_plans_and_empty_cities_are_refused():
    with pytest.raises(RequestError, match="1 <= least <= most"):
        SamplePlan(least=30, most=10)
    with pytest.raises(RequestError, match="no components to draw from"):
        draw_sample(city(), SamplePlan())
