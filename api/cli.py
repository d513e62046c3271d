"""``wanmi snapshot``, ``wanmi assign``, ``wanmi geocode``: compile, decide, locate."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import actor, emit, progress, workspace_of
from gis.errors import RequestError

if TYPE_CHECKING:
    import pandas as pd

    from api.bulk import BulkResult
    from api.models import PlaceAnswer
    from api.snapshot import Snapshot

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write: .csv or .parquet.")
]
PLACE_COLUMNS = (
    "place_code",
    "place_kind",
    "full_address",
    "lon",
    "lat",
    "location_x",
    "location_y",
    "score",
    "uncertainty_m",
    "match",
    "why",
    "explanation_zh",
    "question_zh",
    "grid_code",
    "community_code",
    "candidates",
)
"""Columns that ``wanmi geocode`` adds."""
_CANDIDATES = 3


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    app.command("snapshot")(snapshot)
    app.command("assign")(assign)
    app.command("geocode")(geocode)


def snapshot(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Compile the databases into a snapshot and make it the current one.

    Example: wanmi snapshot
    """
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


def assign(
    ctx: typer.Context,
    source: Annotated[
        Path | None, typer.Argument(metavar="IN", help="Cases: .csv or .parquet.")
    ] = None,
    output: Output = None,
    is_stored: Annotated[
        bool, typer.Option("--stored", help="Decide the recorded cases that have no decision yet.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Decide the grid and the owning unit of every case of a file.

    Columns are known by their platform names or usual Chinese ones (案件编号, 经度, 部件编码 …). Every
    row comes out with its decision and the reasons that make it doubtful. A stopped run goes on
    where it was.

    Example: wanmi assign cases.csv -o decided.csv
    """
    from api.assign import assign_frame
    from api.bulk import work_through
    from api.snapshot import open_snapshot
    from api.stored import assign_stored, count_open
    from gis.database import open_database

    workspace = workspace_of(ctx)
    opened = open_snapshot(workspace.root)
    if is_stored:
        if source is not None or output is not None:
            msg = "With --stored no file is read or written: leave IN and -o out."
            raise RequestError(msg, zh="使用 --stored 时不读写文件：请去掉 IN 和 -o。")
        database = open_database(workspace)
        with progress("Deciding", total=count_open(database)) as advance:
            rows = assign_stored(database, opened, actor=actor(), advance=advance)
        result = {"rows": rows, "data_version": opened.version}
        emit(
            result,
            as_json=as_json,
            human=lambda: typer.echo(f"{rows:,} recorded cases decided by {opened.version}."),
        )
        return
    paths = _paths(source, output)

    def work(chunk: "pd.DataFrame") -> "pd.DataFrame":
        return assign_frame(opened, chunk)

    with progress("Deciding") as advance:
        done = work_through(
            *paths, work=work, signature=f"assign:{opened.version}", advance=advance
        )
    _report(done, as_json=as_json)


def geocode(
    ctx: typer.Context,
    source: Annotated[
        Path | None, typer.Argument(metavar="IN", help="Addresses: .csv or .parquet.")
    ] = None,
    output: Output = None,
    column: Annotated[str, typer.Option("--column", help="Column of the addresses.")] = "address",
    as_json: AsJson = False,
) -> None:
    """Locate every address of a file; the score says how surely, the match how.

    Example: wanmi geocode addresses.csv -o located.csv
    """
    from api.bulk import work_through
    from api.snapshot import open_snapshot

    opened = open_snapshot(workspace_of(ctx).root)
    paths = _paths(source, output)

    def work(chunk: "pd.DataFrame") -> "pd.DataFrame":
        return geocode_frame(opened, chunk, column=column)

    with progress("Locating") as advance:
        done = work_through(
            *paths, work=work, signature=f"geocode:{column}:{opened.version}", advance=advance
        )
    _report(done, as_json=as_json)


def geocode_frame(opened: "Snapshot", frame: "pd.DataFrame", *, column: str) -> "pd.DataFrame":
    """Return `PLACE_COLUMNS` for the addresses of a frame, with its index.

    Raises
    ------
    RequestError
        The frame has no such column.
    """
    import pandas as pd

    from api.geocoding.geocode import geocode_texts
    from gis.fields import find_column

    if column not in frame.columns:  # a known spelling has its platform name by now
        column = find_column(column, dataset="cases") or column
    if column not in frame.columns:
        msg = f"The file has no column {column}: name the column of the addresses with --column."
        raise RequestError(msg, zh=f"文件没有 {column} 列：请用 --column 指定地址所在的列。")
    edition = opened.edition()
    texts = frame[column].astype(object).where(frame[column].notna(), "").astype(str)
    distinct = list(dict.fromkeys(texts))
    found = geocode_texts(edition, distinct, limit=1 + _CANDIDATES)
    known = {text: _place_row(answers) for text, answers in zip(distinct, found, strict=True)}
    rows = [known[text] for text in texts]
    return pd.DataFrame(rows, columns=list(PLACE_COLUMNS), index=frame.index)


def _place_row(answers: "list[PlaceAnswer]") -> dict[str, Any]:
    if not answers:
        return dict.fromkeys(PLACE_COLUMNS)
    best = answers[0]
    told: dict[str, Any] = {
        "place_code": best.code,
        "place_kind": best.kind,
        "location_x": best.x,
        "location_y": best.y,
        "why": ";".join(best.why) or None,
        "question_zh": best.question_zh or None,
        "candidates": "；".join(_candidate(answer) for answer in answers[1:]) or None,
    }
    return {name: told[name] if name in told else getattr(best, name) for name in PLACE_COLUMNS}


def _candidate(answer: "PlaceAnswer") -> str:
    return f"{answer.full_address} ({answer.score:.2f})"


def _paths(source: Path | None, output: Path | None) -> tuple[Path, Path]:
    if source is None or output is None:
        msg = "Name the file to read and, with -o, the file to write."
        raise RequestError(msg, zh="请给出输入文件，并用 -o 指定输出文件。")
    return source, output


def _report(done: "BulkResult", *, as_json: bool) -> None:
    resumed = f", {done.rows_resumed:,} of them by an earlier run" if done.rows_resumed else ""
    emit(
        asdict(done),
        as_json=as_json,
        human=lambda: typer.echo(f"{done.rows:,} rows{resumed}: {done.path}"),
    )
