"""``wanmi grid atlas``."""

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gis.command import emit, progress, workspace_of
from gridding.cli.layers import AsJson

if TYPE_CHECKING:
    from gridding.atlas.writing import AtlasResult


def add(grid: typer.Typer) -> None:
    """Add the command."""
    grid.command("atlas")(atlas)


def atlas(
    ctx: typer.Context,
    output: Annotated[Path, typer.Option("--output", "-o", help="PDF to write.")],
    community: Annotated[
        list[str] | None,
        typer.Option("--community", "-c", help="Sheets of this community alone; may be repeated."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Hatch the grids that changed after this day."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="State of this day; default: what is live."),
    ] = None,
    paper: Annotated[
        Literal["A3", "A4"] | None,
        typer.Option(help="One paper for all; default: A3, and A4 for small communities."),
    ] = None,
    title: Annotated[str, typer.Option(help="Title on the cover.")] = "",
    approval: Annotated[str, typer.Option(help="Map approval number 审图号.")] = "",
    font: Annotated[
        Path | None, typer.Option(help="TrueType font with Chinese characters, .ttf or .ttc.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the unit grids as an atlas 图集: cover, index, a sheet per community, lists of codes.

    Example: wanmi grid atlas -o atlas.pdf --since 2026-01-01
    """
    from gis.database import open_database
    from gridding.atlas.book import AtlasRequest, plan_atlas
    from gridding.atlas.writing import write_atlas

    workspace = workspace_of(ctx)
    database = open_database(workspace)
    request = AtlasRequest(
        communities=tuple(community or ()),
        since=_day(since),
        as_of=_day(as_of),
        paper=paper,
        title=title,
        approval=approval,
        city_name=workspace.profile.city.name,
        font=font,
    )
    with database.connect(read_only=True) as connection:
        book = plan_atlas(connection, database, request)
        with progress("drawing the atlas", total=len(book.entries)) as advance:
            result = write_atlas(book, output, progress=advance)
    emit(asdict(result), as_json=as_json, human=lambda: _show(result))


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _show(result: "AtlasResult") -> None:
    changed = f", {result.changed} changed and {result.retired} retired" if result.changed else ""
    typer.echo(
        f"{result.pages} pages with {result.sheets} sheets of {result.communities} communities and "
        f"{result.grids} grids{changed} written to {result.file} ({result.bytes / 1e6:.1f} MB)."
    )
