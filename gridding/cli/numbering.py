"""``wanmi grid number``."""

from pathlib import Path
from typing import Annotated, Any

import geopandas as gpd
import pandas as pd
import typer

from gis.command import emit, workspace_of
from gis.database import open_database
from gis.errors import DeliveryError
from gis.vector import write_vector
from gridding.cli.layers import AsJson, Output, live_communities, read_grids
from gridding.numbering import COMMUNITY_DIGITS, number, used_codes


def add(grid: typer.Typer) -> None:
    """Add the command."""
    grid.command("number")(renumber)


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
    grids = read_grids(file, workspace)
    grids["community_code"] = _holders(grids, live_communities(database))
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
