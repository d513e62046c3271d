"""How much of a normal error falls into each cell near a point: exact, in compiled code.

The outline of a cell is one closed path: its rings, inside on the left, joined by bridges that are
walked there and back and so weigh nothing. Cells are found by buckets: squares of the plane, about as
wide as a cell, that name the cells whose boxes touch them. A cell of 20 vertices takes about 420
bytes: 16 per vertex, 20 per bucket it touches, 8 for the start of its path.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.gauss import mass
from gis.mapped import sealed

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

REACH_SIGMA = 4.5
"""Cells farther than this many standard deviations get no share (4e-5 of the mass lies beyond)."""
LEAST_SHARE = 1e-4
"""Shares smaller than this are left out."""
LEAST_SIGMA_M = 1e-6
"""A standard deviation below this is none, m."""
_BUCKETS_PER_CELL = 4
_LEAST_WIDTH_M = 1e-3
_EQUAL = 1e-9
_FEW = 48
_CELLS = 1 << 32

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")
_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")


@dataclass(frozen=True, kw_only=True)
class Outlines:
    """The outlines of cells as flat arrays, ready to be written and memory-mapped."""

    vertices: NDArray[np.float64]
    """(n, 2): the closed paths, cell by cell, m."""
    starts: NDArray[np.int64]
    """First vertex of each cell, and past the last."""
    frame: NDArray[np.float64]
    """West, south, and 1 / width of a bucket."""
    shape: NDArray[np.int64]
    """Columns and rows of buckets."""
    firsts: NDArray[np.int64]
    """First entry of each bucket, row by row from the south-west, and past the last."""
    cells: NDArray[np.int32]
    """Cell of each entry times 4; plus 1: the bucket is in the cell's first column; plus 2: row."""
    boxes: NDArray[np.float32]
    """(entries, 4): west, south, east, north of that cell, rounded outwards."""

    def nbytes(self) -> int:
        """Return the memory of the arrays, bytes."""
        return sum(array.nbytes for array in vars(self).values())


def lay_outlines(polygons: NDArray[Any]) -> Outlines:
    """Lay the outlines of polygons out; missing and empty ones get no share.

    Parameters
    ----------
    polygons : numpy.ndarray
        Valid Polygons or MultiPolygons in one projected CRS, m.

    Examples
    --------
    >>> made = lay_outlines(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> len(made.vertices), made.starts.tolist()
    (10, [0, 5, 10])
    """
    vertices, starts = _paths(polygons)
    boxes = _outward(vertices, starts)
    known = np.flatnonzero(np.isfinite(boxes[:, 0]))
    frame, shape = _frame_of(boxes[known].astype(np.float64))
    firsts, cells = _fill(boxes, known, frame, shape)
    made = (vertices, starts, frame, shape, firsts, cells, boxes[cells // 4])
    return Outlines(**dict(zip(Outlines.__dataclass_fields__, map(sealed, made), strict=True)))


def _paths(polygons: NDArray[Any]) -> tuple[Floats, NDArray[np.int64]]:
    parts, cell = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    vertices, ring = shapely.get_coordinates(rings, return_index=True)
    owner = cell[part]
    counts = np.bincount(owner, minlength=len(polygons))
    if (counts > 1).any():
        # Back to where the cell's path began after each ring but the first: there and back again.
        begins = np.searchsorted(ring, np.arange(len(rings)))
        is_later = np.concatenate([[False], owner[1:] == owner[:-1]])
        ends = np.concatenate([begins[1:], [len(vertices)]])[is_later]
        home = begins[np.searchsorted(owner, owner)][is_later]
        vertices = np.insert(vertices, ends, vertices[home], axis=0)
        ring = np.insert(ring, ends, np.flatnonzero(is_later))
    starts = np.searchsorted(owner[ring], np.arange(len(polygons) + 1)).astype(np.int64)
    return vertices, starts


def _outward(vertices: Floats, starts: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the boxes of paths in single precision, none smaller than it is; nan: no path."""
    boxes = np.full((len(starts) - 1, 4), np.nan)
    known = np.flatnonzero(np.diff(starts) > 0)
    if len(known):
        at = starts[:-1][known]
        boxes[known, :2] = np.minimum.reduceat(vertices, at, axis=0)
        boxes[known, 2:] = np.maximum.reduceat(vertices, at, axis=0)
    rounded = boxes.astype(np.float32)
    rounded[:, :2] = np.nextafter(rounded[:, :2], np.float32(-np.inf))
    rounded[:, 2:] = np.nextafter(rounded[:, 2:], np.float32(np.inf))
    return rounded


def _frame_of(boxes: Floats) -> tuple[Floats, NDArray[np.int64]]:
    if not len(boxes):
        return np.array([0.0, 0.0, 1.0]), np.zeros(2, dtype=np.int64)
    west, south = boxes[:, :2].min(axis=0)
    east, north = boxes[:, 2:].max(axis=0)
    most = _BUCKETS_PER_CELL * len(boxes) + 1024
    area_m2 = float(((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])).mean())
    width = max(
        np.sqrt(area_m2),
        np.sqrt((east - west) * (north - south) / most),
        max(east - west, north - south) / most,
        _LEAST_WIDTH_M,
    )
    shape = np.array([(east - west) / width + 1.0, (north - south) / width + 1.0])
    return np.array([west, south, 1.0 / width]), shape.astype(np.int64)


@_inline
def _clip(value: float, most: int) -> int:
    return int(min(max(np.floor(value), 0.0), most - 1.0))


@_compile
def _fill(boxes: Any, known: Any, frame: Any, shape: Any) -> Any:
    """Return where each bucket starts, and its cells in rising order."""
    west, south, per_width = frame
    columns, rows = shape
    firsts = np.zeros(columns * rows + 2, dtype=np.int64)
    cells = np.empty(0, dtype=np.int32)
    for is_filling in (False, True):
        if is_filling:
            firsts = np.cumsum(firsts)
            cells = np.empty(firsts[-1], dtype=np.int32)
        for cell in known:
            left = _clip((boxes[cell, 0] - west) * per_width, columns)
            low = _clip((boxes[cell, 1] - south) * per_width, rows)
            right = _clip((boxes[cell, 2] - west) * per_width, columns)
            high = _clip((boxes[cell, 3] - south) * per_width, rows)
            for row in range(low, high + 1):
                for column in range(left, right + 1):
                    bucket = row * columns + column
                    if is_filling:
                        place = (column == left) + 2 * (row == low)
                        cells[firsts[bucket + 1]] = 4 * cell + place
                        firsts[bucket + 1] += 1
                    else:
                        firsts[bucket + 2] += 1
    return firsts[:-1], cells


def covariances(
    major_m: ArrayLike, minor_m: ArrayLike, bearing_deg: ArrayLike
) -> NDArray[np.float64]:
    """Return variance east, covariance and variance north of error ellipses, m².

    Parameters
    ----------
    major_m, minor_m : array_like of float
        Standard deviations along the axes, m.
    bearing_deg : array_like of float
        Direction of the major axis, clockwise from north, degrees.

    Examples
    --------
    >>> covariances([3.0, 3.0], [2.0, 2.0], [0.0, 90.0]).round(9).tolist()
    [[4.0, 0.0, 9.0], [9.0, 0.0, 4.0]]
    """
    angle = np.radians(np.asarray(bearing_deg, dtype=np.float64))
    east, north = np.sin(angle), np.cos(angle)
    major, minor = np.square(major_m), np.square(minor_m)
    return np.stack(
        [
            major * east**2 + minor * north**2,
            (major - minor) * east * north,
            major * north**2 + minor * east**2,
        ],
        axis=-1,
    )


def errors_of(
    sigma_m: ArrayLike, covariance: ArrayLike | None, *, count: int
) -> NDArray[np.float64]:
    """Return what `spread` takes for so many errors: the numbers that make them round, their reach.

    Parameters
    ----------
    sigma_m : array_like of float
        Standard deviation per axis, m; below `LEAST_SIGMA_M`, or nan: there is no error, reach 0.
    covariance : array_like of float or None
        As `covariances` gives it; rows that are nan or no covariance leave the error round.
    count : int
        How many points there are.

    Examples
    --------
    >>> errors_of(2.0, None, count=1).tolist()
    [[0.5, 0.0, 0.5, 9.0, 9.0]]
    """
    sigma = np.broadcast_to(np.asarray(sigma_m, dtype=np.float64), (count,))
    errors = np.empty((count, 5))
    _round(sigma, errors)
    if covariance is None:
        return errors
    stated = np.asarray(covariance, dtype=np.float64)
    least = LEAST_SIGMA_M**2
    with np.errstate(invalid="ignore"):
        rest = stated[:, 2] - stated[:, 1] ** 2 / np.where(stated[:, 0] > 0, stated[:, 0], np.nan)
        whole = np.flatnonzero((stated[:, 0] >= least) & (rest >= least) & np.isfinite(rest))
    if len(whole):
        # The inverse of the Cholesky factor of the covariance.
        east, both, north = stated[whole].T
        first, last = np.sqrt(east), np.sqrt(rest[whole])
        errors[whole, 0], errors[whole, 2] = 1.0 / first, 1.0 / last
        errors[whole, 1] = -both / (east * last)
        errors[whole, 3], errors[whole, 4] = REACH_SIGMA * first, REACH_SIGMA * np.sqrt(north)
    return errors


@_compile
def _round(sigma: Any, errors: Any) -> None:
    for number in range(len(sigma)):
        value = sigma[number]
        is_known = np.isfinite(value) and value >= LEAST_SIGMA_M
        errors[number, 0] = errors[number, 2] = 1.0 / value if is_known else 0.0
        errors[number, 1] = 0.0
        errors[number, 3] = errors[number, 4] = REACH_SIGMA * value if is_known else 0.0


@_compile
def spread(east: Any, north: Any, errors: Any, outlines: Any, room: Any) -> Any:
    """Return point, cell and probability of all shares, point by point, the largest first.

    Parameters
    ----------
    east, north : numpy.ndarray of float64
        Points, m.
    errors : numpy.ndarray
        (n, 5): the three numbers that make the error round (`gis.gauss.mass`); how far it reaches
        east and north, m. Where it reaches nowhere, the point gets no shares.
    outlines : tuple
        The arrays of `Outlines` in their order.
    room : tuple
        `gis.gauss.working_room` for the longest path.
    """
    vertices, starts, frame, shape, firsts, cells, boxes = outlines
    west, south, per_width = frame
    columns, rows = shape
    count_room = 2 * len(east) + 64
    point, rank = np.empty(count_room, np.int64), np.empty(count_room, np.int64)
    share, near = np.empty(count_room), np.empty(64, np.int64)
    count = 0
    for number in range(len(east)):
        x, y = east[number], north[number]
        scale = (errors[number, 0], errors[number, 1], errors[number, 2])
        reach_x, reach_y = errors[number, 3], errors[number, 4]
        if not (np.isfinite(x) and np.isfinite(y) and reach_x > 0.0):
            continue
        per_reach_x, per_reach_y = 1.0 / reach_x, 1.0 / reach_y
        limit = 1.0 if scale[1] == 0.0 else 2.0
        begin, total = count, 0.0
        left = _clip((x - reach_x - west) * per_width, columns)
        right = _clip((x + reach_x - west) * per_width, columns)
        low = _clip((y - reach_y - south) * per_width, rows)
        high = _clip((y + reach_y - south) * per_width, rows)
        found = 0
        for row in range(low, high + 1):
            first, last = firsts[row * columns + left], firsts[row * columns + right + 1]
            if found + last - first > len(near):
                near = _longer(near, 2 * (found + last - first))
            ends = firsts[row * columns + left + 1]
            for entry in range(first, last):
                apart_x = max(boxes[entry, 0] - x, x - boxes[entry, 2], 0.0) * per_reach_x
                apart_y = max(boxes[entry, 1] - y, y - boxes[entry, 3], 0.0) * per_reach_y
                place = cells[entry]
                near[found] = place >> 2
                # A cell of several buckets counts in the first of those that are looked at. The reach
                # of a round error is a disc, that of another is kept to its box.
                found += (
                    ((place & 1 != 0) | (entry < ends))
                    & ((place & 2 != 0) | (row == low))
                    & (apart_x <= 1.0)
                    & (apart_y <= 1.0)
                    & (apart_x * apart_x + apart_y * apart_y <= limit)
                )
        if found > count_room - count:
            count_room = 2 * (count + found)
            point, rank = _longer(point, count_room), _longer(rank, count_room)
            share = _longer(share, count_room)
        for cell in near[:found]:
            value = mass(vertices, (starts[cell], starts[cell + 1]), (x, y), scale, room)
            value = min(max(value, 0.0), 1.0)
            total += value
            point[count], rank[count], share[count] = number, cell, value
            count += value >= LEAST_SHARE
        if total > 1.0:
            share[begin:count] /= total
        count = _ordered(rank, share, begin, count)
    return point[:count], rank[:count], share[:count]


@_compile
def _longer(array: Any, most: int) -> Any:
    longer = np.empty(most, array.dtype)
    longer[: len(array)] = array
    return longer


@_compile
def _ordered(rank: Any, share: Any, begin: int, end: int) -> int:
    """Sort the shares of one point, drop the least, and return where they end.

    Shares that differ by rounding alone count as equal.
    """
    if end - begin > _FEW:
        keys = -np.rint(share[begin:end] / _EQUAL).astype(np.int64) * _CELLS + rank[begin:end]
        order = np.argsort(keys)
        rank[begin:end], share[begin:end] = rank[begin:end][order], share[begin:end][order]
    else:
        for last in range(begin + 1, end):
            moved, value = rank[last], share[last]
            key = np.rint(value / _EQUAL)
            place = last
            while place > begin:
                before = np.rint(share[place - 1] / _EQUAL)
                if before > key or (before == key and rank[place - 1] < moved):
                    break
                rank[place], share[place] = rank[place - 1], share[place - 1]
                place -= 1
            rank[place], share[place] = moved, value
    while end > begin and share[end - 1] < LEAST_SHARE:
        end -= 1
    return end


@_compile
def own_spread(points: Any, errors: Any, cells: Any, outlines: Any, room: Any) -> Any:
    """Return the share of one cell for each point; 0 where the cell is -1 or the point none."""
    east, north = points
    vertices, starts = outlines[0], outlines[1]
    share = np.zeros(len(east))
    for number in range(len(east)):
        x, y, cell = east[number], north[number], cells[number]
        scale = (errors[number, 0], errors[number, 1], errors[number, 2])
        is_known = np.isfinite(x) and np.isfinite(y) and errors[number, 3] > 0.0
        if cell >= 0 and is_known:
            value = mass(vertices, (starts[cell], starts[cell + 1]), (x, y), scale, room)
            share[number] = min(max(value, 0.0), 1.0)
    return share
