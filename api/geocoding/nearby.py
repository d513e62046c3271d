"""Places near a point: points by a compiled grid, lines and areas by a tree."""

from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from api.geocoding import probes
from api.geocoding.search import CELL_M

if TYPE_CHECKING:
    from api.geocoding.gazetteer import Gazetteer


class Nearby:
    """The places of an edition by position; the tree is made when it is first needed.

    Parameters
    ----------
    gazetteer : Gazetteer
        The places.
    """

    def __init__(self, gazetteer: "Gazetteer") -> None:
        self._index = gazetteer.index
        self._held = gazetteer.held
        self._at = (gazetteer.x, gazetteer.y)
        self._counting: dict[int, NDArray[np.bool_]] = {}
        rows = np.flatnonzero((self._index.parts["place"]["dimension"] > 0) & self._held)
        self._wide = rows
        self._tree: shapely.STRtree | None = None

    def counting(self, mask: int) -> NDArray[np.bool_]:
        """Return for each row whether it holds and is of one of the kinds of a mask."""
        counting = self._counting.get(mask)
        if counting is None:
            wanted = (mask >> np.arange(8)).astype(np.uint8) & 1
            counting = self._held & wanted[self._index.kind_codes].astype(bool)
            self._counting[mask] = counting
        return counting

    def within(
        self, point: tuple[float, float], *, reach_m: float, mask: int, limit: int
    ) -> list[tuple[float, int]]:
        """Return distance, m, and row of what lies within reach, nearest first, equals by row.

        Parameters
        ----------
        point : (float, float)
            East and north, m.
        reach_m : float
            Farthest distance, inclusive, m; 0 inside a polygon.
        mask : int
            Kinds that count, as `api.geocoding.keys.mask_of` gives them.
        limit : int
            Most places.
        """
        grid, counting = self._index.parts["grid"], self.counting(mask)
        x, y = self._at
        rows = probes.near_points(
            (grid["cells"], grid["first"], grid["row"]), (x, y), counting, CELL_M, (*point, reach_m)
        )
        distances = np.hypot(x[rows] - point[0], y[rows] - point[1])
        found = list(zip(distances.tolist(), rows.tolist(), strict=True))
        if len(self._wide):
            here = shapely.Point(point)
            tree = self._tree = self._tree or shapely.STRtree(self._index.shapes.take(self._wide))
            hits = tree.query(here, predicate="dwithin", distance=reach_m)
            hits = hits[counting[self._wide[hits]]]
            metres = shapely.distance(tree.geometries[hits], here)
            found += zip(metres.tolist(), self._wide[hits].tolist(), strict=True)
        return sorted(found)[:limit]
