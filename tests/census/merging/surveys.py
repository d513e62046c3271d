"""Small surveys for merging: rows, sides, and what is live after a merge."""

from datetime import date

import geopandas as gpd
import pandas as pd
from shapely import Point

from census.merging.alignment import Sides
from census.merging.fields import COLUMNS
from census.merging.threeway import Merged, merge

CRS = "EPSG:4547"
EAST, NORTH = 544_000.0, 4_212_000.0
PLAIN = {
    "class_code": "0104",
    "standard_ref": "GB/T 30428.2-2013",
    "name": "雨水箅子",
    "condition": "intact",
    "ownership_state": "unknown",
    "initial_date": date(2025, 5, 1),
    "attributes": {},
}


def at(x: float, y: float = 0.0) -> Point:
    return Point(EAST + x, NORTH + y)


def row(code: str, x: float, **changes: object) -> dict[str, object]:
    blank = dict.fromkeys(COLUMNS)
    return {**blank, **PLAIN, "code": code, "geometry": at(x), **changes}


def survey(*rows: dict[str, object], file: str = "a.shp") -> gpd.GeoDataFrame:
    table = pd.DataFrame(list(rows), columns=list(COLUMNS), dtype=object)
    table["source_file"], table["source_row"] = file, range(1, len(table) + 1)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=CRS)


def merged(base, live, delivered, **options) -> Merged:
    return merge(Sides(base=base, live=live, delivered=delivered, **options))


def after(live: gpd.GeoDataFrame, result: Merged) -> gpd.GeoDataFrame:
    """What is live after a merge."""
    kept = live[~live["code"].isin(result.ended) & ~live["code"].isin(result.rows["code"])]
    rows = pd.concat([kept, result.rows]).sort_values("code", ignore_index=True)
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def found(result: Merged) -> list[tuple[object, ...]]:
    """Kind, code and field of every conflict."""
    columns = result.conflicts[["kind", "code", "field"]]
    return [tuple(values) for values in columns.itertuples(index=False)]
