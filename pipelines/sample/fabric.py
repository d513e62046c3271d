"""What stands on the blocks, gathered while they are filled: buildings, compounds, green, plates."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import shapely

from pipelines.sample.blocks import Block, Box
from pipelines.sample.plan import Array, Integers
from pipelines.sample.roads import Edge


@dataclass(frozen=True, kw_only=True)
class Compound:
    """A walled or at least named piece of land with one gate."""

    kind: str
    """Use of its block: slab, tower, school …"""
    land: shapely.Polygon
    gate: tuple[float, float]
    """Plan point of the gate on the wall."""
    superblock: int


@dataclass(frozen=True, kw_only=True)
class Patch:
    """A named or unnamed piece of open land."""

    kind: str
    """green, park, lake, pitch, square, field or parking."""
    land: shapely.Polygon


@dataclass(frozen=True, kw_only=True)
class Buildings:
    """All buildings, ring by ring; plan metres."""

    rings: tuple[Array, ...]
    """Batches (n, k, 2), in the order of the building indices."""
    floors: Integers
    kinds: npt.NDArray[np.str_]
    compounds: Integers
    """Index of the compound, -1 outside any."""
    numbers: Integers
    """Number 楼号 within the compound, 0 without."""


@dataclass(kw_only=True)
class Fabric:
    """The growing fabric; blocks are filled one after another."""

    compounds: list[Compound] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)
    lanes: list[Edge] = field(default_factory=list)
    paths: list[shapely.LineString] = field(default_factory=list)
    """Internal roads of compounds and parks, plan lines."""
    plates: list[tuple[Array, Integers]] = field(default_factory=list)
    """Facade points (n, 2) and the indices of their buildings."""
    _rings: list[Array] = field(default_factory=list)
    _floors: list[Integers] = field(default_factory=list)
    _kinds: list[npt.NDArray[np.str_]] = field(default_factory=list)
    _compounds: list[Integers] = field(default_factory=list)
    _numbers: list[Integers] = field(default_factory=list)
    _numbered: dict[int, int] = field(default_factory=dict)
    _count: int = 0

    def build(
        self,
        block: Block,
        rings: Array,
        *,
        floors: npt.ArrayLike,
        kind: str,
        compound: int = -1,
    ) -> Integers:
        """Add buildings (n, k, 2) that stand wholly on the block's land; return their indices.

        The result has one entry per given ring, -1 for those left out. Within a compound the
        buildings that stay are numbered in the order given, each number once.
        """
        keep = np.ones(len(rings), dtype=bool)
        if block.is_cut and len(rings):
            shapely.prepare(block.land)
            keep = shapely.contains_properly(block.land, shapely.polygons(rings))
        count = int(keep.sum())
        result = np.full(len(rings), -1, dtype=np.int64)
        result[keep] = self._count + np.arange(count)
        if count == 0:
            return result
        self._count += count
        self._rings.append(rings[keep])
        self._floors.append(np.broadcast_to(floors, len(rings))[keep].astype(np.int64))
        self._kinds.append(np.full(count, kind, dtype="U10"))
        self._compounds.append(np.full(count, compound, dtype=np.int64))
        before = self._numbered.get(compound, 0)
        self._numbered[compound] = before + count
        numbers = before + np.arange(1, count + 1) if compound >= 0 else np.zeros(count)
        self._numbers.append(numbers.astype(np.int64))
        return result

    def enclose(self, block: Block, box: Box, *, kind: str, gate: tuple[float, float]) -> int:
        """Add a compound on the part of `box` that is the block's land; return its index or -1."""
        land = shapely.box(*box)
        if block.is_cut:
            parts = shapely.get_parts(land.intersection(block.land.buffer(-1.0)))
            land = max(parts, key=lambda part: part.area, default=shapely.Polygon())
        if land.geom_type != "Polygon" or land.area < 900:
            return -1
        self.compounds.append(
            Compound(kind=kind, land=land, gate=gate, superblock=block.superblock)
        )
        return len(self.compounds) - 1

    def patch(self, block: Block, land: shapely.Geometry, kind: str) -> None:
        """Add open land, less what is not the block's."""
        inside = land.intersection(block.land) if block.is_cut else land
        for part in shapely.get_parts(inside):
            if part.geom_type == "Polygon" and part.area > 60:
                self.patches.append(Patch(kind=kind, land=part))

    def path(self, block: Block, line: list[tuple[float, float]]) -> None:
        """Add an internal road, less what leaves the block's land."""
        shape = shapely.LineString(line)
        parts = shapely.get_parts(shape.intersection(block.land)) if block.is_cut else [shape]
        self.paths += [p for p in parts if p.geom_type == "LineString" and p.length > 12]

    def front(self, points: Array, buildings: Integers) -> None:
        """Add facade points at which a door plate hangs."""
        keep = buildings >= 0
        if keep.any():
            self.plates.append((points[keep], buildings[keep]))

    def buildings(self) -> Buildings:
        """Return all buildings added so far."""
        return Buildings(
            rings=tuple(self._rings),
            floors=np.concatenate(self._floors),
            kinds=np.concatenate(self._kinds),
            compounds=np.concatenate(self._compounds),
            numbers=np.concatenate(self._numbers),
        )


def rectangles(x: Array, y: Array, width: npt.ArrayLike, depth: npt.ArrayLike) -> Array:
    """Return rings (n, 4, 2) of rectangles centred at x, y.

    Examples
    --------
    >>> rectangles(np.array([0.0]), np.array([0.0]), 4, 2).tolist()
    [[[-2.0, -1.0], [2.0, -1.0], [2.0, 1.0], [-2.0, 1.0]]]
    """
    return shapes(x, y, width, depth, outline=((-1, -1), (1, -1), (1, 1), (-1, 1)))


def shapes(
    x: Array,
    y: Array,
    width: npt.ArrayLike,
    depth: npt.ArrayLike,
    *,
    outline: tuple[tuple[float, float], ...],
) -> Array:
    """Return rings of `outline`, given on -1…1, stretched to width and depth and centred at x, y."""
    unit = np.array(outline, dtype=float) / 2
    size = np.stack(np.broadcast_arrays(width, depth, x)[:2], axis=-1).astype(float)
    rings: Array = np.column_stack([x, y])[:, None, :] + unit[None] * size[:, None, :]
    return rings


COURT = ((-1, -1), (-0.25, -1), (-0.25, 0.1), (0.3, 0.1), (0.3, -1), (1, -1), (1, 1), (-1, 1))
"""Three wings around a yard that is open to the south."""
TOWER = (
    (-1, -0.5), (-0.35, -0.5), (-0.35, -1), (0.35, -1), (0.35, -0.5), (1, -0.5), (1, 0.7),
    (0.3, 0.7), (0.3, 1), (-0.3, 1), (-0.3, 0.7), (-1, 0.7),
)  # fmt: skip
HALL = (
    (-1, -0.8), (-0.9, -1), (0.6, -1), (1, -0.7), (1, 0.75), (0.8, 1), (-0.7, 1), (-1, 0.8),
)  # fmt: skip
WARD = (
    (-1, -1), (-0.8, -1), (-0.8, 0.2), (-0.1, 0.2), (-0.1, -0.8), (0.15, -0.8), (0.15, 0.2),
    (0.8, 0.2), (0.8, -1), (1, -1), (1, 0.7), (0.2, 0.7), (0.2, 1), (-0.2, 1), (-0.2, 0.7), (-1, 0.7),
)  # fmt: skip
