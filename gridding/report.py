"""The report on a layer of unit grids: one HTML file in Chinese and English, read without network."""

from datetime import UTC, datetime
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

import numpy as np
import pandas as pd
import shapely

from gis.outputs import appearing
from gridding.checks import Review
from gridding.inspection.findings import RULES, SEVERITIES
from gridding.sketch import draw_map

_ROWS_OF_RULE = 300
"""Faults of one rule in table and map; the GeoPackage has all."""
_VERDICTS = {
    "faulty": ("不合格", "Not acceptable: errors must be repaired."),
    "doubtful": ("基本合格", "No errors; the warnings want a look."),
    "sound": ("合格", "Sound: no errors and no warnings."),
}
_SEVERITY_NAMES = {"error": "错误 error", "warning": "警告 warning", "note": "提示 note"}
_BARS = np.array([0, 0.1, 0.25, 0.5, 0.7, 0.85, 1.0, 1.15, 1.3, 1.5, 2.0, 3.0, np.inf])


def write_report(review: Review, path: Path, *, title: str, now: datetime | None = None) -> None:
    """Write the report: verdict, counts by rule, figures, map, and a table of faults to filter.

    Of every rule the first 300 faults are listed, and the rest counted. The file appears whole, or not
    at all.

    Parameters
    ----------
    review : Review
        What `gridding.checks.check_layer` found.
    path : Path
        File to write.
    title : str
        What was checked.
    now : datetime.datetime or None
        Time shown; None: now.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    text = report_text(review, title=title, now=now or datetime.now(UTC))
    with appearing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def report_text(review: Review, *, title: str, now: datetime) -> str:
    """Return the report as HTML; whatever comes from the layer is escaped."""
    page = resources.files("gridding").joinpath("report.html").read_text(encoding="utf-8")
    verdict_zh, verdict_en = _VERDICTS[review.verdict]
    listed = review.faults[review.faults.groupby("rule").cumcount() < _ROWS_OF_RULE]
    left = len(review.faults) - len(listed)
    more = f"其余 {left} 条未列出，见问题图层。 {left} more are not listed here." if left else ""
    return Template(page).substitute(
        title=escape(title),
        verdict=review.verdict,
        verdict_zh=verdict_zh,
        verdict_en=verdict_en,
        counts=" · ".join(
            f'<b class="{name}">{review.count(name)}</b> {_SEVERITY_NAMES[name]}'
            for name in SEVERITIES
        ),
        date=now.strftime("%Y-%m-%d %H:%M UTC"),
        rules=_rule_rows(review),
        figures=_figure_rows(review),
        histogram=_histogram(review),
        map=draw_map(review, numbers=listed["number"].to_numpy()),
        options="".join(f"<option>{rule}</option>" for rule in sorted(set(listed["rule"]))),
        rows=_fault_rows(listed),
        more=more,
    )


def _rule_rows(review: Review) -> str:
    table = review.faults.groupby(["rule", "severity"], sort=True).agg(
        count=("number", "size"), grids=("code", "nunique")
    )
    rows = []
    for (rule, severity), row in table.sort_index(level=0).iterrows():
        entry = RULES[rule]
        rows.append(
            f'<tr class="{severity}"><td>{rule}</td><td>{_SEVERITY_NAMES[severity]}</td>'
            f'<td class="n">{row["count"]}</td><td class="n">{row["grids"]}</td>'
            f"<td>{escape(entry.fix_zh)}<i>{escape(entry.fix_en)}</i></td></tr>"
        )
    return "".join(rows) or '<tr><td colspan="5">没有问题。 No faults.</td></tr>'


def _figure_rows(review: Review) -> str:
    figures, options = review.figures, review.options
    low, high = options.lower_ratio, options.upper_ratio
    rows: list[tuple[str, str, str | None]] = [
        ("网格数", "grids", f"{figures.grids:,}"),
        ("涉及社区", "communities", f"{figures.communities:,}"),
        ("总面积", "area", f"{figures.area_km2:,.3f} km²"),
        (
            "面积中位数（四分位）",
            "median area (quartiles)",
            f"{figures.median_m2:,.0f} m² "
            f"({figures.lower_quartile_m2:,.0f}–{figures.upper_quartile_m2:,.0f})",
        ),
        (
            "最小与最大",
            "smallest and largest",
            f"{figures.smallest_m2:,.0f} – {figures.largest_m2:,.0f} m²",
        ),
        (
            f"目标面积 {low:g}–{high:g} 倍内",
            f"within {low:g}–{high:g} of the target, {options.target_m2:,.0f} m²",
            _number(figures.share_within, ".1%"),
        ),
        (
            "目标面积 0.7–1.3 倍内",
            "within 0.7–1.3 of the target",
            _number(figures.share_near, ".1%"),
        ),
        (
            "紧凑度中位数（第 10 百分位）",
            "compactness, median (10th percentile)",
            f"{figures.compactness:.3f} ({figures.compactness_low:.3f})",
        ),
        ("平均节点数", "vertices per grid", f"{figures.vertices:.1f}"),
        ("精度格网外节点", "vertices off the precision grid", f"{figures.loose_share:.2%}"),
        ("空隙总面积", "area of gaps", f"{figures.gap_m2:,.1f} m²"),
        ("重叠总面积", "area of overlaps", f"{figures.overlap_m2:,.1f} m²"),
        (
            "被切割房屋",
            "buildings cut inside communities",
            _of(figures.buildings_cut, figures.buildings),
        ),
        ("部件数", "components", _number(figures.components, ",d")),
        ("每格部件平均数", "components per grid", _number(figures.components_mean, ".1f")),
        ("单格部件最多", "most components in a grid", _number(figures.components_most, ",d")),
        (
            "负载离散系数",
            "load, coefficient of variation",
            _number(figures.components_cv, ".2f"),
        ),
        (
            f"距边界 {options.clearance_m:g} 米内部件",
            f"components within {options.clearance_m:g} m of a border",
            _number(figures.near_border_share, ".2%"),
        ),
    ]
    return "".join(
        f'<tr><td>{zh}<i>{en}</i></td><td class="n">{value or "未检查 not checked"}</td></tr>'
        for zh, en, value in rows
    )


def _number(value: float | None, form: str) -> str | None:
    return None if value is None else format(value, form)


def _of(part: int | None, whole: int | None) -> str | None:
    return None if part is None or whole is None else f"{part:,} / {whole:,}"


def _histogram(review: Review) -> str:
    """Return the areas by their ratio to the target as bars; those within the window are darker."""
    ratio = shapely.area(review.grids.geometry.to_numpy()) / review.options.target_m2
    count, _ = np.histogram(ratio, bins=_BARS)
    most = max(int(count.max()), 1)
    bars = []
    for place, number in enumerate(count):
        low, high = _BARS[place], _BARS[place + 1]
        within = low >= review.options.lower_ratio and high <= review.options.upper_ratio
        tall = 90 * number / most
        name = f"{low:g}–{high:g}" if np.isfinite(high) else f"&gt;{low:g}"
        x = 6 + place * 48
        bars.append(
            f'<rect class="{"in" if within else "out"}" x="{x}" y="{108 - tall:.1f}" width="42" '
            f'height="{tall:.1f}"/><text x="{x + 21}" y="{104 - tall:.1f}">{number}</text>'
            f'<text x="{x + 21}" y="121">{name}</text>'
        )
    return f'<svg class="bars" viewBox="0 0 588 126">{"".join(bars)}</svg>'


def _fault_rows(faults: pd.DataFrame) -> str:
    return "".join(
        f'<tr class="{row.severity}" data-n="{row.number}" data-r="{row.rule}" '
        f'data-s="{row.severity}"><td class="n">{row.number}</td><td>{row.rule}</td>'
        f"<td>{escape(str(row.code))}</td>"
        f'<td class="n">{row.source_row or ""}</td>'
        f"<td>{escape(row.reason_zh)}<i>{escape(row.reason_en)}</i></td></tr>"
        for row in faults.itertuples()
    )
