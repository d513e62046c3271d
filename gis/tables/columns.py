"""Columns that every versioned table has, and the ways to declare one."""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

BOOKKEEPING = (
    "row_id",
    "valid_from",
    "valid_to",
    "build_id",
    "closed_build_id",
    "content_hash",
    "source_file",
    "source_row",
)
"""Columns the build fills; a transform never does."""


def required(name: str, kind: Any, comment: str, **options: Any) -> Column[Any]:
    """Declare a column that may not be null."""
    return Column(name, kind, nullable=False, comment=comment, **options)


def optional(name: str, kind: Any, comment: str, **options: Any) -> Column[Any]:
    """Declare a column that may be null: not known, or does not apply."""
    return Column(name, kind, nullable=True, comment=comment, **options)


def geometry(kind: str, srid: int, comment: str, *, nullable: bool = False) -> Column[Any]:
    """Declare the geometry column ``geom``; its index is declared with the table's others."""
    column_type = Geometry(kind, srid=srid, spatial_index=False, nullable=nullable)
    return Column("geom", column_type, nullable=nullable, comment=comment)


def names(name: str, comment: str) -> Column[Any]:
    """Declare a list of texts, empty when there are none."""
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"), comment=comment)


def document(name: str, comment: str) -> Column[Any]:
    """Declare a JSON object, empty when there is nothing to say."""
    return Column(name, JSONB, nullable=False, server_default=text("'{}'"), comment=comment)


def versioned(
    table: str, metadata: MetaData, schema: str, *columns: Column[Any], comment: str
) -> Table:
    """Declare a feature table whose old versions stay: one live row per code at most.

    A row holds on ``[valid_from, valid_to)``; ``valid_to`` null means live. A build that is rolled
    back reopens the rows whose ``closed_build_id`` it is and removes those whose ``build_id`` it is.
    """
    result = Table(
        table,
        metadata,
        Column(
            "row_id", BigInteger, Identity(always=True), primary_key=True, comment="row version"
        ),
        *columns,
        required("valid_from", Date, "first day on which this version holds"),
        optional("valid_to", Date, "day from which it no longer holds; null: live"),
        required(
            "build_id",
            BigInteger,
            "build that wrote this version",
        ),
        optional("closed_build_id", BigInteger, "build that closed this version"),
        required("content_hash", Text, "hash of the business columns; equal hash: nothing changed"),
        optional("source_file", Text, "delivered file the row came from"),
        optional("source_row", Integer, "1-based row number in that file"),
        schema=schema,
        comment=comment,
    )
    for name in ("build_id", "closed_build_id"):
        result.c[name].append_foreign_key(ForeignKey("meta.build.build_id"))
        Index(f"ix_{table}_{name}", result.c[name])
    Index(f"uq_{table}_live", result.c.code, unique=True, postgresql_where=text("valid_to IS NULL"))
    Index(f"ix_{table}_code", result.c.code, result.c.valid_from)
    if "geom" in result.c:
        Index(f"ix_{table}_geom", result.c.geom, postgresql_using="gist")
    return result
