"""Cells cut into a pattern of small squares, so that most points need one look and the others few edges.

The plane is cut into tiles about twice as wide as a cell, a tile that edges cross into squares, the more the
more edges there are. A square that no edge crosses names the lowest cell that covers it. A square that
edges cross keeps for each cell near it the edges that cross it, and a pole: a point of the square
whose place, inside or outside, is known. Whether a point lies inside follows from the edges between
it and the pole (R. Franklin's crossing rule, taken over a segment instead of a ray), decided by the
exact predicate of `gis.orientation`.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numba
import numpy as np
import shapely
from numpy.typing import NDArray

from gis.compiled import forget_stale
from gis.cutting import cut, gathered
from gis.cutting import touched as touch
from gis.tiling import BLOCK, NOTHING, SIDES, Tiling, sealed

forget_stale(Path(__file__).parent, modules=("laying",), built_from=("cutting", "tiling"))

_MOST_TILES_PER_CELL = 16
_COARSEST, _FINEST = 4, 1024
_CELLS_PER_TILE = 4
"""What is told of tiles is then small enough to be found fast among millions of cells."""
_FINENESS = 1.6
"""Squares per side for each square root of the edges in a tile."""
_MOST_STATES = 1 << 26
"""Squares of a tile times cells with edges in it."""
_SOME = 1 << 16
"""Polygons whose rings are taken at a time."""
_SOME_WORDS = 1 << 24
"""Words of records that are written at a time."""
_PAD = 1e-6
_ULPS = 64.0

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")


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
    count, area_m2 = len(polygons), float(np.nansum(shapely.area(polygons)))
    del polygons  # of a province they are gigabytes, which a caller may have handed over
    heads, owner = _edges_of(vertices, rings, first_ring)
    frame, shape = _frame_of(vertices, cells=count, area_m2=area_m2)
    reach = float(np.abs(vertices).max()) if len(vertices) else 1.0
    pad = max(_PAD * frame[2] / _FINEST, _ULPS * float(np.spacing(reach)))
    touched = touch(vertices, heads, tuple(frame), tuple(shape[:2]), pad)
    spans = np.searchsorted(owner, np.arange(count + 1)).astype(np.int64)
    ground = (vertices, heads, tuple(frame), tuple(shape))
    covering = _covers(ground, touched, spans)
    blocks, places = _blocks(shape, touched[1], covering[1])
    edges_of = _by_tile(*touched, blocks=blocks, shape=shape)
    del touched
    covers = _by_tile(*covering, blocks=blocks, shape=shape)
    del covering
    sides = _sides(edges_of, owner)
    firsts = np.concatenate([[0], np.cumsum(sides**2)])
    pattern = (sides, firsts, places)
    squares, records = _cut_all(ground, pad, (owner, spans), (edges_of, covers), pattern)
    tiles = firsts[:-1] * SIDES + sides
    made: tuple[NDArray[Any], ...] = (
        frame, shape, blocks, tiles, squares, records, vertices, first_ring, rings,
    )  # fmt: skip
    names = (field.name for field in fields(Tiling))
    return Tiling(**{name: sealed(array) for name, array in zip(names, made, strict=True)})


def _cut_all(
    ground: Any, pad: float, cells: Any, held: Any, pattern: Any
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the squares and the records of all tiles."""
    sides, firsts, _ = pattern
    squares = np.empty(firsts[-1], dtype=np.int32)
    parts = []
    tile = before = needed = 0
    while tile < len(sides):
        words = np.empty(max(_SOME_WORDS, needed), dtype=np.int32)
        tile, end, needed = cut(ground, pad, cells, held, pattern, (squares, words, tile, before))
        parts.append(words[:end])
        before += end
    return squares, _put_together(parts, before)


def _put_together(parts: list[NDArray[np.int32]], length: int) -> NDArray[np.int32]:
    """Return arrays as one, each let go as it is copied: records are most of the memory of a tiling."""
    whole = np.empty(length, dtype=np.int32)
    parts.reverse()
    end = 0
    while parts:
        part = parts.pop()
        whole[end : end + len(part)] = part
        end += len(part)
    return whole


def _rings_of(
    polygons: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.int32], NDArray[np.int64]]:
    """Return the vertices of all rings, the first vertex of each ring, the first ring of each cell."""
    taken = [
        _rings_of_some(polygons[first : first + _SOME])
        for first in range(0, max(len(polygons), 1), _SOME)
    ]
    vertices, lengths, counts = (np.concatenate(parts) for parts in zip(*taken, strict=True))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    first_ring = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.ascontiguousarray(vertices), starts, first_ring


def _rings_of_some(
    polygons: NDArray[Any],
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return vertices, vertices of each ring and rings of each cell; rings as objects take much memory."""
    parts, cell = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    counts = np.bincount(cell[part], minlength=len(polygons))
    return shapely.get_coordinates(rings), shapely.get_num_coordinates(rings), counts


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
        float(np.sqrt(_CELLS_PER_TILE * area_m2 / cells)),
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
    slots = np.empty(len(tiles), dtype=np.int32)
    for pair in range(len(tiles)):
        row, column = tiles[pair] // columns, tiles[pair] % columns
        block = np.int64(blocks[row // BLOCK * wide + column // BLOCK])
        slots[pair] = (block * BLOCK + row % BLOCK) * BLOCK + column % BLOCK
    return gathered(values, slots, count)


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
