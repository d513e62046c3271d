"""What ``/ogc`` publishes: the databases' tables, split into layers a map reader would name."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from gis.datasets import FEATURE_TABLES, PERSONS

if TYPE_CHECKING:
    from sqlalchemy import Table
    from tipg.collections import Column as PublishedColumn

_PRIVATE = frozenset(
    {"content_hash", "closed_build_id", "source_file", "source_row", "row_id", *PERSONS}
)
"""Bookkeeping, and personal data of those responsible."""
_CASE_PRIVATE = frozenset({"description", "address", "decision", "request_hash", "x", "y", "crs"})


@dataclass(frozen=True, kw_only=True)
class LayerSpec:
    """One collection of ``/ogc``."""

    name: str
    title: str
    table: str
    condition: str = "TRUE"
    """SQL over the table's columns that every row of the layer fulfils; ours alone, never input."""
    tile_properties: tuple[str, ...] = ()
    """Columns in vector tiles; there every byte counts."""


def _themes() -> tuple[LayerSpec, ...]:
    titles = {
        "control": "control points 测量控制点",
        "hydrography": "hydrography 水系",
        "residential": "residential and facilities 居民地及设施",
        "transport": "transport 交通",
        "pipeline": "pipelines 管线",
        "boundary": "boundaries 境界与政区",
        "relief": "relief 地貌",
        "vegetation": "vegetation and soil 植被与土质",
    }
    return tuple(
        LayerSpec(
            name=f"topography_{theme}",
            title=title,
            table=FEATURE_TABLES["topography"],
            condition=f"theme = '{theme}'",
            tile_properties=("code", "feature_class", "name"),
        )
        for theme, title in titles.items()
    )


LAYERS: tuple[LayerSpec, ...] = (
    *(
        LayerSpec(
            name=name,
            title=title,
            table=FEATURE_TABLES["areas"],
            condition=f"level = '{level}'",
            tile_properties=("code", "name", "level"),
        )
        for name, level, title in (
            ("districts", "district", "districts 区县"),
            ("streets", "street", "streets 街道/镇"),
            ("communities", "community", "communities 社区/村"),
        )
    ),
    LayerSpec(
        name="unit_grids",
        title="unit grids 万米单元网格",
        table=FEATURE_TABLES["unit_grids"],
        tile_properties=("code", "name"),
    ),
    LayerSpec(
        name="management_grids",
        title="management grids 管理网格 of all trades",
        table=FEATURE_TABLES["management_grids"],
        tile_properties=("code", "name", "trade", "unit_name"),
    ),
    LayerSpec(
        name="evaluation_grids",
        title="evaluation grids 评价网格",
        table=FEATURE_TABLES["evaluation_grids"],
        tile_properties=("code", "name", "kind", "unit_name"),
    ),
    LayerSpec(
        name="components",
        title="components 部件",
        table=FEATURE_TABLES["components"],
        tile_properties=("code", "class_code", "name", "condition"),
    ),
    LayerSpec(
        name="place_names",
        title="place names 地名",
        table=FEATURE_TABLES["place_names"],
        tile_properties=("code", "name", "category_code"),
    ),
    LayerSpec(
        name="addresses",
        title="basic places 基本地点 (geocoding 地理编码)",
        table=FEATURE_TABLES["addresses"],
        tile_properties=("code", "kind", "name"),
    ),
    LayerSpec(
        name="orthophotos",
        title="footprints of orthophotos 正射影像",
        table=FEATURE_TABLES["imagery"],
        tile_properties=("code", "name"),
    ),
    *_themes(),
    LayerSpec(
        name="cases",
        title="cases 案件, without the words of the report",
        table="cases.case",
        tile_properties=("case_id", "kind", "class_code", "unit_code", "needs_review"),
    ),
)
"""Layers in the order in which they are listed."""


def table_of(layer: LayerSpec, srid: int) -> "Table":
    """Return the declaration of a layer's table."""
    from gis.tables import declare

    return declare(srid).tables[layer.table]


def columns_of(layer: LayerSpec, srid: int) -> "list[PublishedColumn]":
    """Return the published columns, in the order of the declaration; bookkeeping is left out."""
    from tipg.collections import Column as PublishedColumn

    hidden = _CASE_PRIVATE if layer.table == "cases.case" else _PRIVATE
    return [
        PublishedColumn(
            name=column.name,
            type=_type_of(column.type),
            description=column.comment,
            geometry_type=getattr(column.type, "geometry_type", None),
            srid=getattr(column.type, "srid", None),
        )
        for column in table_of(layer, srid).columns
        if column.name not in hidden
    ]


def _type_of(kind: object) -> str:
    return next((name for declared, name in _types() if isinstance(kind, declared)), "text")


@cache
def _types() -> tuple[tuple[type, str], ...]:
    """Return the types that the database has for those of the declarations."""
    from geoalchemy2 import Geometry
    from sqlalchemy import ARRAY, DOUBLE_PRECISION, BigInteger, Boolean, Date, DateTime, Integer
    from sqlalchemy.dialects.postgresql import JSONB

    return (
        (Geometry, "geometry"),
        (JSONB, "jsonb"),
        (ARRAY, "text[]"),
        (BigInteger, "bigint"),
        (Integer, "integer"),
        (DOUBLE_PRECISION, "float8"),
        (Boolean, "boolean"),
        (DateTime, "timestamptz"),
        (Date, "date"),
    )
