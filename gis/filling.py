"""An empty table filled: rows copied to where they stay, indexed once they are there."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from typing import Any

import pandas as pd
import psycopg
import pyarrow as pa
from psycopg import sql
from sqlalchemy import Table

from gis.rowhash import UnlikeError, can_hash, hash_rows
from gis.rows import copy_rows

Connection = psycopg.Connection[Any]

_MANY_ROWS = 20_000
SETTINGS = {"work_mem": "128MB", "maintenance_work_mem": "256MB", "jit": "off"}
"""For the transaction of a load: a million rows are hashed, joined and indexed in memory."""


def set_for_load(connection: Connection) -> None:
    """Give this transaction the memory that a load needs."""
    for setting, value in SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, true)", [setting, value])


def can_fill(connection: Connection, table: Table, *, rows: int) -> bool:
    """Return whether rows may be copied to the table itself: they are many, and it is empty and ours.

    A table that may be is held until the transaction ends. It is looked at before and after: one with
    rows is not taken from those who read it, and what another program writes meanwhile is seen.
    """
    if rows <= _MANY_ROWS or not can_hash(table) or not is_empty_and_own(connection, table):
        return False
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(_identifier(table)))
    return is_empty_and_own(connection, table)


def is_empty_and_own(connection: Connection, table: Table) -> bool:
    """Return whether a table has no row, past or live, and may have its indexes made anew."""
    query = (
        "SELECT pg_has_role(relowner, 'USAGE') AND NOT EXISTS (SELECT FROM {}) "
        "FROM pg_class WHERE oid = %s::regclass"
    )
    row = connection.execute(sql.SQL(query).format(_identifier(table)), [table.fullname]).fetchone()
    return row is not None and bool(row[0])


def fill(
    connection: Connection,
    table: Table,
    frame: pd.DataFrame,
    *,
    srid: int,
    build_id: int,
    as_of: date,
) -> bool:
    """Copy rows to a table that `can_fill`, hashed on the way; return whether it was done.

    Nothing is written, and False returned, when a document holds a number that only the database
    can hash (`gis.rowhash`).
    """

    def kept(arrays: Mapping[str, Any]) -> list[Any]:
        count = len(next(iter(arrays.values())))
        return [
            hash_rows(table, arrays),
            pa.repeat(pa.scalar(as_of), count),
            pa.repeat(build_id, count),
        ]

    set_for_load(connection)
    try:
        with (
            connection.transaction(),
            unindexed(connection, table),
            unchecked(connection, table),
        ):
            # A table emptied in this transaction needs no log of its rows where none is kept.
            connection.execute(sql.SQL("TRUNCATE {}").format(_identifier(table)))
            beside = (("content_hash", "valid_from", "build_id"), kept)
            copy_rows(connection, table.fullname, frame, srid=srid, beside=beside)
    except UnlikeError:
        return False
    return True


@contextmanager
def unindexed(connection: Connection, table: Table) -> Iterator[None]:
    """Drop the indexes of an empty table and make them anew afterwards, as is quicker for many rows."""
    rows = connection.execute(
        "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index AS i "
        "WHERE i.indrelid = %s::regclass AND NOT EXISTS "
        "(SELECT FROM pg_constraint AS c WHERE c.conindid = i.indexrelid) ORDER BY 1",
        [table.fullname],
    ).fetchall()
    for index, _ in rows:
        connection.execute(f"DROP INDEX {index}")
    yield
    for _, definition in rows:
        connection.execute(definition)


@contextmanager
def unchecked(connection: Connection, table: Table) -> Iterator[None]:
    """Do not look up for each row the build that this transaction itself wrote.

    Only where that is all that the database would look up, and where its user may say so: else
    every row is checked, as always.
    """
    row = connection.execute(
        "SELECT current_setting('is_superuser') = 'on' AND NOT EXISTS (SELECT FROM pg_constraint "
        "WHERE conrelid = %(table)s::regclass AND contype = 'f' AND confrelid <> 'meta.build'::regclass) "
        "AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = %(table)s::regclass AND NOT tgisinternal)",
        {"table": table.fullname},
    ).fetchone()
    if row is None or not row[0]:
        yield
        return
    connection.execute("SET LOCAL session_replication_role = replica")
    yield
    connection.execute("SET LOCAL session_replication_role = origin")


def _identifier(table: Table) -> sql.Identifier:
    assert table.schema is not None
    return sql.Identifier(table.schema, table.name)
