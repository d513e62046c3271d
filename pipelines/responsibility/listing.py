"""A judged plan as plain values for machines, and as a workbook for the office."""

from pathlib import Path
from typing import Any

import pandas as pd

from census.plan.findings import WORDS
from census.workbooks import write_tables
from pipelines.responsibility.judging import PlanJudgement
from pipelines.responsibility.wording import area_names, describe

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
        "rows": len(judged.outcome.accepted),
        "plan_areas": len(judged.areas),
        "classes": {kind: len(codes) for kind, codes in judged.coverage.classes.items()},
        "places": len(judged.places),
        "moments": judged.coverage.moments.count,
        "counts": counts_of(judged),
        "remarks": list(judged.outcome.remarks),
        "findings": finding_rows(judged),
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


def finding_rows(judged: PlanJudgement) -> list[dict[str, Any]]:
    """Return all findings as plain values."""
    names = area_names(judged.context, judged.areas)
    return [describe(finding, taxonomy=judged.taxonomy, names=names) for finding in judged.findings]


def write_list(judged: PlanJudgement, path: Path) -> None:
    """Write findings and faults to two sheets.

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
                "角色 role": row["role"],
                "行 rows": "、".join(row["rows"]),
                "胜出的行 beaten by": "、".join(row["beaten_by"]),
                "说明 zh": row["zh"],
                "explanation en": row["en"],
            }
            for row in finding_rows(judged)
        ],
        dtype=object,
    )
    columns = ["source_file", "source_row", "code", "rule", "severity", "reason_zh", "reason_en"]
    faults = judged.outcome.faults.reindex(columns=columns)
    write_tables(path, {"问题 findings": findings, "行 rows": faults})
