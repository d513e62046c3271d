"""The comparison of plans as plain values, as text, and as a workbook."""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from census.plan.prospects import REASONS, CaseChanges
from census.workbooks import write_tables
from pipelines.responsibility.changes import PlanChanges
from pipelines.responsibility.wording import area_names, class_title, told_times

SCHEMA = 2
_SHOWN = 20


def as_document(changes: PlanChanges) -> dict[str, Any]:
    """Return the comparison as plain values for JSON."""
    judged = changes.judged
    cases = changes.cases or CaseChanges(count=0, changes=(), others={})
    units = judged.context.unit_directory().names
    names = area_names(judged.context, judged.areas)
    counts = Counter(f"{row.what}s_{row.change}" for row in changes.rows)
    return {
        "schema": SCHEMA,
        "file": judged.file,
        "as_of": judged.as_of,
        "lines_refused": judged.refused,
        "counts": {
            f"{what}_{change}": counts[f"{what}_{change}"]
            for what in ("rows", "areas")
            for change in ("added", "removed", "changed")
        }
        | {
            "rows_unchanged": changes.unchanged,
            "owners_changed": len(changes.owners),
            "open_cases": cases.count,
            "cases_changed": len(cases.changes),
        },
        "rows": [asdict(row) for row in changes.rows],
        "owners": [
            asdict(owner)
            | {
                "class_names": [
                    class_title(judged.taxonomy, owner.kind, code) for code in owner.classes
                ],
                "area_names": [names.get(code, code) for code in owner.areas],
                "before_name": units.get(owner.before),
                "after_name": units.get(owner.after),
                "times": told_times(owner.times),
            }
            for owner in changes.owners
        ],
        "cases": [
            asdict(case)
            | {
                "unit_name": units.get(case.unit_code or ""),
                "before_name": units.get(case.before),
                "after_name": units.get(case.after),
            }
            for case in cases.changes
        ],
        "cases_decided_by": {"data_version": cases.data_version, "is_stale": cases.is_stale},
        "cases_not_changed": [
            {"reason": reason, "cases": count, "en": REASONS[reason][0], "zh": REASONS[reason][1]}
            for reason, count in cases.others.items()
        ],
    }


def show(document: dict[str, Any], *, echo: Callable[[str], None]) -> None:
    """Tell the comparison in lines of text."""
    counts = document["counts"]
    echo(
        f"rows: {counts['rows_added']:,} added, {counts['rows_removed']:,} removed, "
        f"{counts['rows_changed']:,} changed, {counts['rows_unchanged']:,} unchanged; "
        f"plan areas: {counts['areas_added']:,} added, {counts['areas_removed']:,} removed, "
        f"{counts['areas_changed']:,} changed"
    )
    if document["lines_refused"]:
        echo(
            f"{document['lines_refused']:,} lines of the workbook are refused and would keep what is live "
            "of them: see wanmi plan check"
        )
    for owner in document["owners"][:_SHOWN]:
        when = f" at {owner['times']}" if owner["times"] else ""
        echo(
            f"  {_few(owner['class_names'])} in {_few(owner['area_names'])}{when}: "
            f"{owner['before_name'] or 'territorial unit'} -> {owner['after_name'] or 'territorial unit'}"
        )
    _rest(len(document["owners"]), echo)
    echo(
        f"{counts['cases_changed']:,} of {counts['open_cases']:,} open cases would change their unit"
    )
    for case in document["cases"][:_SHOWN]:
        echo(
            f"  {case['case_id']}  {case['before_name']} -> {case['after_name']}"
            f"  ({case['rule_before']} -> {case['rule_after']})"
        )
    _rest(len(document["cases"]), echo)
    for other in document["cases_not_changed"]:
        echo(f"  {other['cases']:,} {other['en']}")
    if document["cases_decided_by"]["is_stale"]:
        echo("  other data were loaded since the snapshot was compiled: run wanmi snapshot first")


def _rest(count: int, echo: Callable[[str], None]) -> None:
    if count > _SHOWN:
        echo(f"  … and {count - _SHOWN:,} more; see --xlsx or --json")


def _few(names: list[str]) -> str:
    return "、".join(names[:3]) + ("…" if len(names) > 3 else "")


def write_list(changes: PlanChanges, path: Path) -> None:
    """Write cases, owners and rows to three sheets.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    document = as_document(changes)
    rows = [
        {
            "变化 change": row.change,
            "内容 what": row.what,
            "编号 code": row.code,
            "字段 fields": "；".join(
                f"{name}: {before} -> {after}" for name, (before, after) in row.fields.items()
            ),
        }
        for row in changes.rows
    ]
    owners = [
        {
            "部件/事件 kind": owner["kind"],
            "类别 classes": "、".join(owner["class_names"]),
            "区域 areas": "、".join(owner["area_names"]),
            "时间 times": owner["times"],
            "原单位 before": owner["before_name"] or owner["before"],
            "新单位 after": owner["after_name"] or owner["after"],
        }
        for owner in document["owners"]
    ]
    cases = pd.DataFrame(document["cases"], dtype=object)
    write_tables(
        path,
        {
            "案件 cases": cases,
            "责任单位 owners": pd.DataFrame(owners, dtype=object),
            "行 rows": pd.DataFrame(rows, dtype=object),
        },
    )
