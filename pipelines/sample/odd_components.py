"""Layers of a careless subcontractor: classes that nobody else surveyed, each with faults of its own."""

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from pipelines.sample.areas import DISTRICT
from pipelines.sample.components import COLUMNS, Layer
from pipelines.sample.district import District
from pipelines.sample.plan import CRS, Array
from pipelines.sample.units import Directory, unit_code

MIXED = "复测部件"
"""Name of the layer of several classes, which a column FLDM names."""
_DAY = "20250512"
_WITHOUT_CONDITION = "0224道路隔音屏"
_OTHER_CITY_M = (84_000.0, -31_000.0)
_GEOGRAPHIC = "EPSG:4490"
Record = tuple[str, int, str, str, str]
Planted = tuple[gpd.GeoDataFrame, list[Record]]


def odd_layers(district: District, lamps: Layer, directory: Directory) -> dict[str, Planted]:
    """Return file name -> layer with the answers to it.

    Parameters
    ----------
    district : District
        Where they lie.
    lamps : Layer
        Street lamps, beside which most of them are put.
    directory : Directory
        Names of units.
    """
    stand = lamps.at[:: max(1, len(lamps.at) // 60)][:60] + np.array([0.271, 0.133])
    layers = {
        "0138地灯": _rounded(stand),
        "0139景观灯": _on_a_lattice(district),
        "0145自动售货机": _in_few_decimals(stand),
        "0224道路隔音屏": _short_lines(stand),
        "0225非机动车停放点": _small_polygons(stand),
        "0230水域标示牌": _in_another_city(stand),
        "0509文物古迹": _crowd(district),
    }
    result = {}
    for name, (shapes, records) in layers.items():
        table = attributes(len(shapes), class_code=name[:4], name=name[4:], directory=directory)
        if name == _WITHOUT_CONDITION:
            table["ObjState"] = np.full(len(table), None, dtype=object)
            records.append((0, "warned", "C042", "no condition in the whole file"))
        frame = gpd.GeoDataFrame(table, geometry=list(shapes), crs=CRS)
        result[name] = (frame, [(f"{name}.shp", *record) for record in records])
    result[MIXED] = _mixed(district, stand, directory)
    return result


def attributes(count: int, *, class_code: str, name: str, directory: Directory) -> pd.DataFrame:
    """Return the attributes of sound rows, codes counting from 980001."""
    blank = np.full(count, None, dtype=object)
    table = pd.DataFrame(dict.fromkeys(COLUMNS, blank), dtype=object)
    table["ObjID"] = [f"{DISTRICT}{class_code}{980001 + row:06d}" for row in range(count)]
    table["ObjName"] = name
    for number, short in ((1, "101"), (2, "204"), (3, "204")):
        table[f"DeptCode{number}"] = unit_code(short)
        table[f"DeptName{number}"] = directory.names[unit_code(short)]
    table["ObjPos"], table["ObjState"], table["DataSource"] = "路侧", "完好", "实测"
    table["ORDate"] = _DAY
    return table


_Shapes = tuple[Sequence[shapely.Geometry], list[tuple[int, str, str, str]]]


def _rounded(stand: Array) -> _Shapes:
    return shapely.points(np.round(stand[:24])), [
        (0, "warned", "C029", "positions rounded to whole metres")
    ]


def _on_a_lattice(district: District) -> _Shapes:
    middle = district.areas.communities[0].land.representative_point()
    x, y = np.meshgrid(np.arange(-2, 3) * 10.0, np.arange(-2, 3) * 10.0)
    corner = np.floor([middle.x, middle.y]) + 0.37
    return shapely.points(corner + np.column_stack([x.ravel(), y.ravel()])), [
        (0, "warned", "C036", "positions on a lattice of 10 m, drawn at a desk")
    ]


def _in_few_decimals(stand: Array) -> _Shapes:
    there = Transformer.from_crs(CRS, _GEOGRAPHIC, always_xy=True)
    back = Transformer.from_crs(_GEOGRAPHIC, CRS, always_xy=True)
    degrees = np.round(np.column_stack(there.transform(*stand[:24].T)), 5)
    return shapely.points(np.column_stack(back.transform(*degrees.T))), [
        (0, "warned", "C037", "longitude and latitude of five decimals")
    ]


def _short_lines(stand: Array) -> _Shapes:
    lines = [shapely.LineString([at, at + np.array([length, 0.0])])
             for at, length in zip(stand[:2], (3.0, 0.04), strict=True)]  # fmt: skip
    return lines, [(2, "warned", "C023", "line of four centimetres, a double click")]


def _small_polygons(stand: Array) -> _Shapes:
    squares = [
        shapely.box(*at, *(at + side)) for at, side in zip(stand[2:4], (4.0, 0.1), strict=True)
    ]
    return squares, [(2, "warned", "C024", "sliver of a hundredth of a square metre")]


def _in_another_city(stand: Array) -> _Shapes:
    moved = np.round(stand[:5] + np.array(_OTHER_CITY_M), 3)
    return shapely.points(moved), [
        (row, "refused", "C095", "whole file of another city") for row in range(1, 6)
    ]


def _crowd(district: District) -> _Shapes:
    """Relics every metre in one house, where nobody else has any: houses lie in one grid."""
    middle = _largest_house(district).representative_point()
    x, y = np.meshgrid(np.arange(-6.0, 6.0), np.arange(-6.0, 6.0))
    points = np.column_stack([x.ravel() + middle.x, y.ravel() + middle.y])
    jitter = district.plan.stream("crowd").uniform(-0.2, 0.2, points.shape)
    return shapely.points(np.round(points + jitter, 3)), [
        (0, "warned", "C093", "144 relics in one house")
    ]


def _largest_house(district: District) -> shapely.Polygon:
    return district.footprints[int(np.argmax(shapely.area(district.footprints)))]


def _mixed(district: District, stand: Array, directory: Directory) -> Planted:
    rows = _planted_rows(district, directory)
    table = attributes(len(rows), class_code="0221", name="便道桩", directory=directory)
    table.insert(2, "FLDM", "0221")
    for name in ("SZSQDM", "权属状态"):
        table[name] = np.full(len(rows), None, dtype=object)
    shapes = list(shapely.points(stand[24 : 24 + len(rows)]))
    records: list[Record] = []
    for row, (changes, rules, note) in enumerate(rows):
        for column, value in changes.items():
            if column == "geometry":
                shapes[row] = shapely.Point(*value) if value is not None else shapes[row - 1]
            else:
                table.iloc[row, table.columns.get_loc(column)] = value
        expected = "refused" if rules and rules[0] in _REFUSED else "warned"
        records += [(f"{MIXED}.shp", row + 1, expected, rule, note) for rule in rules]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=CRS), records


_REFUSED = ("C001", "C019")
_Planted = tuple[Mapping[str, Any], tuple[str, ...], str]


def _planted_rows(district: District, directory: Directory) -> list[_Planted]:
    """Return what differs from a sound row, which rules should speak, and why."""
    inside = _largest_house(district).representative_point()
    drain = directory.names[unit_code("202")]
    communities = [area.code for area in district.areas.communities]
    rows: list[_Planted] = [
        ({}, (), "sound"),
        ({"FLDM": "0116", "ObjID": f"{DISTRICT}0116980001", "ObjName": None}, ("C006",),
         "class whose name nobody knows"),
        ({"ObjName": "路灯"}, ("C007",), "name of another class"),
        ({"ObjID": f"{DISTRICT}02021980004"}, ("C019",), "code of 2026 in a layer of 2013"),
        ({"FLDM": None, "ObjID": None}, ("C001",), "no class anywhere"),
        ({"ObjID": f"{DISTRICT}0221000000"}, ("C016",), "sequence 000000"),
        ({"FLDM": "0217", "ObjID": f"{DISTRICT}0217980007", "ObjName": "交通护栏"}, ("C020",),
         "railing as a point"),
        ({"geometry": (inside.x, inside.y)}, ("C025",), "post inside a house"),
        ({"SZSQDM": f"{DISTRICT}999999"}, ("C034",), "community that does not exist"),
        ({"ORDate": "19480101"}, ("C047",), "mapped before there was a census"),
        ({"ORDate": "19000101"}, ("C048",), "placeholder date, three rows"),
        ({"ORDate": "19000101"}, (), "second of the three"),
        ({"ORDate": "19000101"}, (), "third of the three"),
        ({"ObjPos": "测试"}, ("C049",), "left over from trying the software"),
        ({"DeptCode3": None, "DeptName3": "养护队"}, ("C061",), "spoken name of two units"),
        ({"Note": "无主部件"}, ("C066",), "owner of what has none"),
        ({"DeptCode1": unit_code("202"), "DeptName1": drain}, ("C068",), "company as authority"),
        ({"权属状态": "明确", "DeptCode2": None, "DeptName2": None}, ("C069",), "clear, but whose?"),
        ({}, ("C028",), "four at one point"),
        ({"geometry": None}, (), "second at the point"),
        ({"geometry": None}, (), "third at the point"),
        ({"geometry": None}, (), "fourth at the point"),
    ]  # fmt: skip
    if len(communities) > 1:
        here = district.areas.locate(np.array([[inside.x, inside.y]]))[0]
        other = next(code for code in reversed(communities) if code != here)
        rows += [
            ({"SZSQDM": other, "geometry": _free_spot(district, here)}, ("C033",),
             "another community than the position's"),
            ({"BGID": f"{other}001", "geometry": _free_spot(district, here, 9.0)}, ("C030",),
             "unit grid of another community"),
        ]  # fmt: skip
    wet = wettest_point(district)
    if wet is not None:
        rows.append(({"geometry": (wet.x, wet.y)}, ("C026",), "post in the water"))
    return rows


def _free_spot(district: District, community: str, away_m: float = 6.0) -> tuple[float, float]:
    """Return a place inside a community that is in no house."""
    land = next(area.land for area in district.areas.communities if area.code == community)
    open_land = land.buffer(-60.0).difference(
        shapely.union_all(shapely.buffer(district.footprints, 3.0))
    )
    at = open_land.representative_point()
    return at.x + away_m - 6.0, at.y


def wettest_point(district: District) -> shapely.Point | None:
    """Return the place in the water that is farthest from banks and roads; None without such."""
    lakes = [i for i, patch in enumerate(district.fabric.patches) if patch.kind == "lake"]
    river = shapely.get_parts(district.plan.warp.geometries([district.plan.river])[0])
    water = np.concatenate([river[~shapely.is_empty(river)], district.patches[lakes]])
    roads = shapely.union_all(shapely.buffer(district.segments, 60.0))
    land = district.areas.district.land.buffer(-10.0)
    open_water = [shapely.intersection(part.buffer(-2.0), land).difference(roads) for part in water]
    parts = shapely.get_parts(open_water)
    parts = parts[shapely.area(parts) > 1.0]
    return max(parts, key=lambda part: part.area).representative_point() if len(parts) else None
