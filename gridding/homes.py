"""Which community 社区 a grid lies in."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]


def is_finite(shapes: Geometries) -> NDArray[np.bool_]:
    """Return which geometries are there, not empty, and have no coordinate that is no number.

    Examples
    --------
    >>> shapes = np.array([shapely.box(0, 0, 1, 1), None, shapely.Point(float("nan"), 0)])
    >>> is_finite(shapes).tolist()
    [True, False, False]
    """
    points, owner = shapely.get_coordinates(shapes, return_index=True)
    finite: NDArray[np.bool_] = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    finite[owner[~np.isfinite(points).all(axis=1)]] = False
    return finite


def community_of(grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> "pd.Series[str]":
    """Return the code of the community that holds most of each grid; None where none does.

    Of equal shares the lesser code wins. A grid that only touches a community is not in it.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        Polygons; invalid ones are read as `shapely.make_valid` mends them.
    communities : geopandas.GeoDataFrame
        ``code`` and ``geometry`` in the same CRS.

    Examples
    --------
    >>> communities = gpd.GeoDataFrame(
    ...     {"code": ["a", "b"]}, geometry=[shapely.box(0, 0, 9, 9), shapely.box(9, 0, 18, 9)]
    ... )
    >>> boxes = [shapely.box(1, 1, 2, 2), shapely.box(7, 0, 12, 9), shapely.box(18, 0, 20, 9)]
    >>> community_of(gpd.GeoDataFrame(geometry=boxes), communities).tolist()
    ['a', 'b', None]
    """
    shapes = grids.geometry.to_numpy().copy()
    shapes[~is_finite(shapes)] = None
    broken = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
    shapes[broken] = shapely.make_valid(shapes[broken])
    ordered = communities.sort_values("code", kind="stable")
    land = ordered.geometry.to_numpy()
    shapely.prepare(land)
    grid, holder = shapely.STRtree(land).query(shapes)
    share = np.where(shapely.covers(land[holder], shapes[grid]), shapely.area(shapes[grid]), 0.0)
    for pair in np.flatnonzero((share == 0) & ~np.isin(grid, grid[share > 0])):
        inside = shapely.intersection(
            shapes[grid[pair]], clipped(land[holder[pair]], shapes[grid[pair]])
        )
        share[pair] = shapely.area(inside)
    order = np.lexsort((holder, -np.round(share, 3), grid))
    order = order[share[order] > 0]
    grid, holder = grid[order], holder[order]
    best = np.diff(grid, prepend=-1) > 0
    result = np.full(len(grids), None, dtype=object)
    result[grid[best]] = ordered["code"].to_numpy()[holder[best]]
    return pd.Series(result, index=grids.index, dtype=object)


def clipped(land: shapely.Geometry, shape: shapely.Geometry) -> shapely.Geometry:
    """Return the part of `land` in the box round `shape`: an overlay with it costs far less.

    Examples
    --------
    >>> clipped(shapely.box(0, 0, 9, 9), shapely.box(8, 8, 10, 10)).area
    1.0
    """
    return shapely.make_valid(shapely.clip_by_rect(land, *shapely.bounds(shape)))
