"""In which unit grid and which areas a feature lies: one rule for all datasets.

A feature lies where its representative point lies; a point on a shared edge lies in the cell of the
lowest code (`gis.index`); a point in no cell lies in none.
"""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.faults import Faults
from gis.geometry import check_geometry
from gis.index import CellIndex
from pipelines.context import BuildContext

COMMUNITY_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where each row of a frame lies; all series are aligned to it, None where it lies in none."""

    grid_code: "pd.Series[str]"
    community_code: "pd.Series[str]"
    area_code: "pd.Series[str]"
    """Smallest area that holds it: community, else street, else district."""


def representative_points(geometry: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return a point of each geometry: points as they are, else one on the line or in the polygon.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point, box
    >>> representative_points(gpd.GeoSeries([Point(1, 2), box(0, 0, 2, 2)])).to_wkt().tolist()
    ['POINT (1 2)', 'POINT (1 1)']
    """
    shapes = geometry.to_numpy()
    points = np.asarray(shapes, dtype=object).copy()
    types = shapely.get_type_id(points)
    is_line = np.isin(types, [shapely.GeometryType.LINESTRING, shapely.GeometryType.LINEARRING])
    points[is_line] = shapely.line_interpolate_point(points[is_line], 0.5, normalized=True)
    other = ~is_line & (types > shapely.GeometryType.POINT)
    points[other] = shapely.point_on_surface(points[other])
    return gpd.GeoSeries(points, index=geometry.index, crs=geometry.crs)


def find_cells(geometry: gpd.GeoSeries, cells: gpd.GeoDataFrame) -> "pd.Series[str]":
    """Return the code of the cell that holds each feature's representative point, else None.

    Parameters
    ----------
    geometry : geopandas.GeoSeries
        Features in the CRS of the cells.
    cells : geopandas.GeoDataFrame
        ``code`` and geometry; a point on a shared edge gets the lowest code.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point, box
    >>> cells = gpd.GeoDataFrame({"code": ["b", "a"]}, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)])
    >>> find_cells(gpd.GeoSeries([Point(1, 0.5), Point(0.2, 0.5), Point(9, 9)]), cells).tolist()
    ['a', 'b', None]
    """
    result = np.full(len(geometry), None, dtype=object)
    if len(cells) and len(geometry):
        index = CellIndex(cells["code"].tolist(), cells.geometry.to_numpy())
        found = index.holders(representative_points(geometry).to_numpy())
        inside = found >= 0
        result[inside] = cells["code"].to_numpy(dtype=object)[found[inside]]
    return pd.Series(result, index=geometry.index, dtype=object)


def first_digits(codes: "pd.Series[str]", digits: int) -> "pd.Series[str]":
    """Return the first digits of each code, None for missing; each distinct code is cut once.

    Examples
    --------
    >>> first_digits(pd.Series(["130102001", None]), 6).tolist()
    ['130102', None]
    """
    position, distinct = pd.factorize(codes)
    short = np.array([*(str(code)[:digits] for code in distinct), None], dtype=object)
    return pd.Series(short[position], index=codes.index, dtype=object)  # missing: -1, the last


def place(geometry: gpd.GeoSeries, context: BuildContext) -> Placement:
    """Find grid, community and smallest area of each feature, in the city's CRS.

    The community is the grid's, so that the two never contradict each other; outside the grids it
    is the community polygon that holds the point.
    """
    grids, areas = context.features("unit_grids"), context.features("areas")
    grid_code = find_cells(geometry, grids)
    community = first_digits(grid_code, COMMUNITY_DIGITS)
    rest = grid_code.isna()
    if rest.any():
        communities = areas[areas["level"] == "community"]
        community[rest] = find_cells(geometry[rest], communities)
    smallest = community.copy()
    for level in ("street", "district"):
        rest = smallest.isna()
        if rest.any():
            smallest[rest] = find_cells(geometry[rest], areas[areas["level"] == level])
    return Placement(
        grid_code=grid_code,
        community_code=community.astype(object).where(community.notna(), None),
        area_code=smallest.astype(object).where(smallest.notna(), None),
    )


def check_in_city(
    frame: gpd.GeoDataFrame, faults: Faults, *, kinds: frozenset[str], context: BuildContext
) -> gpd.GeoDataFrame:
    """Check geometry as `gis.geometry.check_geometry`, within the city as the profile bounds it."""
    return check_geometry(
        frame,
        faults,
        kinds=kinds,
        within=city_extent(context),
        margin_m=context.profile.thresholds.outside_distance_m,
    )


def city_extent(context: BuildContext) -> shapely.Geometry | None:
    """Return the city's ground widened by the profile's ``outside_distance_m``; None: no areas."""
    areas = context.features("areas")
    if len(areas) == 0:
        return None
    top = areas[areas["code"].str.len() == areas["code"].str.len().min()]
    ground = shapely.union_all(top.geometry.to_numpy())
    return shapely.buffer(ground, context.profile.thresholds.outside_distance_m)


def chain_names(area_code: "pd.Series[str]", context: BuildContext) -> pd.DataFrame:
    """Return the names of the district, street and community on the way down to each area.

    Parameters
    ----------
    area_code : pandas.Series
        Codes of 6, 9 or 12 digits; None gives no name.

    Returns
    -------
    DataFrame
        Columns ``district``, ``street``, ``community``, aligned to the codes.
    """
    areas = context.rows("areas")
    name = dict(zip(areas["code"], areas["name"], strict=True))
    return pd.DataFrame(
        {
            level: [
                name.get(code[:digits]) if isinstance(code, str) and len(code) >= digits else None
                for code in area_code
            ]
            for level, digits in (("district", 6), ("street", 9), ("community", COMMUNITY_DIGITS))
        },
        index=area_code.index,
        dtype=object,
    )
