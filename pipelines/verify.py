"""Checks after building: one function each, its docstring the title, its hint the repair."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from gis.builds import live
from gis.database import Database, read_rows
from gis.workspace import Workspace
from gridding.checks import check_coverage

Severity = Literal["error", "warning"]

_SHOWN = 5
_COVERAGE_RULES = (*(f"UG{number:02}" for number in range(1, 10)), "UG17", "UG18", "UG19", "UG28")
"""Rules of ``gridding/rules.csv`` on codes, polygons, communities, overlaps and gaps."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a check found."""

    count: int
    """Number of things wrong; 0: passed."""
    examples: tuple[str, ...] = ()
    """A few of them."""


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """A check that was run."""

    name: str
    title: str
    severity: Severity
    passed: bool
    count: int
    examples: tuple[str, ...]
    hint: str
    """The command that repairs it; empty when there is nothing to repair."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check that can be run."""

    name: str
    severity: Severity
    hint: str
    run: Callable[[Database, Workspace], Finding]

    @property
    def title(self) -> str:
        """First line of the function's docstring."""
        return (self.run.__doc__ or "").strip().splitlines()[0]


CHECKS: list[Check] = []
"""All checks, in the order in which they are run."""

_Run = Callable[[Database, Workspace], Finding]


def check(*, severity: Severity, hint: str) -> Callable[[_Run], _Run]:
    """Register a check under its function's name."""

    def register(run: _Run) -> _Run:
        CHECKS.append(Check(name=run.__name__, severity=severity, hint=hint, run=run))
        return run

    return register


def verify(database: Database, workspace: Workspace) -> list[CheckResult]:
    """Run all checks on the live rows; changes nothing."""
    results = []
    for entry in CHECKS:
        finding = entry.run(database, workspace)
        results.append(
            CheckResult(
                name=entry.name,
                title=entry.title,
                severity=entry.severity,
                passed=finding.count == 0,
                count=finding.count,
                examples=finding.examples,
                hint=entry.hint if finding.count else "",
            )
        )
    return results


def _query(database: Database, query: str, **values: str) -> Finding:
    """Return the rows of a query as a finding; its one column says which things are wrong."""
    with database.connect(read_only=True) as connection:
        rows = read_rows(connection, query, values or None)
    texts = [str(value) for value in rows.iloc[:, 0]] if len(rows) else []
    return Finding(count=len(texts), examples=tuple(texts[:_SHOWN]))


@check(severity="error", hint="wanmi build DELIVERY --only areas, with the missing areas in it")
def every_area_has_its_parent(database: Database, workspace: Workspace) -> Finding:
    """Every street lies in a live district, every community in a live street."""
    del workspace
    return _query(
        database,
        "SELECT a.code FROM grids.area a WHERE a.valid_to IS NULL AND a.parent_code IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM grids.area p WHERE p.valid_to IS NULL"
        " AND p.code = a.parent_code) ORDER BY 1",
    )


@check(severity="error", hint="wanmi grid divide")
def every_community_has_grids(database: Database, workspace: Workspace) -> Finding:
    """Every community has unit grids."""
    del workspace
    return _query(
        database,
        "SELECT a.code FROM grids.area a WHERE a.valid_to IS NULL AND a.level = 'community'"
        " AND NOT EXISTS (SELECT 1 FROM grids.unit_grid g WHERE g.valid_to IS NULL"
        " AND g.community_code = a.code) ORDER BY 1",
    )


@check(severity="error", hint="wanmi grid check")
def grids_cover_their_communities(database: Database, workspace: Workspace) -> Finding:
    """Every community is covered by its unit grids without gaps, overlaps or overhang."""
    areas = live(database, "areas")
    grids = live(database, "unit_grids")
    communities = areas[areas["level"] == "community"]
    faults = check_coverage(grids, communities, code_length=workspace.profile.grid_code_length)
    broken = faults[faults["rule"].isin(_COVERAGE_RULES)]
    return Finding(count=len(broken), examples=tuple(broken["reason_en"].head(_SHOWN)))


@check(severity="error", hint="wanmi grid manage carry")
def sets_are_made_of_live_grids(database: Database, workspace: Workspace) -> Finding:
    """Every management grid and evaluation grid is made of live unit grids."""
    del workspace
    parts = [
        f"SELECT s.code || ' holds ' || m.code AS told FROM {table} s, unnest(s.members) AS m(code)"  # noqa: S608 (fixed names)
        " WHERE s.valid_to IS NULL AND NOT EXISTS (SELECT 1 FROM grids.unit_grid g"
        " WHERE g.valid_to IS NULL AND g.code = m.code)"
        for table in ("grids.management_grid", "grids.evaluation_grid")
    ]
    return _query(database, " UNION ALL ".join(parts) + " ORDER BY 1")


@check(severity="error", hint="wanmi build DELIVERY --only components")
def every_component_has_its_grid(database: Database, workspace: Workspace) -> Finding:
    """Every component names the live unit grid that holds it."""
    del workspace
    return _query(
        database,
        "SELECT c.code FROM components.component c WHERE c.valid_to IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM grids.unit_grid g WHERE g.valid_to IS NULL"
        " AND g.code = c.grid_code AND ST_DWithin(g.geom, c.geom, 0.001)) ORDER BY 1",
    )


@check(severity="error", hint="wanmi build DELIVERY, with the new codes in it")
def no_component_is_live_under_its_former_code(database: Database, workspace: Workspace) -> Finding:
    """No component that got another code is live under the former one as well."""
    del workspace
    return _query(
        database,
        "SELECT r.former_code || ' is now ' || r.code FROM components.recode r"
        " JOIN meta.build b USING (build_id)"
        " JOIN components.component f ON f.code = r.former_code AND f.valid_to IS NULL"
        " JOIN components.component c ON c.code = r.code AND c.valid_to IS NULL"
        " WHERE b.status = 'live' AND r.code <> r.former_code ORDER BY 1",
    )


@check(severity="warning", hint="wanmi build DELIVERY --only units, with the missing units in it")
def owners_are_in_the_directory(database: Database, workspace: Workspace) -> Finding:
    """Every unit code that a component names is in the unit directory."""
    del workspace
    return _query(
        database,
        "SELECT DISTINCT u.code FROM components.component c CROSS JOIN LATERAL"
        " (VALUES (c.competent_code), (c.owner_code), (c.maintainer_code)) AS u(code)"
        " WHERE c.valid_to IS NULL AND u.code IS NOT NULL AND NOT EXISTS (SELECT 1"
        " FROM responsibility.unit d WHERE d.valid_to IS NULL AND d.code = u.code) ORDER BY 1",
    )


@check(severity="error", hint="wanmi build DELIVERY --only units --only responsibility")
def plan_units_exist(database: Database, workspace: Workspace) -> Finding:
    """Every unit that the responsibility plan names is in the unit directory."""
    return _query(
        database,
        "SELECT DISTINCT p.unit_code FROM responsibility.plan_row p WHERE p.valid_to IS NULL"
        # Past its last day a row decides nothing, and may name what is gone with it.
        " AND (p.ends_on IS NULL OR p.ends_on >= (now() AT TIME ZONE %(zone)s)::date)"
        " AND NOT EXISTS (SELECT 1 FROM responsibility.unit u WHERE u.valid_to IS NULL"
        " AND u.code = p.unit_code) ORDER BY 1",
        zone=workspace.profile.city.timezone,
    )


@check(severity="error", hint="wanmi build DELIVERY --only responsibility")
def plan_areas_exist(database: Database, workspace: Workspace) -> Finding:
    """Every area that the responsibility plan names is a live area, grid or plan area."""
    return _query(
        database,
        "SELECT DISTINCT p.area_code FROM responsibility.plan_row p WHERE p.valid_to IS NULL"
        # Past its last day a row decides nothing, and may name what is gone with it.
        " AND (p.ends_on IS NULL OR p.ends_on >= (now() AT TIME ZONE %(zone)s)::date)"
        " AND p.area_code <> '*' AND NOT EXISTS (SELECT 1 FROM grids.area a"
        " WHERE a.valid_to IS NULL AND a.code = p.area_code) AND NOT EXISTS (SELECT 1"
        " FROM grids.unit_grid g WHERE g.valid_to IS NULL AND g.code = p.area_code) AND NOT EXISTS"
        " (SELECT 1 FROM grids.management_grid m WHERE m.valid_to IS NULL AND m.code = p.area_code)"
        " AND NOT EXISTS (SELECT 1 FROM responsibility.plan_area d WHERE d.valid_to IS NULL"
        " AND d.code = p.area_code) ORDER BY 1",
        zone=workspace.profile.city.timezone,
    )


@check(severity="warning", hint="wanmi build DELIVERY --only units, with the territorial units")
def every_community_has_a_territorial_unit(database: Database, workspace: Workspace) -> Finding:
    """Every community has a territorial unit: its own, its street's or its district's."""
    del workspace
    return _query(
        database,
        "SELECT a.code FROM grids.area a WHERE a.valid_to IS NULL AND a.level = 'community'"
        " AND NOT EXISTS (SELECT 1 FROM responsibility.unit u WHERE u.valid_to IS NULL"
        " AND u.kind = 'territorial' AND u.area_code IN"
        " (a.code, left(a.code, 9), left(a.code, 6))) ORDER BY 1",
    )


@check(severity="error", hint="wanmi build DELIVERY --only place_names")
def place_names_are_romanised(database: Database, workspace: Workspace) -> Finding:
    """Every place name has its romanisation."""
    del workspace
    return _query(
        database,
        "SELECT code FROM place_names.place_name WHERE valid_to IS NULL"
        " AND btrim(pinyin) = '' ORDER BY 1",
    )


@check(severity="error", hint="wanmi builds, then wanmi rollback of the build that doubled them")
def no_code_is_live_twice(database: Database, workspace: Workspace) -> Finding:
    """No code has two live versions."""
    del workspace
    tables = (
        "grids.area",
        "grids.unit_grid",
        "grids.management_grid",
        "grids.evaluation_grid",
        "topography.feature",
        "topography.sheet",
        "topography.edge_fault",
        "place_names.place_name",
        "geocoding.place",
        "components.component",
        "responsibility.unit",
        "responsibility.plan_row",
        "imagery.orthophoto",
    )
    parts = [
        f"SELECT '{table} ' || code FROM {table} WHERE valid_to IS NULL GROUP BY code HAVING count(*) > 1"  # noqa: S608 (fixed names)
        for table in tables
    ]
    return _query(database, " UNION ALL ".join(parts))


@check(severity="warning", hint="wanmi assign --stored")
def stored_cases_are_decided(database: Database, workspace: Workspace) -> Finding:
    """Every stored case has its decision."""
    del workspace
    return _query(
        database,
        "SELECT case_id FROM cases.case WHERE decision = '{}'::jsonb ORDER BY reported_at, 1",
    )


@check(severity="warning", hint="wanmi snapshot")
def snapshot_is_of_the_live_builds(database: Database, workspace: Workspace) -> Finding:
    """Snapshot in use holds the newest builds."""
    pointer = workspace.snapshots / "current"
    if not pointer.exists():
        return Finding(count=1, examples=("there is no snapshot",))
    version = pointer.read_text(encoding="utf-8").strip()
    manifest: dict[str, Any] = json.loads(
        (workspace.snapshots / version / "manifest.json").read_text(encoding="utf-8")
    )
    held = {int(build["build_id"]) for build in manifest["builds"]}
    with database.connect(read_only=True) as connection:
        rows = read_rows(
            connection, "SELECT build_id, dataset FROM meta.build WHERE status = 'live' ORDER BY 1"
        )
    absent = [
        f"build {row.build_id} of {row.dataset} is not in it"
        for row in rows.itertuples()
        if row.build_id not in held
    ]
    return Finding(count=len(absent), examples=tuple(absent[:_SHOWN]))
