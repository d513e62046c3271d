"""Things of many groups found by their distance from a point, in compiled code: exact, nearest first.

Each group has its own pattern of buckets, about as wide as its things lie apart. Points lie in one
bucket each; lines and polygons are named by every bucket they touch. A point takes about 30 bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.mapped import sealed
from gis.vicinity import search

Floats = NDArray[np.float64]

_LEAST_WIDTH_M = 5.0
_BUCKETS_PER_THING = 4
_LONG = 4.0


@dataclass(frozen=True, kw_only=True)
class Nearness:
    """The things as flat arrays, ready to be written and memory-mapped."""

    frames: Floats
    """(groups, 5): west, south, 1 / width of a bucket; points, and others, per m² of the group's box."""
    shape: NDArray[np.int64]
    """(groups, 3): columns, rows, first bucket."""
    firsts: NDArray[np.int64]
    """First point of each bucket, and past the last."""
    points: Floats
    """(n, 2): points, bucket by bucket, m."""
    rows: NDArray[np.int32]
    """Row of each point."""
    shape_firsts: NDArray[np.int64]
    """First entry of lines and polygons of each bucket, and past the last."""
    entries: NDArray[np.int32]
    """Line or polygon of each entry."""
    shape_rows: NDArray[np.int32]
    """Row of each line or polygon."""
    runs: NDArray[np.int64]
    """(m, 3): its first segment, the first that bounds no area, and past its last segment."""
    segments: Floats
    """(k, 4): from east, north, to east, north, m."""

    def nbytes(self) -> int:
        """Return the memory of the arrays, bytes."""
        return sum(array.nbytes for array in vars(self).values())


@dataclass(frozen=True, kw_only=True)
class Found:
    """Things near points, sorted by point, distance and row."""

    point: NDArray[np.int64]
    row: NDArray[np.int64]
    distance_m: Floats
    """0 inside a polygon."""
    apart: Floats
    """(n, 2): from the point to the nearest place of the thing, m."""
    density: Floats
    """For each point asked for: things of its group per m² around it."""


def lay_things(shapes: NDArray[Any], groups: NDArray[Any], rows: NDArray[Any]) -> Nearness:
    """Lay things out to be found by their distance.

    Parameters
    ----------
    shapes : numpy.ndarray
        Geometries of any kind in one projected CRS, m; missing and empty ones are never found.
    groups : numpy.ndarray of int
        Number of each thing's group, rising, from 0.
    rows : numpy.ndarray of int
        What each is called in answers; the lowest comes first among equally near ones.

    Examples
    --------
    >>> made = lay_things(shapely.points([[0, 0], [3, 4]]), np.array([0, 0]), np.array([7, 8]))
    >>> find_near(made, ([0.0], [0.0]), [0], [9.0]).distance_m.tolist()
    [0.0, 5.0]
    """
    count = int(groups.max(initial=-1)) + 1
    known = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    shapes, groups, rows = shapes[known], groups[known], rows[known]
    frames, shape = _frames(shapes, groups, count)
    is_point = shapely.get_type_id(shapes) == 0
    points = np.column_stack([shapely.get_x(shapes[is_point]), shapely.get_y(shapes[is_point])])
    bucket = _bucket(points[:, 0], points[:, 1], groups[is_point], (frames, shape))
    order = np.argsort(bucket, kind="stable")
    total = int((shape[:, 0] * shape[:, 1]).sum())
    others = np.flatnonzero(~is_point)
    segments, runs = _segments(shapes[others])
    pairs = _touched(segments, runs, groups[others], (frames, shape))
    made = (
        frames,
        shape,
        np.searchsorted(bucket[order], np.arange(total + 1)),
        points[order],
        rows[is_point][order].astype(np.int32),
        np.searchsorted(pairs[:, 0], np.arange(total + 1)),
        pairs[:, 1].astype(np.int32),
        rows[others].astype(np.int32),
        runs,
        segments,
    )
    return Nearness(**dict(zip(Nearness.__dataclass_fields__, map(sealed, made), strict=True)))


def _frames(
    shapes: NDArray[Any], groups: NDArray[Any], count: int
) -> tuple[Floats, NDArray[np.int64]]:
    frames, shape = np.zeros((count, 5)), np.zeros((count, 3), dtype=np.int64)
    bounds, is_point = shapely.bounds(shapes), shapely.get_type_id(shapes) == 0
    starts = np.searchsorted(groups, np.arange(count + 1))
    for group in np.flatnonzero(np.diff(starts) > 0).tolist():
        own = bounds[starts[group] : starts[group + 1]]
        (west, south), (east, north) = own[:, :2].min(axis=0), own[:, 2:].max(axis=0)
        wide, high = max(east - west, _LEAST_WIDTH_M), max(north - south, _LEAST_WIDTH_M)
        most = _BUCKETS_PER_THING * len(own) + 16
        width = max(np.sqrt(wide * high / len(own)), max(wide, high) / most, _LEAST_WIDTH_M)
        points = int(is_point[starts[group] : starts[group + 1]].sum())
        told = np.array([points, len(own) - points]) / (wide * high)
        frames[group] = west, south, 1.0 / width, *told
        shape[group, :2] = wide / width + 1.0, high / width + 1.0
    shape[:, 2] = np.cumsum(shape[:, 0] * shape[:, 1]) - shape[:, 0] * shape[:, 1]
    return frames, shape


def _place(value: Any, start: Any, per_width: Any, most: Any) -> NDArray[np.int64]:
    place = np.clip(np.floor((value - start) * per_width), 0, most - 1)
    return np.asarray(place, dtype=np.int64)


def _bucket(x: Floats, y: Floats, group: NDArray[Any], pattern: Any) -> NDArray[np.int64]:
    frames, shape = pattern[0][group], pattern[1][group]
    column = _place(x, frames[:, 0], frames[:, 2], shape[:, 0])
    row = _place(y, frames[:, 1], frames[:, 2], shape[:, 1])
    bucket: NDArray[np.int64] = shape[:, 2] + row * shape[:, 0] + column
    return bucket


def _segments(shapes: NDArray[Any]) -> tuple[Floats, NDArray[np.int64]]:
    """Return the segments of lines and polygons, those that bound areas first, and their runs."""
    parts, thing = shapely.get_parts(shapes, return_index=True)
    while (shapely.get_type_id(parts) > 3).any():  # collections within collections
        parts, inner = shapely.get_parts(parts, return_index=True)
        thing = thing[inner]
    found: list[Floats] = []
    names: list[NDArray[np.intp]] = []
    for is_area in (True, False):
        own = np.flatnonzero((shapely.get_type_id(parts) == 3) == is_area)
        lines, part = shapely.get_rings(parts[own], return_index=True) if is_area else (
            parts[own], np.arange(len(own))
        )  # fmt: skip
        path, line = shapely.get_coordinates(lines, return_index=True)
        # A part of one vertex, a point, is a segment without length.
        last = np.concatenate([line[1:] != line[:-1], np.ones(min(len(line), 1), dtype=bool)])
        alone = np.bincount(line, minlength=len(lines))[line] == 1
        heads = np.flatnonzero(~last | alone)
        tails = np.where(alone[heads], heads, heads + 1)
        found.append(np.hstack([path[heads], path[tails]]))
        names.append(thing[own][part[line[heads]]])
    owner = np.concatenate(names)
    order = np.argsort(owner, kind="stable")
    areas = np.bincount(names[0], minlength=len(shapes))
    ends = np.cumsum(np.bincount(owner, minlength=len(shapes)))
    begins = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    return np.concatenate(found)[order], np.column_stack([begins, begins + areas, ends])


def _touched(
    segments: Floats, runs: NDArray[np.int64], groups: NDArray[Any], pattern: Any
) -> NDArray[np.int64]:
    """Return pairs of bucket and thing: a line touches the boxes of its pieces, an area its box."""
    frames, shape = pattern
    boxes: list[Floats] = []
    names: list[NDArray[np.int64]] = []
    owner = np.repeat(np.arange(len(runs)), runs[:, 2] - runs[:, 0])
    length = np.hypot(segments[:, 2] - segments[:, 0], segments[:, 3] - segments[:, 1])
    pieces = np.maximum(np.ceil(length * frames[groups[owner], 2] / _LONG), 1).astype(np.int64)
    of = np.repeat(np.arange(len(segments)), pieces)
    step = np.arange(len(of)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    along = (segments[of, 2:] - segments[of, :2]) / pieces[of, None]
    begin = segments[of, :2] + along * step[:, None]
    end = begin + along
    slack = 1e-6
    boxes.append(np.hstack([np.minimum(begin, end) - slack, np.maximum(begin, end) + slack]))
    names.append(owner[of])
    for thing in np.flatnonzero(runs[:, 1] > runs[:, 0]):
        border = segments[runs[thing, 0] : runs[thing, 1]]
        boxes.append(np.concatenate([border[:, :2].min(axis=0), border[:, :2].max(axis=0)])[None])
        names.append(np.array([thing]))
    box, name = np.concatenate(boxes), np.concatenate(names)
    group = groups[name]
    frame, size = frames[group], shape[group]
    left = _place(box[:, 0], frame[:, 0], frame[:, 2], size[:, 0])
    right = _place(box[:, 2], frame[:, 0], frame[:, 2], size[:, 0])
    low = _place(box[:, 1], frame[:, 1], frame[:, 2], size[:, 1])
    high = _place(box[:, 3], frame[:, 1], frame[:, 2], size[:, 1])
    across = right - left + 1
    counts = across * (high - low + 1)
    of = np.repeat(np.arange(len(box)), counts)
    step = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    bucket = (
        size[of, 2] + (low[of] + step // across[of]) * size[of, 0] + left[of] + step % across[of]
    )
    pairs: NDArray[np.int64] = np.unique(np.column_stack([bucket, name[of]]), axis=0)
    return pairs.reshape(-1, 2)


def find_near(
    things: Nearness,
    points: tuple[Sequence[float] | Floats, Sequence[float] | Floats],
    group: Sequence[int] | NDArray[Any],
    reach_m: Sequence[float] | Floats,
    *,
    most: int = 20,
) -> Found:
    """Return the things of a group within reach of each point, the nearest of them.

    Parameters
    ----------
    things : Nearness
        What `lay_things` made.
    points : tuple of array_like of float
        East and north, m; nan: no point.
    group : array_like of int
        Group asked for; -1 or one that has no things: nothing is found.
    reach_m : array_like of float
        How far each point reaches, m; what lies exactly there is found.
    most : int
        Things told of each point.
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in points)
    found = search(
        (x, y), np.asarray(group, dtype=np.int64), np.asarray(reach_m, dtype=np.float64),
        tuple(vars(things).values()), most,
    )  # fmt: skip
    point, row, distance_m, apart, density = found
    return Found(point=point, row=row, distance_m=distance_m, apart=apart, density=density)
