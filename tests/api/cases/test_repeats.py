"""How often cases are repeated is learned from the history, and hints of new cases go by it."""

from datetime import timedelta
from functools import partial

import pytest

from api import Case, Position, Snapshot
from api.assign import decide
from api.cases.duplicates import hint, read_places, remember_repeats
from api.cases.likeness import background_rate, joint_sigma, likeness, window_of
from api.cases.moving import close_case, reopen_case
from api.cases.pairs import compare
from api.cases.posting import post_case
from api.cases.records import get_case
from gis.database import Database
from gis.errors import ConflictError
from tests.api.cases.small_case import NOW
from tests.api.district import X0, Y0


def post(database: Database, snapshot: Snapshot, case_id: str, x: float, hours: float) -> None:
    case = Case(
        case_id=case_id,
        kind="event",
        class_code="0110",
        position=Position(x=X0 + x, y=Y0 + 50, crs="city", accuracy_m=3.0),
        reported_at=NOW + timedelta(hours=hours),
    )
    post_case(database, partial(decide, snapshot), case, actor="desk")


def test_hints_go_by_what_the_history_taught(database: Database, snapshot: Snapshot) -> None:
    for number in range(15):  # each reported twice within an hour, 10 m and 100 h from the next
        for again in (0, 1):
            post(database, snapshot, f"{number:02}-{again}", 10.0 * number, 100 * number + again)
    learned = compare(read_places(database))
    # 30 cases of which half repeat another, where 0.08 of them were thought to; five of the prior
    # on either side: (15 + 5) / (30 * 0.08 + 5) = 2.7.
    assert learned.factor == pytest.approx(20 / 7.4, rel=0.01)
    window = window_of("event", "0110")

    def worked_out(factor: float) -> float:
        told = likeness(
            distance_m=0.0, sigma_m=joint_sigma(3.0, 3.0), hours=1.0, same=1.0,
            window=(window.scale_h, window.repeats * factor), background=background_rate(28),
        )  # fmt: skip
        return round(float(told), 4)

    def hinted() -> float:
        ((found, _),) = hint(database, "07-1")
        assert found.case_id == "07-0"
        return found.probability

    assert hinted() == pytest.approx(worked_out(1.0), abs=1e-4)
    remember_repeats(database, cases=30, factor=9.0)
    remember_repeats(database, cases=30, factor=learned.factor)  # the newest counts
    assert hinted() == pytest.approx(worked_out(learned.factor), abs=1e-4)
    assert worked_out(learned.factor) > worked_out(1.0) + 0.004


def test_a_chain_of_repeats_is_told_by_its_first_report(
    database: Database, snapshot: Snapshot
) -> None:
    for number, case_id in enumerate("abcde"):
        post(database, snapshot, case_id, 10.0, number)

    def close(case_id: str, original: str) -> None:
        close_case(database, case_id, reason="", actor="desk", duplicate_of=original)

    close("b", "a")
    close("a", "c")  # an original that is found to be a repeat itself
    close("c", "d")
    with pytest.raises(ConflictError, match="Case b is itself a repeat of d: name that one"):
        close("e", "b")
    for other in "abc":  # whichever of them is named, no circle and no advice that leads to itself
        with pytest.raises(ConflictError, match="repeat of d: d is the original, close it without"):
            close("d", other)
    close("b", "a")  # sent again: what came since changed nothing of it
    reopen_case(database, "b", reason="核实", actor="desk")
    with pytest.raises(ConflictError, match="name that one"):
        close("b", "a")
    close("b", "d")
    close("b", "d")
    told = [get_case(database, case_id).duplicate_of for case_id in "abcde"]
    assert told == ["c", "d", "d", None, None]
