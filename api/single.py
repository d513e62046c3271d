"""One plain case found by itself, in a tenth of the time that arrays of length one take.

Plain is what nearly every question is: a position whose error reaches no unit grid that a plan area or
a boundary road touches, with or without a class. It asks the same compiled functions and the same
tables as the arrays do, so that the answer is the same; every other case is left to the arrays.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from math import inf, nan
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from api.doubts import bit_of, names_of, review_bits
from api.edition import LEVELS, Edition
from api.matching.components import match_one
from api.matching.likelihood import owner_weights
from api.models import Case, Position
from api.owning.calibration import calibrate_owner
from api.owning.candidates import OwnRecord
from api.owning.mixture import CAUSES, CROSS, EDGE, Mixture, summed
from api.owning.owner_table import owner_table_of
from api.owning.owners import OwnerQuestion, Resolution
from api.owning.record_table import NO_RECORD, record_table_of
from api.placing.locate import POSITION_ACCURACY_M
from api.placing.vagueness import VAGUE_M
from api.questions import CITY_CRS, KIND_NAMES
from api.telling.finding import Finding, Ways
from gis.crs import transform_point
from gis.errors import CrsError
from gis.shares import LEAST_SHARE

if TYPE_CHECKING:
    from api.snapshot import Snapshot

_RECORDS_KEPT = 100_000
_MOMENTS_KEPT = 10_000
_EDGE = tuple(CAUSES.index(cause) for cause in EDGE)
_CROSS = tuple(CAUSES.index(cause) for cause in CROSS)

Candidates = Sequence[tuple[int, float, float]]
"""Row, distance in metres and probability of components."""
Place = tuple[int, Sequence[tuple[int, float]]]
"""A unit grid, and those where a case may lie instead with their shares of its error disc."""


def find_one(
    snapshot: "Snapshot",
    case: Case,
    *,
    now: datetime | None = None,
    excluded: frozenset[str] = frozenset(),
) -> Finding | None:
    """Return what is found about one plain case; None: the case is not plain.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    case : Case
        The question.
    now : datetime or None
        Aware; the time of a case that states none. None: the present.
    excluded : frozenset of str
        Units that sent the case back.
    """
    position = case.position
    if position is None or case.address or case.component_code or not _is_plain(position):
        return None
    edition = snapshot.edition(case.as_of)
    single = edition.kept("single", lambda: Single(edition))
    return single.find(case, position, now=now, excluded=excluded)


def _is_plain(position: Position) -> bool:
    return position.accuracy_minor_m is None and _sigma_m(position) <= VAGUE_M


def _sigma_m(position: Position) -> float:
    stated_m = position.accuracy_m
    is_stated = stated_m is not None and 0 < stated_m < inf
    return stated_m if is_stated and stated_m is not None else POSITION_ACCURACY_M


class Single:
    """What single cases of one edition are asked of; safe to use from several threads.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    """

    def __init__(self, edition: Edition) -> None:
        snapshot = edition.snapshot
        self._edition = edition
        self._zone = ZoneInfo(snapshot.profile.city.timezone)
        self._grids = edition.grids.index
        self._areas = [edition.areas[level].index for level in LEVELS]
        self._community = edition.grid_community
        self._touched = edition.chains.touched if len(edition.plan_areas) else None
        self._thresholds = snapshot.profile.thresholds
        self._rival = snapshot.profile.decision.rival_probability
        self._records = record_table_of(edition)
        self._classes: dict[tuple[str, str], tuple[str | None, bool]] = {}
        self._record: dict[int, OwnRecord] = {}
        self._holding: dict[tuple[int, int], bytes] = {}

    def find(
        self, case: Case, position: Position, *, now: datetime | None, excluded: frozenset[str]
    ) -> Finding | None:
        """Return what is found about a case at a position; None: it is not plain."""
        edition = self._edition
        class_code, is_known = self._class(case.kind, case.class_code)
        if not is_known:
            return None
        crs = edition.snapshot.crs if position.crs.lower() == CITY_CRS else position.crs
        x, y = self._placed(position, crs)
        grid, on_boundary, distance_m = self._grids.locate_one(x, y)
        if grid < 0 or distance_m != 0.0:
            return None
        sigma_m = _sigma_m(position)
        areas = [index.locate_one(x, y) for index in self._areas]
        held = tuple(at if metres == 0.0 else -1 for at, _, metres in areas)
        shares, own_share = self._grids.shares_one(x, y, sigma_m, own=grid)
        if self._is_cut((grid, *(at for at, _ in shares))):
            return None
        wanted = case.kind == "component" and class_code is not None
        candidates: Candidates = ()
        absent, reach_m = 0.0, nan
        if wanted and class_code is not None:
            candidates, absent, reach_m = match_one(edition, class_code, (x, y), sigma_m)
        chosen = candidates[0][0] if candidates else -1
        question, resolution, mixture = self._resolve(
            case, class_code, (grid, shares), (candidates, absent), (now, excluded)
        )
        probability, bits = self._judge(resolution, mixture)
        about = "event" if not wanted else "absent" if chosen < 0 else "found"
        probability = calibrate_owner(probability, resolution.certainty, f"{about}/position")
        if about == "absent":
            bits |= bit_of("component_not_found")
        community = held[-1]
        if class_code is None:
            bits |= bit_of("class_missing")
        if community >= 0 and self._community[grid] != community:
            bits |= bit_of("area_mismatch")
        if excluded:
            bits |= bit_of("refused")
        if probability < self._thresholds.review_probability:
            bits |= bit_of("low_probability")
        return Finding(
            edition=edition,
            case_id=case.case_id,
            question=question,
            resolution=resolution,
            reported=(position.x, position.y, crs),
            address=None,
            component_code=None,
            place_found=None,
            x=x,
            y=y,
            sigma_m=sigma_m,
            source="position",
            sightings={"position": (x, y)},
            certainty=1.0,
            grid=grid,
            on_boundary=on_boundary,
            grid_distance_m=0.0,
            grid_probability=own_share if own_share >= LEAST_SHARE else 0.0,
            shares=shares,
            areas=held,
            place=grid,
            base=grid,
            boundary=-1,
            side=-1,
            named=-1,
            chosen=chosen,
            candidates=candidates,
            reach_m=reach_m,
            probability=probability,
            needs_review=bits & review_bits() != 0,
            reasons=_names(bits),
            ways=None
            if mixture is None
            else lambda: self._ways((grid, shares), candidates, absent),
            mixture=mixture,
        )

    def _placed(self, position: Position, crs: str) -> tuple[float, float]:
        """Return a position in the city's CRS; nan: it can not be told, which the arrays explain."""
        try:
            return transform_point(
                position.x, position.y, source=crs, target=self._edition.snapshot.crs
            )
        except CrsError:
            return nan, nan

    def _is_cut(self, grids: Sequence[int]) -> bool:
        """Tell whether a plan area or a boundary road touches any of some unit grids."""
        touched = self._touched
        return touched is not None and any(touched[grid] for grid in grids)

    def _class(self, kind: str, code: str | None) -> tuple[str | None, bool]:
        """Return a class with the zeros a spreadsheet took, and whether the kind has it."""
        if not code:
            return None, True
        found = self._classes.get((kind, code))
        if found is None:
            taxonomy = self._edition.snapshot.taxonomy
            restored = taxonomy.restore(code)
            found = restored, taxonomy.exists(kind, restored)
            if found[1]:  # there is no end of those that are not known
                self._classes[kind, code] = found
        return found

    def _resolve(
        self,
        case: Case,
        class_code: str | None,
        place: Place,
        meant: tuple[Candidates, float],
        asked: tuple[datetime | None, frozenset[str]],
    ) -> tuple[OwnerQuestion, Resolution, Mixture | None]:
        """Return question, resolution, and the distribution over units unless there is but one."""
        edition, (grid, _), (candidates, absent), (now, excluded) = (
            self._edition, place, meant, asked
        )  # fmt: skip
        owners = owner_table_of(edition, excluded)
        holding = self._conditions(case.reported_at or now)
        topic = owners.topic(KIND_NAMES.index(case.kind), class_code, holding)
        places = self._places(place)
        meanings = [self._records.meaning(row) for row, _, _ in candidates] or [NO_RECORD]
        number, known = owners.number, owners.resolutions
        own = meanings[0]
        resolution = known[number(topic, next(iter(places)), own)]
        mixture = None
        is_sure = not candidates or (len(candidates) == 1 and absent == 0.0)
        if resolution.rivals or len(places) > 1 or not is_sure:
            weights = [1.0]
            if candidates:
                told, nobody = owner_weights([share for _, _, share in candidates], absent)
                meanings.append(NO_RECORD)
                weights = [*told, nobody]
            ways = [
                (
                    share,
                    known[number(topic, effect, own)],
                    [known[number(topic, effect, meaning)] for meaning in meanings],
                )
                for effect, (_, share) in places.items()
            ]
            mixture = summed(resolution, ways, weights)
        record = self._record_of(candidates[0][0]) if candidates else None
        chain = edition.chains.full(grid)
        question = OwnerQuestion(case.kind, class_code, chain, record, holding, excluded)
        return question, resolution, mixture

    def _places(self, place: Place) -> dict[int, tuple[int, float]]:
        """Return by effect a place and how probably the case lies in such, its own first."""
        (grid, shares), effect_of = place, self._edition.chains.effect
        total = sum(share for _, share in shares)
        by_effect = {effect_of(grid): (grid, 0.0 if total else 1.0)}
        for at, share in shares:
            effect = effect_of(at)
            first, before = by_effect.get(effect, (at, 0.0))
            by_effect[effect] = (first, before + share / total)
        return by_effect

    def _conditions(self, moment: datetime | None) -> bytes:
        """Return which conditions of the plan hold at a moment; None: now."""
        plan = self._edition.plan
        if not plan.conditions:
            return b""
        if moment is None:
            local = datetime.now(self._zone)
        elif moment.tzinfo is None:
            local = moment
        else:
            local = moment.astimezone(self._zone)
        key = (local.month * 100 + local.day, local.hour * 60 + local.minute)
        found = self._holding.get(key)
        if found is None:
            if len(self._holding) >= _MOMENTS_KEPT:
                self._holding.clear()
            found = plan.holding(np.array([key[0]]), np.array([key[1]]))[0]
            self._holding[key] = found
        return found

    def _record_of(self, row: int) -> OwnRecord:
        number = int(self._edition.snapshot.component_records[row])
        found = self._record.get(number)
        if found is None:
            if len(self._record) >= _RECORDS_KEPT:
                self._record.clear()
            found = self._record[number] = self._records.record_of(row)
        return found

    def _ways(self, place: Place, candidates: Candidates, absent: float) -> Ways:
        chains = self._edition.chains
        places = [(chains.full(at), share) for at, share in self._places(place).values()]
        if not candidates:
            return Ways(places=places, components=[(None, 1.0)], rows=[-1], distance_m=[nan])
        weights, nobody = owner_weights([share for _, _, share in candidates], absent)
        components: list[tuple[OwnRecord | None, float]] = [
            (self._record_of(row), weight)
            for (row, _, _), weight in zip(candidates, weights, strict=True)
        ]
        return Ways(
            places=places,
            components=[*components, (None, nobody)],
            rows=[*(row for row, _, _ in candidates), -1],
            distance_m=[*(away for _, away, _ in candidates), nan],
        )

    def _judge(self, resolution: Resolution, mixture: Mixture | None) -> tuple[float, int]:
        """Return the probability of the unit, and the reasons as bits."""
        bits = _bits(resolution.reasons)
        if mixture is None:
            return resolution.certainty, bits
        if self._speaks(mixture, _EDGE):
            bits |= bit_of("edge_responsibility")
        if self._speaks(mixture, _CROSS):
            bits |= bit_of("cross_responsibility")
        return min(mixture.probability, 1.0), bits

    def _speaks(self, mixture: Mixture, causes: tuple[int, ...]) -> bool:
        return any(
            sum(rival.by_cause[number] for number in causes) >= self._rival
            for rival in mixture.rivals
        )


@cache
def _bits(reasons: tuple[str, ...]) -> int:
    result = 0
    for reason in reasons:
        result |= bit_of(reason)
    return result


@cache
def _names(bits: int) -> tuple[str, ...]:
    return names_of(bits)
