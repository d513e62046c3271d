"""The workbook read as cities keep it, and refused with a sentence where it can not be."""

import pytest

from gis.errors import FileFormatError
from pipelines.responsibility.workbook import read_plan
from tests.pipelines.responsibility.planbooks import AREA_HEAD, HEAD, line, write_book


def records(path, **options):
    frame = read_plan(path, **options).frame
    return [{k: v for k, v in row.items() if v is not None} for row in frame.to_dict("records")]


def test_sheets_of_each_kind_and_of_areas_are_read_together(tmp_path):
    path = write_book(
        tmp_path / "plan.xlsx",
        {
            "说明": [["本方案由城管局制定"]],
            "部件": [HEAD, line(序号="1", 小类代码="0104", 责任区域="全区", 养护单位="排水公司")],
            "事件": [HEAD, line(序号="1", 小类代码="0101", 责任区域="全区", 处置单位="路灯处")],
            "范围": [AREA_HEAD, line(AREA_HEAD, 范围编码="P1", 范围名称="广场", 范围类型="面")],
        },
    )
    layer = read_plan(path)
    rows = records(path)
    assert [(row["part"], row.get("kind"), row["source_file"]) for row in rows] == [
        ("row", "component", "plan.xlsx|部件"),
        ("row", "event", "plan.xlsx|事件"),
        ("area", "面", "plan.xlsx|范围"),
    ]
    assert rows[0]["maintainer"] == "排水公司"
    assert rows[0]["source_row"] == 2
    assert ["说明" in warning.zh for warning in layer.report.warnings] == [True]


def test_titles_headings_in_two_rows_and_merged_cells(tmp_path):
    rows = [
        ["长安区部件职责分解表", None, None, None, None, None],
        ["序号", "大类", "小类名称", "责任区域", "责任单位", None],
        [None, None, None, None, "主管部门", "养护单位"],
        [1, "公用设施", "上水井盖", "全区", "城管局", "供水公司"],
        [None, None, "雨水箅子", None, None, "排水公司"],
        [None, None, None, None, None, None],
        ["注：本表自发布之日起施行", None, None, None, None, None],
    ]
    merged = {
        "表一": [
            "A1:F1",
            "E2:F2",
            "A2:A3",
            "B2:B3",
            "C2:C3",
            "D2:D3",
            "B4:B5",
            "D4:D5",
            "E4:E5",
            "A7:F7",
        ]
    }
    found = records(write_book(tmp_path / "a.xlsx", {"表一": rows}, merged=merged))
    assert [(row["source_row"], row.get("code"), row["class_name"], row["area_name"], row["competent"], row["maintainer"])
            for row in found] == [
        (4, "1", "上水井盖", "全区", "城管局", "供水公司"),
        (5, None, "雨水箅子", "全区", "城管局", "排水公司"),
    ]  # fmt: skip
    assert {row["major_name"] for row in found} == {"公用设施"}
    assert {row["kind"] for row in found} == {"component"}


def test_without_any_column_of_areas_the_whole_city_is_meant(tmp_path):
    path = write_book(
        tmp_path / "a.xlsx",
        {"事件": [["小类代码", "责任单位"], ["0101", "城管局"], ["0102", "环卫处"]]},
    )
    assert [(row["area_code"], row["is_unnumbered"]) for row in records(path)] == [("*", "yes")] * 2


def test_columns_that_are_not_read_are_told(tmp_path):
    head = ["序号", "类型", "小类代码", "区域（街道）", "责任单位", None, None, "备注", "电话"]
    below = [None, None, None, None, "养护单位", "养护单位", "维护责任人"]
    cells = [1, "部件", "0104", "中山路街道", "排水公司", "路灯处", "张三", "无", None]
    merged = {"职责": ["E1:G1"]}
    path = write_book(tmp_path / "plan.xlsx", {"职责": [head, below, cells]}, merged=merged)
    (row,) = records(path)
    assert (row["maintainer"], row["area_code"]) == ("排水公司", "*")
    told = [warning.en for warning in read_plan(path).report.warnings]
    assert told[0].startswith(
        "Columns of 职责 that were not read: 区域（街道）, 养护单位, 维护责任人;"
    )
    assert told[1] == "职责 has no column of areas: its rows are for the whole city."


def test_a_number_merged_over_rows_goes_on(tmp_path):
    rows = [
        HEAD,
        line(序号=7, 小类代码="0101", 立案条件="缺失"),
        line(小类代码="0101", 立案条件="破损"),
    ]
    path = write_book(tmp_path / "a.xlsx", {"部件": rows}, merged={"部件": ["A2:A3"]})
    assert [row.get("is_continued") for row in records(path)] == [None, "yes"]
    assert [row["code"] for row in records(path)] == ["7", "7"]


def test_stated_columns_and_one_sheet_of_several(tmp_path):
    sheets = {
        "甲": [["编码", "处理单位"], ["0101", "环卫处"]],
        "乙": [HEAD, line(小类代码="0102", 养护单位="x")],
    }
    path = write_book(tmp_path / "a.xlsx", sheets)
    stated = {"class_code": "编码", "unit_name": "处理单位"}
    (found,) = records(path, sheet="甲", stated=stated)
    assert (found["class_code"], found["unit_name"]) == ("0101", "环卫处")
    with pytest.raises(FileFormatError, match="no sheet 丙"):
        read_plan(path, sheet="丙")


@pytest.mark.parametrize(
    "sheets",
    [
        {"部件": []},
        {"部件": [["随便", "什么"], [1, 2]]},
        {"部件": [["小类代码", "责任区域"], ["0101", "全区"]]},
        {"范围": [AREA_HEAD, line(AREA_HEAD, 范围编码="P1", 范围类型="面")]},
    ],
)
def test_a_book_without_a_plan_is_refused(tmp_path, sheets):
    with pytest.raises(FileFormatError, match="headings of a plan"):
        read_plan(write_book(tmp_path / "a.xlsx", sheets))


def test_a_plan_without_rows_says_so(tmp_path):
    layer = read_plan(write_book(tmp_path / "a.xlsx", {"部件": [HEAD]}))
    assert len(layer.frame) == 0
    assert [warning.en for warning in layer.report.warnings] == ["The plan has no rows."]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0", "old Excel workbook"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0 secret", "encrypted"),
        ("a.xlsx", b"PK\x03\x04 cut off", "can not be read as a workbook"),
    ],
)
def test_files_that_are_no_workbooks_are_refused(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=said):
        read_plan(tmp_path / name)
