"""Map features as the rules of a whole map look at them: arrays by position, and where findings go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.faults import Faults
from gis.workspace import Topography

Geometries = NDArray[np.object_]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

BUILDINGS = ("3103", "3104", "3105")
"""Classes of buildings."""
WATER = ("21", "22", "23", "24")
ROADS = ("42", "43", "44")
RAILWAYS = ("41",)
VEGETATION = ("8",)
CONTOURS = ("71",)
HEIGHTS = ("72",)
BOUNDARIES = ("6",)
BRIDGES = ("4503", "4505")
_ROUND_M = 3
"""Decimals of a metre to which shapes are the same."""


@dataclass(frozen=True, kw_only=True)
class MapRows:
    """Features that were not refused; all arrays by position, positions follow the delivered rows."""

    table: gpd.GeoDataFrame
    """``feature_class``, ``name``, ``attributes``, geometry; the index is that of the frame."""
    shapes: Geometries
    feature_class: NDArray[np.object_]
    dimension: NDArray[np.int_]
    words: NDArray[np.object_]
    """What a reason calls each row: its code, else its file and row."""
    limits: Topography
    faults: Faults

    def select(self, prefixes: Sequence[str], *, dimension: int | None = None) -> Indices:
        """Return the positions of rows whose class begins so, of lines (1), areas (2) or points (0) alone."""
        chosen = pd.Series(self.feature_class).str.startswith(tuple(prefixes)).to_numpy(dtype=bool)
        if dimension is not None:
            chosen = chosen & (self.dimension == dimension)
        return np.flatnonzero(chosen)

    def note(self, rule: str, rows: NDArray[Any], **values: Any) -> None:
        """Record a fault of rows by position, each row once: its first entry counts.

        Values are arrays aligned to `rows`, or one value for all.
        """
        rows = np.asarray(rows, dtype=np.intp)
        if len(rows) == 0:
            return
        at, first = np.unique(rows, return_index=True)
        labels = self.table.index[at]
        told = {
            name: pd.Series(value[first], index=labels) if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }
        self.faults.add(rule, pd.Series(True, index=labels), **told)

    def note_each(self, rule: str, rows: NDArray[Any], **values: Any) -> None:
        """Record faults of rows by position, every entry: a row may be told several times."""
        rows = np.asarray(rows, dtype=np.intp)
        turn = pd.Series(rows).groupby(rows).cumcount().to_numpy()
        for number in range(int(turn.max()) + 1 if len(turn) else 0):
            part = turn == number
            told = {n: v[part] if isinstance(v, np.ndarray) else v for n, v in values.items()}
            self.note(rule, rows[part], **told)

    @cached_property
    def earliest(self) -> Indices:
        """Position of the first row of the same shape and class; most rows are their own."""
        group = pd.DataFrame({"shape": shape_keys(self.shapes), "class": self.feature_class})
        number = group.groupby(["shape", "class"], sort=False).ngroup().to_numpy()
        _, first, back = np.unique(number, return_index=True, return_inverse=True)
        earliest: Indices = first[back].astype(np.intp)
        return earliest

    def distinct(self, rows: Indices) -> Indices:
        """Return those of the rows that no earlier row has the same shape and class as."""
        kept: Indices = rows[self.earliest[rows] == rows]
        return kept

    def attribute(self, column: str) -> NDArray[np.object_]:
        """Return one attribute of all rows; None where it is not given."""
        values = [
            each.get(column) if isinstance(each, Mapping) else None
            for each in self.table["attributes"]
        ]
        return np.array([*values, None], dtype=object)[:-1]

    def numbers(self, column: str) -> Floats:
        """Return one attribute as numbers; NaN where it is none."""
        values = pd.to_numeric(pd.Series(self.attribute(column)), errors="coerce")
        result: Floats = values.to_numpy(dtype=float)
        return result


def map_rows(table: gpd.GeoDataFrame, faults: Faults, limits: Topography) -> MapRows:
    """Return the rows of `table` that stand, for the rules of a whole map.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        ``code``, ``feature_class``, ``name``, ``attributes``, ``source_file``, ``source_row``, metres.
    faults : Faults
        Of the frame that `table` comes from.
    limits : Topography
        The city's limits.
    """
    stands = ~faults.refused.reindex(table.index) & table.geometry.notna()
    kept = table[stands]
    shapes = np.asarray(kept.geometry.to_numpy(), dtype=object)
    place = kept["source_file"].astype(str) + " row " + kept["source_row"].astype(str)
    derived = kept["code"].isna() | kept["code"].astype(str).str.fullmatch("T[0-9a-f]{16}")
    return MapRows(
        table=kept,
        shapes=shapes,
        feature_class=kept["feature_class"].astype(str).to_numpy(dtype=object),
        dimension=shapely.get_dimensions(shapes),
        words=np.where(derived, place, kept["code"].astype(str)).astype(object),
        limits=limits,
        faults=faults,
    )


def shape_keys(shapes: Geometries) -> Indices:
    """Return the same number for shapes that are equal to the millimetre, however they are written.

    Examples
    --------
    >>> one, other = shapely.LineString([(0, 0), (1, 1)]), shapely.LineString([(1, 1), (0, 0.0001)])
    >>> shape_keys(np.array([one, other, shapely.Point(0, 0)])).tolist()
    [0, 0, 1]
    """
    plain = shapely.transform(shapes, lambda at: np.round(at, _ROUND_M) + 0.0)
    keys: Indices = pd.factorize(pd.Series(shapely.to_wkb(shapely.normalize(plain))))[0]
    return keys


def worst_first(rows: Indices, size: Floats) -> Indices:
    """Return the order that puts the greatest `size` of each row first.

    Examples
    --------
    >>> worst_first(np.array([4, 2, 4]), np.array([1.0, 5.0, 3.0])).tolist()
    [1, 2, 0]
    """
    order: Indices = np.lexsort((-size, rows)).astype(np.intp)
    return order


def pairs_of(shapes: Geometries, *, predicate: str = "intersects") -> tuple[Indices, Indices]:
    """Return the pairs of shapes that meet, the earlier first, each once."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate=predicate)
    keep = first < second
    return first[keep], second[keep]
