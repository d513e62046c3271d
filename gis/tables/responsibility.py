"""Schema ``responsibility``: the unit directory, the responsibility plan and the areas it draws."""

from sqlalchemy import (
    DOUBLE_PRECISION,
    BigInteger,
    Column,
    Date,
    DateTime,
    MetaData,
    Table,
    Text,
    func,
)

from gis.tables.columns import document, geometry, names, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare units, plan rows, plan areas, and what delivered names of units mean."""
    unit = versioned(
        "unit",
        metadata,
        "responsibility",
        required("code", Text, "unit code: local, or 18-character 统一社会信用代码"),
        required("name", Text, "full name"),
        names("aliases", "other names by which deliveries call it"),
        required("kind", Text, "department, company, territorial"),
        optional("area_code", Text, "area it is the territorial unit 属地单位 of"),
        optional("successor_code", Text, "unit that took over its duties"),
        optional("phone", Text, "duty telephone"),
        comment="unit directory: departments, owners, maintainers, territorial units",
    )
    # Added later, so that they stand last in databases that were made before.
    unit.append_column(
        optional("successor_from", Date, "day from which the successor answers; null: always")
    )
    unit.append_column(
        names("heirs", "units that share its duties since a split 拆分: a person decides which")
    )
    row = versioned(
        "plan_row",
        metadata,
        "responsibility",
        required("code", Text, "row number in the plan, the rule named in a trace"),
        required("kind", Text, "component or event"),
        required("class_code", Text, "minor class, major class, or * for all"),
        required(
            "area_code",
            Text,
            "plan area, unit grid, management grid, community, street or district, or * for the city",
        ),
        required(
            "role",
            Text,
            "handler 处置, competent 主管, owner 权属, maintainer 养护, territorial 属地",
        ),
        required("unit_code", Text, "unit that has this role here"),
        optional("season", Text, "MM-DD/MM-DD, both included; null: all year"),
        optional("hours", Text, "HH:MM/HH:MM, local time; null: all day"),
        optional("limit_value", DOUBLE_PRECISION, "time limit 处置时限"),
        optional(
            "limit_unit",
            Text,
            "emergency_hour 紧急工作时, working_hour 工作时, "
            "working_day 工作日, calendar_day 自然日",
        ),
        optional("filing_condition", Text, "filing condition 立案条件"),
        optional("closing_condition", Text, "closing condition 结案条件"),
        optional("remark", Text, "remark"),
        comment="responsibility plan 职责分解方案",
    )
    for name, meaning in (
        ("begins_on", "first day on which the row holds 生效日期; null: since it was loaded"),
        ("ends_on", "last day on which the row holds 失效日期; null: until it is replaced"),
    ):
        row.append_column(optional(name, Date, meaning))
    _declare_areas(metadata, srid)
    _declare_matches(metadata)


def _declare_areas(metadata: MetaData, srid: int) -> None:
    versioned(
        "plan_area",
        metadata,
        "responsibility",
        required("code", Text, "code by which rows of the plan name it"),
        required("name", Text, "name"),
        required("kind", Text, "polygon 范围面, road_section 路段, boundary_road 界路"),
        optional("road_name", Text, "road that a section or boundary road is of"),
        optional("from_road", Text, "road at which it begins; null: the whole road"),
        optional("to_road", Text, "road at which it ends; null: the whole road"),
        optional("width_m", DOUBLE_PRECISION, "reach on either side of the axis, m"),
        optional(
            "sharing",
            Text,
            "how two areas share a boundary road: side 按侧, odd_even 单双日, joint 共管",
        ),
        names("sides", "areas that share a boundary road: left and right of the axis as drawn"),
        optional("axis", Text, "axis of a road as WKT, in the city's CRS; null for polygons"),
        geometry("MULTIPOLYGON", srid, "extent"),
        optional("remark", Text, "remark"),
        comment="areas that the responsibility plan draws itself: polygons and stretches of road",
    )


def _declare_matches(metadata: MetaData) -> None:
    Table(
        "unit_match",
        metadata,
        Column(
            "plain",
            Text,
            primary_key=True,
            comment="spelling without blanks, half-width, small letters: what is looked up",
        ),
        required("spelling", Text, "name of a unit as delivered, in its most frequent writing"),
        document("roles", "competent, owner, maintainer -> rows that give it in this role"),
        required("row_count", BigInteger, "rows that give it, over all roles"),
        document("candidates", "unit code -> score 0-1 of the units it looks like"),
        required(
            "decision", Text, "open 待定, confirmed 已确认: an alias of unit_code, rejected 已否决"
        ),
        optional("unit_code", Text, "unit that it means, where confirmed"),
        optional("decided_by", Text, "operating system user who decided"),
        optional("decided_at", DateTime(timezone=True), "when it was decided"),
        optional("note", Text, "why it was so decided"),
        required(
            "first_seen",
            DateTime(timezone=True),
            "when it was first found without a unit",
            server_default=func.now(),
        ),
        required(
            "last_seen",
            DateTime(timezone=True),
            "when it was last found",
            server_default=func.now(),
        ),
        schema="responsibility",
        comment="delivered names that the unit directory lacks, and what they were decided to mean",
    )
