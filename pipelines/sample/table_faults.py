"""Faults of the topography, of spreadsheets and of exported cases."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import affinity

from pipelines.sample.faults import Fault


def topography_faults(name: str, frame: gpd.GeoDataFrame) -> list[Fault]:
    """Return the faults planted in a topography layer."""
    middle = len(frame) // 2
    if name == "院落":
        inside = frame.geometry.iloc[middle].representative_point()
        west, south, east, north = np.round(inside.buffer(4.0).bounds, 3)
        bow_tie = shapely.Polygon([(west, south), (east, north), (east, south), (west, north)])
        return [
            Fault(row=middle, changes={"geometry": bow_tie, "OBJID": "T900000001", "NAME": "自交院落"},
                  expected="warned", rule="G005", note="outline that crosses itself is repaired"),
        ]  # fmt: skip
    if name == "居民地":
        return [
            Fault(row=middle, changes={}, expected="refused", rule="P002", note="feature twice"),
            Fault(row=middle + 5, changes={"OBJID": "T900000002", "FCODE": "999999"},
                  expected="refused", rule="TP01", note="no feature class"),
            Fault(row=middle + 9, changes={"OBJID": "T900000003", "geometry": None},
                  expected="refused", rule="G001", note="attributes without geometry"),
            Fault(row=middle + 12, changes={"FCODE": "310399"}, is_copy=False,
                  expected="warned", rule="TP02", note="a sub-class the standard's table lacks"),
            Fault(row=middle + 20, changes={"OBJID": "T900000004", "geometry": _far(frame, middle + 20)},
                  expected="refused", rule="G009", note="building in another city"),
        ]  # fmt: skip
    return []


def _far(frame: gpd.GeoDataFrame, row: int) -> shapely.Geometry:
    return affinity.translate(frame.geometry.iloc[row], 120_000, 30_000)


def unit_faults(_: pd.DataFrame) -> list[Fault]:
    """Return the faults planted in the unit directory."""
    return [
        Fault(row=2, changes={"单位代码": "1301020901", "单位名称": "某临时指挥部", "类型": "临时", "别名": None},
              expected="refused", rule="UN01", note="kind of unit that is not known"),
        Fault(row=4, changes={"单位代码": "1301020902", "单位名称": "市第三市政公司", "接替单位代码": "1301020999"},
              expected="refused", rule="UN02", note="successor that is not in the directory"),
    ]  # fmt: skip


def plan_faults(frame: pd.DataFrame) -> list[Fault]:
    """Return the faults planted in the responsibility plan; refused rows decide nothing."""
    lamps = np.flatnonzero((frame["类别代码"] == "0137").to_numpy())[0]
    row = int(lamps)
    return [
        Fault(row=row, changes={"类别代码": 137}, is_copy=False,
              expected="warned", rule="RP03", note="a number: the leading zero is lost"),
        Fault(row=row, changes={"序号": "R90001", "类别代码": "9999"},
              expected="refused", rule="RP02", note="class that does not exist"),
        Fault(row=row, changes={"序号": "R90002", "区域代码": "130105001"},
              expected="refused", rule="RP04", note="area of another district"),
        Fault(row=row, changes={"序号": "R90003", "角色": "负责"},
              expected="refused", rule="RP05", note="role that is not known"),
        Fault(row=row, changes={"序号": "R90004", "单位代码": "1301020777"},
              expected="refused", rule="RP06", note="unit that is not in the directory"),
        Fault(row=row, changes={"序号": "R90005", "季节": "冬季"},
              expected="refused", rule="RP07", note="season in words"),
        Fault(row=row, changes={"序号": "R90006", "时段": "夜间"},
              expected="refused", rule="RP08", note="hours in words"),
        Fault(row=row, changes={"序号": "R90007", "时限": "尽快"},
              expected="refused", rule="RP09", note="time limit in words"),
    ]  # fmt: skip


def case_faults(frame: pd.DataFrame) -> list[Fault]:
    """Return the faults planted among the cases."""
    step = len(frame) // 8
    at = [step // 2 + step * number for number in range(8)]
    nowhere = {"X": "", "Y": "", "坐标系": "", "精度": "", "部件编码": "", "地址": ""}
    late, first = frame.iloc[at[3]], "CG20259"
    return [
        Fault(row=at[0], changes={"案件编号": f"{first}000001", **nowhere},
              expected="refused", rule="CA03", note="neither position nor address nor component"),
        Fault(row=at[1], changes={"案件编号": f"{first}000002", "上报时间": "前天下午"},
              expected="refused", rule="CA02", note="time in words"),
        Fault(row=at[2], changes={"案件编号": f"{first}000003", "类型": "投诉"},
              expected="refused", rule="CA01", note="neither component nor event"),
        Fault(row=at[3], changes={"案件编号": f"{first}000004", "结案时间": "2024-12-31 08:00:00",
                                  "上报时间": late["上报时间"]},
              expected="warned", rule="CA06", note="closed before it was reported"),
        Fault(row=at[4], changes={"案件编号": f"{first}000005", "类别代码": "0777"},
              expected="warned", rule="CA05", note="class that does not exist"),
        Fault(row=at[5], changes={"案件编号": f"{first}000006", "X": "114.4x", "Y": "无", "坐标系": "EPSG:4490",
                                  "地址": "中山路1号"},
              expected="warned", rule="CA04", note="coordinates that are no numbers"),
    ]  # fmt: skip
