"""Rational polynomial camera models 有理多项式模型 (RPC00B): from ground to image, and back.

Image coordinates are ``(col, row)`` in pixels with the *centre* of the top-left pixel at (0, 0), as in
the RPC00B definition; a point in a GCP file is measured the same way. Ground coordinates are longitude
and latitude in degrees (WGS 84 or CGCS2000) and the height above the *ellipsoid* in metres.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gis.errors import FileFormatError

Floats = NDArray[np.float64]
Affine2 = tuple[float, float, float, float, float, float]

IDENTITY: Affine2 = (0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
SCALARS = (
    "line_off",
    "samp_off",
    "lat_off",
    "long_off",
    "height_off",
    "line_scale",
    "samp_scale",
    "lat_scale",
    "long_scale",
    "height_scale",
)
POLYNOMIALS = ("line_num_coeff", "line_den_coeff", "samp_num_coeff", "samp_den_coeff")
_TERMS = 20
_RPB_WORDS = {"offset": "OFF", "coef": "COEFF"}


@dataclass(frozen=True, kw_only=True)
class RpcModel:
    """One image's rational polynomials, and the correction found from control points."""

    line_off: float
    """Row of the centre of the model, pixels."""
    samp_off: float
    """Column of the centre of the model, pixels."""
    lat_off: float
    """Degrees."""
    long_off: float
    """Degrees."""
    height_off: float
    """Metres above the ellipsoid."""
    line_scale: float
    samp_scale: float
    lat_scale: float
    long_scale: float
    height_scale: float
    line_num_coeff: tuple[float, ...]
    """20 coefficients in the order of RPC00B: 1, L, P, H, LP, LH, PH, L², P², H², LPH, L³ …"""
    line_den_coeff: tuple[float, ...]
    samp_num_coeff: tuple[float, ...]
    samp_den_coeff: tuple[float, ...]
    correction: Affine2 = IDENTITY
    """(a0, a1, a2, b0, b1, b2): col' = a0 + a1 col + a2 row, row' = b0 + b1 col + b2 row."""

    def __post_init__(self) -> None:
        for name in POLYNOMIALS:
            if len(getattr(self, name)) != _TERMS:
                msg = f"{name} has {len(getattr(self, name))} coefficients; RPC00B has {_TERMS}."
                raise FileFormatError(msg, zh=f"RPC 系数 {name} 应有 {_TERMS} 个。")
        if not np.isfinite(self.constants()).all():
            msg = "The RPC holds values that are not numbers; ask for a complete RPC file."
            raise FileFormatError(msg, zh="RPC 中含有非数值的系数，请提供完整的 RPC 文件。")
        if not all(getattr(self, name) for name in SCALARS if name.endswith("_scale")):
            msg = "The RPC has a scale of zero; ask for a complete RPC file."
            raise FileFormatError(msg, zh="RPC 中有为零的比例系数，请提供完整的 RPC 文件。")

    def constants(self) -> Floats:
        """Return the 10 offsets and scales, the 4 x 20 coefficients and the correction, as one array."""
        return np.array(
            [
                *(getattr(self, name) for name in SCALARS),
                *(value for name in POLYNOMIALS for value in getattr(self, name)),
                *self.correction,
            ],
            dtype=np.float64,
        )

    def project(self, lon: ArrayLike, lat: ArrayLike, height_m: ArrayLike) -> tuple[Floats, Floats]:
        """Project ground points into the image.

        Parameters
        ----------
        lon, lat : array-like
            Degrees, WGS 84 or CGCS2000.
        height_m : array-like
            Metres above the ellipsoid.

        Returns
        -------
        col, row : numpy.ndarray
            Pixels, the centre of the top-left pixel being (0, 0); the inputs broadcast.
        """
        lon_, lat_, height = np.broadcast_arrays(
            np.asarray(lon, dtype=np.float64),
            np.asarray(lat, dtype=np.float64),
            np.asarray(height_m, dtype=np.float64),
        )
        col, row = np.empty(lon_.size), np.empty(lon_.size)
        _project(self.constants(), lon_.ravel(), lat_.ravel(), height.ravel(), col, row)
        return col.reshape(lon_.shape), row.reshape(lon_.shape)

    def ground(self, col: ArrayLike, row: ArrayLike, height_m: ArrayLike) -> tuple[Floats, Floats]:
        """Return longitude and latitude of image points at a known ellipsoidal height (Newton's method).

        Raises
        ------
        FileFormatError
            The model does not invert there: the image point is far outside what the RPC covers.
        """
        col_, row_, height = np.broadcast_arrays(
            np.asarray(col, dtype=np.float64),
            np.asarray(row, dtype=np.float64),
            np.asarray(height_m, dtype=np.float64),
        )
        lon = np.full(col_.shape, self.long_off)
        lat = np.full(col_.shape, self.lat_off)
        step_lon, step_lat = abs(self.long_scale) * 1e-5, abs(self.lat_scale) * 1e-5
        for _ in range(30):
            c0, r0 = self.project(lon, lat, height)
            c1, r1 = self.project(lon + step_lon, lat, height)
            c2, r2 = self.project(lon, lat + step_lat, height)
            j11, j21 = (c1 - c0) / step_lon, (r1 - r0) / step_lon
            j12, j22 = (c2 - c0) / step_lat, (r2 - r0) / step_lat
            determinant = j11 * j22 - j12 * j21
            dc, dr = col_ - c0, row_ - r0
            with np.errstate(divide="ignore", invalid="ignore"):
                lon = lon + (j22 * dc - j12 * dr) / determinant
                lat = lat + (j11 * dr - j21 * dc) / determinant
            if np.hypot(dc, dr).max(initial=0.0) < 1e-4:
                return lon, lat
        msg = (
            "The RPC can not be inverted at the image's corners: it does not belong to this image."
        )
        raise FileFormatError(msg, zh="RPC 在影像角点处不收敛：该 RPC 与影像不匹配。")


@numba.njit(nogil=True, cache=True)
def _cubic(c: Any, at: int, x: float, y: float, z: float) -> float:
    """Evaluate one polynomial of RPC00B; x longitude, y latitude, z height, all normalised."""
    value: float = (
        c[at]
        + x * (c[at + 1] + y * c[at + 4] + z * c[at + 5] + y * z * c[at + 10])
        + y * (c[at + 2] + z * c[at + 6])
        + z * c[at + 3]
        + x * x * (c[at + 7] + x * c[at + 11] + y * c[at + 14] + z * c[at + 17])
        + y * y * (c[at + 8] + x * c[at + 12] + y * c[at + 15] + z * c[at + 18])
        + z * z * (c[at + 9] + x * c[at + 13] + y * c[at + 16] + z * c[at + 19])
    )
    return value


@numba.njit(nogil=True, cache=True)
def _project(c: Any, lon: Any, lat: Any, height: Any, col: Any, row: Any) -> None:
    """Project flat arrays by the constants of `RpcModel.constants`, writing into `col` and `row`."""
    for i in range(lon.size):
        x = lon[i] - c[3]
        # A model across the date line keeps one longitude sign, the points may carry the other.
        if x > 180.0:
            x -= 360.0
        elif x < -180.0:
            x += 360.0
        x /= c[8]
        y = (lat[i] - c[2]) / c[7]
        z = (height[i] - c[4]) / c[9]
        r = _cubic(c, 10, x, y, z) / _cubic(c, 30, x, y, z) * c[5] + c[0]
        s = _cubic(c, 50, x, y, z) / _cubic(c, 70, x, y, z) * c[6] + c[1]
        col[i] = c[90] + c[91] * s + c[92] * r
        row[i] = c[93] + c[94] * s + c[95] * r


def parse_rpc(text: str, *, source: str) -> RpcModel:
    """Parse a vendor's RPC text.

    Read are lines of ``NAME: value [unit]`` (``*_RPC.TXT``, ``*.rpc`` of SkySat, PlanetScope, IKONOS,
    ZY-3) and groups of ``name = value;`` (``*.RPB`` of QuickBird, WorldView, GF-1 and GF-2).

    Parameters
    ----------
    text : str
        The file's content; units after the values (``pixels``, ``degrees``) are passed over.
    source : str
        Name of the file, for the message.

    Raises
    ------
    FileFormatError
        A value is missing or not a number.

    Examples
    --------
    >>> try:
    ...     parse_rpc("LINE_OFF: 12 pixels", source="a_RPC.TXT")
    ... except FileFormatError as error:
    ...     print(error.message[:40])
    a_RPC.TXT is no complete RPC: 'SAMP_OFF'
    """
    if "BEGIN_GROUP" in text:
        return from_tags(_rpb_values(text), source=source)
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, _, rest = line.replace("=", ":").partition(":")
        words = rest.replace(";", " ").split()
        if words:
            values[name.strip().upper()] = words[0]
    return from_tags(values, source=source)


def _rpb_values(text: str) -> dict[str, str]:
    """Return the entries of an RPB file under GDAL's names."""
    values: dict[str, str] = {}
    for entry in text.split(";"):
        name, is_entry, value = entry.rpartition("=")
        if not is_entry:
            continue
        # lineNumCoef -> LINE_NUM_COEFF, heightOffset -> HEIGHT_OFF; the first entry follows a group's name.
        words = re.findall(r"[A-Z]?[a-z]+", name.split()[-1])
        key = "_".join(_RPB_WORDS.get(word.lower(), word.upper()) for word in words)
        values[key] = value.strip().strip("()").replace(",", " ").strip()
    return values


def from_tags(tags: Mapping[str, str], *, source: str) -> RpcModel:
    """Build a model from RPC metadata: GDAL's tags or the lines of a vendor's text file.

    The polynomials stand as one text of 20 numbers (``LINE_NUM_COEFF``) or as 20 values
    (``LINE_NUM_COEFF_1`` …).

    Raises
    ------
    FileFormatError
        A value is missing or not a number.
    """
    try:
        scalars = {name: float(tags[name.upper()].split()[0]) for name in SCALARS}
        polynomials = {name: _coefficients(tags, name.upper()) for name in POLYNOMIALS}
    except (KeyError, ValueError, IndexError) as error:
        msg = f"{source} is no complete RPC: {error} is missing or not a number; ask for the RPC file again."
        raise FileFormatError(
            msg, zh=f"{source} 的 RPC 不完整：缺少 {error} 或其值不是数字，请重新提供 RPC 文件。"
        ) from error
    return RpcModel(**scalars, **polynomials)  # type: ignore[arg-type]


def _coefficients(tags: Mapping[str, str], name: str) -> tuple[float, ...]:
    if name in tags:
        return tuple(float(word) for word in tags[name].split())
    return tuple(float(tags[f"{name}_{k}"].split()[0]) for k in range(1, _TERMS + 1))


def to_tags(model: RpcModel) -> dict[str, str]:
    """Return the model as GDAL's RPC metadata, without its correction.

    Examples
    --------
    >>> one = (1.0,) + (0.0,) * 19
    >>> lon = (0.0, 1.0) + (0.0,) * 18
    >>> lat = (0.0, 0.0, -1.0) + (0.0,) * 17
    >>> model = RpcModel(
    ...     line_off=50, samp_off=100, lat_off=38, long_off=114, height_off=0, line_scale=50,
    ...     samp_scale=100, lat_scale=0.01, long_scale=0.02, height_scale=100,
    ...     line_num_coeff=lat, line_den_coeff=one, samp_num_coeff=lon, samp_den_coeff=one,
    ... )
    >>> [round(float(value), 6) for value in model.project(114.01, 38.005, 0.0)]
    [150.0, 25.0]
    >>> to_tags(model)["LINE_OFF"]
    '50.0'
    >>> from_tags(to_tags(model), source="example") == model
    True
    """
    tags = {name.upper(): repr(float(getattr(model, name))) for name in SCALARS}
    for name in POLYNOMIALS:
        tags[name.upper()] = " ".join(repr(float(value)) for value in getattr(model, name))
    return tags
