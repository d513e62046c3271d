"""Tracks: borders on features, chained, that other borders end on and may slide along."""

from dataclasses import dataclass

import numpy as np
import shapely

from gridding.arcs import Arcs, Mask
from gridding.graph import Floats, Indices

_ON_LINE = 0.75
"""Cells that a junction is at most off a line on which noding has put it."""


@dataclass(frozen=True, kw_only=True)
class Track:
    """Arcs on features from one fixed junction to the next, and the junctions between that may slide."""

    arcs: Indices
    is_reversed: Mask
    """Whether the track goes along each arc from its end to its start."""
    junctions: Indices
    """Where the arcs begin and end: one more than there are."""
    vertices: Floats
    """x, y and distance along of the track's own vertices: without junctions put on straight pieces."""
    at: Floats
    """How far along each junction is, m."""

    @property
    def inner(self) -> Indices:
        """Junctions that may slide."""
        return self.junctions[1:-1]

    def sides(self, arcs: Arcs) -> Indices:
        """Return the grids on the left and on the right of each of the track's arcs, (n, 2)."""
        both = np.column_stack([arcs.left[self.arcs], arcs.right[self.arcs]])
        return np.where(self.is_reversed[:, None], both[:, ::-1], both)

    def between(self, start_m: float, stop_m: float, *, gap_m: float) -> Floats:
        """Return x and y of the own vertices between two distances, not nearer to these than a gap."""
        along = self.vertices[:, 2]
        inside = (along > start_m + gap_m) & (along < stop_m - gap_m)
        return self.vertices[inside, :2]


def tracks_of(arcs: Arcs, may_slide: Mask, *, base: Floats, precision_m: float) -> list[Track]:
    """Chain the arcs that follow a feature or the outline through junctions that may slide.

    Parameters
    ----------
    arcs : Arcs
        Borders of one piece of land.
    may_slide : array of bool
        Junctions at which two such arcs meet, and free ones end.
    base : array of float
        What is taken off all coordinates, m.
    precision_m : float
        Side of the cells on which all coordinates lie, m.

    Each junction that may slide is inside one track, but for rings: such a track begins at a junction that
    does not slide then. Arcs that end where nothing slides are on none.
    """
    xy, line = shapely.get_coordinates(arcs.lines, return_index=True)
    xy = np.rint((xy - base) / precision_m) * precision_m
    first = np.searchsorted(line, np.arange(len(arcs.lines) + 1))
    found = []
    for steps in _walks(arcs, may_slide):
        rows = np.array([row for row, _ in steps], dtype=np.intp)
        turned = np.array([is_turned for _, is_turned in steps], dtype=np.bool_)
        places = [
            xy[first[row] : first[row + 1]][:: -1 if is_turned else 1] for row, is_turned in steps
        ]
        begin = arcs.start[rows[0]] if not turned[0] else arcs.end[rows[0]]
        vertices, at = _laid(places, _ON_LINE * precision_m)
        found.append(
            Track(
                arcs=rows,
                is_reversed=turned,
                junctions=np.append(begin, np.where(turned, arcs.start[rows], arcs.end[rows])),
                vertices=vertices,
                at=at,
            )
        )
    return found


def _laid(places: list[Floats], off_m: float) -> tuple[Floats, Floats]:
    """Return the vertices of consecutive lines with the distance along, and that of each line's ends."""
    xy = np.concatenate([*(place[:-1] for place in places), places[-1][-1:]])
    ends = np.cumsum([0, *(len(place) - 1 for place in places)])
    inner = ends[1:-1]
    ahead, here = xy[inner + 1] - xy[inner - 1], xy[inner] - xy[inner - 1]
    off = np.abs(ahead[:, 0] * here[:, 1] - ahead[:, 1] * here[:, 0])
    kept = np.ones(len(xy), dtype=np.bool_)
    kept[inner] = off > off_m * np.hypot(*ahead.T)
    vertices = xy[kept]
    along = np.cumsum(np.hypot(*np.diff(vertices, axis=0, prepend=vertices[:1]).T))
    last = (np.cumsum(kept) - 1)[ends]
    at = along[last] + np.hypot(*(xy[ends] - vertices[last]).T)
    return np.column_stack([vertices, along]), at


def _walks(arcs: Arcs, may_slide: Mask) -> list[list[tuple[int, bool]]]:
    """Return the arcs of each track, and whether it goes along them backwards."""
    rows = np.flatnonzero(~arcs.is_free & (arcs.start != arcs.end))
    start, end = arcs.start.tolist(), arcs.end.tolist()
    slides = may_slide.tolist()
    at: dict[int, list[int]] = {}
    for row in rows.tolist():
        for junction in (start[row], end[row]):
            if slides[junction]:
                at.setdefault(junction, []).append(row)
    # Those that begin where nothing slides first; what is left then are rings.
    begins = [(row, False) for row in rows.tolist() if not slides[start[row]]]
    begins += [(row, True) for row in rows.tolist() if not slides[end[row]]]
    begins += [(row, False) for row in rows.tolist()]
    seen: set[int] = set()
    found = []
    for row, is_turned in begins:
        steps: list[tuple[int, bool]] = []
        while row not in seen:
            seen.add(row)
            steps.append((row, is_turned))
            junction = start[row] if is_turned else end[row]
            if not slides[junction]:
                break
            one, other = at[junction]
            row = other if one == row else one
            is_turned = start[row] != junction
        if len(steps) > 1:
            found.append(steps)
    return found
