"""Cases on record: posted once, returned with a reason, given to the next, overridden, closed."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import psycopg
import pytest

from api import Position, Snapshot
from api.assign import decide
from api.cases.moving import Return, assign_case, close_case, reopen_case, return_case
from api.cases.posting import post_case
from api.cases.records import HistoryEntry, get_case, remember
from api.cases.states import STATES, TRANSITIONS
from gis.database import Database
from gis.errors import ConflictError, NotFoundError, RequestError, WanmiError
from tests.api.cases.small_case import CASE, NOT_OURS, NOW, columns_of, give_back, insert_received
from tests.api.district import A1, UNITS, X0, Y0, open_district, unit


def test_a_case_is_decided_once(database: Database, snapshot: Snapshot, tmp_path: Path) -> None:
    decision = post_case(
        database,
        partial(decide, snapshot),
        CASE,
        actor="desk",
        channel="热线",
        description="井盖破损 🕳️",
    )
    assert decision.owner is not None
    assert decision.owner.unit_code == "W1"
    other = open_district(tmp_path / "newer")  # by now the component is gone
    again = post_case(database, other, CASE, actor="desk", channel="热线", description="井盖破损 🕳️")
    assert again == decision
    stored = get_case(database, "2026-1")
    assert (stored.state, stored.unit_code, stored.decision) == ("assigned", "W1", decision)
    assert (stored.channel, stored.description) == ("热线", "井盖破损 🕳️")
    assert [(e.action, e.unit_code, e.actor) for e in stored.history] == [
        ("assigned", "W1", "desk")
    ]
    with database.connect() as connection:
        row = connection.execute(
            "SELECT grid_code, community_code, district_code, ST_X(geom), ST_SRID(geom), data_version,"
            " request->>'class_code' FROM cases.case"
        ).fetchone()
    assert row == (A1, "130102001001", "130102", X0 + 51, 4547, snapshot.version, "0104")


def test_many_who_post_one_case_at_once_get_one_answer(
    database: Database, snapshot: Snapshot
) -> None:
    gate = threading.Barrier(20)

    def post(_: int):
        gate.wait()
        return post_case(
            database, partial(decide, snapshot), replace(CASE, reported_at=None), actor="desk"
        )

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(post, range(20)))
    assert all(answer == answers[0] for answer in answers)
    assert [entry.action for entry in get_case(database, "2026-1").history] == ["assigned"]
    with database.connect() as connection:
        assert connection.execute("SELECT count(*) FROM cases.case").fetchone() == (1,)


def test_a_server_killed_before_the_history_leaves_no_case(
    database: Database, snapshot: Snapshot
) -> None:
    with database.connect() as connection:
        connection.execute(
            "CREATE FUNCTION cases.die() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
            " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'"
        )
        connection.execute(
            "CREATE TRIGGER die BEFORE INSERT ON cases.history FOR EACH ROW EXECUTE FUNCTION cases.die()"
        )
    with pytest.raises((WanmiError, psycopg.Error)):
        post_case(database, partial(decide, snapshot), CASE, actor="desk")
    with pytest.raises(NotFoundError):
        get_case(database, "2026-1")
    with database.connect() as connection:
        connection.execute("DROP TRIGGER die ON cases.history")
    assert post_case(database, partial(decide, snapshot), CASE, actor="desk").owner is not None
    assert len(get_case(database, "2026-1").history) == 1


def test_the_same_identifier_for_another_report_is_refused(
    database: Database, snapshot: Snapshot
) -> None:
    post_case(database, partial(decide, snapshot), CASE, actor="desk", channel="热线")
    other = replace(CASE, class_code="0103", position=Position(x=X0, y=Y0 + 50, crs="city"))
    with pytest.raises(ConflictError, match="2026-1") as caught:
        post_case(database, partial(decide, snapshot), other, actor="desk", description="别的")
    for name in ("channel", "class_code", "description", "position.accuracy_m", "position.x"):
        assert name in caught.value.message
        assert name in caught.value.zh
    assert "position.y" not in caught.value.message
    with pytest.raises(RequestError, match="case_id"):
        post_case(database, partial(decide, snapshot), replace(CASE, case_id=None), actor="desk")
    with pytest.raises(NotFoundError):
        get_case(database, "nowhere")
    # One moment is one moment, in whatever zone it is written.
    east = NOW.astimezone(datetime.fromisoformat("2026-07-01T12:00:00+08:00").tzinfo)
    same = post_case(
        database,
        partial(decide, snapshot),
        replace(CASE, reported_at=east),
        actor="desk",
        channel="热线",
    )
    assert same.owner is not None


def test_a_case_without_time_may_be_posted_again(database: Database, snapshot: Snapshot) -> None:
    case = replace(CASE, reported_at=None)
    assert post_case(database, partial(decide, snapshot), case, actor="a") == post_case(
        database, partial(decide, snapshot), case, actor="b"
    )


@pytest.mark.parametrize(
    ("change", "more", "match"),
    [
        ({"reported_at": datetime.now(UTC) + timedelta(hours=2)}, {}, "is to come"),
        ({"reported_at": datetime(2026, 7, 1, 4)}, {}, "time zone"),  # noqa: DTZ001
        ({}, {"description": "破" * 4001}, "4001 characters"),
        ({}, {"description": "a\0b"}, "NUL"),
        ({}, {"channel": "\ud83d"}, "surrogate"),
        ({"address": "长安\0区"}, {}, "NUL"),
    ],
)
def test_a_report_that_can_not_be_stored_is_refused(
    database: Database, snapshot: Snapshot, change: dict, more: dict, match: str
) -> None:
    with pytest.raises(RequestError, match=match):
        post_case(
            database, partial(decide, snapshot), replace(CASE, **change), actor="desk", **more
        )
    with pytest.raises(NotFoundError):
        get_case(database, "2026-1")


def test_returns_go_down_the_candidates_until_nobody_is_left(
    database: Database, snapshot: Snapshot
) -> None:
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    units = ["W1"]
    while True:
        decision = give_back(database, snapshot, units[-1], suggested_unit_code="G1")
        assert decision.needs_review
        assert "refused" in decision.reasons
        if decision.owner is None:
            break
        units.append(decision.owner.unit_code)
    # Record, plan, territory from small to large.
    assert units == ["W1", "W2", "G1", "C1", "S1", "D1"]
    assert len(units) == len(UNITS)
    stored = get_case(database, "2026-1")
    assert (stored.state, stored.unit_code, stored.waiting) == ("returned", None, "all_returned")
    assert stored.returns == 6
    assert [(e.action, e.unit_code, e.reason, e.category) for e in stored.history[:4]] == [
        ("assigned", "W1", None, None),
        ("returned", "W1", NOT_OURS, "not_our_duty"),
        ("reassigned", "W2", None, None),
        ("returned", "W2", NOT_OURS, "not_our_duty"),
    ]
    assert stored.history[1].suggested_unit_code == "G1"
    assert len(stored.history) == 1 + 2 * 6 - 1
    with pytest.raises(ConflictError, match="only a case that is assigned can be returned"):
        give_back(database, snapshot, "D1", reason="还是不属我单位")
    # A person's word ends it, even for a unit that refused.
    decision = assign_case(
        database, snapshot, "2026-1", unit_code="W2", reason="现场核实", actor="chief"
    )
    assert decision.owner is not None
    assert (decision.owner.unit_code, decision.owner.rule) == ("W2", "person:chief")
    accepted = [s.step for s in decision.trace if s.outcome == "accepted"]
    assert [name for name in accepted if name in ("owner_first", "person")] == ["person"]
    stored = get_case(database, "2026-1")
    assert (stored.state, stored.unit_code, stored.waiting) == ("assigned", "W2", None)
    assert stored.history[-1].reason == "现场核实"
    assert give_back(database, snapshot, "W2").owner is None  # everybody refused by now


def test_units_that_have_nothing_to_do_with_the_place_are_not_asked(
    database: Database, tmp_path: Path
) -> None:
    far = unit("C9", "别处居委会", "territorial", area_code="130109001001")
    snapshot = open_district(tmp_path / "far", units=[*UNITS, far, unit("X9", "园林公司")])
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    for name in ("C1", "S1"):
        assert give_back(database, snapshot, name).owner is not None
    told = give_back(database, snapshot, "D1")
    assert (told.owner, told.probability, told.needs_review) == (None, 0.0, True)
    assert not [s for s in told.trace if s.step == "owner_first" and s.outcome == "accepted"]
    stored = get_case(database, "2026-1")
    assert (stored.state, stored.unit_code, stored.waiting) == ("returned", None, "all_returned")
    assert [entry.unit_code for entry in stored.history][-2:] == ["D1", "D1"]
    assert give_back(database, snapshot, "D1") == told  # sent again, it is answered as it was


@pytest.mark.parametrize("category", ["duplicate", "cannot_be_found", "wrong_class"])
def test_what_no_other_unit_can_help_with_waits_for_a_person(
    database: Database, snapshot: Snapshot, category: str
) -> None:
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    decision = give_back(database, snapshot, "W1", reason="请核实", category=category)
    assert decision.owner is None
    stored = get_case(database, "2026-1")
    assert (stored.state, stored.unit_code) == ("returned", None)
    assert stored.waiting == "reason_needs_person"
    assert [entry.category for entry in stored.history] == [None, category]


def test_only_the_unit_that_has_the_case_returns_it_with_a_reason(
    database: Database, snapshot: Snapshot
) -> None:
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    with pytest.raises(ConflictError, match="W1"):
        give_back(database, snapshot, "W2")
    for reason, more, match in (
        (" ", {}, "reason"),
        ("no\0", {}, "NUL"),
        ("no", {"category": "mood"}, "mood"),
        ("no", {"suggested_unit_code": "Z9"}, "Z9"),
    ):
        with pytest.raises(RequestError, match=match):
            give_back(database, snapshot, "W1", reason, **more)
    told = Return(unit_code="W1", reason="no")
    with pytest.raises(NotFoundError):
        return_case(database, snapshot, "x", told=told, actor="unit")
    assert [entry.action for entry in get_case(database, "2026-1").history] == ["assigned"]


def test_of_two_returns_at_once_one_wins(database: Database, snapshot: Snapshot) -> None:
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    gate = threading.Barrier(8)

    def act(number: int) -> str:
        gate.wait()
        try:
            give_back(database, snapshot, "W1", reason=f"不属我单位 {number}")
        except ConflictError as error:
            return error.code
        return "won"

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(act, range(8)))
    assert outcomes == ["conflict"] * 7 + ["won"]
    stored = get_case(database, "2026-1")
    assert (stored.unit_code, stored.returns, len(stored.history)) == ("W2", 1, 3)


def test_closing_and_reopening(database: Database, snapshot: Snapshot) -> None:
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    post_case(database, partial(decide, snapshot), replace(CASE, case_id="2026-2"), actor="desk")
    with pytest.raises(ConflictError, match="only a case that is closed can be reopened"):
        reopen_case(database, "2026-1", reason="again", actor="desk")
    with pytest.raises(RequestError, match="repeat itself"):
        close_case(database, "2026-1", reason="", duplicate_of="2026-1", actor="desk")
    with pytest.raises(NotFoundError):
        close_case(database, "2026-1", reason="", duplicate_of="2026-9", actor="desk")
    close_case(database, "2026-1", reason="", duplicate_of="2026-2", actor="desk")
    stored = get_case(database, "2026-1")
    assert (stored.state, stored.duplicate_of, stored.handled_by) == ("closed", "2026-2", None)
    assert stored.closed_at is not None
    with pytest.raises(ConflictError, match="repeat of 2026-2"):
        close_case(database, "2026-2", reason="", duplicate_of="2026-1", actor="desk")
    close_case(database, "2026-2", reason="修复", actor="desk")
    assert get_case(database, "2026-2").handled_by == "W1"
    for act in (
        lambda: give_back(database, snapshot, "W1"),
        lambda: close_case(database, "2026-1", reason="", actor="chief"),
        lambda: assign_case(database, snapshot, "2026-1", unit_code="G1", reason="x", actor="desk"),
    ):
        with pytest.raises(ConflictError, match="is closed"):
            act()
    reopen_case(database, "2026-1", reason="又坏了", actor="desk")
    stored = get_case(database, "2026-1")
    assert (stored.state, stored.unit_code, stored.reopened) == ("assigned", "W1", 1)
    assert (stored.duplicate_of, stored.closed_at) == (None, None)
    assert [entry.action for entry in stored.history] == ["assigned", "closed", "reopened"]


def test_a_person_names_a_unit_that_exists_and_says_why(
    database: Database, snapshot: Snapshot
) -> None:
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    for named, reason, error, match in (
        ("Z9", "x", RequestError, "Z9"),
        ("G1", " ", RequestError, "reason"),
        ("W1", "x", ConflictError, "already"),
    ):
        with pytest.raises(error, match=match):
            assign_case(database, snapshot, "2026-1", unit_code=named, reason=reason, actor="chief")


def test_every_action_leads_from_and_to_known_states() -> None:
    for sources, targets in TRANSITIONS.values():
        assert sources <= set(STATES)
        assert targets <= set(STATES)
    assert set().union(*(targets for _, targets in TRANSITIONS.values())) == {
        "assigned",
        "returned",
        "closed",
    }


def test_a_case_lies_where_its_new_decision_says(
    database: Database, snapshot: Snapshot, tmp_path: Path
) -> None:
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    with database.connect() as connection:
        connection.execute("UPDATE cases.case SET grid_code = 'of last year', geom = NULL")
    give_back(database, snapshot, "W1")
    assert columns_of(database, "2026-1") == (A1, "130102001001", "130102", X0 + 51)


def test_history_is_in_the_order_of_what_happened(database: Database, snapshot: Snapshot) -> None:
    """A return that begins first and waits for the other is told behind it."""
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    with database.connect() as late:
        late.execute("SELECT now()").fetchone()  # its transaction began before the return
        give_back(database, snapshot, "W1")
        remember(
            late,
            HistoryEntry(at=NOW, action="closed", unit_code=None, reason=None, actor="late"),
            "2026-1",
            {},
        )
    actions = [entry.action for entry in get_case(database, "2026-1").history]
    assert actions == ["assigned", "returned", "reassigned", "closed"]


def test_a_case_that_was_never_sent_back_waits_because_no_unit_was_found(
    database: Database, snapshot: Snapshot
) -> None:
    insert_received(database, "a", state="closed")
    reopen_case(database, "a", reason="again", actor="desk")
    stored = get_case(database, "a")
    assert (stored.state, stored.waiting) == ("returned", "no_unit")


def test_a_time_before_all_calendars_is_refused(database: Database, snapshot: Snapshot) -> None:
    first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8)))
    with pytest.raises(RequestError, match="0001-01-01"):
        post_case(
            database, partial(decide, snapshot), replace(CASE, reported_at=first), actor="desk"
        )
