"""Edge matching 接边: pieces of features that sheets cut are joined to whole features again.

Ends within the tolerance (0.3 mm on the map by default: 0.15 m at 1:500) meet; within twice the
tolerance they meet and are told; beyond it they stay apart and are told. The figures 0.3 and 0.6 mm
are those of the trade for digital line maps, from memory. Two ends meet in their middle; where one
sheet was surveyed later, at its end. No piece is lost: each is part of exactly one feature.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from pipelines.topography.edges import (
    Borders,
    Cuts,
    Ends,
    Floats,
    Geometries,
    Positions,
    Vertices,
    find_cuts,
    find_ends,
    vertices_of,
    with_corners,
)
from pipelines.topography.pairs import Qualities, pair_cuts, pair_ends, qualities_of
from pipelines.topography.seams import Seams, join_shapes, sew
from pipelines.topography.unmatched import unmatched

EDGE_COLUMNS = ("rule", "row", "other_row", "sheet", "other_sheet", "gap_m", "columns", "geometry")


@dataclass(frozen=True, kw_only=True)
class Sheets:
    """The sheets that pieces lie on, by position."""

    extents: Geometries
    tolerance_m: Floats
    """Per sheet."""
    age: Floats
    """Per sheet: the greater, the newer its survey; equal: ends meet in the middle."""


@dataclass(frozen=True, kw_only=True)
class Matched:
    """What edge matching made of pieces."""

    group: Positions
    """Per piece: the feature it is part of, 0 … ; features in the order of their first piece."""
    shapes: Geometries
    """Per feature."""
    faults: pd.DataFrame
    """`EDGE_COLUMNS`: rule, pieces by position (-1: none), sheets by position, where."""
    joins: int
    """Places at which two pieces were joined."""


def match_edges(pieces: gpd.GeoDataFrame, sheet: Positions, sheets: Sheets) -> Matched:
    """Join the pieces of features across the edges of sheets.

    Parameters
    ----------
    pieces : geopandas.GeoDataFrame
        ``code``, ``feature_class``, ``name``, ``attributes``, valid geometry, metres.
    sheet : array of int
        Position of each piece's sheet in `sheets`; -1: on none, joined to nothing.
    sheets : Sheets
        Extents and tolerances.

    Examples
    --------
    >>> halves = [shapely.LineString([(0, 5), (10, 5)]), shapely.LineString([(10, 5.1), (20, 5)])]
    >>> pieces = gpd.GeoDataFrame(
    ...     {"code": ["a", "b"], "feature_class": "430501", "name": None, "attributes": [{}, {}]},
    ...     geometry=halves,
    ... )
    >>> two = Sheets(
    ...     extents=np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]),
    ...     tolerance_m=np.array([0.15, 0.15]),
    ...     age=np.zeros(2),
    ... )
    >>> matched = match_edges(pieces, np.array([0, 1]), two)
    >>> matched.group.tolist(), [shape.wkt for shape in matched.shapes]
    ([0, 0], ['LINESTRING (0 5, 10 5.05, 20 5)'])
    """
    shapes = pieces.geometry.to_numpy().copy()
    near = _near_edges(shapes, sheet, sheets)
    borders = Borders(extents=sheets.extents, reach_m=2 * sheets.tolerance_m)
    own = sheet[near]
    edge_shapes = with_corners(shapely.orient_polygons(shapes[near]), own, borders)
    vertices = vertices_of(edge_shapes)
    ends = find_ends(edge_shapes, own, borders, vertices)
    cuts = find_cuts(edge_shapes, own, borders, vertices)
    qualities = qualities_of(pieces.iloc[near])
    pairs = _all_pairs(ends, cuts, vertices, qualities, sheets)
    group, pairs = _unite(pairs, qualities)
    joined = pairs[pairs["is_joined"]]
    seams = _seams(joined, ends, cuts)
    sewn = sew(edge_shapes, vertices, seams, sheet=own, age=sheets.age)
    whole = np.arange(len(shapes), dtype=np.intp)
    whole[near] = near[group]
    faults = pd.concat(
        [
            _pair_faults(pairs, ends, cuts, vertices),
            unmatched(pairs, ends, cuts, vertices, tolerance_m=sheets.tolerance_m),
        ],
        ignore_index=True,
    )
    for column in ("row", "other_row"):
        at = faults[column].to_numpy(dtype=np.intp)
        faults[column] = np.where(at >= 0, near[at] if len(near) else at, -1)
    is_part = np.zeros(len(near), dtype=bool)
    is_part[np.concatenate([joined["row_a"], joined["row_b"]]).astype(np.intp)] = True
    shapes[near[is_part]] = sewn[is_part]
    feature = np.unique(whole, return_inverse=True)[1].astype(np.intp)
    return Matched(
        group=feature,
        shapes=join_shapes(shapes, feature),
        faults=faults[list(EDGE_COLUMNS)],
        joins=len(joined),
    )


def _near_edges(shapes: Geometries, sheet: Positions, sheets: Sheets) -> Positions:
    """Return the lines and areas that come near an edge of their own sheet."""
    rows = np.flatnonzero((sheet >= 0) & (shapely.get_dimensions(shapes) > 0))
    edges = shapely.boundary(sheets.extents)
    own = sheet[rows]
    near = shapely.dwithin(shapes[rows], edges[own], 2 * sheets.tolerance_m[own])
    result: Positions = rows[near].astype(np.intp)
    return result


def _all_pairs(
    ends: Ends, cuts: Cuts, vertices: Vertices, qualities: Qualities, sheets: Sheets
) -> pd.DataFrame:
    tolerance = sheets.tolerance_m
    table = pd.concat(
        [
            pair_ends(ends, vertices, qualities, tolerance).assign(is_cut=False),
            pair_cuts(cuts, vertices, qualities, tolerance).assign(is_cut=True),
        ],
        ignore_index=True,
    )
    keys = ["is_taken", "is_other_class", "differs", "is_far", "turn", "gap_m", "key_a", "key_b"]
    ascending = [False, *[True] * (len(keys) - 1)]
    return table.sort_values(keys, ascending=ascending, kind="stable", ignore_index=True)


def _unite(pairs: pd.DataFrame, qualities: Qualities) -> tuple[Positions, pd.DataFrame]:
    """Unite pieces pair by pair, the surest first, as long as nothing known contradicts."""
    parent = list(range(len(qualities.code)))
    known: list[dict[str, Any]] = [{} for _ in parent]
    for name, values in {"name": qualities.name, **qualities.compared}.items():
        for row in np.flatnonzero(~pd.isna(values)).tolist():
            known[row][name] = values[row]

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    is_joined = np.zeros(len(pairs), dtype=bool)
    columns: list[tuple[str, ...]] = pairs["columns"].tolist()
    wanted = pairs["is_taken"].to_numpy(dtype=bool) & ~pairs["is_other_class"].to_numpy(dtype=bool)
    same_code = pairs["is_same_code"].to_numpy(dtype=bool)
    ends = zip(pairs["row_a"].tolist(), pairs["row_b"].tolist(), strict=True)
    for place, (a, b) in enumerate(ends):
        if not wanted[place]:
            continue
        first, second = sorted((root(a), root(b)))
        against = tuple(
            name for name, value in known[second].items() if known[first].get(name, value) != value
        )
        if against and not same_code[place]:
            columns[place] = tuple(sorted({*columns[place], *against}))
            continue
        is_joined[place] = True
        parent[second] = first
        known[first] = {**known[second], **known[first]}
    group = np.array([root(row) for row in range(len(parent))], dtype=np.intp)
    return group, pairs.assign(is_joined=is_joined, columns=pd.Series(columns, dtype=object))


def _seams(joined: pd.DataFrame, ends: Ends, cuts: Cuts) -> Seams:
    is_cut = joined["is_cut"].to_numpy(dtype=bool)
    a, b = joined["a"].to_numpy(dtype=np.intp), joined["b"].to_numpy(dtype=np.intp)
    line_a, line_b, cut_a, cut_b = a[~is_cut], b[~is_cut], a[is_cut], b[is_cut]
    return Seams(
        one=np.concatenate([ends.vertex[line_a], cuts.first[cut_a], cuts.last[cut_a]]),
        other=np.concatenate([ends.vertex[line_b], cuts.last[cut_b], cuts.first[cut_b]]),
        cuts=tuple(
            (int(cuts.first[x]), cuts.inner[x], int(cuts.first[y]), cuts.inner[y])
            for x, y in zip(cut_a.tolist(), cut_b.tolist(), strict=True)
        ),
    )


def _pair_faults(pairs: pd.DataFrame, ends: Ends, cuts: Cuts, vertices: Vertices) -> pd.DataFrame:
    """Return what is to be told of pairs: another class, contradictions, ends farther apart."""
    taken = pairs[pairs["is_taken"]]
    differs = taken["columns"].map(len).to_numpy(dtype=np.intp) > 0
    other_class = taken["is_other_class"].to_numpy(dtype=bool)
    is_joined = taken["is_joined"].to_numpy(dtype=bool)
    masks = {
        "TP80": other_class,
        "TP81": ~other_class & differs & ~is_joined,
        "TP82": is_joined & differs,
        "TP83": is_joined & taken["is_far"].to_numpy(dtype=bool),
    }
    parts = [_table(rule, taken[mask], ends, cuts, vertices) for rule, mask in masks.items()]
    return pd.concat(parts, ignore_index=True)


def _table(
    rule: str, pairs: pd.DataFrame, ends: Ends, cuts: Cuts, vertices: Vertices
) -> pd.DataFrame:
    is_cut = pairs["is_cut"].to_numpy(dtype=bool)
    a, b = pairs["a"].to_numpy(dtype=np.intp), pairs["b"].to_numpy(dtype=np.intp)
    sheet_a = np.concatenate([ends.sheet[a[~is_cut]], cuts.sheet[a[is_cut]]])
    sheet_b = np.concatenate([ends.sheet[b[~is_cut]], cuts.sheet[b[is_cut]]])
    points = np.concatenate(
        [
            vertices.xy[ends.vertex[a[~is_cut]]] / 2 + vertices.xy[ends.vertex[b[~is_cut]]] / 2,
            vertices.xy[cuts.first[a[is_cut]]] / 2 + vertices.xy[cuts.last[a[is_cut]]] / 2,
        ]
    )
    ordered = pd.concat([pairs[~is_cut], pairs[is_cut]], ignore_index=True)
    return pd.DataFrame(
        {
            "rule": rule,
            "row": ordered["row_a"],
            "other_row": ordered["row_b"],
            "sheet": sheet_a,
            "other_sheet": sheet_b,
            "gap_m": ordered["gap_m"],
            "columns": ordered["columns"],
            "geometry": pd.Series(shapely.points(points), dtype=object),
        }
    )


def members(group: Positions) -> Iterable[Positions]:
    """Yield the pieces of each feature, in order."""
    if len(group) == 0:
        return []
    order = np.argsort(group, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(group[order])) + 1)
