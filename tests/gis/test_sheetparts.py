"""A CSV read part by part says what it says read whole."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from gis.errors import FileFormatError
from gis.sheetparts import read_sheet_parts
from gis.sheets import read_sheet

HEADER = "案件编号,描述,,数量"
LINES = [
    "",
    HEADER,
    "1,井盖破损,,3",
    '2,"两行，\n一格",x,',
    "",
    "3,裕华路,,0007",
    " , ,,",
    "4, 空格 ,,1.30102E+15",
    "5,少",
    "6,多,,1,2",
]


def both(path: Path, *, rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    parts = pd.concat([part.frame for part in read_sheet_parts(path, rows=rows)], ignore_index=True)
    whole = read_sheet(path).frame
    parts = parts.reindex(columns=whole.columns).astype(object)
    return whole.astype(object), parts.where(parts.notna(), None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("rows", [1, 2, 5, 100])
def test_parts_are_the_whole(tmp_path: Path, encoding: str, end: str, rows: int) -> None:
    path = tmp_path / "cases.csv"
    path.write_bytes(end.join(LINES).encode(encoding))
    whole, parts = both(path, rows=rows)
    pd.testing.assert_frame_equal(parts, whole)
    assert whole["案件编号"].tolist() == ["1", "2", "3", "4", "5", "6"]


def test_rows_count_in_the_file_over_all_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gis.sheetparts._BLOCK_BYTES", 37)
    path = tmp_path / "cases.csv.gz"
    lines = [HEADER, *(f"{number},第{number}件,,{number}" for number in range(200))]
    path.write_bytes(gzip.compress("\n".join(lines).encode("gb18030")))
    whole, parts = both(path, rows=7)
    pd.testing.assert_frame_equal(parts, whole)
    assert parts["source_row"].tolist() == list(range(2, 202))


def test_damaged_bytes_are_told_with_the_line_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    lines = [HEADER.encode(), *(f"{number},井盖破损,,1".encode() for number in range(2, 41))]
    lines[37] = lines[37].replace("井".encode(), b"\xff\xfe")
    path.write_bytes(b"\n".join(lines))
    told = [w.en for part in read_sheet_parts(path, rows=30) for w in part.report.warnings]
    assert told[0] == "Bytes that are no UTF-8 text were replaced: row 38."
    assert all("row 38" in words for words in told)
    whole, read = both(path, rows=30)
    assert read["描述"].tolist() == whole["描述"].tolist()


def test_a_table_without_rows_gives_one_empty_part_and_nothing_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(HEADER, encoding="utf-8")
    (part,) = read_sheet_parts(path, rows=5)
    assert part.frame.empty
    path.write_text("\n \n", encoding="utf-8")
    with pytest.raises(FileFormatError, match="no rows"):
        list(read_sheet_parts(path, rows=5))
