"""Advice in words, as records, as a workbook and as a map."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from api.advice.advising import Advice
from api.advice.findings import Finding
from api.owning.directory import Directory
from census.workbooks import write_tables
from gis.outputs import appearing_files
from gis.vector import write_vector

COLUMNS = {
    "kind": "类型", "change": "建议", "rule": "职责行", "case_kind": "部件/事件", "class_code": "类别",
    "area_code": "区域", "other_area_code": "对侧区域", "unit_code": "现单位代码", "unit_name": "现单位",
    "to_unit_code": "应为单位代码", "to_unit_name": "应为单位", "cases": "案件数", "misdirected": "他单位处置",
    "to_cases": "应为单位处置", "returned": "其中退件", "share": "占比", "lower": "占比下限95%",
    "upper": "占比上限95%", "avoided": "可避免", "caused": "会新增", "components": "部件",
    "width_m": "离界距离m", "length_m": "路段长m", "to_class_code": "应为类别", "zh": "说明", "en": "in English",
}  # fmt: skip
"""Column -> its title in the workbook."""
_MOST_NAMED = 5


def records(advice: Advice, directory: Directory) -> list[dict[str, Any]]:
    """Return the findings as plain values, with the names of units and the advice in words."""
    return [record_of(finding, directory) for finding in advice.findings]


def record_of(finding: Finding, directory: Directory) -> dict[str, Any]:
    """Return one finding as plain values."""
    known = directory.units
    names = {
        side: known[code].name if code in known else code
        for side, code in (("unit_name", finding.unit_code), ("to_unit_name", finding.to_unit_code))
    }
    length = None if finding.stretch is None else round(float(finding.stretch.length), 1)
    english, chinese = words(finding, **names)
    given = {name: getattr(finding, name) for name in COLUMNS if hasattr(finding, name)}
    given |= {name: round(given[name], 4) for name in ("share", "lower", "upper")}
    told = {**given, **names, "length_m": length, "en": english, "zh": chinese}
    return {name: told[name] for name in COLUMNS}


def words(finding: Finding, *, unit_name: str, to_unit_name: str) -> tuple[str, str]:
    """Return what a finding says and advises, in English and Chinese.

    Examples
    --------
    >>> told = Finding(kind="plan_row", change="change_unit", rule="R7", case_kind="event",
    ...                class_code="", area_code="", unit_code="A", to_unit_code="B", cases=20,
    ...                misdirected=14, to_cases=14, returned=14, lower=0.48, upper=0.85, avoided=14,
    ...                caused=6)
    >>> for part in words(told, unit_name="甲", to_unit_name="乙")[0].split(": "):
    ...     print(part)
    row R7
    14 of 20 cases were finally handled by 乙 (48 to 85 %)
    change its unit from 甲 to 乙; it would have put 14 right and 6 wrong
    """
    unit, danwei = to_unit_name, to_unit_name
    if finding.change == "swap_sides":
        unit, danwei = "the unit of the other area", "对侧区域的单位"
    count = f"{finding.to_cases} of {finding.cases} cases were finally handled by {unit}"
    shu = f"{finding.cases} 件中 {finding.to_cases} 件最终由{danwei}处置"
    span = f"{finding.lower:.0%} to {finding.upper:.0%}".replace("% to", " to").replace("%", " %")
    fan = f"{finding.lower:.0%}–{finding.upper:.0%}"
    effect = f"it would have put {finding.avoided} right and {finding.caused} wrong"
    guo = f"可纠正 {finding.avoided} 件，会误派 {finding.caused} 件"
    where, nali, what, zuo = _subject(finding, unit_name=unit_name, to_unit_name=to_unit_name)
    return f"{where}: {count} ({span}): {what}; {effect}", f"{nali}：{shu}（{fan}）：{zuo}；{guo}"


def _subject(finding: Finding, *, unit_name: str, to_unit_name: str) -> tuple[str, str, str, str]:
    part = " ".join(
        word
        for word in (
            f"class {finding.class_code}" if finding.class_code else "",
            f"in {finding.area_code}" if finding.area_code else "",
        )
        if word
    )
    bufen = "".join(
        word
        for word in (
            f"类别 {finding.class_code}" if finding.class_code else "",
            f"在 {finding.area_code}" if finding.area_code else "",
        )
        if word
    )
    if finding.kind == "border":
        own, other = (code or "outside" for code in (finding.area_code, finding.other_area_code))
        ben, dui = (code or "范围外" for code in (finding.area_code, finding.other_area_code))
        shared = finding.change == "boundary_road"
        return (
            f"border {own} | {other}, the stretch shown, up to {finding.width_m} m from it",
            f"{ben} 与 {dui} 的边界（图示路段，距边界 {finding.width_m} 米内）",
            "both sides' cases go to the other: add a boundary road rule to the plan"
            if shared
            else f"move the border towards {own}, add a boundary road rule, or survey it",
            "两侧案件互退：在方案中增加边界道路规则"
            if shared
            else f"将边界向 {ben} 一侧调整，或增加边界道路规则，或实地核查",
        )
    if finding.kind == "road":
        return _road(finding)
    if finding.kind == "record":
        named = ", ".join(finding.components[:_MOST_NAMED])
        return (
            f"records of {part} that name {unit_name}",
            f"{bufen}登记单位为{unit_name}的部件",
            f"stale owner: name {to_unit_name} in {len(finding.components)} records ({named} …)",
            f"权属已变更：将 {len(finding.components)} 个部件的单位改为{to_unit_name}（{named} 等）",
        )
    if finding.kind == "class":
        other = finding.to_class_code
        return (
            f"class {finding.class_code}",
            f"类别 {finding.class_code}",
            f"taken for class {finding.class_code} but {other}: tell them apart when filing",
            f"与类别 {other} 混淆：立案时加以区分",
        )
    if finding.change == "change_unit":
        what = f"change its unit from {unit_name} to {to_unit_name}"
        zuo = f"将单位由{unit_name}改为{to_unit_name}"
    else:
        what = f"add a row for {part} that names {to_unit_name}"
        zuo = f"为{bufen}增加一行，单位为{to_unit_name}"
    return f"row {finding.rule}", f"职责行 {finding.rule}", what, zuo


def _road(finding: Finding) -> tuple[str, str, str, str]:
    own, other = finding.area_code, finding.other_area_code
    where, nali = (
        f"boundary road {finding.rule} ({own} | {other})",
        f"界路 {finding.rule}（{own} 与 {other}）",
    )
    part, bufen = "", ""
    if not finding.is_whole:
        where, nali = f"{where}, the stretch shown", f"{nali}图示路段"
        part = "make this stretch a boundary road of its own; there "
        bufen = "将该路段单列为一条界路，并"
    by_days = finding.sharing == "odd_even"
    if finding.change == "swap_sides" and by_days:
        what = f"{part}swap the two units: in the plan the areas {own} and {other}"
        zuo = f"{bufen}将单双日责任单位对调（方案中 {own} 与 {other} 互换）"
        return where, nali, what, zuo
    if finding.change == "swap_sides":
        what = f"{part}swap the two units of this stretch: in the plan the areas {own} and {other}"
        zuo = f"{bufen}将该路段两侧责任单位对调（方案中 {own} 与 {other} 互换）"
        if finding.is_against_map:
            what += ", which lie on the map as the plan says: have their border surveyed first"
            zuo += "；两区域在图上的位置与方案一致，请先核实其边界"
        return where, nali, what, zuo
    if by_days:
        what = f"{part}let {other} answer on odd and even days"
        return where, nali, what, f"{bufen}单双日均由 {other} 负责"
    what = f"{part}let {other} answer for both sides, or correct the axis"
    return where, nali, what, f"{bufen}两侧均由 {other} 负责，或更正道路中心线"


def document(advice: Advice, directory: Directory) -> dict[str, Any]:
    """Return the advice as one document, stretches as WKT in the city's CRS."""
    listed = records(advice, directory)
    for record, finding in zip(listed, advice.findings, strict=True):
        record["stretch"] = None if finding.stretch is None else _wkt(finding.stretch)
    return {
        "data_version": advice.data_version,
        "agreement": advice.agreement,
        "findings": listed,
    }


def write_advice(advice: Advice, directory: Directory, path: Path, *, crs: str) -> None:
    """Write the advice to a workbook (.xlsx), or its stretches to a GeoPackage (.gpkg).

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    listed = records(advice, directory)
    for record in listed:
        record["components"] = ", ".join(record["components"])
    table = pd.DataFrame(listed, columns=list(COLUMNS))
    if path.suffix.lower() == ".xlsx":
        told = advice.agreement
        summary = pd.DataFrame(
            [
                ("案件", told["cases"]),
                ("已知处置单位", told["known"]),
                ("与判定一致", told["agree"]),
                ("由界路另一侧单位处置", told["shared"]),
                ("数据版本", advice.data_version),
            ],
            columns=["项目", "值"],
        )
        write_tables(path, {"建议": table.rename(columns=COLUMNS), "概况": summary})
        return
    shapes = [finding.stretch for finding in advice.findings]
    drawn = [shape is not None for shape in shapes]
    lines = gpd.GeoDataFrame(
        table[drawn].reset_index(drop=True),
        geometry=gpd.GeoSeries([shape for shape in shapes if shape is not None], crs=crs),
    )
    with appearing_files(path) as partial:
        write_vector(lines, partial, layer="stretches")


def _wkt(shape: Any) -> str:
    return str(shapely.to_wkt(shape, rounding_precision=3))
