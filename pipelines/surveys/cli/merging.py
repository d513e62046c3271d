"""``wanmi census merge, conflicts, decide, history``: two teams at once, and who changed what."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import actor, emit, progress, workspace_of

if TYPE_CHECKING:
    from census.conflicts import Decision
    from census.lineage import Version
    from pipelines.surveys.merge import MergeReport


class Side(StrEnum):
    """What may be taken."""

    live = "live"
    delivered = "delivered"
    base = "base"
    both = "both"


class Status(StrEnum):
    """Which conflicts are listed."""

    open = "open"
    decided = "decided"
    settled = "settled"
    all = "all"


_JSON = typer.Option("--json", help="Print the result as JSON.")


def add(census: typer.Typer) -> None:
    """Mount the commands."""
    census.command(name="merge")(merge_command)
    census.command(name="conflicts")(conflicts_command)
    census.command(name="decide")(decide_command)
    census.command(name="history")(history_command)


def merge_command(
    ctx: typer.Context,
    delivery: Annotated[Path, typer.Argument(help="Folder or zip archive with delivery.toml.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge and merge, write nothing.")
    ] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Merge a delivery into what is live, field by field; what contradicts waits for a decision.

    The base is the export that the survey began from, or `base` under [delivery] of the manifest.

    Example: wanmi census merge team-a
    """
    from pipelines.build import BuildOptions
    from pipelines.surveys.merge import merge_delivery

    report = merge_delivery(
        delivery,
        workspace=workspace_of(ctx),
        options=BuildOptions(dry_run=dry_run, actor=actor()),
        progress=progress,
    )
    emit(asdict(report), as_json=as_json, human=lambda: _print_merge(report))


def _print_merge(report: "MergeReport") -> None:
    build = f"build {report.build_id}" if report.build_id else "nothing written"
    typer.echo(f"{report.delivery}: {report.status} ({build}), {report.rows_read:,} rows")
    if report.status == "unchanged":
        typer.echo("  merged before: nothing was changed")
        return
    if report.base_build_id is None:
        typer.echo(
            "  no base known: compared two ways; nothing ends, and two values that differ contradict"
        )
    else:
        typer.echo(f"  base: build {report.base_build_id}, by {report.base_evidence}")
    for count, text in (
        (report.new, "new"),
        (report.changed, "changed"),
        (report.unchanged, "unchanged"),
        (report.recoded, "of them with another code"),
        (report.ended, "ended"),
        (report.refused, "refused by the rules: see `wanmi rejects`"),
        (report.held, "held back: they contradict what others did since the base"),
        (report.left, "live and not to be expected here"),
    ):
        if count:
            typer.echo(f"  {count:>9,} {text}")
    if report.conflicts:
        new = "" if report.new_conflicts is None else f", {report.new_conflicts:,} new"
        typer.echo(f"  {report.conflicts:>9,} conflicts{new}: see `wanmi census conflicts`")
    for fault in report.faults:
        typer.echo(
            f"    {fault['severity']:8}{fault['rule']:6}{fault['rows']:>6,}  {fault['example']}"
        )
    if report.repeated:
        rules = ", ".join(f"{fault['rule']} {fault['rows']:,}" for fault in report.repeated)
        typer.echo(f"  not told again, of rows that nobody edited: {rules}")
    for warning in report.warnings:
        typer.echo(f"  ! {warning}")


def conflicts_command(
    ctx: typer.Context,
    status: Annotated[Status, typer.Option(help="Which to list.")] = Status.open,
    code: Annotated[
        str | None, typer.Option("--code", help="Only those about this component.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write them as points and lines: .gpkg.")
    ] = None,
    renew: Annotated[
        bool, typer.Option("--renew", help="First bring their live side up to date.")
    ] = False,
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """List conflicts with the values of base, live and delivery, and what waits for a decision.

    Example: wanmi census conflicts
    """
    from census.conflicts import STATUSES, find_stale, read_conflicts, renew_conflicts
    from gis.database import open_database
    from gis.outputs import check_output
    from pipelines.surveys.listing import conflict_documents, write_conflict_layer

    if output is not None:
        check_output(output)
    database = open_database(workspace_of(ctx))
    renewed = renew_conflicts(database, actor=actor()) if renew else None
    with database.connect(read_only=True) as connection:
        frame = read_conflicts(
            connection,
            crs=database.crs,
            statuses=STATUSES if status is Status.all else (status.value,),
            codes=None if code is None else (code,),
        )
        frame["is_stale"] = find_stale(connection, frame)
    if output is not None:
        write_conflict_layer(frame, output)
    documents = conflict_documents(frame)
    result: Any = {"conflicts": documents} | ({"renewal": renewed} if renewed else {})
    emit(result, as_json=as_json, human=lambda: _print_conflicts(documents, renewed))


def _print_conflicts(documents: list[dict[str, Any]], renewed: dict[str, int] | None) -> None:
    if renewed:
        typer.echo(f"{renewed['renewed']} renewed, {renewed['settled']} settled by now.")
    if not documents:
        typer.echo("No conflicts.")
        return
    for entry in documents:
        field = f" {entry['field']}" if entry["field"] else ""
        typer.echo(
            f"{entry['conflict_id']:>5} {entry['kind']}{field} {entry['code']}"
            f" ({entry['delivery']}, {entry['status']})"
        )
        for side in ("base", "live", "delivered"):
            typer.echo(f"        {side:<9} {entry[f'{side}_text']}")
        if entry["is_stale"]:
            typer.echo("        ! live has changed since: run with --renew before deciding")
        if entry["decision"]:
            typer.echo(
                f"        {entry['decision']} taken by {entry['decided_by']}: {entry['because']}"
                f" (build {entry['applied_build_id']})"
            )


def decide_command(
    ctx: typer.Context,
    conflict: Annotated[list[int], typer.Argument(help="Numbers of conflicts.")],
    take: Annotated[
        Side,
        typer.Option(
            help="Whose value holds; both: two components, the delivered one under a free code."
        ),
    ],
    because: Annotated[str, typer.Option(help="Reason, kept with the conflict.")],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """Decide conflicts: one new build, which can be rolled back as any other.

    Example: wanmi census decide 12 13 --take delivered --because "seen in the field"
    """
    from census.conflicts import decide
    from gis.database import open_database

    decision = decide(
        open_database(workspace_of(ctx)),
        conflict,
        take=take.value,
        because=because,
        actor=actor(),
    )
    emit(asdict(decision), as_json=as_json, human=lambda: _print_decision(decision))


def _print_decision(decision: "Decision") -> None:
    typer.echo(
        f"{len(decision.conflicts)} decided, {decision.take} taken (build {decision.build_id}):"
        f" {len(decision.changed)} components changed, {len(decision.ended)} ended"
    )


def history_command(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Component code 部件标识码.")],
    as_json: Annotated[bool, _JSON] = False,
) -> None:
    """List all versions of a component: when, by which delivery and row, by whom, what changed.

    Example: wanmi census history 1301020104000123
    """
    from census.conflicts import read_conflicts
    from census.lineage import read_history
    from gis.database import open_database
    from pipelines.surveys.listing import conflict_documents

    database = open_database(workspace_of(ctx))
    versions = read_history(database, code)
    with database.connect(read_only=True) as connection:
        frame = read_conflicts(
            connection,
            crs=database.crs,
            statuses=None,
            codes=sorted({version.code for version in versions}),
        )
    conflicts = conflict_documents(frame.assign(is_stale=False))
    result = {"versions": [asdict(version) for version in versions], "conflicts": conflicts}
    emit(result, as_json=as_json, human=lambda: _print_history(versions, conflicts))


def _print_history(versions: "list[Version]", conflicts: list[dict[str, Any]]) -> None:
    for version in versions:
        until = version.valid_to or "live"
        source = "" if version.source_file is None else f", {version.source_file}"
        row = "" if version.source_row is None else f" row {version.source_row}"
        typer.echo(
            f"{version.code} {version.valid_from} – {until}  build {version.build_id}"
            f" ({version.delivery}{source}{row}) by {version.by or 'unknown'} at {version.at}"
        )
        for name, (before, after) in version.changes.items():
            typer.echo(f"    {name}: {before or '–'} → {after or '–'}")
        if version.closed_build_id is not None:
            typer.echo(f"    closed by build {version.closed_build_id} ({version.closed_by})")
    for entry in conflicts:
        decision = entry["decision"] or entry["status"]
        typer.echo(
            f"conflict {entry['conflict_id']} {entry['kind']} {entry['field'] or ''}:"
            f" live {entry['live_text']}, delivered {entry['delivered_text']} ({decision})"
        )
