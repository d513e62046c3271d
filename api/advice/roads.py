"""Boundary roads 界路 whose cases the unit of the other area handles: the two areas are swapped, or one has it all."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from api.advice.changes import decide_with
from api.advice.evidence import ACROSS, ROAD, SIDE
from api.advice.findings import LEAST_HITS, LEAST_LOWER, Finding
from api.advice.intervals import best_run, wilson
from api.placing.boundaries import FIRST, SECOND, BoundaryRoad

if TYPE_CHECKING:
    from api.snapshot import Snapshot

_BIN_M = 25.0
_HELD = ("grid_code", "community_code", "street_code", "district_code")
_LEAST_OF_A_SIDE = 2
"""So many cases of each side must have gone to the other before both are called swapped."""


@dataclass(frozen=True)
class _Cases:
    """Cases on one boundary road for which its other area leads to another unit."""

    rows: pd.DataFrame
    side: NDArray[np.int8]
    """Area that answers for each."""
    hit: NDArray[np.bool_]
    """Sent back, and handled by the unit of the other area."""
    stays: NDArray[np.bool_]
    """Handled by the unit of the area that answers."""

    def only(self, keep: NDArray[np.bool_]) -> "_Cases":
        return _Cases(self.rows[keep], self.side[keep], self.hit[keep], self.stays[keep])


def find_roads(known: pd.DataFrame, snapshot: "Snapshot") -> list[Finding]:
    """Return the boundary roads, or stretches of them, for which the wrong one of two areas answers.

    Where the cases of each side, or of odd and of even days, are handled by the unit of the other, the
    areas are swapped in the plan. Where those of one side alone are, the other area has it all. Each
    change is tried on the cases of the stretch.

    Parameters
    ----------
    known : pandas.DataFrame
        Evidence, as `api.advice.findings.judge` gives it.
    snapshot : Snapshot
        The live data, with the roads.
    """
    by_area = known["rule"].str.startswith(("plan:", "directory:"))
    rows = known[by_area & known[ROAD].notna() & known[ACROSS].notna()]
    roads = {road.code: road for road in snapshot.edition().chains.roads.roads}
    found: list[Finding] = []
    for code, here in rows.groupby(rows[ROAD].astype(object), sort=True):
        across = here["truth"].astype(object) == here[ACROSS].astype(object)
        cases = _Cases(
            here,
            here[SIDE].to_numpy(dtype=np.int8),
            (across & here["wrong"]).to_numpy(dtype=bool),
            here["right"].to_numpy(dtype=bool),
        )
        if str(code) in roads:  # it may end at midnight, while the evidence is read
            found += _of_road(roads[str(code)], cases, snapshot)
    return found


def _of_road(road: BoundaryRoad, cases: _Cases, snapshot: "Snapshot") -> list[Finding]:
    swapped = _stretch(road, cases, change="swap_sides")
    if swapped is not None and _is_swapped(road, swapped[1]):
        return [_tried(road, *swapped, snapshot)]
    found = [_stretch(road, cases.only(cases.side == side), change="one_side") for side in (0, 1)]
    return [_tried(road, *told, snapshot) for told in found if told is not None]


def _is_swapped(road: BoundaryRoad, cases: _Cases) -> bool:
    """Tell whether each area that answers has its cases handled by the other."""
    sides = (FIRST,) if road.sharing == "joint" else (FIRST, SECOND)
    least = 1 if road.sharing == "joint" else _LEAST_OF_A_SIDE
    hits = [int((cases.hit & (cases.side == side)).sum()) for side in sides]
    stay = [int((cases.stays & (cases.side == side)).sum()) for side in sides]
    return all(many >= least and many > few for many, few in zip(hits, stay, strict=True))


def _stretch(road: BoundaryRoad, cases: _Cases, *, change: str) -> tuple[Finding, _Cases] | None:
    """Return the stretch of a road with the greatest surplus of cases of the other area, if any."""
    if not len(cases.rows):
        return None
    line = _line(road)
    at = shapely.points(cases.rows[["location_x", "location_y"]].to_numpy(dtype=np.float64))
    along = shapely.line_locate_point(line, at)
    # The last bin reaches to the end, where what lies beyond it is counted too.
    last_bin = max(0, int(np.ceil(line.length / _BIN_M)) - 1)
    bins = np.minimum((along // _BIN_M).astype(np.intp), last_bin)
    first, last, _ = best_run(np.bincount(bins, weights=cases.hit.astype(float) - cases.stays))
    inside = (bins >= first) & (bins < last)
    hits = inside & cases.hit
    count = int(hits.sum())
    lower, upper = wilson(count, int(inside.sum()))
    if count < LEAST_HITS or lower < LEAST_LOWER:
        return None
    kept = cases.only(inside)
    start, end = max(0.0, first * _BIN_M), min(line.length, last * _BIN_M)
    # What lies beyond the stretch, of which nothing speaks against the change, is no other stretch.
    start = 0.0 if not cases.stays[bins < first].any() else start
    end = line.length if not cases.stays[bins >= last].any() else end
    rows, wrong = kept.rows, ~kept.rows["right"].to_numpy(dtype=bool)
    own = int(kept.side[kept.hit][0])
    of_own = kept.hit & (kept.side == own)
    finding = Finding(
        kind="road",
        change=change,
        sharing=road.sharing,
        rule=road.code,
        case_kind="" if rows["kind"].nunique() > 1 else str(rows["kind"].iloc[0]),
        class_code="",
        area_code=road.sides[own],
        other_area_code=road.sides[1 - own],
        unit_code=str(rows["unit_code"][of_own].mode().iloc[0]),
        to_unit_code=str(rows["truth"][of_own].mode().iloc[0]),
        cases=len(rows),
        misdirected=int(wrong.sum()),
        to_cases=count,
        returned=int(((rows["returns"] > 0).to_numpy() & wrong).sum()),
        lower=lower,
        upper=upper,
        stretch=substring(line, start, end),
        is_whole=end - start >= line.length,
        is_against_map=change == "swap_sides" and _is_drawn_so(road, kept),
        row_numbers=tuple(rows.index),
    )
    return finding, kept


def _is_drawn_so(road: BoundaryRoad, cases: _Cases) -> bool:
    """Tell whether the areas lie on the sides for which they answer: a plan that swaps them is put right."""
    if road.sharing != "side":
        return False
    own = np.array(road.sides, dtype=object)[cases.side]
    held = (cases.rows[name].astype(object).to_numpy() == own for name in _HELD)
    return bool(np.mean(np.logical_or.reduce(list(held))) > 0.5)


def _line(road: BoundaryRoad) -> Any:
    """Return the axis of a road as one line; where there is none, the middle of its length."""
    line = shapely.line_merge(road.axis) if road.axis is not None else None
    if line is not None and line.geom_type == "LineString":
        return line
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(road.shape))[:4]
    if np.hypot(*(corners[1] - corners[0])) > np.hypot(*(corners[2] - corners[1])):
        corners = np.roll(corners, -1, axis=0)
    return shapely.LineString([corners[:2].mean(axis=0), corners[2:].mean(axis=0)])


def _tried(road: BoundaryRoad, finding: Finding, cases: _Cases, snapshot: "Snapshot") -> Finding:
    """Return a finding with the cases that its change puts right and wrong, decided with the plan changed."""
    sides = (finding.other_area_code, finding.area_code)
    # That one area answers for both sides is what a joint road says of the first.
    told: dict[str, Any] = {"sides": road.sides[::-1]}
    if finding.change == "one_side":
        told = {"sides": sides, "sharing": "joint"}
    areas = [
        {**area, **told} if area["code"] == road.code else area
        for area in snapshot.edition().plan_areas
    ]
    table = snapshot.table("responsibility").take(snapshot.holding("responsibility", None))
    after = decide_with(snapshot, cases.rows, table.to_pylist(), areas=areas)
    truth, before = cases.rows["truth"].to_numpy(), cases.rows["unit_code"].to_numpy()
    return replace(
        finding,
        avoided=int(((before != truth) & (after == truth)).sum()),
        caused=int(((before == truth) & (after != truth)).sum()),
    )
