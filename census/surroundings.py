"""What stands where it can not stand: components inside buildings and in water.

The ground is the base map: buildings are polygons of feature class 310 without compounds 院落, water are
polygons of rivers, canals, lakes and reservoirs. Which classes may be there is ``codes/surroundings.csv``.
"""

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from census.standing import standing
from gis.codes import read_table
from gis.faults import Faults

BUILDINGS = ("3101", "3102", "3103", "3104", "3105")
"""Beginnings of feature classes (GB/T 13923) of buildings; 310600 院落 is open ground."""
WATER = ("21", "22", "23", "24")
CROSSINGS = ("41", "42", "43", "44", "45")
"""Railways, roads, bridges."""
BRIDGE_WIDTH_M = 25.0
"""What crosses water carries components this far beside its line, m."""
Geometries = NDArray[np.object_]


@cache
def allowed_names(surrounding: str) -> frozenset[str]:
    """Return the classes, by name, that may lie in a ``building`` or in ``water``.

    Examples
    --------
    >>> "公共厕所" in allowed_names("building"), "路灯" in allowed_names("water")
    (True, False)
    """
    rows = read_table("census.codes", "surroundings.csv")
    return frozenset(row["name"] for row in rows if row[surrounding] == "yes")


@cache
def standard_names() -> frozenset[str]:
    """Return the names of the minor classes of all generations; nothing is said of a city's own."""
    rows = read_table("census.codes", "component_classes.csv")
    return frozenset(row["name"] for row in rows if row["parent"])


def judge_surroundings(
    rows: gpd.GeoDataFrame, faults: Faults, *, points: NDArray[np.float64], ground: gpd.GeoDataFrame
) -> None:
    """Report components that lie in a building (C025) or in water (C026), deeper than their accuracy.

    A component on a bridge, or within `BRIDGE_WIDTH_M` of where a road or railway crosses the water,
    does not lie in it. A point on an outline lies outside.

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows with ``class_code``, ``class_name`` and ``accuracy_m``.
    faults : Faults
        Gets C025 and C026.
    points : numpy.ndarray
        Representative point of each row, m.
    ground : geopandas.GeoDataFrame
        Base map: ``feature_class`` and geometry in the same CRS.
    """
    if len(rows) == 0 or len(ground) == 0:
        return
    shapes, kinds = ground.geometry.to_numpy(), ground["feature_class"].astype("str")
    is_area = shapely.get_dimensions(shapes) == 2
    kept = standing(rows, faults).to_numpy() & rows["class_name"].isin(standard_names()).to_numpy()
    tree = shapely.STRtree(shapely.points(points))
    for rule, surrounding, prefixes in (
        ("C025", "building", BUILDINGS),
        ("C026", "water", WATER),
    ):
        areas = shapes[is_area & kinds.str.startswith(prefixes).to_numpy()]
        doubted = kept & ~rows["class_name"].isin(allowed_names(surrounding)).to_numpy()
        depth, holder = depths(tree, areas)
        deep = np.flatnonzero(doubted & (depth > rows["accuracy_m"].to_numpy(dtype=float)))
        if surrounding == "water" and len(deep):
            crossing = over_water(
                shapes[kinds.str.startswith(CROSSINGS).to_numpy()], areas[np.unique(holder[deep])]
            )
            carried = shapely.buffer(crossing, BRIDGE_WIDTH_M)
            deep = deep[~_is_in_any(points[deep], carried)]
        index = rows.index[deep]
        faults.add(
            rule,
            pd.Series(True, index=index),
            class_name=rows["class_name"],
            depth_m=pd.Series(depth[deep], index=index),
        )


def depths(
    points: shapely.STRtree, areas: Geometries
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return how deep each point lies in the area that holds it, m, and which that is; 0 and -1: in none.

    Of several areas the first counts.

    Examples
    --------
    >>> tree = shapely.STRtree(shapely.points([[2.0, 5.0], [11.0, 5.0]]))
    >>> depths(tree, np.array([shapely.box(0, 0, 10, 10)]))[0].tolist()
    [2.0, 0.0]
    """
    spots = points.geometries
    depth, holder = np.zeros(len(spots)), np.full(len(spots), -1, dtype=np.intp)
    if len(spots) == 0 or len(areas) == 0:
        return depth, holder
    # Asked by area: shapely prepares what it asks with, and a river has many corners.
    area, row = points.query(areas, predicate="contains")
    order = np.lexsort((area, row))
    row, first = np.unique(row[order], return_index=True)
    holder[row] = area[order][first]
    used, position = np.unique(holder[row], return_inverse=True)
    outlines = shapely.boundary(areas[used])
    shapely.prepare(outlines)
    depth[row] = shapely.distance(outlines[position], spots[row])
    return depth, holder


def over_water(crossings: Geometries, water: Geometries) -> Geometries:
    """Return the parts of roads, railways and bridges that lie over water.

    Examples
    --------
    >>> road, lake = shapely.LineString([(-5, 1), (15, 1)]), shapely.box(0, 0, 10, 10)
    >>> over_water(np.array([road]), np.array([lake]))[0].length
    10.0
    """
    road, area = shapely.STRtree(crossings).query(water, predicate="intersects")[::-1]
    parts = shapely.intersection(crossings[road], water[area])
    return np.asarray(parts[~shapely.is_empty(parts)], dtype=object)


def _is_in_any(points: NDArray[np.float64], areas: Geometries) -> NDArray[np.bool_]:
    result = np.zeros(len(points), dtype=bool)
    if len(areas):
        result[shapely.STRtree(areas).query(shapely.points(points), predicate="intersects")[0]] = (
            True
        )
    return result
