"""Pairs of cases that may be about the same thing, among all that are on record, in n log n."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from api.cases.likeness import (
    LEAST_PROBABILITY,
    MOST_REACH_M,
    REACH,
    SURROUNDINGS_DAYS,
    SURROUNDINGS_M,
    USUAL_SIGMA_M,
    background_rate,
    joint_sigma,
    likeness,
    told,
    window_of,
)

_NEIGHBOURS = 16
"""In bulk each case is compared with this many of its nearest in place and time."""
_ROUNDS = 12
_PRIOR_REPEATS = 5.0
"""Repeats that the assumed share of them weighs as much as, in learning the true one."""
PAIR_COLUMNS = (
    "case_id",
    "duplicate_case_id",
    "probability",
    "distance_m",
    "hours",
    "why",
    "why_zh",
)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Pairs of cases that may be one, and what the history tells of them all."""

    pairs: pd.DataFrame
    """`PAIR_COLUMNS`, the most probable first."""
    factor: float
    """How many times as often as the table of windows says cases are repeated here."""


@dataclass(frozen=True)
class _Pairs:
    one: NDArray[np.intp]
    """The earlier case of each pair."""
    other: NDArray[np.intp]


def find_pairs(places: pd.DataFrame, *, least: float = LEAST_PROBABILITY) -> pd.DataFrame:
    """Return the pairs of cases that may be one, the most probable first: those of `compare`."""
    return compare(places, least=least).pairs


def compare(places: pd.DataFrame, *, least: float = LEAST_PROBABILITY) -> Compared:
    """Compare all cases with each other.

    Each case is compared with those of its class that are nearest in place and time, so the work
    grows as n log n, and stays bounded where thousands were reported at one point. A case that was
    closed before the other was reported is another thing.

    Parameters
    ----------
    places : pandas.DataFrame
        ``case_id, kind, class_code, reported_at, closed_at, x, y, sigma_m, component, certainty``;
        x, y in metres.
    least : float
        Pairs less probable are left out.

    Returns
    -------
    Compared
        The pairs, the earlier case first, and how often cases are repeated here.
    """
    rows = places.sort_values(["reported_at", "case_id"], ignore_index=True)
    if len(rows) < 2:
        return Compared(pairs=pd.DataFrame(columns=list(PAIR_COLUMNS)), factor=1.0)
    group = rows["kind"].str.cat(rows["class_code"], sep=" ")
    number, names = pd.factorize(group)
    windows = [window_of(*name.split(" ", 1)) for name in names]
    hours = rows["reported_at"].astype("int64").to_numpy() / 3.6e9
    at = rows[["x", "y"]].to_numpy(dtype=np.float64)
    sigma = rows["sigma_m"].fillna(USUAL_SIGMA_M).to_numpy(dtype=np.float64)
    reach = np.minimum(REACH * np.sqrt(2) * sigma, MOST_REACH_M)
    pairs = _near_pairs(at, hours, number, reach, np.array([w.window_h for w in windows]))
    around = _others_around(at, hours, number)
    return _judged(
        rows,
        pairs,
        windows=[windows[k] for k in number[pairs.one]],
        around=around,
        expected=float(np.array([w.repeats for w in windows])[number].sum()),
        least=least,
    )


def _near_pairs(
    at: NDArray[np.float64],
    hours: NDArray[np.float64],
    number: NDArray[np.intp],
    reach: NDArray[np.float64],
    window_h: NDArray[np.float64],
) -> _Pairs:
    """Return pairs of one class within reach of the less exact and within the window of the class."""
    ones, others = [], []
    order = np.argsort(number, kind="stable")
    bounds = np.searchsorted(number[order], np.arange(len(window_h) + 1))
    for which, (first, last) in enumerate(pairwise(bounds)):
        rows = order[first:last]
        if len(rows) < 2:
            continue
        scale = np.array([reach[rows].max(), reach[rows].max(), window_h[which]])
        points = np.column_stack([at[rows], hours[rows]]) / scale
        tree = cKDTree(points)
        count = min(_NEIGHBOURS + 1, len(rows))
        _, near = tree.query(points, k=count, p=np.inf, distance_upper_bound=1.0, workers=-1)
        mine = np.repeat(np.arange(len(rows)), count)
        found = near.ravel()
        keep = (found < len(rows)) & (found != mine)
        low = np.minimum(mine[keep], found[keep])
        high = np.maximum(mine[keep], found[keep])
        both = np.unique(low * len(rows) + high)
        ones.append(rows[both // len(rows)])
        others.append(rows[both % len(rows)])
    if not ones:
        return _Pairs(np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp))
    return _Pairs(np.concatenate(ones), np.concatenate(others))


def _others_around(
    at: NDArray[np.float64], hours: NDArray[np.float64], number: NDArray[np.intp]
) -> NDArray[np.int64]:
    """Return for each case how many others of its class lie in its square and quarter of a year."""
    cells = np.column_stack(
        [
            number,
            np.floor(at / SURROUNDINGS_M).astype(np.int64),
            np.floor(hours / (24 * SURROUNDINGS_DAYS)).astype(np.int64),
        ]
    )
    _, inverse, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
    result: NDArray[np.int64] = counts[inverse.ravel()] - 1
    return result


def _repeat_factor(weigh: Callable[[float], NDArray[np.float64]], expected: float) -> float:
    """Return how much oftener than assumed cases are repeated in this history.

    The share that makes the sum of the probabilities what it assumes (expectation-maximisation);
    a short history says little and leaves the assumption nearly as it is.
    """
    factor = 1.0
    for _ in range(_ROUNDS):
        factor = (float(weigh(factor).sum()) + _PRIOR_REPEATS) / (expected + _PRIOR_REPEATS)
    return factor


def _judged(
    rows: pd.DataFrame,
    pairs: _Pairs,
    *,
    windows: list[Any],
    around: NDArray[np.int64],
    expected: float,
    least: float,
) -> Compared:
    one, other = rows.iloc[pairs.one], rows.iloc[pairs.other]
    hours = (
        other["reported_at"].astype("int64").to_numpy()
        - one["reported_at"].astype("int64").to_numpy()
    ) / 3.6e9
    sigma = joint_sigma(
        one["sigma_m"].fillna(USUAL_SIGMA_M).to_numpy(),
        other["sigma_m"].fillna(USUAL_SIGMA_M).to_numpy(),
    )
    distance = np.hypot(
        one["x"].to_numpy() - other["x"].to_numpy(), one["y"].to_numpy() - other["y"].to_numpy()
    )
    mine = one["component"].fillna("").to_numpy(dtype=object)
    theirs = other["component"].fillna("").to_numpy(dtype=object)
    shared = (mine == theirs) & (mine != "")
    apart = (mine != theirs) & (mine != "") & (theirs != "")
    certain = one["certainty"].fillna(0.0).to_numpy() * other["certainty"].fillna(0.0).to_numpy()
    distance = np.where(shared, 0.0, distance)
    others = np.maximum(around[pairs.one] - 1, 0)
    closed = one["closed_at"].astype("int64").to_numpy() / 3.6e9
    is_over = one["closed_at"].notna().to_numpy() & (
        closed < other["reported_at"].astype("int64").to_numpy() / 3.6e9
    )
    within = hours <= np.array([window.window_h for window in windows])
    possible = (distance <= REACH * sigma) & within & ~is_over
    scale_h = np.array([window.scale_h for window in windows])
    repeats = np.array([window.repeats for window in windows])

    def weigh(factor: float) -> NDArray[np.float64]:
        found: NDArray[np.float64] = likeness(
            distance_m=distance,
            sigma_m=sigma,
            hours=hours,
            window=(scale_h, repeats * factor),
            same=np.where(apart, 1 - certain, 1.0),
            background=background_rate(others),
        )
        return np.where(possible, found, 0.0)

    factor = _repeat_factor(weigh, expected)
    probability = weigh(factor)
    keep = np.flatnonzero((probability >= least) & possible)
    words = [
        told(
            distance_m=float(distance[k]), sigma_m=float(sigma[k]), hours=float(hours[k]),
            component=str(mine[k]) if shared[k] else None, others=int(others[k]),
        )
        for k in keep
    ]  # fmt: skip
    found = pd.DataFrame(
        {
            "case_id": one["case_id"].to_numpy(dtype=object)[keep],
            "duplicate_case_id": other["case_id"].to_numpy(dtype=object)[keep],
            "probability": probability[keep].round(4),
            "distance_m": distance[keep].round(1),
            "hours": hours[keep].round(2),
            "why": [english for english, _ in words],
            "why_zh": [chinese for _, chinese in words],
        },
        columns=list(PAIR_COLUMNS),
    )
    pairs_found = found.sort_values(
        ["probability", "case_id", "duplicate_case_id"],
        ascending=[False, True, True],
        ignore_index=True,
    )
    return Compared(pairs=pairs_found, factor=factor)
