"""Contours and spot heights: one elevation at one place, whole steps, nothing that contradicts."""

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from pipelines.topography.completeness import ELEVATION
from pipelines.topography.maprows import (
    CONTOURS,
    HEIGHTS,
    Floats,
    Geometries,
    Indices,
    MapRows,
    pairs_of,
)

_PLACES = (0.2, 0.5, 0.8)
"""Where along a contour its neighbours are looked for, as shares of its length."""
_SIGHT_M = 200.0
"""Neighbours are looked for this far to either side, m."""
_STEP_SLACK = 0.05
_NEIGHBOURS = 8
_LEAST_OFF_M = 3.0
_OUTLYING = 8.0
_FEW = 5
_SIDE = 2


def check_relief(rows: MapRows) -> None:
    """Record contours that cross, that leave out steps, and heights that contradict their surroundings."""
    contours = rows.select(CONTOURS, dimension=1)
    elevation = rows.numbers(ELEVATION)
    known = contours[np.isfinite(elevation[contours])]
    _check_crossing(rows, contours)
    interval = rows.limits.contour_m or contour_interval(elevation[known])
    points = rows.select(HEIGHTS, dimension=0)
    points = points[np.isfinite(elevation[points])]
    if interval is not None and len(known):
        wrong = _check_multiples(rows, known, elevation, interval)
        wrong |= _check_steps(rows, known, elevation, interval)
        sound = known[~np.isin(known, list(wrong))]
        _check_points(rows, points, sound, elevation, interval)
    _check_outliers(rows, points, elevation)


def contour_interval(elevation: Floats) -> float | None:
    """Return the contour interval 等高距 that most steps between elevations tell; None: too few.

    Examples
    --------
    >>> contour_interval(np.array([70.0, 71.0, 72.0, 73.0, 73.5, 75.0])), contour_interval(np.array([5.0]))
    (1.0, None)
    """
    steps = np.diff(np.unique(np.round(elevation, 3)))
    steps = np.round(steps[steps > 0], 3)
    if len(steps) < _SIDE:
        return None
    values, counts = np.unique(steps, return_counts=True)
    return float(values[np.argmax(counts)])


def _check_crossing(rows: MapRows, contours: Indices) -> None:
    first, second = pairs_of(rows.shapes[contours], predicate="crosses")
    rows.note("TP33", contours[second], other=rows.words[contours[first]])


def _check_multiples(rows: MapRows, known: Indices, elevation: Floats, interval: float) -> set[int]:
    """Record elevations between the steps; half steps too, which have a class of their own."""
    steps = elevation[known] / interval
    wrong = np.abs(steps - np.round(steps)) > _STEP_SLACK
    rows.note("TP34", known[wrong], given=elevation[known[wrong]], interval=interval)
    return set(known[wrong].tolist())


def _check_steps(rows: MapRows, known: Indices, elevation: Floats, interval: float) -> set[int]:
    """Record contours that differ from those on both sides by more than one interval.

    Its neighbours see one wrong contour too, but each has a side where all is well.
    """
    lines = rows.shapes[known]
    left, right = (_neighbours(lines, side) for side in (1.0, -1.0))
    own = elevation[known]
    found: dict[str, Floats] = {}
    bad = np.ones(len(known), dtype=bool)
    for name, neighbour in (("left", left), ("right", right)):
        seen = neighbour >= 0
        beside = np.where(seen, own[neighbour], np.nan)
        apart = np.abs(beside - own[None, :])
        # All that is seen to this side is too far from it, and something is seen.
        wrong = np.where(seen, apart > (1 + _STEP_SLACK) * interval, True).all(axis=0)
        bad &= wrong & seen.any(axis=0)
        found[name] = pd.DataFrame(beside).bfill().iloc[0].to_numpy(dtype=float)
    # Where the neighbours stand one or two steps apart, the contour between them is what is wrong.
    bad &= np.abs(found["left"] - found["right"]) <= (2 + _STEP_SLACK) * interval
    at = known[bad]
    low, high = np.minimum(found["left"], found["right"]), np.maximum(found["left"], found["right"])
    rows.note("TP35", at, given=own[bad], low=low[bad], high=high[bad], interval=interval)
    return set(at.tolist())


def _neighbours(lines: Geometries, side: float) -> Indices:
    """Return the first other line seen from each of three places on every line; -1: none (3, n)."""
    result = np.full((len(_PLACES), len(lines)), -1, dtype=np.intp)
    length = shapely.length(lines)
    tree = shapely.STRtree(lines)
    for number, share in enumerate(_PLACES):
        at = shapely.get_coordinates(shapely.line_interpolate_point(lines, share, normalized=True))
        ahead = np.minimum(share + np.minimum(1.0 / np.maximum(length, 1e-9), 0.01), 1.0)
        on = shapely.get_coordinates(shapely.line_interpolate_point(lines, ahead, normalized=True))
        step = on - at
        step /= np.maximum(np.hypot(*step.T), 1e-12)[:, None]
        across = np.column_stack([-step[:, 1], step[:, 0]]) * side
        rays = shapely.linestrings(np.stack([at + across * 1e-3, at + across * _SIGHT_M], axis=1))
        ray, line = tree.query(rays, predicate="intersects")
        hit = shapely.intersection(rays[ray], lines[line])
        away = shapely.distance(shapely.points(at[ray]), hit)
        order = np.lexsort((away, ray))
        ray, line = ray[order], line[order]
        first = np.flatnonzero(np.diff(ray, prepend=-1))
        nearest = line[first]
        # A contour that bends back tells nothing of the next one.
        result[number, ray[first]] = np.where(nearest == ray[first], -1, nearest)
    return result


def _check_points(
    rows: MapRows, points: Indices, contours: Indices, elevation: Floats, interval: float
) -> None:
    """Record spot heights more than one interval from the nearest contour: nothing lies between the two."""
    if len(points) == 0 or len(contours) == 0:
        return
    tree = shapely.STRtree(rows.shapes[contours])
    (point, line), distance = tree.query_nearest(
        rows.shapes[points], max_distance=_SIGHT_M, return_distance=True, all_matches=False
    )
    own, found = elevation[points[point]], elevation[contours[line]]
    wrong = np.abs(own - found) > (1 + _STEP_SLACK) * interval
    rows.note(
        "TP36",
        points[point[wrong]],
        given=own[wrong],
        found=found[wrong],
        distance=distance[wrong],
        interval=interval,
    )


def _check_outliers(rows: MapRows, points: Indices, elevation: Floats) -> None:
    """Record spot heights far from the plane through the eight nearest (least squares, without itself)."""
    if len(points) <= _NEIGHBOURS:
        return
    at = shapely.get_coordinates(rows.shapes[points])
    value = elevation[points]
    _, near = cKDTree(at).query(at, k=_NEIGHBOURS + 1)
    off = _off_plane(at, value, near[:, 1:])
    spread = 1.4826 * float(np.median(np.abs(off - np.median(off))))
    # Hills bend: what lies within half as much again as the neighbours differ by is no needle.
    around = 1.5 * np.ptp(value[near[:, 1:]], axis=1)
    wrong = np.abs(off) > np.maximum(around, max(_LEAST_OFF_M, _OUTLYING * spread))
    # One needle bends the planes of its neighbours: of those near each other the farthest off counts.
    beside = np.where(wrong[near[:, 1:]], np.abs(off)[near[:, 1:]], 0.0).max(axis=1)
    wrong &= np.abs(off) >= beside
    rows.note("TP37", points[wrong], given=value[wrong], distance=np.abs(off[wrong]))


def _off_plane(at: Floats, value: Floats, near: Indices) -> Floats:
    """Return how far each value lies above the plane through its neighbours."""
    step = at[near] - at[:, None, :]
    scale = np.maximum(np.abs(step).max(axis=(1, 2)), 1e-9)
    design = np.concatenate([np.ones((*near.shape, 1)), step / scale[:, None, None]], axis=2)
    normal = design.transpose(0, 2, 1) @ design + 1e-6 * np.eye(3)
    right = design.transpose(0, 2, 1) @ value[near][:, :, None]
    plane = np.linalg.solve(normal, right)[:, 0, 0]
    result: Floats = value - plane
    return result
