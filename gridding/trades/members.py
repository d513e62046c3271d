"""Which unit grids a delivered management grid is made of: codes and ranges, or a polygon."""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.graph import Floats, Indices

_PARTS = re.compile(r"[^\s;；,，、]+")
_TO = re.compile(r"\s*(?:—+|－|-+|~|～|至|到)\s*")
_AREA_DIGITS = (6, 9, 12)
MOST = 0.5
"""A polygon that holds more than this share of a unit grid has it."""


@dataclass(frozen=True, kw_only=True)
class Members:
    """Unit grids found, and what of the text stands for none."""

    codes: tuple[str, ...]
    """Codes of the unit grids, sorted, each once."""
    unknown: tuple[str, ...] = ()
    """Codes and ranges that no unit grid bears, in the text's order."""


def read_members(
    text: str, known: Sequence[str], *, sets: Mapping[str, Sequence[str]] | None = None
) -> Members:
    """Return the unit grids that a text names by codes, ranges of codes and codes of areas.

    Parts are separated by blanks, commas or semicolons of either script. The end of a range may be
    written short, as ``130102001001001-012``; it is included, and numbers between the two that no grid
    bears are passed over. Twelve, nine or six digits stand for all unit grids of that area.

    Parameters
    ----------
    text : str
        As delivered.
    known : sequence of str
        Codes of the unit grids that hold, sorted.
    sets : mapping or None
        Other sets that may be named as a whole: code -> codes of unit grids.

    Examples
    --------
    >>> known = ["130102001001001", "130102001001002", "130102001001004", "130102001002001"]
    >>> read_members("130102001001001至004；130102001002001", known).codes[1:]
    ('130102001001002', '130102001001004', '130102001002001')
    >>> read_members("130102001001, 130102001009001", known).unknown
    ('130102001009001',)
    """
    found: set[str] = set()
    unknown: list[str] = []
    plain = unicodedata.normalize("NFKC", text)
    for part in _PARTS.findall(_TO.sub("-", plain)):
        codes = (sets or {}).get(part) or _read_part(part, known)
        if codes:
            found.update(codes)
        else:
            unknown.append(part)
    return Members(codes=tuple(sorted(found)), unknown=tuple(dict.fromkeys(unknown)))


def _read_part(part: str, known: Sequence[str]) -> Sequence[str]:
    start, dash, end = part.partition("-")
    if dash and start.isdecimal() and end.isdecimal() and len(end) <= len(start):
        last = start[: len(start) - len(end)] + end
        return known[bisect_left(known, start) : bisect_right(known, last)]
    if part.isdecimal() and len(part) in _AREA_DIGITS:
        return known[bisect_left(known, part) : bisect_left(known, part + "~")]
    at = bisect_left(known, part)
    return known[at : at + 1] if at < len(known) and known[at] == part else ()


def write_members(codes: Sequence[str], known: Sequence[str]) -> str:
    """Return codes as text, runs of known codes as ranges; `read_members` reads it back.

    Examples
    --------
    >>> known = ["130102001001001", "130102001001002", "130102001001004", "130102001002001"]
    >>> write_members(known[:3], known), write_members(known[1::2], known)
    ('130102001001001-130102001001004', '130102001001002,130102001002001')
    """
    ordered = sorted(codes)
    runs: list[list[str]] = []
    for code in ordered:
        at = bisect_left(known, code)
        before = known[at - 1] if 0 < at <= len(known) else None
        if runs and runs[-1][-1] == before and before[:12] == code[:12]:
            runs[-1].append(code)
        else:
            runs.append([code])
    parts = [run if len(run) < 3 else [f"{run[0]}-{run[-1]}"] for run in runs]
    return ",".join(code for run in parts for code in run)


def shares_of(
    grids: NDArray[np.object_], polygons: NDArray[np.object_]
) -> tuple[Indices, Indices, Floats]:
    """Return unit grid, polygon and the share of the grid in it, for all pairs that meet.

    The pairs are sorted by grid, then polygon.

    Examples
    --------
    >>> grids = shapely.box([0, 10], 0, [10, 20], 10)
    >>> [part.tolist() for part in shares_of(grids, np.array([shapely.box(-5, 0, 12, 10)]))]
    [[0, 1], [0, 0], [1.0, 0.2]]
    """
    polygon, grid = shapely.STRtree(grids).query(polygons, predicate="intersects")
    area = shapely.area(shapely.intersection(polygons[polygon], grids[grid]))
    share = np.round(area / np.maximum(shapely.area(grids[grid]), 1e-9), 6)
    order = np.lexsort((polygon, grid))
    return grid[order].astype(np.intp), polygon[order].astype(np.intp), share[order]


def held_by(grids: NDArray[np.object_], polygons: NDArray[np.object_]) -> tuple[Indices, Floats]:
    """Return for each unit grid the polygon that holds most of it, and the share of it that does.

    A grid of which no polygon holds more than half has -1. Of two equal shares the first wins.

    Examples
    --------
    >>> grids = shapely.box([0, 10, 20], 0, [10, 20, 30], 10)
    >>> index, share = held_by(grids, shapely.box([-5, 14], 0, [12, 21], 10))
    >>> index.tolist(), share.tolist()
    ([0, 1, -1], [1.0, 0.6, 0.1])
    """
    grid, polygon, share = shares_of(grids, polygons)
    order = np.lexsort((polygon, -share, grid))
    grid, polygon, share = grid[order], polygon[order], share[order]
    first = np.flatnonzero(np.diff(grid, prepend=-1))
    holder = np.full(len(grids), -1, dtype=np.intp)
    most = np.zeros(len(grids))
    most[grid[first]] = share[first]
    holder[grid[first]] = np.where(share[first] > MOST, polygon[first], -1)
    return holder, most
