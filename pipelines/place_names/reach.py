"""Which areas a place reaches: all of them, for roads, rivers and grounds that cross borders."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipelines.context import BuildContext

LEAST_M = 1.0
"""A line that lies in an area for less, or a polygon that covers less in m², does not reach it."""


def areas_crossed(geometry: gpd.GeoSeries, context: BuildContext) -> "pd.Series[list[str]]":
    """Return the codes of the smallest areas that each line or polygon reaches, sorted; [] for points.

    The smallest areas are the communities; where a shape lies in none, the streets, then the districts.
    A line must lie inside for more than 1 m, a polygon for more than 1 m², so that one that only runs
    along a border belongs to the areas on both sides of it only if it wanders into them.
    """
    result = pd.Series([[] for _ in range(len(geometry))], index=geometry.index, dtype=object)
    areas = context.features("areas")
    spread = shapely.get_dimensions(geometry.to_numpy()) > 0
    rest = geometry[spread]
    for level in ("community", "street", "district"):
        if rest.empty:
            break
        found = _reached(rest, areas[areas["level"] == level])
        for row, codes in found.items():
            result[row] = codes
        rest = rest[~rest.index.isin(list(found))]
    return result


def _reached(geometry: gpd.GeoSeries, areas: gpd.GeoDataFrame) -> dict[object, list[str]]:
    if areas.empty:
        return {}
    shapes, codes = geometry.to_numpy(), areas["code"].to_numpy(dtype=object)
    lands = areas.geometry.to_numpy()
    row, area = shapely.STRtree(lands).query(shapes, predicate="intersects")
    common = shapely.intersection(shapes[row], lands[area])
    is_line = shapely.get_dimensions(shapes[row]) == 1
    measure = np.where(is_line, shapely.length(common), shapely.area(common))
    enough = measure > LEAST_M
    result: dict[object, list[str]] = {}
    for at, code in sorted(zip(row[enough].tolist(), codes[area[enough]], strict=True)):
        result.setdefault(geometry.index[at], []).append(code)
    return result
