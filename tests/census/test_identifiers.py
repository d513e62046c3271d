import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from census.identifiers import (
    build_component_code,
    build_event_code,
    parse_component_code,
    parse_event_code,
    split_component_codes,
)
from gis.errors import CodeError

districts = st.text("0123456789", min_size=6, max_size=6)
classes = st.text("0123456789", min_size=4, max_size=5)
sequences = st.integers(1, 999_999)


@given(district=districts, class_code=classes, sequence=sequences)
def test_building_and_parsing_undo_each_other(district, class_code, sequence):
    code = build_component_code(district, class_code=class_code, sequence=sequence)
    assert len(code) == 12 + len(class_code)
    parts = parse_component_code(code, class_digits=len(class_code))
    assert (parts.district, parts.class_code, parts.sequence) == (district, class_code, sequence)
    assert str(parts) == code


@given(district=districts, class_code=classes)
def test_event_codes_too(district, class_code):
    code = build_event_code(district, class_code=class_code)
    assert len(code) == 6 + len(class_code)
    assert parse_event_code(code, class_digits=len(class_code)) == (district, class_code)


@given(texts=st.lists(st.text(max_size=18) | st.text("0123456789", min_size=15, max_size=17)))
def test_bulk_and_single_parsing_agree(texts):
    table = split_component_codes(pd.Series(texts, dtype=object), class_digits=4)
    for text, row in zip(texts, table.itertuples(), strict=True):
        try:
            parts = parse_component_code(text, class_digits=4)
        except CodeError:
            assert not row.is_code
            assert pd.isna(row.district)
        else:
            assert (row.district, row.class_code, row.sequence) == (
                parts.district,
                parts.class_code,
                parts.sequence,
            )


@pytest.mark.parametrize(
    "code", ["", "130102010400012", "13010201040001234", "13O1020104000123", "１３01020104000123"]
)
def test_what_is_no_code_is_refused(code):
    with pytest.raises(CodeError, match="16 digits"):
        parse_component_code(code, class_digits=4)


def test_seventeen_digits_since_2026():
    parts = parse_component_code("13010201004000123", class_digits=5)
    assert (parts.district, parts.class_code, parts.sequence) == ("130102", "01004", 123)


@pytest.mark.parametrize("sequence", [0, -1, 1_000_000])
def test_sequences_out_of_range_are_refused(sequence):
    with pytest.raises(CodeError, match="999999"):
        build_component_code("130102", class_code="0104", sequence=sequence)


def test_bad_parts_are_refused():
    with pytest.raises(CodeError, match="six digits"):
        build_event_code("1301", class_code="0110")
    with pytest.raises(CodeError, match="four or five"):
        build_event_code("130102", class_code="110")


def test_missing_codes_have_no_parts():
    table = split_component_codes(pd.Series([None, "1301020104000123"]), class_digits=4)
    assert table["is_code"].tolist() == [False, True]
    assert table["sequence"].isna().tolist() == [True, False]
