"""How good a division is, in figures a city can compare."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridding.features import read_scene
from gridding.options import DivisionOptions

_CUT_M2 = 1.0


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Figures of one layer of unit grids."""

    grids: int
    area_km2: float
    median_m2: float
    smallest_m2: float
    largest_m2: float
    share_within: float
    """Share of grids within the lower and upper ratio of the target (0.5-1.5 by default)."""
    share_near: float
    """Share of grids within 0.7-1.3 of the target."""
    compactness: float
    """Median of 4 π area / perimeter²: 0.785 for a square."""
    buildings: int
    buildings_cut: int
    """Buildings of which two grids hold more than a square metre each."""


def measure(
    grids: gpd.GeoDataFrame, *, features: gpd.GeoDataFrame, options: DivisionOptions | None = None
) -> Quality:
    """Measure grids against the target area and the buildings of the topography.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        Polygons in a metric CRS; at least one.
    features : geopandas.GeoDataFrame
        Topography: ``feature_class`` and ``geometry``, same CRS.
    options : DivisionOptions or None
        Gives target and ratios.
    """
    options = options or DivisionOptions()
    area = grids.geometry.area
    ratio = area / options.target_m2
    buildings = read_scene(features, options=options).buildings
    tree = shapely.STRtree(grids.geometry.to_numpy())
    inside = np.unique(tree.query(buildings, predicate="intersects")[0])
    return Quality(
        grids=len(grids),
        area_km2=float(area.sum() / 1e6),
        median_m2=float(area.median()),
        smallest_m2=float(area.min()),
        largest_m2=float(area.max()),
        share_within=float(ratio.between(options.lower_ratio, options.upper_ratio).mean()),
        share_near=float(ratio.between(0.7, 1.3).mean()),
        compactness=float((4 * np.pi * area / grids.geometry.length**2).median()),
        buildings=len(inside),
        buildings_cut=cut_buildings(grids, buildings)["building"].nunique(),
    )


def cut_buildings(
    grids: gpd.GeoDataFrame, buildings: "np.ndarray[tuple[int], np.dtype[np.object_]]"
) -> pd.DataFrame:
    """Return the buildings of which more than one grid holds over a square metre, and those grids.

    Returns
    -------
    pandas.DataFrame
        ``building`` (position in `buildings`), ``grid`` (position in `grids`), ``area_m2``.

    Examples
    --------
    >>> import numpy as np
    >>> from shapely import box
    >>> grids = gpd.GeoDataFrame(geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)])
    >>> houses = np.array([box(10, 10, 20, 20), box(95, 10, 110, 20)])
    >>> cut_buildings(grids, houses).values.tolist()
    [[1.0, 0.0, 50.0], [1.0, 1.0, 100.0]]
    """
    shapes = grids.geometry.to_numpy()
    building, grid = shapely.STRtree(shapes).query(buildings, predicate="intersects")
    area = shapely.area(shapely.intersection(buildings[building], shapes[grid]))
    table = pd.DataFrame({"building": building, "grid": grid, "area_m2": area})
    table = table[table["area_m2"] > _CUT_M2].sort_values(["building", "grid"])
    return table[table["building"].duplicated(keep=False)].reset_index(drop=True)
