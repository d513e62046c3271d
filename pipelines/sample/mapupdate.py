"""An update 修补 of the sample's map a year on: one place surveyed anew, the changes known."""

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import affinity

from gis.vector import write_vector
from pipelines.sample.plan import CRS
from pipelines.sample.shapefiles import write_shapefile
from pipelines.sample.table_faults import topography_faults
from pipelines.sample.tables import write_csv

LAYERS = ("居民地", "道路中心线", "植被")
_HALF_M = 170.0
_INSIDE_M = 12.0
_MANIFEST = """# 基础地形修补（示例）：范围线内全部重测，范围外不变
[delivery]
name = "2026-changan-map-update"
as_of = 2026-12-31

[[layer]]
dataset = "topography"
path = "*.shp"
mode = "patch"

[layer.options]
extent = "修补范围.gpkg"
classes = ["3103", "3105", "43", "8"]
scale = 500
surveyed_on = 2026-12-01
contractor = "第一测绘队"
"""
Change = tuple[str, str, str]


def write_update(
    folder: Path, layers: Mapping[str, gpd.GeoDataFrame], *, middle: tuple[float, float]
) -> None:
    """Write a patch around `middle`: features cut at its border, rounded to the centimetre.

    Half of the identifiers are new, as those of another contractor are. ``answers/changes.csv`` lists
    the live code and what becomes of it.
    """
    extent = _extent(middle)
    (folder / "answers").mkdir(parents=True)
    changes: list[Change] = []
    for name in LAYERS:
        layer = _as_loaded(name, layers[name])
        inside = layer.geometry.intersects(extent).to_numpy()
        frame = layer[inside].reset_index(drop=True)
        if name == "居民地":
            frame, made = _houses(frame, extent)
            changes += made
        if name == "道路中心线":
            changes.append(_widen(frame, extent))
        frame = _surveyed(frame, extent)
        write_shapefile(frame, folder / f"{name}.shp")
    ground = gpd.GeoDataFrame({"名称": ["修补范围"]}, geometry=[extent], crs=CRS)
    write_vector(ground, folder / "修补范围.gpkg")
    (folder / "delivery.toml").write_text(_MANIFEST, encoding="utf-8")
    table = pd.DataFrame(sorted(changes), columns=["code", "change", "note"])
    write_csv(table, folder / "answers" / "changes.csv")


def _extent(middle: tuple[float, float]) -> shapely.Polygon:
    """Return a square with a corner cut off, no line of the sheets."""
    east, north = (round(value) + 3.7 for value in middle)
    corners = [(-1, -1), (1, -1), (1, 0.4), (0.4, 1), (-1, 1)]
    return shapely.Polygon([(east + x * _HALF_M, north + y * _HALF_M) for x, y in corners])


def _as_loaded(name: str, layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a layer as the first delivery had it: faults planted in place are what is live."""
    result = layer.drop(columns="TFH").copy()
    for fault in topography_faults(name, layer):
        if not fault.is_copy:
            for column, value in fault.changes.items():
                result.loc[result.index[fault.row], column] = value
    return result


def _houses(
    frame: gpd.GeoDataFrame, extent: shapely.Polygon
) -> tuple[gpd.GeoDataFrame, list[Change]]:
    """Take away two houses, move two, build on two, add floors to two, and build three."""
    well_inside = np.flatnonzero(frame.geometry.within(extent.buffer(-_INSIDE_M)).to_numpy())
    chosen = well_inside[np.linspace(0, len(well_inside) - 1, 8).astype(int)]
    names = np.repeat(["removed", "moved", "reshaped", "changed"], 2)
    changes: list[Change] = []
    result = frame.copy()
    for row, change in zip(chosen.tolist(), names, strict=True):
        shape = frame.geometry.iloc[row]
        code = str(frame["OBJID"].iloc[row])
        changes.append((code, str(change), f"house {change}"))
        if change == "moved":
            result.loc[row, "geometry"] = affinity.translate(shape, 0.8, -0.5)
        elif change == "reshaped":
            result.loc[row, "geometry"] = affinity.scale(shape, 1.15, 1.0)
        elif change == "changed":
            result.loc[row, "FLOORS"] = int(frame["FLOORS"].iloc[row]) + 2
    result = result.drop(
        index=[row for row, name in zip(chosen, names, strict=True) if name == "removed"]
    )
    added = gpd.GeoDataFrame(
        [
            {
                "OBJID": f"U{number:06d}",
                "FCODE": "310300",
                "NAME": None,
                "FLOORS": 3,
                "MATERIAL": "混",
            }
            for number in range(1, 4)
        ],
        geometry=_free_places(frame, extent, count=3),
        crs=CRS,
    )
    changes += [(str(code), "added", "house added") for code in added["OBJID"]]
    whole = pd.concat([result, added.reindex(columns=result.columns)], ignore_index=True)
    return gpd.GeoDataFrame(whole, geometry="geometry", crs=CRS), changes


def _free_places(
    frame: gpd.GeoDataFrame, extent: shapely.Polygon, *, count: int
) -> list[shapely.Polygon]:
    """Return small houses where none stands yet."""
    west, south, east, north = extent.buffer(-_INSIDE_M).bounds
    x, y = np.meshgrid(np.arange(west, east, 13.0), np.arange(south, north, 13.0))
    points = shapely.points(x.ravel(), y.ravel())
    free = shapely.distance(points, shapely.union_all(frame.geometry.to_numpy())) > 9
    free &= shapely.within(points, extent.buffer(-_INSIDE_M))
    spots = points[free]
    chosen = spots[np.linspace(0, len(spots) - 1, count).astype(int)]
    return [shapely.box(p.x - 3, p.y - 2, p.x + 3, p.y + 2) for p in chosen]


def _widen(frame: gpd.GeoDataFrame, extent: shapely.Polygon) -> Change:
    """Widen a road that crosses the border of the patch."""
    crosses = frame.geometry.crosses(extent.boundary) & frame["NAME"].notna()
    row = int(np.flatnonzero(crosses.to_numpy())[0])
    frame.loc[row, "WIDTH"] = float(frame["WIDTH"].iloc[row]) + 2.5
    return (str(frame["OBJID"].iloc[row]), "changed", "road widened")


def _surveyed(frame: gpd.GeoDataFrame, extent: shapely.Polygon) -> gpd.GeoDataFrame:
    """Return features as the surveyors deliver them: cut at the border, rounded, many numbered anew."""
    shapes = frame.geometry.to_numpy()
    cut = shapely.intersection(shapes, extent)
    dimension = shapely.get_dimensions(shapes)
    rounded = shapely.set_precision(cut, 0.01, mode="pointwise")
    kept = (shapely.get_dimensions(rounded) == dimension) & shapely.is_valid(rounded)
    kept &= ~shapely.is_empty(rounded)
    codes = frame["OBJID"].to_numpy(dtype=object).copy()
    for row in range(len(frame)):
        is_own = str(codes[row]).startswith("U")
        if row % 2 and not is_own:
            codes[row] = f"N{str(codes[row])[1:]}"
    table = frame.drop(columns="geometry").assign(OBJID=codes)
    return gpd.GeoDataFrame(table[kept], geometry=rounded[kept], crs=CRS).reset_index(drop=True)
