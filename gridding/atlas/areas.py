"""Areas on index maps: fills, outlines of streets, the polygons of what is drawn."""

import numpy as np
import shapely

from gridding.atlas.contents import (
    Contents,
)
from gridding.atlas.drawing import (
    Geometries,
    Paper,
    Stroke,
)
from gridding.atlas.sheets import Frame

STREET_LINE = Stroke(colour="#5b2a86", width=0.5)


def outline_streets(paper: Paper, contents: Contents, frame: Frame) -> None:
    """Draw the outlines of the streets."""
    streets = contents.records.streets
    shapes = shapely.transform(streets.geometry.to_numpy(), frame.on_paper)
    paper.polygons(polygons_of(shapely.simplify(shapes, 0.05)), stroke=STREET_LINE)


def fill_areas(paper: Paper, shapes: Geometries, fills: Geometries) -> None:
    """Fill areas, each with its colour."""
    for colour in sorted(set(fills)):
        paper.polygons(polygons_of(shapes[fills == colour]), fill=colour)


def polygons_of(shapes: Geometries) -> Geometries:
    """Return the polygons that areas are made of; what is no polygon is left out."""
    parts = shapely.get_parts(shapes)
    return np.asarray(parts[shapely.get_type_id(parts) == 3], dtype=object)


def frame_box(frame: Frame) -> tuple[float, float, float, float]:
    """Return left, bottom, right and top of a map on its page, mm."""
    return (frame.left, frame.bottom, frame.left + frame.width, frame.bottom + frame.height)
