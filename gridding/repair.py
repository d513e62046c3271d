"""Small changes to a handful of grids: a border led round a building, a cut along a road."""

import numpy as np
import pandas as pd
import shapely

from gridding.appraisal import cut_things
from gridding.objective import grid_costs, weights_of
from gridding.options import DivisionOptions
from gridding.patching import Floats, Geometries, Indices, fit_land, shared_borders
from gridding.scene import Scene
from gridding.zones import zone_shares

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
    polygons: Geometries, lines: Geometries, *, scene: Scene | None = None, options: DivisionOptions
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
    scene : Scene or None
        Gives the zones with targets of their own; None: the usual target holds everywhere.
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
    share = shapely.area(faces) / options.target_m2
    if scene is not None:
        share = zone_shares(faces, scene, options=options).grids
    label = _merge_small(faces, share, borders.assign(on_road=on_road), options)
    same = label[borders["left"].to_numpy()] == label[borders["right"].to_numpy()]
    given_up = borders[on_road & same]
    left = shapely.linestrings(
        given_up[["x1", "y1", "x2", "y2"]].to_numpy(dtype=np.float64).reshape(-1, 2, 2)
    )
    grids = [shapely.coverage_union_all(faces[label == number]) for number in np.unique(label)]
    return shapely.get_parts(np.array(grids, dtype=object)), left


def _merge_small(
    faces: Geometries, share: Floats, borders: pd.DataFrame, options: DivisionOptions
) -> Indices:
    """Return a label for each face: the smallest is merged first, with the neighbour it suits best.

    `share` says how much of a grid each face is: its area over the target there.
    """
    label = np.arange(len(faces))
    table = borders.groupby(["left", "right", "on_road"], as_index=False)["length_m"].sum()
    while True:
        size = np.bincount(label, share, len(faces))
        small = np.unique(label)[size[np.unique(label)] < options.lower_ratio]
        pairs = table.assign(left=label[table["left"]], right=label[table["right"]])
        pairs = pairs[(pairs["left"] != pairs["right"]) & (pairs["length_m"] > 1.0)]
        beside = pairs[~pairs["on_road"]]
        tiny = small[size[small] < _LEAST_RATIO]
        small = np.union1d(
            small[np.isin(small, beside[["left", "right"]].to_numpy())],
            tiny[np.isin(tiny, pairs[["left", "right"]].to_numpy())],
        ).astype(np.intp)
        if len(small) == 0:
            return label
        one = small[int(np.argmin(np.round(size[small], 6)))]
        label[label == one] = _partner(int(one), pairs, (faces, share), label, options)


def _partner(
    one: int,
    pairs: pd.DataFrame,
    ground: tuple[Geometries, Floats],
    label: Indices,
    options: DivisionOptions,
) -> int:
    """Return the neighbour to merge with: on the own side of the road if there is any."""
    own = pairs[(pairs["left"] == one) | (pairs["right"] == one)]
    sides = own.assign(other=np.where(own["left"] == one, own["right"], own["left"]))
    free = sides[~sides["on_road"]]
    # Where the road is all that a piece borders on, it is no border there.
    others = np.unique((sides if free.empty else free)["other"].to_numpy())
    gain = [_union_cost(np.isin(label, [one, other]), ground, options) for other in others] - (
        np.array([_union_cost(label == other, ground, options) for other in others])
    )
    return int(others[int(np.argmin(np.round(gain, 6)))])


def _union_cost(
    rows: "np.ndarray[tuple[int], np.dtype[np.bool_]]",
    ground: tuple[Geometries, Floats],
    options: DivisionOptions,
) -> float:
    faces, share = ground
    union = shapely.coverage_union_all(faces[rows])
    area, length = np.array([union.area]), np.array([union.length])
    total = np.array([share[rows].sum()])
    return float(grid_costs(area, length, total, weights=weights_of(options))[0])
