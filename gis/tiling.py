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
from gis.errors import SnapshotError

NOTHING = -1
"""Value of a square that no cell touches; below it lie the places of the records of crossed squares."""
BLOCK_BITS, SIDE_BITS = 4, 11
BLOCK = 1 << BLOCK_BITS
"""Tiles along a side of a block; blocks where nothing is take no room."""
SIDES = 1 << SIDE_BITS
_MOST_TILES_PER_CELL = 16
_COARSEST, _FINEST = 4, 1024
_FINENESS = 1.4
"""Squares per side for each square root of the edges in a tile."""
_MOST_STATES = 1 << 26
"""Squares of a tile times cells with edges in it."""
_PAD = 1e-6
_ULPS = 64.0

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")


@dataclass(frozen=True, kw_only=True)
class Tiling:
    """The pattern as flat arrays, ready to be written and memory-mapped."""

    frame: NDArray[np.float64]
    """West, south, width of a tile, 1 / width."""
    shape: NDArray[np.int64]
    """Columns and rows of tiles, columns and rows of blocks."""
    blocks: NDArray[np.int32]
    """Place of each block among those where something is, or `NOTHING`; row by row from the south-west."""
    tiles: NDArray[np.int64]
    """First square of each tile times 2048 plus squares per side; block by block, in each row by row."""
    squares: NDArray[np.int32]
    """Cell that covers each square, or `NOTHING`, or -2 - place of its record in pairs of words."""
    records: NDArray[np.int32]
    """Records of the squares that edges cross, as `gis.packing` writes them."""
    vertices: NDArray[np.float64]
    """(n, 2): vertices of all rings, each ring closed, cell by cell."""
    first_ring: NDArray[np.int64]
    """First ring of each cell, and past the last."""
    rings: NDArray[np.int32]
    """First vertex of each ring, and past the last."""

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

    Raises
    ------
    SnapshotError
        An array is damaged, or the arrays do not belong together.
    """
    arrays = {}
    for field in fields(Tiling):
        file = f"{name}.{field.name}.npy"
        path = path_of(file)
        try:
            arrays[field.name] = _sealed(_mapped(path))
        except (ValueError, EOFError) as error:
            raise _unreadable(file) from error
    tiling = Tiling(**arrays)
    _check(tiling, name)
    return tiling


def _mapped(path: Path) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r")
    except ValueError:  # an array of no rows has no bytes to map
        array = np.load(path)
    return array


def _check(tiling: Tiling, name: str) -> None:
    """Refuse arrays that do not fit together: compiled code would read beyond their ends."""
    shape, used = tiling.shape, int(tiling.blocks.max(initial=NOTHING)) + 1
    tiles, first_ring, rings = tiling.tiles, tiling.first_ring, tiling.rings
    last = int(tiles[-1]) if len(tiles) else 0
    sound = {
        "frame": len(tiling.frame) == 4,
        "shape": len(shape) == 4,
        "blocks": len(tiling.blocks) == int(shape[-2:].prod()),
        "tiles": len(tiles) == used * BLOCK * BLOCK,
        "squares": len(tiling.squares) == (last >> SIDE_BITS) + (last % SIDES) ** 2,
        "records": 2 * (NOTHING - 1 - int(tiling.squares.min(initial=0)))
        < max(len(tiling.records), 1),
        "first_ring": len(first_ring) > 0 and int(first_ring[-1]) == len(rings) - 1,
        "rings": len(rings) > 0 and int(rings[-1]) == len(tiling.vertices),
        "vertices": tiling.vertices.ndim == 2 and tiling.vertices.shape[1:] == (2,),
    }
    for part, is_sound in sound.items():
        if not is_sound:
            raise _unreadable(f"{name}.{part}.npy")


def _unreadable(file: str) -> SnapshotError:
    return SnapshotError(
        f"{file} is damaged or cut short: make the snapshot anew by wanmi snapshot",
        zh=f"{file} 已损坏或不完整：请用 wanmi snapshot 重新生成快照",
    )


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
    vertices, rings, first_ring = _rings_of(polygons)
    heads, owner = _edges_of(vertices, rings, first_ring)
    frame, shape = _frame_of(
        vertices, cells=len(polygons), area_m2=float(np.nansum(shapely.area(polygons)))
    )
    reach = float(np.abs(vertices).max()) if len(vertices) else 1.0
    pad = max(_PAD * frame[2] / _FINEST, _ULPS * float(np.spacing(reach)))
    touched = touch(vertices, heads, tuple(frame), tuple(shape[:2]), pad)
    spans = np.searchsorted(owner, np.arange(len(polygons) + 1)).astype(np.int64)
    ground = (vertices, heads, tuple(frame), tuple(shape))
    covering = _covers(ground, touched, spans)
    blocks, places = _blocks(shape, touched[1], covering[1])
    edges_of = _by_tile(*touched, blocks=blocks, shape=shape)
    covers = _by_tile(*covering, blocks=blocks, shape=shape)
    del touched, covering
    sides = _sides(edges_of, owner)
    firsts = np.concatenate([[0], np.cumsum(sides**2)])
    squares, records = cut(ground, pad, (owner, spans), edges_of, covers, (sides, firsts, places))
    tiles = firsts[:-1] * SIDES + sides
    made = (frame, shape, blocks, tiles, squares, records, vertices, first_ring, rings)
    names = (field.name for field in fields(Tiling))
    return Tiling(**{name: _sealed(array) for name, array in zip(names, made, strict=True)})


def _rings_of(
    polygons: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the vertices of all rings, the first vertex of each ring, the first ring of each cell."""
    parts, cell = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    vertices = shapely.get_coordinates(rings)
    lengths = shapely.get_num_coordinates(rings)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    first_ring = np.searchsorted(cell[part], np.arange(len(polygons) + 1)).astype(np.int64)
    return np.ascontiguousarray(vertices), starts, first_ring


def _edges_of(
    vertices: NDArray[np.float64], rings: NDArray[np.int32], first_ring: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the first vertex of each edge that is no point, and its cell."""
    if not len(vertices):
        return np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int32)
    goes_on = np.ones(len(vertices), dtype=bool)
    goes_on[rings[1:] - 1] = False
    goes_on[:-1] &= (vertices[:-1] != vertices[1:]).any(axis=1)
    heads = np.flatnonzero(goes_on).astype(np.int32)
    first_vertex = rings[first_ring]
    owner = np.searchsorted(first_vertex, heads, side="right") - 1
    return heads, owner.astype(np.int32)


def _frame_of(
    vertices: NDArray[np.float64], *, cells: int, area_m2: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    if not len(vertices):
        return np.array([0.0, 0.0, 1.0, 1.0]), np.zeros(4, dtype=np.int64)
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
    frame = np.array([west, south, width, 1.0 / width])
    return frame, np.concatenate([shape, (shape + BLOCK - 1) // BLOCK])


def _sides(
    edges_of: tuple[NDArray[np.int64], NDArray[np.int32]], owner: NDArray[np.int32]
) -> NDArray[np.int64]:
    """Return into how many squares per side each tile is cut: one, if no edge touches it."""
    edges = np.diff(edges_of[0])
    wanted = np.clip(np.ceil(np.sqrt(edges) * _FINENESS), _COARSEST, _FINEST)
    for tile in np.flatnonzero(edges * wanted**2 > _MOST_STATES):
        held = edges_of[1][edges_of[0][tile] : edges_of[0][tile + 1]]
        wanted[tile] = min(wanted[tile], np.sqrt(_MOST_STATES / len(np.unique(owner[held]))))
    return np.where(edges > 0, wanted, 1.0).astype(np.int64)


def _blocks(
    shape: NDArray[np.int64], *tiles: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the place of each block, and column and row of each tile of the blocks that have any."""
    columns, wide, high = int(shape[0]), int(shape[2]), int(shape[3])
    is_used = np.zeros(wide * high, dtype=bool)
    for numbers in tiles:
        is_used[numbers // columns // BLOCK * wide + numbers % columns // BLOCK] = True
    used = np.flatnonzero(is_used)
    blocks = np.full(wide * high, NOTHING, dtype=np.int32)
    blocks[used] = np.arange(len(used))
    inner = np.arange(BLOCK * BLOCK)
    column = (used % max(wide, 1) * BLOCK)[:, None] + inner % BLOCK
    row = (used // max(wide, 1) * BLOCK)[:, None] + inner // BLOCK
    return blocks, np.column_stack([column.ravel(), row.ravel()]).astype(np.int64)


@_compile
def _clip(value: float, most: int) -> int:
    return int(min(max(np.floor(value), 0.0), most - 1.0))


def _by_tile(
    values: NDArray[np.int32],
    tiles: NDArray[np.int64],
    *,
    blocks: NDArray[np.int32],
    shape: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return where the values of each tile start, and the values, in their order in each tile."""
    count = int(blocks.max(initial=NOTHING) + 1) * BLOCK * BLOCK
    starts, held = _gathered_by_tile(values, tiles, blocks, tuple(shape), count)
    return starts, held


@_compile
def _gathered_by_tile(values, tiles, blocks, shape, count):  # type: ignore[no-untyped-def]
    columns, wide = shape[0], shape[2]
    starts = np.zeros(count + 1, dtype=np.int64)
    slots = np.empty(len(tiles), dtype=np.int32)
    for pair in range(len(tiles)):
        row, column = tiles[pair] // columns, tiles[pair] % columns
        block = np.int64(blocks[row // BLOCK * wide + column // BLOCK])
        slots[pair] = (block * BLOCK + row % BLOCK) * BLOCK + column % BLOCK
        starts[slots[pair] + 1] += 1
    starts = np.cumsum(starts)
    place = starts.copy()
    held = np.empty(len(values), dtype=np.int32)
    for pair in range(len(tiles)):
        held[place[slots[pair]]] = values[pair]
        place[slots[pair]] += 1
    return starts, held


@_compile
def _covers(ground, touched, spans):  # type: ignore[no-untyped-def]
    """Return pairs of cell and tile that the cell covers whole, no edge of its own near."""
    vertices, heads, frame, shape = ground
    columns = shape[0]
    west, south, width, per_width = frame
    own_edges, own_tiles = touched
    cells = np.empty(1024, dtype=np.int32)
    tiles = np.empty(1024, dtype=np.int64)
    count = pair = 0
    for cell in range(len(spans) - 1):
        begin = pair
        while pair < len(own_edges) and own_edges[pair] < spans[cell + 1]:
            pair += 1
        if begin == pair:
            continue
        own = own_tiles[begin:pair]
        lowest, highest = own.min() // columns, own.max() // columns
        left, right = (own % columns).min(), (own % columns).max()
        if highest - lowest < 2 or right - left < 2:
            continue  # a tile without edges of the cell has such tiles on all sides
        stamp = _stamped(own, columns, (lowest, highest, left, right))
        for row in range(lowest, highest + 1):
            y = south + (row + 0.5) * width
            crossed = _crossed(vertices, heads[spans[cell] : spans[cell + 1]], y)
            for gap in range(0, len(crossed) - 1, 2):
                first = _clip((crossed[gap] - west) * per_width - 0.5, columns)
                last = _clip((crossed[gap + 1] - west) * per_width + 0.5, columns)
                for column in range(max(first, left), min(last, right) + 1):
                    middle = west + (column + 0.5) * width
                    is_near = stamp[row - lowest, column - left]
                    if is_near or not crossed[gap] < middle < crossed[gap + 1]:
                        continue
                    if count == len(cells):
                        cells = np.concatenate((cells, np.empty(count, dtype=np.int32)))
                        tiles = np.concatenate((tiles, np.empty(count, dtype=np.int64)))
                    cells[count], tiles[count] = cell, row * columns + column
                    count += 1
    return cells[:count], tiles[:count]


@_compile
def _stamped(tiles, columns, window):  # type: ignore[no-untyped-def]
    """Return which tiles of a window are among some."""
    lowest, highest, left, right = window
    stamp = np.zeros((highest - lowest + 1, right - left + 1), dtype=np.bool_)
    for tile in tiles:
        stamp[tile // columns - lowest, tile % columns - left] = True
    return stamp


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
