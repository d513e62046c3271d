"""Which row of one version is which row of another: by what it states, by code, by place."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Positions = NDArray[np.intp]

_NEIGHBOURS = 8
"""Rows looked at around a place; more of one class within half a metre are a fault of their own."""


@dataclass(frozen=True, kw_only=True)
class Origins:
    """Where each row of a side comes from."""

    position: Positions
    """Position in the base; -1: new."""
    is_by_place: NDArray[np.bool_]
    """Only place and class say so: a suspected new code."""


def find_origins(
    side: gpd.GeoDataFrame,
    base: gpd.GeoDataFrame,
    *,
    stated: "pd.Series[str] | None" = None,
    gone: NDArray[np.bool_] | None = None,
    distance_m: float,
) -> Origins:
    """Return for each row of `side` the row of `base` it is a version of; each is given once.

    First what rows state of themselves, then equal codes, then equal class and place among those
    that are left. Of two rows that state the same one the one with its code is it, else the lower.

    Parameters
    ----------
    side, base : GeoDataFrame
        ``code`` (unique), ``class_code``, geometry in the city's CRS.
    stated : pandas.Series or None
        Code in the base that each row states, aligned to `side`; None where it states none.
    gone : numpy.ndarray or None
        Rows of the base that may have got another code, for they are not in `side`; None: all.
    distance_m : float
        Greatest distance of the same place, m.

    Examples
    --------
    >>> old = gpd.GeoDataFrame({"code": ["a", "b"], "class_code": "1"}, geometry=gpd.points_from_xy([0, 9], [0, 0]))
    >>> new = gpd.GeoDataFrame({"code": ["b", "c"], "class_code": "1"}, geometry=gpd.points_from_xy([9, 0], [0, 0]))
    >>> found = find_origins(new, old, distance_m=0.5)
    >>> found.position.tolist(), found.is_by_place.tolist()
    ([1, 0], [False, True])
    """
    position = np.full(len(side), -1, dtype=np.intp)
    codes = side["code"].to_numpy(dtype=object)
    known = pd.Index(base["code"].to_numpy(dtype=object))
    if stated is not None:
        position = _first_claims(known.get_indexer(stated.to_numpy(dtype=object)), codes, base)
    taken = np.zeros(len(base), dtype=bool)
    taken[position[position >= 0]] = True
    by_code = known.get_indexer(codes)
    by_code[position >= 0] = -1
    known_code = np.flatnonzero(by_code >= 0)
    by_code[known_code[taken[by_code[known_code]]]] = -1
    position = np.where(by_code >= 0, by_code, position)
    taken[position[position >= 0]] = True
    new = np.flatnonzero(position < 0)
    free = np.flatnonzero(~taken if gone is None else ~taken & gone)
    near = pair_places(side.iloc[new], base.iloc[free], distance_m=distance_m)
    found = near >= 0
    position[new[found]] = free[near[found]]
    is_by_place = np.zeros(len(side), dtype=bool)
    is_by_place[new[found]] = True
    return Origins(position=position, is_by_place=is_by_place)


def _first_claims(claims: Positions, codes: NDArray[np.object_], base: pd.DataFrame) -> Positions:
    """Leave of several rows that claim one base row only one."""
    table = pd.DataFrame({"claim": claims, "code": codes})[claims >= 0]
    kept = base["code"].to_numpy(dtype=object)[table["claim"]] == table["code"].to_numpy(object)
    table = table.assign(other=~kept).sort_values(["claim", "other", "code"], kind="stable")
    first = table.drop_duplicates("claim")
    result = np.full(len(claims), -1, dtype=np.intp)
    result[first.index] = first["claim"]
    return result


def pair_places(
    rows: gpd.GeoDataFrame, others: gpd.GeoDataFrame, *, distance_m: float
) -> Positions:
    """Return for each row the position among `others` of the one of its class at its place, or -1.

    Nearest pairs are joined first, each row once; at equal distance the lower codes come first.
    """
    result = np.full(len(rows), -1, dtype=np.intp)
    left, right, _ = pairs_between(rows, others, distance_m=distance_m)
    used: set[int] = set()
    for row, other in zip(left.tolist(), right.tolist(), strict=True):
        if result[row] < 0 and other not in used:
            result[row] = other
            used.add(other)
    return result


def pairs_between(
    rows: gpd.GeoDataFrame, others: gpd.GeoDataFrame, *, distance_m: float
) -> tuple[Positions, Positions, NDArray[np.float64]]:
    """Return the pairs of one class within `distance_m`, with their distance, nearest first.

    Of each row at most the eight nearest are looked at.
    """
    empty = np.zeros(0, dtype=np.intp)
    if len(rows) == 0 or len(others) == 0:
        return empty, empty, np.zeros(0)
    classes, _ = pd.factorize(pd.concat([rows["class_code"], others["class_code"]]))
    # Classes lie on floors of their own, so that the nearest is always of the class.
    floor = classes * (distance_m * 4.0)
    mine = np.column_stack([places_of(rows), floor[: len(rows)]])
    theirs = np.column_stack([places_of(others), floor[len(rows) :]])
    tree = cKDTree(theirs)
    count = min(_NEIGHBOURS, len(others))
    found, place = tree.query(mine, k=[*range(1, count + 1)], distance_upper_bound=distance_m * 1.5)
    row, column = np.nonzero(found <= distance_m)
    left, right, distance = row, place[row, column], found[row, column]
    mine_code = rows["code"].to_numpy(dtype=str)[left]
    their_code = others["code"].to_numpy(dtype=str)[right]
    order = np.lexsort((their_code, mine_code, np.round(distance, 6)))
    return left[order], right[order], distance[order]


def places_of(rows: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Return east and north of the middle of each geometry, m; far away where there is none."""
    shapes = rows.geometry.to_numpy()
    result = np.full((len(rows), 2), 1e12)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    result[there] = shapely.get_coordinates(shapely.centroid(shapes[there]))
    result[~there, 0] += np.arange(np.count_nonzero(~there)) * 1e3
    return result
