"""What is told of responsibility: the unit with its terms and persons, who else it may be, the boundary road."""

from collections.abc import Iterator
from math import nan
from typing import TYPE_CHECKING, Any

from api.cells import Texts, whole
from api.models import BoundaryAnswer, OwnerAnswer, OwnerShare, Person, TraceStep, UnitAnswer
from api.owning.candidates import OwnerQuestion
from api.owning.mixture import Mixture, Share, left_to_others, mix
from api.owning.owners import Resolution, resolve
from api.placing.boundaries import FIRST, NOBODY
from api.telling.finding import Finding, Ways
from api.telling.wording import step, told
from census.plan.chains import Chain

if TYPE_CHECKING:
    from api.edition import Edition

LEAST_ALTERNATIVE = 0.005
"""Units less probable than this are not listed."""
_LEVELS_WITH_PERSONS = ("district", "street", "grid")


def mixture_of(finding: Finding, ways: Ways) -> Mixture:
    """Return the distribution over units of one case."""
    return mix(finding.edition, finding.question, places=ways.places, components=ways.components)


def tell_owner(finding: Finding) -> OwnerAnswer | None:
    """Return the owning unit of one case with its terms, its persons, and who else it may be."""
    found = finding.resolution
    if found.unit is None:
        return None
    return OwnerAnswer(
        unit_code=found.unit.code,
        unit_name=found.unit.name,
        role=found.role,
        principle=found.principle,
        rule=rule_of(finding),
        time_limit=found.limit,
        filing_condition=found.filing_condition,
        closing_condition=found.closing_condition,
        persons=_persons(finding, found),
        alternatives=tell_alternatives(finding),
    )


def rule_of(finding: Finding) -> str:
    """Return the rule that decided: ``component:CODE:ROLE``, ``plan:ROW`` or ``directory:AREA``."""
    return _rule(finding, finding.resolution.rule, finding.chosen)


def _rule(finding: Finding, rule: str, row: int) -> str:
    """Return a rule, one of a component with its code."""
    if not rule.startswith("component:") or row < 0:
        return rule
    return f"component:{code_of(finding.edition, row)}:{rule.removeprefix('component:')}"


def _persons(finding: Finding, found: Resolution) -> tuple[Person, ...]:
    row = finding.edition.management_grids.get(found.area_code, -1)
    if found.level != "management_grid" or row < 0:
        return ()
    table = finding.edition.snapshot.table("management_grids")
    record = table.slice(row, 1).to_pylist()[0]
    persons = (
        Person(level=level, name=record[f"{level}_person"], phone=record[f"{level}_phone"])  # type: ignore[arg-type]
        for level in _LEVELS_WITH_PERSONS
    )
    return tuple(person for person in persons if person.name or person.phone)


def tell_alternatives(finding: Finding) -> tuple[OwnerShare, ...]:
    """Return the other units that may be the one, the most probable first."""
    mixture, ways = finding.mixture, None
    if finding.ways is None or (mixture is not None and not mixture.rivals):
        return ()
    if mixture is None:
        ways = finding.ways()
        mixture = mixture_of(finding, ways)
    scale = finding.certainty * left_to_others(
        mixture.probability * finding.certainty, finding.probability
    )
    shares = []
    for share in mixture.rivals:
        if share.probability * scale < LEAST_ALTERNATIVE:
            continue
        english, chinese = _why(finding, share, ways)
        shares.append(
            OwnerShare(
                unit_code=share.unit.code,
                unit_name=share.unit.name,
                probability=min(1.0, share.probability * scale),
                cause=share.cause,
                why=english,
                why_zh=chinese,
            )
        )
    return tuple(shares)


def _why(finding: Finding, share: Share, ways: Ways | None) -> tuple[str, str]:
    """Tell why a unit may be the one, by the combination with the largest part in it."""
    row, distance_m = _component_of(finding, share, ways)
    rule, cause = _rule(finding, share.rule, row), share.cause
    if cause == "component" and row >= 0:
        code = code_of(finding.edition, row)
        return told("share_component", component=code, distance_m=distance_m, rule=rule)
    if cause == "component":
        return told("share_absent", rule=rule)
    if cause != "place":
        return told(f"share_{cause}", rule=rule)
    if ways is None:
        assert finding.ways is not None
        ways = finding.ways()
    question = finding.question
    chain, record = ways.places[share.place][0], ways.components[share.component][0]
    found = resolve(finding.edition, question._replace(chain=chain, record=record))
    level, area_code = found.level, found.area_code
    if not area_code or area_code == "*":
        level, area_code = _apart(question.chain, chain)
    return told("share_place", level=level, area_code=area_code, rule=rule)


def _component_of(finding: Finding, share: Share, ways: Ways | None) -> tuple[int, float]:
    """Return row and distance, m, of the component that a share is about; -1: none of those known."""
    at = share.component
    if ways is not None:
        return ways.rows[at], ways.distance_m[at]
    return finding.candidates[at][:2] if at < len(finding.candidates) else (-1, nan)


def _apart(own: Chain, other: Chain) -> tuple[str, str]:
    """Return the largest area in which another place differs from the own one."""
    for level in ("district", "street", "community", "grid"):
        code = getattr(other, level)
        if code is not None and code != getattr(own, level):
            return level, code
    return "city", "*"


def component_texts(edition: "Edition") -> tuple[Texts, ...]:
    """Return code, class, name and condition of the components, by row."""
    names = ("code", "class_code", "name", "condition")
    table = edition.snapshot.table("components")
    return edition.kept("component texts", lambda: tuple(Texts(whole(table[n])) for n in names))


def code_of(edition: "Edition", row: int) -> str:
    """Return the code of a row of ``components``."""
    code: str = component_texts(edition)[0][row]
    return code


def tell_boundary(finding: Finding) -> BoundaryAnswer | None:
    """Return the boundary road on which one case lies, with the area that answers."""
    number = finding.boundary
    if number < 0:
        return None
    road = finding.edition.chains.roads.roads[number]
    side = finding.side
    return BoundaryAnswer(
        code=road.code,
        name=road.name,
        sharing=road.sharing,
        area_code=None if side == NOBODY else road.sides[side],
        other_area_code=None if side == NOBODY else road.sides[1 - side],
        joint=_joint(finding, number) if road.sharing == "joint" and side == FIRST else None,
    )


def _joint(finding: Finding, number: int) -> UnitAnswer | None:
    """Return the unit that the second area of a joint road leads to, if it is another one."""
    chains = finding.edition.chains
    if not chains.knows(number, 1):
        return None
    place = chains.on_side(finding.base, number, 1)
    question: OwnerQuestion = finding.question._replace(chain=chains.full(place))
    unit, own = resolve(finding.edition, question).unit, finding.resolution.unit
    if unit is None or own is None or unit.code == own.code:
        return None
    return UnitAnswer(unit_code=unit.code, unit_name=unit.name)


def trace_place(finding: Finding, boundary: BoundaryAnswer | None) -> Iterator[TraceStep]:
    """Yield the data asked, the plan areas at the place, and what a boundary road says."""
    edition = finding.edition
    line = "data_live" if edition.as_of is None else "data"
    version = edition.snapshot.version
    why = told(line, version=version, as_of=edition.as_of)
    yield step("data", version, "accepted", why)
    areas, found = edition.chains.plan_areas, finding.resolution
    for code in finding.question.chain.plan_areas:
        is_deciding = found.level == "plan_area" and found.area_code == code
        name = areas.names[areas.rank[code]] if code in areas.rank else code
        line = "plan_area_decided" if is_deciding else "plan_area_silent"
        outcome: Any = "accepted" if is_deciding else "rejected"
        yield step("plan_area", code, outcome, told(line, name=name))
    if boundary is None:
        return
    if boundary.area_code is None:
        why = told("boundary_unclear", name=boundary.name)
        yield step("boundary_road", boundary.code, "rejected", why)
        return
    rule = boundary.sharing
    if "boundary_other" in finding.reasons:
        rule = "other"
    elif rule == "odd_even":
        rule = "odd" if finding.side == FIRST else "even"
    why = told(
        f"boundary_{rule}",
        name=boundary.name,
        area_code=boundary.area_code,
        other=boundary.other_area_code,
        joint=f" ({joint.unit_code} {joint.unit_name})" if (joint := boundary.joint) else "",
    )
    yield step("boundary_road", boundary.code, "accepted", why)
