"""Refused rows that come back corrected: loaded alone, counted, and never twice."""

import shutil
from dataclasses import replace

import geopandas as gpd
import msgspec
import openpyxl
import pandas as pd
import pyogrio
import pytest
from shapely import LineString
from typer.testing import CliRunner

from gis.builds import list_builds, live, rollback
from gis.database import dataset_lock
from gis.errors import LockedError, RequestError
from gis.vector import write_vector
from pipelines.build import BuildOptions, build_delivery
from pipelines.rejects import read_rejects, write_rejects
from pipelines.status import read_status
from pipelines.surveys.correction import reload_rows
from tests.databases import created, opened
from tests.pipelines.town import (
    AREAS_LAYER,
    COMPONENTS_LAYER,
    CRS,
    GRIDS_LAYER,
    areas,
    at,
    components,
    grids,
    write_manifest,
)

SOUND, BAD_CODE, TWICE, FAR, BOTH = range(1, 6)
"""Rows of the file, from 1."""
PREFIX = "1301020104"


def code(sequence):
    return f"{PREFIX}{sequence:06d}"


def survey():
    """A sound row, one with a short code, one with the first's code, one far away, one with two faults."""
    rows = [
        (code(1), at(50, 50), "0.5"),
        ("13010201", at(250, 50), "0.6"),
        (code(1), at(150, 50), "0.7"),
        (code(4), at(90_000, 50), "0.8"),
        (code(5), at(350, 50), "0.9"),
    ]
    table = gpd.GeoDataFrame(rows, columns=["ObjID", "geometry", "DEPTH"], crs=CRS)
    return table.assign(
        ObjName="雨水箅子",
        DeptName1="城管局",
        ObjState="完好",
        ORDate=["20260101"] * 4 + ["soon"],
        CHDate=["20260301"] * 4 + ["later"],
        DataSource="实测",
    )


def write_survey(folder):
    folder.mkdir()
    write_vector(areas(), folder / "areas.gpkg", layer="areas")
    write_vector(grids(), folder / "grids.gpkg", layer="grids")
    write_vector(survey(), folder / "雨水箅子.shp", encoding="gb18030")
    layers = [AREAS_LAYER, GRIDS_LAYER, COMPONENTS_LAYER]
    return write_manifest(folder, layers)


@pytest.fixture(scope="module")
def survey_folder(tmp_path_factory):
    return write_survey(tmp_path_factory.mktemp("survey") / "may")


@pytest.fixture(scope="module")
def model(server, template, survey_folder):
    """Name of a database with the survey, built once, to copy for each test."""
    name = "correction_town"
    with created(server, name, of=template) as url:
        workspace = opened(survey_folder.parent / "workspace", url)
        build_delivery(survey_folder, workspace=workspace)
        yield name


@pytest.fixture
def town(survey_folder, workspace, tmp_path):
    shutil.copytree(survey_folder, tmp_path / "may")
    return workspace


def exported(database, path):
    write_rejects(read_rejects(database, dataset="components"), path)
    return path


def edited(path, change):
    """Change the layer of components as one would in QGIS; return the file."""
    frame = gpd.read_file(path, layer="components")
    write_vector(change(frame), path, layer="components")
    return path


def of_row(frame, row):
    return frame["source_row"] == row


def correct(frame):
    """What a careful contractor does."""
    frame.loc[of_row(frame, BAD_CODE), "ObjID"] = code(2)
    frame.loc[of_row(frame, TWICE), "ObjID"] = code(3)
    frame.loc[of_row(frame, FAR), "geometry"] = at(310, 80)
    return frame


def counted(report):
    """Loaded, still wrong, left; every row of the file is in one of the counts."""
    parts = report.loaded + report.refused + report.unchanged + report.settled + report.left
    assert report.rows == parts
    return report.loaded, report.refused, report.left


def live_codes(database):
    return sorted(live(database, "components")["code"])


def standing(database):
    rows = read_rejects(database, dataset="components")
    errors = rows[rows["severity"] == "error"]
    return sorted(zip(errors["source_row"], errors["rule"], strict=True))


def test_corrected_rows_come_in_alone_and_give_what_a_sound_delivery_gives(
    town, database, tmp_path
):
    before = live(database, "components")
    assert (live_codes(database), standing(database)) == (
        [code(1), code(5)],
        [(BAD_CODE, "C010"), (TWICE, "C012"), (FAR, "G009")],
    )
    file = edited(exported(database, tmp_path / "r.gpkg"), correct)
    report = reload_rows(file, workspace=town)
    assert counted(report) == (3, 0, 0)
    after = live(database, "components").set_index("code")
    assert after.index.tolist() == [code(number) for number in (1, 2, 3, 4, 5)]
    pd.testing.assert_frame_equal(after.loc[before["code"]], before.set_index("code"))
    assert after.loc[code(2), "attributes"] == {"depth_m": 0.6} or after.loc[
        code(2), "attributes"
    ] == {"depth": "0.6"}
    assert after.loc[code(4), ["grid_code", "source_row"]].tolist() == ["130102001002002", FAR]
    assert after.loc[code(4)].geometry == at(310, 80)
    assert standing(database) == []
    status = {row.dataset: row for row in read_status(database)}["components"]
    assert (status.live_rows, status.rows_rejected) == (5, 0)

    sound = correct(survey().assign(source_row=[1, 2, 3, 4, 5])).drop(columns="source_row")
    write_vector(sound, tmp_path / "may" / "雨水箅子.shp", encoding="gb18030")
    again = {r.dataset: r for r in build_delivery(tmp_path / "may", workspace=town)}["components"]
    assert (again.rows_read, again.rows_unchanged, again.rows_opened) == (5, 5, 0)


def test_reloading_the_same_file_changes_nothing(town, database, tmp_path):
    file = edited(exported(database, tmp_path / "r.gpkg"), correct)
    reload_rows(file, workspace=town)
    rows, builds = live(database, "components"), list_builds(database)
    report = reload_rows(file, workspace=town)
    assert counted(report) == (0, 0, 0)
    pd.testing.assert_frame_equal(live(database, "components"), rows)
    pd.testing.assert_frame_equal(list_builds(database), builds)


def test_what_is_still_wrong_stays_with_its_new_reason(town, database, tmp_path):
    def half(frame):
        frame.loc[of_row(frame, BAD_CODE), "ObjID"] = code(1)  # the code of the sound row
        frame.loc[of_row(frame, FAR), "ObjID"] = "1"
        return frame

    file = edited(exported(database, tmp_path / "r.gpkg"), half)
    sound = live(database, "components")
    report = reload_rows(file, workspace=town)
    assert counted(report) == (0, 2, 0)
    assert standing(database) == [
        (BAD_CODE, "C012"),
        (TWICE, "C012"),
        (FAR, "C010"),
        (FAR, "G009"),
    ]
    pd.testing.assert_frame_equal(live(database, "components"), sound)
    # The second export holds the corrected text, and can be corrected further.
    file = edited(exported(database, tmp_path / "r2.gpkg"), correct)
    assert reload_rows(file, workspace=town).loaded == 2  # the row far away has a wrong code still
    assert standing(database) == [(FAR, "C010")]
    with database.connect() as connection:
        settled = connection.execute(
            "SELECT source_row, rule, resolved_build_id FROM meta.reject WHERE dataset = 'components'"
            " AND severity = 'error' ORDER BY reject_id"
        ).fetchall()
    first, second = list_builds(database)["build_id"].iloc[[1, 0]].astype(int)
    assert settled == [
        (BAD_CODE, "C010", first),
        (TWICE, "C012", second),
        (FAR, "G009", first),
        (BAD_CODE, "C012", second),
        (FAR, "C010", second),
        (FAR, "G009", second),
        (FAR, "C010", None),
    ]
    status = {row.dataset: row for row in read_status(database)}["components"]
    assert status.rows_rejected == 1


def test_a_workbook_is_corrected_too(town, database, tmp_path):
    file = exported(database, tmp_path / "r.xlsx")
    book = openpyxl.load_workbook(file)
    sheet = book["components"]
    column = {cell.value: cell.column for cell in sheet[1]}
    for row in sheet.iter_rows(min_row=2):
        if row[column["source_row"] - 1].value == BAD_CODE:
            row[column["ObjID"] - 1].value = code(2)
    book.save(file)
    report = reload_rows(file, workspace=town)
    assert counted(report) == (1, 0, 0)
    found = live(database, "components").set_index("code")
    assert found.loc[code(2)].geometry == at(250, 50)


def test_lines_of_one_row_must_agree(town, database, tmp_path):
    def one_line(frame):
        lines = frame.index[of_row(frame, BOTH)]
        assert len(lines) > 1
        frame.loc[lines[0], "ORDate"] = "20260105"
        return frame

    file = edited(exported(database, tmp_path / "r.gpkg"), one_line)
    assert reload_rows(file, workspace=town).loaded == 1
    found = live(database, "components").set_index("code")
    assert found.loc[code(5), "initial_date"].isoformat() == "2026-01-05"

    def two_days(frame):
        lines = frame.index[of_row(frame, BOTH)]
        again = pd.concat([frame, frame.loc[lines]], ignore_index=True)
        again.loc[lines[0], "CHDate"] = "20260106"
        again.loc[len(again) - 1, "CHDate"] = "20260107"
        return again

    file = edited(exported(database, tmp_path / "r2.gpkg"), two_days)
    report = reload_rows(file, workspace=town)
    assert counted(report) == (0, 0, 1)
    assert "CHDate" in report.notes[0].en


def test_what_is_not_of_the_quarantine_is_told_and_left(town, database, tmp_path):
    def mix(frame):
        frame = frame[~of_row(frame, FAR)].copy()  # a deleted row
        frame.loc[of_row(frame, TWICE), "source_row"] = 77  # a changed key
        frame.loc[of_row(frame, BAD_CODE), "code"] = code(2)  # the report's column
        stranger = frame.iloc[[0]].assign(build_id=999)
        return pd.concat([frame, stranger], ignore_index=True)

    file = edited(exported(database, tmp_path / "r.gpkg"), mix)
    before = live(database, "components")
    report = reload_rows(file, workspace=town)
    assert counted(report) == (0, 0, 3)
    assert report.absent == 2  # the deleted one, and the one whose key was changed
    told = " ".join(note.en for note in report.notes)
    assert "row 77 of 雨水箅子.shp" in told
    assert "in build 999" in told
    assert "The column code belongs to the report" in told
    assert all(note.zh for note in report.notes)
    pd.testing.assert_frame_equal(live(database, "components"), before)


@pytest.mark.parametrize("kind", ["another kind", "not exported"])
def test_a_file_that_was_never_exported_is_refused(town, tmp_path, kind):
    file = tmp_path / ("r.csv" if kind == "another kind" else "r.gpkg")
    if kind == "not exported":
        write_vector(survey(), file)
    else:
        file.write_text("build_id\n1\n")
    with pytest.raises(RequestError, match="wanmi rejects -o"):
        reload_rows(file, workspace=town)


def test_a_component_that_came_again_since_is_not_overwritten(town, database, tmp_path):
    file = edited(exported(database, tmp_path / "r.gpkg"), correct)
    newer = components().iloc[[0]].assign(ObjID=code(4), ObjState="破损")
    folder = tmp_path / "june"
    folder.mkdir()
    write_vector(newer, folder / "雨水箅子.shp", encoding="gb18030")
    write_manifest(folder, [COMPONENTS_LAYER | {"mode": "update"}], name="june")
    build_delivery(folder, workspace=town)
    report = reload_rows(file, workspace=town)
    assert counted(report) == (2, 0, 1)
    assert "delivered again since" in report.notes[0].en
    found = live(database, "components").set_index("code")
    assert found.loc[code(4), "condition"] == "damaged"


def test_a_reload_rolls_back_and_its_faults_stand_again(town, database, tmp_path):
    before, faults = live(database, "components"), standing(database)
    file = edited(exported(database, tmp_path / "r.gpkg"), correct)
    (build_id,) = reload_rows(file, workspace=town).builds
    rollback(database, build_id, actor="tests")
    pd.testing.assert_frame_equal(live(database, "components"), before)
    assert standing(database) == faults
    assert reload_rows(file, workspace=town).loaded == 3


def test_the_same_delivery_built_anew_keeps_what_came_in_corrected(town, database, tmp_path):
    file = edited(exported(database, tmp_path / "r.gpkg"), correct)
    reload_rows(file, workspace=town)
    before = live(database, "components")
    profile = msgspec.structs.replace(
        town.profile,
        thresholds=msgspec.structs.replace(town.profile.thresholds, outside_distance_m=777),
    )
    changed = replace(town, profile=profile)
    reports = {r.dataset: r for r in build_delivery(tmp_path / "may", workspace=changed)}
    assert (reports["components"].status, reports["components"].rows_closed) == ("built", 0)
    pd.testing.assert_frame_equal(live(database, "components"), before)
    assert standing(database) == []
    assert counted(reload_rows(file, workspace=changed)) == (0, 0, 0)


def test_a_rehearsal_and_a_lock_write_nothing(town, database, tmp_path):
    file = edited(exported(database, tmp_path / "r.gpkg"), correct)
    builds = list_builds(database)
    report = reload_rows(file, workspace=town, options=BuildOptions(dry_run=True))
    assert (report.loaded, report.builds) == (3, ())
    with (
        database.connect() as connection,
        dataset_lock(connection, "deliveries"),
        pytest.raises(LockedError, match="wait until it has ended"),
    ):
        reload_rows(file, workspace=town)
    pd.testing.assert_frame_equal(list_builds(database), builds)


def test_grids_that_were_wrong_let_unchanged_rows_in_on_request(town, database, tmp_path):
    far = areas()
    far.loc[0, "geometry"] = far.geometry[0].union(at(90_000, 50).buffer(500))
    write_vector(far, tmp_path / "may" / "areas.gpkg", layer="areas")
    build_delivery(tmp_path / "may", workspace=town, options=BuildOptions(only=("areas",)))
    file = exported(database, tmp_path / "r.gpkg")
    assert reload_rows(file, workspace=town).loaded == 0
    report = reload_rows(file, workspace=town, judge_unchanged=True)
    assert (report.loaded, report.refused) == (1, 2)
    assert code(4) in live_codes(database)


def test_the_command_tells_what_it_did(town, database, tmp_path, monkeypatch):
    from wanmi import app

    monkeypatch.setenv("WANMI_DATABASE_URL", town.settings.database_url)
    file = edited(exported(database, tmp_path / "r.gpkg"), correct)
    result = CliRunner().invoke(app, ["-w", str(town.root), "census", "reload", str(file)])
    assert result.exit_code == 0, result.output
    assert " rows in r.gpkg:" in result.output
    assert "3  loaded (build " in result.output


def test_geometry_of_another_kind_is_judged_like_any(town, database, tmp_path):
    def bend(frame):
        frame.loc[of_row(frame, FAR), "geometry"] = LineString([at(300, 10), at(310, 10)])
        return frame

    file = edited(exported(database, tmp_path / "r.gpkg"), bend)
    assert reload_rows(file, workspace=town).loaded == 1
    assert "C020" in set(read_rejects(database, dataset="components")["rule"])
    assert pyogrio.list_layers(file)[:, 0].tolist() == ["components"]


def test_the_mapping_of_the_manifest_holds_for_the_correction(workspace, database, tmp_path):
    folder = write_survey(tmp_path / "may")
    own = survey().rename(columns={"ObjID": "BM"})
    write_vector(own, folder / "雨水箅子.shp", encoding="gb18030")
    layer = COMPONENTS_LAYER | {"fields": {"code": "BM"}}
    write_manifest(folder, [AREAS_LAYER, GRIDS_LAYER, layer])
    build_delivery(folder, workspace=workspace)

    def change(frame):
        frame.loc[of_row(frame, BAD_CODE), "BM"] = code(2)
        return frame

    file = edited(exported(database, tmp_path / "r.gpkg"), change)
    assert counted(reload_rows(file, workspace=workspace)) == (1, 0, 0)
    assert code(2) in live_codes(database)
