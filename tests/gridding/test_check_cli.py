"""``wanmi grid check`` and ``wanmi grid number`` as a user types them, on a town of four grids."""

import json
from pathlib import Path
from xml.etree import ElementTree as Tree

import geopandas as gpd
import psycopg
import pyogrio
import pytest
from playwright.sync_api import Playwright
from shapely import box

from gis.database import Database
from gis.errors import CodeError, DeliveryError
from gis.vector import write_vector
from gis.workspace import Workspace
from gridding.checks import Surroundings, check_layer
from gridding.report import write_report
from tests.commands import Run, runner
from tests.gridding.lattice import PLANTS, make_town, spots
from tests.pipelines.town import GRIDS, grids, rectangle


@pytest.fixture
def model(standing_town: str) -> str:
    return standing_town


@pytest.fixture
def run(workspace: Workspace) -> Run:
    return runner(workspace, ["gridding"])


def delivered(folder: Path, **changes: object) -> Path:
    file = folder / "网格.gpkg"
    layer = grids()
    for row, shape in changes.pop("shapes", {}).items():  # type: ignore[attr-defined]
        layer.geometry.array[row] = shape
    write_vector(layer.assign(**changes), file)
    return file


def test_live_grids_and_a_sound_file_pass_and_wrong_names_are_refused(
    run: Run, tmp_path: Path
) -> None:
    live = run("grid", "check", "--live", "--json")
    assert live.exit_code == 0
    result = json.loads(live.stdout)
    # Four grids of 20,000 m²; one lamp stands on the border between two.
    assert (result["errors"], result["rules"]) == (0, {"UG22": 4, "UG24": 1})
    assert result["figures"]["grids"] == 4
    assert result["figures"]["median_m2"] == 20_000.0
    shown = run("grid", "check", delivered(tmp_path))
    assert shown.exit_code == 0
    assert "4 grids: 0 errors, 5 warnings" in shown.output
    with pytest.raises(DeliveryError, match="Name one layer"):
        run("grid", "check")
    with pytest.raises(
        DeliveryError, match=r"faults.shp can not be written: give it the suffix .gpkg"
    ):
        run("grid", "check", "--live", "-o", tmp_path / "faults.shp")


def test_faults_come_as_geopackage_and_report(run: Run, tmp_path: Path) -> None:
    file = delivered(
        tmp_path, shapes={1: rectangle(90, 0, 200, 200), 2: rectangle(210, 0, 300, 200)}
    )
    faults, page = tmp_path / "faults.gpkg", tmp_path / "report.html"
    result = run("grid", "check", file, "-o", faults, "--report", page, "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert answer["verdict"] == "faulty"
    assert answer["rules"] == {"UG08": 1, "UG09": 1, "UG22": 4, "UG24": 1}
    areas = pyogrio.read_dataframe(faults, layer="faults")
    places = areas.set_index("rule").geometry
    assert places["UG08"].equals(rectangle(90, 0, 100, 200))
    assert places["UG09"].equals(rectangle(200, 0, 210, 200))
    assert areas["fix_zh"].str.len().min() > 0
    styles = pyogrio.read_dataframe(faults, layer="layer_styles").set_index("f_table_name")
    assert sorted(styles.index) == ["faults", "grids", "places"]
    assert styles["useAsDefault"].astype(bool).all()
    for qml in styles["styleQML"]:
        assert Tree.fromstring(qml.split(">", 1)[1]).find("renderer-v2") is not None
    text = page.read_text(encoding="utf-8")
    assert "不合格" in text
    assert GRIDS[0] in text
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_numbering_keeps_codes_and_continues_after_those_ever_used(
    run: Run, tmp_path: Path
) -> None:
    file = delivered(tmp_path, DYWGBSM=[None, GRIDS[1], GRIDS[2], "130102001001001"])
    out = tmp_path / "numbered.gpkg"
    result = json.loads(run("grid", "number", file, "-o", out, "--json").stdout)
    assert (result["kept"], result["given"]) == (2, 2)
    assert result["replaced"] == {"130102001001001": "130102001002003"}
    numbered = pyogrio.read_dataframe(out)
    assert numbered["code"].tolist() == [
        "130102001001003", GRIDS[1], GRIDS[2], "130102001002003"
    ]  # fmt: skip
    assert numbered["patrol_order"].tolist() == [1, 2, 1, 2]
    assert result["order_of_patrol"]["adjacent_share"] == 1.0
    assert "2 codes kept" in run("grid", "number", file, "-o", out).output


def test_retired_codes_stay_retired_and_overflow_is_told_before_anything_is_written(
    run: Run, tmp_path: Path, database: Database
) -> None:
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE grids.unit_grid SET valid_to = valid_from + 1 WHERE code = %s", [GRIDS[1]]
        )
    result = run("grid", "check", delivered(tmp_path), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["rules"]["UG27"] == 1
    given = tmp_path / "given.gpkg"
    answer = run("grid", "number", delivered(tmp_path), "-o", given, "--json").stdout
    assert json.loads(answer)["replaced"] == {GRIDS[1]: "130102001001003"}
    x, y = rectangle(0, 0, 1, 1).bounds[:2]
    shapes = [box(x + k / 10, y, x + k / 10 + 0.1, y + 100) for k in range(1000)]
    file, out = tmp_path / "many.gpkg", tmp_path / "numbered.gpkg"
    write_vector(gpd.GeoDataFrame({"name": ["x"] * 1000}, geometry=shapes, crs="EPSG:4547"), file)
    with pytest.raises(
        CodeError, match=r"Community 130102001001 needs number 1002.* 997 numbers left"
    ):
        run("grid", "number", file, "-o", out)
    assert not out.exists()


def test_a_report_is_filtered_and_a_fault_is_shown_on_the_map(
    playwright: Playwright, chromium: str, tmp_path: Path
) -> None:
    town = make_town()
    for rule, place in zip(["UG08", "UG09", "UG24"], spots(town), strict=False):
        PLANTS[rule][0](town, *place)
    review = check_layer(town.grids, around=Surroundings(communities=town.communities))
    page_file = tmp_path / "report.html"
    write_report(review, page_file, title="<script>alert(1)</script>")
    browser = playwright.chromium.launch(executable_path=chromium)
    page = browser.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))
    page.goto(page_file.as_uri())
    rows = page.locator("#list tbody tr:visible")
    assert rows.count() == 2
    page.select_option("#rule", "UG09")
    assert rows.count() == 1
    whole = page.locator("#map").get_attribute("viewBox")
    rows.first.click()
    assert page.locator("#map").get_attribute("viewBox") != whole
    assert page.locator(".mark.chosen:visible").count() == 1
    page.fill("#words", "no such words")
    assert rows.count() == 0
    browser.close()
    assert wrong == []
