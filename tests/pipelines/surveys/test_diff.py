"""``wanmi census diff`` on the sample district: counts, page, GeoPackage."""

import json
import re
from datetime import date

import geopandas as gpd
import pytest
from shapely import Point
from typer.testing import CliRunner

from census.comparison import Comparison
from gis.builds import live
from gis.vector import write_vector
from pipelines.surveys import differencepage
from pipelines.surveys.diff import Difference, write_difference
from tests.pipelines.town import write_manifest
from wanmi import app

OUTSIDE = re.compile(r"https?://(?!www\.w3\.org)")


@pytest.fixture(scope="module")
def changed(built_sample, tmp_path_factory):
    """One class as live, with five moved, four gone, three changed, two recoded and one added."""
    rows = live(built_sample.database, "components")
    counts = rows["class_code"].value_counts()
    rows = rows[rows["class_code"] == counts.index[0]].sort_values("code").reset_index(drop=True)
    table = rows[["code", "name", "owner_name", "remark", "geometry"]].copy()
    table = table[rows.geom_type == "Point"].reset_index(drop=True)
    assert len(table) > 30
    for number in range(5):
        old = table.geometry[number]
        table.loc[number, "geometry"] = Point(old.x + 12, old.y + 2 * number)
    table.loc[5:7, "remark"] = "<b>&</script><script>alert(1)</script>"
    last = int(table["code"].max()[-6:])
    for number in (8, 9):
        table.loc[number, "code"] = f"{table['code'][0][:-6]}{last + number:06d}"
    added = table.iloc[[20]].assign(
        code=f"{table['code'][0][:-6]}{last + 1:06d}",
        geometry=[Point(table.geometry[20].x + 3, table.geometry[20].y)],
    )
    table = gpd.GeoDataFrame(
        {name: [*table.drop(index=range(10, 14))[name], *added[name]] for name in table.columns},
        crs=rows.crs,
    )
    folder = tmp_path_factory.mktemp("changed") / "survey"
    folder.mkdir()
    write_vector(table, folder / "survey.gpkg", layer="survey")
    layer = {"dataset": "components", "path": "survey.gpkg", "class_code": counts.index[0]}
    return write_manifest(folder, [layer], name="survey <1>", as_of=date(2026, 12, 31))


@pytest.fixture(scope="module")
def written(built_sample, changed):
    """What the command prints and writes."""
    workspace = built_sample.workspace
    page, layers = changed.parent / "diff.html", changed.parent / "diff.gpkg"
    arguments = ["--workspace", str(workspace.root), "census", "diff", str(changed), "--json"]
    result = CliRunner().invoke(
        app,
        [*arguments, "-o", str(page), "-o", str(layers)],
        env={"WANMI_DATABASE_URL": workspace.settings.database_url},
    )
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), page, layers


def test_counts_are_those_made(written):
    document, _, _ = written
    counts = dict(document["counts"])
    assert counts.pop("unchanged") + document["refused"] > 15
    assert counts == {"added": 1, "removed": 4, "recoded": 2, "moved": 5, "changed": 3}
    assert document["fields"] == {"remark": 3}
    assert len(document["changes"]) == 15
    assert document["base_build_id"] is None


def test_the_layers_have_all_changes_and_the_moves(written):
    _, _, layers = written
    assert gpd.read_file(layers, layer="changes")["change"].value_counts().to_dict() == {
        "moved": 5,
        "removed": 4,
        "changed": 3,
        "recoded": 2,
        "added": 1,
    }
    moves = gpd.read_file(layers, layer="moves")
    assert moves.geometry.length.round(2).min() == 12.0


def test_a_layer_that_can_not_be_written_leaves_the_last_one(tmp_path):
    rows = gpd.GeoDataFrame(
        {
            "change": ["added"],
            "code": ["a"],
            "fields": [{}],
            "was": [None],
            "distance_m": [float("nan")],
            "source_row": [1],
        },
        geometry=[Point(540_000, 4_214_000)],
        crs="EPSG:4547",
    )  # of the columns of the moves some are missing
    comparison = Comparison(rows=rows, counts={}, fields={}, classes={})
    difference = Difference(
        delivery="a",
        as_of="2026-05-31",
        base_build_id=None,
        base_evidence=None,
        rows_read=1,
        refused=0,
        comparison=comparison,
        conflicts=0,
        ground=(),
        crs="EPSG:4547",
        warnings=(),
    )
    (tmp_path / "diff.gpkg").write_bytes(b"the last one")
    with pytest.raises(KeyError):
        write_difference(difference, tmp_path / "diff.gpkg")
    assert [path.name for path in tmp_path.iterdir()] == ["diff.gpkg"]
    assert (tmp_path / "diff.gpkg").read_bytes() == b"the last one"


def test_the_page_loads_nothing_and_runs_nothing_of_the_delivery(written, playwright, chromium):
    _, page, _ = written
    text = page.read_text(encoding="utf-8")
    assert not OUTSIDE.search(text)
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" in text
    browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    try:
        view = browser.new_page(offline=True)
        faults, asked = [], []
        view.on("pageerror", lambda error: faults.append(str(error)))
        view.on("dialog", lambda dialog: (faults.append("dialog"), dialog.dismiss()))
        view.on("request", lambda request: asked.append(request.url))
        view.goto(page.as_uri())
        assert view.locator("#list tbody tr").count() == 15
        view.select_option("#kind", "moved")
        assert view.locator("#list tbody tr").count() == 5
        view.select_option("#kind", "")
        view.fill("#words", "</script>")
        assert view.locator("#list tbody tr").count() == 3
        view.locator("#list tbody tr").first.click()
        assert view.locator("#list tbody tr.chosen").count() == 1
        assert faults == []
        assert asked == [page.as_uri()]
    finally:
        browser.close()


def test_of_too_many_changes_the_page_has_some_of_each_kind(monkeypatch):
    monkeypatch.setattr(differencepage, "_ROWS", 6)
    kinds = ["added"] * 20 + ["moved"] * 10 + ["changed"]
    count = len(kinds)
    rows = gpd.GeoDataFrame(
        {
            "change": kinds,
            "code": [f"{number:02d}" for number in range(count)],
            "outcome": ["taken"] * 15 + ["waits"] + ["taken"] * 15,
        },
        geometry=[Point(0, 0)] * count,
        crs="EPSG:4547",
    )
    listed = differencepage._listed(rows)
    # Each kind in turn: three are added, two moved, one changed; the one that waits is among them.
    assert listed["code"].tolist() == ["00", "01", "15", "20", "21", "30"]
    assert len(differencepage._listed(rows.iloc[:4])) == 4
