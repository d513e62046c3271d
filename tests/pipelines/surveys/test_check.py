"""A delivery judged without loading it: the same answer as a build, and everything told at once."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

import wanmi
from census.report.document import as_document
from census.report.ground import empty_ground
from census.report.judgement import Judgement
from census.report.page import page_text
from gis.database import Database, read_rows
from gis.errors import DeliveryError, RequestError
from gis.vector import write_vector
from gis.workspace import Workspace
from pipelines.build import BuildOptions, build_delivery
from pipelines.surveys.check import Checked, check_delivery
from tests.census.report.judgements import HOSTILE
from tests.pipelines.town import (
    AREAS_LAYER,
    COMPONENTS_LAYER,
    GRIDS_LAYER,
    areas,
    at,
    components,
    grids,
    write_manifest,
    write_town,
)
from tests.sample_fixtures import BuiltSample

UPDATE = {**COMPONENTS_LAYER, "mode": "update"}


@pytest.fixture(scope="module")
def sample(built_sample: BuiltSample) -> Checked:
    """The sample district, checked against itself as it was built."""
    return check_delivery(built_sample.delivery, workspace=built_sample.workspace)


def census(
    folder: Path, rows: gpd.GeoDataFrame, *others: dict[str, Any], as_of: date = date(2026, 6, 1)
) -> Path:
    """A delivery of components alone."""
    folder.mkdir()
    write_vector(rows, folder / "雨水箅子.shp", encoding="gb18030")
    return write_manifest(folder, [COMPONENTS_LAYER, *others], as_of=as_of)


def many(count: int) -> gpd.GeoDataFrame:
    """Sound components, 2 m apart in rows of 100, in both communities."""
    rows = [
        (f"1301020104{number + 1:06d}", at(1 + 2 * (number % 100), 1 + 2 * (number // 100)))
        for number in range(count)
    ]
    table = gpd.GeoDataFrame(rows, columns=["ObjID", "geometry"], crs=areas().crs)
    return table.assign(
        ObjName="雨水箅子",
        DeptName1="城管局",
        ObjState="完好",
        ORDate="20260101",
        DataSource="实测",
    )


def errors_of(judgement: Judgement) -> dict[str, str]:
    return {file.path: file.error.zh for file in judgement.files if file.error is not None}


def test_the_check_counts_what_the_build_counted(
    sample: Checked, built_sample: BuiltSample
) -> None:
    built = {report.dataset: report for report in built_sample.reports}
    for tally in sample.judgement.tallies:
        report = built[tally.dataset]
        assert (tally.read, tally.refused) == (report.rows_read, report.rows_rejected)
    names = [tally.dataset for tally in sample.judgement.tallies]
    assert names[0] == "components"
    assert {"areas", "topography", "units"} <= set(names)
    assert not {*names} & {*sample.judgement.skipped}


def test_every_row_is_in_one_file_and_one_class(sample: Checked) -> None:
    judgement = sample.judgement
    tally = judgement.tallies[0]
    files = [file for file in judgement.files if file.dataset == "components"]
    for parts in (files, judgement.classes):
        assert sum(part.rows for part in parts) == tally.read
        assert sum(part.refused for part in parts) == tally.refused
        assert sum(part.doubted for part in parts) == tally.doubted
    assert all(tally.class_name for tally in judgement.classes if tally.rows > 5)


def test_what_is_said_of_files_is_said_in_both_languages(sample: Checked) -> None:
    files = [file for file in sample.judgement.files if file.driver]
    told = [remark for file in files for remark in (*file.warnings, file.encoding_evidence)]
    assert len(told) > len(files) > 10
    assert all(re.search(r"[\u4e00-\u9fff]", remark.zh) for remark in told)
    assert not any(re.search(r"[\u4e00-\u9fff]{8}", remark.en) for remark in told)


def test_a_check_writes_nothing(built_sample: BuiltSample) -> None:
    def state() -> pd.DataFrame:
        with built_sample.database.connect(read_only=True) as connection:
            return read_rows(
                connection,
                "SELECT (SELECT count(*) FROM meta.build) AS builds,"
                " (SELECT count(*) FROM meta.reject) AS rejects,"
                " (SELECT sum(xmin::text::bigint) FROM components.component) AS versions",
            )

    before = state()
    check_delivery(built_sample.delivery, workspace=built_sample.workspace)
    assert state().equals(before)


def test_the_ground_is_that_of_the_city(sample: Checked) -> None:
    ground = sample.ground
    counts = [len(ground.areas), len(ground.grids), len(ground.roads), len(ground.components)]
    assert all(counts)
    tally = sample.judgement.tallies[0]
    assert counts[-1] == tally.read - tally.refused


def test_what_can_not_be_read_is_told_and_the_rest_is_judged(
    sample_delivery: Path, built_sample: BuiltSample, sample: Checked, tmp_path: Path
) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(sample_delivery, folder)
    cut, gone = folder / "05部件/0102污水井盖.shp", folder / "05部件/0104雨水箅子.shp"
    cut.write_bytes(cut.read_bytes()[:60])
    gone.unlink()
    judgement = check_delivery(folder, workspace=built_sample.workspace).judgement
    assert sorted(errors_of(judgement)) == ["05部件/0102污水井盖.shp", "05部件/0104雨水箅子.shp"]
    assert judgement.verdict.level == "reject"
    assert judgement.verdict.reasons[0].en == "2 files can not be read."
    whole = {file.path: file.rows for file in sample.judgement.files}
    rest = {file.path: file.rows for file in judgement.files if file.error is None}
    assert rest == {path: rows for path, rows in whole.items() if path not in errors_of(judgement)}
    page = page_text(judgement, empty_ground())
    assert all(text in page for text in ("无法读取", "Can not be read"))


def test_layers_that_the_manifest_gets_wrong_are_told_each(
    workspace: Workspace, tmp_path: Path
) -> None:
    wrong = [
        {"dataset": "components", "path": "丢失.shp"},
        {"dataset": "components", "path": "../外面.shp"},
        {"dataset": "部件", "path": "雨水箅子.shp"},
        {**COMPONENTS_LAYER, "class": "0104"},
    ]
    judgement = check_delivery(
        census(tmp_path / "d", components(), *wrong), workspace=workspace
    ).judgement
    assert len([file for file in judgement.files if file.error]) == 4
    assert "雨水箅子.shp" in errors_of(judgement)["丢失.shp"]
    assert judgement.tallies[0].read == 3


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (None, "delivery.toml"),
        ("[delivery", "TOML"),
        ("[delivery]\nname = 'x'\nas_of = 'soon'\n", "as_of"),
    ],
)
def test_a_manifest_that_can_not_be_read_rejects_with_the_fix(
    workspace: Workspace, tmp_path: Path, text: str | None, word: str
) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    if text is not None:
        (folder / "delivery.toml").write_text(text)
    checked = check_delivery(folder, workspace=workspace)
    judgement = checked.judgement
    assert judgement.verdict.level == "reject"
    assert word in judgement.obstacles[0].en
    assert word in page_text(judgement, checked.ground)
    assert as_document(judgement)["as_of"] is None


def test_the_limit_is_the_citys(workspace: Workspace, tmp_path: Path) -> None:
    rows = many(200)
    rows.loc[[5, 6], "ObjID"] = "no code"
    folder = census(tmp_path / "d", rows, AREAS_LAYER)
    write_vector(areas(), folder / "areas.gpkg", layer="areas")
    limit = {"refused_limit": 0.009}
    strict = Workspace(
        root=workspace.root,
        profile=_profile(workspace, limit),
        settings=workspace.settings,
    )
    mild = check_delivery(folder, workspace=workspace).judgement.verdict
    assert (mild.level, mild.refused_limit) == ("warnings", 0.01)
    verdict = check_delivery(folder, workspace=strict).judgement.verdict
    assert verdict.level == "reject"
    assert verdict.reasons[0].en == "1% of the components are refused (2 / 200); the limit is 0.9%."


def _profile(workspace: Workspace, census_table: dict[str, Any]) -> Any:
    import msgspec

    table = msgspec.to_builtins(workspace.profile)
    table["census"] |= census_table
    return msgspec.convert(table, type(workspace.profile))


def test_a_rule_that_the_city_makes_an_error_rejects(workspace: Workspace, tmp_path: Path) -> None:
    rows = many(20)
    rows.loc[3, "ObjState"] = "好像坏了"
    folder = census(tmp_path / "d", rows)
    strict = Workspace(
        root=workspace.root,
        profile=_profile(workspace, {"severity": {"C040": "error"}}),
        settings=workspace.settings,
    )
    assert check_delivery(folder, workspace=workspace).judgement.verdict.level == "warnings"
    judgement = check_delivery(folder, workspace=strict).judgement
    assert (judgement.verdict.level, judgement.tallies[0].refused) == ("reject", 1)


def test_components_are_judged_against_what_is_live(
    workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    build_delivery(
        write_town(tmp_path / "town"), workspace=workspace, options=BuildOptions(actor="tests")
    )
    rows = components()
    rows.loc[0, "geometry"] = at(90_000, 0)
    checked = check_delivery(
        census(tmp_path / "d", rows, as_of=date(2026, 7, 1)), workspace=workspace
    )
    faults = checked.judgement.faults
    assert faults.loc[faults["severity"] == "error", "rule"].tolist() == ["G009"]
    assert (len(checked.ground.areas), len(checked.ground.grids)) == (4, 4)
    assert checked.judgement.verdict.level == "reject"


def test_a_delivery_older_than_what_is_live_is_judged_and_rejected(
    workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    build_delivery(
        write_town(tmp_path / "town"), workspace=workspace, options=BuildOptions(actor="tests")
    )
    folder = census(tmp_path / "d", components(), as_of=date(2020, 1, 1))
    judgement = check_delivery(folder, workspace=workspace).judgement
    assert judgement.verdict.level == "reject"
    assert "2026-05-31" in judgement.obstacles[0].zh
    assert judgement.tallies[0].read == 3


def test_a_delivery_of_another_city_is_rejected(
    workspace: Workspace, database: Database, tmp_path: Path
) -> None:
    folder = census(tmp_path / "d", many(30).translate(0, 300_000).pipe(_as_rows), AREAS_LAYER)
    write_vector(areas(), folder / "areas.gpkg", layer="areas")
    checked = check_delivery(folder, workspace=workspace)
    assert checked.judgement.verdict.level == "reject"
    (obstacle,) = checked.judgement.obstacles
    assert "300 km N of the city" in obstacle.en
    assert "300 km N of the city" in page_text(checked.judgement, checked.ground)


def _as_rows(shapes: gpd.GeoSeries) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(many(len(shapes)).drop(columns="geometry"), geometry=shapes)


def test_hostile_text_of_a_contractor_stays_text(workspace: Workspace, tmp_path: Path) -> None:
    rows = many(3).assign(OwnerName=HOSTILE, ObjState=HOSTILE)
    rows[f"列{HOSTILE}"[:10]] = "x"
    folder = tmp_path / "d"
    folder.mkdir()
    write_vector(rows, folder / "a.gpkg")
    write_manifest(folder, [{"dataset": "components", "path": "a.gpkg", "class_code": "0104"}])
    checked = check_delivery(folder, workspace=workspace)
    page = page_text(checked.judgement, checked.ground)
    assert "C040" in page
    assert "<img" not in page
    assert page.count("<script") == 2


def test_one_code_ten_thousand_times_is_one_rule_with_a_small_page(
    workspace: Workspace, tmp_path: Path
) -> None:
    rows = many(10_000).assign(ObjID="1301020104000001")
    folder = tmp_path / "d"
    folder.mkdir()
    write_vector(rows, folder / "a.gpkg")
    write_manifest(folder, [{"dataset": "components", "path": "a.gpkg", "class_code": "0104"}])
    checked = check_delivery(folder, workspace=workspace)
    faults = checked.judgement.faults
    assert (faults["rule"] == "C012").sum() == 9_999
    assert checked.judgement.tallies[0].refused == 9_999
    assert len(page_text(checked.judgement, checked.ground)) < 2_000_000


def test_a_zip_of_a_delivery_is_the_same_delivery(workspace: Workspace, tmp_path: Path) -> None:
    rows = many(10)
    rows.loc[4, "ObjID"] = "no code"
    folder = census(tmp_path / "d", rows)
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for path in folder.iterdir():
            archive.write(path, path.name)
    plain, packed = (
        check_delivery(path, workspace=workspace).judgement for path in (folder, tmp_path / "d.zip")
    )
    assert packed.tallies == plain.tallies
    assert packed.verdict == plain.verdict


def test_a_delivery_without_components_is_sent_elsewhere(
    workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "d"
    folder.mkdir()
    write_vector(grids(), folder / "grids.gpkg", layer="grids")
    write_manifest(folder, [GRIDS_LAYER])
    with pytest.raises(DeliveryError, match="has no components, only unit_grids"):
        check_delivery(folder, workspace=workspace)


def test_a_path_that_is_not_there_is_no_rejection(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"There is no .*: correct the path"):
        check_delivery(tmp_path / "none", workspace=workspace)


def test_a_file_name_in_gbk_is_told_as_it_was_meant(workspace: Workspace, tmp_path: Path) -> None:
    folder = census(tmp_path / "d", components(), {"dataset": "components", "path": "*.gpkg"})
    write_vector(components(), folder / "a.gpkg")
    (folder / "a.gpkg").rename(folder / os.fsdecode("井盖.gpkg".encode("gbk")))
    judgement = check_delivery(folder, workspace=workspace).judgement
    assert "井盖.gpkg" in errors_of(judgement)["*.gpkg"]
    assert judgement.tallies[0].read == 3


@pytest.fixture
def run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command on the test's workspace; errors come out as exceptions."""
    monkeypatch.setenv("WANMI_DATABASE_URL", str(workspace.settings.database_url))
    app = wanmi.mount(["pipelines.surveys"])

    def call(*words: object) -> Result:
        arguments = ["-w", str(workspace.root), "census", "check", *map(str, words)]
        return CliRunner().invoke(app, arguments, catch_exceptions=False)

    return call


def test_the_command_writes_all_three_and_prints_json(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    rows = many(200)
    rows.loc[7, "ObjID"] = "no code"
    folder = census(tmp_path / "d", rows)
    names = [tmp_path / name for name in ("r.html", "f.gpkg", "f.xlsx")]
    result = run(folder, "-o", names[0], "--faults", names[1], "--xlsx", names[2], "--json")
    assert result.exit_code == 0
    assert all(path.stat().st_size > 1000 for path in names)
    document = json.loads(result.stdout)
    assert (document["schema"], document["verdict"]) == (1, "warnings")
    assert document["written"] == [str(path) for path in names]
    (row,) = [fault for fault in document["faults"] if fault["severity"] == "error"]
    assert (row["rule"], row["row"], row["code"], row["class_code"]) == (
        "C010",
        8,
        "no code",
        "0104",
    )
    assert (row["x"], row["y"]) == (540_015.0, 4_214_001.0)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "f.gpkg",
        "f.xlsx",
        "r.html",
    ]


def test_a_rejection_is_an_error_that_says_where_the_report_is(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    folder = census(tmp_path / "d", components().assign(ObjID="no code"))
    page = tmp_path / "r.html"
    with pytest.raises(DeliveryError, match=rf"is rejected: 100% of the components .* See {page}"):
        run(folder, "-o", page)
    assert page.read_text(encoding="utf-8").endswith("</html>\n")


def test_names_of_outputs_are_checked_before_the_work(
    run: Callable[..., Result], tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=r"name the file report\.html"):
        run(tmp_path, "-o", tmp_path / "report.pdf")
    with pytest.raises(RequestError, match="There is no folder"):
        run(tmp_path, "--xlsx", tmp_path / "none" / "a.xlsx")


def test_a_kill_leaves_the_report_whole_or_away(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    script = (
        "import sys; from pathlib import Path\n"
        "from census.report.page import write_page\n"
        "from tests.census.report.judgements import fault, ground, judgement\n"
        "made = judgement([fault(n) for n in range(1, 3000)], rows=9000)\n"
        "print('ready', flush=True)\n"
        "while True: write_page(made, Path(sys.argv[1]), ground=ground())\n"
    )
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", script, str(page)], cwd=root, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        deadline = time.monotonic() + 60
        while not page.exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert page.read_text(encoding="utf-8").endswith("</html>\n")
