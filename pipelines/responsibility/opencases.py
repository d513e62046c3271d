"""Open cases that another plan would send to another unit, as far as the plan alone tells."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from census.plan.chains import Chain
from census.plan.owning import owner_of
from census.plan.search import Plan
from gis.database import read_features
from pipelines.context import BuildContext
from pipelines.responsibility.plan_areas import BOUNDARY

UNDECIDED, BY_RECORD, ENGINE, BOUNDARY_ROAD, SAME = (
    "undecided",
    "by_record",
    "engine_only",
    "boundary_road",
    "same",
)
REASONS = {
    UNDECIDED: ("not decided yet", "尚未派遣"),
    BY_RECORD: ("decided by the component's own record", "按部件权属记录派遣，与方案无关"),
    ENGINE: ("only the decision itself can tell", "须由派遣决策判断"),
    BOUNDARY_ROAD: (
        "on a boundary road: only the decision itself can tell",
        "位于界路，须由派遣决策判断",
    ),
    SAME: ("same unit", "单位不变"),
}
"""Why an open case is not among those that change."""
_QUERY = (
    "SELECT case_id, kind, class_code, reported_at, grid_code, community_code, unit_code, state,"
    " decision, geom FROM cases.\"case\" WHERE state <> 'closed' AND closed_at IS NULL ORDER BY case_id"
)
Drawn = tuple[Plan, gpd.GeoDataFrame]
"""A plan with its areas."""


@dataclass(frozen=True, kw_only=True)
class CaseChange:
    """An open case that would change its owning unit."""

    case_id: str
    kind: str
    class_code: str
    reported_at: str
    grid_code: str | None
    before: str
    after: str
    row_before: str
    """Row of the plan that decided; empty: the territory did."""
    row_after: str


@dataclass(frozen=True, kw_only=True)
class CaseChanges:
    """All open cases."""

    count: int
    changes: tuple[CaseChange, ...]
    others: dict[str, int]
    """Reason, see `REASONS` -> cases that are not among the changes."""


def compare_cases(context: BuildContext, before: Drawn, after: Drawn) -> CaseChanges:
    """Judge every open case by both plans: its decided grid, class, place and time of report.

    What the decision weighs beside the plan (records, candidates, returns) is not judged anew: cases
    whose unit the old plan does not explain are counted, and left to the decision.
    """
    with context.database.connect(read_only=True) as connection:
        cases = read_features(connection, _QUERY, crs=context.crs.text)
    work = _Work(context, before, after)
    found: list[CaseChange] = []
    others: Counter[str] = Counter()
    records = pd.DataFrame(cases).astype(object).to_dict("records")
    for record, chains in zip(records, work.chains(cases), strict=True):
        result = work.judge(record, *chains)
        if isinstance(result, str):
            others[result] += 1
        else:
            found.append(result)
    return CaseChanges(
        count=len(records),
        changes=tuple(found),
        others={reason: others[reason] for reason in REASONS if others[reason]},
    )


class _Work:
    """What all cases are judged with."""

    def __init__(self, context: BuildContext, before: Drawn, after: Drawn) -> None:
        self.before, self.after = before, after
        self.zone = ZoneInfo(context.profile.city.timezone)
        self.order = context.profile.decision.order
        self.directory = context.unit_directory()
        units = context.rows("units").sort_values("code", ascending=False)
        told = units[units["area_code"].notna()]
        self.territorial = dict(zip(told["area_code"], told["code"], strict=True))
        grids = context.rows("unit_grids")
        self.community = dict(zip(grids["code"], grids["community_code"], strict=True))
        areas = context.rows("areas")
        told_parents = areas["parent_code"] if "parent_code" in areas else [None] * len(areas)
        self.parent = dict(zip(areas["code"], told_parents, strict=True))
        self.trades: dict[str, list[str]] = {}
        rows = context.rows("management_grids").sort_values("code")
        for code, members in zip(rows["code"], rows["members"], strict=True):
            for grid in members:
                self.trades.setdefault(grid, []).append(code)

    def chains(self, cases: gpd.GeoDataFrame) -> list[tuple[Chain, Chain, bool]]:
        """Return for each case its chain by either plan, and whether it lies on a boundary road."""
        shapes = cases.geometry.to_numpy()
        parts = [_areas_at(shapes, drawn) for _, drawn in (self.before, self.after)]
        result = []
        codes = zip(cases["grid_code"], cases["community_code"], strict=True)
        for at, (grid, community) in enumerate(codes):
            chain = self._chain(_text(grid), _text(community))
            old, new = (chain._replace(plan_areas=held[at]) for held, _ in parts)
            result.append((old, new, any(roads[at] for _, roads in parts)))
        return result

    def _chain(self, grid: str | None, community: str | None) -> Chain:
        community = community or (self.community.get(grid) if grid else None)
        street = None if community is None else _text(self.parent.get(community)) or community[:9]
        district = None if street is None else _text(self.parent.get(street)) or street[:6]
        trades = tuple(self.trades.get(grid, ())) if grid else ()
        return Chain(grid, community, street, district, management_grids=trades)

    def judge(
        self, case: dict[str, Any], old: Chain, new: Chain, is_shared: bool
    ) -> CaseChange | str:
        """Return what changes, or the reason why nothing is told."""
        unit = _text(case["unit_code"])
        if unit is None:
            return UNDECIDED
        owner = (case["decision"] or {}).get("owner") or {}
        if str(owner.get("rule", "")).startswith("component:"):
            return BY_RECORD
        if is_shared:
            return BOUNDARY_ROAD
        if old.community is None or case["state"] == "returned":
            return ENGINE
        was, row_was = self._owner(self.before[0], case, old)
        now, row_now = self._owner(self.after[0], case, new)
        if was != self.directory.current(unit):
            return ENGINE
        if was == now:
            return SAME
        return CaseChange(
            case_id=str(case["case_id"]),
            kind=str(case["kind"]),
            class_code=str(case["class_code"]),
            reported_at=case["reported_at"].astimezone(self.zone).isoformat(timespec="minutes"),
            grid_code=_text(case["grid_code"]),
            before=was,
            after=now,
            row_before=row_was,
            row_after=row_now,
        )

    def _owner(self, plan: Plan, case: dict[str, Any], chain: Chain) -> tuple[str, str]:
        """Return unit and row of the plan; the territorial unit and no row where it names none."""
        when = case["reported_at"].astimezone(self.zone)
        day, minute = when.month * 100 + when.day, when.hour * 60 + when.minute
        (holding,) = plan.holding(np.array([day]), np.array([minute]))
        kind, code = str(case["kind"]), str(case["class_code"])
        match = owner_of(
            plan,
            kind=kind,
            class_code=code,
            chain=chain,
            holding=holding,
            roles=self.order(kind, code),
        )
        if match is not None:
            return self.directory.current(match.row.unit_code), match.row.code
        for area in chain[:4]:
            unit = self.territorial.get(area)
            if unit is not None:
                return self.directory.current(unit), ""
        return "", ""


def _areas_at(shapes: Any, drawn: gpd.GeoDataFrame) -> tuple[list[tuple[str, ...]], list[bool]]:
    """Return for each point the plan areas that hold it, smallest first, and whether it is on a boundary road."""
    held: list[list[str]] = [[] for _ in shapes]
    roads = [False] * len(shapes)
    if len(drawn) and len(shapes):
        ranked = drawn.assign(size=drawn.geometry.area).sort_values(["size", "code"])
        tree = shapely.STRtree(ranked.geometry.to_numpy())
        there = np.flatnonzero(~shapely.is_missing(shapes))
        case, area = tree.query(shapes[there], predicate="intersects")
        for at, number in sorted(zip(there[case].tolist(), area.tolist(), strict=True)):
            if ranked["kind"].iloc[number] == BOUNDARY:
                roads[at] = True
            else:
                held[at].append(str(ranked["code"].iloc[number]))
    return [tuple(codes) for codes in held], roads


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
