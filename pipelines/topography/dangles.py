"""Lines that should meet and do not: ends before, ends beyond, stretches drawn twice, cuts without reason."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from pipelines.topography.crossings import road_names
from pipelines.topography.maprows import (
    BOUNDARIES,
    RAILWAYS,
    ROADS,
    Floats,
    Geometries,
    Indices,
    MapRows,
    worst_first,
)
from pipelines.topography.network import is_road

NETWORKS: dict[str, Sequence[str]] = {
    "roads": ROADS,
    "railways": RAILWAYS,
    "water": ("2",),
    "walls": ("38",),
    "boundaries": BOUNDARIES,
}
"""Lines that meet their like; contours do not, and pipelines end where they please."""
_TOUCH_M = 0.005
_BEYOND = 2.0
"""An end this many snaps beyond a meeting is an overshoot."""


@dataclass(frozen=True, kw_only=True)
class _Ends:
    """The loose ends of lines: nothing else is there."""

    line: Indices
    at: Geometries
    along_m: Floats


def check_dangles(rows: MapRows) -> None:
    """Record ends before and beyond other lines, and stretches drawn twice."""
    for name, prefixes in NETWORKS.items():
        chosen = rows.select(prefixes, dimension=1)
        if name == "roads":
            chosen = chosen[is_road(pd.Series(rows.feature_class[chosen])).to_numpy(dtype=bool)]
        _check_named_twice(rows, chosen)
        chosen = rows.distinct(chosen)
        if len(chosen) < 2:
            continue
        parts, owner = shapely.get_parts(rows.shapes[chosen], return_index=True)
        tree = shapely.STRtree(parts)
        ends = _loose_ends(parts, tree)
        row = chosen[owner]
        _check_before(rows, parts, tree, ends, row, rule="TP52" if name == "roads" else "TP27")
        _check_beyond(rows, parts, tree, ends, row)
        _check_shared(rows, parts, row)
        _check_joints(rows, parts, tree, row)


def _check_named_twice(rows: MapRows, chosen: Indices) -> None:
    """Record lines of the same course as an earlier one: of another name, as else they were refused."""
    again = chosen[rows.earliest[chosen] != chosen]
    name = rows.table["name"].to_numpy(dtype=object)
    told = again[pd.notna(name[again]) & pd.notna(name[rows.earliest[again]])]
    rows.note("TP51", told, name=name[told], other=name[rows.earliest[told]])
    rest = np.setdiff1d(again, told)
    size = shapely.length(rows.shapes[rest])
    rows.note("TP30", rest, other=rows.words[rows.earliest[rest]], size=size)


def _loose_ends(parts: Geometries, tree: shapely.STRtree) -> _Ends:
    """Return the ends at which no other line is."""
    count = len(parts)
    at = np.concatenate([shapely.get_point(parts, 0), shapely.get_point(parts, -1)])
    line = np.concatenate([np.arange(count), np.arange(count)]).astype(np.intp)
    end, host = tree.query(at, predicate="dwithin", distance=_TOUCH_M)
    met = np.zeros(2 * count, dtype=bool)
    met[end[line[end] != host]] = True
    met |= shapely.is_closed(parts)[line]
    loose = np.flatnonzero(~met)
    along = np.where(loose < count, 0.0, shapely.length(parts)[line[loose]])
    return _Ends(line=line[loose], at=at[loose], along_m=along)


def _check_before(
    rows: MapRows,
    parts: Geometries,
    tree: shapely.STRtree,
    ends: _Ends,
    row: Indices,
    *,
    rule: str,
) -> None:
    end, host = tree.query(ends.at, predicate="dwithin", distance=rows.limits.snap_m)
    other = ends.line[end] != host
    end, host = end[other], host[other]
    # A line that crosses the other already goes beyond it.
    apart = ~shapely.intersects(parts[ends.line[end]], parts[host])
    end, host = end[apart], host[apart]
    distance = shapely.distance(ends.at[end], parts[host])
    order = worst_first(row[ends.line[end]], -distance)
    rows.note(
        rule,
        row[ends.line[end[order]]],
        distance=distance[order],
        other=rows.words[row[host[order]]],
    )


def _check_beyond(
    rows: MapRows, parts: Geometries, tree: shapely.STRtree, ends: _Ends, row: Indices
) -> None:
    reach = _BEYOND * rows.limits.snap_m
    end, host = tree.query(ends.at, predicate="dwithin", distance=reach)
    other = ends.line[end] != host
    end, host = end[other], host[other]
    shared = shapely.intersection(parts[ends.line[end]], parts[host])
    is_point = (shapely.get_dimensions(shared) == 0) & ~shapely.is_empty(shared)
    end, host, shared = end[is_point], host[is_point], shared[is_point]
    spots, pair = shapely.get_parts(shared, return_index=True)
    along = shapely.line_locate_point(parts[ends.line[end[pair]]], spots)
    beyond = np.abs(along - ends.along_m[end[pair]])
    length = shapely.length(parts[ends.line[end[pair]]])
    keep = (beyond > _TOUCH_M) & (beyond <= reach) & (beyond < length / 2)
    pair, beyond = pair[keep], beyond[keep]
    rows.note(
        "TP28",
        row[ends.line[end[pair]]],
        distance=beyond,
        other=rows.words[row[host[pair]]],
    )


def _check_shared(rows: MapRows, parts: Geometries, row: Indices) -> None:
    """Record stretches that two lines share, but for lines drawn twice as a whole."""
    tree = shapely.STRtree(parts)
    found = [tree.query(parts, predicate=name) for name in ("overlaps", "contains")]
    first, second = np.concatenate(found, axis=1)
    keep = row[first] != row[second]
    low, high = np.minimum(first[keep], second[keep]), np.maximum(first[keep], second[keep])
    pairs = np.unique(np.column_stack([low, high]), axis=0)
    first, second = pairs[:, 0], pairs[:, 1]
    size = shapely.length(shapely.intersection(parts[first], parts[second]))
    long = size > rows.limits.overlap_m
    first, second, size = first[long], second[long], size[long]
    order = worst_first(row[second], size)
    first, second, size = first[order], second[order], size[order]
    name = road_names(pd.Series(rows.table["name"].to_numpy(dtype=object))).to_numpy(dtype=object)
    one, two = name[row[first]], name[row[second]]
    named = pd.notna(one) & pd.notna(two) & (one != two)
    rows.note("TP51", row[second[named]], name=two[named], other=one[named])
    rows.note(
        "TP30",
        row[second[~named]],
        other=rows.words[row[first[~named]]],
        size=size[~named],
    )


def _check_joints(rows: MapRows, parts: Geometries, tree: shapely.STRtree, row: Indices) -> None:
    """Record pairs of lines that are one: same class, name and attributes, nothing else at the joint."""
    if rows.faults.severity("TP29") == "off":
        return
    count = len(parts)
    at = np.concatenate([shapely.get_point(parts, 0), shapely.get_point(parts, -1)])
    end, host = tree.query(at, predicate="dwithin", distance=_TOUCH_M)
    line = end % count
    around = np.bincount(end[line != host], minlength=2 * count)
    single = (around[end] == 1) & (line < host)
    first, second = line[single], host[single]
    alike = [
        _key(rows, int(row[one])) == _key(rows, int(row[two]))
        for one, two in zip(first, second, strict=True)
    ]
    keep = np.array(alike, dtype=bool) & (row[first] != row[second])
    rows.note("TP29", row[second[keep]], other=rows.words[row[first[keep]]])


def _key(rows: MapRows, position: int) -> tuple[object, ...]:
    entry = rows.table.iloc[position]
    return str(rows.feature_class[position]), entry["name"], str(entry["attributes"])
