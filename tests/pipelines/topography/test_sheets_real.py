"""Edge matching on maps that nobody prepared: tiles of the Bund, the roads of Xi'an cut into sheets."""

import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gis.vector import read_vector
from pipelines.topography.identifiers import decide_ids, settle_codes
from pipelines.topography.matching import Matched, Sheets, match_edges
from pipelines.topography.seams import join_parts

DATA = Path(__file__).resolve().parents[3] / "../shared/data"
TOLERANCE = 0.15
TILES = 2**16


def needed(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{name} of the shared data is not here")
    return path


def tile_box(x: int, y: int) -> shapely.Polygon:
    """Extent of a tile of zoom 16, longitude and latitude."""

    def north(row: int) -> float:
        return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * row / TILES))))

    return shapely.box(x / TILES * 360 - 180, north(y + 1), (x + 1) / TILES * 360 - 180, north(y))


def tile_of(shape: shapely.Geometry) -> tuple[int, int]:
    west, south, east, north = shape.bounds
    row = (1 - math.asinh(math.tan(math.radians((south + north) / 2))) / math.pi) / 2
    return int(((west + east) / 2 + 180) / 360 * TILES), int(row * TILES)


def bund(name: str) -> tuple[gpd.GeoDataFrame, np.ndarray, Sheets]:
    """Lines and areas of a layer as pieces on tiles, in metres."""
    path = needed("shanghai_bund") / f"{name}.geojson"
    given = gpd.GeoDataFrame(read_vector(path, target_crs="EPSG:4326").frame)
    given = given[(given.geom_type != "Point") & given["id"].notna()].reset_index(drop=True)
    tiles = [tile_of(shape) for shape in given.geometry]
    distinct = sorted(set(tiles))
    place = {tile: number for number, tile in enumerate(distinct)}
    extents = gpd.GeoSeries([tile_box(*tile) for tile in distinct], crs=4326).to_crs(32651)
    shapes = shapely.make_valid(given.to_crs(32651).geometry.to_numpy(), method="structure")
    pieces = gpd.GeoDataFrame(
        {
            "code": [str(int(float(value))) for value in given["id"]],
            "feature_class": given["kind"].fillna("").astype(str),
            "name": given["name"],
            "attributes": [{} for _ in range(len(given))],
        },
        geometry=shapes,
        crs=32651,
    )
    sheets = Sheets(
        extents=extents.to_numpy(),
        tolerance_m=np.full(len(distinct), TOLERANCE),
        age=np.zeros(len(distinct)),
    )
    return pieces, np.array([place[tile] for tile in tiles], dtype=np.intp), sheets


def shares(group: np.ndarray, ids: pd.Series, chosen: np.ndarray) -> float:
    """Share of the identifiers, of those chosen rows, that are exactly one feature."""
    table = pd.DataFrame({"id": ids.to_numpy(), "group": group})
    pure = table.groupby("group")["id"].nunique() == 1
    groups = table[chosen].groupby("id")["group"].agg(["nunique", "first"])
    return float(((groups["nunique"] == 1) & pure.loc[groups["first"]].to_numpy()).mean())


@pytest.mark.parametrize(
    ("name", "by_place"),
    # By place alone, of the identifiers whose pieces lie on different tiles, one piece on each. Houses
    # are not cut but repeated whole, so that only their identifier tells.
    [("roads", 0.95), ("water", 0.8), ("landuse", 0.95)],
)
def test_tiles_of_the_bund_are_joined_as_their_identifiers_say(name, by_place):
    pieces, tile, sheets = bund(name)
    ids = pieces["code"]
    apart = pieces.assign(code=[f"{number:06d}" for number in range(len(pieces))])
    blind = match_edges(apart, tile, sheets)
    per_id = pd.DataFrame({"id": ids, "tile": tile}).groupby("id")["tile"].agg(["size", "nunique"])
    cut = per_id[(per_id["size"] > 1) & (per_id["size"] == per_id["nunique"])].index
    share = shares(blind.group, ids, ids.isin(cut).to_numpy())
    assert share >= by_place, share
    # Nothing is joined that is not one feature, whatever it looks like.
    mixed = pd.DataFrame({"id": ids, "group": blind.group}).groupby("group")["id"].nunique()
    assert (mixed > 1).sum() == 0


@pytest.mark.parametrize("name", ["roads", "water", "landuse", "buildings"])
def test_with_their_identifiers_the_bund_is_the_dissolved_one(name):
    pieces, tile, sheets = bund(name)
    matched = match_edges(pieces, tile, sheets)
    assert decide_ids(pieces, tile, matched, reach_m=0.3)[0] == "city"
    numbers = tile.astype(str).astype(object)
    settled = settle_codes(pieces, matched, ids="city", numbers=numbers, reach_m=0.3)
    stands = ~(settled.repeated | settled.clashing)
    ids = pieces["code"]
    share = shares(settled.matched.group[stands], ids[stands], np.ones(stands.sum(), dtype=bool))
    assert share >= 0.97, share
    assert len(settled.matched.shapes) >= ids.nunique()
    lengths = _difference(settled.matched, pieces, stands)
    assert np.median(lengths) < 1e-6
    assert (lengths < 0.01).mean() > 0.95


def _difference(matched: Matched, pieces: gpd.GeoDataFrame, stands: np.ndarray) -> np.ndarray:
    """Relative difference of length and area from the dissolve on the identifier, per feature."""
    result = []
    rows = pieces[stands].assign(group=matched.group[stands])
    for _, part in rows.groupby("code"):
        whole = join_parts(part.geometry.to_numpy())
        shape = matched.shapes[part["group"].iloc[0]]
        size = whole.area or whole.length
        result.append(abs((shape.area or shape.length) - size) / size)
    return np.array(result)


def test_the_roads_of_xian_come_back_from_1000_sheets():
    path = needed("xian_roads") / "link.shp"
    roads = gpd.GeoDataFrame(read_vector(path, target_crs="EPSG:32649").frame)
    shapes = roads.geometry.to_numpy()
    west, south = np.floor(roads.total_bounds[:2] / 500) * 500
    east, north = roads.total_bounds[2:]
    boxes = np.array(
        [
            shapely.box(x, y, x + 500, y + 500)
            for y in np.arange(south, north, 500)
            for x in np.arange(west, east, 500)
        ],
        dtype=object,
    )
    road, sheet = shapely.STRtree(boxes).query(shapes, predicate="intersects")
    parts = shapely.intersection(shapes[road], boxes[sheet])
    kept = (shapely.get_dimensions(parts) == 1) & (shapely.length(parts) > 0.5)
    road, sheet, parts = road[kept], sheet[kept], parts[kept]
    assert len(boxes) > 800
    pieces = gpd.GeoDataFrame(
        {
            "code": [f"{number:06d}" for number in range(len(road))],
            "feature_class": "430500",
            "name": roads["road_name"].to_numpy()[road],
            "attributes": [{} for _ in road],
        },
        geometry=parts,
        crs=roads.crs,
    )
    matched = match_edges(
        pieces,
        sheet.astype(np.intp),
        Sheets(
            extents=boxes,
            tolerance_m=np.full(len(boxes), 0.3),
            age=np.zeros(len(boxes)),
        ),
    )
    truth = pd.Series(road)
    assert len(pieces) > len(roads) * 1.2
    share = shares(matched.group, truth, np.ones(len(road), dtype=bool))
    assert share >= 0.97, share
    # Both directions of a street are drawn as lines of one name: where they cross an edge nearer than
    # the tolerance nobody can tell which goes on as which.
    total = float(shapely.length(matched.shapes).sum())
    assert total == pytest.approx(float(shapely.length(parts).sum()), rel=1e-4)
