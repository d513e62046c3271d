"""Coordinate reference systems: the city's own, the files', and the way between them.

``(x, y)`` is (east, north) or (longitude, latitude), always; the axis order that EPSG declares is
dealt with here and nowhere else. A CRS is named ``EPSG:n``, ``GCJ-02``, ``BD-09`` or by its WKT.
"""

import re
import zlib
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError

from gis.errors import CrsError
from gis.offset import bd09_from_gcj02, gcj02_from_bd09, gcj02_from_wgs84, wgs84_from_gcj02
from gis.workspace import Profile

GEOGRAPHIC = "EPSG:4490"
"""CGCS2000 in degrees: what longitude and latitude mean at the edge."""
VENDOR_CRS = ("GCJ-02", "BD-09")
"""Offsets of map vendors that are named like a CRS."""

_HUB = "EPSG:4326"
_FIRST_CUSTOM_SRID = 910_000
_CUSTOM_SRIDS = 88_999  # PostGIS reserves what is above 998999
_VENDOR_SPELLINGS = {"GCJ02": "GCJ-02", "GCJ": "GCJ-02", "BD09": "BD-09", "BD09LL": "BD-09"}
_WGS84 = re.compile(r"(D_)?(WGS[ _]?(19)?84|World Geodetic System 1984)", re.IGNORECASE)
_CGCS2000 = re.compile(
    r"(D_)?(China.?2000|CGCS.?2000|China.Geodetic.Coordinate.System.2000)", re.IGNORECASE
)
_NAD83 = re.compile(r"(D_)?(NAD83|North.American.(Datum.)?1983)", re.IGNORECASE)


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
            text = (root / name).read_text(encoding="utf-8").strip()
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
    return CityCrs(text=text, crs=crs, srid=_custom_srid(crs))


def _custom_srid(crs: CRS) -> int:
    return _FIRST_CUSTOM_SRID + zlib.crc32(crs.to_wkt().encode()) % _CUSTOM_SRIDS


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


@cache
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
    return in_degrees and from_greenwich and (is_cgcs2000(crs) or _has_datum(crs, _WGS84))


@cache
def epsg_of(crs: CRS) -> int | None:
    """Return the EPSG code of `crs`, also of an ESRI ``.prj`` of a CGCS2000 zone; None: local.

    Examples
    --------
    >>> epsg_of(CRS.from_wkt(CRS.from_epsg(4547).to_wkt("WKT1_ESRI")))
    4547
    """
    if crs.is_bound:
        return None
    code = crs.to_epsg(min_confidence=70)
    if code is not None or not crs.is_projected:
        return code
    wanted = _parameters(crs)
    return _cgcs2000_zones().get(wanted) if wanted is not None else None


def _parameters(crs: CRS) -> tuple[float, float] | None:
    """Return central meridian and false easting of a CGCS2000 Gauss-Kruger zone, else None."""
    operation = crs.coordinate_operation
    if operation is None or not is_cgcs2000(crs):
        return None
    if operation.method_name not in ("Transverse Mercator", "Gauss Kruger", "Gauss-Kruger"):
        return None
    values: dict[str, Any] = {item.name: item.value for item in operation.params}
    others = (
        values.get("Latitude of natural origin"),
        values.get("Scale factor at natural origin"),
        values.get("False northing"),
    )
    if others != (0.0, 1.0, 0.0):
        return None
    meridian, easting = values.get("Longitude of natural origin"), values.get("False easting")
    return None if meridian is None or easting is None else (meridian, easting)


def is_cgcs2000(crs: CRS) -> bool:
    """Return whether the datum of `crs` is CGCS2000, however it is spelt."""
    return _has_datum(crs, _CGCS2000)


def _has_datum(crs: CRS, pattern: "re.Pattern[str]") -> bool:
    return crs.datum is not None and bool(pattern.match(crs.datum.name))


@cache
def _cgcs2000_zones() -> dict[tuple[float, float], int]:
    zones: dict[tuple[float, float], int] = {}
    for code in range(4554, 4490, -1):  # 6 degree zones win over 3 degree zones of equal numbers
        values = _parameters(CRS.from_epsg(code))
        if values is not None:
            zones.setdefault(values, code)
    return zones


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
    # PROJ applies a stated datum shift (TOWGS84) only on the way to its hub, WGS 84.
    is_bound = parse_crs(start).is_bound or parse_crs(target).is_bound
    x_out, y_out = x, y
    for step_from, step_to in pairwise((start, _HUB, target) if is_bound else (start, target)):
        if not same_crs(step_from, step_to):
            x_out, y_out = _transformer(step_from, step_to).transform(x_out, y_out)
    return np.asarray(x_out, dtype=np.float64), np.asarray(y_out, dtype=np.float64)


@cache
def _transformer(source: str, target: str) -> Transformer:
    start, end = parse_crs(source), parse_crs(target)
    try:
        transformer = Transformer.from_crs(start, end, always_xy=True)
    except ProjError as error:
        msg = f"There is no way from {start.name} to {end.name}: correct the WKT or name an EPSG code."
        raise CrsError(
            msg, zh=f"无法由 {start.name} 转换到 {end.name}：请更正 WKT 或改用 EPSG 编号。"
        ) from error
    unknown = "Ballpark" in transformer.description and not (_is_global(start) and _is_global(end))
    if unknown:
        msg = (
            f"The datum shift from {start.name} to {end.name} is not public (error up to 100 m): deliver in "
            "CGCS2000, or state a WKT with the city's own shift (TOWGS84 or BoundCRS)."
        )
        raise CrsError(
            msg,
            zh=f"{start.name} 到 {end.name} 的基准转换参数不公开（误差可达 100 米）：请以 CGCS2000 提交，"
            "或提供带本市转换参数（TOWGS84）的 WKT。",
        )
    return transformer


def _is_global(crs: CRS) -> bool:
    """Return whether the datum agrees with WGS 84 to a metre or so, so that no shift is needed."""
    return any(_has_datum(crs, pattern) for pattern in (_WGS84, _CGCS2000, _NAD83))


def frame_crs(frame: gpd.GeoDataFrame) -> str:
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


def reproject(frame: gpd.GeoDataFrame, *, target: str, source: str | None) -> gpd.GeoDataFrame:
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
