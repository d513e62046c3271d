"""``wanmi topography check``."""

from pathlib import Path
from typing import Annotated

import typer

from gis.command import progress, workspace_of


def add(topography: typer.Typer) -> None:
    """Add the command."""
    topography.command("check")(check)


def check(
    ctx: typer.Context,
    delivery: Annotated[Path, typer.Argument(help="Folder with a delivery.toml, or a .zip.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the report to this .html, read offline."),
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="Write the faults to this .gpkg, styled for QGIS.")
    ] = None,
    xlsx: Annotated[
        Path | None, typer.Option(help="Write the faults to this .xlsx, for the contractor.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Judge a topography delivery without loading it; exit code 1 if it is rejected.

    Example: wanmi topography check deliveries/2026-topography -o report.html --faults faults.gpkg
    """
    from pipelines.surveys.check import check_delivery
    from pipelines.surveys.cli.reporting import Report, deliver

    report = Report(page=output, layer=faults, workbook=xlsx)
    report.check_names()
    checked = check_delivery(
        delivery, workspace=workspace_of(ctx), dataset="topography", progress=progress
    )
    deliver(checked, report, as_json=as_json)
