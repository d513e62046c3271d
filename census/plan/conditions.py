"""Seasons and hours of the plan: on which days and at which minutes a row holds."""

import re

import numpy as np
from numpy.typing import NDArray

_SEASON = re.compile(r"(\d{2})-(\d{2})/(\d{2})-(\d{2})")
_HOURS = re.compile(r"(\d{2}):(\d{2})/(\d{2}):(\d{2})")


def season_holds(season: str | None, day: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell on which days a season holds, both ends included; it may go over the turn of the year.

    Days are month times 100 plus day.

    Examples
    --------
    >>> season_holds("11-15/03-15", np.array([1114, 1115, 101, 315, 316])).tolist()
    [False, True, True, True, False]
    """
    match = _SEASON.fullmatch(season) if season else None
    if match is None:
        return np.full(len(day), season is None)
    first, last = int(match[1]) * 100 + int(match[2]), int(match[3]) * 100 + int(match[4])
    return _between(day, first, last + 1)


def hours_hold(hours: str | None, minute: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell at which minutes hours hold, the end excluded; they may go over midnight.

    Examples
    --------
    >>> hours_hold("22:00/06:00", np.array([21 * 60 + 59, 22 * 60, 0, 6 * 60 - 1, 6 * 60])).tolist()
    [False, True, True, True, False]
    >>> hours_hold("06:00/24:00", np.array([0, 360, 1439])).tolist()
    [False, True, True]
    """
    match = _HOURS.fullmatch(hours) if hours else None
    if match is None:
        return np.full(len(minute), hours is None)
    first, last = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
    return _between(minute, first, last)


def _between(value: NDArray[np.int64], first: int, last: int) -> NDArray[np.bool_]:
    """Tell which values lie in ``[first, last)``, or past either end when it wraps."""
    if first < last:
        return (value >= first) & (value < last)
    return (value >= first) | (value < last)
