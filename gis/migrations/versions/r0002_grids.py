"""Make the schema ``grids``: area, unit_grid."""

import sqlalchemy as sa
from alembic import op

from gis.migrations.shapes import geometry, index_versions, row_id, versions

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS grids")
    op.create_table(
        "area",
        row_id(),
        sa.Column(
            "code",
            sa.Text,
            nullable=False,
            comment="6 (district), 9 (street) or 12 (community) digits",
        ),
        sa.Column(
            "level",
            sa.Text,
            nullable=False,
            comment="district 区县, street 街道/镇, community 社区/村",
        ),
        sa.Column("name", sa.Text, nullable=False, comment="standard name"),
        sa.Column("parent_code", sa.Text, nullable=True, comment="code of the area one level up"),
        sa.Column("area_m2", sa.DOUBLE_PRECISION, nullable=False, comment="area, m²"),
        sa.Column("geom", geometry("MULTIPOLYGON"), nullable=False, comment="extent"),
        *versions(),
        schema="grids",
        comment="administrative areas 行政区域",
    )
    index_versions("grids", "area", is_spatial=True)
    op.create_index("ix_area_level", "area", ["level", "code"], schema="grids")
    op.create_table(
        "unit_grid",
        row_id(),
        sa.Column(
            "code",
            sa.Text,
            nullable=False,
            comment="unit grid code 单元网格标识码: community code and sequence",
        ),
        sa.Column("name", sa.Text, nullable=True, comment="name"),
        sa.Column(
            "community_code",
            sa.Text,
            nullable=False,
            comment="community that contains it, 12 digits",
        ),
        sa.Column("area_m2", sa.DOUBLE_PRECISION, nullable=False, comment="area, m²"),
        sa.Column("land_use", sa.Text, nullable=True, comment="land use class 用地类别"),
        sa.Column("management_grade", sa.Text, nullable=True, comment="management grade 管理等级"),
        sa.Column(
            "responsible_body", sa.Text, nullable=True, comment="responsible subject 责任主体"
        ),
        sa.Column(
            "patrol_order",
            sa.Integer,
            nullable=True,
            comment="position on the patrol path through the community",
        ),
        sa.Column("origin", sa.Text, nullable=False, comment="delivered, divided or edited"),
        sa.Column("initial_date", sa.Date, nullable=False, comment="initial date 初始日期"),
        sa.Column("change_date", sa.Date, nullable=True, comment="change date 变更日期"),
        sa.Column("remark", sa.Text, nullable=True, comment="remark 备注"),
        sa.Column("geom", geometry("POLYGON"), nullable=False, comment="extent"),
        *versions(),
        schema="grids",
        comment="unit grids 万米单元网格",
    )
    index_versions("grids", "unit_grid", is_spatial=True)
    op.create_index("ix_unit_grid_community_code", "unit_grid", ["community_code"], schema="grids")


def downgrade() -> None:
    op.drop_table("unit_grid", schema="grids")
    op.drop_table("area", schema="grids")
    op.execute("DROP SCHEMA grids")
