"""A decision in full: what was found about one case, with its trace."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from api.edition import LEVELS, Edition
from api.models import (
    AreaAnswer,
    Areas,
    ComponentAnswer,
    ComponentShare,
    Decision,
    GridAnswer,
    GridShare,
    Location,
    TraceStep,
)
from api.owning.calibration import calibrate_one
from api.owning.owners import trace_owner
from api.placing.locate import SOURCES
from api.telling.finding import Finding, is_placed
from api.telling.responsibility import (
    code_of,
    component_texts,
    tell_boundary,
    tell_owner,
    trace_place,
)
from api.telling.wording import step, told
from gis.columns import numbers_of
from gis.crs import GEOGRAPHIC, transform_point

LEAST_ALTERNATIVE = 0.005
"""Grids and components less probable than this are not listed."""
_SOURCE_ZH = {"component_code": "部件编码", "position": "坐标", "address": "地址"}
_NOTHING = {
    "component_code": "located_unknown_component",
    "position": "located_invalid",
    "address": "located_nothing",
}
_AREAS_KEPT = 100_000


def tell(finding: Finding, *, traced: bool = True) -> Decision:
    """Return the full decision of one case, with every candidate that was looked at.

    Parameters
    ----------
    finding : Finding
        What was found.
    traced : bool
        Tell the trace; else it is empty.
    """
    grid, component, boundary = _grid(finding), _component(finding), tell_boundary(finding)
    trace: tuple[TraceStep, ...] = ()
    if traced:
        trace = (
            *_trace_sightings(finding),
            *_trace_grid(grid),
            *trace_place(finding, boundary),
            *_trace_component(finding, component),
            *trace_owner(finding.edition, finding.question),
        )
    return Decision(
        case_id=finding.case_id,
        data_version=finding.edition.snapshot.version,
        location=_location(finding),
        grid=grid,
        areas=tell_areas(finding),
        component=component,
        owner=tell_owner(finding),
        probability=finding.probability,
        boundary=boundary,
        trace=trace,
        needs_review=finding.needs_review,
        reasons=finding.reasons,
    )


def _location(finding: Finding) -> Location:
    crs = finding.edition.snapshot.crs
    source: Any = finding.source
    address = finding.address
    if finding.place_found is not None and source == "address":
        address = finding.place_found.full_address
    if not is_placed(finding):
        return Location(
            lon=None,
            lat=None,
            x=None,
            y=None,
            crs=crs,
            source=source,
            accuracy_m=None,
            address=address,
        )
    lon, lat = transform_point(finding.x, finding.y, source=crs, target=GEOGRAPHIC)
    return Location(
        lon=lon,
        lat=lat,
        x=finding.x,
        y=finding.y,
        crs=crs,
        source=source,
        accuracy_m=finding.sigma_m,
        address=address,
    )


def _trace_sightings(finding: Finding) -> Iterator[TraceStep]:
    """Tell of each source whether it was used, and how far the others lie from it."""
    reported = finding.reported
    asked = {
        "component_code": finding.component_code,
        "position": None
        if reported is None
        else f"{reported[0]:.6f}, {reported[1]:.6f} {reported[2]}",
        "address": finding.address,
    }
    for source in SOURCES:
        if asked[source] is None:
            continue
        label = f"{source}: {asked[source]}"
        sighting = finding.sightings.get(source)
        if sighting is None:
            yield step("locate", label, "rejected", told(_NOTHING[source]))
        elif source == finding.source:
            why = told("located", source=source, accuracy_m=finding.sigma_m)
            yield step(
                "locate", label, "accepted", (why[0], why[1].replace(source, _SOURCE_ZH[source]))
            )
        else:
            apart = ((sighting[0] - finding.x) ** 2 + (sighting[1] - finding.y) ** 2) ** 0.5
            disagree = any(name.endswith("_disagree") for name in finding.reasons)
            why = told(
                "located_farther",
                distance_m=apart,
                verdict="they disagree" if disagree else "they agree",
                verdict_zh="两者不符" if disagree else "两者相符",
            )
            yield step("locate", label, "rejected", why)


def _grid(finding: Finding) -> GridAnswer | None:
    position = finding.grid
    if position < 0:
        return None
    cells = finding.edition.grids
    others = []
    for other, probability in finding.shares:
        if other != position and probability >= LEAST_ALTERNATIVE:
            others.append(GridShare(code=cells.codes[other], probability=probability))
    return GridAnswer(
        code=cells.codes[position],
        probability=finding.grid_probability,
        edge_distance_m=finding.edge_distance_m,
        distance_m=finding.grid_distance_m,
        on_boundary=finding.on_boundary,
        alternatives=tuple(others),
    )


def _trace_grid(grid: GridAnswer | None) -> Iterator[TraceStep]:
    if grid is None:
        return
    if grid.distance_m > 0:
        why = told("grid_nearest", distance_m=grid.distance_m)
    else:
        why = told("grid_inside", share=grid.probability, edge_m=grid.edge_distance_m)
    yield step("grid", grid.code, "accepted", why)
    for other in grid.alternatives:
        yield step("grid", other.code, "rejected", told("grid_other", share=other.probability))


def tell_areas(finding: Finding) -> Areas:
    """Return the areas that hold the place."""
    known: dict[tuple[int, ...], Areas] = finding.edition.kept("areas told", dict)
    areas = known.get(finding.areas)
    if areas is None:
        if len(known) >= _AREAS_KEPT:
            known.clear()
        areas = known[finding.areas] = _told_areas(finding)
    return areas


def _told_areas(finding: Finding) -> Areas:
    found = {}
    for level, position in zip(LEVELS, finding.areas, strict=True):
        if position >= 0:
            cells = finding.edition.areas[level]
            found[level] = AreaAnswer(code=cells.codes[position], name=cells.names[position])
    return Areas(**found)


def _component(finding: Finding) -> ComponentAnswer | None:
    row = finding.chosen
    if row < 0:
        return None
    edition = finding.edition
    code, class_code, name, condition = (texts[row] for texts in component_texts(edition))
    x, y = (float(values[row]) for values in component_places(edition))
    if finding.named >= 0:
        shape = edition.snapshot.table("components")["geometry"][row].as_py()
        probability, distance_m = _sure_of_code(finding), _distance(finding, shape)
    else:
        _, distance_m, probability = finding.candidates[0]
    lon, lat = transform_point(x, y, source=edition.snapshot.crs, target=GEOGRAPHIC)
    return ComponentAnswer(
        code=code,
        class_code=class_code,
        name=name,
        distance_m=distance_m,
        probability=probability,
        condition=condition,
        lon=lon,
        lat=lat,
        alternatives=tuple(
            ComponentShare(code=code_of(edition, other), distance_m=metres, probability=share)
            for other, metres, share in finding.candidates[1:]
            if share >= LEAST_ALTERNATIVE
        ),
    )


def _sure_of_code(finding: Finding) -> float:
    """Return how probable it is that a named component is meant: codes are mistyped.

    A position or address that agrees confirms it: another component of the class would hardly lie there.
    """
    sources = {"position", "address"} & finding.sightings.keys()
    if sources and "component_position_disagree" not in finding.reasons:
        return 1.0
    return calibrate_one("component", 1.0, "component_code")


def component_places(edition: Edition) -> tuple[NDArray[np.float64], ...]:
    """Return east and north of the components, by row, m."""
    table = edition.snapshot.table("components")
    return edition.kept(
        "component places", lambda: tuple(numbers_of(table[name], float) for name in ("x", "y"))
    )


def _trace_component(finding: Finding, component: ComponentAnswer | None) -> Iterator[TraceStep]:
    if component is None:
        yield from _trace_none(finding)
        return
    if finding.named >= 0:
        yield step("component", component.code, "accepted", told("component_named"))
        return
    for number, (row, distance_m, probability) in enumerate(finding.candidates):
        line = "component_farther" if number else "component_nearest"
        why = told(
            line,
            class_code=component.class_code,
            distance_m=distance_m,
            probability=probability,
        )
        outcome: Any = "rejected" if number else "accepted"
        yield step("component", code_of(finding.edition, row), outcome, why)


def _trace_none(finding: Finding) -> Iterator[TraceStep]:
    class_code, reach_m = finding.question.class_code, finding.reach_m
    if class_code is not None and reach_m == reach_m:
        why = told("component_none", class_code=class_code, reach_m=reach_m, radius_m=reach_m)
        yield step("component", class_code, "rejected", why)


def _distance(finding: Finding, wkb: bytes) -> float:
    """Return how far the named component lies from the reported position, 0 when none was reported."""
    position = finding.sightings.get("position")
    if position is None:
        return 0.0
    return float(shapely.distance(shapely.from_wkb(wkb), shapely.Point(*position)))
