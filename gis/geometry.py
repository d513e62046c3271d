"""Checks of delivered geometry: what is repaired is said, what can not be is refused, row by row."""

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gis.faults import Faults

Geometries = NDArray[np.object_]
Mask = NDArray[np.bool_]

_SINGLE = {"MultiPoint": "Point", "MultiLineString": "LineString", "MultiPolygon": "Polygon"}
_MULTI = {single: multi for multi, single in _SINGLE.items()}
_TYPE_NAMES = np.array(
    [
        "Point",
        "LineString",
        "LinearRing",
        "Polygon",
        "MultiPoint",
        "MultiLineString",
        "MultiPolygon",
        "GeometryCollection",
        "",
    ]
)
"""Names by the type id of shapely, whose missing (-1) is the last here."""

_TYPE_NAMES_ZH = {
    "Point": "点",
    "LineString": "线",
    "LinearRing": "环",
    "Polygon": "面",
    "MultiPoint": "多点",
    "MultiLineString": "多线",
    "MultiPolygon": "多面",
    "GeometryCollection": "几何集合",
}


def check_geometry(
    frame: gpd.GeoDataFrame,
    faults: Faults,
    *,
    kinds: frozenset[str],
    within: shapely.Geometry | None,
    margin_m: float = 0.0,
) -> gpd.GeoDataFrame:
    """Return `frame` with its geometry made 2D, valid and of one of `kinds`; faults go to `faults`.

    Rules G001-G010 of ``gis/codes/rules.csv``. The result has all rows in the same order; a row that
    these rules refuse has no geometry in it (the fault keeps the one delivered). A multipart geometry
    of one part becomes simple where that is allowed, a simple one multipart where only that is. A
    collection with exactly one part of the wanted kinds becomes that part. Self-crossing lines of
    polygons are repaired by their structure (``make_valid(method="structure")``). A feature is outside
    when it has no point in common with `within`, whose border belongs to it.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Rows in the city's CRS, metres, index as that of the frame behind `faults`.
    faults : Faults
        Made with the rules of ``gis.codes``.
    kinds : frozenset of str
        Geometry types the dataset takes, as ``Polygon``.
    within : shapely geometry or None
        The city's extent, in the frame's CRS; None: not checked.
    margin_m : float
        What `within` reaches beyond the city's border, m: distances are told from the border.
    """
    shapes: Geometries = frame.geometry.to_numpy().copy()
    check = _Check(faults, frame.index)
    check.refuse("G001", shapes, shapely.is_missing(shapes))
    check.refuse("G002", shapes, shapely.is_empty(shapes))
    check.refuse("G003", shapes, _has_bad_coordinate(shapes))
    _flatten(shapes, check)
    _reduce_collections(shapes, check, kinds=kinds)
    _repair(shapes, check, kinds=kinds)
    _fit_kinds(shapes, check, kinds=kinds)
    if within is not None:
        _refuse_outside(shapes, check, within=within, margin_m=margin_m)
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))


def keep_shapes(frame: gpd.GeoDataFrame, before: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return `frame` with the polygons of `before` where they differ by how their rings are written alone.

    Formats turn rings round and begin them elsewhere; that moves nothing, so it is no new version.

    Parameters
    ----------
    frame, before : geopandas.GeoDataFrame
        Rows with ``code``, unique in `before`; the same CRS.

    Examples
    --------
    >>> ring = [(0, 0), (4, 0), (4, 3)]
    >>> one, other = shapely.Polygon(ring), shapely.Polygon(ring[::-1])
    >>> rows, old = (gpd.GeoDataFrame({"code": ["a"]}, geometry=[shape]) for shape in (one, other))
    >>> keep_shapes(rows, old).geometry.iloc[0].wkt == other.wkt
    True
    """
    known = before.geometry.set_axis(before["code"])
    old = known.reindex(frame["code"]).to_numpy()
    new = frame.geometry.to_numpy().copy()
    at = np.flatnonzero(np.isin(shapely.get_type_id(new), (3, 6)) & ~shapely.is_missing(old))
    same = shapely.equals_exact(shapely.normalize(new[at]), shapely.normalize(old[at]), 0.0)
    new[at[same]] = old[at[same]]
    return frame.set_geometry(gpd.GeoSeries(new, index=frame.index, crs=frame.crs))


class _Check:
    """The faults and the index that arrays are aligned to."""

    def __init__(self, faults: Faults, index: pd.Index) -> None:
        self.faults = faults
        self.index = index

    def warn(self, rule: str, mask: Mask, **values: object) -> None:
        """Record a fault; arrays of values hold one per row of the frame."""
        if not mask.any():
            return
        if "kind" in values:
            values["kind_zh"] = _in_chinese(values["kind"])
        aligned = {
            name: pd.Series(value, index=self.index) if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }
        self.faults.add(rule, pd.Series(mask, index=self.index), **aligned)

    def refuse(self, rule: str, shapes: Geometries, mask: Mask, **values: object) -> None:
        """Record a fault and take the geometry away, so that no later rule looks at it."""
        self.warn(rule, mask, **values)
        shapes[mask] = None


def _in_chinese(kinds: object) -> Geometries:
    names = np.asarray(kinds, dtype=object)
    return np.array([_TYPE_NAMES_ZH.get(str(name), name) for name in names], dtype=object)


def _has_bad_coordinate(shapes: Geometries) -> Mask:
    coordinates, owner = shapely.get_coordinates(shapes, return_index=True)
    bad = np.zeros(len(shapes), dtype=bool)
    bad[owner[~np.isfinite(coordinates).all(axis=1)]] = True
    return bad


def _flatten(shapes: Geometries, check: _Check) -> None:
    """Drop Z and M; heights of zero say nothing and are dropped without a word."""
    high = shapely.has_z(shapes)
    measured = shapely.has_m(shapes)
    if not (high | measured).any():
        return
    heights = np.zeros(len(shapes))
    coordinates, owner = shapely.get_coordinates(shapes[high], include_z=True, return_index=True)
    z = np.nan_to_num(coordinates[:, 2], nan=0.0, posinf=0.0, neginf=0.0)
    rows = np.flatnonzero(high)[owner]
    np.maximum.at(heights, rows, np.abs(z))
    check.warn("G006", heights > 0, height=heights)
    solid = high | measured
    shapes[solid] = shapely.force_2d(shapes[solid])


def _types(shapes: Geometries) -> NDArray[np.str_]:
    """Return the type names; blank for missing."""
    names: NDArray[np.str_] = _TYPE_NAMES[shapely.get_type_id(shapes)]  # missing: -1, the last
    return names


def _reduce_collections(shapes: Geometries, check: _Check, *, kinds: frozenset[str]) -> None:
    is_collection = _types(shapes) == "GeometryCollection"
    if not is_collection.any():
        return
    kind = np.full(len(shapes), "", dtype=object)
    dropped = np.zeros(len(shapes), dtype=np.int64)
    reduced = np.zeros(len(shapes), dtype=bool)
    for row in np.flatnonzero(is_collection):
        parts = shapely.get_parts(shapes[row])
        wanted = [part for part in parts if _is_wanted(part.geom_type, kinds)]
        if len(wanted) == 1:
            shapes[row] = wanted[0]
            kind[row], dropped[row], reduced[row] = wanted[0].geom_type, len(parts) - 1, True
    check.warn("G007", reduced & (dropped > 0), kind=kind, dropped=dropped)


def _is_wanted(kind: str, kinds: frozenset[str]) -> bool:
    return kind in kinds or _SINGLE.get(kind) in kinds or _MULTI.get(kind) in kinds


def _repair(shapes: Geometries, check: _Check, *, kinds: frozenset[str]) -> None:
    """Repair what is invalid; of a kind that is not wanted anyway only the kind is reported."""
    types = _types(shapes)
    wanted = np.isin(types, [kind for kind in _TYPE_NAMES if _is_wanted(kind, kinds)])
    invalid = wanted & ~shapely.is_valid(shapes)
    if not invalid.any():
        return
    before = shapes.copy()
    why = np.full(len(shapes), "", dtype=object)
    why[invalid] = shapely.is_valid_reason(shapes[invalid])
    shapes[invalid] = _made_valid(shapes[invalid])
    lost = invalid & (shapely.is_empty(shapes) | ~shapely.is_valid(shapes))
    lost |= invalid & ~_same_dimension(before, shapes)
    check.refuse("G004", shapes, lost, kind=types, why=why)
    repaired = invalid & ~lost
    old, new = _area_of(before), shapely.area(shapes)
    check.warn(
        "G005",
        repaired,
        kind=types,
        why=why,
        measure=_words(old, new, "area {:.2f} to {:.2f} m²"),
        measure_zh=_words(old, new, "面积由 {:.2f} 变为 {:.2f} 平方米"),
    )


def _made_valid(shapes: Geometries) -> Geometries:
    """Repair by structure; what GEOS leaves invalid (parts that share an edge) is united."""
    repaired = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    left = np.flatnonzero(~shapely.is_valid(repaired))
    repaired[left] = [shapely.union_all(shapely.get_parts(shape)) for shape in repaired[left]]
    return np.asarray(repaired, dtype=object)


def _same_dimension(before: Geometries, after: Geometries) -> Mask:
    same: Mask = shapely.get_dimensions(before) == shapely.get_dimensions(after)
    return same


def _area_of(shapes: Geometries) -> NDArray[np.float64]:
    """Return areas as the rings enclose them, also of rings that cross themselves."""
    return np.asarray(shapely.area(shapes), dtype=np.float64)


def _words(old: NDArray[np.float64], new: NDArray[np.float64], text: str) -> Geometries:
    pairs = zip(np.nan_to_num(old), np.nan_to_num(new), strict=True)
    return np.array([text.format(first, second) for first, second in pairs], dtype=object)


def _fit_kinds(shapes: Geometries, check: _Check, *, kinds: frozenset[str]) -> None:
    """Unwrap and wrap multipart geometries as `kinds` wants them; refuse other kinds."""
    types = _types(shapes)
    parts = shapely.get_num_geometries(shapes)
    for multi, single in _SINGLE.items():
        if single in kinds:
            unwrap = (types == multi) & (parts == 1)
            shapes[unwrap] = shapely.get_geometry(shapes[unwrap], 0)
        elif multi in kinds:
            wrap = np.flatnonzero(types == single)
            shapes[wrap] = [_wrap(shape, multi) for shape in shapes[wrap]]
    types = _types(shapes)
    wrong = ~np.isin(types, sorted(kinds)) & (types != "")
    wanted = " / ".join(sorted(kinds - frozenset(_SINGLE)) or sorted(kinds))
    names = [_TYPE_NAMES_ZH[name] for name in wanted.split(" / ")]
    check.refuse("G008", shapes, wrong, kind=types, wanted=wanted, wanted_zh=" / ".join(names))


def _wrap(shape: shapely.Geometry, multi: str) -> shapely.Geometry:
    return getattr(shapely, multi)([shape])


def _refuse_outside(
    shapes: Geometries, check: _Check, *, within: shapely.Geometry, margin_m: float
) -> None:
    shapely.prepare(within)
    outside = ~shapely.is_missing(shapes) & ~shapely.intersects(within, shapes)
    if not outside.any():
        return
    bounds = shapely.bounds(shapes)
    middle_x, middle_y = bounds[:, [0, 2]].mean(axis=1), bounds[:, [1, 3]].mean(axis=1)
    swapped = outside & shapely.intersects_xy(within, middle_y, middle_x)
    distance = np.zeros(len(shapes))
    distance[outside] = shapely.distance(within, shapes[outside])
    check.refuse("G010", shapes, swapped)
    check.refuse("G009", shapes, outside & ~swapped, distance_m=distance + margin_m)
