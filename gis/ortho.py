"""Orthorectification 正射纠正: a raw image, its camera model and a terrain model become a map.

Every output pixel is taken to the ground, its height asked of the terrain, the point projected into the
raw image and the value resampled there. Tiles are worked on by several threads; what is in memory is a
few tiles and the parts of image and terrain under them, however large the image.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from gis.crs import transform_xy
from gis.errors import DeliveryError
from gis.heights import Terrain
from gis.raster import BLOCK, Pixels, RasterReader, Window, open_writer
from gis.rpc import RpcModel
from gis.warping import STEP, warp_tile

logger = logging.getLogger(__name__)

Floats = NDArray[np.float64]

DTYPES = ("uint8", "uint16", "int16", "float32")
"""Sample types of raw images that are rectified."""
GEOGRAPHIC = "EPSG:4326"
"""What the ground coordinates of camera models are in."""
_EDGE = 33
_ITERATIONS = 30
_SETTLED_M = 0.01
_MARGIN = 3


@dataclass(frozen=True, kw_only=True)
class Frame:
    """The raster an orthophoto fills."""

    crs: str
    gsd_m: float
    west: float
    north: float
    width: int
    height: int
    covered: float
    """Share of the image whose ground the terrain model knows."""

    @property
    def transform(self) -> Affine:
        """Pixel corners to ground."""
        return Affine(self.gsd_m, 0.0, self.west, 0.0, -self.gsd_m, self.north)


def ground_points(
    model: RpcModel, terrain: Terrain, col: Floats, row: Floats, *, crs: str
) -> tuple[Floats, Floats, Floats]:
    """Return where the rays of image points meet the terrain: x, y in `crs`, and ellipsoidal height.

    The height is NaN where the terrain model has none; x and y then hold for the last height known.
    """
    height = np.full(len(col), np.nan)
    guess = np.full(len(col), _usual_height(model, terrain, col, row, crs=crs))
    for step in range(_ITERATIONS):
        lon, lat = model.ground(col, row, guess)
        x, y = transform_xy(lon, lat, source=GEOGRAPHIC, target=crs)
        height = terrain.heights(x, y)
        change = np.where(np.isnan(height), 0.0, height - guess)
        # Half a step where it swings: on a slope facing the camera full steps may not settle.
        guess = guess + (change if step < 8 else 0.5 * change)
        if np.abs(change).max(initial=0.0) < _SETTLED_M:
            break
    return x, y, height


def _usual_height(
    model: RpcModel, terrain: Terrain, col: Floats, row: Floats, *, crs: str
) -> float:
    """Return the median height of the terrain about below the points, else the model's own middle."""
    height = model.height_off
    for _ in range(2):
        lon, lat = model.ground(col, row, height)
        heights = terrain.heights(*transform_xy(lon, lat, source=GEOGRAPHIC, target=crs))
        known = heights[np.isfinite(heights)]
        height = float(np.median(known)) if known.size else height
    return height


def plan_frame(
    model: RpcModel, terrain: Terrain, *, size: tuple[int, int], crs: str, gsd_m: float | None
) -> Frame:
    """Return the raster that holds the image's ground, its edges whole multiples of the pixel size.

    Parameters
    ----------
    model : RpcModel
        Refined camera model.
    terrain : Terrain
        Terrain model, asked in `crs`.
    size : (int, int)
        Columns and rows of the raw image.
    crs : str
        Projected CRS in metres.
    gsd_m : float or None
        Pixel size; None: the image's own in its middle, to two digits.

    Raises
    ------
    DeliveryError
        The terrain model knows no height anywhere under the image.
    """
    columns, rows = size
    col, row = (
        axis.ravel()
        for axis in np.meshgrid(
            np.linspace(-0.5, columns - 0.5, _EDGE), np.linspace(-0.5, rows - 0.5, _EDGE)
        )
    )
    x, y, height = ground_points(model, terrain, col, row, crs=crs)
    known = np.isfinite(height)
    if not known.any():
        msg = f"{terrain.source} does not cover the image at all: deliver the DEM of this place."
        raise DeliveryError(msg, zh=f"{terrain.source} 完全不覆盖该影像，请提供该区域的 DEM。")
    gsd = gsd_m or own_gsd(model, float(np.median(height[known])), size=size, crs=crs)
    west, east = _snapped(x, gsd)
    south, north = _snapped(y, gsd)
    return Frame(
        crs=crs,
        gsd_m=gsd,
        west=west * gsd,
        north=north * gsd,
        width=max(1, east - west),
        height=max(1, north - south),
        covered=float(known.mean()),
    )


def _snapped(values: Floats, gsd: float) -> tuple[int, int]:
    return int(np.floor(values.min() / gsd)), int(np.ceil(values.max() / gsd))


def own_gsd(model: RpcModel, height_m: float, *, size: tuple[int, int], crs: str) -> float:
    """Return the ground size of a pixel in the image's middle, m, to two significant digits."""
    middle = (size[0] / 2.0, size[1] / 2.0)
    col = np.array([middle[0], middle[0] + 1.0, middle[0]])
    row = np.array([middle[1], middle[1], middle[1] + 1.0])
    lon, lat = model.ground(col, row, height_m)
    x, y = transform_xy(lon, lat, source=GEOGRAPHIC, target=crs)
    area = abs((x[1] - x[0]) * (y[2] - y[0]) - (x[2] - x[0]) * (y[1] - y[0]))
    return float(f"{np.sqrt(area):.2g}")


@dataclass(frozen=True, kw_only=True)
class _Job:
    """What every tile needs."""

    image: RasterReader
    model: RpcModel
    terrain: Terrain
    frame: Frame
    cubic: bool


def rectify(
    image: RasterReader,
    target: Path,
    *,
    model: RpcModel,
    terrain: Terrain,
    frame: Frame,
    resampling: Literal["bilinear", "cubic"] = "cubic",
    threads: int = 2,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Rectify an image into a tiled GeoTIFF and return the number of its valid pixels.

    Parameters
    ----------
    image : RasterReader
        Raw image.
    target : Path
        GeoTIFF to write; it has a mask, or the image's own no-data value where that states one.
    model : RpcModel
        Refined camera model of the image.
    terrain : Terrain
        Asked in the frame's CRS.
    frame : Frame
        What to fill.
    resampling : str
        ``cubic`` (sharper) or ``bilinear``.
    threads : int
        Tiles worked on at once.
    progress : callable
        Called with 1 after each tile.

    Raises
    ------
    DeliveryError
        The sample type is not rectified.
    FileFormatError
        A part of the image or the terrain model can not be read.
    """
    info = image.info
    if info.dtype not in DTYPES:
        msg = f"{info.path.name} has samples of {info.dtype}; rectified are {', '.join(DTYPES)}."
        raise DeliveryError(
            msg, zh=f"{info.path.name} 的像元类型为 {info.dtype}，仅支持 {'、'.join(DTYPES)}。"
        )
    job = _Job(image=image, model=model, terrain=terrain, frame=frame, cubic=resampling == "cubic")
    valid_pixels = 0
    with (
        open_writer(
            target,
            size=(frame.height, frame.width),
            bands=info.bands,
            dtype=info.dtype,
            crs=frame.crs,
            transform=frame.transform,
            nodata=info.nodata,
            compress="zstd",
            zstd_level=1,
            predictor=1,
        ) as writer,
        ThreadPoolExecutor(max_workers=threads) as pool,
    ):
        for window, (pixels, valid) in _in_order(pool, job, threads=threads):
            writer.write(pixels, window)
            if info.nodata is None:
                writer.write_mask(valid, window)
            valid_pixels += int(np.count_nonzero(valid))
            progress(1)
    return valid_pixels


Tile = tuple[Pixels, NDArray[np.uint8]]


def _in_order(
    pool: ThreadPoolExecutor, job: _Job, *, threads: int
) -> Iterator[tuple[Window, Tile]]:
    """Yield tiles in order, with a few more than `threads` under way."""
    waiting: list[tuple[Window, Future[Tile]]] = []
    for window in windows(job.frame):
        waiting.append((window, pool.submit(_tile, job, window)))
        if len(waiting) > 2 * threads:
            first, future = waiting.pop(0)
            yield first, future.result()
    for window, future in waiting:
        yield window, future.result()


def windows(frame: Frame) -> list[Window]:
    """Return the tiles of a frame, row by row."""
    return [
        (row, col, min(BLOCK, frame.height - row), min(BLOCK, frame.width - col))
        for row in range(0, frame.height, BLOCK)
        for col in range(0, frame.width, BLOCK)
    ]


def _tile(job: _Job, window: Window) -> Tile:
    """Rectify one tile."""
    _, _, rows, columns = window
    info = job.image.info
    fill = info.nodata if info.nodata is not None else 0
    out = np.full((info.bands, rows, columns), fill, dtype=info.dtype)
    valid = np.zeros((rows, columns), dtype=np.uint8)
    x, y = _nodes(job.frame, window)
    dem_col, dem_row = job.terrain.positions(x, y)
    dem, dem_origin = job.terrain.window(dem_col, dem_row)
    if np.isnan(dem).all():
        return out, valid
    heights = _three_heights(dem)
    lattice = np.empty((8, *x.shape))
    lon, lat = transform_xy(x, y, source=job.frame.crs, target=GEOGRAPHIC)
    for k, height in enumerate(heights):
        lattice[k], lattice[3 + k] = job.model.project(lon, lat, height)
    lattice[6], lattice[7] = dem_col - dem_origin[1], dem_row - dem_origin[0]
    part = _needed(lattice, info.width, info.height)
    if part is None:
        return out, valid
    pixels, mask = _read_part(job.image, part)
    warp_tile(
        out,
        valid,
        lattice,
        heights,
        dem,
        pixels,
        mask,
        np.array([part[0], part[1]], dtype=np.float64),
        job.cubic,
        _limits(info.dtype),
    )
    return out, valid


def _nodes(frame: Frame, window: Window) -> tuple[Floats, Floats]:
    """Return ground coordinates of the lattice over a tile: pixel centres every `STEP` pixels."""
    row0, col0, rows, columns = window
    col = col0 + 0.5 + STEP * np.arange((columns - 1) // STEP + 2)
    row = row0 + 0.5 + STEP * np.arange((rows - 1) // STEP + 2)
    x, y = np.meshgrid(frame.west + col * frame.gsd_m, frame.north - row * frame.gsd_m)
    return x, y


def _three_heights(dem: NDArray[np.float32]) -> Floats:
    """Return the least, middle and greatest height, at least ten metres apart."""
    low, high = float(np.nanmin(dem)), float(np.nanmax(dem))
    middle = (low + high) / 2.0
    half = max((high - low) / 2.0, 10.0)
    return np.array([middle - half, middle, middle + half])


def _needed(lattice: Floats, width: int, height: int) -> Window | None:
    """Return the part of the raw image a tile needs; None: it lies beside the image."""
    cols, rows = lattice[:3], lattice[3:6]
    first_col = max(0, int(np.floor(cols.min())) - _MARGIN)
    last_col = min(width, int(np.ceil(cols.max())) + _MARGIN + 1)
    first_row = max(0, int(np.floor(rows.min())) - _MARGIN)
    last_row = min(height, int(np.ceil(rows.max())) + _MARGIN + 1)
    if first_col >= last_col or first_row >= last_row:
        return None
    return first_row, first_col, last_row - first_row, last_col - first_col


def _read_part(image: RasterReader, part: Window) -> Tile:
    pixels = image.read(part)
    if image.info.nodata is None and not image.info.has_mask:
        return pixels, np.empty((0, 0), dtype=np.uint8)
    return pixels, image.read_mask(part)


def _limits(dtype: str) -> Floats:
    if np.dtype(dtype).kind == "f":
        return np.array([-np.inf, np.inf, 0.0])
    limits = np.iinfo(dtype)
    return np.array([limits.min, limits.max, 1.0])
