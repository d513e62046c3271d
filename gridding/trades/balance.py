"""Connected sets of unit grids with about equal load, inside each area; and how well they came out."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.errors import RequestError
from gridding.graph import Floats, Indices
from gridding.trades.adjacency import Adjacency, neighbours, part_of, pieces
from gridding.trades.growth import Ground, farthest_seeds, grow, improve, middles, worth_of

_ROUNDS = 8


@dataclass(frozen=True, kw_only=True)
class Balance:
    """How even and how compact a division into sets is."""

    sets: int
    load_cv: float
    """Standard deviation of the load over its mean."""
    load_max_to_mean: float
    grids_cv: float
    """The same of the number of unit grids."""
    compactness_median: float
    """4π x area / perimeter², 1 for a circle."""
    compactness_p10: float
    disconnected: int
    """Sets in more than one piece."""


def balance(
    polygons: NDArray[np.object_],
    load: Floats,
    *,
    areas: NDArray[np.object_],
    count: int,
) -> Indices:
    """Return a set for every unit grid: connected, inside one area, with about the mean load.

    Each area gets sets by its load, and each of its pieces one at least: no set crosses an area's
    border or what parts its pieces. The result is the same for any order of the input.

    Parameters
    ----------
    polygons : array of shapely.Polygon
        Unit grids in metres.
    load : array of float
        Load of each, not negative.
    areas : array of str
        Code of the community, street or district that a set must stay inside.
    count : int
        Sets wanted; more where there are more pieces, fewer where there are fewer grids.

    Raises
    ------
    RequestError
        `count` is less than 1.

    Examples
    --------
    >>> row = shapely.box(range(0, 60, 10), 0, range(10, 70, 10), 10)
    >>> areas = np.array(["130102001"] * 6)
    >>> balance(row, np.array([3.0, 1, 1, 1, 1, 3]), areas=areas, count=2).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    if count < 1:
        msg = f"{count} sets can not be made: ask for 1 or more."
        raise RequestError(msg, zh=f"无法划分为 {count} 个：请给出不小于 1 的数目。")
    order = _canonical(polygons)
    shapes, weights = polygons[order], np.maximum(load[order], 0.0)
    if not weights.any():
        weights = np.ones(len(shapes))
    weights = weights + 1e-6 * weights.mean()
    adjacency = neighbours(shapes)
    number = np.unique(areas[order].astype(str), return_inverse=True)[1].astype(np.intp)
    piece = pieces(adjacency, labels=number)
    labels = np.zeros(len(shapes), dtype=np.intp)
    shares = allot(
        np.bincount(piece, weights=weights).astype(np.float64),
        np.bincount(piece).astype(np.intp),
        count=count,
    )
    done = 0
    for place, share in enumerate(shares.tolist()):
        rows = np.flatnonzero(piece == place)
        labels[rows] = done + _divide(shapes[rows], weights[rows], part_of(adjacency, rows), share)
        done += share
    result = np.empty(len(labels), dtype=np.intp)
    result[order] = labels
    return result


def _canonical(polygons: NDArray[np.object_]) -> Indices:
    box = np.round(shapely.bounds(polygons), 3)
    spot = np.round(shapely.get_coordinates(shapely.centroid(polygons)), 3)
    return np.lexsort((spot[:, 1], spot[:, 0], box[:, 3], box[:, 2], box[:, 1], box[:, 0]))


def allot(loads: Floats, room: Indices, *, count: int) -> Indices:
    """Return how many sets each piece gets: one at least, the rest by load, never more than grids.

    The next set always goes to the piece whose sets would stay the heaviest (Adams 1840, D'Hondt).

    Examples
    --------
    >>> allot(np.array([60.0, 30.0, 1.0]), np.array([9, 9, 1]), count=7).tolist()
    [4, 2, 1]
    """
    shares = np.ones(len(loads), dtype=np.intp)
    for _ in range(count - len(loads)):
        heavy = np.where(shares < room, loads / shares, -1.0)
        heaviest = int(np.argmax(heavy))
        if heavy[heaviest] < 0:
            break
        shares[heaviest] += 1
    return shares


def _divide(shapes: NDArray[np.object_], load: Floats, adjacency: Adjacency, count: int) -> Indices:
    """Return the sets of one connected piece, numbered in the order of their first grids."""
    if count == 1:
        return np.zeros(len(shapes), dtype=np.intp)
    ground = _ground(shapes, load, adjacency, count)
    seeds = farthest_seeds(ground, count)
    best: Indices | None = None
    cost = np.inf
    for _ in range(_ROUNDS):
        labels = grow(ground, seeds)
        if (told := worth_of(ground, labels, count)) < cost:
            best, cost = labels, told
        seeds = middles(ground, labels, count)
    assert best is not None
    labels = improve(ground, best.copy(), count, 1)
    firsts = np.unique(labels, return_index=True)[1]
    rank = np.argsort(np.argsort(firsts, kind="stable"), kind="stable")
    ranked: Indices = rank[labels].astype(np.intp)
    return ranked


def _ground(shapes: NDArray[np.object_], load: Floats, adjacency: Adjacency, count: int) -> Ground:
    """Return a piece as the search sees it, lengths over the side of a usual set."""
    source = np.concatenate([adjacency.left, adjacency.right])
    target = np.concatenate([adjacency.right, adjacency.left])
    side = float(np.sqrt(shapely.area(shapes).sum() / count))
    order = np.lexsort((target, source))
    first = np.zeros(len(shapes) + 1, dtype=np.intp)
    np.cumsum(np.bincount(source, minlength=len(shapes)), out=first[1:])
    middle = shapely.get_coordinates(shapely.centroid(shapes)) / side
    length = np.round(np.tile(adjacency.length_m, 2)[order] / side, 9)
    return Ground(
        first=first,
        near=target[order].astype(np.intp),
        length=length,
        load=load.astype(np.float64),
        x=np.round(middle[:, 0] - middle[:, 0].min(), 9),
        y=np.round(middle[:, 1] - middle[:, 1].min(), 9),
    )


def measure(polygons: NDArray[np.object_], labels: Indices, load: Floats) -> Balance:
    """Return how even and compact sets are.

    Examples
    --------
    >>> row = shapely.box(range(0, 40, 10), 0, range(10, 50, 10), 10)
    >>> told = measure(row, np.array([0, 0, 1, 1]), np.array([1.0, 2.0, 2.0, 1.0]))
    >>> told.sets, told.load_cv, round(told.compactness_median, 3), told.disconnected
    (2, 0.0, 0.698, 0)
    """
    count = int(labels.max()) + 1
    weight = np.bincount(labels, weights=load, minlength=count)
    grids = np.bincount(labels, minlength=count)
    order = np.argsort(labels, kind="stable")
    parts = np.split(polygons[order], np.cumsum(grids)[:-1])
    unions = np.array([shapely.union_all(part) for part in parts], dtype=object)
    shape = 4 * np.pi * shapely.area(unions) / shapely.length(unions) ** 2
    piece = pieces(neighbours(polygons), labels=labels)
    per_set = np.bincount(labels[np.unique(piece, return_index=True)[1]], minlength=count)
    mean = max(float(weight.mean()), 1e-12)
    return Balance(
        sets=count,
        load_cv=round(float(weight.std()) / mean, 4),
        load_max_to_mean=round(float(weight.max()) / mean, 4),
        grids_cv=round(float(grids.std() / grids.mean()), 4),
        compactness_median=round(float(np.median(shape)), 4),
        compactness_p10=round(float(np.quantile(shape, 0.1)), 4),
        disconnected=int((per_set > 1).sum()),
    )
