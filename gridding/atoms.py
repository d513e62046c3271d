"""Atoms: the small cells whose borders are all fit to be borders of unit grids."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gridding.chains import chain_lines, join_segments, number_points, number_rows
from gridding.lines import KINDS, Lines
from gridding.openings import cut_open, lead_on
from gridding.options import DivisionOptions
from gridding.ridges import OPEN, cut_ridges
from gridding.scenery import Scene
from gridding.zones import target_of, zone_shares

Geometries = NDArray[np.object_]
Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

OUTLINE = -3
"""Kind of a border that is the outline of the land."""

_LED_ON = ((KINDS.index("locked"), 0.5), (KINDS.index("main_road"), 30.0))
"""Lines that are led on where they end in the open, and the least length of such a stretch, m.

Of a flyover stubs of 15 m are kept, which lead nowhere.
"""
_FACE_SHARE = 0.35
"""Faces larger than this share of the target are cut further."""


@dataclass(frozen=True, kw_only=True)
class Atoms:
    """The atoms of one piece of land, and the borders between them."""

    polygons: Geometries
    """Polygons in a fixed order: a valid coverage of the land on the precision grid."""
    left: Indices
    """Atom on one side of every border piece; less than the other where both are atoms."""
    right: Indices
    """Atom on the other side, or -1-k: outside, past ring k of the land; ring 0 is its exterior."""
    border: Geometries
    """LineStrings, as long as the two sides and the kind stay the same."""
    kind: Indices
    """Index into ``KINDS``; -1 gap between buildings, -2 in the open, -3 outline of the land."""
    price: Floats
    """Cost of 100 m of that border; 0 on the outline."""


def cut_atoms(
    land: shapely.Polygon, scene: Scene, lines: Lines, *, options: DivisionOptions
) -> Atoms:
    """Cut a piece of land by lines into atoms; line ends that meet nothing are dropped.

    Those of locked borders and main roads are led on to the next line instead.

    All in metres, on the precision grid; the outline of the land may move by less than one cell where a
    line meets it. The order of lines and buildings plays no part.
    """
    network = node(np.append(lines.lines, shapely.boundary(land)), options)
    faces = faces_in(land, network)
    loose = _loose(lines, network, land, options)
    if len(loose):
        more = lead_on(faces, loose, scene, options=options)
        network = node(np.concatenate([outlines(faces, options), loose, more]), options)
        faces = faces_in(land, network)
    target_m2 = target_of(zone_shares(faces, scene, options=options))
    large = shapely.area(faces) > _FACE_SHARE * target_m2
    ridges = cut_ridges(faces[large], target_m2[large], scene, options=options)
    polygons = faces
    if len(ridges.lines):
        # Line ends that bound no face are left out, or ridges would make slivers with them.
        network = node(np.concatenate([outlines(faces, options), ridges.lines]), options)
        polygons = faces_in(land, network)
    cuts = cut_open(polygons, land, scene, options=options)
    if len(cuts):
        polygons = faces_in(land, node(np.append(outlines(polygons, options), cuts), options))
    face = np.full(len(polygons), -1, dtype=np.intp)
    home, atom = shapely.STRtree(shapely.point_on_surface(polygons)).query(
        faces, predicate="contains"
    )
    face[atom] = home
    return _with_borders(land, polygons, face, (lines, ridges), options)


def _loose(
    lines: Lines, network: Geometries, land: shapely.Polygon, options: DivisionOptions
) -> Geometries:
    """Return the stretches of locked borders and main roads in the land that bound no face."""
    none: Geometries = np.empty(0, dtype=object)
    if not np.isin(lines.kind, [kind for kind, _ in _LED_ON]).any():
        return none
    _, cuts, dangles, _ = shapely.polygonize_full(network)
    pieces = np.concatenate([shapely.get_parts(cuts), shapely.get_parts(dangles)])
    middle = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    shapely.prepare(land)
    inside = shapely.contains_properly(land, middle)
    pieces, middle = pieces[inside], middle[inside]
    of = line_at(middle, lines, options)[0]
    found = [none]
    for kind, least_m in _LED_ON:
        own = shapely.normalize(pieces[of == kind])
        chains = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(own)))
        found.append(chains[shapely.length(chains) > least_m])
    return np.concatenate(found)


def node(lines: Geometries, options: DivisionOptions) -> Geometries:
    """Return lines noded on the precision grid: pieces that meet at their ends only."""
    lines = shapely.normalize(lines)
    noded = shapely.union_all(lines[order_by_bounds(lines)], grid_size=options.precision_m)
    pieces: Geometries = shapely.get_parts(noded)
    return pieces


def faces_in(land: shapely.Polygon, network: Geometries) -> Geometries:
    """Return the faces of a noded network that lie in the land, in a fixed order."""
    faces = shapely.get_parts(shapely.polygonize(network))
    faces = faces[shapely.area(faces) > 0]
    shapely.prepare(land)
    faces = faces[shapely.contains_properly(land, shapely.point_on_surface(faces))]
    faces = shapely.normalize(faces)
    faces = faces[order_by_bounds(faces)]
    return faces if len(faces) else np.array([shapely.normalize(land)], dtype=object)


def outlines(polygons: Geometries, options: DivisionOptions) -> Geometries:
    """Return what bounds noded polygons, each line once, from junction to junction."""
    points, start, stop, *_ = _sides(polygons, options)
    vertices, offsets, _ = join_segments(start, stop, np.zeros(len(start), dtype=np.intp))
    return chain_lines(points, vertices, offsets)


def order_by_bounds(geometry: Geometries) -> Indices:
    """Return the order by west, south, east, north bound, then length and area.

    Examples
    --------
    >>> order_by_bounds(shapely.box([5, 0, 0], 0, [6, 2, 1], 1)).tolist()
    [2, 1, 0]
    """
    keys = np.column_stack(
        [shapely.bounds(geometry), shapely.length(geometry), shapely.area(geometry)]
    )
    return np.lexsort(np.round(keys, 3).T[::-1])


def line_at(points: Geometries, lines: Lines, options: DivisionOptions) -> tuple[Indices, Floats]:
    """Return kind and price of the strongest line within two precision cells of each point.

    Where there is none: `OPEN`, at the price of open land.
    """
    kind = np.full(len(points), OPEN, dtype=np.intp)
    price = np.full(len(points), options.open_price)
    if len(points) == 0 or len(lines.lines) == 0:
        return kind, price
    segments, owner = _segments_of(lines.lines)
    point, segment = shapely.STRtree(segments).query(
        points, predicate="dwithin", distance=2 * options.precision_m
    )
    line = owner[segment]
    best = np.lexsort((lines.price[line], lines.kind[line], -lines.rank[line], point))
    point, line = point[best], line[best]
    first = np.flatnonzero(np.diff(point, prepend=-1))
    kind[point[first]] = lines.kind[line[first]]
    price[point[first]] = lines.price[line[first]]
    return kind, price


def _segments_of(lines: Geometries) -> tuple[Geometries, Indices]:
    """Return the straight segments of lines, and which line each is of."""
    points, owner = shapely.get_coordinates(lines, return_index=True)
    same = owner[1:] == owner[:-1]
    ends = np.stack([points[:-1][same], points[1:][same]], axis=1)
    return shapely.linestrings(ends), owner[1:][same]


def _with_borders(
    land: shapely.Polygon,
    polygons: Geometries,
    face: Indices,
    sources: tuple[Lines, Lines],
    options: DivisionOptions,
) -> Atoms:
    """Return atoms with the borders between them; `face` says which face each lies in.

    `sources` are the lines between faces, and those inside faces.
    """
    points, start, stop, left, right = _sides(polygons, options)
    middle = shapely.points((points[start] + points[stop]) / 2.0)
    outside = right < 0
    right[outside] = -1 - _ring_at(middle[outside], land)
    kind = np.full(len(left), OPEN, dtype=np.intp)
    price = np.full(len(left), options.open_price)
    kind[outside], price[outside] = OUTLINE, 0.0
    within = (face[left] == face[right]) & (face[left] >= 0)
    for rows, lines in zip((~outside & ~within, ~outside & within), sources, strict=True):
        kind[rows], price[rows] = line_at(middle[rows], lines, options)
    group = number_rows(left, right, kind, np.round(price * 1e6).astype(np.intp))
    vertices, offsets, chain = join_segments(start, stop, group)
    one = np.unique(chain, return_index=True)[1]
    border = chain_lines(points, vertices, offsets)
    order = np.lexsort((vertices[offsets[:-1]], price[one], kind[one], right[one], left[one]))
    one = one[order]
    return Atoms(
        polygons=polygons,
        left=left[one],
        right=right[one],
        border=border[order],
        kind=kind[one],
        price=price[one],
    )


def _sides(
    polygons: Geometries, options: DivisionOptions
) -> tuple[Floats, Indices, Indices, Indices, Indices]:
    """Return all vertices, the segments between them, and the polygons on both sides or -1."""
    rings, owner = shapely.get_rings(polygons, return_index=True)
    corners, ring = shapely.get_coordinates(rings, return_index=True)
    points, vertex = number_points(corners, cell_m=options.precision_m)
    same = ring[1:] == ring[:-1]
    ends = np.sort(np.column_stack([vertex[:-1][same], vertex[1:][same]]), axis=1)
    polygon = owner[ring[1:][same]]
    order = np.lexsort((polygon, ends[:, 1], ends[:, 0]))
    ends, polygon = ends[order], polygon[order]
    fresh = np.append(True, np.any(np.diff(ends, axis=0) != 0, axis=1))
    first = np.flatnonzero(fresh)
    twice = np.append(~fresh, False)[first + 1]
    right = np.where(twice, polygon[np.minimum(first + 1, len(polygon) - 1)], -1)
    return points, ends[first, 0], ends[first, 1], polygon[first], right


def _ring_at(points: Geometries, land: shapely.Polygon) -> Indices:
    """Return which ring of the land each point of its outline lies on; 0 is the exterior."""
    ring = np.zeros(len(points), dtype=np.intp)
    rings = shapely.get_rings(land)
    if len(rings) > 1 and len(points):
        point, nearest = shapely.STRtree(rings).query_nearest(points, all_matches=False)
        ring[point] = nearest
    return ring
