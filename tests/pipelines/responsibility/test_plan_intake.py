"""Delivered rows judged and taken apart: classes, areas, roles and units of one line."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from pipelines.responsibility.intake import transform
from tests.pipelines.town import AS_OF, CRS, context, frame, live_areas, nothing, rules_of

UNITS = pd.DataFrame(
    {
        "code": ["U1", "U2", "U3", "S1"],
        "name": ["排水公司", "路灯处", "旧路灯处", "建北街道办事处"],
        "aliases": [["排水（集团）"], ["养护队"], ["养护队"], []],
        "area_code": [None, None, None, "130102001"],
        "successor_code": [None, None, "U2", None],
    }
)


def wide(code="1", **more):
    base = {
        "code": code,
        "kind": "部件",
        "class_code": "0104",
        "area_name": "全区",
        "maintainer": "排水公司",
    }
    return base | more


def judge(tmp_path, *rows, **judged):
    return transform(frame(rows), context(tmp_path, units=UNITS, **judged))


def told(outcome, *names):
    return [tuple(row[name] for name in names) for row in outcome.accepted.to_dict("records")]


def test_each_role_of_a_line_becomes_a_row(tmp_path):
    given = wide(competent="路灯处", owner="/", handler="U1")
    outcome = judge(tmp_path, given)
    assert told(outcome, "code", "role", "unit_code") == [
        ("1.competent", "competent", "U2"),
        ("1.maintainer", "maintainer", "U1"),
        ("1.handler", "handler", "U1"),
    ]
    assert outcome.faults.empty


def test_classes_and_areas_listed_in_one_cell(tmp_path):
    given = wide(
        class_code=None,
        class_name="上水井盖、公用设施类/雨水箅子",
        area_name="翠屏社区；130102001002",
    )
    assert told(judge(tmp_path, given), "code", "class_code", "area_code") == [
        ("1.maintainer:0101@130102001001", "0101", "130102001001"),
        ("1.maintainer:0101@130102001002", "0101", "130102001002"),
        ("1.maintainer:0104@130102001001", "0104", "130102001001"),
        ("1.maintainer:0104@130102001002", "0104", "130102001002"),
    ]


def test_street_and_community_in_columns_of_their_own(tmp_path):
    rows = [
        wide("1", area_name=None, street_name="建北街道", community_name=None),
        wide("2", area_name=None, street_name="建北街道办事处", community_name="槐底社区"),
        wide("3", area_name="建北街道/翠屏社区"),
    ]
    assert told(judge(tmp_path, *rows), "area_code") == [
        ("130102001",), ("130102001002",), ("130102001001",),
    ]  # fmt: skip


def test_all_communities_of_a_street_but_for_some_are_no_more_than_these(tmp_path):
    rows = [
        wide("1", area_name=None, street_name="建北街道（除翠屏社区外）", community_name="全部"),
        wide(
            "2",
            area_name=None,
            street_name="建北街道（除翠屏社区外的其他社区）",
            community_name="/",
        ),
    ]
    assert told(judge(tmp_path, *rows), "area_code") == [("130102001002",)] * 2
    lost = wide("3", area_name=None, street_name="月亮街道", community_name="全部")
    assert judge(tmp_path, lost).faults["rule"].tolist() == ["RP04"]


def test_an_area_but_for_a_part_twice_in_one_cell_is_two(tmp_path):
    both = "建北街道除翠屏社区外、建北街道除槐底社区外"
    assert sorted(told(judge(tmp_path, wide(area_name=both)), "area_code")) == [
        ("130102001001",), ("130102001002",),
    ]  # fmt: skip


@pytest.mark.parametrize("said", ["1个月", "1个月以内", "一个月之内"])
def test_a_limit_in_months_is_refused_with_the_reason(tmp_path, said):
    faults = judge(tmp_path, wide(limit_value=said)).faults
    assert faults["rule"].tolist() == ["RP09"]
    assert "months differ in length" in faults["reason_en"].iloc[0]


def test_several_ranges_of_one_cell_are_told_with_a_reason_each(tmp_path):
    faults = judge(tmp_path, wide(class_code="0103-0101、0101-03")).faults
    (told_of,) = faults.loc[faults["rule"].eq("RP25"), "reason_en"]
    assert "the first code is the greater" in told_of
    assert "its ends differ in length" in told_of


def test_a_major_class_is_meant_where_no_minor_one_is_named(tmp_path):
    rows = [
        wide("1", class_code=None, major_name="公用设施"),
        wide("2", class_code=None, class_name="全部小类", major_name="公用设施类"),
        wide("3", class_code="02"),
        wide("4", class_code="全部"),
    ]
    assert told(judge(tmp_path, *rows), "class_code") == [("01",), ("01",), ("02",), ("*",)]


def test_ranges_of_classes_are_read_where_they_can_mean_one_thing(tmp_path):
    rows = [
        wide("1", class_code="0101--0103"),
        wide("2", class_code="101-103", maintainer="路灯处"),
        wide("3", class_code="01－02，0301"),
        wide("4", class_code="0101至0102；104", maintainer="路灯处", area_name="翠屏社区"),
    ]
    outcome = judge(tmp_path, *rows)
    classes = {}
    for code, class_code in told(outcome, "code", "class_code"):
        classes.setdefault(code[0], []).append(class_code)
    assert classes == {
        "1": ["0101", "0102", "0103"],
        "2": ["0101", "0102", "0103"],
        "3": ["01", "02", "0301"],
        "4": ["0101", "0102", "0104"],
    }
    lost = outcome.faults[outcome.faults["rule"].eq("RP03")]
    assert lost["source_row"].tolist() == [2, 4]
    assert lost["reason_en"].iloc[0] == (
        "Class 101-103 lost its leading zero and was read as 0101-0103."
    )


@pytest.mark.parametrize(
    ("written", "why", "why_zh"),
    [
        ({"class_code": "0103-0101"}, "the first code is the greater", "前一代码大于后一代码"),
        ({"class_code": "0101-0199"}, "0199 is none of its classes", "0199 不是其中的类别"),
        ({"class_code": "0101-03"}, "its ends differ in length", "两端位数不同"),
        ({"class_code": "1-3"}, "1 is none of its classes", "1 不是其中的类别"),
        (
            {"class_code": "01-03", "major_code": "02"},
            "beside a major class two digits are no class of their own",
            "旁列已有大类，两位数字无法确定所指",
        ),
    ],
)
def test_other_ranges_are_refused_with_what_to_write(tmp_path, written, why, why_zh):
    outcome = judge(tmp_path, wide("1"), wide("2") | written)
    assert rules_of(outcome.faults) == [(2, "RP25")]
    (en,), (zh,) = outcome.faults["reason_en"], outcome.faults["reason_zh"]
    said = written["class_code"]
    assert en.startswith(f"Range of classes {said} can not be read, as {why} (GB/T 30428.2-2013):")
    assert en.endswith("as in 0101-0106 or 01-03.")
    assert why_zh in zh


def test_a_range_of_another_generation_is_told_as_such(tmp_path):
    outcome = judge(tmp_path, wide("1", class_code="01001-01003"))
    assert rules_of(outcome.faults) == [(1, "RP15")]


def test_the_territorial_unit_of_each_street_is_meant(tmp_path):
    rows = [
        wide("1", kind="事件", class_code="01", maintainer=None, territorial="属地街道办事处"),
        wide(
            "2",
            kind="事件",
            class_code="0101",
            maintainer=None,
            handler="属地",
            area_name="翠屏社区",
        ),
    ]
    assert told(judge(tmp_path, *rows), "code", "area_code", "role", "unit_code") == [
        ("1.territorial@130102001", "130102001", "territorial", "S1"),
        ("2.handler", "130102001001", "handler", "S1"),
    ]


def test_a_plain_unit_column_is_maintainer_or_handler(tmp_path):
    rows = [
        {
            "code": "1",
            "kind": "部件",
            "class_code": "0104",
            "area_code": "*",
            "unit_name": "排水（集团）",
        },
        {
            "code": "2",
            "kind": "事件",
            "class_code": "0101",
            "area_code": "*",
            "unit_name": "路灯处",
        },
    ]
    assert told(judge(tmp_path, *rows), "role", "unit_code") == [
        ("maintainer", "U1"),
        ("handler", "U2"),
    ]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"maintainer": "市政三处"}, "RP06"),
        ({"maintainer": "养护队"}, "RP16"),
        ({"maintainer": None}, "RP17"),
        ({"area_name": "建国东街道"}, "RP04"),
        ({"area_name": "翠屏社区、火星"}, "RP04"),
        ({"class_code": "01004"}, "RP15"),
        ({"class_code": None, "class_name": "飞碟"}, "RP02"),
        ({"valid_from": "2026-06-01", "valid_to": "2026-01-01"}, "RP18"),
        ({"valid_from": "明年"}, "RP18"),
        ({"limit_value": "尽快"}, "RP09"),
        ({"season": "冬季"}, "RP07"),
        ({"hours": "晚上"}, "RP08"),
        ({"maintainer": None, "territorial": "属地", "area_name": "长安区"}, "RP20"),
    ],
)
def test_a_line_that_is_not_understood_is_refused_whole(tmp_path, change, rule):
    outcome = judge(tmp_path, wide("1"), wide("2") | change)
    assert rules_of(outcome.faults) == [(2, rule)]
    assert len(outcome.accepted) == 1
    assert outcome.refused == 1


def test_a_unit_that_is_not_known_is_told_with_those_most_like_it(tmp_path):
    outcome = judge(tmp_path, wide("1") | {"maintainer": "排水有限公司"})
    (told_en,), (told_zh,) = outcome.faults["reason_en"], outcome.faults["reason_zh"]
    assert told_en.startswith("Unit 排水有限公司 is not in the directory; most like it: 排水")
    assert "最接近的是 排水" in told_zh


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"maintainer": "旧路灯处"}, "RP12"),
        ({"class_name": "路灯"}, "RP11"),
        ({"class_code": "104"}, "RP03"),
    ],
)
def test_what_is_odd_is_told_and_loaded(tmp_path, change, rule):
    outcome = judge(tmp_path, wide() | change)
    assert rules_of(outcome.faults) == [(1, rule)]
    assert len(outcome.accepted) == 1


def test_rows_that_ended_are_left_out_and_days_to_come_are_kept_and_told(tmp_path):
    rows = [
        wide("past", valid_to="2026-05-30"),
        wide("long past", valid_from="2020-01-01", valid_to="2025.12.31"),
        wide("last day", valid_to="2026年5月31日"),
        wide("first day", valid_from="2026/5/31", valid_to="长期"),
        wide("future", valid_from="2026-06-01"),
    ]
    outcome = judge(tmp_path, *rows)
    assert date(2026, 5, 31) == AS_OF
    june = date(2026, 6, 1)
    assert told(outcome, "code", "begins_on", "ends_on") == [
        ("lastday.maintainer", None, AS_OF),
        ("firstday.maintainer", AS_OF, None),
        ("future.maintainer", june, None),
    ]
    assert outcome.refused == 0
    ended, ahead = outcome.remarks
    assert "2 rows of the plan ended before 2026-05-31" in ended.en
    assert "2 行在 2026-05-31 之前已失效" in ended.zh
    assert "other rows hold from 2026-06-01 on" in ahead.en
    assert "自 2026-06-01 起" in ahead.zh


def test_units_that_follow_each_other_are_no_conflict(tmp_path):
    rows = [
        wide("1", valid_to="2026-06-30"),
        wide("2", valid_from="2026-07-01", maintainer="路灯处"),
        wide("3", valid_from="2026-01-01", class_code="0101"),
        wide("4", class_code="0101", maintainer="路灯处"),
    ]
    assert rules_of(judge(tmp_path, *rows).faults) == [(4, "RP10")]


def test_rows_that_conflict_only_later_are_told_once_with_the_day(tmp_path):
    rows = [
        wide("1", valid_to="2026-08-31"),
        wide("2", valid_from="2026-07-01", maintainer="路灯处"),
        wide("3", valid_from="2026-08-01", maintainer="路灯处"),
        wide("4", valid_from="2026-09-01", maintainer="建北街道办事处"),
    ]
    outcome = judge(tmp_path, *rows)
    assert rules_of(outcome.faults) == [(2, "RP10"), (3, "RP10"), (4, "RP10")]
    july, august, september = outcome.faults["reason_en"]
    assert july == (
        "Row 1.maintainer gives the same role for the same class, area and time to another unit"
        " from 2026-07-01 on."
    )
    assert august.endswith("from 2026-08-01 on.")
    assert september.startswith("Row 2.maintainer")
    assert september.endswith("from 2026-09-01 on.")
    assert outcome.faults["reason_zh"].iloc[0].endswith("指定了另一单位（自 2026-07-01 起）。")
    assert len(outcome.accepted) == 4


def test_times_and_limits_in_words(tmp_path):
    given = wide(season="11月15日至次年3月15日", hours="晚22时至次日6时", limit_value="2个工作日")
    always = wide("2", season="全年", hours="全天", limit_value="24小时", class_code="0101")
    assert told(judge(tmp_path, given, always), "season", "hours", "limit_value", "limit_unit") == [
        ("11-15/03-15", "22:00/06:00", 2.0, "working_day"),
        (None, None, 24.0, "emergency_hour"),
    ]


def test_numbers_that_start_anew_on_each_sheet_get_its_name(tmp_path):
    rows = [wide("1", sheet="部件"), wide("1", sheet="事件", kind="事件", class_code="0101")]
    assert told(judge(tmp_path, *rows), "code") == [("部件1.maintainer",), ("事件1.maintainer",)]


def test_a_number_used_twice_on_one_sheet_is_refused(tmp_path):
    outcome = judge(tmp_path, wide("1"), wide("1", class_code="0101"))
    assert rules_of(outcome.faults) == [(2, "P002")]


def test_a_number_that_goes_on_over_rows_is_counted_on(tmp_path):
    rows = [wide("1"), wide("1", is_continued="yes"), wide("1", is_continued="yes"), wide("2")]
    assert told(judge(tmp_path, *rows), "code") == [
        ("1.maintainer",), ("1-2.maintainer",), ("1-3.maintainer",), ("2.maintainer",),
    ]  # fmt: skip


def test_rows_without_numbers_are_named_by_what_they_say(tmp_path):
    rows = [
        wide(None, is_unnumbered="yes"),
        wide(None, is_unnumbered="yes", season="06-01/09-30"),
        wide(None, is_unnumbered="yes"),
    ]
    assert told(judge(tmp_path, *rows), "code") == [
        ("C0104@*.maintainer",),
        ("C0104@*.maintainer~06-01/09-30",),
        ("C0104@*.maintainer#2",),
    ]


def test_a_row_without_a_number_keeps_its_name_when_the_one_before_it_ends(tmp_path):
    first = wide(None, is_unnumbered="yes", valid_to="2026-06-30")
    then = wide(None, is_unnumbered="yes", valid_from="2026-07-01", maintainer="路灯处")
    both = judge(tmp_path, first, then)
    assert told(both, "code", "unit_code") == [
        ("C0104@*.maintainer", "U1"),
        ("C0104@*.maintainer~2026-07-01", "U2"),
    ]
    july = replace(context(tmp_path, units=UNITS), as_of=date(2026, 7, 1))
    assert transform(frame([first, then]), july).accepted["code"].tolist() == [
        "C0104@*.maintainer~2026-07-01"
    ]


def test_several_units_in_one_cell_are_several_rows_that_conflict(tmp_path):
    outcome = judge(tmp_path, wide(maintainer="排水公司、路灯处"))
    assert told(outcome, "code", "unit_code") == [
        ("1.maintainer=U1", "U1"),
        ("1.maintainer=U2", "U2"),
    ]
    assert rules_of(outcome.faults) == [(1, "RP10")]


def test_grids_of_a_trade_are_areas_by_code_or_name(tmp_path):
    trades = nothing("code", "name", "area_code", "members")
    trades = pd.concat(
        [trades, pd.DataFrame({"code": ["HW1"], "name": ["翠屏社区、槐底社区环卫网格"],
                               "area_code": ["130102001"], "members": [["130102001001001"]]})]
    )  # fmt: skip
    rows = [wide("1", area_name="HW1"), wide("2", area_name="翠屏社区、槐底社区环卫网格")]
    assert told(judge(tmp_path, *rows, management_grids=trades), "area_code") == [
        ("HW1",),
        ("HW1",),
    ]


def test_a_name_of_two_areas_is_not_guessed(tmp_path):
    areas = live_areas()
    more = areas[areas["code"].eq("130102001001")].assign(code="130102002001")
    both = pd.concat([areas, more], ignore_index=True).set_crs(CRS, allow_override=True)
    outcome = judge(
        tmp_path, wide(area_name="翠屏社区"), wide("2", area_name="建北街道翠屏社区"), areas=both
    )
    assert rules_of(outcome.faults) == [(1, "RP04")]
    assert told(outcome, "area_code") == [("130102001001",)]


def test_areas_and_limits_as_offices_write_them(tmp_path):
    village = live_areas().replace({"name": {"槐底社区": "槐底村"}})
    outcome = judge(
        tmp_path,
        wide("1", area_name="建北街道办", limit_value="48h"),
        wide("2", area_name="槐底村委会", limit_value="24 H内"),
        areas=village,
    )
    assert told(outcome, "area_code", "limit_value", "limit_unit") == [
        ("130102001", 48.0, "emergency_hour"),
        ("130102001002", 24.0, "emergency_hour"),
    ]
    assert outcome.faults.empty


def test_several_spans_of_a_cell_are_rows_of_their_own(tmp_path):
    rows = [
        wide("1", hours="08:00-12:00、14:00-18:00"),
        wide("2", hours="22:00-06:00", season="3-5月；9-11月", class_code="0101"),
        wide(None, is_unnumbered="yes", class_code="0102", hours="上午8:30-12:00\n下午2:00-5:30"),
    ]
    outcome = judge(tmp_path, *rows)
    assert outcome.faults.empty
    assert told(outcome, "code", "season", "hours") == [
        ("1.maintainer~08:00/12:00", None, "08:00/12:00"),
        ("1.maintainer~14:00/18:00", None, "14:00/18:00"),
        ("2.maintainer~03-01/05-31", "03-01/05-31", "22:00/06:00"),
        ("2.maintainer~09-01/11-30", "09-01/11-30", "22:00/06:00"),
        ("C0102@*.maintainer~08:30/12:00", None, "08:30/12:00"),
        ("C0102@*.maintainer~14:00/17:30", None, "14:00/17:30"),
    ]


def test_words_for_times_count_with_their_days_and_hours(tmp_path):
    rows = [
        wide("1", season="汛期（6月1日至9月15日）", hours="夜间（22:00-次日6:00）"),
        wide("2", class_code="0101", limit_value="1周", hours="昼间(6:00-22:00)"),
        wide("3", class_code="0102", limit_value="2", limit_unit="周"),
    ]
    outcome = judge(tmp_path, *rows)
    assert outcome.faults.empty
    assert told(outcome, "season", "hours", "limit_unit") == [
        ("06-01/09-15", "22:00/06:00", None),
        (None, "06:00/22:00", "calendar_day"),
        (None, None, "calendar_day"),
    ]
    assert outcome.accepted["limit_value"].tolist()[1:] == [7.0, 14.0]


@pytest.mark.parametrize(
    ("written", "rule", "en", "zh"),
    [
        ({"season": "汛期"}, "RP07", "as in 汛期（6月1日至9月30日）", "没有统一规定"),
        ({"season": "非汛期（6-9月）"}, "RP07", "as in 11-15/03-15", "请写明起止日期"),
        ({"hours": "昼间"}, "RP08", "as in 昼间（6:00-22:00）", "由各市自行规定"),
        ({"hours": "夜间"}, "RP08", "as in 夜间（22:00-次日6:00）", "由各市自行规定"),
        ({"hours": "工作日8:00-18:00"}, "RP08", "days of the week", "不区分星期和节假日"),
        ({"hours": "8:00-12:00、2:00-6:00"}, "RP08", "not clear", "其中有时段不明确"),
        ({"limit_value": "1个月"}, "RP09", "months differ in length", "各月天数不同"),
        ({"area_name": "全区（除火星外）"}, "RP26", "as 火星 is no loaded", "为 火星 另立一行"),
        (
            {"area_name": "翠屏社区（不含槐底社区）"},
            "RP26",
            "as 槐底社区 is no loaded",
            "请逐一列出区域",
        ),
    ],
)
def test_what_would_be_guessed_is_refused_with_what_to_write(tmp_path, written, rule, en, zh):
    outcome = judge(tmp_path, wide("1"), wide("2") | written)
    assert rules_of(outcome.faults) == [(2, rule)]
    assert en in outcome.faults["reason_en"].iloc[0]
    assert zh in outcome.faults["reason_zh"].iloc[0]


@pytest.mark.parametrize(
    "area",
    ["全区（除翠屏社区外）", "长安区除翠屏社区以外", "除翠屏社区外的其他社区", "建北街道(不含翠屏社区)",
     "全区（翠屏社区除外）", "全区不含翠屏社区"],
)  # fmt: skip
def test_an_area_without_a_part_of_it_is_what_is_left(tmp_path, area):
    outcome = judge(tmp_path, wide("1", area_name=area))
    assert told(outcome, "code", "area_code") == [("1.maintainer", "130102001002")]
    assert outcome.faults.empty
