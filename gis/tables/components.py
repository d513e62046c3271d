"""Schema ``components``: the census."""

from sqlalchemy import Date, Index, MetaData, Text

from gis.tables.columns import document, geometry, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare the component table (attributes of GB/T 30428.2 and GB/T 47678.5 table 2)."""
    component = versioned(
        "component",
        metadata,
        "components",
        required("code", Text, "component code 部件标识码: district, class, sequence"),
        required("class_code", Text, "minor class 小类"),
        required("standard_ref", Text, "standard whose table the class is in"),
        required("name", Text, "name 部件名称"),
        optional("competent_code", Text, "competent department 主管部门: code"),
        optional("competent_name", Text, "competent department: name as delivered"),
        optional("owner_code", Text, "property owner 权属单位: code"),
        optional("owner_name", Text, "property owner: name as delivered"),
        optional("maintainer_code", Text, "maintainer 养护单位: code"),
        optional("maintainer_name", Text, "maintainer: name as delivered"),
        optional("grid_code", Text, "unit grid that holds its representative point"),
        optional("community_code", Text, "community that holds it, 12 digits"),
        required(
            "condition",
            Text,
            "intact 完好, damaged 破损, lost 丢失, abandoned 废弃, "
            "removed 移除, occupied 占用, unknown",
        ),
        required("ownership_state", Text, "confirmed, disputed 争议, none 无主, unknown"),
        required("initial_date", Date, "initial date 初始日期"),
        optional("change_date", Date, "change date 变更日期; null: never changed"),
        optional("data_source", Text, "data source 数据来源"),
        optional("location_note", Text, "position in words"),
        optional("remark", Text, "remark 备注"),
        document("attributes", "class-specific and unmapped attributes as delivered"),
        geometry("GEOMETRY", srid, "point, line or polygon by class"),
        comment="components 部件",
    )
    Index("ix_component_class_code", component.c.class_code)
    Index("ix_component_grid_code", component.c.grid_code)
