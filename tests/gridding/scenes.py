"""Small scenes put together by hand."""

from collections.abc import Sequence

import numpy as np
import shapely

from gridding.lines import KINDS, Lines
from gridding.scene import Scene

PRICES = {
    "locked": -1000.0,
    "main_road": -1.0,
    "railway": -1.0,
    "street": -0.5,
    "path": 0.45,
    "existing": 0.03,
}


def shapes(geometries: Sequence[shapely.Geometry]) -> np.ndarray:
    array = np.empty(len(geometries), dtype=object)
    array[:] = geometries
    return array


def lines_of(*rows: tuple[str, shapely.LineString]) -> Lines:
    kinds = [kind for kind, _ in rows]
    return Lines(
        lines=shapes([line for _, line in rows]),
        kind=np.array([KINDS.index(kind) for kind in kinds], dtype=np.intp),
        rank=np.array([100 - KINDS.index(kind) for kind in kinds], dtype=np.intp),
        price=np.array([PRICES[kind] for kind in kinds], dtype=np.float64),
    )


def scene_of(
    *,
    buildings: Sequence[shapely.Geometry] = (),
    kept_whole: Sequence[shapely.Geometry] = (),
    zones: Sequence[tuple[shapely.Geometry, float]] = (),
    points: Sequence[tuple[float, float]] = (),
) -> Scene:
    return Scene(
        lines=lines_of(),
        buildings=shapes(buildings),
        kept_whole=shapes(kept_whole),
        water=shapes([]),
        zones=shapes([zone for zone, _ in zones]),
        zone_target_m2=np.array([target for _, target in zones], dtype=np.float64),
        points=np.array(points, dtype=np.float64).reshape(-1, 2),
        loads=np.ones(len(points)),
    )
