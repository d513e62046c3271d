"""``wanmi grid``: all that is done to unit grids, and to the grids made of them."""

import typer

from gridding.cli import atlas, changing, checking, dividing, editing, numbering, trades


def register(app: typer.Typer) -> None:
    """Mount ``wanmi grid``."""
    about = "Unit grids 万米单元网格: divide, check, number, change, edit, print; grids of trades."
    grid = typer.Typer(no_args_is_help=True, help=about)
    for area in (checking, dividing, numbering, trades, changing, editing, atlas):
        area.add(grid)
    app.add_typer(grid, name="grid")
