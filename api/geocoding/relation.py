"""An offset from a mark: so many metres that way, across the road, on a side, at a gate."""

import math
from dataclasses import replace
from typing import Any

import shapely

from api.geocoding.candidates import Candidate, Spot, with_evidence
from api.geocoding.crossings import ROAD_HALF_WIDTH_M
from api.geocoding.gazetteer import Gazetteer
from gis.addresses.parts import DIRECTIONS, Relation

OFFSET_ERROR = 0.2
"""Standard deviation of a distance in words, as a share of it."""
VAGUE_M = 40.0
"""Standard deviation that 附近, 旁 … add, m: measured on addresses of Shanghai whose plate is not known, with
the word and without it."""
NEAR_PLATE_M = 15.0
"""The same at a plate that is known, m: whoever names it stands nearer to it than to the next, some 30 m on. On
such addresses of Shanghai, which shops state, the word made no difference at all."""
ACROSS_M = 10.0
"""Standard deviation that 对面 adds, m."""
SIDE_M = 15.0
"""How far 南侧 of a point lies from it, and the standard deviation it adds, m."""
FARTHEST_M = 20_000.0
"""Nobody tells a place by a mark farther than this from it, m."""
_DOOR_SHARE = 0.5
_ALONG_WITHIN = math.cos(math.radians(50))
_NEAR_ROAD_M = 40.0
_FAR_ROAD_M = 100.0
_AT_DOOR = ("门口", "门", "门前", "前")


def moved(gazetteer: Gazetteer, candidate: Candidate, relation: Relation) -> Candidate:
    """Move a mark by the relation of an address.

    A distance is gone along the road of the mark that leads most nearly in the direction, straight
    where none does, from the edge of a mark with an area; the side of the road adds half its width.
    A distance of more than `FARTHEST_M` moves nothing and speaks against the mark.

    Parameters
    ----------
    gazetteer : Gazetteer
        Where the lines of the roads are.
    candidate : Candidate
        The mark.
    relation : Relation
        Direction, distance, side, gate.
    """
    if relation.distance_m > FARTHEST_M:
        return with_evidence(candidate, "rest_unmatched")
    spot = candidate.spot
    x, y, sigma_m = spot.x, spot.y, spot.sigma_m
    if relation.is_opposite:
        x, y = _across(gazetteer, (x, y), candidate.roads)
        sigma_m = math.hypot(sigma_m, ACROSS_M)
    way = relation.direction or relation.gate
    if way:
        x, y, sigma_m = _part_of(gazetteer, candidate, relation) or _towards(
            gazetteer, candidate, (x, y, sigma_m), way, relation.distance_m
        )
    if relation.side:
        east, north = _unit(relation.side)
        x, y = x + east * ROAD_HALF_WIDTH_M, y + north * ROAD_HALF_WIDTH_M
    if not way and relation.position in _AT_DOOR and gazetteer.dimension(candidate.row) == 2:
        x, y, sigma_m = _door(gazetteer, candidate, (x, y, sigma_m))
    if relation.is_vague:
        at_plate = gazetteer.kind(candidate.row) == "plate" and not candidate.label
        sigma_m = math.hypot(sigma_m, NEAR_PLATE_M if at_plate else VAGUE_M)
    if (x, y, sigma_m) == (spot.x, spot.y, spot.sigma_m):
        return candidate
    there = replace(candidate, spot=Spot(x=x, y=y, sigma_m=sigma_m))
    return with_evidence(there, "relation_applied")


def _unit(direction: str) -> tuple[float, float]:
    east, north = DIRECTIONS[direction]
    length = math.hypot(east, north)
    return east / length, north / length


def _part_of(
    gazetteer: Gazetteer, candidate: Candidate, relation: Relation
) -> tuple[float, float, float] | None:
    """Return the end 北头, 北口 or the third 北段 of a road; None: nothing such is said, or it leads elsewhere."""
    share = _SHARE_ALONG.get(relation.position)
    here = (candidate.spot.x, candidate.spot.y)
    is_line = gazetteer.dimension(candidate.row) == 1 and here == gazetteer.point(candidate.row)
    if share is None or relation.distance_m or not is_line or not relation.direction:
        return None
    lines = shapely.get_parts(shapely.line_merge(gazetteer.shape(candidate.row)))
    line = max(lines, key=lambda part: float(shapely.length(part)))
    (x0, y0), (x1, y1) = (shapely.get_coordinates(shapely.get_point(line, at))[0] for at in (0, -1))
    east, north = _unit(relation.direction)
    towards = (x1 - x0) * east + (y1 - y0) * north
    if abs(towards) < _ALONG_WITHIN * math.hypot(x1 - x0, y1 - y0):
        return None
    at = shapely.line_interpolate_point(
        line, 1.0 - share if towards > 0 else share, normalized=True
    )
    third_m = float(shapely.length(line)) / 3.0
    return at.x, at.y, third_m / math.sqrt(24.0) if share else END_M


_SHARE_ALONG = {"头": 0.0, "口": 0.0, "段": 1.0 / 6.0}
"""Position -> how far from the end of the road it lies, as a share of its length: 北段 is the northern third."""
END_M = 25.0
"""Standard deviation per axis of the end of a road, m."""


def _towards(
    gazetteer: Gazetteer,
    candidate: Candidate,
    start: tuple[float, float, float],
    direction: str,
    distance_m: float,
) -> tuple[float, float, float]:
    x, y, sigma_m = start
    way = _unit(direction)
    if gazetteer.dimension(candidate.row) == 2 and not candidate.label:
        x, y = _edge(gazetteer.shape(candidate.row), way)
        sigma_m = max(POLYGON_SIDE_SHARE * sigma_m, 8.0)
    elif not distance_m:
        x, y = x + way[0] * SIDE_M, y + way[1] * SIDE_M
        sigma_m = math.hypot(sigma_m, SIDE_M)
    if distance_m:
        x, y = _go(gazetteer, (x, y), way, distance_m, candidate.roads)
        sigma_m = math.hypot(sigma_m, OFFSET_ERROR * distance_m)
    return x, y, sigma_m


POLYGON_SIDE_SHARE = 0.5
"""Uncertainty of a side of an area as a share of that of the whole: one of two axes is known."""


def _edge(shape: Any, way: tuple[float, float]) -> tuple[float, float]:
    """Return the point of the edge met when going from the middle of an area in a direction."""
    middle = shapely.centroid(shape)
    west, south, east, north = shapely.bounds(shape)
    far = math.hypot(east - west, north - south) + 1.0
    ray = shapely.LineString(
        [(middle.x, middle.y), (middle.x + far * way[0], middle.y + far * way[1])]
    )
    points = shapely.get_coordinates(shapely.intersection(ray, shapely.boundary(shape)))
    if not len(points):
        return float(middle.x), float(middle.y)
    x, y = max(
        points.tolist(), key=lambda p: (p[0] - middle.x) * way[0] + (p[1] - middle.y) * way[1]
    )
    return float(x), float(y)


def _door(
    gazetteer: Gazetteer, candidate: Candidate, start: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return the point of an area's edge that faces the nearest road: where its gate should be."""
    shape = gazetteer.shape(candidate.row)
    line = _nearest_road(gazetteer, shape, candidate.roads)
    if line is None:
        return start
    foot = shapely.get_coordinates(shapely.shortest_line(shape, line))[0]
    return float(foot[0]), float(foot[1]), max(8.0, start[2] * _DOOR_SHARE)


def _nearest_road(gazetteer: Gazetteer, shape: Any, roads: tuple[int, ...]) -> Any:
    near: list[int] = list(roads)
    if not near:
        rows, tree = gazetteer.road_lines
        near = rows[tree.query(shape, predicate="dwithin", distance=_FAR_ROAD_M)].tolist()
    lines = [gazetteer.shape(row) for row in near if gazetteer.dimension(row) == 1]
    line = min(lines, key=lambda line: float(shapely.distance(line, shape)), default=None)
    return None if line is None or shapely.distance(line, shape) > _FAR_ROAD_M else line


def _across(
    gazetteer: Gazetteer, start: tuple[float, float], roads: tuple[int, ...]
) -> tuple[float, float]:
    """Return the point across the nearest road, that of the address if it is known."""
    point = shapely.Point(start)
    line = _nearest_road(gazetteer, point, roads)
    if line is None:
        return start
    foot = shapely.get_coordinates(shapely.shortest_line(line, point))[0]
    return float(2 * foot[0] - start[0]), float(2 * foot[1] - start[1])


def _go(
    gazetteer: Gazetteer,
    start: tuple[float, float],
    way: tuple[float, float],
    distance_m: float,
    roads: tuple[int, ...],
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
