"""Sheets and patches built into a database: versions, days, kills, rollbacks, commands."""

import json
from datetime import date

import geopandas as gpd
import pytest
import shapely
from typer.testing import CliRunner

from gis.builds import list_builds, live, rollback
from gis.database import read_rows
from gis.errors import BuildError, DeliveryError
from gis.vector import write_vector
from pipelines.build import BuildOptions, build_delivery
from pipelines.surveys.check import check_delivery
from tests.databases import created, opened
from tests.pipelines.killing import building, wait_until_blocked
from tests.pipelines.town import CRS, X0, Y0, at, line, rectangle, write_manifest, write_town
from wanmi import app

WEST, EAST = "4214.00-540.00", "4214.00-540.25"
JUNE, JULY = date(2026, 6, 30), date(2026, 7, 31)
SHEETS = {"sheet_from": "folder", "scale": 500}


def features(*rows):
    columns = ["OBJID", "FCODE", "NAME", "WIDTH", "geometry"]
    return gpd.GeoDataFrame(list(rows), columns=columns, crs=CRS)


def road(code, *points, name="裕华路", width=30.0):
    return (code, "430501", name, width, line(*points))


def sheetwise(folder, sheets, *, name="sheets", as_of=JUNE, mode="replace", **options):
    """Write a delivery of sheets, each a folder with one file of roads."""
    for number, frame in sheets.items():
        (folder / number).mkdir(parents=True)
        write_vector(frame, folder / number / "道路.shp", encoding="gb18030")
    layer = {
        "dataset": "topography",
        "path": "*/道路.shp",
        "mode": mode,
        "options": SHEETS | options,
    }
    return write_manifest(folder, [layer], name=name, as_of=as_of)


def build(folder, workspace, **options):
    reports = build_delivery(
        folder, workspace=workspace, options=BuildOptions(actor="t", **options)
    )
    return {report.dataset: report for report in reports}


def rows_of(database, table):
    with database.connect() as connection:
        return read_rows(
            connection, f"SELECT * FROM topography.{table} WHERE valid_to IS NULL ORDER BY code"
        )


@pytest.fixture(scope="module")
def model(server, template, tmp_path_factory):
    """A database of the town, its roads loaded again sheet by sheet: one cut, one with a gap."""
    name, folder = "sheets_model", tmp_path_factory.mktemp("model")
    with created(server, name, of=template) as url:
        workspace = opened(folder, url)
        build(write_town(folder / "may"), workspace)
        west = features(
            road("a1", (0, 100), (250, 100)), road("a2", (100, 50), (250, 50), name="青年街")
        )
        east = features(
            road("b1", (250, 100.1), (400, 100)), road("b2", (250, 52), (350, 50), name="青年街")
        )
        sheets = sheetwise(folder / "june", {WEST: west, EAST: east}, surveyed_on=JUNE)
        build(sheets, workspace, only=("topography",))
        yield name


@pytest.fixture
def built(workspace):
    return workspace


def test_sheets_are_kept_with_their_faults(built, database):
    assert live(database, "topography")["code"].tolist() == ["T2", "a1", "a2", "b2"]
    sheets = rows_of(database, "sheet")
    assert sheets["code"].tolist() == [f"500:{WEST}", f"500:{EAST}"]
    assert sheets["features"].tolist() == [2, 2]
    (fault,) = rows_of(database, "edge_fault").to_dict("records")
    assert (fault["rule"], fault["grade"], fault["gap_m"]) == ("TP84", "error", 2.0)
    assert (fault["feature_code"], fault["other_code"]) == ("a2", "b2")


def test_a_sheet_delivered_again_repairs_the_edge_and_leaves_the_rest(built, database, tmp_path):
    before = live(database, "topography").set_index("code")
    east = features(
        road("n1", (250, 100.1), (400, 100)), road("n2", (250, 50), (350, 50), name="青年街")
    )
    patch = sheetwise(
        tmp_path / "july", {EAST: east}, name="july", as_of=JULY, mode="patch", surveyed_on=JULY
    )
    report = build(patch, built, only=("topography",))["topography"]
    after = live(database, "topography").set_index("code")
    # What was delivered under another identifier, but as it was, is the version that it was.
    assert after.loc["a1", "row_id"] == before.loc["a1", "row_id"]
    assert after.loc["T2", "row_id"] == before.loc["T2", "row_id"]
    # The street is one now, and its second half is no longer a feature of its own.
    assert sorted(after.index) == ["T2", "a1", "a2"]
    (street,) = after[after["name"] == "青年街"].to_dict("records")
    assert street["geometry"].length == pytest.approx(250, abs=0.1)
    assert rows_of(database, "edge_fault").empty
    assert (report.rows_opened, report.rows_closed) == (1, 2)
    sheets = rows_of(database, "sheet").set_index("number")
    assert sheets.loc[EAST, "surveyed_on"] == JULY
    assert sheets.loc[WEST, "surveyed_on"] == JUNE
    # again: nothing; and back
    assert build(patch, built)["topography"].status == "unchanged"
    rollback(database, newest_build(database), actor="t")
    again = live(database, "topography").set_index("code")
    assert again["row_id"].sort_index().tolist() == before["row_id"].sort_index().tolist()
    assert len(rows_of(database, "edge_fault")) == 1
    assert rows_of(database, "sheet")["surveyed_on"].tolist() == [JUNE, JUNE]


def newest_build(database):
    builds = list_builds(database)
    return int(builds.loc[builds["dataset"] == "topography", "build_id"].max())


def test_an_older_sheet_and_an_older_patch_are_refused(built, database, tmp_path):
    east = {EAST: features(road("n1", (250, 100), (400, 120)))}
    early = sheetwise(
        tmp_path / "a", east, name="a", as_of=JULY, mode="patch", surveyed_on=date(2024, 1, 1)
    )
    before = live(database, "topography")
    with pytest.raises(DeliveryError, match="does not say where it holds"):
        build(early, built)
    both = {WEST: features(road("m1", (0, 100), (250, 100.1))), **east}
    for number in both:
        (tmp_path / "b" / number).mkdir(parents=True)
        write_vector(both[number], tmp_path / "b" / number / "道路.shp", encoding="gb18030")
    layers = [
        {
            "dataset": "topography",
            "path": f"{number}/道路.shp",
            "mode": "patch",
            "options": SHEETS | {"surveyed_on": day},
        }
        for number, day in ((WEST, JULY), (EAST, date(2024, 1, 1)))
    ]
    report = build(write_manifest(tmp_path / "b", layers, name="b", as_of=JULY), built)
    assert "TP92" in {fault["rule"] for fault in report["topography"].faults}
    after = live(database, "topography")
    assert after[after["code"] == "b2"]["row_id"].tolist() == (
        before[before["code"] == "b2"]["row_id"].tolist()
    )
    may = sheetwise(tmp_path / "c", east, name="c", as_of=date(2026, 5, 1), mode="patch")
    with pytest.raises(BuildError, match="later than this delivery's 2026-05-01"):
        build(may, built)


def test_a_polygon_says_where_a_patch_holds(built, database, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    rows = features(
        road("x", (300, 100), (360, 104)),
        road("far", (20, 20), (60, 20)),
    )
    write_vector(rows, folder / "道路.shp", encoding="gb18030")
    # An outline that crosses itself is repaired.
    west, east, south, north = X0 + 300, X0 + 360, Y0, Y0 + 200
    corners = [(west, south), (east, south), (east, north), (west, north)]
    spike = [(west, Y0 + 60), (west - 5, Y0 + 55), (west - 5, Y0 + 65), (west, Y0 + 60)]
    outline = shapely.Polygon([*corners, *spike])
    assert not outline.is_valid
    ground = gpd.GeoDataFrame(geometry=[outline], crs=CRS)
    write_vector(ground.assign(x=1), folder / "范围.gpkg")
    options = {"extent": "范围.gpkg", "classes": ["43"], "scale": 500}
    layer = {"dataset": "topography", "path": "道路.shp", "mode": "patch", "options": options}
    report = build(write_manifest(folder, [layer], name="p", as_of=JULY), built)["topography"]
    assert [f["rule"] for f in report.faults if f["severity"] == "error"] == ["TP90"]
    shapes = live(database, "topography").set_index("code").geometry
    # Inside the road bends; west of it stays; east of it too, 4 m beside, so told.
    west, east = shapely.get_parts(shapes["a1"])
    assert west.wkt == line((0, 100), (250, 100.05), (300, 100), (360, 104)).wkt
    assert east.length == pytest.approx(40, abs=0.1)
    told = rows_of(database, "edge_fault")
    assert set(told["rule"]) == {"TP84"}
    elsewhere = gpd.GeoDataFrame({"x": [1]}, geometry=[rectangle(9000, 0, 9100, 90)], crs=CRS)
    write_vector(elsewhere, folder / "范围.gpkg")
    with pytest.raises(DeliveryError, match="extent of the patch lies outside the city"):
        build(write_manifest(folder, [layer], name="q", as_of=JULY), built)


def test_sheets_left_out_of_a_whole_delivery_are_named(built, tmp_path):
    east = {EAST: features(road("n1", (250, 100), (400, 100)))}
    again = sheetwise(tmp_path / "again", east, name="again", as_of=JULY)
    report = build(again, built, dry_run=True)["topography"]
    assert report.warnings[-1].startswith(f"1 live sheets were not delivered, as {WEST}")
    assert report.warnings_zh[-1].startswith(f"1 幅现势图未交付，如 {WEST}")


def test_modes_that_do_not_go_together_are_refused(built, tmp_path):
    folder = tmp_path / "m"
    folder.mkdir()
    for name in ("a", "b"):
        rows = features(road(name, (20, 20), (60, 20)))
        write_vector(rows, folder / f"{name}.shp", encoding="gb18030")
    layers = [
        {"dataset": "topography", "path": "a.shp", "mode": "patch"},
        {"dataset": "topography", "path": "b.shp"},
    ]
    with pytest.raises(DeliveryError, match="deliver the patch by itself"):
        build(write_manifest(folder, layers, name="m", as_of=JULY), built)
    wrong = [{"dataset": "components", "path": "a.shp", "mode": "patch"}]
    with pytest.raises(DeliveryError, match="only topography can be patched"):
        build(write_manifest(folder, wrong, name="m", as_of=JULY), built)


@pytest.mark.parametrize("label", ["judging topography", "publishing topography"])
def test_a_patch_that_is_killed_changes_nothing(built, database, tmp_path, label):
    east = {EAST: features(road("n1", (250, 100.1), (400, 120)))}
    patch = sheetwise(tmp_path / "july", east, name="july", as_of=JULY, mode="patch")
    before, sheets = live(database, "topography"), rows_of(database, "sheet")
    with building(patch, built, label) as process:
        assert process.has_stopped()
    assert live(database, "topography")["row_id"].tolist() == before["row_id"].tolist()
    assert rows_of(database, "sheet").equals(sheets)


def test_a_patch_killed_while_its_sheets_are_written_changes_nothing(built, database, tmp_path):
    east = {EAST: features(road("n1", (250, 100.1), (400, 120)))}
    patch = sheetwise(tmp_path / "july", east, name="july", as_of=JULY, mode="patch")
    before = live(database, "topography")
    with database.connect() as connection:
        # The features are exchanged by then; the sheets wait for this lock.
        connection.execute("LOCK TABLE topography.edge_fault IN ACCESS EXCLUSIVE MODE")
        with building(patch, built, "never"):
            wait_until_blocked(database)
    assert live(database, "topography")["row_id"].tolist() == before["row_id"].tolist()
    assert build(patch, built)["topography"].status == "built"


def test_commands_list_sheets_and_changes(built, database, tmp_path):
    east = {EAST: features(road("n1", (250, 100.1), (400, 101)))}
    patch = sheetwise(tmp_path / "july", east, name="july", as_of=JULY, mode="patch")

    def wanmi(*words):
        found = CliRunner().invoke(
            app,
            ["--workspace", str(built.root), "topography", *words],
            env={"WANMI_DATABASE_URL": built.settings.database_url},
        )
        assert found.exit_code == 0, found.output
        return found.stdout

    foretold = json.loads(wanmi("diff", str(patch), "--json"))
    assert not foretold["is_built"]
    assert foretold["counts"]["reshaped"] == 1
    assert foretold["counts"]["removed"] == 1
    build(patch, built)
    page, layers = tmp_path / "d.html", tmp_path / "d.gpkg"
    document = json.loads(wanmi("diff", "--json", "-o", str(page), "-o", str(layers)))
    assert document["counts"] == foretold["counts"]
    assert {row["code"]: row["change"] for row in document["changes"]} == {
        "a1": "reshaped",
        "b2": "removed",
    }
    assert document["areas"] == {"槐底社区": {"removed": 1, "reshaped": 1}}
    assert len(gpd.read_file(layers, layer="lines")) == 2
    text = page.read_text(encoding="utf-8")
    assert "基础地形变化清单" in text
    assert "http" not in text.replace("http-equiv", "")
    index = tmp_path / "sheets.gpkg"
    sheets = json.loads(wanmi("sheets", "--json", "-o", str(index)))
    assert [row["number"] for row in sheets] == [WEST, EAST]
    assert sheets[0]["edge_errors"] == 1
    assert gpd.read_file(index, layer="sheets")["state"].tolist() == ["faulty", "faulty"]
    assert "2 sheets" in wanmi("sheets")
    assert "1 reshaped" in wanmi("diff")


def test_a_patch_is_checked_though_live_rows_stood_at_its_rows(built, tmp_path):
    # What is unchanged stood second in the file of this name; now a new road stands there.
    rows = features(
        road("b2", (250, 52), (350, 50), name="青年街"),
        road("n9", (300, 150), (390, 150), name=None),
    )
    patch = sheetwise(tmp_path / "july", {EAST: rows}, name="july", as_of=JULY, mode="patch")
    judgement = check_delivery(patch, workspace=built, dataset="topography").judgement
    assert judgement.verdict.level == "warnings"
    told = judgement.faults[judgement.faults["source_row"] == 2]
    assert "TP10" in set(told["rule"])
    assert set(told["class_code"]) == {"430501"}


def test_names_of_the_map_end_with_their_last_label(built, database, tmp_path):
    def deliver(name, text, as_of):
        rows = features(("L1", "439000", text, None, at(100, 101)))
        (tmp_path / name).mkdir()
        write_vector(rows, tmp_path / name / "注记.gpkg")
        layer = {"dataset": "topography", "path": "注记.gpkg"}
        return build(write_manifest(tmp_path / name, [layer], name=name, as_of=as_of), built)

    def of_map():
        rows = live(database, "place_names")
        return rows.loc[rows["source"] == "map", "name"].tolist()

    deliver("named", "跃进路", JUNE)
    assert of_map() == ["跃进路"]
    report = deliver("ground", "绿化带", JULY)["place_names"]
    assert (report.status, report.rows_closed, of_map()) == ("built", 1, [])
    assert deliver("again", "绿化带", JULY)["place_names"].rows_closed in (0, None)


def test_what_was_delivered_but_refused_keeps_its_live_version(built, database, tmp_path):
    local = {"ids": "sheet"}
    west = features(road("1", (0, 40), (200, 40)), road("2", (0, 20), (200, 20), name="青年街"))
    east = features(road("1", (260, 40), (400, 40), name="光明路"))
    build(sheetwise(tmp_path / "a", {WEST: west, EAST: east}, name="a", **local), built)
    codes = [f"{WEST}/1", f"{WEST}/2", f"{EAST}/1"]
    assert set(codes) <= set(live(database, "topography")["code"])
    bad = ("1", "9", "裕华路", 30.0, line((0, 40), (200, 40)))
    again = features(bad, road("2", (0, 20), (200, 22), name="青年街"))
    build(
        sheetwise(tmp_path / "b", {WEST: again, EAST: east}, name="b", as_of=JULY, **local), built
    )
    assert live(database, "topography")["code"].tolist() == [*sorted(codes), "T2"]
    # By a patch whose border cuts it, too.
    ground = gpd.GeoDataFrame({"x": [1]}, geometry=[rectangle(100, 0, 250, 200)], crs=CRS)
    patch = sheetwise(
        tmp_path / "c", {WEST: again}, name="c", as_of=JULY, mode="patch", extent="g.gpkg", **local
    )
    write_vector(ground, patch / "g.gpkg")
    build(patch, built)
    shapes = live(database, "topography").set_index("code").geometry
    assert shapes[f"{WEST}/1"].length == pytest.approx(200)


def test_a_sheet_numbered_by_itself_stays_so_when_it_comes_alone(built, database, tmp_path):
    west = features(road("1", (0, 40), (200, 40)))
    east = features(road("1", (260, 40), (400, 40), name="光明路"))
    sheets = {WEST: west, EAST: east}
    build(sheetwise(tmp_path / "a", sheets, name="a", ids="sheet"), built)
    more = features(road("1", (0, 40), (200, 40)), road("2", (0, 120), (200, 120), name="青年街"))
    build(sheetwise(tmp_path / "b", {WEST: more}, name="b", as_of=JULY, mode="patch"), built)
    codes = live(database, "topography")["code"].tolist()
    assert codes == [f"{WEST}/1", f"{WEST}/2", f"{EAST}/1", "T2"]


def test_a_sheet_ends_with_the_last_feature_on_it(built, database, tmp_path):
    west = features(road("1", (0, 40), (200, 40)))
    build(sheetwise(tmp_path / "a", {WEST: west}, name="a", as_of=JULY), built)
    assert rows_of(database, "sheet")["number"].tolist() == [WEST]
    assert len(rows_of(database, "edge_fault")) == 0
    rollback(database, newest_build(database), actor="t")
    assert rows_of(database, "sheet")["number"].tolist() == [WEST, EAST]
    assert len(rows_of(database, "edge_fault")) == 1


def test_sheets_end_with_a_map_delivered_as_one(built, database, tmp_path):
    (tmp_path / "whole").mkdir()
    write_vector(features(road("1", (0, 40), (200, 40))), tmp_path / "whole" / "道路.gpkg")
    layer = {"dataset": "topography", "path": "道路.gpkg"}
    build(write_manifest(tmp_path / "whole", [layer], name="whole", as_of=JULY), built)
    assert len(rows_of(database, "sheet")) == len(rows_of(database, "edge_fault")) == 0


def test_faults_at_edges_end_under_another_spelling_of_their_sheets(built, database, tmp_path):
    west = features(road("a1", (0, 100), (250, 100)))
    east = features(road("b1", (250, 100), (400, 100)))
    sheets = {
        number.replace("4214.00", "4214.0"): frame for number, frame in ((WEST, west), (EAST, east))
    }
    build(sheetwise(tmp_path / "a", sheets, name="a", as_of=JULY), built)
    assert rows_of(database, "sheet")["code"].tolist() == [f"500:{WEST}", f"500:{EAST}"]
    assert len(rows_of(database, "edge_fault")) == 0
