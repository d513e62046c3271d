"""Division of communities 社区 into unit grids 万米单元网格.

Land is cut into atoms whose borders are all fit to be grid borders, the atoms are clustered into grids of
balanced size, and borders that follow no feature are straightened (``docs/gridding.md``). Every community
is divided on its own, so the work runs side by side and goes on where it was stopped.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from gis.errors import DeliveryError
from gridding.atoms import order_by_bounds
from gridding.coverage import fill_land, snap_coverage
from gridding.land import divide_land
from gridding.options import DivisionOptions
from gridding.scene import Scene, add_lines, read_scene
from gridding.tasks import LandTask, Memo, run_tasks

__all__ = ["Locks", "Progress", "Run", "divide", "divide_land"]

logger = logging.getLogger(__name__)

_DEGREES_WIDE = 5.0
"""A city measures less than this in degrees, and more in metres."""

Progress = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Locks:
    """What an editor set and no division moves."""

    borders: gpd.GeoDataFrame
    """Lines that stay borders; ``geometry``."""
    grids: gpd.GeoDataFrame
    """Polygons that stay grids; ``geometry``."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """How a division is carried out; what comes out does not depend on it."""

    workers: int = 1
    """Processes side by side."""
    memo: Path | None = None
    """Folder where finished pieces of land are kept, so that a run that was stopped goes on."""
    progress: Progress | None = None
    """Called with 1 after each community."""


def divide(
    communities: gpd.GeoDataFrame,
    *,
    features: gpd.GeoDataFrame,
    components: gpd.GeoDataFrame | None = None,
    options: DivisionOptions | None = None,
    locks: Locks | None = None,
    run: Run | None = None,
) -> gpd.GeoDataFrame:
    """Divide communities into unit grids along roads, water, rail, walls, compounds and gaps.

    Every grid is one polygon inside one community; together they cover the communities without gap or
    overlap on the precision grid. Buildings are not cut, unless a community border or a main road runs
    through them. The same input in another order gives the same grids.

    Parameters
    ----------
    communities : geopandas.GeoDataFrame
        ``code`` and ``geometry`` (Polygon or MultiPolygon), metric CRS. Where two overlap, the lower code
        has the land.
    features : geopandas.GeoDataFrame
        Topography: ``feature_class`` and ``geometry``, same CRS; ``attributes`` where there are any.
    components : geopandas.GeoDataFrame or None
        Components 部件: borders keep clear of them, and grids may share them out evenly.
    options : DivisionOptions or None
        Targets and prices.
    locks : Locks or None
        Borders and grids that stay.
    run : Run or None
        Processes, progress, and where to go on from.

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
    run = run or Run()
    _check_input(communities, features)
    check_unit(communities, features)
    if len(communities) == 0:
        nothing = gpd.GeoDataFrame({"community_code": []}, geometry=[], crs=communities.crs)
        return nothing.astype({"community_code": object})
    ordered = communities.sort_values("code", kind="stable")
    scene = read_scene(features, components=components, options=options)
    official, owner = snap_coverage(
        shapely.make_valid(np.asarray(ordered.geometry.to_numpy(), dtype=object)),
        precision_m=options.precision_m,
    )
    codes = ordered["code"].to_numpy()[owner]
    held = np.empty(0, dtype=object)
    if locks is not None:
        borders = shapely.get_parts(np.asarray(locks.borders.geometry.to_numpy(), dtype=object))
        scene = add_lines(scene, borders, kind="locked", options=options)
        held = np.asarray(locks.grids.geometry.to_numpy(), dtype=object)
    grids, home = _divided(official, held, scene, options=options, run=run)
    # Noded all together, so that neighbours across a community border share its vertices too.
    geometry, grid = fill_land(grids, official, home, precision_m=options.precision_m)
    community_code = codes[home[grid]]
    frame = gpd.GeoDataFrame(
        {"community_code": community_code}, geometry=geometry, crs=communities.crs
    )
    rank = np.argsort(order_by_bounds(geometry))
    return frame.iloc[np.lexsort((rank, community_code))].reset_index(drop=True)


def _divided(
    official: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    held: "np.ndarray[tuple[int], np.dtype[np.object_]]",
    scene: Scene,
    *,
    options: DivisionOptions,
    run: Run,
) -> tuple[
    "np.ndarray[tuple[int], np.dtype[np.object_]]", "np.ndarray[tuple[int], np.dtype[np.intp]]"
]:
    """Return the grids of all communities, the held ones too, and the community of each."""
    tree = shapely.STRtree(held)
    locked = [np.sort(tree.query(shape, predicate="intersects")) for shape in official]

    def tasks() -> Iterator[LandTask]:
        for number, community in enumerate(official):
            free = community
            if len(locked[number]):
                taken = shapely.union_all(held[locked[number]])
                free = shapely.difference(community, taken, grid_size=options.precision_m)
            for land in shapely.get_parts(free):
                if land.geom_type == "Polygon":
                    yield LandTask(number=number, land=land, scene=scene.near(land))

    grids: list[shapely.Polygon] = []
    home: list[int] = []
    with ExitStack() as stack:
        done = stack.enter_context(
            run_tasks(
                tasks(), divide_land, options=options, workers=run.workers, memo=Memo.at(run.memo)
            )
        )
        last = -1
        for number, found in done:
            grids += found
            home += [number] * len(found)
            if run.progress is not None and number != last:
                run.progress(number - last)
            last = number
    for number, rows in enumerate(locked):
        for grid in held[rows]:
            part = shapely.intersection(grid, official[number], grid_size=options.precision_m)
            pieces = [piece for piece in shapely.get_parts(part) if piece.geom_type == "Polygon"]
            grids += pieces
            home += [number] * len(pieces)
    return np.array(grids, dtype=object), np.array(home, dtype=np.intp)


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
    empty = communities.loc[~(communities.geometry.make_valid().area > 0), "code"]
    if len(empty):
        msg = f"Community {empty.iloc[0]} has no area; correct its polygon before dividing."
        raise DeliveryError(msg, zh=f"社区 {empty.iloc[0]} 没有面积，请先修正其边界。")


def check_unit(communities: gpd.GeoDataFrame, features: gpd.GeoDataFrame) -> None:
    """Refuse coordinates that are degrees whatever the CRS says: metres would make one point of them.

    Raises
    ------
    DeliveryError
        They look to be in degrees.
    """
    for name, frame, zh in (
        ("Communities", communities, "社区"),
        ("Topography", features, "地形数据"),
    ):
        west, south, east, north = frame.total_bounds
        is_small = max(east - west, north - south) < _DEGREES_WIDE
        is_low = max(-west, east) <= 180 and max(-south, north) <= 90
        if len(frame) and is_small and is_low and not _near_origin(communities, frame):
            msg = (
                f"{name} from ({west:.3f}, {south:.3f}) to ({east:.3f}, {north:.3f}) look to be in degrees, "
                f"but are said to be in {frame.crs.name}: state the CRS they are in and reproject them."
            )
            raise DeliveryError(
                msg, zh=f"{zh}坐标疑似经纬度，与所声明的投影坐标系不符，请核对坐标系。"
            )


def _near_origin(communities: gpd.GeoDataFrame, frame: gpd.GeoDataFrame) -> bool:
    """Return whether topography so near the origin of the CRS may lie in the communities in truth."""
    if frame is communities:
        return False
    west, south, east, north = communities.total_bounds
    return bool(west <= 180 and east >= -180 and south <= 90 and north >= -90)
