"""``wanmi grid divide``."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import geopandas as gpd
import typer

from gis.builds import live
from gis.command import emit, progress, workspace_of
from gis.database import open_database
from gis.errors import BuildError
from gis.vector import write_vector
from gridding.cli.layers import AsJson, Output, live_communities
from gridding.division import divide
from gridding.numbering import number, used_codes
from gridding.options import DivisionOptions
from gridding.quality import Quality, measure


def add(grid: typer.Typer) -> None:
    """Add the command."""
    grid.command("divide")(propose)


def propose(
    ctx: typer.Context,
    output: Output,
    community: Annotated[
        list[str] | None, typer.Option("--community", "-c", help="Only this community; repeatable.")
    ] = None,
    target_m2: Annotated[
        float | None, typer.Option(help="Target area of a grid, m²; default: the city profile's.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Divide communities anew by the live topography and write the proposal to a file.

    The database is not touched. Codes continue after the largest number ever used.

    Example: wanmi grid divide -o proposal.gpkg -c 130102001001
    """
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    chosen = _chosen(live_communities(database), community or [])
    target = target_m2 or workspace.profile.thresholds.grid_target_m2
    options = DivisionOptions(target_m2=target)
    features = live(database, "topography")
    with progress("dividing communities", total=len(chosen)) as advance:
        grids = divide(chosen, features=features, options=options, progress=advance)
    codes = number(
        grids,
        code_length=workspace.profile.grid_code_length,
        used=used_codes(database),
        target_m2=target,
    )
    grids = grids.assign(code=codes, area_m2=grids.geometry.area).sort_values("code")
    write_vector(grids[["code", "community_code", "area_m2", "geometry"]], output)
    quality = measure(grids, features=features, options=options)
    emit(
        {"file": str(output), **asdict(quality)},
        as_json=as_json,
        human=lambda: _show(output, quality),
    )


def _show(output: Path, quality: Quality) -> None:
    typer.echo(
        f"{quality.grids} grids over {quality.area_km2:.2f} km² written to {output}: median "
        f"{quality.median_m2:.0f} m², {quality.share_within:.1%} within 0.5-1.5 of the target, "
        f"{quality.buildings_cut} of {quality.buildings} buildings cut."
    )


def _chosen(communities: gpd.GeoDataFrame, codes: list[str]) -> gpd.GeoDataFrame:
    unknown = sorted(set(codes) - set(communities["code"]))
    if unknown:
        msg = f"Community {unknown[0]} is not loaded; see `wanmi status` for what is."
        raise BuildError(msg, zh=f"社区 {unknown[0]} 尚未入库。")
    return communities[communities["code"].isin(codes)] if codes else communities
