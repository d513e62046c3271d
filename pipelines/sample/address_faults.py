"""Faults of the address tables: what is written wrongly, and plates that contradict their road."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from pipelines.sample.areas import DISTRICT_NAME
from pipelines.sample.faults import Fault
from pipelines.sample.plan import Array, Integers

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_LEAST_SIDE = 8
_Side = list[int]


def address_faults(frame: pd.DataFrame) -> list[Fault]:
    """Return the faults planted in the workbook of plates, buildings, compounds, roads and marks."""
    plates = np.flatnonzero(frame["类型"] == "门牌").tolist()
    at = plates[:: max(1, len(plates) // 12)]
    row = frame.iloc
    return [
        Fault(row=at[0], changes={"编号": "DZ900001", "类型": "门脸"},
              expected="refused", rule="AD01", note="kind that is not known"),
        Fault(row=at[1], changes={"编号": "DZ900002", "X": None, "Y": None},
              expected="refused", rule="G001", note="address without coordinates"),
        Fault(row=at[2], changes={}, expected="refused", rule="P002", note="identifier twice"),
        Fault(row=at[3], changes={"编号": "DZ900003", "X": row[at[3]]["Y"], "Y": row[at[3]]["X"]},
              expected="refused", rule="G010", note="x and y swapped"),
        Fault(row=at[4], changes={"街道": "桥东街道"}, is_copy=False,
              expected="warned", rule="AD02", note="street that the point does not lie in"),
        Fault(row=at[5], changes={"门牌": row[at[5]]["门牌"].translate(_FULL_WIDTH)}, is_copy=False,
              expected="fixed", rule="", note="plate in full-width digits"),
        Fault(row=at[6], changes={"类型": None}, is_copy=False,
              expected="warned", rule="AD03", note="no kind: taken for a plate"),
        Fault(row=at[8], changes={"市": "保定市"}, is_copy=False,
              expected="warned", rule="AD06", note="city that is another one"),
        Fault(row=at[9], changes={"编号": "DZ900004"},
              expected="warned", rule="AD08", note="plate twice at one place"),
        Fault(row=at[10], changes={"编号": "DZ900005", "名称": "12号", "街巷": None, "小区": None},
              expected="warned", rule="AD16", note="plate without road"),
        Fault(row=int(np.flatnonzero(frame["类型"] == "兴趣点")[0]),
              changes={"编号": None, "名称": "石门旧书店", "兴趣点": "石门旧书店"},
              expected="warned", rule="AD04", note="identifier forgotten"),
        *_far_ones(frame),
        *_out_of_order(frame),
    ]  # fmt: skip


def _far_ones(frame: pd.DataFrame) -> Iterator[Fault]:
    row = frame.iloc
    compounds = np.flatnonzero(frame["类型"] == "小区")
    yield Fault(row=int(compounds[0]), changes={"编号": "DZ900006"},
                expected="warned", rule="AD10", note="compound twice in a community")  # fmt: skip
    x, y = frame["X"].to_numpy(dtype=float), frame["Y"].to_numpy(dtype=float)
    middle = (x.min() + x.max()) / 2, (y.min() + y.max()) / 2
    for number, kind, shift, rule in ((7, "楼牌", 260.0, "AD09"), (8, "门牌", 220.0, "AD11")):
        rows = np.flatnonzero(frame["类型"] == kind)
        spot = _shiftable(frame, rows, shift, middle)
        to = row[spot]
        changes = {
            "编号": f"DZ90000{number}",
            "X": to["X"] + shift * np.sign(middle[0] - to["X"]),
            "Y": to["Y"] + shift * np.sign(middle[1] - to["Y"]),
            "社区": None,
            "街道": None,
        }
        if kind == "门牌":
            changes |= {"门牌": "902号", "名称": f"{to['街巷']}902号"}
        note = "building 370 m off" if kind == "楼牌" else "plate 300 m from its road"
        yield Fault(row=spot, changes=changes, expected="warned", rule=rule, note=note)


def _shiftable(
    frame: pd.DataFrame, rows: Integers, shift: float, middle: tuple[float, float]
) -> int:
    """Return a row that lies well off the middle, so that it stays in the district when moved there."""
    east = np.abs(frame["X"].to_numpy(dtype=float)[rows] - middle[0])
    north = np.abs(frame["Y"].to_numpy(dtype=float)[rows] - middle[1])
    return int(rows[np.argmin(np.abs(east - 1.3 * shift) + np.abs(north - 1.3 * shift))])


def _out_of_order(frame: pd.DataFrame) -> Iterator[Fault]:
    """Yield plates whose number does not fit between its neighbours', one side of a road each."""
    sides = _sides(frame)
    row, number = frame.iloc, _numbers(frame)
    for rule, side, code, note in (
        ("AD13", sides[0], 11, "number out of order along the road"),
        ("AD14", sides[1], 12, "number of the other side of the road"),
        ("AD15", sides[2], 13, "number that jumps at the end of the road"),
    ):
        highest = int(number[side].max())
        at = side[-1] if rule == "AD15" else side[len(side) // 2]
        new = {"AD13": highest + 40, "AD14": highest + 41, "AD15": highest + 1000}[rule]
        road = row[at]["街巷"]
        changes = {"编号": f"DZ9000{code}", "门牌": f"{new}号", "名称": f"{road}{new}号"}
        yield Fault(row=at, changes=changes, expected="warned", rule=rule, note=note)


def _numbers(frame: pd.DataFrame) -> Array:
    numbers = pd.to_numeric(frame["门牌"].str.removesuffix("号"), errors="coerce")
    return np.asarray(numbers, dtype=np.float64)


def _sides(frame: pd.DataFrame) -> list[_Side]:
    """Return the rows of the sides of roads with many plates, in order of their numbers."""
    plates = frame.assign(number=_numbers(frame), row=np.arange(len(frame)))
    plates = plates[plates["类型"].eq("门牌") & plates["number"].notna()]
    keys = [plates["街巷"], plates["number"] % 2]
    grouped = plates.sort_values("number").groupby(keys, sort=True)
    found = [part["row"].tolist() for _, part in grouped if len(part) >= _LEAST_SIDE]
    return sorted(found, key=len, reverse=True)


def mark_faults(frame: pd.DataFrame) -> list[Fault]:
    """Return the faults planted in the table of shops."""
    step = max(1, len(frame) // 4)
    return [
        Fault(row=step, changes={"address": "详见营业执照"}, is_copy=False,
              expected="warned", rule="AD05", note="text that is no address"),
        Fault(row=2 * step, changes={"address": DISTRICT_NAME}, is_copy=False,
              expected="warned", rule="AD07", note="address that is only an area"),
    ]  # fmt: skip
