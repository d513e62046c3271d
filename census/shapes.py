"""Shapes too small to be components, and positions whose precision was lost on the way."""

from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from census.standing import add_once, standing
from gis.faults import Faults

LEAST_ROWS = 20
"""Files with fewer points are too short to tell a lattice from chance."""
ROUND_STEPS_M = (100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.25)
"""Steps that rounding and single precision leave; finer ones keep what the accuracy classes ask."""
LATTICE_STEPS_M = (100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0)
_TINY_M = 2e-4
_MILLIMETRES = 1000
_DECIMALS = (2, 3, 4, 5)
_MOST_ASKED = 500
_ROW = 2
"""Places on an axis that could still be a straight row, or two."""
_METRES_PER_DEGREE = 111_000
_MILLIMETRE = 1e-3
Floats = NDArray[np.float64]


def judge_sizes(
    rows: gpd.GeoDataFrame, faults: Faults, *, least_line_m: float, least_polygon_m2: float
) -> None:
    """Report lines and polygons that are next to nothing (C023, C024).

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows in metres.
    faults : Faults
        Gets C023 and C024.
    least_line_m, least_polygon_m2 : float
        Thresholds of the city profile; a shape of exactly that size is let pass.
    """
    shapes = rows.geometry.to_numpy()
    dimension = shapely.get_dimensions(shapes)
    length, area = shapely.length(shapes), shapely.area(shapes)
    kept = standing(rows, faults)
    for rule, mask, size, least in (
        ("C023", (dimension == 1) & (length < least_line_m), length, least_line_m),
        ("C024", (dimension == 2) & (area < least_polygon_m2), area, least_polygon_m2),
    ):
        values = {"size": pd.Series(size, rows.index), "least": least}
        faults.add(rule, pd.Series(mask, rows.index) & kept, **values)


def judge_precision(
    rows: gpd.GeoDataFrame, faults: Faults, *, to_degrees: Callable[[Floats], Floats], share: float
) -> None:
    """Report files whose points lie on a lattice: C029 rounded metres, C036 drawn, C037 rounded degrees.

    Of the three one is said, once for the file. Only points count, and only files of `LEAST_ROWS`.

    Parameters
    ----------
    rows : geopandas.GeoDataFrame
        Rows in metres with ``source_file``.
    faults : Faults
        Gets C029, C036 and C037.
    to_degrees : callable
        Gives longitude and latitude, on the ellipsoid of the city's CRS, of points in metres.
    share : float
        Share of a file's points that must lie on the lattice, of the city profile.
    """
    is_point = shapely.get_type_id(rows.geometry.to_numpy()) == shapely.GeometryType.POINT
    pointed = np.flatnonzero(is_point & standing(rows, faults).to_numpy())
    files = rows["source_file"].iloc[pointed]
    found: dict[str, list[tuple[Any, NDArray[np.bool_], float]]] = {}
    for _, chosen in files.groupby(files, sort=True).indices.items():
        at = pointed[chosen]
        if len(at) < LEAST_ROWS:
            continue
        points = shapely.get_coordinates(rows.geometry.to_numpy()[at])
        some = points[:: -(-len(points) // _MOST_ASKED)]
        if not _lattice_of(some, to_degrees(some), share=share)[0]:
            continue
        rule, step, hit = _lattice_of(points, to_degrees(points), share=share)
        if rule:
            found.setdefault(rule, []).append((rows.index[at], hit, step))
    for rule, parts in found.items():
        index = parts[0][0].append([part[0] for part in parts[1:]])
        mask = pd.Series(np.concatenate([part[1] for part in parts]), index)
        steps = pd.Series(np.concatenate([np.full(len(i), step) for i, _, step in parts]), index)
        add_once(faults, rule, mask, groups=rows["source_file"].reindex(index), step=steps)


def _lattice_of(
    points: Floats, degrees: Floats, *, share: float
) -> tuple[str, float, NDArray[np.bool_]]:
    """Return the rule that a file's points break, the step in its unit, and which points do."""
    step, hit = rounded_step(points, share=share)
    if step:
        return "C029", step, hit
    decimals, hit = rounded_decimals(degrees, share=share)
    if decimals:
        return "C037", decimals, hit
    step, hit = lattice_step(points, share=share)
    return ("C036", step, hit) if step else ("", 0.0, hit)


def rounded_step(points: Floats, *, share: float) -> tuple[float, NDArray[np.bool_]]:
    """Return the coarsest step in metres that `share` of the points are rounded to on one axis, else 0.

    An axis on which all points lie at one place tells nothing: a row of lamps is straight.

    Examples
    --------
    >>> xy = np.array([[544001.0, 4212001.25], [544010.0, 4212007.5], [544022.0, 4212003.0]])
    >>> rounded_step(xy, share=0.9)[0]
    1.0
    """
    varied = np.array([len(np.unique(axis)) > _ROW for axis in points.T])
    for step in ROUND_STEPS_M:
        off = np.abs(points / step - np.rint(points / step)) * step < _TINY_M
        enough = (off.mean(axis=0) >= share) & varied
        if enough.any():
            return step, np.asarray(off[:, enough].all(axis=1))
    return 0.0, np.zeros(len(points), dtype=bool)


def rounded_decimals(degrees: Floats, *, share: float) -> tuple[int, NDArray[np.bool_]]:
    """Return the decimals of degree that `share` of the points have on both axes, 0 for six or more.

    Five decimals are a metre.

    Examples
    --------
    >>> rounded_decimals(np.array([[114.5012, 38.04], [114.5, 38.0451]]), share=0.9)[0]
    4
    """
    none = np.zeros(len(degrees), dtype=bool)
    for decimals in _DECIMALS:
        scaled = degrees * 10.0**decimals
        # Metres are often cut to millimetres on the way.
        limit = _MILLIMETRE / _METRES_PER_DEGREE * 10.0**decimals
        with np.errstate(invalid="ignore"):
            hit = np.asarray((np.abs(scaled - np.rint(scaled)) < limit).all(axis=1))
        if hit.mean() >= share:
            return decimals, hit
    return 0, none


def lattice_step(points: Floats, *, share: float) -> tuple[float, NDArray[np.bool_]]:
    """Return the coarsest step of a lattice, anywhere, that `share` of the points lie on, else 0.

    Points that all lie at one place of an axis are no lattice: a row of lamps is straight.

    Examples
    --------
    >>> x, y = np.meshgrid(np.arange(5) * 10 + 0.37, np.arange(5) * 10 + 0.81)
    >>> lattice_step(np.column_stack([x.ravel(), y.ravel()]), share=0.9)[0]
    10.0
    """
    whole = np.rint(points * _MILLIMETRES).astype(np.int64)
    for step in LATTICE_STEPS_M:
        rest = whole % int(step * _MILLIMETRES)
        hit = np.ones(len(points), dtype=bool)
        for axis in (0, 1):
            values, counts = np.unique(rest[:, axis], return_counts=True)
            hit &= rest[:, axis] == values[counts.argmax()]
        if hit.mean() >= share and all(len(np.unique(whole[hit, axis])) > _ROW for axis in (0, 1)):
            return step, hit
    return 0.0, np.zeros(len(points), dtype=bool)
