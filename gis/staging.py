"""Rows of a delivery beside the live ones: compared and exchanged as sets, inside one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import psycopg
from psycopg import sql
from sqlalchemy import ARRAY, Table
from sqlalchemy.dialects.postgresql import JSONB

from gis.conform import SOURCE
from gis.rows import copy_rows
from gis.tables.columns import BOOKKEEPING

Connection = psycopg.Connection[Any]


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What an exchange does to a table."""

    opened: int
    closed: int
    unchanged: int


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Which live rows end when they are not among the incoming ones."""

    is_empty: bool
    """None ends."""
    column: str | None
    """Those with one of `values` in this column; None: no matter which."""
    values: tuple[str, ...]
    prefixes: tuple[str, ...]
    """Those whose code begins with one of these."""


def stage(connection: Connection, table: Table, frame: pd.DataFrame, *, srid: int) -> None:
    """Copy the rows to the temporary table ``incoming`` and hash their business columns.

    The hash names each column and leaves out null, so that a column added by a later migration
    does not make all rows look changed.
    """
    business = [column for column in table.columns if column.name not in BOOKKEEPING]
    columns = _list([*(column.name for column in business), *SOURCE])
    parts = sql.SQL(", ").join(_hash_part(column) for column in business)
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE staging ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
        ).format(columns, identifier(table))
    )
    copy_rows(connection, "staging", frame, srid=srid)
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT *, "
            "encode(sha256(convert_to(concat_ws(E'\\x1f', {}), 'UTF8')), 'hex') AS content_hash FROM staging"
        ).format(parts)
    )
    connection.execute("DROP TABLE staging")
    connection.execute("CREATE UNIQUE INDEX ON incoming (code)")
    connection.execute("ANALYZE incoming")


def compare(connection: Connection, table: Table, *, limits: Limits, kept: Sequence[str]) -> Counts:
    """List in the temporary table ``closing`` which live rows end, and count.

    Parameters
    ----------
    connection : psycopg.Connection
        Connection after `stage`.
    table : sqlalchemy.Table
        Versioned table.
    limits : Limits
        Which live rows end when they are not among the incoming ones.
    kept : sequence of str
        Codes that were delivered but refused: what is live of them stays.
    """
    column = limits.column or "code"
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE closing ON COMMIT DROP AS "
            "SELECT t.row_id FROM {} AS t LEFT JOIN incoming AS i USING (code) "
            "LEFT JOIN (SELECT DISTINCT unnest(%(kept)s::text[]) AS code) AS k USING (code) "
            "WHERE t.valid_to IS NULL AND CASE WHEN i.code IS NOT NULL THEN i.content_hash <> t.content_hash "
            "ELSE k.code IS NULL AND %(closes)s AND (%(any)s OR {} = ANY (%(values)s::text[])) "
            "AND EXISTS (SELECT FROM unnest(%(prefixes)s::text[]) AS p WHERE starts_with(t.code, p)) END"
        ).format(identifier(table), sql.Identifier("t", column)),
        {
            "kept": list(kept),
            "closes": not limits.is_empty,
            "any": limits.column is None,
            "values": list(limits.values),
            "prefixes": list(limits.prefixes),
        },
    )
    connection.execute("ANALYZE closing")
    return Counts(
        opened=_count(
            connection,
            "SELECT count(*) FROM incoming AS i LEFT JOIN {} AS t ON t.code = i.code AND t.valid_to IS NULL "
            "AND t.content_hash = i.content_hash WHERE t.code IS NULL",
            table,
        ),
        closed=_count(connection, "SELECT count(*) FROM closing", table),
        unchanged=_count(
            connection,
            "SELECT count(*) FROM incoming AS i JOIN {} AS t ON t.code = i.code AND t.valid_to IS NULL "
            "AND t.content_hash = i.content_hash",
            table,
        ),
    )


def exchange(connection: Connection, table: Table, *, build_id: int, as_of: date) -> None:
    """Close the rows listed in ``closing`` and open the incoming ones that are not live yet.

    A row replaced on the day it began keeps an empty interval: it never held, but stays on record.
    """
    business = [column.name for column in table.columns if column.name not in BOOKKEEPING]
    columns = _list([*business, *SOURCE, "content_hash"])
    incoming = sql.SQL(", ").join(
        sql.Identifier("i", name) for name in [*business, *SOURCE, "content_hash"]
    )
    connection.execute(
        sql.SQL(
            "UPDATE {} AS t SET valid_to = %s, closed_build_id = %s FROM closing WHERE t.row_id = closing.row_id"
        ).format(identifier(table)),
        [as_of, build_id],
    )
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} ({columns}, valid_from, build_id) SELECT {incoming}, %s, %s "
            "FROM incoming AS i LEFT JOIN {table} AS t ON t.code = i.code AND t.valid_to IS NULL "
            "WHERE t.code IS NULL ORDER BY i.code"
        ).format(table=identifier(table), columns=columns, incoming=incoming),
        [as_of, build_id],
    )


def undo(connection: Connection, table: Table, *, build_id: int) -> Counts:
    """Remove the rows a build opened and reopen those it closed."""
    removed = connection.execute(
        sql.SQL("DELETE FROM {} WHERE build_id = %s").format(identifier(table)), [build_id]
    ).rowcount
    reopened = connection.execute(
        sql.SQL(
            "UPDATE {} SET valid_to = NULL, closed_build_id = NULL WHERE closed_build_id = %s"
        ).format(identifier(table)),
        [build_id],
    ).rowcount
    return Counts(opened=reopened, closed=removed, unchanged=0)


def identifier(table: Table) -> sql.Identifier:
    """Return the quoted ``schema.table``."""
    assert table.schema is not None
    return sql.Identifier(table.schema, table.name)


def _hash_part(column: Any) -> sql.Composable:
    value: sql.Composable = sql.SQL("{}::text").format(sql.Identifier(column.name))
    if isinstance(column.type, ARRAY | JSONB):
        value = sql.SQL("NULLIF({}, '{{}}')").format(value)
    return sql.SQL("{} || {}").format(sql.Literal(f"{column.name}="), value)


def _list(names: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _count(connection: Connection, query: str, table: Table) -> int:
    row = connection.execute(sql.SQL(query).format(identifier(table))).fetchone()
    assert row is not None
    return int(row[0])
