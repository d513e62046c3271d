"""Fills the blocks that are no housing: offices, mall, school, hospital, station, park, fields."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import shapely
import shapely.affinity

from pipelines.sample.blocks import Block, Box
from pipelines.sample.fabric import HALL, WARD, Fabric, rectangles, shapes
from pipelines.sample.plan import Array
from pipelines.sample.shops import line_with_shops


def _one(block_box: Box, width: float, depth: float, *, at: tuple[float, float]) -> Array:
    """Return one rectangle placed at shares of the box."""
    u0, v0, u1, v1 = block_box
    x, y = u0 + at[0] * (u1 - u0), v0 + at[1] * (v1 - v0)
    return rectangles(np.array([x]), np.array([y]), width, depth)


def _offices(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Office towers, each on its plot, parking between them."""
    u0, v0, u1, v1 = block.box
    columns, rows = max(1, int((u1 - u0) // 78)), max(1, int((v1 - v0) // 70))
    x = u0 + (np.arange(columns) + 0.5) * (u1 - u0) / columns
    y = v0 + (np.arange(rows) + 0.5) * (v1 - v0) / rows
    xs, ys = np.tile(x, rows), np.repeat(y, columns)
    width, depth = stream.uniform(26, 52, len(xs)), stream.uniform(20, 38, len(xs))
    floors = stream.integers(9, 31, len(xs))
    rings = rectangles(xs, ys + stream.uniform(-5, 5, len(ys)), width, depth)
    indices = fabric.build(block, rings, floors=floors, kind="office")
    up = ys > (v0 + v1) / 2
    fabric.front(
        np.column_stack([xs, np.where(up, ys + depth / 2 + 6, ys - depth / 2 - 6)]), indices
    )
    if columns > 1:
        fabric.patch(block, shapely.box(x[0] + 30, v0 + 8, x[1] - 30, v1 - 8), "parking")
    fabric.path(block, [(u0 - 8, (v0 + v1) / 2), (u1 + 8, (v0 + v1) / 2)])


def _commerce(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Big stores and a row of shops around."""
    inner, _ = line_with_shops(fabric, block, stream, gates=1)
    u0, v0, u1, v1 = inner
    if u1 - u0 < 40 or v1 - v0 < 40:
        return
    columns = max(1, int((u1 - u0) // 90))
    x = u0 + (np.arange(columns) + 0.5) * (u1 - u0) / columns
    rings = rectangles(
        x, np.full(columns, (v0 + v1) / 2), (u1 - u0) / columns * 0.72, (v1 - v0) * 0.6
    )
    floors = stream.integers(4, 8, columns)
    indices = fabric.build(block, rings, floors=floors, kind="store")
    fabric.front(np.column_stack([x, np.full(columns, v0)]), indices)


def _mall(fabric: Fabric, block: Block, _: np.random.Generator) -> None:
    """One huge building with a forecourt."""
    u0, v0, u1, v1 = block.box
    x, y = np.array([(u0 + u1) / 2]), np.array([(v0 + v1) / 2 + 8])
    rings = shapes(x, y, (u1 - u0) * 0.86, (v1 - v0) * 0.74, outline=HALL)
    indices = fabric.build(block, rings, floors=6, kind="mall")
    fabric.front(np.column_stack([x, np.array([v0 + 4])]), indices)
    fabric.patch(block, shapely.box(u0 + 10, v0 + 3, u1 - 10, v0 + (v1 - v0) * 0.1), "square")


def _market(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Long market halls."""
    inner, gates = line_with_shops(fabric, block, stream, gates=1)
    compound = fabric.enclose(block, inner, kind="market", gate=gates[0].at)
    u0, v0, u1, v1 = inner
    y = np.arange(v0 + 14, v1 - 10, 26.0)
    rings = rectangles(np.full(len(y), (u0 + u1) / 2), y, (u1 - u0) * 0.8, 14)
    fabric.build(block, rings, floors=1, kind="market", compound=compound)


def _school(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Teaching buildings and a sports ground with its track."""
    inner, gates = line_with_shops(fabric, block, stream, gates=1)
    compound = fabric.enclose(block, inner, kind="school", gate=gates[0].at)
    u0, v0, u1, v1 = inner
    size = min(1.0, (u1 - u0 - 16) / 176, (v1 - v0 - 60) / 92)
    ground = v0 + 6
    if size > 0.35:
        east, north = u1 - 8 - 88 * size, v0 + 6 + 46 * size
        track = shapely.LineString([(east - 42 * size, north), (east + 42 * size, north)]).buffer(
            45 * size
        )
        fabric.patch(block, track, "pitch")
        ground = north + 46 * size + 10
    rows = max(1, int((v1 - 8 - ground) // 36))
    columns = max(1, int((u1 - u0 - 10) // 82))
    x = u0 + (np.arange(columns) + 0.5) * (u1 - u0) / columns
    y = v1 - 12 - np.arange(rows) * 36.0
    xs, ys = np.tile(x, rows), np.repeat(y, columns)
    keep = ys - 8 > ground
    rings = rectangles(xs[keep], ys[keep], min(64, (u1 - u0) / columns - 14), 15)
    fabric.build(block, rings, floors=int(stream.integers(3, 6)), kind="school", compound=compound)
    fabric.path(block, [gates[0].at, ((u0 + u1) / 2, (v0 + v1) / 2)])


def _hospital(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Build a main building with wings, wards behind it and a garden."""
    inner, gates = line_with_shops(fabric, block, stream, gates=1)
    compound = fabric.enclose(block, inner, kind="hospital", gate=gates[0].at)
    u0, v0, u1, v1 = inner
    width, height = u1 - u0, v1 - v0
    x, y = np.array([u0 + width * 0.5]), np.array([v0 + height * 0.3])
    main = shapes(x, y, width * 0.7, height * 0.36, outline=WARD)
    fabric.build(block, main, floors=12, kind="hospital", compound=compound)
    wards = rectangles(
        u0 + width * np.array([0.24, 0.72]), np.full(2, v0 + height * 0.68), width * 0.36, 16
    )
    fabric.build(block, wards, floors=8, kind="hospital", compound=compound)
    fabric.patch(
        block, shapely.box(u0 + 20, v0 + height * 0.78, u1 - 20, v1 - height * 0.08), "green"
    )
    fabric.patch(
        block, shapely.box(u0 + 6, v0 + 3, u0 + width * 0.4, v0 + height * 0.09), "parking"
    )


def _station(fabric: Fabric, block: Block, _: np.random.Generator) -> None:
    """Build the railway station and the square before it."""
    u0, v0, u1, v1 = block.box
    rings = _one(block.box, (u1 - u0) * 0.42, (v1 - v0) * 0.8, at=(0.72, 0.5))
    indices = fabric.build(block, rings, floors=3, kind="station")
    fabric.front(np.array([[u0 + 6, (v0 + v1) / 2]]), indices)
    square = shapely.box(u0 + 5, v0 + 8, u0 + (u1 - u0) * 0.46, v1 - 8)
    fabric.patch(block, square, "square")


def _sheds(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Build factory sheds behind a wall."""
    inner, gates = line_with_shops(fabric, block, stream, gates=1)
    compound = fabric.enclose(block, inner, kind="sheds", gate=gates[0].at)
    u0, v0, u1, v1 = inner
    columns, rows = max(1, int((u1 - u0) // 92)), max(1, int((v1 - v0) // 46))
    x = u0 + (np.arange(columns) + 0.5) * (u1 - u0) / columns
    y = v0 + (np.arange(rows) + 0.5) * (v1 - v0) / rows
    xs, ys = np.tile(x, rows), np.repeat(y, columns)
    keep = stream.uniform(size=len(xs)) < 0.88
    wide = (u1 - u0) / columns * stream.uniform(0.6, 0.84, len(xs))
    rings = rectangles(xs[keep], ys[keep], wide[keep], (v1 - v0) / rows * 0.62)
    fabric.build(block, rings, floors=1, kind="shed", compound=compound)


def _site(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Fence a building site with towers half built."""
    inner, gates = line_with_shops(fabric, block, stream, gates=1)
    compound = fabric.enclose(block, inner, kind="site", gate=gates[0].at)
    width = min(30.0, (inner[2] - inner[0]) * 0.2)
    rings = np.concatenate([_one(inner, width, 18, at=(share, 0.5)) for share in (0.2, 0.5, 0.8)])
    fabric.build(block, rings, floors=5, kind="unfinished", compound=compound)


def _vacant(fabric: Fabric, block: Block, _: np.random.Generator) -> None:
    """Land on which nothing stands."""
    fabric.patch(block, block.land, "vacant")


def _green(fabric: Fabric, block: Block, _: np.random.Generator) -> None:
    """Plant a corner."""
    fabric.patch(block, block.land, "green")


def _square(fabric: Fabric, block: Block, _: np.random.Generator) -> None:
    """Lay out a square with a hall at its north side and lawns."""
    u0, v0, u1, v1 = block.box
    width, height = u1 - u0, v1 - v0
    indices = fabric.build(
        block, _one(block.box, width * 0.6, height * 0.2, at=(0.5, 0.84)), floors=4, kind="hall"
    )
    fabric.front(np.array([[(u0 + u1) / 2, v1 - 2]]), indices)
    fabric.patch(block, shapely.box(u0 + 4, v0 + 4, u1 - 4, v0 + height * 0.7), "square")
    for share in (0.06, 0.62):
        lawn = shapely.box(
            u0 + width * share, v0 + height * 0.12, u0 + width * (share + 0.32), v0 + height * 0.56
        )
        fabric.patch(block, lawn, "green")


def _park(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Lay out a park with a lake, a walk around it and pavilions."""
    u0, v0, u1, v1 = block.land.bounds
    size = min(u1 - u0, v1 - v0)
    angles = np.linspace(0, 2 * np.pi, 73)[:-1]
    wave = 1 + 0.16 * np.sin(3 * angles + stream.uniform(0, 6)) + 0.08 * np.sin(5 * angles)
    reach = np.column_stack([(u1 - u0) * 0.3 * wave, (v1 - v0) * 0.27 * wave])
    middle = np.array([(u0 + u1) / 2, (v0 + v1) / 2])
    ring = middle + reach * np.column_stack([np.cos(angles), np.sin(angles)])
    lake = shapely.Polygon(ring).intersection(block.land.buffer(-12))
    if size < 90 or lake.geom_type != "Polygon" or lake.area < 600:
        fabric.patch(block, block.land, "park")
        return
    fabric.patch(block, block.land.difference(lake), "park")
    fabric.patch(block, lake, "lake")
    walk = lake.buffer(9).exterior.simplify(0.5)
    fabric.path(block, [(float(x), float(y)) for x, y in walk.coords])
    fabric.path(block, [(u0, middle[1]), (float(lake.bounds[0]) - 9, middle[1])])
    fabric.path(block, [(float(lake.bounds[2]) + 9, middle[1]), (u1, middle[1])])
    pavilions = rectangles(np.array([u0 + 14, u1 - 14]), np.array([v1 - 14, v0 + 14]), 9.0, 9.0)
    fabric.build(block, pavilions, floors=1, kind="pavilion")


def _field(fabric: Fabric, block: Block, _: np.random.Generator) -> None:
    """Fields in strips."""
    u0, v0, u1, v1 = block.box
    count = max(2, int((u1 - u0) // 60))
    edges = np.linspace(u0, u1, count + 1)
    for left, right in pairwise(edges.tolist()):
        fabric.patch(block, shapely.box(left + 1.5, v0, right - 1.5, v1), "field")


FILLERS: dict[str, Callable[[Fabric, Block, np.random.Generator], None]] = {
    "office": _offices,
    "commerce": _commerce,
    "mall": _mall,
    "market": _market,
    "school": _school,
    "hospital": _hospital,
    "station": _station,
    "sheds": _sheds,
    "site": _site,
    "vacant": _vacant,
    "green": _green,
    "square": _square,
    "park": _park,
    "field": _field,
}
