"""The cell index: which of a set of polygons holds a point, how near its border, how surely.

The tie rule of the platform lives here alone: a point on a shared edge or vertex, or in an overlap,
belongs to the cell of the lowest code; a point in no cell to the nearest one, with its distance.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.special import owens_t

from gis.probe import find
from gis.tiling import Tiling, lay_tiles

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]

REACH_SIGMA = 4.5
"""Cells farther than this many standard deviations get no share (4e-5 of the mass lies beyond)."""
LEAST_SHARE = 1e-4
"""Shares smaller than this are left out."""
_EDGES_AT_ONCE = 1_000_000
_POINTS_AT_ONCE = 4_096
_FAR = 7.0
_FLAT = 1e-8


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
    polygons : sequence of shapely geometry
        Polygon or MultiPolygon of each cell, valid, in metres.
    tiling : Tiling or None
        What `tiling` gave for the same cells earlier; None: it is made when it is first needed.

    Examples
    --------
    >>> index = CellIndex(["b", "a"], [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
    >>> found = index.locate([5.0, 10.0, 23.0], [5.0, 5.0, 14.0])
    >>> found.position.tolist(), found.on_boundary.tolist(), found.distance_m.tolist()
    ([0, 1, 1], [False, True, False], [0.0, 0.0, 5.0])
    """

    def __init__(
        self,
        codes: Sequence[str] | NDArray[Any],
        polygons: Sequence[Any],
        *,
        tiling: Tiling | None = None,
    ) -> None:
        self._given_tiling = tiling
        self.codes = np.asarray(codes, dtype=object)
        given = np.empty(len(polygons), dtype=object)
        given[:] = polygons
        self._by_code: Positions = np.argsort(self.codes, kind="stable")
        self._polygons = given[self._by_code]

    def __len__(self) -> int:
        return len(self.codes)

    def locate(self, x: ArrayLike, y: ArrayLike) -> Located:
        """Find the cell of each point, by the exact predicate ``covers``.

        Parameters
        ----------
        x, y : array_like of float
            East and north in the CRS of the cells, m. A nan or infinite coordinate is no point.
        """
        east, north = _arrays(x, y)
        count, cells = len(east), len(self)
        distance_m = np.full(count, np.nan)
        on_boundary = np.zeros(count, dtype=bool)
        real = np.flatnonzero(np.isfinite(east) & np.isfinite(north))
        if cells == 0 or len(real) == 0:
            return Located(
                position=np.full(count, -1, dtype=np.intp),
                on_boundary=on_boundary,
                distance_m=distance_m,
            )
        rank, on_boundary = find(east, north, self.tiling)
        distance_m[rank >= 0] = 0.0
        outside = real[rank[real] < 0]
        if len(outside):
            rank[outside] = cells
            self._nearest(outside, shapely.points(east[outside], north[outside]), rank, distance_m)
        position = np.full(count, -1, dtype=np.intp)
        position[real] = self._by_code[rank[real]]
        return Located(position=position, on_boundary=on_boundary, distance_m=distance_m)

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
        position = np.full(len(points), -1, dtype=np.intp)
        inside = rank >= 0
        position[inside] = self._by_code[rank[inside]]
        return position

    def holder(self, x: float, y: float) -> int:
        """Return the cell that covers one point, as `locate` does, in less time; -1: none does.

        Examples
        --------
        >>> index = CellIndex(["b", "a"], [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)])
        >>> index.holder(10.0, 5.0), index.holder(23.0, 14.0)
        (1, -1)
        """
        if not len(self):
            return -1
        rank, _ = find(
            np.array([x], dtype=np.float64), np.array([y], dtype=np.float64), self.tiling
        )
        return int(self._by_code[rank[0]]) if rank[0] >= 0 else -1

    def _nearest(
        self, rows: Positions, points: NDArray[Any], rank: Positions, distance_m: Floats
    ) -> None:
        pairs, metres = self._tree.query_nearest(points, return_distance=True, all_matches=True)
        np.minimum.at(rank, rows[pairs[0]], pairs[1])
        distance_m[rows[pairs[0]]] = metres

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
        result = np.full(len(east), np.nan)
        known = np.flatnonzero(cell >= 0)
        rank = self._rank[cell[known]]
        points = shapely.points(east[known], north[known])
        result[known] = shapely.distance(self._borders[rank], points)
        return result

    def shares(self, x: ArrayLike, y: ArrayLike, sigma_m: ArrayLike) -> Shares:
        """Return the probability that the true point lies in each cell near the point asked for.

        The error is a round normal distribution. Its integral over a polygon is exact: the sum over
        the directed edges of the integral over the triangle of edge and centre, which in polar
        coordinates is a difference of angles less a difference of Owen's T functions. Where cells
        overlap, the shares are scaled down to add up to 1.

        Parameters
        ----------
        x, y : array_like of float
            East and north in the CRS of the cells, m.
        sigma_m : array_like of float
            Standard deviation per axis, m, of each point or of all; 0 or nan: the cell that
            `locate` finds has it all, if it covers the point.

        Examples
        --------
        >>> index = CellIndex(["a", "b"], [shapely.box(-1e3, -1e3, 0, 1e3), shapely.box(0, -1e3, 1e3, 1e3)])
        >>> index.shares([10.0], [0.0], [10.0]).probability.round(4).tolist()
        [0.8413, 0.1587]
        """
        east, north = _arrays(x, y)
        sigma = np.broadcast_to(np.asarray(sigma_m, dtype=np.float64), east.shape).copy()
        sigma[~(np.isfinite(sigma) & (sigma > 0))] = 0.0
        real = np.isfinite(east) & np.isfinite(north)
        sharp = np.flatnonzero(real & (sigma == 0.0))
        parts = [self._sharp(sharp, east, north)] if len(self) and len(sharp) else []
        vague = np.flatnonzero(real & (sigma > 0.0)) if len(self) else np.empty(0, dtype=np.intp)
        for start in range(0, len(vague), _POINTS_AT_ONCE):
            rows = vague[start : start + _POINTS_AT_ONCE]
            parts.append(self._spread(rows, east, north, sigma))
        if not parts:
            none = np.empty(0, dtype=np.intp)
            return Shares(point=none, position=none, probability=np.empty(0))
        point, rank, probability = (np.concatenate(column) for column in zip(*parts, strict=True))
        total = np.bincount(point, weights=probability, minlength=len(east))
        probability = probability / np.maximum(total, 1.0)[point]
        keep = probability >= LEAST_SHARE
        point, rank, probability = point[keep], rank[keep], probability[keep]
        # Rounding makes equal shares comparable whatever the order of summation was.
        order = np.lexsort((rank, -probability.round(9), point))
        return Shares(
            point=point[order],
            position=self._by_code[rank[order]],
            probability=probability[order],
        )

    def _sharp(
        self, rows: Positions, east: Floats, north: Floats
    ) -> tuple[Positions, Positions, Floats]:
        found = self.locate(east[rows], north[rows])
        inside = found.distance_m == 0.0
        rank = self._rank[found.position[inside]]
        return rows[inside], rank, np.ones(int(inside.sum()))

    def _spread(
        self, rows: Positions, east: Floats, north: Floats, sigma: Floats
    ) -> tuple[Positions, Positions, Floats]:
        points = shapely.points(east[rows], north[rows])
        asked, rank = self._tree.query(
            points, predicate="dwithin", distance=REACH_SIGMA * sigma[rows]
        )
        point = rows[asked]
        first, last = self._edges.start[rank], self._edges.start[rank + 1]
        ends = np.cumsum(last - first)
        probability = np.empty(len(point))
        begin = 0
        while begin < len(point):
            limit = (ends[begin - 1] if begin else 0) + _EDGES_AT_ONCE
            end = max(begin + 1, int(np.searchsorted(ends, limit, side="right")))
            part = slice(begin, end)
            probability[part] = self._integrate(
                first[part], last[part], east[point[part]], north[point[part]], sigma[point[part]]
            )
            begin = end
        return point, rank, np.clip(probability, 0.0, 1.0)

    def _integrate(
        self, first: Positions, last: Positions, east: Floats, north: Floats, sigma: Floats
    ) -> Floats:
        counts = last - first
        pair = np.repeat(np.arange(len(counts)), counts)
        edge = np.arange(len(pair)) - np.repeat(np.cumsum(counts) - counts - first, counts)
        ends = self._edges.ends[edge]
        scale = sigma[pair]
        ax, ay = (ends[:, 0] - east[pair]) / scale, (ends[:, 1] - north[pair]) / scale
        bx, by = (ends[:, 2] - east[pair]) / scale, (ends[:, 3] - north[pair]) / scale
        shares = np.bincount(pair, weights=_triangles(ax, ay, bx, by), minlength=len(counts))
        return shares.astype(np.float64, copy=False)

    @cached_property
    def tiling(self) -> Tiling:
        """The cells cut into the pattern that points are looked up in, in the order of their codes."""
        given = self._given_tiling
        return lay_tiles(self._polygons) if given is None else given

    @cached_property
    def _tree(self) -> shapely.STRtree:
        """Tree of the cells, for what lies outside or may lie in several."""
        return shapely.STRtree(self._polygons)

    @cached_property
    def _rank(self) -> Positions:
        rank = np.empty(len(self), dtype=np.intp)
        rank[self._by_code] = np.arange(len(self))
        return rank

    @cached_property
    def _borders(self) -> NDArray[Any]:
        borders: NDArray[Any] = shapely.boundary(self._polygons)
        shapely.prepare(borders)
        return borders

    @cached_property
    def _edges(self) -> "_Edges":
        return _directed_edges(self._polygons)


@dataclass(frozen=True)
class _Edges:
    """The edges of all cells with the inside on their left, cell by cell."""

    ends: Floats
    start: Positions


def _directed_edges(polygons: NDArray[Any]) -> _Edges:
    parts, cell = shapely.get_parts(polygons, return_index=True)
    parts = shapely.orient_polygons(parts)
    rings, part = shapely.get_rings(parts, return_index=True)
    vertices, ring = shapely.get_coordinates(rings, return_index=True)
    follows = ring[:-1] == ring[1:] if len(ring) else np.empty(0, dtype=bool)
    ends = np.hstack([vertices[:-1], vertices[1:]])[follows]
    owner = cell[part[ring[:-1][follows]]]
    start = np.searchsorted(owner, np.arange(len(polygons) + 1)).astype(np.intp)
    return _Edges(ends=ends, start=start)


def _triangles(ax: Floats, ay: Floats, bx: Floats, by: Floats) -> Floats:
    """Integrate the standard normal density over the triangles (0, a, b), signed by their turn."""
    result = np.arctan2(ax * by - ay * bx, ax * bx + ay * by) / (2.0 * np.pi)
    half = 0.5 * np.hypot(bx - ax, by - ay)
    # Beyond seven deviations Owen's T is below 1e-12: only edges that come near need more.
    near = np.flatnonzero(np.hypot(ax + bx, ay + by) < 2.0 * (half + _FAR))
    ax, ay, length = ax[near], ay[near], np.maximum(2.0 * half[near], _FLAT)
    ux, uy = (bx[near] - ax) / length, (by[near] - ay) / length
    side = ax * uy - ay * ux
    height = np.maximum(np.abs(side), _FLAT)
    foot = ax * ux + ay * uy
    angle = owens_t(height, (foot + length) / height) - owens_t(height, foot / height)
    result[near] -= np.copysign(angle, side)
    # A triangle without height has no area, and the turn of its edge may be rounded to either side.
    result[near[np.abs(side) < _FLAT]] = 0.0
    return result


def _arrays(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
    east = np.atleast_1d(np.asarray(x, dtype=np.float64))
    north = np.atleast_1d(np.asarray(y, dtype=np.float64))
    return east, north
