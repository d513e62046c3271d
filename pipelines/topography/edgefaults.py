"""Faults of edge matching 接边 in words: for the contractor's list, and kept with the sheets."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gis.codes import Rule
from gis.faults import REJECT_COLUMNS

ERRORS = frozenset({"TP80", "TP81", "TP84", "TP85"})
"""Rules by which features stayed apart; by the others they were joined with doubt."""
_COLUMNS_ZH = {
    "name": "名称",
    "width_m": "宽度",
    "floors": "层数",
    "material": "材质",
    "surface": "铺面",
    "elevation_m": "高程",
    "height_m": "高度",
    "lanes": "车道数",
}


def describe(
    faults: pd.DataFrame,
    pieces: gpd.GeoDataFrame,
    *,
    sheets: Sequence[str],
    codes: NDArray[np.object_],
    rules: Mapping[str, Rule],
) -> gpd.GeoDataFrame:
    """Return the faults of `matching.match_edges` as rows of ``topography.edge_fault``.

    With them the position of the piece, ``row``, for the list of faults of the delivery.

    Parameters
    ----------
    faults : pandas.DataFrame
        Rule, pieces and sheets by position, gap, columns that contradict, where.
    pieces : geopandas.GeoDataFrame
        The pieces that were matched.
    sheets : sequence of str
        Numbers of the sheets.
    codes : array of str
        Of the feature that each piece became part of.
    rules : mapping
        Rules of topography.
    """
    delivered = pieces["code"].to_numpy()
    kinds = pieces["feature_class"].to_numpy()
    rows = []
    for fault in faults.itertuples(index=False):
        rule = rules[fault.rule]
        if rule.severity == "off":
            continue
        has_other = fault.other_row >= 0
        other = str(delivered[fault.other_row]) if has_other else ""
        near = has_other and fault.gap_m == fault.gap_m
        names = [str(name) for name in fault.columns]
        words = {
            "other_sheet": sheets[fault.other_sheet] if fault.other_sheet >= 0 else "",
            "other": other,
            "other_class": str(kinds[fault.other_row]) if has_other else "",
            "gap_m": float(fault.gap_m),
            "nearest": f"; the nearest, {other}, is {fault.gap_m:.2f} m away" if near else "",
            "nearest_zh": f"，最近的 {other} 相距 {fault.gap_m:.2f} 米" if near else "",
        }
        rows.append(
            {
                "rule": fault.rule,
                "grade": "error" if fault.rule in ERRORS else "warning",
                "sheet": sheets[fault.sheet],
                "other_sheet": words["other_sheet"] or None,
                "feature_code": str(codes[fault.row]),
                "other_code": str(codes[fault.other_row]) if has_other else None,
                "gap_m": round(float(fault.gap_m), 3) if near else None,
                "reason_en": rule.reason_en.format(columns=", ".join(names), **words),
                "reason_zh": rule.reason_zh.format(
                    columns="、".join(_COLUMNS_ZH.get(name, name) for name in names), **words
                ),
                "geometry": fault.geometry,
                "row": int(fault.row),
            }
        )
    columns = ["rule", "grade", "sheet", "other_sheet", "feature_code", "other_code", "gap_m"]
    table = pd.DataFrame(rows, columns=[*columns, "reason_en", "reason_zh", "geometry", "row"])
    table.insert(0, "code", [_code(row) for row in rows])
    table = table.drop_duplicates("code", ignore_index=True)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=pieces.crs)


def _code(row: Mapping[str, object]) -> str:
    point = row["geometry"]
    place = f"{point.x:.2f} {point.y:.2f}"  # type: ignore[attr-defined]
    key = f"{row['rule']}|{row['sheet']}|{row['other_sheet']}|{place}|{row['feature_code']}"
    return "E" + sha256(key.encode()).hexdigest()[:16]


def as_rejects(faults: gpd.GeoDataFrame, pieces: pd.DataFrame) -> pd.DataFrame:
    """Return faults at edges as faults of the delivered rows, shown where they are, not whole.

    They never refuse a row: the feature is there, if in two parts.
    """
    at = faults["row"].to_numpy(dtype=np.intp)
    table = pd.DataFrame(
        {
            "source_file": pieces["source_file"].to_numpy()[at],
            "source_row": pieces["source_row"].to_numpy()[at],
            "code": pieces["code"].to_numpy()[at],
            "rule": faults["rule"].to_numpy(),
            "severity": "warning",
            "reason_en": faults["reason_en"].to_numpy(),
            "reason_zh": faults["reason_zh"].to_numpy(),
            "record": [
                {"code": pieces["code"].iat[row], "sheet": pieces["sheet"].iat[row]} for row in at
            ],
            "geometry": faults.geometry.to_numpy(),
        }
    )
    return table[list(REJECT_COLUMNS)]
