"""A valid coverage: polygons that meet exactly, without gaps or overlaps."""

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.atoms import order_by_bounds
from gridding.lines import Geometries

Indices = NDArray[np.intp]


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
