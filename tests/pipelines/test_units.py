from datetime import date

import pandas as pd

from pipelines.units import transform
from tests.pipelines.town import context, frame, rules_of

SOUND = "91350100M000100Y43"  # check digit worked out in GB 32100-2015, annex B


def row(code, name=None, kind="企业", **more):
    return {"code": code, "name": name or f"单位{code}", "kind": kind} | more


def judge(tmp_path, *rows):
    none = pd.DataFrame({"code": [], "name": [], "successor_code": []}, dtype=object)
    return transform(frame(rows), context(tmp_path, units=none))


def test_units_are_read(tmp_path):
    given = row("u1", "城管局", "主管部门", aliases="城管;城市管理局", phone="12319")
    (found,) = judge(tmp_path, given).accepted.to_dict("records")
    assert (found["code"], found["kind"], found["aliases"], found["phone"]) == (
        "U1",
        "department",
        ["城管", "城市管理局"],
        "12319",
    )


def test_rows_are_judged(tmp_path):
    outcome = judge(
        tmp_path,
        row("A"),
        row("A"),
        row(None, "无"),
        row("C") | {"name": " "},
        row("D", kind="临时"),
        row("E", kind="属地"),
        row("F", area_code="130199"),
        row("G", successor_code="ZZ"),
    )
    assert rules_of(outcome.faults) == [
        (2, "P002"),
        (3, "P001"),
        (4, "P003"),
        (5, "UN01"),
        (6, "UN07"),
        (7, "UN04"),
        (8, "UN02"),
    ]
    assert outcome.accepted["code"].tolist() == ["A", "F"]


def test_successors_may_follow_each_other_but_not_in_a_ring(tmp_path):
    outcome = judge(
        tmp_path,
        row("A", successor_code="B"),
        row("B", successor_code="C"),
        row("C"),
        row("D", successor_code="E"),
        row("E", successor_code="D"),
        row("F", successor_code="F"),
        row("G", successor_code="D"),
    )
    assert rules_of(outcome.faults) == [(4, "UN03"), (5, "UN03"), (6, "UN03")]


def test_the_successor_may_be_loaded_already(tmp_path):
    loaded = pd.DataFrame({"code": ["B"], "name": ["乙"], "successor_code": [None]})
    outcome = transform(frame([row("A", successor_code="B")]), context(tmp_path, units=loaded))
    assert outcome.faults.empty


def test_credit_codes_are_doubted_by_their_check_digit(tmp_path):
    outcome = judge(tmp_path, row(SOUND), row(SOUND[:-1] + "4"), row("1301020111"))
    assert outcome.faults["reason_en"].tolist() == [
        f"{SOUND[:-1]}4 is not a valid unified social credit code: its check digit should be 3."
    ]
    assert len(outcome.accepted) == 3


def test_names_and_territories_that_two_units_share_are_told(tmp_path):
    outcome = judge(
        tmp_path,
        row("B", "排水（集团）公司"),
        row("A", "排水(集团)公司"),
        row("D", "甲", "属地", area_code="130102001"),
        row("C", "乙", "属地", area_code="130102001"),
    )
    assert rules_of(outcome.faults) == [(1, "UN06"), (3, "UN08")]
    assert outcome.faults["reason_en"].iloc[1] == (
        "Area 130102001 has two territorial units, C and D; the lowest code is used."
    )


def test_a_succession_has_a_day_and_a_split_has_heirs(tmp_path):
    outcome = judge(
        tmp_path,
        row("A", successor_code="B", successor_from="2020-01-01"),
        row("B", successor_code="C", successor_from="2019年5月1日"),
        row("C"),
        row("D", successor_code="B；C", successor_from="bald"),
        row("E", successor_code="B、ZZ"),
        row("F", successor_from="20240101"),
    )
    assert rules_of(outcome.faults) == [
        (1, "UN12"),
        (4, "UN09"),
        (4, "UN10"),
        (5, "UN02"),
        (5, "UN09"),
        (6, "UN11"),
    ]
    found = outcome.accepted.set_index("code")
    assert found["successor_from"].tolist()[:2] == [date(2020, 1, 1), date(2019, 5, 1)]
    assert found["successor_code"].tolist() == ["B", "C", None, None, None]
    assert found["heirs"].tolist() == [[], [], [], ["B", "C"], []]
    assert "2019-05-01" in outcome.faults["reason_en"].iloc[0]
