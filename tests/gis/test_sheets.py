"""Tables: text stays text, rows keep their numbers, spreadsheets' habits are told."""

import datetime
import gzip
from pathlib import Path

import openpyxl
import pytest

from gis.errors import EncodingError, FileFormatError
from gis.sheets import read_sheet

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the shared real data is not here")


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def test_cells_come_as_text(tmp_path):
    day = datetime.date(2024, 5, 1)
    moment = datetime.datetime(2024, 5, 1, 8, 30, tzinfo=None)  # noqa: DTZ001 (sheets know no zone)
    rows = [["编号", "数", "小数", "是", "日", "时"], ["0104", 104, 1.5, True, day, moment]]
    found = read_sheet(workbook(tmp_path / "a.xlsx", 表=rows))
    assert found.frame.iloc[0, :6].tolist() == [
        "0104",
        "104",
        "1.5",
        "TRUE",
        "2024-05-01",
        "2024-05-01 08:30:00",
    ]
    assert found.report.warnings == ()


def test_the_first_row_with_anything_is_the_header_and_blank_rows_count(tmp_path):
    rows = [[], ["", None], ["编号 ", "名称"], ["1", "甲"], [], [" ", None], ["2", None]]
    found = read_sheet(workbook(tmp_path / "a.xlsx", 表=rows)).frame
    assert found["编号"].tolist() == ["1", "2"]
    assert found["名称"].tolist() == ["甲", None]
    assert found["source_row"].tolist() == [4, 7]


def test_codes_of_which_a_spreadsheet_lost_digits_are_told(tmp_path):
    rows = [["编号"], ["1301020101000001"], [1301020101000000], [1301020101000010]]
    found = read_sheet(workbook(tmp_path / "a.xlsx", 表=rows))
    (finding,) = found.findings
    assert (finding.kind, finding.column, finding.rows.tolist()) == ("digits_lost", "编号", [3, 4])
    assert finding.given == ("1301020101000000", "1301020101000010")
    assert found.report.warnings == (finding.remark,)
    assert "the last digits are lost: rows 3, 4" in finding.remark.en


def test_sixteen_digits_that_a_program_wrote_are_exact_and_seventeen_are_not(tmp_path):
    rows = [["短", "长"], [1301020101000001, 13010201001000001], [1301020101000010, "x"]]
    found = read_sheet(workbook(tmp_path / "a.xlsx", 表=rows))
    assert found.frame["短"].tolist() == ["1301020101000001", "1301020101000010"]
    (finding,) = found.findings
    assert (finding.kind, finding.column, finding.rows.tolist()) == ("digits_lost", "长", [2])


def test_codes_in_scientific_notation_are_told(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("编号,宽\n1.30102E+15,1.5\n1301020101000001,2e3\n1.3E+15,1E2\n", "utf-8")
    (finding,) = read_sheet(path).findings
    assert (finding.kind, finding.column, finding.rows.tolist()) == ("scientific", "编号", [2, 4])
    assert finding.given == ("1.30102E+15", "1.3E+15")


def test_columns_of_one_name_and_of_none_are_kept_and_told(tmp_path):
    rows = [["编号", "备注", "备注", None], ["1", "a", "b", "c"]]
    found = read_sheet(workbook(tmp_path / "a.xlsx", 表=rows))
    assert list(found.frame.columns[:4]) == ["编号", "备注", "备注_1", "column_4"]
    assert [said.en for said in found.report.warnings] == [
        "Column 备注 occurs twice; the second is called 备注_1.",
        "Column 4 has values but no name in the header row.",
    ]


def test_several_sheets_need_a_name(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 单位=[["a"], ["1"]], 职责=[["b"], ["2"]], 空=[])
    with pytest.raises(FileFormatError, match="several sheets") as caught:
        read_sheet(path)
    assert "声明 sheet" in caught.value.zh
    with pytest.raises(FileFormatError, match="no sheet 人员"):
        read_sheet(path, sheet="人员")
    assert read_sheet(path, sheet="职责").frame["b"].tolist() == ["2"]


def test_one_filled_sheet_needs_none(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 空=[], 单位=[["a"], ["1"]])
    assert read_sheet(path).frame["a"].tolist() == ["1"]


def far_book(path, place, value):
    book = openpyxl.Workbook()
    book.active.append(["编号", "名称"])
    book.active.append(["0104", "甲"])
    cell = book.active[place]
    cell.value, cell.number_format = value, "@"
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("place", "cells"), [("XFD200000", "3,276,800,000"), ("AB1048576", "29,360,128")]
)
def test_a_value_far_off_is_refused_before_memory_is_filled(tmp_path, place, cells):
    with pytest.raises(FileFormatError, match=f"A sheet of a.xlsx reaches over {cells} cells"):
        read_sheet(far_book(tmp_path / "a.xlsx", place, "x"))


def test_cells_that_are_only_formatted_reach_nowhere(tmp_path):
    found = read_sheet(far_book(tmp_path / "a.xlsx", "XFD200000", None)).frame
    assert found[["编号", "名称"]].to_numpy().tolist() == [["0104", "甲"]]


def test_a_table_wider_than_the_alphabet_is_read(tmp_path):
    rows = [[f"c{number}" for number in range(60)], [str(number) for number in range(60)]]
    found = read_sheet(workbook(tmp_path / "a.xlsx", 表=rows)).frame
    assert (found["c0"].tolist(), found["c59"].tolist()) == (["0"], ["59"])


@pytest.mark.parametrize(
    ("encoding", "label"),
    [("utf-8", "UTF-8"), ("gbk", "GBK"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16")],
)
def test_csv_encodings(tmp_path, encoding, label):
    path = tmp_path / "a.csv"
    path.write_bytes("地名代码,标准名称\n0001,裕华路\n0002,建设大街\n".encode(encoding))
    found = read_sheet(path)
    assert found.frame["地名代码"].tolist() == ["0001", "0002"]
    assert found.frame["标准名称"].tolist() == ["裕华路", "建设大街"]
    assert found.report.encoding == label


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_csv_delimiters(tmp_path, mark):
    path = tmp_path / "a.csv"
    path.write_text(mark.join("ab") + "\n" + mark.join(("1", "甲、乙")) + "\n")
    assert read_sheet(path).frame["b"].tolist() == ["甲、乙"]


def test_csv_quotes_line_ends_and_short_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b,c\r\n1,"x, ""y""\r\nz",\r\n\r\n2\r\n')
    found = read_sheet(path).frame
    assert found["a"].tolist() == ["1", "2"]
    assert found["b"].tolist() == ['x, "y"\r\nz', None]
    assert found["c"].tolist() == [None, None]


def test_csv_gzip(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress("编号\n007\n".encode("gbk")))
    assert read_sheet(path).frame["编号"].tolist() == ["007"]


def test_a_workbook_called_csv_is_told(tmp_path):
    path = workbook(tmp_path / "a.xlsx", 表=[["编号"], ["1"]]).rename(tmp_path / "a.csv")
    with pytest.raises(FileFormatError, match=r"a\.csv is no text but an Excel workbook"):
        read_sheet(path)


def test_a_damaged_character_costs_no_row(tmp_path):
    path = tmp_path / "a.csv"
    lines = ["编号,名称", *(f"{row},裕华路{row}号" for row in range(40))]
    data = "\n".join(lines).encode("gbk") + b"\n40,\xd4\n"
    path.write_bytes(data)
    found = read_sheet(path)
    assert len(found.frame) == 41
    assert found.frame["名称"].tolist()[-1] is None
    assert "row 42" in found.report.warnings[0].en


def test_a_wrong_stated_encoding_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("编号,名称\n1,裕华路\n".encode("gbk"))
    with pytest.raises(EncodingError):
        read_sheet(path, encoding="utf-8")


def test_a_header_alone_is_legal_and_reported(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("编号,名称\n", encoding="utf-8")
    found = read_sheet(path)
    assert (len(found.frame), list(found.frame.columns[:2])) == (0, ["编号", "名称"])
    assert [said.en for said in found.report.warnings] == ["The table has no rows."]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0old", r"save it as \.xlsx"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0locked", "encrypted"),
        ("a.xlsx", b"PK\x03\x04 not really", "can not be read as a workbook"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"\n\n , \n", "not even a header"),
        ("a.docx", b"PK", "not read as a table"),
        ("a.csv.gz", gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "truncated"),
    ],
)
def test_broken_tables_are_told(tmp_path, name, content, text):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=text) as caught:
        read_sheet(tmp_path / name)
    assert caught.value.zh != caught.value.message


def test_a_workbook_with_damage_anywhere_is_read_or_told(tmp_path):
    rows = [["编号", "名称"], *([f"{row:04}", f"裕华路{row}号"] for row in range(60))]
    data = workbook(tmp_path / "a.xlsx", 表=rows).read_bytes()
    told = 0
    for place in range(4, len(data), 11):
        (tmp_path / "b.xlsx").write_bytes(
            data[:place] + bytes([data[place] ^ 0x55]) + data[place + 1 :]
        )
        try:
            read_sheet(tmp_path / "b.xlsx")
        except FileFormatError as error:
            told += error.message.startswith("b.xlsx can not be read as a workbook")
    assert told > 50


@needs_data
def test_real_cases_in_traditional_chinese():
    found = read_sheet(DATA / "tainan" / "cases_1999_2015_2018.csv.gz")
    assert found.report.rows == 91_252
    assert found.report.encoding == "UTF-8"
    assert found.frame["cat"][0] == "噪音舉發"
    assert found.frame["source_row"].tolist()[:2] == [2, 3]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_any_system_ends_them(tmp_path, end):
    """A line end within quotes is part of the value; \u2028 and form feeds end no line."""
    lines = [" ", "code;name", '1;"a' + end + 'b"', "2;x\u2028y\x0cz", "", "3;z"]
    (tmp_path / "a.csv").write_bytes(end.join(lines).encode())
    frame = read_sheet(tmp_path / "a.csv").frame
    assert frame["code"].tolist() == ["1", "2", "3"]
    assert frame["name"].tolist() == ["a" + end + "b", "x\u2028y\x0cz", "z"]
    assert frame["source_row"].tolist() == [3, 4, 6]
