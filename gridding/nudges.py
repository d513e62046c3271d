"""Borders relaxed: corners in the open and border ends on features move while the division gains.

The cost is that of the search (`gridding.objective`), now of the borders as they are drawn. A corner
moves only where what it sweeps is empty and its borders keep their distance from what is near.
"""

from typing import Any, NamedTuple

import numpy as np

from gridding.compiling import compiled_in_place
from gridding.graph import Floats, Indices
from gridding.network import worth_of
from gridding.planes import Cells, cross
from gridding.room import is_clear, other_end

FIXED, FREE, SLIDING = range(3)
_EPSILON = 1e-7
_SLACK_M = 1e-6
FARTHEST = 1.1
"""Steps that a corner goes at most: one that slides may go on to a vertex a tenth of a step farther."""
DIRECTIONS = 8
"""Ways in which a corner in the open is tried; straight between its neighbours is one more."""

SLIDE = np.dtype(
    [
        ("first", "i8"),  # first vertex of its track
        ("last", "i8"),
        ("before", "i8"),  # corner before it on the track; -1: none
        ("after", "i8"),
        ("at", "f8"),  # how far along the track it is, m
        ("sides", "i8", (4,)),  # grids left and right of the track before it, then after it
    ]
)


class Mesh(NamedTuple):
    """Borders that may move, and what they must keep clear of; changed in place."""

    xy: Floats
    """Corners, m."""
    kind: Indices
    """FIXED, FREE or SLIDING."""
    slides: Any
    """How each corner slides, if it does."""
    first: Indices
    """Where the sides of each corner begin in `sides`."""
    sides: Indices
    """Sides by corner: rows of `edges`."""
    edges: Indices
    """Sides of grids: first and second corner, grid on the left and on the right."""
    track: Floats
    """x, y and distance along of the vertices of all tracks, one track after the other."""
    grids: Floats
    """Area, perimeter, least and greatest area, and grids per m² of every grid."""
    changed: Indices
    """When each grid last changed."""
    tried: Indices
    """When each corner was last tried."""
    clock: Indices
    touched: Floats
    """Room: what grids gain by a move, (16, 3)."""
    ways: Floats
    """Room: where a corner could move, and the change, (DIRECTIONS + 1, 3)."""
    weights: Floats
    """As the search has them."""
    price: float
    """Price of a metre in the open."""
    precision_m: float
    still: Cells
    """What does not move."""
    sort: Indices
    """What each of these is: TRACK, SOLID or POINT."""
    reach: Floats
    """Distance to be kept from each sort, m; that from a track holds for sides that may move too."""


@compiled_in_place
def nudge(mesh: Any, near: Any, step_m: float) -> int:
    """Move every corner by a step to where the cost falls most; return how many moved.

    `near` holds the sides by cell, with room for a step at both ends of each.
    """
    moved = 0
    for corner in range(len(mesh.xy)):
        if mesh.kind[corner] == FIXED or not _is_stirred(mesh, corner):
            continue
        if mesh.kind[corner] == FREE:
            moved += _nudge_free(mesh, near, corner, step_m)
        else:
            moved += _nudge_sliding(mesh, near, corner, step_m)
    return moved


@compiled_in_place
def _is_stirred(mesh: Any, corner: int) -> bool:
    """Return whether a grid beside a corner changed since it was last tried; note that it is tried."""
    latest = 0
    for k in range(mesh.first[corner], mesh.first[corner + 1]):
        edge = mesh.edges[mesh.sides[k]]
        latest = max(latest, mesh.changed[edge[2]], mesh.changed[edge[3]])
    is_stirred = bool(latest >= mesh.tried[corner])
    mesh.tried[corner] = mesh.clock[0]
    mesh.clock[0] += 1
    return is_stirred


@compiled_in_place
def _nudge_free(mesh: Any, near: Any, corner: int, step_m: float) -> int:
    x, y = mesh.xy[corner]
    cell = mesh.precision_m
    touched, ways = mesh.touched, mesh.ways
    for k in range(DIRECTIONS + 1):
        if k < DIRECTIONS:
            turn = 2.0 * np.pi * k / DIRECTIONS
            at_x, at_y = x + step_m * np.cos(turn), y + step_m * np.sin(turn)
        else:
            at_x, at_y = _foot(mesh, corner, step_m)
        ways[k, 0], ways[k, 1] = np.rint(at_x / cell) * cell, np.rint(at_y / cell) * cell
        ways[k, 2] = _change(mesh, corner, ways[k, 0], ways[k, 1], 0.0, touched)
    while True:
        best = 0
        for k in range(1, DIRECTIONS + 1):
            if ways[k, 2] < ways[best, 2]:
                best = k
        if ways[best, 2] >= -_EPSILON:
            return 0
        if is_clear(mesh, near, corner, ways[best, 0], ways[best, 1], -1):
            break
        ways[best, 2] = np.inf
    _change(mesh, corner, ways[best, 0], ways[best, 1], 0.0, touched)
    _apply(mesh, corner, ways[best, 0], ways[best, 1], touched)
    return 1


@compiled_in_place
def _foot(mesh: Any, corner: int, step_m: float) -> tuple[float, float]:
    """Return the place of a corner of two sides on the straight line between its neighbours."""
    x, y = mesh.xy[corner]
    first = mesh.first[corner]
    if mesh.first[corner + 1] - first != 2:
        return x, y
    a = mesh.xy[other_end(mesh, mesh.sides[first], corner)]
    b = mesh.xy[other_end(mesh, mesh.sides[first + 1], corner)]
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    if square < 1.0:
        return x, y
    t = ((x - a[0]) * dx + (y - a[1]) * dy) / square
    if not 0.0 < t < 1.0:
        return x, y
    to_x, to_y = a[0] + t * dx, a[1] + t * dy
    if np.hypot(to_x - x, to_y - y) > step_m:
        return x, y
    return to_x, to_y


@compiled_in_place
def _nudge_sliding(mesh: Any, near: Any, corner: int, step_m: float) -> int:
    touched = mesh.touched
    slide = mesh.slides[corner]
    cell = mesh.precision_m
    best, to_x, to_y, to = -_EPSILON, 0.0, 0.0, 0.0
    for k in range(2):
        at, on = _slid(mesh, corner, step_m if k == 0 else -step_m)
        if at == slide["at"]:
            continue
        part = (at - mesh.track[on, 2]) / (mesh.track[on + 1, 2] - mesh.track[on, 2])
        at_x = mesh.track[on, 0] + part * (mesh.track[on + 1, 0] - mesh.track[on, 0])
        at_y = mesh.track[on, 1] + part * (mesh.track[on + 1, 1] - mesh.track[on, 1])
        at_x, at_y = np.rint(at_x / cell) * cell, np.rint(at_y / cell) * cell
        change = _change(mesh, corner, at_x, at_y, at - slide["at"], touched)
        if change < best and is_clear(mesh, near, corner, at_x, at_y, on):
            best, to_x, to_y, to = change, at_x, at_y, at
    if best == -_EPSILON:
        return 0
    _change(mesh, corner, to_x, to_y, to - slide["at"], touched)
    _apply(mesh, corner, to_x, to_y, touched)
    slide["at"] = to
    return 1


@compiled_in_place
def _slid(mesh: Any, corner: int, step_m: float) -> tuple[float, Any]:
    """Return how far along its track a corner is after a step, and the vertex before: on one side of it."""
    slide = mesh.slides[corner]
    track = mesh.track
    at = slide["at"]
    on: Any = slide["first"]
    if step_m > 0:
        while on < slide["last"] - 1 and track[on + 1, 2] <= at + _SLACK_M:
            on += 1
        limit = track[slide["last"], 2]
        if slide["after"] >= 0:
            limit = mesh.slides[slide["after"]]["at"]
        to = min(at + step_m, limit - mesh.reach[0])
        if to > track[on + 1, 2] - (FARTHEST - 1.0) * step_m:
            to = min(track[on + 1, 2], limit - mesh.reach[0])
        return max(at, to), on
    while on < slide["last"] - 1 and track[on + 1, 2] < at - _SLACK_M:
        on += 1
    limit = track[slide["first"], 2]
    if slide["before"] >= 0:
        limit = mesh.slides[slide["before"]]["at"]
    to = max(at + step_m, limit + mesh.reach[0])
    if to < track[on, 2] - (FARTHEST - 1.0) * step_m:
        to = max(track[on, 2], limit + mesh.reach[0])
    return min(at, to), on


@compiled_in_place
def _add(touched: Any, count: int, grid: int, area: float, rim: float) -> int:
    """Note what a grid gains; return how many grids are noted."""
    if grid < 0:
        return count
    for k in range(count):
        if touched[k, 0] == grid:
            touched[k, 1] += area
            touched[k, 2] += rim
            return count
    touched[count, 0], touched[count, 1], touched[count, 2] = grid, area, rim
    return count + 1


@compiled_in_place
def _change(mesh: Any, corner: int, to_x: float, to_y: float, along: float, touched: Any) -> float:
    """Return how the cost changes when a corner moves; infinite where a grid leaves its limits.

    What each grid gains is left in `touched`, closed by -1.
    """
    x, y = mesh.xy[corner]
    count, total = 0, 0.0
    if mesh.first[corner + 1] - mesh.first[corner] > 5:
        return np.inf
    for k in range(mesh.first[corner], mesh.first[corner + 1]):
        edge = mesh.edges[mesh.sides[k]]
        other = mesh.xy[edge[0] if edge[1] == corner else edge[1]]
        swept = cross(other[0], other[1], to_x, to_y) - cross(other[0], other[1], x, y)
        swept *= 0.5 if edge[1] == corner else -0.5
        longer = np.hypot(to_x - other[0], to_y - other[1]) - np.hypot(x - other[0], y - other[1])
        count = _add(touched, count, edge[2], swept, longer)
        count = _add(touched, count, edge[3], -swept, longer)
        total += mesh.price * longer
    if mesh.kind[corner] == SLIDING:
        slide = mesh.slides[corner]
        swept = 0.5 * cross(x, y, to_x, to_y)
        count = _add(touched, count, slide["sides"][0], swept, along)
        count = _add(touched, count, slide["sides"][1], -swept, along)
        count = _add(touched, count, slide["sides"][2], -swept, -along)
        count = _add(touched, count, slide["sides"][3], swept, -along)
    touched[count, 0] = -1
    for k in range(count):
        grid = mesh.grids[int(touched[k, 0])]
        area, rim = grid[0] + touched[k, 1], grid[1] + touched[k, 2]
        if (area < grid[2] and touched[k, 1] < 0) or (area > grid[3] and touched[k, 1] > 0):
            return np.inf
        total += worth_of(mesh.weights, area, area * grid[4], 0.0, rim)
        total -= worth_of(mesh.weights, grid[0], grid[0] * grid[4], 0.0, grid[1])
    return total


@compiled_in_place
def _apply(mesh: Any, corner: int, to_x: float, to_y: float, touched: Any) -> None:
    mesh.xy[corner, 0], mesh.xy[corner, 1] = to_x, to_y
    k = 0
    while touched[k, 0] >= 0:
        grid = mesh.grids[int(touched[k, 0])]
        grid[0] += touched[k, 1]
        grid[1] += touched[k, 2]
        mesh.changed[int(touched[k, 0])] = mesh.clock[0]
        k += 1
