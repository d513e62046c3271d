"""Schema ``responsibility``: the unit directory and the responsibility plan."""

from sqlalchemy import DOUBLE_PRECISION, MetaData, Text

from gis.tables.columns import names, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:  # noqa: ARG001 (the plan has no geometry)
    """Declare units and plan rows."""
    versioned(
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
    versioned(
        "plan_row",
        metadata,
        "responsibility",
        required("code", Text, "row number in the plan, the rule named in a trace"),
        required("kind", Text, "component or event"),
        required("class_code", Text, "minor class, major class, or * for all"),
        required("area_code", Text, "grid, community, street or district code, or * for the city"),
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
