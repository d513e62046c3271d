"""The report on position accuracy: one HTML file, Chinese and English, that needs no network."""

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from importlib import resources
from pathlib import Path
from string import Template

import geopandas as gpd
import pandas as pd

from census.accuracy.drawing import draw_map, draw_target
from census.accuracy.judgement import NAMES, Assessment
from census.accuracy.measurement import PROBLEMS
from census.accuracy.statistics import Group, Share, gross_limit
from gis.outputs import appearing

_LISTED = 2000
_HEAD = (
    '<thead><tr><th>{what}</th><th class="n">点数 points</th><th class="n">粗差 gross</th>'
    '<th class="n">限值 limit (m)</th><th class="n">中误差 RMSE (m)</th><th class="n">95% 区间 interval (m)</th>'
    '<th class="n">含粗差 with gross (m)</th><th class="n">平均偏移 mean shift E, N (m)</th>'
    '<th class="n">最大 largest (m)</th><th>结论 verdict</th></tr></thead>'
)
_METHODS = {
    "high": (
        "高精度检测：中误差 M = √(Σd²/n)，d = √(dx²+dy²)，粗差界为限值的 2 倍。",
        "Check of higher accuracy: RMSE = √(Σd²/n), d = √(dx²+dy²); gross beyond twice the limit.",
    ),
    "equal": (
        "同精度检测：中误差 M = √(Σd²/2n)，d = √(dx²+dy²)，粗差界为限值的 2√2 倍。",
        "Check of equal accuracy: RMSE = √(Σd²/2n), d = √(dx²+dy²); gross beyond 2√2 times the limit.",
    ),
}


def write_report(
    assessment: Assessment,
    path: Path,
    *,
    title: str,
    borders: gpd.GeoDataFrame,
    now: datetime | None = None,
) -> None:
    """Write the report; the file appears whole, or not at all.

    Parameters
    ----------
    assessment : Assessment
        What was found.
    path : Path
        ``.html``.
    title : str
        City and form.
    borders : geopandas.GeoDataFrame
        Communities to draw below the points, in the city's CRS.
    now : datetime.datetime or None
        Time to print; None: the present.

    Raises
    ------
    WorkspaceError
        The file can not be written.
    """
    text = report_text(assessment, title=title, borders=borders, now=now or datetime.now(UTC))
    with appearing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def report_text(
    assessment: Assessment, *, title: str, borders: gpd.GeoDataFrame, now: datetime
) -> str:
    """Return the report as HTML; whatever comes from the form is escaped."""
    page = resources.files("census.accuracy").joinpath("report.html").read_text(encoding="utf-8")
    en, zh = NAMES[assessment.verdict]
    drawing, factor = draw_map(assessment, borders)
    method_zh, method_en = _method(assessment)
    return Template(page).substitute(
        title=escape(title),
        date=now.strftime("%Y-%m-%d %H:%M UTC"),
        verdict=assessment.verdict,
        verdict_zh=zh,
        verdict_en=en,
        reasons="".join(
            f"<p>{escape(reason.zh)} <i>{escape(reason.en)}</i></p>"
            for reason in assessment.reasons
        ),
        head=_HEAD.format(what="类别 class"),
        accuracy_classes=_group_rows(assessment.accuracy_classes, assessment),
        classes=_group_rows(assessment.classes, assessment),
        completeness=_completeness(assessment),
        map=drawing,
        factor=f"{factor:g}",
        target=draw_target(assessment),
        rows="".join(_listed(assessment)),
        method_zh=method_zh,
        method_en=method_en,
    )


def _method(assessment: Assessment) -> tuple[str, str]:
    zh, en = _METHODS[assessment.limits.check]
    least, share = assessment.limits.least_points, assessment.limits.gross_share
    return (
        f"{zh}粗差不计入中误差，粗差率不得超过 {share:.0%}；少于 {least} 点的类别不判定。"
        "区间按误差服从正态分布计算。公式、界限与样本量表依据 GB/T 24356-2009"
        "（凭记忆，未核对原文；2023 版的抽样有变）。",
        f"{en} Gross errors do not enter the RMSE and may be {share:.0%} of the points at most; classes of fewer "
        f"than {least} points are not judged. Intervals take errors for normal. Formulas, limits and "
        "the table of sample sizes as in GB/T 24356-2009 (recalled, not checked against its text; the edition of "
        "2023 draws otherwise).",
    )


def _group_rows(groups: Iterable[Group], assessment: Assessment) -> str:
    rows = []
    for group in groups:
        name = assessment.class_names.get(group.key, "")
        interval = "–" if group.interval_m is None else "{:.3f} – {:.3f}".format(*group.interval_m)
        shift = (
            "–"
            if group.mean_dx_m is None or group.mean_dy_m is None
            else f"{group.mean_dx_m:+.3f}, {group.mean_dy_m:+.3f}"
        )
        en, zh = NAMES[group.verdict]
        unsure = "" if group.is_clear or group.verdict == "too_few" else " ±"
        rows.append(
            f"<tr><td>{escape(group.key)} {escape(name)}</td>"
            f'<td class="n">{group.points}</td><td class="n">{group.gross}</td>'
            f'<td class="n">{group.limit_m:g}</td><td class="n">{_metres(group.rmse_m)}</td>'
            f'<td class="n">{interval}</td><td class="n">{_metres(group.rmse_all_m)}</td>'
            f'<td class="n">{shift}</td><td class="n">{_metres(group.largest_m)}</td>'
            f'<td class="{group.verdict}">{zh} <i>{en}</i>{unsure}</td></tr>'
        )
    return "".join(rows) or '<tr><td colspan="10">没有复测点。 No points.</td></tr>'


def _metres(value: float | None) -> str:
    return "–" if value is None else f"{value:,.3f}"


def _completeness(assessment: Assessment) -> str:
    limits = assessment.limits
    return _share_row("漏查 omission", assessment.omission, limits.omission) + _share_row(
        "多余 commission", assessment.commission, limits.commission
    )


def _share_row(name: str, share: Share, limit: float) -> str:
    word = "fail" if share.value > limit else "pass"
    return (
        f'<tr><td>{name}</td><td class="n">{share.count}</td><td class="n">{share.of}</td>'
        f'<td class="n {word}">{share.value:.1%}</td><td class="n">{share.low:.1%} – {share.high:.1%}</td>'
        f'<td class="n">{limit:.0%}</td></tr>'
    )


def _listed(assessment: Assessment) -> Iterable[str]:
    measured, check = assessment.measured, assessment.limits.check
    points = measured.points
    gross = points[points["is_gross"]].sort_values("deviation_m", ascending=False)
    for row in gross.head(_LISTED).itertuples():
        bound = gross_limit(float(row.limit_m), check=check)
        what = f"粗差，界 {bound:.2f} m <i>gross error</i>"
        name = f"{row.class_code} {row.class_name}"
        yield _line(str(row.code), name, int(row.source_row), what, float(row.deviation_m))
    for row in measured.not_found.head(_LISTED).itertuples():
        name = f"{row.class_code} {row.class_name}"
        yield _line(str(row.code), name, None, "实地未找到 <i>not found</i>", None)
    for row in measured.extra.head(_LISTED).itertuples():
        what = f"漏查 {row.count} 个 <i>not in the census</i>"
        name = str(row.class_code) if isinstance(row.class_code, str) else ""
        yield _line("–", name, int(row.source_row), what, None)
    for problem in measured.problems[:_LISTED]:
        en, zh = PROBLEMS[problem.kind]
        detail = f" {escape(problem.detail)}" if problem.detail else ""
        what = f"{zh}{detail} <i>{en}</i>"
        yield _line(problem.code or "–", "", problem.source_row, what, None)


def _line(code: str, name: str, row: int | None, what: str, deviation: float | None) -> str:
    shown = "" if deviation is None or pd.isna(deviation) else f"{deviation:,.2f}"
    return (
        f'<tr><td>{escape(code)}</td><td>{escape(name)}</td><td class="n">{row or ""}</td>'
        f'<td>{what}</td><td class="n">{shown}</td></tr>'
    )
