"""A census moved to new codes in the database: all or nothing, undone, once, and old codes go on answering."""

import json
from datetime import date
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
from shapely import Point
from typer.testing import CliRunner

from api import open_snapshot
from api.compile import compile_snapshot
from census.migration import Decisions, plan_migration
from census.recoding import carry_out, read_census
from census.taxonomy import STANDARDS
from census.undecided import read_decisions, write_lists
from gis.builds import list_builds, live, rollback
from gis.database import Database, read_rows
from gis.errors import BuildError, RequestError, WorkspaceError
from gis.vector import read_vector, write_vector
from tests.publishing import publish_drawn
from wanmi import mount

OLD, MIDDLE, NEW = STANDARDS
CRS = "EPSG:4547"
DAY = date(2026, 5, 31)
LATER = date(2026, 7, 1)
CODES = (
    "1301020104000001",  # becomes 01004
    "1301020306000001",  # 03006
    "1301020307000001",  # split: 03006 or 03007
    "1301020117000001",  # split in five
    "1301020601000001",  # gone
)
DECIDED = Decisions(
    classes={(OLD, "0307"): "03006", (OLD, "0601"): "close"},
    components={"1301020117000001": "01033"},
)


def rows(codes=CODES, *, name="部件") -> gpd.GeoDataFrame:
    frame = pd.DataFrame({"code": codes})
    frame = frame.assign(
        class_code=frame["code"].str.slice(6, 10),
        standard_ref=OLD,
        name=name,
        condition="intact",
        ownership_state="unknown",
        initial_date=date(2020, 1, 1),
        attributes=[{"材质": "铸铁"} for _ in codes],
        source_file="a.shp",
        source_row=range(1, len(codes) + 1),
    )
    points = [Point(540_000 + 10 * n, 4_214_000) for n in range(len(codes))]
    return gpd.GeoDataFrame(frame, geometry=points, crs=CRS)


def load(database: Database, frame: gpd.GeoDataFrame, *, content: str, as_of: date = DAY) -> None:
    publish_drawn(database, "components", frame, as_of=as_of, content=content)


@pytest.fixture
def city(database: Database) -> Database:
    """A database with five components of the generation of 2007."""
    load(database, rows(), content="first")
    return database


def migrate(database: Database, *, to_ref=NEW, decisions=DECIDED, as_of=LATER):
    census = read_census(database)
    plan = plan_migration(census.rows, to_ref=to_ref, used=census.used, decisions=decisions)
    return carry_out(database, plan, census=census, as_of=as_of, actor="tests")


def state(database: Database) -> pd.DataFrame:
    frame = live(database, "components")
    return frame.drop(columns=["row_id", "build_id"]).astype(str)


def test_a_census_moves_in_one_build_and_keeps_everything_else(city):
    before = live(city, "components").set_index("code")
    result = migrate(city)
    assert (result.rows_opened, result.rows_closed) == (4, 5)
    after = live(city, "components")
    assert after["code"].tolist() == [
        "13010201004000001",
        "13010201033000001",
        "13010203006000001",
        "13010203006000002",
    ]
    assert after["class_code"].tolist() == ["01004", "01033", "03006", "03006"]
    assert set(after["standard_ref"]) == {NEW}
    lid = after.set_index("code").loc["13010203006000002"]
    old = before.loc["1301020307000001"]
    for column in ("name", "condition", "initial_date", "attributes", "source_row", "geometry"):
        assert lid[column] == old[column]
    assert lid["valid_from"] == LATER
    past = live(city, "components", as_of=DAY)
    assert past["code"].tolist() == sorted(CODES)
    assert set(past["valid_to"]) == {LATER}


def test_nothing_is_done_while_anything_waits(city):
    before = state(city)
    with pytest.raises(BuildError, match="3 components are not decided"):
        migrate(city, decisions=None)
    assert state(city).equals(before)
    assert len(list_builds(city)) == 1


def test_applied_again_it_changes_nothing(city):
    migrate(city)
    after, builds = state(city), len(list_builds(city))
    assert migrate(city, decisions=None) is None
    assert state(city).equals(after)
    assert len(list_builds(city)) == builds


def test_a_rollback_brings_all_back_and_moving_again_gives_the_same_codes(city):
    before = state(city)
    first = migrate(city)
    moved = live(city, "components")["code"].tolist()
    rollback(city, first.build_id, actor="tests")
    assert state(city).equals(before)
    again = migrate(city)
    assert again.build_id != first.build_id
    assert live(city, "components")["code"].tolist() == moved


def test_kept_components_stay_as_they_are(city):
    before = live(city, "components").set_index("code")
    kept = Decisions(classes={(OLD, code): "keep" for code in ("0307", "0117", "0601")})
    result = migrate(city, decisions=kept)
    assert (result.rows_opened, result.rows_closed, result.rows_unchanged) == (2, 2, 3)
    after = live(city, "components").set_index("code")
    for code in ("1301020307000001", "1301020117000001", "1301020601000001"):
        assert after.loc[code, "row_id"] == before.loc[code, "row_id"]
    assert migrate(city, decisions=kept) is None


def test_from_2007_to_2013_and_on_to_2026_every_former_code_answers(city, workspace):
    first = Decisions(
        classes={(OLD, "0307"): "0306", (OLD, "0601"): "keep"},
        components={"1301020117000001": "0133"},
    )
    migrate(city, to_ref=MIDDLE, decisions=first)
    middle = live(city, "components")
    assert set(middle["code"]) == {
        "1301020104000001",
        "1301020306000001",
        "1301020306000002",
        "1301020133000001",
        "1301020601000001",
    }
    migrate(
        city,
        decisions=Decisions(classes={(OLD, "0601"): "close"}),
        as_of=date(2026, 9, 1),
    )
    snapshot = open_snapshot(compile_snapshot(city, workspace))
    found = {code: (snapshot.record("components", code) or {}).get("code") for code in CODES}
    assert found == {
        "1301020104000001": "13010201004000001",
        "1301020306000001": "13010203006000001",
        "1301020307000001": "13010203006000002",
        "1301020117000001": "13010201033000001",
        "1301020601000001": None,
    }
    # On the day before, the old code is the component's own.
    assert snapshot.record("components", CODES[2], as_of=DAY)["code"] == CODES[2]
    case = pd.DataFrame({"component_code": [CODES[2], CODES[4]], "kind": "component"})
    answers = snapshot.assign(case)
    assert answers["component_code"].tolist()[0] == "13010203006000002"
    assert "component_code_unknown" in answers["reasons"].tolist()[1]


def test_a_migration_undone_is_forgotten(city, workspace):
    result = migrate(city)
    rollback(city, result.build_id, actor="tests")
    snapshot = open_snapshot(compile_snapshot(city, workspace))
    assert snapshot.table("recodes").num_rows == 0
    assert snapshot.record("components", CODES[2])["code"] == CODES[2]


def test_codes_of_what_ended_are_never_given_again(city):
    # 13010203006000001 stood once and ended: the sign of today gets another number.
    ended = rows(("13010203006000001",)).assign(class_code="03006", standard_ref=NEW)
    load(city, ended, content="second", as_of=date(2026, 6, 1))
    load(city, rows(name="再次"), content="third", as_of=date(2026, 6, 2))
    migrate(city)
    with city.connect(read_only=True) as connection:
        recodes = read_rows(connection, "SELECT code, former_code FROM components.recode")
    moved = recodes.set_index("former_code")["code"]
    assert moved["1301020306000001"] == "13010203006000002"
    assert moved["1301020307000001"] == "13010203006000003"


def test_a_census_that_changed_meanwhile_is_not_overwritten(city):
    census = read_census(city)
    plan = plan_migration(census.rows, to_ref=NEW, used=census.used, decisions=DECIDED)
    load(city, rows(name="新名"), content="second", as_of=LATER)
    before = state(city)
    with pytest.raises(BuildError, match="changed by another load"):
        carry_out(city, plan, census=census, as_of=LATER, actor="tests")
    assert state(city).equals(before)
    assert (list_builds(city)["status"] == "live").sum() == 2


def test_a_day_before_the_newest_build_is_refused(city):
    with pytest.raises(BuildError, match="later than"):
        migrate(city, as_of=date(2026, 1, 1))


def lists(database: Database, path: Path, decided: Decisions | None = None) -> None:
    census = read_census(database)
    decided = decided or Decisions()
    plan = plan_migration(census.rows, to_ref=NEW, used=census.used, decisions=decided)
    write_lists(plan, path, shapes=census.rows.geometry, decisions=decided)


def test_a_workbook_filled_in_decides(city, tmp_path):
    path = tmp_path / "list.xlsx"
    lists(city, path)
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["classes", "undecided", "codes"]
    sheet = book["undecided"]
    head = [cell.value for cell in sheet[1]]
    listed = {row[head.index("code")].value: row for row in sheet.iter_rows(min_row=2)}
    assert set(listed) == set(CODES[2:])
    candidates = listed["1301020117000001"][head.index("candidates")].value
    assert candidates.startswith("01030 ")
    assert candidates.count(";") == 4
    # As people write: a number whose zero is gone, a candidate copied with its name, Chinese.
    listed["1301020117000001"][head.index("decision")].value = 1033
    listed["1301020307000001"][head.index("decision")].value = "03006 户外广告"
    sheet = book["classes"]
    head = [cell.value for cell in sheet[1]]
    for row in sheet.iter_rows(min_row=2):
        if row[head.index("class_code")].value == "0601":
            row[head.index("decision")].value = "移除"
    book.save(path)
    assert read_decisions(path, to_ref=NEW) == Decisions(
        classes={(OLD, "0601"): "close"},
        components={"1301020117000001": "01033", "1301020307000001": "03006"},
    )


def test_a_geopackage_filled_in_decides(city, tmp_path):
    path = tmp_path / "list.gpkg"
    lists(city, path)
    frame = read_vector(path, target_crs=CRS, layer="undecided").frame
    assert len(frame) == 3
    assert frame.geometry.notna().all()
    assert len(read_vector(path, target_crs=CRS, layer="codes").frame) == 5
    frame.loc[frame["code"].eq(CODES[2]), "decision"] = "保留"
    write_vector(frame, path, layer="undecided")
    assert read_decisions(path, to_ref=NEW) == Decisions(
        classes={}, components={"1301020307000001": "keep"}
    )


@pytest.mark.parametrize("suffix", [".xlsx", ".gpkg"])
def test_the_next_list_has_what_was_decided_before(city, tmp_path, suffix):
    path = tmp_path / f"second{suffix}"
    components = {CODES[2]: "keep", CODES[3]: "01033"}
    lists(city, path, Decisions(components=components))
    assert read_decisions(path, to_ref=NEW).components == components
    lists(city, tmp_path / "second.html", Decisions(components=components))
    assert "<b>1</b>to be decided" in (tmp_path / "second.html").read_text(encoding="utf-8")


def test_a_list_that_can_not_be_written_says_so(city, tmp_path):
    (tmp_path / "list.xlsx").mkdir()
    with pytest.raises(WorkspaceError, match=r"list\.xlsx can not be written"):
        lists(city, tmp_path / "list.xlsx")


def test_the_page_names_every_class_and_what_waits(city, tmp_path):
    path = tmp_path / "list.html"
    lists(city, path)
    text = path.read_text(encoding="utf-8")
    assert all(code in text for code in CODES[2:])
    assert "<b>3</b>to be decided" in text
    assert "http" not in text


def test_decisions_that_contradict_or_are_nowhere_are_refused(tmp_path):
    path = tmp_path / "d.csv"
    path.write_text("code,decision\n1301020117000001,01030\n1301020117000001,01031\n", "utf-8")
    with pytest.raises(RequestError, match="decides twice"):
        read_decisions(path, to_ref=NEW)
    path.write_text("code,answer\n1301020117000001,01030\n", "utf-8")
    with pytest.raises(RequestError, match="no table with the columns"):
        read_decisions(path, to_ref=NEW)


def test_the_command_tells_lists_and_carries_out(city, workspace, tmp_path):
    app = mount(["pipelines.surveys"])

    def run(*words: str):
        base = ["-w", str(workspace.root), "census", "migrate", "--to", "2026", "--json"]
        return CliRunner().invoke(
            app, [*base, *words], env={"WANMI_DATABASE_URL": workspace.settings.database_url}
        )

    told = run("-o", str(tmp_path / "list.html"))
    assert told.exit_code == 0, told.output
    counts = json.loads(told.stdout)
    assert (counts["moved"], counts["undecided"], counts["build_id"]) == (2, 3, None)
    assert len(live(city, "components")) == 5
    refused = run("--apply")
    assert refused.exit_code == 1
    decisions = tmp_path / "d.csv"
    decisions.write_text(
        "code,decision\n" + "".join(f"{code},keep\n" for code in CODES[2:]), encoding="utf-8"
    )
    done = run("--decisions", str(decisions), "--apply")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["build_id"] == 2
    assert len(live(city, "components")) == 5
    bad = run("-o", str(tmp_path / "list.pdf"))
    assert bad.exit_code == 1
