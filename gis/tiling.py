"""Cells cut into a pattern of small squares, so that most points need one look and the others few edges.

The plane is cut into tiles about as wide as a cell, a tile that edges cross into squares, the more the
more edges there are. A square that no edge crosses names the lowest cell that covers it. A square that
edges cross keeps for each cell near it the edges that cross it, and a pole: a point of the square
whose place, inside or outside, is known. Whether a point lies inside follows from the edges between
it and the pole (R. Franklin's crossing rule, taken over a segment instead of a ray), decided by the
exact predicate of `gis.orientation`.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

from gis.cutting import cut
from gis.cutting import touched as touch

NOTHING = -1
"""Value of a square that no cell touches; below it lie the numbers of squares that edges cross."""
_MOST_TILES_PER_CELL = 16
_COARSEST, _FINEST = 4, 64
_FINENESS = 1.0
"""Squares per side for each square root of the edges in a tile."""
SIDES = 128
_PAD = 1e-6
_ULPS = 64.0

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """The pattern as flat arrays, ready to be written and memory-mapped."""

    frame: NDArray[np.float64]
    """West, south, width of a tile, 1 / width."""
    shape: NDArray[np.int64]
    """Columns and rows of tiles."""
    tiles: NDArray[np.int64]
    """First square of each tile times 128 plus squares per side, row by row from the south-west."""
    squares: NDArray[np.int32]
    """Cell that covers each square, or `NOTHING`, or -2 - number of the crossed square."""
    poles: NDArray[np.float64]
    """(n, 2): east and north of the pole of each crossed square."""
    first_part: NDArray[np.int64]
    """First part of each crossed square, and past the last."""
    parts: NDArray[np.int32]
    """Cell of each part times 2, plus 1 when the pole lies inside; cells of a square in their order."""
    first_edge: NDArray[np.int64]
    """First edge of each part, and past the last."""
    edges: NDArray[np.int32]
    """First vertex of each edge times 2, plus 1 when the pole lies on its left."""
    vertices: NDArray[np.float64]
    """(n, 2): vertices of all rings, each ring closed."""

    def nbytes(self) -> int:
        """Return the memory of the arrays, bytes."""
        return sum(array.nbytes for array in vars(self).values())


def write_tiling(tiling: Tiling, folder: Path, *, name: str) -> None:
    """Write a tiling as arrays that can be mapped: ``NAME.frame.npy`` and so on, synced to disk."""
    for field, array in vars(tiling).items():
        with (folder / f"{name}.{field}.npy").open("wb") as file:
            np.save(file, array)
            file.flush()
            os.fsync(file.fileno())


def read_tiling(path_of: Callable[[str], Path], *, name: str) -> Tiling:
    """Return a tiling that `write_tiling` wrote, memory-mapped.

    Parameters
    ----------
    path_of : callable
        File name -> path, which may check the file first.
    name : str
        As it was written.
    """
    arrays = {}
    for field in fields(Tiling):
        path = path_of(f"{name}.{field.name}.npy")
        try:
            array = np.load(path, mmap_mode="r")
        except ValueError:  # an array of no rows has no bytes to map
            array = np.load(path)
        arrays[field.name] = _sealed(array)
    return Tiling(**arrays)


def _sealed(array: NDArray[Any]) -> NDArray[Any]:
    """Return a plain array that can not be written: mapped and laid ones are one type to numba."""
    plain = np.asarray(array)
    plain.setflags(write=False)
    return plain


def lay_tiles(polygons: NDArray[Any]) -> Tiling:
    """Cut polygons into the pattern; their order is the order in which ties are decided.

    Parameters
    ----------
    polygons : numpy.ndarray
        Valid Polygons or MultiPolygons in one projected CRS, metres; missing and empty ones hold no
        point.

    Examples
    --------
    >>> made = lay_tiles(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> len(made.vertices), bool((made.squares >= 0).any())
    (10, True)
    """
    vertices, heads, owner = _edges_of(polygons)
    frame, shape = _frame_of(
        vertices, cells=len(polygons), area_m2=float(shapely.area(polygons).sum())
    )
    reach = float(np.abs(vertices).max()) if len(vertices) else 1.0
    pad = max(_PAD * frame[2] / _FINEST, _ULPS * float(np.spacing(reach)))
    count = int(shape[0] * shape[1])
    touched = touch(vertices, heads, tuple(frame), tuple(shape), pad)
    spans = np.searchsorted(owner, np.arange(len(polygons) + 1)).astype(np.int64)
    ground = (vertices, heads, tuple(frame), tuple(shape))
    covers = _by_square(*_covers(ground, touched, spans), count=count)
    edges_of = _by_square(*touched, count=count)
    sides = _sides(edges_of[0])
    firsts = np.concatenate([[0], np.cumsum(sides**2)])
    squares, cuts = cut(ground, pad, (owner, spans), edges_of, covers, (sides, firsts))
    poles, first_part, parts, first_edge, edges = cuts
    tiles = firsts[:-1] * SIDES + sides
    made = (frame, shape, tiles, squares, poles, first_part, parts, first_edge, edges, vertices)
    names = (field.name for field in fields(Tiling))
    return Tiling(**{name: _sealed(array) for name, array in zip(names, made, strict=True)})


def _edges_of(
    polygons: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int32]]:
    """Return the vertices of all rings, the first vertex of each edge, and the cell of each edge."""
    parts, cell = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    vertices, ring = shapely.get_coordinates(rings, return_index=True)
    if not len(vertices):
        nothing = np.empty(0, dtype=np.int32)
        return np.empty((0, 2)), nothing, nothing
    goes_on = (ring[:-1] == ring[1:]) & (vertices[:-1] != vertices[1:]).any(axis=1)
    heads = np.flatnonzero(goes_on).astype(np.int32)
    return np.ascontiguousarray(vertices), heads, cell[part[ring[heads]]].astype(np.int32)


def _frame_of(
    vertices: NDArray[np.float64], *, cells: int, area_m2: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if not len(vertices):
        return np.array([0.0, 0.0, 1.0, 1.0]), np.zeros(2, dtype=np.int64)
    (west, south), (east, north) = vertices.min(axis=0), vertices.max(axis=0)
    most = _MOST_TILES_PER_CELL * cells + 1024
    width = max(
        float(np.sqrt(area_m2 / cells)),
        float(np.sqrt((east - west) * (north - south) / most)),
        max(east - west, north - south) / most,
        1e-9,
    )
    # Half a tile of margin: no vertex lies on the border of the frame.
    west, south = west - width / 2.0, south - width / 2.0
    shape = np.array([(east - west) / width + 1.0, (north - south) / width + 1.0]).astype(np.int64)
    return np.array([west, south, width, 1.0 / width]), shape


def _sides(starts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return into how many squares per side each tile is cut: one, if no edge touches it."""
    edges = np.diff(starts)
    wanted = 2.0 ** np.ceil(np.log2(np.maximum(np.sqrt(edges) * _FINENESS, 1.0)))
    return np.where(edges > 0, np.clip(wanted, _COARSEST, _FINEST), 1.0).astype(np.int64)


@_compile
def _clip(value: float, most: int) -> int:
    return int(min(max(np.floor(value), 0.0), most - 1.0))


def _by_square(
    edges: NDArray[np.int32], squares: NDArray[np.int64], *, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return where the edges of each square start, and the edges, in their order in each square."""
    starts = np.concatenate([[0], np.cumsum(np.bincount(squares, minlength=count))])
    return starts.astype(np.int64), edges[np.argsort(squares, kind="stable")]


@_compile
def _covers(ground, touched, spans):  # type: ignore[no-untyped-def]
    """Return pairs of cell and tile that the cell covers whole, no edge of its own near."""
    vertices, heads, frame, shape = ground
    columns, rows = shape
    west, south, width, per_width = frame
    own_edges, own_tiles = touched
    stamp = np.full(columns * rows, -1, dtype=np.int32)
    cells = np.empty(1024, dtype=np.int32)
    tiles = np.empty(1024, dtype=np.int64)
    count = pair = 0
    for cell in range(len(spans) - 1):
        lowest, highest = rows, -1
        while pair < len(own_edges) and own_edges[pair] < spans[cell + 1]:
            stamp[own_tiles[pair]] = cell
            lowest = min(lowest, own_tiles[pair] // columns)
            highest = max(highest, own_tiles[pair] // columns)
            pair += 1
        for row in range(lowest, highest + 1):
            y = south + (row + 0.5) * width
            crossed = _crossed(vertices, heads[spans[cell] : spans[cell + 1]], y)
            for gap in range(0, len(crossed) - 1, 2):
                begin = _clip((crossed[gap] - west) * per_width - 0.5, columns)
                end = _clip((crossed[gap + 1] - west) * per_width + 0.5, columns)
                for column in range(begin, end + 1):
                    middle = west + (column + 0.5) * width
                    tile = row * columns + column
                    if stamp[tile] == cell or not crossed[gap] < middle < crossed[gap + 1]:
                        continue
                    if count == len(cells):
                        cells = np.concatenate((cells, np.empty(count, dtype=np.int32)))
                        tiles = np.concatenate((tiles, np.empty(count, dtype=np.int64)))
                    cells[count], tiles[count] = cell, tile
                    count += 1
    return cells[:count], tiles[:count]


@_compile
def _crossed(vertices, heads, y):  # type: ignore[no-untyped-def]
    """Return where a level line crosses edges, from west to east."""
    found = np.empty(len(heads))
    count = 0
    for head in heads:
        ax, ay = vertices[head]
        bx, by = vertices[head + 1]
        if (ay > y) != (by > y):
            found[count] = ax + (bx - ax) * ((y - ay) / (by - ay))
            count += 1
    return np.sort(found[:count])
