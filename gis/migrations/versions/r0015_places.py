"""Add to ``geocoding.place`` what joins sources: short and former names, other codes, how exact it is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_NAMES = {
    "former_names": "those of the aliases that hold no more",
    "short_names": "names made by rule from the standard name, as 二中; weaker than aliases",
    "other_sources": "the same place in other databases, as source:code",
}


def upgrade() -> None:
    for name, comment in _NAMES.items():
        column: sa.Column[list[str]] = sa.Column(
            name, ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'"), comment=comment
        )
        op.add_column("place", column, schema="geocoding")
    op.add_column(
        "place",
        sa.Column(
            "category", sa.Text, nullable=True, comment="what it is, in the deliverer's words"
        ),
        schema="geocoding",
    )
    op.add_column(
        "place",
        sa.Column(
            "accuracy_m",
            sa.DOUBLE_PRECISION,
            nullable=True,
            comment="standard deviation of a derived position per axis, m; null: as usual for its kind",
        ),
        schema="geocoding",
    )
    op.add_column(
        "place",
        sa.Column(
            "as_delivered",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="what joining other sources replaced in a delivered row: aliases, geometry",
        ),
        schema="geocoding",
    )
    op.alter_column(
        "place",
        "source",
        comment="addresses, members, topography, place_names, components or areas",
        schema="geocoding",
    )


def downgrade() -> None:
    for name in ("as_delivered", "accuracy_m", "category", *_NAMES):
        op.drop_column("place", name, schema="geocoding")
    op.alter_column(
        "place",
        "source",
        comment="addresses, topography, place_names, components or areas",
        schema="geocoding",
    )
