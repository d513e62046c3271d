"""The offsets of Chinese map vendors: GCJ-02 火星坐标 and BD-09 百度坐标 to and from WGS 84.

The offsets are functions of place, not a datum. The forward formulas are the ones every public
implementation agrees on, digit for digit: `gcj02_from_wgs84` is the reimplementation of the State
Bureau's plug-in that was published as EvilTransform (github.com/googollee/eviltransform),
`bd09_from_gcj02` is Baidu's documented second offset with its angle constant π·3000/180. No
inverse is published; here it is found by fixed-point iteration, whose error against the forward
formula is below 1e-10 degrees (10 µm), where the usual one-step inverse is off by up to 2 m.

What the formula gives and what a vendor's own server gives differ by up to a metre or so, because
the servers add noise in places; accuracy 1 m is what to state for a converted position.

Outside the rectangle that the formula itself tests (72.004-137.8347 °E, 0.8293-55.8271 °N) all
conversions are the identity. Within one offset (about 0.01 degrees) of that rectangle's edge the
forward formula jumps, and no inverse exists; no Chinese city lies there.
"""

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

Degrees = NDArray[np.float64]
"""Longitudes or latitudes."""

BOUNDS = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of the rectangle in which the offset is applied, degrees."""

_SEMI_MAJOR_M = 6378245.0  # Krassovsky 1940
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BAIDU_PI = math.pi * 3000.0 / 180.0
_TOLERANCE = 1e-11  # degrees, about a micrometre
_MAX_STEPS = 50
_TO_GCJ02, _FROM_GCJ02, _TO_BD09, _FROM_BD09 = 0, 1, 2, 3

_compile = numba.njit("void(f8[::1], f8[::1], i8)", nogil=True, cache=True, error_model="numpy")
_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")


def gcj02_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """Shift WGS 84 (or CGCS2000) to GCJ-02.

    Degrees in and out. Outside `BOUNDS` the identity; NaN stays NaN.

    Examples
    --------
    >>> lon, lat = gcj02_from_wgs84(116.404, 39.915)
    >>> round(float(lon), 6), round(float(lat), 6)
    (116.410244, 39.916404)
    """
    return _each(_TO_GCJ02, lon, lat)


def wgs84_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """Remove the GCJ-02 offset; the exact inverse of `gcj02_from_wgs84`.

    Degrees in and out. Outside `BOUNDS` the identity; NaN stays NaN.

    Examples
    --------
    >>> lon, lat = wgs84_from_gcj02(*gcj02_from_wgs84(114.5149, 38.0428))
    >>> round(float(lon), 9), round(float(lat), 9)
    (114.5149, 38.0428)
    """
    return _each(_FROM_GCJ02, lon, lat)


def bd09_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """Shift GCJ-02 to BD-09.

    Degrees in and out. Outside `BOUNDS` the identity; NaN stays NaN.

    Examples
    --------
    >>> lon, lat = bd09_from_gcj02(116.404, 39.915)
    >>> round(float(lon), 6), round(float(lat), 6)
    (116.410369, 39.921337)
    """
    return _each(_TO_BD09, lon, lat)


def gcj02_from_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """Remove the BD-09 offset; the exact inverse of `bd09_from_gcj02`.

    Degrees in and out. Outside `BOUNDS` the identity; NaN stays NaN.

    Examples
    --------
    >>> lon, lat = gcj02_from_bd09(*bd09_from_gcj02(114.5149, 38.0428))
    >>> round(float(lon), 9), round(float(lat), 9)
    (114.5149, 38.0428)
    """
    return _each(_FROM_BD09, lon, lat)


def is_offset_area(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Return where the offset formulas apply: inside `BOUNDS`, edges included; NaN is outside.

    Examples
    --------
    >>> is_offset_area([116.4, 0.0], [39.9, 51.5]).tolist()
    [True, False]
    """
    west, south, east, north = BOUNDS
    x = np.asarray(lon, dtype=np.float64)
    y = np.asarray(lat, dtype=np.float64)
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def _each(formula: int, lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    x, y = x.copy(), y.copy()
    _shift(x.reshape(-1), y.reshape(-1), formula)
    return x, y


@_inline
def _gcj02(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 105.0, lat - 35.0
    root = math.sqrt(abs(x))
    ripple = 20.0 * math.sin(6.0 * math.pi * x) + 20.0 * math.sin(2.0 * math.pi * x)
    # The offset to the east and to the north, m.
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += ripple * 2.0 / 3.0
    east += (20.0 * math.sin(math.pi * x) + 40.0 * math.sin(math.pi * x / 3.0)) * 2.0 / 3.0
    east += (
        (150.0 * math.sin(math.pi * x / 12.0) + 300.0 * math.sin(math.pi * x / 30.0)) * 2.0 / 3.0
    )
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += ripple * 2.0 / 3.0
    north += (20.0 * math.sin(math.pi * y) + 40.0 * math.sin(math.pi * y / 3.0)) * 2.0 / 3.0
    north += (
        (160.0 * math.sin(math.pi * y / 12.0) + 320.0 * math.sin(math.pi * y / 30.0)) * 2.0 / 3.0
    )
    latitude = math.radians(lat)
    curvature = 1.0 - _ECCENTRICITY_SQUARED * math.sin(latitude) ** 2
    meridian_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_SQUARED) / curvature**1.5
    parallel_m = _SEMI_MAJOR_M / math.sqrt(curvature) * math.cos(latitude)
    return lon + math.degrees(east / parallel_m), lat + math.degrees(north / meridian_m)


@_inline
def _bd09(lon: float, lat: float) -> tuple[float, float]:
    radius = math.hypot(lon, lat) + 0.00002 * math.sin(lat * _BAIDU_PI)
    angle = math.atan2(lat, lon) + 0.000003 * math.cos(lon * _BAIDU_PI)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


@_compile
def _shift(x: Any, y: Any, formula: int) -> None:
    """Apply a formula, or its inverse by fixed-point iteration, to each point where it stands."""
    west, south, east, north = BOUNDS
    for point in range(len(x)):
        lon, lat = x[point], y[point]
        if not (west <= lon <= east and south <= lat <= north):
            continue
        if formula == _TO_GCJ02:
            x[point], y[point] = _gcj02(lon, lat)
            continue
        if formula == _TO_BD09:
            x[point], y[point] = _bd09(lon, lat)
            continue
        east_deg, north_deg = lon, lat
        for _ in range(_MAX_STEPS):
            if formula == _FROM_GCJ02:
                shifted_x, shifted_y = _gcj02(east_deg, north_deg)
            else:
                shifted_x, shifted_y = _bd09(east_deg, north_deg)
            step_x, step_y = lon - shifted_x, lat - shifted_y
            east_deg += step_x
            north_deg += step_y
            if abs(step_x) < _TOLERANCE and abs(step_y) < _TOLERANCE:
                break
        x[point], y[point] = east_deg, north_deg
