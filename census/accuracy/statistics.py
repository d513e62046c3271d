"""How exact positions are: RMSE 中误差 per class from re-measured points, with limits and confidence.

The deviation of a point is d = sqrt(dx² + dy²), re-measured minus surveyed. Against a check of higher
accuracy 高精度检测 the RMSE is sqrt(Σd²/n), against one of equal accuracy 同精度检测, whose own errors
are in d too, sqrt(Σd²/2n). A gross error 粗差 is a d beyond twice the limit, of equal checks beyond
2√2 times; gross errors are counted and do not enter the RMSE (GB/T 24356-2009, recalled unverified;
both formulas and the advice to have at least 20 differences also stand in the notes to 2.2 of the
general code for engineering surveying). Figures with the gross errors are given beside them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binomtest, chi2

Floats = NDArray[np.float64]
Check = Literal["high", "equal"]
Verdict = Literal["pass", "fail", "too_few"]

CONFIDENCE = 0.95
_GROSS: Mapping[Check, float] = {"high": 2.0, "equal": 2.0 * 2.0**0.5}
_DIVISOR: Mapping[Check, float] = {"high": 1.0, "equal": 2.0}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is asked of a census; the standards' figures for these are unverified."""

    check: Check = "high"
    """Whether the re-measurement is much better than the survey, or as good as it."""
    least_points: int = 20
    """With fewer points a class is not judged."""
    gross_share: float = 0.05
    """Greatest share of gross errors."""
    omission: float = 0.05
    """Greatest share of components that the census lacks 漏查."""
    commission: float = 0.05
    """Greatest share of components that do not exist 多余."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """The figures of a class, or of all of an accuracy class."""

    key: str
    """Class code, or A, B, C."""
    limit_m: float
    """Greatest RMSE, m."""
    points: int
    """Points re-measured, gross errors included."""
    gross: int
    """Points beyond the gross limit."""
    rmse_m: float | None
    """RMSE of the points that are no gross errors; None without any."""
    rmse_all_m: float | None
    """RMSE of all points."""
    interval_m: tuple[float, float] | None
    """Interval that holds the true RMSE with 95 % confidence, were errors normal."""
    mean_dx_m: float | None
    """Mean shift to the east, re-measured minus surveyed; gross errors left out."""
    mean_dy_m: float | None
    """Mean shift to the north."""
    median_m: float | None
    """Median deviation of all points."""
    largest_m: float | None
    """Largest deviation."""
    verdict: Verdict
    """pass, fail, or too_few points to tell."""

    @property
    def is_clear(self) -> bool:
        """Whether the whole interval lies on the verdict's side of the limit."""
        if self.interval_m is None:
            return False
        low, high = self.interval_m
        return high <= self.limit_m or low > self.limit_m


@dataclass(frozen=True, kw_only=True)
class Share:
    """A share of things counted, with its 95 % interval (Wilson)."""

    count: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """Return the share; 0 of nothing."""
        return self.count / self.of if self.of else 0.0


def rmse(deviation: Floats, *, check: Check) -> float | None:
    """Return the RMSE of deviations, m; None without any.

    Examples
    --------
    >>> rmse(np.array([3.0, 4.0]), check="high"), rmse(np.array([3.0, 4.0]), check="equal")
    (3.5355339059327378, 2.5)
    """
    if len(deviation) == 0:
        return None
    return float(np.sqrt(np.sum(deviation**2) / (_DIVISOR[check] * len(deviation))))


def gross_limit(limit_m: float, *, check: Check) -> float:
    """Return the deviation beyond which an error is gross, m; the limit itself is not.

    Examples
    --------
    >>> gross_limit(0.5, check="high")
    1.0
    """
    return _GROSS[check] * limit_m


def confidence_interval(value_m: float, *, freedom: int) -> tuple[float, float]:
    """Return the 95 % interval of the true RMSE, given `freedom` independent normal components.

    A point adds two components, east and north; an outline adds one.

    Examples
    --------
    >>> low, high = confidence_interval(0.5, freedom=40)
    >>> round(low, 3), round(high, 3)
    (0.411, 0.64)
    """
    tail = (1 - CONFIDENCE) / 2
    low = value_m * (freedom / chi2.ppf(1 - tail, freedom)) ** 0.5
    high = value_m * (freedom / chi2.ppf(tail, freedom)) ** 0.5
    return float(low), float(high)


def judge_group(key: str, rows: pd.DataFrame, *, limit_m: float, limits: Limits) -> Group:
    """Return the figures and the verdict of some points.

    Parameters
    ----------
    key : str
        What the group is called.
    rows : pandas.DataFrame
        ``dx_m``, ``dy_m`` and ``deviation_m`` per point; ``is_outline`` where only the distance to an
        outline is known, whose dx and dy are missing; ``is_gross``.
    limit_m : float
        Greatest RMSE, m.
    limits : Limits
        How it is judged.
    """
    deviation = rows["deviation_m"].to_numpy(dtype=float)
    kept = rows[~rows["is_gross"]]
    error = rmse(kept["deviation_m"].to_numpy(dtype=float), check=limits.check)
    freedom = int((~kept["is_outline"]).sum() * 2 + kept["is_outline"].sum())
    few = len(rows) < limits.least_points
    return Group(
        key=key,
        limit_m=limit_m,
        points=len(rows),
        gross=len(rows) - len(kept),
        rmse_m=error,
        rmse_all_m=rmse(deviation, check=limits.check),
        interval_m=None if error is None else confidence_interval(error, freedom=freedom),
        mean_dx_m=_mean(kept["dx_m"]),
        mean_dy_m=_mean(kept["dy_m"]),
        median_m=float(np.median(deviation)) if len(rows) else None,
        largest_m=float(deviation.max()) if len(rows) else None,
        verdict="too_few"
        if few
        else _judge(error, len(rows) - len(kept), len(rows), limit_m, limits),
    )


def _judge(error: float | None, gross: int, points: int, limit_m: float, limits: Limits) -> Verdict:
    is_exact = error is not None and error <= limit_m
    return "pass" if is_exact and gross / points <= limits.gross_share else "fail"


def _mean(column: "pd.Series[float]") -> float | None:
    known = column.dropna()
    return float(known.mean()) if len(known) else None


def share_of(count: int, of: int) -> Share:
    """Return a share with its interval.

    Examples
    --------
    >>> found = share_of(2, 40)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.05, 0.014, 0.165)
    """
    if of == 0:
        return Share(count=0, of=0, low=0.0, high=1.0)
    interval = binomtest(count, of).proportion_ci(CONFIDENCE, method="wilson")
    return Share(count=count, of=of, low=float(interval.low), high=float(interval.high))
