"""``wanmi census`` and ``wanmi units``: all that is done to component surveys and to the unit directory."""

from collections.abc import Callable

import typer

from pipelines.surveys.cli import (
    accuracy,
    catalogue,
    checking,
    comparing,
    exporting,
    loading,
    manifests,
    merging,
    migrating,
    units,
)

CENSUS: tuple[Callable[[typer.Typer], None], ...] = (
    checking.add,
    manifests.add,
    comparing.add,
    merging.add,
    catalogue.add,
    exporting.add,
    migrating.add,
    loading.add,
    accuracy.add,
)
"""Each adds its commands to ``wanmi census``."""
UNITS: tuple[Callable[[typer.Typer], None], ...] = (units.add,)
"""Each adds its commands to ``wanmi units``."""


def register(app: typer.Typer) -> None:
    """Mount ``wanmi census`` and ``wanmi units``."""
    census = typer.Typer(
        no_args_is_help=True,
        help="Component census 部件普查: check, load, compare, merge, sample, export, migrate.",
    )
    units = typer.Typer(no_args_is_help=True, help="The unit directory 单位名录.")
    for add in CENSUS:
        add(census)
    for add in UNITS:
        add(units)
    app.add_typer(census, name="census")
    app.add_typer(units, name="units")
