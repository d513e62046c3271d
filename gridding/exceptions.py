"""Exceptions: grids that are not as they should be, each with the reason found and a suggestion.

The sentences stand in ``exceptions.csv``, by kind and cause.
"""

from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.codes import read_table
from gridding.graph import Floats, Indices
from gridding.lines import KINDS, Geometries
from gridding.options import DivisionOptions
from gridding.scene import Scene
from gridding.zones import target_of, zone_shares

COLUMNS = (
    "kind",
    "cause",
    "severity",
    "code",
    "community_code",
    "area_m2",
    "reason_en",
    "reason_zh",
    "suggestion_en",
    "suggestion_zh",
    "geometry",
)
SERIOUS_SMALL, SERIOUS_LARGE = 0.3, 2.0
"""Shares of its target below and above which a grid's area is serious."""
_CUT_M2 = 1.0
_STRONG = tuple(KINDS.index(name) for name in ("water", "railway", "main_road"))
_STRONG_M = 2.0
_BETWEEN_SHARE = 0.6
_WHOLE_SHARE = 0.5
_SAMPLES = 48
_ON_LOCK_M, _LOST_M = 0.05, 1.0
"""How near a border runs to a lock that it keeps, and what length counts as lost, m."""
_STRIP_M = 0.5


def list_exceptions(
    grids: gpd.GeoDataFrame,
    *,
    communities: gpd.GeoDataFrame,
    scene: Scene,
    options: DivisionOptions,
    locked: Geometries | None = None,
) -> gpd.GeoDataFrame:
    """List odd grids, cut buildings, communities in several parts, and locked borders that were lost.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``community_code`` and ``geometry``, and ``code`` where numbered; metric CRS.
    communities : geopandas.GeoDataFrame
        ``code`` and ``geometry``, same CRS.
    scene : Scene
        Topography: gives what is indivisible, and targets of zones.
    options : DivisionOptions
        Target and window of area.
    locked : array of lines and polygons, or None
        Borders and grids that an editor locked.

    Returns
    -------
    geopandas.GeoDataFrame
        `COLUMNS`: kind ``small``, ``large``, ``cut``, ``disconnected``, ``ring`` or ``lock``; cause; severity
        ``serious`` or ``notable``; ordered by kind, community, then as the grids. ``area_m2`` is that of
        the grid, of what was cut off the building, or of what lies apart. The geometry is the grid, the
        building, the parts, or a strip along what was lost.
    """
    frame = grids.reset_index(drop=True)
    locked = np.empty(0, dtype=object) if locked is None else locked
    is_grid = shapely.get_dimensions(locked) == 2
    held, locked = locked[is_grid], locked[~is_grid]
    parts = [
        *_odd_areas(frame, communities, scene, options, held),
        _cut_buildings(frame, scene, np.concatenate([locked, shapely.boundary(held)])),
        _in_parts(communities),
        _rings(frame),
        _lost_borders(frame, communities, scene.buildings, locked),
    ]
    tables = [part for part in parts if len(part)]
    if not tables:
        return gpd.GeoDataFrame({name: [] for name in COLUMNS}, geometry="geometry", crs=grids.crs)
    table = pd.concat(tables, ignore_index=True)
    table["place"] = table.pop("place").astype(float)
    table = table.sort_values(["kind", "community_code", "place"], kind="stable")
    table = table.reset_index(drop=True)[list(COLUMNS)]
    return gpd.GeoDataFrame(table, geometry="geometry", crs=grids.crs)


@cache
def _sentences() -> dict[tuple[str, str], dict[str, str]]:
    rows = read_table("gridding", "exceptions.csv")
    return {(row["kind"], row["cause"]): row for row in rows}


def worded(kind: str, table: pd.DataFrame) -> pd.DataFrame:
    """Return exceptions with their sentences; columns are what the placeholders stand for."""
    table = table.assign(kind=kind)
    for name in ("reason_en", "reason_zh", "suggestion_en", "suggestion_zh"):
        table[name] = [
            _sentences()[kind, row["cause"]][name].format(**row) for row in table.to_dict("records")
        ]
    return table


def _code_of(frame: gpd.GeoDataFrame, rows: Indices) -> NDArray[np.object_]:
    if "code" not in frame:
        return np.full(len(rows), None, dtype=object)
    return np.asarray(frame["code"].to_numpy(), dtype=object)[rows]


def _odd_areas(
    frame: gpd.GeoDataFrame,
    communities: gpd.GeoDataFrame,
    scene: Scene,
    options: DivisionOptions,
    held: Geometries,
) -> list[pd.DataFrame]:
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    area = shapely.area(shapes)
    target = target_of(zone_shares(shapes, scene, options=options))
    ratio = area / np.maximum(target, 1e-9)
    found = []
    for kind, odd, serious in (
        ("small", ratio < options.lower_ratio, ratio < SERIOUS_SMALL),
        ("large", ratio > options.upper_ratio, ratio > SERIOUS_LARGE),
    ):
        rows = np.flatnonzero(odd)
        if len(rows) == 0:
            continue
        table = pd.DataFrame(
            {
                "place": rows,
                "code": _code_of(frame, rows),
                "community_code": frame["community_code"].to_numpy()[rows],
                "community": frame["community_code"].to_numpy()[rows],
                "area_m2": area[rows],
                "ratio": ratio[rows],
                "severity": np.where(serious[rows], "serious", "notable"),
                "geometry": shapes[rows],
            }
        )
        why = _why_small(table, communities, scene, target[rows])
        if kind == "large":
            why = _why_large(shapes[rows], scene, target[rows])
        is_held = _is_held(shapes[rows], held)
        why["cause"] = np.where(is_held, "lock", why["cause"]).astype(object)
        found.append(worded(kind, table.assign(**why)))
    return found


def _is_held(shapes: Geometries, held: Geometries) -> NDArray[np.bool_]:
    """Return which grids an editor locked as they are."""
    found = np.zeros(len(shapes), dtype=np.bool_)
    spots = shapely.point_on_surface(shapes)
    found[shapely.STRtree(held).query(spots, predicate="within")[0]] = True
    return found


def _why_small(
    table: pd.DataFrame, communities: gpd.GeoDataFrame, scene: Scene, target_m2: Floats
) -> dict[str, NDArray[np.object_] | Floats]:
    """Return the cause of each grid too small, and what the sentence names."""
    land = communities.drop_duplicates("code").set_index("code").geometry
    own = land.reindex(table["community_code"])
    whole = own.area.fillna(np.inf).to_numpy(dtype=float)
    piece, community = shapely.get_parts(
        np.asarray(land.to_numpy(), dtype=object), return_index=True
    )
    several = np.bincount(community, minlength=len(land)) > 1
    shapes = np.asarray(table["geometry"].to_numpy(), dtype=object)
    grid, at = shapely.STRtree(piece).query(shapely.point_on_surface(shapes), predicate="within")
    named = land.index.to_numpy()[community[at]] == table["community_code"].to_numpy()[grid]
    alone = named & several[community[at]]
    alone &= shapely.area(piece[at]) < 1.05 * table["area_m2"].to_numpy()[grid] + 1.0
    is_island = np.zeros(len(table), dtype=np.bool_)
    is_island[grid[alone]] = True
    strong = scene.lines.lines[np.isin(scene.lines.kind, _STRONG)]
    outlines = shapely.boundary(np.asarray(land.to_numpy(), dtype=object))
    share = _share_along(shapes, np.concatenate([strong, outlines]))
    cause = np.select(
        [whole < 0.5 * target_m2, is_island, share >= _BETWEEN_SHARE],
        ["community", "island", "between"],
        "other",
    )
    return {"cause": cause.astype(object), "whole_m2": whole, "share": share}


def _why_large(
    shapes: Geometries, scene: Scene, target_m2: Floats
) -> dict[str, NDArray[np.object_] | Floats]:
    """Return the cause of each grid too large, and what the sentence names."""
    solids = np.concatenate([scene.buildings, scene.kept_whole])
    grid, solid = shapely.STRtree(solids).query(shapes, predicate="intersects")
    inside = shapely.area(shapely.intersection(shapes[grid], solids[solid]))
    largest = np.zeros(len(shapes))
    np.maximum.at(largest, grid, inside)
    grid, water = shapely.STRtree(scene.water).query(shapes, predicate="intersects")
    wet = shapely.area(shapely.intersection(shapes[grid], scene.water[water]))
    area = shapely.area(shapes)
    share = np.minimum(np.bincount(grid, weights=wet, minlength=len(shapes)) / area, 1.0)
    is_whole = (largest >= target_m2) | (largest >= _WHOLE_SHARE * area)
    cause = np.select([is_whole, share >= 0.5], ["indivisible", "water"], "other")
    return {"cause": cause.astype(object), "whole_m2": largest, "share": share}


def _share_along(shapes: Geometries, lines: Geometries) -> Floats:
    """Return the share of each outline that runs within two metres of one of the lines."""
    xy, line = shapely.get_coordinates(shapely.get_parts(lines), return_index=True)
    at = np.flatnonzero(line[1:] == line[:-1])
    if len(at) == 0:
        return np.zeros(len(shapes))
    segments = shapely.linestrings(np.stack([xy[at], xy[at + 1]], axis=1))
    outline = shapely.boundary(shapes)
    places = (np.arange(_SAMPLES) + 0.5) / _SAMPLES
    samples = shapely.line_interpolate_point(
        shapely.get_geometry(outline, 0)[:, None], places[None, :], normalized=True
    )
    near = shapely.STRtree(segments).query(
        samples.ravel(), predicate="dwithin", distance=_STRONG_M
    )[0]
    along = np.zeros(samples.size, dtype=np.bool_)
    along[near] = True
    share: Floats = along.reshape(samples.shape).mean(axis=1)
    return share


def _cut_buildings(frame: gpd.GeoDataFrame, scene: Scene, locked: Geometries) -> pd.DataFrame:
    """Return buildings of which two grids hold over a square metre each, one row for each building."""
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    building, grid = shapely.STRtree(shapes).query(scene.buildings, predicate="intersects")
    several = np.bincount(building, minlength=len(scene.buildings))[building] > 1
    building, grid = building[several], grid[several]
    inside = shapely.area(shapely.intersection(scene.buildings[building], shapes[grid]))
    kept = inside > _CUT_M2
    building, grid, inside = building[kept], grid[kept], inside[kept]
    kept = np.bincount(building, minlength=len(scene.buildings))[building] > 1
    order = np.lexsort((grid[kept], -inside[kept], building[kept]))
    building, grid, inside = (values[kept][order] for values in (building, grid, inside))
    first = np.flatnonzero(np.diff(building, prepend=-1))
    if len(first) == 0:
        return pd.DataFrame()
    community = frame["community_code"].to_numpy()[grid]
    owner = np.repeat(first, np.diff(np.append(first, len(building))))
    crosses = np.add.reduceat((community != community[owner]).astype(np.intp), first) > 0
    held = np.add.reduceat(inside, first)
    rows = building[first]
    strong = scene.lines.lines[np.isin(scene.lines.kind, _STRONG)]
    under, at_lock = (_meets(scene.buildings[rows], lines) for lines in (strong, locked))
    table = pd.DataFrame(
        {
            "place": grid[first],
            "code": _code_of(frame, grid[first]),
            "community_code": community[first],
            "community": community[first],
            "area_m2": held - inside[first],
            "whole_m2": shapely.area(scene.buildings[rows]),
            "severity": np.where(crosses | under, "notable", "serious"),
            "cause": np.select(
                [crosses, at_lock, under], ["community", "lock", "main_road"], "other"
            ).astype(object),
            "geometry": scene.buildings[rows],
        }
    )
    return worded("cut", table)


def _meets(shapes: Geometries, others: Geometries) -> NDArray[np.bool_]:
    """Return which shapes meet any of the others."""
    found = np.zeros(len(shapes), dtype=np.bool_)
    found[shapely.STRtree(others).query(shapes, predicate="intersects")[0]] = True
    return found


def _in_parts(communities: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return communities of several parts; the geometry is what lies apart from the largest."""
    ordered = communities.sort_values("code", kind="stable")
    rows = []
    for code, shape in zip(ordered["code"], ordered.geometry, strict=True):
        pieces = shapely.get_parts(shape)
        if len(pieces) < 2:
            continue
        area = shapely.area(pieces)
        apart = np.delete(pieces, int(np.argmax(area)))
        rows.append(
            {
                "place": -1,
                "code": None,
                "community_code": code,
                "community": code,
                "cause": "community",
                "severity": "notable",
                "parts": len(pieces),
                "area_m2": float(area.sum() - area.max()),
                "geometry": shapely.MultiPolygon(list(apart)),
            }
        )
    return worded("disconnected", pd.DataFrame(rows)) if rows else pd.DataFrame()


def _rings(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return grids with another grid in a hole."""
    shapes = np.asarray(frame.geometry.to_numpy(), dtype=object)
    polygons, grid = shapely.get_parts(shapes, return_index=True)
    rings, index = shapely.get_rings(polygons, return_index=True)
    is_hole = np.diff(index, prepend=-1) == 0
    holes, owner = shapely.polygons(rings[is_hole]), grid[index[is_hole]]
    hole = shapely.STRtree(shapely.point_on_surface(shapes)).query(holes, predicate="contains")[0]
    rows = np.unique(owner[hole])
    if len(rows) == 0:
        return pd.DataFrame()
    table = pd.DataFrame(
        {
            "place": rows,
            "code": _code_of(frame, rows),
            "community_code": frame["community_code"].to_numpy()[rows],
            "community": frame["community_code"].to_numpy()[rows],
            "cause": "enclosing",
            "severity": "serious",
            "area_m2": shapely.area(shapes[rows]),
            "geometry": shapes[rows],
        }
    )
    return worded("ring", table)


def _lost_borders(
    frame: gpd.GeoDataFrame,
    communities: gpd.GeoDataFrame,
    buildings: Geometries,
    locked: Geometries,
) -> pd.DataFrame:
    """Return the stretches of locked borders that are no grid border."""
    if len(locked) == 0:
        return pd.DataFrame()
    lands = communities.sort_values("code", kind="stable")
    shapes = np.asarray(lands.geometry.to_numpy(), dtype=object)
    line, land = shapely.STRtree(shapes).query(locked, predicate="intersects")
    borders = shapely.union_all(
        shapely.boundary(np.asarray(frame.geometry.to_numpy(), dtype=object))
    )
    kept = shapely.buffer(borders, _ON_LOCK_M, quad_segs=1)
    lost = shapely.difference(shapely.intersection(locked[line], shapes[land]), kept)
    length = shapely.length(lost)
    rows = np.flatnonzero(length > _LOST_M)
    if len(rows) == 0:
        return pd.DataFrame()
    code = lands["code"].to_numpy()[land[rows]]
    table = pd.DataFrame(
        {
            "place": -1,
            "code": None,
            "community_code": code,
            "community": code,
            "cause": np.where(_meets(lost[rows], buildings), "building", "other").astype(object),
            "severity": "serious",
            "length_m": length[rows],
            "area_m2": 0.0,
            "geometry": shapely.buffer(lost[rows], _STRIP_M, cap_style="flat"),
        }
    )
    return worded("lock", table)
