"""The cell index: which of a set of polygons holds a point, how near its border, how surely.

The tie rule of the platform lives here alone: a point on a shared edge or vertex, or in an overlap,
belongs to the cell of the lowest code; a point in no cell to the nearest one, with its distance.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gis.code_order import Codes, array_of, in_order, positions_by_code
from gis.gauss import working_room
from gis.laying import lay_tiles
from gis.locating import addresses_of, locate, locate_one
from gis.nearby import LONG, boxes_of, to_borders
from gis.probe import find
from gis.shares import (
    LEAST_SIGMA_M,
    Outlines,
    errors_of,
    lay_outlines,
    own_spread,
    spread,
)
from gis.tiling import Tiling

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Located:
    """For each point the cell that holds it, or else the nearest one."""

    position: Positions
    """Index into the arrays the index was made of; -1: there is no cell, or no such point."""
    on_boundary: NDArray[np.bool_]
    """The point lies exactly on the border of its cell."""
    distance_m: Floats
    """0 inside and on the border; else the distance to this nearest cell; nan for position -1."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """Pairs of point and cell with the probability that the true point lies in the cell.

    Sorted by point, then by falling probability, then by code.
    """

    point: Positions
    """Index of the point asked for."""
    position: Positions
    """Index into the arrays the index was made of."""
    probability: Floats
    """0-1; over the cells of one point they add up to at most 1."""


class CellIndex:
    """An index over cells, such as unit grids or communities, in one projected CRS.

    Cells may have holes and several parts, may overlap and may leave gaps.

    Parameters
    ----------
    codes : sequence of str
        Code of each cell; they decide ties, so they should be unique.
    polygons : sequence of shapely geometry, or callable
        Polygon or MultiPolygon of each cell, m, or what gives them; `repaired` tells the invalid ones.
    tiling : Tiling or None
        What `tiling` gave for the same cells earlier; None: it is made when it is first needed.
    outlines : Outlines or None
        What `outlines` gave for the same cells earlier; None: they are laid when first needed.

    Examples
    --------
    >>> index = CellIndex(["b", "a"], [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
    >>> found = index.locate([5.0, 10.0, 23.0], [5.0, 5.0, 14.0])
    >>> found.position.tolist(), found.on_boundary.tolist(), found.distance_m.tolist()
    ([0, 1, 1], [False, True, False], [0.0, 0.0, 5.0])
    """

    def __init__(
        self,
        codes: Codes,
        polygons: Sequence[Any] | Callable[[], Sequence[Any]],
        *,
        tiling: Tiling | None = None,
        outlines: Outlines | None = None,
    ) -> None:
        self._given_tiling, self._given_outlines = tiling, outlines
        self.codes, self._given_polygons = array_of(codes), polygons
        self._by_code: Positions = positions_by_code(codes)

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def by_code(self) -> Positions:
        """Positions of the cells in the order of their codes: that of `tiling` and `outlines`."""
        return self._by_code

    def locate(self, x: ArrayLike, y: ArrayLike) -> Located:
        """Find the cell of each point, by the exact predicate ``covers``.

        Parameters
        ----------
        x, y : array_like of float
            East and north in the CRS of the cells, m. A nan or infinite coordinate is no point.
        """
        east, north = _arrays(x, y)
        position = np.empty(len(east), dtype=np.intp)
        on_boundary = np.empty(len(east), dtype=np.bool_)
        distance_m = np.empty(len(east), dtype=np.float64)
        answers = (position, on_boundary, distance_m)
        locate(east, north, self._arrays, self._boxes, self._order, answers)
        return Located(position=position, on_boundary=on_boundary, distance_m=distance_m)

    def locate_one(self, x: float, y: float) -> tuple[int, bool, float]:
        """Return position, whether on the border, and distance for one point, as `locate` does.

        Parameters
        ----------
        x, y : float
            East and north in the CRS of the cells, m.

        Examples
        --------
        >>> index = CellIndex(["b", "a"], [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
        >>> index.locate_one(10.0, 5.0), index.locate_one(23.0, 14.0)
        ((1, True, 0.0), (1, False, 5.0))
        """
        found: tuple[int, bool, float] = locate_one(float(x), float(y), self.addresses)
        return found

    def holders(self, points: NDArray[Any]) -> Positions:
        """Return the cell that covers each point, as `locate` does; -1 where none does.

        Parameters
        ----------
        points : numpy.ndarray
            Points in the CRS of the cells, m; missing and empty ones are in no cell.

        Examples
        --------
        >>> index = CellIndex(["b", "a"], [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
        >>> index.holders(shapely.points([[5.0, 5.0], [10.0, 5.0], [23.0, 14.0]])).tolist()
        [0, 1, -1]
        """
        rank, _ = find(shapely.get_x(points), shapely.get_y(points), self.tiling)
        return np.where(rank >= 0, self._by_code[rank], -1) if len(self) else rank

    def holder(self, x: float, y: float) -> int:
        """Return the cell that covers one point, as `locate` does, in less time; -1: none does.

        Examples
        --------
        >>> index = CellIndex(["b", "a"], [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
        >>> index.holder(10.0, 5.0), index.holder(23.0, 14.0)
        (1, -1)
        """
        position, _, distance_m = locate_one(float(x), float(y), self.addresses)
        return position if distance_m == 0.0 else -1

    def edge_distance(self, x: ArrayLike, y: ArrayLike, position: ArrayLike) -> Floats:
        """Return the distance of each point to the border of a cell, m; 0 on the border.

        Parameters
        ----------
        x, y : array_like of float
            East and north in the CRS of the cells, m.
        position : array_like of int
            Cell of each point, as `locate` gives it; -1 gives nan.

        Examples
        --------
        >>> index = CellIndex(["a"], [shapely.box(0, 0, 10, 10)])
        >>> index.edge_distance([4.0, 13.0], [5.0, 14.0], [0, 0]).tolist()
        [4.0, 5.0]
        """
        east, north = _arrays(x, y)
        cell = np.asarray(position, dtype=np.intp)
        result = np.empty(len(east))
        rank = np.full(len(cell), -1, dtype=np.intp)
        if len(self):
            rank = np.where(cell >= 0, self._rank[cell], -1)
        to_borders(east, north, rank, self._arrays[6:], self._boxes, result)
        return result

    def shares(
        self, x: ArrayLike, y: ArrayLike, sigma_m: ArrayLike, *, covariance: ArrayLike | None = None
    ) -> Shares:
        """Return the probability that the true point lies in each cell near the point asked for.

        The error is a normal distribution, round or with an ellipse; its integral over a polygon is
        exact to 1e-7 (`gis.gauss`). Where cells overlap, the shares are scaled down to add up to 1.

        Parameters
        ----------
        x, y : array_like of float
            East and north in the CRS of the cells, m.
        sigma_m : array_like of float
            Standard deviation per axis, m, of each point or of all; 0 or nan: the cell that
            `locate` finds has it all, if it covers the point.
        covariance : array_like of float or None
            (n, 3): variance east, covariance, variance north, m², as `gis.shares.covariances` gives
            them; nan: the error of this point is round. None: all are.

        Examples
        --------
        >>> index = CellIndex(["a", "b"], [shapely.box(-1e3, -1e3, 0, 1e3), shapely.box(0, -1e3, 1e3, 1e3)])
        >>> index.shares([10.0], [0.0], [10.0]).probability.round(4).tolist()
        [0.8413, 0.1587]
        """
        east, north = _arrays(x, y)
        none = np.empty(0, dtype=np.intp)
        if not len(self) or not len(east):
            return Shares(point=none, position=none, probability=np.empty(0))
        errors = errors_of(sigma_m, covariance, count=len(east))
        point, rank, probability = spread(east, north, errors, self.outline_arrays, self._room())
        sharp = np.flatnonzero(errors[:, 3] < LEAST_SIGMA_M)
        if len(sharp):
            found = self.locate(east[sharp], north[sharp])
            inside = found.distance_m == 0.0
            point = np.concatenate([point, sharp[inside]])
            order = np.argsort(point, kind="stable")
            rank = np.concatenate([rank, self._rank[found.position[inside]]])[order]
            probability = np.concatenate([probability, np.ones(len(point) - len(probability))])
            point, probability = point[order], probability[order]
        return Shares(point=point, position=self._by_code[rank], probability=probability)

    def own_shares(
        self,
        points: tuple[ArrayLike, ArrayLike],
        sigma_m: ArrayLike,
        position: ArrayLike,
        *,
        covariance: ArrayLike | None = None,
    ) -> Floats:
        """Return the probability that the true point lies in one cell, in a third of the time.

        As `shares`, but cells that overlap are not scaled down, and nothing is too small to be told.

        Parameters
        ----------
        points : tuple of array_like of float
            East and north in the CRS of the cells, m.
        sigma_m, covariance : array_like of float
            As for `shares`; without an error the cell that `locate` finds has it all.
        position : array_like of int
            Cell of each point, as `locate` gives it; -1 gives 0.

        Examples
        --------
        >>> index = CellIndex(["a"], [shapely.box(-1e3, -1e3, 0, 1e3)])
        >>> index.own_shares(([10.0, -10.0], [0.0, 0.0]), 10.0, [0, 0]).round(4).tolist()
        [0.1587, 0.8413]
        """
        east, north = _arrays(*points)
        cells = np.asarray(position, dtype=np.intp)
        if not len(self) or not len(east):
            return np.zeros(len(east))
        errors = errors_of(sigma_m, covariance, count=len(east))
        rank = np.where(cells >= 0, self._rank[cells], -1)
        probability: Floats = own_spread(
            (east, north), errors, rank, self.outline_arrays, self._room()
        )
        sharp = np.flatnonzero((errors[:, 3] < LEAST_SIGMA_M) & (cells >= 0))
        if len(sharp):
            found = self.locate(east[sharp], north[sharp])
            probability[sharp] = (found.position == cells[sharp]) & (found.distance_m == 0.0)
        return probability

    def _room(self) -> tuple[Floats, ...]:
        # Written to while points are asked for: every call has its own.
        return working_room(self.longest)

    @cached_property
    def outlines(self) -> Outlines:
        """The outlines of the cells, in the order of their codes: what shares are measured on."""
        return self._given_outlines or lay_outlines(self._polygons)

    @cached_property
    def outline_arrays(self) -> tuple[NDArray[Any], ...]:
        """The arrays of the outlines, as compiled functions take them."""
        return tuple(vars(self.outlines).values())

    @cached_property
    def longest(self) -> int:
        """Vertices of the longest outline."""
        return int(np.diff(self.outlines.starts).max(initial=0))

    @cached_property
    def tiling(self) -> Tiling:
        """The cells cut into the pattern that points are looked up in, in the order of their codes."""
        return self._given_tiling or lay_tiles(self._valid)

    @property
    def repaired(self) -> Positions:
        """Cells whose outlines cross or overlap themselves; they are looked up as they were repaired."""
        return np.sort(self._by_code[self._wrong])

    @cached_property
    def _polygons(self) -> NDArray[Any]:
        return in_order(self._given_polygons, self._by_code)

    @cached_property
    def _wrong(self) -> NDArray[np.bool_]:
        wrong: NDArray[np.bool_] = ~shapely.is_valid(self._polygons) & (self._polygons != None)  # noqa: E711
        return wrong

    @cached_property
    def _valid(self) -> NDArray[Any]:
        """The polygons; those that are invalid are repaired, what two of their parts cover once only."""
        polygons: NDArray[Any] = self._polygons.copy()
        polygons[self._wrong] = shapely.make_valid(polygons[self._wrong], method="structure")
        return polygons

    @cached_property
    def _rank(self) -> Positions:
        rank = np.empty(len(self), dtype=np.intp)
        rank[self._by_code] = np.arange(len(self))
        return rank

    @cached_property
    def _arrays(self) -> tuple[NDArray[Any], ...]:
        """The arrays of the tiling, as compiled functions take them."""
        return tuple(vars(self.tiling).values())

    @cached_property
    def _order(self) -> Positions:
        """Position of each cell of the tiling; empty when the codes rise."""
        is_rising = bool((np.diff(self._by_code) > 0).all())
        return self._by_code[:0] if is_rising else self._by_code

    @cached_property
    def _boxes(self) -> Floats:
        """Boxes around the vertices, where a cell has so many that it is worth their memory."""
        longest = int(np.diff(self.tiling.rings).max(initial=0))
        boxes: Floats = boxes_of(self.tiling.vertices if longest > LONG else np.empty((0, 2)))
        return boxes

    @cached_property
    def addresses(self) -> NDArray[np.int64]:
        """Where the arrays lie that `locate_one` asks."""
        return addresses_of([*self._arrays, self._boxes, self._order])


def _arrays(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    east = np.atleast_1d(np.asarray(x, dtype=np.float64))
    north = np.atleast_1d(np.asarray(y, dtype=np.float64))
    return east, north
