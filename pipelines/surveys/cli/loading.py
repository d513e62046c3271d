"""``wanmi census reload``: corrected rows judged and loaded alone."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.command import actor, emit, progress, workspace_of

if TYPE_CHECKING:
    from pipelines.surveys.correction import ReloadReport


def add(census: typer.Typer) -> None:
    """Mount the command."""
    census.command(name="reload")(reload_file)


def reload_file(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="What `wanmi rejects -o` wrote, corrected: .gpkg or .xlsx.")
    ],
    unchanged: Annotated[
        bool,
        typer.Option("--unchanged", help="Judge refused rows that are as they were too."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge, write nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Judge and load corrected rows alone; nothing else changes, and loading twice changes nothing.

    What is still wrong stays in quarantine with its new reasons: export it again.

    Example: wanmi census reload rejects.xlsx
    """
    from pipelines.build import BuildOptions
    from pipelines.surveys.correction import reload_rows

    report = reload_rows(
        file,
        workspace=workspace_of(ctx),
        options=BuildOptions(dry_run=dry_run, actor=actor()),
        judge_unchanged=unchanged,
        progress=progress,
    )
    emit(asdict(report), as_json=as_json, human=lambda: _print(report, dry_run=dry_run))


def _print(report: "ReloadReport", *, dry_run: bool) -> None:
    loaded = "would be loaded" if dry_run else "loaded"
    builds = f" (build {', '.join(map(str, report.builds))})" if report.builds else ""
    typer.echo(f"{report.rows:,} rows in {report.file}:")
    for count, text in (
        (report.loaded, f"{loaded}{builds}"),
        (report.refused, "still wrong, in quarantine with their new reasons"),
        (report.unchanged, "as they were: nothing was corrected"),
        (report.settled, "loaded by an earlier reload"),
        (report.left, "left alone, see below"),
    ):
        if count:
            typer.echo(f"{count:>10,}  {text}")
    if report.absent:
        typer.echo(f"{report.absent:>10,}  refused rows are not in the file and stay in quarantine")
    for fault in report.faults:
        typer.echo(
            f"    {fault['severity']:8}{fault['rule']:6}{fault['rows']:>6,}  {fault['example']}"
        )
    for note in report.notes:
        line = "" if note.line is None else f"line {note.line}: "
        typer.echo(f"    {line}{note.en}")
    if report.loaded and not dry_run:
        typer.echo(
            "Lookups see them after: wanmi snapshot. Places named after components follow at the next "
            "wanmi build of addresses or topography."
        )
