"""Commands of the build: sample, build, status, builds, rollback, verify, rejects, demo."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gis.command import actor, emit, progress, settings_of, workspace_of
from gis.errors import BuildError

# What a command works with is imported when it runs: `wanmi --help` must not load geopandas.

AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


def register(app: typer.Typer) -> None:
    """Mount the commands."""
    for command in (sample, build, status, builds, rollback, verify, rejects, demo):
        app.command()(command)


def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder to write into.")],
    area_km2: Annotated[float, typer.Option(help="Size of the district, 1 to 1000 km².")] = 4.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    sheets: Annotated[
        bool,
        typer.Option(
            "--sheets",
            help="Also nine map sheets 分幅 with faults at their edges, and a map update.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write a synthetic district as contractors deliver it, faults planted, answers known.

    Example: wanmi sample changan --area-km2 4 --seed 1
    """
    from pipelines.sample.sheetwise import write_sheetwise
    from pipelines.sample.writing import write_sample

    with progress("writing the sample district", total=5) as advance:
        report = write_sample(folder, area_km2=area_km2, seed=seed, progress=advance)
    if sheets:
        with progress("writing map sheets", total=1) as advance:
            write_sheetwise(folder, area_km2=area_km2, seed=seed)
            advance(1)

    def human() -> None:
        for name, rows in sorted(report.counts.items()):
            typer.echo(f"{name:16}{rows:>10,}")
        typer.echo(f"Written to {folder}; the right answers are in {folder / 'answers'}.")
        typer.echo(f"Build it with: wanmi build {folder}")
        if sheets:
            typer.echo(f"Map sheets: {folder / 'sheets'}; update of the map: {folder / 'update'}")

    emit(report, as_json=as_json, human=human)


def build(
    ctx: typer.Context,
    delivery: Annotated[Path, typer.Argument(help="Folder with a delivery.toml, or a .zip.")],
    only: Annotated[
        list[str] | None, typer.Option(help="Build this dataset alone; may be repeated.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Judge everything, write nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Build the databases from a delivery, in dependency order; building twice changes nothing.

    Rows refused are no error: they are counted, and `wanmi rejects` hands them back.

    Example: wanmi build deliveries/2026-spring-census --only components --dry-run
    """
    from pipelines.build import BuildOptions, build_delivery

    options = BuildOptions(only=tuple(only or ()), dry_run=dry_run, actor=actor())
    reports = build_delivery(
        delivery, workspace=workspace_of(ctx), options=options, progress=progress
    )

    def human() -> None:
        typer.echo(
            f"{'dataset':18}{'status':12}{'read':>10}{'accepted':>10}{'rejected':>10}"
            f"{'opened':>10}{'closed':>10}{'unchanged':>11}"
        )
        for report in reports:
            _print_report(report)
        rejected = sum(report.rows_rejected for report in reports)
        if rejected and not dry_run:
            typer.echo(
                f"{rejected:,} rows were rejected; see them with: wanmi rejects -o rejects.gpkg"
            )
        if dry_run:
            typer.echo("Dry run: nothing was written.")

    emit([asdict(report) for report in reports], as_json=as_json, human=human)


def _print_report(report: Any) -> None:
    counts = (report.rows_opened, report.rows_closed, report.rows_unchanged)
    opened, closed, unchanged = ("-" if count is None else f"{count:,}" for count in counts)
    typer.echo(
        f"{report.dataset:18}{report.status:12}{report.rows_read:>10,}{report.rows_accepted:>10,}"
        f"{report.rows_rejected:>10,}{opened:>10}{closed:>10}{unchanged:>11}"
    )
    for warning in report.warnings:
        typer.echo(f"    {warning}")
    for fault in report.faults:
        typer.echo(
            f"    {fault['severity']:8}{fault['rule']:6}{fault['rows']:>6,}  {fault['example']}"
        )


def status(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Show what is live: rows, newest build and refused rows of each dataset.

    Example: wanmi status --json
    """
    from gis.database import open_database
    from pipelines.status import read_status

    workspace = workspace_of(ctx)
    rows = read_status(open_database(workspace))

    def human() -> None:
        typer.echo(
            f"{'dataset':18}{'live rows':>12}{'as of':>12}{'build':>7}{'rejected':>10}  delivery"
        )
        for row in rows:
            typer.echo(
                f"{row.dataset:18}{row.live_rows:>12,}{row.as_of or '-':>12}"
                f"{row.build_id or '-':>7}{row.rows_rejected:>10,}  {row.delivery or ''}"
            )

    emit([asdict(row) for row in rows], as_json=as_json, human=human)


def builds(
    ctx: typer.Context,
    limit: Annotated[int, typer.Option(min=1, help="How many, newest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List the builds, newest first.

    Example: wanmi builds --limit 10
    """
    from gis.builds import list_builds
    from gis.database import open_database

    rows = list_builds(open_database(workspace_of(ctx))).head(limit).to_dict("records")

    def human() -> None:
        typer.echo(
            f"{'build':>6}  {'dataset':18}{'status':13}{'as of':12}{'opened':>10}{'closed':>10}"
            f"{'unchanged':>11}{'rejected':>10}  delivery"
        )
        for row in rows:
            typer.echo(
                f"{row['build_id']:>6}  {row['dataset']:18}{row['status']:13}{row['as_of']!s:12}"
                f"{row['rows_opened']:>10,}{row['rows_closed']:>10,}{row['rows_unchanged']:>11,}"
                f"{row['rows_rejected']:>10,}  {row['delivery']}"
            )

    emit(rows, as_json=as_json, human=human)


def rollback(
    ctx: typer.Context,
    build_id: Annotated[int, typer.Argument(metavar="BUILD", help="Number, see wanmi builds.")],
    as_json: AsJson = False,
) -> None:
    """Undo the newest live build of its dataset: the rows before it are live again.

    Example: wanmi rollback 12
    """
    from gis.database import open_database
    from pipelines.records import roll_back

    result = roll_back(open_database(workspace_of(ctx)), build_id, actor=actor())

    def human() -> None:
        typer.echo(
            f"Build {result.build_id} of {result.dataset} was rolled back: {result.rows_removed:,} "
            f"rows removed, {result.rows_reopened:,} live again. Compile the snapshot anew with: "
            "wanmi snapshot"
        )

    emit(result, as_json=as_json, human=human)


def verify(ctx: typer.Context, as_json: AsJson = False) -> None:
    """Check what is live; each failed check names the command that repairs it.

    Ends with an error if a check of severity error failed.

    Example: wanmi verify
    """
    from gis.database import open_database
    from pipelines.verify import verify as run_checks

    workspace = workspace_of(ctx)
    results = run_checks(open_database(workspace), workspace)

    def human() -> None:
        for result in results:
            mark = "ok" if result.passed else result.severity
            typer.echo(f"{mark:8}{result.title}")
            if not result.passed:
                typer.echo(f"        {result.count:,}: {'; '.join(result.examples)}")
                typer.echo(f"        repair: {result.hint}")

    emit([asdict(result) for result in results], as_json=as_json, human=human)
    failed = [result for result in results if not result.passed and result.severity == "error"]
    if failed:
        msg = f"{len(failed)} checks failed: {', '.join(result.name for result in failed)}."
        raise BuildError(msg, zh=f"{len(failed)} 项检查未通过。")


def rejects(
    ctx: typer.Context,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write: .gpkg or .xlsx.")
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Only this dataset.")] = None,
    build_id: Annotated[
        int | None, typer.Option("--build", help="Only this build; default: the newest of each.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count refused and doubted rows by rule, or write them to a file for the surveyor.

    Example: wanmi rejects -o rejects.gpkg
    """
    from gis.database import open_database
    from pipelines.rejects import count_rejects, read_rejects, write_rejects

    frame = read_rejects(open_database(workspace_of(ctx)), dataset=dataset, build_id=build_id)
    counts = count_rejects(frame)
    if output is not None:
        write_rejects(frame, output)

    def human() -> None:
        for row in counts:
            typer.echo(
                f"{row['dataset']:18}{row['severity']:9}{row['rule']:6}{row['rows']:>8,}  "
                f"{row['example']}"
            )
        typer.echo(f"{len(frame):,} faults" + (f" written to {output}." if output else "."))

    emit(counts, as_json=as_json, human=human)


def demo(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the demo.")] = Path(
        "demo"
    ),
    once: Annotated[
        bool, typer.Option("--once", help="Make three calls, print the answers, stop.")
    ] = False,
    area_km2: Annotated[float, typer.Option(help="Size of the district, 1 to 1000 km².")] = 4.0,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8000,
) -> None:
    """Make a workspace with a sample district, build, and serve it; what is there is used again.

    Example: wanmi demo --once
    """
    from pipelines.demo import run_demo

    run_demo(
        folder,
        settings=settings_of(ctx),
        area_km2=area_km2,
        port=port,
        once=once,
        echo=typer.echo,
    )
