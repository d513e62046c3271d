"""Numbers of values, texts, times and questions: the same as by dictionaries and by pandas."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.arrow import coded, floats, joined_texts, pieces_of
from api.numbering import clocks, number_texts, number_values, order_of_places
from api.owning.number_table import NumberTable

_TEXTS = st.lists(st.none() | st.text("ab\u4e2d\x00", max_size=20), max_size=40)


@settings(max_examples=60, deadline=None)
@given(texts=_TEXTS, large=st.booleans(), skip=st.integers(0, 3))
def test_texts_are_numbered_as_arrow_does(texts: list[str | None], large: bool, skip: int) -> None:
    kind = pa.large_string() if large else pa.string()
    column = pa.array(texts, type=kind).slice(skip)
    there = column.is_valid().to_numpy(zero_copy_only=False)
    found = number_texts(*pieces_of(column), there)
    assert found is not None
    number, firsts = found
    distinct = column.take(pa.array(firsts)).to_pylist()
    assert [None if n < 0 else distinct[n] for n in number.tolist()] == column.to_pylist()
    assert len(distinct) == len(set(distinct))


def test_a_column_of_too_many_texts_is_not_numbered() -> None:
    few = pa.array([f"{n:012d}" for n in range(4_096)])
    many = pa.array([f"{n:012d}" for n in range(4_097)])
    found = number_texts(*pieces_of(few), np.empty(0, dtype=bool))
    assert found is not None
    assert found[0].tolist() == list(range(4_096))
    assert number_texts(*pieces_of(many), np.empty(0, dtype=bool)) is None


def test_values_are_numbered_in_the_order_in_which_they_are_met() -> None:
    values = np.random.default_rng(1).integers(-2_000, 2_000, 20_000) * (1 << 40)
    number, distinct = number_values(values)
    wanted, uniques = pd.factorize(values)
    np.testing.assert_array_equal(number, wanted)
    np.testing.assert_array_equal(distinct, uniques)


def test_days_and_minutes_are_those_of_the_calendar() -> None:
    rng = np.random.default_rng(2)
    moments = rng.integers(-3_000_000_000, 7_000_000_000, 20_000) * 1_000_000 + 999_999
    days, minutes = np.empty(len(moments), np.int64), np.empty(len(moments), np.int64)
    clocks(moments, days, minutes)
    wanted = pd.DatetimeIndex(moments.astype("datetime64[us]"))
    np.testing.assert_array_equal(days, wanted.month * 100 + wanted.day)
    np.testing.assert_array_equal(minutes, wanted.hour * 60 + wanted.minute)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_texts_are_joined_as_by_hand(data: st.DataObject) -> None:
    bodies = data.draw(st.lists(st.text("xy\u4e2d", max_size=20), min_size=1, max_size=5))
    rims = data.draw(st.lists(st.text("<:>", max_size=11), min_size=1, max_size=5))
    rows = data.draw(
        st.lists(
            st.tuples(
                st.integers(-1, len(bodies) - 1),
                st.integers(-1, len(rims) - 1),
                st.integers(-1, len(rims) - 1),
            ).filter(lambda row: row[1] >= 0 or row[2] < 0),
            min_size=1,
            max_size=12,
        )
    )
    body, head, tail = np.array(rows, dtype=np.int64).T
    of = pieces_of(pa.array(bodies)), pieces_of(pa.array(rims))
    plain, whole = joined_texts(body, (head, tail), of=of)
    plain.validate(full=True)
    whole.validate(full=True)
    assert plain.to_pylist() == [None if b < 0 else bodies[b] for b, _, _ in rows]
    assert whole.to_pylist() == [
        None if h < 0 else rims[h] + ("" if t < 0 else (bodies[b] if b >= 0 else "") + rims[t])
        for b, h, t in rows
    ]


def test_columns_made_of_numbers_are_whole() -> None:
    column = coded(np.array([1, -1, 0]), pa.array(["a", "b"]))
    column.validate(full=True)
    assert (column.to_pylist(), column.null_count) == (["b", None, "a"], 1)
    numbers = floats(np.array([1.0, 2.0]), known=np.array([False, True]))
    numbers.validate(full=True)
    assert numbers.to_pylist() == [None, 2.0]
    assert floats(np.empty(0)).to_pylist() == []


@pytest.mark.parametrize("seed", [1, 2])
def test_an_order_of_places_names_every_row_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, 3_000)) * 10.0 ** rng.integers(-3, 9, (2, 3_000))
    x[rng.uniform(size=3_000) < 0.2] = np.nan
    y[0], y[1] = np.inf, -np.inf
    order = order_of_places(x, y)
    np.testing.assert_array_equal(np.sort(order), np.arange(3_000))
    assert order_of_places(np.full(3, np.nan), np.zeros(3)).tolist() == [0, 1, 2]


def test_a_table_of_questions_is_that_of_a_dictionary() -> None:
    rng = np.random.default_rng(3)
    table = NumberTable((24, 20))
    known: dict[tuple[int, ...], int] = {}
    for _ in range(4):
        parts = (
            rng.integers(0, 1 << 19, 2_000),
            rng.integers(0, 1 << 24, 2_000).astype(np.int32),
            rng.integers(0, 1 << 20, 2_000).astype(np.int32),
        )
        asked = list(zip(*(part.tolist() for part in parts), strict=True))
        found, missing = table.find(parts)
        assert found.tolist() == [known.get(key, -1) for key in asked]
        assert missing.tolist() == sorted({table.key(*key) for key in asked if key not in known})
        for key in asked:
            known.setdefault(key, len(known))
            table.add(table.key(*key), known[key])
        assert table.find(parts)[0].tolist() == [known[key] for key in asked]
    assert len(table) == len(known) > 4_000
