"""A seeded city for measuring: jittered unit grids, components, plan, units, door plates."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from api.compile import CityFacts, write_snapshot
from gis.crs import CityCrs
from gis.workspace import parse_profile

X0, Y0 = 500_000.0, 4_200_000.0
CELL_M = 100.0
COMMUNITY = 10
"""Unit grids along a side of a community."""
STREET = 10
"""Communities of a street, in a row; more in a city of over 900 streets."""
EVENTS = ("0103", "0105", "0201", "0301", "0401")
CLASSES = ("0101", "0102", "0104", "0137", "0402", "0110", "0138", "0206")
_EDGE_POINTS = 5
_FROM = date(2025, 1, 1)
_VERSION = {"valid_from": _FROM, "valid_to": None, "build_id": 1}


@dataclass(frozen=True, kw_only=True)
class City:
    """Frames of the city and the folder it was compiled to."""

    folder: Path
    grids: pd.DataFrame
    components: pd.DataFrame
    places: pd.DataFrame
    side_m: float


def make_city(folder: Path, *, grids: int, components: int, places: int, seed: int = 1) -> City:
    """Compile a square city of about so many grids, components and door plates."""
    rng = np.random.default_rng(seed)
    side = max(COMMUNITY, round(np.sqrt(grids) / COMMUNITY) * COMMUNITY)
    shapes = cells(side, rng)
    codes, communities = codes_of(side)
    grid_frame = _frame(
        code=codes, community_code=communities, area_m2=shapely.area(shapes), origin="divided",
        initial_date=_FROM, geometry=shapes,
    )  # fmt: skip
    component_frame = _components(components, side * CELL_M, rng)
    place_frame = _places(places, side * CELL_M)
    frames = {
        "areas": areas_of(grid_frame),
        "unit_grids": grid_frame,
        "components": component_frame,
        "units": _units(communities),
        "responsibility": _plan(sorted({code[:9] for code in communities})),
        "places": place_frame,
    }
    profile = parse_profile('[city]\ncode = "130102"\nname = "石家庄市"\n')
    crs = CityCrs(text="EPSG:4547", crs=CRS.from_epsg(4547), srid=4547)
    version = write_snapshot(frames, folder, facts=CityFacts(profile=profile, crs=crs))
    return City(
        folder=version,
        grids=grid_frame,
        components=component_frame,
        places=place_frame,
        side_m=side * CELL_M,
    )


def make_cases(city: City, *, count: int, seed: int = 2) -> pd.DataFrame:
    """Return cases as they come in: 60 % about components near by, 40 % events, 5 % with faults.

    The faults: no position, an unknown class, a position out of town, an accuracy that is none.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(city.components), size=count)
    accuracy_m = rng.choice([2.0, 5.0, 10.0], size=count)
    is_event = rng.uniform(size=count) < 0.4
    own = city.components["class_code"].to_numpy(dtype=object)[chosen]
    events = np.array(EVENTS, dtype=object)[rng.integers(len(EVENTS), size=count)]
    shapes = city.components["geometry"].to_numpy()[chosen]
    x = shapely.get_x(shapes) + rng.normal(size=count) * accuracy_m
    y = shapely.get_y(shapes) + rng.normal(size=count) * accuracy_m
    class_code = np.where(is_event, events, own)
    fault = np.where(rng.uniform(size=count) < 0.05, rng.integers(4, size=count), -1)
    x[fault == 0] = np.nan
    class_code[fault == 1] = "9999"
    y[fault == 2] += 2 * city.side_m
    accuracy_m[fault == 3] = -1.0
    minutes = rng.integers(365 * 1440, size=count).astype("timedelta64[m]")
    return pd.DataFrame(
        {
            "kind": np.where(is_event, "event", "component"),
            "class_code": class_code,
            "x": x,
            "y": y,
            "crs": "city",
            "accuracy_m": accuracy_m,
            "reported_at": np.datetime64("2026-01-01T00:00", "us") + minutes,
        }
    )


def _frame(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns | _VERSION)


def cells(side: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return cells of a jittered lattice whose shared edges bend in the same points."""
    steps = side * _EDGE_POINTS + 1
    axis = np.arange(steps) * (CELL_M / _EDGE_POINTS)
    xs, ys = np.meshgrid(X0 + axis, Y0 + axis)
    xs += rng.uniform(-6, 6, xs.shape)
    ys += rng.uniform(-6, 6, ys.shape)
    n = _EDGE_POINTS
    ring = (
        [(0, k) for k in range(n)]
        + [(k, n) for k in range(n)]
        + [(n, n - k) for k in range(n)]
        + [(n - k, 0) for k in range(n)]
    )
    corner = np.array([*ring, ring[0]])
    c = np.arange(side)[:, None] * n + corner[None, :, 1]
    lines = []
    for row in range(side):
        r = np.broadcast_to(row * n + corner[None, :, 0], c.shape)
        lines.append(shapely.polygons(np.stack([xs[r, c], ys[r, c]], axis=2)))
    polygons: NDArray[Any] = np.concatenate(lines)
    return polygons


def codes_of(side: int) -> tuple[list[str], list[str]]:
    """Return code and community of each cell, row by row from the south."""
    rows, columns = np.divmod(np.arange(side * side), side)
    community = (rows // COMMUNITY) * (side // COMMUNITY) + columns // COMMUNITY
    inside = (rows % COMMUNITY) * COMMUNITY + columns % COMMUNITY + 1
    street = max(STREET, -(-(int(community.max()) + 1) // 900))
    communities = [f"130102{c // street + 1:03d}{c % street + 1:03d}" for c in community.tolist()]
    codes = [f"{c}{n:03d}" for c, n in zip(communities, inside.tolist(), strict=True)]
    return codes, communities


def areas_of(grids: pd.DataFrame) -> pd.DataFrame:
    """Return district, streets and communities that the cells make up."""
    rows = []
    for level, digits in (("district", 6), ("street", 9), ("community", 12)):
        for code, parts in grids.groupby(grids["community_code"].str[:digits])["geometry"]:
            shape = shapely.coverage_union_all(parts.to_numpy())
            parent = {"district": None, "street": code[:6], "community": code[:9]}[level]
            rows.append((code, level, f"区域{code}", parent, shape.area, shape))
    names = ("code", "level", "name", "parent_code", "area_m2", "geometry")
    return _frame(**dict(zip(names, (list(c) for c in zip(*rows, strict=True)), strict=True)))


def _components(count: int, side_m: float, rng: np.random.Generator) -> pd.DataFrame:
    class_codes = np.array(CLASSES)[rng.integers(len(CLASSES), size=count)]
    return _frame(
        code=[f"130102{c}{n:06d}" for n, c in enumerate(class_codes.tolist())],
        class_code=class_codes,
        standard_ref="GB/T 30428.2-2013",
        name="部件",
        condition="intact",
        ownership_state="confirmed",
        initial_date=_FROM,
        maintainer_code=[f"W{n}" for n in rng.integers(12, size=count)],
        attributes="{}",
        geometry=shapely.points(
            X0 + rng.uniform(0, side_m, count), Y0 + rng.uniform(0, side_m, count)
        ),
    )


def _units(communities: list[str]) -> pd.DataFrame:
    areas = sorted({code[:9] for code in communities} | {"130102"})
    codes = [f"W{number}" for number in range(10)] + [f"T{area}" for area in areas]
    return _frame(
        code=codes,
        name=[f"单位{code}" for code in codes],
        kind=["company"] * 10 + ["territorial"] * len(areas),
        area_code=[None] * 10 + areas,
    )


def _plan(streets: list[str]) -> pd.DataFrame:
    """Return a plan: units by class, sanitation by street, another unit at night and in winter."""
    everywhere = ("*", None, None)
    rows: list[tuple[str | None, ...]] = [
        ("component", code, "competent", f"W{n % 10}", *everywhere)
        for n, code in enumerate(CLASSES)
    ]
    rows += [
        ("event", "01", "handler", "W1", *everywhere),
        ("event", "*", "handler", "W2", *everywhere),
        ("event", "03", "handler", "W3", "*", None, "22:00/06:00"),
        ("event", "04", "handler", "W4", "*", "11-15/03-15", None),
    ]
    rows += [
        ("event", "01", "territorial", f"W{n % 10}", street, None, None)
        for n, street in enumerate(streets)
    ]
    kinds, classes, roles, units, areas, seasons, hours = (
        list(column) for column in zip(*rows, strict=True)
    )
    return _frame(
        code=[str(number) for number in range(len(rows))], kind=kinds, class_code=classes, role=roles,
        unit_code=units, area_code=areas, season=seasons, hours=hours, limit_value=4.0,
        limit_unit="working_hour",
    )  # fmt: skip


def _places(count: int, side_m: float) -> pd.DataFrame:
    """Return door plates along parallel streets, 500 a street."""
    number = np.arange(count)
    street, plate = np.divmod(number, 500)
    heads, tails = "中平建裕和长安友谊光明胜利", "山阳华府宁康泰丰盛昌"
    roads = [
        f"{heads[s % 13]}{tails[s // 13 % 10]}{tails[s // 130 % 10]}路" for s in street.tolist()
    ]
    plates = [f"{n + 1}号" for n in plate.tolist()]
    names = [f"长安区{road}{number}" for road, number in zip(roads, plates, strict=True)]
    return _frame(
        code=[f"P{n}" for n in number.tolist()],
        kind="plate",
        name=plates,
        full_address=names,
        district="长安区",
        road=roads,
        plate=plates,
        source="addresses",
        geometry=shapely.points(X0 + plate * side_m / 500, Y0 + (street * 40.0) % side_m),
    )
