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

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Degrees = NDArray[np.float64]
"""Longitudes or latitudes."""
_Formula = Callable[[Degrees, Degrees], tuple[Degrees, Degrees]]

BOUNDS = (72.004, 0.8293, 137.8347, 55.8271)
"""West, south, east, north of the rectangle in which the offset is applied, degrees."""

_SEMI_MAJOR_M = 6378245.0  # Krassovsky 1940
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_BAIDU_PI = np.pi * 3000.0 / 180.0
_TOLERANCE = 1e-11  # degrees, about a micrometre
_MAX_STEPS = 50


def gcj02_from_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """Shift WGS 84 (or CGCS2000) to GCJ-02.

    Degrees in and out. Outside `BOUNDS` the identity; NaN stays NaN.

    Examples
    --------
    >>> lon, lat = gcj02_from_wgs84(116.404, 39.915)
    >>> round(float(lon), 6), round(float(lat), 6)
    (116.410244, 39.916404)
    """
    return _inside(_gcj02, lon, lat)


def wgs84_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """Remove the GCJ-02 offset; the exact inverse of `gcj02_from_wgs84`.

    Degrees in and out. Outside `BOUNDS` the identity; NaN stays NaN.

    Examples
    --------
    >>> lon, lat = wgs84_from_gcj02(*gcj02_from_wgs84(114.5149, 38.0428))
    >>> round(float(lon), 9), round(float(lat), 9)
    (114.5149, 38.0428)
    """
    return _inside(_inverse(_gcj02), lon, lat)


def bd09_from_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """Shift GCJ-02 to BD-09.

    Degrees in and out. Outside `BOUNDS` the identity; NaN stays NaN.

    Examples
    --------
    >>> lon, lat = bd09_from_gcj02(116.404, 39.915)
    >>> round(float(lon), 6), round(float(lat), 6)
    (116.410369, 39.921337)
    """
    return _inside(_bd09, lon, lat)


def gcj02_from_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """Remove the BD-09 offset; the exact inverse of `bd09_from_gcj02`.

    Degrees in and out. Outside `BOUNDS` the identity; NaN stays NaN.

    Examples
    --------
    >>> lon, lat = gcj02_from_bd09(*bd09_from_gcj02(114.5149, 38.0428))
    >>> round(float(lon), 9), round(float(lat), 9)
    (114.5149, 38.0428)
    """
    return _inside(_inverse(_bd09), lon, lat)


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


def _inside(formula: _Formula, lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    x, y = x.copy(), y.copy()
    applies = is_offset_area(x, y)
    x[applies], y[applies] = formula(x[applies], y[applies])
    return x, y


def _inverse(formula: _Formula) -> _Formula:
    """Return the inverse of a formula that is near the identity, by fixed-point iteration."""

    def solve(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
        x, y = lon.copy(), lat.copy()
        for _ in range(_MAX_STEPS):
            shifted_x, shifted_y = formula(x, y)
            step_x, step_y = lon - shifted_x, lat - shifted_y
            x += step_x
            y += step_y
            if np.abs(step_x).max(initial=0.0) < _TOLERANCE > np.abs(step_y).max(initial=0.0):
                break
        return x, y

    return solve


def _gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    east, north = _offset_m(lon - 105.0, lat - 35.0)
    latitude = np.radians(lat)
    curvature = 1.0 - _ECCENTRICITY_SQUARED * np.sin(latitude) ** 2
    meridian_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_SQUARED) / curvature**1.5
    parallel_m = _SEMI_MAJOR_M / np.sqrt(curvature) * np.cos(latitude)
    return lon + np.degrees(east / parallel_m), lat + np.degrees(north / meridian_m)


def _offset_m(x: Degrees, y: Degrees) -> tuple[Degrees, Degrees]:
    """Return the offset to the east and to the north, m, at degrees from 105 °E, 35 °N."""
    root = np.sqrt(np.abs(x))
    ripple = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += ripple * 2.0 / 3.0
    east += (20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)) * 2.0 / 3.0
    east += (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += ripple * 2.0 / 3.0
    north += (20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)) * 2.0 / 3.0
    north += (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)) * 2.0 / 3.0
    return east, north


def _bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU_PI)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU_PI)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006
