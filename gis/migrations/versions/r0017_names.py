"""Add to place names what they mean, where they stand on the map, and all areas they cross."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_TEXTS = (
    ("category_source", "delivered, or derived from the generic part and geometry"),
    ("meaning", "what the name means 地名含义"),
    ("origin", "where the name comes from 地名来历"),
    ("source", "table, labels (a layer of labels 注记), or map (annotations of the topography)"),
    ("feature_code", "map feature that the name stands at"),
)
_LISTS = (
    (
        "former_spans",
        "when each former name held, in their order: 1958/1982, ..1966; empty text: not known",
    ),
    ("area_codes", "smallest areas that a line or polygon crosses, all of them, sorted"),
)


def upgrade() -> None:
    for name, comment in _TEXTS:
        column = sa.Column(name, sa.Text, nullable=True, comment=comment)
        op.add_column("place_name", column, schema="place_names")
    for name, comment in _LISTS:
        column = sa.Column(
            name,
            ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment=comment,
        )
        op.add_column("place_name", column, schema="place_names")

    op.execute("UPDATE place_names.place_name SET source = 'table'")


def downgrade() -> None:
    for name, _ in (*_TEXTS, *_LISTS):
        op.drop_column("place_name", name, schema="place_names")
