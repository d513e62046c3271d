"""The road graph: nodes where roads really meet, edges between them with name, class and level."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gridding.levels import levels_of

Geometries = NDArray[np.object_]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ROAD_PREFIXES = ("42", "43", "44")
"""Intercity, urban and country roads of GB/T 13923."""
NO_ROAD_PREFIXES = ("4301", "4207", "4405")
"""Rail transit, control points of roads, mountain passes."""
ELEVATED_PREFIX = "4303"
MINOR_PREFIXES = ("4306", "4307", "44")
"""Roads inside compounds, steps, and paths of the country."""
BRIDGE_PREFIXES = ("4503", "4505")
_NODED_SHARE = 0.5
"""Share of crossings that lines end or have a vertex at, from which on one without is a flyover."""
_CROSS = 4
"""Ends that meet where two roads cross."""
_VERTEX_M = 0.05
_LONG_SHARE = 0.8
"""A road lies on a bridge if it runs along this much of the bridge's length."""


@dataclass(frozen=True, kw_only=True)
class RoadGraph:
    """Stretches of road and the points where they meet."""

    nodes: gpd.GeoDataFrame
    """``degree`` (arms) and a point; the index is the node's number."""
    edges: gpd.GeoDataFrame
    """``u``, ``v`` (nodes), ``row`` (label of the road's row), ``name``, ``feature_class``, ``level``, line."""
    unnoded: gpd.GeoDataFrame
    """Places where two lines of one level cross without a vertex: ``first``, ``second`` (labels), ``is_joined``."""


def is_road(feature_class: "pd.Series[str]") -> "pd.Series[bool]":
    """Tell which classes are roads that a vehicle or a walker can follow.

    Examples
    --------
    >>> is_road(pd.Series(["430501", "430100", "410000", None])).tolist()
    [True, False, False, False]
    """
    text = feature_class.astype(object).where(feature_class.notna(), "").astype(str)
    return text.str.startswith(ROAD_PREFIXES) & ~text.str.startswith(NO_ROAD_PREFIXES)


def road_graph(features: gpd.GeoDataFrame, *, snap_m: float = 0.5) -> RoadGraph:
    """Return the graph of the road lines among map features.

    Lines meet where an end of one comes within `snap_m` of the other, or where they cross on one level:
    flyovers, tunnels and lines on a bridge pass over. Where nearly all crossings of the data have a vertex,
    one without passes over too.

    Parameters
    ----------
    features : geopandas.GeoDataFrame
        ``feature_class``, ``name``, optionally ``attributes`` with layer, bridge or tunnel; metres. Areas of
        bridge classes tell which lines they carry.
    snap_m : float
        Lines that come this near to each other's ends meet, m.

    Examples
    --------
    >>> from shapely import LineString
    >>> roads = gpd.GeoDataFrame(
    ...     {"feature_class": "430501", "name": ["甲路", "乙路"]},
    ...     geometry=[LineString([(0, 0), (9, 0)]), LineString([(5, -5), (5, 5)])],
    ... )
    >>> graph = road_graph(roads)
    >>> len(graph.edges), sorted(graph.nodes["degree"].tolist())
    (4, [1, 1, 1, 1, 4])
    """
    roads = road_lines(features)
    lines = roads.geometry.to_numpy()
    levels = _levels(roads)
    cross = _interior_crossings(lines, levels, snap_m=snap_m)
    cross = cross[~_is_over(cross, lines, _bridges(features))].reset_index(drop=True)
    minor = roads["feature_class"].astype(str).str.startswith(MINOR_PREFIXES).to_numpy(dtype=bool)
    # No flyover is built for paths: where two cross, they meet.
    is_minor = minor[cross["first"].to_numpy(np.intp)] & minor[cross["second"].to_numpy(np.intp)]
    contacts, unnoded = _contacts(lines, levels, cross.assign(is_minor=is_minor), snap_m=snap_m)
    return _assemble(roads, levels, contacts, unnoded=unnoded, snap_m=snap_m)


def road_lines(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the road lines among features, several parts apart; ``row`` is the label of their feature."""
    chosen = features[is_road(features["feature_class"])]
    chosen = chosen[chosen.geometry.notna()]
    chosen = chosen[shapely.get_dimensions(chosen.geometry.to_numpy()) == 1]
    parts, owner = shapely.get_parts(
        shapely.line_merge(shapely.force_2d(chosen.geometry.to_numpy())), return_index=True
    )
    keep = shapely.length(parts) > 0
    table = pd.DataFrame(chosen.drop(columns="geometry")).iloc[owner[keep]]
    table = table.assign(row=chosen.index.to_numpy()[owner[keep]]).reset_index(drop=True)
    if "name" not in table:
        table["name"] = None
    return gpd.GeoDataFrame(table, geometry=parts[keep], crs=features.crs)


def _bridges(features: gpd.GeoDataFrame) -> Geometries:
    """Return the areas of bridges."""
    is_bridge = features["feature_class"].astype(str).str.startswith(BRIDGE_PREFIXES)
    shapes = features.geometry.to_numpy()[is_bridge.to_numpy()]
    areas: Geometries = shapes[shapely.get_dimensions(shapes) == 2]
    return areas


def _levels(roads: gpd.GeoDataFrame) -> Indices:
    """Return the level of each line: as its attributes say, and 1 for elevated roads."""
    level = levels_of(roads, np.arange(len(roads), dtype=np.intp))
    elevated = roads["feature_class"].astype(str).str.startswith(ELEVATED_PREFIX).to_numpy()
    result: Indices = np.where(elevated & (level == 0), 1, level).astype(np.intp)
    return result


@dataclass(frozen=True, kw_only=True)
class _Contacts:
    """Where lines are cut: each entry a line, a distance along it, and the point's number."""

    line: Indices
    along_m: Floats
    point: Indices
    at: Floats
    """Coordinates of the points (n, 2)."""
    same: NDArray[np.intp]
    """Pairs of points that are one node (m, 2)."""


def _contacts(
    lines: Geometries, levels: Indices, cross: pd.DataFrame, *, snap_m: float
) -> tuple[_Contacts, pd.DataFrame]:
    count = len(lines)
    ends = shapely.points(
        np.concatenate(
            [
                shapely.get_coordinates(shapely.get_point(lines, 0)),
                shapely.get_coordinates(shapely.get_point(lines, -1)),
            ]
        )
    )
    lengths = shapely.length(lines)
    tree = shapely.STRtree(lines)
    # Ends of one line that lie on another, or on its own middle.
    end, host = tree.query(ends, predicate="dwithin", distance=snap_m)
    own = end % max(count, 1)
    along = shapely.line_locate_point(lines[host], ends[end])
    inner = (along > snap_m) & (along < lengths[host] - snap_m)
    level_fits = levels[own] == levels[host]
    touches = inner & level_fits
    near = shapely.STRtree(ends).query(ends, predicate="dwithin", distance=snap_m)
    pairs = near.T[near[0] < near[1]]
    # As OpenStreetMap draws it: where crossings are cut, a line that is not cut passes over.
    noded = _crossings_of_ends(pairs, 2 * count) + int(cross["has_vertex"].sum())
    bare = int((~cross["has_vertex"] & ~cross["is_minor"]).sum())
    is_cut = noded >= _NODED_SHARE * (noded + bare)
    joins = cross["has_vertex"] | cross["is_minor"] if is_cut else True
    cross = cross.assign(is_joined=joins)
    joined = cross[cross["is_joined"]]
    points = np.concatenate([shapely.get_coordinates(ends), joined[["x", "y"]].to_numpy(float)])
    number = np.arange(len(joined), dtype=np.intp) + 2 * count
    every = np.arange(2 * count, dtype=np.intp)
    contacts = _Contacts(
        line=np.concatenate(
            [every % max(count, 1), host[touches], joined["first"], joined["second"]]
        ).astype(np.intp),
        along_m=np.concatenate(
            [np.zeros(count), lengths, along[touches], joined["first_m"], joined["second_m"]]
        ).astype(float),
        point=np.concatenate([every, end[touches], number, number]).astype(np.intp),
        at=points,
        same=pairs.astype(np.intp),
    )
    return contacts, cross


def _crossings_of_ends(pairs: NDArray[np.intp], count: int) -> int:
    """Return at how many places four ends or more meet."""
    return int((np.bincount(_labels(count, pairs)) >= _CROSS).sum())


def _interior_crossings(lines: Geometries, levels: Indices, *, snap_m: float) -> pd.DataFrame:
    """Return where lines cross away from their ends, and whether they meet there."""
    first, second = shapely.STRtree(lines).query(lines, predicate="crosses")
    keep = (first < second) & (levels[first] == levels[second])
    first, second = first[keep], second[keep]
    shared = shapely.intersection(lines[first], lines[second])
    parts, pair = shapely.get_parts(shared, return_index=True)
    spots = shapely.get_point(parts, 0)
    is_point = shapely.get_dimensions(parts) == 0
    spots = np.where(is_point, parts, spots)
    first, second = first[pair], second[pair]
    table = pd.DataFrame(
        {
            "first": first,
            "second": second,
            "x": shapely.get_x(spots),
            "y": shapely.get_y(spots),
            "first_m": shapely.line_locate_point(lines[first], spots),
            "second_m": shapely.line_locate_point(lines[second], spots),
        }
    )
    margins = [
        (table[f"{side}_m"] > snap_m)
        & (table[f"{side}_m"] < shapely.length(lines[table[side]]) - snap_m)
        for side in ("first", "second")
    ]
    table = table[margins[0] & margins[1]].reset_index(drop=True)
    at = shapely.points(table[["x", "y"]].to_numpy(float))
    has_vertex = np.ones(len(table), dtype=bool)
    for side in ("first", "second"):
        vertices = shapely.multipoints(shapely.get_coordinates(lines), indices=_owners(lines))
        has_vertex &= shapely.distance(vertices[table[side]], at) <= _VERTEX_M
    table["has_vertex"] = has_vertex
    return table


def _is_over(cross: pd.DataFrame, lines: Geometries, bridges: Geometries) -> Flags:
    """Tell at which crossings one of the lines is carried over the other by a bridge."""
    result = np.zeros(len(cross), dtype=bool)
    if len(cross) == 0 or len(bridges) == 0:
        return result
    at = shapely.points(cross[["x", "y"]].to_numpy(float))
    place, bridge = shapely.STRtree(bridges).query(at, predicate="intersects")
    corners = shapely.get_coordinates(shapely.oriented_envelope(bridges[bridge])).reshape(-1, 5, 2)
    sides = np.hypot(*np.moveaxis(np.diff(corners[:, :3], axis=1), -1, 0))
    carried = []
    for side in ("first", "second"):
        line = lines[cross[side].to_numpy(np.intp)[place]]
        within = shapely.length(shapely.intersection(line, bridges[bridge]))
        carried.append(within >= _LONG_SHARE * sides.max(axis=1))
    result[place[carried[0] != carried[1]]] = True
    return result


def _owners(lines: Geometries) -> Indices:
    _, owner = shapely.get_coordinates(lines, return_index=True)
    result: Indices = owner
    return result


def _assemble(
    roads: gpd.GeoDataFrame,
    levels: Indices,
    contacts: _Contacts,
    *,
    unnoded: pd.DataFrame,
    snap_m: float,
) -> RoadGraph:
    lines = roads.geometry.to_numpy()
    label = _labels(len(contacts.at), contacts.same)
    order = np.lexsort((contacts.along_m, contacts.line))
    line, along, node = contacts.line[order], contacts.along_m[order], label[contacts.point[order]]
    start, stop = slice(None, -1), slice(1, None)
    is_piece = (line[start] == line[stop]) & (along[stop] - along[start] > 1e-6)
    # A stretch shorter than the snap between a node and itself is none.
    is_piece &= (node[start] != node[stop]) | (along[stop] - along[start] > 2 * snap_m)
    place = np.flatnonzero(is_piece)
    pieces = _substrings(lines, line[place], along[place], along[place + 1])
    row = line[place]
    edges = gpd.GeoDataFrame(
        {
            "u": node[place],
            "v": node[place + 1],
            "row": roads["row"].to_numpy()[row],
            "name": roads["name"].to_numpy(dtype=object)[row],
            "feature_class": roads["feature_class"].to_numpy(dtype=object)[row],
            "level": levels[row],
        },
        geometry=pieces,
        crs=roads.crs,
    )
    used, number = np.unique(
        np.concatenate([edges["u"], edges["v"]]).astype(np.intp), return_inverse=True
    )
    edges["u"], edges["v"] = number[: len(edges)], number[len(edges) :]
    sums = np.zeros((len(used), 2))
    counts = np.zeros(len(used))
    place_of = np.searchsorted(used, label)
    known = (
        (place_of < len(used)) & (used[np.minimum(place_of, max(len(used) - 1, 0))] == label)
        if len(used)
        else np.zeros(len(label), bool)
    )
    np.add.at(sums, place_of[known], contacts.at[known])
    np.add.at(counts, place_of[known], 1)
    degree = np.bincount(number, minlength=len(used))
    nodes = gpd.GeoDataFrame(
        {"degree": degree},
        geometry=shapely.points(sums / np.maximum(counts, 1)[:, None]),
        crs=roads.crs,
    )
    bare = unnoded[~unnoded["has_vertex"]]
    labels = roads["row"].to_numpy()
    places = gpd.GeoDataFrame(
        {
            "first": labels[bare["first"].to_numpy(dtype=np.intp)],
            "second": labels[bare["second"].to_numpy(dtype=np.intp)],
            "is_joined": bare["is_joined"].to_numpy(dtype=bool),
        },
        geometry=shapely.points(bare[["x", "y"]].to_numpy(float)),
        crs=roads.crs,
    )
    return RoadGraph(nodes=nodes, edges=edges, unnoded=places)


def _labels(count: int, same: NDArray[np.intp]) -> Indices:
    """Return the number of the group that each of `count` things is in, by pairs that belong together."""
    ones = np.ones(len(same), dtype=np.int8)
    links = coo_array((ones, (same[:, 0], same[:, 1])), shape=(count, count))
    _, label = connected_components(links, directed=False)
    result: Indices = label.astype(np.intp)
    return result


def _substrings(lines: Geometries, row: Indices, start: Floats, stop: Floats) -> Geometries:
    """Return the stretch of each line between two distances along it."""
    points, owner = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T) if len(points) else np.zeros(0)
    begins = np.searchsorted(owner, np.arange(len(lines)))
    step[begins] = 0.0
    total = np.cumsum(step)
    along = total - total[begins][owner] if len(points) else total
    first = shapely.get_coordinates(shapely.line_interpolate_point(lines[row], start))
    last = shapely.get_coordinates(shapely.line_interpolate_point(lines[row], stop))
    # Vertices strictly between: found by one search over line number and distance together.
    key = owner * (along.max() + 1.0 if len(along) else 1.0) + along
    unit = along.max() + 1.0 if len(along) else 1.0
    low = np.searchsorted(key, row * unit + start + 1e-9, side="right")
    high = np.searchsorted(key, row * unit + stop - 1e-9, side="left")
    counts = np.maximum(high - low, 0)
    offsets = (
        np.repeat(low - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        if len(row)
        else np.zeros(0, int)
    )
    inner = points[np.arange(counts.sum()) + offsets] if counts.sum() else np.zeros((0, 2))
    piece = np.arange(len(row))
    coordinates = np.concatenate([first, inner, last])
    owners = np.concatenate([piece, np.repeat(piece, counts), piece])
    rank = np.concatenate([np.zeros(len(row)), np.ones(len(inner)), np.full(len(row), 2)])
    order = np.lexsort((np.arange(len(owners)), rank, owners))
    result: Geometries = shapely.linestrings(coordinates[order], indices=owners[order])
    return result
