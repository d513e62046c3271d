"""The units that many cases may belong to: the sums of ``api.owning.mixture``, in arrays.

A case that lies surely in places of one effect and is surely about one record has the distribution of
its resolution; all others are summed over their places and components.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from api.columns import Floats, Mask, Numbers
from api.owning.mixing import merge, pairs, sum_up
from api.owning.record_table import NO_RECORD, record_table_of
from api.placing.calm import calm_cases
from api.placing.chains import Chained
from api.placing.tracts import PlaceShares, place_shares
from api.placing.vagueness import is_vague
from gis.index import Located, Shares

if TYPE_CHECKING:
    from api.edition import Edition
    from api.matching.components import Matches
    from api.owning.owner_table import OwnerTable
    from api.placing.locate import Placed

Rows = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the choice of the owning unit of each case was made from."""

    topic: NDArray[np.int64]
    effect: Numbers
    record: Numbers
    """Meaning of the record of the component chosen."""
    day: NDArray[np.int64]
    number: Numbers
    """Resolution of the place and component taken."""
    sums_components: Mask
    """Cases that are about one of the components matched, and not about one they name."""


@dataclass(frozen=True, kw_only=True)
class Mixtures:
    """The distribution over units of each case."""

    probability: Floats
    """Of the unit taken, the place of the case being what it is said to be."""
    other: Numbers
    """Number of the most probable other unit, of equals the lowest code; -1: there is none."""
    other_probability: Floats
    by_place: Floats
    """Largest probability of another unit because the place may be another 接边."""
    by_cross: Floats
    """Largest probability of another unit because of the component, or the plan 交叉."""


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where the cases lie."""

    placed: "Placed"
    grid: Located
    chained: Chained
    covariance: Floats | None
    """Errors that are no circles, nan for the others; None: all are circles."""


def mix_cases(
    edition: "Edition", owners: "OwnerTable", ground: Ground, matches: "Matches", asked: Asked
) -> Mixtures:
    """Return the distribution over units of many cases.

    Parameters
    ----------
    edition : Edition
        Rows that hold on the day.
    owners : OwnerTable
        Resolutions.
    ground : Ground
        Where the cases lie.
    matches : Matches
        Components they may be about.
    asked : Asked
        What their units were chosen from.
    """
    places = _places(edition, ground, asked)
    components = _components(edition, matches, asked)
    starts, component_starts = places[0], components[0]
    sizes = np.diff(starts) * np.diff(component_starts)
    room = int(sizes.sum()) - len(sizes)
    keys = (
        np.empty(room, dtype=np.int64),
        np.empty(room, dtype=np.int32),
        np.empty(room, dtype=np.int32),
    )
    pairs(asked.topic, places, components, keys)
    others = owners.numbers(*keys)
    count = len(asked.topic)
    found = Mixtures(
        probability=np.empty(count),
        other=np.empty(count, dtype=np.int32),
        other_probability=np.empty(count),
        by_place=np.empty(count),
        by_cross=np.empty(count),
    )
    sum_up((asked.number, others), places, components, owners.told(), tuple(vars(found).values()))
    return found


Merged = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]


def _places(edition: "Edition", ground: Ground, asked: Asked) -> Merged:
    """Return the effects of the places where each case may lie, with probabilities."""
    count = len(asked.topic)
    first, last = np.zeros(count, dtype=np.intp), np.zeros(count, dtype=np.intp)
    effects, weights = np.empty(0, dtype=np.int32), np.empty(0)
    open_, shares = _reaching(edition, ground, asked)
    if len(open_):
        found = _shares_of(edition, ground, asked, open_, shares)
        effects, weights = edition.chains.effects(found.place), found.probability
        bounds = _bounds(found.case, len(open_))
        first[open_], last[open_] = bounds[:-1], bounds[1:]
    return _merged(asked.effect, (first, last, effects, weights), np.zeros(count))


def _reaching(edition: "Edition", ground: Ground, asked: Asked) -> tuple[Rows, Shares]:
    """Return the cases that may lie in places of several effects, with their shares of unit grids.

    The shares name cases by their positions among those returned.
    """
    placed, grid = ground.placed, ground.grid
    near = np.isfinite(placed.x)
    if not len(edition.grids.rows):
        none = np.empty(0, dtype=np.intp)
        return np.flatnonzero(near), Shares(point=none, position=none, probability=np.empty(0))
    is_inside = grid.distance_m == 0.0
    near &= ~(is_inside & calm_cases(edition, (placed, ground.covariance), asked.effect))
    cases = np.flatnonzero(near)
    vague = is_vague(placed.sigma_m[cases])
    shares = edition.grids.index.shares(
        np.where(vague, np.nan, placed.x[cases]),
        placed.y[cases],
        placed.sigma_m[cases],
        covariance=None if ground.covariance is None else ground.covariance[cases],
    )
    effect = edition.chains.effects(shares.position.astype(np.int32))
    differs = effect != asked.effect[cases[shares.point]]
    if len(edition.plan_areas):
        differs |= edition.chains.touched[shares.position]
    is_open = vague | ~is_inside[cases]
    is_open[shares.point[differs]] = True
    place = np.cumsum(is_open) - 1
    kept = is_open[shares.point]
    return cases[is_open], Shares(
        point=place[shares.point[kept]],
        position=shares.position[kept],
        probability=shares.probability[kept],
    )


def _shares_of(
    edition: "Edition", ground: Ground, asked: Asked, cases: Rows, shares: Shares
) -> PlaceShares:
    """Return the places of some cases; they are numbered by their positions among these."""
    placed, grid = ground.placed, ground.grid
    return place_shares(
        edition,
        placed.x[cases],
        placed.y[cases],
        grid=Located(
            position=grid.position[cases],
            on_boundary=grid.on_boundary[cases],
            distance_m=grid.distance_m[cases],
        ),
        shares=shares,
        chained=ground.chained.only(cases.tolist()),
        precision=(placed.sigma_m[cases], placed.covariance[cases], asked.day[cases]),
    )


def _components(edition: "Edition", matches: "Matches", asked: Asked) -> Merged:
    """Return the meanings of the records of what each case may be about, with probabilities."""
    count = len(asked.topic)
    bounds = _bounds(matches.question, count)
    sums = asked.sums_components
    first, last = np.where(sums, bounds[:-1], 0), np.where(sums, bounds[1:], 0)
    meanings = record_table_of(edition).meanings(matches.row)
    runs = (first, last, meanings, matches.owner_weight)
    return _merged(asked.record, runs, np.where(sums, matches.owner_absent, 0.0))


def _merged(own: Numbers, runs: tuple[Any, ...], spare: Floats) -> Merged:
    first, last, keys, _ = runs
    room = int((last - first).sum()) + 2 * len(own)
    starts = np.zeros(len(own) + 1, dtype=np.intp)
    merged = np.empty(room, dtype=np.int32), np.empty(room)
    merge(
        own,
        (first, last, keys.astype(np.int32, copy=False), runs[3]),
        (NO_RECORD, spare),
        starts,
        merged,
    )
    return starts, *merged


def _bounds(case: Rows, count: int) -> Rows:
    """Return where the entries of each case begin, and past the last; they lie case by case."""
    return np.concatenate([[0], np.cumsum(np.bincount(case, minlength=count))])
