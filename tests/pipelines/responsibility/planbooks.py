"""Workbooks of plans for tests: sheets as lists of rows, with merged cells."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

HEAD = ["序号", "类型", "小类代码", "小类名称", "责任区域", "主管部门", "权属单位", "养护单位", "处置单位",
        "适用季节", "适用时段", "处置时限", "立案条件", "结案条件", "生效日期", "失效日期"]  # fmt: skip
AREA_HEAD = ["范围编码", "范围名称", "范围类型", "道路", "起点", "止点", "半宽", "分担规则", "两侧区域",
             "左侧区域", "右侧区域", "边界WKT", "图层"]  # fmt: skip


def line(head: Sequence[str] = HEAD, **cells: Any) -> list[Any]:
    """A row of a sheet, by heading."""
    unknown = set(cells) - set(head)
    assert not unknown, unknown
    return [cells.get(name) for name in head]


def write_book(
    path: Path,
    sheets: Mapping[str, Sequence[Sequence[Any]]],
    *,
    merged: Mapping[str, Sequence[str]] = {},
) -> Path:
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        for cells in merged.get(name, ()):
            sheet.merge_cells(cells)
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path
