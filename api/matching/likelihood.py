"""How likely each component near a case is the one meant, and that none of them is, in compiled code.

A position in error by s (its own and the class's accuracy together) lies at a distance d from the
component with the density exp(-d²/2s²) / 2πs²; a share of positions is worse than stated by a factor.
A case may also be about a component that the census does not have, or about one farther away than
was looked: of those there are as many around as of the known ones, times the miss rate, and times the
share of errors that reach so far. The numbers lie in ``likelihood.csv``, fitted on the sample
district by ``python -m tests.benchmarks.decision --fit``.
"""

from functools import cache
from math import exp, pi
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from gis.codes import read_table

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")
_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")
# One case is weighed sooner than another thread could be let in and out again.
_hold = numba.njit(cache=True, error_model="numpy")


@cache
def likelihood() -> tuple[float, float, float]:
    """Return miss rate, share of positions worse than stated, and how many times worse they are.

    Examples
    --------
    >>> miss_rate, share, factor = likelihood()
    >>> 0 < miss_rate < 1, 0 < share < 1, factor > 1
    (True, True, True)
    """
    told = _numbers()
    return told["miss_rate"], told["tail_share"], told["tail_factor"]


@cache
def _numbers() -> dict[str, float]:
    return {
        row["name"]: float(row["value"]) for row in read_table("api.matching", "likelihood.csv")
    }


def forget() -> None:
    """Read ``likelihood.csv`` anew: it was fitted again."""
    likelihood.cache_clear()
    _numbers.cache_clear()


def same_owner() -> float:
    """Return how often a component that the census lacks has the unit of the nearest known one.

    Examples
    --------
    >>> 0 < same_owner() < 1
    True
    """
    return _numbers()["same_owner"]


def owner_weights(shares: list[float], absent: float) -> tuple[list[float], float]:
    """Return by what weight each candidate, and no candidate, speaks for the owning unit.

    Parameters
    ----------
    shares : list of float
        Probability of each candidate, the nearest first.
    absent : float
        Probability that none of them is meant: its unit is mostly that of the nearest.

    Examples
    --------
    >>> weights, nobody = owner_weights([0.6, 0.2], 0.2)
    >>> bool(abs(sum(weights) + nobody - 1.0) < 1e-12), weights[0] > 0.6, weights[1]
    (True, True, 0.2)
    """
    if not shares:
        return shares, absent
    alike = absent * same_owner()
    return [shares[0] + alike, *shares[1:]], absent - alike


def weigh(
    pairs: tuple[NDArray[np.int64], NDArray[np.float64]],
    errors: NDArray[np.float64],
    reach_m: NDArray[np.float64],
    density: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the probability of each candidate, and for each case that none of them is meant.

    Parameters
    ----------
    pairs : tuple
        Case of each candidate, rising; (n, 2): the way from the case to it, east and north, m.
    errors : numpy.ndarray
        (cases, 4): variance east, covariance and variance north of the position, m²; variance of the
        surveyed position of the class, m².
    reach_m : numpy.ndarray
        How far was looked, m.
    density : numpy.ndarray
        Components of the class per m² around each case.

    Examples
    --------
    >>> errors = np.array([[25.0, 0.0, 25.0, 0.25]])
    >>> one = (np.array([0]), np.array([[3.0, 0.0]]))
    >>> near, absent = weigh(one, errors, np.array([15.0]), np.array([1e-3]))
    >>> bool(near[0] + absent[0] == 1.0), bool(0.9 < near[0] < 1.0)
    (True, True)
    """
    probability, absent = np.empty(len(pairs[0])), np.ones(len(errors))
    _weigh(pairs, errors, (reach_m, density), likelihood(), (probability, absent))
    return probability, absent


def weigh_things(
    things: NDArray[np.float64],
    errors: tuple[float, float, float, float],
    reach_m: float,
    density: float,
) -> list[float]:
    """Return for one case that none of its candidates is meant, and the probability of each.

    Parameters
    ----------
    things : numpy.ndarray
        Row, distance, way east and way north, m, of one candidate after the other.
    errors, reach_m, density
        As of `weigh`, of this case.

    Examples
    --------
    >>> told = weigh_things(np.array([7.0, 3.0, 3.0, 0.0]), (25.0, 0.0, 25.0, 0.25), 15.0, 1e-3)
    >>> told[0] + told[1], 0.9 < told[1] < 1.0
    (1.0, True)
    """
    told: list[float] = _weigh_things(things, errors, reach_m, density, likelihood()).tolist()
    return told


@_hold
def _weigh_things(things: Any, errors: Any, reach: float, density: float, numbers: Any) -> Any:
    count = len(things) // 4
    apart, told, absent = np.empty((count, 2)), np.empty(count + 1), np.ones(1)
    for place in range(count):
        apart[place, 0], apart[place, 1] = things[4 * place + 2], things[4 * place + 3]
    error = np.array([[errors[0], errors[1], errors[2], errors[3]]])
    around = (np.array([reach]), np.array([density]))
    _weigh((np.zeros(count, np.int64), apart), error, around, numbers, (told[1:], absent))
    told[0] = absent[0]
    return told


@_compile
def _weigh(pairs: Any, errors: Any, around: Any, numbers: Any, answers: Any) -> None:
    case_of, apart = pairs
    reach, density = around
    miss_rate, tail_share, tail_factor = numbers
    probability, absent = answers
    begin = 0
    while begin < len(case_of):
        case = case_of[begin]
        east, both, north, own = (
            errors[case, 0], errors[case, 1], errors[case, 2], errors[case, 3]
        )  # fmt: skip
        worse = tail_factor * tail_factor
        plain = (east + own, both, north + own)
        wide = (worse * east + own, worse * both, worse * north + own)
        end, total = begin, 0.0
        while end < len(case_of) and case_of[end] == case:
            dx, dy = apart[end, 0], apart[end, 1]
            weight = (1.0 - tail_share) * _density(plain, dx, dy)
            weight += tail_share * _density(wide, dx, dy)
            probability[end] = weight
            total += weight
            end += 1
        square = reach[case] * reach[case]
        beyond = (1.0 - tail_share) * exp(-square / (plain[0] + plain[2]))
        beyond += tail_share * exp(-square / (wide[0] + wide[2]))
        none = density[case] * (miss_rate / (1.0 - miss_rate) + beyond)
        whole = total + none
        if whole > 0.0:
            for place in range(begin, end):
                probability[place] /= whole
            absent[case] = none / whole
        else:  # so far away that nothing is left of any likelihood
            probability[begin:end] = 0.0
        begin = end


@_inline
def _density(covariance: Any, dx: float, dy: float) -> float:
    east, both, north = covariance
    spread = east * north - both * both
    form = (north * dx * dx - 2.0 * both * dx * dy + east * dy * dy) / spread
    return float(exp(-0.5 * form) / (2.0 * pi * np.sqrt(spread)))
