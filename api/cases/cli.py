"""``wanmi cases``: list, duplicates, redecide; ``wanmi plan advise``: what returns teach."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from census.plan.prospects import CaseChanges, Prospect, offer
from gis.command import emit, progress, workspace_of
from gis.errors import RequestError

if TYPE_CHECKING:
    from gis.database import Database
    from gis.workspace import Workspace

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Since = Annotated[
    datetime | None,
    typer.Option("--since", formats=["%Y-%m-%d"], help="Only cases reported that day or later."),
]
_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Mount ``wanmi cases``, and ``advise`` in ``wanmi plan``."""
    cases = typer.Typer(
        no_args_is_help=True, help="Recorded cases 案件: list, duplicates, decide again."
    )
    cases.command("list")(listed)
    cases.command("duplicates")(duplicates)
    cases.command("redecide")(redecide)
    app.add_typer(cases, name="cases")
    group = next((g.typer_instance for g in app.registered_groups if g.name == "plan"), None)
    if group is None:
        group = typer.Typer(no_args_is_help=True, help="Responsibility plan 职责分解方案.")
        app.add_typer(group, name="plan")
    group.command("advise")(advise)
    offer(_open_cases)


def _open_cases(workspace: "Workspace", before: Prospect, after: Prospect) -> CaseChanges:
    """Decide open cases for `wanmi plan diff`."""
    from api.advice.prospects import compare_open_cases

    return compare_open_cases(workspace, before, after)


def listed(
    ctx: typer.Context,
    state: Annotated[
        str | None, typer.Option("--state", help="received, assigned, returned or closed.")
    ] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Code of the owning unit.")] = None,
    class_code: Annotated[str | None, typer.Option("--class", help="Minor class.")] = None,
    due: Annotated[
        str | None, typer.Option("--due", help="in_time, soon or overdue: open cases only.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", help="Cases to show, 1 to 1000.")] = _SHOWN,
    as_json: _Json = False,
) -> None:
    """List recorded cases, the newest report first.

    Example: wanmi cases list --state returned
    """
    from dataclasses import asdict

    from api.cases.listing import CaseFilter, list_cases
    from gis.database import open_database

    if due not in (None, "in_time", "soon", "overdue"):
        msg = f"--due {due} is none of in_time, soon, overdue."
        raise RequestError(msg, zh=f"--due {due} 无效，可用：in_time、soon、overdue。")
    wanted = CaseFilter(state=state, unit_code=unit, class_code=class_code, due=due)  # type: ignore[arg-type]
    page = list_cases(open_database(workspace_of(ctx)), wanted, limit=limit)

    def human() -> None:
        for case in page.cases:
            typer.echo(
                f"{case.case_id:<20} {case.state:<9} {case.class_code:<6} {case.unit_code or '-':<12}"
                f" {case.reported_at:%Y-%m-%d %H:%M} {case.due or '-':<8} returns {case.returns}"
            )
        typer.echo(f"{len(page.cases)} cases{', and more' if page.next else ''}.")

    emit(asdict(page), as_json=as_json, human=human)


def duplicates(
    ctx: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write: .csv or .xlsx.")
    ] = None,
    with_closed: Annotated[
        bool, typer.Option("--closed", help="Closed cases too: those open at the same time.")
    ] = False,
    least: Annotated[
        float, typer.Option("--least", min=0.0, max=1.0, help="Least probability.")
    ] = 0.5,
    is_kept: Annotated[
        bool,
        typer.Option(
            "--learn", help="Keep how often cases are repeated here: hints of new cases go by it."
        ),
    ] = False,
    as_json: _Json = False,
) -> None:
    """List pairs of recorded cases that may be about the same thing 重复案件; nothing is merged.

    Cases of one class, within the errors of their places and the time window of the class. Decide
    imported cases first: `wanmi assign --stored`.

    Example: wanmi cases duplicates --closed --learn -o duplicates.xlsx
    """
    from api.cases.duplicates import read_places, remember_repeats
    from api.cases.pairs import compare

    _check_output(output)
    if is_kept and not with_closed:
        msg = "--learn needs the whole history: write --closed --learn."
        raise RequestError(msg, zh="--learn 需要全部历史案件：请写 --closed --learn。")
    database = _database(ctx)
    with progress("Reading cases") as advance:
        places = read_places(database, with_closed=with_closed, advance=advance)
    compared = compare(places, least=least)
    pairs = compared.pairs
    if is_kept and len(places):
        remember_repeats(database, cases=len(places), factor=compared.factor)
    if output is not None:
        _write(pairs, output, sheet="重复案件")
    result: dict[str, Any] = {
        "cases": len(places),
        "pairs": len(pairs),
        "repeats": round(compared.factor, 4),
        "first": pairs.head(_SHOWN).to_dict("records"),
    }

    def human() -> None:
        for row in result["first"]:
            typer.echo(
                f"{row['probability']:.2f}  {row['case_id']}  {row['duplicate_case_id']}  {row['why']}"
            )
        written = f" Written to {output}." if output else ""
        typer.echo(f"{len(pairs):,} pairs among {len(places):,} cases.{written}")
        if is_kept and len(places):
            typer.echo(
                f"Cases are repeated {compared.factor:.2f} times as often here as assumed: hints go by it."
            )

    emit(result, as_json=as_json, human=human)


def _check_output(path: Path | None) -> None:
    """Refuse a kind of file that is not written, before minutes of work."""
    if path is not None and path.suffix.lower() not in (".csv", ".xlsx"):
        msg = f"{path.name}: write .csv or .xlsx."
        raise RequestError(msg, zh=f"{path.name}：请写成 .csv 或 .xlsx。")


def _write(table: Any, path: Path, *, sheet: str) -> None:
    import pandas as pd

    from census.workbooks import harmless, write_tables
    from gis.outputs import appearing

    if path.suffix.lower() == ".xlsx":
        # A workbook has no time zones: what it shows says its own.
        told = {
            name: table[name].map(lambda at: at.isoformat(), na_action="ignore")
            for name, kind in table.dtypes.items()
            if isinstance(kind, pd.DatetimeTZDtype)
        }
        write_tables(path, {sheet: table.assign(**told)})
        return
    with appearing(path) as partial:
        harmless(table).to_csv(partial, index=False, encoding="utf-8-sig")


def redecide(
    ctx: typer.Context,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Day whose data decide; else the live."),
    ] = None,
    since: _Since = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Every case, to a .csv or .xlsx.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Decide the recorded cases again and count how many go to the unit that handled them.

    Nothing is recorded.

    Example: wanmi cases redecide --as-of 2026-01-01
    """
    from api.advice.evidence import agreement, read_evidence
    from api.advice.trust import evidence_of_trust
    from api.cases.replay import confusion
    from api.snapshot import open_snapshot

    _check_output(output)
    workspace = workspace_of(ctx)
    opened = open_snapshot(workspace.root)
    database = _database(ctx)
    with progress("Deciding") as advance:
        evidence = read_evidence(
            database,
            opened,
            as_of=None if as_of is None else as_of.date(),
            since=_moment(since, ctx),
            advance=advance,
        )
    if output is not None:
        _write(evidence, output, sheet="案件")
    told = agreement(evidence)
    contradicted = evidence_of_trust(opened, evidence)
    result = {
        "data_version": opened.version,
        **told,
        "record_against_plan": contradicted,
        "confusion": confusion(evidence),
    }

    def human() -> None:
        _show_agreement(told)
        if contradicted["cases"]:
            typer.echo(
                f"Record and plan name different units in {contradicted['cases']:,} of them: the record was "
                f"right in {contradicted['record']:,}, the plan in {contradicted['plan']:,}; record_trust in "
                f"wanmi.toml may be {contradicted['record_trust']:.2f} (it is {contradicted['in_use']:.2f})."
            )
        for row in result["confusion"]:
            units = f"{row['decided']}, handled by {row['handled_by']}"
            typer.echo(f"  {row['cases']:>6}  {row['kind']} {row['class_code']}: {units}")

    emit(result, as_json=as_json, human=human)


def advise(
    ctx: typer.Context,
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write: .xlsx, or .gpkg of the stretches; twice for both.",
        ),
    ] = None,
    since: _Since = None,
    as_json: _Json = False,
) -> None:
    """Tell which rows of the plan, records and borders cause returns 退件, and what would help.

    Every recorded case is decided anew; where units sent cases back and others handled them, the
    narrowest change is looked for and tried on all cases. Ranked by the lower bound of the share of
    cases (95 %), so that 1 of 1 does not lead.

    Example: wanmi plan advise -o advice.xlsx -o stretches.gpkg
    """
    from api.advice.advising import advise as work_out
    from api.advice.telling import document, write_advice
    from api.snapshot import open_snapshot

    wrong = [path for path in output or [] if path.suffix.lower() not in (".xlsx", ".gpkg")]
    if wrong:
        msg = f"{wrong[0].name}: write .xlsx or .gpkg."
        raise RequestError(msg, zh=f"{wrong[0].name}：请写成 .xlsx 或 .gpkg。")
    opened = open_snapshot(workspace_of(ctx).root)
    with progress("Deciding") as advance:
        advice = work_out(_database(ctx), opened, since=_moment(since, ctx), advance=advance)
    directory = opened.edition().directory
    for path in output or []:
        write_advice(advice, directory, path, crs=opened.crs)
    told = document(advice, directory)

    def human() -> None:
        _show_agreement(told["agreement"])
        for number, finding in enumerate(told["findings"], start=1):
            typer.echo(f"{number:>3}. {finding['en']}")
        if not told["findings"]:
            typer.echo("No row, record or border stands out.")

    emit(told, as_json=as_json, human=human)


def _show_agreement(told: dict[str, Any]) -> None:
    known, agree = told["known"], told["agree"]
    share = f" ({agree / known:.1%})" if known else ""
    shared = told["shared"]
    between = (
        f" {shared:,} more were handled by the unit of the other area of a boundary road."
        if shared
        else ""
    )
    typer.echo(
        f"{told['cases']:,} cases, of {known:,} the unit that handled them is known: {agree:,}{share} go to it; "
        f"without review {told['agree_without_review']:,} of {told['known_without_review']:,}.{between}"
    )


def _database(ctx: typer.Context) -> "Database":
    from gis.database import open_database

    return open_database(workspace_of(ctx))


def _moment(day: datetime | None, ctx: typer.Context) -> datetime | None:
    from zoneinfo import ZoneInfo

    if day is None:
        return None
    return day.replace(tzinfo=ZoneInfo(workspace_of(ctx).profile.city.timezone))
