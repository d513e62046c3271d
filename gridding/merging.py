"""Greedy merging of neighbouring faces while the division gets cheaper."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.faces import Faces
from gridding.objective import RING_COST, grid_cost
from gridding.options import DivisionOptions

Floats = NDArray[np.float64]


@dataclass
class _Regions:
    """Regions under merging: plain lists and dicts, because they change one at a time."""

    area: list[float]
    perimeter: list[float]
    target: list[float]
    border: list[dict[int, tuple[float, float]]]
    """Neighbour -> (shared length, cost of the shared border)."""
    version: list[int]
    options: DivisionOptions

    def cost(self, area: float, perimeter: float, target: float) -> float:
        return grid_cost(area, perimeter, target_m2=target, options=self.options)

    def gain(self, a: int, b: int) -> float:
        """Return how much the division's cost changes when `a` and `b` become one."""
        shared, price = self.border[a][b]
        area = self.area[a] + self.area[b]
        target = (self.target[a] * self.area[a] + self.target[b] * self.area[b]) / area
        merged = self.cost(area, self.perimeter[a] + self.perimeter[b] - 2 * shared, target)
        apart = self.cost(self.area[a], self.perimeter[a], self.target[a])
        apart += self.cost(self.area[b], self.perimeter[b], self.target[b])
        if self.is_ring(a, b):
            return min(merged, 0.0) - apart - price - RING_COST
        small = min(self.area[a], self.area[b]) < 0.3 * target
        if area > (2.2 if small else self.options.upper_ratio) * target:
            return np.inf
        return merged - apart - price

    def is_ring(self, a: int, b: int) -> bool:
        """Return whether one lies inside the other, and that is too small to be cut open later."""
        inner, outer = (a, b) if self.perimeter[a] < self.perimeter[b] else (b, a)
        encloses = self.border[a][b][0] > 0.999 * self.perimeter[inner]
        return encloses and self.area[outer] < self.options.upper_ratio * self.target[outer]

    def merge(self, a: int, b: int) -> None:
        """Make `b` part of `a`."""
        shared, _ = self.border[a].pop(b)
        del self.border[b][a]
        area = self.area[a] + self.area[b]
        self.target[a] = (self.target[a] * self.area[a] + self.target[b] * self.area[b]) / area
        self.area[a] = area
        self.perimeter[a] += self.perimeter[b] - 2 * shared
        for other, (length, price) in self.border[b].items():
            del self.border[other][b]
            before = self.border[a].get(other, (0.0, 0.0))
            self.border[a][other] = (before[0] + length, before[1] + price)
            self.border[other][a] = self.border[a][other]
        self.border[b].clear()
        self.version[a] += 1
        self.version[b] += 1


def merge_faces(
    faces: Faces,
    *,
    target_m2: Floats,
    links: Iterable[tuple[int, int]] = (),
    options: DivisionOptions,
) -> NDArray[np.intp]:
    """Return for every face the number of the region it falls in, dearest merges first.

    Linked neighbours merge whatever it costs. Small faces always find a neighbour when they have one
    whose sum can later be cut in two; others merge only while that makes the division cheaper. Ties
    go to the lower face numbers.
    """
    count = len(faces.polygons)
    regions = _Regions(
        area=shapely.area(faces.polygons).tolist(),
        perimeter=shapely.length(faces.polygons).tolist(),
        target=target_m2.tolist(),
        border=[{} for _ in range(count)],
        version=[0] * count,
        options=options,
    )
    columns = (
        faces.left.tolist(),
        faces.right.tolist(),
        faces.length_m.tolist(),
        faces.cost.tolist(),
    )
    for a, b, length, cost in zip(*columns, strict=True):
        regions.border[a][b] = regions.border[b][a] = (length, cost)
    parent = list(range(count))
    for one, other in links:
        a, b = sorted((_root(parent, one), _root(parent, other)))
        if a != b and b in regions.border[a]:
            regions.merge(a, b)
            parent[b] = a
    heap = [
        (regions.gain(a, b), a, b, regions.version[a], regions.version[b])
        for a in range(count)
        for b in sorted(regions.border[a])
        if a < b
    ]
    heap = [entry for entry in heap if entry[0] < 0]
    heapq.heapify(heap)
    while heap:
        _, a, b, version_a, version_b = heapq.heappop(heap)
        if (regions.version[a], regions.version[b]) != (version_a, version_b):
            continue
        regions.merge(a, b)
        parent[b] = a
        for other in sorted(regions.border[a]):
            low, high = min(a, other), max(a, other)
            gain = regions.gain(low, high)
            if gain < 0:
                entry = (gain, low, high, regions.version[low], regions.version[high])
                heapq.heappush(heap, entry)
    return np.array([_root(parent, face) for face in range(count)], dtype=np.intp)


def _root(parent: list[int], face: int) -> int:
    while parent[face] != face:
        face = parent[face]
    return face
