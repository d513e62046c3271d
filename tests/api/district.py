"""A district drawn by hand: two communities of two unit grids each, values known by looking.

y 200 +--------+--------+
      |  003001 (B1)    |      grids of community 001 are A1 (0..100, 0..100) and A2 (100..200, 0..100),
  100 +--------+--------+      those of community 002 B1 (0..100, 100..200) and B2 (100..200, 100..200)
      |   A1   |   A2   |      origin: (500000, 4200000) of EPSG:4547
    0 +--------+--------+ x
      0       100      200
"""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from api import Snapshot, open_snapshot
from api.compile import CityFacts, write_snapshot
from gis.crs import CityCrs
from gis.workspace import Profile, parse_profile

X0, Y0 = 500_000.0, 4_200_000.0
FROM = date(2025, 1, 1)
CRS_TEXT = "EPSG:4547"
CITY = CityCrs(text=CRS_TEXT, crs=CRS.from_epsg(4547), srid=4547)
PROFILE = '[city]\ncode = "130102"\nname = "石家庄市"\n'

A1, A2 = "130102001001001", "130102001001002"
B1, B2 = "130102001002001", "130102001002002"


def box(x0: float, y0: float, x1: float, y1: float) -> Any:
    return shapely.box(X0 + x0, Y0 + y0, X0 + x1, Y0 + y1)


def point(x: float, y: float) -> Any:
    return shapely.Point(X0 + x, Y0 + y)


def line(*ends: tuple[float, float]) -> Any:
    return shapely.LineString([(X0 + x, Y0 + y) for x, y in ends])


def row(code: str, **values: Any) -> dict[str, Any]:
    return {"code": code, "valid_from": FROM, "valid_to": None, "build_id": 1} | values


def area(code: str, name: str, shape: Any, **values: Any) -> dict[str, Any]:
    level = {6: "district", 9: "street", 12: "community"}[len(code)]
    parent = {"district": None, "street": code[:6], "community": code[:9]}[level]
    told = {
        "level": level,
        "name": name,
        "parent_code": parent,
        "area_m2": shape.area,
        "geometry": shape,
    }
    return row(code, **told | values)


def grid(code: str, shape: Any, **values: Any) -> dict[str, Any]:
    told = {
        "community_code": code[:12],
        "area_m2": shape.area,
        "origin": "delivered",
        "geometry": shape,
    }
    return row(code, **told | {"initial_date": FROM} | values)


def component(code: str, shape: Any, **values: Any) -> dict[str, Any]:
    told = {
        "class_code": code[6:10],
        "standard_ref": "GB/T 30428.2-2013",
        "name": "雨水箅子",
        "condition": "intact",
        "ownership_state": "confirmed",
        "initial_date": FROM,
        "geometry": shape,
        "attributes": {},
    }
    return row(code, **told | values)


def unit(code: str, name: str, kind: str = "company", **values: Any) -> dict[str, Any]:
    return row(code, name=name, kind=kind, **{"aliases": []} | values)


def plan(code: str, role: str, unit_code: str, **values: Any) -> dict[str, Any]:
    told = {
        "kind": "component",
        "class_code": "*",
        "area_code": "*",
        "role": role,
        "unit_code": unit_code,
    }
    return row(code, **told | values)


def plan_area(code: str, shape: Any, **values: Any) -> dict[str, Any]:
    told = {"name": f"区域{code}", "kind": "polygon", "sides": [], "geometry": shape}
    return row(code, **told | values)


def boundary_road(code: str, shape: Any, *sides: str, **values: Any) -> dict[str, Any]:
    told = {"kind": "boundary_road", "sharing": "side", "sides": list(sides)}
    return plan_area(code, shape, **told | values)


def management_grid(code: str, *members: str, **values: Any) -> dict[str, Any]:
    told = {
        "trade": "lighting",
        "name": f"责任网格{code}",
        "area_code": members[0][:12],
        "members": list(members),
        "area_m2": 10_000.0 * len(members),
        "origin": "delivered",
        "initial_date": FROM,
        "geometry": box(0, 0, 200, 200),
    }
    return row(code, **told | values)


def place(code: str, kind: str, name: str, shape: Any, **values: Any) -> dict[str, Any]:
    told = {
        "kind": kind,
        "name": name,
        "aliases": [],
        "full_address": f"长安区{name}",
        "district": "长安区",
        "source": "addresses",
        "community_code": "130102001001",
        "geometry": shape,
    }
    return row(code, **told | values)


AREAS = [
    area("130102", "长安区", box(0, 0, 200, 200)),
    area("130102001", "建北街道", box(0, 0, 200, 200)),
    area("130102001001", "花园社区", box(0, 0, 200, 100)),
    area("130102001002", "平安社区", box(0, 100, 200, 200)),
]
GRIDS = [
    grid(A1, box(0, 0, 100, 100)),
    grid(A2, box(100, 0, 200, 100)),
    grid(B1, box(0, 100, 100, 200)),
    grid(B2, box(100, 100, 200, 200)),
]
UNITS = [
    unit("D1", "长安区政府", "territorial", area_code="130102"),
    unit("S1", "建北街道办", "territorial", area_code="130102001"),
    unit("C1", "花园居委会", "territorial", area_code="130102001001"),
    unit("W1", "排水公司"),
    unit("W2", "自来水公司", aliases=["水司"]),
    unit("G1", "城管局", "department"),
]
BOTH_UNITS = [*UNITS, unit("C2", "平安居委会", "territorial", area_code="130102001002")]
"""With the territorial unit of the northern community too."""


def scattered_components(count: int, *, seed: int) -> list[dict[str, Any]]:
    """So many components of each of two classes anywhere, their owners told in five ways."""
    rng = np.random.default_rng(seed)
    owners: list[dict[str, Any]] = [
        {"maintainer_code": "W1"},
        {"owner_name": "水司"},
        {"owner_name": "无此公司"},
        {"maintainer_code": "W2", "ownership_state": "disputed"},
        {"competent_code": "G1", "ownership_state": "none"},
    ]
    return [
        component(
            f"130102{class_code}{number:06d}",
            point(*rng.uniform(0, 200, 2)),
            **owners[int(rng.integers(len(owners)))],
        )
        for class_code in ("0103", "0104")
        for number in range(count)
    ]


def profile(text: str = PROFILE) -> Profile:
    return parse_profile(text)


def compile_district(
    folder: Path, *, city: Profile | None = None, **tables: list[dict[str, Any]]
) -> Path:
    """Write a snapshot of the district; a table named here replaces the drawn one."""
    rows = {"areas": AREAS, "unit_grids": GRIDS, "units": UNITS} | tables
    frames = {name: pd.DataFrame(records) for name, records in rows.items() if records}
    builds = [{"build_id": 1, "dataset": "unit_grids", "as_of": "2025-01-01"}]
    facts = CityFacts(profile=city or profile(), crs=CITY, builds=builds)
    return write_snapshot(frames, folder, facts=facts)


def open_district(
    folder: Path, *, city: Profile | None = None, **tables: list[dict[str, Any]]
) -> Snapshot:
    return open_snapshot(compile_district(folder, city=city, **tables))
