"""Centrelines for roads that were delivered as areas alone."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridding.centrelines import trace_centrelines
from pipelines.topography.network import is_road, road_lines

_PRECISION_M = 0.01


def with_centrelines(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the features and, behind them, a line for each road area that no line runs through.

    A line has class and name of the area that most of it lies in; see `gridding.centrelines`.

    Parameters
    ----------
    features : geopandas.GeoDataFrame
        ``feature_class``, ``name`` and geometry, metres.

    Examples
    --------
    >>> road = gpd.GeoDataFrame(
    ...     {"feature_class": ["430503"], "name": ["甲路"]}, geometry=[shapely.box(0, 0, 100, 10)]
    ... )
    >>> with_centrelines(road)["name"].tolist()
    ['甲路', '甲路']
    """
    chosen = features[is_road(features["feature_class"]) & features.geometry.notna()]
    chosen = chosen[shapely.get_dimensions(chosen.geometry.to_numpy()) == 2]
    parts, owner = shapely.get_parts(
        shapely.force_2d(chosen.geometry.to_numpy()), return_index=True
    )
    known = road_lines(features).geometry.to_numpy()
    lines, area = trace_centrelines(parts, known=known, precision_m=_PRECISION_M)
    if len(lines) == 0:
        return features
    table = pd.DataFrame(chosen.drop(columns="geometry")).iloc[owner[area]]
    traced = gpd.GeoDataFrame(table, geometry=np.asarray(lines, dtype=object), crs=features.crs)
    return gpd.GeoDataFrame(pd.concat([features, traced], ignore_index=True), crs=features.crs)
