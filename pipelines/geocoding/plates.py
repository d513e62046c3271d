"""Door plates 门牌: their numbers, and the plates that nobody delivered but that others stand at."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.survey import map_distinct
from gis.addresses.spelling import normalise
from pipelines.geocoding.places import LEVELS, frame_of, plate_keys
from pipelines.placement import representative_points

MEMBER_SIGMA_M = 15.0
"""A shop or a house lies about as far from its plate, per axis, m."""
_NUMBER = re.compile(r"[甲乙丙丁]?(\d{1,6})(?![\d弄])")


def plate_number(plate: str) -> float:
    """Return the number of a plate; not a number where it has none.

    Examples
    --------
    >>> plate_number("１２号"), plate_number("十二号之3"), plate_number("甲7号"), plate_number("181弄22号")
    (12.0, 12.0, 7.0, nan)
    """
    found = _NUMBER.match(normalise(plate))
    return float(found[1]) if found else float("nan")


def plate_numbers(plates: "pd.Series[str]") -> "pd.Series[float]":
    """Return the same of a column; not a number for missing."""
    return pd.to_numeric(map_distinct(plates, plate_number), errors="coerce").astype(float)


def member_plates(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a plate for every road and number that places stand at and nobody delivered.

    It lies at the place nearest to the median of its members, so that one strayed member moves
    nothing; ``accuracy_m`` is the spread of the members, at least `MEMBER_SIGMA_M`. What stands in a
    numbered building is a member only where nothing else is: 裕华路12号3号楼 may lie deep in the compound.

    Parameters
    ----------
    places : geopandas.GeoDataFrame
        Delivered places with their levels, in the city's CRS.
    """
    has_plate = places["road"].notna() & places["plate"].notna()
    rows = places[has_plate.to_numpy()]
    at_door = rows.assign(building=None)
    keys = plate_keys(at_door)
    own = rows["kind"].eq("plate") & rows["building"].isna()
    delivered = set(keys[own])
    is_member = ~keys.isin(delivered)
    at_gate = set(keys[is_member & rows["building"].isna()])
    is_member &= rows["building"].isna() | ~keys.isin(at_gate)
    members, keys = rows[is_member.to_numpy()], keys[is_member]
    if len(members) == 0:
        return frame_of({"kind": [], "name": []}, source="members", geometry=[], crs=places.crs)
    xy = shapely.get_coordinates(representative_points(members.geometry).to_numpy())
    table = pd.DataFrame({"key": keys.to_numpy(), "x": xy[:, 0], "y": xy[:, 1]})
    grouped = table.groupby("key", sort=False)
    middle = grouped[["x", "y"]].transform("median")
    table["off_m"] = np.hypot(table["x"] - middle["x"], table["y"] - middle["y"])
    order = table.sort_values(["key", "off_m", "x", "y"], kind="stable").index
    heads = table.loc[order].drop_duplicates("key")
    first = members.iloc[heads.index.to_numpy()]
    at = heads[["x", "y"]].set_axis(heads["key"]).reindex(table["key"]).to_numpy()
    table["square"] = ((xy - at) ** 2).sum(axis=1) / 2.0
    spread = np.sqrt(table.groupby("key")["square"].mean().reindex(heads["key"]).to_numpy())
    columns = {level: first[level].to_numpy() for level in LEVELS[:7]}
    return frame_of(
        {
            "kind": "plate",
            "name": (first["road"] + first["plate"]).to_numpy(),
            **columns,
            "accuracy_m": np.maximum(np.round(spread, 1), MEMBER_SIGMA_M),
        },
        source="members",
        geometry=shapely.points(heads[["x", "y"]].to_numpy()),
        crs=places.crs,
    )
