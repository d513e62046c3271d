"""``wanmi grid manage``: management grids 管理网格 and evaluation grids 评价网格."""

from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import actor, emit, workspace_of
from gis.errors import BuildError, RequestError
from gridding.cli.layers import AsJson, Output
from gridding.trades.trade import LOADS

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from gis.database import Database
    from gis.workspace import Workspace
    from gridding.trades.delivered import Sort
    from gridding.trades.trade import Trade

_SHOWN = 20
_USUAL = 25
"""Unit grids in a management grid where no number is asked for."""
_SHEETS = (".csv", ".xlsx")

File = Annotated[Path, typer.Argument(help="Layer or table of grids: .gpkg, .shp, .xlsx, .csv.")]
IsEvaluation = Annotated[
    bool,
    typer.Option("--evaluation", help="Evaluation grids 评价网格 instead of management grids."),
]
Day = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="Day from which it holds.")
]


def add(grid: typer.Typer) -> None:
    """Add the commands."""
    manage = typer.Typer(
        no_args_is_help=True,
        help="Management grids 管理网格 of trades, evaluation grids 评价网格: divide, check, load, carry.",
    )
    for name, command in (
        ("divide", divide),
        ("check", check),
        ("load", load),
        ("carry", carry_on),
    ):
        manage.command(name)(command)
    grid.add_typer(manage, name="manage")


def divide(
    ctx: typer.Context,
    output: Output,
    trade: Annotated[str | None, typer.Option(help="Trade 行业, as sanitation or 环卫.")] = None,
    kind: Annotated[
        str | None, typer.Option("--evaluation", help="Evaluation grids of this kind, as A.")
    ] = None,
    count: Annotated[
        int | None, typer.Option(min=1, help="Grids wanted; default: one per 25 unit grids.")
    ] = None,
    load: Annotated[
        str, typer.Option(help="What to balance, with weights: components,cases=2,patrol_length.")
    ] = ",".join(LOADS),
    within: Annotated[
        str, typer.Option(help="A grid stays inside a district, street or community.")
    ] = "street",
    as_json: AsJson = False,
) -> None:
    """Divide the unit grids into connected sets of about equal load and write them to a file.

    The database is not touched: fill in units and persons, then load the file.

    Example: wanmi grid manage divide --trade sanitation --count 40 --load components,cases -o 环卫.gpkg
    """
    import numpy as np

    from gis.database import open_database
    from gis.outputs import appearing_files, check_output
    from gis.vector import write_vector
    from gridding.trades.loads import join_loads, parse_loads
    from gridding.trades.proposal import WITHIN, Wish, propose
    from gridding.trades.store import count_loads, ever_used

    check_output(output)
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    weights = parse_loads(load)
    if within not in WITHIN:
        known = ", ".join(WITHIN)
        msg = f"--within is {within!r}; use one of {known}."
        raise RequestError(msg, zh=f"--within 为“{within}”；请用 {known} 之一。")
    sort, letters, title, series = _series(workspace, trade, kind)
    grids = _unit_grids(database)
    wish = Wish(
        letters=letters,
        title=title,
        series=series,
        count=count or max(1, round(len(grids) / _USUAL)),
        within=within,
    )
    loads = count_loads(database, grids, list(weights))
    joined = join_loads(loads, weights) if weights else np.ones(len(grids))
    sets, quality = propose(grids, joined, wish=wish, used=ever_used(database, sort))
    with appearing_files(output) as partial:
        write_vector(sets, partial)
    absent = [name for name, values in loads.items() if not values.any()]

    def show() -> None:
        typer.echo(
            f"{quality.sets} grids of {len(grids)} unit grids written to {output}: load CV "
            f"{quality.load_cv:.3f}, largest {quality.load_max_to_mean:.2f} of the mean, "
            f"compactness {quality.compactness_median:.2f} median, {quality.compactness_p10:.2f} p10."
        )
        if absent:
            typer.echo(f"Not balanced, for lack of data: {', '.join(absent)}.")
        if "cases" in absent:
            typer.echo("Cases count once they are located: `wanmi assign --stored`.")

    told = {
        "file": str(output),
        "unit_grids": len(grids),
        "loads_absent": absent,
        **asdict(quality),
    }
    emit(told, as_json=as_json, human=show)


def check(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Layer or table to check.")] = None,
    is_live: Annotated[bool, typer.Option("--live", help="Check what is in the database.")] = False,
    is_evaluation: IsEvaluation = False,
    as_json: AsJson = False,
) -> None:
    """Check neighbours, full cover, overlaps, codes, units; exit code 1 if anything is an error.

    Example: wanmi grid manage check 环卫网格.xlsx
    """
    from gis.database import open_database
    from gridding.trades.delivered import EVALUATION, MANAGEMENT
    from gridding.trades.store import judge_layer

    if (file is None) != is_live:
        msg = "Name one layer to check: a file, or --live for the grids in the database."
        raise RequestError(msg, zh="请指定要检查的图层：一个文件，或用 --live 检查库中的网格。")
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    sort = EVALUATION if is_evaluation else MANAGEMENT
    frame = _live_layer(database, sort) if file is None else _read(file, workspace, sort)
    _, faults = judge_layer(database, frame, sort=sort, local=_local(workspace))
    rows = faults.drop(columns=["record", "geometry"]).to_dict("records")
    errors = int((faults["severity"] == "error").sum())
    result = {"grids": len(frame), "errors": errors, "faults": rows}
    emit(result, as_json=as_json, human=lambda: _show(rows, f"{len(frame)} rows"))
    if errors:
        raise typer.Exit(1)


def load(
    ctx: typer.Context,
    file: File,
    as_of: Day = None,
    is_evaluation: IsEvaluation = False,
    as_json: AsJson = False,
) -> None:
    """Load grids into the database; they replace those of their trades in their districts.

    Rows with an error are refused and kept among the rejects. Any load can be rolled back.

    Example: wanmi grid manage load 环卫.gpkg --as-of 2026-06-01
    """
    from gis.database import open_database
    from gridding.trades.delivered import EVALUATION, MANAGEMENT
    from gridding.trades.store import load_layer

    workspace = workspace_of(ctx)
    database = open_database(workspace)
    sort = EVALUATION if is_evaluation else MANAGEMENT
    result, faults = load_layer(
        database,
        _read(file, workspace, sort),
        sort=sort,
        local=_local(workspace),
        as_of=_day(as_of),
        actor=actor(),
    )
    rows = faults.drop(columns=["record", "geometry"]).to_dict("records")
    text = (
        f"Build {result.build_id} {result.status}: {result.rows_accepted} grids, "
        f"{result.rows_rejected} refused, {result.rows_opened} new versions, "
        f"{result.rows_closed} closed"
    )
    emit({**asdict(result), "faults": rows}, as_json=as_json, human=lambda: _show(rows, text))


def carry_on(
    ctx: typer.Context,
    as_of: Day = None,
    is_dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list the changes.")] = False,
    as_json: AsJson = False,
) -> None:
    """Carry management and evaluation grids over a change of unit grids, by the land they hold.

    A build of unit grids does this by itself; after other changes this command does.

    Example: wanmi grid manage carry --dry-run
    """
    import geopandas as gpd

    from gis.builds import live
    from gis.database import open_database
    from gridding.trades.carrying import carry
    from gridding.trades.delivered import EVALUATION, MANAGEMENT
    from gridding.trades.store import carry_live

    database = open_database(workspace_of(ctx))
    result: dict[str, Any] = {}
    for sort in (MANAGEMENT, EVALUATION):
        if is_dry_run:
            rows = gpd.GeoDataFrame(live(database, sort.dataset))
            carriage = carry(rows, _unit_grids(database), sort=sort)
        else:
            carriage = carry_live(database, sort=sort, as_of=_day(as_of), actor=actor())
        changes = carriage.changes.to_dict("records")
        result[sort.dataset] = {"changed": changes, "emptied": list(carriage.emptied)}

    def show() -> None:
        for dataset, told in result.items():
            for row in told["changed"][:_SHOWN]:
                gone, came = ", ".join(row["gone"]) or "–", ", ".join(row["came"]) or "–"
                typer.echo(f"{dataset} {row['code']}: {gone} -> {came}")
            typer.echo(f"{dataset}: {len(told['changed'])} changed, {len(told['emptied'])} closed.")

    emit(result, as_json=as_json, human=show)


def _day(as_of: datetime | None) -> date:
    return datetime.now(UTC).date() if as_of is None else as_of.date()


def _local(workspace: "Workspace") -> "list[Trade]":
    from gridding.trades.trade import local_trade

    return [local_trade(t.name, letters=t.letters) for t in workspace.profile.extension_trade]


def _series(
    workspace: "Workspace", trade: str | None, kind: str | None
) -> "tuple[Sort, str, str, tuple[str, str]]":
    """Return which grids are asked for, letters of their codes, begin of their names, and the series."""
    from gridding.trades.delivered import EVALUATION, MANAGEMENT, ONLY_KIND
    from gridding.trades.trade import find_trade, known_trades

    if kind is not None and trade is None:
        return EVALUATION, "PJ", "评价", ("kind", kind.strip() or ONLY_KIND)
    found = find_trade(trade, local=_local(workspace))
    if kind is not None or found is None:
        msg = f"Name one trade with --trade ({known_trades()}), or a kind with --evaluation."
        raise RequestError(msg, zh="请用 --trade 指定一个行业，或用 --evaluation 指定评价类别。")
    return MANAGEMENT, found.letters, found.name_zh, ("trade", found.key)


def _unit_grids(database: "Database") -> "gpd.GeoDataFrame":
    import geopandas as gpd

    from gis.builds import live

    grids = gpd.GeoDataFrame(live(database, "unit_grids", columns=["code", "geometry"]))
    if grids.empty:
        msg = "No unit grids are loaded; build a delivery with areas and topography first: `wanmi build DELIVERY`."
        raise BuildError(msg, zh="尚未入库任何单元网格，请先用 wanmi build 构建。")
    return grids


def _read(file: Path, workspace: "Workspace", sort: "Sort") -> "pd.DataFrame":
    import pandas as pd

    from gis.crs import city_crs
    from gis.fields import map_fields
    from gis.sheets import read_sheet
    from gis.vector import read_vector

    if file.suffix.lower() in _SHEETS:
        frame = pd.DataFrame(read_sheet(file).frame)
    else:
        target = city_crs(workspace.profile, workspace.root).text
        frame = pd.DataFrame(read_vector(file, target_crs=target).frame)
    if frame.empty:
        msg = f"{file.name} has no rows; name a layer with grids in it."
        raise RequestError(msg, zh=f"{file.name} 中没有记录，请指定含网格的图层。")
    return map_fields(frame, dataset=sort.dataset).frame


def _live_layer(database: "Database", sort: "Sort") -> "pd.DataFrame":
    import numpy as np
    import pandas as pd

    from gis.builds import live

    rows = live(database, sort.dataset).reset_index(drop=True)
    if rows.empty:
        msg = f"No {sort.dataset} are loaded; load a layer first: `wanmi grid manage load FILE`."
        raise BuildError(msg, zh="尚未入库此类网格，请先用 wanmi grid manage load 入库。")
    members = [" ".join(codes) for codes in rows["members"]]
    numbers = np.arange(1, len(rows) + 1)
    plain = pd.DataFrame(rows).drop(columns="geometry")
    return plain.assign(members=members, source_file="database", source_row=numbers)


def _show(rows: list[dict[str, Any]], text: str) -> None:
    for row in rows[:_SHOWN]:
        typer.echo(f"{row['severity']:8}{row['rule']}  {row['reason_en']}")
    if len(rows) > _SHOWN:
        typer.echo(f"… and {len(rows) - _SHOWN} more; --json lists all.")
    errors = sum(row["severity"] == "error" for row in rows)
    typer.echo(f"{text}; {errors} errors, {len(rows) - errors} warnings.")
