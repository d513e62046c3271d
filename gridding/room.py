"""Room: whether the corner of a border may move, by what its sides sweep and by what they come near."""

from typing import Any

import numpy as np

from gridding.compiling import compiled_in_place
from gridding.planes import cross, distance, do_cross, is_held, point_distance, span

TRACK, SOLID, POINT = range(3)
"""What does not move: features and the outline, buildings and compounds, components."""
_SLACK_M = 1e-6
_TOUCH_M = 0.03
_FOOT_M = 4.0
"""This near to where it ends on a feature a border may be near that feature, m."""
_SHARP = 0.2
"""Sine of the least angle between two borders."""


@compiled_in_place
def is_clear(mesh: Any, near: Any, corner: int, to_x: float, to_y: float, on: Any) -> bool:
    """Return whether a corner may move: nothing lies where its sides sweep, nothing is too near."""
    for k in range(mesh.first[corner], mesh.first[corner + 1]):
        other = other_end(mesh, mesh.sides[k], corner)
        if not _is_open(mesh, corner, to_x, to_y, other, on):
            return False
        if not _is_apart(mesh, corner, to_x, to_y, k):
            return False
        if not _is_alone(mesh, near, corner, to_x, to_y, other):
            return False
        if not _is_free(mesh, corner, to_x, to_y, other, on):
            return False
    return True


@compiled_in_place
def _sine(x: float, y: float, a: float, b: float, c: float, d: float) -> float:
    """Return the sine of the angle at a place between the ways to two others; 1 if it is not acute."""
    if (a - x) * (c - x) + (b - y) * (d - y) <= 0:
        return 1.0
    size = np.hypot(a - x, b - y) * np.hypot(c - x, d - y)
    result: float = abs(cross(a - x, b - y, c - x, d - y)) / max(size, 1e-9)
    return result


@compiled_in_place
def _is_open(mesh: Any, corner: int, to_x: float, to_y: float, other: int, on: Any) -> bool:
    """Return whether a side is long enough and on its side of the track that its corner slides along."""
    x, y = mesh.xy[corner]
    a, b = mesh.xy[other]
    length = np.hypot(a - to_x, b - to_y)
    if length < min(mesh.reach[0], np.hypot(a - x, b - y)):
        return False
    if on < 0:
        return True
    p, q = mesh.track[on], mesh.track[on + 1]
    way = max(np.hypot(q[0] - p[0], q[1] - p[1]), 1e-9)
    off = cross(q[0] - p[0], q[1] - p[1], a - p[0], b - p[1]) / way
    if abs(off) < _TOUCH_M:
        return False
    return bool(abs(off) / length >= min(_SHARP, abs(off) / max(np.hypot(a - x, b - y), 1e-9)))


@compiled_in_place
def _is_apart(mesh: Any, corner: int, to_x: float, to_y: float, side: int) -> bool:
    """Return whether a corner's sides after the given one make no sharper angle with it."""
    x, y = mesh.xy[corner]
    a, b = mesh.xy[other_end(mesh, mesh.sides[side], corner)]
    for k in range(side + 1, mesh.first[corner + 1]):
        c, d = mesh.xy[other_end(mesh, mesh.sides[k], corner)]
        now = _sine(to_x, to_y, a, b, c, d)
        if now < _SHARP and now < _sine(x, y, a, b, c, d):
            return False
    return True


@compiled_in_place
def _is_alone(mesh: Any, near: Any, corner: int, to_x: float, to_y: float, other: int) -> bool:
    """Return whether a side that moves meets no other side that may move, nor passes over one."""
    x, y = mesh.xy[corner]
    a, b = mesh.xy[other]
    old, new = (x, y, a, b), (to_x, to_y, a, b)
    low_x, high_x = min(x, to_x, a) - mesh.reach[0], max(x, to_x, a) + mesh.reach[0]
    low_y, high_y = min(y, to_y, b) - mesh.reach[0], max(y, to_y, b) + mesh.reach[0]
    west, east = span(near.frame, low_x, high_x, 0)
    south, north = span(near.frame, low_y, high_y, 1)
    for row in range(south, north + 1):
        for column in range(west, east + 1):
            cell = row * int(near.frame[3]) + column
            for k in range(near.first[cell], near.first[cell + 1]):
                one, two = mesh.edges[near.held[k], 0], mesh.edges[near.held[k], 1]
                p, q = mesh.xy[one]
                r, s = mesh.xy[two]
                if max(p, r) < low_x or min(p, r) > high_x or max(q, s) < low_y:
                    continue
                if min(q, s) > high_y or one == corner or two == corner:
                    continue
                if is_held((x, y, to_x, to_y, a, b), (p, q, r, s)):
                    return False
                if one == other or two == other:
                    c, d = mesh.xy[two if one == other else one]
                    now = _sine(a, b, to_x, to_y, c, d)
                    if now < _SHARP and now < _sine(a, b, x, y, c, d):
                        return False
                    continue
                apart = distance(new, (p, q, r, s))
                if apart < mesh.reach[0] and apart < distance(old, (p, q, r, s)) - _SLACK_M:
                    return False
    return True


@compiled_in_place
def _is_free(mesh: Any, corner: int, to_x: float, to_y: float, other: int, on: Any) -> bool:
    """Return whether a side that moves keeps clear of features, buildings and components."""
    x, y = mesh.xy[corner]
    a, b = mesh.xy[other]
    old, new = (x, y, a, b), (to_x, to_y, a, b)
    still = mesh.still
    low_x, high_x = min(x, to_x, a), max(x, to_x, a)
    low_y, high_y = min(y, to_y, b), max(y, to_y, b)
    far = max(mesh.reach[TRACK], mesh.reach[SOLID], mesh.reach[POINT])
    west, east = span(still.frame, low_x - far, high_x + far, 0)
    south, north = span(still.frame, low_y - far, high_y + far, 1)
    for row in range(south, north + 1):
        for column in range(west, east + 1):
            cell = row * int(still.frame[3]) + column
            for k in range(still.first[cell], still.first[cell + 1]):
                item = still.held[k]
                sort = mesh.sort[item]
                reach = mesh.reach[sort]
                place = still.segments[item]
                p, q, r, s = place[0], place[1], place[2], place[3]
                if max(p, r) < low_x - reach or min(p, r) > high_x + reach:
                    continue
                if max(q, s) < low_y - reach or min(q, s) > high_y + reach or item == on:
                    continue
                if sort == POINT:
                    now = point_distance(p, q, to_x, to_y, a, b)
                    if now < reach and now < point_distance(p, q, x, y, a, b) - _SLACK_M:
                        return False
                    continue
                if is_held((x, y, to_x, to_y, a, b), (p, q, r, s)):
                    return False
                if not _keeps_off((old, new), (p, q, r, s), sort, reach, on):
                    return False
    return True


@compiled_in_place
def _keeps_off(sides: Any, place: Any, sort: Any, reach: float, on: Any) -> bool:
    """Return whether the second of two sides, from the same end, is as far from a segment as it must be.

    Both are from a corner to the end that stays. A side that ended there before may do so still.
    """
    old, new = sides
    foot = _FOOT_M if on >= 0 and sort == TRACK else 0.0
    now = distance(_shortened(new, foot, 0.0), place)
    if now >= reach:
        return True
    then = distance(_shortened(old, foot, 0.0), place)
    if then > _TOUCH_M:
        return bool(now >= then - _SLACK_M)
    if do_cross(_shortened(new, max(foot, _TOUCH_M), _TOUCH_M), place):
        return False
    # Where the end that stays is on the segment the angle counts.
    a, b = new[2], new[3]
    if point_distance(a, b, place[0], place[1], place[2], place[3]) > _TOUCH_M:
        return True
    for k in range(0, 4, 2):
        if np.hypot(place[k] - a, place[k + 1] - b) > _TOUCH_M:
            sharp = _sine(a, b, new[0], new[1], place[k], place[k + 1])
            if sharp < _SHARP and sharp < _sine(a, b, old[0], old[1], place[k], place[k + 1]):
                return False
    return True


@compiled_in_place
def _shortened(side: Any, start_m: float, stop_m: float) -> Any:
    """Return a side without its first and last metres; at least a little of it stays."""
    x, y, a, b = side
    dx, dy = a - x, b - y
    length = max(np.hypot(dx, dy), 1e-9)
    start, stop = min(start_m / length, 0.75), min(stop_m / length, 0.2)
    return (x + start * dx, y + start * dy, a - stop * dx, b - stop * dy)


@compiled_in_place
def other_end(mesh: Any, edge: int, corner: int) -> Any:
    """Return the corner at the other end of a side."""
    if mesh.edges[edge, 0] == corner:
        return mesh.edges[edge, 1]
    return mesh.edges[edge, 0]
