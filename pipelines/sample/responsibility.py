"""The responsibility plan 职责分解方案: class × area × season × hours -> unit and role."""

import itertools

import pandas as pd

from pipelines.sample.areas import Areas
from pipelines.sample.units import COMPONENT_UNITS, Directory, unit_code

COLUMNS = (
    "序号", "部件或事件", "类别代码", "区域代码", "角色", "单位代码", "季节", "时段", "时限", "时限单位",
    "立案条件", "结案条件", "备注",
)  # fmt: skip
_COVERS = ("缺失、移位、开裂，存在安全隐患的", "恢复", 2, "紧急工作时")
_HANDLERS = """
03 * 102 - - 3 工作日
0302 * 101 - - 4 工作时
0304 * 107 - - 2 工作时
05 * 111 - - 4 紧急工作时
0501 * 201 - - 2 紧急工作时
0502 * 205 - - 1 紧急工作时
0503 * 202 - - 4 紧急工作时
0504 * 206 - - 4 紧急工作时
0506 * 202 - - 4 紧急工作时
0508 * 207 - - 4 工作时
0508 * 203 - 22:00/06:00 2 紧急工作时
"""


def make_plan_table(areas: Areas, directory: Directory) -> pd.DataFrame:
    """Return the plan; one conflict and several gaps are in it on purpose (see the answers)."""
    rows = [*_component_rows(areas), *_event_rows(areas, directory)]
    table = pd.DataFrame(rows, columns=list(COLUMNS[1:]), dtype=object)
    table.insert(0, "序号", [f"R{number:05d}" for number in range(1, len(table) + 1)])
    return table


_Row = tuple[object, ...]


def _row(kind: str, class_code: str, area: str, role: str, unit: str, **more: object) -> _Row:
    return (
        kind, class_code, area, role, unit, more.get("season"), more.get("hours"),
        more.get("limit"), more.get("limit_unit"), more.get("filing"), more.get("closing"), None,
    )  # fmt: skip


def _component_rows(areas: Areas) -> list[_Row]:
    rows = []
    for class_code, (competent, owner, maintainer) in COMPONENT_UNITS.items():
        if class_code == "0123":
            continue
        more: dict[str, object] = {"limit": 5, "limit_unit": "工作日", "closing": "修复"}
        if class_code <= "0126":
            more = dict(zip(("filing", "closing", "limit", "limit_unit"), _COVERS, strict=True))
        if class_code == "0137":
            more = {
                "limit": 2,
                "limit_unit": "工作日",
                "filing": "单盏不亮",
                "closing": "更换或修复",
            }
        rows.append(_row("部件", class_code, "*", "主管", unit_code(competent), **more))
        if owner:
            rows.append(_row("部件", class_code, "*", "权属", unit_code(owner), **more))
        if maintainer and class_code not in ("0104", "0402"):
            rows.append(_row("部件", class_code, "*", "养护", unit_code(maintainer), **more))
    for street, short in zip(areas.streets, itertools.cycle(("212", "202"))):
        rows.append(
            _row("部件", "0104", street.code, "养护", unit_code(short), limit=1, limit_unit="工作日",
                 filing="堵塞面积达1/3以上", closing="疏通")
        )  # fmt: skip
    rows.append(_row("部件", "0402", "*", "养护", unit_code("210"), season="04-01/10-31"))
    rows.append(_row("部件", "0402", "*", "养护", unit_code("103"), season="11-01/03-31"))
    rows.append(_row("部件", "03", "*", "主管", unit_code("104")))
    return rows


def _event_rows(areas: Areas, directory: Directory) -> list[_Row]:
    rows = []
    for street in areas.streets:
        unit = directory.territories[street.code]
        for major in ("01", "02", "04"):
            rows.append(
                _row(
                    "事件",
                    major,
                    street.code,
                    "属地",
                    unit,
                    limit=4,
                    limit_unit="工作时",
                    closing="清理",
                )
            )
    central = areas.communities[len(areas.communities) // 2].code
    first = areas.communities[0].code
    rows.append(_row("事件", "0401", central, "属地", unit_code("101"), hours="18:00/23:00"))
    rows.append(_row("事件", "0110", first, "属地", unit_code("211"), limit=2, limit_unit="工作时"))
    rows.append(_row("事件", "0507", "*", "属地", unit_code("104"), season="11-15/03-15"))
    for line in _HANDLERS.strip().splitlines():
        class_code, area, short, season, hours, limit, limit_unit = line.split()
        rows.append(
            _row("事件", class_code, area, "处置", unit_code(short),
                 season=None if season == "-" else season, hours=None if hours == "-" else hours,
                 limit=int(limit), limit_unit=limit_unit)
        )  # fmt: skip
    rows.append(_row("事件", "0305", central, "处置", unit_code("104")))
    rows.append(_row("事件", "0305", central, "处置", unit_code("102")))
    rows.append(_row("事件", "0604", "*", "主管", unit_code("101"), limit=3, limit_unit="自然日"))
    return rows
