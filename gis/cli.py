"""Commands of the workspace and its database: init, and db up, down, status, migrate, backup, restore."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.command import emit, progress, workspace_of

if TYPE_CHECKING:
    from gis.health import Health

# What a command works with is imported when it runs: `wanmi --help` must not load geopandas.

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
BackupFile = Annotated[Path, typer.Argument(metavar="FILE", help="Backup file.")]

db = typer.Typer(name="db", no_args_is_help=True, help="The database of the workspace.")


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command()(init)
    for command in (up, down, status, migrate, backup, restore, dictionary):
        db.command()(command)
    app.add_typer(db)


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New workspace folder.")],
    city_code: Annotated[str, typer.Option(help="Six digits (GB/T 2260).")],
    crs: Annotated[
        str, typer.Option(help="Measuring CRS in metres: EPSG:n, or a .wkt file to copy.")
    ] = "EPSG:4547",
    standard: Annotated[
        str, typer.Option(help="CJ/T 214-2007, GB/T 30428.2-2013 or GB/T 47678.5-2026.")
    ] = "GB/T 30428.2-2013",
    name: Annotated[str, typer.Option(help="Name of the city or district.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make a workspace: a folder with the city profile wanmi.toml, every setting explained.

    Example: wanmi init changan --city-code 130102 --crs EPSG:4547 --name 长安区
    """
    from gis.profile import make_workspace

    city = {"code": city_code, "crs": crs, "standard": standard, "name": name}
    path = make_workspace(folder, city=city)

    def human() -> None:
        typer.echo(f"Made {path}. Next: cd {folder} && wanmi db migrate")

    emit({"workspace": str(folder.resolve()), "profile": str(path)}, as_json=as_json, human=human)


def up(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Start the embedded database; it goes on running after the command.

    Every command that needs it starts it by itself. With WANMI_DATABASE_URL it only checks.

    Example: wanmi db up
    """
    from gis.database import find_database
    from gis.health import inspect_database

    workspace = workspace_of(ctx)
    with progress("starting the database"):
        find_database(workspace)
    health = inspect_database(workspace)
    emit(health, as_json=as_json, human=lambda: _print_health(health))


def down(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Stop the embedded database; what is under way is rolled back.

    Example: wanmi db down
    """
    from gis import cluster

    workspace = workspace_of(ctx)
    was_running = cluster.down(workspace.root)

    def human() -> None:
        typer.echo("Stopped." if was_running else "It was not running.")
        if workspace.settings.database_url is not None:
            typer.echo("The database named by WANMI_DATABASE_URL is not Wanmi's to stop.")

    emit({"was_running": was_running}, as_json=as_json, human=human)


def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show version, socket, size and pending migrations; a stopped database stays stopped.

    Example: wanmi db status --json
    """
    from gis.health import inspect_database

    health = inspect_database(workspace_of(ctx))
    emit(health, as_json=as_json, human=lambda: _print_health(health))


def migrate(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Bring the database to this program's version, all or nothing; safe to run again.

    Example: wanmi db migrate
    """
    from gis.database import find_database
    from gis.database import migrate as apply

    database = find_database(workspace_of(ctx))
    with progress("migrating the database"):
        applied = apply(database)

    def human() -> None:
        text = f"Applied {len(applied)} migrations: {', '.join(applied)}."
        typer.echo(text if applied else "The database is up to date.")

    emit({"applied": applied}, as_json=as_json, human=human)


def backup(ctx: typer.Context, file: BackupFile, as_json: AsJson = False) -> None:
    """Write the whole database to a file while others go on working.

    Imagery and wanmi.toml are files of the workspace: copy them besides.

    Example: wanmi db backup changan-2026-06.dump
    """
    from gis.backup import back_up
    from gis.database import open_database

    database = open_database(workspace_of(ctx))
    with progress("writing the backup"):
        size_bytes = back_up(database, file)
    emit(
        {"file": str(file), "size_bytes": size_bytes},
        as_json=as_json,
        human=lambda: typer.echo(f"Wrote {file}, {_megabytes(size_bytes)}."),
    )


def restore(
    ctx: typer.Context,
    file: BackupFile,
    force: Annotated[
        bool, typer.Option("--force", help="Replace the content of a database that is not empty.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Replace the database's content by a backup: all of it, or nothing.

    Example: wanmi db restore changan-2026-06.dump --force
    """
    from gis.backup import restore as put_back
    from gis.database import find_database

    database = find_database(workspace_of(ctx))
    with progress("restoring the backup"):
        applied = put_back(database, file, force=force)

    def human() -> None:
        typer.echo(f"Restored {file}.")
        if applied:
            typer.echo(f"It was of an earlier version; applied {len(applied)} migrations.")

    emit({"file": str(file), "applied": applied}, as_json=as_json, human=human)


def dictionary(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: print.")
    ] = None,
) -> None:
    """Print the data dictionary: every table and column with type, unit and meaning.

    Example: wanmi db dictionary -o docs/data-dictionary.md
    """
    from gis.dictionary import dictionary_text

    if output is None:
        typer.echo(dictionary_text(), nl=False)
    else:
        output.write_text(dictionary_text(), encoding="utf-8")


def _print_health(health: "Health") -> None:
    lines = {
        "database": f"{health.kind}, {health.state}",
        "place": health.place,
        "data": health.data,
        "log": health.log,
        "process": health.pid,
        "PostgreSQL": health.postgresql,
        "PostGIS": health.postgis,
        "size": None if health.size_bytes is None else _megabytes(health.size_bytes),
        "CRS": health.crs,
        "migrations": _migrations(health),
        "API role": _api_role(health),
    }
    for name, value in lines.items():
        if value not in (None, ""):
            typer.echo(f"{name:12}{value}")


def _migrations(health: "Health") -> str | None:
    if health.postgresql is None:
        return None
    if not health.pending:
        return "up to date"
    return f"{len(health.pending)} pending: run `wanmi db migrate`"


def _api_role(health: "Health") -> str | None:
    if health.has_api_role is None or health.pending:
        return None
    return "wanmi_api" if health.has_api_role else "missing: `wanmi db migrate` says what to do"


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.1f} MB"
