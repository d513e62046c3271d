"""The load of a unit grid: components, past cases, the way a patrol walks through it."""

from collections.abc import Iterable, Mapping

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.errors import RequestError
from gridding.graph import Floats
from gridding.trades.trade import LOADS

_ROAD_CLASSES = ("42", "43", "44")
_INSIDE_M = 3.0
"""Roads nearer the border than this are walked with the border, m."""


def count_points(points: NDArray[np.object_], grids: NDArray[np.object_]) -> Floats:
    """Return how many points each grid holds; one on a shared border counts for the first.

    Lines and areas count by a point on them. Those outside every grid count nowhere.

    Examples
    --------
    >>> grids = shapely.box([0, 10], [0, 0], [10, 20], [10, 10])
    >>> count_points(shapely.points([[5, 5], [10, 5], [15, 5], [99, 5]]), grids).tolist()
    [2.0, 1.0]
    """
    spots = np.asarray(points, dtype=object)
    spots = spots[~(shapely.is_missing(spots) | shapely.is_empty(spots))]
    spots = np.where(shapely.get_type_id(spots) == 0, spots, shapely.point_on_surface(spots))
    point, grid = shapely.STRtree(grids).query(spots, predicate="intersects")
    first = np.full(len(spots), len(grids), dtype=np.intp)
    np.minimum.at(first, point, grid)
    return np.bincount(first, minlength=len(grids) + 1)[: len(grids)].astype(np.float64)


def patrol_lengths(
    grids: NDArray[np.object_], lines: NDArray[np.object_], classes: Iterable[str]
) -> Floats:
    """Return how far a patrol walks in each grid: roads inside, and half of its border, m.

    The border of a grid mostly follows streets and is walked for the two grids beside it; roads that
    keep to it within 3 m are not counted again.

    Parameters
    ----------
    grids : array of shapely.Polygon
        Unit grids, metric CRS.
    lines : array
        Topography; only lines count.
    classes : iterable of str
        Class of each by GB/T 13923: 42, 43 and 44 are roads and lanes.

    Examples
    --------
    >>> grids = shapely.box([0, 100], [0, 0], [100, 200], [100, 100])
    >>> roads = shapely.linestrings([[[0, 50], [200, 50]], [[100, 0], [100, 100]]])
    >>> patrol_lengths(grids, roads, ["430502", "430502"]).tolist()
    [294.0, 294.0]
    """
    is_road = np.array([str(code)[:2] in _ROAD_CLASSES for code in classes], dtype=bool)
    shapes = np.asarray(lines, dtype=object)
    roads = shapes[is_road & np.isin(shapely.get_type_id(shapes), (1, 5))]
    inner = shapely.buffer(grids, -_INSIDE_M, quad_segs=1, join_style="mitre")
    road, grid = shapely.STRtree(inner).query(roads, predicate="intersects")
    walked = shapely.length(shapely.intersection(roads[road], inner[grid]))
    inside = np.bincount(grid, weights=walked, minlength=len(grids))
    total: Floats = inside + shapely.length(grids) / 2
    return np.round(total, 3)


def parse_loads(text: str) -> dict[str, float]:
    """Return the loads and their weights that a command names.

    Raises
    ------
    RequestError
        A load is not known, or its weight is no positive number.

    Examples
    --------
    >>> parse_loads("components,cases=2")
    {'components': 1.0, 'cases': 2.0}
    """
    weights: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, said = part.partition("=")
        try:
            weight = float(said or 1)
        except ValueError:
            weight = 0.0
        if name not in LOADS or not 0 < weight < float("inf"):
            known = ", ".join(LOADS)
            msg = f"{part!r} is no load: name some of {known}, with a weight if wanted, as cases=2."
            raise RequestError(msg, zh=f"“{part}”不是负载：可用 {known}，可带权重，例如 cases=2。")
        weights[name] = weight
    return weights


def join_loads(parts: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Return one load from several: each over its mean, weighted, so that units cancel out.

    What is zero everywhere counts for nothing.

    Examples
    --------
    >>> parts = {"components": np.array([1.0, 3.0]), "cases": np.array([0.0, 0.0])}
    >>> join_loads(parts, {"components": 1.0, "cases": 5.0}).tolist()
    [0.5, 1.5]
    """
    told = {name: weight for name, weight in weights.items() if parts[name].any()}
    size = len(next(iter(parts.values())))
    if not told:
        return np.ones(size)
    joined = sum(
        (weight * parts[name] / parts[name].mean() for name, weight in told.items()),
        np.zeros(size),
    )
    result: Floats = joined / sum(told.values())
    return result
