"""A careless base map, judged as a whole: each planted fault is found, nothing else; the build agrees."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import wanmi
from census import rulebook
from gis.codes import read_rules
from gis.workspace import Workspace
from pipelines.build import BuildOptions, build_delivery
from pipelines.sample.odd_topography import NOT_HERE, write_odd_topography
from pipelines.surveys.check import check_delivery

OF_SHEETS = "TP7"
"""Rules from TP70 on are those of sheets; they are planted with the sheets."""


def test_each_fault_is_found_and_nothing_else(tmp_path: Path, workspace: Workspace) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    planted = write_odd_topography(folder)
    checked = check_delivery(folder, workspace=workspace, dataset="topography")
    judgement = checked.judgement
    severity = {"error": "refused", "warning": "warned"}
    rows = {
        (row.file, row.source_row, row.rule, row.expected)
        for row in planted.itertuples()
        if row.source_row
    }
    whole = {(row.file, row.rule) for row in planted.itertuples() if not row.source_row}
    found = {
        (row.source_file, row.source_row, row.rule, severity[row.severity])
        for row in judgement.faults.itertuples()
    }
    once = {row for row in found if (row[0], row[2]) in whole}
    assert found - once == rows
    assert {(file, rule) for file, _, rule, _ in once} == whole
    assert len(once) == len(whole)
    here = {code for code in read_rules("pipelines.topography") if code < OF_SHEETS}
    assert set(planted["rule"]) == here - set(NOT_HERE)
    assert judgement.subject == "topography"
    assert judgement.verdict.level == "warnings"
    assert (judgement.tallies[0].read, judgement.tallies[0].refused) == (1102, 2)

    [built] = [
        report
        for report in build_delivery(
            folder, workspace=workspace, options=BuildOptions(dry_run=True, only=("topography",))
        )
        if report.dataset == "topography"
    ]
    assert (built.rows_read, built.rows_rejected) == (1102, 2)


@pytest.mark.parametrize("ending", ["html", "gpkg", "xlsx"])
def test_a_report_of_another_ending_is_refused_before_work(tmp_path: Path, ending: str) -> None:
    option = {"html": "--xlsx", "gpkg": "-o", "xlsx": "--faults"}[ending]
    root = tmp_path / "ws"
    root.mkdir()
    (root / "wanmi.toml").write_text('[city]\ncode = "130102"\n', encoding="utf-8")
    words = ["-w", str(root), "topography", "check", str(tmp_path), option, f"report.{ending}"]
    result = CliRunner().invoke(wanmi.app, words)
    assert result.exit_code != 0
    assert "name the file report." in str(result.exception)


def test_the_page_of_rules_is_that_of_the_data() -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "topography-rules.md").read_text("utf-8")
    command = "python -m census.rulebook docs/topography-rules.md pipelines.topography"
    assert rulebook.refresh(page, "pipelines.topography") == page, command
