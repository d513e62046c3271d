"""Rules of single shapes, and of shapes of one class with each other."""

import numpy as np
import pandas as pd
import shapely

from pipelines.topography.maprows import (
    BUILDINGS,
    Flags,
    Floats,
    Geometries,
    Indices,
    MapRows,
    pairs_of,
    worst_first,
)

_AREA = 2
_SPIKE_DEG = 5.0
_ARM_M = 0.05
_NEAR_SHARE = 0.9
"""Shapes of one class that share this much are one feature drawn twice."""


def check_repeats(rows: MapRows) -> None:
    """Record features whose shape, class and name stand already in an earlier row."""
    name = pd.Series(rows.table["name"].to_numpy(dtype=object)).fillna("").to_numpy()
    group = pd.DataFrame({"shape": rows.earliest, "name": name})
    number = group.groupby(["shape", "name"], sort=False).ngroup().to_numpy()
    _, first, back = np.unique(number, return_index=True, return_inverse=True)
    earlier = first[back]
    again = np.flatnonzero(earlier != np.arange(len(earlier)))
    rows.note("TP20", again, first=rows.words[earlier[again]])


def check_near_repeats(rows: MapRows) -> None:
    """Record areas and lines nearly the same as another of their class."""
    spread = np.flatnonzero(rows.dimension > 0)
    again = spread[rows.earliest[spread] != spread]  # of another name, as else they were refused
    again = again[rows.dimension[again] == _AREA]
    rows.note("TP21", again, other=rows.words[rows.earliest[again]], share=np.ones(len(again)))
    for dimension in (1, _AREA):
        chosen = rows.distinct(np.flatnonzero(rows.dimension == dimension))
        shapes = rows.shapes[chosen]
        size = shapely.area(shapes) if dimension == _AREA else shapely.length(shapes)
        classes, _ = pd.factorize(pd.Series(rows.feature_class[chosen]))
        first, second = _alike(shapes, size, classes)
        share = _share(shapes, size, first, second, dimension=dimension)
        same = share >= _NEAR_SHARE
        rows.note(
            "TP21",
            chosen[second[same]],
            other=rows.words[chosen[first[same]]],
            share=share[same],
        )


def _alike(shapes: Geometries, size: Floats, classes: np.ndarray) -> tuple[Indices, Indices]:
    """Return pairs of one class whose boxes and sizes are nearly the same."""
    bounds = shapely.bounds(shapes)
    middle = np.column_stack([bounds[:, 0] + bounds[:, 2], bounds[:, 1] + bounds[:, 3]]) / 2
    reach = np.minimum(np.sqrt(np.maximum(size, 1e-9)) * 0.1, 1.0)
    first, second = pairs_of_points(middle, reach)
    keep = (classes[first] == classes[second]) & (
        np.minimum(size[first], size[second]) >= _NEAR_SHARE * np.maximum(size[first], size[second])
    )
    return first[keep], second[keep]


def pairs_of_points(points: Floats, reach: Floats) -> tuple[Indices, Indices]:
    """Return pairs of points, the earlier first, nearer than the reach of either."""
    at = shapely.points(points)
    first, second = shapely.STRtree(at).query(at, predicate="dwithin", distance=reach)
    low, high = np.minimum(first, second), np.maximum(first, second)
    keep = low < high
    pairs = np.unique(np.column_stack([low[keep], high[keep]]), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _share(
    shapes: Geometries, size: Floats, first: Indices, second: Indices, *, dimension: int
) -> Floats:
    if dimension == _AREA:
        shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
        return np.asarray(shared / np.maximum(size[first] + size[second] - shared, 1e-9), float)
    apart = shapely.hausdorff_distance(shapes[first], shapes[second])
    return np.asarray(1.0 - apart / np.maximum(np.minimum(size[first], size[second]), 1e-9), float)


def check_overlaps(rows: MapRows) -> None:
    """Record buildings that overlap, but for those drawn twice."""
    chosen = rows.distinct(rows.select(BUILDINGS, dimension=2))
    shapes = rows.shapes[chosen]
    first, second = pairs_of(shapes)
    size = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    area = shapely.area(shapes)
    union = area[first] + area[second] - size
    keep = (size > rows.limits.overlap_m2) & (size < _NEAR_SHARE * union)
    first, second, size = first[keep], second[keep], size[keep]
    order = worst_first(second, size)
    rows.note(
        "TP22",
        chosen[second[order]],
        other=rows.words[chosen[first[order]]],
        size=size[order],
    )


def check_lines(rows: MapRows) -> None:
    """Record lines that cross themselves, and lines and areas too small or too thin."""
    lines = np.flatnonzero(rows.dimension == 1)
    shapes = rows.shapes[lines]
    rows.note("TP23", lines[~shapely.is_simple(shapes)])
    length = shapely.length(shapes)
    short = length < rows.limits.least_line_m
    rows.note("TP24", lines[short], size=length[short], limit=rows.limits.least_line_m)
    areas = np.flatnonzero(rows.dimension == 2)
    size, around = shapely.area(rows.shapes[areas]), shapely.length(rows.shapes[areas])
    small = size < rows.limits.least_polygon_m2
    rows.note("TP25", areas[small], size=size[small], limit=rows.limits.least_polygon_m2)
    width = 2 * size / np.maximum(around, 1e-9)
    thin = ~small & (width < rows.limits.sliver_m)
    rows.note("TP31", areas[thin], size=width[thin])


def check_spikes(rows: MapRows) -> None:
    """Record vertices where a line or an outline turns back on itself."""
    spread = np.flatnonzero(rows.dimension > 0)
    parts, owner = shapely.get_parts(rows.shapes[spread], return_index=True)
    is_area = shapely.get_dimensions(parts) == 2
    rings, part = shapely.get_rings(parts[is_area], return_index=True)
    lines = np.concatenate([parts[~is_area], rings])
    owners = np.concatenate([owner[~is_area], owner[is_area][part]])
    points, line = shapely.get_coordinates(lines, return_index=True)
    found, angle = _spikes(points, line)
    rows.note(
        "TP26",
        spread[owners[line[found]]],
        angle=angle,
        x=points[found, 0],
        y=points[found, 1],
    )


def _spikes(points: Floats, line: Indices) -> tuple[Indices, Floats]:
    """Return vertices within a line where its arms lie less than 5° apart, and the angle."""
    if len(points) < 3:
        return np.zeros(0, dtype=np.intp), np.zeros(0)
    before, after = points[:-2] - points[1:-1], points[2:] - points[1:-1]
    inner: Flags = (line[:-2] == line[1:-1]) & (line[2:] == line[1:-1])
    long = [np.hypot(*arm.T) for arm in (before, after)]
    turn = np.abs(
        np.arctan2(
            before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0],
            (before * after).sum(axis=1),
        )
    )
    angle = np.degrees(turn)
    sharp = inner & (angle < _SPIKE_DEG) & (long[0] > _ARM_M) & (long[1] > _ARM_M)
    found = np.flatnonzero(sharp)
    return (found + 1).astype(np.intp), angle[found]
