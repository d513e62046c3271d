"""Codes of classes, areas, rows and times in the words of people, for reports of a plan."""

from collections.abc import Iterable, Mapping
from typing import Any

from census.plan.findings import WORDS, Finding
from census.plan.moments import Condition
from census.plan.rows import ANYWHERE
from census.taxonomy import Taxonomy
from gis.remarks import NOTHING, Remark
from pipelines.context import BuildContext

ROLES = {
    "handler": "处置",
    "competent": "主管",
    "owner": "权属",
    "maintainer": "养护",
    "territorial": "属地",
}
KINDS = {"component": "部件", "event": "事件"}
_SHOWN = 8


def area_names(context: BuildContext, drawn: Any) -> dict[str, str]:
    """Return the name of each area that a row can name, by code."""
    names = {ANYWHERE: "全域"}
    for rows in (
        context.rows("areas"),
        context.rows("unit_grids"),
        context.rows("management_grids"),
        drawn,
    ):
        told = rows["name"] if "name" in rows else [None] * len(rows)
        names |= {
            str(code): name if isinstance(name, str) and name else str(code)
            for code, name in zip(rows["code"], told, strict=True)
        }
    return names


def class_title(taxonomy: Taxonomy, kind: str, code: str) -> str:
    """Return code and name of a class, minor or major.

    Examples
    --------
    >>> from census.taxonomy import read_taxonomy
    >>> class_title(read_taxonomy("GB/T 30428.2-2013"), "component", "0104")
    '0104 雨水箅子'
    """
    entry = taxonomy.get(kind, code)
    return code if entry is None else f"{code} {entry.name}"


def told_times(times: Iterable[Condition]) -> str:
    """Return moments as text; empty where they are all moments.

    Examples
    --------
    >>> told_times([("11-15/03-15", "22:00/06:00"), (None, None)]), told_times([(None, None)])
    ('11-15/03-15 22:00/06:00; always', '')
    """
    parts = [" ".join(part for part in when if part) or "always" for when in times]
    return "" if parts == ["always"] else "; ".join(parts)


def _some(names: list[str]) -> str:
    return "、".join(names[:_SHOWN]) + ("…" if len(names) > _SHOWN else "")


def describe(
    finding: Finding, *, taxonomy: Taxonomy, names: Mapping[str, str], days: Remark = NOTHING
) -> dict[str, Any]:
    """Return a finding as plain values, with a sentence in English and in Chinese.

    `days` says when it holds; nothing: from the day of the plan on.
    """
    classes = [class_title(taxonomy, finding.kind, code) for code in finding.classes]
    areas = [names.get(code, code) for code in finding.areas]
    times = told_times(finding.times)
    english, chinese = WORDS[finding.what]
    en, zh = _sentences(finding, _some(classes), _some(areas), times)
    if days.en:
        en, zh = f"{en[:-1]}, {days.en}.", f"{zh[:-1]}（{days.zh}）。"
    return {
        "what": finding.what,
        "what_en": english,
        "what_zh": chinese,
        "kind": finding.kind,
        "classes": list(finding.classes),
        "class_names": classes,
        "areas": list(finding.areas),
        "area_names": areas,
        "role": finding.role,
        "rows": list(finding.rows),
        "beaten_by": list(finding.beaten_by),
        "times": times,
        "days": days.en,
        "days_zh": days.zh,
        "en": en,
        "zh": zh,
    }


def _sentences(finding: Finding, classes: str, areas: str, times: str) -> tuple[str, str]:
    rows, role = ", ".join(finding.rows), ROLES.get(finding.role, "")
    if finding.what == "hole":
        return f"{classes}: no owner in {areas}.", f"{classes}：在{areas}没有责任单位。"
    if finding.what == "gap":
        return (
            f"{classes}: no owner in {areas} at {times}.",
            f"{classes}：在{areas}于 {times} 没有责任单位。",
        )
    if finding.what in ("conflict", "overlap"):
        when = f" at {times}" if times else ""
        when_zh = f"于 {times} " if times else ""
        return (
            f"{classes}: rows {rows} name different units as {finding.role} in {areas}{when}.",
            f"{classes}：{rows} 行在{areas}{when_zh}为“{role}”指定了不同单位。",
        )
    if not finding.beaten_by:
        return (
            f"Row {rows} never wins: its class or area has no place, or its role is not asked.",
            f"{rows} 行永不生效：其类别或区域没有对应的地点，或决策不采用其角色。",
        )
    winners = ", ".join(finding.beaten_by[:_SHOWN])
    return (
        f"Row {rows} never wins: more specific rows do everywhere and always ({winners}).",
        f"{rows} 行永不生效：处处均有更具体的行优先（{winners}）。",
    )
