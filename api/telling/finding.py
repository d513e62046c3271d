"""Everything found about one case, as plain values: what a decision is told from.

`finding_of` takes it from the arrays of many cases; ``api.single`` finds it for one case alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from api.doubts import review_bits
from api.edition import LEVELS
from api.models import PlaceAnswer
from api.owning.candidates import OwnerQuestion, OwnRecord
from api.owning.mixture import Mixture
from api.owning.owners import Resolution
from api.owning.record_table import record_table_of
from api.placing.locate import SOURCES
from api.placing.tracts import place_shares
from census.plan.chains import Chain
from gis.index import Located, Shares

if TYPE_CHECKING:
    from api.edition import Edition
    from api.solution import Solution


@dataclass(frozen=True, kw_only=True)
class Ways:
    """Where one case may lie and what it may be about, with probabilities that add up to 1 each."""

    places: Sequence[tuple[Chain, float]]
    components: Sequence[tuple[OwnRecord | None, float]]
    rows: list[int]
    """Row in ``components`` of each of the components, -1: none of those known."""
    distance_m: list[float]


@dataclass(kw_only=True, slots=True)
class Finding:
    """What is known about one case."""

    edition: "Edition"
    case_id: str | None
    asked: Callable[[], OwnerQuestion]
    """Gives `question`, which most answers do without."""
    resolution: Resolution
    reported: tuple[float, float, str] | None
    """Position and CRS as reported; None: none was."""
    address: str | None
    component_code: str | None
    place_found: PlaceAnswer | None
    """Best answer to the address."""
    x: float
    """East in the city's CRS, m; nan: nowhere."""
    y: float
    sigma_m: float
    source: str
    sightings: Mapping[str, tuple[float, float]]
    """Where each source that says something puts the case."""
    certainty: float
    grid: int
    """Position among the unit grids, -1: none."""
    on_boundary: bool
    grid_distance_m: float
    edge_distance_m: float
    """Distance to the border of the grid; nan: there is none."""
    grid_probability: float
    """Share of the error in this grid; where grids overlap it is not scaled down, unlike `shares`."""
    shares: Sequence[tuple[int, float]]
    """Unit grids with their shares of the error disc, the largest first."""
    areas: tuple[int, ...]
    """Position among the areas of each level of ``LEVELS`` of the one that holds the place, -1: none."""
    place: int
    """Place number, see ``api.placing.chains``."""
    base: int
    boundary: int
    side: int
    named: int
    """Row of the component named in the case, -1: none."""
    chosen: int
    """Row of its component, -1: none."""
    candidates: Sequence[tuple[int, float, float]]
    """Row, distance in metres and probability of the components in reach, the nearest first."""
    reach_m: float
    probability: float
    needs_review: bool
    reasons: tuple[str, ...]
    ways: Callable[[], Ways] | None
    """Where else and what else it may be; None: all ways lead to one unit."""
    mixture: Mixture | None = None
    """The distribution over units of these ways, where it is known already."""
    covariance: tuple[float, float, float] | None = None
    """Of an error that is no circle: variance east, covariance and variance north, m²."""

    @property
    def question(self) -> OwnerQuestion:
        """By which the unit was found, with the whole chain and the record as it is written."""
        return self.asked()


def finding_of(solution: "Solution", case: int) -> Finding:
    """Return what a solution says about one of its cases."""
    placed, questions, matches = solution.placed, solution.questions, solution.matches
    first, last = np.searchsorted(matches.question, [case, case + 1])
    begin, end = np.searchsorted(solution.shares.point, [case, case + 1])
    x, y = float(questions.x[case]), float(questions.y[case])
    return Finding(
        edition=solution.edition,
        case_id=questions.case_id[case],
        asked=lambda: solution.asked[case],
        resolution=solution.resolutions[case],
        reported=None if np.isnan(x) else (x, y, questions.crs[case]),
        address=questions.address[case],
        component_code=questions.component_code[case],
        place_found=placed.addresses[case],
        x=float(placed.x[case]),
        y=float(placed.y[case]),
        sigma_m=float(placed.sigma_m[case]),
        source=placed.source[case],
        sightings={
            name: (float(placed.sightings[name].x[case]), float(placed.sightings[name].y[case]))
            for name in SOURCES
            if placed.sightings[name].known[case]
        },
        certainty=float(placed.certainty[case]),
        grid=int(solution.grid.position[case]),
        on_boundary=bool(solution.grid.on_boundary[case]),
        grid_distance_m=float(solution.grid.distance_m[case]),
        edge_distance_m=_edge_distance_m(solution, case),
        grid_probability=float(solution.grid_probability[case]),
        shares=_pairs(solution.shares.position[begin:end], solution.shares.probability[begin:end]),
        areas=tuple(_holding(solution.areas[level], case) for level in LEVELS),
        place=int(solution.chained.place[case]),
        base=int(solution.chained.base[case]),
        boundary=int(solution.chained.boundary[case]),
        side=int(solution.chained.side[case]),
        named=int(placed.component[case]),
        chosen=int(matches.chosen[case]),
        candidates=list(
            zip(
                matches.row[first:last].tolist(),
                matches.distance_m[first:last].tolist(),
                matches.probability[first:last].tolist(),
                strict=True,
            )
        ),
        reach_m=float(matches.reach_m[case]),
        probability=float(solution.probability[case]),
        needs_review=int(solution.doubts[case]) & review_bits() != 0,
        reasons=solution.reasons_of(case),
        ways=lambda: ways_of(solution, case),
        covariance=_covariance(solution, case),
    )


def _covariance(solution: "Solution", case: int) -> tuple[float, float, float] | None:
    east, both, north = solution.placed.covariance[case].tolist()
    return None if both == 0.0 and east == north else (east, both, north)


def _edge_distance_m(solution: "Solution", case: int) -> float:
    placed, index = solution.placed, solution.edition.grids.index
    here = slice(case, case + 1)
    metres = index.edge_distance(placed.x[here], placed.y[here], solution.grid.position[here])
    return float(metres[0])


def _pairs(first: Any, second: Any) -> list[tuple[int, float]]:
    return list(zip(first.tolist(), second.tolist(), strict=True))


def _holding(located: Located, case: int) -> int:
    return int(located.position[case]) if located.distance_m[case] == 0.0 else -1


def ways_of(solution: "Solution", case: int) -> Ways:
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
    absent = float(matches.owner_absent[case])
    rows = matches.row[first:last].tolist()
    records = record_table_of(solution.edition)
    components: list[tuple[OwnRecord | None, float]] = [
        (records.record_of(row), probability)
        for row, probability in zip(rows, matches.owner_weight[first:last].tolist(), strict=True)
    ]
    return Ways(
        places=places,
        components=[*components, (None, absent)],
        rows=[*rows, -1],
        distance_m=[*matches.distance_m[first:last].tolist(), np.nan],
    )


def _places(solution: "Solution", case: int) -> list[tuple[Chain, float]]:
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
        precision=(
            solution.placed.sigma_m[here],
            solution.placed.covariance[here],
            solution.questions.day[here],
        ),
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


def is_placed(finding: Finding) -> bool:
    """Tell whether the case lies anywhere."""
    return isfinite(finding.x) and isfinite(finding.y)
