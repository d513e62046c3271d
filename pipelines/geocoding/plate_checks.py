"""Door plates along their roads: far from the road, out of order, on the wrong side, jumping numbers."""

from bisect import bisect_right
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from census.survey import map_distinct
from gis.addresses.spelling import normalise
from gis.codes import read_rules
from gis.faults import Faults
from pipelines.geocoding.plates import plate_numbers
from pipelines.placement import representative_points

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

RULES = read_rules("pipelines.geocoding")
ROAD_REACH_M = 150.0
"""A plate farther than this from the line of its road is doubted."""
LONELY_M = 1_000.0
"""A plate farther than this from all others of its road is doubted."""
LEAST_PLATES = 5
"""Fewer plates than this on a side of a road tell no order."""
ORDERED_SHARE = 0.8
"""A side of a road is in order if at least this share of its plates is."""
SIDED_SHARE = 0.9
"""A side of a road is odd or even if at least this share of its plates is."""
JUMP = 50.0
"""Numbers that grow by more than this, and by more than there are metres, jump."""


def check_plates(
    own: gpd.GeoDataFrame, places: gpd.GeoDataFrame, *, frame: pd.DataFrame
) -> pd.DataFrame:
    """Return the faults (AD11-AD17) of delivered plates against their roads and each other.

    Parameters
    ----------
    own : geopandas.GeoDataFrame
        Delivered places with the index of `frame`.
    places : geopandas.GeoDataFrame
        All places, the streets with their lines among them.
    frame : pandas.DataFrame
        Rows as delivered.
    """
    faults = Faults(frame, rules=RULES)
    plates = own[own["kind"].eq("plate").to_numpy()]
    bare = plates["road"].isna() & plates["block"].isna()
    faults.add("AD16", bare, name=plates["name"])
    doors = plates[(plates["road"].notna() & plates["building"].isna()).to_numpy()]
    if len(doors):
        table = _on_roads(doors, places)
        _warn_far(faults, doors, table)
        _warn_order(faults, doors, table)
    return faults.outcome().faults


def _on_roads(doors: gpd.GeoDataFrame, places: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return position, number, and the foot on the nearest line of its road of each door plate."""
    points = representative_points(doors.geometry).to_numpy()
    xy = shapely.get_coordinates(points)
    table = pd.DataFrame(
        {
            "road": map_distinct(doors["road"], normalise).fillna("").to_numpy(dtype=object),
            "number": plate_numbers(doors["plate"]).to_numpy(),
            "x": xy[:, 0],
            "y": xy[:, 1],
        },
        index=doors.index,
    )
    lines = _lines(places)
    pairs = (
        table[["road"]]
        .assign(row=np.arange(len(table)))
        .merge(lines, on="road", how="inner", validate="m:m")
    )
    pairs["distance_m"] = shapely.distance(
        points[pairs["row"].to_numpy()], pairs["shape"].to_numpy()
    )
    best = pairs.sort_values(["row", "distance_m"], kind="stable").drop_duplicates("row")
    at = best["row"].to_numpy()
    shapes, here = best["shape"].to_numpy(), points[at]
    table["distance_m"], table["line"], table["along"], table["side"] = np.nan, -1, np.nan, 0
    along = shapely.line_locate_point(shapes, here)
    columns = [table.columns.get_loc(name) for name in ("distance_m", "line", "along", "side")]
    table.iloc[at, columns[0]] = best["distance_m"].to_numpy()
    table.iloc[at, columns[1]] = best["line"].to_numpy()
    table.iloc[at, columns[2]] = along
    table.iloc[at, columns[3]] = _sides(shapes, along, xy[at])
    return table


def _lines(places: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the single lines of the streets, by every name they bear."""
    streets = places[places["kind"].eq("street").to_numpy()]
    shapes = streets.geometry.to_numpy()
    is_line = shapely.get_dimensions(shapes) == 1
    parts, row = shapely.get_parts(shapes[is_line], return_index=True)
    names = streets["name"].to_numpy(dtype=object)[is_line]
    aliases = streets["aliases"].to_numpy(dtype=object)[is_line]
    known = [
        (normalise(name), line)
        for line, each in enumerate(row)
        for name in (names[each], *aliases[each])
    ]
    table = pd.DataFrame(known, columns=["road", "line"]).drop_duplicates()
    return table.assign(shape=parts[table["line"].to_numpy(dtype=int)])


def _sides(lines: "NDArray[np.object_]", along: Floats, xy: Floats) -> NDArray[np.int64]:
    """Return on which side of the line each point lies: 1 left, -1 right, 0 on it."""
    before = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, np.maximum(along - 1.0, 0.0))
    )
    after = shapely.get_coordinates(shapely.line_interpolate_point(lines, along + 1.0))
    way, off = after - before, xy - before
    cross = way[:, 0] * off[:, 1] - way[:, 1] * off[:, 0]
    return np.sign(np.where(np.abs(cross) < 1e-6, 0.0, cross)).astype(np.int64)


def _warn_far(faults: Faults, doors: gpd.GeoDataFrame, table: pd.DataFrame) -> None:
    far = table["distance_m"] > ROAD_REACH_M
    faults.add("AD11", far, name=doors["name"], road=doors["road"], distance_m=table["distance_m"])
    lonely = _loneliness(table)
    alone = lonely.gt(LONELY_M) & ~far
    faults.add("AD12", alone, name=doors["name"], distance_m=lonely)


def _loneliness(table: pd.DataFrame) -> "pd.Series[float]":
    """Return how far the nearest other plate of the same road is; nan where there are few plates.

    The road is put at a distance of its own in a third dimension, so that one tree answers for all.
    """
    road, _ = pd.factorize(table["road"])
    count = np.bincount(road)[road]
    apart = 1e7
    at = np.column_stack([table["x"], table["y"], road * apart])
    distance, _ = cKDTree(at).query(at, k=2)
    second = distance[:, 1] if distance.ndim == 2 else np.full(len(table), np.inf)
    told = (count > LEAST_PLATES) & (second < apart / 2)
    return pd.Series(np.where(told, second, np.nan), index=table.index)


def _warn_order(faults: Faults, doors: gpd.GeoDataFrame, table: pd.DataFrame) -> None:
    """Judge each side of each road: order first; numbers in order but jumping; parity."""
    known = table["line"].ge(0) & table["number"].notna() & table["distance_m"].le(ROAD_REACH_M)
    rows = table[known].sort_values(["line", "side", "along", "number"], kind="stable")
    if rows.empty:
        return
    number, along = rows["number"].to_numpy(), rows["along"].to_numpy()
    rule = np.full(len(rows), "", dtype="U4")
    near = np.full((len(rows), 2), -1, dtype=np.int64)
    new = rows[["line", "side"]].diff().ne(0).any(axis=1).to_numpy()
    starts = [*np.flatnonzero(new).tolist(), len(rows)]
    for start, end in pairwise(starts):
        if end - start >= LEAST_PLATES:
            rule[start:end], beside = _judge_side(number[start:end], along[start:end])
            near[start:end] = np.where(beside >= 0, beside + start, -1)
    at = np.flatnonzero(rule != "")
    if len(at) == 0:
        return
    names = np.array([*doors["name"].reindex(rows.index), "–"], dtype=object)
    is_odd = pd.Series(number[at] % 2 == 1, index=rows.index[at])
    told = {
        "name": pd.Series(names[at], index=is_odd.index),
        "road": doors["road"].reindex(is_odd.index),
        "before": pd.Series(names[near[at, 0]], index=is_odd.index),  # none: -1, the last
        "after": pd.Series(names[near[at, 1]], index=is_odd.index),
        "distance_m": pd.Series(np.abs(along[at] - along[near[at, 0]]), index=is_odd.index),
        "parity": is_odd.map({True: "odd", False: "even"}),
        "parity_zh": is_odd.map({True: "单", False: "双"}),
    }
    for code in ("AD13", "AD14", "AD15"):
        mask = pd.Series(rule[at] == code, index=is_odd.index)
        faults.add(code, mask.reindex(faults.frame.index, fill_value=False), **told)


def _judge_side(number: Floats, along: Floats) -> tuple[NDArray[np.str_], Indices]:
    """Return the rule that each plate of one side of a road breaks, and its neighbours in order.

    The plates come in order along the road. ``""``: none; neighbour -1: there is none.
    """
    rule = np.full(len(number), "", dtype="U4")
    kept = longest_run(number)
    if kept.sum() < len(number):
        falling = longest_run(-number)
        kept = kept if kept.sum() >= falling.sum() else falling
    is_ordered = kept.mean() >= ORDERED_SHARE
    odd = number % 2 == 1
    share = odd.mean()
    if SIDED_SHARE <= max(share, 1 - share) < 1.0:
        rule[odd if share < 0.5 else ~odd] = "AD14"
    if is_ordered:
        rule[(rule == "") & ~kept] = "AD13"
    run = np.flatnonzero(kept & (rule == ""))
    if is_ordered and len(run) > 1:
        grows, metres = np.abs(np.diff(number[run])), np.abs(np.diff(along[run]))
        jumps = (grows > JUMP) & (grows > metres)
        if jumps.any():
            rule[_strays(run, jumps)] = "AD15"
    return rule, _neighbours(run, len(number))


def _strays(run: Indices, jumps: NDArray[np.bool_]) -> Indices:
    """Return the plates between a jump and the shorter end of the run: they are the odd ones."""
    found = [
        run[at + 1 :] if at + 1 > len(run) / 2 else run[: at + 1] for at in np.flatnonzero(jumps)
    ]
    few = [part for part in found if len(part) <= max(1, len(run) // 5)]
    return np.unique(np.concatenate(few)) if few else np.array([], dtype=np.int64)


def _neighbours(run: Indices, count: int) -> Indices:
    """Return the plates in order before and after each plate, -1 where there is none."""
    rows = np.arange(count)
    at = np.searchsorted(run, rows)
    padded = np.concatenate([[-1], run, [-1]])
    is_own = np.isin(rows, run)
    return np.column_stack([padded[at], padded[at + 1 + is_own]])


def longest_run(numbers: Floats) -> NDArray[np.bool_]:
    """Return which numbers belong to the longest run that never falls.

    Examples
    --------
    >>> longest_run(np.array([1.0, 3.0, 99.0, 5.0, 7.0])).tolist()
    [True, True, False, True, True]
    """
    ends: list[float] = []
    last: list[int] = []
    before = np.full(len(numbers), -1, dtype=np.int64)
    for row, number in enumerate(numbers.tolist()):
        place = bisect_right(ends, number)
        before[row] = last[place - 1] if place else -1
        if place == len(ends):
            ends.append(number)
            last.append(row)
        else:
            ends[place], last[place] = number, row
    kept = np.zeros(len(numbers), dtype=bool)
    row = last[-1] if last else -1
    while row >= 0:
        kept[row] = True
        row = int(before[row])
    return kept
