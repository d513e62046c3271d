"""Add to the schema ``responsibility``: unit_match, and since when and by whom a unit is succeeded."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "unit",
        sa.Column(
            "successor_from",
            sa.Date,
            nullable=True,
            comment="day from which the successor answers; null: always",
        ),
        schema="responsibility",
    )
    op.add_column(
        "unit",
        sa.Column(
            "heirs",
            ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="units that share its duties since a split 拆分: a person decides which",
        ),
        schema="responsibility",
    )
    op.create_table(
        "unit_match",
        sa.Column(
            "plain",
            sa.Text,
            primary_key=True,
            comment="spelling without blanks, half-width, small letters: what is looked up",
        ),
        _text("spelling", "name of a unit as delivered, in its most frequent writing"),
        _document("roles", "competent, owner, maintainer -> rows that give it in this role"),
        sa.Column(
            "row_count", sa.BigInteger, nullable=False, comment="rows that give it, over all roles"
        ),
        _document("candidates", "unit code -> score 0-1 of the units it looks like"),
        _text("decision", "open 待定, confirmed 已确认: an alias of unit_code, rejected 已否决"),
        _text("unit_code", "unit that it means, where confirmed", nullable=True),
        _text("decided_by", "operating system user who decided", nullable=True),
        _moment("decided_at", "when it was decided", nullable=True),
        _text("note", "why it was so decided", nullable=True),
        _moment("first_seen", "when it was first found without a unit", default=sa.func.now()),
        _moment("last_seen", "when it was last found", default=sa.func.now()),
        schema="responsibility",
        comment="delivered names that the unit directory lacks, and what they were decided to mean",
    )


def downgrade() -> None:
    op.drop_table("unit_match", schema="responsibility")
    for column in ("heirs", "successor_from"):
        op.drop_column("unit", column, schema="responsibility")


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable, comment=comment)


def _document(name: str, comment: str) -> sa.Column[Any]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text("'{}'"), comment=comment)


def _moment(
    name: str, comment: str, *, nullable: bool = False, default: Any = None
) -> sa.Column[Any]:
    return sa.Column(
        name,
        sa.DateTime(timezone=True),
        nullable=nullable,
        server_default=default,
        comment=comment,
    )
