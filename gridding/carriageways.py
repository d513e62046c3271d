"""Dual carriageways: what stays of two is led along their middle."""

from dataclasses import replace

import numpy as np

from gridding.lines import KINDS, Flags, Floats, Indices
from gridding.samples import Samples

_KINDS = (KINDS.index("main_road"), KINDS.index("street"), KINDS.index("railway"))
_APART_M = 3.0
"""Lines nearer than this are one line drawn twice, and stay where they are."""
_GAP_M = 60.0
"""A stretch without a partner this long, as at a junction, is bridged."""
_EASE_M = 25.0
"""Half the length over which a line is led from its place to the middle."""


def to_middle(
    samples: Samples, kind: Indices, *, kept: Flags, weak: Indices, strong: Indices
) -> tuple[Samples, Flags]:
    """Return the samples moved half-way to the parallel line of their kind that was dropped for them.

    Parameters
    ----------
    samples : Samples
        Parts of strokes.
    kind : array of int
        Kind of each sample.
    kept : array of bool
        Which samples stay.
    weak, strong : array of int
        Pairs of samples that run side by side.

    Returns
    -------
    samples : Samples
    is_moved : array of bool
        Which samples lie elsewhere now.
    """
    gap = (samples.start + samples.stop)[weak] - (samples.start + samples.stop)[strong]
    heading = samples.heading
    offset = (gap[:, 1] * heading[strong, 0] - gap[:, 0] * heading[strong, 1]) / 2.0
    pairs = ~kept[weak] & kept[strong] & (kind[weak] == kind[strong])
    pairs &= np.isin(kind[strong], _KINDS) & (np.abs(offset) >= _APART_M)
    count = np.bincount(strong[pairs], minlength=len(kept))
    held = np.flatnonzero(count)
    if len(held) == 0:
        return samples, np.zeros(len(kept), dtype=bool)
    total = np.bincount(strong[pairs], offset[pairs], minlength=len(kept))
    middle = _eased(samples, _bridged(samples, held, total[held] / count[held] / 2.0))
    inner = samples.stroke[1:] == samples.stroke[:-1]
    shift = np.column_stack([-heading[:, 1], heading[:, 0]]) * middle[:, None]
    joint = (shift[1:] + shift[:-1]) / 2.0
    begin, end = shift.copy(), shift.copy()
    begin[1:][inner] = joint[inner]
    end[:-1][inner] = joint[inner]
    moved = (np.abs(begin) + np.abs(end)).sum(axis=1) > 0.02
    return replace(samples, start=samples.start + begin, stop=samples.stop + end), moved


def _bridged(samples: Samples, held: Indices, value: Floats) -> Floats:
    """Return values for all samples: those given, between them where the gap is short, else 0."""
    along = samples.along_m
    found = np.interp(along, along[held], value)
    after = np.clip(np.searchsorted(held, np.arange(len(along))), 0, len(held) - 1)
    before = np.clip(after - 1, 0, None)
    before = np.where(held[after] == np.arange(len(along)), after, before)
    low, high = held[before], held[after]
    inside = (low <= np.arange(len(along))) & (high >= np.arange(len(along)))
    inside &= (samples.stroke[low] == samples.stroke) & (samples.stroke[high] == samples.stroke)
    inside &= along[high] - along[low] <= _GAP_M
    return np.where(inside, found, 0.0)


def _eased(samples: Samples, value: Floats) -> Floats:
    """Return the mean of values over 25 m to each side along the stroke."""
    half = samples.length_m / 2.0
    first = np.flatnonzero(np.diff(samples.stroke, prepend=-1))
    last = np.append(first[1:], len(half)) - 1
    count = last - first + 1
    begin = np.repeat((samples.along_m - half)[first], count)
    end = np.repeat((samples.along_m + half)[last], count)
    low = np.maximum(samples.along_m - _EASE_M, begin)
    high = np.minimum(samples.along_m + _EASE_M, end)
    known = np.column_stack([samples.along_m - half, samples.along_m + half]).ravel()
    total = np.cumsum(value * samples.length_m)
    sums = np.column_stack([total - value * samples.length_m, total]).ravel()
    mean: Floats = (np.interp(high, known, sums) - np.interp(low, known, sums)) / (high - low)
    return mean
