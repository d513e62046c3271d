"""Raster files in and out: the only module that opens them.

A window is ``(row, col, rows, columns)`` in pixels. Masks are arrays of uint8, 255 where the pixel
holds data, as GDAL has it.
"""

import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import rasterio
import rasterio.shutil
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.features import shapes as mask_shapes
from rasterio.rpc import RPC
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window as RasterWindow
from rio_cogeo.cogeo import cog_validate

from gis.errors import CrsError, FileFormatError
from gis.rpc import POLYNOMIALS, SCALARS, RpcModel, from_tags

Window = tuple[int, int, int, int]
Pixels = NDArray[Any]

BLOCK = 512
"""Side of a tile of written rasters, pixels."""
_FOOTPRINT_SIDE = 1024
_COG_OPTIONS = {
    "driver": "COG",
    "COMPRESS": "DEFLATE",
    "PREDICTOR": "YES",
    "BLOCKSIZE": str(BLOCK),
    "BIGTIFF": "IF_SAFER",
    "OVERVIEW_RESAMPLING": "AVERAGE",
    "NUM_THREADS": "ALL_CPUS",
}


@dataclass(frozen=True, kw_only=True)
class RasterInfo:
    """What the header of a raster says."""

    path: Path
    width: int
    height: int
    bands: int
    dtype: str
    crs: str | None
    """WKT; None: a raw image."""
    transform: Affine | None
    """Pixel corners to ground; None: a raw image."""
    nodata: float | None
    has_mask: bool
    """The file has a mask band or an alpha band."""
    rpc: RpcModel | None
    """Camera model in the file's tags or in a sidecar that GDAL finds."""


class RasterReader:
    """An opened raster that several threads may read at once, each through its own handle.

    Raises
    ------
    FileFormatError
        The file is missing, empty, truncated or no raster.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._lock = threading.Lock()
        self._handles: list[Any] = []
        self.info = _info(path, self._handle())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            handle.close()

    def read(self, window: Window | None = None) -> Pixels:
        """Read all bands of a window inside the raster: (bands, rows, columns)."""
        with _told(self.path):
            pixels: Pixels = self._handle().read(window=_rasterio_window(window))
            return pixels

    def read_mask(self, window: Window | None = None) -> NDArray[np.uint8]:
        """Read the mask of a window: 255 where a pixel holds data in any band."""
        with _told(self.path):
            mask: NDArray[np.uint8] = self._handle().dataset_mask(window=_rasterio_window(window))
            return mask

    def footprint(self) -> shapely.MultiPolygon:
        """Return the extent of the pixels that hold data, in the raster's CRS.

        The mask is looked at in at most 1024 x 1024 cells, so the outline is that coarse.
        """
        info, handle = self.info, self._handle()
        factor = max(1.0, max(info.width, info.height) / _FOOTPRINT_SIDE)
        shape = (max(1, round(info.height / factor)), max(1, round(info.width / factor)))
        with _told(self.path):
            mask = handle.dataset_mask(out_shape=shape)
        wide, tall, own = info.width / shape[1], info.height / shape[0], handle.transform
        transform = Affine(own.a * wide, own.b * tall, own.c, own.d * wide, own.e * tall, own.f)
        found = [
            shapely.geometry.shape(outline)
            for outline, value in mask_shapes(mask, mask=mask > 0, transform=transform)
            if value
        ]
        outline = shapely.simplify(shapely.union_all(found), abs(transform.a))
        parts = shapely.get_parts(shapely.make_valid(outline))
        return shapely.MultiPolygon([part for part in parts if part.geom_type == "Polygon"])

    def _handle(self) -> Any:
        if not hasattr(self._local, "handle"):
            with _told(self.path), _quiet():
                self._local.handle = rasterio.open(self.path)
            with self._lock:
                self._handles.append(self._local.handle)
        return self._local.handle


def _info(path: Path, handle: Any) -> RasterInfo:
    flags = [flag.name for band in handle.mask_flag_enums for flag in band]
    tags = handle.tags(ns="RPC")
    is_raw = handle.crs is None and handle.transform.is_identity
    return RasterInfo(
        path=path,
        width=handle.width,
        height=handle.height,
        bands=handle.count,
        dtype=str(handle.dtypes[0]),
        crs=handle.crs.to_wkt() if handle.crs else None,
        transform=None if is_raw else handle.transform,
        nodata=handle.nodata,
        has_mask=bool({"per_dataset", "alpha"} & set(flags)),
        rpc=from_tags(tags, source=path.name) if tags else None,
    )


def _rasterio_window(window: Window | None) -> RasterWindow | None:
    if window is None:
        return None
    row, col, rows, columns = window
    return RasterWindow(col, row, columns, rows)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell a file that can not be read in one sentence."""
    try:
        yield
    except (rasterio.errors.RasterioError, CPLE_BaseError, OSError) as error:
        if not path.is_file():
            msg = f"{path.name} is not there; check its path in the manifest."
            raise FileFormatError(
                msg, zh=f"找不到文件 {path.name}，请检查清单中的路径。"
            ) from error
        size = path.stat().st_size
        msg = f"{path.name} ({size} bytes) is empty, cut short or no raster: copy it again from its source."
        raise FileFormatError(
            msg, zh=f"{path.name}（{size} 字节）为空、不完整或不是栅格文件，请重新拷贝。"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the warning that a raw image has no georeference: that is what makes it raw."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        yield


@contextmanager
def open_writer(
    path: Path,
    *,
    size: tuple[int, int],
    bands: int,
    dtype: str,
    **profile: Any,
) -> Iterator[Any]:
    """Open a tiled GeoTIFF for writing window by window: ``write(array, window)`` and ``write_mask``.

    Parameters
    ----------
    path : Path
        File; an existing one is replaced.
    size : (int, int)
        Rows and columns.
    bands : int
        Number of bands.
    dtype : str
        Sample type, as ``uint8``.
    **profile
        ``crs`` (text), ``transform``, ``rpcs``, ``nodata``, ``compress`` …
    """
    if profile.get("crs") is not None:
        profile["crs"] = read_crs(profile["crs"])
    settings = {"driver": "GTiff", "tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
    settings |= {"height": size[0], "width": size[1], "count": bands, "dtype": dtype}
    with (
        _quiet(),
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "w", BIGTIFF="IF_SAFER", **settings, **profile) as target,
    ):
        yield _Writer(target)


class _Writer:
    def __init__(self, target: Any) -> None:
        self._target = target

    def write(self, array: Pixels, window: Window) -> None:
        self._target.write(array, window=_rasterio_window(window))

    def write_mask(self, mask: NDArray[np.uint8], window: Window) -> None:
        self._target.write_mask(mask, window=_rasterio_window(window))

    def tag(self, tags: Mapping[str, str]) -> None:
        self._target.update_tags(**dict(tags))


def write_raster(
    path: Path,
    array: Pixels,
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
    FileFormatError
        The array has no pixels.
    """
    bands = array[np.newaxis] if array.ndim == 2 else array
    if bands.ndim != 3 or bands.size == 0:
        msg = f"An image of shape {array.shape} can not be written: give rows x columns, or bands first."
        raise FileFormatError(msg, zh=f"形状为 {array.shape} 的影像无法写出。")
    profile: dict[str, Any] = {
        "compress": "deflate",
        "predictor": 3 if bands.dtype.kind == "f" else 2,
        "nodata": nodata,
    }
    if crs is not None:
        profile["crs"] = crs
    if transform is not None:
        profile["transform"] = transform if isinstance(transform, Affine) else Affine(*transform)
    if rpcs is not None:
        profile["rpcs"] = _rasterio_rpc(rpcs)
    partial = path.with_name(f".{path.name}.partial")
    with open_writer(
        partial,
        size=(bands.shape[1], bands.shape[2]),
        bands=bands.shape[0],
        dtype=bands.dtype.name,
        **profile,
    ) as target:
        target.write(bands, (0, 0, bands.shape[1], bands.shape[2]))
        target.tag(tags or {})
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


def write_cog(source: Path, target: Path) -> None:
    """Copy a GeoTIFF to a Cloud Optimised GeoTIFF with overviews, under a temporary name, and check it.

    Raises
    ------
    FileFormatError
        The source can not be read to its end.
    """
    with _partial(target) as partial, _told(source):
        rasterio.shutil.copy(str(source), str(partial), **_COG_OPTIONS)


def warp_to_cog(source: Path, target: Path, *, crs: str, resolution_m: float | None) -> None:
    """Bring a georeferenced image to another CRS (bilinear) as a Cloud Optimised GeoTIFF.

    Parameters
    ----------
    source, target : Path
        Files; the target is written under a temporary name.
    crs : str
        CRS of the target.
    resolution_m : float or None
        Ground sample distance; None: that of the source, as GDAL suggests.

    Raises
    ------
    FileFormatError
        The source can not be read to its end.
    """
    wanted = read_crs(crs)
    with _partial(target) as partial, _told(source), rasterio.open(source) as image:
        options: dict[str, Any] = {"crs": wanted, "resampling": Resampling.bilinear}
        if image.nodata is None and not {"alpha"} & {
            flag.name for band in image.mask_flag_enums for flag in band
        }:
            options["add_alpha"] = True  # the corners of a turned image are no black ground
        if resolution_m is not None:
            left, bottom, right, top = rasterio.warp.transform_bounds(
                image.crs, wanted, *image.bounds, densify_pts=21
            )
            west, north = (np.floor(left / resolution_m), np.ceil(top / resolution_m))
            options["transform"] = Affine(
                resolution_m, 0, west * resolution_m, 0, -resolution_m, north * resolution_m
            )
            options["width"] = int(np.ceil(right / resolution_m) - west)
            options["height"] = int(north - np.floor(bottom / resolution_m))
        with WarpedVRT(image, **options) as warped:
            rasterio.shutil.copy(warped, str(partial), **_COG_OPTIONS)


@contextmanager
def _partial(target: Path) -> Iterator[Path]:
    """Give a temporary name for a COG; check it and rename it, or leave nothing behind."""
    partial = target.with_name(f".{target.name}.partial")
    try:
        yield partial
        is_valid, errors, _ = cog_validate(partial, quiet=True)
        if not is_valid:
            msg = f"{target.name} did not become a Cloud Optimised GeoTIFF: {'; '.join(errors)}."
            raise FileFormatError(
                msg, zh=f"{target.name} 未能生成云优化 GeoTIFF：{'；'.join(errors)}。"
            )
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
