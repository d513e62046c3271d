"""``wanmi plan``: the responsibility plan 职责分解方案 checked, loaded, compared, migrated."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import actor, emit, progress, workspace_of
from gis.errors import DeliveryError, RequestError

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
        no_args_is_help=True,
        help="Responsibility plan 职责分解方案: check, load, compare, migrate.",
    )
    plan.command("check")(check)
    plan.command("load")(load)
    plan.command("diff")(diff)
    plan.command("migrate")(migrate)
    app.add_typer(plan, name="plan")


def _day(as_of: datetime | None, ctx: typer.Context) -> date:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(workspace_of(ctx).profile.city.timezone)
    return datetime.now(zone).date() if as_of is None else as_of.date()


def _check_endings(files: Mapping[Path | None, str]) -> None:
    """Refuse a file that would not be what its name says, before anything is judged."""
    for path, ending in files.items():
        if path is not None and path.suffix.lower() != ending:
            msg = f"{path.name}: write {ending}."
            raise RequestError(msg, zh=f"{path.name}：请写成 {ending}。")


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

    _check_endings({output: ".html", xlsx: ".xlsx"})
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
    for finding in document["findings_ahead"]:
        typer.echo(f"{'warning':9}{finding['what']:16} {finding['en']}")
    if left := document["days_not_judged"]:
        typer.echo(
            f"Not judged: {len(left):,} later days on which rows begin or end, from {left[0]} on."
        )
    for each in document["contradictions"]:
        when = f" at {each['times']}" if each["times"] else ""
        typer.echo(
            f"{'warning':9}{'record':16} {each['class_name']}: the records of {each['components']:,} component(s) "
            f"name {each['unit_name']} as {each['role']}, row {', '.join(each['rows'])} {each['plan_unit_name']}{when}."
        )
    for en, zh in zip(document["remarks"], document["remarks_zh"], strict=True):
        typer.echo(f"{en} {zh}")
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
    from census.plan.findings import REFUSING
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
        if ahead := judged.told_ahead(is_chinese=False):
            first = next(each for each in judged.ahead.findings if each.what in REFUSING)
            day = judged.ahead.first_day(first)
            typer.echo(f"From {day} on, as far as is written now: {ahead}; see `wanmi plan check`.")
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

    _check_endings({xlsx: ".xlsx"})
    workspace = workspace_of(ctx)
    with progress("comparing the plan", total=1) as advance:
        changes = compare_workbook(book, workspace=workspace, as_of=_day(as_of, ctx))
        advance(1)
    if xlsx is not None:
        write_list(changes, xlsx)
    document = as_document(changes)
    emit(document, as_json=as_json, human=lambda: show(document, echo=typer.echo))


def migrate(
    ctx: typer.Context,
    to: Annotated[str, typer.Option("--to", help="Standard, or its year: 2013, 2026.")],
    from_: Annotated[
        str | None,
        typer.Option("--from", help="Standard of the plan; default: that of wanmi.toml."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write classes and rows to this .xlsx.")
    ] = None,
    decisions: Annotated[
        Path | None, typer.Option(help="List with its column decision filled in: .xlsx or .csv.")
    ] = None,
    apply_: Annotated[
        bool, typer.Option("--apply", help="Carry it out; without: only tell.")
    ] = False,
    as_of: _AsOf = None,
    as_json: _AsJson = False,
) -> None:
    """Move the plan that is live to a later generation of classes, by the crosswalk of the census.

    Of a class that was split each part keeps the unit. What the crosswalk leaves open is listed: fill in
    the column decision (one or several classes, keep 保留 or close 移除), and name the file with --decisions.

    Example: wanmi plan migrate --to 2026 -o plan-classes.xlsx
    """
    from census.migration import find_standard
    from gis.database import open_database
    from pipelines.responsibility.migrating import (
        as_document,
        carry_out,
        read_live_plan,
        read_plan_decisions,
        work_out,
        write_plan_list,
    )

    _check_endings({output: ".xlsx"})
    workspace = workspace_of(ctx)
    to_ref = find_standard(to)
    from_ref = workspace.profile.city.standard if from_ is None else find_standard(from_)
    decided = (
        None
        if decisions is None
        else read_plan_decisions(decisions, from_ref=from_ref, to_ref=to_ref)
    )
    database = open_database(workspace)
    plan = read_live_plan(database)
    migration = work_out(
        plan, to_ref=to_ref, from_ref=from_ref, profile=workspace.profile, decisions=decided
    )
    if output is not None:
        write_plan_list(migration, output)
    result = None
    if apply_:
        result = carry_out(database, migration, plan=plan, as_of=_day(as_of, ctx), actor=actor())
    document = as_document(migration, result)
    emit(document, as_json=as_json, human=lambda: _show_migration(document, is_applied=apply_))


def _show_migration(document: dict[str, Any], *, is_applied: bool) -> None:
    for row in document["classes"]:
        becomes = " ".join(row["becomes"]) or "; ".join(row["candidates"]) or "-"
        name = f"{row['class_code']} {row['class_name']}".strip()
        typer.echo(
            f"{row['kind']:10}{row['rows']:>6,} {row['fate']:10}{name}  {row['relation']}: {becomes}"
        )
    for en, zh in zip(document["warnings"], document["warnings_zh"], strict=True):
        typer.echo(f"warning: {en} {zh}", err=True)
    typer.echo(
        f"To {document['to']}: {document['moved']:,} rows of the plan move, {document['kept']:,} are kept, "
        f"{document['closed']:,} end, {document['undecided']:,} wait for a decision; "
        f"{document['rows_after']:,} rows after it."
    )
    if document["build_id"] is not None:
        number = document["build_id"]
        typer.echo(f"Build {number} is live. Undo it with: wanmi rollback {number}")
        typer.echo("Compile the snapshot anew with: wanmi snapshot")
    elif is_applied:
        typer.echo("Nothing was left to move: nothing was changed.")
