"""The middle of the sample district sheet by sheet 分幅, with faults planted at the edges."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gis.errors import DeliveryError
from pipelines.sample.addresses import number_plates
from pipelines.sample.district import District, Geometries, make_district
from pipelines.sample.mapupdate import write_update
from pipelines.sample.plan import CRS
from pipelines.sample.shapefiles import write_shapefile
from pipelines.sample.tables import write_csv
from pipelines.sample.topography import topography_layers

SIDE_M = 250.0
SHEETS = 3
"""Sheets in each direction."""
LAYERS = ("控制点", "水系", "居民地", "道路中心线", "铁路", "高程点", "植被")
_MANIFEST = """# 1:500 分幅基础地形（示例）：每幅一个文件夹，文件夹名为西南角坐标公里数（纵坐标在前）
[delivery]
name = "2026-changan-sheets"
as_of = 2026-03-31

[[layer]]
dataset = "topography"
path = "**/*.shp"

[layer.options]
sheet_from = "folder"
scale = 500
surveyed_on = 2026-03-01
contractor = "第二测绘队"
"""
Record = tuple[str, str, str, str]


@dataclass(frozen=True, kw_only=True)
class SheetwiseReport:
    """What was written."""

    sheets: Path
    """The sheet-wise delivery."""
    update: Path
    """The delivery that patches the whole district's map."""
    features: int
    pieces: int


@dataclass(frozen=True, kw_only=True)
class _Cut:
    """The pieces of one layer."""

    name: str
    frame: gpd.GeoDataFrame
    """``OBJID`` of the piece, ``whole``: that of its feature, ``sheet``: position, the layer's columns."""
    records: list[Record] = field(default_factory=list)


def write_sheetwise(folder: Path, *, area_km2: float = 4.0, seed: int = 1) -> SheetwiseReport:
    """Write ``sheets``, nine sheets of the district's map, and ``update``, a patch of the whole map.

    Answers stand beside: ``pieces.csv`` (piece -> feature) and ``edge_faults.csv``, ``changes.csv``.
    The same arguments give the same bytes.

    Parameters
    ----------
    folder : Path
        Folder of the sample, in which neither is there yet.
    area_km2, seed : float, int
        Those of the sample.

    Raises
    ------
    DeliveryError
        One of the two is there already.
    """
    sheets, update = folder / "sheets", folder / "update"
    for path in (sheets, update):
        if path.exists():
            msg = f"{path} is there already: remove it, or write the sample to a new folder."
            raise DeliveryError(msg, zh=f"{path} 已存在：请删除，或指定新的目录。")
    district = make_district(area_km2=area_km2, seed=seed)
    layers = topography_layers(district, number_plates(district))
    extents = _extents(district)
    cuts = _cut_layers({name: layers[name] for name in LAYERS if name in layers}, extents)
    _plant(cuts, extents)
    _write(sheets, cuts, extents)
    write_update(update, layers, middle=_middle(district))
    return SheetwiseReport(
        sheets=sheets,
        update=update,
        features=len({code for cut in cuts.values() for code in cut.frame["whole"]}),
        pieces=sum(len(cut.frame) for cut in cuts.values()),
    )


def _middle(district: District) -> tuple[float, float]:
    centre = district.areas.district.land.centroid
    return (float(centre.x), float(centre.y))


def _extents(district: District) -> Geometries:
    half = SHEETS * SIDE_M / 2
    west, south = (np.floor((value - half) / SIDE_M) * SIDE_M for value in _middle(district))
    return np.array(
        [
            shapely.box(west + x, south + y, west + x + SIDE_M, south + y + SIDE_M)
            for y in np.arange(SHEETS) * SIDE_M
            for x in np.arange(SHEETS) * SIDE_M
        ],
        dtype=object,
    )


def sheet_number(extent: shapely.Polygon) -> str:
    """Return the number of a sheet of 1:500: its south-west corner, north first, km.

    Examples
    --------
    >>> sheet_number(shapely.box(541000, 4214250, 541250, 4214500))
    '4214.25-541.00'
    """
    west, south, _, _ = extent.bounds
    return f"{south / 1000:.2f}-{west / 1000:.2f}"


def _cut_layers(layers: Mapping[str, gpd.GeoDataFrame], extents: Geometries) -> dict[str, _Cut]:
    """Cut features at the edges of sheets; each piece has an identifier of its own."""
    result = {}
    counts = np.zeros(len(extents), dtype=int)
    for name, layer in layers.items():
        shapes = shapely.force_2d(layer.geometry.to_numpy())
        sheet, row = shapely.STRtree(shapes).query(extents, predicate="intersects")
        order = np.lexsort((row, sheet))
        sheet, row = sheet[order], row[order]
        parts = shapely.intersection(shapes[row], extents[sheet])
        cleaned = [_of_dimension(part, shapes[r]) for part, r in zip(parts, row, strict=True)]
        kept = np.array([part is not None for part in cleaned], dtype=bool)
        if shapely.get_dimensions(shapes).max(initial=0) == 0:
            kept &= ~pd.Series(row).duplicated().to_numpy()  # a point on an edge is on one sheet
        sheet, row = sheet[kept], row[kept]
        frame = layer.drop(columns=["geometry", "TFH", "OBJID"]).iloc[row].reset_index(drop=True)
        codes = []
        for place in sheet.tolist():
            counts[place] += 1
            codes.append(f"S{place + 1:02d}{counts[place]:06d}")
        frame.insert(0, "OBJID", codes)
        frame["whole"] = layer["OBJID"].to_numpy()[row]
        frame["sheet"] = sheet
        geometry = np.array(cleaned, dtype=object)[kept]
        if len(frame):
            result[name] = _Cut(
                name=name, frame=gpd.GeoDataFrame(frame, geometry=geometry, crs=CRS)
            )
    return result


def _of_dimension(part: shapely.Geometry, whole: shapely.Geometry) -> shapely.Geometry | None:
    dimension = shapely.get_dimensions(whole)
    parts = shapely.get_parts(part)
    parts = parts[shapely.get_dimensions(parts) == dimension]
    if dimension:
        parts = parts[shapely.length(parts) > 1.0]
    if len(parts) == 0:
        return None
    return parts[0] if len(parts) == 1 else shapely.union_all(parts)


def _plant(cuts: dict[str, _Cut], extents: Geometries) -> None:
    """Plant a fault in the second of two pieces, feature by feature."""
    roads, houses = cuts["道路中心线"], cuts["居民地"]
    changes: list[tuple[_Cut, Callable[[_Cut, int, Geometries], None], str, str]] = [
        (roads, _shift(0.10), "", "0.10 m apart: joined without a word"),
        (roads, _shift(0.22), "TP83", "0.22 m apart"),
        (roads, _shift(0.80), "TP84", "0.80 m apart"),
        (roads, _set("NAME", "改建路"), "TP81", "another name on the second sheet"),
        (roads, _set("WIDTH", 99.0), "TP81", "another width on the second sheet"),
        (roads, _remove, "TP84", "not drawn on the second sheet"),
        (houses, _shift(1.0), "TP85", "outline 1 m beside"),
        (houses, _set("FCODE", "310501"), "TP80", "another class on the second sheet"),
        (houses, _remove, "TP85", "half a house"),
    ]
    used: set[str] = set()
    for cut, change, rule, note in changes:
        whole, row = _two_pieces(cut, used)
        used.add(whole)
        cut.records.append((whole, cut.name, rule, note))
        change(cut, row, extents)


def _two_pieces(cut: _Cut, used: set[str]) -> tuple[str, int]:
    """Return a feature with a name, or at least two plain pieces, and the row of the second."""
    frame = cut.frame
    counts = frame["whole"].value_counts()
    single = frame.geometry.geom_type.isin(["LineString", "Polygon"])
    for whole in sorted(counts.index[counts == 2]):
        rows = np.flatnonzero((frame["whole"] == whole).to_numpy())
        plain = single.iloc[rows].all() and frame.geometry.iloc[rows].length.min() > 8
        named = cut.name != "道路中心线" or isinstance(frame["NAME"].iloc[rows[0]], str)
        if whole not in used and plain and named:
            return str(whole), int(rows[1])
    msg = f"The sample's middle has too few features of {cut.name} on two sheets: choose a larger area."
    raise DeliveryError(msg, zh=f"示例区中部跨图幅的{cut.name}太少：请加大面积。")


def _shift(by_m: float) -> Callable[[_Cut, int, Geometries], None]:
    """Move what lies on the edge along it."""

    def change(cut: _Cut, row: int, extents: Geometries) -> None:
        shape = cut.frame.geometry.iloc[row]
        west, south, east, north = extents[int(cut.frame["sheet"].iloc[row])].bounds
        xy = shapely.get_coordinates(shape)
        on_x = np.minimum(abs(xy[:, 0] - west), abs(xy[:, 0] - east)) < 1e-6
        on_y = np.minimum(abs(xy[:, 1] - south), abs(xy[:, 1] - north)) < 1e-6
        xy[on_x, 1] += by_m
        xy[on_y & ~on_x, 0] += by_m
        cut.frame.loc[row, "geometry"] = shapely.set_coordinates(shape, xy)

    return change


def _set(column: str, value: object) -> Callable[[_Cut, int, Geometries], None]:
    def change(cut: _Cut, row: int, extents: Geometries) -> None:
        del extents
        cut.frame.loc[row, column] = value

    return change


def _remove(cut: _Cut, row: int, extents: Geometries) -> None:
    del extents
    cut.frame.loc[row, "sheet"] = -1


def _write(folder: Path, cuts: Mapping[str, _Cut], extents: Geometries) -> None:
    for place, extent in enumerate(extents):
        sheet = folder / sheet_number(extent)
        sheet.mkdir(parents=True)
        for cut in cuts.values():
            rows = cut.frame[cut.frame["sheet"] == place]
            if len(rows):
                frame = rows.drop(columns=["whole", "sheet"])
                write_shapefile(frame.reset_index(drop=True), sheet / f"{cut.name}.shp")
    (folder / "delivery.toml").write_text(_MANIFEST, encoding="utf-8")
    answers = folder / "answers"
    answers.mkdir()
    pieces = pd.concat([cut.frame[["OBJID", "whole", "sheet"]] for cut in cuts.values()])
    pieces = pieces[pieces["sheet"] >= 0]
    write_csv(pieces.rename(columns={"OBJID": "piece"}), answers / "pieces.csv")
    records = sorted(record for cut in cuts.values() for record in cut.records)
    table = pd.DataFrame(records, columns=["whole", "layer", "rule", "note"])
    write_csv(table, answers / "edge_faults.csv")
