"""What the atlas shows, read from the databases as one state: areas, unit grids, builds, base map."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import shapely
from psycopg import sql

from gis.database import Database, read_features, read_rows
from gis.errors import BuildError
from gridding.atlas.sheets import Bounds

Connection = psycopg.Connection[Any]

_DATASETS = ("areas", "unit_grids", "topography")
_TABLES = ("grids.area", "grids.unit_grid", "topography.feature")
_STREET_DIGITS = 9


@dataclass(frozen=True, kw_only=True)
class Records:
    """One state of the city's areas and unit grids."""

    name: str
    """Name of the city or district; its code where it has none."""
    day: date
    """Day whose state this is: the one asked for, else that of the newest delivery."""
    as_of: date | None
    """Day asked for; None: what is live."""
    crs: str
    communities: gpd.GeoDataFrame
    """``code, name, street_code``, by code; geometry is the area with its grids."""
    streets: gpd.GeoDataFrame
    """``code, name``, by code."""
    grids: gpd.GeoDataFrame
    """``code, sequence, community_code, area_m2, initial_date, responsible_body``, by code."""
    builds: pd.DataFrame
    """``dataset, build_id, as_of, delivery`` of the newest live build of each dataset."""
    digest: str
    """SHA-256 over the rows of areas, unit grids and base map."""


def read_records(
    connection: Connection, database: Database, *, as_of: date | None = None, name: str = ""
) -> Records:
    """Read areas and unit grids as they hold now, or held on a day.

    A community that has grids but is not among the areas is made of its grids; a street that is
    not, of its communities.

    Parameters
    ----------
    connection : psycopg.Connection
        A read-only snapshot: all pages show one state.
    database : Database
        Gives the CRS.
    as_of : datetime.date
        The first day of a version is in, the day it ends is not; None: what is live.
    name : str
        Name of the city; empty: that of its district in the areas.

    Raises
    ------
    BuildError
        No unit grids hold then.
    """
    grids = read_grids(connection, database, as_of=as_of)
    if grids.empty:
        when = "" if as_of is None else f" on {as_of}"
        msg = f"No unit grids are loaded{when}: build a delivery with unit_grids first: `wanmi build DELIVERY`."
        raise BuildError(msg, zh="没有可用的单元网格，请先用 wanmi build 构建含单元网格的交付。")
    areas = _features(
        connection, database, sql.SQL("code, level, name, geom"), _TABLES[0], as_of=as_of
    )
    builds = _builds(connection, as_of)
    communities = _communities(areas, grids)
    districts = areas.loc[areas["level"] == "district", "name"].tolist()
    days = [day for day in builds["as_of"] if day is not None]
    return Records(
        name=name or (districts[0] if len(districts) == 1 else str(grids["code"].iloc[0])[:6]),
        day=as_of or max(days, default=date.min),
        as_of=as_of,
        crs=database.crs,
        communities=communities,
        streets=_streets(areas, communities),
        grids=grids,
        builds=builds,
        digest=_digest(connection, as_of),
    )


def read_grids(
    connection: Connection, database: Database, *, as_of: date | None
) -> gpd.GeoDataFrame:
    """Return the unit grids that hold now or on a day, by code, with their sequence 顺序号."""
    columns = sql.SQL(
        "code, community_code, area_m2, initial_date, responsible_body, valid_from, geom"
    )
    grids = _features(connection, database, columns, _TABLES[1], as_of=as_of)
    sequence = [
        code[len(community) :] if code.startswith(community) else code[-3:]
        for code, community in zip(grids["code"], grids["community_code"], strict=True)
    ]
    return grids.assign(sequence=np.array(sequence, dtype=object))


def read_base_map(
    connection: Connection,
    database: Database,
    window: Bounds,
    *,
    as_of: date | None,
    classes: Sequence[str] = (),
) -> gpd.GeoDataFrame:
    """Return ``feature_class, name`` and geometry of the base map in a window, by code.

    Parameters
    ----------
    connection : psycopg.Connection
        Open connection.
    database : Database
        Gives the CRS.
    window : tuple
        West, south, east, north in metres.
    as_of : datetime.date
        Day; None: what is live.
    classes : sequence of str
        Prefixes of the feature classes wanted; none: all.
    """
    box = sql.SQL("geom && ST_MakeEnvelope({}, {})").format(
        sql.SQL(", ").join(map(sql.Literal, window)), sql.Literal(database.srid)
    )
    if classes:
        pattern = sql.Literal("^(" + "|".join(classes) + ")")
        box += sql.SQL(" AND feature_class ~ {}").format(pattern)
    columns = sql.SQL("feature_class, name, geom")
    return _features(connection, database, columns, _TABLES[2], as_of=as_of, where=box)


def _features(
    connection: Connection,
    database: Database,
    columns: sql.Composable,
    table: str,
    *,
    as_of: date | None,
    where: sql.Composable = sql.SQL("true"),  # noqa: B008
) -> gpd.GeoDataFrame:
    query = sql.SQL('SELECT {} FROM {} WHERE {} AND {} ORDER BY code COLLATE "C"').format(
        columns, sql.Identifier(*table.split(".")), _holding(as_of), where
    )
    return read_features(connection, query, crs=database.crs)


def _holding(as_of: date | None) -> sql.Composable:
    if as_of is None:
        return sql.SQL("valid_to IS NULL")
    return sql.SQL("valid_from <= {0} AND (valid_to IS NULL OR valid_to > {0})").format(
        sql.Literal(as_of)
    )


def _builds(connection: Connection, as_of: date | None) -> pd.DataFrame:
    until = sql.SQL("true") if as_of is None else sql.SQL("b.as_of <= {}").format(as_of)
    query = sql.SQL(
        "SELECT DISTINCT ON (b.dataset) b.dataset, b.build_id, b.as_of, d.name AS delivery "
        "FROM meta.build b JOIN meta.delivery d USING (delivery_id) "
        "WHERE b.status = 'live' AND b.dataset = ANY({}) AND {} "
        "ORDER BY b.dataset, b.build_id DESC"
    ).format(list(_DATASETS), until)
    return read_rows(connection, query)


def _digest(connection: Connection, as_of: date | None) -> str:
    """Return a hash of every row's own hash, which covers its attributes and its geometry."""
    total = sha256()
    for table in _TABLES:
        query = sql.SQL(
            "SELECT encode(sha256(convert_to(coalesce(string_agg(content_hash, ' ' "
            "ORDER BY code COLLATE \"C\", content_hash), ''), 'UTF8')), 'hex') FROM {} WHERE {}"
        ).format(sql.Identifier(*table.split(".")), _holding(as_of))
        row = connection.execute(query).fetchone()
        total.update(str(row[0] if row else "").encode())
    return total.hexdigest()


def _communities(areas: gpd.GeoDataFrame, grids: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    known = areas[areas["level"] == "community"].set_index("code")
    codes = sorted(set(known.index) | set(grids["community_code"]))
    names, shapes = [], []
    own = grids.groupby("community_code").indices
    geometry = grids.geometry.to_numpy()
    for code in codes:
        if code in known.index:
            names.append(str(known.at[code, "name"]))
            shapes.append(known.at[code, "geometry"])
        else:
            names.append(f"社区 {code}")
            shapes.append(shapely.union_all(geometry[own[code]]))
    return gpd.GeoDataFrame(
        {
            "code": np.array(codes, dtype=object),
            "name": np.array(names, dtype=object),
            "street_code": np.array([code[:_STREET_DIGITS] for code in codes], dtype=object),
        },
        geometry=shapes,
        crs=grids.crs,
    )


def _streets(areas: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    known = areas[areas["level"] == "street"].set_index("code")
    groups = communities.groupby("street_code", sort=True).indices
    shapes = communities.geometry.to_numpy()
    names, outlines = [], []
    for code, rows in groups.items():
        is_known = code in known.index
        names.append(str(known.at[code, "name"]) if is_known else f"街道 {code}")
        outlines.append(known.at[code, "geometry"] if is_known else shapely.union_all(shapes[rows]))
    codes = np.array(list(groups), dtype=object)
    names_array = np.array(names, dtype=object)
    return gpd.GeoDataFrame(
        {"code": codes, "name": names_array}, geometry=outlines, crs=communities.crs
    )
