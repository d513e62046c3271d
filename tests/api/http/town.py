"""A small town published to a real database and compiled: what a server under test serves.

A square kilometre from (500000, 4200000) of EPSG:4547: one district, one street, four communities of
500 m; each community has 25 unit grids of 100 m, numbered row by row from its south-west corner.
"""

from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from affine import Affine

from api.compile import compile_snapshot
from gis.database import Database
from gis.raster import write_raster
from gis.workspace import Workspace
from tests.publishing import numbered, publish_drawn

X0, Y0 = 500_000.0, 4_200_000.0
SIZE = 1000
FROM = date(2025, 1, 1)
CRS = "EPSG:4547"
COMMUNITIES = {
    "130102001001": (0, 0, "长安社区"),
    "130102001002": (500, 0, "建设社区"),
    "130102001003": (0, 500, "公园社区"),
    "130102001004": (500, 500, "车站社区"),
}
MIDDLE_GRID = "130102001001013"
"""Grid from (200, 200) to (300, 300) of the first community: row 3, column 3."""
LAMP = "1301020137000001"
"""A street lamp 路灯 at (250, 250), the middle of `MIDDLE_GRID`."""
PHONE = "13800138000"
"""Telephone of the person responsible for the southern management grid."""
POWER, TOWN_HALL = "U-POWER", "U-STREET"


def box(x: float, y: float, wide: float, high: float) -> Any:
    return shapely.box(X0 + x, Y0 + y, X0 + x + wide, Y0 + y + high)


def point(x: float, y: float) -> Any:
    return shapely.Point(X0 + x, Y0 + y)


def areas() -> list[dict[str, Any]]:
    whole = shapely.MultiPolygon([box(0, 0, SIZE, SIZE)])
    rows = [
        {"code": "130102", "level": "district", "name": "长安区", "geometry": whole},
        {"code": "130102001", "level": "street", "name": "建北街道", "geometry": whole},
    ]
    for code, (x, y, name) in COMMUNITIES.items():
        shape = shapely.MultiPolygon([box(x, y, 500, 500)])
        rows.append({"code": code, "level": "community", "name": name, "geometry": shape})
    parents = {6: None, 9: "130102", 12: "130102001"}
    return [
        {**row, "parent_code": parents[len(row["code"])], "area_m2": row["geometry"].area}
        for row in rows
    ]


def unit_grids() -> list[dict[str, Any]]:
    return [
        {
            "code": f"{code}{number + 1:03d}",
            "community_code": code,
            "area_m2": 10_000.0,
            "origin": "divided",
            "initial_date": FROM,
            "geometry": box(x + number % 5 * 100, y + number // 5 * 100, 100, 100),
        }
        for code, (x, y, _) in COMMUNITIES.items()
        for number in range(25)
    ]


def _set(code: str, communities: list[str], **told: Any) -> dict[str, Any]:
    """A set of the unit grids of whole communities."""
    grids = [row for row in unit_grids() if row["community_code"] in communities]
    shapes = [row["geometry"] for row in grids]
    return {
        "code": code,
        "area_code": "130102001",
        "members": [row["code"] for row in grids],
        "unit_code": TOWN_HALL,
        "unit_name": "建北街道办",
        "area_m2": 10_000.0 * len(grids),
        "origin": "delivered",
        "initial_date": FROM,
        "geometry": shapely.MultiPolygon([shapely.union_all(shapes)]),
        **told,
    }


def management_grids() -> list[dict[str, Any]]:
    first, second, third, fourth = COMMUNITIES
    person = {"grid_person": "张三", "grid_phone": PHONE}
    return [
        _set("130102001HW001", [first, second], trade="sanitation", name="南片", **person),
        _set("130102001HW002", [third, fourth], trade="sanitation", name="北片"),
        _set("130102001YL001", list(COMMUNITIES), trade="green", name="全街道"),
    ]


def evaluation_grids() -> list[dict[str, Any]]:
    return [_set("130102001PJ001", list(COMMUNITIES), kind="A", name="建北街道")]


def components() -> list[dict[str, Any]]:
    placed = [(250.0, 250.0), (270.0, 250.0), (750.0, 250.0), (250.0, 750.0)]
    return [
        {
            "code": f"1301020137{number:06d}",
            "class_code": "0137",
            "standard_ref": "GB/T 30428.2-2013",
            "name": "路灯",
            "maintainer_code": POWER,
            "maintainer_name": "供电公司",
            "grid_code": None,
            "condition": "intact",
            "ownership_state": "confirmed",
            "initial_date": FROM,
            "attributes": {},
            "geometry": point(x, y),
        }
        for number, (x, y) in enumerate(placed, start=1)
    ]


def topography() -> list[dict[str, Any]]:
    def feature(code: str, theme: str, klass: str, name: str | None, shape: Any) -> dict[str, Any]:
        return {
            "code": code,
            "theme": theme,
            "feature_class": klass,
            "name": name,
            "attributes": {},
            "geometry": shape,
        }

    def road(code: str, klass: str, name: str, *ends: tuple[float, float]) -> dict[str, Any]:
        shape = shapely.LineString([(X0 + x, Y0 + y) for x, y in ends])
        return feature(code, "transport", klass, name, shape)

    rows = [
        road("R1", "430501", "建设大街", (500, 0), (500, 1000)),
        road("R2", "430502", "裕华路", (0, 500), (1000, 500)),
        road("R3", "430503", "公园巷", (0, 300), (500, 300)),
        feature("W1", "hydrography", "230000", "公园湖", point(150, 850).buffer(70)),
        feature("V1", "vegetation", "820000", "人民公园", box(20, 720, 280, 260)),
    ]
    for number in range(36):
        x, y = 530 + number % 6 * 75, 530 + number // 6 * 75
        rows.append(feature(f"B{number}", "residential", "310300", None, box(x, y, 45, 30)))
    return rows


def place_names() -> list[dict[str, Any]]:
    return [
        {
            "code": code,
            "name": name,
            "pinyin": pinyin,
            "aliases": [],
            "former_names": [],
            "lon": 117.0,
            "lat": 37.9,
            "geometry": point(x, y),
        }
        for code, name, pinyin, x, y in (
            ("P1", "人民公园", "Rénmín Gōngyuán", 160, 850),
            ("P2", "建北小学", "Jiànběi Xiǎoxué", 250, 250),
        )
    ]


def addresses() -> list[dict[str, Any]]:
    """A plate, a school, two shops of one name, two roads that cross, and the areas as places."""

    def place(code: str, kind: str, name: str, shape: Any, **told: Any) -> dict[str, Any]:
        row = {"code": code, "kind": kind, "name": name, "aliases": [], "source": "addresses"}
        levels = {"district": "长安区", "full_address": f"长安区{name}", "geometry": shape}
        return row | levels | told

    crossing = shapely.Point(X0 + 500, Y0 + 500)
    roads = {row["name"]: row["geometry"] for row in topography() if row["code"] in ("R1", "R2")}
    return [
        place("A1", "plate", "裕华路12号", point(620, 520), road="裕华路", plate="12号"),
        place("A2", "poi", "建北小学", point(250, 250), aliases=["建小"]),
        place("A3", "poi", "便民超市", point(100, 900)),
        place("A4", "poi", "便民超市", point(900, 100)),
        place("crossing:1", "poi", "裕华路与建设大街路口", crossing, source="topography"),
        *(place(f"road:{n}", "street", n, shape, road=n) for n, shape in roads.items()),
        *(
            place(f"area:{row['code']}", "area", row["name"], row["geometry"], source="areas")
            for row in areas()
        ),
    ]


def units() -> list[dict[str, Any]]:
    return [
        {"code": POWER, "name": "供电公司", "kind": "company", "aliases": []},
        {
            "code": TOWN_HALL,
            "name": "建北街道办事处",
            "kind": "territorial",
            "area_code": "130102001",
            "aliases": [],
        },
    ]


def plan() -> list[dict[str, Any]]:
    return [
        {
            "code": "1",
            "kind": "component",
            "class_code": "0137",
            "area_code": "*",
            "role": "maintainer",
            "unit_code": POWER,
            "limit_value": 4.0,
            "limit_unit": "working_hour",
        }
    ]


def orthophoto(workspace: Workspace) -> list[dict[str, Any]]:
    """Write a picture of the west half: green in the north, grey in the south, 2 m a pixel."""
    workspace.imagery.mkdir(exist_ok=True)
    pixels = np.full((3, 500, 250), 130, dtype=np.uint8)
    pixels[:, :250] = np.array([60, 140, 60], dtype=np.uint8)[:, None, None]
    transform = Affine(2, 0, X0, 0, -2, Y0 + SIZE)
    write_raster(workspace.imagery / "west.tif", pixels, crs=CRS, transform=transform)
    return [
        {
            "code": "west",
            "name": "西半幅",
            "path": "imagery/west.tif",
            "gsd_m": 2.0,
            "width": 250,
            "height": 500,
            "bands": 3,
            "dtype": "uint8",
            "acquired_on": date(2025, 5, 1),
            "model": "affine",
            "height_source": "none",
            "rmse_m": 0.8,
            "report": {},
            "geometry": shapely.MultiPolygon([box(0, 0, 500, SIZE)]),
        }
    ]


def publish_rows(
    database: Database, dataset: str, rows: list[dict[str, Any]], *, as_of: date = FROM
) -> None:
    frame = pd.DataFrame(rows)
    if "geometry" in frame:
        frame = gpd.GeoDataFrame(frame, geometry="geometry", crs=CRS)
    publish_drawn(database, dataset, numbered(frame, file="town"), as_of=as_of, delivery="town")


def build_town(workspace: Workspace, database: Database) -> Path:
    """Publish the town and compile its snapshot; return the snapshot's folder."""
    for dataset, rows in {
        "areas": areas(),
        "topography": topography(),
        "unit_grids": unit_grids(),
        "place_names": place_names(),
        "units": units(),
        "management_grids": management_grids(),
        "evaluation_grids": evaluation_grids(),
        "responsibility": plan(),
        "addresses": addresses(),
        "components": components(),
        "imagery": orthophoto(workspace),
    }.items():
        publish_rows(database, dataset, rows)
    return compile_snapshot(database, workspace)
