"""Rules of a single polygon: there, valid, one piece, no sliver, no spike, on the precision grid."""

import re

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.homes import Geometries, is_finite
from gridding.inspection.findings import LAYER, Findings
from gridding.inspection.layer import CheckOptions, GridLayer

Floats = NDArray[np.float64]

_PLACE = re.compile(r"^(.*?)\[(\S+) (\S+)\]$")
_WHY_ZH = {
    "Self-intersection": "自相交",
    "Ring Self-intersection": "环自相交",
    "Hole lies outside shell": "内环位于外环之外",
    "Nested shells": "外环嵌套",
    "Nested holes": "内环嵌套",
    "Interior is disconnected": "内部不连通",
    "Duplicate Rings": "环重复",
    "Too few points in geometry component": "节点过少",
}
_KIND_ZH = {0: "点", 1: "线", 2: "环", 4: "多点", 5: "多线", 7: "几何集合"}
_TINY = 0.01
"""A part below this share of the target is a sliver however wide."""
_SPIKE_DEGREES = 2.0
_SPIKE_M = 1.0
_COARSE_SHARE = 0.2
"""With more vertices than this off the precision grid the layer is told, not every grid."""
_ROUNDING_M = 1e-4
"""What degrees of nine decimals lose, m."""


def find_unusable(layer: GridLayer, findings: Findings) -> None:
    """Find missing, empty and unreadable geometry, other kinds, and outlines that cross: UG17-19."""
    given = layer.given
    for what, what_zh, mask in (
        ("missing", "缺失", shapely.is_missing(given)),
        ("empty", "空", shapely.is_empty(given)),
        ("without finite coordinates", "坐标无效", _has_bad_coordinate(given)),
    ):
        rows = np.flatnonzero(mask)
        none = np.full(len(rows), None, dtype=object)
        findings.add("UG17", rows, where=none, what=what, what_zh=what_zh)
    kind = shapely.get_type_id(given)
    other = np.flatnonzero(is_finite(given) & ~np.isin(kind, (3, 6)))
    names = [given[row].geom_type for row in other]
    names_zh = [_KIND_ZH[int(number)] for number in kind[other]]
    findings.add("UG19", other, where=given[other], kind=names, kind_zh=names_zh)
    crossed = np.flatnonzero(is_finite(given) & np.isin(kind, (3, 6)) & ~layer.is_sound)
    reasons = [_PLACE.match(str(text)) for text in shapely.is_valid_reason(given[crossed])]
    places = [shapely.Point(float(m[2]), float(m[3])) if m else None for m in reasons]
    why = [m[1] if m else "invalid" for m in reasons]
    why_zh = [_WHY_ZH.get(text, text) for text in why]
    findings.add("UG18", crossed, where=_array(places), why=why, why_zh=why_zh)


def _array(shapes: list[shapely.Geometry | None]) -> Geometries:
    result = np.empty(len(shapes), dtype=object)
    result[:] = shapes
    return result


def _has_bad_coordinate(given: Geometries) -> NDArray[np.bool_]:
    there = ~(shapely.is_missing(given) | shapely.is_empty(given))
    return np.asarray(there & ~is_finite(given), dtype=np.bool_)


def find_parts(layer: GridLayer, findings: Findings, *, options: CheckOptions) -> None:
    """Find grids of several parts, and slivers: UG05 (the lesser parts), UG20."""
    sound = np.flatnonzero(layer.is_sound)
    parts, owner = shapely.get_parts(layer.shapes[sound], return_index=True)
    row = sound[owner]
    area = shapely.area(parts)
    order = np.lexsort((-np.round(area, 2), row))
    is_main = np.empty(len(parts), dtype=bool)
    is_main[order] = np.diff(row[order], prepend=-1) > 0
    several = np.unique(row[~is_main])
    count = np.bincount(row, minlength=len(layer.shapes))
    lesser = [shapely.MultiPolygon(list(parts[(row == one) & ~is_main])) for one in several]
    findings.add("UG05", several, where=_array(lesser), parts=count[several])
    width = widths(parts)
    thin = (width < options.sliver_m) | (area < _TINY * options.target_m2)
    findings.add("UG20", row[thin], where=parts[thin], area_m2=area[thin], width_m=width[thin])


def widths(polygons: Geometries) -> Floats:
    """Return the width of polygons as that of a strip of the same area and perimeter, m.

    Examples
    --------
    >>> widths(np.array([shapely.box(0, 0, 100, 2)])).round(2).tolist()
    [1.96]
    """
    length = np.maximum(shapely.length(polygons), 1e-9)
    return np.asarray(2.0 * shapely.area(polygons) / length, dtype=np.float64)


def find_rings(layer: GridLayer, findings: Findings) -> None:
    """Find grids in whose hole another lies: UG11."""
    rows = layer.rows
    shapes = layer.shapes[rows]
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    is_inner = np.diff(part, prepend=-1) == 0
    if not is_inner.any():
        return
    holes, outer = shapely.polygons(rings[is_inner]), owner[part[is_inner]]
    points = shapely.point_on_surface(shapes)
    inner, hole = shapely.STRtree(holes).query(points, predicate="within")
    findings.add("UG11", rows[np.unique(outer[hole[outer[hole] != inner]])])


def find_spikes(layer: GridLayer, findings: Findings) -> None:
    """Find the sharpest spike of each outline: a tip of less than two degrees, a metre long: UG31."""
    rows = np.flatnonzero(layer.is_sound)
    parts, owner = shapely.get_parts(layer.shapes[rows], return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    last = np.diff(ring, append=-1) != 0
    following = np.arange(1, len(points) + 1)
    first = np.flatnonzero(np.diff(ring, prepend=-1) != 0)
    following[last] = first + 1  # a ring's last point is its first
    following = np.minimum(following, max(len(points) - 1, 0))
    leg = points[following] - points
    ahead = leg[following]
    length, length_ahead = np.hypot(*leg.T), np.hypot(*ahead.T)
    angle = np.degrees(
        np.arctan2(
            np.abs(leg[:, 0] * ahead[:, 1] - leg[:, 1] * ahead[:, 0]),
            -(leg * ahead).sum(axis=1),
        )
    )
    short = np.minimum(length, length_ahead)
    sharp = np.flatnonzero(~last & (angle < _SPIKE_DEGREES) & (short > _SPIKE_M))
    grid = rows[owner[part[ring[sharp]]]]
    order = np.lexsort((-np.round(short[sharp], 3), grid))
    order = order[np.diff(grid[order], prepend=-1) > 0]
    tips = shapely.points(points[following[sharp[order]]])
    values = {"length_m": short[sharp[order]], "angle": angle[sharp[order]]}
    findings.add("UG31", grid[order], where=np.atleast_1d(tips), **values)


def find_loose_vertices(layer: GridLayer, findings: Findings, *, options: CheckOptions) -> float:
    """Find vertices off the precision grid, by grid (UG25) or, where it is the rule, at once (UG30).

    Returns the share of all vertices that are off it.
    """
    rows = layer.rows
    points, owner = shapely.get_coordinates(layer.shapes[rows], return_index=True)
    if options.precision_m <= 0 or len(points) == 0:
        return 0.0
    away = np.abs(points - np.rint(points / options.precision_m) * options.precision_m)
    loose = (away > min(_ROUNDING_M, options.precision_m / 4)).any(axis=1)
    share = float(loose.mean())
    if share > _COARSE_SHARE:
        count, precision_m = int(loose.sum()), options.precision_m
        layer_row = np.array([LAYER])
        findings.add("UG30", layer_row, share=share, count=count, precision_m=precision_m)
        return share
    grid, counts = np.unique(owner[loose], return_counts=True)
    _, turn = np.unique(owner[loose], return_inverse=True)
    places = shapely.multipoints(shapely.points(points[loose]), indices=turn)
    findings.add("UG25", rows[grid], where=places, count=counts, precision_m=options.precision_m)
    return share
