"""Add to ``responsibility.plan_row`` the days on which a row begins and ceases to hold."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_COLUMNS = {
    "begins_on": "first day on which the row holds 生效日期; null: since it was loaded",
    "ends_on": "last day on which the row holds 失效日期; null: until it is replaced",
}


def upgrade() -> None:
    for name, comment in _COLUMNS.items():
        op.add_column(
            "plan_row",
            sa.Column(name, sa.Date, nullable=True, comment=comment),
            schema="responsibility",
        )


def downgrade() -> None:
    for name in reversed(_COLUMNS):
        op.drop_column("plan_row", name, schema="responsibility")
