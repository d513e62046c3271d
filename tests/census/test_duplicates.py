"""One object twice: near pairs beside a plain comparison, heaps of points, live components."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from census.duplicates import (
    first_at,
    judge_against_live,
    judge_neighbours,
    near_pairs,
    nearest_known,
)
from gis.codes import read_rules
from gis.faults import Faults

RULES = read_rules("census")
places = st.lists(
    st.tuples(st.integers(0, 8), st.integers(0, 8), st.sampled_from("ab")), min_size=1, max_size=60
)


def survey(count, class_code="0104"):
    return pd.DataFrame(
        {
            "code": [f"1301020104{n:06d}" for n in range(1, count + 1)],
            "class_code": class_code,
            "source_file": "a.shp",
            "source_row": range(1, count + 1),
        }
    )


def judge(points, stack_size=4):
    rows = survey(len(points))
    faults = Faults(rows, rules=RULES)
    judge_neighbours(rows, faults, points=points, distance_m=0.5, stack_size=stack_size)
    table = faults.outcome().faults
    return list(zip(table["source_row"], table["rule"], strict=True)), table


@settings(deadline=None)
@given(places)
def test_the_nearest_earlier_of_the_class_is_found(given_places):
    """Places on a lattice of 0.125 m, so that there are equal distances and equal places."""
    points = np.array([(x, y) for x, y, _ in given_places], dtype=float) / 8
    classes = pd.Series([c for *_, c in given_places], dtype=object)
    found = near_pairs(points, classes, distance_m=0.5)
    expected = []
    for row in range(len(points)):
        near = [
            (float(np.linalg.norm(points[row] - points[other])), other)
            for other in range(row)
            if classes[row] == classes[other]
        ]
        near = [pair for pair in near if pair[0] < 0.5]
        if near:
            expected.append((row, min(near)[1], pytest.approx(min(near)[0])))
    assert list(found.itertuples(index=False, name=None)) == expected


@settings(deadline=None)
@given(places)
def test_the_first_at_a_place_is_the_first(given_places):
    points = np.array([(x, y) for x, y, _ in given_places], dtype=float)
    both = [(x, y) for x, y, _ in given_places]
    assert first_at(points).tolist() == [both.index(place) for place in both]


def test_ten_thousand_at_one_point_are_one_fault():
    said, table = judge(np.tile([544_000.5, 4_212_000.5], (10_000, 1)))
    assert said == [(1, "C028")]
    assert table["reason_en"][0] == "10000 components lie at exactly this point; reported once."


def test_a_dense_heap_tells_of_every_row_but_the_first():
    rng = np.random.default_rng(1)
    points = 4e6 + rng.uniform(0, 0.3, (10_000, 2))
    said, _ = judge(points)
    assert said == [(row, "C021") for row in range(2, 10_001)]


def test_three_at_one_point_are_near_duplicates_and_four_a_heap():
    assert judge(np.zeros((3, 2)))[0] == [(2, "C021"), (3, "C021")]
    assert judge(np.zeros((4, 2)))[0] == [(1, "C028")]
    beside = np.array([[0, 0]] * 4 + [[0.2, 0]], dtype=float)
    assert judge(beside)[0] == [(1, "C028"), (5, "C021")]


def known(*rows):
    return pd.DataFrame(rows, columns=["code", "class_code", "x", "y", "is_replaced"])


def test_what_is_live_under_another_code_is_told_by_whether_it_stays():
    live = known(
        ("1301020104000901", "0104", 0.2, 0.0, True),
        ("1301020104000902", "0104", 10.1, 0.0, False),
        ("1301020105000903", "0105", 20.0, 0.0, False),
        ("1301020104000004", "0104", 30.3, 0.0, False),
    )
    points = np.array([[0, 0], [10, 0], [20, 0], [30, 0], [40, 0]], dtype=float)
    rows = survey(5)
    faults = Faults(rows, rules=RULES)
    judge_against_live(rows, faults, points=points, live=live, distance_m=0.5)
    table = faults.outcome().faults
    # The third is of another class, the fourth is the live one itself, moved a little.
    assert list(zip(table["source_row"], table["rule"], strict=True)) == [(1, "C017"), (2, "C027")]
    assert "0.20 m away, as 1301020104000901" in table["reason_en"][0]


def test_nothing_is_near_an_empty_database():
    near = nearest_known(
        np.zeros((1, 2)), pd.Series(["a"]), known=known().astype(object), distance_m=0.5
    )
    assert near["other"].tolist() == [None]
