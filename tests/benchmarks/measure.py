"""Stop watches and the table of what they showed."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table."""

    work: str
    ours: float
    unit: str
    peer: str = ""
    peers: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer."""
        if self.peers is None:
            return None
        return self.ours / self.peers if self.unit.endswith("/s") else self.peers / self.ours


def best_of(work: Callable[[], Any], *, times: int = 3) -> tuple[float, Any]:
    """Return the shortest time of some runs in seconds, and the last result."""
    seconds, result = [], None
    for _ in range(times):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def quantiles_us(work: Callable[[int], Any], *, times: int) -> tuple[float, float]:
    """Return median and 99th percentile of single calls, µs."""
    spent = np.empty(times)
    for number in range(times):
        start = time.perf_counter()
        work(number)
        spent[number] = time.perf_counter() - start
    median, high = np.quantile(spent, [0.5, 0.99]) * 1e6
    return float(median), float(high)


def show(figures: list[Figure]) -> None:
    """Write the table."""
    lines = [f"{'work':<46}{'ours':>14} {'unit':<9}{'peer':<34}{'peer has':>14}{'ratio':>8}  note"]
    for figure in figures:
        peers = "" if figure.peers is None else f"{figure.peers:,.1f}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}x"
        lines.append(
            f"{figure.work:<46}{figure.ours:>14,.1f} {figure.unit:<9}{figure.peer:<34}{peers:>14}{ratio:>8}"
            f"  {figure.note}"
        )
    sys.stdout.write("\n".join(lines) + "\n")
