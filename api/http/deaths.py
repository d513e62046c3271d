"""How often workers died: after a few deaths in a minute the server gives up, not after two."""

import math
import time
from collections import deque

LEAST_DEATHS = 10
DEATHS_EACH = 3
"""So many deaths of each worker within `WINDOW_S`, and `LEAST_DEATHS` at least, new workers do not mend."""
WINDOW_S = 60.0


class Deaths:
    """Stands where Granian keeps when each worker took a dead one's place.

    Granian ends the server, for all who ask, as soon as one worker dies within some seconds of its
    beginning. Two that were killed one after the other, by hand or for memory, or all of them at once, are
    no reason to; workers that can not begin at all are.

    Parameters
    ----------
    workers : int
        Processes that answer.

    Examples
    --------
    >>> few, many = Deaths(workers=2), Deaths(workers=16)
    >>> [few.get(0, 0.0) == -math.inf for _ in range(10)][-2:]
    [True, False]
    >>> [many.get(0, 0.0) == -math.inf for _ in range(48)][-2:]
    [True, False]
    """

    def __init__(self, *, workers: int) -> None:
        self._most = max(LEAST_DEATHS, DEATHS_EACH * workers)
        self._died: deque[float] = deque(maxlen=self._most)

    def get(self, worker: int, default: float) -> float:
        """Note that a worker died; return when it had begun: just now if the server is to give up."""
        del worker, default
        now = time.monotonic()
        self._died.append(now)
        is_too_often = len(self._died) == self._most and now - self._died[0] <= WINDOW_S
        return now if is_too_often else -math.inf

    def __setitem__(self, worker: int, begun: float) -> None:
        """Pass over when a worker begins."""

    def clear(self) -> None:
        """Keep what is known of deaths when new workers begin."""
