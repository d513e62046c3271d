"""Which CRS a file's coordinates are in: the file's word, the manifest's, and when they disagree."""

from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.crs import VENDOR_CRS, crs_name, parse_crs, same_crs
from gis.datums import epsg_of, is_cgcs2000
from gis.errors import CrsError
from gis.remarks import Remark


def decide_crs(
    found: str | None, *, rule: str, stated: str | None, name: str
) -> tuple[str, str, tuple[Remark, ...]]:
    """Return the CRS of a file's coordinates, where it comes from, and what is to be said of it.

    Parameters
    ----------
    found : str or None
        What the file says.
    rule : str
        ``file`` if it says so itself, else the rule it follows from.
    stated : str or None
        What the manifest states.
    name : str
        File name, for messages.

    Raises
    ------
    CrsError
        Neither says anything, or they differ.

    Examples
    --------
    >>> decide_crs(None, rule="file", stated="epsg:4547", name="a.shp")[:2]
    ('EPSG:4547', 'manifest')
    >>> decide_crs("EPSG:4326", rule="RFC 7946", stated="GCJ-02", name="a.geojson")[:2]
    ('GCJ-02', 'manifest')
    """
    if stated is None:
        if found is None:
            raise _no_crs(name)
        return found, rule, ()
    wanted = crs_name(stated)
    parse_crs(wanted)
    if found is None or rule != "file":
        return wanted, "manifest", ()
    if wanted in VENDOR_CRS and same_crs(found, "EPSG:4490"):
        note = Remark(
            en=f"The file calls itself {found}, the manifest {wanted}: read as {wanted}.",
            zh=f"文件自称 {found}，清单声明为 {wanted}：已按 {wanted} 读取。",
        )
        return wanted, "manifest", (note,)
    if not same_crs(found, wanted):
        shown = short_name(found)
        msg = (
            f"{name} says it is in {shown} but the manifest states {short_name(wanted)}: correct crs in "
            "delivery.toml, or the file's own CRS if that is wrong."
        )
        raise CrsError(
            msg,
            zh=f"{name} 自带坐标系 {shown}，而清单声明 {short_name(wanted)}：请更正 delivery.toml 中的 crs。",
        )
    return found, "file", ()


def equal_note(source: str, target: str) -> tuple[Remark, ...]:
    """Return the note that WGS 84 was taken as CGCS2000, if it was.

    Examples
    --------
    >>> equal_note("EPSG:4326", "EPSG:4547")[0].en
    'WGS 84 is taken as CGCS2000; they differ by centimetres to decimetres.'
    >>> equal_note("EPSG:4326", "EPSG:32650")
    ()
    """
    if crs_name(source) in VENDOR_CRS or crs_name(target) in VENDOR_CRS:
        return ()
    if is_cgcs2000(parse_crs(target)) and "WGS 84" in parse_crs(source).name:
        told = Remark(
            en="WGS 84 is taken as CGCS2000; they differ by centimetres to decimetres.",
            zh="WGS 84 按 CGCS2000 处理；两者相差厘米至分米级。",
        )
        return (told,)
    return ()


def _no_crs(name: str) -> CrsError:
    msg = f'{name} has no coordinate reference system: state crs in delivery.toml, as crs = "EPSG:4547".'
    return CrsError(
        msg, zh=f'{name} 没有坐标系：请在 delivery.toml 中声明 crs，如 crs = "EPSG:4547"。'
    )


def short_name(crs: str) -> str:
    """Return a CRS name fit for a message."""
    name = crs_name(crs)
    return name if len(name) <= 40 else f"{parse_crs(name).name} (WKT)"


def check_degrees(geometry: NDArray[np.object_], *, source: str, name: str) -> None:
    """Refuse metres in a file whose CRS is in degrees: its CRS is wrong, not its rows."""
    if crs_name(source) not in VENDOR_CRS and not parse_crs(source).is_geographic:
        return
    bounds = shapely.bounds(geometry)
    bounds = bounds[np.isfinite(bounds).all(axis=1)]
    if len(bounds) == 0:
        return
    is_far = np.abs(bounds).max(axis=1) > 400.0
    if is_far.mean() > 0.5:
        msg = (
            f"{name} is said to be in degrees ({short_name(source)}) but its coordinates are metres: state the right "
            "crs in delivery.toml and correct the file's own."
        )
        raise CrsError(
            msg,
            zh=f"{name} 声称是经纬度（{short_name(source)}），但坐标值是米：请在 delivery.toml 中声明正确的 crs。",
        )


def read_prj(prj: Path | None, *, warnings: list[Remark]) -> str | None:
    """Return the CRS of a ``.prj``, an EPSG code if it has one; None: missing or unusable."""
    if prj is None:
        return None
    text = prj.read_text(encoding="utf-8", errors="replace").strip()
    if not text:
        warnings.append(Remark(en=f"{prj.name} is empty.", zh=f"{prj.name} 是空文件。"))
        return None
    try:
        crs = parse_crs(text)
    except CrsError:
        warnings.append(
            Remark(
                en=f"{prj.name} is not a valid CRS and was ignored.",
                zh=f"{prj.name} 不是有效的坐标系，已忽略。",
            )
        )
        return None
    code = epsg_of(crs)
    return f"EPSG:{code}" if code is not None else text


def embedded_crs(text: str | None) -> str | None:
    """Return the CRS that a file's metadata states, an EPSG code if it has one; None: none."""
    if not text:
        return None
    crs = parse_crs(text)
    if not (crs.is_geographic or crs.is_projected or crs.is_bound or crs.is_compound):
        return None  # "Undefined Cartesian SRS" of GeoPackage and the like
    code = epsg_of(crs)
    return f"EPSG:{code}" if code is not None else text
