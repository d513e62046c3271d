"""Cases as exports of workflow systems write them: read, recorded, taken back."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pandas as pd
import pytest
from msgspec import structs

from gis.builds import list_builds
from gis.errors import BuildError
from pipelines.build import build_delivery
from pipelines.cases import transform
from pipelines.records import roll_back
from pipelines.rejects import read_rejects
from tests.pipelines.casefiles import (
    HEADER,
    JUNE,
    LAYER,
    MAY,
    build_cases,
    judge,
    line_of,
    row,
    stored,
)
from tests.pipelines.town import context, frame, rules_of, write_manifest


def test_a_case_is_read_as_reported(tmp_path):
    given = row(
        "1", accuracy_m="8", closed_at="2026/6/1 08:00", component_code="１３01020104000001"
    )
    (found,) = judge(tmp_path, given).accepted.to_dict("records")
    assert found["reported_at"] == datetime(2026, 5, 31, 6, 5, tzinfo=UTC)
    assert found["closed_at"] == datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
    assert (found["kind"], found["state"]) == ("component", "closed")
    assert (found["x"], found["y"], found["crs"], found["accuracy_m"]) == (
        114.46,
        38.05,
        "GCJ-02",
        8.0,
    )
    assert found["component_code"] == "1301020104000001"


@pytest.mark.parametrize("case_id", ["2026/5", "a b", "..", "1" * 65])
def test_an_identifier_that_no_address_can_carry_is_refused(tmp_path, case_id):
    outcome = judge(tmp_path, row(case_id), row("城管〔2026〕5号"))
    assert outcome.accepted["case_id"].tolist() == ["城管〔2026〕5号"]
    ((refused, rule),) = rules_of(outcome.faults)
    assert (rule, outcome.refused) == ("CA12", 1)
    assert refused == outcome.accepted["source_row"].iloc[0] - 1


def test_rows_are_judged(tmp_path):
    nothing = {"x": None, "y": None}
    outcome = judge(
        tmp_path,
        row("1", **nothing),
        row("2", address="裕华路12号", **nothing),
        row("3", kind="投诉"),
        row("4", reported_at="前天"),
        row("5", class_code="9999"),
        row("5"),
        row(None),
        row("8", x="38.05", y="114.46", component_code="1301020104000001"),
        row("9", crs="地方"),
        row("10", closed_at="2026-05-01"),
    )
    assert rules_of(outcome.faults) == [
        (1, "CA03"),
        (3, "CA01"),
        (4, "CA02"),
        (5, "CA05"),
        (6, "P002"),
        (7, "P001"),
        (8, "CA04"),
        (9, "CA13"),
        (10, "CA06"),
    ]
    found = outcome.accepted.set_index("case_id")
    assert found.index.tolist() == ["2", "5", "8", "10"]
    assert found.loc["8", ["x", "y"]].isna().all()
    assert pd.isna(found.loc["10", "closed_at"])
    assert found.loc["10", "state"] == "received"
    assert outcome.faults["code"].tolist()[0] == "1"


def test_positions_in_the_citys_crs_are_usable(tmp_path):
    rows = [
        row("1", x="540050", y="4214050", crs="city"),
        row("2", x="540050", y="4214050", crs=None),
    ]
    outcome = judge(tmp_path, *rows)
    assert outcome.accepted["case_id"].tolist() == ["1"]  # without CRS they would be degrees


def test_the_citys_crs_is_known_by_its_names_and_signs_of_full_width_are_read(tmp_path):
    place = {"x": "540050", "y": "4214050", "reported_at": "２０２６年５月３１日 14:05"}
    found = judge(tmp_path, row("1", crs="本市", **place), row("2", crs="地方坐标系", **place))
    assert found.accepted["crs"].tolist() == ["city", "city"]
    assert found.accepted["reported_at"].iloc[0] == datetime(2026, 5, 31, 6, 5, tzinfo=UTC)
    assert found.faults.empty


def test_the_last_step_says_that_a_case_is_closed(tmp_path):
    def step(case_id, action, at):
        return {"case_id": case_id, "action": action, "step_at": at, "step_unit": "U1"}

    outcome = judge(
        tmp_path,
        row("1"), step("1", "派遣", "2026-06-01 08:00"), step("1", "结案", "2026-06-02 09:00"),
        row("2"), step("2", "结案", "2026-06-02 09:00"), step("2", "派遣", "2026-06-03 09:00"),
        row("3", closed_at="2026-06-05 08:00"), step("3", "结案", "2026-06-02 09:00"),
    )  # fmt: skip
    found = outcome.accepted.set_index("case_id")
    assert found["state"].tolist() == ["closed", "received", "closed"]
    assert found["closed_at"].iloc[0] == datetime(2026, 6, 2, 1, tzinfo=UTC)
    assert pd.isna(found["closed_at"].iloc[1])
    assert found["closed_at"].iloc[2] == datetime(2026, 6, 5, 0, tzinfo=UTC)  # the column says it


def test_the_hash_is_of_the_question_and_not_of_the_closing(tmp_path):
    hashes = judge(
        tmp_path,
        row("1"),
        row("2", closed_at="2026-06-01"),
        row("3", x="114.47"),
    ).accepted["request_hash"]
    first, second, third = hashes
    assert first == second != third


@pytest.fixture
def record(tmp_path, workspace):
    """Build a delivery of cases and return its report."""

    def call(*lines, as_of):
        text = "\n".join([HEADER, *lines])
        files = {"cases.csv": text}
        return build_cases(tmp_path / "delivery", files, as_of=as_of, workspace=workspace)

    return call


def test_cases_are_recorded_undecided_and_only_once(record, database):
    report = record(line_of("1"), line_of("2", time="?"), as_of=MAY)
    assert (report.rows_opened, report.rows_rejected) == (1, 1)
    found = stored(database)
    assert found.index.tolist() == ["1"]
    assert (found.loc["1", "state"], found.loc["1", "decision"]) == ("received", {})
    assert found.loc["1", "unit_code"] is None or pd.isna(found.loc["1", "unit_code"])
    assert read_rejects(database, dataset="cases")["rule"].tolist() == ["CA02"]
    assert record(line_of("1"), line_of("2", time="?"), as_of=MAY).status == "unchanged"
    report = record(line_of("1"), line_of("3"), as_of=JUNE)
    assert (report.rows_opened, report.rows_unchanged) == (1, 1)


def test_a_changed_report_is_decided_again_and_a_closing_is_not(record, database):
    record(line_of("1"), line_of("2"), as_of=MAY)
    with database.connect() as connection:
        connection.execute(
            "UPDATE cases.\"case\" SET decision = '{\"a\": 1}', unit_code = 'U1', state = 'assigned'"
        )
    report = record(
        line_of("1", x="114.47"),
        line_of("2", closed="2026-06-01 08:00"),
        as_of=date(2026, 6, 1),
    )
    assert report.rows_opened == 2
    found = stored(database)
    assert found["decision"].tolist() == [{}, {"a": 1}]
    assert found["state"].tolist() == ["received", "closed"]
    assert found.loc["1", "x"] == 114.47


def test_a_posted_case_is_left_to_the_workflow_system(record, database):
    with database.connect() as connection:
        connection.execute(
            'INSERT INTO cases."case" (case_id, kind, class_code, reported_at, needs_review, state,'
            " request_hash) VALUES ('1', 'event', '0101', now(), false, 'assigned', 'x')"
        )
    report = record(line_of("1"), as_of=MAY)
    assert (report.rows_opened, report.rows_unchanged) == (0, 1)
    assert stored(database).loc["1", ["kind", "state"]].tolist() == ["event", "assigned"]


def test_an_import_is_taken_back_until_its_cases_are_decided(record, database):
    first = record(line_of("1"), as_of=MAY)
    second = record(line_of("1"), line_of("2"), as_of=date(2026, 6, 1))
    with pytest.raises(BuildError, match=f"first run `wanmi rollback {second.build_id}`"):
        roll_back(database, first.build_id, actor="t")
    assert roll_back(database, second.build_id, actor="t").rows_removed == 1
    assert stored(database).index.tolist() == ["1"]
    with database.connect() as connection:
        connection.execute('UPDATE cases."case" SET decision = \'{"a": 1}\'')
    with pytest.raises(BuildError, match="1 cases of build 1 were decided and are records now"):
        roll_back(database, first.build_id, actor="t")
    assert list_builds(database)["status"].tolist() == ["rolled_back", "live"]


def test_a_manifest_may_state_the_crs_of_all_cases(tmp_path, workspace, database):
    folder = write_manifest(tmp_path / "delivery", [LAYER | {"crs": "BD-09"}])
    given = line_of("1").replace("GCJ-02", "")
    (folder / "cases.csv").write_text(f"{HEADER}\n{given}\n{line_of('2')}", encoding="utf-8")
    build_delivery(folder, workspace=workspace)
    assert stored(database)["crs"].tolist() == ["BD-09", "GCJ-02"]


def test_time_zone_of_the_city_counts(tmp_path):
    there = context(tmp_path)
    profile = there.profile
    west = structs.replace(profile, city=structs.replace(profile.city, timezone="Asia/Urumqi"))
    outcome = transform(frame([row("1")], file="cases.csv"), replace(there, profile=west))
    assert outcome.accepted["reported_at"].iloc[0] == datetime(2026, 5, 31, 8, 5, tzinfo=UTC)


def test_units_are_codes_where_the_directory_knows_them(tmp_path):
    rows = [row("1", handled_by="排水公司"), row("2", handled_by="U2"), row("3", handled_by="甲")]
    assert judge(tmp_path, *rows).accepted["handled_by"].tolist() == ["U1", "U2", "甲"]


@pytest.mark.parametrize("written", ["0001-01-01", "9999-12-31 23:59:59", "1500-02-03"])
def test_times_that_no_calendar_of_ours_holds_are_told(tmp_path, written):
    outcome = judge(tmp_path, row("1", closed_at=written), row("2", reported_at=written), row("3"))
    assert outcome.accepted["case_id"].tolist() == ["1", "3"]
    assert outcome.accepted["closed_at"].isna().all()
    assert (2, "CA02") in rules_of(outcome.faults)
