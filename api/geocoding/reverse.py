"""From a position to words: the nearest plate, point of interest, compound and road."""

import math
from typing import TYPE_CHECKING

import numpy as np
import shapely

from api.geocoding.gazetteer import Key
from api.geocoding.geocode import answers_of
from api.questions import CITY_CRS
from gis.addresses.parts import DIRECTIONS
from gis.crs import transform_xy
from gis.errors import RequestError

if TYPE_CHECKING:
    from datetime import date

    from api.models import PlaceAnswer
    from api.snapshot import Snapshot

REACH_M = 300.0
"""Marks farther than this do not describe a position, m."""
AT_M = 5.0
"""Nearer than this the position is the mark's own, m."""
_ROUND_TO_M = 5.0


def reverse(
    snapshot: "Snapshot",
    x: float,
    y: float,
    *,
    crs: str = CITY_CRS,
    limit: int = 5,
    as_of: "date | None" = None,
) -> "list[PlaceAnswer]":
    """Describe a position by the places nearest to it, the nearest first.

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
        ``phrase`` is the position in words, as in 裕华路12号东北约35米; ``distance_m`` the distance
        to the mark, 0 inside a polygon. The score falls with the distance, one half at 50 m.

    Raises
    ------
    RequestError
        The position is no place in its CRS.
    """
    source = snapshot.crs if crs.lower() == CITY_CRS else crs
    east, north = (axis[0] for axis in transform_xy([x], [y], source=source, target=snapshot.crs))
    if not (np.isfinite(east) and np.isfinite(north)):
        msg = f"The position ({x}, {y}) is no place in {crs}: x is east or longitude, y north or latitude."
        raise RequestError(
            msg, zh=f"坐标 ({x}, {y}) 在 {crs} 中无效：x 为东向或经度，y 为北向或纬度。"
        )
    edition = snapshot.edition(as_of)
    gazetteer, point = edition.gazetteer, shapely.Point(east, north)
    near = []
    for rows, tree in (gazetteer.marks, gazetteer.road_lines):
        found = tree.query(point, predicate="dwithin", distance=REACH_M)
        distances = shapely.distance(tree.geometries[found], point)
        near += list(zip(distances.tolist(), rows[found].tolist(), strict=True))
    near = sorted(near)[:limit]
    keys = [(Key("", row, "nearest"), 1.0 / (1.0 + distance_m / 50.0)) for distance_m, row in near]
    phrases = []
    for distance_m, row in near:
        mark = shapely.shortest_line(gazetteer.shape(row), point)
        start = shapely.get_coordinates(mark)[0]
        name = gazetteer.table["full_address"][row].as_py()
        inside = distance_m == 0.0 and gazetteer.kinds[row] in ("block", "poi")
        phrases.append(name + phrase_of(east - start[0], north - start[1], is_inside=inside))
    return answers_of(edition, keys, phrases=phrases, distances_m=[round(d, 1) for d, _ in near])


def phrase_of(east_m: float, north_m: float, *, is_inside: bool = False) -> str:
    """Return direction and distance from a mark in words.

    Parameters
    ----------
    east_m, north_m : float
        From the mark to the position, m.
    is_inside : bool
        The position lies inside the mark.

    Examples
    --------
    >>> phrase_of(30.0, 31.0), phrase_of(0.0, -12.0), phrase_of(1.0, 1.0)
    ('东北约45米', '南约10米', '')
    """
    distance_m = math.hypot(east_m, north_m)
    if is_inside:
        return "内"
    if distance_m < AT_M:
        return ""
    rounded = max(_ROUND_TO_M, _ROUND_TO_M * round(distance_m / _ROUND_TO_M))

    def cosine(item: tuple[str, tuple[float, float]]) -> float:
        east, north = item[1]
        return (east * east_m + north * north_m) / math.hypot(east, north)

    direction = max(DIRECTIONS.items(), key=cosine)[0]
    return f"{direction}约{rounded:.0f}米"
