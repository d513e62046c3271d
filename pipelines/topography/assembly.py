"""Features made of pieces: one row each, with what the pieces know together and where each came from."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipelines.topography.edges import Floats, Positions
from pipelines.topography.matching import members

PIECES = "pieces"
"""Attribute of a joined feature: sheet number -> identifiers delivered on it."""


def assemble(
    pieces: gpd.GeoDataFrame,
    group: Positions,
    shapes: NDArray[np.object_],
    *,
    numbers: NDArray[np.object_],
    age: Floats,
) -> gpd.GeoDataFrame:
    """Return one row per feature, in the order of their first pieces, under the index of the piece it is named by.

    A feature of several pieces has the smallest of their codes; name and attributes of the newest
    piece that has them, among equals that of the smallest code; all sheets, sorted; and in the
    attribute ``pieces`` what was delivered on each sheet.

    Parameters
    ----------
    pieces : geopandas.GeoDataFrame
        Rows of topography; ``delivered`` holds the identifier as delivered.
    group : array of int
        Feature of each piece.
    shapes : array of shapely geometry
        Of each feature.
    numbers : array of str
        Sheet of each piece, empty for none.
    age : array of float
        Of each piece: the greater, the newer.
    """
    order = np.unique(group, return_index=True)[1]
    result = pieces.iloc[order].drop(columns="delivered")
    columns = {name: result[name].to_numpy(dtype=object).copy() for name in _MERGED}
    index = result.index.to_numpy().copy()
    records = pieces[list({*_MERGED, "delivered"})]
    for place, rows in enumerate(members(group)):
        if len(rows) == 1:
            continue
        ranked = sorted(
            (
                (-age[row], str(records["code"].iat[row]), numbers[row], int(row))
                for row in rows.tolist()
            ),
        )
        merged = _merge(records, [row for *_, row in ranked], numbers)
        index[place] = pieces.index[merged.pop("named")]
        for name, value in merged.items():
            columns[name][place] = value
    result.index = pd.Index(index)
    for name, values in columns.items():
        result[name] = pd.Series(values, index=result.index, dtype=object)
    result["source_row"] = result["source_row"].astype(np.int64)
    return result.set_geometry(gpd.GeoSeries(shapes, index=result.index, crs=pieces.crs))


_MERGED = ("code", "name", "sheet", "attributes", "source_file", "source_row")


def _merge(records: pd.DataFrame, rows: list[int], numbers: NDArray[np.object_]) -> dict[str, Any]:
    """Return the merged columns of pieces, the best first."""
    codes = {row: str(records["code"].iat[row]) for row in rows}
    named = min(rows, key=lambda row: (codes[row], str(numbers[row]), row))
    names = [records["name"].iat[row] for row in rows]
    attributes: dict[str, Any] = {}
    delivered: dict[str, set[str]] = {}
    for row in rows:
        for name, value in records["attributes"].iat[row].items():
            if name != PIECES:
                attributes.setdefault(name, value)
        for sheet, had in pieces_of(records, row, numbers).items():
            delivered.setdefault(sheet, set()).update(had)
    attributes[PIECES] = {sheet: sorted(had) for sheet, had in sorted(delivered.items())}
    return {
        "named": named,
        "code": codes[named],
        "name": next((name for name in names if isinstance(name, str)), None),
        "sheet": ";".join(sorted(sheet for sheet in delivered if sheet)) or None,
        "attributes": attributes,
        "source_file": records["source_file"].iat[named],
        "source_row": records["source_row"].iat[named],
    }


def pieces_of(
    records: pd.DataFrame, row: int, numbers: NDArray[np.object_]
) -> dict[str, list[str]]:
    """Return sheet -> identifiers delivered on it of one row, itself perhaps joined before."""
    before = records["attributes"].iat[row].get(PIECES)
    if isinstance(before, dict):
        return {str(sheet): [str(code) for code in had] for sheet, had in before.items()}
    return {str(numbers[row] or ""): [str(records["delivered"].iat[row])]}
