"""``wanmi names``: place names 地名 checked, romanised."""

from pathlib import Path
from typing import Annotated

import typer

from gis.command import emit, progress, workspace_of

# What a command works with is imported when it runs: `wanmi --help` must not load geopandas.


def register(app: typer.Typer) -> None:
    """Mount ``wanmi names``."""
    names = typer.Typer(no_args_is_help=True, help="Place names 地名: check, romanise.")
    names.command("check")(check)
    names.command("romanise")(spell)
    app.add_typer(names, name="names")


def check(
    ctx: typer.Context,
    delivery: Annotated[
        Path | None,
        typer.Argument(help="Folder with a delivery.toml, or a .zip; without: what is live."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the report to this .html, read offline."),
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="Write the findings to this .gpkg, styled for QGIS.")
    ] = None,
    xlsx: Annotated[
        Path | None, typer.Option(help="Write the findings to this .xlsx, for the office.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Judge place names, delivered or live: spelling, categories, names alike; exit code 1 if rejected.

    Example: wanmi names check deliveries/2026-place-names -o report.html --xlsx findings.xlsx
    """
    from pipelines.place_names.live import check_live
    from pipelines.surveys.check import check_delivery
    from pipelines.surveys.cli.reporting import Report, deliver

    report = Report(page=output, layer=faults, workbook=xlsx)
    report.check_names()
    workspace = workspace_of(ctx)
    checked = (
        check_live(workspace)
        if delivery is None
        else check_delivery(delivery, workspace=workspace, dataset="place_names", progress=progress)
    )
    deliver(checked, report, as_json=as_json)


def spell(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Standard names.")],
    province: Annotated[
        str, typer.Option(help="First two digits of the area codes, for local readings.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Spell names by the rules for Chinese place names, with their readings tone by tone.

    Example: wanmi names romanise 建设北大街 乐亭县 呼和浩特市
    """
    from gis.names.readings import toned
    from gis.names.romanisation import romanise

    rows = [
        {
            "name": name,
            "pinyin": romanise(name, province=province),
            "reading": " ".join(toned(name, province=province)),
        }
        for name in names
    ]

    def show() -> None:
        for row in rows:
            typer.echo(f"{row['name']}  {row['pinyin']}  ({row['reading']})")

    emit(rows, as_json=as_json, human=show)
