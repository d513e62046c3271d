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
RANGE_SIGMA_M = 25.0
"""The same for a single number of a plate that bears several, 923号 of 923-927号, m."""
_GATE_SHARE = 0.25
"""Where fewer of those at a plate say no building, they are more likely astray than the others deep."""
_FIGURES = re.compile(r"\d{1,6}")
_NUMBER = re.compile(r"[甲乙丙丁]?(\d{1,6})(?![\d弄])")


def plate_number(plate: str) -> float:
    """Return the number of a plate; not a number where it has none.

    Examples
    --------
    >>> plate_number("１２号"), plate_number("十二号之3"), plate_number("甲7号"), plate_number("24 1/2")
    (12.0, 12.0, 7.0, 24.0)
    """
    first = (plate.split() or [""])[0]  # 24 1/2 is no 241
    found = _NUMBER.match(normalise(first))
    return float(found[1]) if found else float("nan")


def plate_numbers(plates: "pd.Series[str]") -> "pd.Series[float]":
    """Return the same of a column; not a number for missing."""
    return pd.to_numeric(map_distinct(plates, plate_number), errors="coerce").astype(float)


def member_plates(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a plate for every road and number that places stand at and nobody delivered.

    It lies at the median of its members, axis by axis, so that one strayed member among several moves
    little; ``accuracy_m`` is the spread of the members, at least `MEMBER_SIGMA_M`. What stands in a
    numbered building is a member only where little else is: 裕华路12号3号楼 may lie deep in the compound.

    Parameters
    ----------
    places : geopandas.GeoDataFrame
        Delivered places with their levels, in the city's CRS.
    """
    has_plate = places["road"].notna() & places["plate"].notna()
    rows = places[has_plate.to_numpy()]
    at_door = plate_keys(rows.assign(building=None))
    own = rows["kind"].eq("plate") & rows["building"].isna()
    known = set(at_door[own])
    is_member = ~at_door.isin(known)
    at_gate = at_door[is_member & rows["building"].isna()].value_counts()
    gates = at_door.map(at_gate).fillna(0)
    all_there = at_door.map(at_door[is_member].value_counts()).fillna(0)
    is_member &= rows["building"].isna() | (gates < _GATE_SHARE * all_there)
    members = rows[is_member.to_numpy()]
    first = _plates_of(members, at_door[is_member], least_m=MEMBER_SIGMA_M)
    single = _single_numbers(rows)
    keys = plate_keys(single.assign(building=None))
    rest = ~keys.isin(known | set(at_door[is_member]))
    second = _plates_of(single[rest.to_numpy()], keys[rest], least_m=RANGE_SIGMA_M)
    whole = pd.concat([first, second], ignore_index=True)
    return gpd.GeoDataFrame(whole, geometry="geometry", crs=places.crs)


def _single_numbers(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a row for each single number of plates that bear several: 923-927号 is 923号 and 927号 too."""
    numbers = map_distinct(rows["plate"], single_numbers)
    count = numbers.map(len).to_numpy(dtype=np.int64)
    several = rows.iloc[np.repeat(np.arange(len(rows)), count)]
    plates = [f"{number}号" for each in numbers for number in each]
    return several.assign(plate=plates).reset_index(drop=True)


def single_numbers(plate: str) -> tuple[str, ...]:
    """Return the plain numbers that a plate with more than one number stands for; none for a plain one.

    Examples
    --------
    >>> single_numbers("923-927号"), single_numbers("170-2号"), single_numbers("12号")
    (('923', '927'), ('170',), ())
    """
    plain = normalise(plate)
    found = [figure.lstrip("0") for figure in _FIGURES.findall(plain)]
    if "弄" in plain or not found or plain in (f"{found[0]}号", found[0]):
        return ()
    first, *others = found
    upwards = [number for number in others if number and int(number) > int(first or 0)]
    return tuple(dict.fromkeys(number for number in (first, *upwards) if number))


def _plates_of(
    members: gpd.GeoDataFrame, keys: "pd.Series[str]", *, least_m: float
) -> gpd.GeoDataFrame:
    """Return the plate of each key, at the median of its members."""
    if len(members) == 0:
        return frame_of({"kind": [], "name": []}, source="members", geometry=[], crs=members.crs)
    xy = shapely.get_coordinates(representative_points(members.geometry).to_numpy())
    table = pd.DataFrame({"key": keys.to_numpy(), "x": xy[:, 0], "y": xy[:, 1]})
    middle = table.groupby("key", sort=False)[["x", "y"]].transform("median")
    table["off_m"] = np.hypot(table["x"] - middle["x"], table["y"] - middle["y"])
    order = table.sort_values(["key", "off_m", "x", "y"], kind="stable").index
    heads = table.loc[order].drop_duplicates("key")
    first = members.iloc[heads.index.to_numpy()]
    table["square"] = table["off_m"] ** 2 / 2.0
    spread = np.sqrt(table.groupby("key")["square"].mean().reindex(heads["key"]).to_numpy())
    return frame_of(
        {
            "kind": "plate",
            "name": (first["road"] + first["plate"]).to_numpy(),
            **{level: first[level].to_numpy() for level in LEVELS[:7]},
            "accuracy_m": np.maximum(np.round(spread, 1), least_m),
        },
        source="members",
        geometry=shapely.points(middle.loc[heads.index].to_numpy()),
        crs=members.crs,
    )
