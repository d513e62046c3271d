"""The map of a sheet: base map, grids with their numbers, changes, community, neighbours."""

from collections.abc import Sequence
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from gridding.atlas.basemap import draw_base_map, draw_road_names, on_paper
from gridding.atlas.contents import Community, Contents, community_page, sheet_page
from gridding.atlas.drawing import Geometries, Paper, Stroke, fitting_size, shortened
from gridding.atlas.frames import (
    Neighbour,
    draw_coordinate_grid,
    draw_frame,
    draw_neighbours,
)
from gridding.atlas.labels import Label, inscribed, overlaps, place_labels
from gridding.atlas.panels import (
    COMMUNITY_LINE,
    GRID_LINE,
    HATCH_GAP_MM,
    HATCH_LINE,
    NEIGHBOUR_LINE,
    OLD_LINE,
)
from gridding.atlas.sheets import Frame, Layout, Sheet

_VEIL = 0.66
_CELL_LINE = Stroke(colour="#8a8a8a", width=0.12, dash=(2.0, 1.2))
_LEADER = Stroke(colour=GRID_LINE.colour, width=0.1)
_NOTE_CODES = 2
_LEAST_REACH_MM = 3.0


class Drawn(NamedTuple):
    """What a map shows."""

    keys: set[str]
    """Entries of the legend."""
    labels: list[Label]


def sheet_frame(sheet: Sheet, layout: Layout) -> Frame:
    """Return where a sheet's map stands on its page."""
    width, height = layout.map_size
    left, bottom = layout.map_corner
    return Frame(
        left=left,
        bottom=bottom,
        width=width,
        height=height,
        west=sheet.window[0],
        south=sheet.window[1],
        scale=sheet.scale,
    )


def label_grids(community: Community, frame: Frame) -> list[Label]:
    """Return the labels of a community's grids on a map, as its page has them."""
    shapes = on_paper(community.grids.geometry.to_numpy(), frame)
    notes = [
        _note(kind, before, community)
        for kind, before in zip(community.grids["kind"], community.grids["before"], strict=True)
    ]
    return place_labels(shapes, community.grids["sequence"].tolist(), notes=notes)


def draw_sheet_map(
    paper: Paper,
    contents: Contents,
    community: Community,
    sheet: Sheet,
    *,
    base_map: gpd.GeoDataFrame,
    layout: Layout,
) -> Drawn:
    """Draw the map of a sheet with everything round it."""
    frame = sheet_frame(sheet, layout)
    box = (frame.left, frame.bottom, frame.left + frame.width, frame.bottom + frame.height)
    shapes = on_paper(community.grids.geometry.to_numpy(), frame)
    land = shapely.get_parts(on_paper(np.array([community.land]), frame))
    labels = label_grids(community, frame)
    beside = [one for one in contents.near(sheet.window) if one.code != community.code]
    with paper.saved():
        paper.clip(box)
        keys = draw_base_map(paper, base_map, frame)
        with paper.saved():
            paper.clip_outside(box, shapely.get_parts(shapely.union_all(np.r_[land, shapes])))
            paper.box(box, fill="#ffffff", alpha=_VEIL)
    draw_coordinate_grid(paper, frame, band=layout.band)
    with paper.saved():
        paper.clip(box)
        outlines = on_paper(np.array([one.land for one in beside], dtype=object), frame)
        paper.polygons(_areas(outlines), stroke=NEIGHBOUR_LINE)
        keys |= _draw_changes(paper, contents, community, frame, shapes)
        paper.polygons(_areas(shapes), stroke=GRID_LINE)
        paper.polygons(_areas(land), stroke=COMMUNITY_LINE)
        if sheet.is_tile:
            cell = shapely.transform(np.array([shapely.box(*sheet.cell)]), frame.on_paper)
            paper.polygons(cell, stroke=_CELL_LINE)
        boxes = [label.box for label in labels]
        draw_road_names(paper, base_map, frame, taken=boxes)
        _draw_labels(paper, labels)
        _name_areas(paper, beside, outlines, taken=boxes)
    draw_frame(paper, frame, band=layout.band)
    draw_neighbours(paper, frame, _neighbours(community, sheet, beside), band=layout.band)
    return Drawn(keys=keys, labels=labels)


def _areas(shapes: Sequence[shapely.Geometry] | Geometries) -> Geometries:
    parts = shapely.get_parts(shapely.get_parts(np.asarray(shapes, dtype=object)))
    return np.asarray(parts[shapely.get_type_id(parts) == 3], dtype=object)


def _draw_changes(
    paper: Paper,
    contents: Contents,
    community: Community,
    frame: Frame,
    shapes: Geometries,
) -> set[str]:
    if contents.changes is None:
        return set()
    changed = shapes[(community.grids["kind"] != "").to_numpy()]
    old = contents.changes.old_shapes
    near = old.geometry.intersects(shapely.box(*frame.window)).to_numpy()
    before = on_paper(old.geometry.to_numpy()[near], frame)
    paper.hatch(_areas(changed), HATCH_LINE, gap=HATCH_GAP_MM)
    paper.polygons(_areas(before), stroke=OLD_LINE)
    return {"changed", "old"}


def _draw_labels(paper: Paper, labels: Sequence[Label]) -> None:
    for label in labels:
        if label.anchor is not None:
            paper.line(label.anchor, (label.x, label.y), _LEADER)
    for label in labels:
        left, bottom, right, top = label.box
        paper.box((left - 0.25, bottom - 0.2, right + 0.25, top + 0.2), fill="#ffffff", alpha=0.72)
    for label in labels:
        _, bottom, _, top = label.box
        colour = GRID_LINE.colour
        if label.note:
            paper.text(
                (label.x, bottom + 0.04 * label.note_size),
                label.note,
                label.note_size,
                align=0.5,
                colour=OLD_LINE.colour,
            )
        height = 0.74 * label.size * 25.4 / 72
        base = top - height + 0.01 * label.size
        paper.text((label.x, base), label.text, label.size, align=0.5, colour=colour, bold=True)


def _name_areas(
    paper: Paper,
    beside: Sequence[Community],
    outlines: Geometries,
    *,
    taken: list[tuple[float, float, float, float]],
) -> None:
    """Write name and sheet number into what is seen of each neighbour, where there is room."""
    centre, radius = inscribed(outlines)
    for community, (x, y), reach in zip(beside, centre, radius, strict=True):
        if reach < _LEAST_REACH_MM:
            continue
        size = fitting_size(community.name, 9.0, 1.8 * reach, least=4.2)
        name = shortened(community.name, size, 1.8 * reach)
        half = 0.9 * reach
        if overlaps((x - half, y - 4, x + half, y + 4), taken):
            continue
        number = f"图号 {community.number}"
        paper.text((x, y + 0.4), name, size, align=0.5, colour="#9c6a6a")
        paper.text((x, y - 3.0), number, 0.8 * size, align=0.5, colour="#9c6a6a")
        paper.link((x - half, y - 4, x + half, y + 4), community_page(community))


def _neighbours(community: Community, sheet: Sheet, beside: Sequence[Community]) -> list[Neighbour]:
    tiles = [
        Neighbour(
            text=f"{tile.number} 接图",
            target=sheet_page(tile),
            shape=shapely.intersection(community.extent, shapely.box(*tile.cell)),
        )
        for tile in community.sheets
        if tile.number != sheet.number
    ]
    others = [
        Neighbour(text=f"{one.number} {one.name}", target=community_page(one), shape=one.land)
        for one in beside
    ]
    return tiles + others


def _note(kind: str, before: Sequence[str], community: Community) -> str:
    """Return the smaller line of a changed grid: the codes it comes from."""
    if not kind:
        return ""
    if not before:
        return kind
    prefix = community.code
    short = [code[len(prefix) :] if code.startswith(prefix) else code for code in before]
    more = "等" if len(short) > _NOTE_CODES else ""
    return "原" + "、".join(short[:_NOTE_CODES]) + more
