"""``wanmi topography diff``: what a build changed, or what a delivery would change."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.command import emit, progress, workspace_of

if TYPE_CHECKING:
    from pipelines.topography.changes import Changes

_SHOWN = 15


def add(topography: typer.Typer) -> None:
    """Add the command."""
    topography.command("diff")(diff)


def diff(
    ctx: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            metavar="[BUILD|DELIVERY]",
            help="Number of a build, or a delivery that is not built yet; default: the newest build.",
        ),
    ] = "",
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", help="Map and table as .html, or all as .gpkg; may repeat."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print counts and changes as JSON.")
    ] = False,
) -> None:
    """List what changed on the map 变化清单: added, removed, moved, reshaped, changed attributes.

    Example: wanmi topography diff 12 -o changes.html -o changes.gpkg
    """
    from gis.errors import RequestError
    from gis.outputs import check_output
    from pipelines.topography.changepage import write_page
    from pipelines.topography.changes import (
        as_document,
        changes_of_build,
        changes_of_delivery,
        write_changes,
    )

    for path in output or ():
        if path.suffix.lower() not in (".html", ".gpkg"):
            msg = f"{path.name} is of no kind that is written: name it .html (map and table) or .gpkg."
            raise RequestError(msg, zh=f"不支持输出 {path.name}：请使用 .html 或 .gpkg。")
        check_output(path.with_suffix(".gpkg"))
    workspace = workspace_of(ctx)
    if what and not what.isdecimal():
        changes = changes_of_delivery(Path(what), workspace=workspace, progress=progress)
    else:
        changes = changes_of_build(workspace, int(what) if what else None)
    for path in output or ():
        write = write_page if path.suffix.lower() == ".html" else write_changes
        write(changes, path)
    emit(
        as_document(changes, with_rows=as_json),
        as_json=as_json,
        human=lambda: _print(changes, output or []),
    )


def _print(changes: "Changes", written: list[Path]) -> None:
    state = "" if changes.is_built else ", not built yet"
    typer.echo(f"{changes.title} ({changes.as_of}{state})")
    for kind, count in changes.counts.items():
        typer.echo(f"  {count:>9,} {kind}")
    if changes.fields:
        counts = ", ".join(f"{name} {count:,}" for name, count in changes.fields.items())
        typer.echo(f"  attributes: {counts}")
    for code, kinds in list(changes.counts_by("feature_class").items())[:_SHOWN]:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in kinds.items())
        typer.echo(f"  {code}: {counts}")
    for path in written:
        typer.echo(f"  written: {path}")
