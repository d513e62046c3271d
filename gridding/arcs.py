"""Arcs: the borders between grids, each from one junction to the next."""

from dataclasses import dataclass, replace

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.atoms import Atoms
from gridding.graph import Floats, Indices
from gridding.lines import KINDS

Geometries = NDArray[np.object_]
Mask = NDArray[np.bool_]

_BESIDE_M = 0.001
_SET = (KINDS.index("locked"), KINDS.index("existing"))
_SOFT = tuple(KINDS.index(kind) for kind in ("path", "wall", "parcel", "green", "land_use"))


@dataclass(frozen=True, kw_only=True)
class Arcs:
    """The borders between the grids of one piece of land, and its outline."""

    lines: Geometries
    """LineStrings that meet one another at their ends alone; closed where a border has no junction."""
    left: Indices
    """Grid on the left of each, going along it; negative: outside."""
    right: Indices
    """Grid on its right."""
    start: Indices
    """Junction where each begins."""
    end: Indices
    """Junction where it ends: the same where it is closed."""
    is_free: Mask
    """Whether it follows no feature, and so may be straightened."""
    is_feature: Mask
    """Whether it follows a feature inside the land that is no border set before."""
    is_soft: Mask
    """Whether that is a feature which a border may leave for a metre: no road, water or railway."""

    def with_lines(self, lines: Geometries) -> "Arcs":
        """Return the same arcs along other lines."""
        return replace(self, lines=lines)


def chain_arcs(atoms: Atoms, grid: Indices, *, precision_m: float) -> Arcs:
    """Join the border pieces between different grids into arcs from junction to junction.

    Parameters
    ----------
    atoms : Atoms
        Atoms of one piece of land.
    grid : array of int
        Grid of each atom, from 0.
    precision_m : float
        Side of the cells on which all coordinates lie, m.

    An arc changes neither its two sides nor from a road to a softer feature or open land; its order and
    direction follow those of the pieces.
    """
    left = grid[atoms.left]
    right = np.where(atoms.right >= 0, grid[np.maximum(atoms.right, 0)], atoms.right)
    kept = np.flatnonzero(left != right)
    pieces, left, right = atoms.border[kept], left[kept], right[kept]
    # What is set already, as the outline, keeps every vertex: others have the same ones.
    is_set = (right < 0) | np.isin(atoms.kind[kept], _SET)
    is_free = (atoms.kind[kept] < 0) & ~is_set
    is_soft = np.isin(atoms.kind[kept], _SOFT) & ~is_set
    status = np.where(is_set, 0, np.where(is_free, 2, np.where(is_soft, 3, 1)))
    node = _end_nodes(pieces, precision_m)
    chain, order, is_reversed = _chains(node, status)
    first = np.flatnonzero(np.diff(chain, prepend=-1))
    last = np.append(first[1:], len(chain)) - 1
    lines = _joined(pieces[order], is_reversed, chain)
    begin = node[order, is_reversed.astype(np.intp)][first]
    finish = node[order, 1 - is_reversed.astype(np.intp)][last]
    one, other = left[order][first], right[order][first]
    swap = ~_is_on_left(lines, atoms.polygons, atoms.left[kept][order], chain)
    return Arcs(
        lines=lines,
        left=np.where(swap, other, one),
        right=np.where(swap, one, other),
        start=begin,
        end=finish,
        is_free=status[order][first] == 2,
        is_feature=status[order][first] % 2 == 1,
        is_soft=status[order][first] == 3,
    )


def swept_area(lines: Geometries, origin: Floats) -> Floats:
    """Return the area that the ray from `origin` to a point going along each line sweeps, m².

    Anticlockwise counts; summed over the arcs round a grid, forth or back, it gives the grid's area.

    Examples
    --------
    >>> bend = np.array([shapely.LineString([(2, 0), (2, 2), (0, 2)])])
    >>> swept_area(bend, np.array([0.0, 0.0])).tolist()
    [4.0]
    """
    xy, line = shapely.get_coordinates(lines, return_index=True)
    near = xy - origin
    cross = near[:-1, 0] * near[1:, 1] - near[1:, 0] * near[:-1, 1]
    same = line[1:] == line[:-1]
    return np.bincount(line[1:][same], weights=cross[same], minlength=len(lines)) / 2.0


def grid_areas(arcs: Arcs, swept_m2: Floats, *, count: int) -> Floats:
    """Return the area of each grid, or what it gains, from what its arcs sweep, m²."""
    side = np.concatenate([arcs.left, arcs.right])
    swept = np.concatenate([swept_m2, -swept_m2])
    inside = side >= 0
    area = np.bincount(side[inside], weights=swept[inside], minlength=count)
    return np.asarray(area, dtype=np.float64)


def polygons_of(arcs: Arcs, *, count: int) -> Geometries:
    """Return for each grid the faces between its arcs, as a collection.

    One face for a grid without holes; a hole is a face of its own.
    """
    arc = np.tile(np.arange(len(arcs.lines)), 2)
    grid = np.concatenate([arcs.left, arcs.right])
    kept = grid >= 0
    order = np.lexsort((arc[kept], grid[kept]))
    grid, arc = grid[kept][order], arc[kept][order]
    size = np.bincount(grid, minlength=count)
    place = np.arange(len(grid)) - np.repeat(np.cumsum(size) - size, size)
    table = np.full((count, int(size.max(initial=0))), None, dtype=object)
    table[grid, place] = arcs.lines[arc]
    faces: Geometries = shapely.polygonize(table)
    return faces


def _end_nodes(pieces: Geometries, precision_m: float) -> Indices:
    """Return the node at the first and at the last vertex of each piece, (n, 2)."""
    ends = np.concatenate([shapely.get_point(pieces, 0), shapely.get_point(pieces, -1)])
    cells = np.rint(shapely.get_coordinates(ends) / precision_m).astype(np.int64)
    cells -= cells.min(axis=0, initial=np.iinfo(np.int64).max) if len(cells) else 0
    width = cells[:, 1].max(initial=0) + 1
    node = np.unique(cells[:, 0] * width + cells[:, 1], return_inverse=True)[1]
    return node.reshape(2, -1).T.astype(np.intp)


def _chains(node: Indices, status: Indices) -> tuple[Indices, Indices, Mask]:
    """Return the chain of each step, the piece it goes along and whether from its end to its start."""
    partner = _partners(node, status)
    visited = np.zeros(len(node), dtype=np.bool_)
    steps: list[int] = []
    chain: list[int] = []
    # Chains that begin at a junction first, then the closed ones that have none.
    starts = np.concatenate([np.flatnonzero(partner < 0), np.arange(len(partner))])
    following, count = partner.tolist(), 0
    for start in starts.tolist():
        half = start
        if visited[half // 2]:
            continue
        while half >= 0 and not visited[half // 2]:
            visited[half // 2] = True
            steps.append(half)
            chain.append(count)
            half = following[half ^ 1]
        count += 1
    step = np.array(steps, dtype=np.intp)
    return np.array(chain, dtype=np.intp), step // 2, (step % 2).astype(np.bool_)


def _partners(node: Indices, status: Indices) -> Indices:
    """Return for every end of a piece (2 x piece, +1 at its end) the one it goes on with, or -1."""
    flat = node.ravel()
    order = np.argsort(flat, kind="stable")
    degree = np.bincount(flat)
    first = np.flatnonzero(np.diff(flat[order], prepend=-1))
    pair = first[degree[flat[order[first]]] == 2]
    one, other = order[pair], order[pair + 1]
    same = status[one // 2] == status[other // 2]
    partner = np.full(len(flat), -1, dtype=np.intp)
    partner[one[same]] = other[same]
    partner[other[same]] = one[same]
    return partner


def _joined(pieces: Geometries, is_reversed: Mask, chain: Indices) -> Geometries:
    directed = np.where(is_reversed, shapely.reverse(pieces), pieces)
    xy, piece = shapely.get_coordinates(directed, return_index=True)
    line = chain[piece]
    # The first vertex of a piece is the last one of the piece before.
    repeated = np.append(False, (line[1:] == line[:-1]) & (piece[1:] != piece[:-1]))
    lines: Geometries = shapely.linestrings(xy[~repeated], indices=line[~repeated])
    return lines


def _is_on_left(lines: Geometries, polygons: Geometries, atom: Indices, chain: Indices) -> Mask:
    """Return whether the first side of each chain's pieces lies on the left of its line."""
    if len(lines) == 0:
        return np.zeros(0, dtype=np.bool_)
    first = np.flatnonzero(np.diff(chain, prepend=-1))
    xy, line = shapely.get_coordinates(lines, return_index=True)
    begin = np.searchsorted(line, np.arange(len(lines)))
    a, b = xy[begin], xy[begin + 1]
    along = (b - a) / np.hypot(*(b - a).T)[:, None]
    beside = (a + b) / 2 + _BESIDE_M * np.column_stack([-along[:, 1], along[:, 0]])
    behind = (a + b) / 2 - _BESIDE_M * np.column_stack([-along[:, 1], along[:, 0]])
    polygon = polygons[atom[first]]
    on_left = shapely.distance(polygon, shapely.points(beside))
    on_right = shapely.distance(polygon, shapely.points(behind))
    is_left: Mask = on_left <= on_right
    return is_left
