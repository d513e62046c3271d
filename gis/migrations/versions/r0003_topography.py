"""Make the schema ``topography``: feature."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from gis.migrations.shapes import geometry, index_versions, row_id, versions

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS topography")
    op.create_table(
        "feature",
        row_id(),
        sa.Column(
            "code", sa.Text, nullable=False, comment="feature identifier, unique in the city"
        ),
        sa.Column("feature_class", sa.Text, nullable=False, comment="six-digit class (GB/T 13923)"),
        sa.Column(
            "theme",
            sa.Text,
            nullable=False,
            comment="control, hydrography, residential, transport, pipeline, boundary, relief, vegetation",
        ),
        sa.Column("name", sa.Text, nullable=True, comment="name on the map"),
        sa.Column("sheet", sa.Text, nullable=True, comment="sheet 分幅 it was delivered on"),
        sa.Column(
            "attributes",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="other delivered attributes: width_m, floors, surface, elevation_m",
        ),
        sa.Column(
            "geom", geometry("GEOMETRY"), nullable=False, comment="point, line or polygon, 2D"
        ),
        *versions(),
        schema="topography",
        comment="base topography 基础地理信息",
    )
    index_versions("topography", "feature", is_spatial=True)
    op.create_index("ix_feature_theme", "feature", ["theme", "feature_class"], schema="topography")


def downgrade() -> None:
    op.drop_table("feature", schema="topography")
    op.execute("DROP SCHEMA topography")
