"""``wanmi census diff``: what a delivery would change, before anything is written."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.command import emit, progress, workspace_of

if TYPE_CHECKING:
    from pipelines.surveys.diff import Difference

_WORDS = {
    "added": "added",
    "removed": "removed: live, in the delivery's reach, and not delivered",
    "recoded": "with another code at the same place",
    "moved": "moved",
    "changed": "with changed fields",
    "unchanged": "unchanged",
}


def add(census: typer.Typer) -> None:
    """Mount the command."""
    census.command(name="diff")(diff_command)


def diff_command(
    ctx: typer.Context,
    delivery: Annotated[Path, typer.Argument(help="Folder or zip archive with delivery.toml.")],
    output: Annotated[
        list[Path] | None,
        typer.Option("-o", "--output", help="Map and table as .html, or all as .gpkg; may repeat."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print counts and changes as JSON.")
    ] = False,
) -> None:
    """Compare a delivery with what is live: added, removed, moved, recoded, changed. Nothing is written.

    Example: wanmi census diff team-a -o diff.html -o diff.gpkg
    """
    from gis.errors import RequestError
    from gis.outputs import check_output
    from pipelines.surveys.diff import as_document, diff_delivery, write_difference
    from pipelines.surveys.differencepage import write_page

    for path in output or ():
        if path.suffix.lower() not in (".html", ".gpkg"):
            msg = f"{path.name} is of no kind that is written: name it .html (map and table) or .gpkg."
            raise RequestError(msg, zh=f"不支持输出 {path.name}：请使用 .html 或 .gpkg。")
        check_output(path.with_suffix(".gpkg"))
    difference = diff_delivery(delivery, workspace=workspace_of(ctx), progress=progress)
    for path in output or ():
        write = write_page if path.suffix.lower() == ".html" else write_difference
        write(difference, path)
    document = as_document(difference, changes=None if as_json else [])
    emit(document, as_json=as_json, human=lambda: _print(difference, output or []))


def _print(difference: "Difference", written: list[Path]) -> None:
    base = (
        "no base known, compared two ways"
        if difference.base_build_id is None
        else f"base build {difference.base_build_id}, by {difference.base_evidence}"
    )
    typer.echo(f"{difference.delivery} ({difference.as_of}): {difference.rows_read:,} rows; {base}")
    for name, count in difference.comparison.counts.items():
        typer.echo(f"  {count:>9,} {_WORDS[name]}")
    if difference.refused:
        typer.echo(f"  {difference.refused:>9,} refused by the rules, not compared")
    if difference.comparison.fields:
        counts = ", ".join(
            f"{name} {count:,}" for name, count in difference.comparison.fields.items()
        )
        typer.echo(f"  fields: {counts}")
    typer.echo(f"  a merge would find {difference.conflicts:,} conflicts")
    for warning in difference.warnings:
        typer.echo(f"  ! {warning}")
    for path in written:
        typer.echo(f"  written: {path}")
