"""The owning unit 责任单位: always exactly one, with the units that might be it instead, and why.

Components go 先属主、后属地: the component's own record, then the plan, then the territory. Events go
先属地、后属主. The order of roles is data of the city profile, for each kind and for single classes.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from api.edition import Edition
from api.models import TraceStep
from api.owning.candidates import (
    TERRITORIAL,
    Candidate,
    OwnerQuestion,
    OwnRecord,
    before_directory,
    candidates,
    from_plan,
    from_record,
    of_directory,
    order_of,
)
from api.owning.directory import Unit
from api.owning.records import OWN_ROLES
from api.telling.wording import step, told
from census.plan.rows import PlanRow, TimeLimit
from census.plan.search import Match

__all__ = [
    "OWN_ROLES",
    "OwnRecord",
    "OwnerQuestion",
    "Resolution",
    "Rival",
    "own_unit",
    "resolve",
    "trace_owner",
]

Principle = Literal["owner_first", "territory_first"]
RivalCause = Literal["conflict", "dispute", "record"]
_RESOLUTIONS_KEPT = 200_000
_TRACES_KEPT = 5_000


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A unit that the same grid, component and time might lead to instead."""

    unit: Unit
    probability: float
    cause: RivalCause
    """An equal row of the plan, a disputed ownership, or a row of the plan where the record was taken."""
    rule: str
    """``component:ROLE``, ``plan:ROW``, ``directory:AREA``."""


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
    area_code: str
    """Area of the deciding row; empty for a component's record."""
    limit: TimeLimit | None
    filing_condition: str | None
    """When a case is to be filed 立案条件, in the plan's words."""
    closing_condition: str | None
    certainty: float
    """Probability of the choice itself, grid and component given: below 1 where there are rivals."""
    rivals: tuple[Rival, ...]
    """With `certainty` they add up to 1, unless nobody else is left."""
    reasons: tuple[str, ...]


def is_nobodys(reasons: Collection[str]) -> bool:
    """Tell whether a unit was found only because somebody has to be, by the reasons of a decision.

    Such a unit has nothing to do with the place: of a case that was sent back it would only be one more
    to send it back.

    Examples
    --------
    >>> is_nobodys(("refused", "no_territory")), is_nobodys(("refused",))
    (True, False)
    """
    return "no_territory" in reasons


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
    """Return the order asked, every candidate of a question in it, and why each but one lost."""
    known: dict[OwnerQuestion, tuple[TraceStep, ...]] = edition.kept("traces of owners", dict)
    # What record and plan say is the same wherever no other area is named.
    asked = question._replace(chain=question.chain.naming(edition.areas_named))
    begun = known.get(asked)
    if begun is None:
        order = " > ".join(order_of(edition, question))
        first = step("order", order, "accepted", told(_order_line(edition, question)))
        found = before_directory(edition, asked)
        begun = (first, *_trace(edition, question, found, is_decided=False))
        if len(known) >= _TRACES_KEPT:
            known.clear()
        known[asked] = begun
    is_decided = any(line.outcome == "accepted" for line in begun[1:])
    found = of_directory(edition, question)
    return (*begun, *_trace(edition, question, found, is_decided=is_decided))


def _trace(
    edition: Edition, question: OwnerQuestion, found: Iterator[Candidate], *, is_decided: bool
) -> Iterator[TraceStep]:
    """Yield a line for each candidate; the first that can be sent the case is taken."""
    principle = _principle(edition, question)
    for candidate in found:
        why = told(candidate.why, **candidate.values)
        outcome: Literal["accepted", "rejected"] = "rejected"
        if candidate.unit is not None and candidate.unit.code in question.excluded:
            why = _joined("excluded", why)
        elif candidate.unit is not None and is_decided:
            why = _joined("later", why)
        elif candidate.unit is not None:
            outcome, is_decided = "accepted", True
        yield step(principle, candidate.label, outcome, why)


def own_unit(edition: Edition, record: OwnRecord) -> Unit | None:
    """Return the unit that the component's own record leads to, or None."""
    roles = [
        role for role in edition.snapshot.profile.decision.component_order if role in OWN_ROLES
    ]
    found = from_record(edition, record, roles=roles)
    return next((candidate.unit for candidate in found if candidate.unit is not None), None)


def _principle(edition: Edition, question: OwnerQuestion) -> Principle:
    is_territory = order_of(edition, question)[0] == TERRITORIAL
    return "territory_first" if is_territory else "owner_first"


def _order_line(edition: Edition, question: OwnerQuestion) -> str:
    if question.class_code is None:
        return "order_no_class"
    decision = edition.snapshot.profile.decision
    usual = decision.component_order if question.kind == "component" else decision.event_order
    is_own = order_of(edition, question) is not usual
    return "order_class" if is_own else f"order_{question.kind}"


def _joined(code: str, why: tuple[str, str]) -> tuple[str, str]:
    return told(code, why=why[0])[0], told(code, why=why[1])[1]


def _serving(edition: Edition, question: OwnerQuestion) -> Iterator[Candidate]:
    """Yield the candidates that can be sent a case."""
    for candidate in candidates(edition, question):
        if candidate.unit is not None and candidate.unit.code not in question.excluded:
            yield candidate


def _resolve(edition: Edition, question: OwnerQuestion) -> Resolution:
    serving = _serving(edition, question)
    accepted = next(serving, None)
    if accepted is None:
        accepted = _nobody(edition)
    rivals = _rivals(edition, question, accepted, serving)
    certainty, reasons = accepted.certainty, tuple(accepted.reasons)
    if any(rival.cause == "record" for rival in rivals):
        decision = edition.snapshot.profile.decision
        certainty = decision.record_trust
        if 1.0 - certainty >= decision.rival_probability:
            reasons = (*reasons, "cross_responsibility")
    terms = _terms(edition, question, accepted.row)
    return Resolution(
        unit=accepted.unit,
        role=accepted.role,
        principle=_principle(edition, question),
        rule=accepted.rule,
        level=accepted.level,
        area_code=accepted.area_code,
        limit=terms["limit"],
        filing_condition=terms["filing_condition"],
        closing_condition=terms["closing_condition"],
        certainty=certainty,
        rivals=rivals,
        reasons=reasons,
    )


def _nobody(edition: Edition) -> Candidate:
    reason = "no_territory" if edition.directory.units else "no_units"
    return Candidate(
        role="", label="", unit=None, why="", values={}, certainty=0.0, reasons=(reason,)
    )


def _rivals(
    edition: Edition, question: OwnerQuestion, accepted: Candidate, later: Iterator[Candidate]
) -> tuple[Rival, ...]:
    """Return the units that the same place and component might lead to instead of the accepted one."""
    unit = accepted.unit
    if unit is None:
        return ()
    if accepted.equals:
        return tuple(
            Rival(unit=equal, probability=accepted.certainty, cause="conflict", rule=accepted.rule)
            for equal in accepted.equals
            if equal.code != unit.code
        )
    if accepted.level != "component":
        return ()
    if accepted.certainty < 1.0:
        others = (candidate for candidate in later if candidate.unit != unit)
        other = next((o for o in others if o.unit is not None), None)
        cause: RivalCause = "dispute"
        share = 1.0 - accepted.certainty
    else:
        other = _contradicting(edition, question, accepted)
        cause, share = "record", 1.0 - edition.snapshot.profile.decision.record_trust
    if other is None or other.unit is None:
        return ()
    return (Rival(unit=other.unit, probability=share, cause=cause, rule=other.rule),)


def _contradicting(
    edition: Edition, question: OwnerQuestion, accepted: Candidate
) -> Candidate | None:
    """Return the plan's candidate for the role of an accepted record, if it names another unit."""
    found = [
        candidate
        for candidate in from_plan(edition, question, accepted.role)
        if candidate.unit is not None and candidate.unit.code not in question.excluded
    ]
    if not found:
        return None
    named = {unit.code for unit in (found[0].unit, *found[0].equals) if unit is not None}
    is_same = accepted.unit is not None and accepted.unit.code in named
    return None if is_same else found[0]


def _terms(edition: Edition, question: OwnerQuestion, row: PlanRow | None) -> dict[str, Any]:
    """Return time limit and conditions: of the deciding row, else of the most specific row with any.

    A component's record and the directory have none of their own.
    """
    terms: dict[str, Any] = {
        name: getattr(row, name, None)
        for name in ("limit", "filing_condition", "closing_condition")
    }
    if all(value is not None for value in terms.values()):
        return terms
    for match in _all_matches(edition, question):
        for name, value in terms.items():
            if value is None:
                terms[name] = getattr(match.row, name)
    return terms


def _all_matches(edition: Edition, question: OwnerQuestion) -> list[Match]:
    """Return the rows of any role that hold, the most specific first."""
    found = [
        match
        for role in (*OWN_ROLES, "handler", TERRITORIAL)
        for match in edition.plan.search(
            question.kind, role, question.class_code, question.chain, question.holding
        )
        if match.holds
    ]
    return sorted(found, key=lambda match: match.specificity)
