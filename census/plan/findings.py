"""What is wrong with a plan, told as few sentences as possible: classes and places taken together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from census.plan.chains import Chain
from census.plan.coverage import CONFLICT, Coverage
from census.plan.moments import Condition
from census.plan.rows import ANYWHERE, PlanRow

What = Literal["hole", "gap", "conflict", "overlap", "never"]
WORDS: Mapping[str, tuple[str, str]] = {
    "hole": ("hole", "无责任单位"),
    "gap": ("gap in time", "时段空缺"),
    "conflict": ("conflict", "责任冲突"),
    "overlap": ("overlapping times", "时段重叠"),
    "never": ("never wins", "永不生效"),
}
"""What a finding is called, English and Chinese."""
REFUSING = ("hole", "gap", "conflict", "overlap")
"""Findings with which a plan is not accepted; rows that never win are only told."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong."""

    what: What
    kind: str
    """component or event."""
    classes: tuple[str, ...]
    """Minor classes, or major ones where all of their minor classes are concerned; sorted."""
    areas: tuple[str, ...]
    """The largest areas that consist of places concerned, else those they are parts of; ``*`` for all."""
    rows: tuple[str, ...] = ()
    """Rows that clash, or the one that never wins."""
    beaten_by: tuple[str, ...] = ()
    """Rows that win over one that never wins."""
    role: str = ""
    times: tuple[Condition, ...] = ()
    """Seasons and hours concerned; ``(None, None)``: always."""
    places: tuple[int, ...] = ()
    """Numbers of the places concerned."""


def find(coverage: Coverage, rows: Sequence[PlanRow]) -> list[Finding]:
    """Return all findings: holes and gaps, then clashes, then rows that never win."""
    regions = Regions(coverage.places)
    return [
        *_holes(coverage, regions),
        *_clashes(coverage, regions),
        *_never(coverage, rows),
    ]


def _holes(coverage: Coverage, regions: "Regions") -> list[Finding]:
    by_column: dict[tuple[str, tuple[int, ...], int], list[str]] = {}
    for (kind, code), column in coverage.table.items():
        for bits, places in _open_places(coverage, column).items():
            by_column.setdefault((kind, places, bits), []).append(code)
    found = [
        Finding(
            what="hole" if bits == coverage.moments.full else "gap",
            kind=kind,
            classes=classes,
            areas=regions.cover(places),
            times=tuple(coverage.moments.told(bits)),
            places=places,
        )
        for (kind, places, bits), codes in by_column.items()
        for classes in by_major(codes, coverage.classes[kind])
    ]
    return sorted(
        found, key=lambda item: (item.what != "hole", item.kind, item.classes, item.areas)
    )


def _open_places(coverage: Coverage, column: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Return the places of each set of moments at which there is no owner."""
    found: dict[int, list[int]] = {}
    for place, number in enumerate(column):
        bits = coverage.answers[number].open_bits
        if bits:
            found.setdefault(bits, []).append(place)
    return {bits: tuple(places) for bits, places in found.items()}


def _clashes(coverage: Coverage, regions: "Regions") -> list[Finding]:
    held: dict[tuple[str, str, tuple[str, ...]], tuple[int, set[str], set[int]]] = {}
    states: dict[tuple[str, ...], int] = {}
    clashing = {number for number, answer in enumerate(coverage.answers) if answer.clashes}
    for (kind, code), column in coverage.table.items():
        for place, number in enumerate(column):
            if number not in clashing:
                continue
            for clash in coverage.answers[number].clashes:
                bits, classes, places = held.get((kind, clash.role, clash.rows), (0, set(), set()))
                classes.add(code)
                places.add(place)
                held[kind, clash.role, clash.rows] = (bits | clash.bits, classes, places)
                states[clash.rows] = coverage.clash_state(clash)
    found = [
        Finding(
            what="conflict" if states[rows] == CONFLICT else "overlap",
            kind=kind,
            classes=tuple(
                name
                for names in by_major(sorted(classes), coverage.classes[kind])
                for name in names
            ),
            areas=regions.cover(places),
            rows=rows,
            role=role,
            times=tuple(coverage.moments.told(bits)),
            places=tuple(sorted(places)),
        )
        for (kind, role, rows), (bits, classes, places) in held.items()
    ]
    return sorted(found, key=lambda item: (item.what, item.kind, item.rows))


def _never(coverage: Coverage, rows: Sequence[PlanRow]) -> list[Finding]:
    by_code = {row.code: row for row in rows}
    return [
        Finding(
            what="never",
            kind=by_code[code].kind,
            classes=(by_code[code].class_code,),
            areas=(by_code[code].area_code,),
            rows=(code,),
            beaten_by=winners,
            role=by_code[code].role,
            times=((by_code[code].season, by_code[code].hours),),
        )
        for code, winners in sorted(coverage.beaten_by.items())
    ]


def by_major(codes: Iterable[str], known: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the classes of one sentence each: those of one major class, told as it if all are in.

    Examples
    --------
    >>> by_major(["0101", "0102", "0201"], ["0101", "0102", "0201", "0202"])
    [('01',), ('0201',)]
    """
    grouped: dict[str, list[str]] = {}
    for code in sorted(codes):
        grouped.setdefault(code[:2], []).append(code)
    every: dict[str, int] = {}
    for code in known:
        every[code[:2]] = every.get(code[:2], 0) + 1
    return [
        (major,) if len(held) == every[major] and len(held) > 1 else tuple(held)
        for major, held in grouped.items()
    ]


class Regions:
    """Areas as sets of places, to tell many places by few names.

    Examples
    --------
    >>> places = [Chain(None, f"S{n // 2}C{n}", f"S{n // 2}", "D") for n in range(4)]
    >>> regions = Regions(places)
    >>> regions.cover([0, 1, 2]), regions.cover(range(4))
    (('S0', 'S1C2'), ('*',))
    """

    def __init__(self, places: Sequence[Chain]) -> None:
        self._places = places
        self._areas: list[dict[int, tuple[str, ...]]] = []
        self._members: dict[tuple[int, str], set[int]] = {}
        for number, place in enumerate(places):
            held: dict[int, tuple[str, ...]] = {}
            for level, _, area in place.areas():
                held[level] = (*held.get(level, ()), area)
                self._members.setdefault((level, area), set()).add(number)
            self._areas.append(held)

    def cover(self, chosen: Iterable[int]) -> tuple[str, ...]:
        """Return the largest areas that consist of chosen places alone, and together of all of them.

        Of places that make up no whole area their community is told, or the drawn areas alone that
        they lie in.
        """
        whole = set(chosen)
        if len(whole) == len(self._places):
            return (ANYWHERE,)
        left, result = set(whole), set[str]()
        for level in (5, 4, 3, 0, 2, 1):
            for area in sorted({area for at in left for area in self._areas[at].get(level, ())}):
                members = self._members[level, area]
                if members & left and members <= whole:
                    result.add(area)
                    left -= members
        plain = {self._places[at].community for at in left if not self._places[at].plan_areas}
        for at in left:
            place = self._places[at]
            is_drawn = bool(place.plan_areas) and place.community not in plain
            around = place.community or place.street or place.district or ANYWHERE
            result.add(place.plan_areas[0] if is_drawn else around)
        return tuple(sorted(result))


def is_accepted(findings: Iterable[Finding]) -> bool:
    """Tell whether every class has exactly one owner everywhere and at all times."""
    return all(finding.what not in REFUSING for finding in findings)
