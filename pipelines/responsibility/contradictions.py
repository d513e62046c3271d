"""Where the records of components and a plan name different units: for the city to mend, not for review.

A decision takes the record, and tells the plan's unit beside it. Whether the plan's row or the records
are out of date is not said of each case anew, but once, of all components alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from census.plan.chains import Chain
from census.plan.coverage import TERRITORIAL
from census.plan.moments import Condition, Moments
from census.plan.search import Match, Plan
from census.units import UnitDirectory
from gis.database import read_rows
from pipelines.context import BuildContext
from pipelines.responsibility.places import chain_of, parents_of, trades_of
from pipelines.responsibility.plan_areas import BOUNDARY

OWN_ROLES = ("maintainer", "owner", "competent")
"""Roles that a component's record names units for."""
_SHOWN_CODES = 3
_EVERYWHERE = Chain()


@dataclass(frozen=True, kw_only=True)
class Contradiction:
    """Components of a class whose records name another unit than the plan, in one role."""

    class_code: str
    role: str
    unit_code: str
    """Unit of the records, as it is called now; it gets the cases."""
    plan_unit_code: str
    """Unit that the plan names in the same role."""
    rows: tuple[str, ...]
    """Rows of the plan that name it."""
    areas: tuple[str, ...]
    """Communities in which the components lie."""
    components: int
    examples: tuple[str, ...]
    """The first of their codes."""
    times: tuple[Condition, ...]
    """When; one ``(None, None)``: always."""


def find_contradictions(
    context: BuildContext, plan: Plan, *, drawn: gpd.GeoDataFrame
) -> list[Contradiction]:
    """Return where live components and a plan name different units, the most components first.

    A component counts in the first role, as the city orders them before the territory, in which its
    record leads to a unit of the directory. Components without an owner, and disputed ones, are told
    elsewhere.

    Parameters
    ----------
    context : BuildContext
        Components, units, areas, grids.
    plan : Plan
        The plan.
    drawn : geopandas.GeoDataFrame
        Areas that it draws.
    """
    if not context.database.url:
        return []
    work = _Work(context, plan)
    found: dict[tuple[str, str, str, str], list[tuple[Any, str, int]]] = {}
    for group in _groups(context, plan, drawn):
        for role, unit, match, bits in work.contradicting(group):
            plan_unit = work.directory.current(match.row.unit_code)
            key = (str(group["class_code"]), role, unit, plan_unit)
            found.setdefault(key, []).append((group, match.row.code, bits))
    told = [_told(key, parts, work.moments) for key, parts in found.items()]
    return sorted(told, key=lambda each: (-each.components, each.class_code, each.unit_code))


def _told(
    key: tuple[str, str, str, str], parts: list[tuple[Any, str, int]], moments: Moments
) -> Contradiction:
    class_code, role, unit, plan_unit = key
    bits = 0
    for _, _, own in parts:
        bits |= own
    groups = {group["number"]: group for group, _, _ in parts}
    codes = sorted(code for group in groups.values() for code in group["codes"])
    return Contradiction(
        class_code=class_code,
        role=role,
        unit_code=unit,
        plan_unit_code=plan_unit,
        rows=tuple(sorted({row for _, row, _ in parts})),
        areas=tuple(sorted({group["community_code"] or "" for group in groups.values()} - {""})),
        components=sum(int(group["components"]) for group in groups.values()),
        examples=tuple(codes[:_SHOWN_CODES]),
        times=tuple(moments.told(bits)),
    )


class _Work:
    """What all groups of components are judged with."""

    def __init__(self, context: BuildContext, plan: Plan) -> None:
        self.plan = plan
        self.moments = Moments(plan.conditions)
        self.directory: UnitDirectory = context.unit_directory()
        self.order = context.profile.decision.order
        self.parents = parents_of(context.rows("areas"))
        self.trades = trades_of(context.rows("management_grids"), plan.areas)

    def contradicting(self, group: Mapping[str, Any]) -> Iterator[tuple[str, str, Match, int]]:
        """Yield role, the record's unit, the plan's row and when, where they differ."""
        named = self._recorded(group)
        if named is None:
            return
        role, unit = named
        open_bits = self.moments.full
        every = b"\1" * len(self.plan.conditions)
        class_code, chain = str(group["class_code"]), self._chain(group)
        matches = self.plan.search("component", role, class_code, chain, every)
        for _, equals in groupby(matches, key=lambda match: match.specificity):
            held = [(match, self._bits(match) & open_bits) for match in equals]
            same = 0
            for match, bits in held:
                if self.directory.current(match.row.unit_code) == unit:
                    same |= bits
            for match, bits in held:
                open_bits &= ~bits
                if bits & ~same:
                    yield role, unit, match, bits & ~same

    def _bits(self, match: Match) -> int:
        return self.moments.bits(match.row.season or None, match.row.hours or None)

    def _recorded(self, group: Mapping[str, Any]) -> tuple[str, str] | None:
        """Return role and unit that the record leads to before the territory is asked."""
        for role in self.order("component", str(group["class_code"])):
            if role == TERRITORIAL:
                return None
            if role not in OWN_ROLES:
                continue
            code = self.directory.find(group[f"{role}_code"], group[f"{role}_name"]).code
            if code is not None:
                return role, self.directory.current(code)
        return None

    def _chain(self, group: Mapping[str, Any]) -> Chain:
        community, grid = group["community_code"], group["grid_code"]
        plan_areas = tuple(group["drawn"] or ())
        if not community:
            return _EVERYWHERE._replace(plan_areas=plan_areas)
        own = chain_of(
            self.parents, community, grid=grid, trades=self.trades.get(grid, ()) if grid else ()
        )
        return own._replace(plan_areas=plan_areas)


_COLUMNS = ", ".join(f"c.{role}_{part}" for role in OWN_ROLES for part in ("code", "name"))
_QUERY = f"""
WITH drawn AS MATERIALIZED (
    SELECT t.code, t.place, ST_SetSRID(ST_GeomFromWKB(t.shape), %(srid)s) AS geom
    FROM unnest(%(codes)s::text[], %(places)s::int[], %(shapes)s::bytea[]) AS t (code, place, shape)
), located AS (
    SELECT c.code, c.class_code, c.community_code,
        CASE WHEN %(by_grid)s THEN c.grid_code END AS grid_code, {_COLUMNS},
        (SELECT array_agg(d.code ORDER BY d.place) FROM drawn AS d
         WHERE ST_Intersects(d.geom, ST_PointOnSurface(c.geom))) AS drawn
    FROM components.component AS c
    WHERE c.valid_to IS NULL AND c.condition <> 'removed'
        AND c.ownership_state NOT IN ('none', 'disputed')
)
SELECT c.class_code, c.community_code, c.grid_code, {_COLUMNS}, c.drawn,
    count(*) AS components, (array_agg(c.code ORDER BY c.code))[1:{_SHOWN_CODES}] AS codes
FROM located AS c GROUP BY c.class_code, c.community_code, c.grid_code, {_COLUMNS}, c.drawn
ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9
"""  # noqa: S608 (own words)


def _groups(
    context: BuildContext, plan: Plan, drawn: gpd.GeoDataFrame
) -> Sequence[Mapping[str, Any]]:
    """Return live components counted by class, place and what their records say."""
    named = {row.area_code for row in plan.rows if row.kind == "component"}
    own = drawn[drawn["kind"].ne(BOUNDARY) & drawn["code"].isin(named)]
    own = own.assign(size=own.geometry.area).sort_values(["size", "code"])
    grids = {*context.rows("unit_grids")["code"], *context.rows("management_grids")["code"]}
    values = {
        "srid": context.database.srid,
        "codes": own["code"].tolist(),
        "places": list(range(len(own))),
        "shapes": shapely.to_wkb(own.geometry.to_numpy()).tolist(),
        "by_grid": bool(named & grids),
    }
    with context.database.connect(read_only=True) as connection:
        rows = read_rows(connection, _QUERY, values)
    plain: pd.DataFrame = rows.astype(object).where(rows.notna(), None)
    return [
        {str(name): value for name, value in row.items()} | {"number": number}
        for number, row in enumerate(plain.to_dict("records"))
    ]
