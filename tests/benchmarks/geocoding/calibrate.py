"""``python -m tests.benchmarks.geocoding.calibrate``: fit which share of answers of a score is right.

Places of sample districts and of Shanghai are asked for, clean, disturbed and unknown; half of the
questions of each (every other one) are fitted, the other half checks the fit, and other districts
check it that nothing was fitted on. For each group of matches the share of right answers is fitted
as a step-free function of the score that never falls (isotonic regression by pooling adjacent
violators: Barlow and others, Statistical Inference under Order Restrictions, 1972), Shanghai counting
twice as much as all districts together. What was placed along a road or in an area is right within twice
its stated uncertainty. The table is written to ``api/geocoding/calibration.csv``.
"""

import argparse
import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from api.geocoding import calibration
from tests.benchmarks.geocoding import sample, shanghai
from tests.benchmarks.geocoding.__main__ import built_city
from tests.benchmarks.geocoding.queries import Query, ask_all
from tests.real import shanghai as shanghai_delivery

Floats = NDArray[np.float64]

TABLE = Path(__file__).resolve().parents[3] / "api" / "geocoding" / "calibration.csv"
BINS = 12
LEAST_RISE = 1e-3
"""Rise of the share from one line of the table to the next, so that it can be undone."""
SURE = 0.8
SEEDS = (31, 4242)
"""Districts to fit on: none that another benchmark or a test looks at."""
MOST = 0.995
"""Largest share: too few answers were seen to say more."""
HEAVY = 0.5
"""Divides the weight of a real city: it counts twice as much as all districts together."""
PLACED = frozenset({"placing", "part"})
"""Groups whose answers are right within twice their stated uncertainty."""
FAR_M = 500.0
"""Farther off than this no answer is right, however uncertain it says it is, m."""
MOST_PLACED = 0.79
"""Largest share of answers that were placed: they are near the place that is meant, never surely it."""
WITHOUT = frozenset({"part", "distance"})
"""Groups that stay as they are."""
LEAST_ROWS = 25
"""Answers to a line of the table."""


def fit(
    score: Floats, right: Floats, weight: Floats, *, bins: int = BINS, most: float = MOST
) -> tuple[Floats, Floats]:
    """Return scores and the share of right answers at each, rising from 0 to at most 1.

    Parameters
    ----------
    score, right, weight : numpy.ndarray
        Score of each answer, 1 if it was right else 0, and how much it counts.
    bins : int
        Most lines of the table, of about equal weight each, the ends left out.
    most : float
        Largest share of the table.

    Examples
    --------
    >>> score = np.repeat([0.2, 0.5, 0.9], 100)
    >>> right = np.concatenate([np.arange(100) < n for n in (10, 40, 80)]).astype(float)
    >>> at, share = fit(score, right, np.ones(300), bins=3)
    >>> at.round(2).tolist(), share.round(2).tolist()
    ([0.0, 0.2, 0.5, 0.9, 1.0], [0.0, 0.1, 0.4, 0.8, 0.8])
    """
    order = np.argsort(score, kind="stable")
    parts = _parts(score[order], weight[order], bins)
    pools: list[list[float]] = []  # weight, weighted score, weighted right
    for rows in parts:
        there = order[rows]
        heavy = weight[there]
        pools.append([heavy.sum(), heavy @ score[there], heavy @ right[there]])
        while len(pools) > 1 and pools[-2][2] / pools[-2][0] >= pools[-1][2] / pools[-1][0]:
            last = pools.pop()
            pools[-1] = [one + two for one, two in zip(pools[-1], last, strict=True)]
    whole = np.array(pools)
    at = np.concatenate([[0.0], whole[:, 1] / whole[:, 0], [1.0]])
    share = np.concatenate([[0.0], whole[:, 2] / whole[:, 0]])
    share = np.append(share, share[-1])
    for line in range(1, len(share) - 1):
        share[line] = max(share[line], share[line - 1] + LEAST_RISE)
    share[-1] = max(share[-1], share[-2])
    return at, np.minimum(share, most)


def _parts(score: Floats, weight: Floats, bins: int) -> list[NDArray[np.intp]]:
    """Cut sorted scores into parts of about equal weight, equal scores together."""
    goal = np.floor(bins * (np.cumsum(weight) - weight / 2) / weight.sum())
    first = np.searchsorted(score, score, side="left")
    part = goal[first]
    return [np.flatnonzero(part == one) for one in np.unique(part)]


def expected_error(score: Floats, right: Floats) -> float:
    """Return the mean difference of score and share of right answers over ten bins of the score.

    Naeini, Cooper and Hauskrecht, AAAI 2015.

    Examples
    --------
    >>> round(expected_error(np.array([0.9] * 10), np.array([1.0] * 8 + [0.0] * 2)), 2)
    0.1
    """
    bins = np.minimum((score * 10).astype(int), 9)
    errors = [
        abs(float(score[bins == one].mean() - right[bins == one].mean()))
        * float((bins == one).mean())
        for one in np.unique(bins)
    ]
    return sum(errors)


def ask_sources(seeds: Sequence[int], *, limit: int) -> dict[str, pd.DataFrame]:
    """Build the sample districts and Shanghai, ask their questions, return the answers by source."""
    asked = {}
    for seed in seeds:
        with built_city(_sample(seed)) as city:
            clean = sample.clean_queries(city.delivery)
            spoilt = list(sample.disturbed_queries(clean, city.delivery, seed=seed))
            queries = [query for query, _ in clean] + _some(spoilt, limit)
            asked[f"sample {seed}"] = ask_all(city.snapshot.edition(None), queries)
    parts = shanghai.split()
    write = shanghai_delivery.write_workspace
    with built_city(lambda folder: write(folder, pois=parts.built)) as city:
        queries = [
            *_some(shanghai.address_queries(parts, with_district=True), limit // 3),
            *_some(shanghai.known_name_queries(parts), limit // 3),
            *_some(shanghai.name_queries(parts), limit // 3),
        ]
        asked["shanghai"] = ask_all(city.snapshot.edition(None), queries)
    return asked


def _sample(seed: int) -> Callable[[Path], Path]:
    return lambda folder: sample.write_workspace(folder, seed=seed)


def _some(queries: Sequence[Query], limit: int) -> list[Query]:
    return list(queries[:: max(1, len(queries) // max(1, limit))])


def calibrate(
    asked: dict[str, pd.DataFrame], *, unseen: Sequence[str] = ()
) -> tuple[dict[str, tuple[Floats, Floats]], pd.DataFrame]:
    """Fit half of the answers, none of the unseen sources; return the tables and a check on the rest.

    The answers hold the scores before the table, see `raw`. The check tells how well the scores, those by the
    table that is delivered, and those by the new one agree with the shares that are right.
    """
    told = {name: _told(frame) for name, frame in asked.items()}
    even = {name: frame[frame.index % 2 == 0] for name, frame in told.items() if name not in unseen}
    cities = sum(not name.startswith("sample") for name in even)
    heavy = {
        name: 1.0 / len(frame) / ((len(even) - cities) if name.startswith("sample") else HEAVY)
        for name, frame in even.items()
    }
    pooled = pd.concat([frame.assign(heavy=heavy[name]) for name, frame in even.items()])
    tables = {}
    # Answers to a part of what was said have a bound of their own, whatever their group is worth.
    pooled = pooled[~pooled["is_open"] & ~pooled["is_part"] & ~pooled["group"].isin(WITHOUT)]
    for group, rows in pooled.groupby("group", sort=True):
        columns = (rows[name].to_numpy(dtype=float) for name in ("score", "right", "heavy"))
        bins = int(np.clip(len(rows) // LEAST_ROWS, 2, BINS))
        most = MOST_PLACED if group in PLACED else MOST
        tables[str(group)] = fit(*columns, bins=bins, most=most)
    return tables, pd.DataFrame(_checks(told, tables, unseen))


def _told(frame: pd.DataFrame) -> pd.DataFrame:
    told = frame[frame["is_answered"]].reset_index(drop=True)
    is_near = told["error_m"] <= np.minimum(2.0 * told["uncertainty_m"], FAR_M)
    right = told["is_right"].astype(bool) | (told["group"].isin(PLACED) & is_near)
    return told.assign(right=right.astype(float))


def _checks(
    told: dict[str, pd.DataFrame],
    tables: dict[str, tuple[Floats, Floats]],
    unseen: Sequence[str],
) -> Iterator[dict[str, object]]:
    delivered = {
        group: (np.array(scores), np.array(shares))
        for group, (scores, shares) in calibration.steps_of_groups().items()
    }
    for name, frame in told.items():
        other = frame if name in unseen else frame[frame.index % 2 == 1]
        raw = other["score"].to_numpy(dtype=float)
        score = _shares(raw, other, tables)
        right = other["right"].to_numpy(dtype=float)
        sure = score >= SURE
        before = _shares(raw, other, delivered)
        yield {
            "source": name, "answers": len(other), "right": right.mean(), "said": score.mean(),
            "error_raw": expected_error(raw, right), "error_delivered": expected_error(before, right),
            "expected_error": expected_error(score, right),
            "sure": sure.mean(), "sure_and_wrong": 1.0 - right[sure].mean() if sure.any() else 0.0,
        }  # fmt: skip


def _shares(raw: Floats, rows: pd.DataFrame, tables: Mapping[str, tuple[Floats, Floats]]) -> Floats:
    """Return the scores as `api.geocoding.calibration.calibrated` would give them by some tables."""
    told = np.array(
        [
            np.interp(one, *tables[group]) if group in tables else one
            for one, group in zip(raw, rows["group"], strict=True)
        ]
    )
    told = np.where(rows["is_part"], np.minimum(told, calibration.MOST_OF_PART), told)
    return np.where(rows["is_open"], np.minimum(told, raw), told)


def write_table(path: Path, tables: dict[str, tuple[Floats, Floats]], *, provenance: str) -> None:
    """Write scores and shares by group with what they were fitted on."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["group", "score", "share", "fitted_on"])
        for group, (at, share) in sorted(tables.items()):
            for score, right in zip(at, share, strict=True):
                writer.writerow([group, f"{score:.4f}", f"{right:.4f}", provenance])


@contextmanager
def raw() -> Iterator[None]:
    """Let answers hold the scores before the table and its bounds."""
    kept = calibration.steps_of_groups, calibration.MOST_OF_PART
    calibration.steps_of_groups = cache(dict)  # type: ignore[assignment]
    calibration.MOST_OF_PART = 1.0
    try:
        yield
    finally:
        calibration.steps_of_groups, calibration.MOST_OF_PART = kept


def main() -> None:
    """Ask, fit, write and report."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.geocoding.calibrate")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS))
    parser.add_argument(
        "--limit", type=int, default=4000, help="about so many questions per source"
    )
    parser.add_argument("--output", type=Path, default=TABLE)
    parser.add_argument(
        "--unseen",
        type=int,
        nargs="*",
        default=[sample.SEED, sample.OTHER_SEED],
        help="to check on",
    )
    chosen = parser.parse_args()
    with raw():
        asked = ask_sources([*chosen.seeds, *chosen.unseen], limit=chosen.limit)
    tables, report = calibrate(asked, unseen=[f"sample {seed}" for seed in chosen.unseen])
    seeds = " ".join(str(seed) for seed in chosen.seeds)
    write_table(chosen.output, tables, provenance=f"sample seeds {seeds} and shanghai; every other")
    sys.stdout.write(report.round(3).to_string(index=False) + "\n")


if __name__ == "__main__":
    main()
