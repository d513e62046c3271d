"""The area a grid should have, by what it lies in: water, forest, a land-use class."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.options import DivisionOptions
from gridding.scenery import Scene

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class ZoneShares:
    """How many grids polygons should hold, by the zones that they lie in."""

    area_m2: Floats
    grids: Floats
    """Sum over what a polygon lies in of area over target: 1 for a grid of just the right size."""

    def grouped(self, label: Indices, count: int) -> "ZoneShares":
        """Return the shares of groups of polygons, labelled from 0."""
        return ZoneShares(
            area_m2=sum_by(label, self.area_m2, count=count),
            grids=sum_by(label, self.grids, count=count),
        )


def zone_shares(polygons: Geometries, scene: Scene, *, options: DivisionOptions) -> ZoneShares:
    """Return how polygons lie in a scene's zones; where several hold a place the smallest target wins."""
    zones, target = _disjoint(scene.zones, scene.zone_target_m2)
    polygon, zone = shapely.STRtree(polygons).query(zones, predicate="intersects")[::-1]
    shapely.prepare(zones)
    inside = shapely.covers(zones[zone], polygons[polygon])
    shared = shapely.area(polygons[polygon])
    shared[~inside] = shapely.area(
        shapely.intersection(zones[zone[~inside]], polygons[polygon[~inside]])
    )
    count = len(polygons)
    area = shapely.area(polygons)
    usual = np.maximum(area - sum_by(polygon, shared, count=count), 0.0)
    grids = sum_by(polygon, shared / target[zone], count=count) + usual / options.target_m2
    return ZoneShares(area_m2=area, grids=grids)


def target_of(shares: ZoneShares) -> Floats:
    """Return the target area of polygons, m²: their area over the number of grids they should hold.

    Examples
    --------
    >>> half = ZoneShares(area_m2=np.array([20_000.0]), grids=np.array([1.0 + 10_000 / 80_000]))
    >>> target_of(half).round().tolist()
    [17778.0]
    """
    target: Floats = shares.area_m2 / np.maximum(shares.grids, 1e-12)
    return target


def sum_by(label: Indices, values: Floats, *, count: int) -> Floats:
    """Return the sum of the values of every label from 0 to `count` - 1.

    Examples
    --------
    >>> sum_by(np.array([2, 0, 2]), np.array([1.0, 2.0, 4.0]), count=3).tolist()
    [2.0, 0.0, 5.0]
    """
    return np.asarray(np.bincount(label, values, minlength=count), dtype=np.float64)


def _disjoint(zones: Geometries, target_m2: Floats) -> tuple[Geometries, Floats]:
    """Return zones by target without what a zone of smaller target holds."""
    order = np.lexsort((*shapely.bounds(zones).T, target_m2))
    zones, target_m2 = zones[order], target_m2[order]
    one, other = shapely.STRtree(zones).query(zones, predicate="intersects")
    one, other = one[other < one], other[other < one]
    overlap = shapely.area(shapely.intersection(zones[one], zones[other])) > 0
    one, other = one[overlap], other[overlap]
    result = zones.copy()
    for zone in np.unique(one):
        result[zone] = shapely.difference(zones[zone], shapely.union_all(zones[other[one == zone]]))
    return result, target_m2
