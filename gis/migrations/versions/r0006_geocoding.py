"""Make the schema ``geocoding``: place."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from gis.migrations.shapes import geometry, index_versions, row_id, versions

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS geocoding")
    op.create_table(
        "place",
        row_id(),
        sa.Column("code", sa.Text, nullable=False, comment="identifier of the place"),
        sa.Column(
            "kind",
            sa.Text,
            nullable=False,
            comment="area 区域, zone 地片, block 区片, street 街巷, plate 门(楼)牌, poi 兴趣点",
        ),
        sa.Column("name", sa.Text, nullable=False, comment="standard name of this place alone"),
        sa.Column(
            "aliases",
            ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="other names",
        ),
        sa.Column("full_address", sa.Text, nullable=False, comment="the levels joined"),
        sa.Column("province", sa.Text, nullable=True, comment="level 1"),
        sa.Column("city", sa.Text, nullable=True, comment="level 2"),
        sa.Column("district", sa.Text, nullable=True, comment="level 3, 区县"),
        sa.Column("street", sa.Text, nullable=True, comment="level 4, 街道/镇"),
        sa.Column("community", sa.Text, nullable=True, comment="level 5, 社区/村"),
        sa.Column("road", sa.Text, nullable=True, comment="level 6, street line 街巷"),
        sa.Column("plate", sa.Text, nullable=True, comment="level 7, 门牌, as in 12号"),
        sa.Column("block", sa.Text, nullable=True, comment="level 8, 小区 or 院落"),
        sa.Column("building", sa.Text, nullable=True, comment="level 9, 楼牌, as in 3号楼"),
        sa.Column("poi", sa.Text, nullable=True, comment="level 10, 兴趣点"),
        sa.Column("orientation", sa.Text, nullable=True, comment="orientation 方位 to the mark"),
        sa.Column("supplement", sa.Text, nullable=True, comment="supplement 补充说明"),
        sa.Column(
            "community_code",
            sa.Text,
            nullable=True,
            comment="community that contains it, 12 digits",
        ),
        sa.Column(
            "grid_code", sa.Text, nullable=True, comment="unit grid of its representative point"
        ),
        sa.Column(
            "source",
            sa.Text,
            nullable=False,
            comment="addresses, topography, place_names, components or areas",
        ),
        sa.Column("geom", geometry("GEOMETRY"), nullable=False, comment="point, line or polygon"),
        *versions(),
        schema="geocoding",
        comment="geocoding database 地理编码",
    )
    index_versions("geocoding", "place", is_spatial=True)
    op.create_index("ix_place_name", "place", ["name"], schema="geocoding")


def downgrade() -> None:
    op.drop_table("place", schema="geocoding")
    op.execute("DROP SCHEMA geocoding")
