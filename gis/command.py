"""What every command shares: the workspace option, plain errors, progress, and printed results."""

import getpass
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from gis.errors import WanmiError
from gis.settings import Settings, read_settings
from gis.workspace import Workspace, find_workspace, open_workspace

logger = logging.getLogger(__name__)

_INTERRUPTED = 130
_CHATTY = ("pyogrio", "fiona", "rasterio", "matplotlib", "numba", "numexpr", "alembic")
"""Libraries that log every step they take."""


@dataclass(frozen=True, kw_only=True)
class Invocation:
    """What the global options said; the object of every command's context."""

    settings: Settings
    workspace: Path | None
    verbosity: int


def make_app() -> typer.Typer:
    """Return the command application with its global options, without any command."""
    app = typer.Typer(
        name="wanmi",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        help="Wanmi 万米: unit grids, components, owners, and why.",
    )
    app.callback()(_remember)
    return app


def _remember(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help="Workspace folder; default: here or above."),
    ] = None,
    verbose: Annotated[
        int, typer.Option("--verbose", "-v", count=True, help="More log; -vv: tracebacks.")
    ] = 0,
) -> None:
    settings = read_settings(os.environ)
    level = "DEBUG" if verbose else settings.log_level
    logging.basicConfig(
        level=level, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    for library in _CHATTY:
        logging.getLogger(library).setLevel("INFO" if verbose > 1 else "WARNING")
    ctx.obj = Invocation(settings=settings, workspace=workspace, verbosity=verbose)


def workspace_of(ctx: typer.Context) -> Workspace:
    """Open the workspace the global options name, or the nearest one upwards."""
    invocation: Invocation = ctx.find_object(Invocation)  # type: ignore[assignment]
    folder = invocation.workspace or find_workspace(invocation.settings, start=Path.cwd())
    return open_workspace(folder, settings=invocation.settings)


def settings_of(ctx: typer.Context) -> Settings:
    """Return the settings of this invocation."""
    invocation: Invocation = ctx.find_object(Invocation)  # type: ignore[assignment]
    return invocation.settings


def actor() -> str:
    """Return the operating system user, for the audit."""
    return getpass.getuser()


def run(app: typer.Typer) -> None:
    """Run the application: one plain sentence per error, a traceback only with ``-vv``."""
    loud = any(argument in ("-vv", "-vvv") for argument in sys.argv[1:])
    try:
        app()
    except SystemExit as end:
        if end.code == _INTERRUPTED:  # Typer turns Ctrl-C into this, and says nothing
            _say_stopped()
        raise
    except WanmiError as error:
        if loud:
            traceback.print_exc()
        typer.echo(f"Error: {error.message}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        _say_stopped()
        sys.exit(_INTERRUPTED)
    except Exception as error:  # the last resort: a fault of ours, told without a traceback
        if isinstance(error.__cause__, KeyboardInterrupt):
            # Compiled code that Ctrl-C finds at its end returns with it, and Python calls that a SystemError.
            _say_stopped()
            sys.exit(_INTERRUPTED)
        if loud:
            raise
        typer.echo(
            f"Error: an unexpected fault of Wanmi itself ({type(error).__name__}: {error}); "
            "run again with -vv and report what it prints.",
            err=True,
        )
        sys.exit(70)


def _say_stopped() -> None:
    typer.echo("Stopped; nothing was left half done.", err=True)


def emit(result: Any, *, as_json: bool, human: Callable[[], None]) -> None:
    """Print a result: one JSON document on stdout, or the text that `human` prints.

    Parameters
    ----------
    result : object
        What orjson can write: dataclasses, dicts, lists, numpy values, dates.
    as_json : bool
        The command's ``--json``.
    human : callable
        Prints the same for a person.
    """
    if as_json:
        options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
        typer.echo(orjson.dumps(result, option=options, default=str).decode())
    else:
        human()


@contextmanager
def progress(label: str, *, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal, log lines elsewhere.

    Yields
    ------
    callable
        Call it with the number of units done since the last call.
    """
    # Commands that show no progress start without.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        logger.info("%s …", label)
        yield lambda _: None
        logger.info("%s done", label)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.advance(task, done)
