"""Make the schema ``imagery``: orthophoto."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from gis.migrations.shapes import geometry, index_versions, row_id, versions

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS imagery")
    op.create_table(
        "orthophoto",
        row_id(),
        sa.Column("code", sa.Text, nullable=False, comment="identifier of the image"),
        sa.Column("name", sa.Text, nullable=True, comment="title"),
        sa.Column(
            "path",
            sa.Text,
            nullable=False,
            comment="cloud optimised GeoTIFF, relative to the workspace",
        ),
        sa.Column(
            "gsd_m", sa.DOUBLE_PRECISION, nullable=False, comment="ground sample distance, m"
        ),
        sa.Column("width", sa.Integer, nullable=False, comment="columns"),
        sa.Column("height", sa.Integer, nullable=False, comment="rows"),
        sa.Column("bands", sa.Integer, nullable=False, comment="bands"),
        sa.Column("dtype", sa.Text, nullable=False, comment="sample type"),
        sa.Column("acquired_on", sa.Date, nullable=True, comment="day of acquisition"),
        sa.Column(
            "model", sa.Text, nullable=False, comment="rpc, rpc_gcp, affine: how pixels were placed"
        ),
        sa.Column(
            "height_source",
            sa.Text,
            nullable=False,
            comment="DEM used for relief displacement 投影差改正, or none",
        ),
        sa.Column(
            "height_datum",
            sa.Text,
            nullable=True,
            comment="datum of those heights, as stated in the delivery",
        ),
        sa.Column(
            "rmse_m",
            sa.DOUBLE_PRECISION,
            nullable=True,
            comment="RMSE 中误差 at held-out check points, m",
        ),
        sa.Column(
            "rmse_limit_m", sa.DOUBLE_PRECISION, nullable=True, comment="limit for its map scale, m"
        ),
        sa.Column(
            "check_points", sa.Integer, nullable=True, comment="number of held-out check points"
        ),
        sa.Column(
            "is_accepted",
            sa.Boolean,
            nullable=True,
            comment="rmse_m within its limit; null: no check points",
        ),
        sa.Column(
            "report",
            JSONB,
            nullable=False,
            server_default=sa.text("'{}'"),
            comment="residuals per point, parameters, warnings",
        ),
        sa.Column(
            "geom", geometry("MULTIPOLYGON"), nullable=False, comment="footprint of valid pixels"
        ),
        *versions(),
        schema="imagery",
        comment="orthophotos 正射影像",
    )
    index_versions("imagery", "orthophoto", is_spatial=True)


def downgrade() -> None:
    op.drop_table("orthophoto", schema="imagery")
    op.execute("DROP SCHEMA imagery")
