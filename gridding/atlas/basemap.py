"""The base map 底图 under the grids, drawn by feature class, and the names of its roads.

``styles.csv`` says for every class prefix of GB/T 13923 (the longest prefix wins) how its areas and
its lines are drawn and in which order; what it does not name is not drawn.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.codes import read_table
from gridding.atlas.drawing import Paper, Stroke, width_mm
from gridding.atlas.sheets import Frame

Geometries = NDArray[np.object_]
Box = tuple[float, float, float, float]

_LINES = (1, 5)
_AREAS = (3, 6)
_TOLERANCE_MM = 0.03
_LEAST_MM2 = 0.02
_NAME_SIZE = 5.2
_NAME_COLOUR = "#5a5a5a"
_GREATEST_TURN = np.cos(np.radians(12.0))


@dataclass(frozen=True, kw_only=True)
class Style:
    """How one class prefix is drawn."""

    order: int
    prefix: str
    shape: str
    key: str
    """Entry of the legend."""
    fill: str | None
    stroke: Stroke | None


@cache
def read_styles() -> tuple[Style, ...]:
    """Return the styles in the order in which they are drawn."""
    styles = [
        Style(
            order=int(row["order"]),
            prefix=row["prefix"],
            shape=row["shape"],
            key=row["key"],
            fill=row["fill"] or None,
            stroke=_stroke(row),
        )
        for row in read_table("gridding.atlas", "styles.csv")
    ]
    return tuple(sorted(styles, key=lambda style: (style.order, style.prefix, style.shape)))


def _stroke(row: dict[str, str]) -> Stroke | None:
    if not row["stroke"]:
        return None
    dash = tuple(float(length) for length in row["dash_mm"].split())
    return Stroke(colour=row["stroke"], width=float(row["width_mm"]), dash=dash)


@cache
def styles_of(feature_class: str, shape: str) -> tuple[Style, ...]:
    """Return the styles of a class: those of its longest known prefix.

    Examples
    --------
    >>> [style.key for style in styles_of("430501", "line")], styles_of("720000", "line")
    (['road'], ())
    """
    for length in range(len(feature_class), 0, -1):
        prefix = feature_class[:length]
        found = tuple(s for s in read_styles() if s.prefix == prefix and s.shape == shape)
        if found:
            return found
    return ()


def on_paper(shapes: Geometries, frame: Frame) -> Geometries:
    """Return what of shapes a frame shows, in mm on the page, without detail too fine to print."""
    west, south, east, north = frame.window
    inside = shapely.box(west, south, east, north)
    bounds = shapely.bounds(shapes)
    whole = (
        (bounds[:, 0] >= west)
        & (bounds[:, 1] >= south)
        & (bounds[:, 2] <= east)
        & (bounds[:, 3] <= north)
    )
    cut = shapes.copy()
    if not whole.all():
        cut[~whole] = shapely.intersection(shapely.make_valid(shapes[~whole]), inside)
    moved: Geometries = shapely.transform(cut, frame.on_paper)
    return np.asarray(shapely.simplify(moved, _TOLERANCE_MM, preserve_topology=True), dtype=object)


def draw_base_map(paper: Paper, features: gpd.GeoDataFrame, frame: Frame) -> set[str]:
    """Draw the features of a frame; return the legend's entries that occur."""
    if features.empty:
        return set()
    shapes = shapely.force_2d(features.geometry.to_numpy())
    kind = shapely.get_type_id(shapes)
    usable = np.isin(kind, _LINES + _AREAS) & ~shapely.is_empty(shapes)
    shapes, kind = shapes[usable], kind[usable]
    classes = features["feature_class"].astype(str).to_numpy()[usable]
    forms = np.where(np.isin(kind, _LINES), "line", "area")
    drawn = on_paper(shapes, frame)
    visible = ~shapely.is_empty(drawn)
    visible &= (forms == "line") | (shapely.area(drawn) >= _LEAST_MM2)
    groups = pd.DataFrame({"class": classes[visible], "form": forms[visible]})
    rows = groups.groupby(["class", "form"], sort=True).indices
    drawn = drawn[visible]
    jobs = sorted(
        (
            (style.order, style.prefix, str(feature_class), style, positions)
            for (feature_class, form), positions in rows.items()
            for style in styles_of(str(feature_class), str(form))
        ),
        key=lambda job: job[:3],
    )
    for _, _, _, style, positions in jobs:
        if style.shape == "area":
            parts = shapely.get_parts(drawn[positions])
            paper.polygons(parts, fill=style.fill, stroke=style.stroke)
        elif style.stroke is not None:
            paper.lines(drawn[positions], style.stroke)
    return {job[3].key for job in jobs}


def draw_road_names(
    paper: Paper, features: gpd.GeoDataFrame, frame: Frame, *, taken: Sequence[Box]
) -> None:
    """Write each road's name once, along its longest straight piece with room for it.

    Parameters
    ----------
    paper : Paper
        Page.
    features : geopandas.GeoDataFrame
        Base map of the window.
    frame : Frame
        Where the map stands.
    taken : sequence of tuple
        Boxes in mm that names keep clear of.
    """
    is_road = features["feature_class"].astype(str).str.startswith(("41", "42", "43", "44"))
    named = features[is_road & features["name"].notna() & (features["name"] != "")]
    named = named[shapely.get_type_id(named.geometry.to_numpy()) % 4 == 1]
    if named.empty:
        return
    blocked = list(shapely.box(*np.array(taken).reshape(-1, 4).T)) if len(taken) else []
    shapes = on_paper(shapely.force_2d(named.geometry.to_numpy()), frame)
    groups = pd.Series(range(len(named)), index=named["name"].astype(str).to_numpy())
    for name, positions in groups.groupby(level=0, sort=True):
        whole = shapely.union_all(shapes[positions.to_numpy()])
        if whole.is_empty:
            continue
        box = _place_along(whole, width_mm(name, _NAME_SIZE) + 1.0, blocked)
        if box is None:
            continue
        blocked.append(box[3])
        paper.text(box[:2], name, _NAME_SIZE, align=0.5, colour=_NAME_COLOUR, angle=box[2])


def _place_along(
    lines: shapely.Geometry, length: float, blocked: Sequence[shapely.Geometry]
) -> tuple[float, float, float, shapely.Geometry] | None:
    """Return base point, angle and box of a name on the longest straight piece that is free."""
    merged = shapely.get_parts(
        shapely.line_merge(
            shapely.MultiLineString(
                [part for part in shapely.get_parts(lines) if part.geom_type == "LineString"]
            )
        )
    )
    pieces = sorted(
        (piece for line in merged for piece in _straight(shapely.get_coordinates(line))),
        key=lambda piece: (-np.hypot(*(piece[1] - piece[0])), tuple(piece[0])),
    )
    others = np.array(blocked, dtype=object)
    for start, end in pieces:
        reach = float(np.hypot(*(end - start)))
        if reach < length:
            return None
        direction = (end - start) / reach
        if direction[0] < -1e-9 or (abs(direction[0]) <= 1e-9 and direction[1] < 0):
            direction, start = -direction, end
        across = np.array([-direction[1], direction[0]])
        for share in (0.5, 0.3, 0.7, 0.15, 0.85):
            middle = start + direction * (length / 2 + share * (reach - length))
            corners = [
                middle + direction * length * i / 2 + across * j
                for i, j in ((-1, -1.2), (1, -1.2), (1, 1.2), (-1, 1.2))
            ]
            area = shapely.Polygon(corners)
            if not shapely.intersects(area, others).any():
                base = middle - across * 0.68
                angle = float(np.degrees(np.arctan2(direction[1], direction[0])))
                return float(base[0]), float(base[1]), angle, area
    return None


def _straight(points: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the ends of the pieces of a line between its sharp turns."""
    steps = np.diff(points, axis=0)
    sizes = np.hypot(steps[:, 0], steps[:, 1])
    points, steps = points[np.r_[True, sizes > 0]], steps[sizes > 0]
    if not len(steps):
        return []
    ways = steps / np.hypot(steps[:, 0], steps[:, 1])[:, None]
    turns = np.flatnonzero((ways[1:] * ways[:-1]).sum(axis=1) < _GREATEST_TURN) + 1
    ends = [0, *turns.tolist(), len(points) - 1]
    return [(points[a], points[b]) for a, b in pairwise(ends) if b > a]
