"""Basic places 基本地点: their ten levels, their full address, the keys by which two are the same."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from census.survey import map_distinct
from gis.addresses.spelling import normalise

LEVELS = (
    "province",
    "city",
    "district",
    "street",
    "community",
    "road",
    "plate",
    "block",
    "building",
    "poi",
)
"""The ten levels of an address, from the widest (GB/T 30428.3)."""
AREA_LEVELS = ("district", "street", "community")
OWN_LEVEL = {"street": "road", "block": "block", "poi": "poi"}
"""Kind of place -> the level that bears its own name."""
GROUP = {
    "area": "area",
    "street": "street",
    "plate": "plate",
    "block": "site",
    "zone": "site",
    "poi": "site",
}
"""Kind of place -> the kinds that sources use for one another: a school is a block here, a poi there."""
LISTS = ("aliases", "former_names", "short_names", "other_sources")
PLACE_COLUMNS = (
    "code",
    "kind",
    "name",
    "aliases",
    "former_names",
    "short_names",
    "full_address",
    *LEVELS,
    "orientation",
    "supplement",
    "community_code",
    "grid_code",
    "category",
    "source",
    "other_sources",
    "accuracy_m",
    "as_delivered",
    "geometry",
    "source_file",
    "source_row",
)
_DROPPED = re.compile(r"[^\w]+|_")


def complete(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Fill the level that bears a place's own name, the full address, and columns not given.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point
    >>> row = dict.fromkeys(PLACE_COLUMNS)
    >>> row |= {"kind": "poi", "name": "人民医院", "district": "长安区", "road": "裕华路"}
    >>> complete(gpd.GeoDataFrame([row | {"geometry": Point(0, 0)}]))["full_address"].tolist()
    ['长安区裕华路人民医院']
    """
    result = with_columns(places)
    for kind, level in OWN_LEVEL.items():
        own = result["kind"].eq(kind) & result[level].isna()
        result[level] = result[level].astype(object).mask(own, result["name"])
    result["full_address"] = full_addresses(result)
    return result[list(PLACE_COLUMNS)]


def with_columns(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return places with all columns of the table, empty where they were not given."""
    result = places.copy()
    for column in PLACE_COLUMNS:
        if column in result:
            continue
        if column in LISTS:
            result[column] = empty_lists(len(result), index=result.index)
        elif column == "as_delivered":
            result[column] = pd.Series([{} for _ in range(len(result))], index=result.index)
        else:
            result[column] = pd.Series(None, index=result.index, dtype=object)
    return result


def empty_lists(count: int, *, index: "pd.Index[Any]") -> "pd.Series[list[str]]":
    """Return a column of empty lists."""
    return pd.Series([[] for _ in range(count)], index=index, dtype=object)


def full_addresses(places: pd.DataFrame) -> "pd.Series[str]":
    """Join the levels; the name follows where no level says it.

    Examples
    --------
    >>> import pandas as pd
    >>> levels = dict.fromkeys(LEVELS) | {"district": "长安区", "road": "裕华路", "plate": "12号"}
    >>> full_addresses(pd.DataFrame([levels | {"name": "12号"}, levels | {"name": "老槐树"}])).tolist()
    ['长安区裕华路12号', '长安区裕华路12号老槐树']
    """
    texts, last = [""] * len(places), [""] * len(places)
    for level in LEVELS:
        if level not in places or not places[level].notna().any():
            continue
        values = places[level].fillna("").astype(str).tolist()
        # 北京市北京市 is said once.
        texts = [
            text if value == before else text + value
            for text, before, value in zip(texts, last, values, strict=True)
        ]
        last = values
    joined = [
        text if not isinstance(name, str) or name in text else text + name
        for text, name in zip(texts, places["name"], strict=True)
    ]
    return pd.Series(joined, index=places.index, dtype=object)


def plain_name(name: str) -> str:
    """Return the spelling in which names of two sources are compared: no blanks, brackets, capitals.

    Examples
    --------
    >>> plain_name("Ａ座 （东）"), plain_name("裕华路")
    ('a座东', '裕华路')
    """
    if name.isalnum() and not name.isascii() and name.isprintable():
        plain = unicodedata.normalize("NFKC", name)
        return plain.lower()
    return _DROPPED.sub("", unicodedata.normalize("NFKC", name).lower())


def plain_names(names: "pd.Series[str]") -> "pd.Series[str]":
    """Return the same of a column; None for missing."""
    return map_distinct(names, plain_name)


def plate_keys(places: pd.DataFrame) -> "pd.Series[str]":
    """Return what makes a plate this plate: road and number, or compound and building; else None.

    Parameters
    ----------
    places : pandas.DataFrame
        With the ten levels; the district is part of the key.

    Examples
    --------
    >>> levels = dict.fromkeys(LEVELS) | {"district": "长安区", "road": "裕华路", "plate": "１２号"}
    >>> rows = [levels, levels | {"block": "翠屏园", "building": "三号楼"}, dict.fromkeys(LEVELS)]
    >>> plate_keys(pd.DataFrame(rows)).tolist()
    ['长安区|裕华路|12号', '长安区|翠屏园|3号楼', None]
    """
    district, road, plate, block, building = (
        map_distinct(places[level], normalise).fillna("")
        for level in ("district", "road", "plate", "block", "building")
    )
    at_door = (road != "") & (plate != "")
    in_block = (building != "") & (block != "")
    by_door = (district + "|" + road + "|" + plate).where(at_door & building.eq(""))
    by_house = (district + "|" + road + "|" + plate + "|" + building).where(
        at_door & building.ne("") & ~in_block
    )
    by_block = (district + "|" + block + "|" + building).where(in_block)
    keys = by_block.fillna(by_house).fillna(by_door)
    return keys.astype(object).where(keys.notna(), None)


def hashed(prefix: str, identities: Iterable[str]) -> list[str]:
    """Return a code for each identity: the same identity has the same code in every build.

    Examples
    --------
    >>> hashed("road", ["裕华路|130102"])
    ['road:88621d39ae226965']
    """
    return [
        f"{prefix}:{hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()[:16]}"
        for text in identities
    ]


def union_lists(first: Sequence[str], second: Sequence[str], *, but: str = "") -> list[str]:
    """Return the names of both lists, each once, without one that is said elsewhere.

    Examples
    --------
    >>> union_lists(["老街"], ["老街", "古街", "裕华路"], but="裕华路")
    ['老街', '古街']
    """
    return [text for text in dict.fromkeys([*first, *second]) if text and text != but]


def frame_of(
    columns: Mapping[str, Any], *, source: str, geometry: Any, crs: Any
) -> gpd.GeoDataFrame:
    """Return derived places of one source with all columns of the table."""
    frame = gpd.GeoDataFrame(pd.DataFrame(columns), geometry=np.asarray(geometry), crs=crs)
    for column in frame.columns:
        if frame[column].dtype != object and column not in ("geometry", "accuracy_m"):
            frame[column] = frame[column].astype(object)
    return with_columns(frame.assign(source=source, source_file=source, source_row=0))
