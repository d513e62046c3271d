"""A judged plan as plain values for machines, and as a workbook for the office."""

from pathlib import Path
from typing import Any

import pandas as pd

from census.plan.findings import WORDS
from census.workbooks import write_tables
from pipelines.responsibility.ahead import told
from pipelines.responsibility.judging import PlanJudgement
from pipelines.responsibility.wording import (
    ROLES,
    area_names,
    class_title,
    describe,
    told_times,
)

SCHEMA = 1
"""Version of the document; raised when something in it changes its meaning or goes away."""


def as_document(judged: PlanJudgement) -> dict[str, Any]:
    """Return the judgement as plain values for JSON, with every fault and finding."""
    faults = judged.outcome.faults
    return {
        "schema": SCHEMA,
        "file": judged.file,
        "as_of": judged.as_of,
        "city": judged.context.profile.city.code,
        "standard": judged.taxonomy.standard_ref,
        "accepted": judged.is_accepted,
        "lines_read": judged.rows_read,
        "lines_refused": judged.refused,
        "rows": len(judged.rows),
        "plan_areas": len(judged.areas),
        "classes": {kind: len(codes) for kind, codes in judged.coverage.classes.items()},
        "places": len(judged.places),
        "moments": judged.coverage.moments.count,
        "counts": counts_of(judged),
        "remarks": [remark.en for remark in judged.outcome.remarks],
        "remarks_zh": [remark.zh for remark in judged.outcome.remarks],
        "findings": finding_rows(judged),
        "findings_ahead": finding_rows(judged, is_ahead=True),
        "days_judged": [judged.as_of, *judged.ahead.days],
        "days_not_judged": list(judged.ahead.left),
        "contradictions": contradiction_rows(judged),
        "faults": [
            {
                "file": str(row.source_file),
                "row": int(row.source_row),
                "rule": row.rule,
                "severity": row.severity,
                "reason_en": row.reason_en,
                "reason_zh": row.reason_zh,
            }
            for row in faults.itertuples()
        ],
    }


def counts_of(judged: PlanJudgement) -> dict[str, int]:
    """Return the number of findings of each sort."""
    return {what: sum(each.what == what for each in judged.findings) for what in WORDS}


def finding_rows(judged: PlanJudgement, *, is_ahead: bool = False) -> list[dict[str, Any]]:
    """Return all findings of the day, or those that hold only on later days, as plain values."""
    names = area_names(judged.context, judged.areas)
    ahead = judged.ahead
    return [
        describe(
            finding,
            taxonomy=judged.taxonomy,
            names=names,
            days=told(ahead.periods.get(finding, ()), as_of=judged.as_of),
        )
        | {"first_day": ahead.first_day(finding) or judged.as_of}
        for finding in (ahead.findings if is_ahead else judged.findings)
    ]


def contradiction_rows(judged: PlanJudgement) -> list[dict[str, Any]]:
    """Return where records of components and the plan name different units, as plain values."""
    names = area_names(judged.context, judged.areas)
    units = judged.context.unit_directory().names
    return [
        {
            "class_code": found.class_code,
            "class_name": class_title(judged.taxonomy, "component", found.class_code),
            "role": found.role,
            "role_zh": ROLES.get(found.role, found.role),
            "areas": list(found.areas),
            "area_names": [names.get(code, code) for code in found.areas],
            "unit_code": found.unit_code,
            "unit_name": units.get(found.unit_code, found.unit_code),
            "plan_unit_code": found.plan_unit_code,
            "plan_unit_name": units.get(found.plan_unit_code, found.plan_unit_code),
            "rows": list(found.rows),
            "components": found.components,
            "examples": list(found.examples),
            "times": told_times(found.times),
        }
        for found in judged.contradictions
    ]


def write_list(judged: PlanJudgement, path: Path) -> None:
    """Write findings, contradictions of records and plan, and faults to three sheets.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    findings = pd.DataFrame(
        [
            {
                "问题 finding": f"{row['what_zh']} {row['what_en']}",
                "部件/事件 kind": row["kind"],
                "类别 classes": "、".join(row["class_names"]),
                "区域 areas": "、".join(row["area_names"]),
                "区域代码 area codes": "、".join(row["areas"]),
                "时间 times": row["times"],
                "日期 days": f"{row['days_zh']} {row['days']}".strip(),
                "角色 role": row["role"],
                "行 rows": "、".join(row["rows"]),
                "胜出的行 beaten by": "、".join(row["beaten_by"]),
                "说明 zh": row["zh"],
                "explanation en": row["en"],
            }
            for row in (*finding_rows(judged), *finding_rows(judged, is_ahead=True))
        ],
        dtype=object,
    )
    columns = ["source_file", "source_row", "code", "rule", "severity", "reason_zh", "reason_en"]
    faults = judged.outcome.faults.reindex(columns=columns)
    contradictions = pd.DataFrame(
        [
            {
                "类别 class": row["class_name"],
                "区域 areas": "、".join(row["area_names"]),
                "角色 role": f"{row['role_zh']} {row['role']}",
                "部件记录单位 unit of the records": row["unit_name"],
                "方案单位 unit of the plan": row["plan_unit_name"],
                "方案行 rows": "、".join(row["rows"]),
                "部件数 components": row["components"],
                "时间 times": row["times"],
                "部件编码示例 examples": "、".join(row["examples"]),
            }
            for row in contradiction_rows(judged)
        ],
        dtype=object,
    )
    tables = {
        "问题 findings": findings,
        "记录与方案不一致 records": contradictions,
        "行 rows": faults,
    }
    write_tables(path, tables)
