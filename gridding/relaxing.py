"""Relaxing: where borders meet in the open, and where they end on features, moves to where it costs least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridding.arcs import Arcs, Geometries, Mask, grid_areas, swept_area
from gridding.graph import Floats, Indices
from gridding.nudges import DIRECTIONS, FARTHEST, FIXED, FREE, SLIDE, SLIDING, Mesh, nudge
from gridding.objective import weights_of
from gridding.planes import Cells, cells_of, frame_of
from gridding.room import POINT, SOLID, TRACK
from gridding.tracks import Track, tracks_of

if TYPE_CHECKING:
    from gridding.obstacles import Obstacles
    from gridding.options import DivisionOptions

_STEPS_M = (8.0, 4.0, 2.0, 1.0, 0.5)
_SWEEPS = 6
_NECK_M = 3.0
"""Borders that meet nowhere keep this distance, m: a grid is no thread."""
_CELL_M = 25.0
_TOUCH_M = 0.05
_ALONG_M = 0.3
"""A side that runs on a building or compound for this long stays, m."""
_GAP_M = 0.005


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What each grid should be, and may become."""

    target_m2: Floats
    least_m2: Floats
    most_m2: Floats


def relax(arcs: Arcs, obstacles: Obstacles, limits: Limits, *, options: DivisionOptions) -> Arcs:
    """Move junctions and corners of free arcs to where the division costs least.

    Junctions of free arcs alone move in steps from eight metres down to half a metre, those at which
    free arcs end on a feature or the outline slide along it; what follows a feature stays on it to within
    a precision cell. The cost is that of the search, apart from load. Nothing passes over a building or
    another border or comes to lie in a component's clearance, and no grid leaves its limits.

    Parameters
    ----------
    arcs : Arcs
        Borders of one piece of land, straightened.
    obstacles : Obstacles
        Buildings, compounds and components, with their clearances.
    limits : Limits
        Areas of all grids, m².
    options : DivisionOptions
        Gives weights, price and precision grid.
    """
    frame = _Frame.of(arcs, options.precision_m)
    if not (frame.kind != FIXED).any():
        return arcs
    mesh = frame.mesh(obstacles, limits, options)
    before = mesh.xy.copy()
    for step in _STEPS_M:
        mesh.tried[:] = 0
        for _ in range(_SWEEPS):
            ends = mesh.xy[mesh.edges[:, :2]].reshape(-1, 4)
            pad_m = FARTHEST * step + options.precision_m
            near = cells_of(ends, frame=mesh.still.frame, pad_m=pad_m)
            if nudge(mesh, near, step) == 0:
                break
    return arcs.with_lines(frame.lines(mesh, before))


@dataclass(frozen=True, kw_only=True)
class _Frame:
    """Arcs taken apart into corners and the sides between them."""

    arcs: Arcs
    kind: Indices
    """Of each corner: junctions come first, then the inner corners of free arcs."""
    xy: Floats
    edges: Indices
    """Sides of free arcs: both corners and both grids."""
    first: Indices
    """First side of each arc, and last their number."""
    tracks: list[Track]
    base: Floats
    precision_m: float

    @classmethod
    def of(cls, arcs: Arcs, precision_m: float) -> _Frame:
        kind = _kinds(arcs)
        xy, line = shapely.get_coordinates(arcs.lines, return_index=True)
        base = np.rint(xy[0] / precision_m) * precision_m
        tracks = tracks_of(arcs, kind == SLIDING, base=base, precision_m=precision_m)
        for track in tracks:
            kind[track.junctions[[0, -1]]] = FIXED
        is_start, is_end = np.diff(line, prepend=-1) != 0, np.diff(line, append=-1) != 0
        inner = np.flatnonzero(arcs.is_free[line] & ~is_start & ~is_end)
        corner = np.full(len(xy), -1, dtype=np.intp)
        corner[inner] = len(kind) + np.arange(len(inner))
        corner[is_start], corner[is_end] = arcs.start, arcs.end
        places = np.zeros((len(kind) + len(inner), 2))
        places[corner[corner >= 0]] = xy[corner >= 0]
        rows = np.flatnonzero(arcs.is_free[line] & ~is_end)
        sides = (corner[rows], corner[rows + 1], arcs.left[line[rows]], arcs.right[line[rows]])
        return cls(
            arcs=arcs,
            kind=np.append(kind, np.full(len(inner), FREE)),
            xy=np.rint((places - base) / precision_m) * precision_m,
            edges=np.column_stack(sides).astype(np.int64),
            first=np.searchsorted(line[rows], np.arange(len(arcs.lines) + 1)),
            tracks=tracks,
            base=base,
            precision_m=precision_m,
        )

    def mesh(self, obstacles: Obstacles, limits: Limits, options: DivisionOptions) -> Mesh:
        """Return the arrays that the compiled functions work on."""
        ends = self.edges[:, :2].ravel()
        order = np.argsort(ends, kind="stable")
        weights = weights_of(options)
        count = len(limits.target_m2)
        slides, track = self._slides()
        still, sort = self._still(track, obstacles)
        reach = (_NECK_M, obstacles.clearance_m, obstacles.point_clearance_m)
        return Mesh(
            xy=self.xy.copy(),
            kind=np.where(self._held(obstacles), FIXED, self.kind).astype(np.int64),
            slides=slides,
            first=np.searchsorted(ends[order], np.arange(len(self.xy) + 1)).astype(np.int64),
            sides=(order // 2).astype(np.int64),
            edges=self.edges,
            track=track,
            grids=self._grids(limits),
            changed=np.zeros(count, dtype=np.int64),
            tried=np.zeros(len(self.xy), dtype=np.int64),
            clock=np.ones(1, dtype=np.int64),
            touched=np.zeros((16, 3)),
            ways=np.zeros((DIRECTIONS + 1, 3)),
            weights=np.array([weights.area, weights.shape, 0.0, weights.reward, 1.0]),
            price=options.open_price / 100.0,
            precision_m=options.precision_m,
            still=still,
            sort=sort,
            reach=np.array(reach),
        )

    def _grids(self, limits: Limits) -> Floats:
        """Return area, perimeter, least and greatest area, and grids per m² of every grid."""
        arcs, count = self.arcs, len(limits.target_m2)
        length = shapely.length(arcs.lines)
        side, both = np.concatenate([arcs.left, arcs.right]), np.concatenate([length, length])
        rim = np.bincount(side[side >= 0], both[side >= 0], minlength=count)
        area = grid_areas(arcs, swept_area(arcs.lines, self.base), count=count)
        return np.column_stack([area, rim, limits.least_m2, limits.most_m2, 1.0 / limits.target_m2])

    def _held(self, obstacles: Obstacles) -> Mask:
        """Return which corners stay because they, or a side of theirs, lie on a building or compound."""
        held = np.zeros(len(self.xy), dtype=np.bool_)
        tree = shapely.STRtree(obstacles.solids)
        free = np.flatnonzero(self.kind == FREE)
        places = shapely.points(self.xy[free] + self.base)
        held[free[tree.query(places, predicate="dwithin", distance=_TOUCH_M)[0]]] = True
        sides = shapely.linestrings(self.xy[self.edges[:, :2]] + self.base)
        side, solid = tree.query(sides, predicate="dwithin", distance=_TOUCH_M)
        wide = shapely.buffer(obstacles.solids[solid], _TOUCH_M)
        along = shapely.length(shapely.intersection(sides[side], wide))
        held[self.edges[side[along > _ALONG_M], :2]] = True
        return held

    def _slides(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.void]], Floats]:
        """Return how corners slide, and x, y and distance along of the vertices of all tracks."""
        slides = np.zeros(len(self.xy), dtype=SLIDE)
        start = 0
        for track in self.tracks:
            inner, sides = track.inner, track.sides(self.arcs)
            slides["first"][inner] = start
            slides["last"][inner] = start + len(track.vertices) - 1
            slides["before"][inner] = np.append(-1, inner[:-1])
            slides["after"][inner] = np.append(inner[1:], -1)
            slides["at"][inner] = track.at[1:-1]
            slides["sides"][inner] = np.column_stack([sides[:-1], sides[1:]])
            start += len(track.vertices)
        return slides, np.concatenate([np.zeros((0, 3)), *(t.vertices for t in self.tracks)])

    def _still(self, track: Floats, obstacles: Obstacles) -> tuple[Cells, Indices]:
        """Return what does not move, and the sort of each; pieces of tracks by their first vertex."""
        ends = np.column_stack([track[:, :2], np.roll(track[:, :2], -1, axis=0)])
        is_last = np.append(np.diff(track[:, 2]) < 0, True)[: len(track)]
        ends[is_last, 2:] = ends[is_last, :2]
        others = ~self.arcs.is_free
        others[np.concatenate([np.zeros(0, dtype=np.intp), *(t.arcs for t in self.tracks)])] = False
        features = _segments(self.arcs.lines[others]) - np.tile(self.base, 2)
        solids = _segments(shapely.get_rings(obstacles.solids)) - np.tile(self.base, 2)
        points = shapely.get_coordinates(obstacles.points) - self.base
        groups = (ends, features, solids, np.column_stack([points, points]))
        sort = np.repeat([TRACK, TRACK, SOLID, POINT], [len(group) for group in groups])
        grid = frame_of(self.xy, side_m=_CELL_M)
        return cells_of(np.concatenate(groups), frame=grid, pad_m=0.0), sort.astype(np.int64)

    def lines(self, mesh: Mesh, before: Floats) -> Geometries:
        """Return the lines of all arcs as their corners are now."""
        lines = self.arcs.lines.copy()
        moved = (mesh.xy != before).any(axis=1)
        places = self._placed(mesh.xy)
        side = np.flatnonzero(moved[self.edges[:, :2]].any(axis=1))
        for arc in np.unique(np.searchsorted(self.first, side, side="right") - 1).tolist():
            corners = self.edges[self.first[arc] : self.first[arc + 1], :2]
            lines[arc] = shapely.LineString(places[np.append(corners[:, 0], corners[-1, 1])])
        for track in self.tracks:
            at = track.at.copy()
            at[1:-1] = mesh.slides["at"][track.inner]
            is_new = moved[track.junctions[:-1]] | moved[track.junctions[1:]]
            for place in np.flatnonzero(is_new).tolist():
                own = self._placed(track.between(at[place], at[place + 1], gap_m=_GAP_M))
                one, other = places[track.junctions[place : place + 2]]
                xy = np.concatenate([[one], own, [other]])
                turn = -1 if track.is_reversed[place] else 1
                lines[track.arcs[place]] = shapely.LineString(xy[::turn])
        return lines

    def _placed(self, xy: Floats) -> Floats:
        # Divided, as GEOS does: multiplied by a cell they would differ in the last digit.
        return np.rint((xy + self.base) / self.precision_m) / round(1.0 / self.precision_m)


def _kinds(arcs: Arcs) -> Indices:
    """Return which junctions may move: where free arcs alone meet, or some end on a feature."""
    count = int(max(arcs.start.max(), arcs.end.max())) + 1
    ends = np.stack([arcs.start, arcs.end])
    on_feature = np.bincount(ends[:, ~arcs.is_free].ravel(), minlength=count)
    in_open = np.bincount(ends[:, arcs.is_free].ravel(), minlength=count)
    kind = np.full(count, FIXED)
    kind[(on_feature == 0) & (in_open > 1)] = FREE
    kind[(on_feature == 2) & (in_open > 0)] = SLIDING
    kind[arcs.start[~arcs.is_free & (arcs.start == arcs.end)]] = FIXED
    return kind


def _segments(lines: Geometries) -> Floats:
    """Return x and y of both ends of all segments, (n, 4)."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    same = line[1:] == line[:-1]
    return np.concatenate([xy[:-1][same], xy[1:][same]], axis=1)
