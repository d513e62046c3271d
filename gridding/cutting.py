"""Cutting a polygon in two by a short straight line that goes round what must stay whole.

Candidate lines are taken in twelve directions, through balanced quantiles of the area and through the
middles of the gaps between obstacles. Where the best line still crosses an obstacle, the border steps
round it, so that the obstacle lies on the side that holds most of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.features import Geometries
from gridding.objective import RING_COST, grid_cost
from gridding.options import DivisionOptions

Floats = NDArray[np.float64]

_DIRECTIONS = 12
_SAMPLES = 28
_WINDOW = 0.22
_TRIED = 3
_CROSSING_PRICE = 3.0
_TOUCH_M = 0.02


@dataclass(frozen=True, kw_only=True)
class Line:
    """A straight line: the points whose product with the unit normal is the offset."""

    normal: tuple[float, float]
    offset: float
    cost: float


def cut_polygon(
    polygon: shapely.Polygon,
    obstacles: Geometries,
    *,
    wanted: int,
    target_m2: float,
    options: DivisionOptions,
) -> list[shapely.Polygon]:
    """Cut a polygon in two (or more, where it is bent), as the first of the cuts into `wanted` grids.

    Parameters
    ----------
    polygon : shapely.Polygon
        In metres.
    obstacles : array of shapely.Polygon
        Must not be cut; those that touch the polygon are enough.
    wanted : int
        How many grids the polygon will become: 2 asks for halves, 3 for a third and two thirds.
    target_m2 : float
        Target area of the grids the sides will become.
    options : DivisionOptions
        Precision and clearance.

    Returns
    -------
    list of shapely.Polygon
        They cover the polygon; a list of one: no cut was found.
    """
    share = (wanted // 2) / wanted
    best: list[shapely.Polygon] = [polygon]
    best_cost = np.inf
    for line in _candidates(polygon, obstacles, share, target_m2):
        parts = _cut(polygon, line, obstacles, target_m2, options)
        if len(parts) < 2:
            continue
        cost = _parts_cost(polygon, parts, wanted, target_m2, options)
        if cost < best_cost - 1e-9:
            best, best_cost = parts, cost
    return best


def _parts_cost(
    polygon: shapely.Polygon,
    parts: Sequence[shapely.Polygon],
    wanted: int,
    target_m2: float,
    options: DivisionOptions,
) -> float:
    """Return the cost of a cut: its length in the open, and the parts against what they should hold."""
    inner = (sum(float(part.length) for part in parts) - float(polygon.length)) / 2.0
    cost: float = options.open_price * inner / 100.0
    for part in parts:
        # A part that is to be cut again is judged as the grids it will become.
        whole = max(1, round(part.area / target_m2)) if wanted > 2 else 1
        cost += grid_cost(part.area, part.length, target_m2=target_m2 * whole, options=options)
        cost += RING_COST * len(part.interiors)
    return cost


def _candidates(
    polygon: shapely.Polygon, obstacles: Geometries, share: float, target_m2: float
) -> list[Line]:
    points = _lattice(polygon)
    if len(points) < 8:
        return []
    spacing = float(np.sqrt(polygon.area / len(points)))
    corners, starts = _corners(obstacles)
    # Weights: missing the target by x of a grid costs 3 x², as in the objective.
    weight = 6.0 * min((polygon.area / target_m2) ** 2, 9.0)
    lines: list[Line] = []
    for angle in _angles(polygon):
        normal = (float(np.cos(angle)), float(np.sin(angle)))
        along = np.sort(points @ normal)
        low, high = _intervals(corners, starts, normal)
        offsets = _offsets(along, low, high, share)
        fraction = np.searchsorted(along, offsets) / len(along)
        near = np.searchsorted(along, offsets + spacing) - np.searchsorted(along, offsets - spacing)
        chord = near * spacing / 2.0
        depth = np.minimum(offsets[:, None] - low, high - offsets[:, None])
        crossing = np.where(depth > _TOUCH_M, depth + 2.0, 0.0).sum(axis=1)
        miss = np.minimum(np.abs(fraction - share), np.abs(1.0 - fraction - share))
        cost = chord / 100.0 * 1.6 + _CROSSING_PRICE * crossing / 100.0 + weight * miss**2
        k = int(np.argmin(cost))
        lines.append(Line(normal=normal, offset=float(offsets[k]), cost=float(cost[k])))
    return sorted(lines, key=lambda line: (round(line.cost, 9), line.normal, line.offset))[:_TRIED]


def _lattice(polygon: shapely.Polygon) -> Floats:
    """Return points on a square lattice inside the polygon, about `_SAMPLES`² in its bounding box."""
    west, south, east, north = polygon.bounds
    x = np.linspace(west, east, 2 * _SAMPLES + 1)[1::2]
    y = np.linspace(south, north, 2 * _SAMPLES + 1)[1::2]
    # Equal spacing in both directions, so that counting points measures length.
    step = max(x[1] - x[0], y[1] - y[0]) if len(x) > 1 else 1.0
    x, y = np.arange(x[0], east, step), np.arange(y[0], north, step)
    grid_x, grid_y = (axis.ravel() for axis in np.meshgrid(x, y))
    shapely.prepare(polygon)
    inside = shapely.contains_xy(polygon, grid_x, grid_y)
    return np.column_stack([grid_x[inside], grid_y[inside]])


def _angles(polygon: shapely.Polygon) -> Floats:
    """Return the directions of candidate normals, the first across the longest side of the box."""
    box = shapely.get_coordinates(shapely.oriented_envelope(polygon))
    sides = np.diff(box, axis=0)
    longest = sides[int(np.argmax(np.hypot(sides[:, 0], sides[:, 1]).round(3)))]
    base = np.arctan2(longest[1], longest[0]) % np.pi
    angles: Floats = base + np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS
    return angles


def _corners(obstacles: Geometries) -> tuple[Floats, NDArray[np.intp]]:
    """Return the corners of all obstacles and where each one's begin."""
    corners, index = shapely.get_coordinates(obstacles, return_index=True)
    return corners, np.flatnonzero(np.diff(index, prepend=-1))


def _intervals(
    corners: Floats, starts: NDArray[np.intp], normal: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Return what stretch of the normal every obstacle takes."""
    if len(starts) == 0:
        return np.empty(0), np.empty(0)
    along = corners @ normal
    return np.minimum.reduceat(along, starts), np.maximum.reduceat(along, starts)


def _offsets(along: Floats, low: Floats, high: Floats, share: float) -> Floats:
    """Return balanced offsets, and the middles of the gaps between obstacles near them."""
    window = np.linspace(-_WINDOW, _WINDOW, 23)
    shares = np.concatenate([s + window for s in sorted({share, 1.0 - share})])
    shares = shares[(shares > 0.05) & (shares < 0.95)]
    even: Floats = along[(shares * (len(along) - 1)).astype(np.intp)]
    if len(low) == 0:
        return even
    order = np.argsort(low, kind="stable")
    reach = np.maximum.accumulate(high[order])[:-1]
    following = low[order][1:]
    gaps = ((reach + following) / 2.0)[following > reach]
    return np.concatenate([even, gaps[(gaps > even.min()) & (gaps < even.max())]])


def _cut(
    polygon: shapely.Polygon,
    line: Line,
    obstacles: Geometries,
    target_m2: float,
    options: DivisionOptions,
) -> list[shapely.Polygon]:
    grid = options.precision_m
    first = _areal(shapely.intersection(polygon, _half_plane(polygon, line)))
    low, high = _intervals(*_corners(obstacles), line.normal)
    crossed = (low < line.offset) & (line.offset < high)
    if crossed.any():
        # Going round one obstacle must not cut into the next: those beside it are looked at too.
        round_these = shapely.multipolygons(obstacles[crossed])
        beside = shapely.dwithin(obstacles, round_these, 2 * options.clearance_m)
        first = _round_obstacles(polygon, first, obstacles[crossed | beside], options)
    first = shapely.set_precision(first, grid)
    second = _areal(shapely.difference(polygon, first, grid_size=grid))
    pieces = [
        part
        for part in (*shapely.get_parts(first), *shapely.get_parts(second))
        if shapely.get_dimensions(part) == 2 and part.area > grid
    ]
    return absorb_small(pieces, least_m2=0.3 * min(target_m2, polygon.area / 2), options=options)


def _half_plane(polygon: shapely.Polygon, line: Line) -> shapely.Polygon:
    """Return a square on the low side of the line, larger than the polygon."""
    centre = np.array(polygon.centroid.coords[0])
    normal = np.array(line.normal)
    along = np.array([-normal[1], normal[0]])
    size = 2.0 * polygon.length
    foot = centre + (line.offset - centre @ normal) * normal
    ring = [
        foot + size * along,
        foot - size * along,
        foot - size * along - size * normal,
        foot + size * along - size * normal,
    ]
    return shapely.Polygon(ring)


def _round_obstacles(
    polygon: shapely.Polygon,
    first: shapely.Geometry,
    obstacles: Geometries,
    options: DivisionOptions,
) -> shapely.Geometry:
    """Give every obstacle on the line to the side that holds most of it, with some room around it."""
    near = obstacles.copy()
    shapely.prepare(polygon)
    reaching = ~shapely.covers(polygon, obstacles)
    near[reaching] = [_areal(part) for part in shapely.intersection(obstacles[reaching], polygon)]
    inside = shapely.area(shapely.intersection(near, first))
    whole = shapely.area(near)
    crossed = (inside > 0.01) & (whole - inside > 0.01)
    if not crossed.any():
        return first
    ours = crossed & (inside >= whole / 2.0)
    theirs = crossed & ~ours
    room = options.clearance_m

    def union(mask: NDArray[np.bool_], distance: float) -> shapely.Geometry:
        areas = shapely.buffer(near[mask], distance, join_style="mitre") if distance else near[mask]
        return _areal(shapely.union_all(areas))

    shape = first
    low, high = inside >= whole / 2.0, (inside < whole / 2.0) & (whole > 0)
    # The room around one obstacle must not take from another: whole obstacles come last.
    for gained, lost in ((union(ours, room), union(theirs, room)), (union(low, 0), union(high, 0))):
        shape = _areal(shapely.difference(_areal(shapely.union(shape, gained)), lost))
    return _areal(shapely.intersection(shape, polygon))


def _areal(geometry: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of a geometry, without the points and lines where two areas only touch."""
    if geometry.geom_type in ("Polygon", "MultiPolygon"):
        return geometry
    parts = shapely.get_parts(geometry)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == 2])


def absorb_small(
    pieces: Sequence[shapely.Polygon], *, least_m2: float, options: DivisionOptions
) -> list[shapely.Polygon]:
    """Unite pieces smaller than `least_m2` with the piece they share most border with."""
    parts = sorted(pieces, key=lambda part: (part.area, part.bounds))
    while len(parts) > 1 and parts[0].area < least_m2:
        piece, *others = parts
        shared = [shared_length(piece, other, options) for other in others]
        k = int(np.argmax(shared))
        united = shapely.union(piece, others[k], grid_size=options.precision_m)
        if shared[k] <= _TOUCH_M or united.geom_type != "Polygon":
            return []
        others[k] = united
        parts = sorted(others, key=lambda part: (part.area, part.bounds))
    return parts


def shared_length(
    first: shapely.Polygon, second: shapely.Polygon, options: DivisionOptions
) -> float:
    """Return how much border two polygons share, m, to within two precision cells."""
    reach = shapely.buffer(second, 2 * options.precision_m, quad_segs=1)
    return float(shapely.intersection(first.boundary, reach).length)
