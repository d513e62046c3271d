"""Regions into grids: large ones cut, poor ones merged or cut anew with a neighbour."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import shapely

from gridding.cutting import cut_polygon, shared_length
from gridding.faces import price_at
from gridding.features import Geometries, Scene
from gridding.objective import RING_COST, grid_cost
from gridding.options import DivisionOptions

_PASSES = 4
_LAND_SHARE = 0.6


@dataclass
class Workbench:
    """One piece of land being divided: its scene, indexed, and the rules."""

    scene: Scene
    options: DivisionOptions
    obstacles: Geometries = field(init=False)
    tree: shapely.STRtree = field(init=False)
    water: shapely.STRtree = field(init=False)

    def __post_init__(self) -> None:
        self.obstacles = _kept_whole(self.scene)
        self.tree = shapely.STRtree(self.obstacles)
        self.water = shapely.STRtree(self.scene.water)

    def obstacles_in(self, polygon: shapely.Polygon) -> Geometries:
        """Return the obstacles that reach into a polygon, in their fixed order."""
        rows = np.sort(self.tree.query(polygon, predicate="intersects"))
        found: Geometries = self.obstacles[rows]
        return found

    def target(self, polygon: shapely.Polygon) -> float:
        """Return the target area of a grid there: larger by the share that is water."""
        found = self.scene.water[np.sort(self.water.query(polygon, predicate="intersects"))]
        if len(found) == 0:
            return self.options.target_m2
        wet = float(shapely.intersection(shapely.union_all(found), polygon).area / polygon.area)
        # Land beside water keeps the usual target: only a grid that is mostly water may be large.
        mostly = max(0.0, (wet - _LAND_SHARE) / (1.0 - _LAND_SHARE))
        return self.options.target_m2 * (1.0 + (self.options.water_factor - 1.0) * mostly)

    def cost(self, polygon: shapely.Polygon) -> float:
        """Return the cost of a polygon as one grid; a ring round another grid is dear."""
        cost = grid_cost(
            polygon.area, polygon.length, target_m2=self.target(polygon), options=self.options
        )
        return cost + RING_COST * len(polygon.interiors)

    def border_cost(self, first: shapely.Polygon, second: shapely.Polygon) -> float:
        """Return the cost of the border two polygons share."""
        reach = shapely.buffer(second, 2 * self.options.precision_m, quad_segs=1)
        shared = shapely.get_parts(shapely.intersection(first.boundary, reach))
        shared = shared[shapely.length(shared) > 1.0]
        if len(shared) == 0:
            return 0.0
        pieces = shapely.segmentize(shared, 8.0)
        ends = [shapely.get_coordinates(piece) for piece in pieces]
        starts = np.concatenate([end[:-1] for end in ends])
        stops = np.concatenate([end[1:] for end in ends])
        price = price_at(shapely.points((starts + stops) / 2.0), self.scene, self.options)
        return float((price * np.hypot(*(stops - starts).T)).sum() / 100.0)


def _kept_whole(scene: Scene) -> Geometries:
    """Return compounds and the buildings outside them: a compound keeps its own buildings whole."""
    compounds = shapely.STRtree(scene.compounds)
    building, compound = compounds.query(scene.buildings, predicate="intersects")
    inside = shapely.area(
        shapely.intersection(scene.buildings[building], scene.compounds[compound])
    ) > 0.95 * shapely.area(scene.buildings[building])
    free = np.ones(len(scene.buildings), dtype=np.bool_)
    free[building[inside]] = False
    return np.concatenate([scene.buildings[free], scene.compounds])


def cut_large(polygon: shapely.Polygon, bench: Workbench) -> list[shapely.Polygon]:
    """Cut a polygon into as many grids as its area asks for, halving it again and again."""
    target = bench.target(polygon)
    wanted = round(polygon.area / target)
    if wanted < 2 or polygon.area < 1.35 * target:
        return [polygon]
    parts = cut_polygon(
        polygon,
        bench.obstacles_in(polygon),
        wanted=wanted,
        target_m2=target,
        options=bench.options,
    )
    if len(parts) < 2:
        return parts
    return [grid for part in parts for grid in cut_large(part, bench)]


Change = tuple[list[shapely.Polygon], float]
"""What two grids could become, and how the cost would change."""


@dataclass
class _Ground:
    """The grids of one piece of land while they change; a number is never used again."""

    alive: dict[int, shapely.Polygon]
    bench: Workbench
    last: int
    tried: dict[tuple[int, int], Change | None] = field(default_factory=dict)

    def poor(self) -> list[int]:
        """Return the grids outside 0.7-1.3 of their target or ragged, the worst first."""
        options = self.bench.options
        costs = {key: self.bench.cost(polygon) for key, polygon in self.alive.items()}
        limit = 0.09 * options.area_weight - options.grid_reward + 0.25
        return sorted((key for key in costs if costs[key] > limit), key=lambda k: (-costs[k], k))

    def change(self, key: int) -> bool:
        """Change a grid and the neighbour with which that gains most; False: nothing gains."""
        keys = [other for other in self.alive if other != key]
        tree = shapely.STRtree([self.alive[other] for other in keys])
        reach = 2 * self.bench.options.precision_m
        near = np.sort(tree.query(self.alive[key], predicate="dwithin", distance=reach))
        best: tuple[float, int, list[shapely.Polygon]] = (-1e-6, -1, [])
        for other in (keys[k] for k in near):
            found = self.best_of(key, other)
            if found is not None and found[1] < best[0]:
                best = (found[1], other, found[0])
        if best[1] < 0:
            return False
        del self.alive[key], self.alive[best[1]]
        for part in best[2]:
            self.last += 1
            self.alive[self.last] = part
        return True

    def best_of(self, key: int, other: int) -> Change | None:
        """Return the best change of two grids; each pair is worked out once."""
        pair = (min(key, other), max(key, other))
        if pair not in self.tried:
            changes = _alternatives(self.alive[pair[0]], self.alive[pair[1]], self.bench)
            self.tried[pair] = min(changes, key=lambda change: change[1], default=None)
        return self.tried[pair]


def improve(grids: list[shapely.Polygon], bench: Workbench) -> list[shapely.Polygon]:
    """Merge or cut anew every grid of poor size with the neighbour that gains most, while it gains.

    Grids are taken from the worst to the best, so that the order of the input plays no part.
    """
    ground = _Ground(alive=dict(enumerate(grids)), bench=bench, last=len(grids))
    for _ in range(_PASSES):
        changed = [ground.change(key) for key in ground.poor() if key in ground.alive]
        if not any(changed):
            break
    return list(ground.alive.values())


def _alternatives(
    first: shapely.Polygon, second: shapely.Polygon, bench: Workbench
) -> Iterator[Change]:
    """Yield the two as one, and cut anew, each with how much the cost changes."""
    if shared_length(first, second, bench.options) < 1.0:
        return
    united = shapely.union(first, second, grid_size=bench.options.precision_m)
    if united.geom_type != "Polygon":
        return
    before = bench.cost(first) + bench.cost(second) + bench.border_cost(first, second)
    yield [united], bench.cost(united) - before
    target = bench.target(united)
    wanted = max(2, round(united.area / target))
    if wanted > 3 or united.area < 1.3 * target:
        return
    parts = cut_polygon(
        united,
        bench.obstacles_in(united),
        wanted=wanted,
        target_m2=target,
        options=bench.options,
    )
    if len(parts) < 2:
        return
    after = sum(bench.cost(part) for part in parts)
    after += sum(bench.border_cost(a, b) for k, a in enumerate(parts) for b in parts[k + 1 :])
    yield parts, after - before
