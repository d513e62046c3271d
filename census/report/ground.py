"""The ground under the map of a report: borders, grids, roads and components, packed as whole numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]

MOST_VERTICES = 120_000
"""Vertices of one layer of the background; beyond, its lines are simplified further, or it is left out."""
MOST_POINTS = 60_000
"""Rows drawn as dots; of more, every n-th."""
_FINEST_M = 0.3
_COARSEST_M = 40.0
_FARTHEST_M = 1e9


@dataclass(frozen=True, kw_only=True)
class Ground:
    """What the map shows beneath the faults, in the city's CRS."""

    areas: Geometries
    """Communities, streets and district."""
    grids: Geometries
    """Unit grids."""
    roads: Geometries
    """Lines and areas of roads."""
    components: Geometries
    """Places of the rows that would be loaded, drawn as dots."""
    shapes: Geometries = field(default_factory=lambda: np.empty(0, dtype=object))
    """Lines and areas that are judged, drawn beneath all else."""


def empty_ground() -> Ground:
    """Return a ground with nothing on it."""
    none: Geometries = np.empty(0, dtype=object)
    return Ground(areas=none, grids=none, roads=none, components=none)


def pack_ground(ground: Ground, *, origin: tuple[float, float]) -> dict[str, Any]:
    """Return the ground in whole decimetres from `origin`, as the page draws it.

    Lines are simplified until a layer has at most `MOST_VERTICES`; ``left_out`` names the layers that
    have more even at 40 m, ``thinned`` tells that not every dot is drawn.
    """
    packed: dict[str, Any] = {}
    left_out = []
    for name in ("areas", "grids", "roads", "shapes"):
        lines = simplified(getattr(ground, name), most=MOST_VERTICES)
        if lines is None:
            left_out.append(name)
        packed[name] = [] if lines is None else pack_lines(lines, origin=origin)
    points = ground.components
    step = -(-len(points) // MOST_POINTS) or 1
    places = shapely.get_coordinates(spots_of(points[::step]))
    packed["components"] = whole(places, origin=origin, unit_m=0.1).ravel().tolist()
    return packed | {"left_out": left_out, "thinned": step > 1}


def simplified(shapes: Geometries, *, most: int) -> Geometries | None:
    """Return the lines and rings of shapes with at most `most` vertices; None: they have more even so."""
    lines = lines_of(shapes)
    tolerance_m = _FINEST_M
    while tolerance_m <= _COARSEST_M:
        thin = shapely.simplify(lines, tolerance_m, preserve_topology=False)
        thin = thin[~shapely.is_empty(thin)]
        if int(shapely.get_num_coordinates(thin).sum()) <= most:
            return np.asarray(thin, dtype=object)
        tolerance_m *= 2
    return None


def lines_of(shapes: Geometries) -> Geometries:
    """Return all lines, and the rings of all areas, that are finite; points give none.

    Examples
    --------
    >>> [line.geom_type for line in lines_of(np.array([shapely.box(0, 0, 1, 1), None]))]
    ['LinearRing']
    """
    parts = shapely.get_parts(shapes[is_finite(shapes)])
    dimension = shapely.get_dimensions(parts)
    rings = shapely.get_rings(parts[dimension == 2])
    return np.concatenate([parts[dimension == 1], rings])


def is_finite(shapes: Geometries) -> NDArray[np.bool_]:
    """Tell which shapes are there, not empty, and have coordinates that can be drawn."""
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    result: NDArray[np.bool_] = there.copy()
    points, owner = shapely.get_coordinates(shapes[there], return_index=True)
    bad = np.unique(owner[~(np.abs(points) < _FARTHEST_M).all(axis=1)])
    result[np.flatnonzero(there)[bad]] = False
    return result


def spots_of(shapes: Geometries) -> Geometries:
    """Return a point on each shape; None where it has no place.

    Of a line it is the middle, of an area a point inside, of several points the first.

    Examples
    --------
    >>> line = shapely.LineString([(0, 0), (4, 0)])
    >>> [spot and spot.wkt for spot in spots_of(np.array([line, None]))]
    ['POINT (2 0)', None]
    """
    result: Geometries = np.full(len(shapes), None, dtype=object)
    there = is_finite(shapes)
    single = np.array(shapes[there], dtype=object)
    kind = shapely.get_dimensions(single)
    several = shapely.get_num_geometries(single) > 1
    first = np.where(several & (kind < 2), shapely.get_geometry(single, 0), single)
    spots = shapely.point_on_surface(first)
    lines = shapely.get_type_id(first) == shapely.GeometryType.LINESTRING
    spots[lines] = shapely.line_interpolate_point(first[lines], 0.5, normalized=True)
    result[there] = spots
    result[shapely.is_empty(result)] = None
    return result


def pack_lines(lines: Geometries, *, origin: tuple[float, float]) -> list[list[int]]:
    """Return each line as ``x, y, dx, dy, dx, dy …`` in whole decimetres from `origin`.

    Examples
    --------
    >>> pack_lines(np.array([shapely.LineString([(1, 1), (3, 1.5)])]), origin=(0.0, 0.0))
    [[10, 10, 20, 5]]
    """
    points, owner = shapely.get_coordinates(lines, return_index=True)
    if len(points) == 0:
        return []
    places = whole(points, origin=origin, unit_m=0.1)
    steps = np.diff(places, axis=0, prepend=places[:1])
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    steps[begins] = places[begins]
    return [part.ravel().tolist() for part in np.split(steps, begins[1:])]


def whole(
    points: NDArray[np.float64], *, origin: tuple[float, float], unit_m: float
) -> NDArray[np.int64]:
    """Return coordinates as whole units from `origin`."""
    result: NDArray[np.int64] = np.rint((points - np.array(origin)) / unit_m).astype(np.int64)
    return result


def origin_of(layers: Sequence[Geometries]) -> tuple[float, float]:
    """Return the lower left corner of all shapes, whole metres; (0, 0) without any."""
    bounds = [shapely.total_bounds(shapes[is_finite(shapes)]) for shapes in layers if len(shapes)]
    corners = np.array([bound[:2] for bound in bounds if np.isfinite(bound).all()])
    if len(corners) == 0:
        return 0.0, 0.0
    west, south = np.floor(corners.min(axis=0)).tolist()
    return west, south
