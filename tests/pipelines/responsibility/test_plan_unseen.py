"""What a workbook holds beside its values: formulas, errors, hidden sheets and rows, stray cells."""

import openpyxl
import pytest

from gis.errors import FileFormatError
from pipelines.responsibility.intake import transform
from pipelines.responsibility.unseen import find_unseen
from pipelines.responsibility.workbook import read_plan
from tests.pipelines.responsibility.planbooks import HEAD, line, write_book
from tests.pipelines.town import context, rules_of


def row(number, **more):
    base = {
        "序号": number,
        "类型": "部件",
        "小类代码": "0104",
        "责任区域": "全区",
        "养护单位": "U1",
    }
    return line(**(base | more))


def change(path, edit):
    book = openpyxl.load_workbook(path)
    edit(book)
    book.save(path)
    return path


def test_a_formula_without_a_result_refuses_its_row(tmp_path):
    path = write_book(
        tmp_path / "a.xlsx",
        {"职责": [HEAD, row(1), row(2, 适用季节="=J2"), row(3, 处置时限="#N/A")]},
    )
    outcome = transform(read_plan(path).frame, context(tmp_path))
    assert rules_of(outcome.faults) == [(3, "RP21"), (4, "RP21")]
    assert outcome.faults["reason_en"].str.contains("J3 =J2").tolist() == [True, False]
    assert outcome.accepted["code"].tolist() == ["1.maintainer"]


def test_a_formula_merged_over_rows_refuses_all_of_them(tmp_path):
    rows = [HEAD, row(1, 适用季节="=A9"), row(2), row(3)]
    path = write_book(tmp_path / "a.xlsx", {"职责": rows}, merged={"职责": ["J2:J3"]})
    outcome = transform(read_plan(path).frame, context(tmp_path))
    assert rules_of(outcome.faults) == [(2, "RP21"), (3, "RP21")]


def test_hidden_sheets_are_left_and_hidden_rows_told(tmp_path):
    path = write_book(
        tmp_path / "a.xlsx", {"今年": [HEAD, row(1), row(2)], "去年": [HEAD, row(1, 养护单位="U2")]}
    )

    def hide(book):
        book["去年"].sheet_state = "hidden"
        book["今年"].row_dimensions[3].hidden = True

    layer = read_plan(change(path, hide))
    assert layer.frame["sheet"].tolist() == ["今年", "今年"]
    told = [warning.en for warning in layer.report.warnings]
    assert ["去年" in told[0], "row 3" in told[1], len(told)] == [True, True, 2]
    assert read_plan(path, sheet="去年").frame["maintainer"].tolist() == ["U2"]


def test_headings_repeated_on_each_page_are_no_rows(tmp_path):
    rows = [["职责表", *[None] * 15], HEAD, row(1), HEAD, row(2)]
    path = write_book(tmp_path / "a.xlsx", {"职责": rows})
    assert read_plan(path).frame["code"].tolist() == ["1", "2"]


def test_a_stray_cell_far_off_is_refused_before_memory_is_filled(tmp_path):
    path = write_book(tmp_path / "a.xlsx", {"职责": [HEAD, row(1)]})

    def stray(book):
        book["职责"]["XFD1048576"] = "x"

    with pytest.raises(
        FileFormatError, match=r"A sheet of a\.xlsx reaches over 17,179,869,184 cells"
    ):
        read_plan(change(path, stray))


def test_formats_alone_reach_nowhere_and_a_broken_file_has_no_sheets(tmp_path):
    path = write_book(tmp_path / "a.xlsx", {"职责": [HEAD, row(1)]})

    def fill(book):
        for number in range(3, 40):
            book["职责"].cell(number, 16_000).number_format = "@"

    assert len(read_plan(change(path, fill)).frame) == 1
    (tmp_path / "b.xlsx").write_bytes(b"PK\x03\x04 broken")
    assert find_unseen(tmp_path / "b.xlsx") == {}
    with pytest.raises(FileFormatError, match="can not be read as a workbook"):
        read_plan(tmp_path / "b.xlsx")
