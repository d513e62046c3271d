"""Named features of the base topography as places: their kinds, and the buildings with a number."""

import re
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from census.survey import map_distinct
from gis.addresses.spelling import normalise
from gis.codes import read_table
from pipelines.geocoding.places import frame_of
from pipelines.geocoding.streets import cluster, join_streets, joined
from pipelines.placement import representative_points

SAME_SITE_M = 200.0
"""Features of one name nearer than this are one place: the two banks of a pond, a school in two parts."""
SAME_WATER_M = 1_000.0
"""The same for stretches of the city, which lie about more widely: a river between two bridges."""
_BUILDING = re.compile(r"第?([0-9a-z]+)号?(?:楼|栋|幢|座|#)?")
_NUMERAL = re.compile(r"[0-9０-９一二三四五六七八九十百]+")
_NUMBERED = ("310300", "310400", "310500", "310501")
_NUMBER_ATTRIBUTES = ("楼号", "栋号", "幢号", "楼牌", "楼栋", "BLDNO", "addr:housenumber")
_GEOMETRY = ("point", "line", "polygon")


@cache
def _kinds() -> dict[tuple[str, str], str]:
    rows = read_table("pipelines.geocoding", "topography_kinds.csv")
    return {(row["class"], row["geometry"]): row["kind"] for row in rows}


def kind_of_class(feature_class: str, geometry: str) -> str:
    """Return the kind of place that a named feature is; empty: none.

    Examples
    --------
    >>> kind_of_class("430501", "line"), kind_of_class("310600", "polygon"), kind_of_class("110102", "point")
    ('street', 'block', '')
    """
    for digits in range(len(feature_class), 0, -1):
        for form in (geometry, "any"):
            kind = _kinds().get((feature_class[:digits], form))
            if kind is not None:
                return kind
    return ""


def kinds_of(features: gpd.GeoDataFrame) -> "pd.Series[str]":
    """Return the kind of each feature by its class and the dimension of its geometry."""
    dimension = shapely.get_dimensions(features.geometry.to_numpy())
    form = pd.Series(np.array(_GEOMETRY, dtype=object)[dimension], index=features.index)
    both = features["feature_class"].astype(str) + "|" + form
    return map_distinct(both, lambda text: kind_of_class(*str(text).split("|")))


def named_places(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the streets, blocks, zones, marks and numbered buildings among the features."""
    houses = numbered_buildings(features)
    named = features[features["name"].notna()]
    named = named[~named["code"].isin(_codes(houses))]
    kinds = kinds_of(named)
    parts = [join_streets(named[kinds.eq("street").to_numpy()])]
    for kind, distance_m in (("block", SAME_SITE_M), ("poi", SAME_SITE_M), ("zone", SAME_WATER_M)):
        rows = named[kinds.eq(kind).to_numpy()].sort_values("code", kind="stable")
        parts.append(joined(rows, cluster(rows, distance_m=distance_m), kind=kind))
    whole = pd.concat([*parts, houses], ignore_index=True)
    return gpd.GeoDataFrame(whole, geometry="geometry", crs=features.crs)


def _codes(houses: gpd.GeoDataFrame) -> list[str]:
    return [refs[0].removeprefix("topography:") for refs in houses["other_sources"]]


def building_number(text: str) -> str:
    """Return the number of a building as a plate says it; empty for a name that is no number.

    Examples
    --------
    >>> [building_number(text) for text in ("3号楼", "十二栋", "四", "B座", "电视大楼")]
    ['3号楼', '12号楼', '4号楼', 'b座', '']
    """
    bare = _NUMERAL.fullmatch(text.strip())
    plain = normalise(f"{text.strip()}号楼" if bare else text)
    found = _BUILDING.fullmatch(plain)
    if found is None or len(found[1]) > 4:
        return ""
    number = found[1]
    return f"{number}号楼" if number.isdigit() else f"{number}座"


def numbered_buildings(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the plates 楼牌 of buildings that bear a number and stand in a named compound.

    The number is the building's name or one of its attributes; the smallest compound that holds
    the building's representative point gives the name before it. Of two buildings with one number
    in a compound the one of the lower code is the plate.
    """
    number = _numbers(features)
    houses = features[number.notna().to_numpy()].sort_values("code", kind="stable")
    compounds = features[
        features["feature_class"].eq("310600").to_numpy() & features["name"].notna().to_numpy()
    ]
    inside = _smallest_holder(houses, compounds)
    houses, inside = houses[inside >= 0], inside[inside >= 0]
    blocks = compounds["name"].to_numpy(dtype=object)[inside]
    numbers = number.loc[houses.index].to_numpy(dtype=object)
    names = [f"{block}{text}" for block, text in zip(blocks, numbers, strict=True)]
    first = ~pd.Series(names, dtype=object).duplicated().to_numpy(dtype=bool)
    return frame_of(
        {
            "kind": "plate",
            "name": np.array([*names, None], dtype=object)[:-1][first],
            "block": blocks[first],
            "building": numbers[first],
            "other_sources": [[f"topography:{code}"] for code in houses["code"][first]],
        },
        source="topography",
        geometry=representative_points(houses.geometry)[first].to_numpy(),
        crs=features.crs,
    )


def _numbers(features: gpd.GeoDataFrame) -> "pd.Series[str]":
    is_house = features["feature_class"].isin(_NUMBERED)
    said = features["name"].astype(object).where(is_house & features["name"].notna(), None)
    if "attributes" in features:
        rest = (is_house & said.isna()).to_numpy()
        told = [_told_number(each) for each in features["attributes"].to_numpy()[rest]]
        said = said.to_numpy(dtype=object).copy()
        said[rest] = told
        said = pd.Series(said, index=features.index, dtype=object)
    numbers = map_distinct(said, lambda text: building_number(str(text)) or None)
    return numbers.astype(object)


def _told_number(attributes: object) -> str | None:
    if not isinstance(attributes, dict):
        return None
    for name in _NUMBER_ATTRIBUTES:
        if attributes.get(name):
            return str(attributes[name])
    return None


def _smallest_holder(houses: gpd.GeoDataFrame, compounds: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Return the row of the smallest compound that holds each house, -1: none does."""
    result = np.full(len(houses), -1, dtype=np.int64)
    if len(houses) == 0 or len(compounds) == 0:
        return result
    shapes = compounds.geometry.to_numpy()
    points = representative_points(houses.geometry).to_numpy()
    house, compound = shapely.STRtree(shapes).query(points, predicate="intersects")
    order = np.lexsort((compound, -shapely.area(shapes)[compound]))
    result[house[order]] = compound[order]  # written last: the smallest
    return result
