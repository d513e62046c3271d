"""The sample's plan as a city keeps it: the check finds what was planted, and nothing else."""

import csv
import json
from datetime import date

import openpyxl
import pytest
from typer.testing import CliRunner

import wanmi
from gis.builds import live
from pipelines.responsibility.judging import judge_workbook
from pipelines.responsibility.listing import as_document
from pipelines.sample.planbook import FILE, FOLDER

DAY = date(2026, 1, 1)


@pytest.fixture(scope="module")
def book(sample_delivery):
    return sample_delivery / FOLDER / FILE


@pytest.fixture(scope="module")
def judged(built_sample, book):
    return judge_workbook(book, workspace=built_sample.workspace, as_of=DAY)


def answers(sample_delivery, name):
    with (sample_delivery / "answers" / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_findings_are_those_planted(judged, sample_delivery):
    found = {
        (row["what"], row["kind"], ";".join(row["classes"]), ";".join(row["areas"]),
         ";".join(row["rows"]), row["times"])
        for row in as_document(judged)["findings"]
    }  # fmt: skip
    planted = {tuple(row.values()) for row in answers(sample_delivery, "plan_findings.csv")}
    assert found == planted
    assert not judged.is_accepted


def test_rules_speak_of_the_rows_they_were_planted_in(judged, sample_delivery):
    faults = judged.outcome.faults
    found = {
        (file.partition("|")[2], str(row), rule)
        for file, row, rule in zip(
            faults["source_file"], faults["source_row"], faults["rule"], strict=True
        )
    }
    assert found == {tuple(row.values()) for row in answers(sample_delivery, "plan_rules.csv")}


def test_drawn_areas_are_where_the_roads_are(judged):
    areas = judged.areas.set_index("code")
    assert {"LD01", "MQ01", "JS01", "JL01", "JL02"} <= set(areas.index)
    assert areas.loc["JL01", ["kind", "sharing"]].tolist() == ["boundary_road", "side"]
    communities = judged.context.features("areas").set_index("code").geometry
    from shapely import from_wkt

    for code in ("JL01", "JL02"):
        axis = from_wkt(areas.loc[code, "axis"])
        first, second = areas.loc[code, "sides"]
        assert communities[first].distance(axis) < 15
        assert communities[second].distance(axis) < 15
        left = axis.parallel_offset(12, "left")
        assert communities[first].intersection(left).length > 0.5 * left.length
    assert areas.geometry.is_valid.all()


def test_the_command_writes_page_list_and_document_and_fails(
    built_sample, book, tmp_path, monkeypatch
):
    monkeypatch.setenv("WANMI_DATABASE_URL", built_sample.workspace.settings.database_url)
    app = wanmi.mount(["pipelines.responsibility"])
    page, sheet = tmp_path / "report.html", tmp_path / "list.xlsx"
    words = ["-w", built_sample.workspace.root, "plan", "check", book, "--as-of", "2026-01-01"]
    more = ["-o", page, "--xlsx", sheet, "--json"]
    result = CliRunner().invoke(app, [str(word) for word in (*words, *more)])
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert document["counts"] == {"hole": 1, "gap": 1, "conflict": 1, "overlap": 1, "never": 2}
    text = page.read_text(encoding="utf-8")
    assert "<h1>" in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")
    book_written = openpyxl.load_workbook(sheet)
    assert book_written["问题 findings"].max_row == 7
    spoken = CliRunner().invoke(app, [str(word) for word in words])
    assert "NOT accepted" in spoken.stdout
    assert len(live(built_sample.database, "plan_areas")) == 0  # nothing was written
