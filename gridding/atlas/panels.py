"""What stands beside and below a map: legend, position in the street, the line at the foot."""

from collections.abc import Sequence

import numpy as np
import shapely
from pyproj import CRS

from gridding.atlas.basemap import read_styles
from gridding.atlas.contents import COVER, INDEX, Community, Contents, community_page
from gridding.atlas.drawing import (
    GREY,
    INK,
    Geometries,
    Paper,
    Stroke,
    fitting_size,
    shortened,
    width_mm,
)
from gridding.atlas.frames import draw_north_arrow, draw_scale_bar
from gridding.atlas.labels import inscribed
from gridding.atlas.sheets import Frame, Layout, Sheet

GRID_LINE = Stroke(colour="#d4148c", width=0.3)
COMMUNITY_LINE = Stroke(colour="#d81e1e", width=0.7)
NEIGHBOUR_LINE = Stroke(colour="#d81e1e", width=0.3)
OLD_LINE = Stroke(colour="#7a3fb0", width=0.25, dash=(1.4, 0.9))
HATCH_LINE = Stroke(colour="#e58fc4", width=0.14)
HATCH_GAP_MM = 1.6
LEGEND_HEIGHT_MM = 24.0
LOCATOR_HEIGHT_MM = 42.0

_ENTRIES = (
    ("grid", "单元网格界"),
    ("community", "社区界"),
    ("number", "网格顺序号"),
    ("building", "建筑物"),
    ("road", "道路"),
    ("rail", "铁路"),
    ("water", "水系"),
    ("green", "绿地植被"),
    ("site", "院落、场地"),
    ("wall", "围墙"),
    ("changed", "变更网格"),
    ("old", "原网格界"),
)
_ALWAYS = ("grid", "community", "number")
_COLUMNS = 3
_ROW_MM = 4.7


def draw_legend(paper: Paper, corner: tuple[float, float], width: float, *, keys: set[str]) -> None:
    """Draw the legend 图例 below and to the right of its upper left corner."""
    left, top = corner
    paper.text((left, top - 3.4), "图例", 8, bold=True)
    shown = [entry for entry in _ENTRIES if entry[0] in keys or entry[0] in _ALWAYS]
    for position, (key, name) in enumerate(shown):
        x = left + position % _COLUMNS * width / _COLUMNS
        y = top - 8.2 - position // _COLUMNS * _ROW_MM
        _swatch(paper, key, (x, y, x + 8, y + 2.8))
        room = width / _COLUMNS - 10.5
        paper.text((x + 9.5, y + 0.5), name, fitting_size(name, 6.8, room))


def _swatch(paper: Paper, key: str, box: tuple[float, float, float, float]) -> None:
    left, bottom, right, top = box
    middle = (bottom + top) / 2
    strokes = {"grid": GRID_LINE, "community": COMMUNITY_LINE, "old": OLD_LINE}
    if key in strokes:
        paper.line((left, middle), (right, middle), strokes[key])
    elif key == "number":
        paper.text(((left + right) / 2, bottom + 0.3), "012", 8, align=0.5, colour=GRID_LINE.colour)
    elif key == "changed":
        paper.hatch(np.array([shapely.box(*box)]), HATCH_LINE, gap=HATCH_GAP_MM)
        paper.box(box, stroke=GRID_LINE)
    else:
        styles = [style for style in read_styles() if style.key == key]
        area = next((style for style in styles if style.shape == "area"), None)
        if area is not None and key != "road":
            paper.box(box, fill=area.fill, stroke=area.stroke)
            return
        for style in styles[-2:] if key == "rail" else styles[-1:]:
            if style.stroke is not None:
                paper.line((left, middle), (right, middle), style.stroke)


def draw_locator(
    paper: Paper,
    contents: Contents,
    box: tuple[float, float, float, float],
    *,
    community: Community,
    sheet: Sheet,
) -> None:
    """Draw the street's communities with their sheet numbers, this one filled; they are links."""
    left, bottom, right, top = box
    street = _street_name(contents, community)
    paper.text((left, top - 3.4), f"{street}接图表", 8, bold=True)
    draw_north_arrow(paper, (right - 5, top - 15), 13)
    members = contents.of_street(community.street_code)
    lands = np.array([one.land for one in members])
    room = (left, bottom, right - 12, top - 6)
    frame = frame_of(lands, room)
    shapes = shapely.simplify(shapely.transform(lands, frame.on_paper), 0.1)
    own = np.array([one.code == community.code for one in members])
    paper.polygons(shapely.get_parts(shapes[own]), fill="#f9d3d3")
    paper.polygons(shapely.get_parts(shapes), stroke=Stroke(colour="#9b9b9b", width=0.12))
    paper.polygons(shapely.get_parts(shapes[own]), stroke=Stroke(colour="#d81e1e", width=0.35))
    if sheet.is_tile:
        cell = shapely.transform(np.array([shapely.box(*sheet.window)]), frame.on_paper)
        paper.polygons(cell, stroke=Stroke(colour=INK, width=0.25))
    number_areas(paper, members, shapes, sizes=(3.6, 7.0))


def number_areas(
    paper: Paper,
    communities: Sequence[Community],
    shapes: Geometries,
    *,
    sizes: tuple[float, float],
    is_named: bool = False,
) -> list[tuple[float, float, float, float]]:
    """Write each community's sheet number, and its name, where there is room; they are links.

    The boxes written in are returned.
    """
    centre, radius = inscribed(shapes)
    boxes = []
    for community, (x, y), reach in zip(communities, centre, radius, strict=True):
        if not reach > 0:
            continue
        unit = np.hypot(width_mm(community.number, 100) / 100, 0.27)
        size = min(sizes[1], 1.7 * reach / unit)
        half = 0.7 * float(reach)
        paper.link((x - half, y - half, x + half, y + half), community_page(community))
        if size < sizes[0]:
            continue
        name_size = fitting_size(community.name, min(8.0, 0.75 * size), 1.7 * reach, least=0.1)
        if is_named and name_size >= sizes[0]:
            size = min(size, reach * 0.8 / 0.36)
            wide = max(width_mm(community.number, size), width_mm(community.name, name_size)) / 2
            boxes.append((x - wide, y - 0.52 * name_size, x + wide, y + 0.36 * size + 0.4))
            paper.text((x, y + 0.4), community.number, size, align=0.5, bold=True)
            paper.text((x, y - 0.42 * name_size), community.name, name_size, align=0.5)
        else:
            wide = width_mm(community.number, size) / 2
            boxes.append((x - wide, y - 0.15 * size, x + wide, y + 0.15 * size))
            paper.text((x, y - 0.13 * size), community.number, size, align=0.5)
    return boxes


def frame_of(shapes: Geometries, room: tuple[float, float, float, float]) -> Frame:
    """Return a frame, at whatever scale, that shows shapes in the middle of a box on paper."""
    west, south, east, north = (float(value) for value in shapely.total_bounds(shapes))
    width, height = room[2] - room[0], room[3] - room[1]
    scale = max((east - west) / width, (north - south) / height, 0.01) * 1000 * 1.02
    whole = int(np.ceil(scale))
    return Frame(
        left=room[0],
        bottom=room[1],
        width=width,
        height=height,
        west=(west + east) / 2 - width * whole / 2000,
        south=(south + north) / 2 - height * whole / 2000,
        scale=whole,
    )


def draw_footer(
    paper: Paper, contents: Contents, layout: Layout, *, page: int, scale: int | None = None
) -> None:
    """Draw the line at the foot: scale, coordinate system, day of the data, approval, page."""
    left, y = layout.margin, layout.margin + 2.2
    right = layout.width - layout.margin
    if scale is None:
        paper.line((left, y + 6.4), (right, y + 6.4), Stroke(colour="#c4c4c4", width=0.1))
    else:
        left = draw_scale_bar(paper, (left, y), scale)
    total = len(contents.pages)
    end = f"第 {page} 页 共 {total} 页"
    paper.text((right, y), end, 7.5, align=1.0)
    right -= width_mm(end, 7.5) + 5
    for name, target in (("总图", INDEX), ("封面", COVER)):
        paper.text((right, y), name, 7.5, align=1.0, colour="#1f5fa8")
        paper.link((right - 8, y - 1, right, y + 3), target)
        right -= 10
    records = contents.records
    first = f"{crs_words(records.crs)}　资料日期 {records.day.isoformat()}"
    second = f"审图号：{contents.approval or '＿＿＿＿＿＿＿＿'}　数据校验码 {records.digest[:16]}"
    room = right - left - 4
    for text, height in ((first, y + 2.1), (second, y - 1.3)):
        size = fitting_size(text, 6.6, room, least=5.0)
        paper.text((left, height), shortened(text, size, room), size, colour=GREY)


def crs_words(text: str) -> str:
    """Return what a reader of the map needs to know of a CRS.

    Examples
    --------
    >>> crs_words("EPSG:4547")
    '坐标系 CGCS2000 / 3-degree Gauss-Kruger CM 114E（EPSG:4547）'
    """
    name = CRS(text).name
    return f"坐标系 {name}（{text}）" if text.startswith("EPSG:") else f"坐标系 {name}"


def _street_name(contents: Contents, community: Community) -> str:
    streets = contents.records.streets
    return str(streets.loc[streets["code"] == community.street_code, "name"].iloc[0])
