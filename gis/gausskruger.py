"""Degrees of one point in Gauss-Kruger coordinates, as PROJ gives them, without letting go of the interpreter.

Every call into PROJ lets other threads run. A server that tells degrees in each answer hands the
interpreter to and fro each time, which costs more than the degrees. So they are worked out here, in
compiled code that holds on; PROJ is asked for everything else, and to check this way before it is used.
The way from degrees stays PROJ's alone: what it gives is looked up in cells, where the last bit counts.

The series in the third flattening, to the sixth order, is that of C. F. F. Karney, Transverse Mercator
with an accuracy of a few nanometers, Journal of Geodesy 85 (2011), 475-485, equation 36.
"""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer

WIDEST_DEG = 4.0
"""Points farther from the central meridian are left to PROJ."""
HIGHEST_DEG = 60.0
"""Points nearer to the poles are left to PROJ."""
_SAME_DEG = 5e-13
_REACH_M, _NORTH_M = 350_000.0, 6_600_000.0
_METHOD = "Transverse Mercator"
_PARAMETERS = {
    "Latitude of natural origin": "degree",
    "Longitude of natural origin": "degree",
    "Scale factor at natural origin": "unity",
    "False easting": "metre",
    "False northing": "metre",
}
_TURNS = 4

Floats = NDArray[np.float64]
# The interpreter is kept on purpose: see above.
_compile = numba.njit(cache=True, error_model="numpy")


class GaussKruger:
    """The way from one transverse Mercator to degrees, for single points.

    Parameters
    ----------
    transformer : pyproj.Transformer
        The same way by PROJ, for points that lie too far off.
    numbers : numpy.ndarray
        What `_numbers` gives.
    """

    def __init__(self, transformer: Transformer, numbers: Floats) -> None:
        self._transformer, self._numbers = transformer, numbers

    def transform(self, x: float, y: float) -> tuple[float, float]:
        """Return longitude and latitude, degrees, of a point east and north, m."""
        found: tuple[float, float] = _to_degrees(float(x), float(y), self._numbers)
        if found[0] == found[0]:
            return found
        told: tuple[float, float] = self._transformer.transform(x, y)
        return told

    def is_that_of_proj(self) -> bool:
        """Tell whether PROJ gives the same all over where this is used: datum, axes and units too."""
        x, y = np.meshgrid(
            self._numbers[3] + np.linspace(-_REACH_M, _REACH_M, 7),
            self._numbers[4] + np.linspace(0.0, _NORTH_M, 12),
        )
        ours = np.array([self.transform(*place) for place in zip(x.flat, y.flat, strict=True)])
        proj = np.column_stack(self._transformer.transform(x.ravel(), y.ravel()))
        return bool((np.abs(ours - proj) <= _SAME_DEG).all())


def gauss_kruger(source: CRS, target: CRS, transformer: Transformer) -> GaussKruger | None:
    """Return the quick way between two CRS; None: there is none, or PROJ goes another one.

    Parameters
    ----------
    source, target : pyproj.CRS
        Where points are, and where to they are wanted, x first.
    transformer : pyproj.Transformer
        What PROJ makes of them.

    Examples
    --------
    >>> metres, degrees = CRS.from_epsg(4547), CRS.from_epsg(4490)
    >>> by_proj = Transformer.from_crs(metres, degrees, always_xy=True)
    >>> x, y = gauss_kruger(metres, degrees, by_proj).transform(543_911.3, 4_207_702.6)
    >>> lon, lat = by_proj.transform(543_911.3, 4_207_702.6)
    >>> abs(x - lon) < 5e-13, abs(y - lat) < 5e-13
    (True, True)
    >>> gauss_kruger(CRS.from_epsg(3857), degrees, by_proj) is None
    True
    """
    numbers = _numbers(source) if source.is_projected and target.is_geographic else None
    way = None if numbers is None else GaussKruger(transformer, numbers)
    return way if way is not None and way.is_that_of_proj() else None


def _numbers(crs: CRS) -> Floats | None:
    """Return what a transverse Mercator is reckoned with; None: it is another projection.

    Eccentricity, rectifying radius times scale, central meridian in degrees, false easting and northing
    in metres, and the six coefficients of the series.
    """
    operation, ellipsoid = crs.coordinate_operation, crs.ellipsoid
    if crs.is_bound or operation is None or ellipsoid is None or operation.method_name != _METHOD:
        return None
    units = {parameter.name: parameter.unit_name for parameter in operation.params}
    if units != _PARAMETERS or {axis.unit_name for axis in crs.axis_info} != {"metre"}:
        return None
    given = {parameter.name: float(parameter.value) for parameter in operation.params}
    latitude, longitude, scale, easting, northing = (given[name] for name in _PARAMETERS)
    if latitude != 0.0 or not ellipsoid.inverse_flattening:
        return None
    f = 1.0 / ellipsoid.inverse_flattening
    n = f / (2.0 - f)
    radius = ellipsoid.semi_major_metre / (1 + n) * (1 + n**2 / 4 + n**4 / 64 + n**6 / 256)
    return np.array(
        [
            *(np.sqrt(f * (2.0 - f)), scale * radius, longitude, easting, northing),
            n / 2 - 2 * n**2 / 3 + 37 * n**3 / 96 - n**4 / 360 - 81 * n**5 / 512 + 96199 * n**6 / 604800,
            n**2 / 48 + n**3 / 15 - 437 * n**4 / 1440 + 46 * n**5 / 105 - 1118711 * n**6 / 3870720,
            17 * n**3 / 480 - 37 * n**4 / 840 - 209 * n**5 / 4480 + 5569 * n**6 / 90720,
            4397 * n**4 / 161280 - 11 * n**5 / 504 - 830251 * n**6 / 7257600,
            4583 * n**5 / 161280 - 108847 * n**6 / 3991680,
            20648693 * n**6 / 638668800,
        ]
    )  # fmt: skip


@_compile
def _to_degrees(x: float, y: float, numbers: Any) -> tuple[float, float]:
    """Return longitude and latitude, degrees; nan: too far off."""
    e, radius = numbers[0], numbers[1]
    xi, eta = (y - numbers[4]) / radius, (x - numbers[3]) / radius
    north, east = xi, eta
    for term in range(5, len(numbers)):
        twice = 2.0 * (term - 4)
        north -= numbers[term] * np.sin(twice * xi) * np.cosh(twice * eta)
        east -= numbers[term] * np.cos(twice * xi) * np.sinh(twice * eta)
    turned = np.degrees(np.arctan2(np.sinh(east), np.cos(north)))
    wanted = np.sin(north) / np.hypot(np.sinh(east), np.cos(north))
    tau, rest = wanted, 1.0 - e * e
    for _ in range(_TURNS):  # Newton's way back from the conformal latitude: equations 19 to 21
        there = _conformal(tau, e)
        step = (wanted - there) / np.sqrt(1.0 + there * there)
        tau += step * (1.0 + rest * tau * tau) / (rest * np.sqrt(1.0 + tau * tau))
    latitude = np.degrees(np.arctan(tau))
    if not (abs(turned) <= WIDEST_DEG and abs(latitude) <= HIGHEST_DEG):
        return np.nan, np.nan
    return numbers[2] + turned, latitude


@_compile
def _conformal(tau: float, e: float) -> float:
    """Return the tangent of the conformal latitude for that of the geographic one: equations 7 to 9."""
    secant = np.sqrt(1.0 + tau * tau)
    sigma = np.sinh(e * np.arctanh(e * tau / secant))
    found: float = tau * np.sqrt(1.0 + sigma * sigma) - sigma * secant
    return found
