"""Which of the six kinds a delivered place is where its row does not say."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.survey import map_distinct
from gis.names.romanisation import generic_kind

_BLOCK_ENDINGS = (
    "小区",
    "新村",
    "家园",
    "家属院",
    "大院",
    "宿舍",
    "花园",
    "苑",
    "公寓",
    "里弄",
    "院",
)
_REASONS = {
    "poi": ("it has a name of its own", "有独立名称"),
    "building": ("it has a building number", "有楼牌号"),
    "plate": ("it has a plate and no name", "仅有门牌、无名称"),
    "block": ("its name is that of a compound", "名称为小区或院落"),
    "street": ("its name is that of a road", "名称为道路"),
    "area": ("its name is that of an area", "名称为行政区域"),
    "zone": ("it is an outline without plate", "为面状图形且无门牌"),
}
_KIND = {"building": "plate"}
KINDS_ZH = {
    "area": "区域",
    "zone": "地片",
    "block": "区片",
    "street": "街巷",
    "plate": "门（楼）牌",
    "poi": "兴趣点",
}
"""Kind of place -> what GB/T 30428.3 calls it."""


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """Kinds made up for rows that give none; all series are aligned to the rows."""

    kind: "pd.Series[str]"
    why: "pd.Series[str]"
    why_zh: "pd.Series[str]"


def assume_kinds(rows: gpd.GeoDataFrame) -> Assumed:
    """Return the kind that each row most likely is, and why.

    A building's number makes a plate 楼牌; a name of its own a mark, or what its generic part and its
    geometry tell (路 a street, 小区 a block, 区 an area, an outline without plate a zone); a plate
    without name a plate 门牌; else the smallest level.

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        ``name`` (as delivered) and the ten levels, with geometry.

    Examples
    --------
    >>> from shapely import Point
    >>> levels = {"road": None, "plate": None, "block": None, "building": None, "poi": None}
    >>> table = [{"name": "国际饭店", "plate": "170号"}, {"plate": "170号"}, {"name": "裕华路"}]
    >>> rows = gpd.GeoDataFrame([levels | {"name": None} | row for row in table],
    ...                         geometry=[Point(0, 0)] * 3)
    >>> assume_kinds(rows).kind.tolist()
    ['poi', 'plate', 'street']
    """
    name = rows["name"]
    has = {level: rows[level].notna() for level in ("road", "plate", "block", "building", "poi")}
    level_text = _joined(rows)
    own_name = name.notna() & ~_says(level_text, name)
    generic = map_distinct(name, lambda text: generic_kind(str(text))).fillna("")
    is_block = name.fillna("").astype(str).str.endswith(_BLOCK_ENDINGS)
    is_area = shapely.get_dimensions(rows.geometry.to_numpy()) == 2
    is_line = shapely.get_dimensions(rows.geometry.to_numpy()) == 1
    no_plate = ~has["plate"]
    reason = np.select(
        [
            has["building"] & ~has["poi"] & ~own_name,
            is_line & ~has["plate"],
            no_plate & generic.eq("street") & ~has["poi"],
            no_plate & generic.eq("area") & ~has["poi"] & ~has["road"],
            no_plate & is_block & ~has["poi"],
            (own_name | has["poi"]) & is_area & no_plate & ~has["road"],
            own_name | has["poi"],
            has["plate"],
            has["block"],
            has["road"],
        ],
        [
            "building",
            "street",
            "street",
            "area",
            "block",
            "zone",
            "poi",
            "plate",
            "block",
            "street",
        ],
        default="poi",
    )
    kind = pd.Series(reason, index=rows.index, dtype=object)
    return Assumed(
        kind=kind.replace(_KIND),
        why=kind.map({key: words[0] for key, words in _REASONS.items()}),
        why_zh=kind.map({key: words[1] for key, words in _REASONS.items()}),
    )


def _joined(rows: gpd.GeoDataFrame) -> "pd.Series[str]":
    parts = [rows[level].fillna("").astype(str) for level in ("road", "plate", "block", "building")]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    return whole


def _says(texts: "pd.Series[str]", names: "pd.Series[str]") -> "pd.Series[bool]":
    """Tell whether each text holds the whole name: it is then no name of its own."""
    found = [
        isinstance(name, str) and name in text for text, name in zip(texts, names, strict=True)
    ]
    return pd.Series(found, index=names.index, dtype=bool)
