"""Two sightings of one place put together: each counts by its precision."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WRONG_AREA_M2 = 1e6
"""Where an address that was misunderstood may lead to: anywhere in about a square kilometre, m²."""


def fuse(
    first: tuple[Floats, Floats], second: tuple[Floats, Floats]
) -> tuple[Floats, Floats, Floats]:
    """Return the place that two normal sightings of it make likeliest, its covariance, their likelihood.

    Parameters
    ----------
    first, second : tuple of numpy.ndarray
        (n, 2): east and north, m; (n, 3): variance east, covariance, variance north, m².

    Returns
    -------
    tuple of numpy.ndarray
        Places, covariances, and the density of the way between both if they show one place, per m².

    Examples
    --------
    >>> here = (np.array([[0.0, 0.0]]), np.array([[4.0, 0.0, 9.0]]))
    >>> there = (np.array([[3.0, 0.0]]), np.array([[2.0, 0.0, 9.0]]))
    >>> [part.round(4).tolist() for part in fuse(here, there)]
    [[[2.0, 0.0]], [[1.3333, 0.0, 4.5]], [0.0072]]
    """
    (place, spread), (other, other_spread) = first, second
    apart = other - place
    east, both, north = (spread + other_spread).T
    square = east * north - both**2
    inverse = np.stack([north, -both, east], axis=1) / square[:, None]
    # The gain of a Kalman filter: C1 (C1 + C2)^-1.
    gain = np.stack(
        [
            spread[:, 0] * inverse[:, 0] + spread[:, 1] * inverse[:, 1],
            spread[:, 0] * inverse[:, 1] + spread[:, 1] * inverse[:, 2],
            spread[:, 1] * inverse[:, 0] + spread[:, 2] * inverse[:, 1],
            spread[:, 1] * inverse[:, 1] + spread[:, 2] * inverse[:, 2],
        ],
        axis=1,
    )
    moved = np.stack(
        [
            gain[:, 0] * apart[:, 0] + gain[:, 1] * apart[:, 1],
            gain[:, 2] * apart[:, 0] + gain[:, 3] * apart[:, 1],
        ],
        axis=1,
    )
    left = np.stack(
        [
            spread[:, 0] - gain[:, 0] * spread[:, 0] - gain[:, 1] * spread[:, 1],
            spread[:, 1] - gain[:, 0] * spread[:, 1] - gain[:, 1] * spread[:, 2],
            spread[:, 2] - gain[:, 2] * spread[:, 1] - gain[:, 3] * spread[:, 2],
        ],
        axis=1,
    )
    form = (
        inverse[:, 0] * apart[:, 0] ** 2
        + 2.0 * inverse[:, 1] * apart[:, 0] * apart[:, 1]
        + inverse[:, 2] * apart[:, 1] ** 2
    )
    return place + moved, left, np.exp(-0.5 * form) / (2.0 * np.pi * np.sqrt(square))


def agreement(certainty: Floats, density: Floats) -> Floats:
    """Return the probability that two sources mean one place, both having led to near places.

    Parameters
    ----------
    certainty : numpy.ndarray
        Probability that the less certain source was understood.
    density : numpy.ndarray
        Likelihood of the way between them if they show one place, per m², from `fuse`.

    Examples
    --------
    >>> agreement(np.array([0.5, 0.5]), np.array([1e-3, 1e-9])).round(3).tolist()
    [0.999, 0.001]
    """
    right, wrong = certainty * density, (1.0 - certainty) / WRONG_AREA_M2
    total = right + wrong
    return np.divide(right, total, out=np.zeros_like(total), where=total > 0.0)
