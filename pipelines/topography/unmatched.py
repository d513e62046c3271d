"""Ends and cuts at an edge that nothing across it meets."""

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from pipelines.topography.edges import Cuts, Ends, Floats, Positions, Vertices

_EXACT = 0.2
"""Share of the tolerance within which a wall along the edge is taken for a cut: others stand there."""
_LOOKED_M = 20.0
"""Multiple of the tolerance within which the nearest end across is named."""


def unmatched(
    pairs: pd.DataFrame,
    ends: Ends,
    cuts: Cuts,
    vertices: Vertices,
    *,
    tolerance_m: Floats,
) -> pd.DataFrame:
    """Return the ends (TP84) and cuts (TP85) that should go on across the edge but do not.

    Only where a sheet was delivered across the edge, and no farther from the edge than the
    tolerance. An end whose nearest counterpart is unmatched too is told once, with the gap.
    """
    taken = pairs[pairs["is_taken"]]
    is_cut = taken["is_cut"].to_numpy(dtype=bool)
    used = np.concatenate([taken["run_a"], taken["run_b"]]).astype(np.intp)
    used_cut = np.concatenate([is_cut, is_cut])
    free_ends = np.setdiff1d(
        np.flatnonzero(
            (ends.other >= 0) & ~ends.is_along & (ends.gap_m <= tolerance_m[ends.sheet] + 1e-9)
        ),
        used[~used_cut],
    )
    exact = cuts.gap_m <= _EXACT * tolerance_m[cuts.sheet] + 1e-9
    open_cuts = np.flatnonzero((cuts.other >= 0) & exact & ~np.isin(cuts.run, used[used_cut]))
    # Of the parts of a stretch, the longest that lies on the edge.
    free_cuts = open_cuts[np.unique(cuts.run[open_cuts], return_index=True)[1]]
    middle = (vertices.xy[cuts.first] + vertices.xy[cuts.last]) / 2
    return pd.concat(
        [
            _told(
                "TP84",
                free_ends,
                (ends.row, ends.sheet, ends.other),
                vertices.xy[ends.vertex],
                tolerance_m,
            ),
            _told("TP85", free_cuts, (cuts.row, cuts.sheet, cuts.other), middle, tolerance_m),
        ],
        ignore_index=True,
    )


def _told(
    rule: str,
    free: Positions,
    places: tuple[Positions, Positions, Positions],
    xy: Floats,
    tolerance_m: Floats,
) -> pd.DataFrame:
    row, sheet, other = (values[free] for values in places)
    at = xy[free]
    partner, gap = _partners(at, sheet, other, tolerance_m)
    found = partner >= 0
    # Of two that belong together, the one on the first sheet tells of both.
    kept = ~found | (sheet < sheet[np.maximum(partner, 0)]) if len(free) else found
    other_row = np.where(found, row[np.maximum(partner, 0)] if len(row) else -1, -1)
    return pd.DataFrame(
        {
            "rule": rule,
            "row": row[kept],
            "other_row": other_row[kept],
            "sheet": sheet[kept],
            "other_sheet": other[kept],
            "gap_m": np.where(found, np.round(gap, 4), np.nan)[kept],
            "columns": pd.Series([()] * int(kept.sum()), dtype=object),
            "geometry": pd.Series(shapely.points(at[kept]), dtype=object),
        }
    )


def _partners(
    xy: Floats, sheet: Positions, other: Positions, tolerance_m: Floats
) -> tuple[Positions, Floats]:
    """Return for each the one across that is nearest to it and it to that one, -1: none; and how far."""
    result = np.full(len(xy), -1, dtype=np.intp)
    gap = np.full(len(xy), np.nan)
    if len(xy) < 2:
        return result, gap
    reach = _LOOKED_M * float(tolerance_m.max())
    found = cKDTree(xy).query_pairs(reach, output_type="ndarray")
    a, b = found[:, 0], found[:, 1]
    across = (other[a] == sheet[b]) & (other[b] == sheet[a])
    a, b = a[across], b[across]
    distance = np.hypot(*(xy[a] - xy[b]).T)
    for place in np.lexsort((b, a, np.round(distance, 6))).tolist():
        first, second = int(a[place]), int(b[place])
        if result[first] < 0 and result[second] < 0:
            result[first], result[second] = second, first
            gap[[first, second]] = distance[place]
    return result, gap
