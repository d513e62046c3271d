"""Make the schema ``cases``: case, history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from gis.migrations.shapes import geometry

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS cases")
    op.create_table(
        "case",
        sa.Column(
            "case_id", sa.Text, primary_key=True, comment="identifier given by the workflow system"
        ),
        sa.Column("kind", sa.Text, nullable=False, comment="component or event"),
        sa.Column("class_code", sa.Text, nullable=False, comment="minor class"),
        sa.Column(
            "reported_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when it was reported",
        ),
        sa.Column("channel", sa.Text, nullable=True, comment="supervisor, hotline, app …"),
        sa.Column("description", sa.Text, nullable=True, comment="words of the report"),
        sa.Column("address", sa.Text, nullable=True, comment="address as reported"),
        sa.Column("x", sa.DOUBLE_PRECISION, nullable=True, comment="east or longitude as reported"),
        sa.Column("y", sa.DOUBLE_PRECISION, nullable=True, comment="north or latitude as reported"),
        sa.Column("crs", sa.Text, nullable=True, comment="CRS of x, y as reported"),
        sa.Column(
            "accuracy_m",
            sa.DOUBLE_PRECISION,
            nullable=True,
            comment="stated accuracy of the position, m",
        ),
        sa.Column(
            "component_code", sa.Text, nullable=True, comment="component named in the report"
        ),
        sa.Column("geom", geometry("POINT"), nullable=True, comment="where the case was located"),
        sa.Column("grid_code", sa.Text, nullable=True, comment="unit grid decided"),
        sa.Column("community_code", sa.Text, nullable=True, comment="community decided"),
        sa.Column("unit_code", sa.Text, nullable=True, comment="owning unit 责任单位 decided"),
        sa.Column(
            "probability",
            sa.DOUBLE_PRECISION,
            nullable=True,
            comment="probability of the decision, 0-1",
        ),
        sa.Column("needs_review", sa.Boolean, nullable=False, comment="a person should look"),
        sa.Column(
            "decision",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="the decision in full",
        ),
        sa.Column("state", sa.Text, nullable=False, comment="assigned, returned, closed"),
        sa.Column("data_version", sa.Text, nullable=True, comment="snapshot that decided"),
        sa.Column(
            "closed_at", sa.DateTime(timezone=True), nullable=True, comment="when it was closed"
        ),
        sa.Column(
            "request_hash",
            sa.Text,
            nullable=False,
            comment="hash of the request, for idempotent posting",
        ),
        sa.Column(
            "build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id"),
            nullable=True,
            comment="build that imported it; null: posted",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="stored",
        ),
        schema="cases",
        comment="cases 案件",
    )
    op.create_index("ix_case_build_id", "case", ["build_id"], schema="cases")
    op.create_index("ix_case_geom", "case", ["geom"], schema="cases", postgresql_using="gist")
    op.create_index("ix_case_grid_code", "case", ["grid_code", "reported_at"], schema="cases")
    op.create_table(
        "history",
        sa.Column(
            "history_id", sa.BigInteger, sa.Identity(always=True), primary_key=True, comment="entry"
        ),
        sa.Column(
            "case_id",
            sa.Text,
            sa.ForeignKey("cases.case.case_id", ondelete="CASCADE"),
            nullable=False,
            comment="case",
        ),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="when",
        ),
        sa.Column(
            "action", sa.Text, nullable=False, comment="assigned, returned, reassigned, closed"
        ),
        sa.Column("unit_code", sa.Text, nullable=True, comment="owning unit after the action"),
        sa.Column("reason", sa.Text, nullable=True, comment="reason, as with a return 退件"),
        sa.Column("actor", sa.Text, nullable=False, comment="key id or operating system user"),
        sa.Column(
            "decision",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="decision after the action",
        ),
        schema="cases",
        comment="what happened to each case",
    )
    op.create_index("ix_history_case_id", "history", ["case_id", "history_id"], schema="cases")


def downgrade() -> None:
    op.drop_table("history", schema="cases")
    op.drop_table("case", schema="cases")
    op.execute("DROP SCHEMA cases")
