"""``wanmi grid number``."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import emit, workspace_of
from gis.errors import DeliveryError
from gridding.cli.layers import AsJson, Output, live_communities, read_grids

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd


def add(grid: typer.Typer) -> None:
    """Add the command."""
    grid.command("number")(renumber)


def renumber(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Layer of unit grids; codes in it stay.")],
    output: Output,
    as_json: AsJson = False,
) -> None:
    """Give every grid its code, west to east and north to south, and its place on the patrol path.

    The community is the one that holds most of the grid. Valid codes in the layer stay; the rest
    continue after the largest number ever used. Column patrol_order 巡查顺序 leads from neighbour to
    neighbour.

    Example: wanmi grid number 单元网格.shp -o numbered.gpkg
    """
    from gis.database import open_database
    from gis.outputs import appearing_files, check_output
    from gis.vector import write_vector
    from gridding.numbering import number, retired_codes, used_codes
    from gridding.patrol import measure_order, patrol_order

    check_output(output)
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    grids = _with_communities(read_grids(file, workspace), live_communities(database), file=file)
    target_m2 = workspace.profile.thresholds.grid_target_m2
    codes = number(
        grids,
        code_length=workspace.profile.grid_code_length,
        used=used_codes(database),
        retired=retired_codes(database),
        target_m2=target_m2,
    )
    given = grids["code"] if "code" in grids else codes.map(lambda _: None)
    grids = grids.assign(code=codes, patrol_order=patrol_order(grids, target_m2=target_m2))
    with appearing_files(output) as partial:
        write_vector(grids.drop(columns=["source_file", "source_row"]), partial)
    kept = int(codes.eq(given).sum())
    result = {
        "file": str(output),
        "grids": len(grids),
        "kept": kept,
        "given": len(grids) - kept,
        "replaced": _replaced(given, codes),
        "order_of_codes": asdict(measure_order(grids, codes)),
        "order_of_patrol": asdict(measure_order(grids, grids["patrol_order"])),
    }
    emit(result, as_json=as_json, human=lambda: _show(result))


def _replaced(given: "pd.Series[Any]", codes: "pd.Series[str]") -> dict[str, str]:
    """Return old code -> new code of the grids that bore one that can not stay."""
    changed = given.notna() & codes.ne(given)
    return dict(zip(given[changed].astype(str), codes[changed], strict=True))


def _show(result: dict[str, Any]) -> None:
    patrol = result["order_of_patrol"]
    typer.echo(
        f"{result['grids']} grids in {result['file']}: {result['kept']} codes kept, "
        f"{result['given']} given, {len(result['replaced'])} of them in place of one that was wrong, "
        "retired or borne twice."
    )
    typer.echo(
        f"Patrol path: {patrol['mean_jump_m']:.0f} m from grid to grid, "
        f"{patrol['adjacent_share']:.0%} of the steps between neighbours "
        f"(order of the codes: {result['order_of_codes']['mean_jump_m']:.0f} m, "
        f"{result['order_of_codes']['adjacent_share']:.0%})."
    )


def _with_communities(
    grids: "gpd.GeoDataFrame", communities: "gpd.GeoDataFrame", *, file: Path
) -> "gpd.GeoDataFrame":
    """Return the grids with ``community_code``; every grid must have its land in some community."""
    import geopandas as gpd

    from gridding.homes import community_of, is_finite

    blank = grids.geometry.isna() | grids.geometry.is_empty | ~is_finite(grids.geometry.to_numpy())
    if blank.any():
        row = grids.loc[blank, "source_row"].iloc[0]
        msg = (
            f"Row {row} of {file.name} has no polygon; remove it, or see `wanmi grid check {file}`."
        )
        raise DeliveryError(
            msg, zh=f"{file.name} 第 {row} 行没有图形，请删除，或用 wanmi grid check 检查。"
        )
    holder = community_of(grids, communities)
    outside = holder.isna()
    if outside.any():
        row = grids.loc[outside, "source_row"].iloc[0]
        msg = f"Row {row} of {file.name} lies in no community; deliver the community or remove the grid."
        raise DeliveryError(
            msg, zh=f"{file.name} 第 {row} 行不在任何社区内，请提交该社区或删除该网格。"
        )
    return gpd.GeoDataFrame(grids.assign(community_code=holder))
