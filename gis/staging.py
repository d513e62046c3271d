"""Rows of a delivery beside the live ones: compared and exchanged as sets, inside one transaction."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import psycopg
from psycopg import sql
from sqlalchemy import ARRAY, Table
from sqlalchemy.dialects.postgresql import JSONB

from gis.conform import SOURCE
from gis.filling import is_empty_and_own, set_for_load, unchecked, unindexed
from gis.rows import copy_rows
from gis.tables.columns import BOOKKEEPING

Connection = psycopg.Connection[Any]

_MANY_ROWS = 20_000


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
    """Copy the rows to the temporary table ``staging``; hash them in ``incoming``, if any row is live.

    The hash is over the business columns. It names each and leaves out null, so that a column added
    by a later migration does not make all rows look changed.
    """
    set_for_load(connection)
    columns = _list([*_business(table), *SOURCE])
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE staging ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
        ).format(columns, identifier(table))
    )
    copy_rows(connection, "staging", frame, srid=srid)
    compared = sql.SQL("WHERE EXISTS (SELECT FROM {} WHERE valid_to IS NULL)")
    connection.execute(
        sql.SQL(
            "CREATE TEMP TABLE incoming ON COMMIT DROP AS SELECT code, {} AS content_hash FROM staging {}"
        ).format(_hash(table), compared.format(identifier(table)))
    )
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
            "SELECT count(*) FROM staging AS s LEFT JOIN incoming AS i USING (code) LEFT JOIN {} AS t "
            "ON t.code = i.code AND t.valid_to IS NULL AND t.content_hash = i.content_hash "
            "WHERE t.code IS NULL",
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
    names = [*_business(table), *SOURCE]
    into = sql.SQL("INSERT INTO {} ({}, content_hash, valid_from, build_id) ").format(
        identifier(table), _list(names)
    )
    if not _exists(connection, "SELECT FROM incoming UNION ALL SELECT FROM closing"):
        # Nothing was live: all rows are new.
        every = sql.SQL("SELECT {}, {}, %s, %s FROM staging")
        many = _exists(connection, f"SELECT FROM staging OFFSET {_MANY_ROWS}")
        is_bare = many and is_empty_and_own(connection, table)
        with (
            unindexed(connection, table) if is_bare else nullcontext(),
            unchecked(connection, table),
        ):
            connection.execute(into + every.format(_list(names), _hash(table)), [as_of, build_id])
        return
    ended = sql.SQL(
        "UPDATE {} AS t SET valid_to = %s, closed_build_id = %s FROM closing WHERE t.row_id = closing.row_id"
    ).format(identifier(table))
    changed = sql.SQL(
        "SELECT {}, i.content_hash, %s, %s FROM staging AS s JOIN incoming AS i USING (code) "
        "LEFT JOIN {} AS t ON t.code = s.code AND t.valid_to IS NULL "
        'WHERE t.code IS NULL ORDER BY s.code COLLATE "C"'
    ).format(sql.SQL(", ").join(sql.Identifier("s", name) for name in names), identifier(table))
    with unchecked(connection, table):
        connection.execute(ended, [as_of, build_id])
        connection.execute(into + changed, [as_of, build_id])


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


def _hash(table: Table) -> sql.Composable:
    """Return the expression of a row's content hash."""
    parts = [_hash_part(column) for column in table.columns if column.name not in BOOKKEEPING]
    return sql.SQL("encode(sha256(convert_to(concat_ws(E'\\x1f', {}), 'UTF8')), 'hex')").format(
        sql.SQL(", ").join(parts)
    )


def _business(table: Table) -> list[str]:
    return [column.name for column in table.columns if column.name not in BOOKKEEPING]


def _exists(connection: Connection, query: str | sql.Composable) -> bool:
    whole = sql.SQL("SELECT EXISTS ({})").format(
        sql.SQL(query) if isinstance(query, str) else query
    )
    row = connection.execute(whole).fetchone()
    return row is not None and bool(row[0])


def _list(names: Sequence[str]) -> sql.Composable:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _count(connection: Connection, query: str, table: Table) -> int:
    row = connection.execute(sql.SQL(query).format(identifier(table))).fetchone()
    assert row is not None
    return int(row[0])
