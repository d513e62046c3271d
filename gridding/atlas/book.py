"""The atlas as a whole: which pages there are, and in which order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from gis.database import Database
from gis.errors import BuildError
from gridding.atlas import indexes, pages
from gridding.atlas.changes import compare_states
from gridding.atlas.contents import (
    COVER,
    INDEX,
    Community,
    Contents,
    arrange_communities,
    colour_areas,
    community_page,
    sheet_page,
    street_page,
)
from gridding.atlas.cover import draw_cover
from gridding.atlas.drawing import Paper
from gridding.atlas.fonts import register_font
from gridding.atlas.listing import (
    city_rows,
    grid_columns,
    grid_rows,
    index_columns,
    index_rows,
    street_columns,
    street_rows,
)
from gridding.atlas.panels import LEGEND_HEIGHT_MM, LOCATOR_HEIGHT_MM
from gridding.atlas.records import Connection, read_base_map, read_grids, read_records
from gridding.atlas.sheets import Layout, Sheet, layout_of
from gridding.atlas.tables import Column, Row, break_rows

_PASTELS = ("#fdebd3", "#e3f0dc", "#dfeaf6", "#f7e1ea", "#f4f1cf", "#e6e0f2")
_OVERVIEW_CLASSES = ("4302", "430501", "430502", "41", "42", "21", "23", "24")
_INDEX_FOOT_MM = 20.0
_MOST_INDEXED = {"A3": 54, "A4": 32}
"""Streets and communities that are listed together beside the index map."""

ReadBaseMap = Callable[..., gpd.GeoDataFrame]


@dataclass(frozen=True, kw_only=True)
class AtlasRequest:
    """What is asked of an atlas."""

    communities: tuple[str, ...] = ()
    """Codes of the communities whose sheets are wanted; none: all."""
    since: date | None = None
    """Day whose state the grids are compared with; what changed after it is hatched."""
    as_of: date | None = None
    """Day whose state is shown; None: what is live."""
    paper: str | None = None
    """A3 or A4; None: A3, and A4 for small communities."""
    title: str = ""
    """Title on the cover; empty: the city's name and what this is."""
    approval: str = ""
    """Map approval number 审图号."""
    city_name: str = ""
    font: Path | None = None
    """TrueType font with Chinese characters; None: one that is found."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One page that is to be drawn."""

    name: str
    """Destination."""
    draw: Callable[[Paper], None]
    title: str = ""
    """Entry in the outline; empty: none."""
    level: int = 0


@dataclass(frozen=True, kw_only=True)
class Book:
    """An atlas that is planned and not yet drawn."""

    contents: Contents
    entries: tuple[Entry, ...]


def plan_atlas(connection: Connection, database: Database, request: AtlasRequest) -> Book:
    """Read the state asked for, and lay out all pages of its atlas.

    Parameters
    ----------
    connection : psycopg.Connection
        A read-only snapshot, open until the atlas is written: each page reads its own base map.
    database : Database
        Gives the CRS.
    request : AtlasRequest
        What is wanted.

    Raises
    ------
    BuildError
        No unit grids hold then, or a community asked for has none.
    SettingsError
        There is no font with Chinese characters.
    """
    register_font(request.font)
    records = read_records(connection, database, as_of=request.as_of, name=request.city_name)
    _check_days(request, records.day)
    changes = None
    if request.since is not None:
        changes = compare_states(
            read_grids(connection, database, as_of=request.since), records.grids
        )
    communities = arrange_communities(records, changes, paper=request.paper)
    lands = np.array([one.land for one in communities])
    contents = Contents(
        title=request.title or f"{records.name}万米单元网格图集",
        approval=request.approval,
        since=request.since,
        records=records,
        changes=changes,
        communities=communities,
        chosen=_chosen(communities, request.communities),
        tree=shapely.STRtree(lands),
        fills=colour_areas(lands, _PASTELS),
    )
    read = partial(read_base_map, connection, database, as_of=request.as_of)
    entries = tuple(_entries(contents, read, layout_of(request.paper or "A3")))
    contents.pages.update({entry.name: page for page, entry in enumerate(entries, 1)})
    return Book(contents=contents, entries=entries)


def _check_days(request: AtlasRequest, day: date) -> None:
    if request.since is not None and request.since >= day:
        msg = (
            f"Nothing can have changed since {request.since}: the atlas shows {day}; "
            "give an earlier day with --since."
        )
        raise BuildError(msg, zh=f"图集资料日期为 {day}，--since {request.since} 应早于该日期。")


def _chosen(communities: Sequence[Community], wanted: Sequence[str]) -> frozenset[str]:
    if not wanted:
        return frozenset(one.code for one in communities if one.sheets)
    known = {one.code: one for one in communities}
    for code in wanted:
        if code not in known:
            msg = f"Community {code} is not loaded; see `wanmi status` for what is."
            raise BuildError(msg, zh=f"社区 {code} 尚未入库。")
        if not known[code].sheets:
            msg = (
                f"Community {code} has no unit grids: divide it with `wanmi grid divide -c {code}`."
            )
            raise BuildError(msg, zh=f"社区 {code} 没有单元网格，请先划分。")
    return frozenset(wanted)


def _entries(contents: Contents, read: ReadBaseMap, layout: Layout) -> list[Entry]:
    entries = [
        Entry(
            name=COVER,
            title="封面",
            draw=partial(draw_cover, contents=contents, layout=layout),
        )
    ]
    columns, rows = index_columns(layout), city_rows
    if len(contents.communities) + len(contents.records.streets) > _MOST_INDEXED[layout.paper]:
        columns, rows = street_columns(layout), street_rows
    entries += _index_entries(
        contents,
        layout,
        name=INDEX,
        title=("总图与图幅索引", contents.title),
        table=(columns, partial(rows, contents, columns)),
        draw=partial(indexes.draw_index, contents=contents, layout=layout, name=INDEX),
    )
    for code, name in contents.records.streets[["code", "name"]].itertuples(index=False):
        members = [one for one in contents.of_street(code) if one.code in contents.chosen]
        if not members:
            continue
        entries += _street_entries(contents, read, layout, code=code, name=name)
        for community in members:
            entries += _community_entries(contents, read, community)
    return entries


def _street_entries(
    contents: Contents, read: ReadBaseMap, layout: Layout, *, code: str, name: str
) -> list[Entry]:
    columns = index_columns(layout)
    frame = indexes.index_frame([one.land for one in contents.of_street(code)], layout)

    def draw(paper: Paper, *, table: tuple[Sequence[Column], Sequence[Row]]) -> None:
        base_map = read(frame.window, classes=_OVERVIEW_CLASSES)
        indexes.draw_street(paper, contents, layout, code=code, base_map=base_map, table=table)

    return _index_entries(
        contents,
        layout,
        name=street_page(code),
        title=(name, f"{code}　街道图幅索引（续）"),
        table=(columns, partial(index_rows, contents, code, columns)),
        draw=draw,
    )


def _index_entries(
    contents: Contents,
    layout: Layout,
    *,
    name: str,
    title: tuple[str, str],
    table: tuple[Sequence[Column], Callable[[], list[Row]]],
    draw: Callable[..., None],
) -> list[Entry]:
    """Return the page of an index map, and those on which its table runs on."""
    columns, make = table
    beside = layout.top - 1 - layout.panel_bottom - _INDEX_FOOT_MM
    blocks = _blocks(make(), layout, beside)

    def first(paper: Paper) -> None:
        # Made again, for now the pages are numbered; the heights are the same.
        draw(paper, table=(columns, _blocks(make(), layout, beside)[0][0]))

    def further(paper: Paper, *, position: int, page_name: str) -> None:
        rows = _blocks(make(), layout, beside)[position]
        pages.draw_list(
            paper,
            contents,
            layout,
            name=page_name,
            title=(*title, ""),
            table=(columns, rows),
        )

    result = [Entry(name=name, title=title[0], draw=first)]
    for position in range(1, len(blocks)):
        page_name = f"{name}-list-{position}"
        result.append(
            Entry(name=page_name, draw=partial(further, position=position, page_name=page_name))
        )
    return result


def _community_entries(contents: Contents, read: ReadBaseMap, community: Community) -> list[Entry]:
    result = []
    level = 1
    if len(community.sheets) > 1:
        layout = layout_of(community.sheets[0].paper)
        result.append(
            Entry(
                name=community_page(community),
                title=f"{community.number} {community.name}",
                level=level,
                draw=partial(
                    indexes.draw_overview, contents=contents, community=community, layout=layout
                ),
            )
        )
        level = 2
    for sheet in community.sheets:
        result += _sheet_entries(contents, read, community, sheet, level=level)
    return result


def _sheet_entries(
    contents: Contents, read: ReadBaseMap, community: Community, sheet: Sheet, *, level: int
) -> list[Entry]:
    layout = layout_of(sheet.paper)
    is_compared = contents.changes is not None
    columns = grid_columns(layout, is_compared=is_compared)
    beside = layout.top - 7 - layout.panel_bottom - LOCATOR_HEIGHT_MM - LEGEND_HEIGHT_MM
    rows = grid_rows(community, sheet, columns, is_compared=is_compared)
    blocks = _blocks(rows, layout, beside)
    own = blocks[0][0]

    def draw(paper: Paper) -> None:
        pages.draw_sheet(
            paper,
            contents,
            community,
            sheet,
            base_map=read(sheet.window),
            layout=layout,
            table=(columns, own, len(rows) - len(own)),
        )

    title = f"{sheet.number} {community.name}"
    result = [Entry(name=sheet_page(sheet), title=title, level=level, draw=draw)]
    for position, tables in enumerate(blocks[1:], 1):
        name = f"{sheet_page(sheet)}-list-{position}"
        result.append(
            Entry(
                name=name,
                draw=partial(
                    pages.draw_list,
                    contents=contents,
                    layout=layout,
                    name=name,
                    title=(community.name, f"{community.code}　网格一览（续）", sheet.number),
                    table=(columns, tables),
                ),
            )
        )
    return result


def _blocks(rows: Sequence[Row], layout: Layout, beside: float) -> list[list[list[Row]]]:
    """Return rows by page and column: one column beside a map, then full pages of columns."""
    whole = layout.top - 1 - layout.panel_bottom
    blocks = break_rows(rows, [beside, whole])
    while len(blocks) > 1 and not blocks[-1]:
        blocks.pop()
    side = pages.list_columns(layout)
    rest = blocks[1:]
    return [[blocks[0]], *(rest[start : start + side] for start in range(0, len(rest), side))]
