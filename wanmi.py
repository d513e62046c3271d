"""The command ``wanmi``: mounts each package's commands, nothing else."""

import gc
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any

import typer

from gis.command import make_app, run

COMMANDS = {
    "gis": ("init", "db"),
    "gridding": ("grid",),
    "census": ("codes",),
    "pipelines": (
        "sample",
        "build",
        "status",
        "builds",
        "rollback",
        "verify",
        "rejects",
        "demo",
    ),
    "pipelines.surveys": ("census", "units"),
    "pipelines.topography": ("topography",),
    "pipelines.place_names": ("names",),
    "pipelines.responsibility": ("plan",),
    "api": ("assign", "geocode"),
    "api.cases": ("cases", "plan"),
    "api.versions": ("snapshot",),
    "api.http": ("serve", "key"),
}
"""Package -> its commands, in the order in which ``wanmi --help`` lists the packages."""


def mount(packages: Iterable[str] = COMMANDS) -> typer.Typer:
    """Return the application with the commands of `packages`."""
    application = make_app()
    for package in packages:
        import_module(f"{package}.cli").register(application)
    return application


def __getattr__(name: str) -> Any:
    """Make ``wanmi.app``, the application with every command, when it is first asked for."""
    if name != "app":
        raise AttributeError(name)
    globals()["app"] = application = mount()
    return application


def main() -> None:
    """Run the command named on the command line, without loading the others' packages."""
    words = sys.argv[1:]
    packages = [package for package, names in COMMANDS.items() if {*names} & {*words}]
    try:
        run(mount(COMMANDS if not packages or words[0] == "--help" else packages))
    finally:
        # Or Python would go through every object of the libraries once more before it ends: 0.4 s.
        gc.freeze()


if __name__ == "__main__":
    main()
