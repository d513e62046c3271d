"""The place-name table 标准地名: roads, areas, compounds, parks, with romanisation here and there."""

import numpy as np
import pandas as pd
import shapely

from pipelines.sample.addresses import Gazetteer
from pipelines.sample.district import District

COLUMNS = (
    "地名代码", "标准名称", "汉语拼音", "类别代码", "别名", "曾用名", "X", "Y",
)  # fmt: skip
_ROAD, _WATER, _PARK, _COMMUNITY, _TOWN, _VILLAGE, _UNIT = (
    "23", "12", "25", "21620", "22100", "22200", "27",
)  # fmt: skip
_FORMER = ("东方红路", "反修街", "工农兵路", "卫东街", "跃进街", "红卫路", "向阳街")
_KNOWN = {
    "重庆路": "Chongqing Lu", "乐亭路": "Laoting Lu", "六安路": "Lu'an Lu", "厦门路": "Xiamen Lu",
    "蔚州路": "Yuzhou Lu", "行唐路": "Xingtang Lu", "朝阳路": "Chaoyang Lu", "单城大街": "Shancheng Dajie",
    "曾家大街": "Zengjia Dajie", "长征大街": "Changzheng Dajie", "滹沱路": "Hutuo Lu",
    "裕华路": "Yuhua Lu", "和平路": "Heping Lu", "光明路": "Guangming Lu", "解放大道": "Jiefang Dadao",
}  # fmt: skip
"""Names whose reading the civil affairs office has decided, polyphones 多音字 among them."""


def place_name_table(district: District, gazetteer: Gazetteer) -> pd.DataFrame:
    """Return the table; two thirds of the romanisations are left to the platform."""
    stream = district.plan.stream("placenames")
    rows = [
        *_lines(district),
        *_areas(district),
        *_compounds(district),
        *_open_land(district, gazetteer),
    ]
    table = pd.DataFrame(rows, columns=["标准名称", "类别代码", "X", "Y"])
    table["汉语拼音"] = [_KNOWN.get(name) for name in table["标准名称"]]
    blank = stream.uniform(size=len(table)) < 0.5
    table.loc[blank, "汉语拼音"] = None
    table["别名"] = None
    table["曾用名"] = None
    roads = np.flatnonzero(table["类别代码"] == _ROAD)
    renamed = stream.choice(roads, min(len(_FORMER), len(roads) // 3), replace=False)
    table["曾用名"] = table["曾用名"].astype(object)
    for row, former in zip(np.sort(renamed).tolist(), _FORMER, strict=False):
        table.loc[row, "曾用名"] = former
    table["地名代码"] = [f"130102{number:08d}" for number in range(1, len(table) + 1)]
    return table[list(COLUMNS)]


_Row = tuple[str, str, str, str]


def _row(name: str, category: str, at: shapely.Point) -> _Row:
    return name, category, f"{at.x:.2f}", f"{at.y:.2f}"


def _lines(district: District) -> list[_Row]:
    rows = []
    for name, line in zip(district.network.names, district.roads, strict=True):
        middle = line.interpolate(0.5, normalized=True)
        if district.areas.district.land.intersects(middle):
            rows.append(_row(name, _ROAD, middle))
    return rows


def _areas(district: District) -> list[_Row]:
    rows = []
    for area in district.areas.communities:
        category = _VILLAGE if area.name.endswith("村") else _COMMUNITY
        rows.append(_row(area.name, category, area.land.representative_point()))
    return rows


def _compounds(district: District) -> list[_Row]:
    rows = []
    for index, compound in enumerate(district.fabric.compounds):
        category = _TOWN if compound.kind in ("slab", "tower") else _UNIT
        at = district.compounds[index].representative_point()
        rows.append(_row(district.compound_names[index], category, at))
    return rows


def _open_land(district: District, gazetteer: Gazetteer) -> list[_Row]:
    rows = []
    if not district.plan.river.is_empty:
        river = district.plan.warp.geometries([district.plan.river])[0]
        rows.append(_row("石津渠", _WATER, river.representative_point()))
    for name, at in zip(gazetteer.poi_names, gazetteer.poi_at, strict=True):
        if name.endswith("公园"):
            rows.append(_row(name, _PARK, shapely.Point(at)))
    return rows
