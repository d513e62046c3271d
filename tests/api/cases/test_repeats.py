"""How often cases are repeated is learned from the history, and hints of new cases go by it."""

from datetime import timedelta
from functools import partial

import pytest

from api import Case, Position, Snapshot
from api.assign import decide
from api.cases.duplicates import hint, read_places, remember_repeats
from api.cases.likeness import background_rate, joint_sigma, likeness, window_of
from api.cases.pairs import compare
from api.cases.posting import post_case
from gis.database import Database
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
