"""Conflicts wait, are decided by builds, rolled back, and told in history."""

import json

import geopandas as gpd
import pandas as pd
import pytest
from typer.testing import CliRunner

from census.conflicts import decide, find_stale, renew_conflicts
from census.lineage import read_history
from gis.builds import list_builds, rollback
from gis.errors import ConflictError, FileFormatError, NotFoundError, RequestError
from pipelines.build import build_delivery
from pipelines.rejects import read_rejects, write_rejects
from pipelines.status import read_status
from pipelines.surveys import listing
from pipelines.surveys.correction import reload_rows
from pipelines.surveys.merge import merge_delivery
from tests.pipelines.surveys.merging.teams import (
    FOUR,
    ONE,
    THREE,
    TWO,
    conflicts_of,
    everything,
    new,
    state,
    team,
)
from tests.pipelines.town import at
from wanmi import app


def test_a_decision_does_not_hide_the_rows_that_wait(contested, database):
    before = read_rejects(database, dataset="components")
    assert {"C051", "C053"} <= set(before["rule"])
    ids = dict(conflicts_of(database)[["kind", "conflict_id"]].itertuples(index=False, name=None))
    decide(database, [ids["field"]], take="live", because="seen", actor="me")
    after = read_rejects(database, dataset="components")
    pd.testing.assert_frame_equal(pd.DataFrame(after), pd.DataFrame(before))
    (status,) = (entry for entry in read_status(database) if entry.dataset == "components")
    assert status.rows_rejected == 2


def test_decisions_are_builds(contested, database):
    ids = dict(conflicts_of(database)[["kind", "conflict_id"]].itertuples(index=False, name=None))
    with pytest.raises(RequestError, match="--because"):
        decide(database, [ids["field"]], take="delivered", because=" ", actor="me")
    with pytest.raises(RequestError, match="take live, delivered or base"):
        decide(database, [ids["field"]], take="both", because="x", actor="me")
    with pytest.raises(NotFoundError, match="999"):
        decide(database, [999], take="live", because="x", actor="me")
    before = everything(database)
    first = decide(
        database, [ids["field"], ids["update_delete"]], take="delivered", because="seen", actor="me"
    )
    assert state(database)["condition"].to_dict() == {
        ONE: "lost",
        TWO: "abandoned",
        THREE: "intact",
        FOUR: "intact",
    }
    second = decide(database, [ids["add_add"]], take="both", because="two grates", actor="me")
    assert second.changed == ("1301020104000005",)
    assert len(conflicts_of(database)) == 0
    with pytest.raises(ConflictError, match=f"wanmi rollback {first.build_id}"):
        decide(database, [ids["field"]], take="live", because="x", actor="me")
    rollback(database, second.build_id, actor="me")
    rollback(database, first.build_id, actor="me")
    for name, frame in everything(database).items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_rolling_a_merge_back_takes_its_conflicts_away(contested, database, workspace, tmp_path):
    rollback(database, contested.build_id, actor="me")
    assert len(conflicts_of(database, statuses=None)) == 0
    again = merge_delivery(tmp_path / "b", workspace=workspace)
    assert again.new_conflicts == 3


def test_a_decision_on_what_has_changed_is_refused(contested, workspace, database, tmp_path):
    rows = conflicts_of(database)
    field = int(rows.loc[rows["kind"] == "field", "conflict_id"].iloc[0])
    changed = new(ONE, at(50, 50)).assign(ObjState="占用", DeptName1="市政处", DataSource="核查")
    folder = team(tmp_path / "later", changed, mode="update")
    build_delivery(folder, workspace=workspace)
    with database.connect(read_only=True) as connection:
        assert find_stale(connection, rows) == [entry == field for entry in rows["conflict_id"]]
    with pytest.raises(ConflictError, match="--renew"):
        decide(database, [field], take="delivered", because="x", actor="me")
    assert renew_conflicts(database, actor="me") == {"renewed": 1, "settled": 0}
    decide(database, [field], take="base", because="x", actor="me")
    assert state(database).loc[ONE, "condition"] == "intact"


def test_what_agrees_by_now_is_settled_until_rolled_back(contested, workspace, database, tmp_path):
    agreed = new(ONE, at(50, 50)).assign(ObjState="丢失", DeptName1="市政处", DataSource="核查")
    build_delivery(team(tmp_path / "later", agreed, mode="update"), workspace=workspace)
    assert renew_conflicts(database, actor="me") == {"renewed": 0, "settled": 1}
    builds = list_builds(database)
    rollback(database, int(builds["build_id"].iloc[0]), actor="me")
    assert len(conflicts_of(database)) == 3


def test_history_tells_who_changed_what(contested, database, town):
    versions = read_history(database, ONE)
    assert [(version.delivery, version.source_row) for version in versions] == [
        ("town", 1),
        ("a", 1),
        ("b", 1),
    ]
    assert versions[1].changes == {
        "competent_name": ("城管局", "市政处"),
        "condition": ("intact", "damaged"),
    }
    assert versions[2].changes == {"data_source": ("实测", "核查")}
    assert versions[0].closed_build_id == versions[1].build_id
    with pytest.raises(NotFoundError):
        read_history(database, "nothing")


def test_the_commands_speak(contested, workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("WANMI_DATABASE_URL", workspace.settings.database_url)

    def run(*arguments):
        result = CliRunner().invoke(app, ["--workspace", str(workspace.root), "census", *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    listed = json.loads(run("conflicts", "--json", "-o", str(tmp_path / "c.gpkg")))["conflicts"]
    assert len(listed) == 3
    assert len(gpd.read_file(tmp_path / "c.gpkg")) == 3
    number = str(next(entry["conflict_id"] for entry in listed if entry["kind"] == "field"))
    assert "delivered lost" in " ".join(run("conflicts").split())
    assert "1 decided" in run("decide", number, "--take", "live", "--because", "seen")
    told = run("history", ONE)
    assert "condition: intact → damaged" in told
    assert f"conflict {number} field condition" in told
    assert "merged before" in run("merge", str(tmp_path / "b"))


def test_no_row_of_a_merged_delivery_is_loaded_past_the_merge(
    contested, database, workspace, tmp_path
):
    write_rejects(read_rejects(database, dataset="components"), tmp_path / "back.gpkg")
    before = state(database)
    report = reload_rows(tmp_path / "back.gpkg", workspace=workspace, judge_unchanged=True)
    assert (report.loaded, report.refused, report.builds) == (0, 0, ())
    assert report.rows == report.left > contested.held
    assert all("census merge" in note.en for note in report.notes)
    pd.testing.assert_frame_equal(pd.DataFrame(state(database)), pd.DataFrame(before))


@pytest.mark.parametrize(
    ("take", "codes", "owners"),
    [("delivered", [ONE, THREE, FOUR], "城管局"), ("both", [ONE, TWO, THREE, FOUR], None)],
)
def test_what_a_file_says_nothing_of_stays_where_it_replaces(
    town, workspace, database, tmp_path, take, codes, owners
):
    """The delivered row stands for TWO, whose file knows of no department and no source."""
    rows = new(FOUR, at(250.1, 50)).assign(ObjState="破损", 井盖材质="铸铁")
    rows = rows.drop(columns=["DeptName1", "DataSource"])
    merge_delivery(team(tmp_path / "a", rows, base=town, mode="update"), workspace=workspace)
    assert conflicts_of(database)["kind"].tolist() == ["place"]
    decide(database, [1], take=take, because="plate read", actor="me")
    now = state(database)
    assert now.index.tolist() == codes
    found = now.loc[FOUR, ["competent_name", "data_source", "condition"]].astype(object)
    source = None if owners is None else "实测"
    assert found.where(found.notna(), None).tolist() == [owners, source, "damaged"]
    assert now.loc[FOUR, "attributes"] == {"井盖材质": "铸铁"}


def test_a_list_that_can_not_be_written_leaves_the_last_one(
    contested, database, tmp_path, monkeypatch
):
    def broken(frame, path, **options):
        path.write_bytes(b"half")
        raise FileFormatError("disk full", zh="磁盘已满")

    monkeypatch.setattr(listing, "write_vector", broken)
    (tmp_path / "list.gpkg").write_bytes(b"last")
    listed = conflicts_of(database).assign(is_stale=False)
    with pytest.raises(FileFormatError):
        listing.write_conflict_layer(listed, tmp_path / "list.gpkg")
    assert (tmp_path / "list.gpkg").read_bytes() == b"last"
    assert not list(tmp_path.glob(".list*"))
