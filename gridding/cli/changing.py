"""``wanmi grid update`` and ``wanmi grid compare``."""

import re
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import actor, emit, workspace_of
from gis.errors import DeliveryError
from gridding.cli.layers import AsJson, carry_sets, read_grids

if TYPE_CHECKING:
    import geopandas as gpd

    from gis.database import Database
    from gis.workspace import Workspace
    from gridding.compare import Comparison
    from gridding.proposal import Proposal

_SHOWN = 12
_LIVE = "live"
_ROADS = ("42", "43", "44")


def add(grid: typer.Typer) -> None:
    """Add the commands."""
    grid.command("update")(renew)
    grid.command("compare")(show_differences)


def show_differences(
    ctx: typer.Context,
    old: Annotated[str, typer.Argument(help="A file, `live`, or a day: 2026-05-31.")],
    new: Annotated[str, typer.Argument(help="The same.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the changed grids: .gpkg, .geojson."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two layers of unit grids: kept, reshaped, split, merged, replaced, new, retired.

    Components and open cases that change grid are listed, too.

    Example: wanmi grid compare live proposal.gpkg -o changes.gpkg
    """
    from gis.builds import live
    from gis.database import open_database
    from gis.outputs import appearing_files, check_output
    from gis.vector import write_vector
    from gridding.compare import compare
    from gridding.proposal import open_cases

    if output is not None:
        check_output(output)
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    found = compare(
        _layer(old, workspace, database),
        _layer(new, workspace, database),
        components=live(database, "components", columns=["code", "geometry"]),
        cases=open_cases(database),
    )
    if output is not None:
        with appearing_files(output) as partial:
            write_vector(found.table, partial)
    emit(_told(found), as_json=as_json, human=lambda: _show(found))


def _layer(name: str, workspace: "Workspace", database: "Database") -> "gpd.GeoDataFrame":
    """Return the layer that a word names."""
    import geopandas as gpd

    from gis.builds import live

    if name == _LIVE:
        return gpd.GeoDataFrame(live(database, "unit_grids"))
    if re.fullmatch(r"\d{8}|\d{4}-\d{1,2}-\d{1,2}", name) is None:
        grids = read_grids(Path(name), workspace)
        if "code" not in grids:
            msg = f"{name} has no column of grid codes; number it with `wanmi grid number {name}`."
            raise DeliveryError(msg, zh=f"{name} 没有单元网格编码列，请用 wanmi grid number 编号。")
        return grids
    return _held_on(_day(name), "unit_grids", database)


def _held_on(day: date, dataset: str, database: "Database") -> "gpd.GeoDataFrame":
    """Return what of a dataset held on a day; that it held nothing is said."""
    import geopandas as gpd

    from gis.builds import live

    rows = gpd.GeoDataFrame(live(database, dataset, as_of=day))
    if rows.empty:
        msg = f"No {dataset} held on {day}: give a later day; `wanmi builds` lists what was built when."
        raise DeliveryError(
            msg, zh=f"{day} 当日尚无 {dataset} 数据：请给出更晚的日期，可用 wanmi builds 查看。"
        )
    return rows


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        msg = f"{text!r} is no day: write it as 2026-05-31."
        raise DeliveryError(msg, zh=f"“{text}”不是日期，请写作 2026-05-31。") from error


def renew(
    ctx: typer.Context,
    from_date: Annotated[
        str | None, typer.Option(help="Changes of the topography since this day: 2026-05-31.")
    ] = None,
    changes: Annotated[
        Path | None,
        typer.Option(help="A layer of what changed, instead of the database's history."),
    ] = None,
    is_areas: Annotated[
        bool, typer.Option("--areas", help="Follow changed areas instead: split, merged, renamed.")
    ] = False,
    policy: Annotated[
        str,
        typer.Option(help="keep: repair only; soft: where it pays; hard: roads become borders."),
    ] = "soft",
    hard_class: Annotated[
        str, typer.Option(help="With hard: roads of this class, or worth as much.")
    ] = "4305",
    keep_share: Annotated[
        float | None,
        typer.Option(help="A part with this share of a split grid keeps its code: 0.7."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the proposal: .gpkg.")
    ] = None,
    is_applied: Annotated[bool, typer.Option("--apply", help="Make it live.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the record; needed with --apply.")] = "",
    as_json: AsJson = False,
) -> None:
    """Bring the unit grids up to date: only grids that a change touches may change.

    Without --apply nothing is written to the database. A border that moves a little keeps its code;
    split and merged grids are closed and new numbers appended.

    Example: wanmi grid update --policy hard --hard-class 430502 -o proposal.gpkg
    """
    from gis.database import open_database
    from gis.outputs import check_output
    from gridding.change import POLICIES, UpdateRules
    from gridding.lineage import CodeRules
    from gridding.options import options_of
    from gridding.proposal import alone, apply, effects, propose_areas, propose_update

    if policy not in POLICIES:
        msg = f"There is no policy {policy!r}: use keep, soft or hard."
        raise DeliveryError(msg, zh=f"没有策略“{policy}”：请用 keep、soft 或 hard。")
    if not hard_class.startswith(_ROADS):
        known = ", ".join(_ROADS)
        msg = f"--hard-class {hard_class!r} is no class of roads of GB/T 13923: those begin with {known}."
        raise DeliveryError(
            msg, zh=f"--hard-class“{hard_class}”不是 GB/T 13923 道路类代码：应以 {known} 开头。"
        )
    if is_applied and not reason.strip():
        msg = "A change that is applied needs its reason: add --reason TEXT."
        raise DeliveryError(msg, zh="应用变更须说明原因：请加 --reason。")
    if output is not None:
        check_output(output)
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    rules = UpdateRules(policy=policy, hard_class=hard_class)  # type: ignore[arg-type]
    codes = CodeRules(kept_share=keep_share)

    def propose() -> "Proposal":
        options = options_of(workspace.profile)
        if is_areas:
            return propose_areas(database, profile=workspace.profile, options=options, codes=codes)
        return propose_update(
            database,
            profile=workspace.profile,
            options=options,
            rules=rules,
            changed=_changed(changes, from_date, workspace, database),
            codes=codes,
        )

    if not is_applied:
        proposal = propose()
        result: dict[str, Any] = {}
    else:
        with alone(database):
            proposal = propose()
            result = asdict(apply(database, proposal, actor=actor(), reason=reason))
        carry_sets(database, actor=actor())
    found = effects(database, proposal, rules=codes)
    if output is not None:
        _write(proposal, found, output)
    told = {
        "touched": len(proposal.touched),
        **_told(found),
        "roads_left_m": round(float(proposal.left.length.sum()), 1),
        "edit": result or None,
    }
    emit(told, as_json=as_json, human=lambda: _show_update(proposal, found, result))


def _changed(
    file: Path | None, since: str | None, workspace: "Workspace", database: "Database"
) -> "gpd.GeoDataFrame | None":
    import geopandas as gpd

    from gis.builds import live
    from gis.crs import city_crs
    from gis.fields import map_fields
    from gis.vector import read_vector
    from gridding.changes import changed_features

    if file is not None:
        target = city_crs(workspace.profile, workspace.root).text
        layer = read_vector(file, target_crs=target)
        frame = gpd.GeoDataFrame(map_fields(layer.frame, dataset="topography").frame)
        frame = gpd.GeoDataFrame(frame[frame.geometry.notna()])
        return frame if "feature_class" in frame else frame.assign(feature_class="")
    if since is None:
        return None
    columns = ["feature_class", "geometry"]
    return changed_features(
        gpd.GeoDataFrame(_held_on(_day(since), "topography", database)[columns]),
        gpd.GeoDataFrame(live(database, "topography", columns=columns)),
    )


def _write(proposal: "Proposal", found: "Comparison", output: Path) -> None:
    import geopandas as gpd

    from gis.outputs import appearing_files
    from gis.vector import write_vector

    columns = ["code", "community_code", "area_m2", "geometry"]
    grids = proposal.new.assign(area_m2=proposal.new.geometry.area)
    with appearing_files(output) as partial:
        write_vector(gpd.GeoDataFrame(grids[columns]), partial, layer="unit_grid")
        if output.suffix.lower() == ".gpkg":
            write_vector(found.table, partial, layer="changes")


def _told(found: "Comparison") -> dict[str, Any]:
    rows = found.table.drop(columns="geometry").to_dict("records")
    return {
        **found.counts,
        "changes": rows,
        "components": found.components.to_dict("records"),
        "cases": found.cases.to_dict("records"),
    }


def _show(found: "Comparison") -> None:
    typer.echo(", ".join(f"{count} {word}" for word, count in found.counts.items()) + ".")
    rows = found.table.to_dict("records")
    for row in rows[:_SHOWN]:
        typer.echo(f"{row['kind']:10}{row['old_code'] or '-':>16} -> {row['new_code'] or '-'}")
    if len(rows) > _SHOWN:
        typer.echo(f"… and {len(rows) - _SHOWN} more; --json lists all.")
    typer.echo(f"{len(found.components)} components and {len(found.cases)} open cases change grid.")


def _show_update(proposal: "Proposal", found: "Comparison", result: dict[str, Any]) -> None:
    typer.echo(f"{len(proposal.touched)} of {len(proposal.old)} grids were free to change.")
    _show(found)
    if len(proposal.left):
        length = proposal.left.length.sum()
        typer.echo(
            f"{length:.0f} m of road could not become borders: what lies beside is too small."
        )
    if result:
        typer.echo(
            f"Edit {result['edit_id']} applied: build {result['build_id'] or 'none needed'}."
        )
    else:
        typer.echo("Nothing was changed; --apply --reason TEXT makes it live.")
