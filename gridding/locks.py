"""Borders and grids that an editor set: no division and no update moves them until they are released."""

from typing import Any

import geopandas as gpd
import pandas as pd
from psycopg import sql

from gis.database import Connection, Database, copy_rows, read_features, read_rows
from gis.errors import NotFoundError

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


def list_locks(database: Database) -> pd.DataFrame:
    """Return the locks that hold: number, kind, code, metres of border or m² of grid, who, when, why."""
    query = sql.SQL(
        "SELECT l.lock_id, l.kind, l.code, round(CASE l.kind WHEN 'border' THEN ST_Length(l.geom)"
        " ELSE ST_Area(l.geom) END)::float AS size, l.actor, l.at, l.reason {} ORDER BY l.lock_id"
    ).format(sql.SQL(_HELD))
    with database.connect(read_only=True) as connection:
        rows = read_rows(connection, query)
    return rows.assign(code=rows["code"].astype(object).where(rows["code"].notna(), None))


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
