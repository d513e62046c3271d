"""Roads in plan space: collected edges become named lines, cut at their junctions."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
import shapely.ops

from pipelines.sample.names import Names
from pipelines.sample.plan import BANK_M, RIVER_WIDTH_M, Array, Integers, Plan

CARRIAGEWAY_M = (32.0, 18.0, 10.0, 4.0)
"""Width between the kerbs of an arterial, a secondary road, a branch, a lane."""
HALF_ROW_M = (25.0, 15.0, 9.0, 3.5)
"""From the centreline to where the blocks begin."""
FEATURE_CLASS = ("430501", "430502", "430503", "430503")
RIVER_CORRIDOR_M = RIVER_WIDTH_M / 2 + BANK_M


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A stretch of straight road as the subdivision makes them."""

    axis: str
    """EW or NS."""
    at: float
    """v of an EW edge, u of a NS edge."""
    start: float
    end: float
    rank: int
    """0 arterial, 1 secondary, 2 branch, 3 lane."""


@dataclass(frozen=True, kw_only=True)
class Network:
    """All named roads, their pieces between junctions, and the junctions."""

    names: tuple[str, ...]
    ranks: Integers
    axes: tuple[str, ...]
    """EW, NS, or XX for the diagonal and the riverside roads."""
    lines: tuple[shapely.LineString, ...]
    """Plan lines; EW run from west to east, NS from north to south."""
    segments: tuple[shapely.LineString, ...]
    segment_road: Integers
    junctions: Array
    """Plan points (n, 2)."""
    junction_roads: Integers
    """The two roads of each junction (n, 2), the lower index first."""


def build_network(plan: Plan, edges: Iterable[Edge], names: Names) -> Network:
    """Merge edges into roads, name them, and cut them where they meet."""
    rows = [*_straight(plan, edges), *_special(plan)]
    order = sorted(rows, key=lambda row: (row[0], -row[2].length))
    titles, ranks, axes, lines = [], [], [], []
    for rank, axis, line, title in order:
        for name, part in _titled(names, rank, axis, line, title):
            titles.append(name)
            ranks.append(rank)
            axes.append(axis)
            lines.append(part)
    junctions, pairs = _junctions(lines)
    segments, owner = _segments(lines, junctions, pairs)
    return Network(
        names=tuple(titles),
        ranks=np.array(ranks, dtype=np.int64),
        axes=tuple(axes),
        lines=tuple(lines),
        segments=segments,
        segment_road=owner,
        junctions=junctions,
        junction_roads=pairs,
    )


_Row = tuple[int, str, shapely.LineString, str]


def _straight(plan: Plan, edges: Iterable[Edge]) -> list[_Row]:
    """Join edges that continue each other; branches and lanes stop at river and railway."""
    groups: dict[tuple[int, str, float], list[tuple[float, float]]] = defaultdict(list)
    for edge in edges:
        groups[edge.rank, edge.axis, edge.at].append((edge.start, edge.end))
    barrier = shapely.union_all(
        [plan.river_axis.buffer(RIVER_CORRIDOR_M, cap_style="flat"), plan.railway.buffer(14)]
    )
    shapely.prepare(barrier)
    rows: list[_Row] = []
    for (rank, axis, at), spans in sorted(groups.items()):
        for start, end in _merged(sorted(spans)):
            ends = [(start, at), (end, at)] if axis == "EW" else [(at, end), (at, start)]
            line = shapely.LineString(ends)
            parts = [line]
            if rank >= 2 and barrier.intersects(line):
                parts = list(shapely.get_parts(line.difference(barrier)))
            rows += [(rank, axis, part, "") for part in parts if part.length > 40]
    return rows


def _merged(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged = [spans[0]]
    for start, end in spans[1:]:
        if start <= merged[-1][1] + 0.01:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _special(plan: Plan) -> list[_Row]:
    """Return the diagonal and the roads along the river, clipped to the district."""
    rows: list[_Row] = []
    if not plan.diagonal.is_empty:
        rows.append((0, "XX", plan.diagonal, "解放大道"))
    if not plan.river_axis.is_empty:
        land = shapely.union_all([shapely.box(*block.box) for block in plan.superblocks])
        for side, title in ((1, "滨河北路"), (-1, "滨河南路")):
            bank = plan.river_axis.offset_curve(side * RIVER_CORRIDOR_M).simplify(0.5)
            parts = shapely.get_parts(shapely.line_merge(bank.intersection(land)))
            longest = max(parts, key=lambda part: part.length)
            rows.append((2, "XX", longest, title))
    return rows


def _titled(
    names: Names, rank: int, axis: str, line: shapely.LineString, title: str
) -> list[tuple[str, shapely.LineString]]:
    """Name a road; long arterials are called 东/西 or 南/北 from the middle of the district."""
    if title:
        return [(title, line)]
    if rank > 0:
        return [(names.road(axis, rank=rank), line)]
    name = names.avenue(axis)
    stem, suffix = (name[:-1], "路") if axis == "EW" else (name[:-2], "大街")
    middle = line.project(shapely.Point(0, 0))
    if line.length < 1800 or name[1] == "二" or not 600 < middle < line.length - 600:
        return [(name, line)]
    sides = ("西", "东") if axis == "EW" else ("北", "南")
    halves = (
        shapely.ops.substring(line, 0, middle),
        shapely.ops.substring(line, middle, line.length),
    )
    return [(f"{stem}{side}{suffix}", half) for side, half in zip(sides, halves, strict=True)]


def _junctions(lines: list[shapely.LineString]) -> tuple[Array, Integers]:
    tree = shapely.STRtree(lines)
    first, second = tree.query(lines, predicate="dwithin", distance=0.5)
    keep = first < second
    first, second = first[keep], second[keep]
    shapes = np.asarray(lines, dtype=object)
    meeting = shapely.intersection(shapes[first], shapes[second])
    touch = shapely.get_point(shapely.shortest_line(shapes[first], shapes[second]), 0)
    meeting = np.where(shapely.is_empty(meeting), touch, meeting)
    points, index = shapely.get_parts(meeting, return_index=True)
    where = shapely.get_coordinates(shapely.centroid(points))
    pairs = np.column_stack([first[index], second[index]])
    order = np.lexsort((where[:, 1], where[:, 0], pairs[:, 1], pairs[:, 0]))
    return where[order], pairs[order].astype(np.int64)


def _segments(
    lines: list[shapely.LineString], junctions: Array, pairs: Integers
) -> tuple[tuple[shapely.LineString, ...], Integers]:
    """Cut the lines at the junctions; pieces that meet share the junction's very coordinates."""
    cuts: dict[int, dict[float, int]] = defaultdict(dict)
    shapes = np.asarray(lines, dtype=object)
    points = shapely.points(junctions)
    for side in (0, 1):
        along = shapely.line_locate_point(shapes[pairs[:, side]], points)
        for junction, road in enumerate(pairs[:, side].tolist()):
            cuts[road].setdefault(round(float(along[junction]), 2), junction)
    segments, owner = [], []
    for road, line in enumerate(lines):
        stops = _stops(cuts[road], line.length)
        for (start, first), (end, last) in pairwise(stops):
            xy = shapely.get_coordinates(shapely.ops.substring(line, start, end))
            if first >= 0:
                xy[0] = junctions[first]
            if last >= 0:
                xy[-1] = junctions[last]
            segments.append(shapely.LineString(xy))
            owner.append(road)
    return tuple(segments), np.array(owner, dtype=np.int64)


def _stops(cuts: dict[float, int], length: float) -> list[tuple[float, int]]:
    """Return where to cut a line, with the junction there or -1 at a free end."""
    stops = sorted(cuts.items())
    if not stops or stops[0][0] > 1.0:
        stops.insert(0, (0.0, -1))
    if stops[-1][0] < length - 1.0:
        stops.append((length, -1))
    kept = [stops[0]]
    kept += [stop for before, stop in pairwise(stops) if stop[0] - before[0] > 1.0]
    return kept
