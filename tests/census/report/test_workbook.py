"""The workbook: a sheet per file with its own columns, and no formula whatever was delivered."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest
import shapely

from census.report.judgement import FileJudgement
from census.report.workbook import HEADERS, write_workbook
from gis.remarks import Remark
from tests.census.report.judgements import EAST, NORTH, fault, judgement, read_file


def written(path: Path, *faults: dict[str, Any], **given: Any) -> Any:
    write_workbook(judgement(faults, **given), path)
    return openpyxl.load_workbook(path)


def test_each_file_has_a_sheet_with_its_own_columns(tmp_path: Path) -> None:
    other = fault(
        2, source_file="05部件/井盖.xlsx", record={"code": "7", "序号": "甲", "WIDTH": 3.5}
    )
    book = written(tmp_path / "faults.xlsx", fault(1), other)
    assert book.sheetnames == ["汇总 summary", "规则 rules", "0101上水井盖.shp", "井盖.xlsx"]
    first, second = (list(book[name].values) for name in book.sheetnames[2:])
    assert first[0] == (*HEADERS.values(), "标识码", "权属单位")
    assert second[0] == (*HEADERS.values(), "code", "序号_", "WIDTH")
    row = dict(zip(first[0], first[1], strict=True))
    assert (row["行号"], row["规则"], row["级别"]) == (1, "C041", "存疑")
    assert (row["X（东）"], row["Y（北）"]) == (EAST + 1, NORTH)
    assert row["权属单位"] == "排水公司"
    assert second[1][-3:] == ("7", "甲", 3.5)


def test_the_header_stays_in_sight_and_filters(tmp_path: Path) -> None:
    sheet = written(tmp_path / "faults.xlsx", fault(1), fault(2))["0101上水井盖.shp"]
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:N3"
    assert sheet["A1"].font.bold


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        '=HYPERLINK("http://x","y")',
    ],
)
def test_what_looks_like_a_formula_is_text(tmp_path: Path, text: str) -> None:
    bad = fault(1, code=text, reason_zh=text, record={text: text})
    book = written(tmp_path / "faults.xlsx", bad, delivery=text)
    for sheet in book:
        for row in sheet.iter_rows():
            for cell in row:
                assert cell.data_type != "f"
                if str(cell.value).startswith(("=", "+", "-", "@")):
                    assert cell.quotePrefix, cell.coordinate


def test_characters_that_a_workbook_refuses_are_dropped(tmp_path: Path) -> None:
    bad = fault(1, record={"备注\x00": "a\x0b\ud800b", "长": "长" * 40_000})
    sheet = written(tmp_path / "faults.xlsx", bad)["0101上水井盖.shp"]
    head, row = list(sheet.values)
    assert (head[-2], row[-2]) == ("备注", "a?b")
    assert len(row[-1]) == 32_000


def test_files_named_alike_or_oddly_get_sheets_of_their_own(tmp_path: Path) -> None:
    names = ["a/部件[1]:表?.shp", "b/部件[1]:表?.shp", "'", "x" * 60 + "1", "x" * 60 + "2"]
    faults = [fault(number, source_file=name) for number, name in enumerate(names, 1)]
    book = written(tmp_path / "faults.xlsx", *faults)
    assert len(book.sheetnames) == 2 + len(names)
    assert all(len(name) <= 31 for name in book.sheetnames)


def test_the_summary_says_the_verdict_and_what_could_not_be_read(tmp_path: Path) -> None:
    unread = FileJudgement(
        path="坏.shp", dataset="components", error=Remark(en="It is empty.", zh="是空文件。")
    )
    book = written(tmp_path / "faults.xlsx", files=[read_file(100), unread])
    text = "\n".join(str(value) for row in book["汇总 summary"].values for value in row if value)
    for words in (
        "不合格 Reject",
        "1 file can not be read.",
        "是空文件。 It is empty.",
        "GuanJing",
    ):
        assert words in text


def test_what_is_said_of_a_file_stands_in_both_languages(tmp_path: Path) -> None:
    told = Remark(en="The layer has no rows.", zh="图层中没有记录。")
    file = FileJudgement(path="a.shp", dataset="components", warnings=(told,))
    summary = written(tmp_path / "a.xlsx", files=[file]).worksheets[0]
    (row,) = [row for row in summary.iter_rows(values_only=True) if row[0] == "a.shp"]
    assert row[1] == "图层中没有记录。 The layer has no rows."


def test_the_rules_are_counted_and_explained(tmp_path: Path) -> None:
    errors = [fault(number, rule="C010", severity="error") for number in (3, 4)]
    twice = fault(5, source_row=4, rule="C010", severity="error")
    rows = list(written(tmp_path / "faults.xlsx", fault(1), *errors, twice)["规则 rules"].values)
    assert [row[:3] for row in rows[1:]] == [("C010", "不合格", 2), ("C041", "存疑", 1)]
    assert all(rows[1][:6])


def test_a_fault_without_a_place_has_no_coordinates(tmp_path: Path) -> None:
    sheet = written(tmp_path / "faults.xlsx", fault(1, geometry=shapely.Point()))[
        "0101上水井盖.shp"
    ]
    head, row = list(sheet.values)
    assert row[head.index("X（东）")] is None
