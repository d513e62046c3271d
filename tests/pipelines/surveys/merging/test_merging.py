"""Two teams, one town: merged in either order, killed, and without a base."""

from datetime import date

import pandas as pd
import pytest

from census.conflicts import decide
from census.lineage import read_history
from gis.builds import rollback
from gis.database import dataset_lock
from gis.errors import ConflictError, DatabaseError, DeliveryError, LockedError
from pipelines.build import BuildOptions
from pipelines.surveys import merge as merging
from pipelines.surveys.merge import merge_delivery
from tests.pipelines.surveys.merging.teams import (
    FOUR,
    JUNE,
    ONE,
    THREE,
    TWO,
    conflicts_of,
    edited,
    everything,
    new,
    state,
    team,
    without,
)
from tests.pipelines.town import at, components


def test_two_teams_lose_nothing(contested, database, town):
    assert (contested.base_build_id, contested.base_evidence) == (town, "manifest")
    assert (contested.new_conflicts, contested.held, contested.rows_read) == (3, 2, 4)
    rows = state(database)
    assert rows.index.tolist() == [ONE, THREE, FOUR]
    assert rows.loc[ONE, ["condition", "competent_name", "data_source"]].tolist() == [
        "damaged",
        "市政处",
        "核查",
    ]
    found = conflicts_of(database)[["kind", "code", "field", "source_row"]]
    assert set(found.itertuples(index=False, name=None)) == {
        ("field", ONE, "condition", 1),
        ("update_delete", TWO, None, 2),
        ("add_add", FOUR, None, 4),
    }
    assert {fault["rule"] for fault in contested.faults} >= {"C050", "C051", "C053"}


def test_the_other_order_finds_the_same(town, workspace, database, tmp_path):
    """As `contested`, but B comes first."""
    a = edited(ObjState={ONE: "破损"}, DeptName1={ONE: "市政处"})
    b = edited(ObjState={ONE: "丢失", TWO: "废弃"}, DataSource={ONE: "核查"})
    merge_delivery(team(tmp_path / "b", b, base=town), workspace=workspace)
    report = merge_delivery(
        team(tmp_path / "a", a[a["ObjID"] != TWO], base=town, as_of=date(2026, 6, 1)),
        workspace=workspace,
    )
    found = conflicts_of(database)[["kind", "code", "field"]]
    assert set(found.itertuples(index=False, name=None)) == {
        ("field", ONE, "condition"),
        ("delete_update", TWO, None),
    }
    rows = state(database)
    assert rows.loc[ONE, ["condition", "competent_name", "data_source"]].tolist() == [
        "lost",
        "市政处",
        "核查",
    ]
    assert rows.loc[ONE, "valid_from"] == JUNE  # though its survey was finished before
    assert "C052" in {fault["rule"] for fault in report.faults}


def test_merging_again_changes_nothing(contested, workspace, database, tmp_path):
    before = everything(database)
    again = merge_delivery(tmp_path / "b", workspace=workspace)
    assert (again.status, again.build_id, again.new_conflicts) == (
        "unchanged",
        contested.build_id,
        0,
    )
    (tmp_path / "b" / "delivery.toml").write_text(
        (tmp_path / "b" / "delivery.toml").read_text(encoding="utf-8").replace("06-30", "07-01"),
        encoding="utf-8",
    )
    once_more = merge_delivery(tmp_path / "b", workspace=workspace)
    assert (once_more.status, once_more.conflicts, once_more.new_conflicts) == ("merged", 3, 0)
    for name, frame in everything(database).items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_a_rehearsal_writes_nothing(town, workspace, database, tmp_path):
    before = everything(database)
    folder = team(tmp_path / "a", without(TWO), base=town)
    report = merge_delivery(folder, workspace=workspace, options=BuildOptions(dry_run=True))
    assert (report.status, report.ended, report.unchanged) == ("judged", 1, 2)
    for name, frame in everything(database).items():
        pd.testing.assert_frame_equal(frame, before[name])


def test_rows_name_their_version(town, workspace, database, tmp_path):
    """As an export: each row has build and hash of its version; one got another code, one moved on."""
    rows = components()
    known = state(database)
    rows["base_build"] = str(town)
    rows["base_hash"] = known.loc[rows["ObjID"], "content_hash"].tolist()
    rows.loc[rows["ObjID"] == TWO, ["ObjID", "geometry"]] = [FOUR, at(280, 60)]
    rows.loc[rows["ObjID"] == THREE, "base_hash"] = "f" * 64
    report = merge_delivery(team(tmp_path / "a", rows), workspace=workspace)
    assert (report.base_evidence, report.recoded, report.ended) == ("rows", 1, 0)
    assert state(database).index.tolist() == [ONE, THREE, FOUR]
    assert {fault["rule"] for fault in report.faults} >= {"C058"}
    assert "base_hash" not in state(database).loc[FOUR, "attributes"]
    # Another team that knew it as TWO still reaches it.
    changed = edited(ObjState={TWO: "破损"})
    merge_delivery(team(tmp_path / "b", changed, base=town), workspace=workspace)
    assert state(database)["condition"].to_dict() == {
        ONE: "intact",
        THREE: "intact",
        FOUR: "damaged",
    }
    assert [version.code for version in read_history(database, FOUR)] == [TWO, FOUR, FOUR]


def test_the_history_of_exchanged_codes_is_that_of_one_component(
    town, workspace, database, tmp_path
):
    rows = components()
    rows["base_build"] = str(town)
    rows["base_hash"] = state(database).loc[rows["ObjID"], "content_hash"].tolist()
    rows["ObjID"] = rows["ObjID"].replace({ONE: TWO, TWO: ONE})
    report = merge_delivery(team(tmp_path / "a", rows), workspace=workspace)
    assert (report.recoded, report.held) == (2, 0)
    for code, former in ((ONE, TWO), (TWO, ONE)):
        versions = read_history(database, code)
        assert [version.code for version in versions] == [former, code]
        assert set(versions[1].changes) == {"code"}


def test_a_new_code_at_the_same_place_is_told(town, workspace, database, tmp_path):
    rows = edited(ObjID={TWO: FOUR})
    report = merge_delivery(team(tmp_path / "a", rows, base=town), workspace=workspace)
    assert report.recoded == 1
    assert "C057" in {fault["rule"] for fault in report.faults}
    other = edited(ObjID={TWO: "1301020104000009"})
    report = merge_delivery(team(tmp_path / "b", other, base=town), workspace=workspace)
    assert [fault["rule"] for fault in report.faults if fault["rule"] == "C056"] == ["C056"]
    assert conflicts_of(database)["kind"].tolist() == ["recode"]
    decide(database, [1], take="delivered", because="plate read", actor="me")
    assert state(database).index.tolist() == [ONE, THREE, "1301020104000009"]


def test_what_only_others_ended_stays_ended(town, workspace, database, tmp_path):
    merge_delivery(team(tmp_path / "a", without(TWO), base=town), workspace=workspace)
    b = team(tmp_path / "b", edited(ObjState={ONE: "破损"}), base=town)
    report = merge_delivery(b, workspace=workspace)
    assert (report.held, report.conflicts) == (1, 0)
    assert "C055" in {fault["rule"] for fault in report.faults}
    assert state(database).index.tolist() == [ONE, THREE]


def test_an_update_ends_nothing_and_a_stranger_at_a_place_waits(
    town, workspace, database, tmp_path
):
    rows = new(FOUR, at(250.1, 50))
    report = merge_delivery(
        team(tmp_path / "a", rows, base=town, mode="update"), workspace=workspace
    )
    assert (report.ended, report.held, report.left) == (0, 1, 3)
    assert "C054" in {fault["rule"] for fault in report.faults}
    decide(database, [1], take="both", because="two grates", actor="me")
    assert state(database).index.tolist() == [ONE, TWO, THREE, FOUR]


def test_a_new_code_that_is_taken_waits(town, workspace, database, tmp_path):
    added = pd.concat([components(), new(FOUR, at(330, 70))])
    merge_delivery(team(tmp_path / "a", added, base=town), workspace=workspace)
    recoded = edited(ObjID={TWO: FOUR}, ObjState={FOUR: "破损"})
    report = merge_delivery(team(tmp_path / "b", recoded, base=town), workspace=workspace)
    assert "C059" in {fault["rule"] for fault in report.faults}
    assert state(database).loc[TWO, "condition"] == "damaged"
    with pytest.raises(ConflictError, match="take both"):
        decide(database, [1], take="delivered", because="plate", actor="me")
    decide(database, [1], take="both", because="plate", actor="me")
    assert state(database).index.tolist() == [ONE, THREE, FOUR, "1301020104000005"]


def test_without_a_base_nothing_ends(town, workspace, database, tmp_path):
    rows = edited(ObjState={ONE: "破损"})
    report = merge_delivery(team(tmp_path / "a", rows[rows["ObjID"] != TWO]), workspace=workspace)
    assert (report.base_build_id, report.ended, report.conflicts) == (None, 0, 1)
    assert state(database)["condition"].tolist() == ["intact"] * 3


def test_a_base_that_is_none_is_refused(town, workspace, tmp_path):
    with pytest.raises(DeliveryError, match="999 is no build"):
        merge_delivery(team(tmp_path / "a", components(), base=999), workspace=workspace)
    with pytest.raises(DeliveryError, match="base is 'x'"):
        merge_delivery(team(tmp_path / "b", components(), base="'x'"), workspace=workspace)


def test_a_base_that_was_rolled_back_is_told(town, workspace, database, tmp_path):
    a = team(tmp_path / "a", edited(ObjState={ONE: "破损"}), base=town)
    build = merge_delivery(a, workspace=workspace).build_id
    rollback(database, build, actor="me")
    report = merge_delivery(
        team(tmp_path / "b", edited(ObjState={TWO: "破损"}), base=build), workspace=workspace
    )
    assert any("rolled back" in text for text in report.warnings)
    assert state(database)["condition"].tolist() == ["intact", "damaged", "intact"]


def test_one_merge_at_a_time(town, workspace, database, tmp_path):
    folder = team(tmp_path / "a", components(), base=town)
    with (
        database.connect() as connection,
        dataset_lock(connection, "deliveries"),
        pytest.raises(LockedError),
    ):
        merge_delivery(folder, workspace=workspace)


@pytest.mark.parametrize("phase", ["refuse_newer", "write_recodes"])
def test_a_merge_that_breaks_off_leaves_nothing_behind(
    town, workspace, database, tmp_path, monkeypatch, phase
):
    """The connection is killed by the server, as with the program, in the middle of writing."""
    merge_delivery(
        team(tmp_path / "a", edited(ObjState={ONE: "破损"}), base=town), workspace=workspace
    )
    folder = team(tmp_path / "b", edited(ObjState={ONE: "丢失", TWO: "破损"}), base=town)
    before = everything(database)
    write = getattr(merging, phase)

    def broken(connection, *args, **options):
        write(connection, *args, **options)
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patch:
        patch.setattr(merging, phase, broken)
        with pytest.raises(DatabaseError, match="nothing was changed"):
            merge_delivery(folder, workspace=workspace)
    for name, frame in everything(database).items():
        pd.testing.assert_frame_equal(frame, before[name])
    assert merge_delivery(folder, workspace=workspace).new_conflicts == 1
