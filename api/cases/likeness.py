"""How probable it is that two cases of one class are about the same thing: place, component, time.

Two reports of one thing lie as far apart as the errors of their places let them, and the second
comes while the thing is still there. Against that stands that something else of the class happened
close by: how often that is, the cases around tell.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gis.codes import read_table

Floats = NDArray[np.float64]

REACH = 4.0
"""Places farther apart than this many joint standard deviations are two."""
MOST_REACH_M = 300.0
USUAL_SIGMA_M = 30.0
"""Standard deviation of a place that states none, m."""
SURROUNDINGS_M = 250.0
"""Side of the square in which cases of the class are counted, m."""
SURROUNDINGS_DAYS = 90.0
LEAST_PROBABILITY = 0.3
"""Less probable pairs are not hinted at."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """How long a thing of a class goes on being reported: assumptions, stated as data."""

    window_h: float
    """Reports farther apart than this are two things, h."""
    scale_h: float
    """Mean time between two reports of one thing, h."""
    repeats: float
    """Expected number of repeats of a case."""
    why: str


@cache
def window_of(kind: str, class_code: str) -> Window:
    """Return the window of a class: that of the longest prefix in ``duplicate_windows.csv``.

    Examples
    --------
    >>> window_of("event", "0405").window_h, window_of("component", "0104").window_h
    (12.0, 336.0)
    """
    rows = [
        row
        for row in read_table("api.cases", "duplicate_windows.csv")
        if row["kind"] == kind and class_code.startswith(row["class_prefix"])
    ]
    best = max(rows, key=lambda row: len(row["class_prefix"]))
    return Window(
        window_h=float(best["window_h"]),
        scale_h=float(best["scale_h"]),
        repeats=float(best["repeats"]),
        why=best["why"],
    )


def joint_sigma(one: Any, other: Any) -> Any:
    """Return the standard deviation per axis of the offset between two places, m.

    Examples
    --------
    >>> float(joint_sigma(3.0, 4.0))
    5.0
    """
    return np.maximum(np.hypot(one, other), 0.5)


def background_rate(others: Any) -> Any:
    """Return how often something else of the class happens there, per m² and h.

    Parameters
    ----------
    others : float or ndarray
        Other cases of the class in the square of `SURROUNDINGS_M` and within `SURROUNDINGS_DAYS`.
    """
    return (others + 0.5) / (SURROUNDINGS_M**2 * SURROUNDINGS_DAYS * 24.0)


def likeness(
    *,
    distance_m: Any,
    sigma_m: Any,
    hours: Any,
    window: Any,
    same: Any,
    background: Any,
) -> Any:
    """Return how probable it is that pairs of cases are one each, by Bayes' rule.

    The density of a repeat at that offset and delay (Gaussian times exponential, times how many
    repeats a case has) against the density of something else.

    Parameters
    ----------
    distance_m : float or ndarray
        Between the places, m; 0 where both are matched to one component.
    sigma_m : float or ndarray
        `joint_sigma` of the two.
    hours : float or ndarray
        Between the reports, h.
    window : ndarray or tuple
        ``scale_h`` and ``repeats`` of the class.
    same : float or ndarray
        Factor for what the components say: 1 if they agree or none is known, else the probability
        that one of the two was mistaken.
    background : float or ndarray
        `background_rate`.

    Examples
    --------
    >>> round(float(likeness(distance_m=4.0, sigma_m=7.0, hours=2.0, window=(24.0, 0.08), same=1.0,
    ...                      background=background_rate(3))), 3)
    0.997
    """
    scale_h, repeats = window
    place = np.exp(-0.5 * (distance_m / sigma_m) ** 2) / (2 * np.pi * sigma_m**2)
    time = np.exp(-hours / scale_h) / scale_h
    repeat = repeats * place * time * same
    return repeat / (repeat + background)


def told(
    *, distance_m: float, sigma_m: float, hours: float, component: str | None, others: int
) -> tuple[str, str]:
    """Return why two cases may be one, in English and Chinese.

    Examples
    --------
    >>> told(distance_m=4.2, sigma_m=7.0, hours=2.0, component=None, others=3)[0]
    '4 m apart with places good to 7 m, 2.0 h apart, 3 other cases of the class near there in 90 days'
    """
    days = f"{SURROUNDINGS_DAYS:.0f}"
    if component:
        where, wo = f"both on component {component}", f"同为部件 {component}"
    else:
        where = f"{distance_m:.0f} m apart with places good to {sigma_m:.0f} m"
        wo = f"相距 {distance_m:.0f} 米（位置精度 {sigma_m:.0f} 米）"
    english = (
        f"{where}, {hours:.1f} h apart, {others} other cases of the class near there in {days} days"
    )
    return english, f"{wo}，相隔 {hours:.1f} 小时，附近 {days} 天内另有同类案件 {others} 件"
