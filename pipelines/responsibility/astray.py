"""Areas of a plan that lie outside the city, with what is probably wrong with their coordinates."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from gis.faults import Faults

_DEGREES = shapely.box(73.0, 3.0, 136.0, 54.0)
"""Longitudes and latitudes of China."""
_ZONE_M = 1_000_000.0
"""A zone's number stands before eastings of six figures."""


def judge_outside(faults: Faults, shapes: Sequence[Any], *, city: Any, grids: Any) -> None:
    """Refuse areas that lie wholly outside the city, and warn of those in which no unit grid lies.

    Parameters
    ----------
    faults : Faults
        Of the rows of `shapes`.
    shapes : sequence
        Polygons as drawn, in the city's CRS if they are right; None: not drawn.
    city : shapely.Geometry or None
        The city's ground; None: it is not known, and nothing is refused.
    grids : shapely.STRtree or None
        Unit grids; None: there are none yet.
    """
    rules: dict[str, list[bool]] = {}
    distance_km = np.zeros(len(shapes))
    for at, shape in enumerate(shapes):
        for rule, far_m in _rules(shape, city=city, grids=grids):
            rules.setdefault(rule, [False] * len(shapes))[at] = True
            distance_km[at] = round(far_m / 1000, 1)
    index = faults.frame.index
    for rule, mask in sorted(rules.items()):
        told = {"distance_km": pd.Series(distance_km, index=index)} if rule == "RA13" else {}
        faults.add(rule, pd.Series(mask, index=index), **told)


def _rules(shape: Any, *, city: Any, grids: Any) -> Iterator[tuple[str, float]]:
    if shape is None:
        return
    if city is not None and not shapely.intersects(city, shape):
        yield _cause(shape, city), float(shapely.distance(city, shape))
    elif grids is not None and not len(grids.query(shape, predicate="intersects")):
        yield "RA11", 0.0


def _cause(shape: Any, city: Any) -> str:
    """Return the rule that says what is probably wrong."""
    west, south, east, north = shapely.bounds(shape).tolist()
    x, y = (west + east) / 2, (south + north) / 2
    if any(shapely.contains_xy(_DEGREES, *pair) for pair in ((x, y), (y, x))):
        return "RA15"
    if shapely.intersects_xy(city, y, x):
        return "RA14"
    is_zoned = x > _ZONE_M and shapely.intersects_xy(city, x % _ZONE_M, y)
    return "RA16" if is_zoned else "RA13"
