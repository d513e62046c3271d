"""Findings of several days taken together: what holds when, and rows that never win."""

from datetime import date

from census.plan.findings import Finding
from pipelines.responsibility.ahead import gather, told

JUNE, JULY, AUGUST, MAY = (date(2026, month, 1) for month in (6, 7, 8, 5))


def finding(what, *rows, beaten_by=()):
    return Finding(
        what=what, kind="event", classes=("01",), areas=("*",), rows=rows, beaten_by=beaten_by
    )


def test_what_comes_goes_and_comes_again_has_its_days():
    hole, gap = finding("hole"), finding("gap")
    now, ahead = gather({MAY: [hole, gap], JUNE: [gap], JULY: [hole, gap]}, {}, left=[AUGUST])
    assert now == (hole, gap)
    assert ahead.findings == ()
    assert (ahead.days, ahead.left) == ((JUNE, JULY), (AUGUST,))
    # Nothing is known of the days from August on; the gap is on all that were judged.
    assert ahead.periods == {
        hole: ((MAY, date(2026, 5, 31)), (JULY, date(2026, 7, 31))),
    }
    words = told(ahead.periods[hole], as_of=MAY)
    assert words.en == "until 2026-05-31; from 2026-07-01 to 2026-07-31"
    assert words.zh == "至 2026-05-31 止、2026-07-01 至 2026-07-31"


def test_a_row_that_wins_on_one_of_its_days_is_not_said_never_to_win():
    june = [finding("never", "1", beaten_by=("9",)), finding("never", "2", beaten_by=("9",))]
    july = [finding("never", "2", beaten_by=("8",)), finding("never", "3", beaten_by=("8",))]
    held = {JUNE: frozenset("129"), JULY: frozenset("1238")}
    now, ahead = gather({JUNE: june, JULY: july}, held)
    assert now == (finding("never", "2", beaten_by=("8", "9")),)
    assert ahead.findings == (finding("never", "3", beaten_by=("8",)),)
    assert ahead.first_day(ahead.findings[0]) == JULY
