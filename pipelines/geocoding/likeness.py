"""Delivered places that are alike: one plate twice, two places of one name in a community."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.report.page import DATASETS
from gis.codes import read_rules
from gis.faults import Faults
from pipelines.geocoding.places import GROUP, plain_names, plate_keys
from pipelines.placement import representative_points

RULES = read_rules("pipelines.geocoding")
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
        keys = named["community_code"].astype(str) + "|" + named["kind"]
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


def check_sources(
    own: gpd.GeoDataFrame, derived: gpd.GeoDataFrame, *, frame: pd.DataFrame
) -> pd.DataFrame:
    """Return the faults (AD17) of delivered places that another database has elsewhere in the community.

    A plate is known again by its road and number or compound and building, anything else by its name.
    The nearest place of that name is told; one near enough has been joined and is not among `derived`.
    """
    faults = Faults(frame, rules=RULES)
    kept = derived["source"].ne("members") & derived["kind"].ne("area")
    others = derived[(kept & ~derived["code"].astype(str).str.startswith("crossing:")).to_numpy()]
    if len(own) == 0 or len(others) == 0:
        return faults.outcome().faults
    told = pd.DataFrame(
        {
            "key": _in_community(others).to_numpy(),
            "shape": others.geometry.to_numpy(),
            "source": others["source"].to_numpy(),
        }
    )
    asked = pd.DataFrame({"key": _in_community(own).to_numpy(), "row": np.arange(len(own))})
    pairs = asked[asked["key"].isin(set(told["key"]))].merge(
        told, on="key", how="inner", validate="m:m"
    )
    pairs["distance_m"] = shapely.distance(
        own.geometry.to_numpy()[pairs["row"].to_numpy()], pairs["shape"].to_numpy()
    )
    best = pairs.sort_values(["row", "distance_m"], kind="stable").drop_duplicates("row")
    rows = own.index[best["row"].to_numpy()]
    best = best.set_index(rows)
    mask = pd.Series(True, index=rows).reindex(frame.index, fill_value=False)
    faults.add(
        "AD17",
        mask,
        name=own["name"],
        distance_m=best["distance_m"],
        source=best["source"].map({dataset: en for dataset, (en, _) in DATASETS.items()}),
        source_zh=best["source"].map({dataset: zh for dataset, (_, zh) in DATASETS.items()}),
    )
    return faults.outcome().faults


def _in_community(places: gpd.GeoDataFrame) -> "pd.Series[str]":
    group = places["kind"].map(GROUP)
    name = plain_names(places["name"]).fillna("")
    is_plate = group.eq("plate")
    plates = plate_keys(places[is_plate.to_numpy()].assign(district=None))
    name = name.astype(object)
    name[is_plate] = plates.fillna("")
    where = places["community_code"].fillna("").astype(str)
    # A street is one in its district.
    where = where.mask(group.eq("street"), where.str.slice(0, 6))
    return where + "|" + group + "|" + name
