"""Commands of the build as a user types them, in a process of their own or through the runner."""

import json
import os
import sqlite3
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import openpyxl
import pytest
import typer

import wanmi
from gis.command import make_app
from gis.errors import BuildError, DeliveryError, NotFoundError, RequestError
from gis.vector import write_vector
from tests.commands import runner
from tests.pipelines.town import components, write_town

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(workspace):
    """Run a command on the test's workspace; errors come out as exceptions."""
    return runner(workspace, ["pipelines"])


@pytest.fixture
def town(tmp_path) -> Path:
    folder = write_town(tmp_path / "delivery")
    rows = components().iloc[[0, 1, 2, 2]].assign(Spec=["=1+1", "+49", "@x", "=cmd|' /C calc'!A0"])
    write_vector(rows, folder / "雨水箅子.shp", encoding="gb18030")
    return folder


def test_the_table_of_commands_is_what_the_packages_mount():
    for package, names in wanmi.COMMANDS.items():
        app = make_app()
        import_module(f"{package}.cli").register(app)
        assert tuple(typer.main.get_command(app).commands) == names, package


def test_build_counts_rejects_and_says_how_to_see_them(run, town):
    result = run("build", town)
    assert result.exit_code == 0
    assert "1 rows were rejected; see them with: wanmi rejects -o rejects.gpkg" in result.output
    assert "C012" in result.output
    again = json.loads(run("build", town, "--json").stdout)
    assert {entry["dataset"]: entry["status"] for entry in again} == dict.fromkeys(
        ("areas", "topography", "unit_grids", "addresses", "components"), "unchanged"
    )


def test_a_dry_run_says_that_nothing_was_written(run, town):
    assert "Dry run: nothing was written." in run("build", town, "--dry-run").output
    assert json.loads(run("builds", "--json").stdout) == []


def test_status_builds_and_rollback_tell_one_story(run, town):
    run("build", town)
    status = {row["dataset"]: row for row in json.loads(run("status", "--json").stdout)}
    assert (status["components"]["live_rows"], status["components"]["rows_rejected"]) == (3, 1)
    assert (status["imagery"]["live_rows"], status["imagery"]["build_id"]) == (0, None)
    assert "2026-05-31" in run("status").output
    assert len(json.loads(run("builds", "--json", "--limit", "1").stdout)) == 1
    listed = json.loads(run("builds", "--json").stdout)
    newest = next(row for row in listed if row["dataset"] == "components")
    assert newest["status"] == "live"
    assert "3 rows removed" in run("rollback", newest["build_id"]).output
    left = {row["dataset"]: row for row in json.loads(run("status", "--json").stdout)}
    assert left["components"]["live_rows"] == 0
    assert "rolled_back" in run("builds").output
    with pytest.raises(BuildError, match="was rolled back already"):
        run("rollback", newest["build_id"])
    with pytest.raises(BuildError, match="There is no build 999"):
        run("rollback", "999")


def test_rejects_are_written_with_geometry_and_what_to_do(run, town, tmp_path):
    run("build", town)
    file = tmp_path / "rejects.gpkg"
    assert "written to" in run("rejects", "-o", file).output
    with sqlite3.connect(file) as connection:
        rows = connection.execute(
            "SELECT rule, severity, source_row, ObjID, fix_zh, geom IS NULL FROM components"
            " WHERE severity = 'error'"
        ).fetchall()
    connection.close()
    assert rows == [("C012", "error", 4, "1301020104000003", "为每个部件赋唯一的标识码。", 0)]
    counts = json.loads(run("rejects", "--json", "--dataset", "components").stdout)
    assert ("C012", 1) in [(row["rule"], row["rows"]) for row in counts]


def test_a_workbook_of_rejects_holds_no_formula(run, town, tmp_path):
    run("build", town)
    file = tmp_path / "rejects.xlsx"
    run("rejects", "-o", file)
    sheet = openpyxl.load_workbook(file)["components"]
    header = [cell.value for cell in sheet[1]]
    column = header.index("Spec")
    cells = [row[column] for row in sheet.iter_rows(min_row=2) if row[column].value]
    assert "=cmd|' /C calc'!A0" in [cell.value for cell in cells]
    assert {cell.data_type for cell in cells} == {"s"}
    assert all(cell.quotePrefix for cell in cells)


def test_rejects_refuse_other_files(run, town, tmp_path):
    run("build", town)
    with pytest.raises(RequestError, match=r"rejects.csv is of no kind that is written"):
        run("rejects", "-o", tmp_path / "rejects.csv")
    with pytest.raises(RequestError, match="There is no folder"):
        run("rejects", "-o", tmp_path / "nowhere" / "r.gpkg")
    with pytest.raises(NotFoundError, match="There is no build 99"):
        run("rejects", "--build", "99")
    with pytest.raises(NotFoundError, match="There is no dataset 'roads': use one of areas"):
        run("rejects", "--dataset", "roads")


def test_verify_fails_with_the_command_that_repairs(run, town, database):
    run("build", town)
    with database.connect() as connection:
        connection.execute("UPDATE components.component SET grid_code = NULL WHERE code LIKE '%01'")
    with pytest.raises(BuildError, match="1 checks failed: every_component_has_its_grid"):
        run("verify")


def test_an_error_is_one_sentence_and_a_traceback_only_with_vv(workspace, tmp_path):
    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "wanmi", "-w", str(workspace.root), *words],
            cwd=ROOT,
            env=os.environ | {"WANMI_DATABASE_URL": workspace.settings.database_url or ""},
            capture_output=True,
            text=True,
            check=False,
        )

    plain = command("build", str(tmp_path))
    assert (plain.returncode, plain.stdout) == (1, "")
    assert plain.stderr.startswith(f"Error: {tmp_path} is no delivery: it has no delivery.toml")
    assert len(plain.stderr.strip().splitlines()) == 1
    loud = command("-vv", "build", str(tmp_path))
    assert loud.returncode == 1
    assert "Traceback" in loud.stderr


def test_sample_refuses_a_folder_in_use(run, tmp_path):
    (tmp_path / "x").write_text("x", encoding="utf-8")
    with pytest.raises(DeliveryError, match="is not empty"):
        run("sample", tmp_path)
