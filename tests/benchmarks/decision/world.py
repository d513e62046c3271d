"""Cases of a district whose truth is known: where they are, about what, and how they were reported.

The census that the platform sees lacks some components that stand; some classes are told wrong, some
accuracies are stated too good, some codes are mistyped. What is right is what the platform answers
when it is told everything as it is: place, component and class.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from api.edition import Edition
from api.matching.component_index import REMOVED, lay_components
from api.questions import ask_frame
from api.snapshot import Snapshot
from api.solution import Solution, solve

Floats = NDArray[np.float64]

UNKNOWN = 0.04
"""Share of the components that the census does not have."""
WRONG_CLASS = 0.03
"""Share of cases of which another class of the same major class is told."""
WRONG_CODE = 0.03
"""Share of component codes that are those of another component of the class."""
ACCURACIES_M = {
    3.0: 0.15, 5.0: 0.15, 8.0: 0.15, 10.0: 0.15, 15.0: 0.15, 25.0: 0.1, 60.0: 0.075, 150.0: 0.075,
}  # fmt: skip
"""Accuracies that positions state, and how often; the last are those of mobile networks."""
UNSTATED = 0.1
"""Share of positions that state no accuracy."""
FACTORS = {1.0: 0.8, 0.5: 0.05, 2.0: 0.1, 4.0: 0.05}
"""How many times the stated accuracy the error is, and how often."""
EVIDENCE = {"position": 0.62, "both": 0.12, "address": 0.18, "component_code": 0.08}
"""What cases say, and how often; events name no component."""
BESIDE_M, FAR_M = 12.0, 40.0
"""A house is said to be near from the first distance on, and not named from the second on, m."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Answers of the platform and whether they were right; one entry per case."""

    solution: Solution
    evidence: NDArray[np.object_]
    is_component: NDArray[np.bool_]
    true_row: NDArray[np.intp]
    """Row of the component that the case is about; -1: an event, or the census does not have it."""
    grid_right: NDArray[np.bool_]
    component_right: NDArray[np.bool_]
    owner_right: NDArray[np.bool_]
    is_plain: NDArray[np.bool_]
    """What is right is beyond dispute: no conflict of rows, no disputed ownership."""


def judge_cases(snapshot: Snapshot, *, count: int, seed: int) -> Judged:
    """Make cases, have them decided, and say which answers are right."""
    rng = np.random.default_rng(seed)
    known = Edition(snapshot, None)
    table = snapshot.table("components")
    live = snapshot.holding("components", None)
    stands = pc.not_equal(table["condition"].take(live), REMOVED).to_numpy(zero_copy_only=False)
    live = live[stands]
    is_hidden = rng.uniform(size=len(live)) < UNKNOWN
    known.__dict__["component_things"] = lay_components(table, live[~is_hidden])
    truth = _truth(snapshot, live, count=count, rng=rng)
    frame = _reports(snapshot, truth, live[~is_hidden], rng=rng)
    solution = solve(known, ask_frame(snapshot, frame))
    exact = pd.DataFrame(
        {
            "kind": truth["kind"],
            "class_code": truth["class_code"],
            "component_code": truth["code"].where(truth["kind"] == "component"),
            "x": truth["x"],
            "y": truth["y"],
            "crs": "city",
            "accuracy_m": 1e-3,
            "reported_at": frame["reported_at"],
        }
    )
    wanted = solve(snapshot.edition(), ask_frame(snapshot, exact))
    told_class = frame["class_code"].to_numpy() == truth["class_code"].to_numpy()
    hidden = np.isin(truth["row"], live[is_hidden])
    return Judged(
        solution=solution,
        evidence=_evidence(solution),
        is_component=(truth["kind"] == "component").to_numpy(),
        true_row=np.where(told_class & ~hidden, truth["row"], -1),
        grid_right=solution.grid.position == wanted.grid.position,
        component_right=solution.matches.chosen == truth["row"].to_numpy(),
        owner_right=_units(solution) == _units(wanted),
        is_plain=wanted.probability > 0.99,
    )


def _evidence(solution: Solution) -> NDArray[np.object_]:
    names = np.array(["component_code", "position", "address", "none"], dtype=object)
    found: NDArray[np.object_] = names[solution.placed.source_number]
    return found


def _units(solution: Solution) -> NDArray[np.object_]:
    units = [r.unit.code if r.unit else None for r in solution.resolutions]
    return np.array(units, dtype=object)


def _truth(
    snapshot: Snapshot, live: NDArray[np.intp], *, count: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return half components and half events, with their true places."""
    table = snapshot.table("components")
    rows = live[rng.integers(len(live), size=count // 2)]
    part = table.select(["code", "class_code", "geometry"]).take(rows)
    shapes = shapely.from_wkb(part["geometry"].to_numpy())
    lines = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)
    is_line = shapely.get_dimensions(lines) == 1
    lines[is_line] = shapely.line_interpolate_point(
        shapely.line_merge(lines[is_line]), rng.uniform(size=is_line.sum()), normalized=True
    )
    classes = part["class_code"].to_pylist()
    accuracy = {
        code: entry.accuracy_m if (entry := snapshot.taxonomy.get("component", code)) else 10.0
        for code in set(classes)
    }
    survey = (
        rng.normal(size=(len(rows), 2)) * np.array([accuracy[code] for code in classes])[:, None]
    )
    components = pd.DataFrame(
        {
            "kind": "component", "class_code": classes, "code": part["code"].to_pylist(), "row": rows,
            "x": shapely.get_x(shapely.centroid(lines)) + survey[:, 0],
            "y": shapely.get_y(shapely.centroid(lines)) + survey[:, 1],
        }
    )  # fmt: skip
    grids = (
        snapshot.table("unit_grids").select(["geometry"]).take(snapshot.holding("unit_grids", None))
    )
    box = shapely.total_bounds(shapely.from_wkb(grids["geometry"].to_numpy()))
    x, y = rng.uniform(box[0], box[2], 4 * count), rng.uniform(box[1], box[3], 4 * count)
    inside = np.flatnonzero(snapshot.edition().grids.index.locate(x, y).distance_m == 0.0)
    inside = inside[: count - len(rows)]
    kinds = sorted({entry.code for entry in snapshot.taxonomy.all("event")})
    events = pd.DataFrame(
        {
            "kind": "event", "class_code": rng.choice(kinds, len(inside)), "code": None, "row": -1,
            "x": x[inside], "y": y[inside],
        }
    )  # fmt: skip
    return pd.concat([components, events], ignore_index=True)


def _reports(
    snapshot: Snapshot, truth: pd.DataFrame, listed: NDArray[np.intp], *, rng: np.random.Generator
) -> pd.DataFrame:
    """Return how the cases are reported: what is said of the place, and what is said wrong."""
    count = len(truth)
    is_component = (truth["kind"] == "component").to_numpy()
    how = rng.choice(list(EVIDENCE), p=list(EVIDENCE.values()), size=count)
    texts, is_near = _addresses(snapshot, truth)
    how[np.isin(how, ["address", "both"]) & ~is_near] = "position"
    how[(how == "component_code") & ~(is_component & np.isin(truth["row"], listed))] = "position"
    stated = rng.choice(list(ACCURACIES_M), p=list(ACCURACIES_M.values()), size=count)
    is_stated = rng.uniform(size=count) >= UNSTATED
    stated[~is_stated] = rng.choice([6.0, 10.0, 18.0], size=int((~is_stated).sum()))
    error = stated * rng.choice(list(FACTORS), p=list(FACTORS.values()), size=count)
    noise = rng.normal(size=(2, count)) * error
    has_position = np.isin(how, ["position", "both"])
    return pd.DataFrame(
        {
            "kind": truth["kind"],
            "class_code": _told_classes(snapshot, truth, rng),
            "component_code": np.where(how == "component_code", _told_codes(snapshot, truth, listed, rng), None),
            "x": np.where(has_position, truth["x"] + noise[0], np.nan),
            "y": np.where(has_position, truth["y"] + noise[1], np.nan),
            "crs": "city",
            "accuracy_m": np.where(is_stated, stated, np.nan),
            "address": np.where(np.isin(how, ["address", "both"]), texts, None),
            "reported_at": pd.Timestamp("2026-07-01 12:00"),
        }
    )  # fmt: skip


def _addresses(snapshot: Snapshot, truth: pd.DataFrame) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    places = snapshot.table("places").take(snapshot.holding("places", None))
    places = places.filter(pc.equal(places["kind"], "plate"))
    tree = shapely.STRtree(shapely.points(places["x"].to_numpy(), places["y"].to_numpy()))
    points = shapely.points(truth["x"], truth["y"])
    nearest = tree.nearest(points)
    apart_m = shapely.distance(points, tree.geometries[nearest])
    texts = places["full_address"].to_numpy(zero_copy_only=False)[nearest]
    return np.where(apart_m > BESIDE_M, texts + "附近", texts), apart_m <= FAR_M


def _told_classes(
    snapshot: Snapshot, truth: pd.DataFrame, rng: np.random.Generator
) -> NDArray[Any]:
    told = truth["class_code"].to_numpy(dtype=object).copy()
    known = snapshot.edition().component_classes.codes
    wrong = (truth["kind"] == "component").to_numpy() & (rng.uniform(size=len(told)) < WRONG_CLASS)
    for case in np.flatnonzero(wrong):
        others = [code for code in known if code[:2] == told[case][:2] and code != told[case]]
        told[case] = rng.choice(others) if others else told[case]
    return told


def _told_codes(
    snapshot: Snapshot, truth: pd.DataFrame, listed: NDArray[np.intp], rng: np.random.Generator
) -> NDArray[Any]:
    told = truth["code"].to_numpy(dtype=object).copy()
    codes = snapshot.table("components")["code"].to_numpy(zero_copy_only=False)
    classes = snapshot.edition().component_classes.of(listed)
    own = snapshot.edition().component_classes.of(truth["row"].to_numpy())
    for case in np.flatnonzero(rng.uniform(size=len(told)) < WRONG_CODE):
        told[case] = codes[rng.choice(listed[classes == own[case]])] if told[case] else None
    return told
