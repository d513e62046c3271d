"""Schema ``grids``: administrative areas and the unit grids inside them."""

from sqlalchemy import DOUBLE_PRECISION, Date, Index, Integer, MetaData, Text

from gis.tables.columns import geometry, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare areas and unit grids."""
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
