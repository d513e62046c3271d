"""Tracts 地块: parts of unit grids in each of which the plan sees one and the same chain.

Where no plan area and no boundary road lies, a unit grid is one place. Those that one touches are cut
along the plan areas and the axes, so that the share of an error disc is exact for every chain.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from api.placing.boundaries import FIRST, NOBODY, SECOND
from api.placing.chains import Chained, Chains
from api.placing.partition import Pieces, partition
from api.placing.vagueness import Middles, is_vague, lay_middles, vague_shares
from gis.index import CellIndex, Located, Shares

if TYPE_CHECKING:
    from api.cells import Cells
    from api.edition import Edition

LEVELS = ("district", "street", "community")


@dataclass(frozen=True, kw_only=True)
class Tracts:
    """The tracts of the unit grids that are cut; position i of each array is tract i.

    Of two rows, row 0 is for even days of the month and row 1 for odd ones.
    """

    index: CellIndex
    shapes: NDArray[Any]
    """Their polygons."""
    grid: NDArray[np.intp]
    """Position of the unit grid."""
    base: NDArray[np.int32]
    """Place number, see ``api.placing.chains``, before the boundary road is looked at."""
    boundary: NDArray[np.int32]
    """Position among the boundary roads of the day, -1: none."""
    side: NDArray[np.int8]
    """Two rows: which area of the boundary road answers, `NOBODY`: none, or there is no road."""
    place: NDArray[np.int32]
    """Two rows: the place number that decides."""


@dataclass(frozen=True, kw_only=True)
class PlaceShares:
    """The places where a case may be: for each case they add up to 1. Sorted by case."""

    case: NDArray[np.intp]
    place: NDArray[np.int32]
    """Place numbers of ``api.placing.chains``."""
    probability: NDArray[np.float64]


def lay_tracts(edition: "Edition") -> Tracts:
    """Cut the unit grids that plan areas or boundary roads touch."""
    chains = edition.chains
    touched = np.flatnonzero(chains.touched)
    pieces = partition(edition.grid_shapes[touched], chains.plan_areas.shapes, chains.roads.roads)
    grid = touched[pieces.cell]
    nth = np.arange(len(grid)) - np.searchsorted(grid, grid)
    codes = [
        f"{code}/{number:04}"
        for code, number in zip(edition.grids.codes[grid], nth.tolist(), strict=True)
    ]
    base = [
        chains.in_areas(number, held)
        for number, held in zip(grid.tolist(), pieces.held, strict=True)
    ]
    side = np.stack([_sides(chains, pieces, is_odd=is_odd) for is_odd in (False, True)])
    place = [
        [
            number if answering == NOBODY else chains.on_side(number, road, answering)
            for number, road, answering in zip(base, pieces.boundary.tolist(), row, strict=True)
        ]
        for row in side.tolist()
    ]
    return Tracts(
        index=CellIndex(codes, pieces.shape.tolist()),
        shapes=pieces.shape,
        grid=grid,
        base=np.array(base, dtype=np.int32),
        boundary=pieces.boundary,
        side=side,
        place=np.array(place, dtype=np.int32).reshape(2, -1),
    )


def _sides(chains: Chains, pieces: Pieces, *, is_odd: bool) -> NDArray[np.int8]:
    """Return which area of its boundary road answers in each piece on even or on odd days."""
    side = pieces.side.copy()
    for number, road in enumerate(chains.roads.roads):
        here = pieces.boundary == number
        if road.is_whole and road.sharing != "side":
            side[here] = SECOND if road.sharing == "odd_even" and not is_odd else FIRST
        for which in (FIRST, SECOND):
            if not chains.knows(number, which):
                side[here & (side == which)] = NOBODY
    return side


def place_shares(
    edition: "Edition",
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    grid: Located,
    shares: Shares,
    chained: Chained,
    precision: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]],
) -> PlaceShares:
    """Return where cases may be, as places with probabilities.

    The shares of the error disc in the unit grids are taken, those of grids that are cut by tracts.
    They are scaled to add up to 1, as a case lies in the city; for a place outside every grid what is
    left of its disc goes to its own place. A case without accuracy is where it is; that of a vague
    position (``api.placing.vagueness``) has the shares of places of different effect, not of grids.

    Parameters
    ----------
    x, y : ndarray
        Places in the city's CRS, m.
    grid : Located
        Their unit grids.
    shares : Shares
        Shares of the unit grids, as ``CellIndex.shares`` gives them.
    chained : Chained
        Their chains.
    precision : tuple of ndarray
        Standard deviation per axis, m; covariance, m², one row xx, xy, yy each; and day of the report
        (month times 100 plus day).
    """
    sigma_m, covariance, day = precision
    case, place = shares.point, shares.position.astype(np.int32)
    probability = shares.probability
    is_inside = (grid.position >= 0) & (grid.distance_m == 0.0)
    if not len(edition.grids.rows):
        case, place, probability, is_inside = _in_areas(edition, x, y, (sigma_m, covariance))
    tracts = edition.tracts if edition.chains.touched.any() else None
    if tracts is not None:
        is_cut = edition.chains.touched[shares.position]
        cases = np.unique(case[is_cut])
        found = tracts.index.shares(
            x[cases], y[cases], sigma_m[cases], covariance=covariance[cases]
        )
        cut_case = cases[found.point]
        cut_place = tracts.place[day[cut_case] % 2, found.position]
        case = np.concatenate([case[~is_cut], cut_case])
        place = np.concatenate([place[~is_cut], cut_place])
        probability = np.concatenate([probability[~is_cut], found.probability])
    is_sharp = ~(np.isfinite(sigma_m) & (sigma_m > 0.0))
    vague = np.flatnonzero(is_vague(sigma_m))
    keep = ~(is_sharp | is_vague(sigma_m))[case]
    case, place, probability = case[keep], place[keep], probability[keep]
    if len(vague):
        middles = edition.kept("middles", lambda: _middles(edition))
        errors = covariance[vague], day[vague] % 2
        of, vague_place, share = vague_shares(middles, (x[vague], y[vague]), *errors)
        case = np.concatenate([case, vague[of]])
        place = np.concatenate([place, vague_place])
        probability = np.concatenate([probability, share])
    total = np.bincount(case, weights=probability, minlength=len(x))
    scale = np.where(is_inside & (total > 0.0), total, np.maximum(total, 1.0))
    rest = np.where(is_inside & (total > 0.0), 0.0, 1.0 - np.minimum(total, 1.0))
    own = np.flatnonzero(rest > 0.0)
    case = np.concatenate([case, own])
    place = np.concatenate([place, chained.place[own]])
    probability = np.concatenate([probability / scale[case[: len(probability)]], rest[own]])
    order = np.lexsort((place, -probability.round(9), case))
    return PlaceShares(case=case[order], place=place[order], probability=probability[order])


def _middles(edition: "Edition") -> Middles:
    """Return whole unit grids, the tracts of the others, and in a city without any its areas."""
    chains = edition.chains
    if not len(edition.grids.rows):
        cells, place = _smallest_areas(edition)
        rows = edition.snapshot.table("areas")["geometry"].take(cells.rows).to_numpy()
        return lay_middles(edition, shapely.from_wkb(rows), np.stack([place, place]))
    whole = np.flatnonzero(~chains.touched).astype(np.int32)
    shapes, place = edition.grid_shapes[whole], np.stack([whole, whole])
    if len(whole) < len(chains.touched):
        tracts = edition.tracts
        shapes = np.concatenate([shapes, tracts.shapes])
        place = np.concatenate([place, tracts.place], axis=1)
    return lay_middles(edition, shapes, place)


def _smallest_areas(edition: "Edition") -> tuple["Cells", NDArray[np.int32]]:
    """Return the smallest areas that have polygons, with their place numbers."""
    level = next((name for name in reversed(LEVELS) if len(edition.areas[name].rows)), LEVELS[0])
    cells = edition.areas[level]
    numbers = [edition.chains.number(edition.chain_of(code)) for code in cells.codes]
    return cells, np.array(numbers, dtype=np.int32)


_InAreas = tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float64], NDArray[np.bool_]]


def _in_areas(
    edition: "Edition",
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    errors: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> _InAreas:
    """Return the shares of the smallest areas that have polygons, for a city without unit grids."""
    cells, numbers = _smallest_areas(edition)
    sigma_m, covariance = errors
    shares = cells.index.shares(x, y, sigma_m, covariance=covariance)
    is_inside = cells.index.locate(x, y).distance_m == 0.0
    return shares.point, numbers[shares.position], shares.probability, is_inside
