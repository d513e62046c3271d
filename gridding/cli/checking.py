"""``wanmi grid check``."""

from pathlib import Path
from typing import Annotated

import typer

from gis.builds import live
from gis.command import emit, workspace_of
from gis.database import open_database
from gis.errors import DeliveryError
from gridding.checks import check_coverage
from gridding.cli.layers import AsJson, live_communities, read_grids

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
    grids = live(database, "unit_grids") if file is None else read_grids(file, workspace)
    if "code" not in grids:
        msg = f"{file} has no column of grid codes; number it with `wanmi grid number {file}`."
        raise DeliveryError(msg, zh=f"{file} 没有单元网格编码列，请用 wanmi grid number 编号。")
    faults = check_coverage(
        grids, live_communities(database), code_length=workspace.profile.grid_code_length
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
