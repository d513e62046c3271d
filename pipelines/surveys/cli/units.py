"""``wanmi units``: list the directory, find what a name means, review and confirm spellings."""

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from gis.command import actor, emit, workspace_of
from gis.errors import RequestError

if TYPE_CHECKING:
    from census.decisions import Decision, OpenName
    from census.matching import Candidate
    from census.units import UnitDirectory
    from gis.workspace import Workspace

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsOf = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d"], help="Day, as in 2026-05-31; default: what is live."),
]

_SHOWN = 3


def add(units: typer.Typer) -> None:
    """Add the commands."""
    units.command("list")(list_units)
    units.command("match")(match)
    units.command("review")(review)
    units.command("confirm")(confirm)


def list_units(
    ctx: typer.Context,
    text: Annotated[str, typer.Argument(help="Part of a code, name or alias.")] = "",
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """List the units of the directory, and which unit answers for those that were merged or split.

    Example: wanmi units list 园林
    """
    from gis.database import open_database
    from pipelines.surveys.names import read_register

    workspace = workspace_of(ctx)
    day = _day(as_of, workspace)
    register = read_register(open_database(workspace), as_of=as_of and day)
    rows = [_unit(row, register.directory, day) for row in register.units.to_dict("records")]
    kept = [row for row in rows if _has(row, text)]

    def show() -> None:
        for row in kept:
            names = [*row["aliases"], *(f"{name} [confirmed]" for name in row["confirmed"])]
            aliases = f"  ({'、'.join(names)})" if names else ""
            typer.echo(f"{row['code']}  {row['name']}{aliases}  {row['kind']}{_fate(row)}")
        typer.echo(f"{len(kept)} of {len(rows)} units.", err=True)

    emit(kept, as_json=as_json, human=show)


def match(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names or codes.")],
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Say which unit a name or code means, which answers for it, or which it is like.

    Example: wanmi units match 市路灯处 绿源园林 --as-of 2020-01-01
    """
    from census.matching import UnitNames
    from gis.database import open_database
    from pipelines.surveys.names import read_register

    workspace = workspace_of(ctx)
    day = _day(as_of, workspace)
    directory = read_register(open_database(workspace), as_of=as_of and day).directory
    search = UnitNames(directory)
    found = [_meaning(name, directory, search, day) for name in names]

    def show() -> None:
        for row in found:
            typer.echo(_sentence(row, directory))

    emit(found, as_json=as_json, human=show)


def review(
    ctx: typer.Context,
    delivery: Annotated[
        Path | None, typer.Argument(help="Delivery to look at too; default: what is loaded.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write an .xlsx to fill in, for `units confirm --file`."
        ),
    ] = None,
    all_names: Annotated[bool, typer.Option("--all", help="Those rejected before, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the names of units that components give and the directory lacks, with candidates.

    Nothing is taken for a unit because it is alike: a person confirms each name once.

    Example: wanmi units review -o names.xlsx
    """
    from census.review import write_review
    from gis.database import open_database
    from pipelines.surveys.names import read_register, review_names

    if output is not None:
        _check_workbook(output)
    workspace = workspace_of(ctx)
    listed = review_names(workspace, delivery=delivery)
    kept = [name for name in listed if all_names or name.decision != "rejected"]
    directory = read_register(open_database(workspace)).directory
    if output is not None:
        write_review(kept, directory, output)

    def show() -> None:
        for name in kept:
            _show_open(name, directory)
        rejected = len(listed) - len(kept)
        more = f"; {rejected} rejected before are left out (--all)" if rejected else ""
        typer.echo(f"{len(kept)} names are open{more}.", err=True)

    emit([_plain(name) for name in kept], as_json=as_json, human=show)


def confirm(
    ctx: typer.Context,
    spelling: Annotated[str | None, typer.Argument(help="Name as delivered.")] = None,
    code: Annotated[str | None, typer.Argument(help="Code of the unit it means.")] = None,
    reject: Annotated[bool, typer.Option("--reject", help="It means no unit we have.")] = False,
    file: Annotated[
        Path | None, typer.Option(help="Take all decisions of a filled-in `units review -o` file.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace an earlier, other decision.")
    ] = False,
    note: Annotated[str, typer.Option(help="Why, for those who ask later.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say once which unit a delivered name means; the next check or build takes it for an alias.

    Example: wanmi units confirm 市照明公司 1301020204 --note "与照明公司核实"
    """
    from census.decisions import Decision
    from census.review import read_review
    from census.units import plain_unit_code
    from pipelines.surveys.names import decide_names, review_names

    if (file is None) == (spelling is None) or (file is None and (code is None) != reject):
        msg = "Give a name and a unit's code, or a name with --reject, or --file with a filled-in list."
        raise RequestError(
            msg, zh="请给出名称和单位代码，或名称加 --reject，或用 --file 指定填好的清单。"
        )
    workspace = workspace_of(ctx)
    if file is not None:
        decisions = read_review(file)
    else:
        plain = plain_unit_code(code) if code else None
        decisions = [Decision(spelling=str(spelling), unit_code=plain, note=note)]
    review_names(workspace)
    stored = decide_names(workspace, decisions, actor=actor(), replace=replace)

    def show() -> None:
        if not decisions:
            typer.echo("Nothing is filled in, so nothing was decided.")
        for decision in decisions:
            _show_decision(decision, decision.spelling not in {new.spelling for new in stored})

    result = {"decided": stored, "decided_before": len(decisions) - len(stored)}
    emit(result, as_json=as_json, human=show)


def _unit(row: dict[str, Any], directory: "UnitDirectory", day: date) -> dict[str, Any]:
    from census.units import plain_unit_name

    code = row["code"]
    confirmed = [name for name, unit in directory.confirmed.items() if unit == code]
    return {
        "code": code,
        "name": row["name"],
        "aliases": [name for name in row["aliases"] if plain_unit_name(name) not in confirmed],
        "confirmed": confirmed,
        "kind": row["kind"],
        "area_code": row["area_code"],
        "successor_code": row["successor_code"],
        "successor_from": row["successor_from"],
        "answers": directory.current(code, as_of=day),
        "split_into": list(directory.split_of(code, as_of=day)),
    }


def _has(row: dict[str, Any], text: str) -> bool:
    from census.units import plain_unit_name

    words = (row["code"], row["name"], *row["aliases"], *row["confirmed"])
    return any(plain_unit_name(text) in plain_unit_name(word) for word in words)


def _fate(row: dict[str, Any]) -> str:
    since = f" since {row['successor_from']}" if row["successor_from"] else ""
    if row["split_into"]:
        return f"  split into {', '.join(row['split_into'])}{since}: a person decides"
    return f"  answered by {row['answers']}{since}" if row["answers"] != row["code"] else ""


def _meaning(
    text: str, directory: "UnitDirectory", search: Any, day: date | None
) -> dict[str, Any]:
    from census.ownership import find_unit

    found = find_unit(text, text, directory)
    if found.code is None:
        listed: list[Candidate] = search.candidates(text)
        return {"given": text, "how": found.how, "candidates": listed}
    code = found.code
    return {
        "given": text,
        "how": found.how,
        "code": code,
        "name": directory.names[code],
        "answers": directory.current(code, as_of=day),
        "chain": list(directory.chain(code, as_of=day)),
        "split_into": list(directory.split_of(code, as_of=day)),
    }


def _sentence(row: dict[str, Any], directory: "UnitDirectory") -> str:
    if "candidates" in row:
        shown = "; ".join(_candidate(found, directory) for found in row["candidates"][:_SHOWN])
        return f"{row['given']}: not in the directory; most like it: {shown or 'nothing'}"
    text = f"{row['given']}: {row['code']} {row['name']} (by its {row['how']})"
    if row["how"] == "ambiguous":
        text = f"{row['given']}: several units have this name; the lowest code is {row['code']}"
    if row["answers"] != row["code"]:
        text += f"; answered by {row['answers']} {directory.names[row['answers']]}"
    if row["split_into"]:
        text += f"; split into {', '.join(row['split_into'])}: a person decides"
    return text


def _candidate(found: "Candidate", directory: "UnitDirectory") -> str:
    from census.matching import REASONS

    name = directory.names[found.unit_code]
    return f"{found.unit_code} {name} {found.score:.2f}, {REASONS[found.why][0]}"


def _show_open(name: "OpenName", directory: "UnitDirectory") -> None:
    from census.review import roles_text

    decided = "" if name.decision == "open" else f"  [{name.decision}]"
    typer.echo(f"{name.spelling}  {name.rows} rows: {roles_text(name)}{decided}")
    for found in name.candidates[:_SHOWN]:
        typer.echo(f"    {_candidate(found, directory)}")
    if not name.candidates:
        typer.echo("    nothing in the directory is like it")


def _show_decision(decision: "Decision", is_old: bool) -> None:
    meaning = f"means {decision.unit_code}" if decision.unit_code else "means none of our units"
    typer.echo(f"{decision.spelling} {meaning}{' (decided before)' if is_old else ''}")


def _plain(name: "OpenName") -> dict[str, Any]:
    return {
        "spelling": name.spelling,
        "rows": name.rows,
        "roles": dict(name.roles),
        "decision": name.decision,
        "candidates": name.candidates,
    }


def _check_workbook(path: Path) -> None:
    if path.suffix.lower() != ".xlsx":
        msg = f"{path.name}: name the list {path.stem}.xlsx."
        raise RequestError(msg, zh=f"{path.name}：请把清单命名为 {path.stem}.xlsx。")
    if not path.absolute().parent.is_dir():
        msg = f"There is no folder {path.parent}: make it first."
        raise RequestError(msg, zh=f"文件夹 {path.parent} 不存在：请先创建。")


def _day(moment: datetime | None, workspace: "Workspace") -> date:
    """Return the day asked for, else today where the city is."""
    zone = ZoneInfo(workspace.profile.city.timezone)
    return (moment or datetime.now(zone)).date()
