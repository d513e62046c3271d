"""Heights: which datum 高程基准 they are in, and a terrain model 数字高程模型 to ask for them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from gis.crs import same_crs, transform_xy
from gis.errors import DeliveryError
from gis.raster import RasterReader, Window
from gis.warping import sample_heights

Floats = NDArray[np.float64]

_ELLIPSOIDAL = ("ellipsoid", "椭球高", "大地高")
_GEOIDAL = ("CGVD1985", "1985", "EGM2008", "EGM96", "正常高", "正高")
_GREATEST_UNDULATION_M = 120.0


@dataclass(frozen=True, kw_only=True)
class HeightDatum:
    """A height datum as a delivery states it."""

    text: str
    offset_m: float
    """What must be added to its heights to get ellipsoidal ones, m: the undulation 高程异常."""


def height_datum(text: str | None, *, undulation_m: float | None, source: str) -> HeightDatum:
    """Return the stated datum; one that is not stated, or leaves the undulation open, is refused.

    Parameters
    ----------
    text : str or None
        ``ellipsoid`` (大地高), or a datum of normal or orthometric heights: ``CGVD1985``, ``EGM2008`` …
    undulation_m : float or None
        Ellipsoidal minus stated height, m; required for the latter, senseless for the former.
    source : str
        The file whose heights are meant, for the message.

    Raises
    ------
    DeliveryError
        The datum is missing or unknown, or the undulation is missing, superfluous or out of range.

    Examples
    --------
    >>> height_datum("CGVD1985", undulation_m=-7.5, source="dem.tif").offset_m
    -7.5
    >>> height_datum("大地高", undulation_m=None, source="dem.tif").offset_m
    0.0
    """
    name = (text or "").strip()
    if not name:
        msg = (
            f'The height datum of {source} is not stated: add height_datum = "ellipsoid", or '
            'height_datum = "CGVD1985" with undulation_m, to its layer.'
        )
        raise DeliveryError(
            msg,
            zh=f'{source} 未说明高程基准：请在图层中写明 height_datum = "ellipsoid"，'
            '或 height_datum = "CGVD1985" 并给出 undulation_m。',
        )
    if name.casefold().startswith(_ELLIPSOIDAL):
        if undulation_m:
            msg = f"Ellipsoidal heights of {source} need no undulation: remove undulation_m = {undulation_m}."
            raise DeliveryError(msg, zh=f"{source} 为大地高，不需要高程异常，请删除 undulation_m。")
        return HeightDatum(text=name, offset_m=0.0)
    if not name.startswith(_GEOIDAL):
        msg = f"Height datum {name!r} of {source} is not known; use ellipsoid, CGVD1985, EGM2008 or EGM96."
        raise DeliveryError(
            msg,
            zh=f"{source} 的高程基准“{name}”无法识别；可用 ellipsoid、CGVD1985、EGM2008、EGM96。",
        )
    if undulation_m is None or not abs(undulation_m) <= _GREATEST_UNDULATION_M:
        msg = (
            f"Heights of {source} in {name} need the undulation of the place: add undulation_m = (height "
            "above the ellipsoid minus height in that datum, metres, within 120) to its layer."
        )
        raise DeliveryError(
            msg,
            zh=f"{source} 采用 {name} 高程，需要当地高程异常：请在图层中填写 undulation_m（大地高减该高程，米）。",
        )
    return HeightDatum(text=name, offset_m=float(undulation_m))


class Terrain:
    """A terrain model in a raster, answering with ellipsoidal heights in metres.

    Parameters
    ----------
    path : Path
        One-band raster with a CRS.
    datum : HeightDatum
        Datum of its heights.
    crs : str
        Projected CRS in which it is asked.

    Raises
    ------
    DeliveryError
        The raster has no CRS, or its CRS names a vertical datum other than the stated one.
    """

    def __init__(self, path: Path, *, datum: HeightDatum, crs: str) -> None:
        self._reader = RasterReader(path)
        info = self._reader.info
        if info.crs is None or info.transform is None:
            msg = f"{path.name} has no CRS: write its CRS into the file, as with gdal_edit -a_srs."
            raise DeliveryError(msg, zh=f"{path.name} 没有坐标系，请先为其写入坐标系。")
        own = CRS.from_user_input(info.crs)
        _refuse_contradiction(own, datum, source=path.name)
        horizontal = own.sub_crs_list[0] if own.is_compound else own
        self.source = path.name
        self.datum = datum
        self._inverse = ~info.transform
        self._asked = crs
        self._own = None if same_crs(crs, horizontal.to_wkt()) else horizontal.to_wkt()

    def close(self) -> None:
        """Close the file."""
        self._reader.__exit__()

    def positions(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return column and row in the terrain model, from pixel centres, of points in the asking CRS."""
        if self._own is not None:
            x, y = transform_xy(x, y, source=self._asked, target=self._own)
        col, row = self._inverse @ (np.asarray(x), np.asarray(y))
        return col - 0.5, row - 0.5

    def window(self, col: Floats, row: Floats) -> tuple[NDArray[np.float32], tuple[int, int]]:
        """Read what surrounds the given positions: ellipsoidal heights, NaN for none, and its origin.

        Returns
        -------
        heights : numpy.ndarray
            One cell of NaN where the positions lie outside.
        origin : (int, int)
            Row and column of its first cell.
        """
        info = self._reader.info
        first_col, last_col = _span(col, info.width)
        first_row, last_row = _span(row, info.height)
        if first_col >= last_col or first_row >= last_row:
            return np.full((1, 1), np.nan, dtype=np.float32), (0, 0)
        window: Window = (first_row, first_col, last_row - first_row, last_col - first_col)
        heights = self._reader.read(window)[0].astype(np.float32)
        heights[self._reader.read_mask(window) == 0] = np.nan
        heights[~np.isfinite(heights)] = np.nan
        return heights + np.float32(self.datum.offset_m), (first_row, first_col)

    def heights(self, x: Floats, y: Floats) -> Floats:
        """Return bilinear ellipsoidal heights, m, at points in the asking CRS; NaN where there is none."""
        x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
        col, row = self.positions(x, y)
        grid, (row0, col0) = self.window(col, row)
        result: Floats = sample_heights(grid, col - col0, row - row0)
        return result


def _span(position: Floats, size: int) -> tuple[int, int]:
    finite = position[np.isfinite(position)]
    if finite.size == 0:
        return 0, 0
    first = int(np.clip(np.floor(finite.min()) - 1, 0, size))
    last = int(np.clip(np.ceil(finite.max()) + 2, 0, size))
    return first, last


def _refuse_contradiction(crs: Any, datum: HeightDatum, *, source: str) -> None:
    vertical = [part for part in crs.sub_crs_list if part.is_vertical] if crs.is_compound else []
    if vertical and datum.offset_m == 0.0 and datum.text.casefold().startswith(_ELLIPSOIDAL):
        msg = (
            f"{source} says its heights are {vertical[0].name!r}, the manifest says ellipsoidal: state that "
            "datum as height_datum, with its undulation_m."
        )
        raise DeliveryError(
            msg,
            zh=f"{source} 自述高程基准为“{vertical[0].name}”，而清单写的是大地高："
            "请更正 height_datum 并给出 undulation_m。",
        )
