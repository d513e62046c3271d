"""Commands of `wanmi` run in this process, on a workspace and its database."""

from collections.abc import Callable, Iterable

from click.testing import Result
from typer.testing import CliRunner

import wanmi
from gis.workspace import Workspace

Run = Callable[..., Result]


def runner(workspace: Workspace, packages: Iterable[str]) -> Run:
    """Return a function that runs a command of `packages`; errors come out as exceptions."""
    app = wanmi.mount(packages)
    environ = {"WANMI_DATABASE_URL": str(workspace.settings.database_url)}

    def call(*words: object) -> Result:
        arguments = ["-w", str(workspace.root), *map(str, words)]
        return CliRunner().invoke(app, arguments, env=environ, catch_exceptions=False)

    return call
