"""What a run of queries shows: hits, errors, areas, calibration, speed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

SURE = 0.8
"""An answer of this score or more is one that a caller takes without asking back."""
BINS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
WITHIN_95 = 2.4477
"""Radius that holds 95 % of a round normal distribution, in standard deviations per axis."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Figures of one line; shares are 0-1 of all its rows, errors are of the answered ones."""

    rows: int
    hit1: float
    hit5: float
    answered: float
    median_m: float
    p95_m: float
    in_district: float
    in_community: float
    in_grid: float
    sure: float
    """Share of rows whose top answer has a score of `SURE` or more."""
    wrong_when_sure: float
    """Share of those that are wrong."""
    calibration_error: float
    """Expected calibration error over the answered rows."""
    within_stated: float
    """Share of answers no farther off than the radius of 95 % of the stated uncertainty."""
    per_second: float


def score(outcomes: pd.DataFrame) -> Scores:
    """Return the figures of some outcomes; NaN where nothing was answered."""
    answered = outcomes[outcomes["is_answered"]]
    is_scored = bool(answered["score"].notna().any())  # rivals have no scores
    sure = answered[answered["score"] >= SURE]
    errors = answered["error_m"].to_numpy()
    known = errors[np.isfinite(errors)]  # there is no distance to a place of another city
    radius = np.maximum(answered["uncertainty_m"].to_numpy() * WITHIN_95, 2.0)
    return Scores(
        rows=len(outcomes),
        hit1=_mean(outcomes["hit1"]),
        hit5=_mean(outcomes["hit5"]),
        answered=_mean(outcomes["is_answered"]),
        median_m=float(np.median(known)) if len(known) else np.nan,
        p95_m=float(np.quantile(known, 0.95)) if len(known) else np.nan,
        in_district=_mean(answered["in_district"]),
        in_community=_mean(answered["in_community"]),
        in_grid=_mean(answered["in_grid"]),
        sure=len(sure) / max(len(outcomes), 1) if is_scored else np.nan,
        wrong_when_sure=1.0 - _mean(sure["is_right"]),
        calibration_error=calibration_error(answered) if is_scored else np.nan,
        within_stated=_mean(pd.Series(errors <= radius)) if is_scored else np.nan,
        per_second=len(outcomes) / max(float(outcomes["seconds"].sum()), 1e-9),
    )


def _mean(values: "pd.Series[float]") -> float:
    known = values.dropna()
    return float(known.mean()) if len(known) else np.nan


def reliability(answered: pd.DataFrame) -> pd.DataFrame:
    """Return per bin of scores: rows, mean score, share that is right."""
    place = np.digitize(answered["score"].to_numpy(), BINS[1:-1])
    table = (
        answered.assign(bin=place)
        .groupby("bin")
        .agg(rows=("score", "size"), score=("score", "mean"), right=("is_right", "mean"))
    )
    table.index = [f"{BINS[i]:.2f}-{BINS[i + 1]:.2f}" for i in table.index]
    return table


def calibration_error(answered: pd.DataFrame) -> float:
    """Return the expected calibration error: |mean score - share right| over the bins, by rows.

    Naeini, Cooper, Hauskrecht 2015, Obtaining well calibrated probabilities using Bayesian binning.
    """
    if answered.empty:
        return np.nan
    table = reliability(answered)
    gap = (table["score"] - table["right"]).abs()
    return float((gap * table["rows"]).sum() / table["rows"].sum())


HEAD = (
    f"{'':<34}{'rows':>6}{'hit@1':>7}{'hit@5':>7}{'answ.':>7}{'med m':>8}{'p95 m':>8}{'distr':>7}"
    f"{'comm.':>7}{'grid':>7}{'>=.8':>7}{'wrong':>7}{'ECE':>7}{'<=95%':>7}{'q/s':>8}"
)


def line_of(name: str, scores: Scores) -> str:
    """Return a line of the table."""
    shares = (scores.in_district, scores.in_community, scores.in_grid, scores.sure)
    doubts = (scores.wrong_when_sure, scores.calibration_error, scores.within_stated)
    return (
        f"{name:<34}{scores.rows:>6}{_share(scores.hit1)}{_share(scores.hit5)}"
        f"{_share(scores.answered)}{_metres(scores.median_m)}{_metres(scores.p95_m)}"
        f"{''.join(map(_share, shares))}{''.join(map(_share, doubts))}{scores.per_second:>8.0f}"
    )


def _share(value: float) -> str:
    return f"{'-':>7}" if np.isnan(value) else f"{value:>7.3f}"


def _metres(value: float) -> str:
    return f"{'-':>8}" if np.isnan(value) else f"{value:>8.1f}"


def table_of(title: str, groups: Mapping[str, pd.DataFrame]) -> str:
    """Return a table with one line per group."""
    lines = [f"{title}", HEAD]
    lines += [line_of(name, score(rows)) for name, rows in groups.items() if len(rows)]
    return "\n".join(lines)


def reliability_text(answered: pd.DataFrame) -> str:
    """Return the table of reliability."""
    table = reliability(answered)
    rows = [
        f"  {name:<12}{int(row.rows):>7}{row.score:>9.3f}{row.right:>9.3f}"
        for name, row in zip(table.index, table.itertuples(), strict=True)
    ]
    return "\n".join([f"  {'score':<12}{'rows':>7}{'mean':>9}{'right':>9}", *rows])
