"""Crossings 路口 of streets as places: marks of kind ``poi`` named ``A与B路口``.

Reports name crossings so, and no kind of GB/T 30428.3 is closer; the other order and spellings are
aliases. Where two streets meet more than once the crossings are counted from the south-west.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipelines.geocoding.places import frame_of, hashed, plain_names
from pipelines.topography.carriageways import with_centrelines
from pipelines.topography.crossings import named_crossings

CROSSING_M = 60.0
"""Meetings of the same two streets nearer than this are one crossing, m."""
SNAP_M = 3.0
"""Centrelines that end this near to another street meet it: drawn to the kerb, or not quite joined, m."""
MOST_MEETINGS = 8
"""Two streets that meet more often run along each other: only their outermost meetings are places."""


def crossing_places(roads: gpd.GeoDataFrame, streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the crossings of named roads as places, by the codes of their streets.

    Parameters
    ----------
    roads : geopandas.GeoDataFrame
        Map features of roads, named or not, and of bridges, in metres; roads that come as areas alone
        get centrelines.
    streets : geopandas.GeoDataFrame
        Street places made of them, with ``code``; of two streets of one name the nearer one is meant.
    """
    empty = frame_of({"kind": [], "name": []}, source="topography", geometry=[], crs=roads.crs)
    spread = roads[shapely.get_dimensions(roads.geometry.to_numpy()) > 0].reset_index(drop=True)
    if len(spread) == 0 or len(streets) == 0:
        return empty
    met = named_crossings(with_centrelines(spread), snap_m=SNAP_M, merge_m=CROSSING_M)
    if len(met) == 0:
        return empty
    table = pd.DataFrame(
        {
            "first": met["name_a"].to_numpy(),
            "second": met["name_b"].to_numpy(),
            "one": _street_codes(met, met["name_a"], streets),
            "two": _street_codes(met, met["name_b"], streets),
            "x": met.geometry.x.to_numpy(),
            "y": met.geometry.y.to_numpy(),
            "shape": met.geometry.to_numpy(),
        }
    )
    known = table["one"].notna() & table["two"].notna() & table["one"].ne(table["two"])
    table = table[known].sort_values(["one", "two", "x", "y"], kind="stable", ignore_index=True)
    table = _outermost(table)
    number = table.groupby(["one", "two"], sort=False).cumcount() + 1
    pair = hashed("crossing", (table["one"] + "|" + table["two"]).tolist())
    codes = [
        code if count == 1 else f"{code}:{count}" for code, count in zip(pair, number, strict=True)
    ]
    names = [
        crossing_names(first, second)
        for first, second in zip(table["first"], table["second"], strict=True)
    ]
    return frame_of(
        {
            "code": codes,
            "kind": "poi",
            "name": [each[0] for each in names],
            "aliases": [each[1:] for each in names],
        },
        source="topography",
        geometry=table["shape"].to_numpy(),
        crs=roads.crs,
    )


def _street_codes(
    met: gpd.GeoDataFrame, names: "pd.Series[str]", streets: gpd.GeoDataFrame
) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    """Return the code of the nearest street of each name; None: there is none."""
    keys = plain_names(streets["name"])
    known = pd.DataFrame(
        {"key": keys.to_numpy(), "code": streets["code"].to_numpy(), "row": np.arange(len(keys))}
    )
    wanted = pd.DataFrame({"key": plain_names(names).to_numpy(), "met": np.arange(len(met))})
    pairs = wanted.merge(known, on="key", how="inner", validate="m:m")
    pairs["distance_m"] = shapely.distance(
        met.geometry.to_numpy()[pairs["met"].to_numpy()],
        streets.geometry.to_numpy()[pairs["row"].to_numpy()],
    )
    best = pairs.sort_values(["met", "distance_m", "row"], kind="stable").drop_duplicates("met")
    codes = np.full(len(met), None, dtype=object)
    codes[best["met"].to_numpy()] = best["code"].to_numpy(dtype=object)
    return codes


def _outermost(table: pd.DataFrame) -> pd.DataFrame:
    """Keep the first and the last meeting of streets that weave about each other."""
    grouped = table.groupby(["one", "two"], sort=False)
    size = grouped["first"].transform("size")
    number = grouped.cumcount()
    kept = (size <= MOST_MEETINGS) | (number == 0) | (number == size - 1)
    return table[kept].reset_index(drop=True)


def crossing_names(first: str, second: str) -> list[str]:
    """Return the ways in which reports name the crossing of two roads, the standard one first.

    Examples
    --------
    >>> crossing_names("裕华路", "建设大街")[:3]
    ['裕华路与建设大街路口', '建设大街与裕华路路口', '裕华路与建设大街交叉口']
    """
    pairs = ((first, second), (second, first))
    return [
        f"{one}{word}{two}{end}"
        for word, end in (("与", "路口"), ("与", "交叉口"), ("和", "路口"), ("", "路口"))
        for one, two in pairs
    ]
