"""Add ``cases.repeats``, how often cases are repeated as the history tells; say what ``due_at`` is."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_BEFORE = "when the time limit 处置时限 ends; null: none, or its year's holidays are not published"
_SINCE = (
    "when the time limit 处置时限 ends; null: no limit; the decision says whether it is provisional"
)


def upgrade() -> None:
    op.create_table(
        "repeats",
        sa.Column(
            "learned_at",
            sa.DateTime(timezone=True),
            primary_key=True,
            server_default=sa.func.now(),
            comment="when it was learned; the newest counts",
        ),
        sa.Column("cases", sa.BigInteger, nullable=False, comment="cases of the history compared"),
        sa.Column(
            "factor",
            sa.DOUBLE_PRECISION,
            nullable=False,
            comment="how many times as often as api/cases/duplicate_windows.csv says cases are repeated",
        ),
        schema="cases",
        comment="how often cases are repeated 重复案件 in this city",
    )
    op.alter_column("case", "due_at", schema="cases", comment=_SINCE)


def downgrade() -> None:
    op.alter_column("case", "due_at", schema="cases", comment=_BEFORE)
    op.drop_table("repeats", schema="cases")
