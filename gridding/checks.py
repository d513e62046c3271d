"""Checks of a unit grid layer: codes, one community each, no gaps, no overlaps, one piece.

Each check adds to a `gis.faults.Faults` by the rules of ``rules.csv``. Areas up to `SLIVER_M2` are
rounding of coordinates and are not reported.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.codes import read_rules
from gis.errors import CrsError
from gis.faults import Faults
from gridding.numbering import COMMUNITY_DIGITS

RULES = read_rules("gridding")
SLIVER_M2 = 0.5
"""Overlaps, gaps and overhangs up to this are rounding, m²."""


def check_coverage(
    grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame, *, code_length: int = 15
) -> pd.DataFrame:
    """Check a whole layer of unit grids and return its faults.

    Parameters
    ----------
    grids : geopandas.GeoDataFrame
        ``code`` and ``geometry``; ``source_file`` and ``source_row`` where it was delivered.
    communities : geopandas.GeoDataFrame
        ``code`` (12 digits) and ``geometry``, same CRS.
    code_length : int
        Digits of a grid code, 14 or 15.

    Returns
    -------
    pandas.DataFrame
        One row per fault, columns `gis.faults.REJECT_COLUMNS`.

    Raises
    ------
    CrsError
        The two are in different CRS.
    """
    if grids.crs != communities.crs:
        msg = f"Grids in {grids.crs} and communities in {communities.crs}: bring both to one CRS."
        raise CrsError(msg, zh="单元网格与社区的坐标系不同，请先统一坐标系。")
    frame = grids.reset_index(drop=True)
    if "source_file" not in frame:
        frame = frame.assign(source_file="grids", source_row=np.arange(1, len(frame) + 1))
    faults = Faults(frame, rules=RULES)
    judge_codes(faults, frame["code"], code_length=code_length, communities=communities)
    judge_shapes(faults, frame)
    judge_communities(faults, frame, communities)
    judge_borders(faults, frame)
    judge_gaps(faults, frame, communities)
    return faults.outcome().faults


def judge_codes(
    faults: Faults,
    code: "pd.Series[str]",
    *,
    code_length: int,
    communities: gpd.GeoDataFrame,
) -> None:
    """Judge that every code is there, has its digits, is used once and begins with a community."""
    missing = code.isna() | code.eq("")
    faults.add("UG01", missing)
    shaped = code.str.fullmatch(rf"\d{{{code_length}}}").eq(True)
    faults.add("UG02", ~missing & ~shaped, code=code, length=code_length)
    rows = faults.frame
    place = rows["source_file"].astype(str) + " row " + rows["source_row"].astype(str)
    first = place.groupby(code.fillna("")).transform("first")
    faults.add("UG03", ~missing & code.duplicated(keep="first"), code=code, first=first)
    known = code.str[:COMMUNITY_DIGITS].isin(communities["code"])
    faults.add("UG04", ~missing & shaped & ~known, code=code)


def judge_shapes(faults: Faults, grids: gpd.GeoDataFrame) -> None:
    """Judge that every grid is one piece and is no ring round another."""
    parts = pd.Series(shapely.get_num_geometries(grids.geometry.to_numpy()), index=grids.index)
    faults.add("UG05", parts > 1, code=grids["code"], parts=parts)
    shapes = grids.geometry.to_numpy()
    inner, outer = shapely.STRtree(shapes).query(
        shapely.point_on_surface(shapes), predicate="within"
    )
    # A grid in the hole of another is inside that one's outline without being inside it.
    filled = np.array([_filled(shape) for shape in shapes], dtype=object)
    inner_filled, outer_filled = shapely.STRtree(filled).query(
        shapely.point_on_surface(shapes), predicate="within"
    )
    plain = set(zip(inner.tolist(), outer.tolist(), strict=True))
    rings = [
        grid
        for one, grid in zip(inner_filled.tolist(), outer_filled.tolist(), strict=True)
        if one != grid and (one, grid) not in plain
    ]
    faults.add("UG11", _mask(grids, np.unique(rings)), code=grids["code"])


def _filled(shape: shapely.Geometry) -> shapely.Geometry:
    polygons = [shapely.Polygon(part.exterior) for part in shapely.get_parts(shape)]
    return polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)


def judge_communities(
    faults: Faults, grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame
) -> None:
    """Judge that every grid lies in the community whose code it bears."""
    land = communities.set_index("code")["geometry"]
    community = grids["code"].str[:COMMUNITY_DIGITS]
    rows = grids[community.isin(land.index)]
    names = community[rows.index]
    shapes = rows.geometry.to_numpy()
    outside = shapely.area(shapely.difference(shapes, land.reindex(names).to_numpy()))
    area = pd.Series(outside, index=rows.index, dtype=float)
    share = area / rows.geometry.area
    faults.add("UG06", share > 0.5, code=rows["code"], community=names, share=share)
    overhang = (area > _allowance(rows)) & (share <= 0.5)
    faults.add("UG07", overhang, code=rows["code"], community=names, area_m2=area)


def _allowance(rows: gpd.GeoDataFrame) -> "pd.Series[float]":
    """Return the area that two centimetres of border make: coordinates are rounded to centimetres."""
    return np.maximum(SLIVER_M2, 0.02 * rows.geometry.length)


def judge_borders(faults: Faults, grids: gpd.GeoDataFrame) -> None:
    """Judge that no two grids overlap, and that neighbours share the vertices of their border."""
    shapes = grids.geometry.to_numpy()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    for one, other, area in zip(first, second, shared, strict=True):
        if area > SLIVER_M2:
            mask = _mask(grids, np.array([one]))
            codes = grids["code"]
            faults.add("UG08", mask, code=codes, other=codes.iloc[other], area_m2=float(area))
    unmatched = ~shapely.is_empty(shapely.coverage_invalid_edges(shapes))
    overlapping = np.isin(
        np.arange(len(shapes)), np.append(first[shared > SLIVER_M2], second[shared > SLIVER_M2])
    )
    loose = np.flatnonzero(unmatched & ~overlapping)
    for one in loose:
        partner = np.flatnonzero((first == one) | (second == one))
        others = np.setdiff1d(np.append(first[partner], second[partner]), [one])
        others = others[unmatched[others]]
        if len(others) and one < others[0]:
            mask = _mask(grids, np.array([one]))
            faults.add("UG10", mask, code=grids["code"], other=grids["code"].iloc[others[0]])


def judge_gaps(faults: Faults, grids: gpd.GeoDataFrame, communities: gpd.GeoDataFrame) -> None:
    """Judge that the grids of every community that has any cover it; a gap is told at a neighbour."""
    community = grids["code"].str[:COMMUNITY_DIGITS]
    shapes = grids.geometry.to_numpy()
    tree = shapely.STRtree(shapes)
    for code, land in communities.sort_values("code").set_index("code")["geometry"].items():
        own = np.flatnonzero(community == code)
        if len(own) == 0:
            continue
        near = np.sort(tree.query(land, predicate="intersects"))
        gaps = shapely.get_parts(shapely.difference(land, shapely.union_all(shapes[near])))
        for gap in gaps[shapely.area(gaps) > SLIVER_M2]:
            if _is_hairline(gap):
                continue
            beside = own[int(np.argmin(np.round(shapely.distance(shapes[own], gap), 3)))]
            values = {"community": code, "area_m2": float(gap.area)}
            faults.add("UG09", _mask(grids, np.array([beside])), code=grids["code"], **values)


def _is_hairline(gap: shapely.Polygon) -> bool:
    """Return whether a gap is nowhere wider than two centimetres: rounding along a border."""
    return bool(shapely.is_empty(shapely.buffer(gap, -0.01)))


def _mask(grids: gpd.GeoDataFrame, positions: NDArray[np.intp]) -> "pd.Series[bool]":
    return pd.Series(np.isin(np.arange(len(grids)), positions), index=grids.index)
