"""Positions that fit only when read in another coordinate system than the one they state."""

import numpy as np
from numpy.typing import NDArray

from api.columns import Floats
from api.placing.earth import city_xy
from gis.errors import CrsError

READINGS = ("EPSG:4326", "GCJ-02", "BD-09")
"""Systems of longitude and latitude that are mistaken for each other: they differ by 0.3-1 km."""
LEAST_CERTAINTY = 0.8
"""An address less certain than this says nothing about how a position is to be read."""


def misread(
    positions: tuple[Floats, Floats, NDArray[np.object_]],
    addresses: tuple[Floats, Floats, Floats],
    certainty: Floats,
    *,
    city: str,
) -> NDArray[np.bool_]:
    """Return which positions lie at the address when read in another system, or with axes swapped.

    Parameters
    ----------
    positions : tuple of numpy.ndarray
        Coordinates as reported, and the name of the system they are said to be in, of cases whose
        position is no place or lies far from their address.
    addresses : tuple of numpy.ndarray
        Where their addresses lead to, east and north in the city's CRS, and how near a position must
        come to be that place, m.
    certainty : numpy.ndarray
        Probability that the addresses were understood.
    city : str
        The city's CRS.

    Examples
    --------
    >>> x, y = city_xy(np.array([114.5]), np.array([38.0]), source="GCJ-02", city="EPSG:4547")
    >>> stated = (np.array([114.5, 38.0]), np.array([38.0, 114.5]), np.array(["EPSG:4326", "GCJ-02"], dtype=object))
    >>> here = (np.full(2, x[0]), np.full(2, y[0]), np.full(2, 30.0))
    >>> misread(stated, here, np.ones(2), city="EPSG:4547").tolist()
    [True, True]
    """
    x, y, names = positions
    result = np.zeros(len(x), dtype=bool)
    asked = (certainty >= LEAST_CERTAINTY) & np.isin(names, [*READINGS, "EPSG:4490"])
    for reading in READINGS:
        for is_swapped in (False, True):
            rows = np.flatnonzero(asked & ~result & ((names != reading) | is_swapped))
            if not len(rows):
                continue
            first, second = (y[rows], x[rows]) if is_swapped else (x[rows], y[rows])
            try:
                east, north = city_xy(first, second, source=reading, city=city)
            except CrsError:
                continue
            apart_m = np.hypot(east - addresses[0][rows], north - addresses[1][rows])
            result[rows] = apart_m <= addresses[2][rows]
    return result
