"""Boundary roads 界路: stretches of road that two areas share, and which of the two answers.

A boundary road never owns anything. By its stated rule one of its two areas answers for what lies on
it: the one on whose side of the axis the place lies (side 按侧), the first on odd days of the month
and the second on even ones (odd_even 单双日), or the first with the second beside it (joint 共管).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

KIND = "boundary_road"
"""Kind of plan areas that are boundary roads."""
SHARINGS = ("side", "odd_even", "joint")
NOBODY, FIRST, SECOND = -1, 0, 1
"""Which area answers: none because the road's rule is not whole, the first, the second."""
_ON_AXIS_M = 1e-6
_PAIRS_AT_ONCE = 4_000_000


@dataclass(frozen=True, kw_only=True)
class BoundaryRoad:
    """One boundary road as the plan states it."""

    code: str
    name: str
    sharing: str
    """One of `SHARINGS`."""
    sides: tuple[str, ...]
    """Codes of the two areas: left and right of the axis as drawn."""
    shape: Any
    """Extent, in the city's CRS."""
    axis: Any
    """Axis as a line, or None."""

    @property
    def is_whole(self) -> bool:
        """Its rule can be applied: a known way of sharing, two areas, and an axis where one is needed."""
        return (
            self.sharing in SHARINGS
            and len(self.sides) == 2
            and self.sides[0] != self.sides[1]
            and (self.sharing != "side" or self.axis is not None)
        )


class BoundaryRoads:
    """The boundary roads of a day; where several overlap the smallest answers, of equals the lowest code.

    Parameters
    ----------
    records : sequence of mapping
        Rows of ``responsibility.plan_area`` with ``geometry`` as shapely geometry and ``axis`` as WKT;
        those of other kinds are left out.

    Examples
    --------
    >>> roads = BoundaryRoads([
    ...     {"code": "J1", "name": "界路", "kind": "boundary_road", "sharing": "side",
    ...      "sides": ["L", "R"], "axis": "LINESTRING (0 0, 0 100)",
    ...      "geometry": shapely.box(-10, 0, 10, 100)}])
    >>> x, y = np.array([-5.0, 0.0, 5.0, 50.0]), np.full(4, 50.0)
    >>> at = roads.at(x, y)
    >>> at.tolist(), roads.answering(at, x, y, day=np.full(4, 601)).tolist()
    ([0, 0, 0, -1], [0, 0, 1, -1])
    """

    def __init__(self, records: Sequence[Mapping[str, Any]]) -> None:
        roads = [_road(record) for record in records if record["kind"] == KIND]
        self.roads = sorted(roads, key=lambda road: (shapely.area(road.shape), road.code))

    def __len__(self) -> int:
        return len(self.roads)

    @cached_property
    def shapes(self) -> NDArray[Any]:
        """Extents, prepared."""
        shapes = np.empty(len(self.roads), dtype=object)
        shapes[:] = [road.shape for road in self.roads]
        shapely.prepare(shapes)
        return shapes

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree(self.shapes)

    def at(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return for each place the position of its boundary road among `roads`, -1 where there is none.

        The border belongs to the road.
        """
        position = np.full(len(x), len(self.roads), dtype=np.int32)
        if len(self.roads):
            points = shapely.points(x, y)
            case, road = self._tree.query(points)
            inside = shapely.covers(self.shapes[road], points[case])
            np.minimum.at(position, case[inside], road[inside].astype(np.int32))
        position[position == len(self.roads)] = -1
        return position

    def answering(
        self,
        position: NDArray[np.int32],
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        *,
        day: NDArray[np.int64],
    ) -> NDArray[np.int8]:
        """Return which area answers at each place: `FIRST`, `SECOND`, or `NOBODY`.

        Exactly on the axis the first answers.

        Parameters
        ----------
        position : ndarray
            Boundary roads, as `at` gives them.
        x, y : ndarray
            Places in the city's CRS, m.
        day : ndarray
            Day of the report; only whether the day of the month is odd counts.
        """
        answers = np.full(len(position), NOBODY, dtype=np.int8)
        for number in np.unique(position[position >= 0]):
            road, here = self.roads[number], np.flatnonzero(position == number)
            if not road.is_whole:
                continue
            if road.sharing == "side":
                is_first = offset(road.axis, x[here], y[here]) >= 0.0
            elif road.sharing == "odd_even":
                is_first = day[here] % 2 == 1
            else:
                is_first = np.ones(len(here), dtype=bool)
            answers[here] = np.where(is_first, FIRST, SECOND)
        return answers


def _road(record: Mapping[str, Any]) -> BoundaryRoad:
    return BoundaryRoad(
        code=record["code"],
        name=record["name"],
        sharing=record.get("sharing") or "",
        sides=tuple(side for side in record.get("sides") or () if side),
        shape=record["geometry"],
        axis=_axis(record.get("axis")),
    )


def _axis(text: str | None) -> Any:
    line = shapely.from_wkt(text, on_invalid="ignore") if text else None
    if line is None or shapely.is_empty(line) or shapely.length(line) == 0.0:
        return None
    return line


def offset(axis: Any, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far points lie to the left (+) or right (-) of an axis, m; 0 within a micrometre.

    The sign is that of the nearest segment; where a vertex is nearest, that of both its segments
    together. Before the beginning and past the end the axis is thought to go on straight.

    Examples
    --------
    >>> axis = shapely.LineString([(0, 0), (0, 10), (10, 10)])
    >>> x, y = np.array([-3.0, 2.0, -3.0, 0.0, 12.0]), np.array([5.0, 5.0, 14.0, 5.0, 9.0])
    >>> offset(axis, x, y).round(3).tolist()
    [3.0, -2.0, 5.0, 0.0, -2.236]
    """
    start, along, length_m = _segments(axis)
    origin = start[0]
    start, points = start - origin, np.column_stack([x, y]) - origin
    result = np.empty(len(points))
    step = max(1, _PAIRS_AT_ONCE // len(start))
    for first in range(0, len(points), step):
        part = points[first : first + step, None, :] - start[None]
        reach = np.einsum("ijk,jk->ij", part, along)
        across = along[:, 0] * part[:, :, 1] - along[:, 1] * part[:, :, 0]
        beyond = reach - np.clip(reach, 0.0, length_m)
        square = across**2 + beyond**2
        nearest = square.min(axis=1, keepdims=True)
        is_near = square <= nearest + _ON_AXIS_M**2
        side = np.where(is_near, across, 0.0).sum(axis=1)
        metres = np.sqrt(nearest[:, 0])
        result[first : first + step] = np.where(
            np.abs(side) <= _ON_AXIS_M, 0.0, np.copysign(metres, side)
        )
    return result


def _segments(
    axis: Any,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return start, direction (of length 1) and length of each segment."""
    points, part = shapely.get_coordinates(shapely.get_parts(axis), return_index=True)
    vector = np.diff(points, axis=0)
    length_m = np.hypot(vector[:, 0], vector[:, 1])
    keep = (part[1:] == part[:-1]) & (length_m > 0.0)
    return points[:-1][keep], vector[keep] / length_m[keep, None], length_m[keep]
