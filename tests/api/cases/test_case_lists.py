"""Lists of recorded cases: page by page, and what is overdue."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from api import Case, Position, Snapshot
from api.assign import decide
from api.cases.listing import CaseFilter, list_cases, write_token
from api.cases.moving import close_case
from api.cases.posting import post_case
from api.cases.records import get_case
from api.http.reports import CasesIn
from gis.crs import GEOGRAPHIC, transform_xy
from gis.database import Database
from gis.errors import RequestError
from tests.api.cases.small_case import CASE, NOW
from tests.api.district import X0, Y0


def event(number: int, **more) -> Case:
    told = {
        "case_id": f"e{number:02d}",
        "kind": "event",
        "class_code": "0405",
        "position": Position(x=X0 + 10 * number, y=Y0 + 50, crs="city", accuracy_m=3.0),
        "reported_at": NOW + timedelta(hours=number // 2),
    }
    return Case(**{**told, **more})


def test_lists_go_on_where_they_ended(database: Database, snapshot: Snapshot) -> None:
    for number in range(1, 8):
        post_case(database, partial(decide, snapshot), event(number), actor="desk", channel="热线")
    post_case(database, partial(decide, snapshot), CASE, actor="desk")
    close_case(database, "e03", reason="", actor="desk")

    def ids(**wanted) -> list[str]:
        return [case.case_id for case in list_cases(database, CaseFilter(**wanted)).cases]

    assert ids() == ["e07", "e06", "e05", "e04", "e03", "e02", "e01", "2026-1"]
    seen, after = [], None
    for _ in range(3):
        page = list_cases(database, CaseFilter(), limit=3, after=after)
        seen += [case.case_id for case in page.cases]
        after = page.next
        # What is reported meanwhile is no part of the pages that follow.
        late = event(90 + len(seen), reported_at=NOW + timedelta(days=1))
        post_case(database, partial(decide, snapshot), late, actor="desk")
    assert seen == ["e07", "e06", "e05", "e04", "e03", "e02", "e01", "2026-1"]
    assert after is None
    assert ids(state="closed") == ["e03"]
    assert ids(unit_code="W1") == ids(class_code="0104") == ["2026-1"]
    assert ids(since=NOW + timedelta(hours=3), state="assigned", class_code="0405")[-2:] == [
        "e07",
        "e06",
    ]
    assert ids(districts=("130104",)) == []
    assert len(ids(districts=("130104", "130102"))) == 11
    lon, lat = transform_xy(
        [X0 + 5, X0 + 25], [Y0 + 40, Y0 + 60], source="EPSG:4547", target=GEOGRAPHIC
    )
    box = (float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1]))
    assert ids(bbox=box) == ["e02", "e01"]
    (first,) = list_cases(database, CaseFilter(bbox=box), limit=2).cases[1:]
    assert (first.lon, first.lat) == pytest.approx(
        tuple(
            float(v[0])
            for v in transform_xy([X0 + 10], [Y0 + 50], source="EPSG:4547", target=GEOGRAPHIC)
        )
    )


def test_lists_tell_what_is_overdue(database: Database, snapshot: Snapshot) -> None:
    # 4 working hours from Wednesday 1 July 12:00 local end at 18:00.
    post_case(database, partial(decide, snapshot), event(1), actor="desk")
    end = datetime(2026, 7, 1, 10, tzinfo=UTC)
    for minutes, due in ((-91, "in_time"), (-89, "soon"), (0, "soon"), (1, "overdue")):
        now = end + timedelta(minutes=minutes)
        (case,) = list_cases(database, CaseFilter(), now=now).cases
        assert (case.due, case.due_at) == (due, end)
        assert get_case(database, "e01", now=now).due == due
        for asked in ("in_time", "soon", "overdue"):
            found = list_cases(database, CaseFilter(due=asked), now=now).cases
            assert len(found) == (asked == due), (minutes, asked)


@pytest.mark.parametrize(
    ("wanted", "more", "match"),
    [
        ({"state": "lost"}, {}, "lost"),
        ({"bbox": (1.0, 1.0, 0.0, 2.0)}, {}, "west,south,east,north"),
        ({"bbox": (0.0, float("nan"), 1.0, 2.0)}, {}, "west,south,east,north"),
        ({}, {"limit": 0}, "limit is 0"),
        ({}, {"limit": 1001}, "limit is 1001"),
        ({}, {"after": "?"}, "next"),
        ({}, {"after": "aGFsbG8"}, "next"),
    ],
)
def test_a_list_that_can_not_be_meant_is_refused(
    database: Database, wanted: dict, more: dict, match: str
) -> None:
    with pytest.raises(RequestError, match=match):
        list_cases(database, CaseFilter(**wanted), **more)


def test_the_end_of_a_page_can_be_asked_for_whatever_its_case_is_called() -> None:
    token = write_token(NOW, "城管〔2026〕" + "件" * 55)
    assert CasesIn(next=token).next == token
