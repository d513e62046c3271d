"""What is in force: told by the day in the city's time zone, whatever was loaded for later days."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest

from api import Case, Decision, Position, Snapshot
from api.assign import assign_table
from api.bulk.work import Deciding
from api.force import Change
from api.http.routes.batch import decide_all
from tests.api.district import (
    A1,
    A2,
    FROM,
    GRIDS,
    X0,
    Y0,
    box,
    component,
    open_district,
    plan,
    plan_area,
    point,
)

TURN = date(2026, 7, 1)
"""Day on which the second plan begins, and on which a grid and a component are replaced."""
BEFORE = {"valid_to": TURN}
AFTER = {"valid_from": TURN, "build_id": 2}


def case(x: float = 50, y: float = 50, *, as_of: date | None = None) -> Case:
    place = Position(x=X0 + x, y=Y0 + y, crs="city", accuracy_m=1.0)
    return Case(position=place, class_code="0104", as_of=as_of)


def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    """Let it be a moment; Shijiazhuang is 8 hours ahead of UTC."""
    monkeypatch.setattr("api.force.now", lambda zone: moment.astimezone(zone))


class Ticking:
    """A clock that goes on by a second whenever it is looked at; midnight strikes after some looks."""

    def __init__(self, midnight: datetime, *, looks: int) -> None:
        self.midnight, self.looks = midnight, looks

    def __call__(self, zone: ZoneInfo) -> datetime:
        self.looks -= 1
        return (self.midnight - timedelta(seconds=self.looks)).astimezone(zone)


def unit_of(decision: Decision) -> str:
    assert decision.owner is not None
    return decision.owner.unit_code


@pytest.fixture
def turning(tmp_path: Path) -> Snapshot:
    """A district whose plan, well and first unit grid are others from the day of the turn on."""
    wells = [
        component("1301020104000001", point(50, 50), **BEFORE),
        component("1301020104000002", point(51, 50), **AFTER),
    ]
    rows = [plan("1", "owner", "W1", **BEFORE), plan("2", "owner", "W2", **AFTER)]
    grids = [
        *({**row, **BEFORE} if row["code"] == A1 else row for row in GRIDS),
        {**next(row for row in GRIDS if row["code"] == A1), "code": "130102001001009", **AFTER},
    ]
    return open_district(tmp_path, components=wells, responsibility=rows, unit_grids=grids)


def test_a_plan_loaded_for_a_day_to_come_answers_from_that_day_on(
    turning: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    eve = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)
    at(monkeypatch, eve)
    old = turning.decide(case())
    at(monkeypatch, eve + timedelta(minutes=1))
    new = turning.decide(case())
    assert (unit_of(old), unit_of(new)) == ("W1", "W2")
    assert (old.grid.code, new.grid.code) == (A1, "130102001001009")  # type: ignore[union-attr]
    codes = [found.component.code[-1] for found in (old, new)]  # type: ignore[union-attr]
    assert codes == ["1", "2"]


def test_what_is_in_force_is_what_is_asked_as_of_today(
    turning: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in (TURN - timedelta(days=1), TURN, TURN + timedelta(days=1)):
        at(monkeypatch, datetime(day.year, day.month, day.day, 4, tzinfo=UTC))
        for place in ((50, 50), (150, 50), (99.5, 50)):
            now, then = turning.decide(case(*place)), turning.decide(case(*place, as_of=day))
            assert unit_of(now) == unit_of(then)
            assert (now.grid, now.component, now.probability) == (
                then.grid,
                then.component,
                then.probability,
            )
        assert turning.record("unit_grids", A2) is not None
        assert (turning.record("unit_grids", A1) is None) == (day >= TURN)
        assert len(turning.frame("responsibility")) == 1


def test_what_comes_is_told_by_day_and_dataset(
    turning: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, datetime(2026, 6, 30, 4, tzinfo=UTC))
    told = {"day": TURN, "begins": 1, "ends": 1, "builds": (2,)}
    names = ("components", "responsibility", "unit_grids")
    assert turning.calendar.coming(turning) == [Change(dataset=name, **told) for name in names]
    assert turning.edition().ends == TURN
    at(monkeypatch, datetime(2026, 7, 1, 4, tzinfo=UTC))
    assert turning.calendar.coming(turning) == []
    assert turning.edition().ends is None


def test_the_next_edition_is_made_shortly_before_its_day(
    turning: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    midnight = datetime(2026, 6, 30, 16, tzinfo=UTC)
    at(monkeypatch, midnight - timedelta(hours=1))
    before = turning.edition()
    assert turning.prepare() is None
    at(monkeypatch, midnight - timedelta(minutes=5))
    coming = turning.prepare()
    assert coming is not None
    assert (coming.day, turning.edition()) == (TURN, before)
    assert turning.prepare() is None
    at(monkeypatch, midnight)
    assert turning.edition() is coming


def test_an_edition_made_ahead_of_a_day_that_passed_is_not_used(
    turning: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(monkeypatch, datetime(2026, 6, 30, 15, 55, tzinfo=UTC))
    coming = turning.prepare()
    # The machine slept for two days.
    at(monkeypatch, datetime(2026, 7, 2, 16, tzinfo=UTC))
    edition = turning.edition()
    assert edition is not coming
    assert edition.day == date(2026, 7, 3)


def test_data_that_are_yet_to_begin_answer_as_on_their_first_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = open_district(tmp_path, responsibility=[plan("1", "owner", "W1")])
    at(monkeypatch, datetime(2020, 5, 1, tzinfo=UTC))
    assert snapshot.edition().day == FROM
    assert unit_of(snapshot.decide(case())) == "W1"


def test_a_plan_area_of_later_days_cuts_no_grid_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    west = plan_area("P1", box(0, 0, 50, 100), **AFTER)
    rows = [plan("1", "owner", "W1"), plan("2", "owner", "W2", area_code="P1", **AFTER)]
    snapshot = open_district(tmp_path, responsibility=rows, plan_areas=[west])
    at(monkeypatch, datetime(2026, 6, 30, 4, tzinfo=UTC))
    assert unit_of(snapshot.decide(case(25, 50))) == "W1"
    assert not snapshot.edition().chains.touched.any()
    at(monkeypatch, datetime(2026, 7, 1, 4, tzinfo=UTC))
    assert unit_of(snapshot.decide(case(25, 50))) == "W2"
    assert unit_of(snapshot.decide(case(75, 50))) == "W1"


def test_a_run_goes_on_with_what_was_in_force_when_it_began(turning: Snapshot) -> None:
    work = Deciding(folder=str(turning.folder), version=turning.version)
    cases = pa.table(
        {
            "x": [X0 + 50, X0 + 50],
            "y": [Y0 + 50, Y0 + 50],
            "crs": ["city", "city"],
            "class_code": ["0104", "0104"],
            "as_of": [None, TURN.isoformat()],
        }
    )
    begun = datetime(2026, 6, 30, 15, 59, tzinfo=UTC)  # a minute to midnight
    assert work(cases, begun)["unit_code"].to_pylist() == ["W1", "W2"]
    without = cases.drop_columns(["as_of"])
    assert work(without, begun)["unit_code"].to_pylist() == ["W1", "W1"]
    assert work(without, datetime.now(UTC))["unit_code"].to_pylist() == ["W2", "W2"]


def test_a_batch_over_midnight_is_answered_as_of_one_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The old plan has a row for July too, and ends with June: nobody is ever answered by it.
    rows = [
        plan("1", "owner", "W1", **BEFORE),
        plan("3", "owner", "G1", season="07-01/12-31", **BEFORE),
        plan("2", "owner", "W2", **AFTER),
    ]
    folder = open_district(tmp_path, responsibility=rows).folder
    frame = pd.DataFrame({"x": [X0 + 50] * 8, "y": [Y0 + 50] * 8, "crs": "city"})
    table = pa.Table.from_pandas(frame.assign(class_code="0104"), preserve_index=False)
    seen = set()
    for looks in range(12):
        ticking = Ticking(datetime(2026, 6, 30, 16, tzinfo=UTC), looks=looks)
        monkeypatch.setattr("api.force.now", ticking)
        told = assign_table(Snapshot(folder), table, threads=1, block_rows=2)
        (unit,) = set(told["unit_code"].to_pylist())
        ticking.looks = looks
        (other,) = {unit_of(found) for found in decide_all(Snapshot(folder), [case()] * 3)}
        seen |= {unit, other}
    assert seen == {"W1", "W2"}
