"""Geometries as they come out of files: what can not be parsed costs its row, not the file."""

from typing import Any

import numpy as np
import shapely
import shapely.geometry
from numpy.typing import NDArray

from gis.findings import name_rows


def parse_wkb(
    wkb: NDArray[np.object_], *, rows: NDArray[np.int64]
) -> tuple[NDArray[np.object_], tuple[str, ...]]:
    """Return geometries, and what is to be said of those that are damaged."""
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
        notes = (*notes, f"Open rings were closed: {name_rows(rows[damaged & ~lost])}.")
    return geometry, notes


def lost_note(rows: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the warning about geometries that could not be parsed, if there are any."""
    return (f"The geometry can not be read at all: {name_rows(rows)}.",) if len(rows) else ()


def parse_mapping(feature: Any) -> Any:
    """Return the geometry of a row that fiona read; None: none, or not to be parsed."""
    try:
        return shapely.geometry.shape(feature.geometry) if feature.geometry else None
    except (ValueError, TypeError, shapely.errors.ShapelyError):
        return None
