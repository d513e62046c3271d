"""Door plates: known ones, those of a lane or a compound, and those that must be interpolated."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from api.geocoding.candidates import (
    Candidate,
    Spot,
    from_key,
    medoid,
    road_lines,
    spot_of,
    with_evidence,
)
from api.geocoding.chain import ANYWHERE, Constraint
from api.geocoding.gazetteer import Gazetteer, Key
from api.geocoding.interpolation import Estimate, estimate
from gis.addresses.parts import AddressParts

ROAD_PART_M = 2500.0
"""Plates of one name farther than this from all others stand on another road of the name, m."""
_ONE_PLATE_M = 300.0
OFF_MOUTH_M = 85.0
"""A plate in a lane lies so far off the lane's mouth, per axis, m: addresses in lanes of Shanghai were missed by
so much more than plates at the road."""
_PLATED = ("plate", "member", "address")
_OFF_LINE_M = 150.0
_MOST_ON_LINE = 0.8
_FAR_BEYOND_M = 1500.0
_DISTRICT_DIGITS = 6
"""Digits of the code of a district (GB/T 2260)."""
_LONGEST_PACE_M = 2.0
"""A number beyond the last known one lies at most so far from it per number."""


def known_plates(gazetteer: Gazetteer, address: str) -> list[Candidate]:
    """Return the places at a plate: the plate's own row, else the middle one of what stands there.

    Parameters
    ----------
    gazetteer : Gazetteer
        Places.
    address : str
        Road, lanes and plate as in 太仓路181弄22号.
    """
    keys = [key for key in gazetteer.exact(address) if key.how in _PLATED]
    own = [key for key in keys if key.how == "plate"]
    if own:
        return _distinct([from_key(gazetteer, key) for key in own])
    return _middles(gazetteer, keys, address)


def _distinct(candidates: list[Candidate]) -> list[Candidate]:
    return list({candidate.row: candidate for candidate in candidates}.values())


def _middles(gazetteer: Gazetteer, keys: list[Key], label: str) -> list[Candidate]:
    found = _distinct([from_key(gazetteer, key) for key in keys])
    kept = []
    for centre in medoid([item.spot for item in found], within_m=_ONE_PLATE_M):
        item = found[centre]
        is_address = item.match == "address" and len(found) == 1
        kept.append(item if is_address else replace(item, match="member", label=label))
    return kept


def with_road(parts: AddressParts, name: str) -> AddressParts:
    """Return the parts with another name of the road.

    Examples
    --------
    >>> from gis.addresses.parts import take_apart
    >>> with_road(take_apart("卫东街3号"), "竹新胡同").mark
    '竹新胡同3号'
    """
    mark, way = (text.replace(parts.road, name, 1) for text in (parts.mark, parts.way))
    return replace(parts, road=name, mark=mark, way=way)


def of_way(
    gazetteer: Gazetteer, parts: AddressParts, *, within: Constraint = ANYWHERE
) -> list[Candidate]:
    """Return where the road, lane and plate of an address are, the nearest known level first.

    A plate in a lane that is not known lies at its lane; a sub-number at its plate; a number that
    is not known is interpolated along the road, between the numbers of the areas `within` alone if
    any stand there.
    """
    if not parts.way:
        return []
    found = at_plate(gazetteer, parts)
    if found:
        return found
    if parts.lanes:
        return _in_lane(gazetteer, parts, within) if parts.road else []
    # Numbers of an estate or a village follow no road.
    if parts.number is not None and parts.way == parts.road:
        label = parts.road + parts.plate
        return interpolated(gazetteer, parts.road, parts.number, label=label, within=within)
    return []


def at_plate(gazetteer: Gazetteer, parts: AddressParts) -> list[Candidate]:
    """Return where the plate of an address is if it is known, or the plate of its sub-number."""
    if not parts.way or not parts.plate:
        return []
    found = known_plates(gazetteer, parts.way + parts.plate)
    if found or not parts.sub or parts.number is None:
        return found
    near = known_plates(gazetteer, f"{parts.way}{parts.number}号")
    return [with_evidence(item, "sub_unmatched") for item in near]


def _in_lane(gazetteer: Gazetteer, parts: AddressParts, within: Constraint) -> list[Candidate]:
    number = _lane_number(parts.lanes[0])
    if number is None:
        return []
    ways = _ways(parts)
    inner = [gazetteer.plates_on(way) for way in ways]
    for place, known in enumerate((*inner, gazetteer.plates_in_lane(parts.road, number))):
        if known is not None and len(known.row):
            found = _among(gazetteer, known, parts)
            is_own = place == 0 or len(ways) == 1
            return [with_evidence(i, "" if is_own else "lane_plate_unmatched") for i in found]
    lanes = gazetteer.lanes_on(parts.road)
    here = lanes.row[lanes.number == number] if lanes is not None else []
    if len(here):
        found = _middles(gazetteer, [Key("", int(row), "lane") for row in here], _lane(parts))
        code = "lane_plate_unmatched" if len(ways) > 1 else ""
        found = [with_evidence(replace(item, match="lane"), code) for item in found]
        return [_left_plate(item, parts) for item in found]
    found = interpolated(gazetteer, parts.road, number, label=_lane(parts), within=within)
    return [_left_plate(_off_mouth(item) if parts.plate else item, parts) for item in found]


def _off_mouth(candidate: Candidate) -> Candidate:
    sigma_m = math.hypot(candidate.spot.sigma_m, OFF_MOUTH_M)
    return replace(candidate, spot=replace(candidate.spot, sigma_m=sigma_m))


def _among(gazetteer: Gazetteer, known: Any, parts: AddressParts) -> list[Candidate]:
    """Place a plate among the known ones of its lane: numbers in a compound follow no line."""
    nearest = np.argsort(np.abs(known.number - (parts.number or 0)), kind="stable")
    rows = known.row[nearest[:4]] if parts.number is not None else known.row
    spots = [spot_of(gazetteer, int(row)) for row in rows]
    found = []
    for centre in medoid(spots, within_m=_ONE_PLATE_M):
        spread = float(np.median([math.hypot(s.x - spots[centre].x, s.y - spots[centre].y)
                                  for s in spots]))  # fmt: skip
        spot = replace(spots[centre], sigma_m=max(40.0, spread))
        row = int(rows[centre])
        item = Candidate(row=row, spot=spot, match="lane", label=_lane(parts))
        found.append(_left_plate(replace(item, roads=road_lines(gazetteer, parts.road)), parts))
    return found


def _left_plate(candidate: Candidate, parts: AddressParts) -> Candidate:
    return with_evidence(candidate, "lane_plate_unmatched" if parts.plate else "")


def _lane(parts: AddressParts) -> str:
    return parts.road + parts.lanes[0]


def _ways(parts: AddressParts) -> list[str]:
    """Return the lanes of lanes, the innermost first: 湾里路211巷88弄, then 湾里路211巷."""
    ends = range(len(parts.lanes), 0, -1)
    return [parts.road + "".join(parts.lanes[:end]) for end in ends]


def _lane_number(lane: str) -> int | None:
    digits = lane.rstrip("弄巷")
    return int(digits[:9]) if digits.isdigit() else None


def interpolated(
    gazetteer: Gazetteer, road: str, number: int, *, label: str, within: Constraint = ANYWHERE
) -> list[Candidate]:
    """Place a number among the known ones of each road of a name.

    Lanes count with the plates, since they share the numbers of the road. Where numbers stand in
    the areas `within`, by their place or their own words, no others are looked at.
    """
    known = _known_numbers(gazetteer, road)
    if known is None:
        return []
    inside = inside_of(gazetteer, known.rows, within)
    if inside.any():
        known = known.take(inside)
    parts = _nearest_parts(gazetteer, known, number)
    return [item for part in parts for item in _placed(gazetteer, part, road, number, label)]


class _Known(NamedTuple):
    """Known numbers of a road."""

    numbers: NDArray[np.int64]
    rows: NDArray[np.int64]
    in_lane: NDArray[np.bool_]
    """The place lies in a lane off the road, and the number is the lane's."""

    def take(self, some: NDArray[Any]) -> "_Known":
        return _Known(self.numbers[some], self.rows[some], self.in_lane[some])

    def points(self, gazetteer: Gazetteer) -> NDArray[np.float64]:
        return np.column_stack([gazetteer.x[self.rows], gazetteer.y[self.rows]])


def _nearest_parts(gazetteer: Gazetteer, known: _Known, number: int) -> list[_Known]:
    """Return of each district's parts of a road the one whose numbers come nearest to a number.

    A district gives a name to one road only, so that parts in one district are stretches of it.
    """
    parts = [known.take(part) for part in parts_of_road(known.points(gazetteer))]
    if len(parts) < 2:
        return parts
    best: dict[str, tuple[int, int]] = {}
    for place, part in enumerate(parts):
        gaps = np.abs(part.numbers - number)
        nearest = int(gaps.argmin())
        district = gazetteer.community(int(part.rows[nearest]))[:_DISTRICT_DIGITS]
        is_among = part.numbers.min() <= number <= part.numbers.max()
        gap = 0 if is_among else int(gaps[nearest])
        key = district or str(place)
        best[key] = min(best.get(key, (gap, place)), (gap, place))
    kept = sorted(place for _, place in best.values())
    return [parts[place] for place in kept]


def inside_of(
    gazetteer: Gazetteer, rows: NDArray[np.integer[Any]], within: Constraint
) -> NDArray[np.bool_]:
    """Tell which rows stand in the areas, or say so themselves; where none are given, no row."""
    codes, name = tuple(within.codes), within.smallest
    if not codes:
        return np.zeros(len(rows), dtype=bool)
    return np.array(
        [
            gazetteer.community(row).startswith(codes) or gazetteer.is_said_in(row, name)
            for row in rows.tolist()
        ],
        dtype=bool,
    )


def _known_numbers(gazetteer: Gazetteer, road: str) -> _Known | None:
    both = ((gazetteer.plates_on(road), False), (gazetteer.lanes_on(road), True))
    there = [(found, is_lane) for found, is_lane in both if found is not None and len(found.number)]
    if not there:
        return None
    return _Known(
        np.concatenate([found.number for found, _ in there]).astype(np.int64),
        np.concatenate([found.row for found, _ in there]).astype(np.int64),
        np.concatenate([np.full(len(found.row), is_lane) for found, is_lane in there]),
    )


def parts_of_road(points: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """Group plates that stand near one another, by single linkage over `ROAD_PART_M`."""
    if float(np.hypot(*np.ptp(points, axis=0))) <= ROAD_PART_M:
        return [np.arange(len(points))]
    waiting = np.ones(len(points), dtype=bool)
    groups = []
    while waiting.any():
        before = waiting.copy()
        edge = [int(np.flatnonzero(waiting)[0])]
        waiting[edge[0]] = False
        while edge and waiting.any():
            near = np.hypot(*(points - points[edge.pop()]).T) <= ROAD_PART_M
            more = np.flatnonzero(near & waiting)
            waiting[more] = False
            edge += more.tolist()
        groups.append(np.flatnonzero(before & ~waiting))
    return groups


def _placed(
    gazetteer: Gazetteer, known: _Known, road: str, number: int, label: str
) -> list[Candidate]:
    numbers, points = known.numbers, known.points(gazetteer)
    streets = road_lines(gazetteer, road)
    line = _line_of(gazetteer, streets, points)
    if line is None:
        found = estimate(numbers, points, number, in_lane=known.in_lane)
    else:
        found = _along(line, known, points, number)
    nearest = int(np.argmin(np.abs(numbers - number)))
    spot = Spot(x=found.x, y=found.y, sigma_m=max(found.sigma_m, 10.0))
    codes = ("number_sparse",) if len(numbers) < 3 and not found.is_beyond else ()
    if found.is_beyond and found.sigma_m > _FAR_BEYOND_M:
        if streets:
            return []
        # Without a line of the road the nearest number is the best that is known of it.
        x, y = points[nearest].tolist()
        spot = Spot(x=x, y=y, sigma_m=found.sigma_m)
        codes = ("number_far",)
    elif found.is_beyond:
        most_m = _LONGEST_PACE_M * abs(int(numbers[nearest]) - number)
        off = np.array([found.x, found.y]) - points[nearest]
        share = min(1.0, most_m / max(float(np.hypot(*off)), 1.0))
        x, y = (points[nearest] + share * off).tolist()
        spot = replace(spot, x=x, y=y)
    made_of = streets[0] if streets else int(known.rows[nearest])
    return [
        Candidate(
            row=made_of,
            spot=spot,
            match="beyond" if found.is_beyond else "interpolated",
            evidence=codes,
            roads=streets,
            label=label,
        )
    ]


def _line_of(gazetteer: Gazetteer, streets: tuple[int, ...], points: NDArray[np.float64]) -> Any:
    """Return the line along which the plates stand, if the base map has it."""
    middle = shapely.multipoints(points)
    for row in streets:
        if gazetteer.dimension(row) != 1:
            continue
        parts = shapely.get_parts(shapely.line_merge(gazetteer.shape(row)))
        line = max(parts, key=lambda part: float(shapely.length(part)))
        off = shapely.distance(line, shapely.get_parts(middle))
        if float(np.mean(off <= _OFF_LINE_M)) >= _MOST_ON_LINE:
            return line
    return None


def _along(line: Any, known: _Known, points: NDArray[np.float64], number: int) -> Estimate:
    """Estimate distance along the line and offset from it, so that bends are followed."""
    given = shapely.points(points)
    along = shapely.line_locate_point(line, given)
    feet = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    ahead = shapely.get_coordinates(_ahead(line, along))
    way = ahead - feet
    length = np.hypot(way[:, 0], way[:, 1])
    way = way / np.where(length > 0, length, 1.0)[:, None]
    off = way[:, 0] * (points - feet)[:, 1] - way[:, 1] * (points - feet)[:, 0]
    at_line = np.column_stack([along, off])
    found = estimate(known.numbers, at_line, number, in_lane=known.in_lane)
    at = min(max(found.x, 0.0), float(shapely.length(line)))
    foot = shapely.get_coordinates(shapely.line_interpolate_point(line, at))[0]
    step = shapely.get_coordinates(_ahead(line, np.array([at])))[0] - foot
    size = float(np.hypot(*step)) or 1.0
    x, y = foot[0] - step[1] / size * found.y, foot[1] + step[0] / size * found.y
    return Estimate(x=float(x), y=float(y), sigma_m=found.sigma_m, is_beyond=found.is_beyond)


def _ahead(line: Any, along: NDArray[np.float64]) -> Any:
    """Return points a little farther along; beyond the end of the line, mirrored at it."""
    length = float(shapely.length(line))
    before = shapely.get_coordinates(shapely.line_interpolate_point(line, along))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(line, along + 1.0))
    back = shapely.get_coordinates(shapely.line_interpolate_point(line, np.maximum(along - 1.0, 0)))
    mirrored = np.where((along + 1.0 > length)[:, None], 2 * before - back, ahead)
    return shapely.points(mirrored)
