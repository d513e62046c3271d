"""Make the schema ``responsibility``: unit, plan_row."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from gis.migrations.shapes import index_versions, row_id, versions

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS responsibility")
    op.create_table(
        "unit",
        row_id(),
        sa.Column(
            "code",
            sa.Text,
            nullable=False,
            comment="unit code: local, or 18-character 统一社会信用代码",
        ),
        sa.Column("name", sa.Text, nullable=False, comment="full name"),
        sa.Column(
            "aliases",
            ARRAY(sa.Text),
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="other names by which deliveries call it",
        ),
        sa.Column("kind", sa.Text, nullable=False, comment="department, company, territorial"),
        sa.Column(
            "area_code",
            sa.Text,
            nullable=True,
            comment="area it is the territorial unit 属地单位 of",
        ),
        sa.Column(
            "successor_code", sa.Text, nullable=True, comment="unit that took over its duties"
        ),
        sa.Column("phone", sa.Text, nullable=True, comment="duty telephone"),
        *versions(),
        schema="responsibility",
        comment="unit directory: departments, owners, maintainers, territorial units",
    )
    index_versions("responsibility", "unit")
    op.create_table(
        "plan_row",
        row_id(),
        sa.Column(
            "code",
            sa.Text,
            nullable=False,
            comment="row number in the plan, the rule named in a trace",
        ),
        sa.Column("kind", sa.Text, nullable=False, comment="component or event"),
        sa.Column(
            "class_code", sa.Text, nullable=False, comment="minor class, major class, or * for all"
        ),
        sa.Column(
            "area_code",
            sa.Text,
            nullable=False,
            comment="grid, community, street or district code, or * for the city",
        ),
        sa.Column(
            "role",
            sa.Text,
            nullable=False,
            comment="handler 处置, competent 主管, owner 权属, maintainer 养护, territorial 属地",
        ),
        sa.Column("unit_code", sa.Text, nullable=False, comment="unit that has this role here"),
        sa.Column(
            "season", sa.Text, nullable=True, comment="MM-DD/MM-DD, both included; null: all year"
        ),
        sa.Column(
            "hours", sa.Text, nullable=True, comment="HH:MM/HH:MM, local time; null: all day"
        ),
        sa.Column("limit_value", sa.DOUBLE_PRECISION, nullable=True, comment="time limit 处置时限"),
        sa.Column(
            "limit_unit",
            sa.Text,
            nullable=True,
            comment="emergency_hour 紧急工作时, working_hour 工作时, working_day 工作日, calendar_day 自然日",
        ),
        sa.Column("filing_condition", sa.Text, nullable=True, comment="filing condition 立案条件"),
        sa.Column(
            "closing_condition", sa.Text, nullable=True, comment="closing condition 结案条件"
        ),
        sa.Column("remark", sa.Text, nullable=True, comment="remark"),
        *versions(),
        schema="responsibility",
        comment="responsibility plan 职责分解方案",
    )
    index_versions("responsibility", "plan_row")


def downgrade() -> None:
    op.drop_table("plan_row", schema="responsibility")
    op.drop_table("unit", schema="responsibility")
    op.execute("DROP SCHEMA responsibility")
