"""A decision in full: what the arrays of a solution say about one case, with its trace."""

from typing import Any

import numpy as np
import shapely

from api.edition import LEVELS
from api.locate import SOURCES
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
from api.owners import trace_owner
from api.responsibility import tell_boundary, tell_owner, trace_place
from api.solution import Solution
from api.wording import step, told
from gis.crs import GEOGRAPHIC, transform_xy

LEAST_ALTERNATIVE = 0.005
"""Grids and components less probable than this are not listed."""
_SOURCE_ZH = {"component_code": "部件编码", "position": "坐标", "address": "地址"}


def tell(solution: Solution, case: int, *, traced: bool = True) -> Decision:
    """Return the full decision of one case of a solution, with every candidate that was looked at."""
    by_owner = trace_owner(solution.edition, solution.asked[case]) if traced else ()
    component, by_component = _component(solution, case)
    grid, by_grid = _grid(solution, case)
    boundary = tell_boundary(solution, case)
    by_place = trace_place(solution, case, boundary) if traced else ()
    return Decision(
        case_id=solution.questions.case_id[case],
        data_version=solution.edition.snapshot.version,
        location=_location(solution, case),
        grid=grid,
        areas=_areas(solution, case),
        component=component,
        owner=tell_owner(solution, case),
        probability=float(solution.probability[case]),
        boundary=boundary,
        trace=(*_sightings(solution, case), *by_grid, *by_place, *by_component, *by_owner)
        if traced
        else (),
        needs_review=bool(solution.needs_review[case]),
        reasons=solution.reasons_of(case),
    )


def _location(solution: Solution, case: int) -> Location:
    placed, crs = solution.placed, solution.edition.snapshot.crs
    x, y = float(placed.x[case]), float(placed.y[case])
    answer = placed.addresses[case]
    source: Any = placed.source[case]
    address = solution.questions.address[case]
    if answer is not None and source == "address":
        address = answer.full_address
    if not np.isfinite(x):
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
    lon, lat = transform_xy([x], [y], source=crs, target=GEOGRAPHIC)
    return Location(
        lon=float(lon[0]),
        lat=float(lat[0]),
        x=x,
        y=y,
        crs=crs,
        source=source,
        accuracy_m=float(placed.sigma_m[case]),
        address=address,
    )


def _sightings(solution: Solution, case: int) -> list[TraceStep]:
    """Tell of each source whether it was used, and how far the others lie from it."""
    placed, questions = solution.placed, solution.questions
    asked = {
        "component_code": questions.component_code[case],
        "position": None
        if np.isnan(questions.x[case])
        else f"{questions.x[case]:.6f}, {questions.y[case]:.6f} {questions.crs[case]}",
        "address": questions.address[case],
    }
    nothing = {
        "component_code": "located_unknown_component",
        "position": "located_invalid",
        "address": "located_nothing",
    }
    steps = []
    for source in SOURCES:
        if asked[source] is None:
            continue
        label = f"{source}: {asked[source]}"
        sighting = placed.sightings[source]
        if not sighting.known[case]:
            steps.append(step("locate", label, "rejected", told(nothing[source])))
        elif source == placed.source[case]:
            why = told("located", source=source, accuracy_m=placed.sigma_m[case])
            why = (why[0], why[1].replace(source, _SOURCE_ZH[source]))
            steps.append(step("locate", label, "accepted", why))
        else:
            apart = np.hypot(sighting.x[case] - placed.x[case], sighting.y[case] - placed.y[case])
            disagree = any(name.endswith("_disagree") for name in solution.reasons_of(case))
            why = told(
                "located_farther",
                distance_m=apart,
                verdict="they disagree" if disagree else "they agree",
                verdict_zh="两者不符" if disagree else "两者相符",
            )
            steps.append(step("locate", label, "rejected", why))
    return steps


def _grid(solution: Solution, case: int) -> tuple[GridAnswer | None, list[TraceStep]]:
    position = int(solution.grid.position[case])
    if position < 0:
        return None, []
    cells = solution.edition.grids
    share = float(solution.grid_probability[case])
    x, y = solution.placed.x[case], solution.placed.y[case]
    edge_m = float(cells.index.edge_distance([x], [y], [position])[0])
    distance_m = float(solution.grid.distance_m[case])
    first, last = np.searchsorted(solution.shares.point, [case, case + 1])
    others = tuple(
        GridShare(code=cells.codes[other], probability=float(probability))
        for other, probability in zip(
            solution.shares.position[first:last],
            solution.shares.probability[first:last],
            strict=True,
        )
        if other != position and probability >= LEAST_ALTERNATIVE
    )
    if distance_m > 0:
        why = told("grid_nearest", distance_m=distance_m)
    else:
        why = told("grid_inside", share=share, edge_m=edge_m)
    steps = [step("grid", cells.codes[position], "accepted", why)]
    steps += [
        step("grid", other.code, "rejected", told("grid_other", share=other.probability))
        for other in others
    ]
    answer = GridAnswer(
        code=cells.codes[position],
        probability=share,
        edge_distance_m=edge_m,
        distance_m=distance_m,
        on_boundary=bool(solution.grid.on_boundary[case]),
        alternatives=others,
    )
    return answer, steps


def _areas(solution: Solution, case: int) -> Areas:
    found = {}
    for level in LEVELS:
        located, cells = solution.areas[level], solution.edition.areas[level]
        position = located.position[case]
        if position >= 0 and located.distance_m[case] == 0.0:
            found[level] = AreaAnswer(code=cells.codes[position], name=cells.names[position])
    return Areas(**found)


def _component(solution: Solution, case: int) -> tuple[ComponentAnswer | None, list[TraceStep]]:
    matches, snapshot = solution.matches, solution.edition.snapshot
    row, named = int(matches.chosen[case]), int(solution.placed.component[case])
    if row < 0:
        return None, _component_absent(solution, case)
    first, last = np.searchsorted(matches.question, [case, case + 1])
    table = snapshot.table("components")
    codes = table["code"].take(matches.row[first:last]).to_pylist()
    shares = [
        ComponentShare(code=code, distance_m=float(distance_m), probability=float(probability))
        for code, distance_m, probability in zip(
            codes, matches.distance_m[first:last], matches.probability[first:last], strict=True
        )
    ]
    columns = ["code", "class_code", "name", "condition", "x", "y", "geometry"]
    record = table.select(columns).slice(row, 1).to_pylist()[0]
    if named >= 0:
        probability, distance_m = 1.0, _distance(solution, case, record["geometry"])
        steps = [step("component", record["code"], "accepted", told("component_named"))]
    else:
        probability, distance_m = shares[0].probability, shares[0].distance_m
        steps = [
            step(
                "component",
                share.code,
                "rejected" if number else "accepted",
                told(
                    "component_farther" if number else "component_nearest",
                    class_code=record["class_code"],
                    distance_m=share.distance_m,
                    probability=share.probability,
                ),
            )
            for number, share in enumerate(shares)
        ]
    lon, lat = transform_xy([record["x"]], [record["y"]], source=snapshot.crs, target=GEOGRAPHIC)
    answer = ComponentAnswer(
        code=record["code"],
        class_code=record["class_code"],
        name=record["name"],
        distance_m=distance_m,
        probability=probability,
        condition=record["condition"],
        lon=float(lon[0]),
        lat=float(lat[0]),
        alternatives=tuple(s for s in shares[1:] if s.probability >= LEAST_ALTERNATIVE),
    )
    return answer, steps


def _component_absent(solution: Solution, case: int) -> list[TraceStep]:
    class_code = solution.questions.class_code[case]
    reach_m = solution.matches.reach_m[case]
    if np.isnan(reach_m):
        return []
    why = told("component_none", class_code=class_code, reach_m=reach_m, radius_m=reach_m)
    return [step("component", class_code, "rejected", why)]


def _distance(solution: Solution, case: int, wkb: bytes) -> float:
    """Return how far the named component lies from the reported position, 0 when none was reported."""
    position = solution.placed.sightings["position"]
    if not position.known[case]:
        return 0.0
    point = shapely.Point(position.x[case], position.y[case])
    return float(shapely.distance(shapely.from_wkb(wkb), point))
