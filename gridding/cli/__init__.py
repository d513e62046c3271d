"""``wanmi grid``: check, divide and number unit grids."""

import typer

from gridding.cli import atlas, changing, checking, dividing, editing, numbering, trades


def register(app: typer.Typer) -> None:
    """Mount ``wanmi grid``."""
    grid = typer.Typer(no_args_is_help=True, help="Unit grids 万米单元网格: check, divide, number.")
    for area in (checking, dividing, numbering, trades, changing, editing, atlas):
        area.add(grid)
    app.add_typer(grid, name="grid")
