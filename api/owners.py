"""The owning unit 责任单位: every candidate in the order the city prescribes, and the first that serves.

Components go 先属主、后属地: the component's own record, then the plan, then the territory. Events go
先属地、后属主. The order of roles is data of the city profile.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from api.directory import Unit
from api.edition import Edition
from api.models import TimeLimit, TraceStep
from api.records import OWN_ROLES
from api.wording import step, told
from census.plan.chains import TERRITORIES, Chain
from census.plan.search import Match

TERRITORIAL = "territorial"
Principle = Literal["owner_first", "territory_first"]
_DISPUTED, _NONE = "disputed", "none"
_RESOLUTIONS_KEPT = 200_000


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
class Resolution:
    """The owning unit with what was looked at; the same for all cases of one question."""

    unit: Unit | None
    role: str
    principle: Principle
    rule: str
    """``component:ROLE``, ``plan:ROW``, ``directory:AREA``."""
    level: str
    """Level of the deciding row's area, one of ``census.plan.chains.CHAIN_LEVELS``; ``component`` for a
    component's record."""
    limit: TimeLimit | None
    certainty: float
    """Probability of the choice itself, grid and component given: below 1 in a dispute or conflict."""
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    role: str
    label: str
    unit: Unit | None
    why: str
    """Line of ``api/trace.csv``; the words are made only for a trace."""
    values: Mapping[str, Any]
    rule: str = ""
    level: str = "city"
    limit: TimeLimit | None = None
    certainty: float = 1.0
    reasons: tuple[str, ...] = ()


def resolve(edition: Edition, question: OwnerQuestion) -> Resolution:
    """Return the one owning unit of a question.

    Some unit is always found when the directory has any that is not excluded.
    """
    known: dict[OwnerQuestion, Resolution] = edition.resolutions
    # Areas that neither plan nor directory names make no difference: fewer questions remain.
    question = question._replace(chain=question.chain.naming(edition.areas_named))
    found = known.get(question)
    if found is None:
        found = _resolve(edition, question)
        if len(known) >= _RESOLUTIONS_KEPT:
            known.clear()
        known[question] = found
    return found


def trace_owner(edition: Edition, question: OwnerQuestion) -> tuple[TraceStep, ...]:
    """Return every candidate of a question in order, and why each but one lost."""
    principle = _principle(question)
    is_decided = False
    trace = []
    for candidate in _candidates(edition, question):
        why = told(candidate.why, **candidate.values)
        outcome: Literal["accepted", "rejected"] = "rejected"
        if candidate.unit is not None and candidate.unit.code in question.excluded:
            why = _joined("excluded", why)
        elif candidate.unit is not None and is_decided:
            why = _joined("later", why)
        elif candidate.unit is not None:
            outcome, is_decided = "accepted", True
        trace.append(step(principle, candidate.label, outcome, why))
    return tuple(trace)


def own_unit(edition: Edition, record: OwnRecord) -> Unit | None:
    """Return the unit that the component's own record leads to, or None."""
    for candidate in _from_record(edition, record):
        if candidate.unit is not None:
            return candidate.unit
    return None


def _principle(question: OwnerQuestion) -> Principle:
    by_owner = question.kind == "component" and question.class_code is not None
    return "owner_first" if by_owner else "territory_first"


def _resolve(edition: Edition, question: OwnerQuestion) -> Resolution:
    accepted = next(
        (
            candidate
            for candidate in _candidates(edition, question)
            if candidate.unit is not None and candidate.unit.code not in question.excluded
        ),
        None,
    )
    if accepted is None:
        reasons = ("no_units",) if not edition.directory.units else ("no_territory",)
        accepted = _Candidate(
            role="", label="", unit=None, why="", values={}, certainty=0.0, reasons=reasons
        )
    return Resolution(
        unit=accepted.unit,
        role=accepted.role,
        principle=_principle(question),
        rule=accepted.rule,
        level=accepted.level,
        limit=accepted.limit or _limit(edition, question),
        certainty=accepted.certainty,
        reasons=accepted.reasons,
    )


def _joined(code: str, why: tuple[str, str]) -> tuple[str, str]:
    return told(code, why=why[0])[0], told(code, why=why[1])[1]


def _candidates(edition: Edition, question: OwnerQuestion) -> Iterator[_Candidate]:
    decision = edition.snapshot.profile.decision
    if question.class_code is None:
        yield from _from_territory(edition, question)
        return
    if question.kind == "component":
        roles = [role for role in decision.component_order if role != TERRITORIAL]
        if question.record is not None:
            yield from _from_record(edition, question.record, roles=roles)
        for role in roles:
            yield from _from_plan(edition, question, role)
        for candidate in _from_territory(edition, question):
            yield replace(candidate, reasons=(*candidate.reasons, "no_owner"))
        return
    for role in decision.event_order:
        yield from _from_plan(edition, question, role)
    for candidate in _from_directory(edition, question):
        yield replace(candidate, reasons=(*candidate.reasons, "no_owner"))


def _from_record(
    edition: Edition, record: OwnRecord, *, roles: list[str] | None = None
) -> Iterator[_Candidate]:
    if roles is None:
        roles = [r for r in edition.snapshot.profile.decision.component_order if r != TERRITORIAL]
    if record.ownership_state == _NONE:
        yield _Candidate(role="", label="record", unit=None, why="record_none", values={})
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
            succeeded = (
                unit.code != code and unit.name != name and not _is_alias(edition, unit, name)
            )
            line = "record_successor" if succeeded else "record_accepted"
        else:
            line = "record_unknown" if said else "record_empty"
        yield _Candidate(
            role=role,
            label=f"{role}: {_title(unit) if unit else said}".rstrip(": "),
            unit=unit,
            why=line,
            values={"role": role, "named": said},
            rule=f"component:{role}",
            level="component",
            certainty=0.5 if disputed else 1.0,
            reasons=("ownership_disputed",) if disputed else (),
        )


def _is_alias(edition: Edition, unit: Unit, name: str | None) -> bool:
    return edition.directory.named(name) == unit.code


def _from_plan(edition: Edition, question: OwnerQuestion, role: str) -> Iterator[_Candidate]:
    matches = edition.plan.search(
        question.kind, role, question.class_code, question.chain, question.holding
    )
    units = {id(match): edition.directory.find(match.row.unit_code, None) for match in matches}
    serving = [match for match in matches if match.holds and units[id(match)] is not None]
    winner = next(
        (m for m in serving if units[id(m)].code not in question.excluded),  # type: ignore[union-attr]
        serving[0] if serving else None,
    )
    equals = {
        units[id(match)].code  # type: ignore[union-attr]
        for match in serving
        if winner is not None and match.specificity == winner.specificity
    } - question.excluded
    conflict = len(equals) > 1
    if not matches:
        yield _Candidate(
            role=role,
            label=f"{role}: plan",
            unit=None,
            why="plan_none",
            values={"role": role},
        )
    for match in matches:
        unit = units[id(match)]
        yield _Candidate(
            role=role,
            label=f"{role}: {_title(unit) if unit else match.row.unit_code}",
            unit=unit if match.holds else None,
            why=_plan_line(match, winner, unit=unit),
            values=_plan_values(match, winner, role=role),
            rule=f"plan:{match.row.code}",
            level=match.level,
            limit=match.row.limit,
            certainty=1.0 / len(equals) if conflict else 1.0,
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


def _from_territory(edition: Edition, question: OwnerQuestion) -> Iterator[_Candidate]:
    yield from _from_plan(edition, question, TERRITORIAL)
    yield from _from_directory(edition, question)


def _from_directory(edition: Edition, question: OwnerQuestion) -> Iterator[_Candidate]:
    for level, area in zip(TERRITORIES, question.chain[:4], strict=True):
        if area is None:
            continue
        unit = edition.directory.territorial(area)
        yield _Candidate(
            role=TERRITORIAL,
            label=f"{TERRITORIAL}: {_title(unit) if unit else area}",
            unit=unit,
            why="territory_none" if unit is None else "territory_accepted",
            values={"level": level, "area_code": area},
            rule=f"directory:{area}",
            level=level,
        )
    last = edition.directory.last_resort(excluded=question.excluded)
    if last is not None:
        yield _Candidate(
            role=TERRITORIAL,
            label=f"{TERRITORIAL}: {_title(last)}",
            unit=last,
            why="last_resort",
            values={},
            rule="directory:*",
            certainty=0.0,
            reasons=("no_territory",),
        )


def _limit(edition: Edition, question: OwnerQuestion) -> TimeLimit | None:
    """Return the time limit of the most specific row of any role: a record itself has none."""
    matches = [
        match
        for role in (*OWN_ROLES, "handler", TERRITORIAL)
        for match in edition.plan.search(
            question.kind, role, question.class_code, question.chain, question.holding
        )
        if match.holds and match.row.limit is not None
    ]
    best: Any = min(matches, key=lambda match: match.specificity, default=None)
    return None if best is None else best.row.limit


def _title(unit: Unit) -> str:
    return f"{unit.code} {unit.name}"
