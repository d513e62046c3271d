"""From a position to words: the plate, crossing, point of interest, compound or road that tells it best."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from api.edition import LEVELS, Edition
from api.geocoding.candidates import plain_name
from api.geocoding.gazetteer import Gazetteer, Key
from api.geocoding.geocode import answers_of
from api.geocoding.phrases import along_phrase, door_phrase, phrase_of, side_phrase
from api.placing.earth import city_point
from api.questions import CITY_CRS
from gis.addresses.crossings import crossings
from gis.errors import RequestError

if TYPE_CHECKING:
    from datetime import date

    from api.models import PlaceAnswer
    from api.snapshot import Snapshot

REACH_M = 300.0
"""Marks farther than this do not describe a position, m."""
ROAD_REACH_M = 40.0
"""A position farther than this from a centreline does not lie on the road, m."""
CROSSING_REACH_M = 150.0
"""Positions farther than this along a road are not told from the crossing, m."""
_AREA_LEVELS = ("province", "city", "district", "street", "community")
_HALF_SURE_M = 50.0
_ROAD_COST_M = 60.0
_COST_M = {"plate": 0.0, "poi": 10.0, "block": 20.0}
"""How much nearer a plate may be passed over for: it tells a place most surely, a road least."""
_CROSSING = "crossing:"
_MARKS, _ROADS = ("plate", "poi", "block"), ("street",)
_MOST_MARKS = 60


@dataclass(frozen=True, kw_only=True)
class _Telling:
    """One way to tell the position."""

    row: int
    distance_m: float
    phrase: str
    cost_m: float


def reverse(
    snapshot: "Snapshot",
    x: float,
    y: float,
    *,
    crs: str = CITY_CRS,
    limit: int = 5,
    as_of: "date | None" = None,
) -> "list[PlaceAnswer]":
    """Describe a position by the places near it, the most telling first.

    A plate is preferred to a mark 10 m nearer, a mark to a compound, any of them to a road that runs
    60 m nearer; a crossing is told by the way along the road and its side. The areas are those that
    hold the position itself, not those of the mark.

    Parameters
    ----------
    snapshot : Snapshot
        The data.
    x, y : float
        East and north, or longitude and latitude.
    crs : str
        CRS of the position; ``city``: the city's own.
    limit : int
        Most answers.
    as_of : date or None
        Day on which the places hold; None: the live ones.

    Returns
    -------
    list of PlaceAnswer
        ``phrase`` is the position in words, as in 裕华路12号东北约35米; ``location_text`` the same with
        district, street and community before it (事发位置), or after it the nearest community of a
        position that lies in none; ``distance_m`` the distance to the mark,
        0 inside a polygon. The score falls with the distance, one half at 50 m.

    Raises
    ------
    RequestError
        The position is no place in its CRS.
    """
    source = snapshot.crs if crs.lower() == CITY_CRS else crs
    east, north = city_point(x, y, source=source, city=snapshot.crs)
    if not (np.isfinite(east) and np.isfinite(north)):
        msg = f"The position ({x}, {y}) is no place in {crs}: x is east or longitude, y north or latitude."
        raise RequestError(
            msg, zh=f"坐标 ({x}, {y}) 在 {crs} 中无效：x 为东向或经度，y 为北向或纬度。"
        )
    edition = snapshot.edition(as_of)
    point = shapely.Point(east, north)
    told = sorted(_tellings(edition.gazetteer, point), key=lambda way: (way.cost_m, way.row))
    told = told[:limit]
    keys = [(Key("", way.row, "nearest"), _score(way.distance_m)) for way in told]
    answers = answers_of(
        edition,
        keys,
        phrases=[way.phrase for way in told],
        distances_m=[round(way.distance_m, 1) for way in told],
    )
    chain = "".join(areas_at(edition, float(east), float(north)).values())
    beyond = "" if chain else _outside(edition, float(east), float(north))
    return [replace(answer, location_text=chain + answer.phrase + beyond) for answer in answers]


def _outside(edition: Edition, x: float, y: float) -> str:
    """Say of a position in no area which one is the nearest and how far off it is."""
    for level in reversed(LEVELS):
        cells = edition.areas[level]
        if len(cells.codes):
            found = cells.index.locate([x], [y])
            name, distance_m = cells.names[int(found.position[0])], float(found.distance_m[0])
            return f"（在各区域之外，距{name}约{max(1, round(distance_m))}米）"
    return ""


def areas_at(edition: Edition, x: float, y: float) -> dict[str, str]:
    """Return level -> name of the areas that hold a position in the city's CRS, the widest first.

    A level that holds it nowhere is left out; on a shared edge the area of the lowest code holds it.
    """
    names = {}
    for level in LEVELS:
        cells = edition.areas[level]
        found = cells.index.locate([x], [y]) if len(cells.codes) else None
        if found is not None and found.position[0] >= 0 and found.distance_m[0] == 0.0:
            names[level] = str(cells.names[int(found.position[0])])
    return names


def containing(
    snapshot: "Snapshot", x: float, y: float, *, level: str, as_of: "date | None" = None
) -> "PlaceAnswer | None":
    """Return the area of a level that holds a position in the city's CRS; None: none does."""
    edition = snapshot.edition(as_of)
    cells = edition.areas[level]
    if not len(cells.codes):
        return None
    found = cells.index.locate([x], [y])
    if found.position[0] < 0 or found.distance_m[0] > 0.0:
        return None
    row = edition.find("places", f"area:{cells.codes[int(found.position[0])]}")
    if row < 0:
        return None
    return answers_of(edition, [(Key("", row, "nearest"), 1.0)])[0]


def _score(distance_m: float) -> float:
    return 1.0 / (1.0 + distance_m / _HALF_SURE_M)


def _tellings(gazetteer: Gazetteer, point: shapely.Point) -> Iterator[_Telling]:
    roads = list(_near(gazetteer, point, _ROADS, ROAD_REACH_M))
    for distance_m, row, shape in _near(gazetteer, point, _MARKS, REACH_M):
        yield _off_mark(gazetteer, (row, shape), point, distance_m)
        if gazetteer.kind(row) == "poi" and _is_crossing(gazetteer, row):
            yield from _from_crossing(gazetteer, row, point, roads)
    for distance_m, row, shape in _near(gazetteer, point, _ROADS, REACH_M):
        foot = shapely.get_coordinates(shapely.shortest_line(shape, point))[0]
        name = _name(gazetteer, row)
        is_beside = distance_m <= ROAD_REACH_M
        way = (point.x - foot[0], point.y - foot[1])
        # 裕华路 and its north side is 裕华路路北.
        phrase = name + (side_phrase(*way) if is_beside else phrase_of(*way))
        yield _Telling(
            row=row, distance_m=distance_m, phrase=phrase, cost_m=distance_m + _ROAD_COST_M
        )


def _is_crossing(gazetteer: Gazetteer, row: int) -> bool:
    """Tell whether a mark is the crossing of two roads, made of the map or delivered by its name."""
    code = gazetteer.record(row)["code"]
    return code.startswith(_CROSSING) or any(
        sure for *_, sure in crossings(plain_name(gazetteer, row))
    )


def _near(
    gazetteer: Gazetteer, point: shapely.Point, kinds: tuple[str, ...], reach_m: float
) -> list[tuple[float, int, Any]]:
    """Return distance, row and shape of the nearest places of some kinds, the nearest first."""
    found = gazetteer.near(point.x, point.y, reach_m=reach_m, kinds=kinds, limit=_MOST_MARKS)
    return [(distance_m, row, gazetteer.shape(row)) for distance_m, row in found]


def _off_mark(
    gazetteer: Gazetteer, mark: tuple[int, Any], point: shapely.Point, distance_m: float
) -> _Telling:
    row, shape = mark
    kind = gazetteer.kinds[row]
    start = shapely.get_coordinates(shapely.shortest_line(shape, point))[0]
    way = (point.x - start[0], point.y - start[1])
    # From a compound the position may be anywhere along its side: half its width off.
    cost_m = distance_m + math.sqrt(shapely.area(shape)) / 2.0
    is_inside = distance_m == 0.0 and shapely.get_dimensions(shape) == 2
    words = door_phrase(*way) if kind == "plate" else phrase_of(*way, is_inside=is_inside)
    return _Telling(
        row=row,
        distance_m=distance_m,
        phrase=_name(gazetteer, row) + words,
        cost_m=cost_m + _COST_M[kind],
    )


def _from_crossing(
    gazetteer: Gazetteer, row: int, point: shapely.Point, roads: list[tuple[float, int, Any]]
) -> Iterator[_Telling]:
    """Tell the way along the road of the crossing that the position lies beside."""
    crossing = gazetteer.shape(row)
    name = _name(gazetteer, row)
    for distance_m, road, shape in roads:
        if _name(gazetteer, road) not in name:
            continue
        line = min(
            shapely.get_parts(shapely.line_merge(shape)),  # none of a road that is no line
            key=lambda part: float(shapely.distance(part, point)),
            default=None,
        )
        if line is None or shapely.distance(line, crossing) > ROAD_REACH_M:
            continue
        here, there = (float(line.project(each)) for each in (point, crossing))
        gone_m = abs(here - there)
        if not ROAD_REACH_M / 2.0 <= gone_m <= CROSSING_REACH_M:
            continue
        foot = line.interpolate(here)
        along = (foot.x - crossing.x, foot.y - crossing.y)
        words = along_phrase(along, (point.x - foot.x, point.y - foot.y), gone_m)
        # Half the way counts: along a road it is paced out more surely than across country.
        cost_m = gone_m / 2.0 + _COST_M["poi"]
        yield _Telling(
            row=row, distance_m=math.hypot(gone_m, distance_m), phrase=name + words, cost_m=cost_m
        )
        return


def _name(gazetteer: Gazetteer, row: int) -> str:
    """Return road, plate, compound, building and name of a place: its address without the areas."""
    record = gazetteer.table.select([*_AREA_LEVELS, "full_address", "name"]).slice(row, 1)
    *areas, address, name = (column[0].as_py() or "" for column in record.columns)
    for area in areas:
        address = address.removeprefix(area)
    return str(address or name)
