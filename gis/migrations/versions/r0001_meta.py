"""Make the schema ``meta``: delivery, build, reject, audit, api_key."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from gis.migrations.shapes import geometry

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column(
            "delivery_id",
            sa.BigInteger,
            sa.Identity(always=True),
            primary_key=True,
            comment="delivery",
        ),
        sa.Column(
            "name", sa.Text, nullable=False, comment="name the contractor gave it in delivery.toml"
        ),
        sa.Column(
            "as_of", sa.Date, nullable=False, comment="day whose state the delivery describes"
        ),
        sa.Column("path", sa.Text, nullable=False, comment="folder it was read from"),
        sa.Column(
            "content_hash", sa.Text, nullable=False, comment="SHA-256 over manifest and files"
        ),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="first build",
        ),
        schema="meta",
        comment="deliveries 交付 that were built",
    )
    op.create_table(
        "build",
        sa.Column(
            "build_id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="build"
        ),
        sa.Column(
            "delivery_id",
            sa.BigInteger,
            sa.ForeignKey("meta.delivery.delivery_id"),
            nullable=False,
            comment="its delivery",
        ),
        sa.Column("dataset", sa.Text, nullable=False, comment="dataset built, as in delivery.toml"),
        sa.Column("as_of", sa.Date, nullable=False, comment="day from which its rows hold"),
        sa.Column("status", sa.Text, nullable=False, comment="live, rolled_back"),
        sa.Column(
            "content_hash",
            sa.Text,
            nullable=False,
            comment="SHA-256 of the dataset's files and manifest layers",
        ),
        sa.Column("rows_read", sa.Integer, nullable=False, comment="rows in the files"),
        sa.Column("rows_accepted", sa.Integer, nullable=False, comment="rows that passed"),
        sa.Column("rows_rejected", sa.Integer, nullable=False, comment="rows in meta.reject"),
        sa.Column("rows_opened", sa.Integer, nullable=False, comment="new versions written"),
        sa.Column("rows_closed", sa.Integer, nullable=False, comment="old versions closed"),
        sa.Column(
            "rows_unchanged",
            sa.Integer,
            nullable=False,
            comment="accepted rows equal to the live version",
        ),
        sa.Column(
            "files",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="file -> SHA-256, encoding, CRS, row count, warnings",
        ),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="start",
        ),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="commit",
        ),
        sa.Column(
            "software_version", sa.Text, nullable=False, comment="version of Wanmi that built it"
        ),
        schema="meta",
        comment="builds: one dataset of one delivery, committed whole",
    )
    op.create_index("ix_build_dataset", "build", ["dataset", "build_id"], schema="meta")
    op.create_index("ix_build_delivery_id", "build", ["delivery_id"], schema="meta")
    op.create_table(
        "reject",
        sa.Column(
            "reject_id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="reject"
        ),
        sa.Column(
            "build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id", ondelete="CASCADE"),
            nullable=False,
            comment="build that refused it",
        ),
        sa.Column("dataset", sa.Text, nullable=False, comment="dataset"),
        sa.Column("source_file", sa.Text, nullable=False, comment="file"),
        sa.Column(
            "source_row",
            sa.Integer,
            nullable=False,
            comment="1-based row number in the file; 0: not one row",
        ),
        sa.Column("code", sa.Text, nullable=True, comment="business key as delivered"),
        sa.Column("rule", sa.Text, nullable=False, comment="rule code, see gis/codes/rules.csv"),
        sa.Column(
            "severity",
            sa.Text,
            nullable=False,
            comment="error: the row was not loaded; warning: it was",
        ),
        sa.Column("reason_en", sa.Text, nullable=False, comment="what is wrong with this row"),
        sa.Column("reason_zh", sa.Text, nullable=False, comment="the same in Chinese"),
        sa.Column(
            "record",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="the row as delivered, all columns",
        ),
        sa.Column(
            "geom",
            geometry("GEOMETRY"),
            nullable=True,
            comment="where, in the city's CRS, if it can be shown",
        ),
        schema="meta",
        comment="rows refused or doubted, with rule and reason; never lost",
    )
    op.create_index("ix_reject_build_id", "reject", ["build_id", "rule"], schema="meta")
    op.create_table(
        "audit",
        sa.Column(
            "audit_id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="entry"
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="when",
        ),
        sa.Column("actor", sa.Text, nullable=False, comment="operating system user or key id"),
        sa.Column(
            "action",
            sa.Text,
            nullable=False,
            comment="build, rollback, key_create, key_revoke, case_return …",
        ),
        sa.Column(
            "detail", JSONB, nullable=False, server_default=sa.text("'{}'"), comment="what exactly"
        ),
        schema="meta",
        comment="who changed what",
    )
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.Text, primary_key=True, comment="public part of the key"),
        sa.Column("name", sa.Text, nullable=False, comment="whom it was given to"),
        sa.Column("role", sa.Text, nullable=False, comment="reader, workflow, surveyor, admin"),
        sa.Column(
            "districts",
            ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="six-digit codes it is limited to; empty: the whole city",
        ),
        sa.Column("key_hash", sa.Text, nullable=False, comment="SHA-256 of the secret part"),
        sa.Column(
            "is_revoked",
            sa.Boolean,
            nullable=False,
            server_default=sa.text("false"),
            comment="no longer valid",
        ),
        sa.Column(
            "requests_per_minute",
            sa.Integer,
            nullable=False,
            server_default=sa.text("6000"),
            comment="rate limit",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="made",
        ),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True, comment="revoked"),
        schema="meta",
        comment="API keys, hashed",
    )


def downgrade() -> None:
    op.drop_table("api_key", schema="meta")
    op.drop_table("audit", schema="meta")
    op.drop_table("reject", schema="meta")
    op.drop_table("build", schema="meta")
    op.drop_table("delivery", schema="meta")
