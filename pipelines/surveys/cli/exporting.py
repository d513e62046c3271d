"""``wanmi census export``: components handed to field teams, other systems and spreadsheets."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gis.command import emit, workspace_of

if TYPE_CHECKING:
    from census.exchange.exporting import ExportResult


def add(census: typer.Typer) -> None:
    """Add the command."""
    census.command("export")(export)


def export(
    ctx: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|DIR",
            help="File (.gpkg, .parquet, .csv), or a folder, which also gets a delivery.toml.",
        ),
    ],
    format_: Annotated[
        Literal["gpkg", "shp", "parquet", "csv"] | None,
        typer.Option("--format", help="Of a folder; default: gpkg."),
    ] = None,
    columns: Annotated[
        Literal["platform", "survey", "2026", "zh"] | None,
        typer.Option(
            help="Names of the columns: survey, those of 2007 and 2013; 2026: GB/T 47678.5-2026 "
            "table 2; zh: Chinese. Default: survey for shapefiles, else platform."
        ),
    ] = None,
    class_code: Annotated[
        list[str] | None, typer.Option("--class", help="Only this minor class; may be repeated.")
    ] = None,
    district: Annotated[
        list[str] | None,
        typer.Option(help="Only codes that begin with this district; may be repeated."),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="State of this day; default: what is live."),
    ] = None,
    by_class: Annotated[
        bool, typer.Option("--by-class", help="One layer or shapefile per class.")
    ] = False,
    encoding: Annotated[str, typer.Option(help="Text encoding of shapefiles.")] = "GBK",
    lonlat: Annotated[
        bool, typer.Option("--lonlat", help="Longitude and latitude (CGCS2000) in a .csv.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Write components to a file, or to a folder that `wanmi build` loads again unchanged.

    A GeoPackage has value lists, forms for QGIS and QField, and says which version each row was made
    from, so that edits can be merged.

    Example: wanmi census export field.gpkg --class 0101 --class 0104
    """
    from census.exchange.exporting import ExportRequest, export_components
    from census.exchange.rows import Selection
    from gis.database import open_database

    workspace = workspace_of(ctx)
    request = ExportRequest(
        path=path,
        format=format_,
        names=columns,
        selection=Selection(
            classes=tuple(class_code or ()), districts=tuple(district or ()), as_of=_day(as_of)
        ),
        by_class=by_class,
        encoding=encoding,
        lonlat=lonlat,
        replace=replace,
    )
    result = export_components(open_database(workspace), workspace, request)
    emit(result, as_json=as_json, human=lambda: _show(result))


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _show(result: "ExportResult") -> None:
    for file, layer, rows in result.layers:
        typer.echo(f"{rows:>10,}  {file}{f' {layer}' if layer else ''}")
    for warning in result.warnings:
        typer.echo(f"warning: {warning}", err=True)
    of = "" if result.build_id is None else f", build {result.build_id}"
    typer.echo(
        f"{result.rows:,} components as of {result.as_of}{of} (version {result.data_version}) "
        f"written to {result.path}."
    )
    if result.is_loadable:
        typer.echo(f"Edited or not, load it again with: wanmi build {result.path}")
