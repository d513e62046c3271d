"""Blocks between roads: every superblock divided until its blocks have the size of their kind."""

from dataclasses import dataclass, replace

import numpy as np
import shapely

from pipelines.sample.plan import Plan, Superblock
from pipelines.sample.roads import HALF_ROW_M, RIVER_CORRIDOR_M, Edge

Box = tuple[float, float, float, float]
Sides = tuple[int, int, int, int]

_TARGET_M2 = {
    "core": 42_000, "old": 22_000, "slab": 52_000, "tower": 62_000, "industry": 80_000,
    "rural": 95_000, "park": 1e9, "station": 60_000, "campus": 110_000,
}  # fmt: skip
_USES = {
    "core": {"office": 0.4, "commerce": 0.25, "slab": 0.2, "tower": 0.15},
    "old": {"hutong": 0.8, "slab": 0.15, "commerce": 0.05},
    "slab": {"slab": 0.76, "tower": 0.1, "office": 0.05, "commerce": 0.06, "green": 0.03},
    "tower": {"tower": 0.7, "slab": 0.14, "commerce": 0.07, "site": 0.05, "green": 0.04},
    "industry": {"sheds": 0.75, "slab": 0.1, "vacant": 0.15},
    "rural": {"village": 0.35, "field": 0.65},
    "park": {"park": 1.0},
    "station": {"slab": 0.4, "commerce": 0.4, "office": 0.2},
    "campus": {"school": 0.55, "slab": 0.3, "green": 0.15},
}


@dataclass(frozen=True, kw_only=True)
class Block:
    """Land between roads with one use."""

    superblock: int
    use: str
    box: Box
    """Extent inside the surrounding roads' land, plan m."""
    outline: Box
    """Extent on the surrounding roads' centrelines, plan m."""
    sides: Sides
    """Ranks of the roads at the left, bottom, right and top."""
    land: shapely.Polygon
    """The box less what river, railway and diagonal take."""
    is_cut: bool
    """River, railway or diagonal take a part of the box."""


def divide_land(plan: Plan) -> tuple[list[Block], list[Edge]]:
    """Divide all superblocks into blocks and return the roads between them."""
    stream = plan.stream("blocks")
    corridor = shapely.union_all(
        [
            plan.river_axis.buffer(RIVER_CORRIDOR_M + HALF_ROW_M[2], cap_style="flat"),
            plan.railway.buffer(18),
            plan.diagonal.buffer(HALF_ROW_M[0]),
        ]
    )
    shapely.prepare(corridor)
    blocks: list[Block] = []
    edges: list[Edge] = []
    for index, superblock in enumerate(plan.superblocks):
        edges += _frame(superblock)
        for box, sides in _quarters(superblock, edges):
            for leaf, ranks in _divided(stream, box, sides, _TARGET_M2[superblock.kind], edges):
                use = _use(stream, superblock.kind)
                blocks += _blocks(index, use, leaf, ranks, corridor)
    return _wishes(blocks, plan), edges


def _frame(block: Superblock) -> list[Edge]:
    u0, v0, u1, v1 = block.box
    return [
        Edge(axis="EW", at=v0, start=u0, end=u1, rank=0),
        Edge(axis="EW", at=v1, start=u0, end=u1, rank=0),
        Edge(axis="NS", at=u0, start=v0, end=v1, rank=0),
        Edge(axis="NS", at=u1, start=v0, end=v1, rank=0),
    ]


def _quarters(block: Superblock, edges: list[Edge]) -> list[tuple[Box, Sides]]:
    parts: list[tuple[Box, Sides]] = [(block.box, (0, 0, 0, 0))]
    if block.split_u is not None:
        parts = [half for part in parts for half in _cut(part, "NS", block.split_u, 1, edges)]
    if block.split_v is not None:
        parts = [half for part in parts for half in _cut(part, "EW", block.split_v, 1, edges)]
    return parts


def _cut(
    part: tuple[Box, Sides], axis: str, at: float, rank: int, edges: list[Edge]
) -> list[tuple[Box, Sides]]:
    (u0, v0, u1, v1), (left, bottom, right, top) = part
    if axis == "NS":
        edges.append(Edge(axis="NS", at=at, start=v0, end=v1, rank=rank))
        return [
            ((u0, v0, at, v1), (left, bottom, rank, top)),
            ((at, v0, u1, v1), (rank, bottom, right, top)),
        ]
    edges.append(Edge(axis="EW", at=at, start=u0, end=u1, rank=rank))
    return [
        ((u0, v0, u1, at), (left, bottom, right, rank)),
        ((u0, at, u1, v1), (left, rank, right, top)),
    ]


def _divided(
    stream: np.random.Generator, box: Box, sides: Sides, target_m2: float, edges: list[Edge]
) -> list[tuple[Box, Sides]]:
    """Halve a box across its longer side by branch roads until it is small enough."""
    width, height = box[2] - box[0], box[3] - box[1]
    if width * height < target_m2 * stream.uniform(0.75, 1.3) or max(width, height) < 130:
        return [(box, sides)]
    share = stream.uniform(0.4, 0.6)
    if width * stream.uniform(0.85, 1.18) > height:
        halves = _cut((box, sides), "NS", round(box[0] + share * width, 1), 2, edges)
    else:
        halves = _cut((box, sides), "EW", round(box[1] + share * height, 1), 2, edges)
    return [
        leaf for part, ranks in halves for leaf in _divided(stream, part, ranks, target_m2, edges)
    ]


def _use(stream: np.random.Generator, kind: str) -> str:
    table = _USES[kind]
    return str(stream.choice(list(table), p=np.array(list(table.values())) / sum(table.values())))


def _blocks(
    superblock: int, use: str, outline: Box, sides: Sides, corridor: shapely.Geometry
) -> list[Block]:
    """Take the roads' land off a leaf; what river or railway part becomes two blocks."""
    half = [HALF_ROW_M[rank] for rank in sides]
    box = (
        outline[0] + half[0], outline[1] + half[1], outline[2] - half[2], outline[3] - half[3],
    )  # fmt: skip
    whole = shapely.box(*box)
    if not corridor.intersects(whole):
        return [
            Block(
                superblock=superblock, use=use, box=box, outline=outline, sides=sides, land=whole,
                is_cut=False,
            )
        ]  # fmt: skip
    parts = shapely.get_parts(whole.difference(corridor)).tolist()
    return [
        Block(
            superblock=superblock, use=use if part.area > 4000 else "green", box=part.bounds,
            outline=outline, sides=sides, land=part, is_cut=True,
        )
        for part in sorted(parts, key=lambda part: part.bounds)
        if part.area > 400
    ]  # fmt: skip


def _wishes(blocks: list[Block], plan: Plan) -> list[Block]:
    """Give the district what every district has: a mall, a hospital, schools, a square."""
    kinds = [plan.superblocks[block.superblock].kind for block in blocks]
    taken: set[int] = set()

    def assign(use: str, wanted: tuple[str, ...], count: int, least_m2: float = 9_000) -> None:
        free = [
            index
            for index, block in enumerate(blocks)
            if kinds[index] in wanted and index not in taken and block.land.area > least_m2
            and not block.is_cut
        ]  # fmt: skip
        free.sort(key=lambda index: -round(blocks[index].land.area))
        step = max(1, len(free) // max(1, count))
        for index in free[::step][:count]:
            taken.add(index)
            blocks[index] = replace(blocks[index], use=use)

    per = max(1.0, plan.area_km2 / 4)
    assign("mall", ("core",), 1, 14_000)
    assign("square", ("core",), 1)
    assign("station", ("station",), 1, 12_000)
    assign("hospital", ("slab", "tower", "station"), max(1, round(per)), 16_000)
    assign("school", ("slab", "tower", "old"), max(2, round(per * 5)), 12_000)
    assign("market", ("slab", "old"), max(1, round(per)))
    assign("park", ("tower", "slab"), max(1, round(per)), 14_000)
    return blocks
