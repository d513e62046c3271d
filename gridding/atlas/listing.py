"""The lists of the atlas: grids of a sheet, communities of a street, streets of the city."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import shapely

from gridding.atlas.contents import Community, Contents, community_page, street_page
from gridding.atlas.drawing import GREY
from gridding.atlas.sheets import Layout, Sheet
from gridding.atlas.tables import Column, Row, make_row

_CHANGED = "#b0127a"
_STREET = "#5b2a86"


def grid_columns(layout: Layout, *, is_compared: bool) -> tuple[Column, ...]:
    """Return the columns of the list of grids; they fill the column beside the map."""
    change = 14.0 if _has_change(layout.paper, is_compared) else 0.0
    fixed = [7.5, 23.5, 14.5, 16.5]
    columns = [
        Column(title="序号", width=fixed[0]),
        Column(title="网格编码", width=fixed[1]),
        Column(title="面积 m²", width=fixed[2], align=1.0),
        Column(title="启用日期", width=fixed[3], align=0.5),
        Column(
            title="责任主体" if change or not is_compared else "变更、责任主体",
            width=layout.panel - sum(fixed) - change,
        ),
    ]
    if change:
        columns.append(Column(title="变更", width=change))
    return tuple(columns)


def _has_change(paper: str, is_compared: bool) -> bool:
    """Return whether changes have a column of their own; on A4 they share one."""
    return is_compared and paper == "A3"


def grid_rows(
    community: Community, sheet: Sheet, columns: Sequence[Column], *, is_compared: bool
) -> list[Row]:
    """Return the rows of a sheet: the grids it shows, then those that ended."""
    grids, retired = community.grids, community.retired
    if sheet.is_tile:
        grids, retired = _seen(grids, sheet), _seen(retired, sheet)
    rows = []
    for one in grids.itertuples():
        texts = [
            one.sequence,
            one.code,
            _area(one.area_m2),
            _day(one.initial_date),
            _text(one.responsible_body),
        ]
        _add_change(texts, _change(one.kind, one.before, community.code), sheet.paper, is_compared)
        rows.append(make_row(columns, texts, colour=_CHANGED if one.kind else "#1a1a1a"))
    for one in retired.itertuples():
        after = _short(one.after, community.code)
        texts = [one.sequence, one.code, _area(one.area_m2), _day(one.initial_date)]
        texts.append(_text(one.responsible_body))
        _add_change(texts, f"撤销→{after}" if after else "撤销", sheet.paper, is_compared)
        rows.append(make_row(columns, texts, colour=GREY))
    return rows


def index_columns(layout: Layout) -> tuple[Column, ...]:
    """Return the columns of the list of communities."""
    fixed = [11.0, 20.0, 10.0, 13.0, 8.0]
    return (
        Column(title="图号", width=fixed[0]),
        Column(title="社区", width=layout.panel - sum(fixed)),
        Column(title="社区编码", width=fixed[1]),
        Column(title="网格", width=fixed[2], align=1.0),
        Column(title="比例尺", width=fixed[3], align=1.0),
        Column(title="页", width=fixed[4], align=1.0),
    )


def index_rows(contents: Contents, code: str, columns: Sequence[Column]) -> list[Row]:
    """Return the rows of a street: its communities."""
    rows = []
    for one in contents.of_street(code):
        target = community_page(one)
        page = contents.pages.get(target) if one.sheets else None
        scale = f"1:{one.sheets[0].scale}" if one.sheets else "未划分"
        if len(one.sheets) > 1:
            scale += f"×{len(one.sheets)}"
        texts = [one.number, one.name, one.code, str(len(one.grids)), scale, str(page or "—")]
        rows.append(make_row(columns, texts, target=target))
    return rows


def street_columns(layout: Layout) -> tuple[Column, ...]:
    """Return the columns of the list of streets."""
    fixed = [17.0, 11.0, 12.0, 15.0, 8.0]
    return (
        Column(title="街道", width=layout.panel - sum(fixed)),
        Column(title="街道编码", width=fixed[0]),
        Column(title="社区", width=fixed[1], align=1.0),
        Column(title="网格", width=fixed[2], align=1.0),
        Column(title="面积 km²", width=fixed[3], align=1.0),
        Column(title="页", width=fixed[4], align=1.0),
    )


def city_rows(contents: Contents, columns: Sequence[Column]) -> list[Row]:
    """Return the rows of a small city: its streets, each with its communities."""
    rows = []
    for code, name in contents.records.streets[["code", "name"]].itertuples(index=False):
        target = street_page(code)
        page = contents.pages.get(target)
        grids = sum(len(one.grids) for one in contents.of_street(code))
        texts = ["", name, code, str(grids), "", str(page or "—")]
        rows.append(make_row(columns, texts, target=target, colour=_STREET))
        rows += index_rows(contents, code, columns)
    return rows


def street_rows(contents: Contents, columns: Sequence[Column]) -> list[Row]:
    """Return the rows of the city: its streets."""
    rows = []
    for code, name in contents.records.streets[["code", "name"]].itertuples(index=False):
        members = contents.of_street(code)
        grids = sum(len(one.grids) for one in members)
        area = sum(float(one.grids["area_m2"].sum()) for one in members) / 1e6
        page = contents.pages.get(street_page(code))
        texts = [name, code, str(len(members)), str(grids), f"{area:.2f}", str(page or "—")]
        rows.append(make_row(columns, texts, target=street_page(code)))
    return rows


def _seen(rows: Any, sheet: Sheet) -> Any:
    shapes = rows.geometry.to_numpy()
    window = shapely.box(*sheet.window)
    shapely.prepare(window)
    inside = np.zeros(len(shapes), dtype=bool)
    touched = np.flatnonzero(shapely.intersects(window, shapes))
    inside[touched] = shapely.area(shapely.intersection(shapes[touched], window)) > 0
    return rows[inside]


def _add_change(texts: list[str], change: str, paper: str, is_compared: bool) -> None:
    if _has_change(paper, is_compared):
        texts.append(change)
    elif change:
        texts[-1] = f"{change} {texts[-1]}".strip()


def _change(kind: str, before: Sequence[str], prefix: str) -> str:
    source = _short(before, prefix)
    return f"{kind}（原{source}）" if source else kind


def _short(codes: Sequence[str], prefix: str) -> str:
    """Return codes without the community's, which the sheet is about."""
    return "、".join(code[len(prefix) :] if code.startswith(prefix) else code for code in codes)


def _area(area_m2: float) -> str:
    return f"{area_m2:,.0f}"


def _day(day: date | None) -> str:
    return "" if day is None or pd.isna(day) else day.isoformat()


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)
