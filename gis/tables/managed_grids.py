"""Schema ``grids``: management grids 管理网格 and evaluation grids 评价网格, sets of unit grids."""

from typing import Any

from sqlalchemy import DOUBLE_PRECISION, Column, Date, Index, MetaData, Text

from gis.tables.columns import geometry, names, optional, required, versioned


def declare(metadata: MetaData, srid: int) -> None:
    """Declare management grids and evaluation grids; members are part of each version."""
    management = versioned(
        "management_grid",
        metadata,
        "grids",
        required("code", Text, "management grid code 管理网格编码, used once over all trades"),
        required("trade", Text, "trade 行业: enforcement, sanitation, green … or a local one"),
        optional("name", Text, "name"),
        *_extent(),
        *_persons(),
        *_history(),
        geometry("MULTIPOLYGON", srid, "union of the members"),
        comment="management grids 管理网格 (责任网格) of a trade: connected sets of unit grids",
    )
    Index("ix_management_grid_trade", management.c.trade)
    Index("ix_management_grid_members", management.c.members, postgresql_using="gin")
    evaluation = versioned(
        "evaluation_grid",
        metadata,
        "grids",
        required("code", Text, "evaluation grid code 评价网格编码, used once over all kinds"),
        required(
            "kind", Text, "kind of evaluation 评价类别, as A, B, C; * where there is only one"
        ),
        optional("name", Text, "name"),
        *_extent(),
        *_history(),
        geometry("MULTIPOLYGON", srid, "union of the members"),
        comment="evaluation grids 评价网格: sets of unit grids that are evaluated together",
    )
    Index("ix_evaluation_grid_members", evaluation.c.members, postgresql_using="gin")


def _extent() -> list[Column[Any]]:
    return [
        required("area_code", Text, "smallest area that holds it: community, street or district"),
        names("members", "codes of its unit grids, sorted"),
        required("area_m2", DOUBLE_PRECISION, "area, m²"),
        optional("unit_code", Text, "responsible unit 责任单位"),
        optional("unit_name", Text, "name of the responsible unit"),
    ]


def _persons() -> list[Column[Any]]:
    levels = {"district": "区级责任人", "street": "街道级责任人", "grid": "网格级责任人"}
    return [
        column
        for level, term in levels.items()
        for column in (
            optional(f"{level}_person", Text, f"person responsible, {level} level {term}"),
            optional(f"{level}_phone", Text, f"telephone of that person, {level} level"),
        )
    ]


def _history() -> list[Column[Any]]:
    return [
        required("origin", Text, "delivered, divided, or carried over a change of unit grids"),
        required("initial_date", Date, "initial date 初始日期"),
        optional("remark", Text, "remark 备注"),
    ]
