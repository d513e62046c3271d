"""How far a share that was counted can be believed: Wilson's interval."""

import math
from typing import Any

from numpy.typing import NDArray

Z_95 = 1.959963984540054
"""Standard normal quantile of a two-sided 95 % interval."""


def wilson(hits: float, count: float, *, z: float = Z_95) -> tuple[float, float]:
    """Return the interval in which the true share lies, given `hits` of `count`.

    Unlike the plain share it does not let 1 of 1 lead. No cases: anything is possible.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    J. Am. Stat. Assoc. 22 (1927) 209-212.

    Examples
    --------
    >>> [round(bound, 3) for bound in wilson(1, 1)], [round(bound, 3) for bound in wilson(14, 20)]
    ([0.207, 1.0], [0.481, 0.855])
    >>> wilson(0, 0)
    (0.0, 1.0)
    """
    if count <= 0:
        return 0.0, 1.0
    share, square = hits / count, z * z
    middle = share + square / (2 * count)
    spread = z * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    scale = 1 + square / count
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def best_run(gain: NDArray[Any]) -> tuple[int, int, float]:
    """Return first, past-the-last and sum of the run of neighbouring values with the greatest sum.

    Nothing positive: an empty run. Of equal sums the first and shortest (Kadane's algorithm).

    Examples
    --------
    >>> import numpy as np
    >>> best_run(np.array([-1, 3, -1, 2, -5, 1]))
    (1, 4, 4.0)
    >>> best_run(np.array([-1, -2]))
    (0, 0, 0.0)
    """
    best, found, total, start = 0.0, (0, 0), 0.0, 0
    for position, value in enumerate(gain.tolist()):
        if total <= 0:
            total, start = 0.0, position
        total += value
        if total > best:
            best, found = total, (start, position + 1)
    return (*found, best)
