"""The responsibility plan as a city keeps it: a workbook of several sheets, with planted faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from census.taxonomy import read_taxonomy
from pipelines.sample.district import District
from pipelines.sample.plandrawing import Drawing, draw_areas
from pipelines.sample.shapefiles import write_shapefile
from pipelines.sample.tables import MergedSheet, write_csv, write_merged
from pipelines.sample.units import COMPONENT_UNITS, Directory, unit_code

FOLDER, FILE = "09职责分解方案", "职责分解方案.xlsx"
SHAPES = "责任范围.shp"
_PART, _EVENT, _AREA = "部件", "事件", "范围"
_FIRST_ROW = 4
_HEADS = {
    _PART: (
        ("序号", "大类", "小类代码", "小类名称", "责任区域", "责任单位", "责任单位", "责任单位",
         "适用季节", "立案条件", "处置时限", "结案条件", "生效日期", "失效日期"),
        (None, None, None, None, None, "主管部门", "权属单位", "养护单位"),
    ),
    _EVENT: (
        ("序号", "大类", "小类代码", "小类名称", "责任区域", "责任单位", "责任单位", "责任单位",
         "适用季节", "适用时段", "立案条件", "处置时限", "结案条件"),
        (None, None, None, None, None, "属地单位", "处置部门", "主管部门"),
    ),
    _AREA: (
        ("范围编码", "范围名称", "范围类型", "道路", "起点", "止点", "半宽（米）", "分担规则", "两侧区域",
         "左侧区域", "右侧区域", "边界WKT", "图层", "备注"),
        (),
    ),
}  # fmt: skip
_COLUMNS = {
    _PART: ("major", "code", "name", "area", "competent", "owner", "maintainer", "season", "filing",
            "limit", "closing", "begins", "ends"),
    _EVENT: ("major", "code", "name", "area", "territorial", "handler", "competent", "season", "hours",
             "filing", "limit", "closing"),
}  # fmt: skip
FINDING_COLUMNS = ("what", "kind", "classes", "areas", "rows", "times")
RULE_COLUMNS = ("sheet", "source_row", "rule")


@dataclass
class _Book:
    """Rows of the sheets as they are written, and what is to be found in them."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {_PART: [], _EVENT: []})
    rules: list[tuple[str, int, str]] = field(default_factory=list)
    findings: list[tuple[str, str, str, str, str, str]] = field(default_factory=list)

    def add(self, sheet: str, *rules: str, **cells: Any) -> str:
        """Add a row; return the number by which the platform knows it."""
        self.rows[sheet].append(cells)
        number = len(self.rows[sheet])
        self.rules += [(sheet, number + _FIRST_ROW - 1, rule) for rule in rules]
        return f"{sheet}{number}"


def write_plan_book(folder: Path, district: District, directory: Directory) -> None:
    """Write the workbook with the layer beside it, and what a check finds in it, under ``answers``."""
    drawing = draw_areas(district, shapes=SHAPES)
    book = _Book()
    names = directory.names
    _components(book, district, names)
    _events(book, district, names)
    _drawn_rows(book, drawing, names)
    _spoilt_rows(book, names, has_roads=bool(drawing.boundaries))
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    sheets = {
        "说明": MergedSheet(
            rows=[["本方案为示例，全部内容均为虚构。"], ["处置时限自派遣起算。"]], merged=[]
        ),
        _PART: _sheet(book, _PART, "长安区数字化城市管理部件职责分解表"),
        _EVENT: _sheet(book, _EVENT, "长安区数字化城市管理事件职责分解表"),
        _AREA: _area_sheet(drawing),
    }
    write_merged(sheets, target / FILE)
    write_shapefile(drawing.layer, target / SHAPES)
    answers = folder / "answers"
    rules = [*book.rules, *((_AREA, row, rule) for row, rule in drawing.rules)]
    write_csv(pd.DataFrame(sorted(rules), columns=list(RULE_COLUMNS)), answers / "plan_rules.csv")
    findings = pd.DataFrame(sorted(book.findings), columns=list(FINDING_COLUMNS))
    write_csv(findings, answers / "plan_findings.csv")


def _sheet(book: _Book, sheet: str, title: str) -> MergedSheet:
    heads = [list(head) for head in _HEADS[sheet]]
    width = len(heads[0])
    rows: list[list[Any]] = [[title], *heads]
    merged = [(1, 1, 1, width), (2, 6, 2, 8)]
    merged += [(2, at, 3, at) for at in range(1, width + 1) if not 6 <= at <= 8]
    majors: list[tuple[Any, int]] = []
    for number, cells in enumerate(book.rows[sheet], 1):
        rows.append([number, *(cells.get(name) for name in _COLUMNS[sheet])])
        majors.append((cells.get("major"), number + _FIRST_ROW - 1))
    merged += [(first, 2, last, 2) for first, last in _runs(majors)]
    rows.append([])
    rows.append(["填表说明：同一区域以小范围优先。"])
    merged.append((len(rows), 1, len(rows), width))
    return MergedSheet(rows=rows, merged=merged)


def _runs(values: Sequence[tuple[Any, int]]) -> list[tuple[int, int]]:
    """Return first and last row of runs of one value, of two rows and more."""
    runs: list[tuple[Any, int, int]] = []
    for value, row in values:
        if runs and runs[-1][0] == value:
            runs[-1] = (value, runs[-1][1], row)
        else:
            runs.append((value, row, row))
    return [(first, last) for _, first, last in runs if last > first]


def _area_sheet(drawing: Drawing) -> MergedSheet:
    rows = [[record.get(name) for name in _HEADS[_AREA][0]] for record in drawing.rows]
    return MergedSheet(rows=[list(_HEADS[_AREA][0]), *rows], merged=[])


_ODD: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "0101": ({"code": "０１０１", "owner": "自来水公司", "name": "公用设施类/上水井盖"}, ()),
    "0130": ({"name": "路灯杆"}, ("RP11",)),
    "0137": (
        {"code": 137, "filing": "单盏不亮", "limit": "48小时", "closing": "更换或修复"},
        ("RP03",),
    ),
    "0150": ({"competent": "交警队", "owner": unit_code("106")}, ()),
    "0402": ({"maintainer": None}, ()),
}
"""Class -> cells written otherwise, and the rules that speak of them; most are read as meant."""
_COVERS = {"filing": "缺失、移位、开裂，存在安全隐患的", "limit": "2紧急工作时", "closing": "恢复"}


def _components(book: _Book, district: District, names: Mapping[str, str]) -> None:
    """Write a row for each class of components; 0123 has none at all."""
    taxonomy = read_taxonomy("GB/T 30428.2-2013")
    majors = {entry.code: entry.name for entry in taxonomy.majors("component")}
    titles = {entry.code: entry.name for entry in taxonomy.all("component")}
    for code, units in COMPONENT_UNITS.items():
        if code == "0123":
            continue
        said = [names[unit_code(short)] if short else "/" for short in units]
        cells: dict[str, Any] = {
            "major": majors[code[:2]], "code": code, "name": titles[code], "area": "全区",
            "competent": said[0], "owner": said[1], "maintainer": said[2],
            "limit": "5个工作日", "closing": "修复", "begins": "2026-01-01",
        }  # fmt: skip
        odd, rules = _ODD.get(code, ({}, ()))
        number = book.add(_PART, *rules, **(cells | (_COVERS if code <= "0126" else {}) | odd))
        if code == "0104":
            _by_street(book, number, district.areas.streets, names)
        if code == "0402":
            for unit, season in (("210", "4-10月"), ("103", "11月1日至次年3月31日")):
                book.add(_PART, major=majors["04"], code=code, area="*", season=season,
                         maintainer=names[unit_code(unit)])  # fmt: skip
    _rest(book, names)


def _by_street(book: _Book, number: str, streets: Sequence[Any], names: Mapping[str, str]) -> None:
    """Give the grates of each street to one of two companies: the row for the whole city never wins."""
    for short, members in (("212", streets[::2]), ("202", streets[1::2])):
        if members:
            area = "、".join(street.name for street in members)
            book.add(_PART, major="公用设施", code="0104", name="雨水箅子", area=area,
                     maintainer=names[unit_code(short)], limit="1工作日",
                     filing="堵塞面积达1/3以上", closing="疏通")  # fmt: skip
    book.findings.append(("never", "component", "0104", "*", f"{number}.maintainer", ""))


def _rest(book: _Book, names: Mapping[str, str]) -> None:
    """Write rows for whole major classes, a list of classes, and two seasons that meet."""
    taxonomy = read_taxonomy("GB/T 30428.2-2013")
    left = [
        entry
        for entry in taxonomy.all("component")
        if entry.major == "01" and entry.code not in COMPONENT_UNITS
    ]
    told = "、".join(entry.code if entry.name == "名称待核" else entry.name for entry in left)
    book.add(_PART, major="公用设施", name=told, area="全区", competent=names[unit_code("101")])
    for major, short in (("交通设施", "106"), ("市容环境设施", "104"), ("园林绿化设施", "103")):
        book.add(
            _PART, major=major, name="全部小类", area="全区", competent=names[unit_code(short)]
        )
    book.add(_PART, major="其他部件", area="全区", competent=names[unit_code("101")])
    pots = [
        book.add(_PART, *rules, major="园林绿化设施", code="0405", area="全区", season=season,
                 maintainer=unit)
        for unit, season, rules in (
            (names[unit_code("298")], "04-01/10-31", ("RP12",)),
            (names[unit_code("103")], "10月1日至3月31日", ()),
        )
    ]  # fmt: skip
    rows = ";".join(sorted(f"{number}.maintainer" for number in pots))
    book.findings.append(("overlap", "component", "0405", "*", rows, "10-01/10-31"))
    # The row without a season is left with no day of the year.
    first = next(at for at, cells in enumerate(book.rows[_PART], 1) if cells.get("code") == "0405")
    book.findings.append(("never", "component", "0405", "*", f"{_PART}{first}.maintainer", ""))
    book.findings.append(("hole", "component", "0123", "*", "", ""))


def _events(book: _Book, district: District, names: Mapping[str, str]) -> None:
    """Write the rows of events: street by street the territorial unit, elsewhere a department."""
    central = district.areas.communities[len(district.areas.communities) // 2]
    first = district.areas.communities[0]
    within = {area.code: district.areas.name(area.code[:9]) for area in (central, first)}
    for major in ("市容环境", "宣传广告", "街面秩序"):
        book.add(_EVENT, major=major, name="全部小类", area="全区", territorial="属地街道办事处",
                 limit="4工作时", closing="清理")  # fmt: skip
    book.add(_EVENT, major="街面秩序", name="无照经营游商", area=f"{within[central.code]}/{central.name}",
             territorial=names[unit_code("101")], hours="18:00-23:00")  # fmt: skip
    book.add(_EVENT, major="市容环境", code="0110", area=first.code, territorial=names[unit_code("211")],
             limit="2工作时")  # fmt: skip
    book.add(_EVENT, major="突发事件", code="0507", area="全区", territorial="环卫处",
             season="11月15日—3月15日")  # fmt: skip
    for code, unit, limit in (
        ("03", "102", "3工作日"), ("0302", "101", "4工作时"), ("0304", "107", "2工作时"),
        ("05", "111", "4紧急工作时"), ("0501", "201", "2紧急工作时"), ("0502", "205", "1小时"),
        ("0503", "202", "4紧急工作时"), ("0504", "206", "4紧急工作时"), ("0506", "202", "4紧急工作时"),
        ("0508", "207", "半个工作日"),
    ):  # fmt: skip
        book.add(_EVENT, major="施工管理" if code < "05" else "突发事件", code=code, area="全区",
                 handler=names[unit_code(unit)], limit=limit)  # fmt: skip
    book.add(_EVENT, major="突发事件", code="0508", area="全区", handler="供电公司",
             hours="晚22时至次日6时", limit="2紧急工作时")  # fmt: skip
    pair = [
        book.add(_EVENT, *rules, major="施工管理", code="0305", area=central.code,
                 handler=names[unit_code(unit)])
        for unit, rules in (("104", ()), ("102", ("RP10",)))
    ]  # fmt: skip
    rows = ";".join(sorted(f"{number}.handler" for number in pair))
    book.findings.append(("conflict", "event", "0305", central.code, rows, ""))
    book.add(
        _EVENT, major="其他事件", code="0601、0602", area="全区", handler=names[unit_code("101")]
    )
    book.add(_EVENT, major="其他事件", code="0603", name="畜力车进城", area="全区",
             handler=names[unit_code("106")], hours="08:00/20:00")  # fmt: skip
    book.findings.append(("gap", "event", "0603", "*", "", "20:00/08:00"))
    book.add(_EVENT, major="其他事件", code="0604", area="全区", competent=names[unit_code("101")],
             limit="3天")  # fmt: skip


def _drawn_rows(book: _Book, drawing: Drawing, names: Mapping[str, str]) -> None:
    """Write rows for grids of a trade, a road section and polygons."""
    code, name = drawing.trade_grids
    for area, unit in ((code, "104"), (name, "211")):
        book.add(_PART, major="市容环境设施", code="0305", name="垃圾箱", area=area,
                 maintainer=names[unit_code(unit)])  # fmt: skip
    book.add(
        _EVENT, major="市容环境", code="0112", area="LD01", territorial=names[unit_code("104")]
    )
    book.add(_PART, major="公用设施", code="0106", area="LD01、MQ01", maintainer="路灯公司")
    book.add(_EVENT, major="街面秩序", name="占道经营", area="集市东片", territorial="区城管局")


def _spoilt_rows(book: _Book, names: Mapping[str, str], *, has_roads: bool) -> None:
    """Write rows that are refused, and one that is not in force any more."""
    sound = {
        "major": "公用设施",
        "code": "0106",
        "area": "全区",
        "maintainer": names[unit_code("204")],
    }
    for rule, cells in (
        ("RP06", {"maintainer": "市政三处（已撤销）"}),
        ("RP16", {"maintainer": "养护队"}),
        ("RP04", {"area": "建国东街道办事处"}),
        ("RP02", {"code": "9999"}),
        ("RP15", {"code": "01004"}),
        ("RP07", {"season": "冬季"}),
        ("RP09", {"limit": "尽快"}),
        ("RP18", {"begins": "2026-06-01", "ends": "2026-01-01"}),
        ("RP17", {"maintainer": None}),
        ("RP19" if has_roads else "RP04", {"area": "JL01"}),
    ):
        book.add(_PART, rule, **(sound | cells))
    book.add(_PART, **(sound | {"ends": "2020-12-31", "maintainer": names[unit_code("203")]}))
