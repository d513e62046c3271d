"""Cases on record: posted once, returned with a reason, given to the next, history kept."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api import Case, Position, Snapshot
from api.cases import get_case, post_case, return_case
from api.stored import assign_stored, count_open
from gis.database import Database
from gis.errors import ConflictError, NotFoundError, RequestError
from tests.api.district import A1, UNITS, X0, Y0, component, open_district, plan, point

NOW = datetime(2026, 7, 1, 4, tzinfo=UTC)


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return open_district(
        tmp_path / "snapshots",
        components=[
            component("1301020104000001", point(50, 50), maintainer_code="W1", owner_code="W2")
        ],
        responsibility=[plan("1", "competent", "G1")],
    )


CASE = Case(
    case_id="2026-1",
    class_code="0104",
    position=Position(x=X0 + 51, y=Y0 + 50, crs="city", accuracy_m=1.0),
    reported_at=NOW,
)


def test_a_case_is_decided_once(database: Database, snapshot: Snapshot, tmp_path: Path) -> None:
    decision = post_case(database, snapshot, CASE, actor="desk")
    assert decision.owner is not None
    assert decision.owner.unit_code == "W1"
    other = open_district(tmp_path / "newer")  # by now the component is gone
    assert post_case(database, other, CASE, actor="desk") == decision
    stored = get_case(database, "2026-1")
    assert (stored.state, stored.unit_code, stored.decision) == ("assigned", "W1", decision)
    assert [(e.action, e.unit_code, e.actor) for e in stored.history] == [
        ("assigned", "W1", "desk")
    ]
    with database.connect() as connection:
        row = connection.execute(
            "SELECT grid_code, community_code, ST_X(geom), ST_SRID(geom), data_version FROM cases.case"
        ).fetchone()
    assert row == (A1, "130102001001", X0 + 51, 4547, snapshot.version)


def test_the_same_identifier_for_another_report_is_refused(
    database: Database, snapshot: Snapshot
) -> None:
    post_case(database, snapshot, CASE, actor="desk")
    with pytest.raises(ConflictError, match="2026-1"):
        post_case(database, snapshot, replace(CASE, class_code="0103"), actor="desk")
    with pytest.raises(RequestError, match="case_id"):
        post_case(database, snapshot, replace(CASE, case_id=None), actor="desk")
    with pytest.raises(NotFoundError):
        get_case(database, "nowhere")


def test_a_case_without_time_may_be_posted_again(database: Database, snapshot: Snapshot) -> None:
    case = replace(CASE, reported_at=None)
    assert post_case(database, snapshot, case, actor="a") == post_case(
        database, snapshot, case, actor="b"
    )


def test_returns_go_down_the_candidates_until_nobody_is_left(
    database: Database, snapshot: Snapshot
) -> None:
    post_case(database, snapshot, CASE, actor="desk")
    units = ["W1"]
    while True:
        decision = return_case(
            database, snapshot, "2026-1", unit_code=units[-1], reason="不属我单位", actor="unit"
        )
        assert decision.needs_review
        assert "refused" in decision.reasons
        if decision.owner is None:
            break
        units.append(decision.owner.unit_code)
    # Record, plan, territory from small to large, then the rest of the directory.
    assert units == ["W1", "W2", "G1", "C1", "S1", "D1"]
    assert len(units) == len(UNITS)
    stored = get_case(database, "2026-1")
    assert (stored.state, stored.unit_code) == ("returned", None)
    assert [(e.action, e.unit_code, e.reason) for e in stored.history[:4]] == [
        ("assigned", "W1", None),
        ("returned", "W1", "不属我单位"),
        ("reassigned", "W2", None),
        ("returned", "W2", "不属我单位"),
    ]
    assert len(stored.history) == 1 + 2 * 6 - 1


def test_only_the_unit_that_has_the_case_returns_it_with_a_reason(
    database: Database, snapshot: Snapshot
) -> None:
    post_case(database, snapshot, CASE, actor="desk")
    with pytest.raises(ConflictError, match="W1"):
        return_case(database, snapshot, "2026-1", unit_code="W2", reason="no", actor="unit")
    with pytest.raises(RequestError, match="reason"):
        return_case(database, snapshot, "2026-1", unit_code="W1", reason=" ", actor="unit")
    with pytest.raises(NotFoundError):
        return_case(database, snapshot, "x", unit_code="W1", reason="no", actor="unit")
    assert [entry.action for entry in get_case(database, "2026-1").history] == ["assigned"]


def test_recorded_cases_are_decided_and_closed_ones_stay_closed(
    database: Database, snapshot: Snapshot
) -> None:
    with database.connect() as connection:
        for case_id, state, x in (
            ("a", "received", 51.0),
            ("b", "closed", 300.0),
            ("c", "received", None),
        ):
            connection.execute(
                "INSERT INTO cases.case (case_id, kind, class_code, reported_at, x, y, crs, accuracy_m,"
                " needs_review, state, request_hash)"
                " VALUES (%s, 'component', '0104', %s, %s, %s, 'city', 1, false, %s, 'h')",
                [
                    case_id,
                    NOW,
                    None if x is None else X0 + x,
                    None if x is None else Y0 + 50,
                    state,
                ],
            )
    assert count_open(database) == 3
    assert assign_stored(database, snapshot, actor="desk") == 3
    assert assign_stored(database, snapshot, actor="desk") == 0
    stored = {case_id: get_case(database, case_id) for case_id in "abc"}
    assert [(s.state, s.unit_code) for s in stored.values()] == [
        ("assigned", "W1"),
        ("closed", "G1"),
        ("assigned", "G1"),
    ]
    assert stored["b"].decision is not None
    assert stored["b"].decision.grid is not None
    assert stored["b"].decision.grid.distance_m == 100.0
    assert [entry.action for entry in stored["c"].history] == ["assigned"]
    with database.connect() as connection:
        row = connection.execute("SELECT geom IS NULL FROM cases.case ORDER BY case_id").fetchall()
    assert row == [(False,), (False,), (True,)]
    returned = return_case(database, snapshot, "a", unit_code="W1", reason="no", actor="unit")
    assert returned.owner is not None
    assert returned.owner.unit_code == "W2"
