"""Add to the schema ``topography`` the sheets 图幅 and the faults at their edges: sheet, edge_fault."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from gis.migrations.shapes import geometry, index_versions, row_id, versions

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sheet",
        row_id(),
        _text("code", "scale and number, as 500:4214.25-541.00, or the number alone"),
        _text("number", "sheet number 图幅号 as delivered"),
        sa.Column(
            "scale",
            sa.Integer,
            nullable=True,
            comment="denominator of the scale 比例尺: 500, 1000, 2000",
        ),
        _text("extent_from", "where the extent is from: index, number, features"),
        sa.Column("surveyed_on", sa.Date, nullable=True, comment="day of the survey 测图日期"),
        _text("contractor", "who surveyed it 作业单位", nullable=True),
        _text("delivery", "delivery it came in"),
        sa.Column(
            "features",
            sa.Integer,
            nullable=False,
            comment="features delivered on it, before pieces were joined",
        ),
        _text("digest", "hash of these features; equal digest: the same sheet again"),
        sa.Column("geom", geometry("POLYGON"), nullable=False, comment="extent 图廓"),
        *versions(),
        schema="topography",
        comment="sheets 图幅 of the base topography, version by version",
    )
    op.create_table(
        "edge_fault",
        row_id(),
        _text("code", "hash of rule, sheets and position"),
        _text("rule", "rule, see pipelines/topography/rules/sheets.csv"),
        _text("grade", "error: the features were left apart; warning: joined with doubt"),
        _text("sheet", "sheet of the feature"),
        _text("other_sheet", "sheet across the edge", nullable=True),
        _text("feature_code", "feature"),
        _text("other_code", "feature across the edge", nullable=True),
        sa.Column(
            "gap_m", sa.DOUBLE_PRECISION, nullable=True, comment="distance of the two ends, m"
        ),
        _text("reason_en", "what is wrong"),
        _text("reason_zh", "the same in Chinese"),
        sa.Column("geom", geometry("POINT"), nullable=False, comment="where"),
        *versions(),
        schema="topography",
        comment="faults of edge matching 接边",
    )
    for table, column in (("sheet", "number"), ("edge_fault", "sheet")):
        index_versions("topography", table, is_spatial=True)
        op.create_index(f"ix_{table}_{column}", table, [column], schema="topography")


def downgrade() -> None:
    for table in ("edge_fault", "sheet"):
        op.drop_table(table, schema="topography")


def _text(name: str, comment: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable, comment=comment)
