"""Moments as the plan reads them where the city is, and which of its conditions hold then."""

from datetime import datetime
from time import time
from zoneinfo import ZoneInfo

import numpy as np

from census.plan.search import Plan

_KEPT = 10_000

Moment = tuple[int, int]
"""Month times 100 plus day, and minute of the day, where the city is."""


class Moments:
    """Which conditions of one plan hold when, kept by the minute; safe to use from several threads.

    Parameters
    ----------
    plan : Plan
        Rows with their conditions, the seasons and hours in which they hold.
    zone : ZoneInfo
        Where the city is.
    """

    def __init__(self, plan: Plan, zone: ZoneInfo) -> None:
        self._plan, self._zone = plan, zone
        self._has_conditions = bool(plan.conditions)
        self._present: tuple[int, bytes] = (0, b"")
        self._held: dict[Moment, bytes] = {}

    def local(self, moment: datetime | None) -> Moment:
        """Return a moment as the plan reads it, a naive one as the city's time; None: now."""
        if moment is None:
            there = datetime.now(self._zone)
        elif moment.tzinfo is None:
            there = moment
        else:
            there = moment.astimezone(self._zone)
        return there.month * 100 + there.day, there.hour * 60 + there.minute

    def holding(self, moment: datetime | None) -> bytes:
        """Return which conditions of the plan hold at a moment; None: now."""
        if not self._has_conditions:
            return b""
        if moment is None:
            return self._at_present()
        local = self.local(moment)
        found = self._held.get(local)
        if found is None:
            if len(self._held) >= _KEPT:
                self._held.clear()
            found = self._plan.holding(np.array([local[0]]), np.array([local[1]]))[0]
            self._held[local] = found
        return found

    def _at_present(self) -> bytes:
        """Return which conditions hold now, worked out once a minute."""
        minute = int(time() // 60)
        known, holding = self._present
        if known != minute:
            holding = self.holding(datetime.fromtimestamp(60 * minute, self._zone))
            self._present = minute, holding
        return holding
