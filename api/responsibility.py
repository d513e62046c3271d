"""What is told of responsibility: the unit with its terms and persons, who else it may be, the boundary road."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from api.boundaries import FIRST, NOBODY
from api.candidates import OwnerQuestion, OwnRecord
from api.mixture import Mixture, Share, mix
from api.models import BoundaryAnswer, OwnerAnswer, OwnerShare, Person, TraceStep, UnitAnswer
from api.owners import Resolution, resolve
from api.record_table import record_table_of
from api.solution import Solution
from api.tracts import place_shares
from api.wording import step, told
from census.plan.chains import Chain
from gis.index import Located, Shares

LEAST_ALTERNATIVE = 0.005
"""Units less probable than this are not listed."""
_LEVELS_WITH_PERSONS = ("district", "street", "grid")


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Where one case may lie and what it may be about, with probabilities that add up to 1 each."""

    places: list[tuple[Chain, float]]
    components: list[tuple[OwnRecord | None, float]]
    rows: list[int]
    """Row in ``components`` of each of the components, -1: none of those known."""
    distance_m: list[float]


def ways_of(solution: Solution, case: int) -> Ways:
    """Return the places and the components that one case of a solution is summed over."""
    matches, question = solution.matches, solution.asked[case]
    places = _places(solution, case)
    chosen = int(matches.chosen[case])
    if question.kind != "component" or question.class_code is None or chosen < 0:
        return Ways(
            places=places, components=[(question.record, 1.0)], rows=[chosen], distance_m=[np.nan]
        )
    if solution.placed.component[case] >= 0:
        return Ways(
            places=places, components=[(question.record, 1.0)], rows=[chosen], distance_m=[0.0]
        )
    first, last = np.searchsorted(matches.question, [case, case + 1])
    absent = float(matches.absent[case]) if hasattr(matches, "absent") else 0.0
    rows = matches.row[first:last].tolist()
    records = record_table_of(solution.edition)
    components: list[tuple[OwnRecord | None, float]] = [
        (records.record_of(row), probability * (1.0 - absent))
        for row, probability in zip(rows, matches.probability[first:last].tolist(), strict=True)
    ]
    return Ways(
        places=places,
        components=[*components, (None, absent)],
        rows=[*rows, -1],
        distance_m=[*matches.distance_m[first:last].tolist(), np.nan],
    )


def _places(solution: Solution, case: int) -> list[tuple[Chain, float]]:
    """Return the chains of the places where a case may lie, each once, its own first."""
    here, grid, shares = [case], solution.grid, solution.shares
    first, last = np.searchsorted(shares.point, [case, case + 1])
    found = place_shares(
        solution.edition,
        solution.placed.x[here],
        solution.placed.y[here],
        grid=Located(
            position=grid.position[here],
            on_boundary=grid.on_boundary[here],
            distance_m=grid.distance_m[here],
        ),
        shares=Shares(
            point=np.zeros(last - first, dtype=np.intp),
            position=shares.position[first:last],
            probability=shares.probability[first:last],
        ),
        chained=solution.chained.only(here),
        precision=(solution.placed.sigma_m[here], solution.questions.day[here]),
    )
    chains = solution.edition.chains
    by_effect: dict[int, list[Any]] = {}
    own = int(solution.chained.place[case])
    by_effect[int(chains.effects(np.array([own]))[0])] = [own, 0.0]
    effects = chains.effects(found.place).tolist()
    for effect, place, share in zip(
        effects, found.place.tolist(), found.probability.tolist(), strict=True
    ):
        by_effect.setdefault(effect, [place, 0.0])[1] += share
    return [(chains.full(place), share) for place, share in by_effect.values()]


def mixture_of(solution: Solution, case: int, ways: Ways) -> Mixture:
    """Return the distribution over units of one case of a solution."""
    question = solution.asked[case]
    return mix(solution.edition, question, places=ways.places, components=ways.components)


def tell_owner(solution: Solution, case: int) -> OwnerAnswer | None:
    """Return the owning unit of one case with its terms, its persons, and who else it may be."""
    found = solution.resolutions[case]
    if found.unit is None:
        return None
    return OwnerAnswer(
        unit_code=found.unit.code,
        unit_name=found.unit.name,
        role=found.role,
        principle=found.principle,
        rule=rule_of(solution, case),
        time_limit=found.limit,
        filing_condition=found.filing_condition,
        closing_condition=found.closing_condition,
        persons=_persons(solution, found),
        alternatives=_alternatives(solution, case),
    )


def rule_of(solution: Solution, case: int) -> str:
    """Return the rule that decided: ``component:CODE:ROLE``, ``plan:ROW`` or ``directory:AREA``."""
    found = solution.resolutions[case]
    return _rule(solution, found.rule, int(solution.matches.chosen[case]))


def _rule(solution: Solution, rule: str, row: int) -> str:
    """Return a rule, one of a component with its code."""
    if not rule.startswith("component:") or row < 0:
        return rule
    return f"component:{_code(solution, row)}:{rule.removeprefix('component:')}"


def _code(solution: Solution, row: int) -> str:
    code: str = solution.edition.snapshot.table("components")["code"][row].as_py()
    return code


def _persons(solution: Solution, found: Resolution) -> tuple[Person, ...]:
    row = solution.edition.management_grids.get(found.area_code, -1)
    if found.level != "management_grid" or row < 0:
        return ()
    table = solution.edition.snapshot.table("management_grids")
    record = table.slice(row, 1).to_pylist()[0]
    persons = (
        Person(level=level, name=record[f"{level}_person"], phone=record[f"{level}_phone"])  # type: ignore[arg-type]
        for level in _LEVELS_WITH_PERSONS
    )
    return tuple(person for person in persons if person.name or person.phone)


def _alternatives(solution: Solution, case: int) -> tuple[OwnerShare, ...]:
    ways = ways_of(solution, case)
    mixture = mixture_of(solution, case, ways)
    located = float(solution.placed.certainty[case])
    raw, told_as = mixture.probability * located, float(solution.probability[case])
    # What calibration takes from the unit taken it gives to the others, and the other way round.
    scale = located * ((1.0 - told_as) / (1.0 - raw) if raw < 1.0 else 0.0)
    shares = []
    for share in mixture.rivals:
        if share.probability * scale < LEAST_ALTERNATIVE:
            continue
        english, chinese = _why(solution, case, share, ways)
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


def _why(solution: Solution, case: int, share: Share, ways: Ways) -> tuple[str, str]:
    """Tell why a unit may be the one, by the combination with the largest part in it."""
    row = ways.rows[share.component]
    rule = _rule(solution, share.rule, row)
    if share.cause == "component" and row >= 0:
        distance_m = ways.distance_m[share.component]
        code = _code(solution, row)
        return told("share_component", component=code, distance_m=distance_m, rule=rule)
    if share.cause == "component":
        return told("share_absent", rule=rule)
    if share.cause != "place":
        return told(f"share_{share.cause}", rule=rule)
    question = solution.asked[case]
    chain, record = ways.places[share.place][0], ways.components[share.component][0]
    found = resolve(solution.edition, question._replace(chain=chain, record=record))
    level, area_code = found.level, found.area_code
    if not area_code or area_code == "*":
        level, area_code = _apart(question.chain, chain)
    return told("share_place", level=level, area_code=area_code, rule=rule)


def _apart(own: Chain, other: Chain) -> tuple[str, str]:
    """Return the largest area in which another place differs from the own one."""
    for level in ("district", "street", "community", "grid"):
        code = getattr(other, level)
        if code is not None and code != getattr(own, level):
            return level, code
    return "city", "*"


def tell_boundary(solution: Solution, case: int) -> BoundaryAnswer | None:
    """Return the boundary road on which one case lies, with the area that answers."""
    number = int(solution.chained.boundary[case])
    if number < 0:
        return None
    road = solution.edition.chains.roads.roads[number]
    side = int(solution.chained.side[case])
    return BoundaryAnswer(
        code=road.code,
        name=road.name,
        sharing=road.sharing,
        area_code=None if side == NOBODY else road.sides[side],
        other_area_code=None if side == NOBODY else road.sides[1 - side],
        joint=_joint(solution, case, number) if road.sharing == "joint" and side == FIRST else None,
    )


def _joint(solution: Solution, case: int, number: int) -> UnitAnswer | None:
    """Return the unit that the second area of a joint road leads to, if it is another one."""
    chains = solution.edition.chains
    if not chains.knows(number, 1):
        return None
    place = chains.on_side(int(solution.chained.base[case]), number, 1)
    question: OwnerQuestion = solution.asked[case]._replace(chain=chains.full(place))
    unit, own = resolve(solution.edition, question).unit, solution.resolutions[case].unit
    if unit is None or own is None or unit.code == own.code:
        return None
    return UnitAnswer(unit_code=unit.code, unit_name=unit.name)


def trace_place(
    solution: Solution, case: int, boundary: BoundaryAnswer | None
) -> Iterator[TraceStep]:
    """Yield the data asked, the plan areas at the place, and what a boundary road says."""
    edition = solution.edition
    line = "data_live" if edition.as_of is None else "data"
    version = edition.snapshot.version
    why = told(line, version=version, as_of=edition.as_of)
    yield step("data", version, "accepted", why)
    areas, found = edition.chains.plan_areas, solution.resolutions[case]
    for code in solution.asked[case].chain.plan_areas:
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
    why = told(
        f"boundary_{boundary.sharing}",
        name=boundary.name,
        area_code=boundary.area_code,
        other=boundary.other_area_code,
    )
    yield step("boundary_road", boundary.code, "accepted", why)
