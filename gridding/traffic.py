"""Roads and railways as lines: drawn as lines, drawn as areas, or made grids of their own."""

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely

from gridding.centrelines import trace_centrelines
from gridding.levels import ground_parts, levels_of, numbers_of
from gridding.lines import KINDS, Flags, Geometries, Lines, joined_lines, sorted_areas
from gridding.options import DivisionOptions
from gridding.pieces import Pieces

MAIN_ROAD = "430501"
"""The class whose zone target holds for main roads that are grids of their own."""
_STRIP_RANK = 95
_MAIN = KINDS.index("main_road")
_CROSSING = tuple(KINDS.index(name) for name in ("locked", "existing", "water", "railway"))


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Lines of roads, railways and rivers drawn as lines, and the carriageways that are grids."""

    lines: Lines
    strips: Geometries
    """Carriageways of main roads that are to be grids of their own."""


def read_traffic(
    pieces: Pieces, features: gpd.GeoDataFrame, *, options: DivisionOptions
) -> Traffic:
    """Return all delivered lines on the ground, and centrelines of road areas that have no line.

    Where main roads are to be grids of their own, their areas and their lines of known width
    (``width_m``) become strips: both edges are strong lines and the lines inside are dropped.

    Parameters
    ----------
    pieces : Pieces
        Of `features`.
    features : geopandas.GeoDataFrame
        For the attributes.
    options : DivisionOptions
        ``main_roads`` and the precision grid.
    """
    drawn = pieces.take(pieces.has_role("border", shape="line"))
    parts, index = ground_parts(drawn.geometry, levels_of(features, drawn.row))
    drawn = drawn.take(index)
    lines = priced_lines(parts, drawn)
    roads = pieces.take(pieces.has_role("road", shape="area"))
    roads = roads.take(levels_of(features, roads.row) == 0)
    if options.main_roads == "own":
        return _with_strips(lines, drawn, roads, features, options)
    known = lines.lines[_are_roads(lines)]
    return Traffic(
        lines=joined_lines(lines, centred_lines(roads, known, options=options)),
        strips=np.empty(0, dtype=object),
    )


def priced_lines(shapes: Geometries, pieces: Pieces) -> Lines:
    """Return lines with kind, rank and price of the pieces they come from."""
    return Lines(
        lines=shapes,
        kind=np.array([KINDS.index(use.kind) for use in pieces.use], dtype=np.intp),
        rank=np.array([use.rank for use in pieces.use], dtype=np.intp),
        price=np.array([use.price for use in pieces.use], dtype=np.float64),
    )


def centred_lines(pieces: Pieces, known: Geometries, *, options: DivisionOptions) -> Lines:
    """Return the centrelines of areas, where none of the known lines serves them already."""
    if len(pieces.geometry) == 0:
        return priced_lines(pieces.geometry, pieces)
    _, first, number = np.unique(pieces.feature_class, return_index=True, return_inverse=True)
    areas, found = sorted_areas(
        pieces.geometry, number.astype(np.float64), precision_m=options.precision_m
    )
    source = first[found.astype(np.intp)]
    rank = np.array([use.rank for use in pieces.use], dtype=np.intp)
    strongest = np.argsort(-rank[source], kind="stable")
    areas, source = areas[strongest], source[strongest]
    lines, area = trace_centrelines(areas, known=known, precision_m=options.precision_m)
    return priced_lines(lines, pieces.take(source[area]))


def _with_strips(
    lines: Lines,
    drawn: Pieces,
    roads: Pieces,
    features: gpd.GeoDataFrame,
    options: DivisionOptions,
) -> Traffic:
    is_main = np.array([use.kind == "main_road" for use in roads.use], dtype=bool)
    width_m = np.full(len(lines.kind), np.nan)
    main = np.flatnonzero(lines.kind == _MAIN)
    width_m[main] = numbers_of(features, drawn.row[main], name="width_m")
    wide = width_m > 0
    carriageways = np.concatenate(
        [
            roads.geometry[is_main],
            shapely.buffer(lines.lines[wide], width_m[wide] / 2.0, cap_style="square"),
        ]
    )
    whole = shapely.get_parts(
        shapely.union_all(shapely.make_valid(carriageways), grid_size=options.precision_m)
    )
    whole = whole[shapely.get_type_id(whole) == 3]
    known = lines.lines[_are_roads(lines)]
    others = joined_lines(lines, centred_lines(roads.take(~is_main), known, options=options))
    edges = shapely.boundary(whole)
    strong = Lines(
        lines=edges,
        kind=np.full(len(edges), _MAIN, dtype=np.intp),
        rank=np.full(len(edges), _STRIP_RANK, dtype=np.intp),
        price=np.full(len(edges), -1.0),
    )
    return Traffic(lines=joined_lines(_outside(others, whole, options), strong), strips=whole)


def _outside(lines: Lines, strips: Geometries, options: DivisionOptions) -> Lines:
    """Return lines without what lies in the strips; water and railways pass under and over them."""
    row, _ = shapely.STRtree(strips).query(lines.lines, predicate="intersects")
    inside = np.zeros(len(lines.kind), dtype=bool)
    inside[row] = True
    inside &= ~np.isin(lines.kind, _CROSSING)
    area = shapely.union_all(strips)
    keys, group = np.unique(
        np.column_stack([lines.kind, lines.rank, lines.price])[inside], axis=0, return_inverse=True
    )
    found = [lines.take(np.flatnonzero(~inside))]
    for number in range(len(keys)):
        members = np.flatnonzero(inside)[group.ravel() == number]
        # All of one kind at once: the strips are one large area, to be overlaid only a few times.
        left = shapely.difference(
            shapely.multilinestrings(shapely.get_parts(lines.lines[members])),
            area,
            grid_size=options.precision_m,
        )
        parts = shapely.get_parts(shapely.line_merge(left))
        one = lines.take(np.repeat(members[:1], len(parts)))
        found.append(Lines(lines=parts, kind=one.kind, rank=one.rank, price=one.price))
    return joined_lines(*found)


def _are_roads(lines: Lines) -> Flags:
    return np.isin(
        lines.kind, [KINDS.index(name) for name in ("main_road", "street", "internal_road")]
    )
