"""``wanmi snapshot``: compile the databases, list what was compiled, go back to an earlier version."""

from dataclasses import asdict
from typing import Annotated

import typer

from gis.command import emit, progress, workspace_of

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
snapshots = typer.Typer(invoke_without_command=True)


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.add_typer(snapshots, name="snapshot")


@snapshots.callback()
def snapshot(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Compile the databases into a snapshot and make it the current one.

    Running servers take it in without losing a request.

    Example: wanmi snapshot
    """
    if ctx.invoked_subcommand is not None:
        return
    from api.compile import compile_snapshot
    from api.snapshot import open_snapshot
    from gis.database import open_database

    workspace = workspace_of(ctx)
    with progress("Compiling the snapshot") as advance:
        folder = compile_snapshot(open_database(workspace), workspace)
        advance(1)
    opened = open_snapshot(folder)
    result = {"version": opened.version, "folder": str(folder), "counts": dict(opened.counts)}

    def human() -> None:
        typer.echo(f"Snapshot {opened.version} in {folder}:")
        for name, count in opened.counts.items():
            typer.echo(f"  {name:<16}{count:>12,}")

    emit(result, as_json=as_json, human=human)


@snapshots.command("list")
def list_all(ctx: typer.Context, as_json: AsJson = False) -> None:
    """List the versions that are kept, the newest first; the current one has a star.

    Example: wanmi snapshot list
    """
    from api.versions.kept import list_versions

    found = list_versions(workspace_of(ctx).snapshots)

    def human() -> None:
        for version in found:
            star = "*" if version.is_current else " "
            datasets = ", ".join(
                f"{build['dataset']} {build['build_id']} ({build['as_of']})"
                for build in version.builds
            )
            note = "" if version.is_readable else "  of an older layout: can not be gone back to"
            size_mb = version.size_bytes / 1e6
            typer.echo(
                f"{star} {version.version}  {version.compiled_at[:19]}Z {size_mb:>9,.1f} MB{note}"
            )
            if datasets:
                typer.echo(f"    {datasets}")
        if not found:
            typer.echo("There are no snapshots: compile one with `wanmi snapshot`.")

    emit([asdict(version) for version in found], as_json=as_json, human=human)


@snapshots.command("rollback")
def rollback(
    ctx: typer.Context,
    version: Annotated[str, typer.Argument(help="As `wanmi snapshot list` shows it.")],
    as_json: AsJson = False,
) -> None:
    """Make an earlier version the current one; running servers follow within seconds.

    The databases stay as they are: the next `wanmi snapshot` compiles them anew.

    Example: wanmi snapshot rollback 1e983e09d11e
    """
    from api.versions.kept import roll_back

    back = roll_back(workspace_of(ctx).snapshots, version)
    emit(
        asdict(back),
        as_json=as_json,
        human=lambda: typer.echo(f"Version {back.version} of {back.compiled_at[:19]}Z is current."),
    )
