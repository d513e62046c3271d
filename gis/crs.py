"""Coordinate reference systems: the city's own, the files', and the way between them.

``(x, y)`` is (east, north) or (longitude, latitude), always; the axis order that EPSG declares is
dealt with here and nowhere else. A CRS is named ``EPSG:n``, ``GCJ-02``, ``BD-09`` or by its WKT.
"""

import math
import re
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from gis.datums import (
    CGCS2000,
    NAD83,
    OLD_CHINESE,
    WGS84,
    epsg_of,
    has_datum,
    is_cgcs2000,
)
from gis.errors import CrsError
from gis.offset import bd09_from_gcj02, gcj02_from_bd09, gcj02_from_wgs84, wgs84_from_gcj02
from gis.workspace import Profile

if TYPE_CHECKING:
    import geopandas as gpd

    from gis.gausskruger import GaussKruger

GEOGRAPHIC = "EPSG:4490"
"""CGCS2000 in degrees: what longitude and latitude mean at the edge."""
VENDOR_CRS = ("GCJ-02", "BD-09")
"""Offsets of map vendors that are named like a CRS."""

_HUB = "EPSG:4326"
_CRS_KEPT = 256
"""Parsed at one time: more than files of a city come in, fewer than callers could name."""
_FIRST_CUSTOM_SRID = 910_000
_CUSTOM_SRIDS = 88_999  # PostGIS reserves what is above 998999
_VENDOR_SPELLINGS = {"GCJ02": "GCJ-02", "GCJ": "GCJ-02", "BD09": "BD-09", "BD09LL": "BD-09"}


@dataclass(frozen=True, kw_only=True)
class CityCrs:
    """The city's measuring CRS, metres."""

    text: str
    """``EPSG:n``, or the WKT of a local system."""
    crs: CRS
    srid: int
    """EPSG code, or a number from 910000 up that is derived from the WKT."""


def city_crs(profile: Profile, root: Path) -> CityCrs:
    """Return the CRS that the city profile names: an EPSG code or a ``.wkt`` file of the workspace.

    Parameters
    ----------
    profile : Profile
        City profile.
    root : Path
        Workspace folder, in which a ``.wkt`` file is looked for.

    Raises
    ------
    CrsError
        The CRS is unknown, the file is missing, or it is not projected in metres.
    """
    name = profile.city.crs.strip()
    if name.lower().endswith((".wkt", ".prj")):
        try:
            text = (root / name).read_text(encoding="utf-8-sig").strip()
        except (OSError, UnicodeDecodeError) as error:
            msg = f"The city's CRS file {name} can not be read in {root}: put the WKT there or name an EPSG code."
            raise CrsError(
                msg,
                zh=f"工作区 {root} 中读不到坐标系文件 {name}：请放入该 WKT 文件，或改用 EPSG 编号。",
            ) from error
    else:
        text = name
    crs = parse_crs(text)
    unit = {axis.unit_name for axis in crs.axis_info[:2]}
    if not crs.is_projected or unit != {"metre"}:
        msg = f"The city's CRS {name} is not projected in metres: name a Gauss-Kruger zone, as EPSG:4547."
        raise CrsError(
            msg,
            zh=f"城市坐标系 {name} 不是以米为单位的投影坐标系：请指定高斯-克吕格投影带，如 EPSG:4547。",
        )
    epsg = epsg_of(crs)
    if epsg is not None:
        return CityCrs(text=f"EPSG:{epsg}", crs=CRS.from_epsg(epsg), srid=epsg)
    number = zlib.crc32(crs.to_wkt().encode()) % _CUSTOM_SRIDS
    return CityCrs(text=text, crs=crs, srid=_FIRST_CUSTOM_SRID + number)


@lru_cache(maxsize=1024)
def crs_name(text: str) -> str:
    """Return the spelling used inside: ``GCJ-02``, ``BD-09``, ``EPSG:n``, or the text as it is.

    Examples
    --------
    >>> crs_name("gcj02"), crs_name("epsg:4547"), crs_name("4547")
    ('GCJ-02', 'EPSG:4547', 'EPSG:4547')
    """
    plain = text.strip()
    vendor = _VENDOR_SPELLINGS.get(re.sub(r"[-_ ]", "", plain).upper())
    if vendor is not None:
        return vendor
    found = re.fullmatch(r"(?:EPSG\s*:\s*)?(\d{4,6})", plain, re.IGNORECASE)
    return f"EPSG:{found[1]}" if found else plain


@lru_cache(maxsize=_CRS_KEPT)
def parse_crs(text: str) -> CRS:
    """Return the CRS of a name; a vendor offset has the CRS of its degrees.

    Raises
    ------
    CrsError
        PROJ does not know it.

    Examples
    --------
    >>> parse_crs("EPSG:4547").name
    'CGCS2000 / 3-degree Gauss-Kruger CM 114E'
    """
    name = crs_name(text)
    if name in VENDOR_CRS:
        return CRS.from_epsg(4490)
    try:
        return CRS.from_user_input(name)
    except ProjError as error:
        shown = name if len(name) <= 60 else f"{name[:57]}..."
        msg = f"Unknown CRS {shown!r}: write EPSG:n (as EPSG:4547), GCJ-02, BD-09 or a valid WKT."
        raise CrsError(
            msg,
            zh=f"无法识别的坐标系 {shown!r}：请写 EPSG:编号（如 EPSG:4547）、GCJ-02、BD-09 或有效的 WKT。",
        ) from error


@lru_cache(maxsize=1024)
def same_crs(first: str, second: str) -> bool:
    """Return whether two names mean the same coordinates; CGCS2000 and WGS 84 degrees are equal.

    Vendor offsets are equal to themselves only. Axis order does not count.

    Examples
    --------
    >>> same_crs("EPSG:4490", "EPSG:4326"), same_crs("EPSG:4547", "EPSG:4526")
    (True, False)
    >>> same_crs("GCJ-02", "EPSG:4326")
    False
    """
    one, two = crs_name(first), crs_name(second)
    if one == two:
        return True
    if one in VENDOR_CRS or two in VENDOR_CRS:
        return False
    return bool(_identity(parse_crs(one)) == _identity(parse_crs(two)))


def _identity(crs: CRS) -> Any:
    code = epsg_of(crs)
    if code in (4326, 4490) or (crs.is_geographic and code is None and _is_plain_degrees(crs)):
        return 4490
    return code if code is not None else crs.to_wkt()


def _is_plain_degrees(crs: CRS) -> bool:
    """Return whether these are degrees of WGS 84 or CGCS2000 under another name, as OGC:CRS84."""
    if crs.is_bound or len(crs.axis_info) != 2 or crs.prime_meridian is None:
        return False
    in_degrees = {axis.unit_name for axis in crs.axis_info} == {"degree"}
    from_greenwich = crs.prime_meridian.longitude == 0
    return in_degrees and from_greenwich and (is_cgcs2000(crs) or has_datum(crs, WGS84))


def transform_xy(
    x: ArrayLike, y: ArrayLike, *, source: str, target: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Transform coordinates from one named CRS to another.

    ``(x, y)`` is (east, north) or (lon, lat) on both sides, in the units of the CRS. What can not
    be transformed (NaN, infinite, outside the projection's domain) becomes NaN.

    Raises
    ------
    CrsError
        A CRS is unknown, or the datum shift between the two is not known to better than 10 m.

    Examples
    --------
    >>> x, y = transform_xy([114.0], [38.0], source="EPSG:4490", target="EPSG:4547")
    >>> float(x[0]), round(float(y[0]), 1)
    (500000.0, 4207498.0)
    """
    x_out = np.atleast_1d(np.asarray(x, dtype=np.float64))
    y_out = np.atleast_1d(np.asarray(y, dtype=np.float64))
    start, end = crs_name(source), crs_name(target)
    if not same_crs(start, end):
        x_out, y_out = _to_geographic(x_out, y_out, start)
        if end in VENDOR_CRS:
            x_out, y_out = _transform(x_out, y_out, start, GEOGRAPHIC)
            x_out, y_out = gcj02_from_wgs84(x_out, y_out)
            if end == "BD-09":
                x_out, y_out = bd09_from_gcj02(x_out, y_out)
        else:
            x_out, y_out = _transform(x_out, y_out, start, end)
    bad = ~(np.isfinite(x_out) & np.isfinite(y_out))
    return np.where(bad, np.nan, x_out), np.where(bad, np.nan, y_out)


def transform_point(x: float, y: float, *, source: str, target: str) -> tuple[float, float]:
    """Transform one point as `transform_xy` does many, in a twentieth of the time.

    Raises
    ------
    CrsError
        As for `transform_xy`.

    Examples
    --------
    >>> x, y = transform_point(114.0, 38.0, source="EPSG:4490", target="EPSG:4547")
    >>> x, round(y, 1)
    (500000.0, 4207498.0)
    """
    start, end = crs_name(source), crs_name(target)
    if start in VENDOR_CRS or end in VENDOR_CRS:
        east, north = transform_xy(x, y, source=start, target=end)
        return float(east[0]), float(north[0])
    if not same_crs(start, end):
        for way in _point_route(start, end):
            x, y = way.transform(x, y)
    return (x, y) if math.isfinite(x) and math.isfinite(y) else (math.nan, math.nan)


def _to_geographic(
    x: NDArray[np.float64], y: NDArray[np.float64], source: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Remove a vendor's offset, if `source` is one."""
    if source == "BD-09":
        x, y = gcj02_from_bd09(x, y)
    if source in VENDOR_CRS:
        x, y = wgs84_from_gcj02(x, y)
    return x, y


def _transform(
    x: NDArray[np.float64], y: NDArray[np.float64], source: str, target: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    start = GEOGRAPHIC if source in VENDOR_CRS else source
    if same_crs(start, target):
        return x, y
    x_out, y_out = x, y
    for transformer in _route(start, target):
        x_out, y_out = transformer.transform(x_out, y_out)
    return np.asarray(x_out, dtype=np.float64), np.asarray(y_out, dtype=np.float64)


@lru_cache(maxsize=_CRS_KEPT)
def _route(source: str, target: str) -> tuple[Transformer, ...]:
    """Return the transformers from one CRS to another, by way of WGS 84 where only that is exact.

    PROJ applies a stated datum shift (TOWGS84) only on the way to WGS 84, and the EPSG registry
    knows the shift of most national datums to WGS 84, not to CGCS2000, which is equal to it here.
    """
    start, end = parse_crs(source), parse_crs(target)
    direct = _transformer(start, end)
    if _is_exact(direct, start, end) and not (start.is_bound or end.is_bound):
        return (direct,)
    hub = parse_crs(_HUB)
    parts = [
        (_transformer(first, second), first, second)
        for first, second in ((start, hub), (hub, end))
        if _identity(first) != _identity(second)
    ]
    if all(_is_exact(*part) for part in parts):
        return tuple(transformer for transformer, _, _ in parts)
    msg = (
        f"The datum shift from {start.name} to {end.name} is not public (error up to 100 m): deliver in "
        "CGCS2000, or state a WKT with the city's own shift (TOWGS84 or BoundCRS)."
    )
    raise CrsError(
        msg,
        zh=f"{start.name} 到 {end.name} 的基准转换参数不公开（误差可达 100 米）：请以 CGCS2000 提交，"
        "或提供带本市转换参数（TOWGS84）的 WKT。",
    )


@lru_cache(maxsize=_CRS_KEPT)
def _point_route(source: str, target: str) -> "tuple[Transformer | GaussKruger, ...]":
    """Return what `_route` does, or a quicker way to degrees that was found to be the same."""
    # Commands that transform no single point need no compiled code.
    from gis.gausskruger import gauss_kruger

    route = _route(source, target)
    quick = (
        gauss_kruger(parse_crs(source), parse_crs(target), route[0]) if len(route) == 1 else None
    )
    return (quick,) if quick is not None else route


def _transformer(start: CRS, end: CRS) -> Transformer:
    try:
        return Transformer.from_crs(start, end, always_xy=True)
    except ProjError as error:
        msg = f"There is no way from {start.name} to {end.name}: correct the WKT or name an EPSG code."
        raise CrsError(
            msg, zh=f"无法由 {start.name} 转换到 {end.name}：请更正 WKT 或改用 EPSG 编号。"
        ) from error


def _is_exact(transformer: Transformer, start: CRS, end: CRS) -> bool:
    """Return whether the datum shift is known, or none is needed; not a mere ballpark.

    EPSG's shifts of the old Chinese datums hold for oil fields, not for cities.
    """
    if _is_global(start) and _is_global(end):
        return True
    is_old = any(has_datum(crs, OLD_CHINESE) and not crs.is_bound for crs in (start, end))
    return "Ballpark" not in transformer.description and not is_old


def _is_global(crs: CRS) -> bool:
    """Return whether the datum agrees with WGS 84 to a metre or so, so that no shift is needed."""
    return any(has_datum(crs, pattern) for pattern in (WGS84, CGCS2000, NAD83))


def frame_crs(frame: "gpd.GeoDataFrame") -> str:
    """Return the name of the CRS that a frame states.

    Raises
    ------
    CrsError
        It states none.
    """
    if frame.crs is None:
        msg = 'The coordinates have no CRS: state crs in delivery.toml, as crs = "EPSG:4547".'
        raise CrsError(
            msg, zh='坐标没有坐标系：请在 delivery.toml 中声明 crs，如 crs = "EPSG:4547"。'
        )
    code = epsg_of(frame.crs)
    return f"EPSG:{code}" if code is not None else str(frame.crs.to_wkt())


def reproject(frame: "gpd.GeoDataFrame", *, target: str, source: str | None) -> "gpd.GeoDataFrame":
    """Return a copy of `frame` with its geometry in `target`; Z values stay as they are.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Any geometries; null and empty ones stay null and empty.
    target : str
        CRS of the result.
    source : str or None
        CRS of the frame's coordinates; None: what the frame itself states.

    Raises
    ------
    CrsError
        The CRS of the frame is not known, or the transformation is not.
    """
    # Single positions need it not, and a server starts faster without.
    import geopandas as gpd

    if source is None:
        source = frame_crs(frame)
    geometry = reproject_geometry(frame.geometry.to_numpy(), source=source, target=target)
    crs = None if crs_name(target) in VENDOR_CRS else parse_crs(target)
    column = gpd.GeoSeries(geometry, index=frame.index, crs=crs)
    result = frame.drop(columns=[frame.geometry.name])
    return gpd.GeoDataFrame(result.assign(geometry=column), geometry="geometry", crs=crs)


def reproject_geometry(
    geometry: NDArray[np.object_], *, source: str, target: str
) -> NDArray[np.object_]:
    """Transform an array of geometries; coordinates that can not be transformed become NaN."""
    _transform(np.empty(0), np.empty(0), crs_name(source), target)  # refuse even when empty

    def move(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        moved = coordinates.copy()
        moved[:, 0], moved[:, 1] = transform_xy(
            coordinates[:, 0], coordinates[:, 1], source=source, target=target
        )
        return moved

    if same_crs(source, target):
        return geometry
    result: NDArray[np.object_] = shapely.transform(geometry, move, include_z=None)
    return result
