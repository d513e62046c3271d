"""``wanmi assign``, ``wanmi geocode``: decide, locate."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.command import actor, emit, progress, workspace_of
from gis.errors import RequestError

if TYPE_CHECKING:
    from api.bulk.columns import Asking
    from api.bulk.run import Adjust, BulkResult, Plan
    from api.bulk.spans import Source
    from api.bulk.work import Deciding, Locating
    from api.snapshot import Snapshot
    from gis.workspace import Workspace

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", help="File to write: .csv, .csv.gz, .parquet, .geoparquet or .gpkg."
    ),
]
Columns = Annotated[
    str | None, typer.Option("--columns", help="Answers to write, by comma; default: all.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes; default: one per core.")
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Dask scheduler, as tcp://host:8786; local:2 starts one."),
]
Encoding = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of the text; default: by evidence.")
]
LayerName = Annotated[
    str | None, typer.Option("--layer", help="Layer or sheet, where the file has several.")
]


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("assign")(assign)
    app.command("geocode")(geocode)


def assign(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="IN", help="Cases: .csv, .csv.gz, .parquet, .gpkg, .geojson, .shp or .xlsx."
        ),
    ] = None,
    output: Output = None,
    is_stored: Annotated[
        bool, typer.Option("--stored", help="Decide the recorded cases that have no decision yet.")
    ] = False,
    crs: Annotated[
        str | None,
        typer.Option("--crs", help="CRS of positions whose row names none; city: the city's own."),
    ] = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Day of the data for rows that name none.")
    ] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="What a column is, as x=经度; repeatable.")
    ] = None,
    columns: Columns = None,
    encoding: Encoding = None,
    layer: LayerName = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Decide the grid and the owning unit of every case of a file, of any size.

    Columns are known by their platform names or usual Chinese ones (案件编号, 经度, 部件编码 …). Every
    row comes out, in order, with its decision and the reasons that make it doubtful. A stopped run
    goes on where it was: give the same command again.

    Example: wanmi assign cases.csv -o decided.csv
    """
    from api.bulk.columns import Options, checked_crs, checked_day, stated_fields, turned
    from api.bulk.run import Plan
    from api.bulk.work import Deciding, version_folder
    from api.snapshot import open_snapshot

    workspace = workspace_of(ctx)
    opened = open_snapshot(workspace.root)
    if is_stored:
        _assign_stored((source, output), workspace, opened, as_json=as_json)
        return
    plan = Plan(
        crs=opened.crs,
        options=Options(
            crs=checked_crs(crs, city=opened.crs),
            as_of=checked_day(as_of),
            fields=tuple(stated_fields(field or ()).items()),
        ),
        columns=_names(columns),
        encoding=encoding,
        layer=layer,
        workers=workers or _cores(),
        scheduler=scheduler,
    )
    work = Deciding(folder=version_folder(opened.folder), version=opened.version)

    def adjust(how: "Asking", rows: "Source") -> "tuple[Asking, str | None]":
        return turned(how, rows, opened)

    done = _work_through("Deciding", _paths(source, output), work, plan, adjust)
    _report(done, as_json=as_json)


def geocode(
    ctx: typer.Context,
    source: Annotated[
        Path | None,
        typer.Argument(metavar="IN", help="Addresses: .csv, .csv.gz, .parquet, .gpkg or .xlsx."),
    ] = None,
    output: Output = None,
    column: Annotated[str, typer.Option("--column", help="Column of the addresses.")] = "address",
    columns: Columns = None,
    encoding: Encoding = None,
    layer: LayerName = None,
    workers: Workers = None,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Locate every address of a file; the score says how surely, the match how.

    Example: wanmi geocode addresses.csv -o located.csv
    """
    from api.bulk.columns import addresses
    from api.bulk.run import Plan
    from api.bulk.work import Locating, version_folder
    from api.snapshot import open_snapshot

    opened = open_snapshot(workspace_of(ctx).root)
    plan = Plan(
        crs=opened.crs,
        columns=_names(columns),
        encoding=encoding,
        layer=layer,
        workers=workers or _cores(),
        scheduler=scheduler,
    )
    work = Locating(folder=version_folder(opened.folder), version=opened.version, column=column)

    def adjust(how: "Asking", rows: "Source") -> "tuple[Asking, str | None]":
        return addresses(how, rows, column=column), None

    done = _work_through("Locating", _paths(source, output), work, plan, adjust)
    _report(done, as_json=as_json)


def _work_through(
    label: str,
    paths: tuple[Path, Path],
    work: "Deciding | Locating",
    plan: "Plan",
    adjust: "Adjust",
) -> "BulkResult":
    from api.bulk.run import work_through

    with progress(label) as advance:
        return work_through(
            *paths, work=work, signature=repr(work), plan=plan, adjust=adjust, advance=advance
        )


def _assign_stored(
    paths: tuple[Path | None, Path | None],
    workspace: "Workspace",
    opened: "Snapshot",
    *,
    as_json: bool,
) -> None:
    from api.stored import assign_stored, count_open
    from gis.database import open_database

    if paths != (None, None):
        msg = "With --stored no file is read or written: leave IN and -o out."
        raise RequestError(msg, zh="使用 --stored 时不读写文件：请去掉 IN 和 -o。")
    database = open_database(workspace)
    with progress("Deciding", total=count_open(database)) as advance:
        rows = assign_stored(database, opened, actor=actor(), advance=advance)
    emit(
        {"rows": rows, "data_version": opened.version},
        as_json=as_json,
        human=lambda: typer.echo(f"{rows:,} recorded cases decided by {opened.version}."),
    )


def _paths(source: Path | None, output: Path | None) -> tuple[Path, Path]:
    if source is None or output is None:
        msg = "Name the file to read and, with -o, the file to write."
        raise RequestError(msg, zh="请给出输入文件，并用 -o 指定输出文件。")
    return source, output


def _names(columns: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (columns or "").split(",") if name.strip())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


_DOUBTED = {"unlocated": "without a place", "needs_review": "to be looked at"}


def _report(done: "BulkResult", *, as_json: bool) -> None:
    def human() -> None:
        resumed = f", {done.rows_resumed:,} of them by an earlier run" if done.rows_resumed else ""
        typer.echo(f"{done.rows:,} rows{resumed}: {done.path}")
        doubts = [
            f"{count:,} {_DOUBTED[doubt]}" for doubt, count in done.rows_doubted.items() if count
        ]
        if doubts:
            typer.echo(
                f"  {', '.join(doubts)}: the columns needs_review and reasons tell which and why"
            )
        for reason, count in done.rows_troubled.items():
            lines = [f"{line:,}" for line, why in done.lines_troubled if why == reason]
            more = " …" if count > len(lines) else ""
            typer.echo(f"  {reason}: {count:,} rows, in lines {', '.join(lines)}{more}")
        for note in done.notes:
            typer.echo(f"  {note}")

    emit(asdict(done), as_json=as_json, human=human)
