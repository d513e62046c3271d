"""Straightening: borders that follow no feature become as plain as the buildings beside them allow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridding.arcs import Arcs, Geometries, Mask, chain_arcs, grid_areas, polygons_of, swept_area
from gridding.atoms import Atoms
from gridding.graph import Floats, Indices
from gridding.obstacles import (
    Obstacles,
    bend,
    crosses_arcs,
    meets_solid,
    near_points,
    pass_round,
)
from gridding.relaxing import Limits, relax

if TYPE_CHECKING:
    from gridding.options import DivisionOptions
    from gridding.scene import Scene

_TOLERANCES_M = (30.0, 20.0, 12.0, 8.0, 5.0, 3.0, 1.5, 0.8)
_EASE_M = 0.05
"""Borders on features leave out vertices that matter less than this, m."""
_AREA_SHARE = 0.12
"""Straightening may move a grid's area by this share of the target."""
_SMALL_SHARE = 0.25
"""… and by this share of the area it has."""
_RELAXED_SHARE = 0.25
"""Relaxing, which weighs what it moves, may move a grid's area by this share of the target."""


def straighten(
    atoms: Atoms,
    grid: Indices,
    land: shapely.Polygon,
    scene: Scene,
    *,
    target_m2: Floats | None = None,
    options: DivisionOptions,
) -> list[shapely.Polygon]:
    """Make grids of atoms, with plain borders where these follow no feature.

    The grids cover what the atoms cover, exactly and as a valid coverage on the precision grid. The
    outline of the land and borders set before stay as they are, borders on features stay within five
    centimetres; where a component is too near, those on no road, water or railway step aside by less than
    a metre. A border in a gap between buildings or over open land takes the simplest line that keeps
    clear of buildings, components and other borders and moves no grid out of the window of area. Where such
    borders meet, and where they end on others, is moved last, to where the division costs least.

    Parameters
    ----------
    atoms : Atoms
        Atoms of one piece of land.
    grid : array of int
        Grid of each atom, from 0 without gaps in the numbers; each grid connected.
    land : shapely.Polygon
        What the atoms cover, metres.
    scene : Scene
        What of the topography lies there.
    target_m2 : array of float or None
        Area that each grid should have, m²; None: that of the options.
    options : DivisionOptions
        Gives clearances, target, window, weights and precision grid.

    Returns
    -------
    list of shapely.Polygon
        One for each grid, in the order of their numbers.
    """
    count = int(grid.max()) + 1
    if count == 1:
        return [land]
    arcs = chain_arcs(atoms, grid, precision_m=options.precision_m)
    bench = _Bench.of(arcs, scene, count=count, options=options)
    straight = bench.straightened(arcs, land)
    limits = bench.limits(np.full(count, options.target_m2) if target_m2 is None else target_m2)
    relaxed = relax(straight, bench.obstacles, limits, options=options)
    polygons, is_lost = bench.faces(relaxed)
    return list(_built(straight, arcs, bench) if is_lost.any() else shapely.normalize(polygons))


@dataclass(frozen=True, kw_only=True)
class _Bench:
    """What straightening holds its candidates against."""

    original: Geometries
    obstacles: Obstacles
    area_m2: Floats
    """Area of each grid before."""
    origin: Floats
    options: DivisionOptions

    @classmethod
    def of(cls, arcs: Arcs, scene: Scene, *, count: int, options: DivisionOptions) -> _Bench:
        origin = shapely.get_coordinates(arcs.lines[0])[0]
        obstacles = Obstacles(
            solids=np.concatenate([scene.buildings, scene.kept_whole]),
            buildings=len(scene.buildings),
            points=shapely.points(scene.points.reshape(-1, 2)),
            clearance_m=options.clearance_m,
            point_clearance_m=options.component_clearance_m,
        )
        return cls(
            original=arcs.lines,
            obstacles=obstacles,
            area_m2=grid_areas(arcs, swept_area(arcs.lines, origin), count=count),
            origin=origin,
            options=options,
        )

    def limits(self, target_m2: Floats) -> Limits:
        """Return what each grid may become by relaxing."""
        lower, upper = self.options.lower_ratio * target_m2, self.options.upper_ratio * target_m2
        reach = _RELAXED_SHARE * target_m2
        return Limits(
            target_m2=target_m2,
            least_m2=np.maximum(np.minimum(self.area_m2, lower), self.area_m2 - reach),
            most_m2=np.minimum(np.maximum(self.area_m2, upper), self.area_m2 + reach),
        )

    def faces(self, arcs: Arcs) -> tuple[Geometries, Mask]:
        """Return the polygon of each grid, and which grids have none."""
        count = len(self.area_m2)
        area = grid_areas(arcs, swept_area(arcs.lines, self.origin), count=count)
        return _chosen(polygons_of(arcs, count=count), area)

    def straightened(self, arcs: Arcs, land: shapely.Polygon) -> Arcs:
        """Return arcs whose free ones are as simple as they may be, the others but lightly eased."""
        rows, eased = _eased(arcs, land, self.options.precision_m)
        good = self._sound(arcs, rows, eased, ignores_points=True)
        lines = arcs.lines.copy()
        lines[rows[good]] = eased[good]
        arcs = arcs.with_lines(lines)
        pending = np.flatnonzero(arcs.is_free & (shapely.get_num_coordinates(arcs.lines) > 2))
        for tolerance in _TOLERANCES_M:
            lines = shapely.simplify(arcs.lines[pending], tolerance, preserve_topology=True)
            arcs, is_taken = self.take(arcs, pending, lines)
            pending = pending[~is_taken]
        rows = np.flatnonzero(arcs.is_free)
        rows = rows[np.unique(near_points(arcs.lines[rows], self.obstacles)[0])]
        return self.stepped_aside(self.take(arcs, rows, arcs.lines[rows])[0])

    def stepped_aside(self, arcs: Arcs) -> Arcs:
        """Return arcs that leave soft features for less than a metre where a component is too near.

        One component after another, each on the nearer side if that can be; compounds may lose as much.
        """
        bench = replace(self, obstacles=self.obstacles.lenient())
        rows = np.flatnonzero(arcs.is_free | arcs.is_soft)
        count = len(self.obstacles.points)
        tried = np.empty(0, dtype=np.intp)
        while True:
            line, point = near_points(arcs.lines[rows], self.obstacles)
            fresh = np.flatnonzero(~np.isin(rows[line] * count + point, tried))
            fresh = fresh[np.diff(line[fresh], prepend=-1) != 0]
            if len(fresh) == 0:
                return arcs
            line, point = rows[line[fresh]], point[fresh]
            tried = np.append(tried, line * count + point)
            for is_other_side in (False, True):
                taken = bench._try_round(arcs, (line, point), is_other_side=is_other_side)
                arcs, left = arcs.with_lines(taken), arcs.lines[line] == taken[line]
                line, point = line[left], point[left]

    def _try_round(
        self, arcs: Arcs, pairs: tuple[Indices, Indices], *, is_other_side: bool
    ) -> Geometries:
        """Return the lines of arcs, those bent that may be: round one component each."""
        line, point = pairs
        bent = bend(
            arcs.lines[line],
            (np.arange(len(line)), point),
            self.obstacles,
            is_other_side=is_other_side,
            is_local=True,
            precision_m=self.options.precision_m,
        )
        # Clear of this one, and no nearer than before to any other.
        count = len(self.obstacles.points)
        row, near = near_points(bent, self.obstacles)
        before, known = near_points(arcs.lines[line], self.obstacles)
        is_old = np.isin(row * count + near, before * count + known) & (near != point[row])
        good = np.ones(len(line), dtype=np.bool_)
        good[row[~is_old]] = False
        good[good] = self._sound(arcs, line[good], bent[good], ignores_points=True)
        lines = arcs.lines.copy()
        lines[line[good]] = bent[good]
        return lines

    def take(self, arcs: Arcs, rows: Indices, lines: Geometries) -> tuple[Arcs, Mask]:
        """Take those of the candidates that break nothing, bent round components where need be."""
        taken = np.zeros(len(rows), dtype=np.bool_)
        for is_other_side in (False, True):
            left = np.flatnonzero(~taken)
            bent = pass_round(
                lines[left],
                self.obstacles,
                is_other_side=is_other_side,
                precision_m=self.options.precision_m,
            )
            good = self._sound(arcs, rows[left], bent)
            changed = arcs.lines.copy()
            changed[rows[left[good]]] = bent[good]
            arcs = arcs.with_lines(changed)
            taken[left[good]] = True
        return arcs, taken

    def _sound(
        self, arcs: Arcs, rows: Indices, lines: Geometries, *, ignores_points: bool = False
    ) -> Mask:
        """Return which candidates may be taken, all at once; components may be ignored."""
        good: Mask = shapely.is_simple(lines) & (shapely.get_num_coordinates(lines) >= 2)
        closed = shapely.is_closed(lines)
        good &= ~closed | (shapely.get_num_coordinates(lines) >= 4)
        if not ignores_points:
            good[np.unique(near_points(lines, self.obstacles)[0])] = False
        good[good] = ~meets_solid(lines[good], self.original[rows[good]], self.obstacles)
        index = np.flatnonzero(good)
        good[index[crosses_arcs(lines[index], rows[index], arcs)[0]]] = False
        index = np.flatnonzero(good)
        one, two = crosses_arcs(lines[index], rows[index], arcs, others=lines[index])
        good[index[np.maximum(one, two)]] = False
        index = np.flatnonzero(good)
        good[index] = self._keeps_area(arcs, rows[index], lines[index])
        return good

    def _keeps_area(self, arcs: Arcs, rows: Indices, lines: Geometries) -> Mask:
        """Return which candidates leave every grid within its limits when all of those are taken."""
        good = np.ones(len(rows), dtype=np.bool_)
        now = grid_areas(arcs, swept_area(arcs.lines, self.origin), count=len(self.area_m2))
        gain = np.zeros(len(arcs.lines))
        gain[rows] = swept_area(lines, self.origin) - swept_area(arcs.lines[rows], self.origin)
        while good.any():
            area = now + grid_areas(arcs, gain, count=len(now))
            bad = self._outside(area)
            left, right = arcs.left[rows], arcs.right[rows]
            touches = (bad[left] | bad[right]) & good
            if not touches.any():
                break
            # The one that moves most goes first; those that move next to nothing stay.
            worst = np.zeros(len(now))
            np.maximum.at(worst, left[touches], np.abs(gain[rows[touches]]))
            np.maximum.at(worst, right[touches], np.abs(gain[rows[touches]]))
            size = np.abs(gain[rows])
            drop = touches & (
                (bad[left] & (size >= worst[left])) | (bad[right] & (size >= worst[right]))
            )
            good &= ~drop
            gain[rows[drop]] = 0.0
        return good

    def _outside(self, area_m2: Floats) -> Mask:
        target = self.options.target_m2
        moved = np.abs(area_m2 - self.area_m2)
        lower, upper = self.options.lower_ratio * target, self.options.upper_ratio * target
        was_inside = (self.area_m2 >= lower) & (self.area_m2 <= upper)
        is_inside = (area_m2 >= lower) & (area_m2 <= upper)
        outside: Mask = (
            (moved > _AREA_SHARE * target)
            | (moved > _SMALL_SHARE * self.area_m2)
            | (was_inside & ~is_inside)
        )
        return outside


def _eased(arcs: Arcs, land: shapely.Polygon, precision_m: float) -> tuple[Indices, Geometries]:
    """Return arcs on features without vertices of no weight, on the outline without any but the land's.

    Atoms that are in one grid now had put vertices on the outline where they met it.
    """
    rows = np.flatnonzero(~arcs.is_free & (shapely.get_num_coordinates(arcs.lines) > 2))
    on_outline = np.minimum(arcs.left, arcs.right)[rows] < 0
    rows = np.concatenate([rows[~on_outline & arcs.is_feature[rows]], rows[on_outline]])
    is_feature = arcs.is_feature[rows]
    eased = arcs.lines[rows]
    eased[is_feature] = shapely.simplify(eased[is_feature], _EASE_M, preserve_topology=True)
    xy, line = shapely.get_coordinates(eased, return_index=True)
    corners = np.rint(shapely.get_coordinates(land) / precision_m).astype(np.int64)
    cells = np.rint(xy / precision_m).astype(np.int64)
    width = 2_000_000_000
    kept = np.isin(cells[:, 0] * width + cells[:, 1], corners[:, 0] * width + corners[:, 1])
    kept |= (np.diff(line, prepend=-1) != 0) | (np.diff(line, append=-1) != 0)
    kept |= is_feature[line]
    eased = shapely.linestrings(xy[kept], indices=line[kept])
    return rows, eased


def _built(arcs: Arcs, original: Arcs, bench: _Bench) -> Geometries:
    """Return the polygon of each grid; where straightening lost one, its arcs go back."""
    while True:
        chosen, is_lost = bench.faces(arcs)
        changed = arcs.lines != original.lines
        sides = np.column_stack([arcs.left, arcs.right])
        back = changed & (is_lost[np.maximum(sides, 0)] & (sides >= 0)).any(axis=1)
        if not back.any():
            break
        arcs = _restored(arcs, original, back)
    normal: Geometries = shapely.normalize(chosen)
    return normal


def _chosen(polygons: Geometries, area_m2: Floats) -> tuple[Geometries, Mask]:
    """Return the face of each grid that has its area, and which grids have none."""
    faces, grid = shapely.get_parts(polygons, return_index=True)
    miss = np.abs(shapely.area(faces) - area_m2[grid])
    order = np.lexsort((miss, grid))
    first = order[np.flatnonzero(np.diff(grid[order], prepend=-1))]
    chosen = np.full(len(polygons), None, dtype=object)
    chosen[grid[first]] = faces[first]
    is_lost = np.ones(len(polygons), dtype=np.bool_)
    is_lost[grid[first]] = miss[first] > 0.01
    return chosen, is_lost


def _restored(arcs: Arcs, original: Arcs, back: Mask) -> Arcs:
    """Return arcs with some put back, and those too that would cross them then."""
    while True:
        lines = np.where(back, original.lines, arcs.lines)
        arcs = arcs.with_lines(lines)
        rows = np.flatnonzero(back)
        other = crosses_arcs(lines[rows], rows, arcs)[1]
        more = other[(lines != original.lines)[other]]
        if len(more) == 0:
            return arcs
        back = np.zeros_like(back)
        back[more] = True
