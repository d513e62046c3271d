"""A sample drawn, re-measured and judged, by the commands that survey teams and inspectors run."""

import json
import shutil
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
from shapely import Point
from typer.testing import CliRunner

import wanmi
from gis.database import read_rows
from gis.errors import CrsError, FileFormatError, NotFoundError, RequestError
from gis.vector import read_vector, write_vector
from pipelines.build import build_delivery
from tests.pipelines.town import AREAS_LAYER, CRS, GRIDS_LAYER, at, line, write_manifest, write_town

COVERS = 40


@pytest.fixture
def run(workspace, monkeypatch):
    monkeypatch.setenv("WANMI_DATABASE_URL", workspace.settings.database_url)
    app = wanmi.mount(["pipelines.surveys"])

    def call(*words: object, code: int = 0):
        arguments = ["-w", str(workspace.root), "census", *map(str, words)]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if "--json" in words else result.stdout

    return call


@pytest.fixture
def built(workspace, tmp_path):
    """Forty covers in two communities, one of them gone, and a guard rail."""
    folder = tmp_path / "d"
    write_town(folder)
    covers = gpd.GeoDataFrame(
        {
            "ObjID": [f"1301020101{number:06d}" for number in range(1, COVERS + 1)],
            "ObjName": "上水井盖",
            "ObjState": ["移除"] + ["完好"] * (COVERS - 1),
            "ORDate": "20260101",
        },
        geometry=[at(5 + 9.5 * number, 20 + 4 * number) for number in range(COVERS)],
        crs=CRS,
    )
    rail = covers.iloc[:1].assign(ObjID="1301020217000001", ObjState="完好", ObjName="护栏")
    rail = rail.set_geometry([line((10, 100), (390, 100))], crs=CRS)
    write_vector(covers, folder / "covers.gpkg")
    write_vector(rail, folder / "rails.gpkg")
    layers = [
        {"dataset": "components", "path": "covers.gpkg", "class_code": "0101"},
        {"dataset": "components", "path": "rails.gpkg", "class_code": "0217"},
    ]
    build_delivery(write_manifest(folder, [AREAS_LAYER, GRIDS_LAYER, *layers]), workspace=workspace)
    return workspace


def fill_in(path: Path, change) -> None:
    """Fill the form's layer in as a field program would."""
    rows = read_vector(path, target_crs=CRS, layer="sample").frame
    rows = rows.drop(columns=["source_file", "source_row"])
    write_vector(change(rows), path, layer="sample")


def measured(rows: gpd.GeoDataFrame, *, error_m: float = 0.2, seed: int = 1) -> gpd.GeoDataFrame:
    random = np.random.default_rng(seed)
    x, y = (rows[f"survey_{axis}"].astype(float) for axis in "xy")
    return rows.assign(
        measured_x=x + random.normal(0, error_m, len(rows)),
        measured_y=y + random.normal(0, error_m, len(rows)),
        device_m=0.02,
    )


def test_a_sample_is_the_same_again_and_says_what_it_is(run, built, database, tmp_path):
    one = run("sample", "-o", tmp_path / "a.gpkg", "--seed", 5, "--most", 30, "--json")
    again = run("sample", "-o", tmp_path / "b.xlsx", "--seed", 5, "--most", 30, "--json")
    other = run("sample", "-o", tmp_path / "c.gpkg", "--seed", 6, "--most", 30, "--json")
    assert one["classes"] == {"0101": 24, "0217": 1}
    assert one["drawn_from"] == COVERS  # 39 covers that are there, and the rail
    assert "1301020101000001" not in one["codes"]
    assert (one["sample_id"], one["codes"]) == (again["sample_id"], again["codes"])
    assert one["sample_id"] != other["sample_id"]
    form = read_vector(tmp_path / "a.gpkg", target_crs=CRS, layer="sample").frame
    assert form["code"].tolist() == one["codes"]
    assert form["measured_x"].isna().all()
    sheet = openpyxl.load_workbook(tmp_path / "b.xlsx").worksheets[0]
    assert [cell.value for cell in sheet[1]][:2] == ["部件标识码 code", "小类代码 class_code"]
    assert sheet.max_row == 26
    with database.connect() as connection:
        kept = read_rows(connection, "SELECT 1 AS n FROM meta.audit WHERE action = 'census_sample'")
    assert len(kept) == 2
    only = run("sample", "-o", tmp_path / "d.gpkg", "--class", "02", "--json")
    assert only["classes"] == {"0217": 1}
    with pytest.raises(RequestError, match="no components to draw from"):
        run("sample", "-o", tmp_path / "e.gpkg", "--area", "999999")
    with pytest.raises(FileFormatError, match=r"e\.gpkg"):
        run("sample", "-o", tmp_path / "e.shp")


def test_a_form_is_judged_and_reported(run, built, tmp_path):
    form, report = tmp_path / "f.gpkg", tmp_path / "r.html"
    run("sample", "-o", form, "--seed", 5)
    with pytest.raises(RequestError, match="not filled in"):
        run("accuracy", form)
    fill_in(form, measured)
    told = run("accuracy", form, "-o", report, "--json")
    assert told["verdict"] == "pass"
    (covers,) = [row for row in told["classes"] if row["key"] == "0101"]
    rows = read_vector(form, target_crs=CRS, layer="sample").frame
    rows = rows[rows["class_code"] == "0101"]
    squares = (rows["measured_x"] - rows["survey_x"]) ** 2 + (
        rows["measured_y"] - rows["survey_y"]
    ) ** 2
    assert covers["rmse_m"] == pytest.approx(float(np.sqrt(squares.mean())), abs=1e-6)
    assert (covers["verdict"], covers["points"]) == ("pass", 24)
    (rail,) = [row for row in told["classes"] if row["key"] == "0217"]
    assert rail["verdict"] == "too_few"
    assert rail["rmse_m"] < 1  # its outline is near, wherever along it was measured
    page = report.read_text(encoding="utf-8")
    assert "上水井盖" in page
    assert "合格" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page
    equal = run("accuracy", form, "--check", "equal", "--json")
    (half,) = [row for row in equal["classes"] if row["key"] == "0101"]
    assert half["rmse_m"] == pytest.approx(covers["rmse_m"] / 2**0.5)


def test_a_bad_census_fails_with_exit_code_1(run, built, tmp_path):
    form = tmp_path / "f.gpkg"
    run("sample", "-o", form)
    fill_in(form, lambda rows: measured(rows, error_m=0.6))
    assert "Verdict: fail 不合格" in run("accuracy", form, code=1)


def test_classes_of_an_older_generation_keep_their_names(run, built, tmp_path):
    form = tmp_path / "form.gpkg"
    run("sample", "-o", form)
    fill_in(form, measured)
    profile = built.root / "wanmi.toml"
    with profile.open("a", encoding="utf-8") as file:
        file.write('standard = "GB/T 47678.5-2026"\n')
    classes = run("accuracy", form, "--json")["classes"]
    assert {entry["key"]: entry["name"] for entry in classes}["0101"] == "上水井盖"


def test_positions_of_the_draw_count_whatever_the_form_says(run, built, tmp_path):
    form = tmp_path / "f.gpkg"
    run("sample", "-o", form)
    fill_in(form, lambda rows: measured(rows.assign(survey_x=rows["survey_x"] + 5)))
    told = run("accuracy", form, "--json", code=1)
    assert told["classes"][0]["median_m"] == pytest.approx(5, abs=0.5)


def test_a_layer_of_taken_points_is_read_and_swapped_axes_are_found(run, built, tmp_path):
    form = tmp_path / "f.gpkg"
    codes = run("sample", "-o", form, "--json")["codes"]
    swapped = shutil.copy(form, tmp_path / "swapped.gpkg")
    rows = read_vector(form, target_crs=CRS, layer="sample").frame
    points = [Point(x + 0.3, y) for x, y in zip(rows["survey_x"], rows["survey_y"], strict=True)]
    taken = gpd.GeoDataFrame({"code": rows["code"], "device_m": 0.02}, geometry=points, crs=CRS)
    stranger = taken.iloc[:1].assign(code="9999")
    both = gpd.GeoDataFrame(pd.concat([taken, stranger], ignore_index=True), crs=CRS)
    write_vector(both.to_crs("EPSG:4490"), form, layer="measured")
    told = run("accuracy", form, "--json")
    assert told["points"] == len(codes)
    assert told["accuracy_classes"][0]["mean_dx_m"] == pytest.approx(0.3, abs=1e-3)
    assert [row["kind"] for row in told["problems"]] == ["stranger"]

    def swap(rows):
        found = measured(rows)
        return found.assign(measured_x=found["measured_y"], measured_y=found["measured_x"])

    fill_in(Path(swapped), swap)
    with pytest.raises(CrsError, match="--swap-xy"):
        run("accuracy", swapped)
    assert run("accuracy", swapped, "--swap-xy", "--json")["verdict"] == "pass"


def test_a_workbook_comes_back_too(run, built, tmp_path):
    form = tmp_path / "f.xlsx"
    run("sample", "-o", form)
    book = openpyxl.load_workbook(form)
    sheet = book.worksheets[0]
    names = [str(cell.value).split(" ")[-1] for cell in sheet[1]]
    place = {name: names.index(name) + 1 for name in names}
    for number in range(2, sheet.max_row + 1):
        for axis in "xy":
            value = sheet.cell(number, place[f"survey_{axis}"]).value
            sheet.cell(number, place[f"measured_{axis}"]).value = value + 0.1
    sheet.cell(3, place["not_found"]).value = "是"
    sheet.append([None, "0101"] + [None] * (place["extra"] - 3) + [1])
    book.save(form)
    told = run("accuracy", form, "--json")
    assert [row["kind"] for row in told["problems"]] == ["contradictory"]
    assert told["omission"]["count"] == 1
    (covers,) = [row for row in told["classes"] if row["key"] == "0101"]
    assert covers["rmse_m"] == pytest.approx(0.02**0.5, abs=1e-6)


def test_files_that_are_no_forms_are_refused(run, built, tmp_path):
    with pytest.raises(FileFormatError):
        run("accuracy", tmp_path / "none.gpkg")
    table = tmp_path / "t.csv"
    table.write_text("code,measured_x,measured_y\n", encoding="utf-8")
    with pytest.raises(FileFormatError, match=r"no rows|wanmi census sample|nothing"):
        run("accuracy", table)
    table.write_text("code,x,y\n1,2,3\n", encoding="utf-8")
    with pytest.raises(FileFormatError, match="measured_x"):
        run("accuracy", table)
    table.write_text("code,measured_x,measured_y\n1,2,3\n", encoding="utf-8")
    with pytest.raises(NotFoundError, match="which sample"):
        run("accuracy", table)
    table.write_text("code,measured_x,measured_y,sample_id\n1,2,3,abc\n", encoding="utf-8")
    with pytest.raises(NotFoundError, match="abc"):
        run("accuracy", table)
    table.write_text(
        "code,measured_x,measured_y,sample_id\n1,2,3,abc\n1,2,3,abd\n", encoding="utf-8"
    )
    with pytest.raises(FileFormatError, match="several samples"):
        run("accuracy", table)
    with pytest.raises(RequestError, match="high or equal"):
        run("accuracy", table, "--check", "middling")
