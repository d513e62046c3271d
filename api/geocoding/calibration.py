"""What the evidence weighs, and what share of answers of a score is right: tables fitted to answers.

``evidence.csv`` holds each piece of evidence with its words and its weight, the logarithm of the
odds it adds. ``calibration.csv`` maps the score so found to the share of top answers that were
right. As delivered it changes nothing; ``python -m tests.benchmarks.geocoding.calibrate`` fits it on
answers that are known, and says on which.
"""

from bisect import bisect_right
from functools import cache

from gis.codes import read_table


@cache
def weights() -> dict[str, float]:
    """Return the weight of each piece of evidence.

    Examples
    --------
    >>> weights()["area_contradicts"] < 0 < weights()["name"]
    True
    """
    return {
        row["code"]: float(row["weight"]) for row in read_table("api.geocoding", "evidence.csv")
    }


@cache
def _steps() -> tuple[tuple[float, ...], tuple[float, ...]]:
    rows = read_table("api.geocoding", "calibration.csv")
    return tuple(float(row["score"]) for row in rows), tuple(float(row["share"]) for row in rows)


def calibrated(score: float) -> float:
    """Return the share of answers of a score that are right; it never falls as the score rises.

    Examples
    --------
    >>> 0.0 <= calibrated(0.2) <= calibrated(0.9) <= 1.0
    True
    """
    scores, shares = _steps()
    after = bisect_right(scores, score)
    if after == 0:
        return shares[0]
    if after == len(scores):
        return shares[-1]
    part = (score - scores[after - 1]) / (scores[after] - scores[after - 1])
    return shares[after - 1] + part * (shares[after] - shares[after - 1])
