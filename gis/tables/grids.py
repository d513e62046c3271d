"""Schema ``grids``: administrative areas, the unit grids inside them, and how these changed."""

from sqlalchemy import (
    DOUBLE_PRECISION,
    BigInteger,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    func,
    text,
)

from gis.tables.columns import document, geometry, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare areas, unit grids, and the edits, lineage and locks of unit grids."""
    area = versioned(
        "area",
        metadata,
        "grids",
        required("code", Text, "6 (district), 9 (street) or 12 (community) digits"),
        required("level", Text, "district 区县, street 街道/镇, community 社区/村"),
        required("name", Text, "standard name"),
        optional("parent_code", Text, "code of the area one level up"),
        required("area_m2", DOUBLE_PRECISION, "area, m²"),
        geometry("MULTIPOLYGON", srid, "extent"),
        comment="administrative areas 行政区域",
    )
    Index("ix_area_level", area.c.level, area.c.code)
    grid = versioned(
        "unit_grid",
        metadata,
        "grids",
        required("code", Text, "unit grid code 单元网格标识码: community code and sequence"),
        optional("name", Text, "name"),
        required("community_code", Text, "community that contains it, 12 digits"),
        required("area_m2", DOUBLE_PRECISION, "area, m²"),
        optional("land_use", Text, "land use class 用地类别"),
        optional("management_grade", Text, "management grade 管理等级"),
        optional("responsible_body", Text, "responsible subject 责任主体"),
        optional("patrol_order", Integer, "position on the patrol path through the community"),
        required("origin", Text, "delivered, divided or edited"),
        required("initial_date", Date, "initial date 初始日期"),
        optional("change_date", Date, "change date 变更日期"),
        optional("remark", Text, "remark 备注"),
        geometry("POLYGON", srid, "extent"),
        comment="unit grids 万米单元网格",
    )
    Index("ix_unit_grid_community_code", grid.c.community_code)
    _declare_edits(metadata)
    _declare_locks(metadata, srid)


def _declare_edits(metadata: MetaData) -> None:
    edit = Table(
        "edit",
        metadata,
        Column("edit_id", BigInteger, Identity(always=True), primary_key=True, comment="edit"),
        optional("build_id", BigInteger, "build that published it; null: no grid changed"),
        required("at", DateTime(timezone=True), "when", server_default=func.now()),
        required("actor", Text, "operating system user or editor"),
        required("reason", Text, "why the grids were changed"),
        required("kind", Text, "update, edit 人工编辑, area_change 区划调整"),
        required("inputs_hash", Text, "SHA-256 of the grids, areas and topography it began with"),
        optional("policy", Text, "keep, soft or hard, of an update"),
        document("before", "figures of the changed communities before"),
        document("after", "figures of the changed communities after"),
        schema="grids",
        comment="edits: each change of unit grids, with reason and figures",
    )
    edit.c.build_id.append_foreign_key(ForeignKey("meta.build.build_id"))
    Index("ix_edit_build_id", edit.c.build_id)
    lineage = Table(
        "lineage",
        metadata,
        Column(
            "lineage_id", BigInteger, Identity(always=True), primary_key=True, comment="succession"
        ),
        required("edit_id", BigInteger, "edit that brought it about"),
        optional("old_code", Text, "unit grid before; null: the land had none"),
        optional("new_code", Text, "unit grid after; null: the land has none any more"),
        required("kind", Text, "keep, reshape, split, merge, replace, retire, new"),
        required("overlap_old", DOUBLE_PRECISION, "share of the old grid's area, 0-1"),
        required("overlap_new", DOUBLE_PRECISION, "share of the new grid's area, 0-1"),
        schema="grids",
        comment="which unit grid came from which 网格沿革",
    )
    lineage.c.edit_id.append_foreign_key(ForeignKey("grids.edit.edit_id"))
    Index("ix_lineage_edit_id", lineage.c.edit_id)
    Index("ix_lineage_old_code", lineage.c.old_code)
    Index("ix_lineage_new_code", lineage.c.new_code)


def _declare_locks(metadata: MetaData, srid: int) -> None:
    lock = Table(
        "lock",
        metadata,
        Column("lock_id", BigInteger, Identity(always=True), primary_key=True, comment="lock"),
        optional("edit_id", BigInteger, "edit that set it"),
        required("kind", Text, "border: a line that stays; grid: a polygon that stays"),
        optional("code", Text, "unit grid locked; null: a border"),
        required("at", DateTime(timezone=True), "when", server_default=func.now()),
        required("actor", Text, "who set it"),
        required("reason", Text, "why it must stay"),
        optional("released_at", DateTime(timezone=True), "released; null: it holds"),
        optional("released_by", Text, "who released it"),
        geometry("GEOMETRY", srid, "the border's line or the grid's polygon"),
        schema="grids",
        comment="locks: borders and grids that an editor set and no division may move",
    )
    lock.c.edit_id.append_foreign_key(ForeignKey("grids.edit.edit_id"))
    Index("ix_lock_edit_id", lock.c.edit_id)
    Index("ix_lock_geom", lock.c.geom, postgresql_using="gist")
    Index("ix_lock_held", lock.c.kind, postgresql_where=text("released_at IS NULL"))
