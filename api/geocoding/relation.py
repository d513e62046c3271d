"""Places made from others: an offset from a mark, the crossing of two roads, a plate between plates."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from api.geocoding.gazetteer import Gazetteer
from gis.addresses.parts import DIRECTIONS, Relation

OFFSET_ERROR = 0.2
"""Standard deviation of a distance in words, as a share of it."""
ROAD_HALF_WIDTH_M = 10.0
"""How far the side of a road lies from its centreline, m."""
VAGUE_M = 20.0
"""Standard deviation that 附近, 旁 … add, m."""
ACROSS_M = 10.0
"""Standard deviation that 对面 adds, m."""
CROSSING_SIGMA_M = 15.0
"""Standard deviation of a crossing of two roads, m."""
JOINS_M = 15.0
"""A road that ends this near to another meets it, m."""
_ALONG_WITHIN = math.cos(math.radians(50))
_NEAR_ROAD_M = 40.0
_FAR_ROAD_M = 100.0
_WIDEST_GAP = 60


@dataclass(frozen=True, kw_only=True)
class Spot:
    """A point with its uncertainty."""

    x: float
    y: float
    sigma_m: float


def apply_relation(
    gazetteer: Gazetteer, spot: Spot, relation: Relation, *, roads: list[int]
) -> Spot:
    """Move a mark by the relation of an address.

    A distance is gone along the road of the mark that leads most nearly in the direction, straight
    where none does; the side of the road adds half its width.

    Parameters
    ----------
    gazetteer : Gazetteer
        Where the lines of the roads are.
    spot : Spot
        The mark.
    relation : Relation
        Direction, distance and side.
    roads : list of int
        Rows of the roads the mark lies on.
    """
    x, y, sigma_m = spot.x, spot.y, spot.sigma_m
    if relation.is_opposite:
        x, y = _across(gazetteer, (x, y), roads)
        sigma_m = math.hypot(sigma_m, ACROSS_M)
    if relation.direction and relation.distance_m:
        east, north = _unit(relation.direction)
        x, y = _go(gazetteer, (x, y), (east, north), relation.distance_m, roads)
        sigma_m = math.hypot(sigma_m, OFFSET_ERROR * relation.distance_m)
    if relation.side:
        east, north = _unit(relation.side)
        x, y = x + east * ROAD_HALF_WIDTH_M, y + north * ROAD_HALF_WIDTH_M
    if relation.is_vague:
        sigma_m = math.hypot(sigma_m, VAGUE_M)
    return Spot(x=x, y=y, sigma_m=sigma_m)


def _unit(direction: str) -> tuple[float, float]:
    east, north = DIRECTIONS[direction]
    length = math.hypot(east, north)
    return east / length, north / length


def _across(
    gazetteer: Gazetteer, start: tuple[float, float], roads: list[int]
) -> tuple[float, float]:
    """Return the point across the nearest road, that of the address if it is known."""
    point = shapely.Point(start)
    rows, tree = gazetteer.road_lines
    near = roads or rows[tree.query(point, predicate="dwithin", distance=_FAR_ROAD_M)].tolist()
    lines = [gazetteer.shape(row) for row in near]
    lines = [line for line in lines if shapely.get_dimensions(line) == 1]
    line = min(lines, key=lambda line: float(shapely.distance(line, point)), default=None)
    if line is None or shapely.distance(line, point) > _FAR_ROAD_M:
        return start
    foot = shapely.get_coordinates(shapely.shortest_line(line, point))[0]
    return float(2 * foot[0] - start[0]), float(2 * foot[1] - start[1])


def _go(
    gazetteer: Gazetteer,
    start: tuple[float, float],
    way: tuple[float, float],
    distance_m: float,
    roads: list[int],
) -> tuple[float, float]:
    point = shapely.Point(start)
    best, ends = _ALONG_WITHIN, (start[0] + way[0] * distance_m, start[1] + way[1] * distance_m)
    for row in roads:
        for line in shapely.get_parts(shapely.line_merge(gazetteer.shape(row))):
            if line.geom_type != "LineString" or shapely.distance(line, point) > _NEAR_ROAD_M:
                continue
            here = shapely.line_locate_point(line, point)
            for sign in (1.0, -1.0):
                there = here + sign * distance_m
                if not 0.0 <= there <= shapely.length(line):
                    continue
                end = shapely.line_interpolate_point(line, there)
                dx, dy = end.x - start[0], end.y - start[1]
                gone = math.hypot(dx, dy)
                cosine = (dx * way[0] + dy * way[1]) / gone if gone else 0.0
                if cosine > best:
                    best, ends = cosine, (end.x, end.y)
    return ends


def crossings(gazetteer: Gazetteer, first: list[int], second: list[int]) -> list[Spot]:
    """Return where two roads meet, meetings within 60 m of each other as one.

    A road that ends within `JOINS_M` of the other meets it: centrelines end at the other's edge,
    and coordinates in files are rounded.
    """
    spots = []
    for one in first:
        for two in second:
            points = _meetings(gazetteer.shape(one), gazetteer.shape(two))
            if not points:
                continue
            whole = shapely.MultiPoint(points)
            for cluster in shapely.get_parts(shapely.union_all(shapely.buffer(points, 30.0))):
                middle = shapely.centroid(shapely.intersection(cluster, whole))
                spots.append(Spot(x=middle.x, y=middle.y, sigma_m=CROSSING_SIGMA_M))
    return sorted(spots, key=lambda spot: (spot.x, spot.y))


def _meetings(one: Any, two: Any) -> list[Any]:
    shared = shapely.get_parts(shapely.intersection(one, two))
    points = [shapely.centroid(part) for part in shared if not part.is_empty]
    for road, other in ((one, two), (two, one)):
        lines = shapely.get_parts(shapely.line_merge(road))
        lines = lines[shapely.get_type_id(lines) == 1]
        ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
        points += ends[shapely.distance(ends, other) <= JOINS_M].tolist()
    return points


def between_plates(gazetteer: Gazetteer, road: str, number: int) -> Spot | None:
    """Place a plate between the nearest lower and higher numbers of its side of the road.

    Odd and even numbers stand on different sides. None when the number lies beyond the known ones
    or the gap is wider than 60 numbers.
    """
    known = [item for item in gazetteer.plates.get(road, []) if item[0] % 2 == number % 2]
    lower = max((item for item in known if item[0] < number), default=None)
    upper = min((item for item in known if item[0] > number), default=None)
    if lower is None or upper is None or upper[0] - lower[0] > _WIDEST_GAP:
        return None
    share = (number - lower[0]) / (upper[0] - lower[0])
    x0, y0 = gazetteer.x[lower[1]], gazetteer.y[lower[1]]
    x1, y1 = gazetteer.x[upper[1]], gazetteer.y[upper[1]]
    # The plate may stand anywhere between its neighbours, most likely near its share.
    sigma_m = max(10.0, math.hypot(x1 - x0, y1 - y0) / 4)
    return Spot(x=float(x0 + share * (x1 - x0)), y=float(y0 + share * (y1 - y0)), sigma_m=sigma_m)
