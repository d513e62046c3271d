"""What exports tell of a case's way, returns and steps, becomes its history beside what happened here."""

import io
from datetime import date, datetime

import openpyxl
import pandas as pd
import pytest

from api.cases.moving import reopen_case
from gis.errors import BuildError, WanmiError
from pipelines.records import roll_back
from pipelines.rejects import read_rejects
from tests.pipelines.casefiles import (
    HEADER,
    JUNE,
    MAY,
    STEPS,
    WITH_RETURNS,
    build_cases,
    history,
    line_of,
    stored,
)


@pytest.fixture
def deliver(tmp_path, workspace):
    """Build a delivery of case files, ``cases_csv`` for ``cases.csv``, and return its report."""

    def call(as_of, **files):
        named = {name.replace("_", "."): text for name, text in files.items()}
        return build_cases(tmp_path / "delivery", named, as_of=as_of, workspace=workspace)

    return call


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
    again = deliver(JUNE, cases_csv=lines)
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
    report = deliver(JUNE, cases_csv="\n".join(lines))
    assert report.rows_opened == 1
    actions = [(entry[0], entry[5]) for entry in history(database)]
    imported = [name for name, is_here in actions if not is_here]
    assert imported == ["assigned", "returned", "reassigned", "returned"]
    assert [name for name, is_here in actions if is_here] == ["assigned"]
    row = stored(database).loc["1"]
    assert (row["returns"], row["decision"]) == (2, {"a": 1})
    assert row["handled_by"] is None or pd.isna(row["handled_by"])


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
    assert report.warnings == ("Left as the workflow system posted them: 1 case(s) (1).",)
    # The file says that one was closed, the record does not: that is what somebody has to look at.
    more = [line_of(name, closed="2026-06-02 08:00") for name in "12"]
    report = deliver(JUNE, cases_csv="\n".join([HEADER, *more]))
    assert (report.rows_opened, report.rows_unchanged) == (1, 1)
    (told,), (told_zh,) = report.warnings, report.warnings_zh
    assert told.startswith(
        "Left as the workflow system posted them: 1 case(s), 1 of them closed in the file but open"
    )
    assert "其中 1 件在文件中已结案而记录中未结案（1）" in told_zh
    assert stored(database).loc["1", "state"] == "assigned"


def test_an_empty_export_and_one_without_its_columns(deliver):
    assert deliver(MAY, cases_csv=HEADER + "\n").rows_opened == 0
    with pytest.raises(WanmiError):
        deliver(MAY, cases_csv=b"")
    report = deliver(date(2026, 6, 1), cases_csv="编号\n1\n")
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
    deliver(JUNE, cases_csv="\n".join(longer))
    found = stored(database)
    assert found.loc["1", ["state", "duplicate_of", "x"]].tolist() == ["closed", "2", 114.461]
    assert found.loc["1", "closed_at"] == pd.Timestamp("2026-06-03", tz="UTC")
    assert found["returns"].tolist() == [0, 2, 0, 0]  # one told by the export, one happened here
    assert found.loc["4", "state"] == "returned"
    assert pd.isna(found.loc["4", "closed_at"])
    # Closed again in the workflow system, after it went on here.
    longer[-1] = line_of("4", closed="2026-06-06 08:00") + ",0,,,甲"
    deliver(date(2026, 7, 31), cases_csv="\n".join(longer))
    assert stored(database).loc["4", "state"] == "closed"


def test_a_case_closed_by_a_later_export_is_reopened_anew_in_the_same_words(deliver, database):
    def reopen() -> None:
        reopen_case(database, "1", reason="又坏了", actor="desk")

    def state() -> tuple[object, ...]:
        return tuple(stored(database).loc["1", ["state", "reopened"]])

    deliver(MAY, cases_csv=f"{HEADER}\n{line_of('1', closed='2026-06-02 08:00')}")
    reopen()
    reopen()
    assert state() == ("returned", 1)
    with database.connect() as connection:
        connection.execute(
            "UPDATE cases.history SET at = '2026-06-03 00:00Z' WHERE build_id IS NULL"
        )
    deliver(JUNE, cases_csv=f"{HEADER}\n{line_of('1', closed='2026-06-06 08:00')}")
    assert state() == ("closed", 1)
    reopen()
    assert state() == ("returned", 2)


def test_an_import_that_people_worked_with_is_not_taken_back(deliver, database):
    report = deliver(MAY, cases_csv=f"{HEADER}\n{line_of('1')}")
    with database.connect() as connection:
        connection.execute(
            "INSERT INTO cases.history (case_id, action, actor) VALUES ('1', 'closed', 'desk')"
        )
    with pytest.raises(BuildError, match="1 cases"):
        roll_back(database, report.build_id, actor="t")
    assert len(stored(database)) == 1
    assert len(history(database)) == 1


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
