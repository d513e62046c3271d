"""What a plan leaves open: for every class, place and moment how many units it names in each role.

Nothing is sampled. Places with the same areas are one place, classes that the same rows name are
judged once, and the year and the day are cut only where conditions begin and end.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from census.plan.chains import Chain
from census.plan.moments import Moments
from census.plan.rows import ANYWHERE, PlanRow
from census.plan.search import Plan

OWNED, HOLE, GAP, CONFLICT, OVERLAP = range(5)
"""States of a class in a place: one owner at all times; never an owner; at some times none; two units
by rows that hold at the same times; two units at the times that two conditions share."""
TERRITORIAL = "territorial"

Order = Callable[[str, str | None], Sequence[str]]
"""Kind and minor class -> the roles asked for an owner, in order."""


class Clash(NamedTuple):
    """Equal rows of different units."""

    role: str
    rows: tuple[str, ...]
    """Codes, sorted."""
    bits: int
    """When."""


class Answer(NamedTuple):
    """What the plan says of a class in a place."""

    open_bits: int
    """Moments at which no role that is asked has a unit."""
    clashes: tuple[Clash, ...]
    owners: tuple[tuple[int, str, str], ...]
    """Moments, unit and row that decide, role by role in order; the moments do not overlap."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """The judgement of a whole plan."""

    classes: Mapping[str, tuple[str, ...]]
    """Kind -> minor classes."""
    places: Sequence[Chain]
    moments: Moments = field(repr=False)
    answers: Sequence[Answer] = field(repr=False)
    """Different answers."""
    table: Mapping[tuple[str, str], Sequence[int]] = field(repr=False)
    """Kind and minor class -> for each place the number of its answer."""
    beaten_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Row that never wins -> rows that win over it; none: no place, no class, or no role asked."""
    row_bits: Mapping[str, int] = field(default_factory=dict, repr=False)
    """Row -> moments at which it holds."""

    def answer(self, kind: str, class_code: str, place: int) -> Answer:
        """Return what the plan says of a class in a place."""
        return self.answers[self.table[kind, class_code][place]]

    def state(self, answer: Answer) -> int:
        """Return the state of an answer: the worst, two owners before none."""
        if answer.clashes:
            return min(self.clash_state(clash) for clash in answer.clashes)
        if not answer.open_bits:
            return OWNED
        return HOLE if answer.open_bits == self.moments.full else GAP

    def clash_state(self, clash: Clash) -> int:
        """Return CONFLICT, or OVERLAP where the rows hold at different times and only meet."""
        return CONFLICT if len({self.row_bits[code] for code in clash.rows}) == 1 else OVERLAP


def judge(
    plan: Plan,
    *,
    classes: Mapping[str, Iterable[str]],
    places: Sequence[Chain],
    order: Order,
    moments: Moments | None = None,
) -> Coverage:
    """Judge a plan over all classes, places and moments.

    Parameters
    ----------
    plan : Plan
        The rows that hold on a day.
    classes : mapping
        Kind -> minor classes of the city.
    places : sequence of Chain
        All different chains of the city.
    order : callable
        Roles asked for kind and class.
    moments : Moments or None
        Moments told apart, if more conditions count than those of the plan.

    Examples
    --------
    >>> plan = Plan([{"code": "1", "kind": "event", "class_code": "01", "area_code": "*",
    ...     "role": "handler", "unit_code": "A", "hours": "06:00/22:00"}])
    >>> found = judge(plan, classes={"event": ["0101", "0201"]}, places=[Chain(district="130102")],
    ...     order=lambda kind, code: ("handler",))
    >>> [found.moments.told(found.answer("event", code, 0).open_bits) for code in ("0101", "0201")]
    [[(None, '22:00/06:00')], [(None, None)]]
    """
    rows = plan.rows
    moments = Moments(plan.conditions) if moments is None else moments
    work = _Work(rows, moments)
    table: dict[tuple[str, str], list[int]] = {}
    for kind, codes in classes.items():
        for code in codes:
            roles = tuple(order(kind, code))
            table[kind, code] = work.judge_class(kind, code, roles, places)
    never = {
        row.code: tuple(sorted(work.beaten[row.code])) for row in rows if row.code not in work.won
    }
    return Coverage(
        classes={kind: tuple(codes) for kind, codes in classes.items()},
        places=places,
        moments=moments,
        answers=work.answers,
        table=table,
        beaten_by=never,
        row_bits=work.bits,
    )


def owning_roles(kind: str, roles: Sequence[str]) -> list[str]:
    """Return the roles whose unit counts as an owner.

    The territory counts for components only where it is asked first; after others it is the answer of
    those that have no owner.

    Examples
    --------
    >>> owning_roles("component", ("owner", "territorial")), owning_roles("component", ("territorial",))
    (['owner'], ['territorial'])
    """
    return [
        role
        for place, role in enumerate(roles)
        if kind != "component" or role != TERRITORIAL or place == 0
    ]


class _Ranked(NamedTuple):
    rank: tuple[int, int]
    """Rank of the class, 1 if it holds always."""
    row: PlanRow


class _Work:
    """What is known so far while classes are judged one after another."""

    def __init__(self, rows: Sequence[PlanRow], moments: Moments) -> None:
        self.moments = moments
        self.bits = {row.code: moments.bits(row.season, row.hours) for row in rows}
        self.answers: list[Answer] = []
        self.won: set[str] = set()
        self.beaten: dict[str, set[str]] = {row.code: set() for row in rows}
        self._numbers: dict[Answer, int] = {}
        self._by_class: dict[tuple[str, str], list[PlanRow]] = {}
        self._judged: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[int]] = {}
        for row in rows:
            self._by_class.setdefault((row.kind, row.class_code), []).append(row)

    def judge_class(
        self, kind: str, code: str, roles: tuple[str, ...], places: Sequence[Chain]
    ) -> list[int]:
        """Return the number of the answer for each place."""
        ranked = [
            _Ranked((rank, int(row.condition < 0)), row)
            for rank, name in enumerate((code, code[:2], ANYWHERE))
            for row in self._by_class.get((kind, name), ())
        ]
        key = (kind, roles, tuple(item.row.code for item in ranked))
        if key not in self._judged:
            self._judged[key] = self._judge(ranked, kind, roles, places)
        return self._judged[key]

    def _judge(
        self, ranked: list[_Ranked], kind: str, roles: tuple[str, ...], places: Sequence[Chain]
    ) -> list[int]:
        by_area: dict[str, list[_Ranked]] = {}
        for item in ranked:
            by_area.setdefault(item.row.area_code, []).append(item)
        known: dict[tuple[tuple[int, int, str], ...], int] = {}
        result = []
        for place in places:
            chain = tuple(area for area in place.areas() if area[2] in by_area)
            if chain not in known:
                answer = self._answer(chain, by_area, kind, roles)
                known[chain] = self._numbers.setdefault(answer, len(self._numbers))
                if known[chain] == len(self.answers):
                    self.answers.append(answer)
            result.append(known[chain])
        return result

    def _answer(
        self,
        chain: tuple[tuple[int, int, str], ...],
        by_area: Mapping[str, list[_Ranked]],
        kind: str,
        roles: tuple[str, ...],
    ) -> Answer:
        by_role: dict[str, dict[tuple[int, int, int, int], list[PlanRow]]] = {}
        for level, nth, area in chain:
            for rank, row in by_area[area]:
                groups = by_role.setdefault(row.role, {})
                groups.setdefault((level, nth, *rank), []).append(row)
        clashes: list[Clash] = []
        owners: list[tuple[int, str, str]] = []
        still_open = self.moments.full
        asked = owning_roles(kind, roles)
        for role in (*asked, *(role for role in roles if role not in asked)):
            covered = self._walk(role, by_role.get(role, {}), clashes)
            if role in asked:
                for bits, unit, code in covered:
                    if bits & still_open:
                        owners.append((bits & still_open, unit, code))
                        still_open &= ~bits
        return Answer(still_open, tuple(clashes), tuple(owners))

    def _walk(
        self,
        role: str,
        groups: Mapping[tuple[int, int, int, int], list[PlanRow]],
        clashes: list[Clash],
    ) -> list[tuple[int, str, str]]:
        """Return moments, unit and row that win in a role; the lowest unit of equal rows."""
        won: list[tuple[int, str, str]] = []
        left = self.moments.full
        for _, rows in sorted(groups.items()):
            group = sorted(rows, key=lambda row: (row.unit_code, row.code))
            taken = 0
            for row in group:
                bits = self.bits[row.code] & left
                if bits:
                    self.won.add(row.code)
                elif row.code not in self.won:
                    held = self.bits[row.code]
                    self.beaten[row.code].update(code for past, _, code in won if past & held)
                if bits & ~taken:
                    won.append((bits & ~taken, row.unit_code, row.code))
                    taken |= bits
            clashes += self._clashes(role, group, left)
            left &= ~taken
        return won

    def _clashes(self, role: str, group: list[PlanRow], left: int) -> list[Clash]:
        if len({row.unit_code for row in group}) < 2:
            return []
        found: dict[tuple[str, ...], int] = {}
        pieces = _pieces([self.bits[row.code] & left for row in group])
        for bits, members in pieces:
            if len({group[place].unit_code for place in members}) > 1:
                key = tuple(sorted(group[place].code for place in members))
                found[key] = found.get(key, 0) | bits
        return [Clash(role, rows, bits) for rows, bits in sorted(found.items())]


def _pieces(sets: Sequence[int]) -> list[tuple[int, tuple[int, ...]]]:
    """Cut sets of moments where they overlap: each piece with the sets that hold it.

    Examples
    --------
    >>> _pieces([0b0111, 0b1100])
    [(3, (0,)), (4, (0, 1)), (8, (1,))]
    """
    pieces: list[tuple[int, tuple[int, ...]]] = []
    for number, bits in enumerate(sets):
        rest, cut = bits, []
        for piece, members in pieces:
            cut += [
                (part, held)
                for part, held in ((piece & ~bits, members), (piece & bits, (*members, number)))
                if part
            ]
            rest &= ~piece
        pieces = cut + ([(rest, (number,))] if rest else [])
    return pieces
