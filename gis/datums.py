"""What a CRS is by its datum and parameters, however a ``.prj`` spells it."""

import re
from functools import cache, lru_cache
from typing import Any

from pyproj import CRS

WGS84 = re.compile(r"(D_)?(WGS[ _]?(19)?84|World Geodetic System 1984)", re.IGNORECASE)
CGCS2000 = re.compile(
    r"(D_)?(China.?2000|CGCS.?2000|China.Geodetic.Coordinate.System.2000)", re.IGNORECASE
)
OLD_CHINESE = re.compile(r"(D_)?(New.)?(Beijing|Xian).19(54|80)", re.IGNORECASE)
NAD83 = re.compile(r"(D_)?(NAD83|North.American.(Datum.)?1983)", re.IGNORECASE)


@lru_cache(maxsize=256)
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
    return has_datum(crs, CGCS2000)


def has_datum(crs: CRS, pattern: "re.Pattern[str]") -> bool:
    """Return whether the name of the datum begins like `pattern`."""
    return crs.datum is not None and bool(pattern.match(crs.datum.name))


@cache
def _cgcs2000_zones() -> dict[tuple[float, float], int]:
    zones: dict[tuple[float, float], int] = {}
    for code in range(4554, 4490, -1):  # 6 degree zones win over 3 degree zones of equal numbers
        values = _parameters(CRS.from_epsg(code))
        if values is not None:
            zones.setdefault(values, code)
    return zones
