"""The things near a point out of a layout of things, in compiled code; distances are those of GEOS."""

from math import sqrt
from pathlib import Path
from typing import Any

import numba
import numpy as np

from gis.compiled import forget_stale
from gis.orientation import turn

forget_stale(Path(__file__).parent, modules=("orientation", "vicinity"))

_AROUND = 2
"""Buckets on each side of a point's bucket that tell how densely things lie there."""
_FEW = 32

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")
_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")


@_inline
def _clip(value: float, most: int) -> int:
    return int(min(max(np.floor(value), 0.0), most - 1.0))


@_compile
def search(points: Any, groups: Any, reaches: Any, things: Any, most: int) -> Any:
    """Return point, row, distance, way to the nearest place, and the density around each point.

    Parameters
    ----------
    points : tuple of numpy.ndarray
        East and north, m.
    groups, reaches : numpy.ndarray
        Group asked for and reach, m, of each point.
    things : tuple
        The arrays of a `gis.nearness.Nearness`, in their order.
    most : int
        Things told of each point, the nearest.
    """
    # Taken out of the tuple once: what is handed on in a loop is counted anew each time.
    frames, shape, firsts = things[0], things[1], things[2]
    places, names, shape_firsts = things[3], things[4], things[5]
    x, y = points
    count, room = 0, len(x) + 64
    point, row = np.empty(room, np.int64), np.empty(room, np.int64)
    distance, apart = np.empty(room), np.empty((room, 2))
    near, kept = np.empty((64, 3)), np.empty(64, np.int64)
    for number in range(len(x)):
        group, east, north, reach = groups[number], x[number], y[number], reaches[number]
        is_known = np.isfinite(east) and np.isfinite(north) and reach >= 0.0
        if not (is_known and 0 <= group < len(frames) and shape[group, 0] > 0):
            continue
        west, south, per_width = frames[group, 0], frames[group, 1], frames[group, 2]
        columns, rows, bucket = shape[group, 0], shape[group, 1], shape[group, 2]
        others = frames[group, 4]
        # A hair more: what lies exactly at the reach may lie in the next bucket by rounding.
        wide = reach + 1e-6
        left = _clip((east - wide - west) * per_width, columns)
        right = _clip((east + wide - west) * per_width, columns)
        low = _clip((north - wide - south) * per_width, rows)
        high = _clip((north + wide - south) * per_width, rows)
        found = 0
        for line in range(low, high + 1):
            start = bucket + line * columns
            begin, end = firsts[start + left], firsts[start + right + 1]
            if found + end - begin > len(kept):
                near, kept = _roomy(near, kept, found + end - begin)
            # No branch depends on the distance. Written out: a call would count the arrays anew.
            for place in range(begin, end):
                dx, dy = places[place, 0] - east, places[place, 1] - north
                metres = sqrt(dx * dx + dy * dy)
                near[found, 0], near[found, 1], near[found, 2] = metres, dx, dy
                kept[found] = names[place]
                found += metres <= reach
            begin, end = start + left, start + right + 1
            if others > 0.0 and shape_firsts[begin] < shape_firsts[end]:
                begin, end = shape_firsts[begin], shape_firsts[end]
                near, kept = _roomy(near, kept, found + end - begin)
                found = _shapes(things, (begin, end), (east, north, reach), near, kept, found)
        if found > min(most, 1):
            found = _nearest(near, kept, found, most)
        if count + found > room:
            room = 2 * (count + found)
            point, row = _longer(point, room), _longer(row, room)
            distance, apart = _longer(distance, room), _longer_pairs(apart, room)
        for place in range(found):
            point[count], row[count], distance[count] = number, kept[place], near[place, 0]
            apart[count, 0], apart[count, 1] = near[place, 1], near[place, 2]
            count += 1
    density = _densities(points, (groups, reaches), frames, shape, firsts)
    return point[:count], row[:count], distance[:count], apart[:count], density


@_compile
def _densities(points: Any, asked: Any, frames: Any, shape: Any, firsts: Any) -> Any:
    """Return things per m² in the buckets around; one thing's worth of the group's own is added."""
    x, y = points
    groups, reaches = asked
    density = np.zeros(len(x))
    for number in range(len(x)):
        group, east, north = groups[number], x[number], y[number]
        is_known = np.isfinite(east) and np.isfinite(north) and reaches[number] >= 0.0
        if not (is_known and 0 <= group < len(frames) and shape[group, 0] > 0):
            continue
        west, south, per_width = frames[group, 0], frames[group, 1], frames[group, 2]
        columns, rows, bucket = shape[group, 0], shape[group, 1], shape[group, 2]
        own, others = frames[group, 3], frames[group, 4]
        column, row = (
            _clip((east - west) * per_width, columns),
            _clip((north - south) * per_width, rows),
        )
        left, right = max(column - _AROUND, 0), min(column + _AROUND, columns - 1)
        low, high = max(row - _AROUND, 0), min(row + _AROUND, rows - 1)
        held = 0
        for line in range(low, high + 1):
            start = bucket + line * columns
            held += firsts[start + right + 1] - firsts[start + left]
        area_m2 = (right - left + 1) * (high - low + 1) / (per_width * per_width)
        density[number] = others + ((held + 1.0) / (area_m2 + 1.0 / own) if own > 0.0 else 0.0)
    return density


@_compile
def _roomy(near: Any, kept: Any, wanted: int) -> Any:
    if wanted <= len(kept):
        return near, kept
    return _longer_pairs(near, 2 * wanted), _longer(kept, 2 * wanted)


@_compile
def _longer(array: Any, room: int) -> Any:
    longer = np.empty(room, array.dtype)
    longer[: len(array)] = array
    return longer


@_compile
def _longer_pairs(array: Any, room: int) -> Any:
    longer = np.empty((room, array.shape[1]), array.dtype)
    longer[: len(array)] = array
    return longer


@_compile
def _shapes(things: Any, span: Any, asked: Any, near: Any, kept: Any, found: int) -> int:
    """Keep the lines and polygons of a span of buckets that lie within reach, each once."""
    entries, rows, runs, segments = things[6], things[7], things[8], things[9]
    east, north, reach = asked
    for entry in range(span[0], span[1]):
        thing = entries[entry]
        is_new = True
        for before in range(found):
            if kept[before] == rows[thing]:
                is_new = False
                break
        if not is_new:
            continue
        metres, dx, dy = _to_shape(segments, runs[thing], east, north)
        if metres <= reach:
            near[found, 0], near[found, 1], near[found, 2] = metres, dx, dy
            kept[found] = rows[thing]
            found += 1
    return found


@_compile
def _to_shape(segments: Any, run: Any, east: float, north: float) -> Any:
    """Return distance and way to the nearest place of a thing; 0 inside its areas."""
    least, least_x, least_y = np.inf, 0.0, 0.0
    is_inside = False
    for place in range(run[0], run[2]):
        ax, ay, bx, by = segments[place]
        if place < run[1]:
            side = 0
            if min(ay, by) <= north <= max(ay, by):
                side = turn(ax, ay, bx, by, east, north)
            if (
                side == 0
                and min(ax, bx) <= east <= max(ax, bx)
                and min(ay, by) <= north <= max(ay, by)
            ):
                return 0.0, 0.0, 0.0
            if (ay > north) != (by > north) and (side > 0) == (by > ay):
                is_inside = not is_inside
        metres, dx, dy = _to_segment(ax, ay, bx, by, east, north)
        if metres < least:
            least, least_x, least_y = metres, dx, dy
    if is_inside:
        return 0.0, 0.0, 0.0
    return least, least_x, least_y


@_inline
def _to_segment(ax: float, ay: float, bx: float, by: float, east: float, north: float) -> Any:
    """Return distance and way to a segment, by the steps of GEOS: equal to the last bit."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    along = ((east - ax) * dx + (north - ay) * dy) / square if square > 0.0 else 0.0
    if along <= 0.0 or along >= 1.0:
        way_x, way_y = (ax - east, ay - north) if along <= 0.0 else (bx - east, by - north)
        return sqrt(way_x * way_x + way_y * way_y), way_x, way_y
    beside = ((ay - north) * dx - (ax - east) * dy) / square
    return abs(beside) * sqrt(square), ax + along * dx - east, ay + along * dy - north


@_compile
def _nearest(near: Any, kept: Any, found: int, most: int) -> int:
    """Sort by distance, then row, and return how many are told."""
    if found > _FEW:
        order = np.argsort(kept[:found], kind="mergesort")
        order = order[np.argsort(near[:found, 0][order], kind="mergesort")]
        kept[:found], near[:found] = kept[:found][order], near[:found][order]
        return min(found, most)
    for last in range(1, found):
        row, metres, dx, dy = kept[last], near[last, 0], near[last, 1], near[last, 2]
        place = last
        while place > 0:
            before = near[place - 1, 0]
            if before < metres or (before == metres and kept[place - 1] < row):
                break
            kept[place] = kept[place - 1]
            for column in range(3):
                near[place, column] = near[place - 1, column]
            place -= 1
        kept[place] = row
        near[place, 0], near[place, 1], near[place, 2] = metres, dx, dy
    return min(found, most)
