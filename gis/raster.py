"""Raster files in and out: the only module that opens them."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.rpc import RPC

from gis.errors import CrsError, DeliveryError
from gis.rpc import POLYNOMIALS, SCALARS, RpcModel

logger = logging.getLogger(__name__)

BLOCK = 512
"""Side of a tile of written rasters, pixels."""


def write_raster(
    path: Path,
    array: NDArray[Any],
    *,
    crs: str | None,
    transform: Affine | Sequence[float] | None,
    rpcs: RpcModel | None = None,
    nodata: float | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Write a tiled, deflated GeoTIFF under a temporary name and rename it.

    Parameters
    ----------
    path : Path
        File to write; an existing one is replaced.
    array : numpy.ndarray
        (rows, columns) or (bands, rows, columns).
    crs : str or None
        ``EPSG:n`` or WKT; None for a raw image.
    transform : Affine or 6 numbers or None
        Pixel to ground, (a, b, c, d, e, f) as in affine, of pixel *corners*; None for a raw image.
    rpcs : RpcModel or None
        Camera model of a raw image, stored in the file's RPC tags.
    nodata : float or None
        Value that means no data.
    tags : mapping or None
        Texts to store with the file.

    Raises
    ------
    DeliveryError
        The array has no pixels or a type that GeoTIFF does not hold.
    """
    bands = array[np.newaxis] if array.ndim == 2 else array
    if bands.ndim != 3 or bands.size == 0:
        msg = f"An image of shape {array.shape} can not be written: give rows x columns, or bands first."
        raise DeliveryError(msg, zh=f"形状为 {array.shape} 的影像无法写出。")
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "count": bands.shape[0],
        "height": bands.shape[1],
        "width": bands.shape[2],
        "dtype": bands.dtype.name,
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "compress": "deflate",
        "predictor": 3 if bands.dtype.kind == "f" else 2,
        "nodata": nodata,
    }
    if crs is not None:
        profile["crs"] = read_crs(crs)
    if transform is not None:
        profile["transform"] = transform if isinstance(transform, Affine) else Affine(*transform)
    if rpcs is not None:
        profile["rpcs"] = _rasterio_rpc(rpcs)
    partial = path.with_name(f".{path.name}.partial")
    with _quiet(), rasterio.open(partial, "w", **profile) as target:
        target.write(bands)
        target.update_tags(**dict(tags or {}))
    partial.replace(path)


def read_crs(text: str) -> CRS:
    """Parse ``EPSG:n`` or WKT.

    Raises
    ------
    CrsError
        The text names no coordinate reference system.
    """
    try:
        return CRS.from_user_input(text)
    except rasterio.errors.CRSError as error:
        msg = f"{text[:80]!r} is no known CRS; give EPSG:n or WKT."
        raise CrsError(msg, zh=f"无法识别坐标系 {text[:80]!r}，请给出 EPSG:n 或 WKT。") from error


def _rasterio_rpc(model: RpcModel) -> RPC:
    values = {name: getattr(model, name) for name in SCALARS}
    lists = {name: list(getattr(model, name)) for name in POLYNOMIALS}
    return RPC(**values, **lists)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the warning that a raw image has no georeference: it is what makes it raw."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        yield
