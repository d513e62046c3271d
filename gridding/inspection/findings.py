"""What checks of a grid layer find: rule, grid, place, and the values of its sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.codes import Rule, read_rules, read_table
from gis.faults import Faults

Geometries = NDArray[np.object_]
Indices = NDArray[np.intp]

RULES: Mapping[str, Rule] = read_rules("gridding")
IN_CHECK: Mapping[str, str] = {
    row["code"]: row["in_check"] for row in read_table("gridding", "rules.csv")
}
"""Severity of a rule in the check of a whole layer: error, warning or note.

It differs from that in a build, where an error refuses the row: a refused grid would leave a hole.
"""
SEVERITIES = ("error", "warning", "note")
COLUMNS = (
    "number",
    "rule",
    "severity",
    "source_file",
    "source_row",
    "code",
    "community_code",
    "reason_en",
    "reason_zh",
    "fix_en",
    "fix_zh",
    "geometry",
)
"""Columns of a table of faults."""
LAYER = -1
"""Position of a finding that concerns no single grid."""


@dataclass(kw_only=True)
class Findings:
    """Gathers findings, rule by rule, each over all grids at once."""

    label: Geometries
    """Names of the grids in sentences: their codes, or ``#`` and the row."""
    shapes: Geometries
    """Polygons of the grids, where a finding has no place of its own."""
    _parts: list[pd.DataFrame] = field(default_factory=list)

    def add(
        self, rule: str, rows: Indices, *, where: Geometries | None = None, **values: Any
    ) -> None:
        """Record findings.

        Parameters
        ----------
        rule : str
            Rule of ``rules.csv``.
        rows : array of int
            Positions of the grids, `LAYER` for none; a grid may come several times.
        where : array of shapely geometry or None
            Where each is; None: the whole grid.
        **values
            What the placeholders of the sentences stand for, besides ``code``: one value, or one for
            each of `rows`.
        """
        rows = np.asarray(rows, dtype=np.intp)
        if len(rows) == 0:
            return
        place = self.shapes[rows] if where is None else np.asarray(where, dtype=object)
        if where is None:
            place[rows == LAYER] = None
        table = pd.DataFrame({"rule": rule, "row": rows, "where": place})
        texts = {"code": np.where(rows == LAYER, "", self.label[rows])} | values
        for name, value in texts.items():
            table[f"@{name}"] = value if _is_listed(value) else [value] * len(rows)
        self._parts.append(table)

    def rows_of(self, *rules: str) -> Indices:
        """Return the positions of the grids that have a finding of one of the rules, sorted."""
        found = [part["row"].to_numpy() for part in self._parts if part["rule"].iloc[0] in rules]
        return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.intp)

    def places_of(self, *rules: str) -> Geometries:
        """Return where findings of the rules are."""
        found = [part["where"].to_numpy() for part in self._parts if part["rule"].iloc[0] in rules]
        return np.concatenate(found) if found else np.empty(0, dtype=object)

    def report(self, faults: Faults, index: pd.Index) -> None:
        """Add the findings to the faults of a delivery, where a rule strikes a row once at a time.

        Parameters
        ----------
        faults : Faults
            Faults of the delivered frame.
        index : pandas.Index
            Index in that frame of each grid.
        """
        for part in self._parts:
            told = part[part["row"] != LAYER]
            turn = told.groupby("row").cumcount()
            for _, same in told.groupby(turn):
                rows = index[same["row"].to_numpy()]
                mask = pd.Series(True, index=rows)
                values = {
                    str(name)[1:]: pd.Series(same[name].tolist(), index=rows, dtype=object)
                    for name in same.columns
                    if str(name).startswith("@")
                }
                faults.add(str(same["rule"].iloc[0]), mask, **values)

    def table(self, frame: gpd.GeoDataFrame, community: Geometries) -> gpd.GeoDataFrame:
        """Return all findings as a table with `COLUMNS`, errors first, then by rule, grid and place.

        Parameters
        ----------
        frame : geopandas.GeoDataFrame
            The grids: ``source_file`` and ``source_row``.
        community : array of str
            Community of each grid, or None.
        """
        parts = [_told(part) for part in self._parts]
        if not parts:
            empty = {name: pd.Series(dtype=object) for name in COLUMNS if name != "geometry"}
            return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=frame.crs))
        table = pd.concat(parts, ignore_index=True)
        row = table["row"].to_numpy()
        is_layer = row == LAYER
        for name in ("source_file", "source_row"):
            column = frame[name].to_numpy(dtype=object)[row]
            table[name] = np.where(is_layer & (name == "source_row"), 0, column)
        table["community_code"] = np.where(is_layer, None, community[row])
        places = table["where"].to_numpy()
        bounds = np.round(np.nan_to_num(shapely.bounds(places)), 2)
        rank = table["severity"].map({name: k for k, name in enumerate(SEVERITIES)})
        order = np.lexsort((bounds[:, 3], bounds[:, 0], row, table["rule"].to_numpy(), rank))
        table = table.iloc[order].reset_index(drop=True)
        table["number"] = np.arange(1, len(table) + 1)
        geometry = gpd.GeoSeries(table["where"].to_numpy(), crs=frame.crs)
        return gpd.GeoDataFrame(table.assign(geometry=geometry)[list(COLUMNS)], geometry="geometry")


def _is_listed(value: Any) -> bool:
    return isinstance(value, np.ndarray | list)


def _told(part: pd.DataFrame) -> pd.DataFrame:
    """Return one rule's findings with their sentences."""
    rule = RULES[str(part["rule"].iloc[0])]
    names = [str(name)[1:] for name in part.columns if str(name).startswith("@")]
    columns = [part[f"@{name}"].tolist() for name in names]
    values = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    return pd.DataFrame(
        {
            "rule": rule.code,
            "severity": IN_CHECK[rule.code],
            "row": part["row"].to_numpy(),
            "code": part["@code"].to_numpy(),
            "reason_en": [rule.reason_en.format(**row) for row in values],
            "reason_zh": [rule.reason_zh.format(**row) for row in values],
            "fix_en": rule.fix_en,
            "fix_zh": rule.fix_zh,
            "where": part["where"].to_numpy(),
        }
    )
