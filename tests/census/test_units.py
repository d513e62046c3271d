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
