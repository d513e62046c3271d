"""Strokes: lines joined into long ones, through junctions as straight as they go."""

from dataclasses import dataclass

import numpy as np
import shapely

from gridding.chains import join_segments
from gridding.lines import Floats, Geometries, Indices, Lines

OUTLINE = -1
"""Kind of the outline of the land among the strokes."""
OUTLINE_RANK = 1000
_STRAIGHT = 0.7
"""Least cosine of the turn at a junction past which a stroke goes on: 45°."""


@dataclass(frozen=True, kw_only=True)
class Strokes:
    """Polylines with the kind, rank and price of their lines."""

    points: Floats
    """Vertices of all strokes, one stroke after the other; a closed one ends where it began."""
    offsets: Indices
    """Where each stroke begins in `points`, and last their number."""
    kind: Indices
    rank: Indices
    price: Floats


def trace_strokes(lines: Lines, outline: Geometries, *, precision_m: float) -> Strokes:
    """Join lines and the outline of the land into strokes; of segments that agree exactly one stays.

    That is the one of the highest rank, and it takes the best of their prices. Strokes go through
    vertices where two segments of the same kind meet, and straight through junctions.

    Parameters
    ----------
    lines : Lines
        On the precision grid.
    outline : array of LineString
        Rings of the land; they come out as strokes of kind -1.
    precision_m : float
        Side of the cells of the precision grid, m.
    """
    count = len(outline)
    coordinates, line = shapely.get_coordinates(
        np.concatenate([outline, lines.lines]), return_index=True
    )
    kind = np.concatenate([np.full(count, OUTLINE), lines.kind])
    rank = np.concatenate([np.full(count, OUTLINE_RANK), lines.rank])
    price = np.concatenate([np.zeros(count), lines.price])
    ends = np.round(coordinates / precision_m).astype(np.int64)
    cells, vertex = np.unique(ends, axis=0, return_inverse=True)
    vertex = vertex.ravel()
    same = line[1:] == line[:-1]
    start, stop, line = vertex[:-1][same], vertex[1:][same], line[1:][same]
    one, best = _distinct(start, stop, rank[line], price[line])
    start, stop, line = start[one], stop[one], line[one]
    best = np.where(kind[line] == OUTLINE, 0.0, best)
    group = np.unique(np.column_stack([kind[line], rank[line], best]), axis=0, return_inverse=True)[
        1
    ].ravel()
    points = cells * precision_m
    start, stop, origin = _split_vertices(points, start, stop, group)
    vertices, offsets, stroke = join_segments(start, stop, np.zeros(len(start), dtype=np.intp))
    first = np.unique(stroke, return_index=True)[1]
    return Strokes(
        points=points[origin[vertices]],
        offsets=offsets,
        kind=kind[line[first]].astype(np.intp),
        rank=rank[line[first]].astype(np.intp),
        price=best[first],
    )


def _distinct(
    start: Indices, stop: Indices, rank: Indices, price: Floats
) -> tuple[Indices, Floats]:
    """Return the strongest of the segments that join the same vertices, and the best price of each.

    Those of the outline stay beside others, which tell what it runs along.
    """
    low, high = np.minimum(start, stop), np.maximum(start, stop)
    outer = rank == OUTLINE_RANK
    order = np.lexsort((price, -rank, high, low, outer))
    order = order[low[order] < high[order]]
    new = np.ones(len(order), dtype=bool)
    keys = np.column_stack([low, high, outer])[order]
    new[1:] = (np.diff(keys, axis=0) != 0).any(axis=1)
    first = np.flatnonzero(new)
    best = np.minimum.reduceat(price[order], first) if len(first) else np.zeros(0)
    return order[first], best


def _split_vertices(
    points: Floats, start: Indices, stop: Indices, group: Indices
) -> tuple[Indices, Indices, Indices]:
    """Give every continuation a vertex of its own, so that strokes meet no others.

    Returns the new vertices of every segment and the old vertex of each of them.
    """
    count = len(start)
    end = np.concatenate([start, stop])
    away = points[np.concatenate([stop, start])] - points[end]
    away /= np.hypot(away[:, 0], away[:, 1])[:, None]
    order = np.lexsort((np.tile(group, 2), end))
    one, other, turn = _continuations(end[order], np.tile(group, 2)[order], away[order])
    one, other = order[one], order[other]
    partner = _mutual_best(one, other, turn, 2 * count)
    key = np.minimum(np.arange(2 * count), np.where(partner < 0, 2 * count, partner))
    kept, vertex = np.unique(key, return_inverse=True)
    vertex = vertex.ravel()
    return vertex[:count], vertex[count:], end[kept]


def _continuations(end: Indices, group: Indices, away: Floats) -> tuple[Indices, Indices, Floats]:
    """Return the pairs of segment ends that may continue each other, and how straight they do."""
    degree = np.bincount(end)[end]
    found: list[tuple[Indices, Indices, Floats]] = []
    for step in range(1, int(degree.max(initial=0))):
        one = np.arange(len(end) - step)
        one = one[(end[one] == end[one + step]) & (group[one] == group[one + step])]
        if len(one) == 0:
            break
        straight = -(away[one] * away[one + step]).sum(axis=1)
        possible = (straight >= _STRAIGHT) | (degree[one] == 2)
        found.append((one[possible], one[possible] + step, straight[possible]))
    if not found:
        none = np.zeros(0, dtype=np.intp)
        return none, none, np.zeros(0)
    one, other, straight = (np.concatenate(part) for part in zip(*found, strict=True))
    return one, other, straight


def _mutual_best(one: Indices, other: Indices, worth: Floats, count: int) -> Indices:
    """Return the partner of each of `count` ends where both find each other the best, else -1."""
    here = np.concatenate([one, other])
    there = np.concatenate([other, one])
    order = np.lexsort((there, -np.round(np.tile(worth, 2), 9), here))
    here, there = here[order], there[order]
    best = np.full(count, -1, dtype=np.intp)
    first = np.flatnonzero(np.diff(here, prepend=-1))
    best[here[first]] = there[first]
    return np.where((best >= 0) & (best[best] == np.arange(count)), best, -1)
