"""Index maps: the city, its streets, and the tiles of a large community, with their tables."""

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely

from gridding.atlas.areas import STREET_LINE, fill_areas, frame_box, outline_streets, polygons_of
from gridding.atlas.basemap import draw_base_map
from gridding.atlas.contents import (
    Community,
    Contents,
    community_page,
    sheet_page,
    street_page,
)
from gridding.atlas.drawing import (
    Geometries,
    Paper,
    Stroke,
    fitting_size,
    width_mm,
)
from gridding.atlas.frames import (
    Neighbour,
    draw_coordinate_grid,
    draw_frame,
    draw_neighbours,
    draw_north_arrow,
)
from gridding.atlas.labels import inscribed
from gridding.atlas.pages import draw_header
from gridding.atlas.panels import (
    COMMUNITY_LINE,
    draw_footer,
    number_areas,
)
from gridding.atlas.sheets import OVERVIEW_SCALES, Bounds, Frame, Layout, Sheet, centred, fit_scale
from gridding.atlas.tables import Column, Row, draw_table

_TILE_LINE = Stroke(colour="#1f5fa8", width=0.35)
_FINE_GRID = Stroke(colour="#e39ac6", width=0.12)


def index_frame(shapes: Sequence[shapely.Geometry], layout: Layout) -> Frame:
    """Return where an index map stands, at the largest scale at which all shapes fit."""
    extent: Bounds = tuple(shapely.total_bounds(np.array(shapes, dtype=object)).tolist())
    size = layout.map_size
    scale = fit_scale(extent, size, OVERVIEW_SCALES) or OVERVIEW_SCALES[-1]
    west, south, _, _ = centred(extent, size, scale)
    left, bottom = layout.map_corner
    return Frame(
        left=left,
        bottom=bottom,
        width=size[0],
        height=size[1],
        west=west,
        south=south,
        scale=scale,
    )


def draw_index(
    paper: Paper,
    contents: Contents,
    layout: Layout,
    *,
    name: str,
    table: tuple[Sequence[Column], Sequence[Row]],
) -> None:
    """Draw the index map of the city with the table of its streets."""
    paper.start((layout.width, layout.height), name=name)
    draw_header(paper, layout, title="总图与图幅索引", note=contents.title, number="")
    frame = index_frame([one.land for one in contents.communities], layout)
    boxes = _index_map(paper, contents, contents.communities, frame, layout)
    streets = contents.records.streets
    shapes = shapely.transform(streets.geometry.to_numpy(), frame.on_paper)
    _name_streets(paper, streets, shapes, boxes=boxes)
    draw_frame(paper, frame, band=layout.band)
    _index_panel(paper, contents, layout, table=table, frame=frame, page=contents.pages[name])


def draw_street(
    paper: Paper,
    contents: Contents,
    layout: Layout,
    *,
    code: str,
    base_map: gpd.GeoDataFrame,
    table: tuple[Sequence[Column], Sequence[Row]],
) -> None:
    """Draw the index sheet of a street: its communities, their sheet numbers, their table."""
    paper.start((layout.width, layout.height), name=street_page(code))
    streets = contents.records.streets
    row = streets[streets["code"] == code].iloc[0]
    members = contents.of_street(code)
    draw_header(paper, layout, title=row["name"], note=f"{code}　街道图幅索引", number="")
    frame = index_frame([one.land for one in members], layout)
    _index_map(paper, contents, members, frame, layout, base_map=base_map)
    draw_frame(paper, frame, band=layout.band)
    others = [
        Neighbour(text=f"{other.name}", target=street_page(other.code), shape=other.geometry)
        for other in streets.itertuples()
        if other.code != code and other.geometry.intersects(shapely.box(*frame.window))
    ]
    draw_neighbours(paper, frame, others, band=layout.band)
    page = contents.pages[street_page(code)]
    _index_panel(paper, contents, layout, table=table, frame=frame, page=page)


def draw_overview(paper: Paper, contents: Contents, community: Community, layout: Layout) -> None:
    """Draw the sheet that shows how a large community is split into tiles."""
    name = community_page(community)
    paper.start((layout.width, layout.height), name=name)
    note = f"{community.code}　分幅索引　共 {len(community.sheets)} 幅"
    draw_header(paper, layout, title=community.name, note=note, number=community.number)
    frame = index_frame(
        [community.extent, *(shapely.box(*sheet.cell) for sheet in community.sheets)], layout
    )
    draw_coordinate_grid(paper, frame, band=layout.band)
    with paper.saved():
        paper.clip(frame_box(frame))
        shapes = shapely.transform(community.grids.geometry.to_numpy(), frame.on_paper)
        land = shapely.transform(np.array([community.land]), frame.on_paper)
        paper.polygons(polygons_of(shapely.simplify(land, 0.05)), fill="#fdf3f3")
        paper.polygons(
            polygons_of(shapely.simplify(shapes, 0.05)), stroke=Stroke(colour="#d4148c", width=0.12)
        )
        paper.polygons(polygons_of(shapely.simplify(land, 0.05)), stroke=COMMUNITY_LINE)
        for sheet in community.sheets:
            _draw_cell(paper, sheet, frame)
    draw_frame(paper, frame, band=layout.band)
    columns = (
        Column(title="图号", width=24),
        Column(title="比例尺", width=26),
        Column(title="页", width=20),
    )
    rows = [
        Row(
            cells=(
                (sheet.number,),
                (f"1:{sheet.scale}",),
                (str(contents.pages[sheet_page(sheet)]),),
            ),
            target=sheet_page(sheet),
        )
        for sheet in community.sheets
    ]
    draw_table(paper, (layout.panel_left, layout.top - 1), columns, rows)
    draw_north_arrow(paper, (layout.width - layout.margin - 5, layout.panel_bottom + 2), 14)
    draw_footer(paper, contents, layout, page=contents.pages[name], scale=frame.scale)
    paper.finish()


def _draw_cell(paper: Paper, sheet: Sheet, frame: Frame) -> None:
    cell = shapely.transform(shapely.box(*sheet.cell), frame.on_paper)
    left, bottom, right, top = cell.bounds
    paper.polygons(np.array([cell]), stroke=_TILE_LINE)
    size = min(16.0, (right - left) * 0.9)
    half = width_mm(sheet.number, size) / 2 + 1
    x, y = (left + right) / 2, (bottom + top) / 2
    paper.box((x - half, y - 1, x + half, y + 0.3 * size), fill="#ffffff", alpha=0.75)
    paper.text((x, y), sheet.number, size, align=0.5, bold=True, colour=_TILE_LINE.colour)
    paper.link((left, bottom, right, top), sheet_page(sheet))


def _index_map(
    paper: Paper,
    contents: Contents,
    members: Sequence[Community],
    frame: Frame,
    layout: Layout,
    *,
    base_map: gpd.GeoDataFrame | None = None,
) -> list[tuple[float, float, float, float]]:
    """Draw the areas of communities and their numbers; return the boxes written in."""
    position = {one.code: place for place, one in enumerate(contents.communities)}
    fills = contents.fills[[position[one.code] for one in members]]
    lands = np.array([one.land for one in members])
    shapes = shapely.simplify(shapely.transform(lands, frame.on_paper), 0.05)
    draw_coordinate_grid(paper, frame, band=layout.band)
    with paper.saved():
        paper.clip(frame_box(frame))
        fill_areas(paper, shapes, fills)
        if base_map is not None:
            draw_base_map(paper, base_map, frame)
            for one in members:
                grids = shapely.transform(one.grids.geometry.to_numpy(), frame.on_paper)
                paper.polygons(shapely.simplify(grids, 0.05), stroke=_FINE_GRID)
        paper.polygons(polygons_of(shapes), stroke=Stroke(colour="#d81e1e", width=0.3))
        outline_streets(paper, contents, frame)
    return number_areas(paper, members, shapes, sizes=(4.0, 14.0), is_named=True)


def _index_panel(
    paper: Paper,
    contents: Contents,
    layout: Layout,
    *,
    table: tuple[Sequence[Column], Sequence[Row]],
    frame: Frame,
    page: int,
) -> None:
    draw_table(paper, (layout.panel_left, layout.top - 1), *table)
    draw_north_arrow(paper, (layout.width - layout.margin - 5, layout.panel_bottom + 2), 14)
    y = layout.panel_bottom + 3
    for stroke, words in (
        (STREET_LINE, "街道界"),
        (Stroke(colour="#d81e1e", width=0.3), "社区界"),
    ):
        paper.line((layout.panel_left, y + 1), (layout.panel_left + 9, y + 1), stroke)
        paper.text((layout.panel_left + 11, y), words, 7)
        y += 5
    draw_footer(paper, contents, layout, page=page, scale=frame.scale)
    paper.finish()


def _name_streets(
    paper: Paper,
    streets: gpd.GeoDataFrame,
    shapes: Geometries,
    *,
    boxes: Sequence[tuple[float, float, float, float]],
) -> None:
    """Write the name of each street where it has most room beside the numbers."""
    if boxes:
        taken = shapely.union_all(shapely.box(*np.array(boxes).T))
        shapes = shapely.difference(shapes, shapely.buffer(taken, 1.0, cap_style="square"))
    centre, radius = inscribed(shapes)
    for code, name, (x, y), reach in zip(
        streets["code"], streets["name"], centre, radius, strict=True
    ):
        if reach < 3:
            continue
        size = fitting_size(name, 13, 1.9 * float(reach), least=5)
        half = width_mm(name, size) / 2
        with paper.saved():
            paper.box(
                (x - half - 0.8, y - 0.8, x + half + 0.8, y + 0.32 * size),
                fill="#ffffff",
                alpha=0.6,
            )
        paper.text((x, y), name, size, align=0.5, colour=STREET_LINE.colour, bold=True)
        paper.link((x - half, y - 1, x + half, y + 0.4 * size), street_page(code))
