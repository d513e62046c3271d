"""The base topography as a division sees it: ranked and priced lines, and what must not be cut."""

from dataclasses import replace

import geopandas as gpd
import numpy as np
import shapely

from gridding.lines import (
    KINDS,
    Flags,
    Floats,
    Geometries,
    Indices,
    Lines,
    joined_lines,
    sorted_areas,
    sorted_lines,
)
from gridding.options import DivisionOptions
from gridding.pieces import Pieces, read_pieces, read_points
from gridding.scenery import Scene
from gridding.traffic import MAIN_ROAD, centred_lines, priced_lines, read_traffic
from gridding.uses import zone_target_m2

__all__ = ["KINDS", "Floats", "Geometries", "Indices", "Lines", "Scene", "add_lines", "read_scene"]

LOCKED_PRICE = -1000.0
_RANKS = {"locked": 120, "existing": 110}
_WATER = ("21", "22", "23", "24")
_RIVERS = ("21", "22")


def read_scene(
    features: gpd.GeoDataFrame,
    *,
    components: gpd.GeoDataFrame | None = None,
    options: DivisionOptions,
) -> Scene:
    """Sort topography into priced lines, things not to cut and zones, in an order of its own.

    What has no geometry, an empty one or coordinates that are no numbers is left out; heights are dropped.
    All coordinates come to lie on the precision grid. Tunnels, flyovers and decks are no borders.

    Parameters
    ----------
    features : geopandas.GeoDataFrame
        ``feature_class`` (GB/T 13923), ``geometry`` and, where there are any, ``attributes``; metric CRS.
        The order of the rows plays no part.
    components : geopandas.GeoDataFrame or None
        Components 部件: points, lines (their middle) or polygons (a point inside); a column ``load`` weighs them.
    options : DivisionOptions
        Precision, target area, zone targets, and what main roads and water are.
    """
    pieces = read_pieces(features)
    precision_m = options.precision_m

    def areas(which: Flags) -> Geometries:
        values = np.zeros(int(which.sum()))
        return sorted_areas(pieces.geometry[which], values, precision_m=precision_m)[0]

    compound = pieces.has_role("compound", shape="area")
    outlined = pieces.has_role("border", "whole", shape="area")
    large = pieces.area_m2 >= np.array([use.minimum_m2 for use in pieces.use], dtype=np.float64)
    whole = pieces.area_m2 <= options.compound_limit * options.target_m2
    is_water = pieces.is_area & np.isin(pieces.feature_class.astype("U2"), _WATER)
    shared = is_water & large & (options.water == "shared")
    is_river = np.isin(pieces.feature_class.astype("U2"), _RIVERS)
    centred = shared & is_river
    # The outline of a compound is a border even where it is kept whole: that never cuts it.
    outlines = pieces.take((compound | (outlined & large)) & ~centred & ~(shared & whole))
    traffic = read_traffic(pieces, features, options=options)
    lines = joined_lines(
        traffic.lines,
        priced_lines(shapely.boundary(outlines.geometry), outlines),
        centred_lines(pieces.take(centred), traffic.lines.lines[:0], options=options),
    )
    zones, zone_targets = _zones(pieces.take(pieces.is_area & ~centred), traffic.strips, options)
    points, loads = read_points(components)
    return Scene(
        lines=sorted_lines(lines, precision_m=precision_m),
        buildings=areas(pieces.has_role("building", shape="area")),
        kept_whole=areas(((compound | shared) & whole & ~centred) | (outlined & ~large)),
        water=areas(is_water & large & ~centred),
        zones=zones,
        zone_target_m2=zone_targets,
        points=points,
        loads=loads,
    )


def add_lines(
    scene: Scene,
    lines: Geometries,
    *,
    kind: str,
    price: float = LOCKED_PRICE,
    options: DivisionOptions,
) -> Scene:
    """Return the scene with more lines, as a rule ``locked`` or ``existing`` borders.

    Lines of these two kinds are never moved or dropped by conflation.

    Examples
    --------
    >>> options = DivisionOptions()
    >>> scene = read_scene(
    ...     gpd.GeoDataFrame({"feature_class": []}, geometry=[], crs="EPSG:4547"), options=options
    ... )
    >>> border = np.array([shapely.LineString([(0, 0), (10, 0)])], dtype=object)
    >>> wide = add_lines(scene, border, kind="locked", options=options)
    >>> wide.lines.price.tolist(), KINDS[wide.lines.kind[0]]
    ([-1000.0], 'locked')
    """
    count = len(lines)
    more = Lines(
        lines=np.asarray(lines, dtype=object),
        kind=np.full(count, KINDS.index(kind), dtype=np.intp),
        rank=np.full(count, _RANKS.get(kind, 0), dtype=np.intp),
        price=np.full(count, price, dtype=np.float64),
    )
    return replace(
        scene, lines=joined_lines(scene.lines, sorted_lines(more, precision_m=options.precision_m))
    )


def _zones(
    pieces: Pieces, strips: Geometries, options: DivisionOptions
) -> tuple[Geometries, Floats]:
    """Return the areas with a target of their own; those of roads only where they are grids."""
    pieces = pieces.take(~pieces.has_role("road", shape="area"))
    distinct, index = np.unique(pieces.feature_class, return_inverse=True)
    targets = [zone_target_m2(code, options=options) for code in distinct.tolist()]
    target = np.array([np.nan if value is None else value for value in targets])[index]
    of_road = zone_target_m2(MAIN_ROAD, options=options)
    geometry = np.concatenate([pieces.geometry, strips])
    target = np.append(target, np.full(len(strips), np.nan if of_road is None else of_road))
    kept = np.isfinite(target)
    return sorted_areas(geometry[kept], target[kept], precision_m=options.precision_m)
