"""Tracts 地块: parts of unit grids in each of which the plan sees one and the same chain.

Where no plan area and no boundary road lies, a unit grid is one place. Those that one touches are cut
along the plan areas and the axes, so that the share of an error disc is exact for every chain.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import split

from api.boundaries import FIRST, NOBODY, SECOND, BoundaryRoad, offset
from api.chains import Chained, Chains
from gis.index import CellIndex, Located, Shares

if TYPE_CHECKING:
    from api.edition import Edition

LEVELS = ("district", "street", "community")

_LEAST_M2 = 1e-6
"""A smaller piece is what rounding leaves of a border."""


@dataclass(frozen=True, kw_only=True)
class Tracts:
    """The tracts of the unit grids that are cut; position i of each array is tract i."""

    index: CellIndex
    grid: NDArray[np.intp]
    """Position of the unit grid."""
    place: NDArray[np.int32]
    """Place numbers of ``api.chains``: row 0 on even days of the month, row 1 on odd ones."""


@dataclass(frozen=True, kw_only=True)
class PlaceShares:
    """The places where a case may be: for each case they add up to 1. Sorted by case."""

    case: NDArray[np.intp]
    place: NDArray[np.int32]
    """Place numbers of ``api.chains``."""
    probability: NDArray[np.float64]


def lay_tracts(edition: "Edition") -> Tracts:
    """Cut the unit grids that plan areas or boundary roads touch."""
    chains = edition.chains
    touched = np.flatnonzero(chains.touched)
    shapes = edition.grid_shapes[touched]
    areas = _touching(shapes, chains.plan_areas.shapes)
    roads = _touching(shapes, chains.roads.shapes)
    codes: list[str] = []
    pieces: list[Any] = []
    grids: list[int] = []
    places: list[tuple[int, int]] = []
    for number, grid in enumerate(touched.tolist()):
        cut = _cut(chains, shapes[number], areas[number], roads[number])
        for nth, (piece, held, boundary, side) in enumerate(cut):
            base = chains.in_areas(grid, held)
            codes.append(f"{edition.grids.codes[grid]}/{nth:03}")
            pieces.append(piece)
            grids.append(grid)
            places.append(_on_days(chains, base, boundary, side))
    return Tracts(
        index=CellIndex(codes, pieces),
        grid=np.array(grids, dtype=np.intp),
        place=np.array(places, dtype=np.int32).reshape(-1, 2).T,
    )


def _touching(shapes: NDArray[Any], others: NDArray[Any]) -> list[list[int]]:
    """Return for each shape the positions of the others that touch it, ascending."""
    found: list[list[int]] = [[] for _ in shapes]
    if len(others):
        pairs = shapely.STRtree(others).query(shapes, predicate="intersects")
        for shape, other in zip(*pairs.tolist(), strict=True):
            found[shape].append(other)
    return [sorted(list_) for list_ in found]


_Piece = tuple[Any, tuple[int, ...], int, int]
"""Polygon, plan areas that hold it, boundary road (-1: none), side by the axis (`NOBODY`: by the day)."""


def _cut(chains: Chains, shape: Any, areas: list[int], roads: list[int]) -> list[_Piece]:
    pieces: list[_Piece] = [(shape, (), -1, NOBODY)]
    for area in areas:
        extent = chains.plan_areas.shapes[area]
        parted = []
        for piece, held, boundary, side in pieces:
            inside, outside = _parted(piece, extent)
            parted += [(part, (*held, area), boundary, side) for part in inside]
            parted += [(part, held, boundary, side) for part in outside]
        pieces = parted
    for number in roads:  # the smallest first: what one has taken, no other takes
        road = chains.roads.roads[number]
        parted = []
        for piece, held, boundary, side in pieces:
            if boundary >= 0:
                parted.append((piece, held, boundary, side))
                continue
            inside, outside = _parted(piece, road.shape)
            parted += [(part, held, boundary, side) for part in outside]
            for part in inside:
                parted += [(half, held, number, which) for half, which in _by_axis(part, road)]
        pieces = parted
    return pieces


def _parted(piece: Any, extent: Any) -> tuple[list[Any], list[Any]]:
    """Return the polygons of a piece inside and outside of an extent."""
    return (
        list(_polygons(shapely.intersection(piece, extent))),
        list(_polygons(shapely.difference(piece, extent))),
    )


def _polygons(shape: Any) -> Iterator[Any]:
    for part in shapely.get_parts(shape):
        if shapely.get_type_id(part) == shapely.GeometryType.POLYGON:
            if shapely.area(part) > _LEAST_M2:
                yield part
        elif shapely.get_type_id(part) > shapely.GeometryType.POLYGON:
            yield from _polygons(part)


def _by_axis(piece: Any, road: BoundaryRoad) -> list[tuple[Any, int]]:
    """Return a piece of a boundary road cut along its axis, with the side of each part."""
    if not (road.is_whole and road.sharing == "side"):
        return [(piece, NOBODY)]
    halves = [piece]
    for line in shapely.get_parts(shapely.line_merge(road.axis)):
        cutter = _prolonged(line, by_m=float(shapely.length(shapely.envelope(piece).exterior)))
        halves = [half for part in halves for half in _polygons(split(part, cutter))]
    points = shapely.point_on_surface(np.array(halves, dtype=object))
    left = offset(road.axis, shapely.get_x(points), shapely.get_y(points)) >= 0.0
    return [
        (half, FIRST if is_left else SECOND)
        for half, is_left in zip(halves, left.tolist(), strict=True)
    ]


def _prolonged(line: Any, *, by_m: float) -> Any:
    """Return a line with both its ends drawn on straight."""
    points = shapely.get_coordinates(line)
    ends = []
    for end, before in ((points[0], points[1]), (points[-1], points[-2])):
        along = end - before
        ends.append(end + along * (by_m / max(float(np.hypot(*along)), 1e-9)))
    return shapely.LineString([ends[0], *points, ends[1]])


def _on_days(chains: Chains, base: int, boundary: int, side: int) -> tuple[int, int]:
    """Return the place numbers of a tract on even and on odd days."""
    if boundary < 0:
        return base, base
    road = chains.roads.roads[boundary]
    if not road.is_whole:
        return base, base
    answering = {"odd_even": (SECOND, FIRST), "joint": (FIRST, FIRST)}.get(
        road.sharing, (side, side)
    )
    even, odd = (
        chains.on_side(base, boundary, which) if chains.knows(boundary, which) else base
        for which in answering
    )
    return even, odd


def place_shares(
    edition: "Edition",
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    *,
    grid: Located,
    shares: Shares,
    chained: Chained,
    precision: tuple[NDArray[np.float64], NDArray[np.int64]],
) -> PlaceShares:
    """Return where cases may be, as places with probabilities.

    The shares of the error disc in the unit grids are taken, those of grids that are cut by tracts.
    They are scaled to add up to 1, as a case lies in the city; for a place outside every grid what is
    left of its disc goes to its own place. A case without accuracy is where it is.

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
        Standard deviation per axis, m, and day of the report (month times 100 plus day).
    """
    sigma_m, day = precision
    case, place = shares.point, shares.position.astype(np.int32)
    probability = shares.probability
    is_inside = (grid.position >= 0) & (grid.distance_m == 0.0)
    if not len(edition.grids.rows):
        case, place, probability, is_inside = _in_areas(edition, x, y, sigma_m)
    tracts = edition.tracts if edition.chains.touched.any() else None
    if tracts is not None:
        is_cut = edition.chains.touched[shares.position]
        cases = np.unique(case[is_cut])
        found = tracts.index.shares(x[cases], y[cases], sigma_m[cases])
        cut_case = cases[found.point]
        cut_place = tracts.place[day[cut_case] % 2, found.position]
        case = np.concatenate([case[~is_cut], cut_case])
        place = np.concatenate([place[~is_cut], cut_place])
        probability = np.concatenate([probability[~is_cut], found.probability])
    is_sharp = ~(np.isfinite(sigma_m) & (sigma_m > 0.0))
    keep = ~is_sharp[case]
    case, place, probability = case[keep], place[keep], probability[keep]
    total = np.bincount(case, weights=probability, minlength=len(x))
    scale = np.where(is_inside & (total > 0.0), total, np.maximum(total, 1.0))
    rest = np.where(is_inside & (total > 0.0), 0.0, 1.0 - np.minimum(total, 1.0))
    own = np.flatnonzero(rest > 0.0)
    case = np.concatenate([case, own])
    place = np.concatenate([place, chained.place[own]])
    probability = np.concatenate([probability / scale[case[: len(probability)]], rest[own]])
    order = np.lexsort((place, -probability.round(9), case))
    return PlaceShares(case=case[order], place=place[order], probability=probability[order])


_InAreas = tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float64], NDArray[np.bool_]]


def _in_areas(
    edition: "Edition",
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    sigma_m: NDArray[np.float64],
) -> _InAreas:
    """Return the shares of the smallest areas that have polygons, for a city without unit grids."""
    level = next((name for name in reversed(LEVELS) if len(edition.areas[name].rows)), LEVELS[0])
    cells = edition.areas[level]
    shares = cells.index.shares(x, y, sigma_m)
    numbers = [edition.chains.number(edition.chain_of(code)) for code in cells.codes]
    place = np.array(numbers, dtype=np.int32)[shares.position]
    is_inside = cells.index.locate(x, y).distance_m == 0.0
    return shares.point, place, shares.probability, is_inside
