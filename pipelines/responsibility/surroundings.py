"""What the names in a plan can mean on the day of its delivery."""

from typing import Any

import geopandas as gpd
import pandas as pd

from census.taxonomy import read_taxonomy
from gis.database import read_rows
from pipelines.context import BuildContext
from pipelines.responsibility.naming import Classes, Units, name_areas, plain_area
from pipelines.responsibility.reading import Vocabulary
from pipelines.responsibility.territories import find_territories


def vocabulary_of(context: BuildContext, *, areas: gpd.GeoDataFrame) -> Vocabulary:
    """Return classes, areas (plan areas among them: `areas`) and units by code and name."""
    named: list[tuple[str, str | None, str | None]] = []
    for dataset in ("areas", "unit_grids", "management_grids"):
        rows = context.rows(dataset)
        named += [
            (code, _text(name), _text(parent))
            for code, name, parent in zip(
                rows["code"], _column(rows, "name"), _parents(dataset, rows), strict=True
            )
        ]
    parents = {code: parent for code, _, parent in named if parent is not None}
    named += [
        (code, _text(name), None) for code, name in zip(areas["code"], areas["name"], strict=True)
    ]
    units = _territorial(context.rows("units"))
    return Vocabulary(
        classes=Classes(
            read_taxonomy(context.profile.city.standard, context.profile.extension_class)
        ),
        areas=name_areas(
            named,
            ended=_ended(context, "grids.area", plain_area),
            divided=frozenset(context.rows("areas")["code"]),
        ),
        units=Units(
            directory=context.unit_directory(),
            ended=_ended(context, "responsibility.unit", str),
        ),
        territories=find_territories(units, parents, areas=context.features("areas"), drawn=areas),
    )


def _parents(dataset: str, rows: pd.DataFrame) -> Any:
    """Return the area above each; where it is not told, leading digits of the code."""
    if dataset == "areas":
        told = _column(rows, "parent_code")
        lengths = {12: 9, 9: 6}
        return [
            parent if isinstance(parent, str) else code[: lengths.get(len(code), 0)] or None
            for code, parent in zip(rows["code"], told, strict=True)
        ]
    name = {"unit_grids": "community_code", "management_grids": "area_code"}[dataset]
    return _column(rows, name)


def _column(rows: pd.DataFrame, name: str) -> Any:
    return rows[name] if name in rows else [None] * len(rows)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _territorial(units: pd.DataFrame) -> dict[str, str]:
    """Return area -> its territorial unit, the lowest code of several."""
    if "area_code" not in units:
        return {}
    told = units[units["area_code"].notna()].sort_values("code", ascending=False)
    return dict(zip(told["area_code"], told["code"], strict=True))


def _ended(context: BuildContext, table: str, plain: Any) -> dict[str, str]:
    """Return code and name of what is live no more -> the day on which it ended."""
    if not context.database.url:
        return {}
    query = (
        f"SELECT code, name, max(valid_to) AS day FROM {table} AS t WHERE NOT EXISTS"  # noqa: S608
        f" (SELECT FROM {table} AS o WHERE o.code = t.code AND o.valid_to IS NULL) GROUP BY 1, 2"
    )
    with context.database.connect(read_only=True) as connection:
        rows = read_rows(connection, query)
    result: dict[str, str] = {}
    for code, name, day in zip(rows["code"], rows["name"], rows["day"], strict=True):
        result[plain(str(name))] = str(day)
        result[str(code)] = str(day)
    return result
