"""Fills the blocks: slab rows in gated compounds, towers, courtyards, shops along the roads."""

from collections.abc import Callable

import numpy as np
import shapely

from pipelines.sample import institutions
from pipelines.sample.blocks import Block, Box
from pipelines.sample.fabric import COURT, TOWER, Fabric, rectangles, shapes
from pipelines.sample.plan import Plan
from pipelines.sample.roads import HALF_ROW_M, Edge
from pipelines.sample.shops import Gate, line_with_shops

_Filler = Callable[[Fabric, Block, np.random.Generator], None]


def fill_blocks(plan: Plan, blocks: list[Block]) -> Fabric:
    """Fill all blocks by their use."""
    fabric = Fabric()
    stream = plan.stream("buildings")
    for block in blocks:
        _FILLERS[block.use](fabric, block, stream)
    return fabric


def _residential(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """One or two gated compounds of slab rows behind perimeter shops."""
    inner, gates = line_with_shops(fabric, block, stream, gates=_compound_count(block, stream))
    for part, gate in zip(_shares(inner, len(gates)), gates, strict=True):
        compound = fabric.enclose(block, part, kind="slab", gate=gate.at)
        if compound >= 0:
            _slab_rows(fabric, block, part, compound, stream)
            _drive(fabric, block, part, gate)


def _towers(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Build a compound of towers around a garden."""
    inner, gates = line_with_shops(fabric, block, stream, gates=1)
    compound = fabric.enclose(block, inner, kind="tower", gate=gates[0].at)
    if compound < 0:
        return
    u0, v0, u1, v1 = inner
    width, depth = stream.uniform(26, 34), stream.uniform(17, 21)
    columns = max(1, int((u1 - u0 - 10) // (width + 16)))
    rows = max(1, int((v1 - v0 - 10) // (depth + 34)))
    x = u0 + (np.arange(columns) + 0.5) * (u1 - u0) / columns
    y = v1 - (np.arange(rows) + 0.5) * (v1 - v0) / rows
    xs, ys = np.tile(x, rows), np.repeat(y, columns)
    shift = (np.repeat(np.arange(rows), columns) % 2) * min(8.0, (u1 - u0) / columns - width - 4)
    keep = stream.uniform(size=len(xs)) < 0.93
    rings = shapes((xs + shift - 3)[keep], ys[keep], width, depth, outline=TOWER)
    floors = int(stream.choice([18, 22, 26, 28, 32]))
    fabric.build(block, rings, floors=floors, kind="tower", compound=compound)
    for gap in range(rows - 1):
        middle = (y[gap] + y[gap + 1]) / 2
        strip = shapely.box(u0 + 9, middle - 9, u1 - 9, middle + 5)
        fabric.patch(block, strip, "green")
    _drive(fabric, block, inner, gates[0])
    ring = [
        (u0 + 4, v0 + 4),
        (u1 - 4, v0 + 4),
        (u1 - 4, v1 - 4),
        (u0 + 4, v1 - 4),
        (u0 + 4, v0 + 4),
    ]
    fabric.path(block, ring)


def _compound_count(block: Block, stream: np.random.Generator) -> int:
    area = (block.box[2] - block.box[0]) * (block.box[3] - block.box[1])
    return 2 if area > 34_000 and stream.uniform() < 0.75 else 1


def _shares(inner: Box, count: int) -> list[Box]:
    """Divide a box by a lane across its longer side."""
    u0, v0, u1, v1 = inner
    if count == 1:
        return [inner]
    if u1 - u0 > v1 - v0:
        middle = (u0 + u1) / 2
        return [(u0, v0, middle - 2.5, v1), (middle + 2.5, v0, u1, v1)]
    middle = (v0 + v1) / 2
    return [(u0, v0, u1, middle - 2.5), (u0, middle + 2.5, u1, v1)]


def _slab_rows(
    fabric: Fabric, block: Block, box: Box, compound: int, stream: np.random.Generator
) -> None:
    u0, v0, u1, v1 = box
    floors = int(stream.choice([5, 6, 6, 6, 7, 11]))
    depth, clear = stream.uniform(11.5, 13.5), floors * 3.0 * 1.15 + 2
    length, gap = stream.uniform(40, 64), stream.uniform(9, 13)
    columns = max(1, round((u1 - u0 - 12 + gap) / (length + gap)))
    length = (u1 - u0 - 12 - (columns - 1) * gap) / columns
    rows = max(1, int((v1 - v0 - 16 + clear) // (depth + clear)))
    clear = (v1 - v0 - 16 - rows * depth) / max(1, rows - 1) if rows > 1 else clear
    x = u0 + 6 + length / 2 + np.arange(columns) * (length + gap)
    y = v1 - 8 - depth / 2 - np.arange(rows) * (depth + clear)
    xs, ys = np.tile(x, rows), np.repeat(y, columns)
    keep = stream.uniform(size=len(xs)) < 0.95
    ragged = stream.uniform(-1.5, 1.5, len(xs)) - stream.integers(0, 2, len(xs)) * 4.0
    rings = rectangles(xs[keep], ys[keep], (length + ragged)[keep], depth)
    fabric.build(block, rings, floors=floors, kind="slab", compound=compound)
    for row in range(rows - 1):
        middle = (y[row] + y[row + 1]) / 2
        if row % 2 == 0:
            fabric.path(block, [(u0 + 3, middle), (u1 - 3, middle)])
        else:
            strip = shapely.box(u0 + 10, middle - clear * 0.2, u1 - 10, middle + clear * 0.2)
            fabric.patch(block, strip, "green")
    for column in range(columns - 1):
        between = (x[column] + x[column + 1]) / 2
        fabric.path(block, [(between, v0 + 3), (between, v1 - 3)])


def _drive(fabric: Fabric, block: Block, box: Box, gate: Gate) -> None:
    """Lead a drive from the road through the gate into the compound."""
    (u, v), (du, dv) = gate.at, gate.inward
    out = HALF_ROW_M[gate.rank] + 15
    reach = 0.35 * (box[2] - box[0] if du else box[3] - box[1])
    start = (u - du * min(out, gate.setback_m), v - dv * min(out, gate.setback_m))
    fabric.paths.append(shapely.LineString([start, (u, v)]))
    fabric.path(block, [(u, v), (u + du * reach, v + dv * reach)])


def _hutong(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Rows of courtyards back to back between lanes."""
    u0, v0, u1, v1 = block.box
    rows = max(1, round((v1 - v0) / 37))
    pitch = (v1 - v0) / rows
    for row in range(rows):
        low = v0 + row * pitch
        if row:
            fabric.lanes.append(
                Edge(
                    axis="EW",
                    at=round(low, 2),
                    start=block.outline[0],
                    end=block.outline[2],
                    rank=3,
                )
            )
        for south in (True, False):
            yard = pitch / 2 - 3.4
            y = low + 2.8 + yard / 2 if south else low + pitch - 2.8 - yard / 2
            widths = stream.uniform(11, 19, int((u1 - u0) / 12) + 2)
            edges = u0 + 1 + np.concatenate([[0], np.cumsum(widths + 1.4)])
            fits = edges[1:] < u1 - 1
            x = (edges[:-1] + widths / 2)[fits]
            keep = stream.uniform(size=len(x)) < 0.94
            x, width = x[keep], widths[fits][keep]
            deep = yard - stream.uniform(0, 1.5, len(x))
            ys = np.full(len(x), y)
            rings = shapes(x, ys, width, deep, outline=COURT)
            if not south:
                rings = rings.copy()
                rings[..., 1] = 2 * y - rings[..., 1]
                rings = rings[:, ::-1]
            floors = stream.choice([1, 1, 1, 2], len(x))
            indices = fabric.build(block, rings, floors=floors, kind="court")
            facade = y - deep / 2 if south else y + deep / 2
            fabric.front(np.column_stack([x, facade]), indices)


def _village(fabric: Fabric, block: Block, stream: np.random.Generator) -> None:
    """Farmhouses in loose rows, gardens around them."""
    u0, v0, u1, v1 = block.box
    xs, ys = np.meshgrid(np.arange(u0 + 22, u1 - 20, 17.0), np.arange(v0 + 20, v1 - 18, 24.0))
    x, y = xs.ravel(), ys.ravel()
    middle = ((u0 + u1) / 2, (v0 + v1) / 2)
    far = np.hypot((x - middle[0]) / (u1 - u0), (y - middle[1]) / (v1 - v0))
    keep = stream.uniform(size=len(x)) < 1.25 - 1.9 * far
    x, y = x[keep] + stream.uniform(-1.5, 1.5, keep.sum()), y[keep]
    y = y + stream.uniform(-1.5, 1.5, len(y))
    rings = shapes(
        x, y, stream.uniform(10, 13, len(x)), stream.uniform(11, 15, len(x)), outline=COURT
    )
    indices = fabric.build(
        block, rings, floors=stream.choice([1, 2, 2, 3], len(x)), kind="farmhouse"
    )
    fabric.front(np.column_stack([x, y - 6]), indices)
    for level in np.arange(v0 + 32, v1 - 20, 48.0):
        fabric.path(block, [(u0 - 6, float(level)), (u1 + 6, float(level))])


_FILLERS: dict[str, _Filler] = {
    "slab": _residential,
    "tower": _towers,
    "hutong": _hutong,
    "village": _village,
    **institutions.FILLERS,
}
