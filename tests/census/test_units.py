from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from census.units import (
    credit_check_digit,
    is_credit_code,
    plain_unit_name,
    read_directory,
)

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
bodies = st.text(ALPHABET, min_size=17, max_size=17)


@pytest.fixture
def directory():
    return read_directory(
        pd.DataFrame(
            {
                "code": ["U1", "U2", "U3", "U4"],
                "name": ["市排水公司", "市热力公司", "城管局", "城管局"],
                "aliases": [["排水（集团）"], ["热力", "市排水公司"], [], None],
                "successor_code": [None, "U1", "U9", None],
            }
        )
    )


@pytest.mark.parametrize(
    ("code", "name", "unit", "how"),
    [
        ("u1 ", None, "U1", "code"),
        ("Ｕ１", "别的名字", "U1", "code"),
        (None, " 市 排水公司", "U1", "name"),
        (None, "排水(集团)", "U1", "name"),
        ("X9", "热力", "U2", "name"),
        (None, "城管局", "U3", "ambiguous"),
        ("X9", "无名公司", None, "unknown"),
        (None, None, None, "blank"),
        (" ", "", None, "blank"),
    ],
)
def test_units_are_found_by_code_then_name_then_alias(directory, code, name, unit, how):
    match = directory.find(code, name)
    assert (match.code, match.how) == (unit, how)


def test_a_name_that_is_not_of_the_codes_unit_contradicts_it(directory):
    assert directory.find("U1", "热力").is_contradicted
    assert not directory.find("U1", "市排水公司").is_contradicted
    assert directory.find("U1", "谁也不是").is_contradicted
    assert not directory.find("U1", None).is_contradicted


def test_duties_pass_to_the_last_successor(directory):
    assert directory.current("U2") == "U1"
    assert directory.current("U1") == "U1"
    assert directory.current("U3") == "U3"  # its successor is not in the directory


def test_a_ring_of_successors_ends():
    ring = read_directory(
        pd.DataFrame({"code": ["A", "B"], "name": ["a", "b"], "successor_code": ["B", "A"]})
    )
    assert ring.current("A") == "B"


@pytest.fixture
def history():
    """A passed to B in 2020, B to C in 2024; D was split into B and C in 2022."""
    return read_directory(
        pd.DataFrame(
            {
                "code": ["A", "B", "C", "D", "E"],
                "name": ["老公司", "中公司", "新公司", "大公司", "甲公司"],
                "aliases": [["老司"], [], [], [], []],
                "successor_code": ["B", "C", None, None, "D"],
                "successor_from": [
                    date(2020, 1, 1),
                    date(2024, 1, 1),
                    None,
                    date(2022, 7, 1),
                    None,
                ],
                "heirs": [[], [], [], ["B", "C"], []],
            }
        )
    )


@pytest.mark.parametrize(
    ("code", "day", "unit"),
    [
        ("A", None, "C"),
        ("A", date(2019, 12, 31), "A"),
        ("A", date(2020, 1, 1), "B"),
        ("A", date(2023, 12, 31), "B"),
        ("A", date(2024, 1, 1), "C"),
        ("B", date(2020, 1, 1), "B"),
        ("E", date(2000, 1, 1), "D"),  # without a day it always held
    ],
)
def test_the_unit_that_answers_depends_on_the_day(history, code, day, unit):
    assert history.current(code, as_of=day) == unit


def test_a_merged_unit_keeps_answering_by_name_and_alias(history):
    for name in ("老公司", "老司"):
        assert history.current(history.find(None, name).code) == "C"


def test_a_split_unit_has_no_successor_but_heirs(history):
    assert history.current("D") == "D"
    assert history.split_of("D") == ("B", "C")
    assert history.split_of("E") == ("B", "C")  # its successor was split
    assert history.split_of("D", as_of=date(2022, 6, 30)) == ()
    assert history.split_of("A") == ()


def test_confirmed_spellings_are_aliases_unless_the_directory_knows_better():
    units = pd.DataFrame({"code": ["U1", "U2"], "name": ["市排水公司", "排水处"]})
    confirmed = {"排水所": "U1", "排水处": "U1", "水务处": "U9"}
    directory = read_directory(units, confirmed=confirmed)
    assert directory.find(None, "排水所").code == "U1"
    assert directory.find(None, "排水处").code == "U2"
    assert directory.find(None, "水务处").how == "unknown"
    assert directory.confirmed == {"排水所": "U1"}


def test_an_empty_directory_knows_nothing():
    empty = read_directory(pd.DataFrame({"code": [], "name": []}))
    assert empty.find("U1", "a").how == "unknown"


def test_names_lose_blanks_and_full_width_signs():
    assert plain_unit_name("　ＡＢ（集团） 公司 ") == "ab(集团)公司"


def test_a_known_credit_code_holds():
    # Worked out by hand: the weighted sum of 91350100M000100Y4 is 1640 = 52 * 31 + 28, and 31 - 28 = 3.
    assert credit_check_digit("91350100M000100Y4") == "3"
    assert is_credit_code("91350100M000100Y43")


@given(body=bodies)
def test_exactly_one_check_digit_fits(body):
    assert [d for d in ALPHABET if is_credit_code(body + d)] == [credit_check_digit(body)]


@given(body=bodies, place=st.integers(0, 16), letter=st.sampled_from(ALPHABET))
def test_any_single_changed_character_is_noticed(body, place, letter):
    changed = body[:place] + letter + body[place + 1 :]
    code = body + credit_check_digit(body)
    assert is_credit_code(changed + code[-1]) == (changed == body)


@pytest.mark.parametrize(
    "code", ["", "91350100M000100Y4", "9135O100M000100Y43", "91350100m000100y43"]
)
def test_other_lengths_and_letters_are_no_credit_codes(code):
    assert not is_credit_code(code)


def test_a_body_of_the_wrong_length_has_no_check_digit():
    with pytest.raises(ValueError, match="17"):
        credit_check_digit("123")
