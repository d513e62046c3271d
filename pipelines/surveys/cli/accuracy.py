"""``wanmi census sample`` and ``wanmi census accuracy``: how exact positions are."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import actor, emit, workspace_of
from gis.errors import RequestError

if TYPE_CHECKING:
    from census.accuracy.judgement import Assessment
    from census.accuracy.statistics import Group
    from pipelines.surveys.accuracy import Drawn

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_SHOWN = 20


def add(census: typer.Typer) -> None:
    """Add the commands."""
    census.command("sample")(sample)
    census.command("accuracy")(accuracy)


def sample(
    ctx: typer.Context,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Form for the field: .gpkg (QField) or .xlsx.")
    ],
    seed: Annotated[int, typer.Option(help="The same seed draws the same sample again.")] = 1,
    least: Annotated[int, typer.Option(help="Components per class at least.")] = 24,
    most: Annotated[int, typer.Option(help="Components per class at most.")] = 100,
    area: Annotated[str, typer.Option(help="Only this district, street or community (code).")] = "",
    classes: Annotated[
        list[str] | None, typer.Option("--class", help="Only this class, as in 0104 or 01; repeat.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draw a random sample of the live components for field checking, by class and community.

    Lot by lot after GB/T 24356: see docs/census/accuracy.md for the table and what is unverified in it.

    Example: wanmi census sample -o 外业检查.gpkg --seed 2026
    """
    from census.accuracy.form import check_form_name
    from census.accuracy.sampling import SamplePlan
    from pipelines.surveys.accuracy import SampleRequest, make_sample

    check_form_name(output)
    _check_folder(output)
    request = SampleRequest(
        plan=SamplePlan(seed=seed, least=least, most=most), area=area, classes=tuple(classes or ())
    )
    drawn = make_sample(workspace_of(ctx), request, output, actor=actor())
    emit(_drawn_document(drawn, output), as_json=as_json, human=lambda: _show_drawn(drawn, output))


def accuracy(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Form filled in by the field team.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the report to this .html.")
    ] = None,
    check: Annotated[
        str, typer.Option(help="high: re-measured much better than the survey; equal: as good.")
    ] = "high",
    crs: Annotated[
        str, typer.Option(help="CRS of the columns measured_x, measured_y; default: the city's.")
    ] = "",
    swap_xy: Annotated[
        bool, typer.Option("--swap-xy", help="measured_x is north and measured_y is east.")
    ] = False,
    least_points: Annotated[
        int, typer.Option(help="With fewer points a class is not judged.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Judge positions by a filled-in form: RMSE 中误差 per class and accuracy class, gross errors, completeness.

    Exit code 1 if the census fails.

    Example: wanmi census accuracy 外业检查.gpkg -o accuracy.html
    """
    from census.accuracy.coordinates import Reading
    from census.accuracy.judgement import as_document
    from census.accuracy.report import write_report
    from census.accuracy.statistics import Limits
    from gis.crs import city_crs
    from pipelines.surveys.accuracy import community_borders, judge_sample

    if check not in ("high", "equal"):
        msg = f"--check {check}: use high or equal."
        raise RequestError(msg, zh=f"--check {check}：请用 high（高精度）或 equal（同精度）。")
    if output is not None:
        _check_page(output)
    workspace = workspace_of(ctx)
    city = city_crs(workspace.profile, workspace.root).text
    limits = Limits(check="equal" if check == "equal" else "high", least_points=least_points)
    reading = Reading(crs=crs or city, is_swapped=swap_xy)
    assessment = judge_sample(workspace, file, reading=reading, limits=limits)
    if output is not None:
        title = f"{workspace.profile.city.name or workspace.profile.city.code} · {file.name}"
        write_report(assessment, output, title=title, borders=community_borders(workspace))
    emit(as_document(assessment), as_json=as_json, human=lambda: _show(assessment, output))
    if assessment.verdict == "fail":
        raise typer.Exit(1)


def _check_folder(path: Path) -> None:
    if not path.absolute().parent.is_dir():
        msg = f"There is no folder {path.parent}: make it first, or write elsewhere."
        raise RequestError(msg, zh=f"文件夹 {path.parent} 不存在：请先创建，或输出到别处。")


def _check_page(path: Path) -> None:
    if path.suffix.lower() not in (".html", ".htm"):
        msg = f"{path.name}: name the report {path.stem}.html."
        raise RequestError(msg, zh=f"{path.name}：请把报告命名为 {path.stem}.html。")
    _check_folder(path)


def _drawn_document(drawn: "Drawn", output: Path) -> dict[str, Any]:
    return {
        "sample_id": drawn.sample_id,
        "seed": drawn.seed,
        "drawn": len(drawn.components),
        "drawn_from": drawn.drawn_from,
        "classes": _per_class(drawn),
        "codes": [row[1] for row in drawn.components],
        "written": str(output),
    }


def _per_class(drawn: "Drawn") -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in drawn.components:
        counts[row[2]] = counts.get(row[2], 0) + 1
    return counts


def _show_drawn(drawn: "Drawn", output: Path) -> None:
    for code, count in _per_class(drawn).items():
        typer.echo(f"{code}  {count:>5}")
    typer.echo(
        f"Sample {drawn.sample_id}: {len(drawn.components)} of {drawn.drawn_from:,} components, "
        f"seed {drawn.seed}, written to {output}."
    )
    typer.echo(
        "Sample sizes as in GB/T 24356-2009, recalled and not checked against its text: what a contract "
        "says goes before them (--least, --most). 样本量表凭记忆，未核对原文，以合同为准。"
    )
    typer.echo(f"When it is filled in: wanmi census accuracy {output} -o accuracy.html")


def _show(assessment: "Assessment", output: Path | None) -> None:
    from census.accuracy.judgement import NAMES
    from census.accuracy.measurement import PROBLEMS

    typer.echo("class      points  gross   limit    RMSE  95 % interval    verdict")
    for group in (*assessment.accuracy_classes, *assessment.classes):
        typer.echo(_group_line(group))
    for en, share in (("omission", assessment.omission), ("commission", assessment.commission)):
        typer.echo(
            f"{en}: {share.count} of {share.of}, {share.value:.1%} ({share.low:.1%} to {share.high:.1%})"
        )
    measured = assessment.measured
    typer.echo(f"not visited: {measured.unvisited}")
    for problem in measured.problems[:_SHOWN]:
        detail = f" ({problem.detail})" if problem.detail else ""
        reason = PROBLEMS[problem.kind][0]
        typer.echo(f"row {problem.source_row}, {problem.code or '-'}: {reason}{detail}")
    if len(measured.problems) > _SHOWN:
        typer.echo(f"… and {len(measured.problems) - _SHOWN} more, see --json")
    typer.echo(f"Verdict: {NAMES[assessment.verdict][0]} {NAMES[assessment.verdict][1]}")
    for because in assessment.reasons:
        typer.echo(f"  {because.en}")
    if output is not None:
        typer.echo(f"Report: {output}")


def _group_line(group: "Group") -> str:
    from census.accuracy.judgement import NAMES

    shown = "-" if group.rmse_m is None else f"{group.rmse_m:.3f}"
    low, high = group.interval_m or (0.0, 0.0)
    interval = "-" if group.interval_m is None else f"{low:.3f} to {high:.3f}"
    return (
        f"{group.key:<9}  {group.points:>6}  {group.gross:>5}  {group.limit_m:>6g}  {shown:>6}  "
        f"{interval:<15}  {NAMES[group.verdict][0]}"
    )
