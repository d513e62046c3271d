"""Points looked up in a tiling, in compiled code: one look for most, the edges of one square for others."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from gis.orientation import turn
from gis.tiling import SIDES, Tiling

_CACHE = 1 << 19
"""Bytes of a tiling that stay near the processor while points are asked for, of 1-2 MB per core."""
_FEW = 4096
"""Fewer points than this are not worth grouping."""

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")
_inline = numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")


@_compile
def probe(x: Any, y: Any, tiling: Any, tiles_at_once: int, answers: Any) -> None:
    """Find the first cell that covers each point; -1: none does, or the point is none.

    Parameters
    ----------
    x, y : numpy.ndarray of float64
        East and north in the CRS of the cells, m.
    tiling : tuple
        The arrays of a `gis.tiling.Tiling`, in their order.
    tiles_at_once : int
        Points are asked for in the order of runs of so many tiles; 0: as they come.
    answers : tuple
        Arrays that take the place of the cell in the order in which the tiling was laid, and whether
        the point lies exactly on the border of that cell.
    """
    rank, on_boundary = answers
    if tiles_at_once == 0:
        _read(x, y, tiling, rank)
        _settle(x, y, tiling, rank, on_boundary)
        return
    order = _grouped(x, y, tiling[0], tiling[1], tiles_at_once)
    east, north = x[order], y[order]
    found, is_on = np.empty_like(rank), np.empty_like(on_boundary)
    _read(east, north, tiling, found)
    _settle(east, north, tiling, found, is_on)
    rank[order] = found
    on_boundary[order] = is_on


@_compile
def _read(x: Any, y: Any, tiling: Any, rank: Any) -> None:
    """Read the value of the square of each point: no branch waits for memory."""
    frame, shape, tiles, squares = tiling[0], tiling[1], tiling[2], tiling[3]
    west, south, per_width = frame[0], frame[1], frame[3]
    columns, rows = shape[0], shape[1]
    for point in range(len(x)):
        across, up = (x[point] - west) * per_width, (y[point] - south) * per_width
        value = -1
        if 0.0 <= across < columns and 0.0 <= up < rows:
            column, row = int(across), int(up)
            told = tiles[row * columns + column]
            side = told % SIDES
            inner = min(int((up - row) * side), side - 1) * side
            inner += min(int((across - column) * side), side - 1)
            value = squares[told // SIDES + inner]
        rank[point] = value


# A call would copy every array's description: what runs once per point is inlined.
@_inline
def _tile(x: float, y: float, frame: Any, shape: Any) -> int:
    """Return the tile of a point; -1 outside the frame and for no number."""
    across, up = (x - frame[0]) * frame[3], (y - frame[1]) * frame[3]
    if not (0.0 <= across < shape[0] and 0.0 <= up < shape[1]):
        return -1
    tile: int = int(up) * shape[0] + int(across)
    return tile


@_compile
def _grouped(x: Any, y: Any, frame: Any, shape: Any, tiles_at_once: int) -> Any:
    """Return the points run of tiles by run of tiles: what a run needs stays in the cache."""
    starts = np.zeros(shape[0] * shape[1] // tiles_at_once + 3, dtype=np.int32)
    groups = np.empty(len(x), dtype=np.int32)
    for point in range(len(x)):
        group = (_tile(x[point], y[point], frame, shape) + tiles_at_once) // tiles_at_once
        groups[point] = group
        starts[group + 1] += 1
    for group in range(1, len(starts)):
        starts[group] += starts[group - 1]
    order = np.empty(len(x), dtype=np.int32)
    for point in range(len(x)):
        group = groups[point]
        order[starts[group]] = point
        starts[group] += 1
    return order


@_compile
def _settle(x: Any, y: Any, tiling: Any, rank: Any, on_boundary: Any) -> None:
    """Find the first cell of its crossed square that covers each point that lies in one."""
    poles, first_part, parts, first_edge = tiling[4], tiling[5], tiling[6], tiling[7]
    edges, vertices = tiling[8], tiling[9]
    for point in range(len(x)):
        on_boundary[point] = False
        square = -2 - rank[point]
        if square < 0:
            continue
        rank[point] = -1
        east, north = x[point], y[point]
        pole_x, pole_y = poles[square, 0], poles[square, 1]
        for part in range(first_part[square], first_part[square + 1]):
            is_inside = parts[part] % 2 == 1
            for edge in edges[first_edge[part] : first_edge[part + 1]]:
                head = edge // 2
                ax, ay = vertices[head, 0], vertices[head, 1]
                bx, by = vertices[head + 1, 0], vertices[head + 1, 1]
                here = turn(ax, ay, bx, by, east, north)
                if here == 0 and _spans(ax, bx, east) and _spans(ay, by, north):
                    on_boundary[point] = True
                    break
                # Nothing lies between when point and pole are on one side of the edge's line.
                if (here > 0) != (edge % 2 == 1):
                    side_a = turn(east, north, pole_x, pole_y, ax, ay) >= 0
                    side_b = turn(east, north, pole_x, pole_y, bx, by) >= 0
                    is_inside ^= side_a != side_b
            if is_inside or on_boundary[point]:
                rank[point] = parts[part] // 2
                break


@_inline
def _spans(first: float, second: float, value: float) -> bool:
    return min(first, second) <= value <= max(first, second)


def find(
    x: NDArray[np.float64], y: NDArray[np.float64], tiling: Tiling
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return for each point the first cell that covers it, or -1, and whether it lies on its border.

    Examples
    --------
    >>> from gis.tiling import lay_tiles
    >>> import shapely
    >>> made = lay_tiles(np.array([shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10)]))
    >>> rank, border = find(np.array([5.0, 10.0, 12.0, 30.0]), np.array([5.0, 5.0, 5.0, 5.0]), made)
    >>> rank.tolist(), border.tolist()
    ([0, 0, 1, -1], [False, True, False, False])
    """
    rank = np.empty(len(x), dtype=np.intp)
    on_boundary = np.empty(len(x), dtype=np.bool_)
    is_small = len(x) < _FEW or tiling.nbytes() < 2 * _CACHE
    at_once = 0 if is_small else max(1, len(tiling.tiles) * _CACHE // tiling.nbytes())
    probe(x, y, tuple(vars(tiling).values()), at_once, (rank, on_boundary))
    return rank, on_boundary
