"""``wanmi census check``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gis.command import emit, progress, workspace_of
from gis.errors import DeliveryError, RequestError

if TYPE_CHECKING:
    from census.report.judgement import Judgement

_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "--output": (".html", ".htm"),
    "--faults": (".gpkg",),
    "--xlsx": (".xlsx",),
}


def add(census: typer.Typer) -> None:
    """Add the command."""
    census.command("check")(check)


def check(
    ctx: typer.Context,
    delivery: Annotated[Path, typer.Argument(help="Folder with a delivery.toml, or a .zip.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write the report to this .html, read offline."),
    ] = None,
    faults: Annotated[
        Path | None, typer.Option(help="Write the faults to this .gpkg, styled for QGIS.")
    ] = None,
    xlsx: Annotated[
        Path | None, typer.Option(help="Write the faults to this .xlsx, for the contractor.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Judge a component delivery without loading it; exit code 1 if it is rejected.

    Accept, accept with warnings, or reject 合格、基本合格、不合格; the limits stand in the city profile
    under [census].

    Example: wanmi census check deliveries/2026-spring-census -o report.html --xlsx faults.xlsx
    """
    from census.report.document import as_document
    from census.report.faultlayer import write_faults
    from census.report.page import write_page
    from census.report.workbook import write_workbook
    from pipelines.surveys.check import check_delivery

    _check_names({"--output": output, "--faults": faults, "--xlsx": xlsx})
    checked = check_delivery(delivery, workspace=workspace_of(ctx), progress=progress)
    judgement = checked.judgement
    written = [str(path) for path in (output, faults, xlsx) if path is not None]
    with progress("writing the report", total=len(written)) as advance:
        if faults is not None:
            write_faults(judgement, faults)
            advance(1)
        if xlsx is not None:
            write_workbook(judgement, xlsx)
            advance(1)
        if output is not None:
            write_page(judgement, output, ground=checked.ground)
            advance(1)
    emit(
        as_document(judgement) | {"written": written} if as_json else None,
        as_json=as_json,
        human=lambda: _show(judgement, written),
    )
    if not judgement.verdict.is_accepted:
        raise _rejection(judgement, written)


def _check_names(outputs: Mapping[str, Path | None]) -> None:
    for option, path in outputs.items():
        if path is None:
            continue
        if path.suffix.lower() not in _SUFFIXES[option]:
            ending = _SUFFIXES[option][0]
            msg = f"{option} {path.name}: name the file {path.stem}{ending}."
            raise RequestError(
                msg, zh=f"{option} {path.name}：请把文件命名为 {path.stem}{ending}。"
            )
        if not path.absolute().parent.is_dir():
            msg = f"There is no folder {path.parent}: make it first, or write elsewhere."
            raise RequestError(msg, zh=f"文件夹 {path.parent} 不存在：请先创建，或输出到别处。")


def _rejection(judgement: "Judgement", written: list[str]) -> DeliveryError:
    reasons = (*judgement.verdict.reasons, *judgement.obstacles)
    en, zh = " ".join(each.en for each in reasons), "".join(each.zh for each in reasons)
    where = f" See {written[0]}." if written else " Write the report with -o report.html."
    where_zh = f"详见 {written[0]}。" if written else "用 -o report.html 生成报告。"
    return DeliveryError(
        f"The delivery {judgement.delivery} is rejected: {en}{where}",
        zh=f"交付 {judgement.delivery} 不合格：{zh}{where_zh}",
    )


def _show(judgement: "Judgement", written: list[str]) -> None:
    from census.report.document import rule_rows
    from census.report.verdict import NAMES, percent

    typer.echo(f"{'dataset':16}{'read':>10}{'refused':>10}{'share':>10}{'warnings':>10}")
    for tally in judgement.tallies:
        typer.echo(
            f"{tally.dataset:16}{tally.read:>10,}{tally.refused:>10,}{percent(tally.share):>10}"
            f"{tally.doubted:>10,}"
        )
    for row in rule_rows(judgement):
        typer.echo(f"    {row['severity']:8}{row['rule']:6}{row['rows']:>6,}  {row['reason_en']}")
    for file in judgement.files:
        for said in (*file.warnings, *([file.error] if file.error else [])):
            typer.echo(f"    {file.path}: {said.en}")
    for obstacle in judgement.obstacles:
        typer.echo(f"    {obstacle.en}")
    en, zh = NAMES[judgement.verdict.level]
    typer.echo(f"{en} {zh}: {' '.join(reason.en for reason in judgement.verdict.reasons)}")
    for path in written:
        typer.echo(f"Written: {path}")
