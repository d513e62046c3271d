"""The report on a delivery as one HTML page in Chinese and English, read without network."""

import base64
import gzip
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from importlib import metadata, resources
from pathlib import Path
from string import Template

from census.report.document import clean, rule_rows
from census.report.ground import Ground
from census.report.judgement import FileJudgement, Judgement, UnmappedColumn
from census.report.payload import as_page_data
from census.report.subjects import SUBJECTS
from census.report.verdict import NAMES, percent
from gis.outputs import appearing
from gis.remarks import Remark

_PACKED_BYTES = 1_000_000
"""Data larger than this is compressed into the page."""
SEVERITIES = {"error": ("refused", "不合格"), "warning": ("warning", "存疑")}
"""Severity -> what the page calls it."""
DATASETS = {
    "areas": ("areas", "行政区划"),
    "topography": ("topography", "基础地形"),
    "unit_grids": ("unit grids", "单元网格"),
    "place_names": ("place names", "地名"),
    "units": ("units", "单位名录"),
    "management_grids": ("management grids", "管理网格"),
    "evaluation_grids": ("evaluation grids", "评价网格"),
    "responsibility": ("responsibility", "职责"),
    "addresses": ("addresses", "地址"),
    "components": ("components", "部件"),
    "cases": ("cases", "案件"),
    "imagery": ("imagery", "影像"),
}
"""Dataset -> what the page calls it."""
_CRS_SOURCES = {"file": ("file", "文件自带"), "manifest": ("manifest", "清单声明")}


def write_page(judgement: Judgement, path: Path, *, ground: Ground) -> None:
    """Write the report; it appears whole, or not at all.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    text = page_text(judgement, ground)
    with appearing(path) as partial:
        partial.write_bytes(text.encode())


def page_text(judgement: Judgement, ground: Ground) -> str:
    """Return the page; whatever comes from the delivery is escaped, and only its own script may run."""
    folder = resources.files("census.report")
    html, css, *scripts = (
        folder.joinpath(name).read_text(encoding="utf-8")
        for name in ("page.html", "page.css", "view.js", "map.js", "page.js")
    )
    code = "\n".join(scripts)
    data = as_page_data(judgement, ground)
    subject = SUBJECTS[judgement.subject]
    is_packed = len(data) > _PACKED_BYTES
    page = Template(html).substitute(
        script_hash=base64.b64encode(sha256(code.encode()).digest()).decode(),
        css=css,
        script=code,
        kind="gzip" if is_packed else "plain",
        data=_packed(data) if is_packed else data.decode(),
        title=f"{subject.title.zh} {subject.title.en}",
        heading=told(subject.title),
        rows_en=subject.rows.en,
        rows_zh=subject.rows.zh,
        rows=told(subject.rows),
        class_heading=told(subject.classes),
        setting=subject.setting,
        has_shapes="" if len(ground.shapes) else "hidden",
        delivery=escape(judgement.delivery),
        city=escape(judgement.city),
        crs=escape(judgement.crs),
        as_of="—" if judgement.as_of is None else judgement.as_of.isoformat(),
        checked_at=judgement.checked_at.strftime("%Y-%m-%d %H:%M UTC"),
        seconds=f"{judgement.seconds:.1f}",
        version=escape(metadata.version("wanmi")),
        level=judgement.verdict.level,
        verdict=both(*NAMES[judgement.verdict.level]),
        reasons="".join(f"<li>{told(reason)}</li>" for reason in _reasons(judgement)),
        limit=percent(judgement.verdict.refused_limit),
        tallies="".join(_tally_rows(judgement)),
        remarks=_of_the_whole(judgement),
        skipped=_skipped(judgement),
        files="".join(_file_rows(judgement.files)),
        file_count=len(judgement.files),
        rules="".join(_rule_rows(judgement)) or _nothing(5),
        classes="".join(_class_rows(judgement)) or _nothing(5),
    )
    return str(clean(page))


def both(en: str, zh: str) -> str:
    """Return a text in both languages, of which the page shows one; both are escaped.

    Examples
    --------
    >>> both("a < b", "甲")
    '<span lang="en">a &lt; b</span><span lang="zh">甲</span>'
    """
    return f'<span lang="en">{escape(en)}</span><span lang="zh">{escape(zh)}</span>'


def told(remark: Remark) -> str:
    """Return a remark in both languages."""
    return both(remark.en, remark.zh)


def _packed(data: bytes) -> str:
    return base64.b64encode(gzip.compress(data, compresslevel=6, mtime=0)).decode()


def _reasons(judgement: Judgement) -> tuple[Remark, ...]:
    return (*judgement.verdict.reasons, *judgement.obstacles)


def _some(number: int) -> str:
    return f"{number:,}" if number else ""


def _nothing(columns: int) -> str:
    return f'<tr><td colspan="{columns}">{both("None.", "无。")}</td></tr>'


def _tally_rows(judgement: Judgement) -> Iterable[str]:
    for tally in judgement.tallies:
        over = tally.dataset == judgement.subject and tally.share > judgement.verdict.refused_limit
        yield (
            f"<tr><td>{both(*DATASETS.get(tally.dataset, (tally.dataset, tally.dataset)))}</td>"
            f'<td class="n">{tally.read:,}</td><td class="n error">{tally.refused:,}</td>'
            f'<td class="n{" over" if over else ""}">{percent(tally.share)}</td>'
            f'<td class="n warning">{tally.doubted:,}</td></tr>'
        )


def _of_the_whole(judgement: Judgement) -> str:
    lines = "".join(f"<li>{told(remark)}</li>" for remark in judgement.remarks)
    return f'<ul class="soft">{lines}</ul>' if lines else ""


def _skipped(judgement: Judgement) -> str:
    if not judgement.skipped:
        return ""
    names = [DATASETS.get(name, (name, name)) for name in judgement.skipped]
    return both(
        f"Also delivered, and not judged here: {', '.join(en for en, _ in names)}; "
        "wanmi build DELIVERY --dry-run judges them.",
        f"另含未在此检查的：{'、'.join(zh for _, zh in names)}；请用 wanmi build DELIVERY --dry-run 检查。",
    )


def _file_rows(files: Iterable[FileJudgement]) -> Iterable[str]:
    for file in files:
        name = both(*DATASETS.get(file.dataset, (file.dataset, file.dataset)))
        head = f'<td class="path">{escape(file.path)}</td><td class="kind">{name}</td>'
        if file.error is not None:
            word = both("Can not be read", "无法读取")
            yield (
                f'<tr class="unread">{head}<td colspan="6"><b class="error">{word}</b> '
                f"{told(file.error)}</td></tr>"
            )
            continue
        source = _CRS_SOURCES.get(file.crs_source, (file.crs_source, file.crs_source))
        yield (
            f'<tr>{head}<td class="n">{file.rows:,}</td><td class="n error">{_some(file.refused)}</td>'
            f'<td class="n warning">{_some(file.doubted)}</td>'
            f"<td>{escape(file.encoding)}<small>{told(file.encoding_evidence)}</small></td>"
            f'<td class="crs">{escape(file.crs)}<small>{both(*source)}</small></td>'
            f"<td>{_remarks(file)}</td></tr>"
        )


def _remarks(file: FileJudgement) -> str:
    lines = [f'<li class="warning">{told(warning)}</li>' for warning in file.warnings]
    if file.unmapped:
        names = ", ".join(_column(column) for column in file.unmapped)
        word = both("Columns kept as they are:", "未识别、原样保留的列：")
        lines.append(f"<li>{word} {names}</li>")
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _column(column: UnmappedColumn) -> str:
    name = f"<code>{escape(column.name)}</code>"
    return f"{name} → <code>{escape(column.suggestion)}</code>?" if column.suggestion else name


def _rule_rows(judgement: Judgement) -> Iterable[str]:
    for row in rule_rows(judgement):
        severity, rule = str(row["severity"]), escape(str(row["rule"]))
        why = both(row["why_en"], row["why_zh"]) if row["why_en"] else ""
        yield (
            f'<tr class="{severity}" data-rule="{rule}"><td><b class="{severity}">{rule}</b>'
            f"<small>{both(*SEVERITIES[severity])}</small></td>"
            f'<td class="n">{row["rows"]:,}</td>'
            f"<td>{both(row['reason_en'], row['reason_zh'])}</td><td>{why}</td>"
            f"<td>{both(row['fix_en'], row['fix_zh'])}</td></tr>"
        )


def _class_rows(judgement: Judgement) -> Iterable[str]:
    for tally in judgement.classes:
        name = escape(tally.class_name) or both("not known", "未知")
        yield (
            f'<tr data-class="{escape(tally.class_code)}"><td>{escape(tally.class_code) or "—"}</td>'
            f'<td>{name}</td><td class="n">{tally.rows:,}</td>'
            f'<td class="n error">{_some(tally.refused)}</td>'
            f'<td class="n warning">{_some(tally.doubted)}</td></tr>'
        )
