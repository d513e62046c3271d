"""Candidates for the owning unit 责任单位, in the order in which the city asks the roles.

Before a role the component's own record is asked, then the plan; the territory comes where the order
has it, and last of all the territorial unit of the directory.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from api.edition import Edition
from api.owning.directory import Unit
from api.owning.records import OWN_ROLES
from census.plan.chains import TERRITORIES, Chain
from census.plan.rows import PlanRow
from census.plan.search import Match

TERRITORIAL = "territorial"
_DISPUTED, _NONE = "disputed", "none"
_DISPUTED_CERTAINTY = 0.5


class OwnRecord(NamedTuple):
    """What a component's record says of its units."""

    ownership_state: str
    units: tuple[tuple[str | None, str | None], ...]
    """Code and name for each of `OWN_ROLES`."""


class OwnerQuestion(NamedTuple):
    """All that the choice of an owning unit depends on."""

    kind: str
    class_code: str | None
    chain: Chain
    record: OwnRecord | None
    """Record of the matched component; None: an event, or no component was matched."""
    holding: bytes
    """Conditions of the plan that hold, from ``Plan.holding``."""
    excluded: frozenset[str] = frozenset()
    """Units that sent the case back."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One unit that was looked at, or one place in record or plan that names none."""

    role: str
    label: str
    unit: Unit | None
    why: str
    """Line of ``api/telling/trace.csv``; the words are made only for a trace."""
    values: Mapping[str, Any]
    rule: str = ""
    level: str = "city"
    area_code: str = ""
    """Area of the row or of the directory's unit."""
    row: PlanRow | None = None
    certainty: float = 1.0
    equals: tuple[Unit, ...] = ()
    """Other units that equal rows of the plan name."""
    reasons: tuple[str, ...] = ()


def order_of(edition: Edition, question: OwnerQuestion) -> tuple[str, ...]:
    """Return the roles in the order in which they are asked: without a class, the territory alone."""
    if question.class_code is None:
        return (TERRITORIAL,)
    return edition.snapshot.profile.decision.order(question.kind, question.class_code)


def candidates(edition: Edition, question: OwnerQuestion) -> Iterator[Candidate]:
    """Yield every candidate of a question in order; the first with a unit that is not excluded serves.

    The roles before the territory are asked of the record first, all of them, then of the plan. A
    unit found by the directory is marked no_owner 无责任主体 unless the order names the territory alone.
    """
    yield from before_directory(edition, question)
    yield from of_directory(edition, question)


def before_directory(edition: Edition, question: OwnerQuestion) -> Iterator[Candidate]:
    """Yield the candidates of record and plan, which depend on areas that the plan names alone."""
    order = order_of(edition, question)
    asked: list[str] = []
    for place, role in enumerate(order):
        if role != TERRITORIAL:
            asked.append(role)
            continue
        yield from _from_roles(edition, question, asked)
        asked = []
        is_last = question.kind == "component" and place > 0
        yield from _marked(from_plan(edition, question, role), "no_owner" if is_last else "")
    yield from _from_roles(edition, question, asked)
    if TERRITORIAL not in order:
        yield from _marked(from_plan(edition, question, TERRITORIAL), "no_owner")


def _marked(found: Iterator[Candidate], reason: str) -> Iterator[Candidate]:
    for candidate in found:
        if reason:
            yield replace(candidate, reasons=(*candidate.reasons, reason))
        else:
            yield candidate


def _from_roles(
    edition: Edition, question: OwnerQuestion, roles: Sequence[str]
) -> Iterator[Candidate]:
    if roles and question.kind == "component" and question.record is not None:
        yield from from_record(edition, question.record, roles=roles)
    for role in roles:
        yield from from_plan(edition, question, role)


def from_record(
    edition: Edition, record: OwnRecord, *, roles: Sequence[str]
) -> Iterator[Candidate]:
    """Yield what a component's own record says, role by role."""
    if record.ownership_state == _NONE:
        yield Candidate(role="", label="record", unit=None, why="record_none", values={})
        return
    disputed = record.ownership_state == _DISPUTED
    named = dict(zip(OWN_ROLES, record.units, strict=True))
    for role in roles:
        if role not in named:
            continue
        code, name = named[role]
        said = " ".join(part for part in (code, name) if part)
        unit = edition.directory.find(code, name)
        if unit is not None:
            is_named = unit.code in (code, edition.directory.named(name)) or unit.name == name
            line = "record_accepted" if is_named else "record_successor"
        else:
            line = "record_unknown" if said else "record_empty"
        yield Candidate(
            role=role,
            label=f"{role}: {title(unit) if unit else said}".rstrip(": "),
            unit=unit,
            why=line,
            values={"role": role, "named": said},
            rule=f"component:{role}",
            level="component",
            certainty=_DISPUTED_CERTAINTY if disputed else 1.0,
            reasons=("ownership_disputed",) if disputed else (),
        )


def from_plan(edition: Edition, question: OwnerQuestion, role: str) -> Iterator[Candidate]:
    """Yield the rows of the plan that speak for a role, the most specific first."""
    matches = edition.plan.search(
        question.kind, role, question.class_code, question.chain, question.holding
    )
    if not matches:
        values = {"role": role}
        yield Candidate(role=role, label=f"{role}: plan", unit=None, why="plan_none", values=values)
        return
    units = [edition.directory.find(match.row.unit_code, None) for match in matches]
    serving = [
        (match, unit)
        for match, unit in zip(matches, units, strict=True)
        if match.holds and unit is not None
    ]
    open_ = [(match, unit) for match, unit in serving if unit.code not in question.excluded]
    winner = next((match for match, _ in open_ or serving), None)
    equals = {
        unit.code: unit
        for match, unit in open_
        if winner is not None and match.specificity == winner.specificity
    }
    for match, unit in zip(matches, units, strict=True):
        is_equal = winner is not None and match.specificity == winner.specificity
        conflict = len(equals) > 1 and is_equal
        yield Candidate(
            role=role,
            label=f"{role}: {title(unit) if unit else match.row.unit_code}",
            unit=unit if match.holds else None,
            why=_plan_line(match, winner, unit=unit),
            values=_plan_values(match, winner, role=role),
            rule=f"plan:{match.row.code}",
            level=match.level,
            area_code=match.row.area_code,
            row=match.row,
            certainty=1.0 / len(equals) if conflict else 1.0,
            equals=tuple(equals.values()) if conflict else (),
            reasons=("plan_conflict",) if conflict else (),
        )


def _plan_line(match: Match, winner: Match | None, *, unit: Unit | None) -> str:
    if not match.holds:
        return "plan_time"
    if unit is None:
        return "plan_unknown_unit"
    if winner is None or match is winner:
        return "plan_accepted"
    is_equal = match.specificity == winner.specificity
    return "plan_equal" if is_equal else "plan_less_specific"


def _plan_values(match: Match, winner: Match | None, *, role: str) -> dict[str, str]:
    row = match.row
    return {
        "row": row.code,
        "role": role,
        "class_code": row.class_code,
        "level": match.level,
        "area_code": row.area_code,
        "winner": winner.row.code if winner else "",
        "named": row.unit_code,
        "when": " ".join(part for part in (row.season, row.hours) if part),
    }


def of_directory(edition: Edition, question: OwnerQuestion) -> Iterator[Candidate]:
    """Yield the territorial units of the areas of a place, and the last resort."""
    is_fallback = order_of(edition, question) != (TERRITORIAL,)
    reasons = ("no_owner",) if is_fallback else ()
    chain = question.chain
    codes = (chain.grid, chain.community, chain.street, chain.district)
    for level, area in zip(TERRITORIES, codes, strict=True):
        if area is None:
            continue
        unit = edition.directory.territorial(area)
        yield Candidate(
            role=TERRITORIAL,
            label=f"{TERRITORIAL}: {title(unit) if unit else area}",
            unit=unit,
            why="territory_none" if unit is None else "territory_accepted",
            values={"level": level, "area_code": area},
            rule=f"directory:{area}",
            level=level,
            area_code=area,
            reasons=reasons,
        )
    last = edition.directory.last_resort(excluded=question.excluded)
    if last is not None:
        yield Candidate(
            role=TERRITORIAL,
            label=f"{TERRITORIAL}: {title(last)}",
            unit=last,
            why="last_resort",
            values={},
            rule="directory:*",
            certainty=0.0,
            reasons=("no_territory", *reasons),
        )


def title(unit: Unit) -> str:
    """Return code and name of a unit, as traces show it."""
    return f"{unit.code} {unit.name}"
