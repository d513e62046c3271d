"""Joining: polygons divided apart come to share the vertices of the outlines where they meet."""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from gridding.graph import Floats, Indices
from gridding.lines import Geometries

Mask = NDArray[np.bool_]

_REACH_CELLS = 1.6
"""Two outlines that were noded apart lie within this many precision cells of each other."""
_ROUNDS = 3


def join_outlines(
    polygons: Geometries, *, precision_m: float, anchors: Floats | None = None
) -> Geometries:
    """Give polygons the vertices of their neighbours where two outlines run within 1.6 cells.

    Vertices of such outlines that are as near to each other become one. Only outlines that no neighbour
    matches are looked at, so that the time grows with their length alone.

    Parameters
    ----------
    polygons : array of shapely.Polygon
        In metres, on the precision grid; nearly a valid coverage.
    precision_m : float
        Side of the cells, m.
    anchors : array of float or None
        (n, 2) places that take part as if a neighbour had a vertex there, and do not move.

    Examples
    --------
    >>> low, high = shapely.box([0, 0], [0, 10], [20, 7], [10, 20])
    >>> joined = join_outlines(np.array([low, high]), precision_m=0.01)
    >>> shapely.get_num_coordinates(joined).tolist()
    [6, 5]
    """
    rings, row = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    is_changed = np.zeros(len(polygons), dtype=np.bool_)
    reach_m = _REACH_CELLS * precision_m
    anchors = np.zeros((0, 2)) if anchors is None else np.unique(anchors, axis=0)
    for _ in range(_ROUNDS):
        cell = _cells(xy, precision_m)
        loose = unmatched_edges(cell, ring)
        moved = _met(xy, cell, loose, anchors, reach_m=reach_m)
        changed = (moved != xy).any(axis=1)
        is_changed[row[ring[changed]]] = True
        at, vertices = _met_on_edges(moved, loose, anchors, reach_m)
        is_changed[row[ring[at]]] = True
        if not changed.any() and len(at) == 0:
            break
        place = np.concatenate([np.arange(len(xy)), at])
        rank = np.concatenate([np.full(len(xy), -1), np.arange(len(at))])
        order = np.lexsort((rank, place))
        xy = np.concatenate([moved, vertices])[order]
        ring = np.concatenate([ring, ring[at]])[order]
        # Of vertices that became one only the first stays; a ring still ends where it began.
        again = (np.diff(xy, axis=0, prepend=np.inf) == 0).all(axis=1)
        again &= np.diff(ring, prepend=-1) == 0
        xy, ring = xy[~again], ring[~again]
    return _rebuilt(polygons, is_changed, xy, ring, row)


def unmatched_edges(cell: Indices, ring: Indices) -> Indices:
    """Return the edges of rings that no other ring goes along the other way, by their first vertex.

    Parameters
    ----------
    cell : array of int
        A number for the place of each vertex: equal where vertices coincide.
    ring : array of int
        Ring of each vertex.

    Examples
    --------
    Two triangles on one side:

    >>> unmatched_edges(np.array([0, 1, 2, 0, 2, 1, 3, 2]), np.array([0, 0, 0, 0, 1, 1, 1, 1])).tolist()
    [0, 2, 5, 6]
    """
    edge = np.flatnonzero((ring[1:] == ring[:-1]) & (cell[1:] != cell[:-1]))
    width = int(cell.max(initial=0)) + 1
    low, high = np.minimum(cell[edge], cell[edge + 1]), np.maximum(cell[edge], cell[edge + 1])
    _, index, count = np.unique(low * width + high, return_inverse=True, return_counts=True)
    single: Indices = edge[count[index.ravel()] == 1]
    return single


def loose_edges(polygons: Geometries, *, precision_m: float) -> tuple[Geometries, Indices]:
    """Return the edges that one polygon alone has, and the polygon of each.

    Examples
    --------
    >>> edges, polygon = loose_edges(shapely.box([0, 1], 0, [1, 2], 1), precision_m=0.01)
    >>> len(edges), polygon.tolist()
    (6, [0, 0, 0, 1, 1, 1])
    """
    rings, row = shapely.get_rings(polygons, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    loose = unmatched_edges(_cells(xy, precision_m), ring)
    edges: Geometries = shapely.linestrings(np.stack([xy[loose], xy[loose + 1]], axis=1))
    return edges, row[ring[loose]]


def _cells(xy: Floats, precision_m: float) -> Indices:
    """Return a number for the cell of each place."""
    if len(xy) == 0:
        return np.zeros(0, dtype=np.intp)
    cell = np.rint(xy / precision_m).astype(np.int64)
    cell -= cell.min(axis=0)
    key = cell[:, 0] * (int(cell[:, 1].max()) + 1) + cell[:, 1]
    number: Indices = np.unique(key, return_inverse=True)[1].ravel()
    return number


def _met(xy: Floats, cell: Indices, loose: Indices, anchors: Floats, *, reach_m: float) -> Floats:
    """Return all places with those of loose edges that are within reach of each other made one.

    An anchor stays, else the one that most edges share, then the western, then the southern one.
    """
    number, first = np.unique(cell[np.concatenate([loose, loose + 1])], return_index=True)
    places = np.concatenate([xy[np.concatenate([loose, loose + 1])[first]], anchors])
    if len(places) < 2:
        return xy
    pairs = cKDTree(places).query_pairs(reach_m, output_type="ndarray")
    if len(pairs) == 0:
        return xy
    links = coo_array(
        (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(places), len(places))
    )
    _, cluster = connected_components(links, directed=False)
    use = np.bincount(cell, minlength=int(cell.max()) + 1)[number]
    use = np.append(use, np.full(len(anchors), len(xy)))
    order = np.lexsort((places[:, 1], places[:, 0], -use, cluster))
    leader = order[np.flatnonzero(np.diff(cluster[order], prepend=-1))]
    target = np.full(int(cell.max()) + 1, -1, dtype=np.intp)
    target[number] = leader[cluster[: len(number)]]
    moved = target[cell] >= 0
    met = xy.copy()
    met[moved] = places[target[cell[moved]]]
    return met


def _met_on_edges(
    xy: Floats, loose: Indices, anchors: Floats, reach_m: float
) -> tuple[Indices, Floats]:
    """Return the vertices of loose edges that lie on others: after which vertex, and where."""
    a, b = xy[loose], xy[loose + 1]
    places = np.unique(np.concatenate([a, b, anchors]), axis=0)
    edges = shapely.linestrings(np.stack([a, b], axis=1))
    place, edge = shapely.STRtree(edges).query(
        shapely.points(places), predicate="dwithin", distance=reach_m
    )
    along = shapely.line_locate_point(edges[edge], shapely.points(places[place]))
    inside = (along > reach_m) & (along < shapely.length(edges[edge]) - reach_m)
    place, edge, along = place[inside], edge[inside], along[inside]
    order = np.lexsort((place, along, edge))
    return loose[edge[order]], places[place[order]]


def _rebuilt(
    polygons: Geometries, is_changed: Mask, xy: Floats, ring: Indices, row: Indices
) -> Geometries:
    """Return polygons of changed rings; the others as they are."""
    joined: Geometries = polygons.copy()
    number = np.flatnonzero(is_changed[row])
    if len(number) == 0:
        return joined
    kept = np.isin(ring, number)
    position = np.searchsorted(number, ring[kept])
    lines = shapely.linearrings(xy[kept], indices=position)
    # The rings of a polygon follow one another, its exterior first.
    joined[is_changed] = _polygons(lines, row[number])
    return joined


def _polygons(rings: Geometries, row: Indices) -> Geometries:
    first = np.flatnonzero(np.diff(row, prepend=-1))
    ends = np.append(first[1:], len(row))
    return np.array(
        [
            shapely.Polygon(rings[a], rings[a + 1 : b].tolist())
            for a, b in zip(first.tolist(), ends.tolist(), strict=True)
        ],
        dtype=object,
    )
