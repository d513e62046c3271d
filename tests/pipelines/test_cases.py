import io
from dataclasses import replace
from datetime import UTC, datetime

import openpyxl
import pandas as pd
import pytest
from msgspec import structs

from gis.builds import list_builds
from gis.database import read_rows
from gis.errors import BuildError, WanmiError
from pipelines.build import BuildOptions, build_delivery
from pipelines.cases import transform
from pipelines.records import roll_back
from pipelines.rejects import read_rejects
from tests.pipelines.town import context, frame, rules_of, write_manifest

HEADER = "案件编号,类型,类别代码,上报时间,来源,描述,地址,X,Y,坐标系,精度,部件编码,结案时间"
LAYER = {"dataset": "cases", "path": "cases.csv"}


def row(case_id, **more):
    base = {
        "case_id": case_id,
        "kind": "部件",
        "class_code": "0104",
        "reported_at": "2026-05-31 14:05:00",
        "x": "114.46",
        "y": "38.05",
        "crs": "GCJ-02",
    }
    return base | more


def judge(tmp_path, *rows):
    return transform(frame(rows, file="cases.csv"), context(tmp_path))


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
        (9, "CA03"),
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


def test_the_hash_is_of_the_question_and_not_of_the_closing(tmp_path):
    hashes = judge(
        tmp_path,
        row("1"),
        row("2", closed_at="2026-06-01"),
        row("3", x="114.47"),
    ).accepted["request_hash"]
    first, second, third = hashes
    assert first == second != third


def line_of(case_id, time="2026-05-31 14:05:00", closed="", x="114.46"):
    return f"{case_id},部件,0104,{time},热线,坏了,,{x},38.05,GCJ-02,8,,{closed}"


@pytest.fixture
def record(tmp_path, workspace):
    """Build a delivery of cases and return its report."""

    def call(*lines, as_of):
        folder = write_manifest(tmp_path / "delivery", [LAYER], as_of=as_of)
        (folder / "cases.csv").write_text("\n".join([HEADER, *lines]), encoding="utf-8")
        (report,) = build_delivery(folder, workspace=workspace, options=BuildOptions(actor="t"))
        return report

    return call


def stored(database):
    with database.connect(read_only=True) as connection:
        rows = read_rows(connection, 'SELECT * FROM cases."case" ORDER BY case_id')
    return rows.set_index("case_id")


def test_cases_are_recorded_undecided_and_only_once(record, database):
    may = datetime(2026, 5, 31, tzinfo=UTC).date()
    report = record(line_of("1"), line_of("2", time="?"), as_of=may)
    assert (report.rows_opened, report.rows_rejected) == (1, 1)
    found = stored(database)
    assert found.index.tolist() == ["1"]
    assert (found.loc["1", "state"], found.loc["1", "decision"]) == ("received", {})
    assert found.loc["1", "unit_code"] is None or pd.isna(found.loc["1", "unit_code"])
    assert read_rejects(database, dataset="cases")["rule"].tolist() == ["CA02"]
    assert record(line_of("1"), line_of("2", time="?"), as_of=may).status == "unchanged"
    june = may.replace(month=6, day=30)
    report = record(line_of("1"), line_of("3"), as_of=june)
    assert (report.rows_opened, report.rows_unchanged) == (1, 1)


def test_a_changed_report_is_decided_again_and_a_closing_is_not(record, database):
    may = datetime(2026, 5, 31, tzinfo=UTC).date()
    record(line_of("1"), line_of("2"), as_of=may)
    with database.connect() as connection:
        connection.execute(
            "UPDATE cases.\"case\" SET decision = '{\"a\": 1}', unit_code = 'U1', state = 'assigned'"
        )
    report = record(
        line_of("1", x="114.47"),
        line_of("2", closed="2026-06-01 08:00"),
        as_of=may.replace(month=6, day=1),
    )
    assert report.rows_opened == 2
    found = stored(database)
    assert found["decision"].tolist() == [{}, {"a": 1}]
    assert found["state"].tolist() == ["received", "closed"]
    assert found.loc["1", "x"] == 114.47


def test_a_posted_case_is_left_to_the_workflow_system(record, database):
    may = datetime(2026, 5, 31, tzinfo=UTC).date()
    with database.connect() as connection:
        connection.execute(
            'INSERT INTO cases."case" (case_id, kind, class_code, reported_at, needs_review, state,'
            " request_hash) VALUES ('1', 'event', '0101', now(), false, 'assigned', 'x')"
        )
    report = record(line_of("1"), as_of=may)
    assert (report.rows_opened, report.rows_unchanged) == (0, 1)
    assert stored(database).loc["1", ["kind", "state"]].tolist() == ["event", "assigned"]


def test_an_import_is_taken_back_until_its_cases_are_decided(record, database):
    may = datetime(2026, 5, 31, tzinfo=UTC).date()
    first = record(line_of("1"), as_of=may)
    second = record(line_of("1"), line_of("2"), as_of=may.replace(month=6, day=1))
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


WITH_RETURNS = HEADER + ",退件次数,退件原因,退件单位,处置单位"
STEPS = "案件编号,操作,操作时间,操作单位,意见"


@pytest.fixture
def deliver(tmp_path, workspace):
    """Build a delivery of case files, each a text or bytes, and return its report."""

    def call(as_of, **files):
        layers = [{"dataset": "cases", "path": name.replace("_", ".")} for name in files]
        folder = write_manifest(tmp_path / "delivery", layers, as_of=as_of)
        for name, text in files.items():
            raw = text if isinstance(text, bytes) else text.encode("utf-8")
            (folder / name.replace("_", ".")).write_bytes(raw)
        (report,) = build_delivery(folder, workspace=workspace, options=BuildOptions(actor="t"))
        return report

    return call


def history(database, case_id="1"):
    with database.connect(read_only=True) as connection:
        return connection.execute(
            "SELECT action, unit_code, category, reason, to_char(at, 'MM-DD HH24:MI'), build_id IS NULL"
            " FROM cases.history WHERE case_id = %s ORDER BY at, history_id",
            [case_id],
        ).fetchall()


MAY = datetime(2026, 5, 31, tzinfo=UTC).date()


def test_returns_beside_a_case_become_its_history(deliver, database):
    given = line_of("1", closed="2026-06-02 08:00") + ",2,不属我单位职责；类别错误,甲单位,乙单位"
    plain = line_of("2", closed="2026-06-02 08:00") + ",0,,,丙单位"
    wrong = line_of("3") + ",多次,,,"
    lines = "\n".join([WITH_RETURNS, given, plain, wrong])
    report = deliver(MAY, cases_csv=lines.encode("gb18030"))
    assert (report.rows_opened, report.rows_rejected) == (3, 0)
    assert read_rejects(database, dataset="cases")["rule"].tolist() == ["CA09"]
    assert history(database) == [
        ("returned", "甲单位", "not_our_duty", "不属我单位职责", "06-02 00:00", False),
        ("returned", "甲单位", "wrong_class", "类别错误", "06-02 00:00", False),
        ("reassigned", "乙单位", None, None, "06-02 00:00", False),
    ]
    found = stored(database)
    assert found["returns"].tolist() == [2, 0, 0]
    assert found["handled_by"].tolist()[:2] == ["乙单位", "丙单位"]
    assert deliver(MAY, cases_csv=lines.encode("gb18030")).status == "unchanged"
    # The same rows in another file, of a later day, change nothing either.
    again = deliver(MAY.replace(month=6, day=30), cases_csv=lines)
    assert (again.rows_opened, again.rows_unchanged) == (0, 3)
    assert len(history(database)) == 3


def test_steps_one_a_row_become_the_same_history(deliver, database):
    steps = [
        "1,派遣,2026-05-31 14:10,甲单位,",
        "1,退件,2026-05-31 15:00,甲单位,不在辖区",
        "1,改派,2026-05-31 15:05,乙单位,",
        "1,处置,2026-06-01 10:00,丙单位,",
        "1,喝茶,2026-06-01 11:00,丙单位,",
        "1,结案,?,,",
        "9,派遣,2026-05-31 14:10,甲单位,",
    ]
    report = deliver(
        MAY, cases_csv=f"{HEADER}\n{line_of('1')}", steps_csv="\n".join([STEPS, *steps])
    )
    assert (report.rows_opened, report.rows_rejected) == (1, 1)
    assert sorted(read_rejects(database, dataset="cases")["rule"]) == ["CA07", "CA08", "CA10"]
    assert history(database) == [
        ("assigned", "甲单位", None, None, "05-31 06:10", False),
        ("returned", "甲单位", "not_our_area", "不在辖区", "05-31 07:00", False),
        ("reassigned", "乙单位", None, None, "05-31 07:05", False),
        ("closed", None, None, None, "06-01 02:00", False),
    ]
    row = stored(database).loc["1"]
    assert (row["returns"], row["handled_by"]) == (1, "丙单位")


def test_steps_that_repeat_the_report_are_one_case(deliver, database):
    head = HEADER + ",操作,操作时间,操作单位"
    lines = [
        head,
        line_of("1") + ",派遣,2026-05-31 14:10,甲单位",
        line_of("1") + ",退件,2026-05-31 15:00,甲单位",
        line_of("1") + ",改派,2026-05-31 16:00,乙单位",
    ]
    report = deliver(MAY, cases_csv="\n".join(lines))
    assert (report.rows_opened, report.rows_rejected) == (1, 0)
    assert [entry[0] for entry in history(database)] == ["assigned", "returned", "reassigned"]
    # One more return since: the imported history is told anew, what happened here stays.
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO cases.history (case_id, action, actor) VALUES ('1', 'assigned', 'desk')"
        )
        connection.execute("UPDATE cases.case SET decision = '{\"a\": 1}', state = 'assigned'")
    lines.append(line_of("1") + ",退件,2026-05-31 17:00,乙单位")
    report = deliver(MAY.replace(month=6, day=30), cases_csv="\n".join(lines))
    assert report.rows_opened == 1
    actions = [(entry[0], entry[5]) for entry in history(database)]
    imported = [name for name, is_here in actions if not is_here]
    assert imported == ["assigned", "returned", "reassigned", "returned"]
    assert [name for name, is_here in actions if is_here] == ["assigned"]
    row = stored(database).loc["1"]
    assert (row["returns"], row["decision"]) == (2, {"a": 1})
    assert row["handled_by"] is None or pd.isna(row["handled_by"])


def test_units_are_codes_where_the_directory_knows_them(tmp_path):
    rows = [row("1", handled_by="排水公司"), row("2", handled_by="U2"), row("3", handled_by="甲")]
    assert judge(tmp_path, *rows).accepted["handled_by"].tolist() == ["U1", "U2", "甲"]


def test_a_posted_case_keeps_its_history_when_an_export_names_it(deliver, database):
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO cases.case (case_id, kind, class_code, reported_at, needs_review, state,"
            " request_hash) VALUES ('1', 'event', '0101', now(), false, 'assigned', 'x')"
        )
        connection.execute(
            "INSERT INTO cases.history (case_id, action, actor) VALUES ('1', 'assigned', 'key')"
        )
    report = deliver(MAY, cases_csv=f"{WITH_RETURNS}\n{line_of('1')},1,不在辖区,甲,乙")
    assert (report.rows_opened, report.rows_unchanged) == (0, 1)
    assert [entry[0] for entry in history(database)] == ["assigned"]


def test_an_empty_export_and_one_without_its_columns(deliver):
    assert deliver(MAY, cases_csv=HEADER + "\n").rows_opened == 0
    with pytest.raises(WanmiError):
        deliver(MAY, cases_csv=b"")
    report = deliver(MAY.replace(month=6, day=1), cases_csv="编号\n1\n")
    assert (report.rows_opened, report.rows_rejected) == (0, 1)


def test_what_people_did_here_is_not_undone_by_a_longer_export(deliver, database):
    """A repeat that was marked, a closing, a return and a case that goes on, all stay."""
    header = WITH_RETURNS
    lines = [header, *(line_of(name) + ",0,,,甲" for name in "123")]
    lines.append(line_of("4", closed="2026-06-02 08:00") + ",0,,,甲")
    deliver(MAY, cases_csv="\n".join(lines))
    with database.connect() as connection:
        connection.execute(
            "UPDATE cases.case SET state = 'closed', closed_at = '2026-06-03 00:00Z', duplicate_of = '2'"
            " WHERE case_id = '1'"
        )
        connection.execute("UPDATE cases.case SET returns = 1 WHERE case_id = '2'")
        connection.execute("UPDATE cases.case SET reopened = 1, closed_at = NULL, state = 'returned'"
                           " WHERE case_id = '4'")  # fmt: skip
        for name, action, at in (
            ("1", "closed", "2026-06-03"),
            ("2", "returned", "2026-06-03"),
            ("4", "reopened", "2026-06-05"),
        ):
            connection.execute(
                "INSERT INTO cases.history (case_id, action, actor, at) VALUES (%s, %s, 'desk', %s)",
                [name, action, at],
            )
    longer = [
        header,
        line_of("1", x="114.461") + ",0,,,甲",  # the report changed as well
        line_of("2") + ",1,不在辖区,甲,乙",
        line_of("3") + ",0,,,甲",
        line_of("4", closed="2026-06-02 08:00") + ",0,,,甲",
    ]
    deliver(MAY.replace(month=6, day=30), cases_csv="\n".join(longer))
    found = stored(database)
    assert found.loc["1", ["state", "duplicate_of", "x"]].tolist() == ["closed", "2", 114.461]
    assert found.loc["1", "closed_at"] == pd.Timestamp("2026-06-03", tz="UTC")
    assert found["returns"].tolist() == [0, 2, 0, 0]  # one told by the export, one happened here
    assert found.loc["4", "state"] == "returned"
    assert pd.isna(found.loc["4", "closed_at"])
    # Closed again in the workflow system, after it went on here.
    longer[-1] = line_of("4", closed="2026-06-06 08:00") + ",0,,,甲"
    deliver(MAY.replace(month=7, day=31), cases_csv="\n".join(longer))
    assert stored(database).loc["4", "state"] == "closed"


def test_an_import_that_people_worked_with_is_not_taken_back(record, database):
    report = record(line_of("1"), as_of=MAY)
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO cases.history (case_id, action, actor) VALUES ('1', 'closed', 'desk')"
        )
    with pytest.raises(BuildError, match="1 cases"):
        roll_back(database, report.build_id, actor="t")
    assert len(stored(database)) == 1
    assert len(history(database)) == 1


@pytest.mark.parametrize("written", ["0001-01-01", "9999-12-31 23:59:59", "1500-02-03"])
def test_times_that_no_calendar_of_ours_holds_are_told(tmp_path, written):
    outcome = judge(tmp_path, row("1", closed_at=written), row("2", reported_at=written), row("3"))
    assert outcome.accepted["case_id"].tolist() == ["1", "3"]
    assert outcome.accepted["closed_at"].isna().all()
    assert (2, "CA02") in rules_of(outcome.faults)


def test_a_workbook_is_read_as_its_cells_show(deliver, database):
    """Real dates, numbers as identifiers and classes: as programs write them into .xlsx."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(WITH_RETURNS.split(","))
    reported, closed = datetime(2026, 5, 31, 14, 5), datetime(2026, 6, 1, 8)  # noqa: DTZ001
    place = (114.46, 38.05, "GCJ-02", 8, None)
    sheet.append([20260001, "部件", "0104", reported, "热线", "坏了", None, *place, closed, 1,
                  "不在辖区", "甲", "乙"])  # fmt: skip
    sheet.append(["2026-2", "事件", "0101", reported, "热线", "坏了", None, *place, None, 0,
                  None, None, None])  # fmt: skip
    raw = io.BytesIO()
    book.save(raw)
    report = deliver(MAY, cases_xlsx=raw.getvalue())
    assert (report.rows_opened, report.rows_rejected, report.faults) == (2, 0, ())
    found = stored(database)
    assert found.index.tolist() == ["2026-2", "20260001"]
    assert found["reported_at"].tolist() == [pd.Timestamp("2026-05-31 06:05", tz="UTC")] * 2
    first = found.loc["20260001", ["class_code", "x", "accuracy_m", "state", "returns"]]
    assert first.tolist() == ["0104", 114.46, 8.0, "closed", 1]
    assert [entry[:2] for entry in history(database, "20260001")] == [
        ("returned", "甲"),
        ("reassigned", "乙"),
    ]
