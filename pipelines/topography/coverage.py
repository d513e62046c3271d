"""Holes in the map: squares without any feature, with features all around."""

import geopandas as gpd
import numpy as np
import shapely
from scipy.ndimage import center_of_mass, convolve, label, uniform_filter

from pipelines.topography.maprows import MapRows

_FINEST_M, _COARSEST_M = 100.0, 1000.0
_PER_CELL = 20
"""Squares are so large that one holds this many features on average."""
_AROUND = 7
"""Of the eight squares around, this many hold features."""
_LEAST = 3
"""Squares around hold this many features each on average."""


def check_coverage(rows: MapRows, ground: shapely.Geometry | None) -> None:
    """Record squares without any feature among squares that have some.

    Squares are 100 m to 1 km wide, by how dense the map is: a map of roads alone has wide meshes.

    What lies around is told at the feature nearest to the square. Areas fill the squares they cover, so
    that a lake or a field is no hole.

    Parameters
    ----------
    rows : MapRows
        The features.
    ground : shapely geometry or None
        The city; squares whose middle lies outside are not looked at. None: no areas are loaded.
    """
    if len(rows.shapes) == 0:
        return
    bounds = shapely.bounds(rows.shapes)
    low, high = np.nanmin(bounds[:, :2], axis=0), np.nanmax(bounds[:, 2:], axis=0)
    share = float(np.prod(high - low)) / len(rows.shapes)
    cell_m = float(np.clip(np.sqrt(_PER_CELL * share), _FINEST_M, _COARSEST_M))
    west, south = np.floor(low / cell_m) * cell_m
    size = np.ceil((high - (west, south)) / cell_m).astype(int) + 1
    if size.prod() > 4_000_000:
        return  # features lie far apart: the map has no squares to speak of
    counts = _counts(rows, (west, south), size, cell_m)
    around = convolve(
        (counts > 0).astype(int), np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1]]), mode="constant"
    )
    mean = uniform_filter(counts.astype(float), 3, mode="constant") * 9 / 8
    is_hole = (counts == 0) & (around >= _AROUND) & (mean >= _LEAST)
    # Squares that touch are one hole, told at its middle.
    number, count = label(is_hole, np.ones((3, 3)))
    cells = np.array(center_of_mass(is_hole, number, np.arange(1, count + 1))).reshape(-1, 2)
    middle = (cells + 0.5) * cell_m + (west, south)
    if ground is not None:
        middle = middle[shapely.contains_xy(ground, middle[:, 0], middle[:, 1])]
    if len(middle) == 0:
        return
    tree = shapely.STRtree(rows.shapes)
    near = tree.query_nearest(shapely.points(middle), all_matches=False)[1]
    rows.note_each("TP60", near, x=middle[:, 0], y=middle[:, 1], size=cell_m / 2)


def _counts(
    rows: MapRows, corner: tuple[float, float], size: np.ndarray, cell_m: float
) -> np.ndarray:
    """Return the features in each square: points and vertices, and the middles that areas cover."""
    points, owner = shapely.get_coordinates(rows.shapes, return_index=True)
    cell = np.floor((points - corner) / cell_m).astype(int)
    keys = np.unique(np.column_stack([cell, owner]), axis=0)
    counts = np.zeros(size, dtype=np.int64)
    np.add.at(counts, (keys[:, 0], keys[:, 1]), 1)
    empty = np.argwhere(counts == 0)
    spots = shapely.points((empty + 0.5) * cell_m + corner)
    wide = rows.shapes[rows.dimension > 0]
    covered = np.unique(
        shapely.STRtree(wide).query(spots, predicate="dwithin", distance=cell_m / 2)[0]
    )
    counts[tuple(empty[covered].T)] += 1
    return counts


def ground_of(areas: gpd.GeoDataFrame) -> shapely.Geometry | None:
    """Return the ground of all areas; None without any."""
    return None if len(areas) == 0 else shapely.union_all(areas.geometry.to_numpy())
