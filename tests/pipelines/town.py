"""A town of two communities and four grids, small enough to work every answer out by hand.

0        100       200       300       400   east of X0, m
+---------+---------+---------+---------+ 200
|   A1    |   A2    |   B1    |   B2    |
+---------+---------+---------+---------+ 0   north of Y0
 community A         community B
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from shapely import LineString, Point, Polygon, box

from gis.crs import city_crs
from gis.database import Database
from gis.settings import Settings
from gis.vector import write_vector
from gis.workspace import Workspace, parse_profile
from pipelines.build import BuildOptions, build_delivery
from pipelines.context import BuildContext, References
from pipelines.delivery import Delivery
from pipelines.reports import DatasetReport

CRS = "EPSG:4547"
X0, Y0 = 540_000.0, 4_214_000.0
DISTRICT, STREET = "130102", "130102001"
COMMUNITY_A, COMMUNITY_B = "130102001001", "130102001002"
GRIDS = ("130102001001001", "130102001001002", "130102001002001", "130102001002002")
AS_OF = date(2026, 5, 31)


def at(east: float, north: float) -> Point:
    """A point of the town."""
    return Point(X0 + east, Y0 + north)


def rectangle(west: float, south: float, east: float, north: float) -> Polygon:
    return box(X0 + west, Y0 + south, X0 + east, Y0 + north)


def line(*points: tuple[float, float]) -> LineString:
    return LineString([(X0 + east, Y0 + north) for east, north in points])


def frame(rows: Sequence[Mapping[str, Any]], *, file: str = "a.shp") -> gpd.GeoDataFrame:
    """Delivered rows after field mapping."""
    table = pd.DataFrame(list(rows))
    table["source_file"], table["source_row"] = file, range(1, len(table) + 1)
    if "geometry" not in table:
        return table  # type: ignore[return-value]
    return gpd.GeoDataFrame(table, geometry="geometry", crs=CRS)


def areas() -> gpd.GeoDataFrame:
    rows = [
        (DISTRICT, "长安区", rectangle(0, 0, 400, 200)),
        (STREET, "建北街道", rectangle(0, 0, 400, 200)),
        (COMMUNITY_A, "翠屏社区", rectangle(0, 0, 200, 200)),
        (COMMUNITY_B, "槐底社区", rectangle(200, 0, 400, 200)),
    ]
    return gpd.GeoDataFrame(rows, columns=["XZQDM", "XZQMC", "geometry"], crs=CRS)


def live_areas() -> gpd.GeoDataFrame:
    levels = {6: "district", 9: "street", 12: "community"}
    result = areas().rename(columns={"XZQDM": "code", "XZQMC": "name"})
    return result.assign(level=result["code"].str.len().map(levels))


def grids() -> gpd.GeoDataFrame:
    shapes = [rectangle(west, 0, west + 100, 200) for west in (0, 100, 200, 300)]
    rows = {"DYWGBSM": GRIDS, "CSRQ": "20260101"}
    return gpd.GeoDataFrame(rows, geometry=shapes, crs=CRS)


def live_grids() -> gpd.GeoDataFrame:
    result = grids().rename(columns={"DYWGBSM": "code"})
    return result.assign(community_code=result["code"].str[:12])


def nothing(*columns: str) -> gpd.GeoDataFrame:
    """A dataset of which nothing is live yet."""
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=CRS), crs=CRS)


def context(root: Path, **judged: pd.DataFrame) -> BuildContext:
    """What a transform sees: areas and grids of the town, and what else is given."""
    profile = parse_profile(f'[city]\ncode = "{DISTRICT}"\ncrs = "{CRS}"\n')
    references: dict[str, pd.DataFrame] = {
        "areas": live_areas(),
        "unit_grids": live_grids(),
        "topography": nothing("code", "feature_class", "name", "source_file", "source_row"),
        "place_names": nothing(
            "code",
            "name",
            "category_code",
            "area_code",
            "aliases",
            "former_names",
            "former_spans",
            "source",
        ),
        "units": pd.DataFrame(
            {"code": ["U1", "U2"], "name": ["排水公司", "路灯处"], "successor_code": None}
        ),
        "management_grids": nothing("code", "name", "area_code", "members"),
        "plan_areas": nothing("code", "name", "kind"),
    }
    return BuildContext(
        workspace=Workspace(root=root, profile=profile, settings=Settings()),
        database=Database(url="", crs=CRS, srid=4547),
        crs=city_crs(profile, root),
        profile=profile,
        as_of=AS_OF,
        delivery=Delivery(name="town", as_of=AS_OF, root=root, layers=()),
        references=References(None, judged=references | judged),
    )


def rules_of(faults: pd.DataFrame) -> list[tuple[int, str]]:
    """Row number and rule of each fault."""
    return list(zip(faults["source_row"], faults["rule"], strict=True))


def toml(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def write_manifest(
    folder: Path, layers: Sequence[Mapping[str, Any]], *, name: str = "town", as_of: date = AS_OF
) -> Path:
    """Write ``delivery.toml``; a nested mapping becomes a table of its layer."""
    lines = ["[delivery]", f"name = {toml(name)}", f"as_of = {toml(as_of)}"]
    for layer in layers:
        lines.append("[[layer]]")
        lines += [
            f"{key} = {toml(value)}"
            for key, value in layer.items()
            if not isinstance(value, Mapping)
        ]
        for key, table in layer.items():
            if isinstance(table, Mapping):
                lines.append(f"[layer.{key}]")
                lines += [f"{name} = {toml(value)}" for name, value in table.items()]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "delivery.toml").write_text("\n".join(lines), encoding="utf-8")
    return folder


AREAS_LAYER = {"dataset": "areas", "path": "areas.gpkg"}
GRIDS_LAYER = {"dataset": "unit_grids", "path": "grids.gpkg"}
ROADS_LAYER = {"dataset": "topography", "path": "roads.shp"}


def roads() -> gpd.GeoDataFrame:
    rows = [
        ("T1", "430501", "裕华路", 30.0, line((0, 100), (400, 100))),
        ("T2", "430502", "建设大街", 20.0, line((200, 0), (200, 200))),
    ]
    return gpd.GeoDataFrame(rows, columns=["OBJID", "FCODE", "NAME", "WIDTH", "geometry"], crs=CRS)


def components() -> gpd.GeoDataFrame:
    """Three drain grates: in A1, in B1, and on the edge of A1 and A2."""
    rows = [
        ("1301020104000001", at(50, 50)),
        ("1301020104000002", at(250, 50)),
        ("1301020104000003", at(100, 50)),
    ]
    table = gpd.GeoDataFrame(rows, columns=["ObjID", "geometry"], crs=CRS)
    return table.assign(
        ObjName="雨水箅子",
        DeptName1="城管局",
        ObjState="完好",
        ORDate="20260101",
        DataSource="实测",
    )


COMPONENTS_LAYER = {"dataset": "components", "path": "雨水箅子.shp", "class_code": "0104"}


def write_town(folder: Path, *, as_of: date = AS_OF, name: str = "town") -> Path:
    """A delivery of areas, grids, roads and components."""
    folder.mkdir(parents=True, exist_ok=True)
    write_vector(areas(), folder / "areas.gpkg", layer="areas")
    write_vector(grids(), folder / "grids.gpkg", layer="grids")
    write_vector(roads(), folder / "roads.shp", encoding="gb18030")
    write_vector(components(), folder / "雨水箅子.shp", encoding="gb18030")
    layers = [AREAS_LAYER, GRIDS_LAYER, ROADS_LAYER, COMPONENTS_LAYER]
    return write_manifest(folder, layers, as_of=as_of, name=name)


def rewrite(folder: Path, name: str, frame: gpd.GeoDataFrame) -> None:
    """Put another shapefile in the place of one of the delivery."""
    for part in folder.glob(f"{name}.*"):
        part.unlink()
    write_vector(frame, folder / f"{name}.shp", encoding="gb18030")


def build(folder: Path, workspace: Workspace, **options: Any) -> dict[str, DatasetReport]:
    """Build a delivery and return the reports by dataset."""
    reports = build_delivery(
        folder, workspace=workspace, options=BuildOptions(actor="t", **options)
    )
    return {report.dataset: report for report in reports}
