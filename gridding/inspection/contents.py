"""Rules of what grids hold: buildings whole, components off the border, load even."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gis.codes import read_table
from gridding.homes import Geometries, is_finite
from gridding.inspection.findings import Findings
from gridding.inspection.layer import CheckOptions, GridLayer, Indices, Mask

_CUT_M2 = 1.0
"""A grid holds a part of an area once it holds more of it than this, m² …"""
_CUT_SHARE = 0.02
"""… or this share of it: small things are cut by less."""
_FAR_OUT = 3.0
"""A load is far out past the upper quartile by this many interquartile ranges (Tukey 1977)."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """Components per grid."""

    components: int
    held: NDArray[np.int64]
    """Components in each grid that has a polygon."""
    near_border: int
    """Components that are points and stand too near to a border."""
    points: int
    """Components that are points."""


def buildings_of(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the buildings of topography: areas of the classes ``borders.csv`` uses as such.

    Examples
    --------
    >>> square = shapely.box(0, 0, 10, 10)
    >>> rows = {"code": ["a", "b"], "feature_class": ["310300", "430501"]}
    >>> features = gpd.GeoDataFrame(rows, geometry=[square, square.exterior])
    >>> buildings_of(features)["code"].tolist()
    ['a']
    """
    prefixes = tuple(
        row["prefix"] for row in read_table("gridding", "borders.csv") if row["use"] == "building"
    )
    rows = features[features["feature_class"].astype(str).str.startswith(prefixes)]
    shapes = rows.geometry.to_numpy()
    polygonal = is_finite(shapes) & np.isin(shapely.get_type_id(shapes), (3, 6))
    kept = rows[polygonal]
    return gpd.GeoDataFrame(kept.set_geometry(shapely.make_valid(kept.geometry.to_numpy())))


def find_cut_buildings(
    layer: GridLayer, findings: Findings, *, buildings: gpd.GeoDataFrame
) -> tuple[int, int]:
    """Find buildings that grids cut: UG16 inside a community, UG32 along its border.

    Told once for a building, at the grid that holds least of it; the place is the cut. Returns the
    buildings in the layer's grids, and those cut inside a community.
    """
    shapes = buildings.geometry.to_numpy()
    cut = _cut(layer, shapes)
    names = buildings["code"].astype(str).to_numpy(dtype=object)[cut.areas]
    inside = cut.is_inside
    for rule, mask in (("UG16", inside), ("UG32", ~inside)):
        findings.add(rule, cut.grids[mask], where=cut.places[mask], building=names[mask])
    return cut.held, int(inside.sum())


@dataclass(frozen=True, kw_only=True)
class _Cuts:
    """Areas that grids cut, each once."""

    held: int
    """Areas that lie in grids at all."""
    areas: Indices
    grids: Indices
    """The grid that holds least of the area."""
    places: Geometries
    """Where the border runs through the area."""
    is_inside: Mask
    """Two grids of one community, or of none, cut it."""


def _cut(layer: GridLayer, areas: Geometries) -> _Cuts:
    rows = layer.rows
    tree = shapely.STRtree(layer.shapes[rows])
    area, grid = tree.query(areas, predicate="intersects")
    held = len(np.unique(area))
    several = np.bincount(area, minlength=len(areas))[area] > 1
    area, grid = area[several], rows[grid[several]]
    part = shapely.area(shapely.intersection(areas[area], layer.shapes[grid]))
    least = np.minimum(_CUT_M2, _CUT_SHARE * shapely.area(areas[area]))
    area, grid, part = area[part > least], grid[part > least], part[part > least]
    several = np.bincount(area, minlength=len(areas))[area] > 1
    area, grid, part = area[several], grid[several], part[several]
    order = np.lexsort((grid, np.round(part, 2), area))
    area, grid = area[order], grid[order]
    first = np.flatnonzero(np.diff(area, prepend=-1) != 0)
    home = layer.home.astype(str)[grid]
    same = (
        np.array([len(np.unique(part)) < len(part) for part in np.split(home, first[1:])])
        if len(first)
        else np.zeros(0, dtype=bool)
    )
    least_grid, cut = grid[first], area[first]
    places = shapely.intersection(shapely.boundary(layer.shapes[least_grid]), areas[cut])
    return _Cuts(held=held, areas=cut, grids=least_grid, places=places, is_inside=same)


def find_load(
    layer: GridLayer, findings: Findings, *, components: gpd.GeoDataFrame, options: CheckOptions
) -> Load:
    """Find components on or near borders and grids with far too many: UG24, UG33, UG23.

    A component counts for the grid that holds its representative point, on a border for the first.
    Lines may cross borders.
    """
    shapes = components.geometry.to_numpy()
    usable = is_finite(shapes)
    shapes = shapes[usable]
    names = components["code"].astype(str).to_numpy(dtype=object)[usable]
    kind = shapely.get_type_id(shapes)
    is_point = kind == 0
    points = shapes.copy()
    points[~is_point] = shapely.point_on_surface(shapes[~is_point])
    rows = layer.rows
    # Asked of the points, not of the grids: GEOS prepares those that ask.
    place, point = shapely.STRtree(points).query(layer.shapes[rows], predicate="intersects")
    first = np.full(len(points), len(rows), dtype=np.intp)
    np.minimum.at(first, point, place)
    point = np.flatnonzero(first < len(rows))
    place = first[point]
    held = np.bincount(place, minlength=len(rows))
    own = is_point[point]
    point, place = point[own], place[own]
    grid = rows[place]
    distance = shapely.distance(shapely.boundary(layer.shapes[rows])[place], points[point])
    near = distance < options.clearance_m
    values = {"component": names[point[near]], "distance_m": distance[near]}
    findings.add("UG24", grid[near], where=points[point[near]], **values)
    areas = np.flatnonzero(np.isin(kind, (3, 6)))
    cut = _cut(layer, shapely.make_valid(shapes[areas]))
    cut_names = names[areas[cut.areas]]
    findings.add("UG33", cut.grids, where=cut.places, component=cut_names)
    _find_heavy(findings, rows=rows, held=held)
    return Load(
        components=len(shapes), held=held, near_border=int(near.sum()), points=int(is_point.sum())
    )


def _find_heavy(findings: Findings, *, rows: Indices, held: NDArray[np.int64]) -> None:
    if len(held) == 0:
        return
    lower, usual, upper = np.percentile(held, [25, 50, 75])
    heavy = np.flatnonzero(held > upper + _FAR_OUT * max(upper - lower, 1.0))
    findings.add("UG23", rows[heavy], count=held[heavy], usual=float(usual))
