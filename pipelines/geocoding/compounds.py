"""Compounds 小区 and villages that nobody delivered as such but that addresses name."""

import re

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.survey import map_distinct
from gis.addresses.plates import in_town
from gis.addresses.spelling import normalise
from pipelines.geocoding.places import AREA_LEVELS, frame_of, plain_names
from pipelines.placement import representative_points

COMPOUND_SIGMA_M = 90.0
"""One address lies about so far from the middle of its compound, per axis, m: half of Shanghai's rows that share
a compound lie within 107 m of the others of it, and a round normal distribution has its median at 1.18."""
_MOST_M = 500.0
"""Where the addresses lie farther apart than this, per axis, the name is that of several places, m."""
_NAMED_BY = 5
_LEAST_NAME = 3
_PLAIN = re.compile(
    r"^(?:[\d一二三四五六七八九十东南西北中a-z]|号线|商业|生活)*(?:广场|[区期村园苑里城]|小区|社区|新村)*$"
)
"""What is left of a name that a thousand others bear too: 一区, 商业广场, 10号线二期."""


def member_compounds(delivered: gpd.GeoDataFrame, known: pd.DataFrame) -> gpd.GeoDataFrame:
    """Return a compound 区片 for every name that delivered addresses have on that level and no place bears.

    It lies at the median of the places in it, axis by axis; ``accuracy_m`` is their spread about it, to
    which a single one's distance from the middle of a compound adds less the more there are.
    ``as_delivered`` says how many places name it, and the codes of the first five. A name whose
    places lie far apart within a district, and one without a word of its own, is none.

    Parameters
    ----------
    delivered : geopandas.GeoDataFrame
        Delivered places with their levels, in the city's CRS.
    known : pandas.DataFrame
        All places, by whose names and other names a compound may be known already.
    """
    rows = delivered[(delivered["block"].notna() & delivered["kind"].ne("block")).to_numpy()]
    key = _in_district(rows, rows["block"])
    is_own = map_distinct(rows["block"], is_telling).astype(bool) & ~key.isin(_borne(known))
    rows, key = rows[is_own.to_numpy()], key[is_own].to_numpy()
    if len(rows) == 0:
        return frame_of({"kind": [], "name": []}, source="members", geometry=[], crs=delivered.crs)
    xy = shapely.get_coordinates(representative_points(rows.geometry).to_numpy())
    table = pd.DataFrame(
        {"key": key, "code": rows["code"].to_numpy(), "x": xy[:, 0], "y": xy[:, 1]}
    ).sort_values(["key", "code"], kind="stable")
    groups = table.groupby("key")
    off = table[["x", "y"]] - groups[["x", "y"]].transform("median")
    spread = np.sqrt((off**2).sum(axis=1).groupby(table["key"]).mean() / 2.0)
    told = groups.agg(x=("x", "median"), y=("y", "median"), places=("code", "size"))
    told["named_by"] = groups["code"].agg(lambda codes: codes.tolist()[:_NAMED_BY])
    told["first"] = groups["code"].head(1).index
    told["accuracy_m"] = np.hypot(spread, COMPOUND_SIGMA_M / np.sqrt(told["places"])).round(1)
    told = told[(spread <= _MOST_M).to_numpy()]
    first = rows.iloc[told["first"].to_numpy()]
    return frame_of(
        {
            "kind": "block",
            "name": first["block"].to_numpy(),
            "aliases": [_without_town(name) for name in first["block"]],
            **{level: first[level].to_numpy() for level in ("province", "city", *AREA_LEVELS)},
            "accuracy_m": told["accuracy_m"].to_numpy(),
            "as_delivered": [
                {"places": places, "named_by": codes}
                for places, codes in zip(told["places"].tolist(), told["named_by"], strict=True)
            ],
        },
        source="members",
        geometry=shapely.points(told[["x", "y"]].to_numpy()),
        crs=delivered.crs,
    )


def is_telling(name: str) -> bool:
    """Tell whether a name tells its compound from others.

    Examples
    --------
    >>> [is_telling(name) for name in ("控江四村", "翠屏园", "一区", "商业广场", "10号线二期")]
    [True, True, False, False, False]
    """
    plain = normalise(name)
    return len(plain) >= _LEAST_NAME and _PLAIN.fullmatch(plain) is None


def _without_town(name: str) -> list[str]:
    """Return the name without the town that it begins with, if that leaves a name.

    Examples
    --------
    >>> _without_town("白鹤镇胜新村"), _without_town("控江四村")
    (['胜新村'], [])
    """
    own = str(in_town(normalise(name)).get("block", ""))
    return [own] if own and own != normalise(name) and is_telling(own) else []


def _in_district(places: pd.DataFrame, names: "pd.Series[str]") -> "pd.Series[str]":
    return places["district"].fillna("").astype(str) + "|" + plain_names(names).fillna("")


def _borne(places: pd.DataFrame) -> set[str]:
    """Return the names, by district, that places bear."""
    borne = set(_in_district(places, places["name"]))
    for column in ("aliases", "former_names", "short_names"):
        others = places[["district", column]].explode(column).dropna(subset=[column])
        borne |= set(_in_district(others, others[column]))
    return borne
