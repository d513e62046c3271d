"""Make the schema ``components``: component."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from gis.migrations.shapes import geometry, index_versions, row_id, versions

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS components")
    op.create_table(
        "component",
        row_id(),
        sa.Column(
            "code",
            sa.Text,
            nullable=False,
            comment="component code 部件标识码: district, class, sequence",
        ),
        sa.Column("class_code", sa.Text, nullable=False, comment="minor class 小类"),
        sa.Column(
            "standard_ref", sa.Text, nullable=False, comment="standard whose table the class is in"
        ),
        sa.Column("name", sa.Text, nullable=False, comment="name 部件名称"),
        sa.Column(
            "competent_code", sa.Text, nullable=True, comment="competent department 主管部门: code"
        ),
        sa.Column(
            "competent_name",
            sa.Text,
            nullable=True,
            comment="competent department: name as delivered",
        ),
        sa.Column("owner_code", sa.Text, nullable=True, comment="property owner 权属单位: code"),
        sa.Column(
            "owner_name", sa.Text, nullable=True, comment="property owner: name as delivered"
        ),
        sa.Column("maintainer_code", sa.Text, nullable=True, comment="maintainer 养护单位: code"),
        sa.Column(
            "maintainer_name", sa.Text, nullable=True, comment="maintainer: name as delivered"
        ),
        sa.Column(
            "grid_code",
            sa.Text,
            nullable=True,
            comment="unit grid that holds its representative point",
        ),
        sa.Column(
            "community_code", sa.Text, nullable=True, comment="community that holds it, 12 digits"
        ),
        sa.Column(
            "condition",
            sa.Text,
            nullable=False,
            comment="intact 完好, damaged 破损, lost 丢失, abandoned 废弃, removed 移除, occupied 占用, unknown",
        ),
        sa.Column(
            "ownership_state",
            sa.Text,
            nullable=False,
            comment="confirmed, disputed 争议, none 无主, unknown",
        ),
        sa.Column("initial_date", sa.Date, nullable=False, comment="initial date 初始日期"),
        sa.Column(
            "change_date",
            sa.Date,
            nullable=True,
            comment="change date 变更日期; null: never changed",
        ),
        sa.Column("data_source", sa.Text, nullable=True, comment="data source 数据来源"),
        sa.Column("location_note", sa.Text, nullable=True, comment="position in words"),
        sa.Column("remark", sa.Text, nullable=True, comment="remark 备注"),
        sa.Column(
            "attributes",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="class-specific and unmapped attributes as delivered",
        ),
        sa.Column(
            "geom", geometry("GEOMETRY"), nullable=False, comment="point, line or polygon by class"
        ),
        *versions(),
        schema="components",
        comment="components 部件",
    )
    index_versions("components", "component", is_spatial=True)
    op.create_index("ix_component_class_code", "component", ["class_code"], schema="components")
    op.create_index("ix_component_grid_code", "component", ["grid_code"], schema="components")


def downgrade() -> None:
    op.drop_table("component", schema="components")
    op.execute("DROP SCHEMA components")
