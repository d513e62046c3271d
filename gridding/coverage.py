"""A valid coverage: polygons that meet exactly, without gaps or overlaps."""

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.atoms import order_by_bounds
from gridding.joining import join_outlines, loose_edges
from gridding.lines import Geometries

Indices = NDArray[np.intp]

_POLYGON = 3


def snap_coverage(polygons: Geometries, *, precision_m: float) -> tuple[Geometries, Indices]:
    """Node the outlines of polygons on a precision grid and give every face to one of them.

    Parameters
    ----------
    polygons : array of shapely.Polygon or MultiPolygon
        Nearly a coverage, in metres; a face that lies in several goes to the first.
    precision_m : float
        Side of the cells, m.

    Returns
    -------
    geometry : array
        Polygons or MultiPolygons, a valid coverage.
    index : array of int
        Which input each came from; an input left without area does not appear.

    Examples
    --------
    >>> overlapping = shapely.box([0, 9], [0, 0], [10, 20], [10, 10])
    >>> geometry, index = snap_coverage(overlapping, precision_m=0.01)
    >>> shapely.area(geometry).tolist(), index.tolist()
    ([100.0, 100.0], [0, 1])
    """
    faces = _faces(shapely.boundary(polygons), precision_m)
    owner = _first_owner(shapely.point_on_surface(faces), polygons)
    return _merged(faces, owner)


def fill_land(
    polygons: Geometries, land: Geometries, home: Indices, *, precision_m: float
) -> tuple[Geometries, Indices]:
    """Like `snap_coverage`, but the polygons of every piece of land end up covering just that.

    Parameters
    ----------
    polygons : array of shapely.Polygon
        Each inside its piece of land to within a few cells.
    land : array
        A valid coverage.
    home : array of int
        Which piece of land each polygon belongs to. Faces that none of its polygons holds, and crumbs
        that fell off one, go to the neighbour there with which they share most border.
    precision_m : float
        Side of the cells, m.

    Examples
    --------
    >>> gap = shapely.box([0, 4.99], [0, 0], [4.97, 10], [10, 10])
    >>> land = np.array([shapely.box(0, 0, 10, 10)])
    >>> geometry, _ = fill_land(gap, land, np.array([0, 0]), precision_m=0.01)
    >>> float(shapely.area(geometry).sum()), bool(shapely.coverage_is_valid(geometry))
    (100.0, True)
    """
    joined = _joined(polygons, land, precision_m)
    open_homes = _open_homes(joined, land, home, precision_m)
    if len(open_homes) == 0 and _is_sound(joined):
        return shapely.normalize(joined), np.arange(len(joined))
    if 0 < len(open_homes) < len(land):
        return _repaired(joined, land, home, open_homes, precision_m=precision_m)
    return _filled(polygons, land, home, precision_m=precision_m)


def _repaired(
    polygons: Geometries,
    land: Geometries,
    home: Indices,
    open_homes: Indices,
    *,
    precision_m: float,
) -> tuple[Geometries, Indices]:
    """Fill the pieces of land that are not covered each for itself, then join all."""
    rows = [np.flatnonzero(~np.isin(home, open_homes))]
    parts = [polygons[rows[0]]]
    for one in open_homes.tolist():
        own = np.flatnonzero(home == one)
        if len(own) == 0:
            continue
        filled, index = _filled(
            polygons[own], land[[one]], np.zeros(len(own), dtype=np.intp), precision_m=precision_m
        )
        parts.append(filled)
        rows.append(own[index])
    row = np.concatenate(rows)
    order = np.argsort(row, kind="stable")
    geometry, row = np.concatenate(parts)[order], row[order]
    geometry = _joined(geometry, land, precision_m)
    if _is_sound(geometry) and not len(_open_homes(geometry, land, home[row], precision_m)):
        return shapely.normalize(geometry), row
    return _filled(polygons, land, home, precision_m=precision_m)


def _joined(polygons: Geometries, land: Geometries, precision_m: float) -> Geometries:
    if not _are_single(polygons):
        return polygons
    anchors = shapely.get_coordinates(land)
    return join_outlines(polygons, precision_m=precision_m, anchors=anchors)


def _are_single(polygons: Geometries) -> bool:
    return bool((shapely.get_type_id(polygons) == _POLYGON).all())


def _is_sound(polygons: Geometries) -> bool:
    return bool(shapely.is_valid(polygons).all()) and bool(shapely.coverage_is_valid(polygons))


def _open_homes(
    polygons: Geometries, land: Geometries, home: Indices, precision_m: float
) -> Indices:
    """Return the pieces of land where polygons have an edge to nothing that is not the outer outline."""
    if not _are_single(polygons):
        return np.arange(len(land))
    edges, polygon = loose_edges(polygons, precision_m=precision_m)
    outline = shapely.get_parts(shapely.boundary(shapely.coverage_union_all(land)))
    middle = shapely.line_interpolate_point(edges, 0.5, normalized=True)
    xy, ring = shapely.get_coordinates(outline, return_index=True)
    at = np.flatnonzero(ring[1:] == ring[:-1])
    tree = shapely.STRtree(shapely.linestrings(np.stack([xy[at], xy[at + 1]], axis=1)))
    outer = tree.query(middle, predicate="dwithin", distance=2 * precision_m)[0]
    inner = np.setdiff1d(np.arange(len(edges)), outer)
    empty = np.setdiff1d(np.arange(len(land)), home)
    return np.union1d(home[polygon[inner]], empty).astype(np.intp)


def _filled(
    polygons: Geometries, land: Geometries, home: Indices, *, precision_m: float
) -> tuple[Geometries, Indices]:
    outlines = np.concatenate([shapely.boundary(land), shapely.boundary(polygons)])
    faces = _faces(outlines, precision_m)
    inner = shapely.point_on_surface(faces)
    place = _first_owner(inner, land)
    faces, inner, place = faces[place >= 0], inner[place >= 0], place[place >= 0]
    owner = _first_owner(inner, polygons, homes=home, places=place)
    owner = np.where(_is_crumb(faces, owner), -1, owner)
    for face in np.flatnonzero(owner < 0)[
        np.argsort(-shapely.area(faces[owner < 0]), kind="stable")
    ]:
        near = np.flatnonzero((owner >= 0) & (place == place[face]))
        owner[face] = _neighbour(faces[face], faces, near, owner, precision_m)
    return _merged(faces, owner)


def _faces(outlines: Geometries, precision_m: float) -> Geometries:
    noded = shapely.union_all(outlines, grid_size=precision_m)
    faces: Geometries = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    return faces[order_by_bounds(faces)]


def _merged(faces: Geometries, owner: Indices) -> tuple[Geometries, Indices]:
    order = np.argsort(owner, kind="stable")
    order = order[owner[order] >= 0]
    faces, owner = faces[order], owner[order]
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    merged = [shapely.coverage_union_all(part) for part in np.split(faces, starts[1:])]
    single = [
        part.geoms[0] if shapely.get_num_geometries(part) == 1 and hasattr(part, "geoms") else part
        for part in merged
    ]
    return shapely.normalize(np.array(single, dtype=object)), owner[starts]


def _first_owner(
    points: Geometries,
    polygons: Geometries,
    *,
    homes: Indices | None = None,
    places: Indices | None = None,
) -> Indices:
    """Return the first polygon that holds each point, and is at home in the point's place; or -1."""
    owner = np.full(len(points), len(polygons), dtype=np.intp)
    point, polygon = shapely.STRtree(polygons).query(points, predicate="within")
    if homes is not None and places is not None:
        at_home = homes[polygon] == places[point]
        point, polygon = point[at_home], polygon[at_home]
    np.minimum.at(owner, point, polygon)
    return np.where(owner == len(polygons), -1, owner)


def _is_crumb(faces: Geometries, owner: Indices) -> NDArray[np.bool_]:
    """Return which faces are not joined to the largest face of their owner."""
    crumb = np.zeros(len(faces), dtype=np.bool_)
    order = np.argsort(owner, kind="stable")
    order = order[owner[order] >= 0]
    starts = np.flatnonzero(np.diff(owner[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        if len(rows) < 2:
            continue
        parts = shapely.get_parts(shapely.coverage_union_all(faces[rows]))
        if len(parts) > 1:
            main = parts[int(np.argmax(shapely.area(parts)))]
            crumb[rows] = ~shapely.within(shapely.point_on_surface(faces[rows]), main)
    return crumb


def _neighbour(
    sliver: shapely.Polygon, faces: Geometries, near: Indices, owner: Indices, precision_m: float
) -> int:
    """Return the owner of the face in `near` that shares most border with the sliver, or -1."""
    touching = near[shapely.dwithin(faces[near], sliver, precision_m / 2)]
    if len(touching) == 0:
        return -1
    shared = shapely.length(shapely.intersection(shapely.boundary(faces[touching]), sliver))
    return int(owner[touching[int(np.argmax(np.round(shared, 3)))]])
