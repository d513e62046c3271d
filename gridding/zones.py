"""The area a grid should have, by what it lies in: water, forest, a land-use class."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.options import DivisionOptions
from gridding.scene import Scene

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_LAND_SHARE = 0.6


@dataclass(frozen=True, kw_only=True)
class ZoneShares:
    """How much of every polygon lies in zones of larger and of smaller targets than usual."""

    area_m2: Floats
    large_m2: Floats
    """Area in zones with a larger target."""
    large: Floats
    """The same, times the zones' targets."""
    small_m2: Floats
    small: Floats

    def grouped(self, label: Indices, count: int) -> "ZoneShares":
        """Return the shares of groups of polygons, labelled from 0."""
        return ZoneShares(
            area_m2=sum_by(label, self.area_m2, count=count),
            large_m2=sum_by(label, self.large_m2, count=count),
            large=sum_by(label, self.large, count=count),
            small_m2=sum_by(label, self.small_m2, count=count),
            small=sum_by(label, self.small, count=count),
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
    is_large = target[zone] > options.target_m2
    count = len(polygons)

    def total(mask: NDArray[np.bool_], weight: Floats) -> Floats:
        return sum_by(polygon[mask], (shared * weight)[mask], count=count)

    one = np.ones(len(zone))
    return ZoneShares(
        area_m2=shapely.area(polygons),
        large_m2=total(is_large, one),
        large=total(is_large, target[zone]),
        small_m2=total(~is_large, one),
        small=total(~is_large, target[zone]),
    )


def target_of(shares: ZoneShares, *, options: DivisionOptions) -> Floats:
    """Return the target area of polygons, m²: the mean by area of what they lie in.

    A larger target than usual counts only for what is mostly, by more than 0.6, in such zones: land
    beside water keeps its usual target.

    Examples
    --------
    >>> from gridding.options import DivisionOptions
    >>> half = {"area_m2": np.array([100.0]), "small_m2": np.zeros(1), "small": np.zeros(1)}
    >>> for wet in (50.0, 80.0, 100.0):
    ...     shares = ZoneShares(large_m2=np.array([wet]), large=np.array([wet * 80_000]), **half)
    ...     print(target_of(shares, options=DivisionOptions()).round().tolist())
    [10000.0]
    [45000.0]
    [80000.0]
    """
    share = np.clip(shares.large_m2 / np.maximum(shares.area_m2, 1e-9), 0.0, 1.0)
    mostly = np.clip((share - _LAND_SHARE) / (1.0 - _LAND_SHARE), 0.0, 1.0)
    rest_m2 = np.maximum(shares.area_m2 - shares.large_m2, 1e-9)
    usual_m2 = np.maximum(rest_m2 - shares.small_m2, 0.0)
    rest = (shares.small + usual_m2 * options.target_m2) / (shares.small_m2 + usual_m2 + 1e-12)
    rest = np.where(shares.small_m2 > 0, rest, options.target_m2)
    large = shares.large / np.maximum(shares.large_m2, 1e-9)
    target: Floats = mostly * large + (1.0 - mostly) * rest
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
