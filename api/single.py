"""One case found by itself, in a tenth of the time that arrays of length one take.

It is a case with a position, with or without a class; one that names an address or a component, or is
placed within hundreds of metres only, is left to the arrays. The same compiled functions and the same
tables are asked as the arrays ask, so that the answer is the same.
"""

from datetime import date, datetime
from functools import cache
from math import nan
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

from api.doubts import bit_of, names_of, review_bits
from api.edition import LEVELS, Edition
from api.matching.components import MOST_CANDIDATES
from api.matching.likelihood import owner_weights
from api.matching.nearest import Candidates, Matcher
from api.models import Case, Position
from api.moments import Moments
from api.owning.calibration import calibrate_owner
from api.owning.candidates import OwnRecord
from api.owning.mixture import CAUSES, CROSS, EDGE, Mixture
from api.owning.owner_table import owner_tables_of
from api.owning.owners import OwnerQuestion, Resolution
from api.owning.record_table import NO_RECORD, record_table_of
from api.placing.boundaries import NOBODY
from api.placing.earth import city_point
from api.placing.footing import Footing, Precision, cut_footing, precision_of, whole_footing
from api.placing.vagueness import VAGUE_M
from api.questions import CITY_CRS, KIND_NAMES
from api.sequences import Each
from api.telling.finding import Finding, Ways
from gis.errors import CrsError
from gis.shares import LEAST_SHARE
from gis.surroundings import Around, Surroundings

if TYPE_CHECKING:
    from api.snapshot import Snapshot

_RECORDS_KEPT = 100_000
_MATTERS_KEPT = 10_000
_NO_RECORDS: tuple[int, ...] = (NO_RECORD,)
(_PLACE,) = (CAUSES.index(cause) for cause in EDGE)
_COMPONENT, _RECORD = (CAUSES.index(cause) for cause in CROSS)

About = tuple[str, str | None, bytes]
"""Kind, class, and which conditions of the plan hold."""


class Matter(NamedTuple):
    """What many cases have in common, wherever they lie."""

    class_code: str | None
    """With the zeros that a spreadsheet took."""
    wanted: str | None
    """Class of the component that is looked for; None: none is."""
    precision: Precision
    near: tuple[int, float]
    """Group of the things of that class, and how far they are looked for, m."""
    is_wide: bool
    """The place is known less precisely than components are looked for."""


def find_one(
    snapshot: "Snapshot",
    case: Case,
    *,
    now: datetime | None = None,
    excluded: frozenset[str] = frozenset(),
) -> Finding | None:
    """Return what is found about one case; None: it is one for the arrays.

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
    if position is None or case.address or case.component_code:
        return None
    single = single_of(snapshot.edition(case.as_of))
    return single.find(case, position, now=now, excluded=excluded)


def single_of(edition: Edition) -> "Single":
    """Return what single cases of an edition are asked of."""
    found: Single = edition.kept("single", lambda: Single(edition))
    return found


def ready_single(snapshot: "Snapshot", as_of: date | None) -> "Single | None":
    """Return what single cases of a day are asked of; None: rows must be indexed for it first."""
    if as_of is None:
        return single_of(snapshot.edition())
    edition = snapshot.known_edition(as_of)
    found: Single | None = None if edition is None else edition.peek("single")
    return found


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
        self._surroundings = Surroundings(
            edition.grids.index,
            [edition.areas[level].index for level in LEVELS],
            edition.component_things,
            most=MOST_CANDIDATES,
        )
        self._matcher = Matcher(edition)
        self._community = edition.grid_community
        self._touched = edition.chains.touched if len(edition.plan_areas) else None
        self._thresholds = snapshot.profile.thresholds
        self._rival = snapshot.profile.decision.rival_probability
        self._owners = owner_tables_of(edition)
        self._records = record_table_of(edition)
        self._crs = snapshot.crs
        self._matters: dict[tuple[object, ...], Matter] = {}
        self._moments = Moments(edition.plan, ZoneInfo(snapshot.profile.city.timezone))
        self._record: dict[int, OwnRecord] = {}

    def find(
        self, case: Case, position: Position, *, now: datetime | None, excluded: frozenset[str]
    ) -> Finding | None:
        """Return what is found about a case at a position; None: it is one for the arrays."""
        matter = self._matter(case, position)
        if matter is None:
            return None
        class_code, wanted, precision, near, is_wide = matter
        edition = self._edition
        crs = self._crs if position.crs.lower() == CITY_CRS else position.crs
        x, y = self._placed(position, crs)
        around = self._surroundings.of(
            x, y, precision.sigma_m, covariance=precision.oval, near=near
        )
        if around.position < 0:
            return None
        moment = case.reported_at or now
        if around.distance_m == 0.0 and not self._is_cut(around):
            footing = whole_footing(edition, around)
        else:
            day, _ = self._moments.local(moment)
            footing = cut_footing(edition, (x, y), around, precision, day=day)
        candidates: Candidates = []
        absent = 0.0
        if wanted is not None:
            candidates, absent = self._matcher.weighed(
                wanted, around, precision.covariance, reach_m=near[1]
            )
        chosen = candidates[0][0] if candidates else -1
        about = (case.kind, class_code, self._moments.holding(moment))
        resolution, mixture = self._resolve(about, footing, (candidates, absent), excluded)
        probability, bits = self._judge(resolution, mixture)
        evidence = _evidence(wanted, chosen=chosen, is_wide=is_wide)
        probability = calibrate_owner(probability, resolution.certainty, f"{evidence}/position")
        bits |= self._doubts(around, footing)
        if evidence == "absent":
            bits |= bit_of("component_not_found")
        if class_code is None:
            bits |= bit_of("class_missing")
        if excluded:
            bits |= bit_of("refused")
        if probability < self._thresholds.review_probability:
            bits |= bit_of("low_probability")
        own_share = around.own_share
        return Finding(
            edition=edition,
            case_id=case.case_id,
            asked=lambda: self._asked(about, footing.place, chosen, excluded),
            resolution=resolution,
            reported=(position.x, position.y, crs),
            address=None,
            component_code=None,
            place_found=None,
            x=x,
            y=y,
            sigma_m=precision.sigma_m,
            covariance=precision.oval,
            source="position",
            sightings={"position": (x, y)},
            certainty=1.0,
            grid=around.position,
            on_boundary=around.on_boundary,
            grid_distance_m=around.distance_m,
            edge_distance_m=around.edge_distance_m,
            grid_probability=own_share if own_share >= LEAST_SHARE else 0.0,
            shares=around.shares,
            areas=around.held,
            place=footing.place,
            base=footing.base,
            boundary=footing.boundary,
            side=footing.side,
            named=-1,
            chosen=chosen,
            candidates=candidates,
            reach_m=near[1],
            probability=probability,
            needs_review=bits & review_bits() != 0,
            reasons=_names(bits),
            ways=None if mixture is None else lambda: self._ways(footing, candidates, absent),
            mixture=mixture,
        )

    def _placed(self, position: Position, crs: str) -> tuple[float, float]:
        """Return a position in the city's CRS; nan: it can not be told, which the arrays explain."""
        try:
            return city_point(position.x, position.y, source=crs, city=self._crs)
        except CrsError:
            return nan, nan

    def _is_cut(self, around: Around) -> bool:
        """Tell whether a plan area or a boundary road touches the unit grids of a case."""
        touched = self._touched
        if touched is None:
            return False
        return bool(touched[around.position]) or any(touched[at] for at, _ in around.shares)

    def _matter(self, case: Case, position: Position) -> Matter | None:
        """Return what a case has in common with others; None: it is one for the arrays."""
        key = (
            case.kind,
            case.class_code,
            position.accuracy_m,
            position.accuracy_minor_m,
            position.accuracy_bearing_deg,
        )
        found = self._matters.get(key)
        if found is None:
            found = self._new_matter(case, position)
            if found is not None:  # there is no end of classes that are not known
                if len(self._matters) >= _MATTERS_KEPT:
                    self._matters.clear()
                self._matters[key] = found
        return found

    def _new_matter(self, case: Case, position: Position) -> Matter | None:
        code, precision = case.class_code or None, precision_of(position)
        sigma_m = precision.sigma_m
        if code is not None:
            taxonomy = self._edition.snapshot.taxonomy
            code = taxonomy.restore(code)
            if not taxonomy.exists(case.kind, code):
                return None
        if sigma_m > VAGUE_M:
            return None
        wanted = code if case.kind == "component" else None
        near = (-1, nan) if wanted is None else self._matcher.near(wanted, sigma_m)
        return Matter(code, wanted, precision, near, sigma_m > self._thresholds.match_radius_m)

    def _resolve(
        self,
        about: About,
        footing: Footing,
        meant: tuple[Candidates, float],
        excluded: frozenset[str],
    ) -> tuple[Resolution, Mixture | None]:
        """Return the resolution, and the distribution over units unless there is but one."""
        (kind, class_code, holding), (candidates, absent) = about, meant
        owners = self._owners.of(excluded)
        topic = owners.topic(KIND_NAMES.index(kind), class_code, holding)
        places, meaning = footing.places, self._records.meaning
        meanings = _NO_RECORDS
        if candidates:
            meanings = (*[meaning(row) for row, _, _ in candidates], NO_RECORD)
        found = owners.blend(topic, tuple(places), meanings)
        is_sure = not candidates or (len(candidates) == 1 and absent == 0.0)
        if is_sure and len(places) == 1 and not found.chosen.rivals:
            return found.chosen, None
        weights = [1.0]
        if candidates:
            weights, nobody = owner_weights([share for _, _, share in candidates], absent)
            weights.append(nobody)
        return found.chosen, found.weighed([share for _, share in places.values()], weights)

    def _asked(self, about: About, place: int, row: int, excluded: frozenset[str]) -> OwnerQuestion:
        kind, class_code, holding = about
        record = self._record_of(row) if row >= 0 else None
        chain = self._edition.chains.full(place)
        return OwnerQuestion(kind, class_code, chain, record, holding, excluded)

    def _record_of(self, row: int) -> OwnRecord:
        number = int(self._edition.snapshot.component_records[row])
        found = self._record.get(number)
        if found is None:
            if len(self._record) >= _RECORDS_KEPT:
                self._record.clear()
            found = self._record[number] = self._records.record_of(row)
        return found

    def _ways(self, footing: Footing, candidates: Candidates, absent: float) -> Ways:
        chains, taken = self._edition.chains, list(footing.places.values())
        places = Each(len(taken), lambda at: (chains.full(taken[at][0]), taken[at][1]))
        if not candidates:
            return Ways(places=places, components=[(None, 1.0)], rows=[-1], distance_m=[nan])
        weights, nobody = owner_weights([share for _, _, share in candidates], absent)
        rows = [*(row for row, _, _ in candidates), -1]
        weights.append(nobody)

        def component(at: int) -> tuple[OwnRecord | None, float]:
            return (self._record_of(rows[at]) if rows[at] >= 0 else None), weights[at]

        return Ways(
            places=places,
            components=Each(len(rows), component),
            rows=rows,
            distance_m=[*(away for _, away, _ in candidates), nan],
        )

    def _doubts(self, around: Around, footing: Footing) -> int:
        """Return what is doubtful about the place of a case, as bits."""
        bits, community = 0, around.held[-1]
        if around.distance_m > 0.0:
            bits |= bit_of("outside_grids")
        elif community >= 0 and self._community[around.position] != community:
            bits |= bit_of("area_mismatch")
        if footing.boundary >= 0:
            bits |= bit_of("boundary_road")
            if footing.side == NOBODY:
                bits |= bit_of("boundary_unclear")
        return bits

    def _judge(self, resolution: Resolution, mixture: Mixture | None) -> tuple[float, int]:
        """Return the probability of the unit, and the reasons as bits."""
        bits = _bits(resolution.reasons)
        if mixture is None:
            return resolution.certainty, bits
        least = self._rival
        for rival in mixture.rivals:
            by_cause = rival.by_cause
            if by_cause[_PLACE] >= least:
                bits |= bit_of("edge_responsibility")
            if by_cause[_COMPONENT] + by_cause[_RECORD] >= least:
                bits |= bit_of("cross_responsibility")
        return min(mixture.probability, 1.0), bits


@cache
def _bits(reasons: tuple[str, ...]) -> int:
    result = 0
    for reason in reasons:
        result |= bit_of(reason)
    return result


@cache
def _names(bits: int) -> tuple[str, ...]:
    return names_of(bits)


def _evidence(wanted: str | None, *, chosen: int, is_wide: bool) -> str:
    """Return what a case is about, of ``api.owning.calibration.ABOUT``."""
    if wanted is None:
        return "event"
    if chosen < 0:
        return "absent"
    return "wide" if is_wide else "found"
