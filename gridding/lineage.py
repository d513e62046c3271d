"""Which unit grid comes from which 网格沿革: by area overlap, with the codes that follow from it.

A border that was adjusted keeps its code; a grid that was split or merged is closed, and what came of
it gets new numbers after the largest ever used in the community. No number is used twice.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridding.numbering import number

KINDS = ("keep", "reshape", "split", "merge", "replace", "retire", "new")
"""What became of a grid: as it was, border adjusted, parted, joined, drawn anew, gone, come."""
_CRUMB_M2 = 0.5
_MAIN = 0.5
_ROUNDING_M = 0.008
"""How far rounding to centimetres moves a border, m: half the diagonal of a cell, and a little."""
_APART_M = 0.015
"""How far apart outlines are at most that rounding moved, m."""

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class CodeRules:
    """When a grid whose border moved is still the same grid."""

    kept_overlap: float = 0.9
    """Same grid from this ratio of common area to joint area on."""
    kept_components: float = 0.95
    """Same grid too if this share of its components stays in it, and it was neither split nor merged."""
    kept_share: float | None = None
    """A part with this share of a split grid keeps its code (as 0.7); None: no part does."""


def overlaps(old: Geometries, new: Geometries) -> pd.DataFrame:
    """Return the pairs of old and new polygons that share more than half a square metre.

    Returns
    -------
    pandas.DataFrame
        ``old``, ``new`` (positions), ``area_m2``, ``overlap_old``, ``overlap_new`` (share of either's
        area), ``likeness`` (common area / joint area) and ``is_equal`` (they differ by rounding alone),
        ordered by old, then new.

    Examples
    --------
    >>> table = overlaps(shapely.box([0], [0], [10], [10]), shapely.box([0, 8], [0, 0], [8, 12], [10, 10]))
    >>> table[["new", "area_m2", "overlap_old", "overlap_new"]].values.tolist()
    [[0.0, 80.0, 0.8, 1.0], [1.0, 20.0, 0.2, 0.5]]
    """
    # What is equal to the last digit needs no geometry; in a large city that is nearly everything.
    first, second = _equal(old, new)
    area = shapely.area(old[first])
    rest_old = np.setdiff1d(np.arange(len(old)), first)
    rest_new = np.setdiff1d(np.arange(len(new)), second)
    some_new, some_old = shapely.STRtree(old[rest_old]).query(new[rest_new], predicate="intersects")
    some_old, some_new = rest_old[some_old], rest_new[some_new]
    shared = shapely.area(shapely.intersection(old[some_old], new[some_new]))
    first, second = np.append(first, some_old), np.append(second, some_new)
    area = np.append(area, shared)
    old_m2, new_m2 = shapely.area(old)[first], shapely.area(new)[second]
    table = pd.DataFrame(
        {
            "old": first,
            "new": second,
            "area_m2": area,
            "overlap_old": area / old_m2,
            "overlap_new": area / new_m2,
            "likeness": area / (old_m2 + new_m2 - area),
            "is_equal": old_m2 + new_m2 - 2 * area <= rounding_m2(old)[first],
        }
    )
    # A corner moved far may change little area.
    alike = np.flatnonzero(table["is_equal"])
    apart = shapely.hausdorff_distance(old[first[alike]], new[second[alike]])
    table.loc[alike, "is_equal"] = apart <= _APART_M
    table = table[table["area_m2"] > np.minimum(_CRUMB_M2, 0.5 * np.minimum(old_m2, new_m2))]
    return table.sort_values(["old", "new"]).reset_index(drop=True)


def rounding_m2(shapes: Geometries) -> Floats:
    """Return the area by which polygons may differ when their vertices are rounded, m².

    Examples
    --------
    >>> rounding_m2(shapely.box([0, 0], 0, [100, 0.1], 100)).tolist()
    [3.2, 1.6016]
    """
    result: Floats = np.maximum(0.02, _ROUNDING_M * shapely.length(shapes))
    return result


def _equal(old: Geometries, new: Geometries) -> tuple[Indices, Indices]:
    """Return the pairs of polygons with the same coordinates, each polygon at most once."""
    old_text, new_text = (
        pd.Series(shapely.to_wkb(shapely.normalize(shapes)), dtype=object) for shapes in (old, new)
    )
    unique_old = old_text.drop_duplicates()
    place = pd.Index(unique_old).get_indexer(pd.Index(new_text))
    found = np.flatnonzero((place >= 0) & ~new_text.duplicated().to_numpy())
    return unique_old.index.to_numpy()[place[found]].astype(np.intp), found.astype(np.intp)


def succession(
    pairs: pd.DataFrame,
    *,
    counts: tuple[int, int],
    stayed: Floats | None = None,
    rules: CodeRules | None = None,
) -> pd.DataFrame:
    """Add to pairs of `overlaps` what became of each: ``kind``, and ``is_same`` where the code stays.

    Pairs are main ones when half of either grid lies in the other. Old grids without a pair, and new
    ones, come as rows with -1 on the other side.

    Parameters
    ----------
    pairs : pandas.DataFrame
        From `overlaps`.
    counts : tuple of int
        Number of old and of new grids.
    stayed : array of float or None
        For each pair the share of the old grid's components that is in the new one; nan: it had none.
    rules : CodeRules or None
        When a code stays.

    Examples
    --------
    >>> halves = shapely.box([0, 50], [0, 0], [50, 100], [100, 100])
    >>> table = succession(overlaps(shapely.box([0], [0], [100], [100]), halves), counts=(1, 2))
    >>> table[["old", "new", "kind", "is_same"]].values.tolist()
    [[0, 0, 'split', False], [0, 1, 'split', False]]
    """
    rules = rules or CodeRules()
    table = pairs.copy()
    main = (table["overlap_old"] >= _MAIN) | (table["overlap_new"] >= _MAIN)
    main |= table["likeness"] >= rules.kept_overlap
    group = _groups(table[main], counts)
    old_group, new_group = group[: counts[0]], group[counts[0] :]
    olds, news = np.bincount(old_group), np.bincount(new_group, minlength=int(group.max()) + 1)
    olds = np.bincount(old_group, minlength=len(news))
    before = olds[old_group[table["old"].to_numpy()]]
    after = news[old_group[table["old"].to_numpy()]]
    table["kind"] = np.select(
        [(before == 1) & (after == 1), before == 1, after == 1],
        ["replace", "split", "merge"],
        "replace",
    )
    single = main & (before == 1) & (after == 1)
    same = table["likeness"] >= rules.kept_overlap
    if stayed is not None:
        same |= single & (np.nan_to_num(stayed) >= rules.kept_components)
    if rules.kept_share is not None:
        same |= main & (table["kind"] == "split") & (table["overlap_old"] >= rules.kept_share)
    table["is_same"] = same & _is_best(table, same)
    equal = table.loc[table["is_same"], "is_equal"].astype(bool)
    table.loc[table["is_same"], "kind"] = np.where(equal, "keep", "reshape")
    table["is_main"] = main
    return pd.concat([table, *_loners(table, counts)], ignore_index=True)


def pick(values: Geometries, rows: Indices) -> Geometries:
    """Return the values at some rows, None where the row is -1.

    Examples
    --------
    >>> pick(np.array(["a", "b"], dtype=object), np.array([1, -1])).tolist()
    ['b', None]
    """
    result = np.full(len(rows), None, dtype=object)
    result[rows >= 0] = values[rows[rows >= 0]]
    return result


def _groups(main: pd.DataFrame, counts: tuple[int, int]) -> Indices:
    """Return which old and new grids hang together by main pairs."""
    size = sum(counts)
    ones = np.ones(len(main))
    edges = coo_array((ones, (main["old"], main["new"] + counts[0])), shape=(size, size))
    return np.asarray(connected_components(edges, directed=False)[1], dtype=np.intp)


def _is_best(table: pd.DataFrame, same: "pd.Series[bool]") -> "pd.Series[bool]":
    """Return which pairs are the likest of both their grids, so that no code is given twice."""
    worth = table["likeness"].where(same, -1.0)
    best_old = worth.groupby(table["old"]).transform("max")
    best_new = worth.groupby(table["new"]).transform("max")
    tie = table.assign(worth=worth).duplicated(["old", "worth"])
    return (worth == best_old) & (worth == best_new) & ~tie


def _loners(table: pd.DataFrame, counts: tuple[int, int]) -> list[pd.DataFrame]:
    rows = []
    for side, kind, count in (("old", "retire", counts[0]), ("new", "new", counts[1])):
        paired = table.loc[table["is_main"], side]
        alone = np.setdiff1d(np.arange(count), paired.to_numpy())
        if len(alone) == 0:
            continue
        empty = dict.fromkeys(("area_m2", "overlap_old", "overlap_new", "likeness"), 0.0)
        frame = pd.DataFrame({"old": -1, "new": -1, **empty, "kind": kind}, index=range(len(alone)))
        frame[side] = alone
        rows.append(frame.assign(is_same=False, is_main=True))
    return rows


def give_codes(
    old: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    *,
    succeeded: pd.DataFrame,
    used: Collection[str],
    code_length: int = 15,
    target_m2: float = 10_000.0,
) -> "pd.Series[str]":
    """Return the codes of new grids: that of the old one where it stays, else the next free number.

    Parameters
    ----------
    old : geopandas.GeoDataFrame
        ``code``.
    new : geopandas.GeoDataFrame
        ``community_code`` and ``geometry``; ``code`` where it is settled.
    succeeded : pandas.DataFrame
        From `succession`; a code does not follow a grid into another community.
    used : collection of str
        All codes ever used.
    code_length : int
        Digits of a code.
    target_m2 : float
        Area of a usual grid, m².

    Raises
    ------
    CodeError
        A community has no number left.
    """
    same = succeeded[succeeded["is_same"]]
    codes: pd.Series[Any] = pd.Series(None, index=new.index, dtype=object)
    codes.iloc[same["new"].to_numpy()] = old["code"].to_numpy()[same["old"].to_numpy()]
    if "code" in new:
        codes = new["code"].astype(object).where(new["code"].notna(), codes)
    home = new["community_code"].astype(str)
    kept = [
        isinstance(code, str) and code.startswith(place)
        for code, place in zip(codes, home, strict=True)
    ]
    fresh = ~np.array(kept, dtype=np.bool_)
    if fresh.any():
        taken = sorted({*used, *old["code"]})
        rows = gpd.GeoDataFrame(new[fresh].drop(columns="code", errors="ignore"))
        codes[fresh] = number(rows, code_length=code_length, used=taken, target_m2=target_m2)
    return codes.astype(str)


def name_rows(
    succeeded: pd.DataFrame, old: "pd.Series[str]", new: "pd.Series[str]"
) -> pd.DataFrame:
    """Return the rows of ``grids.lineage``: codes, kind and overlaps of the pairs that tell something.

    Grids kept unchanged are left out, and so is the little land that two adjusted grids exchanged.
    """
    table = succeeded.copy()
    for side, codes in (("old", old), ("new", new)):
        at = table[side].to_numpy()
        table[f"{side}_code"] = pick(codes.to_numpy(dtype=object), at)
    lives_on = set(table["old_code"].dropna()) & set(table["new_code"].dropna())
    other = table["old_code"] != table["new_code"]
    exchange = other & table["old_code"].isin(lives_on) & table["new_code"].isin(lives_on)
    told = table["is_main"] & (table["kind"] != "keep") & ~exchange
    recoded = table["kind"].isin(["keep", "reshape"]) & other
    table.loc[recoded, "kind"] = "replace"
    columns = ["old_code", "new_code", "kind", "overlap_old", "overlap_new"]
    rows = table.loc[told | recoded, columns]
    return rows.sort_values(["old_code", "new_code"], na_position="last").reset_index(drop=True)


def stayed_shares(
    points: Geometries, old: Geometries, new: Geometries, *, pairs: pd.DataFrame
) -> Floats:
    """Return for each pair the share of the old grid's points that lie in the new one; nan: it has none.

    Examples
    --------
    >>> old, new = shapely.box([0], [0], [9], [9]), shapely.box([0], [0], [6], [9])
    >>> points = shapely.points([[1, 1], [2, 2], [8, 8]])
    >>> stayed_shares(points, old, new, pairs=overlaps(old, new)).round(2).tolist()
    [0.67]
    """
    before, after = holder(points, old), holder(points, new)
    total = pd.Series(before[before >= 0]).value_counts()
    both = (before >= 0) & (after >= 0)
    together = pd.Series(list(zip(before[both], after[both], strict=True))).value_counts()
    keys = list(zip(pairs["old"], pairs["new"], strict=True))
    shared = np.array([together.get(key, 0) for key in keys], dtype=np.float64)
    whole = pairs["old"].map(total).to_numpy(dtype=np.float64)
    result: Floats = shared / whole
    return result


def holder(points: Geometries, polygons: Geometries) -> Indices:
    """Return which polygon holds each point: the first one on a border, -1 outside all."""
    rows = np.full(len(points), len(polygons), dtype=np.intp)
    point, polygon = shapely.STRtree(polygons).query(points, predicate="intersects")
    np.minimum.at(rows, point, polygon)
    return np.where(rows == len(polygons), -1, rows)
