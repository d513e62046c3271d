"""``wanmi grid divide``."""

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.command import emit, progress, workspace_of
from gis.errors import BuildError, SettingsError
from gridding.cli.layers import AsJson, Output, live_communities

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from gis.database import Database
    from gis.workspace import Workspace
    from gridding.division import Locks
    from gridding.options import DivisionOptions
    from gridding.quality import Quality

_COLUMNS = ["code", "community_code", "area_m2", "patrol_order", "geometry"]
_SHORT = {
    "code": "DYWGBSM",
    "community_code": "SZSQDM",
    "area_m2": "MJ",
    "patrol_order": "XCSX",
}
"""Names of GB/T 47678.5 for shapefiles, whose names are short; the standard has none for the last."""
_MEMO = "division"
"""Folder of the workspace that keeps what a stopped division had done."""


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
    workers: Annotated[
        int | None, typer.Option(help="Processes; default: one for each core.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Divide communities anew by the live topography and write the proposal to a file.

    The database is not touched. Borders and grids that an editor locked stay. A grid that comes out as
    one that is live keeps its code; other codes continue after the largest number ever used. A .gpkg
    also gets the layers ``exceptions`` (grids that are not as they should be, each with reason and
    suggestion) and ``fixes`` (gaps and overlaps of communities that were closed). A run that was
    stopped goes on where it was.

    Example: wanmi grid divide -o proposal.gpkg -c 130102001001
    """
    import numpy as np

    from gis.builds import live
    from gis.database import open_database
    from gis.outputs import check_output
    from gridding.cleaning import clean_communities
    from gridding.division import Run, check_unit, divide
    from gridding.exceptions import list_exceptions
    from gridding.options import options_of
    from gridding.quality import measure
    from gridding.scene import read_scene

    check_output(output)
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    if workers is not None and workers < 1:
        msg = f"{workers} processes can not divide anything: give 1 or more."
        raise SettingsError(msg, zh=f"进程数 {workers} 无效，请给出 1 或更大的数。")
    chosen = _chosen(live_communities(database), community or [])
    options = options_of(workspace.profile, target_m2=target_m2)
    features, components = live(database, "topography"), live(database, "components")
    check_unit(chosen, features)
    chosen, fixes = clean_communities(chosen)
    locks = _locks(database)
    memo = workspace.root / _MEMO
    with progress("dividing communities", total=len(chosen)) as advance:
        grids = divide(
            chosen,
            features=features,
            components=components,
            options=options,
            locks=locks,
            run=Run(workers=workers or os.cpu_count() or 1, memo=memo, progress=advance),
        )
    grids = _numbered(grids, workspace, database, options)
    scene = read_scene(features, components=components, options=options)
    exceptions = list_exceptions(
        grids,
        communities=chosen,
        scene=scene,
        options=options,
        locked=np.concatenate([locks.borders.geometry.to_numpy(), locks.grids.geometry.to_numpy()]),
    )
    _write(output, grids, exceptions, fixes)
    shutil.rmtree(memo, ignore_errors=True)
    quality = measure(
        grids, features=features, components=components, communities=chosen, options=options
    )
    kinds = exceptions["kind"].value_counts().sort_index().to_dict() if len(exceptions) else {}
    result = {"file": str(output), **asdict(quality), "exceptions": kinds, "fixes": len(fixes)}
    emit(result, as_json=as_json, human=lambda: _show(output, quality, exceptions, fixes))


def _locks(database: "Database") -> "Locks":
    from gridding.division import Locks
    from gridding.locks import locked

    borders, grids = locked(database)
    return Locks(borders=borders, grids=grids)


def _numbered(
    grids: "gpd.GeoDataFrame",
    workspace: "Workspace",
    database: "Database",
    options: "DivisionOptions",
) -> "gpd.GeoDataFrame":
    import geopandas as gpd

    from gis.builds import live
    from gridding.lineage import give_codes, overlaps, succession
    from gridding.numbering import retired_codes, used_codes
    from gridding.patrol import patrol_order

    length = workspace.profile.grid_code_length
    old = live(database, "unit_grids", columns=["code", "geometry"])
    stays = old["code"].str.len().eq(length) & ~old["code"].isin(retired_codes(database))
    old = gpd.GeoDataFrame(old[stays].reset_index(drop=True))
    pairs = overlaps(old.geometry.to_numpy(), grids.geometry.to_numpy())
    codes = give_codes(
        old,
        grids,
        succeeded=succession(pairs, counts=(len(old), len(grids))),
        used=used_codes(database),
        code_length=length,
        target_m2=options.target_m2,
    )
    coded = grids.assign(
        code=codes,
        area_m2=grids.geometry.area,
        patrol_order=patrol_order(grids, target_m2=options.target_m2),
    )
    return gpd.GeoDataFrame(coded.sort_values("code")[_COLUMNS].reset_index(drop=True))


def _write(
    output: Path,
    grids: "gpd.GeoDataFrame",
    exceptions: "gpd.GeoDataFrame",
    fixes: "gpd.GeoDataFrame",
) -> None:
    """Write the proposal; a file of that name gives way only to a whole new one."""
    import geopandas as gpd

    from gis.geopackage import write_styles
    from gis.outputs import appearing_files
    from gis.vector import write_vector
    from gridding.qgis import style_text

    layers = {"unit_grids": grids}
    if output.suffix.lower() == ".gpkg":
        layers |= {"exceptions": exceptions, "fixes": fixes}
    if output.suffix.lower() == ".shp":
        layers["unit_grids"] = gpd.GeoDataFrame(grids.rename(columns=_SHORT))
    written = {n: layer for n, layer in layers.items() if n == "unit_grids" or len(layer)}
    with appearing_files(output) as partial:
        partial.unlink(missing_ok=True)  # an earlier proposal, whose exceptions are not these
        for name, layer in written.items():
            write_vector(layer, partial, layer=name)
        if output.suffix.lower() == ".gpkg":
            write_styles(partial, {name: style_text(name) for name in written})


def _show(
    output: Path, quality: "Quality", exceptions: "pd.DataFrame", fixes: "pd.DataFrame"
) -> None:
    within = (
        f"{quality.share_within:.1%} of {quality.built_up} in built-up land within 0.5-1.5 of the target"
        if quality.built_up
        else "no built-up land"
    )
    typer.echo(
        f"{quality.grids} grids over {quality.area_km2:.2f} km² written to {output}: median "
        f"{quality.median_m2:.0f} m², {within}, "
        f"{quality.buildings_cut} of {quality.buildings} buildings cut."
    )
    if len(fixes):
        typer.echo(f"{len(fixes)} gaps and overlaps of communities were closed; see layer fixes.")
    for kind, rows in exceptions.groupby("kind"):
        first = rows.iloc[0]
        name = f", as {first['code'] or first['community_code']}" if len(rows) > 1 else ""
        typer.echo(f"{len(rows):6} {kind}{name}: {first['reason_en']}")
    if len(exceptions):
        typer.echo("Each exception with its reason and a suggestion: layer exceptions.")


def _chosen(communities: "gpd.GeoDataFrame", codes: list[str]) -> "gpd.GeoDataFrame":
    unknown = sorted(set(codes) - set(communities["code"]))
    if unknown:
        msg = f"Community {unknown[0]} is not loaded; see `wanmi status` for what is."
        raise BuildError(msg, zh=f"社区 {unknown[0]} 尚未入库。")
    return communities[communities["code"].isin(codes)] if codes else communities
