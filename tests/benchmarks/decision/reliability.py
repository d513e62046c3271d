"""What was said against what was right: tables of reliability, and the maps that make them agree."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 10
LEAST_CASES = 60
"""Cases to a line of a fitted map."""
MOST_LINES = 14


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """One table: ten bins of what was said, and the figures over all."""

    name: str
    count: NDArray[np.int64]
    said: Floats
    """Mean probability of each bin; nan: it is empty."""
    right: Floats
    """Share of right answers of each bin."""
    brier: float
    """Mean square of said less right: 0 is perfect."""
    sure: float
    """Share of answers said to be at least 0.9 probable: sharpness."""

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of said and right, by cases."""
        weight = self.count / max(self.count.sum(), 1)
        return float(np.nansum(weight * np.abs(self.said - self.right)))


def reliability(name: str, said: Floats, right: NDArray[np.bool_]) -> Reliability:
    """Return the table of some answers.

    Examples
    --------
    >>> told = reliability("coin", np.array([0.5, 0.5]), np.array([True, False]))
    >>> told.count.tolist()[5], float(told.right[5]), told.error, told.brier
    (2, 0.5, 0.0, 0.25)
    """
    bins = np.clip((said * BINS).astype(int), 0, BINS - 1)
    count = np.bincount(bins, minlength=BINS)
    with np.errstate(invalid="ignore"):
        mean_said = np.bincount(bins, weights=said, minlength=BINS) / count
        mean_right = np.bincount(bins, weights=right.astype(float), minlength=BINS) / count
    return Reliability(
        name=name,
        count=count,
        said=mean_said,
        right=mean_right,
        brier=float(np.mean((said - right) ** 2)) if len(said) else np.nan,
        sure=float(np.mean(said >= 0.9)) if len(said) else np.nan,
    )


def lines_of(table: Reliability) -> list[str]:
    """Return the table in words."""
    head = (
        f"{table.name}: {table.count.sum():,} cases, calibration error {table.error:.4f}, "
        f"Brier {table.brier:.4f}, said >= 0.9 of {table.sure:.1%}"
    )
    rows = [
        f"  {number / BINS:.1f}-{(number + 1) / BINS:.1f} {table.count[number]:>8,}  "
        f"said {table.said[number]:.3f}  right {table.right[number]:.3f}"
        for number in range(BINS)
        if table.count[number]
    ]
    return [head, *rows]


def fit(model: Floats, right: NDArray[np.bool_]) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """Return a map from what a model gives to the share that was right, which never falls.

    Isotonic regression over bins of about equal numbers of cases (pooling adjacent violators: Barlow
    and others, Statistical Inference under Order Restrictions, 1972), straight in between; a case
    and a half of each bin is added as right and as wrong in the bin's own ratio, so that few cases
    move little.

    Parameters
    ----------
    model : numpy.ndarray
        What the model gives, 0-1.
    right : numpy.ndarray of bool
        Whether the answer was right.

    Examples
    --------
    >>> model = np.repeat([0.2, 0.8], 60)
    >>> x, y, count = fit(model, np.arange(120) % 10 < np.where(model < 0.5, 4, 7))
    >>> x.round(2).tolist(), y.round(2).tolist(), count.tolist()
    ([0.2, 0.8], [0.39, 0.7], [60, 60])
    """
    order = np.argsort(model, kind="stable")
    lines = int(np.clip(len(model) // LEAST_CASES, 1, MOST_LINES))
    blocks: list[list[float]] = []
    for part in np.array_split(order, lines):
        if not len(part):
            continue
        told = float(model[part].mean())
        if blocks and told - blocks[-1][0] < 1e-6:
            blocks.append([told, *_pooled(blocks.pop(), float(right[part].sum()), len(part))])
        else:
            blocks.append([told, float(right[part].sum()), float(len(part))])
    pooled: list[list[float]] = []
    for x, hits, count in blocks:
        pooled.append([x, hits + 3.0 * x, count + 3.0, count, x * count])
        while len(pooled) > 1 and pooled[-2][1] / pooled[-2][2] >= pooled[-1][1] / pooled[-1][2]:
            last = pooled.pop()
            pooled[-1] = [last[0], *(a + b for a, b in zip(pooled[-1][1:], last[1:], strict=True))]
    model_at = np.array([block[4] / block[3] for block in pooled])
    share = np.array([block[1] / block[2] for block in pooled])
    return model_at, share, np.array([block[3] for block in pooled], dtype=np.int64)


def _pooled(block: list[float], hits: float, count: int) -> tuple[float, float]:
    return block[1] + hits, block[2] + count
