"""Add to cases what was asked, when it is due, who handled it at last and why units sent it back."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def _case_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column(
            "request",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="the report as it was posted, to decide it again; empty: imported, the columns say it",
        ),
        sa.Column("district_code", sa.Text, nullable=True, comment="district 区县 decided"),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the time limit 处置时限 ends; null: none, or its year's holidays are not published",
        ),
        sa.Column(
            "returns",
            sa.Integer,
            nullable=False,
            server_default=sa.text("0"),
            comment="how often units sent it back 退件次数",
        ),
        sa.Column(
            "reopened",
            sa.Integer,
            nullable=False,
            server_default=sa.text("0"),
            comment="how often it was reopened after it was closed",
        ),
        sa.Column(
            "handled_by",
            sa.Text,
            nullable=True,
            comment="unit that handled it at last 处置单位, a code where the directory knows it",
        ),
        sa.Column(
            "duplicate_of",
            sa.Text,
            nullable=True,
            comment="case of which a person says it is a repeat",
        ),
    )


def _history_columns() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column(
            "category",
            sa.Text,
            nullable=True,
            comment="why a unit sent the case back: a code of gis/codes/return_reasons.csv",
        ),
        sa.Column(
            "suggested_unit_code",
            sa.Text,
            nullable=True,
            comment="unit that the refusing unit, or a person, says it is for",
        ),
        sa.Column(
            "build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id"),
            nullable=True,
            comment="build that imported this entry; null: it happened here",
        ),
    )


def upgrade() -> None:
    for column in _case_columns():
        op.add_column("case", column, schema="cases")
    for column in _history_columns():
        op.add_column("history", column, schema="cases")
    op.create_index("ix_case_reported_at", "case", ["reported_at", "case_id"], schema="cases")
    op.create_index(
        "ix_case_unit_code", "case", ["unit_code", "reported_at", "case_id"], schema="cases"
    )
    op.create_index(
        "ix_case_class_code", "case", ["class_code", "reported_at", "case_id"], schema="cases"
    )
    op.create_index(
        "ix_case_waiting",
        "case",
        ["case_id"],
        schema="cases",
        postgresql_where=sa.text("data_version IS NULL"),
    )
    op.create_index(
        "ix_case_open",
        "case",
        ["state", "reported_at", "case_id"],
        schema="cases",
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index("ix_history_build_id", "history", ["build_id"], schema="cases")
    op.create_index(
        "ix_history_returned",
        "history",
        ["case_id"],
        schema="cases",
        postgresql_where=sa.text("action = 'returned'"),
    )
    op.alter_column("case", "state", schema="cases", comment="received, assigned, returned, closed")
    op.alter_column(
        "history",
        "action",
        schema="cases",
        comment="assigned, returned, reassigned, closed, reopened",
    )
    op.execute(
        """
        UPDATE cases."case" AS c SET
            district_code = decision->'areas'->'district'->>'code',
            due_at = nullif(decision->'owner'->>'due_at', '')::timestamptz,
            returns = (SELECT count(*) FROM cases.history AS h
                       WHERE h.case_id = c.case_id AND h.action = 'returned')
        """
    )


def downgrade() -> None:
    for name in ("ix_history_returned", "ix_history_build_id"):
        op.drop_index(name, "history", schema="cases")
    for name in ("open", "waiting", "class_code", "unit_code", "reported_at"):
        op.drop_index(f"ix_case_{name}", "case", schema="cases")
    for column in _history_columns():
        op.drop_column("history", column.name, schema="cases")
    for column in _case_columns():
        op.drop_column("case", column.name, schema="cases")
