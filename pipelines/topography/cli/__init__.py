"""``wanmi topography``: all that is done to base topography 基础地理信息."""

from collections.abc import Callable

import typer

from pipelines.topography.cli import checking, diff, sheets

TOPOGRAPHY: tuple[Callable[[typer.Typer], None], ...] = (checking.add, diff.add, sheets.add)
"""Each adds its commands to ``wanmi topography``."""


def register(app: typer.Typer) -> None:
    """Mount ``wanmi topography``."""
    topography = typer.Typer(
        no_args_is_help=True,
        help="Base topography 基础地理信息: check, compare, sheets.",
    )
    # With one command alone, Typer would leave out the command's name.
    topography.callback()(_group)
    for add in TOPOGRAPHY:
        add(topography)
    app.add_typer(topography, name="topography")


def _group() -> None:
    """Work on base topography 基础地理信息: check, compare, sheets."""
