"""What a database must have before the revisions can be applied: versions, PostGIS, the city's CRS."""

import warnings
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from gis.crs import parse_crs
from gis.errors import DatabaseError
from gis.postgres import MIN_POSTGIS, MIN_VERSION

Connection = psycopg.Connection[Any]


def prepare(connection: Connection, *, crs: str, srid: int) -> None:
    """Enable PostGIS and register the city's CRS; the caller's transaction commits it.

    Parameters
    ----------
    connection : psycopg.Connection
        Connection inside a transaction.
    crs : str
        The city's CRS: ``EPSG:n`` or WKT.
    srid : int
        Its SRID.

    Raises
    ------
    DatabaseError
        This user may not do it, or the database holds another CRS; the sentence says what to do.
    """
    _enable_postgis(connection)
    _register_crs(connection, crs=crs, srid=srid)
    check_srid(connection, srid=srid)


def check_server(connection: Connection) -> None:
    """Refuse a server that is too old, or that PostGIS is not installed on.

    Raises
    ------
    DatabaseError
        The sentence names the version found and the one needed.
    """
    version = connection.info.server_version // 10_000
    if version < MIN_VERSION:
        msg = f"The database is PostgreSQL {version}; Wanmi needs {MIN_VERSION} or newer."
        raise DatabaseError(msg, zh=f"数据库为 PostgreSQL {version}，需要 {MIN_VERSION} 以上版本。")
    row = connection.execute(
        "SELECT coalesce(installed_version, default_version) FROM pg_available_extensions WHERE name = 'postgis'"
    ).fetchone()
    wanted = ".".join(map(str, MIN_POSTGIS))
    if row is None:
        msg = f"The database server has no PostGIS: install PostGIS {wanted} or newer on it."
        raise DatabaseError(msg, zh=f"数据库服务器没有 PostGIS：请安装 {wanted} 以上版本。")
    if tuple(int(part) for part in row[0].split(".")[:2]) < MIN_POSTGIS:
        msg = f"The database has PostGIS {row[0]}; Wanmi needs {wanted} or newer: `ALTER EXTENSION postgis UPDATE`."
        raise DatabaseError(msg, zh=f"数据库的 PostGIS 为 {row[0]}，需要 {wanted} 以上版本。")


def _enable_postgis(connection: Connection) -> None:
    row = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone()
    if row is not None:
        return
    try:
        connection.execute("CREATE EXTENSION postgis")
    except psycopg.errors.InsufficientPrivilege as error:
        msg = "PostGIS is not enabled: have the administrator run `CREATE EXTENSION postgis` in this database."
        raise DatabaseError(
            msg, zh="未启用 PostGIS：请管理员在该库中执行 CREATE EXTENSION postgis。"
        ) from error


def _register_crs(connection: Connection, *, crs: str, srid: int) -> None:
    """Make a CRS known that PostGIS does not ship, as a city's local one."""
    row = connection.execute(
        "SELECT srtext FROM spatial_ref_sys WHERE srid = %s", [srid]
    ).fetchone()
    if row is not None:
        return
    known = parse_crs(crs)
    authority = ("EPSG", srid) if crs.startswith("EPSG:") else ("WANMI", srid)
    values = [srid, *authority, known.to_wkt("WKT1_GDAL"), _proj_text(known)]
    try:
        connection.execute(
            "INSERT INTO spatial_ref_sys (srid, auth_name, auth_srid, srtext, proj4text) "
            "VALUES (%s, %s, %s, %s, %s)",
            values,
        )
    except psycopg.errors.InsufficientPrivilege as error:
        msg = f"The city's CRS is not registered: have the administrator add SRID {srid} to spatial_ref_sys."
        raise DatabaseError(
            msg, zh=f"城市坐标系未注册：请管理员在 spatial_ref_sys 中加入 SRID {srid}。"
        ) from error


def _proj_text(crs: Any) -> str:
    """Return the PROJ text that older tools read; PostGIS itself goes by the WKT."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that it says less than the WKT is known
        return str(crs.to_proj4())


def revision_of(connection: Connection) -> str | None:
    """Return the revision a database is at; None: never migrated."""
    row = connection.execute("SELECT to_regclass('meta.alembic_version')::text").fetchone()
    if row is None or row[0] is None:
        return None
    found = connection.execute("SELECT version_num FROM meta.alembic_version").fetchone()
    return None if found is None else str(found[0])


@cache
def newest_revision() -> str:
    """Return the newest revision this program knows, by the names of the files alone.

    Examples
    --------
    >>> newest_revision() >= "0019"
    True
    """
    versions = Path(__file__).parent / "migrations" / "versions"
    return max(path.name[1:].partition("_")[0] for path in versions.glob("r[0-9]*_*.py"))


def check_srid(connection: Connection, *, srid: int) -> None:
    """Refuse a database that holds coordinates in another CRS than the city's.

    Raises
    ------
    DatabaseError
        The city profile was changed after the database was made.
    """
    row = connection.execute(
        "SELECT srid FROM geometry_columns WHERE f_table_schema = 'grids' AND f_table_name = 'unit_grid'"
    ).fetchone()
    if row is not None and row[0] != srid:
        msg = (
            f"The database holds coordinates in SRID {row[0]}, but wanmi.toml names SRID {srid}: "
            "correct [city] crs, or begin with an empty database."
        )
        raise DatabaseError(
            msg,
            zh=f"数据库坐标系为 SRID {row[0]}，而 wanmi.toml 为 SRID {srid}：请更正 crs 或使用空库。",
        )
