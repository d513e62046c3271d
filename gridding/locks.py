"""Borders and grids that an editor set: no division and no update moves them until they are released."""

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from psycopg import sql

from gis.database import Connection, Database, copy_rows, read_features, read_rows
from gis.errors import NotFoundError
from gridding.lineage import overlaps

Geometries = NDArray[np.object_]

_ON_BORDER_M, _LOST_M, _LOST_M2 = 0.05, 1.0, 1.0
"""How near a border runs to a lock that it keeps; what length, and what area, counts as lost."""

_INSIDE = 0.98
"""Share of a grid in a locked polygon from which on the lock holds it."""
_HELD = """
    FROM grids.lock AS l LEFT JOIN grids.edit AS e USING (edit_id)
    LEFT JOIN meta.build AS b ON b.build_id = e.build_id
    WHERE l.released_at IS NULL AND (b.status IS NULL OR b.status = 'live')"""


def locked(database: Database) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the borders and the grids that are locked, each by lock number.

    The locks of an edit that was rolled back do not hold.

    Returns
    -------
    tuple of geopandas.GeoDataFrame
        Borders: ``lock_id``, ``geometry`` (lines); grids: ``lock_id``, ``code``, ``geometry`` (polygons).
    """
    query = sql.SQL("SELECT l.lock_id, l.kind, l.code, l.geom {} ORDER BY l.lock_id").format(
        sql.SQL(_HELD)
    )
    with database.connect(read_only=True) as connection:
        rows = read_features(connection, query, crs=database.crs)
    borders, grids = rows[rows["kind"] == "border"], rows[rows["kind"] == "grid"]
    return (
        gpd.GeoDataFrame(borders[["lock_id", "geometry"]].reset_index(drop=True)),
        gpd.GeoDataFrame(grids[["lock_id", "code", "geometry"]].reset_index(drop=True)),
    )


def held_grids(locks: Geometries, grids: Geometries) -> pd.DataFrame:
    """Return which grids lie in which locked polygons, whatever codes they bear: rows of `overlaps`.

    A grid is held if all but a fiftieth of it lies in one, so that the pieces of a locked grid that a
    new community border cut are held, too.

    Examples
    --------
    >>> lock, grids = shapely.box([0], 0, [10], 10), shapely.box([0, 6, 10], 0, [6, 10, 20], 10)
    >>> held_grids(lock, grids)["new"].tolist()
    [0, 1]
    """
    pairs = overlaps(locks, grids)
    return pairs[pairs["overlap_new"] >= _INSIDE]


def list_locks(database: Database) -> pd.DataFrame:
    """Return the locks that hold: number, kind, code, metres of border or m² of grid, who, when, why.

    The code is the one that the locked land bears now.
    """
    query = sql.SQL(
        "SELECT l.lock_id, l.kind, CASE l.kind WHEN 'grid' THEN coalesce((SELECT min(g.code)"
        " FROM grids.unit_grid AS g WHERE g.valid_to IS NULL"
        " AND ST_Contains(g.geom, ST_PointOnSurface(l.geom))), l.code) END AS code,"
        " round(CASE l.kind WHEN 'border' THEN ST_Length(l.geom) ELSE ST_Area(l.geom) END)::float"
        " AS size, l.actor, l.at, l.reason {} ORDER BY l.lock_id"
    ).format(sql.SQL(_HELD))
    with database.connect(read_only=True) as connection:
        rows = read_rows(connection, query)
    return rows.assign(code=rows["code"].astype(object).where(rows["code"].notna(), None))


def overruled(database: Database, old: Geometries, new: Geometries) -> tuple[int, ...]:
    """Return the locks that one layer of grids keeps and the next does not."""
    borders, grids = locked(database)
    lines = borders.geometry.to_numpy()
    lost = _lost_m(lines, new) > _lost_m(lines, old) + _LOST_M
    shapes = grids.geometry.to_numpy()
    (count, apart), (was, was_apart) = (_kept(shapes, layer) for layer in (new, old))
    broken = (count != was) | (apart > was_apart + _LOST_M2)
    return (*borders.loc[lost, "lock_id"].astype(int), *grids.loc[broken, "lock_id"].astype(int))


def _lost_m(lines: Geometries, grids: Geometries) -> "NDArray[np.float64]":
    """Return what length of each line is no border, m."""
    tree = shapely.STRtree(shapely.boundary(grids))
    lost = np.zeros(len(lines))
    for row, line in enumerate(lines):
        near = tree.geometries[tree.query(line, predicate="dwithin", distance=_ON_BORDER_M)]
        beside = shapely.buffer(shapely.union_all(near), _ON_BORDER_M, cap_style="flat")
        lost[row] = shapely.length(shapely.difference(line, beside))
    return lost


def _kept(shapes: Geometries, grids: Geometries) -> "tuple[NDArray[np.intp], NDArray[np.float64]]":
    """Return how many grids each polygon holds, and the area by which they and it differ, m²."""
    held = held_grids(shapes, grids)
    row, count = held["old"].to_numpy(dtype=np.intp), len(shapes)
    whole = np.bincount(row, shapely.area(grids[held["new"].to_numpy(dtype=np.intp)]), count)
    shared = np.bincount(row, held["area_m2"].to_numpy(dtype=np.float64), count)
    return np.bincount(row, minlength=count), shapely.area(shapes) + whole - 2 * shared


def set_locks(
    connection: Connection, locks: gpd.GeoDataFrame, *, about: dict[str, Any], srid: int
) -> None:
    """Write locks inside the caller's transaction.

    Parameters
    ----------
    connection : psycopg.Connection
        Open connection.
    locks : geopandas.GeoDataFrame
        ``kind`` (border or grid), ``code`` (None for a border), ``geometry``.
    about : dict
        ``edit_id``, ``actor``, ``reason``.
    srid : int
        SRID of the city's CRS.
    """
    if len(locks):
        copy_rows(connection, "grids.lock", locks.assign(**about), srid=srid)


def release_locks(connection: Connection, lock_ids: list[int], *, actor: str) -> int:
    """Release locks inside the caller's transaction; return how many held."""
    return connection.execute(
        "UPDATE grids.lock SET released_at = now(), released_by = %s"
        " WHERE lock_id = ANY (%s) AND released_at IS NULL",
        [actor, lock_ids],
    ).rowcount


def release_lock(database: Database, lock_id: int, *, actor: str) -> None:
    """Release one lock: the next division or update may move what it held.

    Raises
    ------
    NotFoundError
        No such lock holds.
    """
    with database.connect() as connection:
        if release_locks(connection, [lock_id], actor=actor) == 0:
            msg = (
                f"There is no lock {lock_id} to release: `wanmi grid locks` lists those that hold."
            )
            raise NotFoundError(msg, zh=f"没有可解除的锁定 {lock_id}：请用 wanmi grid locks 查看。")
