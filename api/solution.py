"""The decision worked out in arrays: place, grid, areas, component and owner of many cases at once.

One case is decided by the same functions with arrays of length one, so that one and many agree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.boundaries import NOBODY
from api.chains import Chained
from api.columns import Floats
from api.components import Matches, match
from api.edition import LEVELS, Edition
from api.locate import Placed, place
from api.owners import OwnerQuestion, OwnRecord, Resolution, own_unit, resolve
from api.questions import Questions
from api.records import OWN_ROLES
from api.wording import reasons as reason_table
from gis.index import CellIndex, Located, Shares

_ABSENT_COMPONENT = 0.5
"""Certainty of an owner found without the component the case is about."""


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Everything known about the cases; position i of each array is case i."""

    edition: Edition
    questions: Questions
    placed: Placed
    grid: Located
    """Position among ``edition.grids``; -1: there are none, or the case has no place."""
    shares: Shares
    areas: Mapping[str, Located]
    chained: Chained
    matches: Matches
    asked: list[OwnerQuestion]
    resolutions: list[Resolution]
    probability: Floats
    """Probability that the owning unit is right."""
    reasons: Mapping[str, NDArray[np.bool_]]
    """Reason -> cases, in the order of ``api/reasons.csv``."""

    @cached_property
    def needs_review(self) -> NDArray[np.bool_]:
        """Cases that a person should look at."""
        result = np.zeros(len(self.questions), dtype=bool)
        for name, mask in self.reasons.items():
            if reason_table()[name]["review"] == "yes":
                result |= mask
        return result

    @cached_property
    def grid_probability(self) -> Floats:
        """Share of the error disc inside the grid of each case; 0 where there is none."""
        result = np.zeros(len(self.questions))
        own = self.shares.position == self.grid.position[self.shares.point]
        result[self.shares.point[own]] = self.shares.probability[own]
        return result

    def reasons_of(self, case: int) -> tuple[str, ...]:
        """Return the reasons of one case."""
        return tuple(name for name, mask in self.reasons.items() if mask[case])


def solve(
    edition: Edition, questions: Questions, *, excluded: frozenset[str] = frozenset()
) -> Solution:
    """Decide all questions as of the edition's day.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day asked for.
    questions : Questions
        The cases.
    excluded : frozenset of str
        Units that sent the case back; none of them is chosen.
    """
    placed = place(edition, questions)
    index = edition.grids.index
    grid = index.locate(placed.x, placed.y)
    shares = index.shares(placed.x, placed.y, placed.sigma_m)
    areas = {level: edition.areas[level].index.locate(placed.x, placed.y) for level in LEVELS}
    chained = edition.chains.find(placed.x, placed.y, grid=grid, areas=areas, day=questions.day)
    chains = [edition.chains.full(place) for place in chained.place.tolist()]
    matches = match(edition, questions, placed)
    census = _census(edition, matches)
    records, classes = _records(questions, matches, census)
    holding = edition.plan.holding(questions.day, questions.minute)
    asked = [
        OwnerQuestion(*told, excluded)
        for told in zip(questions.kind, classes, chains, records, holding, strict=True)
    ]
    resolutions = [resolve(edition, question) for question in asked]
    parts = _Parts(edition, questions, placed, grid, shares, chained, matches, census, resolutions)
    probability = _probability(parts)
    reasons = _reasons(parts, areas, probability, is_refused=bool(excluded))
    return Solution(
        edition=edition,
        questions=questions,
        placed=placed,
        grid=grid,
        shares=shares,
        areas=areas,
        chained=chained,
        matches=matches,
        asked=asked,
        resolutions=resolutions,
        probability=probability,
        reasons=reasons,
    )


@dataclass(frozen=True)
class _Parts:
    edition: Edition
    questions: Questions
    placed: Placed
    grid: Located
    shares: Shares
    chained: Chained
    matches: Matches
    census: "_Census"
    resolutions: list[Resolution]


def _codes(cells: Any, located: Located, *, only_inside: bool) -> list[str | None]:
    there = located.position >= 0
    if only_inside:
        there = there & (located.distance_m == 0.0)
    codes = np.full(len(there), None, dtype=object)
    codes[there] = cells.codes[located.position[there]]
    return codes.tolist()


@dataclass(frozen=True)
class _Census:
    """What the records of the components in question say, each read once."""

    rows: NDArray[np.intp]
    """Rows in the table, ascending."""
    class_codes: list[str]
    records: list[OwnRecord]

    def positions(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.searchsorted(self.rows, rows)


def _census(edition: Edition, matches: Matches) -> _Census:
    rows = np.unique(np.concatenate([matches.row, matches.chosen[matches.chosen >= 0]]))
    names = [f"{role}_{part}" for role in OWN_ROLES for part in ("code", "name")]
    table = edition.snapshot.table("components")
    told = table.select(["class_code", "ownership_state", *names]).take(rows).to_pydict()
    units = zip(
        *(list(zip(told[f"{role}_code"], told[f"{role}_name"], strict=True)) for role in OWN_ROLES),
        strict=True,
    )
    records = [
        OwnRecord(state, named) for state, named in zip(told["ownership_state"], units, strict=True)
    ]
    return _Census(rows, told["class_code"], records)


def _records(
    questions: Questions, matches: Matches, census: _Census
) -> tuple[list[OwnRecord | None], list[str | None]]:
    """Return what the chosen components' records say, and the class of each case."""
    classes: list[str | None] = questions.class_code.tolist()
    records: list[OwnRecord | None] = [None] * len(questions)
    known = np.flatnonzero((matches.chosen >= 0) & (questions.kind == "component"))
    positions = census.positions(matches.chosen[known])
    for case, position in zip(known.tolist(), positions.tolist(), strict=True):
        records[case] = census.records[position]
        classes[case] = classes[case] or census.class_codes[position]
    return records, classes


def _probability(parts: _Parts) -> Floats:
    """Return how probable it is that the owning unit is right.

    The product of: certainty of the place (address score), of the choice (1, less in a dispute or a
    conflict of plan rows), of the component (sum over the candidates whose records lead to the same
    unit), and of the area (share of the error disc in the area of the deciding row; 1 when a
    component's record or a row for the whole city decided).
    """
    certainty = np.array([found.certainty for found in parts.resolutions], dtype=np.float64)
    by_component = _component_certainty(parts)
    by_area = _area_certainty(parts)
    result: Floats = np.clip(parts.placed.certainty * certainty * by_component * by_area, 0.0, 1.0)
    return result


def _component_certainty(parts: _Parts) -> Floats:
    matches, edition = parts.matches, parts.edition
    wanted = (parts.questions.kind == "component") & (parts.questions.class_code != None)  # noqa: E711
    result = np.where(wanted & (matches.chosen < 0), _ABSENT_COMPONENT, 1.0)
    if not len(matches.question):
        return result
    records = parts.census.records
    leads: dict[OwnRecord, str] = {}
    for record in records:
        if record not in leads:
            unit = own_unit(edition, record)
            leads[record] = unit.code if unit else ""
    numbers = {unit: number for number, unit in enumerate(sorted(set(leads.values())))}
    lead = np.array([numbers[leads[record]] for record in records])
    lead = lead[parts.census.positions(matches.row)]
    first = np.searchsorted(matches.question, matches.question)
    weights = matches.probability * (lead == lead[first])
    agreeing = np.bincount(matches.question, weights=weights, minlength=len(result))
    found = np.unique(matches.question)
    result[found] = agreeing[found]
    return result


def _area_certainty(parts: _Parts) -> Floats:
    levels = np.array([found.level for found in parts.resolutions], dtype=object)
    result = np.ones(len(levels))
    shares, grid = parts.shares, parts.grid
    for level in ("grid", "community", "street", "district"):
        asked = levels == level
        if not asked.any():
            continue
        if len(parts.edition.grids.rows):
            area = parts.edition.grid_areas[level]
            same = area[shares.position] == area[grid.position[shares.point]]
            shared = np.bincount(
                shares.point, weights=shares.probability * same, minlength=len(levels)
            )
            result[asked] = shared[asked]
        else:
            result[asked] = _own_share(parts.edition.areas[level].index, parts.placed)[asked]
    result[~np.isfinite(parts.placed.x) & ~np.isin(levels, ("city", "component"))] = 0.0
    return result


def _own_share(index: CellIndex, placed: Placed) -> Floats:
    located = index.locate(placed.x, placed.y)
    shares = index.shares(placed.x, placed.y, placed.sigma_m)
    own = shares.position == located.position[shares.point]
    result = np.zeros(len(placed.x))
    result[shares.point[own]] = shares.probability[own]
    return result


def _reasons(
    parts: _Parts, areas: Mapping[str, Located], probability: Floats, *, is_refused: bool
) -> dict[str, NDArray[np.bool_]]:
    questions, matches, edition = parts.questions, parts.matches, parts.edition
    count = len(questions)
    found: dict[str, NDArray[np.bool_]] = dict(parts.placed.reasons)
    for name, mask in questions.reasons.items():
        found[name] = found[name] | mask if name in found else mask
    has_place = np.isfinite(parts.placed.x)
    wanted = (questions.kind == "component") & (questions.class_code != None)  # noqa: E711
    found["class_missing"] = found["class_missing"] & (matches.chosen < 0)
    found["class_conflict"] = _class_conflicts(parts)
    found["no_grids"] = np.full(count, not len(edition.grids.rows))
    found["outside_grids"] = parts.grid.distance_m > 0.0
    found["area_mismatch"] = _mismatches(edition, parts.grid, areas["community"])
    found["component_not_found"] = wanted & (matches.chosen < 0) & has_place
    found["boundary_road"] = parts.chained.boundary >= 0
    found["boundary_unclear"] = found["boundary_road"] & (parts.chained.side == NOBODY)
    found["refused"] = np.full(count, is_refused)
    found["low_probability"] = probability < edition.snapshot.profile.thresholds.review_probability
    for case, resolution in enumerate(parts.resolutions):
        for name in resolution.reasons:
            found.setdefault(name, np.zeros(count, dtype=bool))[case] = True
    return {name: found[name] for name in reason_table() if name in found and found[name].any()}


def _class_conflicts(parts: _Parts) -> NDArray[np.bool_]:
    questions, component, census = parts.questions, parts.placed.component, parts.census
    result = np.zeros(len(questions), dtype=bool)
    named = np.flatnonzero((component >= 0) & (questions.kind == "component"))
    for case, position in zip(named.tolist(), census.positions(component[named]), strict=True):
        result[case] = questions.class_code[case] not in (None, census.class_codes[position])
    return result


def _mismatches(edition: Edition, grid: Located, community: Located) -> NDArray[np.bool_]:
    codes = _codes(edition.areas["community"], community, only_inside=True)
    inside = (grid.position >= 0) & (grid.distance_m == 0.0)
    result = np.zeros(len(codes), dtype=bool)
    for case in np.flatnonzero(inside):
        own = edition.grid_chains[grid.position[case]][1]
        result[case] = codes[case] is not None and codes[case] != own
    return result
