"""Add to the schema ``components`` what merging finds: conflict, recode."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from gis.migrations.shapes import geometry

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conflict",
        sa.Column(
            "conflict_id",
            sa.BigInteger,
            sa.Identity(always=True),
            primary_key=True,
            comment="conflict",
        ),
        sa.Column(
            "build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id", ondelete="CASCADE"),
            nullable=False,
            comment="merge that found it; its delivery is the delivered side",
        ),
        sa.Column(
            "kind",
            sa.Text,
            nullable=False,
            comment="field, delete_update: delivered ends what live changed, update_delete: delivered "
            "changes what live ended, add_add: one code given twice, place: two codes at one place, "
            "recode: two new codes for one component",
        ),
        sa.Column("code", sa.Text, nullable=False, comment="component code on the delivered side"),
        sa.Column(
            "live_code",
            sa.Text,
            nullable=True,
            comment="code of the live component it is about; null: none is live",
        ),
        sa.Column(
            "base_code", sa.Text, nullable=True, comment="code in the base; null: it was not there"
        ),
        sa.Column(
            "field",
            sa.Text,
            nullable=True,
            comment="field both changed, as attributes.KEY inside attributes; null: the whole row",
        ),
        sa.Column(
            "base_build_id",
            sa.BigInteger,
            nullable=True,
            comment="build both sides began from; null: not known",
        ),
        sa.Column(
            "base_value", JSONB, nullable=True, comment="value in the base; null: none or not there"
        ),
        sa.Column(
            "live_value", JSONB, nullable=True, comment="value that is live; null: none or ended"
        ),
        sa.Column(
            "delivered_value",
            JSONB,
            nullable=True,
            comment="value delivered; null: none or left out",
        ),
        sa.Column(
            "live_hash",
            sa.Text,
            nullable=True,
            comment="content hash of the live row when the conflict was found or renewed",
        ),
        sa.Column(
            "fingerprint",
            sa.Text,
            nullable=False,
            comment="SHA-256 of component, kind, field, base and delivered value: never listed twice",
        ),
        sa.Column("source_file", sa.Text, nullable=True, comment="delivered file"),
        sa.Column(
            "source_row", sa.Integer, nullable=True, comment="1-based row number in that file"
        ),
        sa.Column(
            "found_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
            comment="when it was found",
        ),
        sa.Column(
            "status",
            sa.Text,
            nullable=False,
            server_default=sa.text("'open'"),
            comment="open, decided, settled: both sides agree by now",
        ),
        sa.Column("decision", sa.Text, nullable=True, comment="live, delivered, base, both"),
        sa.Column("because", sa.Text, nullable=True, comment="reason of the decision"),
        sa.Column("decided_by", sa.Text, nullable=True, comment="who decided"),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True, comment="when decided"),
        sa.Column(
            "applied_build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id"),
            nullable=True,
            comment="build that applied the decision",
        ),
        sa.Column("geom", geometry("GEOMETRY"), nullable=True, comment="where, in the city's CRS"),
        schema="components",
        comment="conflicts 冲突 between a delivery and what is live, waiting for a decision or decided",
    )
    for name in ("build_id", "applied_build_id", "live_code"):
        op.create_index(f"ix_conflict_{name}", "conflict", [name], schema="components")
    op.create_index(
        "uq_conflict_fingerprint", "conflict", ["fingerprint"], unique=True, schema="components"
    )
    op.create_table(
        "recode",
        sa.Column(
            "build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id", ondelete="CASCADE"),
            primary_key=True,
            comment="build that gave the new code",
        ),
        sa.Column("code", sa.Text, primary_key=True, comment="new component code"),
        sa.Column("former_code", sa.Text, nullable=False, comment="code before"),
        sa.Column(
            "evidence",
            sa.Text,
            nullable=False,
            comment="base: the row named its version; place: same class at the same place; decision",
        ),
        schema="components",
        comment="components that a merge gave another code",
    )
    op.create_index("ix_recode_code", "recode", ["code"], schema="components")
    op.create_index("ix_recode_former_code", "recode", ["former_code"], schema="components")


def downgrade() -> None:
    for table in ("recode", "conflict"):
        op.drop_table(table, schema="components")
