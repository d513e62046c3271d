"""Add to the schema ``grids`` what keeps unit grids stable: edit, lineage, lock."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from gis.migrations.shapes import geometry

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "edit",
        _key("edit_id", "edit"),
        sa.Column(
            "build_id",
            sa.BigInteger,
            sa.ForeignKey("meta.build.build_id"),
            nullable=True,
            comment="build that published it; null: no grid changed",
        ),
        _now("when"),
        _text("actor", "operating system user or editor"),
        _text("reason", "why the grids were changed"),
        _text("kind", "update, edit 人工编辑, area_change 区划调整"),
        _text("inputs_hash", "SHA-256 of the grids, areas and topography it began with"),
        sa.Column("policy", sa.Text, nullable=True, comment="keep, soft or hard, of an update"),
        _document("before", "figures of the changed communities before"),
        _document("after", "figures of the changed communities after"),
        schema="grids",
        comment="edits: each change of unit grids, with reason and figures",
    )
    op.create_index("ix_edit_build_id", "edit", ["build_id"], schema="grids")
    op.create_table(
        "lineage",
        _key("lineage_id", "succession"),
        _edit("edit that brought it about", nullable=False),
        sa.Column(
            "old_code", sa.Text, nullable=True, comment="unit grid before; null: the land had none"
        ),
        sa.Column(
            "new_code",
            sa.Text,
            nullable=True,
            comment="unit grid after; null: the land has none any more",
        ),
        _text("kind", "keep, reshape, split, merge, replace, retire, new"),
        sa.Column(
            "overlap_old",
            sa.DOUBLE_PRECISION,
            nullable=False,
            comment="share of the old grid's area, 0-1",
        ),
        sa.Column(
            "overlap_new",
            sa.DOUBLE_PRECISION,
            nullable=False,
            comment="share of the new grid's area, 0-1",
        ),
        schema="grids",
        comment="which unit grid came from which 网格沿革",
    )
    for column in ("edit_id", "old_code", "new_code"):
        op.create_index(f"ix_lineage_{column}", "lineage", [column], schema="grids")
    op.create_table(
        "lock",
        _key("lock_id", "lock"),
        _edit("edit that set it", nullable=True),
        _text("kind", "border: a line that stays; grid: a polygon that stays"),
        sa.Column("code", sa.Text, nullable=True, comment="unit grid locked; null: a border"),
        _now("when"),
        _text("actor", "who set it"),
        _text("reason", "why it must stay"),
        sa.Column(
            "released_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="released; null: it holds",
        ),
        sa.Column("released_by", sa.Text, nullable=True, comment="who released it"),
        sa.Column(
            "geom",
            geometry("GEOMETRY"),
            nullable=False,
            comment="the border's line or the grid's polygon",
        ),
        schema="grids",
        comment="locks: borders and grids that an editor set and no division may move",
    )
    op.create_index("ix_lock_edit_id", "lock", ["edit_id"], schema="grids")
    op.create_index("ix_lock_geom", "lock", ["geom"], schema="grids", postgresql_using="gist")
    op.create_index(
        "ix_lock_held",
        "lock",
        ["kind"],
        schema="grids",
        postgresql_where=sa.text("released_at IS NULL"),
    )


def downgrade() -> None:
    for table in ("lock", "lineage", "edit"):
        op.drop_table(table, schema="grids")


def _key(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(
        name, sa.BigInteger, sa.Identity(always=True), primary_key=True, comment=comment
    )


def _text(name: str, comment: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, comment=comment)


def _now(comment: str) -> sa.Column[object]:
    return sa.Column(
        "at",
        sa.DateTime(timezone=True),
        nullable=False,
        server_default=sa.text("now()"),
        comment=comment,
    )


def _document(name: str, comment: str) -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text("'{}'"), comment=comment)


def _edit(comment: str, *, nullable: bool) -> sa.Column[int]:
    return sa.Column(
        "edit_id",
        sa.BigInteger,
        sa.ForeignKey("grids.edit.edit_id"),
        nullable=nullable,
        comment=comment,
    )
