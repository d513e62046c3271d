"""Base topography judged as one map: the rules of a build, and those that look at the whole."""

import geopandas as gpd

from gis.faults import Outcome
from pipelines.context import BuildContext
from pipelines.topography import features


def judge(frame: gpd.GeoDataFrame, context: BuildContext) -> Outcome:
    """Judge map features by every rule of the catalogue."""
    return features.transform(frame, context)
