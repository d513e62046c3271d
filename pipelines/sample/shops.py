"""Perimeter shops: rows of low buildings along a block's roads, with gaps for the gates."""

from dataclasses import dataclass

import numpy as np

from pipelines.sample.blocks import Block, Box
from pipelines.sample.fabric import Fabric, rectangles
from pipelines.sample.plan import Array

_CHANCE = (0.85, 0.85, 0.5, 0.2)
_PLATE_M = 14.0


@dataclass(frozen=True, kw_only=True)
class Gate:
    """The entrance of a compound."""

    at: tuple[float, float]
    """Plan point on the wall."""
    inward: tuple[float, float]
    """Unit vector from the road into the compound."""
    rank: int
    """Rank of the road it opens on."""
    setback_m: float
    """From the wall to the edge of the road's land."""


def line_with_shops(
    fabric: Fabric, block: Block, stream: np.random.Generator, *, gates: int
) -> tuple[Box, list[Gate]]:
    """Build shops along the block's roads; return the land behind them and its gates."""
    u0, v0, u1, v1 = block.box
    depth = stream.uniform(10, 13)
    chance = stream.uniform(size=4)
    shops = [bool(chance[side] < _CHANCE[rank]) for side, rank in enumerate(block.sides)]
    if min(u1 - u0, v1 - v0) < 70:
        shops = [False] * 4
    inset = [depth + 6 if has else 3.0 for has in shops]
    inner = (u0 + inset[0], v0 + inset[1], u1 - inset[2], v1 - inset[3])
    doors = _gates(block, inner, inset, stream, gates)
    for side in range(4):
        if shops[side]:
            _row(fabric, block, stream, side=side, depth=depth, gates=doors)
    return inner, doors


def _gates(
    block: Block, inner: Box, inset: list[float], stream: np.random.Generator, count: int
) -> list[Gate]:
    """Put one gate per compound on its quietest road that is no lane."""
    u0, v0, u1, v1 = inner
    wide = u1 - u0 > v1 - v0
    sides = [side for side in range(4) if count == 1 or (side % 2 == 1) == wide]
    side = max(sides, key=lambda s: (block.sides[s] < 3, block.sides[s], -s))
    result = []
    for index in range(count):
        share = (index + stream.uniform(0.4, 0.6)) / count
        if side % 2:
            at = (u0 + share * (u1 - u0), v0 if side == 1 else v1)
            inward = (0.0, 1.0 if side == 1 else -1.0)
        else:
            at = (u0 if side == 0 else u1, v0 + share * (v1 - v0))
            inward = (1.0 if side == 0 else -1.0, 0.0)
        result.append(Gate(at=at, inward=inward, rank=block.sides[side], setback_m=inset[side] + 6))
    return result


def _row(
    fabric: Fabric,
    block: Block,
    stream: np.random.Generator,
    *,
    side: int,
    depth: float,
    gates: list[Gate],
) -> None:
    u0, v0, u1, v1 = block.box
    along = side % 2 == 1
    low, high = (u0 + 1, u1 - 1) if along else (v0 + depth + 5, v1 - depth - 5)
    lengths = stream.uniform(16, 46, int(max(0, high - low) / 16) + 1)
    starts = low + np.concatenate([[0], np.cumsum(lengths + stream.uniform(2.5, 5))[:-1]])
    middle = starts + lengths / 2
    keep = (starts + lengths < high) & (stream.uniform(size=len(starts)) < 0.93)
    for gate in gates:
        position = gate.at[0] if along else gate.at[1]
        keep &= np.abs(middle - position) > lengths / 2 + 6
    middle, lengths = middle[keep], lengths[keep]
    if len(middle) == 0:
        return
    edge = (u0, v0, u1, v1)[side]
    inward = 1.0 if side < 2 else -1.0
    across = np.full(len(middle), edge + inward * (depth / 2 + 2))
    x, y = (middle, across) if along else (across, middle)
    width, deep = (lengths, depth) if along else (np.full(len(middle), depth), lengths)
    floors = stream.choice([1, 2, 2, 3], len(middle))
    indices = fabric.build(block, rectangles(x, y, width, deep), floors=floors, kind="shop")
    count = np.maximum(1, np.round(lengths / _PLATE_M)).astype(int)
    owner = np.repeat(np.arange(len(middle)), count)
    step = np.concatenate([(np.arange(n) + 0.5) / n - 0.5 for n in count])
    doors = middle[owner] + step * lengths[owner]
    facade = np.full(len(doors), edge + inward * 2.0)
    points: Array = np.column_stack([doors, facade] if along else [facade, doors])
    fabric.front(points, indices[owner])
