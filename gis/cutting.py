"""Tiles that edges cross, cut into squares: which cells touch each square, and where its pole lies."""

# Numba infers types; annotations of tuples of arrays would only repeat `gis.tiling.Tiling`.
from typing import Any

import numba
import numpy as np

from gis.orientation import turn
from gis.packing import most_words, pack, pole_of

_POLES = 20_000
_STEPS = (0.7548776662466927, 0.5698402909980532)
"""R2 sequence of M. Roberts: points that fill a square evenly, on no line of it for long."""
_MARGIN = 0.05

_compile = numba.njit(nogil=True, cache=True, error_model="numpy")


@_compile
def cut(ground: Any, pad: float, cells: Any, held: Any, pattern: Any, made: Any) -> Any:
    """Cut tiles as long as there is room for their records.

    Parameters
    ----------
    ground : tuple
        Vertices, first vertex of each edge, frame and shape of the tiles.
    pad : float
        How near an edge may come to a square without touching it, m.
    cells : tuple
        Cell of each edge; first edge of each cell and past the last.
    held : tuple
        Starts by tile, and edges that touch it; starts by tile, and cells that cover it whole.
    pattern : tuple
        Squares per side of each tile; first square of each tile and past the last; column and row of
        each tile.
    made : tuple
        Squares and words of records, both written in place; first tile to cut, and how many words of
        records there are before those.

    Returns
    -------
    tuple
        First tile not cut, first free word, and how many words its records take at most.
    """
    edges_of, covers = held
    sides, firsts, places = pattern
    squares, records, begin, before = made
    end = 0
    for tile in range(begin, len(sides)):
        own = covers[1][covers[0][tile] : covers[0][tile + 1]]
        if sides[tile] == 1:
            squares[firsts[tile]] = own[0] if len(own) else -1
            continue
        local = edges_of[1][edges_of[0][tile] : edges_of[0][tile + 1]]
        where = (places[tile, 0], places[tile, 1], sides[tile])
        found = _cut_tile(ground, pad, cells, local, own, where)
        needed = most_words(found)
        if end + needed > len(records):
            return tile, end, needed
        values = squares[firsts[tile] : firsts[tile + 1]]
        values[:] = found[0]
        end = pack(ground, where, found, values, (records, before, end))
    return len(sides), end, 0


@_compile
def touched(vertices: Any, heads: Any, frame: Any, shape: Any, pad: float) -> Any:
    """Return pairs of edge and square of a pattern that it touches or comes near, edge by edge."""
    columns, rows = shape
    west, south, width, per_width = frame
    count = 0
    edges = np.empty(0, dtype=np.int32)
    squares = np.empty(0, dtype=np.int64)
    for is_filling in range(2):
        if is_filling:
            edges = np.empty(count, dtype=np.int32)
            squares = np.empty(count, dtype=np.int64)
            count = 0
        for edge in range(len(heads)):
            ax, ay = vertices[heads[edge], 0], vertices[heads[edge], 1]
            bx, by = vertices[heads[edge] + 1, 0], vertices[heads[edge] + 1, 1]
            first = max(0, int(np.floor((min(ay, by) - pad - south) * per_width)))
            last = min(rows - 1, int(np.floor((max(ay, by) + pad - south) * per_width)))
            for row in range(first, last + 1):
                base = south + row * width
                left, right = _reach(ax, ay, bx, by, base - pad, base + width + pad)
                begin = max(0, int(np.floor((left - pad - west) * per_width)))
                end = min(columns - 1, int(np.floor((right + pad - west) * per_width)))
                for column in range(begin, end + 1):
                    if is_filling:
                        edges[count] = edge
                        squares[count] = row * columns + column
                    count += 1
    return edges, squares


@_compile
def _reach(
    ax: float, ay: float, bx: float, by: float, low: float, high: float
) -> tuple[float, float]:
    """Return the least and the greatest x of the part of an edge between two heights."""
    if ay > by:
        ax, ay, bx, by = bx, by, ax, ay
    start, end = ax, bx
    if ay < low and by > ay:
        start = ax + (bx - ax) * ((low - ay) / (by - ay))
    if by > high and by > ay:
        end = ax + (bx - ax) * ((high - ay) / (by - ay))
    return min(start, end), max(start, end)


@_compile
def _cut_tile(ground: Any, pad: float, cells: Any, local: Any, own: Any, where: Any) -> Any:
    """Cut one tile: values of its squares, and the arrays of those that edges cross, ends cumulated."""
    vertices, heads, frame = ground[0], ground[1], ground[2]
    column, row, side = where
    west = frame[0] + column * frame[2]
    south = frame[1] + row * frame[2]
    width = frame[2] / side
    pairs = touched(vertices, heads[local], (west, south, width, 1.0 / width), (side, side), pad)
    starts, held = gathered(pairs[0], pairs[1], side * side)
    for place in range(len(held)):
        held[place] = local[held[place]]
    marks, poles = _poles(ground, starts, held, where)
    names, inside = _statuses(ground, cells, (local, starts, held), poles, side)
    values = np.empty(side * side, dtype=np.int32)
    kept = np.empty(side * side, dtype=np.int32)
    first_part = np.empty(side * side, dtype=np.int64)
    most = (len(names) + len(own)) * side * side
    parts, first_edge = np.empty(most, dtype=np.int32), np.empty(most, dtype=np.int64)
    edges = np.empty(len(held), dtype=np.int32)
    crossed = part = edge = 0
    for square in range(side * side):
        near = held[starts[square] : starts[square + 1]]
        begin = part
        values[square], part, edge = _list_cells(
            ground, (cells[0], near, poles[square]), (names, inside[:, square], own),
            (parts, first_edge, edges), (part, edge),
        )  # fmt: skip
        if part > begin:
            values[square] = -2 - crossed
            kept[crossed] = marks[square]
            first_part[crossed] = part
            crossed += 1
    listed = (parts[:part], first_edge[:part], edges[:edge])
    return values, kept[:crossed], first_part[:crossed], listed[0], listed[1], listed[2]


@_compile
def _list_cells(ground: Any, near_by: Any, known: Any, lists: Any, ends: Any) -> Any:
    """List the cells that a point of a square may lie in, in their order, up to one that covers it.

    Returns
    -------
    tuple
        The cell that covers the square alone or -1; the ends of the lists of parts and edges.
    """
    vertices, heads = ground[0], ground[1]
    owner, near, pole = near_by
    names, inside, own = known
    parts, first_edge, edges = lists
    begin, edge = ends
    part, group, cover = begin, 0, 0
    while group < len(names) or cover < len(own):
        is_group = cover == len(own) or (group < len(names) and names[group] < own[cover])
        cell = names[group] if is_group else own[cover]
        holds = inside[group] if is_group else np.uint8(1)
        group, cover = group + is_group, cover + (not is_group)
        before = edge
        if is_group:
            for number in near:
                if owner[number] == cell:
                    is_left = _side(vertices, heads[number], pole) > 0
                    edges[edge] = 2 * heads[number] + is_left
                    edge += 1
        if edge == before and holds and part == begin:
            return cell, part, edge
        if edge > before or holds:
            parts[part] = 2 * cell + holds
            first_edge[part] = edge
            part += 1
        if edge == before and holds:
            break
    return -1, part, edge


@_compile
def gathered(values: Any, squares: Any, count: int) -> Any:
    """Return where the values of each square start, and the values in their order in each."""
    starts = np.zeros(count + 1, dtype=np.int64)
    for square in squares:
        starts[square + 1] += 1
    starts = np.cumsum(starts)
    place = starts.copy()
    held = np.empty(len(values), dtype=np.int32)
    for pair in range(len(values)):
        held[place[squares[pair]]] = values[pair]
        place[squares[pair]] += 1
    return starts, held


@_compile
def _side(vertices: Any, head: int, pole: Any) -> int:
    a, b = vertices[head], vertices[head + 1]
    return turn(a[0], a[1], b[0], b[1], pole[0], pole[1])


@_compile
def _poles(ground: Any, starts: Any, held: Any, where: Any) -> Any:
    """Return a point of each square that lies on the line of no edge of the square, and its mark."""
    vertices, heads, frame = ground[0], ground[1], ground[2]
    side = where[2]
    marks = np.empty(side * side, dtype=np.int32)
    poles = np.empty((side * side, 2))
    for square in range(side * side):
        for number in range(_POLES):
            share_x = (0.5 + number * _STEPS[0]) % 1.0 * (1.0 - 2.0 * _MARGIN) + _MARGIN
            share_y = (0.5 + number * _STEPS[1]) % 1.0 * (1.0 - 2.0 * _MARGIN) + _MARGIN
            mark = int(share_x * 256.0) + 256 * int(share_y * 256.0)
            marks[square] = mark
            poles[square, 0], poles[square, 1] = pole_of(frame, where, square, mark)
            is_clear = True
            for place in range(starts[square], starts[square + 1]):
                if _side(vertices, heads[held[place]], poles[square]) == 0:
                    is_clear = False
                    break
            if is_clear:
                break
        else:
            raise ValueError("no point of a square lies beside every edge")
    return marks, poles


@_compile
def _statuses(ground: Any, cells: Any, held_by: Any, poles: Any, side: int) -> Any:
    """Return the cells with edges in a tile, and whether each pole lies inside them."""
    vertices, heads = ground[0], ground[1]
    owner, spans = cells
    local, starts, held = held_by
    names = np.unique(owner[local])
    inside = np.zeros((len(names), side * side), dtype=np.uint8)
    for group in range(len(names)):
        cell = names[group]
        own = heads[spans[cell] : spans[cell + 1]]
        inside[group, 0] = _holds(vertices, own, poles[0])
        for square in range(1, side * side):
            before = square - 1 if square % side else square - side
            crossings = 0
            for place in range(starts[before], starts[before + 1]):
                edge = held[place]
                if owner[edge] == cell:
                    crossings += _parts_poles(vertices, heads[edge], poles[before], poles[square])
            for place in range(starts[square], starts[square + 1]):
                edge = held[place]
                if owner[edge] != cell:
                    continue
                is_known = False
                for other in range(starts[before], starts[before + 1]):
                    is_known = is_known or held[other] == edge
                if not is_known:
                    crossings += _parts_poles(vertices, heads[edge], poles[before], poles[square])
            inside[group, square] = (inside[group, before] + crossings) % 2
    return names, inside


@_compile
def _parts_poles(vertices: Any, head: int, first: Any, second: Any) -> bool:
    """Say whether an edge crosses the segment between two points that do not lie on it."""
    a, b = vertices[head], vertices[head + 1]
    side_a = turn(first[0], first[1], second[0], second[1], a[0], a[1]) >= 0
    side_b = turn(first[0], first[1], second[0], second[1], b[0], b[1]) >= 0
    if side_a == side_b:
        return False
    return (_side(vertices, head, first) > 0) != (_side(vertices, head, second) > 0)


@_compile
def _holds(vertices: Any, heads: Any, point: Any) -> bool:
    """Say whether a point that lies on no edge lies inside rings, by a ray to the east."""
    is_inside = False
    for head in heads:
        a, b = vertices[head], vertices[head + 1]
        if (a[1] > point[1]) != (b[1] > point[1]):
            is_left = turn(a[0], a[1], b[0], b[1], point[0], point[1]) > 0
            # The ray meets the edge ahead when the point is left of it, seen upwards.
            if is_left == (b[1] > a[1]):
                is_inside = not is_inside
    return is_inside
