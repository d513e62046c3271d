"""``wanmi grid export``, ``import`` and ``locks``: editing unit grids by hand in QGIS."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import actor, emit, workspace_of
from gis.errors import DeliveryError
from gridding.cli.layers import AsJson, carry_sets

if TYPE_CHECKING:
    import geopandas as gpd

_SHOWN = 10


def add(grid: typer.Typer) -> None:
    """Add the commands."""
    grid.command("export")(export)
    grid.command("import")(import_edit)
    grid.command("locks")(locks)


def export(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="GeoPackage to write.")],
    community: Annotated[
        list[str] | None, typer.Option("--community", "-c", help="Only this community; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write unit grids for editing in QGIS, with a project that has topological editing on.

    Open FILE.qgs, or the project inside the GeoPackage; edit the layer of unit grids; save; then
    bring it back with `wanmi grid import`.

    Example: wanmi grid export 编辑.gpkg -c 130102001001
    """
    from gis.database import open_database
    from gridding.editing import export_grids

    workspace = workspace_of(ctx)
    layers = export_grids(open_database(workspace), file, codes=community or [])
    told = ", ".join(f"{count} {name}" for name, count in layers.items())
    emit(
        {"file": str(file), "project": str(file.with_suffix(".qgs")), "layers": layers},
        as_json=as_json,
        human=lambda: typer.echo(f"{file} written: {told}. Open {file.with_suffix('.qgs')}."),
    )


def import_edit(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The GeoPackage that was exported and edited.")],
    reason: Annotated[str, typer.Option(help="Why the grids were changed, for the record.")],
    editor: Annotated[
        str | None, typer.Option("--actor", help="Who edited; default: the user of this computer.")
    ] = None,
    is_rehearsal: Annotated[
        bool, typer.Option("--dry-run", help="Judge the edit, change nothing.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write what is wrong, and where, to this .gpkg."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring an edit back: judged by the checks, made live, and locked against later divisions.

    An edit with errors is refused as a whole; warnings, as a building that is cut, are told. Borders
    that moved and grids that were redrawn are locked until `wanmi grid locks --release` gives them free.

    Example: wanmi grid import 编辑.gpkg --actor 王芳 --reason 沿新围墙调整
    """
    from gis.database import open_database
    from gridding.editing import lock_edit, read_revision
    from gridding.proposal import alone, apply

    if output is not None:
        _check_faults_file(output, file)
    workspace = workspace_of(ctx)
    database = open_database(workspace)
    who = editor or actor()
    result: dict[str, Any] = {}
    with alone(database):
        revision = read_revision(database, file, profile=workspace.profile)
        is_error = revision.faults["severity"].eq("error")
        accepted = not is_error.any()
        if output is not None:
            _write_faults(revision.faults, output)
        if accepted and not is_rehearsal and revision.is_change:
            also = lock_edit(revision, database, actor=who, reason=reason)
            done = apply(database, revision.proposal, actor=who, reason=reason, also=also)
            result = asdict(done)
    if result:
        carry_sets(database, actor=who)
    rows = revision.faults.drop(columns="geometry")
    faults, warnings = (rows[kind].to_dict("records") for kind in (is_error, ~is_error))
    kinds = revision.locks["kind"].tolist()
    told = {
        "edited": len(revision.proposal.touched),
        "faults": faults,
        "warnings": warnings,
        "borders_locked": kinds.count("border"),
        "grids_locked": kinds.count("grid"),
        "locks_released": len(revision.released),
        "edit": result or None,
    }
    emit(told, as_json=as_json, human=lambda: _show(told))
    if not accepted:
        raise typer.Exit(1)


def _check_faults_file(output: Path, file: Path) -> None:
    """Refuse a place for faults that holds the edit, or a format that takes one kind of shape only."""
    from gis.outputs import check_output

    check_output(output)
    if output.suffix.lower() != ".gpkg":
        msg = f"Faults are points, lines and areas, which {output.suffix} does not hold together: name a .gpkg."
        raise DeliveryError(
            msg, zh=f"问题图层含点、线、面，{output.suffix} 无法同时保存：请用 .gpkg。"
        )
    if output.resolve() == file.resolve():
        msg = f"{output.name} is the edited file itself: give the faults a file of their own."
        raise DeliveryError(msg, zh=f"{output.name} 就是编辑文件：请为问题图层另取文件名。")


def _write_faults(faults: "gpd.GeoDataFrame", output: Path) -> None:
    from gis.outputs import appearing_files
    from gis.vector import write_vector

    with appearing_files(output) as partial:
        write_vector(faults, partial, layer="faults")


def _show(told: dict[str, Any]) -> None:
    for row in [*told["faults"], *told["warnings"]][:_SHOWN]:
        place = f" At {row['x']:.0f}, {row['y']:.0f}." if row["x"] == row["x"] else ""
        typer.echo(f"{row['severity']:8}{row['rule']}  {row['reason_en']}{place}")
    count = len(told["faults"]) + len(told["warnings"])
    if count > _SHOWN:
        typer.echo(f"… and {count - _SHOWN} more; --json and -o list all.")
    if told["faults"]:
        typer.echo(
            f"The edit was not taken, for {len(told['faults'])} faults: repair them in the file and import it "
            "again; -o FILE.gpkg shows where they are. New grids are named by the codes they would get."
        )
    elif told["edit"]:
        made = told["edit"]
        typer.echo(
            f"Edit {made['edit_id']} taken: {told['edited']} grids edited, {made['opened']} codes given, "
            f"{made['retired']} closed; {told['borders_locked']} borders and {told['grids_locked']} grids locked."
        )
    else:
        typer.echo(f"{told['edited']} grids edited, no faults; nothing was changed.")


def locks(
    ctx: typer.Context,
    release: Annotated[
        list[int] | None, typer.Option("--release", help="Number of a lock to release; repeatable.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List borders and grids that editors locked, or release some.

    Example: wanmi grid locks --release 12
    """
    from gis.database import open_database
    from gridding.locks import list_locks, release_lock

    database = open_database(workspace_of(ctx))
    for number in release or []:
        if number < 1:
            msg = f"{number} is no number of a lock: `wanmi grid locks` lists them."
            raise DeliveryError(msg, zh=f"{number} 不是锁定编号：请用 wanmi grid locks 查看。")
        release_lock(database, number, actor=actor())
    rows = list_locks(database).to_dict("records")

    def show() -> None:
        for row in rows:
            unit = "m" if row["kind"] == "border" else "m²"
            size = f"{row['size']:.0f} {unit}"
            typer.echo(
                f"{row['lock_id']:6}  {row['kind']:7}{row['code'] or '–':16}{size:>12}  "
                f"{row['actor']}: {row['reason']}"
            )
        typer.echo(f"{len(rows)} locks hold.")

    emit({"locks": rows}, as_json=as_json, human=show)
