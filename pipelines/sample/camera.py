"""A simulated pushbroom camera: its exact geometry, and the rational polynomials fitted to it.

The camera looks down at an angle, so that a hill of 30 m moves its pixels by about 12 m: an image
rectified without the terrain misses its check points, with it it does not.
"""

from dataclasses import dataclass

import numpy as np

from gis.crs import transform_xy
from gis.rpc import RpcModel
from pipelines.sample.plan import CRS, Array

GEOGRAPHIC = "EPSG:4490"
_HEIGHT_M = 500_000.0
_HEADING, _PITCH, _ROLL = np.radians(191.0), np.radians(7.0), np.radians(21.0)
_BIAS = (3.6, -2.8)
"""Error of the delivered model in columns and rows, pixels: what control points are for."""
_DRIFT = (1.5e-4, -1.1e-4)
_RIDGE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera over a square of the ground; columns and rows count from pixel centres."""

    x: float
    """East of the centre, m."""
    y: float
    height_m: float
    """Ellipsoidal height of the centre, m."""
    gsd_m: float
    size: int
    """Columns and rows of the image."""

    def project(self, x: Array, y: Array, height_m: Array) -> tuple[Array, Array]:
        """Return columns and rows of ground points, exactly."""
        along, across = self._tracks(x, y)
        up = height_m - self.height_m
        middle = (self.size - 1) / 2
        row = middle + (along + up * np.tan(_PITCH)) / self.gsd_m
        start = -_HEIGHT_M * np.tan(_ROLL)
        angle = np.arctan((across - start) * np.cos(_PITCH) / (_HEIGHT_M - up))
        col = middle + (angle - self._straight()) / self._step()
        return col, row

    def ground(self, col: Array, row: Array, height_m: Array) -> tuple[Array, Array]:
        """Return the ground points that pixels show if the terrain has these heights."""
        up = height_m - self.height_m
        middle = (self.size - 1) / 2
        along = (row - middle) * self.gsd_m - up * np.tan(_PITCH)
        angle = self._straight() + (col - middle) * self._step()
        across = np.tan(angle) * (_HEIGHT_M - up) / np.cos(_PITCH) - _HEIGHT_M * np.tan(_ROLL)
        x = self.x + along * np.sin(_HEADING) - across * np.cos(_HEADING)
        y = self.y + along * np.cos(_HEADING) + across * np.sin(_HEADING)
        return x, y

    def _tracks(self, x: Array, y: Array) -> tuple[Array, Array]:
        east, north = x - self.x, y - self.y
        along = east * np.sin(_HEADING) + north * np.cos(_HEADING)
        across = -east * np.cos(_HEADING) + north * np.sin(_HEADING)
        return along, across

    def _straight(self) -> float:
        return float(np.arctan(np.tan(_ROLL) * np.cos(_PITCH)))

    def _step(self) -> float:
        """Return the angle of one pixel."""
        return float(self.gsd_m * np.cos(_PITCH) / _HEIGHT_M * np.cos(self._straight()) ** 2)


def fit_rpc(camera: Camera, *, heights_m: tuple[float, float]) -> RpcModel:
    """Fit RPC00B to the camera over its image and a range of heights, with the vendor's error.

    The model is about four pixels off, as models of satellites are before control points.
    """
    ticks = np.linspace(-40.0, camera.size + 40.0, 13)
    levels = np.linspace(*heights_m, 6)
    col, row, height = (part.ravel() for part in np.meshgrid(ticks, ticks, levels, indexing="ij"))
    x, y = camera.ground(col, row, height)
    lon, lat = transform_xy(x, y, source=CRS, target=GEOGRAPHIC)
    middle = (camera.size - 1) / 2
    wrong_col = col + _BIAS[0] + _DRIFT[0] * (row - middle)
    wrong_row = row + _BIAS[1] + _DRIFT[1] * (col - middle)
    offsets = [float((v.max() + v.min()) / 2) for v in (wrong_row, wrong_col, lat, lon, height)]
    scales = [float((v.max() - v.min()) / 2) for v in (wrong_row, wrong_col, lat, lon, height)]
    r, c, p, q, h = (
        (v - offset) / scale
        for v, offset, scale in zip(
            (wrong_row, wrong_col, lat, lon, height), offsets, scales, strict=True
        )
    )
    terms = _terms(q, p, h)
    line_num, line_den = _ratio(terms, r)
    samp_num, samp_den = _ratio(terms, c)
    return RpcModel(
        line_off=offsets[0], samp_off=offsets[1], lat_off=offsets[2], long_off=offsets[3],
        height_off=offsets[4], line_scale=scales[0], samp_scale=scales[1], lat_scale=scales[2],
        long_scale=scales[3], height_scale=scales[4], line_num_coeff=line_num,
        line_den_coeff=line_den, samp_num_coeff=samp_num, samp_den_coeff=samp_den,
    )  # fmt: skip


def _terms(x: Array, y: Array, z: Array) -> Array:
    """Return the 20 products of RPC00B: x longitude, y latitude, z height, all normalised."""
    columns = (
        np.ones_like(x), x, y, z, x * y, x * z, y * z, x * x, y * y, z * z, x * y * z, x**3,
        x * y * y, x * z * z, x * x * y, y**3, y * z * z, x * x * z, y * y * z, z**3,
    )  # fmt: skip
    return np.column_stack(columns)


def _ratio(terms: Array, value: Array) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Fit numerator and denominator (its first coefficient 1) by damped least squares."""
    design = np.hstack([terms, -value[:, None] * terms[:, 1:]])
    square = design.T @ design + _RIDGE * len(value) * np.eye(design.shape[1])
    found = np.linalg.solve(square, design.T @ value)
    rounded = [float(f"{number:.12e}") for number in found]
    return tuple(rounded[:20]), (1.0, *rounded[20:])
