"""Workbooks of plans for tests: sheets as lists of rows, with merged cells."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from tests.pipelines.town import rectangle

HEAD = ["序号", "类型", "小类代码", "小类名称", "责任区域", "主管部门", "权属单位", "养护单位", "处置单位",
        "适用季节", "适用时段", "处置时限", "立案条件", "结案条件", "生效日期", "失效日期"]  # fmt: skip
AREA_HEAD = ["范围编码", "范围名称", "范围类型", "道路", "起点", "止点", "半宽", "分担规则", "两侧区域",
             "左侧区域", "右侧区域", "边界WKT", "图层"]  # fmt: skip


UNITS = "单位代码,单位名称,别名,类型,属地代码\nU1,排水公司,,企业,\nU2,路灯处,,企业,\nS1,建北街道办事处,,属地,130102001\n"
SQUARE = rectangle(110, 20, 190, 80)
ROAD = {
    "范围编码": "LD1",
    "范围名称": "东段",
    "范围类型": "路段",
    "道路": "裕华路",
    "起点": "建设大街",
    "半宽": 15,
}


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


def rows(*more):
    return [
        HEAD,
        line(序号=1, 类型="部件", 小类代码="*", 责任区域="全区", 养护单位="排水公司"),
        line(
            序号=2,
            类型="事件",
            小类代码="*",
            责任区域="全区",
            处置单位="路灯处",
            处置时限="4工作时",
        ),
        *more,
    ]


NIGHT = line(
    序号=3,
    类型="事件",
    小类代码="0101",
    责任区域="翠屏社区",
    处置单位="排水公司",
    适用时段="22:00/06:00",
)


def plan(path, *more, drawn=()):
    sheets = {"职责": rows(*more)}
    if drawn:
        sheets["范围"] = [AREA_HEAD, *(line(AREA_HEAD, **cells) for cells in drawn)]
    return write_book(path, sheets)


def loaded(run, book, *more, day="2026-06-01"):
    return json.loads(run("plan", "load", book, "--as-of", day, "--json", *more))


def counts(report):
    return tuple(report[f"rows_{name}"] for name in ("opened", "closed", "unchanged"))
