"""A request sent again because its answer was lost is done once, and answered as it was."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from api import Snapshot
from api.assign import decide
from api.cases.moving import assign_case, close_case, reopen_case
from api.cases.posting import post_case
from api.cases.records import get_case
from gis.database import Database
from gis.errors import ConflictError
from tests.api.cases.small_case import CASE, give_back


@pytest.fixture(autouse=True)
def posted(database: Database, snapshot: Snapshot) -> None:
    post_case(database, partial(decide, snapshot), CASE, actor="desk")


def actions(database: Database) -> list[tuple[str, str | None]]:
    return [(entry.action, entry.unit_code) for entry in get_case(database, "2026-1").history]


def test_a_return_sent_many_times_at_once_is_one_return(
    database: Database, snapshot: Snapshot
) -> None:
    gate = threading.Barrier(8)

    def act(_: int):
        gate.wait()
        return give_back(database, snapshot, "W1", suggested_unit_code="G1")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(act, range(8)))
    assert answers == [answers[0]] * 8
    assert answers[0].owner is not None
    assert answers[0].owner.unit_code == "W2"
    assert get_case(database, "2026-1").returns == 1
    assert actions(database) == [("assigned", "W1"), ("returned", "W1"), ("reassigned", "W2")]


def test_a_return_sent_again_late_does_not_undo_what_came_since(
    database: Database, snapshot: Snapshot
) -> None:
    give_back(database, snapshot, "W1")
    assert (second := give_back(database, snapshot, "W2")).owner is not None
    before = get_case(database, "2026-1")
    assert give_back(database, snapshot, "W1") == second
    close_case(database, "2026-1", reason="", actor="desk")
    assert give_back(database, snapshot, "W2") == second
    assert get_case(database, "2026-1").returns == before.returns == 2
    assert get_case(database, "2026-1").state == "closed"


def test_a_unit_that_was_given_the_case_again_returns_it_anew(
    database: Database, snapshot: Snapshot
) -> None:
    give_back(database, snapshot, "W1")
    assign_case(database, snapshot, "2026-1", unit_code="W1", reason="核实", actor="chief")
    give_back(database, snapshot, "W1")
    assert get_case(database, "2026-1").returns == 2


def test_other_words_or_another_hand_are_another_request(
    database: Database, snapshot: Snapshot
) -> None:
    give_back(database, snapshot, "W1")
    for more in (
        {"reason": "另有原因"},
        {"category": "not_our_area"},
        {"suggested_unit_code": "G1"},
    ):
        with pytest.raises(ConflictError, match="is with unit W2"):
            give_back(database, snapshot, "W1", **more)
    give = partial(assign_case, database, snapshot, "2026-1", unit_code="G1")
    first = give(reason="指定", actor="chief")
    assert give(reason="指定", actor="chief") == first
    for actor, reason in (("desk", "指定"), ("chief", "再指定")):
        with pytest.raises(ConflictError, match="already"):
            give(reason=reason, actor=actor)
    # What was done since makes the same words a new wish.
    assign_case(database, snapshot, "2026-1", unit_code="S1", reason="改", actor="chief")
    assert give(reason="指定", actor="chief").owner == first.owner
    assert [unit for action, unit in actions(database) if action == "reassigned"] == [
        "W2",
        "G1",
        "S1",
        "G1",
    ]


def test_a_case_that_was_decided_anew_since_is_assigned_again_in_the_same_words(
    database: Database, snapshot: Snapshot
) -> None:
    give = partial(assign_case, database, snapshot, "2026-1", unit_code="G1")
    give(reason="指定", actor="chief")
    with database.connect() as connection:  # as cases on record are decided anew after an import
        connection.execute("UPDATE cases.case SET unit_code = 'W1' WHERE case_id = '2026-1'")
    give(reason="指定", actor="chief")
    assert get_case(database, "2026-1").unit_code == "G1"
    assert actions(database)[-2:] == [("reassigned", "G1")] * 2


def test_closing_and_reopening_sent_again(database: Database, snapshot: Snapshot) -> None:
    for _ in range(2):
        close_case(database, "2026-1", reason="修复", actor="desk")
    for _ in range(2):
        reopen_case(database, "2026-1", reason="又坏了", actor="desk")
    assert get_case(database, "2026-1").reopened == 1
    close_case(database, "2026-1", reason="修复", actor="desk")
    with pytest.raises(ConflictError, match="is closed"):
        close_case(database, "2026-1", reason="修复", actor="chief")
    assert [action for action, _ in actions(database)] == [
        "assigned",
        "closed",
        "reopened",
        "closed",
    ]
