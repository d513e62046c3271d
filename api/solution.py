"""The decision worked out in arrays: place, grid, areas, component and owner of many cases at once.

One plain case is found by ``api.single``, any other one by arrays of length one; a test holds the two
together, so that one and many agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from api.columns import Floats, Numbers
from api.doubts import Bits, bit_of, gathered, names_of, review_bits
from api.edition import LEVELS, Edition
from api.matching.components import Matches, match
from api.owning.calibration import calibrate_owners, owner_evidence
from api.owning.mixtures import Asked, Ground, Mixtures, mix_cases
from api.owning.owner_table import OwnerTable, owner_table_of
from api.owning.owners import OwnerQuestion, Resolution
from api.owning.record_table import record_table_of
from api.owning.topics import class_numbers, topics
from api.placing.boundaries import NOBODY
from api.placing.chains import Chained
from api.placing.locate import Placed, place
from api.questions import COMPONENT, Questions
from api.sequences import Each
from api.telling.wording import reasons as reason_table
from gis.index import CellIndex, Located, Shares
from gis.probe import find
from gis.shares import LEAST_SHARE


@dataclass(frozen=True, kw_only=True)
class Solution:
    """Everything known about the cases; position i of each array is case i."""

    edition: Edition
    questions: Questions
    placed: Placed
    grid: Located
    """Position among ``edition.grids``; -1: there are none, or the case has no place."""
    grid_probability: Floats
    """Share of the error of each case inside its grid; 0 where there is none."""
    areas: Mapping[str, Located]
    chained: Chained
    matches: Matches
    owners: OwnerTable
    number: Numbers
    """Number of the resolution of each case in `owners`."""
    mixtures: Mixtures
    """What else may be the unit, the place being what it is said to be."""
    probability: Floats
    """Probability that the owning unit is right."""
    doubts: Bits
    """Reasons as bits, see ``api.doubts``."""

    @cached_property
    def other_probability(self) -> Floats:
        """Probability of the most probable other unit, see ``api.owning.mixture.left_to_others``."""
        raw = self.placed.certainty * self.mixtures.probability
        scale = np.divide(1.0 - self.probability, 1.0 - raw, out=np.ones_like(raw), where=raw < 1.0)
        scale = np.minimum(scale, 1.0)
        share = self.mixtures.other_probability * self.placed.certainty * scale
        return np.asarray(np.minimum(share, 1.0))

    @property
    def needs_review(self) -> NDArray[np.bool_]:
        """Cases that a person should look at."""
        return np.asarray(self.doubts & review_bits() != 0)

    @cached_property
    def reasons(self) -> Mapping[str, NDArray[np.bool_]]:
        """Reason -> cases, in the order of ``api/telling/reasons.csv``; only reasons that some case has."""
        masks = {name: self.doubts & bit_of(name) != 0 for name in reason_table()}
        return {name: mask for name, mask in masks.items() if mask.any()}

    @cached_property
    def shares(self) -> Shares:
        """Share of every unit grid in the error of each case: slow, for telling of single cases."""
        placed = self.placed
        index = self.edition.grids.index
        return index.shares(placed.x, placed.y, placed.sigma_m, covariance=_ovals(placed))

    def reasons_of(self, case: int) -> tuple[str, ...]:
        """Return the reasons of one case."""
        return names_of(int(self.doubts[case]))

    @property
    def resolutions(self) -> Sequence[Resolution]:
        """The resolution of each case."""
        return Each(len(self.number), lambda case: self.owners.resolutions[self.number[case]])

    @property
    def asked(self) -> Sequence[OwnerQuestion]:
        """The question by which the owning unit of each case was found, with all that it names."""
        return Each(len(self.number), self._asked)

    def _asked(self, case: int) -> OwnerQuestion:
        question: OwnerQuestion = self.owners.questions[self.number[case]]
        chain = self.edition.chains.full(int(self.chained.place[case]))
        if question.record is None:
            return question._replace(chain=chain)
        row = int(self.matches.chosen[case])
        return question._replace(chain=chain, record=record_table_of(self.edition).record_of(row))


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
    points, covariance = (placed.x, placed.y), _ovals(placed)
    share = index.own_shares(points, placed.sigma_m, grid.position, covariance=covariance)
    areas = {level: _holding(edition.areas[level].index, placed) for level in LEVELS}
    chained = edition.chains.find(placed.x, placed.y, grid=grid, areas=areas, day=questions.day)
    matches = match(edition, questions, placed)
    about = np.where(questions.kinds == COMPONENT, matches.chosen, -1)
    owners = owner_table_of(edition, excluded)
    classes = class_numbers(edition, questions, about)
    topic = topics(owners, edition.plan, questions, classes)
    effect = edition.chains.effects(chained.place)
    record = record_table_of(edition).meanings(about)
    number = owners.numbers(topic, effect, record)
    wanted = (questions.kinds == COMPONENT) & questions.has_class
    asked = Asked(
        topic=topic,
        effect=effect,
        record=record,
        day=questions.day,
        number=number,
        sums_components=wanted & (matches.chosen >= 0) & (placed.component < 0),
    )
    ground = Ground(placed=placed, grid=grid, chained=chained, covariance=covariance)
    mixtures = mix_cases(edition, owners, ground, matches, asked)
    probability = calibrate_owners(
        placed.certainty * mixtures.probability,
        owners.arrays.certainty[number],
        owner_evidence(placed.source_number, wanted, matches.chosen >= 0, is_wide(edition, placed)),
    )
    least = edition.snapshot.profile.decision.rival_probability
    own = {
        **_place_doubts(edition, grid, areas, chained),
        **_component_doubts(edition, questions, placed, matches),
        "edge_responsibility": mixtures.by_place >= least,
        "cross_responsibility": mixtures.by_cross >= least,
        "refused": np.full(len(questions), bool(excluded)),
        "low_probability": probability < edition.snapshot.profile.thresholds.review_probability,
    }
    doubts = gathered(len(questions), placed.reasons, questions.reasons, own)
    doubts &= ~np.where(matches.chosen >= 0, bit_of("class_missing"), 0)
    return Solution(
        edition=edition,
        questions=questions,
        placed=placed,
        grid=grid,
        grid_probability=np.where(share >= LEAST_SHARE, share, 0.0),
        areas=areas,
        chained=chained,
        matches=matches,
        owners=owners,
        number=number,
        mixtures=mixtures,
        probability=probability,
        doubts=doubts | owners.arrays.reasons[number],
    )


def is_wide(edition: Edition, placed: Placed) -> NDArray[np.bool_]:
    """Return whether each place is known less well than components are looked for."""
    return np.asarray(placed.sigma_m > edition.snapshot.profile.thresholds.match_radius_m)


def _holding(index: CellIndex, placed: Placed) -> Located:
    """Return the area that holds each place, as ``locate`` does; the nearest is of no use to others."""
    rank, on_boundary = find(placed.x, placed.y, index.tiling)
    is_held = rank >= 0
    position = np.where(is_held, index.by_code[rank], -1) if len(index) else rank
    distance_m = np.where(is_held, 0.0, np.nan)
    return Located(position=position, on_boundary=on_boundary, distance_m=distance_m)


def _ovals(placed: Placed) -> Floats | None:
    """Return the covariances of errors that are no circles, nan for the others; None: all are."""
    east, both, north = placed.covariance.T
    is_oval = (both != 0.0) | (east != north)
    is_oval &= np.isfinite(east)
    if not is_oval.any():
        return None
    return np.where(is_oval[:, None], placed.covariance, np.nan)


def _place_doubts(
    edition: Edition, grid: Located, areas: Mapping[str, Located], chained: Chained
) -> dict[str, NDArray[np.bool_]]:
    is_inside = (grid.position >= 0) & (grid.distance_m == 0.0)
    community = areas["community"]
    is_known = is_inside & (community.position >= 0) & (community.distance_m == 0.0)
    mismatch = is_known.copy()
    own = edition.grid_community[grid.position[is_known]]
    mismatch[is_known] = own != community.position[is_known]
    boundary = chained.boundary >= 0
    return {
        "no_grids": np.full(len(is_inside), not len(edition.grids.rows)),
        "outside_grids": grid.distance_m > 0.0,
        "area_mismatch": mismatch,
        "boundary_road": boundary,
        "boundary_unclear": boundary & (chained.side == NOBODY),
    }


def _component_doubts(
    edition: Edition, questions: Questions, placed: Placed, matches: Matches
) -> dict[str, NDArray[np.bool_]]:
    wanted = (questions.kinds == COMPONENT) & questions.has_class
    conflict = wanted & (placed.component >= 0)
    named = np.flatnonzero(conflict)
    if len(named):
        known = edition.component_classes
        place_of = {code: at for at, code in enumerate(known.codes)}
        stated = np.array([place_of.get(code, -1) for code in questions.classes])
        own = known.of(placed.component[named])
        conflict[named] = stated[questions.class_number[named]] != own
    return {
        "class_conflict": conflict,
        "component_not_found": wanted & (matches.chosen < 0) & np.isfinite(placed.x),
    }
