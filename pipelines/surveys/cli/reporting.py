"""What every ``check`` command does with a judgement: writes its files, prints it, and refuses or not."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gis.command import emit, progress
from gis.errors import DeliveryError, RequestError

if TYPE_CHECKING:
    from census.report.judgement import Judgement
    from pipelines.surveys.check import Checked

_SUFFIXES: Mapping[str, tuple[str, ...]] = {
    "--output": (".html", ".htm"),
    "--faults": (".gpkg",),
    "--xlsx": (".xlsx",),
}


@dataclass(frozen=True, kw_only=True)
class Report:
    """Files that a check writes; None: not asked for."""

    page: Path | None = None
    layer: Path | None = None
    workbook: Path | None = None

    @property
    def written(self) -> list[str]:
        """Names of the files asked for."""
        paths = (self.page, self.layer, self.workbook)
        return [str(path) for path in paths if path is not None]

    def check_names(self) -> None:
        """Refuse endings and folders that would fail after the work is done.

        Raises
        ------
        RequestError
            A name has another ending than its format, or its folder does not exist.
        """
        _check_names({"--output": self.page, "--faults": self.layer, "--xlsx": self.workbook})


def deliver(checked: "Checked", report: Report, *, as_json: bool) -> None:
    """Write the report's files and print the judgement.

    Raises
    ------
    DeliveryError
        The delivery is rejected; everything was written before.
    WorkspaceError
        A file can not be written.
    """
    from census.report.document import as_document
    from census.report.faultlayer import write_faults
    from census.report.page import write_page
    from census.report.workbook import write_workbook

    judgement, written = checked.judgement, report.written
    with progress("writing the report", total=len(written)) as advance:
        if report.layer is not None:
            write_faults(judgement, report.layer)
            advance(1)
        if report.workbook is not None:
            write_workbook(judgement, report.workbook)
            advance(1)
        if report.page is not None:
            write_page(judgement, report.page, ground=checked.ground)
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
    for said in (*judgement.remarks, *judgement.obstacles):
        typer.echo(f"    {said.en}")
    en, zh = NAMES[judgement.verdict.level]
    typer.echo(f"{en} {zh}: {' '.join(reason.en for reason in judgement.verdict.reasons)}")
    for path in written:
        typer.echo(f"Written: {path}")
