"""Whether a whole file lies where it should: swapped axes, a wrong zone, a map vendor's offset."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely

from gis.crs import transform_xy
from gis.errors import CrsError
from gis.shift import suspect_shift
from gis.sources import FileReport

LEAST_POINTS = 10
"""Fewer features than this say nothing of the file; their rows are judged one by one."""
_REFUSED = ("swapped_axes", "wrong_zone", "wrong_crs")


def check_whereabouts(
    frame: gpd.GeoDataFrame,
    report: FileReport,
    *,
    source: str,
    city: str,
    ground: shapely.Geometry | None,
) -> FileReport:
    """Compare a file's features with the city's ground; return its report with what is suspected.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Features in the city's CRS.
    report : FileReport
        What reading the file told.
    source : str
        CRS the file was read in.
    city : str
        The city's CRS.
    ground : shapely geometry or None
        The city's areas; None: nothing to compare with.

    Raises
    ------
    CrsError
        Most features lie elsewhere, and another reading of their coordinates puts them right; or
        most have coordinates that are none in their CRS.
    """
    if len(frame) < LEAST_POINTS:
        return report
    bounds = shapely.bounds(frame.geometry.to_numpy())
    x, y = bounds[:, [0, 2]].mean(axis=1), bounds[:, [1, 3]].mean(axis=1)
    real = np.isfinite(x) & np.isfinite(y)
    has_shape = ~(frame.geometry.isna() | frame.geometry.is_empty).to_numpy()
    if has_shape.sum() >= LEAST_POINTS and (real & has_shape).sum() < has_shape.sum() / 2:
        msg = (
            f"{report.path}: most coordinates are none in {source}: are x and y swapped, or is its "
            "crs another? Correct the file or the crs of its layer."
        )
        raise CrsError(
            msg,
            zh=f"{report.path}：多数坐标不属于 {source}：x、y 是否颠倒，或坐标系有误？请更正文件或图层的 crs。",
        )
    if ground is None or real.sum() < LEAST_POINTS:
        return report
    x_file, y_file = transform_xy(x[real], y[real], source=city, target=source)
    findings = suspect_shift(x_file, y_file, source=source, city=city, areas=ground)
    for finding in findings:
        if finding.name in _REFUSED:
            raise CrsError(f"{report.path}: {finding.en}", zh=f"{report.path}：{finding.zh}")
    return replace(report, warnings=(*report.warnings, *(finding.en for finding in findings)))
