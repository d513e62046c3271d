"""What is found on later days on which rows of a plan begin or end, told with the days it holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from census.plan.findings import Finding
from gis.remarks import NOTHING, Remark

DAYS_AHEAD = 12
"""So many later days are judged, the next ones; of those after them only the dates are told."""
Period = tuple[date, date | None]
"""First and last day of a time, both included; None: as far as was judged."""


@dataclass(frozen=True, kw_only=True)
class Ahead:
    """The findings of several days taken together."""

    days: tuple[date, ...] = ()
    """Days judged after the day of the plan."""
    left: tuple[date, ...] = ()
    """Later days on which rows begin or end that were not judged."""
    findings: tuple[Finding, ...] = ()
    """What does not hold on the day of the plan, but later; ordered by the first day."""
    periods: Mapping[Finding, tuple[Period, ...]] = field(default_factory=dict)
    """When a finding holds that does not hold from the day of the plan on without end."""

    def first_day(self, finding: Finding) -> date | None:
        """Return the first day of a finding that has days of its own."""
        periods = self.periods.get(finding, ())
        return periods[0][0] if periods else None


def gather(
    found: Mapping[date, Sequence[Finding]],
    held: Mapping[date, frozenset[str]],
    *,
    left: Sequence[date] = (),
) -> tuple[tuple[Finding, ...], Ahead]:
    """Return what holds on the first day, and what is found ahead.

    A row never wins if it does on none of the days on which it holds.

    Parameters
    ----------
    found : mapping
        Day judged, in order -> its findings.
    held : mapping
        Day -> rows that hold on it.
    left : sequence of date
        Later days that were not judged.

    Examples
    --------
    >>> june, july, august = (date(2026, month, 1) for month in (6, 7, 8))
    >>> hole = Finding(what="hole", kind="event", classes=("01",), areas=("*",))
    >>> gap = replace(hole, what="gap")
    >>> now, ahead = gather({june: [gap], july: [hole, gap], august: [hole]}, {})
    >>> [each.what for each in now], [each.what for each in ahead.findings]
    (['gap'], ['hole'])
    >>> told(ahead.periods[gap], as_of=june).en, told(ahead.periods[hole], as_of=june).zh
    ('until 2026-07-31', '自 2026-07-01 起')
    """
    days = list(found)
    ends = [*days[1:], *left[:1]]
    last_of = dict(zip(days, (day - timedelta(days=1) for day in ends), strict=False))
    never = _never(found, held)
    seen: dict[Finding, list[Period]] = {}
    for day, findings in found.items():
        for finding in findings:
            if finding.what == "never":
                continue
            periods = seen.setdefault(finding, [])
            if periods and periods[-1][1] == day - timedelta(days=1):
                periods[-1] = (periods[-1][0], last_of.get(day))
            else:
                periods.append((day, last_of.get(day)))
    first = days[0]
    begins = {finding: periods[0][0] for finding, periods in seen.items()} | never
    whole = [(first, last_of[days[-1]] if left else None)]
    told_of = {finding: tuple(spans) for finding, spans in seen.items() if spans != whole}
    later = [finding for finding, day in begins.items() if day > first]
    return (
        tuple(finding for finding, day in begins.items() if day == first),
        Ahead(
            days=tuple(days[1:]),
            left=tuple(left),
            findings=tuple(sorted(later, key=lambda finding: begins[finding])),
            periods=told_of | {each: ((day, None),) for each, day in never.items() if day > first},
        ),
    )


def _never(
    found: Mapping[date, Sequence[Finding]], held: Mapping[date, frozenset[str]]
) -> dict[Finding, date]:
    """Return the rows that win on no day -> the first on which they hold."""
    by_row: dict[str, tuple[Finding, date]] = {}
    winning: set[str] = set()
    for day, findings in found.items():
        beaten = {finding.rows[0]: finding for finding in findings if finding.what == "never"}
        winning |= held.get(day, frozenset()) - beaten.keys()
        for code, finding in beaten.items():
            known, first = by_row.get(code, (finding, day))
            winners = tuple(sorted({*known.beaten_by, *finding.beaten_by}))
            by_row[code] = (replace(known, beaten_by=winners), first)
    return {finding: day for code, (finding, day) in by_row.items() if code not in winning}


def told(periods: Sequence[Period], *, as_of: date) -> Remark:
    """Return periods in words; nothing for none.

    Examples
    --------
    >>> day, last = date(2026, 7, 1), date(2026, 7, 31)
    >>> told([(day, last), (last, last)], as_of=date(2026, 6, 1)).en
    'from 2026-07-01 to 2026-07-31; on 2026-07-31'
    """
    parts = [_told(first, last, as_of) for first, last in periods]
    if not parts:
        return NOTHING
    return Remark(en="; ".join(part.en for part in parts), zh="、".join(part.zh for part in parts))


def _told(first: date, last: date | None, as_of: date) -> Remark:
    if last is None:
        return Remark(en=f"from {first} on", zh=f"自 {first} 起")
    if first == last:
        return Remark(en=f"on {first}", zh=f"{first} 当天")
    if first == as_of:
        return Remark(en=f"until {last}", zh=f"至 {last} 止")
    return Remark(en=f"from {first} to {last}", zh=f"{first} 至 {last}")
