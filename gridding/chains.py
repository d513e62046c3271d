"""Segments joined into chains."""

from typing import cast

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def join_segments(
    start: Indices, stop: Indices, group: Indices
) -> tuple[Indices, Indices, Indices]:
    """Return the chains that segments make: where they meet in twos and belong to one group.

    Parameters
    ----------
    start, stop : array of int
        The vertices every segment joins, numbered from 0; every segment comes once.
    group : array of int
        A chain never goes on from one group to another.

    Returns
    -------
    vertices : array of int
        The vertices of all chains, one chain after the other; a closed chain ends where it began.
    offsets : array of int
        Where each chain begins in `vertices`, and last their number.
    chain : array of int
        Which chain each segment is in.

    Examples
    --------
    A path of two segments, then one of another group.

    >>> vertices, offsets, chain = join_segments(
    ...     np.array([0, 2, 2]), np.array([1, 1, 3]), np.array([5, 5, 8])
    ... )
    >>> vertices.tolist(), offsets.tolist(), chain.tolist()
    ([0, 1, 2, 2, 3], [0, 3, 5], [0, 0, 1])
    """
    count = len(start)
    if count == 0:
        none = np.empty(0, dtype=np.intp)
        return none, np.zeros(1, dtype=np.intp), none
    ends = np.concatenate([start, stop]).astype(np.intp)
    order = np.argsort(ends, kind="stable").astype(np.intp)
    first = np.searchsorted(ends[order], np.arange(int(ends.max()) + 2)).astype(np.intp)
    walked = _walk(
        start.astype(np.intp), stop.astype(np.intp), group.astype(np.intp), order % count, first
    )
    return cast("tuple[Indices, Indices, Indices]", walked)


def chain_lines(points: Floats, vertices: Indices, offsets: Indices) -> Geometries:
    """Return chains as LineStrings.

    Examples
    --------
    >>> chain_lines(np.array([[0.0, 0], [1, 0], [1, 1]]), np.array([0, 1, 2]), np.array([0, 3]))
    array([<LINESTRING (0 0, 1 0, 1 1)>], dtype=object)
    """
    if len(offsets) < 2:
        return np.empty(0, dtype=object)
    index = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    lines: Geometries = shapely.linestrings(points[vertices], indices=index)
    return lines


def number_points(points: Floats, *, cell_m: float) -> tuple[Floats, Indices]:
    """Return the distinct points on a precision grid, west to east, and which of them each point is.

    Examples
    --------
    >>> number_points(np.array([[5.0, 1.0], [2.004, 1.0], [5.0, 1.001]]), cell_m=0.01)
    (array([[2., 1.],
           [5., 1.]]), array([1, 0, 1]))
    """
    cells = np.round(points / cell_m).astype(np.int64)
    low = cells.min(axis=0) if len(cells) else cells.sum(axis=0)
    _, first, number = np.unique(
        ((cells[:, 0] - low[0]) << 32) | (cells[:, 1] - low[1]),
        return_index=True,
        return_inverse=True,
    )
    # Divided, as GEOS does: multiplied by a cell they would differ in the last digit.
    return cells[first] / round(1.0 / cell_m), number.astype(np.intp)


def number_rows(*columns: Indices) -> Indices:
    """Return a number for every row, the same where all columns are the same.

    Examples
    --------
    >>> number_rows(np.array([7, 3, 7]), np.array([1, 1, 1])).tolist()
    [1, 0, 1]
    """
    order = np.lexsort(columns[::-1])
    fresh = np.zeros(len(order), dtype=np.intp)
    for column in columns:
        fresh[1:] |= np.diff(column[order]) != 0
    number = np.empty(len(order), dtype=np.intp)
    number[order] = np.cumsum(fresh)
    return number


@numba.njit(cache=True)
def _walk(start, stop, group, incident, first):  # type: ignore[no-untyped-def]
    count = len(start)
    chain = np.full(count, -1, dtype=np.intp)
    vertices = np.empty(2 * count, dtype=np.intp)
    offsets = np.empty(count + 1, dtype=np.intp)
    offsets[0] = 0
    filled = 0
    chains = 0
    # Open chains start at an end; what remains then is closed and starts at its first segment.
    for closed in range(2):
        for seed in range(count):
            if chain[seed] >= 0:
                continue
            at = start[seed]
            if closed == 0 and _goes_on(start[seed], seed, group, incident, first) >= 0:
                at = stop[seed]
                if _goes_on(stop[seed], seed, group, incident, first) >= 0:
                    continue
            vertices[filled] = at
            filled += 1
            segment = seed
            while segment >= 0 and chain[segment] < 0:
                chain[segment] = chains
                at = stop[segment] if start[segment] == at else start[segment]
                vertices[filled] = at
                filled += 1
                segment = _goes_on(at, segment, group, incident, first)
            chains += 1
            offsets[chains] = filled
    return vertices[:filled].copy(), offsets[: chains + 1].copy(), chain


@numba.njit(cache=True)
def _goes_on(vertex, segment, group, incident, first):  # type: ignore[no-untyped-def]
    """Return the one segment that continues another past a vertex, or -1."""
    if first[vertex + 1] - first[vertex] != 2:
        return -1
    other = incident[first[vertex]]
    if other == segment:
        other = incident[first[vertex] + 1]
    if other == segment or group[other] != group[segment]:
        return -1
    return other
