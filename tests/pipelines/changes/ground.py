"""A small town of two communities whose streets, borders and grids change: its deliveries and its commands."""

import json
from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely import LineString, Polygon, box
from typer.testing import CliRunner

from gis.builds import live
from gis.database import Database, read_rows
from gis.vector import write_vector
from gis.workspace import Workspace
from pipelines.build import build_delivery
from tests.databases import CITY_CODE, CRS
from wanmi import app

EAST, NORTH = 500_000.0, 4_210_000.0
WEST_SIDE, EAST_SIDE, THIRD = "130102001001", "130102001002", "130102001003"
JUNE = date(2027, 6, 1)
PROFILE = f'[city]\ncode = "{CITY_CODE}"\ncrs = "{CRS}"\n'


def land(west: float, east: float, south: float = 0, north: float = 200) -> Polygon:
    return box(EAST + west, NORTH + south, EAST + east, NORTH + north)


def line(*points: tuple[float, float]) -> LineString:
    return LineString([(EAST + x, NORTH + y) for x, y in points])


def squares() -> gpd.GeoDataFrame:
    """Two communities of 2 x 2 hectares each, numbered in reading order."""
    rows = [
        (f"{community}{number:03d}", land(x, x + 100, y, y + 100))
        for community, west in ((WEST_SIDE, 0), (EAST_SIDE, 200))
        for number, (x, y) in enumerate(
            [(west, 100), (west + 100, 100), (west, 0), (west + 100, 0)], start=1
        )
    ]
    codes, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame({"DYWGBSM": codes}, geometry=list(shapes), crs=CRS)


STREETS = [
    ("R1", "430502", line((-10, 100), (410, 100))),
    ("R2", "430503", line((100, -10), (100, 210))),
    ("R3", "430503", line((300, -10), (300, 210))),
]


def deliver(
    folder: Path,
    *,
    day: date,
    communities: dict[str, Polygon] | None = None,
    features: list[tuple[str, str, shapely.Geometry]] | None = None,
    grids: gpd.GeoDataFrame | None = None,
    components: gpd.GeoDataFrame | None = None,
) -> Path:
    """Write a delivery of whatever is given."""
    folder.mkdir()
    text = f'[delivery]\nname = "{folder.name}"\nas_of = {day}\n'
    layers: dict[str, list[gpd.GeoDataFrame]] = {"areas": [], "topography": [], "unit_grids": []}
    if communities is not None:
        whole = shapely.union_all(list(communities.values()))
        codes = ["130102", *sorted({code[:9] for code in communities}), *communities]
        shapes = [whole] * (len(codes) - len(communities)) + list(communities.values())
        names = [f"区{code}" for code in codes]
        layers["areas"].append(
            gpd.GeoDataFrame({"XZQDM": codes, "XZQMC": names}, geometry=shapes, crs=CRS)
        )
    for dimension in (1, 2):
        rows = [row for row in features or [] if row[2].area * (3 - 2 * dimension) <= 0]
        rows = [row for row in rows if shapely.get_dimensions(row[2]) == dimension]
        if rows:
            codes, classes, shapes = zip(*rows, strict=True)
            layers["topography"].append(
                gpd.GeoDataFrame({"OBJID": codes, "FCODE": classes}, geometry=list(shapes), crs=CRS)
            )
    if grids is not None:
        layers["unit_grids"].append(grids)
    for dataset, frames in layers.items():
        for number, frame in enumerate(frames):
            path = f"{dataset}{number}.gpkg"
            write_vector(frame, folder / path)
            text += f'[[layer]]\ndataset = "{dataset}"\npath = "{path}"\n'
    (folder / "delivery.toml").write_text(text)
    return folder


def run(town: Workspace, *arguments: str, fails: bool = False) -> dict:
    result = CliRunner().invoke(
        app,
        ["-w", str(town.root), "grid", *arguments, "--json"],
        env={"WANMI_DATABASE_URL": town.settings.database_url},
    )
    assert (result.exit_code != 0) == fails, (result.output, result.exception)
    return json.loads(result.stdout) if result.stdout else {"error": result.exception}


def grids_of(database: Database, **options) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(live(database, "unit_grids", **options)).set_index("code")


def table(database: Database, name: str) -> pd.DataFrame:
    with database.connect(read_only=True) as connection:
        return read_rows(connection, f"SELECT * FROM grids.{name} ORDER BY 1")


def assert_tiles(grids: gpd.GeoDataFrame, area_m2: float = 80_000) -> None:
    assert shapely.coverage_is_valid(grids.geometry.to_numpy())
    assert grids.geometry.area.sum() == pytest.approx(area_m2, abs=0.01)


def renew_streets(town: Workspace, folder: Path, *more: tuple[str, str, shapely.Geometry]) -> None:
    build_delivery(deliver(folder, day=JUNE, features=[*STREETS, *more]), workspace=town)


MAIN_ROAD = ("R9", "430501", line((-10, 160), (200, 160)))
