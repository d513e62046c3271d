import pandas as pd
import pytest

from census.ownership import ROLES, ownership_states, resolve_units
from census.units import read_directory
from gis.codes import read_rules
from gis.faults import Faults

UNITS = pd.DataFrame(
    {
        "code": ["U1", "U2", "U3", "U4"],
        "name": ["市排水公司", "市热力公司", "城管局", "城管局"],
        "aliases": [["排水（集团）"], [], [], []],
        "successor_code": None,
    }
)
BLANK = {f"{role}_{part}": None for role in ROLES for part in ("code", "name")}


def survey(*rows):
    frame = pd.DataFrame(
        [
            {**BLANK, "remark": None, "ownership_state": None, "class_name": "雨水箅子", **row}
            for row in rows
        ]
    )
    frame["source_file"], frame["source_row"] = "a.shp", range(1, len(frame) + 1)
    return frame.astype(object)


def texts(column):
    """Return a column's values, None for any kind of missing."""
    return [None if pd.isna(value) else value for value in column]


def resolve(frame, *, units=UNITS, demands_credit_code=False):
    faults = Faults(frame, rules=read_rules("census"))
    codes = resolve_units(
        frame, faults, directory=read_directory(units), demands_credit_code=demands_credit_code
    )
    table = faults.outcome().faults
    return codes, list(zip(table["source_row"], table["rule"], strict=True)), table


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({"owner_name": "市排水公司"}, "confirmed"),
        ({"owner_code": "U1"}, "confirmed"),
        ({"owner_name": "无主"}, "none"),
        ({"owner_name": "不明"}, "unknown"),
        ({"owner_name": "联通/电信（争议）"}, "disputed"),
        ({}, "unknown"),
        ({"remark": "权属存在争议，待协调"}, "disputed"),
        ({"remark": "权属不明"}, "unknown"),
        ({"remark": "无主部件，由街道代管"}, "none"),
        ({"remark": "与无主井盖相邻", "owner_name": "市排水公司"}, "confirmed"),
        ({"class_name": "无主井盖"}, "none"),
        ({"class_name": "无主井盖", "owner_name": "市排水公司"}, "confirmed"),
        ({"ownership_state": "争议", "owner_name": "市排水公司"}, "disputed"),
        ({"ownership_state": "confirmed"}, "confirmed"),
        ({"maintainer_name": "市热力公司"}, "unknown"),
    ],
)
def test_states_come_from_words(row, state):
    assert ownership_states(survey(row)).tolist() == [state]


def test_units_are_resolved_by_code_name_and_alias():
    codes, found, _ = resolve(
        survey(
            {"owner_name": "市排水公司", "maintainer_name": "排水(集团)", "competent_code": "U2"},
            {"owner_code": "X9", "owner_name": "市热力公司"},
        )
    )
    assert texts(codes["owner_code"]) == ["U1", "U2"]
    assert texts(codes["maintainer_code"]) == ["U1", None]
    assert texts(codes["competent_code"]) == ["U2", None]
    assert found == []


def test_unknown_ambiguous_and_contradicting_units_are_reported():
    codes, found, table = resolve(
        survey(
            {"owner_name": "谁也不是"},
            {"owner_code": "X9"},
            {"owner_name": "城管局"},
            {"owner_code": "U1", "owner_name": "市热力公司"},
        )
    )
    assert found == [(1, "C060"), (2, "C060"), (3, "C061"), (4, "C062")]
    assert texts(codes["owner_code"]) == [None, "X9", "U3", "U1"]
    assert table["reason_zh"].tolist()[0] == "权属单位 谁也不是 不在单位名录中，按原样保留。"
    assert "市排水公司" in table["reason_en"].tolist()[3]


def test_words_of_doubt_are_no_unknown_units():
    _, found, _ = resolve(survey({"owner_name": "无主", "maintainer_name": "不明"}))
    assert found == []


def test_the_first_known_party_of_a_dispute_is_taken():
    codes, found, _ = resolve(
        survey({"owner_name": "谁也不是/市热力公司（争议）"}, {"owner_name": "市排水公司(有争议)"})
    )
    assert texts(codes["owner_code"]) == ["U2", "U1"]
    assert found == []


def test_credit_codes_are_checked_where_they_are_demanded():
    rows = survey(
        {"owner_code": "91350100M000100Y43"},
        {"owner_code": "91350100M000100Y44"},
        {"owner_code": "U1"},
    )
    units = pd.DataFrame(
        {"code": ["91350100M000100Y43", "91350100M000100Y44", "U1"], "name": ["甲", "乙", "丙"]}
    )
    assert resolve(rows, units=units)[1] == []
    assert resolve(rows, units=units, demands_credit_code=True)[1] == [(2, "C063"), (3, "C063")]


def test_an_empty_directory_is_said_once():
    rows = survey({}, {"owner_name": "甲"}, {"owner_code": "U1"})
    codes, found, _ = resolve(rows, units=UNITS.iloc[:0])
    assert found == [(2, "C064")]
    assert texts(codes["owner_code"]) == [None, None, "U1"]
