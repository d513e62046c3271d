"""Obstacles: what a straightened border keeps clear of."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import shapely

from gridding.arcs import Arcs, Geometries, Mask
from gridding.graph import Floats, Indices

_EPSILON_M = 1e-6
_NARROW_SHARE = 0.7
"""Share of its old distance that a border may come down to where the gap is narrow."""
_INSET_M = 0.1
"""What reaches less deep into a building does not cut it, m."""
_NECK_M = 3.0
"""Borders that meet nowhere keep this distance, m: a grid is no thread."""
_RIM_M = 1.3
"""With the clearance kept from what is left, a border may run 0.8 m inside a compound."""
_DETOUR_M = 2.5
"""Distance from a component within which a border on a feature may leave its course, m."""


@dataclass(frozen=True, kw_only=True)
class Obstacles:
    """Buildings and components near the borders of one piece of land."""

    solids: Geometries
    """Polygons that must not be cut."""
    buildings: int
    """How many of them are buildings; these come first."""
    points: Geometries
    """Components."""
    clearance_m: float
    """Distance from solids, m."""
    point_clearance_m: float
    """Distance from components, m."""

    @cached_property
    def solid_tree(self) -> shapely.STRtree:
        """Tree of the solids."""
        return shapely.STRtree(self.solids)

    @cached_property
    def point_tree(self) -> shapely.STRtree:
        """Tree of the components."""
        return shapely.STRtree(self.points)

    @cached_property
    def _known_cores(self) -> Geometries:
        return np.full(len(self.solids), None, dtype=object)

    def cores(self, solid: Indices) -> Geometries:
        """Return what of solids lies deeper than 0.1 m inside them; worked out once for each."""
        known = self._known_cores
        fresh = np.unique(solid[shapely.is_missing(known[solid])])
        known[fresh] = shapely.buffer(self.solids[fresh], -_INSET_M)
        return known[solid]

    def lenient(self) -> "Obstacles":
        """Return the obstacles without the rims of compounds, which a border may cut off by less than a metre."""
        inner = shapely.buffer(self.solids[self.buildings :], -_RIM_M)
        inner = inner[~shapely.is_empty(inner)]
        return replace(self, solids=np.concatenate([self.solids[: self.buildings], inner]))


def meets_solid(lines: Geometries, before: Geometries, obstacles: Obstacles) -> Mask:
    """Return which lines come too near to a solid, or cut it more than the line before did.

    Where the line before was nearer than the clearance, most of that distance is kept.
    """
    bad = np.zeros(len(lines), dtype=np.bool_)
    if len(obstacles.solids) == 0 or len(lines) == 0:
        return bad
    line, solid = obstacles.solid_tree.query(
        lines, predicate="dwithin", distance=obstacles.clearance_m
    )
    if len(line) == 0:
        return bad
    solids = obstacles.solids[solid]
    now, then = shapely.distance(lines[line], solids), shapely.distance(before[line], solids)
    least = np.minimum(obstacles.clearance_m, _NARROW_SHARE * then) - _EPSILON_M
    bad[line[now < least]] = True
    bad[line[(then > _EPSILON_M) & (now <= 0)]] = True
    touching = then <= _EPSILON_M
    line, core = line[touching], obstacles.cores(solid[touching])
    depth = shapely.length(shapely.intersection(lines[line], core))
    allowed = shapely.length(shapely.intersection(before[line], core))
    bad[line[depth > allowed + _EPSILON_M]] = True
    return bad


def near_points(lines: Geometries, obstacles: Obstacles) -> tuple[Indices, Indices]:
    """Return the pairs of line and component that are too near, unless an end of the line is as near."""
    none = np.zeros(0, dtype=np.intp)
    if len(obstacles.points) == 0 or len(lines) == 0 or obstacles.point_clearance_m <= 0:
        return none, none
    line, point = obstacles.point_tree.query(
        lines, predicate="dwithin", distance=obstacles.point_clearance_m - _EPSILON_M
    )
    order = np.lexsort((point, line))
    line, point = line[order], point[order]
    ends = shapely.multipoints(
        np.column_stack([shapely.get_point(lines[line], 0), shapely.get_point(lines[line], -1)])
    )
    points = obstacles.points[point]
    inside = shapely.distance(lines[line], points) < shapely.distance(ends, points) - _EPSILON_M
    return line[inside], point[inside]


def pass_round(
    lines: Geometries, obstacles: Obstacles, *, is_other_side: bool, precision_m: float
) -> Geometries:
    """Bend lines round the components that they come too near to, by one vertex for each.

    Parameters
    ----------
    lines : array of shapely.LineString
        In metres; those near no component come back as they are.
    obstacles : Obstacles
        Give the components and their clearance.
    is_other_side : bool
        Whether to pass each component on the side where it is not passed now.
    precision_m : float
        Side of the cells on which the new vertices lie, m.
    """
    pairs = near_points(lines, obstacles)
    return bend(lines, pairs, obstacles, is_other_side=is_other_side, precision_m=precision_m)


def bend(
    lines: Geometries,
    pairs: tuple[Indices, Indices],
    obstacles: Obstacles,
    *,
    is_other_side: bool,
    is_local: bool = False,
    precision_m: float,
) -> Geometries:
    """Bend lines round the given components, by one vertex for each.

    Parameters
    ----------
    lines : array of shapely.LineString
        In metres; those without a component come back as they are.
    pairs : line, point
        Positions in `lines` and in the components of `obstacles`, by line.
    obstacles : Obstacles
        Give the components and their clearance.
    is_other_side : bool
        Whether to pass each component on the side where it is not passed now.
    is_local : bool
        Whether a line leaves its course no sooner than 2.5 m before a component.
    precision_m : float
        Side of the cells on which the new vertices lie, m.
    """
    line, point = pairs
    if len(line) == 0:
        return lines
    along = shapely.line_locate_point(lines[line], obstacles.points[point])
    if is_local:
        both = np.concatenate([along - _DETOUR_M, along + _DETOUR_M])
        owner = np.concatenate([line, line])
        inside = (both > precision_m) & (both < shapely.length(lines[owner]) - precision_m)
        both, owner = both[inside], owner[inside]
        spots = shapely.get_coordinates(shapely.line_interpolate_point(lines[owner], both))
        spots = np.round(spots / precision_m) * precision_m
        lines = _with_vertices(lines, owner, both, spots, 2 * precision_m)
        along = shapely.line_locate_point(lines[line], obstacles.points[point])
    xy = shapely.get_coordinates(obstacles.points[point])
    foot = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], along + 0.05))
    away = foot - xy
    distance = np.hypot(*away.T)
    normal = np.column_stack([foot[:, 1] - ahead[:, 1], ahead[:, 0] - foot[:, 0]])
    on_it = distance < precision_m
    away[on_it], distance[on_it] = normal[on_it], np.hypot(*normal[on_it].T) + 1e-12
    reach = 1.25 * obstacles.point_clearance_m + 2 * precision_m
    side = -1.0 if is_other_side else 1.0
    target = xy + side * reach * away / distance[:, None]
    target = np.round(target / precision_m) * precision_m
    return _with_vertices(lines, line, along, target, reach)


def _with_vertices(
    lines: Geometries, line: Indices, along: Floats, vertices: Floats, reach_m: float
) -> Geometries:
    """Insert vertices into lines at distances along them, in place of inner vertices within reach."""
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(xy, axis=0, prepend=xy[:1]).T)
    total = np.cumsum(np.where(np.diff(owner, prepend=-1) != 0, 0.0, step))
    first = np.searchsorted(owner, np.arange(len(lines)))
    last = np.append(first[1:], len(owner)) - 1
    place = total - total[first][owner]
    is_end = np.zeros(len(xy), dtype=np.bool_)
    is_end[first] = is_end[last] = True
    near = np.zeros(len(xy), dtype=np.bool_)
    for one, distance in zip(line.tolist(), along.tolist(), strict=True):
        rows = slice(first[one], last[one] + 1)
        near[rows] |= np.abs(place[rows] - distance) < reach_m
    kept = is_end | ~near
    owners = np.concatenate([owner[kept], line])
    places = np.concatenate([place[kept], along])
    coordinates = np.concatenate([xy[kept], vertices])
    order = np.lexsort((places, owners))
    bent: Geometries = shapely.linestrings(coordinates[order], indices=owners[order])
    return bent


def crosses_arcs(
    lines: Geometries, rows: Indices, arcs: Arcs, *, others: Geometries | None = None
) -> tuple[Indices, Indices]:
    """Return the pairs of a line, in place of arc ``rows[i]``, and another arc that it may not have.

    A pair is refused where the two meet elsewhere than at junctions they share, or come nearer than
    three metres, and nearer than before, while they share none.

    Parameters
    ----------
    lines : array of shapely.LineString
        Candidates.
    rows : array of int
        Which arc each would replace.
    arcs : Arcs
        All arcs as they are.
    others : array or None
        Lines to hold the candidates against instead of the arcs': the candidates themselves, one for each
        row.

    Returns
    -------
    line, other : array of int
        Positions in `lines` and in `others` (or the arcs).
    """
    against = arcs.lines if others is None else others
    against_row = np.arange(len(arcs.lines)) if others is None else rows
    line, other = shapely.STRtree(against).query(lines, predicate="dwithin", distance=_NECK_M)
    different = rows[line] != against_row[other]
    line, other = line[different], other[different]
    one, two = rows[line], against_row[other]
    shared = _shared_junctions(arcs, one, two)
    apart = shared == 0
    bad = np.zeros(len(line), dtype=np.bool_)
    now = shapely.distance(lines[line[apart]], against[other[apart]])
    then = shapely.distance(arcs.lines[one[apart]], arcs.lines[two[apart]])
    bad[apart] = now < np.minimum(_NECK_M, _NARROW_SHARE * then) - _EPSILON_M
    common = shapely.intersection(lines[line[~apart]], against[other[~apart]])
    bad[~apart] = (shapely.length(common) > 0) | (
        shapely.get_num_coordinates(common) != shared[~apart]
    )
    return line[bad], other[bad]


def _shared_junctions(arcs: Arcs, one: Indices, two: Indices) -> Indices:
    start, end = arcs.start, arcs.end
    by_start = (start[one] == start[two]) | (start[one] == end[two])
    by_end = (end[one] == start[two]) | (end[one] == end[two])
    shared: Indices = by_start.astype(np.intp) + (by_end & (start[one] != end[one]))
    return shared
