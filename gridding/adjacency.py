"""Which grids are neighbours: they share a border of some length, not a corner."""

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]

_JOINT_M = 1.0
"""Least length of a shared border, m."""


def shared_borders(
    polygons: Geometries, *, precision_m: float = 0.01
) -> tuple[Indices, Indices, Floats]:
    """Return the pairs of polygons that share border, and how much of it.

    Two share a border where they have the same segment between the same vertices, as in a valid
    coverage; borders whose vertices differ are not seen. Touching in a point does not count.

    Parameters
    ----------
    polygons : array of shapely.Polygon or MultiPolygon
        In metres.
    precision_m : float
        Vertices within this grid are the same, m.

    Returns
    -------
    left, right : array of int
        Positions, left < right, sorted, each pair once.
    length_m : array of float
        Length of the border they share, m: at least one metre.

    Examples
    --------
    >>> squares = shapely.box([0, 10, 10], [0, 0, 10], [10, 20, 20], [10, 10, 20])
    >>> left, right, length = shared_borders(squares)
    >>> list(zip(left.tolist(), right.tolist(), length.tolist()))
    [(0, 1, 10.0), (1, 2, 10.0)]
    """
    ends, owner = _segments(polygons, precision_m)
    order = np.lexsort((owner, *ends.T[::-1]))
    ends, owner = ends[order], owner[order]
    twin = (ends[1:] == ends[:-1]).all(axis=1) & (owner[1:] != owner[:-1])
    first, second = owner[:-1][twin], owner[1:][twin]
    reach = (ends[1:, 2:] - ends[1:, :2])[twin].astype(np.float64)
    length: Floats = precision_m * np.hypot(reach[:, 0], reach[:, 1])
    pair = np.minimum(first, second) * len(polygons) + np.maximum(first, second)
    pairs, place = np.unique(pair, return_inverse=True)
    total = np.bincount(place, weights=length, minlength=len(pairs)).astype(np.float64)
    joined = total >= _JOINT_M
    count = max(len(polygons), 1)
    return pairs[joined] // count, pairs[joined] % count, total[joined]


def _segments(polygons: Geometries, precision_m: float) -> tuple[NDArray[np.int64], Indices]:
    """Return the segments as whole numbers, lesser end first, and the polygon of each."""
    rings, owner = shapely.get_rings(shapely.get_parts(polygons)), _ring_owners(polygons)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    cells = np.rint(points / precision_m).astype(np.int64)
    start, end = cells[:-1], cells[1:]
    within = (ring[1:] == ring[:-1]) & (start != end).any(axis=1)
    start, end, ring = start[within], end[within], ring[:-1][within]
    swap = (start[:, 0] > end[:, 0]) | ((start[:, 0] == end[:, 0]) & (start[:, 1] > end[:, 1]))
    ends = np.where(swap[:, None], np.hstack([end, start]), np.hstack([start, end]))
    return ends, owner[ring]


def _ring_owners(polygons: Geometries) -> Indices:
    parts, owner = shapely.get_parts(polygons, return_index=True)
    _, part = shapely.get_rings(parts, return_index=True)
    return np.asarray(owner[part], dtype=np.intp)
