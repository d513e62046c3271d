"""Which coordinates are on the earth at all: bounded in the CRS they are told in, and in the city's.

PROJ winds what lies beyond the end of a CRS round the earth and answers with a place that nobody meant
(longitude 474 with that of 114), and where nothing is to be transformed any number comes back as it is.
"""

from functools import lru_cache
from math import nan, pi
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS

from api.columns import Floats
from gis.crs import parse_crs, transform_point, transform_xy

HALF_TURN_M = 20_037_508.35
"""Half way round the earth along the equator, where the map of EPSG:3857 ends, m."""
_STRAIGHT, _RIGHT = pi, pi / 2.0
_EAST = ("False easting", "Easting at")
_NORTH = ("False northing", "Northing at")
_CRS_KEPT = 256


class Bounds(NamedTuple):
    """Least and largest coordinates that a CRS has, in its own unit."""

    west: float
    south: float
    east: float
    north: float


@lru_cache(maxsize=_CRS_KEPT)
def bounds_of(crs: str) -> Bounds:
    """Return between which coordinates a CRS has places.

    Degrees reach from -180 to 180 and from -90 to 90, as in requests of single cases. A projected CRS
    reaches half way round the earth from its false origin: no place lies farther. A position that
    misses the number of its zone, or has one too many, lies farther in most zones, but not in all.

    Raises
    ------
    CrsError
        The CRS is unknown.

    Examples
    --------
    >>> [round(number, 6) for number in bounds_of("GCJ-02")]
    [-180.0, -90.0, 180.0, 90.0]
    >>> [round(number / 1e6, 2) for number in bounds_of("EPSG:4526")]
    [18.46, -20.04, 58.54, 20.04]
    """
    known = _plane(parse_crs(crs))
    unit = (known.axis_info[0].unit_conversion_factor if known.axis_info else 1.0) or 1.0
    if known.is_geographic:
        # What a unit is in radians is rounded: the date line itself must not fall out.
        wide, high = (round(angle / unit, 9) for angle in (_STRAIGHT, _RIGHT))
        return Bounds(-wide, -high, wide, high)
    east, north = _origin(known, unit)
    reach = HALF_TURN_M / unit
    return Bounds(east - reach, north - reach, east + reach, north + reach)


def _plane(crs: CRS) -> CRS:
    """Return the horizontal CRS within one that also states heights or a datum shift."""
    while True:
        if crs.is_bound and crs.source_crs is not None:
            crs = crs.source_crs
        elif crs.is_compound and crs.sub_crs_list:
            crs = crs.sub_crs_list[0]
        else:
            return crs


def _origin(crs: CRS, unit: float) -> tuple[float, float]:
    """Return the coordinates that a projected CRS gives its origin, as 38500000 in zone 38."""
    operation = crs.coordinate_operation
    params = operation.params if operation is not None else []
    east, north = (
        next(
            (float(p.value) * p.unit_conversion_factor for p in params if p.name.startswith(names)),
            0.0,
        )
        for names in (_EAST, _NORTH)
    )
    return east / unit, north / unit


def city_xy(x: Floats, y: Floats, *, source: str, city: str) -> tuple[Floats, Floats]:
    """Return coordinates in the city's CRS; nan: nowhere on the earth.

    Raises
    ------
    CrsError
        As for `gis.crs.transform_xy`.

    Examples
    --------
    >>> x, y = city_xy(np.array([5e5, 1e12]), np.array([4.2e6, 4.2e6]), source="epsg:4547", city="EPSG:4547")
    >>> x.tolist()
    [500000.0, nan]
    """
    east, north = transform_xy(x, y, source=source, target=city)
    for name, (first, second) in ((source, (x, y)), (city, (east, north))):
        bounds = bounds_of(name)
        if not _all_within(first, second, bounds):
            off = ~_within(first, second, bounds)
            east[off] = north[off] = np.nan
    return east, north


def _all_within(x: Floats, y: Floats, bounds: Bounds) -> bool:
    """Tell whether all coordinates there are lie within bounds: the rule, found without any masks."""
    return bool(
        np.fmin.reduce(x, initial=np.inf) >= bounds.west
        and np.fmax.reduce(x, initial=-np.inf) <= bounds.east
        and np.fmin.reduce(y, initial=np.inf) >= bounds.south
        and np.fmax.reduce(y, initial=-np.inf) <= bounds.north
    )


def _within(x: ArrayLike, y: ArrayLike, bounds: Bounds) -> NDArray[np.bool_]:
    west, south, east, north = bounds
    x, y = np.asarray(x), np.asarray(y)
    return np.asarray((x >= west) & (x <= east) & (y >= south) & (y <= north))  # not so for nan


def city_point(x: float, y: float, *, source: str, city: str) -> tuple[float, float]:
    """Return one point as `city_xy` does many, in a fraction of the time.

    Raises
    ------
    CrsError
        As for `gis.crs.transform_point`.

    Examples
    --------
    >>> city_point(474.0, 38.0, source="EPSG:4326", city="EPSG:4547")
    (nan, nan)
    """
    west, south, east, north = bounds_of(source)
    if not (west <= x <= east and south <= y <= north):
        return nan, nan
    if source == city:
        return x, y
    x, y = transform_point(x, y, source=source, target=city)
    west, south, east, north = bounds_of(city)
    return (x, y) if west <= x <= east and south <= y <= north else (nan, nan)
