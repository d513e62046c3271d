"""One object surveyed twice: near-duplicates in a delivery and beside what is loaded, stacks of points."""

import itertools

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from census.standing import standing
from gis.faults import Faults

_FIRST_LOOK = 2
_MORE = 4
_ANSWERS_AT_ONCE = 4_000_000
_CELL_NUMBERS = np.array([1, 1_000_003, 999_999_000_001], dtype=np.int64)
_COLUMNS = ["row", "other", "distance_m"]
Floats = NDArray[np.float64]
Whole = NDArray[np.intp]


def near_pairs(points: Floats, classes: "pd.Series[str]", *, distance_m: float) -> pd.DataFrame:
    """Return which rows lie closer than `distance_m` to an earlier row of their class.

    Rows at exactly one point are looked up as one, and the search widens only for the rows that have
    near neighbours but no earlier one yet, so that the time stays near linear in heaps of points too.

    Parameters
    ----------
    points : numpy.ndarray
        East and north per row, m.
    classes : pandas.Series
        Minor class per row.
    distance_m : float
        Pairs at this distance or more are not near.

    Returns
    -------
    pandas.DataFrame
        ``row`` and ``other``, positions in the input with other < row, and ``distance_m``: the
        nearest such other of each row, the first of equals; by row.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [0.3, 0.0], [0.0, 0.1], [0.0, 0.1]])
    >>> near_pairs(xy, pd.Series(["a", "a", "a", "b"]), distance_m=0.5)[["row", "other"]].to_numpy().tolist()
    [[1, 0], [2, 0]]
    """
    if len(points) == 0 or distance_m <= 0:
        return pd.DataFrame(columns=_COLUMNS)
    spaced = _apart_by_class(points, pd.factorize(classes)[0], distance_m=distance_m)
    first = first_at(spaced)
    heads = np.flatnonzero(
        (first == np.arange(len(points))) & _may_have_near(spaced, distance_m=distance_m)
    )
    again = np.flatnonzero(first != np.arange(len(points)))
    found, other, apart = _nearest_earlier(spaced[heads], distance_m=distance_m)
    table = pd.DataFrame(
        {
            "row": np.concatenate([heads[found], again]),
            "other": np.concatenate([heads[other], first[again]]),
            "distance_m": np.concatenate([apart, np.zeros(len(again))]),
        }
    )
    return table.sort_values("row", ignore_index=True)


def first_at(points: Floats) -> Whole:
    """Return for each point the position of the first that is exactly the same.

    Examples
    --------
    >>> first_at(np.array([[0.0, 1.0], [2.0, 3.0], [0.0, 1.0], [0.0, 3.0]])).tolist()
    [0, 1, 0, 3]
    """
    first = np.arange(len(points))
    shared = [pd.Series(axis).duplicated(keep=False).to_numpy() for axis in points.T]
    some = np.flatnonzero(np.logical_and.reduce(shared))
    if len(some):
        # Points that share each coordinate with another are few, unless they lie on a lattice.
        table = pd.DataFrame(points[some])
        group = table.groupby(list(table.columns), sort=False).ngroup()
        heads = some[~group.duplicated().to_numpy()]
        first[some] = heads[group]
    return first


def judge_neighbours(
    rows: pd.DataFrame, faults: Faults, *, points: Floats, distance_m: float, stack_size: int
) -> None:
    """Report components that are perhaps one object twice (C021), and places with a heap of them (C028).

    Of a pair the later one is reported, of a heap its first row alone.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows with ``code`` and ``class_code``; their index is part of that of the faults.
    faults : Faults
        Gets C021 and C028.
    points : numpy.ndarray
        East and north of each row, m.
    distance_m : float
        Threshold of the city profile.
    stack_size : int
        This many components at exactly one point are a heap.
    """
    if len(rows) == 0:
        return
    place = first_at(points)
    size = np.bincount(place, minlength=len(points))[place]
    heap = size >= stack_size
    first = heap & (place == np.arange(len(points)))
    faults.add("C028", pd.Series(first, rows.index), count=pd.Series(size, rows.index))
    near = near_pairs(points, rows["class_code"], distance_m=distance_m)
    told = heap[near["row"].to_numpy(dtype=int)] & (near["distance_m"].to_numpy(dtype=float) == 0)
    near = near[~told]
    index = rows.index[near["row"].to_numpy(dtype=int)]
    other = rows["code"].to_numpy(dtype=object)[near["other"].to_numpy(dtype=int)]
    faults.add(
        "C021",
        pd.Series(True, index=index),
        distance_m=pd.Series(near["distance_m"].to_numpy(dtype=float), index=index),
        other=pd.Series(other, index=index, dtype=object),
        class_code=rows["class_code"],
    )


def nearest_known(
    points: Floats, classes: "pd.Series[str]", *, known: pd.DataFrame, distance_m: float
) -> pd.DataFrame:
    """Return for each row the nearest known component of its class, closer than `distance_m`.

    Parameters
    ----------
    points : numpy.ndarray
        East and north per row, m.
    classes : pandas.Series
        Minor class per row; its index is the result's.
    known : pandas.DataFrame
        ``code``, ``class_code``, ``x`` and ``y``, m.
    distance_m : float
        Those at this distance or more are not near.

    Returns
    -------
    pandas.DataFrame
        ``other``, the code, None where there is none, and ``distance_m``.

    Examples
    --------
    >>> known = pd.DataFrame({"code": ["k"], "class_code": ["0104"], "x": [0.0], "y": [0.0]})
    >>> xy = np.array([[0.3, 0.0], [0.3, 0.0]])
    >>> nearest_known(xy, pd.Series(["0104", "0105"]), known=known, distance_m=0.5)["other"].tolist()
    ['k', None]
    """
    other = np.full(len(points), None, dtype=object)
    apart = np.full(len(points), np.inf)
    if len(points) and len(known) and distance_m > 0:
        known = known.sort_values("code", kind="stable")
        both = pd.factorize(pd.concat([classes, known["class_code"]], ignore_index=True))[0]
        here = _apart_by_class(points, both[: len(points)], distance_m=distance_m)
        there = known[["x", "y"]].to_numpy(dtype=float)
        tree = cKDTree(_apart_by_class(there, both[len(points) :], distance_m=distance_m))
        apart, position = tree.query(here, distance_upper_bound=distance_m)
        is_near = np.isfinite(apart)
        other[is_near] = known["code"].to_numpy(dtype=object)[position[is_near]]
    other_codes = pd.Series(other, index=classes.index, dtype=object)
    return pd.DataFrame({"other": other_codes, "distance_m": apart}, index=classes.index)


def judge_against_live(
    rows: pd.DataFrame, faults: Faults, *, points: Floats, live: pd.DataFrame, distance_m: float
) -> None:
    """Report components that the database already has under another code (C017, C027).

    C017 where the loaded one is to be replaced by this delivery, which does not name its code any
    more; C027 where it stays.

    Parameters
    ----------
    rows : pandas.DataFrame
        Rows with ``code`` and ``class_code``.
    faults : Faults
        Gets C017 and C027.
    points : numpy.ndarray
        East and north of each row, m.
    live : pandas.DataFrame
        Live components: ``code``, ``class_code``, ``x``, ``y`` and ``is_replaced``.
    distance_m : float
        Threshold of the city profile.
    """
    is_new = ~rows["code"].isin(live["code"])
    others = live[~live["code"].isin(rows["code"])]
    if not is_new.any() or others.empty:
        return
    fresh = rows[is_new & standing(rows, faults)]
    at = points[rows.index.get_indexer(fresh.index)]
    for rule, is_replaced in (("C017", True), ("C027", False)):
        known = others[others["is_replaced"] == is_replaced]
        near = nearest_known(at, fresh["class_code"], known=known, distance_m=distance_m)
        faults.add(rule, near["other"].notna(), class_code=rows["class_code"], code=rows["code"],
                   **{str(name): near[name] for name in near})  # fmt: skip


def _apart_by_class(points: Floats, classes: Whole, *, distance_m: float) -> Floats:
    """Return the points with their class as height, so that no two classes are near each other."""
    return np.column_stack([points, (classes * (4.0 * distance_m)).astype(float)])


def _may_have_near(points: Floats, *, distance_m: float) -> NDArray[np.bool_]:
    """Return False for rows that share no cell of any of four grids: nothing is near these.

    The cells are a little wider than twice the distance, and each grid is set off by half a cell: two
    points that are near each other lie in one cell of at least one grid.
    """
    scaled = (points - points.min(axis=0)) / (2.001 * distance_m)
    result = np.zeros(len(points), dtype=bool)
    for shift in itertools.product((0.0, 0.5), repeat=2):
        cells = np.floor(scaled + np.array([*shift, 0.0])).astype(np.int64)
        # Cells far apart may get one number: then rows are looked at that need not be.
        result |= pd.Series(cells @ _CELL_NUMBERS).duplicated(keep=False).to_numpy()
    return result


def _nearest_earlier(points: Floats, *, distance_m: float) -> tuple[Whole, Whole, Floats]:
    """Return rows with an earlier row near, that row, and how far it is; the points are distinct."""
    tree = cKDTree(points, balanced_tree=False)
    rows, others, distances = [np.empty(0, np.intp)], [np.empty(0, np.intp)], [np.empty(0)]
    pending = np.arange(len(points))
    reach = min(_FIRST_LOOK, len(points))
    while len(pending):
        later = []
        for part in np.array_split(pending, -(-len(pending) * reach // _ANSWERS_AT_ONCE)):
            apart, near = tree.query(points[part], k=[*range(1, reach + 1)],
                                     distance_upper_bound=distance_m)  # fmt: skip
            ahead = np.where(near < part[:, None], apart, np.inf)
            best = ahead.min(axis=1)
            # An equal distance beyond the last answer could belong to an earlier row still.
            decided = np.isinf(apart[:, -1]) | (best < apart[:, -1]) | (reach == len(points))
            chosen = np.where(ahead == best[:, None], near, len(points)).min(axis=1)
            hit = decided & np.isfinite(best)
            rows.append(part[hit])
            others.append(chosen[hit])
            distances.append(best[hit])
            later.append(part[~decided])
        pending = np.concatenate(later)
        reach = min(reach * _MORE, len(points))
    return np.concatenate(rows), np.concatenate(others), np.concatenate(distances)
