"""Named crossings 路口 of the road graph: which named roads meet, where, and in what shape."""

from collections.abc import Iterable, Mapping
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gis.codes import read_table
from pipelines.topography.network import RoadGraph, road_graph
from pipelines.values import text_of

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

COLUMNS = ("name_a", "name_b", "kind", "degree", "names", "geometry")
MERGE_M = 35.0
"""Nodes of one pair of roads nearer than this are one crossing: two carriageways, or a staggered one."""
_SAME_ARM_DEG = 30.0
"""Arms of one road whose directions differ by less are the two carriageways of one arm."""
_STRAIGHT_DEG = 45.0
_REACH_M = 12.0
"""An arm's direction is taken this far along it."""
_RING_SHARE = 0.85
"""4πA/L² of a ring from which on it is a roundabout; a square has 0.785."""
_RING_M2 = 12_000.0
_BOTH = 2


def named_crossings(
    roads: gpd.GeoDataFrame, *, snap_m: float = 0.5, merge_m: float = MERGE_M
) -> gpd.GeoDataFrame:
    """Return the crossings of named roads, one row per pair of names and place, in order of names.

    ``kind`` is ``cross``, ``T``, ``corner`` (two roads that both end there), ``continued`` (one goes
    straight on as the other) or ``roundabout``; ``degree`` counts the arms, two carriageways of one road
    as one; ``names`` are all roads that meet there. Flyovers and tunnels cross without a row.

    Parameters
    ----------
    roads : geopandas.GeoDataFrame
        Map features with ``feature_class`` and ``name``, in metres; see `road_graph`.
    snap_m : float
        Lines that come this near to each other's ends meet, m.
    merge_m : float
        Nodes of one pair of names this near to each other are one crossing, m.

    Examples
    --------
    >>> from shapely import LineString
    >>> roads = gpd.GeoDataFrame(
    ...     {"feature_class": "430501", "name": ["裕华路", "建设大街"]},
    ...     geometry=[LineString([(0, 0), (90, 0)]), LineString([(50, 0), (50, 50)])],
    ... )
    >>> named_crossings(roads)[["name_a", "name_b", "kind", "degree"]].values.tolist()
    [['建设大街', '裕华路', 'T', 3]]
    """
    return crossings_of(road_graph(roads, snap_m=snap_m), merge_m=merge_m)


def crossings_of(graph: RoadGraph, *, merge_m: float = MERGE_M) -> gpd.GeoDataFrame:
    """Return the named crossings of a graph; see `named_crossings`."""
    ring_of = roundabouts(graph)
    group = _groups(graph, ring_of)
    meetings = _meetings(graph, group).assign(
        ring=lambda table: table["node"].map(ring_of).fillna(-1).astype(int)
    )
    if meetings.empty:
        return gpd.GeoDataFrame(
            {name: [] for name in COLUMNS}, geometry="geometry", crs=graph.nodes.crs
        )
    places = _merge(meetings, graph, merge_m=merge_m)
    arms = _arms(graph)
    members = pd.Series(np.arange(len(group))).groupby(group).indices
    keys = ["name_a", "name_b", "place"]
    groups = places.groupby(keys, sort=True)["group"].agg(set)
    points = shapely.get_coordinates(graph.nodes.geometry.to_numpy())
    rows = [
        _crossing(pair, _whole(part, members, ring_of), points, arms)
        for pair, part in zip(groups.index, groups, strict=True)
    ]
    return gpd.GeoDataFrame(rows, columns=list(COLUMNS), geometry="geometry", crs=graph.nodes.crs)


def roundabouts(graph: RoadGraph) -> Mapping[int, int]:
    """Return node -> number of the roundabout 环岛 that it lies on.

    A roundabout is a round face of the graph of at most 1.2 ha whose edges all bear one name or none.
    """
    lines = graph.edges.geometry.to_numpy()
    is_short = shapely.length(lines) < np.sqrt(_RING_M2 * 4 * np.pi)
    if not is_short.any():
        return {}
    faces = shapely.get_parts(shapely.polygonize(lines[is_short]))
    area, around = shapely.area(faces), shapely.length(faces)
    round_ = (area < _RING_M2) & (4 * np.pi * area > _RING_SHARE * around**2)
    round_ &= shapely.get_num_interior_rings(faces) == 0
    faces = faces[round_]
    if len(faces) == 0:
        return {}
    rims = shapely.boundary(faces)
    face, edge = shapely.STRtree(lines).query(rims, predicate="covers")
    names = _names(graph)
    found: dict[int, int] = {}
    u, v = graph.edges["u"].to_numpy(), graph.edges["v"].to_numpy()
    for number in range(len(faces)):
        edges = edge[face == number]
        if len(edges) and len({names[each] for each in edges} - {None}) <= 1:
            for node in (*u[edges], *v[edges]):
                found.setdefault(int(node), number)
    return found


def _names(graph: RoadGraph) -> list[str | None]:
    names: list[str | None] = road_names(graph.edges["name"]).tolist()
    return names


def road_names(names: "pd.Series[str]") -> "pd.Series[str]":
    """Return names trimmed; None for blanks and for what only says that a road has no name.

    Examples
    --------
    >>> road_names(pd.Series(["裕华路", "无名道路", " ", None])).tolist()
    ['裕华路', None, None, None]
    """
    plain = text_of(pd.DataFrame({"name": names}), "name")
    values = [
        None if not isinstance(name, str) or name.casefold() in _no_names() else name
        for name in plain
    ]
    return pd.Series(values, index=names.index, dtype=object)


@cache
def _no_names() -> dict[str, bool]:
    """Return what is no name -> whether it tells of a lane within a crossing."""
    rows = read_table("pipelines.topography.codes", "no_road_names.csv")
    return {row["text"].casefold(): row["joins"] == "yes" for row in rows}


def _groups(graph: RoadGraph, ring_of: Mapping[int, int]) -> Indices:
    """Return the group of each node: those of a roundabout, or joined by turning lanes, are one place."""
    plain = text_of(pd.DataFrame({"name": graph.edges["name"]}), "name")
    turns = [isinstance(name, str) and _no_names().get(name.casefold(), False) for name in plain]
    lanes = graph.edges[np.array(turns, dtype=bool)]
    first_of = {ring: node for node, ring in reversed(list(ring_of.items()))}
    rings = [(first_of[ring], node) for node, ring in ring_of.items()]
    links = np.concatenate(
        [lanes[["u", "v"]].to_numpy(np.intp), np.array(rings, np.intp).reshape(-1, 2)]
    )
    ones = np.ones(len(links), dtype=np.int8)
    size = len(graph.nodes)
    matrix = coo_array((ones, (links[:, 0], links[:, 1])), shape=(size, size))
    _, group = connected_components(matrix, directed=False)
    result: Indices = group.astype(np.intp)
    return result


def _meetings(graph: RoadGraph, group: Indices) -> pd.DataFrame:
    """Return each pair of names that meets in a group of nodes: node, group, name_a, name_b."""
    names = pd.Series(_names(graph), index=graph.edges.index, dtype=object)
    ends = pd.concat(
        [pd.DataFrame({"node": graph.edges[side], "name": names}).dropna() for side in ("u", "v")]
    ).drop_duplicates()
    ends["group"] = group[ends["node"].to_numpy(np.intp)]
    several = ends.groupby("group")["name"].nunique()
    ends = ends[ends["group"].isin(several.index[several > 1])]
    pairs = ends.merge(
        ends[["group", "name"]].drop_duplicates(), on="group", how="inner", validate="m:m"
    )
    pairs = pairs[pairs["name_x"] != pairs["name_y"]]
    low = np.where(pairs["name_x"] < pairs["name_y"], pairs["name_x"], pairs["name_y"])
    high = np.where(pairs["name_x"] < pairs["name_y"], pairs["name_y"], pairs["name_x"])
    table = pairs.assign(name_a=low, name_b=high)[["node", "group", "name_a", "name_b"]]
    return table.drop_duplicates().sort_values(["name_a", "name_b", "node"], ignore_index=True)


def _merge(meetings: pd.DataFrame, graph: RoadGraph, *, merge_m: float) -> pd.DataFrame:
    """Return the meetings with ``place``: the nodes of one pair near each other are one crossing."""
    points = graph.nodes.geometry.to_numpy()[meetings["node"]]
    pair = meetings.groupby(["name_a", "name_b"], sort=False).ngroup().to_numpy()
    near = shapely.STRtree(points).query(points, predicate="dwithin", distance=merge_m)
    same = pair[near[0]] == pair[near[1]]
    key = meetings.groupby(["name_a", "name_b", "group"], sort=False).ngroup()
    rows = np.arange(len(meetings))
    begins = rows[key.drop_duplicates().index][key]
    first, second = np.concatenate([near[:, same], [begins, rows]], axis=1)
    ones = np.ones(len(first), dtype=np.int8)
    matrix = coo_array((ones, (first, second)), shape=(len(points), len(points)))
    _, place = connected_components(matrix, directed=False)
    return meetings.assign(place=place)


Arm = tuple[int, str | None, float]
"""An end of an edge: the other node, the name, and the direction that it leaves in, degrees."""


def _arms(graph: RoadGraph) -> Mapping[int, list[Arm]]:
    """Return the ends of edges by node, in order of direction."""
    lines = graph.edges.geometry.to_numpy()
    reach = np.minimum(_REACH_M, shapely.length(lines))
    names = _names(graph)
    parts = []
    for node, other, at, away in (
        ("u", "v", 0.0, reach),
        ("v", "u", shapely.length(lines), shapely.length(lines) - reach),
    ):
        begin = shapely.get_coordinates(shapely.line_interpolate_point(lines, at))
        stop = shapely.get_coordinates(shapely.line_interpolate_point(lines, away))
        step = stop - begin
        parts.append(
            pd.DataFrame(
                {
                    "node": graph.edges[node].to_numpy(),
                    "other": graph.edges[other].to_numpy(),
                    "name": pd.Series(names, dtype=object),
                    "direction": np.degrees(np.arctan2(step[:, 1], step[:, 0])) % 360,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True).sort_values(["node", "direction"])
    columns = [table[name].tolist() for name in ("node", "other", "name", "direction")]
    found: dict[int, list[Arm]] = {}
    for node, other, name, direction in zip(*columns, strict=True):
        found.setdefault(node, []).append((other, name, direction))
    return found


def _whole(
    part: set[int], members: Mapping[int, Indices], ring_of: Mapping[int, int]
) -> tuple[list[int], bool]:
    """Return the nodes of a crossing, all of the groups it touches, and whether it is a roundabout."""
    nodes = sorted({int(node) for group in part for node in members[group]})
    return nodes, any(node in ring_of for node in nodes)


def _crossing(
    key: tuple[str, str, int],
    where: tuple[list[int], bool],
    points: Floats,
    arms: Mapping[int, list[Arm]],
) -> tuple[object, ...]:
    nodes, is_ring = where
    inner = set(nodes)
    distinct = _distinct(arm for node in nodes for arm in arms[node] if arm[0] not in inner)
    name_a, name_b, _ = key
    names = tuple(sorted({name for name, _ in distinct if name} | {name_a, name_b}))
    kind = "roundabout" if is_ring else _kind(distinct, name_a, name_b)
    point = shapely.Point(points[nodes].mean(axis=0))
    return name_a, name_b, kind, len(distinct), names, point


def _distinct(leaving: Iterable[Arm]) -> list[tuple[str | None, float]]:
    """Return the arms, of which those of one name that leave in nearly one direction are one."""
    found: list[tuple[str | None, float]] = []
    for _, text, direction in leaving:
        if not any(
            text == known and _turn(direction, other) < _SAME_ARM_DEG for known, other in found
        ):
            found.append((text, float(direction)))
    return found


def _turn(one: float, other: float) -> float:
    """Return the angle between two directions, 0 to 180 degrees."""
    return abs((one - other + 180) % 360 - 180)


def _kind(arms: list[tuple[str | None, float]], name_a: str, name_b: str) -> str:
    of_a = [direction for name, direction in arms if name == name_a]
    of_b = [direction for name, direction in arms if name == name_b]
    if len(of_a) >= _BOTH and len(of_b) >= _BOTH:
        return "cross"
    if len(of_a) >= _BOTH or len(of_b) >= _BOTH:
        return "T"
    if of_a and of_b and _turn(of_a[0], of_b[0]) > 180 - _STRAIGHT_DEG:
        return "continued"
    return "corner"
