"""Pages of communities: the sheet with its lists, and the lists that run on."""

from collections.abc import Sequence

import geopandas as gpd
import shapely

from gridding.atlas.contents import (
    Community,
    Contents,
    sheet_page,
)
from gridding.atlas.drawing import (
    GREY,
    Paper,
    shortened,
)
from gridding.atlas.frames import (
    draw_page_frame,
)
from gridding.atlas.labels import Label
from gridding.atlas.maps import draw_sheet_map
from gridding.atlas.panels import (
    LEGEND_HEIGHT_MM,
    LOCATOR_HEIGHT_MM,
    draw_footer,
    draw_legend,
    draw_locator,
)
from gridding.atlas.sheets import Layout, Sheet
from gridding.atlas.tables import Column, Row, draw_table

_GAP_MM = 5.0


def draw_sheet(
    paper: Paper,
    contents: Contents,
    community: Community,
    sheet: Sheet,
    *,
    base_map: gpd.GeoDataFrame,
    layout: Layout,
    table: tuple[Sequence[Column], Sequence[Row], int],
) -> None:
    """Draw a sheet of a community: the map, and beside it codes, legend and position."""
    columns, rows, further = table
    paper.start((layout.width, layout.height), name=sheet_page(sheet))
    streets = contents.records.streets
    street = streets.loc[streets["code"] == community.street_code, "name"].iloc[0]
    note = f"{community.code}　{street}　单元网格 {len(community.grids)} 个"
    title = community.name
    if sheet.is_tile:
        part = sheet.number.rsplit("-", 1)[1]
        note += f"　第 {part} 幅，共 {len(community.sheets)} 幅"
    draw_header(paper, layout, title=title, note=note, number=sheet.number)
    drawn = draw_sheet_map(paper, contents, community, sheet, base_map=base_map, layout=layout)
    left, top = layout.panel_left, layout.top - 1
    bottom = draw_table(paper, (left, top), columns, rows)
    missing = _unnumbered(community, sheet, drawn.labels)
    if missing:
        words = shortened(f"图上未注：{'、'.join(missing)}", 6.6, layout.panel - 36)
        paper.text((left, bottom - 3.4), words, 6.6, colour=GREY)
    if further:
        words = f"续下页（另有 {further} 个网格）"
        paper.text((left + layout.panel, bottom - 3.4), words, 6.6, align=1.0, colour=GREY)
    place = layout.panel_bottom
    draw_locator(
        paper,
        contents,
        (left, place + 1, left + layout.panel, place + LOCATOR_HEIGHT_MM - 2),
        community=community,
        sheet=sheet,
    )
    corner = (left, place + LOCATOR_HEIGHT_MM + LEGEND_HEIGHT_MM)
    draw_legend(paper, corner, layout.panel, keys=drawn.keys)
    page = contents.pages[sheet_page(sheet)]
    draw_footer(paper, contents, layout, page=page, scale=sheet.scale)
    paper.finish()


def _unnumbered(community: Community, sheet: Sheet, labels: Sequence[Label]) -> list[str]:
    """Return the grids of a map that found no place for their number."""
    numbered = {label.row for label in labels}
    seen = shapely.intersects(shapely.box(*sheet.window), community.grids.geometry.to_numpy())
    return [
        sequence
        for row, sequence in enumerate(community.grids["sequence"])
        if seen[row] and row not in numbered
    ]


def draw_list(
    paper: Paper,
    contents: Contents,
    layout: Layout,
    *,
    name: str,
    title: tuple[str, str, str],
    table: tuple[Sequence[Column], Sequence[Sequence[Row]]],
) -> None:
    """Draw a page of tables in columns: the lists that do not fit beside their maps."""
    paper.start((layout.width, layout.height), name=name)
    draw_header(paper, layout, title=title[0], note=title[1], number=title[2])
    columns, blocks = table
    width = sum(column.width for column in columns)
    for position, rows in enumerate(blocks):
        left = layout.margin + position * (width + _GAP_MM)
        draw_table(paper, (left, layout.top - 1), columns, rows)
    draw_footer(paper, contents, layout, page=contents.pages[name])
    paper.finish()


def list_columns(layout: Layout) -> int:
    """Return how many tables stand side by side on a page of a list."""
    free = layout.width - 2 * layout.margin + _GAP_MM
    return int(free / (layout.panel + _GAP_MM))


def draw_header(paper: Paper, layout: Layout, *, title: str, note: str, number: str) -> None:
    """Draw the header of a page."""
    left, right = layout.margin, layout.width - layout.margin
    draw_page_frame(
        paper,
        (left, layout.top, right, layout.height - layout.margin),
        title=title,
        note=note,
        number=number,
    )
