"""Which end meets which across an edge: one to one, the best first, whatever order they came in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gis.codes import read_table
from pipelines.topography.edges import Cuts, Ends, Floats, Positions, Vertices, turned

Flags = NDArray[np.bool_]
_ORDER = ("is_other_class", "differs", "is_far", "turn", "gap_m", "key_a", "key_b")
"""What decides between two partners: the first that differs."""


@dataclass(frozen=True, kw_only=True)
class Qualities:
    """What pieces are, for the question whether two may be one feature."""

    code: NDArray[np.object_]
    feature_class: NDArray[np.object_]
    name: NDArray[np.object_]
    compared: Mapping[str, NDArray[np.object_]]
    """Attribute of known meaning -> value per piece, None where it has none."""

    def same_class(self, a: Positions, b: Positions) -> Flags:
        """Return which pairs are of one class."""
        return np.asarray(self.feature_class[a] == self.feature_class[b], dtype=bool)

    def same_code(self, a: Positions, b: Positions) -> Flags:
        """Return which pairs have one identifier."""
        return np.asarray(self.code[a] == self.code[b], dtype=bool)

    def contradictions(self, a: Positions, b: Positions) -> list[tuple[str, ...]]:
        """Return per pair the columns in which both have a value, but not the same."""
        columns = {"name": self.name, **self.compared}
        masks = {name: _contradict(values[a], values[b]) for name, values in columns.items()}
        return [
            tuple(name for name, mask in masks.items() if mask[place]) for place in range(len(a))
        ]


def _contradict(a: NDArray[np.object_], b: NDArray[np.object_]) -> Flags:
    known = ~(pd.isna(a) | pd.isna(b))
    result: Flags = known & np.asarray(a != b, dtype=bool)
    return result


def qualities_of(pieces: gpd.GeoDataFrame) -> Qualities:
    """Return what is compared of pieces: class, name, and attributes of known meaning.

    Attributes of unknown meaning may well differ from piece to piece, as lengths and areas do.
    """
    attributes = pieces["attributes"].tolist()
    known = sorted({row["attribute"] for row in read_table("pipelines", "attribute_names.csv")})
    compared = {}
    for name in known:
        values = _objects([entry.get(name) for entry in attributes])
        if not pd.isna(values).all():
            compared[name] = values
    return Qualities(
        code=_objects(pieces["code"].tolist()),
        feature_class=_objects(pieces["feature_class"].tolist()),
        name=_objects(pieces["name"].where(pieces["name"].notna(), None).tolist()),
        compared=compared,
    )


def _objects(values: Sequence[Any]) -> NDArray[np.object_]:
    result = np.empty(len(values), dtype=object)
    result[:] = values
    return result


def pair_ends(
    ends: Ends, vertices: Vertices, qualities: Qualities, tolerance_m: Floats
) -> pd.DataFrame:
    """Return pairs of ends of lines across edges, within twice the tolerance, the best first.

    Columns: ``a``, ``b``: positions among the ends; ``row_a``, ``row_b``: their pieces; ``gap_m``;
    ``is_far``: beyond the tolerance itself; ``is_other_class``; ``is_same_code``; ``columns``: those
    that contradict; ``is_taken``: nothing better is there for either. `tolerance_m` is per sheet; of
    two sheets the coarser counts.
    """
    xy = vertices.xy[ends.vertex]
    a, b = _within(xy, xy, 2 * float(tolerance_m.max(initial=0.0)))
    upper = a < b
    a, b = a[upper], b[upper]
    gap = np.hypot(*(xy[a] - xy[b]).T)
    turn = turned(ends.outward[a], ends.outward[b])
    own = np.arange(len(ends.row), dtype=np.intp)
    return _pairs(a, b, gap, turn, (ends.row, ends.sheet, own), qualities, tolerance_m)


def pair_cuts(
    cuts: Cuts, vertices: Vertices, qualities: Qualities, tolerance_m: Floats
) -> pd.DataFrame:
    """Return pairs of cuts through areas, as `pair_ends`: both ends of a cut must agree."""
    first, last = vertices.xy[cuts.first], vertices.xy[cuts.last]
    reach = 2 * float(tolerance_m.max(initial=0.0))
    a, b = _within(np.hstack([first, last]), np.hstack([last, first]), reach * 2**0.5)
    across = (cuts.other[a] == cuts.sheet[b]) & (cuts.other[b] == cuts.sheet[a]) & (a < b)
    a, b = a[across], b[across]
    gap = np.maximum(np.hypot(*(first[a] - last[b]).T), np.hypot(*(last[a] - first[b]).T))
    places = (cuts.row, cuts.sheet, cuts.run)
    return _pairs(a, b, gap, np.zeros(len(a)), places, qualities, tolerance_m)


def _within(points: Floats, others: Floats, reach_m: float) -> tuple[Positions, Positions]:
    """Return all pairs no farther apart than `reach_m`."""
    if len(points) == 0 or reach_m <= 0:
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    found = cKDTree(points).sparse_distance_matrix(
        cKDTree(others), reach_m * (1 + 1e-9), output_type="ndarray"
    )
    return found["i"].astype(np.intp), found["j"].astype(np.intp)


def _pairs(
    a: Positions,
    b: Positions,
    gap: Floats,
    turn: Floats,
    places: tuple[Positions, Positions, Positions],
    qualities: Qualities,
    tolerance_m: Floats,
) -> pd.DataFrame:
    row, sheet, run = places
    tolerance = np.maximum(tolerance_m[sheet[a]], tolerance_m[sheet[b]])
    usable = (sheet[a] != sheet[b]) & (gap <= 2 * tolerance + 1e-9)
    a, b, gap, turn, tolerance = (values[usable] for values in (a, b, gap, turn, tolerance))
    row_a, row_b = row[a], row[b]
    codes = qualities.code
    swapped = np.asarray(
        [x > y for x, y in zip(codes[row_a], codes[row_b], strict=True)], dtype=bool
    )
    differs = qualities.contradictions(row_a, row_b)
    table = pd.DataFrame(
        {
            "a": a,
            "b": b,
            "run_a": run[a],
            "run_b": run[b],
            "row_a": row_a,
            "row_b": row_b,
            "gap_m": np.round(gap, 4),
            "turn": np.round(turn, 3),
            "is_far": gap > tolerance + 1e-9,
            "is_other_class": ~qualities.same_class(row_a, row_b),
            "is_same_code": qualities.same_code(row_a, row_b),
            "differs": [len(names) for names in differs],
            "columns": pd.Series(differs, dtype=object),
            "key_a": np.where(swapped, codes[row_b], codes[row_a]),
            "key_b": np.where(swapped, codes[row_a], codes[row_b]),
        }
    )
    # The same identifier is stronger than what is written beside it.
    table.loc[table["is_same_code"], "differs"] = 0
    return _choose(table)


def _choose(table: pd.DataFrame) -> pd.DataFrame:
    """Mark the pairs that are taken: in the order of their merit, each end once."""
    ordered = table.sort_values(list(_ORDER), kind="stable", ignore_index=True)
    used: set[int] = set()
    taken = np.zeros(len(ordered), dtype=bool)
    for place, (a, b) in enumerate(zip(ordered["run_a"], ordered["run_b"], strict=True)):
        if a not in used and b not in used:
            used.update((a, b))
            taken[place] = True
    return ordered.assign(is_taken=taken)
