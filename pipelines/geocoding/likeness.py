"""Delivered places that are alike: one plate twice, two places of one name in a community."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.faults import Faults
from pipelines.geocoding.places import GROUP, plain_names, plate_keys
from pipelines.placement import representative_points

FAR_M = 200.0
"""Two positions of one plate farther apart than this contradict each other."""


def warn_alike(faults: Faults, places: gpd.GeoDataFrame) -> None:
    """Warn of plates delivered twice (AD08), far apart (AD09), and of names twice in a community (AD10).

    The first row is taken for the right one and stays quiet.

    Parameters
    ----------
    faults : Faults
        Of the delivered frame, whose index the places bear.
    places : geopandas.GeoDataFrame
        Accepted places, complete.
    """
    is_plate = places["kind"].eq("plate")
    plates = places[is_plate.to_numpy()]
    if len(plates):
        repeat, far_m, first = _repeats(plates, plate_keys(plates))
        faults.add("AD08", repeat & (far_m <= FAR_M), name=plates["name"], first=first)
        faults.add(
            "AD09", repeat & (far_m > FAR_M), name=plates["name"], first=first, distance_m=far_m
        )
    named = places[(~is_plate).to_numpy()]
    named = named[named["community_code"].notna().to_numpy()]
    if len(named):
        keys = named["community_code"].astype(str) + "|" + named["kind"].map(GROUP)
        keys = keys + "|" + plain_names(named["name"])
        repeat, far_m, first = _repeats(named, keys)
        faults.add("AD10", repeat, name=named["name"], first=first, distance_m=far_m)


def _repeats(
    places: gpd.GeoDataFrame, keys: "pd.Series[str]"
) -> tuple["pd.Series[bool]", "pd.Series[float]", "pd.Series[str]"]:
    """Return which rows repeat the key of an earlier one, how far off they are, and where that one is."""
    known = keys.notna()
    repeat = keys.duplicated(keep="first") & known
    number = pd.Series(np.arange(len(places)), index=places.index)
    first = number.groupby(keys.where(known, number.astype(str)), sort=False).transform("first")
    distance = pd.Series(0.0, index=places.index)
    rows = np.flatnonzero(repeat.to_numpy())
    points = representative_points(places.geometry).to_numpy()
    distance.iloc[rows] = shapely.distance(points[rows], points[first.to_numpy()[rows]])
    where = pd.Series("", index=places.index, dtype=object)
    at = first.to_numpy()[rows]
    files, lines = places["source_file"].to_numpy(), places["source_row"].to_numpy()
    where.iloc[rows] = [f"{files[row]} row {lines[row]}" for row in at]
    return repeat, distance, where
