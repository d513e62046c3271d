"""Stretches of borders along which the cases of one side are handled by the unit of the other."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from api.advice.evidence import QUESTION
from api.advice.findings import LEAST_HITS, LEAST_LOWER, Finding
from api.advice.intervals import best_run, wilson
from api.advice.layers import Layer, layers_of
from api.assign import assign_frame

if TYPE_CHECKING:
    from api.snapshot import Snapshot

WIDTHS_M = (10.0, 15.0, 20.0, 25.0, 30.0, 40.0)
"""How far a border may be moved: the width is taken at which the surplus is greatest, m."""
REACH_M = WIDTHS_M[-1]
_BIN_M = 25.0
_ACROSS_M = 2.0
_TOUCH_M = 0.5
_LEAST_PIECE_M = 0.1


@dataclass(frozen=True)
class _Near:
    """Cases near another cell than their own, one entry per case and other cell."""

    case: NDArray[np.intp]
    """Position among the cases looked at."""
    own: NDArray[np.intp]
    other: NDArray[np.intp]
    distance_m: NDArray[np.float64]
    across: NDArray[np.float64]
    """A point of the other cell, past the border."""


def find_borders(known: pd.DataFrame, snapshot: "Snapshot") -> list[Finding]:
    """Return the stretches of borders whose cases the unit across handles.

    Borders are those between communities, between the management grids of a trade, and around areas
    that the plan draws; a case that one layer explains is not looked at in the next. Only cases that
    the territory or a row of the plan decided can be wrong because of a border. Each is decided anew
    just across the nearest border: if that leads to the unit that handled it, it speaks for moving the
    border, if its own side did, against. The stretch is the run along the border with the greatest
    surplus.

    Parameters
    ----------
    known : pandas.DataFrame
        Evidence, as `known_rows` gives it.
    snapshot : Snapshot
        The data that decide.
    """
    by_area = known["rule"].str.startswith(("plan:", "directory:"))
    rows = known[by_area & np.isfinite(known["location_x"].astype(float))]
    found: list[Finding] = []
    for layer in layers_of(snapshot, reach_m=REACH_M):
        here = _find_along(rows, layer, snapshot)
        found += here
        rows = rows[~rows.index.isin({row for finding in here for row in finding.row_numbers})]
    return found


def _find_along(rows: pd.DataFrame, layer: Layer, snapshot: "Snapshot") -> list[Finding]:
    """Return the stretches of the borders of one layer."""
    if rows.empty or len(layer.codes) < 2:
        return []
    near = _near(rows, layer)
    if not len(near.case):
        return []
    beyond = _decide_across(rows.iloc[near.case], near.across, snapshot)
    here = rows["unit_code"].to_numpy(dtype=object)[near.case]
    truth = rows["truth"].to_numpy(dtype=object)[near.case]
    differs = (beyond != here) & (beyond != None)  # noqa: E711
    found = []
    pairs = near.own * len(layer.codes) + near.other
    for pair in np.unique(pairs[differs & (truth == beyond)]).tolist():
        members = np.flatnonzero((pairs == pair) & differs)
        own, other = divmod(pair, len(layer.codes))
        line = _border(layer.shapes[own], layer.shapes[other])
        if line is None:
            continue
        sides = (layer.codes[own], layer.codes[other])
        asked = _Asked(rows, near, truth, beyond, line, sides)
        finding = _stretch(asked, members)
        if finding is not None:
            found.append(finding)
    return _with_both_sides(found)


def _near(rows: pd.DataFrame, layer: Layer) -> _Near:
    shapes = layer.shapes
    at = shapely.points(rows[["location_x", "location_y"]].to_numpy(dtype=np.float64))
    own = layer.own(rows, at)
    tree = shapely.STRtree(shapes)
    case, other = tree.query(at, predicate="dwithin", distance=REACH_M)
    keep = (other != own[case]) & (own[case] >= 0)
    case, other = case[keep], other[keep]
    distance = shapely.distance(at[case], shapes[other])
    # Of several cells that are near the nearest is the one across.
    order = np.lexsort((other, distance, case))
    case, other, distance = case[order], other[order], distance[order]
    first = (
        np.concatenate([[True], case[1:] != case[:-1]]) if len(case) else np.zeros(0, dtype=bool)
    )
    case, other, distance = case[first], other[first], distance[first]
    lines = shapely.shortest_line(at[case], shapes[other])
    ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    step = ends[:, 1] - ends[:, 0]
    length = np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    across = ends[:, 1] + step / length * _ACROSS_M
    return _Near(case, own[case], other, distance, across)


def _decide_across(
    rows: pd.DataFrame, across: NDArray[np.float64], snapshot: "Snapshot"
) -> NDArray[Any]:
    asked = rows[list(QUESTION)].assign(
        x=across[:, 0],
        y=across[:, 1],
        crs="city",
        accuracy_m=0.5,
        address=None,
        component_code=None,
    )
    for name in ("case_id", "kind", "class_code"):
        asked[name] = asked[name].astype(object)
    units: NDArray[Any] = assign_frame(snapshot, asked)["unit_code"].to_numpy(dtype=object)
    return units


@dataclass(frozen=True)
class _Asked:
    rows: pd.DataFrame
    near: _Near
    truth: NDArray[Any]
    beyond: NDArray[Any]
    """Unit that each case would get across."""
    line: Any
    """The border."""
    sides: tuple[str, str]


def _stretch(asked: _Asked, members: NDArray[np.intp]) -> Finding | None:
    rows, near, line = asked.rows, asked.near, asked.line
    truth, beyond = asked.truth, asked.beyond
    at = rows[["location_x", "location_y"]].to_numpy(dtype=np.float64)[near.case[members]]
    along = shapely.line_locate_point(line, shapely.points(at))
    wrong = rows["wrong"].to_numpy()[near.case[members]]
    moved = (truth[members] == beyond[members]) & wrong
    stays = rows["right"].to_numpy()[near.case[members]]
    inside = _best_stretch(along, near.distance_m[members], moved.astype(float) - stays)
    hits = inside & moved
    lower, upper = wilson(int(hits.sum()), int(inside.sum()))
    if int(hits.sum()) < LEAST_HITS or lower < LEAST_LOWER:
        return None
    index = rows.index.to_numpy()[near.case[members]]
    chosen = rows.loc[index[inside]]
    counts = pd.Series(beyond[members][hits]).value_counts()
    start, end = float(along[hits].min()), float(along[hits].max())
    return Finding(
        kind="border",
        change="move_border",
        rule="",
        case_kind="" if chosen["kind"].nunique() > 1 else str(chosen["kind"].iloc[0]),
        class_code="",
        area_code=asked.sides[0],
        other_area_code=asked.sides[1],
        unit_code=str(chosen["unit_code"].mode().iloc[0]),
        to_unit_code=str(counts.index[0]),
        cases=int(inside.sum()),
        misdirected=int((~chosen["right"]).sum()),
        to_cases=int(hits.sum()),
        returned=int((chosen["returns"] > 0)[~chosen["right"]].sum()),
        lower=lower,
        upper=upper,
        avoided=int(hits.sum()),
        caused=int((inside & stays).sum()),
        width_m=round(float(near.distance_m[members][hits].max()), 1),
        stretch=substring(line, max(start - _BIN_M / 2, 0.0), min(end + _BIN_M / 2, line.length)),
        row_numbers=tuple(index[inside]),
    )


def _best_stretch(
    along: NDArray[np.float64], distance_m: NDArray[np.float64], gain: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return the cases of the run along the border, and of the width, with the greatest surplus."""
    bins = (along // _BIN_M).astype(np.intp)
    best, chosen = 0.0, np.zeros(len(along), dtype=bool)
    for width in WIDTHS_M:
        within = distance_m <= width
        first, last, total = best_run(np.bincount(bins, weights=np.where(within, gain, 0.0)))
        if total > best:
            best, chosen = total, within & (bins >= first) & (bins < last)
    return chosen


def _border(own: Any, other: Any) -> Any:
    """Return the longest line that two cells share, or nearly share where they were drawn apart."""
    shared = shapely.intersection(own.boundary, other.boundary)
    lines = [g for g in shapely.get_parts(shared) if g.geom_type == "LineString"]
    if sum(g.length for g in lines) < _LEAST_PIECE_M:
        shared = shapely.intersection(own.boundary, shapely.buffer(other, _TOUCH_M))
        lines = [g for g in shapely.get_parts(shared) if g.geom_type == "LineString"]
    if not lines:
        return None
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines)))
    return max(merged, key=lambda part: (part.length, shapely.to_wkb(part)))


def _with_both_sides(found: list[Finding]) -> list[Finding]:
    """Say that a road is shared where both sides' cases are handled by the other."""
    sides = {(finding.area_code, finding.other_area_code): finding for finding in found}
    result = []
    for (own, other), finding in sides.items():
        back = sides.get((other, own))
        both = back is not None and shapely.dwithin(finding.stretch, back.stretch, REACH_M)
        result.append(replace(finding, change="boundary_road") if both else finding)
    return result
