"""Add to the schema ``responsibility`` the areas that the plan draws itself: plan_area."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from gis.migrations.shapes import geometry, index_versions, row_id, versions

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_AREA = "plan area, unit grid, management grid, community, street or district, or * for the city"


def upgrade() -> None:
    op.create_table(
        "plan_area",
        row_id(),
        _text("code", "code by which rows of the plan name it", nullable=False),
        _text("name", "name", nullable=False),
        _text("kind", "polygon 范围面, road_section 路段, boundary_road 界路", nullable=False),
        _text("road_name", "road that a section or boundary road is of"),
        _text("from_road", "road at which it begins; null: the whole road"),
        _text("to_road", "road at which it ends; null: the whole road"),
        sa.Column(
            "width_m",
            sa.DOUBLE_PRECISION,
            nullable=True,
            comment="reach on either side of the axis, m",
        ),
        _text(
            "sharing", "how two areas share a boundary road: side 按侧, odd_even 单双日, joint 共管"
        ),
        sa.Column(
            "sides",
            ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="areas that share a boundary road: left and right of the axis as drawn",
        ),
        _text("axis", "axis of a road as WKT, in the city's CRS; null for polygons"),
        sa.Column("geom", geometry("MULTIPOLYGON"), nullable=False, comment="extent"),
        _text("remark", "remark"),
        *versions(),
        schema="responsibility",
        comment="areas that the responsibility plan draws itself: polygons and stretches of road",
    )
    index_versions("responsibility", "plan_area", is_spatial=True)
    op.alter_column("plan_row", "area_code", comment=_AREA, schema="responsibility")


def downgrade() -> None:
    op.drop_table("plan_area", schema="responsibility")


def _text(name: str, comment: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable, comment=comment)
