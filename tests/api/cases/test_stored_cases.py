"""Imported cases: decided afterwards, by what holds now; closed ones stay closed."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from api import Snapshot
from api.assign import decide
from api.cases.listing import CaseFilter, list_cases
from api.cases.moving import Return, assign_case, return_case
from api.cases.posting import post_case
from api.cases.records import get_case
from api.stored import assign_stored, count_open
from gis.database import Database
from gis.errors import ConflictError
from tests.api.cases.small_case import CASE, NOW, columns_of, give_back, insert_received
from tests.api.district import A1, X0, Y0


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
    with pytest.raises(ConflictError, match="not decided yet"):
        post_case(database, partial(decide, snapshot), replace(CASE, case_id="a"), actor="desk")
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
    assert [bool(s.decision and s.decision.trace) for s in stored.values()] == [True, False, True]
    assert [entry.action for entry in stored["c"].history] == ["assigned"]
    with database.connect() as connection:
        row = connection.execute(
            "SELECT geom IS NULL, district_code FROM cases.case ORDER BY case_id"
        ).fetchall()
    assert row == [(False, "130102"), (False, None), (True, None)]
    told = Return(unit_code="W1", reason="no")
    returned = return_case(database, snapshot, "a", told=told, actor="unit")
    assert returned.owner is not None
    assert returned.owner.unit_code == "W2"
    # The same report posted is the case that was imported.
    same = replace(CASE, case_id="a", position=replace(CASE.position, x=X0 + 51.0))
    assert (
        post_case(database, partial(decide, snapshot), same, actor="desk").owner == returned.owner
    )


def test_a_case_among_many_is_told_as_it_is_alone(database: Database, snapshot: Snapshot) -> None:
    """From sure ones in the middle of a grid to those that may be anybody's."""
    cases = {f"{n:02d}": (X0 + 12.5 * n, (1.0, 5.0, 30.0)[n % 3]) for n in range(24)}
    with database.connect() as connection:
        for case_id, (x, accuracy_m) in cases.items():
            connection.execute(
                "INSERT INTO cases.case (case_id, kind, class_code, reported_at, x, y, crs, accuracy_m,"
                " needs_review, state, request_hash)"
                " VALUES (%s, 'component', '0104', %s, %s, %s, 'city', %s, false, 'received', 'h')",
                [case_id, NOW, x, Y0 + 50, accuracy_m],
            )
    assert assign_stored(database, snapshot, actor="desk") == len(cases)
    owners = {}
    for case_id, (x, accuracy_m) in cases.items():
        position = replace(CASE.position, x=x, accuracy_m=accuracy_m)
        alone = decide(snapshot, replace(CASE, case_id=case_id, position=position))
        stored = get_case(database, case_id).decision
        assert stored is not None
        assert stored.owner is not None
        assert alone.owner is not None
        # Sums over many cases may end in another last digit.
        assert replace(stored.owner, alternatives=()) == replace(alone.owner, alternatives=())
        shares = [(s.unit_code, s.why, round(s.probability, 9)) for s in stored.owner.alternatives]
        assert shares == [
            (s.unit_code, s.why, round(s.probability, 9)) for s in alone.owner.alternatives
        ]
        owners[case_id] = alone.owner
    told = [len(owner.alternatives) for owner in owners.values() if owner]
    assert min(told) == 0
    assert max(told) > 0


def test_a_day_that_was_asked_for_is_kept(database: Database, snapshot: Snapshot) -> None:
    case = replace(CASE, as_of=date(2026, 1, 1))
    post_case(database, partial(decide, snapshot), case, actor="desk")
    assert give_back(database, snapshot, "W1").owner is not None
    with database.connect() as connection:
        row = connection.execute("SELECT decision->>'as_of' FROM cases.case").fetchone()
    assert row == ("2026-01-01",)


def test_an_imported_case_that_a_person_assigns_lies_where_it_was_located(
    database: Database, snapshot: Snapshot
) -> None:
    insert_received(database, "a")
    assign_case(database, snapshot, "a", unit_code="G1", reason="known", actor="boss")
    assert count_open(database) == 0  # it is decided, and not decided again
    assert columns_of(database, "a") == (A1, "130102001001", "130102", X0 + 51)
    page = list_cases(database, CaseFilter(districts=("130102",)))
    assert [case.case_id for case in page.cases] == ["a"]
