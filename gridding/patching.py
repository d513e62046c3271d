"""New polygons in the place of old ones, so that the layer stays one valid coverage.

Untouched neighbours keep their shape: they only receive the vertices where new borders meet theirs.
"""

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gridding.coverage import fill_land

Geometries = NDArray[np.object_]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]

REACH_M = 0.012
"""A vertex this near to a border lies on it: half the diagonal of a precision cell, and a little, m."""


def insert_vertices(
    polygons: Geometries, points: Floats, *, reach_m: float = REACH_M
) -> Geometries:
    """Insert points into the outlines they lie on; other polygons come back as they are.

    Parameters
    ----------
    polygons : array of shapely.Polygon
        In metres.
    points : array of float
        (n, 2) x and y; those that are vertices already change nothing.
    reach_m : float
        Greatest distance between a point and the outline, m.

    Examples
    --------
    >>> square = shapely.box([0], [0], [10], [10])
    >>> shapely.get_num_coordinates(insert_vertices(square, np.array([[5.0, 0.0], [5.0, 5.0]]))).tolist()
    [6]
    """
    several = shapely.get_type_id(polygons) == 6
    if several.any():
        parts, row = shapely.get_parts(polygons, return_index=True)
        parts = insert_vertices(parts, points, reach_m=reach_m)
        whole: Geometries = polygons.copy()
        for one in range(len(polygons)):
            own = parts[row == one]
            whole[one] = shapely.MultiPolygon(list(own)) if several[one] else own[0]
        return whole
    rings, owner = shapely.get_rings(polygons, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    if len(points) == 0 or len(coordinates) == 0:
        return polygons
    starts = np.flatnonzero(ring[1:] == ring[:-1])
    segments = shapely.linestrings(np.stack([coordinates[starts], coordinates[starts + 1]], axis=1))
    place, at = shapely.STRtree(segments).query(
        shapely.points(points), predicate="dwithin", distance=reach_m
    )
    along = shapely.line_locate_point(segments[at], shapely.points(points[place]))
    inner = (along > 1e-6) & (along < shapely.length(segments[at]) - 1e-6)
    place, at, along = place[inner], at[inner], along[inner]
    known = _is_vertex(points[place], ring[starts[at]], coordinates, ring)
    place, at, along = place[~known], at[~known], along[~known]
    order = np.lexsort((along, at))
    place, at = place[order], at[order]
    changed = np.unique(owner[ring[starts[at]]])
    result: Geometries = polygons.copy()
    if len(changed) == 0:
        return result
    full = np.insert(coordinates, starts[at] + 1, points[place], axis=0)
    ring = np.insert(ring, starts[at] + 1, ring[starts[at]])
    for row in changed:
        own = [full[ring == number] for number in np.flatnonzero(owner == row)]
        result[row] = shapely.Polygon(own[0], own[1:])
    return result


def _is_vertex(
    points: Floats, rings: Indices, coordinates: Floats, ring: Indices
) -> NDArray[np.bool_]:
    """Return which points are a vertex of the ring they would be inserted into."""
    wanted = pd.MultiIndex.from_arrays([rings, points[:, 0], points[:, 1]])
    there = pd.MultiIndex.from_arrays([ring, coordinates[:, 0], coordinates[:, 1]])
    return np.asarray(wanted.isin(there), dtype=np.bool_)


def shared_borders(polygons: Geometries) -> pd.DataFrame:
    """Return the segments that two polygons of a coverage have in common.

    Returns
    -------
    pandas.DataFrame
        ``left`` < ``right`` (positions), ``x1``, ``y1``, ``x2``, ``y2``, ``length_m``; ordered by pair.

    Examples
    --------
    >>> shared_borders(shapely.box([0, 10], [0, 0], [10, 20], [10, 10]))[["left", "length_m"]].values.tolist()
    [[0.0, 10.0]]
    """
    rings, owner = shapely.get_rings(polygons, return_index=True)
    coordinates, ring = shapely.get_coordinates(rings, return_index=True)
    start = np.flatnonzero(ring[1:] == ring[:-1])
    one, two = coordinates[start], coordinates[start + 1]
    turned = (one[:, 0] > two[:, 0]) | ((one[:, 0] == two[:, 0]) & (one[:, 1] > two[:, 1]))
    first, second = np.where(turned[:, None], two, one), np.where(turned[:, None], one, two)
    table = pd.DataFrame(np.column_stack([first, second]), columns=["x1", "y1", "x2", "y2"]).assign(
        owner=owner[ring[start]]
    )
    table = table.sort_values(["x1", "y1", "x2", "y2", "owner"]).reset_index(drop=True)
    ends = ["x1", "y1", "x2", "y2"]
    same = (table[ends].to_numpy()[1:] == table[ends].to_numpy()[:-1]).all(axis=1)
    at = np.flatnonzero(same)
    pairs = table.iloc[at].rename(columns={"owner": "left"}).reset_index(drop=True)
    pairs["right"] = table["owner"].to_numpy()[at + 1]
    pairs["length_m"] = np.hypot(pairs["x2"] - pairs["x1"], pairs["y2"] - pairs["y1"])
    columns = ["left", "right", *ends, "length_m"]
    pairs = pairs.loc[pairs["left"] != pairs["right"], columns]
    return pairs.sort_values(["left", "right", *ends]).reset_index(drop=True)


def fit_land(polygons: Geometries, land: shapely.Polygon, *, precision_m: float) -> Geometries:
    """Return polygons noded so that they cover a piece of land exactly; crumbs go to a neighbour."""
    home = np.zeros(len(polygons), dtype=np.intp)
    geometry, _ = fill_land(polygons, np.array([land], dtype=object), home, precision_m=precision_m)
    parts: Geometries = shapely.get_parts(geometry)
    return parts


def tie(
    new: Geometries, around: Geometries, *, outline: shapely.Geometry | None = None
) -> tuple[Geometries, Geometries]:
    """Give new polygons and those around them the same vertices where they meet.

    The polygons around keep their vertices and receive those of new borders that end on theirs.

    Parameters
    ----------
    new : array of shapely.Polygon
        They take the place of others.
    around : array of shapely.Polygon
        What stays.
    outline : shapely.Geometry or None
        Outline of the land the new ones cover, whose vertices stay, too.
    """
    if len(new) == 0:
        return new, around
    held = around if outline is None else np.append(around, outline)
    fixed = _vertices(held, near=shapely.union_all(new))
    if len(fixed) == 0:
        return new, around
    snapped = insert_vertices(_snap(new, fixed), fixed)
    if len(around) == 0:
        return snapped, around
    outer = _vertices(snapped, near=shapely.union_all(shapely.boundary(around)))
    return snapped, insert_vertices(around, outer)


def _vertices(polygons: Geometries, *, near: shapely.Geometry) -> Floats:
    coordinates: Floats = np.unique(shapely.get_coordinates(polygons), axis=0)
    shapely.prepare(near)
    close = shapely.dwithin(shapely.points(coordinates), near, REACH_M)
    chosen: Floats = coordinates[close]
    return chosen


def _snap(polygons: Geometries, fixed: Floats) -> Geometries:
    """Move vertices to the fixed one beside them, where that one is not a vertex of theirs yet."""
    coordinates = shapely.get_coordinates(polygons)
    there = pd.MultiIndex.from_arrays(coordinates.T)
    missing = fixed[~pd.MultiIndex.from_arrays(fixed.T).isin(there)]
    if len(missing) == 0:
        return polygons
    distance, nearest = cKDTree(missing).query(coordinates, distance_upper_bound=REACH_M)
    moved = np.isfinite(distance)
    coordinates[moved] = missing[nearest[moved]]
    tidy: Geometries = shapely.set_coordinates(polygons.copy(), coordinates)
    return tidy


def is_sound(new: Geometries, around: Geometries, *, before: Geometries) -> bool:
    """Return whether the new polygons and those around them are as good a coverage as before.

    Parameters
    ----------
    new : array of shapely.Polygon
        What takes the place.
    around : array of shapely.Polygon
        What stays.
    before : array of shapely.Polygon
        The old polygons and those around them.
    """
    whole = np.concatenate([new, around])
    if not shapely.is_valid(whole).all() or not (shapely.get_type_id(new) == 3).all():
        return False
    return _loose_m(whole) <= _loose_m(before) + 0.01


def _loose_m(polygons: Geometries) -> float:
    """Return the length of borders that overlap or whose vertices do not match, m."""
    return float(shapely.length(shapely.coverage_invalid_edges(polygons)).sum())
