"""Add to ``meta`` what a correction needs: which build it corrects, and by which a fault was settled."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "build",
        sa.Column(
            "corrects_build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id"),
            nullable=True,
            comment="build whose refused rows this one loads corrected; null: a whole delivery",
        ),
        schema="meta",
    )
    op.add_column(
        "reject",
        sa.Column(
            "resolved_build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id"),
            nullable=True,
            comment="build that judged the row anew, corrected; null: the fault stands",
        ),
        schema="meta",
    )
    op.create_index("ix_reject_resolved_build_id", "reject", ["resolved_build_id"], schema="meta")


def downgrade() -> None:
    op.drop_index("ix_reject_resolved_build_id", table_name="reject", schema="meta")
    op.drop_column("reject", "resolved_build_id", schema="meta")
    op.drop_column("build", "corrects_build_id", schema="meta")
