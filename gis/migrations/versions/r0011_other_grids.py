"""Add to the schema ``grids`` the sets of unit grids: management_grid, evaluation_grid."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from gis.migrations.shapes import geometry, index_versions, row_id, versions

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "management_grid",
        row_id(),
        _text("code", "management grid code 管理网格编码, used once over all trades"),
        _text("trade", "trade 行业: enforcement, sanitation, green … or a local one"),
        _text("name", "name", nullable=True),
        *_extent(),
        *_persons(),
        *_history(),
        _union(),
        *versions(),
        schema="grids",
        comment="management grids 管理网格 (责任网格) of a trade: connected sets of unit grids",
    )
    op.create_index("ix_management_grid_trade", "management_grid", ["trade"], schema="grids")
    op.create_table(
        "evaluation_grid",
        row_id(),
        _text("code", "evaluation grid code 评价网格编码, used once over all kinds"),
        _text("kind", "kind of evaluation 评价类别, as A, B, C; * where there is only one"),
        _text("name", "name", nullable=True),
        *_extent(),
        *_history(),
        _union(),
        *versions(),
        schema="grids",
        comment="evaluation grids 评价网格: sets of unit grids that are evaluated together",
    )
    for table in ("management_grid", "evaluation_grid"):
        index_versions("grids", table, is_spatial=True)
        op.create_index(
            f"ix_{table}_members", table, ["members"], schema="grids", postgresql_using="gin"
        )


def downgrade() -> None:
    for table in ("evaluation_grid", "management_grid"):
        op.drop_table(table, schema="grids")


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable, comment=comment)


def _extent() -> list[sa.Column[Any]]:
    return [
        _text("area_code", "smallest area that holds it: community, street or district"),
        sa.Column(
            "members",
            ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="codes of its unit grids, sorted",
        ),
        sa.Column("area_m2", sa.DOUBLE_PRECISION, nullable=False, comment="area, m²"),
        _text("unit_code", "responsible unit 责任单位", nullable=True),
        _text("unit_name", "name of the responsible unit", nullable=True),
    ]


def _persons() -> list[sa.Column[Any]]:
    levels = {"district": "区级责任人", "street": "街道级责任人", "grid": "网格级责任人"}
    return [
        column
        for level, term in levels.items()
        for column in (
            _text(f"{level}_person", f"person responsible, {level} level {term}", nullable=True),
            _text(f"{level}_phone", f"telephone of that person, {level} level", nullable=True),
        )
    ]


def _history() -> list[sa.Column[Any]]:
    return [
        _text("origin", "delivered, divided, or carried over a change of unit grids"),
        sa.Column("initial_date", sa.Date, nullable=False, comment="initial date 初始日期"),
        _text("remark", "remark 备注", nullable=True),
    ]


def _union() -> sa.Column[Any]:
    return sa.Column(
        "geom", geometry("MULTIPOLYGON"), nullable=False, comment="union of the members"
    )
