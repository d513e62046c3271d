"""Loose ends of lines, led on to the next line so that faces close."""

import numpy as np
import shapely
from scipy.spatial import cKDTree

from gridding.lines import Floats, Geometries, Indices, Lines, joined_lines
from gridding.options import DivisionOptions

_TOUCH_SHARE = 0.4
"""An end this share of a cell away from a line touches it: noding on the precision grid joins them."""
_AWAY_M = 0.05
_REACH_SHARE = 5.0 / 3.0
"""An end is led on to a line as far away as this share of ``conflation_m``."""
_GAP_FACTOR = 2.0
_GAP_MORE_M = 10.0
"""Beside what was dropped, as far as twice the distance to what it ran along, and 10 m."""
_GAP_NEAR_M = 4.0
"""How near an end is to the middle of a part that was dropped beside it."""
_BACK = -0.5
"""Cosine of the turn past which a connector would lead back along its line."""
_TAIL_M = 3.0
"""Length of the end of a line that gives its direction."""


def tie_ends(
    lines: Lines,
    land: shapely.Polygon,
    buildings: Geometries,
    *,
    gaps: Floats,
    options: DivisionOptions,
) -> Lines:
    """Return lines and the connectors from their loose ends in the land to the next line or the outline.

    An end goes straight on where it meets something soon, else the shortest way; it is left where
    neither is near or a building is in the way.

    Parameters
    ----------
    lines : Lines
        On the precision grid.
    land : shapely.Polygon
        Its outline counts as a line.
    buildings : array of Polygon
        No connector crosses one.
    gaps : array of float, n x 3
        Middle of every part of a line that was dropped, and how far off the line is that it ran along.
    options : DivisionOptions
        ``conflation_m`` and the precision grid.
    """
    targets = np.concatenate([lines.lines, shapely.get_parts(shapely.boundary(land))])
    tree = shapely.STRtree(targets)
    owner, ends, ahead = _loose_ends(lines, land, tree, _TOUCH_SHARE * options.precision_m)
    if len(owner) == 0:
        return lines
    reach_m = np.full(len(owner), _REACH_SHARE * options.conflation_m)
    straight_only = np.ones(len(owner), dtype=bool)
    if len(gaps):
        distance, gap = cKDTree(gaps[:, :2]).query(ends, distance_upper_bound=_GAP_NEAR_M)
        beside = np.isfinite(distance)
        wide_m = _GAP_FACTOR * gaps[gap[beside], 2] + _GAP_MORE_M
        reach_m[beside] = np.maximum(reach_m[beside], wide_m)
        straight_only[beside] = False
    ahead_m, ahead_at = _straight_on(owner, ends, ahead, reach_m, tree)
    foot_m, foot_at = _shortest(owner, ends, reach_m, tree)
    foot_m[straight_only & (foot_m > options.conflation_m)] = np.inf
    back = ((foot_at - ends) * ahead).sum(axis=1) < _BACK * foot_m
    foot_m[back] = np.inf
    use_ahead = ahead_m <= 1.5 * foot_m + 1.0
    use_ahead &= np.isfinite(ahead_m)
    goal = np.where(use_ahead[:, None], ahead_at, foot_at)
    found = use_ahead | np.isfinite(foot_m)
    goal = np.round(goal / options.precision_m) * options.precision_m
    found &= (goal != ends).any(axis=1)
    owner, ends, goal = owner[found], ends[found], goal[found]
    connectors = shapely.linestrings(np.stack([ends, goal], axis=1))
    crossing = shapely.STRtree(connectors).query(buildings, predicate="intersects")[1]
    clear = np.setdiff1d(np.arange(len(owner)), crossing)
    added = lines.take(owner[clear])
    return joined_lines(
        lines,
        Lines(
            lines=shapely.normalize(connectors[clear]),
            kind=added.kind,
            rank=added.rank,
            price=added.price,
        ),
    )


def _loose_ends(
    lines: Lines, land: shapely.Polygon, tree: shapely.STRtree, touch_m: float
) -> tuple[Indices, Floats, Floats]:
    """Return line, place and direction of every end in the land that touches no other line."""
    count = len(lines.lines)
    owner = np.tile(np.arange(count), 2)
    tips = np.concatenate([shapely.get_point(lines.lines, 0), shapely.get_point(lines.lines, -1)])
    tail = np.concatenate(
        [
            shapely.line_interpolate_point(lines.lines, _TAIL_M),
            shapely.line_interpolate_point(lines.lines, -_TAIL_M),
        ]
    )
    is_open = ~np.tile(shapely.is_closed(lines.lines), 2)
    ends = shapely.get_coordinates(tips)
    shapely.prepare(land)
    is_open &= shapely.contains_xy(land, ends[:, 0], ends[:, 1])
    rows = np.flatnonzero(is_open)
    place, target = tree.query(tips[rows], predicate="dwithin", distance=touch_m)
    held = np.unique(place[target != owner[rows[place]]])
    rows = np.delete(rows, held)
    ahead = ends[rows] - shapely.get_coordinates(tail[rows])
    ahead /= np.maximum(np.hypot(ahead[:, 0], ahead[:, 1]), 1e-9)[:, None]
    return owner[rows], ends[rows], ahead


def _straight_on(
    owner: Indices, ends: Floats, ahead: Floats, reach_m: Floats, tree: shapely.STRtree
) -> tuple[Floats, Floats]:
    """Return how far ahead of each end the next line is, and where it is met; inf: none."""
    rays = shapely.linestrings(np.stack([ends, ends + ahead * reach_m[:, None]], axis=1))
    # A line may meet itself, as the wall of a yard does past its gate, but not where it ends.
    away = shapely.linestrings(
        np.stack([ends + ahead * _AWAY_M, ends + ahead * reach_m[:, None]], axis=1)
    )
    row, target = tree.query(rays, predicate="intersects")
    rays = np.where(target == owner[row], away[row], rays[row])
    met = shapely.intersection(rays, tree.geometries[target])
    hits = ~shapely.is_empty(met)
    row, met = row[hits], met[hits]
    return _nearest(row, shapely.shortest_line(shapely.points(ends[row]), met), ends)


def _shortest(
    owner: Indices, ends: Floats, reach_m: Floats, tree: shapely.STRtree
) -> tuple[Floats, Floats]:
    """Return how far off the nearest other line is from each end, and where; inf: none in reach."""
    points = shapely.points(ends)
    row, target = tree.query(points, predicate="dwithin", distance=reach_m)
    other = target != owner[row]
    row, target = row[other], target[other]
    return _nearest(row, shapely.shortest_line(points[row], tree.geometries[target]), ends)


def _nearest(row: Indices, ways: Geometries, ends: Floats) -> tuple[Floats, Floats]:
    """Return length and goal of the shortest of the ways that start at each end."""
    length = shapely.length(ways)
    goal = shapely.get_coordinates(shapely.get_point(ways, -1)).reshape(-1, 2)
    order = np.lexsort((goal[:, 1], goal[:, 0], np.round(length, 3), row))
    row, length, goal = row[order], length[order], goal[order]
    first = np.flatnonzero(np.diff(row, prepend=-1))
    best_m = np.full(len(ends), np.inf)
    best_at = ends.copy()
    best_m[row[first]] = length[first]
    best_at[row[first]] = goal[first]
    return best_m, best_at
