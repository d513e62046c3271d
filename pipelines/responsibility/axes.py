"""Stretches of road on the base map: the centreline of a road between two roads that it meets."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import shapely
import shapely.ops
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import shortest_path

from pipelines.responsibility.naming import plain_area

_ROADS = ("42", "43", "44")
"""Feature classes of roads: their first digits."""
_MEETS_M = 40.0
"""Two roads meet where they come this near: the centreline of a wide road may end at its kerb."""
_SNAP_M = 0.5


class RoadMissingError(LookupError):
    """There is no such road on the map."""


class RoadsApartError(LookupError):
    """Two roads do not meet, or there is no way along the road between two crossings."""


@dataclass(frozen=True)
class Roads:
    """Centrelines by name."""

    lines: dict[str, NDArray[Any]]

    def along(self, name: str, first: str | None, last: str | None) -> shapely.LineString:
        """Return the axis of a road from where it meets `first` to where it meets `last`.

        It is drawn in that direction. Without ends it is the whole road, its longest piece, drawn from
        west to east, or from south to north where it goes more that way.

        Raises
        ------
        RoadMissingError
            A road has no centreline; the argument is its name.
        RoadsApartError
            The road does not meet one of the two; the argument is its name.
        """
        own = shapely.line_merge(shapely.union_all(self._named(name)))
        pieces = [part for part in shapely.get_parts(own) if part.length > 0]
        if first is None and last is None:
            return _eastward(max(pieces, key=lambda part: float(part.length)))
        begins, ends = (self._meetings(own, other) for other in (first, last))
        return _shortest(pieces, begins, ends, (first, last))

    def _named(self, name: str) -> NDArray[Any]:
        found = self.lines.get(plain_area(name))
        if found is None:
            raise RoadMissingError(name)
        return found

    def _meetings(self, own: Any, other: str | None) -> NDArray[Any]:
        """Return where a road meets another, one point for each time; its two ends for None."""
        if other is None:
            ends = shapely.get_parts(shapely.boundary(own))
            return np.asarray(ends, dtype=object)
        lines = shapely.union_all(self._named(other))
        if shapely.distance(own, lines) > _MEETS_M:
            raise RoadsApartError(other)
        crossing = shapely.intersection(own, lines)
        if crossing.is_empty:
            crossing = shapely.ops.nearest_points(own, lines)[0]
        parts = shapely.get_parts(crossing)
        return np.asarray(shapely.centroid(parts), dtype=object)


def read_roads(topography: pd.DataFrame) -> Roads:
    """Return the named centrelines among features of the base map.

    Examples
    --------
    >>> import geopandas as gpd
    >>> rows = gpd.GeoDataFrame(
    ...     {"feature_class": "430501", "name": ["裕华路", "建设大街", "中山路"]},
    ...     geometry=gpd.GeoSeries.from_wkt(["LINESTRING (0 0, 100 0)", "LINESTRING (20 -50, 20 50)",
    ...         "LINESTRING (70 -50, 70 50)"]))
    >>> read_roads(rows).along("裕华路", "中山路", "建设大街").wkt
    'LINESTRING (70 0, 20 0)'
    """
    lines: dict[str, list[Any]] = defaultdict(list)
    if len(topography) == 0 or "name" not in topography:
        return Roads({})
    classes = topography["feature_class"].astype(str)
    named = topography["name"].notna() & classes.str.startswith(_ROADS)
    shapes = topography.geometry[named].to_numpy()
    for name, shape in zip(topography.loc[named, "name"], shapes, strict=True):
        if shapely.get_dimensions(shape) == 1 and not shape.is_empty:
            lines[plain_area(str(name))].append(shapely.force_2d(shape))
    return Roads({name: np.array(held, dtype=object) for name, held in lines.items()})


def _eastward(line: Any) -> shapely.LineString:
    (x0, y0), (x1, y1) = line.coords[0], line.coords[-1]
    backward = x1 < x0 if abs(x1 - x0) >= abs(y1 - y0) else y1 < y0
    return shapely.reverse(line) if backward else line


def _shortest(
    pieces: list[Any],
    begins: NDArray[Any],
    ends: NDArray[Any],
    names: tuple[str | None, str | None],
) -> shapely.LineString:
    """Return the shortest way along pieces of line from one of some points to one of others."""
    segments = _cut(pieces, np.concatenate([begins, ends]))
    tips = np.array([[line.coords[0], line.coords[-1]] for line in segments])
    keys, number = np.unique(np.round(tips.reshape(-1, 2) / _SNAP_M), axis=0, return_inverse=True)
    nodes = np.asarray(number).reshape(-1, 2)
    lengths = shapely.length(np.array(segments, dtype=object))
    count = len(keys)
    cheapest: dict[tuple[int, int], int] = {}
    for at in np.argsort(lengths)[::-1].tolist():
        u, v = int(nodes[at, 0]), int(nodes[at, 1])
        cheapest[min(u, v), max(u, v)] = at
    pairs = np.array(list(cheapest))
    weight = lengths[list(cheapest.values())]
    graph = coo_array((weight, (pairs[:, 0], pairs[:, 1])), shape=(count, count)).tocsr()
    starts, stops = (_nearest(points, tips, nodes) for points in (begins, ends))
    distance, before = shortest_path(
        graph, directed=False, indices=starts, return_predecessors=True
    )
    ways = distance[:, stops]
    ways[ways == 0.0] = np.inf
    if not np.isfinite(ways).any():
        raise RoadsApartError(names[1] or names[0] or "")
    row, column = np.unravel_index(int(np.argmin(ways)), ways.shape)
    return _walk(int(stops[column]), before[row], cheapest, (segments, nodes))


def _cut(pieces: list[Any], points: NDArray[Any]) -> list[Any]:
    """Cut lines at the points that lie on them."""
    result = []
    for piece in pieces:
        near = shapely.distance(points, piece) < _SNAP_M
        places = shapely.line_locate_point(piece, points[near]) if near.any() else np.empty(0)
        stops = [0.0, *sorted({round(float(at), 3) for at in places}), float(piece.length)]
        for low, high in pairwise(stops):
            if high - low > _SNAP_M:
                result.append(shapely.ops.substring(piece, low, high))
    return result


def _nearest(points: NDArray[Any], tips: NDArray[Any], nodes: NDArray[np.intp]) -> NDArray[np.intp]:
    flat, numbers = tips.reshape(-1, 2), nodes.reshape(-1)
    places = shapely.get_coordinates(points)
    gaps = np.hypot(flat[None, :, 0] - places[:, None, 0], flat[None, :, 1] - places[:, None, 1])
    return np.unique(numbers[np.argmin(gaps, axis=1)])


def _walk(
    stop: int, before: NDArray[Any], edges: dict[tuple[int, int], int], drawn: tuple[list[Any], Any]
) -> shapely.LineString:
    segments, nodes = drawn
    parts: list[Any] = []
    at = stop
    while before[at] >= 0:
        earlier = int(before[at])
        edge = edges[min(at, earlier), max(at, earlier)]
        line = segments[edge]
        parts.append(line if int(nodes[edge, 0]) == earlier else shapely.reverse(line))
        at = earlier
    points = [point for line in reversed(parts) for point in line.coords]
    return shapely.remove_repeated_points(shapely.LineString(points), _SNAP_M / 10)
