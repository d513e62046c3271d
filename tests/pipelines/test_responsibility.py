import numpy as np
import pytest

from pipelines.responsibility.intake import transform
from pipelines.responsibility.times import read_hours, read_season
from tests.pipelines.town import context, frame, rules_of


def row(code="R1", **more):
    base = {
        "code": code,
        "kind": "部件",
        "class_code": "0104",
        "area_code": "*",
        "role": "养护",
        "unit_code": "U1",
    }
    return base | more


def judge(tmp_path, *rows):
    return transform(frame(rows), context(tmp_path))


def test_chinese_words_become_the_tables_own(tmp_path):
    given = row(
        kind="事件",
        class_code="01",
        area_code="130102001001",
        role="处置",
        season="11月15日至3月15日",
        hours="22：00-6:00",
        limit_value="4",
        limit_unit="紧急工作时",
        filing_condition="破损",
    )
    (found,) = judge(tmp_path, given).accepted.to_dict("records")
    del found["source_file"], found["source_row"], found["closing_condition"], found["remark"]
    assert found == {
        "code": "R1",
        "kind": "event",
        "class_code": "01",
        "area_code": "130102001001",
        "role": "handler",
        "unit_code": "U1",
        "season": "11-15/03-15",
        "hours": "22:00/06:00",
        "limit_value": 4.0,
        "limit_unit": "emergency_hour",
        "filing_condition": "破损",
        "begins_on": None,
        "ends_on": None,
    }


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"code": None}, "P001"),
        ({"kind": "投诉"}, "RP01"),
        ({"class_code": "9999"}, "RP02"),
        ({"class_code": None}, "RP24"),
        ({"area_code": "130105"}, "RP04"),
        ({"area_code": None}, "RP23"),
        ({"role": "负责"}, "RP05"),
        ({"unit_code": "U9"}, "RP06"),
        ({"unit_code": None}, "RP17"),
        ({"season": "冬季"}, "RP07"),
        ({"season": "02-30/03-15"}, "RP07"),
        ({"hours": "夜间"}, "RP08"),
        ({"hours": "08:00/08:00"}, "RP08"),
        ({"limit_value": "尽快", "limit_unit": "工作日"}, "RP09"),
        ({"limit_value": "4"}, "RP09"),
        ({"limit_value": "-4", "limit_unit": "工作日"}, "RP09"),
    ],
)
def test_a_wrong_value_refuses_the_row(tmp_path, change, rule):
    outcome = judge(tmp_path, row() | change)
    assert rules_of(outcome.faults) == [(1, rule)]
    assert outcome.accepted.empty


def test_words_for_everywhere_and_every_class(tmp_path):
    outcome = judge(tmp_path, row(class_code="全部", area_code="全市"), row("R2", class_code="*"))
    assert outcome.accepted["class_code"].tolist() == ["*", "*"]
    assert outcome.accepted["area_code"].tolist() == ["*", "*"]


def test_a_lost_zero_is_given_back_and_told(tmp_path):
    outcome = judge(tmp_path, row(class_code="104"))
    assert outcome.accepted["class_code"].tolist() == ["0104"]
    assert rules_of(outcome.faults) == [(1, "RP03")]


def test_grids_are_areas_too(tmp_path):
    assert judge(tmp_path, row(area_code="130102001001002")).faults.empty


def test_two_rows_that_decide_the_same_for_two_units_are_told(tmp_path):
    rows = [
        row("R1"),
        row("R2", unit_code="U2"),
        row("R3", unit_code="U2", season="06-01/09-30"),
        row("R4", role="权属", unit_code="U2"),
        row("R5"),
    ]
    outcome = judge(tmp_path, *rows)
    assert len(outcome.accepted) == 5
    assert rules_of(outcome.faults) == [(2, "RP10"), (5, "RP10")]
    assert "Row R1 gives the same role" in outcome.faults["reason_en"].iloc[0]


def test_no_limit_is_no_fault(tmp_path):
    (found,) = judge(tmp_path, row()).accepted.to_dict("records")
    assert np.isnan(found["limit_value"])
    assert found["limit_unit"] is None


@pytest.mark.parametrize(
    ("text", "season"),
    [
        ("11-15/03-15", "11-15/03-15"),
        ("6.1-9.30", "06-01/09-30"),
        ("6月1日~9月30日", "06-01/09-30"),
        ("02-29/02-29", "02-29/02-29"),
        ("00-01/01-01", None),
        ("全年", None),
    ],
)
def test_seasons(text, season):
    assert read_season(text) == season


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("22:00/06:00", "22:00/06:00"),
        ("8时至18时30分", "08:00/18:30"),
        ("18:30—24:00", "18:30/00:00"),
        ("00:00/24:00", None),
        ("24:30/06:00", None),
        ("8-18", None),
        # After midnight, and so is the end.
        ("晚上0时至5时", "00:00/05:00"),
        ("晚0-5时", "00:00/05:00"),
        ("晚1时至5时", "01:00/05:00"),
        ("夜间0时至6时", "00:00/06:00"),
        ("晚12时至5时", "00:00/05:00"),
        ("晚0时至12时", None),
        ("下午0时至5时", None),
        # Noon, whichever part of the day it is counted to.
        ("上午12时至2时", "12:00/14:00"),
        ("中午11时至1时", "11:00/13:00"),
        # The end is before the begin.
        ("下午3时至14时", None),
        ("中午1时至12时", None),
        ("下午5时至下午2时", None),
        ("晚22时至21时", None),
        ("8时至5时", None),
        ("8-5时", None),
        ("每日8:00-5:00", None),
        ("8时至当日5时", None),
        ("12时至2时", None),
        ("8时至次日5时", "08:00/05:00"),
        ("8:00-0:00", "08:00/00:00"),
        ("22-6时", "22:00/06:00"),
        ("20:00-8:00", "20:00/08:00"),
        ("晚8时至5时", "20:00/05:00"),
        ("下午22时至6时", "22:00/06:00"),
        ("08:00/05:00", "08:00/05:00"),
    ],
)
def test_hours(text, hours):
    assert read_hours(text) == hours
