"""The faults of a delivery as a workbook for the contractor: one sheet per file, as it was delivered."""

import re
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from census.report.document import clean, places_of, rule_rows
from census.report.judgement import FileJudgement, Judgement
from census.report.verdict import NAMES
from census.workbooks import add_sheet, cells_of, header_cells
from gis.outputs import appearing

HEADERS = {
    "number": "序号",
    "source_row": "行号",
    "code": "对象标识码",
    "class_code": "类别",
    "severity": "级别",
    "rule": "规则",
    "reason_zh": "问题",
    "fix_zh": "如何修改",
    "x": "X（东）",
    "y": "Y（北）",
    "reason_en": "Problem",
    "fix_en": "How to fix it",
}
"""Column of the fault -> its header; the delivered columns follow under their own names."""
_SEVERITIES = {"error": "不合格", "warning": "存疑"}
_WIDTHS = {
    HEADERS[name]: width
    for name, width in (
        ("reason_zh", 48), ("fix_zh", 40), ("reason_en", 48), ("fix_en", 40), ("code", 20), ("number", 8),
    )
}  # fmt: skip
_SHEET_ROWS = 1_000_000
_TITLE_CHARACTERS = 31
_BAD_TITLE = re.compile(r"[\[\]:*?/\\\x00-\x1f]")


def write_workbook(judgement: Judgement, path: Path) -> None:
    """Write the faults to ``.xlsx``: a summary, the rules, and a sheet for each file with faults.

    Headers are Chinese and frozen, with a filter; text that looks like a formula is never one. The
    file appears whole, or not at all.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    book = openpyxl.Workbook(write_only=True)
    titles: set[str] = set()
    _write_summary(book, judgement, titles)
    _write_rules(book, judgement, titles)
    faults = _listed(judgement)
    order = [file.path for file in judgement.files]
    groups = dict(iter(faults.groupby("source_file", sort=False)))
    for file in sorted(groups, key=lambda name: (order.index(name) if name in order else 0, name)):
        rows = groups[file]
        for number, start in zip(count(1), range(0, len(rows), _SHEET_ROWS), strict=False):
            title = Path(file).name if number == 1 else f"{Path(file).name} {number}"
            part = _with_delivered(rows.iloc[start : start + _SHEET_ROWS])
            add_sheet(book, sheet_title(title, titles), part, widths=_WIDTHS)
    with appearing(path) as partial:
        book.save(partial)


def sheet_title(name: str, taken: set[str]) -> str:
    """Return a title that a workbook takes and that no sheet has yet; add it to `taken`.

    Examples
    --------
    >>> taken = set()
    >>> sheet_title("a/b:c.shp", taken), sheet_title("A b c.shp", taken)
    ('a b c.shp', 'A b c.shp 2')
    """
    plain = _BAD_TITLE.sub(" ", str(clean(name))).strip("' ") or "sheet"
    for number in count(1):
        tail = "" if number == 1 else f" {number}"
        title = plain[: _TITLE_CHARACTERS - len(tail)].rstrip("' ") + tail
        if title.casefold() not in taken:
            taken.add(title.casefold())
            return title
    raise AssertionError


def _listed(judgement: Judgement) -> pd.DataFrame:
    faults = judgement.faults
    x, y = places_of(faults.geometry.to_numpy(dtype=object))
    fixes = {
        f"fix_{language}": faults["rule"].map(
            {code: getattr(rule, f"fix_{language}") for code, rule in judgement.rules.items()}
        )
        for language in ("zh", "en")
    }
    plain = pd.DataFrame(faults.drop(columns="geometry"))
    return plain.assign(
        x=pd.Series(x, faults.index).round(3),
        y=pd.Series(y, faults.index).round(3),
        severity=faults["severity"].map(_SEVERITIES),
        **fixes,
    )


def _with_delivered(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the fault's columns under their headers, then the delivered ones as they were named."""
    table = rows[list(HEADERS)].rename(columns=HEADERS)
    records = [record if isinstance(record, Mapping) else {} for record in rows["record"]]
    names = dict.fromkeys(str(name) for record in records for name in record)
    taken = {str(name).casefold() for name in table.columns}
    delivered = {}
    for name in names:
        shown = name
        while shown.casefold() in taken:
            shown += "_"
        taken.add(shown.casefold())
        delivered[shown] = [record.get(name) for record in records]
    return pd.concat([table, pd.DataFrame(delivered, index=rows.index, dtype=object)], axis=1)


def _write_summary(book: openpyxl.Workbook, judgement: Judgement, titles: set[str]) -> None:
    verdict = judgement.verdict
    sheet = book.create_sheet(sheet_title("汇总 summary", titles))
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 80
    en, zh = NAMES[verdict.level]
    lines: list[tuple[Any, ...]] = [
        ("交付 delivery", judgement.delivery),
        ("数据日期 as of", judgement.as_of and judgement.as_of.isoformat()),
        ("城市 city", judgement.city),
        ("坐标系 CRS", judgement.crs),
        ("检查时间 checked", judgement.checked_at.strftime("%Y-%m-%d %H:%M UTC")),
        ("结论 verdict", f"{zh} {en}"),
    ]
    for reason in (*verdict.reasons, *judgement.obstacles):
        lines.append(("原因 because", f"{reason.zh} {reason.en}"))
    for remark in judgement.remarks:
        lines.append(("说明 remark", f"{remark.zh} {remark.en}"))
    for row in lines:
        sheet.append(cells_of(sheet, row))
    sheet.append([])
    heads = (
        "文件 file",
        "说明 remarks",
        "记录 rows",
        "不合格 refused",
        "存疑 warnings",
        "编码 encoding",
        "坐标系 CRS",
    )
    sheet.append(header_cells(sheet, heads))
    for file in judgement.files:
        counts = (file.rows, file.refused, file.doubted)
        row = (file.path, _remark(file), *counts, file.encoding, file.crs)
        sheet.append(cells_of(sheet, row))


def _remark(file: FileJudgement) -> str:
    if file.error is not None:
        return f"无法读取 can not be read: {file.error.zh} {file.error.en}"
    parts = [f"{warning.zh} {warning.en}" for warning in file.warnings]
    if file.unmapped:
        names = ", ".join(column.name for column in file.unmapped)
        parts.append(f"未识别的列 columns kept as they are: {names}")
    return "; ".join(parts)


def _write_rules(book: openpyxl.Workbook, judgement: Judgement, titles: set[str]) -> None:
    columns = {
        "rule": "规则",
        "severity": "级别",
        "rows": "记录数",
        "reason_zh": "问题（示例）",
        "why_zh": "依据",
        "fix_zh": "如何修改",
        "reason_en": "What is wrong (an example)",
        "why_en": "Why it is a rule",
        "fix_en": "How to fix it",
    }
    table = pd.DataFrame(rule_rows(judgement), columns=list(columns))
    table["severity"] = table["severity"].map(_SEVERITIES)
    title = sheet_title("规则 rules", titles)
    add_sheet(book, title, table.rename(columns=columns), widths=_WIDTHS)
