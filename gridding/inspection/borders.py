"""Rules of neighbours: no overlap, and the same vertices along a shared border."""

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.homes import Geometries
from gridding.inspection.findings import Findings
from gridding.inspection.layer import GridLayer, Indices, Mask, overlaid, solid

_CLOSE_M = 0.01
"""A vertex nearer than this to a neighbour's border is meant to lie on it, m."""
_NARROW_M = 0.02
"""Borders that run along each other nearer than this are meant to be one, m."""
_SAME_M = 0.001
"""Vertices nearer than this are one, m."""


def find_mismatched(layer: GridLayer) -> Geometries:
    """Return for every grid the edges that do not match its neighbours'; empty where all do.

    Only grids with such edges can overlap others, so that what costs most is done for few.
    """
    edges = np.full(len(layer.shapes), shapely.LineString(), dtype=object)
    rows = layer.rows
    edges[rows] = shapely.coverage_invalid_edges(layer.shapes[rows], gap_width=_NARROW_M)
    return edges


def find_overlaps(layer: GridLayer, findings: Findings, *, edges: Geometries) -> float:
    """Find pairs of grids that overlap by more than rounding: UG08, at the first; return the area.

    Overlaps nowhere wider than two centimetres or up to half a square metre are rounding.
    """
    flagged = np.flatnonzero(~shapely.is_empty(edges))
    first, second = _pairs(layer.shapes, flagged)
    shared = solid(overlaid(shapely.intersection, layer.shapes[first], layer.shapes[second]))
    found = np.flatnonzero(~shapely.is_missing(shared))
    area = shapely.area(shared[found])
    others = layer.label[second[found]]
    findings.add("UG08", first[found], where=shared[found], other=others, area_m2=area)
    return float(area.sum())


def _pairs(shapes: Geometries, rows: Indices) -> tuple[Indices, Indices]:
    """Return the pairs among some grids whose interiors may meet, first < second, sorted."""
    one, other = shapely.STRtree(shapes[rows]).query(shapes[rows])
    first, second = rows[one[one < other]], rows[other[one < other]]
    meeting = overlaid(shapely.intersects, shapes[first], shapes[second]).astype(bool)
    first, second = first[meeting], second[meeting]
    order = np.lexsort((second, first))
    return first[order], second[order]


def find_missing_vertices(layer: GridLayer, findings: Findings, *, edges: Geometries) -> None:
    """Find borders whose vertices the neighbour lacks: UG10, at the grid that lacks them.

    Vertices at gaps and overlaps that were found before are told with those.
    """
    flagged = np.flatnonzero(~shapely.is_empty(edges))
    vertex, at, grid = _vertices_on_others(layer.shapes, flagged)
    told = _is_told(shapely.points(at), findings)
    vertex, at, grid = vertex[~told], at[~told], grid[~told]
    key = grid * len(layer.shapes) + vertex
    pairs, turn = np.unique(key, return_inverse=True)
    if len(pairs):
        order = np.argsort(turn, kind="stable")
        places = shapely.multipoints(shapely.points(at[order]), indices=turn[order])
        lacking, having = pairs // len(layer.shapes), pairs % len(layer.shapes)
        lesser, greater = np.minimum(lacking, having), np.maximum(lacking, having)
        _, kept = np.unique(lesser * len(layer.shapes) + greater, return_index=True)
        others = layer.label[having[kept]]
        findings.add("UG10", lacking[kept], where=places[kept], other=others)
    _find_unexplained(layer, findings, edges=edges, flagged=flagged, told=pairs)


def _vertices_on_others(shapes: Geometries, rows: Indices) -> tuple[Indices, Geometries, Indices]:
    """Return vertices of grids that lie on the border of another without being its vertices.

    Returns
    -------
    owner, point, grid
        Whose vertex, its coordinates, and the grid that lacks it.
    """
    points, owner = shapely.get_coordinates(shapes[rows], return_index=True)
    cells = np.rint(points / _SAME_M).astype(np.int64)
    _, kept = np.unique(np.column_stack([owner, cells]), axis=0, return_index=True)
    points, owner, cells = points[kept], owner[kept], cells[kept]
    borders = shapely.boundary(shapes[rows])
    vertex, grid = shapely.STRtree(borders).query(
        shapely.points(points), predicate="dwithin", distance=_CLOSE_M
    )
    other = owner[vertex] != grid
    vertex, grid = vertex[other], grid[other]
    wanted = np.column_stack([grid, cells[vertex]])
    lacking = ~_is_among(wanted, np.column_stack([owner, cells]))
    vertex, grid = vertex[lacking], grid[lacking]
    return rows[owner[vertex]], points[vertex], rows[grid]


def _is_among(wanted: Indices, present: Indices) -> Mask:
    """Return which rows of whole numbers are among others; a cell beside counts as the same."""
    result = np.zeros(len(wanted), dtype=bool)
    held = _as_records(present)
    for east in (-1, 0, 1):
        for north in (-1, 0, 1):
            beside = wanted + np.array([0, east, north])
            result |= np.isin(_as_records(beside), held)
    return result


def _as_records(rows: Indices) -> NDArray[np.void]:
    """Return rows of three whole numbers as one value each, to be looked up."""
    packed: NDArray[np.int64] = np.ascontiguousarray(rows, dtype=np.int64)
    names = np.dtype([("grid", np.int64), ("x", np.int64), ("y", np.int64)])
    return packed.view(names).ravel()


def _is_told(points: Geometries, findings: Findings) -> Mask:
    """Return which points touch a gap or an overlap that was found."""
    places = findings.places_of("UG08", "UG09", "UG28")
    told = np.zeros(len(points), dtype=bool)
    if len(places) and len(points):
        near, _ = shapely.STRtree(places).query(points, predicate="dwithin", distance=0.05)
        told[near] = True
    return told


def _find_unexplained(
    layer: GridLayer, findings: Findings, *, edges: Geometries, flagged: Indices, told: Indices
) -> None:
    """Find grids whose edges match no neighbour's and of which nothing was told yet."""
    count = len(layer.shapes)
    known = np.concatenate([told // max(count, 1), told % max(count, 1)])
    places = findings.places_of("UG08", "UG09", "UG28")
    rest = np.setdiff1d(flagged, known)
    if len(places):
        touched, _ = shapely.STRtree(places).query(
            layer.shapes[rest], predicate="dwithin", distance=0.05
        )
        rest = np.delete(rest, np.unique(touched))
    one, other = shapely.STRtree(edges[rest]).query(edges[rest], predicate="dwithin", distance=0.02)
    first, second = rest[one[one < other]], rest[other[one < other]]
    _, kept = np.unique(first, return_index=True)
    findings.add("UG10", first[kept], where=edges[first[kept]], other=layer.label[second[kept]])
