"""Samples: strokes cut into short straight parts, to be judged one by one."""

from dataclasses import dataclass, replace

import numpy as np

from gridding.lines import Flags, Floats, Indices
from gridding.strokes import Strokes

STEP_M = 4.0
"""Longest part of a line that is judged as one."""
_CHORD_M = 3.0
"""Half the length over which the direction of a line with short segments is taken."""
_FIRM_M = 2.5
"""A segment of this length has a direction of its own."""


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Short straight parts of strokes, in order along each."""

    start: Floats
    stop: Floats
    stroke: Indices
    along_m: Floats
    """Length of the stroke up to the middle."""
    length_m: Floats
    heading: Floats
    """Direction of the line there, smoothed where its segments are short."""
    is_vertex: Flags
    """Whether it starts at a vertex of the stroke."""


def sample_strokes(strokes: Strokes) -> Samples:
    """Cut strokes into parts of at most 4 m."""
    same = np.ones(max(len(strokes.points) - 1, 0), dtype=bool)
    same[strokes.offsets[1:-1] - 1] = False
    first = np.flatnonzero(same)
    start, stop = strokes.points[first], strokes.points[first + 1]
    length = np.hypot(*(stop - start).T)
    stroke = np.repeat(np.arange(len(strokes.kind)), np.diff(strokes.offsets) - 1)
    parts = np.maximum(1, np.ceil(length / STEP_M)).astype(np.intp)
    segment = np.repeat(np.arange(len(first)), parts)
    step = np.arange(len(segment)) - np.repeat(np.cumsum(parts) - parts, parts)
    share = 1.0 / parts[segment]
    vector = (stop - start)[segment]
    length_m = length[segment] * share
    # Distance along all strokes laid end to end, with room between them.
    room = 4.0 * _CHORD_M * stroke[segment]
    ends = np.cumsum(length_m) + room
    begin = start[segment] + vector * (step * share)[:, None]
    end = start[segment] + vector * ((step + 1) * share)[:, None]
    found = Samples(
        start=begin,
        stop=end,
        stroke=stroke[segment],
        along_m=ends - length_m / 2.0,
        length_m=length_m,
        heading=vector / length[segment][:, None],
        is_vertex=step == 0,
    )
    return replace(found, heading=_smoothed(found, length[segment] >= _FIRM_M))


def _smoothed(samples: Samples, is_firm: Flags) -> Floats:
    """Return headings, along a chord of 6 m where the segment is too short to have a firm one."""
    if is_firm.all():
        return samples.heading
    half = samples.length_m / 2.0
    known = np.column_stack([samples.along_m - half, samples.along_m + half])
    first = np.flatnonzero(np.diff(samples.stroke, prepend=-1))
    last = np.append(first[1:], len(half)) - 1
    rank = np.cumsum(np.diff(samples.stroke, prepend=samples.stroke[0]) != 0)
    soft = np.flatnonzero(~is_firm)
    low = np.maximum(samples.along_m[soft] - _CHORD_M, known[first, 0][rank[soft]])
    high = np.minimum(samples.along_m[soft] + _CHORD_M, known[last, 1][rank[soft]])
    place = np.stack([samples.start, samples.stop], axis=1).reshape(-1, 2)
    chord = np.column_stack(
        [
            np.interp(high, known.ravel(), place[:, axis])
            - np.interp(low, known.ravel(), place[:, axis])
            for axis in (0, 1)
        ]
    )
    size = np.hypot(chord[:, 0], chord[:, 1])
    heading = samples.heading.copy()
    turns = size > 0.1
    heading[soft[turns]] = chord[turns] / size[turns][:, None]
    return heading
