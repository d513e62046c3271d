"""``wanmi codes``: look up classes of components and events, and move codes between generations."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gis.command import Invocation, emit, workspace_of
from gis.errors import CodeError, NotFoundError, WorkspaceError

if TYPE_CHECKING:
    from census.taxonomy import ClassEntry, Taxonomy

_STANDARD_HELP = "Standard; default: that of the workspace, without one GB/T 30428.2-2013."
_DEFAULT_STANDARD = "GB/T 30428.2-2013"

codes = typer.Typer(no_args_is_help=True, help="Classes of components and events, as data.")

Standard = Annotated[str, typer.Option("--standard", "-s", help=_STANDARD_HELP)]
Kind = Annotated[str, typer.Option("--kind", "-k", help="component or event.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Mount ``wanmi codes``."""
    app.add_typer(codes, name="codes")


@codes.command("list")
def list_classes(
    ctx: typer.Context,
    major: Annotated[str, typer.Argument(help="Major class, as in 01; default: all.")] = "",
    kind: Kind = "component",
    standard: Standard = "",
    as_json: AsJson = False,
) -> None:
    """List the minor classes of a standard with the city's extensions.

    Example: wanmi codes list 01 --standard "GB/T 47678.5-2026"
    """
    from census.taxonomy import doubtful_extensions

    taxonomy = _taxonomy(ctx, standard)
    _check_kind(kind)
    entries = [entry for entry in taxonomy.all(kind) if entry.major.startswith(major)]
    if not entries:
        majors = ", ".join(f"{entry.code} {entry.name}" for entry in taxonomy.majors(kind))
        msg = f"{taxonomy.standard_ref} has no major class {major}; use one of {majors}."
        raise NotFoundError(
            msg, zh=f"{taxonomy.standard_ref} 没有大类 {major}，可用的有 {majors}。"
        )
    remarks = doubtful_extensions(taxonomy)

    def show() -> None:
        for entry in entries:
            remark = f"  ({remarks[entry.code]})" if entry.code in remarks else ""
            typer.echo(f"{entry.code}  {entry.name}  {_evidence(entry)}{remark}")

    emit([_plain(entry) for entry in entries], as_json=as_json, human=show)


@codes.command("show")
def show_class(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Code or name of a class.")],
    kind: Kind = "component",
    standard: Standard = "",
    as_json: AsJson = False,
) -> None:
    """Show one class: name, accuracy, geometry, and how sure all that is.

    Example: wanmi codes show 0104
    """
    taxonomy = _taxonomy(ctx, standard)
    _check_kind(kind)
    entry = taxonomy.get(kind, taxonomy.restore(code)) or taxonomy.find(kind, code)
    if entry is None:
        msg = f"{taxonomy.standard_ref} has no {kind} class {code}; see `wanmi codes list`."
        raise NotFoundError(
            msg, zh=f"{taxonomy.standard_ref} 没有类别 {code}，请用 wanmi codes list 查看。"
        )

    def show() -> None:
        typer.echo(f"{entry.code}  {entry.name}  ({entry.standard_ref}, {entry.kind})")
        typer.echo(f"major class  {entry.major}")
        typer.echo(f"evidence     {_evidence(entry)}")
        if entry.kind == "component" and not entry.is_major:
            typer.echo(f"accuracy     {entry.accuracy}: {entry.accuracy_m} m (default)")
            typer.echo(f"geometry     {entry.geometry} (default)")
        if entry.aliases:
            typer.echo(f"also called  {'、'.join(entry.aliases)}")

    emit(_plain(entry), as_json=as_json, human=show)


@codes.command("migrate")
def migrate(
    given: Annotated[
        list[str], typer.Argument(metavar="CODE...", help="Codes, or - to read them line by line.")
    ],
    from_ref: Annotated[str, typer.Option("--from", help="Standard the codes are of.")],
    to_ref: Annotated[str, typer.Option("--to", help="Later standard to move to.")],
    kind: Kind = "component",
    as_json: AsJson = False,
) -> None:
    """Move class codes or whole component codes to a later standard.

    A code whose successor a person has to decide is printed with the candidates and no new code.

    Example: wanmi codes migrate 0114 0117 --from "CJ/T 214-2007" --to "GB/T 47678.5-2026"
    """
    import pandas as pd

    from census.crosswalk import migrate_classes, migrate_component_codes
    from census.identifiers import DISTRICT_DIGITS, SEQUENCE_DIGITS
    from census.taxonomy import CODE_LENGTHS, read_taxonomy

    _check_kind(kind)
    for ref in (from_ref, to_ref):
        read_taxonomy(ref)
    texts = _read_codes(given)
    long = CODE_LENGTHS[from_ref] + DISTRICT_DIGITS + SEQUENCE_DIGITS
    if kind == "component" and all(len(text) == long for text in texts):
        table = migrate_component_codes(pd.Series(texts), from_ref=from_ref, to_ref=to_ref)
        rows: list[dict[str, Any]] = table.to_dict("records")
    else:
        rows = migrate_classes(texts, kind=kind, from_ref=from_ref, to_ref=to_ref).to_dict(
            "records"
        )

    def show() -> None:
        for row in rows:
            candidates = "|".join(row.get("candidates", []))
            typer.echo(
                f"{row['code']}  {row['to_code'] or '-'}  {row['relation']}  {candidates}".rstrip()
            )
        undecided = sum(row["to_code"] is None for row in rows)
        if undecided:
            typer.echo(f"{undecided} of {len(rows)} need a person to decide.", err=True)

    emit(rows, as_json=as_json, human=show)


def _taxonomy(ctx: typer.Context, standard: str) -> "Taxonomy":
    """Return the stated standard, else the workspace's, with the workspace's extensions."""
    from census.taxonomy import read_taxonomy

    try:
        profile = workspace_of(ctx).profile
    except WorkspaceError:
        if _names_workspace(ctx):
            raise
        return read_taxonomy(standard or _DEFAULT_STANDARD)
    if standard and standard != profile.city.standard:
        return read_taxonomy(standard)
    return read_taxonomy(profile.city.standard, profile.extension_class)


def _names_workspace(ctx: typer.Context) -> bool:
    invocation = ctx.find_object(Invocation)
    return invocation is not None and (
        invocation.workspace is not None or invocation.settings.workspace is not None
    )


def _check_kind(kind: str) -> None:
    if kind not in ("component", "event"):
        msg = f"Unknown kind {kind!r}; use component or event."
        raise CodeError(msg, zh=f"未知的种类 {kind}，请用 component 或 event。")


def _read_codes(given: list[str]) -> list[str]:
    import sys

    from census.taxonomy import STANDARDS

    lines = sys.stdin if given == ["-"] else given
    texts = [line.strip() for line in lines if line.strip()]
    if not texts:
        msg = f"No code was given; name some, as in 0114, of one of {', '.join(STANDARDS)}."
        raise CodeError(msg, zh="没有给出编码，请写明，例如 0114。")
    return texts


def _evidence(entry: "ClassEntry") -> str:
    return f"{entry.evidence}, doubtful" if entry.is_doubtful else entry.evidence


def _plain(entry: "ClassEntry") -> dict[str, Any]:
    return {**asdict(entry), "accuracy_m": entry.accuracy_m}
