"""Whether re-measured coordinates are in the CRS they are said to be: swapped axes, another CRS."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis.crs import crs_name, parse_crs, transform_xy
from gis.errors import CrsError

Floats = NDArray[np.float64]

_NEAR_M = 15.0
"""Under the right reading most points lie nearer to the survey than this."""
_FAR_M = 100.0
"""If most points are farther than this, the stated reading is doubted."""
_OTHERS = ("EPSG:4490", "GCJ-02", "BD-09")
_ZONES_3 = (range(4513, 4534), range(4534, 4555))
"""CGCS2000 3-degree zones: with the zone's number before the east, and by central meridian."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A way to read coordinates."""

    crs: str
    is_swapped: bool = False


def read_points(x: Floats, y: Floats, reading: Reading, *, target: str) -> tuple[Floats, Floats]:
    """Return points in the city's CRS, m; NaN where they can not be transformed."""
    first, second = (y, x) if reading.is_swapped else (x, y)
    return transform_xy(first, second, source=reading.crs, target=target)


def check_reading(
    measured: tuple[Floats, Floats],
    surveyed: tuple[Floats, Floats],
    *,
    reading: Reading,
    target: str,
) -> None:
    """Refuse coordinates that fit the survey only when they are read otherwise than stated.

    A few points far off are typing errors and no reason; a whole file that is off is.

    Parameters
    ----------
    measured : tuple of numpy.ndarray
        x and y as they were written.
    surveyed : tuple of numpy.ndarray
        East and north of the same components in the city's CRS, m.
    reading : Reading
        How they are said to be read.
    target : str
        The city's CRS.

    Raises
    ------
    CrsError
        Another reading fits; the sentence names the option that says so.
    """
    if len(measured[0]) == 0:
        return
    apart = _apart(measured, surveyed, reading, target)
    if apart <= _FAR_M:
        return
    for other in _other_readings(reading, target):
        if _apart(measured, surveyed, other, target) <= _NEAR_M:
            raise _misread(reading, other)


def _apart(
    measured: tuple[Floats, Floats],
    surveyed: tuple[Floats, Floats],
    reading: Reading,
    target: str,
) -> float:
    """Return the median distance, m; infinite where most points can not be read so."""
    x, y = read_points(*measured, reading, target=target)
    apart = np.hypot(x - surveyed[0], y - surveyed[1])
    return float(np.median(np.where(np.isfinite(apart), apart, np.inf)))


def _other_readings(stated: Reading, target: str) -> Iterator[Reading]:
    """Yield what the coordinates may be instead, likely ones first."""
    stated_crs = crs_name(stated.crs)
    names = [stated_crs, crs_name(target), *_OTHERS, *_zones(target)]
    for name in dict.fromkeys(names):
        for is_swapped in (not stated.is_swapped, stated.is_swapped):
            other = Reading(crs=name, is_swapped=is_swapped)
            if (name, is_swapped) != (stated_crs, stated.is_swapped):
                yield other


def _zones(target: str) -> Iterator[str]:
    """Yield the zones of CGCS2000 within 6 degrees of the city's central meridian."""
    meridian = _central_meridian(target)
    if meridian is None:
        return
    for zones in _ZONES_3:
        for number, code in enumerate(zones):
            if abs(75 + 3 * number - meridian) <= 6:
                yield f"EPSG:{code}"


def _central_meridian(crs: str) -> float | None:
    operation = parse_crs(crs).coordinate_operation
    for parameter in operation.params if operation else ():
        if "natural origin" in parameter.name.lower() and "long" in parameter.name.lower():
            return float(parameter.value)
    return None


def _misread(stated: Reading, other: Reading) -> CrsError:
    parts = [f"--crs {other.crs}"] if crs_name(other.crs) != crs_name(stated.crs) else []
    parts += ["--swap-xy"] if other.is_swapped else []
    option = " ".join(parts) or f"--crs {other.crs} without --swap-xy"
    what = "with x and y swapped" if other.is_swapped else f"as {other.crs}"
    if other.is_swapped and len(parts) > 1:
        what = f"as {other.crs} with x and y swapped"
    msg = (
        f"The re-measured points lie far from the survey as {stated.crs}, but fit {what}: "
        f"read them with {option}."
    )
    return CrsError(
        msg,
        zh=f"复测点按 {stated.crs} 与普查位置相差甚远，按 {what_zh(other)} 则吻合：请加 {option}。",
    )


def what_zh(reading: Reading) -> str:
    """Return a reading in Chinese.

    Examples
    --------
    >>> what_zh(Reading(crs="EPSG:4490", is_swapped=True))
    'EPSG:4490（X、Y 互换）'
    """
    return f"{reading.crs}{'（X、Y 互换）' if reading.is_swapped else ''}"
