"""Many cases judged part by part, from files, become the same records as cases that are held."""

import pytest

from gis.builds import list_builds
from gis.database import read_rows
from pipelines.build import BuildOptions, build_delivery
from pipelines.rejects import read_rejects
from tests.pipelines.casefiles import HEADER, JUNE, LAYER, MAY, STEPS, line_of
from tests.pipelines.town import write_manifest

CASES = [
    HEADER,
    *(line_of(f"A{number}") for number in range(40)),
    line_of("A3", x="114.99"),  # again, far from the first
    line_of("B/1"),
    line_of("C1", time="?"),
    line_of("C1"),
    line_of(""),
]
TAKEN = [
    STEPS,
    *(f"A{number},派遣,2026-05-31 14:10,甲单位," for number in range(0, 40, 2)),
    "A4,退件,2026-05-31 15:00,甲单位,不在辖区",
    "Z9,派遣,2026-05-31 14:10,甲单位,",
    "A4,改派,2026-05-31 15:05,乙单位,",
]
_CASE = (
    "case_id, kind, class_code, reported_at, x, state, returns, handled_by, request_hash, build_id"
)


@pytest.fixture(params=["held", "spooled"])
def deliver(request, tmp_path, workspace, monkeypatch):
    """Build a delivery of two files of cases, held or part by part."""
    if request.param == "spooled":
        monkeypatch.setattr("pipelines.casespool.LARGE_BYTES", 0)
        monkeypatch.setattr("pipelines.casespool.PART_ROWS", 7)
        monkeypatch.setattr("pipelines.casespool._PART_BYTES", 400)

    def call(as_of, cases, steps, *, dry_run=False):
        layers = [LAYER, LAYER | {"path": "steps.csv"}]
        folder = write_manifest(tmp_path / "delivery", layers, as_of=as_of)
        (folder / "cases.csv").write_text("\n".join(cases), encoding="gb18030")
        (folder / "steps.csv").write_text("\n".join(steps), encoding="gb18030")
        options = BuildOptions(actor="t", dry_run=dry_run)
        (report,) = build_delivery(folder, workspace=workspace, options=options)
        return report

    return call


def rows_of(database, query):
    with database.connect(read_only=True) as connection:
        rows = read_rows(connection, query).astype(object)
    return rows.where(rows.notna(), None).values.tolist()


def test_what_is_recorded_and_refused(deliver, database):
    report = deliver(MAY, CASES, TAKEN)
    assert (report.rows_accepted, report.rows_rejected, report.rows_opened) == (41, 5, 41)
    assert {(f["rule"], f["rows"]) for f in report.faults} == {
        ("CA02", 1), ("CA10", 1), ("CA12", 1), ("P001", 1), ("P002", 1),
    }  # fmt: skip
    refused = read_rejects(database, dataset="cases")
    assert dict(zip(refused["rule"], refused["source_row"], strict=True)) == {
        "P002": 42, "CA12": 43, "CA02": 44, "P001": 46, "CA10": 23,
    }  # fmt: skip
    assert "cases.csv row 5" in refused.set_index("rule").loc["P002", "reason_en"]
    assert refused.set_index("rule").loc["CA02", "record"]["上报时间"] == "?"
    found = {row[0]: row for row in rows_of(database, f'SELECT {_CASE} FROM cases."case"')}
    assert len(found) == 41
    assert (found["A3"][4], found["C1"][5]) == (114.46, "received")
    assert found["A4"][6:8] == [1, "乙单位"]
    history = rows_of(
        database,
        "SELECT action, unit_code, category FROM cases.history WHERE case_id = 'A4' ORDER BY history_id",
    )
    assert history == [
        ["assigned", "甲单位", None],
        ["returned", "甲单位", "not_our_area"],
        ["reassigned", "乙单位", None],
    ]
    assert len(rows_of(database, "SELECT case_id FROM cases.history")) == 22


def test_the_same_again_and_more_since(deliver, database):
    deliver(MAY, CASES, TAKEN)
    assert deliver(MAY, CASES, TAKEN).status == "unchanged"
    again = deliver(JUNE, CASES, TAKEN)
    assert (again.rows_opened, again.rows_unchanged) == (0, 41)
    more = deliver(JUNE, CASES, [*TAKEN, "A4,结案,2026-06-02 10:00,乙单位,"])
    assert (more.rows_opened, more.rows_unchanged) == (1, 40)
    assert len(rows_of(database, "SELECT case_id FROM cases.history")) == 23


def test_judging_alone_writes_nothing(deliver, database):
    report = deliver(MAY, CASES, TAKEN, dry_run=True)
    assert (report.status, report.rows_accepted, report.rows_rejected) == ("judged", 41, 5)
    assert rows_of(database, 'SELECT case_id FROM cases."case"') == []
    assert list_builds(database).empty
