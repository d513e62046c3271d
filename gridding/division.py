"""Division of communities 社区 into unit grids 万米单元网格."""

import logging
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import shapely

from gis.errors import DeliveryError
from gridding.coverage import fill_land, snap_coverage
from gridding.faces import cut_faces, order_by_bounds, shared_buildings
from gridding.features import Scene, read_scene
from gridding.improving import Workbench, cut_large, improve
from gridding.merging import merge_faces
from gridding.options import DivisionOptions

logger = logging.getLogger(__name__)

_CHIP_SHARE = 0.01

Progress = Callable[[int], None]


def divide(
    communities: gpd.GeoDataFrame,
    *,
    features: gpd.GeoDataFrame,
    options: DivisionOptions | None = None,
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Divide communities into unit grids along roads, water, rail, compounds and gaps.

    Every grid is one polygon inside one community; together they cover the communities without gap or
    overlap on the precision grid. Buildings are not cut, unless a community border or a road runs
    through them. The same input in another order gives the same grids.

    Parameters
    ----------
    communities : geopandas.GeoDataFrame
        ``code`` and ``geometry`` (Polygon or MultiPolygon), metric CRS. Where two overlap, the lower code
        has the land.
    features : geopandas.GeoDataFrame
        Topography: ``feature_class`` and ``geometry``, same CRS.
    options : DivisionOptions or None
        Targets and prices.
    progress : callable or None
        Called with 1 after each community.

    Returns
    -------
    geopandas.GeoDataFrame
        ``community_code`` and ``geometry``, ordered by community, then west to east.

    Raises
    ------
    DeliveryError
        The CRS differ or are not metric, or a community comes twice or has no area.
    """
    options = options or DivisionOptions()
    _check_input(communities, features)
    ordered = communities.sort_values("code", kind="stable")
    scene = read_scene(features, options=options)
    official, owner = snap_coverage(
        np.asarray(ordered.geometry.to_numpy(), dtype=object), precision_m=options.precision_m
    )
    codes = ordered["code"].to_numpy()[owner]
    index = _SceneIndex(scene)
    grids: list[shapely.Polygon] = []
    home: list[int] = []
    for number, community in enumerate(official):
        for land in shapely.get_parts(community):
            grids += divide_land(land, index.near(land), options=options)
        home += [number] * (len(grids) - len(home))
        if progress is not None:
            progress(1)
    # Noded all together, so that neighbours across a community border share its vertices too.
    geometry, grid = fill_land(
        np.array(grids, dtype=object),
        official,
        np.array(home, dtype=np.intp),
        precision_m=options.precision_m,
    )
    community_code = codes[np.array(home, dtype=np.intp)[grid]]
    frame = gpd.GeoDataFrame(
        {"community_code": community_code}, geometry=geometry, crs=communities.crs
    )
    rank = np.argsort(order_by_bounds(geometry))
    return frame.iloc[np.lexsort((rank, community_code))].reset_index(drop=True)


class _SceneIndex:
    """A scene that can be asked for what lies near a piece of land."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        names = ("borders", "buildings", "compounds", "water")
        self._trees = {name: shapely.STRtree(getattr(scene, name)) for name in names}

    def near(self, land: shapely.Polygon) -> Scene:
        """Return the part of the scene that touches `land`, in the same fixed order."""
        rows = {
            name: np.sort(tree.query(land, predicate="intersects"))
            for name, tree in self._trees.items()
        }
        return Scene(
            prices=self._scene.prices[rows["borders"]],
            **{name: getattr(self._scene, name)[index] for name, index in rows.items()},
        )


def divide_land(
    land: shapely.Polygon, scene: Scene, *, options: DivisionOptions
) -> list[shapely.Polygon]:
    """Divide one polygon: cut it into faces, merge the small, cut the large, improve the poor."""
    bench = Workbench(scene=scene, options=options)
    faces = cut_faces(land, scene, options=options)
    region = merge_faces(
        faces,
        target_m2=np.array([bench.target(polygon) for polygon in faces.polygons]),
        links=shared_buildings(faces, scene),
        options=options,
    )
    merged = [
        part
        for number in np.unique(region)
        for part in shapely.get_parts(
            shapely.union_all(faces.polygons[region == number], grid_size=options.precision_m)
        )
    ]
    grids = [grid for polygon in merged for grid in cut_large(polygon, bench)]
    grids = improve(grids, bench)
    least_m2 = _CHIP_SHARE * options.target_m2
    # What noding chipped off is filled in from its neighbours when all land is put together.
    return [grid for grid in grids if grid.area > least_m2] or [land]


def _check_input(communities: gpd.GeoDataFrame, features: gpd.GeoDataFrame) -> None:
    crs = communities.crs
    if crs is None or not crs.is_projected or features.crs != crs:
        msg = (
            f"Communities in {crs} and topography in {features.crs} can not be divided: "
            "bring both to the city's projected CRS."
        )
        raise DeliveryError(msg, zh="社区与地形数据须同为城市的投影坐标系，请先统一坐标系。")
    twice = communities.loc[communities["code"].duplicated(), "code"]
    if len(twice):
        msg = f"Community {twice.iloc[0]} comes {1 + len(twice)} times; give each community once."
        raise DeliveryError(msg, zh=f"社区 {twice.iloc[0]} 重复出现，每个社区只能有一个面。")
    empty = communities.loc[~(communities.geometry.area > 0), "code"]
    if len(empty):
        msg = f"Community {empty.iloc[0]} has no area; correct its polygon before dividing."
        raise DeliveryError(msg, zh=f"社区 {empty.iloc[0]} 没有面积，请先修正其边界。")
