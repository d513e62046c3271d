"""``wanmi census migrate``: component codes moved to a later generation of the standard."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import actor, emit, workspace_of

if TYPE_CHECKING:
    from census.migration import Migration
    from gis.builds import BuildResult


def add(census: typer.Typer) -> None:
    """Add the command."""
    census.command("migrate")(migrate)


def migrate(
    ctx: typer.Context,
    to: Annotated[str, typer.Option("--to", help="Standard, or its year: 2013, 2026.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the plan: .xlsx, .html or .gpkg."),
    ] = None,
    decisions: Annotated[
        Path | None,
        typer.Option(help="List with its column decision filled in: .xlsx, .gpkg or .csv."),
    ] = None,
    apply_: Annotated[
        bool, typer.Option("--apply", help="Carry the plan out; without: only tell.")
    ] = False,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day the new codes hold from; default: today."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Move the census to a later generation of codes: tell first, carry out with --apply.

    What the crosswalk can not decide is listed with its candidates; fill in the column decision (a class,
    keep 保留 or close 移除) and name the file with --decisions. Old codes go on answering.

    Example: wanmi census migrate --to 2026 -o undecided.xlsx
    """
    from census.exchange.exporting import today
    from census.migration import Decisions, find_standard, plan_migration
    from census.recoding import carry_out, default_day, read_census
    from census.undecided import check_list, read_decisions, write_lists
    from gis.database import open_database

    workspace = workspace_of(ctx)
    to_ref = find_standard(to)
    if output is not None:
        check_list(output)
    decided = Decisions() if decisions is None else read_decisions(decisions, to_ref=to_ref)
    database = open_database(workspace)
    census = read_census(database)
    plan = plan_migration(
        census.rows,
        to_ref=to_ref,
        used=census.used,
        decisions=decided,
        extensions=workspace.profile.extension_class,
    )
    if output is not None:
        write_lists(plan, output, shapes=census.rows.geometry, decisions=decided)
    result = None
    if apply_:
        day = default_day(census, today=today(workspace)) if as_of is None else as_of.date()
        result = carry_out(database, plan, census=census, as_of=day, actor=actor())
    emit(
        _plain(plan, result, is_applied=apply_),
        as_json=as_json,
        human=lambda: _show(plan, result, is_applied=apply_, city=workspace.profile.city.standard),
    )


def _plain(plan: "Migration", result: "BuildResult | None", *, is_applied: bool) -> dict[str, Any]:
    rows = plan.rows
    return {
        "to": plan.to_ref,
        "rows": len(rows),
        **{fate: plan.count(fate) for fate in ("moved", "kept", "closed", "undecided")},
        "already_there": plan.beyond,
        "classes": plan.classes.to_dict("records"),
        "warnings": [remark.en for remark in plan.warnings],
        "warnings_zh": [remark.zh for remark in plan.warnings],
        "is_applied": is_applied,
        "build_id": None if result is None else result.build_id,
    }


def _show(plan: "Migration", result: "BuildResult | None", *, is_applied: bool, city: str) -> None:
    if len(plan.classes):
        typer.echo(
            f"{'class':8}{'components':>11}{'moved':>9}{'kept':>8}{'closed':>8}{'open':>8}  becomes"
        )
    for row in plan.classes.to_dict("records"):
        names = zip(row["candidates"], row["candidate_names"], strict=True)
        becomes = " | ".join(f"{code} {name}" for code, name in names) or "-"
        typer.echo(
            f"{row['class_code']:8}{row['rows']:>11,}{row['moved']:>9,}{row['kept']:>8,}"
            f"{row['closed']:>8,}{row['undecided']:>8,}  {row['relation']}: {becomes}"
        )
    for remark in plan.warnings:
        typer.echo(f"warning: {remark.en} {remark.zh}", err=True)
    typer.echo(
        f"To {plan.to_ref}: {plan.count('moved'):,} components move, {plan.count('kept'):,} are kept, "
        f"{plan.count('closed'):,} end, {plan.count('undecided'):,} wait for a decision; "
        f"{plan.beyond:,} have such codes already."
    )
    if result is not None:
        typer.echo(
            f"Build {result.build_id} is live. Undo it with: wanmi rollback {result.build_id}"
        )
        if city != plan.to_ref:
            typer.echo(
                f"Now move the plan of duties with: wanmi plan migrate --to {plan.to_ref[-4:]}; then set "
                f'standard = "{plan.to_ref}" in wanmi.toml, and run: wanmi snapshot'
            )
    elif is_applied:
        typer.echo("Nothing was left to move: nothing was changed.")
