"""What changed in the topography, and which unit grids it touches."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.database import Database, read_features
from gridding.uses import use_of

Geometries = NDArray[np.object_]

TOUCH_M = 5.0
"""A grid is touched by more than this length of what changed, m."""
_SAME_M = 1.0
"""A line within this distance of its old course has not moved, m."""
_BESIDE_M = 1.0
_HELD_M2 = 1.0
_AREAS = (3, 6)


def changed_features(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return what was added, removed or moved between two states of the topography.

    Features count by class and shape, not by code: one delivered again under another code has not
    changed. A line, or the outline of an area, that runs within a metre of one of the same class in
    the other state has not moved. Classes that play no part in a division are left out.

    Parameters
    ----------
    old, new : geopandas.GeoDataFrame
        ``feature_class`` and ``geometry``, same metric CRS.

    Returns
    -------
    geopandas.GeoDataFrame
        ``feature_class``, ``change`` (added or removed), the ``geometry`` that did (lines, and areas
        that are wholly added or removed), and ``build_id`` where both states have it.

    Examples
    --------
    >>> from shapely import LineString
    >>> street = LineString([(0, 0), (100, 0)])
    >>> old = gpd.GeoDataFrame({"feature_class": ["430501"]}, geometry=[street], crs="EPSG:4547")
    >>> longer = old.set_geometry([LineString([(0, 0.2), (150, 0.2)])], crs="EPSG:4547")
    >>> changed = changed_features(old, longer)
    >>> changed["change"].tolist(), changed.length.round(1).tolist()
    (['added'], [50.0])
    """
    before, after = _used(old), _used(new)
    keys = [_keys(before), _keys(after)]
    before, after = before[~keys[0].isin(keys[1])], after[~keys[1].isin(keys[0])]
    rows = [
        _without(after, before).assign(change="added"),
        _without(before, after).assign(change="removed"),
    ]
    result = pd.concat(rows, ignore_index=True)
    return gpd.GeoDataFrame(
        result.drop(columns="geometry"), geometry=result["geometry"].to_numpy(), crs=new.crs
    )


def _used(features: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    shapes = shapely.force_2d(features.geometry.to_numpy())
    is_area = np.isin(shapely.get_type_id(shapes), _AREAS)
    usable = ~shapely.is_empty(shapes) & (shapely.get_dimensions(shapes) > 0)
    classes = features["feature_class"].astype(str).to_numpy(dtype=object)
    roles = {
        (code, area): use_of(code, shape="area" if area else "line").role
        for code, area in set(zip(classes.tolist(), is_area.tolist(), strict=True))
    }
    role = [roles[key] for key in zip(classes.tolist(), is_area.tolist(), strict=True)]
    kept = usable & ~np.isin(np.array(role, dtype=object), ["ignore"])
    columns = {"feature_class": classes[kept]}
    if "build_id" in features:
        columns["build_id"] = features["build_id"].to_numpy()[kept]
    return gpd.GeoDataFrame(columns, geometry=shapes[kept], crs=features.crs)


def _keys(features: gpd.GeoDataFrame) -> "pd.Series[str]":
    wkb = shapely.to_wkb(shapely.normalize(features.geometry.to_numpy()), hex=True)
    return features["feature_class"] + ":" + pd.Series(wkb, index=features.index, dtype=object)


def _without(features: gpd.GeoDataFrame, others: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return what of features runs more than a metre from all others of the same class."""
    shapes = features.geometry.to_numpy()
    outlines = np.where(shapely.get_dimensions(shapes) == 2, shapely.boundary(shapes), shapes)
    other = others.geometry.to_numpy()
    lines = np.where(shapely.get_dimensions(other) == 2, shapely.boundary(other), other)
    row, near = shapely.STRtree(lines).query(outlines, predicate="dwithin", distance=_SAME_M)
    classes, known = features["feature_class"].to_numpy(), others["feature_class"].to_numpy()
    same = classes[row] == known[near]
    row, near = row[same], near[same]
    left = shapes.copy()
    for one in np.unique(row):
        beside = shapely.union_all(
            shapely.buffer(lines[near[row == one]], _SAME_M, cap_style="flat")
        )
        left[one] = shapely.difference(outlines[one], beside)
    kept = shapely.length(left) > _SAME_M
    return gpd.GeoDataFrame({"feature_class": classes[kept]}, geometry=left[kept], crs=features.crs)


def touched_grids(grids: Geometries, changed: Geometries) -> NDArray[np.bool_]:
    """Return which grids more than five metres of changed line, or a square metre of area, touch.

    A line along a border touches the grids on both sides.

    Examples
    --------
    >>> grids = shapely.box([0, 100, 200], [0, 0, 0], [100, 200, 300], [100, 100, 100])
    >>> touched_grids(grids, shapely.linestrings([[[10, 50], [103, 50]]])).tolist()
    [True, False, False]
    >>> touched_grids(grids, shapely.box([90], [10], [102], [20])).tolist()
    [True, True, False]
    """
    is_area = shapely.get_dimensions(changed) == 2
    touched = np.zeros(len(grids), dtype=np.bool_)
    lines = np.where(is_area, shapely.boundary(changed), changed)
    row, grid = shapely.STRtree(grids).query(lines, predicate="dwithin", distance=_BESIDE_M)
    wide = shapely.buffer(grids[grid], _BESIDE_M, join_style="mitre")
    length = np.bincount(grid, shapely.length(shapely.intersection(lines[row], wide)), len(grids))
    touched |= length > TOUCH_M
    row, grid = shapely.STRtree(grids).query(changed[is_area], predicate="intersects")
    held = shapely.area(shapely.intersection(changed[is_area][row], grids[grid]))
    touched[grid[held > _HELD_M2]] = True
    return touched


def pending_changes(database: Database) -> tuple[gpd.GeoDataFrame, int]:
    """Return what changed in the topography since the unit grids last took account of it.

    That is since the last update that was applied, else since the oldest grid that is live. Each
    change has the ``build_id`` that brought it, so that grids made later are not touched by it.

    Returns
    -------
    tuple
        The changes as of `changed_features`, with ``build_id``; the newest build of the topography.
    """
    with database.connect(read_only=True) as connection:
        row = connection.execute(_MARKS).fetchone()
        assert row is not None
        since, newest = int(row[0] or 0), int(row[1] or 0)
        query = (
            "SELECT feature_class, geom, build_id, closed_build_id FROM topography.feature"
            " WHERE (build_id > %(since)s) <> (coalesce(closed_build_id, 0) > %(since)s)"
            " AND greatest(build_id, closed_build_id) > %(since)s ORDER BY code, row_id"
        )
        rows = read_features(connection, query, {"since": since}, crs=database.crs)
    opened = rows["build_id"] > since
    rows["build_id"] = rows["build_id"].where(opened, rows["closed_build_id"]).astype("int64")
    changes = changed_features(gpd.GeoDataFrame(rows[~opened]), gpd.GeoDataFrame(rows[opened]))
    return changes, newest


_MARKS = """
    SELECT coalesce(
        (SELECT max((e.after->>'topography_build')::bigint) FROM grids.edit AS e
         LEFT JOIN meta.build AS b USING (build_id)
         WHERE e.kind = 'update' AND (b.status IS NULL OR b.status = 'live')),
        (SELECT min(build_id) FROM grids.unit_grid WHERE valid_to IS NULL)),
        (SELECT max(build_id) FROM meta.build WHERE dataset = 'topography' AND status = 'live')"""
