"""Faults of component layers: codes, places, owners, dates, words."""

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import affinity

from pipelines.sample.areas import DISTRICT
from pipelines.sample.faults import Fault
from pipelines.sample.units import Directory

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
LONG_POSITION = (
    "位于道路北侧人行道盲道与绿化带之间靠近公交站台东端约三米处的行道树树池边缘附近标志杆旁"
)
"""In GBK longer than the 80 bytes of its column."""
CUT_WIDTH = 80


def component_faults(frame: gpd.GeoDataFrame, class_code: str) -> list[Fault]:
    """Return the faults planted in the layer of a class; few classes have any."""
    make = _BY_CLASS.get(class_code)
    if make is None or len(frame) < 12:
        return []
    step = len(frame) // 12
    return make(frame, [step // 2 + step * number for number in range(12)])


def spoil_in_place(tables: dict[str, pd.DataFrame]) -> None:
    """Spoil rows that stay loadable, before cases are reported on them."""
    for class_code, table in tables.items():
        frame = gpd.GeoDataFrame(table, geometry=[shapely.Point(0, 0)] * len(table))
        for fault in component_faults(frame, class_code):
            if not fault.is_copy:
                for column, value in fault.changes.items():
                    table.iloc[fault.row, table.columns.get_loc(column)] = value


def whole_files(
    table: pd.DataFrame, *, file: str, directory: Directory
) -> list[tuple[str, int, str, str, str]]:
    """Return what is told once of a file: units that are gone, owners and maintainers left blank."""
    records = []
    for number in (1, 2, 3):
        codes = set(table[f"DeptCode{number}"].dropna()) & set(directory.successors)
        records += [(file, 0, "warned", "C067", f"{code} was taken over") for code in sorted(codes)]
    blank = [
        bool((table[f"DeptCode{number}"].isna() & table[f"DeptName{number}"].isna()).any())
        for number in (2, 3)
    ]
    if any(blank):
        records.append((file, 0, "warned", "C096", "owner or maintainer not filled"))
    return records


def _code(class_code: str, number: int) -> str:
    return f"{DISTRICT}{class_code}{990000 + number:06d}"


def _moved(frame: gpd.GeoDataFrame, row: int, dx: float, dy: float) -> shapely.Geometry:
    moved = affinity.translate(frame.geometry.iloc[row], dx, dy)
    return shapely.transform(moved, lambda xy: np.round(xy, 3))


def _codes(frame: gpd.GeoDataFrame, at: list[int]) -> list[Fault]:
    """Spoil codes: layer 0101."""
    own = frame["ObjID"].tolist()
    return [
        Fault(row=at[0], changes={"ObjID": _code("0102", 1), "geometry": _moved(frame, at[0], 3, 2)},
              expected="refused", rule="C015", note="class in the code is not that of the layer"),
        Fault(row=at[1], changes={"geometry": _moved(frame, at[1], 12, 5)},
              expected="refused", rule="C012", note="code used twice, the second row is refused"),
        Fault(row=at[2], changes={"ObjID": _code("0101", 2)[:-1], "geometry": _moved(frame, at[2], 4, 3)},
              expected="refused", rule="C010", note="code of 15 digits"),
        Fault(row=at[3], changes={"ObjID": "130105" + _code("0101", 3)[6:], "geometry": _moved(frame, at[3], 3, 4)},
              expected="refused", rule="C014", note="code of the neighbouring district"),
        Fault(row=at[4], changes={"ObjID": _code("0101", 4), "geometry": _moved(frame, at[4], 0.2, 0.2)},
              expected="warned", rule="C021", note="mapped twice, 0.28 m apart"),
        Fault(row=at[5], changes={"ObjID": own[at[5]].translate(_FULL_WIDTH)}, is_copy=False,
              expected="fixed", rule="", note="code in full-width digits"),
        Fault(row=at[6], changes={"ObjID": None, "geometry": _moved(frame, at[6], 5, 4)},
              expected="warned", rule="C011", note="no code; one is given"),
    ]  # fmt: skip


def _places(frame: gpd.GeoDataFrame, at: list[int]) -> list[Fault]:
    """Spoil places and owners: layer 0103."""
    point = frame.geometry.iloc[at[1]]
    return [
        Fault(row=at[0], changes={"ObjID": _code("0103", 1), "geometry": _moved(frame, at[0], 90_000, 4_000)},
              expected="refused", rule="G009", note="point far outside the district"),
        Fault(row=at[1], changes={"ObjID": _code("0103", 2), "geometry": shapely.Point(point.y, point.x)},
              expected="refused", rule="G010", note="x and y swapped"),
        Fault(row=at[2], changes={"ObjID": _code("0103", 3), "geometry": None},
              expected="refused", rule="G001", note="attributes without geometry"),
        Fault(row=at[3], changes={"DeptCode3": None, "DeptName3": "市政三处（已撤销）"}, is_copy=False,
              expected="warned", rule="C060", note="maintainer that is in no directory"),
        Fault(row=at[4], changes={"BGID": "130102999001001"}, is_copy=False,
              expected="warned", rule="C031", note="unit grid that does not exist"),
        Fault(row=at[5], changes={"DeptName2": "排水公司", "DeptCode2": "1301020203"}, is_copy=False,
              expected="warned", rule="C062", note="code and name of the owner differ"),
    ]  # fmt: skip


def _dates(_: gpd.GeoDataFrame, at: list[int]) -> list[Fault]:
    """Spoil dates and words: layer 0137."""
    return [
        Fault(row=at[0], changes={"ORDate": "20250410", "CHDate": "20230105"}, is_copy=False,
              expected="warned", rule="C044", note="changed before it was first mapped"),
        Fault(row=at[1], changes={"ORDate": "20991231"}, is_copy=False,
              expected="warned", rule="C045", note="first mapped after the delivery"),
        Fault(row=at[2], changes={"ORDate": "20251345"}, is_copy=False,
              expected="warned", rule="C043", note="no date"),
        Fault(row=at[3], changes={"ObjState": "好像坏了"}, is_copy=False,
              expected="warned", rule="C040", note="condition in free words"),
        Fault(row=at[4], changes={"DeptCode1": None, "DeptName1": None}, is_copy=False,
              expected="warned", rule="C041", note="competent department left empty"),
        Fault(row=at[5], changes={"ORDate": "2025年4月2日"}, is_copy=False,
              expected="fixed", rule="", note="date in Chinese writing"),
        Fault(row=at[6], changes={"DeptCode3": None, "DeptName3": "市路灯处"}, is_copy=False,
              expected="fixed", rule="", note="maintainer by an alias of the directory"),
        Fault(row=at[7], changes={"ObjName": "路灯" * 20}, is_copy=False,
              expected="warned", rule="C046", note="name of 40 characters"),
    ]  # fmt: skip


def _texts(_: gpd.GeoDataFrame, at: list[int]) -> list[Fault]:
    """Spoil texts: layer 0402."""
    return [
        Fault(row=at[0], changes={"ObjPos": "@" * CUT_WIDTH}, is_copy=False,
              expected="warned", rule="C070", note="GBK character cut at the column's width; the rest stays"),
    ]  # fmt: skip


_BY_CLASS: dict[str, Callable[[gpd.GeoDataFrame, list[int]], list[Fault]]] = {
    "0101": _codes,
    "0103": _places,
    "0137": _dates,
    "0402": _texts,
}


def mixed_layer(
    tables: dict[str, pd.DataFrame], seats: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, list[tuple[str, int, str, str, str]]]:
    """Return a layer of several classes with a class column, as a later supplement delivers it."""
    columns = [name for name in tables["0407"].columns if name != "geometry"]
    base = pd.concat([tables["0407"].iloc[[0]][columns]] * len(_MIXED), ignore_index=True)
    base["ObjID"] = [
        f"{DISTRICT}{known}{980000 + number:06d}" if known else None
        for number, (_, known, *_) in enumerate(_MIXED, start=1)
    ]
    base.insert(2, "FLDM", [said for said, *_ in _MIXED])
    base["ObjName"] = "补测部件"
    at = seats.geometry.iloc[: len(_MIXED)].tolist()
    shapes = [affinity.translate(point, 2.5, 1.5) for point in at]
    frame = gpd.GeoDataFrame(base, geometry=shapes, crs=seats.crs)
    records = [
        ("补测部件.shp", number, expected, rule, note)
        for number, (_, _, expected, rule, note) in enumerate(_MIXED, start=1)
        if expected
    ]
    return frame, records


_MIXED = (
    ("0146", "0146", "", "", ""),
    ("146", "0146", "warned", "C004", "class without its leading zero"),
    ("路灯", "0137", "warned", "C005", "class as a name"),
    ("0188", "0188", "refused", "C002", "class of another city"),
    ("01", "0146", "refused", "C003", "major class only"),
    ("0140", "0140", "", "", ""),
)
"""Delivered class, class in the code, and what should become of the row."""
