"""Which unit grids are neighbours, and into how many pieces a set of them falls."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridding.graph import Floats, Indices

LEAST_BORDER_M = 1.0
"""Two grids that share more border than this are neighbours, m; less is a meeting of corners."""
TOLERANCE_M = 0.05
"""Borders of delivered grids that lie so near each other are one, m."""


@dataclass(frozen=True, kw_only=True)
class Adjacency:
    """Pairs of neighbours, each once, sorted by (left, right)."""

    count: int
    """Number of grids."""
    left: Indices
    right: Indices
    """Greater than `left`."""
    length_m: Floats
    """Border that the two share, m."""


def neighbours(polygons: NDArray[np.object_]) -> Adjacency:
    """Return which polygons share more than a metre of border.

    Parameters
    ----------
    polygons : array of shapely.Polygon or MultiPolygon
        In metres. Borders up to 5 cm apart count as shared: not every layer is a clean coverage.

    Examples
    --------
    >>> squares = shapely.box([0, 10, 10], [0, 0, 10], [10, 20, 20], [10, 10, 20])
    >>> pairs = neighbours(squares)
    >>> pairs.left.tolist(), pairs.right.tolist(), pairs.length_m.round().tolist()
    ([0, 1], [1, 2], [10.0, 10.0])
    """
    shapes = np.asarray(polygons, dtype=object)
    near, far = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=TOLERANCE_M)
    pair = near < far
    near, far = near[pair].astype(np.intp), far[pair].astype(np.intp)
    rims = shapely.boundary(shapes)
    broad = shapely.buffer(shapes, TOLERANCE_M, quad_segs=1, join_style="mitre")
    length = shapely.length(shapely.intersection(rims[near], broad[far]))
    keep = length > LEAST_BORDER_M
    near, far, length = near[keep], far[keep], length[keep]
    order = np.lexsort((far, near))
    return Adjacency(count=len(shapes), left=near[order], right=far[order], length_m=length[order])


def pieces(adjacency: Adjacency, *, labels: Indices | None = None) -> Indices:
    """Return the number of the piece that each grid lies in, numbered by their first grids.

    Parameters
    ----------
    adjacency : Adjacency
        Neighbours.
    labels : array of int or None
        Only neighbours of the same label hang together; None: all do.

    Examples
    --------
    >>> pairs = neighbours(shapely.box([0, 10, 30], [0, 0, 0], [10, 20, 40], [10, 10, 10]))
    >>> pieces(pairs).tolist(), pieces(pairs, labels=np.array([0, 1, 1])).tolist()
    ([0, 0, 1], [0, 1, 2])
    """
    left, right = adjacency.left, adjacency.right
    if labels is not None:
        same = labels[left] == labels[right]
        left, right = left[same], right[same]
    size = adjacency.count
    matrix = coo_array((np.ones(len(left)), (left, right)), shape=(size, size))
    found = connected_components(matrix, directed=False)[1]
    firsts = np.unique(found, return_index=True)[1]
    rank = np.argsort(np.argsort(firsts, kind="stable"), kind="stable")
    piece: Indices = rank[found].astype(np.intp)
    return piece


def part_of(adjacency: Adjacency, rows: Sequence[int] | Indices) -> Adjacency:
    """Return the neighbours among some of the grids, renumbered in the order of `rows`.

    Examples
    --------
    >>> pairs = neighbours(shapely.box([0, 10, 20], [0, 0, 0], [10, 20, 30], [10, 10, 10]))
    >>> part = part_of(pairs, [2, 1])
    >>> part.count, part.left.tolist(), part.right.tolist()
    (2, [0], [1])
    """
    wanted = np.asarray(rows, dtype=np.intp)
    place = np.full(adjacency.count, -1, dtype=np.intp)
    place[wanted] = np.arange(len(wanted))
    left, right = place[adjacency.left], place[adjacency.right]
    both = (left >= 0) & (right >= 0)
    low, high = np.minimum(left, right)[both], np.maximum(left, right)[both]
    order = np.lexsort((high, low))
    return Adjacency(
        count=len(wanted),
        left=low[order],
        right=high[order],
        length_m=adjacency.length_m[both][order],
    )
