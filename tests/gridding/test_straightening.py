"""Straightened borders: a valid coverage whatever the atoms, and simple where nothing forbids it."""

from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from shapely import LineString, box

from gridding.arcs import chain_arcs
from gridding.atoms import Atoms
from gridding.options import DivisionOptions
from gridding.straightening import straighten

STREET, PARCEL, GAP, OPEN, OUTLINE = 4, 8, -1, -2, -3


def scene_of(buildings=(), points=(), kept_whole=()) -> SimpleNamespace:
    def polygons(shapes):
        return np.array(list(shapes), dtype=object).reshape(-1)

    return SimpleNamespace(
        buildings=polygons(buildings),
        kept_whole=polygons(kept_whole),
        points=np.array(list(points), dtype=float).reshape(-1, 2),
    )


def atoms_of(polygons: np.ndarray, land: shapely.Polygon, kind_of=None) -> Atoms:
    """Atoms of a valid coverage of `land`; `kind_of` says the kind of each shared line."""
    xy, owner = shapely.get_coordinates(polygons, return_index=True)
    same = owner[1:] == owner[:-1]
    a, b, side = xy[:-1][same], xy[1:][same], owner[1:][same]
    ends = {}
    for p, q, one in zip(map(tuple, a), map(tuple, b), side.tolist(), strict=True):
        ends.setdefault(tuple(sorted([p, q])), []).append(one)
    groups: dict[tuple[int, int], list] = {}
    rings = [land.exterior, *land.interiors]
    for segment, sides in ends.items():
        if len(sides) == 2:
            key = (min(sides), max(sides))
        else:
            middle = shapely.Point(np.mean(segment, axis=0))
            key = (sides[0], -1 - int(np.argmin([ring.distance(middle) for ring in rings])))
        groups.setdefault(key, []).append(segment)
    left, right, border, kind = [], [], [], []
    for (one, two), segments in sorted(groups.items()):
        merged = shapely.line_merge(shapely.MultiLineString(segments))
        for line in shapely.get_parts(merged):
            left.append(one)
            right.append(two)
            border.append(line)
            kind.append(OUTLINE if two < 0 else kind_of(line) if kind_of else GAP)
    return Atoms(
        polygons=polygons,
        left=np.array(left, dtype=np.intp),
        right=np.array(right, dtype=np.intp),
        border=np.array(border, dtype=object),
        kind=np.array(kind, dtype=np.intp),
        price=np.zeros(len(left)),
    )


def voronoi_atoms(seed: int, *, size_m: float = 400.0, hole: bool = False, count: int = 150):
    """Random Voronoi cells of a square, with a lake cut out where asked for."""
    random = np.random.default_rng(seed)
    land = box(0, 0, size_m, size_m)
    if hole:
        land = land.difference(box(150, 160, 220, 215))
    sites = shapely.multipoints(random.uniform(0, size_m, (count, 2)))
    cells = shapely.get_parts(shapely.voronoi_polygons(sites, extend_to=land))
    lines = np.append(shapely.boundary(cells), shapely.boundary(land))
    faces = shapely.get_parts(
        shapely.polygonize(shapely.get_parts(shapely.union_all(lines, grid_size=0.01)))
    )
    faces = faces[shapely.contains_properly(land, shapely.point_on_surface(faces))]
    faces = shapely.normalize(faces)
    faces = faces[np.lexsort(shapely.bounds(faces).T)]
    kinds = random.choice([STREET, GAP, OPEN], 4096, p=[0.1, 0.6, 0.3])
    return atoms_of(faces, land, lambda line: kinds[int(line.length * 1000) % 4096]), land


def grids_of(atoms: Atoms, seed: int, *, count: int) -> np.ndarray:
    """Grow `count` connected grids from random atoms, breadth first."""
    random = np.random.default_rng(seed)
    inner = atoms.right >= 0
    n = len(atoms.polygons)
    links = coo_array((np.ones(inner.sum()), (atoms.left[inner], atoms.right[inner])), shape=(n, n))
    links = (links + links.T).tocsr()
    label = np.full(n, -1, dtype=np.intp)
    front = [[int(seed)] for seed in random.choice(n, count, replace=False)]
    for number, (start,) in enumerate(front):
        label[start] = number
    while any(front):
        for number in range(count):
            if not front[number]:
                continue
            atom = front[number].pop(0)
            for near in links.indices[links.indptr[atom] : links.indptr[atom + 1]]:
                if label[near] < 0:
                    label[near] = number
                    front[number].append(int(near))
    assert (label >= 0).all()
    return label


def houses_in(atoms: Atoms) -> np.ndarray:
    """A square house of 8 m in the middle of every atom that has room for it, clear of its border."""
    places = shapely.get_coordinates(shapely.centroid(atoms.polygons))
    houses = shapely.box(*(places - 4).T, *(places + 4).T)
    return houses[shapely.contains(shapely.buffer(atoms.polygons, -2.0), houses)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10_000), hole=st.booleans())
def test_grids_are_a_coverage_of_the_land_that_cuts_no_house(seed: int, hole: bool) -> None:
    atoms, land = voronoi_atoms(seed, hole=hole)
    grid = grids_of(atoms, seed, count=14)
    houses = houses_in(atoms)
    points = np.random.default_rng(seed + 1).uniform(0, 400, (120, 2))
    options = DivisionOptions()
    grids = np.array(
        straighten(atoms, grid, land, scene_of(houses, points), options=options), dtype=object
    )
    before = np.array([shapely.coverage_union_all(atoms.polygons[grid == k]) for k in range(14)])
    assert len(grids) == 14
    assert set(shapely.get_type_id(grids)) == {3}
    assert shapely.is_valid(grids).all()
    assert shapely.coverage_is_valid(grids)
    assert shapely.area(grids).sum() == pytest.approx(shapely.area(atoms.polygons).sum(), abs=1e-6)
    moved = np.abs(shapely.area(grids) - shapely.area(before))
    assert (moved <= 0.25 * options.target_m2 + 0.01).all()
    # Labels keep their place: most of every grid is where it was.
    assert (shapely.area(shapely.intersection(grids, before)) > 0.5 * shapely.area(before)).all()
    # Houses lie two metres inside their atoms, so no border need come nearer than half a metre.
    borders = shapely.union_all(shapely.boundary(grids))
    assert (shapely.distance(borders, houses) >= 0.5 - 1e-6).all()
    cells = shapely.get_coordinates(grids) * 100
    assert np.abs(cells - np.rint(cells)).max() < 1e-4
    features = [line for line, kind in zip(atoms.border, atoms.kind, strict=True) if kind >= 0]
    chains = chain_arcs(atoms, grid, precision_m=0.01)
    kept = shapely.union_all(chains.lines[~chains.is_free & ~chains.is_soft])
    assert len(features) == 0 or borders.buffer(0.051).covers(kept)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_houses_and_components_plays_no_part(seed: int) -> None:
    atoms, land = voronoi_atoms(seed)
    grid = grids_of(atoms, seed, count=14)
    houses, random = houses_in(atoms), np.random.default_rng(seed)
    points = random.uniform(0, 400, (120, 2))
    one = straighten(atoms, grid, land, scene_of(houses, points), options=DivisionOptions())
    shuffled = scene_of(random.permutation(houses), random.permutation(points))
    two = straighten(atoms, grid, land, shuffled, options=DivisionOptions())
    assert shapely.to_wkb(one).tolist() == shapely.to_wkb(two).tolist()


def two_halves(kink_m: float, *, kind: int = GAP) -> tuple[Atoms, shapely.Polygon]:
    """Two grids of one hectare with a kinked border at x = 100 between them."""
    land = box(0, 0, 200, 100)
    kinks = [(100, 0), (100 + kink_m, 25), (100 - kink_m, 50), (100 + kink_m, 75), (100, 100)]
    west = shapely.normalize(shapely.Polygon([(0, 0), *kinks, (0, 100)]))
    east = shapely.normalize(shapely.Polygon([(200, 0), *kinks, (200, 100)]))
    return atoms_of(np.array([west, east]), land, lambda _: kind), land


def border_of(grids: list[shapely.Polygon]) -> LineString:
    return shapely.line_merge(shapely.intersection(grids[0], grids[1]))


def test_a_kinked_border_in_the_open_becomes_straight() -> None:
    atoms, land = two_halves(6.0)
    grids = straighten(atoms, np.array([0, 1]), land, scene_of(), options=DivisionOptions())
    assert [shape.area for shape in grids] == [10_000.0, 10_000.0]
    assert border_of(grids).equals(LineString([(100, 0), (100, 100)]))


def test_a_border_on_a_street_keeps_its_kinks() -> None:
    atoms, land = two_halves(6.0, kind=STREET)
    grids = straighten(atoms, np.array([0, 1]), land, scene_of(), options=DivisionOptions())
    assert len(border_of(grids).coords) == 5


def test_a_border_keeps_clear_of_a_house_on_the_straight_line() -> None:
    atoms, land = two_halves(6.0)
    house = box(97, 22, 103, 28)  # the kink at (106, 25) leads round it
    grids = straighten(atoms, np.array([0, 1]), land, scene_of([house]), options=DivisionOptions())
    assert border_of(grids).distance(house) >= 0.5
    assert grids[0].covers(house)


def test_a_border_passes_a_component_at_the_clearance() -> None:
    atoms, land = two_halves(6.0)
    lamp = (100.1, 40.0)
    grids = straighten(
        atoms, np.array([0, 1]), land, scene_of(points=[lamp]), options=DivisionOptions()
    )
    border = border_of(grids)
    assert border.distance(shapely.Point(lamp)) >= 0.6
    assert len(border.coords) == 3
    assert border.length < 100.1


def test_a_border_on_a_parcel_steps_aside_for_the_components_on_it_but_not_far() -> None:
    atoms, land = two_halves(0.0, kind=PARCEL)
    lamps = shapely.points([(100.0, 20.0), (100.3, 60.0)])
    scene = scene_of(points=shapely.get_coordinates(lamps), kept_whole=atoms.polygons)
    border = border_of(straighten(atoms, np.array([0, 1]), land, scene, options=DivisionOptions()))
    assert (shapely.distance(border, lamps) >= 0.6).all()
    assert shapely.hausdorff_distance(border, LineString([(100, 0), (100, 100)])) < 1.0
    # It leaves the line no sooner than 2.5 m before a lamp.
    assert border.intersection(LineString([(100, 0), (100, 100)])).length == pytest.approx(90.0)


def test_a_border_on_a_street_stays_though_a_component_is_on_it() -> None:
    atoms, land = two_halves(0.0, kind=STREET)
    scene = scene_of(points=[(100.0, 20.0)])
    border = border_of(straighten(atoms, np.array([0, 1]), land, scene, options=DivisionOptions()))
    assert border.equals(LineString([(100, 0), (100, 100)]))


def test_a_border_steps_aside_for_nothing_where_a_house_leaves_no_room() -> None:
    atoms, land = two_halves(0.0, kind=PARCEL)
    houses = [box(90, 10, 99.9, 30), box(100.1, 10, 110, 30)]
    scene = scene_of(houses, points=[(100.0, 20.0), (100.0, 60.0)])
    border = border_of(straighten(atoms, np.array([0, 1]), land, scene, options=DivisionOptions()))
    assert border.distance(shapely.union_all(houses)) == pytest.approx(0.1)
    assert border.distance(shapely.Point(100.0, 60.0)) >= 0.6


def test_a_bulge_gives_way_as_far_as_the_area_may_move() -> None:
    # It holds 60 x 100 / 2 = 3 000 m², of which a quarter of the target may change sides.
    land = box(0, 0, 200, 100)
    bulge = [(100, 0), (160, 50), (100, 100)]
    atoms = atoms_of(
        shapely.normalize(
            np.array(
                [
                    shapely.Polygon([(0, 0), *bulge, (0, 100)]),
                    shapely.Polygon([(200, 0), *bulge, (200, 100)]),
                ]
            )
        ),
        land,
    )
    grids = straighten(atoms, np.array([0, 1]), land, scene_of(), options=DivisionOptions())
    smaller, larger = sorted(shape.area for shape in grids)
    assert (smaller, larger) == (pytest.approx(9_500, abs=10), pytest.approx(10_500, abs=10))
    assert smaller <= 9_500


def test_one_grid_is_the_land_itself() -> None:
    atoms, land = two_halves(6.0)
    grids = straighten(atoms, np.array([0, 0]), land, scene_of(), options=DivisionOptions())
    assert grids == [land]


def test_a_grid_inside_another_stays_inside() -> None:
    land = box(0, 0, 300, 300)
    inner = shapely.Point(150, 150).buffer(60, quad_segs=6)
    inner = shapely.normalize(shapely.set_precision(inner, 0.01))
    outer = shapely.normalize(shapely.Polygon(land.exterior, [inner.exterior]))
    atoms = atoms_of(np.array([outer, inner]), land)
    grids = straighten(atoms, np.array([0, 1]), land, scene_of(), options=DivisionOptions())
    assert [len(shape.interiors) for shape in grids] == [1, 0]
    assert shapely.coverage_is_valid(np.array(grids))
    assert sum(shape.area for shape in grids) == pytest.approx(90_000)
