"""How good a division is, in figures a city can compare; the targets are those of ``docs/gridding.md``."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from gridding.lines import KINDS, Geometries
from gridding.options import DivisionOptions
from gridding.scene import Scene, read_scene
from gridding.zones import target_of, zone_shares

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.intp]

_CUT_M2 = 1.0
_STEP_M = 5.0
_ON_FEATURE_M = 2.5
_CLEAR_M = 1.0
_NEAR_BUILDING_M = 30.0
_ON_BORDER_M = 7.0
_TWIN_M = 45.0
_ALONG, _PARALLEL = 0.35, 0.94
"""Cosines: of the way to a carriageway beside with one's own, and of both their ways."""
_NEIGHBOURS = 32
_STRIP_M = 12.0
"""What lies between a road and a community border nearer than this is no grid (as in `gridding.link`)."""
_COMPONENT_M = 0.5
_BUILT_UP = 1.05
"""Grids whose target is up to this multiple of the usual one lie in the built-up area."""


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Figures of one layer of unit grids; shares are of 1, NaN where there is nothing to measure."""

    grids: int
    area_km2: float
    median_m2: float
    iqr_m2: tuple[float, float]
    smallest_m2: float
    largest_m2: float
    built_up: int
    """Grids in the built-up area: where no zone asks for larger ones."""
    share_within: float
    """Share of them within the lower and upper ratio of the target (0.5-1.5 by default)."""
    share_near: float
    """Share of them within 0.7-1.3 of the target."""
    compactness: float
    """Median of 4 π area / perimeter² (Polsby and Popper): 0.785 for a square."""
    compactness_p10: float
    buildings: int
    buildings_cut: int
    """Buildings of which two grids hold more than a square metre each."""
    border_on_features: float
    """Share of border length within 2.5 m of a line of the topography or a community border."""
    border_clear: float
    """Share of border length on features, or at least 1 m clear of every building."""
    border_open: float
    """Share of border length on no feature and more than 30 m from every building."""
    main_roads_on_borders: float
    """Share of the length of main roads within 7 m of a border; a border along the other carriageway, or
    midway, serves both."""
    main_roads_served: float
    """The same, with what runs along a community border less than 12 m away: between the two is no room
    for a grid, so that the community border, which no division moves, stands for the road."""
    components_on_borders: float
    """Share of components within 0.5 m of a border."""
    components_on_own_borders: float
    """Share of components within 0.5 m of a border, but of no community border: what a division decides."""
    component_variation: float
    """Standard deviation of components per grid over their mean."""
    vertices: float
    """Mean number of vertices of a grid."""
    patrol_m: float
    """Median length of ways inside a grid and along its border, what two grids share halved."""
    longest_walk_m: float
    """Median over the grids of the diameter of the smallest circle round them."""
    gaps_m2: float
    overlaps_m2: float


def measure(
    grids: gpd.GeoDataFrame,
    *,
    features: gpd.GeoDataFrame,
    components: gpd.GeoDataFrame | None = None,
    communities: gpd.GeoDataFrame | None = None,
    options: DivisionOptions | None = None,
) -> Quality:
    """Measure grids against target, topography and components.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        Polygons in a metric CRS; at least one.
    features : geopandas.GeoDataFrame
        Topography: ``feature_class`` and ``geometry``, same CRS.
    components : geopandas.GeoDataFrame or None
        Components, same CRS.
    communities : geopandas.GeoDataFrame or None
        What the grids should cover; None: gaps are not measured and count as 0.
    options : DivisionOptions or None
        Gives target and ratios.
    """
    options = options or DivisionOptions()
    scene = read_scene(features, components=components, options=options)
    shapes = np.asarray(grids.geometry.to_numpy(), dtype=object)
    outer = np.empty(0, dtype=object) if communities is None else communities.boundary.to_numpy()
    area = shapely.area(shapes)
    target = target_of(zone_shares(shapes, scene, options=options))
    is_built_up = target <= _BUILT_UP * options.target_m2
    ratio = (area / target)[is_built_up]
    compactness = 4 * np.pi * area / shapely.length(shapes) ** 2
    tree = shapely.STRtree(shapes)
    inside = np.unique(tree.query(scene.buildings, predicate="intersects")[0])
    on_feature, distance, length = _borders(shapes, np.asarray(outer, dtype=object), scene)
    counts = _per_grid(tree, scene, count=len(shapes))
    gaps, overlaps = _gaps_and_overlaps(shapes, communities)
    outer = shapely.get_parts(np.asarray(outer, dtype=object))
    main_roads, main_roads_served = _main_roads(shapes, outer, scene)
    components_near, components_own = _near_borders(shapes, outer, scene)
    quartiles = np.percentile(area, [25, 75])
    return Quality(
        grids=len(grids),
        area_km2=float(area.sum() / 1e6),
        median_m2=float(np.median(area)),
        iqr_m2=(float(quartiles[0]), float(quartiles[1])),
        smallest_m2=float(area.min()),
        largest_m2=float(area.max()),
        built_up=int(is_built_up.sum()),
        share_within=_mean((ratio >= options.lower_ratio) & (ratio <= options.upper_ratio)),
        share_near=_mean((ratio >= 0.7) & (ratio <= 1.3)),
        compactness=float(np.median(compactness)),
        compactness_p10=float(np.percentile(compactness, 10)),
        buildings=len(inside),
        buildings_cut=cut_buildings(grids, scene.buildings)["building"].nunique(),
        border_on_features=_share(on_feature, length),
        border_clear=_share(on_feature | (distance >= _CLEAR_M), length),
        border_open=_share(~on_feature & (distance > _NEAR_BUILDING_M), length),
        main_roads_on_borders=main_roads,
        main_roads_served=main_roads_served,
        components_on_borders=components_near,
        components_on_own_borders=components_own,
        component_variation=float(counts.std() / counts.mean()) if counts.any() else float("nan"),
        vertices=float((shapely.get_num_coordinates(shapes) - 1).mean()),
        patrol_m=_patrol(tree, shapes, scene),
        longest_walk_m=float(np.median(2 * shapely.minimum_bounding_radius(shapes))),
        gaps_m2=gaps,
        overlaps_m2=overlaps,
    )


def _mean(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def _share(flags: Flags, weight: Floats) -> float:
    return float(weight[flags].sum() / weight.sum()) if weight.sum() > 0 else float("nan")


def _samples(lines: Geometries) -> tuple[Geometries, Floats]:
    """Return the middles of pieces of at most 5 m, and how long each is."""
    points, length, _ = _directed_samples(lines)
    return points, length


def _directed_samples(lines: Geometries) -> tuple[Geometries, Floats, Floats]:
    """Return the middles of pieces of at most 5 m, how long each is, and where it leads."""
    lines = shapely.get_parts(np.atleast_1d(lines))
    points, index = shapely.get_coordinates(shapely.segmentize(lines, _STEP_M), return_index=True)
    inside = index[1:] == index[:-1]
    start, stop = points[:-1][inside], points[1:][inside]
    length = np.hypot(*(stop - start).T)
    return (
        shapely.points((start + stop) / 2),
        length,
        (stop - start) / np.maximum(length, 1e-9)[:, None],
    )


def _borders(shapes: Geometries, outer: Geometries, scene: Scene) -> tuple[Flags, Floats, Floats]:
    """Return of pieces of border: on a feature or not, metres to a building, length."""
    # Each border once, though two grids have it.
    points, length = _samples(shapely.union_all(shapely.boundary(shapes), grid_size=0.01))
    lines = shapely.get_parts(np.concatenate([scene.lines.lines, outer]))
    on_feature = np.zeros(len(points), dtype=np.bool_)
    on_feature[_near(points, lines, _ON_FEATURE_M)] = True
    distance = np.full(len(points), np.inf)
    if len(scene.buildings):
        found, metres = shapely.STRtree(scene.buildings).query_nearest(
            points, max_distance=2 * _NEAR_BUILDING_M, return_distance=True, all_matches=False
        )
        distance[found[0]] = metres
    return on_feature, distance, length


def _near(points: Geometries, lines: Geometries, distance_m: float) -> NDArray[np.intp]:
    """Return which points lie within a distance of a line."""
    if len(lines) == 0 or len(points) == 0:
        return np.empty(0, dtype=np.intp)
    return np.unique(
        shapely.STRtree(lines).query(points, predicate="dwithin", distance=distance_m)[0]
    )


def _main_roads(shapes: Geometries, outer: Geometries, scene: Scene) -> tuple[float, float]:
    """Return the share on borders, and that with what a community border stands for."""
    is_main = scene.lines.kind == KINDS.index("main_road")
    points, length, way = _directed_samples(scene.lines.lines[is_main])
    inside = np.unique(shapely.STRtree(shapes).query(points, predicate="intersects")[0])
    points, length, way = points[inside], length[inside], way[inside]
    borders = shapely.get_parts(shapely.boundary(shapes))
    on_border = np.zeros(len(points), dtype=np.bool_)
    on_border[_near(points, borders, _ON_BORDER_M)] = True
    # Of two carriageways one border, on either or between, serves both.
    left = np.flatnonzero(~on_border)
    xy = shapely.get_coordinates(points)
    one, other = _carriageways(xy, way, left)
    middle = shapely.points((xy[one] + xy[other]) / 2)
    served = on_border[other]
    served[_near(middle, borders, _ON_BORDER_M)] = True
    on_border[one[served]] = True
    return _share(on_border, length), _share(on_border | _runs_along(xy, way, outer), length)


def _runs_along(xy: Floats, way: Floats, outer: Geometries) -> Flags:
    """Return which samples run along a community border, in a strip in which no grid could be."""
    along = np.ones(len(xy), dtype=np.bool_)
    for step_m in (-_STEP_M, 0.0, _STEP_M):
        near = np.zeros(len(xy), dtype=np.bool_)
        near[_near(shapely.points(xy + step_m * way), outer, _STRIP_M)] = True
        along &= near
    return along


def _carriageways(xy: Floats, way: Floats, rows: Indices) -> tuple[Indices, Indices]:
    """Return pairs of samples that lie beside each other on parallel carriageways, from `rows` on."""
    if len(rows) == 0 or len(xy) < 2:
        return rows[:0], rows[:0]
    near, other = cKDTree(xy).query(
        xy[rows], k=min(_NEIGHBOURS, len(xy)), distance_upper_bound=_TWIN_M
    )
    row, column = np.nonzero(np.isfinite(near) & (near > _ON_BORDER_M))
    one, two = rows[row], other[row, column]
    across = (xy[two] - xy[one]) / near[row, column][:, None]
    beside = np.abs((across * way[one]).sum(axis=1)) < _ALONG
    parallel = np.abs((way[one] * way[two]).sum(axis=1)) > _PARALLEL
    return one[beside & parallel], two[beside & parallel]


def _near_borders(shapes: Geometries, outer: Geometries, scene: Scene) -> tuple[float, float]:
    """Return the shares of components near any border, and near one that is no community border."""
    points = shapely.points(scene.points.reshape(-1, 2))
    inside = np.unique(shapely.STRtree(shapes).query(points, predicate="intersects")[0])
    if len(inside) == 0:
        return float("nan"), float("nan")
    borders = shapely.get_parts(shapely.boundary(shapes))
    near = _near(points[inside], borders, _COMPONENT_M)
    own = np.setdiff1d(near, _near(points[inside], outer, _COMPONENT_M))
    return len(near) / len(inside), len(own) / len(inside)


def _per_grid(tree: shapely.STRtree, scene: Scene, *, count: int) -> NDArray[np.intp]:
    """Return how many components each grid holds; one on a border counts for the first."""
    points = shapely.points(scene.points.reshape(-1, 2))
    point, grid = tree.query(points, predicate="intersects")
    order = np.lexsort((grid, point))
    _, first = np.unique(point[order], return_index=True)
    return np.bincount(grid[order][first], minlength=count)


def _patrol(tree: shapely.STRtree, shapes: Geometries, scene: Scene) -> float:
    """Return the median length of ways to walk in a grid, m; a way on a border is halved."""
    ways = np.isin(
        scene.lines.kind,
        [KINDS.index(kind) for kind in ("main_road", "street", "internal_road", "path")],
    )
    points, length = _samples(scene.lines.lines[ways])
    point, grid = tree.query(points, predicate="dwithin", distance=_ON_FEATURE_M)
    shared = np.bincount(point, minlength=len(points))
    walked = np.bincount(grid, weights=length[point] / shared[point], minlength=len(shapes))
    return float(np.median(walked))


def _gaps_and_overlaps(
    shapes: Geometries, communities: gpd.GeoDataFrame | None
) -> tuple[float, float]:
    """Return the areas covered by no grid and by several, m²; below a cell's width of border: none."""
    total = float(shapely.area(shapes).sum())
    is_coverage = bool(shapely.coverage_is_valid(shapes))
    covered = total if is_coverage else float(shapely.area(shapely.union_all(shapes)))
    if communities is None:
        return 0.0, total - covered
    wanted = shapely.union_all(communities.geometry.to_numpy())
    # Snapping to the precision grid moves a border by up to 0.7 cells.
    noise = 0.02 * float(shapely.length(wanted))
    missing = float(shapely.area(wanted)) - covered
    return (missing if missing > noise else 0.0), total - covered


def cut_buildings(grids: gpd.GeoDataFrame, buildings: Geometries) -> pd.DataFrame:
    """Return the buildings of which more than one grid holds over a square metre, and those grids.

    Returns
    -------
    pandas.DataFrame
        ``building`` (position in `buildings`), ``grid`` (position in `grids`), ``area_m2``.

    Examples
    --------
    >>> import numpy as np
    >>> from shapely import box
    >>> grids = gpd.GeoDataFrame(geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)])
    >>> houses = np.array([box(10, 10, 20, 20), box(95, 10, 110, 20)])
    >>> cut_buildings(grids, houses).values.tolist()
    [[1.0, 0.0, 50.0], [1.0, 1.0, 100.0]]
    """
    shapes = grids.geometry.to_numpy()
    building, grid = shapely.STRtree(shapes).query(buildings, predicate="intersects")
    # Most lie in one grid: only the others are intersected.
    several = np.bincount(building, minlength=len(buildings))[building] > 1
    building, grid = building[several], grid[several]
    area = shapely.area(shapely.intersection(buildings[building], shapes[grid]))
    table = pd.DataFrame({"building": building, "grid": grid, "area_m2": area})
    table = table[table["area_m2"] > _CUT_M2].sort_values(["building", "grid"])
    return table[table["building"].duplicated(keep=False)].reset_index(drop=True)
