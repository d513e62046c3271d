"""``wanmi grid``: check, divide and number unit grids; nothing here changes the database."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import pandas as pd
import typer

from gis.builds import live
from gis.command import emit, progress, workspace_of
from gis.crs import city_crs
from gis.database import Database, open_database
from gis.errors import BuildError, DeliveryError
from gis.fields import map_fields
from gis.vector import read_vector, write_vector
from gis.workspace import Workspace
from gridding.checks import check_coverage
from gridding.division import divide
from gridding.numbering import COMMUNITY_DIGITS, number, used_codes
from gridding.options import DivisionOptions
from gridding.quality import Quality, measure

_SHOWN = 20

grid = typer.Typer(no_args_is_help=True, help="Unit grids 万米单元网格: check, divide, number.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Output = Annotated[
    Path, typer.Option("--output", "-o", help="File to write: .gpkg, .shp, .geojson.")
]


def register(app: typer.Typer) -> None:
    """Mount ``wanmi grid``."""
    app.add_typer(grid, name="grid")


@grid.command("check")
def check(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Layer of unit grids to check.")] = None,
    is_live: Annotated[
        bool, typer.Option("--live", help="Check the grids in the database.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check codes, communities, gaps and overlaps of unit grids; exit code 1 if any is an error.

    Example: wanmi grid check 单元网格.shp
    """
    if (file is None) != is_live:
        msg = "Name one layer to check: a file, or --live for the grids in the database."
        raise DeliveryError(
            msg, zh="请指定要检查的图层：一个文件，或用 --live 检查库中的单元网格。"
        )
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    grids = live(database, "unit_grids") if file is None else _read_grids(file, workspace)
    if "code" not in grids:
        msg = f"{file} has no column of grid codes; number it with `wanmi grid number {file}`."
        raise DeliveryError(msg, zh=f"{file} 没有单元网格编码列，请用 wanmi grid number 编号。")
    faults = check_coverage(
        grids, _communities(database), code_length=workspace.profile.grid_code_length
    )
    rows = faults.drop(columns=["record", "geometry"]).to_dict("records")
    errors = int((faults["severity"] == "error").sum())

    def show() -> None:
        for row in rows[:_SHOWN]:
            typer.echo(f"{row['severity']:8}{row['rule']}  {row['reason_en']}")
        if len(rows) > _SHOWN:
            typer.echo(f"… and {len(rows) - _SHOWN} more; --json lists all.")
        typer.echo(f"{len(grids)} grids: {errors} errors, {len(rows) - errors} warnings.")

    emit({"grids": len(grids), "errors": errors, "faults": rows}, as_json=as_json, human=show)
    if errors:
        raise typer.Exit(1)


@grid.command("divide")
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
    chosen = _chosen(_communities(database), community or [])
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


@grid.command("number")
def renumber(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Layer of unit grids without codes.")],
    output: Output,
    as_json: AsJson = False,
) -> None:
    """Give every grid of a layer its code, west to east and north to south in its community.

    The community is the one that holds most of the grid. Codes continue after those in the database.

    Example: wanmi grid number 单元网格.shp -o numbered.gpkg
    """
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    grids = _read_grids(file, workspace)
    grids["community_code"] = _holders(grids, _communities(database))
    outside = grids["community_code"].isna()
    if outside.any():
        row = grids.loc[outside, "source_row"].iloc[0]
        msg = f"Row {row} of {file.name} lies in no community; deliver the community or remove the grid."
        raise DeliveryError(
            msg, zh=f"{file.name} 第 {row} 行不在任何社区内，请提交该社区或删除该网格。"
        )
    grids["code"] = number(
        grids,
        code_length=workspace.profile.grid_code_length,
        used=used_codes(database),
        target_m2=workspace.profile.thresholds.grid_target_m2,
    )
    write_vector(grids.drop(columns=["source_file", "source_row"]), output)
    result = {"file": str(output), "grids": len(grids)}
    emit(
        result,
        as_json=as_json,
        human=lambda: typer.echo(f"{len(grids)} grids numbered in {output}."),
    )


def _show(output: Path, quality: Quality) -> None:
    typer.echo(
        f"{quality.grids} grids over {quality.area_km2:.2f} km² written to {output}: median "
        f"{quality.median_m2:.0f} m², {quality.share_within:.1%} within 0.5-1.5 of the target, "
        f"{quality.buildings_cut} of {quality.buildings} buildings cut."
    )


def _read_grids(file: Path, workspace: Workspace) -> gpd.GeoDataFrame:
    target = city_crs(workspace.profile, workspace.root).text
    layer = read_vector(file, target_crs=target)
    return gpd.GeoDataFrame(map_fields(layer.frame, dataset="unit_grids").frame)


def _communities(database: Database) -> gpd.GeoDataFrame:
    areas = live(database, "areas")
    rows = areas[areas["level"] == "community"]
    if rows.empty:
        msg = (
            "No communities are loaded; build a delivery with areas first: `wanmi build DELIVERY`."
        )
        raise BuildError(msg, zh="尚未入库任何社区，请先用 wanmi build 构建含行政区域的交付。")
    return gpd.GeoDataFrame(rows).sort_values("code").reset_index(drop=True)


def _chosen(communities: gpd.GeoDataFrame, codes: list[str]) -> gpd.GeoDataFrame:
    unknown = sorted(set(codes) - set(communities["code"]))
    if unknown:
        msg = f"Community {unknown[0]} is not loaded; see `wanmi status` for what is."
        raise BuildError(msg, zh=f"社区 {unknown[0]} 尚未入库。")
    return communities[communities["code"].isin(codes)] if codes else communities


def _holders(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> "pd.Series[Any]":
    """Return for each grid the community that holds most of it; None outside all."""
    pairs = gpd.overlay(
        grids[["geometry"]].assign(row=grids.index),
        communities[["code", "geometry"]],
        how="intersection",
        keep_geom_type=True,
    )
    pairs["area_m2"] = pairs.geometry.area
    best = pairs.sort_values(["area_m2", "code"], ascending=[False, True]).drop_duplicates("row")
    return best.set_index("row")["code"].reindex(grids.index).str[:COMMUNITY_DIGITS]
