"""Whether a whole file lies where it should: swapped axes, a wrong zone, a map vendor's offset."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.crs import transform_xy
from gis.errors import CrsError
from gis.remarks import Remark
from gis.shift import Areas, Finding, suspect_offset, suspect_shift
from gis.sources import FileReport

LEAST_POINTS = 10
"""Fewer vertices than this say nothing of the file; its rows are judged one by one."""
_SAMPLE = 5_000
_REFUSED = ("swapped_axes", "wrong_zone", "wrong_crs")


def check_whereabouts(
    frame: gpd.GeoDataFrame,
    report: FileReport,
    *,
    source: str,
    city: str,
    areas: Areas | None,
    known: gpd.GeoDataFrame | None = None,
) -> FileReport:
    """Compare a file's features with the city's ground; return its report with what is suspected.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Features in the city's CRS; ``code`` where they have one.
    report : FileReport
        What reading the file told.
    source : str
        CRS the file was read in.
    city : str
        The city's CRS.
    areas : Areas or None
        The city's areas; None: nothing to compare with.
    known : geopandas.GeoDataFrame or None
        What is live under codes of its own, ``code`` and points among it: a vendor's offset shows well
        inside the city too where the same codes come again.

    Raises
    ------
    CrsError
        Most features lie elsewhere, and another reading of their coordinates puts them right; or
        most have coordinates that are none in their CRS.
    """
    points = shapely.get_coordinates(frame.geometry.to_numpy())
    points = points[:: max(1, len(points) // _SAMPLE)]
    real = np.isfinite(points).all(axis=1)
    if len(points) < LEAST_POINTS:
        return report
    if real.sum() < len(points) / 2:
        msg = (
            f"{report.path}: most coordinates are none in {source}: are x and y swapped, or is its "
            "crs another? Correct the file or the crs of its layer."
        )
        raise CrsError(
            msg,
            zh=f"{report.path}：多数坐标不属于 {source}：x、y 是否颠倒，或坐标系有误？请更正文件或图层的 crs。",
        )
    if areas is None:
        return report
    x, y = transform_xy(*points[real].T, source=city, target=source)
    findings = suspect_shift(x, y, source=source, city=city, areas=areas)
    if not findings and known is not None and "code" in frame:
        findings = _moved_together(frame, known, city=city)
    for finding in findings:
        if finding.name in _REFUSED:
            raise CrsError(f"{report.path}: {finding.en}", zh=f"{report.path}：{finding.zh}")
    told = [Remark(en=finding.en, zh=finding.zh) for finding in findings]
    return replace(report, warnings=(*report.warnings, *told))


def _moved_together(
    frame: gpd.GeoDataFrame, known: gpd.GeoDataFrame, *, city: str
) -> list[Finding]:
    """Compare points with those that are live under the same codes."""
    pair = _points(frame).merge(_points(known), on="code", suffixes=("", "_known"), validate="1:1")
    if len(pair) < LEAST_POINTS:
        return []
    pair = pair.iloc[:: max(1, len(pair) // _SAMPLE)]
    return suspect_offset(
        pair["x"], pair["y"], known_x=pair["x_known"], known_y=pair["y_known"], city=city
    )


def _points(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return code, ``x`` and ``y`` of the points of a frame; of a code that comes twice, none."""
    shapes = frame.geometry.to_numpy()
    x, y = shapely.get_x(shapes), shapely.get_y(shapes)
    there = np.isfinite(x) & np.isfinite(y) & frame["code"].notna().to_numpy()
    rows = pd.DataFrame({"code": frame["code"].astype(str), "x": x, "y": y})[there]
    return rows.drop_duplicates("code", keep=False)
