"""Positions that can not be meant, told with what they look like."""

import math

from api.models import Decision, Position
from api.questions import CITY_CRS
from gis.crs import transform_xy
from gis.errors import RequestError

FAR_M = 20_000.0
"""Farther than this from every grid a position is not of this city."""
_DEGREES = ("EPSG:4326", "EPSG:4490", "GCJ-02", "BD-09")
_HINT = ("; the axes look swapped: x is east or longitude", "；坐标轴似乎颠倒：x 为东向或经度")


def check_range(position: Position) -> None:
    """Refuse degrees that are none, with a hint when the axes look swapped.

    Raises
    ------
    RequestError
        Longitude outside ±180 or latitude outside ±90.

    Examples
    --------
    >>> check_range(Position(x=38.04, y=114.51))
    Traceback (most recent call last):
    gis.errors.RequestError: y 114.51 is no latitude; the axes look swapped: x is east or longitude
    """
    if position.crs.upper() not in _DEGREES:
        return
    if abs(position.y) > 90:
        swapped = abs(position.x) <= 90 and abs(position.y) <= 180
        hint = _HINT if swapped else (": it must be within ±90", "：应在 ±90 之间")
        raise RequestError(
            f"y {position.y} is no latitude{hint[0]}", zh=f"y {position.y} 不是纬度{hint[1]}"
        )
    if abs(position.x) > 180:
        raise RequestError(
            f"x {position.x} is no longitude: it must be within ±180",
            zh=f"x {position.x} 不是经度：应在 ±180 之间",
        )


def focus_of(text: str, *, city: str) -> tuple[float, float]:
    """Return the place near which answers are wanted, in the city's CRS, m.

    Parameters
    ----------
    text : str
        Longitude and latitude with a comma between.
    city : str
        The city's CRS.

    Raises
    ------
    RequestError
        The text is no such pair, or no place in the city's CRS.
    """
    msg = f"near {text!r} must be longitude,latitude in degrees, as 114.51,38.04."
    zh = f"near {text!r} 须为“经度,纬度”（度），如 114.51,38.04。"
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError as error:
        raise RequestError(msg, zh=zh) from error
    check_range(Position(x=lon, y=lat))
    x, y = transform_xy([lon], [lat], source="EPSG:4326", target=city)
    if not (math.isfinite(x[0]) and math.isfinite(y[0])):
        raise RequestError(msg, zh=zh)
    return float(x[0]), float(y[0])


def check_distance(decision: Decision, position: Position) -> None:
    """Refuse a position that is far from the city, with a hint when the axes look swapped.

    Parameters
    ----------
    decision : Decision
        What was decided for it; its grid is the nearest one.
    position : Position
        As reported.

    Raises
    ------
    RequestError
        It lies farther than `FAR_M` from every grid.
    """
    grid, location = decision.grid, decision.location
    if grid is None or location.source != "position" or grid.distance_m <= FAR_M:
        return
    distance_km = grid.distance_m / 1000
    is_swapped = _is_nearer_swapped(position, decision)
    hint = _HINT if is_swapped else ("; check position and crs", "；请检查坐标与坐标系")
    raise RequestError(
        f"The position ({position.x}, {position.y}) in {position.crs} lies {distance_km:.0f} km "
        f"outside this city{hint[0]}.",
        zh=f"坐标 ({position.x}, {position.y})（{position.crs}）在本市之外 {distance_km:.0f} 千米"
        f"{hint[1]}。",
    )


def _is_nearer_swapped(position: Position, decision: Decision) -> bool:
    """Say whether the same numbers the other way round lie near the place the city has."""
    grid, location = decision.grid, decision.location
    assert grid is not None
    assert location.x is not None
    assert location.y is not None
    city = location.crs
    source = city if position.crs.lower() == CITY_CRS else position.crs
    x, y = transform_xy([position.y], [position.x], source=source, target=city)
    # The nearest grid lies grid.distance_m from here: swapped, it must be about as far away.
    apart_m = float(((x[0] - location.x) ** 2 + (y[0] - location.y) ** 2) ** 0.5)
    return abs(apart_m - grid.distance_m) <= FAR_M + 0.1 * grid.distance_m
