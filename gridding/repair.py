"""Small changes to a handful of grids: a border led round a building, a cut along a road."""

import numpy as np
import pandas as pd
import shapely

from gridding.appraisal import cut_things
from gridding.objective import grid_cost
from gridding.options import DivisionOptions
from gridding.patching import Geometries, Indices, fit_land, shared_borders

_ALONG_M = 0.05
_LEAST_RATIO = 0.3
"""Under this share of the target a piece is no grid, even if it stands alone beside a road."""


def round_buildings(
    polygons: Geometries, buildings: Geometries, *, options: DivisionOptions
) -> Geometries:
    """Lead borders round the buildings they cut: each goes to the grid that holds most of it.

    The border keeps half a metre off (``clearance_m``) where the land is there; a building that
    reaches out of the land stays cut by the land's outline.

    Parameters
    ----------
    polygons : array of shapely.Polygon
        A coverage of one polygon of land, in metres.
    buildings : array of shapely.Polygon
        Those that must not be cut.
    options : DivisionOptions
        Clearance and precision.

    Examples
    --------
    >>> grids = shapely.box([0, 50], [0, 0], [50, 100], [100, 100])
    >>> house = shapely.box([45], [10], [52], [20])
    >>> after = round_buildings(grids, house, options=DivisionOptions())
    >>> shapely.area(after).round(2).tolist()
    [5027.5, 4972.5]
    """
    cut = buildings[cut_things(polygons, buildings)]
    if len(cut) == 0:
        return polygons
    land = shapely.union_all(polygons)
    joined = shapely.get_parts(
        shapely.union_all(shapely.buffer(cut, options.clearance_m, join_style="mitre"))
    )
    joined = shapely.get_parts(shapely.intersection(joined, land))
    joined = joined[shapely.get_type_id(joined) == 3]
    shared = shapely.area(shapely.intersection(joined[:, None], polygons[None, :]))
    owner = np.argmax(np.round(shared, 3), axis=1)
    taken = shapely.union_all(joined)
    parts = [
        shapely.union_all([shapely.difference(polygon, taken), *joined[owner == row]])
        for row, polygon in enumerate(polygons)
    ]
    return fit_land(np.array(parts, dtype=object), land, precision_m=options.precision_m)


def cut_along(
    polygons: Geometries, lines: Geometries, *, options: DivisionOptions
) -> tuple[Geometries, Geometries]:
    """Cut grids along lines, and merge what is too small with a neighbour on its own side.

    A small piece that has none stays if it has three tenths of the target area; else the line is no
    border there.

    Parameters
    ----------
    polygons : array of shapely.Polygon
        A coverage of one polygon of land, in metres.
    lines : array of shapely.LineString
        Roads that are to be borders.
    options : DivisionOptions
        A piece under ``lower_ratio`` of the target is too small.

    Returns
    -------
    tuple of arrays
        The grids, and the stretches of line that could not become borders.

    Examples
    --------
    >>> grids = shapely.box([0, 100], [0, 0], [100, 200], [100, 100])
    >>> road = shapely.linestrings([[[-10, 70], [210, 70]]])
    >>> parts, left = cut_along(grids, road, options=DivisionOptions())
    >>> sorted(shapely.area(parts).tolist()), len(left)
    ([6000.0, 7000.0, 7000.0], 0)
    """
    road = shapely.union_all(lines, grid_size=options.precision_m)
    outlines = shapely.union_all([*shapely.boundary(polygons), road], grid_size=options.precision_m)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(outlines)))
    inside = shapely.point_on_surface(faces)
    face, _ = shapely.STRtree(polygons).query(inside, predicate="within")
    faces = faces[np.unique(face)]
    borders = shared_borders(faces)
    shapely.prepare(road)
    middle = shapely.points(
        (borders[["x1", "y1"]].to_numpy() + borders[["x2", "y2"]].to_numpy()) / 2.0
    )
    on_road = shapely.dwithin(middle, road, _ALONG_M)
    label = _merge_small(faces, borders.assign(on_road=on_road), options)
    same = label[borders["left"].to_numpy()] == label[borders["right"].to_numpy()]
    given_up = borders[on_road & same]
    left = shapely.linestrings(
        given_up[["x1", "y1", "x2", "y2"]].to_numpy(dtype=np.float64).reshape(-1, 2, 2)
    )
    grids = [shapely.coverage_union_all(faces[label == number]) for number in np.unique(label)]
    return shapely.get_parts(np.array(grids, dtype=object)), left


def _merge_small(faces: Geometries, borders: pd.DataFrame, options: DivisionOptions) -> Indices:
    """Return a label for each face: the smallest is merged first, with the neighbour it suits best."""
    label = np.arange(len(faces))
    table = borders.groupby(["left", "right", "on_road"], as_index=False)["length_m"].sum()
    while True:
        area = np.bincount(label, shapely.area(faces), len(faces))
        least = options.lower_ratio * options.target_m2
        small = np.unique(label)[area[np.unique(label)] < least]
        pairs = table.assign(left=label[table["left"]], right=label[table["right"]])
        pairs = pairs[(pairs["left"] != pairs["right"]) & (pairs["length_m"] > 1.0)]
        beside = pairs[~pairs["on_road"]]
        tiny = small[area[small] < _LEAST_RATIO * options.target_m2]
        small = np.union1d(
            small[np.isin(small, beside[["left", "right"]].to_numpy())],
            tiny[np.isin(tiny, pairs[["left", "right"]].to_numpy())],
        ).astype(np.intp)
        if len(small) == 0:
            return label
        one = small[int(np.argmin(np.round(area[small], 2)))]
        label[label == one] = _partner(int(one), pairs, faces, label, options)


def _partner(
    one: int, pairs: pd.DataFrame, faces: Geometries, label: Indices, options: DivisionOptions
) -> int:
    """Return the neighbour to merge with: on the own side of the road if there is any."""
    own = pairs[(pairs["left"] == one) | (pairs["right"] == one)]
    sides = own.assign(other=np.where(own["left"] == one, own["right"], own["left"]))
    free = sides[~sides["on_road"]]
    # Where the road is all that a piece borders on, it is no border there.
    others = np.unique((sides if free.empty else free)["other"].to_numpy())
    gain = [_union_cost(np.isin(label, [one, other]), faces, options) for other in others] - (
        np.array([_union_cost(label == other, faces, options) for other in others])
    )
    return int(others[int(np.argmin(np.round(gain, 6)))])


def _union_cost(
    rows: "np.ndarray[tuple[int], np.dtype[np.bool_]]", faces: Geometries, options: DivisionOptions
) -> float:
    union = shapely.coverage_union_all(faces[rows])
    return grid_cost(union.area, union.length, target_m2=options.target_m2, options=options)
