"""What two teams of one town hand in, and what became of it."""

from datetime import date
from pathlib import Path

import geopandas as gpd
import pandas as pd

from census.conflicts import read_conflicts
from gis.builds import live
from gis.vector import write_vector
from tests.pipelines.town import COMPONENTS_LAYER, components, write_manifest

ONE, TWO, THREE = (f"130102010400000{number}" for number in (1, 2, 3))
FOUR = "1301020104000004"
JUNE = date(2026, 6, 30)


def team(folder: Path, rows: gpd.GeoDataFrame, *, base=None, as_of=JUNE, **layer) -> Path:
    """What a team hands in."""
    folder.mkdir(parents=True, exist_ok=True)
    write_vector(rows, folder / "components.gpkg", layer="components")
    entry = {**COMPONENTS_LAYER, "path": "components.gpkg", **layer}
    write_manifest(folder, [entry], name=folder.name, as_of=as_of)
    if base is not None:
        manifest = folder / "delivery.toml"
        text = manifest.read_text(encoding="utf-8").replace(
            "[[layer]]", f"base = {base}\n[[layer]]"
        )
        manifest.write_text(text, encoding="utf-8")
    return folder


def edited(**changes):
    """The town's components with cells set by code: ``ObjState={ONE: "破损"}``; None leaves it out."""
    rows = components()
    for column, cells in changes.items():
        for code, value in cells.items():
            rows.loc[rows["ObjID"] == code, column] = value
    return rows


def without(*codes):
    rows = components()
    return rows[~rows["ObjID"].isin(codes)]


def conflicts_of(database, **options):
    with database.connect(read_only=True) as connection:
        return read_conflicts(connection, crs=database.crs, **options)


def state(database):
    return live(database, "components").set_index("code")


def everything(database):
    with database.connect(read_only=True) as connection:
        return {
            "live": pd.DataFrame(live(database, "components")),
            "conflicts": pd.DataFrame(read_conflicts(connection, crs=database.crs, statuses=None)),
        }


def new(code, point):
    return components().iloc[:1].assign(ObjID=code, geometry=[point])
