"""Real towns to be divided into unit grids: what is real in each and what is made up.

| town | real | made up |
|---|---|---|
| snezhinsk | buildings, roads, land use, water (OpenStreetMap) | communities |
| cambridge | roads, parcels as compounds, water, open space, components, 117 police response districts as communities | nothing |
| bund | buildings, roads, land use, water (OpenStreetMap, put together again from map tiles) | communities |
| wuhan | roads (OpenStreetMap) | communities, rows of slab buildings |
| sample | nothing | everything: the sample district |

Communities that do not exist are made of the blocks between streets, which METIS joins to parts of even
area. By hand: ``python -m tests.real.towns snezhinsk OUT.gpkg`` writes a town to look at.
"""

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pymetis
import shapely

from gis.vector import read_vector, write_vector
from pipelines.sample.addresses import number_plates
from pipelines.sample.components import place_components
from pipelines.sample.district import make_district
from pipelines.sample.plan import CRS as SAMPLE_CRS
from pipelines.sample.topography import topography_layers
from tests.real import cambridge as cambridge_city

SOURCE = Path(__file__).resolve().parents[2] / "../shared/data"

ROADS = {
    "motorway": "420100",
    "trunk": "430501",
    "primary": "430501",
    "secondary": "430502",
    "tertiary": "430503",
    "residential": "430503",
    "unclassified": "430503",
    "living_street": "430503",
    "road": "430503",
    "pedestrian": "430600",
    "service": "430600",
    "track": "440200",
    "footway": "440300",
    "path": "440300",
    "steps": "440300",
    "cycleway": "440300",
}
"""OpenStreetMap's highway -> feature class of GB/T 13923."""
LAND = {
    "grass": "820000",
    "leisure_park": "820000",
    "park": "820000",
    "garden": "820000",
    "recreation_ground": "820000",
    "village_green": "820000",
    "natural_wood": "810300",
    "forest": "810300",
    "allotments": "810100",
    "farmland": "810100",
    "leisure_pitch": "340400",
    "leisure_stadium": "340400",
    "leisure_track": "340400",
    "wall": "380200",
    "fence": "380200",
}
"""OpenStreetMap's land use -> feature class."""
_STREETS = ("42", "4305")


@dataclass(frozen=True, kw_only=True)
class Town:
    """A town as the division takes it, in a metric CRS."""

    name: str
    communities: gpd.GeoDataFrame
    features: gpd.GeoDataFrame
    components: gpd.GeoDataFrame


def is_here(name: str) -> bool:
    """Return whether a town's data is on this machine."""
    if name.startswith("sample"):
        return True
    folder = {"bund": "shanghai_bund", "wuhan": "wuhan_roads"}.get(name.split("-")[0], name)
    return (SOURCE / folder).is_dir()


def load(name: str) -> Town:
    """Return a town: snezhinsk, cambridge, bund, or wuhan-16, sample-4 with the km² wanted."""
    kind, _, size = name.partition("-")
    makers: dict[str, Callable[[], Town]] = {
        "sample": lambda: _sample(float(size or 4)),
        "snezhinsk": _snezhinsk,
        "cambridge": _cambridge,
        "bund": _bund,
        "wuhan": lambda: _wuhan(float(size or 16)),
    }
    return makers[kind]()


def _read(path: str, crs: str) -> gpd.GeoDataFrame:
    with warnings.catch_warnings():
        # Map tiles repeat ids; the reader says so once for each file.
        warnings.simplefilter("ignore")
        return gpd.GeoDataFrame(read_vector(SOURCE / path, target_crs=crs).frame)


def _features(*parts: tuple[object, gpd.GeoSeries]) -> gpd.GeoDataFrame:
    frames = [
        pd.DataFrame({"feature_class": classes, "geometry": shapes.to_numpy()})
        for classes, shapes in parts
    ]
    table = pd.concat(frames, ignore_index=True)
    table = table[table["feature_class"].notna()].reset_index(drop=True)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=parts[0][1].crs)


def _cut_to(town: shapely.Geometry, features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    near = shapely.intersects(features.geometry.to_numpy(), shapely.buffer(town, 30))
    return gpd.GeoDataFrame(features[near]).reset_index(drop=True)


def _none(crs: str) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.GeoSeries([], crs=crs))


def _snezhinsk() -> Town:
    crs = "EPSG:32641"
    layers = {
        name: _read(f"snezhinsk/{name}.geojson", crs)
        for name in ("buildings", "roads", "landuse", "water")
    }
    lakes = shapely.union_all(layers["water"].geometry.make_valid().to_numpy())
    town = shapely.difference(shapely.box(357_900, 6_215_500, 361_950, 6_218_800), lakes)
    town = max(shapely.get_parts(town), key=lambda part: part.area)
    features = _features(
        ("310300", layers["buildings"].geometry),
        (layers["roads"]["highway"].map(_highway), layers["roads"].geometry),
        (layers["landuse"]["landuse"].map(LAND), layers["landuse"].geometry),
        ("230000", layers["water"].geometry),
    )
    features = _cut_to(town, features)
    communities = make_communities(town, features, count=21)
    return Town(name="snezhinsk", communities=communities, features=features, components=_none(crs))


def _bund() -> Town:
    crs = "EPSG:32651"
    layers = {
        name: _read(f"shanghai_bund/{name}.geojson", crs)
        for name in ("buildings", "roads", "landuse", "water")
    }
    roads = layers["roads"]
    detail = roads["kind_detail"].where(roads["kind"] != "rail", None)
    on_ground = roads["is_tunnel"].isna() & (roads["kind"] != "ferry")
    buildings = layers["buildings"]
    buildings = buildings[(buildings["kind"] == "building") & _is_area(buildings)]
    land = layers["landuse"][layers["landuse"].geom_type != "Point"]
    water = layers["water"][_is_area(layers["water"])]
    features = _features(
        ("310300", _whole(buildings)),
        (detail[on_ground].map(_highway), roads.geometry[on_ground]),
        (land["kind"].map(LAND), land.geometry),
        ("230000", gpd.GeoSeries(_union_parts(water.geometry), crs=crs)),
    )
    west, south, east, north = roads.total_bounds
    town = shapely.box(west + 150, south + 150, east - 150, north - 150)
    features = _cut_to(town, features)
    communities = make_communities(town, features, count=16)
    return Town(name="bund", communities=communities, features=features, components=_none(crs))


def _is_area(frame: gpd.GeoDataFrame) -> "pd.Series[bool]":
    return pd.Series(frame.geom_type.isin(("Polygon", "MultiPolygon")), index=frame.index)


def _whole(frame: gpd.GeoDataFrame) -> gpd.GeoSeries:
    """Return buildings put together again: the tiles of a map cut and repeat them."""
    valid = frame.assign(geometry=frame.geometry.make_valid())
    return gpd.GeoSeries(valid.dissolve("id").geometry)


def _union_parts(shapes: gpd.GeoSeries) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    # Half a metre closes the seams between tiles.
    grown = shapely.union_all(shapely.buffer(shapes.make_valid().to_numpy(), 0.5))
    return np.asarray(shapely.get_parts(shapely.buffer(grown, -0.5)))


def _wuhan(area_km2: float) -> Town:
    crs = "EPSG:32650"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        roads = gpd.read_parquet(SOURCE / "wuhan_roads/roads.parquet")
    half = 500.0 * np.sqrt(area_km2)
    x, y = 239_000.0, 3_386_500.0  # between Hankou and Wuchang
    town = shapely.box(x - half, y - half, x + half, y + half)
    features = _features((roads["highway"].astype(str).map(_highway), roads.geometry))
    features = _cut_to(town, features)
    slabs = _slabs(_blocks(town, features), seed=11)
    features = _features(
        (features["feature_class"], features.geometry),
        ("310300", gpd.GeoSeries(slabs, crs=crs)),
    )
    communities = make_communities(town, features, count=max(4, round(area_km2 / 0.8)))
    name = f"wuhan-{area_km2:g}"
    return Town(name=name, communities=communities, features=features, components=_none(crs))


def _highway(value: object) -> str | None:
    # A road of several kinds is written as a list; its first kind counts.
    words = str(value).strip("[]'\" ").replace("_link", "").split("'")
    return ROADS.get(words[0].split(",")[0])


def _cambridge() -> Town:
    city = cambridge_city
    areas = city.read_areas()
    areas = areas[areas["XZQDM"].str.len() == 12]
    centrelines = city.read_centrelines()
    layers = {
        "310600": "ASSESSING_ParcelsFY2013.topojson.gz",
        "230000": "HYDRO_WaterBodies.geojson.gz",
        "820000": "RECREATION_OpenSpace.geojson.gz",
    }
    parts = [
        (
            feature_class,
            read_vector(city.SOURCE / path, target_crs=city.CRS, crs="EPSG:4326").frame.geometry,
        )
        for feature_class, path in layers.items()
    ]
    features = _features((centrelines["FCODE"], centrelines.geometry), *parts)
    points = [
        read_vector(city.SOURCE / path, target_crs=city.CRS, crs="EPSG:4326").frame[["geometry"]]
        for path in city.COMPONENTS
    ]
    components = gpd.GeoDataFrame(pd.concat(points, ignore_index=True), crs=city.CRS)
    present = components.geometry.notna() & ~components.geometry.is_empty
    communities = areas.rename(columns={"XZQDM": "code"})[["code", "geometry"]]
    return Town(
        name="cambridge",
        communities=gpd.GeoDataFrame(communities).reset_index(drop=True),
        features=features,
        components=gpd.GeoDataFrame(components[present]),
    )


def _sample(area_km2: float) -> Town:
    """Return the sample district as it is before contractors put it into their files."""
    district = make_district(area_km2=area_km2, seed=1)
    layers = topography_layers(district, number_plates(district)).values()
    parts = [(layer["FCODE"].to_numpy(), gpd.GeoSeries(layer.geometry)) for layer in layers]
    lands = {area.code: area.land for area in district.areas.communities}
    points = np.concatenate([layer.at for layer in place_components(district)])
    return Town(
        name=f"sample-{area_km2:g}",
        communities=gpd.GeoDataFrame(
            {"code": list(lands)}, geometry=list(lands.values()), crs=SAMPLE_CRS
        ),
        features=_features(*parts).set_crs(SAMPLE_CRS, allow_override=True),
        components=gpd.GeoDataFrame(geometry=shapely.points(points), crs=SAMPLE_CRS),
    )


def _blocks(
    town: shapely.Polygon, features: gpd.GeoDataFrame
) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    is_street = features["feature_class"].str.startswith(_STREETS)
    lines = features.geometry.to_numpy()[is_street.to_numpy()]
    edges = shapely.union_all(np.append(lines, town.exterior), grid_size=0.01)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
    faces = faces[shapely.contains_properly(town, shapely.point_on_surface(faces))]
    order = np.lexsort(np.round(shapely.bounds(faces), 2).T)
    return np.asarray(faces[order])


def make_communities(
    town: shapely.Polygon, features: gpd.GeoDataFrame, *, count: int
) -> gpd.GeoDataFrame:
    """Return communities of about even area, made of the blocks between streets."""
    blocks = _blocks(town, features)
    one, other = shapely.STRtree(blocks).query(blocks, predicate="touches")
    shared = shapely.length(shapely.intersection(blocks[one], blocks[other]))
    one, other = one[shared > 1], other[shared > 1]
    starts = np.searchsorted(one, np.arange(len(blocks) + 1))
    weights = np.maximum(1, (shapely.area(blocks) / 100).astype(int))
    _, part = pymetis.part_graph(
        count, xadj=starts, adjncy=other, vweights=weights.tolist(), contiguous=False
    )
    shapes = _one_piece(blocks, np.asarray(part))
    shapes = shapes[np.lexsort(np.round(shapely.bounds(shapes), 2).T)]
    codes = [f"{990_101_001 + k // 900:09d}{1 + k % 900:03d}" for k in range(len(shapes))]
    return gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=features.crs)


def _one_piece(
    blocks: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    part: "np.ndarray[tuple[int], np.dtype[np.int64]]",
) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    """Return the parts as polygons; what METIS left apart goes to the neighbour it shares most with."""
    pieces = [
        piece
        for number in np.unique(part)
        for piece in shapely.get_parts(shapely.coverage_union_all(blocks[part == number]))
    ]
    while True:
        areas = shapely.area(pieces)
        small = int(np.argmin(areas))
        if areas[small] > 100_000 or len(pieces) == 1:
            return np.array(pieces, dtype=object)
        piece = pieces.pop(small)
        shared = shapely.length(shapely.intersection(shapely.boundary(pieces), piece.boundary))
        home = int(np.argmax(shared))
        pieces[home] = shapely.union(pieces[home], piece, grid_size=0.01)


def _slabs(
    blocks: "np.ndarray[tuple[int], np.dtype[np.object_]]", *, seed: int
) -> "np.ndarray[tuple[int], np.dtype[np.object_]]":
    """Return rows of slab buildings in the blocks, as Chinese housing estates have them."""
    rng = np.random.default_rng(seed)
    blocks = blocks[shapely.area(blocks) > 3_000]
    inner = shapely.buffer(blocks, -14, quad_segs=1)
    found = []
    for shape in inner[~shapely.is_empty(inner)]:
        if rng.random() < 0.15:  # a park, a building site, a square
            continue
        long, deep = rng.uniform(36, 62), rng.uniform(11, 15)
        gap, row = rng.uniform(9, 16), rng.uniform(26, 38)
        box = shapely.get_coordinates(shapely.oriented_envelope(shape))
        side = box[1] - box[0] if np.hypot(*(box[1] - box[0])) > 1 else box[2] - box[1]
        angle = np.arctan2(side[1], side[0]) + rng.normal(0, 0.05)
        cos, sin = np.cos(angle), np.sin(angle)
        middle, reach = shape.centroid, np.hypot(*np.ptp(box, axis=0)) / 2
        u = np.arange(-reach, reach, long + gap)
        v = np.arange(-reach, reach, deep + row)
        u, v = (axis.ravel() for axis in np.meshgrid(u, v))
        corners = np.array([(0, 0), (long, 0), (long, deep), (0, deep)])
        local = np.stack([u, v], axis=1)[:, None, :] + corners[None]
        x = middle.x + local[..., 0] * cos - local[..., 1] * sin
        y = middle.y + local[..., 0] * sin + local[..., 1] * cos
        slabs = shapely.polygons(np.stack([x, y], axis=-1))
        shapely.prepare(shape)
        found.append(slabs[shapely.contains_properly(shape, slabs)])
    return np.concatenate(found) if found else np.empty(0, dtype=object)


if __name__ == "__main__":
    town = load(sys.argv[1])
    write_vector(town.communities, Path(sys.argv[2]), layer="communities")
    write_vector(town.features, Path(sys.argv[2]), layer="features")
