"""The areas that the plan draws itself: polygons and road sections, and which of them hold a place."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from api.placing.boundaries import KIND


class PlanAreas:
    """The plan's own areas of a day, smallest first: polygons and road sections.

    Parameters
    ----------
    records : sequence of mapping
        Rows of ``responsibility.plan_area``, ``geometry`` as shapely geometry; boundary roads are
        left out.
    """

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        own = [record for record in records if record["kind"] != KIND]
        own.sort(key=lambda record: (shapely.area(record["geometry"]), record["code"]))
        self.codes: list[str] = [record["code"] for record in own]
        self.names: list[str] = [record["name"] for record in own]
        self.rank = {code: number for number, code in enumerate(self.codes)}
        self.shapes = np.empty(len(own), dtype=object)
        self.shapes[:] = [record["geometry"] for record in own]
        shapely.prepare(self.shapes)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Tree of the shapes."""
        return shapely.STRtree(self.shapes)

    def holding(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], list[tuple[int, ...]]]:
        """Return for each place the number of the set of areas that hold it, and those sets.

        The border belongs to the area; each set has its areas smallest first; set 0 is empty.
        """
        number = np.zeros(len(x), dtype=np.int64)
        sets: list[tuple[int, ...]] = [()]
        if not len(self):
            return number, sets
        points = shapely.points(x, y)
        case, area = self.tree.query(points)
        inside = shapely.covers(self.shapes[area], points[case])
        case, area = case[inside], area[inside]
        order = np.lexsort((area, case))
        case, area = case[order], area[order]
        nth = np.arange(len(case)) - np.searchsorted(case, case)
        for depth in range(int(nth.max(initial=-1)) + 1):
            here = nth == depth
            cases, areas = case[here], area[here]
            # The set so far and the next area together make a new set.
            pairs, which = np.unique(number[cases] * len(self) + areas, return_inverse=True)
            number[cases] = len(sets) + which
            sets += [(*sets[pair // len(self)], int(pair % len(self))) for pair in pairs.tolist()]
        return number, sets
