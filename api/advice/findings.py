"""Rows of the plan and records of components whose cases others handled, and the narrowest remedy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from api.advice.evidence import SHARED
from api.advice.intervals import wilson

LEAST_HITS = 5
"""Fewer cases than this that one other unit handled prove nothing."""
LEAST_LOWER = 0.25
"""The lower bound of the share from which on a finding is told."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A place in plan, records or borders whose cases come back, with the change that would help."""

    kind: str
    """plan_row, record, border, road, class."""
    change: str
    """change_unit, add_row, update_records, move_border, boundary_road, swap_sides, one_side,
    correct_class."""
    rule: str
    """Row of the plan, or code of the boundary road; empty for records and borders."""
    case_kind: str
    class_code: str
    """Class the change is about; empty: all that the rule is about."""
    area_code: str
    """Area the change is about; empty: all that the rule is about."""
    unit_code: str
    """Unit that gets the cases."""
    to_unit_code: str
    """Unit that handles them."""
    cases: int
    """Cases there of which the unit that handled them is known."""
    misdirected: int
    """Those that another unit handled."""
    to_cases: int
    """Those that `to_unit_code` handled."""
    returned: int
    """Those of the misdirected that were in fact sent back."""
    lower: float
    """Lower bound of the share of `to_cases`, 95 % (Wilson): findings are ranked by it."""
    upper: float
    other_area_code: str = ""
    """Of a border: the area across; of a boundary road: the area that shares it."""
    avoided: int = 0
    """Cases that the change would have sent to the unit that handled them, by deciding them anew."""
    caused: int = 0
    """Cases that the change would have sent to the wrong unit."""
    components: tuple[str, ...] = ()
    """Of records: the components whose cases came back."""
    width_m: float | None = None
    """Of a border: how far from it the cases lie at most, m."""
    stretch: Any = None
    """Of a border or a boundary road: the stretch, a line in the city's CRS."""
    is_whole: bool = True
    """Of a boundary road: the stretch is all of it."""
    sharing: str = ""
    """Of a boundary road: how its areas share it."""
    is_against_map: bool = False
    """Of a boundary road whose areas are to be swapped: each lies on the side that the plan says."""
    to_class_code: str = ""
    """Of a class: the class that it is confused with."""
    row_numbers: tuple[int, ...] = field(default=(), repr=False)
    """Rows of the evidence that it is about."""

    @property
    def share(self) -> float:
        """Share of the cases that the other unit handled."""
        return self.to_cases / self.cases if self.cases else 0.0


def known_rows(judged: pd.DataFrame) -> pd.DataFrame:
    """Return what `judge` gives without the cases that say nothing against rows, records and borders.

    Those are the cases on a boundary road that the unit of its other area handled.
    """
    return judged[judged[SHARED].isna()]


def judge(evidence: pd.DataFrame) -> pd.DataFrame:
    """Return the evidence whose truth is known, with plain texts, ``right`` and ``wrong``.

    Wrong is a case that was sent back and handled by another unit than the rules lead to. Where the
    history tells of no return at all, any case that another unit handled is.
    """
    rows = evidence[evidence["truth"].notna() & evidence["unit_code"].notna()]
    plain = rows.assign(
        **{
            name: rows[name].astype(object).where(rows[name].notna(), "")
            for name in (
                "kind", "class_code", "unit_code", "rule", "community_code", "street_code", "truth",
                "category", "found_component",
            )
        }
    )  # fmt: skip
    right = plain["truth"] == plain["unit_code"]
    tells_returns = bool((plain["returns"] > 0).any())
    sent_back = plain["returns"] > 0 if tells_returns else pd.Series(True, index=plain.index)
    return plain.assign(right=right, wrong=~right & sent_back)


def find_rows(known: pd.DataFrame) -> list[Finding]:
    """Return the rows of the plan whose cases another unit handles.

    For each row the part of it, all, a class, an area or both, whose change does most good: cases of
    the other unit less cases of its own.
    """
    rules = known["rule"].where(known["rule"].str.startswith("plan:"))
    found = []
    for rule, rows in known.groupby(rules, sort=True):
        best = _best_part(rows)
        if best is not None:
            found.append(
                _finding(rows, best, kind="plan_row", rule=str(rule).removeprefix("plan:"))
            )
    return found


def find_records(known: pd.DataFrame) -> list[Finding]:
    """Return the components whose records name a unit that others act for by now: stale owners."""
    parts = known["rule"].str.extract(r"^component:[^:]*:(?P<role>\w+)$")
    rows = known[parts["role"].notna()].assign(role=parts["role"])
    found = []
    for _, group in rows.groupby(["class_code", "role", "unit_code"], sort=True):
        best = _best_part(group)
        if best is not None:
            found.append(_finding(group, best, kind="record", rule=""))
    return found


@dataclass(frozen=True)
class _Part:
    rows: pd.DataFrame
    to_unit: str
    net: int
    class_code: str
    area_code: str


def _best_part(rows: pd.DataFrame) -> _Part | None:
    """Return the part of a rule's cases whose change to one other unit does most good, if any."""
    if int(rows["wrong"].sum()) < LEAST_HITS:
        return None
    best: _Part | None = None
    for part, class_code, area_code in _parts(rows):
        wrong = part.loc[part["wrong"], "truth"]
        if len(wrong) < LEAST_HITS:
            continue
        counts = wrong.value_counts()
        to_unit = min(counts.index[counts == counts.iloc[0]])
        hits, own = int(counts.iloc[0]), int(part["right"].sum())
        if hits < LEAST_HITS or wilson(hits, len(part))[0] < LEAST_LOWER:
            continue
        if best is None or hits - own > best.net:  # of equals the first: the widest
            best = _Part(part, str(to_unit), hits - own, class_code, area_code)
    return best if best is not None and best.net > 0 else None


def _parts(rows: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, str, str]]:
    """Yield a rule's cases: all, then by class, by area from large to small, by both."""
    yield rows, "", ""
    several = rows["class_code"].nunique() > 1
    if several:
        for code, part in rows.groupby("class_code", sort=True):
            yield part, str(code), ""
    for level in ("street_code", "community_code"):
        if rows[level].nunique() < 2:
            continue
        for area, part in rows.groupby(level, sort=True):
            if area:
                yield part, "", str(area)
        if several:
            for (code, area), part in rows.groupby(["class_code", level], sort=True):
                if area:
                    yield part, str(code), str(area)


def _finding(rows: pd.DataFrame, part: _Part, *, kind: str, rule: str) -> Finding:
    wrong = part.rows["wrong"]
    hits = wrong & (part.rows["truth"] == part.to_unit)
    lower, upper = wilson(int(hits.sum()), len(part.rows))
    whole = not part.class_code and not part.area_code
    change = "change_unit" if whole else "add_row"
    components: tuple[str, ...] = ()
    class_code = part.class_code
    if kind == "record":
        change = "update_records"
        class_code = str(rows["class_code"].iloc[0])
        components = tuple(sorted({*part.rows.loc[hits, "found_component"]} - {""}))
    return Finding(
        kind=kind,
        change=change,
        rule=rule,
        case_kind=str(rows["kind"].iloc[0]),
        class_code=class_code,
        area_code=part.area_code,
        unit_code=str(part.rows["unit_code"].mode().iloc[0]),
        to_unit_code=part.to_unit,
        cases=len(part.rows),
        misdirected=int((~part.rows["right"]).sum()),
        to_cases=int(hits.sum()),
        returned=int((part.rows["returns"] > 0)[~part.rows["right"]].sum()),
        lower=lower,
        upper=upper,
        components=components,
        row_numbers=tuple(part.rows.index),
    )


def ranked(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings, the surest first: by the lower bound, then by what they would avoid."""
    return sorted(
        findings,
        key=lambda f: (
            -round(f.lower, 9),
            f.caused - f.avoided,
            f.kind,
            f.rule,
            f.class_code,
            f.area_code,
        ),
    )
