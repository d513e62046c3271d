"""Rules between layers: what can not lie on, in or across something else."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely

from gridding.levels import levels_of
from pipelines.topography.maprows import (
    BOUNDARIES,
    BRIDGES,
    BUILDINGS,
    CONTOURS,
    RAILWAYS,
    ROADS,
    VEGETATION,
    WATER,
    Geometries,
    Indices,
    MapRows,
    worst_first,
)
from pipelines.topography.network import ELEVATED_PREFIX, NO_ROAD_PREFIXES

_BRIDGE_M = 3.0
"""A bridge reaches this far beyond its outline, m."""
_BORDER_M = 2.0
"""A boundary this near to a border of the areas agrees with it, m."""
_BORDER_LEAST_M = 5.0


def check_between(rows: MapRows) -> None:
    """Record features of two layers that can not both be right."""
    _areas_on(rows, "TP40", BUILDINGS, WATER)
    _areas_on(rows, "TP41", BUILDINGS, ROADS)
    _areas_on(rows, "TP45", VEGETATION, BUILDINGS)
    _areas_on(rows, "TP47", VEGETATION, WATER)
    ground = _on_ground(rows, np.concatenate([_traffic(rows, ROADS), _traffic(rows, RAILWAYS)]))
    _lines_in(rows, "TP42", ground, rows.select(BUILDINGS, dimension=2), without=None)
    _lines_in(
        rows,
        "TP44",
        rows.select(CONTOURS, dimension=1),
        rows.select(BUILDINGS, dimension=2),
        without=None,
    )
    _lines_in(rows, "TP43", ground, rows.select(WATER, dimension=2), without=_bridges(rows))


def _areas_on(rows: MapRows, rule: str, above: Sequence[str], below: Sequence[str]) -> None:
    """Record areas of one kind that share more than the limit with areas of another."""
    one, two = rows.select(above, dimension=2), rows.select(below, dimension=2)
    first, second = _meeting(rows.shapes[one], rows.shapes[two])
    size = shapely.area(shapely.intersection(rows.shapes[one[first]], rows.shapes[two[second]]))
    keep = size > rows.limits.overlap_m2
    first, second, size = first[keep], second[keep], size[keep]
    order = worst_first(one[first], size)
    rows.note(rule, one[first[order]], other=rows.words[two[second[order]]], size=size[order])


def _meeting(one: Geometries, two: Geometries) -> tuple[Indices, Indices]:
    """Return the pairs of shapes that meet; the larger set is searched."""
    if len(one) > len(two):
        pairs = shapely.STRtree(one).query(two, predicate="intersects")[::-1]
    else:
        pairs = shapely.STRtree(two).query(one, predicate="intersects")
    return pairs[0], pairs[1]


def _traffic(rows: MapRows, prefixes: Sequence[str]) -> Indices:
    chosen = rows.select(prefixes, dimension=1)
    barred = (*NO_ROAD_PREFIXES, ELEVATED_PREFIX)
    is_barred = np.array(
        [str(each).startswith(barred) for each in rows.feature_class[chosen]], bool
    )
    kept: Indices = chosen[~is_barred]
    return kept


def _on_ground(rows: MapRows, lines: Indices) -> Indices:
    """Return the lines that no attribute puts on a bridge, in a tunnel or on another level."""
    kept: Indices = lines[levels_of(rows.table, lines) == 0]
    return kept


def _bridges(rows: MapRows) -> Geometries:
    chosen = rows.select(BRIDGES)
    chosen = chosen[rows.dimension[chosen] > 0]
    return np.asarray(shapely.buffer(rows.shapes[chosen], _BRIDGE_M), dtype=object)


def _lines_in(
    rows: MapRows, rule: str, lines: Indices, areas: Indices, *, without: Geometries | None
) -> None:
    """Record lines that run within areas for more than the limit, where nothing carries them."""
    first, second = _meeting(rows.shapes[lines], rows.shapes[areas])
    shared = shapely.intersection(rows.shapes[lines[first]], rows.shapes[areas[second]])
    if without is not None and len(without):
        long = shapely.length(shared) > rows.limits.overlap_m
        first, second, shared = first[long], second[long], shared[long]
        shared = _minus(shared, without)
    size = shapely.length(shared)
    keep = size > rows.limits.overlap_m
    first, second, size = first[keep], second[keep], size[keep]
    order = worst_first(lines[first], size)
    rows.note(rule, lines[first[order]], other=rows.words[areas[second[order]]], size=size[order])


def _minus(shapes: Geometries, covers: Geometries) -> Geometries:
    """Return the shapes without what any of the covers holds."""
    result = shapes.copy()
    shape, cover = shapely.STRtree(covers).query(shapes, predicate="intersects")
    for place, number in zip(shape.tolist(), cover.tolist(), strict=True):
        result[place] = shapely.difference(result[place], covers[number])
    return result


def check_boundaries(rows: MapRows, areas: gpd.GeoDataFrame) -> None:
    """Record boundary lines that leave every border of the areas; without areas nothing is said."""
    lines = rows.select(BOUNDARIES, dimension=1)
    if len(lines) == 0 or len(areas) == 0:
        return
    borders = shapely.buffer(shapely.boundary(areas.geometry.to_numpy()), _BORDER_M, quad_segs=2)
    apart = shapely.length(_minus(rows.shapes[lines], borders))
    wrong = apart > _BORDER_LEAST_M
    rows.note("TP46", lines[wrong], size=apart[wrong], limit=_BORDER_M)
