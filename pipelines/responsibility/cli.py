"""``wanmi plan``: the responsibility plan 职责分解方案 checked, loaded, compared."""

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import actor, emit, progress, workspace_of
from gis.errors import DeliveryError

if TYPE_CHECKING:
    from pipelines.responsibility.judging import PlanJudgement

# What a command works with is imported when it runs: `wanmi --help` must not load geopandas.

_Book = Annotated[Path, typer.Argument(metavar="FILE.xlsx", help="The plan, a workbook.")]
_AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="Day from which it holds; default: today."),
]
_AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
_Xlsx = Annotated[Path | None, typer.Option(help="Write the list to this .xlsx, for the office.")]


def register(app: typer.Typer) -> None:
    """Mount ``wanmi plan``."""
    plan = typer.Typer(
        no_args_is_help=True, help="Responsibility plan 职责分解方案: check, load, compare."
    )
    plan.command("check")(check)
    plan.command("load")(load)
    plan.command("diff")(diff)
    app.add_typer(plan, name="plan")


def _day(as_of: datetime | None, ctx: typer.Context) -> date:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(workspace_of(ctx).profile.city.timezone)
    return datetime.now(zone).date() if as_of is None else as_of.date()


def check(
    ctx: typer.Context,
    book: _Book,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the report to this .html, read offline."),
    ] = None,
    xlsx: _Xlsx = None,
    as_of: _AsOf = None,
    as_json: _AsJson = False,
) -> None:
    """Judge a plan against what is live: every class has one owner everywhere and always.

    Exit code 1 unless it is accepted: lines refused, holes, gaps in time, conflicts and overlapping
    times refuse it; rows that never win are only told.

    Example: wanmi plan check 职责分解方案.xlsx -o report.html --xlsx findings.xlsx
    """
    from pipelines.responsibility.judging import judge_workbook
    from pipelines.responsibility.listing import as_document, write_list
    from pipelines.responsibility.page import write_page

    workspace = workspace_of(ctx)
    with progress("judging the plan", total=1) as advance:
        judged = judge_workbook(book, workspace=workspace, as_of=_day(as_of, ctx))
        advance(1)
    if output is not None:
        write_page(judged, output)
    if xlsx is not None:
        write_list(judged, xlsx)
    document = as_document(judged)
    emit(document, as_json=as_json, human=lambda: _show(document, output=output))
    if not judged.is_accepted:
        raise typer.Exit(1)


def _show(document: dict[str, Any], *, output: Path | None) -> None:
    for fault in document["faults"]:
        where = f"{fault['file'].partition('|')[2]} {fault['row']}".strip()
        typer.echo(f"{fault['severity']:9}{fault['rule']:6}{where:10} {fault['reason_en']}")
    for finding in document["findings"]:
        severity = "warning" if finding["what"] == "never" else "error"
        typer.echo(f"{severity:9}{finding['what']:16} {finding['en']}")
    for remark in document["remarks"]:
        typer.echo(remark)
    typer.echo(
        f"{document['lines_read']:,} lines read, {document['lines_refused']:,} refused; "
        f"{document['rows']:,} rows over {document['places']:,} different places; "
        f"{'accepted' if document['accepted'] else 'NOT accepted'}."
        + (f" Report: {output}" if output else "")
    )


def load(
    ctx: typer.Context,
    book: _Book,
    as_of: _AsOf = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge everything, write nothing.")
    ] = False,
    anyway: Annotated[
        bool,
        typer.Option(
            "--anyway",
            help="Load it although `plan check` does not accept it: see the description.",
        ),
    ] = False,
    as_json: _AsJson = False,
) -> None:
    """Make a plan live from a day on, its areas with it; the same plan of the same day changes nothing.

    A plan that `wanmi plan check` does not accept needs --anyway: its lines refused keep what is live of
    them, its holes go to the territorial unit, its conflicts to review. `wanmi rollback` undoes a load.

    Example: wanmi plan load 职责分解方案.xlsx --as-of 2026-07-01
    """
    from pipelines.build import BuildOptions, build_opened
    from pipelines.responsibility.judging import delivery_of, judge_workbook

    workspace = workspace_of(ctx)
    delivery = delivery_of(book, as_of=_day(as_of, ctx))
    with progress("judging the plan", total=1) as advance:
        judged = judge_workbook(book, workspace=workspace, as_of=delivery.as_of)
        advance(1)
    if not (judged.is_accepted or anyway or dry_run):
        raise _not_accepted(judged)
    options = BuildOptions(only=("responsibility",), dry_run=dry_run, actor=actor())
    (report,) = build_opened(delivery, workspace=workspace, options=options, progress=progress)

    def human() -> None:
        counts = (report.rows_opened, report.rows_closed, report.rows_unchanged)
        opened, closed, same = ("-" if count is None else f"{count:,}" for count in counts)
        typer.echo(
            f"Plan of {delivery.as_of}: {report.status}, build {report.build_id or '-'}; {report.rows_accepted:,} rows "
            f"accepted, {report.rows_rejected:,} refused; {opened} opened, {closed} closed, {same} unchanged."
        )
        for fault in report.faults:
            typer.echo(
                f"    {fault['severity']:8}{fault['rule']:6}{fault['rows']:>6,}  {fault['example']}"
            )
        for warning in report.warnings:
            typer.echo(warning)
        if not judged.is_accepted:
            typer.echo(f"NOT accepted by `wanmi plan check`: {judged.told(is_chinese=False)}.")
        if not dry_run:
            typer.echo("Compile the snapshot anew with: wanmi snapshot")

    emit(asdict(report) | {"accepted": judged.is_accepted}, as_json=as_json, human=human)


def _not_accepted(judged: "PlanJudgement") -> DeliveryError:
    faults, faults_zh = judged.told(is_chinese=False), judged.told(is_chinese=True)
    return DeliveryError(
        f"{judged.file} is not accepted ({faults}), and nothing was loaded: correct what `wanmi plan check` "
        "tells; or load it with --anyway: lines refused keep what is live of them, holes go to the "
        "territorial unit, conflicts to review.",
        zh=f"{judged.file} 未通过检查（{faults_zh}），没有入库：请按 wanmi plan check 的结果更正；"
        "或用 --anyway 入库：被拒绝的行保留现行内容，无责任单位的归属地单位，冲突的标记复核。",
    )


def diff(
    ctx: typer.Context,
    book: _Book,
    xlsx: _Xlsx = None,
    as_of: _AsOf = None,
    as_json: _AsJson = False,
) -> None:
    """Tell what a plan would change: rows, owners of classes in areas, and open cases.

    Nothing is written.

    Example: wanmi plan diff 职责分解方案.xlsx --as-of 2026-07-01 --xlsx changes.xlsx
    """
    from pipelines.responsibility.changelist import as_document, show, write_list
    from pipelines.responsibility.changes import compare_workbook

    workspace = workspace_of(ctx)
    with progress("comparing the plan", total=1) as advance:
        changes = compare_workbook(book, workspace=workspace, as_of=_day(as_of, ctx))
        advance(1)
    if xlsx is not None:
        write_list(changes, xlsx)
    document = as_document(changes)
    emit(document, as_json=as_json, human=lambda: show(document, echo=typer.echo))
