"""The command ``wanmi``: mounts each package's commands, nothing else."""

from importlib import import_module
from importlib.util import find_spec

from gis.command import make_app, run

PACKAGES = ("gis", "gridding", "census", "pipelines", "api", "api.http")
"""Packages with commands, in the order in which ``wanmi --help`` lists them."""

app = make_app()
for _package in PACKAGES:
    if find_spec(f"{_package}.cli") is not None:
        import_module(f"{_package}.cli").register(app)


def main() -> None:
    """Run the command named on the command line."""
    run(app)


if __name__ == "__main__":
    main()
