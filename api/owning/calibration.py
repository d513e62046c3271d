"""What share of answers of a probability is right: monotone tables fitted to cases whose truth is known.

A probability worked out from a model is as good as the model: stated accuracies are often wrong, the
census lacks components, addresses lie beside what they name. ``calibration.csv`` maps the
probability that the model gives to the share of such answers that were right, for each kind of answer
and evidence apart. ``python -m tests.benchmarks.decision --fit`` fits it on sample districts and says
on which; a table of a city's own closed cases may take its place. Where nothing was fitted, the
model's probability stands.
"""

from bisect import bisect_right
from functools import cache

import numpy as np
from numpy.typing import NDArray

from gis.codes import read_table

Floats = NDArray[np.float64]

SOURCES = ("component_code", "position", "address")
"""What led to the place, in the order of ``api.placing.locate.SOURCES``."""
ABOUT = ("event", "found", "absent", "wide")
"""Whether the case is about a component, and one was found; wide: one was found, but the place is known
less well than the city's ``match_radius_m`` reaches, so that many others may be meant."""
OWNER_EVIDENCE = tuple(f"{about}/{source}" for about in ABOUT for source in SOURCES)
"""Evidence for owning units: what the case is about, and what led to its place."""


@cache
def _lines(answer: str, evidence: str) -> tuple[Floats, Floats]:
    rows = [
        row
        for row in read_table("api.owning", "calibration.csv")
        if (row["answer"], row["evidence"]) == (answer, evidence)
    ]
    if not rows:
        return np.array([0.0, 1.0]), np.array([0.0, 1.0])
    told = np.array([(0.0, 0.0)] + [(float(row["model"]), float(row["share"])) for row in rows])
    return told[:, 0], told[:, 1]


@cache
def _points(answer: str, evidence: str) -> tuple[list[float], list[float]]:
    model, share = _lines(answer, evidence)
    return model.tolist(), share.tolist()


def forget() -> None:
    """Read ``calibration.csv`` anew: it was fitted again."""
    _lines.cache_clear()
    _points.cache_clear()


def calibrate(
    answer: str, probability: Floats, evidence: NDArray[np.integer], *, names: tuple[str, ...]
) -> Floats:
    """Return the share of right answers at each probability; it never falls as that rises.

    Parameters
    ----------
    answer : str
        component or owner.
    probability : numpy.ndarray
        What the model gives.
    evidence : numpy.ndarray of int
        Number of each answer's evidence among `names`; others are left as they are.
    names : tuple of str
        Kinds of evidence of ``calibration.csv``.

    Examples
    --------
    >>> calibrate("weather", np.array([0.3]), np.array([0]), names=("position",)).tolist()
    [0.3]
    """
    result = np.array(probability, dtype=np.float64)
    for number, name in enumerate(names):
        rows = np.flatnonzero(evidence == number)
        if len(rows):
            result[rows] = np.interp(result[rows], *_lines(answer, name))
    return result


def calibrate_one(answer: str, probability: float, evidence: str) -> float:
    """Return the share of right answers at one probability, as `calibrate` does.

    Examples
    --------
    >>> calibrate_one("weather", 0.3, "position")
    0.3
    """
    model, share = _points(answer, evidence)
    after = bisect_right(model, probability)
    if after in (0, len(model)):
        return share[0] if after == 0 else share[-1]
    before = after - 1
    slope = (share[after] - share[before]) / (model[after] - model[before])
    return share[before] + slope * (probability - model[before])


def owner_evidence(
    source: NDArray[np.integer],
    wanted: NDArray[np.bool_],
    found: NDArray[np.bool_],
    wide: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return the number of each case's evidence among `OWNER_EVIDENCE`; -1: it has no place.

    Parameters
    ----------
    source : numpy.ndarray of int
        Number among `SOURCES`, -1: none.
    wanted, found : numpy.ndarray of bool
        The case is about a component of a class; one was found.
    wide : numpy.ndarray of bool
        The standard deviation of its place is greater than components are looked for.

    Examples
    --------
    >>> wanted, found = np.array([True, True, False, True]), np.array([True, True, False, False])
    >>> told = owner_evidence(np.array([1, 1, 2, -1]), wanted, found, np.array([False, True, True, True]))
    >>> [OWNER_EVIDENCE[number] for number in told if number >= 0]
    ['found/position', 'wide/position', 'event/address']
    """
    of_found = np.where(wide, ABOUT.index("wide"), ABOUT.index("found"))
    about = np.where(wanted, np.where(found, of_found, ABOUT.index("absent")), 0)
    return np.where(source >= 0, about * len(SOURCES) + source, -1)


def calibrate_owners(
    probability: Floats, certainty: Floats, evidence: NDArray[np.integer]
) -> Floats:
    """Return the probability that owning units are right.

    Parameters
    ----------
    probability : numpy.ndarray
        What the model gives.
    certainty : numpy.ndarray
        Probability of the choice itself, place and component given: below 1 in a dispute, of which
        no fit knows anything; it stays a factor.
    evidence : numpy.ndarray of int
        From `owner_evidence`.

    Examples
    --------
    >>> calibrate_owners(np.array([0.0]), np.array([0.0]), np.array([-1])).tolist()
    [0.0]
    """
    sure = np.divide(probability, certainty, out=np.zeros(len(probability)), where=certainty > 0.0)
    return certainty * calibrate("owner", np.minimum(sure, 1.0), evidence, names=OWNER_EVIDENCE)


def calibrate_owner(probability: float, certainty: float, evidence: str) -> float:
    """Return the probability that one owning unit is right, as `calibrate_owners` does.

    Examples
    --------
    >>> calibrate_owner(0.0, 0.0, "event/position")
    0.0
    """
    if certainty <= 0.0:
        return 0.0
    return certainty * calibrate_one("owner", min(probability / certainty, 1.0), evidence)
