"""The order in which an inspector walks the grids of a community: a path from neighbour to neighbour.

The code's order is read from a map; this one is walked. A path through the centres is built from the
north-western grid to the nearest next one, then shortened by 2-opt (Croes 1958) and by moving up to
three grids elsewhere (Or 1976) over near neighbours only, so that the effort grows with the number of
grids. A step between grids that share no border costs the width of a grid more than its length.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from gridding.adjacency import Floats, Indices, shared_borders
from gridding.numbering import reading_order
from gridding.route import improve_route

_NEAR = 10
"""Near grids that a step may lead to, besides the neighbours."""


@dataclass(frozen=True, kw_only=True)
class OrderFigures:
    """How well an order of grids can be walked, over all communities."""

    mean_jump_m: float
    """Mean distance between the centres of consecutive grids, m."""
    adjacent_share: float
    """Share of consecutive grids that share a border."""
    longest_jump_m: float
    """Mean over the communities of the longest distance, m."""


def patrol_order(grids: gpd.GeoDataFrame, *, target_m2: float = 10_000.0) -> "pd.Series[int]":
    """Return the position of every grid on the patrol path 巡查顺序 of its community, from 1.

    The same grids in any order of rows get the same positions. The path begins at that of its ends
    which comes first in reading order.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``community_code`` and ``geometry`` (polygons, a coverage) in a metric CRS.
    target_m2 : float
        Area of a usual grid, m².

    Examples
    --------
    >>> corners = [(0, 0), (100, 0), (100, 100), (0, 100)]
    >>> squares = [shapely.box(x, y, x + 100, y + 100) for x, y in corners]
    >>> grids = gpd.GeoDataFrame({"community_code": "1"}, geometry=squares, index=range(4))
    >>> patrol_order(grids).tolist()
    [4, 3, 2, 1]
    """
    reading = reading_order(grids, target_m2=target_m2)
    community = grids["community_code"].astype(str).to_numpy()
    rows = np.lexsort((reading.to_numpy(), community))
    shapes = grids.geometry.to_numpy()[rows]
    centre = _centres(shapes)
    left, right, _ = shared_borders(shapes)
    result = np.empty(len(grids), dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, community[rows][1:] != community[rows][:-1]])
    for first, last in zip(starts, np.append(starts[1:], len(rows)), strict=True):
        inside = (left >= first) & (right < last) & (left < last) & (right >= first)
        path = _path(centre[first:last], left[inside] - first, right[inside] - first, target_m2)
        result[rows[first + path]] = np.arange(1, len(path) + 1)
    return pd.Series(result, index=grids.index, name="patrol_order")


def measure_order(grids: gpd.GeoDataFrame, order: "pd.Series[int]") -> OrderFigures:
    """Measure an order of the grids of each community: jumps between centres, and neighbours.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``community_code`` and ``geometry``.
    order : pandas.Series
        Sorts the grids of a community; index of `grids`.

    Examples
    --------
    >>> squares = [shapely.box(x, 0, x + 100, 100) for x in (0, 100, 200)]
    >>> grids = gpd.GeoDataFrame({"community_code": "1"}, geometry=squares, index=range(3))
    >>> figures = measure_order(grids, pd.Series([1, 3, 2]))
    >>> figures.mean_jump_m, figures.adjacent_share, figures.longest_jump_m
    (150.0, 0.5, 200.0)
    """
    community = grids["community_code"].astype(str).to_numpy()
    shapes = grids.geometry.to_numpy()
    rows = np.lexsort((order.reindex(grids.index).to_numpy(), community))
    centre = _centres(shapes)[rows]
    step = community[rows][1:] == community[rows][:-1]
    jump = np.hypot(*(centre[1:] - centre[:-1])[step].T)
    if len(jump) == 0:
        return OrderFigures(mean_jump_m=0.0, adjacent_share=1.0, longest_jump_m=0.0)
    left, right, _ = shared_borders(shapes)
    joined = left * len(shapes) + right
    one, other = rows[:-1][step], rows[1:][step]
    taken = np.minimum(one, other) * len(shapes) + np.maximum(one, other)
    longest = pd.Series(jump).groupby(community[rows][1:][step]).max()
    return OrderFigures(
        mean_jump_m=float(jump.mean()),
        adjacent_share=float(np.isin(taken, joined).mean()),
        longest_jump_m=float(longest.mean()),
    )


def _centres(shapes: "np.ndarray[tuple[int], np.dtype[np.object_]]") -> Floats:
    """Return centroids in centimetres' rounding, so that the last bits of a sum decide nothing."""
    centre = np.round(shapely.get_coordinates(shapely.centroid(shapes)), 2)
    return np.asarray(centre, dtype=np.float64)


def _path(centre: Floats, left: Indices, right: Indices, target_m2: float) -> Indices:
    """Return the rows of one community, given in reading order, along the path."""
    count = len(centre)
    if count < 3:
        return np.arange(count, dtype=np.intp)
    first, near = _rows_of(left, right, count)
    place = centre - centre.min(axis=0)
    tree = cKDTree(place)
    _, nearest = tree.query(place, k=min(_NEAR + 1, count))
    self_free = np.repeat(np.arange(count), nearest.shape[1])
    choice_first, choice = _rows_of(self_free, nearest.ravel(), count, left, right)
    path = improve_route(place, (first, near), (choice_first, choice), float(np.sqrt(target_m2)))
    return path if path[0] < path[-1] else path[::-1].copy()


def _rows_of(
    left: Indices,
    right: Indices,
    count: int,
    more_left: Indices | None = None,
    more_right: Indices | None = None,
) -> tuple[Indices, Indices]:
    """Return a symmetric relation as compressed rows, each row sorted, without the diagonal."""
    if more_left is not None and more_right is not None:
        left, right = np.append(left, more_left), np.append(right, more_right)
    both = np.unique(np.append(left * count + right, right * count + left))
    one, other = both // count, both % count
    one, other = one[one != other], other[one != other]
    first = np.searchsorted(one, np.arange(count + 1))
    return first.astype(np.intp), other.astype(np.intp)
