"""How often workers died: after a few deaths in a minute the server gives up, not after two."""

import math
import time
from collections import deque

MOST_DEATHS = 10
"""So many deaths within `WINDOW_S` are a fault that new workers do not mend."""
WINDOW_S = 60.0


class Deaths:
    """Stands where Granian keeps when each worker took a dead one's place.

    Granian ends the server, for all who ask, as soon as one worker dies within some seconds of its
    beginning. Two that were killed one after the other, by hand or for memory, are no reason to; workers
    that can not begin at all are.

    Examples
    --------
    >>> deaths = Deaths()
    >>> [deaths.get(0, 0.0) == -math.inf for _ in range(MOST_DEATHS)][-2:]
    [True, False]
    """

    def __init__(self) -> None:
        self._died: deque[float] = deque(maxlen=MOST_DEATHS)

    def get(self, worker: int, default: float) -> float:
        """Note that a worker died; return when it had begun: just now if the server is to give up."""
        del worker, default
        now = time.monotonic()
        self._died.append(now)
        is_too_often = len(self._died) == MOST_DEATHS and now - self._died[0] <= WINDOW_S
        return now if is_too_often else -math.inf

    def __setitem__(self, worker: int, begun: float) -> None:
        """Pass over when a worker begins."""

    def clear(self) -> None:
        """Keep what is known of deaths when new workers begin."""
