"""Make the schema ``place_names``: place_name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from gis.migrations.shapes import geometry, index_versions, row_id, versions

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS place_names")
    op.create_table(
        "place_name",
        row_id(),
        sa.Column("code", sa.Text, nullable=False, comment="identifier of the place"),
        sa.Column("name", sa.Text, nullable=False, comment="standard name 标准地名"),
        sa.Column(
            "pinyin",
            sa.Text,
            nullable=False,
            comment="romanisation 汉语拼音 by the place-name spelling rules",
        ),
        sa.Column("category_code", sa.Text, nullable=True, comment="category (GB/T 18521)"),
        sa.Column(
            "aliases",
            ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="names also in use",
        ),
        sa.Column(
            "former_names",
            ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="names once in use 曾用名",
        ),
        sa.Column("area_code", sa.Text, nullable=True, comment="smallest area that contains it"),
        sa.Column(
            "grid_code", sa.Text, nullable=True, comment="unit grid of its representative point"
        ),
        sa.Column(
            "lon",
            sa.DOUBLE_PRECISION,
            nullable=False,
            comment="longitude of the representative point, CGCS2000, degrees",
        ),
        sa.Column(
            "lat",
            sa.DOUBLE_PRECISION,
            nullable=False,
            comment="latitude of the representative point, CGCS2000, degrees",
        ),
        sa.Column("geom", geometry("GEOMETRY"), nullable=False, comment="point, line or polygon"),
        *versions(),
        schema="place_names",
        comment="place names 地名",
    )
    index_versions("place_names", "place_name", is_spatial=True)


def downgrade() -> None:
    op.drop_table("place_name", schema="place_names")
    op.execute("DROP SCHEMA place_names")
