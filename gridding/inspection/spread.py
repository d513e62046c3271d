"""The spread of areas: grids outside the window, and the figures of a layer."""

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.homes import Geometries, is_finite
from gridding.inspection.findings import Findings
from gridding.inspection.layer import CheckOptions, GridLayer, Indices

_OPEN = ("21", "23", "24", "81", "82", "83", "84", "85")
"""Water, cropland, forest and other vegetation: grids there may be large."""


def find_sizes(
    layer: GridLayer,
    findings: Findings,
    *,
    features: gpd.GeoDataFrame | None,
    options: CheckOptions,
) -> Indices:
    """Find grids below and above the window of area: UG21, UG22; slivers are told as such.

    A large grid of which water or vegetation covers half is no fault. Returns those grids.
    """
    rows = np.setdiff1d(layer.rows, findings.rows_of("UG20"))
    area = shapely.area(layer.shapes[rows])
    ratio = area / options.target_m2
    small = ratio < options.lower_ratio
    findings.add("UG21", rows[small], area_m2=area[small], ratio=ratio[small])
    large = np.flatnonzero(ratio > options.upper_ratio)
    is_open = np.zeros(len(large), dtype=np.bool_)
    if features is not None and len(large):
        is_open = _open_share(layer.shapes[rows[large]], features) >= 0.5
    told = large[~is_open]
    findings.add("UG22", rows[told], area_m2=area[told], ratio=ratio[told])
    return rows[large[is_open]].astype(np.intp)


def _open_share(shapes: Geometries, features: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return which share of each polygon water and vegetation cover."""
    is_open = features["feature_class"].astype(str).str.startswith(_OPEN)
    areas = features.geometry.to_numpy()[is_open.to_numpy()]
    areas = areas[is_finite(areas)]
    areas = shapely.make_valid(areas[np.isin(shapely.get_type_id(areas), (3, 6))])
    covered = np.zeros(len(shapes))
    shape, area = shapely.STRtree(areas).query(shapes, predicate="intersects")
    for one in np.unique(shape):
        cover = shapely.union_all(areas[area[shape == one]])
        covered[one] = shapely.area(shapely.intersection(shapes[one], cover))
    covered /= np.maximum(shapely.area(shapes), 1e-9)
    return covered
