"""Earlier versions of components: the state after a build, versions by hash, codes before codes."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from psycopg import sql

from census.merging.fields import COLUMNS, FIELDS, distances, plain
from gis.columnwise import read_columns
from gis.database import Connection, Database, read_features, read_rows
from gis.errors import NotFoundError

VERSION = ("build_id", "content_hash")
_BUILDS = """
    SELECT b.build_id, b.as_of, b.status, d.name AS delivery FROM meta.build b
    JOIN meta.delivery d USING (delivery_id) WHERE b.dataset = 'components'
"""
_HISTORY = """
    SELECT c.*, b.finished_at, d.name AS delivery,
           (SELECT a.actor FROM meta.audit a WHERE a.action = 'build'
            AND (a.detail->>'build_id')::bigint = c.build_id ORDER BY a.audit_id LIMIT 1) AS actor,
           e.name AS closed_by
    FROM components.component c
    JOIN meta.build b USING (build_id) JOIN meta.delivery d USING (delivery_id)
    LEFT JOIN meta.build f ON f.build_id = c.closed_build_id
    LEFT JOIN meta.delivery e ON e.delivery_id = f.delivery_id
    JOIN unnest(%s::text[], %s::bigint[], %s::bigint[]) AS span (code, first, after)
        ON c.code = span.code AND c.build_id >= span.first AND c.build_id < span.after
    ORDER BY c.row_id
"""
_FORMER = """
    SELECT former_code, build_id FROM components.recode WHERE code = %s AND build_id < %s
    ORDER BY build_id DESC LIMIT 1
"""
_NEVER = 2**62
"""No build has this number."""
_NEWEST = """
    SELECT build_id, as_of FROM meta.build WHERE dataset = 'components' AND status = 'live'
    ORDER BY build_id DESC LIMIT 1
"""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One version of a component."""

    code: str
    valid_from: str
    valid_to: str | None
    build_id: int
    delivery: str
    source_file: str | None
    source_row: int | None
    by: str | None
    """Who built it."""
    at: str
    closed_build_id: int | None
    closed_by: str | None
    """Delivery that closed this version."""
    changes: dict[str, tuple[str | None, str | None]]
    """Field -> value before and after; empty for the first version."""


def read_state(
    connection: Connection, build_id: int, *, live: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return the components as they were live right after a build, by code.

    Builds that were rolled back since leave no trace: then it is the state without them.

    Parameters
    ----------
    connection : psycopg.Connection
        Open connection.
    build_id : int
        Build of components.
    live : geopandas.GeoDataFrame
        The rows that are live, `COLUMNS` and `VERSION`, in the city's CRS. Those of that state are
        not read again, and what is returned shares their values.
    """
    condition = sql.SQL("build_id <= %s AND closed_build_id > %s")
    closed = _read(connection, condition, [build_id, build_id], crs=str(live.crs))
    still = live.loc[(live["build_id"] <= build_id).to_numpy(dtype=bool), [*COLUMNS, *VERSION]]
    if closed.empty:
        return still.reset_index(drop=True)
    rows = pd.concat([still, closed], ignore_index=True)
    order = np.argsort(rows["code"].to_numpy(dtype=object), kind="stable")
    return gpd.GeoDataFrame(rows.iloc[order].reset_index(drop=True), crs=live.crs)


def read_versions(connection: Connection, hashes: Collection[str], *, crs: str) -> gpd.GeoDataFrame:
    """Return one row for each content hash that the history has, by hash."""
    rows = _read(connection, sql.SQL("content_hash = ANY(%s)"), [sorted(hashes)], crs=crs)
    return rows.drop_duplicates("content_hash", ignore_index=True)


def _read(
    connection: Connection, condition: sql.Composable, values: list[Any], *, crs: str
) -> gpd.GeoDataFrame:
    names = ["geom" if name == "geometry" else name for name in (*COLUMNS, *VERSION)]
    query = sql.SQL(
        'SELECT {} FROM components.component WHERE {} ORDER BY code COLLATE "C", row_id DESC'
    ).format(sql.SQL(", ").join(map(sql.Identifier, names)), condition)
    return normal(read_columns(connection, query, values, crs=crs))


def normal(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows with plain objects and None where a value is missing.

    Examples
    --------
    >>> from shapely import Point
    >>> rows = gpd.GeoDataFrame({"remark": [float("nan")]}, geometry=[Point(0, 0)])
    >>> normal(rows)["remark"].tolist()
    [None]
    """
    columns = {name: _shared(rows[name]) for name in rows.columns.drop(rows.geometry.name)}
    return gpd.GeoDataFrame(columns, geometry=rows.geometry, crs=rows.crs, index=rows.index)


def _shared(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return a column of plain objects, of which equal ones are one: a million rows stay small."""
    try:
        codes, values = pd.factorize(column)
    except TypeError:  # lists and documents
        plain_values = column.astype(object)
        return plain_values.where(plain_values.notna(), None)
    table = np.full(len(values) + 1, None, dtype=object)
    table[:-1] = np.asarray(values, dtype=object)
    return pd.Series(table[codes], index=column.index, dtype=object)


def read_recodes(connection: Connection, *, after: int) -> dict[str, str]:
    """Return code -> code at the time of the build `after`, of components recoded since by merges."""
    rows = connection.execute(
        "SELECT r.code, r.former_code, r.build_id FROM components.recode r WHERE r.build_id > %s "
        "ORDER BY r.build_id",
        [after],
    ).fetchall()
    return compose_recodes([(str(code), str(former), int(build)) for code, former, build in rows])


def next_codes_of(connection: Connection) -> dict[str, str]:
    """Return former code -> the code that its component got next, of all times."""
    rows = connection.execute("SELECT former_code, code FROM components.recode ORDER BY build_id")
    return {str(former): str(code) for former, code in rows}


def compose_recodes(recodes: list[tuple[str, str, int]]) -> dict[str, str]:
    """Return new code -> first code of steps (code, former code, build), oldest build first.

    Steps of one build happen at once, so that codes may be exchanged.

    Examples
    --------
    >>> compose_recodes([("b", "a", 1), ("c", "b", 2)])
    {'c': 'a'}
    >>> compose_recodes([("b", "a", 1), ("a", "b", 1)])
    {'b': 'a', 'a': 'b'}
    """
    origin: dict[str, str] = {}
    for build in dict.fromkeys(step[2] for step in recodes):
        steps = [(code, former) for code, former, of in recodes if of == build]
        moved = {code: origin.get(former, former) for code, former in steps}
        gone = {former for _, former in steps}
        origin = {code: first for code, first in origin.items() if code not in gone} | moved
    return origin


def newest_build(connection: Connection) -> tuple[int, Any] | None:
    """Return number and day of the newest live build of components; None: there is none."""
    row = connection.execute(_NEWEST).fetchone()
    return None if row is None else (int(row[0]), row[1])


def read_builds(connection: Connection) -> pd.DataFrame:
    """Return the builds of components with ``as_of``, ``status`` and ``delivery``, by number."""
    return read_rows(connection, _BUILDS + " ORDER BY b.build_id")


def read_history(database: Database, code: str) -> list[Version]:
    """Return all versions of a component, also under the codes it had before, oldest first.

    Raises
    ------
    NotFoundError
        No component ever had this code.
    """
    with database.connect(read_only=True) as connection:
        spans = [list(part) for part in zip(*_spans(connection, code), strict=True)]
        rows = read_features(connection, _HISTORY, spans, crs=database.crs)
    if rows.empty:
        msg = f"No component ever had the code {code}: check it, `wanmi census export` lists those that are live."
        raise NotFoundError(msg, zh=f"从未有部件使用过编码 {code}：请核对。")
    rows = normal(rows)
    versions = []
    before = None
    for _, row in rows.iterrows():
        versions.append(_version(row, before))
        before = row
    return versions


def _spans(connection: Connection, code: str) -> list[tuple[str, int, int]]:
    """Return the codes of a component, each with its first build and the one that took it away.

    Before and after, a code may be another component's: codes are exchanged, and given again.
    """
    spans: list[tuple[str, int, int]] = []
    after = _NEVER
    while (row := connection.execute(_FORMER, [code, after]).fetchone()) is not None:
        spans.append((code, int(row[1]), after))
        code, after = str(row[0]), int(row[1])
    return [*spans, (code, 0, after)]


def _version(row: "pd.Series[Any]", before: "pd.Series[Any] | None") -> Version:
    return Version(
        code=row["code"],
        valid_from=row["valid_from"].isoformat(),
        valid_to=None if row["valid_to"] is None else row["valid_to"].isoformat(),
        build_id=int(row["build_id"]),
        delivery=row["delivery"],
        source_file=row["source_file"],
        source_row=None if row["source_row"] is None else int(row["source_row"]),
        by=row["actor"],
        at=row["finished_at"].isoformat(timespec="seconds"),
        closed_build_id=None if row["closed_build_id"] is None else int(row["closed_build_id"]),
        closed_by=row["closed_by"],
        changes={} if before is None else changes_between(before, row),
    )


def changes_between(
    before: "pd.Series[Any]", after: "pd.Series[Any]"
) -> dict[str, tuple[str | None, str | None]]:
    """Return field -> text before and after, of what differs between two versions."""
    found = {}
    names = ["code", *(name for entry in FIELDS.values() for name in entry.columns), "grid_code"]
    for name in names:
        pair = (plain(before[name]), plain(after[name]))
        if pair[0] != pair[1]:
            found[name] = pair
    old, new = before["attributes"] or {}, after["attributes"] or {}
    for key in sorted({*old, *new}):
        pair = (plain(old.get(key)), plain(new.get(key)))
        if pair[0] != pair[1]:
            found[f"attributes.{key}"] = pair
    shapes = [np.array([row["geometry"]], dtype=object) for row in (before, after)]
    moved = float(distances(shapes[0], shapes[1])[0])
    if moved > 0:
        found["geometry"] = (None, f"{moved:.2f} m away")
    return found
