"""Samples that run alongside others: found cell by cell, judged as they are found."""

from typing import Any, NamedTuple

import numba
import numpy as np

from gridding.lines import Floats, Indices
from gridding.samples import Samples

_PARALLEL = 0.82
"""Least cosine of the angle between lines that run side by side: 35°."""
_SLACK_M = 1.0
"""How far past the end of a part of a line another still counts as beside it."""
_LEEWAY_M = 2.0
"""By how much the middles of two parts may lie farther apart than their lines: at least hypot(6, 3) - 6."""
_OWN_LENGTH_M = 60.0
"""How far along itself a line must be to run beside itself, as a hairpin does."""
_CELL_M = 8.0
_MOST_CELLS = 4_000_000
"""Land with more cells than that has larger ones."""


class Ranked(NamedTuple):
    """Samples, and which of two that run side by side goes."""

    samples: Samples
    kind: Indices
    """Kind of each sample; its reach is that row and column of the table."""
    order: Indices
    """The lower of two goes."""


def run_alongside(
    ranked: Ranked, may_go: Indices, strong_kinds: list[int], reach_m: Floats
) -> tuple[Indices, Indices, Floats]:
    """Return samples that may go, a stronger one of some kinds alongside each, and how far apart they are.

    Two run alongside within the reach of their kinds, no farther on than the stronger goes, and at less
    than 35° to each other. A line runs alongside itself from 60 m on.

    Parameters
    ----------
    ranked : Ranked
        Parts of strokes, their kinds and their order.
    may_go : array of int
        The samples that are asked about.
    strong_kinds : list of int
        Kinds that they may run alongside.
    reach_m : array of float
        How far apart a weaker kind (row) and a stronger one (column) may run, m.
    """
    samples, kind, order = ranked
    across = (samples.stop - samples.start) / samples.length_m[:, None]
    # Twice the middle: what is measured from it is halved.
    place = samples.start + samples.stop
    floats = np.column_stack([place, across, samples.heading, samples.length_m, samples.along_m])
    numbers = np.column_stack([samples.stroke, order, kind]).astype(np.intp)
    found = [(may_go[:0], may_go[:0], np.zeros(0))]
    if len(may_go):
        low, high = place.min(axis=0) / 2.0, place.max(axis=0) / 2.0
        cell_m = max(_CELL_M, float(np.sqrt(np.prod(high - low) / _MOST_CELLS)))
        cells = np.floor((place / 2.0 - low) / cell_m).astype(np.intp)
        size = cells.max(axis=0) + 1
        for strong_kind in strong_kinds:
            rows = np.flatnonzero(kind == strong_kind)
            cell = cells[rows, 0] * size[1] + cells[rows, 1]
            by_cell = np.argsort(cell, kind="stable")
            first = np.zeros(int(size[0] * size[1]) + 1, dtype=np.intp)
            first[1:] = np.cumsum(np.bincount(cell, minlength=len(first) - 1))
            grid = (low[0], low[1], cell_m, int(size[0]), int(size[1]))
            reach = np.ascontiguousarray(reach_m[:, strong_kind])
            found.append(_found(floats, numbers, may_go, (rows[by_cell], first), grid, reach))
    weak, strong, apart_m = (np.concatenate(part) for part in zip(*found, strict=True))
    return weak, strong, apart_m


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _found(floats: Any, numbers: Any, may_go: Any, by_cell: Any, grid: Any, reach_m: Any) -> Any:
    rows, first = by_cell
    west, south, cell_m, columns, lines = grid
    room, count = 1024, 0
    weak, strong = np.empty(room, dtype=np.intp), np.empty(room, dtype=np.intp)
    apart_m = np.empty(room)
    for one in may_go:
        limit = reach_m[numbers[one, 2]]
        x, y, r = floats[one, 0] / 2.0 - west, floats[one, 1] / 2.0 - south, limit + _LEEWAY_M
        left, right = max(0, int((x - r) / cell_m)), min(columns - 1, int((x + r) / cell_m))
        low, high = max(0, int((y - r) / cell_m)), min(lines - 1, int((y + r) / cell_m))
        for column in range(left, right + 1):
            # Cells of a column lie one after the other.
            for at in range(first[column * lines + low], first[column * lines + high + 1]):
                other = rows[at]
                apart = _apart_m(floats, numbers, one, other, r)
                if apart > limit:
                    continue
                if count == room:
                    room *= 2
                    weak, strong = _grown(weak, room), _grown(strong, room)
                    apart_m = _grown(apart_m, room)
                weak[count], strong[count], apart_m[count] = one, other, apart
                count += 1
    return weak[:count].copy(), strong[:count].copy(), apart_m[:count].copy()


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _apart_m(floats: Any, numbers: Any, one: int, other: int, reach_m: float) -> float:
    """Return how far apart two samples run; inf: the other is no stronger one, too far off, or not alongside."""
    here, there = floats[one], floats[other]
    if numbers[one, 0] == numbers[other, 0]:
        if here[7] - there[7] <= _OWN_LENGTH_M:
            return np.inf
    elif numbers[one, 1] >= numbers[other, 1]:
        return np.inf
    x, y = here[0] - there[0], here[1] - there[1]
    if x * x + y * y > 4.0 * reach_m * reach_m:
        return np.inf
    if abs(x * there[2] + y * there[3]) / 2.0 > there[6] / 2.0 + _SLACK_M:
        return np.inf
    if abs(here[4] * there[4] + here[5] * there[5]) < _PARALLEL:
        return np.inf
    apart: float = abs(x * there[3] - y * there[2]) / 2.0
    return apart


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _grown(values: Any, room: int) -> Any:
    more = np.empty(room, dtype=values.dtype)
    more[: len(values)] = values
    return more
