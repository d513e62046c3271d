"""Faults of the place-name table and of the layer of labels, one for each rule of place names."""

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipelines.sample.district import District
from pipelines.sample.faults import Fault
from pipelines.sample.plan import CRS

LABELS_FILE = "注记.shp"
_MOJIBAKE = "裕华路东段社区".encode().decode("gb18030", errors="replace")
_LONG = "位于建设大街与中山路交叉口西北侧的原某厂家属院" * 5
_LABEL_CLASS = {"street": "439000", "compound": "319000", "note": "319000"}
_STEP_M = 24.0
"""Between the characters of a street's name along it."""
Record = tuple[str, int, str, str, str]
_Text = tuple[str, str, shapely.Point]


def place_name_faults(frame: pd.DataFrame) -> list[Fault]:
    """Return the faults planted among the place names of the table."""
    street = int(np.flatnonzero(frame["类别代码"] == "23")[8])
    community = int(np.flatnonzero(frame["类别代码"] == "21620")[0])
    estate = int(np.flatnonzero(frame["类别代码"] == "22100")[0])
    codes = iter(range(90000001, 90000100))

    def copy(row: int, name: str | None, expected: Any, rule: str, note: str, **more: Any) -> Fault:
        changes = {"地名代码": f"130102{next(codes)}", "标准名称": name, "汉语拼音": None} | more
        return Fault(row=row, changes=changes, expected=expected, rule=rule, note=note)

    def pair(
        one: str, other: str, rule: str, note: str, alias: str | None = None, row: int = street
    ) -> Sequence[Fault]:
        plain = {"别名": None, "曾用名": None}
        sound = f"sound: the other of {rule}"
        return (
            copy(row, one, "fixed", "", sound, **plain | {"别名": alias}),
            copy(row + 1, other, "warned", rule, note, **plain),
        )

    return [
        Fault(row=3, changes={"类别代码": "99999"}, is_copy=False,
              expected="warned", rule="PN01", note="category that is in no table"),
        copy(5, None, "refused", "P003", "no name"),
        copy(7, "乐亭巷", "warned", "PN02", "polyphone 乐 read Lè where the place name says Lào",
             汉语拼音="Leting Xiang"),
        copy(street, "望湖巷", "warned", "PN03", "no code", 地名代码=None),
        copy(street, _MOJIBAKE, "refused", "PN04", "UTF-8 read as GB18030"),
        copy(street, "<b>望云巷</b>", "refused", "PN05", "copied from a web page"),
        copy(street, _LONG, "refused", "PN06", "a description for a name"),
        copy(street, "望 星 巷", "warned", "PN07", "characters spaced out"),
        copy(estate, "望月小区(二期)", "warned", "PN08", "brackets in a standard name"),
        copy(street, "國慶巷", "warned", "PN09", "traditional characters"),
        copy(estate, "老槐树", "warned", "PN15", "no generic part"),
        copy(street, "大道", "warned", "PN16", "a generic part alone"),
        copy(community, "望春社区", "warned", "PN17", "21620 cut to 1620", 类别代码="1620"),
        copy(street, "望雪巷", "warned", "PN18", "no category", 类别代码=None),
        copy(street, "望潮巷", "warned", "PN19", "a street among the waters", 类别代码="12"),
        copy(street, "望霞巷", "warned", "PN20", "tone figures and capitals", 汉语拼音="WANG4XIA2 XIANG4"),
        copy(street, "望虹巷", "warned", "PN22", "dates in words", 曾用名="红旗巷（解放前1）"),
        copy(street, "望帆巷", "fixed", "", "former name with its years", 曾用名="卫星巷（1958—1981）"),
        *pair("集贤公寓", "集贤公寓", "PN10", "the same name again", row=estate),
        *pair("珍珠巷", "真珠巷", "PN11", "sounds the same"),
        *pair("金山巷", "金桑巷", "PN12", "nearly sounds the same"),
        *pair("未央巷", "末央巷", "PN13", "looks the same"),
        *pair("聚源巷", "状元巷", "PN14", "is another's alias", alias="状元巷"),
    ]  # fmt: skip


def label_layer(district: District) -> tuple[gpd.GeoDataFrame, list[Record]]:
    """Return labels of the map as CAD writes them, and the faults among them.

    Each of the longer streets has its name every 400 m, character by character; compounds have
    theirs in rows; heights and materials stand among them.
    """
    rows: list[_Text] = []
    land = district.areas.district.land
    for name, line in zip(district.network.names, district.roads, strict=True):
        rows += _along(name, line, land)
    inside = [land.representative_point() for land in district.compounds[:12]]
    for index, at in enumerate(inside):
        rows += _in_rows(district.compound_names[index], at)
        note = "混3" if index % 2 else "74.85"
        rows.append((note, "note", shapely.Point(at.x + 3, at.y - 14)))
    ways = [np.asarray(lines, dtype=object) for lines in (district.roads, district.paths)]
    roads = shapely.union_all(np.concatenate(ways))
    quiet = max(inside, key=lambda at: shapely.distance(at, roads))
    rows.append(("东岗旧货市场", "compound", shapely.Point(inside[0].x + 40, inside[0].y)))
    rows.append(("望尽街", "street", shapely.Point(quiet.x + 6, quiet.y + 9)))
    frame = gpd.GeoDataFrame(
        {
            "FCODE": [_LABEL_CLASS[kind] for _, kind, _ in rows],
            "TEXT": [text for text, _, _ in rows],
        },
        geometry=[at for _, _, at in rows],
        crs=CRS,
    )
    records = [
        (LABELS_FILE, len(rows) - 1, "warned", "PN23", "label in a compound of another name"),
        (LABELS_FILE, len(rows), "warned", "PN24", "label of a street far from any"),
    ]
    return frame, records


def _along(name: str, line: shapely.LineString, land: shapely.Geometry) -> list[_Text]:
    length = shapely.length(line)
    reach = _STEP_M * (len(name) - 1)
    starts = np.arange(60.0, length - reach - 40.0, 400.0)
    east, north = np.subtract(line.coords[-1][:2], line.coords[0][:2])
    onward = east >= 0 if abs(east) >= abs(north) else north < 0
    result = []
    for start in starts.tolist():
        points = [line.interpolate(start + _STEP_M * at) for at in range(len(name))]
        signs = zip(name if onward else name[::-1], points, strict=True)
        if land.contains(shapely.MultiPoint(points)):
            result += [(sign, "street", point) for sign, point in signs]
    return result


def _in_rows(name: str, at: shapely.Point) -> list[_Text]:
    if len(name) <= len("长安小区"):
        return [(name, "compound", at)]
    half = len(name) // 2
    return [
        (name[:half], "compound", shapely.Point(at.x, at.y + 4.0)),
        (name[half:], "compound", shapely.Point(at.x + 1.0, at.y - 4.0)),
    ]
