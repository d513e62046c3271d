"""Where two roads meet, and the stretch of a road between two others."""

import math
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import shapely

from api.geocoding.candidates import (
    Candidate,
    Spot,
    distance_m,
    plain_name,
    road_lines,
    with_evidence,
)
from api.geocoding.gazetteer import Gazetteer
from gis.addresses.parts import DIRECTIONS, AddressParts

CROSSING_SIGMA_M = 15.0
"""Standard deviation of a crossing of two roads, m."""
JOINS_M = 15.0
"""A road that ends this near to another meets it, m."""
ROAD_HALF_WIDTH_M = 10.0
"""How far the side of a road lies from its centreline where its width is not known, m."""
_APART_M = 60.0
_ALMOST_M = 400.0
_NEAR_M = 80.0
_STRETCH_OF = math.sqrt(12.0)


def crossings(gazetteer: Gazetteer, first: tuple[int, ...], second: tuple[int, ...]) -> list[Spot]:
    """Return where two roads meet, meetings within 60 m of each other as one.

    A road that ends within `JOINS_M` of the other meets it: centrelines end at the other's edge,
    and coordinates in files are rounded.
    """
    spots = []
    for one, two in product(first, second):
        points = _meetings(gazetteer.shape(one), gazetteer.shape(two))
        if not points:
            continue
        whole = shapely.MultiPoint(points)
        for cluster in shapely.get_parts(shapely.union_all(shapely.buffer(points, _APART_M / 2))):
            middle = shapely.centroid(shapely.intersection(cluster, whole))
            spots.append(Spot(x=middle.x, y=middle.y, sigma_m=CROSSING_SIGMA_M))
    return sorted(spots, key=lambda spot: (spot.x, spot.y))


def _meetings(one: Any, two: Any) -> list[Any]:
    if shapely.get_dimensions(one) == 0 or shapely.get_dimensions(two) == 0:
        return []
    shared = shapely.get_parts(shapely.intersection(one, two))
    points = [shapely.centroid(part) for part in shared if not part.is_empty]
    for road, other in ((one, two), (two, one)):
        lines = shapely.get_parts(shapely.line_merge(road))
        lines = lines[shapely.get_type_id(lines) == 1]
        ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
        points += ends[shapely.distance(ends, other) <= JOINS_M].tolist()
    return points


def roads_meeting(gazetteer: Gazetteer, rows: tuple[int, ...]) -> list[str]:
    """Return the names of the streets that come within `JOINS_M` of one of the given ones."""
    others, tree = gazetteer.road_lines
    names: dict[str, None] = {}
    for row in rows:
        near = tree.query(gazetteer.shape(row), predicate="dwithin", distance=JOINS_M)
        for other in np.sort(others[near]).tolist():
            if other not in rows and gazetteer.kind(other) == "street":
                names[plain_name(gazetteer, other)] = None
    return list(names)


def crossing_candidates(gazetteer: Gazetteer, one: str, two: str) -> list[Candidate]:
    """Return the crossings of two roads by name.

    Roads without lines meet about where their addresses come nearest to each other.
    """
    first, second = road_lines(gazetteer, one), road_lines(gazetteer, two)
    spots = crossings(gazetteer, first, second) if first and second else []
    if spots:
        names = (plain_name(gazetteer, rows[0]) for rows in (first, second))
        label = "{}与{}路口".format(*names)
        return [
            Candidate(
                row=first[0], spot=spot, match="crossing", roads=(*first, *second), label=label
            )
            for spot in spots
        ]
    if _has_line(gazetteer, first) and _has_line(gazetteer, second):
        return []  # they do not meet
    near = _nearest_addresses(gazetteer, one, two)
    if near is None:
        return []
    row, spot = near
    return [
        Candidate(
            row=row,
            spot=spot,
            match="crossing",
            evidence=("crossing_estimated",),
            label=f"{one}与{two}路口",
        )
    ]


def _has_line(gazetteer: Gazetteer, rows: tuple[int, ...]) -> bool:
    return any(gazetteer.dimension(row) > 0 for row in rows)


def _nearest_addresses(gazetteer: Gazetteer, one: str, two: str) -> tuple[int, Spot] | None:
    first, second = gazetteer.of_road(one), gazetteer.of_road(two)
    if not len(first) or not len(second):
        return None
    here = np.column_stack([gazetteer.x[first], gazetteer.y[first]])
    there = np.column_stack([gazetteer.x[second], gazetteer.y[second]])
    tree = shapely.STRtree(shapely.points(there))
    pairs, metres = tree.query_nearest(
        shapely.points(here), all_matches=False, return_distance=True
    )
    best = int(np.argmin(metres))
    apart = float(metres[best])
    if apart > _ALMOST_M:
        return None
    x, y = (here[pairs[0][best]] + there[pairs[1][best]]) / 2
    sigma_m = math.hypot(60.0, apart / 2)
    return int(first[pairs[0][best]]), Spot(x=float(x), y=float(y), sigma_m=sigma_m)


def between_candidates(gazetteer: Gazetteer, road: str, ends: tuple[str, str]) -> list[Candidate]:
    """Return the middle of the stretch of a road between two roads that cross it.

    The standard deviation is that of a point anywhere on the stretch.
    """
    rows = road_lines(gazetteer, road)
    found = []
    for row in rows:
        if gazetteer.dimension(row) != 1:
            continue
        line = _line(gazetteer.shape(row))
        sides = [crossings(gazetteer, (row,), road_lines(gazetteer, end)) for end in ends]
        for start, stop in product(*sides):
            found.append(_stretch(row, line, start, stop))
    found.sort(key=lambda item: item.spot.sigma_m)
    label = f"{road}({ends[0]}与{ends[1]}之间)"
    if found:
        return [replace(found[0], label=label)]
    return _between_estimated(gazetteer, road, ends, label)


def _between_estimated(
    gazetteer: Gazetteer, road: str, ends: tuple[str, str], label: str
) -> list[Candidate]:
    met = [found[0] for end in ends if (found := crossing_candidates(gazetteer, road, end))]
    if not met:
        return []
    x, y = (sum(getattr(item.spot, axis) for item in met) / len(met) for axis in "xy")
    apart = distance_m(met[0].spot, met[-1].spot) if len(met) > 1 else 300.0
    sigma_m = math.hypot(apart / _STRETCH_OF, met[0].spot.sigma_m)
    evidence = met[0].evidence + (() if len(met) > 1 else ("crossing_unmatched",))
    return [
        Candidate(
            row=met[0].row,
            spot=Spot(x=x, y=y, sigma_m=sigma_m),
            match="between",
            evidence=evidence,
            roads=met[0].roads,
            label=label,
        )
    ]


def _stretch(row: int, line: Any, start: Spot, stop: Spot) -> Candidate:
    along = [shapely.line_locate_point(line, shapely.Point(at.x, at.y)) for at in (start, stop)]
    middle = shapely.line_interpolate_point(line, sum(along) / 2)
    sigma_m = max(abs(along[1] - along[0]) / _STRETCH_OF, CROSSING_SIGMA_M)
    spot = Spot(x=middle.x, y=middle.y, sigma_m=float(sigma_m))
    return Candidate(row=row, spot=spot, match="between", roads=(row,))


def _line(shape: Any) -> Any:
    """Return the longest connected line of a road."""
    lines = shapely.get_parts(shapely.line_merge(shape))
    return max(lines, key=lambda line: float(shapely.length(line)))


def at_corner(candidate: Candidate, parts: AddressParts) -> Candidate:
    """Move a crossing to the corner that the address names, half a road's width each way.

    Examples
    --------
    >>> at = Candidate(row=1, spot=Spot(x=0.0, y=0.0, sigma_m=15.0), match="crossing")
    >>> at_corner(at, AddressParts(mark="", corner="东北")).spot.x
    10.0
    """
    if not parts.corner or candidate.match != "crossing":
        return candidate
    east, north = DIRECTIONS[parts.corner]
    spot = candidate.spot
    moved = Spot(
        x=spot.x + east * ROAD_HALF_WIDTH_M,
        y=spot.y + north * ROAD_HALF_WIDTH_M,
        sigma_m=spot.sigma_m,
    )
    return replace(candidate, spot=moved)


def sharpened(gazetteer: Gazetteer, parts: AddressParts, found: list[Candidate]) -> list[Candidate]:
    """Weigh placed numbers with the cross street that a bracket names, as in 陆家浜路597号(近制造局路)."""
    aids: list[Candidate] = []
    if parts.between:
        aids = between_candidates(gazetteer, *parts.between)
    elif parts.near:
        aids = crossing_candidates(gazetteer, parts.road, parts.near)
    aids = [
        replace(aid, spot=replace(aid.spot, sigma_m=max(aid.spot.sigma_m, _NEAR_M))) for aid in aids
    ]
    if not found:
        return [
            with_evidence(replace(aid, match="interpolated"), "near_applied", "number_sparse")
            for aid in aids
        ]
    return [_weighed(item, aids) for item in found]


def _weighed(item: Candidate, aids: list[Candidate]) -> Candidate:
    for aid in aids:
        one, two = item.spot, aid.spot
        if distance_m(one, two) <= 3.0 * math.hypot(one.sigma_m, two.sigma_m):
            share = two.sigma_m**2 / (one.sigma_m**2 + two.sigma_m**2)
            spot = Spot(
                x=share * one.x + (1 - share) * two.x,
                y=share * one.y + (1 - share) * two.y,
                sigma_m=one.sigma_m * two.sigma_m / math.hypot(one.sigma_m, two.sigma_m),
            )
            return with_evidence(replace(item, spot=spot), "near_applied")
    return item
