"""Geometries as they come out of files: what can not be parsed costs its row, not the file."""

from typing import Any

import numpy as np
import shapely
import shapely.geometry
from numpy.typing import NDArray

from gis.remarks import Remark, name_rows

_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("xy", "<f8", (2,))])
"""A point in WKB as GDAL writes it."""


def parse_wkb(
    wkb: NDArray[np.object_], *, rows: NDArray[np.int64]
) -> tuple[NDArray[np.object_], tuple[Remark, ...]]:
    """Return geometries, and what is to be said of those that are damaged."""
    points = _points(wkb)
    if points is not None:
        return points, ()
    with np.errstate(invalid="ignore"):  # NaN coordinates are judged later, row by row
        geometry = shapely.from_wkb(wkb, on_invalid="ignore")
    is_present = np.array([value is not None for value in wkb], dtype=bool)
    damaged = is_present & shapely.is_missing(geometry)
    if not damaged.any():
        return geometry, ()
    geometry[damaged] = shapely.from_wkb(wkb[damaged], on_invalid="fix")  # closes open rings
    lost = shapely.is_missing(geometry) & damaged
    notes = lost_note(rows[lost])
    if (damaged & ~lost).any():
        named = name_rows(rows[damaged & ~lost])
        closed = Remark(
            en=f"Open rings were closed: {named.en}.", zh=f"未闭合的环已闭合：{named.zh}。"
        )
        notes = (*notes, closed)
    return geometry, notes


def _points(wkb: NDArray[np.object_]) -> NDArray[np.object_] | None:
    """Return the geometries where all are points with two numbers each, as most surveys are."""
    if len(wkb) == 0 or any(
        type(value) is not bytes or len(value) != _POINT.itemsize for value in wkb
    ):
        return None
    read = np.frombuffer(b"".join(wkb), dtype=_POINT)
    if (read["order"] != 1).any() or (read["kind"] != 1).any() or not np.isfinite(read["xy"]).all():
        return None
    return np.asarray(shapely.points(read["xy"]), dtype=object)


def lost_note(rows: NDArray[np.int64]) -> tuple[Remark, ...]:
    """Return the warning about geometries that could not be parsed, if there are any."""
    if len(rows) == 0:
        return ()
    named = name_rows(rows)
    told = Remark(
        en=f"The geometry can not be read at all: {named.en}.",
        zh=f"图形完全无法读取：{named.zh}。",
    )
    return (told,)


def parse_mapping(feature: Any) -> Any:
    """Return the geometry of a row that fiona read; None: none, or not to be parsed."""
    try:
        return shapely.geometry.shape(feature.geometry) if feature.geometry else None
    except (ValueError, TypeError, shapely.errors.ShapelyError):
        return None
