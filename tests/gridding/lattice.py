"""Layers of unit grids made to measure: a jittered lattice without fault, and faults planted in it.

By hand, to measure the check on a large layer::

    python -m tests.gridding.lattice 100000
"""

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely import MultiPolygon, Point, Polygon

from gridding.checks import Surroundings, check_layer

CRS = "EPSG:4547"
EAST, NORTH = 540_000.0, 4_212_000.0
SIDE = 100.0
EIGHT_EAST = np.array([8.0, 0.0])
BLOCK = 16
"""A community is a square of this many grids by as many."""


@dataclass
class Town:
    """A layer of grids and its communities; faults change it in place."""

    grids: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    features: gpd.GeoDataFrame
    components: gpd.GeoDataFrame
    width: int

    def at(self, column: int, row: int) -> int:
        return row * self.width + column

    def shape(self, column: int, row: int) -> Polygon:
        return self.grids.geometry.iloc[self.at(column, row)]

    def put(self, column: int, row: int, shape: object) -> None:
        self.grids.geometry.array[self.at(column, row)] = shape

    def surroundings(self, **more: object) -> Surroundings:
        return Surroundings(
            communities=self.communities, features=self.features, components=self.components, **more
        )


def make_town(blocks_wide: int = 1, blocks_high: int = 1, *, seed: int = 1, bends: int = 3) -> Town:
    """Return a town of square communities of 256 grids, every border bent, all of it on centimetres."""
    width, height = blocks_wide * BLOCK, blocks_high * BLOCK
    draw = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(width + 1) * SIDE, np.arange(height + 1) * SIDE)
    corners = np.round(
        np.stack([x, y], axis=-1) + draw.uniform(-12, 12, (height + 1, width + 1, 2)), 2
    )
    across = _bent(corners[:, :-1], corners[:, 1:], draw, bends)  # west to east along each row line
    up = _bent(corners[:-1], corners[1:], draw, bends)  # south to north along each column line
    south, north = across[:-1], across[1:]
    west, east = up[:, :-1], up[:, 1:]
    rings = np.concatenate(
        [south[..., :-1, :], east[..., :-1, :], north[..., :0:-1, :], west[..., :0:-1, :]], axis=2
    )
    shapes = shapely.polygons(
        np.round(rings.reshape(width * height, -1, 2) + np.array([EAST, NORTH]), 2)
    )
    column, row = np.meshgrid(np.arange(width), np.arange(height))
    block = ((row // BLOCK) * blocks_wide + column // BLOCK).ravel()
    community = np.array([f"130102{1 + k // 900:03d}{1 + k % 900:03d}" for k in block])
    within = ((BLOCK - 1 - row % BLOCK) * BLOCK + column % BLOCK + 1).ravel()
    codes = [f"{name}{number:03d}" for name, number in zip(community, within, strict=True)]
    grids = gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=CRS)
    return Town(
        grids=grids,
        communities=_communities(shapes, community),
        features=_houses(grids, shapes),
        components=_lamps(shapes),
        width=width,
    )


def _bent(start: np.ndarray, end: np.ndarray, draw: np.random.Generator, bends: int) -> np.ndarray:
    """Return polylines from start to end with some bends a metre or two off the straight line."""
    share = np.linspace(0, 1, bends + 2)[:, None]
    line = start[..., None, :] * (1 - share) + end[..., None, :] * share
    line[..., 1:-1, :] += draw.uniform(-1.5, 1.5, line[..., 1:-1, :].shape)
    return np.round(line, 2)


def _communities(shapes: np.ndarray, community: np.ndarray) -> gpd.GeoDataFrame:
    order = np.argsort(community, kind="stable")
    names, starts = np.unique(community[order], return_index=True)
    parts = np.split(shapes[order], starts[1:])
    land = [shapely.coverage_union_all(part) for part in parts]
    return gpd.GeoDataFrame({"code": names}, geometry=land, crs=CRS)


def _houses(grids: gpd.GeoDataFrame, shapes: np.ndarray) -> gpd.GeoDataFrame:
    """Return a house of 20 by 20 m in the middle of every grid."""
    x, y = shapely.get_coordinates(shapely.centroid(shapes)).T
    names = [f"house {k}" for k in range(len(shapes))]
    columns = {"code": names, "feature_class": "310300"}
    return gpd.GeoDataFrame(columns, geometry=shapely.box(x - 10, y - 10, x + 10, y + 10), crs=CRS)


def _lamps(shapes: np.ndarray) -> gpd.GeoDataFrame:
    """Return three components round the middle of every grid."""
    centre = shapely.get_coordinates(shapely.centroid(shapes))
    points = (centre[:, None] + np.array([[20.0, 0], [0, 20], [-20, 0]])).reshape(-1, 2)
    names = [f"lamp {k}" for k in range(len(points))]
    return gpd.GeoDataFrame({"code": names}, geometry=shapely.points(points), crs=CRS)


def border(here: Polygon, there: Polygon) -> np.ndarray:
    """Return the vertices of the border two grids share."""
    line = shapely.line_merge(shapely.intersection(here.exterior, there.exterior))
    return shapely.get_coordinates(line)


def moved(shape: Polygon, old: np.ndarray, new: np.ndarray) -> Polygon:
    """Return a polygon with some of its vertices moved."""
    place = {tuple(before): tuple(after) for before, after in zip(old, new, strict=True)}
    ring = shapely.get_coordinates(shape)[:-1]
    return Polygon([place.get(tuple(point), tuple(point)) for point in ring])


def spliced(shape: Polygon, after: np.ndarray, before: np.ndarray, points: list) -> Polygon:
    """Return a polygon with points put between two consecutive vertices of its outline."""
    ring = [tuple(point) for point in shapely.get_coordinates(shape)[:-1]]
    at = ring.index(tuple(after))
    if ring[(at + 1) % len(ring)] != tuple(before):
        at = ring.index(tuple(before))
        points = points[::-1]
    return Polygon([*ring[: at + 1], *map(tuple, points), *ring[at + 1 :]])


def _shift(town: Town, column: int, row: int, east: float) -> Polygon:
    """Draw the eastern border of a grid to the east or west, on its side only; return what it passes."""
    here, there = town.shape(column, row), town.shape(column + 1, row)
    line = border(here, there)
    new = np.round(line[1:-1] + np.array([east, 0]), 2)
    town.put(column, row, moved(here, line[1:-1], new))
    return Polygon(np.concatenate([line, new[::-1]]))


def _add(town: Town, beside: tuple[int, int], shape: Polygon) -> None:
    """Add a grid with the next number of its neighbour's community."""
    prefix = town.grids["code"].iloc[town.at(*beside)][:12]
    codes = town.grids["code"]
    most = codes[codes.str.startswith(prefix) & codes.str.len().eq(15)].max()
    extra = gpd.GeoDataFrame({"code": [f"{int(most) + 1:015d}"]}, geometry=[shape], crs=CRS)
    town.grids = gpd.GeoDataFrame(pd.concat([town.grids, extra], ignore_index=True))


def plant_gap(town: Town, column: int, row: int) -> None:
    _shift(town, column, row, -8.0)


def plant_narrow_gap(town: Town, column: int, row: int) -> None:
    _shift(town, column, row, -0.5)


def plant_overlap(town: Town, column: int, row: int) -> None:
    _shift(town, column, row, 8.0)


def plant_sliver(town: Town, column: int, row: int) -> None:
    _add(town, (column, row), _shift(town, column, row, -2.0))


def plant_small(town: Town, column: int, row: int) -> None:
    _add(town, (column, row), _shift(town, column, row, -20.0))


def plant_missing_vertex(town: Town, column: int, row: int) -> None:
    here, there = town.shape(column, row), town.shape(column + 1, row)
    line = border(here, there)
    town.put(column, row, spliced(here, line[1], line[2], [np.round((line[1] + line[2]) / 2, 2)]))


def plant_ring(town: Town, column: int, row: int) -> None:
    """Cut a grid of 3,600 m² out of the middle of another."""
    shape = town.shape(column, row)
    x, y = np.round(shape.centroid.coords[0], 0)
    inner = shapely.box(x - 30, y - 30, x + 30, y + 30)
    town.put(column, row, shapely.difference(shape, inner))
    _add(town, (column, row), inner)


def plant_crossing(town: Town, column: int, row: int) -> None:
    here, there = town.shape(column, row), town.shape(column + 1, row)
    line = border(here, there)
    tail = np.round(line[1] - [5, 0], 2)  # out to a point and back on the same way
    town.put(column, row, spliced(here, line[1], line[2], [tail, line[1]]))


def plant_spike(town: Town, column: int, row: int) -> None:
    here, there = town.shape(column, row), town.shape(column + 1, row)
    line = border(here, there)
    tip = [np.round(line[1] + [6, 0], 2), np.round(line[1] + (line[2] - line[1]) * 0.004, 2)]
    town.put(column, row, spliced(here, line[1], line[2], tip))
    town.put(column + 1, row, spliced(there, line[1], line[2], tip))


def plant_loose_vertex(town: Town, column: int, row: int) -> None:
    here, there = town.shape(column, row), town.shape(column + 1, row)
    vertex = border(here, there)[1:2]
    town.put(column, row, moved(here, vertex, vertex + 0.004))
    town.put(column + 1, row, moved(there, vertex, vertex + 0.004))


def plant_large(town: Town, column: int, row: int) -> None:
    pair = [town.shape(column, row), town.shape(column + 1, row)]
    town.put(column, row, shapely.coverage_union_all(pair))
    town.put(column + 1, row, None)


def plant_parts(town: Town, column: int, row: int) -> None:
    pair = [town.shape(column, row), town.shape(column + 2, row)]
    town.put(column, row, MultiPolygon(pair))
    town.put(column + 2, row, None)


def plant_missing(town: Town, column: int, row: int) -> None:
    here, there = town.shape(column, row), town.shape(column + 1, row)
    town.put(column, row, shapely.coverage_union_all([here, there]))
    town.put(column + 1, row, Polygon())


def plant_line(town: Town, column: int, row: int) -> None:
    pair = [town.shape(column, row), town.shape(column + 1, row)]
    town.put(column, row, shapely.coverage_union_all(pair))
    town.put(column + 1, row, pair[1].exterior)


def plant_foreign_code(town: Town, column: int, row: int) -> None:
    _rename(town, column, row, "130102001999001")


def plant_no_code(town: Town, column: int, row: int) -> None:
    _rename(town, column, row, None)


def plant_short_code(town: Town, column: int, row: int) -> None:
    _rename(town, column, row, town.grids["code"].iloc[town.at(column, row)][:14])


def plant_double_code(town: Town, column: int, row: int) -> None:
    _rename(town, column, row, town.grids["code"].iloc[town.at(column + 1, row)])


def _rename(town: Town, column: int, row: int, code: str | None) -> None:
    town.grids.loc[town.grids.index[town.at(column, row)], "code"] = code


def plant_overhang(town: Town, column: int, row: int) -> None:
    """Draw the border of two communities' grids eight metres east, on both sides."""
    here, there = town.shape(column, row), town.shape(column + 1, row)
    line = border(here, there)[1:-1]
    town.put(column, row, moved(here, line, np.round(line + EIGHT_EAST, 2)))
    town.put(column + 1, row, moved(there, line, np.round(line + EIGHT_EAST, 2)))


def plant_cut_house(town: Town, column: int, row: int) -> None:
    line = border(town.shape(column, row), town.shape(column + 1, row))
    house = Point(line[2]).buffer(6, cap_style="square")
    rows = {"code": [f"cut {column} {row}"], "feature_class": ["310300"]}
    more = gpd.GeoDataFrame(rows, geometry=[house], crs=CRS)
    town.features = gpd.GeoDataFrame(pd.concat([town.features, more], ignore_index=True))


def plant_near_lamp(town: Town, column: int, row: int) -> None:
    line = border(town.shape(column, row), town.shape(column + 1, row))
    rows = {"code": [f"near {column} {row}"]}
    more = gpd.GeoDataFrame(rows, geometry=[Point(line[2] + [0.2, 0.0])], crs=CRS)
    town.components = gpd.GeoDataFrame(pd.concat([town.components, more], ignore_index=True))


def plant_load(town: Town, column: int, row: int) -> None:
    x, y = town.shape(column, row).centroid.coords[0]
    points = [Point(x + k, y) for k in range(30)]
    rows = {"code": [f"many {column} {row} {k}" for k in range(30)]}
    more = gpd.GeoDataFrame(rows, geometry=points, crs=CRS)
    town.components = gpd.GeoDataFrame(pd.concat([town.components, more], ignore_index=True))


Plant = Callable[[Town, int, int], None]
PLANTS: dict[str, tuple[Plant, frozenset[str]]] = {
    "UG01": (plant_no_code, frozenset({"UG26"})),
    "UG02": (plant_short_code, frozenset({"UG26"})),
    "UG03": (plant_double_code, frozenset({"UG26"})),
    "UG04": (plant_foreign_code, frozenset({"UG26"})),
    "UG05": (plant_parts, frozenset({"UG17", "UG22"})),
    "UG08": (plant_overlap, frozenset()),
    "UG09": (plant_gap, frozenset()),
    "UG10": (plant_missing_vertex, frozenset()),
    "UG11": (plant_ring, frozenset({"UG21"})),
    "UG16": (plant_cut_house, frozenset()),
    "UG17": (plant_missing, frozenset({"UG22"})),
    "UG18": (plant_crossing, frozenset()),
    "UG19": (plant_line, frozenset({"UG22"})),
    "UG20": (plant_sliver, frozenset()),
    "UG21": (plant_small, frozenset()),
    "UG22": (plant_large, frozenset({"UG17"})),
    "UG23": (plant_load, frozenset()),
    "UG24": (plant_near_lamp, frozenset()),
    "UG25": (plant_loose_vertex, frozenset({"UG25"})),
    "UG28": (plant_narrow_gap, frozenset()),
    "UG31": (plant_spike, frozenset({"UG31"})),
}
"""Rule -> how to plant its fault at a grid (clear of its community's border), and what comes with it."""


def spots(town: Town) -> Iterator[tuple[int, int]]:
    """Yield places far enough from each other and from community borders for any fault."""
    height = len(town.communities) * BLOCK * BLOCK // town.width
    for row in range(1, height, 4):
        for column in range(1, town.width - 3, 5):
            if column % BLOCK < BLOCK - 4 and 0 < row % BLOCK < BLOCK - 1:
                yield column, row


def main(count: int) -> None:
    """Check a layer of about `count` grids with faults of all kinds; print seconds and memory."""
    side = max(1, round((count / BLOCK**2) ** 0.5))
    town = make_town(side, side)
    places = list(spots(town))
    each = len(places) // len(PLANTS) // 4
    expected: Counter[str] = Counter()
    turn = iter(places)
    for rule, (plant, others) in PLANTS.items():
        for _ in range(min(each, 20)):
            plant(town, *next(turn))
            expected.update([rule, *others])
    start, worked = time.perf_counter(), time.process_time()
    review = check_layer(town.grids, around=town.surroundings())
    seconds, worked = time.perf_counter() - start, time.process_time() - worked
    found = Counter(review.faults["rule"])
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = [f"{len(town.grids)} grids: {seconds:.1f} s ({worked:.1f} s of work), {memory:.0f} MB"]
    lines += [f"{rule} planted {expected[rule]} found {found[rule]}" for rule in sorted(expected)]
    sys.stdout.write("\n".join([*lines, f"others {set(found) - set(expected)}", ""]))


if __name__ == "__main__":
    main(int(sys.argv[1]))
