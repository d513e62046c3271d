"""``wanmi grid check``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import emit, workspace_of
from gis.errors import DeliveryError
from gridding.cli.layers import AsJson, read_grids

if TYPE_CHECKING:
    from gis.database import Database
    from gis.workspace import Workspace
    from gridding.checks import Review, Surroundings

_SHOWN = 20


def add(grid: typer.Typer) -> None:
    """Add the command."""
    grid.command("check")(check)


def check(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Layer of unit grids to check.")] = None,
    is_live: Annotated[
        bool, typer.Option("--live", help="Check the grids in the database.")
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the faults to this .gpkg.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write a report to this .html, to read without network.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a layer of unit grids, ours or a contractor's; exit code 1 if any fault is an error.

    Gaps, overlaps, slivers, parts, rings, borders across communities, buildings cut, components on
    borders, codes, sizes, loads and vertices are held against the live communities, topography and
    components.

    Example: wanmi grid check 单元网格.shp -o faults.gpkg --report report.html
    """
    from gis.builds import live
    from gis.database import open_database
    from gridding.checks import CheckOptions, check_layer
    from gridding.faultlayer import write_faults
    from gridding.report import write_report

    if (file is None) != is_live:
        msg = "Name one layer to check: a file, or --live for the grids in the database."
        raise DeliveryError(
            msg, zh="请指定要检查的图层：一个文件，或用 --live 检查库中的单元网格。"
        )
    _check_names(output, report)
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    grids = live(database, "unit_grids") if file is None else read_grids(file, workspace)
    if grids.empty:
        msg = "There are no grids to check: name another file, or build a delivery first."
        raise DeliveryError(msg, zh="没有可检查的单元网格：请指定其他文件，或先构建交付。")
    thresholds = workspace.profile.thresholds
    options = CheckOptions(
        code_length=workspace.profile.grid_code_length, target_m2=thresholds.grid_target_m2
    )
    review = check_layer(grids, around=_surroundings(database), options=options)
    if output is not None:
        write_faults(review, output)
    if report is not None:
        write_report(review, report, title=_title(file, workspace))
    emit(_result(review, output, report), as_json=as_json, human=lambda: _show(review))
    if review.count("error"):
        raise typer.Exit(1)


def _check_names(output: Path | None, report: Path | None) -> None:
    """Refuse names of other formats before the work, not after it."""
    for path, suffix in ((output, ".gpkg"), (report, ".html")):
        if path is not None and path.suffix.lower() != suffix:
            msg = f"{path.name} can not be written: give it the suffix {suffix}."
            raise DeliveryError(msg, zh=f"无法写入 {path.name}：请使用后缀 {suffix}。")


def _title(file: Path | None, workspace: "Workspace") -> str:
    name = file.name if file is not None else "live"
    return f"{workspace.profile.city.name} {name}".strip()


def _surroundings(database: "Database") -> "Surroundings":
    import geopandas as gpd

    from gis.builds import live
    from gridding.checks import Surroundings
    from gridding.numbering import retired_codes

    areas = live(database, "areas")
    communities = gpd.GeoDataFrame(areas[areas["level"] == "community"])
    features = live(database, "topography")
    components = live(database, "components")
    return Surroundings(
        communities=None if communities.empty else communities,
        features=None if features.empty else gpd.GeoDataFrame(features),
        components=None if components.empty else gpd.GeoDataFrame(components),
        retired=retired_codes(database),
    )


def _result(review: "Review", output: Path | None, report: Path | None) -> dict[str, Any]:
    from gridding.inspection.findings import SEVERITIES

    rows = review.faults.drop(columns="geometry").to_dict("records")
    return {
        "verdict": review.verdict,
        "grids": review.figures.grids,
        **{f"{severity}s": review.count(severity) for severity in SEVERITIES},
        "rules": review.faults["rule"].value_counts().sort_index().to_dict(),
        "figures": asdict(review.figures),
        "output": output and str(output),
        "report": report and str(report),
        "faults": rows,
    }


def _show(review: "Review") -> None:
    for row in review.faults.head(_SHOWN).itertuples():
        typer.echo(f"{row.severity:8}{row.rule}  {row.reason_en}")
    if len(review.faults) > _SHOWN:
        typer.echo(f"… and {len(review.faults) - _SHOWN} more; --report and --json list all.")
    figures = review.figures
    within = (
        "all on water or open land"
        if figures.share_within is None
        else f"{figures.share_within:.1%} within the window of area"
    )
    typer.echo(
        f"{figures.grids} grids: {review.count('error')} errors, {review.count('warning')} warnings, "
        f"{review.count('note')} notes; median {figures.median_m2:.0f} m², {within}."
    )
