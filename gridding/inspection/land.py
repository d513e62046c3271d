"""Rules of communities: every grid in the one it names, every community covered by its grids."""

import geopandas as gpd
import numpy as np
import shapely

from gridding.cleaning import clean_communities
from gridding.homes import Geometries, clipped
from gridding.inspection.findings import Findings
from gridding.inspection.layer import CheckOptions, GridLayer, Indices, overlaid, solid
from gridding.inspection.shapes import widths

_NEAR_M = 0.05
_LEAST_M2 = 0.5


def find_overhang(
    layer: GridLayer, findings: Findings, *, communities: gpd.GeoDataFrame | None
) -> None:
    """Find grids that reach out of their community: mostly UG06, in part UG07.

    Land that a division gives a community, a narrow gap beside it, is its own.
    """
    if communities is None:
        return
    ordered = communities.sort_values("code", kind="stable").drop_duplicates("code")
    land = shapely.make_valid(ordered.geometry.to_numpy())
    shapely.prepare(land)
    codes = ordered["code"].to_numpy()
    rows = layer.rows[np.isin(layer.home[layer.rows].astype(str), codes.astype(str))]
    place = np.searchsorted(codes.astype(str), layer.home[rows].astype(str))
    inside = shapely.covers(land[place], layer.shapes[rows])
    rows, place = rows[~inside], place[~inside]
    shapes = layer.shapes[rows]
    near_land = [clipped(land[at], shape) for shape, at in zip(shapes, place, strict=True)]
    outside = overlaid(shapely.difference, shapes, _array(near_land))
    share = shapely.area(outside) / np.maximum(shapely.area(shapes), 1e-9)
    far = share > 0.5
    values = {"community": codes[place[far]], "share": share[far]}
    findings.add("UG06", rows[far], where=outside[far], **values)
    near = np.flatnonzero(~far)
    # Coordinates are rounded to centimetres, on either side.
    allowed = np.maximum(0.5, 0.02 * shapely.length(shapes[near]))
    far_out = near[shapely.area(outside[near]) > allowed]
    if len(far_out):
        outside[far_out] = _without_gaps(outside[far_out], codes[place[far_out]], ordered)
    kept = solid(outside[near])
    over = ~shapely.is_missing(kept) & (shapely.area(outside[near]) > allowed)
    values = {"community": codes[place[near[over]]], "area_m2": shapely.area(kept[over])}
    findings.add("UG07", rows[near[over]], where=kept[over], **values)


def _without_gaps(
    outside: Geometries, home: Geometries, communities: gpd.GeoDataFrame
) -> Geometries:
    """Return what of some land lies outside each one's community once narrow gaps are closed."""
    cleaned, fixes = clean_communities(communities)
    if not fixes["kind"].eq("gap").any():
        return outside
    land = cleaned.set_index("code").geometry.reindex(home).to_numpy()
    there = ~shapely.is_missing(land)
    left = outside.copy()
    left[there] = overlaid(shapely.difference, outside[there], land[there])
    return left


def _array(shapes: list[shapely.Geometry]) -> Geometries:
    result = np.empty(len(shapes), dtype=object)
    result[:] = shapes
    return result


def find_gaps(
    layer: GridLayer,
    findings: Findings,
    *,
    communities: gpd.GeoDataFrame | None,
    edges: Geometries,
    options: CheckOptions,
) -> float:
    """Find land of communities in no grid, told at a neighbour: UG09, narrow UG28; return the area.

    Communities without any grid in the layer are left out. Without communities the gaps are the holes
    that the grids enclose. A gap nowhere wider than two centimetres, or up to half a square metre, is
    rounding.
    """
    rows = layer.rows
    shapes = layer.shapes[rows]
    is_mismatched = ~shapely.is_empty(edges)
    tree = shapely.STRtree(shapes)
    home = layer.home[rows]
    found: list[Geometries] = [np.empty(0, dtype=object)]
    place: list[str] = []
    for code, land, own in _lands(layer, communities, is_mismatched=bool(is_mismatched.any())):
        rest = shapely.difference(land, _united(layer.shapes[own], is_mismatched[own].any()))
        if shapely.area(rest) <= _LEAST_M2:
            continue
        near = tree.query(rest, predicate="intersects")
        near = np.sort(near[home[near] != code])
        if len(near):
            rest = shapely.difference(rest, shapely.union_all(shapes[near]))
        gaps = shapely.get_parts(solid(shapely.get_parts(rest)))
        gaps = gaps[shapely.area(gaps) > _LEAST_M2]
        found.append(gaps)
        place += [code] * len(gaps)
    gaps, names = np.concatenate(found), np.array(place, dtype=object)
    beside = _beside(gaps, names, layer)
    area, width = shapely.area(gaps), widths(gaps)
    narrow = width < options.narrow_gap_m
    for rule, mask in (("UG09", ~narrow), ("UG28", narrow)):
        values = {"community": names[mask], "area_m2": area[mask], "width_m": width[mask]}
        findings.add(rule, beside[mask], where=gaps[mask], **values)
    return float(area.sum())


def _lands(
    layer: GridLayer, communities: gpd.GeoDataFrame | None, *, is_mismatched: bool
) -> list[tuple[str, shapely.Geometry, Indices]]:
    """Return code, land and grids of every community that has grids, by code."""
    rows = layer.rows
    if len(rows) == 0:
        return []
    if communities is None:
        whole = _united(layer.shapes[rows], is_mismatched)
        filled = [shapely.Polygon(part.exterior) for part in shapely.get_parts(whole)]
        return [("", shapely.union_all(filled), rows)]
    home = layer.home[rows].astype(str)
    order = np.argsort(home, kind="stable")
    names, starts = np.unique(home[order], return_index=True)
    own = dict(zip(names.tolist(), np.split(rows[order], starts[1:]), strict=True))
    ordered = communities.sort_values("code", kind="stable").drop_duplicates("code")
    lands = zip(ordered["code"], shapely.make_valid(ordered.geometry.to_numpy()), strict=True)
    return [(str(code), land, own[str(code)]) for code, land in lands if str(code) in own]


def _united(shapes: Geometries, is_mismatched: bool) -> shapely.Geometry:
    """Return the union: in one pass over the edges where these match, by overlay elsewhere."""
    return shapely.union_all(shapes) if is_mismatched else shapely.coverage_union_all(shapes)


def _beside(gaps: Geometries, names: Geometries, layer: GridLayer) -> Indices:
    """Return the grid of the community that has most border with each gap, else the nearest."""
    rows = layer.rows
    tree = shapely.STRtree(layer.shapes[rows])
    gap, grid = tree.query(gaps, predicate="dwithin", distance=_NEAR_M)
    own = (layer.home[rows[grid]] == names[gap]) | (names[gap] == "")
    gap, grid = gap[own], grid[own]
    zone = shapely.buffer(gaps, _NEAR_M)
    borders = shapely.boundary(layer.shapes[rows])
    shared = shapely.length(overlaid(shapely.intersection, borders[grid], zone[gap]))
    order = np.lexsort((grid, -np.round(shared, 2), gap))
    gap, grid = gap[order], grid[order]
    first = np.diff(gap, prepend=-1) != 0
    result = np.full(len(gaps), -1, dtype=np.intp)
    result[gap[first]] = rows[grid[first]]
    for alone in np.flatnonzero(result < 0):
        mine = rows[(layer.home[rows] == names[alone]) | (names[alone] == "")]
        distance = np.round(shapely.distance(layer.shapes[mine], gaps[alone]), 3)
        result[alone] = mine[int(np.argmin(distance))]
    return result
