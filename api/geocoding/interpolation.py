"""Where a number stands along a road whose other numbers are known.

Numbers run along a road, odd ones on one side and even ones on the other, not evenly. Position is
taken as a random function of the number, a drift of some metres per number and departures from it
that neighbours share, and is estimated from the known numbers by kriging (Cressie, Statistics for
Spatial Data, 1993, 3.1-3.2). Known numbers that fit badly are wrong addresses or large compounds:
they count less, as under Student's t (Lange, Little and Taylor, JASA 84, 1989). The constants were fitted to
two fifths of the rows of Shanghai that its benchmark builds from; none that it asks were looked at.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_PACE_M = 6.0
"""Standard deviation of the metres from one number to the next, per axis."""
_WANDER_M, _WANDER_NUMBERS = 120.0, 300.0
"""Departure from an even pace, and over how many numbers it is shared."""
_BEND_M, _BEND_NUMBERS = 8.0, 20.0
"""The same over short stretches."""
_SIDE_M = 45.0
"""Half of what parts the odd side from the even one."""
_SET_BACK_M = 32.0
"""How far a point delivered for a number lies off its door, per axis."""
_IN_LANE_M = 140.0
"""The same of a point delivered for a number in a lane 弄 off the road: lanes lead deep into compounds."""
_FREEDOM = 1.2
_ROUNDS = 3
_ANYWHERE_M = 1e4
_NEIGHBOURS = 16
_LEAST_SHARE = 0.4


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """Where a number is expected."""

    x: float
    y: float
    sigma_m: float
    """Standard deviation per axis, m."""
    is_beyond: bool
    """It is smaller or larger than every known number."""


def estimate(
    numbers: NDArray[np.int64],
    points: Floats,
    number: int,
    *,
    in_lane: NDArray[np.bool_] | None = None,
) -> Estimate:
    """Estimate where a number stands along a road.

    Parameters
    ----------
    numbers : numpy.ndarray
        Known numbers of one road, at least one, in any order; a number may repeat.
    points : numpy.ndarray
        Their positions, shape (n, 2): metres in any plane, the city's or that along the road.
    number : int
        The number asked for.
    in_lane : numpy.ndarray or None
        Which of the positions lie in a lane off the road, not at it; None: none.

    Examples
    --------
    >>> numbers = np.array([12, 13, 20, 21])
    >>> points = np.array([[20.0, 58], [25, 42], [60, 58], [65, 42]])
    >>> found = estimate(numbers, points, 16)
    >>> round(found.x), round(found.y) > 50, found.is_beyond
    (40, True, False)
    """
    near = np.argsort(np.abs(numbers - number), kind="stable")[:_NEIGHBOURS]
    known, at = numbers[near].astype(np.float64), points[near]
    centre = np.median(at, axis=0)
    at = at - centre
    drift = known - number
    covariance = _shared(known, known) + _ANYWHERE_M**2 + _PACE_M**2 * np.outer(drift, drift)
    towards = _shared(known, np.array([float(number)]))[:, 0] + _ANYWHERE_M**2
    usual = np.full(len(near), _SET_BACK_M**2)
    if in_lane is not None:
        usual[in_lane[near]] = _IN_LANE_M**2
    weights, off = _weights(covariance, at, usual)
    position = towards @ (weights @ at)
    whole = _WANDER_M**2 + _BEND_M**2 + _SIDE_M**2 + _ANYWHERE_M**2
    variance = max(whole - float(towards @ weights @ towards), 0.0)
    return Estimate(
        x=float(position[0] + centre[0]),
        y=float(position[1] + centre[1]),
        # The door asked for is as far from its point as those that are known.
        sigma_m=float(np.sqrt(variance + off)),
        is_beyond=bool(number < known.min() or number > known.max()),
    )


def _shared(one: Floats, other: Floats) -> Floats:
    apart = np.abs(one[:, None] - other[None, :])
    same_side = (one[:, None] % 2) == (other[None, :] % 2)
    return np.asarray(
        _WANDER_M**2 * np.exp(-apart / _WANDER_NUMBERS)
        + _BEND_M**2 * np.exp(-apart / _BEND_NUMBERS)
        + _SIDE_M**2 * same_side
    )


def _weights(covariance: Floats, at: Floats, usual: Floats) -> tuple[Floats, float]:
    """Return the inverse covariance with bad fits counted less, and how far off a good one lies, m²."""
    noise = usual
    inverse = np.linalg.inv(covariance + np.diag(noise))
    for _ in range(_ROUNDS):
        misfit = noise[:, None] * (inverse @ at)  # residual of the fit at the known numbers
        squared = (misfit**2).sum(axis=1)
        noise = (_FREEDOM * usual + squared) / (_FREEDOM + 2.0)
        noise = np.maximum(noise, _LEAST_SHARE**2 * usual)
        inverse = np.linalg.inv(covariance + np.diag(noise))
    return np.asarray(inverse, dtype=np.float64), float(np.median(noise))
