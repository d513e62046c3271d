"""A delivery for another city: what tells it from rows that lie outside, and where it seems to lie."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from census.standing import standing
from gis.errors import DeliveryError
from gis.faults import Faults

LEAST_ROWS = 5
"""Fewer rows are reported one by one."""
_WAYS = {
    "E": "东",
    "NE": "东北",
    "N": "北",
    "NW": "西北",
    "W": "西",
    "SW": "西南",
    "S": "南",
    "SE": "东南",
}
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Hint:
    """Where rows outside the city seem to lie, or what they were mistaken for."""

    en: str
    zh: str


def judge_elsewhere(
    rows: gpd.GeoDataFrame,
    faults: Faults,
    *,
    within: shapely.Geometry | None,
    share: float,
    crs: CRS,
) -> "pd.Series[bool]":
    """Refuse what lies outside the city in files of another city (C095), and tell which rows those are.

    A file counts as one of another city when at least `share` of its rows lie outside, and there are
    `LEAST_ROWS` of these. Rows without a place do not count.

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows in metres with ``code`` and ``source_file``.
    faults : Faults
        Gets C095, one text for all rows of a file.
    within : shapely geometry or None
        The city's extent; None: nothing is judged.
    share : float
        Threshold of the city profile.
    crs : pyproj.CRS
        The city's CRS.

    Raises
    ------
    DeliveryError
        All the delivery is of another city: nothing of it could be loaded.
    """
    elsewhere = pd.Series(False, index=rows.index)
    if within is None or len(rows) == 0:
        return elsewhere
    points = centres(rows.geometry.to_numpy())
    outside = pd.Series(is_outside(points, within), index=rows.index) & standing(rows, faults)
    placed = pd.Series(np.isfinite(points).all(axis=1), index=rows.index)
    if outside.sum() >= max(LEAST_ROWS, share * placed.sum()):
        hint = guess(points[outside.to_numpy()], rows.loc[outside, "code"], within=within, crs=crs)
        if outside.sum() == placed.sum():
            raise _another_city(int(outside.sum()), hint)
    for file, part in outside.groupby(rows["source_file"], sort=True):
        count, total = int(part.sum()), int(placed[part.index].sum())
        if count < LEAST_ROWS or count < share * total:
            continue
        at = part.index[part]
        hint = guess(
            points[rows.index.get_indexer(at)], rows.loc[at, "code"], within=within, crs=crs
        )
        mask = pd.Series(True, index=at)
        faults.add("C095", mask, file=file, count=count, total=total, hint=hint.en, hint_zh=hint.zh)
        elsewhere[at] = True
    return elsewhere


def centres(shapes: NDArray[np.object_]) -> Floats:
    """Return the middle of each shape's bounds, nan where it has no place.

    Examples
    --------
    >>> centres(np.array([shapely.LineString([(0, 0), (4, 2)]), None])).tolist()
    [[2.0, 1.0], [nan, nan]]
    """
    bounds = shapely.bounds(shapes)
    middle = (bounds[:, :2] + bounds[:, 2:]) / 2
    middle[~np.isfinite(middle).all(axis=1)] = np.nan
    return np.asarray(middle, dtype=float)


def is_outside(points: Floats, within: shapely.Geometry) -> NDArray[np.bool_]:
    """Tell which points lie outside; those without a place do not."""
    shapely.prepare(within)
    result: NDArray[np.bool_] = np.asarray(np.isfinite(points).all(axis=1))
    west, south, east, north = within.bounds
    near = (points >= (west, south)).all(axis=1) & (points <= (east, north)).all(axis=1)
    result[near] = ~shapely.intersects_xy(within, points[near, 0], points[near, 1])
    return result


def guess(points: Floats, codes: "pd.Series[str]", *, within: shapely.Geometry, crs: CRS) -> Hint:
    """Return where rows outside the city seem to lie: place, distance, and the district of their codes.

    Longitude and latitude are those of the median, on the ellipsoid of the city's CRS.
    """
    x, y = np.median(points, axis=0)
    centre = within.centroid
    east, north = x - centre.x, y - centre.y
    way = list(_WAYS)[round(np.degrees(np.arctan2(north, east)) / 45) % 8]
    km = float(np.hypot(east, north)) / 1000
    en = zh = ""
    if crs.geodetic_crs is not None:
        lon, lat = Transformer.from_crs(crs, crs.geodetic_crs, always_xy=True).transform(x, y)
        if np.isfinite([lon, lat]).all():
            en, zh = (
                f"it seems to lie near {lon:.3f}°E {lat:.3f}°N, ",
                f"似位于东经 {lon:.3f}°、北纬 {lat:.3f}° 附近，",
            )
    en += f"{km:,.0f} km {way} of the city"
    zh += f"在本市{_WAYS[way]}方约 {km:,.0f} 公里"
    district = codes.dropna().astype("str").str[:6]
    district = district[district.str.fullmatch(r"[1-9]\d{5}")]
    if len(district):
        most = district.value_counts().index[0]
        en, zh = f"{en}; its codes are of district {most}", f"{zh}；标识码的行政区为 {most}"
    return Hint(en=en, zh=zh)


def _another_city(count: int, hint: Hint) -> DeliveryError:
    msg = (
        f"All {count:,} components of this delivery lie outside the city: {hint.en}. "
        "Correct the crs of its layers, or load it into the workspace of its own city."
    )
    return DeliveryError(
        msg,
        zh=f"本次交付的 {count:,} 个部件全部位于城市范围之外：{hint.zh}。"
        "请更正图层坐标系，或加载到其所属城市的工作区。",
    )
