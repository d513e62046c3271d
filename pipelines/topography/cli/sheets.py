"""``wanmi topography sheets``: the sheets that are live."""

from pathlib import Path
from typing import Annotated

import typer

from gis.command import emit, workspace_of


def add(topography: typer.Typer) -> None:
    """Add the command."""
    topography.command("sheets")(sheets)


def sheets(
    ctx: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write the sheet index 接图表 to this .gpkg."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the sheets 图幅 with their day, what is on them, and the faults at their edges.

    Example: wanmi topography sheets -o sheets.gpkg
    """
    from gis.database import open_database
    from gis.errors import RequestError
    from gis.outputs import check_output
    from pipelines.topography.sheetlist import (
        as_document,
        read_edge_faults,
        read_sheets,
        write_index,
    )

    if output is not None:
        if output.suffix.lower() != ".gpkg":
            msg = f"{output.name}: name the sheet index {output.stem}.gpkg."
            raise RequestError(msg, zh=f"{output.name}：请把接图表命名为 {output.stem}.gpkg。")
        check_output(output)
    database = open_database(workspace_of(ctx))
    found = read_sheets(database)
    if output is not None:
        write_index(found, read_edge_faults(database), output)
    documents = as_document(found)

    def show() -> None:
        typer.echo("number             scale  surveyed    live since  features  edge faults")
        for row in documents:
            typer.echo(
                f"{row['number']!s:<17} {row['scale'] or '-'!s:>6}  {row['surveyed_on'] or '-'!s:<10}  "
                f"{row['as_of']!s:<10}  {row['features']:>8,}  {row['edge_errors']} + {row['edge_warnings']}"
            )
        typer.echo(f"{len(documents)} sheets" + (f", written to {output}" if output else ""))

    emit(documents, as_json=as_json, human=show)
