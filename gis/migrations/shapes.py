"""Shapes shared by the revisions: the columns of a versioned table as they were first made.

Revisions build on these, so they are never edited: a later change is a revision of its own.
"""

import sqlalchemy as sa
from alembic import context, op
from geoalchemy2 import Geometry


def geometry(kind: str) -> Geometry:
    """Return a geometry type in the city's CRS, which the caller of the migration states."""
    srid = context.config.attributes["srid"]
    return Geometry(kind, srid=srid, spatial_index=False)


def row_id() -> sa.Column[int]:
    """Return the key of a versioned table."""
    return sa.Column(
        "row_id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="row version"
    )


def versions() -> list[sa.Column[object]]:
    """Return the columns of a versioned table that the build fills."""
    return [
        sa.Column(
            "valid_from",
            sa.Date,
            nullable=False,
            comment="first day on which this version holds",
        ),
        sa.Column(
            "valid_to",
            sa.Date,
            nullable=True,
            comment="day from which it no longer holds; null: live",
        ),
        sa.Column(
            "build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id"),
            nullable=False,
            comment="build that wrote this version",
        ),
        sa.Column(
            "closed_build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id"),
            nullable=True,
            comment="build that closed this version",
        ),
        sa.Column(
            "content_hash",
            sa.Text,
            nullable=False,
            comment="hash of the business columns; equal hash: nothing changed",
        ),
        sa.Column(
            "source_file",
            sa.Text,
            nullable=True,
            comment="delivered file the row came from",
        ),
        sa.Column(
            "source_row",
            sa.Integer,
            nullable=True,
            comment="1-based row number in that file",
        ),
    ]


def index_versions(schema: str, table: str, *, is_spatial: bool = False) -> None:
    """Make the indexes of a versioned table: one live row per code at most."""
    for column in ("build_id", "closed_build_id"):
        op.create_index(f"ix_{table}_{column}", table, [column], schema=schema)
    op.create_index(
        f"uq_{table}_live",
        table,
        ["code"],
        unique=True,
        schema=schema,
        postgresql_where=sa.text("valid_to IS NULL"),
    )
    op.create_index(f"ix_{table}_code", table, ["code", "valid_from"], schema=schema)
    if is_spatial:
        op.create_index(f"ix_{table}_geom", table, ["geom"], schema=schema, postgresql_using="gist")
