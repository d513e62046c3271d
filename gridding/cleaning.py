"""Cleaning of communities: overlaps and narrow gaps are closed, and every fix is listed."""

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gridding.coverage import snap_coverage
from gridding.exceptions import worded
from gridding.graph import Indices
from gridding.lines import Geometries

Flags = NDArray[np.bool_]
FIX_COLUMNS = (
    "kind",
    "code",
    "other",
    "area_m2",
    "reason_en",
    "reason_zh",
    "suggestion_en",
    "suggestion_zh",
    "geometry",
)
_LEAST_M2 = 0.01


def clean_communities(
    communities: gpd.GeoDataFrame,
    *,
    gap_width_m: float = 1.0,
    precision_m: float = 0.01,
    takers: Collection[str] | None = None,
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Make communities 社区 a valid coverage on the precision grid, and list what that changed.

    Land that several claim goes to the lowest code. A gap between two or more that is narrower than
    `gap_width_m`, enclosed or open, goes to the one it shares most border with; wider ones stay.

    Parameters
    ----------
    communities : geopandas.GeoDataFrame
        ``code`` and ``geometry`` (Polygon or MultiPolygon), metric CRS; any order.
    gap_width_m : float
        Width below which a gap is an error of the data, m; 0: all stay.
    precision_m : float
        Side of the cells, m.
    takers : collection of str or None
        Communities that get a gap before others beside it, as those that are still to be divided; None: all.

    Returns
    -------
    communities : geopandas.GeoDataFrame
        ``code`` and ``geometry``, by code. One that lower codes cover wholly does not appear.
    fixes : geopandas.GeoDataFrame
        `FIX_COLUMNS`: kind ``overlap`` or ``gap``, who got the land, who else claimed or bordered it,
        how much, and where; ordered by kind, code and other. Less than a hundredth of a square metre is
        rounding and is not told.

    Examples
    --------
    >>> shapes = shapely.box([0, 10.2], 0, [10, 20], 10)
    >>> land = gpd.GeoDataFrame({"code": ["A", "B"]}, geometry=shapes, crs="EPSG:4547")
    >>> cleaned, fixes = clean_communities(land)
    >>> cleaned.area.round(2).tolist(), fixes[["kind", "code", "other"]].values.tolist()
    ([102.0, 98.0], [['gap', 'A', 'B']])
    """
    ordered = communities.sort_values("code", kind="stable").reset_index(drop=True)
    code = ordered["code"].to_numpy(dtype=object)
    shapes = shapely.make_valid(np.asarray(ordered.geometry.to_numpy(), dtype=object))
    gaps = _gaps(shapes, gap_width_m)
    geometry, owner = snap_coverage(np.append(shapes, gaps), precision_m=precision_m)
    is_gap = owner >= len(shapes)
    takes = np.isin(code, list(code if takers is None else takers))
    filled, gap_owner, gap_other = _given(geometry, owner, is_gap, takes)
    tables = [
        _overlaps(shapes, code),
        _table("gap", code[gap_owner], code[gap_other], geometry[is_gap]),
    ]
    fixes = pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)
    fixes = fixes.sort_values(["kind", "code", "other", "area_m2"], kind="stable")
    frame = gpd.GeoDataFrame({"code": code[owner[~is_gap]]}, geometry=filled, crs=communities.crs)
    columns = fixes.reindex(columns=list(FIX_COLUMNS)).reset_index(drop=True)
    return frame, gpd.GeoDataFrame(columns, geometry="geometry", crs=communities.crs)


def _gaps(shapes: Geometries, width_m: float) -> Geometries:
    """Return what closing by half the width fills between at least two communities."""
    if width_m <= 0 or len(shapes) < 2:
        return np.zeros(0, dtype=object)
    whole = shapely.union_all(shapes)
    wide = shapely.buffer(whole, width_m / 2, join_style="mitre")
    closed = shapely.buffer(wide, -width_m / 2, join_style="mitre")
    gaps = shapely.get_parts(shapely.difference(closed, whole))
    gaps = gaps[(shapely.get_type_id(gaps) == 3) & (shapely.area(gaps) > _LEAST_M2)]
    gap = shapely.STRtree(shapes).query(gaps, predicate="dwithin", distance=1e-6)[0]
    narrow: Geometries = gaps[np.bincount(gap, minlength=len(gaps)) > 1]
    return np.asarray(shapely.normalize(narrow), dtype=object)


def _given(
    geometry: Geometries, owner: Indices, is_gap: Flags, takes: Flags
) -> tuple[Geometries, Indices, Indices]:
    """Return communities with their gaps, and the input that got each gap and the one next to it."""
    land, gaps = geometry[~is_gap], geometry[is_gap]
    gap, at = shapely.STRtree(land).query(gaps, predicate="intersects")
    shared = shapely.length(shapely.intersection(shapely.boundary(land[at]), gaps[gap]))
    inputs = owner[~is_gap]
    order = np.lexsort((at, -np.round(shared, 3), ~takes[inputs[at]], gap))
    gap, at = gap[order], at[order]
    first = np.flatnonzero(np.diff(gap, prepend=-1))
    taker = at[first]
    follower = np.minimum(first + 1, len(gap) - 1)
    other = np.where(gap[follower] == gap[first], at[follower], taker) if len(gap) else taker
    filled: Geometries = land.copy()
    for one in np.unique(taker):
        filled[one] = shapely.normalize(
            shapely.coverage_union_all(np.append(gaps[taker == one], land[one]))
        )
    return filled, inputs[taker], inputs[other]


def _overlaps(shapes: Geometries, code: Geometries) -> pd.DataFrame:
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    first, second = first[first < second], second[first < second]
    shared = shapely.intersection(shapes[first], shapes[second])
    kept = shapely.area(shared) > _LEAST_M2
    return _table("overlap", code[first[kept]], code[second[kept]], shared[kept])


def _table(kind: str, code: Geometries, other: Geometries, shapes: Geometries) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "cause": "fixed",
            "code": code,
            "other": other,
            "area_m2": shapely.area(shapes),
            "geometry": shapes,
        }
    )
    return worded(kind, table)
