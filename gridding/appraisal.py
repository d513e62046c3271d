"""What a handful of grids cost as they are drawn, so that old and new borders can be weighed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from gridding.graph import Graph
from gridding.objective import RING_COST, division_cost
from gridding.options import DivisionOptions
from gridding.patching import Floats, Geometries, Indices, shared_borders
from gridding.scene import Scene
from gridding.zones import target_of, zone_shares

_STEP_M = 8.0
_ON_LINE_M = 2.5
_CUT_M2 = 1.0
_CUT_COST = 25.0
_WHOLE_COST = 5.0


@dataclass(frozen=True, kw_only=True)
class Appraisal:
    """The cost of some grids."""

    cost: float
    """The division's cost (`gridding.objective`) and that of things cut."""
    buildings_cut: int
    """Buildings of which two grids hold more than a square metre each."""


def appraise(polygons: Geometries, scene: Scene, *, options: DivisionOptions) -> Appraisal:
    """Return what grids cost as they are drawn.

    A border within 2.5 m of a line of the scene has that line's price (the lowest, where several run
    there), elsewhere the price of open land. Every building cut costs as much as ten poor grids.

    Parameters
    ----------
    polygons : array of shapely.Polygon
        A coverage, in metres.
    scene : Scene
        Topography near it; borders locked or existing play no part.
    options : DivisionOptions
        Weights, target and prices.
    """
    graph = _graph(polygons, scene, options)
    cost = division_cost(graph, np.arange(len(polygons)), options=options)
    cost += RING_COST * float(shapely.get_num_interior_rings(polygons).sum())
    buildings = len(cut_things(polygons, scene.buildings))
    wholes = len(cut_things(polygons, scene.kept_whole))
    return Appraisal(
        cost=cost + _CUT_COST * buildings + _WHOLE_COST * wholes, buildings_cut=buildings
    )


def cut_things(polygons: Geometries, things: Geometries) -> Indices:
    """Return which things have more than a square metre in each of two polygons, ascending.

    Examples
    --------
    >>> grids = shapely.box([0, 50], [0, 0], [50, 100], [100, 100])
    >>> cut_things(grids, shapely.box([10, 45], [10, 10], [20, 55], [20, 20])).tolist()
    [1]
    """
    thing, polygon = shapely.STRtree(polygons).query(things, predicate="intersects")
    several = np.isin(thing, np.flatnonzero(np.bincount(thing, minlength=len(things)) > 1))
    thing, polygon = thing[several], polygon[several]
    area = shapely.area(shapely.intersection(things[thing], polygons[polygon]))
    parts = np.bincount(thing[area > _CUT_M2], minlength=len(things))
    return np.flatnonzero(parts > 1)


def _graph(polygons: Geometries, scene: Scene, options: DivisionOptions) -> Graph:
    """Return the polygons as a graph: each a node, one node for all that lies outside."""
    count = len(polygons)
    borders = shared_borders(polygons)
    cost = borders["length_m"].to_numpy() * price_along(borders, scene, options=options) / 100.0
    sums = (
        borders.assign(cost=cost).groupby(["left", "right"], sort=True)[["length_m", "cost"]].sum()
    )
    left, right = (sums.index.get_level_values(name).to_numpy() for name in ("left", "right"))
    length = sums["length_m"].to_numpy(dtype=np.float64)
    inner = np.bincount(left, length, count) + np.bincount(right, length, count)
    outer = shapely.length(polygons) - inner
    return Graph(
        area_m2=shapely.area(polygons),
        target_m2=target_of(zone_shares(polygons, scene, options=options)),
        load=_loads(polygons, scene),
        left=np.concatenate([left, np.arange(count)]).astype(np.intp),
        right=np.concatenate([right, np.full(count, count)]).astype(np.intp),
        length_m=np.concatenate([length, np.maximum(outer, 0.0)]),
        cost=np.concatenate([sums["cost"].to_numpy(dtype=np.float64), np.zeros(count)]),
    )


def price_along(borders: pd.DataFrame, scene: Scene, *, options: DivisionOptions) -> Floats:
    """Return the mean price per 100 m along segments: ``x1``, ``y1``, ``x2``, ``y2``."""
    first = borders[["x1", "y1"]].to_numpy(dtype=np.float64)
    second = borders[["x2", "y2"]].to_numpy(dtype=np.float64)
    steps = np.maximum(1, np.ceil(np.hypot(*(second - first).T) / _STEP_M)).astype(np.intp)
    segment = np.repeat(np.arange(len(borders)), steps)
    place = np.arange(len(segment)) - np.repeat(np.cumsum(steps) - steps, steps)
    share = ((place + 0.5) / steps[segment])[:, None]
    middle = shapely.points(first[segment] * (1.0 - share) + second[segment] * share)
    price = np.full(len(segment), options.open_price)
    lines = scene.lines
    point, line = shapely.STRtree(lines.lines).query(
        middle, predicate="dwithin", distance=_ON_LINE_M
    )
    wanted = lines.price[line] > -100.0  # a lock is no reason to like a border
    np.minimum.at(price, point[wanted], lines.price[line[wanted]])
    mean: Floats = np.bincount(segment, price, len(borders)) / steps
    return mean


def _loads(polygons: Geometries, scene: Scene) -> Floats:
    point, polygon = shapely.STRtree(polygons).query(
        shapely.points(scene.points), predicate="intersects"
    )
    first = np.unique(point, return_index=True)[1]
    loads: Floats = np.bincount(polygon[first], scene.loads[point[first]], len(polygons)).astype(
        np.float64
    )
    return loads
